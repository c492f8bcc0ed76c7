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
        let now = Instant::now();
        let wait = {
            let mut at_rest = target.at_rest.lock().expect("no holder of this lock panics");
            let start = (*at_rest).max(now);
            *at_rest = start + self.interval;
            start.duration_since(now).saturating_sub(self.burst)
        };
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
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
