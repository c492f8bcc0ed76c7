//! The desk: keeps what rounds measured, lets the detectors judge it, and raises the alerts; many rounds at a time.
//!
//! One change of the records for each round would be too slow for many zones, and each zone of a mass takeover would have
//! all the others' changes judged anew. So rounds wait here in a queue, and the desk takes whatever waits as one batch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use csirt::alerts;
use csirt::directory::{self, Target};
use csirt::watch::{self, Round, WatchedZone, ZoneState, announcement};
use csirt::{Actor, Statement};
use detect::redelegation::{self, Observed};
use detect::{health, outage};
use jiff::{SignedDuration, Timestamp};
use measure::Report;
use model::{Delegation, Finding, Name, Sample, Signal, ZoneChange};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::Centre;
use super::agenda::{Agenda, Memory};
use super::outages::{self, Outages};

/// Rounds of one batch at most. More would make the first of them wait longer for their alerts.
const BATCH: usize = 256;

/// How far back delegation changes are looked at together with a new one: the longest that the detector looks at.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(72);

/// How long what is read for judging changes counts as fresh: the known servers, and in a mass of changes the directory. Longer, and a
/// server that was accepted a moment ago counts as new; shorter, and a takeover of thousands reads all of it again and again.
const FRESH: Duration = Duration::from_secs(2);

/// Zones that changed in one batch from which the whole directory is read once, and not a route for each.
const MANY: usize = 8;

/// What one round measured.
pub struct Measured {
    /// The zone as it is watched.
    pub watched: WatchedZone,
    /// How it stood before.
    pub before: Option<ZoneState>,
    /// When the round began.
    pub time: Timestamp,
    /// What was asked.
    pub agenda: Agenda,
    /// What was remembered of the zone.
    pub memory: Memory,
    /// What the test cases say.
    pub report: Report,
    /// The exchanges.
    pub samples: Vec<Sample>,
}

impl Measured {
    fn zone(&self) -> &Name {
        &self.watched.watch.zone
    }

    /// How it was delegated in the round before, or else should be.
    fn delegated_before(&self) -> Option<&Delegation> {
        let seen = self.before.as_ref().and_then(|state| state.round.seen.as_ref());
        seen.or(self.watched.watch.expected.as_ref())
    }

    /// Whether it is delegated otherwise than before.
    fn has_moved(&self) -> bool {
        let (Some(before), Some(seen)) = (self.delegated_before(), &self.report.delegation) else {
            return false;
        };
        !redelegation::diff(self.zone(), before, seen, self.time, &[]).is_empty()
    }

    /// Whether it is delegated as it should be.
    fn is_as_expected(&self) -> bool {
        let (Some(expected), Some(seen)) = (&self.watched.watch.expected, &self.report.delegation) else {
            return false;
        };
        redelegation::diff(self.zone(), expected, seen, self.time, &[]).is_empty()
    }
}

/// What became of a round.
pub struct Kept {
    /// How the zone stands now.
    pub state: ZoneState,
    /// Whether a confirming round is wanted soon.
    pub confirm_soon: bool,
}

/// Where the answer goes.
pub type Reply = oneshot::Sender<anyhow::Result<Kept>>;

/// Keeps and judges until no round can come any more.
pub async fn run(centre: Arc<Centre>, mut rounds: mpsc::Receiver<(Measured, Reply)>) {
    let mut desk = Desk {
        centre,
        window: None,
        outages: Outages::default(),
        known: None,
        router: None,
    };
    let mut waiting = Vec::new();
    while rounds.recv_many(&mut waiting, BATCH).await > 0 {
        let (batch, replies): (Vec<Measured>, Vec<Reply>) = waiting.drain(..).unzip();
        let kept = desk.take(&batch).await;
        for (reply, kept) in replies.into_iter().zip(kept) {
            // nobody waits for it any more when the centre stops
            let _ = reply.send(kept);
        }
    }
}

struct Desk {
    centre: Arc<Centre>,
    /// The changes of the last days with who answers for their zones; `None` until one was seen.
    window: Option<Vec<Observed>>,
    outages: Outages,
    /// Name servers that watched zones should have.
    known: Option<(Instant, BTreeSet<Name>)>,
    router: Option<(Instant, directory::Router)>,
}

impl Desk {
    /// Keeps a batch. Where the records refuse it each round is tried by itself: one that cannot be kept takes no other with it.
    async fn take(&mut self, batch: &[Measured]) -> Vec<anyhow::Result<Kept>> {
        let samples: Vec<Sample> = batch.iter().flat_map(|round| round.samples.iter().cloned()).collect();
        if let Err(error) = self.centre.lake.append_samples(&samples).await {
            // An alert must not wait for the lake. That it is full shows by itself, as a condition of the centre.
            let (error, rounds) = (anyhow::Error::new(error), batch.len());
            tracing::error!(rounds, "could not keep the samples of rounds: {error:#}");
        }
        match self.keep(batch).await {
            Ok(kept) => kept,
            Err(error) if batch.len() == 1 => vec![Err(error)],
            Err(_) => {
                let mut kept = Vec::with_capacity(batch.len());
                for round in batch {
                    let alone = self.keep(std::slice::from_ref(round)).await;
                    kept.push(alone.and_then(|mut one| one.pop().context("no round was kept")?));
                }
                kept
            }
        }
    }

