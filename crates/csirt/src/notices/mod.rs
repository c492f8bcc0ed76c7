//! Notices: the messages of a request, written in the party's language and handed over by mail.
//!
//! A notice is written when it is queued, with a job in the same change; what a person sees in the case is what goes out.
//! Only the link is put in at the hand-over, because its token is kept nowhere. Mail cannot be sent exactly once: when
//! the centre dies between the relay's "250" and the commit, nobody knows whether it went out, and it is sent again.
//! The attempt is written down before it begins, so that the doubt shows, and both mails carry the same Message-ID, by
//! which mail systems and people recognise the second one. Handing over to a folder has no such window: the file's
//! name is that of the notice, and a notice whose file is there is not written again.

pub mod backoff;
mod deliver;
pub(crate) mod entity;
pub mod facts;
mod mail;
pub mod mailer;
pub(crate) mod migration;
pub mod render;
mod state;
mod store;

use model::{Id, Language, Timestamp};
use serde::{Deserialize, Serialize};

use crate::requests::Request;
use crate::word::words;
pub use deliver::{Delivery, deliver};
pub(crate) use deliver::{arrive, come_back};
pub use facts::Facts;
pub use mail::is_address;
pub use mailer::{Mailer, MailerError, Security, SmtpSettings, is_loopback};
pub use render::{LINK_PLACEHOLDER, Rendered};
pub use state::{NoticeEvent, NoticeKind, NoticeState};
pub(crate) use store::{facts_of, queue_in, with_message_id};
pub use store::{get, of_request, preview, queue, queue_thanks};

/// Who sends notices, and how it can be reached and recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Centre {
    /// Its name as people read it.
    pub name: String,
    /// Address of the portal without a slash at the end: links begin with it.
    pub base_url: String,
    /// Mail address: From and Reply-To of every notice.
    pub mail: String,
    /// Telephone number for those who want to make sure; may be empty.
    pub phone: String,
    /// Domain in Message-IDs; empty for that of `mail`.
    pub message_domain: String,
}

impl Default for Centre {
    fn default() -> Self {
        Self {
            name: "DNS-CERT".to_owned(),
            base_url: "http://127.0.0.1:8053".to_owned(),
            mail: "cert@dnscert.example".to_owned(),
            phone: String::new(),
            message_domain: String::new(),
        }
    }
}

/// One message of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// Its id.
    pub id: Id<Notice>,
    /// The request.
    pub request: Id<Request>,
    /// What it is for.
    pub kind: NoticeKind,
    /// Where it stands.
    pub state: NoticeState,
    /// Its language.
    pub language: Language,
    /// Mail addresses that it goes to.
    pub to: Vec<String>,
    /// Subject with its token.
    pub subject: String,
    /// Text, with [`LINK_PLACEHOLDER`] in place of the link.
    pub body: String,
    /// Content of `evidence.txt`.
    pub evidence_text: String,
    /// Content of `evidence.json`.
    pub evidence_json: String,
    /// Its Message-ID without angle brackets: the same at every attempt.
    pub message_id: String,
    /// Message-ID of the request's first notice, where this is not the first.
    pub in_reply_to: Option<String>,
    /// When it was written.
    pub queued_at: Timestamp,
    /// When the relay took it.
    pub sent_at: Option<Timestamp>,
    /// Attempts to hand it over, oldest first.
    pub attempts: Vec<Attempt>,
    /// Why it did not go out, or came back.
    pub last_error: Option<String>,
}

/// One attempt to hand a notice over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ended; `None` while it is under way, or when the centre died meanwhile.
    pub ended_at: Option<Timestamp>,
    /// How it ended: its outcome, a colon, the relay's words.
    pub result: Option<String>,
}

words! {
    /// How an attempt to hand a notice over ended.
    pub enum AttemptOutcome {
        /// The relay took it.
        Accepted = "accepted",
        /// The relay refused it for good.
        Refused = "refused",
        /// It did not work this time.
        Failed = "failed",
        /// It was begun and nobody knows how it ended: the centre died, or it is under way.
        Unknown = "unknown",
    }
}

impl Attempt {
    /// How it ended, and in which words of the relay.
    pub fn outcome(&self) -> (AttemptOutcome, &str) {
        let result = self.result.as_deref().unwrap_or_default();
        let (outcome, words) = result.split_once(": ").unwrap_or((result, ""));
        (outcome.parse().unwrap_or(AttemptOutcome::Unknown), words)
    }
}
