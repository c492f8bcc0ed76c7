//! A DNS message as it came back, read record by record: what cannot be read is marked, never an error.

use std::collections::BTreeSet;

use domain::base::iana::{Class, Opcode, OptRcode, Rtype};
use domain::base::message::RecordSection;
use domain::base::{Message, ParsedName};
use domain::rdata::Rrsig;
use model::Name;

use crate::record::{Data, Lenient, OwnedName, Record};
use crate::server::NsSet;

/// An answer (RFC 1035 §4), all names in lower case.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// Name of the question section in the letter case of the message, if there is a question.
    pub question: Option<OwnedName>,
    /// RCODE with its EDNS part.
    pub rcode: OptRcode,
    /// AA bit.
    pub authoritative: bool,
    /// TC bit.
    pub truncated: bool,
    /// RD bit.
    pub recursion_desired: bool,
    /// RA bit.
    pub recursion_available: bool,
    /// AD bit.
    pub authentic_data: bool,
    /// CD bit.
    pub checking_disabled: bool,
    /// The bit of the header that is still reserved.
    pub reserved: bool,
    /// The OPT record, if there is one.
    pub edns: Option<ResponseEdns>,
    /// Answer section.
    pub answer: Vec<Record>,
    /// Authority section.
    pub authority: Vec<Record>,
    /// Additional section without OPT.
    pub additional: Vec<Record>,
    /// Whether some of the message could not be read; what follows that place is missing.
    pub malformed: bool,
    /// Type that was asked for, from the question put to the server.
    asked: Rtype,
}

/// The OPT record of an answer (RFC 6891).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseEdns {
    /// EDNS version.
    pub version: u8,
    /// Size of UDP messages that the server takes, in octets.
    pub payload: u16,
    /// DO bit.
    pub dnssec_ok: bool,
    /// The 15 flag bits after DO.
    pub z: u16,
    /// Options: code and data.
    pub options: Vec<(u16, Vec<u8>)>,
}

impl ResponseEdns {
    /// Data of the first option with this code.
    pub fn option(&self, code: u16) -> Option<&[u8]> {
        let found = self.options.iter().find(|(own, _)| *own == code);
        found.map(|(_, data)| data.as_slice())
    }
}

impl Response {
    /// Reads a message that came back on a question for `asked`. `None` when it is no response at all: shorter than a
    /// header, QR unset, or not of opcode QUERY.
    pub fn read(wire: &[u8], asked: Rtype) -> Option<Self> {
        Self::read_of_opcode(wire, asked, Opcode::QUERY)
    }

    /// As [`Response::read`], for a question of another opcode.
    pub(crate) fn read_of_opcode(wire: &[u8], asked: Rtype, opcode: Opcode) -> Option<Self> {
        let message = Message::from_octets(wire).ok()?;
        let header = message.header();
        if !header.qr() || header.opcode() != opcode {
            return None;
        }
        let mut response = Self {
            question: question_of(wire).map(|(name, _, _)| name),
            rcode: OptRcode::from_rcode(header.rcode()),
            authoritative: header.aa(),
            truncated: header.tc(),
            recursion_desired: header.rd(),
            recursion_available: header.ra(),
            authentic_data: header.ad(),
            checking_disabled: header.cd(),
            reserved: header.z(),
            edns: None,
            answer: Vec::new(),
            authority: Vec::new(),
            additional: Vec::new(),
            malformed: false,
            asked,
        };
        response.malformed = response.read_sections(&message).is_none();
        Some(response)
    }

    fn read_sections(&mut self, message: &Message<&[u8]>) -> Option<()> {
        let mut section = message.answer().ok()?;
        self.read_section(&mut section, |response| &mut response.answer)?;
        let mut section = section.next_section().ok()??;
        self.read_section(&mut section, |response| &mut response.authority)?;
        let mut section = section.next_section().ok()??;
        self.read_section(&mut section, |response| &mut response.additional)
    }

    fn read_section(
        &mut self,
        section: &mut RecordSection<'_, &[u8]>,
        records: fn(&mut Self) -> &mut Vec<Record>,
    ) -> Option<()> {
        for parsed in section {
            let parsed = parsed.ok()?;
            if parsed.rtype() == Rtype::OPT {
                self.read_opt(&parsed);
                continue;
            }
            let record = parsed.to_any_record::<Lenient>().ok()?;
            let owner = Name::from_wire(record.owner());
            let (class, ttl) = (record.class(), record.ttl().as_secs());
            records(self).push(Record {
                owner,
                class,
                ttl,
                data: record.into_data().0,
            });
        }
        Some(())
    }

    fn read_opt(&mut self, parsed: &domain::base::record::ParsedRecord<'_, &[u8]>) {
        let ttl = parsed.ttl().as_secs();
        let extended = u16::from((ttl >> 24) as u8) << 4;
        self.rcode = OptRcode::masked_from_int(extended | (self.rcode.to_int() & 0x0f));
        let mut edns = ResponseEdns {
            version: (ttl >> 16) as u8,
            payload: parsed.class().to_int(),
            dnssec_ok: ttl & 0x8000 != 0,
            z: ttl as u16 & 0x7fff,
            options: Vec::new(),
        };
        if let Ok(record) = parsed.to_any_record::<Lenient>() {
            match record.data() {
                Lenient(Data::Opt(opt)) => {
                    let options = opt.iter::<domain::base::opt::UnknownOptData<&[u8]>>().flatten();
                    edns.options = options
                        .map(|option| (option.code().to_int(), option.as_slice().to_vec()))
                        .collect();
                }
                Lenient(_) => self.malformed = true,
            }
        }
        self.edns = Some(edns);
    }

