//! What has to be done now and then: handing observations to their tables, merging small files, removing old ones.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use lake::{Compaction, Passive};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Centre;
use crate::config::LakeConfig;

/// How often buffered observations go to their tables. They are durable before; this is when other readers see them.
const FLUSH_EVERY: Duration = Duration::from_secs(30);

/// How often small files are merged. Rarer, and a page opens more files; more often, and the same rows are written again.
const COMPACT_EVERY: Duration = Duration::from_secs(1_800);

/// Files of a table of passive DNS from which on they are merged sooner: sensors bring one each a minute, and a look-up opens all.
const MANY_FILES: usize = 60;

/// How often it is looked which observations may not be kept longer, or not as fine: all rows are gone through.
const EXPIRE_EVERY: Duration = Duration::from_secs(86_400);

/// How long files that no table uses any more stay: longer than any reader needs for one read.
const RETENTION: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Runs upkeep until the centre stops.
pub async fn run(centre: Arc<Centre>, stop: CancellationToken) -> anyhow::Result<()> {
    let mut timer = interval(FLUSH_EVERY);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut compacted = Instant::now();
    // the retention of the centre's own observations, and of those that sources gave
    let (mut expired, mut expired_passive) = (None, None);
    loop {
        tokio::select! {
            _ = timer.tick() => {}
            () = stop.cancelled() => return Ok(()),
        }
        centre
            .lake
            .flush()
            .await
            .context("handing observations to their tables")?;
        if compacted.elapsed() >= COMPACT_EVERY {
            compacted = Instant::now();
            centre.lake.compact().await.context("merging small files")?;
            if is_due(expired) {
                let retention = centre.config.lake.retention();
                let gone = centre.lake.expire(&retention, centre.records.now());
                let rows = gone.await.context("letting old samples and changes go")?;
                tracing::info!(rows, "old samples and changes are gone");
                expired = Some(Instant::now());
            }
            centre
                .lake
                .vacuum(centre.records.now(), RETENTION)
                .await
                .context("removing files that no table uses")?;
            passive(&centre, &mut expired_passive).await?;
        } else if has_many_files(&centre).await? {
            merge_passive(&centre).await?;
        }
    }
}

fn is_due(expired: Option<Instant>) -> bool {
    expired.is_none_or(|expired| expired.elapsed() >= EXPIRE_EVERY)
}

/// The same for passive DNS and what stands beside it, old rows go, and old figures become coarser; unless it was never used, or whoever takes receipts in has it open and does it.
async fn passive(centre: &Centre, expired: &mut Option<Instant>) -> anyhow::Result<()> {
    if centre.lake.passive().await.context("reading passive DNS")?.is_none() {
        return Ok(());
    }
    let Some(passive) = merge_passive(centre).await? else {
        return Ok(());
    };
    let (rules, now) = (&centre.config.lake, centre.records.now());
    if is_due(*expired) {
        let (gone, fewer) = age(&passive, rules, now).await?;
        tracing::info!(gone, fewer, "old observations are gone or coarser");
        *expired = Some(Instant::now());
    }
    vacuum(&passive, now).await?;
    Ok(())
}

/// Lets rows go that may not be kept any longer, and makes old figures coarser: how many rows went, and how many became fewer thereby.
async fn age(passive: &Passive, rules: &LakeConfig, now: Timestamp) -> anyhow::Result<(u64, u64)> {
    let gone = passive.expire(&rules.retention(), now).await;
    let gone = gone.context("letting old observations go")?;
    let fewer = passive.roll_up(&rules.roll_up(), now).await;
    Ok((gone, fewer.context("making old figures of traffic coarser")?))
}

async fn vacuum(passive: &Passive, now: Timestamp) -> anyhow::Result<usize> {
    let removed = passive.vacuum(now, RETENTION).await;
    removed.context("removing files that passive DNS does not use")
}

/// What one turn of upkeep did.
pub struct Kept {
    /// Files of all tables that were merged into fewer.
    pub merged: Compaction,
    /// Rows that may not be kept any longer.
    pub gone: u64,
    /// Rows that are fewer because figures became coarser.
    pub fewer: u64,
    /// Files that no table had for a week.
    pub removed: usize,
}

/// All that is done in a day for passive DNS and what stands beside it, at once: where no centre does it.
pub async fn once(passive: &Passive, rules: &LakeConfig, now: Timestamp) -> anyhow::Result<Kept> {
    let merged = passive.merge(None).await.context("merging passive DNS")?;
    let (gone, fewer) = age(passive, rules, now).await?;
    let removed = vacuum(passive, now).await?;
    Ok(Kept {
        merged,
        gone,
        fewer,
        removed,
    })
}

async fn has_many_files(centre: &Centre) -> anyhow::Result<bool> {
    let Some(passive) = centre.lake.passive().await.context("reading passive DNS")? else {
        return Ok(false);
    };
    let tables = passive.statistics().await;
    Ok(tables.iter().any(|table| table.files > MANY_FILES))
}

/// Merges the files of passive DNS, and gives it; `None` while somebody else has it open, who does it.
async fn merge_passive(centre: &Centre) -> anyhow::Result<Option<Passive>> {
    let passive = match Passive::open(&centre.config.lake_folder()).await {
        Err(lake::Error::Busy { .. }) => return Ok(None),
        opened => opened.context("opening passive DNS")?,
    };
    passive.merge(None).await.context("merging passive DNS")?;
    Ok(Some(passive))
}
