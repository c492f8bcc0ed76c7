//! `dnscert ingest`.

use std::time::Duration;

use lake::passive::{Brought, Source};
use model::{Clock as _, SystemClock, Tlp};
use sha2::{Digest as _, Sha256};
use testkit::loopback::wait_until;

use crate::centre::{dnscert, stderr, stdout};

const QUESTION: &[u8] = b"\x03www\x07example\0\0\x01\0\x01";
pub const CLIENT: [u8; 4] = [192, 0, 2, 10];
pub const SERVER: [u8; 4] = [198, 51, 100, 53];

/// A packet of a capture on raw IP: a UDP datagram between two addresses and ports.
pub fn packet(from: ([u8; 4], u16), to: ([u8; 4], u16), message: &[u8]) -> Vec<u8> {
    let length = |octets: usize| u16::try_from(octets).unwrap().to_be_bytes();
    let ports = [from.1.to_be_bytes(), to.1.to_be_bytes()].concat();
    let udp = [&ports[..], &length(8 + message.len()), &[0, 0], message].concat();
    let head = [
        &[0x45, 0][..],
        &length(20 + udp.len()),
        &[0, 0, 0, 0, 64, 17, 0, 0],
        &from.0,
        &to.0,
    ]
    .concat();
    [head, udp].concat()
}

pub fn pcap(packets: &[Vec<u8>]) -> Vec<u8> {
    pcap_at(packets.iter().map(|packet| (NEW_YEAR, packet)))
}

/// 2026-01-01T00:00:00Z.
pub const NEW_YEAR: u32 = 1_767_225_600;

/// A capture of packets, each with its second.
pub fn pcap_at<'a>(packets: impl Iterator<Item = (u32, &'a Vec<u8>)>) -> Vec<u8> {
    let mut file = vec![
        0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0,
    ];
    for (second, packet) in packets {
        let length = u32::try_from(packet.len()).unwrap().to_le_bytes();
        file.extend([&second.to_le_bytes()[..], &[0; 4], &length, &length, packet].concat());
    }
    file
}

/// A name on the wire.
fn wire(name: &str) -> Vec<u8> {
    let labels = name.split('.').flat_map(|label| {
        let length = u8::try_from(label.len()).unwrap();
        std::iter::once(length).chain(label.bytes())
    });
    labels.chain([0]).collect()
}

/// A query for the address of a name, and its answer with these records behind the question: answers, authority and additional.
pub fn exchange(name: &str, id: u16, rcode: u8, counts: [u8; 3], records: &[u8]) -> [Vec<u8>; 2] {
    let question = [&wire(name)[..], &[0, 1, 0, 1]].concat();
    let [high, low] = id.to_be_bytes();
    let head = |flags: [u8; 2], [answers, authority, additional]: [u8; 3]| {
        [
            high, low, flags[0], flags[1], 0, 1, 0, answers, 0, authority, 0, additional,
        ]
    };
    let asked = [&head([0, 0], [0; 3])[..], &question].concat();
    let answered = [&head([0x84, rcode], counts)[..], &question, records].concat();
    [
        packet((CLIENT, 4000), (SERVER, 53), &asked),
        packet((SERVER, 53), (CLIENT, 4000), &answered),
    ]
}

/// An address of the name asked for.
pub fn address_record(address: [u8; 4]) -> Vec<u8> {
    [&b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04"[..], &address].concat()
}

fn query() -> Vec<u8> {
    let message = [b"\0\x07\0\0\0\x01\0\0\0\0\0\0", QUESTION].concat();
    packet((CLIENT, 4000), (SERVER, 53), &message)
}

/// The answer: `www.example A 203.0.113.7`, authoritative.
fn answer() -> Vec<u8> {
    let record = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xcb\0\x71\x07";
    let message = [b"\0\x07\x84\0\0\x01\0\x01\0\0\0\0", QUESTION, record].concat();
    packet((SERVER, 53), (CLIENT, 4000), &message)
}

/// A capture with one query.
fn capture() -> Vec<u8> {
    pcap(&[query()])
}

#[test]
fn what_servers_said_is_kept_once_and_found_by_name_and_by_value() {
    let folder = tempfile::tempdir().unwrap();
    let (file, lake) = (folder.path().join("answer.pcap"), folder.path().join("lake"));
    std::fs::write(&file, pcap(&[query(), answer()])).unwrap();
    let (file, lake) = (file.to_str().unwrap(), lake.to_str().unwrap());
    let ingest = ["ingest", file, "--lake", lake, "--sensor", "ns1", "--tlp", "TLP:GREEN"];

    let output = dnscert(&ingest);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("source ns1"), "{}", stdout(&output));
    let output = dnscert(&ingest);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stdout(&output).contains("taken in before, nothing changed"),
        "{}",
        stdout(&output)
    );

    for subject in ["www.example", "*.example", "203.0.113.7", "203.0.113.0/24"] {
        let output = dnscert(&["pdns", "--lake", lake, "--json", subject]);
        assert_eq!(output.status.code(), Some(0), "{subject}: {}", stderr(&output));
        let found: serde_json::Value = serde_json::from_str(stdout(&output).trim()).unwrap();
        assert_eq!(found["rrname"], "www.example.", "{subject}");
        assert_eq!(found["count"], 1, "{subject}: the same file twice counts once");
        assert!(found["rdata"].to_string().contains("203.0.113.7"), "{subject}: {found}");
        assert!(
            !found.to_string().contains("192.0.2.10"),
            "no address of a client is kept"
        );
    }
}

