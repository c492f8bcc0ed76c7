//! Specification 10 of the gTLD Registry Agreement ("Registry Performance Specifications"), the part on the DNS.
//!
//! A DNS test is one question to one address by one probe, UDP or TCP, once a minute. An address is down while 51 % or
//! more of the probes get no answer from it; the service is down while 51 % or more of the probes see fewer than two name
//! servers that answer on each of their addresses. An answer later than five times its service level requirement (SLR)
//! is none, and so is one whose signatures do not validate. What a probe found stands until its next test.
//!
//! Definitions, 432 minutes, 51 %, five times and 1500 ms were read in published texts of the clauses and of a registry's
//! identical appendix (.INFO, 2013). Not read in a text, but known to us only from memory: the UDP requirement of 500 ms
//! with its 95 %, and that fewer than 20 probes make a minute inconclusive. They are settings: compare them with the
//! agreement before anything contractual rests on them. Not here: RDDS and EPP, which are no DNS, and DNS update time, for
//! which one must be the registrar.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use model::{Name, Outcome, Sample, Transport};
use serde::Serialize;

use crate::Share;

/// RCODEs that answer a question (IANA RCODEs): NOERROR and NXDOMAIN.
const ANSWERS: [u16; 2] = [0, 3];

/// The agreement's numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// SLR of an answer over UDP, in microseconds. Default 500 ms (from memory).
    pub udp_us: u64,
    /// SLR of an answer over TCP, in microseconds. Default 1500 ms.
    pub tcp_us: u64,
    /// An answer later than so many times its SLR is none. Default 5.
    pub undefined_after: u64,
    /// Share of answers that must keep their SLR, in millionths. Default 95 % (from memory for UDP).
    pub rtt_share: u32,
    /// Probes in percent from which on a fault counts. Default 51. Lower, and one region's trouble is everybody's fault;
    /// higher, and half the world may be cut off without one.
    pub quorum_percent: usize,
    /// Name servers that must answer on each of their addresses. Default 2.
    pub servers_needed: usize,
    /// Fewer probes than this at a moment make it inconclusive. Default 20 (from memory). A centre with fewer probes sets
    /// what it has: with 1 a single bad line is a downtime.
    pub probes_needed: usize,
    /// Length of one step. Default a minute.
    pub step: SignedDuration,
    /// A result stands for so long where no other follows. Default two minutes: one test may be late. With a longer grid
    /// it must be more than the grid's interval, or every probe is silent in between.
    pub stands_for: SignedDuration,
    /// Downtime of the service that a month may have, in minutes. Default 0.
    pub service_minutes: u64,
    /// Downtime of an address that a month may have, in minutes. Default 432, about 1 %.
    pub address_minutes: u64,
    /// Downtime within `emergency_window` at which ICANN may bring in an emergency operator, in minutes. Default 4 hours.
    pub emergency_minutes: u64,
    /// Default a week.
    pub emergency_window: SignedDuration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            udp_us: 500_000,
            tcp_us: 1_500_000,
            undefined_after: 5,
            rtt_share: 950_000,
            quorum_percent: 51,
            servers_needed: 2,
            probes_needed: 20,
            step: SignedDuration::from_mins(1),
            stands_for: SignedDuration::from_mins(2),
            service_minutes: 0,
            address_minutes: 432,
            emergency_minutes: 240,
            emergency_window: SignedDuration::from_hours(7 * 24),
        }
    }
}

impl Config {
    /// The SLR of an answer over this transport, in microseconds.
    fn slr_us(&self, transport: Transport) -> u64 {
        match transport {
            Transport::Udp => self.udp_us,
            Transport::Tcp => self.tcp_us,
        }
    }

    /// Whether a test succeeded. The question was put once and without recursion; that is the caller's to choose.
    pub fn is_answered(&self, sample: &Sample) -> bool {
        let in_time = sample
            .rtt_us
            .is_some_and(|rtt_us| rtt_us <= self.slr_us(sample.transport).saturating_mul(self.undefined_after));
        let is_answer = sample.rcode.is_some_and(|rcode| ANSWERS.contains(&rcode));
        sample.outcome == Outcome::Answer && is_answer && in_time && sample.validated != Some(false)
    }

    /// Whether so many of `all` probes make a fault. `None` when there are too few to say.
    fn is_fault(&self, failing: usize, all: usize) -> Option<bool> {
        (all >= self.probes_needed.max(1)).then(|| failing * 100 >= all * self.quorum_percent)
    }
}

