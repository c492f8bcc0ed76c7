//! The longest prefix that holds an address, among many: sorted prefixes, each with the one that encloses it.
//!
//! Two sorted lists rather than a tree of nodes: a table of the whole Internet (1.2 million prefixes) takes 32 octets a
//! prefix, is read from front to back, and a look-up is one binary search and a few steps outwards.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

use model::Prefix;

/// A file of prefixes that cannot be used. Nothing of it is taken then.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It cannot be read.
    #[error("cannot read the table `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A line is wrong.
    #[error("line {line} of the table `{file}`, `{text}`: {reason}")]
    Line {
        /// The file.
        file: String,
        /// The line's number, from 1.
        line: u64,
        /// Its beginning.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It is of another form, too long, or has nothing in it.
    #[error("the table `{file}` {reason}")]
    Form {
        /// The file.
        file: String,
        /// What is wrong with it, as the sentence goes on.
        reason: String,
    },
}

impl TableError {
    pub(crate) fn line(file: &str, line: u64, text: &str, reason: impl Into<String>) -> Self {
        Self::Line {
            file: file.to_owned(),
            line,
            text: text.trim().chars().take(120).collect(),
            reason: reason.into(),
        }
    }

    pub(crate) fn form(file: &str, reason: impl Into<String>) -> Self {
        Self::Form {
            file: file.to_owned(),
            reason: reason.into(),
        }
    }
}

/// Values by prefix. Of two values for one prefix the later stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct PrefixTable<T> {
    ipv4: Vec<Entry<T>>,
    ipv6: Vec<Entry<T>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Entry<T> {
    /// The first address, as a number.
    first: u128,
    length: u8,
    /// Where the narrowest prefix stands that encloses this one; `OUTERMOST` if none does.
    outer: u32,
    value: T,
}

const OUTERMOST: u32 = u32::MAX;

impl<T> FromIterator<(Prefix, T)> for PrefixTable<T> {
    fn from_iter<I: IntoIterator<Item = (Prefix, T)>>(prefixes: I) -> Self {
        let mut ipv4 = Vec::new();
        let mut ipv6 = Vec::new();
        for (prefix, value) in prefixes {
            let family = if prefix.address().is_ipv4() {
                &mut ipv4
            } else {
                &mut ipv6
            };
            family.push(Entry {
                first: number(prefix.address()),
                length: prefix.length(),
                outer: OUTERMOST,
                value,
            });
        }
        Self {
            ipv4: nested(ipv4, 32),
            ipv6: nested(ipv6, 128),
        }
    }
}

/// Sorts the entries and finds what encloses each.
fn nested<T>(mut entries: Vec<Entry<T>>, bits: u8) -> Vec<Entry<T>> {
    // the sort is stable: of equal prefixes the last is the latest
    entries.sort_by_key(|entry| (entry.first, entry.length));
    entries.reverse();
    entries.dedup_by_key(|entry| (entry.first, entry.length));
    entries.reverse();
    let mut open: Vec<u32> = Vec::new();
    for at in 0..entries.len() {
        let first = entries[at].first;
        while let Some(outer) = open.pop() {
            if entries[outer as usize].holds(first, bits) {
                entries[at].outer = outer;
                open.push(outer);
                break;
            }
        }
        open.push(u32::try_from(at).expect("no table has 4 billion prefixes"));
    }
    entries
}

impl<T> Entry<T> {
    fn holds(&self, address: u128, bits: u8) -> bool {
        // a shift by all bits is the default route, which holds everything
        let rest = u32::from(bits - self.length);
        address.checked_shr(rest).unwrap_or(0) == self.first.checked_shr(rest).unwrap_or(0)
    }
}

