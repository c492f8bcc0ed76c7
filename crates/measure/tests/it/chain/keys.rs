//! chain03 and chain04: keys, and the DS records that mean them.

use domain::base::iana::{OptRcode, Rtype, SecurityAlgorithm};
use domain::rdata::{Dnskey, ZoneRecordData};
use model::{Ds, Security};

use super::forge::{SECOND, add_keys, change, change_everywhere, forger, new_key, record, sign};
use super::{chain, said};
use crate::case_in_lab::{name, pocket, set_ds};

const AT_SECOND: &str = "ns_list=ns2.good.test/127.10.3.2";
const AT_BOTH: &str = "ns_list=ns1.good.test/127.10.3.1;ns2.good.test/127.10.3.2";

#[tokio::test]
async fn a_key_of_the_wrong_form_is_named_with_its_algorithm() {
    for (algorithm, octets, tag) in [
        (12, 63, "CH03_BAD_LENGTH"),
        (13, 63, "CH03_BAD_LENGTH"),
        (14, 64, "CH03_BAD_LENGTH"),
        (15, 33, "CH03_BAD_LENGTH"),
        (16, 56, "CH03_BAD_LENGTH"),
        (8, 1, "CH03_BAD_LENGTH"),
        (13, 0, "CH03_EMPTY"),
    ] {
        let lab = pocket().await;
        let key = Dnskey::new(256, 3, SecurityAlgorithm::from_int(algorithm), vec![9; octets]).unwrap();
        let key = record("good.test", 3600, ZoneRecordData::Dnskey(key));
        add_keys(&lab, "good.test", SECOND, vec![key], Vec::new());
        let lines = said(&lab, "good.test").await;
        let expected = format!("{tag} algo_num={algorithm} {AT_SECOND} zone=good.test");
        assert!(lines.contains(&expected), "{expected}: {lines:?}");
    }
}

#[tokio::test]
async fn a_key_with_another_protocol_is_named() {
    let lab = pocket().await;
    let key = Dnskey::new(256, 2, SecurityAlgorithm::ED25519, vec![9; 32]).unwrap();
    let key = record("good.test", 3600, ZoneRecordData::Dnskey(key));
    add_keys(&lab, "good.test", SECOND, vec![key], Vec::new());
    let lines = said(&lab, "good.test").await;
    assert!(
        lines.contains(&format!("CH03_WRONG_PROTOCOL algo_num=15 {AT_SECOND} zone=good.test")),
        "{lines:?}"
    );
}

#[tokio::test]
async fn a_key_that_one_server_lacks_is_named_at_that_server() {
    let lab = pocket().await;
    let key = new_key("good.test", 256);
    add_keys(&lab, "good.test", SECOND, vec![key.record(3600)], Vec::new());
    assert_eq!(
        said(&lab, "good.test").await,
        [
            "CH01_SECURE domain=good.test zone=good.test",
            "CH03_MISSING_FROM_SERVERS algo_num=13 ns_list=ns1.good.test/127.10.3.1 zone=good.test",
        ]
    );
    let chain = chain(&lab, "good.test").await;
    let keys: Vec<_> = chain.links[2]
        .keys
        .iter()
        .map(|key| (key.is_trusted, key.servers.len()))
        .collect();
    assert_eq!(keys, [(true, 2), (false, 1)]);
}

#[tokio::test]
async fn a_revoked_key_signs_the_key_set_to_say_so() {
    let lab = pocket().await;
    for server in ["127.10.3.1", SECOND] {
        let copy = lab::Forger::new(&name("good.test"), &secret(), public()).unwrap();
        add_keys(&lab, "good.test", server, vec![copy.record(3600)], vec![copy]);
    }
    assert_eq!(
        said(&lab, "good.test").await,
        [
            "CH01_SECURE domain=good.test zone=good.test".to_owned(),
            format!("CH03_REVOKED algo_num=15 {AT_BOTH} zone=good.test"),
        ]
    );
}

/// A key with a fixed secret, flagged as revoked.
fn secret() -> domain::crypto::sign::SecretKeyBytes {
    domain::crypto::sign::SecretKeyBytes::parse_from_bind(
        "Private-key-format: v1.2\nAlgorithm: 15 (ED25519)\nPrivateKey: ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI=\n",
    )
    .unwrap()
}

/// Its public half (RFC 8080 §6.1, first example).
fn public() -> Dnskey<Vec<u8>> {
    let octets = domain::utils::base64::decode("l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=").unwrap();
    Dnskey::new(385, 3, SecurityAlgorithm::ED25519, octets).unwrap()
}

#[tokio::test]
async fn keys_of_another_name_in_the_answer_are_named() {
    let lab = pocket().await;
    let stranger = record("www.good.test", 3600, ZoneRecordData::Dnskey(public()));
    change(&lab, SECOND, ("good.test", Rtype::DNSKEY), move |answer| {
        answer.answer.push(stranger.clone());
    });
    let lines = said(&lab, "good.test").await;
    assert!(
        lines.contains(&format!(
            "CH03_NOT_AT_APEX domain=www.good.test {AT_SECOND} zone=good.test"
        )),
        "{lines:?}"
    );
}

