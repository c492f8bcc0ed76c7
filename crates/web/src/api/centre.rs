//! The centre itself and its vantage points, for programs of the team.

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::{alerts, jobs, vantage, watch};
use model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Caller, Refusal};
use super::listing::{self, Listing, Problem, answer};
use crate::{App, Page};

/// How the centre does.
#[derive(Serialize, ToSchema)]
pub struct Centre {
    /// What hinders it, the gravest first; empty when nothing does.
    conditions: Vec<Condition>,
    /// Zones that are measured at present.
    watched_zones: usize,
    /// Of these, zones whose last round is older than three intervals or could not test them.
    late_zones: usize,
    jobs: Jobs,
    #[schema(value_type = Object)]
    alerts: alerts::Counts,
    tables: Vec<Table>,
    /// Data files that could not be read.
    damaged_files: Vec<String>,
}

/// Something that hinders the centre.
#[derive(Serialize, ToSchema)]
pub struct Condition {
    /// `records-unwritable`, `observations-unwritable`, `line-silent`, `clock-set`, `rounds-behind`, `machine-slow`, `transfers-failing` or `standing-by`.
    condition: String,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    detail: String,
}

/// What is still to be done.
#[derive(Serialize, ToSchema)]
pub struct Jobs {
    waiting: u64,
    running: u64,
    /// Of all these, jobs that failed before.
    failed_before: u64,
    #[schema(value_type = Option<String>, format = DateTime)]
    next_due: Option<Timestamp>,
}

/// A table of observations.
#[derive(Serialize, ToSchema)]
pub struct Table {
    table: String,
    rows: u64,
    files: usize,
    bytes: u64,
    /// Rows that are durable and not in the table yet.
    waiting: usize,
}

/// Says how the centre does.
#[utoipa::path(get, path = "/api/v1/centre", tag = "centre", security(("token" = [])),
    responses((status = 200, body = Centre), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn centre(
    State(app): State<App>,
    caller: Caller,
    axum::Extension(page): axum::Extension<Page>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    caller.may_see(Capability::SeeCentre)?;
    let zones = watch::standings(&app.records).await?;
    let queue = jobs::queue(&app.records).await?;
    let condition = |holds: crate::condition::Holds| Condition {
        condition: holds.condition.as_str().to_owned(),
        since: holds.since,
        detail: holds.detail,
    };
    let table = |table: lake::TableStatistics| Table {
        table: table.table.to_string(),
        rows: table.rows,
        files: table.files,
        bytes: table.bytes,
        waiting: table.waiting,
    };
    let damaged = app.lake.damaged().into_iter();
    let centre = Centre {
        conditions: app.conditions.current().into_iter().map(condition).collect(),
        watched_zones: zones.iter().filter(|zone| zone.enabled).count(),
        late_zones: zones
            .iter()
            .filter(|zone| crate::centre::is_late(zone, page.now))
            .count(),
        jobs: Jobs {
            waiting: queue.waiting,
            running: queue.running,
            failed_before: queue.failed_before,
            next_due: jobs::next_due(&app.records, None).await?,
        },
        alerts: alerts::counts(&app.records).await?,
        tables: app.lake.statistics().await?.into_iter().map(table).collect(),
        damaged_files: damaged.map(|damage| damage.file.display().to_string()).collect(),
    };
    answer(&headers, &centre)
}

/// A vantage point.
#[derive(Serialize, ToSchema)]
pub struct VantagePoint {
    /// Its name: samples and findings bear it.
    name: String,
    /// `probe`: it asks; `sensor`: it listens.
    kind: &'static str,
    /// `working`, `silent`, `new` or `revoked`.
    standing: &'static str,
    region: String,
    /// ISO 3166-1 alpha-2.
    country: String,
    city: String,
    /// Number of its network's autonomous system.
    asn: Option<u32>,
    ipv4: bool,
    ipv6: bool,
    /// When it was heard last.
    #[schema(value_type = Option<String>, format = DateTime)]
    contact: Option<Timestamp>,
    /// Version of its software.
    version: String,
    /// Its clock less ours, in microseconds.
    clock_offset_us: Option<i64>,
    /// Parts that wait in its spool.
    spool_parts: u64,
    /// Since when the oldest of them waits.
    #[schema(value_type = Option<String>, format = DateTime)]
    oldest_part: Option<Timestamp>,
    /// Samples, of a sensor rows, taken from it.
    samples: u64,
    /// Samples, of a sensor rows, that its spool had no room for.
    dropped_samples: u64,
    /// Packets that passed a sensor and that it could not read, since it was started.
    lost_packets: u64,
    /// Parts that were refused.
    refused_parts: u64,
}

/// Lists the vantage points by name.
#[utoipa::path(get, path = "/api/v1/vantage-points", tag = "centre", params(listing::From), security(("token" = [])),
    responses((status = 200, body = Listing<VantagePoint>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn vantage_points(
    State(app): State<App>,
    caller: Caller,
    axum::Extension(page): axum::Extension<Page>,
    headers: HeaderMap,
    Query(from): Query<listing::From>,
) -> Result<Response, Refusal> {
    caller.may_see(Capability::SeeWatchList)?;
    let mut all = vantage::states(&app.records).await?;
    all.sort_by(|(a, _), (b, _)| a.profile.name.cmp(&b.profile.name));
    let part = from.cut(all, |(one, _)| one.profile.name.clone())?;
    let silent_after_secs = app.settings.plan.silent_after_secs;
    let told = |(one, state): (vantage::VantagePoint, vantage::State)| VantagePoint {
        kind: if one.terms.is_some() { "sensor" } else { "probe" },
        standing: match vantage::standing(&one, &state, silent_after_secs, page.now) {
            vantage::Standing::Working => "working",
            vantage::Standing::Silent => "silent",
            vantage::Standing::New => "new",
            vantage::Standing::Revoked => "revoked",
        },
        name: one.profile.name,
        region: one.profile.place.region.to_string(),
        country: one.profile.place.country,
        city: one.profile.place.city,
        asn: one.profile.asn,
        ipv4: one.profile.ipv4,
        ipv6: one.profile.ipv6,
        contact: state.contact,
        version: state.report.version,
        clock_offset_us: state.report.clock_offset_us,
        spool_parts: state.report.spool_parts,
        oldest_part: state.report.oldest_part,
        samples: state.samples,
        dropped_samples: state.report.dropped_samples,
        lost_packets: state.report.lost_packets,
        refused_parts: state.refused_parts,
    };
    answer(&headers, &part.map(told))
}
