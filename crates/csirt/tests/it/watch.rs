use std::collections::HashSet;

use csirt::watch::announcement::{NewAnnouncement, all, announce, current, withdraw};
use csirt::watch::{
    Round, Watch, WatchedZone, ZoneState, add, add_all, behind, by_zone, due, expected_of, get, health, list, newest,
    next_due, record_round, record_rounds, remove, reschedule, set_expected, standings, state, states, taken, update,
    watched_among,
};
use csirt::{Actor, Error, audit};
use model::{Delegation, Finding, Level, Name};
use serde_json::json;

use crate::{World, on_each_database, time};

async fn watched(world: &World, zone: &str) -> WatchedZone {
    add(&world.records, Actor::System, &Watch::new(zone.parse().unwrap()))
        .await
        .unwrap()
}

fn delegation(server: &str) -> Delegation {
    let mut delegation = Delegation::default();
    delegation
        .ns
        .insert(server.parse().unwrap(), ["192.0.2.1".parse().unwrap()].into());
    delegation
}

fn round(world: &World, level: Option<Level>) -> Round {
    let finding = |level| Finding {
        case: "basic02".into(),
        tag: "B02_NO_WORKING_NS".into(),
        level,
        args: Default::default(),
        vantage_point: Some("centre".to_owned()),
    };
    Round {
        time: world.records.now(),
        findings: level.map(finding).into_iter().collect(),
        seen: Some(delegation("ns1.example.test")),
        servers: json!([{"name": "ns1.example.test", "address": "192.0.2.1", "reachable": true}]),
        detectors: json!({"health": {"basic02": 1}}),
        untestable: None,
    }
}

#[tokio::test]
async fn many_zones_are_put_on_the_list_or_none() {
    on_each_database(async |world| {
        watched(world, "b.test").await;
        let watches =
            |names: &[&str]| -> Vec<Watch> { names.iter().map(|zone| Watch::new(zone.parse().unwrap())).collect() };
        let all = async |names: &[&str]| add_all(&world.records, Actor::System, &watches(names)).await;
        let head = audit::head(&world.records).await.unwrap();
        for (names, named) in [
            (&["a.test", "b.test"][..], "b.test"),
            (&["a.test", "c.test", "a.test"][..], "a.test"),
        ] {
            let error = all(names).await.unwrap_err();
            assert!(
                matches!(&error, Error::Conflict { reason } if reason.ends_with(named)),
                "{error}"
            );
            let zones: Vec<Name> = names.iter().map(|zone| zone.parse().unwrap()).collect();
            assert_eq!(
                taken(&world.records, &zones).await.unwrap(),
                [named.parse::<Name>().unwrap()]
            );
        }
        let hasty = Watch {
            interval_secs: 1,
            ..Watch::new("a.test".parse().unwrap())
        };
        assert!(add_all(&world.records, Actor::System, &[hasty]).await.is_err());
        assert_eq!(audit::head(&world.records).await.unwrap(), head);

        let names: Vec<String> = (0..1_200).map(|number| format!("z{number}.test")).collect();
        let added = all(&names.iter().map(String::as_str).collect::<Vec<_>>())
            .await
            .unwrap();
        assert_eq!(list(&world.records).await.unwrap().len(), 1_201);
        assert_eq!(get(&world.records, added[7].id).await.unwrap(), added[7]);
        let noted = audit::of(&world.records, "watched_zone", added[7].id).await.unwrap();
        assert!(noted.iter().any(|row| row.new.as_deref() == Some("z7.test")));
    })
    .await;
}

#[tokio::test]
async fn a_round_is_counted_before_its_commit_wakes_who_watches() {
    on_each_database(async |world| {
        let zone = watched(world, "example.test").await;
        assert_eq!(newest(&world.records).await.unwrap(), None);
        let (rounds, mut commits) = (world.records.rounds(), world.records.commits());
        commits.mark_unchanged();
        watched(world, "other.test").await;
        assert_eq!(*rounds.borrow(), 0, "a commit is no round");
        record_round(&world.records, zone.id, round(world, None)).await.unwrap();
        assert!(commits.has_changed().unwrap());
        assert_eq!(*rounds.borrow(), 1);
        assert_eq!(newest(&world.records).await.unwrap(), Some(world.records.now()));
    })
    .await;
}

