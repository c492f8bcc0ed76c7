//! Summaries of samples: a day of a zone, and response times over time.

use std::collections::BTreeMap;
use std::net::IpAddr;

use arrow::array::{Array, RecordBatch};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use model::{Name, Outcome};

use crate::row::{self, Columns, day_of};
use crate::sample::OUTCOMES;

/// One day of one zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// The day, in UTC.
    pub day: Date,
    /// Questions asked.
    pub asked: u64,
    /// Questions answered, whatever the RCODE.
    pub answered: u64,
    /// Answers with an RCODE other than NOERROR and NXDOMAIN.
    pub failed: u64,
    /// Median time to an answer, in microseconds; `None` without answers.
    pub rtt_median_us: Option<u64>,
    /// 95th percentile of the time to an answer (nearest rank), in microseconds; `None` without answers.
    pub rtt_p95_us: Option<u64>,
    /// The worst that came of a question, in the order answer, unreachable, garbage, refused, timeout: what may be our
    /// own line's fault first, what leaves a resolver waiting last.
    pub worst: Outcome,
}

/// Response times of one server in one step of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RttPoint {
    /// Start of the step.
    pub time: Timestamp,
    /// Name of the server where known.
    pub server: Option<Name>,
    /// Its address.
    pub address: IpAddr,
    /// Questions asked.
    pub asked: u64,
    /// Questions answered.
    pub answered: u64,
    /// Median time to an answer, in microseconds; `None` without answers.
    pub rtt_median_us: Option<u64>,
    /// 95th percentile of the time to an answer (nearest rank), in microseconds; `None` without answers.
    pub rtt_p95_us: Option<u64>,
}

/// What one vantage point saw of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenFrom {
    /// Its name in samples.
    pub probe: String,
    /// Questions asked.
    pub asked: u64,
    /// Questions answered with NOERROR or NXDOMAIN.
    pub answered: u64,
    /// Median time to an answer, in microseconds; `None` without answers.
    pub rtt_median_us: Option<u64>,
    /// 95th percentile of the time to an answer (nearest rank), in microseconds; `None` without answers.
    pub rtt_p95_us: Option<u64>,
    /// Times to the answers over UDP in microseconds, sorted: so that medians of several vantage points can be made.
    pub udp_rtts_us: Vec<u64>,
    /// When it asked last.
    pub last: Timestamp,
}

fn badness(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Answer => 0,
        Outcome::Unreachable => 1,
        Outcome::Garbage => 2,
        Outcome::Refused => 3,
        Outcome::Timeout => 4,
    }
}

/// RCODEs that answer the question (RFC 1035 §4.1.1).
const NOERROR: i32 = 0;
const NXDOMAIN: i32 = 3;

/// Columns that days are made of.
pub(crate) const DAY_COLUMNS: &[&str] = &["time", "outcome", "rtt_us", "rcode"];

/// What was gathered of one day.
#[derive(Default)]
pub(crate) struct DayTally {
    asked: u64,
    answered: u64,
    failed: u64,
    rtts: Vec<u64>,
    worst: Option<Outcome>,
}

/// Adds a batch's samples to their days.
pub(crate) fn tally_days(days: &mut BTreeMap<Date, DayTally>, batch: &RecordBatch) -> Result<(), String> {
    let columns = Columns(batch);
    let (times, outcomes) = (columns.times("time")?, columns.texts("outcome")?);
    let (rtts, rcodes) = (columns.longs("rtt_us")?, columns.integers("rcode")?);
    for at in 0..batch.num_rows() {
        let outcome = row::word("outcome", outcomes.value(at), &OUTCOMES)?;
        let day = days.entry(day_of(row::time(times.value(at))?)).or_default();
        day.asked += 1;
        day.answered += u64::from(outcome == Outcome::Answer);
        day.failed += u64::from(rcodes.is_valid(at) && ![NOERROR, NXDOMAIN].contains(&rcodes.value(at)));
        if rtts.is_valid(at) {
            day.rtts.push(row::narrow("rtt_us", rtts.value(at))?);
        }
        day.worst = day
            .worst
            .into_iter()
            .chain([outcome])
            .max_by_key(|outcome| badness(*outcome));
    }
    Ok(())
}

impl DayTally {
    pub fn summary(mut self, day: Date) -> Day {
        self.rtts.sort_unstable();
        Day {
            day,
            asked: self.asked,
            answered: self.answered,
            failed: self.failed,
            rtt_median_us: percentile(&self.rtts, 50),
            rtt_p95_us: percentile(&self.rtts, 95),
            worst: self.worst.unwrap_or(Outcome::Answer),
        }
    }
}

/// The nearest-rank percentile of sorted values.
fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

/// Columns that series of response times are made of.
pub(crate) const RTT_COLUMNS: &[&str] = &["time", "server", "address", "outcome", "rtt_us"];

/// What was gathered of each step and server.
pub(crate) type RttTally = BTreeMap<(i64, Option<String>, String), (u64, u64, Vec<u64>)>;

