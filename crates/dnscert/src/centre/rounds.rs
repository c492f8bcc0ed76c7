//! The rounds: measures each watched zone on its interval, keeps what was seen, and lets the detectors judge it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use csirt::alerts::{self, AlertState};
use csirt::watch::announcement;
use csirt::watch::{self, Round, WatchedZone, ZoneState};
use csirt::{Actor, Statement, directory};
use detect::{health, redelegation};
use jiff::{SignedDuration, Timestamp};
use measure::{CheckPlan, Report};
use model::{Finding, Name, Signal, ZoneChange};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Centre;
use super::agenda::{self, Agenda, Memory};

/// Pause between two looks at which zones are due: how late a round may start.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How often zones are looked for that a clock which went back has put off: at most so much later they are measured.
const RESCHEDULE_EVERY: Duration = Duration::from_secs(5);

/// The longest pause after a round that failed for the centre's own trouble. Longer, and a zone is looked at late when the trouble is
/// over.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Pause before a confirming round: long enough for a lost packet or a restarting server, short enough not to cost an interval.
const CONFIRM_AFTER: Duration = Duration::from_millis(500);

/// How far back delegation changes are looked at together with a new one: the longest that the detector looks at.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(72);

/// Measures what is due until the centre stops. A zone whose servers are silent does not delay the others.
pub async fn run(centre: Arc<Centre>, stop: CancellationToken) -> anyhow::Result<()> {
    let under_way: Arc<Mutex<BTreeSet<Name>>> = Arc::default();
    let places = Arc::new(Semaphore::new(centre.config.dns.zones_at_once.max(1)));
    let rounds = TaskTracker::new();
    let mut rescheduled: Option<Instant> = None;
    while !stop.is_cancelled() {
        let now = centre.records.now();
        if rescheduled.is_none_or(|at| at.elapsed() >= RESCHEDULE_EVERY) {
            let late = watch::reschedule(&centre.records, now).await;
            let late = late.context("looking for zones that a clock put off")?;
            if late > 0 {
                tracing::warn!(zones = late, "were put off by a clock that went back; they are due now");
            }
            rescheduled = Some(Instant::now());
        }
        for (watched, state) in watch::due(&centre.records, now)
            .await
            .context("looking for zones that are due")?
        {
            let zone = watched.watch.zone.clone();
            if !under_way
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(zone.clone())
            {
                continue;
            }
            let (centre, under_way, places, stop) = (centre.clone(), under_way.clone(), places.clone(), stop.clone());
            rounds.spawn(async move {
                let place = places.acquire_owned().await;
                let done = rounds_on(&centre, &watched, state).await;
                drop(place);
                if let Err(error) = done {
                    tracing::error!(%zone, "the round failed: {error:#}");
                    // it is due still, and its servers are not to be asked again and again because we have no room
                    let pause = Duration::from_secs(watched.watch.interval_secs.into()).min(LONGEST_PAUSE);
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = stop.cancelled() => {}
                    }
                }
                under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&zone);
            });
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
    rounds.close();
    rounds.wait().await;
    Ok(())
}

/// One round, and a confirming one when something seems to have got worse.
async fn rounds_on(centre: &Centre, watched: &WatchedZone, state: Option<ZoneState>) -> anyhow::Result<()> {
    let (state, confirm_soon) = round(centre, watched, state.as_ref()).await?;
    if confirm_soon {
        tokio::time::sleep(CONFIRM_AFTER).await;
        round(centre, watched, Some(&state)).await?;
    }
    Ok(())
}

/// Measures, keeps, judges. The new state, and whether a confirming round is wanted soon.
async fn round(
    centre: &Centre,
    watched: &WatchedZone,
    before: Option<&ZoneState>,
) -> anyhow::Result<(ZoneState, bool)> {
    let zone = &watched.watch.zone;
    let now = centre.records.now();
    let memory: Memory = match before {
        Some(state) => serde_json::from_value(state.round.detectors.clone()).context("reading what is remembered")?,
        None => Memory::default(),
    };
    let longest = SignedDuration::from_mins(centre.config.dns.whole_every_minutes.into());
    let whole_every = agenda::spread(zone, longest);
    let agenda = Agenda::of(&memory, now, whole_every, centre.profile.cases.as_deref());
    let inquiry = centre.internet.inquiry();
    let plan = CheckPlan {
        profile: centre.profile.clone(),
        cases: agenda.cases().map(<[String]>::to_vec),
        ..CheckPlan::of(zone.clone())
    };
    let report = measure::check(&inquiry, &plan, now).await;
    let samples = inquiry.samples(&centre.config.dns.probe, zone);
    centre
        .lake
        .append_samples(&samples)
        .await
        .context("keeping the samples")?;

    let findings: Vec<Finding> = report.findings.iter().map(|(_, finding)| finding.clone()).collect();
    let above = watched_above(centre, zone).await?;
    let step = health::step(
        &health::Config::default(),
        memory.health.clone(),
        &health::Round {
            zone,
            time: now,
            findings: &findings,
            cases: agenda.cases(),
            above: &above,
            secured: report.delegation.as_ref().map(|delegation| !delegation.ds.is_empty()),
            untestable: report.untestable.is_some(),
        },
    );
    let mut signals = step.signals;
    signals.extend(delegation_signals(centre, watched, before, &report, now).await?);
    raise(centre, &signals).await?;
    for key in &step.recovered {
        end_alert(centre, key, &Statement::WellAgain).await?;
    }
    let seen_before = before.and_then(|state| state.round.seen.as_ref());
    let whole_at = match report.untestable {
        None => agenda.whole_at(&memory, now, seen_before, report.delegation.as_ref()),
        Some(_) => memory.whole_at,
    };
    let memory = Memory {
        health: step.state,
        whole_at,
    };
    let round = Round {
        time: now,
        findings: agenda.merge(before.map_or(&[], |state| &state.round.findings), findings),
        seen: report.delegation,
        servers: serde_json::to_value(&report.servers).context("writing the servers' states")?,
        detectors: serde_json::to_value(&memory).context("writing what is remembered")?,
        untestable: report.untestable,
    };
    let state = watch::record_round(&centre.records, watched.id, round)
        .await
        .context("recording the round")?;
    Ok((state, step.confirm_soon))
}

