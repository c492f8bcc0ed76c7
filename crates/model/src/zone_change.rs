//! A change in what the parent says of a zone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Name;

/// Which part of a delegation changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangedPart {
    /// The NS names.
    Ns,
    /// The DS set.
    Ds,
    /// The addresses of one NS name.
    Glue,
}

impl ChangedPart {
    /// `ns`, `ds` or `glue`.
    pub fn as_str(self) -> &'static str {
        match self {
            ChangedPart::Ns => "ns",
            ChangedPart::Ds => "ds",
            ChangedPart::Glue => "glue",
        }
    }
}

/// One part of one zone's delegation, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneChange {
    /// When the change was first seen.
    pub time: Timestamp,
    /// The zone whose delegation changed.
    pub zone: Name,
    /// The part.
    pub part: ChangedPart,
    /// Values before, in presentation form, sorted: NS names, DS texts, or `name/address`.
    pub before: Vec<String>,
    /// Values after, in the same form.
    pub after: Vec<String>,
    /// Whether somebody responsible had announced it.
    pub announced: bool,
}
