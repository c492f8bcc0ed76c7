//! A receipt of passive DNS is in as a whole or not at all, in both tables, whenever its writer is killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use domain::base::iana::Rtype;
use lake::Snapshot;
use lake::passive::{NamePattern, Passive, Query, ValuePattern};
use model::PassiveRrset;

use crate::passive::{data_files, open, rrset};
use crate::story::at;

const FOLDER: &str = "DNSCERT_TEST_PASSIVE_FOLDER";
const RECEIPTS: u32 = 400;
const ROWS: usize = 20;

fn receipt(number: u32) -> Vec<PassiveRrset> {
    let host = |at: usize| {
        let [high, low] = (number as u16).to_be_bytes();
        rrset(
            &format!("h{at}.r{number}.example"),
            Rtype::A,
            &[vec![10, high, low, at as u8]],
            0,
        )
    };
    (0..ROWS).map(host).collect()
}

/// Rows of a receipt in the two tables, each with how often it was counted.
fn rows(passive: &Passive, number: u32) -> (Vec<u64>, Vec<u64>) {
    let name: NamePattern = format!("*.r{number}.example").parse().unwrap();
    let [high, low] = (number as u16).to_be_bytes();
    let addresses = ValuePattern::Prefix(format!("10.{high}.{low}.0/24").parse().unwrap());
    let of_rrset = passive
        .rrsets(&Query::new(name, 1000))
        .map(|seen| seen.rrset.count)
        .collect();
    (
        of_rrset,
        passive
            .rdata(&Query::new(addresses, 1000))
            .map(|seen| seen.count)
            .collect(),
    )
}

/// What the process does that is killed: takes receipts in, and says so.
async fn take_in(folder: &Path) {
    let passive = open(folder).await;
    println!("open");
    for number in 0..RECEIPTS {
        if passive
            .append("sensor-1", &format!("r{number}"), receipt(number), at(0))
            .await
            .unwrap()
        {
            println!("receipt {number}");
        }
        if number % 4 == 3 {
            passive.merge(None).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_receipt_is_in_as_a_whole_or_not_at_all_whenever_its_writer_is_killed() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return take_in(Path::new(&folder)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()).await);
    let mut acknowledged = 0;
    for round in 0_u32..14 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "passive_crash::a_receipt_is_in_as_a_whole_or_not_at_all_whenever_its_writer_is_killed",
                "--exact",
                "--nocapture",
            ])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let told = |line: &String| {
            line.split("receipt ")
                .nth(1)
                .and_then(|number| number.parse::<u32>().ok())
        };
        // let it get some way, and then a little further than a whole step
        let way = 1 + round as usize % 3;
        let first = lines.by_ref().filter_map(|line| told(&line)).take(way).last();
        tokio::time::sleep(Duration::from_millis(u64::from(round * 13 % 60))).await;
        child.kill().unwrap();
        let last = lines.filter_map(|line| told(&line)).last().or(first);
        child.wait().unwrap();
        acknowledged = acknowledged.max(last.map_or(0, |number| number + 1));

        let reader = Passive::open_read_only(folder.path()).await.unwrap();
        let mut whole = 0;
        for number in 0..acknowledged + 2 {
            let (of_rrset, of_rdata) = rows(&reader, number);
            assert_eq!(
                of_rrset, of_rdata,
                "receipt {number} before anybody has put things right"
            );
            assert!(
                of_rrset.is_empty() || of_rrset == [1; ROWS],
                "receipt {number}: {of_rrset:?}"
            );
            assert!(
                number >= acknowledged || !of_rrset.is_empty(),
                "receipt {number} was acknowledged"
            );
            whole += u32::from(!of_rrset.is_empty());
        }
        assert!(whole <= acknowledged + 1);
        assert_eq!(reader.damaged(), []);
        // who reads the files itself is told of the same
        let snapshot = Snapshot::of(folder.path()).await.unwrap();
        for table in reader.statistics().await {
            let told = snapshot.tables.iter().find(|told| told.name == table.table).unwrap();
            let rows: u64 = told.files.iter().map(|file| file.rows).sum();
            assert_eq!((told.files.len(), rows), (table.files, table.rows), "{}", table.table);
        }
    }
    assert!(
        acknowledged >= 14,
        "only {acknowledged} receipts came in: there was nothing to kill"
    );
    let passive = open(folder.path()).await;
    for number in 0..acknowledged + 2 {
        passive
            .append("sensor-1", &format!("r{number}"), receipt(number), at(0))
            .await
            .unwrap();
        assert_eq!(
            rows(&passive, number),
            (vec![1; ROWS], vec![1; ROWS]),
            "receipt {number}"
        );
    }
}

/// What a crash between the commits leaves, made on purpose: the last commit of `rrset` is undone.
#[tokio::test]
async fn the_commit_of_the_table_rrset_is_what_counts() {
    let folder = tempfile::tempdir().unwrap();
    let passive = open(folder.path()).await;
    passive.append("sensor-1", "r1", receipt(1), at(0)).await.unwrap();
    passive.append("sensor-1", "r2", receipt(2), at(0)).await.unwrap();
    drop(passive);
    std::fs::remove_file(folder.path().join("rrset/_delta_log/00000000000000000002.json")).unwrap();
    let reader = Passive::open_read_only(folder.path()).await.unwrap();
    assert_eq!(rows(&reader, 1), (vec![1; ROWS], vec![1; ROWS]));
    assert_eq!(rows(&reader, 2), (vec![], vec![]));
    assert_eq!(
        data_files(folder.path()).len(),
        6,
        "the file is there and nobody sees it"
    );
    let passive = open(folder.path()).await;
    assert_eq!(
        passive
            .statistics()
            .await
            .iter()
            .map(|table| table.files)
            .collect::<Vec<_>>(),
        [1, 1, 1, 0, 0, 0, 0, 0, 0]
    );
    assert_eq!(rows(&passive, 2), (vec![], vec![]));
    assert!(passive.append("sensor-1", "r2", receipt(2), at(0)).await.unwrap());
    assert_eq!(rows(&passive, 2), (vec![1; ROWS], vec![1; ROWS]));
    reader.refresh().await.unwrap();
    assert_eq!(rows(&reader, 2), (vec![1; ROWS], vec![1; ROWS]));
}
