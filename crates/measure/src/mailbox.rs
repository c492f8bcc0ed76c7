//! The mailbox in the RNAME of an SOA record (RFC 1035 §3.3.13, §8).

use domain::base::name::ToName;
use model::Name;

/// A mailbox as RFC 5322 §3.4.1 writes it, without comments and folding, which stand in no RNAME.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// What stands before the at-sign.
    pub local_part: String,
    /// What stands after it, as the name that mail goes to.
    pub domain: Name,
}

impl Mailbox {
    /// Reads an RNAME: its first label is the local part, the rest the domain. `None` when that makes no mailbox.
    pub fn from_rname(rname: &impl ToName) -> Option<Self> {
        let mut labels = rname.iter_labels().filter(|label| !label.is_root());
        let local_part = text(labels.next()?.as_slice())?;
        let domain: Vec<String> = labels.map(|label| text(label.as_slice())).collect::<Option<_>>()?;
        // A dot within a label is a dot of the mailbox: in the domain it parts labels.
        let domain = domain.join(".");
        let is_mailbox = (is_dot_atom(&local_part) || is_quoted_string(&local_part))
            && (is_dot_atom(&domain) || is_domain_literal(&domain));
        if !is_mailbox {
            return None;
        }
        let domain = domain.parse().ok()?;
        Some(Self { local_part, domain })
    }
}

fn text(octets: &[u8]) -> Option<String> {
    octets.is_ascii().then(|| String::from_utf8_lossy(octets).into_owned())
}

/// `dot-atom-text` (RFC 5322 §3.2.3).
fn is_dot_atom(text: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&octet))
    };
    text.split('.').all(is_atom)
}

/// `quoted-string` (RFC 5322 §3.2.4).
fn is_quoted_string(text: &str) -> bool {
    let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let Some(inside) = inside else { return false };
    let mut octets = inside.bytes();
    while let Some(octet) = octets.next() {
        let is_sound = match octet {
            b'\\' => octets
                .next()
                .is_some_and(|quoted| matches!(quoted, b'\t' | b' '..=b'~')),
            b'"' => false,
            octet => matches!(octet, b'\t' | b' '..=b'~'),
        };
        if !is_sound {
            return false;
        }
    }
    // A lone `"` is its own prefix and suffix, and was cut off once.
    text.len() >= 2
}

/// `domain-literal` (RFC 5322 §3.4.1).
fn is_domain_literal(text: &str) -> bool {
    let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    inside.is_some_and(|inside| inside.bytes().all(|octet| matches!(octet, b'!'..=b'Z' | b'^'..=b'~')))
}

#[cfg(test)]
mod tests {
    use domain::base::name::NameBuilder;
    use proptest::prelude::*;

    use super::*;
    use crate::record::OwnedName;

    fn rname(labels: &[&[u8]]) -> OwnedName {
        let mut builder = NameBuilder::new_vec();
        for label in labels {
            builder.append_label(label).unwrap();
        }
        builder.into_name().unwrap()
    }

    fn read(labels: &[&[u8]]) -> Option<String> {
        let mailbox = Mailbox::from_rname(&rname(labels))?;
        Some(format!("{}@{}", mailbox.local_part, mailbox.domain))
    }

    #[test]
    fn the_first_label_is_the_local_part() {
        for (labels, expected) in [
            (
                &[&b"hostmaster"[..], b"example", b"test"][..],
                "hostmaster@example.test",
            ),
            (&[b"John.Doe", b"Example", b"test"], "John.Doe@example.test"),
            (&[b"dns+zone", b"test"], "dns+zone@test"),
            (&[b"\"John Doe\"", b"test"], "\"John Doe\"@test"),
            (&[b"\"a\\\"b\"", b"test"], "\"a\\\"b\"@test"),
            (&[b"host", b"exa.mple", b"test"], "host@exa.mple.test"),
            (&[b"host", b"under_score", b"test"], "host@under_score.test"),
            (&[b"host", b"[192.0.2.1]"], "host@[192.0.2.1]"),
        ] {
            assert_eq!(read(labels).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_is_no_mailbox_is_refused() {
        for labels in [
            &[][..],
            &[&b"hostmaster"[..]],
            &[b"hostmaster@example", b"test"],
            &[b"host", b"ex@mple", b"test"],
            &[b".host", b"test"],
            &[b"host.", b"test"],
            &[b"ho..st", b"test"],
            &[b"ho st", b"test"],
            &[b"ho\\st", b"test"],
            &[b"h\xc3\xb6st", b"test"],
            &[b"\"", b"test"],
            &[b"\"a\"b\"", b"test"],
            &[b"\"a\\\"", b"test"],
            &[b"host", b"test.", b"example"],
            &[b"host", b"[\\]"],
        ] {
            assert_eq!(read(labels), None, "{labels:?}");
        }
    }

    proptest! {
        #[test]
        fn every_dot_atom_is_a_local_part(local in "[a-z!#$%&'*+/=?^_`{|}~-]{1,20}(\\.[a-z0-9]{1,20}){0,2}") {
            let expected = format!("{local}@example.test");
            prop_assert_eq!(read(&[local.as_bytes(), b"example", b"test"]), Some(expected));
        }

        #[test]
        fn any_name_is_a_mailbox_or_none(
            labels in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..=20), 0..6)
        ) {
            let labels: Vec<&[u8]> = labels.iter().map(Vec::as_slice).collect();
            if let Some(mailbox) = Mailbox::from_rname(&rname(&labels)) {
                prop_assert!(!mailbox.local_part.is_empty() && labels.len() > 1);
            }
        }
    }
}
