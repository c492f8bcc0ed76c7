//! Cases and requests for programs.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::cases::{self, CaseFilter, CaseState, NewCase};
use csirt::requests as asked;
use model::{Check, Timestamp, Tlp, Verdict};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::{Caller, Refusal};
use super::listing::{self, Listing, Problem, answer};
use crate::paging::{MOST, sought};
use crate::{App, WebError};

/// One case.
#[derive(Serialize, ToSchema)]
pub struct Case {
    /// `DNSCERT-2026-00001`.
    number: String,
    /// What it is called.
    title: String,
    /// TLP 2.0 label.
    tlp: String,
    /// `open` or `closed`.
    state: String,
    /// `log`, `review` or `page`.
    severity: String,
    /// The zones concerned.
    zones: Vec<String>,
    /// Since when the fault lasts.
    #[schema(value_type = String, format = DateTime)]
    fault_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
    /// Seconds since the fault at which each step was reached; only where one case is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    figures: Option<Figures>,
}

/// Seconds since the fault.
#[derive(Serialize, ToSchema)]
pub struct Figures {
    detected: Option<f64>,
    opened: Option<f64>,
    notified: Option<f64>,
    acknowledged: Option<f64>,
    done: Option<f64>,
    verified: Option<f64>,
    closed: Option<f64>,
}

/// One ask to one party.
#[derive(Serialize, ToSchema)]
pub struct Request {
    /// Number within the case.
    number: i32,
    /// Name of the party.
    party: String,
    /// Why this party.
    because: String,
    /// What is asked: `restore_service`.
    ask: String,
    zone: String,
    /// One of the thirteen states: `not_notified` … `unreachable`.
    state: String,
    #[schema(value_type = String, format = DateTime)]
    state_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    deadline: Timestamp,
    /// Language of the notices.
    language: String,
    /// What decides it.
    #[schema(value_type = Object)]
    check: Check,
    /// What was measured last.
    #[schema(value_type = Option<Object>)]
    verdict: Option<Verdict>,
    /// Why a person set it as verified against the measurement.
    overruled: Option<String>,
}

pub(super) fn told(case: cases::Case, figures: Option<Figures>) -> Case {
    Case {
        number: case.number.to_string(),
        title: case.title,
        tlp: case.tlp.to_string(),
        state: case.state.as_str().to_owned(),
        severity: case.severity.as_str().to_owned(),
        zones: case.zones.iter().map(ToString::to_string).collect(),
        fault_at: case.fault_at,
        opened_at: case.opened_at,
        closed_at: case.closed_at,
        figures,
    }
}

pub(super) fn told_request(party: &asked::Party, request: asked::Request) -> Request {
    Request {
        number: request.number,
        party: party.name.clone(),
        because: csirt::requests::because_text(&party.because, model::Language::English),
        ask: request.ask.as_str().to_owned(),
        zone: request.zone.to_string(),
        state: request.state.as_str().to_owned(),
        state_at: request.state_at,
        deadline: request.deadline,
        language: request.language.code().to_owned(),
        check: request.check,
        verdict: request.verdict,
        overruled: request.overruled.map(|overruled| overruled.reason),
    }
}

/// Which cases.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// `open`, `closed` or `all` (when absent).
    state: Option<String>,
    /// Text in number, title or zones.
    q: Option<String>,
}

/// Lists cases by number.
#[utoipa::path(get, path = "/api/v1/cases", tag = "cases", params(Wanted, listing::From), security(("token" = [])),
    responses((status = 200, body = Listing<Case>), (status = 401, body = Problem), (status = 422, body = Problem)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
    Query(from): Query<listing::From>,
) -> Result<Response, Refusal> {
    caller.may_see(Capability::SeeCases)?;
    let state = match wanted.state.as_deref() {
        None | Some("all") => None,
        Some("open") => Some(CaseState::Open),
        Some("closed") => Some(CaseState::Closed),
        Some(other) => return Err(WebError::Invalid(format!("`{other}` is not a state of a case")).into()),
    };
    let filter = CaseFilter {
        state,
        text: sought(&wanted.q.unwrap_or_default()),
        limit: MOST,
    };
    let mut found = cases::list(&app.records, &filter).await?;
    found.sort_by_key(|summary| summary.case.number);
    let part = from.cut(found, |summary| summary.case.number.to_string())?;
    answer(&headers, &part.map(|summary| told(summary.case, None)))
}

