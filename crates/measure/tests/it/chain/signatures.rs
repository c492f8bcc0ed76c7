//! chain02: each thing that can be wrong with a signature, at one server alone.

use domain::base::Ttl;
use domain::base::iana::{Rtype, SecurityAlgorithm};
use domain::rdata::{Dnskey, ZoneRecordData};
use lab::{Fault, Manner, Record};
use model::{Ds, Security};

use super::forge::{SECOND, add_keys, change, forger, new_key, record, sign};
use super::{chain, said};
use crate::case_in_lab::{name, noon, pocket, set_ds, spoil};

const AT_SECOND: &str = "ns_list=ns2.good.test/127.10.3.2";

/// Signs the SOA of good.test at its second server in this manner, and looks for the tags that follow.
async fn follow(manner: Manner, tags: &[&str]) {
    follow_change(
        move |forger, soa| vec![forger.sign(soa, noon().as_second(), &manner)],
        tags,
    )
    .await;
}

async fn follow_change(make: impl Fn(&lab::Forger, &[Record]) -> Vec<Record> + Send + Sync + 'static, tags: &[&str]) {
    let lab = pocket().await;
    let key = forger(&lab, "good.test");
    change(&lab, SECOND, ("good.test", Rtype::SOA), move |answer| {
        answer.answer.retain(|record| record.rtype() == Rtype::SOA);
        answer.answer.extend(make(&key, &answer.answer));
    });
    let lines = said(&lab, "good.test").await;
    for tag in tags {
        let line = lines.iter().find(|line| line.split(' ').next() == Some(*tag));
        let line = line.unwrap_or_else(|| panic!("no {tag} in {lines:?}"));
        assert!(line.contains(AT_SECOND) && line.contains("rrsets=SOA "), "{line}");
    }
    // nothing else is said, but for the sum of it
    let others = lines.iter().filter(|line| {
        let tag = line.split(' ').next().unwrap_or_default();
        !tags.contains(&tag) && !["CH01_SECURE", "CH01_RRSET_BOGUS"].contains(&tag)
    });
    assert_eq!(others.count(), 0, "{tags:?}: {lines:?}");
    assert_eq!(chain(&lab, "good.test").await.state, Security::Secure);
}

fn seconds(from: i64, to: i64) -> Manner {
    let now = noon().as_second();
    Manner {
        validity: Some(((now + from) as u32, (now + to) as u32)),
        ..Manner::default()
    }
}

#[tokio::test]
async fn each_wrong_field_of_a_signature_is_named_at_the_server_that_has_it() {
    let signer = Manner {
        signer: Some(name("test")),
        ..Manner::default()
    };
    follow(signer, &["CH02_SIGNER_NOT_ZONE"]).await;
    let labels = Manner {
        labels: Some(3),
        ..Manner::default()
    };
    follow(labels, &["CH02_LABELS_EXCEED_OWNER"]).await;
    let original_ttl = Manner {
        original_ttl: Some(60),
        ..Manner::default()
    };
    follow(
        original_ttl,
        &["CH02_ORIGINAL_TTL_EXCEEDED", "CH02_RRSIG_TTL_EXCEEDS_ORIGINAL"],
    )
    .await;
    let key_tag = Manner {
        key_tag: Some(1),
        ..Manner::default()
    };
    follow(key_tag, &["CH02_NO_KEY"]).await;
    let algorithm = Manner {
        algorithm: Some(SecurityAlgorithm::RSASHA256),
        ..Manner::default()
    };
    follow(
        algorithm,
        &["CH02_ALGORITHM_DIFFERS_FROM_KEY", "CH02_ALGORITHM_OF_DS_MISSING"],
    )
    .await;
}

