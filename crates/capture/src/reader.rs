//! The whole way of an input: from its octets to what the sink takes, and the receipt.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use jiff::Timestamp;
use model::Transport;

use crate::bailiwick::Servers;
use crate::fragments::{Fragments, Reassembly};
use crate::input::{Input, Octets};
use crate::layers::{Carried, Ends, IpPacket, carried, ip_packet};
use crate::message::{self, Parsed, RecordAt};
use crate::pairing::{Met, Pairing, Parties, Query, ResponseClass};
use crate::pcap::PacketFile;
use crate::receipt::{DropReason, Form, Receipt};
use crate::reduce::Reducer;
use crate::settings::Settings;
use crate::sink::{Malformed, Sink, SinkError, TrafficCounts, TrafficKey};
use crate::streams::{Direction, Streams};
use crate::traffic::Traffic;

/// Responses held because their query may still come, within the skew. More than a few at once are a flood, and none of its
/// messages has a query.
const MOST_HELD: usize = 256;

/// Packets between two calls of [`Sink::progress`].
const PROGRESS: u64 = 16_384;

/// Why an input could not be taken at all. An input that breaks off is no error: its receipt says where.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// It cannot be opened or read.
    #[error("cannot read `{input}`")]
    Unreadable {
        /// Name of the input.
        input: String,
        /// What the system says.
        source: io::Error,
    },
    /// It is neither form of capture.
    #[error("`{input}` is no capture: it begins neither like pcap nor like pcapng")]
    NotACapture {
        /// Name of the input.
        input: String,
    },
    /// The sink refused something.
    #[error("what `{input}` holds cannot be passed on")]
    Sink {
        /// Name of the input.
        input: String,
        /// What the sink says.
        source: SinkError,
    },
}

/// Reads inputs, one after another.
pub struct Reader {
    settings: Settings,
    servers: Servers,
}

impl Reader {
    /// A reader with these settings.
    pub fn new(settings: Settings) -> Self {
        let servers = Servers::new(&settings.served);
        Self { settings, servers }
    }

    /// Reads a file to its end.
    pub fn read_path(&mut self, path: &Path, sink: &mut dyn Sink) -> Result<Receipt, CaptureError> {
        let input = Input::open(path).map_err(|source| CaptureError::Unreadable {
            input: path.display().to_string(),
            source,
        })?;
        self.read(input, sink)
    }

    /// Reads an input to its end. Queries that it leaves without an answer are not carried over to the next one: each receipt stands
    /// for itself, and files can be read in any order and again. Only which server serves which zone is remembered.
    pub fn read(&mut self, input: Input, sink: &mut dyn Sink) -> Result<Receipt, CaptureError> {
        let name = input.name().to_owned();
        let unreadable = |source| CaptureError::Unreadable {
            input: name.clone(),
            source,
        };
        let mut octets = Octets::new(input).map_err(unreadable)?;
        let Some(mut file) = PacketFile::recognise(&mut octets).map_err(unreadable)? else {
            return Err(CaptureError::NotACapture { input: name });
        };
        let form = if file.is_pcapng() { Form::Pcapng } else { Form::Pcap };
        let receipt = Receipt::new(name.clone(), form, octets.compression);
        let mut pass = Pass::new(&self.settings, &mut self.servers, receipt, sink);
        let refused = |source| CaptureError::Sink {
            input: name.clone(),
            source,
        };
        loop {
            match file.next(&mut octets) {
                Ok(Some(frame)) => pass.frame(frame.link, frame.time, frame.octets).map_err(refused)?,
                Ok(None) => break,
                Err(fault) => {
                    pass.receipt.fault = Some(fault.to_string());
                    break;
                }
            }
            if pass.receipt.packets.is_multiple_of(PROGRESS) {
                pass.sink.progress(octets.octets_read());
            }
        }
        let mut receipt = pass.finish().map_err(refused)?;
        let total = octets.finish().map_err(unreadable)?;
        sink.progress(total.octets);
        receipt.octets = total.octets;
        receipt.sha256 = total.sha256;
        Ok(receipt)
    }
}

/// A response that met no query yet.
struct Held {
    time: i64,
    parties: Parties,
    octets: Vec<u8>,
    is_snapped: bool,
}

/// How a message came.
#[derive(Clone, Copy)]
struct Route {
    source: (IpAddr, u16),
    destination: (IpAddr, u16),
    transport: Transport,
}

