//! The second factor: a secret for an authenticator app, proved by a code before it counts.

use askama::Template;
use askama::filters::Safe;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use csirt::accounts;
use serde::Deserialize;

use super::{qr_code, wrong};
use crate::{App, Errors, Page, Posted, WebError, shell};

/// Routes of the second factor.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/account/second-factor", post(begin))
        .route("/account/second-factor/confirm", post(confirm))
        .route("/account/second-factor/remove", post(remove))
}

#[derive(Template)]
#[template(path = "account/second_factor.html")]
struct Enrol {
    page: Page,
    secret: String,
    url: String,
    qr: Option<Safe<String>>,
    errors: Errors,
}

impl Enrol {
    fn new(page: Page, secret: String, url: String, errors: Errors) -> Self {
        let drawn = (!url.is_empty()).then(|| qr_code::draw(&url, &page.t("account-factor-qr")));
        Self {
            qr: drawn.flatten(),
            page,
            secret,
            url,
            errors,
        }
    }
}

#[derive(Template)]
#[template(path = "account/recovery.html")]
struct Recovery {
    page: Page,
    codes: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Code {
    code: String,
    secret: String,
    url: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Proof {
    factor_password: String,
}

/// Makes a new secret and shows it; nothing changes for sign-in until it is confirmed.
async fn begin(State(app): State<App>, page: Page, _form: Posted<Vec<(String, String)>>) -> Result<Response, WebError> {
    let account = page.account()?.id;
    let enrolment = accounts::begin_totp(&app.records, &app.settings.totp_key, &app.settings.name, account).await?;
    // In groups of four, as people type it.
    let letters: Vec<char> = enrolment.secret.reveal().chars().collect();
    let secret = letters
        .chunks(4)
        .map(|group| group.iter().collect::<String>())
        .collect::<Vec<_>>()
        .join(" ");
    let url = enrolment.url.reveal().to_owned();
    shell::show(Enrol::new(page, secret, url, Errors::default()))
}

/// After a wrong code the same secret is shown again, as the form brought it: the records keep it hidden.
async fn confirm(State(app): State<App>, page: Page, Posted(typed): Posted<Code>) -> Result<Response, WebError> {
    let account = page.account()?.id;
    let code: String = typed.code.chars().filter(|letter| !letter.is_whitespace()).collect();
    match accounts::confirm_totp(&app.records, &app.settings.totp_key, account, &code).await {
        Ok(codes) => {
            let codes = codes.iter().map(|code| code.reveal().to_owned()).collect();
            shell::show(Recovery { page, codes })
        }
        Err(csirt::Error::Invalid { .. }) => {
            let mut errors = Errors::default();
            errors.add("code", "account-error-code");
            let url = if typed.url.starts_with("otpauth://totp/") {
                typed.url
            } else {
                String::new()
            };
            let secret = typed.secret.chars().take(80).collect();
            shell::show_with(StatusCode::UNPROCESSABLE_ENTITY, Enrol::new(page, secret, url, errors))
        }
        Err(error) => Err(error.into()),
    }
}

/// Needs the password: an unlocked screen must not be enough to take the factor away.
async fn remove(State(app): State<App>, page: Page, Posted(typed): Posted<Proof>) -> Result<Response, WebError> {
    let account = page.account()?.clone();
    if !accounts::check_password(&app.records, account.id, &typed.factor_password).await? {
        return wrong(&app, page, "factor_password", "account-error-old-password").await;
    }
    accounts::remove_totp(&app.records, account.actor(), account.id).await?;
    shell::see_other("/account", Some("account-said-factor-removed"))
}
