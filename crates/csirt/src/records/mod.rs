//! The team's records: one database, SQLite in a file or PostgreSQL by URL, one code path for both.
//!
//! Reading goes through a pool at any time. Writing goes one change after the other, on SQLite and on PostgreSQL
//! alike: a rule that reads, decides and writes inside one [`Change`] therefore never races with another one. A
//! change carries its audit rows and the jobs it causes and commits with them or not at all.

mod change;
pub(crate) mod column;
pub(crate) mod migration;

use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::{Clock, Id, Timestamp};
use rand::SeedableRng;
use rand::rngs::StdRng;
use sea_orm::sqlx::Connection as _;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, RuntimeErr};
use sea_orm::{SqlxPostgresConnector, SqlxSqliteConnector};
use tokio::sync::watch;

pub use change::Change;
pub use migration::Tables;

use crate::lead::Fence;
use crate::{Error, accounts::Account, requests::Request};

/// How long a connection waits for another process that writes to the same SQLite file.
/// Chosen by us: longer than any change of ours takes; shorter, and a nightly `export` could fail a form.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a connection waits before it tries again what SQLite does not wait for. Chosen by us: a file is turned to the
/// write-ahead log in some milliseconds; longer, and eight programs that start at once wait for each other in plain sight.
const BUSY_RETRY: Duration = Duration::from_millis(20);

/// How long a PostgreSQL server may take to give a connection, or to come up beside us at the start of a machine. Chosen
/// by us: longer, and `doctor` seems to hang when the server is gone.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections at most: readers beside the one writer. On SQLite each is a thread and a few file handles.
const MAX_CONNECTIONS: u32 = 10;

/// Who changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The centre itself: a job, a timer, a command of the one who runs it.
    System,
    /// A person who signed in.
    Account(Id<Account>),
    /// The party of a request, by its link.
    Party(Id<Request>),
    /// Somebody unknown, by a public page.
    Public,
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Actor::System => f.write_str("system"),
            Actor::Account(id) => write!(f, "account:{id}"),
            Actor::Party(id) => write!(f, "party:{id}"),
            Actor::Public => f.write_str("public"),
        }
    }
}

/// A text that is no actor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an actor")]
pub struct ActorError(String);

impl FromStr for Actor {
    type Err = ActorError;

    fn from_str(text: &str) -> Result<Self, ActorError> {
        let wrong = || ActorError(text.to_owned());
        match text.split_once(':') {
            None if text == "system" => Ok(Actor::System),
            None if text == "public" => Ok(Actor::Public),
            Some(("account", id)) => id.parse().map(Actor::Account).map_err(|_| wrong()),
            Some(("party", id)) => id.parse().map(Actor::Party).map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }
}

/// The open records. Cheap to clone; all clones are the same records.
#[derive(Clone)]
pub struct Records {
    db: DatabaseConnection,
    clock: Arc<dyn Clock>,
    random: Arc<Mutex<StdRng>>,
    /// Held by the one change under way in this process. Those that wait hold no connection, so readers always find one.
    writer: Arc<tokio::sync::Mutex<()>>,
    commits: Arc<watch::Sender<u64>>,
    enqueued: Arc<watch::Sender<u64>>,
    rounds: Arc<watch::Sender<u64>>,
    /// What each change of this handle looks at first; `None`: it may always change.
    fence: Option<Fence>,
}

impl Records {
    /// Opens the records at `url` and brings their tables up to date.
    ///
    /// `sqlite://PATH?mode=rwc` (relative or absolute path; `rwc` makes the file, for its owner only) or `postgres://USER@HOST/DATABASE`.
    /// Fails with `Invalid` for another kind of URL or a file that cannot be made, else with `Store`.
    pub async fn open(url: &str, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        if url.starts_with("sqlite:") {
            make_private(url)?;
        }
        let records = Self::connect(url, clock).await?;
        migration::migrate(&records).await?;
        Ok(records)
    }

    /// Opens the records at `url` as they are, and says how their tables stand: makes neither a file nor a table. Fails with
    /// `Invalid` where there is no file, else as [`Records::open`].
    pub async fn look_at(url: &str, clock: Arc<dyn Clock>) -> Result<(Self, Tables), Error> {
        if url.starts_with("sqlite:") {
            let options =
                SqliteConnectOptions::from_str(url).map_err(|error| Error::invalid("url", error.to_string()))?;
            let file = options.get_filename();
            if !file.is_file() {
                return Err(Error::invalid("url", format!("there is no file `{}`", file.display())));
            }
        }
        let records = Self::connect(url, clock).await?;
        let tables = migration::tables(&records).await?;
        Ok((records, tables))
    }

    async fn connect(url: &str, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(MAX_CONNECTIONS)
            .acquire_timeout(BUSY_TIMEOUT)
            .sqlx_logging(false);
        let db = if url.starts_with("sqlite:") {
            options.map_sqlx_sqlite_opts(sqlite_options);
            // SQLite undoes a change for which there is no room by itself; the pool's connection then waits for ever to undo it
            options.map_sqlx_sqlite_before_acquire(|connection, _| {
                Box::pin(async move { Ok(!connection.is_in_transaction()) })
            });
            connect_sqlite(options).await?
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            options.acquire_timeout(CONNECT_TIMEOUT);
            SqlxPostgresConnector::connect(options).await?
        } else {
            return Err(Error::invalid(
                "url",
                "it begins neither with `sqlite:` nor with `postgres:`",
            ));
        };
        Ok(Self {
            db,
            clock,
            random: Arc::new(Mutex::new(StdRng::from_rng(&mut rand::rng()))),
            writer: Arc::default(),
            commits: Arc::new(watch::Sender::new(0)),
            enqueued: Arc::new(watch::Sender::new(0)),
            rounds: Arc::new(watch::Sender::new(0)),
            fence: None,
        })
    }

