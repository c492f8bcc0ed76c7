//! What a receipt brings beside passive DNS: it comes in with it, once, is merged, found again, and leaves when it is old.

use domain::base::iana::Rtype;
use jiff::{SignedDuration, Timestamp};
use lake::passive::{Brought, NamePattern, Passive, Query, Retention, Rule, Scope, Source};
use model::{
    Client, ClientCell, DistinctCell, MalformedMessage, Name, OperatorFigure, OutOfBailiwick, OutReason, Sketch, Span,
    Tlp, TrafficCell, TrafficCounts, TrafficKey, Transport,
};

use crate::passive::{data_files, open, rrset};
use crate::story::{at, name};

fn cell(seconds: i64, server: Option<&str>, queries: u64) -> TrafficCell {
    let key = |server: &str| TrafficKey {
        server: server.parse().unwrap(),
        port: 53,
        zone: Some(name("example.com")),
        transport: Transport::Tcp,
        qtype: None,
        rcode: Some(3),
        truncated: false,
        authoritative: true,
        dnssec_ok: true,
    };
    TrafficCell {
        minute: at(seconds),
        span: Span::Minute,
        key: server.map(key),
        counts: TrafficCounts {
            queries,
            response_octets_max: 100 + u32::try_from(queries).unwrap(),
            delay_us: 7,
            ..TrafficCounts::default()
        },
    }
}

fn piece(owner: &str, seconds: i64, question: &str) -> OutOfBailiwick {
    OutOfBailiwick {
        server: "198.51.100.66".parse().unwrap(),
        zone: Some(name("example.net")),
        reason: OutReason::Outside,
        question: name(question),
        name: name(owner),
        rtype: Rtype::A,
        rdata: vec![vec![203, 0, 113, 6]],
        first: at(seconds),
        last: at(seconds),
        count: 1,
    }
}

