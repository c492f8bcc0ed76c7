//! Table `traffic`: figures of the traffic of one minute, or a longer span, one row for each server, zone, transport, type, RCODE and
//! flags of a source.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, Int32Array, RecordBatch, StringArray};
use deltalake_core::kernel::{Add, LogicalFileView, StructField};
use model::{TrafficCell, TrafficCounts, TrafficKey, Transport};

use super::key;
use super::rows::{self, LEVEL, SOURCE, SPAN, Sorted, Wanted, added, column, counts, logged, optional, texts};
use super::run::Run;
use crate::delta::Logged;
use crate::row::{self, Column, Columns, Kind, delta_columns};

/// A cell of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrafficRow {
    pub cell: TrafficCell,
    pub source: Arc<str>,
}

logged!(
    TrafficRow,
    "traffic",
    "Figures of DNS traffic by minute, and by longer spans when they are old; a row without a server is what found no cell of its own",
    2
);

const TRANSPORTS: [(Transport, &str); 2] = [(Transport::Udp, "udp"), (Transport::Tcp, "tcp")];

/// Cells of one source in the order of the table.
pub(crate) fn traffic_rows(source: &Arc<str>, cells: Vec<TrafficCell>) -> Vec<TrafficRow> {
    let row = |cell| TrafficRow {
        cell,
        source: source.clone(),
    };
    rows::sorted(cells.into_iter().map(row).collect())
}

