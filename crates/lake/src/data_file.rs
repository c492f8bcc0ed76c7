//! Parquet files: writing them sorted by zone and time, and reading from them only what a question needs.

use std::fs::{self, File};
use std::path::Path;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, Scalar, StringArray, TimestampMicrosecondArray};
use arrow::compute::kernels::cmp;
use arrow::compute::{SortColumn, and, concat_batches, lexsort_to_indices, take_record_batch};
use arrow::error::ArrowError;
use jiff::civil::Date;
use parquet::arrow::ArrowWriter;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{ArrowPredicateFn, ParquetRecordBatchReaderBuilder, RowFilter};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use crate::error::Error;
use crate::journal::{create_folder, sync_folder};
use crate::row::{self, Columns, Row};

/// Rows per row group: what a look-up of one zone decodes at least. Smaller makes files larger, larger makes look-ups
/// slower (chosen by us: some 100 KB).
const ROW_GROUP_ROWS: usize = 8192;

/// A data file as the Delta log knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataFile {
    /// Path below the table's folder.
    pub path: String,
    pub day: Date,
    pub rows: u64,
    pub bytes: u64,
    /// Smallest and largest zone, as text; `None` when the writer did not say.
    pub zones: Option<(String, String)>,
    /// First and last time in microseconds; `None` when the writer did not say.
    pub times: Option<(i64, i64)>,
}

/// Which rows a question is about.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub zone: Option<String>,
    /// First microsecond.
    pub from: i64,
    /// First microsecond that is too late.
    pub to: i64,
}

impl Filter {
    fn touches(&self, zones: Option<(&str, &str)>, times: Option<(i64, i64)>) -> bool {
        let zone = match (&self.zone, zones) {
            (Some(zone), Some((first, last))) => first <= zone.as_str() && zone.as_str() <= last,
            _ => true,
        };
        zone && times.is_none_or(|(first, last)| first < self.to && self.from <= last)
    }

    /// Whether a file may hold rows of it.
    pub fn touches_file(&self, file: &DataFile) -> bool {
        let zones = file.zones.as_ref().map(|(first, last)| (first.as_str(), last.as_str()));
        self.touches(zones, file.times)
    }

    /// Whether a row is one of it.
    pub fn takes<R: Row>(&self, row: &R) -> bool {
        let time = row.time().as_microsecond();
        self.from <= time && time < self.to && self.zone.as_ref().is_none_or(|zone| row.zone().to_string() == *zone)
    }
}

/// Sorts the rows of one day and writes them as a new file, synced to disk.
pub(crate) fn write<R: Row>(table: &Path, day: Date, batches: &[RecordBatch]) -> Result<DataFile, Error> {
    let encode = |source| Error::Encode {
        table: R::TABLE,
        source,
    };
    let sorted = sort::<R>(batches).map_err(|source| encode(source.into()))?;
    let folder = table.join(format!("day={day}"));
    let name = format!("part-{}.parquet", uuid::Uuid::new_v4());
    let path = folder.join(&name);
    let file = |source| Error::File {
        attempt: "write",
        path: path.clone(),
        source,
    };

    let is_new = !folder.exists();
    create_folder(&folder)?;
    if is_new {
        sync_folder(table).map_err(file)?;
    }
    let out = File::create_new(&path).map_err(file)?;
    let mut writer = ArrowWriter::try_new(out, sorted.schema(), Some(properties())).map_err(encode)?;
    writer.write(&sorted).map_err(encode)?;
    writer.finish().map_err(encode)?;
    writer
        .inner()
        .sync_all()
        .and_then(|()| sync_folder(&folder))
        .map_err(file)?;
    let bytes = fs::metadata(&path).map_err(file)?.len();

    let columns = Columns(&sorted);
    let (zones, times) = (columns.texts("zone"), columns.times("time"));
    let (zones, times) = (
        zones.expect("all tables have a zone"),
        times.expect("all tables have a time"),
    );
    let rows = sorted.num_rows();
    let ends = (rows > 0).then(|| (zones.value(0).to_owned(), zones.value(rows - 1).to_owned()));
    let times = arrow::compute::min(times).zip(arrow::compute::max(times));
    Ok(DataFile {
        path: format!("day={day}/{name}"),
        day,
        rows: rows as u64,
        bytes,
        zones: ends,
        times,
    })
}

