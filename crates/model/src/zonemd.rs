//! ZONEMD: the digest of a whole zone (RFC 8976).

use std::collections::{BTreeMap, BTreeSet};

use domain::base::Serial;
use domain::base::iana::{Class, Rtype};
use sha2::{Digest as _, Sha384, Sha512};

use crate::Name;

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

/// What comes of comparing a zone with the digests in it. Of several that come to different ends the first of these counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Integrity {
    /// A digest agrees.
    Whole,
    /// No digest agrees: records are missing, added or changed.
    Broken,
    /// The digest belongs to this serial, and the SOA has another one or is missing (RFC 8976 §4).
    OtherSerial(u32),
    /// There are several digests of this hash algorithm, so none of them counts (RFC 8976 §4).
    Twice(u8),
    /// There is no digest of a scheme and algorithm that can be computed here.
    Unknown,
}

impl Zonemd {
    /// Reads record data as on the wire (RFC 8976 §2.2); `None` when it does not have the form.
    pub fn parse(rdata: &[u8]) -> Option<Self> {
        let (serial, rest) = rdata.split_first_chunk::<4>()?;
        let ([scheme, algorithm], digest) = rest.split_first_chunk::<2>()?;
        Some(Self {
            serial: u32::from_be_bytes(*serial),
            scheme: *scheme,
            algorithm: *algorithm,
            digest: digest.to_vec(),
        })
    }

