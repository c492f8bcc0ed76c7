//! The one timeline of a case: mail, answers, verdicts, notes and changes, each with who did it.

use csirt::cases::{Entry, Event};
use csirt::mailbox::{Kind, Mail};
use csirt::notices::AttemptOutcome;
use model::Timestamp;

use super::words::{Names, answer_text, mail_class, mail_text, verdict_class, verdict_text};
use crate::alerts::short_id;
use crate::{Page, WebError};

/// One line of the timeline as a page shows it.
pub(super) struct Line {
    pub(super) time: Timestamp,
    pub(super) who: String,
    /// The head of the line in words.
    pub(super) what: String,
    /// Label and its class, where the line is about a state.
    pub(super) tag: Option<(&'static str, &'static str)>,
    /// Old and new value of a change.
    pub(super) change: Option<(Option<String>, Option<String>)>,
    /// Free text as somebody wrote it.
    pub(super) text: String,
    /// Number of the request within the case, where the line is about one.
    pub(super) request: Option<i32>,
    /// The mail that came in, where the line is about one.
    pub(super) mail: Option<Box<Mail>>,
}

/// Turns entries into lines.
pub(super) async fn lines(entries: Vec<Entry>, names: &mut Names<'_>, page: &Page) -> Result<Vec<Line>, WebError> {
    let mut lines = Vec::with_capacity(entries.len());
    for entry in entries {
        let who = names.of(&entry.actor).await?;
        let mut line = Line {
            time: entry.time,
            who,
            what: String::new(),
            tag: None,
            change: None,
            text: String::new(),
            request: None,
            mail: None,
        };
        match entry.event.told(page.language) {
            Event::Change {
                subject,
                field,
                old,
                new,
            } => {
                let (noun, request) = noun(&subject);
                line.request = request;
                line.what = format!("{} · {}", word(page, "event", noun), word(page, "field", &field));
                let words = |value: Option<String>| value.map(|value| shown_value(page, noun, &field, value));
                line.change = Some((words(old), words(new)));
            }
            Event::Note { text: note } => {
                line.what = page.t("casework-event-note");
                line.text = note;
            }
            Event::Notice {
                request,
                outcome,
                detail,
                ..
            } => {
                line.request = Some(request);
                line.what = match outcome {
                    None => page.t("casework-event-notice-queued"),
                    Some(outcome) => {
                        line.tag = Some(attempt_tag(outcome));
                        page.t("casework-event-notice-attempt")
                    }
                };
                line.text = detail;
            }
            Event::Mail { request, mail } => {
                line.request = Some(request);
                line.what = page.t("casework-event-mail");
                line.tag = Some((mail_class(mail.kind), mail_text(mail.kind)));
                line.text = super::excerpt(mail.reason.as_ref().unwrap_or(&mail.text));
                line.mail = Some(mail);
            }
            Event::Answer {
                request,
                kind,
                text: said,
                ..
            } => {
                line.request = Some(request);
                line.what = page.t("casework-event-answer");
                line.tag = Some(("info", answer_text(kind)));
                line.text = said;
            }
            Event::Verdict {
                request,
                state,
                repeats,
            } => {
                line.request = Some(request);
                line.what = page.t("casework-event-verdict");
                line.tag = Some((verdict_class(state), verdict_text(state)));
                if repeats > 1 {
                    line.text = format!("× {repeats}");
                }
            }
            Event::Evidence { title, .. } => {
                line.what = page.t("casework-event-evidence");
                line.text = title;
            }
        }
        lines.push(line);
    }
    Ok(lines)
}

/// What was changed, with the number of the request where it is one: `case`, `request /2`, `notice /2`.
fn noun(subject: &str) -> (&str, Option<i32>) {
    match subject.split_once(" /") {
        Some((noun, number)) => (noun, number.parse().ok()),
        None => (subject, None),
    }
}

/// The word for a noun or a field of the records; the word of the records where there is none.
fn word(page: &Page, of: &str, word: &str) -> String {
    let id = format!("casework-{of}-{}", word.replace('_', "-"));
    if page.texts().has(&id) {
        page.t(id)
    } else {
        word.to_owned()
    }
}

/// A value of a change as people read it: our own words in their language, moments with their time zone, the short form
/// of an alert's id; anything else as it is.
fn shown_value(page: &Page, noun: &str, field: &str, value: String) -> String {
    let words = value.replace('_', "-");
    let id = match (noun, field) {
        ("case", "state") => format!("case-state-{words}"),
        ("alert", "state") => format!("case-alert-state-{words}"),
        ("request", "state") => format!("case-request-state-{words}"),
        ("notice", "state") => format!("casework-notice-state-{words}"),
        ("alert", "severity") => format!("case-severity-{words}"),
        ("request", "ask") => format!("case-ask-{words}"),
        ("case", "alert") => return short_id(&value),
        ("request", "deadline" | "notified") => {
            return value.parse().map_or(value, |time| page.time_text(&time));
        }
        _ => return value,
    };
    if page.texts().has(&id) { page.t(id) } else { value }
}

/// Class and id of the word for how an attempt to hand a notice over ended.
fn attempt_tag(outcome: AttemptOutcome) -> (&'static str, &'static str) {
    match outcome {
        AttemptOutcome::Accepted => ("good", "casework-attempt-accepted"),
        AttemptOutcome::Refused => ("bad", "casework-attempt-refused"),
        AttemptOutcome::Failed => ("warn", "casework-attempt-failed"),
        AttemptOutcome::Unknown => ("none", "casework-attempt-unknown"),
    }
}

/// What the timeline can be narrowed to: value in the address and id of its word.
pub(super) const KINDS: [(&str, &str); 6] = [
    ("all", "casework-show-all"),
    ("mail", "casework-show-mail"),
    ("answers", "casework-show-answers"),
    ("verdicts", "casework-show-verdicts"),
    ("notes", "casework-show-notes"),
    ("changes", "casework-show-changes"),
];

/// Whether `event` belongs to `kind`; an unknown kind takes all.
pub(super) fn is_of_kind(event: &Event, kind: &str) -> bool {
    match kind {
        "mail" => matches!(event, Event::Notice { .. } | Event::Mail { .. }),
        "answers" => match event {
            Event::Mail { mail, .. } => mail.kind == Kind::Reply,
            event => matches!(event, Event::Answer { .. }),
        },
        "verdicts" => matches!(event, Event::Verdict { .. }),
        "notes" => matches!(event, Event::Note { .. } | Event::Evidence { .. }),
        "changes" => matches!(event, Event::Change { .. }),
        _ => true,
    }
}
