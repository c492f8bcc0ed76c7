//! Figures that are old become coarser: nothing is lost, nothing doubled, whatever comes when.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use lake::passive::{Brought, Passive, RollUp, Scope, Source};
use model::{Client, ClientCell, DistinctCell, Sketch, Span, Tlp, TrafficCell, TrafficCounts, TrafficKey, Transport};
use proptest::prelude::*;

use crate::passive::open;
use crate::story::name;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// A Monday's first moment and so many seconds.
fn at(seconds: i64) -> Timestamp {
    "2026-11-23T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_secs(days * DAY)
}

/// Short enough for every kind of span to be met.
fn rule() -> RollUp {
    RollUp {
        minutes: days(1),
        hours: days(10),
        days: days(40),
    }
}

fn key(server: u8, zone: Option<&str>) -> TrafficKey {
    TrafficKey {
        server: [192, 0, 2, server].into(),
        port: 53,
        zone: zone.map(name),
        transport: Transport::Udp,
        qtype: Some(1),
        rcode: Some(0),
        truncated: false,
        authoritative: true,
        dnssec_ok: false,
    }
}

fn cell(minute: Timestamp, key: Option<TrafficKey>, queries: u64) -> TrafficCell {
    TrafficCell {
        minute,
        span: Span::Minute,
        key,
        counts: TrafficCounts {
            queries,
            response_octets_max: u32::try_from(100 + queries).unwrap(),
            delay_us: 10 * queries,
            ..TrafficCounts::default()
        },
    }
}

