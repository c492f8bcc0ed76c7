//! What the last round of measuring found of each watched zone, and when the next one is due.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use jiff::SignedDuration;
use model::{Delegation, Finding, Health, Id, Level, Name, Timestamp};
use sea_orm::ActiveModelTrait;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement};
use serde_json::Value;

use super::WatchedZone;
use super::entity::{watched_zone, zone_state};
use crate::Error;
use crate::records::{Actor, Change, Records, column};

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

/// Keeps a round as the latest state of the zone, as [`record_rounds`] does. Fails with `NotFound` when the zone was taken from the
/// list meanwhile.
pub async fn record_round(records: &Records, id: Id<WatchedZone>, round: Round) -> Result<ZoneState, Error> {
    let kept = record_rounds(records, vec![(id, round)]).await?;
    let state = kept.into_iter().next().flatten();
    state.ok_or_else(|| Error::not_found("watched zone", id))
}

/// Keeps rounds as the latest states of their zones, in one change: a change each would be too slow for many zones. Returns
/// the state of each in the same order, `None` for a zone that was taken from the list meanwhile.
///
/// A round that began before the one that is kept is dropped, so that late rounds do no harm. One that could not test the zone
/// keeps the findings, the delegation and the servers of the one before and counts as a failure.
pub async fn record_rounds(
    records: &Records,
    rounds: Vec<(Id<WatchedZone>, Round)>,
) -> Result<Vec<Option<ZoneState>>, Error> {
    let mut change = records.begin(Actor::System).await?;
    let mut kept = Vec::with_capacity(rounds.len());
    for (id, round) in rounds {
        kept.push(record(&change, id, round).await?);
    }
    change.count_rounds();
    change.commit().await?;
    Ok(kept)
}

async fn record(change: &Change, id: Id<WatchedZone>, round: Round) -> Result<Option<ZoneState>, Error> {
    let watched = watched_zone::Entity::find_by_id(id.to_string());
    if watched.one(change.db()).await?.is_none() {
        return Ok(None);
    }
    let old = zone_state::Entity::find_by_id(id.to_string()).one(change.db()).await?;
    let old = old.map(ZoneState::try_from).transpose()?;
    let time = column::whole_microseconds(round.time);
    // one that is kept for a moment still to come is no later round: the clock went back
    let is_later = |old: &&ZoneState| old.round.time > time && old.round.time <= change.now();
    if let Some(old) = old.as_ref().filter(is_later) {
        return Ok(Some(old.clone()));
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
    Ok(Some(state))
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

/// The zones whose next round is due at `now`, at most `limit`, without those in `under_way`. The one that is late by the most of
/// its own intervals comes first: a zone that is measured every five seconds need not wait behind thousands that are measured
/// every minute. A zone without a round is due at once and late since it was put on the list.
pub async fn due(
    records: &Records,
    now: Timestamp,
    under_way: &HashSet<Id<WatchedZone>>,
    limit: usize,
) -> Result<Vec<(WatchedZone, Option<ZoneState>)>, Error> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let sql = "SELECT id FROM watched_zone WHERE enabled AND due_at_us <= $1 \
               ORDER BY ($1 - CASE WHEN due_at_us = 0 THEN created_at_us ELSE due_at_us END) / interval_secs DESC, zone LIMIT $2";
    let most = i64::try_from(limit.saturating_add(under_way.len())).unwrap_or(i64::MAX);
    let values = [now.as_microsecond().into(), most.into()];
    let rows = records.db().query_all_raw(statement(records.db(), sql, values)).await?;
    let mut ids: Vec<String> = rows.iter().map(|row| row.try_get("", "id")).collect::<Result<_, _>>()?;
    let busy: HashSet<String> = under_way.iter().map(ToString::to_string).collect();
    ids.retain(|id| !busy.contains(id));
    ids.truncate(limit);
    with_states(records, &ids).await
}

/// Ids that one statement takes: SQLite binds at most 32,766 values.
const IDS_AT_ONCE: usize = 1_000;

/// The zones with these ids and how they stand, in the order of the ids; those that are not there are left out.
async fn with_states(records: &Records, ids: &[String]) -> Result<Vec<(WatchedZone, Option<ZoneState>)>, Error> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(IDS_AT_ONCE) {
        let zones = watched_zone::Entity::find().filter(watched_zone::Column::Id.is_in(ids));
        let states = zone_state::Entity::find().filter(zone_state::Column::WatchedZone.is_in(ids));
        let (zones, states) = tokio::try_join!(zones.all(records.db()), states.all(records.db()))?;
        let mut zones: HashMap<String, watched_zone::Model> =
            zones.into_iter().map(|row| (row.id.clone(), row)).collect();
        let mut states: HashMap<String, zone_state::Model> =
            states.into_iter().map(|row| (row.watched_zone.clone(), row)).collect();
        for id in ids {
            let Some(zone) = zones.remove(id) else { continue };
            let state = states.remove(id).map(ZoneState::try_from).transpose()?;
            found.push((zone.try_into()?, state));
        }
    }
    Ok(found)
}

/// These zones with how they stand, in the order given.
pub async fn states_of(
    records: &Records,
    zones: &[Id<WatchedZone>],
) -> Result<Vec<(WatchedZone, Option<ZoneState>)>, Error> {
    let ids: Vec<String> = zones.iter().map(ToString::to_string).collect();
    with_states(records, &ids).await
}

