//! Cases in the records.

use std::collections::HashMap;

use model::{Id, Severity, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, Func, SimpleExpr};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::figures::{Moments, sum_up};
use super::{
    Case, CaseEvent, CaseFilter, CaseNumber, CaseState, CaseSummary, Figures, NewCase, Note, PeriodFigures, entity,
    still_open,
};
use crate::alerts::{self, Alert, AlertEvent};
use crate::records::{Actor, Change, Records, column};
use crate::requests::{self, Request, RequestState};
use crate::{Error, Statement};

/// Longest title in letters: what a subject line and a phone screen still show.
const LONGEST_TITLE: usize = 200;

/// Longest note in letters.
const LONGEST_NOTE: usize = 20_000;

/// Opens a case from new alerts and keeps what they saw as its evidence.
///
/// `Invalid` for an empty title or no alert, `Conflict` for an alert that is not new any more.
pub async fn open(records: &Records, actor: Actor, new: &NewCase) -> Result<Case, Error> {
    let title = checked_text("title", &new.title, LONGEST_TITLE)?;
    let Some(first) = new.alerts.first() else {
        return Err(Error::invalid("alerts", "a case begins with at least one alert"));
    };
    let mut change = records.begin(actor).await?;
    let opened_at = change.now();
    let number = next_number(change.db(), opened_at).await?;
    let first = alerts::alert(&alerts::row(change.db(), *first).await?)?;
    let id: Id<Case> = change.new_id();
    let row = entity::case::ActiveModel {
        id: Set(id.to_string()),
        year: Set(i64::from(number.year)),
        serial: Set(number.serial),
        title: Set(title.clone()),
        tlp: Set(new.tlp.as_str().to_owned()),
        state: Set(CaseState::Open.as_str().to_owned()),
        severity: Set(first.severity.as_str().to_owned()),
        zones: Set(column::to_json(&first.zones)),
        fault_at_us: Set(first.first_at.as_microsecond()),
        detected_at_us: Set(first.raised_at.as_microsecond()),
        opened_at_us: Set(opened_at.as_microsecond()),
        opened_by: Set(actor.to_string()),
        closed_at_us: Set(None),
        closing: Set(None),
    };
    entity::case::Entity::insert(row)
        .exec_without_returning(change.db())
        .await?;
    change.audit("case", id, "state", None, Some(CaseState::Open.as_str()));
    change.audit("case", id, "title", None, Some(&title));
    change.audit("case", id, "tlp", None, Some(new.tlp.as_str()));
    let mut ids = new.alerts.clone();
    ids.dedup();
    for alert in ids {
        take(&mut change, id, alert).await?;
    }
    let opened = case(&row_of(change.db(), id).await?)?;
    change.commit().await?;
    Ok(opened)
}

/// The next number of the year. Changes go one after the other, so nobody takes it meanwhile.
async fn next_number(db: &impl ConnectionTrait, now: Timestamp) -> Result<CaseNumber, Error> {
    let year = now.to_zoned(jiff::tz::TimeZone::UTC).year();
    let last: Option<i64> = entity::case::Entity::find()
        .select_only()
        .column_as(entity::case::Column::Serial.max(), "last")
        .filter(entity::case::Column::Year.eq(i64::from(year)))
        .into_tuple::<Option<i64>>()
        .one(db)
        .await?
        .flatten();
    Ok(CaseNumber {
        year,
        serial: last.unwrap_or(0) + 1,
    })
}

/// Puts an alert into a case, takes over its severity, zones and times, and keeps what it saw.
async fn take(change: &mut Change, id: Id<Case>, alert: Id<Alert>) -> Result<(), Error> {
    let alert = alerts::put_into_case(change, alert, id).await?;
    let row = row_of(change.db(), id).await?;
    let before = case(&row)?;
    let severity = before.severity.max(alert.severity);
    let mut zones = before.zones.clone();
    zones.extend(alert.zones.iter().cloned());
    zones.sort();
    zones.dedup();
    let (fault, detected) = (row.fault_at_us, row.detected_at_us);
    let mut active = row.into_active_model();
    active.severity = Set(severity.as_str().to_owned());
    active.zones = Set(column::to_json(&zones));
    active.fault_at_us = Set(fault.min(alert.first_at.as_microsecond()));
    active.detected_at_us = Set(detected.min(alert.raised_at.as_microsecond()));
    active.update(change.db()).await?;
    change.audit(
        "case",
        id,
        "severity",
        Some(before.severity.as_str()),
        Some(severity.as_str()),
    );
    change.audit("case", id, "alert", None, Some(&alert.id.to_string()));
    super::evidence::keep_signals(change, id, &alert).await
}

