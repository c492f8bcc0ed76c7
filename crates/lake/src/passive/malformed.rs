//! Table `malformed`: messages and lines of inputs that could not be read, with what is wrong, to be looked at.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use deltalake_core::kernel::{Add, LogicalFileView, StructField};
use model::MalformedMessage;

use super::rows::{self, COUNT, LEVEL, SOURCE, Sorted, Wanted, column, counts, logged, octets, texts};
use super::run::Run;
use crate::delta::Logged;
use crate::row::{self, Column, Columns, Kind, delta_columns};

/// What one source gave. A message may hold the same octets twice: these are one row, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MalformedRow {
    pub message: MalformedMessage,
    pub source: Arc<str>,
    pub count: u64,
}

logged!(
    MalformedRow,
    "malformed",
    "Messages and lines of inputs that could not be read, by time"
);

/// Messages of one source in the order of the table, with times in whole seconds.
pub(crate) fn malformed_rows(source: &Arc<str>, messages: Vec<MalformedMessage>) -> Vec<MalformedRow> {
    let row = |message: MalformedMessage| MalformedRow {
        message: MalformedMessage {
            time: jiff::Timestamp::from_second(message.time.as_second()).unwrap_or(message.time),
            ..message
        },
        source: source.clone(),
        count: 1,
    };
    rows::sorted(messages.into_iter().map(row).collect())
}

impl Sorted for MalformedRow {
    const COLUMNS: &'static [Column] = &[
        column(
            "time",
            Kind::Time,
            "When it was captured, UTC; for a line the time of the line before that could be read",
        ),
        SOURCE,
        column("input", Kind::Text, "Name of the input"),
        column("number", Kind::Long, "Number of the packet or line in it, from 1"),
        column("reason", Kind::Text, "What is wrong"),
        column(
            "octets",
            Kind::Octets,
            "The octets, without the addresses they travelled between",
        ),
        COUNT,
    ];
    const ORDER: &'static [&'static str] = &["time", "source", "input", "number", "reason", "octets"];
    const LAST: &'static str = "time";

    fn order(&self, other: &Self) -> Ordering {
        fn place(row: &MalformedRow) -> impl Ord + '_ {
            let message = &row.message;
            let stands = (message.time, &row.source, &message.input, message.number);
            (stands, &message.reason, &message.octets)
        }
        place(self).cmp(&place(other))
    }

    fn absorb(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
    }

    fn last(&self) -> i64 {
        self.message.time.as_second()
    }

    fn seen_by(&self) -> Option<&str> {
        Some(&self.source)
    }

    fn to_batch(rows: &[Self]) -> RecordBatch {
        rows::batch::<Self>(vec![
            rows::times(rows.iter().map(|row| row.message.time.as_second())),
            texts(rows.iter().map(|row| &*row.source)),
            texts(rows.iter().map(|row| row.message.input.as_str())),
            counts(rows.iter().map(|row| row.message.number)),
            texts(rows.iter().map(|row| row.message.reason.as_str())),
            octets(rows.iter().map(|row| row.message.octets.as_slice())),
            counts(rows.iter().map(|row| row.count)),
        ])
    }

    fn read(batch: &RecordBatch, places: Range<usize>, wanted: &Wanted, rows: &mut Vec<Self>) -> Result<(), String> {
        let columns = Columns(batch);
        let (times, sources) = (columns.times("time")?, columns.texts("source")?);
        let (inputs, numbers) = (columns.texts("input")?, columns.longs("number")?);
        let (reasons, octets) = (columns.texts("reason")?, columns.octets("octets")?);
        let counts = columns.longs("count")?;
        for at in places {
            if !wanted.takes_source(sources.value(at)) {
                continue;
            }
            rows.push(Self {
                message: MalformedMessage {
                    time: row::time(times.value(at))?,
                    input: inputs.value(at).to_owned(),
                    number: row::narrow("number", numbers.value(at))?,
                    reason: reasons.value(at).to_owned(),
                    octets: octets.value(at).to_vec(),
                },
                source: Arc::from(sources.value(at)),
                count: row::narrow("count", counts.value(at))?,
            });
        }
        Ok(())
    }
}
