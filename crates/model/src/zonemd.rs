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

    /// Compares the zone with the ZONEMD records at its apex (RFC 8976 §4). Whether these are signed is judged apart.
    pub fn compare(self, records: &[Zonemd], serial: Option<u32>) -> Integrity {
        let usable: Vec<&Zonemd> = records
            .iter()
            .filter(|zonemd| zonemd.is_supported() && Some(zonemd.serial) == serial)
            .collect();
        let is_twice = |zonemd: &&Zonemd| {
            usable
                .iter()
                .filter(|other| other.algorithm == zonemd.algorithm)
                .count()
                > 1
        };
        if usable.is_empty() || usable.iter().any(is_twice) {
            return Integrity::Unknown;
        }
        let digests = self.digests();
        let is_right = |zonemd: &&Zonemd| digests.get(&zonemd.algorithm) == Some(&zonemd.digest);
        if usable.iter().any(is_right) {
            Integrity::Whole
        } else {
            Integrity::Broken
        }
    }
}