#[test]
fn what_begins_as_something_that_was_taken_in_and_ends_otherwise_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let taken_in = |name: &str, octets: &[u8]| {
        let file = folder.path().join(name);
        std::fs::write(&file, octets).unwrap();
        let output = dnscert(&["ingest", file.to_str().unwrap(), "--lake", lake.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    // two megabytes of packets that are no DNS, then one query, or another one of the same length
    let mut packets = vec![packet((CLIENT, 4000), (SERVER, 9), &[0; 1_000]); 2_000];
    packets.push(query());
    let one = pcap(&packets);
    let mut other = one.clone();
    *other.iter_mut().rev().find(|octet| **octet == b'w').unwrap() = b'v';
    assert!(taken_in("one.pcap", &one).contains("1 queries"));
    assert!(taken_in("other.pcap", &other).contains("1 queries"));
    for again in [&one, &other] {
        assert!(taken_in("again.pcap", again).contains("taken in before"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_version_took_in_that_only_knew_files_as_a_whole_is_not_taken_in_again() {
    let folder = tempfile::tempdir().unwrap();
    let (file, lake) = (folder.path().join("answer.pcap"), folder.path().join("lake"));
    let octets = pcap(&[query(), answer()]);
    std::fs::write(&file, &octets).unwrap();
    let source = Source {
        id: "own".to_owned(),
        owner: "Registry".to_owned(),
        licence: "none".to_owned(),
        tlp: Tlp::Amber,
        legal_basis: "contract".to_owned(),
    };
    let id = format!("{}/whole", hex::encode(Sha256::digest(&octets)));
    let taken_in = lake::passive::take_in(&lake, &id, &source, Brought::default(), SystemClock.now());
    assert!(taken_in.await.unwrap());
    let output = dnscert(&["ingest", file.to_str().unwrap(), "--lake", lake.to_str().unwrap()]);
    assert!(stdout(&output).contains("taken in before"), "{}", stdout(&output));
    let found = dnscert(&["pdns", "--lake", lake.to_str().unwrap(), "--json", "www.example"]);
    assert_eq!(stdout(&found), "", "nothing of it is counted again");
}

/// Lines of JSON that a command prints.
fn lines(output: &std::process::Output) -> Vec<serde_json::Value> {
    let text = stdout(output);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn evidence_traffic_and_what_is_malformed_stand_beside_passive_dns_once() {
    let folder = tempfile::tempdir().unwrap();
    let (file, lake) = (folder.path().join("night.pcap"), folder.path().join("lake"));
    let broken = packet((CLIENT, 4000), (SERVER, 53), b"\xde\xad\xbe\xef");
    // without --serves nothing shows that the server serves `example`: the answer claims the name alone
    let foreign = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xcb\0\x71\x07\x04bank\x04test\0\0\x01\0\x01\0\0\0\x3c\0\x04\xcb\0\x71\x42";
    let message = [b"\0\x07\x84\0\0\x01\0\x01\0\0\0\x01", QUESTION, foreign].concat();
    let poisoned = packet((SERVER, 53), (CLIENT, 4000), &message);
    std::fs::write(&file, pcap(&[query(), poisoned, broken])).unwrap();
    let (file, lake) = (file.to_str().unwrap(), lake.to_str().unwrap());
    for _ in 0..2 {
        let output = dnscert(&["ingest", file, "--lake", lake, "--sensor", "ns1"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }

    let malformed = lines(&dnscert(&["lake", "quarantine", "--lake", lake]));
    assert_eq!(malformed.len(), 1, "{malformed:?}");
    assert_eq!(malformed[0]["octets"], "deadbeef");
    assert_eq!(
        (&malformed[0]["number"], &malformed[0]["count"]),
        (&3.into(), &1.into())
    );
    assert_eq!(malformed[0]["input"], file);

    let evidence = lines(&dnscert(&["lake", "evidence", "test", "--lake", lake]));
    assert_eq!(evidence.len(), 1, "{evidence:?}");
    assert_eq!(evidence[0]["rrname"], "bank.test");
    assert_eq!(
        (&evidence[0]["reason"], &evidence[0]["count"]),
        (&"outside".into(), &1.into())
    );
    assert_eq!(evidence[0]["server"], "198.51.100.53");
    let output = dnscert(&["pdns", "--lake", lake, "bank.test"]);
    assert_eq!(output.status.code(), Some(1), "evidence is never passive DNS");

    let traffic = lines(&dnscert(&["lake", "traffic", "--lake", lake, "--source", "ns1"]));
    assert_eq!(traffic.len(), 1, "{traffic:?}");
    assert_eq!(traffic[0]["key"]["server"], "198.51.100.53");
    assert_eq!(
        (&traffic[0]["counts"]["queries"], &traffic[0]["counts"]["matched"]),
        (&1.into(), &1.into())
    );
    let output = dnscert(&["lake", "traffic", "--lake", lake, "--after", "2026-01-02"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""));
    assert!(
        !format!("{malformed:?}{evidence:?}{traffic:?}").contains("192.0.2.10"),
        "no address of a client"
    );
}

#[test]
fn what_can_be_read_only_once_is_refused_and_the_rest_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (file, lake) = (folder.path().join("answer.pcap"), folder.path().join("lake"));
    std::fs::write(&file, pcap(&[query(), answer()])).unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let (file, lake, pipe) = (file.to_str().unwrap(), lake.to_str().unwrap(), pipe.to_str().unwrap());
    let here = folder.path().to_str().unwrap();
    let output = dnscert(&["ingest", "--lake", lake, pipe, here, "/dev/zero", "/nowhere", file]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    for refused in [pipe, here, "/dev/zero", "/nowhere"] {
        assert!(stderr(&output).contains(&format!("`{refused}`")), "{}", stderr(&output));
    }
    let output = dnscert(&["pdns", "--lake", lake, "--json", "www.example"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn each_capture_gets_a_receipt_and_one_that_is_not_whole_is_told_by_the_status() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.pcap");
    let half = folder.path().join("half.pcap");
    std::fs::write(&whole, capture()).unwrap();
    std::fs::write(&half, &capture()[..60]).unwrap();
    let (whole, half) = (whole.to_str().unwrap(), half.to_str().unwrap());

    let output = dnscert(&["ingest", "--dry-run", whole]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("1: 1 queries, 0 responses; 0 malformed"), "{text}");
    assert!(text.contains("2026-01-01T00:00:00Z to 2026-01-01T00:00:00Z"), "{text}");
    assert!(!text.contains("192.0.2.10"), "{text}");

    let output = dnscert(&[
        "ingest",
        "--dry-run",
        half,
        "/nowhere.pcap",
        whole,
        "--json",
        "--sensor",
        "ns1",
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("cannot read `/nowhere.pcap`"),
        "{}",
        stderr(&output)
    );
    let lines: Vec<serde_json::Value> = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["sensor"], "ns1");
    assert_eq!(lines[0]["queries"], 0);
    assert!(lines[0]["fault"].as_str().unwrap().contains("middle of a record"));
    assert_eq!(
        (lines[1]["queries"].as_u64(), lines[1]["fault"].is_null()),
        (Some(1), true)
    );

    let output = dnscert(&["ingest", "--dry-run", whole, "--serves", "example"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("ZONE=ADDRESS"), "{}", stderr(&output));
}

#[test]
fn a_clock_that_runs_backwards_is_told_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (file, lake) = (folder.path().join("back.pcap"), folder.path().join("lake"));
    let [early, late] = [7, 8].map(|id| exchange("www.example", id, 0, [1, 0, 0], &address_record([203, 0, 113, 7])));
    let packets = late.iter().map(|packet| (NEW_YEAR, packet));
    let packets = packets.chain(early.iter().map(|packet| (NEW_YEAR - 7200, packet)));
    std::fs::write(&file, pcap_at(packets)).unwrap();
    let (file, lake) = (file.to_str().unwrap(), lake.to_str().unwrap());
    let output = dnscert(&["ingest", file, "--lake", lake, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let receipt = &lines(&output)[0];
    assert_eq!((&receipt["out_of_order"], &receipt["pairs"]), (&1.into(), &2.into()));
    let found = &lines(&dnscert(&["pdns", "--lake", lake, "www.example"]))[0];
    assert_eq!(
        (&found["time_first"], &found["time_last"]),
        (&(NEW_YEAR - 7200).into(), &NEW_YEAR.into())
    );
    assert_eq!(found["count"], 2);
    assert_eq!(
        lines(&dnscert(&["lake", "traffic", "--lake", lake])).len(),
        2,
        "two minutes"
    );
}

#[test]
fn of_half_a_file_what_came_before_is_kept_and_a_file_that_cannot_be_read_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (half, lake) = (folder.path().join("half.pcap"), folder.path().join("lake"));
    let whole = pcap(&[query(), answer(), query()]);
    std::fs::write(&half, &whole[..whole.len() - 9]).unwrap();
    let (half, lake) = (half.to_str().unwrap(), lake.to_str().unwrap());
    // a file by all appearances, and reading it fails
    let output = dnscert(&["ingest", "/proc/self/mem", half, "--lake", lake]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("cannot read `/proc/self/mem`"),
        "{}",
        stderr(&output)
    );
    assert!(stdout(&output).contains("broken"), "{}", stdout(&output));
    assert_eq!(lines(&dnscert(&["pdns", "--lake", lake, "www.example"]))[0]["count"], 1);
}

#[test]
fn logs_come_into_passive_dns_and_what_cannot_be_read_of_them_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let (file, lake) = (folder.path().join("given.ndjson"), folder.path().join("lake"));
    let line = r#"{"count":3,"time_first":1767225600,"time_last":1767225700,"rrname":"www.example.","rrtype":"A","bailiwick":"example.","rdata":["203.0.113.7"]}"#;
    std::fs::write(&file, format!("{line}\nhalf a line\n")).unwrap();
    let (file, lake) = (file.to_str().unwrap(), lake.to_str().unwrap());
    let ingest = ["ingest", file, "--lake", lake, "--sensor", "peer"];
    let output = dnscert(&ingest);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(
        text.contains("2: 1 records, 0 without one; 1 malformed (1 not json from line 2 on)"),
        "{text}"
    );
    assert!(stdout(&dnscert(&ingest)).contains("taken in before"));
    let found = lines(&dnscert(&["pdns", "--lake", lake, "203.0.113.7", "--source", "peer"]));
    assert_eq!((found.len(), &found[0]["count"]), (1, &3.into()));
    let quarantined = lines(&dnscert(&["lake", "quarantine", "--lake", lake]));
    assert_eq!(
        (&quarantined[0]["number"], &quarantined[0]["reason"]),
        (&2.into(), &"not json".into())
    );

    // what passive DNS gives, another one takes as it is
    let (copy, other) = (folder.path().join("copy.ndjson"), folder.path().join("other"));
    let given = stdout(&dnscert(&["pdns", "--lake", lake, "*.example", "--json"]));
    std::fs::write(&copy, &given).unwrap();
    let (copy, other) = (copy.to_str().unwrap(), other.to_str().unwrap());
    let output = dnscert(&["ingest", copy, "--lake", other, "--format", "cof", "--sensor", "peer"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        stdout(&dnscert(&["pdns", "--lake", other, "*.example", "--json"])),
        given
    );

    let output = dnscert(&["ingest", copy, "--dry-run", "--format", "capture"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("no capture"), "{}", stderr(&output));
}

#[tokio::test]
async fn a_zone_file_brings_what_it_delegates_once_by_whichever_command() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let apex = "example. 300 IN SOA ns.example. admin.example. 7 1 1 1 1\nexample. 300 IN NS ns.example.\n";
    let zone = format!(
        "{apex}shop.example. 300 IN NS ns1.shop.example.\nns1.shop.example. 300 IN A 192.0.2.1\nns.example. 300 IN A 192.0.2.53\n"
    );
    std::fs::write(path("example.zone"), &zone).unwrap();
    std::fs::write(path("cut.zone"), &zone[..zone.len() - 20]).unwrap();
    std::fs::write(path("no.zone"), "shop.example. 300 IN NS ns1.shop.example.\n").unwrap();
    let lake = path("lake");
    let run = |words: &[&str]| dnscert(&[words, &["--lake", &lake, "--json"]].concat());

    let taken = run(&["ingest", &path("example.zone")]);
    assert_eq!(stderr(&taken), "");
    let receipt = &lines(&taken)[0];
    assert_eq!(
        (
            &receipt["form"],
            &receipt["zone"],
            &receipt["serial"],
            &receipt["rrsets"]
        ),
        (&"zone".into(), &"example".into(), &7.into(), &3.into()),
        "{receipt}"
    );
    for words in [
        &["ingest", &path("example.zone")][..],
        &["ingest", "--format", "zone", &path("example.zone")],
    ] {
        assert_eq!(lines(&run(words))[0]["kept"], "before", "{words:?}");
    }
    let imported = run(&["zone", "import", &path("example.zone")]);
    assert_eq!(lines(&imported)[0]["before"], true, "{}", stderr(&imported));
    let found = lines(&dnscert(&["pdns", "shop.example", "--lake", &lake]));
    assert_eq!(
        (
            &found[0]["rdata"],
            &found[0]["count"],
            found[0]["zone_time_first"].is_i64()
        ),
        (&serde_json::json!(["ns1.shop.example."]), &1.into(), true),
        "{found:?}"
    );

    // the zone is the same a day later: it is seen again
    let file = std::fs::File::options().write(true).open(path("example.zone")).unwrap();
    file.set_modified(file.metadata().unwrap().modified().unwrap() + Duration::from_secs(86_400))
        .unwrap();
    let again = run(&["ingest", &path("example.zone")]);
    assert!(lines(&again)[0]["kept"]["now"].is_object(), "{}", stdout(&again));
    let found = lines(&dnscert(&["pdns", "shop.example", "--lake", &lake]));
    let seconds = |name: &str| found[0][name].as_i64().unwrap();
    assert_eq!(
        (
            &found[0]["count"],
            seconds("zone_time_last") - seconds("zone_time_first")
        ),
        (&2.into(), 86_400)
    );
    // what changed is not in it yet, though the zone is
    std::fs::write(path("before.zone"), apex.replace(" 7 1 1", " 6 1 1")).unwrap();
    let since = ["zone", "import", "--since", &path("before.zone"), &path("example.zone")];
    for _ in 0..2 {
        let imported = &lines(&run(&since))[0];
        assert_eq!(
            (&imported["before"], &imported["changes"]),
            (&true.into(), &2.into()),
            "{imported}"
        );
    }
    let (from, to) = (model::Timestamp::MIN, model::Timestamp::MAX);
    let changes = lake::Lake::open(std::path::Path::new(&lake)).await.unwrap();
    let changes = changes.zone_changes(None, from, to).await.unwrap();
    assert_eq!(changes.len(), 2, "{changes:?}");

    for (words, told) in [
        (&["ingest", &path("cut.zone")][..], "is refused: "),
        (&["ingest", &path("no.zone")], "is no capture"),
        (
            &["ingest", "--format", "zone", &path("no.zone")],
            "it has no SOA record",
        ),
    ] {
        let output = run(words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        assert!(stderr(&output).contains(told), "{words:?}: {}", stderr(&output));
    }
}

#[test]
fn figures_of_an_operator_are_kept_once_and_the_later_edition_of_a_day_holds() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let lake = lake.to_str().unwrap();
    let head = "---\nversion: rssac002v5\nservice: A.Root-Servers.net\nstart-period: 2026-01-01T00:00:00Z\nmetric:";
    let volume = |queries: u32| format!("{head} traffic-volume\ndns-udp-queries-received-ipv4: {queries}\n");
    let sizes = format!("{head} traffic-sizes\nudp-request-sizes:\n  0-15: 7\n  288-: 1\n");
    let rcodes = format!("{head} rcode-volume\n0: 40\n3: 60\n");
    let load = format!("{head} load-time\ntime:\n  2026010100: 12\n  2026010101: ''\n");
    let ingest = |name: &str, text: &str, options: &[&str]| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        let own = ["ingest", file.to_str().unwrap(), "--lake", lake, "--sensor", "verisign"];
        dnscert(&[&own[..], options].concat())
    };
    let first = ingest("volume.yaml", &volume(5), &["--json"]);
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    let receipt: serde_json::Value = serde_json::from_str(&stdout(&first)).unwrap();
    let told = (
        &receipt["form"],
        &receipt["figures"],
        &receipt["services"][0],
        &receipt["first"],
    );
    let expected = (
        "rssac002".into(),
        1.into(),
        "a.root-servers.net".into(),
        "2026-01-01".into(),
    );
    assert_eq!(told, (&expected.0, &expected.1, &expected.2, &expected.3));
    assert!(stdout(&ingest("volume.yaml", &volume(5), &[])).contains("taken in before"));
    for (name, text) in [("sizes.yaml", sizes), ("rcodes.yaml", rcodes), ("load.yaml", load)] {
        let output = ingest(name, &text, &[]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    // times are kept by the second
    let taken = SystemClock.now().as_second();
    assert!(wait_until(Duration::from_secs(5), || SystemClock.now().as_second() > taken));
    let corrected = ingest("corrected.yaml", &volume(6), &["--format", "rssac002"]);
    assert_eq!(corrected.status.code(), Some(0), "{}", stderr(&corrected));

    let lines = stdout(&dnscert(&["lake", "rssac002", "--lake", lake, "--json"]));
    let figures: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<String> = figures
        .iter()
        .map(|figure| format!("{} {} {}", figure["metric"], figure["part"], figure["value"]).replace('"', ""))
        .collect();
    let expected = [
        "load-time 2026010100 12",
        "load-time 2026010101 null",
        "rcode-volume 0 40",
        "rcode-volume 3 60",
        "traffic-sizes udp-request-sizes 0-15 7",
        "traffic-sizes udp-request-sizes 288- 1",
        "traffic-volume dns-udp-queries-received-ipv4 6",
    ];
    assert_eq!(told, expected);

    let wrong = ingest("wrong.yaml", &volume(5).replace("traffic-volume", "traffic-jam"), &[]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(stderr(&wrong).contains("`traffic-jam`"), "{}", stderr(&wrong));
}

#[test]
fn without_a_centre_upkeep_is_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let (file, lake) = (folder.path().join("old.pcap"), folder.path().join("lake"));
    let forty_days_ago = u32::try_from(SystemClock.now().as_second()).unwrap() - 40 * 86_400;
    let minutes = (0..6).map(|minute| (forty_days_ago / 3_600 * 3_600 + 60 * minute, query()));
    let packets: Vec<_> = minutes.collect();
    let packets = packets.iter().map(|(second, packet)| (*second, packet));
    std::fs::write(&file, pcap_at(packets)).unwrap();
    let (file, lake) = (file.to_str().unwrap(), lake.to_str().unwrap());
    let spans = || -> Vec<u64> {
        let output = dnscert(&["lake", "traffic", "--lake", lake, "--json"]);
        let rows = stdout(&output);
        let span = |row: &str| {
            serde_json::from_str::<serde_json::Value>(row).unwrap()["span"]
                .as_u64()
                .unwrap()
        };
        rows.lines().map(span).collect()
    };
    let upkeep = |rules: &[&str]| dnscert(&[&["lake", "upkeep", "--lake", lake], rules].concat());

    let none = upkeep(&[]);
    assert_eq!(none.status.code(), Some(3), "{}", stdout(&none));
    assert!(stderr(&none).contains(lake), "{}", stderr(&none));
    assert!(!std::path::Path::new(lake).exists(), "it makes no lake");

    dnscert(&["ingest", file, "--lake", lake]);
    assert_eq!(spans(), [60; 6]);
    let mistyped = upkeep(&["--config", "/nowhere/dnscert.toml"]);
    assert!(stderr(&mistyped).contains("/nowhere/dnscert.toml"), "{mistyped:?}");
    assert_eq!(
        spans(),
        [60; 6],
        "no other rules take the place of those that were meant"
    );
    let done = upkeep(&[]);
    assert!(stdout(&done).contains("0 old rows are gone, 5 fewer"), "{done:?}");
    assert_eq!(spans(), [3_600]);

    let rules = folder.path().join("dnscert.toml");
    std::fs::write(&rules, "[[lake.keep]]\ntable = \"traffic\"\ndays = 30\n").unwrap();
    let done = upkeep(&["--config", rules.to_str().unwrap()]);
    assert!(stdout(&done).contains("1 old rows are gone"), "{done:?}");
    assert_eq!(spans(), [0; 0]);
}
