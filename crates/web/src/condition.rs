//! What hinders the centre itself: shown to those who run it, and to whoever asks `/healthz`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::Timestamp;

/// Something that hinders the centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// Nothing can be written to the records: no room, or no database.
    RecordsUnwritable,
    /// Nothing can be written to the observations: no room.
    ObservationsUnwritable,
    /// No root server answers this centre: its line is cut, and it can measure nothing.
    LineSilent,
    /// The clock was set.
    ClockSet,
    /// Rounds are late: more zones are watched, or more servers are silent, than the centre has places for.
    RoundsBehind,
    /// Its machine stood still, suspended or short of processors: what was silent meanwhile is measured again.
    MachineSlow,
    /// Zones that are transferred could not be had, or what came is doubted.
    TransfersFailing,
    /// Another centre on the same records does the work.
    StandingBy,
}

impl Condition {
    /// All, the gravest first.
    pub const ALL: [Condition; 8] = [
        Condition::RecordsUnwritable,
        Condition::ObservationsUnwritable,
        Condition::LineSilent,
        Condition::ClockSet,
        Condition::RoundsBehind,
        Condition::MachineSlow,
        Condition::TransfersFailing,
        Condition::StandingBy,
    ];

    /// Its name in `/healthz`, in `/metrics` and in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Condition::RecordsUnwritable => "records-unwritable",
            Condition::ObservationsUnwritable => "observations-unwritable",
            Condition::ClockSet => "clock-set",
            Condition::RoundsBehind => "rounds-behind",
            Condition::LineSilent => "line-silent",
            Condition::MachineSlow => "machine-slow",
            Condition::TransfersFailing => "transfers-failing",
            Condition::StandingBy => "standing-by",
        }
    }

    /// Id of the sentence that tells it: `centre-condition-NAME`.
    pub fn text_id(self) -> &'static str {
        match self {
            Condition::RecordsUnwritable => "centre-condition-records-unwritable",
            Condition::ObservationsUnwritable => "centre-condition-observations-unwritable",
            Condition::ClockSet => "centre-condition-clock-set",
            Condition::RoundsBehind => "centre-condition-rounds-behind",
            Condition::LineSilent => "centre-condition-line-silent",
            Condition::MachineSlow => "centre-condition-machine-slow",
            Condition::TransfersFailing => "centre-condition-transfers-failing",
            Condition::StandingBy => "centre-condition-standing-by",
        }
    }

    /// Whether the centre cannot do its duty: then `/healthz` answers 503.
    pub fn is_grave(self) -> bool {
        matches!(
            self,
            Condition::RecordsUnwritable | Condition::ObservationsUnwritable | Condition::LineSilent
        )
    }
}

/// A condition that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holds {
    /// Which one.
    pub condition: Condition,
    /// Since when.
    pub since: Timestamp,
    /// What is known besides: the error, by how much the clock was set, who leads.
    pub detail: String,
}

/// The conditions that hold; all clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Conditions(Arc<Mutex<BTreeMap<Condition, (Timestamp, String)>>>);

impl Conditions {
    /// Notes that a condition holds at `now`. It is logged once.
    pub fn set(&self, condition: Condition, now: Timestamp, detail: &str) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = held.get(&condition).map(|(since, _)| *since);
        if before.is_none() {
            match condition.is_grave() {
                true => tracing::error!(condition = condition.as_str(), detail, "the centre is hindered"),
                false => tracing::info!(condition = condition.as_str(), detail, "the centre's condition changed"),
            }
        }
        held.insert(condition, (before.unwrap_or(now), detail.to_owned()));
    }

    /// Notes that it is over.
    pub fn clear(&self, condition: Condition) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.remove(&condition).is_some() {
            tracing::info!(condition = condition.as_str(), "is over");
        }
    }

    /// Those that hold, the gravest first.
    pub fn current(&self) -> Vec<Holds> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let holds = held.iter().map(|(condition, (since, detail))| Holds {
            condition: *condition,
            since: *since,
            detail: detail.clone(),
        });
        holds.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_keeps_since_when_it_holds_and_ends_when_it_is_cleared() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let conditions = Conditions::default();
        conditions.set(Condition::StandingBy, at(1), "centre-1");
        conditions.set(Condition::RecordsUnwritable, at(2), "no space left");
        conditions.set(Condition::RecordsUnwritable, at(9), "no space left on device");
        let holds = conditions.current();
        assert_eq!(holds[0].condition, Condition::RecordsUnwritable);
        assert_eq!(
            (holds[0].since, holds[0].detail.as_str()),
            (at(2), "no space left on device")
        );
        assert_eq!(holds[1].condition, Condition::StandingBy);
        conditions.clear(Condition::RecordsUnwritable);
        assert_eq!(conditions.current().len(), 1);
    }
}