fn sort<R: Row>(batches: &[RecordBatch]) -> Result<RecordBatch, ArrowError> {
    let all = concat_batches(&R::arrow_schema(), batches)?;
    let column = |name: &str| -> Result<SortColumn, ArrowError> {
        let values = all
            .column_by_name(name)
            .ok_or_else(|| ArrowError::SchemaError(format!("no column `{name}`")))?;
        Ok(SortColumn {
            values: values.clone(),
            options: None,
        })
    };
    let order = lexsort_to_indices(&[column("zone")?, column("time")?], None)?;
    take_record_batch(&all, &order)
}

pub(crate) fn properties() -> WriterProperties {
    let time = || ColumnPath::from("time");
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).unwrap_or_default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_column_dictionary_enabled(time(), false)
        .set_column_encoding(time(), Encoding::DELTA_BINARY_PACKED)
        .build()
}

/// Gives the matching rows of a file to `take`, batch by batch, with the named columns or all. The error says why the
/// file cannot be read.
pub(crate) fn read<R: Row>(
    path: &Path,
    filter: &Filter,
    columns: Option<&[&str]>,
    take: &mut dyn FnMut(&RecordBatch) -> Result<(), String>,
) -> Result<(), String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
    if let Some(wrong) = R::COLUMNS
        .iter()
        .filter(|column| column.since == 1)
        .find(|column| builder.schema().field_with_name(column.name).is_err())
    {
        return Err(format!("column `{}` is missing", wrong.name));
    }
    let groups = row_groups(&builder, filter).map_err(|error| error.to_string())?;
    if groups.is_empty() {
        return Ok(());
    }
    let names = |names: &[&str]| ProjectionMask::columns(builder.parquet_schema(), names.iter().copied());
    let projection = columns.map_or_else(ProjectionMask::all, names);
    let predicate = predicate(names(&["zone", "time"]), filter);
    let reader = builder
        .with_row_groups(groups)
        .with_projection(projection)
        .with_row_filter(RowFilter::new(vec![Box::new(predicate)]))
        .with_batch_size(ROW_GROUP_ROWS)
        .build()
        .map_err(|error| error.to_string())?;
    for batch in reader {
        let batch = batch.map_err(|error| error.to_string())?;
        take(&row::complete(R::COLUMNS, &batch, columns)?)?;
    }
    Ok(())
}

fn predicate(
    projection: ProjectionMask,
    filter: &Filter,
) -> ArrowPredicateFn<impl FnMut(RecordBatch) -> Result<BooleanArray, ArrowError> + Send + 'static> {
    let instant = |time: i64| Scalar::new(TimestampMicrosecondArray::from_value(time, 1).with_timezone("UTC"));
    let (from, to) = (instant(filter.from), instant(filter.to));
    let zone = filter
        .zone
        .clone()
        .map(|zone| Scalar::new(StringArray::from_iter_values([zone])));
    ArrowPredicateFn::new(projection, move |batch: RecordBatch| {
        let column = |name: &str| {
            batch
                .column_by_name(name)
                .ok_or_else(|| ArrowError::SchemaError(format!("no column `{name}`")))
        };
        let time = column("time")?;
        let in_time = and(&cmp::gt_eq(time, &from)?, &cmp::lt(time, &to)?)?;
        match &zone {
            Some(zone) => and(&cmp::eq(column("zone")?, zone)?, &in_time),
            None => Ok(in_time),
        }
    })
}

/// The row groups that may hold rows of the filter, by their statistics.
fn row_groups(builder: &ParquetRecordBatchReaderBuilder<File>, filter: &Filter) -> Result<Vec<usize>, ParquetError> {
    let groups = builder.metadata().row_groups();
    let ends = |name: &str| -> Result<_, ParquetError> {
        let converter = StatisticsConverter::try_new(name, builder.schema(), builder.parquet_schema())?;
        Ok((converter.row_group_mins(groups)?, converter.row_group_maxes(groups)?))
    };
    let (zone_firsts, zone_lasts) = ends("zone")?;
    let (time_firsts, time_lasts) = ends("time")?;
    let text = |array: &dyn Array, at: usize| {
        let texts = array.as_string_opt::<i32>()?;
        texts.is_valid(at).then(|| texts.value(at).to_owned())
    };
    let time = |array: &dyn Array, at: usize| {
        let times = array.as_primitive_opt::<arrow::datatypes::TimestampMicrosecondType>()?;
        times.is_valid(at).then(|| times.value(at))
    };
    let touches = |at: &usize| {
        let zones = text(&zone_firsts, *at).zip(text(&zone_lasts, *at));
        let times = time(&time_firsts, *at).zip(time(&time_lasts, *at));
        filter.touches(
            zones.as_ref().map(|(first, last)| (first.as_str(), last.as_str())),
            times,
        )
    };
    Ok((0..groups.len()).filter(touches).collect())
}
