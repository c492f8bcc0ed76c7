//! Redelegation: what the parent says of a zone changed, and nobody had announced it.
//!
//! `diff` compares two delegations as sets (names in lower case, order and TTL do not count). `assess` judges the
//! changes of a window of time. Severities follow how rare each event is among 2,575 versions of the root zone from
//! November 2023 to August 2026 (1,022 days, 1,438 TLDs): part of the NS set changed 522 times (log), all of it 70
//! (review), DS keys overlapping 880 and mixed 123 (log), DS replaced 123 (review), all DS removed 5 (page), NS and DS
//! replaced together 5 (page), glue 110 (review), first DS 25 (log).
//!
//! Campaign: zones of several registries that move to the same new servers within a day are one matter, whoever the
//! zones belong to; that is how the 2009 and 2017-2019 registry compromises looked. Moves to servers that served
//! watched zones before are left out: an operator taking over zones of several registries is ordinary business.
//! It does not know who owns an address or when a server's own domain was registered.

mod campaign;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use model::{ChangedPart, Delegation, Detector, Name, Severity, Signal, ZoneChange};

/// Thresholds of the detector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Changes of one zone within this time are judged together, and moves of several zones within it are one
    /// campaign. Default 24 hours: the hijacks on record were over within a day.
    pub window: SignedDuration,
    /// A change taken back within this time was transient. Default 72 hours (Akiwate et al., IMC 2022, look at days).
    pub transient_window: SignedDuration,
    /// Registries from which a common move is a campaign. Default 2; with 1 each customer's own move would be one.
    pub campaign_registries: usize,
    /// Zones from which it is one. Default 2.
    pub campaign_zones: usize,
    /// Changes that the signal of a campaign carries at most, the newest. Default 100: what a person can read. Its zones are
    /// always all there; with all their changes a campaign of tens of thousands of names would be megabytes at each turn.
    pub campaign_changes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            window: SignedDuration::from_hours(24),
            transient_window: SignedDuration::from_hours(72),
            campaign_registries: 2,
            campaign_zones: 2,
            campaign_changes: 100,
        }
    }
}

/// A change that somebody responsible told the centre of beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// First moment at which the change may be seen.
    pub from: Timestamp,
    /// First moment at which it may no longer be seen.
    pub until: Timestamp,
    /// The parts that may change; empty for all.
    pub parts: BTreeSet<ChangedPart>,
    /// What the delegation will be, where told: then only values of it may come in.
    pub expected: Option<Delegation>,
}

/// A change with what is known around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The change.
    pub change: ZoneChange,
    /// The organisation that answers for the zone, where known. It tells the registries of top-level domains apart.
    pub organisation: Option<String>,
    /// Addresses of the new servers, where they were looked up; glue counts anyway.
    pub addresses: BTreeSet<IpAddr>,
}

/// What differs between two delegations of a zone: at most one change of the NS names, one of the DS set, and one of
/// the addresses of each NS name; sorted, and empty when they are the same.
///
/// `time` is when the second was seen. Addresses of a name that stays are compared only where both sides list some
/// (parents leave sibling glue out as they like, RFC 9471 §3). The changes of `diff(b, a)` are those of `diff(a, b)`
/// with before and after swapped.
pub fn diff(
    zone: &Name,
    before: &Delegation,
    after: &Delegation,
    time: Timestamp,
    announcements: &[Announcement],
) -> Vec<ZoneChange> {
    let mut changes = Vec::new();
    let mut add = |part, before: Vec<String>, after: Vec<String>| {
        if before != after {
            let change = ZoneChange {
                time,
                zone: zone.clone(),
                part,
                before,
                after,
                announced: false,
            };
            let announced = announcements.iter().any(|announcement| announcement.covers(&change));
            changes.push(ZoneChange { announced, ..change });
        }
    };
    add(ChangedPart::Ns, ns_values(before), ns_values(after));
    add(ChangedPart::Ds, ds_values(before), ds_values(after));
    let names: BTreeSet<&Name> = before.ns.keys().chain(after.ns.keys()).collect();
    for name in names {
        let stays = before.ns.contains_key(name) && after.ns.contains_key(name);
        let (old, new) = (glue_values(before, name), glue_values(after, name));
        if !(stays && (old.is_empty() || new.is_empty())) {
            add(ChangedPart::Glue, old, new);
        }
    }
    changes
}

