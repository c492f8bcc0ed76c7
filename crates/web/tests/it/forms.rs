//! Forms: what they take, what they refuse, and that no octets can upset them.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use csirt::accounts;
use csirt::intake;
use jiff::SignedDuration;
use proptest::prelude::*;

use super::html::check;
use super::world::{World, furnished};

async fn report(world: &World, what: &str, website: &str) -> super::world::Answer {
    let form = world.get("/report").await;
    world.clock.advance(SignedDuration::from_secs(30));
    let mark = form.field("csrf");
    let fields = [
        ("csrf", mark.as_str()),
        ("what", what),
        ("names", "example\nwww.test"),
        ("email", "reader@mail.example"),
        ("language", "en"),
        ("tlp", "TLP:AMBER"),
        ("website", website),
    ];
    world.post("/report", "", &fields).await
}

#[tokio::test]
async fn a_report_is_kept_before_anyone_is_thanked() {
    let world = World::empty().await;
    let answer = report(&world, "The zone example does not answer since this morning.", "").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let thanks = world.get(answer.header("location")).await;
    assert_eq!(thanks.status, StatusCode::OK);
    check("/report/thanks", &thanks);
    assert!(thanks.body.contains("REPORT-2026-00001"), "{}", thanks.body);
    let kept = intake::list(&world.app.records, 10).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].email.as_deref(), Some("reader@mail.example"));
}