/// How something stood in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Up.
    Up,
    /// Down.
    Down,
    /// Too few probes to say; no fault is counted.
    Inconclusive,
}

impl Standing {
    fn of(is_fault: Option<bool>) -> Self {
        match is_fault {
            Some(true) => Standing::Down,
            Some(false) => Standing::Up,
            None => Standing::Inconclusive,
        }
    }
}

/// A name server's address.
pub type Address = (Name, IpAddr);

/// How service, addresses and DNSSEC stood, step by step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Timeline {
    /// Beginning of the first step.
    pub from: Timestamp,
    /// The service as a whole.
    pub service: Vec<Standing>,
    /// Whether names of the zone resolve for those who validate; inconclusive where nobody looked at signatures.
    pub dnssec: Vec<Standing>,
    /// Each address.
    pub addresses: BTreeMap<Address, Vec<Standing>>,
    /// Answers within their SLR, of all that were answered: UDP.
    pub udp: Share,
    /// The same: TCP.
    pub tcp: Share,
}

/// One test's result.
#[derive(Debug, Clone, Copy)]
struct Test {
    time: Timestamp,
    is_answered: bool,
    validated: Option<bool>,
}

/// Tests of one zone as steps from `from` up to but not including `to`. Samples may come in any order; those of servers
/// without a name are left out. Samples from before `from` count as what stood at its beginning.
pub fn timeline<'a>(
    config: &Config,
    samples: impl IntoIterator<Item = &'a Sample>,
    from: Timestamp,
    to: Timestamp,
) -> Timeline {
    let mut tests: BTreeMap<&str, BTreeMap<Address, Vec<Test>>> = BTreeMap::new();
    let mut timeline = Timeline {
        from,
        service: Vec::new(),
        dnssec: Vec::new(),
        addresses: BTreeMap::new(),
        udp: Share::default(),
        tcp: Share::default(),
    };
    for sample in samples {
        let Some(server) = sample.server.clone() else { continue };
        let is_answered = config.is_answered(sample);
        if let (true, Some(rtt_us)) = (is_answered && sample.time >= from, sample.rtt_us) {
            let share = match sample.transport {
                Transport::Udp => &mut timeline.udp,
                Transport::Tcp => &mut timeline.tcp,
            };
            share.count(rtt_us <= config.slr_us(sample.transport));
        }
        let address = (server, sample.address);
        timeline.addresses.entry(address.clone()).or_default();
        let of_probe = tests.entry(&sample.probe).or_default();
        of_probe.entry(address).or_default().push(Test {
            time: sample.time,
            is_answered,
            validated: sample.validated,
        });
    }
    for tests in tests.values_mut().flat_map(BTreeMap::values_mut) {
        tests.sort_by_key(|test| test.time);
    }
    let mut at = from;
    while at < to {
        // Tests within the step count for it: a step's end is what is looked at.
        let Ok(end) = at.checked_add(config.step) else { break };
        let views: Vec<View> = tests
            .values()
            .filter_map(|of_probe| view(config, of_probe, end))
            .collect();
        timeline.service.push(service(config, &views));
        timeline.dnssec.push(dnssec(config, &views));
        for (address, standings) in &mut timeline.addresses {
            let looks = views.iter().filter_map(|view| view.results.get(address));
            let (mut failing, mut all) = (0, 0);
            for result in looks {
                all += 1;
                failing += usize::from(!result.is_answered);
            }
            standings.push(Standing::of(config.is_fault(failing, all)));
        }
        at = end;
    }
    timeline
}

/// What one probe knows at one moment.
struct View<'a> {
    results: BTreeMap<&'a Address, Test>,
}

fn view<'a>(config: &Config, of_probe: &'a BTreeMap<Address, Vec<Test>>, end: Timestamp) -> Option<View<'a>> {
    let newest = |tests: &[Test]| {
        let later = tests.partition_point(|test| test.time < end);
        let newest = *tests.get(later.checked_sub(1)?)?;
        (end.duration_since(newest.time) <= config.stands_for).then_some(newest)
    };
    let results: BTreeMap<&Address, Test> = of_probe
        .iter()
        .filter_map(|(address, tests)| Some((address, newest(tests)?)))
        .collect();
    (!results.is_empty()).then_some(View { results })
}

