//! What can go wrong with the lake, and where.

use std::path::PathBuf;

use deltalake_core::DeltaTableError;
use jiff::Timestamp;

/// Why something could not be kept or read. A single unreadable data file is no error: reads leave it out and
/// `Lake::damaged` names it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process writes to this lake. Open it for reading, or stop the other.
    #[error("lake `{folder}` is being written by another process")]
    Busy {
        /// The lake's folder.
        folder: PathBuf,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {attempt} `{path}`")]
    File {
        /// What was attempted.
        attempt: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The Delta log of a table could not be read or written.
    #[error("cannot {attempt} table `{table}`")]
    Table {
        /// What was attempted.
        attempt: &'static str,
        /// The table's name.
        table: &'static str,
        /// Why not.
        #[source]
        source: Box<DeltaTableError>,
    },
    /// The log of a table could not be read, whatever table it is.
    #[error("cannot read the log of the table in `{folder}`")]
    Log {
        /// The table's folder.
        folder: PathBuf,
        /// Why not.
        #[source]
        source: Box<DeltaTableError>,
    },
    /// An object store could not be opened, read or written.
    #[error("cannot {attempt} `{place}`")]
    Store {
        /// What was attempted.
        attempt: &'static str,
        /// On which URL.
        place: String,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Where a lake was to be published stands another one, or a later state of it. Nothing was changed there.
    #[error("`{store}` holds another lake, or a later state of this one: the logs of table `{table}` differ")]
    OtherLake {
        /// The store's URL.
        store: String,
        /// The table.
        table: String,
    },
    /// The table was made by a later version of the system, or by none of ours.
    #[error("table `{table}` has schema version `{found}`; this version knows those up to `{known}`")]
    SchemaVersion {
        /// The table's name.
        table: &'static str,
        /// The version in its properties; empty when it has none.
        found: String,
        /// The version that this code reads and writes.
        known: u32,
    },
    /// Rows could not be written as Parquet.
    #[error("cannot encode rows of table `{table}`")]
    Encode {
        /// The table's name.
        table: &'static str,
        /// Why not.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// A row's time lies outside 1970-01-01 to 9999-12-31; no row of the call was kept.
    #[error("time `{time}` lies outside the years 1970 to 9999")]
    OutOfRange {
        /// The time.
        time: Timestamp,
    },
    /// A word that was handed over is none that can be taken.
    #[error("`{text}` is not {what}")]
    Word {
        /// What it should be.
        what: &'static str,
        /// The word.
        text: String,
    },
    /// The lake was opened for reading only.
    #[error("lake `{folder}` is open for reading only")]
    ReadOnly {
        /// The lake's folder.
        folder: PathBuf,
    },
    /// The runtime stopped before the work was done; what was durable stays so.
    #[error("the work was stopped before it was done")]
    Stopped,
}

/// Runs blocking work off the runtime's threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(Error::Stopped))
}