/// One case with its figures.
#[utoipa::path(get, path = "/api/v1/cases/{number}", tag = "cases", params(("number" = String, Path)), security(("token" = [])),
    responses((status = 200, body = Case), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(number): Path<String>,
) -> Result<Response, Refusal> {
    caller.may_see(Capability::SeeCases)?;
    let case = crate::cases::find(&app, &number).await?;
    let figures = cases::figures(&app.records, case.id).await?;
    let figures = Figures {
        detected: figures.detected,
        opened: figures.opened,
        notified: figures.notified,
        acknowledged: figures.acknowledged,
        done: figures.done,
        verified: figures.verified,
        closed: figures.closed,
    };
    answer(&headers, &told(case, Some(figures)))
}

/// A case to be opened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// What it is called.
    title: String,
    /// TLP 2.0 label; `TLP:AMBER` when absent.
    tlp: Option<String>,
    /// Ids of the alerts it is about, at least one.
    alerts: Vec<String>,
}

/// Opens a case from alerts.
#[utoipa::path(post, path = "/api/v1/cases", tag = "cases", request_body = Opening, security(("token" = [])),
    responses((status = 201, body = Case), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn open(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Response), Refusal> {
    let actor = caller.may_do(Capability::WorkCases)?;
    let opening: Opening = listing::read(&body)?;
    let tlp = match opening.tlp {
        None => Tlp::Amber,
        Some(label) => label.parse().map_err(|error| WebError::Invalid(format!("{error}")))?,
    };
    let mut alerts = Vec::with_capacity(opening.alerts.len());
    for id in &opening.alerts {
        alerts.push(
            id.parse()
                .map_err(|_| WebError::Invalid(format!("`{id}` is not an id of an alert")))?,
        );
    }
    let case = cases::open(
        &app.records,
        actor,
        &NewCase {
            title: opening.title,
            tlp,
            alerts,
        },
    )
    .await?;
    Ok((StatusCode::CREATED, answer(&headers, &told(case, None))?))
}

/// One line of a timeline.
#[derive(Serialize, ToSchema)]
pub struct Line {
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    /// Who: `system`, `account:ID`, `party:ID of the request`, `public`.
    actor: String,
    /// What happened.
    #[schema(value_type = Object)]
    event: cases::Event,
}

/// The timeline of a case, oldest first.
#[utoipa::path(get, path = "/api/v1/cases/{number}/timeline", tag = "cases", params(("number" = String, Path), listing::From), security(("token" = [])),
    responses((status = 200, body = Listing<Line>), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn timeline(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(number): Path<String>,
    Query(from): Query<listing::From>,
) -> Result<Response, Refusal> {
    caller.may_see(Capability::SeeCases)?;
    let case = crate::cases::find(&app, &number).await?;
    let part = from.cut_by_place(cases::timeline(&app.records, case.id).await?)?;
    let line = |entry: cases::Entry| Line {
        time: entry.time,
        actor: entry.actor.to_string(),
        event: entry.event.told(model::Language::English),
    };
    answer(&headers, &part.map(line))
}

/// A note to be kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNote {
    /// Its text.
    text: String,
}

/// Adds a note to a case.
#[utoipa::path(post, path = "/api/v1/cases/{number}/notes", tag = "cases", params(("number" = String, Path)), request_body = NewNote, security(("token" = [])),
    responses((status = 201, body = Case), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn note(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(number): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Response), Refusal> {
    let actor = caller.may_do(Capability::WorkCases)?;
    let case = crate::cases::find(&app, &number).await?;
    let NewNote { text } = listing::read(&body)?;
    cases::note(&app.records, actor, case.id, text.trim()).await?;
    Ok((StatusCode::CREATED, answer(&headers, &told(case, None))?))
}

/// The requests of a case by number.
#[utoipa::path(get, path = "/api/v1/cases/{number}/requests", tag = "cases", params(("number" = String, Path), listing::From), security(("token" = [])),
    responses((status = 200, body = Listing<Request>), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn requests(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(number): Path<String>,
    Query(from): Query<listing::From>,
) -> Result<Response, Refusal> {
    caller.may_see(Capability::SeeCases)?;
    let case = crate::cases::find(&app, &number).await?;
    let grid = asked::grid(&app.records, case.id).await?;
    let mut items: Vec<Request> = Vec::new();
    for row in grid.parties {
        let party = row.party;
        items.extend(row.requests.into_iter().map(|request| told_request(&party, request)));
    }
    items.sort_by_key(|request| request.number);
    answer(&headers, &from.cut(items, |request| format!("{:08}", request.number))?)
}
