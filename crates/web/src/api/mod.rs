//! The JSON API at `/api/v1`: the same things as the pages, for programs.
//!
//! A program bears a token of an account (`Authorization: Bearer …`) and may what the account may, within the token's
//! scope. Lists go forward by cursor; answers carry an ETag; errors are problem details (RFC 9457). The forms below are
//! ours and stay when the records change: what is added is added, nothing is renamed within v1.

mod alerts;
mod caller;
mod cases;
mod casework;
mod centre;
mod directory;
mod listing;
mod operators;
mod probe;
mod reports;
mod status;
mod watch;
mod zones;

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::App;

/// Everything below `/api/v1`.
pub fn router() -> Router<App> {
    Router::new()
        .route("/api/v1/openapi.json", get(openapi))
        .route("/api/v1/status", get(status::status))
        .route("/api/v1/centre", get(centre::centre))
        .route("/api/v1/vantage-points", get(centre::vantage_points))
        .route("/api/v1/alerts", get(alerts::list))
        .route("/api/v1/alerts/{id}", get(alerts::get))
        .route("/api/v1/alerts/{id}/dismiss", post(alerts::dismiss))
        .route("/api/v1/cases", get(cases::list).post(cases::open))
        .route("/api/v1/cases/{number}", get(cases::get))
        .route("/api/v1/cases/{number}/timeline", get(cases::timeline))
        .route("/api/v1/cases/{number}/notes", post(cases::note))
        .route(
            "/api/v1/cases/{number}/requests",
            get(cases::requests).post(casework::request),
        )
        .route("/api/v1/cases/{number}/requests/{request}/send", post(casework::send))
        .route(
            "/api/v1/cases/{number}/requests/{request}/verify",
            post(casework::verify),
        )
        .route(
            "/api/v1/cases/{number}/requests/{request}/overrule",
            post(casework::overrule),
        )
        .route("/api/v1/cases/{number}/proposals", get(casework::proposals))
        .route("/api/v1/cases/{number}/close", post(casework::close))
        .route("/api/v1/cases/{number}/reopen", post(casework::reopen))
        .route("/api/v1/zones", get(zones::list).post(watch::add))
        .route(
            "/api/v1/zones/{zone}",
            get(zones::get).patch(watch::change).delete(watch::remove),
        )
        .route(
            "/api/v1/zones/{zone}/announcements",
            get(watch::announcements).post(watch::announce),
        )
        .route("/api/v1/zones/{zone}/announcements/{id}", delete(watch::withdraw))
        .route("/api/v1/zones/{zone}/samples", get(zones::samples))
        .route("/api/v1/operators/{organisation}", get(operators::get))
        .route("/api/v1/operators/{organisation}/zones", get(operators::zones))
        .route("/api/v1/directory", get(directory::list).post(directory::create))
        .route("/api/v1/directory/{id}", get(directory::get).put(directory::replace))
        .route("/api/v1/route", get(directory::route))
        .route("/api/v1/reports", post(reports::submit))
        .route("/api/v1/probe/plan", get(probe::plan))
        .route("/api/v1/probe/parts/{part}", put(probe::part))
        .route("/api/v1/probe/state", post(probe::state))
}

/// The document that describes the API (OpenAPI 3.1).
#[derive(OpenApi)]
#[openapi(
    info(
        title = "dnscert",
        description = "Alerts, cases, requests, zones, directory and reports of a DNS-CERT. Times are RFC 3339 in UTC; names are A-labels in lower case without the final dot.",
        version = "1",
        license(name = "MIT OR Apache-2.0")
    ),
    paths(
        status::status,
        centre::centre,
        centre::vantage_points,
        alerts::list,
        alerts::get,
        alerts::dismiss,
        cases::list,
        cases::open,
        cases::get,
        cases::timeline,
        cases::note,
        cases::requests,
        casework::request,
        casework::send,
        casework::verify,
        casework::overrule,
        casework::proposals,
        casework::close,
        casework::reopen,
        zones::list,
        zones::get,
        zones::samples,
        watch::add,
        watch::change,
        watch::remove,
        watch::announcements,
        watch::announce,
        watch::withdraw,
        operators::get,
        operators::zones,
        directory::list,
        directory::get,
        directory::create,
        directory::replace,
        directory::route,
        reports::submit,
        probe::plan,
        probe::part,
        probe::state
    ),
    components(schemas(listing::Problem)),
    modifiers(&Bearer)
)]
pub struct Document;

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token of an account"))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The token of a vantage point; it opens nothing else"))
            .build();
        components.add_security_scheme("probe", SecurityScheme::Http(scheme));
    }
}

/// The document as JSON.
pub fn document() -> String {
    Document::openapi()
        .to_pretty_json()
        .expect("a document of texts is JSON")
}

async fn openapi() -> Response {
    (
        [
            (header::CONTENT_TYPE, "application/json"),
            (header::CACHE_CONTROL, "public, max-age=3600"),
        ],
        document(),
    )
        .into_response()
}
