//! What was changed, by whom, from what to what: append-only and hash-chained.
//!
//! Each row holds the hash of the row before and its own, so a row that was edited, removed or put in later shows. The
//! tables refuse UPDATE and DELETE besides. Rows cut off at the end show only against a head kept elsewhere: print
//! [`head`] from time to time.

mod entity;
pub(crate) mod migration;

use model::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use sha2::{Digest, Sha256};

use crate::Error;
use crate::records::{Actor, Records, column};

/// The hash before the first row.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Rows written or read in one statement: well below the 32,766 parameters that SQLite takes.
const BATCH: u64 = 500;

/// What a change notes; the chain adds when, who and the hashes.
pub(crate) struct Entry {
    pub noun: String,
    pub id: String,
    pub field: String,
    pub old: Option<String>,
    pub new: Option<String>,
}

/// One row of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// 1, 2, 3 … without gaps.
    pub seq: i64,
    /// When.
    pub time: Timestamp,
    /// Who.
    pub actor: Actor,
    /// Kind of thing: `organisation`.
    pub noun: String,
    /// Which one.
    pub id: String,
    /// Which part of it.
    pub field: String,
    /// What it was; `None` when it was not there.
    pub old: Option<String>,
    /// What it became; `None` when it is no more.
    pub new: Option<String>,
    /// SHA-256 in hexadecimal over this row and, through the hash before, over all rows up to it.
    pub hash: String,
}

/// What [`verify`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chain {
    /// Every row is as it was written.
    Whole {
        /// Number of rows.
        rows: i64,
        /// Hash of the last one; 64 zeros when there is none.
        head: String,
    },
    /// Something was changed behind our back.
    Broken {
        /// The first row that does not fit.
        seq: i64,
        /// How it does not fit.
        reason: String,
    },
}

/// What happened to one thing, oldest first.
pub async fn of(records: &Records, noun: &str, id: impl std::fmt::Display) -> Result<Vec<Row>, Error> {
    let rows = entity::Entity::find()
        .filter(entity::Column::Noun.eq(noun))
        .filter(entity::Column::NounId.eq(id.to_string()))
        .order_by_asc(entity::Column::Seq)
        .all(records.db())
        .await?;
    rows.into_iter().map(Row::try_from).collect()
}

/// The newest `limit` rows before row `before` (`None`: from the end), newest first.
pub async fn newest(records: &Records, before: Option<i64>, limit: u64) -> Result<Vec<Row>, Error> {
    let rows = entity::Entity::find()
        .filter(entity::Column::Seq.lt(before.unwrap_or(i64::MAX)))
        .order_by_desc(entity::Column::Seq)
        .limit(limit)
        .all(records.db())
        .await?;
    rows.into_iter().map(Row::try_from).collect()
}

/// Number of the last row and its hash: (0, 64 zeros) when there is none. Keep it outside of the database.
pub async fn head(records: &Records) -> Result<(i64, String), Error> {
    head_of(records.db()).await
}

/// Walks the whole chain.
pub async fn verify(records: &Records) -> Result<Chain, Error> {
    let (mut seq, mut previous) = (0, GENESIS.to_owned());
    loop {
        let rows = entity::Entity::find()
            .filter(entity::Column::Seq.gt(seq))
            .order_by_asc(entity::Column::Seq)
            .limit(BATCH)
            .all(records.db())
            .await?;
        if rows.is_empty() {
            return Ok(Chain::Whole {
                rows: seq,
                head: previous,
            });
        }
        for row in rows {
            let broken = |reason: &str| {
                Ok(Chain::Broken {
                    seq: seq + 1,
                    reason: reason.to_owned(),
                })
            };
            if row.seq != seq + 1 {
                return broken("the row is missing");
            }
            if row.previous != previous {
                return broken("it does not follow the row before it");
            }
            if row.hash != hash(&row) {
                return broken("its content does not fit its hash");
            }
            (seq, previous) = (row.seq, row.hash);
        }
    }
}

/// Adds rows to the end of the chain. Only a change does this; changes go one after the other.
pub(crate) async fn append(
    db: &impl ConnectionTrait,
    now: Timestamp,
    actor: Actor,
    entries: Vec<Entry>,
) -> Result<(), Error> {
    if entries.is_empty() {
        return Ok(());
    }
    let (mut seq, mut previous) = head_of(db).await?;
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        seq += 1;
        let mut row = entity::Model {
            seq,
            at_us: now.as_microsecond(),
            actor: actor.to_string(),
            noun: entry.noun,
            noun_id: entry.id,
            field: entry.field,
            old: entry.old,
            new: entry.new,
            previous,
            hash: String::new(),
        };
        row.hash = hash(&row);
        previous = row.hash.clone();
        rows.push(active(row));
    }
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(BATCH as usize));
        entity::Entity::insert_many(rows).exec_without_returning(db).await?;
        rows = rest;
    }
    Ok(())
}

async fn head_of(db: &impl ConnectionTrait) -> Result<(i64, String), Error> {
    let last = entity::Entity::find()
        .order_by_desc(entity::Column::Seq)
        .one(db)
        .await?;
    Ok(last.map_or((0, GENESIS.to_owned()), |row| (row.seq, row.hash)))
}

/// Over the JSON array of all columns but the hash itself: one form for one content, whatever the texts hold.
fn hash(row: &entity::Model) -> String {
    let content = column::to_json(&(
        row.seq,
        row.at_us,
        &row.actor,
        &row.noun,
        &row.noun_id,
        &row.field,
        &row.old,
        &row.new,
        &row.previous,
    ));
    hex::encode(Sha256::digest(content))
}

fn active(row: entity::Model) -> entity::ActiveModel {
    entity::ActiveModel {
        seq: Set(row.seq),
        at_us: Set(row.at_us),
        actor: Set(row.actor),
        noun: Set(row.noun),
        noun_id: Set(row.noun_id),
        field: Set(row.field),
        old: Set(row.old),
        new: Set(row.new),
        previous: Set(row.previous),
        hash: Set(row.hash),
    }
}

impl TryFrom<entity::Model> for Row {
    type Error = Error;

    fn try_from(row: entity::Model) -> Result<Self, Error> {
        Ok(Self {
            seq: row.seq,
            time: column::time("audit", row.seq, row.at_us)?,
            actor: column::parse("audit", row.seq, &row.actor)?,
            noun: row.noun,
            id: row.noun_id,
            field: row.field,
            old: row.old,
            new: row.new,
            hash: row.hash,
        })
    }
}
