//! What measurement says of a request, and a person's word against it.

use model::{Id, Timestamp, Verdict, VerdictState};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde::Serialize;

use super::store::{OverrulingRow, of_open_cases};
use super::{Request, RequestEvent, RequestState, apply, entity, request, row, save};
use crate::cases;
use crate::jobs::Job;
use crate::records::{Actor, Change, Records, column};
use crate::{Error, Statement};

/// Verdicts one after the other that said the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VerdictRun {
    /// The first of them was measured then.
    pub first_at: Timestamp,
    /// The last of them was measured then.
    pub last_at: Timestamp,
    /// How many they are.
    pub repeats: i64,
    /// The last of them.
    pub verdict: Verdict,
    /// The exchanges that the last of them rests on, as text; may be empty.
    pub evidence: String,
}

/// What a verdict does to a request that stands at `state`.
///
/// A check that holds verifies, except an ask that needs the party's word first. One that fails takes "done" and
/// "verified" back to "working", but never a person's overruling. One that could not be measured does nothing.
pub(super) fn consequence(request: &Request, verdict: VerdictState) -> Option<RequestEvent> {
    match verdict {
        VerdictState::Unknown => None,
        VerdictState::Holds if request.ask.needs_word() && request.state != RequestState::Done => None,
        VerdictState::Holds => Some(RequestEvent::Hold),
        VerdictState::Fails if request.overruled.is_some() => None,
        VerdictState::Fails => Some(RequestEvent::Fail),
    }
}

/// Records what measurement said, with the exchanges as text where there are some.
///
/// A verdict older than the last one is ignored. In a closed case it is kept and moves nothing.
pub async fn record_verdict(
    records: &Records,
    id: Id<Request>,
    verdict: &Verdict,
    evidence: Option<&str>,
) -> Result<Request, Error> {
    let mut change = records.begin(Actor::System).await?;
    let row = row(change.db(), id).await?;
    let before = request(&row)?;
    if before.verdict.as_ref().is_some_and(|last| last.time > verdict.time) {
        return Ok(before);
    }
    keep(&mut change, id, verdict, evidence.unwrap_or_default()).await?;
    let mut active = row.into_active_model();
    active.verdict = Set(Some(column::to_json(verdict)));
    let row = save(&change, active).await?;
    let case = cases::case(&cases::row(change.db(), before.case).await?)?;
    let event = consequence(&before, verdict.state).filter(|_| case.state == cases::CaseState::Open);
    let row = match event {
        None => row,
        Some(event) => {
            let (row, moved) = apply(&mut change, row, event).await?;
            if moved && event == RequestEvent::Fail {
                let said = Statement::NotRepaired {
                    request: format!("{}/{}", case.number, before.number),
                    at: verdict.time,
                    from: before.state,
                };
                cases::note_in(&mut change, before.case, &said.to_string()).await?;
            }
            row
        }
    };
    let after = request(&row)?;
    change.commit().await?;
    Ok(after)
}

async fn keep(change: &mut Change, id: Id<Request>, verdict: &Verdict, evidence: &str) -> Result<(), Error> {
    let word = column::word(&verdict.state);
    let last = newest(change.db(), id).await?;
    if let Some(last) = last.filter(|last| last.state == word) {
        let repeats = last.repeats + 1;
        let mut active = last.into_active_model();
        active.last_at_us = Set(verdict.time.as_microsecond());
        active.repeats = Set(repeats);
        active.verdict = Set(column::to_json(verdict));
        active.evidence = Set(evidence.to_owned());
        active.update(change.db()).await?;
        return Ok(());
    }
    let row = entity::verdict::ActiveModel {
        id: Set(change.new_id::<Verdict>().to_string()),
        request_id: Set(id.to_string()),
        at_us: Set(verdict.time.as_microsecond()),
        last_at_us: Set(verdict.time.as_microsecond()),
        repeats: Set(1),
        state: Set(word),
        verdict: Set(column::to_json(verdict)),
        evidence: Set(evidence.to_owned()),
    };
    entity::verdict::Entity::insert(row)
        .exec_without_returning(change.db())
        .await?;
    Ok(())
}

async fn newest(db: &impl ConnectionTrait, id: Id<Request>) -> Result<Option<entity::verdict::Model>, Error> {
    let last = entity::verdict::Entity::find()
        .filter(entity::verdict::Column::RequestId.eq(id.to_string()))
        .order_by_desc(entity::verdict::Column::LastAtUs)
        .order_by_desc(entity::verdict::Column::Id)
        .one(db)
        .await?;
    Ok(last)
}

/// What measurement said of a request, newest first.
pub async fn verdicts(records: &Records, id: Id<Request>) -> Result<Vec<VerdictRun>, Error> {
    let rows = entity::verdict::Entity::find()
        .filter(entity::verdict::Column::RequestId.eq(id.to_string()))
        .order_by_desc(entity::verdict::Column::LastAtUs)
        .order_by_desc(entity::verdict::Column::Id)
        .all(records.db())
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok(VerdictRun {
                first_at: column::time("request_verdict", &row.id, row.at_us)?,
                last_at: column::time("request_verdict", &row.id, row.last_at_us)?,
                repeats: row.repeats,
                verdict: column::json("request_verdict", &row.id, &row.verdict)?,
                evidence: row.evidence,
            })
        })
        .collect()
}

/// A person says that the request is done, whatever measurement says. The reason shows wherever the request shows.
///
/// `Forbidden` for parties and the public, `Conflict` when it is verified already, `Invalid` without a reason.
pub async fn overrule(records: &Records, actor: Actor, id: Id<Request>, reason: &str) -> Result<Request, Error> {
    if matches!(actor, Actor::Party(_) | Actor::Public) {
        return Err(Error::forbidden("only the team may overrule a check"));
    }
    let reason = cases::checked_text("reason", reason, 4000)?;
    let mut change = records.begin(actor).await?;
    let row = row(change.db(), id).await?;
    cases::open_row(change.db(), request(&row)?.case).await?;
    let (row, moved) = apply(&mut change, row, RequestEvent::Overrule).await?;
    if !moved {
        return Err(Error::conflict("the request is verified already"));
    }
    let overruling = OverrulingRow {
        actor: actor.to_string(),
        reason: reason.clone(),
        time: change.now(),
    };
    let mut active = row.into_active_model();
    active.overruled = Set(Some(column::to_json(&overruling)));
    let row = save(&change, active).await?;
    change.audit("request", id, "overruled", None, Some(&reason));
    let request = request(&row)?;
    change.commit().await?;
    Ok(request)
}

/// Asks for a measurement now, out of the interval.
pub async fn measure_now(records: &Records, actor: Actor, id: Id<Request>) -> Result<(), Error> {
    let mut change = records.begin(actor).await?;
    row(change.db(), id).await?;
    change.enqueue(Job::VerifyRequest { request: id });
    change.commit().await
}

/// The requests to be measured on the interval: those of open cases that measurement may still verify. Verified ones
/// are left to the detectors, and to [`measure_now`].
pub async fn to_verify(records: &Records) -> Result<Vec<Request>, Error> {
    let mut requests = of_open_cases(records.db()).await?;
    requests.retain(|request| request.state.after(RequestEvent::Hold).is_some());
    Ok(requests)
}
