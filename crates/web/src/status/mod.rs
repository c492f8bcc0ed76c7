//! The public status: how the DNS does as far as we watch it. Only what is TLP:CLEAR: counts, and the health of zones,
//! which anyone can measure; never what an incident is about.

mod badge;
mod map;
mod overview;

use std::sync::Arc;

use askama::Template;
use askama::filters::Safe;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use model::Health;

use crate::health::text_id;
use crate::shell::markup::escape;
use crate::{App, Page, WebError, shell};

pub use overview::{Kept, Overview, Region, Tld};

/// Top-level domains on the page; the plain text and the API have all. 150 rows take about 30 KB.
const MOST_TLDS: usize = 120;

/// The route of a zone's badge.
pub(crate) const BADGE: &str = "/zones/{zone}/badge.svg";

/// Routes of the room.
pub fn router() -> Router<App> {
    Router::new()
        .route("/", get(status))
        .route("/status.txt", get(status_text))
        .route("/healthz", get(healthz))
        .route(BADGE, get(badge::badge))
}

#[derive(Template)]
#[template(path = "status/status.html")]
struct Status {
    page: Page,
    overview: Arc<Overview>,
    map: Safe<String>,
    tlds: Vec<Tld>,
    more: usize,
}

impl Status {
    fn headline(&self) -> String {
        headline(&self.page, &self.overview)
    }
}

/// The overall state in words.
fn headline(page: &Page, overview: &Overview) -> String {
    match overview.health {
        Health::Unknown => page.t("status-overall-unknown"),
        Health::Good => page.t("status-overall-good"),
        Health::Impaired => page.t1("status-overall-impaired", "count", overview.impaired),
        Health::Broken => page.t1("status-overall-broken", "count", overview.broken),
    }
}

async fn status(State(app): State<App>, page: Page) -> Result<Response, WebError> {
    let overview = app.overview(page.now).await?;
    let healths: Vec<_> = overview
        .regions
        .iter()
        .map(|region| (region.code.clone(), region.health))
        .collect();
    let map = Safe(map::draw(&escape(&page.t("status-map")), &healths, &overview.points));
    let tlds: Vec<Tld> = overview.tlds.iter().take(MOST_TLDS).cloned().collect();
    let more = overview.tlds.len() - tlds.len();
    let is_shared = page.account.is_none() && page.flash.is_none();
    let mut response = shell::show(Status {
        page,
        overview,
        map,
        tlds,
        more,
    })?;
    if is_shared {
        cache(&mut response);
    }
    Ok(response)
}

/// Half a minute in shared caches: a crowd that asks in a crisis costs us two pages a minute for each language.
fn cache(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=30, stale-while-revalidate=60"),
    );
    headers.append(header::VARY, HeaderValue::from_static("accept-language, cookie"));
}

async fn status_text(State(app): State<App>, page: Page) -> Result<Response, WebError> {
    let overview = app.overview(page.now).await?;
    let mut text = format!("{}\n\n{}\n", page.settings.name, headline(&page, &overview));
    if let Some(updated) = overview.updated {
        text.push_str(&format!("{} {}\n", page.t("status-updated"), page.time_text(&updated)));
    }
    text.push_str(&format!(
        "{}: {}\n\n{}\n",
        page.t("status-incidents-open"),
        overview.open_cases,
        page.t("status-regions")
    ));
    for region in &overview.regions {
        let seen = match region.points {
            0 => String::new(),
            points => format!(
                "; {}; {} {}",
                page.t1("status-points", "count", points),
                page.t("status-seen"),
                region.seen_percent()
            ),
        };
        text.push_str(&format!(
            "    {}: {} ({} {}, {} {}, {} {}){seen}\n",
            page.t(region.text_id()),
            page.t(text_id(region.health)),
            region.good,
            page.t(text_id(Health::Good)),
            region.impaired,
            page.t(text_id(Health::Impaired)),
            region.broken,
            page.t(text_id(Health::Broken)),
        ));
    }
    text.push_str(&format!("\n{}\n", page.t("status-tlds")));
    for tld in &overview.tlds {
        text.push_str(&format!("    {}: {}\n", tld.zone, page.t(text_id(tld.health))));
    }
    let mut response = shell::show_text(text);
    cache(&mut response);
    Ok(response)
}

/// `ok`, or what hinders the centre, a line each: its name, since when, and what is known besides. 503 when it cannot do its
/// duty. For load balancers and supervisors.
async fn healthz(State(app): State<App>) -> Response {
    let mut lines = Vec::new();
    let mut is_grave = false;
    if let Err(error) = app.records.ping().await {
        tracing::error!("the records do not answer: {error}");
        lines.push("records-unreachable".to_owned());
        is_grave = true;
    }
    for holds in app.conditions.current() {
        is_grave |= holds.condition.is_grave();
        let name = holds.condition.as_str();
        lines.push(format!("{name} since {}: {}", holds.since, one_line(&holds.detail)));
    }
    if lines.is_empty() {
        lines.push("ok".to_owned());
    }
    let mut response = shell::show_text(lines.join("\n") + "\n");
    if is_grave {
        *response.status_mut() = axum::http::StatusCode::SERVICE_UNAVAILABLE;
        response.extensions_mut().insert(shell::guard::Drawn);
    }
    response.into_response()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
