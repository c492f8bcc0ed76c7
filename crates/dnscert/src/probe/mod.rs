//! A vantage point at work: pulls its plan, measures on its grid, seals what it measured into its spool, and hands the parts over.
//!
//! The three go on by themselves: a line that is down stops none of the measuring, and a restart without it goes on with
//! the last plan. Each part is durable in the spool before it is handed over and stays there until the centre has it; what an
//! abrupt end loses is the measurement that was under way.

mod line;
mod spool;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use measure::{Internet, carry_out};
use model::{Clock, Plan, Sample};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use line::{Failure, Line, Said};
pub use spool::Spool;

/// Samples from which on a part is sealed before its interval is over: some 250 KB.
const PART_SAMPLES: usize = 10_000;

/// Pause between two pulls of the plan: a new zone is measured within this and an interval.
const PULL_EVERY: Duration = Duration::from_secs(60);

/// Pause between two words to the centre. A third of the shortest silence that a centre should call one.
const SPEAK_EVERY: Duration = Duration::from_secs(30);

/// First and longest pause after a failed hand-over.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(120));

/// Pause after the centre said that it does not know the token. It may be known again after a mistake is mended; asking more often
/// helps nobody.
const UNKNOWN_PAUSE: Duration = Duration::from_secs(300);

/// How the vantage point runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address of the centre: `https://dnscert.example`.
    pub centre: String,
    /// Its token.
    pub token: String,
    /// Folder for plan and parts.
    pub spool: PathBuf,
    /// Octets that the parts may take there.
    pub spool_bytes: u64,
    /// A certificate to trust besides the system's, as PEM.
    pub certificate: Option<Vec<u8>>,
    /// Whether the token may travel without TLS to another machine.
    pub plain_http: bool,
}

struct Probe {
    line: Line,
    spool: Spool,
    clock: Arc<dyn Clock>,
    plan: watch::Sender<Option<Arc<Plan>>>,
    /// Measured, and not sealed yet: what an abrupt end would lose.
    fresh: Mutex<Vec<Sample>>,
}

/// Runs until `stop`. Fails only where it cannot begin: a bad address, a spool that cannot be written.
pub async fn run(settings: Settings, clock: Arc<dyn Clock>, stop: CancellationToken) -> anyhow::Result<()> {
    let line = Line::open(&settings)?;
    let spool = Spool::open(&settings.spool, settings.spool_bytes)?;
    let kept = spool.plan().context("reading the last plan")?;
    let probe = Probe {
        line,
        spool,
        clock,
        plan: watch::Sender::new(kept.map(Arc::new)),
        fresh: Mutex::default(),
    };
    tokio::select! {
        () = probe.pull_plans() => {}
        () = probe.measure() => {}
        () = probe.hand_over() => {}
        () = probe.speak() => {}
        () = stop.cancelled() => {}
    }
    probe.seal().await;
    Ok(())
}

impl Probe {
    /// Pulls the plan again and again; keeps it, so that a restart without the line has one.
    async fn pull_plans(&self) {
        let mut was_told = Told::default();
        loop {
            let pause = match self.line.plan().await {
                Ok(None) => {
                    was_told.works();
                    PULL_EVERY
                }
                Ok(Some(plan)) => {
                    was_told.works();
                    self.take(plan);
                    PULL_EVERY
                }
                Err(failure) => was_told.fails(&failure, PULL_EVERY),
            };
            tokio::time::sleep(pause).await;
        }
    }

    fn take(&self, plan: Plan) {
        if let Err(error) = plan.check() {
            tracing::error!("the centre's plan is not carried out: {error}");
            return;
        }
        if let Err(error) = self.spool.keep_plan(&plan) {
            tracing::error!("the plan could not be kept: {error:#}");
        }
        let (zones, questions) = (plan.zones.len(), plan.question_count());
        let left_out = plan.left_out;
        tracing::info!(
            zones,
            questions,
            left_out,
            interval_secs = plan.interval_secs,
            "a plan came"
        );
        self.plan.send_replace(Some(Arc::new(plan)));
    }

