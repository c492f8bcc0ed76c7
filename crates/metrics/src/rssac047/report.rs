//! The monthly report (§4.1): each RSI passes or fails, the RSS has values as well.

use std::collections::BTreeMap;

use model::Name;
use serde::Serialize;

use super::{Number, Service, Tally, measured_median, publication, rss_availability};
use crate::Share;

/// A figure beside its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Judged<T> {
    /// The figure; `None` where nothing was measured.
    pub value: Option<T>,
    /// How many measurements it rests on, which is its precision.
    pub measurements: u64,
    /// Whether it meets the threshold; `None` where nothing was measured.
    pub passes: Option<bool>,
}

/// One root server identifier. Of these the document publishes `passes` and no value (§4.1 `[cpm]`, recommendation 2d):
/// the metrics compare nobody. The values are for the operator, who may see what made it fail (recommendation 2f).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rsi {
    /// Name of the server.
    pub name: Name,
    /// Answered of sent, by service.
    pub availability: BTreeMap<Service, Judged<Share>>,
    /// Median time to the answer by service, in microseconds.
    pub latency_us: BTreeMap<Service, Judged<u64>>,
    /// Answers whose signatures hold, of those that were looked at.
    pub correctness: Judged<Share>,
    /// Median time from the publication of a serial until it is seen, in minutes.
    pub publication_minutes: Judged<u64>,
    /// Publications that some vantage point had not seen by the end.
    pub publications_pending: u64,
}

/// The root server system as a whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rss {
    /// Sum of min(k, r) over sum of k, by service.
    pub availability: BTreeMap<Service, Judged<Share>>,
    /// Median of the k lowest latencies of each interval, by service, in microseconds.
    pub latency_us: BTreeMap<Service, Judged<u64>>,
    /// Answers whose signatures hold, of those that were looked at.
    pub correctness: Judged<Share>,
    /// Median of the publication latencies of all RSIs, in minutes.
    pub publication_minutes: Judged<u64>,
}

/// The figures of a time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Each server by name.
    pub rsis: Vec<Rsi>,
    /// The whole.
    pub rss: Rss,
}

pub(super) fn of(tally: &Tally) -> Report {
    let config = &tally.config;
    let mut elapsed = publication::elapsed(tally);
    let all_elapsed: Vec<u64> = elapsed.minutes.values().flatten().copied().collect();
    let mut rsis: Vec<Rsi> = tally
        .by_name
        .iter()
        .map(|(name, number)| {
            let minutes = elapsed.minutes.remove(number).unwrap_or_default();
            rsi(tally, name, *number, minutes, elapsed.pending.get(number).copied())
        })
        .collect();
    rsis.sort_by(|a, b| a.name.cmp(&b.name));
    let by_service = |share: fn(&Tally, Service) -> Share, threshold| {
        services(|service| judge_share(share(tally, service), threshold))
    };
    let rss = Rss {
        availability: by_service(
            |tally, service| rss_availability(tally.config.needed, tally.responding(service)),
            config.rss_availability,
        ),
        latency_us: services(|service| {
            judge_median(
                tally.lowest_latencies(service),
                service.threshold(config.rss_latency_us),
            )
        }),
        correctness: judge_share(tally.correct.values().copied().sum(), config.correctness),
        publication_minutes: judge_median(all_elapsed, config.rss_publication_minutes),
    };
    Report { rsis, rss }
}

fn rsi(tally: &Tally, name: &Name, number: Number, minutes: Vec<u64>, pending: Option<u64>) -> Rsi {
    let config = &tally.config;
    let correct = tally.correct.get(&number).copied().unwrap_or_default();
    Rsi {
        name: name.clone(),
        availability: services(|service| judge_share(tally.availability(number, service), config.rsi_availability)),
        latency_us: services(|service| {
            judge_median(
                tally.latencies(number, service),
                service.threshold(config.rsi_latency_us),
            )
        }),
        correctness: judge_share(correct, config.correctness),
        publication_minutes: judge_median(minutes, config.rsi_publication_minutes),
        publications_pending: pending.unwrap_or(0),
    }
}

fn services<T>(figure: impl Fn(Service) -> T) -> BTreeMap<Service, T> {
    Service::ALL.map(|service| (service, figure(service))).into()
}

fn judge_share(share: Share, threshold: u32) -> Judged<Share> {
    Judged {
        value: (share.all > 0).then_some(share),
        measurements: share.all,
        passes: share.reaches(threshold),
    }
}

fn judge_median(values: Vec<u64>, threshold: u64) -> Judged<u64> {
    let (value, measurements) = measured_median(values);
    Judged {
        value,
        measurements,
        passes: value.map(|value| value <= threshold),
    }
}
