//! Alerts for programs.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::alerts::{self, AlertState, Filter};
use csirt::cases;
use model::{Id, Severity, Signal, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::{Caller, Refusal};
use super::listing::{self, Listing, Problem, answer};
use crate::paging::{MOST, sought};
use crate::{App, WebError};

/// One alert.
#[derive(Serialize, ToSchema)]
pub struct Alert {
    /// Its id.
    id: String,
    /// Key by which repeats fold into it.
    key: String,
    /// `new`, `in_case`, `dismissed` or `ended`.
    state: String,
    /// `log`, `review` or `page`.
    severity: String,
    /// `health`, `redelegation` or `report`.
    detector: String,
    /// Which kind of matter: `zone-unreachable`.
    kind: String,
    /// Particulars of that kind.
    args: BTreeMap<String, String>,
    /// The zones concerned.
    zones: Vec<String>,
    /// How often it was noticed.
    count: i64,
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
    /// Number of the case it belongs to.
    case: Option<String>,
    /// Why it was dismissed or ended.
    reason: Option<String>,
    /// What it rests on, oldest first; only where one alert is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    signals: Option<Vec<Signal>>,
}

async fn told(app: &App, alert: alerts::Alert, signals: Option<Vec<Signal>>) -> Result<Alert, Refusal> {
    let case = match alert.case {
        Some(case) => Some(cases::get(&app.records, case).await?.number.to_string()),
        None => None,
    };
    Ok(Alert {
        id: alert.id.to_string(),
        state: alert.state.as_str().to_owned(),
        severity: alert.severity.as_str().to_owned(),
        detector: alert.detector.as_str().to_owned(),
        zones: alert.zones.iter().map(ToString::to_string).collect(),
        key: alert.key,
        kind: alert.kind,
        args: alert.args,
        count: alert.count,
        first_at: alert.first_at,
        last_at: alert.last_at,
        reason: alert
            .reason
            .map(|reason| csirt::told(&reason, model::Language::English)),
        case,
        signals,
    })
}

/// Which alerts.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// `new` (when absent), `in_case`, `dismissed`, `ended` or `all`.
    state: Option<String>,
    /// The mildest severity: `log`, `review` or `page`.
    severity: Option<String>,
    /// Text in key, kind or zones.
    q: Option<String>,
}

/// Lists alerts, oldest first.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", params(Wanted, listing::From), security(("token" = [])),
    responses((status = 200, body = Listing<Alert>), (status = 401, body = Problem), (status = 422, body = Problem)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
    Query(from): Query<listing::From>,
) -> Result<Response, Refusal> {
    caller.may_see(Capability::SeeAlerts)?;
    let states = match wanted.state.as_deref() {
        Some("all") => Vec::new(),
        Some(state) => vec![
            state
                .parse()
                .map_err(|_| WebError::Invalid(format!("`{state}` is not a state of an alert")))?,
        ],
        None => vec![AlertState::New],
    };
    let severity = match wanted.severity.as_deref() {
        None => None,
        Some(word) => Some(
            Severity::ALL
                .into_iter()
                .find(|severity| severity.as_str() == word)
                .ok_or_else(|| WebError::Invalid(format!("`{word}` is not a severity")))?,
        ),
    };
    let filter = Filter {
        states,
        severity,
        text: sought(&wanted.q.unwrap_or_default()),
        limit: MOST,
    };
    let mut found = alerts::queue(&app.records, &filter).await?;
    found.sort_by_key(|alert| alert.id);
    let part = from.cut(found, |alert| alert.id.to_string())?;
    let mut items = Vec::with_capacity(part.items.len());
    for alert in part.items {
        items.push(told(&app, alert, None).await?);
    }
    answer(&headers, &Listing { items, next: part.next })
}

/// One alert with its signals.
#[utoipa::path(get, path = "/api/v1/alerts/{id}", tag = "alerts", params(("id" = String, Path)), security(("token" = [])),
    responses((status = 200, body = Alert), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    caller.may_see(Capability::SeeAlerts)?;
    let id = parse(&id)?;
    let signals = alerts::signals(&app.records, id).await?;
    answer(
        &headers,
        &told(&app, alerts::get(&app.records, id).await?, Some(signals)).await?,
    )
}

/// Why something is done.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The reason, kept with the caller's name.
    reason: String,
}

/// Dismisses an alert.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/dismiss", tag = "alerts", params(("id" = String, Path)), request_body = Reason, security(("token" = [])),
    responses((status = 200, body = Alert), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn dismiss(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let actor = caller.may_do(Capability::DismissAlerts)?;
    let Reason { reason } = listing::read(&body)?;
    let alert = alerts::dismiss(&app.records, actor, parse(&id)?, reason.trim()).await?;
    answer(&headers, &told(&app, alert, None).await?)
}

fn parse(id: &str) -> Result<Id<alerts::Alert>, Refusal> {
    Ok(id.parse().map_err(|_| WebError::NotFound)?)
}
