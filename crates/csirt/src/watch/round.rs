//! What the last round of measuring found of each watched zone, and when the next one is due.

use model::{Delegation, Finding, Health, Id, Level, Timestamp};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::Value;

use super::entity::{watched_zone, zone_state};
use super::{WatchedZone, require};
use crate::Error;
use crate::records::{Actor, Records, column};

const TABLE: &str = "zone_state";

/// What one round of measuring found of one zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// When it began.
    pub time: Timestamp,
    /// What the test cases say.
    pub findings: Vec<Finding>,
    /// The delegation as the parent gave it; `None` where it gave none.
    pub seen: Option<Delegation>,
    /// The state of each server, as the measuring room writes it.
    pub servers: Value,
    /// The memory of the detectors after this round.
    pub detectors: Value,
    /// Why the zone could not be tested, where it could not: the centre's own trouble, not the zone's.
    pub untestable: Option<String>,
}

/// How a watched zone stands.
#[derive(Debug, Clone, PartialEq)]
pub struct ZoneState {
    /// The last round.
    pub round: Round,
    /// Worst level of its findings; `None` without findings.
    pub worst: Option<Level>,
    /// Since when the worst level is what it is.
    pub since: Timestamp,
    /// Rounds in a row that could not test the zone.
    pub failures: u32,
}

/// Rounds in a row without a test from which on the last findings count no more. Chosen by us: five minutes at the usual
/// interval; fewer, and a short trouble of our own line would make every zone unknown.
const LOST: u32 = 5;

impl ZoneState {
    /// How the zone does.
    pub fn health(&self) -> Health {
        if self.failures >= LOST {
            return Health::Unknown;
        }
        let secured = self.round.seen.as_ref().map(|seen| !seen.ds.is_empty());
        Health::of(&self.round.findings, secured)
    }
}

/// How a zone does; unknown before its first round.
pub fn health(state: Option<&ZoneState>) -> Health {
    state.map_or(Health::Unknown, ZoneState::health)
}

/// Keeps a round as the latest state of the zone. One that began before the round that is kept is dropped, so that late
/// rounds do no harm. A round that could not test the zone keeps the findings, the delegation and the servers of the one
/// before and counts as a failure. Fails with `NotFound` when the zone was taken from the list meanwhile.
pub async fn record_round(records: &Records, id: Id<WatchedZone>, round: Round) -> Result<ZoneState, Error> {
    let change = records.begin(Actor::System).await?;
    require(change.db(), id).await?;
    let old = zone_state::Entity::find_by_id(id.to_string()).one(change.db()).await?;
    let old = old.map(ZoneState::try_from).transpose()?;
    let time = column::whole_microseconds(round.time);
    if let Some(old) = old.as_ref().filter(|old| old.round.time > time) {
        return Ok(old.clone());
    }
    let state = follow(old.as_ref(), Round { time, ..round });
    let row = zone_state::ActiveModel::from(row(id, &state)).reset_all();
    match old {
        None => drop(
            zone_state::Entity::insert(row)
                .exec_without_returning(change.db())
                .await?,
        ),
        Some(_) => drop(zone_state::Entity::update(row).exec(change.db()).await?),
    }
    change.commit().await?;
    Ok(state)
}

/// The state after `round`.
fn follow(old: Option<&ZoneState>, mut round: Round) -> ZoneState {
    let failures = match &round.untestable {
        None => 0,
        Some(_) => old.map_or(0, |old| old.failures).saturating_add(1),
    };
    if let (Some(_), Some(old)) = (&round.untestable, old) {
        round.findings.clone_from(&old.round.findings);
        round.seen.clone_from(&old.round.seen);
        round.servers.clone_from(&old.round.servers);
    }
    let worst = round.findings.iter().map(|finding| finding.level).max();
    let since = old.filter(|old| old.worst == worst).map_or(round.time, |old| old.since);
    ZoneState {
        worst,
        since,
        failures,
        round,
    }
}

/// How this zone stands; `None` before its first round.
pub async fn state(records: &Records, id: Id<WatchedZone>) -> Result<Option<ZoneState>, Error> {
    let row = zone_state::Entity::find_by_id(id.to_string()).one(records.db()).await?;
    row.map(ZoneState::try_from).transpose()
}

