//! Reads ordinary zone files (RFC 1035 §5).

use std::collections::BTreeMap;

use domain::base::iana::{Class, Rtype};
use domain::base::name::{FlattenInto, ToName};
use domain::base::{Record as WireRecord, Ttl};
use domain::rdata::ZoneRecordData;
use domain::zonefile::inplace::{Entry, ScannedRecord, Zonefile};
use model::Name;

/// Record data with names and octets of its own.
pub type RecordData = ZoneRecordData<Vec<u8>, domain::base::Name<Vec<u8>>>;

pub(crate) use RecordData as Data;

/// A record with names and octets of its own; the owner is in lower case.
pub type Record = WireRecord<domain::base::Name<Vec<u8>>, RecordData>;

/// What is wrong with a zone file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct ZoneFileError {
    /// The line, counted from 1; 0 when it is about the file as a whole.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

/// Reads the zone `apex` from `text`. Names without a final dot are below the apex.
pub(crate) fn read(apex: &Name, text: &str) -> Result<Vec<Record>, ZoneFileError> {
    let mut ttls: BTreeMap<(Name, Rtype), Ttl> = BTreeMap::new();
    let records = scan(apex, text, |record| {
        let owner = Name::from_wire(record.owner());
        if !owner.is_at_or_below(apex) {
            return Err(format!("`{owner}` is not in the zone `{apex}`"));
        }
        if record.class() != Class::IN {
            return Err(format!("class {} is not IN", record.class()));
        }
        if matches!(
            record.rtype(),
            Rtype::RRSIG | Rtype::NSEC | Rtype::NSEC3 | Rtype::NSEC3PARAM | Rtype::DNSKEY
        ) {
            return Err(format!(
                "{} of `{owner}`: the lab makes these when it signs",
                record.rtype()
            ));
        }
        let ttl = *ttls.entry((owner.clone(), record.rtype())).or_insert(record.ttl());
        if ttl != record.ttl() {
            return Err(format!(
                "{} of `{owner}` has two TTLs, {} and {}",
                record.rtype(),
                ttl.as_secs(),
                record.ttl().as_secs()
            ));
        }
        Ok(())
    })?;
    check_apex(apex, &records)?;
    Ok(records)
}

/// Reads records of any kind, with full names.
pub(crate) fn records(text: &str) -> Result<Vec<Record>, ZoneFileError> {
    scan(&Name::root(), text, |_| Ok(()))
}

/// Reads records and looks at each. Names without a final dot are below `origin`.
fn scan(
    origin: &Name,
    text: &str,
    mut check: impl FnMut(&Record) -> Result<(), String>,
) -> Result<Vec<Record>, ZoneFileError> {
    // A file that ends within a line is as good as one that ends after it.
    let mut scanner = Zonefile::from(format!("{text}\n").as_str());
    scanner.set_origin(origin.as_wire().to_bytes());
    scanner.set_default_class(Class::IN);
    let mut records = Vec::new();
    loop {
        let offset = scanner.current_offset();
        let here = |reason| ZoneFileError {
            line: line_of(text, offset),
            reason,
        };
        let scanned = match next_entry(&mut scanner).map_err(here)? {
            Ok(None) => return Ok(records),
            Ok(Some(Entry::Record(record))) => record,
            Ok(Some(Entry::Include { path, .. })) => return Err(here(format!("`$INCLUDE {path}` is not supported"))),
            Err(error) => return Err(scan_error(&error.to_string(), line_of(text, offset))),
        };
        let record = own(scanned);
        check(&record).map_err(here)?;
        records.push(record);
    }
}

type Scanned = Result<Option<Entry>, domain::zonefile::inplace::Error>;

/// The scanner of `domain` 0.12.3 panics on some broken entries (`TXT #` at the end of a file); here they are errors.
fn next_entry(scanner: &mut Zonefile) -> Result<Scanned, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| scanner.next_entry()))
        .map_err(|_| "this entry is broken beyond reading".to_owned())
}