    /// The same records with chance fixed by `seed`: ids and tokens come out the same each time. For tests and demos only:
    /// tokens can then be foretold.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.random = Arc::new(Mutex::new(StdRng::seed_from_u64(seed)));
        self
    }

    /// The same records for the work of the leader: a change fails with `Superseded` unless `fence` is open for the term that
    /// leads (see [`crate::lead`]).
    pub fn fenced(&self, fence: Fence) -> Self {
        Self {
            fence: Some(fence),
            ..self.clone()
        }
    }

    /// The present moment of these records, in whole microseconds as they are kept.
    pub fn now(&self) -> Timestamp {
        column::whole_microseconds(self.clock.now())
    }

    /// Begins a change in the name of `actor`. It waits until the change before it is done, so never begin one while
    /// you hold another: that would wait for ever. Dropping it without [`Change::commit`] undoes it.
    pub async fn begin(&self, actor: Actor) -> Result<Change, Error> {
        Change::begin(self.clone(), actor).await
    }

    /// Whether the database answers. For `/healthz`.
    pub async fn ping(&self) -> Result<(), Error> {
        self.db
            .query_one_raw(sea_orm::Statement::from_string(
                self.db.get_database_backend(),
                "SELECT 1",
            ))
            .await?;
        Ok(())
    }

    /// `sqlite` or `postgres`.
    pub fn engine(&self) -> &'static str {
        if self.is_postgres() { "postgres" } else { "sqlite" }
    }

    /// Ticks with each change that this process commits: what draws live pages.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    /// Ticks with each change of this process that enqueued jobs: what wakes the runner before its timer does.
    pub fn enqueued(&self) -> watch::Receiver<u64> {
        self.enqueued.subscribe()
    }

    /// Counts the changes of this process that kept rounds; it is counted before [`Records::commits`] ticks for them.
    pub fn rounds(&self) -> watch::Receiver<u64> {
        self.rounds.subscribe()
    }

    /// Closes all connections; what is under way is undone. Other clones cannot be used afterwards.
    pub async fn close(self) -> Result<(), Error> {
        Ok(self.db.close().await?)
    }

    fn is_postgres(&self) -> bool {
        self.db.get_database_backend() == DbBackend::Postgres
    }

    /// For reading outside of a change.
    pub(crate) fn db(&self) -> &DatabaseConnection {
        &self.db
    }

    /// A generator of its own for one change. It may go from thread to thread, which the one of a thread may not.
    pub(crate) fn fork_random(&self) -> StdRng {
        StdRng::from_rng(&mut *self.random.lock().expect("no holder of this lock panics"))
    }
}

/// Makes the file of new SQLite records readable by its owner only: contact data and password hashes will be in it. SQLite
/// gives its log files the same rights. Fails for what is no file.
fn make_private(url: &str) -> Result<(), Error> {
    let wrong = |reason: String| Error::invalid("url", reason);
    let options = SqliteConnectOptions::from_str(url).map_err(|error| wrong(error.to_string()))?;
    let file = options.get_filename();
    if file.as_os_str().is_empty() || url.contains(":memory:") || url.contains("mode=memory") {
        return Err(wrong("records are kept in a file".to_owned()));
    }
    if !url.contains("mode=rwc") || file.exists() {
        return Ok(());
    }
    let mut new = std::fs::OpenOptions::new();
    new.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut new, 0o600);
    match new.open(file) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(wrong(format!("cannot make `{}`: {error}", file.display())))
        }
        _ => Ok(()),
    }
}

/// Opens a file of records. Who opens a new one first turns it to the write-ahead log, and whoever comes in the middle of
/// that is turned away at once: there SQLite does not wait for [`BUSY_TIMEOUT`], since two who both wait to write after they
/// have read would wait for ever (`sqlite3_busy_handler` in its manual). So it is tried again for as long.
async fn connect_sqlite(options: ConnectOptions) -> Result<DatabaseConnection, DbErr> {
    let patience = tokio::time::Instant::now() + BUSY_TIMEOUT;
    loop {
        match SqlxSqliteConnector::connect(options.clone()).await {
            Err(error) if is_busy(&error) && tokio::time::Instant::now() < patience => {
                tokio::time::sleep(BUSY_RETRY).await;
            }
            done => return done,
        }
    }
}

/// Whether somebody else holds the file: `SQLITE_BUSY` (5) with any of its extended codes, which share the low octet.
fn is_busy(error: &DbErr) -> bool {
    const SQLITE_BUSY: u32 = 5;
    let DbErr::Conn(RuntimeErr::SqlxError(error)) = error else {
        return false;
    };
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse::<u32>().ok())
        .is_some_and(|code| code & 0xff == SQLITE_BUSY)
}

/// Write-ahead log, so that readers do not stop the writer. `FULL`: a commit is on the disk before its page is shown
/// (a report that was thanked for survives a power cut), at the price of one sync per change.
fn sqlite_options(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
}
