//! Campaigns: zones of several registries that move to the same new servers.
//!
//! Each move is reduced to its targets: the new NS names, the domains these lie in, and their addresses. Zones whose
//! moves share a target within the window belong together. The key names the target that was shared first, so that
//! zones which join later fold into the same alert.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::{ChangedPart, Detector, Name, Severity, Signal, ZoneChange};

use super::{Config, KIND_OF_CAMPAIGN, Observed, is_known, takes_back, values_added};
use crate::target::{Joined, Target};

struct Move<'a> {
    zone: &'a Name,
    organisation: Option<&'a str>,
    targets: BTreeMap<Target, Seen<'a>>,
    changes: Vec<&'a ZoneChange>,
}

/// How a zone came to a target.
struct Seen<'a> {
    time: Timestamp,
    /// The name server that stayed and got this address. Zones that come to one address by one name server did not
    /// move: their operator renumbered it.
    renumbered: Option<&'a str>,
}

/// A campaign.
pub(super) struct Campaign<'a> {
    /// What is told of it.
    pub(super) signal: Signal,
    /// All its zones, those that have moved back included.
    pub(super) zones: BTreeSet<&'a Name>,
}

/// All campaigns among the changes, each zone's sorted by time.
pub(super) fn find<'a>(
    config: &Config,
    zones: &BTreeMap<&'a Name, Vec<&'a Observed>>,
    known_servers: &BTreeSet<Name>,
) -> Vec<Campaign<'a>> {
    let moves: Vec<Move<'_>> = zones
        .iter()
        .filter_map(|(zone, observed)| movement(zone, observed, known_servers))
        .collect();
    groups(config, &moves)
        .into_iter()
        .filter_map(|group| {
            Some(Campaign {
                signal: signal(config, &group)?,
                zones: group.moves.iter().map(|moved| moved.zone).collect(),
            })
        })
        .collect()
}

/// Where the zone moved; `None` when it did not, or only back or to servers that are known.
fn movement<'a>(zone: &'a Name, observed: &[&'a Observed], known: &BTreeSet<Name>) -> Option<Move<'a>> {
    let changes: Vec<&ZoneChange> = observed.iter().map(|observed| &observed.change).collect();
    let mut targets = BTreeMap::new();
    for observed in observed {
        let change = &observed.change;
        if change.part == ChangedPart::Ds || takes_back(change, &changes) {
            continue;
        }
        let mut add = |target: Target, renumbered| {
            let seen = Seen {
                time: change.time,
                renumbered,
            };
            targets.entry(target).or_insert(seen);
        };
        let mut is_move = false;
        for value in values_added(change) {
            let (name, address) = value
                .split_once('/')
                .map_or((value.as_str(), None), |(n, a)| (n, Some(a)));
            let stays = change.part == ChangedPart::Glue && !change.before.is_empty();
            // a zone without a past has not moved
            let is_first = change.part == ChangedPart::Ns && change.before.is_empty();
            if is_first || (!stays && is_known(name, known)) {
                continue;
            }
            is_move = true;
            if let Some(address) = address.and_then(|address| address.parse().ok()) {
                add(Target::Address(address), stays.then_some(name));
            } else if let Ok(server) = name.parse::<Name>()
                // servers within the zone itself are shared with nobody by name, only by address
                && !server.is_at_or_below(zone)
            {
                add(Target::domain_of(&server), None);
                add(Target::Server(server), None);
            }
        }
        if is_move {
            observed
                .addresses
                .iter()
                .for_each(|address| add(Target::Address(*address), None));
        }
    }
    let organisation = observed.iter().find_map(|observed| observed.organisation.as_deref());
    (!targets.is_empty()).then_some(Move {
        zone,
        organisation,
        targets,
        changes,
    })
}

struct Group<'m, 'a> {
    moves: Vec<&'m Move<'a>>,
    /// The target that two of its zones were the first to share.
    first_shared: (Timestamp, Target),
}

/// Moves joined by common targets, no more than the window apart.
fn groups<'m, 'a>(config: &Config, moves: &'m [Move<'a>]) -> Vec<Group<'m, 'a>> {
    let mut visits: BTreeMap<&Target, Vec<(Timestamp, usize)>> = BTreeMap::new();
    for (at, moved) in moves.iter().enumerate() {
        for (target, seen) in &moved.targets {
            visits.entry(target).or_default().push((seen.time, at));
        }
    }
    let mut joined = Joined::new(moves.len());
    let mut shared: Vec<(usize, (Timestamp, Target))> = Vec::new();
    for (target, mut visits) in visits {
        visits.sort_unstable();
        for pair in visits.windows(2) {
            let [(earlier, a), (later, b)] = [pair[0], pair[1]];
            let name = moves[a].targets[target].renumbered;
            let is_renumbered = name.is_some() && name == moves[b].targets[target].renumbered;
            if later.duration_since(earlier) <= config.window && !is_renumbered {
                joined.join(a, b);
                shared.push((b, (later, target.clone())));
            }
        }
    }
    let mut groups: BTreeMap<usize, Group<'m, 'a>> = BTreeMap::new();
    for (at, first) in shared {
        let group = groups.entry(joined.group_of(at)).or_insert_with(|| Group {
            moves: Vec::new(),
            first_shared: first.clone(),
        });
        group.first_shared = group.first_shared.clone().min(first);
    }
    for (at, moved) in moves.iter().enumerate() {
        if let Some(group) = groups.get_mut(&joined.group_of(at)) {
            group.moves.push(moved);
        }
    }
    groups.into_values().collect()
}

