//! The page of a link: what it shows, that looking changes nothing, and each answer.

use axum::http::StatusCode;
use csirt::audit;
use csirt::requests::{self, RequestState};
use jiff::SignedDuration;

use super::html::check;
use super::world::{Answer, Furnished, furnished};

async fn choose(furnished: &Furnished, fields: &[(&str, &str)]) -> Answer {
    let path = format!("/a/{}", furnished.token);
    let mark = furnished.world.get(&path).await.field("csrf");
    let mut all = vec![("csrf", mark.as_str())];
    all.extend_from_slice(fields);
    furnished.world.post(&path, "", &all).await
}

async fn confirm(furnished: &Furnished, page: &Answer) -> Answer {
    let names = ["csrf", "kind", "reason", "suggested", "phone", "note", "key"];
    let values = names.map(|name| page.field(name));
    let mut fields: Vec<(&str, &str)> = names.into_iter().zip(values.iter().map(String::as_str)).collect();
    fields.push(("confirm", "yes"));
    furnished
        .world
        .post(&format!("/a/{}", furnished.token), "", &fields)
        .await
}

async fn state(furnished: &Furnished) -> RequestState {
    requests::get(&furnished.world.app.records, furnished.request)
        .await
        .unwrap()
        .state
}

#[tokio::test]
async fn looking_changes_nothing_however_often() {
    let furnished = furnished().await;
    let records = &furnished.world.app.records;
    let before = (audit::head(records).await.unwrap(), *records.commits().borrow());
    for path in ["", ".txt", "?lang=ar", "?lang=zh"] {
        for _ in 0..3 {
            let answer = furnished.world.get(&format!("/a/{}{path}", furnished.token)).await;
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(answer.header("cache-control"), "no-store");
            assert!(answer.header("x-robots-tag").contains("noindex"));
        }
    }
    assert_eq!(
        (audit::head(records).await.unwrap(), *records.commits().borrow()),
        before
    );
    assert_eq!(state(&furnished).await, RequestState::NotNotified);
}

#[tokio::test]
async fn the_page_speaks_the_party_s_language_and_time_unless_the_reader_chose() {
    let furnished = furnished().await;
    let path = format!("/a/{}", furnished.token);
    let own = furnished.world.get(&path).await;
    assert!(
        own.body.contains("<html lang=\"fr\" dir=\"ltr\">") && own.body.contains("Africa/Tunis"),
        "{}",
        own.body
    );
    let chosen = furnished.world.get_as(&path, "language=ar").await;
    assert!(chosen.body.contains("<html lang=\"ar\" dir=\"rtl\">"));
}

#[tokio::test]
async fn each_of_the_six_answers_moves_the_request() {
    for (kind, fields, expected) in [
        ("acknowledge", vec![], RequestState::Acknowledged),
        (
            "working",
            vec![("note", "مفاتيح جديدة خلال ساعة")],
            RequestState::Working,
        ),
        ("done", vec![], RequestState::Done),
        (
            "cannot",
            vec![("reason", "no access to the key store")],
            RequestState::Declined,
        ),
        (
            "not_ours",
            vec![("suggested", "Other Registry")],
            RequestState::NotTheirs,
        ),
        (
            "call_me",
            vec![("phone", "+216 71 000 000")],
            RequestState::Acknowledged,
        ),
    ] {
        let furnished = furnished().await;
        let mut all = vec![("kind", kind)];
        all.extend(fields);
        let page = choose(&furnished, &all).await;
        assert_eq!(page.status, StatusCode::OK, "{kind}: {}", page.body);
        check("/a/…", &page);
        assert!(
            !matches!(state(&furnished).await, RequestState::Done | RequestState::Declined),
            "nothing is said yet"
        );
        let done = confirm(&furnished, &page).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{kind}: {}", done.body);
        assert_eq!(state(&furnished).await, expected, "{kind}");
        let after = furnished.world.get(done.header("location")).await;
        check("/a/…", &after);
        assert!(after.body.contains("role=\"status\""), "the page thanks");
    }
}

#[tokio::test]
async fn a_second_click_says_nothing_twice() {
    let furnished = furnished().await;
    let page = choose(&furnished, &[("kind", "working")]).await;
    for _ in 0..3 {
        assert_eq!(confirm(&furnished, &page).await.status, StatusCode::SEE_OTHER);
    }
    let link = csirt::links::view(&furnished.world.app.records, &furnished.token)
        .await
        .unwrap();
    assert_eq!(link.answers.len(), 1);
}

#[tokio::test]
async fn an_answer_that_lacks_its_words_comes_back_with_what_was_typed() {
    let furnished = furnished().await;
    for (fields, field) in [
        (vec![("note", "kept words")], "acknowledge"),
        (vec![("kind", "cannot"), ("note", "kept words")], "reason"),
        (vec![("kind", "call_me"), ("note", "kept words")], "phone"),
    ] {
        let answer = choose(&furnished, &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        check("/a/…", &answer);
        assert!(
            answer.body.contains(&format!("href=\"#{field}\"")) && answer.body.contains("kept words"),
            "{}",
            answer.body
        );
    }
    let path = format!("/a/{}", furnished.token);
    let stale = furnished
        .world
        .post(&path, "", &[("kind", "done"), ("note", "kept words")])
        .await;
    assert_eq!(
        stale.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "a form without its mark answers nothing"
    );
    assert!(stale.body.contains("kept words"));
    assert_eq!(state(&furnished).await, RequestState::NotNotified);
}

#[tokio::test]
async fn unknown_expired_and_revoked_links_get_the_same_kind_page() {
    let furnished = furnished().await;
    let world = &furnished.world;
    let unknown = world.get("/a/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    check("/a/…", &unknown);
    assert!(unknown.body.contains("duty@dnscert.example") && unknown.body.contains("+41 22 555 01 00"));
    let text = world.get("/a/AAAA.txt").await;
    assert!(
        text.status == StatusCode::NOT_FOUND && text.body.starts_with("This link is no longer valid"),
        "{}",
        text.body
    );
    csirt::links::revoke(&world.app.records, csirt::Actor::System, furnished.request)
        .await
        .unwrap();
    world.clock.advance(SignedDuration::from_secs(1));
    let revoked = world.get(&format!("/a/{}", furnished.token)).await;
    assert_eq!(revoked.status, StatusCode::NOT_FOUND);
    let strip = |answer: &Answer| {
        super::html::redacted(&answer.body, &furnished.token).replace("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "TOKEN")
    };
    assert_eq!(strip(&unknown), strip(&revoked));
    let posted = world
        .post(&format!("/a/{}", furnished.token), "", &[("kind", "done")])
        .await;
    assert_eq!(posted.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_constituent_opens_its_request_without_the_mail() {
    let furnished = furnished().await;
    let amina = furnished.world.sign_in("amina").await;
    let mark = furnished.world.get_as("/organisation", &amina).await.field("csrf");
    let path = format!("/organisation/requests/{}/open", furnished.request);
    let answer = furnished.world.post(&path, &amina, &[("csrf", mark.as_str())]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let page = furnished.world.get_as(answer.header("location"), &amina).await;
    assert_eq!(page.status, StatusCode::OK);
    let other = format!("/organisation/requests/{}/open", uuid_of_nothing());
    assert_eq!(
        furnished
            .world
            .post(&other, &amina, &[("csrf", mark.as_str())])
            .await
            .status,
        StatusCode::NOT_FOUND
    );
}

fn uuid_of_nothing() -> &'static str {
    "01890000-0000-7000-8000-000000000000"
}
