//! What the team does to a case: notes, evidence, requests, closing and opening again.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::cases::{self, NewEvidence};
use csirt::directory::{self, Organisation};
use csirt::requests::{self, Ask, Proposal};
use model::Name;
use serde::Deserialize;

use super::show::{self, Wanted};
use crate::{App, Errors, Page, Posted, WebError, shell};

/// A note as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NoteForm {
    note: String,
}

/// `POST /cases/{number}/notes`: adds a note; what was typed is never lost.
pub async fn note(
    State(app): State<App>,
    page: Page,
    Path(number): Path<String>,
    Posted(form): Posted<NoteForm>,
) -> Result<Response, WebError> {
    page.right(Capability::WorkCases)?;
    let case = super::find(&app, &number).await?;
    if form.note.trim().is_empty() {
        return again(&app, page, case, "note", "casework-error-note", form.note).await;
    }
    cases::note(&app.records, page.actor()?, case.id, form.note.trim()).await?;
    shell::see_other(&format!("/cases/{}", case.number), Some("casework-said-noted"))
}

/// Evidence as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct EvidenceForm {
    evidence_title: String,
    evidence_text: String,
}

/// `POST /cases/{number}/evidence`: keeps a text with its hash.
pub async fn evidence(
    State(app): State<App>,
    page: Page,
    Path(number): Path<String>,
    Posted(form): Posted<EvidenceForm>,
) -> Result<Response, WebError> {
    page.right(Capability::WorkCases)?;
    let case = super::find(&app, &number).await?;
    let (title, text) = (form.evidence_title.trim(), form.evidence_text.trim());
    if title.is_empty() || text.is_empty() {
        return again(
            &app,
            page,
            case,
            "evidence_title",
            "casework-error-evidence",
            String::new(),
        )
        .await;
    }
    let new = NewEvidence {
        request: None,
        title: title.to_owned(),
        text: text.to_owned(),
        json: serde_json::Value::Null,
    };
    cases::add_evidence(&app.records, page.actor()?, case.id, &new).await?;
    shell::see_other(&format!("/cases/{}", case.number), Some("casework-said-evidence"))
}

/// Why a case is closed or opened again.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ReasonForm {
    reason: String,
}

/// `POST /cases/{number}/close`: closes it; with requests still open only for a reason.
pub async fn close(
    State(app): State<App>,
    page: Page,
    Path(number): Path<String>,
    Posted(form): Posted<ReasonForm>,
) -> Result<Response, WebError> {
    page.right(Capability::DecideCases)?;
    let case = super::find(&app, &number).await?;
    let reason = Some(form.reason.trim()).filter(|reason| !reason.is_empty());
    match cases::close(&app.records, page.actor()?, case.id, reason).await {
        Err(csirt::Error::Conflict { .. }) if reason.is_none() => {
            again(&app, page, case, "reason", "casework-error-close", String::new()).await
        }
        other => {
            other?;
            shell::see_other(&format!("/cases/{}", case.number), Some("casework-said-closed"))
        }
    }
}

/// `POST /cases/{number}/reopen`.
pub async fn reopen(
    State(app): State<App>,
    page: Page,
    Path(number): Path<String>,
    Posted(form): Posted<ReasonForm>,
) -> Result<Response, WebError> {
    page.right(Capability::DecideCases)?;
    let case = super::find(&app, &number).await?;
    if form.reason.trim().is_empty() {
        return again(&app, page, case, "reason", "casework-error-reason", String::new()).await;
    }
    cases::reopen(&app.records, page.actor()?, case.id, form.reason.trim()).await?;
    shell::see_other(&format!("/cases/{}", case.number), Some("casework-said-reopened"))
}

/// A new request: one of the proposals, or a party that the officer chose.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RequestForm {
    /// Name of the proposed party, empty for one chosen by hand.
    proposal: String,
    /// Id, name or mail address of an organisation in the directory.
    organisation: String,
    zone: String,
    ask: String,
    /// Why this party, where chosen by hand.
    because: String,
}

/// `POST /cases/{number}/requests`: creates the request and shows its notice before anything is sent.
pub async fn create_request(
    State(app): State<App>,
    page: Page,
    Path(number): Path<String>,
    Posted(form): Posted<RequestForm>,
) -> Result<Response, WebError> {
    page.right(Capability::WorkCases)?;
    let case = super::find(&app, &number).await?;
    let ask: Ask = form.ask.parse().map_err(|_| WebError::Invalid(form.ask.clone()))?;
    let zone: Name = form.zone.parse().map_err(|_| WebError::Invalid(form.zone.clone()))?;
    let proposal = if form.proposal.is_empty() {
        match by_hand(&app, &case, &form, zone, ask).await? {
            Ok(proposal) => proposal,
            Err(text_id) => return again(&app, page, case, "organisation", text_id, String::new()).await,
        }
    } else {
        let proposals = requests::propose(&app.records, case.id).await?;
        let fits = |proposal: &Proposal| proposal.name == form.proposal && proposal.zone == zone && proposal.ask == ask;
        match proposals.into_iter().find(fits) {
            Some(proposal) => proposal,
            None => {
                return again(
                    &app,
                    page,
                    case,
                    "organisation",
                    "casework-error-proposal",
                    String::new(),
                )
                .await;
            }
        }
    };
    let request = requests::create(&app.records, page.actor()?, case.id, &proposal).await?;
    let path = format!("/cases/{}/requests/{}", case.number, request.number);
    shell::see_other(&path, Some("casework-said-created"))
}

/// A proposal for the organisation that the officer named, or the id of the text that says why there is none.
async fn by_hand(
    app: &App,
    case: &cases::Case,
    form: &RequestForm,
    zone: Name,
    ask: Ask,
) -> Result<Result<Proposal, &'static str>, WebError> {
    let wanted = form.organisation.trim();
    if wanted.is_empty() {
        return Ok(Err("casework-error-organisation"));
    }
    let found = directory::search(&app.records, wanted).await?;
    let names = |organisation: &Organisation| [organisation.profile.handle.clone(), organisation.profile.name.clone()];
    let is_exact =
        |organisation: &&Organisation| names(organisation).iter().any(|name| name.eq_ignore_ascii_case(wanted));
    let only = match found.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    let Some(organisation) = found.iter().find(is_exact).or(only) else {
        return Ok(Err("casework-error-organisation-unclear"));
    };
    let because = match form.because.trim() {
        "" => return Ok(Err("casework-error-because")),
        because => because.to_owned(),
    };
    let proposal = requests::by_hand(&app.records, case, organisation, zone, ask, because).await?;
    Ok(Ok(proposal))
}

/// The case's page with an error beside the field that caused it.
async fn again(
    app: &App,
    page: Page,
    case: cases::Case,
    field: &str,
    text_id: &str,
    note: String,
) -> Result<Response, WebError> {
    let mut errors = Errors::default();
    errors.add(field, text_id);
    let shown = show::assemble(app, page, case, Wanted::default(), errors, note).await?;
    shell::show_with(StatusCode::UNPROCESSABLE_ENTITY, shown)
}
