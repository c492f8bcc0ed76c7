//! The Delta log of a table: creating and opening it, its data files, and commits.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::marker::PhantomData;
use std::path::Path;

use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake_core::kernel::{
    Action, Add, LogicalFileView, Metadata, MetadataExt, StructField, StructType, Transaction,
};
use deltalake_core::logstore::LogStoreRef;
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::table::state::DeltaTableState;
use deltalake_core::{DeltaTable, DeltaTableBuilder, DeltaTableError, ensure_table_uri};
use jiff::Timestamp;

use crate::error::Error;
use crate::journal::{create_folder, sync_folder};

/// A table as its log describes it: words, columns, and how its data files stand there.
pub(crate) trait Logged: Send + Sync + 'static {
    /// The table's name: that of its folder.
    const NAME: &'static str;
    /// What it holds, for those who read it without our code.
    const ABOUT: &'static str;
    /// Version of its columns.
    const VERSION: u32;
    /// The column by which its files are parted into folders.
    const PARTITION: &'static str;
    /// Delta properties of its own.
    const PROPERTIES: &'static [(&'static str, &'static str)] = &[];
    /// What is known of a data file without opening it.
    type File: Clone + Send + Sync;

    /// All columns, the partition's included.
    fn columns() -> Vec<StructField>;
    /// The entry that adds a file; `modified` is in milliseconds.
    fn entry(file: &Self::File, modified: i64) -> Add;
    /// The file of an entry.
    fn file(entry: &LogicalFileView) -> Self::File;
    /// A file's path below the table's folder.
    fn path(file: &Self::File) -> &str;
}

/// Property that holds the version of the columns.
const SCHEMA_VERSION: &str = "dnscert.schemaVersion";

/// Name under which the journal's numbers stand in the log (Delta protocol, "Transaction Identifiers").
const JOURNAL: &str = "dnscert-journal";

/// Commits from one checkpoint of the log to the next. Opening replays those since the last: at most this many.
const CHECKPOINT_INTERVAL: u64 = 20;

const PROPERTIES: [(&str, &str); 2] = [
    // one commit a minute are 10,000 small log files in a week; older states of the table are of no use here
    ("delta.logRetentionDuration", "interval 7 days"),
    ("delta.deletedFileRetentionDuration", "interval 7 days"),
];

/// A table's log and its state as last seen.
pub(crate) struct Log<T: Logged> {
    pub store: LogStoreRef,
    pub state: DeltaTableState,
    /// The data files of `state`, by path.
    files: BTreeMap<String, T::File>,
    table: PhantomData<T>,
}

fn failed<T: Logged>(attempt: &'static str) -> impl Fn(DeltaTableError) -> Error {
    move |source| Error::Table {
        attempt,
        table: T::NAME,
        source: Box::new(source),
    }
}

impl<T: Logged> Log<T> {
    /// Opens the table, making it where it is missing if `may_create`.
    pub async fn open(folder: &Path, may_create: bool) -> Result<Self, Error> {
        if may_create {
            create_folder(folder)?;
        }
        let folder = folder.canonicalize();
        let folder = folder.map_err(|source| Error::File {
            attempt: "open",
            path: T::NAME.into(),
            source,
        })?;
        let url = ensure_table_uri(folder.to_string_lossy()).map_err(failed::<T>("open"))?;
        let table = DeltaTableBuilder::from_url(url)
            .and_then(DeltaTableBuilder::build)
            .map_err(failed::<T>("open"))?;
        let exists = table.verify_deltatable_existence().await.map_err(failed::<T>("open"))?;
        let table = if exists || !may_create {
            load(table).await
        } else {
            create::<T>(table).await
        };
        let table = table.map_err(failed::<T>("open"))?;
        let state = table.snapshot().map_err(failed::<T>("open"))?.clone();
        let mut log = Self {
            store: table.log_store(),
            state,
            files: BTreeMap::new(),
            table: PhantomData,
        };
        let version = log.version()?;
        log.list_files();
        if may_create && version < T::VERSION {
            log.add_columns(&folder).await?;
        }
        Ok(log)
    }

