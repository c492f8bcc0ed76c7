//! Health: rounds in, signals out. A line of a story is `TIME case=LEVEL …`, with `untestable` or `only:case,case`
//! where a round was so.

use detect::health::{Config, Round, State, step};
use insta::assert_snapshot;
use jiff::Timestamp;
use model::{Finding, Level, Name, Severity};
use proptest::prelude::*;

fn finding(case: &str, level: Level) -> Finding {
    Finding {
        case: case.to_owned(),
        tag: format!("{}_TAG", case.to_uppercase()),
        level,
        args: Default::default(),
        vantage_point: None,
    }
}

/// Plays the rounds through the state's JSON form and tells what followed from each, quiet rounds left out.
fn play(secured: impl Into<Option<bool>>, story: &str) -> String {
    let zone: Name = "shop.example".parse().unwrap();
    let secured = secured.into();
    let mut state = State::default();
    let mut told = String::new();
    for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        let clock = words.next().unwrap();
        let time: Timestamp = format!("2026-11-23T{clock}:00Z").parse().unwrap();
        let mut findings = Vec::new();
        let mut cases: Option<Vec<String>> = None;
        let mut untestable = false;
        for word in words {
            if let Some((case, level)) = word.split_once('=') {
                findings.push(finding(case, level.parse().unwrap()));
            } else if let Some(list) = word.strip_prefix("only:") {
                cases = Some(list.split(',').map(str::to_owned).collect());
            } else {
                assert_eq!(word, "untestable");
                untestable = true;
            }
        }
        let round = Round {
            zone: &zone,
            time,
            findings: &findings,
            cases: cases.as_deref(),
            above: &[],
            secured,
            untestable,
        };
        let kept: State = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
        assert_eq!(kept, state);
        let after = step(&Config::default(), kept, &round);
        for signal in &after.signals {
            let openings = if signal.args["openings"] == "1" {
                ""
            } else {
                " (flapping)"
            };
            told += &format!(
                "{clock} {} {}: {}{openings}\n",
                signal.severity, signal.key, signal.args["cases"]
            );
        }
        for key in &after.recovered {
            told += &format!("{clock} ended {key}\n");
        }
        if after.confirm_soon {
            told += &format!("{clock} confirm\n");
        }
        state = after.state;
    }
    told
}