impl View<'_> {
    /// Name servers all of whose addresses pass.
    fn whole_servers(&self, passes: impl Fn(&Test) -> bool) -> usize {
        let names: BTreeSet<&Name> = self.results.keys().map(|(name, _)| name).collect();
        let broken: BTreeSet<&Name> = self
            .results
            .iter()
            .filter(|(_, test)| !passes(test))
            .map(|((name, _), _)| name)
            .collect();
        names.len() - broken.len()
    }
}

fn service(config: &Config, views: &[View]) -> Standing {
    let failing = views
        .iter()
        .filter(|view| view.whole_servers(|test| test.is_answered) < config.servers_needed)
        .count();
    Standing::of(config.is_fault(failing, views.len()))
}

fn dnssec(config: &Config, views: &[View]) -> Standing {
    let looked = |view: &&View| view.results.values().any(|test| test.validated.is_some());
    let views: Vec<&View> = views.iter().filter(looked).collect();
    let failing = views
        .iter()
        .filter(|view| view.whole_servers(|test| test.validated == Some(true)) < config.servers_needed)
        .count();
    Standing::of(config.is_fault(failing, views.len()))
}

/// Downtime beside what is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Downtime {
    /// Minutes down.
    pub minutes: u64,
    /// Minutes of which nothing can be said.
    pub inconclusive_minutes: u64,
    /// Whether it is within what is allowed; `None` where no minute is conclusive.
    pub passes: Option<bool>,
}

fn downtime(config: &Config, standings: &[Standing], allowed_minutes: u64) -> Downtime {
    let minutes = |of: Standing| {
        let steps = standings.iter().filter(|standing| **standing == of).count() as u64;
        steps * config.step.as_secs().unsigned_abs() / 60
    };
    let (down, inconclusive) = (minutes(Standing::Down), minutes(Standing::Inconclusive));
    let is_known = standings.iter().any(|standing| *standing != Standing::Inconclusive);
    Downtime {
        minutes: down,
        inconclusive_minutes: inconclusive,
        passes: is_known.then_some(down <= allowed_minutes),
    }
}

/// A month against the service level requirements.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Month {
    /// The service as a whole.
    pub service: Downtime,
    /// Each address.
    pub addresses: BTreeMap<Address, Downtime>,
    /// Answers within the SLR over UDP, and whether they are enough.
    pub udp: (Share, Option<bool>),
    /// The same over TCP.
    pub tcp: (Share, Option<bool>),
}

/// Sums a timeline of a month up.
pub fn month(config: &Config, timeline: &Timeline) -> Month {
    let addresses = timeline.addresses.iter();
    Month {
        service: downtime(config, &timeline.service, config.service_minutes),
        addresses: addresses
            .map(|(address, standings)| (address.clone(), downtime(config, standings, config.address_minutes)))
            .collect(),
        udp: (timeline.udp, timeline.udp.reaches(config.rtt_share)),
        tcp: (timeline.tcp, timeline.tcp.reaches(config.rtt_share)),
    }
}

/// The emergency threshold over a rolling window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Emergency {
    /// Most minutes down within one window.
    pub most_minutes: u64,
    /// The same in percent of the threshold; at 100 it is reached.
    pub percent: f64,
    /// End of the step in which the threshold was reached first.
    pub reached: Option<Timestamp>,
}

/// Rolls the window over standings whose first step begins at `from`.
pub fn emergency(config: &Config, from: Timestamp, standings: &[Standing]) -> Emergency {
    let step_secs = config.step.as_secs().max(1);
    let window = usize::try_from(config.emergency_window.as_secs() / step_secs).unwrap_or(usize::MAX);
    let (mut within, mut most, mut reached) = (0_u64, 0_u64, None);
    for (at, standing) in standings.iter().enumerate() {
        within += u64::from(*standing == Standing::Down);
        if let Some(gone) = at.checked_sub(window) {
            within -= u64::from(standings[gone] == Standing::Down);
        }
        let minutes = within * step_secs.unsigned_abs() / 60;
        most = most.max(minutes);
        if minutes >= config.emergency_minutes && reached.is_none() {
            let steps = i64::try_from(at + 1).unwrap_or(i64::MAX);
            reached = from
                .checked_add(SignedDuration::from_secs(step_secs.saturating_mul(steps)))
                .ok();
        }
    }
    Emergency {
        most_minutes: most,
        percent: most as f64 * 100.0 / config.emergency_minutes.max(1) as f64,
        reached,
    }
}