    /// The version of the table's columns.
    fn version(&self) -> Result<u32, Error> {
        let found = self
            .state
            .metadata()
            .configuration()
            .get(SCHEMA_VERSION)
            .cloned()
            .unwrap_or_default();
        match found.parse() {
            Ok(version) if (1..=T::VERSION).contains(&version) => Ok(version),
            _ => Err(Error::SchemaVersion {
                table: T::NAME,
                found,
                known: T::VERSION,
            }),
        }
    }

    /// Gives a table of an earlier version the columns that came since, in one commit. Its files stay as they are.
    async fn add_columns(&mut self, folder: &Path) -> Result<(), Error> {
        let metadata = with_columns::<T>(self.state.metadata()).map_err(failed::<T>("add columns to"))?;
        let actions = vec![Action::Metadata(metadata)];
        let operation = DeltaOperation::AddColumn { fields: T::columns() };
        tracing::info!(table = T::NAME, version = T::VERSION, "the table gets new columns");
        self.commit(folder, actions, operation, CommitProperties::default())
            .await
    }

    /// The highest journal number whose rows are in the table.
    pub async fn journal_number(&self) -> Result<i64, Error> {
        Ok(self.transaction(JOURNAL).await?.unwrap_or(-1))
    }

    /// The note that the rows up to this journal number are in the table.
    pub fn journal_note(number: i64) -> Transaction {
        Transaction::new(JOURNAL, number)
    }

    /// Takes in what others committed. Returns whether there was something.
    pub async fn refresh(&mut self) -> Result<bool, Error> {
        let before = self.state.version();
        self.state
            .update(self.store.as_ref(), None)
            .await
            .map_err(failed::<T>("read the log of"))?;
        let now = self.state.version();
        if now / CHECKPOINT_INTERVAL != before / CHECKPOINT_INTERVAL {
            self.reload().await?;
        } else if now != before {
            self.list_files();
        }
        Ok(now != before)
    }

    /// Starts from the newest checkpoint. A state that is carried on keeps a batch for each commit since it was loaded,
    /// and each commit walks all of them.
    async fn reload(&mut self) -> Result<(), Error> {
        let loaded = DeltaTableState::try_new(self.store.as_ref(), None).await;
        self.state = loaded.map_err(failed::<T>("read the log of"))?;
        self.list_files();
        Ok(())
    }

    /// The data files that make up the table now.
    pub fn files(&self) -> Vec<T::File> {
        self.files.values().cloned().collect()
    }

    /// Lists the files of `state`. Those known already are not read from the log again: files never change.
    fn list_files(&mut self) {
        let mut known = std::mem::take(&mut self.files);
        for view in self.state.log_data() {
            let path = view.path().into_owned();
            let file = known.remove(&path).unwrap_or_else(|| T::file(&view));
            self.files.insert(path, file);
        }
    }

    /// The number of an application's last transaction; `None` when it has none, or none any more.
    pub async fn transaction(&self, application: &str) -> Result<Option<i64>, Error> {
        let number = self.state.transaction_version(self.store.as_ref(), application).await;
        number.map_err(failed::<T>("read the log of"))
    }

