//! The watch list: which zones are measured again and again, how they should be delegated, and how they stand.
//!
//! The centre measures a zone when it is [`due`] and hands the round to [`record_round`]. What the detectors remember between
//! rounds is kept here with the zone, so that a restart forgets nothing. Announced changes are in [`announcement`].

pub mod announcement;
mod entity;
mod many;
pub(crate) mod migration;
mod round;
mod standing;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use model::{Delegation, Id, Name, Timestamp};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

pub use announcement::{Announcement, NewAnnouncement};
pub use many::{add_all, taken};
pub use round::{
    Round, ZoneState, behind, due, health, newest, next_due, record_round, record_rounds, reschedule, state, states,
    states_doing, states_naming, states_of, watched_among,
};
pub(crate) use round::{Serving, serving};
pub use standing::{Standing, standings};

use crate::Error;
use crate::directory::{Organisation, Region, Servers};
use crate::records::{Actor, Records, column};
use entity::watched_zone::{ActiveModel, Column, Entity, Model};

const TABLE: &str = "watched_zone";

/// Interval where none is given. The aim is one minute from a fault to its detection.
pub const DEFAULT_INTERVAL_SECS: u32 = 60;

/// Shortest interval; chosen by us: shorter would burden the servers of others more than it tells us.
pub const MIN_INTERVAL_SECS: u32 = 5;

/// Longest interval: a week.
pub const MAX_INTERVAL_SECS: u32 = 7 * 24 * 3600;

/// A zone on the watch list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedZone {
    /// Its id.
    pub id: Id<WatchedZone>,
    /// How it is watched.
    pub watch: Watch,
    /// Since when it is on the list.
    pub created: Timestamp,
}

/// How a zone is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// The zone.
    pub zone: Name,
    /// How the parent should delegate it; `None` until somebody says or confirms it.
    pub expected: Option<Delegation>,
    /// Seconds from the beginning of one round to the beginning of the next.
    pub interval_secs: u32,
    /// Where it belongs on the map.
    pub region: Option<Region>,
    /// Whose it is, for that organisation's own page.
    pub organisation: Option<Id<Organisation>>,
    /// Whether it is measured at present.
    pub enabled: bool,
}

impl Watch {
    /// A zone watched at the default interval, with nothing else known of it.
    pub fn new(zone: Name) -> Self {
        Self {
            zone,
            expected: None,
            interval_secs: DEFAULT_INTERVAL_SECS,
            region: None,
            organisation: None,
            enabled: true,
        }
    }
}

/// Puts a zone on the list. Fails with `Conflict` when it is there, with `Invalid`, or with `NotFound` for its organisation.
pub async fn add(records: &Records, actor: Actor, watch: &Watch) -> Result<WatchedZone, Error> {
    check(watch)?;
    let mut change = records.begin(actor).await?;
    if row_of(change.db(), &watch.zone).await?.is_some() {
        return Err(Error::conflict(format!("`{}` is on the watch list", watch.zone)));
    }
    if let Some(organisation) = watch.organisation {
        crate::directory::require(change.db(), organisation).await?;
    }
    let watched = WatchedZone {
        id: change.new_id(),
        watch: watch.clone(),
        created: change.now(),
    };
    Entity::insert(ActiveModel::from(row(&watched)).reset_all())
        .exec_without_returning(change.db())
        .await?;
    note(&mut change, watched.id, None, watch);
    change.commit().await?;
    Ok(watched)
}

/// Changes how a zone is watched. Fails with `NotFound`, or with `Invalid` (also for another zone than before).
pub async fn update(records: &Records, actor: Actor, id: Id<WatchedZone>, watch: &Watch) -> Result<WatchedZone, Error> {
    check(watch)?;
    let mut change = records.begin(actor).await?;
    let old = require(change.db(), id).await?;
    if old.watch.zone != watch.zone {
        return Err(Error::invalid("zone", "it never changes; add the other zone"));
    }
    if let Some(organisation) = watch.organisation {
        crate::directory::require(change.db(), organisation).await?;
    }
    let new = WatchedZone {
        watch: watch.clone(),
        ..old.clone()
    };
    Entity::update(ActiveModel::from(row(&new)).reset_all())
        .exec(change.db())
        .await?;
    if old.watch.interval_secs != watch.interval_secs {
        round::make_due(change.db(), id).await?;
    }
    note(&mut change, id, Some(&old.watch), watch);
    change.commit().await?;
    Ok(new)
}

