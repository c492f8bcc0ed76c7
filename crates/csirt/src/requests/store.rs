//! Parties and requests in the records.

use model::{Id, Language, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};

use super::silence::judge;
use super::{
    Grid, Overruling, Party, Patience, Proposal, Request, RequestEvent, RequestState, Row, SilenceStep, entity,
};
use crate::Error;
use crate::cases::{self, Case, CaseState};
use crate::directory::Organisation;
use crate::notices::{self, Centre, NoticeKind};
use crate::records::{Actor, Change, Records, column};

/// The form in which an overruling stands in its column.
#[derive(Serialize, Deserialize)]
pub(super) struct OverrulingRow {
    pub actor: String,
    pub reason: String,
    pub time: Timestamp,
}

/// Makes a request, and its party where the case has not got it yet.
///
/// `Conflict` for a closed case, `Invalid` where a field of the proposal cannot be.
pub async fn create(records: &Records, actor: Actor, case: Id<Case>, proposal: &Proposal) -> Result<Request, Error> {
    check(proposal)?;
    let mut change = records.begin(actor).await?;
    cases::open_row(change.db(), case).await?;
    let party = party_for(&mut change, case, proposal).await?;
    let number = i64::try_from(in_case(change.db(), case).await?.len()).unwrap_or(i64::MAX - 1) + 1;
    let now = change.now().as_microsecond();
    let id: Id<Request> = change.new_id();
    let row = entity::request::ActiveModel {
        id: Set(id.to_string()),
        case_id: Set(case.to_string()),
        number: Set(number),
        party_id: Set(party.to_string()),
        ask: Set(proposal.ask.as_str().to_owned()),
        zone: Set(proposal.zone.to_string()),
        check_json: Set(column::to_json(&proposal.check)),
        language: Set(proposal.language.code().to_owned()),
        deadline_at_us: Set(proposal.deadline.as_microsecond()),
        state: Set(RequestState::NotNotified.as_str().to_owned()),
        state_at_us: Set(now),
        created_at_us: Set(now),
        reminders: Set(0),
        ..Default::default()
    };
    entity::request::Entity::insert(row)
        .exec_without_returning(change.db())
        .await?;
    change.audit("request", id, "state", None, Some(RequestState::NotNotified.as_str()));
    change.audit("request", id, "ask", None, Some(proposal.ask.as_str()));
    change.audit("request", id, "zone", None, Some(&proposal.zone.to_string()));
    change.audit("request", id, "deadline", None, Some(&proposal.deadline.to_string()));
    let request = request(&self::row(change.db(), id).await?)?;
    change.commit().await?;
    Ok(request)
}

fn check(proposal: &Proposal) -> Result<(), Error> {
    if proposal.name.trim().is_empty() || proposal.name.chars().count() > 200 {
        return Err(Error::invalid("name", "a name of 1 to 200 letters is needed"));
    }
    if proposal.check.zone() != &proposal.zone {
        return Err(Error::invalid("check", "it measures another zone"));
    }
    if let Some(wrong) = proposal.addresses.iter().find(|address| !notices::is_address(address)) {
        return Err(Error::invalid("addresses", format!("`{wrong}` is no mail address")));
    }
    jiff::tz::TimeZone::get(&proposal.time_zone)
        .map(|_| ())
        .map_err(|_| Error::invalid("time_zone", format!("`{}` is no time zone", proposal.time_zone)))
}

async fn party_for(change: &mut Change, case: Id<Case>, proposal: &Proposal) -> Result<Id<Party>, Error> {
    for party in parties(change.db(), case).await? {
        let same = match (party.organisation, proposal.organisation) {
            (Some(here), Some(wanted)) => here == wanted,
            (None, None) => party.name == proposal.name && party.addresses == proposal.addresses,
            _ => false,
        };
        if same {
            return Ok(party.id);
        }
    }
    let id: Id<Party> = change.new_id();
    let row = entity::party::ActiveModel {
        id: Set(id.to_string()),
        case_id: Set(case.to_string()),
        organisation_id: Set(proposal.organisation.map(|id| id.to_string())),
        name: Set(proposal.name.trim().to_owned()),
        addresses: Set(column::to_json(&proposal.addresses)),
        language: Set(proposal.language.code().to_owned()),
        time_zone: Set(proposal.time_zone.clone()),
        because: Set(proposal.because.clone()),
    };
    entity::party::Entity::insert(row)
        .exec_without_returning(change.db())
        .await?;
    change.audit("case", case, "party", None, Some(proposal.name.trim()));
    Ok(id)
}

/// One request.
pub async fn get(records: &Records, id: Id<Request>) -> Result<Request, Error> {
    request(&row(records.db(), id).await?)
}

/// One party.
pub async fn party(records: &Records, id: Id<Party>) -> Result<Party, Error> {
    party_in(records.db(), id).await
}

