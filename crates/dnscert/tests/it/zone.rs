//! `dnscert zone` as people and programs run it.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::centre::{dnscert, stdout};

const APEX: &str = "$TTL 3600\n@ SOA ns1 host 7 14400 3600 1209600 300\n@ NS ns1\nns1 A 192.0.2.53\n";

/// A zone `example` with thirty delegations.
pub fn zone() -> String {
    let delegation = |at: u32| format!("child{at} NS ns.child{at}\nns.child{at} A 192.0.2.{at}\n");
    (1..=30)
        .map(delegation)
        .fold(APEX.to_owned(), |text, lines| text + &lines)
}

pub struct Folder(pub tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Compares a text with another.
    fn diff(&self, before: &str, after: &str, options: &[&str]) -> Output {
        let (before, after) = (self.file("before", before), self.file("after", after));
        diff(&before, &after, &[&["--origin", "example"], options].concat())
    }
}

pub fn diff(before: &Path, after: &Path, options: &[&str]) -> Output {
    let files = [before, after].map(|path| path.to_str().unwrap());
    dnscert(&[&["zone", "diff"], &files[..], options].concat())
}

pub fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The lines that say what differs.
pub fn lines(output: &Output) -> Vec<String> {
    let lines = stdout(output);
    lines
        .lines()
        .filter(|line| !line.starts_with(';'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn order_case_and_way_of_writing_are_no_difference() {
    let folder = Folder::new();
    let before = "$ORIGIN example.\n@ 60 IN SOA ns1 host 1 2 3 4 5\n@ 60 NS ns1\n@ 60 NS ns2\nns1 60 A 192.0.2.1\na 60 TXT \"x\"\n";
    let after = "NS1.Example. 60 IN A 192.0.2.1\nA.example. 60 TXT x ; the same\nexample. 60 NS NS2.EXAMPLE.\nexample. 60 IN NS ns1.example.\n\
                 example. 60 SOA ns1.example. host.example. (\n 1 2 3\n 4 5 )\n";
    let output = folder.diff(before, after, &[]);
    assert_eq!((status(&output), lines(&output)), (0, vec![]), "{}", errors(&output));
}

#[test]
fn delegations_come_first_and_ttl_and_serial_are_told_apart_from_data() {
    let folder = Folder::new();
    let after = zone()
        .replace("host 7 ", "host 8 ")
        .replace(
            "child3 NS ns.child3\n",
            "child3 NS ns.elsewhere.test.\nchild3 DS 1 8 2 00\n",
        )
        .replace("ns.child4 A 192.0.2.4\n", "ns.child4 A 192.0.2.44\n")
        .replace("child5 NS", "child5 60 NS")
        + "a TXT new\n";
    let output = folder.diff(&zone(), &after, &[]);
    assert_eq!(status(&output), 1, "{}", errors(&output));
    let expected = [
        "- child3.example. 3600 NS ns.child3.example.",
        "+ child3.example. 3600 NS ns.elsewhere.test.",
        "+ child3.example. 3600 DS 1 8 2 00",
        "- ns.child4.example. 3600 A 192.0.2.4",
        "+ ns.child4.example. 3600 A 192.0.2.44",
        "~ child5.example. NS TTL 3600 to 60",
        "- example. 3600 SOA ns1.example. host.example. 7 14400 3600 1209600 300",
        "+ example. 3600 SOA ns1.example. host.example. 8 14400 3600 1209600 300",
        "+ a.example. 3600 TXT \"new\"",
    ];
    assert_eq!(lines(&output), expected);
    assert!(
        stdout(&output).contains("6 RRsets differ: ns 2, ds 1, glue 1, data 2; added 2, changed 2, ttl 1, serial 1")
    );

    let json = folder.diff(&zone(), &after, &["--json"]);
    let json: Vec<serde_json::Value> = stdout(&json)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(json[0]["zone"], "example");
    assert_eq!(
        (&json[0]["serials"], &json[0]["after"]["serial"]),
        (&"newer".into(), &8.into())
    );
    assert_eq!(json[0]["before"]["names"], 62);
    let glue = json.iter().find(|line| line["part"] == "glue").unwrap();
    assert_eq!(
        *glue,
        serde_json::json!({
            "name": "ns.child4.example", "type": "A", "part": "glue", "delegation": "child4.example", "change": "changed",
            "removed": ["192.0.2.4"], "added": ["192.0.2.44"], "ttl_before": 3600, "ttl_after": 3600,
        })
    );
    assert_eq!(json.len(), 7);

    let output = folder.diff(&zone(), &zone().replace("host 7 ", "host 8 "), &["--without-signing"]);
    assert_eq!(status(&output), 0);
}

#[test]
fn serials_are_compared_on_their_circle() {
    let folder = Folder::new();
    let with = |serial: &str| zone().replace("host 7 ", &format!("host {serial} "));
    for (before, after, expected) in [
        ("4294967295", "3", 1),
        ("3", "4294967295", 3),
        ("0", "2147483647", 1),
        ("0", "2147483648", 3),
        ("2147483648", "0", 3),
        ("7", "7", 0),
    ] {
        let output = folder.diff(&with(before), &with(after), &[]);
        assert_eq!(status(&output), expected, "{before} to {after}: {}", errors(&output));
    }
}

#[test]
fn a_zone_that_changed_under_a_serial_that_is_not_newer_is_refused_with_both_serials() {
    let folder = Folder::new();
    let lake = folder.0.path().join("lake");
    let lake = lake.to_str().unwrap();
    let halfway = "its serial 2147483655 is neither newer nor older than 7 (RFC 1982 §3.2)";
    for (after, expected, said) in [
        (zone(), 0, ""),
        (
            zone() + "child3 RRSIG NS 8 2 3600 20270101000000 20261201000000 1 example. AAAA\n",
            0,
            "",
        ),
        (
            zone() + "more A 192.0.2.1\n",
            3,
            "its serial 7 is not newer than 7, and its records differ (RFC 1982)",
        ),
        (
            zone().replace("child5 NS", "child5 60 NS"),
            3,
            "its serial 7 is not newer than 7",
        ),
        (zone().replace("host 7 ", "host 2147483655 "), 3, halfway),
        (
            zone().replace("host 7 ", "host 6 "),
            3,
            "its serial 6 is older than 7 (RFC 1982)",
        ),
        (zone().replace("host 7 ", "host 8 ") + "more A 192.0.2.1\n", 0, ""),
    ] {
        let (before, after) = (folder.file("before", &zone()), folder.file("after", &after));
        let imported = |options: &[&str]| {
            let own = [
                "zone",
                "import",
                after.to_str().unwrap(),
                "--origin",
                "example",
                "--lake",
                lake,
                "--since",
                before.to_str().unwrap(),
            ];
            dnscert(&[&own[..], options].concat())
        };
        let output = imported(&[]);
        assert_eq!(status(&output), expected, "{said}: {}", errors(&output));
        assert!(errors(&output).contains(said), "{said}: {}", errors(&output));
        assert_eq!(status(&imported(&["--force"])), 0, "{said}");
        let options = ["--origin", "example", "--without-signing"];
        let output = diff(&before, &after, &options);
        assert_eq!(status(&output) == 3, expected == 3, "{said}: {}", errors(&output));
        assert!(errors(&output).contains(said), "{said}: {}", errors(&output));
    }
    let forced = folder.diff(&zone(), &(zone() + "more A 192.0.2.1\n"), &["--force"]);
    assert_eq!(status(&forced), 1);
    assert!(stdout(&forced).contains("the serial is the same"));
}

#[test]
fn a_doubtful_file_is_refused_with_the_reason_unless_forced() {
    let folder = Folder::new();
    let cut_within_record = zone().split_at(zone().len() - 9).0.to_owned();
    let last_ten_gone: String = zone().lines().take(4 + 49).map(|line| format!("{line}\n")).collect();
    for (after, reason) in [
        (String::new(), "it is empty"),
        (cut_within_record, "its last line is not ended"),
        (zone() + "child99 3600 IN\n", "line 65:"),
        (zone().replace("@ SOA", "; @ SOA"), "it has no SOA record"),
        (
            zone().replace("@ NS", "; @ NS"),
            "the zone `example` has no NS records at its apex",
        ),
        (last_ten_gone, "11 of 62 names are gone, more than 2 %"),
        (zone().replace("host 7 ", "host 6 "), "its serial 6 is older than 7"),
        (
            zone() + "$INCLUDE other.zone\n",
            "`$INCLUDE other.zone` is not followed",
        ),
        (
            zone() + "@ SOA ns1 host 9 14400 3600 1209600 300\n",
            "it has several SOA records that differ",
        ),
    ] {
        let output = folder.diff(&zone(), &after, &[]);
        assert_eq!(status(&output), 3, "{reason}");
        assert!(errors(&output).contains(reason), "{reason}: {}", errors(&output));
        assert!(errors(&output).contains(&format!("`{}`", folder.0.path().join("after").display())));
        assert_eq!(stdout(&output), "", "{reason}");
        assert_ne!(status(&folder.diff(&zone(), &after, &["--force"])), 3, "{reason}");
    }
    let fewer = zone().replace("host 7 ", "host 8 ");
    let fewer: String = fewer.lines().take(4 + 49).map(|line| format!("{line}\n")).collect();
    assert_eq!(status(&folder.diff(&zone(), &fewer, &["--max-gone", "20"])), 1);
    let missing = dnscert(&["zone", "diff", "/nowhere/before", "/nowhere/after"]);
    assert_eq!(status(&missing), 3);
    assert!(errors(&missing).contains("opening the zone file `/nowhere/before`"));
    assert_eq!(status(&dnscert(&["zone", "diff"])), 2);
    let other = folder.file(
        "other",
        &zone().replace("@ ", "other. ").replace("child", "child.other."),
    );
    let output = diff(&folder.file("before", &zone()), &other, &["--origin", "example"]);
    assert!(
        errors(&output).contains("one file is of the zone `example`, the other of `other`"),
        "{}",
        errors(&output)
    );
}

/// The simple zone of RFC 8976, appendix A.1.
const DIGESTED: &str = "example. 86400 IN SOA ns1 admin 2018031900 1800 900 604800 86400\n\
    86400 IN NS ns1\n 86400 IN NS ns2\n\
    86400 IN ZONEMD 2018031900 1 1 c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c\n\
    ns1 3600 IN A 203.0.113.63\nns2 3600 IN AAAA 2001:db8::63\n";

#[test]
fn zonemd_is_verified_and_told() {
    let folder = Folder::new();
    let text = DIGESTED.replace("\n86400", "\n 86400");
    let told = |output: &Output| {
        let lines = stdout(output);
        let after = lines.lines().find(|line| line.starts_with("; after"));
        let mut words = after.unwrap_or_default().split("  ");
        words
            .find(|word| word.starts_with("ZONEMD"))
            .unwrap_or_default()
            .to_owned()
    };
    let output = folder.diff(&text, &text, &[]);
    assert_eq!(
        (status(&output), told(&output).as_str()),
        (0, "ZONEMD agrees"),
        "{}",
        stdout(&output)
    );
    let output = folder.diff(&text, &text.replace("203.0.113.63", "203.0.113.64"), &[]);
    assert_eq!(status(&output), 3);
    assert!(errors(&output).contains("its digest (ZONEMD) does not agree"));
    let next = text.replace("admin 2018031900", "admin 2018031901");
    let unknown = next.replace("2018031900 1 1", "2018031900 1 240");
    let output = folder.diff(&text, &unknown, &[]);
    assert_eq!(
        (status(&output), told(&output).as_str()),
        (1, "ZONEMD unknown"),
        "{}",
        errors(&output)
    );
    // NSEC that nothing signs: the signatures were taken out, so the digest cannot agree
    let stripped = text.clone() + "ns1 NSEC ns2 A NSEC RRSIG\n";
    let output = folder.diff(&stripped, &stripped, &[]);
    assert_eq!(
        (status(&output), told(&output).as_str()),
        (0, "ZONEMD stripped"),
        "{}",
        errors(&output)
    );
    let gone = "before had a digest (ZONEMD) and after has none";
    let without: String = next
        .lines()
        .filter(|line| !line.contains("ZONEMD"))
        .map(|line| format!("{line}\n"))
        .collect();
    let output = folder.diff(&text, &without, &[]);
    assert_eq!(
        (status(&output), told(&output).as_str()),
        (1, "ZONEMD none"),
        "{}",
        errors(&output)
    );
    assert!(stdout(&output).contains(gone), "{}", stdout(&output));
    assert!(!stdout(&folder.diff(&without, &without, &[])).contains(gone));
}

#[test]
fn a_zonemd_of_another_serial_or_twice_is_refused_and_another_that_agrees_is_enough() {
    let folder = Folder::new();
    let text = DIGESTED.replace("\n86400", "\n 86400");
    let zonemd = |serial: u32, algorithm: u8, octets: usize| {
        format!("@ 86400 IN ZONEMD {serial} 1 {algorithm} {}\n", "ab".repeat(octets))
    };
    let other_serial = "its digest (ZONEMD) is of serial 2018031899, its SOA has 2018031900";
    let several = "it has several digests (ZONEMD) of hash algorithm 1";
    for (after, reason, word) in [
        (
            text.replace("ZONEMD 2018031900", "ZONEMD 2018031899"),
            other_serial,
            "other-serial",
        ),
        (text.clone() + &zonemd(2_018_031_900, 1, 48), several, "twice"),
        (text.clone() + &zonemd(2_018_031_899, 1, 48), several, "twice"),
        (text.clone() + &zonemd(2_018_031_900, 2, 64), "", "agrees"),
        (text.clone() + &zonemd(2_018_031_899, 2, 64), "", "agrees"),
        (
            text.clone() + &zonemd(2_018_031_900, 1, 12).replace(" 1 1 ", " 2 1 "),
            "",
            "agrees",
        ),
    ] {
        let output = folder.diff(&after, &after, &["--json"]);
        let told: serde_json::Value = serde_json::from_str(stdout(&output).lines().next().unwrap()).unwrap();
        let expected = if reason.is_empty() { 0 } else { 3 };
        assert_eq!(
            (status(&output), &told["after"]["zonemd"]),
            (expected, &word.into()),
            "{}",
            errors(&output)
        );
        assert!(errors(&output).contains(reason), "{reason}: {}", errors(&output));

        let (file, lake) = (folder.file("zone", &after), folder.0.path().join("lake"));
        let files = [file.to_str().unwrap(), "--lake", lake.to_str().unwrap()];
        let output = dnscert(&[&["zone", "import", "--origin", "example"], &files[..]].concat());
        assert_eq!(status(&output), expected, "{reason}: {}", errors(&output));
        assert!(errors(&output).contains(reason), "{reason}: {}", errors(&output));
    }
}

#[test]
fn the_answer_does_not_depend_on_the_memory_for_it() {
    let folder = Folder::new();
    let names = |count: u32, address: u32| -> String {
        let lines = (0..count).map(|at| {
            format!(
                "a-rather-long-name-{at} NS ns{at}.elsewhere.test.\nns-{at} A 192.0.{}.{address}\n",
                at % 250
            )
        });
        lines.fold(APEX.to_owned(), |text, lines| text + &lines)
    };
    let (before, after) = (names(20_000, 1), names(20_000, 2).replace("host 7 ", "host 8 "));
    let (small, large) = (
        folder.diff(&before, &after, &["--json", "--memory", "1"]),
        folder.diff(&before, &after, &["--json"]),
    );
    assert_eq!(status(&small), 1);
    assert_eq!(stdout(&small).lines().count(), 1 + 20_000 + 1);
    assert_eq!(stdout(&small), stdout(&large));
}

/// Zone files from the Internet, where they are at hand (`DNSCERT_ZONES`, or beside the repository).
fn real_zones() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/zones");
    let folder = std::env::var_os("DNSCERT_ZONES").map_or(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

#[test]
fn the_root_zone_differs_as_its_history_says_and_a_cut_download_is_refused() {
    let Some(zones) = real_zones() else {
        eprintln!("no zone files from the Internet: left out");
        return;
    };
    let cut = zones.join("root-2020-truncated");
    let mut downloads: Vec<PathBuf> = std::fs::read_dir(cut)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    downloads.sort();
    let output = diff(&downloads[0], &downloads[1], &[]);
    assert_eq!(status(&output), 3);
    for reason in ["line 16411", "names are gone, more than 2 %"] {
        assert!(errors(&output).contains(reason), "{}", errors(&output));
    }

    let series = zones.join("root-series");
    let events = std::fs::read_to_string(series.join("events-2023-11_2025-02.tsv")).unwrap();
    for (before, after) in [
        ("2024011101", "2024011102"),
        ("2024022800", "2024022801"),
        ("2024090601", "2024090602"),
    ] {
        let file = |serial: &str| series.join(format!("root.zone.{serial}.norrsig.xz"));
        let output = diff(&file(before), &file(after), &["--json", "--without-signing"]);
        assert_eq!(status(&output), 1, "{}", errors(&output));
        let changed = |part: &'static str| -> Vec<String> {
            let lines = stdout(&output);
            let lines = lines
                .lines()
                .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
            lines
                .filter(|line| line["part"] == part)
                .map(|line| format!("{}.", line["delegation"].as_str().unwrap()))
                .collect()
        };
        let expected = |kind: &str| -> Vec<String> {
            let rows = events.lines().map(|line| line.split('\t').collect::<Vec<_>>());
            let rows = rows.filter(|row| row[1] == before && row[2] == after && row[3].starts_with(kind));
            let mut owners: Vec<String> = rows.map(|row| row[4].to_owned()).collect();
            owners.sort();
            owners.dedup();
            owners
        };
        for (part, kind) in [("ns", "NS_"), ("ds", "DS_")] {
            assert_eq!(changed(part), expected(kind), "{part} from {before} to {after}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_zone_delegates_is_kept_once_with_its_times_and_changes() {
    let folder = Folder::new();
    let lake = folder.0.path().join("lake");
    let lake = lake.to_str().unwrap();
    let later = zone()
        .replace("host 7 ", "host 8 ")
        .replace(
            "child3 NS ns.child3\n",
            "child3 NS ns.elsewhere.test.\nchild3 DS 1 8 2 00\n",
        )
        .replace(
            "ns.child4 A 192.0.2.4\n",
            "ns.child4 A 192.0.2.44\nns.child4 AAAA 2001:db8::4\n",
        );
    let (before, after) = (folder.file("monday", &zone()), folder.file("tuesday", &later));
    let (before, after) = (before.to_str().unwrap(), after.to_str().unwrap());
    let import = |file: &str, options: &[&str]| {
        let own = [
            "zone", "import", file, "--origin", "example", "--lake", lake, "--source", "registry",
        ];
        dnscert(&[&own[..], options].concat())
    };
    let monday = import(before, &["--time", "2026-11-23T00:00:00Z"]);
    assert_eq!(status(&monday), 0, "{}", errors(&monday));
    let said = "zone example 7, seen 2026-11-23T00:00:00Z: 61 RRsets of delegations are kept\n";
    assert_eq!(stdout(&monday), said);
    let tuesday = ["--time", "2026-11-24T00:00:00Z", "--since", before];
    assert!(stdout(&import(after, &tuesday)).ends_with("63 RRsets of delegations are kept, and 3 changes\n"));
    assert!(stdout(&import(after, &tuesday)).ends_with("was kept before\n"));

    let seen = |words: &[&str]| stdout(&dnscert(&[&["pdns", "--lake", lake], words].concat()));
    let stays: serde_json::Value = serde_json::from_str(&seen(&["child5.example", "--json"])).unwrap();
    let times = (&stays["zone_time_first"], &stays["zone_time_last"], &stays["count"]);
    assert_eq!(times, (&1_795_392_000.into(), &1_795_478_400.into(), &2.into()));
    assert_eq!(
        (&stays["rdata"][0], &stays["bailiwick"]),
        (&"ns.child5.example.".into(), &"example.".into())
    );
    assert_eq!(seen(&["child3.example", "--type", "NS"]).lines().count(), 2);
    assert_eq!(seen(&["--rdata", "ns.elsewhere.test"]).lines().count(), 1);

    let lake = lake::Lake::open(Path::new(lake)).await.unwrap();
    let changes = lake
        .zone_changes(None, model::Timestamp::MIN, model::Timestamp::MAX)
        .await
        .unwrap();
    let told: Vec<String> = changes
        .iter()
        .map(|change| {
            format!(
                "{} {} {:?} {:?}",
                change.zone,
                change.part.as_str(),
                change.before,
                change.after
            )
        })
        .collect();
    let expected = [
        r#"child3.example ns ["ns.child3.example"] ["ns.elsewhere.test"]"#,
        r#"child3.example ds [] ["1,8,2,00"]"#,
        r#"child4.example glue ["ns.child4.example/192.0.2.4"] ["ns.child4.example/192.0.2.44", "ns.child4.example/2001:db8::4"]"#,
    ];
    assert_eq!(told, expected);

    let empty = folder.file("empty", "");
    let refused = import(empty.to_str().unwrap(), &["--since", after]);
    assert_eq!(status(&refused), 3);
    assert!(errors(&refused).contains("it is empty"));
}
