//! The Traffic Light Protocol, version 2.0 (FIRST, August 2022).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How far a text may travel, widest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tlp {
    /// No limit.
    #[serde(rename = "TLP:CLEAR")]
    Clear,
    /// Within the community.
    #[serde(rename = "TLP:GREEN")]
    Green,
    /// Within the organisation and its clients, as they need to know.
    #[serde(rename = "TLP:AMBER")]
    Amber,
    /// Within the organisation only.
    #[serde(rename = "TLP:AMBER+STRICT")]
    AmberStrict,
    /// For the named recipients only.
    #[serde(rename = "TLP:RED")]
    Red,
}

impl Tlp {
    /// All labels, widest first.
    pub const ALL: [Tlp; 5] = [Tlp::Clear, Tlp::Green, Tlp::Amber, Tlp::AmberStrict, Tlp::Red];

    /// The label as it must be written: `TLP:AMBER+STRICT`.
    pub fn as_str(self) -> &'static str {
        match self {
            Tlp::Clear => "TLP:CLEAR",
            Tlp::Green => "TLP:GREEN",
            Tlp::Amber => "TLP:AMBER",
            Tlp::AmberStrict => "TLP:AMBER+STRICT",
            Tlp::Red => "TLP:RED",
        }
    }
}

impl fmt::Display for Tlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no TLP label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a TLP 2.0 label")]
pub struct TlpError(String);

impl FromStr for Tlp {
    type Err = TlpError;

    fn from_str(text: &str) -> Result<Self, TlpError> {
        Tlp::ALL
            .into_iter()
            .find(|tlp| tlp.as_str() == text)
            .ok_or_else(|| TlpError(text.to_owned()))
    }
}
