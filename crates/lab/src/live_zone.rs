//! A zone as it is served: as its files and the events make it, and spoilt in the ways that faults ask for.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use domain::base::iana::{Class, Rtype};
use domain::base::{Record as WireRecord, Serial};
use domain::rdata::{Soa, ZoneRecordData};
use jiff::Timestamp;
use model::{Delegation, Ds, Name};

use crate::forge::Manner;
use crate::sign::{SignError, Validity, ZoneKey, sign};
use crate::signing::Signing;
use crate::zone_data::ZoneData;
use crate::zone_file::Record;

/// A zone as built, with the spoilt variants that faults have asked for so far.
#[derive(Debug)]
pub(crate) struct LiveZone {
    pub id: String,
    pub name: Name,
    /// How it is signed and by which keys, if it is.
    pub signed: Option<(Signing, Vec<ZoneKey>)>,
    /// Its records without what signing adds.
    pub records: Vec<Record>,
    pub fresh: Arc<ZoneData>,
    /// When the lab started: spoilt signatures are dated from there.
    pub start: Timestamp,
    pub variants: Mutex<HashMap<Variant, Arc<ZoneData>>>,
}

/// How a variant of a zone differs from the zone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Variant {
    pub signatures: Signatures,
    pub stale_serial: bool,
    /// Children without DS: none, or those named, or all when the set is empty.
    pub without_ds: Option<BTreeSet<Name>>,
}

/// State of a variant's signatures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum Signatures {
    #[default]
    Fresh,
    Expired,
    NotYetValid,
    Wrong,
}

impl LiveZone {
    /// The zone's data in this variant.
    pub fn data(&self, variant: &Variant) -> Arc<ZoneData> {
        if *variant == Variant::default() {
            return Arc::clone(&self.fresh);
        }
        let mut variants = self.variants.lock().expect("no holder of this lock panics");
        if let Some(data) = variants.get(variant) {
            return Arc::clone(data);
        }
        let data = self.spoil(variant).unwrap_or_else(|error| {
            tracing::error!(%error, zone = %self.name, "zone `{}` is served as it is instead of in a variant", self.name);
            Arc::clone(&self.fresh)
        });
        variants.insert(variant.clone(), Arc::clone(&data));
        data
    }

    fn spoil(&self, variant: &Variant) -> Result<Arc<ZoneData>, SignError> {
        let mut records = self.records.clone();
        if let Some(children) = &variant.without_ds {
            let is_without = |owner: Name| children.is_empty() || children.contains(&owner);
            records.retain(|record| record.rtype() != Rtype::DS || !is_without(Name::from_wire(record.owner())));
        }
        if variant.stale_serial {
            move_serial(&mut records, u32::MAX);
        }
        const DAY: i64 = 86_400;
        let now = self.start.as_second();
        let validity = match variant.signatures {
            Signatures::Expired => Validity {
                inception: now - 15 * DAY,
                expiration: now - DAY,
            },
            Signatures::NotYetValid => Validity {
                inception: now + 30 * DAY,
                expiration: now + 44 * DAY,
            },
            Signatures::Fresh | Signatures::Wrong => Validity {
                inception: now - DAY,
                expiration: now + 14 * DAY,
            },
        };
        if let Some((signing, keys)) = &self.signed {
            records = sign(&self.name, records, keys, signing, validity)?;
        }
        if variant.signatures == Signatures::Wrong {
            records = records.into_iter().map(with_wrong_signature).collect();
        }
        Ok(Arc::new(ZoneData::new(self.name.clone(), records)))
    }

    /// Its keys, none when it is not signed.
    pub fn keys(&self) -> &[ZoneKey] {
        self.signed.as_ref().map_or(&[], |(_, keys)| keys)
    }

    /// These records with the signatures that the zone's keys make over each RRset of them, after it.
    pub fn with_signatures(&self, records: Vec<Record>) -> Vec<Record> {
        let mut sets: Vec<Vec<Record>> = Vec::new();
        for record in records {
            let is_its = |set: &&mut Vec<Record>| set[0].owner() == record.owner() && set[0].rtype() == record.rtype();
            match sets.iter_mut().find(is_its) {
                Some(set) => set.push(record),
                None => sets.push(vec![record]),
            }
        }
        let signed = sets.into_iter().flat_map(|set| {
            let signers = self.keys().iter().filter(|key| key.key.signs(set[0].rtype()));
            let forgers = signers.filter_map(ZoneKey::forger);
            let signatures: Vec<Record> = forgers
                .map(|forger| forger.sign(&set, self.start.as_second(), &Manner::default()))
                .collect();
            set.into_iter().chain(signatures)
        });
        signed.collect()
    }

    /// What this zone says of `child`, if it delegates it.
    pub fn delegation(&self, child: &Name) -> Option<Delegation> {
        let node = self.fresh.node(child)?;
        let ns = node
            .get(&Rtype::NS)?
            .records
            .iter()
            .filter_map(|record| match record.data() {
                ZoneRecordData::Ns(ns) => Some(Name::from_wire(ns.nsdname())),
                _ => None,
            });
        let ds = node
            .get(&Rtype::DS)
            .into_iter()
            .flat_map(|set| &set.records)
            .filter_map(|record| match record.data() {
                ZoneRecordData::Ds(ds) => Some(Ds {
                    key_tag: ds.key_tag(),
                    algorithm: ds.algorithm().to_int(),
                    digest_type: ds.digest_type().to_int(),
                    digest: ds.digest().clone(),
                }),
                _ => None,
            });
        Some(Delegation {
            ns: ns.map(|name| (name.clone(), self.addresses(&name))).collect(),
            ds: ds.collect(),
        })
    }

    /// The addresses that this zone has for a name, as data or as glue.
    pub fn addresses(&self, name: &Name) -> BTreeSet<IpAddr> {
        let sets = self.fresh.node(name).into_iter().flat_map(|node| node.values());
        let addresses = sets
            .flat_map(|set| &set.records)
            .filter_map(|record| match record.data() {
                ZoneRecordData::A(a) => Some(IpAddr::V4(a.addr())),
                ZoneRecordData::Aaaa(aaaa) => Some(IpAddr::V6(aaaa.addr())),
                _ => None,
            });
        addresses.collect()
    }
}

fn with_wrong_signature(record: Record) -> Record {
    let ZoneRecordData::Rrsig(mut rrsig) = record.data().clone() else {
        return record;
    };
    let mut signature = rrsig.signature().clone();
    if let Some(last) = signature.last_mut() {
        *last ^= 0xff;
    }
    rrsig.set_signature(signature);
    WireRecord::new(
        record.owner().clone(),
        Class::IN,
        record.ttl(),
        ZoneRecordData::Rrsig(rrsig),
    )
}

/// Adds to the SOA's serial (RFC 1982 arithmetic: `u32::MAX` takes one away).
pub(crate) fn move_serial(records: &mut [Record], by: u32) {
    for record in records {
        if let ZoneRecordData::Soa(soa) = record.data() {
            let serial = Serial(soa.serial().into_int().wrapping_add(by));
            let (mname, rname) = (soa.mname().clone(), soa.rname().clone());
            let data = Soa::new(
                mname,
                rname,
                serial,
                soa.refresh(),
                soa.retry(),
                soa.expire(),
                soa.minimum(),
            );
            *record = WireRecord::new(
                record.owner().clone(),
                Class::IN,
                record.ttl(),
                ZoneRecordData::Soa(data),
            );
        }
    }
}
