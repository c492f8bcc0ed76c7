//! Who should be asked for what: proposed from the case's signals and the directory, decided by a person.
//!
//! Per zone and matter the ask follows from the signal; the party follows from the ask. What a server or a signer has to
//! repair goes to those who run the zone; what the parent has to put back goes to those who can change the delegation
//! (registrar, else registry) first and to the holder of the zone, who knows whether the change was meant; where parent
//! and zone do not fit each other, both are asked.

use std::collections::{BTreeMap, BTreeSet};

use model::{Delegation, Id, Name, Severity, Signal, Timestamp};

use super::{Ask, Proposal};
use crate::Error;
use crate::alerts;
use crate::cases::{self, Case};
use crate::directory::{self, Because, ChannelKind, Organisation, ResponsibilityRole as Role, Route, Target};
use crate::records::Records;

/// Mail addresses of one party at most: the first one, and those marked for emergencies.
const ADDRESSES: usize = 3;

/// Zones from which the whole directory is read once.
const MANY: usize = 8;

/// What one signal asks about one zone.
#[derive(Debug, Clone, PartialEq)]
struct Matter<'a> {
    zone: Name,
    ask: Ask,
    severity: Severity,
    signal: &'a Signal,
}

/// Proposes the requests that the case has not got yet: gravest first, then by zone.
pub async fn propose(records: &Records, case: Id<Case>) -> Result<Vec<Proposal>, Error> {
    cases::get(records, case).await?;
    let mut signals: Vec<(Severity, Signal)> = Vec::new();
    for alert in cases::alerts_of(records, case).await? {
        for signal in alerts::signals(records, alert.id).await? {
            signals.push((alert.severity, signal));
        }
    }
    let existing: BTreeSet<(Option<String>, String, Ask)> = {
        let grid = super::grid(records, case).await?;
        let of_row = |row: &super::Row| {
            let organisation = row.party.organisation.map(|id| id.to_string());
            let requests = row.requests.iter();
            requests
                .map(|request| (organisation.clone(), request.zone.to_string(), request.ask))
                .collect::<Vec<_>>()
        };
        grid.parties.iter().flat_map(of_row).collect()
    };
    let matters = matters(&signals);
    // of very many zones the directory and what is expected are read once, and not for each
    let many = match matters.len() > MANY {
        true => Some((
            directory::Router::load(records).await?,
            crate::watch::expected(records).await?,
        )),
        false => None,
    };
    let mut proposals = Vec::new();
    for matter in matters {
        let target = Target::Name(matter.zone.clone());
        let (routes, expected) = match &many {
            Some((router, expected)) => (router.route(&target), expected.get(&matter.zone).cloned()),
            None => (
                directory::route(records, &target).await?,
                crate::watch::expected_of(records, &matter.zone).await?,
            ),
        };
        for proposal in assemble(&matter, &routes, expected.as_ref(), records.now()) {
            let organisation = proposal.organisation.map(|id| id.to_string());
            if !existing.contains(&(organisation, proposal.zone.to_string(), proposal.ask)) {
                proposals.push(proposal);
            }
        }
    }
    Ok(proposals)
}

/// What would be asked of an organisation that a person chose, for a reason in that person's words. The check is the one that was
/// proposed for the same ask, where there is one.
pub async fn by_hand(
    records: &Records,
    case: &Case,
    organisation: &Organisation,
    zone: Name,
    ask: Ask,
    because: String,
) -> Result<Proposal, Error> {
    let proposals = propose(records, case.id).await?;
    let proposed = proposals
        .into_iter()
        .find(|proposal| proposal.zone == zone && proposal.ask == ask);
    let check = match proposed {
        Some(proposal) => proposal.check,
        None => ask.check(&zone, crate::watch::expected_of(records, &zone).await?.as_ref()),
    };
    let profile = &organisation.profile;
    let mut mail = profile
        .channels_in_order()
        .into_iter()
        .filter(|channel| channel.kind == ChannelKind::Email);
    Ok(Proposal {
        organisation: Some(organisation.id),
        name: profile.name.clone(),
        addresses: mail.next().map(|channel| channel.value.clone()).into_iter().collect(),
        language: profile.preferred_language,
        time_zone: profile.time_zone.clone(),
        because,
        zone,
        ask,
        check,
        deadline: records.now() + ask.patience(case.severity),
    })
}

