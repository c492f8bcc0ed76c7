//! `GET /cases/{number}/requests/{request}`: one request: what is asked of whom, the notice before it is sent, what
//! was sent, what was answered, what was measured.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::cases::{Case, CaseState};
use csirt::notices::{self, Notice, NoticeKind, Rendered};
use csirt::requests::{self, Party, Request, RequestState, VerdictRun};
use model::Check;

use crate::{App, Page, WebError, shell};

/// Verdicts shown; the newest says what holds.
const VERDICTS: usize = 10;

#[derive(Template)]
#[template(path = "cases/request.html")]
pub(super) struct Show {
    page: Page,
    case: Case,
    party: Party,
    request: Request,
    steps: Vec<Step>,
    preview: Rendered,
    notices: Vec<Notice>,
    verdicts: Vec<VerdictRun>,
    verdict_count: usize,
    may_act: bool,
    may_decide: bool,
    /// The address for the party to be told by telephone, shown once.
    link: Option<String>,
}

/// One of the moments that matter, reached or not.
struct Step {
    text_id: &'static str,
    time: Option<model::Timestamp>,
}

/// The page of a request.
pub async fn show(
    State(app): State<App>,
    page: Page,
    Path((number, request)): Path<(String, String)>,
) -> Result<Response, WebError> {
    page.right(Capability::SeeCases)?;
    let (case, party, request) = find(&app, &number, &request).await?;
    shell::show(assemble(&app, page, case, party, request, None).await?)
}

/// The request with its number within the case; 404 where there is none.
pub(crate) async fn find(app: &App, number: &str, request: &str) -> Result<(Case, Party, Request), WebError> {
    let case = super::find(app, number).await?;
    let wanted: i32 = request.parse().map_err(|_| WebError::NotFound)?;
    let grid = requests::grid(&app.records, case.id).await?;
    for row in grid.parties {
        if let Some(request) = row.requests.into_iter().find(|request| request.number == wanted) {
            return Ok((case, row.party, request));
        }
    }
    Err(WebError::NotFound)
}

/// Everything the page shows.
pub(super) async fn assemble(
    app: &App,
    page: Page,
    case: Case,
    party: Party,
    request: Request,
    link: Option<String>,
) -> Result<Show, WebError> {
    let notices = notices::of_request(&app.records, request.id).await?;
    let kind = if notices.is_empty() {
        NoticeKind::Ask
    } else {
        NoticeKind::Reminder
    };
    let preview = notices::preview(&app.records, &app.settings.centre(), request.id, kind, request.language).await?;
    let mut verdicts = requests::verdicts(&app.records, request.id).await?;
    let verdict_count = verdicts.len();
    verdicts.truncate(VERDICTS);
    let steps = vec![
        Step {
            text_id: "casework-step-created",
            time: Some(request.created_at),
        },
        Step {
            text_id: "casework-step-notified",
            time: request.notified_at,
        },
        Step {
            text_id: "casework-step-acknowledged",
            time: request.acknowledged_at,
        },
        Step {
            text_id: "casework-step-done",
            time: request.done_at,
        },
        Step {
            text_id: "casework-step-verified",
            time: request.verified_at,
        },
    ];
    let may_act = case.state == CaseState::Open && page.has(Capability::WorkCases);
    let may_decide = may_act && page.has(Capability::DecideCases);
    Ok(Show {
        page,
        case,
        party,
        request,
        steps,
        preview,
        notices,
        verdicts,
        verdict_count,
        may_act,
        may_decide,
        link,
    })
}

impl Show {
    fn is_overdue(&self) -> bool {
        !self.request.state.is_end() && self.request.deadline < self.page.now
    }

    /// How the request is called everywhere: `DNSCERT-2026-00001/2`.
    fn label(&self) -> String {
        format!("{}/{}", self.case.number, self.request.number)
    }

    /// The deadline in the party's own time zone.
    fn deadline_there(&self) -> String {
        let zone = jiff::tz::TimeZone::get(&self.party.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let there = self.request.deadline.to_zoned(zone);
        format!("{} {}", there.strftime("%Y-%m-%d %H:%M"), self.party.time_zone)
    }

    fn is_verified(&self) -> bool {
        self.request.state == RequestState::Verified
    }

    fn is_first_notice(&self) -> bool {
        self.notices.is_empty()
    }
}
