//! What an authoritative server finds in a zone (RFC 1034 §4.3.2, RFC 4035 §3.1, RFC 5155 §7.2). Pure.

use domain::base::iana::{Class, Rtype};
use domain::base::{Record as WireRecord, Rtype as BaseRtype, Ttl};
use domain::rdata::ZoneRecordData;
use model::Name;

use crate::zone_data::{RrSet, ZoneData};
use crate::zone_file::Record;

/// Longest chain of CNAMEs that is followed.
const LONGEST_CHAIN: usize = 8;

/// What is found, by section of the message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    pub name_error: bool,
    pub authoritative: bool,
    pub answer: Vec<Record>,
    pub authority: Vec<Record>,
    pub additional: Vec<Record>,
    /// Whether the additional records must go along (glue) or may be left out.
    pub additional_needed: bool,
}

/// Looks up `qname` and `qtype`, with signatures and proofs if `dnssec`.
pub(crate) fn look_up(zone: &ZoneData, qname: &Name, qtype: Rtype, dnssec: bool) -> Found {
    let mut found = Found {
        authoritative: true,
        ..Found::default()
    };
    let mut name = qname.clone();
    for _ in 0..LONGEST_CHAIN {
        match step(zone, &name, qtype, dnssec, &mut found) {
            Some(target) if target.is_at_or_below(&zone.apex) => name = target,
            _ => break,
        }
    }
    found
}

/// One name of a chain. Gives the name to go on with after a CNAME.
fn step(zone: &ZoneData, name: &Name, qtype: Rtype, dnssec: bool, found: &mut Found) -> Option<Name> {
    if let Some(cut) = zone.cut_above(name)
        && !(cut == *name && qtype == Rtype::DS)
    {
        refer(zone, &cut, dnssec, found);
        return None;
    }
    if zone.exists(name) {
        return at_name(zone, name, name, qtype, dnssec, found);
    }
    let encloser = zone.closest_encloser(name);
    let wildcard = encloser
        .child("*")
        .ok()
        .filter(|wildcard| zone.node(wildcard).is_some());
    if let Some(wildcard) = wildcard {
        if dnssec {
            add(
                &mut found.authority,
                covering(zone, &next_closer(name, &encloser)),
                true,
            );
        }
        return at_name(zone, &wildcard, name, qtype, dnssec, found);
    }
    found.name_error = true;
    add_soa(zone, dnssec, found);
    if dnssec {
        prove_no_name(zone, name, &encloser, found);
    }
    None
}

/// The records of `source`, given out under the name `owner` (another one for a wildcard).
fn at_name(
    zone: &ZoneData,
    source: &Name,
    owner: &Name,
    qtype: Rtype,
    dnssec: bool,
    found: &mut Found,
) -> Option<Name> {
    let node = zone.node(source);
    let sets: Vec<&RrSet> = match node {
        Some(node) if qtype == Rtype::ANY => node.values().collect(),
        Some(node) => node
            .get(&qtype)
            .into_iter()
            .filter(|set| !set.records.is_empty())
            .collect(),
        None => Vec::new(),
    };
    if qtype == Rtype::RRSIG
        && let Some(node) = node
    {
        found.answer.extend(
            node.values()
                .flat_map(|set| &set.signatures)
                .map(|record| renamed(record, owner)),
        );
    }
    for set in &sets {
        found
            .answer
            .extend(records_of(set, dnssec).map(|record| renamed(record, owner)));
        found.additional.extend(addresses_for(zone, set));
    }
    if !sets.is_empty() || !found.answer.is_empty() && qtype == Rtype::RRSIG {
        return None;
    }
    if let Some(set) = node.and_then(|node| node.get(&Rtype::CNAME)) {
        found
            .answer
            .extend(records_of(set, dnssec).map(|record| renamed(record, owner)));
        return set.records.iter().find_map(|record| match record.data() {
            ZoneRecordData::Cname(cname) => Some(Name::from_wire(cname.cname())),
            _ => None,
        });
    }
    add_soa(zone, dnssec, found);
    if dnssec {
        prove_no_type(zone, source, owner, found);
    }
    None
}