fn distinct(minute: Timestamp, server: [u8; 4], thing: u64) -> DistinctCell {
    let mut clients = Sketch::default();
    clients.add((thing + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    DistinctCell {
        minute,
        span: Span::Minute,
        server: Some(server.into()),
        clients,
        names: Sketch::default(),
    }
}

fn client(minute: Timestamp, queries: u64) -> ClientCell {
    ClientCell {
        minute,
        span: Span::Minute,
        server: Some([192, 0, 2, 1].into()),
        client: Some(Client::Pseudonym([7; 16])),
        queries,
    }
}

async fn take_in(passive: &Passive, source: &str, receipt: &str, brought: Brought) {
    let mut intake = passive.begin(source, receipt).await.unwrap().unwrap();
    intake.add(brought).await.unwrap();
    assert!(intake.commit(at(0)).await.unwrap());
}

fn cells(passive: &Passive) -> Vec<TrafficCell> {
    let told = passive.traffic(Timestamp::UNIX_EPOCH, Timestamp::MAX, &Scope::ALL);
    told.map(|told| told.what).collect()
}

fn spans(passive: &Passive) -> Vec<(Timestamp, Span, u64)> {
    let short = |cell: TrafficCell| (cell.minute, cell.span, cell.counts.queries);
    cells(passive).into_iter().map(short).collect()
}

#[tokio::test]
async fn a_span_becomes_coarser_when_all_of_the_longer_one_is_old_enough() {
    let folder = tempfile::tempdir().unwrap();
    let passive = open(folder.path()).await;
    let zone = || Some(key(1, Some("example.com")));
    let minutes = [0, 59, 60, 119].map(|minute| cell(at(60 * minute), zone(), 1)).to_vec();
    let brought = Brought {
        traffic: minutes,
        distincts: vec![distinct(at(0), [192, 0, 2, 1], 1), distinct(at(60), [192, 0, 2, 1], 2)],
        clients: vec![client(at(0), 7), client(at(60), 3)],
        ..Brought::default()
    };
    take_in(&passive, "sensor-1", "a", brought).await;

    // the first hour is a day old, of the second a part is
    let now = at(DAY + HOUR + 1800);
    assert_eq!(passive.roll_up(&rule(), now).await.unwrap(), 1 + 1 + 1);
    let expected = [
        (at(0), Span::Hour, 2),
        (at(HOUR), Span::Minute, 1),
        (at(2 * HOUR - 60), Span::Minute, 1),
    ];
    assert_eq!(spans(&passive), expected);
    let told = passive.distincts(Timestamp::UNIX_EPOCH, Timestamp::MAX, &Scope::ALL);
    let told: Vec<_> = told
        .map(|told| (told.what.span, told.what.clients.estimate()))
        .collect();
    assert_eq!(told, [(Span::Hour, 2)], "sketches are added up");
    let told = passive.clients(Timestamp::UNIX_EPOCH, Timestamp::MAX, &Scope::ALL);
    let told: Vec<_> = told.map(|told| (told.what.span, told.what.queries)).collect();
    assert_eq!(told, [(Span::Hour, 10)], "queries of a client are added up");
    assert_eq!(
        passive.roll_up(&rule(), now).await.unwrap(),
        0,
        "there is nothing more to do"
    );
    assert_eq!(passive.statistics().await[4].version, 2, "so nothing is committed");

    passive.roll_up(&rule(), at(11 * DAY)).await.unwrap();
    assert_eq!(spans(&passive), [(at(0), Span::Day, 4)]);
    // a minute that comes late goes where its time is by now
    let late = Brought {
        traffic: vec![cell(at(120), zone(), 5), cell(at(11 * DAY), zone(), 1)],
        ..Brought::default()
    };
    take_in(&passive, "sensor-1", "b", late).await;
    passive.roll_up(&rule(), at(11 * DAY)).await.unwrap();
    assert_eq!(
        spans(&passive),
        [(at(0), Span::Day, 9), (at(11 * DAY), Span::Minute, 1)]
    );
    let first = &cells(&passive)[0];
    assert_eq!((&first.key, first.counts.response_octets_max), (&zone(), 105));
    // the month is over, and its last day 40 days old
    let month = Span::Month.start(at(0));
    passive.roll_up(&rule(), at(60 * DAY)).await.unwrap();
    assert_eq!(spans(&passive)[0], (month, Span::Month, 9));
    assert_eq!(passive.damaged(), []);
}

#[tokio::test]
async fn a_reader_sees_figures_as_they_were_until_it_is_refreshed() {
    let folder = tempfile::tempdir().unwrap();
    let passive = open(folder.path()).await;
    let minutes = (0..180).map(|minute| cell(at(60 * minute), None, 1)).collect();
    take_in(
        &passive,
        "sensor-1",
        "a",
        Brought {
            traffic: minutes,
            ..Brought::default()
        },
    )
    .await;
    let reader = Passive::open_read_only(folder.path()).await.unwrap();
    let mut begun = reader.traffic(Timestamp::UNIX_EPOCH, Timestamp::MAX, &Scope::ALL);
    assert_eq!(begun.next().unwrap().what.span, Span::Minute);
    assert_eq!(passive.roll_up(&rule(), at(5 * DAY)).await.unwrap(), 177);
    assert_eq!(begun.count(), 179, "what was begun goes on");
    assert_eq!(cells(&reader).len(), 180);
    reader.refresh().await.unwrap();
    assert_eq!(cells(&reader).len(), 3);
}

#[tokio::test]
async fn more_servers_in_a_day_than_may_be_held_become_several_files() {
    let folder = tempfile::tempdir().unwrap();
    let passive = open(folder.path()).await;
    let server = |number: u32| (0x0a00_0000 + number).to_be_bytes();
    let of_minute = |minute: i64| (0..2_500).map(move |number| distinct(at(60 * minute), server(number), 7));
    let busy = Brought {
        distincts: (0..3).flat_map(of_minute).collect(),
        ..Brought::default()
    };
    take_in(&passive, "sensor-1", "a", busy).await;
    let fewer = passive.roll_up(&rule(), at(5 * DAY)).await.unwrap();
    let files = passive.statistics().await[5].files;
    assert!(
        (2..5).contains(&files) && fewer >= 2_500,
        "{files} files, {fewer} fewer"
    );
    let told = passive.distincts(Timestamp::UNIX_EPOCH, Timestamp::MAX, &Scope::ALL);
    let told: Vec<_> = told
        .map(|told| (told.what.minute, told.what.clients.estimate()))
        .collect();
    assert_eq!(told, vec![(at(0), 1); 2_500]);
    // a merge makes the rest one
    take_in(&passive, "sensor-1", "b", Brought::default()).await;
    assert_eq!(passive.roll_up(&rule(), at(5 * DAY)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_keeps_no_other_from_becoming_coarser() {
    let folder = tempfile::tempdir().unwrap();
    let passive = open(folder.path()).await;
    for receipt in ["a", "b"] {
        let traffic = (0..60).map(|minute| cell(at(60 * minute), None, 1)).collect();
        take_in(
            &passive,
            "sensor-1",
            receipt,
            Brought {
                traffic,
                ..Brought::default()
            },
        )
        .await;
    }
    let files = std::fs::read_dir(folder.path().join("traffic/level=minute")).unwrap();
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let content = std::fs::read(&files[0]).unwrap();
    std::fs::write(&files[0], vec![0x5a; content.len()]).unwrap();
    assert_eq!(passive.roll_up(&rule(), at(5 * DAY)).await.unwrap(), 59);
    let damaged: Vec<_> = passive.damaged().into_iter().map(|damage| damage.file).collect();
    assert_eq!(damaged, files[..1]);
}

/// What happens to a lake.
#[derive(Debug, Clone)]
enum Step {
    /// A receipt of these minutes before the present one, each with a server, a zone and queries, comes from a source.
    TakeIn(bool, Vec<(i64, u8, Option<bool>, u64)>),
    /// So many hours pass.
    Wait(i64),
    RollUp,
    Merge,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let row = (0..90 * 24 * 60_i64, 1..3_u8, any::<Option<bool>>(), 1..9_u64);
    let take_in = (any::<bool>(), proptest::collection::vec(row, 1..60)).prop_map(|(of, rows)| Step::TakeIn(of, rows));
    let step = prop_oneof![
        3 => take_in,
        2 => (1..40 * 24_i64).prop_map(Step::Wait),
        4 => Just(Step::RollUp),
        1 => Just(Step::Merge),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 4..14)
}

/// Sums of each month by source and key.
type Sums = BTreeMap<(Timestamp, String, Option<TrafficKey>), (u64, u64, u32)>;

fn add(sums: &mut Sums, source: &str, cell: &TrafficCell) {
    let place = (Span::Month.start(cell.minute), source.to_owned(), cell.key.clone());
    let (queries, delay, most) = sums.entry(place).or_default();
    *queries += cell.counts.queries;
    *delay += cell.counts.delay_us;
    *most = (*most).max(cell.counts.response_octets_max);
}

async fn check(folder: &Path, steps: Vec<Step>) {
    let mut passive = open(folder).await;
    let other = Source {
        id: "other".to_owned(),
        owner: "Bank".to_owned(),
        licence: "none".to_owned(),
        tlp: Tlp::Red,
        legal_basis: "contract".to_owned(),
    };
    passive.set_source(other).await.unwrap();
    let (mut now, mut expected) = (at(120 * DAY), Sums::new());
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::TakeIn(is_other, rows) => {
                let source = if is_other { "other" } else { "sensor-1" };
                let of_row = |(minutes, server, zone, queries): (i64, u8, Option<bool>, u64)| {
                    let zone = zone.map(|zone| if zone { "example.com" } else { "." });
                    let minute = Span::Minute.start(now - SignedDuration::from_mins(minutes));
                    cell(minute, (server > 1).then(|| key(server, zone)), queries)
                };
                let traffic: Vec<TrafficCell> = rows.into_iter().map(of_row).collect();
                traffic.iter().for_each(|cell| add(&mut expected, source, cell));
                let brought = Brought {
                    traffic,
                    ..Brought::default()
                };
                take_in(&passive, source, &number.to_string(), brought).await;
            }
            Step::Wait(hours) => now += SignedDuration::from_hours(hours),
            Step::RollUp => drop(passive.roll_up(&rule(), now).await.unwrap()),
            Step::Merge => drop(passive.merge(None).await.unwrap()),
            Step::Reopen => {
                drop(passive);
                passive = open(folder).await;
            }
        }
        let mut found = Sums::new();
        for told in passive.traffic(Timestamp::UNIX_EPOCH, Timestamp::MAX, &Scope::ALL) {
            assert_eq!(
                told.what.span.start(told.what.minute),
                told.what.minute,
                "{:?}",
                told.what
            );
            add(&mut found, &told.source, &told.what);
        }
        assert_eq!(found, expected, "after step {number}");
    }
    // what is overdue is as coarse as it is to be
    passive.roll_up(&rule(), now).await.unwrap();
    for cell in cells(&passive).iter().filter(|cell| cell.minute < now - days(80)) {
        assert_eq!(cell.span, Span::Month, "{cell:?}");
    }
    assert_eq!(passive.damaged(), []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn sums_of_whole_months_are_what_came_in_whatever_became_coarser_in_between(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(check(folder.path(), steps));
    }
}
