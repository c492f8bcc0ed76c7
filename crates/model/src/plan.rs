//! What a vantage point asks, and when: made by the centre, pulled and carried out by the vantage point.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Ds, Name, Transport};

/// Version of the form of a plan.
pub const PLAN_VERSION: u32 = 1;

/// Questions that one plan may ask in one interval. Chosen by us: at 300 s some 300 a second, which one socket pool and a
/// slow line carry; a centre that was broken into cannot make its vantage points a flood.
pub const MOST_QUESTIONS: usize = 100_000;

/// Shortest interval in seconds. Chosen by us: shorter burdens the servers of others more than it tells.
pub const SHORTEST_INTERVAL_SECS: u32 = 10;

/// The plan of one vantage point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of this form: [`PLAN_VERSION`].
    pub version: u32,
    /// Name of the vantage point: its samples bear it.
    pub vantage_point: String,
    /// Seconds from one interval's beginning to the next; intervals are counted from 1970 in UTC, so that all vantage points
    /// have the same. RSSAC047v2 §4.2: 300.
    pub interval_secs: u32,
    /// Seconds within which the start of each interval's questions is chosen by chance. RSSAC047v2 §4.2: 60.
    pub jitter_secs: u32,
    /// From what the chance is drawn; each vantage point has its own, so that they do not ask in step.
    pub seed: u64,
    /// How long a question waits for its answer, in milliseconds; it is not asked again. RSSAC047v2 §5.1: 4000.
    pub timeout_ms: u32,
    /// Port of all servers; other than 53 only in a lab.
    pub port: u16,
    /// The zones in the order of names.
    pub zones: Vec<PlannedZone>,
    /// Zones that are beyond what one vantage point may ask, and left to others.
    #[serde(default)]
    pub left_out: usize,
}

/// One zone of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedZone {
    /// The zone.
    pub zone: Name,
    /// Its name servers with the addresses that are asked.
    pub servers: BTreeMap<Name, BTreeSet<IpAddr>>,
    /// The DS records at the parent: signatures of answers are checked from here on. Empty: they are not looked at.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ds: BTreeSet<Ds>,
    /// What each address is asked.
    pub questions: Vec<PlannedQuestion>,
}

/// One question of a plan. It carries NSID (RFC 5001), and DO where the zone has DS records; RD is not set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlannedQuestion {
    /// QNAME.
    pub qname: Name,
    /// QTYPE as its number (IANA RR types).
    pub qtype: u16,
    /// How it travels.
    pub transport: Transport,
}

impl PlannedZone {
    fn question_count(&self) -> usize {
        let addresses: usize = self.servers.values().map(BTreeSet::len).sum();
        addresses.saturating_mul(self.questions.len())
    }
}

/// Why a plan is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the plan's `{field}` is {value}: {reason}")]
pub struct PlanError {
    field: &'static str,
    value: String,
    reason: &'static str,
}

impl Plan {
    /// Questions of one interval.
    pub fn question_count(&self) -> usize {
        let counts = self.zones.iter().map(PlannedZone::question_count);
        counts.fold(0, usize::saturating_add)
    }

    /// Leaves zones out until no more than `most` questions are asked. Those nearest to the root stay, for all below depend on them;
    /// of the others each vantage point keeps those that its seed draws, so that together they see more than one alone.
    pub fn fit(&mut self, most: usize) {
        if self.question_count() <= most {
            return;
        }
        let seed = self.seed;
        self.zones
            .sort_by_cached_key(|zone| (zone.zone.label_count(), draw(seed, &zone.zone)));
        let mut asked = 0_usize;
        let before = self.zones.len();
        self.zones.retain(|zone| {
            let with = asked.saturating_add(zone.question_count());
            let fits = with <= most;
            asked = if fits { with } else { asked };
            fits
        });
        self.left_out += before - self.zones.len();
        self.zones.sort_by(|a, b| a.zone.cmp(&b.zone));
    }

    /// Whether a vantage point may carry it out.
    pub fn check(&self) -> Result<(), PlanError> {
        let wrong = |field, value: u64, reason| {
            Err(PlanError {
                field,
                value: value.to_string(),
                reason,
            })
        };
        if self.version != PLAN_VERSION {
            return wrong(
                "version",
                self.version.into(),
                "this version of the software knows 1 alone",
            );
        }
        if self.interval_secs < SHORTEST_INTERVAL_SECS || self.interval_secs > 86_400 {
            return wrong("interval_secs", self.interval_secs.into(), "it must be 10 to 86400");
        }
        if self.timeout_ms < 100 || self.timeout_ms > 10_000 {
            return wrong("timeout_ms", self.timeout_ms.into(), "it must be 100 to 10000");
        }
        let latest_ms = u64::from(self.jitter_secs) * 1000 + u64::from(self.timeout_ms);
        if latest_ms > u64::from(self.interval_secs) * 1000 {
            let reason = "with the timeout it is longer than the interval";
            return wrong("jitter_secs", self.jitter_secs.into(), reason);
        }
        let questions = self.question_count();
        if questions > MOST_QUESTIONS {
            return wrong("zones", questions as u64, "these are more questions than 100000");
        }
        Ok(())
    }

    /// Number of the interval in which a moment lies.
    pub fn interval_of(&self, time: Timestamp) -> i64 {
        time.as_second().div_euclid(i64::from(self.interval_secs.max(1)))
    }

    /// When the questions of an interval begin: its beginning, and a chance that is the same each time one asks.
    pub fn start_of(&self, interval: i64) -> Timestamp {
        let jitter_ms = i64::from(self.jitter_secs) * 1000;
        let chance = mixed(self.seed ^ mixed(interval as u64)) % (jitter_ms.unsigned_abs() + 1);
        let begin = interval.saturating_mul(i64::from(self.interval_secs));
        let begin = Timestamp::from_second(begin).unwrap_or(Timestamp::MAX);
        let after = SignedDuration::from_millis(i64::try_from(chance).unwrap_or(0));
        begin.checked_add(after).unwrap_or(Timestamp::MAX)
    }

