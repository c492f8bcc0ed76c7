//! Intake: reports of the public, without an account, by form and by mail.
//!
//! A report is kept with its number and its alert in one change before anybody is thanked; what looks like spam is kept
//! aside, with a number too, so that a program learns nothing and a person who was taken for one loses nothing. The web
//! shows the form; which fields are wrong, how many reports an address may send and what a report becomes is decided here.

pub(crate) mod entity;
pub mod form;
pub mod limit;
pub(crate) mod migration;
pub mod names;
mod store;

use std::net::IpAddr;

use model::{Id, Language, Name, Timestamp, Tlp};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::alerts::Alert;
pub use crate::cases::ReportNumber;
pub use form::{Draft, FieldError, Form, check};
pub use limit::Policy;
pub use store::{find, list, of_alert, set_aside, submit, take_back};
pub(crate) use store::{keep_in, signal_of_now};

/// Where a report stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportState {
    /// It has its alert.
    Open,
    /// Kept aside.
    Spam,
}

/// What somebody reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Its id.
    pub id: Id<Report>,
    /// The number that the person was given.
    pub number: ReportNumber,
    /// Where it stands.
    pub state: ReportState,
    /// What happened.
    pub what: String,
    /// Names as typed.
    pub names: String,
    /// Names that were recognised.
    pub zones: Vec<Name>,
    /// Addresses that were recognised.
    pub addresses: Vec<IpAddr>,
    /// Where the team may ask back.
    pub email: Option<String>,
    /// The person's language.
    pub language: Language,
    /// How far it may travel.
    pub tlp: Tlp,
    /// When it came.
    pub received_at: Timestamp,
    /// Its alert; `None` for spam.
    pub alert: Option<Id<Alert>>,
}

/// Why a report was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// Fields are wrong; the person can mend them.
    #[error("fields of the report are not right")]
    Fields(Vec<FieldError>),
    /// Too many reports came from this address.
    #[error("too many reports from one address, wait {retry_secs} s")]
    TooMany {
        /// Seconds until the next one is taken.
        retry_secs: u64,
    },
    /// The records failed: nothing was kept, the person must be told to try again or to write a mail.
    #[error("the report could not be kept")]
    Records(#[from] Error),
}
