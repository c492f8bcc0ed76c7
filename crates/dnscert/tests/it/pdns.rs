//! `dnscert pdns` as people and programs run it.

use std::path::Path;

use lake::passive::{Passive, Source};
use measure::Rtype;
use model::{PassiveRrset, SeenIn, Timestamp, Tlp};

use crate::centre::{dnscert, stdout};

async fn furnish(lake: &Path) {
    let passive = Passive::open(lake).await.unwrap();
    let source = |id: &str| Source {
        id: id.to_owned(),
        owner: "Registry of example".to_owned(),
        licence: "agreement".to_owned(),
        tlp: Tlp::Green,
        legal_basis: "contract".to_owned(),
    };
    for id in ["sensor", "partner"] {
        passive.set_source(source(id)).await.unwrap();
    }
    let day = |day: i64| Timestamp::from_second(1_790_000_000 + day * 86_400).unwrap();
    let row = |name: &str, rtype, rdata: &[&[u8]], seen_in, days: (i64, i64)| PassiveRrset {
        name: name.parse().unwrap(),
        rtype,
        bailiwick: "shop.example".parse().unwrap(),
        rdata: rdata.iter().map(|octets| octets.to_vec()).collect(),
        seen_in,
        first: day(days.0),
        last: day(days.1),
        count: 7,
    };
    let ns: &[u8] = b"\x03ns1\x03nic\x07example\x00";
    let rows = vec![
        row("shop.example", Rtype::NS, &[ns], SeenIn::ZoneFile, (0, 30)),
        row(
            "www.shop.example",
            Rtype::A,
            &[&[192, 0, 2, 1], &[192, 0, 2, 9]],
            SeenIn::Wire,
            (1, 20),
        ),
        row("old.shop.example", Rtype::A, &[&[192, 0, 2, 1]], SeenIn::Wire, (0, 2)),
    ];
    passive.append("sensor", "1", rows.clone(), day(0)).await.unwrap();
    passive
        .append("partner", "2", rows[1..2].to_vec(), day(0))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_json_say_what_was_seen_and_the_status_whether_anything_was() {
    let folder = tempfile::tempdir().unwrap();
    furnish(folder.path()).await;
    let lake = folder.path().to_str().unwrap();
    let run = |words: &str| {
        let arguments: Vec<&str> = ["pdns", "--lake", lake].into_iter().chain(words.split(' ')).collect();
        let output = dnscert(&arguments);
        (
            output.status.code().unwrap(),
            stdout(&output),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let whole = r#"{"count":14,"time_first":1790086400,"time_last":1791728000,"rrname":"www.shop.example.","rrtype":"A","bailiwick":"shop.example.","rdata":["192.0.2.1","192.0.2.9"],"sources":["partner","sensor"]}"#;
    assert_eq!(run("www.shop.example"), (0, format!("{whole}\n"), String::new()));
    for (words, answers) in [
        ("*.shop.example", 3),
        ("*.shop.example --type A,AAAA", 2),
        ("*.shop.example --bailiwick example", 0),
        ("*.shop.example --source partner", 1),
        ("*.shop.example --after 2026-10-10", 2),
        ("*.shop.example --before 1790000000", 2),
        ("www.*", 1),
        ("192.0.2.1", 2),
        ("192.0.2.0/24 --limit 2", 2),
        ("*.shop.example --limit 0", 3),
        ("192.0.2.9.", 0),
        ("--rdata ns1.nic.example", 1),
        ("--rdata *.example", 1),
        ("--raw c0000209", 1),
    ] {
        let (status, lines, told) = run(words);
        assert_eq!(
            (lines.lines().count(), status),
            (answers, i32::from(answers == 0)),
            "{words}: {lines}{told}"
        );
    }
    assert!(run("192.0.2.0/24 --limit 2").2.contains("--limit 2 was reached"));
    assert!(run("nothing.example").2.contains("Nothing was seen."));
    assert!(
        run("shop.example")
            .1
            .contains(r#""time_first":1790000000,"time_last":1792592000,"zone_time_first":1790000000"#)
    );
    let (_, summary, _) = run("*.shop.example --summarize");
    assert_eq!(
        summary.trim(),
        r#"{"count":28,"num_results":3,"time_first":1790000000,"time_last":1791728000,"zone_time_first":1790000000,"zone_time_last":1792592000}"#
    );
    let (status, explained, _) = run("www.shop.example --explain");
    assert!(
        status == 0 && explained.lines().all(|line| line.starts_with("rrset/level=minute/")),
        "{explained}"
    );
    assert_eq!(explained.lines().count(), 2);
    assert_eq!(run("--type A").0, 2);
    for (words, reason) in [
        ("a..b", "`a..b` is not a domain name"),
        ("--raw c00", "`c00` is not octets in hexadecimal digits"),
        ("300.1.1.1", "`300.1.1.1` is not an address"),
        ("192.0.2.0/33", "`192.0.2.0/33` is not an address prefix"),
        ("192.0.2.9-192.0.2.1", "its end is before its start"),
        (
            "192.0.2.1 --bailiwick shop.example",
            "`--bailiwick shop.example` is for the RRsets of a name",
        ),
    ] {
        let (status, lines, told) = run(words);
        assert_eq!((status, lines.as_str()), (2, ""), "{words}: {told}");
        assert!(
            told.starts_with("dnscert pdns: ") && told.contains(reason),
            "{words}: {told}"
        );
    }
    let nowhere = dnscert(&["pdns", "--lake", "/nowhere", "www.shop.example"]);
    assert_eq!(nowhere.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("opening the passive DNS in `/nowhere`"));
}