/// One matter per zone and ask. A zone whose signals name a plain cause is not asked about "health got worse" besides.
fn matters(signals: &[(Severity, Signal)]) -> Vec<Matter<'_>> {
    let plain = |signal: &Signal| signal.kind != "health-worse" && signal.kind != "report";
    let plainly_named: BTreeSet<&Name> = signals
        .iter()
        .filter(|(_, signal)| plain(signal))
        .flat_map(|(_, signal)| &signal.zones)
        .collect();
    let mut found: BTreeMap<(Name, Ask), Matter<'_>> = BTreeMap::new();
    for (severity, signal) in signals {
        let asks = Ask::for_signal(signal);
        for (zone, ask) in signal
            .zones
            .iter()
            .flat_map(|zone| asks.iter().map(move |ask| (zone, *ask)))
        {
            if plainly_named.contains(zone) && !plain(signal) {
                continue;
            }
            let matter = Matter {
                zone: zone.clone(),
                ask,
                severity: *severity,
                signal,
            };
            // The newest signal knows best which findings are to go away.
            found
                .entry((zone.clone(), ask))
                .and_modify(|known| {
                    if matter.signal.time >= known.signal.time {
                        *known = matter.clone();
                    }
                })
                .or_insert(matter);
        }
    }
    let mut matters: Vec<Matter<'_>> = found.into_values().collect();
    matters.sort_by(|one, other| {
        other
            .severity
            .cmp(&one.severity)
            .then_with(|| one.zone.cmp(&other.zone))
    });
    matters
}

/// The proposals for one matter, the party that can repair it first.
fn assemble(matter: &Matter<'_>, routes: &[Route], expected: Option<&Delegation>, now: Timestamp) -> Vec<Proposal> {
    let Matter {
        zone,
        ask,
        severity,
        signal,
    } = matter;
    let ranks = match ask {
        // what many zones have in common are their servers
        Ask::RestoreService if signal.kind == "mass-unreachable" => match serves(routes) {
            operators if operators.is_empty() => vec![runs(routes)],
            operators => vec![operators],
        },
        Ask::ConfirmOrRestoreDelegation | Ask::RestoreDs => vec![restores(routes, zone), holds(routes)],
        // Either side may be the wrong one: those who run the zone know, those who keep the delegation may have to act.
        Ask::RepairDs | Ask::CorrectDelegation => vec![runs(routes), restores(routes, zone)],
        Ask::RestoreService | Ask::RenewSignatures | Ask::CorrectZone | Ask::Explain => vec![runs(routes)],
    };
    let mut seen = BTreeSet::new();
    let chosen = ranks
        .into_iter()
        .flatten()
        .filter(|(route, _)| seen.insert(route.organisation.id));
    chosen
        .map(|(route, because)| {
            let profile = &route.organisation.profile;
            Proposal {
                organisation: Some(route.organisation.id),
                name: profile.name.clone(),
                addresses: addresses(route),
                language: profile.preferred_language,
                time_zone: if profile.time_zone.is_empty() {
                    "UTC".to_owned()
                } else {
                    profile.time_zone.clone()
                },
                because: crate::records::column::to_json(because),
                zone: zone.clone(),
                ask: *ask,
                check: ask.check_for(zone, expected, signal),
                deadline: now + ask.patience(*severity),
            }
        })
        .collect()
}

/// Those who run the zone; else who holds or registered it; else who runs its servers; else the zone above.
fn runs(routes: &[Route]) -> Vec<(&Route, &Because)> {
    nearest(routes, |because| match because {
        Because::Zone {
            role: Role::Operator, ..
        } => Some(0),
        Because::Zone {
            role: Role::Registry, ..
        } => Some(1),
        Because::Zone {
            role: Role::Registrant | Role::Registrar,
            ..
        } => Some(2),
        Because::NameServer {
            role: Role::Operator, ..
        }
        | Because::Address {
            role: Role::Operator, ..
        } => Some(3),
        Because::Prefix {
            role: Role::Operator, ..
        } => Some(4),
        Because::EnclosingZone {
            role: Role::Registrar | Role::Registry | Role::Operator,
            zone,
        } if !zone.is_root() => Some(5 + labels_missing(zone)),
        _ => None,
    })
}

