//! `dnscert ingest` under `kill -9`, with a full disk, and flooded with names.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use lake::passive::{NamePattern, Passive, Query, Scope};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::centre::{dnscert, stderr, stdout};
use crate::ingest::{CLIENT, NEW_YEAR, SERVER, address_record, exchange, packet, pcap, pcap_at};

const FILES: u8 = 24;
const HOSTS: u8 = 40;
const KILLS: u32 = 20;

/// Hosts of `rN.example`, a record of `bank.test` that their server may not give, and octets that are no message.
fn capture(number: u8) -> Vec<u8> {
    let mut packets = Vec::new();
    for host in 0..HOSTS {
        let name = format!("h{host}.r{number}.example");
        packets.extend(exchange(
            &name,
            u16::from(host),
            0,
            [1, 0, 0],
            &address_record([10, 0, number, host]),
        ));
    }
    let foreign = [
        b"\x04bank\x04test\0\0\x01\0\x01\0\0\0\x3c\0\x04\xcb\0\x71".as_slice(),
        &[number],
    ]
    .concat();
    let records = [address_record([10, 0, number, 255]), foreign].concat();
    packets.extend(exchange(&format!("x.r{number}.example"), 999, 0, [1, 0, 1], &records));
    packets.push(packet((CLIENT, 4000), (SERVER, 53), &[0xde, 0xad, number]));
    pcap(&packets)
}

/// Of each capture: counts of its RRsets, of its evidence, and of what is malformed of it.
type Seen = Vec<(Vec<u64>, u64, u64)>;

/// What is seen, and how many queries the figures of traffic have.
async fn seen(lake: &Path) -> (Seen, u64) {
    let none = ((0..FILES).map(|_| (vec![], 0, 0)).collect(), 0);
    if !lake.join("name/_delta_log").is_dir() {
        return none;
    }
    // a process that was killed while it made the tables leaves some of them out
    let Ok(passive) = Passive::open_read_only(lake).await else {
        return none;
    };
    let all = || passive.malformed(Timestamp::UNIX_EPOCH, Timestamp::MAX, &Scope::ALL);
    let seen = (0..FILES).map(|number| {
        let below: NamePattern = format!("*.r{number}.example").parse().unwrap();
        let counts = passive
            .rrsets(&Query::new(below, 1000))
            .map(|seen| seen.rrset.count)
            .collect();
        let evidence = passive.evidence(&"bank.test".parse().unwrap(), &Scope::ALL);
        let evidence = evidence.filter(|told| told.what.rdata == [vec![203, 0, 113, number]]);
        let malformed = all().filter(|told| told.what.0.octets == [0xde, 0xad, number]);
        (
            counts,
            evidence.map(|told| told.what.count).sum(),
            malformed.map(|told| told.what.1).sum(),
        )
    });
    let seen = seen.collect();
    let traffic = passive.traffic(Timestamp::UNIX_EPOCH, Timestamp::MAX, &Scope::ALL);
    let queries = traffic.map(|told| told.what.counts.queries).sum();
    assert_eq!(passive.damaged(), []);
    (seen, queries)
}

fn command(files: &[PathBuf], lake: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dnscert"));
    command
        .arg("ingest")
        .args(files)
        .arg("--lake")
        .arg(lake)
        .stdin(Stdio::null());
    command
}

