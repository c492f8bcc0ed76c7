//! Table `traffic`: figures of the traffic of one minute, or a longer span, one row for each server, zone, transport, type, RCODE and
//! flags of a source.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, Int32Array, RecordBatch, StringArray};
use deltalake_core::kernel::{Add, LogicalFileView, StructField};
use jiff::Timestamp;
use model::{Span, TrafficCell, TrafficCounts, TrafficKey, Transport};

use super::key;
use super::roll_up::Figures;
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

impl Figures for TrafficRow {
    // 30 MB: a row with a zone takes some 200 octets
    const MOST_HELD: usize = 1 << 17;

    fn span(&mut self) -> (&mut Timestamp, &mut Span) {
        (&mut self.cell.minute, &mut self.cell.span)
    }
}

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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use model::{DistinctCell, Sketch};

    use super::super::distinct_count::DistinctRow;
    use super::super::rows::{NameRow, RdataRow, RrsetRow};
    use super::super::run::{Level, Writer};
    use super::super::{Brought, Passive, RollUp, Scope, Source};
    use super::*;
    use crate::delta::Log;

    /// A table as it was before there were zones and spans.
    trait Version1: Sorted {
        const COLUMNS1: &'static [Column];
    }

    impl Version1 for TrafficRow {
        const COLUMNS1: &'static [Column] = &[
            column("minute", Kind::Time, ""),
            optional("server", Kind::Text, ""),
            optional("port", Kind::Integer, ""),
            optional("transport", Kind::Text, ""),
            optional("qtype", Kind::Integer, ""),
            optional("rcode", Kind::Integer, ""),
            optional("truncated", Kind::Boolean, ""),
            optional("authoritative", Kind::Boolean, ""),
            optional("dnssec_ok", Kind::Boolean, ""),
            SOURCE,
            column("queries", Kind::Long, ""),
            column("matched", Kind::Long, ""),
            column("duplicates", Kind::Long, ""),
            column("wrong_id", Kind::Long, ""),
            column("wrong_port", Kind::Long, ""),
            column("no_query", Kind::Long, ""),
            column("query_octets", Kind::Long, ""),
            column("response_octets", Kind::Long, ""),
            column("response_octets_max", Kind::Long, ""),
            column("delay_us", Kind::Long, ""),
        ];
    }

    impl Version1 for DistinctRow {
        const COLUMNS1: &'static [Column] = &[
            column("minute", Kind::Time, ""),
            optional("server", Kind::Text, ""),
            SOURCE,
            column("clients", Kind::Long, ""),
            column("names", Kind::Long, ""),
            column("clients_sketch", Kind::Octets, ""),
            column("names_sketch", Kind::Octets, ""),
        ];
    }

    #[derive(Clone)]
    struct Before<S>(S);

    impl<S: Version1> Logged for Before<S> {
        const NAME: &'static str = S::NAME;
        const ABOUT: &'static str = S::ABOUT;
        const VERSION: u32 = 1;
        const PARTITION: &'static str = S::PARTITION;
        type File = Run;

        fn columns() -> Vec<StructField> {
            delta_columns(&LEVEL, S::COLUMNS1)
        }

        fn entry(file: &Run, modified: i64) -> Add {
            S::entry(file, modified)
        }

        fn file(entry: &LogicalFileView) -> Run {
            S::file(entry)
        }

        fn path(file: &Run) -> &str {
            S::path(file)
        }
    }

    impl<S: Version1> Sorted for Before<S> {
        const COLUMNS: &'static [Column] = S::COLUMNS1;
        const ORDER: &'static [&'static str] = S::ORDER;

        fn order(&self, other: &Self) -> Ordering {
            self.0.order(&other.0)
        }

        fn absorb(&mut self, other: Self) {
            self.0.absorb(other.0);
        }

        fn last(&self) -> i64 {
            self.0.last()
        }

        fn to_batch(rows: &[Self]) -> RecordBatch {
            let rows: Vec<S> = rows.iter().map(|row| row.0.clone()).collect();
            let batch = S::to_batch(&rows);
            let column = |column: &Column| batch.column_by_name(column.name).unwrap().clone();
            rows::batch::<Self>(S::COLUMNS1.iter().map(column).collect())
        }

        fn read(_: &RecordBatch, _: Range<usize>, _: &Wanted, _: &mut Vec<Self>) -> Result<(), String> {
            Err("nobody reads it any more".to_owned())
        }
    }

    async fn write<S: Version1>(lake: &Path, rows: Vec<S>) {
        let folder = lake.join(S::NAME);
        let mut log = Log::<Before<S>>::open(&folder, true).await.unwrap();
        let mut writer = Writer::create(&folder, Level::Hour, 1).unwrap();
        rows.into_iter().for_each(|row| writer.push(Before(row)).unwrap());
        let run = writer.finish().unwrap();
        log.append(&folder, &[run], Vec::new()).await.unwrap();
    }

    fn at(minutes: i64) -> Timestamp {
        "2026-11-23T00:00:00Z".parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_mins(minutes)
    }

    fn cell(minutes: i64, zone: Option<&str>) -> TrafficCell {
        TrafficCell {
            minute: at(minutes),
            span: Span::Minute,
            key: Some(TrafficKey {
                server: "192.0.2.53".parse().unwrap(),
                port: 53,
                zone: zone.map(|zone| zone.parse().unwrap()),
                transport: Transport::Udp,
                qtype: Some(1),
                rcode: None,
                truncated: false,
                authoritative: false,
                dnssec_ok: true,
            }),
            counts: TrafficCounts {
                queries: 1,
                ..TrafficCounts::default()
            },
        }
    }

    fn distinct(minutes: i64) -> DistinctCell {
        let mut clients = Sketch::default();
        clients.add((minutes as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        DistinctCell {
            minute: at(minutes),
            span: Span::Minute,
            server: None,
            clients,
            names: Sketch::default(),
        }
    }

    /// Zone, span and queries of each cell.
    fn told(passive: &Passive) -> Vec<(Option<String>, Span, u64)> {
        let cells = passive.traffic(Timestamp::UNIX_EPOCH, Timestamp::MAX, &Scope::ALL);
        let short = |cell: TrafficCell| {
            let zone = cell.key.unwrap().zone.map(|zone| zone.to_string());
            (zone, cell.span, cell.counts.queries)
        };
        cells.map(|told| short(told.what)).collect()
    }

    #[tokio::test]
    async fn figures_of_before_zones_and_spans_are_read_merged_and_rolled_up_like_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let lake = folder.path();
        let source: Arc<str> = Arc::from("ns1");
        write(
            lake,
            traffic_rows(&source, (0..90).map(|minute| cell(minute, None)).collect()),
        )
        .await;
        let distincts = (0..90).map(distinct).collect();
        write(lake, super::super::distinct_count::distinct_rows(&source, distincts)).await;
        Log::<RrsetRow>::open(&lake.join("rrset"), true).await.unwrap();
        Log::<RdataRow>::open(&lake.join("rdata"), true).await.unwrap();
        Log::<NameRow>::open(&lake.join("name"), true).await.unwrap();

        // nobody has written to it since
        let reader = Passive::open_read_only(lake).await.unwrap();
        assert_eq!(told(&reader), vec![(None, Span::Minute, 1); 90]);
        let distincts = reader.distincts(at(0), at(90), &Scope::ALL);
        assert_eq!(distincts.filter(|told| told.what.span == Span::Minute).count(), 90);

        let passive = Passive::open(lake).await.unwrap();
        reader.refresh().await.unwrap();
        let log = Log::<TrafficRow>::open(&lake.join("traffic"), false).await.unwrap();
        let schema = log.state.schema();
        assert!(
            ["span", "zone"].iter().all(|column| schema.contains(column)),
            "{schema:?}"
        );
        let ns1 = Source {
            id: "ns1".to_owned(),
            owner: "Team".to_owned(),
            licence: "own".to_owned(),
            tlp: model::Tlp::Green,
            legal_basis: "own data".to_owned(),
        };
        passive.set_source(ns1).await.unwrap();
        for receipt in 0..3 {
            let mut intake = passive.begin("ns1", &receipt.to_string()).await.unwrap().unwrap();
            let brought = Brought {
                traffic: vec![cell(0, None), cell(1, Some("example.com"))],
                distincts: vec![distinct(0), distinct(100)],
                ..Brought::default()
            };
            intake.add(brought).await.unwrap();
            assert!(intake.commit(at(100)).await.unwrap());
        }
        for is_merged in [false, true] {
            if is_merged {
                passive.merge(None).await.unwrap();
            }
            reader.refresh().await.unwrap();
            for passive in [&passive, &reader] {
                let told = told(passive);
                assert_eq!(told.len(), 91);
                assert_eq!(told[0], (None, Span::Minute, 4));
                assert_eq!(told[2], (Some("example.com".to_owned()), Span::Minute, 3));
            }
        }
        passive.roll_up(&RollUp::default(), at(40 * 24 * 60)).await.unwrap();
        let zone = || Some("example.com".to_owned());
        assert_eq!(
            told(&passive),
            [(None, Span::Hour, 63), (zone(), Span::Hour, 3), (None, Span::Hour, 30)]
        );
        let distincts = passive.distincts(at(0), at(100), &Scope::ALL);
        let distincts: Vec<u64> = distincts.map(|told| told.what.clients.estimate()).collect();
        assert_eq!(distincts.len(), 2);
        assert!(distincts[0] > distincts[1], "{distincts:?}");
        assert_eq!(passive.damaged(), []);
    }
}
