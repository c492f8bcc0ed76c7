//! Reports by programs of others: the same intake as the public form.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use csirt::intake::{self, Form, Policy, SubmitError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Refusal;
use super::listing::{self, Problem, answer};
use crate::{App, Page, WebError};

/// What is reported.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReport {
    /// What happened, in any language.
    what: String,
    /// Names and addresses it is about, divided by spaces, commas or lines.
    #[serde(default)]
    names: String,
    /// Where to answer; may be left empty.
    #[serde(default)]
    email: String,
    /// Language of the answer: `en`, `fr`, `es`, `ar`, `ru` or `zh`.
    #[serde(default)]
    language: String,
    /// How far it may travel: a TLP 2.0 label.
    #[serde(default)]
    tlp: String,
}

/// The receipt.
#[derive(Serialize, ToSchema)]
pub struct Receipt {
    /// `REPORT-2026-00001`.
    number: String,
}

/// Takes a report. Needs no token; limited per address. The report is on disk before the receipt is given.
#[utoipa::path(post, path = "/api/v1/reports", tag = "reports", request_body = NewReport,
    responses((status = 201, body = Receipt), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub async fn submit(
    State(app): State<App>,
    Extension(page): Extension<Page>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Response), Refusal> {
    let report: NewReport = listing::read(&body)?;
    let form = Form {
        what: report.what,
        names: report.names,
        email: report.email,
        language: report.language,
        tlp: report.tlp,
        website: String::new(),
        shown_at: None,
    };
    match intake::submit(&app.records, &form, page.peer, &Policy::default()).await {
        Ok(number) => Ok((
            StatusCode::CREATED,
            answer(
                &headers,
                &Receipt {
                    number: number.to_string(),
                },
            )?,
        )),
        Err(SubmitError::Fields(errors)) => {
            let fields: Vec<&str> = errors.iter().map(|error| error.field).collect();
            Err(WebError::Invalid(format!("these fields cannot be taken: {}", fields.join(", "))).into())
        }
        Err(SubmitError::TooMany { retry_secs }) => Err(WebError::TooMany { retry_secs }.into()),
        Err(SubmitError::Records(error)) => Err(error.into()),
    }
}
