//! The trees of the measuring zone: which names exist, in which zone, and what is there.
//!
//! | tree | what is there |
//! |---|---|
//! | `ask` | every name, with an address |
//! | a token | the same: the first label below the zone is a run's own, for QNAME minimisation |
//! | `tcp` | the same, and over UDP only truncated answers |
//! | `good` | a secure zone in which every name has an address |
//! | `bad` | the same with signatures that do not verify |
//! | `plain` | the same without signatures and without DS |
//! | `nx` | a secure zone in which no name exists |
//! | `seen` | what was seen of a run, as TXT, over TCP only |
//!
//! A run's names carry its token as a label: `p1.TOKEN.ask.` before the zone's name. What comes without is not kept.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use domain::base::iana::{Class, Rtype};
use domain::base::name::ToLabelIter as _;
use domain::base::{Record as WireRecord, Serial, Ttl};
use domain::rdata::dnssec::RtypeBitmap;
use domain::rdata::{A, Aaaa, Ns, Nsec, Soa, Txt, ZoneRecordData};
use model::Name;

use super::key::{Data, Keys, Record};
use super::seen::{Seen, Token};

/// Names that exist, for questions in general.
pub const ASK: &str = "ask";
/// Names whose answers come over TCP alone.
pub const TCP: &str = "tcp";
/// A secure zone.
pub const GOOD: &str = "good";
/// A zone whose signatures do not verify.
pub const BAD: &str = "bad";
/// A zone without signatures.
pub const PLAIN: &str = "plain";
/// A secure zone without names.
pub const NX: &str = "nx";
/// What was seen.
pub const SEEN: &str = "seen";
/// The name server.
pub const SERVER: &str = "ns";

/// The address of all names: one for documentation (RFC 5737), at which nobody lives.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 53);

/// How long records may be kept. Every run asks for names of its own, so that it only matters for the zones' own records.
const TTL: Ttl = Ttl::from_secs(300);
/// How long proofs that a name does not exist may be kept: long enough for a run, so that it shows who uses them.
const NEGATIVE_TTL: Ttl = Ttl::from_secs(60);
/// The type that says in a proof that the name does not exist (RFC 9824 §2).
const NXNAME: Rtype = Rtype::from_int(128);

/// A name below the zone by its leftmost label. The labels of this module always fit.
pub fn below(zone: &Name, label: &str) -> Name {
    zone.child(label)
        .expect("the configuration takes only zones whose names leave room")
}

/// The zones that the server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Zone {
    /// The measuring zone itself.
    Apex,
    /// `good`.
    Good,
    /// `bad`.
    Bad,
    /// `plain`.
    Plain,
    /// `nx`.
    Empty,
}

impl Zone {
    pub const SIGNED: [Zone; 4] = [Zone::Apex, Zone::Good, Zone::Bad, Zone::Empty];

    fn of_label(label: &str) -> Option<Self> {
        match label {
            GOOD => Some(Zone::Good),
            BAD => Some(Zone::Bad),
            PLAIN => Some(Zone::Plain),
            NX => Some(Zone::Empty),
            _ => None,
        }
    }

    /// The zone's name.
    pub fn apex(self, measuring: &Name) -> Name {
        match self {
            Zone::Apex => measuring.clone(),
            Zone::Good => below(measuring, GOOD),
            Zone::Bad => below(measuring, BAD),
            Zone::Plain => below(measuring, PLAIN),
            Zone::Empty => below(measuring, NX),
        }
    }
}

/// What stands at a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The top of a zone.
    Apex,
    /// A zone below, seen from the measuring zone.
    Cut(Zone),
    /// The name server.
    Server,
    /// Nothing but names below.
    Empty,
    /// One of the many names that exist when they are asked for.
    Leaf,
    /// What was seen of a run.
    Report,
    /// No such name.
    Nothing,
}

/// Where a question leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub zone: Zone,
    /// Label of the tree; empty at and beside the trees' tops.
    pub tree: &'static str,
    pub exists: bool,
    pub token: Option<Token>,
    kind: Kind,
}

impl Place {
    pub fn is_over_tcp_only(&self) -> bool {
        self.tree == TCP && self.kind == Kind::Leaf || self.kind == Kind::Report
    }
}

/// Where a question for `name` leads, which is in the measuring zone.
pub(super) fn locate(measuring: &Name, name: &Name, rtype: Rtype) -> Place {
    let text = |label: &domain::base::name::Label| String::from_utf8_lossy(label.as_slice()).into_owned();
    let count = name.label_count() - measuring.label_count();
    let labels: Vec<String> = name.as_wire().iter_labels().take(count).map(text).collect();
    let token = labels.iter().find_map(|label| label.parse().ok());
    let place = |zone, tree, kind| Place {
        zone,
        tree,
        exists: kind != Kind::Nothing,
        token,
        kind,
    };
    let Some(top) = labels.last() else {
        return place(Zone::Apex, "", Kind::Apex);
    };
    if let Some(zone) = Zone::of_label(top) {
        let tree = [GOOD, BAD, PLAIN, NX]
            .into_iter()
            .find(|tree| *tree == *top)
            .unwrap_or_default();
        return match (count, rtype, zone) {
            (1, Rtype::DS, zone) => place(Zone::Apex, "", Kind::Cut(zone)),
            (1, _, zone) => place(zone, tree, Kind::Apex),
            (_, _, Zone::Empty) => place(zone, tree, Kind::Nothing),
            _ => place(zone, tree, Kind::Leaf),
        };
    }
    match (top.as_str(), count) {
        (SERVER, 1) => place(Zone::Apex, "", Kind::Server),
        (ASK | TCP | SEEN, 1) => place(Zone::Apex, "", Kind::Empty),
        (ASK, _) => place(Zone::Apex, ASK, Kind::Leaf),
        (TCP, _) => place(Zone::Apex, TCP, Kind::Leaf),
        (SEEN, 2) => place(Zone::Apex, SEEN, Kind::Report),
        _ if top.parse::<Token>().is_ok() => place(Zone::Apex, "", Kind::Leaf),
        _ => place(Zone::Apex, "", Kind::Nothing),
    }
}

