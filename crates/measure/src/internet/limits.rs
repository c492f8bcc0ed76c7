//! Limits per address: how many questions are under way, and how many go out in a second.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::settings::Settings;

/// Addresses remembered before those at rest are forgotten. Chosen by us: some 2 MB.
const REMEMBERED: usize = 20_000;

/// All addresses asked lately.
pub(crate) struct Targets {
    slots: usize,
    interval: Duration,
    burst: Duration,
    /// Least time between two questions, whoever is asked.
    overall_interval: Duration,
    overall_at_rest: Mutex<Instant>,
    known: Mutex<HashMap<IpAddr, Arc<Target>>>,
}

struct Target {
    slots: Arc<Semaphore>,
    /// When the address would be at rest again if nothing more were sent (the generic cell rate algorithm, ITU-T I.371).
    at_rest: Mutex<Instant>,
}

impl Targets {
    pub fn new(settings: &Settings) -> Self {
        let interval = Duration::from_secs(1) / settings.per_server_rate.max(1);
        Self {
            slots: settings.per_server.min(Semaphore::MAX_PERMITS),
            interval,
            burst: interval * settings.per_server_burst,
            overall_interval: Duration::from_secs(1).checked_div(settings.rate).unwrap_or_default(),
            overall_at_rest: Mutex::new(Instant::now()),
            known: Mutex::default(),
        }
    }

    /// Waits until a question may go to `address`; the slot is free again when the permit is dropped. An address that
    /// has been silent needs no slot: it is not burdened, and those who wait for it must not wait for one another.
    pub async fn enter(&self, address: IpAddr, needs_slot: bool) -> Option<OwnedSemaphorePermit> {
        let target = self.target(address);
        let permit = match needs_slot {
            true => Some(
                target
                    .slots
                    .clone()
                    .acquire_owned()
                    .await
                    .expect("this semaphore is never closed"),
            ),
            false => None,
        };
        wait(turn(&target.at_rest, self.interval).saturating_sub(self.burst)).await;
        wait(turn(&self.overall_at_rest, self.overall_interval)).await;
        permit
    }

    fn target(&self, address: IpAddr) -> Arc<Target> {
        let mut known = self.known.lock().expect("no holder of this lock panics");
        if known.len() > REMEMBERED {
            let now = Instant::now();
            known.retain(|_, target| {
                Arc::strong_count(target) > 1 || *target.at_rest.lock().expect("no holder of this lock panics") > now
            });
        }
        let new = || Target {
            slots: Arc::new(Semaphore::new(self.slots)),
            at_rest: Mutex::new(Instant::now()),
        };
        known.entry(address).or_insert_with(|| Arc::new(new())).clone()
    }
}

/// How long the next question has to wait where there may be one each `interval`.
fn turn(at_rest: &Mutex<Instant>, interval: Duration) -> Duration {
    let now = Instant::now();
    let mut at_rest = at_rest.lock().expect("no holder of this lock panics");
    let start = (*at_rest).max(now);
    *at_rest = start + interval;
    start.duration_since(now)
}

async fn wait(span: Duration) {
    if !span.is_zero() {
        tokio::time::sleep(span).await;
    }
}
