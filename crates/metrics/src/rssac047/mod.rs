//! RSSAC047v2, "RSSAC Advisory on Metrics for the DNS Root Servers and the Root Server System": availability, response
//! latency, correctness and publication latency, of each root server identifier (RSI) and of the root server system (RSS).
//!
//! Vantage points ask SOA of the root once in each five-minute interval, over each transport and family, without retries
//! (§4.2, §5.1). The same samples give all four figures (§4.7). With another zone and another `needed` the same figures
//! hold for any zone that is served by several name servers: an RSI is then a name server's name.
//!
//! Correctness (§5.3) is two things: the answer's RRsets are those of a root zone of the last 48 hours, and their
//! signatures validate. A sample carries the second only (`validated`), so that is what is counted here: data that was
//! signed, but is older than 48 hours, passes. It asks for no ICMP and no traceroute (§4.8 `[vno]`).

mod publication;
mod report;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use model::{Family, Name, Outcome, Sample, Transport};
use serde::Serialize;

use crate::Share;
use crate::percentile;

pub use report::{Judged, Report, Rsi, Rss};

/// Type number of SOA (IANA RR types).
const SOA: u16 = 6;

/// The document's numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The zone whose service is measured. Default the root.
    pub zone: Name,
    /// `k`: servers that must answer for the service to work reliably. Default 8 of 13 (§4.9). Too low, and the service
    /// looks whole while most of it is gone; too high, and one server's maintenance is a fault of the whole.
    pub needed: usize,
    /// Length of a measurement interval. Default 5 min (§4.2 `[wyn]`).
    pub interval: SignedDuration,
    /// After so long a question counts as not answered, in microseconds. Default 4 s (§5.1 `[ywz]`).
    pub timeout_us: u64,
    /// Availability that each RSI must reach, in millionths. Default 96 % (§5.1 `[ydw]`), from which 99.999 % of the whole follow.
    pub rsi_availability: u32,
    /// Availability that the RSS must reach, in millionths. Default 99.999 % (§6.1 `[wzz]`).
    pub rss_availability: u32,
    /// Largest median latency of an RSI over UDP and over TCP, in microseconds. Default 250 and 500 ms (§5.2 `[zuc]`, `[bpl]`).
    pub rsi_latency_us: (u64, u64),
    /// The same of the RSS. Default 150 and 300 ms (§6.2 `[uwf]`, `[lmx]`).
    pub rss_latency_us: (u64, u64),
    /// Correct answers that RSI and RSS must reach, in millionths. Default all (§5.3 `[ahw]`, §6.3 `[gfh]`).
    pub correctness: u32,
    /// Largest median publication latency of an RSI, in minutes. Default 65: twice SOA refresh and one interval (§5.4 `[fwa]`).
    pub rsi_publication_minutes: u64,
    /// The same of the RSS. Default 35: SOA retry and one interval (§6.4 `[zkl]`).
    pub rss_publication_minutes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            zone: Name::root(),
            needed: 8,
            interval: SignedDuration::from_mins(5),
            timeout_us: 4_000_000,
            rsi_availability: 960_000,
            rss_availability: 999_990,
            rsi_latency_us: (250_000, 500_000),
            rss_latency_us: (150_000, 300_000),
            correctness: 1_000_000,
            rsi_publication_minutes: 65,
            rss_publication_minutes: 35,
        }
    }
}

/// One of the four ways to reach a server, each with figures of its own (§5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Service {
    /// Family of the address.
    pub family: Family,
    /// How the question travelled.
    pub transport: Transport,
}

impl Service {
    /// The four, in the document's order.
    pub const ALL: [Service; 4] = [
        Service::new(Family::Ipv4, Transport::Udp),
        Service::new(Family::Ipv4, Transport::Tcp),
        Service::new(Family::Ipv6, Transport::Udp),
        Service::new(Family::Ipv6, Transport::Tcp),
    ];

    const fn new(family: Family, transport: Transport) -> Self {
        Self { family, transport }
    }

    fn place(self) -> usize {
        usize::from(self.family == Family::Ipv6) * 2 + usize::from(self.transport == Transport::Tcp)
    }

    /// The one of two thresholds that is its transport's: UDP, then TCP.
    fn threshold(self, (udp, tcp): (u64, u64)) -> u64 {
        match self.transport {
            Transport::Udp => udp,
            Transport::Tcp => tcp,
        }
    }
}

/// Availability of the whole (§6.1 `[cvf]`): sum of min(k, r) over sum of k, where `responding` gives r, the number of
/// servers that answered, for each interval and vantage point.
pub fn rss_availability(needed: usize, responding: impl IntoIterator<Item = usize>) -> Share {
    let of_interval = |r: usize| Share::of(r.min(needed) as u64, needed as u64);
    responding.into_iter().map(of_interval).sum()
}

/// Servers and vantage points by the numbers that stand for them in a tally.
type Number = u16;

/// What one vantage point saw in one interval.
#[derive(Debug, Clone, Default)]
struct Seen {
    /// For each service: each question's server and the time to its answer in microseconds, if it was answered well.
    answers: [Vec<(Number, Option<u32>)>; 4],
    /// The serials that came, by server.
    serials: Vec<(Number, u32)>,
}

