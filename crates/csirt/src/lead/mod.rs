//! The lead: which of several centres on the same records does their work (rounds, deliveries, the mailbox). The others show
//! pages and take forms, and one of them takes over when the leader falls silent.
//!
//! The row has a term and a beat. The leader makes the beat go up; another centre that has seen the same beat for as long as it
//! bears silence, by its own clock of elapsed time, takes the lead with the next term. No two clocks are compared, and none is
//! one that somebody can set. A leader that slept (a machine suspended, a process stopped) may wake up in the middle of a change;
//! its change is refused, for each change of a [`fenced`](Records::fenced) handle begins by looking at the term.

pub(crate) mod migration;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sea_orm::{ConnectionTrait, Statement, Value};

use crate::Error;
use crate::records::{Actor, Records};

/// A term that is nobody's: a handle with it may change nothing.
const NO_TERM: i64 = 0;

/// The term in which a handle may change the records.
#[derive(Debug, Clone, Default)]
pub struct Fence(Arc<AtomicI64>);

impl Fence {
    /// Opens it for this term.
    pub fn open(&self, term: i64) {
        self.0.store(term, Ordering::SeqCst);
    }

    /// Closes it: nothing may be changed any more.
    pub fn close(&self) {
        self.0.store(NO_TERM, Ordering::SeqCst);
    }

    fn term(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// How the lead stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// The centre that has it; empty when it was given up.
    pub holder: String,
    /// Goes up with each change of hands.
    pub term: i64,
    /// Goes up while the holder lives.
    pub beat: i64,
}

/// How the lead stands now.
pub async fn look(records: &Records) -> Result<Lead, Error> {
    read(records.db()).await
}

/// Takes the lead, if it still stands as it was `seen`. Returns the new term, or `None` when another one moved in between.
pub async fn take(records: &Records, holder: &str, seen: &Lead) -> Result<Option<i64>, Error> {
    let change = records.begin(Actor::System).await?;
    let term = seen.term + 1;
    let sql = "UPDATE lead SET holder = $1, term = $2, beat = beat + 1 WHERE term = $3 AND beat = $4";
    let values = [holder.into(), term.into(), seen.term.into(), seen.beat.into()];
    let is_taken = execute(change.db(), sql, values).await? > 0;
    change.commit_quietly().await?;
    Ok(is_taken.then_some(term))
}

/// Says that the leader of this term lives. Returns whether it still has the lead.
pub async fn beat(records: &Records, term: i64) -> Result<bool, Error> {
    let change = records.begin(Actor::System).await?;
    let is_ours = execute(
        change.db(),
        "UPDATE lead SET beat = beat + 1 WHERE term = $1",
        [term.into()],
    );
    let is_ours = is_ours.await? > 0;
    change.commit_quietly().await?;
    Ok(is_ours)
}

/// Gives the lead up, so that another centre may take it at once. Does nothing when it is another's.
pub async fn give_up(records: &Records, term: i64) -> Result<(), Error> {
    let change = records.begin(Actor::System).await?;
    let sql = "UPDATE lead SET holder = '', beat = beat + 1 WHERE term = $1";
    execute(change.db(), sql, [term.into()]).await?;
    change.commit_quietly().await
}

/// Says that a centre which could do the work stands by.
pub async fn stand_by(records: &Records) -> Result<(), Error> {
    let change = records.begin(Actor::System).await?;
    execute(change.db(), "UPDATE lead SET standby_beat = standby_beat + 1", []).await?;
    change.commit_quietly().await
}

/// Goes up while any centre [stands by](stand_by).
pub async fn standby_beat(records: &Records) -> Result<i64, Error> {
    let db = records.db();
    let sql = Statement::from_string(db.get_database_backend(), "SELECT standby_beat FROM lead");
    let row = db.query_one_raw(sql).await?;
    Ok(row.ok_or_else(missing)?.try_get("", "standby_beat")?)
}

/// Fails with `Superseded` unless the fence is open for the term that leads.
pub(crate) async fn check(db: &impl ConnectionTrait, fence: &Fence) -> Result<(), Error> {
    let lead = read(db).await?;
    match fence.term() {
        NO_TERM => Err(Error::Superseded { holder: lead.holder }),
        term if term != lead.term => Err(Error::Superseded { holder: lead.holder }),
        _ => Ok(()),
    }
}

async fn read(db: &impl ConnectionTrait) -> Result<Lead, Error> {
    let sql = "SELECT holder, term, beat FROM lead";
    let row = db
        .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
        .await?;
    let row = row.ok_or_else(missing)?;
    Ok(Lead {
        holder: row.try_get("", "holder")?,
        term: row.try_get("", "term")?,
        beat: row.try_get("", "beat")?,
    })
}

fn missing() -> Error {
    Error::Inconsistent {
        table: "lead",
        row: "1".to_owned(),
        reason: "it is missing".to_owned(),
    }
}

async fn execute<const N: usize>(db: &impl ConnectionTrait, sql: &str, values: [Value; N]) -> Result<u64, Error> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    Ok(db.execute_raw(statement).await?.rows_affected())
}
