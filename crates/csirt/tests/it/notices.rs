use csirt::notices::{
    Delivery, Mailer, NoticeKind, NoticeState, Security, SmtpSettings, deliver as deliver_by, get, of_request, preview,
    queue as queue_kind,
};
use csirt::requests::RequestState;
use csirt::{Error, links, requests};
use mail_parser::{MessageParser, MimeHeaders};
use model::Language;
use testkit::relay::Relay;
use tokio::net::TcpListener;

use crate::matter::{centre, deliver, duty_officer, mails, open_request, queue, token_in};
use crate::on_each_database;

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_goes_out_once_with_its_evidence_and_a_link_that_opens() {
    on_each_database(async |world| {
        let (_, request) = open_request(world).await;
        let folder = tempfile::tempdir().unwrap();
        let notice = queue(world, &request).await;
        assert_eq!(
            requests::get(&world.records, request.id).await.unwrap().state,
            RequestState::Queued
        );
        assert_eq!(deliver(world, notice.id, folder.path()).await, Delivery::Sent);
        assert_eq!(deliver(world, notice.id, folder.path()).await, Delivery::Already);
        let mails = mails(folder.path());
        assert_eq!(mails.len(), 1);
        let mail = MessageParser::default().parse(&mails[0]).unwrap();
        assert_eq!(mail.message_id(), Some(notice.message_id.as_str()));
        assert!(
            mail.subject()
                .unwrap()
                .starts_with("[DNSCERT-2026-00001/1] shop.atlas.example")
        );
        assert!(mails[0].contains("Auto-Submitted: auto-generated\r\n"));
        let names: Vec<_> = mail.attachments().filter_map(|part| part.attachment_name()).collect();
        assert_eq!(names, ["evidence.txt", "evidence.json"]);
        let token = token_in(&mails[0]).to_string();
        assert_eq!(
            links::view(&world.records, &token).await.unwrap().request.id,
            request.id
        );
        let sent = get(&world.records, notice.id).await.unwrap();
        assert_eq!((sent.state, sent.attempts.len()), (NoticeState::Sent, 1));
        assert!(!sent.body.contains(&token), "the token is kept nowhere");
        assert!(
            requests::get(&world.records, request.id)
                .await
                .unwrap()
                .notified_at
                .is_some()
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_centre_that_died_after_writing_the_file_does_not_write_it_again() {
    on_each_database(async |world| {
        let (_, request) = open_request(world).await;
        let folder = tempfile::tempdir().unwrap();
        let notice = queue(world, &request).await;
        // What is there when the centre dies between the file and the commit.
        std::fs::write(folder.path().join(format!("{}.eml", notice.id)), "as it was").unwrap();
        assert_eq!(deliver(world, notice.id, folder.path()).await, Delivery::Sent);
        assert_eq!(mails(folder.path()), ["as it was"]);
        assert_eq!(
            requests::get(&world.records, request.id).await.unwrap().state,
            RequestState::Sent
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_queues_one_notice_and_a_party_without_address_none() {
    on_each_database(async |world| {
        let (case, request) = open_request(world).await;
        queue(world, &request).await;
        let again = queue_kind(&world.records, duty_officer(), &centre(), request.id, NoticeKind::Ask).await;
        assert!(matches!(again, Err(Error::Conflict { .. })));
        let mut mute = crate::matter::proposal(world, requests::Ask::Explain);
        (mute.name, mute.addresses) = ("No mail".to_owned(), Vec::new());
        let mute = requests::create(&world.records, duty_officer(), case.id, &mute)
            .await
            .unwrap();
        let error = queue_kind(&world.records, duty_officer(), &centre(), mute.id, NoticeKind::Ask)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Invalid { field, .. } if field == "addresses"));
        let chinese = preview(
            &world.records,
            &centre(),
            request.id,
            NoticeKind::Ask,
            Language::Chinese,
        )
        .await
        .unwrap();
        assert!(chinese.body.contains("我们看到了什么"));
        let kept = of_request(&world.records, request.id).await.unwrap();
        assert_eq!((kept.len(), kept[0].language), (1, Language::French));
    })
    .await;
}

fn smtp(port: u16) -> Mailer {
    let settings = SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::None,
        hello: "cert.example".to_owned(),
        ..SmtpSettings::default()
    };
    Mailer::smtp(&settings).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_is_down_is_tried_again_and_every_link_that_left_opens() {
    on_each_database(async |world| {
        let (_, request) = open_request(world).await;
        let notice = queue(world, &request).await;
        let closed = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let now = world.records.now();
        let delivery = deliver_by(&world.records, &centre(), notice.id, &smtp(closed))
            .await
            .unwrap();
        assert!(matches!(delivery, Delivery::RetryAt(at) if at > now), "{delivery:?}");
        let waiting = get(&world.records, notice.id).await.unwrap();
        assert_eq!(waiting.state, NoticeState::Queued);
        assert!(waiting.last_error.is_some() && waiting.attempts[0].ended_at.is_some());
        world.wait_secs(60);
        let relay = Relay::start(0, |_| "250 yes").await.unwrap();
        let delivery = deliver_by(&world.records, &centre(), notice.id, &smtp(relay.port))
            .await
            .unwrap();
        assert_eq!(delivery, Delivery::Sent);
        let mail = relay.mails().remove(0);
        assert!(mail.contains(&format!("Message-ID: <{}>", notice.message_id)));
        let token = token_in(&mail).to_string();
        assert!(links::view(&world.records, &token).await.is_ok());
        let notified = requests::get(&world.records, request.id)
            .await
            .unwrap()
            .notified_at
            .unwrap();
        assert_eq!(
            notified,
            world.records.now(),
            "told when it left, not when it was queued"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_for_good_shows_and_a_passing_one_waits_up_to_five_days() {
    on_each_database(async |world| {
        let (_, request) = open_request(world).await;
        let notice = queue(world, &request).await;
        let busy = Relay::start(0, |_| "451 later").await.unwrap();
        let delivery = deliver_by(&world.records, &centre(), notice.id, &smtp(busy.port))
            .await
            .unwrap();
        assert!(matches!(delivery, Delivery::RetryAt(_)), "{delivery:?}");
        world.wait_secs(5 * 86_400);
        let delivery = deliver_by(&world.records, &centre(), notice.id, &smtp(busy.port))
            .await
            .unwrap();
        assert!(matches!(delivery, Delivery::Failed(_)), "{delivery:?}");
        assert_eq!(
            requests::get(&world.records, request.id).await.unwrap().state,
            RequestState::Bounced
        );
        let again = queue(world, &request).await;
        let strict = Relay::start(0, |_| "550 5.1.1 no such user").await.unwrap();
        let delivery = deliver_by(&world.records, &centre(), again.id, &smtp(strict.port))
            .await
            .unwrap();
        assert!(
            matches!(&delivery, Delivery::Bounced(words) if words.contains("no such user")),
            "{delivery:?}"
        );
        assert_eq!(get(&world.records, again.id).await.unwrap().state, NoticeState::Bounced);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_address_does_not_keep_a_notice_from_the_others() {
    on_each_database(async |world| {
        let case = crate::matter::open_case(world).await;
        let mut proposal = crate::matter::proposal(world, requests::Ask::RestoreService);
        proposal.addresses = vec![
            "gone@shop.atlas.example".to_owned(),
            "noc@shop.atlas.example".to_owned(),
        ];
        let request = requests::create(&world.records, duty_officer(), case.id, &proposal)
            .await
            .unwrap();
        let notice = queue(world, &request).await;
        let answer = |line: &str| if line.contains("gone@") { "550 gone" } else { "250 yes" };
        let relay = Relay::start(0, answer).await.unwrap();
        let delivery = deliver_by(&world.records, &centre(), notice.id, &smtp(relay.port))
            .await
            .unwrap();
        assert_eq!((delivery, relay.mails().len()), (Delivery::Sent, 1));
        let attempt = &get(&world.records, notice.id).await.unwrap().attempts[0];
        assert!(attempt.result.as_ref().unwrap().contains("gone@"), "{attempt:?}");
    })
    .await;
}
