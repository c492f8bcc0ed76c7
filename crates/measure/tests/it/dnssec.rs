//! DNSSEC cases against really signed zones that break in the lab.

use lab::{Change, Fault};
use measure::{Limits, Undelegated};
use model::Ds;

use crate::case_in_lab::{With, change, found, pocket, said, said_with, set_ds, spoil, spoil_type};

const NOTHING: [&str; 0] = [];
const PARENT: &str = "ns1.nic.test/127.10.1.1;ns2.nic.test/127.10.1.2";
const ZONE: &str = "ns1.good.test/127.10.3.1;ns2.good.test/127.10.3.2";

#[tokio::test]
async fn a_whole_chain_of_trust_gives_no_complaint() {
    let lab = pocket().await;
    let algorithm = "ds_algo_descr=SHA-256 ds_algo_num=2";
    assert_eq!(
        said(&lab, "good.test", "dnssec01").await,
        [format!("DS01_DS_ALGO_OK {algorithm} ns_list={PARENT}")]
    );
    assert_eq!(
        said(&lab, "good.test", "dnssec07").await,
        [
            "DS07_DS_FOR_SIGNED_ZONE".to_owned(),
            format!("DS07_DS_ON_PARENT_SERVER ns_list={PARENT}"),
            "DS07_SIGNED".to_owned(),
            format!("DS07_SIGNED_ON_SERVER ns_list={ZONE}"),
        ]
    );
    for zone in ["good.test", "shop.example", "test", "."] {
        for case in ["dnssec02", "dnssec08", "dnssec09", "dnssec11"] {
            assert_eq!(said(&lab, zone, case).await, NOTHING, "{zone} {case}");
        }
    }
    assert_eq!(said(&lab, ".", "dnssec01").await, ["DS01_ROOT_N_NO_UNDEL_DS"]);
}

#[tokio::test]
async fn signatures_that_ended_are_seen_at_every_server() {
    let lab = pocket().await;
    change(
        &lab,
        Change::ExpireSignatures {
            zone: "good.test".to_owned(),
        },
    );
    let both = "ns_ip_list=127.10.3.1;127.10.3.2";
    assert_eq!(
        said(&lab, "good.test", "dnssec08").await,
        [format!("DS08_DNSKEY_RRSIG_EXPIRED {both}")]
    );
    assert_eq!(
        said(&lab, "good.test", "dnssec09").await,
        [format!("DS09_SOA_RRSIG_EXPIRED {both}")]
    );
    let lasting = said(&lab, "good.test", "dnssec04").await;
    let first = "ns_list=ns1.good.test/127.10.3.1";
    for types in ["SOA", "DNSKEY"] {
        let expired = format!("RRSIG_EXPIRED {first} types={types}");
        assert!(lasting.contains(&expired), "{lasting:?}");
    }
}

#[tokio::test]
async fn signatures_that_are_wrong_at_one_server_are_seen_there_alone() {
    let lab = pocket().await;
    spoil(&lab, "127.10.3.2", Fault::WrongSignatures);
    let one = "ns_ip_list=127.10.3.2";
    assert_eq!(
        said(&lab, "good.test", "dnssec08").await,
        [format!("DS08_RRSIG_NOT_VALID_BY_DNSKEY {one}")]
    );
    assert_eq!(
        said(&lab, "good.test", "dnssec09").await,
        [format!("DS09_RRSIG_NOT_VALID_BY_DNSKEY {one}")]
    );
    assert_eq!(
        said(&lab, "good.test", "dnssec02").await,
        [
            format!("DS02_DNSKEY_NOT_SIGNED_BY_ANY_DS {one}"),
            format!("DS02_RRSIG_NOT_VALID_BY_DNSKEY {one}")
        ]
    );
}

