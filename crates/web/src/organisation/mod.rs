//! My organisation: what a constituent sees of itself and may change. Its zones and how they do, what we ask of it, and
//! how we reach it.

mod announce;
mod contacts;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use csirt::accounts::Capability;
use csirt::cases::Case;
use csirt::directory::{self, ChannelKind, Organisation, Purpose};
use csirt::requests::{self, Request};
use csirt::watch::{self, WatchedZone, ZoneState};
use csirt::{Actor, links};
use model::{Health, Id, Language, Level};

use crate::answer::state_stem;
use crate::{App, Errors, Page, Posted, WebError, shell};

/// Zones shown; an organisation with more has the JSON API.
const MOST_ZONES: usize = 100;
/// Requests shown, open ones first.
const MOST_REQUESTS: usize = 60;
/// Findings shown of one zone.
const MOST_FINDINGS: usize = 5;

/// Routes of the room.
pub fn router() -> Router<App> {
    Router::new()
        .route("/organisation", get(show))
        .route("/organisation/requests/{id}/open", post(open_request))
        .merge(contacts::router())
        .merge(announce::router())
}

/// A zone of the organisation with how it does.
struct Zone {
    watched: WatchedZone,
    health: Health,
    state: Option<ZoneState>,
}

impl Zone {
    /// What needs attention, the gravest first.
    fn findings(&self) -> Vec<String> {
        let mut findings: Vec<_> = self.state.iter().flat_map(|state| &state.round.findings).collect();
        findings.retain(|finding| finding.level >= Level::Warning);
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
        let shown = findings.into_iter().take(MOST_FINDINGS);
        shown
            .map(|finding| format!("{} {} {}", finding.level, finding.case, finding.tag))
            .collect()
    }
}

/// What a form of the page was filled with when it is shown again.
#[derive(Default)]
pub(crate) struct Typed {
    pub(crate) value: String,
    pub(crate) kind: String,
    pub(crate) purpose: String,
    pub(crate) person: String,
    pub(crate) person_name: String,
    pub(crate) position: String,
    pub(crate) zone: String,
    pub(crate) from: String,
    pub(crate) until: String,
    pub(crate) planned: String,
    pub(crate) note: String,
}

#[derive(Template)]
#[template(path = "organisation/organisation.html")]
struct OrganisationPage {
    page: Page,
    organisation: Organisation,
    zones: Vec<Zone>,
    more_zones: usize,
    open: Vec<(Case, Request)>,
    ended: Vec<(Case, Request)>,
    announcements: Vec<watch::Announcement>,
    may_edit: bool,
    may_announce: bool,
    form: Typed,
    errors: Errors,
    kinds: Vec<(String, String)>,
    purposes: Vec<(String, String)>,
    people: Vec<(String, String)>,
    languages: Vec<(String, String)>,
    zone_names: Vec<(String, String)>,
}

impl OrganisationPage {
    async fn load(app: &App, page: Page, form: Typed, errors: Errors) -> Result<Self, WebError> {
        let organisation = own(app, &page).await?;
        let mut zones = Vec::new();
        for watched in watch::of_organisation(&app.records, organisation.id).await? {
            let state = watch::state(&app.records, watched.id).await?;
            zones.push(Zone {
                health: watch::health(state.as_ref()),
                watched,
                state,
            });
        }
        zones.sort_by_key(|zone| std::cmp::Reverse(zone.health));
        let zone_names: Vec<_> = zones.iter().map(|zone| zone.watched.watch.zone.to_string()).collect();
        let mut announcements = Vec::new();
        for zone in &zones {
            announcements.extend(watch::announcement::current(&app.records, &zone.watched.watch.zone, page.now).await?);
        }
        let more_zones = zones.len().saturating_sub(MOST_ZONES);
        zones.truncate(MOST_ZONES);
        let mut all = requests::of_organisation(&app.records, organisation.id).await?;
        all.sort_by_key(|(_, request)| std::cmp::Reverse(request.created_at));
        let (mut open, mut ended): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, request)| !request.state.is_end());
        open.truncate(MOST_REQUESTS);
        ended.truncate(MOST_REQUESTS - open.len());
        let worded = |stem: &str, word: &str| (word.to_owned(), page.t(format!("{stem}-{}", word.replace('_', "-"))));
        let nobody = (String::new(), page.t("organisation-nobody"));
        let people = organisation
            .profile
            .people
            .iter()
            .map(|person| (person.name.clone(), person.name.clone()));
        Ok(Self {
            zones,
            more_zones,
            open,
            ended,
            announcements,
            may_edit: page.may(Capability::EditOwnOrganisation),
            may_announce: page.may(Capability::AnnounceOwnChange),
            form,
            errors,
            kinds: ChannelKind::ALL
                .iter()
                .map(|kind| worded("organisation-channel", kind.as_str()))
                .collect(),
            purposes: Purpose::ALL
                .iter()
                .map(|purpose| worded("organisation-purpose", purpose.as_str()))
                .collect(),
            people: std::iter::once(nobody).chain(people).collect(),
            languages: Language::ALL
                .map(|language| (language.code().to_owned(), language.endonym().to_owned()))
                .into(),
            zone_names: zone_names.into_iter().map(|zone| (zone.clone(), zone)).collect(),
            organisation,
            page,
        })
    }

    fn state_stem(&self, request: &Request) -> &'static str {
        state_stem(request.state)
    }
}

/// The organisation of the signed-in account; 404 for accounts without one.
pub(crate) async fn own(app: &App, page: &Page) -> Result<Organisation, WebError> {
    let account = page.require(Capability::SeeOwnOrganisation)?;
    let id = account.organisation.ok_or(WebError::NotFound)?;
    Ok(directory::get(&app.records, id).await?)
}

async fn show(State(app): State<App>, page: Page) -> Result<Response, WebError> {
    shell::show(OrganisationPage::load(&app, page, Typed::default(), Errors::default()).await?)
}

/// The page again with what was typed and what is wrong with it.
pub(crate) async fn again(app: &App, page: Page, form: Typed, errors: Errors) -> Result<Response, WebError> {
    let page = OrganisationPage::load(app, page, form, errors).await?;
    shell::show_with(StatusCode::UNPROCESSABLE_ENTITY, page)
}

/// Opens the page of a request to this organisation by a fresh link: whoever has signed in needs no mail for it.
async fn open_request(
    State(app): State<App>,
    page: Page,
    Path(id): Path<String>,
    _form: Posted<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let organisation = own(&app, &page).await?;
    let id: Id<Request> = id.parse().map_err(|_| WebError::NotFound)?;
    let own = requests::of_organisation(&app.records, organisation.id).await?;
    if !own.iter().any(|(_, request)| request.id == id) {
        return Err(WebError::NotFound);
    }
    let actor: Actor = page.actor()?;
    let token = links::issue(&app.records, actor, id).await?;
    shell::see_other(&format!("/a/{token}"), None)
}