/// Adds a batch's samples to their steps, which are `step` microseconds long and counted from `from`.
pub(crate) fn tally_rtts(tally: &mut RttTally, from: i64, step: i64, batch: &RecordBatch) -> Result<(), String> {
    let columns = Columns(batch);
    let (times, servers) = (columns.times("time")?, columns.texts("server")?);
    let (addresses, outcomes) = (columns.texts("address")?, columns.texts("outcome")?);
    let rtts = columns.longs("rtt_us")?;
    for at in 0..batch.num_rows() {
        let start = from + times.value(at).saturating_sub(from).div_euclid(step) * step;
        let server = servers.is_valid(at).then(|| servers.value(at).to_owned());
        let (asked, answered, of_step) = tally
            .entry((start, server, addresses.value(at).to_owned()))
            .or_default();
        *asked += 1;
        *answered += u64::from(row::word("outcome", outcomes.value(at), &OUTCOMES)? == Outcome::Answer);
        if rtts.is_valid(at) {
            of_step.push(row::narrow("rtt_us", rtts.value(at))?);
        }
    }
    Ok(())
}

/// The points of a tally, by time, then server. What cannot be read as a name or address is left out: `tally_rtts`
/// takes texts as they are, and the tables hold no other.
pub(crate) fn points(tally: RttTally) -> Vec<RttPoint> {
    let point = |((start, server, address), (asked, answered, mut rtts)): (_, (u64, u64, Vec<u64>))| {
        let server: Option<String> = server;
        let address: String = address;
        rtts.sort_unstable();
        Some(RttPoint {
            time: Timestamp::from_microsecond(start).ok()?,
            server: server.map(|name| name.parse()).transpose().ok()?,
            address: address.parse().ok()?,
            asked,
            answered,
            rtt_median_us: percentile(&rtts, 50),
            rtt_p95_us: percentile(&rtts, 95),
        })
    };
    tally.into_iter().filter_map(point).collect()
}

/// Columns that views of vantage points are made of.
pub(crate) const PROBE_COLUMNS: &[&str] = &["time", "probe", "transport", "outcome", "rtt_us", "rcode"];

/// What was gathered of one vantage point.
#[derive(Default)]
pub(crate) struct ProbeTally {
    asked: u64,
    answered: u64,
    rtts: Vec<u64>,
    udp_rtts: Vec<u64>,
    last_us: i64,
}

/// Adds a batch's samples to their vantage points.
pub(crate) fn tally_probes(probes: &mut BTreeMap<String, ProbeTally>, batch: &RecordBatch) -> Result<(), String> {
    let columns = Columns(batch);
    let (times, names) = (columns.times("time")?, columns.texts("probe")?);
    let (transports, outcomes) = (columns.texts("transport")?, columns.texts("outcome")?);
    let (rtts, rcodes) = (columns.longs("rtt_us")?, columns.integers("rcode")?);
    for at in 0..batch.num_rows() {
        if !probes.contains_key(names.value(at)) {
            probes.insert(names.value(at).to_owned(), ProbeTally::default());
        }
        let Some(probe) = probes.get_mut(names.value(at)) else {
            continue;
        };
        let is_answer = row::word("outcome", outcomes.value(at), &OUTCOMES)? == Outcome::Answer;
        probe.asked += 1;
        probe.answered +=
            u64::from(is_answer && rcodes.is_valid(at) && [NOERROR, NXDOMAIN].contains(&rcodes.value(at)));
        probe.last_us = probe.last_us.max(times.value(at));
        if rtts.is_valid(at) {
            let rtt_us = row::narrow("rtt_us", rtts.value(at))?;
            probe.rtts.push(rtt_us);
            if transports.value(at) == model::Transport::Udp.as_str() {
                probe.udp_rtts.push(rtt_us);
            }
        }
    }
    Ok(())
}

impl ProbeTally {
    pub fn seen(mut self, probe: String) -> SeenFrom {
        self.rtts.sort_unstable();
        self.udp_rtts.sort_unstable();
        SeenFrom {
            probe,
            asked: self.asked,
            answered: self.answered,
            rtt_median_us: percentile(&self.rtts, 50),
            rtt_p95_us: percentile(&self.rtts, 95),
            udp_rtts_us: self.udp_rtts,
            last: Timestamp::from_microsecond(self.last_us).unwrap_or_default(),
        }
    }
}

/// A run of one serial at one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialRun {
    /// Name of the server where known.
    pub server: Option<Name>,
    /// Its address.
    pub address: IpAddr,
    /// The SOA serial that it had.
    pub serial: u32,
    /// First and last sight of it. Between two runs of one server with the same serial nothing else was seen.
    pub seen: (Timestamp, Timestamp),
}

/// Columns that runs of serials are made of.
pub(crate) const SERIAL_COLUMNS: &[&str] = &["time", "server", "address", "qname", "serial"];

