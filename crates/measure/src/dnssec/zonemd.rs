//! ZONEMD: the digest of a whole zone (RFC 8976).

use std::collections::BTreeSet;

use domain::base::iana::Rtype;
use domain::base::rdata::ComposeRecordData as _;
use domain::base::{CanonicalOrd as _, Serial, ToName as _};
use model::Name;
use sha2::{Digest as _, Sha384, Sha512};

use super::rrset::Signable;
use crate::record::Data;

/// The data of a ZONEMD record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Zonemd {
    /// Serial of the SOA that it belongs to.
    pub serial: u32,
    /// Scheme: 1 is SIMPLE, the only one.
    pub scheme: u8,
    /// Hash algorithm: 1 is SHA-384, 2 is SHA-512.
    pub algorithm: u8,
    /// The digest.
    pub digest: Vec<u8>,
}

/// What is wrong with the ZONEMD records of a zone by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ZonemdFault {
    /// The serial is not that of the SOA (RFC 8976 §2.2.1).
    SerialDiffers,
    /// Scheme or hash algorithm are unknown.
    NotSupported,
    /// Two records of one scheme and algorithm (RFC 8976 §2.2.3).
    Twice,
    /// The digest is shorter than 12 octets, or not as long as its algorithm makes it (RFC 8976 §2.2.4).
    BadLength,
}

impl Zonemd {
    /// Reads record data of type ZONEMD; `None` when it does not have the form.
    pub fn of(data: &Data) -> Option<Self> {
        let Data::Zonemd(zonemd) = data else { return None };
        Some(Self {
            serial: zonemd.serial().into_int(),
            scheme: zonemd.scheme().to_int(),
            algorithm: zonemd.algorithm().to_int(),
            digest: zonemd.digest().clone(),
        })
    }

    fn is_supported(&self) -> bool {
        self.scheme == 1 && matches!(self.algorithm, 1 | 2)
    }
}

/// What is wrong with ZONEMD records beside the serial of their SOA.
pub fn faults(records: &[Zonemd], serial: Option<Serial>) -> BTreeSet<ZonemdFault> {
    let mut faults = BTreeSet::new();
    for (at, record) in records.iter().enumerate() {
        if serial.is_some_and(|serial| serial != Serial(record.serial)) {
            faults.insert(ZonemdFault::SerialDiffers);
        }
        let right = match record.algorithm {
            1 => Some(48),
            2 => Some(64),
            _ => None,
        };
        if record.digest.len() < 12 || right.is_some_and(|right| right != record.digest.len()) {
            faults.insert(ZonemdFault::BadLength);
        }
        if !record.is_supported() {
            faults.insert(ZonemdFault::NotSupported);
        }
        let same = |other: &Zonemd| (other.scheme, other.algorithm) == (record.scheme, record.algorithm);
        if records[..at].iter().any(same) {
            faults.insert(ZonemdFault::Twice);
        }
    }
    faults
}

/// What comes of comparing a zone with the digests in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integrity {
    /// A digest agrees.
    Whole,
    /// No digest agrees: records are missing, added or changed.
    Broken,
    /// There is no digest that can be computed and belongs to this serial.
    Unknown,
}

/// Compares all records of a zone, as transferred or read from its file, with its ZONEMD (RFC 8976 §4).
///
/// Whether the ZONEMD records are signed is judged apart.
pub fn verify(apex: &Name, records: &[Signable]) -> Integrity {
    let at_apex = |record: &&Signable| record.owner().name_eq(apex.as_wire());
    let serial = records.iter().filter(at_apex).find_map(|record| match record.data() {
        Data::Soa(soa) => Some(soa.serial().into_int()),
        _ => None,
    });
    let digests: Vec<Zonemd> = records
        .iter()
        .filter(at_apex)
        .filter_map(|record| Zonemd::of(record.data()))
        .filter(|zonemd| zonemd.is_supported() && Some(zonemd.serial) == serial)
        .collect();
    if digests.is_empty() || faults(&digests, serial.map(Serial)).contains(&ZonemdFault::Twice) {
        return Integrity::Unknown;
    }
    let is_right = digests
        .iter()
        .any(|zonemd| digest(apex, records, zonemd.algorithm).as_ref() == Some(&zonemd.digest));
    if is_right { Integrity::Whole } else { Integrity::Broken }
}

