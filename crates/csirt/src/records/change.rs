//! One change of the records: all of it or nothing.

use model::{Id, Timestamp};
use rand::rngs::StdRng;
use sea_orm::{ConnectionTrait, DatabaseTransaction, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use tokio::sync::OwnedMutexGuard;

use super::{Actor, Records};
use crate::Error;
use crate::audit::{self, Entry};
use crate::jobs::{self, Job};
use crate::lead;

/// Key of the PostgreSQL advisory lock under which changes go one after the other. Any fixed number serves.
const CHANGE_LOCK: i64 = 0x646e_7363_6572_7401;

/// How long a change may stand still between two of its statements until PostgreSQL ends it. Chosen by us: below the silence after
/// which another centre takes the lead. Without it a leader whose machine is suspended in the middle of a change keeps the lock,
/// and nobody may change anything; shorter, and a machine that is short of processors loses changes that were well.
const STANDSTILL_MS: u64 = 6_000;

/// A change under way. Its audit rows and jobs are written at [`Change::commit`], with the rest.
pub struct Change {
    // Before `writer`: an abandoned change must be on its way back before the next one may begin.
    tx: DatabaseTransaction,
    now: Timestamp,
    actor: Actor,
    random: StdRng,
    entries: Vec<Entry>,
    jobs: Vec<(Job, Timestamp)>,
    has_rounds: bool,
    records: Records,
    writer: OwnedMutexGuard<()>,
}

impl Change {
    pub(super) async fn begin(records: Records, actor: Actor) -> Result<Self, Error> {
        // One change at a time: of this process by `writer`, of all by a lock of the database.
        let writer = records.writer.clone().lock_owned().await;
        // IMMEDIATE takes SQLite's write lock now, where waiting works, and not at the first write, where it fails.
        let options = TransactionOptions {
            sqlite_transaction_mode: (!records.is_postgres()).then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let tx = records.db.begin_with_options(options).await?;
        if records.is_postgres() {
            tx.execute_unprepared(&format!(
                "SET LOCAL idle_in_transaction_session_timeout = {STANDSTILL_MS}; SELECT pg_advisory_xact_lock({CHANGE_LOCK})"
            ))
            .await?;
        }
        if let Some(fence) = &records.fence {
            lead::check(&tx, fence).await?;
        }
        let (now, random) = (records.now(), records.fork_random());
        Ok(Self {
            tx,
            now,
            actor,
            random,
            entries: Vec::new(),
            jobs: Vec::new(),
            has_rounds: false,
            records,
            writer,
        })
    }

    /// The moment of this change: one and the same for all it writes.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Who makes it.
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// Chance: for ids and tokens.
    pub fn random(&mut self) -> &mut StdRng {
        &mut self.random
    }

    /// A new id of this moment.
    pub fn new_id<Noun>(&mut self) -> Id<Noun> {
        Id::new(self.now, &mut self.random)
    }

    /// Notes that `field` of the `noun` with this `id` went from `old` to `new` (`None`: was or is not there). Says
    /// nothing when both are the same. Never give it a secret.
    pub fn audit(
        &mut self,
        noun: &'static str,
        id: impl std::fmt::Display,
        field: &str,
        old: Option<&str>,
        new: Option<&str>,
    ) {
        if old != new {
            self.entries.push(Entry {
                noun: noun.to_owned(),
                id: id.to_string(),
                field: field.to_owned(),
                old: old.map(str::to_owned),
                new: new.map(str::to_owned),
            });
        }
    }

    /// Has `job` done once this change is committed. The same job waiting already is not queued twice.
    pub fn enqueue(&mut self, job: Job) {
        self.enqueue_at(job, self.now);
    }

    /// The same, not before `due`.
    pub fn enqueue_at(&mut self, job: Job, due: Timestamp) {
        self.jobs.push((job, due));
    }

    /// Counts that it keeps rounds, once it is committed: rounds are not audited, and pages show them all the same.
    pub(crate) fn count_rounds(&mut self) {
        self.has_rounds = true;
    }

    /// Makes all of it lasting. When this fails nothing was changed.
    pub async fn commit(mut self) -> Result<(), Error> {
        audit::append(&self.tx, self.now, self.actor, std::mem::take(&mut self.entries)).await?;
        let jobs = std::mem::take(&mut self.jobs);
        for (job, due) in &jobs {
            jobs::insert(&self.tx, &mut self.random, self.now, job, *due).await?;
        }
        self.tx.commit().await?;
        drop(self.writer);
        if self.has_rounds {
            self.records.rounds.send_modify(|count| *count += 1);
        }
        self.records.commits.send_modify(|count| *count += 1);
        if !jobs.is_empty() {
            self.records.enqueued.send_modify(|count| *count += 1);
        }
        Ok(())
    }

    /// The same without waking those who draw live pages: for marks of use that no page shows.
    pub(crate) async fn commit_quietly(self) -> Result<(), Error> {
        debug_assert!(
            self.entries.is_empty() && self.jobs.is_empty(),
            "what is audited is worth a tick"
        );
        Ok(self.tx.commit().await?)
    }

    /// For reading and writing inside of this change.
    pub(crate) fn db(&self) -> &DatabaseTransaction {
        &self.tx
    }
}
