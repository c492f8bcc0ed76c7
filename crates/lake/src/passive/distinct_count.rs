//! Table `distinct_count`: how many different clients asked a server in a minute, or a longer span, and for how many names, as sketches
//! that add up.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, StringArray};
use deltalake_core::kernel::{Add, LogicalFileView, StructField};
use jiff::Timestamp;
use model::{DistinctCell, Sketch, Span};

use super::roll_up::Figures;
use super::rows::{self, LEVEL, SOURCE, SPAN, Sorted, Wanted, column, counts, logged, octets, optional, texts};
use super::run::Run;
use crate::delta::Logged;
use crate::row::{self, Column, Columns, Kind, delta_columns};

/// A cell of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DistinctRow {
    pub cell: DistinctCell,
    pub source: Arc<str>,
}

logged!(
    DistinctRow,
    "distinct_count",
    "How many different clients and names there were by minute, and by longer spans when they are old; a row without a server is what found no cell of its own",
    2
);

/// Cells of one source in the order of the table.
pub(crate) fn distinct_rows(source: &Arc<str>, cells: Vec<DistinctCell>) -> Vec<DistinctRow> {
    let row = |cell| DistinctRow {
        cell,
        source: source.clone(),
    };
    rows::sorted(cells.into_iter().map(row).collect())
}

impl Figures for DistinctRow {
    // 32 MB: two sketches take 8 KB
    const MOST_HELD: usize = 1 << 12;

    fn span(&mut self) -> (&mut Timestamp, &mut Span) {
        (&mut self.cell.minute, &mut self.cell.span)
    }
}

impl Sorted for DistinctRow {
    const COLUMNS: &'static [Column] = &[
        column(
            "minute",
            Kind::Time,
            "Minute of the queries, UTC; of a longer span the first",
        ),
        SPAN,
        optional("server", Kind::Text, "The server's address"),
        SOURCE,
        column("clients", Kind::Long, "About how many clients; standard error 1.6 %"),
        column("names", Kind::Long, "About how many names; standard error 1.6 %"),
        column(
            "clients_sketch",
            Kind::Octets,
            "HyperLogLog of clients, hashed with a key of the source's",
        ),
        column(
            "names_sketch",
            Kind::Octets,
            "HyperLogLog of names, hashed without a key",
        ),
    ];
    const ORDER: &'static [&'static str] = &["minute"];
    const LAST: &'static str = "minute";

    fn order(&self, other: &Self) -> Ordering {
        fn place(row: &DistinctRow) -> impl Ord + '_ {
            (row.cell.minute, row.cell.span, row.cell.server, &row.source)
        }
        place(self).cmp(&place(other))
    }

    fn absorb(&mut self, other: Self) {
        self.cell.clients.merge(&other.cell.clients);
        self.cell.names.merge(&other.cell.names);
    }

    fn last(&self) -> i64 {
        self.cell.minute.as_second()
    }

    fn seen_by(&self) -> Option<&str> {
        Some(&self.source)
    }

    fn to_batch(rows: &[Self]) -> RecordBatch {
        let servers: StringArray = rows
            .iter()
            .map(|row| row.cell.server.map(|server| server.to_string()))
            .collect();
        let clients: Vec<Vec<u8>> = rows.iter().map(|row| row.cell.clients.to_octets()).collect();
        let names: Vec<Vec<u8>> = rows.iter().map(|row| row.cell.names.to_octets()).collect();
        rows::batch::<Self>(vec![
            rows::times(rows.iter().map(|row| row.cell.minute.as_second())),
            rows::spans(rows.iter().map(|row| (row.cell.minute, row.cell.span))),
            Arc::new(servers),
            texts(rows.iter().map(|row| &*row.source)),
            counts(rows.iter().map(|row| row.cell.clients.estimate())),
            counts(rows.iter().map(|row| row.cell.names.estimate())),
            octets(clients.iter().map(Vec::as_slice)),
            octets(names.iter().map(Vec::as_slice)),
        ])
    }

    fn read(batch: &RecordBatch, places: Range<usize>, wanted: &Wanted, rows: &mut Vec<Self>) -> Result<(), String> {
        let columns = Columns(batch);
        let (minutes, spans) = (columns.times("minute")?, columns.longs("span")?);
        let (servers, sources) = (columns.texts("server")?, columns.texts("source")?);
        let (clients, names) = (columns.octets("clients_sketch")?, columns.octets("names_sketch")?);
        let sketch = |octets: &[u8]| Sketch::from_octets(octets).map_err(|error| error.to_string());
        for at in places {
            if !wanted.takes_source(sources.value(at)) {
                continue;
            }
            let server = servers.is_valid(at).then(|| row::parse("server", servers.value(at)));
            rows.push(Self {
                cell: DistinctCell {
                    minute: row::time(minutes.value(at))?,
                    span: rows::span(spans, at)?,
                    server: server.transpose()?,
                    clients: sketch(clients.value(at))?,
                    names: sketch(names.value(at))?,
                },
                source: Arc::from(sources.value(at)),
            });
        }
        Ok(())
    }
}
