//! The one timeline of a case: mail, answers, verdicts, notes and changes, each with who did it.

use csirt::cases::{Entry, Event};
use language::Text;
use model::Timestamp;

use super::words::{Names, answer_text, verdict_class, verdict_text};
use crate::WebError;

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
}

/// Turns entries into lines.
pub(super) async fn lines(entries: Vec<Entry>, names: &mut Names<'_>, text: &Text) -> Result<Vec<Line>, WebError> {
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
        };
        match entry.event {
            Event::Change {
                subject,
                field,
                old,
                new,
            } => {
                let (shown, request) = shown_subject(&subject, text);
                line.request = request;
                line.what = format!("{shown} · {field}");
                let words = |value: Option<String>| value.map(|value| shown_value(&field, value, text));
                line.change = Some((words(old), words(new)));
            }
            Event::Note { text: note } => {
                line.what = text.get("casework-event-note");
                line.text = note;
            }
            Event::Notice {
                request, what, detail, ..
            } => {
                line.request = Some(request);
                let id = format!("casework-event-notice-{what}");
                line.what = if text.has(&id) { text.get(&id) } else { what.to_owned() };
                line.text = detail;
            }
            Event::Answer {
                request,
                kind,
                text: said,
                ..
            } => {
                line.request = Some(request);
                line.what = text.get("casework-event-answer");
                line.tag = Some(("info", answer_text(kind)));
                line.text = said;
            }
            Event::Verdict {
                request,
                state,
                repeats,
            } => {
                line.request = Some(request);
                line.what = text.get("casework-event-verdict");
                line.tag = Some((verdict_class(state), verdict_text(state)));
                if repeats > 1 {
                    line.text = format!("× {repeats}");
                }
            }
            Event::Evidence { title, .. } => {
                line.what = text.get("casework-event-evidence");
                line.text = title;
            }
        }
        lines.push(line);
    }
    Ok(lines)
}

/// What was changed in words, with the number of the request where it is one: `case`, `request /2`, `notice /2`.
fn shown_subject(subject: &str, text: &Text) -> (String, Option<i32>) {
    let (noun, number) = match subject.split_once(" /") {
        Some((noun, number)) => (noun, number.parse().ok()),
        None => (subject, None),
    };
    let shown = match noun {
        "case" => text.get("casework-event-case"),
        "alert" => text.get("casework-event-alert"),
        "request" => text.get("casework-column-request"),
        "notice" => text.get("casework-event-notice"),
        other => other.to_owned(),
    };
    (shown, number)
}

/// A value of a change in words, where it is one of our own words: a state or an ask.
fn shown_value(field: &str, value: String, text: &Text) -> String {
    let word = value.replace('_', "-");
    let ids = match field {
        "state" => [
            format!("case-request-state-{word}"),
            format!("case-state-{word}"),
            format!("case-alert-state-{word}"),
        ],
        "ask" => [format!("case-ask-{word}"), String::new(), String::new()],
        _ => return value,
    };
    ids.iter().find(|id| text.has(id)).map_or(value, |id| text.get(id))
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
        "mail" => matches!(event, Event::Notice { .. }),
        "answers" => matches!(event, Event::Answer { .. }),
        "verdicts" => matches!(event, Event::Verdict { .. }),
        "notes" => matches!(event, Event::Note { .. } | Event::Evidence { .. }),
        "changes" => matches!(event, Event::Change { .. }),
        _ => true,
    }
}
