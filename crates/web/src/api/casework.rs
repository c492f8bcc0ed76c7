//! What programs do to a case: ask parties, send notices, overrule, close, open again.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::notices::{self, NoticeKind};
use csirt::requests as asked;
use csirt::{cases, directory};
use model::{Check, Name, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{Caller, Refusal};
use super::cases::{Case, Request, told, told_request};
use super::listing::{self, Listing, Problem, answer};
use crate::{App, WebError};

/// A request that could be made.
#[derive(Serialize, ToSchema)]
pub struct Proposal {
    /// Id of the organisation in the directory.
    organisation: Option<String>,
    /// Name of the party.
    party: String,
    /// Why this party, in English.
    because: String,
    zone: String,
    /// What would be asked: `restore_service`.
    ask: String,
    /// What would decide it.
    #[schema(value_type = Object)]
    check: Check,
    #[schema(value_type = String, format = DateTime)]
    deadline: Timestamp,
    /// Language of the notices.
    language: String,
}

/// Whom the centre would ask for what, the gravest first; what was asked already is left out.
#[utoipa::path(get, path = "/api/v1/cases/{number}/proposals", tag = "cases", params(("number" = String, Path), listing::From), security(("token" = [])),
    responses((status = 200, body = Listing<Proposal>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn proposals(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(number): Path<String>,
    Query(from): Query<listing::From>,
) -> Result<Response, Refusal> {
    caller.may_see(Capability::SeeCases)?;
    let case = crate::cases::find(&app, &number).await?;
    let part = from.cut_by_place(asked::propose(&app.records, case.id).await?)?;
    let proposal = |one: asked::Proposal| Proposal {
        organisation: one.organisation.map(|id| id.to_string()),
        because: asked::because_text(&one.because, model::Language::English),
        party: one.name,
        zone: one.zone.to_string(),
        ask: one.ask.as_str().to_owned(),
        check: one.check,
        deadline: one.deadline,
        language: one.language.code().to_owned(),
    };
    answer(&headers, &part.map(proposal))
}

/// A request to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRequest {
    /// Id of the organisation that is asked.
    organisation: String,
    /// The zone that it is about.
    zone: String,
    /// What is asked: `restore_service`.
    ask: String,
    /// Why this organisation; not needed where it is proposed.
    because: Option<String>,
}

/// Asks a party; nothing is sent yet.
#[utoipa::path(post, path = "/api/v1/cases/{number}/requests", tag = "cases", params(("number" = String, Path)), request_body = NewRequest, security(("token" = [])),
    responses((status = 201, body = Request), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn request(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(number): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Response), Refusal> {
    let actor = caller.may_do(Capability::WorkCases)?;
    let case = crate::cases::find(&app, &number).await?;
    let new: NewRequest = listing::read(&body)?;
    let zone: Name = new
        .zone
        .parse()
        .map_err(|error| WebError::Invalid(format!("{error}")))?;
    let wrong_ask = || WebError::Invalid(format!("`{}` is nothing that can be asked", new.ask));
    let ask: asked::Ask = new.ask.parse().map_err(|_| wrong_ask())?;
    let wrong_id = || WebError::Invalid(format!("`{}` is no organisation of the directory", new.organisation));
    let id = new.organisation.parse().map_err(|_| wrong_id())?;
    let organisation = match directory::get(&app.records, id).await {
        Err(csirt::Error::NotFound { .. }) => return Err(wrong_id().into()),
        found => found?,
    };
    let because = new
        .because
        .as_deref()
        .map(str::trim)
        .filter(|because| !because.is_empty());
    let proposal = match because {
        Some(because) => asked::by_hand(&app.records, &case, &organisation, zone, ask, because.to_owned()).await?,
        None => {
            let proposals = asked::propose(&app.records, case.id).await?;
            let found = proposals
                .into_iter()
                .find(|one| one.organisation == Some(organisation.id) && one.zone == zone && one.ask == ask);
            found
                .ok_or_else(|| WebError::Invalid("this is not proposed: say in `because` why it is asked".to_owned()))?
        }
    };
    let made = asked::create(&app.records, actor, case.id, &proposal).await?;
    let party = asked::party(&app.records, made.party).await?;
    Ok((StatusCode::CREATED, answer(&headers, &told_request(&party, made))?))
}

async fn find(app: &App, number: &str, request: &str) -> Result<(cases::Case, asked::Party, asked::Request), Refusal> {
    Ok(crate::cases::find_request(app, number, request).await?)
}

/// Sends the notice of a request, or a reminder where it was sent before. It goes out as soon as the relay takes it.
#[utoipa::path(post, path = "/api/v1/cases/{number}/requests/{request}/send", tag = "cases", params(("number" = String, Path), ("request" = i32, Path)), security(("token" = [])),
    responses((status = 202), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn send(
    State(app): State<App>,
    caller: Caller,
    Path((number, request)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let actor = caller.may_do(Capability::WorkCases)?;
    let (_, _, request) = find(&app, &number, &request).await?;
    let kind = match notices::of_request(&app.records, request.id).await?.is_empty() {
        true => NoticeKind::Ask,
        false => NoticeKind::Reminder,
    };
    notices::queue(&app.records, actor, &app.settings.centre(), request.id, kind).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Has a request measured as soon as the centre can.
#[utoipa::path(post, path = "/api/v1/cases/{number}/requests/{request}/verify", tag = "cases", params(("number" = String, Path), ("request" = i32, Path)), security(("token" = [])),
    responses((status = 202), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn verify(
    State(app): State<App>,
    caller: Caller,
    Path((number, request)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let actor = caller.may_do(Capability::WorkCases)?;
    let (_, _, request) = find(&app, &number, &request).await?;
    asked::measure_now(&app.records, actor, request.id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Why something is done.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// In words; it shows for ever.
    reason: String,
}

/// Sets a request as verified against the measurement.
#[utoipa::path(post, path = "/api/v1/cases/{number}/requests/{request}/overrule", tag = "cases", params(("number" = String, Path), ("request" = i32, Path)), request_body = Reason, security(("token" = [])),
    responses((status = 200, body = Request), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn overrule(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path((number, request)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let actor = caller.may_do(Capability::DecideCases)?;
    let (_, party, request) = find(&app, &number, &request).await?;
    let Reason { reason } = listing::read(&body)?;
    let done = asked::overrule(&app.records, actor, request.id, reason.trim()).await?;
    answer(&headers, &told_request(&party, done))
}

/// Why a case is closed.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Closing {
    /// In words; needed while requests are open.
    reason: Option<String>,
}

/// Closes a case.
#[utoipa::path(post, path = "/api/v1/cases/{number}/close", tag = "cases", params(("number" = String, Path)), request_body = Closing, security(("token" = [])),
    responses((status = 200, body = Case), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn close(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(number): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let actor = caller.may_do(Capability::DecideCases)?;
    let case = crate::cases::find(&app, &number).await?;
    let closing: Closing = match body.is_empty() {
        true => Closing::default(),
        false => listing::read(&body)?,
    };
    let reason = closing
        .reason
        .as_deref()
        .map(str::trim)
        .filter(|reason| !reason.is_empty());
    cases::close(&app.records, actor, case.id, reason).await?;
    let closed = cases::get(&app.records, case.id).await?;
    answer(&headers, &told(closed, None))
}

/// Opens a closed case again.
#[utoipa::path(post, path = "/api/v1/cases/{number}/reopen", tag = "cases", params(("number" = String, Path)), request_body = Reason, security(("token" = [])),
    responses((status = 200, body = Case), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn reopen(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(number): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let actor = caller.may_do(Capability::DecideCases)?;
    let case = crate::cases::find(&app, &number).await?;
    let Reason { reason } = listing::read(&body)?;
    let open = cases::reopen(&app.records, actor, case.id, reason.trim()).await?;
    answer(&headers, &told(open, None))
}
