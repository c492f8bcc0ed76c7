//! Mail that came in: where it shows, and who may have it as it came.

use axum::http::StatusCode;
use csirt::alerts::{self, Filter};
use csirt::mailbox::{self, Content, Kind, Place};

use super::html;
use super::world::{Furnished, furnished};

const MAILBOX: &str = "duty@mail.example/INBOX";

async fn take(furnished: &Furnished, uid: u32, mail: &str) -> Kind {
    let place = Place {
        mailbox: MAILBOX,
        uid_validity: 1,
        uid,
    };
    mailbox::take(
        &furnished.world.app.records,
        place,
        Content::Whole(mail.as_bytes().to_vec()),
    )
    .await
    .unwrap()
}

fn answer(from: &str) -> String {
    format!(
        "From: {from}\r\nSubject: Re: [DNSCERT-2026-00001/1] <b>hello</b>\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nIt was <script>alert(1)</script> us.\r\n\
         --b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=\"log <1>.txt\"\r\n\r\nlines\r\n--b--\r\n"
    )
}

/// The addresses of mails that a page links to.
fn links(page: &str) -> Vec<String> {
    let links = page.split("href=\"/mail/").skip(1);
    links
        .map(|rest| format!("/mail/{}", rest.split('"').next().unwrap()))
        .collect()
}

#[tokio::test]
async fn an_answer_by_mail_stands_in_its_case_and_a_stranger_s_says_so() {
    let furnished = furnished().await;
    let duty = furnished.world.sign_in("duty").await;
    let party = answer("noc@nic.example");
    assert_eq!(take(&furnished, 1, &party).await, Kind::Reply);
    assert_eq!(take(&furnished, 2, &answer("eve@evil.example")).await, Kind::Reply);
    for language in model::Language::ALL {
        let path = format!("/cases/DNSCERT-2026-00001?show=answers&lang={language}");
        let page = furnished.world.get_as(&path, &duty).await;
        html::check(&path, &page);
        let stranger = language::texts(language).get("casework-mail-stranger");
        assert_eq!(page.body.matches(&stranger).count(), 1, "{path}");
        assert_eq!(page.body.matches("It was &#60;script&#62;").count(), 2, "{}", page.body);
        assert!(page.body.contains("log &#60;1&#62;.txt"));
    }
    let page = furnished.world.get_as("/cases/DNSCERT-2026-00001", &duty).await;
    let links = links(&page.body);
    let [_, party_link] = &links[..] else {
        panic!("two mails, the newest first: {links:?}")
    };
    let original = furnished.world.get_as(party_link, &duty).await;
    assert_eq!(
        (original.status, original.header("content-type")),
        (StatusCode::OK, "message/rfc822")
    );
    assert!(original.header("content-disposition").starts_with("attachment; "));
    assert_eq!(original.body, party);

    let amina = furnished.world.sign_in("amina").await;
    assert_eq!(
        furnished.world.get_as(party_link, &amina).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(furnished.world.get(party_link).await.status, StatusCode::SEE_OTHER);
    assert_eq!(
        furnished.world.get_as("/mail/1", &duty).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_report_by_mail_stands_in_the_queue_with_the_mail_beside() {
    let furnished = furnished().await;
    let duty = furnished.world.sign_in("duty").await;
    let mail = "From: ada@bank.example\r\nSubject: gone\r\n\r\nbank.example does not answer\r\n";
    assert_eq!(take(&furnished, 1, mail).await, Kind::Report);
    assert_eq!(take(&furnished, 2, "").await, Kind::Unreadable);
    for alert in alerts::queue(&furnished.world.app.records, &Filter::default())
        .await
        .unwrap()
    {
        for language in model::Language::ALL {
            let path = format!("/alerts/{}?lang={language}", alert.id);
            let page = furnished.world.get_as(&path, &duty).await;
            html::check(&path, &page);
            assert_eq!(links(&page.body).len(), 1, "{path}: {}", page.body);
        }
    }
    let metrics = furnished.world.get("/metrics").await.body;
    for line in [
        "dnscert_mails{kind=\"report\"} 1",
        "dnscert_mails{kind=\"unreadable\"} 1",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    assert!(!metrics.contains("\ndnscert_mailbox_failing "), "it was never tried");
}

#[tokio::test]
async fn the_centre_says_how_its_mailbox_does() {
    let furnished = furnished().await;
    let world = &furnished.world;
    let ada = world.sign_in("ada").await;
    let health = async || {
        let page = world.get_as("/centre", &ada).await.body;
        let at = page.find("<h2>Mailbox").unwrap();
        page[at..].split("</h2>").next().unwrap().to_owned()
    };
    assert_eq!(health().await, "<h2>Mailbox", "nothing can be said yet");
    mailbox::fetched(&world.app.records, MAILBOX, 1, 1).await.unwrap();
    assert!(health().await.contains("tag good"));
    mailbox::not_fetched(&world.app.records, MAILBOX, "connection refused")
        .await
        .unwrap();
    assert!(health().await.contains("tag warn"));
    let metrics = world.get("/metrics").await.body;
    assert!(metrics.contains("dnscert_mailbox_failing 1\n"), "{metrics}");
    assert!(
        metrics.contains("dnscert_mailbox_fetched_timestamp_seconds 1772366400\n"),
        "{metrics}"
    );
    world.clock.advance(jiff::SignedDuration::from_mins(11));
    assert!(health().await.contains("tag bad"));
    for language in model::Language::ALL {
        let page = world.get_as(&format!("/centre?lang={language}"), &ada).await;
        assert!(
            page.body.contains("connection refused") && !page.body.contains("[centre-"),
            "{language}"
        );
    }
}