    /// Judges, raises, records. One result for each round of the batch.
    async fn keep(&mut self, batch: &[Measured]) -> anyhow::Result<Vec<anyhow::Result<Kept>>> {
        let watched_above = self.watched_above(batch).await?;
        let mut signals = Vec::new();
        let mut recovered = Vec::new();
        let mut rounds = Vec::with_capacity(batch.len());
        let mut confirm = Vec::with_capacity(batch.len());
        let mut answering = Vec::with_capacity(batch.len());
        for round in batch {
            let findings: Vec<Finding> = round
                .report
                .findings
                .iter()
                .map(|(_, finding)| finding.clone())
                .collect();
            let above: Vec<Name> = ancestors(round.zone())
                .filter(|name| watched_above.contains(name))
                .collect();
            let step = health::step(
                &health::Config::default(),
                round.memory.health.clone(),
                &health::Round {
                    zone: round.zone(),
                    time: round.time,
                    findings: &findings,
                    cases: round.agenda.cases(),
                    above: &above,
                    secured: round
                        .report
                        .delegation
                        .as_ref()
                        .map(|delegation| !delegation.ds.is_empty()),
                    untestable: round.report.untestable.is_some(),
                },
            );
            answering.push((round.zone(), outages::down(&step.state, &findings, &round.report)));
            signals.extend(step.signals);
            recovered.extend(step.recovered);
            confirm.push(step.confirm_soon);
            rounds.push((round.watched.id, recorded(round, findings, step.state)?));
        }
        let records = &self.centre.records;
        let (mut signals, over) = self.outages.judge(records, answering, signals).await?;
        recovered.extend(over);
        signals.extend(self.judge_changes(batch).await?);
        raise(&self.centre, &signals).await?;
        end_alerts(&self.centre, &recovered, &Statement::WellAgain).await?;
        let states = watch::record_rounds(&self.centre.records, rounds)
            .await
            .context("recording the rounds")?;
        let kept = states.into_iter().zip(confirm).zip(batch);
        Ok(kept
            .map(|((state, confirm_soon), round)| {
                let state = state.with_context(|| format!("`{}` is watched no more", round.zone()))?;
                Ok(Kept { state, confirm_soon })
            })
            .collect())
    }

    /// The zones above those of the batch that are watched themselves.
    async fn watched_above(&self, batch: &[Measured]) -> anyhow::Result<BTreeSet<Name>> {
        let names: BTreeSet<Name> = batch.iter().flat_map(|round| ancestors(round.zone())).collect();
        watch::watched_among(&self.centre.records, &names)
            .await
            .context("looking for zones above")
    }

    /// Compares what the parents say with what they said in the rounds before, and judges the changes of the last days together.
    async fn judge_changes(&mut self, batch: &[Measured]) -> anyhow::Result<Vec<Signal>> {
        let moved: Vec<&Measured> = batch.iter().filter(|round| round.has_moved()).collect();
        let Some(now) = moved.iter().map(|round| round.time).max() else {
            return Ok(Vec::new());
        };
        // what was kept already belongs to the window before the new changes are added to it
        if self.window.is_none() {
            self.window = Some(self.changes_since(now - LOOK_BACK).await?);
        }
        let mut changes = Vec::new();
        for round in &moved {
            changes.extend(self.changes_of(round).await?);
        }
        if let Err(error) = self.centre.lake.append_zone_changes(&changes).await {
            let (error, changes) = (anyhow::Error::new(error), changes.len());
            tracing::error!(changes, "could not keep changes of delegations: {error:#}");
        }
        let observed = self.observe(changes).await?;
        let known = self.known_servers().await?;
        let window = self.window.get_or_insert_default();
        window.extend(observed);
        window.retain(|observed| observed.change.time >= now - LOOK_BACK);
        let (window, task_known) = (window.clone(), known);
        let signals = tokio::task::spawn_blocking(move || {
            redelegation::assess(&redelegation::Config::default(), &window, &task_known, now)
        })
        .await
        .context("judging the changes")?;
        // A zone that is delegated as it should be has been repaired, which the request's own check verifies.
        let concerned: BTreeSet<&Name> = moved
            .iter()
            .filter(|round| !round.is_as_expected())
            .map(|round| round.zone())
            .collect();
        let concerns = |signal: &Signal| signal.zones.iter().any(|zone| concerned.contains(zone));
        Ok(signals.into_iter().filter(concerns).collect())
    }

    async fn changes_of(&self, round: &Measured) -> anyhow::Result<Vec<ZoneChange>> {
        let (Some(before), Some(seen)) = (round.delegated_before(), &round.report.delegation) else {
            return Ok(Vec::new());
        };
        let announcements = announcement::current(&self.centre.records, round.zone(), round.time)
            .await
            .context("reading what was announced")?;
        let announcements: Vec<redelegation::Announcement> = announcements
            .into_iter()
            .map(|announced| redelegation::Announcement {
                from: announced.change.from,
                until: announced.change.until,
                parts: BTreeSet::new(),
                expected: announced.change.expected,
            })
            .collect();
        Ok(redelegation::diff(
            round.zone(),
            before,
            seen,
            round.time,
            &announcements,
        ))
    }

