//! The Delta log of a table: creating and opening it, its data files, and commits.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake_core::kernel::{Action, Add, LogicalFileView, Metadata, MetadataExt, StructType, Transaction};
use deltalake_core::logstore::LogStoreRef;
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::table::state::DeltaTableState;
use deltalake_core::{DeltaTable, DeltaTableBuilder, DeltaTableError, ensure_table_uri};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

use crate::data_file::DataFile;
use crate::error::Error;
use crate::journal::{create_folder, sync_folder};
use crate::row::{DAY, Row};

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
pub(crate) struct Log {
    pub store: LogStoreRef,
    pub state: DeltaTableState,
    /// The data files of `state`, by path.
    files: BTreeMap<String, DataFile>,
}

fn failed<R: Row>(attempt: &'static str) -> impl Fn(DeltaTableError) -> Error {
    move |source| Error::Table {
        attempt,
        table: R::TABLE,
        source: Box::new(source),
    }
}

impl Log {
    /// Opens the table, making it where it is missing if `may_create`.
    pub async fn open<R: Row>(folder: &Path, may_create: bool) -> Result<Self, Error> {
        if may_create {
            create_folder(folder)?;
        }
        let folder = folder.canonicalize();
        let folder = folder.map_err(|source| Error::File {
            attempt: "open",
            path: R::TABLE.into(),
            source,
        })?;
        let url = ensure_table_uri(folder.to_string_lossy()).map_err(failed::<R>("open"))?;
        let table = DeltaTableBuilder::from_url(url)
            .and_then(DeltaTableBuilder::build)
            .map_err(failed::<R>("open"))?;
        let exists = table.verify_deltatable_existence().await.map_err(failed::<R>("open"))?;
        let table = if exists || !may_create {
            load(table).await
        } else {
            create::<R>(table).await
        };
        let table = table.map_err(failed::<R>("open"))?;
        let state = table.snapshot().map_err(failed::<R>("open"))?.clone();
        let mut log = Self {
            store: table.log_store(),
            state,
            files: BTreeMap::new(),
        };
        let version = log.version::<R>()?;
        log.list_files();
        if may_create && version < R::SCHEMA_VERSION {
            log.add_columns::<R>(&folder).await?;
        }
        Ok(log)
    }

    /// The version of the table's columns.
    fn version<R: Row>(&self) -> Result<u32, Error> {
        let found = self
            .state
            .metadata()
            .configuration()
            .get(SCHEMA_VERSION)
            .cloned()
            .unwrap_or_default();
        match found.parse() {
            Ok(version) if (1..=R::SCHEMA_VERSION).contains(&version) => Ok(version),
            _ => Err(Error::SchemaVersion {
                table: R::TABLE,
                found,
                known: R::SCHEMA_VERSION,
            }),
        }
    }

    /// Gives a table of an earlier version the columns that came since, in one commit. Its files stay as they are.
    async fn add_columns<R: Row>(&mut self, folder: &Path) -> Result<(), Error> {
        let metadata = with_columns::<R>(self.state.metadata()).map_err(failed::<R>("add columns to"))?;
        let actions = vec![Action::Metadata(metadata)];
        let operation = DeltaOperation::AddColumn {
            fields: R::delta_columns(),
        };
        tracing::info!(
            table = R::TABLE,
            version = R::SCHEMA_VERSION,
            "the table gets new columns"
        );
        self.commit::<R>(folder, actions, operation, CommitProperties::default())
            .await
    }

    /// The highest journal number whose rows are in the table.
    pub async fn journal_number<R: Row>(&self) -> Result<i64, Error> {
        let number = self.state.transaction_version(self.store.as_ref(), JOURNAL).await;
        Ok(number.map_err(failed::<R>("read the log of"))?.unwrap_or(-1))
    }

    /// Takes in what others committed. Returns whether there was something.
    pub async fn refresh<R: Row>(&mut self) -> Result<bool, Error> {
        let before = self.state.version();
        self.state
            .update(self.store.as_ref(), None)
            .await
            .map_err(failed::<R>("read the log of"))?;
        let now = self.state.version();
        if now / CHECKPOINT_INTERVAL != before / CHECKPOINT_INTERVAL {
            self.reload::<R>().await?;
        } else if now != before {
            self.list_files();
        }
        Ok(now != before)
    }

    /// Starts from the newest checkpoint. A state that is carried on keeps a batch for each commit since it was loaded,
    /// and each commit walks all of them.
    async fn reload<R: Row>(&mut self) -> Result<(), Error> {
        let loaded = DeltaTableState::try_new(self.store.as_ref(), None).await;
        self.state = loaded.map_err(failed::<R>("read the log of"))?;
        self.list_files();
        Ok(())
    }

    /// The data files that make up the table now.
    pub fn files(&self) -> Vec<DataFile> {
        self.files.values().cloned().collect()
    }

    /// Lists the files of `state`. Those known already are not read from the log again: files never change.
    fn list_files(&mut self) {
        let mut known = std::mem::take(&mut self.files);
        for view in self.state.log_data() {
            let path = view.path().into_owned();
            let file = known.remove(&path).unwrap_or_else(|| data_file(&view));
            self.files.insert(path, file);
        }
    }

