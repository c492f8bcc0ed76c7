//! The whole loop: signal, alert, case, request, notice, answer, verdict, closed with figures.

use std::time::Duration;

use csirt::alerts::{self, AlertState};
use csirt::cases::{self, CaseState, NewCase};
use csirt::jobs::{self, Job};
use csirt::links::{self, Answer, AnswerKind};
use csirt::notices::{self, Delivery, NoticeKind};
use csirt::requests::{self, RequestState};
use csirt::{Records, audit};
use model::{Severity, Tlp, VerdictState};

use crate::matter::{centre, deliver, duty_officer, mails, operator, signal, token_in, verdict};
use crate::{World, on_each_database};

/// Does the jobs that are due: hands notices to the folder, and measures with this outcome.
async fn work(world: &World, records: &Records, folder: &std::path::Path, outcome: VerdictState) -> Vec<&'static str> {
    let mut done = Vec::new();
    for claimed in jobs::claim_due(records, None, Duration::from_secs(60), 10)
        .await
        .unwrap()
    {
        match claimed.job {
            Job::DeliverNotice { notice } => {
                assert_eq!(deliver(world, notice, folder).await, Delivery::Sent);
                done.push("deliver");
            }
            Job::VerifyRequest { request } => {
                let seen = verdict(world, outcome);
                requests::record_verdict(records, request, &seen, Some("SOA? -> NOERROR"))
                    .await
                    .unwrap();
                done.push("verify");
            }
        }
        jobs::complete(records, &claimed).await.unwrap();
    }
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_zone_is_seen_told_repaired_measured_and_closed() {
    on_each_database(async |world| {
        let records = &world.records;
        let folder = tempfile::tempdir().unwrap();
        operator(world).await;

        let seen = signal(world, "zone-unreachable", "shop.atlas.example", Severity::Page);
        world.wait_secs(1);
        let alert = alerts::raise(records, &seen).await.unwrap().alert().id;
        world.wait_secs(59);
        let new = NewCase {
            title: "shop.atlas.example is silent".to_owned(),
            tlp: Tlp::Amber,
            alerts: vec![alert],
        };
        let case = cases::open(records, duty_officer(), &new).await.unwrap();
        let proposal = requests::propose(records, case.id).await.unwrap().remove(0);
        let request = requests::create(records, duty_officer(), case.id, &proposal)
            .await
            .unwrap();
        notices::queue(records, duty_officer(), &centre(), request.id, NoticeKind::Ask)
            .await
            .unwrap();
        world.wait_secs(2);
        assert_eq!(
            work(world, records, folder.path(), VerdictState::Fails).await,
            ["deliver"]
        );

        let mail = mails(folder.path()).remove(0);
        let token = token_in(&mail).to_string();
        world.wait_secs(600);
        let say = async |kind, key| {
            links::answer(records, &token, &Answer::bare(kind), key)
                .await
                .unwrap()
                .state()
        };
        assert_eq!(say(AnswerKind::Acknowledge, "a").await, RequestState::Acknowledged);
        world.wait_secs(600);
        assert_eq!(say(AnswerKind::Done, "b").await, RequestState::Done);
        assert_eq!(
            work(world, records, folder.path(), VerdictState::Fails).await,
            ["verify"]
        );
        assert_eq!(
            requests::get(records, request.id).await.unwrap().state,
            RequestState::Working,
            "not repaired yet"
        );
        assert!(cases::close(records, duty_officer(), case.id, None).await.is_err());

        world.wait_secs(600);
        assert_eq!(say(AnswerKind::Done, "c").await, RequestState::Done);
        world.wait_secs(1);
        assert_eq!(
            work(world, records, folder.path(), VerdictState::Holds).await,
            ["verify"]
        );
        let verified = requests::get(records, request.id).await.unwrap();
        assert_eq!(verified.state, RequestState::Verified);
        assert_eq!(notices::queue_thanks(records, &centre()).await.unwrap().len(), 1);
        assert!(
            notices::queue_thanks(records, &centre()).await.unwrap().is_empty(),
            "thanked once"
        );
        assert_eq!(
            work(world, records, folder.path(), VerdictState::Holds).await,
            ["deliver"]
        );
        assert_eq!(mails(folder.path()).len(), 2);

        world.wait_secs(60);
        let figures = cases::close(records, duty_officer(), case.id, None).await.unwrap();
        let seconds = [
            figures.detected,
            figures.opened,
            figures.notified,
            figures.acknowledged,
            figures.done,
            figures.verified,
            figures.closed,
        ];
        assert_eq!(
            seconds.map(Option::unwrap),
            [1.0, 60.0, 62.0, 662.0, 1862.0, 1863.0, 1923.0]
        );
        assert_eq!(cases::get(records, case.id).await.unwrap().state, CaseState::Closed);
        assert_eq!(alerts::get(records, alert).await.unwrap().state, AlertState::Ended);
        assert_eq!(cases::figures(records, case.id).await.unwrap(), figures);

        let timeline = cases::timeline(records, case.id).await.unwrap();
        let json = serde_json::to_string(&timeline).unwrap();
        for event in [
            "\"notice\"",
            "\"answer\"",
            "\"verdict\"",
            "\"evidence\"",
            "\"note\"",
            "\"change\"",
        ] {
            assert!(json.contains(&format!("\"event\":{event}")), "{event}");
        }
        assert!(!json.contains(&token));
        assert!(matches!(
            audit::verify(records).await.unwrap(),
            audit::Chain::Whole { .. }
        ));
        assert_eq!(
            jobs::queue(records).await.unwrap(),
            jobs::Queue::default(),
            "nothing is left to do"
        );
    })
    .await;
}
