//! The watch list as programs keep it: zones, how they should be delegated, and changes that are announced.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::watch::{self, NewAnnouncement, Watch, WatchedZone, announcement};
use model::{Delegation, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::caller::{Caller, Refusal};
use super::listing::{self, Listing, Problem, answer};
use super::zones::{Zone, in_full};
use crate::{App, WebError};

/// How a zone is watched. What is absent stays as it is, or as it is by default; what is null is taken away.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Watching {
    /// A-labels or U-labels. Needed for a new zone; it never changes.
    zone: Option<String>,
    /// Seconds between two rounds, 5 to 604800; 60 by default.
    interval_secs: Option<u32>,
    /// Whether it is measured at present; true by default.
    enabled: Option<bool>,
    /// Code of its region on the map.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    region: Option<Option<String>>,
    /// Id of the organisation whose it is.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    organisation: Option<Option<String>>,
    /// How it should be delegated: `{"ns": {"ns1.example.net": ["192.0.2.1"]}, "ds": ["12345,13,2,0F…"]}`.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Object>)]
    expected: Option<Option<Delegation>>,
}

/// Tells null from what is absent.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

impl Watching {
    fn put_into(self, watch: &mut Watch) -> Result<(), Refusal> {
        watch.interval_secs = self.interval_secs.unwrap_or(watch.interval_secs);
        watch.enabled = self.enabled.unwrap_or(watch.enabled);
        if let Some(region) = self.region {
            watch.region = region.map(|code| read(&code, "a region")).transpose()?;
        }
        if let Some(organisation) = self.organisation {
            watch.organisation = organisation
                .map(|id| read(&id, "an id of an organisation"))
                .transpose()?;
        }
        if let Some(expected) = self.expected {
            watch.expected = expected;
        }
        Ok(())
    }
}

fn read<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, Refusal> {
    text.parse()
        .map_err(|_| WebError::Invalid(format!("`{text}` is not {what}")).into())
}

async fn find(app: &App, zone: &str) -> Result<WatchedZone, Refusal> {
    let watched = watch::by_zone(&app.records, &crate::zones::parse(zone)?).await?;
    watched.ok_or_else(|| WebError::NotFound.into())
}

/// Puts a zone on the watch list.
#[utoipa::path(post, path = "/api/v1/zones", tag = "zones", request_body = Watching, security(("token" = [])),
    responses((status = 201, body = Zone), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn add(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Response), Refusal> {
    let actor = caller.may_do(Capability::EditWatchList)?;
    let new: Watching = listing::read(&body)?;
    let zone = new
        .zone
        .as_deref()
        .ok_or_else(|| WebError::Invalid("`zone` is missing".to_owned()))?;
    let mut watch = Watch::new(read(zone, "a name")?);
    new.put_into(&mut watch)?;
    let added = watch::add(&app.records, actor, &watch).await?;
    Ok((StatusCode::CREATED, answer(&headers, &in_full(added, None))?))
}

/// Changes how a zone is watched.
#[utoipa::path(patch, path = "/api/v1/zones/{zone}", tag = "zones", params(("zone" = String, Path)), request_body = Watching, security(("token" = [])),
    responses((status = 200, body = Zone), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(zone): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let actor = caller.may_do(Capability::EditWatchList)?;
    let mut watched = find(&app, &zone).await?;
    let settings: Watching = listing::read(&body)?;
    if let Some(other) = &settings.zone {
        watched.watch.zone = read(other, "a name")?;
    }
    settings.put_into(&mut watched.watch)?;
    let changed = watch::update(&app.records, actor, watched.id, &watched.watch).await?;
    let state = watch::state(&app.records, changed.id).await?;
    answer(&headers, &in_full(changed, state))
}

/// Takes a zone off the watch list. Its samples stay.
#[utoipa::path(delete, path = "/api/v1/zones/{zone}", tag = "zones", params(("zone" = String, Path)), security(("token" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn remove(State(app): State<App>, caller: Caller, Path(zone): Path<String>) -> Result<StatusCode, Refusal> {
    let actor = caller.may_do(Capability::EditWatchList)?;
    let watched = find(&app, &zone).await?;
    watch::remove(&app.records, actor, watched.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A change that is announced.
#[derive(Serialize, ToSchema)]
pub struct Announcement {
    id: String,
    zone: String,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// How the zone will be delegated; null when anything may come.
    #[schema(value_type = Option<Object>)]
    expected: Option<Delegation>,
    /// Who announced it.
    by: String,
    note: String,
    /// Since when it does not count any more.
    #[schema(value_type = Option<String>, format = DateTime)]
    withdrawn: Option<Timestamp>,
}

fn told(one: watch::Announcement) -> Announcement {
    Announcement {
        id: one.id.to_string(),
        zone: one.change.zone.to_string(),
        from: one.change.from,
        until: one.change.until,
        expected: one.change.expected,
        by: one.change.by,
        note: one.change.note,
        withdrawn: one.withdrawn,
    }
}

/// A change to be announced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// RFC 3339.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// RFC 3339, at most 60 days after `from`; 48 hours where nothing is expected.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// How the zone will be delegated; absent when anything may come.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    expected: Option<Delegation>,
    /// Who announces it.
    by: String,
    /// What is changed.
    #[serde(default)]
    note: String,
}

/// The announced changes of a zone, those that are over and withdrawn included.
#[utoipa::path(get, path = "/api/v1/zones/{zone}/announcements", tag = "zones", params(("zone" = String, Path), listing::From), security(("token" = [])),
    responses((status = 200, body = Listing<Announcement>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn announcements(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(zone): Path<String>,
    Query(from): Query<listing::From>,
) -> Result<Response, Refusal> {
    caller.may_see(Capability::SeeWatchList)?;
    let zone = find(&app, &zone).await?.watch.zone;
    let mut all = announcement::all(&app.records).await?;
    all.retain(|one| one.change.zone == zone);
    all.sort_by_key(|one| one.id);
    let part = from.cut(all, |one| one.id.to_string())?;
    answer(&headers, &part.map(told))
}

/// Announces a change: within its window it raises no alarm.
#[utoipa::path(post, path = "/api/v1/zones/{zone}/announcements", tag = "zones", params(("zone" = String, Path)), request_body = Planned, security(("token" = [])),
    responses((status = 201, body = Announcement), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn announce(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(zone): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Response), Refusal> {
    let actor = caller.may_do(Capability::EditWatchList)?;
    let zone = find(&app, &zone).await?.watch.zone;
    let planned: Planned = listing::read(&body)?;
    let new = NewAnnouncement {
        zone,
        from: planned.from,
        until: planned.until,
        expected: planned.expected,
        by: planned.by,
        note: planned.note,
    };
    let made = announcement::announce(&app.records, actor, new).await?;
    Ok((StatusCode::CREATED, answer(&headers, &told(made))?))
}

/// Withdraws an announcement: from now on the change is an alarm.
#[utoipa::path(delete, path = "/api/v1/zones/{zone}/announcements/{id}", tag = "zones", params(("zone" = String, Path), ("id" = String, Path)), security(("token" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn withdraw(
    State(app): State<App>,
    caller: Caller,
    Path((zone, id)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let actor = caller.may_do(Capability::EditWatchList)?;
    let zone = find(&app, &zone).await?.watch.zone;
    let all = announcement::all(&app.records).await?;
    let one = all
        .into_iter()
        .find(|one| one.change.zone == zone && one.id.to_string() == id);
    let one = one.ok_or(WebError::NotFound)?;
    announcement::withdraw(&app.records, actor, one.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
