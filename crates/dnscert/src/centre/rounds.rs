//! The rounds: measures each watched zone on its interval and hands what was seen to the desk.

use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use csirt::watch::{self, WatchedZone, ZoneState};
use jiff::{SignedDuration, Timestamp};
use measure::{CheckPlan, Report, ServerState};
use model::Id;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use web::Condition;

use super::Centre;
use super::agenda::{self, Agenda, Memory};
use super::desk::{self, Kept, Measured};
use super::sight::{self, Doubt};

/// Pause between two looks at which zones are due: how late a round may start.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How often zones are looked for that a clock which went back has put off, and whether rounds keep up: at most so much later
/// the former are measured.
const RESCHEDULE_EVERY: Duration = Duration::from_secs(5);

/// The longest pause after a round that failed for the centre's own trouble. Longer, and a zone is looked at late when the trouble is
/// over.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Pause before a confirming round: long enough for a lost packet or a restarting server, short enough not to cost an interval.
const CONFIRM_AFTER: Duration = Duration::from_millis(500);

/// How often a round checks its zone where servers that were silent answer right afterwards. Once more tells a line that came back from
/// servers that come and go; more would put the alert off.
const CHECKS: u32 = 2;

/// A round that comes later than this, and than an interval after it was due, is behind. Chosen by us: lower, and a zone whose
/// round failed once, or a centre that was just started, would be told of; higher, and nobody learns that the centre sees outages late.
const BEHIND: SignedDuration = SignedDuration::from_mins(1);

