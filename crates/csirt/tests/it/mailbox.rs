//! Mail that comes in: what it is taken for, and that it is taken once.

use csirt::alerts::{self, Filter};
use csirt::cases::{self, Event};
use csirt::links::{self, Answer, AnswerKind};
use csirt::mailbox::{self, Content, Kind, LARGEST, Mail, Place};
use csirt::notices::{NoticeState, get};
use csirt::requests::{self, Ask, Request, RequestState};
use csirt::{Actor, intake};
use model::{Language, Severity, Tlp};

use crate::matter::{deliver, duty_officer, mails, open_case, open_request, proposal, queue};
use crate::{World, on_each_database};

const MAILBOX: &str = "duty@mail.example/INBOX";

/// The mail at this UID.
async fn take(world: &World, uid: u32, mail: &str) -> Kind {
    take_octets(world, uid, mail.as_bytes().to_vec()).await
}

async fn take_octets(world: &World, uid: u32, octets: Vec<u8>) -> Kind {
    take_content(world, uid, Content::Whole(octets)).await
}

async fn take_content(world: &World, uid: u32, content: Content) -> Kind {
    let place = Place {
        mailbox: MAILBOX,
        uid_validity: 7,
        uid,
    };
    // So that they have an order.
    world.wait_secs(1);
    mailbox::take(&world.records, place, content).await.unwrap()
}

async fn state(world: &World, request: &Request) -> RequestState {
    requests::get(&world.records, request.id).await.unwrap().state
}

/// The mails in the timeline of a request's case, each with who is named as its sender.
async fn shown(world: &World, request: &Request) -> Vec<(Actor, Mail)> {
    let timeline = cases::timeline(&world.records, request.case).await.unwrap();
    let mails = timeline.into_iter().filter_map(|entry| match entry.event {
        Event::Mail { mail, .. } => Some((entry.actor, *mail)),
        _ => None,
    });
    mails.collect()
}

/// The new alerts of a kind.
async fn alerts_of(world: &World, kind: &str) -> Vec<alerts::Alert> {
    let mut all = alerts::queue(&world.records, &Filter::default()).await.unwrap();
    all.retain(|alert| alert.kind == kind);
    all
}