/// A sum of a cell by the name of its column.
type Sum = (&'static str, fn(&TrafficCounts) -> u64);

const SUMS: [Sum; 10] = [
    ("queries", |counts| counts.queries),
    ("matched", |counts| counts.matched),
    ("duplicates", |counts| counts.duplicates),
    ("wrong_id", |counts| counts.wrong_id),
    ("wrong_port", |counts| counts.wrong_port),
    ("no_query", |counts| counts.no_query),
    ("query_octets", |counts| counts.query_octets),
    ("response_octets", |counts| counts.response_octets),
    ("response_octets_max", |counts| u64::from(counts.response_octets_max)),
    ("delay_us", |counts| counts.delay_us),
];

impl Sorted for TrafficRow {
    const COLUMNS: &'static [Column] = &[
        column(
            "minute",
            Kind::Time,
            "Minute of the query, or of the response where there was no query, UTC; of a longer span the first",
        ),
        SPAN,
        optional("server", Kind::Text, "The server's address"),
        optional("port", Kind::Integer, "The server's port"),
        added(
            2,
            "zone",
            Kind::Text,
            "Longest zone at or above the question that the server is known to serve, labels from the root down, each followed by a dot; null where none is known, or there were too many",
        ),
        optional("transport", Kind::Text, "`udp` or `tcp`"),
        optional(
            "qtype",
            Kind::Integer,
            "Type of the question, as IANA numbers it; null where there was none",
        ),
        optional(
            "rcode",
            Kind::Integer,
            "RCODE with its EDNS part; null where no response came",
        ),
        optional("truncated", Kind::Boolean, "TC bit of the response"),
        optional("authoritative", Kind::Boolean, "AA bit of the response"),
        optional("dnssec_ok", Kind::Boolean, "DO bit of the query"),
        SOURCE,
        column("queries", Kind::Long, "Queries"),
        column("matched", Kind::Long, "Responses that belong to a query"),
        column("duplicates", Kind::Long, "Further responses to an answered query"),
        column(
            "wrong_id",
            Kind::Long,
            "Responses with another id than outstanding queries",
        ),
        column(
            "wrong_port",
            Kind::Long,
            "Responses to another port than outstanding queries",
        ),
        column("no_query", Kind::Long, "Responses that nobody asked for"),
        column("query_octets", Kind::Long, "Octets of the queries' messages"),
        column("response_octets", Kind::Long, "Octets of the responses' messages"),
        column("response_octets_max", Kind::Long, "Octets of the largest response"),
        column(
            "delay_us",
            Kind::Long,
            "Microseconds between query and matched response, summed",
        ),
    ];
    const ORDER: &'static [&'static str] = &["minute"];
    const LAST: &'static str = "minute";

    fn order(&self, other: &Self) -> Ordering {
        fn place(row: &TrafficRow) -> impl Ord + '_ {
            (row.cell.minute, row.cell.span, &row.cell.key, &row.source)
        }
        place(self).cmp(&place(other))
    }

    fn absorb(&mut self, other: Self) {
        self.cell.counts.add(&other.cell.counts);
    }

    fn last(&self) -> i64 {
        self.cell.minute.as_second()
    }

    fn seen_by(&self) -> Option<&str> {
        Some(&self.source)
    }

    fn to_batch(rows: &[Self]) -> RecordBatch {
        let keys = || rows.iter().map(|row| row.cell.key.as_ref());
        let integers = |of: &dyn Fn(&TrafficKey) -> Option<u16>| -> Arc<dyn Array> {
            Arc::new(
                keys()
                    .map(|key| key.and_then(of).map(i32::from))
                    .collect::<Int32Array>(),
            )
        };
        let flags = |of: &dyn Fn(&TrafficKey) -> bool| -> Arc<dyn Array> {
            Arc::new(keys().map(|key| key.map(of)).collect::<BooleanArray>())
        };
        let servers = keys().map(|key| key.map(|key| key.server.to_string()));
        let zones = keys().map(|key| key.and_then(|key| key.zone.as_ref()).map(key::reversed));
        let transports = keys().map(|key| key.map(|key| key.transport.as_str()));
        let mut columns: Vec<Arc<dyn Array>> = vec![
            rows::times(rows.iter().map(|row| row.cell.minute.as_second())),
            rows::spans(rows.iter().map(|row| (row.cell.minute, row.cell.span))),
            Arc::new(servers.collect::<StringArray>()),
            integers(&|key| Some(key.port)),
            Arc::new(zones.collect::<StringArray>()),
            Arc::new(transports.collect::<StringArray>()),
            integers(&|key| key.qtype),
            integers(&|key| key.rcode),
            flags(&|key| key.truncated),
            flags(&|key| key.authoritative),
            flags(&|key| key.dnssec_ok),
            texts(rows.iter().map(|row| &*row.source)),
        ];
        let sums = SUMS.iter().map(|(_, sum)| -> Arc<dyn Array> {
            let of_rows = rows.iter().map(|row| sum(&row.cell.counts));
            counts(of_rows)
        });
        columns.extend(sums);
        rows::batch::<Self>(columns)
    }

    fn read(batch: &RecordBatch, places: Range<usize>, wanted: &Wanted, rows: &mut Vec<Self>) -> Result<(), String> {
        let columns = Columns(batch);
        let (minutes, spans) = (columns.times("minute")?, columns.longs("span")?);
        let (servers, zones) = (columns.texts("server")?, columns.texts("zone")?);
        let (ports, transports) = (columns.integers("port")?, columns.texts("transport")?);
        let (qtypes, rcodes) = (columns.integers("qtype")?, columns.integers("rcode")?);
        let (truncated, authoritative) = (columns.booleans("truncated")?, columns.booleans("authoritative")?);
        let (dnssec_ok, sources) = (columns.booleans("dnssec_ok")?, columns.texts("source")?);
        let mut sums = Vec::with_capacity(SUMS.len());
        for (name, _) in SUMS {
            sums.push((name, columns.longs(name)?));
        }
        for at in places {
            if !wanted.takes_source(sources.value(at)) {
                continue;
            }
            let number = |name, column: &Int32Array| -> Result<Option<u16>, String> {
                let value = column.is_valid(at).then(|| i64::from(column.value(at)));
                value.map(|value| row::narrow(name, value)).transpose()
            };
            let zone =
                |zone: &str| key::from_reversed(zone).ok_or_else(|| format!("column `zone` has the value `{zone}`"));
            let key = match servers.is_valid(at) {
                false => None,
                true => Some(TrafficKey {
                    server: row::parse("server", servers.value(at))?,
                    port: number("port", ports)?.ok_or("column `port` is null")?,
                    zone: zones.is_valid(at).then(|| zone(zones.value(at))).transpose()?,
                    transport: row::word("transport", transports.value(at), &TRANSPORTS)?,
                    qtype: number("qtype", qtypes)?,
                    rcode: number("rcode", rcodes)?,
                    truncated: truncated.value(at),
                    authoritative: authoritative.value(at),
                    dnssec_ok: dnssec_ok.value(at),
                }),
            };
            let sum = |of: usize| -> Result<u64, String> { row::narrow(sums[of].0, sums[of].1.value(at)) };
            rows.push(Self {
                cell: TrafficCell {
                    minute: row::time(minutes.value(at))?,
                    span: rows::span(spans, at)?,
                    key,
                    counts: TrafficCounts {
                        queries: sum(0)?,
                        matched: sum(1)?,
                        duplicates: sum(2)?,
                        wrong_id: sum(3)?,
                        wrong_port: sum(4)?,
                        no_query: sum(5)?,
                        query_octets: sum(6)?,
                        response_octets: sum(7)?,
                        response_octets_max: row::narrow(sums[8].0, sums[8].1.value(at))?,
                        delay_us: sum(9)?,
                    },
                },
                source: Arc::from(sources.value(at)),
            });
        }
        Ok(())
    }
}
