//! What dnsviz finds and the cases of the field find as well: each of it once in the lab.

use std::collections::BTreeMap;

use domain::base::iana::{Rtype, SecurityAlgorithm};
use domain::rdata::{Cdnskey, Dnskey, ZoneRecordData};
use lab::{Change, DsChange, Fault, Lab};

use super::forge::{Proof, SECOND, add_keys, change as change_signed, forger, new_key, record, replace_proofs, signed};
use crate::case_in_lab::{change, name, pocket, said, spoil};

async fn expect(lab: &Lab, zone: &str, case: &str, tag: &str) {
    let lines = said(lab, zone, case).await;
    assert!(
        lines.iter().any(|line| line.split(' ').next() == Some(tag)),
        "no {tag} in {lines:?}"
    );
}

#[tokio::test]
async fn algorithms_of_keys_are_judged_by_the_registry() {
    for (algorithm, tag) in [
        (10, "DS05_ALGO_NOT_RECOMMENDED"),
        (5, "DS05_ALGO_DEPRECATED"),
        (18, "DS05_ALGO_UNASSIGNED"),
    ] {
        let lab = pocket().await;
        let key = Dnskey::new(256, 3, SecurityAlgorithm::from_int(algorithm), vec![3; 200]).unwrap();
        let key = record("good.test", 3600, ZoneRecordData::Dnskey(key));
        add_keys(&lab, "good.test", SECOND, vec![key], Vec::new());
        expect(&lab, "good.test", "dnssec05", tag).await;
        expect(&lab, "good.test", "dnssec13", "DS13_ALGO_NOT_SIGNED_SOA").await;
    }
}

#[tokio::test]
async fn servers_that_answer_nonsense_or_nothing_are_named() {
    for (fault, case, tag) in [
        (Fault::Garbage, "basic02", "B02_NS_NO_RESPONSE"),
        (Fault::Silent, "basic02", "B02_NS_NO_RESPONSE"),
        (Fault::Servfail, "basic02", "B02_UNEXPECTED_RCODE"),
        (Fault::NotAuthoritative, "basic02", "B02_NS_NOT_AUTH"),
        (Fault::Silent, "connectivity01", "CN01_NO_RESPONSE_UDP"),
        (Fault::UdpOnly, "connectivity02", "CN02_NO_RESPONSE_TCP"),
        (Fault::Servfail, "connectivity01", "CN01_UNEXPECTED_RCODE_SOA_QUERY_UDP"),
        (Fault::Servfail, "connectivity02", "CN02_UNEXPECTED_RCODE_SOA_QUERY_TCP"),
    ] {
        let lab = pocket().await;
        for server in ["127.10.3.1", SECOND] {
            spoil(&lab, server, fault);
        }
        expect(&lab, "good.test", case, tag).await;
    }
}

#[tokio::test]
async fn delegations_that_differ_from_the_zone_are_named() {
    let lab = pocket().await;
    change(
        &lab,
        Change::Redelegate {
            zone: name("good.test"),
            ns: BTreeMap::from([
                (name("ns1.good.test"), vec!["127.10.3.1".parse().unwrap()]),
                (name("ns2.good.test"), vec!["127.10.3.9".parse().unwrap()]),
                (name("ns3.good.test"), vec!["127.10.3.2".parse().unwrap()]),
            ]),
            ds: DsChange::Keep,
        },
    );
    expect(&lab, "good.test", "consistency05", "IN_BAILIWICK_ADDR_MISMATCH").await;
    expect(&lab, "good.test", "delegation07", "EXTRA_NAME_PARENT").await;
    expect(&lab, "good.test", "delegation01", "NO_IPV6_NS_DEL").await;
    let lab = pocket().await;
    change(
        &lab,
        Change::Redelegate {
            zone: name("good.test"),
            ns: BTreeMap::from([(name("ns1.good.test"), vec!["::1".parse().unwrap()])]),
            ds: DsChange::Keep,
        },
    );
    expect(&lab, "good.test", "delegation01", "NO_IPV4_NS_DEL").await;
    let lab = pocket().await;
    change(
        &lab,
        Change::Redelegate {
            zone: name("good.test"),
            ns: BTreeMap::from([(name("ns1.good.test"), vec!["127.10.3.1".parse().unwrap()])]),
            ds: DsChange::Keep,
        },
    );
    expect(&lab, "good.test", "delegation07", "EXTRA_NAME_CHILD").await;
    let lab = pocket().await;
    change(
        &lab,
        Change::Redelegate {
            zone: name("good.test"),
            ns: BTreeMap::from([(name("ns.gone.test"), vec![])]),
            ds: DsChange::Keep,
        },
    );
    expect(&lab, "good.test", "basic02", "B02_NS_NO_IP_ADDR").await;
}

#[tokio::test]
async fn settings_of_nsec3_that_cost_for_nothing_are_named() {
    let lab = pocket().await;
    for server in ["127.10.3.1", SECOND] {
        let key = forger(&lab, "good.test");
        change_signed(&lab, server, ("good.test", Rtype::NSEC), move |answer| {
            let proof = Proof {
                iterations: 5,
                salt: vec![0xaa, 0xbb],
                ..Proof::at("good.test", "good.test", &[Rtype::SOA, Rtype::NS])
            };
            replace_proofs(answer, vec![signed(&key, vec![proof.record()])]);
        });
    }
    expect(&lab, "good.test", "dnssec03", "DS03_ILLEGAL_ITERATION_VALUE").await;
    expect(&lab, "good.test", "dnssec03", "DS03_ILLEGAL_SALT_LENGTH").await;
}

#[tokio::test]
async fn wishes_that_contradict_each_other_are_named() {
    let lab = pocket().await;
    let key = new_key("good.test", 257);
    let cdnskey = |flags: u16, algorithm: SecurityAlgorithm, octets: Vec<u8>| {
        let data = Cdnskey::new(flags, 3, algorithm, octets).unwrap();
        record("good.test", 300, ZoneRecordData::Cdnskey(data))
    };
    let wish = cdnskey(257, key.dnskey().algorithm(), key.dnskey().public_key().clone());
    let delete = cdnskey(0, SecurityAlgorithm::from_int(0), vec![0]);
    let cds = domain::rdata::Cds::new(
        key.ds().key_tag,
        key.dnskey().algorithm(),
        domain::base::iana::DigestAlgorithm::SHA256,
        vec![7; 32],
    );
    let cds = record("good.test", 300, ZoneRecordData::Cds(cds.unwrap()));
    lab.tamper(SECOND.parse().unwrap(), move |answer| {
        let records = match answer.qtype {
            Rtype::CDNSKEY => vec![wish.clone(), delete.clone()],
            Rtype::CDS => vec![cds.clone()],
            _ => return,
        };
        answer.answer = signed(&key, records);
        answer.authority.clear();
    });
    for (case, tag) in [
        ("dnssec15", "DS15_INCONSISTENT_CDNSKEY"),
        ("dnssec15", "DS15_INCONSISTENT_CDS"),
        ("dnssec15", "DS15_MISMATCH_CDS_CDNSKEY"),
        ("dnssec17", "DS17_MIXED_DELETE_CDNSKEY"),
        ("dnssec18", "DS18_NO_MATCH_CDNSKEY_RRSIG_DS"),
        ("dnssec18", "DS18_NO_MATCH_CDS_RRSIG_DS"),
    ] {
        expect(&lab, "good.test", case, tag).await;
    }
}
