//! Organisations as operators of zones and servers, for programs.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use csirt::accounts::Capability;
use model::Health;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Caller, Refusal};
use super::listing::{self, Listing, Problem, answer};
use super::zones::{Zone, listed};
use crate::{App, Page, WebError, operators};

/// An organisation as an operator.
#[derive(Serialize, ToSchema)]
pub struct Operator {
    /// Its id in the directory.
    organisation: String,
    name: String,
    /// How many of its watched zones are `good`, `impaired`, `broken` and `unknown`.
    health: BTreeMap<String, usize>,
    /// The servers of its zones, the worst first.
    servers: Vec<OperatorServer>,
    /// Zones whose servers were not looked at: the thousand that do worst are.
    unread_zones: usize,
}

/// A server of an operator's zones.
#[derive(Serialize, ToSchema)]
pub struct OperatorServer {
    address: String,
    names: Vec<String>,
    /// How it does for the zone that it serves worst.
    health: String,
    /// Zones of the operator that it serves or should serve.
    zones: usize,
    /// Those of them that it answered for in their last rounds.
    serving: usize,
    /// How it answered over the last 24 hours; null where no sample was read.
    seen: Option<OperatorSeen>,
    /// Findings at NOTICE or above that name it.
    findings: usize,
    /// The worst level of these.
    worst: Option<String>,
}

/// How a server answered when it was asked for one zone.
#[derive(Serialize, ToSchema)]
pub struct OperatorSeen {
    zone: String,
    asked: u64,
    answered: u64,
    rtt_median_us: Option<u64>,
    rtt_p95_us: Option<u64>,
}

fn told(operator: operators::Operator) -> Operator {
    let count = |one| operator.zones.iter().filter(|zone| zone.health == one).count();
    Operator {
        organisation: operator.organisation.id.to_string(),
        health: Health::ALL.iter().map(|one| (one.to_string(), count(*one))).collect(),
        name: operator.organisation.profile.name,
        servers: operator.servers.into_iter().map(server).collect(),
        unread_zones: operator.unread,
    }
}

fn server(server: operators::Server) -> OperatorServer {
    OperatorServer {
        address: server.address.to_string(),
        names: server.names.iter().map(ToString::to_string).collect(),
        health: server.health.to_string(),
        zones: server.zones,
        serving: server.serving,
        seen: server.seen.map(|seen| OperatorSeen {
            zone: seen.zone.to_string(),
            asked: seen.answered.all,
            answered: seen.answered.good,
            rtt_median_us: seen.median_us,
            rtt_p95_us: seen.p95_us,
        }),
        findings: server.findings,
        worst: server.worst.map(|level| level.to_string()),
    }
}

/// One operator: how its zones do, and their servers.
#[utoipa::path(get, path = "/api/v1/operators/{organisation}", tag = "operators", params(("organisation" = String, Path)), security(("token" = [])),
    responses((status = 200, body = Operator), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    axum::Extension(page): axum::Extension<Page>,
    headers: HeaderMap,
    Path(organisation): Path<String>,
) -> Result<Response, Refusal> {
    caller.may_see(Capability::SeeWatchList)?;
    let organisation = organisation.parse().map_err(|_| WebError::NotFound)?;
    let operator = operators::Operator::gather(&app, organisation, page.now).await?;
    answer(&headers, &told(operator))
}

/// Lists the watched zones of one operator, the worst first.
#[utoipa::path(get, path = "/api/v1/operators/{organisation}/zones", tag = "operators", params(("organisation" = String, Path), listing::From), security(("token" = [])),
    responses((status = 200, body = Listing<Zone>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn zones(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(organisation): Path<String>,
    Query(from): Query<listing::From>,
) -> Result<Response, Refusal> {
    caller.may_see(Capability::SeeWatchList)?;
    let organisation = organisation.parse().map_err(|_| WebError::NotFound)?;
    let (_, zones) = operators::zones_of(&app, organisation).await?;
    answer(&headers, &from.cut_by_place(zones)?.map(listed))
}
