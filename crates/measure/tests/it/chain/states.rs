//! States of zones, RRsets, keys and delegations.

use lab::{Change, Fault};
use measure::{CheckPlan, Internet, Report, Rtype, Settings, Undelegated, check};
use model::Security::{self, Bogus, Indeterminate, Insecure, Secure};

use super::{chain, said, states};
use crate::case_in_lab::{change, name, noon, pocket, set_ds, settings, spoil, spoil_type};

fn path(links: &[(&str, Security)]) -> Vec<(String, Security)> {
    links.iter().map(|(zone, state)| ((*zone).to_owned(), *state)).collect()
}

#[tokio::test]
async fn a_whole_chain_is_secure_from_the_root_to_every_rrset() {
    let lab = pocket().await;
    for (zone, zones) in [
        ("good.test", vec![".", "test", "good.test"]),
        ("shop.example", vec![".", "example", "shop.example"]),
        ("test", vec![".", "test"]),
        (".", vec!["."]),
    ] {
        assert_eq!(
            said(&lab, zone).await,
            [format!("CH01_SECURE domain={zone} zone={zone}")]
        );
        let chain = chain(&lab, zone).await;
        let expected: Vec<_> = zones.iter().map(|zone| (*zone, Secure)).collect();
        assert_eq!(states(&chain), path(&expected));
        assert_eq!(chain.state, Secure);
        for link in &chain.links {
            let rrsets = link.rrsets.iter().map(|rrset| rrset.state);
            let absences = link.absences.iter().map(|absence| absence.state);
            assert!(rrsets.chain(absences).all(|state| state == Secure), "{zone}: {link:?}");
            assert!(link.keys.iter().all(|key| key.is_trusted && key.state == Secure));
        }
    }
}

#[tokio::test]
async fn an_unsigned_delegation_proven_by_the_parent_is_insecure() {
    let lab = pocket().await;
    let chain = chain(&lab, "plain.test").await;
    assert_eq!(
        states(&chain),
        path(&[(".", Secure), ("test", Secure), ("plain.test", Insecure)])
    );
    assert_eq!(
        said(&lab, "plain.test").await,
        ["CH01_INSECURE domain=plain.test zone=plain.test"]
    );
    let proof = &chain.links[1].absences[0];
    assert_eq!((proof.name.to_string().as_str(), proof.state), ("plain.test", Secure));
    assert_eq!(proof.servers.len(), 2);
}

#[tokio::test]
async fn a_key_without_its_ds_makes_the_zone_bogus_and_all_it_says() {
    let lab = pocket().await;
    change(
        &lab,
        Change::SwapKey {
            zone: "good.test".to_owned(),
            ds_follows: false,
        },
    );
    let chain = chain(&lab, "good.test").await;
    assert_eq!(
        states(&chain),
        path(&[(".", Secure), ("test", Secure), ("good.test", Bogus)])
    );
    assert!(chain.links[2].rrsets.iter().all(|rrset| rrset.state == Bogus));
    assert_eq!(
        said(&lab, "good.test").await,
        [
            "CH01_BOGUS domain=good.test zone=good.test",
            "CH01_NO_ENTRY_POINT ns_list=ns1.good.test/127.10.3.1;ns2.good.test/127.10.3.2 zone=good.test"
        ]
    );
}

#[tokio::test]
async fn what_breaks_above_is_named_where_it_breaks() {
    let lab = pocket().await;
    change(
        &lab,
        Change::SwapKey {
            zone: "test".to_owned(),
            ds_follows: false,
        },
    );
    let chain = chain(&lab, "good.test").await;
    assert_eq!(
        states(&chain),
        path(&[(".", Secure), ("test", Bogus), ("good.test", Bogus)])
    );
    assert!(
        said(&lab, "good.test")
            .await
            .contains(&"CH01_BOGUS domain=good.test zone=test".to_owned())
    );
}

#[tokio::test]
async fn a_ds_that_the_zone_above_does_not_sign_is_a_fault_of_the_zone_above() {
    let lab = pocket().await;
    for server in ["127.10.1.1", "127.10.1.2"] {
        super::forge::change(&lab, server, ("good.test", Rtype::DS), |answer| {
            answer.answer.retain(|record| record.rtype() != Rtype::RRSIG);
        });
    }
    let lines = said(&lab, "good.test").await;
    assert!(
        lines.contains(&"CH01_BOGUS domain=good.test zone=test".to_owned()),
        "{lines:#?}"
    );
}

#[tokio::test]
async fn one_stale_server_is_named_and_the_zone_stays_secure() {
    let lab = pocket().await;
    spoil(&lab, "127.10.3.2", Fault::ExpiredSignatures);
    let chain = chain(&lab, "good.test").await;
    assert_eq!(chain.state, Secure);
    let soa = |state| {
        let rrsets = chain.links[2].rrsets.iter();
        let soa = rrsets.filter(move |rrset| rrset.rtype == 6 && rrset.state == state);
        soa.flat_map(|rrset| rrset.servers.iter().map(ToString::to_string))
            .collect::<Vec<_>>()
    };
    assert_eq!(soa(Secure), ["127.10.3.1"]);
    assert_eq!(soa(Bogus), ["127.10.3.2"]);
    let lines = said(&lab, "good.test").await;
    let stale = "ns_list=ns2.good.test/127.10.3.2";
    assert!(
        lines
            .iter()
            .all(|line| line.contains(stale) || line.starts_with("CH01_SECURE"))
    );
    let expired = lines.iter().find(|line| line.starts_with("CH02_EXPIRED")).unwrap();
    assert!(expired.contains("DNSKEY;MX;NS;NSEC3PARAM;SOA"), "{expired}");
}

