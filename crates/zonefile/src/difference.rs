//! What became of each RRset from one snapshot of a zone to another.

use std::collections::BTreeSet;
use std::io;

use domain::base::Serial;
use domain::base::iana::Rtype;
use model::Name;

use crate::names::{Names, Owner, Place, RrsetAt};
use crate::snapshot::{Fault, Snapshot, counts_as_name, serial};
use crate::{Error, sorted};

/// How much may differ before the second snapshot is doubted.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many of a hundred names may be gone. Default 2: of 2,575 changes of the root zone from 2023 to 2026 none took more
    /// than 22 names of some 1,440 (1.5 %), and a download that was really cut off lacked 4.5 % (254 of 5,660). Higher lets such a one pass for
    /// a change; lower refuses the clean-up of a registry.
    pub names_gone: u8,
    /// As many may go in any case. Default 10: in a zone of fifty names 2 % is one. Higher lets small zones be emptied; lower
    /// refuses ordinary work on them.
    pub names_gone_at_least: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            names_gone: 2,
            names_gone_at_least: 10,
        }
    }
}

/// What is left out of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Without {
    /// Nothing.
    Nothing,
    /// What signing alone changes: RRSIG, NSEC, NSEC3, NSEC3PARAM, ZONEMD, and the serial.
    Signing,
}

/// How two serials stand to each other (RFC 1982 §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serials {
    /// They are the same.
    Same,
    /// The second is newer.
    Newer,
    /// The second is older.
    Older,
    /// They are half the circle apart: neither is newer.
    Undefined,
    /// One is missing.
    Unknown,
}

impl Serials {
    fn of(before: Option<u32>, after: Option<u32>) -> Self {
        let Some((before, after)) = before.zip(after) else {
            return Serials::Unknown;
        };
        match Serial(after).partial_cmp(&Serial(before)) {
            Some(std::cmp::Ordering::Equal) => Serials::Same,
            Some(std::cmp::Ordering::Greater) => Serials::Newer,
            Some(std::cmp::Ordering::Less) => Serials::Older,
            None => Serials::Undefined,
        }
    }

    /// One word: `same`, `newer`, `older`, `undefined` or `unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            Serials::Same => "same",
            Serials::Newer => "newer",
            Serials::Older => "older",
            Serials::Undefined => "undefined",
            Serials::Unknown => "unknown",
        }
    }
}

/// Which part of a zone an RRset is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// NS of a delegation.
    Ns,
    /// DS of a delegation.
    Ds,
    /// Addresses at or below a cut.
    Glue,
    /// All else: the zone's own data.
    Data,
}

impl Part {
    fn of(place: &Place, rtype: Rtype) -> Self {
        match (place, rtype) {
            (Place::Cut, Rtype::NS) => Part::Ns,
            (Place::Cut, Rtype::DS) => Part::Ds,
            (Place::Cut | Place::Below(_), Rtype::A | Rtype::AAAA) => Part::Glue,
            _ => Part::Data,
        }
    }

    /// One word: `ns`, `ds`, `glue` or `data`.
    pub fn as_str(self) -> &'static str {
        match self {
            Part::Ns => "ns",
            Part::Ds => "ds",
            Part::Glue => "glue",
            Part::Data => "data",
        }
    }
}

/// What became of an RRset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has other records.
    Changed,
    /// It has the same records with another TTL.
    Ttl,
    /// The SOA has another serial, and else what it had.
    Serial,
}

impl Kind {
    /// One word: `added`, `removed`, `changed`, `ttl` or `serial`.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Added => "added",
            Kind::Removed => "removed",
            Kind::Changed => "changed",
            Kind::Ttl => "ttl",
            Kind::Serial => "serial",
        }
    }
}

/// What became of one RRset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its owner.
    pub name: Name,
    /// Its type.
    pub rtype: Rtype,
    /// Which part of the zone it is.
    pub part: Part,
    /// The delegated zone that it belongs to; `None` for the zone's own data.
    pub zone: Option<Name>,
    /// What became of it.
    pub kind: Kind,
    /// What it was.
    pub before: Option<RrsetAt>,
    /// What it is.
    pub after: Option<RrsetAt>,
}

