//! Whether every message is demanded somewhere, refuted somewhere, and met in an odd state.

use std::collections::BTreeSet;
use std::path::Path;

use measure::Profile;
use model::Level;

use super::file::{Scenario, scenarios};
use super::scene::is_server;

/// Groups of cases whose faults are made in Rust, in the folder or file of tests of that name, since no zone file can say them.
/// To the addresses of address01 nothing may be sent.
const MADE_IN_RUST: [&str; 3] = ["chain", "edns", "address01"];

/// Where the faults of these groups are made, and those of resolvers, which are no cases of zones.
const FAULTS_IN_RUST: [&str; 6] = [
    "chain",
    "edns.rs",
    "address.rs",
    "hostile.rs",
    "resolver.rs",
    "false_resolver.rs",
];

/// Whether a case must have scenarios here.
fn wants_scenarios(case: &str) -> bool {
    !MADE_IN_RUST.iter().any(|group| case.starts_with(group))
}

/// In how many scenarios of its case a message comes up.
#[derive(Default)]
struct Count {
    demanded: usize,
    refuted: usize,
    odd: usize,
}

fn count(scenarios: &[Scenario], case: &str, tag: &str, level: Level) -> Count {
    let is_named = |list: &[String]| list.iter().any(|named| named == tag);
    let mut count = Count::default();
    for scenario in scenarios.iter().filter(|scenario| scenario.case == case) {
        let is_demanded = is_named(&scenario.must);
        if scenario.odd {
            count.odd += usize::from(is_demanded || is_named(&scenario.must_not));
        } else if is_demanded {
            count.demanded += 1;
        } else {
            // a milder message that is not demanded may come all the same
            count.refuted += usize::from(level >= Level::Warning || is_named(&scenario.must_not));
        }
    }
    count
}

#[test]
fn every_warning_is_demanded_refuted_and_met_in_an_odd_state() {
    let (scenarios, profile) = (scenarios(), Profile::default());
    let mut lacking = Vec::new();
    for (case, tag) in profile.messages() {
        let level = profile.level(case, tag);
        let is_ours = measure::cases::ids().any(|id| id == case) && wants_scenarios(case);
        let Count { demanded, refuted, odd } = count(&scenarios, case, tag, level);
        if demanded + odd == 0 && (level < Level::Warning || !is_ours) {
            continue;
        }
        println!("{case:15} {tag:40} {level:8} demanded {demanded:2}  refuted {refuted:2}  odd {odd:2}");
        if is_ours && level >= Level::Warning && [demanded, refuted, odd].contains(&0) {
            lacking.push(format!(
                "{case} {tag}: demanded {demanded}, refuted {refuted}, odd {odd}"
            ));
        }
    }
    assert!(
        lacking.is_empty(),
        "{} messages lack a scenario:\n{}",
        lacking.len(),
        lacking.join("\n")
    );
}

#[test]
fn every_case_has_scenarios_or_is_made_in_rust() {
    let scenarios = scenarios();
    let here: BTreeSet<&str> = scenarios.iter().map(|scenario| scenario.case.as_str()).collect();
    let lacking: Vec<&str> = measure::cases::ids()
        .filter(|case| wants_scenarios(case) && !here.contains(case))
        .collect();
    assert!(lacking.is_empty(), "{lacking:?}");
    for case in here {
        let own = || scenarios.iter().filter(|scenario| scenario.case == case);
        assert!(own().any(|scenario| scenario.odd), "{case} has no odd scenario");
        assert!(own().any(|scenario| !scenario.odd), "{case} has only odd scenarios");
    }
}

#[test]
fn scenarios_name_cases_messages_and_servers_that_there_are() {
    let profile = Profile::default();
    let mut names = BTreeSet::new();
    for scenario in scenarios() {
        let at = format!("{} `{}`", scenario.case, scenario.name);
        assert!(
            measure::cases::ids().any(|id| id == scenario.case),
            "{at}: no such case"
        );
        for tag in scenario.must.iter().chain(&scenario.must_not) {
            assert!(profile.knows(&scenario.case, tag), "{at}: there is no message {tag}");
        }
        let contradiction = scenario.must.iter().find(|tag| scenario.must_not.contains(tag));
        assert_eq!(contradiction, None, "{at}");
        assert!(
            scenario.faults.keys().all(|server| is_server(server)),
            "{at}: no such server"
        );
        assert!(names.insert(at.clone()), "two scenarios are called {at}");
    }
}

/// The text of a file, or of all files of a folder.
fn source(path: &Path) -> String {
    if path.is_file() {
        return std::fs::read_to_string(path).unwrap();
    }
    let files = std::fs::read_dir(path).unwrap();
    files.map(|file| source(&file.unwrap().path())).collect()
}

#[test]
fn every_warning_of_the_groups_made_in_rust_stands_in_a_test() {
    let profile = Profile::default();
    let here = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it"));
    let tests = FAULTS_IN_RUST.map(|file| source(&here.join(file))).concat();
    let words: BTreeSet<&str> = tests
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .collect();
    // edns01 and edns02 share messages, which stand with what any case may say
    let is_made_here = |case: &str| {
        MADE_IN_RUST
            .iter()
            .chain(&["resolver", "any"])
            .any(|group| case.starts_with(group))
    };
    let severe = profile
        .messages()
        .filter(|(case, tag)| is_made_here(case) && profile.level(case, tag) >= Level::Warning);
    let severe: Vec<(&str, &str)> = severe.collect();
    assert!(severe.len() > 100, "{}", severe.len());
    let lacking: Vec<_> = severe.into_iter().filter(|(_, tag)| !words.contains(tag)).collect();
    assert!(
        lacking.is_empty(),
        "{} messages stand in no test: {lacking:?}",
        lacking.len()
    );
}
