//! Many zones put on the list by one change.

use std::collections::HashSet;

use model::Name;
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, QuerySelect};

use super::entity::watched_zone::{ActiveModel, Column, Entity};
use super::{Watch, WatchedZone, check, note, row};
use crate::Error;
use crate::records::{Actor, Records};

/// Rows written in one statement: nine values each, well below the 32,766 parameters that SQLite takes.
const BATCH: usize = 500;

/// Zones that an error names at most; more would fill the screen.
const MOST_NAMED: usize = 20;

/// Puts zones on the list, all of them or none. Fails with `Conflict` that names those which are there already or stand twice
/// among `watches`, with `Invalid`, or with `NotFound` for an organisation.
pub async fn add_all(records: &Records, actor: Actor, watches: &[Watch]) -> Result<Vec<WatchedZone>, Error> {
    for watch in watches {
        check(watch)?;
    }
    let mut change = records.begin(actor).await?;
    let zones = watches.iter().map(|watch| &watch.zone);
    let taken = taken_in(change.db(), zones).await?;
    if !taken.is_empty() {
        return Err(Error::conflict(format!(
            "on the watch list already, or named twice: {}",
            some_of(&taken)
        )));
    }
    let organisations: HashSet<_> = watches.iter().filter_map(|watch| watch.organisation).collect();
    for organisation in organisations {
        crate::directory::require(change.db(), organisation).await?;
    }
    let mut added = Vec::with_capacity(watches.len());
    for watch in watches {
        let watched = WatchedZone {
            id: change.new_id(),
            watch: watch.clone(),
            created: change.now(),
        };
        note(&mut change, watched.id, None, watch);
        added.push(watched);
    }
    for batch in added.chunks(BATCH) {
        let rows = batch.iter().map(|watched| ActiveModel::from(row(watched)).reset_all());
        Entity::insert_many(rows).exec_without_returning(change.db()).await?;
    }
    change.commit().await?;
    Ok(added)
}

/// Those of `zones` that are on the list already or stand twice among them: what [`add_all`] would not take.
pub async fn taken(records: &Records, zones: &[Name]) -> Result<Vec<Name>, Error> {
    taken_in(records.db(), zones.iter()).await
}

async fn taken_in<'a>(db: &impl ConnectionTrait, zones: impl Iterator<Item = &'a Name>) -> Result<Vec<Name>, Error> {
    let known = Entity::find().select_only().column(Column::Zone);
    let mut known: HashSet<String> = known.into_tuple::<String>().all(db).await?.into_iter().collect();
    Ok(zones.filter(|zone| !known.insert(zone.to_string())).cloned().collect())
}

fn some_of(zones: &[Name]) -> String {
    let named: Vec<String> = zones.iter().take(MOST_NAMED).map(Name::to_string).collect();
    let named = named.join(" ");
    match zones.len().saturating_sub(MOST_NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
