//! What a snapshot delegates, for those who keep it: RRsets of cuts, and what became of each delegation.

use std::collections::BTreeSet;
use std::net::IpAddr;

use domain::base::iana::Rtype;
use model::{ChangedPart, Ds, Name, PassiveRrset, SeenIn, Timestamp, ZoneChange};

use crate::difference::{Difference, Pair};
use crate::names::{Owner, Place};
use crate::snapshot::Snapshot;
use crate::{Error, sorted};

impl Snapshot {
    /// Gives the delegations to `take`: NS of the apex, and NS, DS and glue of each cut, in the canonical order of names, as seen
    /// in this file at `time`.
    pub fn delegations<E: From<Error>>(
        &self,
        time: Timestamp,
        mut take: impl FnMut(PassiveRrset) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |source| Error::Sort {
            path: self.path.clone(),
            source,
        };
        let mut owners = self.owners().map_err(failed)?;
        while let Some(owner) = owners.next_owner().map_err(failed)? {
            let kept: &[Rtype] = match owner.place {
                Place::Apex => &[Rtype::NS],
                Place::Cut => &[Rtype::A, Rtype::NS, Rtype::AAAA, Rtype::DS],
                Place::Below(_) => &[Rtype::A, Rtype::AAAA],
                Place::Within => &[],
            };
            for rtype in kept {
                if let Some(rrset) = owner.rrsets.get(&rtype.to_int()) {
                    take(PassiveRrset {
                        name: sorted::name(&owner.key),
                        rtype: *rtype,
                        bailiwick: self.zone.clone(),
                        rdata: rrset.rdata.clone(),
                        seen_in: SeenIn::ZoneFile,
                        first: time,
                        last: time,
                        count: 1,
                    })?;
                }
            }
        }
        Ok(())
    }
}

impl Difference {
    /// Gives what became of each delegation to `take`, as first seen at `time`; TTLs are none of it.
    pub fn delegation_changes<E: From<Error>>(
        &self,
        time: Timestamp,
        mut take: impl FnMut(ZoneChange) -> Result<(), E>,
    ) -> Result<(), E> {
        self.pairs(|pair| {
            for part in [ChangedPart::Ns, ChangedPart::Ds, ChangedPart::Glue] {
                let (before, after) = (values(pair.before, part), values(pair.after, part));
                if let (true, Some(zone)) = (before != after, zone(&pair, part)) {
                    let (before, after) = (before.into_iter().collect(), after.into_iter().collect());
                    take(ZoneChange {
                        time,
                        zone,
                        part,
                        before,
                        after,
                        announced: false,
                    })?;
                }
            }
            Ok(())
        })
    }
}

/// The delegated zone to which a name's records of a part belong: where they are now, else where they were.
fn zone(pair: &Pair<'_>, part: ChangedPart) -> Option<Name> {
    let owners = [pair.after, pair.before].into_iter().flatten();
    let mut with_values = owners.filter(|owner| !values(Some(owner), part).is_empty());
    with_values.find_map(|owner| match &owner.place {
        Place::Cut => Some(sorted::name(&owner.key)),
        Place::Below(cut) => Some(sorted::name(cut)),
        Place::Apex | Place::Within => None,
    })
}

/// The values of a part in the form of a zone change; none for what is no delegation.
fn values(owner: Option<&Owner>, part: ChangedPart) -> BTreeSet<String> {
    let Some(owner) = owner else { return BTreeSet::new() };
    let rdata = |rtype: Rtype| {
        owner
            .rrsets
            .get(&rtype.to_int())
            .into_iter()
            .flat_map(|rrset| &rrset.rdata)
    };
    match (part, &owner.place) {
        (ChangedPart::Ns, Place::Cut) => rdata(Rtype::NS).filter_map(|rdata| target(rdata)).collect(),
        (ChangedPart::Ds, Place::Cut) => rdata(Rtype::DS).filter_map(|rdata| ds(rdata)).collect(),
        (ChangedPart::Glue, Place::Cut | Place::Below(_)) => {
            let name = sorted::name(&owner.key);
            let addresses = rdata(Rtype::A)
                .chain(rdata(Rtype::AAAA))
                .filter_map(|rdata| address(rdata));
            addresses.map(|address| format!("{name}/{address}")).collect()
        }
        _ => BTreeSet::new(),
    }
}

fn target(rdata: &[u8]) -> Option<String> {
    let name = domain::base::Name::from_octets(rdata).ok()?;
    Some(Name::from_wire(&name).to_string())
}

fn ds(rdata: &[u8]) -> Option<String> {
    let ([high, low, algorithm, digest_type], digest) = rdata.split_first_chunk::<4>()?;
    let ds = Ds {
        key_tag: u16::from_be_bytes([*high, *low]),
        algorithm: *algorithm,
        digest_type: *digest_type,
        digest: digest.to_vec(),
    };
    Some(ds.to_string())
}

fn address(rdata: &[u8]) -> Option<IpAddr> {
    let of_four = <[u8; 4]>::try_from(rdata).map(IpAddr::from);
    of_four.or_else(|_| <[u8; 16]>::try_from(rdata).map(IpAddr::from)).ok()
}