/// The digest of a zone by scheme SIMPLE (RFC 8976 §3.3.1); `None` for an algorithm that cannot be computed here.
pub fn digest(apex: &Name, records: &[Signable], algorithm: u8) -> Option<Vec<u8>> {
    let is_included = |record: &&Signable| {
        let owner = Name::from_wire(record.owner());
        let is_own = match record.data() {
            Data::Zonemd(_) => true,
            Data::Rrsig(rrsig) => rrsig.type_covered() == Rtype::ZONEMD,
            _ => record.rtype() == Rtype::ZONEMD,
        };
        owner.is_at_or_below(apex) && !(is_own && owner == *apex)
    };
    let mut sorted: Vec<&Signable> = records.iter().filter(is_included).collect();
    sorted.sort_by(|a, b| {
        a.owner()
            .name_cmp(b.owner())
            .then_with(|| a.rtype().to_int().cmp(&b.rtype().to_int()))
            .then_with(|| a.data().canonical_cmp(b.data()))
    });
    sorted.dedup_by(|a, b| a.owner().name_eq(b.owner()) && a.data() == b.data());
    let mut octets = Vec::new();
    for record in sorted {
        let Ok(()) = record.owner().compose_canonical(&mut octets);
        octets.extend(record.rtype().to_int().to_be_bytes());
        octets.extend(record.class().to_int().to_be_bytes());
        octets.extend(record.ttl().as_secs().to_be_bytes());
        let Ok(()) = record.data().compose_canonical_len_rdata(&mut octets);
    }
    match algorithm {
        1 => Some(Sha384::digest(&octets).to_vec()),
        2 => Some(Sha512::digest(&octets).to_vec()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use domain::base::Ttl;
    use domain::base::iana::Class;
    use domain::rdata::{A, Aaaa, Ns, Soa};
    use proptest::prelude::*;

    use super::*;
    use crate::record::OwnedName;

    fn name(text: &str) -> OwnedName {
        text.parse().unwrap()
    }

    fn record(owner: &str, ttl: u32, data: Data) -> Signable {
        Signable::new(name(owner), Class::IN, Ttl::from_secs(ttl), data)
    }

    fn zonemd(serial: u32, digest: &[u8]) -> Data {
        Data::Zonemd(domain::rdata::Zonemd::new(
            serial.into(),
            1.into(),
            1.into(),
            digest.to_vec(),
        ))
    }

    /// The simple zone of RFC 8976, appendix A.1.
    fn example() -> (Name, Vec<Signable>) {
        let digest = "c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c";
        let digest: Vec<u8> = (0..digest.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digest[at..at + 2], 16).unwrap())
            .collect();
        let soa = Soa::new(
            name("ns1.example."),
            name("admin.example."),
            2_018_031_900.into(),
            Ttl::from_secs(1800),
            Ttl::from_secs(900),
            Ttl::from_secs(604_800),
            Ttl::from_secs(86_400),
        );
        let records = vec![
            record("example.", 86_400, Data::Soa(soa)),
            record("example.", 86_400, Data::Ns(Ns::new(name("ns1.example.")))),
            record("example.", 86_400, Data::Ns(Ns::new(name("ns2.example.")))),
            record("example.", 86_400, zonemd(2_018_031_900, &digest)),
            record("ns1.example.", 3_600, Data::A(A::from_octets(203, 0, 113, 63))),
            record(
                "ns2.example.",
                3_600,
                Data::Aaaa(Aaaa::new("2001:db8::63".parse().unwrap())),
            ),
        ];
        ("example".parse().unwrap(), records)
    }

    #[test]
    fn the_example_of_the_standard_is_whole_in_any_order() {
        let (apex, mut records) = example();
        assert_eq!(verify(&apex, &records), Integrity::Whole);
        records.reverse();
        // a record that is there twice counts once, as in any RRset
        records.push(records[0].clone());
        assert_eq!(verify(&apex, &records), Integrity::Whole);
    }

    #[test]
    fn a_record_more_less_or_changed_breaks_the_zone() {
        let (apex, records) = example();
        let mut less = records.clone();
        less.pop();
        assert_eq!(verify(&apex, &less), Integrity::Broken);
        let mut more = records.clone();
        more.push(record("ns3.example.", 3_600, Data::A(A::from_octets(203, 0, 113, 64))));
        assert_eq!(verify(&apex, &more), Integrity::Broken);
        let mut changed = records.clone();
        changed[4].set_ttl(Ttl::from_secs(7));
        assert_eq!(verify(&apex, &changed), Integrity::Broken);
        let outside = record("www.other.", 60, Data::A(A::from_octets(203, 0, 113, 65)));
        let with_outside: Vec<_> = records.into_iter().chain([outside]).collect();
        assert_eq!(verify(&apex, &with_outside), Integrity::Whole);
    }

    #[test]
    fn a_digest_of_another_serial_or_twice_says_nothing() {
        let (apex, mut records) = example();
        let right = records[3].clone();
        records[3] = record("example.", 86_400, zonemd(7, &[1; 48]));
        assert_eq!(verify(&apex, &records), Integrity::Unknown);
        records[3] = right;
        records.push(record("example.", 86_400, zonemd(2_018_031_900, &[1; 48])));
        assert_eq!(verify(&apex, &records), Integrity::Unknown);
        assert_eq!(verify(&apex, &[]), Integrity::Unknown);
    }

    proptest! {
        #[test]
        fn any_records_are_compared_without_panic(
            rows in prop::collection::vec((prop::sample::select(vec!["example.", "a.example.", "b."]), any::<u8>(), any::<u32>()), 0..12),
        ) {
            let records: Vec<Signable> = rows.iter().map(|(owner, octet, ttl)| {
                record(owner, *ttl, match octet % 3 {
                    0 => zonemd(*ttl, &[*octet; 48]),
                    1 => Data::A(A::from_octets(192, 0, 2, *octet)),
                    _ => Data::Ns(Ns::new(name("ns.example."))),
                })
            }).collect();
            prop_assert_ne!(verify(&"example".parse().unwrap(), &records), Integrity::Whole);
        }
    }
}