/// Who runs the parent of the zone. All top-level domains have one parent, so there it is who answers for the zone.
fn registry(moved: &Move<'_>) -> String {
    let parent = moved.zone.parent().unwrap_or_else(Name::root);
    let organisation = || moved.organisation.map_or_else(|| moved.zone.to_string(), str::to_owned);
    if parent.is_root() {
        organisation()
    } else {
        parent.to_string()
    }
}

fn signal(config: &Config, group: &Group<'_, '_>) -> Option<Signal> {
    let registries: BTreeSet<String> = group.moves.iter().map(|moved| registry(moved)).collect();
    if registries.len() < config.campaign_registries || group.moves.len() < config.campaign_zones {
        return None;
    }
    // A zone that has moved back is not told of again while others move: what is told is where zones are now.
    let (back, away): (Vec<&Move<'_>>, Vec<&Move<'_>>) = group
        .moves
        .iter()
        .partition(|moved| super::is_taken_back(&moved.changes));
    let taken_back = away.is_empty();
    let told = if taken_back { back } else { away };
    let mut changes: Vec<ZoneChange> = told
        .iter()
        .flat_map(|moved| moved.changes.iter().copied().cloned())
        .collect();
    changes.sort_by(|a, b| super::order(a).cmp(&super::order(b)));
    let time = changes.last()?.time;
    // the newest: those are what an alert that grows has not told yet
    changes.drain(..changes.len().saturating_sub(config.campaign_changes));
    let zones: BTreeSet<Name> = told.iter().map(|moved| moved.zone.clone()).collect();
    let target = &group.first_shared.1;
    let args = BTreeMap::from([
        ("target".to_owned(), target.to_string()),
        ("zone_count".to_owned(), zones.len().to_string()),
        ("registry_count".to_owned(), registries.len().to_string()),
        ("transient".to_owned(), if taken_back { "yes" } else { "no" }.to_owned()),
    ]);
    Some(Signal {
        detector: Detector::Redelegation,
        key: format!("redelegation:to:{target}"),
        severity: Severity::Page,
        time,
        zones: zones.into_iter().collect(),
        kind: KIND_OF_CAMPAIGN.to_owned(),
        args,
        findings: Vec::new(),
        changes,
    })
}
