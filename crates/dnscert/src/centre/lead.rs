//! Several centres on the same records: one leads and does the work, the others show pages and stand by.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use csirt::lead::{self, Lead};
use futures_util::future::BoxFuture;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use web::Condition;

use super::Centre;

/// How often the leader says that it lives, and the others look. More often costs a change of the records each time.
const BEAT_EVERY: Duration = Duration::from_secs(2);

/// How long a leader may be silent until another centre takes over. Chosen by us: four beats. Shorter, and a slow disk makes the
/// lead go to and fro; longer, and a country's outage waits for it.
const SILENCE: Duration = Duration::from_secs(8);

/// File in `data` with the name by which this centre takes the lead, so that it finds its own lead again after a crash.
const NAME_FILE: &str = "centre.id";

/// The name of the centre whose data these are: made at its first start. The lock on the observations keeps a second process
/// away from the same data.
pub fn name(data: &Path) -> anyhow::Result<String> {
    let path = data.join(NAME_FILE);
    match std::fs::read_to_string(&path) {
        Ok(name) if !name.trim().is_empty() => return Ok(name.trim().to_owned()),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("reading `{}`", path.display()));
        }
        _ => {}
    }
    let name = format!("centre-{:08x}", rand::random::<u32>());
    std::fs::write(&path, format!("{name}\n")).with_context(|| format!("writing `{}`", path.display()))?;
    Ok(name)
}

/// Takes the lead when it is free, keeps it while it can, and gives it up at the end.
pub async fn run(centre: Arc<Centre>, stop: CancellationToken) -> anyhow::Result<()> {
    let mut watched: Option<(Lead, Instant)> = None;
    while !stop.is_cancelled() {
        let begun = Instant::now();
        match step(&centre, &mut watched).await {
            Ok(()) => centre.conditions.clear(Condition::RecordsUnwritable),
            Err(error) => {
                centre.conditions.set(
                    Condition::RecordsUnwritable,
                    centre.clock.now(),
                    &format!("{:#}", anyhow::Error::from(error)),
                );
            }
        }
        tokio::select! {
            () = tokio::time::sleep(BEAT_EVERY.saturating_sub(begun.elapsed())) => {}
            () = stop.cancelled() => {}
        }
    }
    let term = *centre.term.borrow();
    centre.term.send_replace(None);
    if let Some(term) = term {
        lead::give_up(&centre.open_records, term)
            .await
            .context("giving the lead up")?;
    }
    Ok(())
}

/// Takes the lead at once, for tests of single tasks.
#[cfg(test)]
pub async fn take_now(centre: &Centre) {
    step(centre, &mut None).await.unwrap();
    assert!(centre.term.borrow().is_some(), "nobody else leads in a test");
}

/// One beat, or one look.
async fn step(centre: &Centre, watched: &mut Option<(Lead, Instant)>) -> Result<(), csirt::Error> {
    let leads = *centre.term.borrow();
    if let Some(term) = leads {
        if lead::beat(&centre.open_records, term).await? {
            return Ok(());
        }
        tracing::warn!(term, "another centre has taken the lead; standing by");
        centre.fence.close();
        centre.term.send_replace(None);
        *watched = None;
    }
    let seen = lead::look(&centre.open_records).await?;
    let is_free = seen.holder.is_empty() || seen.holder == centre.name;
    let since = match watched {
        Some((before, since)) if *before == seen => *since,
        _ => Instant::now(),
    };
    if is_free || since.elapsed() >= SILENCE {
        if let Some(term) = lead::take(&centre.open_records, &centre.name, &seen).await? {
            tracing::info!(term, name = centre.name, before = seen.holder, "this centre leads");
            centre.fence.open(term);
            centre.term.send_replace(Some(term));
            centre.conditions.clear(Condition::StandingBy);
            *watched = None;
            return Ok(());
        }
        *watched = None;
    } else {
        *watched = Some((seen.clone(), since));
    }
    centre
        .conditions
        .set(Condition::StandingBy, centre.clock.now(), &seen.holder);
    Ok(())
}

/// Runs `task` while this centre leads, until `stop`.
pub async fn while_leading(
    centre: Arc<Centre>,
    stop: CancellationToken,
    task: fn(Arc<Centre>, CancellationToken) -> BoxFuture<'static, anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let mut term = centre.term.subscribe();
    loop {
        tokio::select! {
            led = term.wait_for(Option::is_some) => { led.context("waiting for the lead")?; }
            () = stop.cancelled() => return Ok(()),
        }
        let over = stop.child_token();
        let mut work = std::pin::pin!(task(centre.clone(), over.clone()));
        tokio::select! {
            ended = &mut work => return ended,
            lost = term.wait_for(Option::is_none) => { lost.context("keeping the lead")?; }
        }
        over.cancel();
        match work.await {
            // what it did last was refused, as it should be
            Err(error) if !is_superseded(&error) => return Err(error),
            _ => {}
        }
    }
}

fn is_superseded(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<csirt::Error>())
        .any(|error| matches!(error, csirt::Error::Superseded { .. }))
}
