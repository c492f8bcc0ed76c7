//! The world as it stands: what the files say plus what has happened since, worked out anew after each event.
//!
//! A zone whose records, key and validity stay the same is kept as it was built; any other is built again with a
//! higher serial. Undoing an event is leaving it out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::base::iana::{Class, DigestAlgorithm, Rtype, SecurityAlgorithm};
use domain::base::{Record as WireRecord, Ttl};
use domain::rdata::{A, Aaaa, Ds as DsData, Ns, ZoneRecordData};
use jiff::{SignedDuration, Timestamp};
use model::{Ds, Name};

use crate::event::{Change, DsChange, Event};
use crate::fault::{Fault, FaultRule};
use crate::live_zone::{LiveZone, move_serial};
use crate::sign::{Keys, SignError, Validity, ZoneKey, sign};
use crate::signing::ParentDs;
use crate::tamper::Tampering;
use crate::world::{World, Zone, parent_by};
use crate::zone_data::ZoneData;
use crate::zone_file::{Data, Record, is_owner};

/// Why an event cannot happen.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It does not fit the world.
    #[error("this event cannot happen: {0}")]
    Contradiction(String),
    /// No event of this name has happened, or it is undone already.
    #[error("no event `{0}` has happened that could be repaired")]
    NothingToRepair(String),
    /// A zone cannot be signed any more.
    #[error("the world cannot be as the event wants it")]
    Sign(#[from] SignError),
}

/// The world between two events, as servers and tests see it.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub servers: HashMap<IpAddr, ServerState>,
    /// First editions, the deepest names first.
    pub zones: Vec<Arc<LiveZone>>,
    /// Delegations as the parents give them.
    pub root: Option<Arc<LiveZone>>,
}

/// A server between two events.
#[derive(Debug)]
pub(crate) struct ServerState {
    pub name: Name,
    pub latency: Duration,
    pub loss: f64,
    pub faults: Vec<FaultRule>,
    pub tampering: Vec<Tampering>,
    /// The deepest names first.
    pub zones: Vec<Arc<LiveZone>>,
}

/// What a zone is built from. The same shape gives the same zone.
#[derive(Debug, Clone, PartialEq)]
struct Shape {
    records: Vec<Record>,
    generation: u32,
    validity: Option<Validity>,
}

/// Keeps what has happened and builds what follows from it.
#[derive(Debug)]
pub(crate) struct Stage {
    pub world: Arc<World>,
    start: Timestamp,
    keys: Keys,
    happened: Vec<(Timestamp, Event)>,
    tampered: Vec<(IpAddr, Tampering)>,
    built: HashMap<String, (Shape, u32, Arc<LiveZone>)>,
}

impl Stage {
    /// The world as its files say, at `start`.
    pub fn set(world: Arc<World>, start: Timestamp) -> Result<(Self, Snapshot), SignError> {
        let keys = Keys::new(world.keys.clone());
        let mut stage = Self {
            world,
            start,
            keys,
            happened: Vec::new(),
            tampered: Vec::new(),
            built: HashMap::new(),
        };
        let snapshot = stage.build()?;
        Ok((stage, snapshot))
    }

    /// Lets an event happen at `now`. After an error the world is as it was before.
    pub fn apply(&mut self, event: &Event, now: Timestamp) -> Result<Snapshot, EventError> {
        if let Some(reason) = self.world.contradiction(&event.change) {
            return Err(EventError::Contradiction(reason));
        }
        let before = self.happened.clone();
        match &event.change {
            Change::Repair { event: name } => {
                self.happened.retain(|(_, event)| event.name.as_ref() != Some(name));
                if self.happened.len() == before.len() {
                    return Err(EventError::NothingToRepair(name.clone()));
                }
            }
            _ => self.happened.push((now, event.clone())),
        }
        self.build().map_err(|error| {
            self.happened = before;
            error.into()
        })
    }

    /// Changes all answers of an address from now on.
    pub fn tamper(&mut self, address: IpAddr, tampering: Tampering) -> Snapshot {
        self.tampered.push((address, tampering));
        self.snapshot()
    }

    fn build(&mut self) -> Result<Snapshot, SignError> {
        let world = Arc::clone(&self.world);
        let shapes = self.shapes(&world)?;
        let mut built = HashMap::with_capacity(shapes.len());
        for (zone, shape) in world.zones.iter().zip(shapes) {
            let entry = match self.built.get(&zone.id) {
                Some((old, revision, live)) if *old == shape => (shape, *revision, Arc::clone(live)),
                previous => {
                    let revision = previous.map_or(0, |(_, revision, _)| revision + 1);
                    let live = self.build_zone(zone, &shape, revision)?;
                    (shape, revision, Arc::new(live))
                }
            };
            built.insert(zone.id.clone(), entry);
        }
        self.built = built;
        Ok(self.snapshot())
    }