/// Gathers samples, in any order, and makes the report of them. A month of the root from 20 vantage points takes some
/// 100 MB, a day 4 MB.
#[derive(Debug, Clone)]
pub struct Tally {
    config: Config,
    names: Vec<Name>,
    by_name: BTreeMap<Name, Number>,
    vantage_points: BTreeMap<String, Number>,
    seen: BTreeMap<(i64, Number), Seen>,
    correct: BTreeMap<Number, Share>,
}

impl Tally {
    /// An empty one.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            names: Vec::new(),
            by_name: BTreeMap::new(),
            vantage_points: BTreeMap::new(),
            seen: BTreeMap::new(),
            correct: BTreeMap::new(),
        }
    }

    /// Takes in a sample. One of another zone, of a server without a name, or of a question that was retried counts for
    /// nothing; one of another question than SOA counts for correctness alone.
    pub fn add(&mut self, sample: &Sample) {
        let was_retried = sample.attempts.is_some_and(|attempts| attempts > 1);
        if sample.zone != self.config.zone || was_retried {
            return;
        }
        let Some(rsi) = sample.server.as_ref().map(|name| self.number_of(name)) else {
            return;
        };
        if let (Outcome::Answer, Some(validated)) = (sample.outcome, sample.validated) {
            self.correct.entry(rsi).or_default().count(validated);
        }
        if sample.qtype != SOA || sample.qname != self.config.zone {
            return;
        }
        let next = Number::try_from(self.vantage_points.len()).unwrap_or(Number::MAX);
        let vantage_point = match self.vantage_points.get(&sample.probe) {
            Some(known) => *known,
            None => *self.vantage_points.entry(sample.probe.clone()).or_insert(next),
        };
        let interval = interval_of(sample.time, self.config.interval);
        let rtt_us = self.answered_well(sample);
        let seen = self.seen.entry((interval, vantage_point)).or_default();
        let service = Service::new(sample.family(), sample.transport);
        seen.answers[service.place()].push((rsi, rtt_us));
        if let (Some(_), Some(serial)) = (rtt_us, sample.serial) {
            seen.serials.push((rsi, serial));
        }
    }

    fn number_of(&mut self, name: &Name) -> Number {
        if let Some(known) = self.by_name.get(name) {
            return *known;
        }
        let number = Number::try_from(self.names.len()).unwrap_or(Number::MAX);
        self.names.push(name.clone());
        self.by_name.insert(name.clone(), number);
        number
    }

    /// The time to an answer with RCODE 0 within the timeout; whatever else came is as good as nothing (§5.1 `[ppo]`, §4.4 `[dfl]`).
    fn answered_well(&self, sample: &Sample) -> Option<u32> {
        let rtt_us = sample.rtt_us.filter(|rtt_us| *rtt_us <= self.config.timeout_us)?;
        let is_well = sample.outcome == Outcome::Answer && sample.rcode == Some(0);
        is_well.then(|| u32::try_from(rtt_us).unwrap_or(u32::MAX))
    }

    /// The figures of all that was taken in.
    pub fn report(&self) -> Report {
        report::of(self)
    }

    fn answers(&self, service: Service) -> impl Iterator<Item = &Vec<(Number, Option<u32>)>> {
        self.seen.values().map(move |seen| &seen.answers[service.place()])
    }

    /// Questions of one server by one way: how many were answered, of how many.
    fn availability(&self, rsi: Number, service: Service) -> Share {
        let of_rsi = self.answers(service).flatten().filter(|(of, _)| *of == rsi);
        let mut share = Share::default();
        of_rsi.for_each(|(_, rtt_us)| share.count(rtt_us.is_some()));
        share
    }

    /// Times to the answers of one server by one way.
    fn latencies(&self, rsi: Number, service: Service) -> Vec<u64> {
        let of_rsi = self.answers(service).flatten().filter(|(of, _)| *of == rsi);
        of_rsi.filter_map(|(_, rtt_us)| rtt_us.map(u64::from)).collect()
    }

    /// How many servers answered, for each interval and vantage point that asked at all.
    fn responding(&self, service: Service) -> Vec<usize> {
        let asked = self.answers(service).filter(|answers| !answers.is_empty());
        asked.map(|answers| best_of_each(answers).len()).collect()
    }

    /// The `needed` lowest latencies of each interval and vantage point (§6.2 `[bom]`).
    fn lowest_latencies(&self, service: Service) -> Vec<u64> {
        let of_interval = |answers: &Vec<(Number, Option<u32>)>| {
            let mut best: Vec<u64> = best_of_each(answers).into_values().map(u64::from).collect();
            best.sort_unstable();
            best.truncate(self.config.needed);
            best
        };
        self.answers(service).flat_map(of_interval).collect()
    }
}

/// The quickest answer of each server that answered.
fn best_of_each(answers: &[(Number, Option<u32>)]) -> BTreeMap<Number, u32> {
    let mut best: BTreeMap<Number, u32> = BTreeMap::new();
    for (rsi, rtt_us) in answers.iter().filter_map(|(rsi, rtt_us)| Some((*rsi, (*rtt_us)?))) {
        best.entry(rsi)
            .and_modify(|known| *known = rtt_us.min(*known))
            .or_insert(rtt_us);
    }
    best
}

/// Number of the interval in which a moment lies, counted from 1970 in UTC.
fn interval_of(time: Timestamp, interval: SignedDuration) -> i64 {
    time.as_second().div_euclid(interval.as_secs().max(1))
}

/// The median, with how many values it rests on.
fn measured_median(mut values: Vec<u64>) -> (Option<u64>, u64) {
    let count = values.len() as u64;
    (percentile::median(&mut values), count)
}