/// The same inside of a change.
pub(crate) async fn party_in(db: &impl ConnectionTrait, id: Id<Party>) -> Result<Party, Error> {
    let row = entity::party::Entity::find_by_id(id.to_string()).one(db).await?;
    party_of(row.ok_or_else(|| Error::not_found("party", id))?)
}

/// The parties of a case with their requests.
pub async fn grid(records: &Records, case: Id<Case>) -> Result<Grid, Error> {
    let mut requests = in_case(records.db(), case).await?;
    let parties = parties(records.db(), case).await?.into_iter().map(|party| {
        let (own, others) = requests.drain(..).partition(|request| request.party == party.id);
        requests = others;
        Row { party, requests: own }
    });
    Ok(Grid {
        parties: parties.collect(),
    })
}

/// The requests to an organisation with their cases, newest first, 500 at most.
pub async fn of_organisation(records: &Records, organisation: Id<Organisation>) -> Result<Vec<(Case, Request)>, Error> {
    let parties: Vec<String> = entity::party::Entity::find()
        .filter(entity::party::Column::OrganisationId.eq(organisation.to_string()))
        .all(records.db())
        .await?
        .into_iter()
        .map(|party| party.id)
        .collect();
    let rows = entity::request::Entity::find()
        .filter(entity::request::Column::PartyId.is_in(parties))
        .order_by_desc(entity::request::Column::CreatedAtUs)
        .limit(500)
        .all(records.db())
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let request = request(&row)?;
        found.push((cases::get(records, request.case).await?, request));
    }
    Ok(found)
}

