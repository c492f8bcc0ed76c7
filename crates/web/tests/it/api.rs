//! The JSON API as programs meet it: what its document promises holds.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use csirt::Actor;
use csirt::accounts::{self, Scope};
use serde_json::Value;

use super::rooms::busy;
use super::world::{Answer, Furnished};

pub async fn token(furnished: &Furnished, account: &str, scope: Scope) -> String {
    let records = &furnished.world.app.records;
    let id = accounts::by_name(records, account).await.unwrap().unwrap().id;
    accounts::create_token(records, Actor::System, id, "test", scope)
        .await
        .unwrap()
        .1
        .reveal()
        .to_owned()
}

pub async fn call(furnished: &Furnished, method: &str, path: &str, token: &str, body: &str) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json");
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    furnished
        .world
        .send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{}", answer.body))
}

#[test]
fn the_document_is_as_agreed() {
    insta::assert_snapshot!(web::api::document());
}

#[tokio::test]
async fn every_route_of_the_document_answers_with_a_status_that_it_names() {
    let furnished = busy().await;
    let write = token(&furnished, "duty", Scope::Write).await;
    let document: Value = serde_json::from_str(&web::api::document()).unwrap();
    let mut routes = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let named: Vec<&str> = operation["responses"]
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            let filled = path
                .replace("{id}", "01890a5d-ac96-774b-bcce-b302099a8057")
                .replace("{number}", "DNSCERT-2026-00001");
            let filled = filled.replace("{zone}", "example").replace("{request}", "1");
            let answer = call(&furnished, &method.to_uppercase(), &filled, &write, "{}").await;
            assert!(
                named.contains(&answer.status.as_str()),
                "{method} {path}: {} {}",
                answer.status,
                answer.body
            );
            if named.contains(&"401") {
                let stranger = call(&furnished, &method.to_uppercase(), &filled, "", "{}").await;
                assert_eq!(stranger.status, StatusCode::UNAUTHORIZED, "{method} {path}");
                assert_eq!(stranger.header("content-type"), "application/problem+json");
                assert!(stranger.header("www-authenticate").starts_with("Bearer"));
            }
            routes += 1;
        }
    }
    assert!(routes >= 18, "{routes}");
}

