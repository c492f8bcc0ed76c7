//! The timeline of a case: everything that happened, from all places where it is kept, in the order of time.

use std::collections::BTreeMap;

use model::{Id, Language, Timestamp, VerdictState};
use serde::Serialize;

use super::{Case, Evidence, actor_text, store};
use crate::links::AnswerKind;
use crate::mailbox::{self, Kind, Mail};
use crate::notices::{self, AttemptOutcome, Notice, NoticeKind};
use crate::records::{Actor, Records};
use crate::requests::{self, Request};
use crate::{Error, told};
use crate::{alerts, audit, links};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// When.
    pub time: Timestamp,
    /// Who.
    #[serde(serialize_with = "actor_text")]
    pub actor: Actor,
    /// What.
    pub event: Event,
}

/// What happened. Requests are named by their number in the case.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A field went from old to new.
    Change {
        /// What was changed: `case`, `request /2`, `alert`, `notice /2`.
        subject: String,
        /// Which part of it.
        field: String,
        /// What it was.
        old: Option<String>,
        /// What it became.
        new: Option<String>,
    },
    /// Somebody wrote a note.
    Note {
        /// The text.
        text: String,
    },
    /// A notice was written or an attempt to send it ended.
    Notice {
        /// The notice.
        notice: Id<Notice>,
        /// Number of the request.
        request: i32,
        /// What it is for.
        kind: NoticeKind,
        /// How the attempt ended; none where the notice was written.
        outcome: Option<AttemptOutcome>,
        /// Subject, or the relay's words.
        detail: String,
    },
    /// A mail came in.
    Mail {
        /// Number of the request.
        request: i32,
        /// The mail.
        mail: Box<Mail>,
    },
    /// A party answered.
    Answer {
        /// Number of the request.
        request: i32,
        /// The button.
        kind: AnswerKind,
        /// The words.
        text: String,
        /// Whether it moved the request.
        moved: bool,
    },
    /// Measurement said something new.
    Verdict {
        /// Number of the request.
        request: i32,
        /// What it said.
        state: VerdictState,
        /// How many times one after the other.
        repeats: i64,
    },
    /// Evidence was kept.
    Evidence {
        /// Which.
        id: Id<Evidence>,
        /// What it is.
        title: String,
    },
}

impl Event {
    /// The same with the sentences of the system told in `language`.
    pub fn told(mut self, language: Language) -> Self {
        let tell = |text: &mut String| *text = told(text, language);
        match &mut self {
            Event::Change { old, new, .. } => [old, new].into_iter().flatten().for_each(tell),
            Event::Note { text } => tell(text),
            Event::Evidence { title, .. } => tell(title),
            Event::Notice { .. } | Event::Mail { .. } | Event::Answer { .. } | Event::Verdict { .. } => {}
        }
        self
    }
}

/// Everything that happened in a case, oldest first.
pub async fn timeline(records: &Records, case: Id<Case>) -> Result<Vec<Entry>, Error> {
    store::get(records, case).await?;
    let mut entries = changes(records, "case", &case.to_string(), "case").await?;
    for alert in alerts::of_case(records.db(), case).await? {
        entries.extend(changes(records, "alert", &alert.id, "alert").await?);
    }
    for note in store::notes(records, case).await? {
        entries.push(Entry {
            time: note.time,
            actor: note.actor,
            event: Event::Note { text: note.text },
        });
    }
    let mut keepers: BTreeMap<String, Actor> = BTreeMap::new();
    for row in audit::of(records, "case", case).await? {
        if let ("evidence", Some(hash)) = (row.field.as_str(), row.new) {
            keepers.insert(hash, row.actor);
        }
    }
    for item in super::evidence(records, case).await? {
        let actor = keepers.get(&item.sha256).copied().unwrap_or(Actor::System);
        let event = Event::Evidence {
            id: item.id,
            title: item.title,
        };
        entries.push(Entry {
            time: item.time,
            actor,
            event,
        });
    }
    for request in requests::in_case(records.db(), case).await? {
        entries.extend(of_request(records, &request).await?);
    }
    // Stable: what happened in one moment stays in the order in which it was collected.
    entries.sort_by_key(|entry| entry.time);
    Ok(entries)
}

async fn of_request(records: &Records, request: &Request) -> Result<Vec<Entry>, Error> {
    let number = request.number;
    let mut entries = changes(
        records,
        "request",
        &request.id.to_string(),
        &format!("request /{number}"),
    )
    .await?;
    for notice in notices::of_request(records, request.id).await? {
        let event = |outcome, detail| Event::Notice {
            notice: notice.id,
            request: number,
            kind: notice.kind,
            outcome,
            detail,
        };
        entries.push(Entry {
            time: notice.queued_at,
            actor: Actor::System,
            event: event(None, notice.subject.clone()),
        });
        for attempt in &notice.attempts {
            let (outcome, words) = attempt.outcome();
            let time = attempt.ended_at.unwrap_or(attempt.begun_at);
            entries.push(Entry {
                time,
                actor: Actor::System,
                event: event(Some(outcome), words.to_owned()),
            });
        }
        entries.extend(changes(records, "notice", &notice.id.to_string(), &format!("notice /{number}")).await?);
    }
    for mail in mailbox::of_request(records.db(), request.id).await? {
        // A program's answer is none of the party's, and a sender's address may be forged but is what there is.
        let actor = match mail.kind {
            Kind::Reply if mail.from_party => Actor::Party(request.id),
            Kind::Reply | Kind::Report | Kind::Unreadable => Actor::Public,
            _ => Actor::System,
        };
        entries.push(Entry {
            time: mail.taken_at,
            actor,
            event: Event::Mail {
                request: number,
                mail: Box::new(mail),
            },
        });
    }
    for given in links::answers(records, request.id).await? {
        let event = Event::Answer {
            request: number,
            kind: given.answer.kind,
            text: given.answer.words(),
            moved: given.moved_to.is_some(),
        };
        entries.push(Entry {
            time: given.time,
            actor: Actor::Party(request.id),
            event,
        });
    }
    for run in requests::verdicts(records, request.id).await? {
        let event = Event::Verdict {
            request: number,
            state: run.verdict.state,
            repeats: run.repeats,
        };
        entries.push(Entry {
            time: run.first_at,
            actor: Actor::System,
            event,
        });
    }
    Ok(entries)
}

/// The audit rows of one thing, without those that stand in the timeline in their own right.
async fn changes(records: &Records, noun: &str, id: &str, subject: &str) -> Result<Vec<Entry>, Error> {
    let rows = audit::of(records, noun, id).await?;
    let own = rows.into_iter().filter(|row| {
        let told_elsewhere = matches!(row.field.as_str(), "note" | "evidence" | "notice" | "answer");
        // That it came into this case stands with the case.
        !told_elsewhere && (noun, row.field.as_str()) != ("alert", "case")
    });
    Ok(own
        .map(|row| Entry {
            time: row.time,
            actor: row.actor,
            event: Event::Change {
                subject: subject.to_owned(),
                field: row.field,
                old: row.old,
                new: row.new,
            },
        })
        .collect())
}
