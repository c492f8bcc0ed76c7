//! The chain of trust from an anchor down to a zone, as a check saw it: plain data that a page can draw.
//!
//! Where servers differ, each version stands for itself with the servers that gave it, so that one stale server is
//! seen and not averaged away.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Ds, Name};

/// State of security of a zone, a delegation, a key or an RRset (RFC 4033 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Security {
    /// A whole chain of signatures leads to it from an anchor.
    Secure,
    /// It is proven that no chain leads to it: an unsigned delegation above it, or only algorithms that nobody here knows.
    Insecure,
    /// No anchor covers it, or what would decide could not be had.
    Indeterminate,
    /// It should be signed and does not verify: resolvers refuse it.
    Bogus,
}

impl Security {
    /// The word as it stands in JSON and output: `SECURE`.
    pub fn as_str(self) -> &'static str {
        match self {
            Security::Secure => "SECURE",
            Security::Insecure => "INSECURE",
            Security::Indeterminate => "INDETERMINATE",
            Security::Bogus => "BOGUS",
        }
    }
}

impl fmt::Display for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The chain of trust to a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// State of the zone at its end.
    pub state: Security,
    /// The zones on the way, the root first and the zone under test last.
    pub links: Vec<Link>,
}

/// One zone of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its name.
    pub zone: Name,
    /// Its state: the best that a resolver can come to which tries all servers.
    pub state: Security,
    /// Why, as tags of the test case chain01.
    pub reasons: BTreeSet<String>,
    /// What hands trust down to it: DS RRsets at the parent's servers, or anchors.
    pub trust: Vec<Trust>,
    /// Its keys.
    pub keys: Vec<KeyState>,
    /// RRsets at its apex and in its proofs, each version of its own.
    pub rrsets: Vec<RrsetState>,
    /// What it says is not there.
    pub absences: Vec<AbsenceState>,
}

/// What hands trust down to a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// Its state; anchors are secure by themselves.
    pub state: Security,
    /// DS records, and anchors in the form of DS; empty where the parent has none.
    pub ds: BTreeSet<Ds>,
    /// The parent's servers that say so; none for anchors and for a DS given for the test.
    pub servers: BTreeSet<IpAddr>,
}

/// A key of a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyState {
    /// Key tag (RFC 4034 appendix B).
    pub key_tag: u16,
    /// Algorithm number (IANA DNSSEC algorithm numbers).
    pub algorithm: u8,
    /// Flags: 256 zone key, 1 secure entry point, 128 revoked.
    pub flags: u16,
    /// The public key as it is in the record, in base64.
    pub public_key: String,
    /// State of the key set that it belongs to, the best one.
    pub state: Security,
    /// Whether a DS or an anchor that is trusted points at it.
    pub is_trusted: bool,
    /// The servers that have it.
    pub servers: BTreeSet<IpAddr>,
    /// What is wrong with it, as tags of the test cases chain03 and chain04.
    pub reasons: BTreeSet<String>,
}

/// One version of an RRset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RrsetState {
    /// Owner name.
    pub owner: Name,
    /// Type number (IANA RR types).
    pub rtype: u16,
    /// Its state.
    pub state: Security,
    /// Record data in presentation form, sorted.
    pub records: BTreeSet<String>,
    /// The signatures over it.
    pub signatures: Vec<SignatureState>,
    /// The servers that give this version.
    pub servers: BTreeSet<IpAddr>,
    /// What is wrong with it, as tags of the test case chain02.
    pub reasons: BTreeSet<String>,
}

/// A signature over an RRset.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SignatureState {
    /// Key tag of the key that made it.
    pub key_tag: u16,
    /// Algorithm number.
    pub algorithm: u8,
    /// Name of the zone that signed.
    pub signer: Name,
    /// Begin of its validity.
    pub inception: Timestamp,
    /// End of its validity.
    pub expiration: Timestamp,
    /// Whether a key of the zone made it and all conditions of RFC 4035 §5.3 hold.
    pub is_valid: bool,
}

/// What a zone says is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsenceState {
    /// The name asked for.
    pub name: Name,
    /// The type asked for.
    pub rtype: u16,
    /// What is said.
    pub kind: AbsenceKind,
    /// Its state.
    pub state: Security,
    /// The servers that say so.
    pub servers: BTreeSet<IpAddr>,
    /// What is wrong with the proof, as tags of the test case chain05.
    pub reasons: BTreeSet<String>,
}

/// Kinds of absence that are proven apart (RFC 4035 §3.1.3, RFC 5155 §7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AbsenceKind {
    /// The name does not exist.
    NoName,
    /// The name exists, the type does not.
    NoType,
    /// The answer comes from a wildcard: nothing closer exists.
    Wildcard,
    /// The type does not exist at the wildcard either.
    WildcardNoType,
    /// The delegation has no DS.
    NoDs,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_state_is_the_smallest() {
        let states = [
            Security::Secure,
            Security::Insecure,
            Security::Indeterminate,
            Security::Bogus,
        ];
        assert!(states.is_sorted());
    }
}
