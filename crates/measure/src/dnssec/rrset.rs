//! RRsets as they stand in a section of a message, with the signatures that came along.

use std::collections::BTreeMap;

use domain::base::iana::{Class, Rtype};
use model::Name;

use super::Rrsig;
use crate::record::{Data, OwnedName, Record};

/// How many signatures over one RRset are judged. Chosen by us: an algorithm rollover by two providers has eight; more
/// than these are made to keep validators busy (CVE-2023-50387), and would let one zone hold up the checks of others.
pub const MAX_SIGNATURES: usize = 64;

/// A record in the form that signatures are verified in.
pub type Signable = domain::base::Record<OwnedName, Data>;

/// The records of one owner and type in one section (RFC 2181 §5), with the signatures that cover them.
#[derive(Debug, Clone, PartialEq)]
pub struct Rrset {
    /// Owner name, in lower case.
    pub owner: Name,
    /// Type.
    pub rtype: Rtype,
    /// The highest TTL among its records, in seconds.
    pub ttl: u32,
    /// Its records, at least one.
    pub records: Vec<Signable>,
    /// The signatures over it, at most [`MAX_SIGNATURES`].
    pub signatures: Vec<Signature>,
}

/// An RRSIG record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// TTL of the record itself, in seconds.
    pub ttl: u32,
    /// Its data.
    pub rrsig: Rrsig,
}

/// The RRsets of a section in the order of owner and type; records of other classes than IN are left out.
pub fn rrsets(section: &[Record]) -> Vec<Rrset> {
    let mut sets: BTreeMap<(Name, Rtype), Rrset> = BTreeMap::new();
    let in_class = || section.iter().filter(|record| record.class == Class::IN);
    for record in in_class().filter(|record| record.rtype() != Rtype::RRSIG) {
        let set = sets
            .entry((record.owner.clone(), record.rtype()))
            .or_insert_with(|| Rrset {
                owner: record.owner.clone(),
                rtype: record.rtype(),
                ttl: 0,
                records: Vec::new(),
                signatures: Vec::new(),
            });
        set.ttl = set.ttl.max(record.ttl);
        set.records.push(record.to_wire());
    }
    for record in in_class() {
        let Some(rrsig) = record.rrsig() else { continue };
        if let Some(set) = sets.get_mut(&(record.owner.clone(), rrsig.type_covered()))
            && set.signatures.len() < MAX_SIGNATURES
        {
            set.signatures.push(Signature {
                ttl: record.ttl,
                rrsig: rrsig.clone(),
            });
        }
    }
    sets.into_values().collect()
}
