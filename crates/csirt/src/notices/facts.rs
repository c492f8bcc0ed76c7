//! What was seen of one zone, put together for those who have to repair it.

use std::collections::BTreeSet;

use model::{Finding, Level, Name, Signal, Timestamp, ZoneChange};
use serde::Serialize;

use crate::requests::Ask;

/// Findings and servers listed at most: what fits a screen; all of them stand in the attached evidence.
const LISTED: usize = 12;

/// What was seen of one zone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facts {
    /// The zone.
    pub zone: Name,
    /// Kind of the matter: `zone-unreachable`; `ds-mismatch` where the DS records are to be repaired; `other` where no
    /// signal names the zone.
    pub kind: String,
    /// When it was first seen.
    pub first_at: Option<Timestamp>,
    /// When it was last seen.
    pub last_at: Option<Timestamp>,
    /// How many other zones the same matter concerns. Their names are not told to this party.
    pub others: i64,
    /// Servers that findings name, as `name/address`, sorted.
    pub servers: Vec<String>,
    /// Changes of the zone's delegation, oldest first.
    pub changes: Vec<ZoneChange>,
    /// The gravest findings first.
    pub findings: Vec<Finding>,
    /// The signals, cut down to this zone: what the evidence holds.
    #[serde(skip)]
    pub signals: Vec<Signal>,
}

impl Facts {
    /// Puts together what `signals` say of `zone`, led by those that `ask` answers.
    pub fn new(zone: &Name, ask: Ask, signals: &[Signal]) -> Self {
        let mut own: Vec<Signal> = signals
            .iter()
            .filter(|signal| signal.zones.contains(zone))
            .map(|signal| cut_down(signal, zone))
            .collect();
        own.sort_by_key(|signal| signal.time);
        let leading = own
            .iter()
            .filter(|signal| Ask::for_signal(signal).contains(&ask))
            .max_by_key(|signal| (signal.severity, signal.kind != "health-worse"));
        let kind = leading.or(own.last()).map_or("other", |signal| signal.kind.as_str());
        let others = signals
            .iter()
            .filter(|signal| signal.kind == kind && signal.zones.contains(zone))
            .map(|signal| signal.zones.len() - 1)
            .max()
            .unwrap_or(0);
        let mut findings: Vec<Finding> = Vec::new();
        for finding in own.iter().rev().flat_map(|signal| &signal.findings) {
            if finding.level >= Level::Notice && !findings.contains(finding) {
                findings.push(finding.clone());
            }
        }
        findings.sort_by(|one, other| other.level.cmp(&one.level).then_with(|| one.tag.cmp(&other.tag)));
        let servers: BTreeSet<String> = findings.iter().flat_map(servers).collect();
        findings.truncate(LISTED);
        let mut changes: Vec<ZoneChange> = Vec::new();
        for change in own.iter().flat_map(|signal| &signal.changes) {
            if !changes.contains(change) {
                changes.push(change.clone());
            }
        }
        Self {
            zone: zone.clone(),
            // What is wrong with the DS records is told as such, whatever the detector called the matter.
            kind: if ask == Ask::RepairDs { "ds-mismatch" } else { kind }.to_owned(),
            first_at: own.first().map(|signal| signal.time),
            last_at: own.last().map(|signal| signal.time),
            others: i64::try_from(others).unwrap_or(i64::MAX),
            servers: servers.into_iter().take(LISTED).collect(),
            changes,
            findings,
            signals: own,
        }
    }
}

/// The part of a signal that one party may see: other zones are other parties' matter.
fn cut_down(signal: &Signal, zone: &Name) -> Signal {
    let alone = signal.zones.len() == 1;
    let names_zone = |finding: &Finding| {
        finding
            .args
            .get("domain")
            .or_else(|| finding.args.get("zone"))
            .is_none_or(|name| name.parse().is_ok_and(|name: Name| name.is_at_or_below(zone)))
    };
    Signal {
        zones: vec![zone.clone()],
        key: if alone {
            signal.key.clone()
        } else {
            format!("{}:{zone}", signal.kind)
        },
        args: if alone { signal.args.clone() } else { Default::default() },
        findings: if alone {
            signal.findings.clone()
        } else {
            signal
                .findings
                .iter()
                .filter(|finding| finding.args.contains_key("zone") && names_zone(finding))
                .cloned()
                .collect()
        },
        changes: signal
            .changes
            .iter()
            .filter(|change| change.zone == *zone)
            .cloned()
            .collect(),
        ..signal.clone()
    }
}

/// The servers that a finding names (`ns`, `ns_list`, `ns_ip_list` and their like in Zonemaster's arguments).
fn servers(finding: &Finding) -> Vec<String> {
    let naming =
        |name: &str| name.starts_with("ns_") || name == "ns" || name.starts_with("nsname") || name == "servers";
    finding
        .args
        .iter()
        .filter(|(name, _)| naming(name))
        .flat_map(|(_, value)| value.split([';', ',']))
        .map(|server| server.trim().to_owned())
        .filter(|server| !server.is_empty() && server.len() < 300 && server.contains(['.', ':']))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::{ChangedPart, Detector, Severity};

    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn a_party_learns_of_its_own_zone_only() {
        let time: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
        let change = |zone: &str| ZoneChange {
            time,
            zone: name(zone),
            part: ChangedPart::Ns,
            before: vec!["ns1.good.example".to_owned()],
            after: vec!["ns1.bad.example".to_owned()],
            announced: false,
        };
        let signal = Signal {
            detector: Detector::Redelegation,
            key: "redelegation:ns1.bad.example".to_owned(),
            severity: Severity::Page,
            time,
            zones: vec![name("a.example"), name("b.example")],
            kind: "mass-redelegated".to_owned(),
            args: BTreeMap::from([("zones".to_owned(), "a.example b.example".to_owned())]),
            findings: Vec::new(),
            changes: vec![change("a.example"), change("b.example")],
        };
        let facts = Facts::new(&name("a.example"), Ask::ConfirmOrRestoreDelegation, &[signal]);
        assert_eq!(
            (facts.kind.as_str(), facts.others, facts.changes.len()),
            ("mass-redelegated", 1, 1)
        );
        assert!(!serde_json::to_string(&facts).unwrap().contains("b.example"));
        assert!(!serde_json::to_string(&facts.signals).unwrap().contains("b.example"));
    }

    #[test]
    fn servers_are_taken_from_findings() {
        let finding = Finding {
            case: "basic02".to_owned(),
            tag: "B02_NS_NO_RESPONSE".to_owned(),
            level: Level::Warning,
            args: BTreeMap::from([(
                "ns_list".to_owned(),
                "ns1.a.example/192.0.2.1;ns2.a.example/2001:db8::1".to_owned(),
            )]),
            vantage_point: None,
        };
        assert_eq!(
            servers(&finding),
            ["ns1.a.example/192.0.2.1", "ns2.a.example/2001:db8::1"]
        );
    }
}
