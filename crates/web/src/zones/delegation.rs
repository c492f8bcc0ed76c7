//! The delegation of a zone as it is expected and as it is seen, side by side and as a drawing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use model::health::VALIDITY_CASES;
use model::{Delegation, Finding, Health, Level, Name};

use super::ServerState;
use crate::charts::{Chain, Graph, NameServer, Server, Standing};

/// One line of the comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Whether it is as expected.
    pub(super) standing: Standing,
    /// `NS` or `DS`.
    pub(super) kind: &'static str,
    /// The NS name, where it is one.
    pub(super) name: Option<Name>,
    /// Addresses or the DS in presentation form.
    pub(super) values: Vec<String>,
}

/// Whether the parent vouches for the zone's keys and the zone keeps its side.
pub(super) fn chain(seen: Option<&Delegation>, findings: &[Finding]) -> Chain {
    let Some(seen) = seen else { return Chain::Unknown };
    if seen.ds.is_empty() {
        return Chain::Unsigned;
    }
    let is_broken =
        |finding: &Finding| VALIDITY_CASES.contains(&finding.case.as_str()) && finding.level >= Level::Error;
    if findings.iter().any(is_broken) {
        Chain::Broken
    } else {
        Chain::Secured
    }
}

/// All that is expected or seen, in order.
pub(super) fn compare(expected: Option<&Delegation>, seen: Option<&Delegation>) -> Vec<Line> {
    let mut lines = Vec::new();
    for (name, standing) in standings(expected, seen) {
        let of = |delegation: Option<&Delegation>| delegation.and_then(|one| one.ns.get(&name).cloned());
        let addresses = of(seen).or_else(|| of(expected)).unwrap_or_default();
        let values = addresses.iter().map(IpAddr::to_string).collect();
        lines.push(Line {
            standing,
            kind: "NS",
            name: Some(name),
            values,
        });
    }
    let ds_of = |delegation: Option<&Delegation>| -> BTreeSet<String> {
        delegation
            .into_iter()
            .flat_map(|one| &one.ds)
            .map(ToString::to_string)
            .collect()
    };
    let (wanted, found) = (ds_of(expected), ds_of(seen));
    for ds in wanted.union(&found) {
        let standing = stand(expected.map(|_| wanted.contains(ds)), seen.map(|_| found.contains(ds)));
        lines.push(Line {
            standing,
            kind: "DS",
            name: None,
            values: vec![ds.clone()],
        });
    }
    lines
}

/// Whether something is lost or new.
pub(super) fn differs(lines: &[Line]) -> bool {
    lines
        .iter()
        .any(|line| matches!(line.standing, Standing::New | Standing::Gone))
}

fn standings(expected: Option<&Delegation>, seen: Option<&Delegation>) -> BTreeMap<Name, Standing> {
    let has = |delegation: Option<&Delegation>, name: &Name| delegation.map(|one| one.ns.contains_key(name));
    let names = expected
        .into_iter()
        .chain(seen)
        .flat_map(|delegation| delegation.ns.keys());
    names
        .map(|name| (name.clone(), stand(has(expected, name), has(seen, name))))
        .collect()
}

fn stand(expected: Option<bool>, seen: Option<bool>) -> Standing {
    match (expected, seen) {
        (Some(true), Some(false)) => Standing::Gone,
        (Some(false), Some(true)) => Standing::New,
        (Some(true), Some(true)) => Standing::AsExpected,
        _ => Standing::Seen,
    }
}

/// The drawing of a zone's delegation. Servers that only the zone itself names are drawn as seen.
pub(super) fn graph(
    zone: &Name,
    expected: Option<&Delegation>,
    seen: Option<&Delegation>,
    servers: &[ServerState],
    findings: &[Finding],
) -> Graph {
    let mut names = standings(expected, seen);
    for server in servers {
        names.entry(server.name.clone()).or_insert(Standing::Seen);
    }
    let name_servers = names
        .into_iter()
        .map(|(name, standing)| {
            let of = |delegation: Option<&Delegation>| delegation.and_then(|one| one.ns.get(&name).cloned());
            let glue = of(seen).or_else(|| of(expected)).unwrap_or_default();
            let own = servers.iter().filter(|server| server.name == name);
            let mut shown: BTreeMap<IpAddr, Server> = glue
                .into_iter()
                .map(|address| {
                    (
                        address,
                        Server {
                            address,
                            health: Health::Unknown,
                            rtt_us: None,
                        },
                    )
                })
                .collect();
            for server in own {
                let (health, rtt_us) = (server.health(), server.rtt_us);
                shown.insert(
                    server.address,
                    Server {
                        address: server.address,
                        health,
                        rtt_us,
                    },
                );
            }
            NameServer {
                name,
                standing,
                servers: shown.into_values().collect(),
            }
        })
        .collect();
    Graph {
        zone: zone.clone(),
        parent: zone.parent(),
        chain: chain(seen, findings),
        name_servers,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delegation(names: &[&str], ds: &[&str]) -> Delegation {
        Delegation {
            ns: names
                .iter()
                .map(|name| (name.parse().unwrap(), BTreeSet::new()))
                .collect(),
            ds: ds.iter().map(|ds| ds.parse().unwrap()).collect(),
        }
    }

    fn shown(expected: Option<&Delegation>, seen: Option<&Delegation>) -> Vec<String> {
        compare(expected, seen)
            .iter()
            .map(|line| {
                let what = line
                    .name
                    .as_ref()
                    .map_or_else(|| line.values.join(" "), ToString::to_string);
                format!("{:?} {} {what}", line.standing, line.kind)
            })
            .collect()
    }

    #[test]
    fn a_taken_over_delegation_shows_what_came_and_what_went() {
        let expected = delegation(&["ns1.a.example", "ns2.a.example"], &["1,13,2,00"]);
        let seen = delegation(&["ns1.a.example", "ns.b.example"], &[]);
        assert_eq!(
            shown(Some(&expected), Some(&seen)),
            [
                "AsExpected NS ns1.a.example",
                "Gone NS ns2.a.example",
                "New NS ns.b.example",
                "Gone DS 1,13,2,00"
            ]
        );
        assert!(differs(&compare(Some(&expected), Some(&seen))));
    }

    #[test]
    fn without_expectation_nothing_is_new() {
        let seen = delegation(&["ns1.a.example"], &[]);
        assert_eq!(shown(None, Some(&seen)), ["Seen NS ns1.a.example"]);
        assert!(!differs(&compare(None, Some(&seen))));
        assert!(
            !differs(&compare(Some(&seen), None)),
            "a parent that was not seen took nothing away"
        );
    }

    #[test]
    fn a_ds_whose_zone_fails_its_tests_is_a_broken_chain() {
        let seen = delegation(&["ns1.a.example"], &["1,13,2,00"]);
        let finding = |case: &str, level| Finding {
            case: case.to_owned(),
            tag: String::new(),
            level,
            args: BTreeMap::new(),
            vantage_point: None,
        };
        assert_eq!(chain(Some(&seen), &[]), Chain::Secured);
        for case in VALIDITY_CASES {
            assert_eq!(
                chain(Some(&seen), &[finding(case, Level::Error)]),
                Chain::Broken,
                "{case}"
            );
        }
        assert_eq!(
            chain(Some(&seen), &[finding("basic02", Level::Critical)]),
            Chain::Secured
        );
        assert_eq!(chain(Some(&delegation(&[], &[])), &[]), Chain::Unsigned);
        assert_eq!(chain(None, &[]), Chain::Unknown);
    }
}
