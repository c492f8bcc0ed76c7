//! Who announces an address on the Internet, from a table of routes in a file.
//!
//! Read are, line by line and also mixed:
//!
//! | form | a line |
//! |---|---|
//! | RouteViews prefix-to-AS of CAIDA (`pfx2as`) | `192.0.2.0 24 64500_64501` |
//! | RIPE NCC RIS whois dump (`riswhoisdump`) | `64500 192.0.2.0/24 341` |
//! | bgp.tools `table.txt` | `192.0.2.0/24 64500` |
//! | MaxMind GeoLite2 ASN (`…-Blocks-….csv`) | `192.0.2.0/24,64500,"Example Org"` |
//!
//! Blanks may be tabs. Lines that begin with `%`, `#` or `network,` are passed over, and so are default routes, by
//! which nobody announces anything in particular. Several origins of one prefix are taken together.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::IpAddr;
use std::path::Path;

use jiff::Timestamp;
use model::Prefix;

use crate::prefix_table::{PrefixTable, TableError};

/// Most lines of a table with a route each. The Internet has 1.3 million (2026); more would only take memory.
const MOST_ROUTES: usize = 10_000_000;

/// Longest line in octets; the longest AS sets seen have 300 octets.
const LONGEST_LINE: u64 = 10_000;

/// Origins by prefix.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteTable {
    table: PrefixTable<u32>,
    /// Each set of AS numbers once.
    origins: Vec<Box<[u32]>>,
    source: String,
    as_of: Option<Timestamp>,
}

impl RouteTable {
    /// Reads a file. The table is as of the moment when the file was written last.
    pub fn load(path: &Path) -> Result<Self, TableError> {
        let unreadable = |source| TableError::Read {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(unreadable)?;
        let written = file.metadata().and_then(|data| data.modified()).map_err(unreadable)?;
        let as_of = Timestamp::try_from(written).ok();
        Self::read(&path.display().to_string(), BufReader::new(file), as_of)
    }

    /// Reads a table that is as of `as_of`; `file` is named in errors.
    pub fn read(file: &str, mut from: impl BufRead, as_of: Option<Timestamp>) -> Result<Self, TableError> {
        let mut routes: Vec<(Prefix, u32)> = Vec::new();
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let size = from
                .by_ref()
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut line)
                .map_err(|source| TableError::Read {
                    path: file.into(),
                    source,
                })?;
            if size == 0 {
                break;
            }
            if number == 1 && line.starts_with(&[0x1f, 0x8b]) {
                return Err(TableError::form(file, "is compressed; unpack it with gunzip first"));
            }
            let wrong = |reason: &str| TableError::line(file, number, &String::from_utf8_lossy(&line), reason);
            let text = std::str::from_utf8(&line).map_err(|_| wrong("it is not text"))?;
            if size as u64 == LONGEST_LINE {
                return Err(wrong("it is too long"));
            }
            let Some((prefix, asns)) = route_in(text).map_err(wrong)? else {
                continue;
            };
            routes.extend(asns.into_iter().map(|asn| (prefix, asn)));
            if routes.len() > MOST_ROUTES {
                return Err(TableError::form(file, format!("has more than {MOST_ROUTES} routes")));
            }
        }
        if routes.is_empty() {
            return Err(TableError::form(file, "has no routes"));
        }
        Ok(Self::of(routes, file.to_owned(), as_of))
    }

    fn of(mut routes: Vec<(Prefix, u32)>, source: String, as_of: Option<Timestamp>) -> Self {
        routes.sort_unstable();
        routes.dedup();
        let mut origins: Vec<Box<[u32]>> = Vec::new();
        let mut known: HashMap<Box<[u32]>, u32> = HashMap::new();
        let of_one_prefix = routes.chunk_by(|(one, _), (other, _)| one == other);
        let table = of_one_prefix.map(|chunk| {
            let asns: Box<[u32]> = chunk.iter().map(|(_, asn)| *asn).collect();
            let at = *known.entry(asns).or_insert_with_key(|asns| {
                origins.push(asns.clone());
                u32::try_from(origins.len() - 1).expect("there are fewer sets than routes")
            });
            (chunk[0].0, at)
        });
        Self {
            table: table.collect(),
            origins,
            source,
            as_of,
        }
    }

    /// The narrowest announced prefix that holds `address`, and the AS numbers that announce it, in their order.
    pub fn origin(&self, address: IpAddr) -> Option<(Prefix, &[u32])> {
        let (prefix, at) = self.table.longest(address)?;
        Some((prefix, &self.origins[*at as usize]))
    }

    /// Where it was read from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// As of when it holds, where that is known.
    pub fn as_of(&self) -> Option<Timestamp> {
        self.as_of
    }

    /// Number of prefixes.
    pub fn prefixes(&self) -> usize {
        self.table.len()
    }
}