/// The state of one input while it is read.
struct Pass<'a> {
    settings: &'a Settings,
    servers: &'a mut Servers,
    sink: &'a mut dyn Sink,
    receipt: Receipt,
    fragments: Fragments,
    streams: Streams,
    pairing: Pairing,
    held: VecDeque<Held>,
    reducer: Reducer,
    traffic: Traffic,
    /// Memory for the places of records, used for message after message.
    records: Vec<RecordAt>,
    span: Option<(i64, i64)>,
    last_message: i64,
}

impl<'a> Pass<'a> {
    fn new(settings: &'a Settings, servers: &'a mut Servers, receipt: Receipt, sink: &'a mut dyn Sink) -> Self {
        Self {
            settings,
            servers,
            sink,
            receipt,
            fragments: Fragments::default(),
            streams: Streams::default(),
            pairing: Pairing::new(nanoseconds(settings.query_timeout), settings.most_queries),
            held: VecDeque::new(),
            reducer: Reducer::new(settings.most_rrsets),
            traffic: Traffic::new(settings.most_cells),
            records: Vec::new(),
            span: None,
            last_message: i64::MIN,
        }
    }

    fn frame(&mut self, link: u16, time: i64, frame: &[u8]) -> Result<(), SinkError> {
        self.receipt.packets += 1;
        self.span = Some(match self.span {
            None => (time, time),
            Some((first, last)) => (first.min(time), last.max(time)),
        });
        let packet = match ip_packet(link, frame) {
            Ok(packet) => packet,
            Err(ends) => {
                self.ends(ends);
                return Ok(());
            }
        };
        if packet.fragment.is_none() {
            return self.packet(&packet, time);
        }
        self.receipt.fragments += 1;
        match self.fragments.take(&packet, time) {
            Reassembly::Waiting => Ok(()),
            Reassembly::Refused => {
                self.receipt.drop(DropReason::BadFragment);
                Ok(())
            }
            Reassembly::Whole(payload) => {
                let whole = IpPacket {
                    payload: &payload,
                    fragment: None,
                    ..packet
                };
                self.packet(&whole, time)
            }
        }
    }

    fn ends(&mut self, ends: Ends) {
        match ends {
            Ends::NotIp => self.receipt.non_dns += 1,
            Ends::UnknownLink => self.receipt.drop(DropReason::UnknownLink),
            Ends::BadHeader => self.receipt.drop(DropReason::BadHeader),
        }
    }

    fn packet(&mut self, packet: &IpPacket<'_>, time: i64) -> Result<(), SinkError> {
        let is_dns = |source: u16, destination: u16| {
            self.settings.ports.contains(&source) || self.settings.ports.contains(&destination)
        };
        match carried(packet) {
            Ok(Carried::Udp {
                source,
                destination,
                payload,
                is_snapped,
            }) if is_dns(source, destination) => self.message(
                Route {
                    source: (packet.source, source),
                    destination: (packet.destination, destination),
                    transport: Transport::Udp,
                },
                payload,
                is_snapped,
                time,
            ),
            Ok(Carried::Tcp(segment)) if is_dns(segment.source, segment.destination) => {
                self.receipt.tcp_segments += 1;
                let direction = Direction {
                    source: (packet.source, segment.source),
                    destination: (packet.destination, segment.destination),
                };
                self.streams.take(direction, &segment, time);
                self.streamed(time)
            }
            Ok(Carried::Icmp { is_unreachable: true }) => {
                self.receipt.icmp_unreachable += 1;
                Ok(())
            }
            Ok(_) => {
                self.receipt.non_dns += 1;
                Ok(())
            }
            Err(ends) => {
                self.ends(ends);
                Ok(())
            }
        }
    }

    /// Takes the messages that TCP has ready.
    fn streamed(&mut self, time: i64) -> Result<(), SinkError> {
        for message in std::mem::take(&mut self.streams.ready) {
            let path = Route {
                source: message.direction.source,
                destination: message.direction.destination,
                transport: Transport::Tcp,
            };
            self.message(path, &message.octets, false, time)?;
        }
        Ok(())
    }

    fn message(&mut self, path: Route, octets: &[u8], is_snapped: bool, time: i64) -> Result<(), SinkError> {
        let mut records = std::mem::take(&mut self.records);
        let done = match message::read(octets, is_snapped, &mut records) {
            Ok(parsed) => self.parsed(path, &parsed, &records, is_snapped, time),
            Err(reason) => {
                *self.receipt.malformed.entry(reason).or_default() += 1;
                if self.receipt.quarantined < self.settings.most_quarantined {
                    self.receipt.quarantined += 1;
                    self.sink.quarantine(Malformed {
                        input: &self.receipt.input,
                        packet: self.receipt.packets,
                        time: timestamp(time),
                        reason,
                        octets,
                    })
                } else {
                    Ok(())
                }
            }
        };
        self.records = records;
        done
    }