#[tokio::test]
async fn signatures_of_tomorrow_are_not_valid_yet() {
    let lab = pocket().await;
    spoil(&lab, "127.10.3.1", Fault::NotYetValidSignatures);
    let one = "ns_ip_list=127.10.3.1";
    assert_eq!(
        said(&lab, "shop.example", "dnssec08").await,
        [format!("DS08_DNSKEY_RRSIG_NOT_YET_VALID {one}")]
    );
    assert_eq!(
        said(&lab, "shop.example", "dnssec09").await,
        [format!("DS09_SOA_RRSIG_NOT_YET_VALID {one}")]
    );
}

#[tokio::test]
async fn a_key_changed_without_its_ds_breaks_the_chain() {
    let lab = pocket().await;
    change(
        &lab,
        Change::SwapKey {
            zone: "good.test".to_owned(),
            ds_follows: false,
        },
    );
    let both = "ns_ip_list=127.10.3.1;127.10.3.2";
    assert_eq!(
        said(&lab, "good.test", "dnssec02").await,
        [
            format!("DS02_NO_DNSKEY_FOR_DS {both}"),
            format!("DS02_NO_VALID_DNSKEY_FOR_ANY_DS {both}")
        ]
    );
    assert_eq!(said(&lab, "good.test", "dnssec08").await, NOTHING);
    change(
        &lab,
        Change::SwapKey {
            zone: "shop.example".to_owned(),
            ds_follows: true,
        },
    );
    assert_eq!(said(&lab, "shop.example", "dnssec02").await, NOTHING);
}

#[tokio::test]
async fn a_ds_with_the_digest_of_another_key_does_not_match() {
    let lab = pocket().await;
    let mut ds = lab.ds("good.test").unwrap();
    ds.digest[7] ^= 1;
    set_ds(&lab, "good.test", vec![ds.clone()]);
    let both = "ns_ip_list=127.10.3.1;127.10.3.2";
    let findings = found(&lab, "good.test", "dnssec02", With::default()).await;
    assert_eq!(findings.len(), 1);
    assert_eq!(
        (findings[0].tag.as_str(), &findings[0].args["keytag"]),
        ("DS02_NO_MATCH_DS_DNSKEY", &ds.key_tag.to_string())
    );
    assert_eq!(
        said(&lab, "good.test", "dnssec02").await,
        [format!("DS02_NO_MATCH_DS_DNSKEY {both}")]
    );
}

#[tokio::test]
async fn a_ds_left_over_beside_a_good_one_is_only_a_warning() {
    let lab = pocket().await;
    let good = lab.ds("good.test").unwrap();
    let stray = Ds {
        key_tag: good.key_tag.wrapping_add(1),
        ..good.clone()
    };
    set_ds(&lab, "good.test", vec![good, stray]);
    assert_eq!(
        said(&lab, "good.test", "dnssec02").await,
        ["DS02_NO_DNSKEY_FOR_DS ns_ip_list=127.10.3.1;127.10.3.2"]
    );
}

#[tokio::test]
async fn a_weak_digest_alone_is_named_twice() {
    let lab = pocket().await;
    let sha256 = lab.ds("good.test").unwrap();
    let sha1 = Ds {
        digest_type: 1,
        digest: vec![0; 20],
        ..sha256.clone()
    };
    let weak = format!("DS01_DS_ALGO_DEPRECATED ds_algo_descr=SHA-1 ds_algo_num=1 ns_list={PARENT}");
    set_ds(&lab, "good.test", vec![sha1.clone()]);
    assert_eq!(
        said(&lab, "good.test", "dnssec01").await,
        [format!("DS01_DS_ALGO_2_MISSING ns_list={PARENT}"), weak.clone()]
    );
    set_ds(&lab, "good.test", vec![sha1, sha256]);
    let both = said(&lab, "good.test", "dnssec01").await;
    assert_eq!(
        both,
        [
            weak,
            format!("DS01_DS_ALGO_OK ds_algo_descr=SHA-256 ds_algo_num=2 ns_list={PARENT}")
        ]
    );
}