    /// What was kept of changes since then.
    async fn changes_since(&mut self, from: Timestamp) -> anyhow::Result<Vec<Observed>> {
        let changes = self.centre.lake.zone_changes(None, from, Timestamp::MAX).await;
        self.observe(changes.context("reading the changes of the last days")?)
            .await
    }

    /// Changes with who answers for their zones.
    async fn observe(&mut self, changes: Vec<ZoneChange>) -> anyhow::Result<Vec<Observed>> {
        let zones: BTreeSet<Name> = changes.iter().map(|change| change.zone.clone()).collect();
        let mut organisations: BTreeMap<Name, Option<String>> = BTreeMap::new();
        let is_many = zones.len() >= MANY;
        if is_many && !is_fresh(self.router.as_ref()) {
            let router = directory::Router::load(&self.centre.records).await;
            self.router = Some((Instant::now(), router.context("reading the directory")?));
        }
        for zone in zones {
            let target = Target::Name(zone.clone());
            let routes = match &self.router {
                Some((_, router)) if is_many => router.route(&target),
                _ => directory::route(&self.centre.records, &target)
                    .await
                    .context("finding who answers for a zone")?,
            };
            let organisation = routes.first().map(|route| route.organisation.profile.name.clone());
            organisations.insert(zone, organisation);
        }
        let observed = changes.into_iter().map(|change| Observed {
            organisation: organisations.get(&change.zone).cloned().flatten(),
            change,
            addresses: BTreeSet::new(),
        });
        Ok(observed.collect())
    }

    async fn known_servers(&mut self) -> anyhow::Result<BTreeSet<Name>> {
        if !is_fresh(self.known.as_ref()) {
            let watch_list = watch::list(&self.centre.records).await;
            let watch_list = watch_list.context("reading the watch list")?;
            let expected = watch_list.into_iter().filter_map(|watched| watched.watch.expected);
            let servers = expected.flat_map(|expected| expected.ns.into_keys()).collect();
            self.known = Some((Instant::now(), servers));
        }
        Ok(self
            .known
            .as_ref()
            .map(|(_, servers)| servers.clone())
            .unwrap_or_default())
    }
}

fn is_fresh<T>(read: Option<&(Instant, T)>) -> bool {
    read.is_some_and(|(at, _)| at.elapsed() < FRESH)
}

fn ancestors(zone: &Name) -> impl Iterator<Item = Name> + use<> {
    std::iter::successors(zone.parent(), Name::parent)
}

/// The round as it is recorded.
fn recorded(round: &Measured, findings: Vec<Finding>, state: health::State) -> anyhow::Result<Round> {
    let seen_before = round.before.as_ref().and_then(|state| state.round.seen.as_ref());
    let report = &round.report;
    let whole_at = match report.untestable {
        None => round
            .agenda
            .whole_at(&round.memory, round.time, seen_before, report.delegation.as_ref()),
        Some(_) => round.memory.whole_at,
    };
    let memory = Memory {
        health: state,
        whole_at,
    };
    let found_before = round.before.as_ref().map_or(&[][..], |state| &state.round.findings);
    Ok(Round {
        time: round.time,
        findings: round.agenda.merge(found_before, findings),
        seen: report.delegation.clone(),
        servers: serde_json::to_value(&report.servers).context("writing the servers' states")?,
        detectors: serde_json::to_value(&memory).context("writing what is remembered")?,
        untestable: report.untestable.clone(),
    })
}

/// Raises the alerts. One that takes in others ends them: the same matter stands in the queue once.
async fn raise(centre: &Centre, signals: &[Signal]) -> anyhow::Result<()> {
    alerts::raise_all(&centre.records, signals)
        .await
        .context("raising alerts")?;
    for signal in signals {
        let part_of = Statement::PartOf {
            kind: signal.kind.clone(),
            about: signal.args.get("target").unwrap_or(&signal.key).clone(),
        };
        let parts = [redelegation::superseded(signal), outage::superseded(signal)].concat();
        end_alerts(centre, &parts, &part_of).await?;
    }
    Ok(())
}

/// Ends the alerts of matters that are over by themselves. One in a case stays: its request decides.
pub(super) async fn end_alerts(centre: &Centre, keys: &[String], reason: &Statement) -> anyhow::Result<()> {
    let found = alerts::new_with_keys(&centre.records, keys)
        .await
        .context("looking for alerts that are over")?;
    for alert in found {
        match alerts::end(&centre.records, Actor::System, alert.id, &reason.to_string()).await {
            // Another round, or a person, was faster.
            Ok(_) | Err(csirt::Error::Conflict { .. }) => {}
            Err(error) => return Err(error).with_context(|| format!("ending the alert `{}`", alert.key)),
        }
    }
    Ok(())
}