impl<T> PrefixTable<T> {
    /// The longest prefix that holds `address`, and its value.
    pub fn longest(&self, address: IpAddr) -> Option<(Prefix, &T)> {
        let (entries, bits) = if address.is_ipv4() {
            (&self.ipv4, 32)
        } else {
            (&self.ipv6, 128)
        };
        let sought = number(address);
        let after = entries.partition_point(|entry| entry.first <= sought);
        let mut at = after.checked_sub(1)?;
        loop {
            let entry = &entries[at];
            if entry.holds(sought, bits) {
                let prefix = Prefix::of(address, entry.length).expect("its length was that of a prefix");
                return Some((prefix, &entry.value));
            }
            if entry.outer == OUTERMOST {
                return None;
            }
            at = entry.outer as usize;
        }
    }

    /// Number of prefixes.
    pub fn len(&self) -> usize {
        self.ipv4.len() + self.ipv6.len()
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    fn table(prefixes: &[&str]) -> PrefixTable<String> {
        let value = |text: &&str| (text.parse().unwrap(), (*text).to_owned());
        prefixes.iter().map(value).collect()
    }

    #[test]
    fn the_longest_prefix_wins_wherever_it_stands() {
        let table = table(&[
            "10.0.0.0/8",
            "10.1.0.0/16",
            "10.1.2.0/24",
            "10.9.0.0/16",
            "2001:db8::/32",
            "2001:db8::1/128",
            "::/0",
        ]);
        for (address, expected) in [
            ("10.1.2.3", Some("10.1.2.0/24")),
            ("10.1.3.3", Some("10.1.0.0/16")),
            ("10.8.0.1", Some("10.0.0.0/8")),
            ("10.255.255.255", Some("10.0.0.0/8")),
            ("11.0.0.0", None),
            ("9.255.255.255", None),
            ("2001:db8::1", Some("2001:db8::1/128")),
            ("2001:db8::2", Some("2001:db8::/32")),
            ("fe80::1", Some("::/0")),
        ] {
            let found = table.longest(address.parse().unwrap());
            assert_eq!(found.map(|(_, value)| value.as_str()), expected, "{address}");
            assert_eq!(found.map(|(prefix, _)| prefix.to_string()), expected.map(str::to_owned));
        }
        assert_eq!(table.len(), 7);
    }

    #[test]
    fn the_later_value_of_a_prefix_stands() {
        let prefix: Prefix = "192.0.2.0/24".parse().unwrap();
        let table: PrefixTable<u8> = [(prefix, 1), (prefix, 2), (prefix, 3)].into_iter().collect();
        assert_eq!(table.longest("192.0.2.1".parse().unwrap()), Some((prefix, &3)));
        assert_eq!(table.len(), 1);
    }

    proptest! {
        #[test]
        fn a_look_up_finds_what_a_look_at_every_prefix_finds(
            // few different bits, so that prefixes nest
            ipv4 in proptest::collection::vec((0u32..16, 0u8..=32), 0..40),
            ipv6 in proptest::collection::vec((0u128..16, 0u8..=128), 0..40),
            sought in 0u32..16,
        ) {
            let spread = |bits: u32| bits & 1 | (bits & 2) << 7 | (bits & 4) << 14 | (bits & 8) << 28;
            let of4 = |bits: u32| IpAddr::V4(Ipv4Addr::from_bits(spread(bits)));
            let of6 = |bits: u128| IpAddr::V6(Ipv6Addr::from_bits(u128::from(spread(bits as u32)) << 60));
            let ipv4 = ipv4.iter().map(|(bits, length)| Prefix::of(of4(*bits), *length).unwrap());
            let ipv6 = ipv6.iter().map(|(bits, length)| Prefix::of(of6(*bits), *length).unwrap());
            let prefixes: Vec<Prefix> = ipv4.chain(ipv6).collect();
            let table: PrefixTable<Prefix> = prefixes.iter().map(|prefix| (*prefix, *prefix)).collect();
            for address in [of4(sought), of6(sought.into())] {
                let holding = prefixes.iter().filter(|prefix| prefix.contains(address));
                let expected = holding.max_by_key(|prefix| prefix.length());
                prop_assert_eq!(table.longest(address).map(|(_, prefix)| prefix), expected);
            }
        }
    }
}