#[tokio::test]
async fn a_ds_that_one_server_of_the_parent_lacks_is_inconsistent() {
    let lab = pocket().await;
    spoil(&lab, "127.10.1.2", Fault::MissingDs);
    let lacking = "ns_list=ns2.nic.test/127.10.1.2";
    let first = said(&lab, "good.test", "dnssec01").await;
    assert!(
        first.contains(&format!("DS01_PARENT_SERVER_NO_DS {lacking}")),
        "{first:?}"
    );
    let seventh = said(&lab, "good.test", "dnssec07").await;
    assert!(seventh.contains(&"DS07_INCONSISTENT_DS".to_owned()), "{seventh:?}");
    assert!(
        seventh.contains(&format!("DS07_NO_DS_ON_PARENT_SERVER {lacking}")),
        "{seventh:?}"
    );
    assert_eq!(
        said(&lab, "good.test", "dnssec11").await,
        [
            "DS11_INCONSISTENT_DS",
            "DS11_PARENT_WITHOUT_DS ns_ip_list=127.10.1.2",
            "DS11_PARENT_WITH_DS ns_ip_list=127.10.1.1"
        ]
    );
}

#[tokio::test]
async fn a_signed_zone_without_ds_protects_nobody() {
    let lab = pocket().await;
    set_ds(&lab, "good.test", Vec::new());
    assert_eq!(
        said(&lab, "good.test", "dnssec01").await,
        [format!("DS01_PARENT_ZONE_NO_DS ns_list={PARENT}")]
    );
    let seventh = said(&lab, "good.test", "dnssec07").await;
    assert!(
        seventh.contains(&"DS07_NO_DS_FOR_SIGNED_ZONE".to_owned()),
        "{seventh:?}"
    );
    assert_eq!(said(&lab, "good.test", "dnssec02").await, NOTHING);
    assert_eq!(said(&lab, "good.test", "dnssec11").await, NOTHING);
}

#[tokio::test]
async fn an_unsigned_zone_must_not_have_a_ds() {
    let lab = pocket().await;
    let unsigned = [
        "DS07_NOT_SIGNED".to_owned(),
        format!("DS07_NOT_SIGNED_ON_SERVER ns_list={ZONE}"),
    ];
    assert_eq!(said(&lab, "plain.test", "dnssec07").await, unsigned);
    assert_eq!(said(&lab, "plain.test", "dnssec11").await, NOTHING);
    set_ds(&lab, "plain.test", vec![lab.ds("good.test").unwrap()]);
    assert_eq!(said(&lab, "plain.test", "dnssec07").await, unsigned);
    assert_eq!(
        said(&lab, "plain.test", "dnssec11").await,
        ["DS11_DS_BUT_UNSIGNED_ZONE"]
    );
    for case in ["dnssec02", "dnssec04", "dnssec08", "dnssec09"] {
        assert_eq!(said(&lab, "plain.test", case).await, NOTHING, "{case}");
    }
}

#[tokio::test]
async fn answers_on_keys_without_authority_are_named_so_whatever_their_rcode() {
    let lab = pocket().await;
    spoil_type(&lab, "127.10.3.1", Fault::Servfail, "DNSKEY");
    spoil_type(&lab, "127.10.3.2", Fault::NotAuthoritative, "DNSKEY");
    let not_authoritative = format!("DS07_NON_AUTH_RESPONSE_DNSKEY ns_list={ZONE}");
    assert_eq!(
        said(&lab, "good.test", "dnssec07").await,
        [not_authoritative, "DS07_NOT_SIGNED".to_owned()]
    );
    assert_eq!(
        said(&lab, "good.test", "dnssec11").await,
        ["DS11_UNDETERMINED_SIGNED_ZONE"]
    );
}

#[tokio::test]
async fn a_server_silent_on_keys_alone_is_named() {
    let lab = pocket().await;
    spoil_type(&lab, "127.10.3.2", Fault::Silent, "DNSKEY");
    let silent = said(&lab, "good.test", "dnssec07").await;
    assert!(
        silent.contains(&"DS07_NO_RESPONSE_DNSKEY ns_list=ns2.good.test/127.10.3.2".to_owned()),
        "{silent:?}"
    );
}

