//! What a detector says: something that a person may have to look at.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Finding, Name, ZoneChange};

/// What a signal asks of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Kept for the record; nobody has to look.
    Log,
    /// A duty officer looks at it in the ordinary course of the shift.
    Review,
    /// A duty officer is called now.
    Page,
}

impl Severity {
    /// All severities, mildest first.
    pub const ALL: [Severity; 3] = [Severity::Log, Severity::Review, Severity::Page];

    /// `log`, `review` or `page`.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Log => "log",
            Severity::Review => "review",
            Severity::Page => "page",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Who noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Detector {
    /// A test case's outcome got worse.
    Health,
    /// A delegation changed and nobody announced it.
    Redelegation,
    /// A person reported it.
    Report,
    /// A vantage point fell silent.
    Vantage,
}

impl Detector {
    /// `health`, `redelegation`, `report` or `vantage`.
    pub fn as_str(self) -> &'static str {
        match self {
            Detector::Health => "health",
            Detector::Redelegation => "redelegation",
            Detector::Report => "report",
            Detector::Vantage => "vantage",
        }
    }
}

/// One thing noticed. Signals with the same key are the same matter and make one alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// Who noticed.
    pub detector: Detector,
    /// Key by which repeats fold into one alert: `health:example.test:basic02`.
    pub key: String,
    /// What it asks of people.
    pub severity: Severity,
    /// When it was noticed.
    pub time: Timestamp,
    /// The zones concerned, sorted; none where it is about ourselves.
    pub zones: Vec<Name>,
    /// Which kind of matter it is, the id of its text in every language: `zone-unreachable`, `mass-unreachable`,
    /// `signatures-invalid`, `redelegated`, `mass-redelegated`, `ds-removed`, `health-worse`, `report`, `vantage-silent`, `vantages-silent`.
    pub kind: String,
    /// Arguments of that text.
    pub args: BTreeMap<String, String>,
    /// The findings it rests on.
    pub findings: Vec<Finding>,
    /// The delegation changes it rests on.
    pub changes: Vec<ZoneChange>,
}