fn refer(zone: &ZoneData, cut: &Name, dnssec: bool, found: &mut Found) {
    // After a CNAME the answer stays authoritative for its first part.
    found.authoritative = !found.answer.is_empty();
    if let Some(set) = zone.set(cut, Rtype::NS) {
        add(&mut found.authority, Some(set), false);
        found.additional.extend(addresses_for(zone, set));
        found.additional_needed = true;
    }
    if !dnssec {
        return;
    }
    match zone.set(cut, Rtype::DS) {
        Some(set) => add(&mut found.authority, Some(set), true),
        None => prove_no_type(zone, cut, cut, found),
    }
}

fn add_soa(zone: &ZoneData, dnssec: bool, found: &mut Found) {
    let Some(set) = zone.soa() else { return };
    // The SOA of a negative answer carries the time for which the negation may be kept (RFC 2308 §3).
    let negative = set.records.iter().find_map(|record| match record.data() {
        ZoneRecordData::Soa(soa) => Some(record.ttl().min(soa.minimum())),
        _ => None,
    });
    let shortened = records_of(set, dnssec).map(|record| with_ttl(record, negative.unwrap_or(record.ttl())));
    found.authority.extend(shortened);
}

fn prove_no_type(zone: &ZoneData, source: &Name, owner: &Name, found: &mut Found) {
    if zone.uses_nsec3() {
        add_once(&mut found.authority, zone.nsec3_of(source));
        if source != owner {
            add_once(&mut found.authority, zone.nsec3_of(&zone.closest_encloser(owner)));
        }
    } else {
        add_once(&mut found.authority, zone.nsec_for(source));
    }
}

fn prove_no_name(zone: &ZoneData, name: &Name, encloser: &Name, found: &mut Found) {
    let wildcard = encloser.child("*").ok();
    if zone.uses_nsec3() {
        add_once(&mut found.authority, zone.nsec3_of(encloser));
    }
    add_once(&mut found.authority, covering(zone, &next_closer(name, encloser)));
    if let Some(wildcard) = wildcard {
        add_once(&mut found.authority, covering(zone, &wildcard));
    }
}

fn covering<'a>(zone: &'a ZoneData, name: &Name) -> Option<&'a RrSet> {
    if zone.uses_nsec3() {
        zone.nsec3_covering(name)
    } else {
        zone.nsec_for(name)
    }
}

/// The name one label longer than `encloser` on the way to `name`.
fn next_closer(name: &Name, encloser: &Name) -> Name {
    let depth = encloser.label_count() + 1;
    let mut up = std::iter::successors(Some(name.clone()), Name::parent);
    up.find(|name| name.label_count() == depth)
        .unwrap_or_else(|| name.clone())
}

fn add(section: &mut Vec<Record>, set: Option<&RrSet>, dnssec: bool) {
    section.extend(set.into_iter().flat_map(|set| records_of(set, dnssec)).cloned());
}

fn add_once(section: &mut Vec<Record>, set: Option<&RrSet>) {
    let Some(first) = set.and_then(|set| set.records.first()) else {
        return;
    };
    if !section
        .iter()
        .any(|record| record.owner() == first.owner() && record.rtype() == first.rtype())
    {
        add(section, set, true);
    }
}

fn records_of(set: &RrSet, dnssec: bool) -> impl Iterator<Item = &Record> {
    let signatures: &[Record] = if dnssec { &set.signatures } else { &[] };
    set.records.iter().chain(signatures)
}

/// Addresses that the zone has, as data or as glue, for the name servers of an NS RRset.
fn addresses_for(zone: &ZoneData, set: &RrSet) -> Vec<Record> {
    let targets = set.records.iter().filter_map(|record| match record.data() {
        ZoneRecordData::Ns(ns) => Some(Name::from_wire(ns.nsdname())),
        _ => None,
    });
    let nodes = targets.filter_map(|target| zone.node(&target));
    let sets = nodes.flat_map(|node| {
        [BaseRtype::A, BaseRtype::AAAA]
            .into_iter()
            .filter_map(|rtype| node.get(&rtype))
    });
    sets.flat_map(|set| set.records.iter().cloned()).collect()
}

fn renamed(record: &Record, owner: &Name) -> Record {
    WireRecord::new(owner.as_wire().clone(), Class::IN, record.ttl(), record.data().clone())
}

fn with_ttl(record: &Record, ttl: Ttl) -> Record {
    WireRecord::new(record.owner().clone(), Class::IN, ttl, record.data().clone())
}
