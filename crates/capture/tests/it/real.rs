//! Real captures, where they are at hand: counts beside those of `compactor` and tshark. What differs, and why, stands in
//! `docs/conformance.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use capture::{Discard, Form, Reader, Receipt, Settings};

use crate::packets::Kept;

/// The folder with captures: `DNSCERT_CAPTURES`, or the one beside the repository.
fn folder() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "a test has no configuration")]
    let named = std::env::var("DNSCERT_CAPTURES").ok().map(PathBuf::from);
    let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/captures"));
    let is_there = folder.is_dir();
    if !is_there {
        eprintln!("left out: there are no captures at {}", folder.display());
    }
    is_there.then_some(folder)
}

fn receipt(path: &Path) -> Receipt {
    Reader::new(Settings::default()).read_path(path, &mut Discard).unwrap()
}

/// The figures of `compactor`'s description of a capture, by their label.
fn figures(text: &str) -> BTreeMap<String, u64> {
    text.lines()
        .filter_map(|line| {
            let (label, figure) = line.split_once(':')?;
            let label = label.trim().trim_end_matches("(C-DNS)").trim();
            Some((label.to_owned(), figure.trim().parse().ok()?))
        })
        .collect()
}

#[test]
fn live_traffic_is_counted_as_compactor_counts_it() {
    let Some(folder) = folder() else { return };
    let mut compared = 0;
    for (capture, info) in [
        ("nsd-live.raw.pcap.xz", "nsd-live.info"),
        ("knot-live.raw.pcap.xz", "knot-live.info"),
        ("gold.pcap.xz", "gold.pcap.info"),
    ] {
        let (capture, info) = (
            folder.join("compactor").join(capture),
            folder.join("compactor").join(info),
        );
        if !capture.is_file() || !info.is_file() {
            continue;
        }
        let expected = figures(&std::fs::read_to_string(info).unwrap());
        let ours = receipt(&capture);
        let name = capture.display();
        let same = |label: &str, figure: u64| assert_eq!(expected.get(label), Some(&figure), "{name}: {label}");
        same("Total Packets received", ours.packets);
        same("Processed DNS messages", ours.dns_messages);
        same("Matched DNS query/response pairs", ours.pairs);
        same("Unmatched DNS queries", ours.unmatched_queries);
        same("Unmatched DNS responses", ours.unmatched_responses);
        same("Malformed DNS messages", ours.malformed_total());
        same("Non-DNS packets", ours.non_dns);
        same("Out-of-order DNS query/responses", ours.out_of_order);
        compared += 1;
    }
    assert!(compared > 0, "the folder has none of the captures that are compared");
}

/// Captures in which we find another number of messages than tshark, with ours and its. `docs/conformance.md` has the reasons.
const OTHERWISE: &[(&str, u64, u64)] = &[
    ("dnscap/dnso1tcp-bighole.pcap", 77, 41),
    ("dnscap/do1t-nosyn-1nolen.pcap", 4, 2),
    ("suricata-verify/dns__dns-incomplete__input.pcap", 0, 4),
];

#[test]
fn every_capture_has_as_many_messages_as_tshark_finds() {
    let Some(folder) = folder() else { return };
    if Command::new("tshark").arg("--version").output().is_err() {
        eprintln!("left out: tshark is not installed");
        return;
    }
    let unpacked = tempfile::tempdir().unwrap();
    let mut compared = 0;
    for publisher in std::fs::read_dir(&folder).unwrap() {
        for capture in std::fs::read_dir(publisher.unwrap().path()).unwrap() {
            let path = capture.unwrap().path();
            let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
            if !name.contains(".pcap") || name.ends_with(".info") {
                continue;
            }
            let ours = receipt(&path);
            let theirs = tshark(&path, unpacked.path());
            let found = ours.dns_messages + ours.malformed_total();
            let expected = OTHERWISE.iter().find(|(known, _, _)| *known == name);
            match expected {
                Some((_, our_count, their_count)) => assert_eq!((found, theirs), (*our_count, *their_count), "{name}"),
                None => assert_eq!(found, theirs, "{name}: {ours:?}"),
            }
            compared += 1;
        }
    }
    assert!(compared > 50, "only {compared} captures were compared");
}

