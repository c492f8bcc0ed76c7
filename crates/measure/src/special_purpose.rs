//! What addresses are set aside for: the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, RFC 8190).
//!
//! Both ship as `special_purpose.txt` beside this file; IANA's own files (CSV) can take their place.

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use model::Prefix;

use crate::prefix_table::{PrefixTable, TableError};

const SHIPPED: &str = include_str!("special_purpose.txt");

/// Month of the newest entry in the shipped registries.
const SHIPPED_AS_OF: &str = "2025-04";

/// Most blocks that a registry file may have. IANA's have 50 together; more is another kind of file.
const MOST_BLOCKS: usize = 10_000;

/// Names of blocks for use within a network or provider (address01, step 4.1.2).
const LOCAL_USE: [&str; 7] = [
    "Private-Use",
    "Loopback",
    "Loopback Address",
    "Link Local",
    "Link-Local Unicast",
    "Unique-Local",
    "Shared Address Space",
];

/// The registries of both families.
#[derive(Debug, Clone, PartialEq)]
pub struct SpecialPurpose {
    blocks: Vec<(Prefix, Block)>,
    table: PrefixTable<Purpose>,
    as_of: String,
}

/// What an address is for, as address01 tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Examples in documents; nothing may answer there.
    Documentation,
    /// Use within a network or provider.
    LocalUse,
    /// Something else that is not registered as globally reachable.
    NotGloballyReachable,
    /// In no block, or in one that is registered as globally reachable.
    GloballyReachable,
}

/// One row of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    name: String,
    /// `None` where the registry does not say.
    is_globally_reachable: Option<bool>,
}

impl Block {
    fn purpose(&self) -> Purpose {
        if self.name.starts_with("Documentation") {
            Purpose::Documentation
        } else if LOCAL_USE.contains(&self.name.as_str()) {
            Purpose::LocalUse
        } else if self.is_globally_reachable == Some(true) {
            Purpose::GloballyReachable
        } else {
            Purpose::NotGloballyReachable
        }
    }
}

impl SpecialPurpose {
    /// The registries as they ship.
    pub fn shipped() -> Arc<Self> {
        static TABLE: OnceLock<Arc<SpecialPurpose>> = OnceLock::new();
        let read = || {
            let lines = SHIPPED.lines().filter(|line| !line.starts_with('#'));
            let blocks = lines.map(|line| shipped_block(line).expect("a test reads the shipped registries"));
            Arc::new(Self::of(blocks.collect(), SHIPPED_AS_OF.to_owned()))
        };
        TABLE.get_or_init(read).clone()
    }

    fn of(blocks: Vec<(Prefix, Block)>, as_of: String) -> Self {
        let table = blocks
            .iter()
            .map(|(prefix, block)| (*prefix, block.purpose()))
            .collect();
        Self { blocks, table, as_of }
    }

    /// Month of the newest entry, `YYYY-MM`: the registries' own files carry no other date.
    pub fn as_of(&self) -> &str {
        &self.as_of
    }

    /// The same, with the blocks of each family that one of IANA's CSV files holds in the place of those before.
    pub fn with_file(&self, path: &Path) -> Result<Self, TableError> {
        let text = std::fs::read_to_string(path).map_err(|source| TableError::Read {
            path: path.to_owned(),
            source,
        })?;
        self.with_csv(&path.display().to_string(), &text)
    }

    /// As [`SpecialPurpose::with_file`], from the file's text; `file` is named in errors.
    pub fn with_csv(&self, file: &str, text: &str) -> Result<Self, TableError> {
        let (new, newest) = parse_csv(file, text)?;
        let is_replaced = |prefix: &Prefix| {
            new.iter()
                .any(|(other, _)| other.address().is_ipv4() == prefix.address().is_ipv4())
        };
        let kept = self.blocks.iter().filter(|(prefix, _)| !is_replaced(prefix)).cloned();
        let blocks = kept.chain(new.iter().cloned()).collect();
        Ok(Self::of(blocks, self.as_of.clone().max(newest)))
    }

    /// What the narrowest block that holds `address` is for. RFC 6890 §2.2.1 lets more specific blocks differ from
    /// those around them: 192.0.0.9 is reachable within 192.0.0.0/24, which is not.
    pub fn purpose(&self, address: IpAddr) -> Purpose {
        self.table
            .longest(address)
            .map_or(Purpose::GloballyReachable, |(_, purpose)| *purpose)
    }
}

