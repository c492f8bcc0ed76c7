//! The views of RIPE DNSMON: which share of questions went unanswered and how long answers took, by server, by vantage
//! point, by time, and by any two of them.
//!
//! DNSMON asks each server over UDP and TCP every five minutes, without retries, with five seconds to answer
//! (atlas.ripe.net/dnsmon/doc/technical). An answer is one whatever its RCODE: this tells of reach, not of content.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use model::{Name, Outcome, Sample};
use serde::Serialize;

use crate::Share;
use crate::percentile::nearest_rank;

/// One field of a view.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Questions that went unanswered, of those asked.
    pub unanswered: Share,
    /// 5th percentile of the time to an answer (nearest rank), in microseconds; `None` without answers.
    pub p5_us: Option<u64>,
    /// The median.
    pub p50_us: Option<u64>,
    /// 95th percentile.
    pub p95_us: Option<u64>,
}

/// A server as a row of a view: name where known, and address.
pub type Server = (Option<Name>, IpAddr);

/// The server of a sample.
pub fn server(sample: &Sample) -> Server {
    (sample.server.clone(), sample.address)
}

/// Number of the step of time in which a sample lies, counted from `from`; negative before it.
pub fn step(sample: &Sample, from: Timestamp, step: SignedDuration) -> i64 {
    let past = sample.time.duration_since(from).as_millis();
    i64::try_from(past.div_euclid(step.as_millis().max(1))).unwrap_or(i64::MAX)
}

/// The fields of a view: samples with the same `key` make one. Those without a key, and questions that were retried, are
/// left out. A key of two parts makes a matrix.
pub fn cells<'a, K: Ord>(
    samples: impl IntoIterator<Item = &'a Sample>,
    key: impl Fn(&Sample) -> Option<K>,
) -> BTreeMap<K, Cell> {
    let mut gathered: BTreeMap<K, (Share, Vec<u64>)> = BTreeMap::new();
    for sample in samples {
        let was_retried = sample.attempts.is_some_and(|attempts| attempts > 1);
        let Some(key) = key(sample).filter(|_| !was_retried) else {
            continue;
        };
        let (unanswered, rtts) = gathered.entry(key).or_default();
        unanswered.count(sample.outcome != Outcome::Answer);
        rtts.extend(sample.rtt_us.filter(|_| sample.outcome == Outcome::Answer));
    }
    let cell = |(unanswered, mut rtts): (Share, Vec<u64>)| {
        rtts.sort_unstable();
        Cell {
            unanswered,
            p5_us: nearest_rank(&rtts, 5),
            p50_us: nearest_rank(&rtts, 50),
            p95_us: nearest_rank(&rtts, 95),
        }
    };
    gathered.into_iter().map(|(key, of_key)| (key, cell(of_key))).collect()
}
