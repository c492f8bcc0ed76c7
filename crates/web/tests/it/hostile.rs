//! Hostile input: whatever stands in an address or a form, the centre's own fault it is not.

use axum::body::Body;
use axum::http::Request;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::rooms::busy;
use super::world::encode;

const PATHS: [&str; 14] = [
    "/alerts?state=X&severity=X&q=X&page=X",
    "/alerts/X",
    "/cases?state=X&due=X&q=X&page=X",
    "/cases/X?show=X&page=X",
    "/cases/DNSCERT-2026-00001?show=X&page=X",
    "/cases/DNSCERT-2026-00001/requests/X",
    "/zones?health=X&region=X&q=X&page=X",
    "/zones/X",
    "/directory?q=X&confirmed=X&page=X",
    "/directory/X",
    "/directory/export/X",
    "/route?target=X",
    "/api/v1/alerts?state=X&severity=X&q=X&cursor=X&limit=X",
    "/api/v1/zones/X/samples?from=X&to=X&cursor=X&limit=X",
];

const FORMS: [&str; 9] = [
    "/alerts/selected/case",
    "/alerts/selected/dismiss",
    "/cases/DNSCERT-2026-00001/notes",
    "/cases/DNSCERT-2026-00001/requests",
    "/cases/DNSCERT-2026-00001/evidence",
    "/zones",
    "/zones/example/announcements",
    "/zones/example/watch",
    "/directory/new",
];

const FIELDS: [&str; 14] = [
    "title",
    "tlp",
    "reason",
    "note",
    "organisation",
    "zone",
    "ask",
    "because",
    "interval",
    "from",
    "until",
    "by",
    "handle",
    "channels",
];

#[test]
fn whatever_stands_in_an_address_or_a_form_no_page_fails() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let furnished = runtime.block_on(busy());
    let world = &furnished.world;
    let (duty, csrf) = runtime.block_on(async {
        let duty = world.sign_in("duty").await;
        let csrf = world.get_as("/alerts", &duty).await.field("csrf");
        (duty, csrf)
    });
    let mut runner = TestRunner::new(Config {
        cases: 150,
        failure_persistence: None,
        ..Config::default()
    });
    let text = prop_oneof![
        any::<String>(),
        "[a-z0-9.%<>'\"@|:-]{0,40}",
        Just("18446744073709551616".to_owned())
    ];
    let input = (
        0..PATHS.len(),
        0..FORMS.len(),
        proptest::collection::vec(text, FIELDS.len()),
    );
    runner
        .run(&input, |(path, form, texts)| {
            let path = PATHS[path].replace('X', &encode(&texts[0]).replace('/', "%2F"));
            let fields: Vec<(&str, &str)> = FIELDS
                .into_iter()
                .zip(texts.iter().map(String::as_str))
                .chain([("csrf", csrf.as_str())])
                .collect();
            let (shown, sent, raw) = runtime.block_on(async {
                let raw = Request::post("/directory/import")
                    .header("cookie", &duty)
                    .header("content-type", "multipart/form-data; boundary=x")
                    .body(Body::from(format!("--x\r\n{}", texts.join("\r\n--x\r\n"))))
                    .unwrap();
                (
                    world.get_as(&path, &duty).await,
                    world.post(FORMS[form], &duty, &fields).await,
                    world.send(raw).await,
                )
            });
            prop_assert!(shown.status.as_u16() < 500, "{path}: {}", shown.body);
            prop_assert!(sent.status.as_u16() < 500, "{}: {}", FORMS[form], sent.body);
            prop_assert!(raw.status.as_u16() < 500, "{}", raw.body);
            Ok(())
        })
        .unwrap();
}