fn ns_values(delegation: &Delegation) -> Vec<String> {
    sorted(delegation.ns.keys().map(Name::to_string))
}

fn ds_values(delegation: &Delegation) -> Vec<String> {
    sorted(delegation.ds.iter().map(ToString::to_string))
}

fn glue_values(delegation: &Delegation, name: &Name) -> Vec<String> {
    sorted(
        delegation
            .ns
            .get(name)
            .into_iter()
            .flatten()
            .map(|address| format!("{name}/{address}")),
    )
}

fn sorted(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut values: Vec<String> = values.collect();
    values.sort();
    values
}

impl Announcement {
    fn covers(&self, change: &ZoneChange) -> bool {
        let in_time = self.from <= change.time && change.time < self.until;
        let of_part = self.parts.is_empty() || self.parts.contains(&change.part);
        in_time && of_part && self.expected.as_ref().is_none_or(|expected| leads_to(change, expected))
    }
}

/// Whether all values that came in are expected ones. Addresses count only for NS names that have some there.
fn leads_to(change: &ZoneChange, expected: &Delegation) -> bool {
    let expected_values: BTreeSet<String> = match change.part {
        ChangedPart::Ns => ns_values(expected).into_iter().collect(),
        ChangedPart::Ds => ds_values(expected).into_iter().collect(),
        ChangedPart::Glue => expected
            .ns
            .keys()
            .flat_map(|name| glue_values(expected, name))
            .collect(),
    };
    let lists_no_address = |value: &str| {
        let name = value.split('/').next().unwrap_or_default();
        expected
            .ns
            .iter()
            .any(|(expected, addresses)| addresses.is_empty() && expected.to_string() == name)
    };
    let is_expected = |value: &String| {
        expected_values.contains(value) || (change.part == ChangedPart::Glue && lists_no_address(value))
    };
    let emptied = change.after.is_empty() && !expected_values.is_empty() && change.part != ChangedPart::Glue;
    !emptied && values_added(change).all(is_expected)
}

fn values_added(change: &ZoneChange) -> impl Iterator<Item = &String> {
    change.after.iter().filter(|value| !change.before.contains(value))
}

/// Judges the changes seen up to `now`; the order in which they are given does not matter.
///
/// `observed` should reach back as far as `config.transient_window`; what is older than that before `now` is left out,
/// as is what was announced. `known_servers` are NS names, or domains above them, that served watched zones before
/// the window. Keys stay the same as a matter grows, so assess again after each change and raise all: repeats fold.
/// `time` of a signal is that of the newest change it rests on.
///
/// Arguments of the signals: `zone`, `parts` (`ns, ds`), `ns_before`, `ns_after`, `ds_before`, `ds_after`,
/// `glue_before`, `glue_after` (the parts that changed), `transient` (`yes` when taken back). Of `mass-redelegated`:
/// `target`, `zone_count`, `registry_count`; its zones are those that are away now, or all where all are back; zones that are
/// back still count for it being a campaign. It takes in the single alerts of its zones, see [`superseded`].
pub fn assess(config: &Config, observed: &[Observed], known_servers: &BTreeSet<Name>, now: Timestamp) -> Vec<Signal> {
    let mut window: Vec<&Observed> = observed
        .iter()
        .filter(|observed| !observed.change.announced && observed.change.time <= now)
        .filter(|observed| now.duration_since(observed.change.time) <= config.transient_window)
        .collect();
    window.sort_by(|a, b| order(&a.change).cmp(&order(&b.change)));
    window.dedup_by(|a, b| a.change == b.change);

    let mut zones: BTreeMap<&Name, Vec<&Observed>> = BTreeMap::new();
    for observed in window {
        zones.entry(&observed.change.zone).or_default().push(observed);
    }
    let campaigns = campaign::find(config, &zones, known_servers);
    let in_campaign: BTreeSet<&Name> = campaigns.iter().flat_map(|campaign| campaign.zones.clone()).collect();
    let singles = zones
        .iter()
        .filter(|(zone, _)| !in_campaign.contains(*zone))
        .filter_map(|(zone, changes)| single(config, zone, changes, known_servers));
    let singles: Vec<Signal> = singles.collect();
    campaigns
        .into_iter()
        .map(|campaign| campaign.signal)
        .chain(singles)
        .collect()
}