impl Change {
    /// Data of the records that are gone.
    pub fn removed(&self) -> Vec<&[u8]> {
        only_in(self.before.as_ref(), self.after.as_ref())
    }

    /// Data of the records that are new.
    pub fn added(&self) -> Vec<&[u8]> {
        only_in(self.after.as_ref(), self.before.as_ref())
    }
}

fn only_in<'a>(one: Option<&'a RrsetAt>, other: Option<&RrsetAt>) -> Vec<&'a [u8]> {
    let others: BTreeSet<&Vec<u8>> = other.iter().flat_map(|rrset| &rrset.rdata).collect();
    let of_one = one.iter().flat_map(|rrset| &rrset.rdata);
    of_one
        .filter(|rdata| !others.contains(rdata))
        .map(Vec::as_slice)
        .collect()
}

/// Two snapshots of one zone.
pub struct Difference {
    /// The first.
    pub before: Snapshot,
    /// The second.
    pub after: Snapshot,
    /// How their serials stand to each other.
    pub serials: Serials,
    /// What speaks against the second beside the first.
    pub faults: Vec<Fault>,
    without: Without,
}

impl Difference {
    /// Compares two snapshots so far that it can be said whether to trust the second.
    pub fn of(before: Snapshot, after: Snapshot, without: Without, limits: &Limits) -> Result<Self, Error> {
        if before.records > 0 && after.records > 0 && before.zone != after.zone {
            return Err(Error::OtherZone {
                before: before.zone,
                after: after.zone,
            });
        }
        let serials = Serials::of(before.serial, after.serial);
        let mut difference = Self {
            before,
            after,
            serials,
            faults: Vec::new(),
            without,
        };
        let mut gone = 0;
        let mut differs = false;
        difference.pairs(|pair| {
            let is_name = |owner: &Owner| owner.rrsets.keys().any(|rtype| counts_as_name(Rtype::from_int(*rtype)));
            gone += u64::from(pair.before.is_some_and(is_name) && !pair.after.is_some_and(is_name));
            if serials == Serials::Same && !differs {
                differs = !pair.changes(without).is_empty();
            }
            Ok::<(), Error>(())
        })?;
        let of = difference.before.names;
        if gone > limits.names_gone_at_least && gone * 100 > of * u64::from(limits.names_gone) {
            difference.faults.push(Fault::NamesGone {
                gone,
                of,
                limit: limits.names_gone,
            });
        }
        if let Some((before, after)) = difference.before.serial.zip(difference.after.serial) {
            difference.faults.extend(match serials {
                Serials::Older => Some(Fault::Older { before, after }),
                Serials::Undefined => Some(Fault::NotComparable { before, after }),
                Serials::Same if differs => Some(Fault::NotNewer { before, after }),
                Serials::Same | Serials::Newer | Serials::Unknown => None,
            });
        }
        Ok(difference)
    }

    /// Gives each change to `take`, in the canonical order of names. It may be called again.
    pub fn changes<E: From<Error>>(&self, mut take: impl FnMut(Change) -> Result<(), E>) -> Result<(), E> {
        self.pairs(|pair| pair.changes(self.without).into_iter().try_for_each(&mut take))
    }

