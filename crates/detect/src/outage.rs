//! Outages: zones that stopped answering together, because they have servers in common.
//!
//! A zone is unreachable when none of its servers answers; so where two such zones have a server in common, that server is
//! silent for both, and one operator has to mend it. Without this, the loss of one operator is an alert for each of its zones,
//! and the queue is full when it is needed most.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use model::{Detector, Finding, Name, Severity, Signal};

use crate::health;
use crate::target::{Joined, Target};

/// The kind of an outage's signal.
pub const KIND: &str = "mass-unreachable";

/// How the keys of all outages begin.
const KEYS: &str = "outage:of:";

/// Thresholds of the detector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Zones with a server in common belong together when they fell silent no further apart than this. Default 1 hour (chosen by
    /// us: a zone that is measured each half hour is then seen twice). Shorter, and zones with long intervals make alerts
    /// of their own; longer, and what another cause silenced in the same shift is taken in.
    pub window: SignedDuration,
    /// Zones from which it is an outage of their servers. Default 3 (chosen by us): two alerts are read as fast as one.
    pub zones: usize,
    /// Zones whose findings a signal shows at most, those that fell silent last. Default 100: a signal is read by people and
    /// kept with its alert.
    pub shown: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            window: SignedDuration::from_hours(1),
            zones: 3,
            shown: 100,
        }
    }
}

/// A zone that does not answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Down {
    /// Since when.
    pub since: Timestamp,
    /// What its own signal asked of people.
    pub severity: Severity,
    /// Names of its servers.
    pub servers: BTreeSet<Name>,
    /// Their addresses.
    pub addresses: BTreeSet<IpAddr>,
    /// What was found of it.
    pub findings: Vec<Finding>,
}

impl Down {
    fn targets(&self, zone: &Name) -> BTreeSet<Target> {
        // servers within the zone itself are shared with nobody by name, only by address
        let outside = self.servers.iter().filter(|server| !server.is_at_or_below(zone));
        let names = outside.flat_map(|server| [Target::domain_of(server), Target::Server(server.clone())]);
        names
            .chain(self.addresses.iter().copied().map(Target::Address))
            .collect()
    }
}

/// The outages among the zones that do not answer now. `open` are the keys of those that are known already, the oldest first: what
/// has the server of one of them belongs to it, whenever it fell silent.
///
/// Arguments of the signals: `target` (the domain, server or address in common), `zone_count`. A signal takes in the single alerts of
/// its zones, see [`superseded`].
pub fn assess(config: &Config, down: &BTreeMap<Name, Down>, open: &[String]) -> Vec<Signal> {
    let zones: Vec<(&Name, &Down)> = down.iter().collect();
    let mut visits: BTreeMap<Target, Vec<(Timestamp, usize)>> = BTreeMap::new();
    for (at, (zone, down)) in zones.iter().enumerate() {
        for target in down.targets(zone) {
            visits.entry(target).or_default().push((down.since, at));
        }
    }
    let mut joined = Joined::new(zones.len());
    let mut shared: Vec<(usize, (Timestamp, &Target))> = Vec::new();
    let mut known: Vec<(usize, usize)> = Vec::new();
    for (target, visits) in &mut visits {
        visits.sort_unstable();
        let key = key(target);
        let age = open.iter().position(|open| *open == key);
        known.extend(age.map(|age| (age, visits[0].1)));
        for pair in visits.windows(2) {
            let [(earlier, a), (later, b)] = [pair[0], pair[1]];
            if age.is_some() || later.duration_since(earlier) <= config.window {
                joined.join(a, b);
                shared.push((b, (later, target)));
            }
        }
    }
    let mut groups: BTreeMap<usize, Group<'_>> = BTreeMap::new();
    for (at, zone) in zones.iter().enumerate() {
        groups.entry(joined.group_of(at)).or_default().zones.push(*zone);
    }
    for (at, first) in shared {
        let group = groups.entry(joined.group_of(at)).or_default();
        group.first_shared = Some(group.first_shared.map_or(first, |known| known.min(first)));
    }
    for (age, at) in known {
        let group = groups.entry(joined.group_of(at)).or_default();
        group.known = Some(group.known.map_or(age, |known| known.min(age)));
    }
    let told = groups.into_values().filter_map(|group| group.signal(config, open));
    told.collect()
}

/// Zones that belong together.
#[derive(Default)]
struct Group<'a> {
    zones: Vec<(&'a Name, &'a Down)>,
    /// The target that two of its zones were the first to share.
    first_shared: Option<(Timestamp, &'a Target)>,
    /// The oldest open outage that it belongs to, by its place among these.
    known: Option<usize>,
}

impl Group<'_> {
    fn signal(mut self, config: &Config, open: &[String]) -> Option<Signal> {
        let known = self.known.and_then(|at| open.get(at)).cloned();
        if known.is_none() && self.zones.len() < config.zones {
            return None;
        }
        let key = known.or_else(|| self.first_shared.map(|(_, target)| key(target)))?;
        let names: Vec<Name> = self.zones.iter().map(|(zone, _)| (*zone).clone()).collect();
        let severity = self.zones.iter().map(|(_, down)| down.severity).max()?;
        self.zones.sort_by_key(|(_, down)| down.since);
        let time = self.zones.last()?.1.since;
        let told = self.zones.iter().rev().take(config.shown);
        let findings = told.flat_map(|(zone, down)| down.findings.iter().map(|finding| of_zone(finding, zone)));
        let target = key.strip_prefix(KEYS).unwrap_or(&key).to_owned();
        Some(Signal {
            detector: Detector::Health,
            severity,
            time,
            kind: KIND.to_owned(),
            args: BTreeMap::from([
                ("target".to_owned(), target),
                ("zone_count".to_owned(), names.len().to_string()),
            ]),
            findings: findings.collect(),
            zones: names,
            changes: Vec::new(),
            key,
        })
    }
}

/// The finding with the zone that it is about: among those of many zones it must say so itself.
fn of_zone(finding: &Finding, zone: &Name) -> Finding {
    let mut finding = finding.clone();
    finding
        .args
        .entry("zone".to_owned())
        .or_insert_with(|| zone.to_string());
    finding
}

fn key(target: &Target) -> String {
    format!("{KEYS}{target}")
}

/// Keys of the single alerts that a signal takes in: those of its zones where it is an outage, else none.
pub fn superseded(signal: &Signal) -> Vec<String> {
    match signal.kind == KIND {
        true => signal.zones.iter().map(health::key_of_unreachable).collect(),
        false => Vec::new(),
    }
}
