//! Alerts in the records.

use model::{Id, Severity, Signal};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _, Func};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};

use super::{Alert, AlertEvent, AlertState, Counts, Filter, Raised, entity, fold};
use crate::Error;
use crate::cases::Case;
use crate::records::{Actor, Change, Records, column};

/// Signals kept of one alert: as many of the first and as many of the newest. Chosen by us: the start shows what
/// happened, the end shows how it stands; a zone that stays broken for a week must not fill the disk.
const KEPT: u64 = 50;

/// Keys that one statement takes: SQLite binds at most 32,766 values.
const KEYS_AT_ONCE: usize = 1_000;

/// Longest reason in letters.
const LONGEST_REASON: usize = 2000;

/// Keeps a signal: as a new alert, or folded into the open alert with its key.
pub async fn raise(records: &Records, signal: &Signal) -> Result<Raised, Error> {
    let mut change = records.begin(Actor::System).await?;
    let raised = raise_in(&mut change, signal).await?;
    change.commit().await?;
    Ok(raised)
}

/// Keeps many signals in one change: a change each would be too slow when much breaks at once. What became of each, in the same order.
pub async fn raise_all(records: &Records, signals: &[Signal]) -> Result<Vec<Raised>, Error> {
    if signals.is_empty() {
        return Ok(Vec::new());
    }
    let mut change = records.begin(Actor::System).await?;
    let mut raised = Vec::with_capacity(signals.len());
    for signal in signals {
        raised.push(raise_in(&mut change, signal).await?);
    }
    change.commit().await?;
    Ok(raised)
}

/// New alerts by their keys: those of `keys` that wait in the queue.
pub async fn new_with_keys(records: &Records, keys: &[String]) -> Result<Vec<Alert>, Error> {
    use entity::alert::Column;
    let mut found = Vec::new();
    for keys in keys.chunks(KEYS_AT_ONCE) {
        let rows = entity::alert::Entity::find()
            .filter(Column::OpenKey.is_in(keys))
            .filter(Column::State.eq(AlertState::New.as_str()))
            .all(records.db())
            .await?;
        for row in &rows {
            found.push(alert(row)?);
        }
    }
    Ok(found)
}

/// The open alerts of one kind, new or in a case, the oldest first.
pub async fn open_of_kind(records: &Records, kind: &str) -> Result<Vec<Alert>, Error> {
    use entity::alert::Column;
    let rows = entity::alert::Entity::find()
        .filter(Column::OpenKey.is_not_null())
        .filter(Column::Kind.eq(kind))
        .order_by_asc(Column::Id)
        .all(records.db())
        .await?;
    rows.iter().map(alert).collect()
}

/// The same inside of a change.
pub(crate) async fn raise_in(change: &mut Change, signal: &Signal) -> Result<Raised, Error> {
    if signal.key.is_empty() {
        return Err(Error::invalid("key", "a signal needs a key by which repeats fold"));
    }
    let raised = match open_row(change.db(), &signal.key).await? {
        Some(row) => {
            let mut alert = alert(&row)?;
            let before = alert.severity;
            fold(&mut alert, signal);
            let mut active = row.into_active_model();
            active.severity = Set(rank(alert.severity));
            active.args = Set(column::to_json(&alert.args));
            active.zones = Set(column::to_json(&alert.zones));
            active.signals = Set(alert.count);
            active.first_at_us = Set(alert.first_at.as_microsecond());
            active.last_at_us = Set(alert.last_at.as_microsecond());
            active.update(change.db()).await?;
            let (old, new) = (before.as_str(), alert.severity.as_str());
            change.audit("alert", alert.id, "severity", Some(old), Some(new));
            Raised::Folded(alert)
        }
        None => Raised::New(make(change, signal).await?),
    };
    let row = entity::signal::ActiveModel {
        id: Set(change.new_id::<Signal>().to_string()),
        alert_id: Set(raised.alert().id.to_string()),
        at_us: Set(signal.time.as_microsecond()),
        signal: Set(column::to_json(signal)),
    };
    entity::signal::Entity::insert(row)
        .exec_without_returning(change.db())
        .await?;
    thin_out(change.db(), raised.alert().id).await?;
    Ok(raised)
}

