//! An RRset as passive DNS keeps it: what was said, by whom it may be said, and from when to when it was seen.

use std::fmt;

use domain::base::ParsedName;
use domain::base::iana::Rtype;
use domain::base::rdata::ParseRecordData;
use domain::base::zonefile_fmt::{DisplayKind, ZonefileFmt};
use domain::dep::octseq::Parser;
use domain::rdata::ZoneRecordData;
use jiff::Timestamp;

use crate::Name;

/// Where an RRset was seen. Times of the two are never mixed in one row (Passive DNS Common Output Format,
/// draft-dulaunoy-dnsop-passive-dns-cof-13 §3.4: `time_*` and `zone_time_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SeenIn {
    /// In answers on the wire.
    Wire,
    /// In a zone file or a zone transfer.
    ZoneFile,
}

impl SeenIn {
    /// `wire` or `zone_file`.
    pub fn as_str(self) -> &'static str {
        match self {
            SeenIn::Wire => "wire",
            SeenIn::ZoneFile => "zone_file",
        }
    }
}

/// One RRset with when and how often it was seen. Two of the same `name`, `rtype`, `bailiwick`, `rdata` and `seen_in` are one
/// with the earlier `first`, the later `last` and the sum of `count`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassiveRrset {
    /// The owner name.
    pub name: Name,
    /// The type, as the IANA registry numbers it.
    pub rtype: Rtype,
    /// The zone on whose behalf the server spoke: the name is at or below it.
    pub bailiwick: Name,
    /// The data of each record as on the wire, names in it not compressed and in lower case; in ascending order of octets, each
    /// once. Not empty.
    pub rdata: Vec<Vec<u8>>,
    /// On the wire or in a zone file.
    pub seen_in: SeenIn,
    /// First seen; whole seconds.
    pub first: Timestamp,
    /// Last seen, not before `first`; whole seconds.
    pub last: Timestamp,
    /// How many answers or snapshots held it; at least 1.
    pub count: u64,
}

/// The data of one record in presentation form (RFC 1035 §5.1); `\# LENGTH HEX` (RFC 3597 §5) where the type is not known or the
/// octets are not of the type's form. Never fails: what was seen can be shown.
pub fn rdata_text(rtype: Rtype, rdata: &[u8]) -> String {
    known_text(rtype, rdata).unwrap_or_else(|| Unknown(rdata).to_string())
}

fn known_text(rtype: Rtype, rdata: &[u8]) -> Option<String> {
    let mut parser = Parser::from_ref(rdata);
    let data = ZoneRecordData::<&[u8], ParsedName<&[u8]>>::parse_rdata(rtype, &mut parser).ok()??;
    if parser.remaining() > 0 || matches!(data, ZoneRecordData::Unknown(_)) {
        return None;
    }
    Some(data.display_zonefile(DisplayKind::Simple).to_string())
}

struct Unknown<'a>(&'a [u8]);

impl fmt::Display for Unknown<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\\# {}", self.0.len())?;
        if !self.0.is_empty() {
            out.write_str(" ")?;
        }
        self.0.iter().try_for_each(|octet| write!(out, "{octet:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn data_is_written_as_in_a_zone_file() {
        let name = b"\x03ns1\x07example\x00";
        let mx = [&[0, 10], name.as_slice()].concat();
        let cases: [(Rtype, &[u8], &str); 6] = [
            (Rtype::A, &[192, 0, 2, 1], "192.0.2.1"),
            (Rtype::NS, name, "ns1.example."),
            (Rtype::MX, &mx, "10 ns1.example."),
            (Rtype::TXT, b"\x05a \"b\xff", "\"a \\\"b\\255\""),
            (Rtype::A, &[192, 0, 2], "\\# 3 c00002"),
            (Rtype::from_int(65280), &[], "\\# 0"),
        ];
        for (rtype, rdata, text) in cases {
            assert_eq!(rdata_text(rtype, rdata), text, "{rtype}");
        }
    }

    proptest! {
        #[test]
        fn any_octets_of_any_type_can_be_shown_on_one_line(
            rtype in 0u16..300,
            rdata in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let text = rdata_text(Rtype::from_int(rtype), &rdata);
            prop_assert!(!text.contains(['\n', '\r']), "{text:?}");
        }
    }
}