#[tokio::test]
async fn one_stale_server_of_the_parent_is_named() {
    let lab = pocket().await;
    spoil(&lab, "127.10.1.2", Fault::WrongSignatures);
    assert_eq!(chain(&lab, "good.test").await.state, Secure);
    let stale = "ns_list=ns2.nic.test/127.10.1.2";
    assert_eq!(
        said(&lab, "good.test").await,
        [
            format!("CH01_RRSET_BOGUS {stale} rrsets=DNSKEY;good.test DS zone=test"),
            "CH01_SECURE domain=good.test zone=good.test".to_owned(),
            format!("CH02_DOES_NOT_VERIFY algo_num=13 {stale} rrsets=DNSKEY;good.test DS zone=test"),
        ]
    );
}

#[tokio::test]
async fn a_zone_whose_keys_nobody_gives_is_indeterminate() {
    let lab = pocket().await;
    for server in ["127.10.3.1", "127.10.3.2"] {
        spoil_type(&lab, server, Fault::Servfail, "DNSKEY");
    }
    assert_eq!(chain(&lab, "good.test").await.state, Indeterminate);
    assert_eq!(
        said(&lab, "good.test").await,
        ["CH01_INDETERMINATE domain=good.test zone=good.test"]
    );
}

#[tokio::test]
async fn an_algorithm_that_nobody_here_knows_makes_the_zone_insecure() {
    let lab = pocket().await;
    let mut ds = lab.ds("good.test").unwrap();
    ds.algorithm = 17;
    set_ds(&lab, "good.test", vec![ds]);
    let lines = said(&lab, "good.test").await;
    assert!(
        lines.contains(&"CH01_INSECURE domain=good.test zone=good.test".to_owned()),
        "{lines:?}"
    );
    assert!(
        lines.contains(&"CH01_ALGORITHMS_NOT_SUPPORTED algo_num=17 zone=good.test".to_owned()),
        "{lines:?}"
    );
}

async fn report_with(lab: &lab::Lab, settings: Settings, undelegated: Option<Undelegated>) -> Report {
    let inquiry = Internet::open(settings).unwrap().inquiry();
    let plan = CheckPlan {
        undelegated,
        ..CheckPlan::of(name("good.test"))
    };
    let _ = lab;
    check(&inquiry, &plan, noon()).await
}

#[tokio::test]
async fn without_an_anchor_nothing_is_known_and_with_a_wrong_one_all_is_bogus() {
    let lab = pocket().await;
    let none = Settings {
        anchors: Vec::new(),
        ..settings(&lab)
    };
    let report = report_with(&lab, none, None).await;
    assert_eq!(report.chain.as_ref().unwrap().state, Indeterminate);
    assert!(
        report
            .findings
            .iter()
            .any(|(_, finding)| finding.tag == "CH01_NO_ANCHOR")
    );
    let wrong = Settings {
        anchors: measure::root_anchors(),
        ..settings(&lab)
    };
    let report = report_with(&lab, wrong, None).await;
    assert_eq!(
        states(report.chain.as_ref().unwrap()),
        path(&[(".", Bogus), ("test", Bogus), ("good.test", Bogus)])
    );
}

#[tokio::test]
async fn an_anchor_below_the_root_makes_an_island_secure() {
    let lab = pocket().await;
    let anchor = measure::Anchor {
        zone: name("good.test"),
        ds: lab.ds("good.test").unwrap(),
    };
    let island = Settings {
        anchors: vec![anchor],
        ..settings(&lab)
    };
    let report = report_with(&lab, island, None).await;
    assert_eq!(
        states(report.chain.as_ref().unwrap()),
        path(&[(".", Indeterminate), ("test", Indeterminate), ("good.test", Secure)])
    );
}

#[tokio::test]
async fn a_delegation_that_is_given_stands_on_the_ds_that_is_given() {
    let lab = pocket().await;
    let ns = vec![(name("ns1.good.test"), "127.10.3.1".parse().ok())];
    for (ds, state) in [
        (vec![lab.ds("good.test").unwrap()], Secure),
        (vec![lab.ds("shop.example").unwrap()], Bogus),
        (vec![], Insecure),
    ] {
        let given = Undelegated { ns: ns.clone(), ds };
        let report = report_with(&lab, settings(&lab), Some(given)).await;
        assert_eq!(report.chain.unwrap().state, state);
    }
}

#[tokio::test]
async fn a_chain_is_kept_in_the_report_and_judged_again_from_saved_exchanges() {
    let lab = pocket().await;
    spoil(&lab, "127.10.3.2", Fault::ExpiredSignatures);
    let inquiry = Internet::open(settings(&lab)).unwrap().inquiry();
    let plan = CheckPlan::of(name("good.test"));
    let report = check(&inquiry, &plan, noon()).await;
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    let restored = measure::Inquiry::restore(&inquiry.save()).unwrap();
    assert_eq!(check(&restored, &plan, noon()).await.chain, report.chain);
}