/// Takes a zone from the list together with its state. Fails with `NotFound`. To pause it, switch `enabled` off instead.
pub async fn remove(records: &Records, actor: Actor, id: Id<WatchedZone>) -> Result<(), Error> {
    let mut change = records.begin(actor).await?;
    let old = require(change.db(), id).await?;
    entity::zone_state::Entity::delete_by_id(id.to_string())
        .exec(change.db())
        .await?;
    Entity::delete_by_id(id.to_string()).exec(change.db()).await?;
    change.audit("watched_zone", id, "zone", Some(&old.watch.zone.to_string()), None);
    change.commit().await
}

/// Says that the zone is meant to be delegated so from now on: after a change that turned out to be right, or at first
/// sight. Fails with `NotFound`.
pub async fn set_expected(
    records: &Records,
    actor: Actor,
    id: Id<WatchedZone>,
    expected: &Delegation,
) -> Result<WatchedZone, Error> {
    let old = get(records, id).await?;
    update(
        records,
        actor,
        id,
        &Watch {
            expected: Some(expected.clone()),
            ..old.watch
        },
    )
    .await
}

/// The entry with this id. Fails with `NotFound`.
pub async fn get(records: &Records, id: Id<WatchedZone>) -> Result<WatchedZone, Error> {
    require(records.db(), id).await
}

/// The entry of this zone, or `None`.
pub async fn by_zone(records: &Records, zone: &Name) -> Result<Option<WatchedZone>, Error> {
    row_of(records.db(), zone).await?.map(WatchedZone::try_from).transpose()
}

/// How this zone should be delegated, where it is watched and somebody said so.
pub async fn expected_of(records: &Records, zone: &Name) -> Result<Option<Delegation>, Error> {
    Ok(by_zone(records, zone).await?.and_then(|watched| watched.watch.expected))
}

/// How each zone of the list should be delegated, where somebody said so.
pub async fn expected(records: &Records) -> Result<BTreeMap<Name, Delegation>, Error> {
    let zones = list(records).await?.into_iter().map(|watched| watched.watch);
    Ok(zones.filter_map(|watch| Some((watch.zone, watch.expected?))).collect())
}

/// All zones on the list, in the order of names.
pub async fn list(records: &Records) -> Result<Vec<WatchedZone>, Error> {
    let rows = Entity::find().order_by_asc(Column::Zone).all(records.db()).await?;
    rows.into_iter().map(WatchedZone::try_from).collect()
}

/// The zones of one organisation, in the order of names.
pub async fn of_organisation(records: &Records, organisation: Id<Organisation>) -> Result<Vec<WatchedZone>, Error> {
    let whose = Column::Organisation.eq(organisation.to_string());
    let rows = Entity::find()
        .filter(whose)
        .order_by_asc(Column::Zone)
        .all(records.db())
        .await?;
    rows.into_iter().map(WatchedZone::try_from).collect()
}

/// The servers of the first of `zones` that is watched.
pub(crate) async fn servers_of(records: &Records, zones: &[Name]) -> Result<Option<Servers>, Error> {
    for zone in zones {
        if let Some(watched) = by_zone(records, zone).await? {
            let state = state(records, watched.id).await?;
            return Ok(Some(servers(&Serving {
                watched,
                seen: state.as_ref().and_then(|state| state.round.seen.clone()),
                servers: state.map(|state| state.round.servers).unwrap_or_default(),
            })));
        }
    }
    Ok(None)
}

/// The servers of all watched zones.
pub(crate) async fn all_servers(records: &Records) -> Result<Vec<Servers>, Error> {
    Ok(serving(records).await?.iter().map(servers).collect())
}

