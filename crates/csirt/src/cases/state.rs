//! The two states of a case.

use crate::word::words;

words! {
    /// Where a case stands.
    ///
    /// ```text
    /// close   open   -> closed
    /// reopen  closed -> open
    /// ```
    pub enum CaseState {
        /// Somebody works on it.
        Open = "open",
        /// It is over; its figures stand.
        Closed = "closed",
    }
}

words! {
    /// What moves a case.
    pub enum CaseEvent {
        /// A person closed it.
        Close = "close",
        /// A person opened it again.
        Reopen = "reopen",
    }
}

impl CaseState {
    /// The state after `event`; `None` where it cannot happen.
    pub fn after(self, event: CaseEvent) -> Option<CaseState> {
        match (self, event) {
            (CaseState::Open, CaseEvent::Close) => Some(CaseState::Closed),
            (CaseState::Closed, CaseEvent::Reopen) => Some(CaseState::Open),
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
        drawing::compare(source, CaseState::ALL, CaseEvent::ALL, CaseState::after);
    }
}