/// Clients and names of a minute, by the numbers of which their hashes are made.
fn distinct(server: Option<&str>, things: std::ops::Range<u64>) -> DistinctCell {
    let mut sketch = Sketch::default();
    // SplitMix64 (Steele, Lea and Flood, 2014): a sketch wants bits as good as chance
    let hash = |thing: u64| {
        let mut z = (thing + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    things.for_each(|thing| sketch.add(hash(thing)));
    DistinctCell {
        minute: at(0),
        span: Span::Minute,
        server: server.map(|server| server.parse().unwrap()),
        clients: sketch.clone(),
        names: sketch,
    }
}

fn broken(seconds: i64, number: u64) -> MalformedMessage {
    MalformedMessage {
        time: at(seconds),
        input: "night.pcap".to_owned(),
        number,
        reason: "short header".to_owned(),
        octets: vec![0xde, 0xad],
    }
}

fn figure(seconds: i64, value: u64) -> OperatorFigure {
    OperatorFigure {
        day: jiff::civil::date(2026, 11, 23),
        service: name("a.root-servers.net"),
        metric: "rcode-volume".to_owned(),
        part: "3".to_owned(),
        value: Some(value),
        version: Some(5),
        taken: at(seconds),
    }
}

fn brought(seconds: i64) -> Brought {
    Brought {
        rrsets: vec![rrset("www.example.com", Rtype::A, &[vec![192, 0, 2, 1]], seconds)],
        evidence: vec![piece("www.bank.example", seconds, "a.example.net")],
        traffic: vec![cell(0, Some("192.0.2.53"), 3), cell(0, None, 1)],
        distincts: Vec::new(),
        clients: vec![client(7)],
        malformed: vec![broken(seconds, 9)],
        rssac002: vec![figure(seconds, 7)],
    }
}

fn client(queries: u64) -> ClientCell {
    ClientCell {
        minute: at(0),
        span: Span::Minute,
        server: Some("192.0.2.53".parse().unwrap()),
        client: Some(Client::network("198.51.100.7".parse().unwrap())),
        queries,
    }
}

fn clients(passive: &Passive) -> Vec<u64> {
    let told = passive.clients(Timestamp::UNIX_EPOCH, Timestamp::MAX, &Scope::ALL);
    told.map(|told| told.what.queries).collect()
}

async fn take_in(passive: &Passive, source: &str, receipt: &str, parts: Vec<Brought>) -> bool {
    let Some(mut intake) = passive.begin(source, receipt).await.unwrap() else {
        return false;
    };
    for part in parts {
        intake.add(part).await.unwrap();
    }
    intake.commit(at(0)).await.unwrap()
}

fn traffic(passive: &Passive) -> Vec<(Timestamp, bool, u64, u32)> {
    let told = passive.traffic(Timestamp::UNIX_EPOCH, Timestamp::MAX, &Scope::ALL);
    let short = |cell: TrafficCell| {
        let counts = cell.counts;
        (
            cell.minute,
            cell.key.is_some(),
            counts.queries,
            counts.response_octets_max,
        )
    };
    told.map(|told| short(told.what)).collect()
}

/// Whether there is a server, and about how many clients and names, of each cell.
fn distincts(passive: &Passive) -> Vec<(bool, u64, u64)> {
    let told = passive.distincts(Timestamp::UNIX_EPOCH, Timestamp::MAX, &Scope::ALL);
    let cells = told.map(|told| told.what);
    cells
        .map(|cell| (cell.server.is_some(), cell.clients.estimate(), cell.names.estimate()))
        .collect()
}

fn evidence(passive: &Passive, below: &str) -> Vec<(String, String, u64)> {
    let told = passive.evidence(&below.parse::<Name>().unwrap(), &Scope::ALL);
    let short = |piece: OutOfBailiwick| (piece.name.to_string(), piece.question.to_string(), piece.count);
    told.map(|told| short(told.what)).collect()
}

fn malformed(passive: &Passive) -> Vec<(u64, u64)> {
    let told = passive.malformed(Timestamp::UNIX_EPOCH, Timestamp::MAX, &Scope::ALL);
    told.map(|told| (told.what.0.number, told.what.1)).collect()
}

fn count(passive: &Passive) -> u64 {
    let all = Query::new(NamePattern::Below(Name::root()), 100);
    passive.rrsets(&all).map(|seen| seen.rrset.count).sum()
}

#[tokio::test]
async fn of_a_figure_that_is_published_again_the_later_edition_holds() {
    let folder = tempfile::tempdir().unwrap();
    let passive = open(folder.path()).await;
    let edition = |seconds, value| Brought {
        rssac002: vec![figure(seconds, value)],
        ..Brought::default()
    };
    for (receipt, seconds, value) in [("r1", 0, 7), ("r2", 20, 9), ("r3", 10, 8)] {
        assert!(take_in(&passive, "sensor-1", receipt, vec![edition(seconds, value)]).await);
    }
    let figures = |passive: &Passive| -> Vec<Option<u64>> {
        let told = passive.rssac002(Timestamp::UNIX_EPOCH, Timestamp::MAX, &Scope::ALL);
        told.map(|told| told.what.value).collect()
    };
    assert_eq!(figures(&passive), [Some(9)]);
    passive.merge(None).await.unwrap();
    assert_eq!(figures(&passive), [Some(9)]);
}

#[tokio::test]
async fn all_parts_of_a_receipt_come_in_together_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let passive = open(folder.path()).await;
    let parts = || vec![brought(5), brought(2)];
    let mut intake = passive.begin("sensor-1", "night").await.unwrap().unwrap();
    intake.add(brought(5)).await.unwrap();
    assert_eq!((count(&passive), traffic(&passive)), (0, vec![]), "not yet");
    drop(intake);
    assert_eq!(
        data_files(folder.path()),
        Vec::<std::path::PathBuf>::new(),
        "what is not in leaves nothing"
    );

    assert!(take_in(&passive, "sensor-1", "night", parts()).await);
    assert!(!take_in(&passive, "sensor-1", "night", parts()).await);
    let reader = Passive::open_read_only(folder.path()).await.unwrap();
    for merged in [false, true] {
        if merged {
            // three runs of a level make one of the next
            assert!(take_in(&passive, "sensor-1", "noon", vec![Brought::default()]).await);
            passive.append("sensor-1", "other", vec![], at(0)).await.unwrap();
            passive.merge(None).await.unwrap();
            reader.refresh().await.unwrap();
        }
        for passive in [&passive, &reader] {
            assert_eq!(count(passive), 2);
            assert_eq!(traffic(passive), [(at(0), false, 2, 101), (at(0), true, 6, 103)]);
            let found = [("www.bank.example".to_owned(), "a.example.net".to_owned(), 2)];
            assert_eq!(evidence(passive, "example"), found);
            assert_eq!(evidence(passive, "."), found);
            assert_eq!(evidence(passive, "example.com"), []);
            assert_eq!(malformed(passive), [(9, 1), (9, 1)], "at two times");
        }
    }
}

#[tokio::test]
async fn figures_are_found_by_time_and_only_by_those_who_may_see_the_source() {
    let folder = tempfile::tempdir().unwrap();
    let passive = open(folder.path()).await;
    let red = Source {
        id: "bank".to_owned(),
        owner: "Bank".to_owned(),
        licence: "none".to_owned(),
        tlp: Tlp::Red,
        legal_basis: "contract".to_owned(),
    };
    passive.set_source(red).await.unwrap();
    let minutes = |source: u64| Brought {
        traffic: (0..3000)
            .map(|minute| cell(60 * minute, Some("192.0.2.53"), source))
            .collect(),
        ..Brought::default()
    };
    for receipt in ["a", "b", "c"] {
        assert!(take_in(&passive, "sensor-1", receipt, vec![minutes(1)]).await);
    }
    assert!(take_in(&passive, "bank", "d", vec![minutes(100)]).await);
    passive.merge(None).await.unwrap();
    let green = Scope {
        tlp: Tlp::Green,
        sources: None,
    };
    let (from, to) = (at(60 * 1000), at(60 * 1002));
    let sums = |scope: &Scope| -> Vec<(Timestamp, u64)> {
        let told = passive.traffic(from, to, scope);
        told.map(|told| (told.what.minute, told.what.counts.queries)).collect()
    };
    assert_eq!(sums(&green), [(from, 3), (at(60 * 1001), 3)]);
    assert_eq!(sums(&Scope::ALL).len(), 4, "two sources");
    assert_eq!(passive.traffic(to, from, &Scope::ALL).count(), 0);
    assert_eq!(passive.damaged(), []);
}

#[tokio::test]
async fn a_receipt_without_passive_dns_that_a_crash_cut_off_is_taken_out_and_the_next_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let passive = open(folder.path()).await;
    let figures = |queries| Brought {
        traffic: vec![cell(0, Some("192.0.2.53"), queries)],
        clients: vec![client(queries)],
        ..Brought::default()
    };
    assert!(take_in(&passive, "sensor-1", "a", vec![figures(1)]).await);
    assert!(take_in(&passive, "sensor-1", "b", vec![figures(10)]).await);
    drop(passive);
    // the last commit is undone
    let log = folder.path().join("rrset/_delta_log/00000000000000000002.json");
    std::fs::remove_file(log).unwrap();
    let reader = Passive::open_read_only(folder.path()).await.unwrap();
    assert_eq!(
        (traffic(&reader), clients(&reader)),
        (vec![(at(0), true, 1, 101)], vec![1])
    );
    let passive = open(folder.path()).await;
    assert_eq!(traffic(&passive), [(at(0), true, 1, 101)]);
    assert!(take_in(&passive, "sensor-1", "b", vec![figures(10)]).await);
    assert_eq!(
        (traffic(&passive), clients(&passive)),
        (vec![(at(0), true, 11, 110)], vec![11])
    );
}

