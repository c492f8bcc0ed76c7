//! The states of an alert.

use crate::word::words;

words! {
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
    pub enum AlertState {
        /// Waits in the queue.
        New = "new",
        /// Belongs to an open case.
        InCase = "in_case",
        /// A person said why it needs nothing.
        Dismissed = "dismissed",
        /// The matter is over.
        Ended = "ended",
    }
}

words! {
    /// What moves an alert.
    pub enum AlertEvent {
        /// It was put into a case.
        Take = "take",
        /// A person dismissed it.
        Dismiss = "dismiss",
        /// Its case was closed, or what was seen is gone.
        End = "end",
        /// Its case was opened again.
        Release = "release",
    }
}

impl AlertState {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing;

    #[test]
    fn the_drawing_shows_exactly_the_allowed_transitions() {
        let source = include_str!("state.rs");
        drawing::compare(source, AlertState::ALL, AlertEvent::ALL, AlertState::after);
    }
}
