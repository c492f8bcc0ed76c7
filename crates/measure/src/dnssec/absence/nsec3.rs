//! Proofs by NSEC3 (RFC 5155 §8).

use std::collections::{BTreeMap, BTreeSet};

use domain::base::iana::{Nsec3HashAlgorithm, Rtype};
use domain::dnssec::common::nsec3_hash;
use domain::rdata::nsec3::OwnerHash;
use domain::rdata::{Nsec3, dnssec::RtypeBitmap};
use model::{AbsenceKind, Name};

use super::{AbsenceFault, Claim, Contradiction, delegation_faults, next_closer, upwards};
use crate::dnssec::Rrset;
use crate::record::Data;

/// Iterations up to which proofs are computed. The value on which the makers of validators agreed in 2021; above it
/// they treat the zone as insecure or refuse it (RFC 9276 §3.2). Higher costs time that a hostile zone may choose.
pub const MAX_ITERATIONS: u16 = 150;

/// Octets of a SHA-1 hash, the only one that NSEC3 has.
const HASH_OCTETS: usize = 20;

/// One NSEC3 record.
struct Hashed<'a> {
    owner: Vec<u8>,
    next: Vec<u8>,
    types: &'a RtypeBitmap<Vec<u8>>,
    opt_out: bool,
}

impl Hashed<'_> {
    fn covers(&self, hash: &[u8]) -> bool {
        let (owner, next) = (self.owner.as_slice(), self.next.as_slice());
        if owner < next {
            owner < hash && hash < next
        } else {
            hash > owner || hash < next
        }
    }
}

/// The hash that an NSEC3 owner spells, if it is one of a name of `zone`.
pub fn owner_hash(owner: &Name, zone: &Name) -> Option<Vec<u8>> {
    if owner.parent().as_ref() != Some(zone) {
        return None;
    }
    let label = std::str::from_utf8(owner.as_wire().first().as_slice()).ok()?;
    let hash: Vec<u8> = domain::utils::base32::decode_hex(label).ok()?;
    (hash.len() == HASH_OCTETS).then_some(hash)
}

/// The NSEC3 records of a zone that are sound in themselves, with the hashes of the names looked for so far.
struct Chain<'a> {
    records: Vec<Hashed<'a>>,
    settings: &'a Nsec3<Vec<u8>>,
    hashes: BTreeMap<Name, Vec<u8>>,
}

impl<'a> Chain<'a> {
    /// The records, and what is wrong with them by themselves. `None` when no hash can be compared.
    fn read(zone: &Name, sets: &[&'a Rrset], faults: &mut BTreeSet<AbsenceFault>) -> Option<Self> {
        let mut records = Vec::new();
        let mut settings = None;
        for set in sets {
            for record in &set.records {
                let Data::Nsec3(nsec3) = record.data() else { continue };
                if nsec3.hash_algorithm() != Nsec3HashAlgorithm::SHA1 {
                    faults.insert(AbsenceFault::HashUnknown);
                    continue;
                }
                if nsec3.iterations() > MAX_ITERATIONS {
                    faults.insert(AbsenceFault::TooManyIterations);
                    continue;
                }
                let next = nsec3.next_owner().as_slice().to_vec();
                if next.len() != HASH_OCTETS {
                    faults.insert(AbsenceFault::HashInvalid);
                    continue;
                }
                let Some(owner) = owner_hash(&set.owner, zone) else {
                    faults.insert(AbsenceFault::OwnerInvalid);
                    continue;
                };
                // records with other settings belong to another chain and are passed over (RFC 5155 §8.2)
                let first = *settings.get_or_insert(nsec3);
                if (first.iterations(), first.salt()) != (nsec3.iterations(), nsec3.salt()) {
                    continue;
                }
                let opt_out = nsec3.opt_out();
                records.push(Hashed {
                    owner,
                    next,
                    types: nsec3.types(),
                    opt_out,
                });
            }
        }
        Some(Self {
            records,
            settings: settings?,
            hashes: BTreeMap::new(),
        })
    }

    fn hash(&mut self, name: &Name) -> Vec<u8> {
        let settings = self.settings;
        let made = || -> Option<OwnerHash<Vec<u8>>> {
            let algorithm = settings.hash_algorithm();
            nsec3_hash(name.as_wire(), algorithm, settings.iterations(), settings.salt()).ok()
        };
        let hash = || made().map_or_else(Vec::new, |hash| hash.as_slice().to_vec());
        self.hashes.entry(name.clone()).or_insert_with(hash).clone()
    }

    fn matching(&mut self, name: &Name) -> Option<&Hashed<'a>> {
        let hash = self.hash(name);
        self.records.iter().find(|record| record.owner == hash)
    }

