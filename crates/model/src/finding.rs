//! What a test case says of a zone: a tag with arguments, at a level.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Severity of a finding, in Zonemaster's words (`SeverityLevelDefinitions.md`, 2025).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// Inner detail of the tester.
    Debug3,
    /// Inner detail of a test case.
    Debug2,
    /// What a test case saw on its way.
    Debug,
    /// Good to know; nothing is wrong.
    Info,
    /// Something that those who run the zone should know.
    Notice,
    /// Harms in some cases or will harm.
    Warning,
    /// Very likely harms those who use the zone.
    Error,
    /// The zone cannot be tested or used at all.
    Critical,
}

impl Level {
    /// All levels, mildest first.
    pub const ALL: [Level; 8] = [
        Level::Debug3,
        Level::Debug2,
        Level::Debug,
        Level::Info,
        Level::Notice,
        Level::Warning,
        Level::Error,
        Level::Critical,
    ];

    /// The word as it stands in profiles and output: `WARNING`.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Debug3 => "DEBUG3",
            Level::Debug2 => "DEBUG2",
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Notice => "NOTICE",
            Level::Warning => "WARNING",
            Level::Error => "ERROR",
            Level::Critical => "CRITICAL",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a level; levels are debug3, debug2, debug, info, notice, warning, error, critical")]
pub struct LevelError(String);

impl FromStr for Level {
    type Err = LevelError;

    /// Upper and lower case are the same.
    fn from_str(text: &str) -> Result<Self, LevelError> {
        Level::ALL
            .into_iter()
            .find(|level| level.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| LevelError(text.to_owned()))
    }
}

/// One message of a test case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Id of the test case in lower case: `dnssec09`.
    pub case: String,
    /// The tag: `DS09_RRSIG_NOT_VALID_BY_DNSKEY`.
    pub tag: String,
    /// Its level under the profile in force.
    pub level: Level,
    /// Arguments by name (`ArgumentsForTestCaseMessages.md`): `ns_list` = `ns1.example/192.0.2.1;…`.
    pub args: BTreeMap<String, String>,
    /// Name of the vantage point that it was seen from; `None` where that was not noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vantage_point: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_read_print_and_sort_from_mild_to_severe() {
        for level in Level::ALL {
            assert_eq!(level.as_str().to_lowercase().parse(), Ok(level));
        }
        assert!(Level::ALL.is_sorted());
        assert!("fatal".parse::<Level>().unwrap_err().to_string().contains("`fatal`"));
    }
}
