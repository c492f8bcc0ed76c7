use csirt::links::{Answer, AnswerKind, Answered, answer, answers, issue, opened, revoke, view};
use csirt::requests::{RequestState, get};
use csirt::{Error, audit, cases, links, requests};
use model::VerdictState;

use crate::matter::{duty_officer, open_request, verdict};
use crate::on_each_database;

fn not_found<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::NotFound { .. }))
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_at_a_link_a_hundred_times_changes_nothing() {
    on_each_database(async |world| {
        let (_, request) = open_request(world).await;
        let token = issue(&world.records, duty_officer(), request.id)
            .await
            .unwrap()
            .to_string();
        let before = (
            audit::head(&world.records).await.unwrap(),
            get(&world.records, request.id).await.unwrap(),
        );
        for _ in 0..100 {
            let view = view(&world.records, &token).await.unwrap();
            assert_eq!((view.request.number, view.party.name.as_str()), (1, "Atlas Shop"));
            assert_eq!(view.facts.servers, ["ns1.shop.atlas.example/192.0.2.53"]);
        }
        let after = (
            audit::head(&world.records).await.unwrap(),
            get(&world.records, request.id).await.unwrap(),
        );
        assert_eq!(before, after);
        assert_eq!(
            opened(&world.records, &token).await.unwrap().state,
            RequestState::Opened
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_expired_revoked_and_broken_links_look_the_same() {
    on_each_database(async |world| {
        let (_, request) = open_request(world).await;
        let first = issue(&world.records, duty_officer(), request.id)
            .await
            .unwrap()
            .to_string();
        assert!(not_found(&view(&world.records, "no token").await));
        assert!(not_found(&view(&world.records, &"A".repeat(43)).await));
        assert_eq!(revoke(&world.records, duty_officer(), request.id).await.unwrap(), 1);
        assert!(not_found(&view(&world.records, &first).await));
        let acknowledge = Answer::bare(AnswerKind::Acknowledge);
        assert!(not_found(&answer(&world.records, &first, &acknowledge, "1").await));
        let second = issue(&world.records, duty_officer(), request.id)
            .await
            .unwrap()
            .to_string();
        world.wait_secs(60 * 86_400 - 1);
        assert!(view(&world.records, &second).await.is_ok());
        world.wait_secs(1);
        assert!(not_found(&view(&world.records, &second).await));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn double_clicks_and_late_clicks_do_no_harm() {
    on_each_database(async |world| {
        let (_, request) = open_request(world).await;
        let token = issue(&world.records, duty_officer(), request.id)
            .await
            .unwrap()
            .to_string();
        let say = async |kind, key: &str| answer(&world.records, &token, &Answer::bare(kind), key).await.unwrap();
        assert_eq!(
            say(AnswerKind::Working, "1").await,
            Answered::Taken(RequestState::Working)
        );
        assert_eq!(
            say(AnswerKind::Working, "1").await,
            Answered::Repeated(RequestState::Working)
        );
        assert_eq!(
            say(AnswerKind::Working, "2").await,
            Answered::Repeated(RequestState::Working)
        );
        assert_eq!(say(AnswerKind::Done, "3").await, Answered::Taken(RequestState::Done));
        assert_eq!(
            say(AnswerKind::Acknowledge, "4").await,
            Answered::Kept(RequestState::Done)
        );
        let holds = verdict(world, VerdictState::Holds);
        requests::record_verdict(&world.records, request.id, &holds, None)
            .await
            .unwrap();
        let cannot = Answer {
            reason: "too late".to_owned(),
            ..Answer::bare(AnswerKind::Cannot)
        };
        let kept = answer(&world.records, &token, &cannot, "5").await.unwrap();
        assert_eq!(
            kept,
            Answered::Kept(RequestState::Verified),
            "a verified request stays verified"
        );
        assert_eq!(answers(&world.records, request.id).await.unwrap().len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_answer_sent_twenty_times_at_once_is_one_answer() {
    on_each_database(async |world| {
        let (_, request) = open_request(world).await;
        let token = issue(&world.records, duty_officer(), request.id)
            .await
            .unwrap()
            .to_string();
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let (records, token) = (world.records.clone(), token.clone());
                tokio::spawn(async move {
                    answer(&records, &token, &Answer::bare(AnswerKind::Done), "one")
                        .await
                        .unwrap()
                })
            })
            .collect();
        let mut taken = 0;
        for task in tasks {
            taken += usize::from(matches!(task.await.unwrap(), Answered::Taken(_)));
        }
        assert_eq!(
            (taken, answers(&world.records, request.id).await.unwrap().len()),
            (1, 1)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_says_what_it_lacks_and_does_what_it_says() {
    on_each_database(async |world| {
        let (case, request) = open_request(world).await;
        let token = issue(&world.records, duty_officer(), request.id)
            .await
            .unwrap()
            .to_string();
        let error = answer(&world.records, &token, &Answer::bare(AnswerKind::NotOurs), "1")
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Invalid { field, .. } if field == "suggested"));
        let call = Answer {
            phone: "+216 1234, after nine".to_owned(),
            ..Answer::bare(AnswerKind::CallMe)
        };
        assert_eq!(
            answer(&world.records, &token, &call, "2").await.unwrap().state(),
            RequestState::Acknowledged
        );
        let request = get(&world.records, request.id).await.unwrap();
        assert_eq!(request.call_me.as_deref(), Some("+216 1234, after nine"));
        let other = Answer {
            suggested: "Other Host".to_owned(),
            ..Answer::bare(AnswerKind::NotOurs)
        };
        assert_eq!(
            answer(&world.records, &token, &other, "3").await.unwrap().state(),
            RequestState::NotTheirs
        );
        cases::close(&world.records, duty_officer(), case.id, None)
            .await
            .unwrap();
        let late = answer(&world.records, &token, &Answer::bare(AnswerKind::Done), "4")
            .await
            .unwrap();
        assert_eq!(
            late,
            Answered::Kept(RequestState::NotTheirs),
            "after the case an answer is kept"
        );
        assert_eq!(links::answers(&world.records, request.id).await.unwrap().len(), 3);
    })
    .await;
}
