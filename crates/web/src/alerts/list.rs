//! `GET /alerts`: the queue, by state, severity and text.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::alerts::{self, Alert, AlertState, Counts};
use csirt::cases;
use model::{Detector, Severity};
use serde::Deserialize;

use super::{kind_words, short_id, state_text};
use crate::paging::{self, Pages};
use crate::{App, Page, WebError, shell};

/// What the reader asked for, as it stands in the address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// `new`, `in_case`, `dismissed`, `ended` or `all`; anything else is `new`.
    pub state: String,
    /// The mildest severity shown; empty for all.
    pub severity: String,
    /// Text to be found in kind or zones.
    pub q: String,
    /// Page of the list.
    pub page: String,
}

/// One alert in the queue.
pub struct Row {
    alert: Alert,
    kind: String,
    short: String,
    case: Option<String>,
}

/// One choice among the states, with how many there are.
struct Tab {
    href: String,
    text_id: &'static str,
    count: Option<i64>,
    current: bool,
}

#[derive(Template)]
#[template(path = "alerts/list.html")]
struct List {
    page: Page,
    wanted: Wanted,
    tabs: Vec<Tab>,
    severities: Vec<(String, String)>,
    counts: Counts,
    rows: Vec<Row>,
    pages: Pages,
    may_open: bool,
    may_dismiss: bool,
    tlps: Vec<(String, String)>,
}

/// The queue. Readers see it; the team acts on it.
pub async fn list(State(app): State<App>, page: Page, Query(wanted): Query<Wanted>) -> Result<Response, WebError> {
    page.right(Capability::SeeAlerts)?;
    let states = match wanted.state.as_str() {
        "all" => Vec::new(),
        other => vec![other.parse().unwrap_or(AlertState::New)],
    };
    let filter = alerts::Filter {
        states,
        severity: Severity::ALL
            .into_iter()
            .find(|severity| severity.as_str() == wanted.severity),
        text: paging::sought(&wanted.q),
        limit: paging::MOST,
    };
    let found = alerts::queue(&app.records, &filter).await?;
    let keep = [
        ("state", wanted.state.as_str()),
        ("severity", &wanted.severity),
        ("q", &wanted.q),
    ];
    let (shown, pages) = Pages::cut(found, &wanted.page, "/alerts", &keep);
    let mut rows = Vec::with_capacity(shown.len());
    for alert in shown {
        let case = match alert.case {
            Some(case) => Some(cases::get(&app.records, case).await?.number.to_string()),
            None => None,
        };
        rows.push(Row {
            kind: kind_words(&alert, page.texts()),
            short: short_id(&alert.id),
            case,
            alert,
        });
    }
    let counts = alerts::counts(&app.records).await?;
    let tabs = tabs(&wanted, &counts);
    let severities = [
        ("", "alert-severity-any"),
        ("review", "case-severity-review"),
        ("page", "case-severity-page"),
    ]
    .map(|(value, text_id)| (value.to_owned(), page.t(text_id)))
    .to_vec();
    let may_open = page.has(Capability::WorkCases);
    let may_dismiss = page.has(Capability::DismissAlerts);
    let tlps = super::act::tlp_choices();
    shell::show(List {
        tabs,
        severities,
        counts,
        rows,
        pages,
        may_open,
        may_dismiss,
        tlps,
        wanted,
        page,
    })
}

fn tabs(wanted: &Wanted, counts: &Counts) -> Vec<Tab> {
    let chosen = match wanted.state.as_str() {
        "all" => None,
        other => Some(other.parse().unwrap_or(AlertState::New)),
    };
    let filter = [("severity", wanted.severity.as_str()), ("q", &wanted.q)];
    let tab = |state: Option<AlertState>, text_id, count| {
        let value = state.map_or("all", |state| state.as_str());
        let mut keep = vec![("state", value)];
        keep.extend(filter);
        Tab {
            href: paging::address("/alerts", &keep),
            text_id,
            count,
            current: state == chosen,
        }
    };
    vec![
        tab(Some(AlertState::New), state_text(AlertState::New), Some(counts.new)),
        tab(
            Some(AlertState::InCase),
            state_text(AlertState::InCase),
            Some(counts.in_case),
        ),
        tab(
            Some(AlertState::Dismissed),
            state_text(AlertState::Dismissed),
            Some(counts.dismissed),
        ),
        tab(
            Some(AlertState::Ended),
            state_text(AlertState::Ended),
            Some(counts.ended),
        ),
        tab(None, "alert-state-all", None),
    ]
}

impl Row {
    fn choosable(&self) -> bool {
        self.alert.state == AlertState::New
    }

    fn detector_text(&self) -> &'static str {
        match self.alert.detector {
            Detector::Health => "alert-detector-health",
            Detector::Redelegation => "alert-detector-redelegation",
            Detector::Report => "alert-detector-report",
            Detector::Vantage => "alert-detector-vantage",
        }
    }
}
