//! KINDNS: what was measured and what was said, told apart.

use std::net::IpAddr;

use jiff::civil::{Date, date};
use metrics::kindns::{Assessment, Attestation, Category, Evidence, Measured, Practice, Standing, assess};
use model::{Finding, Level};

use crate::story::finding;

const TODAY: Date = date(2026, 11, 25);

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// A zone on which every case that matters ran and found nothing.
fn sound() -> Vec<Finding> {
    let cases = ["dnssec07", "dnssec08", "nameserver01", "nameserver03", "delegation01"];
    cases.map(|case| finding(case, "FINE", Level::Info)).to_vec()
}

fn attested(practice: Practice, follows: bool, on: Date) -> Attestation {
    Attestation {
        practice,
        follows,
        by: "NIC Example".to_owned(),
        on,
        text: "reviewed by two people".to_owned(),
    }
}

fn of(assessments: &[Assessment], practice: Practice) -> &Assessment {
    assessments
        .iter()
        .find(|assessment| assessment.practice == practice)
        .unwrap()
}

fn zone(findings: &[Finding], addresses: &[IpAddr], attestations: &[Attestation]) -> Vec<Assessment> {
    let measured = Measured { findings, addresses };
    assess(Category::Zone, Some(measured), attestations, TODAY)
}

#[test]
fn what_is_measured_holds_in_part_until_somebody_vouches_for_the_rest() {
    let two_nets = addresses(&["192.0.2.1", "198.51.100.1"]);
    let measured = zone(&sound(), &two_nets, &[]);
    let standing = |practice| of(&measured, practice).standing;
    assert_eq!(standing(Practice::Signed), Standing::HoldsInPart);
    assert_eq!(standing(Practice::Redundant), Standing::HoldsInPart);
    assert_eq!(
        standing(Practice::Separated),
        Standing::Holds,
        "all of it is seen from outside"
    );
    assert_eq!(standing(Practice::Monitored), Standing::Unknown);

    let vouched = attested(Practice::Signed, true, date(2026, 3, 1));
    let both = zone(&sound(), &two_nets, &[vouched]);
    let signed = of(&both, Practice::Signed);
    assert_eq!(
        (signed.standing, signed.measured, signed.attested),
        (Standing::Holds, Some(true), Some(true))
    );
    assert!(matches!(
        &signed.evidence[..],
        [Evidence::Passed { .. }, .., Evidence::Attested { is_stale: false, .. }]
    ));
}

#[test]
fn a_measurement_outweighs_what_was_attested() {
    let mut findings = sound();
    findings.push(finding("nameserver03", "AXFR_AVAILABLE", Level::Notice));
    let attestations = [attested(Practice::TransferLimited, true, TODAY)];
    let assessments = zone(&findings, &[], &attestations);
    let transfer = of(&assessments, Practice::TransferLimited);
    assert_eq!((transfer.standing, transfer.attested), (Standing::Broken, Some(true)));
    assert!(matches!(&transfer.evidence[0], Evidence::Found { finding } if finding.tag == "AXFR_AVAILABLE"));
}

#[test]
fn each_measured_practice_breaks_by_what_speaks_against_it() {
    for (practice, case, tag, level) in [
        (Practice::Signed, "dnssec07", "DS07_NOT_SIGNED", Level::Warning),
        (Practice::Signed, "dnssec08", "DS08_RRSIG_EXPIRED", Level::Error),
        (Practice::Separated, "nameserver01", "IS_A_RECURSOR", Level::Error),
        (Practice::Redundant, "delegation01", "NOT_ENOUGH_NS_DEL", Level::Error),
    ] {
        let mut findings = sound();
        findings.push(finding(case, tag, level));
        assert_eq!(
            of(&zone(&findings, &[], &[]), practice).standing,
            Standing::Broken,
            "{tag}"
        );
    }
    let mild = finding("dnssec07", "DS07_SOMETHING", Level::Warning);
    assert_ne!(
        of(&zone(&[mild], &[], &[]), Practice::Signed).standing,
        Standing::Broken
    );
}

#[test]
fn name_servers_in_one_subnet_are_not_redundant() {
    for (texts, count, holds) in [
        (&["192.0.2.1", "192.0.2.9"][..], 1, false),
        (&["192.0.2.1", "198.51.100.1"], 2, true),
        (&["2001:db8:1::1", "2001:db8:1:2::1"], 1, false),
        (&["2001:db8:1::1", "2001:db8:2::1"], 2, true),
        (&["192.0.2.1", "2001:db8:1::1"], 1, false),
    ] {
        let assessments = zone(&sound(), &addresses(texts), &[]);
        let redundant = of(&assessments, Practice::Redundant);
        assert_eq!(redundant.measured, Some(holds), "{texts:?}");
        assert!(redundant.evidence.contains(&Evidence::Subnets { count }), "{texts:?}");
    }
}

#[test]
fn a_case_that_did_not_run_says_nothing() {
    let assessments = zone(&[finding("basic02", "B02_NO_WORKING_NS", Level::Critical)], &[], &[]);
    assert!(
        assessments
            .iter()
            .all(|assessment| assessment.standing == Standing::Unknown)
    );
    assert!(
        assess(Category::Zone, None, &[], TODAY)
            .iter()
            .all(|assessment| assessment.measured.is_none())
    );
}

#[test]
fn an_old_attestation_is_shown_but_does_not_count_and_the_newest_decides() {
    let old = attested(Practice::Monitored, true, date(2025, 1, 1));
    let stale = zone(&sound(), &[], std::slice::from_ref(&old));
    let monitored = of(&stale, Practice::Monitored);
    assert_eq!((monitored.standing, monitored.attested), (Standing::Unknown, None));
    assert!(matches!(
        monitored.evidence[..],
        [Evidence::Attested { is_stale: true, .. }]
    ));

    let newer = [
        attested(Practice::Monitored, false, date(2026, 10, 1)),
        attested(Practice::Monitored, true, date(2026, 9, 1)),
        old,
    ];
    let assessments = zone(&sound(), &[], &newer);
    assert_eq!(of(&assessments, Practice::Monitored).standing, Standing::Broken);
}

#[test]
fn a_critical_zone_is_asked_for_diversity_and_a_resolver_for_other_things() {
    let practices = |category: Category| {
        category
            .practices()
            .iter()
            .map(|(practice, _)| *practice)
            .collect::<Vec<_>>()
    };
    assert!(practices(Category::CriticalZone).contains(&Practice::Diverse));
    assert!(!practices(Category::Zone).contains(&Practice::Diverse));
    assert!(practices(Category::PublicResolver).contains(&Practice::Minimises));
    assert!(!practices(Category::PrivateResolver).contains(&Practice::Minimises));
}
