//! What the team does to one request: send its notice, measure now, overrule, hand over or take back the link.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::cases::Case;
use csirt::links;
use csirt::notices::{self, NoticeKind};
use csirt::requests::{self, Request};
use serde::Deserialize;

use super::request;
use crate::{App, Page, Posted, WebError, shell};

/// A form that only says "do it".
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Plain {}

/// `POST …/send`: queues the ask, or a reminder where the ask was sent before.
pub async fn send(
    State(app): State<App>,
    page: Page,
    Path((number, request)): Path<(String, String)>,
    Posted(_): Posted<Plain>,
) -> Result<Response, WebError> {
    page.right(Capability::WorkCases)?;
    let (case, _, request) = request::find(&app, &number, &request).await?;
    let sent_before = !notices::of_request(&app.records, request.id).await?.is_empty();
    let kind = if sent_before {
        NoticeKind::Reminder
    } else {
        NoticeKind::Ask
    };
    notices::queue(&app.records, page.actor()?, &app.settings.centre(), request.id, kind).await?;
    back(&case, &request, "casework-said-queued")
}

/// `POST …/verify`: measures as soon as the runner is free.
pub async fn verify(
    State(app): State<App>,
    page: Page,
    Path((number, request)): Path<(String, String)>,
    Posted(_): Posted<Plain>,
) -> Result<Response, WebError> {
    page.right(Capability::WorkCases)?;
    let (case, _, request) = request::find(&app, &number, &request).await?;
    requests::measure_now(&app.records, page.actor()?, request.id).await?;
    back(&case, &request, "casework-said-measuring")
}

/// Why the measurement is set aside.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Overrule {
    reason: String,
}

/// `POST …/overrule`: a person says that the request is done; the reason shows for ever.
pub async fn overrule(
    State(app): State<App>,
    page: Page,
    Path((number, request)): Path<(String, String)>,
    Posted(form): Posted<Overrule>,
) -> Result<Response, WebError> {
    page.right(Capability::DecideCases)?;
    let (case, _, request) = request::find(&app, &number, &request).await?;
    if form.reason.trim().is_empty() {
        return back(&case, &request, "casework-said-reason-missing");
    }
    requests::overrule(&app.records, page.actor()?, request.id, form.reason.trim()).await?;
    back(&case, &request, "casework-said-overruled")
}

/// `POST …/link`: makes an answer link to hand over by telephone; it is shown this once and kept only as a hash.
pub async fn link(
    State(app): State<App>,
    page: Page,
    Path((number, request)): Path<(String, String)>,
    Posted(_): Posted<Plain>,
) -> Result<Response, WebError> {
    page.right(Capability::WorkCases)?;
    let (case, party, request) = request::find(&app, &number, &request).await?;
    let token = links::issue(&app.records, page.actor()?, request.id).await?;
    let address = format!("{}{token}", app.settings.centre().base_url);
    shell::show_with(
        StatusCode::OK,
        request::assemble(&app, page, case, party, request, Some(address)).await?,
    )
}

/// `POST …/revoke`: the links of this request open nothing any more.
pub async fn revoke(
    State(app): State<App>,
    page: Page,
    Path((number, request)): Path<(String, String)>,
    Posted(_): Posted<Plain>,
) -> Result<Response, WebError> {
    page.right(Capability::DecideCases)?;
    let (case, _, request) = request::find(&app, &number, &request).await?;
    links::revoke(&app.records, page.actor()?, request.id).await?;
    back(&case, &request, "casework-said-revoked")
}

fn back(case: &Case, request: &Request, said: &str) -> Result<Response, WebError> {
    shell::see_other(
        &format!("/cases/{}/requests/{}", case.number, request.number),
        Some(said),
    )
}