/// Adds a new alert to an open case.
pub async fn add_alert(records: &Records, actor: Actor, id: Id<Case>, alert: Id<Alert>) -> Result<Case, Error> {
    let mut change = records.begin(actor).await?;
    open_row(change.db(), id).await?;
    take(&mut change, id, alert).await?;
    let case = case(&row_of(change.db(), id).await?)?;
    change.commit().await?;
    Ok(case)
}

/// Cases, newest first.
pub async fn list(records: &Records, filter: &CaseFilter) -> Result<Vec<CaseSummary>, Error> {
    use entity::case::Column;
    let mut find = entity::case::Entity::find();
    if let Some(state) = filter.state {
        find = find.filter(Column::State.eq(state.as_str()));
    }
    let text = filter.text.trim();
    if let Ok(number) = text.parse::<CaseNumber>() {
        find = find
            .filter(Column::Year.eq(i64::from(number.year)))
            .filter(Column::Serial.eq(number.serial));
    } else if !text.is_empty() {
        let anywhere = Condition::any()
            .add(title_has(text))
            .add(Column::Zones.contains(text.to_lowercase()));
        find = find.filter(anywhere);
    }
    let rows = find
        .order_by_desc(Column::OpenedAtUs)
        .limit(filter.limit)
        .all(records.db())
        .await?;
    let cases = rows.iter().map(case).collect::<Result<Vec<Case>, Error>>()?;
    let mut requests = of_cases(records, &cases).await?;
    let now = records.now();
    let summary = |case: Case| {
        let own = requests.remove(&case.id).unwrap_or_default();
        let count = |is: &dyn Fn(&&Request) -> bool| i64::try_from(own.iter().filter(is).count()).unwrap_or(i64::MAX);
        CaseSummary {
            requests: count(&|_| true),
            ended: count(&|request| request.state.is_end()),
            overdue: count(&|request| !request.state.is_end() && request.deadline < now),
            case,
        }
    };
    Ok(cases.into_iter().map(summary).collect())
}

/// One case.
pub async fn get(records: &Records, id: Id<Case>) -> Result<Case, Error> {
    case(&row_of(records.db(), id).await?)
}

/// The case with this number.
pub async fn find(records: &Records, number: CaseNumber) -> Result<Case, Error> {
    let row = entity::case::Entity::find()
        .filter(entity::case::Column::Year.eq(i64::from(number.year)))
        .filter(entity::case::Column::Serial.eq(number.serial))
        .one(records.db())
        .await?;
    case(&row.ok_or_else(|| Error::not_found("case", number))?)
}

/// The alerts of a case, oldest first.
pub async fn alerts_of(records: &Records, id: Id<Case>) -> Result<Vec<Alert>, Error> {
    alerts::of_case(records.db(), id)
        .await?
        .iter()
        .map(alerts::alert)
        .collect()
}

/// Writes a note into a case, open or closed.
pub async fn note(records: &Records, actor: Actor, id: Id<Case>, text: &str) -> Result<Note, Error> {
    let text = checked_text("text", text, LONGEST_NOTE)?;
    let mut change = records.begin(actor).await?;
    row_of(change.db(), id).await?;
    let note = note_in(&mut change, id, &text).await?;
    change.commit().await?;
    Ok(note)
}

/// The same inside of a change.
pub(crate) async fn note_in(change: &mut Change, case: Id<Case>, text: &str) -> Result<Note, Error> {
    let note = Note {
        id: change.new_id(),
        case,
        time: change.now(),
        actor: change.actor(),
        text: text.to_owned(),
    };
    let row = entity::note::ActiveModel {
        id: Set(note.id.to_string()),
        case_id: Set(case.to_string()),
        at_us: Set(note.time.as_microsecond()),
        actor: Set(note.actor.to_string()),
        text: Set(note.text.clone()),
    };
    entity::note::Entity::insert(row)
        .exec_without_returning(change.db())
        .await?;
    change.audit("case", case, "note", None, Some(&note.id.to_string()));
    Ok(note)
}

