//! What the tables have in common: rows with a zone and a time, partitioned by day, sorted by zone and time.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType as ArrowType, Field, Schema, TimeUnit};
use deltalake_core::kernel::{ArrayType, DataType, MetadataValue, StructField};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use model::Name;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A column with its words for those who read the table without our code.
pub(crate) struct Column {
    pub name: &'static str,
    pub kind: Kind,
    pub nullable: bool,
    pub comment: &'static str,
    /// Version of the columns with which it came. Files from before lack it, and read as if it were null there: what
    /// comes with a later version than 1 is nullable.
    pub since: u32,
}

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Texts,
    Octets,
    Integer,
    Long,
    Boolean,
    /// UTC, in microseconds.
    Time,
    Day,
}

impl Kind {
    fn delta(self) -> DataType {
        match self {
            Kind::Text => DataType::STRING,
            Kind::Texts => ArrayType::new(DataType::STRING, false).into(),
            Kind::Octets => DataType::BINARY,
            Kind::Integer => DataType::INTEGER,
            Kind::Long => DataType::LONG,
            Kind::Boolean => DataType::BOOLEAN,
            Kind::Time => DataType::TIMESTAMP,
            Kind::Day => DataType::DATE,
        }
    }

    fn arrow(self) -> ArrowType {
        match self {
            Kind::Text => ArrowType::Utf8,
            Kind::Texts => ArrowType::List(Arc::new(Field::new("element", ArrowType::Utf8, false))),
            Kind::Octets => ArrowType::Binary,
            Kind::Integer => ArrowType::Int32,
            Kind::Long => ArrowType::Int64,
            Kind::Boolean => ArrowType::Boolean,
            Kind::Time => ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Kind::Day => ArrowType::Date32,
        }
    }
}

/// Name of the partition column.
pub(crate) const DAY: &str = "day";

const DAY_COLUMN: Column = Column {
    name: DAY,
    kind: Kind::Day,
    nullable: false,
    comment: "Day of `time` in UTC; the partition",
    since: 1,
};

/// A kind of row that the lake keeps in a table of its own.
pub(crate) trait Row: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The table's name: that of its folder.
    const TABLE: &'static str;
    /// What the table holds, for those who read it without our code.
    const COMMENT: &'static str;
    /// Version of the columns, kept in the table's properties. A table of an earlier version gets the columns that it
    /// lacks when it is opened for writing.
    const SCHEMA_VERSION: u32;
    /// The columns but for the partition.
    const COLUMNS: &'static [Column];
    /// Whether rows come in sealed parts too, so that a ledger of them is kept.
    const HAS_PARTS: bool = false;
    /// Whether others than the one who has the lake open for writing add rows too, so that its reads look for them.
    const IS_SHARED: bool = false;

    fn zone(&self) -> &Name;
    fn time(&self) -> Timestamp;
    fn set_time(&mut self, time: Timestamp);
    /// The rows as one batch of `COLUMNS`.
    fn to_batch(rows: &[Self]) -> RecordBatch;
    /// The rows of a batch of `COLUMNS`; an error says what no row of ours can have.
    fn from_batch(batch: &RecordBatch) -> Result<Vec<Self>, String>;

    /// The row as the tables keep it: its time cut to the microsecond. `None` when the time has no place in them.
    fn kept(mut self) -> Option<Self> {
        let micro = Timestamp::from_microsecond(self.time().as_microsecond()).ok()?;
        let micro = if micro > self.time() {
            micro.round(Unit::Microsecond).ok()?
        } else {
            micro
        };
        self.set_time(micro);
        let year = day_of(micro).year();
        (1970..=9999).contains(&year).then_some(self)
    }

    fn delta_columns() -> Vec<StructField> {
        delta_columns(&DAY_COLUMN, Self::COLUMNS)
    }

    fn arrow_schema() -> Arc<Schema> {
        arrow_schema(Self::COLUMNS)
    }
}

/// The columns of a table as its log has them, that of its partition first.
pub(crate) fn delta_columns(partition: &Column, columns: &[Column]) -> Vec<StructField> {
    let field = |column: &Column| {
        let comment = MetadataValue::String(column.comment.to_owned());
        StructField::new(column.name, column.kind.delta(), column.nullable).with_metadata([("comment", comment)])
    };
    [partition].into_iter().chain(columns).map(field).collect()
}

