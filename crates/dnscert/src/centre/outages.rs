//! The zones that do not answer, remembered together, so that the loss of one operator is one alert.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use csirt::alerts::{self, AlertState};
use csirt::records::Records;
use csirt::watch;
use detect::health;
use detect::outage::{self, Config, Down};
use measure::Report;
use model::health::REACH_CASES;
use model::{Delegation, Finding, Health, Level, Name, Signal};

use super::agenda::Memory;

/// Zones of an outage that are left, from which on it is asked whether they are still watched: with many it is not nearly over.
const FEW: usize = 100;

/// The zones that do not answer; empty until they were read from the records.
#[derive(Default)]
pub struct Outages {
    down: Option<BTreeMap<Name, Down>>,
}

/// How a zone is down after a round that left the detector in `state`; `None` where it answers.
pub fn down(state: &health::State, findings: &[Finding], report: &Report) -> Option<Down> {
    let addresses = report.servers.iter().map(|server| server.address);
    let names = report.servers.iter().map(|server| server.name.clone());
    let mut down = of(state, findings, report.delegation.as_ref())?;
    down.addresses.extend(addresses);
    down.servers.extend(names);
    Some(down)
}

fn of(state: &health::State, findings: &[Finding], delegation: Option<&Delegation>) -> Option<Down> {
    let (since, severity) = state.unreachable()?;
    let ns = delegation.iter().flat_map(|delegation| &delegation.ns);
    let (servers, addresses): (BTreeSet<Name>, Vec<_>) = ns.map(|(name, addresses)| (name.clone(), addresses)).unzip();
    let tells = |finding: &&Finding| {
        finding.level >= Level::Warning && REACH_CASES.iter().any(|case| finding.case.eq_ignore_ascii_case(case))
    };
    Some(Down {
        since,
        severity,
        servers,
        addresses: addresses.into_iter().flatten().copied().collect(),
        findings: findings.iter().filter(tells).cloned().collect(),
    })
}

impl Outages {
    /// Takes in which zones answer after a batch of rounds. Returns the signals to raise, in which an outage stands in the place
    /// of those of its zones, and the keys of the outages that are over: every zone of them answers again.
    pub async fn judge(
        &mut self,
        records: &Records,
        answering: Vec<(&Name, Option<Down>)>,
        mut signals: Vec<Signal>,
    ) -> anyhow::Result<(Vec<Signal>, Vec<String>)> {
        if self.down.is_none() {
            self.down = Some(read(records).await.context("reading which zones do not answer")?);
        }
        let down = self.down.get_or_insert_default();
        let mut back = BTreeSet::new();
        for (zone, answer) in answering {
            match answer {
                Some(how) => drop(down.insert(zone.clone(), how)),
                None => {
                    down.remove(zone);
                    back.insert(zone);
                }
            }
        }
        let fell: BTreeSet<Name> = signals
            .iter()
            .flat_map(|signal| &signal.zones)
            .filter(|zone| down.contains_key(zone))
            .cloned()
            .collect();
        if fell.is_empty() && back.is_empty() {
            return Ok((signals, Vec::new()));
        }
        let open = alerts::open_of_kind(records, outage::KIND).await;
        let open = open.context("looking for outages that are known")?;
        if !fell.is_empty() {
            let keys: Vec<String> = open.iter().map(|alert| alert.key.clone()).collect();
            let mut outages = outage::assess(&Config::default(), down, &keys);
            outages.retain(|outage| outage.zones.iter().any(|zone| fell.contains(zone)));
            let parts: BTreeSet<String> = outages.iter().flat_map(outage::superseded).collect();
            signals.retain(|signal| !parts.contains(&signal.key));
            signals.extend(outages);
        }
        let mut over = Vec::new();
        for alert in open.into_iter().filter(|alert| alert.state == AlertState::New) {
            if !alert.zones.iter().any(|zone| back.contains(zone)) {
                continue;
            }
            let still: BTreeSet<Name> = alert
                .zones
                .iter()
                .filter(|zone| down.contains_key(zone))
                .cloned()
                .collect();
            // of those taken off the watch list nobody will ever say that they answer again
            if still.len() <= FEW {
                let watched = watch::watched_among(records, &still).await;
                let watched = watched.context("looking which zones are watched")?;
                still.difference(&watched).for_each(|zone| drop(down.remove(zone)));
                if watched.is_empty() {
                    over.push(alert.key);
                }
            }
        }
        Ok((signals, over))
    }
}

/// The zones that did not answer in their last round: a centre that starts again goes on with them.
async fn read(records: &Records) -> anyhow::Result<BTreeMap<Name, Down>> {
    let mut down = BTreeMap::new();
    for (watched, state) in watch::states_doing(records, Health::Broken).await? {
        let Some(round) = state.map(|state| state.round) else {
            continue;
        };
        let memory: Memory = serde_json::from_value(round.detectors).unwrap_or_default();
        if let Some(how) = of(&memory.health, &round.findings, round.seen.as_ref()) {
            down.insert(watched.watch.zone, how);
        }
    }
    Ok(down)
}