async fn make(change: &mut Change, signal: &Signal) -> Result<Alert, Error> {
    let previous = entity::alert::Entity::find()
        .filter(entity::alert::Column::Key.eq(&signal.key))
        .order_by_desc(entity::alert::Column::Id)
        .one(change.db())
        .await?;
    let previous = previous
        .map(|row| column::parse("alert", &row.id, &row.id))
        .transpose()?;
    let mut zones = signal.zones.clone();
    zones.sort();
    zones.dedup();
    let alert = Alert {
        id: change.new_id(),
        key: signal.key.clone(),
        state: AlertState::New,
        severity: signal.severity,
        detector: signal.detector,
        kind: signal.kind.clone(),
        args: signal.args.clone(),
        zones,
        count: 1,
        first_at: column::whole_microseconds(signal.time),
        last_at: column::whole_microseconds(signal.time),
        raised_at: change.now(),
        case: None,
        previous,
        reason: None,
    };
    let row = entity::alert::ActiveModel {
        id: Set(alert.id.to_string()),
        key: Set(alert.key.clone()),
        open_key: Set(Some(alert.key.clone())),
        state: Set(alert.state.as_str().to_owned()),
        severity: Set(rank(alert.severity)),
        detector: Set(alert.detector.as_str().to_owned()),
        kind: Set(alert.kind.clone()),
        args: Set(column::to_json(&alert.args)),
        zones: Set(column::to_json(&alert.zones)),
        signals: Set(1),
        first_at_us: Set(alert.first_at.as_microsecond()),
        last_at_us: Set(alert.last_at.as_microsecond()),
        raised_at_us: Set(alert.raised_at.as_microsecond()),
        case_id: Set(None),
        previous_id: Set(previous.map(|id: Id<Alert>| id.to_string())),
        reason: Set(None),
    };
    entity::alert::Entity::insert(row)
        .exec_without_returning(change.db())
        .await?;
    change.audit("alert", alert.id, "state", None, Some(AlertState::New.as_str()));
    change.audit("alert", alert.id, "severity", None, Some(alert.severity.as_str()));
    Ok(alert)
}

/// Drops the oldest of the newer signals beyond what is kept.
async fn thin_out(db: &impl ConnectionTrait, alert: Id<Alert>) -> Result<(), Error> {
    use entity::signal::{Column, Entity};
    let of_alert = || {
        Entity::find()
            .filter(Column::AlertId.eq(alert.to_string()))
            .order_by_asc(Column::Id)
    };
    let kept = of_alert().count(db).await?;
    if kept > 2 * KEPT {
        let surplus = of_alert().offset(KEPT).limit(kept - 2 * KEPT).all(db).await?;
        let ids: Vec<String> = surplus.into_iter().map(|row| row.id).collect();
        Entity::delete_many().filter(Column::Id.is_in(ids)).exec(db).await?;
    }
    Ok(())
}

/// The queue: gravest first, then the one that waits longest.
pub async fn queue(records: &Records, filter: &Filter) -> Result<Vec<Alert>, Error> {
    use entity::alert::Column;
    let mut find = entity::alert::Entity::find();
    if !filter.states.is_empty() {
        find = find.filter(Column::State.is_in(filter.states.iter().map(|state| state.as_str())));
    }
    if let Some(severity) = filter.severity {
        find = find.filter(Column::Severity.gte(rank(severity)));
    }
    let text = filter.text.trim().to_lowercase();
    if !text.is_empty() {
        let anywhere = Condition::any()
            .add(Expr::expr(Func::lower(Expr::col(Column::Key))).like(format!("%{text}%")))
            .add(Column::Kind.contains(&text))
            .add(Column::Zones.contains(&text));
        find = find.filter(anywhere);
    }
    let rows = find
        .order_by_desc(Column::Severity)
        .order_by_asc(Column::FirstAtUs)
        .order_by_asc(Column::Id)
        .limit(filter.limit)
        .all(records.db())
        .await?;
    rows.iter().map(alert).collect()
}

/// One alert.
pub async fn get(records: &Records, id: Id<Alert>) -> Result<Alert, Error> {
    alert(&row(records.db(), id).await?)
}

/// The signals kept of an alert, oldest first: the first fifty and the newest fifty.
pub async fn signals(records: &Records, id: Id<Alert>) -> Result<Vec<Signal>, Error> {
    signals_in(records.db(), id).await
}

/// The same inside of a change.
pub(crate) async fn signals_in(db: &impl ConnectionTrait, id: Id<Alert>) -> Result<Vec<Signal>, Error> {
    let rows = entity::signal::Entity::find()
        .filter(entity::signal::Column::AlertId.eq(id.to_string()))
        .order_by_asc(entity::signal::Column::AtUs)
        .order_by_asc(entity::signal::Column::Id)
        .all(db)
        .await?;
    rows.iter()
        .map(|row| column::json("alert_signal", &row.id, &row.signal))
        .collect()
}

/// How many alerts stand where.
pub async fn counts(records: &Records) -> Result<Counts, Error> {
    use entity::alert::Column;
    let rows: Vec<(String, i64, i64)> = entity::alert::Entity::find()
        .select_only()
        .column(Column::State)
        .column(Column::Severity)
        .column_as(Column::Id.count(), "alerts")
        .group_by(Column::State)
        .group_by(Column::Severity)
        .into_tuple()
        .all(records.db())
        .await?;
    let mut counts = Counts::default();
    for (state, severity, number) in rows {
        match column::parse("alert", "state", &state)? {
            AlertState::New => {
                counts.new += number;
                match severity {
                    2 => counts.page += number,
                    1 => counts.review += number,
                    _ => counts.log += number,
                }
            }
            AlertState::InCase => counts.in_case += number,
            AlertState::Dismissed => counts.dismissed += number,
            AlertState::Ended => counts.ended += number,
        }
    }
    Ok(counts)
}