    fn build_zone(&mut self, zone: &Zone, shape: &Shape, revision: u32) -> Result<LiveZone, SignError> {
        let mut records = shape.records.clone();
        move_serial(&mut records, revision);
        let (mut signed, mut all) = (None, records.clone());
        if let (Some(signing), Some(validity)) = (&zone.signing, shape.validity) {
            let keys = self.keys.of(zone, signing, shape.generation)?;
            all = sign(&zone.name, all, &keys, signing, validity)?;
            signed = Some((signing.clone(), keys));
        }
        Ok(LiveZone {
            id: zone.id.clone(),
            name: zone.name.clone(),
            signed,
            records,
            fresh: Arc::new(ZoneData::new(zone.name.clone(), all)),
            start: self.start,
            variants: Mutex::default(),
        })
    }

    /// The shapes of the world's zones, in their order.
    fn shapes(&mut self, world: &World) -> Result<Vec<Shape>, SignError> {
        let mut shapes: Vec<Shape> = world.zones.iter().map(|zone| first_shape(zone, self.start)).collect();
        let ids = world.zones.iter().map(|zone| zone.id.as_str());
        let places: HashMap<&str, usize> = ids.zip(0..).collect();
        let index = |id: &str| places.get(id).copied();
        let mut ds_changes: BTreeMap<&Name, &DsChange> = BTreeMap::new();
        let mut ds_generation: HashMap<&str, u32> = HashMap::new();
        for (time, event) in &self.happened {
            match &event.change {
                Change::Redelegate { zone, ns, ds } => {
                    if let Some(parent) = world.parent_of(zone)
                        && let Some(at) = index(&parent.id)
                    {
                        redelegate(&mut shapes[at].records, &parent.name, zone, ns);
                    }
                    if *ds != DsChange::Keep {
                        ds_changes.insert(zone, ds);
                    }
                }
                Change::ReplaceDs { zone, ds } => {
                    ds_changes.insert(zone, ds);
                }
                Change::SwapKey { zone, ds_follows } => {
                    if let Some(at) = index(zone) {
                        shapes[at].generation += 1;
                        if *ds_follows {
                            ds_generation.insert(zone, shapes[at].generation);
                        }
                    }
                }
                Change::ExpireSignatures { zone } => {
                    if let Some(at) = index(zone) {
                        let end = time.as_second() - 60;
                        shapes[at].validity = Some(Validity {
                            inception: end - 14 * 86_400,
                            expiration: end,
                        });
                    }
                }
                Change::Resign { zone } => {
                    if let Some(at) = index(zone) {
                        shapes[at].validity = first_shape(&world.zones[at], *time).validity;
                    }
                }
                Change::Cut { .. } | Change::AddFault { .. } | Change::RemoveFault { .. } | Change::Repair { .. } => {}
            }
        }
        for zone in world.zones.iter().filter(|zone| zone.id == zone.name.to_string()) {
            let Some(at) = parent_by(&zone.name, index) else {
                continue;
            };
            let records = &mut shapes[at].records;
            let generation = ds_generation.get(zone.id.as_str()).copied().unwrap_or(0);
            match (ds_changes.get(&zone.name), &zone.signing) {
                (Some(DsChange::Remove), _) => set_ds(records, &zone.name, &[]),
                (Some(DsChange::Replace(list)), _) => set_ds(records, &zone.name, list),
                (_, Some(signing)) if signing.ds == ParentDs::Auto => {
                    let keys = self.keys.of(zone, signing, generation)?;
                    let pointed_at = keys.iter().filter(|key| key.key.has_ds());
                    let ds: Vec<Ds> = pointed_at.map(ZoneKey::ds).collect();
                    set_ds(records, &zone.name, &ds);
                }
                _ => {}
            }
        }
        Ok(shapes)
    }

    fn snapshot(&self) -> Snapshot {
        let live = |id: &String| self.built.get(id).map(|(_, _, zone)| Arc::clone(zone));
        let first_edition = |zone: &&Zone| zone.id == zone.name.to_string();
        let mut zones: Vec<_> = self
            .world
            .zones
            .iter()
            .filter(first_edition)
            .filter_map(|zone| live(&zone.id))
            .collect();
        zones.sort_by_key(|zone| std::cmp::Reverse(zone.name.label_count()));
        let mut servers = HashMap::new();
        for server in &self.world.servers {
            let mut served: Vec<_> = server.zones.iter().filter_map(live).collect();
            served.sort_by_key(|zone| std::cmp::Reverse(zone.name.label_count()));
            for address in &server.addresses {
                let state = ServerState {
                    name: server.name.clone(),
                    latency: server.latency.forward(),
                    loss: server.loss,
                    faults: self.faults_of(&server.name, *address, &server.faults),
                    tampering: self
                        .tampered
                        .iter()
                        .filter(|(at, _)| at == address)
                        .map(|(_, tampering)| tampering.clone())
                        .collect(),
                    zones: served.clone(),
                };
                servers.insert(*address, state);
            }
        }
        let root = zones.iter().find(|zone| zone.name.is_root()).cloned();
        Snapshot { servers, zones, root }
    }