/// Those who run the zone's servers.
fn serves(routes: &[Route]) -> Vec<(&Route, &Because)> {
    nearest(routes, |because| match because {
        Because::NameServer {
            role: Role::Operator, ..
        }
        | Because::Address {
            role: Role::Operator, ..
        } => Some(0),
        Because::Prefix {
            role: Role::Operator, ..
        } => Some(1),
        _ => None,
    })
}

/// Those who can change the delegation: the registrar, else who keeps the zone above.
fn restores<'a>(routes: &'a [Route], zone: &Name) -> Vec<(&'a Route, &'a Because)> {
    let parent = zone.parent();
    nearest(routes, |because| match because {
        Because::Zone {
            role: Role::Registrar, ..
        } => Some(0),
        Because::EnclosingZone {
            zone,
            role: Role::Registry | Role::Operator,
        } if Some(zone) == parent.as_ref() => Some(1),
        Because::Zone {
            role: Role::Registry, ..
        } => Some(2),
        Because::EnclosingZone {
            zone,
            role: Role::Registry | Role::Operator,
        } if !zone.is_root() => Some(3 + labels_missing(zone)),
        _ => None,
    })
}

/// Those who hold the zone or run it.
fn holds(routes: &[Route]) -> Vec<(&Route, &Because)> {
    nearest(routes, |because| match because {
        Because::Zone {
            role: Role::Registrant, ..
        } => Some(0),
        Because::Zone {
            role: Role::Operator, ..
        } => Some(1),
        _ => None,
    })
}

/// The routes with the lowest rank that occurs, each with the reason that has it.
fn nearest(routes: &[Route], rank: impl Fn(&Because) -> Option<usize>) -> Vec<(&Route, &Because)> {
    let ranked: Vec<(usize, &Route, &Because)> = routes
        .iter()
        .filter_map(|route| {
            let best = route
                .because
                .iter()
                .filter_map(|because| Some((rank(because)?, because)));
            best.min_by_key(|(rank, _)| *rank)
                .map(|(rank, because)| (rank, route, because))
        })
        .collect();
    let lowest = ranked.iter().map(|(rank, ..)| *rank).min();
    let of_lowest = ranked.into_iter().filter(|(rank, ..)| Some(*rank) == lowest);
    of_lowest.map(|(_, route, because)| (route, because)).collect()
}

/// A zone higher up is a worse answer.
fn labels_missing(zone: &Name) -> usize {
    128usize.saturating_sub(zone.label_count())
}