#[tokio::test]
async fn rows_leave_when_their_owner_or_their_table_may_not_keep_them_longer() {
    let folder = tempfile::tempdir().unwrap();
    let passive = open(folder.path()).await;
    let bank = Source {
        id: "bank".to_owned(),
        owner: "Bank".to_owned(),
        licence: "none".to_owned(),
        tlp: Tlp::Red,
        legal_basis: "contract".to_owned(),
    };
    passive.set_source(bank).await.unwrap();
    let day = |days: i64| 86_400 * days;
    assert!(take_in(&passive, "sensor-1", "a", vec![brought(0)]).await);
    assert!(take_in(&passive, "bank", "b", vec![brought(0), brought(day(9))]).await);
    let rule = |table: Option<&str>, owner: Option<&str>, days| Rule {
        table: table.map(str::to_owned),
        owner: owner.map(str::to_owned),
        keep: SignedDuration::from_secs(day(days)),
    };
    let retention = Retention {
        rules: vec![rule(None, Some("Bank"), 5), rule(Some("malformed"), None, 8)],
    };
    assert_eq!(passive.expire(&retention, at(day(4))).await.unwrap(), 0);
    assert_eq!(count(&passive), 3);
    // of the bank: an RRset, its record, evidence, a malformed message, four cells of traffic, two of clients, and two editions of a figure
    assert_eq!(clients(&passive), [14, 7]);
    assert_eq!(passive.expire(&retention, at(day(7))).await.unwrap(), 12);
    assert_eq!(clients(&passive), [7]);
    assert_eq!(count(&passive), 2);
    assert_eq!(traffic(&passive), [(at(0), false, 1, 101), (at(0), true, 3, 103)]);
    assert_eq!(malformed(&passive), [(9, 1), (9, 1)]);
    assert_eq!(passive.expire(&retention, at(day(12))).await.unwrap(), 1);
    assert_eq!(malformed(&passive), [(9, 1)], "that of the ninth day");
    assert_eq!(passive.expire(&Retention::default(), at(day(5000))).await.unwrap(), 0);
    assert_eq!(count(&passive), 2);

    let files = data_files(folder.path()).len();
    let removed = passive.vacuum(at(day(5000)), SignedDuration::ZERO).await.unwrap();
    assert!(
        removed >= 5 && data_files(folder.path()).len() == files - removed,
        "{removed} of {files}"
    );
    drop(passive);
    let reader = Passive::open_read_only(folder.path()).await.unwrap();
    assert_eq!((count(&reader), reader.damaged()), (2, vec![]));
}

#[tokio::test]
async fn distinct_counts_of_two_receipts_are_one_and_what_both_saw_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let passive = open(folder.path()).await;
    let of = |things| Brought {
        distincts: vec![distinct(Some("192.0.2.53"), things)],
        ..Brought::default()
    };
    assert!(take_in(&passive, "sensor-1", "1", vec![of(0..200), of(100..300)]).await);
    assert!(take_in(&passive, "sensor-1", "2", vec![of(200..400)]).await);
    let about = |cells: Vec<(bool, u64, u64)>| match cells[..] {
        [(true, clients, names)] => clients == names && (390..=410).contains(&clients),
        _ => false,
    };
    assert!(about(distincts(&passive)), "{:?}", distincts(&passive));
    for number in 3..12 {
        assert!(take_in(&passive, "sensor-1", &number.to_string(), vec![of(0..10)]).await);
    }
    passive.merge(None).await.unwrap();
    assert!(about(distincts(&passive)), "{:?}", distincts(&passive));
}
