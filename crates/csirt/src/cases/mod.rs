//! Cases: one incident, its alerts, parties, requests, notes and evidence, from opening to figures.
//!
//! A case is opened by a person from one or several alerts and closed by a person when every request has come to an
//! end, or for a reason that stays visible. What happened in between is its timeline, read from the audit chain and
//! from what notices, answers and verdicts left behind; nothing is written twice for it.

pub(crate) mod entity;
pub mod evidence;
pub mod figures;
pub(crate) mod migration;
pub mod number;
pub mod state;
mod store;
pub mod timeline;

use model::{Id, Name, Severity, Timestamp, Tlp};
use serde::{Serialize, Serializer};

use crate::alerts::Alert;
use crate::records::Actor;
use crate::requests::Request;
pub use evidence::{Evidence, NewEvidence, add_evidence, evidence};
pub use figures::{Figures, PeriodFigures, Spread};
pub use number::{CaseNumber, ReportNumber};
pub use state::{CaseEvent, CaseState};
pub use store::{add_alert, alerts_of, close, figures, figures_between, find, get, list, note, notes, open, reopen};
pub(crate) use store::{case, checked_text, note_in, open_row, row_of as row};
pub use timeline::{Entry, Event, timeline};

/// One incident.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Case {
    /// Its id; ids sort by the time of opening.
    pub id: Id<Case>,
    /// Its number.
    pub number: CaseNumber,
    /// What it is about, in a line.
    pub title: String,
    /// How far its texts may travel.
    pub tlp: Tlp,
    /// Where it stands.
    pub state: CaseState,
    /// The highest severity of its alerts.
    pub severity: Severity,
    /// Zones of its alerts, sorted.
    pub zones: Vec<Name>,
    /// Time of its earliest signal.
    pub fault_at: Timestamp,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Who opened it.
    #[serde(serialize_with = "actor_text")]
    pub opened_by: Actor,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// The reason given at closing.
    pub closing: Option<String>,
}

/// A case to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCase {
    /// What it is about; 1 to 200 letters.
    pub title: String,
    /// How far its texts may travel.
    pub tlp: Tlp,
    /// The alerts it begins with: at least one, all of them new.
    pub alerts: Vec<Id<Alert>>,
}

/// Which cases to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFilter {
    /// Only this state.
    pub state: Option<CaseState>,
    /// Part of the title or a zone, or a whole number of a case; empty for all.
    pub text: String,
    /// At most so many.
    pub limit: u64,
}

impl Default for CaseFilter {
    /// All, 200 at most.
    fn default() -> Self {
        Self {
            state: None,
            text: String::new(),
            limit: 200,
        }
    }
}

/// A case in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseSummary {
    /// The case.
    pub case: Case,
    /// Its requests.
    pub requests: i64,
    /// Those of them from which nothing more is awaited.
    pub ended: i64,
    /// Those of the others whose deadline has passed.
    pub overdue: i64,
}

/// What somebody wrote into a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Note {
    /// Its id.
    pub id: Id<Note>,
    /// The case.
    pub case: Id<Case>,
    /// When it was written.
    pub time: Timestamp,
    /// Who wrote it.
    #[serde(serialize_with = "actor_text")]
    pub actor: Actor,
    /// The text, as typed.
    pub text: String,
}

/// Writes an actor as its text: `account:ID`.
pub(crate) fn actor_text<S: Serializer>(actor: &Actor, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(actor)
}

/// Says which requests stand in the way of closing: `/2 (working), /3 (sent)`.
fn still_open(requests: &[Request]) -> Option<String> {
    let open: Vec<String> = requests
        .iter()
        .filter(|request| !request.state.is_end())
        .map(|request| format!("/{} ({})", request.number, request.state))
        .collect();
    (!open.is_empty()).then(|| open.join(", "))
}
