//! The score of a zone, recomputed by hand.

use metrics::Share;
use metrics::score::{Input, Part, Region, Score, score};
use model::{Finding, Level};
use proptest::prelude::*;

use crate::story::finding;

fn region(code: &str, good: u64, all: u64, median_ms: u64) -> Region {
    Region {
        code: code.to_owned(),
        answered: Share::of(good, all),
        udp_median_us: Some(median_ms * 1000),
    }
}

fn scored(regions: &[Region], findings: &[Finding], is_secured: bool, as_expected: Option<bool>) -> Score {
    score(&Input {
        regions,
        findings: Some(findings),
        is_secured,
        as_expected,
    })
}

#[test]
fn a_healthy_zone_has_a_hundred() {
    let score = scored(
        &[region("EU", 1000, 1000, 30), region("AF", 1000, 1000, 240)],
        &[],
        true,
        Some(true),
    );
    assert_eq!(score.points, Some(100));
    assert!(Part::ALL.iter().all(|part| score.parts[part] == Some(100)));
}

#[test]
fn the_region_that_is_worst_off_decides() {
    let regions = [
        region("EU", 1000, 1000, 30),
        region("AF", 960, 1000, 700),
        region("LAC", 990, 1000, 40),
    ];
    let score = scored(&regions, &[], false, Some(true));
    assert_eq!(
        (score.parts[&Part::Reach], score.reach_region.as_deref()),
        (Some(60), Some("AF"))
    );
    // 700 ms: 450 of the 2250 ms between quick and lost, 20 points
    assert_eq!(
        (score.parts[&Part::Speed], score.speed_region.as_deref()),
        (Some(80), Some("AF"))
    );
    assert_eq!(score.points, Some(60));
}

#[test]
fn each_part_falls_in_a_straight_line_between_its_ends() {
    for (good, points) in [(1000, 100), (999, 99), (990, 90), (960, 60), (900, 0), (0, 0)] {
        let score = scored(&[region("EU", good, 1000, 30)], &[], false, None);
        assert_eq!(score.parts[&Part::Reach], Some(points), "{good} of 1000");
    }
    for (median_ms, points) in [(0, 100), (250, 100), (1375, 50), (2500, 0), (9000, 0)] {
        let score = scored(&[region("EU", 1000, 1000, median_ms)], &[], false, None);
        assert_eq!(score.parts[&Part::Speed], Some(points), "{median_ms} ms");
    }
}

#[test]
fn findings_count_by_case_and_not_by_message() {
    let error = |case| finding(case, "T", Level::Error);
    let warning = |case| finding(case, "T", Level::Warning);
    let notice = finding("zone02", "T", Level::Notice);
    for (findings, points, cases) in [
        (vec![notice.clone()], 100, (0, 0)),
        (vec![warning("zone02"), warning("zone02"), notice], 95, (0, 1)),
        (vec![error("delegation01"), warning("delegation01")], 60, (1, 0)),
        (
            vec![error("delegation01"), error("delegation04"), warning("zone02")],
            15,
            (2, 1),
        ),
        (vec![error("a"), error("b"), error("c")], 0, (3, 0)),
    ] {
        let score = scored(&[], &findings, false, None);
        assert_eq!(
            (score.parts[&Part::Soundness], score.cases),
            (Some(points), cases),
            "{findings:?}"
        );
    }
}

#[test]
fn a_zone_that_nobody_can_use_has_nothing() {
    let critical = [finding("basic02", "B02_NO_WORKING_NS", Level::Critical)];
    assert_eq!(scored(&[], &critical, false, None).points, Some(0));
    let bogus = [finding("dnssec08", "DS08_RRSIG_EXPIRED", Level::Error)];
    assert_eq!(
        scored(&[], &bogus, true, None).points,
        Some(0),
        "secured: those who validate get nothing"
    );
    assert_eq!(
        scored(&[], &bogus, false, None).points,
        Some(60),
        "without DS nobody validates"
    );
}

#[test]
fn a_delegation_that_is_not_the_expected_one_leaves_nothing_of_the_rest() {
    let fine = [region("EU", 1000, 1000, 30)];
    assert_eq!(scored(&fine, &[], true, Some(false)).points, Some(0));
    let unknown = scored(&fine, &[], true, None);
    assert_eq!((unknown.parts[&Part::Delegation], unknown.points), (None, Some(100)));
}

#[test]
fn what_is_not_known_is_left_out_and_too_few_questions_tell_nothing() {
    let nothing = score(&Input {
        regions: &[],
        findings: None,
        is_secured: false,
        as_expected: None,
    });
    assert_eq!(nothing.points, None);
    let few = scored(&[region("EU", 0, 19, 30)], &[], false, None);
    assert_eq!((few.parts[&Part::Reach], few.points), (None, Some(100)));
}

proptest! {
    #[test]
    fn worse_figures_never_give_a_better_score(
        good in 0_u64..1000, fewer in 0_u64..1000, median in 0_u64..4000, slower in 0_u64..4000, errors in 0_usize..4,
    ) {
        let findings = |count: usize| -> Vec<Finding> {
            (0..count).map(|n| finding(&format!("case{n}"), "T", Level::Error)).collect()
        };
        let better = scored(&[region("EU", good, 1000, median)], &findings(errors), false, None);
        let worse = scored(
            &[region("EU", good.saturating_sub(fewer), 1000, median + slower)], &findings(errors + 1), false, None,
        );
        prop_assert!(worse.points <= better.points);
        prop_assert!(better.points.unwrap() <= 100);
    }
}
