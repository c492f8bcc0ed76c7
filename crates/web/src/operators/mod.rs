//! `GET /operators/{organisation}`: one organisation as an operator: its zones and how they do, the servers of these zones, how
//! they answered and what findings name them; and both tables as files.

mod gather;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use csirt::accounts::Capability;
use csirt::directory::Organisation;
use csirt::watch::Standing;
use model::{Health, Id};
use serde::Deserialize;

pub(crate) use self::gather::{Operator, Server, zones_of};
use crate::download::{self, CSV, csv, number};
use crate::paging::Pages;
use crate::{App, Page, WebError, shell};

/// Servers that are shown; the file has more.
const SERVERS: usize = 30;

/// Routes of the room.
pub fn router() -> Router<App> {
    Router::new()
        .route("/operators/{organisation}", get(show))
        .route("/operators/{organisation}/{file}", get(file))
}

/// The address of an operator's page.
pub(crate) fn path(organisation: &Id<Organisation>) -> String {
    format!("/operators/{organisation}")
}

/// What the reader asked for, as it stands in the address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// Page of the zones.
    page: String,
}

#[derive(Template)]
#[template(path = "operators/show.html")]
struct Show {
    page: Page,
    organisation: Organisation,
    counts: Vec<(Health, usize)>,
    zones: Vec<Standing>,
    pages: Pages,
    servers: Vec<Server>,
    more_servers: usize,
    unread: usize,
    may_see_directory: bool,
}

async fn operator(app: &App, page: &Page, organisation: &str) -> Result<Operator, WebError> {
    page.right(Capability::SeeWatchList)?;
    let organisation = organisation.parse().map_err(|_| WebError::NotFound)?;
    Operator::gather(app, organisation, page.now).await
}

async fn show(
    State(app): State<App>,
    page: Page,
    Path(organisation): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, WebError> {
    let operator = operator(&app, &page, &organisation).await?;
    let count = |one| operator.zones.iter().filter(|zone| zone.health == one).count();
    let counts = Health::ALL.map(|one| (one, count(one))).to_vec();
    let address = path(&operator.organisation.id);
    let (zones, pages) = Pages::cut(operator.zones, &wanted.page, &address, &[]);
    let more_servers = operator.servers.len().saturating_sub(SERVERS);
    let mut servers = operator.servers;
    servers.truncate(SERVERS);
    shell::show(Show {
        counts,
        zones,
        pages,
        servers,
        more_servers,
        unread: operator.unread,
        may_see_directory: page.has(Capability::SeeDirectory),
        organisation: operator.organisation,
        page,
    })
}

/// `GET /operators/{organisation}/{file}`: `zones.csv` or `servers.csv`.
async fn file(
    State(app): State<App>,
    page: Page,
    Path((organisation, file)): Path<(String, String)>,
) -> Result<Response, WebError> {
    let operator = operator(&app, &page, &organisation).await?;
    let octets = match file.as_str() {
        "zones.csv" => zones_csv(&operator.zones),
        "servers.csv" => servers_csv(&operator.servers),
        _ => return Err(WebError::NotFound),
    };
    let name = format!("{}-{file}", download::plain(&operator.organisation.profile.handle));
    Ok(download::file(&name, CSV, octets))
}

fn zones_csv(zones: &[Standing]) -> Vec<u8> {
    let rows = zones.iter().map(|zone| {
        [
            zone.zone.to_string(),
            zone.health.to_string(),
            number(zone.worst),
            number(zone.since),
            number(zone.measured),
            number(zone.secured),
            zone.interval_secs.to_string(),
            zone.enabled.to_string(),
        ]
    });
    let columns = [
        "zone",
        "health",
        "worst",
        "since",
        "measured_at",
        "secured",
        "interval_secs",
        "enabled",
    ];
    csv(&columns, rows)
}

fn servers_csv(servers: &[Server]) -> Vec<u8> {
    let rows = servers.iter().map(|server| {
        let names: Vec<String> = server.names.iter().map(ToString::to_string).collect();
        let seen = server.seen.as_ref();
        [
            server.address.to_string(),
            names.join(";"),
            server.health.to_string(),
            server.zones.to_string(),
            server.serving.to_string(),
            number(seen.map(|seen| &seen.zone)),
            number(seen.map(|seen| seen.answered.all)),
            number(seen.map(|seen| seen.answered.good)),
            number(seen.and_then(|seen| seen.median_us)),
            number(seen.and_then(|seen| seen.p95_us)),
            server.findings.to_string(),
            number(server.worst),
        ]
    });
    let columns = [
        "address",
        "names",
        "health",
        "zones",
        "serving",
        "asked_for_zone",
        "asked",
        "answered",
        "rtt_median_us",
        "rtt_p95_us",
        "findings",
        "worst",
    ];
    csv(&columns, rows)
}