    fn parsed(
        &mut self,
        path: Route,
        message: &Parsed<'_>,
        records: &[RecordAt],
        is_snapped: bool,
        time: i64,
    ) -> Result<(), SinkError> {
        self.receipt.dns_messages += 1;
        self.receipt.cut_messages += u64::from(message.is_cut);
        self.receipt.out_of_order += u64::from(time < self.last_message);
        self.last_message = time;
        // before the queries are given up by which they are judged
        self.release_held(time)?;
        let (receipt, traffic) = (&mut self.receipt, &mut self.traffic);
        self.pairing
            .advance(time, |parties, query| unanswered(receipt, traffic, parties, query));
        self.traffic.pass_on(false, self.sink)?;
        if message.header.qr() {
            self.receipt.responses += 1;
            let (client, client_port) = path.destination;
            let (server, server_port) = path.source;
            let parties = Parties {
                client,
                client_port,
                server,
                server_port,
                transport: path.transport,
            };
            self.response(&parties, message, records, is_snapped, time)
        } else {
            self.receipt.queries += 1;
            let (client, client_port) = path.source;
            let (server, server_port) = path.destination;
            let parties = Parties {
                client,
                client_port,
                server,
                server_port,
                transport: path.transport,
            };
            self.query(parties, message, time)
        }
    }

    fn query(&mut self, parties: Parties, message: &Parsed<'_>, time: i64) -> Result<(), SinkError> {
        let query = Query {
            time,
            octets: message.octets.len() as u32,
            qtype: message.question.map(|question| question.qtype),
            dnssec_ok: message.dnssec_ok,
        };
        let question = message.question.map_or(&[][..], |question| question.octets);
        let id = message.header.id();
        if !self.pairing.query(parties, id, question, query) {
            self.receipt.drop(DropReason::TooManyQueries);
            unanswered(&mut self.receipt, &mut self.traffic, &parties, &query);
            return Ok(());
        }
        for at in 0..self.held.len() {
            let held = &self.held[at];
            let mut records = Vec::new();
            if held.parties == parties
                && let Ok(response) = message::read(&held.octets, held.is_snapped, &mut records)
                && response.header.id() == id
                && let Met::Matched(query) =
                    self.pairing
                        .response(&parties, id, response.question.map(|question| question.octets))
            {
                if let Some(held) = self.held.remove(at)
                    && let Ok(response) = message::read(&held.octets, held.is_snapped, &mut records)
                {
                    self.matched(&parties, &response, &records, &query, held.time)?;
                }
                break;
            }
        }
        Ok(())
    }

    fn response(
        &mut self,
        parties: &Parties,
        message: &Parsed<'_>,
        records: &[RecordAt],
        is_snapped: bool,
        time: i64,
    ) -> Result<(), SinkError> {
        let question = message.question.map(|question| question.octets);
        match self.pairing.response(parties, message.header.id(), question) {
            Met::Matched(query) => self.matched(parties, message, records, &query, time),
            Met::Duplicate => self.stray(parties, message, ResponseClass::Duplicate, time),
            Met::Nothing => {
                if self.held.len() >= MOST_HELD
                    && let Some(held) = self.held.pop_front()
                {
                    self.judge_held(&held)?;
                }
                self.held.push_back(Held {
                    time,
                    parties: *parties,
                    octets: message.octets.to_vec(),
                    is_snapped,
                });
                Ok(())
            }
        }
    }

    /// Judges the held responses whose query can no longer come: the clock is past the skew, or was set back.
    fn release_held(&mut self, now: i64) -> Result<(), SinkError> {
        let skew = nanoseconds(self.settings.skew);
        let timeout = nanoseconds(self.settings.query_timeout);
        while let Some(held) = self.held.front()
            && (now.saturating_sub(held.time) > skew || held.time.saturating_sub(now) > timeout)
            && let Some(held) = self.held.pop_front()
        {
            self.judge_held(&held)?;
        }
        Ok(())
    }

    fn judge_held(&mut self, held: &Held) -> Result<(), SinkError> {
        let mut records = Vec::new();
        let Ok(response) = message::read(&held.octets, held.is_snapped, &mut records) else {
            return Ok(());
        };
        let question = response.question.map(|question| question.octets);
        let class = self.pairing.class_of_stray(&held.parties, question);
        self.stray(&held.parties, &response, class, held.time)
    }