#[test]
fn an_error_is_told_when_a_second_round_confirms_it() {
    assert_snapshot!(play(true, "
        10:00
        10:01 zone10=error
        10:02 zone10=error
        10:03 zone10=error
        10:04
        10:05
    "), @r"
    10:01 confirm
    10:02 review health:shop.example:health-worse: zone10
    10:05 ended health:shop.example:health-worse
    ");
}

#[test]
fn one_bad_round_is_no_event() {
    assert_snapshot!(play(true, "
        10:00
        10:01 zone10=error
        10:02
        10:03 zone10=error
        10:04
    "), @r"
    10:01 confirm
    10:03 confirm
    ");
}

#[test]
fn an_unreachable_zone_calls_at_once_and_once_whatever_else_fails() {
    assert_snapshot!(play(true, "
        10:00
        10:01 basic02=critical connectivity01=error nameserver02=error
        10:02 basic02=critical connectivity01=error nameserver02=error
        10:03
        10:04
    "), @r"
    10:01 page health:shop.example:zone-unreachable: basic02
    10:04 ended health:shop.example:zone-unreachable
    ");
}

#[test]
fn what_cannot_be_judged_while_the_zone_is_unreachable_stays_as_it_was() {
    assert_snapshot!(play(true, "
        10:00
        10:01 dnssec09=error
        10:02 dnssec09=error
        10:03 basic02=critical
        10:04 basic02=critical
        10:05 dnssec09=error
        10:06 dnssec09=error
        10:07
        10:08
    "), @r"
    10:01 confirm
    10:02 page health:shop.example:signatures-invalid: dnssec09
    10:03 page health:shop.example:zone-unreachable: basic02
    10:06 ended health:shop.example:zone-unreachable
    10:08 ended health:shop.example:signatures-invalid
    ");
}

#[test]
fn invalid_signatures_are_one_matter_and_call_where_a_ds_makes_them_count() {
    let story = "
        10:00
        10:01 dnssec08=error dnssec09=error dnssec04=error
        10:02 dnssec08=error dnssec09=error dnssec04=error
    ";
    assert_snapshot!(play(true, story), @r"
    10:01 confirm
    10:02 page health:shop.example:signatures-invalid: dnssec04, dnssec08, dnssec09
    ");
    assert_snapshot!(play(false, story), @r"
    10:01 confirm
    10:02 review health:shop.example:signatures-invalid: dnssec04, dnssec08, dnssec09
    ");
    assert_eq!(
        play(None::<bool>, story),
        play(true, story),
        "a DS that was not seen counts as one"
    );
}

#[test]
fn a_matter_that_grows_is_told_again_under_its_key() {
    assert_snapshot!(play(true, "
        10:00
        10:01 zone10=warning
        10:02 zone10=warning
        10:03 zone10=error consistency01=warning
        10:04 zone10=error consistency01=warning
        10:05 zone10=warning consistency01=warning
        10:06 zone10=warning consistency01=warning
        10:07
        10:08
    "), @r"
    10:01 confirm
    10:02 log health:shop.example:health-worse: zone10
    10:03 confirm
    10:04 review health:shop.example:health-worse: consistency01, zone10
    10:08 ended health:shop.example:health-worse
    ");
}

#[test]
fn what_was_broken_before_we_watched_is_for_review_and_old_warnings_are_no_event() {
    assert_snapshot!(play(true, "
        10:00 dnssec09=error delegation01=warning
        10:01 dnssec09=error delegation01=warning
        10:02 delegation01=warning
        10:03 delegation01=warning
    "), @r"
    10:00 review health:shop.example:health-worse: dnssec09
    10:03 ended health:shop.example:health-worse
    ");
}

#[test]
fn a_matter_that_gets_critical_moves_to_its_own_kind() {
    assert_snapshot!(play(true, "
        10:00
        10:01 basic02=error
        10:02 basic02=error
        10:03 basic02=critical
        10:04
        10:05
    "), @r"
    10:01 confirm
    10:02 review health:shop.example:health-worse: basic02
    10:03 page health:shop.example:zone-unreachable: basic02
    10:03 ended health:shop.example:health-worse
    10:05 ended health:shop.example:zone-unreachable
    ");
}

#[test]
fn a_zone_that_flaps_every_other_round_is_one_matter() {
    let story: String = (0..60)
        .map(|minute| {
            format!(
                "10:{minute:02} {}\n",
                if minute % 2 == 1 { "basic02=critical" } else { "" }
            )
        })
        .collect();
    assert_snapshot!(play(true, &story), @"10:01 page health:shop.example:zone-unreachable: basic02");
}

#[test]
fn a_zone_that_flaps_slowly_calls_once_and_takes_longer_to_end_each_time() {
    let story: String = (0..60)
        .map(|minute| {
            format!(
                "10:{minute:02} {}\n",
                if minute % 6 == 1 { "basic02=critical" } else { "" }
            )
        })
        .collect();
    assert_snapshot!(play(true, &story), @r"
    10:01 page health:shop.example:zone-unreachable: basic02
    10:03 ended health:shop.example:zone-unreachable
    10:07 review health:shop.example:zone-unreachable: basic02 (flapping)
    10:11 ended health:shop.example:zone-unreachable
    10:13 review health:shop.example:zone-unreachable: basic02 (flapping)
    ");
}

#[test]
fn rounds_that_could_not_be_run_and_cases_that_were_not_say_nothing() {
    assert_snapshot!(play(true, "
        10:00
        10:01 zone10=error
        10:02 untestable
        10:03 only:basic02
        10:04 only:basic02,zone10 zone10=error
        10:05 untestable
        10:06
        10:07 only:basic02
        10:08
    "), @r"
    10:01 confirm
    10:04 review health:shop.example:health-worse: zone10
    10:08 ended health:shop.example:health-worse
    ");
}

fn rounds() -> impl Strategy<Value = Vec<Vec<(usize, usize)>>> {
    prop::collection::vec(prop::collection::vec((0_usize..5, 0..Level::ALL.len()), 0..6), 1..40)
}

const CASES: [&str; 5] = ["basic02", "dnssec09", "dnssec02", "zone10", "connectivity01"];

proptest! {
    #[test]
    fn matters_open_before_they_end_and_order_of_findings_does_not_matter(rounds in rounds(), secured: Option<bool>) {
        let zone: Name = "shop.example".parse().unwrap();
        let (mut forward, mut backward) = (State::default(), State::default());
        let mut open = std::collections::BTreeSet::new();
        for (at, levels) in rounds.iter().enumerate() {
            let mut findings: Vec<Finding> =
                levels.iter().map(|(case, level)| finding(CASES[*case], Level::ALL[*level])).collect();
            let time = Timestamp::from_second(1_800_000_000 + 60 * at as i64).unwrap();
            let config = Config::default();
            let round = Round { zone: &zone, time, findings: &findings, cases: None, above: &[], secured, untestable: false };
            let one = step(&config, forward, &round);
            findings.reverse();
            let round = Round { zone: &zone, time, findings: &findings, cases: None, above: &[], secured, untestable: false };
            let mut two = step(&config, backward, &round);
            for signal in &mut two.signals {
                signal.findings.reverse();
            }
            prop_assert_eq!(&one, &two);
            open.extend(one.signals.iter().map(|signal| signal.key.clone()));
            for key in &one.recovered {
                prop_assert!(open.remove(key), "{key} ended and was not open");
            }
            prop_assert!(at > 0 || one.signals.iter().all(|signal| signal.severity == Severity::Review));
            (forward, backward) = (one.state, two.state);
        }
    }

    #[test]
    fn rounds_that_are_all_alike_and_not_failing_give_no_signal(levels in prop::collection::vec((0_usize..5, 0_usize..6), 0..6)) {
        let zone: Name = "shop.example".parse().unwrap();
        let findings: Vec<Finding> =
            levels.iter().map(|(case, level)| finding(CASES[*case], Level::ALL[*level])).collect();
        let mut state = State::default();
        for minute in 0..10 {
            let time = Timestamp::from_second(1_800_000_000 + 60 * minute).unwrap();
            let round = Round { zone: &zone, time, findings: &findings, cases: None, above: &[], secured: Some(true), untestable: false };
            let after = step(&Config::default(), state, &round);
            prop_assert!(after.signals.is_empty() && !after.confirm_soon && after.recovered.is_empty());
            state = after.state;
        }
    }
}

#[test]
fn what_is_broken_in_a_watched_zone_above_is_that_zones_matter() {
    let zone: Name = "shop.example".parse().unwrap();
    let above: Vec<Name> = vec!["example".parse().unwrap()];
    let bogus = |zone: &str| Finding {
        args: [("zone".to_owned(), zone.to_owned())].into(),
        ..finding("chain01", Level::Error)
    };
    for (about, above, calls) in [
        ("example", &above[..], false),
        ("example", &[], true),
        ("shop.example", &above[..], true),
    ] {
        let mut state = State::default();
        let mut called = false;
        let findings = [bogus(about)];
        for (minute, findings) in [(0, &findings[..0]), (1, &findings), (2, &findings), (3, &findings)] {
            let time = format!("2026-11-23T09:0{minute}:00Z").parse().unwrap();
            let round = Round {
                zone: &zone,
                time,
                findings,
                cases: None,
                above,
                secured: Some(true),
                untestable: false,
            };
            let after = step(&Config::default(), state, &round);
            called |= !after.signals.is_empty();
            state = after.state;
        }
        assert_eq!(called, calls, "{about} with {above:?}");
    }
}