fn shipped_block(line: &str) -> Option<(Prefix, Block)> {
    let (prefix, rest) = line.split_once(' ')?;
    let (reachable, name) = rest.trim_start().split_once(' ')?;
    let is_globally_reachable = match reachable {
        "yes" => Some(true),
        "no" => Some(false),
        "-" => None,
        _ => return None,
    };
    let name = name.trim().to_owned();
    Some((
        prefix.parse().ok()?,
        Block {
            name,
            is_globally_reachable,
        },
    ))
}

/// Reads IANA's CSV: the blocks, and the newest allocation date.
fn parse_csv(file: &str, text: &str) -> Result<(Vec<(Prefix, Block)>, String), TableError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let wrong = |error: csv::Error| TableError::form(file, format!("is not CSV: {error}"));
    let headers = reader.headers().map_err(wrong)?.clone();
    let column = |name: &str| {
        let at = headers.iter().position(|header| header.trim() == name);
        at.ok_or_else(|| TableError::form(file, format!("has no column `{name}`; IANA's registries have")))
    };
    let (block, name) = (column("Address Block")?, column("Name")?);
    let (allocated, reachable) = (column("Allocation Date")?, column("Globally Reachable")?);
    let mut blocks = Vec::new();
    let mut newest = String::new();
    for row in reader.records() {
        let row = row.map_err(wrong)?;
        let line = row.position().map_or(0, csv::Position::line);
        let field = |at: usize| row.get(at).map(without_footnotes).unwrap_or_default();
        let wrong = |reason: String| TableError::line(file, line, &field(block), reason);
        let reachable = match field(reachable).to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            "" | "n/a" => None,
            other => return Err(wrong(format!("`{other}` is neither True, False nor N/A"))),
        };
        for part in row.get(block).unwrap_or_default().split(',') {
            let prefix = without_footnotes(part)
                .parse()
                .map_err(|error| wrong(format!("{error}")))?;
            let block = Block {
                name: field(name).trim_matches('"').to_owned(),
                is_globally_reachable: reachable,
            };
            blocks.push((prefix, block));
        }
        if blocks.len() > MOST_BLOCKS {
            return Err(TableError::form(file, format!("has more than {MOST_BLOCKS} blocks")));
        }
        newest = newest.max(field(allocated).chars().take(7).collect());
    }
    if blocks.is_empty() {
        return Err(TableError::form(file, "has no blocks"));
    }
    Ok((blocks, newest))
}

