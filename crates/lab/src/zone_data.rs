//! A zone as a server holds it: RRsets by owner, with signatures and denial chain.

use std::collections::BTreeMap;
use std::ops::Bound;

use domain::base::iana::{Nsec3HashAlgorithm, Rtype};
use domain::dnssec::common::nsec3_hash;
use domain::rdata::ZoneRecordData;
use domain::rdata::nsec3::{Nsec3Salt, OwnerHash};
use model::Name;

use crate::zone_file::{Record, is_owner};

/// The records of one owner name and type, and the signatures over them.
#[derive(Debug, Clone, Default)]
pub(crate) struct RrSet {
    pub records: Vec<Record>,
    pub signatures: Vec<Record>,
}

/// RRsets of one owner name.
pub(crate) type Node = BTreeMap<Rtype, RrSet>;

/// A zone, looked up by name.
#[derive(Debug)]
pub(crate) struct ZoneData {
    pub apex: Name,
    nodes: BTreeMap<Name, Node>,
    /// NSEC3 RRsets by hash; their owners are no names of the zone.
    nsec3: BTreeMap<Vec<u8>, RrSet>,
    /// All records, the SOA first, as a transfer hands them out.
    pub all: Vec<Record>,
}

impl ZoneData {
    /// Files the records of a zone, signed or not.
    pub fn new(apex: Name, mut all: Vec<Record>) -> Self {
        let mut nodes: BTreeMap<Name, Node> = BTreeMap::new();
        let mut nsec3: BTreeMap<Vec<u8>, RrSet> = BTreeMap::new();
        for record in &all {
            let owner = Name::from_wire(record.owner());
            let (covered, is_signature) = match record.data() {
                ZoneRecordData::Rrsig(rrsig) => (rrsig.type_covered(), true),
                _ => (record.rtype(), false),
            };
            let set = match hash_in(&owner) {
                Some(hash) if covered == Rtype::NSEC3 => nsec3.entry(hash).or_default(),
                _ => nodes.entry(owner).or_default().entry(covered).or_default(),
            };
            let part = if is_signature {
                &mut set.signatures
            } else {
                &mut set.records
            };
            part.push(record.clone());
        }
        // Node order within `nodes` is canonical, since names compare so.
        all.sort_by_key(|record| !(record.rtype() == Rtype::SOA && is_owner(record, &apex)));
        Self {
            apex,
            nodes,
            nsec3,
            all,
        }
    }

    pub fn node(&self, name: &Name) -> Option<&Node> {
        self.nodes.get(name)
    }

    pub fn set(&self, name: &Name, rtype: Rtype) -> Option<&RrSet> {
        self.nodes.get(name)?.get(&rtype)
    }

    /// Whether the name exists, be it only because something is below it (an empty non-terminal).
    pub fn exists(&self, name: &Name) -> bool {
        let from_here = self.nodes.range::<Name, _>((Bound::Included(name), Bound::Unbounded));
        from_here
            .into_iter()
            .next()
            .is_some_and(|(next, _)| next.is_at_or_below(name))
    }

    pub fn soa(&self) -> Option<&RrSet> {
        self.set(&self.apex, Rtype::SOA)
    }

    /// The names from just below the apex down to `name`.
    pub fn path_to(&self, name: &Name) -> Vec<Name> {
        let mut path: Vec<Name> = std::iter::successors(Some(name.clone()), Name::parent)
            .take_while(|name| *name != self.apex)
            .collect();
        path.reverse();
        path
    }

    /// The topmost zone cut at or above `name`, if there is one.
    pub fn cut_above(&self, name: &Name) -> Option<Name> {
        self.path_to(name)
            .into_iter()
            .find(|name| self.set(name, Rtype::NS).is_some())
    }

    /// The longest existing name at or above `name`.
    pub fn closest_encloser(&self, name: &Name) -> Name {
        let path = self.path_to(name);
        path.into_iter()
            .rev()
            .find(|name| self.exists(name))
            .unwrap_or_else(|| self.apex.clone())
    }

    /// The NSEC whose span holds `name`: at it, or at the last owner before it.
    pub fn nsec_for(&self, name: &Name) -> Option<&RrSet> {
        let up_to = self.nodes.range::<Name, _>((Bound::Unbounded, Bound::Included(name)));
        up_to.rev().find_map(|(_, node)| node.get(&Rtype::NSEC))
    }

    pub fn uses_nsec3(&self) -> bool {
        !self.nsec3.is_empty()
    }

    /// The NSEC3 of exactly `name`.
    pub fn nsec3_of(&self, name: &Name) -> Option<&RrSet> {
        self.nsec3.get(&hash_of(name))
    }

    /// The NSEC3 whose span holds the hash of `name`.
    pub fn nsec3_covering(&self, name: &Name) -> Option<&RrSet> {
        let hash = hash_of(name);
        let before = self.nsec3.range(..=hash).next_back();
        before.or_else(|| self.nsec3.last_key_value()).map(|(_, set)| set)
    }
}

/// The NSEC3 hash of a name: SHA-1, no extra iterations, empty salt.
fn hash_of(name: &Name) -> Vec<u8> {
    let salt = Nsec3Salt::<Vec<u8>>::empty();
    let hash: OwnerHash<Vec<u8>> = nsec3_hash(name.as_wire(), Nsec3HashAlgorithm::SHA1, 0, &salt)
        .expect("SHA-1 is known and a hash of it fits an owner hash");
    hash.into_octets()
}

/// The hash that the first label of an NSEC3 owner spells.
fn hash_in(owner: &Name) -> Option<Vec<u8>> {
    let label = owner.as_wire().first();
    domain::utils::base32::decode_hex(std::str::from_utf8(label.as_slice()).ok()?).ok()
}