    /// Measures at each start of the plan's grid.
    async fn measure(&self) {
        let mut plans = self.plan.subscribe();
        let mut internet: Option<(Arc<Plan>, Internet)> = None;
        loop {
            let plan = plans.borrow_and_update().clone();
            let Some(plan) = plan else {
                if plans.changed().await.is_err() {
                    return;
                }
                continue;
            };
            if internet.as_ref().is_none_or(|(of, _)| !is_same_way(of, &plan)) {
                match open_internet(&plan) {
                    Ok(opened) => internet = Some((plan.clone(), opened)),
                    Err(error) => {
                        tracing::error!("cannot measure: {error:#}");
                        if plans.changed().await.is_err() {
                            return;
                        }
                        continue;
                    }
                }
            }
            let now = self.clock.now();
            let start = plan.next_start(now);
            let wait = Duration::try_from(start.duration_since(now)).unwrap_or(Duration::ZERO);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                changed = plans.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return,
                },
            }
            if let Some((_, internet)) = &internet {
                self.measure_once(internet, &plan).await;
            }
        }
    }

    /// One interval: all questions once, sealed as they come.
    async fn measure_once(&self, internet: &Internet, plan: &Plan) {
        let mut asked = std::pin::pin!(carry_out(internet, plan));
        while let Some(of_zone) = asked.next().await {
            let fresh = {
                let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
                fresh.extend(of_zone);
                fresh.len()
            };
            if fresh >= PART_SAMPLES {
                self.seal().await;
            }
        }
        self.seal().await;
    }

    /// Seals what is fresh into the spool.
    async fn seal(&self) {
        let samples = std::mem::take(&mut *self.fresh.lock().unwrap_or_else(PoisonError::into_inner));
        if samples.is_empty() {
            return;
        }
        let (spool, count) = (self.spool.clone(), samples.len());
        let sealed = tokio::task::spawn_blocking(move || spool.keep(&samples)).await;
        match sealed.context("sealing a part").and_then(|sealed| sealed) {
            Ok(()) => tracing::debug!(samples = count, "sealed a part"),
            Err(error) => {
                self.spool.lose(count as u64);
                tracing::error!(
                    samples = count,
                    "samples are lost, the spool cannot take them: {error:#}"
                );
            }
        }
    }

    /// Hands over what the spool has, the newest first: after an outage the centre sees the present before the past.
    async fn hand_over(&self) {
        let mut was_told = Told::default();
        let mut pause = BACK_OFF.0;
        loop {
            let oldest = self.clock.now().saturating_sub(lake::Limits::default().oldest);
            if let Err(error) = self.spool.drop_older_than(oldest.unwrap_or(Timestamp::MIN)) {
                tracing::error!("{error:#}");
            }
            let Some(part) = self.spool.newest() else {
                self.spool.grown().await;
                continue;
            };
            let octets = match self.spool.read(&part) {
                Ok(octets) => octets,
                Err(error) => {
                    tracing::error!("{error:#}");
                    self.spool.set_aside(&part, "it cannot be read");
                    continue;
                }
            };
            match self.line.part(&part.id, octets).await {
                Ok(()) => {
                    was_told.works();
                    pause = BACK_OFF.0;
                    self.spool.remove(&part);
                }
                Err(Failure::Refused(reason)) => {
                    tracing::error!(part = %part.id, reason, "the centre refuses a part; it lies aside");
                    self.spool.set_aside(&part, &reason);
                }
                Err(failure) => {
                    tokio::time::sleep(was_told.fails(&failure, pause)).await;
                    pause = (pause * 2).min(BACK_OFF.1);
                }
            }
        }
    }

    /// Tells the centre how it is, and learns how wrong its own clock is.
    async fn speak(&self) {
        let mut was_told = Told::default();
        let mut clock = None;
        loop {
            let sent = self.clock.now();
            let (offset_us, round_trip_us) = match clock {
                Some((offset_us, round_trip_us)) => (Some(offset_us), Some(round_trip_us)),
                None => (None, None),
            };
            let waiting = self.spool.waiting();
            let said = Said {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                clock_offset_us: offset_us,
                round_trip_us,
                spool_parts: waiting.parts,
                spool_bytes: waiting.bytes,
                oldest_part: waiting.oldest,
                dropped_samples: waiting.dropped_samples,
            };
            let is_first = clock.is_none();
            let pause = match self.line.state(&said).await {
                Ok(clocks) => {
                    was_told.works();
                    clock = Some(clock_error(sent, clocks.received, clocks.answered, self.clock.now()));
                    // the offset is known from the second exchange on: have it soon
                    if is_first { Duration::from_secs(1) } else { SPEAK_EVERY }
                }
                Err(failure) => was_told.fails(&failure, SPEAK_EVERY),
            };
            tokio::time::sleep(pause).await;
        }
    }
}

