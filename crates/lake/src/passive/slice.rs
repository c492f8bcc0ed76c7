//! Slices of a run, and how one is decoded.
//!
//! A look-up decodes a few slices and nothing else, so what is done once for each of them counts: Parquet's own reader copies the
//! index of all pages of a row group and makes a context of zstd for each column, which takes longer than the pages do. Here a
//! column's reader is given the pages of the slice alone, and a thread keeps its context.

use std::cell::RefCell;
use std::io::{Cursor, Read as _};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowGroups, RowSelection,
    RowSelector,
};
use parquet::arrow::{FieldLevels, ProjectionMask, parquet_to_arrow_field_levels};
use parquet::basic::Compression;
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::PageLocation;
use parquet::file::reader::ChunkReader;
use parquet::file::serialized_reader::SerializedPageReader;

use super::key;

/// Octets of a decompressed page at most, as Parquet can say them.
const PAGE_BYTES: u64 = i32::MAX as u64;

/// Rows of a run that stand in one page of the key.
#[derive(Debug, Clone)]
pub(super) struct Slice {
    pub row_group: usize,
    /// Rows within the row group.
    pub rows: Range<usize>,
    /// The first key, or the beginning of it.
    pub first: Box<[u8]>,
}

/// Which columns of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    /// The key.
    Key,
    /// All but the key.
    Rest,
}

/// Columns of a file that are decoded together.
pub(super) struct Columns {
    indexes: Range<usize>,
    levels: FieldLevels,
}

impl Columns {
    /// Those of a part.
    pub fn of(part: Part, metadata: &ArrowReaderMetadata) -> Result<Self, ParquetError> {
        let schema = metadata.parquet_schema();
        let indexes = match part {
            Part::Key => 0..1,
            Part::Rest => 1..schema.num_columns(),
        };
        let mask = ProjectionMask::leaves(schema, indexes.clone());
        let levels = parquet_to_arrow_field_levels(schema, mask, None)?;
        Ok(Self { indexes, levels })
    }
}

/// The slices of a file by the index of its key's pages, and the last key.
pub(super) fn slices(metadata: &ParquetMetaData) -> Result<(Vec<Slice>, Vec<u8>), String> {
    let missing = || "it has no index of its pages".to_owned();
    let (mut slices, mut last) = (Vec::new(), Vec::new());
    for (row_group, group) in metadata.row_groups().iter().enumerate() {
        let group_rows = usize::try_from(group.num_rows()).map_err(|_| missing())?;
        let index = |index: Option<_>| -> Result<_, String> { index.ok_or_else(missing) };
        let of_columns = index(metadata.column_index().and_then(|index| index.get(row_group)?.first()))?;
        let ends = |page: usize| -> Option<(Box<[u8]>, Vec<u8>)> {
            match of_columns {
                ColumnIndexMetaData::BYTE_ARRAY(keys) => {
                    Some((keys.min_value(page)?.into(), keys.max_value(page)?.to_vec()))
                }
                ColumnIndexMetaData::INT64(keys) => {
                    let (first, last) = (*keys.min_value(page)?, *keys.max_value(page)?);
                    Some((key::of_microsecond(first).into(), key::of_microsecond(last).into()))
                }
                _ => None,
            }
        };
        let pages = locations(metadata, row_group, 0).ok_or_else(missing)?;
        for (page, location) in pages.iter().enumerate() {
            let row = |at: i64| usize::try_from(at).map_or(group_rows, |at| at.min(group_rows));
            let end = pages.get(page + 1).map_or(group_rows, |next| row(next.first_row_index));
            slices.push(Slice {
                row_group,
                rows: row(location.first_row_index)..end,
                first: ends(page).ok_or_else(missing)?.0,
            });
        }
        if let Some((_, of_group)) = pages.len().checked_sub(1).and_then(ends) {
            last = of_group;
        }
    }
    Ok((slices, last))
}

fn locations(metadata: &ParquetMetaData, row_group: usize, column: usize) -> Option<&[PageLocation]> {
    Some(metadata.offset_index()?.get(row_group)?.get(column)?.page_locations())
}