/// All zones of the list with how they stand, in the order of names.
pub async fn states(records: &Records) -> Result<Vec<(WatchedZone, Option<ZoneState>)>, Error> {
    let rows = rows(records, false).await?;
    rows.into_iter()
        .map(|(zone, state)| Ok((zone.try_into()?, state.map(ZoneState::try_from).transpose()?)))
        .collect()
}

/// The zones whose next round is due at `now`, the longest overdue first. A zone without a round is due at once.
pub async fn due(records: &Records, now: Timestamp) -> Result<Vec<(WatchedZone, Option<ZoneState>)>, Error> {
    let mut due = Vec::new();
    for (zone, state) in rows(records, true).await? {
        let at_us = due_at_us(&zone, state.as_ref());
        if at_us <= now.as_microsecond() {
            due.push((at_us, zone, state));
        }
    }
    due.sort_by_key(|(at_us, ..)| *at_us);
    due.into_iter()
        .map(|(_, zone, state)| Ok((zone.try_into()?, state.map(ZoneState::try_from).transpose()?)))
        .collect()
}

/// When the next round of any zone is due; `None` when no zone is watched.
pub async fn next_due(records: &Records) -> Result<Option<Timestamp>, Error> {
    let rows = rows(records, true).await?;
    let at_us = rows.iter().map(|(zone, state)| due_at_us(zone, state.as_ref())).min();
    column::time_opt(TABLE, "next", at_us)
}

async fn rows(
    records: &Records,
    enabled_only: bool,
) -> Result<Vec<(watched_zone::Model, Option<zone_state::Model>)>, Error> {
    let mut zones = watched_zone::Entity::find();
    let mut states = zone_state::Entity::find();
    if enabled_only {
        zones = zones.filter(watched_zone::Column::Enabled.eq(true));
    }
    states = states.order_by_asc(zone_state::Column::WatchedZone);
    let mut states: std::collections::HashMap<String, zone_state::Model> = states
        .all(records.db())
        .await?
        .into_iter()
        .map(|state| (state.watched_zone.clone(), state))
        .collect();
    let zones = zones.order_by_asc(watched_zone::Column::Zone).all(records.db()).await?;
    Ok(zones
        .into_iter()
        .map(|zone| {
            let state = states.remove(&zone.id);
            (zone, state)
        })
        .collect())
}

fn due_at_us(zone: &watched_zone::Model, state: Option<&zone_state::Model>) -> i64 {
    state.map_or(zone.created_at_us, |state| {
        state.at_us.saturating_add(zone.interval_secs.saturating_mul(1_000_000))
    })
}

fn row(id: Id<WatchedZone>, state: &ZoneState) -> zone_state::Model {
    zone_state::Model {
        watched_zone: id.to_string(),
        at_us: state.round.time.as_microsecond(),
        worst: state.worst.map(|level| level.as_str().to_owned()),
        findings: column::to_json(&state.round.findings),
        seen: state.round.seen.as_ref().map(column::to_json),
        servers: state.round.servers.to_string(),
        detectors: state.round.detectors.to_string(),
        failures: i64::from(state.failures),
        untestable: state.round.untestable.clone(),
        changed_at_us: state.since.as_microsecond(),
    }
}

impl TryFrom<zone_state::Model> for ZoneState {
    type Error = Error;

    fn try_from(row: zone_state::Model) -> Result<Self, Error> {
        let id = &row.watched_zone;
        let round = Round {
            time: column::time(TABLE, id, row.at_us)?,
            findings: column::json(TABLE, id, &row.findings)?,
            seen: row
                .seen
                .as_deref()
                .map(|json| column::json(TABLE, id, json))
                .transpose()?,
            servers: column::json(TABLE, id, &row.servers)?,
            detectors: column::json(TABLE, id, &row.detectors)?,
            untestable: row.untestable,
        };
        Ok(Self {
            round,
            worst: column::parse_opt(TABLE, id, row.worst.as_deref())?,
            since: column::time(TABLE, id, row.changed_at_us)?,
            failures: u32::try_from(row.failures).map_err(|error| column::damaged(TABLE, id, error))?,
        })
    }
}
