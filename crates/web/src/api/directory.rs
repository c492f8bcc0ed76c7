//! The directory and routing for programs.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::directory::{self, Profile, Target};
use model::{Language, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::{Caller, Refusal};
use super::listing::{self, Listing, Problem, answer};
use crate::{App, WebError};

/// An organisation.
#[derive(Serialize, ToSchema)]
pub struct Organisation {
    /// Its id.
    id: String,
    /// When the entry was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated: Timestamp,
    /// All that the directory says of it, in the form of its import files.
    #[schema(value_type = Object)]
    profile: Profile,
}

fn told(organisation: directory::Organisation) -> Organisation {
    Organisation {
        id: organisation.id.to_string(),
        updated: organisation.updated,
        profile: organisation.profile,
    }
}

/// Which organisations.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Words that must all be found in the entry.
    q: Option<String>,
}

/// Lists organisations by id.
#[utoipa::path(get, path = "/api/v1/directory", tag = "directory", params(Wanted, listing::From), security(("token" = [])),
    responses((status = 200, body = Listing<Organisation>), (status = 401, body = Problem), (status = 422, body = Problem)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
    Query(from): Query<listing::From>,
) -> Result<Response, Refusal> {
    caller.may_see(Capability::SeeDirectory)?;
    let mut found = directory::search(&app.records, &wanted.q.unwrap_or_default()).await?;
    found.sort_by_key(|organisation| organisation.id);
    let part = from.cut(found, |organisation| organisation.id.to_string())?;
    answer(&headers, &part.map(told))
}

/// One organisation.
#[utoipa::path(get, path = "/api/v1/directory/{id}", tag = "directory", params(("id" = String, Path)), security(("token" = [])),
    responses((status = 200, body = Organisation), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    caller.may_see(Capability::SeeDirectory)?;
    let id = id.parse().map_err(|_| WebError::NotFound)?;
    answer(&headers, &told(directory::get(&app.records, id).await?))
}

/// Takes an organisation into the directory. The body is its profile, in the form of the import files.
#[utoipa::path(post, path = "/api/v1/directory", tag = "directory", request_body = Object, security(("token" = [])),
    responses((status = 201, body = Organisation), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Response), Refusal> {
    let actor = caller.may_do(Capability::EditDirectory)?;
    let profile: Profile = listing::read(&body)?;
    let made = directory::create(&app.records, actor, &profile).await?;
    Ok((StatusCode::CREATED, answer(&headers, &told(made))?))
}

/// Puts another profile in the place of an organisation's. Its handle never changes.
#[utoipa::path(put, path = "/api/v1/directory/{id}", tag = "directory", params(("id" = String, Path)), request_body = Object, security(("token" = [])),
    responses((status = 200, body = Organisation), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn replace(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let actor = caller.may_do(Capability::EditDirectory)?;
    let id = id.parse().map_err(|_| WebError::NotFound)?;
    let profile: Profile = listing::read(&body)?;
    let changed = directory::update(&app.records, actor, id, &profile).await?;
    answer(&headers, &told(changed))
}

/// What somebody is to answer for.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// A name or an address.
    target: String,
}

/// Who answers for something, the nearest first.
#[derive(Serialize, ToSchema)]
pub struct Answer {
    /// The target as it was understood.
    target: String,
    routes: Vec<Way>,
}

/// One who answers.
#[derive(Serialize, ToSchema)]
pub struct Way {
    organisation: Organisation,
    /// Why, in English, the nearest reason first.
    because: Vec<String>,
}

/// Says who answers for a name or address, and why.
#[utoipa::path(get, path = "/api/v1/route", tag = "directory", params(Asked), security(("token" = [])),
    responses((status = 200, body = Answer), (status = 401, body = Problem), (status = 422, body = Problem)))]
pub async fn route(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    caller.may_see(Capability::SeeDirectory)?;
    let target: Target = asked
        .target
        .parse()
        .map_err(|error| WebError::Invalid(format!("{error}")))?;
    let routes = directory::route(&app.records, &target)
        .await?
        .into_iter()
        .map(|route| Way {
            because: route
                .because
                .iter()
                .map(|because| because.text(Language::English))
                .collect(),
            organisation: told(route.organisation),
        })
        .collect();
    answer(
        &headers,
        &Answer {
            target: target.to_string(),
            routes,
        },
    )
}
