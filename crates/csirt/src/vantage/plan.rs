//! What a vantage point is to ask: the watched zones' servers, over UDP and TCP.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use model::plan::{MOST_QUESTIONS, PLAN_VERSION};
use model::{Name, Plan, PlannedQuestion, PlannedZone, Transport};

use super::VantagePoint;
use crate::Error;
use crate::records::Records;
use crate::watch;

/// Type number of SOA (IANA RR types).
const SOA: u16 = 6;

/// How vantage points measure; the same for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanSettings {
    /// Seconds between two measurements. Default 300 (RSSAC047v2 §4.2).
    pub interval_secs: u32,
    /// Seconds within which each start is chosen by chance. Default 60 (the same).
    pub jitter_secs: u32,
    /// Milliseconds until a question counts as unanswered. Default 4000 (§5.1).
    pub timeout_ms: u32,
    /// Port of all servers; other than 53 only in a lab.
    pub port: u16,
    /// Whether questions go over TCP too. Default yes (§5.1).
    pub tcp: bool,
    /// The root's servers, to measure the root too; empty: it is not measured.
    pub root: Vec<(Name, Vec<IpAddr>)>,
    /// Seconds after which a vantage point that was not heard counts as silent. Default 900, three intervals.
    pub silent_after_secs: u32,
}

impl Default for PlanSettings {
    fn default() -> Self {
        Self {
            interval_secs: 300,
            jitter_secs: 60,
            timeout_ms: 4000,
            port: 53,
            tcp: true,
            root: Vec::new(),
            silent_after_secs: 900,
        }
    }
}

/// The zones of all plans with all their addresses: the root, and the watched zones that are not paused, as they should be
/// delegated or else as they were seen last.
pub async fn zones_to_plan(records: &Records, settings: &PlanSettings) -> Result<Vec<PlannedZone>, Error> {
    let mut zones = Vec::new();
    if !settings.root.is_empty() {
        let servers = settings.root.iter();
        zones.push(PlannedZone {
            zone: Name::root(),
            servers: servers
                .map(|(name, addresses)| (name.clone(), addresses.iter().copied().collect()))
                .collect(),
            ds: BTreeSet::new(),
            questions: questions(&Name::root(), settings),
        });
    }
    for serving in watch::serving(records).await? {
        if !serving.watched.watch.enabled {
            continue;
        }
        let servers = watch::servers(&serving);
        let watched = serving.watched;
        let at_parent = serving.seen.as_ref().or(watched.watch.expected.as_ref());
        let servers: BTreeMap<Name, BTreeSet<IpAddr>> = servers
            .names
            .into_iter()
            .map(|(name, addresses)| (name, addresses.into_iter().collect()))
            .collect();
        zones.push(PlannedZone {
            questions: questions(&watched.watch.zone, settings),
            ds: at_parent.map(|delegation| delegation.ds.clone()).unwrap_or_default(),
            zone: watched.watch.zone,
            servers,
        });
    }
    Ok(zones)
}

fn questions(zone: &Name, settings: &PlanSettings) -> Vec<PlannedQuestion> {
    let transports: &[Transport] = match settings.tcp {
        true => &[Transport::Udp, Transport::Tcp],
        false => &[Transport::Udp],
    };
    let question = |transport: &Transport| PlannedQuestion {
        qname: zone.clone(),
        qtype: SOA,
        transport: *transport,
    };
    transports.iter().map(question).collect()
}

/// The plan of one vantage point: addresses of the families that it has, and no more questions than one vantage point may ask. The
/// same zones and settings give the same plan.
pub fn plan_for(vantage_point: &VantagePoint, settings: &PlanSettings, zones: &[PlannedZone]) -> Plan {
    let profile = &vantage_point.profile;
    let can_ask = |address: &IpAddr| if address.is_ipv4() { profile.ipv4 } else { profile.ipv6 };
    let of_families = |zone: &PlannedZone| {
        let servers = zone.servers.iter().filter_map(|(name, addresses)| {
            let addresses: BTreeSet<IpAddr> = addresses.iter().copied().filter(can_ask).collect();
            (!addresses.is_empty()).then(|| (name.clone(), addresses))
        });
        let servers: BTreeMap<Name, BTreeSet<IpAddr>> = servers.collect();
        (!servers.is_empty()).then(|| PlannedZone {
            servers,
            ..zone.clone()
        })
    };
    let (high, low) = vantage_point.id.uuid().as_u64_pair();
    let mut plan = Plan {
        version: PLAN_VERSION,
        vantage_point: profile.name.clone(),
        interval_secs: settings.interval_secs,
        jitter_secs: settings.jitter_secs,
        seed: high ^ low,
        timeout_ms: settings.timeout_ms,
        port: settings.port,
        zones: zones.iter().filter_map(of_families).collect(),
        left_out: 0,
    };
    plan.fit(MOST_QUESTIONS);
    plan
}
