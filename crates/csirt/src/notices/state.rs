//! Kinds and states of notices.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a notice is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// It asks.
    Ask,
    /// It asks again, because nobody answered until the deadline.
    Reminder,
    /// It says that the request is verified, and thanks.
    Thanks,
}

impl NoticeKind {
    /// All kinds.
    pub const ALL: [NoticeKind; 3] = [NoticeKind::Ask, NoticeKind::Reminder, NoticeKind::Thanks];

    /// The word kept in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            NoticeKind::Ask => "ask",
            NoticeKind::Reminder => "reminder",
            NoticeKind::Thanks => "thanks",
        }
    }
}

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    /// It waits for its turn or for the next try.
    Queued,
    /// The relay took it.
    Sent,
    /// The party's mail system reported that it arrived.
    Delivered,
    /// It was refused for good, or came back.
    Bounced,
    /// The relay could not be reached for days.
    Failed,
}

/// What moves a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeEvent {
    /// The relay took it.
    Accept,
    /// A delivery report came.
    Report,
    /// The relay refused it for good.
    Refuse,
    /// It came back.
    Return,
    /// It was tried long enough.
    GiveUp,
}

impl NoticeState {
    /// All states.
    pub const ALL: [NoticeState; 5] = [
        NoticeState::Queued,
        NoticeState::Sent,
        NoticeState::Delivered,
        NoticeState::Bounced,
        NoticeState::Failed,
    ];

    /// The word kept in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            NoticeState::Queued => "queued",
            NoticeState::Sent => "sent",
            NoticeState::Delivered => "delivered",
            NoticeState::Bounced => "bounced",
            NoticeState::Failed => "failed",
        }
    }

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

impl NoticeEvent {
    /// All events.
    pub const ALL: [NoticeEvent; 5] = [
        NoticeEvent::Accept,
        NoticeEvent::Report,
        NoticeEvent::Refuse,
        NoticeEvent::Return,
        NoticeEvent::GiveUp,
    ];

    /// The word of the drawing.
    pub fn as_str(self) -> &'static str {
        match self {
            NoticeEvent::Accept => "accept",
            NoticeEvent::Report => "report",
            NoticeEvent::Refuse => "refuse",
            NoticeEvent::Return => "return",
            NoticeEvent::GiveUp => "give_up",
        }
    }
}

impl fmt::Display for NoticeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no state or kind of a notice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a state or kind of a notice")]
pub struct NoticeWordError(String);

impl FromStr for NoticeState {
    type Err = NoticeWordError;

    fn from_str(text: &str) -> Result<Self, NoticeWordError> {
        NoticeState::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| NoticeWordError(text.to_owned()))
    }
}

impl FromStr for NoticeKind {
    type Err = NoticeWordError;

    fn from_str(text: &str) -> Result<Self, NoticeWordError> {
        NoticeKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| NoticeWordError(text.to_owned()))
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
        for event in NoticeEvent::ALL {
            let moves: Vec<_> = NoticeState::ALL
                .into_iter()
                .filter_map(|from| from.after(event).map(|to| (from, to)))
                .collect();
            let from: Vec<_> = moves.iter().map(|(from, _)| from.as_str()).collect();
            allowed.push(format!("{} {} -> {}", event.as_str(), from.join(" "), moves[0].1));
        }
        assert_eq!(allowed, drawn);
    }
}
