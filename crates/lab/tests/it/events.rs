//! Events change what the world says.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::base::iana::Rtype;
use domain::rdata::ZoneRecordData;
use lab::{Change, DsChange, Event, EventError, Lab, World};
use model::Delegation;

use crate::asker::{answer_of, ask, at, authority_of, name, noon, pocket, records};
use crate::dnssec::verify;

fn taken(zone: &str, ds: DsChange) -> Event {
    let ns = BTreeMap::from([
        (name("ns1.thief.example"), vec!["127.10.9.1".parse().unwrap()]),
        (name("ns2.thief.example"), vec!["127.10.9.2".parse().unwrap()]),
    ]);
    Event::new(Change::Redelegate {
        zone: name(zone),
        ns,
        ds,
    })
    .named("taken")
}

async fn parents_serial(lab: &Lab) -> u32 {
    let message = ask("test", Rtype::SOA).udp(at(lab, "127.10.1.1")).await;
    match records(message.answer().unwrap()).remove(0).data() {
        ZoneRecordData::Soa(soa) => soa.serial().into_int(),
        other => panic!("{other}"),
    }
}

fn names(delegation: &Delegation) -> Vec<String> {
    delegation.ns.keys().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_redelegated_zone_is_referred_to_the_thief_until_it_is_repaired() {
    let lab = pocket().await;
    let zone = name("plain.test");
    let (before, serial) = (lab.delegation(&zone).unwrap(), parents_serial(&lab).await);
    lab.apply(&taken("plain.test", DsChange::Keep)).unwrap();
    let message = ask("www.plain.test", Rtype::A).udp(at(&lab, "127.10.1.2")).await;
    assert_eq!(
        authority_of(&message)[..2],
        ["plain.test NS ns1.thief.example.", "plain.test NS ns2.thief.example."]
    );
    assert_eq!(
        names(&lab.delegation(&zone).unwrap()),
        ["ns1.thief.example", "ns2.thief.example"]
    );
    assert_eq!(parents_serial(&lab).await, serial + 1);
    let message = ask("www.plain.test", Rtype::A).udp(at(&lab, "127.10.9.1")).await;
    assert_eq!(answer_of(&message), ["www.plain.test A 127.10.9.80"]);

    lab.apply(&Event::repair("taken")).unwrap();
    assert_eq!(lab.delegation(&zone).unwrap(), before);
    assert_eq!(parents_serial(&lab).await, serial + 2, "serials do not go back");
    assert!(matches!(
        lab.apply(&Event::repair("taken")),
        Err(EventError::NothingToRepair(_))
    ));
}

#[tokio::test]
async fn a_redelegation_can_take_the_ds_and_the_glue_along() {
    let lab = pocket().await;
    let zone = name("good.test");
    assert_eq!(lab.delegation(&zone).unwrap().ds.len(), 1);
    lab.apply(&taken("good.test", DsChange::Remove)).unwrap();
    let after = lab.delegation(&zone).unwrap();
    assert!(after.ds.is_empty());
    assert!(
        after.ns.values().all(|glue| glue.is_empty()),
        "the thief's names are outside the parent"
    );
    // The names below the zone are still glue for `plain.test`, which is delegated to them.
    assert_eq!(
        lab.delegation(&name("plain.test")).unwrap().ns[&name("ns1.good.test")].len(),
        1
    );

    let inside = BTreeMap::from([(name("ns.good.test"), vec!["127.10.9.1".parse().unwrap()])]);
    let change = Change::Redelegate {
        zone: zone.clone(),
        ns: inside,
        ds: DsChange::Keep,
    };
    lab.apply(&Event::new(change)).unwrap();
    assert_eq!(lab.delegation(&zone).unwrap().ns[&name("ns.good.test")].len(), 1);
}

#[tokio::test]
async fn the_ds_can_be_replaced_alone() {
    let lab = pocket().await;
    let other = lab.ds("shop.example").unwrap();
    let change = Change::ReplaceDs {
        zone: name("good.test"),
        ds: DsChange::Replace(vec![other.clone()]),
    };
    lab.apply(&Event::new(change)).unwrap();
    assert_eq!(
        lab.delegation(&name("good.test"))
            .unwrap()
            .ds
            .into_iter()
            .collect::<Vec<_>>(),
        [other]
    );
}

#[tokio::test]
async fn a_swapped_key_breaks_the_chain_unless_the_ds_follows() {
    for ds_follows in [false, true] {
        let lab = pocket().await;
        let before = lab.dnskey("good.test").unwrap();
        lab.apply(&Event::new(Change::SwapKey {
            zone: "good.test".to_owned(),
            ds_follows,
        }))
        .unwrap();
        let after = lab.dnskey("good.test").unwrap();
        assert_ne!(before, after);
        let message = ask("web.good.test", Rtype::A).udp(at(&lab, "127.10.3.1")).await;
        assert_eq!(verify(&message, &after).good, 1);
        let chain = lab
            .delegation(&name("good.test"))
            .unwrap()
            .ds
            .contains(&lab.ds("good.test").unwrap());
        assert_eq!(chain, ds_follows);
    }
}

#[tokio::test]
async fn signatures_expire_everywhere_and_a_new_signing_mends_them() {
    let lab = pocket().await;
    let key = lab.dnskey("test").unwrap();
    let zone = || "test".to_owned();
    lab.apply(&Event::new(Change::ExpireSignatures { zone: zone() }))
        .unwrap();
    for server in ["127.10.1.1", "127.10.1.2"] {
        let verified = verify(&ask("test", Rtype::SOA).udp(at(&lab, server)).await, &key);
        assert_eq!((verified.good, verified.outside_validity), (0, 1));
    }
    lab.apply(&Event::new(Change::Resign { zone: zone() })).unwrap();
    assert_eq!(
        verify(&ask("test", Rtype::SOA).udp(at(&lab, "127.10.1.1")).await, &key).good,
        1
    );
}

#[tokio::test]
async fn a_cut_server_is_silent_until_it_is_repaired() {
    let lab = pocket().await;
    let question = ask("www.plain.test", Rtype::A);
    lab.apply(
        &Event::new(Change::Cut {
            server: "ns1.good.test".to_owned(),
        })
        .named("cut"),
    )
    .unwrap();
    assert!(question.is_left_without_answer(at(&lab, "127.10.3.1")).await);
    lab.apply(&Event::repair("cut")).unwrap();
    question.udp(at(&lab, "127.10.3.1")).await;
}

#[tokio::test]
async fn an_event_that_does_not_fit_the_world_changes_nothing() {
    let lab = pocket().await;
    for change in [
        Change::Cut {
            server: "ns9.nowhere.test".to_owned(),
        },
        Change::ExpireSignatures {
            zone: "plain.test".to_owned(),
        },
        Change::Resign {
            zone: "no.such.zone".to_owned(),
        },
    ] {
        let error = lab.apply(&Event::new(change)).unwrap_err().to_string();
        assert!(error.starts_with("this event cannot happen: "), "{error}");
    }
    ask("www.plain.test", Rtype::A).udp(at(&lab, "127.10.3.1")).await;
}

#[tokio::test]
async fn events_with_a_time_happen_by_themselves() {
    let mut world = World::shipped("pocket").unwrap();
    world.events.push(Event {
        at: Some("+200ms".parse().unwrap()),
        ..taken("plain.test", DsChange::Keep)
    });
    let lab = Lab::start(world, 0, noon()).await.unwrap();
    let zone = name("plain.test");
    let happens = async {
        while names(&lab.delegation(&zone).unwrap()) != ["ns1.thief.example", "ns2.thief.example"] {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), happens).await.unwrap();
    assert!(
        lab.now().duration_since(noon()).as_millis() >= 200,
        "not before its time"
    );
}

#[tokio::test]
async fn a_dropped_lab_frees_its_port() {
    let lab = pocket().await;
    let port = lab.port();
    lab.stop().await;
    drop(lab);
    Lab::start(World::shipped("pocket").unwrap(), port, noon())
        .await
        .unwrap();
}
