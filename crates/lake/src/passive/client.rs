//! Table `client`: who asked a server most in a minute, or a longer span, as networks or under pseudonyms of the source's.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, StringArray};
use deltalake_core::kernel::{Add, LogicalFileView, StructField};
use jiff::Timestamp;
use model::{ClientCell, Span};

use super::roll_up::Figures;
use super::rows::{self, LEVEL, SOURCE, Sorted, Wanted, column, counts, logged, optional, texts};
use super::run::Run;
use crate::delta::Logged;
use crate::row::{self, Column, Columns, Kind, delta_columns};

/// A cell of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientRow {
    pub cell: ClientCell,
    pub source: Arc<str>,
}

logged!(
    ClientRow,
    "client",
    "Who asked most by minute, and by longer spans when they are old; a row without a client is of all that cannot be told of one"
);

/// Cells of one source in the order of the table.
pub(crate) fn client_rows(source: &Arc<str>, cells: Vec<ClientCell>) -> Vec<ClientRow> {
    let row = |cell| ClientRow {
        cell,
        source: source.clone(),
    };
    rows::sorted(cells.into_iter().map(row).collect())
}

impl Figures for ClientRow {
    // 15 MB: a row takes some 100 octets
    const MOST_HELD: usize = 1 << 17;

    fn span(&mut self) -> (&mut Timestamp, &mut Span) {
        (&mut self.cell.minute, &mut self.cell.span)
    }
}

impl Sorted for ClientRow {
    const COLUMNS: &'static [Column] = &[
        column(
            "minute",
            Kind::Time,
            "Minute of the queries, UTC; of a longer span the first",
        ),
        column(
            "span",
            Kind::Long,
            "Seconds from the beginning of `minute` on that the row is of: 60, 3600, 86400, or those of a calendar month",
        ),
        optional("server", Kind::Text, "The server's address"),
        optional(
            "client",
            Kind::Text,
            "A network, or 32 hexadecimal digits: an address encrypted with a key of the source's",
        ),
        SOURCE,
        column("queries", Kind::Long, "Queries; of a client at least so many"),
    ];
    const ORDER: &'static [&'static str] = &["minute"];
    const LAST: &'static str = "minute";

    fn order(&self, other: &Self) -> Ordering {
        fn place(row: &ClientRow) -> impl Ord + '_ {
            let cell = &row.cell;
            (cell.minute, cell.span, cell.server, cell.client, &row.source)
        }
        place(self).cmp(&place(other))
    }

    fn absorb(&mut self, other: Self) {
        self.cell.queries = self.cell.queries.saturating_add(other.cell.queries);
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
        let clients: StringArray = rows
            .iter()
            .map(|row| row.cell.client.map(|client| client.to_string()))
            .collect();
        rows::batch::<Self>(vec![
            rows::times(rows.iter().map(|row| row.cell.minute.as_second())),
            rows::spans(rows.iter().map(|row| (row.cell.minute, row.cell.span))),
            Arc::new(servers),
            Arc::new(clients),
            texts(rows.iter().map(|row| &*row.source)),
            counts(rows.iter().map(|row| row.cell.queries)),
        ])
    }

    fn read(batch: &RecordBatch, places: Range<usize>, wanted: &Wanted, rows: &mut Vec<Self>) -> Result<(), String> {
        let columns = Columns(batch);
        let (minutes, spans) = (columns.times("minute")?, columns.longs("span")?);
        let (servers, clients) = (columns.texts("server")?, columns.texts("client")?);
        let (sources, queries) = (columns.texts("source")?, columns.longs("queries")?);
        for at in places {
            if !wanted.takes_source(sources.value(at)) {
                continue;
            }
            let server = servers.is_valid(at).then(|| row::parse("server", servers.value(at)));
            let client = clients.is_valid(at).then(|| row::parse("client", clients.value(at)));
            rows.push(Self {
                cell: ClientCell {
                    minute: row::time(minutes.value(at))?,
                    span: rows::span(spans, at)?,
                    server: server.transpose()?,
                    client: client.transpose()?,
                    queries: u64::try_from(queries.value(at)).map_err(|_| "`queries` is below zero".to_owned())?,
                },
                source: Arc::from(sources.value(at)),
            });
        }
        Ok(())
    }
}