/// Our clock less the centre's, and the time on the way, both in microseconds (RFC 5905 §8, on-wire protocol).
fn clock_error(sent: Timestamp, received: Timestamp, answered: Timestamp, back: Timestamp) -> (i64, i64) {
    let us = |span: SignedDuration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    let there = us(received.duration_since(sent));
    let here = us(answered.duration_since(back));
    let offset = there.saturating_add(here) / 2;
    let round_trip = us(back.duration_since(sent)).saturating_sub(us(answered.duration_since(received)));
    (offset.saturating_neg(), round_trip.max(0))
}

/// Whether the transport need not be opened anew.
fn is_same_way(one: &Plan, other: &Plan) -> bool {
    (one.port, one.timeout_ms) == (other.port, other.timeout_ms)
}

fn open_internet(plan: &Plan) -> anyhow::Result<Internet> {
    let settings = measure::Settings {
        // nothing is walked from the root here, but the transport wants to know some
        hints: measure::root_servers(),
        port: plan.port,
        timeout: Duration::from_millis(plan.timeout_ms.into()),
        ..measure::Settings::default()
    };
    Internet::open(settings).context("opening sockets to ask the DNS")
}

/// Says once that something fails, and once that it works again.
#[derive(Default)]
struct Told(Option<String>);

impl Told {
    fn works(&mut self) {
        if self.0.take().is_some() {
            tracing::info!("the centre answers again");
        }
    }

    /// The pause until the next try.
    fn fails(&mut self, failure: &Failure, pause: Duration) -> Duration {
        let reason = failure.to_string();
        if self.0.as_ref() != Some(&reason) {
            tracing::warn!("{reason}; samples wait in the spool");
            self.0 = Some(reason);
        }
        match failure {
            Failure::UnknownToken => UNKNOWN_PAUSE,
            _ => pause,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(microseconds: i64) -> Timestamp {
        Timestamp::from_microsecond(1_800_000_000_000_000 + microseconds).unwrap()
    }

    #[test]
    fn the_clock_s_error_is_told_apart_from_the_way() {
        // Our clock is 500 ms ahead; 20 ms there, 4 ms at the centre, 20 ms back.
        let ours = |centre: i64| at(centre + 500_000);
        assert_eq!(
            clock_error(ours(0), at(20_000), at(24_000), ours(44_000)),
            (500_000, 40_000)
        );
        // Behind by 2 s, and a way that is slower there than back: half of the difference is taken for the clock's.
        let ours = |centre: i64| at(centre - 2_000_000);
        assert_eq!(
            clock_error(ours(0), at(90_000), at(90_000), ours(100_000)),
            (-2_000_000 - 40_000, 100_000)
        );
    }

    #[test]
    fn a_clock_that_jumps_gives_no_negative_way() {
        assert_eq!(clock_error(at(1_000_000), at(0), at(0), at(500_000)).1, 0);
    }
}
