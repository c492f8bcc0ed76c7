use csirt::alerts::{AlertState, Filter, Raised, counts, dismiss, end, get, queue, raise, signals};
use csirt::{Actor, Error};
use model::{Severity, Signal};

use crate::matter::{duty_officer, signal};
use crate::on_each_database;

#[tokio::test(flavor = "multi_thread")]
async fn repeats_fold_into_one_alert_whose_severity_only_rises() {
    on_each_database(async |world| {
        let mut first = signal(world, "health-worse", "a.example", Severity::Review);
        let alert = raise(&world.records, &first).await.unwrap().alert().id;
        world.wait_secs(60);
        first.severity = Severity::Page;
        first.time = world.records.now();
        let folded = raise(&world.records, &first).await.unwrap();
        first.severity = Severity::Log;
        raise(&world.records, &first).await.unwrap();
        assert!(matches!(folded, Raised::Folded(_)));
        let alert = get(&world.records, alert).await.unwrap();
        assert_eq!((alert.count, alert.severity), (3, Severity::Page));
        assert_eq!(alert.last_at.duration_since(alert.first_at).as_secs(), 60);
        assert_eq!(signals(&world.records, alert.id).await.unwrap().len(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_that_come_at_once_make_one_alert() {
    on_each_database(async |world| {
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let (records, signal) = (
                    world.records.clone(),
                    signal(world, "zone-unreachable", "a.example", Severity::Page),
                );
                tokio::spawn(async move { raise(&records, &signal).await.unwrap() })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let alerts = queue(&world.records, &Filter::default()).await.unwrap();
        assert_eq!(alerts.iter().map(|alert| alert.count).collect::<Vec<_>>(), [20]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_of_repeats_keeps_the_first_and_the_newest_signals() {
    on_each_database(async |world| {
        let mut id = None;
        for _ in 0..130 {
            world.wait_secs(60);
            let raised = raise(
                &world.records,
                &signal(world, "health-worse", "a.example", Severity::Review),
            )
            .await;
            id = Some(raised.unwrap().alert().id);
        }
        let kept = signals(&world.records, id.unwrap()).await.unwrap();
        let alert = get(&world.records, id.unwrap()).await.unwrap();
        assert_eq!((kept.len(), alert.count), (100, 130));
        assert_eq!(kept.first().unwrap().time, alert.first_at);
        assert_eq!(kept.last().unwrap().time, alert.last_at);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_matter_that_comes_again_is_a_new_alert_that_refers_to_the_old() {
    on_each_database(async |world| {
        let seen = signal(world, "zone-unreachable", "a.example", Severity::Page);
        let first = raise(&world.records, &seen).await.unwrap().alert().id;
        let error = dismiss(&world.records, duty_officer(), first, "  ").await.unwrap_err();
        assert!(matches!(error, Error::Invalid { field, .. } if field == "reason"));
        let dismissed = dismiss(&world.records, duty_officer(), first, "an exercise")
            .await
            .unwrap();
        assert_eq!(
            (dismissed.state, dismissed.reason.as_deref()),
            (AlertState::Dismissed, Some("an exercise"))
        );
        world.wait_secs(60);
        let second = raise(&world.records, &seen).await.unwrap();
        assert!(matches!(&second, Raised::New(alert) if alert.previous == Some(first)));
        end(&world.records, Actor::System, second.alert().id, "repaired")
            .await
            .unwrap();
        let again = end(&world.records, Actor::System, second.alert().id, "repaired").await;
        assert!(matches!(again, Err(Error::Conflict { .. })));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_shows_the_gravest_first_and_then_what_waits_longest() {
    on_each_database(async |world| {
        for (zone, severity) in [
            ("log.example", Severity::Log),
            ("new.example", Severity::Page),
            ("old.example", Severity::Review),
        ] {
            raise(&world.records, &signal(world, "health-worse", zone, severity))
                .await
                .unwrap();
            world.wait_secs(1);
        }
        raise(
            &world.records,
            &signal(world, "ds-removed", "later.example", Severity::Page),
        )
        .await
        .unwrap();
        let zones = async |filter: Filter| -> Vec<String> {
            let alerts = queue(&world.records, &filter).await.unwrap();
            alerts.iter().map(|alert| alert.zones[0].to_string()).collect()
        };
        assert_eq!(
            zones(Filter::default()).await,
            ["new.example", "later.example", "old.example", "log.example"]
        );
        let severe = Filter {
            severity: Some(Severity::Review),
            limit: 2,
            ..Filter::default()
        };
        assert_eq!(zones(severe).await, ["new.example", "later.example"]);
        let named = Filter {
            text: "DS-removed".to_owned(),
            ..Filter::default()
        };
        assert_eq!(zones(named).await, ["later.example"]);
        let by_key = Signal {
            key: "report:REPORT-2026-00001".to_owned(),
            ..signal(world, "report", "told.example", Severity::Log)
        };
        raise(&world.records, &by_key).await.unwrap();
        let told = |text: &str| Filter {
            text: text.to_owned(),
            ..Filter::default()
        };
        assert_eq!(zones(told("report-2026-00001")).await, ["told.example"]);
        assert_eq!(zones(told("REPORT-2026-00001")).await, ["told.example"]);
        let counts = counts(&world.records).await.unwrap();
        assert_eq!(
            (counts.new, counts.page, counts.review, counts.log, counts.ended),
            (5, 2, 1, 2, 0)
        );
    })
    .await;
}
