//! `GET /cases/{number}`: the case with the grid of party × request, proposals, timeline, evidence and figures.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::alerts::Alert;
use csirt::cases::{self, Case, CaseState, Evidence, Figures};
use csirt::requests::{self, Ask, Grid, Proposal, Request};
use serde::Deserialize;

use super::timeline::{self, Line};
use super::words::{Names, ask_text, spell};
use crate::alerts::{kind_words, short_id};
use crate::paging::Pages;
use crate::{App, Errors, Page, WebError, shell};

/// Which part of the timeline is shown.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// `all`, `mail`, `answers`, `verdicts`, `notes` or `changes`.
    pub show: String,
    /// Page of the timeline.
    pub page: String,
}

/// Requests of the grid shown on the case's page; a page must stay light, and the last line says how many follow.
const GRID: usize = 40;

#[derive(Template)]
#[template(path = "cases/show.html")]
pub(super) struct Show {
    page: Page,
    errors: Errors,
    case: Case,
    owner: String,
    alerts: Vec<(Alert, String, String)>,
    grid: Grid,
    hidden: usize,
    proposals: Vec<(usize, Proposal)>,
    lines: Vec<Line>,
    pages: Pages,
    kinds: Vec<(String, &'static str, bool)>,
    evidence: Vec<Evidence>,
    figures: Vec<(&'static str, String)>,
    may_act: bool,
    may_decide: bool,
    note: String,
}

/// The page of a case.
pub async fn show(
    State(app): State<App>,
    page: Page,
    Path(number): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, WebError> {
    page.right(Capability::SeeCases)?;
    let case = super::find(&app, &number).await?;
    shell::show(assemble(&app, page, case, wanted, Errors::default(), String::new()).await?)
}

/// Everything the page shows. `errors` and `note` come back from a form that could not be taken.
pub(super) async fn assemble(
    app: &App,
    page: Page,
    case: Case,
    wanted: Wanted,
    errors: Errors,
    note: String,
) -> Result<Show, WebError> {
    let text = page.texts();
    let mut grid = requests::grid(&app.records, case.id).await?;
    let mut names = Names::new(app, text);
    names.learn(&grid);
    let owner = names.of(&case.opened_by).await?;
    let alerts = cases::alerts_of(&app.records, case.id)
        .await?
        .into_iter()
        .map(|alert| (kind_words(&alert, text), short_id(&alert.id), alert))
        .map(|(kind, short, alert)| (alert, kind, short))
        .collect();
    let proposals = match case.state {
        CaseState::Open => open_proposals(requests::propose(&app.records, case.id).await?, &grid),
        CaseState::Closed => Vec::new(),
    };
    let mut entries = cases::timeline(&app.records, case.id).await?;
    entries.reverse();
    entries.retain(|entry| timeline::is_of_kind(&entry.event, &wanted.show));
    let path = format!("/cases/{}", case.number);
    let (entries, pages) = Pages::cut(entries, &wanted.page, &path, &[("show", &wanted.show)]);
    let lines = timeline::lines(entries, &mut names, &page).await?;
    let kinds = timeline::KINDS
        .map(|(value, text_id)| {
            let current = value == wanted.show || (value == "all" && wanted.show.is_empty());
            (
                format!("{}#timeline", crate::paging::address(&path, &[("show", value)])),
                text_id,
                current,
            )
        })
        .to_vec();
    let evidence = cases::evidence(&app.records, case.id).await?;
    let figures = told(&cases::figures(&app.records, case.id).await?, text);
    let may_act = page.has(Capability::WorkCases);
    let may_decide = page.has(Capability::DecideCases);
    let hidden = shorten(&mut grid);
    Ok(Show {
        page,
        errors,
        case,
        owner,
        alerts,
        grid,
        hidden,
        proposals,
        lines,
        pages,
        kinds,
        evidence,
        figures,
        may_act,
        may_decide,
        note,
    })
}

/// Those proposals for which there is no request to the same party yet, with their place in the whole list.
fn open_proposals(proposals: Vec<Proposal>, grid: &Grid) -> Vec<(usize, Proposal)> {
    let exists = |proposal: &Proposal| {
        grid.parties.iter().any(|row| {
            (row.party.name == proposal.name
                || (row.party.organisation.is_some() && row.party.organisation == proposal.organisation))
                && row
                    .requests
                    .iter()
                    .any(|request| request.zone == proposal.zone && request.ask == proposal.ask)
        })
    };
    proposals
        .into_iter()
        .enumerate()
        .filter(|(_, proposal)| !exists(proposal))
        .take(GRID)
        .collect()
}

/// Takes what is more than the page can carry out of the grid and says how many requests that were.
fn shorten(grid: &mut Grid) -> usize {
    let mut room = GRID;
    let mut hidden = 0;
    for row in &mut grid.parties {
        hidden += row.requests.len().saturating_sub(room);
        row.requests.truncate(room);
        room -= row.requests.len();
    }
    hidden
}

/// The figures that are known, as words.
fn told(figures: &Figures, text: &language::Text) -> Vec<(&'static str, String)> {
    [
        ("casework-figure-detected", figures.detected),
        ("casework-figure-opened", figures.opened),
        ("casework-figure-notified", figures.notified),
        ("casework-figure-acknowledged", figures.acknowledged),
        ("casework-figure-done", figures.done),
        ("casework-figure-verified", figures.verified),
        ("casework-figure-closed", figures.closed),
    ]
    .into_iter()
    .filter_map(|(id, seconds)| Some((id, spell(seconds?, text))))
    .collect()
}

impl Show {
    fn is_overdue(&self, request: &Request) -> bool {
        !request.state.is_end() && request.deadline < self.page.now
    }

    fn is_open(&self) -> bool {
        self.case.state == CaseState::Open
    }

    /// Whether every request has come to an end, so that the case may close without a reason.
    fn may_close_plainly(&self) -> bool {
        self.grid
            .parties
            .iter()
            .flat_map(|row| &row.requests)
            .all(|request| request.state.is_end())
    }

    fn asks(&self) -> Vec<(String, String)> {
        Ask::ALL
            .iter()
            .map(|ask| (ask.as_str().to_owned(), self.page.t(ask_text(*ask))))
            .collect()
    }

    fn zone_choices(&self) -> Vec<(String, String)> {
        self.case
            .zones
            .iter()
            .map(|zone| (zone.to_string(), zone.unicode().unwrap_or_else(|| zone.to_string())))
            .collect()
    }
}
