//! Merges and figures that become coarser, killed at any moment, lose nothing and double nothing, in any table.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use domain::base::iana::Rtype;
use jiff::{SignedDuration, Timestamp};
use lake::passive::{Brought, NamePattern, Passive, Query, RollUp, Scope, ValuePattern};
use model::{ClientCell, MalformedMessage, Name, OutOfBailiwick, OutReason, Span, TrafficCell, TrafficCounts};

use crate::passive::{open, rrset};
use crate::story::{at, name};

const FOLDER: &str = "DNSCERT_TEST_COMPACTION_FOLDER";
const KILLS: u64 = 20;
/// Receipts that come in before each kill: enough for a merge in all tables.
const EACH: u64 = 3;
const ROWS: u64 = 60;

/// What repeats in each receipt adds up, what is its own stays apart.
fn receipt(number: u64) -> Brought {
    let host = |row: u64| {
        let address = [10, (number >> 8) as u8, number as u8, row as u8];
        rrset(&format!("h{row}.r{number}.example"), Rtype::A, &[address.to_vec()], 0)
    };
    let same = rrset("same.example", Rtype::A, &[vec![192, 0, 2, 1]], number as i64);
    Brought {
        rrsets: (0..ROWS).map(host).chain([same]).collect(),
        evidence: vec![OutOfBailiwick {
            server: "198.51.100.66".parse().unwrap(),
            zone: None,
            reason: OutReason::NotProven,
            question: name("a.example"),
            name: name("bank.test"),
            rtype: Rtype::A,
            rdata: vec![vec![203, 0, 113, 6]],
            first: at(0),
            last: at(0),
            count: 1,
        }],
        traffic: vec![TrafficCell {
            minute: at(60 * number as i64),
            span: Span::Minute,
            key: None,
            counts: TrafficCounts {
                queries: 1,
                ..TrafficCounts::default()
            },
        }],
        distincts: Vec::new(),
        clients: vec![ClientCell {
            minute: at(60 * number as i64),
            span: Span::Minute,
            server: None,
            client: None,
            queries: 1,
        }],
        malformed: vec![MalformedMessage {
            time: at(0),
            input: "night.pcap".to_owned(),
            number,
            reason: "short header".to_owned(),
            octets: vec![1],
        }],
        ..Brought::default()
    }
}

fn assert_whole(passive: &Passive, receipts: u64, when: &str) {
    let all: NamePattern = NamePattern::Below(name("example"));
    let mut counts: Vec<u64> = passive
        .rrsets(&Query::new(all, 1_000_000))
        .map(|seen| seen.rrset.count)
        .collect();
    counts.sort_unstable();
    let mut expected = vec![1; usize::try_from(receipts * ROWS).unwrap()];
    expected.push(receipts);
    assert!(
        counts == expected,
        "{when}: {} RRsets, the last counted {:?}",
        counts.len(),
        counts.last()
    );
    let addresses = ValuePattern::Prefix("10.0.0.0/8".parse().unwrap());
    let records = passive.rdata(&Query::new(addresses, 1_000_000)).map(|seen| seen.count);
    assert_eq!(records.sum::<u64>(), receipts * ROWS, "{when}");
    let beginning = NamePattern::Beginning(name("same"));
    assert_eq!(passive.rrsets(&Query::new(beginning, 10)).count(), 1, "{when}");
    let evidence = passive.evidence(&Name::root(), &Scope::ALL).map(|told| told.what.count);
    assert_eq!(evidence.collect::<Vec<_>>(), [receipts], "{when}");
    let traffic = passive.traffic(Timestamp::UNIX_EPOCH, Timestamp::MAX, &Scope::ALL);
    assert_eq!(
        traffic.map(|told| told.what.counts.queries).sum::<u64>(),
        receipts,
        "{when}"
    );
    let clients = passive.clients(Timestamp::UNIX_EPOCH, Timestamp::MAX, &Scope::ALL);
    let queries: u64 = clients.map(|told| told.what.queries).sum();
    assert_eq!(queries, receipts, "{when}");
    let malformed = passive.malformed(Timestamp::UNIX_EPOCH, Timestamp::MAX, &Scope::ALL);
    let numbers: Vec<u64> = malformed.map(|told| told.what.0.number * told.what.1).collect();
    assert_eq!(numbers, (0..receipts).collect::<Vec<_>>(), "{when}");
    assert_eq!(passive.damaged(), [], "{when}");
}

/// What the process does that is killed.
async fn merge(folder: &Path) {
    let passive = open(folder).await;
    println!("open");
    passive.merge(None).await.unwrap();
    passive.roll_up(&RollUp::default(), at(86_400 * 40)).await.unwrap();
    println!("merged");
}

#[tokio::test]
async fn merges_that_are_killed_lose_nothing_and_double_nothing() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return merge(Path::new(&folder)).await;
    }
    let seed = std::env::var_os("DNSCERT_TEST_SEED");
    let seed: u64 = seed.map_or_else(
        || Timestamp::now().as_nanosecond() as u64,
        |seed| seed.to_str().unwrap().parse().unwrap(),
    );
    println!("DNSCERT_TEST_SEED={seed}");
    let mut chance = seed;
    let folder = tempfile::tempdir().unwrap();
    let (mut receipts, mut in_the_middle) = (0, 0);
    for kill in 0..KILLS {
        let passive = open(folder.path()).await;
        for _ in 0..EACH {
            let mut intake = passive
                .begin("sensor-1", &format!("r{receipts}"))
                .await
                .unwrap()
                .unwrap();
            intake.add(receipt(receipts)).await.unwrap();
            assert!(intake.commit(at(0)).await.unwrap());
            receipts += 1;
        }
        drop(passive);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "compaction_crash::merges_that_are_killed_lose_nothing_and_double_nothing",
                "--exact",
                "--nocapture",
            ])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let mut lines = lines.filter(|line| line.ends_with("open") || line.ends_with("merged"));
        assert!(lines.next().is_some(), "it opens the lake");
        // SplitMix64 (Steele, Lea, Flood 2014)
        chance = chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (chance ^ (chance >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        tokio::time::sleep(Duration::from_millis((mixed ^ (mixed >> 31)) % 250)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        in_the_middle += u32::from(lines.next().is_none());
        let reader = Passive::open_read_only(folder.path()).await.unwrap();
        assert_whole(&reader, receipts, &format!("seed {seed}, kill {kill}"));
    }
    println!("{in_the_middle} of {KILLS} merges were killed before their end");
    let passive = open(folder.path()).await;
    passive.merge(None).await.unwrap();
    passive.roll_up(&RollUp::default(), at(86_400 * 40)).await.unwrap();
    passive.vacuum(at(86_400 * 36_500), SignedDuration::ZERO).await.unwrap();
    assert_whole(&passive, receipts, "after the last merge");
}