/// The records of one type at a name.
pub(super) struct Set {
    pub rtype: Rtype,
    pub records: Vec<Record>,
}

impl Set {
    /// A set of one record.
    pub fn of(record: Record) -> Self {
        Self {
            rtype: record.rtype(),
            records: vec![record],
        }
    }
}

/// All that is at a name, but signatures and proofs.
pub(super) fn records_at(
    measuring: &Name,
    addresses: &[IpAddr],
    keys: &Keys,
    name: &Name,
    place: &Place,
    seen: &[Seen],
) -> Vec<Set> {
    let one = |rtype, data: Vec<Data>| Set {
        rtype,
        records: data.into_iter().map(|data| record(name, TTL, data)).collect(),
    };
    let server = || ZoneRecordData::Ns(Ns::new(below(measuring, SERVER).as_wire().clone()));
    let sets = match place.kind {
        Kind::Apex => {
            let mut sets = vec![Set::of(soa(measuring, place.zone)), one(Rtype::NS, vec![server()])];
            if place.zone != Zone::Plain {
                sets.push(one(Rtype::DNSKEY, vec![ZoneRecordData::Dnskey(keys.dnskey())]));
            }
            sets
        }
        Kind::Cut(zone) => {
            let ds = (zone != Zone::Plain).then(|| keys.ds_data(name));
            vec![one(Rtype::NS, vec![server()]), one(Rtype::DS, ds.into_iter().collect())]
        }
        Kind::Server => {
            let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) = addresses.iter().partition(|address| address.is_ipv4());
            let data = |address: &IpAddr| match address {
                IpAddr::V4(address) => ZoneRecordData::A(A::new(*address)),
                IpAddr::V6(address) => ZoneRecordData::Aaaa(Aaaa::new(*address)),
            };
            vec![
                one(Rtype::A, v4.iter().map(data).collect()),
                one(Rtype::AAAA, v6.iter().map(data).collect()),
            ]
        }
        Kind::Leaf => vec![one(Rtype::A, vec![ZoneRecordData::A(A::new(ADDRESS))])],
        Kind::Report => {
            let different: BTreeSet<String> = seen.iter().map(Seen::to_json).collect();
            let texts = different
                .iter()
                .filter_map(|text| Txt::build_from_slice(text.as_bytes()).ok());
            // it changes with the next question
            let records = texts.map(|text| record(name, Ttl::ZERO, ZoneRecordData::Txt(text)));
            vec![Set {
                rtype: Rtype::TXT,
                records: records.collect(),
            }]
        }
        Kind::Empty | Kind::Nothing => Vec::new(),
    };
    sets.into_iter().filter(|set| !set.records.is_empty()).collect()
}

/// The zone's SOA record. Its TTL and its minimum are those of negative answers.
pub(super) fn soa(measuring: &Name, zone: Zone) -> Record {
    let host = |label| below(measuring, label).as_wire().clone();
    let data = Soa::new(
        host(SERVER),
        host("hostmaster"),
        Serial(1),
        Ttl::DAY,
        Ttl::HOUR,
        Ttl::from_days(14),
        NEGATIVE_TTL,
    );
    record(&zone.apex(measuring), NEGATIVE_TTL, ZoneRecordData::Soa(data))
}

/// The NSEC record that proves what is not there.
///
/// Where no name exists at all one record spans the zone. Elsewhere it spans the name alone (RFC 4470), and a name that does
/// not exist is said to by its own record (RFC 9824).
pub(super) fn proof(measuring: &Name, name: &Name, place: &Place, sets: &[Set]) -> Record {
    let spans_all = place.zone == Zone::Empty;
    let owner = if spans_all {
        place.zone.apex(measuring)
    } else {
        name.clone()
    };
    let next = match spans_all {
        true => owner.as_wire().clone(),
        false => successor(&owner),
    };
    let mut types = RtypeBitmap::<Vec<u8>>::builder();
    let mut add = |rtype| types.add(rtype).expect("a vector takes what is added");
    match spans_all {
        true => [Rtype::NS, Rtype::SOA, Rtype::DNSKEY].into_iter().for_each(&mut add),
        false => sets.iter().for_each(|set| add(set.rtype)),
    }
    if !place.exists && !spans_all {
        add(NXNAME);
    }
    add(Rtype::RRSIG);
    add(Rtype::NSEC);
    record(
        &owner,
        NEGATIVE_TTL,
        ZoneRecordData::Nsec(Nsec::new(next, types.finalize())),
    )
}

/// The first name after this one: with a label of one zero octet before it. A name that has no room left is its own successor.
fn successor(name: &Name) -> domain::base::Name<Vec<u8>> {
    let octets = [&[1, 0], name.as_wire().as_slice()].concat();
    domain::base::Name::from_octets(octets).unwrap_or_else(|_| name.as_wire().clone())
}

fn record(owner: &Name, ttl: Ttl, data: Data) -> Record {
    WireRecord::new(owner.as_wire().clone(), Class::IN, ttl, data)
}