/// The expected delegation before the one seen: after a hijack the latter names the attacker's servers.
pub(crate) fn servers(serving: &Serving) -> Servers {
    let watch = &serving.watched.watch;
    let delegation = watch.expected.as_ref().or(serving.seen.as_ref());
    let measured: Vec<Measured> = serving
        .servers
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|server| serde_json::from_value(server.clone()).ok())
        .collect();
    let names = delegation
        .iter()
        .flat_map(|delegation| &delegation.ns)
        .map(|(name, glue)| {
            let found = measured
                .iter()
                .filter(|server| server.name == *name)
                .map(|server| server.address);
            let addresses: BTreeSet<IpAddr> = glue.iter().copied().chain(found).collect();
            (name.clone(), addresses.into_iter().collect())
        });
    Servers {
        zone: watch.zone.clone(),
        names: names.collect(),
    }
}

/// What routing reads of a server's state; the rest is for pages.
#[derive(serde::Deserialize)]
struct Measured {
    name: Name,
    address: IpAddr,
}

async fn require(db: &impl ConnectionTrait, id: Id<WatchedZone>) -> Result<WatchedZone, Error> {
    let row = Entity::find_by_id(id.to_string()).one(db).await?;
    row.ok_or_else(|| Error::not_found("watched zone", id))?.try_into()
}

async fn row_of(db: &impl ConnectionTrait, zone: &Name) -> Result<Option<Model>, Error> {
    Ok(Entity::find().filter(Column::Zone.eq(zone.to_string())).one(db).await?)
}

fn check(watch: &Watch) -> Result<(), Error> {
    if !(MIN_INTERVAL_SECS..=MAX_INTERVAL_SECS).contains(&watch.interval_secs) {
        return Err(Error::invalid(
            "interval_secs",
            format!("it must be {MIN_INTERVAL_SECS} to {MAX_INTERVAL_SECS}"),
        ));
    }
    Ok(())
}

fn note(change: &mut crate::Change, id: Id<WatchedZone>, old: Option<&Watch>, new: &Watch) {
    let texts = |watch: &Watch| {
        [
            ("zone", Some(watch.zone.to_string())),
            ("expected", watch.expected.as_ref().map(column::to_json)),
            ("interval_secs", Some(watch.interval_secs.to_string())),
            ("region", watch.region.map(|region| region.to_string())),
            (
                "organisation",
                watch.organisation.map(|organisation| organisation.to_string()),
            ),
            ("enabled", Some(watch.enabled.to_string())),
        ]
    };
    let before = old.map(texts);
    for (place, (field, after)) in texts(new).into_iter().enumerate() {
        let before = before.as_ref().and_then(|before| before[place].1.as_deref());
        change.audit("watched_zone", id, field, before, after.as_deref());
    }
}

fn row(watched: &WatchedZone) -> Model {
    let Watch {
        zone,
        expected,
        interval_secs,
        region,
        organisation,
        enabled,
    } = &watched.watch;
    Model {
        id: watched.id.to_string(),
        zone: zone.to_string(),
        expected: expected.as_ref().map(column::to_json),
        interval_secs: i64::from(*interval_secs),
        region: region.map(|region| region.to_string()),
        organisation: organisation.map(|organisation| organisation.to_string()),
        enabled: *enabled,
        created_at_us: watched.created.as_microsecond(),
    }
}

impl TryFrom<Model> for WatchedZone {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        let id = &row.id;
        let watch = Watch {
            zone: column::parse(TABLE, id, &row.zone)?,
            expected: row
                .expected
                .as_deref()
                .map(|json| column::json(TABLE, id, json))
                .transpose()?,
            interval_secs: u32::try_from(row.interval_secs).map_err(|error| column::damaged(TABLE, id, error))?,
            region: column::parse_opt(TABLE, id, row.region.as_deref())?,
            organisation: column::parse_opt(TABLE, id, row.organisation.as_deref())?,
            enabled: row.enabled,
        };
        Ok(Self {
            id: column::parse(TABLE, id, id)?,
            watch,
            created: column::time(TABLE, id, row.created_at_us)?,
        })
    }
}
