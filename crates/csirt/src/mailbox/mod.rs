//! The mailbox: what parties, other mail systems and strangers write to the centre.
//!
//! Each mail is kept, octet by octet, before the mail server is told that we have it, and is taken once however often it
//! is fetched. What it is decides where people see it: an answer to a notice stands in its case, a delivery report moves
//! its notice, anything else is a report with an alert, also what cannot be read. A mail moves no request by itself: it
//! may be forged. This room speaks no IMAP: the binary fetches and hands over.

mod delivery;
pub(crate) mod entity;
pub(crate) mod migration;
mod mime;
mod progress;
mod store;
mod take;

use model::{Id, Timestamp};
use serde::Serialize;

use crate::intake::Report;
use crate::notices::Notice;
use crate::requests::Request;
use crate::word::words;
pub use delivery::{Action, DeliveryReport, Recipient};
pub use mime::{LARGEST, Reading, Unreadable, read};
pub use progress::{Mailbox, Progress, fetched, find, marked, not_fetched, progress, to_mark};
pub(crate) use store::of_request;
pub use store::{counts, get, octets, of_report};
pub use take::{Content, Place, take};

words! {
    /// What a mail turned out to be.
    pub enum Kind {
        /// A person's answer to a notice.
        Reply = "reply",
        /// A program's answer to a notice: an absence note, a receipt (RFC 3834).
        Automatic = "automatic",
        /// A notice came back.
        Bounced = "bounced",
        /// A notice waits elsewhere.
        Delayed = "delayed",
        /// A notice arrived.
        Delivered = "delivered",
        /// One of our own notices, sent on to ourselves.
        Own = "own",
        /// Anything else: a report with an alert.
        Report = "report",
        /// It cannot be read: a report with an alert, and the mail stays unseen in the mailbox.
        Unreadable = "unreadable",
        /// The same mail a second time.
        Duplicate = "duplicate",
    }
}

/// A mail that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mail {
    /// Its id.
    pub id: Id<Mail>,
    /// What it turned out to be.
    pub kind: Kind,
    /// Address in its From; empty where it has none. It may be forged.
    pub from: String,
    /// Whether that is one of the party's addresses.
    pub from_party: bool,
    /// Its subject.
    pub subject: String,
    /// What it says, without attachments, at most 18,000 letters.
    pub text: String,
    /// Names of what is attached.
    pub attachments: Vec<String>,
    /// Why it cannot be read.
    pub reason: Option<String>,
    /// Its size in octets.
    pub size: i64,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// The request that it is about.
    pub request: Option<Id<Request>>,
    /// The notice that it is about.
    pub notice: Option<Id<Notice>>,
    /// The report that was made of it.
    pub report: Option<Id<Report>>,
}