/// Looks at every request of every open case whose party is silent: queues reminders at the deadline, and marks a party
/// as unreachable after the last one. For a timer; a repeat does nothing. Returns the requests that it touched.
pub async fn watch_silence(records: &Records, centre: &Centre, patience: &Patience) -> Result<Vec<Id<Request>>, Error> {
    let now = records.now();
    let mut touched = Vec::new();
    for waiting in of_open_cases(records.db()).await? {
        if step(patience, &waiting, now) == SilenceStep::Wait {
            continue;
        }
        let mut change = records.begin(Actor::System).await?;
        let row = row(change.db(), waiting.id).await?;
        let current = request(&row)?;
        match step(patience, &current, change.now()) {
            SilenceStep::Wait => continue,
            SilenceStep::GiveUp => {
                apply(&mut change, row, RequestEvent::GiveUp).await?;
            }
            SilenceStep::Remind => {
                let reminded_at = change.now().as_microsecond();
                let mut active = row.into_active_model();
                active.reminders = Set(i64::from(current.reminders) + 1);
                active.reminded_at_us = Set(Some(reminded_at));
                active.update(change.db()).await?;
                let (old, new) = (current.reminders.to_string(), (current.reminders + 1).to_string());
                change.audit("request", current.id, "reminders", Some(&old), Some(&new));
                match notices::queue_in(&mut change, centre, current.id, NoticeKind::Reminder).await {
                    Ok(_) => {}
                    // One waits already, or the party cannot be written to: others must not wait for it.
                    Err(error @ (Error::Conflict { .. } | Error::Invalid { .. })) => {
                        tracing::warn!(request = %current.id, %error, "no reminder");
                        continue;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        change.commit().await?;
        touched.push(waiting.id);
    }
    Ok(touched)
}

fn step(patience: &Patience, request: &Request, now: Timestamp) -> SilenceStep {
    judge(
        patience,
        request.state,
        request.deadline,
        request.reminders,
        request.reminded_at,
        now,
    )
}

/// Requests of open cases, oldest first.
pub(crate) async fn of_open_cases(db: &impl ConnectionTrait) -> Result<Vec<Request>, Error> {
    let open = cases::entity::case::Entity::find()
        .select_only()
        .column(cases::entity::case::Column::Id)
        .filter(cases::entity::case::Column::State.eq(CaseState::Open.as_str()));
    let rows = entity::request::Entity::find()
        .filter(entity::request::Column::CaseId.in_subquery(sea_orm::QueryTrait::into_query(open)))
        .order_by_asc(entity::request::Column::CreatedAtUs)
        .order_by_asc(entity::request::Column::Number)
        .all(db)
        .await?;
    rows.iter().map(request).collect()
}

/// The requests of a case by number.
pub(crate) async fn in_case(db: &impl ConnectionTrait, case: Id<Case>) -> Result<Vec<Request>, Error> {
    in_cases(db, &[case]).await
}

/// The requests of some cases by number.
pub(crate) async fn in_cases(db: &impl ConnectionTrait, cases: &[Id<Case>]) -> Result<Vec<Request>, Error> {
    let rows = entity::request::Entity::find()
        .filter(entity::request::Column::CaseId.is_in(cases.iter().map(ToString::to_string)))
        .order_by_asc(entity::request::Column::Number)
        .all(db)
        .await?;
    rows.iter().map(request).collect()
}

/// Moves a request and keeps the moments that figures are made of. Returns the row, and whether it moved.
pub(crate) async fn apply(
    change: &mut Change,
    row: entity::request::Model,
    event: RequestEvent,
) -> Result<(entity::request::Model, bool), Error> {
    let before: RequestState = column::parse("request", &row.id, &row.state)?;
    let Some(next) = before.after(event) else {
        return Ok((row, false));
    };
    let now = change.now().as_microsecond();
    let (id, acknowledged) = (row.id.clone(), row.acknowledged_at_us);
    let mut active = row.into_active_model();
    active.state = Set(next.as_str().to_owned());
    active.state_at_us = Set(now);
    match event {
        RequestEvent::Acknowledge | RequestEvent::Work | RequestEvent::Decline | RequestEvent::Disown => {
            active.acknowledged_at_us = Set(acknowledged.or(Some(now)));
        }
        RequestEvent::Finish => {
            active.acknowledged_at_us = Set(acknowledged.or(Some(now)));
            active.done_at_us = Set(Some(now));
        }
        RequestEvent::Hold | RequestEvent::Overrule => active.verified_at_us = Set(Some(now)),
        RequestEvent::Fail => active.verified_at_us = Set(None),
        _ => {}
    }
    let row = active.update(change.db()).await?;
    change.audit("request", &id, "state", Some(before.as_str()), Some(next.as_str()));
    Ok((row, true))
}

/// Writes single columns of a request.
pub(crate) async fn save(
    change: &Change,
    active: entity::request::ActiveModel,
) -> Result<entity::request::Model, Error> {
    Ok(active.update(change.db()).await?)
}

/// The row of one request.
pub(crate) async fn row(db: &impl ConnectionTrait, id: Id<Request>) -> Result<entity::request::Model, Error> {
    entity::request::Entity::find_by_id(id.to_string())
        .one(db)
        .await?
        .ok_or_else(|| Error::not_found("request", id))
}

async fn parties(db: &impl ConnectionTrait, case: Id<Case>) -> Result<Vec<Party>, Error> {
    let rows = entity::party::Entity::find()
        .filter(entity::party::Column::CaseId.eq(case.to_string()))
        .order_by_asc(entity::party::Column::Id)
        .all(db)
        .await?;
    rows.into_iter().map(party_of).collect()
}

fn party_of(row: entity::party::Model) -> Result<Party, Error> {
    let id = row.id.clone();
    Ok(Party {
        id: column::parse("party", &id, &id)?,
        case: column::parse("party", &id, &row.case_id)?,
        organisation: column::parse_opt("party", &id, row.organisation_id.as_deref())?,
        name: row.name,
        addresses: column::json("party", &id, &row.addresses)?,
        language: column::parse::<Language>("party", &id, &row.language)?,
        time_zone: row.time_zone,
        because: row.because,
    })
}

pub(crate) fn request(row: &entity::request::Model) -> Result<Request, Error> {
    let id = &row.id;
    let number = |value: i64| value.try_into().map_err(|error| column::damaged("request", id, error));
    let overruled = match &row.overruled {
        None => None,
        Some(text) => {
            let OverrulingRow { actor, reason, time } = column::json("request", id, text)?;
            Some(Overruling {
                actor: column::parse("request", id, &actor)?,
                reason,
                time,
            })
        }
    };
    Ok(Request {
        id: column::parse("request", id, id)?,
        case: column::parse("request", id, &row.case_id)?,
        number: number(row.number)?,
        party: column::parse("request", id, &row.party_id)?,
        ask: column::parse("request", id, &row.ask)?,
        zone: column::parse("request", id, &row.zone)?,
        check: column::json("request", id, &row.check_json)?,
        language: column::parse("request", id, &row.language)?,
        deadline: column::time("request", id, row.deadline_at_us)?,
        state: column::parse("request", id, &row.state)?,
        state_at: column::time("request", id, row.state_at_us)?,
        created_at: column::time("request", id, row.created_at_us)?,
        notified_at: column::time_opt("request", id, row.notified_at_us)?,
        acknowledged_at: column::time_opt("request", id, row.acknowledged_at_us)?,
        done_at: column::time_opt("request", id, row.done_at_us)?,
        verified_at: column::time_opt("request", id, row.verified_at_us)?,
        reminders: u32::try_from(row.reminders).map_err(|error| column::damaged("request", id, error))?,
        reminded_at: column::time_opt("request", id, row.reminded_at_us)?,
        overruled,
        verdict: row
            .verdict
            .as_deref()
            .map(|text| column::json("request", id, text))
            .transpose()?,
        call_me: row.call_me.clone(),
    })
}