#[tokio::test]
async fn a_zone_is_put_on_the_list_changed_and_taken_off() {
    on_each_database(async |world| {
        let zone: Name = "example.test".parse().unwrap();
        let made = watched(world, "Example.TEST").await;
        assert_eq!(made.watch.zone, zone);
        assert!(matches!(
            add(&world.records, Actor::System, &made.watch).await,
            Err(Error::Conflict { .. })
        ));
        assert_eq!(expected_of(&world.records, &zone).await.unwrap(), None);
        let set = set_expected(&world.records, Actor::System, made.id, &delegation("ns1.example.test"))
            .await
            .unwrap();
        assert_eq!(get(&world.records, made.id).await.unwrap(), set);
        assert_eq!(
            expected_of(&world.records, &zone).await.unwrap(),
            Some(delegation("ns1.example.test"))
        );
        let wrong = Watch {
            interval_secs: 1,
            ..set.watch.clone()
        };
        assert!(matches!(
            update(&world.records, Actor::System, made.id, &wrong).await,
            Err(Error::Invalid { .. })
        ));
        let rows = csirt::audit::of(&world.records, "watched_zone", made.id).await.unwrap();
        let fields: Vec<&str> = rows.iter().map(|row| row.field.as_str()).collect();
        assert_eq!(fields, ["zone", "interval_secs", "enabled", "expected"]);
        record_round(&world.records, made.id, round(world, None)).await.unwrap();
        remove(&world.records, Actor::System, made.id).await.unwrap();
        assert_eq!(by_zone(&world.records, &zone).await.unwrap(), None);
        assert!(list(&world.records).await.unwrap().is_empty());
        let late = record_round(&world.records, made.id, round(world, None)).await;
        assert!(matches!(late, Err(Error::NotFound { .. })));
    })
    .await;
}

#[tokio::test]
async fn a_round_is_kept_as_the_latest_state() {
    on_each_database(async |world| {
        let zone = watched(world, "example.test").await;
        assert_eq!(state(&world.records, zone.id).await.unwrap(), None);
        let first = record_round(&world.records, zone.id, round(world, None)).await.unwrap();
        assert_eq!((first.worst, first.failures), (None, 0));
        world.wait_secs(60);
        record_round(&world.records, zone.id, round(world, Some(Level::Critical)))
            .await
            .unwrap();
        world.wait_secs(60);
        let third = record_round(&world.records, zone.id, round(world, Some(Level::Critical)))
            .await
            .unwrap();
        assert_eq!(
            (third.worst, third.since),
            (Some(Level::Critical), time("2026-07-01T09:01:00Z"))
        );
        assert_eq!(state(&world.records, zone.id).await.unwrap(), Some(third.clone()));
        let late = Round {
            time: time("2026-07-01T09:01:30Z"),
            ..round(world, None)
        };
        assert_eq!(
            record_round(&world.records, zone.id, late).await.unwrap(),
            third,
            "a late round does no harm"
        );
        let all = states(&world.records).await.unwrap();
        assert_eq!(all, [(zone, Some(third))]);
    })
    .await;
}

#[tokio::test]
async fn a_round_that_could_not_test_keeps_what_was_known_and_counts() {
    on_each_database(async |world| {
        let zone = watched(world, "example.test").await;
        record_round(&world.records, zone.id, round(world, Some(Level::Error)))
            .await
            .unwrap();
        for failures in 1..=3 {
            world.wait_secs(60);
            let blind = Round {
                seen: None,
                untestable: Some("no route".to_owned()),
                ..round(world, None)
            };
            let now = record_round(&world.records, zone.id, blind).await.unwrap();
            assert_eq!(
                (now.failures, now.worst, now.since),
                (failures, Some(Level::Error), time("2026-07-01T09:00:00Z"))
            );
            assert_eq!(now.round.seen, Some(delegation("ns1.example.test")));
        }
        world.wait_secs(60);
        assert_eq!(
            record_round(&world.records, zone.id, round(world, None))
                .await
                .unwrap()
                .failures,
            0
        );
    })
    .await;
}