    /// The first start after a moment.
    pub fn next_start(&self, after: Timestamp) -> Timestamp {
        let interval = self.interval_of(after);
        let starts = [interval, interval.saturating_add(1)].map(|interval| self.start_of(interval));
        if starts[0] > after { starts[0] } else { starts[1] }
    }
}

/// A number for a name, by chance and the same each time.
fn draw(seed: u64, name: &Name) -> u64 {
    let octets = name.to_string().into_bytes();
    octets.iter().fold(seed, |sum, octet| mixed(sum ^ u64::from(*octet)))
}

/// SplitMix64 (Steele, Lea, Flood 2014): spreads a number over all 64 bits.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plan() -> Plan {
        let questions = [Transport::Udp, Transport::Tcp].map(|transport| PlannedQuestion {
            qname: "example".parse().unwrap(),
            qtype: 6,
            transport,
        });
        let addresses = ["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        Plan {
            version: PLAN_VERSION,
            vantage_point: "fra1".to_owned(),
            interval_secs: 300,
            jitter_secs: 60,
            seed: 7,
            timeout_ms: 4000,
            port: 53,
            zones: vec![PlannedZone {
                zone: "example".parse().unwrap(),
                servers: [("ns1.nic.example".parse().unwrap(), addresses.into())].into(),
                ds: BTreeSet::new(),
                questions: questions.to_vec(),
            }],
            left_out: 0,
        }
    }

    #[test]
    fn a_plan_that_is_too_long_keeps_what_is_near_the_root_and_differs_between_vantage_points() {
        let of = |seed| {
            let one = plan().zones.remove(0);
            let names = (0..500).map(|n| format!("z{n}.example")).chain(["example".to_owned()]);
            let mut plan = Plan {
                seed,
                zones: names
                    .map(|name| PlannedZone {
                        zone: name.parse().unwrap(),
                        ..one.clone()
                    })
                    .collect(),
                ..plan()
            };
            plan.fit(405);
            plan
        };
        let (one, other) = (of(1), of(2));
        assert_eq!((one.zones.len(), one.question_count(), one.left_out), (101, 404, 400));
        assert!(one.zones.is_sorted_by(|a, b| a.zone <= b.zone));
        let names = |plan: &Plan| -> BTreeSet<Name> { plan.zones.iter().map(|zone| zone.zone.clone()).collect() };
        let both = names(&one).intersection(&names(&other)).count();
        assert!(names(&one).contains(&"example".parse().unwrap()));
        assert!((5..50).contains(&both), "{both} of 101 zones are the same");
        assert_eq!(of(1), one);
        let mut whole = one.clone();
        whole.fit(404);
        assert_eq!(whole, one);
    }

    #[test]
    fn a_plan_reads_and_prints_the_same() {
        let plan = plan();
        let json = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
        assert_eq!((plan.question_count(), plan.check()), (4, Ok(())));
    }

    #[test]
    fn a_plan_that_would_harm_is_not_carried_out() {
        type Change = fn(&mut Plan);
        let changes: [(&str, Change); 6] = [
            ("version", |plan| plan.version = 2),
            ("interval_secs", |plan| plan.interval_secs = 9),
            ("interval_secs", |plan| plan.interval_secs = 86_401),
            ("timeout_ms", |plan| plan.timeout_ms = 99),
            ("jitter_secs", |plan| plan.jitter_secs = 297),
            ("zones", |plan| {
                let question = plan.zones[0].questions[0].clone();
                plan.zones[0].questions = vec![question; MOST_QUESTIONS / 2 + 1];
            }),
        ];
        for (field, change) in changes {
            let mut plan = plan();
            change(&mut plan);
            let told = plan.check().unwrap_err().to_string();
            assert!(told.contains(&format!("`{field}`")), "{told}");
        }
    }

    proptest! {
        #[test]
        fn each_interval_has_one_start_within_its_jitter(seconds in 0_i64..4_000_000_000, seed: u64) {
            let plan = Plan { seed, ..plan() };
            let time = Timestamp::from_second(seconds).unwrap();
            let interval = plan.interval_of(time);
            let begin = Timestamp::from_second(interval * 300).unwrap();
            let after = plan.start_of(interval).duration_since(begin);
            prop_assert!(!after.is_negative() && after <= SignedDuration::from_secs(60));
            prop_assert_eq!(plan.start_of(interval), plan.start_of(interval));
            let next = plan.next_start(time);
            prop_assert!(next > time && next.duration_since(time) <= SignedDuration::from_secs(360));
            // stepping from start to start misses no interval
            prop_assert_eq!(plan.interval_of(plan.next_start(next)), plan.interval_of(next) + 1);
        }
    }

    #[test]
    fn starts_spread_evenly_over_the_jitter_and_differ_between_vantage_points() {
        let plan = plan();
        let mut minutes = [0_u32; 6];
        for interval in 0..6000 {
            let begin = Timestamp::from_second(interval * 300).unwrap();
            let after = plan.start_of(interval).duration_since(begin).as_secs();
            minutes[usize::try_from(after / 10).unwrap().min(5)] += 1;
        }
        assert!(minutes.iter().all(|count| (900..1100).contains(count)), "{minutes:?}");
        let other = Plan {
            seed: 8,
            ..plan.clone()
        };
        let same = (0..100)
            .filter(|interval| plan.start_of(*interval) == other.start_of(*interval))
            .count();
        assert!(same < 3, "{same}");
    }
}
