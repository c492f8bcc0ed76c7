//! What the pages of a link show, made ready for their templates.

use askama::Template;
use csirt::cases::evidence::describe;
use csirt::links::{AnswerKind, View};
use csirt::requests::RequestState;
use model::{Check, VerdictState};

use super::Typed;
use crate::{Errors, Page};

/// Evidence shown on the page, in letters; the rest stands in the plain-text twin. Keeps the page within its 50 KB.
const EVIDENCE_LETTERS: usize = 6_000;
/// Evidence shown in all, in letters.
const EVIDENCE_ALL_LETTERS: usize = 14_000;
/// Past answers shown, the newest.
const ANSWERS: usize = 12;

/// One choice of the form.
pub(super) struct Choice {
    /// `not_ours`: the value sent and the id of its field.
    pub(super) value: &'static str,
    /// Stem of its texts.
    pub(super) stem: String,
    /// Whether it was chosen before.
    pub(super) chosen: bool,
}

/// One piece of evidence.
pub(super) struct Piece {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) is_cut: bool,
}

/// The page of a request.
#[derive(Template)]
#[template(path = "answer/request.html")]
pub(super) struct AnswerPage {
    pub(super) page: Page,
    pub(super) token: String,
    pub(super) link: View,
    pub(super) form: Typed,
    pub(super) errors: Errors,
    pub(super) state: &'static str,
    pub(super) choices: Vec<Choice>,
    pub(super) pieces: Vec<Piece>,
    pub(super) expected: Vec<String>,
    pub(super) kind: String,
}

impl AnswerPage {
    pub(super) fn new(page: Page, token: &str, mut link: View, form: Typed, errors: Errors) -> Self {
        let choices = AnswerKind::ALL
            .into_iter()
            .map(|kind| Choice {
                value: kind.as_str(),
                stem: stem(kind),
                chosen: form.kind == kind.as_str(),
            })
            .collect();
        let mut left = EVIDENCE_ALL_LETTERS;
        let mut pieces = Vec::new();
        for (title, whole) in evidence(&page, &link) {
            let most = EVIDENCE_LETTERS.min(left);
            if most == 0 {
                break;
            }
            let text: String = whole.chars().take(most).collect();
            let is_cut = text.len() < whole.len();
            left -= text.chars().count();
            pieces.push(Piece { title, text, is_cut });
        }
        link.answers.drain(..link.answers.len().saturating_sub(ANSWERS));
        let state = state(link.request.state);
        let (expected, kind) = (expected(&link.request.check), kind(&page, &link));
        Self {
            page,
            token: token.to_owned(),
            link,
            form,
            errors,
            state,
            choices,
            pieces,
            expected,
            kind,
        }
    }

    /// Whether the party has still something to say.
    fn is_open(&self) -> bool {
        self.state != "verified"
    }

    /// Whether the party has answered already.
    fn is_answered(&self) -> bool {
        self.state != "open"
    }

    fn state_class(&self) -> &'static str {
        match self.state {
            "verified" => "good",
            "open" => "warn",
            "declined" | "not-theirs" => "none",
            _ => "info",
        }
    }

    fn is_late(&self) -> bool {
        self.page.now > self.link.request.deadline && self.state == "open"
    }

    fn verdict(&self) -> Option<&'static str> {
        self.link.request.verdict.as_ref().map(|verdict| match verdict.state {
            VerdictState::Holds => "link-verdict-holds",
            VerdictState::Fails => "link-verdict-fails",
            VerdictState::Unknown => "link-verdict-unknown",
        })
    }
}

/// The page between choosing and sending.
#[derive(Template)]
#[template(path = "answer/confirm.html")]
pub(super) struct ConfirmPage {
    pub(super) page: Page,
    pub(super) token: String,
    pub(super) link: View,
    pub(super) stem: String,
    pub(super) form: Typed,
    pub(super) key: String,
}

impl ConfirmPage {
    pub(super) fn new(page: Page, token: String, link: View, kind: AnswerKind, form: Typed, key: String) -> Self {
        Self {
            page,
            token,
            link,
            stem: stem(kind),
            form,
            key,
        }
    }
}

/// The page of a link that opens nothing.
#[derive(Template)]
#[template(path = "answer/gone.html")]
pub(super) struct GonePage {
    pub(super) page: Page,
}

/// Stem of the texts of an answer.
pub(super) fn stem(kind: AnswerKind) -> String {
    format!("link-kind-{}", kind.as_str().replace('_', "-"))
}

/// Stem of the texts of a state as the party sees it.
pub(crate) fn state(state: RequestState) -> &'static str {
    match state {
        RequestState::Acknowledged => "acknowledged",
        RequestState::Working => "working",
        RequestState::Done => "done",
        RequestState::Declined => "declined",
        RequestState::NotTheirs => "not-theirs",
        RequestState::Verified => "verified",
        _ => "open",
    }
}

/// Kind of the matter as the texts know it.
pub(super) fn kind(page: &Page, link: &View) -> String {
    let kind = &link.facts.kind;
    if page.texts().has(&format!("notice-fact-{kind}")) {
        kind.clone()
    } else {
        "other".to_owned()
    }
}

/// Title and text of all evidence: what the signals saw of this zone, then what was added to the request.
pub(super) fn evidence(page: &Page, link: &View) -> Vec<(String, String)> {
    let seen = link
        .facts
        .signals
        .iter()
        .map(|signal| (page.time_text(&signal.time), describe(signal)));
    seen.chain(
        link.evidence
            .iter()
            .map(|evidence| (page.told(&evidence.title), evidence.text.clone())),
    )
    .collect()
}

/// What the measurement must find, in lines that are the same in every language.
pub(super) fn expected(check: &Check) -> Vec<String> {
    match check {
        Check::Cases { cases, .. } => cases.clone(),
        Check::Delegation { expected, .. } => {
            let ns = expected.ns.iter().map(|(ns, addresses)| {
                let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                format!("NS {ns} {}", addresses.join(" ")).trim_end().to_owned()
            });
            ns.chain(expected.ds.iter().map(|ds| format!("DS {ds}"))).collect()
        }
    }
}