    pub(crate) fn pairs<E: From<Error>>(&self, mut visit: impl FnMut(Pair<'_>) -> Result<(), E>) -> Result<(), E> {
        let failed = |snapshot: &Snapshot| {
            let path = snapshot.path.clone();
            move |source: io::Error| Error::Sort { path, source }
        };
        let open = |snapshot: &Snapshot| snapshot.owners().map_err(failed(snapshot));
        let next = |names: &mut Names, snapshot| names.next_owner().map_err(failed(snapshot));
        let (mut befores, mut afters) = (open(&self.before)?, open(&self.after)?);
        let (mut before, mut after) = (next(&mut befores, &self.before)?, next(&mut afters, &self.after)?);
        loop {
            let order = match (&before, &after) {
                (None, None) => return Ok(()),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(before), Some(after)) => before.key.cmp(&after.key),
            };
            visit(Pair {
                before: before.as_ref().filter(|_| order.is_le()),
                after: after.as_ref().filter(|_| order.is_ge()),
            })?;
            if order.is_le() {
                before = next(&mut befores, &self.before)?;
            }
            if order.is_ge() {
                after = next(&mut afters, &self.after)?;
            }
        }
    }
}

/// One name in both snapshots, or in one.
pub(crate) struct Pair<'a> {
    pub before: Option<&'a Owner>,
    pub after: Option<&'a Owner>,
}

impl Pair<'_> {
    fn changes(&self, without: Without) -> Vec<Change> {
        let types: BTreeSet<u16> = [self.before, self.after]
            .into_iter()
            .flatten()
            .flat_map(|o| o.rrsets.keys().copied())
            .collect();
        let mut changes = Vec::new();
        for number in types {
            let rtype = Rtype::from_int(number);
            let rrset = |owner: Option<&Owner>| owner.and_then(|owner| owner.rrsets.get(&number)).cloned();
            let (before, after) = (rrset(self.before), rrset(self.after));
            let Some(kind) = kind(rtype, before.as_ref(), after.as_ref()) else {
                continue;
            };
            if without == Without::Signing && (is_of_signing(rtype) || kind == Kind::Serial) {
                continue;
            }
            // where it is now; where it was, if it is gone
            let places = [
                self.after.filter(|_| after.is_some()),
                self.before.filter(|_| before.is_some()),
            ];
            let places = || places.into_iter().flatten();
            let part = places()
                .map(|owner| Part::of(&owner.place, rtype))
                .min()
                .unwrap_or(Part::Data);
            let zone = places().find_map(|owner| match &owner.place {
                _ if part == Part::Data => None,
                Place::Cut => Some(sorted::name(&owner.key)),
                Place::Below(cut) => Some(sorted::name(cut)),
                Place::Apex | Place::Within => None,
            });
            let name = places()
                .next()
                .map(|owner| sorted::name(&owner.key))
                .unwrap_or_else(Name::root);
            changes.push(Change {
                name,
                rtype,
                part,
                zone,
                kind,
                before,
                after,
            });
        }
        changes
    }
}

/// What became of an RRset; `None` when nothing did.
fn kind(rtype: Rtype, before: Option<&RrsetAt>, after: Option<&RrsetAt>) -> Option<Kind> {
    match (before, after) {
        (None, None) => None,
        (None, Some(_)) => Some(Kind::Added),
        (Some(_), None) => Some(Kind::Removed),
        (Some(before), Some(after)) if before.rdata != after.rdata => {
            let is_serial = rtype == Rtype::SOA
                && before.ttl == after.ttl
                && before
                    .rdata
                    .iter()
                    .map(|rdata| without_serial(rdata))
                    .eq(after.rdata.iter().map(|rdata| without_serial(rdata)));
            Some(if is_serial { Kind::Serial } else { Kind::Changed })
        }
        (Some(before), Some(after)) => (before.ttl != after.ttl).then_some(Kind::Ttl),
    }
}

fn without_serial(soa: &[u8]) -> Vec<u8> {
    let Some(at) = serial(soa).and(soa.len().checked_sub(20)) else {
        return soa.to_vec();
    };
    [&soa[..at], &soa[at + 4..]].concat()
}

/// Types whose records change when a zone is signed anew and nothing else happens.
fn is_of_signing(rtype: Rtype) -> bool {
    matches!(
        rtype,
        Rtype::RRSIG | Rtype::NSEC | Rtype::NSEC3 | Rtype::NSEC3PARAM | Rtype::ZONEMD
    )
}