    /// Whether scheme and algorithm are such that the digest can be computed here.
    pub fn is_supported(&self) -> bool {
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

/// Digests of a zone by scheme SIMPLE (RFC 8976 §3.3.1), made record by record.
pub struct ZoneDigest {
    apex: Name,
    sha384: Option<Sha384>,
    sha512: Option<Sha512>,
    /// Owner, type and data of the record before: one that is there twice counts once (RFC 8976 §3.3.2).
    before: Option<(Name, u16, Vec<u8>)>,
}

impl ZoneDigest {
    /// Digests of the zone `apex` by those of the algorithms that can be computed.
    pub fn new(apex: &Name, algorithms: impl IntoIterator<Item = u8>) -> Self {
        let algorithms: BTreeSet<u8> = algorithms.into_iter().collect();
        Self {
            apex: apex.clone(),
            sha384: algorithms.contains(&1).then(Sha384::new),
            sha512: algorithms.contains(&2).then(Sha512::new),
            before: None,
        }
    }

    /// Takes the next record of class IN, in the canonical order of owner, type and data (RFC 8976 §3.3.2); its data in
    /// canonical form (RFC 4034 §6.2). Records outside the zone, and ZONEMD at the apex with what signs it, are passed over.
    pub fn push(&mut self, owner: &Name, rtype: Rtype, ttl: u32, rdata: &[u8]) {
        let is_own =
            rtype == Rtype::ZONEMD || rtype == Rtype::RRSIG && rdata.starts_with(&Rtype::ZONEMD.to_int().to_be_bytes());
        if !owner.is_at_or_below(&self.apex) || is_own && *owner == self.apex {
            return;
        }
        let is_again =
            |(name, number, data): &(Name, u16, Vec<u8>)| *number == rtype.to_int() && data == rdata && name == owner;
        if self.before.as_ref().is_some_and(is_again) {
            return;
        }
        let mut octets = Vec::with_capacity(64 + rdata.len());
        octets.extend_from_slice(owner.as_wire().as_slice());
        octets.extend(rtype.to_int().to_be_bytes());
        octets.extend(Class::IN.to_int().to_be_bytes());
        octets.extend(ttl.to_be_bytes());
        octets.extend(u16::try_from(rdata.len()).unwrap_or(u16::MAX).to_be_bytes());
        octets.extend_from_slice(rdata);
        if let Some(sha384) = &mut self.sha384 {
            sha384.update(&octets);
        }
        if let Some(sha512) = &mut self.sha512 {
            sha512.update(&octets);
        }
        self.before = Some((owner.clone(), rtype.to_int(), rdata.to_vec()));
    }

    /// The digests, by their algorithms.
    pub fn digests(self) -> BTreeMap<u8, Vec<u8>> {
        let sha384 = self.sha384.map(|sha384| (1, sha384.finalize().to_vec()));
        let sha512 = self.sha512.map(|sha512| (2, sha512.finalize().to_vec()));
        sha384.into_iter().chain(sha512).collect()
    }

    /// Compares the zone with the ZONEMD records at its apex (RFC 8976 §4): one that agrees is enough. Whether these are signed is
    /// judged apart.
    pub fn compare(self, records: &[Zonemd], serial: Option<u32>) -> Integrity {
        // one that is there twice counts once, as in any RRset (RFC 2181 §5)
        let records: BTreeSet<&Zonemd> = records.iter().filter(|zonemd| zonemd.is_supported()).collect();
        let digests = self.digests();
        let of_each = records.iter().map(|zonemd| {
            let of_algorithm = records.iter().filter(|other| other.algorithm == zonemd.algorithm);
            if of_algorithm.count() > 1 {
                Integrity::Twice(zonemd.algorithm)
            } else if serial != Some(zonemd.serial) {
                Integrity::OtherSerial(zonemd.serial)
            } else if digests.get(&zonemd.algorithm) == Some(&zonemd.digest) {
                Integrity::Whole
            } else {
                Integrity::Broken
            }
        });
        of_each.min().unwrap_or(Integrity::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERIAL: u32 = 7;

    fn zone() -> ZoneDigest {
        let apex: Name = "example".parse().unwrap();
        let mut zone = ZoneDigest::new(&apex, [1, 2]);
        zone.push(&apex, Rtype::A, 60, &[192, 0, 2, 1]);
        zone
    }

    fn right(serial: u32, algorithm: u8) -> Zonemd {
        Zonemd {
            serial,
            scheme: 1,
            algorithm,
            digest: zone().digests().remove(&algorithm).unwrap_or_default(),
        }
    }

    fn wrong(serial: u32, algorithm: u8) -> Zonemd {
        let mut wrong = right(serial, algorithm);
        wrong.digest.iter_mut().for_each(|octet| *octet = !*octet);
        wrong
    }

    #[test]
    fn one_digest_that_agrees_is_enough_and_one_that_must_not_count_says_why() {
        let other_scheme = Zonemd {
            scheme: 2,
            ..right(SERIAL, 1)
        };
        let cut = Zonemd {
            digest: right(SERIAL, 1).digest[..12].to_vec(),
            ..right(SERIAL, 1)
        };
        for (records, expected) in [
            (vec![], Integrity::Unknown),
            (vec![right(SERIAL, 240), other_scheme.clone()], Integrity::Unknown),
            (vec![right(SERIAL, 1)], Integrity::Whole),
            (vec![right(SERIAL, 1), right(SERIAL, 1)], Integrity::Whole),
            (vec![wrong(SERIAL, 1), right(SERIAL, 2)], Integrity::Whole),
            (vec![wrong(SERIAL, 1)], Integrity::Broken),
            (vec![wrong(SERIAL, 1), other_scheme], Integrity::Broken),
            (vec![cut], Integrity::Broken),
            (vec![right(SERIAL - 1, 1)], Integrity::OtherSerial(SERIAL - 1)),
            (vec![right(SERIAL - 1, 1), right(SERIAL, 2)], Integrity::Whole),
            (vec![right(SERIAL - 1, 1), wrong(SERIAL, 2)], Integrity::Broken),
            (vec![right(SERIAL, 1), wrong(SERIAL, 1)], Integrity::Twice(1)),
            (vec![right(SERIAL, 1), right(SERIAL - 1, 1)], Integrity::Twice(1)),
            (
                vec![right(SERIAL, 1), wrong(SERIAL, 1), right(SERIAL, 2)],
                Integrity::Whole,
            ),
        ] {
            assert_eq!(zone().compare(&records, Some(SERIAL)), expected, "{records:?}");
        }
        assert_eq!(
            zone().compare(&[right(SERIAL, 1)], None),
            Integrity::OtherSerial(SERIAL)
        );
    }
}
