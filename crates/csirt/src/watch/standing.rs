//! How all watched zones stand, without what was found of them: for lists and counts over the whole watch list.

use model::{Health, Id, Level, Name, Timestamp};
use sea_orm::{ConnectionTrait, Statement};

use super::{WatchedZone, column};
use crate::Error;
use crate::directory::{Organisation, Region};
use crate::records::Records;

const TABLE: &str = "zone_state";

/// How one watched zone stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its entry on the watch list.
    pub id: Id<WatchedZone>,
    /// The zone.
    pub zone: Name,
    /// Seconds between two rounds.
    pub interval_secs: u32,
    /// Where it belongs on the map.
    pub region: Option<Region>,
    /// Whose it is.
    pub organisation: Option<Id<Organisation>>,
    /// Whether it is measured at present.
    pub enabled: bool,
    /// Since when it is on the list.
    pub created: Timestamp,
    /// How it does; unknown before its first round.
    pub health: Health,
    /// Whether its parent has DS records of it; `None` where that was not seen.
    pub secured: Option<bool>,
    /// Worst level of its findings; `None` without findings.
    pub worst: Option<Level>,
    /// Since when the worst level is what it is; `None` before its first round.
    pub since: Option<Timestamp>,
    /// When its last round began; `None` before its first.
    pub measured: Option<Timestamp>,
    /// Why the last round could not test it, where it could not.
    pub untestable: Option<String>,
}

/// How all zones of the list stand, in the order of names.
pub async fn standings(records: &Records) -> Result<Vec<Standing>, Error> {
    let sql = "SELECT z.id, z.zone, z.interval_secs, z.region, z.organisation, z.enabled, z.created_at_us, \
               s.at_us, s.worst, s.changed_at_us, s.health, s.secured, s.untestable \
               FROM watched_zone z LEFT JOIN zone_state s ON s.watched_zone = z.id ORDER BY z.zone";
    let db = records.db();
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), sql))
        .await?;
    rows.iter().map(standing).collect()
}

fn standing(row: &sea_orm::QueryResult) -> Result<Standing, Error> {
    let id: String = row.try_get("", "id")?;
    let text = |name: &str| row.try_get::<Option<String>>("", name);
    let time = |name: &str| row.try_get::<Option<i64>>("", name);
    let health = text("health")?;
    let health: Option<Health> = health.map(|word| column::from_word(TABLE, &id, &word)).transpose()?;
    Ok(Standing {
        id: column::parse(TABLE, &id, &id)?,
        zone: column::parse(TABLE, &id, &row.try_get::<String>("", "zone")?)?,
        interval_secs: u32::try_from(row.try_get::<i64>("", "interval_secs")?)
            .map_err(|error| column::damaged(TABLE, &id, error))?,
        region: column::parse_opt(TABLE, &id, text("region")?.as_deref())?,
        organisation: column::parse_opt(TABLE, &id, text("organisation")?.as_deref())?,
        enabled: row.try_get("", "enabled")?,
        created: column::time(TABLE, &id, row.try_get("", "created_at_us")?)?,
        health: health.unwrap_or(Health::Unknown),
        secured: row.try_get("", "secured")?,
        worst: column::parse_opt(TABLE, &id, text("worst")?.as_deref())?,
        since: column::time_opt(TABLE, &id, time("changed_at_us")?)?,
        measured: column::time_opt(TABLE, &id, time("at_us")?)?,
        untestable: text("untestable")?,
    })
}
