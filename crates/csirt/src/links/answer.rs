//! What a party may answer, and what must stand in the answer.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::requests::RequestEvent;

/// The button that was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerKind {
    /// We know.
    Acknowledge,
    /// We work on it.
    Working,
    /// It is done: measure it.
    Done,
    /// We cannot, and why.
    Cannot,
    /// It is not ours, and whose it may be.
    NotOurs,
    /// Call us, at this number or time.
    CallMe,
}

impl AnswerKind {
    /// All kinds, in the order of the buttons.
    pub const ALL: [AnswerKind; 6] = [
        AnswerKind::Acknowledge,
        AnswerKind::Working,
        AnswerKind::Done,
        AnswerKind::Cannot,
        AnswerKind::NotOurs,
        AnswerKind::CallMe,
    ];

    /// The word kept in tables and sent by the form: `not_ours`.
    pub fn as_str(self) -> &'static str {
        match self {
            AnswerKind::Acknowledge => "acknowledge",
            AnswerKind::Working => "working",
            AnswerKind::Done => "done",
            AnswerKind::Cannot => "cannot",
            AnswerKind::NotOurs => "not_ours",
            AnswerKind::CallMe => "call_me",
        }
    }

    /// What the answer does to the request. Who wants to be called has been reached.
    pub fn event(self) -> RequestEvent {
        match self {
            AnswerKind::Acknowledge | AnswerKind::CallMe => RequestEvent::Acknowledge,
            AnswerKind::Working => RequestEvent::Work,
            AnswerKind::Done => RequestEvent::Finish,
            AnswerKind::Cannot => RequestEvent::Decline,
            AnswerKind::NotOurs => RequestEvent::Disown,
        }
    }
}

impl fmt::Display for AnswerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no kind of answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an answer; answers are acknowledge, working, done, cannot, not_ours, call_me")]
pub struct AnswerKindError(String);

impl FromStr for AnswerKind {
    type Err = AnswerKindError;

    fn from_str(text: &str) -> Result<Self, AnswerKindError> {
        AnswerKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| AnswerKindError(text.to_owned()))
    }
}

/// One answer, as the party typed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The button.
    pub kind: AnswerKind,
    /// Why it cannot be done; needed with `Cannot`.
    #[serde(default)]
    pub reason: String,
    /// Who may be responsible; this or a note is needed with `NotOurs`.
    #[serde(default)]
    pub suggested: String,
    /// Telephone number and time; needed with `CallMe`.
    #[serde(default)]
    pub phone: String,
    /// Anything else.
    #[serde(default)]
    pub note: String,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: {reason}")]
pub struct AnswerError {
    /// The field.
    pub field: &'static str,
    /// Id of the text that tells the person, in area `answer`.
    pub text_id: &'static str,
    /// The same in a few words for the log.
    pub reason: &'static str,
}

/// Longest text of one field, in letters. Chosen by us: far above what people write, far below what hurts a page.
const LONGEST: usize = 4000;

impl Answer {
    /// An answer without any words.
    pub fn bare(kind: AnswerKind) -> Self {
        Self {
            kind,
            reason: String::new(),
            suggested: String::new(),
            phone: String::new(),
            note: String::new(),
        }
    }

    /// The answer with space trimmed, or the first field that is wrong.
    pub fn checked(&self) -> Result<Answer, AnswerError> {
        let clean = |text: &str| -> String {
            let shown = text
                .chars()
                .filter(|letter| !letter.is_control() || matches!(letter, '\n' | '\t'));
            shown.collect::<String>().trim().to_owned()
        };
        let answer = Answer {
            kind: self.kind,
            reason: clean(&self.reason),
            suggested: clean(&self.suggested),
            phone: clean(&self.phone),
            note: clean(&self.note),
        };
        let fields = [
            ("reason", &answer.reason),
            ("suggested", &answer.suggested),
            ("phone", &answer.phone),
            ("note", &answer.note),
        ];
        for (field, text) in fields {
            if text.chars().count() > LONGEST {
                return Err(AnswerError {
                    field,
                    text_id: "answer-error-too-long",
                    reason: "longer than 4000 letters",
                });
            }
        }
        match answer.kind {
            AnswerKind::Cannot if answer.reason.is_empty() => Err(AnswerError {
                field: "reason",
                text_id: "answer-error-reason-missing",
                reason: "`cannot` needs a reason",
            }),
            AnswerKind::NotOurs if answer.suggested.is_empty() && answer.note.is_empty() => Err(AnswerError {
                field: "suggested",
                text_id: "answer-error-suggested-missing",
                reason: "`not_ours` needs who it may be, or a note",
            }),
            AnswerKind::CallMe if !answer.phone.chars().any(|letter| letter.is_numeric()) => Err(AnswerError {
                field: "phone",
                text_id: "answer-error-phone-missing",
                reason: "`call_me` needs a telephone number",
            }),
            _ => Ok(answer),
        }
    }

    /// The words of the answer on one line, for timelines.
    pub fn words(&self) -> String {
        [&self.reason, &self.suggested, &self.phone, &self.note]
            .into_iter()
            .filter(|text| !text.is_empty())
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" · ")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_answer_that_needs_words_says_which_field_lacks_them() {
        for (kind, field) in [
            (AnswerKind::Cannot, "reason"),
            (AnswerKind::NotOurs, "suggested"),
            (AnswerKind::CallMe, "phone"),
        ] {
            assert_eq!(Answer::bare(kind).checked().unwrap_err().field, field);
        }
        for kind in [AnswerKind::Acknowledge, AnswerKind::Working, AnswerKind::Done] {
            assert_eq!(Answer::bare(kind).checked(), Ok(Answer::bare(kind)));
        }
        let words = Answer {
            phone: "٠٢ ١٢٣ after nine".to_owned(),
            ..Answer::bare(AnswerKind::CallMe)
        };
        assert!(words.checked().is_ok());
    }

    #[test]
    fn every_answer_reads_back_and_its_errors_stand_in_every_language() {
        for kind in AnswerKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        for language in model::Language::ALL {
            let texts = language::texts(language);
            for error in ["too-long", "reason-missing", "suggested-missing", "phone-missing"] {
                assert!(texts.has(&format!("answer-error-{error}")), "{language} {error}");
            }
        }
    }

    proptest! {
        #[test]
        fn checked_text_is_clean_and_checks_again(text in "\\PC{0,200}|.{0,200}", kind in 0usize..6) {
            let answer = Answer { note: text.clone(), reason: text.clone(), ..Answer::bare(AnswerKind::ALL[kind]) };
            if let Ok(answer) = answer.checked() {
                prop_assert_eq!(answer.checked().unwrap(), answer);
            }
        }
    }
}
