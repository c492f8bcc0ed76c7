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