    fn covering(&mut self, name: &Name) -> Option<&Hashed<'a>> {
        let hash = self.hash(name);
        self.records.iter().find(|record| record.covers(&hash))
    }

    /// The closest encloser of `name` and the name one label longer (RFC 5155 §8.3).
    fn closest_encloser(&mut self, zone: &Name, name: &Name) -> Option<(Name, Name)> {
        let above = name.parent()?;
        let encloser = upwards(&above, zone).find(|candidate| {
            self.matching(candidate).is_some_and(|record| {
                let is_delegation = record.types.contains(Rtype::NS) && !record.types.contains(Rtype::SOA);
                !is_delegation && !record.types.contains(Rtype::DNAME)
            })
        })?;
        let closer = next_closer(name, &encloser)?;
        Some((encloser, closer))
    }
}

pub(super) fn judge(claim: Claim, sets: &[&Rrset]) -> BTreeSet<AbsenceFault> {
    let Claim {
        zone,
        name,
        rtype,
        kind,
        wildcard,
    } = claim;
    let mut faults = BTreeSet::new();
    let Some(mut chain) = Chain::read(zone, sets, &mut faults) else {
        return faults;
    };
    match kind {
        AbsenceKind::NoName => match chain.closest_encloser(zone, name) {
            _ if chain.matching(name).is_some() => {
                faults.insert(AbsenceFault::NameNotCovered);
            }
            None => {
                faults.insert(AbsenceFault::NoClosestEncloser);
            }
            Some((encloser, closer)) => {
                if chain.covering(&closer).is_none() {
                    faults.insert(AbsenceFault::NextCloserNotCovered);
                }
                let source = encloser.child("*");
                if source.is_ok_and(|source| chain.covering(&source).is_none()) {
                    faults.insert(AbsenceFault::WildcardNotCovered);
                }
            }
        },
        AbsenceKind::NoType | AbsenceKind::WildcardNoType => match chain.matching(name) {
            Some(record) => faults.extend(listed(record, rtype)),
            None => faults.extend(no_type_by_wildcard(&mut chain, zone, name, rtype)),
        },
        AbsenceKind::Wildcard => {
            if let Some(source) = wildcard
                && chain.covering(source).is_some()
            {
                faults.insert(AbsenceFault::WildcardCovered);
            }
            let closer = wildcard
                .and_then(Name::parent)
                .and_then(|encloser| next_closer(name, &encloser));
            match closer {
                Some(closer) if chain.matching(&closer).is_some() => {
                    faults.insert(AbsenceFault::ExpansionInvalid);
                }
                Some(closer) if chain.covering(&closer).is_some() => {}
                _ => {
                    faults.insert(AbsenceFault::NextCloserNotCovered);
                }
            }
        }
        AbsenceKind::NoDs => match chain.matching(name) {
            Some(record) => faults.extend(delegation_faults(|rtype| record.types.contains(rtype))),
            None => match chain.closest_encloser(zone, name) {
                None => {
                    faults.insert(AbsenceFault::NoClosestEncloser);
                }
                Some((_, closer)) => match chain.covering(&closer) {
                    Some(record) if record.opt_out => {}
                    Some(_) => {
                        faults.insert(AbsenceFault::OptOutNotSet);
                    }
                    None => {
                        faults.insert(AbsenceFault::NextCloserNotCovered);
                    }
                },
            },
        },
    }
    faults
}

/// What is wrong with a proof that a wildcard above `name` lacks the type (RFC 5155 §8.7).
fn no_type_by_wildcard(chain: &mut Chain<'_>, zone: &Name, name: &Name, rtype: Rtype) -> Option<AbsenceFault> {
    let (encloser, closer) = match chain.closest_encloser(zone, name) {
        Some(found) => found,
        None if chain.covering(name).is_some() => return Some(AbsenceFault::NameCovered),
        None => return Some(AbsenceFault::NoMatch),
    };
    let is_covered = chain.covering(&closer).is_some();
    let source = encloser.child("*").ok()?;
    match chain.matching(&source) {
        Some(record) if is_covered => listed(record, rtype),
        Some(_) => Some(AbsenceFault::NextCloserNotCovered),
        None if is_covered => Some(AbsenceFault::NameCovered),
        None => Some(AbsenceFault::NoMatch),
    }
}

fn listed(record: &Hashed<'_>, rtype: Rtype) -> Option<AbsenceFault> {
    (record.types.contains(rtype) || record.types.contains(Rtype::CNAME)).then_some(AbsenceFault::TypeListed)
}

pub(super) fn contradiction(zone: &Name, name: &Name, rtype: Rtype, set: &Rrset) -> Option<Contradiction> {
    let mut chain = Chain::read(zone, &[set], &mut BTreeSet::new())?;
    match chain.matching(name) {
        Some(record) => (!record.types.contains(rtype)).then_some(Contradiction::TypeNotListed),
        // with opt-out only unsigned delegations may hide in the span, and they are no authoritative data
        None => chain.covering(name).map(|_| Contradiction::NameCovered),
    }
}
