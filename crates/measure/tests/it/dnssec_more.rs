//! Proofs of absence, keys, and what a zone asks of its parent, on really signed zones.

use lab::{Change, Fault, Lab, World};
use measure::{CheckPlan, Internet, Settings, check};
use model::{Ds, Timestamp};

use crate::case_in_lab::{change, name, noon, pocket, said, spoil, spoil_type};

const NOTHING: [&str; 0] = [];
const GOOD: &str = "ns_list=ns1.good.test/127.10.3.1;ns2.good.test/127.10.3.2";
const ONE: &str = "ns_list=ns2.good.test/127.10.3.2";

#[tokio::test]
async fn a_whole_zone_proves_absence_in_its_one_way() {
    let lab = pocket().await;
    assert_eq!(
        said(&lab, "good.test", "dnssec10").await,
        [format!("DS10_HAS_NSEC3 {GOOD}")]
    );
    assert_eq!(
        said(&lab, "shop.example", "dnssec10").await,
        [format!("DS10_HAS_NSEC {GOOD}")]
    );
    assert_eq!(
        said(&lab, "shop.example", "dnssec03").await,
        [format!("DS03_NO_NSEC3 {GOOD}")]
    );
    let settings = said(&lab, "good.test", "dnssec03").await;
    for tag in [
        "DS03_LEGAL_EMPTY_SALT",
        "DS03_LEGAL_HASH_ALGO",
        "DS03_LEGAL_ITERATION_VALUE",
    ] {
        assert!(settings.contains(&format!("{tag} {GOOD}")), "{settings:?}");
    }
}

