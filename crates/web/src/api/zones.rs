//! Zones, their state and their samples for programs.

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::watch::{self, Standing, WatchedZone, ZoneState};
use jiff::SignedDuration;
use model::{Delegation, Finding, Sample, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::{Caller, Refusal};
use super::listing::{self, Listing, Problem, answer};
use crate::{App, Page, WebError};

/// Longest span of samples in one call.
const MOST_HOURS: i64 = 24 * 7;

/// A watched zone.
#[derive(Serialize, ToSchema)]
pub struct Zone {
    /// A-labels without the final dot.
    zone: String,
    /// U-labels, where they differ.
    unicode: Option<String>,
    /// `good`, `impaired`, `broken` or `unknown`.
    health: String,
    /// Worst level of the findings: `ERROR`.
    worst: Option<String>,
    /// Since when the worst level is what it is.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// When it was measured last.
    #[schema(value_type = Option<String>, format = DateTime)]
    measured_at: Option<Timestamp>,
    interval_secs: u32,
    enabled: bool,
    region: Option<String>,
    /// State in full; only where one zone is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Full>,
}

/// A zone's state in full.
#[derive(Serialize, ToSchema)]
pub struct Full {
    /// The delegation as it should be.
    #[schema(value_type = Option<Object>)]
    expected: Option<Delegation>,
    /// The delegation as the parent gave it.
    #[schema(value_type = Option<Object>)]
    seen: Option<Delegation>,
    /// What the test cases say.
    #[schema(value_type = Vec<Object>)]
    findings: Vec<Finding>,
    /// The state of each server.
    #[schema(value_type = Object)]
    servers: serde_json::Value,
    /// Why the zone could not be tested in the last round.
    untestable: Option<String>,
}

pub(super) fn listed(zone: Standing) -> Zone {
    Zone {
        unicode: zone.zone.unicode(),
        zone: zone.zone.to_string(),
        health: zone.health.to_string(),
        worst: zone.worst.map(|level| level.to_string()),
        since: zone.since,
        measured_at: zone.measured,
        interval_secs: zone.interval_secs,
        enabled: zone.enabled,
        region: zone.region.map(|region| region.to_string()),
        state: None,
    }
}

pub(super) fn in_full(watched: WatchedZone, state: Option<ZoneState>) -> Zone {
    let health = watch::health(state.as_ref());
    let worst = state.as_ref().and_then(|state| state.worst);
    let (since, measured_at) = (state.as_ref().map(|s| s.since), state.as_ref().map(|s| s.round.time));
    let round = state.map(|state| state.round);
    let full = Full {
        expected: watched.watch.expected,
        seen: round.as_ref().and_then(|round| round.seen.clone()),
        untestable: round.as_ref().and_then(|round| round.untestable.clone()),
        servers: round
            .as_ref()
            .map_or_else(|| serde_json::Value::Array(Vec::new()), |round| round.servers.clone()),
        findings: round.map(|round| round.findings).unwrap_or_default(),
    };
    Zone {
        unicode: watched.watch.zone.unicode(),
        zone: watched.watch.zone.to_string(),
        health: health.to_string(),
        worst: worst.map(|level| level.to_string()),
        since,
        measured_at,
        interval_secs: watched.watch.interval_secs,
        enabled: watched.watch.enabled,
        region: watched.watch.region.map(|region| region.to_string()),
        state: Some(full),
    }
}

/// Lists the watched zones by name.
#[utoipa::path(get, path = "/api/v1/zones", tag = "zones", params(listing::From), security(("token" = [])),
    responses((status = 200, body = Listing<Zone>), (status = 401, body = Problem), (status = 422, body = Problem)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Query(from): Query<listing::From>,
) -> Result<Response, Refusal> {
    caller.may_see(Capability::SeeWatchList)?;
    let mut all = watch::standings(&app.records).await?;
    all.sort_by_cached_key(|zone| zone.zone.to_string());
    let part = from.cut(all, |zone| zone.zone.to_string())?;
    answer(&headers, &part.map(listed))
}

/// One zone with its state in full. The root is `@`.
#[utoipa::path(get, path = "/api/v1/zones/{zone}", tag = "zones", params(("zone" = String, Path)), security(("token" = [])),
    responses((status = 200, body = Zone), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(zone): Path<String>,
) -> Result<Response, Refusal> {
    caller.may_see(Capability::SeeWatchList)?;
    let watched = watch::by_zone(&app.records, &crate::zones::parse(&zone)?)
        .await?
        .ok_or(WebError::NotFound)?;
    let state = watch::state(&app.records, watched.id).await?;
    answer(&headers, &in_full(watched, state))
}

/// Which samples.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Span {
    /// Beginning, RFC 3339; an hour before the end when absent.
    from: Option<String>,
    /// End (not included), RFC 3339; now when absent. At most seven days after the beginning.
    to: Option<String>,
}

/// The samples of a zone by time.
#[utoipa::path(get, path = "/api/v1/zones/{zone}/samples", tag = "zones", params(("zone" = String, Path), Span, listing::From), security(("token" = [])),
    responses((status = 200, body = Listing<Object>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn samples(
    State(app): State<App>,
    caller: Caller,
    axum::Extension(page): axum::Extension<Page>,
    headers: HeaderMap,
    Path(zone): Path<String>,
    Query(span): Query<Span>,
    Query(listing_from): Query<listing::From>,
) -> Result<Response, Refusal> {
    caller.may_see(Capability::SeeWatchList)?;
    let zone = crate::zones::parse(&zone)?;
    let to = moment(span.to.as_deref())?.unwrap_or(page.now);
    let hour_before = to.saturating_sub(SignedDuration::from_hours(1)).unwrap_or(to);
    let from = moment(span.from.as_deref())?.unwrap_or(hour_before);
    if to < from || to.duration_since(from).as_hours() > MOST_HOURS {
        return Err(WebError::Invalid(format!("`to` must be 0 to {MOST_HOURS} hours after `from`")).into());
    }
    let samples = app
        .lake
        .samples(&zone, from, to)
        .await?
        .into_iter()
        .enumerate()
        .collect();
    // Samples of one moment are told apart by their place.
    let part = listing_from.cut(samples, |(at, sample): &(usize, Sample)| {
        format!("{:020}-{at:08}", sample.time.as_microsecond())
    })?;
    answer(&headers, &part.map(|(_, sample)| sample))
}

fn moment(text: Option<&str>) -> Result<Option<Timestamp>, Refusal> {
    match text {
        None => Ok(None),
        Some(text) => {
            Ok(Some(text.parse().map_err(|_| {
                WebError::Invalid(format!("`{text}` is not a time of RFC 3339"))
            })?))
        }
    }
}