/// The columns of a table as its files have them, the partition's left out.
pub(crate) fn arrow_schema(columns: &[Column]) -> Arc<Schema> {
    let field = |column: &Column| Field::new(column.name, column.kind.arrow(), column.nullable);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// A batch as a file gave it, with the wanted columns (all where none are named) in our order: those that the file is
/// too old to have are null.
pub(crate) fn complete(
    columns: &[Column],
    batch: &RecordBatch,
    wanted: Option<&[&str]>,
) -> Result<RecordBatch, String> {
    let is_wanted = |column: &&Column| wanted.is_none_or(|names| names.contains(&column.name));
    let columns = columns.iter().filter(is_wanted);
    let of_file = columns.map(|column| match batch.column_by_name(column.name) {
        Some(array) => Ok((column, array.clone())),
        None if column.since > 1 => Ok((
            column,
            arrow::array::new_null_array(&column.kind.arrow(), batch.num_rows()),
        )),
        None => Err(format!("column `{}` is missing", column.name)),
    });
    let of_file = of_file.collect::<Result<Vec<_>, String>>()?;
    let field = |(column, array): &(&Column, Arc<dyn Array>)| {
        Field::new(column.name, array.data_type().clone(), column.nullable)
    };
    let schema = Arc::new(Schema::new(of_file.iter().map(field).collect::<Vec<_>>()));
    let arrays = of_file.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(schema, arrays).map_err(|error| error.to_string())
}

/// The day of a time, in UTC.
pub(crate) fn day_of(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

/// The columns of a batch by name, with errors that name the column.
pub(crate) struct Columns<'a>(pub &'a RecordBatch);

impl<'a> Columns<'a> {
    fn get<A: Array + 'static>(&self, name: &str) -> Result<&'a A, String> {
        let column = self
            .0
            .column_by_name(name)
            .ok_or_else(|| format!("column `{name}` is missing"))?;
        column
            .as_any()
            .downcast_ref()
            .ok_or_else(|| format!("column `{name}` has type `{}`", column.data_type()))
    }

    pub fn texts(&self, name: &str) -> Result<&'a arrow::array::StringArray, String> {
        self.get(name)
    }

    pub fn octets(&self, name: &str) -> Result<&'a arrow::array::BinaryArray, String> {
        self.get(name)
    }

    pub fn integers(&self, name: &str) -> Result<&'a arrow::array::Int32Array, String> {
        self.get(name)
    }

    pub fn longs(&self, name: &str) -> Result<&'a arrow::array::Int64Array, String> {
        self.get(name)
    }

    pub fn booleans(&self, name: &str) -> Result<&'a arrow::array::BooleanArray, String> {
        self.get(name)
    }

    pub fn times(&self, name: &str) -> Result<&'a arrow::array::TimestampMicrosecondArray, String> {
        self.get(name)
    }

    pub fn text_lists(&self, name: &str) -> Result<&'a arrow::array::ListArray, String> {
        self.get(name)
    }
}

/// Reads a value that stands as text in its column.
pub(crate) fn parse<T: std::str::FromStr>(column: &str, text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("column `{column}` has the value `{text}`"))
}

/// Reads a word of a fixed list.
pub(crate) fn word<T: Copy>(column: &str, text: &str, all: &[(T, &str)]) -> Result<T, String> {
    let found = all.iter().find(|(_, word)| *word == text);
    found
        .map(|(value, _)| *value)
        .ok_or_else(|| format!("column `{column}` has the value `{text}`"))
}

/// A number of a column as the narrower one that it was before.
pub(crate) fn narrow<T: TryFrom<i64>>(column: &str, value: i64) -> Result<T, String> {
    T::try_from(value).map_err(|_| format!("column `{column}` has the value `{value}`"))
}

/// A time of a column.
pub(crate) fn time(microseconds: i64) -> Result<Timestamp, String> {
    Timestamp::from_microsecond(microseconds).map_err(|_| format!("column `time` has the value `{microseconds}`"))
}

/// The texts of one row of a list column.
pub(crate) fn list(lists: &arrow::array::ListArray, row: usize) -> Result<Vec<String>, String> {
    let values = lists.value(row);
    let texts = values.as_string_opt::<i32>().ok_or("a list holds no texts")?;
    Ok(texts.iter().map(|text| text.unwrap_or_default().to_owned()).collect())
}