    /// RCODE by its IANA name in upper case: `NOERROR`, `SERVFAIL`; `RCODE<number>` where it has none.
    pub fn rcode_name(&self) -> String {
        match self.rcode.to_mnemonic_str() {
            Some(name) => name.to_ascii_uppercase(),
            None => format!("RCODE{}", self.rcode.to_int()),
        }
    }

    /// Whether RCODE is NOERROR.
    pub fn is_noerror(&self) -> bool {
        self.rcode == OptRcode::NOERROR
    }

    /// Whether RCODE is NXDOMAIN.
    pub fn is_nxdomain(&self) -> bool {
        self.rcode == OptRcode::NXDOMAIN
    }

    /// Records of the answer section with this owner and type.
    pub fn answers(&self, owner: &Name, rtype: Rtype) -> impl Iterator<Item = &Record> {
        self.answer
            .iter()
            .filter(move |record| record.rtype() == rtype && record.owner == *owner)
    }

    /// Records of the answer section with this type, whatever their owner.
    pub fn answer_type(&self, rtype: Rtype) -> impl Iterator<Item = &Record> {
        self.answer.iter().filter(move |record| record.rtype() == rtype)
    }

    /// Signatures in the answer section over `owner`'s records of type `covered`.
    pub fn signatures(
        &self,
        owner: &Name,
        covered: Rtype,
    ) -> impl Iterator<Item = (&Record, &Rrsig<Vec<u8>, OwnedName>)> {
        signatures_in(&self.answer, owner, covered)
    }

    /// Signatures in the authority section over `owner`'s records of type `covered`.
    pub fn authority_signatures(
        &self,
        owner: &Name,
        covered: Rtype,
    ) -> impl Iterator<Item = (&Record, &Rrsig<Vec<u8>, OwnedName>)> {
        signatures_in(&self.authority, owner, covered)
    }

    /// Whether this is a referral (MethodsV2, "Terminology"): NOERROR, AA unset, NS in the authority section, and
    /// nothing but CNAME records in the answer section (nothing at all where CNAME was asked for).
    pub fn is_referral(&self) -> bool {
        let answer_allows = self.answer.is_empty()
            || (self.asked != Rtype::CNAME
                && self
                    .answer
                    .iter()
                    .all(|record| matches!(record.rtype(), Rtype::CNAME | Rtype::RRSIG)));
        self.is_noerror()
            && !self.authoritative
            && answer_allows
            && self.authority.iter().any(|record| record.rtype() == Rtype::NS)
    }

    /// The zone a referral leads to and its name servers, with the addresses that the additional section has for them.
    pub fn referral(&self) -> Option<(Name, NsSet)> {
        if !self.is_referral() {
            return None;
        }
        let zone = self
            .authority
            .iter()
            .find(|record| record.rtype() == Rtype::NS)?
            .owner
            .clone();
        let records = self.authority.iter().filter(|record| record.owner == zone);
        let names: BTreeSet<Name> = records.filter_map(Record::ns).collect();
        Some((zone, self.with_glue(names)))
    }

    /// The names, each with the addresses that the additional section has for it.
    pub fn with_glue(&self, names: impl IntoIterator<Item = Name>) -> NsSet {
        let mut set: NsSet = names.into_iter().map(|name| (name, BTreeSet::new())).collect();
        for record in &self.additional {
            if let Some(address) = record.address()
                && let Some(addresses) = set.get_mut(&record.owner)
            {
                addresses.insert(address);
            }
        }
        set
    }

    /// The name that `name` leads to over the CNAME records of the answer section: itself where it has none. `None` for
    /// a chain that is no valid one: two targets for one name, or a circle.
    pub fn canonical(&self, name: &Name) -> Option<Name> {
        let mut current = name.clone();
        for _ in 0..=self.answer.len() {
            let targets: BTreeSet<Name> = self.answers(&current, Rtype::CNAME).filter_map(Record::cname).collect();
            let mut targets = targets.into_iter();
            match (targets.next(), targets.next()) {
                (None, _) => return Some(current),
                (Some(target), None) => current = target,
                (Some(_), Some(_)) => return None,
            }
        }
        None
    }

    /// Text of the NSID option: as text where printable, else hexadecimal.
    pub fn nsid(&self) -> Option<String> {
        let options = &self.edns.as_ref()?.options;
        let (_, data) = options
            .iter()
            .find(|(code, data)| *code == crate::question::NSID && !data.is_empty())?;
        match std::str::from_utf8(data) {
            Ok(text) if text.chars().all(|c| c.is_ascii_graphic() || c == ' ') => Some(text.to_owned()),
            _ => Some(data.iter().map(|octet| format!("{octet:02x}")).collect()),
        }
    }
}

fn signatures_in<'a>(
    section: &'a [Record],
    owner: &Name,
    covered: Rtype,
) -> impl Iterator<Item = (&'a Record, &'a Rrsig<Vec<u8>, OwnedName>)> {
    let of_owner = section.iter().filter(move |record| record.owner == *owner);
    of_owner.filter_map(move |record| {
        record
            .rrsig()
            .filter(|rrsig| rrsig.type_covered() == covered)
            .map(|rrsig| (record, rrsig))
    })
}

/// The question section of a message: the name in the letter case of the message, its type and class.
pub(crate) fn question_of(wire: &[u8]) -> Option<(OwnedName, Rtype, Class)> {
    let message = Message::from_octets(wire).ok()?;
    let question = message.question().next()?.ok()?;
    let name: &ParsedName<&[u8]> = question.qname();
    let owned: OwnedName = domain::base::name::FlattenInto::try_flatten_into(*name).ok()?;
    Some((owned, question.qtype(), question.qclass()))
}
