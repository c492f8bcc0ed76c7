//! The check that decides a request: it is done when measurement says so.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Delegation, Finding, Level, Name};

/// What must hold for a request to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Check {
    /// None of the test cases says anything at `level` or above about the zone.
    Cases {
        /// The zone.
        zone: Name,
        /// Ids of the test cases: `basic02`.
        cases: Vec<String>,
        /// The mildest level that counts as not repaired.
        level: Level,
    },
    /// The parent delegates the zone as expected.
    Delegation {
        /// The zone.
        zone: Name,
        /// What the parent must say. Addresses are compared only for NS names for which some are listed here.
        expected: Delegation,
    },
}

impl Check {
    /// The zone that is measured.
    pub fn zone(&self) -> &Name {
        match self {
            Check::Cases { zone, .. } | Check::Delegation { zone, .. } => zone,
        }
    }
}

/// What a measurement says of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictState {
    /// It holds: the request is done.
    Holds,
    /// It does not hold yet.
    Fails,
    /// It could not be measured (the centre's own trouble, parent silent); nothing follows from it.
    Unknown,
}

/// A check as measured at one moment, with what was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What it says.
    pub state: VerdictState,
    /// When it was measured.
    pub time: Timestamp,
    /// The findings of the cases, or empty.
    pub findings: Vec<Finding>,
    /// The delegation as the parent gave it, where asked.
    pub seen: Option<Delegation>,
}
