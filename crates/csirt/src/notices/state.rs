//! Kinds and states of notices.

use crate::word::words;

words! {
    /// What a notice is for.
    pub enum NoticeKind {
        /// It asks.
        Ask = "ask",
        /// It asks again: when the time is over, or when a person finds it useful.
        Reminder = "reminder",
        /// It says that the request is verified, and thanks.
        Thanks = "thanks",
    }
}

words! {
    /// Where a notice stands.
    ///
    /// ```text
    /// accept   queued          -> sent
    /// report   queued sent     -> delivered
    /// refuse   queued          -> bounced
    /// return   queued sent     -> bounced
    /// give_up  queued          -> failed
    /// ```
    ///
    /// `return` is a mail that came back, `refuse` the relay's own "5xx", `give_up` the end of the tries.
    pub enum NoticeState {
        /// It waits for its turn or for the next try.
        Queued = "queued",
        /// The relay took it.
        Sent = "sent",
        /// The party's mail system reported that it arrived.
        Delivered = "delivered",
        /// It was refused for good, or came back.
        Bounced = "bounced",
        /// The relay could not be reached for days.
        Failed = "failed",
    }
}

words! {
    /// What moves a notice.
    pub enum NoticeEvent {
        /// The relay took it.
        Accept = "accept",
        /// A delivery report came.
        Report = "report",
        /// The relay refused it for good.
        Refuse = "refuse",
        /// It came back.
        Return = "return",
        /// It was tried long enough.
        GiveUp = "give_up",
    }
}

impl NoticeState {
    /// The state after `event`; `None` where it moves nothing.
    pub fn after(self, event: NoticeEvent) -> Option<NoticeState> {
        match (event, self) {
            (NoticeEvent::Accept, NoticeState::Queued) => Some(NoticeState::Sent),
            (NoticeEvent::Report, NoticeState::Queued | NoticeState::Sent) => Some(NoticeState::Delivered),
            (NoticeEvent::Refuse, NoticeState::Queued) => Some(NoticeState::Bounced),
            (NoticeEvent::Return, NoticeState::Queued | NoticeState::Sent) => Some(NoticeState::Bounced),
            (NoticeEvent::GiveUp, NoticeState::Queued) => Some(NoticeState::Failed),
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
        drawing::compare(source, NoticeState::ALL, NoticeEvent::ALL, NoticeState::after);
    }
}