#[tokio::test]
async fn each_wrong_time_of_a_signature_is_named_at_the_server_that_has_it() {
    follow(seconds(-2_000, -1_000), &["CH02_EXPIRED"]).await;
    follow(seconds(1_000, 9_000_000), &["CH02_NOT_YET_VALID"]).await;
    follow(seconds(-10, -20), &["CH02_EXPIRED", "CH02_EXPIRATION_BEFORE_INCEPTION"]).await;
    follow(seconds(-9_000, 1_000), &["CH02_TTL_BEYOND_EXPIRATION"]).await;
    follow(
        seconds(-9_000, 60),
        &["CH02_TTL_BEYOND_EXPIRATION", "CH02_EXPIRES_WITHIN_CLOCK_SKEW"],
    )
    .await;
    follow(seconds(-60, 9_000_000), &["CH02_BEGAN_WITHIN_CLOCK_SKEW"]).await;
}

#[tokio::test]
async fn a_signature_that_is_damaged_cut_off_or_gone_is_named() {
    let bent = |how: fn(&mut Vec<u8>)| {
        move |forger: &lab::Forger, soa: &[Record]| {
            let mut signature = sign(forger, soa);
            if let ZoneRecordData::Rrsig(rrsig) = signature.data_mut() {
                let mut octets = rrsig.signature().clone();
                how(&mut octets);
                rrsig.set_signature(octets);
            }
            vec![signature]
        }
    };
    follow_change(bent(|octets| octets[9] ^= 1), &["CH02_DOES_NOT_VERIFY"]).await;
    follow_change(
        bent(|octets| octets.truncate(63)),
        &["CH02_DOES_NOT_VERIFY", "CH02_BAD_LENGTH"],
    )
    .await;
    follow_change(
        |forger, soa| {
            let mut signature = sign(forger, soa);
            signature.set_ttl(Ttl::from_secs(7));
            vec![signature]
        },
        &["CH02_RRSIG_TTL_DIFFERS"],
    )
    .await;
    let lab = pocket().await;
    change(&lab, SECOND, ("good.test", Rtype::SOA), |answer| {
        answer.answer.retain(|record| record.rtype() != Rtype::RRSIG);
    });
    let lines = said(&lab, "good.test").await;
    assert!(
        lines.contains(&format!("CH02_RRSIG_MISSING {AT_SECOND} rrsets=SOA zone=good.test")),
        "{lines:?}"
    );
}

#[tokio::test]
async fn a_server_that_ignores_edns_is_named_as_one_without_dnssec() {
    let lab = pocket().await;
    spoil(&lab, SECOND, Fault::DropsEdns);
    let lines = said(&lab, "good.test").await;
    let line = lines.iter().find(|line| line.starts_with("CH02_SERVER_WITHOUT_DNSSEC"));
    assert!(
        line.is_some_and(|line| line.contains(AT_SECOND) && line.contains("DNSKEY;MX;NS;")),
        "{lines:?}"
    );
    assert!(!lines.iter().any(|line| line.starts_with("CH02_RRSIG_MISSING")));
}

#[tokio::test]
async fn a_signature_by_a_key_that_may_not_sign_is_named() {
    for (flags, tags) in [
        (385, ["CH02_BY_REVOKED_KEY", "CH03_REVOKED_NOT_SIGNING"]),
        (0, ["CH02_NOT_BY_ZONE_KEY", "CH03_NO_ZONE_KEY_FLAG"]),
    ] {
        let lab = pocket().await;
        let key = new_key("good.test", flags);
        add_keys(&lab, "good.test", SECOND, vec![key.record(3600)], Vec::new());
        change(&lab, SECOND, ("good.test", Rtype::SOA), move |answer| {
            answer.answer.retain(|record| record.rtype() == Rtype::SOA);
            let signature = sign(&key, &answer.answer);
            answer.answer.push(signature);
        });
        let lines = said(&lab, "good.test").await;
        for tag in tags {
            let found = lines
                .iter()
                .any(|line| line.starts_with(tag) && line.contains(AT_SECOND));
            assert!(found, "{tag}: {lines:?}");
        }
        assert!(
            lines.contains(&format!("CH01_RRSET_BOGUS {AT_SECOND} rrsets=SOA zone=good.test")),
            "{lines:?}"
        );
    }
}

