//! What the last round of measuring found of each watched zone, and when the next one is due.

use std::collections::HashMap;

use model::{Delegation, Finding, Health, Id, Level, Timestamp};
use sea_orm::ActiveModelTrait;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Statement};
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
    // one that is kept for a moment still to come is no later round: the clock went back
    let is_later = |old: &&ZoneState| old.round.time > time && old.round.time <= change.now();
    if let Some(old) = old.as_ref().filter(is_later) {
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
    let sql = "UPDATE watched_zone SET due_at_us = $1 + interval_secs * 1000000 WHERE id = $2";
    let values = [time.as_microsecond().into(), id.to_string().into()];
    change.db().execute_raw(statement(change.db(), sql, values)).await?;
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
    let rows = rows(records).await?;
    rows.into_iter()
        .map(|(zone, state)| Ok((zone.try_into()?, state.map(ZoneState::try_from).transpose()?)))
        .collect()
}

/// Zones that one look at what is due takes at most. More would hold them all in memory while only some are measured at a time.
const MOST_DUE: u64 = 1_000;

/// The zones whose next round is due at `now`, the longest overdue first, at most a thousand. A zone without a round is due at
/// once.
pub async fn due(records: &Records, now: Timestamp) -> Result<Vec<(WatchedZone, Option<ZoneState>)>, Error> {
    let sql = "SELECT id FROM watched_zone WHERE enabled AND due_at_us <= $1 ORDER BY due_at_us, zone LIMIT $2";
    let values = [now.as_microsecond().into(), MOST_DUE.cast_signed().into()];
    let rows = records.db().query_all_raw(statement(records.db(), sql, values)).await?;
    let ids: Vec<String> = rows.iter().map(|row| row.try_get("", "id")).collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let zones = watched_zone::Entity::find().filter(watched_zone::Column::Id.is_in(&ids));
    let states = zone_state::Entity::find().filter(zone_state::Column::WatchedZone.is_in(&ids));
    let (zones, states) = tokio::try_join!(zones.all(records.db()), states.all(records.db()))?;
    let mut zones: HashMap<String, watched_zone::Model> = zones.into_iter().map(|row| (row.id.clone(), row)).collect();
    let mut states: HashMap<String, zone_state::Model> =
        states.into_iter().map(|row| (row.watched_zone.clone(), row)).collect();
    let found = ids.iter().filter_map(|id| Some((zones.remove(id)?, states.remove(id))));
    found
        .map(|(zone, state)| Ok((zone.try_into()?, state.map(ZoneState::try_from).transpose()?)))
        .collect()
}

/// When the next round of any zone is due, a time in the past for one without a round; `None` when no zone is watched.
pub async fn next_due(records: &Records) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT MIN(due_at_us) AS next_us FROM watched_zone WHERE enabled";
    let row = records.db().query_one_raw(statement(records.db(), sql, [])).await?;
    let next_us: Option<i64> = row.map(|row| row.try_get("", "next_us")).transpose()?.flatten();
    column::time_opt(TABLE, "next", next_us)
}

/// Makes due at once what is due later than an interval from `now`: a clock that went back would else leave zones alone until it
/// has caught up. Returns how many there were.
pub async fn reschedule(records: &Records, now: Timestamp) -> Result<u64, Error> {
    let late = "due_at_us > $1 + interval_secs * 1000000";
    let sql = format!("SELECT 1 AS late FROM watched_zone WHERE {late} LIMIT 1");
    let now_us = now.as_microsecond();
    let found = records
        .db()
        .query_one_raw(statement(records.db(), &sql, [now_us.into()]))
        .await?;
    if found.is_none() {
        return Ok(0);
    }
    let change = records.begin(Actor::System).await?;
    let sql = format!("UPDATE watched_zone SET due_at_us = $1 WHERE {late}");
    let done = change
        .db()
        .execute_raw(statement(change.db(), &sql, [now_us.into()]))
        .await?;
    change.commit().await?;
    Ok(done.rows_affected())
}

/// Makes a zone due at once: it is to be watched otherwise than before.
pub(super) async fn make_due(db: &impl ConnectionTrait, id: Id<WatchedZone>) -> Result<(), Error> {
    let sql = "UPDATE watched_zone SET due_at_us = 0 WHERE id = $1";
    db.execute_raw(statement(db, sql, [id.to_string().into()])).await?;
    Ok(())
}

fn statement<const N: usize>(db: &impl ConnectionTrait, sql: &str, values: [sea_orm::Value; N]) -> Statement {
    Statement::from_sql_and_values(db.get_database_backend(), sql, values)
}

async fn rows(records: &Records) -> Result<Vec<(watched_zone::Model, Option<zone_state::Model>)>, Error> {
    let mut states: HashMap<String, zone_state::Model> = zone_state::Entity::find()
        .all(records.db())
        .await?
        .into_iter()
        .map(|state| (state.watched_zone.clone(), state))
        .collect();
    let zones = watched_zone::Entity::find().order_by_asc(watched_zone::Column::Zone);
    let zones = zones.all(records.db()).await?;
    Ok(zones
        .into_iter()
        .map(|zone| {
            let state = states.remove(&zone.id);
            (zone, state)
        })
        .collect())
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
