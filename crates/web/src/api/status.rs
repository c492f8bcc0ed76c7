//! `GET /api/v1/status`: whether the centre works, for anybody.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Refusal;
use super::listing::answer;
use crate::App;

/// The centre.
#[derive(Serialize, ToSchema)]
pub struct Status {
    /// Name of the centre.
    centre: String,
    /// Where people reach it by mail.
    mail: String,
    /// Version of the software.
    version: String,
    /// Whether the records answer.
    records: bool,
    /// Since when this process runs.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
}

/// Says whether the centre works. Needs no token.
#[utoipa::path(get, path = "/api/v1/status", tag = "centre", responses((status = 200, body = Status)))]
pub async fn status(State(app): State<App>, headers: HeaderMap) -> Result<Response, Refusal> {
    let status = Status {
        centre: app.settings.name.clone(),
        mail: app.settings.mail.clone(),
        version: app.settings.version.clone(),
        records: app.records.ping().await.is_ok(),
        started_at: app.started_at,
    };
    answer(&headers, &status)
}
