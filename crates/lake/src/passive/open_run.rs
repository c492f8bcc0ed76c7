//! An open run: its footer in memory, and its pages on demand.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, AsArray, RecordBatch, TimestampMicrosecondArray};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::reader::{ChunkReader, Length};

use super::cache::Cache;
use super::key::{self, Keys};
use super::rows::{Sorted, Wanted};
use super::run::Run;
use super::slice::{Columns, Part, Slice, slices};
use crate::row;

/// Rows of a file that a whole reading decodes at a time.
const BATCH_ROWS: usize = 8192;

/// A run that can be read, by any number of readers at once.
pub(crate) struct OpenRun<S> {
    pub run: Run,
    /// Distinguishes it in the cache.
    id: u64,
    file: Positioned,
    metadata: ArrowReaderMetadata,
    slices: Vec<Slice>,
    key: Columns,
    rest: Columns,
    /// No key is behind this one.
    last: Vec<u8>,
    row: std::marker::PhantomData<fn() -> S>,
}

/// What a look-up reads of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// The run's file, below the lake's folder.
    pub file: String,
    /// Its row groups, and how many of them are read.
    pub row_groups: (usize, usize),
    /// Its pages in all columns, and how many of them are read.
    pub pages: (usize, usize),
    /// Octets of those that are read, compressed.
    pub bytes: u64,
}

impl<S: Sorted> OpenRun<S> {
    /// Reads the footer and the index of pages. The error says why the file cannot be read.
    pub fn open(table: &Path, run: Run) -> Result<Self, String> {
        let file = File::open(table.join(&run.path)).map_err(|error| error.to_string())?;
        let length = file.metadata().map_err(|error| error.to_string())?.len();
        let file = Positioned(Arc::new(file), length);
        // the decoder is not ours and its input is whatever the disk gives
        let opened = catch_unwind(AssertUnwindSafe(|| Self::of_footer(run, file)));
        opened.unwrap_or_else(|_| Err("the decoder broke on it".to_owned()))
    }

    fn of_footer(run: Run, file: Positioned) -> Result<Self, String> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let text = |error: ParquetError| error.to_string();
        let options = ArrowReaderOptions::new()
            .with_skip_arrow_metadata(true)
            .with_page_index_policy(PageIndexPolicy::Optional);
        let metadata = ArrowReaderMetadata::load(&file, options.clone()).map_err(text)?;
        for column in S::COLUMNS.iter().filter(|column| column.since == 1) {
            metadata
                .schema()
                .field_with_name(column.name)
                .map_err(|error| error.to_string())?;
        }
        let (slices, last) = slices(metadata.metadata())?;
        // the look-up needs where pages begin; what their keys are is in `slices`
        let without = metadata
            .metadata()
            .as_ref()
            .clone()
            .into_builder()
            .set_column_index(None)
            .build();
        let metadata = ArrowReaderMetadata::try_new(Arc::new(without), options).map_err(text)?;
        Ok(Self {
            run,
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            file,
            key: Columns::of(Part::Key, &metadata).map_err(text)?,
            rest: Columns::of(Part::Rest, &metadata).map_err(text)?,
            metadata,
            slices,
            last,
            row: std::marker::PhantomData,
        })
    }

    /// The slices in which keys of the range may stand.
    pub fn slices(&self, keys: &Keys) -> Range<usize> {
        if self.last < keys.start {
            return 0..0;
        }
        // the slice before the first that begins at or behind the key may end with it
        let from = self
            .slices
            .partition_point(|slice| *slice.first < *keys.start)
            .saturating_sub(1);
        let to = self.slices.partition_point(|slice| *slice.first < *keys.end);
        from..to.max(from)
    }

    /// Adds the wanted rows of a slice whose keys are in the range, and says how many rows it looked at.
    pub fn read_slice(
        &self,
        at: usize,
        keys: &Keys,
        wanted: &Wanted,
        cache: &Cache,
        rows: &mut Vec<S>,
    ) -> Result<usize, String> {
        let read = catch_unwind(AssertUnwindSafe(|| {
            let of_keys = cache.get((self.id, at, Part::Key), || self.decode(at, Part::Key))?;
            let places = places(of_keys.column(0), keys)?;
            if places.is_empty() {
                return Ok(0);
            }
            let rest = cache.get((self.id, at, Part::Rest), || self.decode(at, Part::Rest))?;
            let fields = of_keys
                .schema()
                .fields()
                .iter()
                .chain(rest.schema().fields())
                .cloned()
                .collect::<Vec<_>>();
            let columns = of_keys.columns().iter().chain(rest.columns()).cloned().collect();
            let schema = Arc::new(arrow::datatypes::Schema::new(fields));
            let batch = RecordBatch::try_new(schema, columns).map_err(|error| error.to_string())?;
            S::read(&row::complete(S::COLUMNS, &batch, None)?, places.clone(), wanted, rows)?;
            Ok(places.len())
        }));
        read.unwrap_or_else(|_| Err("the decoder broke on it".to_owned()))
    }

    fn decode(&self, at: usize, part: Part) -> Result<RecordBatch, String> {
        let columns = match part {
            Part::Key => &self.key,
            Part::Rest => &self.rest,
        };
        self.slices[at].decode(&self.file, &self.metadata, columns)
    }

    fn reader(&self) -> ParquetRecordBatchReaderBuilder<Positioned> {
        ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.clone(), self.metadata.clone())
    }

    /// All rows, from the first to the last.
    pub fn all(&self) -> Result<ParquetRecordBatchReader, String> {
        let reader = self.reader().with_batch_size(BATCH_ROWS).build();
        reader.map_err(|error| error.to_string())
    }

    /// Gives the named columns of all rows to `take`, batch by batch: those that the table has, and null where the file is too old to
    /// have them.
    pub fn scan(&self, names: &[&str], take: &mut dyn FnMut(&RecordBatch) -> Result<(), String>) -> Result<(), String> {
        let mut read = || {
            let projection = ProjectionMask::columns(self.metadata.parquet_schema(), names.iter().copied());
            let reader = self.reader().with_batch_size(BATCH_ROWS).with_projection(projection);
            for batch in reader.build().map_err(|error| error.to_string())? {
                let batch = batch.map_err(|error| error.to_string())?;
                take(&row::complete(S::COLUMNS, &batch, Some(names))?)?;
            }
            Ok(())
        };
        // the decoder is not ours and its input is whatever the disk gives
        catch_unwind(AssertUnwindSafe(&mut read)).unwrap_or_else(|_| Err("the decoder broke on it".to_owned()))
    }

    /// What reading these slices takes. Pages of the key are read in all of them, pages of other columns may be spared.
    pub fn touched(&self, slices: impl Iterator<Item = usize>) -> Touched {
        let metadata = self.metadata.metadata();
        let mut row_groups = std::collections::BTreeSet::new();
        let mut pages = std::collections::BTreeSet::new();
        for at in slices {
            let slice = &self.slices[at];
            row_groups.insert(slice.row_group);
            for (column, index) in metadata
                .offset_index()
                .into_iter()
                .flat_map(|index| index[slice.row_group].iter().enumerate())
            {
                let locations = index.page_locations();
                let begins = |row: usize| locations.partition_point(|page| page.first_row_index <= row as i64);
                let of_slice = begins(slice.rows.start).saturating_sub(1)..begins(slice.rows.end.saturating_sub(1));
                pages
                    .extend(of_slice.map(|page| (slice.row_group, column, page, locations[page].compressed_page_size)));
            }
        }
        let all = metadata
            .offset_index()
            .into_iter()
            .flatten()
            .flatten()
            .map(|index| index.page_locations().len());
        Touched {
            file: format!("{}/{}", S::NAME, self.run.path),
            row_groups: (metadata.num_row_groups(), row_groups.len()),
            pages: (all.sum(), pages.len()),
            bytes: pages.iter().map(|(.., size)| u64::try_from(*size).unwrap_or(0)).sum(),
        }
    }
}

