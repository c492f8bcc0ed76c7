//! A lake's tables at one moment, file by file, for engines that read the files themselves.

use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use jiff::Timestamp;
use model::{Sample, ZoneChange};

use crate::delta::Log;
use crate::error::{Error, blocking};
use crate::passive::{self, Source};
use crate::row::Row;
use crate::store::Store;

/// The tables of a lake, with the files of each, as their logs said at one moment.
///
/// Its files stay on the disk for the retention of the next vacuum, usually a week. Rows that wait in the journal of a running
/// centre are in none of them.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// All tables; those that nobody has opened for writing are without files.
    pub tables: Vec<TableFiles>,
    /// Who gives passive DNS, in the order of their words.
    pub sources: Vec<Source>,
    /// The store in which the files are; `None` for the file system.
    pub store: Option<Store>,
}

/// A table and its files.
#[derive(Debug, Clone)]
pub struct TableFiles {
    /// The table's name.
    pub name: &'static str,
    /// Its columns as the files have them, the partition's left out. Files of before a column came lack it: there it is null.
    pub schema: SchemaRef,
    /// The columns in whose order the rows of each file stand: ascending, nulls first, texts and octets by their octets. Empty
    /// where nothing is said of it.
    pub order: &'static [&'static str],
    /// Its files.
    pub files: Vec<TableFile>,
}

/// A file of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFile {
    /// The file; in a store its path from the [root](Store::root) on.
    pub path: PathBuf,
    /// Its rows.
    pub rows: u64,
    /// Its octets.
    pub bytes: u64,
    /// Smallest and largest `zone`, as texts; `None` when the log does not say.
    pub zones: Option<(String, String)>,
    /// Bounds of `time`, both included; `None` when the log does not say.
    pub times: Option<(Timestamp, Timestamp)>,
}

impl Snapshot {
    /// Takes a snapshot of a lake. One that is being written may be read so at any time.
    pub async fn of(lake: &Path) -> Result<Self, Error> {
        let mut tables = vec![by_day::<Sample>(lake).await?, by_day::<ZoneChange>(lake).await?];
        tables.extend(passive::tables(lake).await?);
        let folder = lake.to_owned();
        let sources = blocking(move || passive::sources(&folder)).await?;
        Ok(Self {
            tables,
            sources,
            store: None,
        })
    }

    /// Takes a snapshot of what of a lake was published in a store. Its files stay there as long as in the lake.
    pub async fn of_store(store: &Store) -> Result<Self, Error> {
        let fetched = tempfile::tempdir().map_err(|source| Error::File {
            attempt: "make a folder in",
            path: std::env::temp_dir(),
            source,
        })?;
        store.fetch_logs(fetched.path()).await?;
        let mut snapshot = Self::of(fetched.path()).await?;
        for file in snapshot.tables.iter_mut().flat_map(|table| &mut table.files) {
            if let Some(path) = store.path_of(&file.path, fetched.path()) {
                file.path = path.into();
            }
        }
        snapshot.store = Some(store.clone());
        Ok(snapshot)
    }
}

async fn by_day<R: Row>(lake: &Path) -> Result<TableFiles, Error> {
    let folder = lake.join(R::TABLE);
    let files = match folder.join("_delta_log").is_dir() {
        true => Log::<R>::open(&folder, false).await?.files(),
        false => Vec::new(),
    };
    let time = |microsecond| Timestamp::from_microsecond(microsecond).ok();
    let files = files.into_iter().map(|file| TableFile {
        path: folder.join(&file.path),
        rows: file.rows,
        bytes: file.bytes,
        zones: file.zones,
        times: file.times.and_then(|(first, last)| Some((time(first)?, time(last)?))),
    });
    Ok(TableFiles {
        name: R::TABLE,
        schema: R::arrow_schema(),
        order: &[],
        files: files.collect(),
    })
}
