//! Looks after what the centre stands on: room for observations, and a clock that goes forwards.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::SignedDuration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use web::Condition;

use super::Centre;

/// Pause between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A clock that went otherwise than the machine's own by more than this between two looks was set. Chosen by us: time
/// servers correct in steps of up to 128 ms (RFC 5905) and slowly; a suspended machine and an administrator set more.
const STEP: SignedDuration = SignedDuration::from_secs(2);

/// How long a clock that was set is shown.
const SHOWN_FOR: Duration = Duration::from_secs(600);

/// How often it is tried whether there is room, while there is; without room it is tried at each look. More often wears out the
/// memory card of a small machine.
const TRY_EVERY: Duration = Duration::from_secs(30);

/// Octets written to learn whether there is room: more than what a file system keeps aside for a small file.
const TRIAL_OCTETS: usize = 64 * 1024;

/// Looks until the centre stops.
pub async fn run(centre: Arc<Centre>, stop: CancellationToken) -> anyhow::Result<()> {
    let mut before = (centre.clock.now(), Instant::now());
    let mut set_at: Option<Instant> = None;
    let mut had_room_at: Option<Instant> = None;
    while !stop.is_cancelled() {
        let now = (centre.clock.now(), Instant::now());
        let passed = SignedDuration::try_from(now.1 - before.1).context("reading the time that passed")?;
        let step = now.0.duration_since(before.0) - passed;
        if step.abs() > STEP {
            let seconds = step.as_secs();
            tracing::warn!(seconds, "the clock was set");
            centre
                .conditions
                .set(Condition::ClockSet, now.0, &format!("{seconds:+} s"));
            set_at = Some(now.1);
        } else if set_at.is_some_and(|at| at.elapsed() > SHOWN_FOR) {
            centre.conditions.clear(Condition::ClockSet);
            set_at = None;
        }
        before = now;

        if had_room_at.is_none_or(|at| at.elapsed() >= TRY_EVERY) {
            let folder = centre.config.lake_folder();
            let tried = tokio::task::spawn_blocking(move || try_to_write(&folder)).await;
            match tried.context("trying to write")? {
                Ok(()) => {
                    centre.conditions.clear(Condition::ObservationsUnwritable);
                    had_room_at = Some(now.1);
                }
                Err(error) => {
                    let told = error.to_string();
                    centre.conditions.set(Condition::ObservationsUnwritable, now.0, &told);
                    had_room_at = None;
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}

/// Whether there is room for a little more in this folder.
fn try_to_write(folder: &Path) -> std::io::Result<()> {
    let path = folder.join("trial");
    let mut file = std::fs::File::create(&path)?;
    let written = file.write_all(&vec![b'.'; TRIAL_OCTETS]).and_then(|()| file.sync_all());
    std::fs::remove_file(&path)?;
    written
}
