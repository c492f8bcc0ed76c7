//! The thirteen states of a request and what moves it from one to another.

use crate::word::words;

words! {
    /// Where a request stands. Silence is a state too.
    ///
    /// What is not in the drawing changes nothing: an old double click, a late bounce or a mail scanner does no harm.
    ///
    /// ```text
    /// queue        not_notified bounced unreachable                                        -> queued
    /// send         queued                                                                  -> sent
    /// deliver      queued sent                                                             -> delivered
    /// bounce       queued sent delivered                                                   -> bounced
    /// open         not_notified queued sent delivered bounced unreachable                  -> opened
    /// acknowledge  not_notified queued sent delivered bounced opened unreachable           -> acknowledged
    /// work         not_notified queued sent delivered bounced opened acknowledged declined not_theirs unreachable -> working
    /// finish       not_notified queued sent delivered bounced opened acknowledged working declined not_theirs unreachable -> done
    /// decline      not_notified queued sent delivered bounced opened acknowledged working done not_theirs unreachable -> declined
    /// disown       not_notified queued sent delivered bounced opened acknowledged working done declined unreachable -> not_theirs
    /// hold         not_notified queued sent delivered bounced opened acknowledged working done unreachable -> verified
    /// fail         done verified                                                           -> working
    /// overrule     not_notified queued sent delivered bounced opened acknowledged working done declined not_theirs unreachable -> verified
    /// give_up      queued sent delivered bounced opened                                    -> unreachable
    /// ```
    pub enum RequestState {
        /// Nobody has been told yet.
        NotNotified = "not_notified",
        /// A notice is written and waits for its turn.
        Queued = "queued",
        /// The relay took the notice.
        Sent = "sent",
        /// The party's mail server said that it took it (RFC 3464).
        Delivered = "delivered",
        /// It came back.
        Bounced = "bounced",
        /// Somebody acted on the link's page without answering yet.
        Opened = "opened",
        /// The party says that it knows.
        Acknowledged = "acknowledged",
        /// The party says that it works on it.
        Working = "working",
        /// The party says that it is done; measurement decides.
        Done = "done",
        /// The party cannot or will not, and said why.
        Declined = "declined",
        /// The party says that it is another's.
        NotTheirs = "not_theirs",
        /// Measurement says that it is done, or a person overruled.
        Verified = "verified",
        /// Reminders went unanswered.
        Unreachable = "unreachable",
    }
}

words! {
    /// What may move a request.
    pub enum RequestEvent {
        /// A notice was queued.
        Queue = "queue",
        /// The relay took a notice.
        Send = "send",
        /// A delivery report said that it arrived.
        Deliver = "deliver",
        /// A notice came back or was refused for good.
        Bounce = "bounce",
        /// Somebody pressed a button on the link's page that is no answer.
        Open = "open",
        /// Answer: we know.
        Acknowledge = "acknowledge",
        /// Answer: we work on it.
        Work = "work",
        /// Answer: it is done.
        Finish = "finish",
        /// Answer: we cannot.
        Decline = "decline",
        /// Answer: it is not ours.
        Disown = "disown",
        /// The check holds.
        Hold = "hold",
        /// The check fails.
        Fail = "fail",
        /// A person overruled the check.
        Overrule = "overrule",
        /// Nobody answered after the last reminder.
        GiveUp = "give_up",
    }
}

impl RequestState {
    /// Id of its text in every language: `case-request-state-not-notified`.
    pub fn text_id(self) -> String {
        format!("case-request-state-{}", self.as_str().replace('_', "-"))
    }

    /// Whether nothing more is awaited from the party.
    pub fn is_end(self) -> bool {
        matches!(
            self,
            RequestState::Declined | RequestState::NotTheirs | RequestState::Verified | RequestState::Unreachable
        )
    }

    /// Whether the party has not said anything yet.
    pub fn is_silent(self) -> bool {
        matches!(
            self,
            RequestState::Queued
                | RequestState::Sent
                | RequestState::Delivered
                | RequestState::Bounced
                | RequestState::Opened
        )
    }

    /// The state after `event`; `None` where the event moves nothing.
    pub fn after(self, event: RequestEvent) -> Option<RequestState> {
        use RequestState as S;
        // How far the party has come by its own word; its words only move it forward.
        let unanswered = self.is_silent() || matches!(self, S::NotNotified | S::Unreachable);
        let refused = matches!(self, S::Declined | S::NotTheirs);
        let next = match event {
            RequestEvent::Queue if matches!(self, S::NotNotified | S::Bounced | S::Unreachable) => S::Queued,
            RequestEvent::Send if self == S::Queued => S::Sent,
            RequestEvent::Deliver if matches!(self, S::Queued | S::Sent) => S::Delivered,
            RequestEvent::Bounce if matches!(self, S::Queued | S::Sent | S::Delivered) => S::Bounced,
            RequestEvent::Open if unanswered && self != S::Opened => S::Opened,
            RequestEvent::Acknowledge if unanswered => S::Acknowledged,
            RequestEvent::Work if unanswered || refused || self == S::Acknowledged => S::Working,
            RequestEvent::Finish if !matches!(self, S::Done | S::Verified) => S::Done,
            RequestEvent::Decline if !matches!(self, S::Declined | S::Verified) => S::Declined,
            RequestEvent::Disown if !matches!(self, S::NotTheirs | S::Verified) => S::NotTheirs,
            RequestEvent::Hold if !refused && self != S::Verified => S::Verified,
            RequestEvent::Fail if matches!(self, S::Done | S::Verified) => S::Working,
            RequestEvent::Overrule if self != S::Verified => S::Verified,
            RequestEvent::GiveUp if self.is_silent() => S::Unreachable,
            _ => return None,
        };
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing;

    #[test]
    fn the_drawing_shows_exactly_the_allowed_transitions() {
        let source = include_str!("state.rs");
        drawing::compare(source, RequestState::ALL, RequestEvent::ALL, RequestState::after);
    }

    #[test]
    fn no_event_leaves_a_state_for_itself() {
        for state in RequestState::ALL {
            for event in RequestEvent::ALL {
                assert_ne!(state.after(*event), Some(*state), "{state} {event:?}");
            }
        }
    }

    #[test]
    fn clicks_that_arrive_in_the_wrong_order_end_as_far_as_the_furthest() {
        let words = [RequestEvent::Acknowledge, RequestEvent::Work, RequestEvent::Finish];
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1], [0, 2, 1], [1, 2, 0]] {
            let end = order
                .iter()
                .fold(RequestState::Sent, |state, at| state.after(words[*at]).unwrap_or(state));
            assert_eq!(end, RequestState::Done, "{order:?}");
        }
    }

    #[test]
    fn nothing_but_a_failing_measurement_takes_a_verified_request_back() {
        for event in RequestEvent::ALL {
            let after = RequestState::Verified.after(*event);
            assert_eq!(after.is_some(), *event == RequestEvent::Fail, "{event:?}");
        }
    }
}
