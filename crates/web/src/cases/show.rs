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
    /// Part of the grid.
    pub part: String,
}

/// Requests of the grid shown on the case's page at once: a page must stay light.
const GRID: usize = 12;

/// Proposals shown at once; the next ones come as these become requests.
const PROPOSALS: usize = 5;

/// Zones up to which a form offers them as a choice; of more the name is typed.
const CHOICES: usize = 60;

#[derive(Template)]
#[template(path = "cases/show.html")]
pub(super) struct Show {
    page: Page,
    errors: Errors,
    case: Case,
    owner: String,
    alerts: Vec<(Alert, String, String)>,
    grid: Grid,
    parts: Parts,
    /// Whether every request has come to an end, so that the case may close without a reason.
    may_close_plainly: bool,
    more_proposals: usize,
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
    let mut proposals = match case.state {
        CaseState::Open => open_proposals(requests::propose(&app.records, case.id).await?, &grid),
        CaseState::Closed => Vec::new(),
    };
    let more_proposals = proposals.len().saturating_sub(PROPOSALS);
    proposals.truncate(PROPOSALS);
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
    let may_close_plainly = requests_of(&grid).all(|request| request.state.is_end());
    let parts = cut(&mut grid, &wanted.part, &path);
    Ok(Show {
        page,
        errors,
        case,
        owner,
        alerts,
        grid,
        parts,
        may_close_plainly,
        proposals,
        more_proposals,
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
        .collect()
}

fn requests_of(grid: &Grid) -> impl Iterator<Item = &Request> {
    grid.parties.iter().flat_map(|row| &row.requests)
}

/// Leaves in the grid the requests of one part of it, and says which part of how many that is.
fn cut(grid: &mut Grid, wanted: &str, path: &str) -> Parts {
    let count = requests_of(grid).count().div_ceil(GRID).max(1);
    let current = wanted.trim().parse::<usize>().unwrap_or(1).clamp(1, count);
    let mut skip = (current - 1) * GRID;
    let mut room = GRID;
    for row in &mut grid.parties {
        let before = row.requests.len().min(skip);
        row.requests.drain(..before);
        row.requests.truncate(room);
        (skip, room) = (skip - before, room - row.requests.len());
    }
    let others = (1..=count).map(|part| {
        let address = crate::paging::address(path, &[("part", &part.to_string())]);
        (part, format!("{address}#grid"))
    });
    Parts {
        current,
        all: others.collect(),
    }
}

/// The parts of a grid that is too large for one page, each with its address.
struct Parts {
    current: usize,
    all: Vec<(usize, String)>,
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
