//! Table `zone_change`: one changed part of one zone's delegation per row.

use std::sync::Arc;

use arrow::array::{
    Array, BooleanArray, ListBuilder, RecordBatch, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field};
use jiff::Timestamp;
use model::{ChangedPart, Name, ZoneChange};

use crate::row::{self, Column, Columns, Kind, Row};

const PARTS: [(ChangedPart, &str); 3] = [
    (ChangedPart::Ns, "ns"),
    (ChangedPart::Ds, "ds"),
    (ChangedPart::Glue, "glue"),
];

const fn column(name: &'static str, kind: Kind, comment: &'static str) -> Column {
    Column {
        name,
        kind,
        nullable: false,
        comment,
        since: 1,
    }
}

impl Row for ZoneChange {
    const TABLE: &'static str = "zone_change";
    const COMMENT: &'static str = "Changes in what parents say of zones";
    const SCHEMA_VERSION: u32 = 1;
    const IS_SHARED: bool = true;
    const COLUMNS: &'static [Column] = &[
        column("time", Kind::Time, "When the change was first seen, UTC"),
        column(
            "zone",
            Kind::Text,
            "Zone whose delegation changed, A-labels, no final dot",
        ),
        column("part", Kind::Text, "`ns`, `ds` or `glue`"),
        column("before", Kind::Texts, "Values before, in presentation form, sorted"),
        column("after", Kind::Texts, "Values after, in the same form"),
        column(
            "announced",
            Kind::Boolean,
            "Whether somebody responsible had announced it",
        ),
    ];

    fn zone(&self) -> &Name {
        &self.zone
    }

    fn time(&self) -> Timestamp {
        self.time
    }

    fn set_time(&mut self, time: Timestamp) {
        self.time = time;
    }

    fn to_batch(rows: &[Self]) -> RecordBatch {
        let lists = |values: &dyn Fn(&Self) -> &[String]| -> Arc<dyn Array> {
            let element = Field::new("element", DataType::Utf8, false);
            let mut builder = ListBuilder::new(StringBuilder::new()).with_field(element);
            for row in rows {
                builder.append_value(values(row).iter().map(Some));
            }
            Arc::new(builder.finish())
        };
        let times = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.time.as_microsecond()));
        let columns: Vec<Arc<dyn Array>> = vec![
            Arc::new(times.with_timezone("UTC")),
            Arc::new(StringArray::from_iter_values(
                rows.iter().map(|row| row.zone.to_string()),
            )),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.part.as_str()))),
            lists(&|row| &row.before),
            lists(&|row| &row.after),
            Arc::new(rows.iter().map(|row| Some(row.announced)).collect::<BooleanArray>()),
        ];
        RecordBatch::try_new(Self::arrow_schema(), columns).expect("the columns are those of the schema, all as long")
    }

    fn from_batch(batch: &RecordBatch) -> Result<Vec<Self>, String> {
        let columns = Columns(batch);
        let (times, zones, parts) = (columns.times("time")?, columns.texts("zone")?, columns.texts("part")?);
        let (befores, afters) = (columns.text_lists("before")?, columns.text_lists("after")?);
        let announced = columns.booleans("announced")?;
        let change = |at: usize| -> Result<Self, String> {
            Ok(Self {
                time: row::time(times.value(at))?,
                zone: row::parse("zone", zones.value(at))?,
                part: row::word("part", parts.value(at), &PARTS)?,
                before: row::list(befores, at)?,
                after: row::list(afters, at)?,
                announced: announced.value(at),
            })
        };
        (0..batch.num_rows()).map(change).collect()
    }
}
