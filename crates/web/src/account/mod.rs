//! My account: how I am shown, language and time zone, password, second factor, tokens for programs, open sessions.

mod qr_code;
mod second_factor;
mod tokens;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use csirt::accounts::{self, Account, ApiToken, Profile, Session};
use jiff::tz::TimeZone;
use model::Language;
use serde::Deserialize;

use crate::{App, Errors, Page, Posted, WebError, shell};

/// Routes of the room.
pub fn router() -> Router<App> {
    Router::new()
        .route("/account", get(show).post(save))
        .route("/account/password", post(set_password))
        .route("/account/sessions/end", post(end_sessions))
        .merge(second_factor::router())
        .merge(tokens::router())
}

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
struct Typed {
    display_name: String,
    email: String,
    language: String,
    time_zone: String,
}

/// The page with all parts; an action that fails shows it again with its errors.
#[derive(Template)]
#[template(path = "account/account.html")]
pub(crate) struct AccountPage {
    page: Page,
    account: Account,
    form: Typed,
    errors: Errors,
    languages: Vec<(String, String)>,
    tokens: Vec<ApiToken>,
    sessions: Vec<Session>,
}

impl AccountPage {
    /// The page as it is stored, with what is wrong with the form that was sent.
    pub(crate) async fn load(app: &App, page: Page, errors: Errors) -> Result<Self, WebError> {
        let account = page.account()?.clone();
        let form = Typed {
            display_name: account.display_name.clone(),
            email: account.email.clone(),
            language: account.language.code().to_owned(),
            time_zone: account.time_zone.clone(),
        };
        let languages = Language::ALL
            .map(|language| (language.code().to_owned(), language.endonym().to_owned()))
            .into();
        let mut tokens = accounts::tokens(&app.records, account.id).await?;
        tokens.retain(|token| token.revoked.is_none());
        let sessions = accounts::sessions(&app.records, &app.lifetime, account.id).await?;
        Ok(Self {
            page,
            account,
            form,
            errors,
            languages,
            tokens,
            sessions,
        })
    }
}

async fn show(State(app): State<App>, page: Page) -> Result<Response, WebError> {
    shell::show(AccountPage::load(&app, page, Errors::default()).await?)
}

/// Shows the page again with one error.
pub(crate) async fn wrong(app: &App, page: Page, field: &str, text: &str) -> Result<Response, WebError> {
    let mut errors = Errors::default();
    errors.add(field, text);
    shell::show_with(
        StatusCode::UNPROCESSABLE_ENTITY,
        AccountPage::load(app, page, errors).await?,
    )
}

async fn save(State(app): State<App>, page: Page, Posted(typed): Posted<Typed>) -> Result<Response, WebError> {
    let account = page.account()?.clone();
    let mut errors = Errors::default();
    let language = typed.language.parse::<Language>().ok();
    if typed.display_name.trim().is_empty() || typed.display_name.chars().count() > 200 {
        errors.add("display_name", "account-error-name");
    }
    if !typed.email.contains('@') || typed.email.len() > 254 {
        errors.add("email", "account-error-email");
    }
    if TimeZone::get(typed.time_zone.trim()).is_err() {
        errors.add("time_zone", "account-error-zone");
    }
    if language.is_none() {
        errors.add("language", "account-error-language");
    }
    let (Some(language), true) = (language, errors.is_empty()) else {
        let mut again = AccountPage::load(&app, page, errors).await?;
        again.form = typed;
        return shell::show_with(StatusCode::UNPROCESSABLE_ENTITY, again);
    };
    let profile = Profile {
        display_name: typed.display_name.trim().to_owned(),
        email: typed.email.trim().to_owned(),
        language,
        time_zone: typed.time_zone.trim().to_owned(),
    };
    match accounts::update(&app.records, account.actor(), account.id, profile).await {
        Ok(_) => {}
        Err(csirt::Error::Invalid { field, .. }) => {
            let text = if field == "email" {
                "account-error-email"
            } else {
                "account-error-name"
            };
            let mut again = AccountPage::load(&app, page, errors).await?;
            again
                .errors
                .add(if field == "email" { "email" } else { "display_name" }, text);
            again.form = typed;
            return shell::show_with(StatusCode::UNPROCESSABLE_ENTITY, again);
        }
        Err(error) => return Err(error.into()),
    }
    let mut response = shell::see_other("/account", Some("account-said-saved"))?;
    let cookie = app.cookie("language", language.code(), Some(31_536_000));
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Passwords {
    old_password: String,
    new_password: String,
}

/// The old password proves who asks; afterwards all sessions end, this one too.
async fn set_password(
    State(app): State<App>,
    page: Page,
    Posted(typed): Posted<Passwords>,
) -> Result<Response, WebError> {
    let account = page.account()?.clone();
    if !accounts::check_password(&app.records, account.id, &typed.old_password).await? {
        return wrong(&app, page, "old_password", "account-error-old-password").await;
    }
    match accounts::set_password(&app.records, account.actor(), account.id, &typed.new_password).await {
        Ok(()) => shell::see_other("/signin", Some("account-said-password")),
        Err(csirt::Error::Invalid { .. }) => wrong(&app, page, "new_password", "account-error-new-password").await,
        Err(error) => Err(error.into()),
    }
}

async fn end_sessions(
    State(app): State<App>,
    page: Page,
    _form: Posted<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let account = page.account()?;
    accounts::sign_out_everywhere(&app.records, account.actor(), account.id).await?;
    shell::see_other("/signin", Some("account-said-ended"))
}
