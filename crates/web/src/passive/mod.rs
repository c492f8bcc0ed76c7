//! Passive DNS for programs and people: the DNSDB API version 2 at `/dnsdb/v2`, the one of CIRCL at `/pdns/query`, and a page.
//!
//! The two are what the field's clients speak (dnsdbq, dnsdbflex, dnsdb2, PyPDNS). They bear a token of an account as the API does,
//! in the header that each client has, and see what the account may. What is labelled `TLP:RED` leaves by none of them: it is for
//! named recipients.

mod asked;
mod caller;
mod circl;
mod dnsdb;
mod flex;
mod leave;
mod lines;
mod show;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use csirt::accounts::{Allowance, PassiveAccess};
use lake::Passive;
use lake::passive::Scope;

use crate::shell::guard::Drawn;
use crate::{App, WebError};

/// Everything of passive DNS.
pub fn router() -> Router<App> {
    Router::new()
        .route("/dnsdb/v2/lookup/{*tail}", get(dnsdb::lookup))
        .route("/dnsdb/v2/summarize/{*tail}", get(dnsdb::summarize))
        .route("/dnsdb/v2/regex/{*tail}", get(flex::regex))
        .route("/dnsdb/v2/glob/{*tail}", get(flex::glob))
        .route("/dnsdb/v2/rate_limit", get(dnsdb::rate_limit))
        .route("/dnsdb/v2/ping", get(dnsdb::ping))
        .route("/pdns/query/{*tail}", get(circl::query))
        .route("/passive", get(show::show))
}

/// What an account may see, as the lake has it.
fn scope(access: &PassiveAccess) -> Scope {
    Scope {
        tlp: access.tlp,
        sources: access.sources.clone(),
    }
}

pub use leave::LookUps;
pub(crate) use show::path;

/// Why a program gets no answer. Clients show the first line.
#[derive(Debug)]
pub(super) enum Refused {
    /// No token, or one that is not valid.
    Unknown,
    /// The account may not see passive DNS.
    Forbidden,
    /// The question cannot be understood.
    Question(String),
    /// More answers are to be left out than may be.
    Offset,
    /// All look-ups that run at a time do, or all of this account.
    Busy,
    /// The account has none left of its look-ups today.
    Quota(Allowance),
    /// Nobody has put passive DNS into the lake.
    Empty,
    /// As on pages.
    Web(WebError),
}

impl<E: Into<WebError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Refused::Web(error.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            // the shell draws it as plain text for programs, and logs it
            Refused::Web(error) => return error.into_response(),
            Refused::Unknown => (StatusCode::UNAUTHORIZED, "a token of an account is needed".to_owned()),
            Refused::Forbidden => (StatusCode::FORBIDDEN, "this account may not see passive DNS".to_owned()),
            Refused::Question(reason) => (StatusCode::BAD_REQUEST, reason),
            Refused::Offset => {
                let text = format!("offset may be at most {}", asked::MOST_OFFSET);
                (StatusCode::RANGE_NOT_SATISFIABLE, text)
            }
            Refused::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "too many look-ups at a time; try again".to_owned(),
            ),
            Refused::Quota(spent) => {
                let text = format!(
                    "the {} look-ups of a day are used up; there are more from {:.0} on",
                    spent.quota, spent.resets
                );
                (StatusCode::TOO_MANY_REQUESTS, text)
            }
            Refused::Empty => (
                StatusCode::SERVICE_UNAVAILABLE,
                "there is no passive DNS here yet".to_owned(),
            ),
        };
        let mut response = (status, format!("{text}\n")).into_response();
        response.extensions_mut().insert(Drawn);
        if status == StatusCode::UNAUTHORIZED {
            let challenge = axum::http::HeaderValue::from_static("Basic realm=\"dnscert\"");
            response
                .headers_mut()
                .insert(axum::http::header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The passive DNS of the centre, with what came in until now.
async fn passive(app: &App) -> Result<Passive, Refused> {
    app.lake.passive().await?.ok_or(Refused::Empty)
}
