//! A vantage point that asks, at work: pulls its plan, measures on its grid, seals what it measured into its spool, and hands the parts
//! over.
//!
//! The three go on by themselves: a line that is down stops none of the measuring, and a restart without it goes on with
//! the last plan. Each part is durable in the spool before it is handed over and stays there until the centre has it; what an
//! abrupt end loses is the measurement that was under way.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use measure::{Internet, carry_out};
use model::{Clock, Plan, Sample};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::hand_over::{Form, HandOver, Settings, Told};

/// Samples from which on a part is sealed before its interval is over: some 250 KB.
const PART_SAMPLES: usize = 10_000;

/// Pause between two pulls of the plan: a new zone is measured within this and an interval.
const PULL_EVERY: Duration = Duration::from_secs(60);

struct Probe {
    way: HandOver,
    plan: watch::Sender<Option<Arc<Plan>>>,
    /// Measured, and not sealed yet: what an abrupt end would lose.
    fresh: Mutex<Vec<Sample>>,
}

/// Runs until `stop`. Fails only where it cannot begin: a bad address, a spool that cannot be written.
pub async fn run(settings: Settings, clock: Arc<dyn Clock>, stop: CancellationToken) -> anyhow::Result<()> {
    let way = HandOver::open(&settings, Form::Samples, clock)?;
    let kept = way.spool.plan().context("reading the last plan")?;
    let probe = Probe {
        way,
        plan: watch::Sender::new(kept.map(Arc::new)),
        fresh: Mutex::default(),
    };
    tokio::select! {
        () = probe.pull_plans() => {}
        () = probe.measure() => {}
        () = probe.way.hand_over() => {}
        () = probe.way.speak(|| 0) => {}
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
            let pause = match self.way.line.plan().await {
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
        if let Err(error) = self.way.spool.keep_plan(&plan) {
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
            let now = self.way.clock.now();
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
        let (spool, count) = (self.way.spool.clone(), samples.len());
        let sealed = tokio::task::spawn_blocking(move || spool.keep(&samples)).await;
        match sealed.context("sealing a part").and_then(|sealed| sealed) {
            Ok(()) => tracing::debug!(samples = count, "sealed a part"),
            Err(error) => {
                self.way.spool.lose(count as u64);
                tracing::error!(
                    samples = count,
                    "samples are lost, the spool cannot take them: {error:#}"
                );
            }
        }
    }
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
