//! Vantage points: how they are to measure, and which of them has fallen silent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use csirt::alerts::{self, AlertState};
use csirt::vantage::{self, PlanSettings};
use csirt::{Records, Statement};
use detect::vantage::{Config as Thresholds, KEYS, Seen, silent};
use jiff::SignedDuration;
use model::Plan;
use model::plan::PLAN_VERSION;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::desk::end_alerts;
use super::{Centre, dns_settings};
use crate::config::Config;

/// How often it is looked who is silent. Much shorter than the silence that counts.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// How vantage points measure, by the configuration. Fails for settings that no vantage point would carry out.
pub fn plan_settings(config: &Config) -> anyhow::Result<PlanSettings> {
    let probes = &config.probes;
    let settings = PlanSettings {
        interval_secs: probes.interval_secs,
        jitter_secs: probes.jitter_secs,
        timeout_ms: probes.timeout_ms,
        port: config.dns.port,
        tcp: probes.tcp,
        root: if probes.root {
            dns_settings(config)?.hints
        } else {
            Vec::new()
        },
        silent_after_secs: probes.silent_after_secs,
    };
    let plan = Plan {
        version: PLAN_VERSION,
        vantage_point: String::new(),
        interval_secs: settings.interval_secs,
        jitter_secs: settings.jitter_secs,
        seed: 0,
        timeout_ms: settings.timeout_ms,
        port: settings.port,
        zones: Vec::new(),
        left_out: 0,
    };
    plan.check()
        .context("reading the section [probes] of the configuration")?;
    Ok(settings)
}

/// Fails where a vantage point has the name under which the centre keeps its own samples: it could pass for the centre.
pub async fn keep_names_apart(records: &Records, config: &Config) -> anyhow::Result<()> {
    let own = &config.dns.probe;
    let same = vantage::by_name(records, own)
        .await
        .context("reading the vantage points")?;
    if same.is_some() {
        bail!("`probe` in the section [dns] is `{own}`, and so is a vantage point; give the centre another name");
    }
    Ok(())
}

/// Raises an alert for each that has fallen silent, and ends it when it is heard again, until the centre stops.
pub async fn run(centre: Arc<Centre>, stop: CancellationToken) -> anyhow::Result<()> {
    let thresholds = Thresholds {
        after: SignedDuration::from_secs(centre.config.probes.silent_after_secs.into()),
        ..Thresholds::default()
    };
    let listening = centre.records.now();
    let mut open = open_keys(&centre).await?;
    let mut timer = tokio::time::interval(LOOK_EVERY);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = timer.tick() => {}
            () = stop.cancelled() => return Ok(()),
        }
        let states = vantage::states(&centre.records)
            .await
            .context("reading the vantage points")?;
        let seen: Vec<Seen> = states
            .into_iter()
            .filter(|(point, _)| point.revoked.is_none())
            .map(|(point, state)| Seen {
                name: point.profile.name,
                region: point.profile.place.region.to_string(),
                contact: state.contact,
            })
            .collect();
        let now = centre.records.now();
        let signals = silent(&thresholds, &seen, listening, now);
        let still: BTreeSet<String> = signals.iter().map(|signal| signal.key.clone()).collect();
        for signal in signals.iter().filter(|signal| !open.contains(&signal.key)) {
            alerts::raise(&centre.records, signal)
                .await
                .with_context(|| format!("raising the alert `{}`", signal.key))?;
        }
        // while the centre has not listened long enough it cannot say that anybody is heard again either
        let has_listened = now.duration_since(listening) > thresholds.after;
        let over: Vec<String> = open.difference(&still).cloned().collect();
        for key in over
            .iter()
            .filter(|key| has_listened || is_heard(&seen, key, listening))
        {
            end_alerts(&centre, std::slice::from_ref(key), &Statement::HeardAgain).await?;
            open.remove(key);
        }
        open.extend(still);
    }
}

/// Whether the vantage point of this alert was heard since the centre listens.
fn is_heard(seen: &[Seen], key: &str, listening: jiff::Timestamp) -> bool {
    let name = key.strip_prefix(KEYS).and_then(|rest| rest.strip_prefix(':'));
    let mut of_name = seen.iter().filter(|seen| Some(seen.name.as_str()) == name);
    of_name.any(|seen| seen.contact.is_some_and(|contact| contact >= listening))
}

/// Keys of the alerts about silence that are in the queue.
async fn open_keys(centre: &Centre) -> anyhow::Result<BTreeSet<String>> {
    let filter = alerts::Filter {
        states: vec![AlertState::New],
        text: KEYS.to_owned(),
        ..alerts::Filter::default()
    };
    let found = alerts::queue(&centre.records, &filter)
        .await
        .context("reading the alerts about vantage points")?;
    let keys = found.into_iter().map(|alert| alert.key);
    Ok(keys.filter(|key| key.starts_with(KEYS)).collect())
}