#[tokio::test]
async fn a_token_does_what_its_scope_and_its_account_may() {
    let furnished = busy().await;
    let read = token(&furnished, "duty", Scope::Read).await;
    let look = token(&furnished, "look", Scope::Write).await;
    let write = token(&furnished, "duty", Scope::Write).await;
    let alerts = json(&call(&furnished, "GET", "/api/v1/alerts", &read, "").await);
    let id = alerts["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/alerts/{id}/dismiss");
    let body = r#"{"reason": "announced by telephone"}"#;
    assert_eq!(
        call(&furnished, "POST", &path, &read, body).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        call(&furnished, "POST", &path, &look, body).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        call(&furnished, "GET", "/api/v1/directory", &look, "").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        call(&furnished, "POST", &path, "dnscert_wrong", body).await.status,
        StatusCode::UNAUTHORIZED
    );
    let wrong = call(&furnished, "POST", &path, &write, r#"{"why": 1}"#).await;
    assert_eq!(
        (wrong.status, json(&wrong)["code"].clone()),
        (StatusCode::UNPROCESSABLE_ENTITY, "invalid".into())
    );
    let done = call(&furnished, "POST", &path, &write, body).await;
    assert_eq!(json(&done)["state"], "dismissed");
    assert_eq!(
        call(&furnished, "POST", &path, &write, body).await.status,
        StatusCode::CONFLICT
    );
}

#[tokio::test]
async fn a_list_is_read_to_its_end_by_cursor() {
    let furnished = busy().await;
    let read = token(&furnished, "duty", Scope::Read).await;
    let mut seen = Vec::new();
    let mut path = "/api/v1/zones?limit=1".to_owned();
    loop {
        let part = json(&call(&furnished, "GET", &path, &read, "").await);
        seen.extend(
            part["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["zone"].as_str().unwrap().to_owned()),
        );
        match part["next"].as_str() {
            Some(next) => path = format!("/api/v1/zones?limit=1&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["example", "test", "xn--kgbechtv"]);
    let samples = json(
        &call(
            &furnished,
            "GET",
            "/api/v1/zones/example/samples?limit=2&from=2026-02-28T00:00:00Z&to=2026-03-01T12:00:00Z",
            &read,
            "",
        )
        .await,
    );
    assert_eq!(samples["items"].as_array().unwrap().len(), 2);
    assert!(samples["next"].is_string());
}

#[tokio::test]
async fn what_the_caller_has_already_is_not_sent_again() {
    let furnished = busy().await;
    let read = token(&furnished, "duty", Scope::Read).await;
    let first = call(&furnished, "GET", "/api/v1/zones/example", &read, "").await;
    let tag = first.header("etag").to_owned();
    let request = Request::get("/api/v1/zones/example")
        .header("authorization", format!("Bearer {read}"))
        .header("if-none-match", &tag)
        .body(Body::empty())
        .unwrap();
    let second = furnished.world.send(request).await;
    assert_eq!((second.status, second.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
}

#[tokio::test]
async fn a_report_by_a_program_gets_its_number() {
    let furnished = busy().await;
    let body =
        r#"{"what": "The zone example answers with the wrong addresses since this morning.", "names": "example"}"#;
    let answer = call(&furnished, "POST", "/api/v1/reports", "", body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    assert!(json(&answer)["number"].as_str().unwrap().starts_with("REPORT-2026-"));
    let empty = call(&furnished, "POST", "/api/v1/reports", "", r#"{"what": ""}"#).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_program_keeps_the_watch_list_and_announces_changes() {
    let furnished = busy().await;
    let write = token(&furnished, "duty", Scope::Write).await;
    let read = token(&furnished, "duty", Scope::Read).await;
    let expected = r#"{"ns": {"ns1.new.example": ["192.0.2.1"]}, "ds": []}"#;
    let steps = [
        (
            "POST",
            "/zones",
            r#"{"zone": "new.example", "interval_secs": 30, "region": "EU"}"#.to_owned(),
            "201",
            "",
        ),
        (
            "POST",
            "/zones",
            r#"{"zone": "new.example"}"#.to_owned(),
            "409",
            "watch list",
        ),
        (
            "POST",
            "/zones",
            r#"{"interval_secs": 30}"#.to_owned(),
            "422",
            "`zone` is missing",
        ),
        ("POST", "/zones", r#"{"zone": "a..b"}"#.to_owned(), "422", "a..b"),
        (
            "POST",
            "/zones",
            r#"{"zone": "b.example", "every": 5}"#.to_owned(),
            "422",
            "every",
        ),
        (
            "PATCH",
            "/zones/new.example",
            format!(r#"{{"expected": {expected}}}"#),
            "200",
            "",
        ),
        (
            "PATCH",
            "/zones/new.example",
            r#"{"interval_secs": 1}"#.to_owned(),
            "422",
            "interval",
        ),
        (
            "PATCH",
            "/zones/new.example",
            r#"{"region": "Mars"}"#.to_owned(),
            "422",
            "Mars",
        ),
        (
            "PATCH",
            "/zones/new.example",
            r#"{"zone": "old.example"}"#.to_owned(),
            "422",
            "never changes",
        ),
        (
            "PATCH",
            "/zones/new.example",
            r#"{"region": null, "enabled": false}"#.to_owned(),
            "200",
            "",
        ),
        ("PATCH", "/zones/nowhere.example", "{}".to_owned(), "404", ""),
    ];
    for (method, path, body, status, said) in steps {
        let path = format!("/api/v1{path}");
        let refused = call(&furnished, method, &path, &read, &body).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{method} {path} {body}");
        let answer = call(&furnished, method, &path, &write, &body).await;
        assert_eq!(
            answer.status.as_str(),
            status,
            "{method} {path} {body}: {}",
            answer.body
        );
        assert!(answer.body.contains(said), "{method} {path} {body}: {}", answer.body);
    }
    let path = "/api/v1/zones/new.example";
    let zone = json(&call(&furnished, "GET", path, &read, "").await);
    assert_eq!(
        (
            &zone["interval_secs"],
            &zone["enabled"],
            &zone["region"],
            &zone["state"]["expected"]
        ),
        (
            &30.into(),
            &false.into(),
            &Value::Null,
            &serde_json::from_str(expected).unwrap()
        )
    );

    let announcements = format!("{path}/announcements");
    let from = furnished.world.app.records.now();
    let window = |hours| {
        format!(
            r#""from": "{from}", "until": "{}""#,
            from + jiff::SignedDuration::from_hours(hours)
        )
    };
    let blank = format!(r#"{{{}, "by": "Registry, by phone"}}"#, window(72));
    let refused = call(&furnished, "POST", &announcements, &write, &blank).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("48 hours"), "{}", refused.body);
    let planned = format!(
        r#"{{{}, "by": "Registry, by phone", "expected": {expected}}}"#,
        window(72)
    );
    let made = call(&furnished, "POST", &announcements, &write, &planned).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let id = json(&made)["id"].as_str().unwrap().to_owned();
    let one = format!("{announcements}/{id}");
    for status in ["204", "404"] {
        let elsewhere = one.replace("new.example", "other.example");
        assert_eq!(
            call(&furnished, "DELETE", &elsewhere, &write, "").await.status,
            StatusCode::NOT_FOUND
        );
        let gone = call(
            &furnished,
            "DELETE",
            if status == "204" { &one } else { &elsewhere },
            &write,
            "",
        )
        .await;
        assert_eq!(gone.status.as_str(), status);
    }
    let listed = json(&call(&furnished, "GET", &announcements, &read, "").await);
    assert_eq!(
        (&listed["items"][0]["id"], listed["items"][0]["withdrawn"].is_string()),
        (&id.into(), true)
    );
    assert_eq!(
        call(&furnished, "DELETE", path, &write, "").await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        call(&furnished, "GET", path, &write, "").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_program_asks_a_party_of_the_directory_and_sends_the_notice() {
    let furnished = busy().await;
    let write = token(&furnished, "duty", Scope::Write).await;
    let listed = json(&call(&furnished, "GET", "/api/v1/directory", &write, "").await);
    let mut profile = listed["items"][0]["profile"].clone();
    for (field, value) in [("handle", "hoster"), ("name", "Hoster")] {
        profile[field] = value.into();
    }
    profile["responsibilities"] = Value::Array(Vec::new());
    let made = call(&furnished, "POST", "/api/v1/directory", &write, &profile.to_string()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let id = json(&made)["id"].as_str().unwrap().to_owned();
    let mut profile = json(&made)["profile"].clone();
    profile["name"] = "Hoster of Example".into();
    let entry = format!("/api/v1/directory/{id}");
    let changed = call(&furnished, "PUT", &entry, &write, &profile.to_string()).await;
    assert_eq!(
        json(&changed)["profile"]["name"],
        "Hoster of Example",
        "{}",
        changed.body
    );

    let cases = json(&call(&furnished, "GET", "/api/v1/cases?state=open", &write, "").await);
    let number = cases["items"][0]["number"].as_str().unwrap().to_owned();
    let zone = cases["items"][0]["zones"][0].as_str().unwrap().to_owned();
    let case = format!("/api/v1/cases/{number}");
    let proposals = call(&furnished, "GET", &format!("{case}/proposals"), &write, "").await;
    assert_eq!(proposals.status, StatusCode::OK, "{}", proposals.body);
    let ask = |because: &str| format!(r#"{{"organisation": "{id}", "zone": "{zone}", "ask": "explain"{because}}}"#);
    let requests = format!("{case}/requests");
    let unfounded = call(&furnished, "POST", &requests, &write, &ask("")).await;
    assert_eq!(unfounded.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(unfounded.body.contains("because"), "{}", unfounded.body);
    let nobody = ask("").replace(&id, "01890a5d-ac96-774b-bcce-b302099a8057");
    let nobody = call(&furnished, "POST", &requests, &write, &nobody).await;
    assert!(
        nobody.body.contains("no organisation of the directory"),
        "{}",
        nobody.body
    );
    let asked = call(
        &furnished,
        "POST",
        &requests,
        &write,
        &ask(r#", "because": "they run its servers""#),
    )
    .await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.body);
    let asked = json(&asked);
    assert_eq!(
        (&asked["party"], &asked["state"]),
        (&"Hoster of Example".into(), &"not_notified".into())
    );

    let request = format!("{requests}/{}", asked["number"]);
    assert_eq!(
        call(&furnished, "POST", &format!("{request}/send"), &write, "")
            .await
            .status,
        StatusCode::ACCEPTED
    );
    let listed = json(&call(&furnished, "GET", &requests, &write, "").await);
    let mine = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["number"] == asked["number"]);
    assert_eq!(mine.unwrap()["state"], "queued");
    let overrule = call(
        &furnished,
        "POST",
        &format!("{request}/overrule"),
        &write,
        r#"{"reason": "seen"}"#,
    )
    .await;
    let done = json(&overrule);
    assert!(
        overrule.status == StatusCode::OK && done["overruled"] == "seen",
        "{}",
        overrule.body
    );
}

#[tokio::test]
async fn a_program_of_the_team_sees_how_the_centre_does() {
    let furnished = busy().await;
    let duty = token(&furnished, "duty", Scope::Read).await;
    let now = furnished.world.app.records.now();
    let conditions = &furnished.world.app.conditions;
    conditions.set(web::Condition::ObservationsUnwritable, now, "no space left on device");
    let centre = json(&call(&furnished, "GET", "/api/v1/centre", &duty, "").await);
    assert_eq!(centre["conditions"][0]["condition"], "observations-unwritable");
    assert_eq!(centre["conditions"][0]["detail"], "no space left on device");
    assert!(
        centre["watched_zones"].as_u64() > Some(0) && centre["alerts"]["new"].as_u64() > Some(0),
        "{centre}"
    );
    let tables: Vec<&str> = centre["tables"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|t| t["table"].as_str())
        .collect();
    assert_eq!(tables, ["sample", "zone_change"]);
    let points = json(&call(&furnished, "GET", "/api/v1/vantage-points", &duty, "").await);
    assert!(points["items"].is_array() && points["next"].is_null(), "{points}");
}
