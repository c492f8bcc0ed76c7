//! How vantage points do: what they say of themselves, and what was taken from them.

use model::{Id, Timestamp};
use sea_orm::{ActiveModelTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, IntoActiveModel};

use super::entity::vantage_state::{ActiveModel, Entity, Model};
use super::{VantagePoint, list};
use crate::Error;
use crate::records::{Actor, Change, Records, column};

const TABLE: &str = "vantage_state";

/// Longest version and reason that are kept, in characters: both come from outside.
const LONGEST: (usize, usize) = (40, 500);

/// What a vantage point says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Version of its software.
    pub version: String,
    /// Its clock less ours in microseconds, measured by its exchange before (RFC 5905 §8); `None` at the first.
    pub clock_offset_us: Option<i64>,
    /// Round trip of that exchange in microseconds.
    pub round_trip_us: Option<i64>,
    /// Parts that wait in its spool.
    pub spool_parts: u64,
    /// Their octets.
    pub spool_bytes: u64,
    /// Since when the oldest of them waits.
    pub oldest_part: Option<Timestamp>,
    /// Samples (of a sensor: rows) that its spool had no room for, since it was set up.
    pub dropped_samples: u64,
    /// Packets that passed a sensor and that it could not read, since it was started.
    pub lost_packets: u64,
}

/// What a part that was taken held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartFigures {
    /// Its samples; of a sensor its rows.
    pub samples: u64,
    /// Time of the newest of them.
    pub newest: Timestamp,
    /// Of these, those answered with NOERROR or NXDOMAIN.
    pub answered: u64,
    /// Median time to an answer over UDP, in microseconds.
    pub udp_median_us: Option<u64>,
}

/// How a vantage point does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// When it was heard last; `None` before its first contact.
    pub contact: Option<Timestamp>,
    /// What it said of itself then.
    pub report: Report,
    /// Parts taken from it.
    pub parts: u64,
    /// Samples in these.
    pub samples: u64,
    /// Figures of the newest part; `None` before the first.
    pub newest: Option<PartFigures>,
    /// Parts that were refused.
    pub refused_parts: u64,
    /// When that was last, and why.
    pub refused: Option<(Timestamp, String)>,
}

/// In which of four ways a vantage point stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It was heard a moment ago.
    Working,
    /// It was heard, but not for a while.
    Silent,
    /// It was never heard: it is not set up yet.
    New,
    /// It is revoked.
    Revoked,
}

/// How a vantage point stands at `now`: silent is who was not heard for so many seconds.
pub fn standing(vantage_point: &VantagePoint, state: &State, silent_after_secs: u32, now: Timestamp) -> Standing {
    match state.contact {
        _ if vantage_point.revoked.is_some() => Standing::Revoked,
        None => Standing::New,
        Some(contact) if now.duration_since(contact).as_secs() > i64::from(silent_after_secs) => Standing::Silent,
        Some(_) => Standing::Working,
    }
}

