//! Redelegation: changes in, signals out. A line of a story is `HOURS zone [owner=NAME] part: before -> after`.

use std::collections::BTreeSet;

use detect::redelegation::{Announcement, Config, Observed, assess, diff, superseded};
use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use model::{ChangedPart, Delegation, Name, Signal, ZoneChange};
use proptest::prelude::*;

fn at(hours: f64) -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_secs((hours * 3600.0) as i64)
}

fn observed(line: &str) -> Observed {
    let (head, values) = line.split_once(':').unwrap();
    let (before, after) = values.split_once("->").unwrap();
    let words: Vec<&str> = head.split_whitespace().collect();
    let list = |text: &str| {
        let mut values: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        values.sort();
        values
    };
    let part = match *words.last().unwrap() {
        "ns" => ChangedPart::Ns,
        "ds" => ChangedPart::Ds,
        "glue" => ChangedPart::Glue,
        other => panic!("{other}"),
    };
    let change = ZoneChange {
        time: at(words[0].parse().unwrap()),
        zone: words[1].parse().unwrap(),
        part,
        before: list(before),
        after: list(after),
        announced: words.contains(&"announced"),
    };
    let organisation = words
        .iter()
        .find_map(|word| word.strip_prefix("owner="))
        .map(str::to_owned);
    let addresses = words
        .iter()
        .filter_map(|word| word.strip_prefix("at="))
        .map(|a| a.parse().unwrap())
        .collect();
    Observed {
        change,
        organisation,
        addresses,
    }
}

fn parse(story: &str) -> Vec<Observed> {
    story
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(observed)
        .collect()
}

fn known(names: &[&str]) -> BTreeSet<Name> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn tell(signals: &[Signal]) -> String {
    let line = |signal: &Signal| {
        let zones: Vec<String> = signal.zones.iter().map(Name::to_string).collect();
        let transient = if signal.args["transient"] == "yes" {
            " transient"
        } else {
            ""
        };
        format!("{}{transient} {} [{}]\n", signal.severity, signal.key, zones.join(" "))
    };
    signals.iter().map(line).collect()
}

fn judge(story: &str) -> String {
    let signals = assess(
        &Config::default(),
        &parse(story),
        &known(&["ns.operator.example"]),
        at(48.0),
    );
    tell(&signals)
}

