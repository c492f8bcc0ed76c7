//! The report form: anyone, without an account, in six languages, without JavaScript.
//!
//! `GET /report` shows the form, `POST /report` hands it to the records, and only when the report is durable the reader
//! comes to the thank-you page with its number.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use csirt::intake::{self, Form, Policy, SubmitError};
use model::{Language, Tlp};
use serde::Deserialize;

use crate::shell::form::Open;
use crate::{App, Errors, Page, WebError, shell};

/// Routes of the room.
pub fn router() -> Router<App> {
    Router::new()
        .route("/report", get(blank).post(submit))
        .route("/report/thanks/{number}/{mark}", get(thanks))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Typed {
    what: String,
    names: String,
    email: String,
    language: String,
    tlp: String,
    website: String,
}

#[derive(Template)]
#[template(path = "report/form.html")]
struct ReportForm {
    page: Page,
    form: Typed,
    errors: Errors,
    wait_minutes: Option<u64>,
    languages: Vec<(String, String)>,
    labels: Vec<(String, String)>,
}

impl ReportForm {
    fn new(page: Page, form: Typed, errors: Errors) -> Self {
        let languages = Language::ALL
            .map(|language| (language.code().to_owned(), language.endonym().to_owned()))
            .into();
        let label = |tlp: Tlp| {
            let id = tlp.as_str().replace("TLP:", "").replace('+', "-").to_lowercase();
            (
                tlp.as_str().to_owned(),
                format!("{tlp} – {}", page.t(format!("report-tlp-{id}"))),
            )
        };
        let labels = [Tlp::Amber, Tlp::Clear, Tlp::Green, Tlp::AmberStrict, Tlp::Red]
            .map(label)
            .into();
        Self {
            page,
            form,
            errors,
            wait_minutes: None,
            languages,
            labels,
        }
    }
}

async fn blank(page: Page) -> Result<Response, WebError> {
    let form = Typed {
        language: page.lang().to_owned(),
        tlp: Tlp::Amber.as_str().to_owned(),
        ..Typed::default()
    };
    shell::show(ReportForm::new(page, form, Errors::default()))
}

/// 422 with the form when a field is wrong, 429 with the form when one address sends too many; what was typed stays.
async fn submit(State(app): State<App>, page: Page, open: Open<Typed>) -> Result<Response, WebError> {
    let typed = open.fields;
    let mut errors = Errors::default();
    if open.made.is_none() {
        errors.add("what", "report-error-again");
        return shell::show_with(StatusCode::UNPROCESSABLE_ENTITY, ReportForm::new(page, typed, errors));
    }
    let form = Form {
        what: typed.what.clone(),
        names: typed.names.clone(),
        email: typed.email.clone(),
        language: typed.language.clone(),
        tlp: typed.tlp.clone(),
        website: typed.website.clone(),
        shown_at: open.made,
    };
    match intake::submit(&app.records, &form, page.peer, &Policy::default()).await {
        Ok(number) => {
            let number = number.to_string();
            let mark = app.settings.secret.seal(&number, page.now);
            shell::see_other(&format!("/report/thanks/{number}/{mark}"), None)
        }
        Err(SubmitError::Fields(wrong)) => {
            wrong.iter().for_each(|error| errors.add(error.field, error.text_id));
            shell::show_with(StatusCode::UNPROCESSABLE_ENTITY, ReportForm::new(page, typed, errors))
        }
        Err(SubmitError::TooMany { retry_secs }) => {
            let mut again = ReportForm::new(page, typed, errors);
            again.wait_minutes = Some(retry_secs.div_ceil(60).max(1));
            let mut response = shell::show_with(StatusCode::TOO_MANY_REQUESTS, again)?;
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(retry_secs));
            Ok(response)
        }
        // nothing that was typed may be lost because we have no room
        Err(SubmitError::Records(csirt::Error::Store(cause))) => {
            tracing::error!("a report could not be stored: {cause}");
            errors.add("what", "report-error-unstored");
            shell::show_with(StatusCode::SERVICE_UNAVAILABLE, ReportForm::new(page, typed, errors))
        }
        Err(SubmitError::Records(error)) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "report/thanks.html")]
struct Thanks {
    page: Page,
    number: String,
}

/// 404 unless the address bears our mark: numbers of others cannot be tried.
async fn thanks(
    State(app): State<App>,
    page: Page,
    Path((number, mark)): Path<(String, String)>,
) -> Result<Response, WebError> {
    app.settings
        .secret
        .opened(&mark, &number, page.now)
        .ok_or(WebError::NotFound)?;
    shell::show(Thanks { page, number })
}
