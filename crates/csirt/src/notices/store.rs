//! Notices in the records.

use model::{Id, Language, Signal};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::mail::message_domain;
use super::render::{Letter, render};
use super::{Attempt, Centre, Facts, Notice, NoticeEvent, NoticeKind, NoticeState, Rendered, entity};
use crate::Error;
use crate::alerts;
use crate::cases;
use crate::jobs::Job;
use crate::records::{Actor, Change, Records, column};
use crate::requests::{self, Request, RequestEvent, RequestState};

/// Writes a notice of a request and has it sent.
///
/// `Invalid` for a party without a mail address; `Conflict` where an ask or a reminder makes no sense any more, or the
/// same kind of notice waits already (a double click).
pub async fn queue(
    records: &Records,
    actor: Actor,
    centre: &Centre,
    request: Id<Request>,
    kind: NoticeKind,
) -> Result<Notice, Error> {
    let mut change = records.begin(actor).await?;
    let notice = queue_in(&mut change, centre, request, kind).await?;
    change.commit().await?;
    Ok(notice)
}

/// The same inside of a change.
pub(crate) async fn queue_in(
    change: &mut Change,
    centre: &Centre,
    id: Id<Request>,
    kind: NoticeKind,
) -> Result<Notice, Error> {
    let row = requests::row(change.db(), id).await?;
    let request = requests::request(&row)?;
    let party = requests::party_in(change.db(), request.party).await?;
    if party.addresses.is_empty() {
        return Err(Error::invalid(
            "addresses",
            format!("`{}` has no mail address", party.name),
        ));
    }
    let over = matches!(
        request.state,
        RequestState::Declined | RequestState::NotTheirs | RequestState::Verified
    );
    if over && kind != NoticeKind::Thanks {
        return Err(Error::conflict(format!("the request is {}", request.state)));
    }
    let earlier = rows_of(change.db(), id).await?;
    if earlier
        .iter()
        .any(|notice| notice.kind == kind.as_str() && notice.state == NoticeState::Queued.as_str())
    {
        return Err(Error::conflict(format!(
            "a notice of the kind `{}` waits already",
            kind.as_str()
        )));
    }
    let rendered = write(change.db(), centre, &request, kind, request.language, change.now()).await?;
    let notice_id: Id<Notice> = change.new_id();
    let row_of_notice = entity::notice::Model {
        id: notice_id.to_string(),
        request_id: id.to_string(),
        kind: kind.as_str().to_owned(),
        state: NoticeState::Queued.as_str().to_owned(),
        language: request.language.code().to_owned(),
        recipients: column::to_json(&party.addresses),
        subject: rendered.subject,
        body: rendered.body,
        evidence_text: rendered.evidence_text,
        evidence_json: rendered.evidence_json,
        message_id: format!("{notice_id}@{}", message_domain(centre)),
        in_reply_to: earlier.first().map(|first| first.message_id.clone()),
        queued_at_us: change.now().as_microsecond(),
        sent_at_us: None,
        last_error: None,
    };
    let notice = notice(row_of_notice.clone(), Vec::new())?;
    let fresh = row_of_notice.into_active_model().reset_all();
    entity::notice::Entity::insert(fresh)
        .exec_without_returning(change.db())
        .await?;
    change.audit(
        "request",
        id,
        "notice",
        None,
        Some(&format!("{} {notice_id}", kind.as_str())),
    );
    if kind != NoticeKind::Thanks {
        requests::apply(change, row, RequestEvent::Queue).await?;
    }
    change.enqueue(Job::DeliverNotice { notice: notice_id });
    Ok(notice)
}

