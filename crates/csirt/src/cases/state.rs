//! The two states of a case.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a case stands.
///
/// ```text
/// close   open   -> closed
/// reopen  closed -> open
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// Somebody works on it.
    Open,
    /// It is over; its figures stand.
    Closed,
}

/// What moves a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseEvent {
    /// A person closed it.
    Close,
    /// A person opened it again.
    Reopen,
}

impl CaseState {
    /// Both states.
    pub const ALL: [CaseState; 2] = [CaseState::Open, CaseState::Closed];

    /// The word kept in tables: `open`.
    pub fn as_str(self) -> &'static str {
        match self {
            CaseState::Open => "open",
            CaseState::Closed => "closed",
        }
    }

    /// The state after `event`; `None` where it cannot happen.
    pub fn after(self, event: CaseEvent) -> Option<CaseState> {
        match (self, event) {
            (CaseState::Open, CaseEvent::Close) => Some(CaseState::Closed),
            (CaseState::Closed, CaseEvent::Reopen) => Some(CaseState::Open),
            _ => None,
        }
    }
}

impl CaseEvent {
    /// Both events.
    pub const ALL: [CaseEvent; 2] = [CaseEvent::Close, CaseEvent::Reopen];

    /// The word of the drawing.
    pub fn as_str(self) -> &'static str {
        match self {
            CaseEvent::Close => "close",
            CaseEvent::Reopen => "reopen",
        }
    }
}

impl fmt::Display for CaseState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no state of a case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a state of a case; states are open, closed")]
pub struct CaseStateError(String);

impl FromStr for CaseState {
    type Err = CaseStateError;

    fn from_str(text: &str) -> Result<Self, CaseStateError> {
        CaseState::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| CaseStateError(text.to_owned()))
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
        for event in CaseEvent::ALL {
            for from in CaseState::ALL {
                if let Some(to) = from.after(event) {
                    allowed.push(format!("{} {from} -> {to}", event.as_str()));
                }
            }
        }
        assert_eq!(allowed, drawn);
    }
}
