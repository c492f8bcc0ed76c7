//! How far a mailbox has been read, and how it goes.

use std::collections::BTreeSet;

use model::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;

use super::entity;
use crate::Error;
use crate::records::{Actor, Records, column};

/// How it goes with a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mailbox {
    /// Its name: `user@host/folder`.
    pub name: String,
    /// When it was last read to its end.
    pub fetched_at: Option<Timestamp>,
    /// Since when every try has failed, and what went wrong at the last one; `None` when the last one went well.
    pub failing: Option<(Timestamp, String)>,
}

/// How far a mailbox has been read. UIDs are the mail server's (RFC 9051 §2.3.1.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// All mails up to this UID were taken; `None` where the mailbox was never read to its end under this UIDVALIDITY.
    pub last_uid: Option<u32>,
    /// When it was last read to its end, be it under another UIDVALIDITY.
    pub fetched_at: Option<Timestamp>,
    /// Mails above `last_uid` that were taken too.
    pub taken: BTreeSet<u32>,
}

/// How far `mailbox` has been read under this UIDVALIDITY.
pub async fn progress(records: &Records, mailbox: &str, uid_validity: u32) -> Result<Progress, Error> {
    use entity::mail::Column;
    let row = row(records.db(), mailbox).await?;
    let fetched_at_us = row.as_ref().and_then(|row| row.fetched_at_us);
    let last = row
        .filter(|row| row.uid_validity == Some(i64::from(uid_validity)))
        .and_then(|row| row.last_uid);
    let above: Vec<i64> = entity::mail::Entity::find()
        .select_only()
        .column(Column::Uid)
        .filter(Column::Mailbox.eq(mailbox))
        .filter(Column::UidValidity.eq(i64::from(uid_validity)))
        .filter(Column::Uid.gt(last.unwrap_or(0)))
        .into_tuple()
        .all(records.db())
        .await?;
    let taken = above.into_iter().map(|number| uid(mailbox, number));
    Ok(Progress {
        last_uid: last.map(|number| uid(mailbox, number)).transpose()?,
        fetched_at: column::time_opt("mailbox", mailbox, fetched_at_us)?,
        taken: taken.collect::<Result<_, Error>>()?,
    })
}

/// Says that `mailbox` was read to its end: all mails up to `last_uid` were taken.
pub async fn fetched(records: &Records, mailbox: &str, uid_validity: u32, last_uid: u32) -> Result<(), Error> {
    use entity::mailbox::Column;
    let change = records.begin(Actor::System).await?;
    let row = entity::mailbox::ActiveModel {
        name: Set(mailbox.to_owned()),
        uid_validity: Set(Some(i64::from(uid_validity))),
        last_uid: Set(Some(i64::from(last_uid))),
        fetched_at_us: Set(Some(change.now().as_microsecond())),
        failing_since_us: Set(None),
        error: Set(None),
    };
    let all = [
        Column::UidValidity,
        Column::LastUid,
        Column::FetchedAtUs,
        Column::FailingSinceUs,
        Column::Error,
    ];
    put(change.db(), row, &all).await?;
    change.commit_quietly().await
}

/// Says that `mailbox` could not be read, and why.
pub async fn not_fetched(records: &Records, mailbox: &str, reason: &str) -> Result<(), Error> {
    use entity::mailbox::Column;
    let change = records.begin(Actor::System).await?;
    let before = row(change.db(), mailbox).await?;
    let since = before.and_then(|row| row.failing_since_us);
    let row = entity::mailbox::ActiveModel {
        name: Set(mailbox.to_owned()),
        failing_since_us: Set(Some(since.unwrap_or(change.now().as_microsecond()))),
        error: Set(Some(super::mime::clean(reason, 1000))),
        ..Default::default()
    };
    put(change.db(), row, &[Column::FailingSinceUs, Column::Error]).await?;
    change.commit_quietly().await
}

async fn put(
    db: &impl ConnectionTrait,
    row: entity::mailbox::ActiveModel,
    columns: &[entity::mailbox::Column],
) -> Result<(), Error> {
    let mut anew = OnConflict::column(entity::mailbox::Column::Name);
    anew.update_columns(columns.iter().copied());
    entity::mailbox::Entity::insert(row)
        .on_conflict(anew)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// How it goes with the mailbox of this name; `None` where it was never tried.
pub async fn find(records: &Records, name: &str) -> Result<Option<Mailbox>, Error> {
    let Some(row) = row(records.db(), name).await? else {
        return Ok(None);
    };
    let since = column::time_opt("mailbox", name, row.failing_since_us)?;
    Ok(Some(Mailbox {
        fetched_at: column::time_opt("mailbox", name, row.fetched_at_us)?,
        failing: since.map(|since| (since, row.error.unwrap_or_default())),
        name: row.name,
    }))
}

/// Mails of which the mail server has not been told yet that we have them, lowest UID first.
pub async fn to_mark(records: &Records, mailbox: &str, uid_validity: u32) -> Result<Vec<u32>, Error> {
    use entity::mail::Column;
    let uids: Vec<i64> = entity::mail::Entity::find()
        .select_only()
        .column(Column::Uid)
        .filter(Column::Mailbox.eq(mailbox))
        .filter(Column::UidValidity.eq(i64::from(uid_validity)))
        .filter(Column::Marked.eq(false))
        .order_by_asc(Column::Uid)
        .into_tuple()
        .all(records.db())
        .await?;
    uids.into_iter().map(|number| uid(mailbox, number)).collect()
}

/// Says that the mail server has been told that we have these mails.
pub async fn marked(records: &Records, mailbox: &str, uid_validity: u32, uids: &[u32]) -> Result<(), Error> {
    use entity::mail::Column;
    let change = records.begin(Actor::System).await?;
    entity::mail::Entity::update_many()
        .set(entity::mail::ActiveModel {
            marked: Set(true),
            ..Default::default()
        })
        .filter(Column::Mailbox.eq(mailbox))
        .filter(Column::UidValidity.eq(i64::from(uid_validity)))
        .filter(Column::Uid.is_in(uids.iter().map(|uid| i64::from(*uid))))
        .exec(change.db())
        .await?;
    change.commit_quietly().await
}

async fn row(db: &impl ConnectionTrait, name: &str) -> Result<Option<entity::mailbox::Model>, Error> {
    Ok(entity::mailbox::Entity::find_by_id(name).one(db).await?)
}

fn uid(mailbox: &str, number: i64) -> Result<u32, Error> {
    u32::try_from(number).map_err(|error| column::damaged("mailbox", mailbox, error))
}
