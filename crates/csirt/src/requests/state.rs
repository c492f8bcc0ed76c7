//! The thirteen states of a request and what moves it from one to another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// Nobody has been told yet.
    NotNotified,
    /// A notice is written and waits for its turn.
    Queued,
    /// The relay took the notice.
    Sent,
    /// The party's mail server said that it took it (RFC 3464).
    Delivered,
    /// It came back.
    Bounced,
    /// Somebody acted on the link's page without answering yet.
    Opened,
    /// The party says that it knows.
    Acknowledged,
    /// The party says that it works on it.
    Working,
    /// The party says that it is done; measurement decides.
    Done,
    /// The party cannot or will not, and said why.
    Declined,
    /// The party says that it is another's.
    NotTheirs,
    /// Measurement says that it is done, or a person overruled.
    Verified,
    /// Reminders went unanswered.
    Unreachable,
}

/// What may move a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestEvent {
    /// A notice was queued.
    Queue,
    /// The relay took a notice.
    Send,
    /// A delivery report said that it arrived.
    Deliver,
    /// A notice came back or was refused for good.
    Bounce,
    /// Somebody pressed a button on the link's page that is no answer.
    Open,
    /// Answer: we know.
    Acknowledge,
    /// Answer: we work on it.
    Work,
    /// Answer: it is done.
    Finish,
    /// Answer: we cannot.
    Decline,
    /// Answer: it is not ours.
    Disown,
    /// The check holds.
    Hold,
    /// The check fails.
    Fail,
    /// A person overruled the check.
    Overrule,
    /// Nobody answered after the last reminder.
    GiveUp,
}

impl RequestState {
    /// All states in the order of a request's life.
    pub const ALL: [RequestState; 13] = [
        RequestState::NotNotified,
        RequestState::Queued,
        RequestState::Sent,
        RequestState::Delivered,
        RequestState::Bounced,
        RequestState::Opened,
        RequestState::Acknowledged,
        RequestState::Working,
        RequestState::Done,
        RequestState::Declined,
        RequestState::NotTheirs,
        RequestState::Verified,
        RequestState::Unreachable,
    ];

    /// The word kept in tables: `not_notified`.
    pub fn as_str(self) -> &'static str {
        match self {
            RequestState::NotNotified => "not_notified",
            RequestState::Queued => "queued",
            RequestState::Sent => "sent",
            RequestState::Delivered => "delivered",
            RequestState::Bounced => "bounced",
            RequestState::Opened => "opened",
            RequestState::Acknowledged => "acknowledged",
            RequestState::Working => "working",
            RequestState::Done => "done",
            RequestState::Declined => "declined",
            RequestState::NotTheirs => "not_theirs",
            RequestState::Verified => "verified",
            RequestState::Unreachable => "unreachable",
        }
    }

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

impl RequestEvent {
    /// All events, in the order of the drawing.
    pub const ALL: [RequestEvent; 14] = [
        RequestEvent::Queue,
        RequestEvent::Send,
        RequestEvent::Deliver,
        RequestEvent::Bounce,
        RequestEvent::Open,
        RequestEvent::Acknowledge,
        RequestEvent::Work,
        RequestEvent::Finish,
        RequestEvent::Decline,
        RequestEvent::Disown,
        RequestEvent::Hold,
        RequestEvent::Fail,
        RequestEvent::Overrule,
        RequestEvent::GiveUp,
    ];

    /// The word of the drawing: `give_up`.
    pub fn as_str(self) -> &'static str {
        match self {
            RequestEvent::Queue => "queue",
            RequestEvent::Send => "send",
            RequestEvent::Deliver => "deliver",
            RequestEvent::Bounce => "bounce",
            RequestEvent::Open => "open",
            RequestEvent::Acknowledge => "acknowledge",
            RequestEvent::Work => "work",
            RequestEvent::Finish => "finish",
            RequestEvent::Decline => "decline",
            RequestEvent::Disown => "disown",
            RequestEvent::Hold => "hold",
            RequestEvent::Fail => "fail",
            RequestEvent::Overrule => "overrule",
            RequestEvent::GiveUp => "give_up",
        }
    }
}

impl fmt::Display for RequestState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no state of a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a state of a request")]
pub struct RequestStateError(String);

impl FromStr for RequestState {
    type Err = RequestStateError;

    fn from_str(text: &str) -> Result<Self, RequestStateError> {
        RequestState::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| RequestStateError(text.to_owned()))
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
        for event in RequestEvent::ALL {
            let moves: Vec<_> = RequestState::ALL
                .into_iter()
                .filter_map(|from| from.after(event).map(|to| (from, to)))
                .collect();
            let to = moves[0].1;
            assert!(
                moves.iter().all(|(_, other)| *other == to),
                "{event:?} leads to one state"
            );
            let from: Vec<_> = moves.iter().map(|(from, _)| from.as_str()).collect();
            allowed.push(format!("{} {} -> {to}", event.as_str(), from.join(" ")));
        }
        assert_eq!(allowed, drawn);
    }

    #[test]
    fn no_event_leaves_a_state_for_itself() {
        for state in RequestState::ALL {
            for event in RequestEvent::ALL {
                assert_ne!(state.after(event), Some(state), "{state} {event:?}");
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
            let after = RequestState::Verified.after(event);
            assert_eq!(after.is_some(), event == RequestEvent::Fail, "{event:?}");
        }
    }

    #[test]
    fn the_words_of_states_read_and_print_the_same() {
        for state in RequestState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("gone".parse::<RequestState>().is_err());
    }
}
