use csirt::notices::NoticeKind;
use csirt::requests::{
    Ask, Patience, RequestState, create, get, grid, measure_now, overrule, propose, record_verdict, to_verify,
    verdicts, watch_silence,
};
use csirt::{Actor, Error, cases, jobs, links, notices};
use model::VerdictState;

use crate::matter::{centre, deliver, duty_officer, open_case, open_request, operator, proposal, queue, verdict};
use crate::on_each_database;

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_says_whom_to_ask_and_in_which_language() {
    on_each_database(async |world| {
        let organisation = operator(world).await;
        let case = open_case(world).await;
        let proposals = propose(&world.records, case.id).await.unwrap();
        assert_eq!(proposals.len(), 1);
        let proposal = &proposals[0];
        assert_eq!(
            (proposal.organisation, proposal.ask),
            (Some(organisation.id), Ask::RestoreService)
        );
        assert_eq!(
            (proposal.language.code(), proposal.time_zone.as_str()),
            ("fr", "Africa/Tunis")
        );
        assert!(!proposal.because.is_empty());
        let request = create(&world.records, duty_officer(), case.id, proposal).await.unwrap();
        assert_eq!((request.number, request.state), (1, RequestState::NotNotified));
        assert!(
            propose(&world.records, case.id).await.unwrap().is_empty(),
            "what is asked is not proposed again"
        );
        let found = csirt::requests::of_organisation(&world.records, organisation.id)
            .await
            .unwrap();
        assert_eq!(found[0].1.id, request.id);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_to_the_same_organisation_stand_in_one_row_of_the_grid() {
    on_each_database(async |world| {
        let (case, _) = open_request(world).await;
        create(&world.records, duty_officer(), case.id, &proposal(world, Ask::Explain))
            .await
            .unwrap();
        let mut other = proposal(world, Ask::Explain);
        other.name = "Somebody else".to_owned();
        create(&world.records, duty_officer(), case.id, &other).await.unwrap();
        let grid = grid(&world.records, case.id).await.unwrap();
        let rows: Vec<_> = grid.parties.iter().map(|row| row.requests.len()).collect();
        assert_eq!(rows, [2, 1]);
        let mut wrong = proposal(world, Ask::Explain);
        wrong.addresses = vec!["nobody".to_owned()];
        let error = create(&world.records, duty_officer(), case.id, &wrong)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Invalid { field, .. } if field == "addresses"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_measurement_verifies_and_a_failing_one_takes_done_back() {
    on_each_database(async |world| {
        let (case, request) = open_request(world).await;
        let token = links::issue(&world.records, duty_officer(), request.id)
            .await
            .unwrap()
            .to_string();
        let done = links::Answer::bare(links::AnswerKind::Done);
        links::answer(&world.records, &token, &done, "1").await.unwrap();
        let queued = jobs::claim_due(&world.records, None, std::time::Duration::from_secs(60), 10)
            .await
            .unwrap();
        assert!(
            matches!(queued[0].job, jobs::Job::VerifyRequest { request: id } if id == request.id),
            "measured at once"
        );
        let after = async |state| {
            world.wait_secs(1);
            record_verdict(
                &world.records,
                request.id,
                &verdict(world, state),
                Some("A? -> timeout"),
            )
            .await
            .unwrap()
            .state
        };
        assert_eq!(after(VerdictState::Unknown).await, RequestState::Done);
        assert_eq!(after(VerdictState::Fails).await, RequestState::Working);
        assert_eq!(cases::notes(&world.records, case.id).await.unwrap().len(), 1);
        assert_eq!(after(VerdictState::Fails).await, RequestState::Working);
        assert_eq!(
            cases::notes(&world.records, case.id).await.unwrap().len(),
            1,
            "said once"
        );
        assert_eq!(after(VerdictState::Holds).await, RequestState::Verified);
        assert!(to_verify(&world.records).await.unwrap().is_empty());
        let runs = verdicts(&world.records, request.id).await.unwrap();
        assert_eq!(runs.iter().map(|run| run.repeats).collect::<Vec<_>>(), [1, 2, 1]);
        assert_eq!(
            after(VerdictState::Fails).await,
            RequestState::Working,
            "it broke again"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_verdict_that_comes_late_changes_nothing() {
    on_each_database(async |world| {
        let (_, request) = open_request(world).await;
        let old = verdict(world, VerdictState::Fails);
        world.wait_secs(10);
        record_verdict(&world.records, request.id, &verdict(world, VerdictState::Holds), None)
            .await
            .unwrap();
        let state = record_verdict(&world.records, request.id, &old, None)
            .await
            .unwrap()
            .state;
        assert_eq!(state, RequestState::Verified);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_is_not_given_by_the_dns() {
    on_each_database(async |world| {
        let case = open_case(world).await;
        let request = create(&world.records, duty_officer(), case.id, &proposal(world, Ask::Explain))
            .await
            .unwrap();
        let holds = verdict(world, VerdictState::Holds);
        let state = record_verdict(&world.records, request.id, &holds, None)
            .await
            .unwrap()
            .state;
        assert_eq!(state, RequestState::NotNotified);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_overrules_with_a_reason_that_shows_and_stands() {
    on_each_database(async |world| {
        let (_, request) = open_request(world).await;
        let party = overrule(&world.records, Actor::Party(request.id), request.id, "I say so").await;
        assert!(matches!(party, Err(Error::Forbidden { .. })));
        assert!(matches!(
            overrule(&world.records, duty_officer(), request.id, " ").await,
            Err(Error::Invalid { .. })
        ));
        let overruled = overrule(&world.records, duty_officer(), request.id, "the zone was given up")
            .await
            .unwrap();
        assert_eq!(overruled.state, RequestState::Verified);
        assert_eq!(overruled.overruled.unwrap().reason, "the zone was given up");
        let fails = verdict(world, VerdictState::Fails);
        let state = record_verdict(&world.records, request.id, &fails, None)
            .await
            .unwrap()
            .state;
        assert_eq!(
            state,
            RequestState::Verified,
            "a measurement does not undo a person's word"
        );
        measure_now(&world.records, duty_officer(), request.id).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_leads_to_two_reminders_and_then_to_unreachable() {
    on_each_database(async |world| {
        let (_, request) = open_request(world).await;
        let folder = tempfile::tempdir().unwrap();
        let notice = queue(world, &request).await;
        deliver(world, notice.id, folder.path()).await;
        let patience = Patience::default();
        let look = async || watch_silence(&world.records, &centre(), &patience).await.unwrap().len();
        assert_eq!(look().await, 0);
        for reminder in 1..=2 {
            world.wait_secs(12 * 3600);
            assert_eq!(look().await, 1, "reminder {reminder}");
            assert_eq!(look().await, 0, "a repeat does nothing");
            let all = notices::of_request(&world.records, request.id).await.unwrap();
            let newest = all.last().unwrap();
            assert_eq!(
                (newest.kind, newest.in_reply_to.as_deref()),
                (NoticeKind::Reminder, Some(notice.message_id.as_str()))
            );
            deliver(world, newest.id, folder.path()).await;
        }
        world.wait_secs(12 * 3600);
        assert_eq!(look().await, 1);
        assert_eq!(
            get(&world.records, request.id).await.unwrap().state,
            RequestState::Unreachable
        );
        assert_eq!(look().await, 0);
    })
    .await;
}