#[tokio::test]
async fn a_parent_that_does_not_answer_for_ds_leaves_it_open() {
    let lab = pocket().await;
    for server in ["127.10.1.1", "127.10.1.2"] {
        spoil_type(&lab, server, Fault::Refused, "DS");
    }
    assert_eq!(
        said(&lab, "good.test", "dnssec01").await,
        [format!("DS01_NO_RESPONSE ns_list={PARENT}")]
    );
    assert_eq!(said(&lab, "good.test", "dnssec11").await, ["DS11_UNDETERMINED_DS"]);
}

#[tokio::test]
async fn a_delegation_that_is_given_is_judged_in_place_of_the_parents() {
    let lab = pocket().await;
    let ns = vec![("ns1.good.test".parse().unwrap(), Some("127.10.3.1".parse().unwrap()))];
    let with = |ds| With {
        given: Some(Undelegated { ns: ns.clone(), ds }),
        ..With::default()
    };
    assert_eq!(
        said_with(&lab, "good.test", "dnssec01", with(vec![])).await,
        ["DS01_UNDEL_N_NO_UNDEL_DS"]
    );
    assert_eq!(said_with(&lab, "good.test", "dnssec11", with(vec![])).await, NOTHING);
    let ds = lab.ds("good.test").unwrap();
    assert_eq!(
        said_with(&lab, "good.test", "dnssec01", with(vec![ds.clone()])).await,
        ["DS01_DS_ALGO_OK ds_algo_descr=SHA-256 ds_algo_num=2 ns_list=-"]
    );
    let seventh = said_with(&lab, "good.test", "dnssec07", with(vec![ds.clone()])).await;
    assert!(
        seventh.contains(&"DS07_DS_ON_PARENT_SERVER ns_list=-".to_owned()),
        "{seventh:?}"
    );
    let stranger = lab.ds("shop.example").unwrap();
    let second = said_with(&lab, "good.test", "dnssec02", with(vec![stranger])).await;
    assert!(
        second
            .iter()
            .any(|line| line.starts_with("DS02_NO_VALID_DNSKEY_FOR_ANY_DS")),
        "{second:?}"
    );
}

#[tokio::test]
async fn signatures_are_measured_by_the_limits_of_the_profile() {
    let lab = pocket().await;
    let tags = |lines: Vec<String>| -> Vec<String> {
        lines
            .iter()
            .map(|line| line.split(' ').next().unwrap_or_default().to_owned())
            .collect()
    };
    let standard = tags(said(&lab, "good.test", "dnssec04").await);
    assert_eq!(
        standard,
        ["DURATION_OK", "DURATION_OK", "RRSIG_EXPIRATION", "RRSIG_EXPIRATION"]
    );
    let limits = Limits {
        signature_remaining_max_secs: 60,
        signature_duration_max_secs: 60,
        ..Limits::default()
    };
    let strict = tags(
        said_with(
            &lab,
            "good.test",
            "dnssec04",
            With {
                limits,
                ..With::default()
            },
        )
        .await,
    );
    assert_eq!(
        strict,
        [
            "DURATION_LONG",
            "DURATION_LONG",
            "REMAINING_LONG",
            "REMAINING_LONG",
            "RRSIG_EXPIRATION",
            "RRSIG_EXPIRATION"
        ]
    );
    let limits = Limits {
        signature_remaining_min_secs: 100 * 86_400,
        ..Limits::default()
    };
    let short = tags(
        said_with(
            &lab,
            "good.test",
            "dnssec04",
            With {
                limits,
                ..With::default()
            },
        )
        .await,
    );
    assert_eq!(
        short,
        [
            "REMAINING_SHORT",
            "REMAINING_SHORT",
            "RRSIG_EXPIRATION",
            "RRSIG_EXPIRATION"
        ]
    );
}