/// The route on a line, if it has one.
fn route_in(line: &str) -> Result<Option<(Prefix, Vec<u32>)>, &'static str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with(['%', '#']) || line.starts_with("network,") {
        return Ok(None);
    }
    let mut words: [&str; 3] = [""; 3];
    let in_csv = line
        .split_once(',')
        .filter(|(first, _)| first.contains('/') && !first.contains([' ', '\t']));
    let (prefix, asns) = if let Some((prefix, rest)) = in_csv {
        (prefix.parse(), rest.split(',').next().unwrap_or_default())
    } else {
        for (word, slot) in line.split_whitespace().zip(&mut words) {
            *slot = word;
        }
        let [first, second, third] = words;
        if first.contains('/') {
            (first.parse(), second)
        } else if second.contains('/') {
            (second.parse(), first)
        } else {
            (format!("{first}/{second}").parse(), third)
        }
    };
    let prefix: Prefix = prefix.map_err(|_| "it names no address prefix")?;
    if prefix.length() == 0 {
        return Ok(None);
    }
    let asns = asns.split(['_', ',', '{', '}']).filter(|asn| !asn.is_empty());
    let number = |asn: &str| asn.strip_prefix("AS").unwrap_or(asn).parse();
    let asns: Result<Vec<u32>, _> = asns.map(number).collect();
    match asns {
        Ok(asns) if !asns.is_empty() => Ok(Some((prefix, asns))),
        _ => Err("it names no AS numbers"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<RouteTable, TableError> {
        RouteTable::read("routes.txt", text.as_bytes(), "2026-11-23T12:00:00Z".parse().ok())
    }

    fn origin(table: &RouteTable, address: &str) -> String {
        match table.origin(address.parse().unwrap()) {
            Some((prefix, asns)) => format!("{prefix} {asns:?}"),
            None => "nobody".to_owned(),
        }
    }

    #[test]
    fn each_form_is_read() {
        let pfx2as = "192.0.2.0\t24\t64500_64501\n198.51.100.0\t24\t64502,64503\n2001:db8::\t32\t64504\n";
        let ris = "% a comment\n\n64500\t192.0.2.0/24\t341\n64501\t192.0.2.0/24\t3\n{64502,64503}\t198.51.100.0/24\t9\n\
                   64504\t2001:db8::/32\t200\n1\t0.0.0.0/0\t5\n";
        let bgp_tools = "192.0.2.0/24 64501\n192.0.2.0/24 64500\n198.51.100.0/24 64502\n198.51.100.0/24 64503\n\
                         2001:db8::/32 64504\n";
        let maxmind = "network,autonomous_system_number,autonomous_system_organization\n192.0.2.0/24,64500,\"A, B\"\n\
                       192.0.2.0/24,64501,C\n198.51.100.0/24,64502,D\n198.51.100.0/24,64503,D\n2001:db8::/32,64504,E\n";
        for text in [pfx2as, ris, bgp_tools, maxmind] {
            let table = read(text).unwrap();
            assert_eq!(origin(&table, "192.0.2.7"), "192.0.2.0/24 [64500, 64501]", "{text}");
            assert_eq!(
                origin(&table, "198.51.100.7"),
                "198.51.100.0/24 [64502, 64503]",
                "{text}"
            );
            assert_eq!(origin(&table, "2001:db8::7"), "2001:db8::/32 [64504]", "{text}");
            assert_eq!(origin(&table, "203.0.113.7"), "nobody", "{text}");
            assert_eq!(table.prefixes(), 3);
        }
    }

    #[test]
    fn the_narrowest_announcement_counts() {
        let table = read("10.0.0.0/8 1\n10.1.0.0/16 2\n10.1.2.0/24 AS3\n").unwrap();
        assert_eq!(origin(&table, "10.1.2.3"), "10.1.2.0/24 [3]");
        assert_eq!(origin(&table, "10.1.3.3"), "10.1.0.0/16 [2]");
        assert_eq!(origin(&table, "10.2.0.0"), "10.0.0.0/8 [1]");
        assert_eq!((table.source(), table.as_of().is_some()), ("routes.txt", true));
    }

    #[test]
    fn errors_name_the_file_and_the_line() {
        for (text, expected) in [
            (
                "192.0.2.0/24 64500\nnonsense\n",
                "line 2 of the table `routes.txt`, `nonsense`: it names no address prefix",
            ),
            (
                "192.0.2.1/24 64500",
                "line 1 of the table `routes.txt`, `192.0.2.1/24 64500`: it names no address prefix",
            ),
            (
                "192.0.2.0/24 x",
                "line 1 of the table `routes.txt`, `192.0.2.0/24 x`: it names no AS numbers",
            ),
            (
                "192.0.2.0/24 4294967296",
                "line 1 of the table `routes.txt`, `192.0.2.0/24 4294967296`: it names no AS numbers",
            ),
            ("% nothing\n", "the table `routes.txt` has no routes"),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), expected);
        }
        let gzip = RouteTable::read("a.gz", &[0x1f, 0x8b, 8, 0][..], None).unwrap_err();
        assert_eq!(
            gzip.to_string(),
            "the table `a.gz` is compressed; unpack it with gunzip first"
        );
        let octets = RouteTable::read("a", &[0xff, b'\n'][..], None).unwrap_err();
        assert!(octets.to_string().ends_with("it is not text"), "{octets}");
        let long = read(&"1".repeat(20_000)).unwrap_err();
        assert!(long.to_string().ends_with("it is too long"), "{long}");
    }

    proptest! {
        #[test]
        fn any_octets_are_a_table_or_an_error(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = RouteTable::read("random", &octets[..], None);
        }

        #[test]
        fn any_words_are_a_table_or_an_error(text in "([0-9a-f.:/_,{}%]{1,12}[ \t\n]){0,12}") {
            let _ = read(&text);
        }
    }
}