#[test]
fn severity_follows_how_rare_the_change_is() {
    assert_snapshot!(judge("
        1 partly.example      ns: ns1.old.test ns2.old.test -> ns2.old.test
        1 newhost.example     ns: ns1.old.test ns2.old.test -> ns1.old.test ns3.never-seen.test
        1 wholly.example      ns: ns1.old.test -> a.ns.operator.example
        1 dsgone.example      ds: 1,13,2,aa -> 
        1 dsroll.example      ds: 1,13,2,aa -> 1,13,2,aa 2,13,2,bb
        1 dsmixed.example     ds: 1,13,2,aa 2,13,2,bb -> 2,13,2,bb 3,13,2,cc
        1 dsreplaced.example  ds: 1,13,2,aa -> 2,13,2,bb
        1 dsfirst.example     ds:  -> 1,13,2,aa
        1 glue.example        glue: ns1.glue.example/192.0.2.1 -> ns1.glue.example/203.0.113.9
        1 announced.example announced ns: ns1.old.test -> ns1.new.test
    "), @r"
    log redelegation:dsfirst.example:redelegated [dsfirst.example]
    page redelegation:dsgone.example:ds-removed [dsgone.example]
    log redelegation:dsmixed.example:redelegated [dsmixed.example]
    review redelegation:dsreplaced.example:redelegated [dsreplaced.example]
    log redelegation:dsroll.example:redelegated [dsroll.example]
    review redelegation:glue.example:redelegated [glue.example]
    review redelegation:newhost.example:redelegated [newhost.example]
    log redelegation:partly.example:redelegated [partly.example]
    review redelegation:wholly.example:redelegated [wholly.example]
    ");
}

#[test]
fn name_servers_and_keys_replaced_together_call_somebody() {
    assert_snapshot!(judge("
        1.0 both.example      ns: ns1.old.test -> a.ns.operator.example
        1.1 both.example      ds: 1,13,2,aa -> 2,13,2,bb
        1.0 stripped.example  ns: ns1.old.test -> a.ns.operator.example
        1.2 stripped.example  ds: 1,13,2,aa -> 
        1.0 roll.example      ns: ns1.old.test -> a.ns.operator.example
        1.2 roll.example      ds: 1,13,2,aa -> 1,13,2,aa 2,13,2,bb
        1.0 apart.example     ns: ns1.old.test -> a.ns.operator.example
        40  apart.example     ds: 1,13,2,aa -> 2,13,2,bb
    "), @r"
    review redelegation:apart.example:redelegated [apart.example]
    page redelegation:both.example:redelegated [both.example]
    review redelegation:roll.example:redelegated [roll.example]
    page redelegation:stripped.example:redelegated [stripped.example]
    ");
}

#[test]
fn brands_of_three_registries_that_move_to_one_place_are_one_matter() {
    assert_snapshot!(judge("
        1.0 bank.aa     ns: ns1.bank.aa -> ns1.evil.test ns2.evil.test
        1.0 shop.aa     ns: ns1.shop.aa -> ns1.evil.test ns2.evil.test
        1.1 bank.bb     ns: ns1.bank.bb -> ns3.evil.test
        1.2 bank.cc     ns: ns1.bank.cc -> ns2.evil.test
        1.2 bank.cc     ds: 1,13,2,aa -> 
        1.3 quiet.aa    ns: ns1.quiet.aa ns2.quiet.aa -> ns1.quiet.aa
    "), @r"
    page redelegation:to:evil.test [bank.aa shop.aa bank.bb bank.cc]
    log redelegation:quiet.aa:redelegated [quiet.aa]
    ");
}

#[test]
fn servers_under_many_names_are_known_by_their_address() {
    assert_snapshot!(judge("
        1.0 bank.aa  ns: ns1.host.test -> ns1.bank.aa
        1.0 bank.aa  glue:  -> ns1.bank.aa/203.0.113.9
        2.0 bank.bb  ns: ns1.host.test -> ns1.bank.bb
        2.0 bank.bb  glue:  -> ns1.bank.bb/203.0.113.9
        3.0 bank.cc at=203.0.113.9 ns: ns1.host.test -> ns9.elsewhere.test
        4.0 hand.dd  glue: ns1.hand.dd/192.0.2.7 -> ns1.hand.dd/203.0.113.9
    "), @"page redelegation:to:203.0.113.9 [bank.aa bank.bb bank.cc hand.dd]");
}

#[test]
fn the_key_stays_when_zones_join_later() {
    let story = "
        1.0 bank.aa at=203.0.113.9 ns: ns1.bank.aa -> ns1.evil.test
        2.0 bank.bb at=203.0.113.9 ns: ns1.bank.bb -> ns1.other.test
        3.0 bank.cc                ns: ns1.bank.cc -> ns2.evil.test
        4.0 shop.cc                ns: ns1.shop.cc -> ns1.a-first.test
        5.0 shop.dd                ns: ns1.shop.dd -> ns1.a-first.test ns1.other.test
    ";
    let all = parse(story);
    let mut told = String::new();
    for seen in 1..=all.len() {
        let signals = assess(&Config::default(), &all[..seen], &BTreeSet::new(), at(6.0));
        told += &format!("-- {seen}\n{}", tell(&signals));
    }
    assert_snapshot!(told, @r"
    -- 1
    review redelegation:bank.aa:redelegated [bank.aa]
    -- 2
    page redelegation:to:203.0.113.9 [bank.aa bank.bb]
    -- 3
    page redelegation:to:203.0.113.9 [bank.aa bank.bb bank.cc]
    -- 4
    page redelegation:to:203.0.113.9 [bank.aa bank.bb bank.cc]
    review redelegation:shop.cc:redelegated [shop.cc]
    -- 5
    page redelegation:to:203.0.113.9 [bank.aa bank.bb bank.cc shop.cc shop.dd]
    ");
}

#[test]
fn customers_of_one_registry_or_of_a_known_operator_and_renumbering_are_no_campaign() {
    assert_snapshot!(judge("
        1.0 one.aa    ns: ns1.one.aa -> ns1.new-host.test
        1.1 two.aa    ns: ns1.two.aa -> ns1.new-host.test
        1.0 three.bb  ns: ns1.three.bb -> b.ns.operator.example
        1.1 four.cc   ns: ns1.four.cc -> b.ns.operator.example
        1.0 xx owner=X-NIC glue: a.nic.xx/192.0.2.1 -> a.nic.xx/192.0.2.99
        1.0 yy owner=Y-NIC glue: a.nic.xx/192.0.2.1 -> a.nic.xx/192.0.2.99
    "), @r"
    review redelegation:one.aa:redelegated [one.aa]
    review redelegation:two.aa:redelegated [two.aa]
    review redelegation:three.bb:redelegated [three.bb]
    review redelegation:four.cc:redelegated [four.cc]
    review redelegation:xx:redelegated [xx]
    review redelegation:yy:redelegated [yy]
    ");
}

#[test]
fn top_level_domains_are_told_apart_by_who_answers_for_them() {
    assert_snapshot!(judge("
        1.0 xx owner=X-NIC ns: ns1.nic.xx -> ns1.evil.test
        1.0 yy owner=Y-NIC ns: ns1.nic.yy -> ns1.evil.test
        1.0 vv owner=V-NIC ns: ns1.nic.vv -> ns1.backend.test
        1.0 ww owner=V-NIC ns: ns1.nic.ww -> ns1.backend.test
    "), @r"
    page redelegation:to:evil.test [xx yy]
    review redelegation:vv:redelegated [vv]
    review redelegation:ww:redelegated [ww]
    ");
}

#[test]
fn a_change_that_is_taken_back_is_transient_and_the_way_back_is_no_campaign() {
    assert_snapshot!(judge("
        1.0 bank.aa  ns: ns1.hoster.test -> ns1.evil.test
        1.5 bank.aa  ns: ns1.evil.test -> ns1.hoster.test
        1.0 shop.bb  ns: ns1.hoster.test -> ns1.worse.test
        1.5 shop.bb  ns: ns1.worse.test -> ns1.hoster.test
    "), @r"
    review transient redelegation:bank.aa:redelegated [bank.aa]
    review transient redelegation:shop.bb:redelegated [shop.bb]
    ");
    assert_snapshot!(judge("
        1.0 bank.aa  ns: ns1.hoster.test -> ns1.evil.test
        1.5 bank.aa  ns: ns1.evil.test -> ns1.hoster.test
        1.0 shop.bb  ns: ns1.hoster.test -> ns1.evil.test
        1.5 shop.bb  ns: ns1.evil.test -> ns1.hoster.test
    "), @"page transient redelegation:to:evil.test [bank.aa shop.bb]");
}

#[test]
fn a_second_wave_names_the_zones_that_moved_again_and_not_those_that_are_back() {
    let story = "
        1.0 bank.aa  ns: ns1.hoster.test -> ns1.evil.test
        1.1 shop.bb  ns: ns1.hoster.test -> ns1.evil.test
        1.2 post.cc  ns: ns1.hoster.test -> ns1.evil.test
        2.0 bank.aa  ns: ns1.evil.test -> ns1.hoster.test
        2.0 shop.bb  ns: ns1.evil.test -> ns1.hoster.test
        2.0 post.cc  ns: ns1.evil.test -> ns1.hoster.test
        9.0 shop.bb  ns: ns1.hoster.test -> ns1.evil.test
        9.1 bank.aa  ns: ns1.hoster.test -> ns1.evil.test
    ";
    let all = parse(story);
    let mut told = String::new();
    for seen in [3, 4, 6, 7, 8] {
        let signals = assess(&Config::default(), &all[..seen], &BTreeSet::new(), at(10.0));
        told += &format!("-- {seen}\n{}", tell(&signals));
    }
    assert_snapshot!(told, @r"
    -- 3
    page redelegation:to:evil.test [bank.aa shop.bb post.cc]
    -- 4
    page redelegation:to:evil.test [shop.bb post.cc]
    -- 6
    page transient redelegation:to:evil.test [bank.aa shop.bb post.cc]
    -- 7
    page redelegation:to:evil.test [shop.bb]
    -- 8
    page redelegation:to:evil.test [bank.aa shop.bb]
    ");
}

fn delegation(ns: &[(&str, &[&str])], ds: &[&str]) -> Delegation {
    Delegation {
        ns: ns
            .iter()
            .map(|(name, addresses)| {
                (
                    name.parse().unwrap(),
                    addresses.iter().map(|a| a.parse().unwrap()).collect(),
                )
            })
            .collect(),
        ds: ds.iter().map(|ds| ds.parse().unwrap()).collect(),
    }
}

#[test]
fn an_announced_window_covers_what_was_announced_and_nothing_else() {
    let zone: Name = "shop.example".parse().unwrap();
    let before = delegation(&[("ns1.old.test", &[])], &["1,13,2,aa"]);
    let planned = delegation(&[("ns1.new.test", &[])], &["1,13,2,aa"]);
    let window = Announcement {
        from: at(0.0),
        until: at(2.0),
        parts: BTreeSet::from([ChangedPart::Ns]),
        expected: Some(planned.clone()),
    };
    let told = |after: &Delegation, hours: f64| {
        diff(&zone, &before, after, at(hours), std::slice::from_ref(&window))
            .iter()
            .map(|change| format!("{} {}", change.part.as_str(), change.announced))
            .collect::<Vec<_>>()
            .join(", ")
    };
    assert_eq!(told(&planned, 1.0), "ns true");
    assert_eq!(told(&planned, 2.0), "ns false");
    assert_eq!(
        told(&delegation(&[("ns1.evil.test", &[])], &["1,13,2,aa"]), 1.0),
        "ns false"
    );
    assert_eq!(
        told(&delegation(&[("ns1.new.test", &[])], &[]), 1.0),
        "ns true, ds false"
    );
}

#[test]
fn glue_of_a_name_that_stays_counts_only_where_both_sides_give_some() {
    let zone: Name = "shop.example".parse().unwrap();
    let bare = delegation(&[("ns1.shop.example", &[])], &[]);
    let one = delegation(&[("ns1.shop.example", &["192.0.2.1"])], &[]);
    let two = delegation(&[("ns1.shop.example", &["192.0.2.2"])], &[]);
    assert_eq!(diff(&zone, &bare, &one, at(0.0), &[]), []);
    assert_eq!(diff(&zone, &one, &bare, at(0.0), &[]), []);
    let [change] = &diff(&zone, &one, &two, at(0.0), &[])[..] else {
        panic!("one change")
    };
    assert_eq!(
        (&change.before[..], &change.after[..]),
        (
            &["ns1.shop.example/192.0.2.1".to_owned()][..],
            &["ns1.shop.example/192.0.2.2".to_owned()][..]
        )
    );
}

#[test]
fn a_campaign_of_tens_of_thousands_of_names_is_one_signal_with_all_zones_and_the_newest_changes() {
    let many: Vec<Observed> = (0..20_000)
        .map(|n| Observed {
            change: ZoneChange {
                time: at(1.0) + SignedDuration::from_millis(n),
                zone: format!("z{n}.tld{}", n % 7).parse().unwrap(),
                part: ChangedPart::Ns,
                before: vec![format!("ns{}.operator.example", n % 50)],
                after: vec!["ns1.attacker.test".to_owned(), "ns2.attacker.test".to_owned()],
                announced: false,
            },
            organisation: None,
            addresses: BTreeSet::new(),
        })
        .collect();
    let servers: BTreeSet<Name> = (0..20_000)
        .map(|n| format!("ns{n}.operator.example").parse().unwrap())
        .collect();
    let signals = assess(&Config::default(), &many, &servers, at(2.0));
    let [campaign] = signals.as_slice() else {
        panic!("{} signals", signals.len());
    };
    assert_eq!(campaign.key, "redelegation:to:attacker.test");
    assert_eq!(
        (campaign.zones.len(), campaign.args["zone_count"].as_str()),
        (20_000, "20000")
    );
    assert_eq!(campaign.changes.len(), Config::default().campaign_changes);
    assert_eq!(campaign.changes.last().unwrap(), &many[19_999].change);
    assert_eq!(superseded(campaign).len(), 40_000);
    assert_eq!(
        superseded(&assess(&Config::default(), &many[..1], &servers, at(2.0))[0]),
        [""; 0]
    );
}

fn delegations() -> impl Strategy<Value = Delegation> {
    let names = prop::collection::btree_map(0_u8..4, prop::collection::btree_set(0_u8..4, 0..3), 0..4);
    let ds = prop::collection::btree_set(0_u8..4, 0..3);
    (names, ds).prop_map(|(names, ds)| Delegation {
        ns: names
            .into_iter()
            .map(|(host, addresses)| {
                let name = format!("ns{host}.host{}.test", host % 2).parse().unwrap();
                (
                    name,
                    addresses
                        .into_iter()
                        .map(|last| format!("192.0.2.{last}").parse().unwrap())
                        .collect(),
                )
            })
            .collect(),
        ds: ds
            .into_iter()
            .map(|tag| format!("{tag},13,2,aa").parse().unwrap())
            .collect(),
    })
}

proptest! {
    #[test]
    fn the_same_delegation_twice_is_no_change_and_no_signal(delegation in delegations()) {
        let zone: Name = "shop.example".parse().unwrap();
        prop_assert_eq!(diff(&zone, &delegation, &delegation, at(0.0), &[]), []);
        prop_assert_eq!(assess(&Config::default(), &[], &BTreeSet::new(), at(0.0)), []);
    }

    #[test]
    fn there_and_back_are_mirror_images(one in delegations(), two in delegations()) {
        let zone: Name = "shop.example".parse().unwrap();
        let there = diff(&zone, &one, &two, at(0.0), &[]);
        let back = diff(&zone, &two, &one, at(0.0), &[]);
        let mirrored: Vec<ZoneChange> = back
            .into_iter()
            .map(|change| ZoneChange { before: change.after, after: change.before, ..change })
            .collect();
        prop_assert_eq!(there, mirrored);
    }

    #[test]
    fn the_order_of_changes_does_not_matter_and_no_zone_is_told_twice(
        steps in prop::collection::vec((0_usize..4, delegations(), 0_u8..60), 0..12),
        seed: u64,
    ) {
        const ZONES: [&str; 4] = ["bank.aa", "bank.bb", "shop.aa", "cc"];
        let mut last = vec![Delegation::default(); ZONES.len()];
        let mut steps = steps;
        steps.sort_by_key(|(_, _, hours)| *hours);
        let mut all = Vec::new();
        for (zone, after, hours) in steps {
            let name: Name = ZONES[zone].parse().unwrap();
            for change in diff(&name, &last[zone], &after, at(f64::from(hours)), &[]) {
                all.push(Observed { change, organisation: None, addresses: BTreeSet::new() });
            }
            last[zone] = after;
        }
        let signals = assess(&Config::default(), &all, &BTreeSet::new(), at(60.0));
        let mut shuffled = all.clone();
        shuffled.rotate_left((seed as usize) % all.len().max(1));
        shuffled.reverse();
        prop_assert_eq!(&signals, &assess(&Config::default(), &shuffled, &BTreeSet::new(), at(60.0)));
        let mut zones: Vec<&Name> = signals.iter().flat_map(|signal| &signal.zones).collect();
        let told = zones.len();
        zones.sort();
        zones.dedup();
        prop_assert_eq!(told, zones.len());
    }
}
