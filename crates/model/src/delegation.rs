//! What a parent zone says of a child: name servers, glue and DS.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Name;

/// A delegation: the NS names with their addresses, and the DS set (RFC 9499 §7).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    /// NS names. The addresses are glue, or empty for a name server outside the parent's bailiwick.
    pub ns: BTreeMap<Name, BTreeSet<IpAddr>>,
    /// The DS RRset; empty when the delegation is not secured.
    pub ds: BTreeSet<Ds>,
}

/// One DS record (RFC 4034 §5). As text: `KEYTAG,ALGORITHM,TYPE,DIGEST` with the digest in hexadecimal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ds {
    /// Key tag of the DNSKEY it points at.
    pub key_tag: u16,
    /// Algorithm number of that key (IANA DNSSEC algorithm numbers).
    pub algorithm: u8,
    /// Digest type number (IANA DS digest algorithms).
    pub digest_type: u8,
    /// The digest.
    pub digest: Vec<u8>,
}

/// A text that is no DS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a DS of the form KEYTAG,ALGORITHM,TYPE,DIGEST: {reason}")]
pub struct DsError {
    text: String,
    reason: &'static str,
}

impl FromStr for Ds {
    type Err = DsError;

    fn from_str(text: &str) -> Result<Self, DsError> {
        let wrong = |reason| DsError {
            text: text.to_owned(),
            reason,
        };
        let parts: Vec<&str> = text.split([',', ' ']).filter(|part| !part.is_empty()).collect();
        let [key_tag, algorithm, digest_type, digest] = parts[..] else {
            return Err(wrong("it has not four parts"));
        };
        Ok(Self {
            key_tag: key_tag
                .parse()
                .map_err(|_| wrong("the key tag is not a number up to 65535"))?,
            algorithm: algorithm
                .parse()
                .map_err(|_| wrong("the algorithm is not a number up to 255"))?,
            digest_type: digest_type
                .parse()
                .map_err(|_| wrong("the digest type is not a number up to 255"))?,
            digest: from_hex(digest).ok_or_else(|| wrong("the digest is not hexadecimal"))?,
        })
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

impl fmt::Display for Ds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{},", self.key_tag, self.algorithm, self.digest_type)?;
        self.digest.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Ds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ds({self})")
    }
}

impl Serialize for Ds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Ds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_ds_reads_and_prints_the_same() {
        let ds: Ds = "60485,5,1,2BB183AF5F22588179A53B0A98631FAD1A292118".parse().unwrap();
        assert_eq!(ds.key_tag, 60485);
        assert_eq!(ds.to_string(), "60485,5,1,2bb183af5f22588179a53b0a98631fad1a292118");
    }

    #[test]
    fn a_wrong_ds_names_the_part_that_is_wrong() {
        for (text, reason) in [
            ("1,2,3", "it has not four parts"),
            ("70000,8,2,00", "the key tag is not a number up to 65535"),
            ("1,8,2,0", "the digest is not hexadecimal"),
            ("1,8,2,é0", "the digest is not hexadecimal"),
        ] {
            assert_eq!(text.parse::<Ds>().unwrap_err().reason, reason, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_ds_or_an_error(text in ".{0,60}") {
            if let Ok(ds) = text.parse::<Ds>() {
                prop_assert_eq!(ds.to_string().parse::<Ds>().unwrap(), ds);
            }
        }
    }
}