#[tokio::test]
async fn a_zone_is_due_an_interval_after_the_beginning_of_its_last_round() {
    on_each_database(async |world| {
        assert_eq!(next_due(&world.records).await.unwrap(), None);
        let (a, b) = (watched(world, "a.test").await, watched(world, "b.test").await);
        let names = async || {
            let due = all_due(world).await;
            due.iter()
                .map(|(zone, _)| zone.watch.zone.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(names().await, ["a.test", "b.test"], "new ones at once");
        record_round(&world.records, b.id, round(world, None)).await.unwrap();
        world.wait_secs(1);
        record_round(&world.records, a.id, round(world, None)).await.unwrap();
        assert_eq!(names().await, [""; 0]);
        assert_eq!(
            next_due(&world.records).await.unwrap(),
            Some(time("2026-07-01T09:01:00Z"))
        );
        world.wait_secs(60);
        assert_eq!(names().await, ["b.test", "a.test"], "the longest overdue first");
        update(
            &world.records,
            Actor::System,
            b.id,
            &Watch {
                enabled: false,
                ..b.watch
            },
        )
        .await
        .unwrap();
        assert_eq!(names().await, ["a.test"]);
    })
    .await;
}

#[tokio::test]
async fn an_announcement_covers_its_window_and_what_it_announces() {
    on_each_database(async |world| {
        let zone: Name = "example.test".parse().unwrap();
        let new = NewAnnouncement {
            zone: zone.clone(),
            from: time("2026-07-01T10:00:00Z"),
            until: time("2026-07-01T12:00:00Z"),
            expected: Some(delegation("ns9.example.test")),
            by: "Registry of Example, by phone".to_owned(),
            note: String::new(),
        };
        let made = announce(&world.records, Actor::Public, new.clone()).await.unwrap();
        let seen = delegation("ns9.example.test");
        for (at, seen, covered) in [
            ("2026-07-01T09:59:59Z", Some(&seen), false),
            ("2026-07-01T10:00:00Z", Some(&seen), true),
            ("2026-07-01T11:00:00Z", Some(&delegation("evil.test")), false),
            ("2026-07-01T11:00:00Z", None, false),
            ("2026-07-01T12:00:00Z", Some(&seen), false),
        ] {
            assert_eq!(made.covers(time(at), seen), covered, "{at}");
        }
        let open = current(&world.records, &zone, world.records.now()).await.unwrap();
        assert_eq!(open, std::slice::from_ref(&made));
        assert!(
            current(&world.records, &zone, time("2026-07-01T12:00:00Z"))
                .await
                .unwrap()
                .is_empty()
        );
        for wrong in [
            NewAnnouncement {
                until: new.from,
                ..new.clone()
            },
            NewAnnouncement {
                until: time("2026-10-01T00:00:00Z"),
                ..new.clone()
            },
            NewAnnouncement {
                from: time("2026-06-01T00:00:00Z"),
                until: time("2026-06-02T00:00:00Z"),
                ..new.clone()
            },
            NewAnnouncement {
                by: " ".to_owned(),
                ..new.clone()
            },
            NewAnnouncement {
                until: time("2026-07-03T10:00:01Z"),
                expected: None,
                ..new.clone()
            },
        ] {
            assert!(matches!(
                announce(&world.records, Actor::Public, wrong).await,
                Err(Error::Invalid { .. })
            ));
        }
        let gone = withdraw(&world.records, Actor::System, made.id).await.unwrap();
        assert!(!gone.covers(time("2026-07-01T11:00:00Z"), Some(&seen)));
        assert!(
            current(&world.records, &zone, world.records.now())
                .await
                .unwrap()
                .is_empty()
        );
        assert_eq!(all(&world.records).await.unwrap(), [gone]);
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_went_back_neither_puts_rounds_off_nor_drops_them() {
    on_each_database(async |world| {
        let zone = watched(world, "a.test").await;
        record_round(&world.records, zone.id, round(world, None)).await.unwrap();
        let due = async || all_due(world).await.len();
        assert_eq!(
            reschedule(&world.records, world.records.now()).await.unwrap(),
            0,
            "all is well"
        );
        world.wait_secs(-3 * 3600);
        assert_eq!(due().await, 0);
        assert_eq!(reschedule(&world.records, world.records.now()).await.unwrap(), 1);
        assert_eq!(due().await, 1);
        let kept = record_round(&world.records, zone.id, round(world, None)).await.unwrap();
        assert_eq!(kept.round.time, world.records.now(), "the round of the present counts");
        assert_eq!(due().await, 0, "an interval is waited again");
        world.wait_secs(60);
        assert_eq!(due().await, 1);
    })
    .await;
}

#[tokio::test]
async fn another_interval_makes_a_zone_due_at_once() {
    on_each_database(async |world| {
        let zone = watched(world, "a.test").await;
        record_round(&world.records, zone.id, round(world, None)).await.unwrap();
        let faster = Watch {
            interval_secs: 10,
            ..zone.watch
        };
        update(&world.records, Actor::System, zone.id, &faster).await.unwrap();
        assert_eq!(all_due(world).await.len(), 1);
    })
    .await;
}

/// All zones that are due now.
async fn all_due(world: &World) -> Vec<(WatchedZone, Option<ZoneState>)> {
    let nothing = HashSet::new();
    due(&world.records, world.records.now(), &nothing, 1_000).await.unwrap()
}

#[tokio::test]
async fn a_short_interval_does_not_wait_behind_thousands_and_what_is_under_way_is_left_out() {
    on_each_database(async |world| {
        let mut zones = Vec::new();
        for (name, interval_secs) in [("slow1.test", 60), ("slow2.test", 60), ("quick.test", 5)] {
            let watch = Watch {
                interval_secs,
                ..Watch::new(name.parse().unwrap())
            };
            let zone = add(&world.records, Actor::System, &watch).await.unwrap();
            record_round(&world.records, zone.id, round(world, None)).await.unwrap();
            zones.push(zone);
        }
        world.wait_secs(75);
        let names = async |busy: &[usize], limit| {
            let busy: HashSet<_> = busy.iter().map(|at| zones[*at].id).collect();
            let due = due(&world.records, world.records.now(), &busy, limit).await.unwrap();
            due.iter()
                .map(|(zone, _)| zone.watch.zone.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&[], 9).await, ["quick.test", "slow1.test", "slow2.test"]);
        assert_eq!(names(&[], 1).await, ["quick.test"], "no more than there are places");
        assert_eq!(names(&[2], 1).await, ["slow1.test"]);
        assert_eq!(names(&[], 0).await, [""; 0]);
        let behind = async |secs| {
            let grace = jiff::SignedDuration::from_secs(secs);
            behind(&world.records, world.records.now(), grace).await.unwrap()
        };
        assert_eq!(behind(10).await, 1, "late by more than its interval: the quick one");
        assert_eq!(behind(80).await, 0);
    })
    .await;
}

#[tokio::test]
async fn rounds_of_many_zones_are_kept_in_one_change_and_a_zone_that_is_gone_takes_none_with_it() {
    on_each_database(async |world| {
        let (a, b) = (watched(world, "a.test").await, watched(world, "b.test").await);
        let gone = watched(world, "gone.test").await;
        remove(&world.records, Actor::System, gone.id).await.unwrap();
        let rounds = vec![
            (a.id, round(world, Some(Level::Error))),
            (gone.id, round(world, None)),
            (b.id, round(world, None)),
        ];
        let kept = record_rounds(&world.records, rounds).await.unwrap();
        let worst: Vec<Option<Option<Level>>> = kept.iter().map(|state| state.as_ref().map(|one| one.worst)).collect();
        assert_eq!(worst, [Some(Some(Level::Error)), None, Some(None)]);
        let standings = standings(&world.records).await.unwrap();
        let told: Vec<_> = standings
            .iter()
            .map(|zone| (zone.zone.to_string(), zone.worst, zone.measured.is_some()))
            .collect();
        let expected = [("a.test", Some(Level::Error), true), ("b.test", None, true)];
        assert_eq!(
            told,
            expected.map(|(zone, worst, measured)| (zone.to_owned(), worst, measured))
        );
        for (zone, state) in states(&world.records).await.unwrap() {
            let standing = standings.iter().find(|one| one.id == zone.id).unwrap();
            assert_eq!(
                standing.health,
                health(state.as_ref()),
                "the column says what the findings say"
            );
            assert_eq!(standing.since, state.map(|state| state.since));
        }
    })
    .await;
}

#[tokio::test]
async fn zones_above_are_found_among_many_names() {
    on_each_database(async |world| {
        watched(world, "a.test").await;
        let names: std::collections::BTreeSet<Name> = (0..1_500)
            .map(|number| format!("n{number}.test").parse().unwrap())
            .chain(["a.test".parse().unwrap(), Name::root()])
            .collect();
        let found = watched_among(&world.records, &names).await.unwrap();
        assert_eq!(found, ["a.test".parse().unwrap()].into());
    })
    .await;
}