pub(super) async fn insert(db: &DatabaseTransaction, id: Id<VantagePoint>) -> Result<(), Error> {
    let row = Model {
        vantage_point: id.to_string(),
        contact_at_us: None,
        version: String::new(),
        clock_offset_us: None,
        round_trip_us: None,
        spool_parts: 0,
        spool_bytes: 0,
        oldest_part_at_us: None,
        dropped_samples: 0,
        parts: 0,
        samples: 0,
        newest_sample_at_us: None,
        asked: 0,
        answered: 0,
        udp_median_us: None,
        refused_parts: 0,
        refused_at_us: None,
        refused_reason: None,
        lost_packets: 0,
    };
    Entity::insert(ActiveModel::from(row).reset_all())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Keeps what a vantage point says of itself. Fails with `NotFound`.
pub async fn report(records: &Records, id: Id<VantagePoint>, report: &Report) -> Result<(), Error> {
    update(records, id, |row, now_us| {
        row.contact_at_us = Some(now_us);
        row.version = report.version.chars().take(LONGEST.0).collect();
        row.clock_offset_us = report.clock_offset_us;
        row.round_trip_us = report.round_trip_us;
        row.spool_parts = whole(report.spool_parts);
        row.spool_bytes = whole(report.spool_bytes);
        row.oldest_part_at_us = report.oldest_part.map(Timestamp::as_microsecond);
        row.dropped_samples = whole(report.dropped_samples);
        row.lost_packets = whole(report.lost_packets);
    })
    .await
}

/// Notes a part that was taken. An older part than the newest so far changes the counts alone. Fails with `NotFound`.
pub async fn note_part(records: &Records, id: Id<VantagePoint>, figures: &PartFigures) -> Result<(), Error> {
    update(records, id, |row, now_us| {
        row.contact_at_us = Some(now_us);
        row.parts = row.parts.saturating_add(1);
        row.samples = row.samples.saturating_add(whole(figures.samples));
        let newest_us = figures.newest.as_microsecond();
        if row.newest_sample_at_us.is_none_or(|before_us| before_us <= newest_us) {
            row.newest_sample_at_us = Some(newest_us);
            row.asked = whole(figures.samples);
            row.answered = whole(figures.answered);
            row.udp_median_us = figures.udp_median_us.map(whole);
        }
    })
    .await
}

/// Notes a part that was refused. Fails with `NotFound`.
pub async fn note_refusal(records: &Records, id: Id<VantagePoint>, reason: &str) -> Result<(), Error> {
    update(records, id, |row, now_us| {
        row.contact_at_us = Some(now_us);
        row.refused_parts = row.refused_parts.saturating_add(1);
        row.refused_at_us = Some(now_us);
        row.refused_reason = Some(reason.chars().take(LONGEST.1).filter(|sign| *sign != '\0').collect());
    })
    .await
}

/// Writes without waking those who draw live pages: hundreds of vantage points speak every minute.
async fn update(records: &Records, id: Id<VantagePoint>, set: impl FnOnce(&mut Model, i64)) -> Result<(), Error> {
    let change: Change = records.begin(Actor::System).await?;
    let mut row = row(change.db(), id).await?;
    set(&mut row, change.now().as_microsecond());
    Entity::update(row.into_active_model().reset_all())
        .exec(change.db())
        .await?;
    change.commit_quietly().await
}

async fn row(db: &impl ConnectionTrait, id: Id<VantagePoint>) -> Result<Model, Error> {
    let row = Entity::find_by_id(id.to_string()).one(db).await?;
    row.ok_or_else(|| Error::not_found("vantage point", id))
}

/// All vantage points with how they do, in the order of names, revoked ones included.
pub async fn states(records: &Records) -> Result<Vec<(VantagePoint, State)>, Error> {
    let rows = Entity::find().all(records.db()).await?;
    let mut states: std::collections::HashMap<String, Model> =
        rows.into_iter().map(|row| (row.vantage_point.clone(), row)).collect();
    let mut all = Vec::new();
    for vantage_point in list(records).await? {
        let id = vantage_point.id.to_string();
        // registered a moment ago, between the two reads: with the next look
        if let Some(row) = states.remove(&id) {
            all.push((vantage_point, State::try_from(row)?));
        }
    }
    Ok(all)
}

/// A count of ours is far from the end of a BIGINT, and one from outside may be anything.
fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl TryFrom<Model> for State {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        let id = &row.vantage_point;
        let count = |number: i64| u64::try_from(number).map_err(|error| column::damaged(TABLE, id, error));
        let newest = column::time_opt(TABLE, id, row.newest_sample_at_us)?;
        let newest = newest.map(|newest| -> Result<PartFigures, Error> {
            Ok(PartFigures {
                samples: count(row.asked)?,
                newest,
                answered: count(row.answered)?,
                udp_median_us: row.udp_median_us.map(count).transpose()?,
            })
        });
        let refused = column::time_opt(TABLE, id, row.refused_at_us)?;
        Ok(Self {
            contact: column::time_opt(TABLE, id, row.contact_at_us)?,
            report: Report {
                clock_offset_us: row.clock_offset_us,
                round_trip_us: row.round_trip_us,
                spool_parts: count(row.spool_parts)?,
                spool_bytes: count(row.spool_bytes)?,
                oldest_part: column::time_opt(TABLE, id, row.oldest_part_at_us)?,
                dropped_samples: count(row.dropped_samples)?,
                lost_packets: count(row.lost_packets)?,
                version: row.version.clone(),
            },
            parts: count(row.parts)?,
            samples: count(row.samples)?,
            newest: newest.transpose()?,
            refused_parts: count(row.refused_parts)?,
            refused: refused.zip(row.refused_reason.clone()),
        })
    }
}