/// The notes of a case, oldest first.
pub async fn notes(records: &Records, id: Id<Case>) -> Result<Vec<Note>, Error> {
    let rows = entity::note::Entity::find()
        .filter(entity::note::Column::CaseId.eq(id.to_string()))
        .order_by_asc(entity::note::Column::AtUs)
        .order_by_asc(entity::note::Column::Id)
        .all(records.db())
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Note {
                id: column::parse("case_note", &row.id, &row.id)?,
                case: id,
                time: column::time("case_note", &row.id, row.at_us)?,
                actor: column::parse("case_note", &row.id, &row.actor)?,
                text: row.text,
            })
        })
        .collect()
}

/// Closes a case and ends its alerts.
///
/// `Conflict` when it is closed already, or when a request has not come to an end and no `reason` is given.
pub async fn close(records: &Records, actor: Actor, id: Id<Case>, reason: Option<&str>) -> Result<Figures, Error> {
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    let reason = reason
        .map(|reason| checked_text("reason", reason, LONGEST_NOTE))
        .transpose()?;
    let mut change = records.begin(actor).await?;
    let row = row_of(change.db(), id).await?;
    let state = case(&row)?.state;
    let Some(next) = state.after(CaseEvent::Close) else {
        return Err(Error::conflict("the case is closed already"));
    };
    let requests = requests::in_case(change.db(), id).await?;
    if let (Some(open), None) = (still_open(&requests), &reason) {
        return Err(Error::conflict(format!(
            "requests have not come to an end: {open}; give a reason to close all the same"
        )));
    }
    let mut active = row.into_active_model();
    active.state = Set(next.as_str().to_owned());
    active.closed_at_us = Set(Some(change.now().as_microsecond()));
    active.closing = Set(reason.clone());
    let row = active.update(change.db()).await?;
    change.audit("case", id, "state", Some(state.as_str()), Some(next.as_str()));
    change.audit("case", id, "closing", None, reason.as_deref());
    for alert in alerts::of_case(change.db(), id).await? {
        if alerts::alert(&alert)?.state.is_open() {
            let reason = Statement::CaseClosed.to_string();
            alerts::move_alert(&mut change, alert, AlertEvent::End, Some(&reason)).await?;
        }
    }
    let figures = Figures::from(&moments(&row, &requests)?);
    change.commit().await?;
    Ok(figures)
}

/// Opens a closed case again. Its alerts come back into it, except where a newer alert has the same key.
pub async fn reopen(records: &Records, actor: Actor, id: Id<Case>, reason: &str) -> Result<Case, Error> {
    let reason = checked_text("reason", reason, LONGEST_NOTE)?;
    let mut change = records.begin(actor).await?;
    let row = row_of(change.db(), id).await?;
    let before = case(&row)?;
    let Some(next) = before.state.after(CaseEvent::Reopen) else {
        return Err(Error::conflict("the case is open"));
    };
    let mut active = row.into_active_model();
    active.state = Set(next.as_str().to_owned());
    active.closed_at_us = Set(None);
    active.closing = Set(None);
    let row = active.update(change.db()).await?;
    change.audit("case", id, "state", Some(before.state.as_str()), Some(next.as_str()));
    change.audit("case", id, "closing", before.closing.as_deref(), None);
    note_in(&mut change, id, &reason).await?;
    for alert in alerts::of_case(change.db(), id).await? {
        if alerts::open_alert_with_key(change.db(), &alert.key).await?.is_none() {
            alerts::move_alert(&mut change, alert, AlertEvent::Release, None).await?;
        }
    }
    let case = case(&row)?;
    change.commit().await?;
    Ok(case)
}

/// The figures of a case as far as it has come.
pub async fn figures(records: &Records, id: Id<Case>) -> Result<Figures, Error> {
    let row = row_of(records.db(), id).await?;
    Ok(Figures::from(&moments(
        &row,
        &requests::in_case(records.db(), id).await?,
    )?))
}

/// The figures of the cases opened from `from` up to but not including `to`.
pub async fn figures_between(records: &Records, from: Timestamp, to: Timestamp) -> Result<PeriodFigures, Error> {
    use entity::case::Column;
    let rows = entity::case::Entity::find()
        .filter(Column::OpenedAtUs.gte(from.as_microsecond()))
        .filter(Column::OpenedAtUs.lt(to.as_microsecond()))
        .all(records.db())
        .await?;
    let cases = rows.iter().map(case).collect::<Result<Vec<Case>, Error>>()?;
    let mut requests = of_cases(records, &cases).await?;
    let mut figures = Vec::with_capacity(rows.len());
    for (row, case) in rows.iter().zip(&cases) {
        let own = requests.remove(&case.id).unwrap_or_default();
        figures.push(Figures::from(&moments(row, &own)?));
    }
    Ok(sum_up(&figures))
}

