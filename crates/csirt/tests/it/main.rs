//! The records' rules, each on SQLite and on PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::sync::Arc;

use csirt::Records;
use model::{ManualClock, Timestamp};
use testkit::database::{Database, databases};

mod accounts;
mod alerts;
mod audit;
mod case_loop;
mod cases;
mod crash;
mod directory;
mod foundation;
mod intake;
mod jobs;
mod lead;
mod links;
mod mailbox;
mod matter;
mod notices;
mod relay;
mod requests;
mod schema;
mod vantage;
mod watch;

/// Empty records on one kind of database, with a clock that stands still.
pub struct World {
    /// The records.
    pub records: Records,
    /// Their clock: 2026-07-01T09:00:00Z at first.
    pub clock: Arc<ManualClock>,
    /// The database, to open it a second time.
    pub database: Database,
}

impl World {
    async fn open(database: Database) -> Self {
        let clock = Arc::new(ManualClock::new(time("2026-07-01T09:00:00Z")));
        let records = Records::open(&database.url, clock.clone()).await.unwrap().with_seed(7);
        Self {
            records,
            clock,
            database,
        }
    }

    /// Moves the clock forward.
    pub fn wait_secs(&self, seconds: i64) {
        self.clock.advance(jiff::SignedDuration::from_secs(seconds));
    }
}

/// Runs `test` on empty records of each kind of database.
pub async fn on_each_database(test: impl AsyncFn(&World)) {
    for database in databases().unwrap() {
        eprintln!("on {}", database.engine);
        test(&World::open(database).await).await;
    }
}

/// A time from its text.
pub fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}
