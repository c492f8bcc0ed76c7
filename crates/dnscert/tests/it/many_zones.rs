//! What befalls many zones at once: a takeover, the loss of their operator.

use std::collections::BTreeSet;
use std::sync::Arc;

use csirt::{Records, alerts, watch};
use jiff::Timestamp;
use lab::{Change, Event, Fault, FaultRule, Lab, World};
use model::{Name, SystemClock};

use crate::centre::Centre;
use crate::kill::until;
use crate::resilience::measured_anew;

/// Names of each of two registries.
const NAMES: usize = 50;

/// Two registries with many names at one operator, an attacker's server that serves them too, and a zone that nothing happens to.
fn two_registries() -> World {
    let soa = "$TTL 60\n@ SOA ns1.operator.test. hostmaster.operator.test. 2026112601 3600 900 604800 60\n";
    let glue = "ns1.operator.test. A 127.31.2.1\nns2.operator.test. A 127.31.2.2\nns1.attacker.test. A 127.31.3.1\nns2.attacker.test. A 127.31.3.2\n";
    let own = "@ NS ns1.operator.test.\n@ NS ns2.operator.test.\nwww A 127.31.9.9\n";
    let mut root = format!("{soa}@ NS a.root.test.\na.root.test. A 127.31.0.1\n{glue}");
    let mut files = vec![("name.zone".to_owned(), format!("{soa}{own}"))];
    let (mut names, mut world) = (
        Vec::new(),
        "name = \"takeover\"\nabout = \"Many names\"\nseed = 1\n".to_owned(),
    );
    let mut zones = vec![(".".to_owned(), "root.zone".to_owned())];
    for registry in ["aa", "bb"] {
        root.push_str(&format!(
            "{registry}. NS ns1.registry.{registry}.\nns1.registry.{registry}. A 127.31.1.1\n"
        ));
        let mut text = format!(
            "{soa}@ NS ns1.registry\nns1.registry A 127.31.1.1\nquiet NS ns1.operator.test.\nquiet NS ns2.operator.test.\n"
        );
        for number in 0..NAMES {
            text.push_str(&format!(
                "n{number} NS ns1.operator.test.\nn{number} NS ns2.operator.test.\n"
            ));
            names.push(format!("n{number}.{registry}"));
        }
        names.push(format!("quiet.{registry}"));
        files.push((format!("{registry}.zone"), text));
        zones.push((registry.to_owned(), format!("{registry}.zone")));
    }
    root.push_str("test. NS a.root.test.\n");
    files.push(("root.zone".to_owned(), root));
    files.push((
        "test.zone".to_owned(),
        format!("{soa}@ NS a.root.test.\na.root A 127.31.0.1\n{glue}"),
    ));
    zones.push(("test".to_owned(), "test.zone".to_owned()));
    zones.extend(names.iter().map(|name| (name.clone(), "name.zone".to_owned())));
    let list = |zones: &[String]| {
        zones
            .iter()
            .map(|zone| format!("\"{zone}\""))
            .collect::<Vec<_>>()
            .join(", ")
    };
    for (server, address, served) in [
        ("a.root.test", "127.31.0.1", vec![".".to_owned(), "test".to_owned()]),
        ("ns1.registry.aa", "127.31.1.1", vec!["aa".to_owned(), "bb".to_owned()]),
        ("ns1.operator.test", "127.31.2.1", names.clone()),
        ("ns2.operator.test", "127.31.2.2", names.clone()),
        ("ns1.attacker.test", "127.31.3.1", names.clone()),
        ("ns2.attacker.test", "127.31.3.2", names.clone()),
    ] {
        world.push_str(&format!(
            "\n[[server]]\nname = \"{server}\"\naddresses = [\"{address}\"]\nzones = [{}]\n",
            list(&served)
        ));
    }
    for (zone, file) in zones {
        world.push_str(&format!("\n[[zone]]\nname = \"{zone}\"\nfile = \"{file}\"\n"));
    }
    files.push(("world.toml".to_owned(), world));
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    World::from_parts(&files).unwrap()
}

/// The names of both registries.
fn names() -> impl Iterator<Item = Name> {
    (0..NAMES).flat_map(|number| ["aa", "bb"].map(|registry| format!("n{number}.{registry}").parse().unwrap()))
}

