//! Every page by GET: status, headers, weight, what all pages must have, and how it looks in English and Arabic.

use std::time::Duration;

use axum::http::StatusCode;
use csirt::Actor;
use csirt::accounts::Role;
use csirt::watch::{self, Round, Watch};
use model::{Finding, Level};

use super::html::{attribute, check, redacted, tags};
use super::world::{World, furnished, name, now};

const PUBLIC: [&str; 4] = ["/", "/report", "/about", "/signin"];

#[tokio::test]
async fn public_pages_stand_in_all_six_languages() {
    let furnished = furnished().await;
    for path in PUBLIC.into_iter().chain([format!("/a/{}", furnished.token).as_str()]) {
        for (language, direction) in [
            ("en", "ltr"),
            ("fr", "ltr"),
            ("es", "ltr"),
            ("ar", "rtl"),
            ("ru", "ltr"),
            ("zh", "ltr"),
        ] {
            let answer = furnished.world.get(&format!("{path}?lang={language}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{path} {language}");
            check(path, &answer);
            let page = tags(&answer.body, "html")[0];
            assert_eq!(
                (attribute(page, "lang"), attribute(page, "dir")),
                (Some(language), Some(direction))
            );
        }
    }
}

#[tokio::test]
async fn pages_look_as_agreed_in_english_and_arabic() {
    let furnished = furnished().await;
    let link = format!("/a/{}", furnished.token);
    for (name, path) in [
        ("status", "/"),
        ("report", "/report"),
        ("about", "/about"),
        ("signin", "/signin"),
        ("link", &link),
    ] {
        for language in ["en", "ar"] {
            let answer = furnished.world.get(&format!("{path}?lang={language}")).await;
            insta::assert_snapshot!(format!("{name}_{language}"), redacted(&answer.body, &furnished.token));
        }
    }
}

#[tokio::test]
async fn a_centre_without_data_says_so() {
    let world = World::empty().await;
    let answer = world.get("/").await;
    check("/", &answer);
    assert!(answer.body.contains("There is no measurement yet"), "{}", answer.body);
    assert!(answer.body.contains("No top-level domain is on the watch list yet."));
}

#[tokio::test]
async fn readers_of_the_public_page_do_not_wait_while_its_figures_are_made_anew() {
    const NOTHING: &str = "There is no measurement yet";
    let mut world = World::empty().await;
    world.keep_overview_for(Duration::from_secs(60));
    assert!(world.get("/").await.body.contains(NOTHING), "nobody asked before");
    let watched = watch::add(&world.app.records, Actor::System, &Watch::new(name("example")))
        .await
        .unwrap();
    let round = Round {
        time: now(),
        findings: Vec::new(),
        seen: None,
        servers: serde_json::Value::Null,
        detectors: serde_json::Value::Null,
        untestable: None,
    };
    watch::record_round(&world.app.records, watched.id, round)
        .await
        .unwrap();
    assert!(
        world.get("/").await.body.contains(NOTHING),
        "as it was made a moment ago"
    );

    // it is older than it should be, and not so old that readers wait
    world.keep_overview_for(Duration::from_millis(1_200));
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    assert!(
        world.get("/").await.body.contains(NOTHING),
        "the first who asks has it made"
    );
    let end = tokio::time::Instant::now() + Duration::from_secs(30);
    while world.get("/").await.body.contains(NOTHING) {
        assert!(tokio::time::Instant::now() < end, "it was not made");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_public_status_tells_counts_and_health_but_nothing_of_incidents() {
    let furnished = furnished().await;
    let answer = furnished.world.get("/").await;
    assert!(answer.body.contains("1 zone is broken at present"), "{}", answer.body);
    for secret in ["Signatures of example", "DNSCERT-2026", "DS09", "NIC Example"] {
        assert!(!answer.body.contains(secret), "the public page tells `{secret}`");
    }
    assert!(
        answer.header("cache-control").starts_with("public, max-age=30"),
        "{}",
        answer.header("cache-control")
    );
    let text = furnished.world.get("/status.txt").await;
    assert!(text.header("content-type").starts_with("text/plain"));
    assert!(text.body.contains("example: Broken"), "{}", text.body);
}

#[tokio::test]
async fn a_zone_with_one_name_server_is_impaired_and_not_broken_on_every_page() {
    let world = World::empty().await;
    let records = &world.app.records;
    let watched = watch::add(records, Actor::System, &Watch::new(name("single")))
        .await
        .unwrap();
    let round = Round {
        time: now(),
        findings: vec![Finding {
            case: "delegation01".to_owned(),
            tag: "NOT_ENOUGH_NS_DEL".to_owned(),
            level: Level::Error,
            args: Default::default(),
            vantage_point: Some("centre".to_owned()),
        }],
        seen: None,
        servers: serde_json::json!([]),
        detectors: serde_json::json!({}),
        untestable: None,
    };
    watch::record_round(records, watched.id, round).await.unwrap();
    world.account("ada", Role::Admin, None).await;
    let ada = world.sign_in("ada").await;
    let status = world.get("/status.txt").await.body;
    assert!(
        status.contains("1 zone needs attention") && status.contains("single: Impaired"),
        "{status}"
    );
    let zones = |health: &str| format!("/zones?health={health}");
    for (health, is_there) in [("impaired", true), ("broken", false)] {
        let list = world.get_as(&zones(health), &ada).await.body;
        assert_eq!(list.contains("href=\"/zones/single\""), is_there, "{health}: {list}");
    }
    let metrics = world.get("/metrics").await.body;
    assert!(metrics.contains("dnscert_zones{health=\"impaired\"} 1"), "{metrics}");
    let zone = world.get_as("/api/v1/zones/single", &ada).await.body;
    assert!(zone.contains("\"health\":\"impaired\""), "{zone}");
}

#[tokio::test]
async fn every_answer_bears_the_headers_of_safety() {
    let furnished = furnished().await;
    for path in [
        "/",
        "/report",
        "/no-such-page",
        "/healthz",
        "/metrics",
        web::shell::assets::style_path().as_str(),
    ] {
        let answer = furnished.world.get(path).await;
        assert!(
            answer
                .header("content-security-policy")
                .starts_with("default-src 'none'; style-src 'self'"),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000", "{path}");
    }
    let style = furnished.world.get(&web::shell::assets::style_path()).await;
    assert!(style.header("cache-control").contains("immutable"));
    assert!(
        style.body.len() <= 12 * 1024,
        "the style sheet has {} octets",
        style.body.len()
    );
    let script = furnished.world.get(&web::shell::assets::script_path()).await;
    assert!(
        script.body.len() <= 3 * 1024,
        "the script has {} octets",
        script.body.len()
    );
}

#[tokio::test]
async fn an_unknown_page_answers_in_the_reader_s_language() {
    let world = World::empty().await;
    let answer = world.get_as("/nowhere", "language=ru").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    check("/nowhere", &answer);
    assert!(answer.body.contains("Страница не найдена"));
    let api = world.get("/api/v1/nowhere").await;
    assert_eq!(api.status, StatusCode::NOT_FOUND);
    assert!(api.body.contains("\"code\":\"not-found\""), "{}", api.body);
}

#[tokio::test]
async fn pages_of_the_team_are_hidden_from_strangers_and_from_constituents() {
    let furnished = furnished().await;
    let answer = furnished.world.get("/centre").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("location"), "/signin?next=/centre");
    let amina = furnished.world.sign_in("amina").await;
    assert_eq!(
        furnished.world.get_as("/centre", &amina).await.status,
        StatusCode::NOT_FOUND
    );
    let look = furnished.world.sign_in("look").await;
    assert_eq!(
        furnished.world.get_as("/organisation", &look).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn pages_behind_sign_in_hold_the_rules_too() {
    let furnished = furnished().await;
    let duty = furnished.world.sign_in("duty").await;
    for path in ["/centre", "/centre?verify=yes", "/account"] {
        for language in ["en", "ar"] {
            let joint = if path.contains('?') { '&' } else { '?' };
            let answer = furnished
                .world
                .get_as(&format!("{path}{joint}lang={language}"), &duty)
                .await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            check(path, &answer);
        }
    }
    let amina = furnished.world.sign_in("amina").await;
    for language in ["en", "ar"] {
        let answer = furnished
            .world
            .get_as(&format!("/organisation?lang={language}"), &amina)
            .await;
        assert_eq!(answer.status, StatusCode::OK);
        check("/organisation", &answer);
        assert!(answer.body.contains("noc@nic.example") && answer.body.contains("DNSCERT-2026-00001/1"));
    }
}

#[tokio::test]
async fn health_and_metrics_answer_machines() {
    let furnished = furnished().await;
    let health = furnished.world.get("/healthz").await;
    assert_eq!((health.status, health.body.as_str()), (StatusCode::OK, "ok\n"));
    let metrics = furnished.world.get("/metrics").await;
    assert!(
        metrics.body.contains("dnscert_zones{health=\"broken\"} 1\n"),
        "{}",
        metrics.body
    );
    assert!(metrics.body.ends_with("# EOF\n") && metrics.body.matches("# EOF").count() == 1);
    assert!(metrics.body.contains("route=\"/healthz\""));
}

#[tokio::test]
async fn the_centre_describes_itself_as_rfc_2350_and_rfc_9116_ask() {
    let world = World::empty().await;
    let text = world.get("/about.txt").await.body;
    for heading in [
        "1. About this document",
        "2. How to reach us",
        "3. What we are for",
        "7. Disclaimers",
    ] {
        assert!(text.contains(heading), "{text}");
    }
    assert!(text.contains("UTC. Duty officers work around the world"), "{text}");
    let world = world.with(|settings| settings.time_zone = "Africa/Nairobi".to_owned());
    let text = world.get("/about.txt").await.body;
    assert!(text.contains("Africa/Nairobi (UTC+03:00)"), "{text}");
    let security = world.get("/.well-known/security.txt").await.body;
    assert!(
        security.contains("Contact: mailto:duty@dnscert.example\n")
            && security.contains("Expires: 2026-08-28T12:00:00Z\n")
    );
}
