//! Zones that registries let us transfer: each at its interval into a file, into passive DNS, and what changed in its delegations
//! into the table of zone changes. One that trickles or fails does not delay another.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use measure::transfer::TransferPlan;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use web::Condition;
use zonefile::{Limits, Reading};

use super::Centre;
use crate::config::TransferConfig;
use crate::zones::{After, Bringing, Change, LONGEST, Refused, bring, keep, read_key, settle};

/// How long a connection, and then each message, may take; as `dnscert zone transfer` has it by default.
const PATIENCE: Duration = Duration::from_secs(30);

/// Transfers what is configured, each zone by itself, until the centre stops.
pub async fn run(centre: Arc<Centre>, stop: CancellationToken) -> anyhow::Result<()> {
    let transfers = &centre.config.transfer;
    let failures: Mutex<Vec<Option<String>>> = Mutex::new(vec![None; transfers.len()]);
    let each = (0..transfers.len()).map(|at| again_and_again(&centre, at, &failures, &stop));
    futures_util::future::try_join_all(each).await?;
    stop.cancelled().await;
    centre.conditions.clear(Condition::TransfersFailing);
    Ok(())
}

/// Transfers one zone at its interval.
async fn again_and_again(
    centre: &Arc<Centre>,
    at: usize,
    failures: &Mutex<Vec<Option<String>>>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let transfer = &centre.config.transfer[at];
    let interval = Duration::from_secs(60 * u64::from(transfer.every_minutes));
    while !stop.is_cancelled() {
        let begun = Instant::now();
        let (shared, runtime, ending) = (centre.clone(), Handle::current(), stop.clone());
        let done =
            tokio::task::spawn_blocking(move || from_any(&shared, &shared.config.transfer[at], &runtime, &ending));
        let done = done.await;
        if stop.is_cancelled() {
            break;
        }
        let failure = done.context("transferring a zone")?.err().map(|error| {
            tracing::warn!(zone = %transfer.zone, "a zone could not be transferred: {error:#}");
            format!("{error:#}")
        });
        {
            let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
            failures[at] = failure;
            tell(centre, &failures);
        }
        stop.run_until_cancelled(tokio::time::sleep_until(begun + interval))
            .await;
    }
    Ok(())
}

/// Shows which zones could not be had.
fn tell(centre: &Centre, failures: &[Option<String>]) {
    let failed: Vec<&str> = failures.iter().flatten().map(String::as_str).collect();
    match failed.is_empty() {
        true => centre.conditions.clear(Condition::TransfersFailing),
        false => {
            let detail = failed.join("; ");
            centre
                .conditions
                .set(Condition::TransfersFailing, centre.clock.now(), &detail);
        }
    }
}

/// Asks one server after the other until one gives the zone. One whose zone is doubted is not followed by another: who put
/// it there may serve it everywhere.
fn from_any(
    centre: &Centre,
    transfer: &TransferConfig,
    runtime: &Handle,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let mut failed: Option<anyhow::Error> = None;
    for server in &transfer.from {
        match from_one(centre, transfer, *server, runtime, stop) {
            Ok(()) => return Ok(()),
            Err(error) if error.is::<Refused>() => return Err(error),
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(()), Err)
}

fn from_one(
    centre: &Centre,
    transfer: &TransferConfig,
    server: SocketAddr,
    runtime: &Handle,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let key = match transfer.key_file.as_os_str().is_empty() {
        true => None,
        false => Some(read_key(&transfer.key_file)?),
    };
    let plan = TransferPlan {
        zone: transfer.zone.clone(),
        server,
        key,
        patience: PATIENCE,
        longest: LONGEST,
    };
    let folder = centre.config.zones_folder();
    std::fs::create_dir_all(&folder).with_context(|| format!("making `{}`", folder.display()))?;
    let file = file(&folder, transfer);
    let bringing = Bringing {
        plan: &plan,
        file: &file,
        is_whole: false,
        reading: &Reading::default(),
        limits: &Limits {
            names_gone: transfer.max_gone,
            ..Limits::default()
        },
        force: false,
        stop,
    };
    let brought = bring(&bringing, runtime)?;
    let Some(after) = &brought.after else {
        tracing::debug!(zone = %transfer.zone, %server, "the zone is the same");
        return Ok(());
    };
    let snapshot = after.snapshot();
    let written = std::fs::metadata(&snapshot.path).and_then(|about| about.modified());
    let time = written.with_context(|| format!("looking how old `{}` is", snapshot.path.display()))?;
    let keeping = crate::zones::Keeping {
        folder: &centre.config.lake_folder(),
        source: &transfer.source(),
        time: Timestamp::try_from(time)?,
        runtime,
    };
    let kept = keep(snapshot, After::difference(after), &keeping)?;
    settle(&file)?;
    let by = match brought.change {
        Change::Nothing => "an earlier transfer",
        Change::Axfr { .. } => "AXFR",
        Change::Ixfr { .. } => "IXFR",
    };
    tracing::info!(
        zone = %transfer.zone, %server, by, serial = kept.serial, rrsets = kept.rrsets, changes = kept.changes,
        "a zone was transferred and kept"
    );
    Ok(())
}

/// Where a zone stands. The root has no labels.
fn file(folder: &Path, transfer: &TransferConfig) -> PathBuf {
    let name = match transfer.zone.is_root() {
        true => "root".to_owned(),
        false => transfer.zone.to_string().replace('/', "\\047"),
    };
    folder.join(format!("{name}.zone.zst"))
}
