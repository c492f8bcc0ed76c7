//! A run: one sorted Parquet file of a table, and how it is written.
//!
//! Its pages are small and end at the same rows in all columns, so a look-up decodes one page of each column. The key alone has
//! statistics for each page; nothing has a dictionary, which a look-up would have to read as a whole. There is no bloom filter:
//! a table has a dozen runs at most, and a run without the key costs one page of one column.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use deltalake_core::kernel::{Add, LogicalFileView};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::rows::Sorted;
use crate::error::Error;
use crate::journal::{create_folder, sync_folder};
use crate::row::{Kind, arrow_schema};

/// Name of the partition column.
pub(crate) const LEVEL: &str = "level";

/// Rows of a page: what a look-up decodes of each column at least (chosen by measurement: `cargo xtask bench lookup`). Smaller
/// makes files and their indexes larger, larger makes look-ups slower.
pub(crate) const PAGE_ROWS: usize = 512;

/// Rows of a row group, all of which a writer holds in memory, compressed: some 10 MB.
const ROW_GROUP_ROWS: usize = 1 << 18;

/// Rows that a writer gathers before it encodes them.
const BATCH_ROWS: usize = 8192;

/// Octets of a key that the index of pages keeps. Shorter would make the pages of names that begin alike look alike.
const INDEXED_KEY: usize = 256;

/// How often the rows of a run were merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// As a receipt brought them.
    Minute,
    /// Runs of `Minute` as one.
    Hour,
    /// Runs of `Hour` as one.
    Day,
    /// Runs of `Day` as one, or of `Month`.
    Month,
}

impl Level {
    /// All, the smallest first.
    pub const ALL: [Level; 4] = [Level::Minute, Level::Hour, Level::Day, Level::Month];

    /// `minute`, `hour`, `day` or `month`.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Minute => "minute",
            Level::Hour => "hour",
            Level::Day => "day",
            Level::Month => "month",
        }
    }
}

/// A run as the Delta log knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    /// Path below the table's folder.
    pub path: String,
    pub level: Level,
    /// Number of the last receipt whose rows it holds; its name says it.
    pub receipt: i64,
    pub rows: u64,
    pub bytes: u64,
}

impl Run {
    /// Whether it is the run of a receipt behind the last that is in. A merge takes none such.
    pub fn is_half(&self, last_receipt: i64) -> bool {
        self.level == Level::Minute && self.receipt > last_receipt
    }

    /// Gives the run of a receipt that is about to come in the number of the receipt, which its name says.
    pub fn number(mut self, table: &Path, receipt: i64) -> Result<Self, Error> {
        let path = name(self.level, receipt);
        let failed = |source| Error::File {
            attempt: "rename",
            path: table.join(&self.path),
            source,
        };
        fs::rename(table.join(&self.path), table.join(&path)).map_err(failed)?;
        sync_folder(&table.join(folder(self.level))).map_err(failed)?;
        (self.path, self.receipt) = (path, receipt);
        Ok(self)
    }

    pub fn entry(&self, modified: i64) -> Add {
        Add {
            path: self.path.clone(),
            partition_values: [(LEVEL.to_owned(), Some(self.level.as_str().to_owned()))].into(),
            size: i64::try_from(self.bytes).unwrap_or(i64::MAX),
            modification_time: modified,
            stats: Some(serde_json::json!({ "numRecords": self.rows }).to_string()),
            ..Add::default()
        }
    }

    pub fn of_entry(entry: &LogicalFileView) -> Self {
        let path = entry.path().into_owned();
        let name = path.rsplit('/').next().unwrap_or_default();
        let receipt = name.split('-').nth(1).and_then(|number| number.parse().ok());
        let level = Level::ALL.into_iter().find(|level| path.starts_with(&folder(*level)));
        let stats: Option<serde_json::Value> = entry.stats().and_then(|text| serde_json::from_str(&text).ok());
        Self {
            receipt: receipt.unwrap_or(0),
            level: level.unwrap_or(Level::Month),
            rows: stats.and_then(|stats| stats["numRecords"].as_u64()).unwrap_or(0),
            bytes: u64::try_from(entry.size()).unwrap_or(0),
            path,
        }
    }
}

