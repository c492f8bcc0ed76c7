//! C-DNS: pairs of query and response in blocks with shared tables (RFC 8618), and the two drafts that were in use before it, whose
//! versions are 0.5 ("C-DNS") and 0.2 ("DNS-STAT").
//!
//! A block is taken whole, its messages are written out again, and go the same way as those of packets. What C-DNS does not keep
//! (the compression of names, further questions, records in queries but OPT) is not there then; sizes are those that it notes.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use model::Transport;

use crate::cbor::{Head, Puller, Value};
use crate::input::Octets;
use crate::pass::{Pass, Route};
use crate::pcap::Fault;
use crate::receipt::DropReason;
use crate::sink::SinkError;

/// Longest message that can be written out.
const LONGEST_MESSAGE: usize = 65_535;

/// The numbers of the fields, which the versions have in different places.
struct Layout {
    /// Where indices begin: in the drafts 0 stands for "not there".
    first_index: i64,
    earliest_time: i64,
    signature: Signature,
    item: Item,
    /// Flags of a signature: OPT in the query, no question in the response.
    query_has_opt: i64,
    response_has_no_question: i64,
    /// The bits of the transport flags that hold the transport.
    transport: fn(i64) -> Transport,
}

/// Fields of QueryResponseSignature (RFC 8618 §7.3.2.3).
struct Signature {
    flags: i64,
    opcode: i64,
    dns_flags: i64,
    query_rcode: i64,
    classtype: i64,
    udp_size: i64,
    opt_rdata: i64,
    response_rcode: i64,
}

/// Fields of QueryResponse (RFC 8618 §7.3.3).
struct Item {
    time: i64,
    client_address: i64,
    client_port: i64,
    id: i64,
    signature: i64,
    delay: i64,
    name: i64,
    query_size: i64,
    response_size: i64,
    response_extended: i64,
}

const RFC8618: Layout = Layout {
    first_index: 0,
    earliest_time: 0,
    signature: Signature {
        flags: 4,
        opcode: 5,
        dns_flags: 6,
        query_rcode: 7,
        classtype: 8,
        udp_size: 14,
        opt_rdata: 15,
        response_rcode: 16,
    },
    item: Item {
        time: 0,
        client_address: 1,
        client_port: 2,
        id: 3,
        signature: 4,
        delay: 6,
        name: 7,
        query_size: 8,
        response_size: 9,
        response_extended: 12,
    },
    query_has_opt: 2,
    response_has_no_question: 5,
    // UDP and DTLS are 0 and 3
    transport: |flags| match (flags >> 1) & 0x0f {
        1 | 2 | 4 => Transport::Tcp,
        _ => Transport::Udp,
    },
};

const DRAFT_SIGNATURE: Signature = Signature {
    flags: 3,
    opcode: 4,
    dns_flags: 5,
    query_rcode: 6,
    classtype: 7,
    udp_size: 13,
    opt_rdata: 14,
    response_rcode: 15,
};

const DRAFT_05: Layout = Layout {
    first_index: 1,
    earliest_time: 1,
    signature: DRAFT_SIGNATURE,
    item: Item {
        time: 0,
        client_address: 2,
        client_port: 3,
        id: 4,
        signature: 5,
        delay: 7,
        name: 9,
        query_size: 10,
        response_size: 11,
        response_extended: 13,
    },
    query_has_opt: 3,
    response_has_no_question: 5,
    transport: |flags| if flags & 1 == 1 { Transport::Tcp } else { Transport::Udp },
};

const DRAFT_02: Layout = Layout {
    item: Item {
        time: 0,
        client_address: 1,
        client_port: 2,
        id: 3,
        signature: 4,
        delay: 6,
        name: 7,
        query_size: 11,
        response_size: 8,
        response_extended: 10,
    },
    ..DRAFT_05
};

/// A C-DNS file that gives its blocks one after another.
pub(crate) struct CDns {
    layout: &'static Layout,
    /// Ticks in a second, for each set of block parameters.
    ticks: Vec<i64>,
    /// Blocks in the file; `None`: until a break.
    count: Option<usize>,
    read: usize,
    is_begun: bool,
    is_draft_02: bool,
    ends_with_break: bool,
}

