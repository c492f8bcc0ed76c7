//! `GET /zones`: the watch list with how each zone stands.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::directory::{Organisation, Region};
use csirt::watch::{self, Standing, WatchedZone, ZoneState, health};
use csirt::{Records, directory};
use model::{Health, Id};
use serde::Deserialize;

use super::act::AddForm;
use crate::health::text_id;
use crate::paging::Pages;
use crate::{App, Errors, Page, WebError, shell};

/// What the reader asked for, as it stands in the address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// `broken`, `impaired`, `good` or `unknown`; all when empty.
    pub health: String,
    /// One of the five regions.
    pub region: String,
    /// `yes` for zones that their parent has DS records of, `no` for the others.
    pub signed: String,
    /// `tld` for top-level domains, `below` for the others.
    pub level: String,
    /// Text in the name or the handle of the organisation whose zone it is.
    pub operator: String,
    /// Text in the zone's name, in either form.
    pub q: String,
    /// Page of the list.
    pub page: String,
}

impl Wanted {
    fn is_empty(&self) -> bool {
        [
            &self.health,
            &self.region,
            &self.signed,
            &self.level,
            &self.operator,
            &self.q,
        ]
        .iter()
        .all(|filter| filter.is_empty())
    }

    fn takes(&self, zone: &Standing) -> bool {
        let text = self.q.trim().to_lowercase();
        let name = &zone.zone;
        let is_named = || {
            text.is_empty()
                || name.to_string().contains(&text)
                || name.unicode().is_some_and(|name| name.contains(&text))
        };
        let is_signed = match self.signed.as_str() {
            "yes" => zone.secured == Some(true),
            "no" => zone.secured == Some(false),
            _ => true,
        };
        let is_of_level = match self.level.as_str() {
            "tld" => name.label_count() <= 1,
            "below" => name.label_count() > 1,
            _ => true,
        };
        (self.health.is_empty() || zone.health.as_str() == self.health)
            && (self.region.is_empty() || zone.region.is_some_and(|one| one.as_str() == self.region))
            && is_signed
            && is_of_level
            && is_named()
    }
}

/// The organisations that a text names; `None` where none is asked for.
async fn operators(app: &App, text: &str) -> Result<Option<Vec<Organisation>>, WebError> {
    let text = text.trim().to_lowercase();
    if text.is_empty() {
        return Ok(None);
    }
    let mut all = directory::list(&app.records).await?;
    all.retain(|one| one.profile.name.to_lowercase().contains(&text) || one.profile.handle == text);
    Ok(Some(all))
}

struct Row {
    watched: WatchedZone,
    state: Option<ZoneState>,
    health: Health,
    /// Servers that answer, of all.
    servers: (usize, usize),
    organisation: Option<Organisation>,
}

#[derive(Template)]
#[template(path = "zones/list.html")]
struct List {
    page: Page,
    errors: Errors,
    form: AddForm,
    wanted: Wanted,
    counts: Vec<(Health, usize)>,
    choices: Vec<(String, String)>,
    regions: Vec<(String, String)>,
    signed: Vec<(String, String)>,
    levels: Vec<(String, String)>,
    rows: Vec<Row>,
    pages: Pages,
    may_edit: bool,
}

/// The watch list, worst first.
pub async fn list(State(app): State<App>, page: Page, Query(wanted): Query<Wanted>) -> Result<Response, WebError> {
    page.right(Capability::SeeWatchList)?;
    shown(&app, page, wanted, AddForm::default(), Errors::default()).await
}

/// The list with a form for a further zone, and what is wrong with that form.
pub(super) async fn shown(
    app: &App,
    page: Page,
    wanted: Wanted,
    form: AddForm,
    errors: Errors,
) -> Result<Response, WebError> {
    let all = watch::standings(&app.records).await?;
    let counts = Health::ALL
        .map(|one| (one, all.iter().filter(|zone| zone.health == one).count()))
        .to_vec();
    let operators = operators(app, &wanted.operator).await?;
    let mut found: Vec<Standing> = all
        .into_iter()
        .filter(|zone| wanted.takes(zone) && operators.as_ref().is_none_or(|found| super::is_of(zone, found)))
        .collect();
    super::worst_first(&mut found);
    let keep = [
        ("health", wanted.health.as_str()),
        ("region", &wanted.region),
        ("signed", &wanted.signed),
        ("level", &wanted.level),
        ("operator", &wanted.operator),
        ("q", &wanted.q),
    ];
    let (shown, pages) = Pages::cut(found, &wanted.page, "/zones", &keep);
    let mut rows = Vec::with_capacity(shown.len());
    let shown: Vec<Id<WatchedZone>> = shown.iter().map(|zone| zone.id).collect();
    for (watched, state) in watch::states_of(&app.records, &shown).await? {
        rows.push(row(&app.records, watched, state).await?);
    }
    let any = |text_id: &str| (String::new(), page.t(text_id));
    let mut choices = vec![any("zone-filter-any")];
    choices.extend(
        counts
            .iter()
            .map(|(one, _)| (one.as_str().to_owned(), page.t(text_id(*one)))),
    );
    let mut regions = vec![any("zone-filter-any")];
    regions.extend(Region::ALL.iter().map(|one| {
        (
            one.to_string(),
            page.t(format!("directory-region-{}", one.as_str().to_lowercase())),
        )
    }));
    let signed = [
        ("", "zone-filter-any"),
        ("yes", "zone-signed-yes"),
        ("no", "zone-signed-no"),
    ];
    let levels = [
        ("", "zone-filter-any"),
        ("tld", "zone-level-tld"),
        ("below", "zone-level-below"),
    ];
    let told = |choices: [(&str, &str); 3]| choices.map(|(value, text)| (value.to_owned(), page.t(text))).to_vec();
    let (signed, levels) = (told(signed), told(levels));
    let may_edit = page.has(Capability::EditWatchList);
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    shell::show_with(
        status,
        List {
            page,
            errors,
            form,
            wanted,
            counts,
            choices,
            regions,
            signed,
            levels,
            rows,
            pages,
            may_edit,
        },
    )
}

async fn row(records: &Records, watched: WatchedZone, state: Option<ZoneState>) -> Result<Row, WebError> {
    let servers = state
        .as_ref()
        .map(|state| super::servers(&state.round.servers))
        .unwrap_or_default();
    let answering = servers.iter().filter(|server| server.health() == Health::Good).count();
    let organisation = match watched.watch.organisation {
        // Somebody may have taken the entry away meanwhile; the zone is still shown.
        Some(id) => directory::get(records, id).await.ok(),
        None => None,
    };
    Ok(Row {
        health: health(state.as_ref()),
        servers: (answering, servers.len()),
        watched,
        state,
        organisation,
    })
}
