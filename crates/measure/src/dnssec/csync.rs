//! CSYNC: which records of the child the parent is asked to copy (RFC 7477).

use domain::base::iana::Rtype;
use domain::rdata::dnssec::RtypeBitmap;

/// Flag: the parent may act at once, without asking anybody (RFC 7477 §2.1.1.2.1).
pub const IMMEDIATE: u16 = 1;
/// Flag: the zone's SOA serial must not be below the one in the record (RFC 7477 §2.1.1.2.2).
pub const SOA_MINIMUM: u16 = 2;

/// The data of a CSYNC record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csync {
    /// Serial of the zone's SOA from which on it holds.
    pub serial: u32,
    /// [`IMMEDIATE`], [`SOA_MINIMUM`]; a parent that meets another flag must not act.
    pub flags: u16,
    /// Types to be copied.
    pub types: Vec<Rtype>,
}

impl Csync {
    /// Reads the octets of the record data; `None` when they do not have its form.
    pub fn read(octets: &[u8]) -> Option<Self> {
        let (serial, rest) = octets.split_first_chunk::<4>()?;
        let (flags, bitmap) = rest.split_first_chunk::<2>()?;
        let types = RtypeBitmap::from_octets(bitmap.to_vec()).ok()?;
        Some(Self {
            serial: u32::from_be_bytes(*serial),
            flags: u16::from_be_bytes(*flags),
            types: types.iter().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_the_standard_is_read() {
        // RFC 7477 §2.1.2: `example.com. 3600 IN CSYNC 66 3 A NS AAAA`.
        let octets = [0, 0, 0, 66, 0, 3, 0, 4, 0x60, 0, 0, 8];
        let read = Csync::read(&octets).unwrap();
        assert_eq!((read.serial, read.flags), (66, IMMEDIATE | SOA_MINIMUM));
        assert_eq!(read.types, [Rtype::A, Rtype::NS, Rtype::AAAA]);
        assert_eq!(Csync::read(&octets[..5]), None);
    }

    proptest! {
        #[test]
        fn any_octets_are_a_csync_or_none(octets in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = Csync::read(&octets);
        }
    }
}
