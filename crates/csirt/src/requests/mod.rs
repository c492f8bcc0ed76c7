//! Requests: one ask to one party, decided by a check, with every state of the party's silence and answers.
//!
//! Who is asked for what is proposed from the case's signals and the directory, and decided by a person. The party's
//! word moves a request forward; only measurement (or a person who overrules, with a reason that shows) verifies it.
//! This room does not measure: a job asks for it and brings the verdict.

pub mod ask;
pub(crate) mod entity;
pub(crate) mod migration;
pub mod propose;
pub mod silence;
pub mod state;
mod store;
mod verdict;

use model::{Check, Id, Language, Name, Timestamp, Verdict};
use serde::{Deserialize, Serialize};

use crate::cases::{Case, actor_text};
use crate::directory::Organisation;
use crate::records::Actor;
pub use ask::Ask;
pub use propose::{by_hand, propose};
pub use silence::{Patience, SilenceStep};
pub use state::{RequestEvent, RequestState};
pub(crate) use store::{apply, in_case, in_cases, of_open_cases, party_in, request, row, save};
pub use store::{create, get, grid, of_organisation, party, watch_silence};
pub use verdict::{VerdictRun, measure_now, overrule, record_verdict, to_verify, verdicts};

/// An organisation as it takes part in one case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Party {
    /// Its id.
    pub id: Id<Party>,
    /// The case.
    pub case: Id<Case>,
    /// The organisation in the directory; `None` for one that is not in it.
    pub organisation: Option<Id<Organisation>>,
    /// Its name.
    pub name: String,
    /// Mail addresses that its notices go to.
    pub addresses: Vec<String>,
    /// The language that it reads.
    pub language: Language,
    /// IANA name of its time zone: `Africa/Tunis`.
    pub time_zone: String,
    /// Why it was chosen: a reason of routing as JSON, or a person's own words. Shown by [`because_text`].
    pub because: String,
}

/// Why a party was chosen, for a reader of `language`: routing's reasons in that language, a person's words as they are.
pub fn because_text(because: &str, language: Language) -> String {
    match serde_json::from_str::<crate::directory::Because>(because) {
        Ok(reason) => reason.text(language),
        Err(_) => because.to_owned(),
    }
}

/// One ask to one party.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Request {
    /// Its id.
    pub id: Id<Request>,
    /// The case.
    pub case: Id<Case>,
    /// Its number in the case, from 1: the 2 of `DNSCERT-2026-00001/2`.
    pub number: i32,
    /// The party.
    pub party: Id<Party>,
    /// What is asked.
    pub ask: Ask,
    /// The zone that it is about.
    pub zone: Name,
    /// What decides it.
    pub check: Check,
    /// The language of its notices.
    pub language: Language,
    /// Until when.
    pub deadline: Timestamp,
    /// Where it stands.
    pub state: RequestState,
    /// Since when.
    pub state_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the first notice left.
    pub notified_at: Option<Timestamp>,
    /// When the party first answered, whatever it said.
    pub acknowledged_at: Option<Timestamp>,
    /// When the party last said that it is done.
    pub done_at: Option<Timestamp>,
    /// When it was verified.
    pub verified_at: Option<Timestamp>,
    /// Reminders so far.
    pub reminders: u32,
    /// When the last reminder was queued.
    pub reminded_at: Option<Timestamp>,
    /// Who overruled the check, and why.
    pub overruled: Option<Overruling>,
    /// What measurement last said.
    pub verdict: Option<Verdict>,
    /// The number and time at which the party wants to be called.
    pub call_me: Option<String>,
}

/// A person's word against the check's. It shows wherever the request shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overruling {
    /// Who.
    #[serde(serialize_with = "actor_text")]
    pub actor: Actor,
    /// Why.
    pub reason: String,
    /// When.
    pub time: Timestamp,
}

/// A request that could be made, for a person to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The organisation in the directory; `None` for one that is not in it.
    pub organisation: Option<Id<Organisation>>,
    /// Its name.
    pub name: String,
    /// Mail addresses that notices would go to.
    pub addresses: Vec<String>,
    /// The language that it reads.
    pub language: Language,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// Why it is proposed, as in [`Party::because`].
    pub because: String,
    /// The zone.
    pub zone: Name,
    /// What would be asked.
    pub ask: Ask,
    /// What would decide it.
    pub check: Check,
    /// Until when.
    pub deadline: Timestamp,
}

/// Party × request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Grid {
    /// One row per party, in the order in which they came into the case.
    pub parties: Vec<Row>,
}

/// One party with its requests.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The party.
    pub party: Party,
    /// Its requests by number.
    pub requests: Vec<Request>,
}