/// The zones above `zone` that are watched themselves.
async fn watched_above(centre: &Centre, zone: &Name) -> anyhow::Result<Vec<Name>> {
    let mut above = Vec::new();
    let mut next = zone.parent();
    while let Some(name) = next {
        let watched = watch::by_zone(&centre.records, &name).await;
        if watched.context("looking for zones above")?.is_some() {
            above.push(name.clone());
        }
        next = name.parent();
    }
    Ok(above)
}

/// Raises the alerts. One that takes in others ends them: the same matter stands in the queue once.
async fn raise(centre: &Centre, signals: &[Signal]) -> anyhow::Result<()> {
    for signal in signals {
        alerts::raise(&centre.records, signal)
            .await
            .with_context(|| format!("raising the alert `{}`", signal.key))?;
        for key in signal
            .args
            .get("supersedes")
            .into_iter()
            .flat_map(|keys| keys.split([',', ' ']))
        {
            if !key.is_empty() {
                let part_of = Statement::PartOf {
                    kind: signal.kind.clone(),
                    about: signal.args.get("target").unwrap_or(&signal.key).clone(),
                };
                end_alert(centre, key, &part_of).await?;
            }
        }
    }
    Ok(())
}

/// Compares what the parent says with what it said in the round before, and judges the changes of the last days together.
async fn delegation_signals(
    centre: &Centre,
    watched: &WatchedZone,
    before: Option<&ZoneState>,
    report: &Report,
    now: Timestamp,
) -> anyhow::Result<Vec<Signal>> {
    let zone = &watched.watch.zone;
    let before = before
        .and_then(|state| state.round.seen.as_ref())
        .or(watched.watch.expected.as_ref());
    let (Some(before), Some(seen)) = (before, &report.delegation) else {
        return Ok(Vec::new());
    };
    if redelegation::diff(zone, before, seen, now, &[]).is_empty() {
        return Ok(Vec::new());
    }
    let announcements: Vec<redelegation::Announcement> = announcement::current(&centre.records, zone, now)
        .await
        .context("reading what was announced")?
        .into_iter()
        .map(|announced| redelegation::Announcement {
            from: announced.change.from,
            until: announced.change.until,
            parts: BTreeSet::new(),
            expected: announced.change.expected,
        })
        .collect();
    let changes = redelegation::diff(zone, before, seen, now, &announcements);
    centre
        .lake
        .append_zone_changes(&changes)
        .await
        .context("keeping the changes")?;
    let window = centre
        .lake
        .zone_changes(None, now - LOOK_BACK, now + SignedDuration::from_secs(1))
        .await
        .context("reading the changes of the last days")?;
    let expected = watched.watch.expected.as_ref();
    if expected.is_some_and(|expected| redelegation::diff(zone, expected, seen, now, &[]).is_empty()) {
        // It is delegated as it should be: the change was a repair, which the request's own check verifies.
        return Ok(Vec::new());
    }
    let watch_list = watch::list(&centre.records).await.context("reading the watch list")?;
    let known_servers: BTreeSet<Name> = watch_list
        .iter()
        .filter_map(|other| other.watch.expected.as_ref())
        .flat_map(|e| e.ns.keys().cloned())
        .collect();
    let mut observed = Vec::new();
    for change in window {
        observed.push(observe(centre, change).await?);
    }
    let concerns = |signal: &Signal| signal.zones.contains(zone);
    let signals = redelegation::assess(&redelegation::Config::default(), &observed, &known_servers, now);
    Ok(signals.into_iter().filter(concerns).collect())
}

/// A change with who answers for its zone.
async fn observe(centre: &Centre, change: ZoneChange) -> anyhow::Result<redelegation::Observed> {
    let target = directory::Target::Name(change.zone.clone());
    let routes = directory::route(&centre.records, &target)
        .await
        .context("finding who answers for a zone")?;
    let organisation = routes.first().map(|route| route.organisation.profile.name.clone());
    Ok(redelegation::Observed {
        change,
        organisation,
        addresses: BTreeSet::new(),
    })
}

/// Ends the alert of a matter that is over by itself. One in a case stays: its request decides.
pub(super) async fn end_alert(centre: &Centre, key: &str, reason: &Statement) -> anyhow::Result<()> {
    let filter = alerts::Filter {
        states: vec![AlertState::New],
        text: key.to_owned(),
        ..alerts::Filter::default()
    };
    let found = alerts::queue(&centre.records, &filter)
        .await
        .context("looking for the alert")?;
    for alert in found.into_iter().filter(|alert| alert.key == key) {
        match alerts::end(&centre.records, Actor::System, alert.id, &reason.to_string()).await {
            // Another round, or a person, was faster.
            Ok(_) | Err(csirt::Error::Conflict { .. }) => {}
            Err(error) => return Err(error).with_context(|| format!("ending the alert `{key}`")),
        }
    }
    Ok(())
}
