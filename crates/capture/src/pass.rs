//! The state of one input while it is read: what each packet and message becomes.

use std::collections::VecDeque;
use std::net::IpAddr;

use jiff::Timestamp;
use model::Transport;

use crate::bailiwick::Servers;
use crate::clients::Tally;
use crate::distinct::Counting;
use crate::fragments::{Fragments, Reassembly};
use crate::layers::{Carried, Ends, IpPacket, behind_extensions, carried, ip_packet};
use crate::message::{self, Parsed, RecordAt, Unread};
use crate::pairing::{Met, Pairing, Parties, Query, ResponseClass};
use crate::receipt::{DropReason, Receipt};
use crate::reduce::{Asked, Reducer};
use crate::settings::Settings;
use crate::sink::{Malformed, Sink, SinkError, TrafficCounts, TrafficKey};
use crate::streams::{Direction, Streams};
use crate::traffic::Traffic;
use crate::transfers::{Transfers, is_transfer};
use crate::wire::push_name_at;

/// Responses held because their query may still come, within the skew. More than a few at once are a flood, and none of its
/// messages has a query.
const MOST_HELD: usize = 256;

/// Minutes of distinct counts held at once; a clock that jumps about would hold more.
const MOST_MINUTES: usize = 3;

/// Whether a time, in nanoseconds since 1970, is one. DNS is of November 1983 (RFC 882); clocks that were never set, and files without
/// times, count from 1970.
pub(crate) fn is_dated(time: i64) -> bool {
    time >= 436_492_800_000_000_000
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
pub(crate) struct Route {
    pub(crate) source: (IpAddr, u16),
    pub(crate) destination: (IpAddr, u16),
    pub(crate) transport: Transport,
    /// When the query was asked, where the one who recorded a response says so.
    pub(crate) asked: Option<i64>,
    /// Octets of the message on the wire, where it was written out again from something else.
    pub(crate) size: Option<u32>,
}

impl Route {
    fn parties(&self, is_response: bool) -> Parties {
        let ((client, client_port), (server, server_port)) = match is_response {
            true => (self.destination, self.source),
            false => (self.source, self.destination),
        };
        Parties {
            client,
            client_port,
            server,
            server_port,
            transport: self.transport,
        }
    }
}

/// The state of one input while it is read.
pub(crate) struct Pass<'a> {
    settings: &'a Settings,
    servers: &'a mut Servers,
    pub(crate) sink: &'a mut dyn Sink,
    pub(crate) receipt: Receipt,
    fragments: Fragments,
    streams: Streams,
    pairing: Pairing,
    held: VecDeque<Held>,
    transfers: Transfers,
    reducer: Reducer,
    traffic: Traffic,
    distincts: Option<Counting>,
    clients: Option<Tally>,
    /// Whether a query was seen: then one that a response tells of has been counted, or is yet to be.
    has_queries: bool,
    // memory used for message after message
    records: Vec<RecordAt>,
    name: Vec<u8>,
    span: Option<(i64, i64)>,
    last_message: i64,
}

impl<'a> Pass<'a> {
    pub(crate) fn new(
        settings: &'a Settings,
        servers: &'a mut Servers,
        receipt: Receipt,
        sink: &'a mut dyn Sink,
    ) -> Self {
        Self {
            settings,
            servers,
            sink,
            receipt,
            fragments: Fragments::default(),
            streams: Streams::default(),
            pairing: Pairing::new(nanoseconds(settings.query_timeout), settings.most_queries),
            held: VecDeque::new(),
            transfers: Transfers::default(),
            reducer: Reducer::new(settings.most_rrsets),
            traffic: Traffic::new(settings.most_cells),
            distincts: settings.distincts.clone().map(Counting::new),
            clients: settings.clients.clone().map(Tally::new),
            has_queries: false,
            records: Vec::new(),
            name: Vec::new(),
            span: None,
            last_message: i64::MIN,
        }
    }

