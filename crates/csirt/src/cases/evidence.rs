//! Evidence: what was measured or given, as text for people and JSON for programs, known by its hash.

use std::fmt::Write;

use model::{Id, Signal, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Case, entity, store};
use crate::alerts::{self, Alert};
use crate::records::{Actor, Change, Records, column};
use crate::requests::Request;
use crate::{Error, Statement};

/// Largest text or JSON of one item in octets. Chosen by us: a mail with both must pass a 10 MB relay.
const LARGEST: usize = 2 << 20;

/// One item of evidence. It never changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// Its id.
    pub id: Id<Evidence>,
    /// The case.
    pub case: Id<Case>,
    /// The request that it belongs to; `None` for the whole case.
    pub request: Option<Id<Request>>,
    /// What it is, in a line; shown by [`crate::told`].
    pub title: String,
    /// For people.
    pub text: String,
    /// For programs.
    pub json: serde_json::Value,
    /// SHA-256 in hexadecimal over title, text and JSON text, with a line feed after each.
    pub sha256: String,
    /// When it was kept.
    pub time: Timestamp,
}

/// An item to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvidence {
    /// The request that it belongs to; `None` for the whole case.
    pub request: Option<Id<Request>>,
    /// What it is, in a line of at most 200 letters.
    pub title: String,
    /// For people; at most 2 MiB.
    pub text: String,
    /// For programs; at most 2 MiB as text.
    pub json: serde_json::Value,
}

/// Keeps an item of evidence. The same item a second time is the first one.
pub async fn add_evidence(
    records: &Records,
    actor: Actor,
    case: Id<Case>,
    new: &NewEvidence,
) -> Result<Evidence, Error> {
    let title = store::checked_text("title", &new.title, 200)?;
    let mut change = records.begin(actor).await?;
    store::row_of(change.db(), case).await?;
    let evidence = keep(&mut change, case, title, new).await?;
    change.commit().await?;
    Ok(evidence)
}

/// The same inside of a change.
async fn keep(change: &mut Change, case: Id<Case>, title: String, new: &NewEvidence) -> Result<Evidence, Error> {
    let json = new.json.to_string();
    if new.text.len() > LARGEST || json.len() > LARGEST {
        return Err(Error::invalid("text", "evidence is larger than 2 MiB"));
    }
    let sha256 = hash(&title, &new.text, &json);
    let same = entity::evidence::Entity::find()
        .filter(entity::evidence::Column::CaseId.eq(case.to_string()))
        .filter(entity::evidence::Column::Sha256.eq(&sha256))
        .one(change.db())
        .await?;
    if let Some(row) = same {
        return item(row);
    }
    let row = entity::evidence::Model {
        id: change.new_id::<Evidence>().to_string(),
        case_id: case.to_string(),
        request_id: new.request.map(|request| request.to_string()),
        title,
        text: new.text.clone(),
        json,
        sha256,
        at_us: change.now().as_microsecond(),
    };
    let active = entity::evidence::ActiveModel {
        id: Set(row.id.clone()),
        case_id: Set(row.case_id.clone()),
        request_id: Set(row.request_id.clone()),
        title: Set(row.title.clone()),
        text: Set(row.text.clone()),
        json: Set(row.json.clone()),
        sha256: Set(row.sha256.clone()),
        at_us: Set(row.at_us),
    };
    entity::evidence::Entity::insert(active)
        .exec_without_returning(change.db())
        .await?;
    change.audit("case", case, "evidence", None, Some(&row.sha256));
    item(row)
}

/// Keeps what the signals of an alert saw.
pub(crate) async fn keep_signals(change: &mut Change, case: Id<Case>, alert: &Alert) -> Result<(), Error> {
    let signals = alerts::signals_in(change.db(), alert.id).await?;
    let id = alert.id.to_string();
    let title = Statement::Seen {
        kind: alert.kind.clone(),
        zone: alert.zones.first().cloned(),
        others: alert.zones.len().saturating_sub(1),
        at: alert.first_at,
        alert: id[id.len() - 8..].to_owned(),
    }
    .to_string();
    let Cut { signals, left_out } = cut(signals);
    let mut alert = alert.clone();
    alert.zones.truncate(LISTED);
    let mut text = signals.iter().map(describe).collect::<Vec<_>>().join("\n");
    let mut json = serde_json::json!({ "alert": alert, "signals": signals });
    if !left_out.is_empty() {
        json["left_out"] = serde_json::json!(left_out);
        // Writing to a String never fails.
        let _ = writeln!(
            text,
            "\nnot listed here: {} signals; of the others {} changes, {} findings and {} zones",
            left_out.signals, left_out.changes, left_out.findings, left_out.zones
        );
    }
    let new = NewEvidence {
        request: None,
        title: title.clone(),
        text,
        json,
    };
    keep(change, case, title, &new).await.map(|_| ())
}

