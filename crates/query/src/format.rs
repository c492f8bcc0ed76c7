//! The forms in which an answer is written.

use std::io::{self, Write};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::csv;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::arrow::json::{WriterBuilder, writer::LineDelimited};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;

use crate::engine::Answer;
use crate::error::Error;
use crate::table;

/// A form of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Columns for the eye: numbers to the right, `NULL` where nothing is, at most so many rows.
    Table {
        /// Rows that are shown. All are held in memory until the last is there.
        rows: usize,
    },
    /// Comma-separated values with a header (RFC 4180); lists as in tables, null as an empty field.
    Csv,
    /// An object for each row, one a line; null is written.
    Json,
    /// A Parquet file.
    Parquet,
    /// A stream of Arrow's IPC format.
    Arrow,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// How many rows.
    pub rows: usize,
    /// Whether these are all.
    pub is_whole: bool,
}

/// Writes the columns of an answer without rows, as a stream of Arrow's IPC format.
pub fn write_columns(columns: &SchemaRef, out: impl Write) -> Result<(), Error> {
    let mut writer = StreamWriter::try_new(out, columns).map_err(of_arrow)?;
    writer.finish().map_err(of_arrow)
}

/// Writes an answer as its rows come. After an error what was written is not the whole answer.
pub async fn write(answer: Answer, format: Format, out: &mut (dyn Write + Send)) -> Result<Written, Error> {
    match format {
        Format::Table { rows } => return write_table(answer, rows, out).await,
        Format::Csv => write_batches(answer, Csv(csv::WriterBuilder::new().build(out))).await,
        Format::Json => {
            let writer = WriterBuilder::new().with_explicit_nulls(true);
            write_batches(answer, Json(writer.build::<_, LineDelimited>(out))).await
        }
        Format::Parquet => {
            let compression = Compression::ZSTD(ZstdLevel::default());
            let properties = WriterProperties::builder().set_compression(compression).build();
            let writer = ArrowWriter::try_new(out, answer.schema(), Some(properties)).map_err(of_parquet)?;
            write_batches(answer, Parquet(writer)).await
        }
        Format::Arrow => {
            let writer = StreamWriter::try_new(out, &answer.schema()).map_err(of_arrow)?;
            write_batches(answer, Arrow(writer)).await
        }
    }
}

/// A writer of batches.
trait Batches {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error>;
    /// Ends what was begun, also where no batch came.
    fn end(self, schema: &SchemaRef) -> Result<(), Error>;
}

async fn write_batches(mut answer: Answer, mut writer: impl Batches) -> Result<Written, Error> {
    let mut rows = 0;
    while let Some(batch) = answer.next().await {
        let batch = batch?;
        rows += batch.num_rows();
        writer.write(&batch)?;
    }
    writer.end(&answer.schema())?;
    Ok(Written { rows, is_whole: true })
}

struct Csv<W: Write>(csv::Writer<W>);

impl<W: Write> Batches for Csv<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.0.write(&flat(batch).map_err(of_arrow)?).map_err(of_arrow)
    }

    fn end(mut self, schema: &SchemaRef) -> Result<(), Error> {
        // the header comes with the first batch
        self.write(&RecordBatch::new_empty(schema.clone()))
    }
}

struct Json<W: Write>(datafusion::arrow::json::Writer<W, LineDelimited>);

impl<W: Write> Batches for Json<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.0.write(batch).map_err(of_arrow)
    }

    fn end(mut self, _: &SchemaRef) -> Result<(), Error> {
        self.0.finish().map_err(of_arrow)
    }
}

struct Parquet<W: Write + Send>(ArrowWriter<W>);

impl<W: Write + Send> Batches for Parquet<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.0.write(batch).map_err(of_parquet)
    }

    fn end(self, _: &SchemaRef) -> Result<(), Error> {
        self.0.close().map(|_| ()).map_err(of_parquet)
    }
}

struct Arrow<W: Write>(StreamWriter<W>);

impl<W: Write> Batches for Arrow<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.0.write(batch).map_err(of_arrow)
    }

    fn end(mut self, _: &SchemaRef) -> Result<(), Error> {
        self.0.finish().map_err(of_arrow)
    }
}

async fn write_table(mut answer: Answer, limit: usize, out: &mut (dyn Write + Send)) -> Result<Written, Error> {
    let schema = answer.schema();
    let (mut batches, mut rows, mut is_whole) = (Vec::new(), 0, true);
    while let Some(batch) = answer.next().await {
        let batch = batch?;
        let shown = batch.slice(0, batch.num_rows().min(limit - rows));
        is_whole = shown.num_rows() == batch.num_rows();
        rows += shown.num_rows();
        batches.push(shown);
        if !is_whole {
            break;
        }
    }
    let text = table::text(&schema, &batches).map_err(of_arrow)?;
    out.write_all(text.as_bytes()).map_err(Error::Write)?;
    Ok(Written { rows, is_whole })
}

/// A batch without lists and the like, which CSV has no form for: they become texts.
fn flat(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if field.data_type().is_nested() {
            let cells = table::cells(column)?;
            let texts: ArrayRef = Arc::new(cells.into_iter().collect::<StringArray>());
            fields.push(Arc::new(Field::new(field.name(), DataType::Utf8, true)));
            columns.push(texts);
        } else {
            fields.push(field.clone());
            columns.push(column.clone());
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

fn of_arrow(error: ArrowError) -> Error {
    Error::Write(match error {
        ArrowError::IoError(_, source) => source,
        other => io::Error::other(other),
    })
}

fn of_parquet(error: ParquetError) -> Error {
    Error::Write(match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(source) => *source,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    })
}
