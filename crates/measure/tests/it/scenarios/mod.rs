//! Zones in many states, each with the messages that a test case must and must not give.
//!
//! They stand in `tests/scenarios/CASE.toml`, which `tests/scenarios/README.md` describes: what a scenario changes of a small world
//! is written as the lab's own files write it.

mod coverage;
mod file;
mod scene;

use std::collections::BTreeSet;
use std::net::IpAddr;

use futures_util::StreamExt as _;
use lab::{Event, Lab};
use language::explain;
use measure::dnssec::key::ds_of;
use measure::{CheckPlan, Internet, Profile, Settings, Undelegated, check};
use model::{Ds, Finding, Language, Level};

use crate::case_in_lab::{name, noon, set_ds};
use file::{Scenario, scenarios};
use scene::Scene;

/// Scenarios under way at a time: those with silent servers wait, and cost nothing meanwhile.
const AT_A_TIME: usize = 12;

/// Arguments that say which servers a message is about.
const SERVERS: [&str; 8] = [
    "ns",
    "ns_ip",
    "ns_ip_list",
    "ns_list",
    "ns_list_nsec",
    "ns_list_nsec3",
    "nsname",
    "nsname_list",
];

/// A DS as a scenario writes it: `KEY`, `KEY sha1`, `KEY wrong digest`, `KEY wrong tag`, `KEY wrong algorithm`, or a DS as it is
/// written elsewhere. `KEY` is the name of a key of the zone.
fn ds(lab: &Lab, scene: &Scene, text: &str) -> Ds {
    if let Ok(literal) = text.parse() {
        return literal;
    }
    let (key, how) = text.split_once(' ').unwrap_or((text, ""));
    let edition = [scene.child.as_str(), "second"]
        .into_iter()
        .find_map(|id| lab.dnskey_named(id, key));
    let public = edition.unwrap_or_else(|| panic!("the zone has no key `{key}`"));
    let owner = name(&scene.child);
    let mut ds = ds_of(&owner, &public, if how == "sha1" { 1 } else { 2 }).unwrap();
    match how {
        "" | "sha1" => {}
        "wrong digest" => ds.digest[0] ^= 1,
        "wrong tag" => ds.key_tag ^= 1,
        "wrong algorithm" => ds.algorithm ^= 2,
        _ => panic!("`{text}` is no DS"),
    }
    ds
}

/// Everything that the scenario's case says.
async fn findings(scenario: &Scenario) -> Vec<Finding> {
    let scene = Scene::of(scenario);
    let lab = Lab::start(scene.world(), 0, noon()).await.unwrap();
    for change in &scenario.events {
        lab.apply(&Event::new(change.clone())).unwrap();
    }
    if let Some(list) = &scenario.ds {
        set_ds(
            &lab,
            &scene.child,
            list.iter().map(|text| ds(&lab, &scene, text)).collect(),
        );
    }
    let given = scenario.given.as_ref().map(|given| Undelegated {
        ns: given.ns.iter().map(|text| server(text)).collect(),
        ds: given.ds.iter().map(|text| ds(&lab, &scene, text)).collect(),
    });
    let settings = Settings {
        hints: lab.hints(),
        port: lab.port(),
        ..Settings::default()
    };
    let plan = CheckPlan {
        zone: name(&scenario.zone),
        undelegated: given,
        cases: Some([vec![scenario.case.clone()], scenario.beside.clone()].concat()),
        profile: Profile::default(),
    };
    let inquiry = Internet::open(settings).unwrap().inquiry();
    let report = check(&inquiry, &plan, noon()).await;
    let own = report.findings.into_iter().map(|(_, finding)| finding);
    own.filter(|finding| finding.case == scenario.case).collect()
}

/// `ns1.case.test/127.30.2.1`, or the name alone.
fn server(text: &str) -> (model::Name, Option<IpAddr>) {
    match text.split_once('/') {
        Some((host, address)) => (name(host), Some(address.parse().unwrap())),
        None => (name(text), None),
    }
}

/// Names and addresses of servers among the arguments of a finding.
fn servers_of(finding: &Finding) -> BTreeSet<&str> {
    let lists = finding.args.iter().filter(|(name, _)| SERVERS.contains(&name.as_str()));
    lists.flat_map(|(_, list)| list.split([';', '/'])).collect()
}

/// Whether the text on a finding leaves out, in some language, a server that it is about.
fn hides_a_server(finding: &Finding) -> bool {
    let mut texts = Language::ALL
        .map(|language| explain(finding, language).what)
        .into_iter();
    let servers = servers_of(finding);
    texts.any(|text| servers.iter().any(|server| *server != "-" && !text.contains(*server)))
}

/// Whether a finding is about servers, and about others than those at which the scenario has it.
fn is_misplaced(scenario: &Scenario, finding: &Finding) -> bool {
    let addresses = servers_of(finding)
        .into_iter()
        .filter(|server| server.parse::<IpAddr>().is_ok());
    let addresses: BTreeSet<&str> = addresses.collect();
    let expected: BTreeSet<&str> = scenario.at.iter().map(|server| scene::address(server)).collect();
    !expected.is_empty() && !addresses.is_empty() && addresses != expected
}

/// What is wrong with what came of a scenario, if anything.
async fn judge(scenario: &Scenario) -> Option<String> {
    let findings = findings(scenario).await;
    let tags: BTreeSet<&str> = findings.iter().map(|finding| finding.tag.as_str()).collect();
    let missing: Vec<&String> = scenario
        .must
        .iter()
        .filter(|tag| !tags.contains(tag.as_str()))
        .collect();
    let is_unwanted = |finding: &&Finding| {
        let is_demanded = scenario.must.contains(&finding.tag);
        scenario.must_not.contains(&finding.tag) || (finding.level >= Level::Warning && !is_demanded)
    };
    let unwanted: BTreeSet<&str> = findings
        .iter()
        .filter(is_unwanted)
        .map(|finding| finding.tag.as_str())
        .collect();
    let severe = || findings.iter().filter(|finding| finding.level >= Level::Warning);
    let unnamed: Vec<&Finding> = severe().filter(|finding| hides_a_server(finding)).collect();
    let misplaced: Vec<&Finding> = severe().filter(|finding| is_misplaced(scenario, finding)).collect();
    if missing.is_empty() && unwanted.is_empty() && unnamed.is_empty() && misplaced.is_empty() {
        return None;
    }
    Some(format!(
        "{} `{}`: missing {missing:?}, unwanted {unwanted:?}, servers not named {unnamed:?}, at other servers {misplaced:?}; \
         it said {tags:?}",
        scenario.case, scenario.name
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_comes_out_as_it_says_and_names_the_servers() {
    let scenarios = scenarios();
    assert!(!scenarios.is_empty());
    let judged = futures_util::stream::iter(&scenarios)
        .map(judge)
        .buffer_unordered(AT_A_TIME);
    let mut wrong: Vec<String> = judged.filter_map(async |wrong| wrong).collect().await;
    wrong.sort();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        scenarios.len(),
        wrong.join("\n")
    );
}
