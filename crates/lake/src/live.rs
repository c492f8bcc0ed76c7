//! The files of the tables at one moment, for an engine that reads Parquet by itself: what it may read, and what is in it.
//!
//! Small files of a receipt that `rrset` does not have are left out, as look-ups do (docs/decisions/0019-passive-dns.md). Rows
//! that still wait in the writer's journal are not in them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::Schema;
use model::{Sample, ZoneChange};

use crate::Damage;
use crate::data_file::DataFile;
use crate::delta::{Log, Logged};
use crate::error::{Error, blocking};
use crate::passive::open_run::OpenRun;
use crate::passive::rows::{NameRow, RdataRow, RrsetRow, Sorted};
use crate::passive::run::Run;
use crate::passive::source::{self, Source};
use crate::row::{Kind, Row, arrow_schema};

/// A table as it is now.
#[derive(Debug, Clone)]
pub struct LiveTable {
    /// Its name: that of its folder.
    pub name: &'static str,
    /// Its folder, from the root of the file system on.
    pub folder: PathBuf,
    /// The columns of its files, those of the partition left out. Older files lack some that may be null.
    pub schema: Arc<Schema>,
    /// Its files.
    pub files: Vec<LiveFile>,
    /// Files that cannot be read and are left out.
    pub damaged: Vec<Damage>,
}

/// A file of a table.
#[derive(Debug, Clone)]
pub struct LiveFile {
    /// Its path below the table's folder.
    pub path: String,
    /// Its size in octets.
    pub bytes: u64,
    /// Between which values of some columns its rows lie.
    pub bounds: Vec<Bounds>,
}

/// All rows of a file lie between two values of a column, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// The column.
    pub column: &'static str,
    /// No row has less.
    pub lowest: Edge,
    /// No row has more.
    pub highest: Edge,
}

/// A value of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edge {
    /// Of a column of texts.
    Text(String),
    /// Of a column of octets.
    Octets(Vec<u8>),
    /// Of a column of times, in microseconds since 1970.
    Time(i64),
}

/// The tables of a lake with what was committed until now, or none where it has none; one that was not made yet has no files.
/// `rrset` is looked at before `rdata` and `name`: what it has, they have had before.
pub async fn tables(lake: &Path) -> Result<Vec<LiveTable>, Error> {
    let names = [
        Sample::TABLE,
        ZoneChange::TABLE,
        RrsetRow::NAME,
        RdataRow::NAME,
        NameRow::NAME,
    ];
    if !names.into_iter().any(|table| exists(lake, table)) {
        return Ok(Vec::new());
    }
    let rrsets = runs::<RrsetRow>(lake).await?;
    let known = rrsets.iter().map(|run| run.receipt).max().unwrap_or(0);
    let (records, names) = (runs::<RdataRow>(lake).await?, runs::<NameRow>(lake).await?);
    Ok(vec![
        dated::<Sample>(lake).await?,
        dated::<ZoneChange>(lake).await?,
        sorted::<RrsetRow>(lake, rrsets, known).await?,
        sorted::<RdataRow>(lake, records, known).await?,
        sorted::<NameRow>(lake, names, known).await?,
    ])
}

/// Who gives passive DNS to a lake, in the order of their words.
pub async fn sources(lake: &Path) -> Result<Vec<Source>, Error> {
    let lake = lake.to_owned();
    blocking(move || source::read(&lake).map(|sources| sources.into_values().collect())).await
}

fn exists(lake: &Path, table: &str) -> bool {
    lake.join(table).join("_delta_log").is_dir()
}

/// A table's folder from the root of the file system on.
fn folder(lake: &Path, table: &str) -> Result<PathBuf, Error> {
    let whole = lake.canonicalize().map_err(|source| Error::File {
        attempt: "open",
        path: lake.to_owned(),
        source,
    })?;
    Ok(whole.join(table))
}

async fn dated<R: Row>(lake: &Path) -> Result<LiveTable, Error> {
    let folder = folder(lake, R::TABLE)?;
    let mut files = Vec::new();
    if exists(lake, R::TABLE) {
        let log: Log<R> = Log::open(&folder, false).await?;
        files.extend(log.files().into_iter().map(of_data_file));
    }
    Ok(LiveTable {
        name: R::TABLE,
        folder,
        schema: arrow_schema(R::COLUMNS),
        files,
        damaged: Vec::new(),
    })
}

fn of_data_file(file: DataFile) -> LiveFile {
    let bounds = |column, edges: Option<(Edge, Edge)>| {
        edges.map(|(lowest, highest)| Bounds {
            column,
            lowest,
            highest,
        })
    };
    let zones = file.zones.map(|(first, last)| (Edge::Text(first), Edge::Text(last)));
    let times = file.times.map(|(first, last)| (Edge::Time(first), Edge::Time(last)));
    LiveFile {
        bounds: bounds("zone", zones).into_iter().chain(bounds("time", times)).collect(),
        path: file.path,
        bytes: file.bytes,
    }
}

async fn runs<S: Sorted>(lake: &Path) -> Result<Vec<Run>, Error> {
    if !exists(lake, S::NAME) {
        return Ok(Vec::new());
    }
    let log: Log<S> = Log::open(&lake.join(S::NAME), false).await?;
    Ok(log.files())
}

async fn sorted<S: Sorted>(lake: &Path, runs: Vec<Run>, known: i64) -> Result<LiveTable, Error> {
    let folder = folder(lake, S::NAME)?;
    blocking(move || {
        let (mut files, mut damaged) = (Vec::new(), Vec::new());
        for run in runs.into_iter().filter(|run| !run.is_half(known)) {
            let path = run.path.clone();
            match OpenRun::<S>::open(&folder, run) {
                Ok(open) => files.push(of_run(&open)),
                Err(reason) => damaged.push(Damage {
                    file: folder.join(path),
                    reason,
                }),
            }
        }
        Ok(LiveTable {
            name: S::NAME,
            folder,
            schema: arrow_schema(S::COLUMNS),
            files,
            damaged,
        })
    })
    .await
}

fn of_run<S: Sorted>(open: &OpenRun<S>) -> LiveFile {
    let column = S::COLUMNS[0].name;
    let (first, last) = open.edges();
    // a text that was cut within a letter is no edge
    let edge = |octets: &[u8]| match S::COLUMNS[0].kind {
        Kind::Octets => Some(Edge::Octets(octets.to_vec())),
        _ => String::from_utf8(octets.to_vec()).ok().map(Edge::Text),
    };
    let bounds = edge(first).zip(edge(last)).map(|(lowest, highest)| Bounds {
        column,
        lowest,
        highest,
    });
    LiveFile {
        path: open.run.path.clone(),
        bytes: open.run.bytes,
        bounds: bounds.into_iter().collect(),
    }
}