#[tokio::test]
async fn each_thing_wrong_with_a_ds_is_named() {
    let parents = "ns_list=ns1.nic.test/127.10.1.1;ns2.nic.test/127.10.1.2";
    type Change = fn(Ds) -> Vec<Ds>;
    let changes: [(Change, &str, Security); 4] = [
        (
            |mut ds| {
                ds.digest[3] ^= 1;
                vec![ds]
            },
            "CH04_DIGEST_INVALID ds_algo_descr=SHA-256 ds_algo_num=2",
            Security::Bogus,
        ),
        (
            |ds| {
                let sha1 = Ds {
                    digest_type: 1,
                    digest: vec![0; 20],
                    ..ds.clone()
                };
                vec![ds, sha1]
            },
            "CH04_SHA1_BESIDE_SHA256 ds_algo_descr=SHA-1 ds_algo_num=1",
            Security::Secure,
        ),
        (
            |ds| {
                vec![
                    Ds {
                        digest_type: 5,
                        ..ds.clone()
                    },
                    ds,
                ]
            },
            "CH04_DIGEST_NOT_SUPPORTED ds_algo_descr=GOST R 34.11-2012 ds_algo_num=5",
            Security::Secure,
        ),
        (
            |ds| {
                vec![
                    Ds {
                        algorithm: 17,
                        ..ds.clone()
                    },
                    ds,
                ]
            },
            "CH04_ALGORITHM_NOT_SUPPORTED ds_algo_descr=SHA-256 ds_algo_num=2",
            Security::Secure,
        ),
    ];
    for (change, line, state) in changes {
        let lab = pocket().await;
        set_ds(&lab, "good.test", change(lab.ds("good.test").unwrap()));
        let lines = said(&lab, "good.test").await;
        // who gives the DS are the servers of the parent
        let found = lines
            .iter()
            .any(|said| said.starts_with(line) && said.contains("127.10.1."));
        assert!(found, "{line} {parents}: {lines:?}");
        assert_eq!(chain(&lab, "good.test").await.state, state, "{line}");
    }
}

#[tokio::test]
async fn a_ds_of_a_revoked_key_leads_nowhere() {
    let lab = pocket().await;
    let revoked = forger(&lab, "good.test").with_flags(385);
    set_ds(&lab, "good.test", vec![revoked.ds()]);
    let (key, secret) = (revoked.record(3600), std::sync::Arc::new(revoked));
    change_everywhere(&lab, ("good.test", Rtype::DNSKEY), move |answer| {
        answer.answer = vec![key.clone()];
        let signature = sign(&secret, &answer.answer);
        answer.answer.push(signature);
    });
    let lines = said(&lab, "good.test").await;
    assert!(
        lines.iter().any(|line| line.starts_with("CH04_POINTS_AT_REVOKED_KEY")),
        "{lines:?}"
    );
    assert_eq!(chain(&lab, "good.test").await.state, Security::Bogus);
}

#[tokio::test]
async fn a_parent_that_refers_instead_of_answering_for_ds_is_named() {
    let lab = pocket().await;
    let ns = record(
        "good.test",
        3600,
        ZoneRecordData::Ns(domain::rdata::Ns::new(name("ns1.good.test").as_wire().clone())),
    );
    change(&lab, "127.10.1.2", ("good.test", Rtype::DS), move |answer| {
        answer.authoritative = false;
        answer.answer.clear();
        answer.authority = vec![ns.clone()];
    });
    assert_eq!(
        said(&lab, "good.test").await,
        [
            "CH01_SECURE domain=good.test zone=good.test",
            "CH04_REFERRAL_FOR_DS domain=good.test ns_list=ns2.nic.test/127.10.1.2 zone=test",
        ]
    );
}

#[tokio::test]
async fn a_referral_without_ds_or_proof_is_named() {
    for zone in ["good.test", "plain.test"] {
        let lab = pocket().await;
        change(&lab, "127.10.1.2", (zone, Rtype::NS), |answer| {
            answer.authority.retain(|record| record.rtype() == Rtype::NS);
        });
        let lines = said(&lab, zone).await;
        let expected = format!("CH04_REFERRAL_WITHOUT_DS domain={zone} ns_list=ns2.nic.test/127.10.1.2 zone=test");
        assert!(lines.contains(&expected), "{lines:?}");
    }
}

#[tokio::test]
async fn a_parent_that_denies_the_delegation_when_asked_for_ds_is_named() {
    let lab = pocket().await;
    change(&lab, "127.10.1.2", ("plain.test", Rtype::DS), |answer| {
        answer.rcode = OptRcode::NXDOMAIN;
    });
    let lines = said(&lab, "plain.test").await;
    assert!(
        lines.contains(
            &"CH04_NO_SUCH_DELEGATION domain=plain.test ns_list=ns2.nic.test/127.10.1.2 zone=test".to_owned()
        ),
        "{lines:?}"
    );
}