/// The rows whose keys are in the range.
fn places(of_keys: &Arc<dyn Array>, keys: &Keys) -> Result<Range<usize>, String> {
    let bounds = |key: &dyn Fn(usize) -> bool| -> usize {
        let (mut from, mut to) = (0, of_keys.len());
        while from < to {
            let middle = from.midpoint(to);
            if key(middle) { from = middle + 1 } else { to = middle }
        }
        from
    };
    let (from, to) = if let Some(texts) = of_keys.as_string_opt::<i32>() {
        let before = |bound: &[u8]| bounds(&|at| texts.value(at).as_bytes() < bound);
        (before(&keys.start), before(&keys.end))
    } else if let Some(times) = of_keys.as_any().downcast_ref::<TimestampMicrosecondArray>() {
        let before = |bound: &[u8]| bounds(&|at| key::of_microsecond(times.value(at)).as_slice() < bound);
        (before(&keys.start), before(&keys.end))
    } else {
        let octets = of_keys
            .as_binary_opt::<i32>()
            .ok_or("the key is neither text nor octets nor a time")?;
        let before = |bound: &[u8]| bounds(&|at| octets.value(at) < bound);
        (before(&keys.start), before(&keys.end))
    };
    Ok(from..to.max(from))
}

/// A file that is read at places, so that readers do not move each other, and its length, which never changes.
#[derive(Clone)]
struct Positioned(Arc<File>, u64);

impl Length for Positioned {
    fn len(&self) -> u64 {
        self.1
    }
}

impl ChunkReader for Positioned {
    type T = BufReader<At>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(At(self.clone(), start)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        // a length that a spoilt footer claims must not take memory that the file does not have
        let length = length.min(usize::try_from(self.1.saturating_sub(start)).unwrap_or(0));
        let mut octets = vec![0; length];
        self.0.read_exact_at(&mut octets, start)?;
        Ok(octets.into())
    }
}

struct At(Positioned, u64);

impl Read for At {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.0.0.read_at(into, self.1)?;
        self.1 += read as u64;
        Ok(read)
    }
}
