//! Who calls: by the token of an account, or for reading by the session of a browser.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use csirt::Actor;
use csirt::accounts::{self, Account, Capability, Scope};

use crate::{App, Page, WebError};

/// The one who calls and how far the token reaches.
pub(super) struct Caller {
    account: Account,
    scope: Scope,
}

/// Why a call was not answered.
#[derive(Debug)]
pub enum Refusal {
    /// No token, or one that is not valid.
    Unknown,
    /// As on pages.
    Web(WebError),
}

impl<E: Into<WebError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Refusal::Web(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Refusal::Web(error) => error.into_response(),
            Refusal::Unknown => {
                let mut response = StatusCode::UNAUTHORIZED.into_response();
                let challenge = HeaderValue::from_static("Bearer realm=\"dnscert\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
                response
            }
        }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
            let text = value.to_str().map_err(|_| Refusal::Unknown)?;
            let (scheme, token) = text.split_once(' ').ok_or(Refusal::Unknown)?;
            if !scheme.eq_ignore_ascii_case("bearer") {
                return Err(Refusal::Unknown);
            }
            let found = accounts::by_token(&app.records, token.trim()).await?;
            let (account, scope) = found.ok_or(Refusal::Unknown)?;
            return Ok(Self { account, scope });
        }
        // The shell lets a session count only where nothing is changed.
        let session = parts.extensions.get::<Page>().and_then(|page| page.account.clone());
        session
            .map(|account| Self {
                account,
                scope: Scope::Read,
            })
            .ok_or(Refusal::Unknown)
    }
}

impl Caller {
    /// Passes who may see it; for others there is nothing here.
    pub(super) fn may_see(&self, capability: Capability) -> Result<(), Refusal> {
        if self.account.may(capability) {
            Ok(())
        } else {
            Err(WebError::NotFound.into())
        }
    }

    /// Passes who may do it with a token that may change things, and gives the actor.
    pub(super) fn may_do(&self, capability: Capability) -> Result<Actor, Refusal> {
        self.may_see(capability)?;
        match self.scope {
            Scope::Write => Ok(self.account.actor()),
            Scope::Read => Err(WebError::Forbidden.into()),
        }
    }
}
