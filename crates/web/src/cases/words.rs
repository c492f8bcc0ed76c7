//! States, asks, people and spans of time in the reader's words.

use std::collections::BTreeMap;

use csirt::cases::CaseState;
use csirt::links::AnswerKind;
use csirt::mailbox::Kind;
use csirt::requests::{Ask, Grid, Request, RequestState};
use csirt::{Actor, accounts};
use language::Text;
use model::VerdictState;

use crate::{App, WebError};

/// Class of a label for the state of a request.
pub(crate) fn request_class(state: RequestState) -> &'static str {
    match state {
        RequestState::Verified => "good",
        RequestState::Done | RequestState::Acknowledged | RequestState::Working | RequestState::Opened => "info",
        RequestState::Bounced | RequestState::Unreachable | RequestState::Declined | RequestState::NotTheirs => "bad",
        RequestState::NotNotified => "warn",
        RequestState::Queued | RequestState::Sent | RequestState::Delivered => "none",
    }
}

/// Id of the word for the state of a request.
pub(crate) fn request_text(state: RequestState) -> String {
    format!("case-request-state-{}", state.as_str().replace('_', "-"))
}

/// Id of the sentence for an ask.
pub(crate) fn ask_text(ask: Ask) -> String {
    format!("case-ask-{}", ask.text_word())
}

/// How a request is called within its case: `/2`.
pub(crate) fn request_label(request: &Request) -> String {
    format!("/{}", request.number)
}

/// Id of the word for the state of a case.
pub(crate) fn case_text(state: CaseState) -> String {
    format!("case-state-{}", state.as_str())
}

/// Class of a label for the state of a case.
pub(crate) fn case_class(state: CaseState) -> &'static str {
    match state {
        CaseState::Open => "warn",
        CaseState::Closed => "none",
    }
}

/// Class of a label for a verdict.
pub(crate) fn verdict_class(state: VerdictState) -> &'static str {
    match state {
        VerdictState::Holds => "good",
        VerdictState::Fails => "bad",
        VerdictState::Unknown => "none",
    }
}

/// Id of the word for a verdict.
pub(crate) fn verdict_text(state: VerdictState) -> &'static str {
    match state {
        VerdictState::Holds => "casework-verdict-holds",
        VerdictState::Fails => "casework-verdict-fails",
        VerdictState::Unknown => "casework-verdict-unknown",
    }
}

/// Id of the word for an answer.
pub(crate) fn answer_text(kind: AnswerKind) -> &'static str {
    match kind {
        AnswerKind::Acknowledge => "casework-answer-acknowledge",
        AnswerKind::Working => "casework-answer-working",
        AnswerKind::Done => "casework-answer-done",
        AnswerKind::Cannot => "casework-answer-cannot",
        AnswerKind::NotOurs => "casework-answer-not-ours",
        AnswerKind::CallMe => "casework-answer-call-me",
    }
}

/// Class of a label for what a mail turned out to be.
pub(super) fn mail_class(kind: Kind) -> &'static str {
    match kind {
        Kind::Reply => "info",
        Kind::Delivered => "good",
        Kind::Delayed | Kind::Report => "warn",
        Kind::Bounced | Kind::Unreadable => "bad",
        Kind::Automatic | Kind::Own | Kind::Duplicate => "none",
    }
}

/// Id of the word for what a mail turned out to be.
pub(super) fn mail_text(kind: Kind) -> &'static str {
    match kind {
        Kind::Reply => "casework-mail-reply",
        Kind::Automatic => "casework-mail-automatic",
        Kind::Bounced => "casework-mail-bounced",
        Kind::Delayed => "casework-mail-delayed",
        Kind::Delivered => "casework-mail-delivered",
        Kind::Own => "casework-mail-own",
        Kind::Report => "casework-mail-report",
        Kind::Unreadable => "casework-mail-unreadable",
        Kind::Duplicate => "casework-mail-duplicate",
    }
}

/// A span of time in its two largest units: `3 min 20 s`. Negative spans (clocks that disagree) count as none.
pub(super) fn spell(seconds: f64, text: &Text) -> String {
    let whole = if seconds.is_finite() {
        seconds.max(0.0).round() as i64
    } else {
        0
    };
    let (large, small) = match whole {
        0..60 => (("casework-span-seconds", whole), None),
        60..3_600 => (
            ("casework-span-minutes", whole / 60),
            Some(("casework-span-seconds", whole % 60)),
        ),
        3_600..86_400 => (
            ("casework-span-hours", whole / 3_600),
            Some(("casework-span-minutes", whole % 3_600 / 60)),
        ),
        _ => (
            ("casework-span-days", whole / 86_400),
            Some(("casework-span-hours", whole % 86_400 / 3_600)),
        ),
    };
    let word = |(id, count): (&str, i64)| text.format(id, [("count", count.into())]);
    match small {
        Some(small) if small.1 > 0 => format!("{} {}", word(large), word(small)),
        _ => word(large),
    }
}

/// Who acted, by name. Looks each account up once.
pub(super) struct Names<'a> {
    app: &'a App,
    text: &'a Text,
    known: BTreeMap<String, String>,
}

impl<'a> Names<'a> {
    /// Names in the language of `text`; those of parties come from `grids`.
    pub(super) fn new(app: &'a App, text: &'a Text) -> Self {
        Self {
            app,
            text,
            known: BTreeMap::new(),
        }
    }

    /// Learns the names of the parties in `grid`, who act under the id of their request.
    pub(super) fn learn(&mut self, grid: &Grid) {
        for row in &grid.parties {
            for request in &row.requests {
                self.known
                    .insert(Actor::Party(request.id).to_string(), row.party.name.clone());
            }
        }
    }

    /// The name of `actor`.
    pub(super) async fn of(&mut self, actor: &Actor) -> Result<String, WebError> {
        let key = actor.to_string();
        if let Some(name) = self.known.get(&key) {
            return Ok(name.clone());
        }
        let name = match actor {
            Actor::System => self.text.get("casework-actor-system"),
            Actor::Public => self.text.get("casework-actor-public"),
            Actor::Party(_) => self.text.get("casework-actor-party"),
            Actor::Account(id) => accounts::get(&self.app.records, *id).await?.display_name,
        };
        self.known.insert(key, name.clone());
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use language::{Language, texts};

    use super::*;

    #[test]
    fn a_span_is_told_in_its_two_largest_units() {
        let text = texts(Language::English);
        for (seconds, told) in [
            (0.2, "0 s"),
            (59.4, "59 s"),
            (200.0, "3 min 20 s"),
            (3_600.0, "1 h"),
            (90_061.0, "1 d 1 h"),
            (-5.0, "0 s"),
            (f64::NAN, "0 s"),
        ] {
            assert_eq!(spell(seconds, text), told);
        }
    }
}
