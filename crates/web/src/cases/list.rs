//! `GET /cases`: all cases with what a shift has to know of each: owner, age, what is due next, who replied last.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::cases::{self, Case, CaseFilter, CaseState, CaseSummary};
use csirt::{Actor, requests};
use model::{Severity, Timestamp};
use serde::Deserialize;

use super::words::Names;
use crate::paging::{self, Pages};
use crate::{App, Page, WebError, shell};

/// What the reader asked for, as it stands in the address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// `open`, `closed` or `all`; anything else is `open`.
    pub state: String,
    /// The mildest severity shown; empty for all.
    pub severity: String,
    /// `overdue` for those with a request past its deadline.
    pub due: String,
    /// Text to be found in number, title or zones.
    pub q: String,
    /// Page of the list.
    pub page: String,
}

struct Row {
    summary: CaseSummary,
    owner: String,
    next_due: Option<Timestamp>,
    last: Option<(Timestamp, String)>,
    replied: Option<(Timestamp, String)>,
}

#[derive(Template)]
#[template(path = "cases/list.html")]
struct List {
    page: Page,
    wanted: Wanted,
    tabs: Vec<(String, String, bool)>,
    severities: Vec<(String, String)>,
    dues: Vec<(String, String)>,
    rows: Vec<Row>,
    pages: Pages,
}

/// The list, newest first as the records give it.
pub async fn list(State(app): State<App>, page: Page, Query(wanted): Query<Wanted>) -> Result<Response, WebError> {
    page.right(Capability::SeeCases)?;
    let state = match wanted.state.as_str() {
        "all" => None,
        "closed" => Some(CaseState::Closed),
        _ => Some(CaseState::Open),
    };
    let filter = CaseFilter {
        state,
        text: paging::sought(&wanted.q),
        limit: paging::MOST,
    };
    let mildest = Severity::ALL
        .into_iter()
        .find(|severity| severity.as_str() == wanted.severity);
    let found = cases::list(&app.records, &filter)
        .await?
        .into_iter()
        .filter(|summary| mildest.is_none_or(|mildest| summary.case.severity >= mildest))
        .filter(|summary| wanted.due != "overdue" || summary.overdue > 0)
        .collect();
    let keep = [
        ("state", wanted.state.as_str()),
        ("severity", &wanted.severity),
        ("due", &wanted.due),
        ("q", &wanted.q),
    ];
    let (shown, pages) = Pages::cut(found, &wanted.page, "/cases", &keep);
    let mut names = Names::new(&app, page.texts());
    let mut rows = Vec::with_capacity(shown.len());
    for summary in shown {
        rows.push(row(&app, &mut names, summary).await?);
    }
    let tabs = [
        (CaseState::Open.as_str(), state == Some(CaseState::Open)),
        ("closed", state == Some(CaseState::Closed)),
        ("all", state.is_none()),
    ]
    .map(|(value, current)| {
        let mut pairs = keep;
        pairs[0].1 = value;
        let text_id = if value == "all" {
            "casework-state-all".to_owned()
        } else {
            format!("case-state-{value}")
        };
        (paging::address("/cases", &pairs), page.t(text_id), current)
    })
    .to_vec();
    let severities = [
        ("", "alert-severity-any"),
        ("review", "case-severity-review"),
        ("page", "case-severity-page"),
    ]
    .map(|(value, text_id)| (value.to_owned(), page.t(text_id)))
    .to_vec();
    let dues = [("", "casework-due-any"), ("overdue", "casework-due-overdue")]
        .map(|(value, text_id)| (value.to_owned(), page.t(text_id)))
        .to_vec();
    shell::show(List {
        tabs,
        severities,
        dues,
        rows,
        pages,
        wanted,
        page,
    })
}

async fn row(app: &App, names: &mut Names<'_>, summary: CaseSummary) -> Result<Row, WebError> {
    let case: &Case = &summary.case;
    let grid = requests::grid(&app.records, case.id).await?;
    names.learn(&grid);
    let open = grid
        .parties
        .iter()
        .flat_map(|row| &row.requests)
        .filter(|request| !request.state.is_end());
    let next_due = open.map(|request| request.deadline).min();
    let timeline = cases::timeline(&app.records, case.id).await?;
    let mut last = None;
    if let Some(entry) = timeline.last() {
        last = Some((entry.time, names.of(&entry.actor).await?));
    }
    let mut replied = None;
    if let Some(entry) = timeline
        .iter()
        .rev()
        .find(|entry| matches!(entry.actor, Actor::Party(_)))
    {
        replied = Some((entry.time, names.of(&entry.actor).await?));
    }
    let owner = names.of(&case.opened_by).await?;
    Ok(Row {
        owner,
        next_due,
        last,
        replied,
        summary,
    })
}