fn order(change: &ZoneChange) -> (Timestamp, &Name, ChangedPart, &[String], &[String]) {
    (change.time, &change.zone, change.part, &change.before, &change.after)
}

/// The key of the single alert of this kind about this zone.
fn single_key(zone: &Name, kind: &str) -> String {
    format!("redelegation:{zone}:{kind}")
}

/// Keys of all single alerts that this detector may have raised about the zone: they may end when its delegation is
/// again as expected.
pub fn keys(zone: &Name) -> [String; 2] {
    [single_key(zone, "ds-removed"), single_key(zone, "redelegated")]
}

/// The kind of a campaign's signal.
const KIND_OF_CAMPAIGN: &str = "mass-redelegated";

/// Keys of the single alerts that a signal takes in: those of its zones where it is a campaign, else none.
pub fn superseded(signal: &Signal) -> Vec<String> {
    match signal.kind == KIND_OF_CAMPAIGN {
        true => signal.zones.iter().flat_map(keys).collect(),
        false => Vec::new(),
    }
}

fn single(config: &Config, zone: &Name, changes: &[&Observed], known: &BTreeSet<Name>) -> Option<Signal> {
    // what belongs together: the newest changes with all that came less than a window before the next
    let start = (1..changes.len())
        .rev()
        .find(|&at| changes[at].change.time.duration_since(changes[at - 1].change.time) > config.window)
        .unwrap_or(0);
    let transient = is_taken_back(&changes.iter().map(|observed| &observed.change).collect::<Vec<_>>());
    let changes: Vec<&ZoneChange> = changes[if transient { 0 } else { start }..]
        .iter()
        .map(|o| &o.change)
        .collect();
    let forward: Vec<&ZoneChange> = changes
        .iter()
        .copied()
        .filter(|change| !takes_back(change, &changes))
        .collect();

    let worst = |part| {
        forward
            .iter()
            .filter(|change| change.part == part)
            .map(|change| weigh(change, known))
            .max()
    };
    let ns = worst(ChangedPart::Ns);
    let ds = worst(ChangedPart::Ds);
    // addresses that come and go with their NS name are no news of their own
    let glue = forward
        .iter()
        .filter(|change| change.part == ChangedPart::Glue && !change.before.is_empty() && !change.after.is_empty())
        .map(|change| weigh(change, known))
        .max();
    let removed = |change: &&ZoneChange| change.part == ChangedPart::Ds && change.after.is_empty();
    let all_ds_removed = forward.iter().any(removed);
    let ds_moves_away = forward
        .iter()
        .any(|change| change.part == ChangedPart::Ds && !is_key_roll(change));

    let together = (ns.is_some() && ds_moves_away).then_some(Severity::Page);
    let severity = [ns, ds, glue, together].into_iter().flatten().max()?;
    let kind = if all_ds_removed && ns.is_none() {
        "ds-removed"
    } else {
        "redelegated"
    };
    let mut args = BTreeMap::from([("zone".to_owned(), zone.to_string())]);
    args.insert("transient".to_owned(), if transient { "yes" } else { "no" }.to_owned());
    let parts: BTreeSet<ChangedPart> = forward.iter().map(|change| change.part).collect();
    args.insert(
        "parts".to_owned(),
        parts.iter().map(|part| part.as_str()).collect::<Vec<_>>().join(", "),
    );
    for part in parts {
        let of_part = || forward.iter().filter(|change| change.part == part);
        let joined = |values: BTreeSet<&String>| values.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        // addresses are one change per NS name; NS and DS show where they started and where they went
        let (before, after) = if part == ChangedPart::Glue {
            (
                of_part().flat_map(|c| &c.before).collect(),
                of_part().flat_map(|c| &c.after).collect(),
            )
        } else {
            (
                of_part().next()?.before.iter().collect(),
                of_part().next_back()?.after.iter().collect(),
            )
        };
        args.insert(format!("{}_before", part.as_str()), joined(before));
        args.insert(format!("{}_after", part.as_str()), joined(after));
    }
    Some(Signal {
        detector: Detector::Redelegation,
        key: single_key(zone, kind),
        severity,
        time: changes.last()?.time,
        zones: vec![zone.clone()],
        kind: kind.to_owned(),
        args,
        findings: Vec::new(),
        changes: changes.into_iter().cloned().collect(),
    })
}

