//! `GET /alerts/{id}`: one alert with the evidence it rests on.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::alerts::{self, Alert, AlertState};
use csirt::mailbox::{self, Mail};
use csirt::{cases, intake};
use model::{Id, Signal};

use super::kind_words;
use crate::{App, Page, WebError, shell};

/// Signals shown; the alert says how many there were.
const SIGNALS: usize = 10;

/// Changes and findings shown of all these signals together, the newest signal's first: a page must stay light.
const CHANGES: usize = 40;
const FINDINGS: usize = 12;

/// What is shown of a signal.
struct Shown {
    signal: Signal,
    /// Changes and findings that are not shown.
    more: usize,
}

/// What is shown of signals, given newest first.
fn shown(signals: Vec<Signal>) -> Vec<Shown> {
    let (mut changes, mut findings) = (CHANGES, FINDINGS);
    signals
        .into_iter()
        .take(SIGNALS)
        .map(|mut signal| {
            let all = signal.changes.len() + signal.findings.len();
            signal.changes.truncate(changes);
            signal.findings.truncate(findings);
            changes -= signal.changes.len();
            findings -= signal.findings.len();
            let more = all - signal.changes.len() - signal.findings.len();
            Shown { signal, more }
        })
        .collect()
}

#[derive(Template)]
#[template(path = "alerts/show.html")]
struct Show {
    page: Page,
    alert: Alert,
    kind: String,
    signals: Vec<Shown>,
    hidden: usize,
    case: Option<String>,
    report: Option<intake::Report>,
    mail: Option<Mail>,
    may_open: bool,
    may_dismiss: bool,
    tlps: Vec<(String, String)>,
}

/// The alert, or 404 for an id that is none.
pub async fn show(State(app): State<App>, page: Page, Path(id): Path<String>) -> Result<Response, WebError> {
    page.right(Capability::SeeAlerts)?;
    let id: Id<Alert> = id.parse().map_err(|_| WebError::NotFound)?;
    let alert = alerts::get(&app.records, id).await?;
    let mut signals = alerts::signals(&app.records, id).await?;
    let hidden = signals.len().saturating_sub(SIGNALS);
    signals.reverse();
    let case = match alert.case {
        Some(case) => Some(cases::get(&app.records, case).await?.number.to_string()),
        None => None,
    };
    let report = intake::of_alert(&app.records, id).await?;
    let mail = match &report {
        Some(report) => mailbox::of_report(&app.records, report.id).await?,
        None => None,
    };
    let is_new = alert.state == AlertState::New;
    let may_open = is_new && page.has(Capability::WorkCases);
    let may_dismiss = is_new && page.has(Capability::DismissAlerts);
    shell::show(Show {
        kind: kind_words(&alert, page.texts()),
        tlps: super::act::tlp_choices(),
        signals: shown(signals),
        hidden,
        case,
        report,
        mail,
        may_open,
        may_dismiss,
        alert,
        page,
    })
}