fn reply(from: &str, message_id: &str, head: &str, text: &str) -> String {
    format!(
        "From: {from}\r\nMessage-ID: <{message_id}>\r\n{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    )
}

fn delivery_report(message_id: &str, action: &str, address: &str) -> String {
    format!(
        "From: MAILER-DAEMON@relay.example\r\nReturn-Path: <>\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
        --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relay.example\r\n\r\n\
        Final-Recipient: rfc822; {address}\r\nAction: {action}\r\nStatus: 5.1.1\r\n\r\n\
        --b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{message_id}>\r\n\r\n--b--\r\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_comes_back_marks_its_notice_unless_the_party_has_answered() {
    on_each_database(async |world| {
        let (_, request) = open_request(world).await;
        let folder = tempfile::tempdir().unwrap();
        let notice = queue(world, &request).await;
        deliver(world, notice.id, folder.path()).await;
        let address = "noc@shop.atlas.example";
        let unknown = delivery_report("0@elsewhere.example", "failed", address);
        assert_eq!(take(world, 1, &unknown).await, Kind::Report, "a person looks at it");
        let late = delivery_report(&notice.message_id, "delayed", address);
        assert_eq!(take(world, 2, &late).await, Kind::Delayed);
        assert_eq!(state(world, &request).await, RequestState::Sent);
        let back = delivery_report(&notice.message_id, "failed", address);
        assert_eq!(take(world, 3, &back).await, Kind::Bounced);
        let bounced = get(&world.records, notice.id).await.unwrap();
        assert_eq!(bounced.state, NoticeState::Bounced);
        assert_eq!(bounced.last_error.unwrap(), "noc@shop.atlas.example 5.1.1");
        assert_eq!(state(world, &request).await, RequestState::Bounced);

        let second = queue(world, &request).await;
        assert_eq!(second.in_reply_to.as_deref(), Some(notice.message_id.as_str()));
        deliver(world, second.id, folder.path()).await;
        let arrived = delivery_report(&second.message_id, "delivered", address);
        assert_eq!(take(world, 4, &arrived).await, Kind::Delivered);
        assert_eq!(state(world, &request).await, RequestState::Delivered);
        let token = links::issue(&world.records, duty_officer(), request.id)
            .await
            .unwrap()
            .to_string();
        let known = Answer::bare(AnswerKind::Acknowledge);
        links::answer(&world.records, &token, &known, "1").await.unwrap();
        let late = delivery_report(&second.message_id, "failed", address);
        assert_eq!(take(world, 5, &late).await, Kind::Bounced);
        assert_eq!(state(world, &request).await, RequestState::Acknowledged);
        let kinds: Vec<Kind> = shown(world, &request).await.iter().map(|(_, mail)| mail.kind).collect();
        assert_eq!(kinds, [Kind::Delayed, Kind::Bounced, Kind::Delivered, Kind::Bounced]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_to_two_addresses_has_come_back_when_it_came_back_from_both() {
    on_each_database(async |world| {
        let case = open_case(world).await;
        let mut two = proposal(world, Ask::RestoreService);
        two.addresses = vec!["gone@shop.example".to_owned(), "noc@shop.example".to_owned()];
        let request = requests::create(&world.records, duty_officer(), case.id, &two)
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let notice = queue(world, &request).await;
        deliver(world, notice.id, folder.path()).await;
        for uid in [1, 2] {
            let one = delivery_report(&notice.message_id, "failed", "Gone@shop.example")
                .replace("relay", &format!("mx{uid}"));
            assert_eq!(take(world, uid, &one).await, Kind::Bounced);
            assert_eq!(
                state(world, &request).await,
                RequestState::Sent,
                "the other address has it"
            );
        }
        let other = delivery_report(&notice.message_id, "failed", "noc@shop.example");
        assert_eq!(take(world, 3, &other).await, Kind::Bounced);
        assert_eq!(state(world, &request).await, RequestState::Bounced);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_stands_in_the_case_with_its_party_once_and_moves_nothing() {
    on_each_database(async |world| {
        let (_, request) = open_request(world).await;
        let folder = tempfile::tempdir().unwrap();
        let notice = queue(world, &request).await;
        deliver(world, notice.id, folder.path()).await;
        let thread = format!("In-Reply-To: <{}>\r\n", notice.message_id);
        let threaded = reply("NOC@shop.atlas.example", "r1@shop.example", &thread, "C'est réparé.");
        assert_eq!(take(world, 1, &threaded).await, Kind::Reply);
        // Fetched again, under another UID, and by another way through other servers.
        assert_eq!(take(world, 1, &threaded).await, Kind::Reply);
        assert_eq!(take(world, 2, &threaded).await, Kind::Duplicate);
        let other_way = format!("Received: from there\r\n{threaded}");
        assert_eq!(take(world, 3, &other_way).await, Kind::Duplicate);
        // The same Message-ID with other words is another mail: nothing may be lost.
        let changed = threaded.replace("C'est", "Ce n'est pas");
        assert_eq!(take(world, 4, &changed).await, Kind::Reply);

        let token = "Subject: =?UTF-8?Q?R=C3=A9=3A?= [DNSCERT-2026-00001/1] x\r\n";
        let stranger = reply("eve@evil.example", "e@evil.example", token, "It is not us.");
        assert_eq!(
            take(world, 5, &stranger).await,
            Kind::Reply,
            "the subject's token is enough to find the case"
        );

        let mails = shown(world, &request).await;
        let told: Vec<_> = mails
            .iter()
            .map(|(actor, mail)| (*actor, mail.from_party, mail.text.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (Actor::Party(request.id), true, "C'est réparé."),
                (Actor::Party(request.id), true, "Ce n'est pas réparé."),
                (Actor::Public, false, "It is not us."),
            ]
        );
        assert_eq!(mails[2].1.subject, "Ré: [DNSCERT-2026-00001/1] x");
        let kept = mailbox::octets(&world.records, mails[0].1.id).await.unwrap();
        assert_eq!(kept, threaded.as_bytes(), "the mail is kept as it came");
        assert_eq!(state(world, &request).await, RequestState::Sent);
        assert!(
            requests::get(&world.records, request.id)
                .await
                .unwrap()
                .acknowledged_at
                .is_none()
        );
        assert!(alerts_of(world, "report").await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_s_answer_is_recorded_and_counts_as_nobody_s() {
    on_each_database(async |world| {
        let (_, request) = open_request(world).await;
        let folder = tempfile::tempdir().unwrap();
        let notice = queue(world, &request).await;
        deliver(world, notice.id, folder.path()).await;
        let head = format!(
            "In-Reply-To: <{}>\r\nAuto-Submitted: auto-replied\r\n",
            notice.message_id
        );
        let absent = reply(
            "noc@shop.atlas.example",
            "a1@shop.example",
            &head,
            "I am away until Monday.",
        );
        assert_eq!(take(world, 1, &absent).await, Kind::Automatic);
        // Our own notice, sent on to ourselves by a list that we are on.
        let own = mails(folder.path()).remove(0);
        assert_eq!(take(world, 2, &own).await, Kind::Own);
        let mails = shown(world, &request).await;
        assert!(mails.iter().all(|(actor, _)| *actor == Actor::System), "{mails:?}");
        assert_eq!(mails.len(), 2);
        assert_eq!(state(world, &request).await, RequestState::Sent);
        let now = alerts::queue(&world.records, &Filter::default()).await.unwrap();
        assert!(now.is_empty(), "{now:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_a_closed_case_calls_a_person() {
    on_each_database(async |world| {
        let (case, request) = open_request(world).await;
        let folder = tempfile::tempdir().unwrap();
        let notice = queue(world, &request).await;
        deliver(world, notice.id, folder.path()).await;
        cases::close(&world.records, duty_officer(), case.id, Some("they do not answer"))
            .await
            .unwrap();
        for uid in [1, 2] {
            let thread = format!("References: <{}>\r\n", notice.message_id);
            let late = reply(
                "noc@shop.atlas.example",
                &format!("{uid}@shop.example"),
                &thread,
                "Sorry, we were away.",
            );
            assert_eq!(take(world, uid, &late).await, Kind::Reply);
        }
        let alerts = alerts_of(world, "mail-closed-case").await;
        assert_eq!((alerts.len(), alerts[0].count), (1, 2));
        assert_eq!(alerts[0].args["number"], case.number.to_string());
        assert_eq!(shown(world, &request).await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_other_mail_is_a_report_that_a_person_sees() {
    on_each_database(async |world| {
        let head = "Subject: [TLP:GREEN] hijack?\r\nContent-Language: ar\r\n";
        let mail = reply(
            "ada@bank.example",
            "1@bank.example",
            head,
            "login.bank.example shows another page.",
        );
        assert_eq!(take(world, 1, &mail).await, Kind::Report);
        let alerts = alerts_of(world, "report").await;
        assert_eq!(alerts[0].severity, Severity::Review);
        assert_eq!(alerts[0].zones[0].to_string(), "login.bank.example");
        let report = intake::of_alert(&world.records, alerts[0].id).await.unwrap().unwrap();
        assert_eq!(
            report.what,
            "[TLP:GREEN] hijack?\n\nlogin.bank.example shows another page."
        );
        assert_eq!((report.tlp, report.language), (Tlp::Green, Language::Arabic));
        assert_eq!(report.email.as_deref(), Some("ada@bank.example"));
        let origin = mailbox::of_report(&world.records, report.id).await.unwrap().unwrap();
        assert_eq!(
            mailbox::octets(&world.records, origin.id).await.unwrap(),
            mail.as_bytes()
        );

        // Spam too: whoever was taken for it must not be lost. It waits below the others.
        let spam = reply(
            "win@casino.example",
            "2@casino.example",
            "X-Spam-Flag: YES\r\n",
            "You won.",
        );
        assert_eq!(take(world, 2, &spam).await, Kind::Report);
        // A token of a case that is not there is anybody's text.
        let guess = reply(
            "x@y.example",
            "3@y.example",
            "Subject: [DNSCERT-2026-00099/1] x\r\n",
            "hello",
        );
        assert_eq!(take(world, 3, &guess).await, Kind::Report);
        let severities: Vec<Severity> = alerts_of(world, "report")
            .await
            .iter()
            .map(|alert| alert.severity)
            .collect();
        assert_eq!(severities, [Severity::Review, Severity::Review, Severity::Log]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_cannot_be_read_is_told_with_its_reason_and_left_unseen() {
    on_each_database(async |world| {
        let (_, request) = open_request(world).await;
        let folder = tempfile::tempdir().unwrap();
        let notice = queue(world, &request).await;
        deliver(world, notice.id, folder.path()).await;
        let mut deep = "From: eve@evil.example\r\nSubject: deep\r\n".to_owned();
        for level in 0..5_000 {
            deep.push_str(&format!(
                "Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"
            ));
        }
        let thread = format!(
            "From: noc@shop.atlas.example\r\nIn-Reply-To: <{}>\r\nSubject: logs\r\n\r\n",
            notice.message_id
        );
        let large = Content::Head {
            octets: thread.into_bytes(),
            size: LARGEST as u64 + 1,
        };
        assert_eq!(take(world, 1, &deep).await, Kind::Unreadable);
        assert_eq!(take_octets(world, 2, vec![0xff; 100]).await, Kind::Unreadable);
        assert_eq!(take_content(world, 3, large).await, Kind::Unreadable);
        let withheld = Content::Withheld("[SERVERBUG] cannot open".to_owned());
        assert_eq!(take_content(world, 4, withheld.clone()).await, Kind::Unreadable);
        assert_eq!(
            take_content(world, 5, withheld).await,
            Kind::Unreadable,
            "another one, not the same again"
        );
        assert_eq!(
            take(world, 6, "From: ada@bank.example\r\n\r\nhello").await,
            Kind::Report,
            "the next one is not held up"
        );

        let alerts = alerts_of(world, "mail-unreadable").await;
        let reasons: Vec<&str> = alerts.iter().map(|alert| alert.args["reason"].as_str()).collect();
        for (reason, part) in reasons
            .iter()
            .zip(["deep", "no headers", "12582913 octets", "SERVERBUG", "SERVERBUG"])
        {
            assert!(reason.contains(part), "{reason}");
        }
        assert_eq!(
            (reasons.len(), alerts[0].args["sender"].as_str()),
            (5, "eve@evil.example")
        );
        let mails = shown(world, &request).await;
        assert_eq!(mails.len(), 1, "a party's mail that is too large shows in its case too");
        assert!(mails[0].1.from_party && mails[0].1.reason.as_ref().unwrap().contains("octets"));
        let to_mark = mailbox::to_mark(&world.records, MAILBOX, 7).await.unwrap();
        assert_eq!(to_mark, [6]);
        let counts = mailbox::counts(&world.records).await.unwrap();
        assert_eq!(
            (counts[&Kind::Unreadable], counts[&Kind::Report], counts[&Kind::Reply]),
            (5, 1, 0)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_a_mailbox_was_read_is_kept_by_its_uidvalidity() {
    on_each_database(async |world| {
        let records = &world.records;
        let progress = async |validity| mailbox::progress(records, MAILBOX, validity).await.unwrap();
        assert_eq!(mailbox::find(records, MAILBOX).await.unwrap(), None);
        assert_eq!(progress(7).await.fetched_at, None);
        take(world, 5, "From: a@b.example\r\n\r\none").await;
        assert_eq!(progress(7).await.taken.into_iter().collect::<Vec<_>>(), [5]);
        assert_eq!(mailbox::to_mark(records, MAILBOX, 7).await.unwrap(), [5]);
        mailbox::marked(records, MAILBOX, 7, &[5]).await.unwrap();
        assert!(mailbox::to_mark(records, MAILBOX, 7).await.unwrap().is_empty());

        mailbox::not_fetched(records, MAILBOX, "connection refused")
            .await
            .unwrap();
        let since = records.now();
        world.wait_secs(60);
        mailbox::not_fetched(records, MAILBOX, "still refused").await.unwrap();
        let failing = mailbox::find(records, MAILBOX).await.unwrap().unwrap().failing;
        assert_eq!(failing, Some((since, "still refused".to_owned())));
        assert_eq!(progress(7).await.fetched_at, None, "a failure is no progress");

        mailbox::fetched(records, MAILBOX, 7, 9).await.unwrap();
        let found = mailbox::find(records, MAILBOX).await.unwrap().unwrap();
        assert_eq!((found.fetched_at, found.failing), (Some(records.now()), None));
        let now = progress(7).await;
        assert_eq!(
            (now.last_uid, now.fetched_at, now.taken.len()),
            (Some(9), Some(records.now()), 0)
        );
        let other = progress(8).await;
        assert_eq!(
            (other.last_uid, other.fetched_at),
            (None, now.fetched_at),
            "the server counts anew"
        );
    })
    .await;
}