/// Measures what is due until the centre stops. A zone whose servers are silent does not delay the others.
pub async fn run(centre: Arc<Centre>, stop: CancellationToken) -> anyhow::Result<()> {
    let under_way = UnderWay::default();
    let places = Arc::new(Semaphore::new(centre.config.dns.zones_at_once.max(1)));
    let (to_desk, at_desk) = mpsc::channel(centre.config.dns.zones_at_once.max(1));
    let desk = tokio::spawn(desk::run(centre.clone(), at_desk));
    let rounds = TaskTracker::new();
    let mut rescheduled: Option<Instant> = None;
    while !stop.is_cancelled() {
        if desk.is_finished() {
            desk.await.context("keeping what was measured")?;
            anyhow::bail!("nobody keeps what is measured");
        }
        let now = centre.records.now();
        if rescheduled.is_none_or(|at| at.elapsed() >= RESCHEDULE_EVERY) {
            let late = watch::reschedule(&centre.records, now).await;
            let late = late.context("looking for zones that a clock put off")?;
            if late > 0 {
                tracing::warn!(zones = late, "were put off by a clock that went back; they are due now");
            }
            look_behind(&centre, now).await?;
            rescheduled = Some(Instant::now());
        }
        let busy = under_way.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (watched, state) in watch::due(&centre.records, now, &busy, places.available_permits())
            .await
            .context("looking for zones that are due")?
        {
            let Ok(place) = places.clone().try_acquire_owned() else {
                break;
            };
            let mark = Mark::of(&under_way, watched.id);
            let (centre, to_desk, stop) = (centre.clone(), to_desk.clone(), stop.clone());
            rounds.spawn(async move {
                let done = rounds_on(&centre, &watched, state, &to_desk, &stop).await;
                drop(place);
                if let Err(error) = done {
                    tracing::error!(zone = %watched.watch.zone, "the round failed: {error:#}");
                    // it is due still, and its servers are not to be asked again and again because we have no room
                    let pause = Duration::from_secs(watched.watch.interval_secs.into()).min(LONGEST_PAUSE);
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = stop.cancelled() => {}
                    }
                }
                drop(mark);
            });
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
    rounds.close();
    rounds.wait().await;
    drop(to_desk);
    desk.await.context("waiting for what was measured to be kept")
}

type UnderWay = Arc<Mutex<HashSet<Id<WatchedZone>>>>;

/// A zone that is under way, until this is dropped: also by a round that panics, or it would never be measured again.
struct Mark(UnderWay, Id<WatchedZone>);

impl Mark {
    fn of(under_way: &UnderWay, zone: Id<WatchedZone>) -> Self {
        under_way.lock().unwrap_or_else(PoisonError::into_inner).insert(zone);
        Self(under_way.clone(), zone)
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.remove(&self.1);
    }
}

/// Says where the centre does not keep up with its watch list.
async fn look_behind(centre: &Centre, now: Timestamp) -> anyhow::Result<()> {
    let behind = watch::behind(&centre.records, now, BEHIND).await;
    let behind = behind.context("looking for zones whose rounds are behind")?;
    match behind {
        0 => centre.conditions.clear(Condition::RoundsBehind),
        zones => centre.conditions.set(Condition::RoundsBehind, now, &zones.to_string()),
    }
    Ok(())
}

/// One round, and a confirming one when something seems to have got worse. What a stop interrupts is measured again after the
/// start.
async fn rounds_on(
    centre: &Centre,
    watched: &WatchedZone,
    state: Option<ZoneState>,
    to_desk: &mpsc::Sender<(Measured, desk::Reply)>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let mut before = state;
    for is_confirming in [false, true] {
        let measured = tokio::select! {
            measured = measure(centre, watched, before) => measured?,
            () = stop.cancelled() => return Ok(()),
        };
        let (reply, answer) = oneshot::channel();
        let handed = to_desk.send((measured, reply)).await;
        handed.map_err(|_| anyhow::anyhow!("the desk is closed"))?;
        let Kept { state, confirm_soon } = answer.await.context("waiting for the round to be kept")??;
        if is_confirming || !confirm_soon {
            break;
        }
        before = Some(state);
        tokio::time::sleep(CONFIRM_AFTER).await;
    }
    Ok(())
}

async fn measure(centre: &Centre, watched: &WatchedZone, before: Option<ZoneState>) -> anyhow::Result<Measured> {
    let zone = &watched.watch.zone;
    let now = centre.records.now();
    let memory: Memory = match &before {
        Some(state) => serde_json::from_value(state.round.detectors.clone()).context("reading what is remembered")?,
        None => Memory::default(),
    };
    let longest = SignedDuration::from_mins(centre.config.dns.whole_every_minutes.into());
    let whole_every = agenda::spread(zone, longest);
    let agenda = Agenda::of(&memory, now, whole_every, centre.profile.cases.as_deref());
    let plan = CheckPlan {
        profile: centre.profile.clone(),
        cases: agenda.cases().map(<[String]>::to_vec),
        ..CheckPlan::of(zone.clone())
    };
    let mut checks = 0;
    let (inquiry, report) = loop {
        let mark = centre.sight.mark();
        let inquiry = match checks {
            0 => centre.internet.inquiry(),
            // what others heard in the meantime may be of the trouble that is over
            _ => centre.internet.inquiry_alone(),
        };
        let mut report = measure::check(&inquiry, &plan, now).await;
        checks += 1;
        match doubt(centre, mark, before.as_ref(), &report).await {
            Some(Doubt::Over) if checks < CHECKS => continue,
            Some(Doubt::Ours(reason)) => report.untestable = Some(reason),
            Some(Doubt::Over) | None => {}
        }
        break (inquiry, report);
    };
    let samples = inquiry.samples(&centre.config.dns.probe, zone);
    Ok(Measured {
        watched: watched.clone(),
        before,
        time: now,
        agenda,
        memory,
        report,
        samples,
    })
}

/// What speaks against the silence of servers that answered before, or were not asked before.
async fn doubt(centre: &Centre, since: sight::Mark, before: Option<&ZoneState>, report: &Report) -> Option<Doubt> {
    let known = before.map(|state| state.round.servers.clone());
    let known: Vec<ServerState> = known
        .and_then(|servers| serde_json::from_value(servers).ok())
        .unwrap_or_default();
    let was_silent = |server: &ServerState| {
        let of_address = known.iter().find(|known| known.address == server.address);
        of_address.is_some_and(|known| !known.reachable)
    };
    let silent = report.servers.iter().filter(|server| !server.reachable);
    let silent: BTreeSet<IpAddr> = silent
        .filter(|server| !was_silent(server))
        .map(|server| server.address)
        .collect();
    // where no address was learnt there is nobody to be silent
    let is_lost = report.servers.is_empty() && known.iter().any(|server| server.reachable);
    if report.untestable.is_some() || (silent.is_empty() && !is_lost) {
        return None;
    }
    let failures = before.map_or(0, |state| state.failures);
    let silent: Vec<IpAddr> = silent.into_iter().collect();
    centre.sight.doubt(&centre.internet, since, &silent, failures).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_round_that_panics_leaves_its_zone_to_be_measured_again() {
        let under_way = UnderWay::default();
        let zone: Id<WatchedZone> = "00000000-0000-0000-0000-000000000007".parse().unwrap();
        let mark = Mark::of(&under_way, zone);
        assert!(under_way.lock().unwrap().contains(&zone));
        let round = tokio::spawn(async move {
            let _mark = mark;
            panic!("a round that panics");
        });
        assert!(round.await.is_err());
        assert!(under_way.lock().unwrap().is_empty());
    }
}