#[tokio::test]
async fn an_algorithm_that_cannot_be_verified_is_said_and_not_taken_for_wrong() {
    let lab = pocket().await;
    let unknown = Dnskey::new(256, 3, SecurityAlgorithm::from_int(17), vec![7; 64]).unwrap();
    let manner = Manner {
        algorithm: Some(unknown.algorithm()),
        key_tag: Some(unknown.key_tag()),
        ..Manner::default()
    };
    let key = record("good.test", 3600, ZoneRecordData::Dnskey(unknown));
    add_keys(&lab, "good.test", SECOND, vec![key], Vec::new());
    let own = forger(&lab, "good.test");
    change(&lab, SECOND, ("good.test", Rtype::SOA), move |answer| {
        let soa: Vec<Record> = answer
            .answer
            .iter()
            .filter(|record| record.rtype() == Rtype::SOA)
            .cloned()
            .collect();
        answer.answer.push(own.sign(&soa, noon().as_second(), &manner));
    });
    let lines = said(&lab, "good.test").await;
    let expected = format!("CH02_ALGORITHM_NOT_SUPPORTED algo_num=17 {AT_SECOND} rrsets=SOA zone=good.test");
    assert!(lines.contains(&expected), "{lines:?}");
    assert!(!lines.iter().any(|line| line.starts_with("CH01_RRSET_BOGUS")));
}

#[tokio::test]
async fn a_signature_of_the_wrong_length_is_named_for_every_algorithm() {
    for (algorithm, octets) in [(8, 128), (12, 64), (13, 64), (14, 96), (15, 32), (16, 57)] {
        let lab = pocket().await;
        let mut public = vec![7; octets];
        if algorithm == 8 {
            // an exponent of three octets, and a modulus of which the signature would have to have the length
            public[..4].copy_from_slice(&[3, 1, 0, 1]);
        }
        let key = Dnskey::new(256, 3, SecurityAlgorithm::from_int(algorithm), public).unwrap();
        let manner = Manner {
            algorithm: Some(key.algorithm()),
            key_tag: Some(key.key_tag()),
            ..Manner::default()
        };
        let key = record("good.test", 3600, ZoneRecordData::Dnskey(key));
        add_keys(&lab, "good.test", SECOND, vec![key], Vec::new());
        let own = forger(&lab, "good.test");
        change(&lab, SECOND, ("good.test", Rtype::SOA), move |answer| {
            answer.answer.retain(|record| record.rtype() == Rtype::SOA);
            let mut signature = own.sign(&answer.answer, noon().as_second(), &manner);
            if let ZoneRecordData::Rrsig(rrsig) = signature.data_mut() {
                rrsig.set_signature(vec![1; 77]);
            }
            answer.answer.push(signature);
        });
        let lines = said(&lab, "good.test").await;
        let expected = format!("CH02_BAD_LENGTH algo_num={algorithm} {AT_SECOND} rrsets=SOA zone=good.test");
        assert!(lines.contains(&expected), "{expected}: {lines:?}");
    }
}

#[tokio::test]
async fn every_algorithm_of_the_ds_set_must_sign_everything() {
    let lab = pocket().await;
    let own = lab.ds("good.test").unwrap();
    let other = Ds {
        algorithm: 8,
        ..own.clone()
    };
    set_ds(&lab, "good.test", vec![own, other]);
    let lines = said(&lab, "good.test").await;
    let both = "ns_list=ns1.good.test/127.10.3.1;ns2.good.test/127.10.3.2";
    assert!(
        lines.contains(&format!(
            "CH01_ALGORITHM_WITHOUT_ENTRY_POINT algo_mnemo=RSASHA256 algo_num=8 {both} zone=good.test"
        )),
        "{lines:?}"
    );
    let missing = lines
        .iter()
        .find(|line| line.starts_with("CH02_ALGORITHM_OF_DS_MISSING algo_mnemo=RSASHA256 algo_num=8"));
    assert!(
        missing.is_some_and(|line| line.contains("DNSKEY;MX;NS;NSEC3PARAM;SOA")),
        "{lines:?}"
    );
    assert_eq!(chain(&lab, "good.test").await.state, Security::Secure);
}
