//! Stories: what goes wrong in a world, act by act, and what makes it right again. The lab does not play them.

use model::Name;
use serde::{Deserialize, Serialize};

use crate::event::Event;

/// A sequence of acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// Its name.
    pub name: String,
    /// The acts in order.
    #[serde(rename = "act")]
    pub acts: Vec<Act>,
}

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// Its id: `signatures-expire`.
    pub id: String,
    /// What happens, in a sentence.
    pub about: String,
    /// The zones that it hits.
    pub zones: Vec<Name>,
    /// Who can mend it, with what: each gets a request.
    pub responsible: Vec<Responsible>,
    /// What brings it about; `at` counts from the act's beginning.
    #[serde(rename = "event")]
    pub events: Vec<Event>,
}

/// An organisation that can mend an act, or its part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Responsible {
    /// Id of the organisation.
    pub organisation: String,
    /// The zones that it answers for here.
    pub zones: Vec<Name>,
    /// The events that are its repair.
    pub repair: Vec<Event>,
}