#[tokio::test]
async fn proofs_with_wrong_or_old_signatures_are_named() {
    let lab = pocket().await;
    spoil(&lab, "127.10.3.2", Fault::WrongSignatures);
    let wrong = said(&lab, "good.test", "dnssec10").await;
    for tag in ["DS10_NSEC3_NO_VERIFIED_SIGNATURE", "DS10_NSEC3_RRSIG_VERIFY_ERROR"] {
        assert!(wrong.contains(&format!("{tag} {ONE}")), "{wrong:?}");
    }
    let other = pocket().await;
    change(
        &other,
        Change::ExpireSignatures {
            zone: "shop.example".to_owned(),
        },
    );
    let old = said(&other, "shop.example", "dnssec10").await;
    for tag in ["DS10_NSEC_NO_VERIFIED_SIGNATURE", "DS10_NSEC_RRSIG_EXPIRED"] {
        assert!(old.contains(&format!("{tag} {GOOD}")), "{old:?}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_questions_for_nsec_is_named() {
    let lab = pocket().await;
    spoil_type(&lab, "127.10.3.2", Fault::Refused, "NSEC");
    let tenth = said(&lab, "good.test", "dnssec10").await;
    assert!(
        tenth.contains(&format!("DS10_NSEC_QUERY_RESPONSE_ERR {ONE}")),
        "{tenth:?}"
    );
    assert!(tenth.contains(&format!("DS10_INCONSISTENT_NSEC3 {ONE}")), "{tenth:?}");
    let third = said(&lab, "good.test", "dnssec03").await;
    assert!(
        third.contains(&format!("DS03_ERROR_RESPONSE_NSEC_QUERY {ONE}")),
        "{third:?}"
    );
}

#[tokio::test]
async fn good_keys_give_no_complaint() {
    let lab = pocket().await;
    let fifth = said(&lab, "good.test", "dnssec05").await;
    assert_eq!(
        fifth,
        [format!(
            "DS05_ALGO_OK algo_descr=ECDSA Curve P-256 with SHA-256 algo_mnemo=ECDSAP256SHA256 algo_num=13 {GOOD}"
        )]
    );
    assert_eq!(said(&lab, "good.test", "dnssec13").await, NOTHING);
    assert_eq!(said(&lab, "good.test", "dnssec14").await, ["KEY_SIZE_OK"]);
    assert_eq!(said(&lab, "good.test", "dnssec15").await, ["DS15_NO_CDS_CDNSKEY"]);
    for case in ["dnssec16", "dnssec17", "dnssec18"] {
        assert_eq!(said(&lab, "good.test", case).await, NOTHING, "{case}");
    }
    assert!(
        said(&lab, "good.test", "dnssec06")
            .await
            .iter()
            .all(|line| line.starts_with("EXTRA_PROCESSING_OK"))
    );
}

#[tokio::test]
async fn an_unsigned_zone_is_told_so_once() {
    let lab = pocket().await;
    let settings = Settings {
        hints: lab.hints(),
        port: lab.port(),
        ..Settings::default()
    };
    let inquiry = Internet::open(settings).unwrap().inquiry();
    let report = check(&inquiry, &CheckPlan::of(name("plain.test")), noon()).await;
    let cases: Vec<&str> = report
        .findings
        .iter()
        .map(|(_, finding)| finding.case.as_str())
        .collect();
    let dnssec: Vec<&&str> = cases.iter().filter(|case| case.starts_with("dnssec")).collect();
    assert!(dnssec.iter().all(|case| **case == "dnssec07"), "{dnssec:?}");
    assert_eq!(dnssec.len(), 2);
}

/// A root and a signed zone `x` with `wishes` at its top. Keys are kept in `keys`, so that they are the same each time.
async fn with_wishes(keys: &std::path::Path, now: Timestamp, wishes: &str) -> Lab {
    let world = r#"
        name = "wishes"
        about = "one zone that asks something of its parent"
        seed = 1
        [[server]]
        name = "a.root"
        addresses = ["127.12.0.1"]
        zones = ["."]
        [[server]]
        name = "ns1.x"
        addresses = ["127.12.0.2"]
        zones = ["x"]
        [[zone]]
        name = "."
        file = "zones/root.zone"
        signing = { algorithm = "ed25519", denial = "nsec" }
        [[zone]]
        name = "x"
        file = "zones/x.zone"
        signing = { algorithm = "ed25519", denial = "nsec" }
    "#;
    let root = "$TTL 60\n@ SOA a.root. h.root. 1 14400 3600 604800 60\n@ NS a.root.\na.root. A 127.12.0.1\n\
                x. NS ns1.x.\nns1.x. A 127.12.0.2\n";
    let zone = format!("$TTL 60\n@ SOA ns1 h 1 14400 3600 604800 60\n@ NS ns1\nns1 A 127.12.0.2\n{wishes}");
    let parts = [
        ("world.toml", world),
        ("zones/root.zone", root),
        ("zones/x.zone", &zone),
    ];
    let world = World::from_parts(&parts).unwrap().with_keys_in(keys.to_owned());
    Lab::start(world, 0, now).await.unwrap()
}

fn cds(ds: &Ds) -> String {
    let digest: String = ds.digest.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("@ CDS {} {} {} {digest}\n", ds.key_tag, ds.algorithm, ds.digest_type)
}

#[tokio::test]
async fn what_a_zone_asks_of_its_parent_is_held_against_its_keys() {
    let keys = tempfile::tempdir().unwrap();
    let first = with_wishes(keys.path(), noon(), "").await;
    let (ds, key) = (first.ds("x").unwrap(), first.dnskey("x").unwrap());
    first.stop().await;
    drop(first);
    let mine = cds(&ds);
    let same = format!("@ CDNSKEY {key}\n");
    let all = ["dnssec15", "dnssec16", "dnssec17", "dnssec18"];

    let lab = with_wishes(keys.path(), noon(), &format!("{mine}{same}")).await;
    assert_eq!(
        said(&lab, "x", "dnssec15").await,
        ["DS15_HAS_CDS_AND_CDNSKEY ns_ip_list=127.12.0.2"]
    );
    for case in &all[1..] {
        assert_eq!(said(&lab, "x", case).await, NOTHING, "{case}");
    }
    drop(lab);

    let stranger = cds(&Ds {
        key_tag: ds.key_tag.wrapping_add(1),
        ..ds.clone()
    });
    let lab = with_wishes(keys.path(), noon(), &format!("{stranger}{same}")).await;
    assert_eq!(
        said(&lab, "x", "dnssec15").await,
        [
            "DS15_HAS_CDS_AND_CDNSKEY ns_ip_list=127.12.0.2",
            "DS15_MISMATCH_CDS_CDNSKEY ns_ip_list=127.12.0.2"
        ]
    );
    assert_eq!(
        said(&lab, "x", "dnssec16").await,
        ["DS16_CDS_MATCHES_NO_DNSKEY ns_ip_list=127.12.0.2"]
    );
    drop(lab);

    let lab = with_wishes(keys.path(), noon(), "@ CDS 0 0 0 00\n@ CDNSKEY 0 3 0 AA==\n").await;
    assert_eq!(
        said(&lab, "x", "dnssec15").await,
        ["DS15_HAS_CDS_AND_CDNSKEY ns_ip_list=127.12.0.2"]
    );
    assert_eq!(
        said(&lab, "x", "dnssec16").await,
        ["DS16_DELETE_CDS ns_ip_list=127.12.0.2"]
    );
    assert_eq!(
        said(&lab, "x", "dnssec17").await,
        ["DS17_DELETE_CDNSKEY ns_ip_list=127.12.0.2"]
    );
    drop(lab);

    let lab = with_wishes(keys.path(), noon(), &format!("{mine}@ CDS 0 0 0 00\n")).await;
    assert_eq!(
        said(&lab, "x", "dnssec15").await,
        ["DS15_HAS_CDS_NO_CDNSKEY ns_ip_list=127.12.0.2"]
    );
    assert_eq!(
        said(&lab, "x", "dnssec16").await,
        ["DS16_MIXED_DELETE_CDS ns_ip_list=127.12.0.2"]
    );
    change(
        &lab,
        Change::SwapKey {
            zone: "x".to_owned(),
            ds_follows: false,
        },
    );
    assert_eq!(
        said(&lab, "x", "dnssec18").await,
        ["DS18_NO_MATCH_CDS_RRSIG_DS ns_ip_list=127.12.0.2"]
    );
}