/// A field without IANA's marks such as `[2]` behind it.
fn without_footnotes(field: &str) -> String {
    field.split('[').next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn purpose(address: &str) -> Purpose {
        SpecialPurpose::shipped().purpose(address.parse().unwrap())
    }

    #[test]
    fn addresses_are_told_apart_by_the_narrowest_block() {
        for (address, expected) in [
            ("192.0.2.1", Purpose::Documentation),
            ("198.51.100.255", Purpose::Documentation),
            ("2001:db8:ffff::1", Purpose::Documentation),
            ("3fff:fff::", Purpose::Documentation),
            ("10.255.0.1", Purpose::LocalUse),
            ("127.0.0.1", Purpose::LocalUse),
            ("100.64.0.1", Purpose::LocalUse),
            ("169.254.1.1", Purpose::LocalUse),
            ("::1", Purpose::LocalUse),
            ("fd00::1", Purpose::LocalUse),
            ("fe80::1", Purpose::LocalUse),
            ("0.1.2.3", Purpose::NotGloballyReachable),
            ("192.0.0.1", Purpose::NotGloballyReachable),
            ("192.88.99.1", Purpose::NotGloballyReachable),
            ("255.255.255.255", Purpose::NotGloballyReachable),
            ("::ffff:192.36.148.17", Purpose::NotGloballyReachable),
            ("2002::1", Purpose::NotGloballyReachable),
            ("2001::1", Purpose::NotGloballyReachable),
            ("2001:2::1", Purpose::NotGloballyReachable),
            ("192.0.0.9", Purpose::GloballyReachable),
            ("192.175.48.1", Purpose::GloballyReachable),
            ("64:ff9b::1", Purpose::GloballyReachable),
            ("2001:1::1", Purpose::GloballyReachable),
            ("192.36.148.17", Purpose::GloballyReachable),
            ("2001:7fe::53", Purpose::GloballyReachable),
        ] {
            assert_eq!(purpose(address), expected, "{address}");
        }
    }

    #[test]
    fn every_line_of_the_shipped_registries_is_read() {
        let lines = SHIPPED.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(SpecialPurpose::shipped().table.len(), lines);
        assert!(
            SHIPPED.contains(&format!("state of {SHIPPED_AS_OF}")),
            "the file and the code name another month"
        );
    }

    const HEADER: &str = "Address Block,Name,RFC,Allocation Date,Termination Date,Source,Destination,Forwardable,\
                          Globally Reachable,Reserved-by-Protocol\n";

    #[test]
    fn a_file_of_iana_takes_the_place_of_its_family() {
        let csv = format!(
            "{HEADER}\"192.36.148.0/24 [1], 192.36.149.0/24\",Documentation (here),\"[RFC1]\n [RFC2]\",2031-02,N/A,\
             True,True,True,False [2],False\n"
        );
        let table = SpecialPurpose::shipped().with_csv("ipv4.csv", &csv).unwrap();
        let purpose = |address: &str| table.purpose(address.parse().unwrap());
        assert_eq!(purpose("192.36.148.17"), Purpose::Documentation);
        assert_eq!(purpose("192.36.149.17"), Purpose::Documentation);
        assert_eq!(
            purpose("10.0.0.1"),
            Purpose::GloballyReachable,
            "the file does not have it"
        );
        assert_eq!(purpose("fd00::1"), Purpose::LocalUse, "the file says nothing of IPv6");
        assert_eq!(table.as_of(), "2031-02");
    }

    #[test]
    fn errors_name_the_file_and_the_line() {
        let error = |text: &str| {
            SpecialPurpose::shipped()
                .with_csv("x.csv", text)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            error("Address Block,Name\n10.0.0.0/8,Private-Use\n"),
            "the table `x.csv` has no column `Allocation Date`; IANA's registries have"
        );
        assert_eq!(
            error(&format!("{HEADER}10.0.0.1/8,X,R,2000-01,N/A,T,T,T,True,F\n")),
            "line 2 of the table `x.csv`, `10.0.0.1/8`: `10.0.0.1/8` is not an address prefix like 192.0.2.0/24 or \
             2001:db8::/32"
        );
        assert_eq!(
            error(&format!("{HEADER}10.0.0.0/8,X,R,2000-01,N/A,T,T,T,Maybe,F\n")),
            "line 2 of the table `x.csv`, `10.0.0.0/8`: `maybe` is neither True, False nor N/A"
        );
        assert_eq!(error(HEADER), "the table `x.csv` has no blocks");
        let missing = SpecialPurpose::shipped()
            .with_file(Path::new("/nowhere/x.csv"))
            .unwrap_err();
        assert_eq!(missing.to_string(), "cannot read the table `/nowhere/x.csv`");
    }

    #[test]
    fn the_shipped_registries_are_those_of_iana() {
        let kit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance");
        let files = ["iana-ipv4-special-registry.csv", "iana-ipv6-special-registry.csv"].map(|file| kit.join(file));
        if !files.iter().all(|file| file.is_file()) {
            let reason = format!("IANA's registries are not at {}", kit.display());
            testkit::program::note_left_out(&reason).unwrap();
            return;
        }
        let shipped = SpecialPurpose::shipped();
        let read = files
            .iter()
            .fold((*shipped).clone(), |table, file| table.with_file(file).unwrap());
        let sorted = |table: &SpecialPurpose| {
            let mut blocks = table.blocks.clone();
            blocks.sort_by_key(|(prefix, _)| *prefix);
            blocks
        };
        assert_eq!(sorted(&shipped).len(), sorted(&read).len());
        for (ours, theirs) in sorted(&shipped).iter().zip(sorted(&read)) {
            let name = ours.1.name.trim_matches('"');
            assert_eq!(
                (ours.0, name, ours.1.is_globally_reachable),
                (theirs.0, theirs.1.name.as_str(), theirs.1.is_globally_reachable)
            );
        }
        assert_eq!(read.as_of(), shipped.as_of());
    }

    proptest! {
        #[test]
        fn any_text_is_a_registry_or_an_error(rows in "[0-9a-f:./,\"\n A-Z\\[\\]]{0,200}", with_header: bool) {
            let text = if with_header { format!("{HEADER}{rows}") } else { rows };
            let _ = SpecialPurpose::shipped().with_csv("random", &text);
        }
    }
}
