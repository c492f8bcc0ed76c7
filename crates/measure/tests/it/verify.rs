//! The measurement that decides a request.

use std::collections::BTreeSet;
use std::sync::Arc;

use lab::{Change, EdnsManner, Event, Fault, FaultRule, Lab};
use measure::{Internet, Profile, RouteTable, Settings, verify};
use model::{Check, Delegation, Level, Verdict, VerdictState};

use crate::case_in_lab::{change, name, noon, pocket, spoil, spoil_type};

async fn verdict(lab: &Lab, check: &Check) -> Verdict {
    verdict_by(lab, check, &Profile::default()).await
}

async fn verdict_by(lab: &Lab, check: &Check, profile: &Profile) -> Verdict {
    let settings = Settings {
        hints: lab.hints(),
        port: lab.port(),
        ..Settings::default()
    };
    verify(&Internet::open(settings).unwrap().inquiry(), check, profile, noon()).await
}

fn cases(zone: &str, case: &str) -> Check {
    Check::Cases {
        zone: name(zone),
        cases: vec![case.to_owned()],
        level: Level::Warning,
    }
}

#[tokio::test]
async fn a_case_holds_once_the_fault_is_gone() {
    let lab = pocket().await;
    let check = cases("plain.test", "delegation06");
    spoil(&lab, "ns1.good.test", Fault::Lame);
    let broken = verdict(&lab, &check).await;
    assert_eq!(broken.state, VerdictState::Fails);
    assert!(broken.findings.iter().any(|finding| finding.tag == "SOA_NOT_EXISTS"));
    change(
        &lab,
        Change::RemoveFault {
            server: "ns1.good.test".to_owned(),
            fault: Fault::Lame,
        },
    );
    let mended = verdict(&lab, &check).await;
    assert_eq!(mended.state, VerdictState::Holds);
    assert!(mended.findings.iter().all(|finding| finding.case == "delegation06"));
}

#[tokio::test]
async fn a_zone_that_went_silent_holds_no_case() {
    let lab = pocket().await;
    for server in ["ns1.good.test", "ns2.good.test"] {
        change(
            &lab,
            Change::Cut {
                server: server.to_owned(),
            },
        );
    }
    let verdict = verdict(&lab, &cases("plain.test", "delegation06")).await;
    assert_eq!(verdict.state, VerdictState::Fails);
    assert!(
        verdict
            .findings
            .iter()
            .any(|finding| finding.tag == "B02_NO_WORKING_NS")
    );
}

#[tokio::test]
async fn nothing_is_said_when_no_root_server_answers() {
    let lab = pocket().await;
    let expected = lab.delegation(&name("good.test")).unwrap();
    for server in ["a.root-pocket.test", "b.root-pocket.test"] {
        change(
            &lab,
            Change::Cut {
                server: server.to_owned(),
            },
        );
    }
    assert_eq!(
        verdict(&lab, &cases("good.test", "basic02")).await.state,
        VerdictState::Unknown
    );
    let check = Check::Delegation {
        zone: name("good.test"),
        expected,
    };
    assert_eq!(verdict(&lab, &check).await.state, VerdictState::Unknown);
}

#[tokio::test]
async fn a_delegation_holds_when_names_ds_and_expected_addresses_are_as_expected() {
    let lab = pocket().await;
    let zone = name("good.test");
    let expected = lab.delegation(&zone).unwrap();
    let with = |expected: &Delegation| Check::Delegation {
        zone: zone.clone(),
        expected: expected.clone(),
    };
    let seen = verdict(&lab, &with(&expected)).await;
    assert_eq!(seen.state, VerdictState::Holds, "{:?} is not {expected:?}", seen.seen);
    assert_eq!(seen.seen.as_ref(), Some(&expected));

    let mut without_addresses = expected.clone();
    without_addresses.ns.values_mut().for_each(BTreeSet::clear);
    assert_eq!(
        verdict(&lab, &with(&without_addresses)).await.state,
        VerdictState::Holds
    );
    let mut without_ds = expected.clone();
    without_ds.ds.clear();
    assert_eq!(verdict(&lab, &with(&without_ds)).await.state, VerdictState::Fails);
    let mut other_address = expected.clone();
    other_address
        .ns
        .values_mut()
        .next()
        .unwrap()
        .insert("192.0.2.1".parse().unwrap());
    assert_eq!(verdict(&lab, &with(&other_address)).await.state, VerdictState::Fails);
}

#[tokio::test]
async fn a_redelegation_is_seen_and_its_repair_too() {
    let lab = pocket().await;
    let zone = name("plain.test");
    let expected = lab.delegation(&zone).unwrap();
    let thief = [(name("ns1.thief.example"), vec!["127.10.9.1".parse().unwrap()])];
    let taken = Change::Redelegate {
        zone: zone.clone(),
        ns: thief.into(),
        ds: Default::default(),
    };
    lab.apply(&Event::new(taken).named("theft")).unwrap();
    let check = Check::Delegation {
        zone: zone.clone(),
        expected,
    };
    let seen = verdict(&lab, &check).await;
    assert_eq!(seen.state, VerdictState::Fails);
    assert!(seen.seen.unwrap().ns.contains_key(&name("ns1.thief.example")));
    lab.apply(&Event::repair("theft")).unwrap();
    assert_eq!(verdict(&lab, &check).await.state, VerdictState::Holds);
}

#[tokio::test]
async fn a_zone_that_the_parent_does_not_have_is_seen_as_delegated_to_nobody() {
    let lab = pocket().await;
    let check = Check::Delegation {
        zone: name("gone.test"),
        expected: Delegation::default(),
    };
    assert_eq!(verdict(&lab, &check).await.seen, Some(Delegation::default()));
}

#[tokio::test]
async fn a_parent_that_does_not_answer_on_ds_is_not_taken_for_one_without() {
    let lab = pocket().await;
    let zone = name("good.test");
    let expected = lab.delegation(&zone).unwrap();
    let check = Check::Delegation { zone, expected };
    for server in ["ns1.nic.test", "ns2.nic.test"] {
        let rule = FaultRule {
            edns: EdnsManner::Silent,
            ..FaultRule::of(Fault::DropsEdns)
        };
        let server = server.to_owned();
        change(&lab, Change::AddFault { server, rule });
    }
    assert_eq!(
        verdict(&lab, &check).await.state,
        VerdictState::Holds,
        "asked without EDNS"
    );
    for server in ["ns1.nic.test", "ns2.nic.test"] {
        spoil_type(&lab, server, Fault::Servfail, "DS");
    }
    assert_eq!(verdict(&lab, &check).await.state, VerdictState::Unknown);
}

#[tokio::test]
async fn it_is_judged_by_the_tables_of_the_centre() {
    let lab = pocket().await;
    let check = cases("good.test", "connectivity03");
    for (routes, state) in [
        ("127.0.0.0/8 64500\n", VerdictState::Fails),
        ("127.10.3.1/32 64500\n127.10.3.2/32 64501\n", VerdictState::Holds),
    ] {
        let table = RouteTable::read("routes", routes.as_bytes(), None).unwrap();
        let mut profile = Profile::default();
        profile.routes = Some(Arc::new(table));
        let verdict = verdict_by(&lab, &check, &profile).await;
        assert_eq!(verdict.state, state, "{routes}{:?}", verdict.findings);
    }
}
