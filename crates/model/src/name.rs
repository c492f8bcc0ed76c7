//! Domain names as the whole system keeps them: absolute, A-label, lower case.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use domain::base::{Name as Wire, ToName};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An absolute domain name in lower-case A-label form (RFC 9499 §2, RFC 5891).
///
/// Compares and sorts in the canonical order of RFC 4034 §6.1. Displays without the final dot;
/// the root displays as `.`.
#[derive(Clone)]
pub struct Name(Wire<Vec<u8>>);

/// A text that is no domain name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a domain name: {reason}")]
pub struct NameError {
    /// The text as it was given.
    pub text: String,
    /// Which rule it breaks.
    pub reason: String,
}

impl Name {
    /// The root of the DNS.
    pub fn root() -> Self {
        Self(Wire::root_vec())
    }

    /// The name of a message or zone file, in lower case.
    pub fn from_wire(name: &impl ToName) -> Self {
        Self(Wire::from_octets(lowered(name)).expect("labels of a valid name make a valid name"))
    }

    /// The name in the form that the `domain` crate takes.
    pub fn as_wire(&self) -> &Wire<Vec<u8>> {
        &self.0
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_root()
    }

    /// Number of labels, the root's empty one not counted: 2 for `example.com`, 0 for `.`.
    pub fn label_count(&self) -> usize {
        self.0.label_count() - 1
    }

    /// The name with its leftmost label taken off; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        self.0
            .parent()
            .map(|parent| Self(Wire::from_octets(parent.as_slice().to_vec()).expect("a parent is a name")))
    }

    /// The name with `label` put before it. Fails when the label or the whole becomes too long.
    pub fn child(&self, label: &str) -> Result<Self, NameError> {
        if self.is_root() {
            label.parse()
        } else {
            format!("{label}.{self}").parse()
        }
    }

    /// Whether this name is `ancestor` or lies below it ("in bailiwick" of it).
    pub fn is_at_or_below(&self, ancestor: &Name) -> bool {
        self.0.ends_with(&ancestor.0)
    }

    /// The U-label form where the name has one that differs and is valid (UTS 46), else `None`.
    pub fn unicode(&self) -> Option<String> {
        let ascii = self.to_string();
        if !ascii.contains("xn--") {
            return None;
        }
        let (unicode, result) = idna::domain_to_unicode(&ascii);
        (result.is_ok() && unicode != ascii).then_some(unicode)
    }
}

impl FromStr for Name {
    type Err = NameError;

    /// Takes U-labels and A-labels, with or without the final dot; `.` is the root.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let wrong = |reason: &dyn fmt::Display| NameError {
            text: text.to_owned(),
            reason: reason.to_string(),
        };
        let trimmed = trim(text);
        if trimmed.is_empty() {
            return Err(wrong(&"it is empty"));
        }
        let ascii = if trimmed.is_ascii() {
            trimmed.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii(trimmed).map_err(|_| wrong(&"its letters make no internationalised name (UTS 46)"))?
        };
        let wire = Wire::<Vec<u8>>::from_str(&ascii).map_err(|error| wrong(&error))?;
        // the parser of `domain` 0.12 lets names of 256 octets through, the final label included
        let wire = Wire::from_octets(lowered(&wire)).map_err(|error| wrong(&error))?;
        Ok(Self(wire))
    }
}

/// The octets of a name in lower case.
fn lowered(name: &impl ToName) -> Vec<u8> {
    let mut octets = Vec::with_capacity(usize::from(name.compose_len()));
    for label in name.iter_labels() {
        octets.push(label.len() as u8);
        octets.extend(label.as_slice().iter().map(u8::to_ascii_lowercase));
    }
    octets
}

/// The text without the blanks around it; one that is escaped belongs to the name.
fn trim(text: &str) -> &str {
    let text = text.trim_start();
    let trimmed = text.trim_end();
    let escapes = trimmed.bytes().rev().take_while(|octet| *octet == b'\\').count();
    match text[trimmed.len()..].chars().next() {
        Some(blank) if escapes % 2 == 1 => &text[..trimmed.len() + blank.len_utf8()],
        _ => trimmed,
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            f.write_str(".")
        } else {
            write!(f, "{}", self.0)
        }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice() == other.0.as_slice()
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_slice().hash(state);
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.name_cmp(&other.0)
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Name {
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

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_has_at_most_255_octets_whatever_its_labels() {
        for length in 240..270 {
            // labels of one letter, two octets each, and one that makes up the odd number
            let labels = "a.".repeat(length / 2 - 1);
            let text = if length % 2 == 0 {
                format!("{labels}bb")
            } else {
                format!("{labels}b")
            };
            let octets = if length % 2 == 0 { length + 2 } else { length };
            assert_eq!(text.parse::<Name>().is_ok(), octets <= 255, "{octets} octets");
        }
    }

    #[test]
    fn a_name_is_kept_in_lower_case_without_its_final_dot() {
        assert_eq!(name("WWW.Example.COM.").to_string(), "www.example.com");
        assert_eq!(name(".").to_string(), ".");
        assert_eq!(name("."), Name::root());
    }

    #[test]
    fn blanks_around_a_name_do_not_count_unless_they_are_escaped() {
        assert_eq!(name("  a.test \n"), name("a.test"));
        for escaped in ["a.b\\ ", "a.b\\\\\\ "] {
            assert_eq!(name(escaped).to_string(), escaped);
            assert_eq!(name(&format!("{escaped} ")), name(escaped));
        }
        assert_eq!(name("a.b\\\\ ").to_string(), "a.b\\\\");
    }

    #[test]
    fn u_labels_become_a_labels_and_can_be_shown_again() {
        let athens = name("παράδειγμα.δοκιμή");
        assert_eq!(athens.to_string(), "xn--hxajbheg2az3al.xn--jxalpdlp");
        assert_eq!(athens.unicode().unwrap(), "παράδειγμα.δοκιμή");
        assert_eq!(name("example.com").unicode(), None);
    }

    #[test]
    fn bailiwick_counts_whole_labels() {
        assert!(name("ns.example.com").is_at_or_below(&name("example.com")));
        assert!(name("example.com").is_at_or_below(&name("example.com")));
        assert!(!name("badexample.com").is_at_or_below(&name("example.com")));
        assert!(name("com").is_at_or_below(&Name::root()));
    }

    #[test]
    fn the_parent_chain_ends_at_the_root() {
        assert_eq!(name("a.b").parent(), Some(name("b")));
        assert_eq!(name("b").parent(), Some(Name::root()));
        assert_eq!(Name::root().parent(), None);
        assert_eq!(name("a.b.c").label_count(), 3);
        assert_eq!(Name::root().label_count(), 0);
    }

    #[test]
    fn a_wrong_name_says_which_and_why() {
        let error = "a..b".parse::<Name>().unwrap_err();
        assert!(
            error.to_string().starts_with("`a..b` is not a domain name: "),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_a_name_or_a_clear_error(text in ".{0,300}") {
            if let Ok(name) = text.parse::<Name>() {
                prop_assert_eq!(name.to_string().parse::<Name>().unwrap(), name);
            }
        }
    }
}
