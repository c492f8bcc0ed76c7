//! Alerts: what detectors and people noticed, folded by key, waiting for a person to look.
//!
//! A signal whose key has an open alert (new or in a case) folds into it: it counts, the severity can only rise. A key
//! whose alert was dismissed or ended makes a new alert that refers to the old one. Which signals there are, detectors
//! decide; what becomes of an alert, people decide (a closed case ends its alerts).

pub(crate) mod entity;
pub(crate) mod migration;
pub mod state;
mod store;

use std::collections::BTreeMap;

use model::{Detector, Id, Name, Severity, Signal, Timestamp};
use serde::Serialize;

use crate::cases::Case;
pub use state::{AlertEvent, AlertState};
pub(crate) use store::{alert, move_alert, of_case, open_alert_with_key, put_into_case, raise_in, row, signals_in};
pub use store::{counts, dismiss, end, get, new_with_keys, open_of_kind, queue, raise, raise_all, signals};

/// One matter in the queue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// Its id; ids sort by the time the alert was made.
    pub id: Id<Alert>,
    /// The key by which signals fold into it.
    pub key: String,
    /// Where it stands.
    pub state: AlertState,
    /// The highest severity of its signals.
    pub severity: Severity,
    /// Who noticed first.
    pub detector: Detector,
    /// Kind of matter, the id of its text: `zone-unreachable` as in `case-alert-kind-zone-unreachable`.
    pub kind: String,
    /// Arguments of the newest signal.
    pub args: BTreeMap<String, String>,
    /// Zones of all its signals, sorted.
    pub zones: Vec<Name>,
    /// Signals that folded into it, the first one included.
    pub count: i64,
    /// Time of the earliest signal.
    pub first_at: Timestamp,
    /// Time of the latest signal.
    pub last_at: Timestamp,
    /// When the alert was kept.
    pub raised_at: Timestamp,
    /// The case that it belongs to.
    pub case: Option<Id<Case>>,
    /// The last closed alert with the same key.
    pub previous: Option<Id<Alert>>,
    /// Why it was dismissed or ended.
    pub reason: Option<String>,
}

/// Which alerts to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Only these states; empty for all.
    pub states: Vec<AlertState>,
    /// At least this severity.
    pub severity: Option<Severity>,
    /// Part of the key, the kind or a zone, in any case of letters; empty for all.
    pub text: String,
    /// At most so many.
    pub limit: u64,
}

impl Default for Filter {
    /// What waits for a person: new ones of all severities, 200 at most.
    fn default() -> Self {
        Self {
            states: vec![AlertState::New],
            severity: None,
            text: String::new(),
            limit: 200,
        }
    }
}

/// How many alerts stand where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// New ones.
    pub new: i64,
    /// New ones that call a duty officer.
    pub page: i64,
    /// New ones to be looked at in the shift.
    pub review: i64,
    /// New ones for the record.
    pub log: i64,
    /// Those that belong to an open case.
    pub in_case: i64,
    /// Those that were dismissed.
    pub dismissed: i64,
    /// Those that are over.
    pub ended: i64,
}

/// What became of a signal.
#[derive(Debug, Clone, PartialEq)]
pub enum Raised {
    /// It is a new alert.
    New(Alert),
    /// It folded into this one.
    Folded(Alert),
}

impl Raised {
    /// The alert, new or not.
    pub fn alert(&self) -> &Alert {
        match self {
            Raised::New(alert) | Raised::Folded(alert) => alert,
        }
    }
}

/// Puts one more signal into an open alert. Signals may come late: the earliest one counts as the first, and only a
/// newest one sets the arguments that are shown.
fn fold(alert: &mut Alert, signal: &Signal) {
    if signal.time >= alert.last_at {
        alert.args.clone_from(&signal.args);
    }
    alert.count += 1;
    alert.severity = alert.severity.max(signal.severity);
    alert.first_at = alert.first_at.min(signal.time);
    alert.last_at = alert.last_at.max(signal.time);
    alert.zones.extend(signal.zones.iter().cloned());
    alert.zones.sort();
    alert.zones.dedup();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signal(second: i64, severity: Severity, zone: &str) -> Signal {
        Signal {
            detector: Detector::Health,
            key: "health:x".to_owned(),
            severity,
            time: Timestamp::from_second(1_800_000_000 + second).unwrap(),
            zones: vec![zone.parse().unwrap()],
            kind: "zone-unreachable".to_owned(),
            args: BTreeMap::from([("second".to_owned(), second.to_string())]),
            findings: Vec::new(),
            changes: Vec::new(),
        }
    }

    fn alert(first: &Signal) -> Alert {
        Alert {
            id: uuid::Uuid::nil().into(),
            key: first.key.clone(),
            state: AlertState::New,
            severity: first.severity,
            detector: first.detector,
            kind: first.kind.clone(),
            args: first.args.clone(),
            zones: first.zones.clone(),
            count: 1,
            first_at: first.time,
            last_at: first.time,
            raised_at: first.time,
            case: None,
            previous: None,
            reason: None,
        }
    }

    #[test]
    fn severity_rises_with_a_graver_signal_and_never_falls() {
        let mut folded = alert(&signal(0, Severity::Review, "a.example"));
        fold(&mut folded, &signal(60, Severity::Page, "b.example"));
        fold(&mut folded, &signal(120, Severity::Log, "a.example"));
        assert_eq!((folded.severity, folded.count), (Severity::Page, 3));
        assert_eq!(folded.zones.len(), 2);
        assert_eq!(folded.args["second"], "120");
    }

    proptest! {
        #[test]
        fn the_order_in_which_signals_arrive_does_not_matter(seconds in prop::collection::vec(0i64..1000, 1..8)) {
            let mut sorted = seconds.clone();
            sorted.sort_unstable();
            sorted.dedup();
            let folds = |seconds: &[i64]| {
                let signals: Vec<_> = seconds.iter().map(|second| signal(*second, Severity::Page, "a.example")).collect();
                let mut folded = alert(&signals[0]);
                signals[1..].iter().for_each(|signal| fold(&mut folded, signal));
                (folded.first_at, folded.last_at, folded.count, folded.args)
            };
            let reversed: Vec<_> = sorted.iter().rev().copied().collect();
            prop_assert_eq!(folds(&sorted), folds(&reversed));
        }
    }
}