    pub(crate) fn frame(&mut self, link: u16, time: i64, frame: &[u8]) -> Result<(), SinkError> {
        self.receipt.packets += 1;
        self.saw(time);
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
                match behind_extensions(whole) {
                    Ok(whole) if whole.fragment.is_none() => self.packet(&whole, time),
                    // fragments in fragments
                    Ok(_) => {
                        self.receipt.drop(DropReason::BadFragment);
                        Ok(())
                    }
                    Err(ends) => {
                        self.ends(ends);
                        Ok(())
                    }
                }
            }
        }
    }

    /// Widens the span of time.
    pub(crate) fn saw(&mut self, time: i64) {
        if !is_dated(time) {
            return;
        }
        self.span = Some(match self.span {
            None => (time, time),
            Some((first, last)) => (first.min(time), last.max(time)),
        });
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
                    asked: None,
                    size: None,
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
            let route = Route {
                source: message.direction.source,
                destination: message.direction.destination,
                transport: Transport::Tcp,
                asked: None,
                size: None,
            };
            self.message(route, &message.octets, false, time)?;
        }
        Ok(())
    }

    pub(crate) fn message(
        &mut self,
        route: Route,
        octets: &[u8],
        is_snapped: bool,
        time: i64,
    ) -> Result<(), SinkError> {
        let mut records = std::mem::take(&mut self.records);
        let done = match message::read(octets, is_snapped, &mut records) {
            Ok(mut parsed) => {
                parsed.size = route.size.unwrap_or(parsed.size);
                self.parsed(route, &parsed, &records, is_snapped, time)
            }
            Err(Unread::Snapped) => {
                self.receipt.cut_messages += 1;
                Ok(())
            }
            Err(Unread::Malformed(reason)) => {
                *self.receipt.malformed.entry(reason).or_default() += 1;
                let with_it = self.receipt.quarantined_octets + octets.len() as u64;
                let has_room = self.receipt.quarantined < self.settings.most_quarantined
                    && with_it <= self.settings.most_quarantined_octets;
                if has_room {
                    self.receipt.quarantined += 1;
                    self.receipt.quarantined_octets = with_it;
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
        route: Route,
        message: &Parsed<'_>,
        records: &[RecordAt],
        is_snapped: bool,
        time: i64,
    ) -> Result<(), SinkError> {
        self.receipt.dns_messages += 1;
        self.receipt.cut_messages += u64::from(message.is_cut);
        self.receipt.undated += u64::from(!is_dated(time));
        self.advance(time)?;
        let is_response = message.header.qr();
        let parties = route.parties(is_response);
        if is_response {
            self.receipt.responses += 1;
            self.response(&parties, message, records, is_snapped, route, time)
        } else {
            self.receipt.queries += 1;
            self.query(parties, message, time)
        }
    }

    /// Sets the clock to the time of a message.
    fn advance(&mut self, time: i64) -> Result<(), SinkError> {
        self.receipt.out_of_order += u64::from(time < self.last_message);
        self.last_message = time;
        // before the queries are given up by which they are judged
        self.release_held(time)?;
        let (pairing, mut unanswered) = self.giving_up();
        pairing.advance(time, |parties, query, question| {
            unanswered.count(parties, query, question)
        });
        self.traffic.pass_on(false, self.sink)
    }

    /// Takes a query and a response that were recorded together, each with its time: they are a pair however long the answer took.
    pub(crate) fn exchange(
        &mut self,
        (route, query, asked): (Route, &[u8], i64),
        (back, response, answered): (Route, &[u8], i64),
    ) -> Result<(), SinkError> {
        let mut records = Vec::new();
        let question = message::read(query, false, &mut records);
        let answer = message::read(response, false, &mut records);
        let (Ok(question), Ok(answer)) = (&question, &answer) else {
            return self.apart((route, query, asked), (back, response, answered));
        };
        let asked_for = question.question.map(|question| question.octets);
        let is_pair = !question.header.qr()
            && answer.header.qr()
            && question.header.id() == answer.header.id()
            && answer
                .question
                .is_none_or(|question| Some(question.octets) == asked_for);
        if !is_pair {
            return self.apart((route, query, asked), (back, response, answered));
        }
        self.receipt.dns_messages += 2;
        self.receipt.queries += 1;
        self.receipt.responses += 1;
        self.receipt.cut_messages += u64::from(question.is_cut) + u64::from(answer.is_cut);
        self.receipt.undated += u64::from(!is_dated(asked)) + u64::from(!is_dated(answered));
        self.advance(answered)?;
        self.has_queries = true;
        let parties = route.parties(false);
        self.count(&parties, question, asked)?;
        self.tally(&parties, asked)?;
        self.matched(&parties, answer, &records, &query_of(question, asked), answered)
    }

    fn apart(
        &mut self,
        (route, query, asked): (Route, &[u8], i64),
        (back, response, answered): (Route, &[u8], i64),
    ) -> Result<(), SinkError> {
        self.message(route, query, false, asked)?;
        self.message(back, response, false, answered)
    }

    fn query(&mut self, parties: Parties, message: &Parsed<'_>, time: i64) -> Result<(), SinkError> {
        let query = query_of(message, time);
        self.has_queries = true;
        self.count(&parties, message, time)?;
        self.tally(&parties, time)?;
        let question = message.question.map_or(&[][..], |question| question.octets);
        let id = message.header.id();
        if !self.pairing.query(parties, id, question, query) {
            self.receipt.drop(DropReason::TooManyQueries);
            self.giving_up().1.count(&parties, &query, question);
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
        route: Route,
        time: i64,
    ) -> Result<(), SinkError> {
        let question = message.question.map(|question| question.octets);
        let met = self.pairing.response(parties, message.header.id(), question);
        if !matches!(met, Met::Matched(_)) && self.continued(parties, message, time) {
            return Ok(());
        }
        match met {
            Met::Matched(query) => self.matched(parties, message, records, &query, time),
            Met::Duplicate => self.stray(parties, message, ResponseClass::Duplicate, time),
            Met::Nothing if route.asked.is_some() => {
                let query = Query {
                    time: route.asked.unwrap_or(time),
                    octets: 0,
                    qtype: message.question.map(|question| question.qtype),
                    dnssec_ok: message.dnssec_ok,
                };
                self.receipt.vouched += 1;
                self.count(parties, message, query.time)?;
                if !self.has_queries {
                    self.tally(parties, query.time)?;
                }
                self.keep(parties, message, records, &query, 0, time)
            }
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
        if parties.transport == Transport::Tcp && query.qtype.is_some_and(is_transfer) {
            self.transfers.begin(parties, message, query, time);
        }
        self.keep(parties, message, records, query, 1, time)
    }

    /// Whether a response goes on with a zone transfer; counts it then.
    fn continued(&mut self, parties: &Parties, message: &Parsed<'_>, time: i64) -> bool {
        if parties.transport != Transport::Tcp {
            return false;
        }
        let Some((query, question)) = self.transfers.go_on(parties, message, time) else {
            return false;
        };
        self.receipt.continued += 1;
        let octets = message.size;
        let counts = TrafficCounts {
            response_octets: u64::from(octets),
            response_octets_max: octets,
            ..TrafficCounts::default()
        };
        read_name(Some(question), &mut self.name);
        let zone = self.servers.proven_zone(&self.name, parties.server);
        let key = traffic_key(parties, query.qtype, Some(message), query.dnssec_ok);
        self.traffic.add(time, zone, key, &counts);
        true
    }

    /// Counts client and name of a query, or of a response that stands for it. What is counted twice counts once.
    fn count(&mut self, parties: &Parties, message: &Parsed<'_>, time: i64) -> Result<(), SinkError> {
        if let Some(distincts) = self.distincts.as_mut().filter(|_| is_dated(time)) {
            if distincts.minutes() > MOST_MINUTES {
                distincts.pass_on(self.sink)?;
            }
            distincts.add(time, parties.server, parties.client, message);
        }
        Ok(())
    }

    /// Counts a query for its client: each once.
    fn tally(&mut self, parties: &Parties, time: i64) -> Result<(), SinkError> {
        if let Some(clients) = self.clients.as_mut().filter(|_| is_dated(time)) {
            if clients.minutes() > MOST_MINUTES {
                clients.pass_on(self.sink)?;
            }
            clients.add(time, parties.server, parties.client);
        }
        Ok(())
    }

    /// Reduces a response to a query. `queries`: 0 where the query itself is not in the input.
    fn keep(
        &mut self,
        parties: &Parties,
        message: &Parsed<'_>,
        records: &[RecordAt],
        query: &Query,
        queries: u64,
        time: i64,
    ) -> Result<(), SinkError> {
        if !is_dated(time) {
            self.receipt.not_kept += 1;
            return Ok(());
        }
        read_name(message.question.map(|question| question.octets), &mut self.name);
        let asked = Asked {
            server: parties.server,
            name: &self.name,
            zone: self.servers.proven_zone(&self.name, parties.server),
        };
        let seconds = time.div_euclid(1_000_000_000);
        let found = self.reducer.take(self.servers, &asked, message, records, seconds);
        self.receipt.not_kept += u64::from(!found.is_kept);
        self.receipt.rrsets += found.rrsets;
        self.receipt.out_of_bailiwick += found.out_of_bailiwick;
        self.receipt.unreadable_rrsets += found.unreadable;
        self.reducer.pass_on(false, self.sink)?;

        let octets = message.size;
        let key = traffic_key(parties, query.qtype, Some(message), query.dnssec_ok);
        let counts = TrafficCounts {
            queries,
            matched: 1,
            query_octets: u64::from(query.octets),
            response_octets: u64::from(octets),
            response_octets_max: octets,
            delay_us: time.saturating_sub(query.time).max(0) as u64 / 1_000,
            ..TrafficCounts::default()
        };
        self.traffic.add(query.time, asked.zone, key, &counts);
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
        let octets = message.size;
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
        read_name(message.question.map(|question| question.octets), &mut self.name);
        let zone = self.servers.proven_zone(&self.name, parties.server);
        self.traffic.add(time, zone, key, &counts);
        Ok(())
    }

    /// The queries that wait, and where those are counted that are given up.
    fn giving_up(&mut self) -> (&mut Pairing, Unanswered<'_>) {
        let unanswered = Unanswered {
            receipt: &mut self.receipt,
            traffic: &mut self.traffic,
            servers: self.servers,
            name: &mut self.name,
        };
        (&mut self.pairing, unanswered)
    }

    /// Passes on what came since the last turn, and gives its receipt. What waits goes on waiting, but for queries whose time is over.
    pub(crate) fn turn(&mut self, now: i64) -> Result<Receipt, SinkError> {
        let now = now.max(self.last_message);
        self.release_held(now)?;
        let (pairing, mut unanswered) = self.giving_up();
        pairing.advance(now, |parties, query, question| {
            unanswered.count(parties, query, question)
        });
        self.pass_on()?;
        let Receipt {
            ref input,
            form,
            compression,
            ..
        } = self.receipt;
        let next = Receipt::new(input.clone(), form, compression);
        Ok(std::mem::replace(&mut self.receipt, next))
    }

    /// Passes on everything that was reduced, and closes the receipt's figures.
    fn pass_on(&mut self) -> Result<(), SinkError> {
        self.reducer.pass_on(true, self.sink)?;
        self.traffic.pass_on(true, self.sink)?;
        if let Some(distincts) = &mut self.distincts {
            distincts.pass_on(self.sink)?;
        }
        if let Some(clients) = &mut self.clients {
            clients.pass_on(self.sink)?;
        }
        let incomplete = std::mem::take(&mut self.fragments.incomplete);
        let receipt = &mut self.receipt;
        if incomplete > 0 {
            receipt.dropped.insert(DropReason::MissingFragment, incomplete);
        }
        receipt.tcp_holes = std::mem::take(&mut self.streams.holes);
        receipt.tcp_lost_octets = std::mem::take(&mut self.streams.lost);
        let span = self.span.take();
        receipt.first = span.map(|(first, _)| timestamp(first));
        receipt.last = span.map(|(_, last)| timestamp(last));
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Receipt, SinkError> {
        self.fragments.clear();
        self.streams.clear();
        let end = self.span.map_or(0, |(_, last)| last);
        self.streamed(end)?;
        while let Some(held) = self.held.pop_front() {
            self.judge_held(&held)?;
        }
        let (pairing, mut unanswered) = self.giving_up();
        pairing.give_up_all(|parties, query, question| unanswered.count(parties, query, question));
        self.pass_on()?;
        Ok(self.receipt)
    }
}

/// Where queries without a response are counted.
struct Unanswered<'a> {
    receipt: &'a mut Receipt,
    traffic: &'a mut Traffic,
    servers: &'a mut Servers,
    name: &'a mut Vec<u8>,
}

impl Unanswered<'_> {
    fn count(&mut self, parties: &Parties, query: &Query, question: &[u8]) {
        self.receipt.unmatched_queries += 1;
        let key = traffic_key(parties, query.qtype, None, query.dnssec_ok);
        let counts = TrafficCounts {
            queries: 1,
            query_octets: u64::from(query.octets),
            ..TrafficCounts::default()
        };
        read_name(Some(question), self.name);
        let zone = self.servers.proven_zone(self.name, parties.server);
        self.traffic.add(query.time, zone, key, &counts);
    }
}

fn query_of(message: &Parsed<'_>, time: i64) -> Query {
    Query {
        time,
        octets: message.size,
        qtype: message.question.map(|question| question.qtype),
        dnssec_ok: message.dnssec_ok,
    }
}

/// Reads the name of a question, in wire form and lower case; empty where there is none. Nothing stands before a question but the header,
/// so its name is not compressed.
fn read_name(question: Option<&[u8]>, into: &mut Vec<u8>) {
    into.clear();
    if question.and_then(|question| push_name_at(question, 0, into)).is_none() {
        into.clear();
    }
}

fn traffic_key(parties: &Parties, qtype: Option<u16>, response: Option<&Parsed<'_>>, dnssec_ok: bool) -> TrafficKey {
    TrafficKey {
        server: parties.server,
        port: parties.server_port,
        zone: None,
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