/// Takes a new alert out of the queue: a person says why it needs nothing. `Conflict` when it is not new any more.
pub async fn dismiss(records: &Records, actor: Actor, id: Id<Alert>, reason: &str) -> Result<Alert, Error> {
    close(records, actor, id, AlertEvent::Dismiss, reason).await
}

/// Says that what was seen is over. `Conflict` when the alert is closed already.
pub async fn end(records: &Records, actor: Actor, id: Id<Alert>, reason: &str) -> Result<Alert, Error> {
    close(records, actor, id, AlertEvent::End, reason).await
}

async fn close(
    records: &Records,
    actor: Actor,
    id: Id<Alert>,
    event: AlertEvent,
    reason: &str,
) -> Result<Alert, Error> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        return Err(Error::invalid("reason", "a reason of 1 to 2000 letters is needed"));
    }
    let mut change = records.begin(actor).await?;
    let row = row(change.db(), id).await?;
    let alert = move_alert(&mut change, row, event, Some(reason)).await?;
    change.commit().await?;
    Ok(alert)
}

/// Moves an alert and writes it down. `Conflict` where the event cannot happen.
pub(crate) async fn move_alert(
    change: &mut Change,
    row: entity::alert::Model,
    event: AlertEvent,
    reason: Option<&str>,
) -> Result<Alert, Error> {
    let before = alert(&row)?;
    let Some(next) = before.state.after(event) else {
        return Err(Error::conflict(format!("the alert is {}", before.state)));
    };
    let id = row.id.clone();
    let (old_reason, key) = (row.reason.clone(), row.key.clone());
    let mut active = row.into_active_model();
    active.state = Set(next.as_str().to_owned());
    active.open_key = Set(next.is_open().then_some(key));
    active.reason = Set(reason.map(str::to_owned));
    let row = active.update(change.db()).await?;
    change.audit("alert", &id, "state", Some(before.state.as_str()), Some(next.as_str()));
    change.audit("alert", &id, "reason", old_reason.as_deref(), reason);
    alert(&row)
}

/// Puts a new alert into a case.
pub(crate) async fn put_into_case(change: &mut Change, id: Id<Alert>, case: Id<Case>) -> Result<Alert, Error> {
    let row = row(change.db(), id).await?;
    let old = row.case_id.clone();
    let mut active = row.into_active_model();
    active.case_id = Set(Some(case.to_string()));
    let row = active.update(change.db()).await?;
    let alert = move_alert(change, row, AlertEvent::Take, None).await?;
    change.audit("alert", id, "case", old.as_deref(), Some(&case.to_string()));
    Ok(alert)
}

/// The rows of a case's alerts, oldest first.
pub(crate) async fn of_case(db: &impl ConnectionTrait, case: Id<Case>) -> Result<Vec<entity::alert::Model>, Error> {
    let rows = entity::alert::Entity::find()
        .filter(entity::alert::Column::CaseId.eq(case.to_string()))
        .order_by_asc(entity::alert::Column::FirstAtUs)
        .order_by_asc(entity::alert::Column::Id)
        .all(db)
        .await?;
    Ok(rows)
}

/// The open alert with this key.
pub(crate) async fn open_alert_with_key(db: &impl ConnectionTrait, key: &str) -> Result<Option<Alert>, Error> {
    open_row(db, key).await?.map(|row| alert(&row)).transpose()
}

async fn open_row(db: &impl ConnectionTrait, key: &str) -> Result<Option<entity::alert::Model>, Error> {
    Ok(entity::alert::Entity::find()
        .filter(entity::alert::Column::OpenKey.eq(key))
        .one(db)
        .await?)
}

/// The row of one alert.
pub(crate) async fn row(db: &impl ConnectionTrait, id: Id<Alert>) -> Result<entity::alert::Model, Error> {
    entity::alert::Entity::find_by_id(id.to_string())
        .one(db)
        .await?
        .ok_or_else(|| Error::not_found("alert", id))
}

fn rank(severity: Severity) -> i64 {
    match severity {
        Severity::Log => 0,
        Severity::Review => 1,
        Severity::Page => 2,
    }
}

pub(crate) fn alert(row: &entity::alert::Model) -> Result<Alert, Error> {
    let id = &row.id;
    let severity = match row.severity {
        0 => Severity::Log,
        1 => Severity::Review,
        2 => Severity::Page,
        other => return Err(column::damaged("alert", id, format!("`{other}` is no severity"))),
    };
    Ok(Alert {
        id: column::parse("alert", id, id)?,
        key: row.key.clone(),
        state: column::parse("alert", id, &row.state)?,
        severity,
        detector: column::from_word("alert", id, &row.detector)?,
        kind: row.kind.clone(),
        args: column::json("alert", id, &row.args)?,
        zones: column::json("alert", id, &row.zones)?,
        count: row.signals,
        first_at: column::time("alert", id, row.first_at_us)?,
        last_at: column::time("alert", id, row.last_at_us)?,
        raised_at: column::time("alert", id, row.raised_at_us)?,
        case: column::parse_opt("alert", id, row.case_id.as_deref())?,
        previous: column::parse_opt("alert", id, row.previous_id.as_deref())?,
        reason: row.reason.clone(),
    })
}