/// Zones, changes and findings of one signal that evidence lists. Chosen by us: what a person can read; the case has all zones.
const LISTED: usize = 100;

/// Signals that evidence lists: as many of the first and as many of the newest. With [`LISTED`] changes of some 300 octets in each
/// they stay below [`LARGEST`].
const SIGNALS: usize = 10;

/// What of signals evidence lists, and how much it leaves out.
struct Cut {
    signals: Vec<Signal>,
    left_out: LeftOut,
}

/// How much evidence does not list.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct LeftOut {
    signals: usize,
    zones: usize,
    changes: usize,
    findings: usize,
}

impl LeftOut {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn cut(mut signals: Vec<Signal>) -> Cut {
    let mut left_out = LeftOut::default();
    if let Some(surplus) = signals.len().checked_sub(2 * SIGNALS).filter(|surplus| *surplus > 0) {
        signals.drain(SIGNALS..SIGNALS + surplus);
        left_out.signals = surplus;
    }
    for signal in &mut signals {
        left_out.zones += signal.zones.len().saturating_sub(LISTED);
        left_out.changes += signal.changes.len().saturating_sub(LISTED);
        left_out.findings += signal.findings.len().saturating_sub(LISTED);
        signal.zones.truncate(LISTED);
        signal.changes.truncate(LISTED);
        signal.findings.truncate(LISTED);
    }
    Cut { signals, left_out }
}

/// The evidence of a case, oldest first.
pub async fn evidence(records: &Records, case: Id<Case>) -> Result<Vec<Evidence>, Error> {
    let rows = entity::evidence::Entity::find()
        .filter(entity::evidence::Column::CaseId.eq(case.to_string()))
        .order_by_asc(entity::evidence::Column::AtUs)
        .order_by_asc(entity::evidence::Column::Id)
        .all(records.db())
        .await?;
    rows.into_iter().map(item).collect()
}

/// A signal as plain text: each technical value on its own line.
pub fn describe(signal: &Signal) -> String {
    let mut text = String::new();
    // Writing to a String never fails.
    let _ = writeln!(
        text,
        "{} {} {} {}",
        signal.time,
        signal.severity,
        signal.detector.as_str(),
        signal.kind
    );
    for zone in &signal.zones {
        let _ = writeln!(text, "  zone {zone}");
    }
    for change in &signal.changes {
        let _ = writeln!(text, "  {} {} of {}", change.time, change.part.as_str(), change.zone);
        for before in &change.before {
            let _ = writeln!(text, "    - {before}");
        }
        for after in &change.after {
            let _ = writeln!(text, "    + {after}");
        }
    }
    for finding in &signal.findings {
        let _ = write!(text, "  {} {} {}", finding.level, finding.case, finding.tag);
        let _ = match &finding.vantage_point {
            Some(point) => writeln!(text, ", seen from the vantage point {point}"),
            None => writeln!(text),
        };
        for (name, value) in &finding.args {
            let _ = writeln!(text, "    {name} = {value}");
        }
    }
    text
}

fn hash(title: &str, text: &str, json: &str) -> String {
    hex::encode(Sha256::digest(format!("{title}\n{text}\n{json}\n")))
}

fn item(row: entity::evidence::Model) -> Result<Evidence, Error> {
    let id = row.id.clone();
    if hash(&row.title, &row.text, &row.json) != row.sha256 {
        return Err(column::damaged(
            "case_evidence",
            id,
            "its content does not fit its hash",
        ));
    }
    Ok(Evidence {
        id: column::parse("case_evidence", &id, &id)?,
        case: column::parse("case_evidence", &id, &row.case_id)?,
        request: column::parse_opt("case_evidence", &id, row.request_id.as_deref())?,
        json: column::json("case_evidence", &id, &row.json)?,
        title: row.title,
        text: row.text,
        sha256: row.sha256,
        time: column::time("case_evidence", &id, row.at_us)?,
    })
}
