//! How far the records are, looked at once for all streams.

use std::sync::Arc;
use std::time::Duration;

use csirt::audit::{self, Row};
use csirt::{Records, watch};
use model::Timestamp;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// How long what was seen holds without a commit of this process. Shorter, and many streams ask the database the same again
/// and again; longer, and a change by another process shows so much later.
const HOLDS: Duration = Duration::from_secs(1);
/// Rows of the chain that one look reads; more than that is a change of everything.
pub(super) const MOST_ROWS: u64 = 200;
/// Public streams at a time. Chosen by us: each holds a connection and some ten KB, and makes its reader fetch the page;
/// who finds no place has the page as it is.
const MOST_PUBLIC: usize = 500;

/// What live pages listen to.
pub struct Live {
    last: Mutex<Option<Look>>,
    public: Arc<Semaphore>,
}

/// How often this process kept rounds, and when the newest of all processes began.
pub(super) type Rounds = (u64, Option<Timestamp>);

/// How far the records were.
#[derive(Clone)]
pub(super) struct Look {
    commits: u64,
    at: Instant,
    /// What was measured.
    pub(super) rounds: Rounds,
    /// Number of the last row of the chain.
    pub(super) head: i64,
    /// The newest rows, the newest first.
    pub(super) rows: Arc<[Row]>,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            last: Mutex::default(),
            public: Arc::new(Semaphore::new(MOST_PUBLIC)),
        }
    }
}

impl Live {
    /// A place among the public streams, while it is held; `None` when all are taken.
    pub(super) fn public_place(&self) -> Option<OwnedSemaphorePermit> {
        self.public.clone().try_acquire_owned().ok()
    }

    /// How far the records are: as of the last commit of this process, and of [`HOLDS`] ago for others.
    pub(super) async fn look(&self, records: &Records) -> Result<Look, csirt::Error> {
        let mut last = self.last.lock().await;
        let (commits, rounds) = (*records.commits().borrow(), *records.rounds().borrow());
        if let Some(last) = &*last
            && last.commits == commits
            && last.at.elapsed() < HOLDS
        {
            return Ok(last.clone());
        }
        let at = Instant::now();
        let rounds = (rounds, watch::newest(records).await?);
        let head = audit::head(records).await?.0;
        let rows = match last.take() {
            Some(last) if last.head == head => last.rows,
            _ => audit::newest(records, Some(head + 1), MOST_ROWS).await?.into(),
        };
        let look = Look {
            commits,
            at,
            rounds,
            head,
            rows,
        };
        Ok(last.insert(look).clone())
    }
}
