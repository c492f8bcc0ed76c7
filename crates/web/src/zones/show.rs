//! `GET /zones/{zone}`: one zone with all that is known of it.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::directory::{self, Organisation};
use csirt::vantage;
use csirt::watch::{self, Announcement, WatchedZone, ZoneState, announcement, health};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};
use lake::{RttPoint, SeenFrom};
use model::{Finding, Health, Level, Name, ZoneChange};

use super::ServerState;
use super::act::AnnounceForm;
use super::delegation::{self, Line};
use super::regions::{self, Known, RegionView, ZoneScore};
use crate::charts::{self, Chain, Day, Point, Svg};
use crate::{App, Errors, Page, WebError, shell};

/// Days of the strip.
const DAYS: i64 = 30;
/// Hours of the sparklines.
const HOURS: i64 = 24;
/// Changes of the delegation that are shown.
const CHANGES: usize = 20;
/// Findings that are shown in full.
const FINDINGS: usize = 25;

#[derive(Template)]
#[template(path = "zones/show.html")]
pub(super) struct Show {
    page: Page,
    errors: Errors,
    form: AnnounceForm,
    zone: Name,
    watched: Option<WatchedZone>,
    state: Option<ZoneState>,
    health: Health,
    organisation: Option<Organisation>,
    chain: Chain,
    graph: Option<Svg>,
    lines: Vec<Line>,
    servers: Vec<(ServerState, Svg)>,
    strip: Svg,
    findings: Vec<Finding>,
    /// Findings of a level that nobody has to look at.
    quiet: usize,
    hidden: usize,
    /// `None` where the account may not see them.
    changes: Option<Vec<ZoneChange>>,
    /// Whether the history could be read.
    history: bool,
    announcements: Vec<Announcement>,
    score: ZoneScore,
    regions: Vec<RegionView>,
    may_edit: bool,
    may_route: bool,
}

/// The page of a zone. A zone that is not watched has one too, with the way to watch it.
pub async fn show(State(app): State<App>, page: Page, Path(zone): Path<String>) -> Result<Response, WebError> {
    page.right(Capability::SeeWatchList)?;
    let zone = super::parse(&zone)?;
    let form = AnnounceForm::from_now(page.now);
    shown(&app, page, zone, form, Errors::default()).await
}

/// The page with a form for an announcement, and what is wrong with that form.
pub(super) async fn shown(
    app: &App,
    page: Page,
    zone: Name,
    form: AnnounceForm,
    errors: Errors,
) -> Result<Response, WebError> {
    let watched = watch::by_zone(&app.records, &zone).await?;
    let state = match &watched {
        Some(watched) => watch::state(&app.records, watched.id).await?,
        None => None,
    };
    let organisation = match watched.as_ref().and_then(|watched| watched.watch.organisation) {
        Some(id) => directory::get(&app.records, id).await.ok(),
        None => None,
    };
    let expected = watched.as_ref().and_then(|watched| watched.watch.expected.as_ref());
    let round = state.as_ref().map(|state| &state.round);
    let seen = round.and_then(|round| round.seen.as_ref());
    let all = round.map(|round| round.findings.clone()).unwrap_or_default();
    let servers = round.map(|round| super::servers(&round.servers)).unwrap_or_default();
    let graph = round
        .map(|_| charts::delegation_graph(&delegation::graph(&zone, expected, seen, &servers, &all), page.texts()));
    let lines = delegation::compare(expected, seen);
    let chain = delegation::chain(seen, &all);
    let (findings, quiet, hidden) = sorted(all);
    let history = history(app, &page, &zone).await;
    let known = history.is_ok();
    let History {
        days,
        rtts,
        changes,
        seen_from,
    } = history.unwrap_or_else(|error| {
        tracing::warn!("the history of a zone cannot be read: {error}");
        History {
            changes: Some(Vec::new()),
            ..History::default()
        }
    });
    let strip = charts::strip(&days, page.texts());
    let servers = servers
        .into_iter()
        .map(|server| {
            let points = points(&rtts, &server);
            (server, charts::sparkline(&points, page.texts()))
        })
        .collect();
    let announcements = announcement::current(&app.records, &zone, page.now).await?;
    let regions = regions::by_region(&seen_from, &vantage::list(&app.records).await?);
    let known_of_zone = Known {
        state: state.as_ref(),
        expected,
        differs: delegation::differs(&lines),
        announcements: &announcements,
    };
    let score = ZoneScore::of(&page, &regions, &known_of_zone);
    let may_edit = page.has(Capability::EditWatchList);
    let may_route = page.has(Capability::SeeDirectory);
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = Show {
        page,
        errors,
        form,
        health: health(state.as_ref()),
        watched,
        state,
        organisation,
        chain,
        graph,
        lines,
        servers,
        strip,
        findings,
        quiet,
        hidden,
        changes,
        history: known,
        announcements,
        score,
        regions,
        may_edit,
        may_route,
        zone,
    };
    shell::show_with(status, page)
}

