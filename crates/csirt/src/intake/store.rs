//! Reports in the records.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::SignedDuration;
use model::{Detector, Id, Severity, Signal, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

use super::form::{Draft, check, is_spam};
use super::limit::{allow, source};
use super::{Form, Policy, Report, ReportNumber, ReportState, SubmitError, entity};
use crate::alerts::{self, Alert, AlertEvent, AlertState};
use crate::records::{Actor, Change, Records, column};
use crate::{Error, Statement};

/// Letters of the description that stand in the alert.
const SUMMARY: usize = 120;

/// Takes a report. When this returns a number, the report and its alert are on the disk.
pub async fn submit(
    records: &Records,
    form: &Form,
    address: IpAddr,
    policy: &Policy,
) -> Result<ReportNumber, SubmitError> {
    let draft = check(form).map_err(SubmitError::Fields)?;
    let mut change = records.begin(Actor::Public).await?;
    let now = change.now();
    limit(&mut change, address, policy).await?;
    let (_, number) = if is_spam(form, policy.fastest_secs, now) {
        keep_aside(&mut change, draft).await?
    } else {
        keep_in(&mut change, draft, Severity::Review, |_| {}).await?
    };
    change.commit().await?;
    Ok(number)
}

/// Keeps a report and raises its alert, which `shape` may change.
pub(crate) async fn keep_in(
    change: &mut Change,
    draft: Draft,
    severity: Severity,
    shape: impl FnOnce(&mut Signal),
) -> Result<(Id<Report>, ReportNumber), Error> {
    let number = next_number(change.db(), change.now()).await?;
    let mut signal = signal(number, &draft, change.now(), severity);
    shape(&mut signal);
    let alert = alerts::raise_in(change, &signal).await?.alert().id;
    insert(change, number, draft, ReportState::Open, Some(alert)).await
}

/// Keeps a report that looks like spam, without an alert.
async fn keep_aside(change: &mut Change, draft: Draft) -> Result<(Id<Report>, ReportNumber), Error> {
    let number = next_number(change.db(), change.now()).await?;
    insert(change, number, draft, ReportState::Spam, None).await
}

async fn insert(
    change: &mut Change,
    number: ReportNumber,
    draft: Draft,
    state: ReportState,
    alert: Option<Id<Alert>>,
) -> Result<(Id<Report>, ReportNumber), Error> {
    let id: Id<Report> = change.new_id();
    let row = entity::report::ActiveModel {
        id: Set(id.to_string()),
        year: Set(i64::from(number.year)),
        serial: Set(number.serial),
        state: Set(column::word(&state)),
        what: Set(draft.what),
        names: Set(draft.names),
        zones: Set(column::to_json(&draft.zones)),
        addresses: Set(column::to_json(&draft.addresses)),
        email: Set(draft.email),
        language: Set(draft.language.code().to_owned()),
        tlp: Set(draft.tlp.as_str().to_owned()),
        received_at_us: Set(change.now().as_microsecond()),
        alert_id: Set(alert.map(|alert| alert.to_string())),
    };
    entity::report::Entity::insert(row)
        .exec_without_returning(change.db())
        .await?;
    change.audit("report", id, "number", None, Some(&number.to_string()));
    change.audit("report", id, "state", None, Some(&column::word(&state)));
    Ok((id, number))
}

/// Counts the report of this address, or says when the next one is taken. Forgets sources whose window is over.
async fn limit(change: &mut Change, address: IpAddr, policy: &Policy) -> Result<(), SubmitError> {
    use entity::source::{Column, Entity};
    let (now, source) = (change.now(), source(address));
    let window_start = now - SignedDuration::from_secs(i64::from(policy.window_secs));
    Entity::delete_many()
        .filter(Column::AtUs.lte(window_start.as_microsecond()))
        .exec(change.db())
        .await
        .map_err(Error::from)?;
    let rows = Entity::find()
        .filter(Column::Source.eq(&source))
        .all(change.db())
        .await
        .map_err(Error::from)?;
    let earlier = rows
        .iter()
        .map(|row| column::time("report_source", &row.id, row.at_us))
        .collect::<Result<Vec<Timestamp>, Error>>()?;
    allow(policy, &earlier, now).map_err(|retry_secs| SubmitError::TooMany { retry_secs })?;
    let row = entity::source::ActiveModel {
        id: Set(change.new_id::<IpAddr>().to_string()),
        source: Set(source),
        at_us: Set(now.as_microsecond()),
    };
    Entity::insert(row)
        .exec_without_returning(change.db())
        .await
        .map_err(Error::from)?;
    Ok(())
}

fn signal(number: ReportNumber, draft: &Draft, now: Timestamp, severity: Severity) -> Signal {
    let line = draft.what.split_whitespace().collect::<Vec<_>>().join(" ");
    let addresses: Vec<String> = draft.addresses.iter().map(ToString::to_string).collect();
    Signal {
        key: format!("report:{number}"),
        zones: draft.zones.clone(),
        args: BTreeMap::from([
            ("number".to_owned(), number.to_string()),
            ("summary".to_owned(), line.chars().take(SUMMARY).collect()),
            ("addresses".to_owned(), addresses.join(" ")),
        ]),
        ..signal_of_now(now, severity)
    }
}

/// A signal of what somebody wrote, without key, zones and arguments.
pub(crate) fn signal_of_now(now: Timestamp, severity: Severity) -> Signal {
    Signal {
        detector: Detector::Report,
        key: String::new(),
        severity,
        time: now,
        zones: Vec::new(),
        kind: "report".to_owned(),
        args: BTreeMap::new(),
        findings: Vec::new(),
        changes: Vec::new(),
    }
}

async fn next_number(db: &impl ConnectionTrait, now: Timestamp) -> Result<ReportNumber, Error> {
    let year = now.to_zoned(jiff::tz::TimeZone::UTC).year();
    let last: Option<i64> = entity::report::Entity::find()
        .select_only()
        .column_as(entity::report::Column::Serial.max(), "last")
        .filter(entity::report::Column::Year.eq(i64::from(year)))
        .into_tuple::<Option<i64>>()
        .one(db)
        .await?
        .flatten();
    Ok(ReportNumber {
        year,
        serial: last.unwrap_or(0) + 1,
    })
}

/// A person says that a report is spam: its alert is dismissed. `Conflict` when its alert is in a case.
pub async fn set_aside(records: &Records, actor: Actor, number: ReportNumber) -> Result<Report, Error> {
    let mut change = records.begin(actor).await?;
    let row = row(change.db(), number).await?;
    let before = report(row.clone())?;
    if let Some(alert) = before.alert {
        let alert = alerts::row(change.db(), alert).await?;
        if column::parse::<AlertState>("alert", &alert.id, &alert.state)? != AlertState::Dismissed {
            let reason = Statement::Spam.to_string();
            alerts::move_alert(&mut change, alert, AlertEvent::Dismiss, Some(&reason)).await?;
        }
    }
    let after = set_state(&mut change, row, ReportState::Spam, before.alert).await?;
    change.commit().await?;
    Ok(after)
}

/// A person says that a report was taken for spam and is none: it gets its alert.
pub async fn take_back(records: &Records, actor: Actor, number: ReportNumber) -> Result<Report, Error> {
    let mut change = records.begin(actor).await?;
    let row = row(change.db(), number).await?;
    let before = report(row.clone())?;
    if before.state != ReportState::Spam {
        return Err(Error::conflict("the report is not kept aside"));
    }
    let draft = Draft {
        what: before.what,
        names: before.names,
        zones: before.zones,
        addresses: before.addresses,
        email: before.email,
        language: before.language,
        tlp: before.tlp,
    };
    let alert = alerts::raise_in(
        &mut change,
        &signal(number, &draft, before.received_at, Severity::Review),
    )
    .await?
    .alert()
    .id;
    let after = set_state(&mut change, row, ReportState::Open, Some(alert)).await?;
    change.commit().await?;
    Ok(after)
}

async fn set_state(
    change: &mut Change,
    row: entity::report::Model,
    state: ReportState,
    alert: Option<Id<Alert>>,
) -> Result<Report, Error> {
    let (id, old, new) = (row.id.clone(), row.state.clone(), column::word(&state));
    let mut active = row.into_active_model();
    active.state = Set(new.clone());
    active.alert_id = Set(alert.map(|alert| alert.to_string()));
    let row = active.update(change.db()).await?;
    change.audit("report", id, "state", Some(&old), Some(&new));
    report(row)
}

/// The newest reports, spam or not.
pub async fn list(records: &Records, limit: u64) -> Result<Vec<Report>, Error> {
    let rows = entity::report::Entity::find()
        .order_by_desc(entity::report::Column::ReceivedAtUs)
        .order_by_desc(entity::report::Column::Serial)
        .limit(limit)
        .all(records.db())
        .await?;
    rows.into_iter().map(report).collect()
}

/// The report with this number.
pub async fn find(records: &Records, number: ReportNumber) -> Result<Report, Error> {
    report(row(records.db(), number).await?)
}

/// The report of an alert, where it came from one.
pub async fn of_alert(records: &Records, alert: Id<Alert>) -> Result<Option<Report>, Error> {
    let row = entity::report::Entity::find()
        .filter(entity::report::Column::AlertId.eq(alert.to_string()))
        .one(records.db())
        .await?;
    row.map(report).transpose()
}

async fn row(db: &impl ConnectionTrait, number: ReportNumber) -> Result<entity::report::Model, Error> {
    let row = entity::report::Entity::find()
        .filter(entity::report::Column::Year.eq(i64::from(number.year)))
        .filter(entity::report::Column::Serial.eq(number.serial))
        .one(db)
        .await?;
    row.ok_or_else(|| Error::not_found("report", number))
}

fn report(row: entity::report::Model) -> Result<Report, Error> {
    let id = row.id;
    let year = i16::try_from(row.year).map_err(|error| column::damaged("report", &id, error))?;
    Ok(Report {
        id: column::parse("report", &id, &id)?,
        number: ReportNumber {
            year,
            serial: row.serial,
        },
        state: column::from_word("report", &id, &row.state)?,
        what: row.what,
        names: row.names,
        zones: column::json("report", &id, &row.zones)?,
        addresses: column::json("report", &id, &row.addresses)?,
        email: row.email,
        language: column::parse("report", &id, &row.language)?,
        tlp: column::parse("report", &id, &row.tlp)?,
        received_at: column::time("report", &id, row.received_at_us)?,
        alert: column::parse_opt("report", &id, row.alert_id.as_deref())?,
    })
}