    /// Adds new files of rows, and notes up to which journal these rows come from.
    pub async fn append<R: Row>(&mut self, folder: &Path, files: &[DataFile], journal: i64) -> Result<(), Error> {
        let actions = files.iter().map(|file| Action::Add(add(folder, file, true))).collect();
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: Some(vec![DAY.to_owned()]),
            predicate: None,
        };
        let properties = CommitProperties::default()
            .with_application_transaction(Transaction::new(JOURNAL, journal))
            // clearing old log files lists them all: once an hour, with the compaction, is enough
            .with_cleanup_expired_logs(Some(false));
        self.commit::<R>(folder, actions, operation, properties).await
    }

    /// Puts one file in the place of several that hold the same rows.
    pub async fn replace<R: Row>(&mut self, folder: &Path, old: &[String], new: &DataFile) -> Result<(), Error> {
        let mut actions: Vec<Action> = self
            .state
            .log_data()
            .into_iter()
            .filter(|view| old.iter().any(|path| *path == view.path()))
            .map(|view| Action::Remove(view.remove_action(false)))
            .collect();
        actions.push(Action::Add(add(folder, new, false)));
        let operation = DeltaOperation::Optimize {
            predicate: None,
            target_size: i64::try_from(new.bytes).unwrap_or(0),
        };
        self.commit::<R>(folder, actions, operation, CommitProperties::default())
            .await
    }

    async fn commit<R: Row>(
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
            .map_err(failed::<R>("commit to"))?;
        self.state = commit.snapshot();
        self.list_files();
        if (commit.version() + 1).is_multiple_of(CHECKPOINT_INTERVAL) {
            self.reload::<R>().await?;
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
    pub async fn removed<R: Row>(&self) -> Result<Vec<(String, i64)>, Error> {
        use futures_util::TryStreamExt;
        let tombstones = self.state.all_tombstones(self.store.as_ref());
        let removed =
            tombstones.map_ok(|view| (view.path().into_owned(), view.deletion_timestamp().unwrap_or(i64::MAX)));
        removed.try_collect().await.map_err(failed::<R>("read the log of"))
    }
}

/// The table's description with the columns and the version that this code knows.
fn with_columns<R: Row>(metadata: &Metadata) -> Result<Metadata, DeltaTableError> {
    let schema = StructType::try_new(R::delta_columns())?;
    let metadata = metadata.clone().with_schema(&schema)?;
    Ok(metadata.add_config_key(SCHEMA_VERSION.to_owned(), R::SCHEMA_VERSION.to_string())?)
}

async fn load(mut table: DeltaTable) -> Result<DeltaTable, DeltaTableError> {
    table.load().await?;
    Ok(table)
}

async fn create<R: Row>(table: DeltaTable) -> Result<DeltaTable, DeltaTableError> {
    let (interval, version) = (CHECKPOINT_INTERVAL.to_string(), R::SCHEMA_VERSION.to_string());
    let of_code = [
        ("delta.checkpointInterval", interval.as_str()),
        (SCHEMA_VERSION, version.as_str()),
    ];
    let properties = PROPERTIES.into_iter().chain(of_code);
    CreateBuilder::new()
        .with_log_store(table.log_store())
        .with_table_name(R::TABLE)
        .with_comment(R::COMMENT)
        .with_columns(R::delta_columns())
        .with_partition_columns([DAY])
        .with_raise_if_key_not_exists(false)
        .with_configuration(properties.map(|(key, value)| (key, Some(value))))
        .await
}

fn add(folder: &Path, file: &DataFile, data_change: bool) -> Add {
    let modified = fs::metadata(folder.join(&file.path)).and_then(|metadata| metadata.modified());
    let modified = modified
        .ok()
        .and_then(|time| Timestamp::try_from(time).ok())
        .map_or(0, Timestamp::as_millisecond);
    let mut stats = serde_json::json!({ "numRecords": file.rows });
    if let (Some((first_zone, last_zone)), Some((first, last))) = (&file.zones, file.times) {
        let time = |time| {
            Timestamp::from_microsecond(time)
                .map(|time| format!("{time:.6}"))
                .unwrap_or_default()
        };
        stats["minValues"] = serde_json::json!({ "zone": first_zone, "time": time(first) });
        stats["maxValues"] = serde_json::json!({ "zone": last_zone, "time": time(last) });
        stats["nullCount"] = serde_json::json!({ "zone": 0, "time": 0 });
    }
    Add {
        path: file.path.clone(),
        partition_values: [(DAY.to_owned(), Some(file.day.to_string()))].into(),
        size: i64::try_from(file.bytes).unwrap_or(i64::MAX),
        modification_time: modified,
        data_change,
        stats: Some(stats.to_string()),
        ..Add::default()
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Stats {
    num_records: u64,
    min_values: Ends,
    max_values: Ends,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Ends {
    zone: Option<String>,
    time: Option<Timestamp>,
}

fn data_file(view: &LogicalFileView) -> DataFile {
    let stats: Stats = view
        .stats()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let day = view
        .partition_values_map()
        .remove(DAY)
        .flatten()
        .and_then(|day| day.parse().ok());
    // other writers give times to the millisecond, rounded down
    let last = |time: Timestamp| time.as_microsecond().saturating_add(999);
    DataFile {
        path: view.path().into_owned(),
        day: day.unwrap_or(Date::MIN),
        rows: stats.num_records,
        bytes: u64::try_from(view.size()).unwrap_or(0),
        zones: stats.min_values.zone.zip(stats.max_values.zone),
        times: stats
            .min_values
            .time
            .map(Timestamp::as_microsecond)
            .zip(stats.max_values.time.map(last)),
    }
}
