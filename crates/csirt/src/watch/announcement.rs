//! Announced changes: a window in which a zone's delegation may change without an alarm.

use jiff::SignedDuration;
use model::{Delegation, Id, Name, Timestamp};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::entity::announcement::{ActiveModel, Column, Entity, Model};
use crate::Error;
use crate::records::{Actor, Records, column};

const TABLE: &str = "announcement";

/// Longest window; chosen by us: a key rollover with its waiting times fits, a standing blank cheque does not.
const MAX_WINDOW_DAYS: i64 = 60;

/// Longest window of an announcement that does not say what will come. It covers a takeover as well as the change that was meant, so
/// it is as long as a night's work that slips by a day (chosen by us). Shorter, and people announce twice; longer, and it is the blank
/// cheque after all.
const MAX_OPEN_HOURS: i64 = 48;

/// A change that those responsible announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Its id.
    pub id: Id<Announcement>,
    /// What was announced.
    pub change: NewAnnouncement,
    /// Who put it in.
    pub actor: Actor,
    /// When it was put in.
    pub created: Timestamp,
    /// Since when it does not count any more.
    pub withdrawn: Option<Timestamp>,
}

/// What is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAnnouncement {
    /// The zone.
    pub zone: Name,
    /// From when on.
    pub from: Timestamp,
    /// Until when: at most 60 days later, and 48 hours where nothing is said of what will come.
    pub until: Timestamp,
    /// How it will be delegated afterwards; `None` when anything may come.
    pub expected: Option<Delegation>,
    /// Who announced it, in words.
    pub by: String,
    /// What is changed, in words, or empty.
    pub note: String,
}

impl Announcement {
    /// Whether it covers a change of the zone to `seen` at this time.
    pub fn covers(&self, time: Timestamp, seen: Option<&Delegation>) -> bool {
        let window = self.withdrawn.is_none() && self.change.from <= time && time < self.change.until;
        window
            && self
                .change
                .expected
                .as_ref()
                .is_none_or(|expected| seen == Some(expected))
    }
}

/// Announces a change. Fails with `Invalid` for a window that ends before it begins, is over, or lasts longer than 60
/// days (48 hours where nothing is expected), and without a word of who announces it.
pub async fn announce(records: &Records, actor: Actor, new: NewAnnouncement) -> Result<Announcement, Error> {
    let mut change = records.begin(actor).await?;
    let new = NewAnnouncement {
        from: column::whole_microseconds(new.from),
        until: column::whole_microseconds(new.until),
        by: new.by.trim().to_owned(),
        note: new.note.trim().to_owned(),
        ..new
    };
    if new.until <= new.from || new.until <= change.now() {
        return Err(Error::invalid("until", "it is before the beginning or in the past"));
    }
    if new.until.duration_since(new.from).as_hours() > MAX_WINDOW_DAYS * 24 {
        return Err(Error::invalid(
            "until",
            format!("it is more than {MAX_WINDOW_DAYS} days after the beginning"),
        ));
    }
    if new.expected.is_none() && new.until.duration_since(new.from) > SignedDuration::from_hours(MAX_OPEN_HOURS) {
        return Err(Error::invalid(
            "until",
            format!("without the new servers it may be at most {MAX_OPEN_HOURS} hours after the beginning"),
        ));
    }
    if new.by.is_empty() || new.by.chars().count() > 300 {
        return Err(Error::invalid("by", "it must be 1 to 300 characters"));
    }
    if new.note.chars().count() > 2_000 {
        return Err(Error::invalid("note", "it must be at most 2000 characters"));
    }
    let announcement = Announcement {
        id: change.new_id(),
        change: new,
        actor,
        created: change.now(),
        withdrawn: None,
    };
    Entity::insert(ActiveModel::from(row(&announcement)).reset_all())
        .exec_without_returning(change.db())
        .await?;
    let NewAnnouncement {
        zone,
        from,
        until,
        expected,
        by,
        ..
    } = &announcement.change;
    change.audit("announcement", announcement.id, "zone", None, Some(&zone.to_string()));
    change.audit(
        "announcement",
        announcement.id,
        "window",
        None,
        Some(&format!("{from}/{until}")),
    );
    change.audit("announcement", announcement.id, "by", None, Some(by));
    let expected = expected.as_ref().map(column::to_json);
    change.audit("announcement", announcement.id, "expected", None, expected.as_deref());
    change.commit().await?;
    Ok(announcement)
}

/// Takes an announcement back. Fails with `NotFound`. Once is enough: again does nothing.
pub async fn withdraw(records: &Records, actor: Actor, id: Id<Announcement>) -> Result<Announcement, Error> {
    let mut change = records.begin(actor).await?;
    let row = Entity::find_by_id(id.to_string()).one(change.db()).await?;
    let old: Announcement = row.ok_or_else(|| Error::not_found("announcement", id))?.try_into()?;
    if old.withdrawn.is_some() {
        return Ok(old);
    }
    let new = Announcement {
        withdrawn: Some(change.now()),
        ..old
    };
    Entity::update(ActiveModel::from(self::row(&new)).reset_all())
        .exec(change.db())
        .await?;
    change.audit("announcement", id, "withdrawn", None, Some(&change.now().to_string()));
    change.commit().await?;
    Ok(new)
}

/// The announcements for this zone that are not over at `now` nor withdrawn, by their beginning.
pub async fn current(records: &Records, zone: &Name, now: Timestamp) -> Result<Vec<Announcement>, Error> {
    let rows = Entity::find()
        .filter(Column::Zone.eq(zone.to_string()))
        .filter(Column::UntilAtUs.gt(now.as_microsecond()))
        .filter(Column::WithdrawnAtUs.is_null())
        .order_by_asc(Column::FromAtUs)
        .all(records.db())
        .await?;
    rows.into_iter().map(Announcement::try_from).collect()
}

/// All announcements, the newest first, those that are over included.
pub async fn all(records: &Records) -> Result<Vec<Announcement>, Error> {
    let rows = Entity::find().order_by_desc(Column::Id).all(records.db()).await?;
    rows.into_iter().map(Announcement::try_from).collect()
}

fn row(announcement: &Announcement) -> Model {
    let NewAnnouncement {
        zone,
        from,
        until,
        expected,
        by,
        note,
    } = &announcement.change;
    Model {
        id: announcement.id.to_string(),
        zone: zone.to_string(),
        from_at_us: from.as_microsecond(),
        until_at_us: until.as_microsecond(),
        expected: expected.as_ref().map(column::to_json),
        announced_by: by.clone(),
        actor: announcement.actor.to_string(),
        note: note.clone(),
        created_at_us: announcement.created.as_microsecond(),
        withdrawn_at_us: announcement.withdrawn.map(Timestamp::as_microsecond),
    }
}

impl TryFrom<Model> for Announcement {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        let id = &row.id;
        let change = NewAnnouncement {
            zone: column::parse(TABLE, id, &row.zone)?,
            from: column::time(TABLE, id, row.from_at_us)?,
            until: column::time(TABLE, id, row.until_at_us)?,
            expected: row
                .expected
                .as_deref()
                .map(|json| column::json(TABLE, id, json))
                .transpose()?,
            by: row.announced_by,
            note: row.note,
        };
        Ok(Self {
            id: column::parse(TABLE, id, id)?,
            actor: column::parse(TABLE, id, &row.actor)?,
            created: column::time(TABLE, id, row.created_at_us)?,
            withdrawn: column::time_opt(TABLE, id, row.withdrawn_at_us)?,
            change,
        })
    }
}