    /// Adds new files of rows, and with them notes of where these rows come from.
    pub async fn append(&mut self, folder: &Path, files: &[T::File], notes: Vec<Transaction>) -> Result<(), Error> {
        let actions = files
            .iter()
            .map(|file| Action::Add(add::<T>(folder, file, true)))
            .collect();
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: Some(vec![T::PARTITION.to_owned()]),
            predicate: None,
        };
        let properties = CommitProperties::default()
            .with_application_transactions(notes)
            // clearing old log files lists them all: once an hour, with the compaction, is enough
            .with_cleanup_expired_logs(Some(false));
        self.commit(folder, actions, operation, properties).await
    }

    /// Puts files in the place of others that hold the same rows, in one commit; without any the rows go.
    pub async fn replace(&mut self, folder: &Path, old: &[String], new: &[T::File]) -> Result<(), Error> {
        let mut actions: Vec<Action> = self
            .state
            .log_data()
            .into_iter()
            .filter(|view| old.iter().any(|path| *path == view.path()))
            .map(|view| Action::Remove(view.remove_action(new.is_empty())))
            .collect();
        let new: Vec<Add> = new.iter().map(|file| add::<T>(folder, file, false)).collect();
        let target_size = new.iter().map(|add| add.size).max().unwrap_or(0);
        actions.extend(new.into_iter().map(Action::Add));
        let operation = DeltaOperation::Optimize {
            predicate: None,
            target_size,
        };
        self.commit(folder, actions, operation, CommitProperties::default())
            .await
    }

    async fn commit(
        &mut self,
        folder: &Path,
        actions: Vec<Action>,
        operation: DeltaOperation,
        properties: CommitProperties,
    ) -> Result<(), Error> {
        let commit = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(&self.state), self.store.clone(), operation)
            .await
            .map_err(failed::<T>("commit to"))?;
        self.state = commit.snapshot();
        self.list_files();
        if (commit.version() + 1).is_multiple_of(CHECKPOINT_INTERVAL) {
            self.reload().await?;
        }
        let log = folder.join("_delta_log");
        let path = log.join(format!("{:020}.json", commit.version()));
        let synced = File::open(&path)
            .and_then(|file| file.sync_all())
            .and_then(|()| sync_folder(&log));
        synced.map_err(|source| Error::File {
            attempt: "write",
            path,
            source,
        })
    }

    /// Paths of the files that were taken out of the table, with the millisecond at which that was.
    pub async fn removed(&self) -> Result<Vec<(String, i64)>, Error> {
        use futures_util::TryStreamExt;
        let tombstones = self.state.all_tombstones(self.store.as_ref());
        let removed =
            tombstones.map_ok(|view| (view.path().into_owned(), view.deletion_timestamp().unwrap_or(i64::MAX)));
        removed.try_collect().await.map_err(failed::<T>("read the log of"))
    }
}

/// The table's description with the columns and the version that this code knows.
fn with_columns<T: Logged>(metadata: &Metadata) -> Result<Metadata, DeltaTableError> {
    let schema = StructType::try_new(T::columns())?;
    let metadata = metadata.clone().with_schema(&schema)?;
    Ok(metadata.add_config_key(SCHEMA_VERSION.to_owned(), T::VERSION.to_string())?)
}

async fn load(mut table: DeltaTable) -> Result<DeltaTable, DeltaTableError> {
    table.load().await?;
    Ok(table)
}

async fn create<T: Logged>(table: DeltaTable) -> Result<DeltaTable, DeltaTableError> {
    let (interval, version) = (CHECKPOINT_INTERVAL.to_string(), T::VERSION.to_string());
    let of_code = [
        ("delta.checkpointInterval", interval.as_str()),
        (SCHEMA_VERSION, version.as_str()),
    ];
    let properties = PROPERTIES
        .into_iter()
        .chain(of_code)
        .chain(T::PROPERTIES.iter().copied());
    CreateBuilder::new()
        .with_log_store(table.log_store())
        .with_table_name(T::NAME)
        .with_comment(T::ABOUT)
        .with_columns(T::columns())
        .with_partition_columns([T::PARTITION])
        .with_raise_if_key_not_exists(false)
        .with_configuration(properties.map(|(key, value)| (key, Some(value))))
        .await
}

fn add<T: Logged>(folder: &Path, file: &T::File, data_change: bool) -> Add {
    let modified = fs::metadata(folder.join(T::path(file))).and_then(|metadata| metadata.modified());
    let modified = modified
        .ok()
        .and_then(|time| Timestamp::try_from(time).ok())
        .map_or(0, Timestamp::as_millisecond);
    Add {
        data_change,
        ..T::entry(file, modified)
    }
}