/// Findings worst first; how many of them nobody has to look at, and how many are not shown.
fn sorted(mut all: Vec<Finding>) -> (Vec<Finding>, usize, usize) {
    let before = all.len();
    all.retain(|finding| finding.level >= Level::Notice);
    let quiet = before - all.len();
    all.sort_by(|a, b| (b.level, &a.case, &a.tag).cmp(&(a.level, &b.case, &b.tag)));
    let hidden = all.len().saturating_sub(FINDINGS);
    all.truncate(FINDINGS);
    (all, quiet, hidden)
}

#[derive(Default)]
struct History {
    days: Vec<Day>,
    rtts: Vec<RttPoint>,
    changes: Option<Vec<ZoneChange>>,
    seen_from: Vec<SeenFrom>,
}

async fn history(app: &App, page: &Page, zone: &Name) -> Result<History, WebError> {
    let today = page.now.to_zoned(TimeZone::UTC).date();
    let first = today.saturating_sub((DAYS - 1).days());
    let measured = app.lake.daily(zone, first, today).await?;
    let days = first
        .series(1.day())
        .take_while(|date| *date <= today)
        .map(|date| match measured.iter().find(|day| day.day == date) {
            Some(day) => Day {
                date,
                health: day_health(day),
                asked: day.asked,
                answered: day.answered,
            },
            None => Day {
                date,
                health: Health::Unknown,
                asked: 0,
                answered: 0,
            },
        })
        .collect();
    let from = page
        .now
        .saturating_sub(SignedDuration::from_hours(HOURS))
        .unwrap_or(page.now);
    let rtts = app
        .lake
        .rtt_series(zone, from, page.now, SignedDuration::from_mins(30))
        .await?;
    let since = page
        .now
        .saturating_sub(SignedDuration::from_hours(24 * 365))
        .unwrap_or(page.now);
    let changes = super::changes(app, page, zone, (since, page.now), CHANGES).await?;
    let seen_from = app.lake.by_vantage_point(zone, from, page.now).await?;
    Ok(History {
        days,
        rtts,
        changes,
        seen_from,
    })
}

/// How a day went by its answers. Half of the questions lost is a zone that many could not use; two in a hundred is what
/// a lossy line costs. Chosen by us.
fn day_health(day: &lake::Day) -> Health {
    let good = day.answered.saturating_sub(day.failed);
    if day.asked == 0 {
        Health::Unknown
    } else if good.saturating_mul(2) < day.asked {
        Health::Broken
    } else if good.saturating_mul(100) < day.asked.saturating_mul(98) {
        Health::Impaired
    } else {
        Health::Good
    }
}

fn points(rtts: &[RttPoint], server: &ServerState) -> Vec<Point> {
    rtts.iter()
        .filter(|point| {
            point.address == server.address && point.server.as_ref().is_none_or(|name| *name == server.name)
        })
        .map(|point| Point {
            time: point.time,
            asked: point.asked,
            answered: point.answered,
            rtt_us: point.rtt_median_us,
        })
        .collect()
}

impl Show {
    fn differs(&self) -> bool {
        delegation::differs(&self.lines)
    }

    fn is_expected_known(&self) -> bool {
        self.watched
            .as_ref()
            .is_some_and(|watched| watched.watch.expected.is_some())
    }

    fn is_seen(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.round.seen.is_some())
    }

    /// Serials that the servers give, when they are not all the same.
    fn serials_differ(&self) -> bool {
        let mut serials = self.servers.iter().filter_map(|(server, _)| server.serial);
        let first = serials.next();
        serials.any(|serial| Some(serial) != first)
    }

    /// Id of the word for how the zone does.
    fn switch(&self) -> Vec<(String, String)> {
        [("on", "zone-enabled-on"), ("off", "zone-paused")]
            .map(|(value, text_id)| (value.to_owned(), self.page.t(text_id)))
            .to_vec()
    }

    fn switched(&self) -> &'static str {
        if self.watched.as_ref().is_some_and(|watched| watched.watch.enabled) {
            "on"
        } else {
            "off"
        }
    }
}