/// How much one change asks of people, by how rare it is (see the module's head).
fn weigh(change: &ZoneChange, known: &BTreeSet<Name>) -> Severity {
    let overlaps = change.before.iter().any(|value| change.after.contains(value));
    match change.part {
        // the zone is new to its parent, or signed for the first time
        _ if change.before.is_empty() => Severity::Log,
        ChangedPart::Ns if !overlaps => Severity::Review,
        ChangedPart::Ns if !known.is_empty() && values_added(change).any(|name| !is_known(name, known)) => {
            Severity::Review
        }
        ChangedPart::Ns => Severity::Log,
        ChangedPart::Ds if change.after.is_empty() => Severity::Page,
        ChangedPart::Ds if !overlaps => Severity::Review,
        ChangedPart::Ds => Severity::Log,
        ChangedPart::Glue => Severity::Review,
    }
}

fn is_known(name: &str, known: &BTreeSet<Name>) -> bool {
    let mut next = name.parse::<Name>().ok();
    while let Some(name) = next {
        if known.contains(&name) {
            return true;
        }
        next = name.parent();
    }
    false
}

/// Whether the DS set only grew or only shrank without becoming empty, as in an ordinary key roll, or came for the
/// first time.
fn is_key_roll(change: &ZoneChange) -> bool {
    let added = values_added(change).count();
    let removed = change
        .before
        .iter()
        .filter(|value| !change.after.contains(value))
        .count();
    !change.after.is_empty() && (added == 0 || removed == 0)
}

/// Whether the change only brings back what an earlier one took away.
fn takes_back(change: &ZoneChange, changes: &[&ZoneChange]) -> bool {
    let same_subject = |other: &ZoneChange| match change.part {
        ChangedPart::Glue => glue_name(change) == glue_name(other),
        ChangedPart::Ns | ChangedPart::Ds => true,
    };
    changes.iter().any(|earlier| {
        earlier.part == change.part
            && earlier.time < change.time
            && earlier.before == change.after
            && same_subject(earlier)
    })
}

fn glue_name(change: &ZoneChange) -> Option<&str> {
    change.before.iter().chain(&change.after).next()?.split('/').next()
}

/// Whether each part is again as it was before the first of the changes (given in order of time).
fn is_taken_back(changes: &[&ZoneChange]) -> bool {
    let mut ends: BTreeMap<_, (&ZoneChange, &ZoneChange)> = BTreeMap::new();
    for change in changes {
        let subject = if change.part == ChangedPart::Glue {
            glue_name(change)
        } else {
            None
        };
        ends.entry((change.part, subject)).or_insert((change, change)).1 = change;
    }
    !ends.is_empty() && ends.values().all(|(first, last)| first.before == last.after)
}
