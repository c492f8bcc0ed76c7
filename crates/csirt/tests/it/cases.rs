use csirt::alerts::{self, AlertState};
use csirt::cases::{
    self, CaseFilter, CaseState, NewCase, NewEvidence, add_alert, add_evidence, alerts_of, close, evidence, find, list,
    note, open, reopen, timeline,
};
use csirt::requests::{self, Ask};
use csirt::{Actor, Error, audit};
use model::{Severity, Tlp};

use crate::matter::{duty_officer, open_case, open_request, proposal, signal};
use crate::{World, on_each_database};

async fn alert(world: &World, zone: &str) -> model::Id<alerts::Alert> {
    let seen = signal(world, "zone-unreachable", zone, Severity::Review);
    alerts::raise(&world.records, &seen).await.unwrap().alert().id
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_of_cases_opened_at_once_are_unique_and_have_no_gap() {
    on_each_database(async |world| {
        let mut tasks = Vec::new();
        for number in 0..20 {
            let new = NewCase {
                title: format!("Case {number}"),
                tlp: Tlp::Green,
                alerts: vec![alert(world, &format!("z{number}.example")).await],
            };
            let records = world.records.clone();
            tasks.push(tokio::spawn(async move {
                open(&records, duty_officer(), &new).await.unwrap().number
            }));
        }
        let mut serials = Vec::new();
        for task in tasks {
            serials.push(task.await.unwrap().serial);
        }
        serials.sort_unstable();
        assert_eq!(serials, (1..=20).collect::<Vec<_>>());
        world.wait_secs(366 * 86_400);
        let new = NewCase {
            title: "Next year".to_owned(),
            tlp: Tlp::Green,
            alerts: vec![alert(world, "y.example").await],
        };
        let case = open(&world.records, duty_officer(), &new).await.unwrap();
        assert_eq!(case.number.to_string(), "DNSCERT-2027-00001");
        assert_eq!(find(&world.records, case.number).await.unwrap(), case);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_takes_over_what_its_alerts_know_and_an_alert_belongs_to_one_case() {
    on_each_database(async |world| {
        let case = open_case(world).await;
        assert_eq!((case.severity, case.zones.len()), (Severity::Page, 1));
        let more = alert(world, "b.example").await;
        let case = add_alert(&world.records, duty_officer(), case.id, more).await.unwrap();
        assert_eq!(case.zones.len(), 2);
        assert_eq!(alerts_of(&world.records, case.id).await.unwrap().len(), 2);
        let twice = NewCase { title: "Again".to_owned(), tlp: Tlp::Amber, alerts: vec![more] };
        assert!(matches!(open(&world.records, duty_officer(), &twice).await, Err(Error::Conflict { .. })));
        assert_eq!(list(&world.records, &CaseFilter::default()).await.unwrap().len(), 1, "nothing is left of the failed one");
        let none = NewCase { title: "Nothing".to_owned(), tlp: Tlp::Amber, alerts: Vec::new() };
        assert!(matches!(open(&world.records, duty_officer(), &none).await, Err(Error::Invalid { field, .. }) if field == "alerts"));
        // A repeat of the signal folds into the alert of the case.
        let seen = signal(world, "zone-unreachable", "b.example", Severity::Review);
        assert_eq!(alerts::raise(&world.records, &seen).await.unwrap().alert().id, more);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_with_an_open_request_closes_only_for_a_reason() {
    on_each_database(async |world| {
        let (case, _) = open_request(world).await;
        let error = close(&world.records, duty_officer(), case.id, None).await.unwrap_err();
        assert!(error.to_string().contains("/1 (not_notified)"), "{error}");
        close(
            &world.records,
            duty_officer(),
            case.id,
            Some("handed over by telephone"),
        )
        .await
        .unwrap();
        let closed = cases::get(&world.records, case.id).await.unwrap();
        assert_eq!(
            (closed.state, closed.closing.as_deref()),
            (CaseState::Closed, Some("handed over by telephone"))
        );
        let ended = &alerts_of(&world.records, case.id).await.unwrap()[0];
        assert_eq!(ended.state, AlertState::Ended);
        assert!(matches!(
            close(&world.records, duty_officer(), case.id, None).await,
            Err(Error::Conflict { .. })
        ));
        let more = requests::create(&world.records, duty_officer(), case.id, &proposal(world, Ask::Explain)).await;
        assert!(
            matches!(more, Err(Error::Conflict { .. })),
            "a closed case takes no request"
        );
        let opened = reopen(&world.records, duty_officer(), case.id, "it broke again")
            .await
            .unwrap();
        assert_eq!((opened.state, opened.closed_at), (CaseState::Open, None));
        assert_eq!(
            alerts_of(&world.records, case.id).await.unwrap()[0].state,
            AlertState::InCase
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reopened_case_leaves_an_alert_ended_that_has_come_anew() {
    on_each_database(async |world| {
        let case = open_case(world).await;
        close(&world.records, duty_officer(), case.id, None).await.unwrap();
        let seen = signal(world, "zone-unreachable", "shop.atlas.example", Severity::Page);
        let newer = alerts::raise(&world.records, &seen).await.unwrap().alert().clone();
        reopen(&world.records, duty_officer(), case.id, "the same matter")
            .await
            .unwrap();
        assert_eq!(
            alerts_of(&world.records, case.id).await.unwrap()[0].state,
            AlertState::Ended
        );
        add_alert(&world.records, duty_officer(), case.id, newer.id)
            .await
            .unwrap();
        assert_eq!(alerts_of(&world.records, case.id).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_kept_once_and_known_by_its_hash() {
    on_each_database(async |world| {
        let case = open_case(world).await;
        let new = NewEvidence {
            request: None,
            title: "Capture".to_owned(),
            text: "12:00 no answer".to_owned(),
            json: serde_json::json!({"rtt": null, "z": 1, "a": [0.5]}),
        };
        let first = add_evidence(&world.records, duty_officer(), case.id, &new)
            .await
            .unwrap();
        let second = add_evidence(&world.records, duty_officer(), case.id, &new)
            .await
            .unwrap();
        assert_eq!(first, second);
        let all = evidence(&world.records, case.id).await.unwrap();
        assert_eq!(all.len(), 2, "what the signal saw is evidence too");
        assert!(all[0].text.contains("zone shop.atlas.example"), "{}", all[0].text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_opens_however_much_its_alert_has_seen_and_says_what_is_not_listed() {
    on_each_database(async |world| {
        let zones: Vec<model::Name> = (0..2_000)
            .map(|n| format!("z{n:05}.atlas.example").parse().unwrap())
            .collect();
        let change = |zone: &model::Name| model::ZoneChange {
            time: world.records.now(),
            zone: zone.clone(),
            part: model::ChangedPart::Ns,
            before: vec![format!("ns1.{zone}"), format!("ns2.{zone}")],
            after: vec!["ns1.attacker.example".to_owned(), "ns2.attacker.example".to_owned()],
            announced: false,
        };
        let signal = model::Signal {
            detector: model::Detector::Redelegation,
            key: "redelegation:to:attacker.example".to_owned(),
            severity: model::Severity::Page,
            time: world.records.now(),
            zones: zones.clone(),
            kind: "mass-redelegated".to_owned(),
            args: std::collections::BTreeMap::from([("target".to_owned(), "attacker.example".to_owned())]),
            findings: Vec::new(),
            changes: zones.iter().map(change).collect(),
        };
        let raised = csirt::alerts::raise_all(&world.records, &vec![signal; 25])
            .await
            .unwrap();
        let alert = raised.last().unwrap().alert().clone();
        assert_eq!((alert.count, alert.zones.len()), (25, 2_000));
        let new = NewCase {
            title: "Names taken over".to_owned(),
            tlp: Tlp::Amber,
            alerts: vec![alert.id],
        };
        let case = open(&world.records, duty_officer(), &new).await.unwrap();
        assert_eq!(case.zones.len(), 2_000, "the case has all of them");
        let all = evidence(&world.records, case.id).await.unwrap();
        let left_out = &all[0].json["left_out"];
        assert_eq!(
            *left_out,
            serde_json::json!({"signals": 5, "zones": 20 * 1_900, "changes": 20 * 1_900, "findings": 0})
        );
        assert!(
            all[0].text.contains("not listed here: 5 signals"),
            "{}",
            &all[0].text[..200]
        );
        assert!(all[0].json.to_string().len() < 2 << 20);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timeline_tells_who_did_what_in_the_order_of_time() {
    on_each_database(async |world| {
        let case = open_case(world).await;
        world.wait_secs(5);
        note(&world.records, duty_officer(), case.id, "called them")
            .await
            .unwrap();
        world.wait_secs(5);
        requests::create(&world.records, duty_officer(), case.id, &proposal(world, Ask::Explain))
            .await
            .unwrap();
        let entries = timeline(&world.records, case.id).await.unwrap();
        assert!(entries.is_sorted_by_key(|entry| entry.time));
        let json = serde_json::to_value(&entries).unwrap();
        let events: Vec<_> = json
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["event"]["event"].as_str().unwrap())
            .collect();
        assert_eq!(events.iter().filter(|event| **event == "note").count(), 1, "{json:#}");
        assert!(events.contains(&"evidence") && events.contains(&"change"));
        assert!(entries.iter().any(|entry| entry.actor == duty_officer()));
        assert!(
            entries.iter().any(|entry| entry.actor == Actor::System),
            "the alert was raised by the centre"
        );
        assert!(matches!(
            audit::verify(&world.records).await.unwrap(),
            audit::Chain::Whole { .. }
        ));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_a_period_count_its_cases() {
    on_each_database(async |world| {
        let before = world.records.now();
        let case = open_case(world).await;
        world.wait_secs(100);
        close(&world.records, duty_officer(), case.id, None).await.unwrap();
        let figures = cases::figures_between(&world.records, before, world.records.now())
            .await
            .unwrap();
        assert_eq!(
            (figures.cases, figures.open, figures.closed.median),
            (1, 0, Some(100.0))
        );
        let later = cases::figures_between(&world.records, world.records.now(), world.records.now())
            .await
            .unwrap();
        assert_eq!(later.cases, 0);
        let number = CaseFilter {
            text: "dnscert-2026-00001".to_owned(),
            ..CaseFilter::default()
        };
        assert_eq!(list(&world.records, &number).await.unwrap().len(), 1);
        let title = CaseFilter {
            text: "sHOP is".to_owned(),
            ..CaseFilter::default()
        };
        assert_eq!(list(&world.records, &title).await.unwrap().len(), 1);
        let other = CaseFilter {
            text: "no such".to_owned(),
            ..CaseFilter::default()
        };
        assert!(list(&world.records, &other).await.unwrap().is_empty());
        let open = CaseFilter {
            state: Some(CaseState::Open),
            ..CaseFilter::default()
        };
        assert!(list(&world.records, &open).await.unwrap().is_empty());
    })
    .await;
}
