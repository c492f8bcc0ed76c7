//! A zone over time, one server, the files of both, and the badge for the pages of others.

use axum::http::StatusCode;
use jiff::SignedDuration;
use model::Language;

use super::html;
use super::rooms::busy;
use super::world::{name, now};

#[tokio::test]
async fn the_pages_of_a_zone_over_time_and_of_a_server_keep_the_rules_of_all_pages() {
    let furnished = busy().await;
    let world = &furnished.world;
    let cookie = world.sign_in("duty").await;
    for language in Language::ALL {
        for path in [
            "/zones/example/over-time",
            "/zones/example/over-time?period=month",
            "/zones/nowhere.test/over-time?period=never",
            "/servers/192.0.2.53",
            "/servers/198.51.100.66",
        ] {
            let asked = format!("{path}{}lang={language}", if path.contains('?') { '&' } else { '?' });
            let answer = world.get_as(&asked, &cookie).await;
            assert_eq!(answer.status, StatusCode::OK, "{asked}");
            html::check(&asked, &answer);
            for area in ["zone", "chart", "server", "status", "directory"] {
                assert!(
                    !answer.body.contains(&format!("[{area}-")),
                    "{asked} lacks a text of {area}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_zone_over_time_says_what_was_answered_by_whom_and_an_empty_period_says_so() {
    let furnished = busy().await;
    let world = &furnished.world;
    let cookie = world.sign_in("look").await;
    let page = world.get_as("/zones/example/over-time?period=day", &cookie).await.body;
    for shown in [
        "Questions answered",
        "ns1.nic.example",
        "23 ms",
        "/servers/192.0.2.53",
        "samples.parquet?period=day",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let empty = world.get_as("/zones/nowhere.test/over-time", &cookie).await.body;
    assert!(empty.contains("Nothing was measured in this period."), "{empty}");
    let unasked = world.get("/zones/example/over-time").await;
    assert_eq!(unasked.status, StatusCode::SEE_OTHER, "it is for those who signed in");
}

#[tokio::test]
async fn what_the_servers_above_answer_is_not_counted_for_the_zone() {
    let furnished = busy().await;
    let world = &furnished.world;
    let from = now() - SignedDuration::from_hours(24 * 30);
    let mut above = world.app.lake.samples(&name("example"), from, now()).await.unwrap();
    above.truncate(10);
    for sample in &mut above {
        sample.time = now() - SignedDuration::from_mins(5);
        sample.server = Some(name("a.root.example"));
        sample.address = "203.0.113.1".parse().unwrap();
    }
    world.app.lake.append_samples(&above).await.unwrap();
    let cookie = world.sign_in("duty").await;
    for path in ["over-time?period=day", "over-time/answers.csv?period=day"] {
        let page = world.get_as(&format!("/zones/example/{path}"), &cookie).await.body;
        assert!(
            page.contains("192.0.2.53") && !page.contains("203.0.113.1"),
            "{path}: {page}"
        );
    }
    let all = world
        .get_as("/zones/example/over-time/samples.csv?period=day", &cookie)
        .await
        .body;
    assert!(all.contains("203.0.113.1"), "the samples are all there: {all}");
}

#[tokio::test]
async fn what_a_page_draws_can_be_taken_away_as_files() {
    let furnished = busy().await;
    let world = &furnished.world;
    let cookie = world.sign_in("duty").await;
    let page = world.get_as("/zones/example/over-time?period=week", &cookie).await.body;
    for (file, kind, begins, holds) in [
        (
            "answers.svg",
            "image/svg+xml",
            "<svg class=\"strip days\" xmlns=",
            "<style>",
        ),
        (
            "answers.csv",
            "text/csv; charset=utf-8",
            "time,server,address,asked,",
            ",ns1.nic.example,192.0.2.53,",
        ),
        (
            "samples.csv",
            "text/csv; charset=utf-8",
            "time,probe,zone,server,",
            ",here,example,ns1.nic.example,192.0.2.53,udp,",
        ),
        ("samples.parquet", "application/vnd.apache.parquet", "PAR1", "PAR1"),
    ] {
        let answer = world
            .get_as(&format!("/zones/example/over-time/{file}?period=week"), &cookie)
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{file}");
        assert_eq!(answer.header("content-type"), kind);
        let disposition = format!("attachment; filename=\"example-week-{file}\"");
        assert_eq!(answer.header("content-disposition"), disposition);
        assert!(
            answer.body.starts_with(begins) && answer.body.contains(holds),
            "{file}: {:.300}",
            answer.body
        );
    }
    for file in ["answers.png", "signatures.png"] {
        let path = format!("/zones/example/over-time/{file}?period=week");
        let answer = world.get_as(&path, &cookie).await;
        assert_eq!(answer.status, StatusCode::OK, "{file}");
        assert_eq!(answer.header("content-type"), "image/png");
        assert!(answer.body.contains("IHDR") && answer.body.contains("IEND"), "{file}");
    }
    assert!(page.contains("answers.png?period=week"), "{page}");
    let rows = |body: &str| body.lines().count() - 1;
    let samples = world
        .get_as("/zones/example/over-time/samples.csv?period=day", &cookie)
        .await
        .body;
    let answers = world
        .get_as("/zones/example/over-time/answers.csv?period=day", &cookie)
        .await
        .body;
    let asked: usize = answers
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(3).unwrap().parse::<usize>().unwrap())
        .sum();
    assert!(asked > 0);
    assert_eq!(
        asked,
        rows(&samples),
        "the drawing can be reckoned again from the samples"
    );
    for path in ["/zones/example/over-time/else.csv", "/zones/a..b/over-time/samples.csv"] {
        assert_eq!(
            world.get_as(path, &cookie).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_server_s_page_names_its_zones_and_what_is_found_at_it() {
    let furnished = busy().await;
    let world = &furnished.world;
    let cookie = world.sign_in("duty").await;
    let page = world.get_as("/servers/192.0.2.53", &cookie).await.body;
    for shown in [
        "ns1.nic.example",
        "/zones/example",
        "tun1",
        "2026030101",
        "DS09_RRSIG_NOT_VALID_BY_DNSKEY",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    for path in ["/servers/203.0.113.99", "/servers/ns1.nic.example"] {
        assert_eq!(
            world.get_as(path, &cookie).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_badge_is_for_everybody_and_tells_nothing_of_zones_that_the_status_page_does_not_name() {
    let furnished = busy().await;
    let world = &furnished.world;
    let badge = world.get("/zones/example/badge.svg?lang=en").await;
    assert_eq!(badge.status, StatusCode::OK);
    assert_eq!(badge.header("content-type"), "image/svg+xml");
    assert_eq!(badge.header("cross-origin-resource-policy"), "cross-origin");
    assert!(badge.header("cache-control").contains("max-age=60"));
    assert!(
        badge.body.contains(">example<") && badge.body.contains(">Broken<"),
        "{}",
        badge.body
    );
    let arabic = world.get("/zones/xn--kgbechtv/badge.svg?lang=ar").await.body;
    assert!(
        arabic.contains("إختبار") && arabic.contains("xml:lang=\"ar\""),
        "{arabic}"
    );
    let [unwatched, private, wrong] = [
        "/zones/nowhere/badge.svg",
        "/zones/shop.example/badge.svg",
        "/zones/a..b/badge.svg",
    ];
    for path in [unwatched, private, wrong] {
        let badge = world.get(path).await;
        assert_eq!(badge.status, StatusCode::NOT_FOUND, "{path}");
        assert!(
            badge.body.contains(">DNS<") && badge.body.contains(">Not known<"),
            "{path}: {}",
            badge.body
        );
    }
}