fn check_apex(apex: &Name, records: &[Record]) -> Result<(), ZoneFileError> {
    let count = |rtype| {
        records
            .iter()
            .filter(|record| record.rtype() == rtype && is_owner(record, apex))
            .count()
    };
    let whole = |reason: String| Err(ZoneFileError { line: 0, reason });
    match (count(Rtype::SOA), count(Rtype::NS)) {
        (1, 1..) => Ok(()),
        (1, 0) => whole(format!("the zone `{apex}` has no NS at its apex")),
        (found, _) => whole(format!(
            "the zone `{apex}` has {found} SOA records at its apex, not one"
        )),
    }
}

pub(crate) fn is_owner(record: &Record, name: &Name) -> bool {
    record.owner().name_eq(name.as_wire())
}

fn own(scanned: ScannedRecord) -> Record {
    let owner = Name::from_wire(scanned.owner()).as_wire().clone();
    let (class, ttl) = (scanned.class(), scanned.ttl());
    WireRecord::new(owner, class, ttl, scanned.into_data().flatten_into())
}

/// The line in which the entry after `offset` begins: the scanner counts octets, people lines.
fn line_of(text: &str, offset: usize) -> usize {
    let octets = text.as_bytes();
    let mut at = offset.min(octets.len());
    while let Some(octet) = octets.get(at) {
        match octet {
            b';' => at += octets[at..].iter().take_while(|octet| **octet != b'\n').count(),
            _ if octet.is_ascii_whitespace() => at += 1,
            _ => break,
        }
    }
    1 + octets[..at].iter().filter(|octet| **octet == b'\n').count()
}

/// The scanner's errors read `line:column: reason`. In column 1 it may have just stepped over the end of the line meant.
fn scan_error(text: &str, first_line: usize) -> ZoneFileError {
    let mut parts = text.splitn(3, ':');
    let mut number = || {
        parts
            .next()
            .and_then(|number| number.parse::<usize>().ok())
            .unwrap_or(0)
    };
    let (line, column) = (number(), number());
    let line = if column == 1 {
        first_line.max(line.saturating_sub(1))
    } else {
        line
    };
    ZoneFileError {
        line,
        reason: parts.next().unwrap_or(text).trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const APEX: &str = "@ 3600 IN SOA ns1 host 1 14400 3600 1209600 3600\n@ NS ns1\n";

    fn read_at_test(text: &str) -> Result<Vec<Record>, ZoneFileError> {
        read(&"test".parse().unwrap(), text)
    }

    #[test]
    fn names_without_a_dot_are_below_the_apex_and_owners_in_lower_case() {
        let records = read_at_test(&format!("{APEX}NS1 A 127.0.0.1\n")).unwrap();
        assert_eq!(records[2].owner().to_string(), "ns1.test");
        assert_eq!(records.len(), 3);
    }

    #[test]
    fn errors_name_the_line() {
        for (line, text) in [
            (3, "www A 1.2.3\n"),
            (4, "\nwww. A 127.0.0.1\n"),
            (4, "www 60 A 127.0.0.1\nwww 61 A 127.0.0.2\n"),
        ] {
            let error = read_at_test(&format!("{APEX}{text}")).unwrap_err();
            assert_eq!(error.line, line, "{error}");
        }
        assert_eq!(read_at_test("@ NS ns1\n").unwrap_err().line, 0);
    }

    proptest! {
        #[test]
        fn any_text_is_a_zone_or_an_error(text in ".{0,200}") {
            let _ = read_at_test(&text);
        }

        #[test]
        fn any_words_are_a_zone_or_an_error(
            words in proptest::collection::vec("@|A|NS|SOA|TXT|CNAME|[0-9]{1,5}|\"|[a-z]{1,4}\\.?|\n|\\(|\\)|;|\\$TTL|\\\\|\\\\[0-9]{1,3}| |\t|#|\\$ORIGIN|TYPE[0-9]{1,3}|127\\.0\\.0\\.1", 0..40)
        ) {
            let _ = read_at_test(&format!("{APEX}{}", words.join(" ")));
        }
    }
}