    fn faults_of(&self, name: &Name, address: IpAddr, from_start: &[FaultRule]) -> Vec<FaultRule> {
        let mut faults = from_start.to_vec();
        let is_this = |server: &str| {
            server.parse().is_ok_and(|called: IpAddr| called == address)
                || server.parse().is_ok_and(|called: Name| called == *name)
        };
        for (_, event) in &self.happened {
            match &event.change {
                Change::Cut { server } if is_this(server) => faults.push(FaultRule::of(Fault::Silent)),
                Change::AddFault { server, rule } if is_this(server) => faults.push(rule.clone()),
                Change::RemoveFault { server, fault } if is_this(server) => faults.retain(|rule| rule.fault != *fault),
                _ => {}
            }
        }
        faults
    }
}

fn first_shape(zone: &Zone, start: Timestamp) -> Shape {
    let validity = zone.signing.as_ref().map(|signing| {
        let inception = start
            .saturating_add(signing.signed_at.signed())
            .unwrap_or(start)
            .as_second();
        let length: SignedDuration = signing.validity.signed();
        Validity {
            inception,
            expiration: inception + length.as_secs().max(0),
        }
    });
    Shape {
        records: zone.records.clone(),
        generation: 0,
        validity,
    }
}

fn record(owner: &Name, ttl: Ttl, data: Data) -> Record {
    WireRecord::new(owner.as_wire().clone(), Class::IN, ttl, data)
}

/// TTL of a delegation that the parent's file did not have before.
const NEW_DELEGATION_TTL: Ttl = Ttl::HOUR;

fn redelegate(records: &mut Vec<Record>, parent: &Name, zone: &Name, ns: &BTreeMap<Name, Vec<IpAddr>>) {
    let is_old_ns = |record: &Record| record.rtype() == Rtype::NS && is_owner(record, zone);
    let ttl = records
        .iter()
        .find(|record| is_old_ns(record))
        .map_or(NEW_DELEGATION_TTL, Record::ttl);
    records.retain(|record| !is_old_ns(record));
    let needed: BTreeSet<Name> = records
        .iter()
        .filter_map(|record| match record.data() {
            ZoneRecordData::Ns(ns) => Some(Name::from_wire(ns.nsdname())),
            _ => None,
        })
        .collect();
    // Glue below the zone goes with it, but for that which others are delegated to, and that which is set anew.
    records.retain(|record| {
        let owner = Name::from_wire(record.owner());
        let is_address = matches!(record.rtype(), Rtype::A | Rtype::AAAA);
        !(is_address && owner.is_at_or_below(zone)) || (needed.contains(&owner) && !ns.contains_key(&owner))
    });
    for (name, addresses) in ns {
        records.push(record(zone, ttl, ZoneRecordData::Ns(Ns::new(name.as_wire().clone()))));
        if !name.is_at_or_below(parent) {
            continue;
        }
        for address in addresses {
            let glue = match address {
                IpAddr::V4(address) => record(name, ttl, ZoneRecordData::A(A::new(*address))),
                IpAddr::V6(address) => record(name, ttl, ZoneRecordData::Aaaa(Aaaa::new(*address))),
            };
            if !records.contains(&glue) {
                records.push(glue);
            }
        }
    }
}

fn set_ds(records: &mut Vec<Record>, zone: &Name, list: &[Ds]) {
    let is_of_zone = |record: &Record, rtype| record.rtype() == rtype && is_owner(record, zone);
    let Some(ttl) = records
        .iter()
        .find(|record| is_of_zone(record, Rtype::NS))
        .map(Record::ttl)
    else {
        return;
    };
    records.retain(|record| !is_of_zone(record, Rtype::DS));
    for ds in list {
        let (algorithm, digest_type) = (
            SecurityAlgorithm::from_int(ds.algorithm),
            DigestAlgorithm::from_int(ds.digest_type),
        );
        // A digest of more octets than a record holds cannot be written and is left out.
        if let Ok(data) = DsData::new(ds.key_tag, algorithm, digest_type, ds.digest.clone()) {
            records.push(record(zone, ttl, ZoneRecordData::Ds(data)));
        }
    }
}
