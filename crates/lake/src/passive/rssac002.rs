//! Table `rssac002`: figures that operators of root servers measure themselves and publish for each day.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, Int32Array, Int64Array, RecordBatch, StringArray};
use deltalake_core::kernel::{Add, LogicalFileView, StructField};
use jiff::tz::TimeZone;
use model::OperatorFigure;

use super::rows::{self, LEVEL, SOURCE, Sorted, Wanted, column, logged, optional, texts};
use super::run::Run;
use crate::delta::Logged;
use crate::row::{self, Column, Columns, Kind, delta_columns};

/// A figure of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FigureRow {
    pub figure: OperatorFigure,
    pub source: Arc<str>,
}

logged!(
    FigureRow,
    "rssac002",
    "Figures that operators of root servers publish for each day (RSSAC002); of several of the same the one taken in last holds"
);

/// Figures of one source in the order of the table.
pub(crate) fn figure_rows(source: &Arc<str>, figures: Vec<OperatorFigure>) -> Vec<FigureRow> {
    let row = |figure: OperatorFigure| FigureRow {
        figure: OperatorFigure {
            taken: jiff::Timestamp::from_second(figure.taken.as_second()).unwrap_or(figure.taken),
            ..figure
        },
        source: source.clone(),
    };
    rows::sorted(figures.into_iter().map(row).collect())
}

fn midnight(figure: &OperatorFigure) -> i64 {
    // a day that no table can hold is none that an operator publishes
    let start = figure.day.to_zoned(TimeZone::UTC);
    start.map_or(0, |start| start.timestamp().as_second())
}

impl FigureRow {
    /// Whether both are the same figure of one source, taken in at whatever time.
    pub fn is_of(&self, other: &Self) -> bool {
        fn place(row: &FigureRow) -> impl Eq + '_ {
            let figure = &row.figure;
            (figure.day, &figure.service, &figure.metric, &figure.part, &row.source)
        }
        place(self) == place(other)
    }
}

impl Sorted for FigureRow {
    const COLUMNS: &'static [Column] = &[
        column("day", Kind::Time, "The day, by its first moment, UTC"),
        column("service", Kind::Text, "The service, A-labels, no final dot"),
        column("metric", Kind::Text, "The metric, as the advisory names it"),
        column(
            "part",
            Kind::Text,
            "Which of its figures: key of the advisory with a range of sizes, RCODE, or serial of a root zone",
        ),
        SOURCE,
        column("taken", Kind::Time, "When it was taken in, UTC"),
        optional(
            "value",
            Kind::Long,
            "The figure; null where the operator could not tell",
        ),
        optional("version", Kind::Integer, "Version of the advisory"),
    ];
    const ORDER: &'static [&'static str] = &["day", "service", "metric", "part", "source", "taken"];
    const LAST: &'static str = "day";

    fn order(&self, other: &Self) -> Ordering {
        fn place(row: &FigureRow) -> impl Ord + '_ {
            let figure = &row.figure;
            // names stand in the column as text, and so in its order
            let stands = (figure.day, figure.service.to_string(), &figure.metric, &figure.part);
            (stands, &row.source, figure.taken, figure.value, figure.version)
        }
        place(self).cmp(&place(other))
    }

    fn absorb(&mut self, _: Self) {}

    fn last(&self) -> i64 {
        midnight(&self.figure)
    }

    fn seen_by(&self) -> Option<&str> {
        Some(&self.source)
    }

    fn to_batch(rows: &[Self]) -> RecordBatch {
        let values = rows.iter().map(|row| {
            let value = row.figure.value;
            value.map(|value| i64::try_from(value).unwrap_or(i64::MAX))
        });
        let services = rows.iter().map(|row| row.figure.service.to_string());
        let versions = rows.iter().map(|row| row.figure.version.map(i32::from));
        rows::batch::<Self>(vec![
            rows::times(rows.iter().map(|row| midnight(&row.figure))),
            Arc::new(StringArray::from_iter_values(services)),
            texts(rows.iter().map(|row| row.figure.metric.as_str())),
            texts(rows.iter().map(|row| row.figure.part.as_str())),
            texts(rows.iter().map(|row| &*row.source)),
            rows::times(rows.iter().map(|row| row.figure.taken.as_second())),
            Arc::new(values.collect::<Int64Array>()),
            Arc::new(versions.collect::<Int32Array>()),
        ])
    }

    fn read(batch: &RecordBatch, places: Range<usize>, wanted: &Wanted, rows: &mut Vec<Self>) -> Result<(), String> {
        let columns = Columns(batch);
        let (days, services) = (columns.times("day")?, columns.texts("service")?);
        let (metrics, parts) = (columns.texts("metric")?, columns.texts("part")?);
        let (sources, taken) = (columns.texts("source")?, columns.times("taken")?);
        let (values, versions) = (columns.longs("value")?, columns.integers("version")?);
        for at in places {
            if !wanted.takes_source(sources.value(at)) {
                continue;
            }
            let value = values.is_valid(at).then(|| values.value(at));
            let version = versions.is_valid(at).then(|| i64::from(versions.value(at)));
            rows.push(Self {
                figure: OperatorFigure {
                    day: row::day_of(row::time(days.value(at))?),
                    service: row::parse("service", services.value(at))?,
                    metric: metrics.value(at).to_owned(),
                    part: parts.value(at).to_owned(),
                    value: value.map(|value| row::narrow("value", value)).transpose()?,
                    version: version.map(|version| row::narrow("version", version)).transpose()?,
                    taken: row::time(taken.value(at))?,
                },
                source: Arc::from(sources.value(at)),
            });
        }
        Ok(())
    }
}