impl CDns {
    /// Looks at the first octets; `None` where they do not begin a list with the name of the format.
    pub(crate) fn recognise(octets: &mut Octets) -> io::Result<Option<Self>> {
        octets.fill(10)?;
        let start = octets.available();
        let is_list = start.first().is_some_and(|first| matches!(first, 0x83 | 0x9f));
        let name = start.get(1..).unwrap_or_default();
        let is_draft_02 = name.starts_with(b"\x68DNS-STAT");
        Ok(
            (is_list && (is_draft_02 || name.starts_with(b"\x65C-DNS"))).then_some(Self {
                layout: &RFC8618,
                ticks: Vec::new(),
                count: None,
                read: 0,
                is_begun: false,
                is_draft_02,
                ends_with_break: start.first() == Some(&0x9f),
            }),
        )
    }

    fn begin(&mut self, octets: &mut Octets) -> Result<(), Fault> {
        let mut puller = Puller::new(octets);
        puller.head()?;
        puller.value()?;
        let preamble = puller.value()?;
        let version = |key| preamble.get(key).and_then(Value::number);
        self.layout = match (self.is_draft_02, version(0), version(1)) {
            (true, _, _) => &DRAFT_02,
            (false, Some(1), _) => &RFC8618,
            (false, Some(0), Some(5)) => &DRAFT_05,
            _ => {
                return Err(Fault::Broken(
                    octets.position,
                    "the version of C-DNS is neither 1, 0.5 nor 0.2",
                ));
            }
        };
        if self.layout.first_index == 0 {
            let ticks = |parameters: &Value| parameters.get(0).and_then(|storage| storage.get(0)?.number());
            let parameters = preamble.get(3).map(Value::list).unwrap_or_default();
            self.ticks = parameters
                .iter()
                .map(|parameters| ticks(parameters).filter(|ticks| *ticks > 0).unwrap_or(1_000_000))
                .collect();
        }
        self.count = match Puller::new(octets).head()? {
            Head::List(count) => count,
            _ => return Err(Fault::Broken(octets.position, "blocks are no list")),
        };
        self.is_begun = true;
        Ok(())
    }

    /// The next block; `None` at the end of the file.
    pub(crate) fn next(&mut self, octets: &mut Octets) -> Result<Option<Block>, Fault> {
        if !self.is_begun {
            self.begin(octets)?;
        }
        let mut puller = Puller::new(octets);
        let Some(head) = puller.another(self.count, self.read)? else {
            if self.ends_with_break {
                puller.head()?;
            }
            return Ok(None);
        };
        let content = puller.value_of(head, 0)?;
        self.read += 1;
        let preamble = content.get(0);
        let number = preamble.and_then(|preamble| preamble.get(1)?.number()).unwrap_or(0);
        let ticks = usize::try_from(number).ok().and_then(|number| self.ticks.get(number));
        let start = preamble.and_then(|preamble| preamble.get(self.layout.earliest_time));
        let ticks = ticks.copied().unwrap_or(1_000_000);
        let part = |at: usize| start.and_then(|start| start.list().get(at)?.number()).unwrap_or(0);
        Ok(Some(Block {
            layout: self.layout,
            ticks,
            start: part(0)
                .saturating_mul(1_000_000_000)
                .saturating_add(nanoseconds(part(1), ticks)),
            content,
        }))
    }
}