#[tokio::test]
async fn the_thanks_of_others_cannot_be_tried() {
    let world = World::empty().await;
    let mark = world.app.settings.secret.seal("REPORT-2026-00001", super::world::now());
    assert_eq!(
        world
            .get(&format!("/report/thanks/REPORT-2026-00002/{mark}"))
            .await
            .status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn an_empty_report_comes_back_with_its_error_beside_the_field() {
    let world = World::empty().await;
    let answer = report(&world, "", "").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    check("/report", &answer);
    assert!(
        answer.body.contains("href=\"#what\"") && answer.body.contains("id=\"what-error\""),
        "{}",
        answer.body
    );
    assert!(answer.body.contains("reader@mail.example"), "what was typed is kept");
    assert!(intake::list(&world.app.records, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn too_many_reports_from_one_address_get_a_clear_page_that_keeps_the_text() {
    let world = World::empty().await;
    let mut last = report(&world, "the first of many reports", "").await;
    for number in 0..10 {
        if last.status == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
        last = report(&world, &format!("report {number} about a broken zone"), "").await;
    }
    assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS);
    check("/report", &last);
    assert!(last.body.contains("about a broken zone") && last.header("retry-after").parse::<u64>().unwrap() > 0);
}

#[tokio::test]
async fn a_form_from_another_site_changes_nothing() {
    let world = World::empty().await;
    let mark = world.get("/report").await.field("csrf");
    for (header_name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let request = Request::post("/report")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::HOST, "dnscert.example")
            .header(header_name, value)
            .body(Body::from(format!(
                "csrf={mark}&what=something+is+wrong&tlp=TLP%3AAMBER&language=en"
            )))
            .unwrap();
        assert_eq!(world.send(request).await.status, StatusCode::FORBIDDEN, "{header_name}");
    }
    assert!(intake::list(&world.app.records, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_form_without_its_mark_is_refused_and_a_stranger_s_text_is_kept() {
    let furnished = furnished().await;
    let world = &furnished.world;
    let answer = world
        .post("/report", "", &[("what", "my long text"), ("csrf", "forged")])
        .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("my long text"));
    let duty = world.sign_in("duty").await;
    let anonymous = world.get("/report").await.field("csrf");
    let answer = world
        .post("/account/sessions/end", &duty, &[("csrf", anonymous.as_str())])
        .await;
    assert_eq!(
        answer.status,
        StatusCode::FORBIDDEN,
        "a mark of another session proves nothing"
    );
    check("/account/sessions/end", &answer);
}

#[tokio::test]
async fn sign_in_never_tells_whether_the_name_exists() {
    let furnished = furnished().await;
    let mut bodies = Vec::new();
    for name in ["amina", "nobody"] {
        let mark = furnished.world.get("/signin").await.field("csrf");
        let fields = [
            ("csrf", mark.as_str()),
            ("name", name),
            ("password", "not the password at all"),
        ];
        let answer = furnished.world.post("/signin", "", &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        bodies.push(super::html::redacted(&answer.body, name));
    }
    assert_eq!(bodies[0], bodies[1]);
}

#[tokio::test]
async fn a_session_s_cookie_is_out_of_reach_of_scripts_and_ends_with_sign_out() {
    let furnished = furnished().await;
    let world = &furnished.world;
    let mark = world.get("/signin").await.field("csrf");
    let fields = [
        ("csrf", mark.as_str()),
        ("name", "duty"),
        ("password", super::world::PASSWORD),
    ];
    let answer = world.post("/signin", "", &fields).await;
    let cookie = answer.header("set-cookie");
    for part in [
        "__Host-session=",
        "; HttpOnly",
        "; SameSite=Lax",
        "; Secure",
        "; Path=/",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let session = cookie.split(';').next().unwrap();
    let page = world.get_as("/account", session).await;
    assert_eq!(page.status, StatusCode::OK);
    let mark = page.field("csrf");
    let out = world.post("/signout", session, &[("csrf", mark.as_str())]).await;
    assert_eq!(out.status, StatusCode::SEE_OTHER);
    assert_eq!(world.get_as("/account", session).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_account_changes_its_language_and_makes_and_revokes_a_token() {
    let furnished = furnished().await;
    let world = &furnished.world;
    let duty = world.sign_in("duty").await;
    let mark = world.get_as("/account", &duty).await.field("csrf");
    let fields = [
        ("csrf", mark.as_str()),
        ("display_name", "Duty"),
        ("email", "duty@dnscert.example"),
        ("language", "es"),
        ("time_zone", "America/Lima"),
    ];
    let saved = world.post("/account", &duty, &fields).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
    assert!(saved.header("set-cookie").starts_with("language=es"));
    let made = world
        .post(
            "/account/tokens",
            &duty,
            &[("csrf", mark.as_str()), ("label", "tickets"), ("scope", "read")],
        )
        .await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    check("/account/tokens", &made);
    let account = accounts::by_name(&world.app.records, "duty").await.unwrap().unwrap();
    let token = accounts::tokens(&world.app.records, account.id)
        .await
        .unwrap()
        .remove(0);
    let revoked = world
        .post(
            &format!("/account/tokens/{}/revoke", token.id),
            &duty,
            &[("csrf", mark.as_str())],
        )
        .await;
    assert_eq!(revoked.status, StatusCode::SEE_OTHER);
    let wrong = world
        .post(
            "/account",
            &duty,
            &[("csrf", mark.as_str()), ("time_zone", "Mars/Olympus")],
        )
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    check("/account", &wrong);
}

#[tokio::test]
async fn a_constituent_adds_a_contact_and_announces_a_change() {
    let furnished = furnished().await;
    let world = &furnished.world;
    let amina = world.sign_in("amina").await;
    let mark = world.get_as("/organisation", &amina).await.field("csrf");
    let channel = [
        ("csrf", mark.as_str()),
        ("kind", "phone"),
        ("value", "+216 71 000 000"),
        ("purpose", "security"),
        ("person", ""),
    ];
    let added = world.post("/organisation/channels", &amina, &channel).await;
    assert_eq!(added.status, StatusCode::SEE_OTHER, "{}", added.body);
    let wrong = [
        ("csrf", mark.as_str()),
        ("kind", "email"),
        ("value", "no address"),
        ("purpose", "security"),
    ];
    let refused = world.post("/organisation/channels", &amina, &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    check("/organisation", &refused);
    let window = [
        ("csrf", mark.as_str()),
        ("zone", "example"),
        ("from", "2026-03-02 10:00"),
        ("until", "2026-03-02 12:00"),
        ("note", "new name servers"),
    ];
    let announced = world.post("/organisation/announce", &amina, &window).await;
    assert_eq!(announced.status, StatusCode::SEE_OTHER, "{}", announced.body);
    let foreign = [
        ("csrf", mark.as_str()),
        ("zone", "other"),
        ("from", "2026-03-02 10:00"),
        ("until", "2026-03-02 12:00"),
    ];
    assert_eq!(
        world.post("/organisation/announce", &amina, &foreign).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let confirmed = world
        .post("/organisation/confirm", &amina, &[("csrf", mark.as_str())])
        .await;
    assert_eq!(confirmed.status, StatusCode::SEE_OTHER);
    assert!(world.get_as("/organisation", &amina).await.body.contains("2026-03-01"));
}

#[test]
fn octets_of_any_kind_never_upset_a_form() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (furnished, duty, amina, mark) = runtime.block_on(async {
        let furnished = furnished().await;
        let duty = furnished.world.sign_in("duty").await;
        let amina = furnished.world.sign_in("amina").await;
        let mark = furnished.world.get("/report").await.field("csrf");
        (furnished, duty, amina, mark)
    });
    let link = format!("/a/{}", furnished.token);
    let paths = [
        "/report",
        "/signin",
        &link,
        "/account",
        "/account/tokens",
        "/account/password",
        "/organisation/channels",
        "/organisation/announce",
    ];
    proptest!(ProptestConfig::with_cases(96), |(
        path in 0usize..paths.len(),
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        text in "(what|names|kind|key|confirm|value|zone|from|tlp|language|email|label)=.{0,60}(&(note|phone|reason)=\\PC{0,40})?",
        is_text in any::<bool>(),
        is_marked in any::<bool>(),
    )| {
        let mut body = if is_text { text.into_bytes() } else { bytes };
        if is_marked {
            body.extend_from_slice(format!("&csrf={mark}").as_bytes());
        }
        for cookie in ["", duty.as_str(), amina.as_str()] {
            let answer = runtime.block_on(furnished.world.post_raw(paths[path], cookie, body.clone()));
            prop_assert!(!answer.status.is_server_error(), "{} {}: {}", paths[path], answer.status, answer.body);
        }
    });
}

#[test]
fn addresses_of_any_kind_never_upset_the_router() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let world = runtime.block_on(World::empty());
    proptest!(ProptestConfig::with_cases(128), |(
        room in "(a|report/thanks|assets|zones|cases|directory|api/v1)",
        rest in "[ -~]{0,40}",
        query in "(lang|said|next|page)=[ -~]{0,20}",
    )| {
        let path = format!("/{room}/{}?{}", super::world::encode(&rest), query.replace([' ', '"', '<', '>', '\\', '^', '`', '{', '|', '}', '#'], "+"));
        let answer = runtime.block_on(world.get(&path));
        prop_assert!(!answer.status.is_server_error(), "{path} {}", answer.status);
    });
}
