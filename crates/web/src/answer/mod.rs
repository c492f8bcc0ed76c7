//! The page of a link: one party, one request, no account.
//!
//! `GET /a/{token}` shows what is seen and what is asked and changes nothing, whoever fetches it. `POST /a/{token}`
//! first shows what is about to be said, and notes no more than that somebody has read it; only the second `POST`, with
//! `confirm`, is an answer. Each carries a key, so that a second click says nothing twice. `/a/{token}.txt` is the same as plain text.

mod text;
mod view;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use csirt::links::{self, Answer, AnswerKind};
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::shell::form::Open;
use crate::shell::guard::Drawn;
use crate::{App, Errors, Page, WebError, shell};

pub(crate) use view::state as state_stem;
use view::{AnswerPage, ConfirmPage, GonePage};

/// Longest key against double answers, in octets; ours have 32.
const MOST_KEY: usize = 100;

/// Routes of the room.
pub fn router() -> Router<App> {
    Router::new().route("/a/{token}", get(show).post(answer))
}

/// An answer as it was typed.
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(default)]
pub(crate) struct Typed {
    pub(crate) kind: String,
    pub(crate) reason: String,
    pub(crate) suggested: String,
    pub(crate) phone: String,
    pub(crate) note: String,
    pub(crate) key: String,
    pub(crate) confirm: String,
    pub(crate) change: String,
}

/// Where the reader has not chosen a language, the page speaks the party's; times are shown in the party's zone.
fn surroundings(mut page: Page, link: &links::View) -> Page {
    if !page.language_chosen {
        page.language = link.request.language;
    }
    if page.account.is_none() {
        page.zone = TimeZone::get(&link.party.time_zone).unwrap_or(TimeZone::UTC);
    }
    page
}

async fn show(State(app): State<App>, page: Page, Path(token): Path<String>) -> Result<Response, WebError> {
    let (token, is_text) = match token.strip_suffix(".txt") {
        Some(token) => (token.to_owned(), true),
        None => (token, false),
    };
    let response = match links::view(&app.records, &token).await {
        Ok(link) => {
            let page = surroundings(page, &link);
            if is_text {
                shell::show_text(text::request(&page, &link, &token))
            } else {
                shell::show(AnswerPage::new(page, &token, link, Typed::default(), Errors::default()))?
            }
        }
        Err(csirt::Error::NotFound { .. }) if is_text => {
            let text = text::gone(&page);
            let mut response = (StatusCode::NOT_FOUND, shell::show_text(text)).into_response();
            response.extensions_mut().insert(Drawn);
            response
        }
        Err(csirt::Error::NotFound { .. }) => shell::show_with(StatusCode::NOT_FOUND, GonePage { page })?,
        Err(error) => return Err(error.into()),
    };
    Ok(private(response))
}

/// Search engines must not list the page, nor caches keep it.
fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        HeaderName::from_static("x-robots-tag"),
        HeaderValue::from_static("noindex, nofollow, noarchive"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn answer(
    State(app): State<App>,
    page: Page,
    Path(token): Path<String>,
    open: Open<Typed>,
) -> Result<Response, WebError> {
    let typed = open.fields;
    let link = match links::view(&app.records, &token).await {
        Ok(link) => link,
        Err(csirt::Error::NotFound { .. }) => {
            return Ok(private(shell::show_with(StatusCode::NOT_FOUND, GonePage { page })?));
        }
        Err(error) => return Err(error.into()),
    };
    let page = surroundings(page, &link);
    if !typed.change.is_empty() {
        return Ok(private(shell::show(AnswerPage::new(
            page,
            &token,
            link,
            typed,
            Errors::default(),
        ))?));
    }
    let said = typed.kind.parse::<AnswerKind>().ok().map(|kind| Answer {
        kind,
        reason: typed.reason.clone(),
        suggested: typed.suggested.clone(),
        phone: typed.phone.clone(),
        note: typed.note.clone(),
    });
    let mut errors = wrong(said.as_ref(), &typed.key);
    if open.made.is_none() {
        errors.add(AnswerKind::Acknowledge.as_str(), "link-error-again");
    }
    let (Some(said), true) = (said, errors.is_empty()) else {
        let again = AnswerPage::new(page, &token, link, typed, errors);
        return Ok(private(shell::show_with(StatusCode::UNPROCESSABLE_ENTITY, again)?));
    };
    if typed.confirm.is_empty() || typed.key.is_empty() {
        // A person pressed a button of the page: from now on the request counts as read.
        links::opened(&app.records, &token).await?;
        let key = format!("{:032x}", rand::random::<u128>());
        return Ok(private(shell::show(ConfirmPage::new(
            page, token, link, said.kind, typed, key,
        ))?));
    }
    links::answer(&app.records, &token, &said, &typed.key).await?;
    Ok(private(shell::see_other(
        &format!("/a/{token}"),
        Some("link-said-thanks"),
    )?))
}

/// What stands in the way of taking the answer, by the rules of the records.
fn wrong(answer: Option<&Answer>, key: &str) -> Errors {
    let mut errors = Errors::default();
    match answer.map(Answer::checked) {
        None => errors.add(AnswerKind::Acknowledge.as_str(), "link-error-kind"),
        Some(Err(error)) => errors.add(error.field, error.text_id),
        Some(Ok(_)) => {}
    }
    if key.len() > MOST_KEY {
        errors.add(AnswerKind::Acknowledge.as_str(), "link-error-again");
    }
    errors
}
