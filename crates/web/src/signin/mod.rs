//! Signing in and out: name, password, and the code of the second factor where the account has one.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use csirt::accounts::{self, Credentials, Limits, Role, SignIn};
use serde::Deserialize;

use crate::shell::form::Open;
use crate::{App, Errors, Page, Posted, WebError, shell};

/// Longest text taken in one field, in octets; the records refuse long passwords too.
const MOST_OCTETS: usize = 1_024;

/// Routes of the room.
pub fn router() -> Router<App> {
    Router::new()
        .route("/signin", get(form).post(sign_in))
        .route("/signout", post(sign_out))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Typed {
    name: String,
    password: String,
    code: String,
    next: String,
}

#[derive(Template)]
#[template(path = "signin/form.html")]
struct SignInForm {
    page: Page,
    name: String,
    next: String,
    errors: Errors,
    wait_minutes: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    next: String,
}

async fn form(page: Page, Query(asked): Query<Asked>) -> Result<Response, WebError> {
    let (next, errors) = (safe(&asked.next).to_owned(), Errors::default());
    shell::show(SignInForm {
        page,
        name: String::new(),
        next,
        errors,
        wait_minutes: None,
    })
}

/// 422 with the form when something is wrong (never saying whether the name exists), 429 after too many failures.
async fn sign_in(
    State(app): State<App>,
    page: Page,
    headers: HeaderMap,
    open: Open<Typed>,
) -> Result<Response, WebError> {
    let typed = open.fields;
    let mut again = SignInForm {
        page,
        name: typed.name.clone(),
        next: safe(&typed.next).to_owned(),
        errors: Errors::default(),
        wait_minutes: None,
    };
    if open.made.is_none() {
        again.errors.add("password", "signin-error-again");
    } else if typed.name.trim().is_empty() || typed.password.is_empty() {
        again.errors.add("name", "signin-error-empty");
    }
    if [&typed.name, &typed.password, &typed.code]
        .iter()
        .any(|text| text.len() > MOST_OCTETS)
    {
        again.name.clear();
        again.errors.add("name", "signin-error-refused");
    }
    if !again.errors.is_empty() {
        return shell::show_with(StatusCode::UNPROCESSABLE_ENTITY, again);
    }
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let code: String = typed.code.chars().filter(|letter| !letter.is_whitespace()).collect();
    let credentials = Credentials {
        name: typed.name.trim(),
        password: &typed.password,
        code: (!code.is_empty()).then_some(code.as_str()),
        address: again.page.peer,
        agent: &agent.chars().take(200).collect::<String>(),
    };
    let signed = accounts::sign_in(
        &app.records,
        &Limits::default(),
        &app.lifetime,
        &app.settings.totp_key,
        credentials,
    )
    .await;
    let (account, token) = match signed {
        Ok(SignIn::Done { account, token }) => (account, token),
        Ok(SignIn::CodeNeeded) => {
            again.errors.add("code", "signin-error-code-needed");
            again.errors.add("password", "signin-error-password-again");
            return shell::show_with(StatusCode::UNPROCESSABLE_ENTITY, again);
        }
        Ok(SignIn::Refused) => {
            again.errors.add("name", "signin-error-refused");
            return shell::show_with(StatusCode::UNPROCESSABLE_ENTITY, again);
        }
        Err(csirt::Error::TooMany { wait_secs }) => {
            again.wait_minutes = Some(wait_secs.div_ceil(60).max(1));
            let mut response = shell::show_with(StatusCode::TOO_MANY_REQUESTS, again)?;
            response.headers_mut().insert(header::RETRY_AFTER, wait_secs.into());
            return Ok(response);
        }
        Err(error) => return Err(error.into()),
    };
    let place = match (again.next.as_str(), account.role) {
        ("", Role::Constituent) => "/organisation",
        ("", Role::Observer) => "/cases",
        ("", _) => "/alerts",
        (next, _) => next,
    };
    let mut response = shell::see_other(place, None)?;
    let cookies = response.headers_mut();
    cookies.append(
        header::SET_COOKIE,
        app.cookie(app.session_cookie(), token.reveal(), None),
    );
    if !again.page.language_chosen {
        cookies.append(
            header::SET_COOKIE,
            app.cookie("language", account.language.code(), Some(31_536_000)),
        );
    }
    Ok(response)
}

async fn sign_out(
    State(app): State<App>,
    page: Page,
    _form: Posted<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    if let Some(token) = page.session() {
        accounts::sign_out(&app.records, token).await?;
    }
    let mut response = shell::see_other("/", Some("signin-said-out"))?;
    response
        .headers_mut()
        .append(header::SET_COOKIE, app.cookie(app.session_cookie(), "", Some(0)));
    Ok(response)
}

/// A path of ours to go on to, or nothing: never another host, whatever the address says.
fn safe(next: &str) -> &str {
    let is_ours =
        next.starts_with('/') && !next.starts_with("//") && next.bytes().all(|octet| (0x21..0x7f).contains(&octet));
    if is_ours && !next.contains('\\') && next.len() <= 500 {
        next
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_sign_in_the_reader_stays_on_this_host() {
        assert_eq!(
            safe("/cases/DNSCERT-2026-00001?tab=2"),
            "/cases/DNSCERT-2026-00001?tab=2"
        );
        for foreign in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "/a\r\nSet-Cookie: x",
            "evil",
            "/é",
        ] {
            assert_eq!(safe(foreign), "", "{foreign}");
        }
    }
}
