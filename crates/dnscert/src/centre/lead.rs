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

/// How long the leader may be hindered until it gives the lead to a centre that stands by and is not. Chosen by us: as long as it may
/// be silent. Shorter, and one lost packet moves the work; longer, and nobody measures meanwhile.
const HINDERED: Duration = SILENCE;

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

/// What a centre that does not lead remembers from look to look.
#[derive(Default)]
struct Watching {
    /// Whether it has looked before. A lead in its own name at the first look is one that it had before a crash; later, it is that of
    /// a copy of its data which runs elsewhere.
    has_looked: bool,
    /// How the lead stood, and since when it stands so.
    seen: Option<(Lead, Instant)>,
    /// While this centre leads and is hindered: since when, and how often the others had said by then that they stand by.
    hindered: Option<(Instant, i64)>,
}

/// Whether this centre cannot do the leader's work for a reason that another one need not have.
fn is_hindered(centre: &Centre) -> bool {
    let reasons = [Condition::ObservationsUnwritable, Condition::LineSilent];
    let current = centre.conditions.current();
    current.iter().any(|holds| reasons.contains(&holds.condition))
}

/// Takes the lead when it is free, keeps it while it can, and gives it up at the end.
pub async fn run(centre: Arc<Centre>, stop: CancellationToken) -> anyhow::Result<()> {
    let mut watching = Watching::default();
    while !stop.is_cancelled() {
        let begun = Instant::now();
        match step(&centre, &mut watching).await {
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
    step(centre, &mut Watching::default()).await.unwrap();
    assert!(centre.term.borrow().is_some(), "nobody else leads in a test");
}

/// One beat, or one look.
async fn step(centre: &Centre, watching: &mut Watching) -> Result<(), csirt::Error> {
    let leads = *centre.term.borrow();
    if let Some(term) = leads {
        let is_ours = lead::beat(&centre.open_records, term).await?;
        if is_ours && !yields(centre, watching).await? {
            return Ok(());
        }
        centre.fence.close();
        centre.term.send_replace(None);
        watching.seen = None;
        watching.hindered = None;
        if is_ours {
            tracing::warn!(
                term,
                "this centre is hindered and another one stands by; giving the lead up"
            );
            lead::give_up(&centre.open_records, term).await?;
        } else {
            tracing::warn!(term, "another centre has taken the lead; standing by");
        }
    }
    let seen = lead::look(&centre.open_records).await?;
    let is_own = seen.holder == centre.name && !watching.has_looked;
    let is_hindered = is_hindered(centre);
    // what a hindered centre gave up is for others to take; if nobody does, it is better than none
    let is_free = is_own || (seen.holder.is_empty() && !is_hindered);
    watching.has_looked = true;
    let since = match &watching.seen {
        Some((before, since)) if *before == seen => *since,
        _ => Instant::now(),
    };
    if is_free || since.elapsed() >= SILENCE {
        if let Some(term) = lead::take(&centre.open_records, &centre.name, &seen).await? {
            tracing::info!(term, name = centre.name, before = seen.holder, "this centre leads");
            centre.fence.open(term);
            centre.term.send_replace(Some(term));
            centre.conditions.clear(Condition::StandingBy);
            watching.seen = None;
            return Ok(());
        }
        watching.seen = None;
    } else {
        watching.seen = Some((seen.clone(), since));
        if !is_hindered {
            lead::stand_by(&centre.open_records).await?;
        }
    }
    centre
        .conditions
        .set(Condition::StandingBy, centre.clock.now(), &seen.holder);
    Ok(())
}

/// Whether the leader, that is hindered, gives way: another centre says that it could do the work.
async fn yields(centre: &Centre, watching: &mut Watching) -> Result<bool, csirt::Error> {
    if !is_hindered(centre) {
        watching.hindered = None;
        return Ok(false);
    }
    let standby = lead::standby_beat(&centre.open_records).await?;
    match watching.hindered {
        None => {
            watching.hindered = Some((Instant::now(), standby));
            Ok(false)
        }
        Some((since, before)) => Ok(standby > before && since.elapsed() >= HINDERED),
    }
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

#[cfg(test)]
mod tests {
    use model::SystemClock;

    use super::*;
    use crate::config::Config;

    async fn centre(folder: &Path, database: &str, name: &str) -> Centre {
        std::fs::write(folder.join(NAME_FILE), format!("{name}\n")).unwrap();
        let config = Config {
            data: folder.to_owned(),
            database: database.to_owned(),
            ..Config::default()
        };
        Centre::open(config, Arc::new(SystemClock)).await.unwrap()
    }

    fn leads(centre: &Centre) -> bool {
        centre.term.borrow().is_some()
    }

    #[tokio::test]
    async fn a_centre_finds_its_own_lead_again_but_two_of_one_name_do_not_take_it_from_each_other() {
        let (data, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let database = testkit::database::sqlite().unwrap();
        let one = centre(data.path(), &database.url, "centre-1").await;
        let mut of_one = Watching::default();
        step(&one, &mut of_one).await.unwrap();
        assert!(leads(&one), "the lead was free");

        // a copy of its data is started on another machine: as far as it knows it comes back after a crash
        let two = centre(copy.path(), &database.url, "centre-1").await;
        let mut of_two = Watching::default();
        step(&two, &mut of_two).await.unwrap();
        assert!(leads(&two));
        for _ in 0..3 {
            step(&one, &mut of_one).await.unwrap();
            step(&two, &mut of_two).await.unwrap();
            assert!(!leads(&one) && leads(&two), "it stays where it is");
        }
    }
}
