//! The job that hands a notice over.

use model::{Id, Timestamp};
use rand::RngExt;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};

use super::backoff::next_attempt;
use super::mail::compose;
use super::mailer::Handover;
use super::store::{get_in, move_notice, note_error};
use super::{AttemptOutcome, Centre, Mailer, Notice, NoticeEvent, NoticeKind, NoticeState, entity};
use crate::Error;
use crate::links;
use crate::records::{Actor, Change, Records};
use crate::requests::{self, RequestEvent};

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The relay took it.
    Sent,
    /// It had gone out, or come to another end, before.
    Already,
    /// The relay refused it for good.
    Bounced(String),
    /// It was tried for five days.
    Failed(String),
    /// Not now: retry the job then. Why stands in the notice's `last_error`.
    RetryAt(Timestamp),
}

/// Hands a notice over. May be called any number of times; two calls for one notice must not run at once (jobs hold
/// them apart).
///
/// The attempt and the hash of its link's token are committed before anything leaves, so every link that may be in
/// somebody's mailbox opens. `Invalid` when the centre's own settings make no mail.
pub async fn deliver(records: &Records, centre: &Centre, id: Id<Notice>, mailer: &Mailer) -> Result<Delivery, Error> {
    let stem = id.to_string();
    let mut change = records.begin(Actor::System).await?;
    let notice = get_in(change.db(), id).await?;
    if notice.state != NoticeState::Queued {
        return Ok(Delivery::Already);
    }
    if mailer.has(&stem) {
        // The centre died between writing the file and saying so.
        accept(&mut change, &notice, "found in the folder").await?;
        change.commit().await?;
        return Ok(Delivery::Sent);
    }
    let token = links::mint(&mut change, notice.request, Some(id)).await?;
    let attempt = begin(&mut change, id).await?;
    change.commit().await?;

    let handover = match compose(&notice, centre, &token) {
        Ok(mail) => mailer.hand_over(&stem, &mail).await,
        Err(error @ Error::Invalid { .. }) => Handover::Refused(error.to_string()),
        Err(error) => return Err(error),
    };

    let mut change = records.begin(Actor::System).await?;
    let delivery = match handover {
        Handover::Accepted(words) => {
            end(&mut change, attempt, AttemptOutcome::Accepted, &words).await?;
            accept(&mut change, &notice, &words).await?;
            Delivery::Sent
        }
        Handover::Refused(words) => {
            end(&mut change, attempt, AttemptOutcome::Refused, &words).await?;
            come_back(&mut change, &notice, NoticeEvent::Refuse, &words).await?;
            Delivery::Bounced(words)
        }
        Handover::Later(words) => {
            end(&mut change, attempt, AttemptOutcome::Failed, &words).await?;
            later(&mut change, &notice, words).await?
        }
    };
    change.commit().await?;
    Ok(delivery)
}

async fn begin(change: &mut Change, id: Id<Notice>) -> Result<entity::attempt::Model, Error> {
    let row = entity::attempt::Model {
        id: change.new_id::<super::Attempt>().to_string(),
        notice_id: id.to_string(),
        begun_at_us: change.now().as_microsecond(),
        ended_at_us: None,
        result: None,
    };
    entity::attempt::Entity::insert(row.clone().into_active_model().reset_all())
        .exec_without_returning(change.db())
        .await?;
    Ok(row)
}

async fn end(
    change: &mut Change,
    attempt: entity::attempt::Model,
    outcome: AttemptOutcome,
    words: &str,
) -> Result<(), Error> {
    let mut active = attempt.into_active_model();
    active.ended_at_us = Set(Some(change.now().as_microsecond()));
    active.result = Set(Some(format!("{outcome}: {words}")));
    active.update(change.db()).await?;
    Ok(())
}

async fn accept(change: &mut Change, notice: &Notice, words: &str) -> Result<(), Error> {
    tracing::info!(notice = %notice.id, request = %notice.request, words, "notice sent");
    move_notice(change, notice.id, NoticeEvent::Accept, None).await?;
    if notice.kind == NoticeKind::Thanks {
        return Ok(());
    }
    let row = requests::row(change.db(), notice.request).await?;
    let (row, _) = requests::apply(change, row, RequestEvent::Send).await?;
    if row.notified_at_us.is_none() {
        let now = change.now();
        let mut active = row.into_active_model();
        active.notified_at_us = Set(Some(now.as_microsecond()));
        requests::save(change, active).await?;
        change.audit("request", notice.request, "notified", None, Some(&now.to_string()));
    }
    Ok(())
}

/// A notice that was refused or came back: the request shows it, unless the party has answered by another way.
pub(crate) async fn come_back(
    change: &mut Change,
    notice: &Notice,
    event: NoticeEvent,
    words: &str,
) -> Result<bool, Error> {
    tracing::warn!(notice = %notice.id, request = %notice.request, words, "notice came back");
    let moved = move_notice(change, notice.id, event, Some(words)).await?;
    if moved && notice.kind != NoticeKind::Thanks {
        let row = requests::row(change.db(), notice.request).await?;
        requests::apply(change, row, RequestEvent::Bounce).await?;
    }
    Ok(moved)
}

/// A notice that arrived, as the party's mail system reports.
pub(crate) async fn arrive(change: &mut Change, notice: &Notice) -> Result<(), Error> {
    let moved = move_notice(change, notice.id, NoticeEvent::Report, None).await?;
    if moved && notice.kind != NoticeKind::Thanks {
        let row = requests::row(change.db(), notice.request).await?;
        requests::apply(change, row, RequestEvent::Deliver).await?;
    }
    Ok(())
}

async fn later(change: &mut Change, notice: &Notice, words: String) -> Result<Delivery, Error> {
    let attempt = u32::try_from(notice.attempts.len())
        .unwrap_or(u32::MAX)
        .saturating_add(1);
    let jitter: f64 = change.random().random();
    match next_attempt(attempt, notice.queued_at, change.now(), jitter) {
        Some(at) => {
            tracing::info!(notice = %notice.id, attempt, words, "notice waits for the relay");
            note_error(change, notice.id, &words).await?;
            Ok(Delivery::RetryAt(at))
        }
        None => {
            come_back(change, notice, NoticeEvent::GiveUp, &words).await?;
            Ok(Delivery::Failed(words))
        }
    }
}