/// The requests of many cases by case, in one look.
async fn of_cases(records: &Records, cases: &[Case]) -> Result<HashMap<Id<Case>, Vec<Request>>, Error> {
    let ids: Vec<Id<Case>> = cases.iter().map(|case| case.id).collect();
    let mut by_case: HashMap<Id<Case>, Vec<Request>> = HashMap::new();
    for request in requests::in_cases(records.db(), &ids).await? {
        by_case.entry(request.case).or_default().push(request);
    }
    Ok(by_case)
}

/// A title with this text in it, in capitals or not: LIKE alone minds them on PostgreSQL and not on SQLite.
fn title_has(text: &str) -> SimpleExpr {
    use sea_orm::sea_query::ExprTrait as _;
    let title = Expr::expr(Func::lower(Expr::col(entity::case::Column::Title)));
    title.like(format!("%{}%", text.to_lowercase()))
}

fn moments(row: &entity::case::Model, requests: &[Request]) -> Result<Moments, Error> {
    let time = |at_us| column::time("case_file", &row.id, at_us);
    let verified = requests
        .iter()
        .filter(|request| request.state == RequestState::Verified);
    Ok(Moments {
        fault: time(row.fault_at_us)?,
        detected: Some(time(row.detected_at_us)?),
        opened: Some(time(row.opened_at_us)?),
        notified: requests.iter().filter_map(|request| request.notified_at).min(),
        acknowledged: requests.iter().filter_map(|request| request.acknowledged_at).min(),
        done: requests.iter().filter_map(|request| request.done_at).max(),
        verified: verified.filter_map(|request| request.verified_at).max(),
        closed: column::time_opt("case_file", &row.id, row.closed_at_us)?,
    })
}

/// A text without space around it; `Invalid` when it is empty or longer than `longest` letters.
pub(crate) fn checked_text(field: &str, text: &str, longest: usize) -> Result<String, Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::invalid(field, "it is empty"));
    }
    if text.contains('\0') {
        // PostgreSQL keeps no such text; SQLite would, and the two must agree.
        return Err(Error::invalid(field, "it has a NUL character"));
    }
    if text.chars().count() > longest {
        return Err(Error::invalid(field, format!("it is longer than {longest} letters")));
    }
    Ok(text.to_owned())
}

/// The row of one case.
pub(crate) async fn row_of(db: &impl ConnectionTrait, id: Id<Case>) -> Result<entity::case::Model, Error> {
    entity::case::Entity::find_by_id(id.to_string())
        .one(db)
        .await?
        .ok_or_else(|| Error::not_found("case", id))
}

/// The case, or `Conflict` when it is closed.
pub(crate) async fn open_row(db: &impl ConnectionTrait, id: Id<Case>) -> Result<Case, Error> {
    let case = case(&row_of(db, id).await?)?;
    if case.state == CaseState::Open {
        Ok(case)
    } else {
        Err(Error::conflict("the case is closed"))
    }
}

pub(crate) fn case(row: &entity::case::Model) -> Result<Case, Error> {
    let id = &row.id;
    let severity: Severity = column::from_word("case_file", id, &row.severity)?;
    let year = i16::try_from(row.year).map_err(|error| column::damaged("case_file", id, error))?;
    Ok(Case {
        id: column::parse("case_file", id, id)?,
        number: CaseNumber {
            year,
            serial: row.serial,
        },
        title: row.title.clone(),
        tlp: column::parse("case_file", id, &row.tlp)?,
        state: column::parse("case_file", id, &row.state)?,
        severity,
        zones: column::json("case_file", id, &row.zones)?,
        fault_at: column::time("case_file", id, row.fault_at_us)?,
        opened_at: column::time("case_file", id, row.opened_at_us)?,
        opened_by: column::parse("case_file", id, &row.opened_by)?,
        closed_at: column::time_opt("case_file", id, row.closed_at_us)?,
        closing: row.closing.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::checked_text;

    #[test]
    fn a_text_is_trimmed_and_a_wrong_one_names_its_field() {
        assert_eq!(checked_text("note", " seen \n", 10).unwrap(), "seen");
        for (text, reason) in [("  ", "empty"), ("a\0b", "NUL"), ("far too long", "longer than 10")] {
            let error = checked_text("note", text, 10).unwrap_err().to_string();
            assert!(error.contains("`note`") && error.contains(reason), "{error}");
        }
    }
}
