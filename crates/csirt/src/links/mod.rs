//! Links: the page of one request for one party, without an account.
//!
//! Whoever has the link may see and answer this one request, until it expires or is revoked. Looking changes nothing at
//! all, not even "opened": mail scanners follow every link in a mail before a person sees it, some fetch pictures and run
//! scripts, and a state that they set would say "somebody has read it" where nobody has. "Opened" is therefore set
//! only by a button that somebody pressed (the evidence, another language), and answers only by a form that was sent.
//! Every attempt to send a notice makes a token of its own, of which only the hash is kept; all of them open the page.

pub mod answer;
pub(crate) mod entity;
pub(crate) mod migration;
mod store;
pub mod token;

use model::{Id, Timestamp, Tlp};
use serde::Serialize;

use crate::cases::{CaseNumber, CaseState, Evidence};
use crate::notices::Facts;
use crate::requests::{Party, Request, RequestState, VerdictRun};
pub use answer::{Answer, AnswerError, AnswerKind};
pub(crate) use store::mint;
pub use store::{answer, answers, issue, opened, revoke, view};
pub use token::{Token, TokenError};

/// What the page of a link shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct View {
    /// The request.
    pub request: Request,
    /// The party.
    pub party: Party,
    /// Number of the case.
    pub case_number: CaseNumber,
    /// Whether the case is still open.
    pub case_state: CaseState,
    /// How far the page's content may travel.
    pub tlp: Tlp,
    /// What was seen of the zone.
    pub facts: Facts,
    /// Evidence that belongs to this request. What the case's signals saw stands in `facts`.
    pub evidence: Vec<Evidence>,
    /// What the party has answered so far, oldest first.
    pub answers: Vec<Given>,
    /// What measurement said so far, newest first.
    pub verdicts: Vec<VerdictRun>,
    /// When this link ends.
    pub expires_at: Timestamp,
}

/// An answer with its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Given {
    /// Its id.
    pub id: Id<Given>,
    /// When it came.
    pub time: Timestamp,
    /// What it says.
    pub answer: Answer,
    /// The state that it moved the request to; `None` when it was only noted.
    pub moved_to: Option<RequestState>,
}

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// It moved the request to this state.
    Taken(RequestState),
    /// It is the same as the one before (a double click): nothing changed.
    Repeated(RequestState),
    /// It is kept for the team to read; the request stays where it was.
    Kept(RequestState),
}

impl Answered {
    /// Where the request stands after it.
    pub fn state(self) -> RequestState {
        match self {
            Answered::Taken(state) | Answered::Repeated(state) | Answered::Kept(state) => state,
        }
    }
}
