//! Keeps the centre's tasks alive: one that fails or panics is logged, waits, and starts again.

use std::future::Future;
use std::time::Duration;

use futures_util::FutureExt as _;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// First and longest pause before a failed task starts again. Shorter would spin on a lasting fault (database away);
/// longer would leave the centre blind after the fault is gone.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// How long a stop waits for tasks. An open page with live updates never hangs up by itself; what tasks had to keep is durable
/// before they look at the stop.
const LONGEST_GOODBYE: Duration = Duration::from_secs(5);

/// Label of the count of restarts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Task {
    /// Name of the task.
    pub task: &'static str,
}

/// How often each task has had to start again.
pub type Restarts = Family<Task, Counter>;

/// Runs named tasks until it is told to stop.
#[derive(Clone)]
pub struct Supervisor {
    tracker: TaskTracker,
    stop: CancellationToken,
    restarts: Restarts,
    pauses: (Duration, Duration),
}

impl Supervisor {
    /// A supervisor that ends its tasks when `stop` is cancelled.
    pub fn new(stop: CancellationToken) -> Self {
        Self {
            tracker: TaskTracker::new(),
            stop,
            restarts: Restarts::default(),
            pauses: PAUSES,
        }
    }

    /// Cancelled when the centre stops. A task should look at it between two pieces of work.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// How often each task had to start again.
    pub fn restarts(&self) -> Restarts {
        self.restarts.clone()
    }

    /// Runs what `make` makes, again and again while it fails, until the centre stops.
    pub fn keep<F>(&self, name: &'static str, make: impl Fn() -> F + Send + 'static)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let this = self.clone();
        self.tracker.spawn(async move {
            let mut pause = this.pauses.0;
            while !this.stop.is_cancelled() {
                let begun = tokio::time::Instant::now();
                match std::panic::AssertUnwindSafe(make()).catch_unwind().await {
                    Ok(Ok(())) if this.stop.is_cancelled() => break,
                    Ok(Ok(())) => tracing::error!(task = name, "the task ended by itself; starting it again"),
                    Ok(Err(error)) => tracing::error!(task = name, "the task failed: {error:#}; starting it again"),
                    Err(_) => tracing::error!(task = name, "the task panicked; starting it again"),
                }
                this.restarts.get_or_create(&Task { task: name }).inc();
                if begun.elapsed() > this.pauses.1 {
                    pause = this.pauses.0;
                }
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = this.stop.cancelled() => break,
                }
                pause = (pause * 2).min(this.pauses.1);
            }
        });
    }

    /// Tells all tasks to stop and waits until they have, or until a reader who does not hang up has waited long enough.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tracker.close();
        if tokio::time::timeout(LONGEST_GOODBYE, self.tracker.wait())
            .await
            .is_err()
        {
            tracing::warn!("some tasks did not end within {} s", LONGEST_GOODBYE.as_secs());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_task_that_fails_and_panics_starts_again() {
        let mut supervisor = Supervisor::new(CancellationToken::new());
        supervisor.pauses = (Duration::from_millis(5), Duration::from_millis(20));
        let runs = Arc::new(AtomicU32::new(0));
        let (seen, done) = (runs.clone(), supervisor.stopping());
        supervisor.keep("work", move || {
            let (seen, done) = (seen.clone(), done.clone());
            async move {
                match seen.fetch_add(1, Ordering::SeqCst) {
                    0 => anyhow::bail!("the first run fails"),
                    1 => panic!("the second run panics"),
                    _ => done.cancelled().await,
                }
                Ok(())
            }
        });
        while runs.load(Ordering::SeqCst) < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(supervisor.restarts().get_or_create(&Task { task: "work" }).get(), 2);
        supervisor.stop().await;
    }
}
