//! Whether NSEC or NSEC3 records prove what an answer says is not there (RFC 4035 §5.4, RFC 5155 §8, RFC 6840 §4).
//!
//! Only the logic: that the records are signed is judged as for any other RRset, and whoever wants a verdict passes the
//! verified ones alone.

mod nsec;
mod nsec3;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use domain::base::iana::Rtype;
use model::{AbsenceKind, Name};

use super::Rrset;

pub use nsec3::{MAX_ITERATIONS, owner_hash};

/// One thing that is wrong with a proof of absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AbsenceFault {
    /// There is neither NSEC nor NSEC3.
    NoProof,
    /// Nothing covers the name.
    NameNotCovered,
    /// The name is said not to exist, where only the type may be missing.
    NameCovered,
    /// No NSEC3 belongs to the closest encloser (RFC 5155 §8.3).
    NoClosestEncloser,
    /// Nothing covers the name one label longer than the closest encloser.
    NextCloserNotCovered,
    /// Nothing says that there is no wildcard.
    WildcardNotCovered,
    /// The wildcard that the answer was made from is said not to exist.
    WildcardCovered,
    /// The answer comes from a wildcard although a closer name exists (RFC 4592 §4.1).
    ExpansionInvalid,
    /// No record belongs to the name.
    NoMatch,
    /// The type is listed as existing.
    TypeListed,
    /// Opt-out is needed and its flag is not set (RFC 5155 §6).
    OptOutNotSet,
    /// The last NSEC does not lead back to the apex (RFC 4034 §4.1.1).
    LastNextNotApex,
    /// The next hashed owner name is no SHA-1 hash.
    HashInvalid,
    /// The owner is no hash below the apex.
    OwnerInvalid,
    /// The hash algorithm is not SHA-1 (RFC 5155 §8.1).
    HashUnknown,
    /// More iterations than validators compute (RFC 9276 §3.2).
    TooManyIterations,
    /// A delegation whose list of types has SOA: it comes from below the cut.
    DelegationWithSoa,
    /// A delegation whose list of types has DS.
    DelegationWithDs,
    /// A delegation whose list of types lacks NS.
    DelegationWithoutNs,
}

/// What is to be proven.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The zone that says so.
    pub zone: &'a Name,
    /// The name asked for.
    pub name: &'a Name,
    /// The type asked for.
    pub rtype: Rtype,
    /// What is said.
    pub kind: AbsenceKind,
    /// For [`AbsenceKind::Wildcard`] the wildcard that the answer was made from.
    pub wildcard: Option<&'a Name>,
}

/// All that is wrong with the proof that `sets` give for `claim`; nothing when it holds.
///
/// Where both NSEC and NSEC3 are there, one sound proof is enough.
pub fn judge(claim: Claim, sets: &[&Rrset]) -> BTreeSet<AbsenceFault> {
    let of = |rtype| -> Vec<&Rrset> { sets.iter().copied().filter(|set| set.rtype == rtype).collect() };
    let (nsec, nsec3) = (of(Rtype::NSEC), of(Rtype::NSEC3));
    match (nsec.is_empty(), nsec3.is_empty()) {
        (true, true) => BTreeSet::from([AbsenceFault::NoProof]),
        (false, true) => nsec::judge(claim, &nsec),
        (true, false) => nsec3::judge(claim, &nsec3),
        (false, false) => {
            let (by_nsec, by_nsec3) = (nsec::judge(claim, &nsec), nsec3::judge(claim, &nsec3));
            if by_nsec.len() <= by_nsec3.len() {
                by_nsec
            } else {
                by_nsec3
            }
        }
    }
}

/// What an NSEC or NSEC3 RRset denies although it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Contradiction {
    /// It covers the name (caches that use RFC 8198 make it vanish).
    NameCovered,
    /// It belongs to the name and does not list the type.
    TypeNotListed,
}

/// Whether a record of `sets` denies records of `name` and `rtype`, which exist in `zone`.
pub fn contradiction(zone: &Name, name: &Name, rtype: Rtype, sets: &[&Rrset]) -> Option<Contradiction> {
    sets.iter().find_map(|set| {
        if set.rtype == Rtype::NSEC {
            nsec::contradiction(name, rtype, set)
        } else {
            nsec3::contradiction(zone, name, rtype, set)
        }
    })
}

/// The names from `name` up to `top`, both included.
fn upwards<'a>(name: &'a Name, top: &'a Name) -> impl Iterator<Item = Name> + 'a {
    std::iter::successors(Some(name.clone()), Name::parent).take_while(|name| name.is_at_or_below(top))
}

/// The ancestor of `name`, or itself, that is one label longer than `encloser`.
fn next_closer(name: &Name, encloser: &Name) -> Option<Name> {
    let depth = encloser.label_count() + 1;
    upwards(name, encloser).find(|name| name.label_count() == depth)
}

/// What a list of types at a delegation must and must not hold (RFC 4035 §5.2, RFC 5155 §8.9).
fn delegation_faults(has: impl Fn(Rtype) -> bool) -> impl Iterator<Item = AbsenceFault> {
    let wrong = [
        (has(Rtype::SOA), AbsenceFault::DelegationWithSoa),
        (has(Rtype::DS), AbsenceFault::DelegationWithDs),
        (!has(Rtype::NS), AbsenceFault::DelegationWithoutNs),
    ];
    wrong
        .into_iter()
        .filter_map(|(is_wrong, fault)| is_wrong.then_some(fault))
}
