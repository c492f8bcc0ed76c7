//! Tokens by which programs use the API for an account.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::post;
use csirt::accounts::{self, ApiToken, Scope};
use model::Id;
use serde::Deserialize;

use super::wrong;
use crate::{App, Page, Posted, WebError, shell};

/// Routes of the tokens.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/account/tokens", post(create))
        .route("/account/tokens/{id}/revoke", post(revoke))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct New {
    label: String,
    scope: String,
}

#[derive(Template)]
#[template(path = "account/token.html")]
struct Made {
    page: Page,
    label: String,
    secret: String,
}

/// The secret is shown on the answer to this POST and never again.
async fn create(State(app): State<App>, page: Page, Posted(typed): Posted<New>) -> Result<Response, WebError> {
    let account = page.account()?.clone();
    let label = typed.label.trim();
    if label.is_empty() || label.chars().count() > 100 {
        return wrong(&app, page, "label", "account-error-label").await;
    }
    let scope = if typed.scope == "write" {
        Scope::Write
    } else {
        Scope::Read
    };
    match accounts::create_token(&app.records, account.actor(), account.id, label, scope).await {
        Ok((token, secret)) => shell::show(Made {
            page,
            label: token.label,
            secret: secret.reveal().to_owned(),
        }),
        Err(csirt::Error::Invalid { .. }) => wrong(&app, page, "label", "account-error-label").await,
        Err(error) => Err(error.into()),
    }
}

async fn revoke(
    State(app): State<App>,
    page: Page,
    Path(id): Path<String>,
    _form: Posted<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let account = page.account()?;
    let id: Id<ApiToken> = id.parse().map_err(|_| WebError::NotFound)?;
    accounts::revoke_token(&app.records, account.actor(), account.id, id).await?;
    shell::see_other("/account", Some("account-said-token-revoked"))
}
