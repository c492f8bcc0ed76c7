//! `GET /zones`: the watch list with how each zone stands.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::directory::{Organisation, Region};
use csirt::watch::{self, WatchedZone, ZoneState, health};
use csirt::{Records, directory};
use model::Health;
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
    /// Text in the zone's name, in either form.
    pub q: String,
    /// Page of the list.
    pub page: String,
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
    let all = watch::states(&app.records).await?;
    let counts = Health::ALL
        .map(|one| {
            (
                one,
                all.iter().filter(|(_, state)| health(state.as_ref()) == one).count(),
            )
        })
        .to_vec();
    let text = wanted.q.trim().to_lowercase();
    let mut found: Vec<(WatchedZone, Option<ZoneState>)> = all
        .into_iter()
        .filter(|(_, state)| wanted.health.is_empty() || health(state.as_ref()).as_str() == wanted.health)
        .filter(|(zone, _)| {
            wanted.region.is_empty() || zone.watch.region.is_some_and(|one| one.as_str() == wanted.region)
        })
        .filter(|(zone, _)| {
            let name = &zone.watch.zone;
            text.is_empty()
                || name.to_string().contains(&text)
                || name.unicode().is_some_and(|name| name.contains(&text))
        })
        .collect();
    // Stable: within one state the order of names stays.
    found.sort_by_key(|(_, state)| match health(state.as_ref()) {
        Health::Broken => 0,
        Health::Impaired => 1,
        Health::Unknown => 2,
        Health::Good => 3,
    });
    let keep = [
        ("health", wanted.health.as_str()),
        ("region", &wanted.region),
        ("q", &wanted.q),
    ];
    let (shown, pages) = Pages::cut(found, &wanted.page, "/zones", &keep);
    let mut rows = Vec::with_capacity(shown.len());
    for (watched, state) in shown {
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