fn name(level: Level, receipt: i64) -> String {
    format!("{}part-{receipt:012}-{}.parquet", folder(level), uuid::Uuid::new_v4())
}

fn folder(level: Level) -> String {
    format!("{LEVEL}={}/", level.as_str())
}

/// Writes a run, row by row in the order of its table.
pub(crate) struct Writer<S: Sorted> {
    table: PathBuf,
    run: Run,
    out: ArrowWriter<File>,
    gathered: Vec<S>,
    is_whole: bool,
}

impl<S: Sorted> Drop for Writer<S> {
    /// Removes what is not whole, for a disk that is full needs it. What cannot be removed is no file of the table, and a vacuum
    /// removes it.
    fn drop(&mut self) {
        if !self.is_whole {
            let _ = fs::remove_file(self.table.join(&self.run.path));
        }
    }
}

impl<S: Sorted> Writer<S> {
    pub fn create(table: &Path, level: Level, receipt: i64) -> Result<Self, Error> {
        let path = name(level, receipt);
        let whole = table.join(&path);
        let parent = table.join(folder(level));
        let file = |source| Error::File {
            attempt: "write",
            path: whole.clone(),
            source,
        };
        let is_new = !parent.exists();
        create_folder(&parent)?;
        if is_new {
            sync_folder(table).map_err(file)?;
        }
        let out = File::create_new(&whole).map_err(file)?;
        let out = ArrowWriter::try_new(out, arrow_schema(S::COLUMNS), Some(properties::<S>())).map_err(encode::<S>)?;
        let run = Run {
            path,
            level,
            receipt,
            rows: 0,
            bytes: 0,
        };
        Ok(Self {
            table: table.to_owned(),
            run,
            out,
            gathered: Vec::with_capacity(BATCH_ROWS),
            is_whole: false,
        })
    }

    pub fn push(&mut self, row: S) -> Result<(), Error> {
        self.gathered.push(row);
        if self.gathered.len() >= BATCH_ROWS {
            self.encode()?;
        }
        Ok(())
    }

    fn encode(&mut self) -> Result<(), Error> {
        self.run.rows += self.gathered.len() as u64;
        self.out.write(&S::to_batch(&self.gathered)).map_err(encode::<S>)?;
        self.gathered.clear();
        Ok(())
    }

    /// The rows that it has.
    pub fn rows(&self) -> u64 {
        self.run.rows + self.gathered.len() as u64
    }

    /// Ends the file; it is on the disk when this returns. One that is dropped before is removed.
    pub fn finish(mut self) -> Result<Run, Error> {
        self.encode()?;
        self.out.finish().map_err(encode::<S>)?;
        let path = self.table.join(&self.run.path);
        let synced = self.out.inner().sync_all().and_then(|()| fs::metadata(&path));
        let synced =
            synced.and_then(|metadata| sync_folder(&self.table.join(folder(self.run.level))).map(|()| metadata));
        let metadata = synced.map_err(|source| Error::File {
            attempt: "write",
            path,
            source,
        })?;
        self.run.bytes = metadata.len();
        self.is_whole = true;
        Ok(self.run.clone())
    }
}

fn encode<S: Sorted>(source: parquet::errors::ParquetError) -> Error {
    Error::Encode { table: S::NAME, source }
}

fn properties<S: Sorted>() -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).unwrap_or_default()))
        .set_dictionary_enabled(false)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        // a page can end only where a batch of the encoder does
        .set_write_batch_size(PAGE_ROWS)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_column_index_truncate_length(Some(INDEXED_KEY))
        .set_statistics_truncate_length(Some(INDEXED_KEY))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(ColumnPath::from(S::COLUMNS[0].name), EnabledStatistics::Page)
        .set_sorting_columns(Some(vec![SortingColumn {
            column_idx: 0,
            descending: false,
            nulls_first: false,
        }]));
    for column in S::COLUMNS {
        let encoding = match column.kind {
            Kind::Text | Kind::Octets => Encoding::DELTA_BYTE_ARRAY,
            Kind::Boolean => Encoding::PLAIN,
            _ => Encoding::DELTA_BINARY_PACKED,
        };
        properties = properties.set_column_encoding(ColumnPath::from(column.name), encoding);
    }
    properties.build()
}
