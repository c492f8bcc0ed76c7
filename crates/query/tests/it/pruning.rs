//! What a question does not need is not read: files by what the log says, pages by the statistics in the files.

use domain::base::iana::Rtype;
use lake::passive::Passive;
use model::Tlp;
use query::{Engine, Limits};

use crate::story::{at, furnished, rows, seen, source, table};

async fn plan(engine: &Engine, sql: &str) -> String {
    table(engine, &format!("EXPLAIN {sql}")).await
}

/// How many files the plan reads.
fn files(plan: &str) -> usize {
    plan.matches(".parquet").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_other_days_and_zones_are_not_opened() {
    let (_folder, engine) = furnished().await;
    let all = files(&plan(&engine, "SELECT count(rtt_us) FROM sample").await);
    // three days, of which the middle one came in two flushes
    assert_eq!(all, 4);
    for (condition, expected) in [
        ("time < '2026-11-24'", 1),
        ("time >= '2026-11-24' AND time < '2026-11-25'", 2),
        ("time >= timestamp '2026-11-25 00:00:00'", 1),
        ("time > now()", 0),
        ("time < now()", 4),
        ("zone = 'a.example'", 0),
        ("zone = 'shop.example'", 4),
        ("zone > 'z'", 0),
    ] {
        let plan = plan(&engine, &format!("SELECT count(rtt_us) FROM sample WHERE {condition}")).await;
        assert_eq!(files(&plan), expected, "{condition}\n{plan}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_on_names_become_ranges_of_the_files() {
    let (_folder, engine) = furnished().await;
    for (sql, expected) in [
        (
            "SELECT * FROM rrset WHERE in_zone(owner, 'shop.example')",
            "owner@0 >= example.shop. AND owner@0 < example.shop/",
        ),
        (
            "SELECT * FROM rrset WHERE owner = 'www.shop.example'",
            "owner@0 = example.shop.www.",
        ),
        (
            "SELECT * FROM rrset WHERE 'www.shop.example' = owner AND rtype = 'A'",
            "rtype@1 = 1",
        ),
        (
            "SELECT * FROM rrset WHERE owner IN ('a.example', 'b.example')",
            "owner@0 = example.a. OR owner@0 = example.b.",
        ),
        (
            "SELECT * FROM rdata WHERE address = '192.0.2.80'",
            "value@0 = 34C0000250",
        ),
        (
            "SELECT * FROM rdata WHERE in_prefix(address, '192.0.2.0/24')",
            "value@0 >= 34C0000200",
        ),
        (
            "SELECT * FROM rdata WHERE in_zone(target, 'nic.example')",
            "value@0 >= 6E6578",
        ),
        (
            "SELECT * FROM name WHERE name = 'shop.example'",
            "name@0 = shop.example.",
        ),
        (
            "SELECT * FROM evidence WHERE in_zone(owner, 'bank.example')",
            "owner@0 >= example.bank. AND owner@0 < example.bank/",
        ),
    ] {
        let plan = plan(&engine, sql).await;
        assert!(
            plan.contains("pruning_predicate") && plan.contains(expected),
            "{sql}\n{plan}"
        );
    }
    // for these the two would not be the same
    for sql in [
        "SELECT * FROM rrset WHERE owner = 'WWW.shop.example.'",
        "SELECT * FROM rrset WHERE owner < 'www.shop.example'",
        "SELECT * FROM rdata WHERE NOT in_zone(target, 'nic.example')",
        "SELECT * FROM rdata WHERE target <> 'ns1.nic.example'",
    ] {
        let plan = plan(&engine, sql).await;
        assert!(!plan.contains("pruning_predicate"), "{sql}\n{plan}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_take_the_same_rows_as_ranges_and_without() {
    let (_folder, engine) = furnished().await;
    for (view, condition) in [
        ("rrset", "in_zone(owner, 'shop.example')"),
        ("rrset", "in_zone(owner, '.')"),
        (
            "rrset",
            "owner = 'www.shop.example' OR owner = 'shop.example' AND rtype = 'TXT'",
        ),
        ("rrset", "owner = 'WWW.shop.example'"),
        ("rrset", "NOT in_zone(owner, 'shop.example')"),
        ("rrset", "rtype IN ('A', 'AAAA') AND owner <> 'www.shop.example'"),
        ("rdata", "in_prefix(address, '192.0.2.0/24')"),
        ("rdata", "in_prefix(address, '2001:db8::/32') OR address = '192.0.2.7'"),
        ("rdata", "NOT in_prefix(address, '192.0.2.0/24')"),
        ("rdata", "in_zone(target, 'nic.example')"),
        ("rdata", "NOT in_zone(target, 'nic.example')"),
        ("rdata", "target = 'ns1.nic.example'"),
        (
            "rdata",
            "NOT (target = 'ns1.nic.example' OR target = 'ns2.nic.example')",
        ),
        ("rdata", "target IN ('ns1.nic.example', 'mx.nic.example')"),
        ("rdata", "target NOT IN ('ns1.nic.example', 'mx.nic.example')"),
        ("name", "name = 'www.shop.example' OR in_zone(name, 'nic.example')"),
        (
            "evidence",
            "zone = 'evil.example' AND in_zone(question, 'evil.example')",
        ),
    ] {
        // nothing that a rule could see through
        let opaque = ["owner", "target", "address", "name", "zone", "question", "rtype"]
            .iter()
            .fold(format!(" {condition}"), |text, column| {
                let (column, hidden) = (*column, format!("concat({column}, '')"));
                text.replace(&format!("({column},"), &format!("({hidden},"))
                    .replace(&format!(" {column} "), &format!(" {hidden} "))
                    .replace(&format!("({column} "), &format!("({hidden} "))
            });
        // concat makes an empty text of null
        let opaque = opaque.replace(
            "concat(target, '')",
            "CASE WHEN target IS NULL THEN NULL ELSE concat(target, '') END",
        );
        let opaque = opaque.replace(
            "concat(address, '')",
            "CASE WHEN address IS NULL THEN NULL ELSE concat(address, '') END",
        );
        let ask = async |condition: &str| {
            let found = rows(&engine, &format!("SELECT * FROM {view} WHERE {condition}")).await;
            let mut lines: Vec<String> = found.iter().map(ToString::to_string).collect();
            lines.sort();
            lines
        };
        assert_eq!(
            ask(condition).await,
            ask(&opaque).await,
            "{view}: {condition}\n{opaque}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_without_the_name_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let passive = Passive::open(folder.path()).await.unwrap();
    passive
        .set_source(source("sensor", "Operator", Tlp::Clear))
        .await
        .unwrap();
    let names = 0..20_000;
    let rrsets = names.map(|number| {
        let owner = format!("h{number:05}.shop.example");
        seen(&owner, "shop.example", Rtype::A, &[vec![192, 0, 2, 1]], (1, 2), 1)
    });
    assert!(passive.append("sensor", "many", rrsets.collect(), at(3)).await.unwrap());
    let engine = Engine::open(folder.path(), Limits::default()).await.unwrap();
    let sql = "SELECT owner, rdata FROM rrset WHERE in_zone(owner, 'h12345.shop.example')";
    assert_eq!(rows(&engine, sql).await.len(), 1);
    let plan = table(&engine, &format!("EXPLAIN ANALYZE {sql}")).await;
    // pages have 512 rows
    assert!(plan.contains("page_index_pages_pruned=40 total → 1 matched"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_added_up_in_the_order_of_the_files() {
    let (_folder, engine) = furnished().await;
    for view in ["rrset", "rdata", "name"] {
        let plan = plan(&engine, &format!("SELECT * FROM {view}")).await;
        assert!(
            plan.contains("ordering_mode=Sorted") && !plan.contains("SortExec"),
            "{view}\n{plan}"
        );
    }
}