impl Slice {
    /// The columns of its rows, as one batch.
    pub fn decode<F: ChunkReader + Clone + 'static>(
        &self,
        file: &F,
        metadata: &ArrowReaderMetadata,
        columns: &Columns,
    ) -> Result<RecordBatch, String> {
        let text = |error: ParquetError| error.to_string();
        let mut reader = match self.pages(metadata.metadata(), columns) {
            Some(pages) => {
                let pages = OfSlice {
                    file: Arc::new(file.clone()),
                    metadata: metadata.metadata().clone(),
                    slice: self,
                    first: columns.indexes.start,
                    pages,
                };
                let batch = self.rows.len().max(1);
                ParquetRecordBatchReader::try_new_with_row_groups(&columns.levels, &pages, batch, None).map_err(text)?
            }
            None => self.select(file, metadata, columns).map_err(text)?,
        };
        let batch = reader
            .next()
            .ok_or("a page is missing")?
            .map_err(|error| error.to_string())?;
        if batch.num_rows() == self.rows.len() {
            Ok(batch)
        } else {
            let (rows, wanted) = (batch.num_rows(), self.rows.len());
            Err(format!("a page has {rows} rows where its index says {wanted}"))
        }
    }

    /// The pages of each column that hold these rows and no others, as ours do. `None` where another program wrote the file in
    /// another way.
    fn pages(&self, metadata: &ParquetMetaData, columns: &Columns) -> Option<Vec<Vec<PageLocation>>> {
        let group = metadata.row_group(self.row_group);
        let row = |page: &PageLocation| usize::try_from(page.first_row_index).ok();
        let of_column = |column: usize| {
            let chunk = group.column(column);
            let all = locations(metadata, self.row_group, column)?;
            let begins = |at: usize| all.partition_point(|page| row(page).is_some_and(|row| row < at));
            let (from, to) = (begins(self.rows.start), begins(self.rows.end));
            let ends_with_it = match all.get(to) {
                Some(next) => row(next)? == self.rows.end,
                None => i64::try_from(self.rows.end) == Ok(group.num_rows()),
            };
            let pages = all.get(from..to).filter(|pages| !pages.is_empty())?;
            let is_ours = row(&pages[0])? == self.rows.start
                && ends_with_it
                && chunk.dictionary_page_offset().is_none()
                && matches!(chunk.compression(), Compression::ZSTD(_) | Compression::UNCOMPRESSED);
            let from_zero = |page: &PageLocation| PageLocation {
                first_row_index: page.first_row_index - pages[0].first_row_index,
                ..page.clone()
            };
            is_ours.then(|| pages.iter().map(from_zero).collect())
        };
        columns.indexes.clone().map(of_column).collect()
    }

    /// Reads the rows of a file whose pages end anywhere.
    fn select<F: ChunkReader + Clone + 'static>(
        &self,
        file: &F,
        metadata: &ArrowReaderMetadata,
        columns: &Columns,
    ) -> Result<ParquetRecordBatchReader, ParquetError> {
        let rows = vec![RowSelector::skip(self.rows.start), RowSelector::select(self.rows.len())];
        ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), metadata.clone())
            .with_row_groups(vec![self.row_group])
            .with_row_selection(RowSelection::from(rows))
            .with_projection(ProjectionMask::leaves(
                metadata.parquet_schema(),
                columns.indexes.clone(),
            ))
            .with_batch_size(self.rows.len().max(1))
            .build()
    }
}

/// The pages of a slice as a row group of their own.
struct OfSlice<'a, F> {
    file: Arc<F>,
    metadata: Arc<ParquetMetaData>,
    slice: &'a Slice,
    /// The first column that is decoded.
    first: usize,
    /// Those of each column from the first on.
    pages: Vec<Vec<PageLocation>>,
}

impl<F: ChunkReader + 'static> RowGroups for OfSlice<'_, F> {
    fn num_rows(&self) -> usize {
        self.slice.rows.len()
    }

