//! What the team does to one request: send its notice, measure now, overrule, hand over or take back the link.

use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::cases::Case;
use csirt::links;
use csirt::notices::{self, NoticeKind};
use csirt::requests::{self, Party, Request};
use csirt::{Actor, Records};
use serde::Deserialize;

use super::request;
use crate::{App, Page, Posted, WebError, shell};

/// The request that an address names; it is looked for when it is clear that the reader may act.
#[derive(FromRequestParts)]
#[from_request(state(App))]
pub struct Named {
    #[from_request(via(State))]
    app: App,
    page: Page,
    #[from_request(via(Path))]
    numbers: (String, String),
}

/// The request, found, in the hands of one who may act.
struct Taken {
    app: App,
    page: Page,
    actor: Actor,
    case: Case,
    party: Party,
    request: Request,
}

impl Named {
    /// 403 or the way to sign in where the reader lacks `right`, and only then 404 where there is no such request.
    async fn take(self, right: Capability) -> Result<Taken, WebError> {
        let Self { app, page, numbers } = self;
        page.right(right)?;
        let (case, party, request) = request::find(&app, &numbers.0, &numbers.1).await?;
        Ok(Taken {
            actor: page.actor()?,
            app,
            page,
            case,
            party,
            request,
        })
    }
}

impl Taken {
    fn records(&self) -> &Records {
        &self.app.records
    }

    /// Back to the request's page, which says once what was done.
    fn said(&self, text_id: &str) -> Result<Response, WebError> {
        let path = format!("/cases/{}/requests/{}", self.case.number, self.request.number);
        shell::see_other(&path, Some(text_id))
    }
}

/// A form that only says "do it".
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Plain {}

/// `POST …/send`: queues the ask, or a reminder where the ask was sent before.
pub async fn send(named: Named, Posted(_): Posted<Plain>) -> Result<Response, WebError> {
    let taken = named.take(Capability::WorkCases).await?;
    let request = taken.request.id;
    let sent_before = !notices::of_request(taken.records(), request).await?.is_empty();
    let kind = if sent_before {
        NoticeKind::Reminder
    } else {
        NoticeKind::Ask
    };
    notices::queue(
        taken.records(),
        taken.actor,
        &taken.app.settings.centre(),
        request,
        kind,
    )
    .await?;
    taken.said("casework-said-queued")
}

/// `POST …/verify`: measures as soon as the runner is free.
pub async fn verify(named: Named, Posted(_): Posted<Plain>) -> Result<Response, WebError> {
    let taken = named.take(Capability::WorkCases).await?;
    requests::measure_now(taken.records(), taken.actor, taken.request.id).await?;
    taken.said("casework-said-measuring")
}

/// Why the measurement is set aside.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Overrule {
    reason: String,
}

/// `POST …/overrule`: a person says that the request is done; the reason shows for ever.
pub async fn overrule(named: Named, Posted(form): Posted<Overrule>) -> Result<Response, WebError> {
    let taken = named.take(Capability::DecideCases).await?;
    let reason = form.reason.trim();
    if reason.is_empty() {
        return taken.said("casework-said-reason-missing");
    }
    requests::overrule(taken.records(), taken.actor, taken.request.id, reason).await?;
    taken.said("casework-said-overruled")
}

/// `POST …/link`: makes an answer link to hand over by telephone; it is shown this once and kept only as a hash.
pub async fn link(named: Named, Posted(_): Posted<Plain>) -> Result<Response, WebError> {
    let taken = named.take(Capability::WorkCases).await?;
    let token = links::issue(taken.records(), taken.actor, taken.request.id).await?;
    let address = format!("{}/a/{token}", taken.app.settings.centre().base_url);
    let Taken {
        app,
        page,
        case,
        party,
        request,
        ..
    } = taken;
    let shown = request::assemble(&app, page, case, party, request, Some(address)).await?;
    shell::show_with(StatusCode::OK, shown)
}

/// `POST …/revoke`: the links of this request open nothing any more.
pub async fn revoke(named: Named, Posted(_): Posted<Plain>) -> Result<Response, WebError> {
    let taken = named.take(Capability::DecideCases).await?;
    links::revoke(taken.records(), taken.actor, taken.request.id).await?;
    taken.said("casework-said-revoked")
}