/// The zones in whose servers or findings this address stands, by name.
pub async fn states_naming(records: &Records, address: IpAddr) -> Result<Vec<(WatchedZone, Option<ZoneState>)>, Error> {
    let text = address.to_string();
    let rows = zone_state::Entity::find()
        .select_only()
        .column(zone_state::Column::WatchedZone)
        .filter(
            Condition::any()
                .add(zone_state::Column::Servers.contains(&text))
                .add(zone_state::Column::Findings.contains(&text)),
        )
        .into_tuple::<String>()
        .all(records.db())
        .await?;
    let mut found = with_states(records, &rows).await?;
    found.sort_by(|(a, _), (b, _)| a.watch.zone.cmp(&b.watch.zone));
    Ok(found)
}

/// The zones that do so, by name.
pub async fn states_doing(records: &Records, health: Health) -> Result<Vec<(WatchedZone, Option<ZoneState>)>, Error> {
    let rows = zone_state::Entity::find()
        .select_only()
        .column(zone_state::Column::WatchedZone)
        .filter(zone_state::Column::Health.eq(health.as_str()))
        .into_tuple::<String>()
        .all(records.db())
        .await?;
    let mut found = with_states(records, &rows).await?;
    found.sort_by(|(a, _), (b, _)| a.watch.zone.cmp(&b.watch.zone));
    Ok(found)
}

/// When the next round of any zone is due, a time in the past for one without a round; `None` when no zone is watched.
pub async fn next_due(records: &Records) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT MIN(due_at_us) AS next_us FROM watched_zone WHERE enabled";
    let row = records.db().query_one_raw(statement(records.db(), sql, [])).await?;
    let next_us: Option<i64> = row.map(|row| row.try_get("", "next_us")).transpose()?.flatten();
    column::time_opt(TABLE, "next", next_us)
}

/// How many zones are late at `now`: by more than an interval, and by more than `grace`.
pub async fn behind(records: &Records, now: Timestamp, grace: SignedDuration) -> Result<u64, Error> {
    let sql = "SELECT COUNT(*) AS zones FROM watched_zone WHERE enabled AND due_at_us > 0 \
               AND due_at_us + interval_secs * 1000000 < $1 AND due_at_us < $2";
    let before = now.saturating_sub(grace).unwrap_or(now);
    let values = [now.as_microsecond().into(), before.as_microsecond().into()];
    let row = records.db().query_one_raw(statement(records.db(), sql, values)).await?;
    let zones: i64 = row.map(|row| row.try_get("", "zones")).transpose()?.unwrap_or(0);
    Ok(u64::try_from(zones).unwrap_or(0))
}

/// Those of `names` that are watched zones.
pub async fn watched_among(records: &Records, names: &BTreeSet<Name>) -> Result<BTreeSet<Name>, Error> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut found = BTreeSet::new();
    for names in names.chunks(IDS_AT_ONCE) {
        let rows: Vec<String> = watched_zone::Entity::find()
            .select_only()
            .column(watched_zone::Column::Zone)
            .filter(watched_zone::Column::Zone.is_in(names))
            .into_tuple()
            .all(records.db())
            .await?;
        for zone in rows {
            found.insert(column::parse("watched_zone", &zone, &zone)?);
        }
    }
    Ok(found)
}

/// When the newest round of any zone began; `None` before the first. An index answers it, however many zones there are.
pub async fn newest(records: &Records) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT MAX(at_us) AS newest_us FROM zone_state";
    let row = records.db().query_one_raw(statement(records.db(), sql, [])).await?;
    let newest_us: Option<i64> = row.map(|row| row.try_get("", "newest_us")).transpose()?.flatten();
    column::time_opt(TABLE, "newest", newest_us)
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

/// A watched zone with the columns of its state that say by whom it is served.
pub(crate) struct Serving {
    pub watched: WatchedZone,
    /// The delegation as the parent gave it last.
    pub seen: Option<Delegation>,
    /// The state of each server, as the measuring room writes it.
    pub servers: Value,
}

/// By whom each zone of the list is served, in the order of names. No findings are read.
pub(crate) async fn serving(records: &Records) -> Result<Vec<Serving>, Error> {
    let states: Vec<(String, Option<String>, String)> = zone_state::Entity::find()
        .select_only()
        .columns([
            zone_state::Column::WatchedZone,
            zone_state::Column::Seen,
            zone_state::Column::Servers,
        ])
        .into_tuple()
        .all(records.db())
        .await?;
    let mut states: HashMap<String, (Option<String>, String)> = states
        .into_iter()
        .map(|(id, seen, servers)| (id, (seen, servers)))
        .collect();
    let zones = watched_zone::Entity::find().order_by_asc(watched_zone::Column::Zone);
    let zones = zones.all(records.db()).await?;
    zones
        .into_iter()
        .map(|zone| {
            let id = zone.id.clone();
            let (seen, servers) = states.remove(&id).unwrap_or_else(|| (None, "[]".to_owned()));
            Ok(Serving {
                watched: zone.try_into()?,
                seen: seen.as_deref().map(|json| column::json(TABLE, &id, json)).transpose()?,
                servers: column::json(TABLE, &id, &servers)?,
            })
        })
        .collect()
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
        health: state.health().as_str().to_owned(),
        secured: state.round.seen.as_ref().map(|seen| !seen.ds.is_empty()),
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