/// Number of DNS messages that tshark sees, those quoted in ICMP not counted.
fn tshark(path: &Path, unpacked: &Path) -> u64 {
    let mut file = path.to_owned();
    if path.extension().is_some_and(|ending| ending == "xz") {
        // tshark reads gzip and Zstandard, and not xz
        file = unpacked.join("capture");
        let mut plain = std::fs::File::create(&file).unwrap();
        let mut packed = liblzma::read::XzDecoder::new_multi_decoder(std::fs::File::open(path).unwrap());
        std::io::copy(&mut packed, &mut plain).unwrap();
    }
    let output = Command::new("tshark")
        .args(["-n", "-r"])
        .arg(&file)
        .args([
            "-Y",
            "dns && !icmp && !icmpv6",
            "-T",
            "fields",
            "-E",
            "occurrence=a",
            "-e",
            "dns.id",
        ])
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| line.split(',').count() as u64)
        .sum()
}

#[test]
fn recorded_dnstap_has_the_messages_that_its_publishers_list() {
    let Some(folder) = folder() else { return };
    // queries, responses, responses that belong to a query
    for (name, expected) in [
        ("compactor/test.dnstap", (5, 4, 4)),
        ("dsc/test.dnstap", (1, 1, 1)),
        ("dsc/dotdoh.dnstap", (4, 3, 3)),
        ("dns-collector/dnstap.fstrm", (1, 1, 1)),
    ] {
        let path = folder.join(name);
        if path.is_file() {
            let ours = receipt(&path);
            assert_eq!(
                (ours.queries, ours.responses, ours.pairs + ours.vouched),
                expected,
                "{name}: {ours:?}"
            );
        }
    }
}

#[test]
fn the_same_traffic_gives_the_same_as_packets_and_in_all_versions_of_c_dns() {
    let Some(folder) = folder() else { return };
    let read = |name: &str| {
        let mut kept = Kept::default();
        let receipt = Reader::new(Settings::default())
            .read_path(&folder.join("compactor").join(name), &mut kept)
            .unwrap();
        assert_eq!(receipt.fault, None, "{name}");
        kept.cells.sort_by_key(|cell| (cell.minute, cell.key.clone()));
        // the clock of one pair was shifted when the drafts' files were made
        kept.cells.iter_mut().for_each(|cell| cell.counts.delay_us = 0);
        (receipt, kept)
    };
    let (packets, as_packets) = read("gold.pcap.xz");
    assert_eq!(packets.pairs, 999);
    for name in ["gold.cbor.xz", "gold.cbor05.xz", "gold.cbor02.xz"] {
        let (receipt, kept) = read(name);
        assert_eq!(receipt.form, Form::CDns);
        assert_eq!((receipt.dns_messages, receipt.pairs), (1_998, 999), "{name}");
        assert_eq!(
            (receipt.rrsets, receipt.out_of_bailiwick),
            (packets.rrsets, packets.out_of_bailiwick)
        );
        assert_eq!(
            (receipt.not_kept, receipt.unreadable_rrsets),
            (packets.not_kept, packets.unreadable_rrsets)
        );
        assert_eq!(kept.lines(), as_packets.lines(), "{name}");
        assert_eq!(kept.evidence_lines(), as_packets.evidence_lines(), "{name}");
        assert_eq!(kept.cells, as_packets.cells, "{name}");
    }
}

#[test]
fn recorded_attempts_at_poisoning_are_seen_as_such() {
    let Some(folder) = folder() else { return };
    let folder = folder.join("../attacks/poisoning");
    if !folder.is_dir() {
        eprintln!("left out: there are no recorded attacks at {}", folder.display());
        return;
    }
    // 65,536 forged responses to one port, none to the one that asked; each of a thousand others comes from nowhere as well
    let flood = receipt(&folder.join("txid_guessing.7623.pcap.xz"));
    assert_eq!(
        (flood.queries, flood.wrong_port, flood.no_query, flood.pairs),
        (2, 65_536, 1_000, 0)
    );
    let mut kept = Kept::default();
    Reader::new(Settings::default())
        .read_path(&folder.join("out_of_bailiwick.pcap"), &mut kept)
        .unwrap();
    assert_eq!(kept.evidence_lines(), ["ns.abc.com A Outside 6.6.6.6"]);
    assert!(kept.rrsets.is_empty());
}