#[tokio::test]
async fn each_capture_is_in_as_a_whole_or_not_at_all_whenever_its_ingest_is_killed() {
    let seed = std::env::var_os("DNSCERT_TEST_SEED");
    let seed: u64 = seed.map_or_else(rand::random, |seed| seed.to_str().unwrap().parse().unwrap());
    println!("DNSCERT_TEST_SEED={seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let files: Vec<PathBuf> = (0..FILES)
        .map(|number| folder.path().join(format!("{number}.pcap")))
        .collect();
    for (number, file) in (0..).zip(&files) {
        std::fs::write(file, capture(number)).unwrap();
    }
    let whole = (vec![1; usize::from(HOSTS) + 1], 1, 1);
    let nothing = (vec![], 0, 0);
    let (mut in_before, mut partly) = (0, 0);
    for kill in 0..KILLS {
        let mut child = command(&files, &lake)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        tokio::time::sleep(Duration::from_millis(chance.random_range(20..1200))).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let (seen, queries) = seen(&lake).await;
        for (number, capture) in seen.iter().enumerate() {
            let is_whole = *capture == whole || *capture == nothing;
            assert!(is_whole, "seed {seed}, kill {kill}, capture {number}: {capture:?}");
        }
        let are_in = seen.iter().filter(|capture| **capture == whole).count();
        assert!(are_in >= in_before, "seed {seed}, kill {kill}: what was in stays in");
        assert_eq!(
            queries,
            are_in as u64 * (u64::from(HOSTS) + 1),
            "seed {seed}, kill {kill}"
        );
        partly += u32::from(are_in > 0 && are_in < usize::from(FILES));
        in_before = are_in;
    }
    println!("{in_before} of {FILES} captures were in after {KILLS} kills, {partly} of them in the middle");
    let last = command(&files, &lake).output().unwrap();
    assert_eq!(last.status.code(), Some(0), "{}", stderr(&last));
    let (seen, queries) = seen(&lake).await;
    assert!(seen.iter().all(|capture| *capture == whole), "seed {seed}: {seen:?}");
    assert_eq!(queries, u64::from(FILES) * (u64::from(HOSTS) + 1), "seed {seed}");
}

#[tokio::test]
async fn on_a_full_disk_nothing_of_a_capture_is_kept_and_with_room_all_of_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (file, lake) = (folder.path().join("0.pcap"), folder.path().join("lake"));
    std::fs::write(&file, capture(0)).unwrap();
    let files = [file];
    // the tables are there; then no file may become larger than a kibibyte
    let empty = folder.path().join("empty.pcap");
    std::fs::write(&empty, pcap(&[])).unwrap();
    let made = command(&[empty], &lake).output().unwrap();
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$@\"";
    let full = Command::new("bash")
        .args(["-c", script, "sh", env!("CARGO_BIN_EXE_dnscert"), "ingest"])
        .args(&files)
        .arg("--lake")
        .arg(&lake)
        .output()
        .unwrap();
    assert_eq!(full.status.code(), Some(1), "{}", stderr(&full));
    assert!(stderr(&full).contains("keeping what `"), "{}", stderr(&full));
    assert!(stderr(&full).contains("0.pcap"), "{}", stderr(&full));
    let (empty, queries) = seen(&lake).await;
    assert_eq!((&empty[0], queries), (&(vec![], 0, 0), 0));

    let output = command(&files, &lake).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let (whole, queries) = seen(&lake).await;
    assert_eq!(whole[0], (vec![1; usize::from(HOSTS) + 1], 1, 1));
    assert_eq!(queries, u64::from(HOSTS) + 1);
}

/// Most memory that a process has had, in kibibytes.
fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[tokio::test]
async fn a_million_names_in_a_minute_take_bounded_memory_and_are_counted() {
    const NAMES: u32 = 1_000_000;
    let folder = tempfile::tempdir().unwrap();
    let (file, lake) = (folder.path().join("flood.pcap"), folder.path().join("lake"));
    // NXDOMAIN, with the SOA of the zone
    let soa =
        b"\x06victim\x07example\0\0\x06\0\x01\0\0\0\x3c\0\x16\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05";
    let mut octets = pcap(&[]);
    for number in 0..NAMES {
        let name = format!("{number:x}.victim.example");
        let id = u16::try_from(number % 65_536).unwrap();
        let packets = exchange(&name, id, 3, [0, 1, 0], soa);
        let second = NEW_YEAR + number / NAMES.div_ceil(60);
        octets.extend(&pcap_at(packets.iter().map(|packet| (second, packet)))[24..]);
    }
    std::fs::write(&file, octets).unwrap();
    let serves = "victim.example=198.51.100.53";
    let begun = Instant::now();
    let mut child = command(&[file], &lake)
        .args(["--json", "--serves", serves])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        most = most.max(peak(child.id()).unwrap_or(0));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let output = child.wait_with_output().unwrap();
    println!("{} s, {} MB", begun.elapsed().as_secs(), most >> 10);
    assert_eq!(output.status.code(), Some(0));
    let receipt: serde_json::Value = serde_json::from_str(stdout(&output).trim()).unwrap();
    assert_eq!(
        (&receipt["pairs"], &receipt["rrsets"]),
        (&NAMES.into(), &NAMES.into()),
        "{receipt}"
    );
    assert_eq!(receipt["dropped"], serde_json::json!({}));
    assert!(most < 600 << 10, "{most} KiB");
    let found = stdout(&dnscert(&[
        "pdns",
        "--lake",
        lake.to_str().unwrap(),
        "*.victim.example",
        "--json",
    ]));
    assert_eq!(found.lines().count(), 1, "{found}");
    assert!(found.contains(&format!("\"count\":{NAMES}")), "{found}");
}