    fn matched(
        &mut self,
        parties: &Parties,
        message: &Parsed<'_>,
        records: &[RecordAt],
        query: &Query,
        time: i64,
    ) -> Result<(), SinkError> {
        self.receipt.pairs += 1;
        let found = self.reducer.take(
            self.servers,
            parties.server,
            message,
            records,
            time.div_euclid(1_000_000_000),
        );
        self.receipt.not_kept += u64::from(!found.is_kept);
        self.receipt.rrsets += found.rrsets;
        self.receipt.out_of_bailiwick += found.out_of_bailiwick;
        self.receipt.unreadable_rrsets += found.unreadable;
        self.reducer.pass_on(false, self.sink)?;

        let octets = message.octets.len() as u32;
        let key = traffic_key(parties, query.qtype, Some(message), query.dnssec_ok);
        let counts = TrafficCounts {
            queries: 1,
            matched: 1,
            query_octets: u64::from(query.octets),
            response_octets: u64::from(octets),
            response_octets_max: octets,
            delay_us: time.saturating_sub(query.time).max(0) as u64 / 1_000,
            ..TrafficCounts::default()
        };
        self.traffic.add(query.time, key, &counts);
        Ok(())
    }

    fn stray(
        &mut self,
        parties: &Parties,
        message: &Parsed<'_>,
        class: ResponseClass,
        time: i64,
    ) -> Result<(), SinkError> {
        self.receipt.unmatched_responses += 1;
        let octets = message.octets.len() as u32;
        let mut counts = TrafficCounts {
            response_octets: u64::from(octets),
            response_octets_max: octets,
            ..TrafficCounts::default()
        };
        let (of_receipt, of_cell) = match class {
            ResponseClass::Duplicate => (&mut self.receipt.duplicates, &mut counts.duplicates),
            ResponseClass::WrongId => (&mut self.receipt.wrong_id, &mut counts.wrong_id),
            ResponseClass::WrongPort => (&mut self.receipt.wrong_port, &mut counts.wrong_port),
            ResponseClass::NoQuery => (&mut self.receipt.no_query, &mut counts.no_query),
        };
        *of_receipt += 1;
        *of_cell += 1;
        let qtype = message.question.map(|question| question.qtype);
        let key = traffic_key(parties, qtype, Some(message), message.dnssec_ok);
        self.traffic.add(time, key, &counts);
        Ok(())
    }

    fn finish(mut self) -> Result<Receipt, SinkError> {
        self.fragments.clear();
        self.streams.clear();
        let end = self.span.map_or(0, |(_, last)| last);
        self.streamed(end)?;
        while let Some(held) = self.held.pop_front() {
            self.judge_held(&held)?;
        }
        let (receipt, traffic) = (&mut self.receipt, &mut self.traffic);
        self.pairing
            .give_up_all(|parties, query| unanswered(receipt, traffic, parties, query));
        self.reducer.pass_on(true, self.sink)?;
        traffic.pass_on(true, self.sink)?;
        if self.fragments.incomplete > 0 {
            receipt
                .dropped
                .insert(DropReason::MissingFragment, self.fragments.incomplete);
        }
        receipt.tcp_holes = self.streams.holes;
        receipt.tcp_lost_octets = self.streams.lost;
        receipt.first = self.span.map(|(first, _)| timestamp(first));
        receipt.last = self.span.map(|(_, last)| timestamp(last));
        Ok(self.receipt)
    }
}

/// Counts a query without a response.
fn unanswered(receipt: &mut Receipt, traffic: &mut Traffic, parties: &Parties, query: &Query) {
    receipt.unmatched_queries += 1;
    let key = traffic_key(parties, query.qtype, None, query.dnssec_ok);
    let counts = TrafficCounts {
        queries: 1,
        query_octets: u64::from(query.octets),
        ..TrafficCounts::default()
    };
    traffic.add(query.time, key, &counts);
}

fn traffic_key(parties: &Parties, qtype: Option<u16>, response: Option<&Parsed<'_>>, dnssec_ok: bool) -> TrafficKey {
    TrafficKey {
        server: parties.server,
        port: parties.server_port,
        transport: parties.transport,
        qtype,
        rcode: response.map(|response| response.rcode),
        truncated: response.is_some_and(|response| response.header.tc()),
        authoritative: response.is_some_and(|response| response.header.aa()),
        dnssec_ok,
    }
}

fn nanoseconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// A time of a packet. Nanoseconds in 64 bits reach from 1677 to 2262, which a timestamp holds.
pub(crate) fn timestamp(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::UNIX_EPOCH)
}
