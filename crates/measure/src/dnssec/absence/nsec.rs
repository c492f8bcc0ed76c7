//! Proofs by NSEC (RFC 4034 §4, RFC 4035 §5.4).

use std::collections::BTreeSet;

use domain::base::iana::Rtype;
use domain::rdata::dnssec::RtypeBitmap;
use model::{AbsenceKind, Name};

use super::{AbsenceFault, Claim, Contradiction, delegation_faults, next_closer, upwards};
use crate::dnssec::Rrset;
use crate::record::Data;

/// One NSEC record.
struct Nsec<'a> {
    owner: &'a Name,
    next: Name,
    types: &'a RtypeBitmap<Vec<u8>>,
}

impl Nsec<'_> {
    fn all_in<'a>(sets: &[&'a Rrset]) -> Vec<Nsec<'a>> {
        let records = sets
            .iter()
            .flat_map(|set| set.records.iter().map(move |record| (&set.owner, record)));
        let nsec = |(owner, record): (&'a Name, &'a crate::dnssec::rrset::Signable)| match record.data() {
            Data::Nsec(nsec) => Some(Nsec {
                owner,
                next: Name::from_wire(nsec.next_name()),
                types: nsec.types(),
            }),
            _ => None,
        };
        records.filter_map(nsec).collect()
    }

    /// The last of its zone: its span leads back to the beginning.
    fn is_last(&self) -> bool {
        self.next <= *self.owner
    }

    fn covers(&self, name: &Name) -> bool {
        *self.owner < *name && (*name < self.next || self.is_last()) && !self.is_cut_above(name)
    }

    /// Whether its owner ends the zone above `name`: an NSEC from above a cut or of a DNAME says nothing of what is below
    /// (RFC 6840 §4.1).
    fn is_cut_above(&self, name: &Name) -> bool {
        let is_delegation = self.types.contains(Rtype::NS) && !self.types.contains(Rtype::SOA);
        (is_delegation || self.types.contains(Rtype::DNAME)) && name.is_at_or_below(self.owner) && name != self.owner
    }

    /// The longest ancestor of `name` that this covering record shows to exist.
    fn closest_encloser(&self, name: &Name, zone: &Name) -> Name {
        let shown = |ancestor: &Name| self.owner.is_at_or_below(ancestor) || self.next.is_at_or_below(ancestor);
        upwards(name, zone).find(shown).unwrap_or_else(|| zone.clone())
    }
}

pub(super) fn judge(claim: Claim, sets: &[&Rrset]) -> BTreeSet<AbsenceFault> {
    let records = Nsec::all_in(sets);
    let Claim {
        zone,
        name,
        rtype,
        kind,
        wildcard,
    } = claim;
    let mut faults = BTreeSet::new();
    if records.iter().any(|nsec| nsec.is_last() && nsec.next != *zone) {
        faults.insert(AbsenceFault::LastNextNotApex);
    }
    let matching = records.iter().find(|nsec| nsec.owner == name);
    let covering = records.iter().find(|nsec| nsec.covers(name));
    match kind {
        AbsenceKind::NoName => match covering {
            None => {
                faults.insert(AbsenceFault::NameNotCovered);
            }
            Some(covering) => {
                let source = covering.closest_encloser(name, zone).child("*");
                let is_covered = source.is_ok_and(|source| records.iter().any(|nsec| nsec.covers(&source)));
                if !is_covered {
                    faults.insert(AbsenceFault::WildcardNotCovered);
                }
            }
        },
        AbsenceKind::NoType | AbsenceKind::WildcardNoType => match (matching, covering) {
            (Some(nsec), _) => faults.extend(listed(nsec, rtype)),
            // an empty non-terminal: what comes next is below the name
            (None, Some(nsec)) if nsec.next.is_at_or_below(name) => {}
            (None, Some(covering)) => {
                let source = covering.closest_encloser(name, zone).child("*").ok();
                match records.iter().find(|nsec| Some(nsec.owner) == source.as_ref()) {
                    Some(nsec) => faults.extend(listed(nsec, rtype)),
                    None => {
                        faults.insert(AbsenceFault::NameCovered);
                    }
                }
            }
            (None, None) => {
                faults.insert(AbsenceFault::NoMatch);
            }
        },
        AbsenceKind::Wildcard => {
            if let Some(source) = wildcard
                && records.iter().any(|nsec| nsec.covers(source))
            {
                faults.insert(AbsenceFault::WildcardCovered);
            }
            let encloser = wildcard.and_then(Name::parent);
            match (covering, encloser) {
                (Some(covering), Some(encloser)) => {
                    let closer = next_closer(name, &encloser);
                    let is_closer_there =
                        closer.is_some_and(|closer| covering.closest_encloser(name, zone).is_at_or_below(&closer));
                    if is_closer_there {
                        faults.insert(AbsenceFault::ExpansionInvalid);
                    }
                }
                _ => {
                    faults.insert(AbsenceFault::NameNotCovered);
                }
            }
        }
        AbsenceKind::NoDs => match (matching, covering) {
            (Some(nsec), _) => faults.extend(delegation_faults(|rtype| nsec.types.contains(rtype))),
            (None, Some(_)) => {
                faults.insert(AbsenceFault::NameCovered);
            }
            (None, None) => {
                faults.insert(AbsenceFault::NoMatch);
            }
        },
    }
    faults
}

/// What is wrong with a list of types from which `rtype` should be missing. With CNAME there, the answer had to be the alias.
fn listed(nsec: &Nsec<'_>, rtype: Rtype) -> Option<AbsenceFault> {
    (nsec.types.contains(rtype) || nsec.types.contains(Rtype::CNAME)).then_some(AbsenceFault::TypeListed)
}

pub(super) fn contradiction(name: &Name, rtype: Rtype, set: &Rrset) -> Option<Contradiction> {
    Nsec::all_in(&[set]).iter().find_map(|nsec| {
        if nsec.owner == name {
            (!nsec.types.contains(rtype)).then_some(Contradiction::TypeNotListed)
        } else {
            let is_denied = nsec.covers(name) && !nsec.next.is_at_or_below(name);
            is_denied.then_some(Contradiction::NameCovered)
        }
    })
}
