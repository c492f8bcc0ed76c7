//! What is still to be done because of a change: an outbox of rows, written with the change that causes them.
//!
//! A runner claims what is due for the time of a lease, does it, and completes or retries it. When a runner dies its
//! lease runs out and another one takes the job up: a job is done at least once, so whoever does it must look at the
//! records first and do nothing that is done already. Two leases on the same job never run at once.

mod entity;
pub(crate) mod migration;

use std::time::Duration;

use model::{Id, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement,
};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::notices::Notice;
use crate::records::{Actor, Records, column};
use crate::requests::Request;

/// Something to be done. It holds ids only: what to do stands in the records when its turn comes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Job {
    /// Hand a notice to its channel.
    DeliverNotice {
        /// Which one.
        notice: Id<Notice>,
    },
    /// Measure whether what a request asks for holds by now.
    VerifyRequest {
        /// Which one.
        request: Id<Request>,
    },
}

/// What sort of work a job is. A runner that keeps them apart lets none wait for the other: a relay that hangs is no reason not to
/// measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// [`Job::DeliverNotice`].
    DeliverNotice,
    /// [`Job::VerifyRequest`].
    VerifyRequest,
}

impl Kind {
    /// How the kept form of such a job begins: serde writes the tag first.
    fn beginning(self) -> &'static str {
        match self {
            Kind::DeliverNotice => r#"{"kind":"deliver_notice""#,
            Kind::VerifyRequest => r#"{"kind":"verify_request""#,
        }
    }
}

/// A claim on a job, good until it is completed, retried, or its time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// What to do.
    pub job: Job,
    /// How often it was begun, this time included: 1 at the first.
    pub attempt: u32,
    /// When the claim ends by itself.
    pub until: Timestamp,
    id: String,
    lease: String,
}

/// How the queue stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Queue {
    /// Jobs that wait for their turn.
    pub waiting: u64,
    /// Jobs that a runner works on.
    pub running: u64,
    /// Of all these, jobs that failed before.
    pub failed_before: u64,
}

/// Claims up to `limit` jobs of this kind, or of all, that are due, oldest due first. Each is this caller's for the time of `lease`.
pub async fn claim_due(
    records: &Records,
    kind: Option<Kind>,
    lease: Duration,
    limit: u64,
) -> Result<Vec<Claimed>, Error> {
    // Looking costs no write lock; most rounds of the timer find nothing.
    if due(records.db(), kind, records.now(), 1).await?.is_empty() {
        return Ok(Vec::new());
    }
    let mut change = records.begin(Actor::System).await?;
    let now = change.now();
    let until = now + lease;
    let mut claimed: Vec<Claimed> = Vec::new();
    for row in due(change.db(), kind, now, limit).await? {
        let job: Job = column::json("job", &row.id, &row.job)?;
        if claimed.iter().any(|other| other.job == job) {
            continue;
        }
        let token = uuid::Builder::from_random_bytes(rand::RngExt::random(change.random()))
            .into_uuid()
            .to_string();
        entity::Entity::update_many()
            .set(entity::ActiveModel {
                lease: Set(Some(token.clone())),
                lease_until_us: Set(Some(until.as_microsecond())),
                attempts: Set(row.attempts + 1),
                ..Default::default()
            })
            .filter(entity::Column::Id.eq(&row.id))
            .exec(change.db())
            .await?;
        let attempt = u32::try_from(row.attempts + 1).unwrap_or(u32::MAX);
        claimed.push(Claimed {
            job,
            attempt,
            until,
            id: row.id,
            lease: token,
        });
    }
    change.commit().await?;
    Ok(claimed)
}

/// Says that a job is done. A claim whose time is over and that another runner has taken up is left to that one.
pub async fn complete(records: &Records, claimed: &Claimed) -> Result<(), Error> {
    let change = records.begin(Actor::System).await?;
    remove(change.db(), claimed).await?;
    change.commit().await
}

/// Says that a job failed for `reason` and is to be tried again at `at`.
pub async fn retry(records: &Records, claimed: &Claimed, at: Timestamp, reason: &str) -> Result<(), Error> {
    let change = records.begin(Actor::System).await?;
    let waiting = entity::Entity::find()
        .filter(entity::Column::Job.eq(column::to_json(&claimed.job)))
        .filter(entity::Column::Lease.is_null())
        .one(change.db())
        .await?;
    if waiting.is_some() {
        // The same job was asked for anew meanwhile: that one stands for both.
        remove(change.db(), claimed).await?;
        return change.commit().await;
    }
    entity::Entity::update_many()
        .set(entity::ActiveModel {
            lease: Set(None),
            lease_until_us: Set(None),
            due_at_us: Set(at.as_microsecond()),
            last_error: Set(Some(reason.to_owned())),
            ..Default::default()
        })
        .filter(entity::Column::Id.eq(&claimed.id))
        .filter(entity::Column::Lease.eq(&claimed.lease))
        .exec(change.db())
        .await?;
    change.commit().await
}