    fn column_chunks(&self, column: usize) -> Result<Box<dyn PageIterator>, ParquetError> {
        let pages = column.checked_sub(self.first).and_then(|at| self.pages.get(at));
        let pages = pages.ok_or_else(|| ParquetError::General(format!("column {column} is not decoded")))?;
        let chunk = self.metadata.row_group(self.slice.row_group).column(column);
        // without a codec the reader hands pages on as they are, and has no context to make
        let plain = ColumnChunkMetaData::builder(chunk.column_descr_ptr())
            .set_compression(Compression::UNCOMPRESSED)
            .set_data_page_offset(pages[0].offset)
            .set_total_compressed_size(pages.iter().map(|page| i64::from(page.compressed_page_size)).sum())
            .build()?;
        let packed = SerializedPageReader::new(self.file.clone(), &plain, self.slice.rows.len(), Some(pages.clone()))?;
        let pages: Box<dyn PageReader> = match chunk.compression() {
            Compression::UNCOMPRESSED => Box::new(packed),
            _ => Box::new(Unpacked(packed)),
        };
        Ok(Box::new(OneChunk(Some(pages))))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(std::iter::once(self.metadata.row_group(self.slice.row_group)))
    }

    fn metadata(&self) -> &ParquetMetaData {
        &self.metadata
    }
}

/// The pages of one column.
struct OneChunk(Option<Box<dyn PageReader>>);

impl Iterator for OneChunk {
    type Item = Result<Box<dyn PageReader>, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.take().map(Ok)
    }
}

impl PageIterator for OneChunk {}

/// Pages that zstd compressed.
struct Unpacked<F: ChunkReader>(SerializedPageReader<F>);

impl<F: ChunkReader> Iterator for Unpacked<F> {
    type Item = Result<Page, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl<F: ChunkReader> PageReader for Unpacked<F> {
    fn get_next_page(&mut self) -> Result<Option<Page>, ParquetError> {
        let mut page = self.0.get_next_page()?;
        match &mut page {
            Some(Page::DataPage { buf, .. }) => *buf = unpack(0, buf)?,
            Some(Page::DataPageV2 {
                buf,
                def_levels_byte_len,
                rep_levels_byte_len,
                is_compressed: true,
                ..
            }) => *buf = unpack((*def_levels_byte_len + *rep_levels_byte_len) as usize, buf)?,
            _ => {}
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>, ParquetError> {
        self.0.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<(), ParquetError> {
        self.0.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool, ParquetError> {
        self.0.at_record_boundary()
    }
}

/// A page that zstd compressed from `from` on, decompressed.
fn unpack(from: usize, page: &[u8]) -> Result<Bytes, ParquetError> {
    thread_local! {
        static CONTEXT: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
    }
    let failed = |reason: String| ParquetError::General(format!("a page cannot be decompressed: {reason}"));
    let (plain, packed) = page
        .split_at_checked(from)
        .ok_or_else(|| failed("it is too short".to_owned()))?;
    if packed.is_empty() {
        return Ok(plain.to_vec().into());
    }
    let size = match zstd::zstd_safe::get_frame_content_size(packed) {
        Ok(Some(size @ ..=PAGE_BYTES)) => size,
        Ok(Some(size)) => return Err(failed(format!("it claims {size} octets"))),
        // who writes a stream does not know it yet
        _ => {
            let mut octets = plain.to_vec();
            let stream = zstd::stream::read::Decoder::new(packed).map_err(|error| failed(error.to_string()))?;
            let read = stream.take(PAGE_BYTES).read_to_end(&mut octets);
            return read.map(|_| octets.into()).map_err(|error| failed(error.to_string()));
        }
    };
    CONTEXT.with_borrow_mut(|context| {
        let context = match context {
            Some(context) => context,
            None => {
                let new = zstd::bulk::Decompressor::new().map_err(|error| failed(error.to_string()))?;
                context.insert(new)
            }
        };
        let mut octets = Vec::with_capacity(plain.len() + size as usize);
        octets.extend_from_slice(plain);
        let mut end = Cursor::new(&mut octets);
        end.set_position(plain.len() as u64);
        context
            .decompress_to_buffer(packed, &mut end)
            .map_err(|error| failed(error.to_string()))?;
        Ok(octets.into())
    })
}
