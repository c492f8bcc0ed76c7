//! A Parquet file of samples with what their answers say, outside of any lake: what a sweep hands over.
//!
//! It has the columns of the table `sample`, so that one query reads both, and two more: `answers` and `malformed`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, ListArray, RecordBatch, StringArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields, Schema};
use model::{AnswerRecord, AnsweredSample, Sample};
use parquet::arrow::ArrowWriter;

use crate::data_file::properties;
use crate::error::Error;
use crate::journal::sync_folder;
use crate::row::Row;

/// A file that is being written. It has its name once it is whole, and not before.
pub struct SampleFile {
    writer: ArrowWriter<File>,
    schema: Arc<Schema>,
    path: PathBuf,
    unfinished: PathBuf,
    rows: u64,
}

impl SampleFile {
    /// Begins the file `path`, at first under that name with `.part` after it.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".part");
        let unfinished = PathBuf::from(unfinished);
        let file = File::create(&unfinished).map_err(|source| Error::File {
            attempt: "write",
            path: unfinished.clone(),
            source,
        })?;
        let schema = schema();
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties())).map_err(encode)?;
        Ok(Self {
            writer,
            schema,
            path: path.to_owned(),
            unfinished,
            rows: 0,
        })
    }

    /// Appends rows, in the order given.
    pub fn append(&mut self, rows: &[AnsweredSample]) -> Result<(), Error> {
        let samples: Vec<Sample> = rows.iter().map(|row| row.sample.clone()).collect();
        let mut columns = Sample::to_batch(&samples).columns().to_vec();
        columns.push(answers(rows));
        columns.push(Arc::new(BooleanArray::from_iter(
            rows.iter().map(|row| Some(row.malformed)),
        )));
        let batch = RecordBatch::try_new(self.schema.clone(), columns);
        let batch = batch.expect("the columns are those of the schema, all as long");
        self.writer.write(&batch).map_err(encode)?;
        self.rows += rows.len() as u64;
        Ok(())
    }

    /// Ends the file, syncs it to disk and gives it its name, in place of a file that had it. Returns its rows.
    pub fn finish(mut self) -> Result<u64, Error> {
        self.writer.finish().map_err(encode)?;
        let name = || {
            self.writer.inner().sync_all()?;
            fs::rename(&self.unfinished, &self.path)?;
            match self.path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => sync_folder(folder),
                _ => sync_folder(Path::new(".")),
            }
        };
        name().map_err(|source| Error::File {
            attempt: "write",
            path: self.path.clone(),
            source,
        })?;
        Ok(self.rows)
    }
}

fn encode(source: parquet::errors::ParquetError) -> Error {
    Error::Encode {
        table: Sample::TABLE,
        source,
    }
}

fn schema() -> Arc<Schema> {
    let own = [
        Field::new("answers", DataType::List(answer_element()), false),
        Field::new("malformed", DataType::Boolean, false),
    ];
    let sample = Sample::arrow_schema();
    let fields = sample.fields().iter().map(|field| field.as_ref().clone()).chain(own);
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The records of an answer, in the words of the Passive DNS Common Output Format.
fn answer_fields() -> Fields {
    Fields::from(vec![
        Field::new("rrname", DataType::Utf8, false),
        Field::new("rrtype", DataType::Utf8, false),
        Field::new("ttl_secs", DataType::Int64, false),
        Field::new("rdata", DataType::Utf8, false),
    ])
}

fn answer_element() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Struct(answer_fields()), false))
}

fn answers(rows: &[AnsweredSample]) -> ArrayRef {
    let records = || rows.iter().flat_map(|row| &row.answers);
    let text = |value: &dyn Fn(&AnswerRecord) -> String| -> ArrayRef {
        Arc::new(records().map(|record| Some(value(record))).collect::<StringArray>())
    };
    let columns = vec![
        text(&|record| record.rrname.to_string()),
        text(&|record| record.rrtype.clone()),
        Arc::new(Int64Array::from_iter_values(
            records().map(|record| record.ttl_secs.into()),
        )) as Arc<dyn Array>,
        text(&|record| record.rdata.clone()),
    ];
    let values = StructArray::new(answer_fields(), columns, None);
    let offsets = OffsetBuffer::from_lengths(rows.iter().map(|row| row.answers.len()));
    Arc::new(ListArray::new(answer_element(), offsets, Arc::new(values), None))
}