/// A centre that watches all zones at the operator, after a first round of each.
async fn watching(lab: &Lab) -> (Centre, Records) {
    let mut centre = Centre::set_up(&lab.hints(), lab.port(), "");
    let url = format!("sqlite://{}", centre.home().join("data/records.sqlite").display());
    let records = Records::open(&url, Arc::new(SystemClock)).await.unwrap();
    for zone in names().chain(["quiet.aa".parse().unwrap()]) {
        let watch = watch::Watch {
            interval_secs: if zone.to_string() == "quiet.aa" { 5 } else { 15 },
            expected: lab.delegation(&zone),
            ..watch::Watch::new(zone)
        };
        watch::add(&records, csirt::Actor::System, &watch).await.unwrap();
    }
    tokio::task::block_in_place(|| centre.start());
    until("a first round of every zone", async || {
        let zones = watch::standings(&records).await.unwrap();
        zones.iter().all(|zone| zone.measured.is_some()).then_some(())
    })
    .await;
    (centre, records)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loss_of_one_operator_is_one_alert_that_ends_with_the_repair() {
    let lab = Lab::start(two_registries(), 0, Timestamp::now()).await.unwrap();
    let (mut centre, records) = watching(&lab).await;
    let operators = ["ns1.operator.test", "ns2.operator.test"];
    for server in operators {
        let rule = FaultRule::of(Fault::Refused);
        let server = server.to_owned();
        lab.apply(&Event::new(Change::AddFault { server, rule })).unwrap();
    }
    let zones = names().count() + 1;
    let outage = until("one alert with all zones", async || {
        let found = alerts::open_of_kind(&records, "mass-unreachable").await.unwrap();
        found.into_iter().find(|alert| alert.zones.len() == zones)
    })
    .await;
    assert_eq!(
        (outage.key.as_str(), outage.severity),
        ("outage:of:operator.test", model::Severity::Page)
    );
    let open = alerts::queue(&records, &whole_queue()).await.unwrap();
    let others: Vec<&str> = open
        .iter()
        .map(|alert| alert.key.as_str())
        .filter(|key| *key != outage.key)
        .collect();
    assert!(
        others.is_empty(),
        "the alerts of single zones became part of the one: {others:?}"
    );
    let told = alerts::signals(&records, outage.id).await.unwrap();
    let last = told.last().unwrap();
    let is_told =
        |finding: &model::Finding| finding.level >= model::Level::Warning && finding.args.contains_key("zone");
    assert!(!last.findings.is_empty() && last.findings.iter().all(is_told));

    // one that nobody watches any more holds nothing up
    let gone = watch::by_zone(&records, &"n0.aa".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    watch::remove(&records, csirt::Actor::System, gone.id).await.unwrap();

    for server in operators {
        let server = server.to_owned();
        let fault = Fault::Refused;
        lab.apply(&Event::new(Change::RemoveFault { server, fault })).unwrap();
    }
    until("the end of the alert", async || {
        let open = alerts::queue(&records, &whole_queue()).await.unwrap();
        open.is_empty().then_some(())
    })
    .await;
    tokio::task::block_in_place(|| assert!(centre.stop(), "{}", centre.log()));
}

fn whole_queue() -> alerts::Filter {
    alerts::Filter {
        limit: 1_000,
        ..alerts::Filter::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_takeover_of_a_hundred_names_is_one_alert_and_the_rounds_go_on() {
    let lab = Lab::start(two_registries(), 0, Timestamp::now()).await.unwrap();
    let (mut centre, records) = watching(&lab).await;
    let names: BTreeSet<Name> = names().collect();

    let servers = ["ns1", "ns2"].map(|host| format!("{host}.attacker.test").parse().unwrap());
    for zone in &names {
        let change = Change::Redelegate {
            zone: zone.clone(),
            ns: servers
                .iter()
                .map(|server: &Name| (server.clone(), Vec::new()))
                .collect(),
            ds: lab::DsChange::Keep,
        };
        lab.apply(&Event::new(change)).unwrap();
    }
    let campaign = until("one alert with all names", async || {
        let filter = alerts::Filter {
            text: "redelegation:to:".to_owned(),
            ..alerts::Filter::default()
        };
        let found = alerts::queue(&records, &filter).await.unwrap();
        found.into_iter().find(|alert| alert.zones.len() == names.len())
    })
    .await;
    assert_eq!(campaign.kind, "mass-redelegated");
    let open = alerts::queue(&records, &whole_queue()).await.unwrap();
    let single = open
        .iter()
        .filter(|alert| alert.detector == model::Detector::Redelegation && alert.id != campaign.id);
    assert_eq!(single.count(), 0, "the single alerts became part of the one");

    measured_anew("a round of the quiet zone", &records, "quiet.aa").await;
    let new = csirt::cases::NewCase {
        title: "Names of two registries taken over".to_owned(),
        tlp: model::Tlp::Amber,
        alerts: vec![campaign.id],
    };
    let case = csirt::cases::open(&records, csirt::Actor::System, &new).await.unwrap();
    assert_eq!(case.zones.len(), names.len());
    tokio::task::block_in_place(|| assert!(centre.stop(), "{}", centre.log()));
}
