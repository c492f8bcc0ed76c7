//! The states of an alert.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where an alert stands. Dismissed and ended ones never come back: the same matter seen again is a new alert.
///
/// ```text
/// take     new         -> in_case
/// dismiss  new         -> dismissed
/// end      new in_case -> ended
/// release  ended       -> in_case
/// ```
///
/// `release` happens when a closed case is opened again and no newer alert has the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Waits in the queue.
    New,
    /// Belongs to an open case.
    InCase,
    /// A person said why it needs nothing.
    Dismissed,
    /// The matter is over.
    Ended,
}

/// What moves an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertEvent {
    /// It was put into a case.
    Take,
    /// A person dismissed it.
    Dismiss,
    /// Its case was closed, or what was seen is gone.
    End,
    /// Its case was opened again.
    Release,
}

impl AlertState {
    /// All states.
    pub const ALL: [AlertState; 4] = [
        AlertState::New,
        AlertState::InCase,
        AlertState::Dismissed,
        AlertState::Ended,
    ];

    /// The word kept in tables: `in_case`.
    pub fn as_str(self) -> &'static str {
        match self {
            AlertState::New => "new",
            AlertState::InCase => "in_case",
            AlertState::Dismissed => "dismissed",
            AlertState::Ended => "ended",
        }
    }

    /// Whether signals with its key fold into it.
    pub fn is_open(self) -> bool {
        matches!(self, AlertState::New | AlertState::InCase)
    }

    /// The state after `event`; `None` where it cannot happen.
    pub fn after(self, event: AlertEvent) -> Option<AlertState> {
        match (event, self) {
            (AlertEvent::Take, AlertState::New) => Some(AlertState::InCase),
            (AlertEvent::Dismiss, AlertState::New) => Some(AlertState::Dismissed),
            (AlertEvent::End, AlertState::New | AlertState::InCase) => Some(AlertState::Ended),
            (AlertEvent::Release, AlertState::Ended) => Some(AlertState::InCase),
            _ => None,
        }
    }
}

impl AlertEvent {
    /// All events.
    pub const ALL: [AlertEvent; 4] = [
        AlertEvent::Take,
        AlertEvent::Dismiss,
        AlertEvent::End,
        AlertEvent::Release,
    ];

    /// The word of the drawing.
    pub fn as_str(self) -> &'static str {
        match self {
            AlertEvent::Take => "take",
            AlertEvent::Dismiss => "dismiss",
            AlertEvent::End => "end",
            AlertEvent::Release => "release",
        }
    }
}

impl fmt::Display for AlertState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no state of an alert.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a state of an alert; states are new, in_case, dismissed, ended")]
pub struct AlertStateError(String);

impl FromStr for AlertState {
    type Err = AlertStateError;

    fn from_str(text: &str) -> Result<Self, AlertStateError> {
        AlertState::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| AlertStateError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawing_shows_exactly_the_allowed_transitions() {
        let drawn: Vec<String> = include_str!("state.rs")
            .lines()
            .filter(|line| line.starts_with("/// ") && line.contains(" -> "))
            .map(|line| {
                line.trim_start_matches("/// ")
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        let mut allowed = Vec::new();
        for event in AlertEvent::ALL {
            let moves: Vec<_> = AlertState::ALL
                .into_iter()
                .filter_map(|from| from.after(event).map(|to| (from, to)))
                .collect();
            let from: Vec<_> = moves.iter().map(|(from, _)| from.as_str()).collect();
            allowed.push(format!("{} {} -> {}", event.as_str(), from.join(" "), moves[0].1));
        }
        assert_eq!(allowed, drawn);
    }
}