fn addresses(route: &Route) -> Vec<String> {
    let mut addresses: Vec<String> = Vec::new();
    for channel in route.channels() {
        let wanted = channel.kind == ChannelKind::Email && (addresses.is_empty() || channel.emergency);
        if wanted && addresses.len() < ADDRESSES && !addresses.contains(&channel.value) {
            addresses.push(channel.value.clone());
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use model::{Check, Detector};

    use super::*;
    use crate::directory::{Channel, Kind, Organisation, Profile, Purpose, Region};

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn signal(kind: &str, second: i64) -> (Severity, Signal) {
        let signal = Signal {
            detector: Detector::Health,
            key: kind.to_owned(),
            severity: Severity::Page,
            time: Timestamp::from_second(1_800_000_000 + second).unwrap(),
            zones: vec![name("shop.atlas.example")],
            kind: kind.to_owned(),
            args: Default::default(),
            findings: Vec::new(),
            changes: Vec::new(),
        };
        (Severity::Page, signal)
    }

    fn route(handle: &str, because: Because) -> Route {
        let mut profile = Profile::new(handle, handle, Kind::Registry, Region::Af);
        profile.channels = vec![Channel {
            kind: ChannelKind::Email,
            value: format!("noc@{handle}.example"),
            purpose: Purpose::Security,
            person: String::new(),
            emergency: false,
            hours: None,
            format: String::new(),
            key: String::new(),
            verified_on: None,
        }];
        let id: Id<Organisation> = uuid::Uuid::from_u128(u128::from(handle.as_bytes()[0])).into();
        let time = Timestamp::UNIX_EPOCH;
        Route {
            organisation: Organisation {
                id,
                profile,
                created: time,
                updated: time,
            },
            because: vec![because],
        }
    }

    fn routes() -> Vec<Route> {
        let zone = || name("shop.atlas.example");
        vec![
            route(
                "operator",
                Because::Zone {
                    zone: zone(),
                    role: Role::Operator,
                },
            ),
            route(
                "holder",
                Because::Zone {
                    zone: zone(),
                    role: Role::Registrant,
                },
            ),
            route(
                "parent",
                Because::EnclosingZone {
                    zone: name("atlas.example"),
                    role: Role::Registry,
                },
            ),
            route(
                "grandparent",
                Because::EnclosingZone {
                    zone: name("example"),
                    role: Role::Registry,
                },
            ),
        ]
    }

    fn parties(kind: &str, routes: &[Route]) -> Vec<String> {
        let signals = [signal(kind, 0)];
        let matters = matters(&signals);
        let now = Timestamp::UNIX_EPOCH;
        assemble(&matters[0], routes, Some(&Delegation::default()), now)
            .into_iter()
            .map(|one| one.name)
            .collect()
    }

    #[test]
    fn those_who_run_the_zone_are_asked_to_repair_it() {
        assert_eq!(parties("zone-unreachable", &routes()), ["operator"]);
        assert_eq!(parties("zone-unreachable", &routes()[2..]), ["parent"]);
    }

    #[test]
    fn those_who_can_change_the_delegation_are_asked_first_and_then_the_holder() {
        assert_eq!(parties("redelegated", &routes()), ["parent", "holder"]);
        let mut with_registrar = routes();
        with_registrar.push(route(
            "xregistrar",
            Because::Zone {
                zone: name("shop.atlas.example"),
                role: Role::Registrar,
            },
        ));
        assert_eq!(parties("ds-removed", &with_registrar), ["xregistrar", "holder"]);
    }

    #[test]
    fn a_ds_without_its_key_is_asked_of_those_who_run_the_zone_and_those_who_keep_its_delegation() {
        let (severity, mut seen) = signal("signatures-invalid", 0);
        seen.findings = vec![model::Finding {
            case: "dnssec02".to_owned(),
            tag: "DS02_NO_MATCH_DS_DNSKEY".to_owned(),
            level: model::Level::Error,
            args: BTreeMap::new(),
            vantage_point: None,
        }];
        let signals = [(severity, seen)];
        let matters = matters(&signals);
        let proposals = assemble(&matters[0], &routes(), None, Timestamp::UNIX_EPOCH);
        let asked: Vec<_> = proposals.iter().map(|one| (one.name.as_str(), one.ask)).collect();
        assert_eq!(asked, [("operator", Ask::RepairDs), ("parent", Ask::RepairDs)]);
        let cases = |check: &Check| matches!(check, Check::Cases { cases, .. } if cases == &["dnssec02", "dnssec11"]);
        assert!(proposals.iter().all(|one| cases(&one.check)));
    }

    #[test]
    fn nobody_in_the_directory_means_no_proposal() {
        assert!(parties("zone-unreachable", &[]).is_empty());
    }

    #[test]
    fn a_plain_cause_stands_for_worse_health_of_the_same_zone() {
        let signals = [
            signal("health-worse", 0),
            signal("signatures-invalid", 5),
            signal("signatures-invalid", 9),
        ];
        let matters = matters(&signals);
        let asks: Vec<_> = matters
            .iter()
            .map(|matter| (matter.ask, matter.signal.time.as_second() % 100))
            .collect();
        assert_eq!(asks, [(Ask::RenewSignatures, 9)]);
    }

    #[test]
    fn a_proposal_says_how_when_and_by_what_check() {
        let signals = [signal("redelegated", 0)];
        let matters = matters(&signals);
        let proposals = assemble(
            &matters[0],
            &routes(),
            Some(&Delegation::default()),
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(proposals[0].addresses, ["noc@parent.example"]);
        assert_eq!(proposals[0].deadline.as_second(), 4 * 3600);
        assert!(matches!(proposals[0].check, Check::Delegation { .. }));
    }
}