/// What was gathered of each server: serials with their first and last microsecond.
pub(crate) type SerialTally = BTreeMap<(Option<String>, String), Vec<(u32, i64, i64)>>;

/// Adds a batch's serials of `zone` itself to their servers. A batch is in order of time as files are, so a run costs one entry for each batch and
/// not one for each sample.
pub(crate) fn tally_serials(tally: &mut SerialTally, zone: &str, batch: &RecordBatch) -> Result<(), String> {
    let columns = Columns(batch);
    let (times, servers) = (columns.times("time")?, columns.texts("server")?);
    let (addresses, serials) = (columns.texts("address")?, columns.longs("serial")?);
    let qnames = columns.texts("qname")?;
    let mut open: BTreeMap<(Option<&str>, &str), (u32, i64, i64)> = BTreeMap::new();
    let mut close = |(server, address): (Option<&str>, &str), run| {
        let key = (server.map(str::to_owned), address.to_owned());
        tally.entry(key).or_default().push(run);
    };
    // a round asks for the serials of the zones above as well
    let is_own = |at: &usize| serials.is_valid(*at) && qnames.value(*at) == zone;
    for at in (0..batch.num_rows()).filter(is_own) {
        let server = (servers.is_valid(at).then(|| servers.value(at)), addresses.value(at));
        let (serial, time) = (row::narrow("serial", serials.value(at))?, times.value(at));
        match open.get_mut(&server) {
            Some((last, from, to)) if *last == serial => (*from, *to) = (time.min(*from), time.max(*to)),
            other => {
                if let Some(run) = other.map(|run| std::mem::replace(run, (serial, time, time))) {
                    close(server, run);
                } else {
                    open.insert(server, (serial, time, time));
                }
            }
        }
    }
    open.into_iter().for_each(|(server, run)| close(server, run));
    Ok(())
}

/// The runs of a tally, by first sight.
pub(crate) fn serial_runs(tally: SerialTally) -> Vec<SerialRun> {
    let mut runs: Vec<SerialRun> = tally
        .into_iter()
        .filter_map(|((server, address), runs)| {
            let server: Option<Name> = server.map(|name| name.parse()).transpose().ok()?;
            let address: IpAddr = address.parse().ok()?;
            Some(runs.into_iter().filter_map(move |(serial, first, last)| {
                Some(SerialRun {
                    server: server.clone(),
                    address,
                    serial,
                    seen: (
                        Timestamp::from_microsecond(first).ok()?,
                        Timestamp::from_microsecond(last).ok()?,
                    ),
                })
            }))
        })
        .flatten()
        .collect();
    runs.sort_by_key(|run| run.seen);
    runs
}

/// Columns that the life left of signatures is made of.
pub(crate) const SIGNATURE_COLUMNS: &[&str] = &["time", "address", "signature_expiration"];

/// Microseconds that were left of the signature that expires first, by step and address.
pub(crate) type SignatureTally = BTreeMap<(i64, String), i64>;

/// Adds a batch's signatures to their steps, which are `step` microseconds long and counted from `from`.
pub(crate) fn tally_signatures(
    tally: &mut SignatureTally,
    from: i64,
    step: i64,
    batch: &RecordBatch,
) -> Result<(), String> {
    let columns = Columns(batch);
    let (times, addresses) = (columns.times("time")?, columns.texts("address")?);
    let expirations = columns.times("signature_expiration")?;
    for at in (0..batch.num_rows()).filter(|at| expirations.is_valid(*at)) {
        let time = times.value(at);
        let start = from + time.saturating_sub(from).div_euclid(step) * step;
        let left = expirations.value(at).saturating_sub(time);
        let least = tally.entry((start, addresses.value(at).to_owned())).or_insert(left);
        *least = left.min(*least);
    }
    Ok(())
}

/// How long signatures of a server still held, in one step of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLife {
    /// Start of the step.
    pub time: Timestamp,
    /// The server's address.
    pub address: IpAddr,
    /// The least that was left of a signature in an answer when it came; negative where one had expired.
    pub left: SignedDuration,
}

/// The steps of a tally, by time, then address.
pub(crate) fn signature_lives(tally: SignatureTally) -> Vec<SignatureLife> {
    let life = |((start, address), left): ((i64, String), i64)| {
        Some(SignatureLife {
            time: Timestamp::from_microsecond(start).ok()?,
            address: address.parse().ok()?,
            left: SignedDuration::from_micros(left),
        })
    };
    tally.into_iter().filter_map(life).collect()
}

/// A step's length in microseconds, at least one.
pub(crate) fn step_us(step: SignedDuration) -> i64 {
    i64::try_from(step.as_micros()).unwrap_or(i64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        assert_eq!(percentile(&[], 50), None);
        assert_eq!(percentile(&[7], 50), Some(7));
        assert_eq!(percentile(&[1, 2, 3, 4], 50), Some(2));
        assert_eq!(percentile(&(1..=100).collect::<Vec<u64>>(), 95), Some(95));
    }
}