/// When there will be something of this kind, or of all, to claim; `None` when there is none. A time in the past means: now.
pub async fn next_due(records: &Records, kind: Option<Kind>) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT MIN(CASE WHEN lease_until_us > due_at_us THEN lease_until_us ELSE due_at_us END) AS next_us \
               FROM job WHERE job LIKE $1";
    let like = format!("{}%", kind.map_or("", Kind::beginning));
    let backend = records.db().get_database_backend();
    let statement = Statement::from_sql_and_values(backend, sql, [like.into()]);
    let row = records.db().query_one_raw(statement).await?;
    let next_us: Option<i64> = row.map(|row| row.try_get("", "next_us")).transpose()?.flatten();
    column::time_opt("job", "next", next_us)
}

/// Counts the jobs by state.
pub async fn queue(records: &Records) -> Result<Queue, Error> {
    let now = records.now().as_microsecond();
    let running = entity::Entity::find()
        .filter(entity::Column::LeaseUntilUs.gt(now))
        .count(records.db())
        .await?;
    let all = entity::Entity::find().count(records.db()).await?;
    let failed = entity::Entity::find()
        .filter(entity::Column::LastError.is_not_null())
        .count(records.db())
        .await?;
    Ok(Queue {
        waiting: all - running,
        running,
        failed_before: failed,
    })
}

/// Puts a job into the queue, or brings the same job that waits already forward.
pub(crate) async fn insert(
    db: &DatabaseTransaction,
    random: &mut impl rand::Rng,
    now: Timestamp,
    job: &Job,
    due: Timestamp,
) -> Result<(), Error> {
    let sql = "INSERT INTO job (id, job, enqueued_at_us, due_at_us, attempts) VALUES ($1, $2, $3, $4, 0)
        ON CONFLICT (job) WHERE lease IS NULL DO UPDATE SET due_at_us =
        CASE WHEN excluded.due_at_us < job.due_at_us THEN excluded.due_at_us ELSE job.due_at_us END";
    let id: Id<Job> = Id::new(now, random);
    let values = [
        id.to_string().into(),
        column::to_json(job).into(),
        now.as_microsecond().into(),
        due.as_microsecond().into(),
    ];
    db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values))
        .await?;
    Ok(())
}

/// Jobs that are due, free, and not the same as one under work.
async fn due(
    db: &impl ConnectionTrait,
    kind: Option<Kind>,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<entity::Model>, Error> {
    let now = now.as_microsecond();
    let busy = entity::Entity::find()
        .select_only()
        .column(entity::Column::Job)
        .filter(entity::Column::LeaseUntilUs.gt(now));
    let free = Condition::any()
        .add(entity::Column::Lease.is_null())
        .add(entity::Column::LeaseUntilUs.lte(now));
    // what was to be done at once, at a moment still to come, waits for nothing: the clock went back
    let put_off = Condition::all()
        .add(entity::Column::EnqueuedAtUs.gt(now))
        .add(Expr::col(entity::Column::DueAtUs).lte(Expr::col(entity::Column::EnqueuedAtUs)));
    let at_its_time = Condition::any().add(entity::Column::DueAtUs.lte(now)).add(put_off);
    let of_kind = kind.map(|kind| entity::Column::Job.starts_with(kind.beginning()));
    let rows = entity::Entity::find()
        .filter(Condition::all().add_option(of_kind))
        .filter(at_its_time)
        .filter(free)
        .filter(entity::Column::Job.not_in_subquery(sea_orm::QueryTrait::into_query(busy)))
        .order_by_asc(entity::Column::DueAtUs)
        .order_by_asc(entity::Column::Id)
        .limit(limit)
        .all(db)
        .await?;
    Ok(rows)
}

async fn remove(db: &impl ConnectionTrait, claimed: &Claimed) -> Result<(), Error> {
    entity::Entity::delete_many()
        .filter(entity::Column::Id.eq(&claimed.id))
        .filter(entity::Column::Lease.eq(&claimed.lease))
        .exec(db)
        .await?;
    Ok(())
}