fn nanoseconds(units: i64, ticks: i64) -> i64 {
    let nanoseconds = i128::from(units) * 1_000_000_000 / i128::from(ticks);
    nanoseconds.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

/// A block as it was read.
pub(crate) struct Block {
    layout: &'static Layout,
    ticks: i64,
    /// Nanoseconds since 1970.
    start: i64,
    content: Value,
}

impl Block {
    /// Takes all pairs of the block, and what it has of malformed messages.
    pub(crate) fn take(&self, pass: &mut Pass<'_>) -> Result<(), SinkError> {
        for item in self.content.get(3).map(Value::list).unwrap_or_default() {
            if self.pair(item, pass)?.is_none() {
                pass.receipt.drop(DropReason::NotAMessage);
            }
        }
        if self.layout.first_index == 0 {
            for item in self.content.get(5).map(Value::list).unwrap_or_default() {
                self.malformed(item, pass)?;
            }
        }
        Ok(())
    }

    /// The entry of a table; `None` where the index is not there or leads nowhere.
    fn entry(&self, table: i64, index: Option<&Value>) -> Option<&Value> {
        let index = index?.number()?.checked_sub(self.layout.first_index)?;
        self.content
            .get(2)?
            .get(table)?
            .list()
            .get(usize::try_from(index).ok()?)
    }

    fn address(&self, index: Option<&Value>) -> IpAddr {
        let octets = self.entry(0, index).and_then(Value::octets).unwrap_or_default();
        // shortened addresses of anonymised files count as they stand, with zeros behind
        let mut address = [0; 16];
        match octets.len() {
            0 => Ipv4Addr::UNSPECIFIED.into(),
            1..=4 => {
                address[..octets.len()].copy_from_slice(octets);
                Ipv4Addr::new(address[0], address[1], address[2], address[3]).into()
            }
            length => {
                let length = length.min(16);
                address[..length].copy_from_slice(&octets[..length]);
                address.into()
            }
        }
    }

    fn class_type(&self, index: Option<&Value>) -> Option<(u16, u16)> {
        let entry = self.entry(1, index)?;
        let part = |key| u16::try_from(entry.get(key)?.number()?).ok();
        Some((part(1)?, part(0)?))
    }

    /// Hands the query and the response of an item over; `None` where the item lacks what a message needs.
    fn pair(&self, item: &Value, pass: &mut Pass<'_>) -> Result<Option<()>, SinkError> {
        let (fields, in_signature) = (&self.layout.item, &self.layout.signature);
        let Some(signature) = self.entry(3, item.get(fields.signature)) else {
            return Ok(None);
        };
        let number = |key| signature.get(key).and_then(Value::number).unwrap_or(0);
        let of_item = |key| item.get(key).and_then(Value::number);
        let flags = number(in_signature.flags);
        let client = (
            self.address(item.get(fields.client_address)),
            of_item(fields.client_port).unwrap_or(0) as u16,
        );
        let server = (self.address(signature.get(0)), number(1) as u16);
        let route = |source, destination, size: Option<i64>| Route {
            source,
            destination,
            transport: (self.layout.transport)(number(2)),
            asked: None,
            size: size.and_then(|size| u32::try_from(size).ok()),
        };
        let asked = self
            .start
            .saturating_add(nanoseconds(of_item(fields.time).unwrap_or(0), self.ticks));
        let mut written = Some(());
        if flags & 1 != 0 {
            pass.receipt.packets += 1;
            pass.saw(asked);
            match self.query(item, signature) {
                Some(octets) => {
                    pass.message(route(client, server, of_item(fields.query_size)), &octets, false, asked)?
                }
                None => written = None,
            }
        }
        if flags & 2 != 0 {
            let delay = nanoseconds(of_item(fields.delay).unwrap_or(0), self.ticks);
            let answered = if flags & 1 != 0 {
                asked.saturating_add(delay)
            } else {
                asked
            };
            pass.receipt.packets += 1;
            pass.saw(answered);
            match self.response(item, signature) {
                Some(octets) => {
                    let route = route(server, client, of_item(fields.response_size));
                    pass.message(route, &octets, false, answered)?;
                }
                None => written = None,
            }
        }
        Ok(written)
    }

    /// Header and question. `shift` is where the flags of this message begin in the DNS flags (RFC 8618 §7.3.2.3.2).
    fn begin(&self, item: &Value, signature: &Value, shift: u32, rcode: i64, has_question: bool) -> Option<Vec<u8>> {
        let (fields, in_signature) = (&self.layout.item, &self.layout.signature);
        let number = |key| signature.get(key).and_then(Value::number).unwrap_or(0);
        let is_response = shift > 0;
        let flags = number(in_signature.dns_flags) >> shift;
        let bit = |from: u32, to: u32| (((flags >> from) & 1) as u16) << to;
        let word = u16::from(is_response) << 15
            | ((number(in_signature.opcode) & 0x0f) as u16) << 11
            | bit(6, 10)
            | bit(5, 9)
            | bit(4, 8)
            | bit(3, 7)
            | bit(2, 6)
            | bit(1, 5)
            | bit(0, 4)
            | (rcode & 0x0f) as u16;
        let id = item.get(fields.id).and_then(Value::number).unwrap_or(0) as u16;
        let mut octets = id.to_be_bytes().to_vec();
        octets.extend(word.to_be_bytes());
        octets.extend([0; 8]);
        let name = self.entry(2, item.get(fields.name)).and_then(Value::octets);
        let asked = self.class_type(signature.get(in_signature.classtype));
        if let (Some(name), Some((class, qtype)), true) = (name, asked, has_question) {
            octets[5] = 1;
            octets.extend_from_slice(name);
            octets.extend(qtype.to_be_bytes());
            octets.extend(class.to_be_bytes());
        }
        (octets.len() <= LONGEST_MESSAGE).then_some(octets)
    }

    fn query(&self, item: &Value, signature: &Value) -> Option<Vec<u8>> {
        let in_signature = &self.layout.signature;
        let number = |key| signature.get(key).and_then(Value::number).unwrap_or(0);
        let rcode = number(in_signature.query_rcode);
        let mut octets = self.begin(item, signature, 0, rcode, true)?;
        if number(in_signature.flags) >> self.layout.query_has_opt & 1 == 1 {
            let data = self.entry(2, signature.get(in_signature.opt_rdata));
            let data = data.and_then(Value::octets).unwrap_or_default();
            // the DO bit is flag 7; the version is not looked at
            let dnssec_ok = (number(in_signature.dns_flags) >> 7 & 1) as u32;
            let ttl = (rcode >> 4 & 0xff) as u32 * 0x0100_0000 + dnssec_ok * 0x8000;
            push_record(&mut octets, &[0], 41, number(in_signature.udp_size) as u16, ttl, data)?;
            octets[11] = 1;
        }
        Some(octets)
    }

    fn response(&self, item: &Value, signature: &Value) -> Option<Vec<u8>> {
        let in_signature = &self.layout.signature;
        let number = |key| signature.get(key).and_then(Value::number).unwrap_or(0);
        let has_question = number(in_signature.flags) >> self.layout.response_has_no_question & 1 == 0;
        let mut octets = self.begin(item, signature, 8, number(in_signature.response_rcode), has_question)?;
        let extended = item.get(self.layout.item.response_extended);
        // answer, authority, additional: keys 1 to 3, counts at 6, 8, 10
        for (key, place) in [(1, 6), (2, 8), (3, 10)] {
            let records = self
                .entry(6, extended.and_then(|extended| extended.get(key)))
                .map(Value::list)
                .unwrap_or_default();
            for index in records {
                let record = self.entry(7, Some(index))?;
                let name = self.entry(2, record.get(0))?.octets()?;
                let (class, rtype) = self.class_type(record.get(1))?;
                let ttl = record.get(2).and_then(Value::number).unwrap_or(0) as u32;
                let data = self.entry(2, record.get(3)).and_then(Value::octets).unwrap_or_default();
                push_record(&mut octets, name, rtype, class, ttl, data)?;
            }
            let count = u16::try_from(records.len()).ok()?;
            octets[place..place + 2].copy_from_slice(&count.to_be_bytes());
        }
        Some(octets)
    }

    /// Hands a malformed message over, where its octets were kept.
    fn malformed(&self, item: &Value, pass: &mut Pass<'_>) -> Result<(), SinkError> {
        let Some(data) = self.entry(8, item.get(3)) else {
            return Ok(());
        };
        let number = |value: Option<&Value>| value.and_then(Value::number).unwrap_or(0);
        let time = self.start.saturating_add(nanoseconds(number(item.get(0)), self.ticks));
        let route = Route {
            source: (self.address(item.get(1)), number(item.get(2)) as u16),
            destination: (self.address(data.get(0)), number(data.get(1)) as u16),
            transport: (self.layout.transport)(number(data.get(2))),
            asked: None,
            size: None,
        };
        pass.receipt.packets += 1;
        pass.saw(time);
        match data.get(3).and_then(Value::octets) {
            Some(payload) => pass.message(route, payload, false, time),
            None => {
                pass.receipt.drop(DropReason::NotAMessage);
                Ok(())
            }
        }
    }
}

fn push_record(octets: &mut Vec<u8>, name: &[u8], rtype: u16, class: u16, ttl: u32, data: &[u8]) -> Option<()> {
    octets.extend_from_slice(name);
    octets.extend(rtype.to_be_bytes());
    octets.extend(class.to_be_bytes());
    octets.extend(ttl.to_be_bytes());
    octets.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
    octets.extend_from_slice(data);
    (octets.len() <= LONGEST_MESSAGE).then_some(())
}