/// Queues the thanks for each request of an open case that was told of and has been verified by measurement, once. For
/// a timer and after a verdict; a repeat does nothing.
pub async fn queue_thanks(records: &Records, centre: &Centre) -> Result<Vec<Notice>, Error> {
    let mut queued = Vec::new();
    for request in requests::of_open_cases(records.db()).await? {
        let due =
            request.state == RequestState::Verified && request.overruled.is_none() && request.notified_at.is_some();
        if !due {
            continue;
        }
        let mut change = records.begin(Actor::System).await?;
        let state = requests::request(&requests::row(change.db(), request.id).await?)?.state;
        let told = rows_of(change.db(), request.id).await?;
        if state != RequestState::Verified || told.iter().any(|notice| notice.kind == NoticeKind::Thanks.as_str()) {
            continue;
        }
        match queue_in(&mut change, centre, request.id, NoticeKind::Thanks).await {
            Ok(notice) => {
                change.commit().await?;
                queued.push(notice);
            }
            // One party that cannot be written to must not keep the others' thanks.
            Err(error @ (Error::Conflict { .. } | Error::Invalid { .. })) => {
                tracing::warn!(request = %request.id, %error, "no thanks");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(queued)
}

/// How a notice would read now, in any language.
pub async fn preview(
    records: &Records,
    centre: &Centre,
    request: Id<Request>,
    kind: NoticeKind,
    language: Language,
) -> Result<Rendered, Error> {
    let request = requests::get(records, request).await?;
    write(records.db(), centre, &request, kind, language, records.now()).await
}

async fn write(
    db: &impl ConnectionTrait,
    centre: &Centre,
    request: &Request,
    kind: NoticeKind,
    language: Language,
    now: model::Timestamp,
) -> Result<Rendered, Error> {
    let case = cases::case(&cases::row(db, request.case).await?)?;
    let party = requests::party_in(db, request.party).await?;
    let facts = facts_of(db, request).await?;
    Ok(render(&Letter {
        kind,
        language,
        case: case.number,
        request: request.number,
        tlp: case.tlp,
        party: &party.name,
        time_zone: &party.time_zone,
        ask: request.ask,
        check: &request.check,
        deadline: request.deadline,
        answered: request.acknowledged_at.is_some(),
        facts: &facts,
        centre,
        now,
    }))
}

/// What the case's signals say of the request's zone.
pub(crate) async fn facts_of(db: &impl ConnectionTrait, request: &Request) -> Result<Facts, Error> {
    let mut signals: Vec<Signal> = Vec::new();
    for row in alerts::of_case(db, request.case).await? {
        signals.extend(alerts::signals_in(db, alerts::alert(&row)?.id).await?);
    }
    Ok(Facts::new(&request.zone, request.ask, &signals))
}

/// One notice.
pub async fn get(records: &Records, id: Id<Notice>) -> Result<Notice, Error> {
    get_in(records.db(), id).await
}

/// The same inside of a change.
pub(super) async fn get_in(db: &impl ConnectionTrait, id: Id<Notice>) -> Result<Notice, Error> {
    let row = row(db, id).await?;
    let attempts = attempts(db, id).await?;
    notice(row, attempts)
}

/// The notices of a request, oldest first.
pub async fn of_request(records: &Records, request: Id<Request>) -> Result<Vec<Notice>, Error> {
    let mut notices = Vec::new();
    for row in rows_of(records.db(), request).await? {
        let id = column::parse("notice", &row.id, &row.id)?;
        let attempts = attempts(records.db(), id).await?;
        notices.push(notice(row, attempts)?);
    }
    Ok(notices)
}

/// The notice with this Message-ID.
pub(crate) async fn with_message_id(db: &impl ConnectionTrait, message_id: &str) -> Result<Option<Notice>, Error> {
    let row = entity::notice::Entity::find()
        .filter(entity::notice::Column::MessageId.eq(message_id))
        .one(db)
        .await?;
    row.map(|row| notice(row, Vec::new())).transpose()
}

/// Moves a notice with the words for it; whether it moved.
pub(super) async fn move_notice(
    change: &mut Change,
    id: Id<Notice>,
    event: NoticeEvent,
    words: Option<&str>,
) -> Result<bool, Error> {
    let row = row(change.db(), id).await?;
    let state: NoticeState = column::parse("notice", &row.id, &row.state)?;
    let Some(next) = state.after(event) else {
        return Ok(false);
    };
    let mut active = row.into_active_model();
    active.state = Set(next.as_str().to_owned());
    active.last_error = Set(words.map(str::to_owned));
    if event == NoticeEvent::Accept {
        active.sent_at_us = Set(Some(change.now().as_microsecond()));
    }
    active.update(change.db()).await?;
    change.audit("notice", id, "state", Some(state.as_str()), Some(next.as_str()));
    Ok(true)
}

/// Keeps the words of an attempt that will be repeated.
pub(super) async fn note_error(change: &Change, id: Id<Notice>, words: &str) -> Result<(), Error> {
    let mut active = row(change.db(), id).await?.into_active_model();
    active.last_error = Set(Some(words.to_owned()));
    active.update(change.db()).await?;
    Ok(())
}

async fn row(db: &impl ConnectionTrait, id: Id<Notice>) -> Result<entity::notice::Model, Error> {
    entity::notice::Entity::find_by_id(id.to_string())
        .one(db)
        .await?
        .ok_or_else(|| Error::not_found("notice", id))
}

async fn rows_of(db: &impl ConnectionTrait, request: Id<Request>) -> Result<Vec<entity::notice::Model>, Error> {
    let rows = entity::notice::Entity::find()
        .filter(entity::notice::Column::RequestId.eq(request.to_string()))
        .order_by_asc(entity::notice::Column::QueuedAtUs)
        .order_by_asc(entity::notice::Column::Id)
        .all(db)
        .await?;
    Ok(rows)
}

async fn attempts(db: &impl ConnectionTrait, id: Id<Notice>) -> Result<Vec<Attempt>, Error> {
    let rows = entity::attempt::Entity::find()
        .filter(entity::attempt::Column::NoticeId.eq(id.to_string()))
        .order_by_asc(entity::attempt::Column::BegunAtUs)
        .all(db)
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Attempt {
                begun_at: column::time("notice_attempt", &row.id, row.begun_at_us)?,
                ended_at: column::time_opt("notice_attempt", &row.id, row.ended_at_us)?,
                result: row.result,
            })
        })
        .collect()
}

fn notice(row: entity::notice::Model, attempts: Vec<Attempt>) -> Result<Notice, Error> {
    let id = row.id;
    Ok(Notice {
        id: column::parse("notice", &id, &id)?,
        request: column::parse("notice", &id, &row.request_id)?,
        kind: column::parse("notice", &id, &row.kind)?,
        state: column::parse("notice", &id, &row.state)?,
        language: column::parse("notice", &id, &row.language)?,
        to: column::json("notice", &id, &row.recipients)?,
        subject: row.subject,
        body: row.body,
        evidence_text: row.evidence_text,
        evidence_json: row.evidence_json,
        message_id: row.message_id,
        in_reply_to: row.in_reply_to,
        queued_at: column::time("notice", &id, row.queued_at_us)?,
        sent_at: column::time_opt("notice", &id, row.sent_at_us)?,
        attempts,
        last_error: row.last_error,
    })
}
