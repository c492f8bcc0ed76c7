//! Outages: zones that do not answer in, signals out. A line of a story is `MINUTE zone server[/address]…`.

use std::collections::BTreeMap;

use detect::outage::{Config, Down, KIND, assess, superseded};
use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use model::{Finding, Level, Name, Severity, Signal};
use proptest::prelude::*;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_mins(minute)
}

fn parse(story: &str) -> BTreeMap<Name, Down> {
    let lines = story.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(zone).collect()
}

fn zone(line: &str) -> (Name, Down) {
    let mut words = line.split_whitespace();
    let since = at(words.next().unwrap().parse().unwrap());
    let zone: Name = words.next().unwrap().parse().unwrap();
    let mut down = Down {
        since,
        severity: Severity::Page,
        servers: Default::default(),
        addresses: Default::default(),
        findings: vec![Finding {
            case: "basic02".to_owned(),
            tag: "B02_NO_WORKING_NS".to_owned(),
            level: Level::Critical,
            args: BTreeMap::new(),
            vantage_point: None,
        }],
    };
    for word in words {
        let (server, address) = word.split_once('/').map_or((word, None), |(s, a)| (s, Some(a)));
        down.servers.insert(server.parse().unwrap());
        down.addresses
            .extend(address.map(|address| address.parse::<std::net::IpAddr>().unwrap()));
    }
    (zone, down)
}

fn told(signals: &[Signal]) -> String {
    let line = |signal: &Signal| {
        let zones: Vec<String> = signal.zones.iter().map(ToString::to_string).collect();
        format!("{} {}: {}", signal.severity, signal.key, zones.join(" "))
    };
    signals.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn play(story: &str, open: &[&str]) -> String {
    let open: Vec<String> = open.iter().map(|key| (*key).to_owned()).collect();
    told(&assess(&Config::default(), &parse(story), &open))
}

#[test]
fn three_zones_of_one_operator_are_one_outage_and_two_are_not() {
    let story = "
        0 shop.aa ns1.host.example ns2.host.example
        1 bank.bb ns1.host.example ns3.host.example
        2 school.cc ns7.host.example
        2 other.aa ns1.alone.example";
    assert_snapshot!(play(story, &[]), @"page outage:of:host.example: shop.aa bank.bb school.cc");
    let two = story.lines().take(3).collect::<Vec<_>>().join("\n");
    assert_snapshot!(play(&two, &[]), @"");
}

#[test]
fn zones_with_servers_of_their_own_names_are_joined_by_address() {
    let story = "
        0 shop.aa ns.shop.aa/192.0.2.1
        0 bank.bb ns.bank.bb/192.0.2.1
        1 school.cc ns.school.cc/192.0.2.1";
    assert_snapshot!(play(story, &[]), @"page outage:of:192.0.2.1: shop.aa bank.bb school.cc");
}

#[test]
fn the_operators_own_zone_belongs_to_its_outage() {
    let story = "
        0 host.example ns1.host.example/192.0.2.1
        0 shop.aa ns1.host.example/192.0.2.1
        0 bank.bb ns1.host.example/192.0.2.1";
    assert_snapshot!(play(story, &[]), @"page outage:of:host.example: shop.aa bank.bb host.example");
}

#[test]
fn zones_that_fell_silent_on_different_days_are_matters_of_their_own() {
    let story = "
        0 shop.aa ns1.host.example
        61 bank.bb ns1.host.example
        122 school.cc ns1.host.example";
    assert_snapshot!(play(story, &[]), @"");
    let within = story.replace("61", "60").replace("122", "120");
    assert_snapshot!(play(&within, &[]), @"page outage:of:host.example: shop.aa bank.bb school.cc");
}

#[test]
fn a_known_outage_takes_in_whatever_falls_later_and_keeps_its_key() {
    let later = "
        0 shop.aa ns1.host.example/192.0.2.1
        900 bank.bb ns9.host.example/192.0.2.9";
    assert_snapshot!(play(later, &["outage:of:192.0.2.1"]), @"page outage:of:192.0.2.1: shop.aa");
    assert_snapshot!(play(later, &["outage:of:host.example"]), @"page outage:of:host.example: shop.aa bank.bb");
    let both = ["outage:of:192.0.2.9", "outage:of:host.example"];
    assert_snapshot!(play(later, &both), @"page outage:of:192.0.2.9: shop.aa bank.bb");
}

#[test]
fn an_outage_asks_of_people_what_its_gravest_zone_does() {
    let mut down = parse("0 a.aa ns.host.example\n0 b.aa ns.host.example\n0 c.aa ns.host.example");
    down.values_mut().for_each(|down| down.severity = Severity::Review);
    assert_eq!(assess(&Config::default(), &down, &[])[0].severity, Severity::Review);
    down.values_mut().next().unwrap().severity = Severity::Page;
    assert_eq!(assess(&Config::default(), &down, &[])[0].severity, Severity::Page);
}

#[test]
fn tens_of_thousands_of_zones_are_one_signal_that_shows_some_of_them() {
    let story: Vec<String> = (0..20_000)
        .map(|n| format!("{} z{n}.aa ns{}.host.example", n % 50, n % 7))
        .collect();
    let signals = assess(&Config::default(), &parse(&story.join("\n")), &[]);
    let [outage] = &signals[..] else {
        panic!("{}", signals.len())
    };
    assert_eq!(
        (
            outage.zones.len(),
            outage.findings.len(),
            outage.args["zone_count"].as_str()
        ),
        (20_000, 100, "20000")
    );
    assert!(
        outage
            .findings
            .iter()
            .all(|finding| finding.args["zone"].ends_with(".aa"))
    );
    assert_eq!(superseded(outage)[0], "health:z0.aa:zone-unreachable");
    let single = Signal {
        kind: "zone-unreachable".to_owned(),
        ..outage.clone()
    };
    assert!(superseded(&single).is_empty() && outage.kind == KIND);
}

proptest! {
    #[test]
    fn no_zone_stands_in_two_outages(zones in prop::collection::vec((0i64..300, 0u8..6, 0u8..9), 0..40)) {
        let story: Vec<String> = zones
            .iter()
            .enumerate()
            .map(|(n, (minute, server, address))| format!("{minute} z{n}.aa ns.h{server}.example/192.0.2.{address}"))
            .collect();
        let signals = assess(&Config::default(), &parse(&story.join("\n")), &[]);
        let told: Vec<&Name> = signals.iter().flat_map(|signal| &signal.zones).collect();
        let distinct: std::collections::BTreeSet<&Name> = told.iter().copied().collect();
        prop_assert_eq!(told.len(), distinct.len());
        prop_assert!(signals.iter().all(|signal| signal.zones.len() >= 3));
    }
}
