//! From a matched response to its RRsets: those that the server may speak for, and the others as evidence.

use std::hash::BuildHasher;
use std::net::IpAddr;

use domain::base::Name as Wire;
use domain::base::iana::{Opcode, Rcode, Rtype};
use foldhash::fast::RandomState;
use jiff::Timestamp;
use model::{Name, PassiveRrset, SeenIn};

use crate::bailiwick::{Claim, Servers, Trust, trust};
use crate::merge::{Entry, Merger};
use crate::message::{Parsed, RecordAt, Section};
use crate::sink::{OutOfBailiwick, OutReason, Sink, SinkError};
use crate::transfers::is_transfer;
use crate::wire::{is_at_or_below, push_name_at, push_rdata};

/// Class IN (RFC 1035 §3.2.4).
const IN: u16 = 1;

/// What was found in one response.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Whether its records count at all.
    pub(crate) is_kept: bool,
    pub(crate) rrsets: u64,
    pub(crate) out_of_bailiwick: u64,
    pub(crate) unreadable: u64,
}

/// Who was asked for what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) server: IpAddr,
    /// The name, in wire form and lower case; empty where there is none.
    pub(crate) name: &'a [u8],
    /// The longest zone at or above the name that the server is known to serve.
    pub(crate) zone: Option<&'a [u8]>,
}

/// A record with its owner in lower case.
#[derive(Clone, Copy)]
struct Owned {
    /// Name servers first: which of the addresses belong to them is known then. Else the same for equal owner and type alone.
    order: u64,
    rtype: Rtype,
    number: u32,
    owner: (u32, u32),
    rdata: (u32, u32),
}

impl Owned {
    fn owner<'a>(&self, names: &'a [u8]) -> &'a [u8] {
        &names[self.owner.0 as usize..self.owner.1 as usize]
    }

    fn rdata<'a>(&self, octets: &'a [u8]) -> &'a [u8] {
        octets
            .get(self.rdata.0 as usize..self.rdata.1 as usize)
            .unwrap_or_default()
    }
}

/// An RRset of a response whose key is made, and is yet to be counted.
struct Keyed {
    /// In `keys`.
    key: (usize, usize),
    hash: u64,
    /// Where it may be known already.
    place: Option<u32>,
    is_evidence: bool,
    rtype: Rtype,
    /// In the names of the response.
    owner: (u32, u32),
    /// Its data, in `ranges`.
    data: (usize, usize),
}

/// RRsets and evidence, merged.
pub(crate) struct Reducer {
    rrsets: Merger,
    evidence: Merger,
    hasher: RandomState,
    // memory used for message after message
    names: Vec<u8>,
    owned: Vec<Owned>,
    data: Vec<u8>,
    keyed: Vec<Keyed>,
    keys: Vec<u8>,
    /// Where data lies in `keys`.
    ranges: Vec<(usize, usize)>,
}

impl Reducer {
    pub(crate) fn new(most: usize) -> Self {
        let hasher = RandomState::default();
        Self {
            rrsets: Merger::new(most, hasher.clone()),
            evidence: Merger::new(most, hasher.clone()),
            hasher,
            names: Vec::new(),
            owned: Vec::new(),
            data: Vec::new(),
            keyed: Vec::new(),
            keys: Vec::new(),
            ranges: Vec::new(),
        }
    }

    /// Takes a response that belongs to a query; `seconds` since 1970.
    pub(crate) fn take(
        &mut self,
        servers: &mut Servers,
        asked: &Asked<'_>,
        message: &Parsed<'_>,
        records: &[RecordAt],
        seconds: i64,
    ) -> Found {
        let mut found = Found::default();
        let is_taken = message
            .question
            .is_some_and(|question| question.class == IN && !is_transfer(question.qtype) && !asked.name.is_empty());
        let header = message.header;
        if !is_taken || header.opcode() != Opcode::QUERY || header.tc() || message.is_cut {
            return found;
        }
        self.collect(message, records);
        let names = std::mem::take(&mut self.names);
        if let Some(claim) = claim(message, records, asked.name, &names, &self.owned) {
            found.is_kept = !matches!(claim, Claim::Resolved(_));
            let trust = trust(claim, asked.name, asked.zone);
            if !found.is_kept {
                self.owned
                    .retain(|record| records[record.number as usize].section != Section::Answer);
            }
            self.sort_out(servers, asked, message, &names, &trust, seconds, &mut found);
        }
        self.names = names;
        found
    }

    /// Puts the records' owners into `names`, and the records into `owned`, in their order.
    fn collect(&mut self, message: &Parsed<'_>, records: &[RecordAt]) {
        self.names.clear();
        self.owned.clear();
        let octets = message.octets;
        let mut before: Option<([u8; 2], (u32, u32), u64)> = None;
        for (number, record) in records.iter().enumerate() {
            // OPT, and the types that are only asked for or only sign a message (RFC 6895 §3.1: 128 to 255)
            if record.class != IN || record.rtype == Rtype::OPT || (128..256).contains(&record.rtype.to_int()) {
                continue;
            }
            let pointer = [octets[record.owner], octets[record.owner + 1]];
            let (owner, hash) = match before {
                Some((known, owner, hash)) if known == pointer && pointer[0] >= 0xc0 => (owner, hash),
                _ => {
                    let start = self.names.len();
                    if push_name_at(octets, record.owner, &mut self.names).is_none() {
                        continue;
                    }
                    let owner = (start as u32, self.names.len() as u32);
                    (owner, self.hasher.hash_one(&self.names[start..]))
                }
            };
            before = Some((pointer, owner, hash));
            self.owned.push(Owned {
                order: (hash.rotate_left(16) ^ u64::from(record.rtype.to_int()) << 1) >> 1
                    | u64::from(record.rtype != Rtype::NS) << 63,
                rtype: record.rtype,
                number: number as u32,
                owner,
                rdata: (record.rdata.0 as u32, record.rdata.1 as u32),
            });
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one response, borrowed apart")]
    fn sort_out(
        &mut self,
        servers: &mut Servers,
        asked: &Asked<'_>,
        message: &Parsed<'_>,
        names: &[u8],
        trust: &Trust<'_>,
        seconds: i64,
        found: &mut Found,
    ) {
        let mut owned = std::mem::take(&mut self.owned);
        owned.sort_unstable_by_key(|record| record.order);
        self.keyed.clear();
        self.keys.clear();
        self.ranges.clear();
        for rrset in owned.chunk_by(|one, other| one.order == other.order && one.rtype == other.rtype) {
            let (owner, rtype) = (rrset[0].owner(names), rrset[0].rtype);
            let is_said = |zone: &[u8]| is_at_or_below(owner, zone);
            if !found.is_kept && (is_said(asked.name) || trust.claimed.is_some_and(is_said)) {
                continue;
            }
            let rdata = rrset.iter().map(|record| record.rdata(message.octets));
            let is_of_zone_above = trust.zone == Some(owner) && trust.is_of_zone_above(rtype, rdata);
            let accepted = match is_of_zone_above {
                true => servers.zone_above(owner, trust.is_proven, asked.server),
                false => trust.zone.filter(|zone| is_at_or_below(owner, zone)),
            };
            let reason = match (accepted, trust.claimed) {
                (Some(_), _) => None,
                (None, _) if is_of_zone_above => Some(OutReason::NotProven),
                (None, Some(claimed)) if is_at_or_below(owner, claimed) => Some(OutReason::NotProven),
                _ => Some(OutReason::Outside),
            };
            // evidence of a server of which nothing is known is the same whatever was asked
            let zone = match reason {
                None => accepted,
                Some(_) => trust.zone.filter(|_| trust.is_proven),
            };
            let (start, data) = (self.keys.len(), self.ranges.len());
            if let Some(reason) = reason {
                push_evidence(&mut self.keys, asked.server, reason, zone.is_some());
            }
            self.keys.extend_from_slice(owner);
            self.keys.extend_from_slice(&rtype.to_int().to_be_bytes());
            self.keys.extend_from_slice(zone.unwrap_or(&[0]));
            if !self.push_data(message.octets, rtype, rrset) {
                found.unreadable += 1;
                self.keys.truncate(start);
                self.ranges.truncate(data);
                continue;
            }
            let hash = self.hasher.hash_one(&self.keys[start..]);
            self.keyed.push(Keyed {
                key: (start, self.keys.len()),
                hash,
                place: None,
                is_evidence: reason.is_some(),
                rtype,
                owner: rrset[0].owner,
                data: (data, self.ranges.len()),
            });
        }
        self.owned = owned;
        self.count(servers, names, asked, trust, seconds, found);
    }

    /// Counts the RRsets whose keys are made.
    fn count(
        &mut self,
        servers: &mut Servers,
        names: &[u8],
        asked: &Asked<'_>,
        trust: &Trust<'_>,
        seconds: i64,
        found: &mut Found,
    ) {
        // looked for in a loop of their own, so that the memory for all of them is on its way at once
        for rrset in &mut self.keyed {
            let merger = match rrset.is_evidence {
                true => &self.evidence,
                false => &self.rrsets,
            };
            rrset.place = merger.place(rrset.hash);
        }
        let mut learns = false;
        for rrset in &self.keyed {
            let key = &self.keys[rrset.key.0..rrset.key.1];
            if rrset.is_evidence {
                found.out_of_bailiwick += 1;
                self.evidence.add(key, rrset.hash, rrset.place, asked.name, seconds);
                continue;
            }
            found.rrsets += 1;
            // what was counted before was learned then, unless something new stands beside it
            learns |= self.rrsets.add(key, rrset.hash, rrset.place, &[], seconds);
            if learns && trust.is_proven {
                let data = self.ranges[rrset.data.0..rrset.data.1].iter();
                let data = data.map(|(start, end)| &self.keys[*start..*end]);
                let owner = &names[rrset.owner.0 as usize..rrset.owner.1 as usize];
                servers.learn(owner, rrset.rtype, data);
            }
        }
    }

    /// Appends the data of an RRset to `keys`, each after its length, in ascending order, each once; appends where it lies to `ranges`.
    fn push_data(&mut self, octets: &[u8], rtype: Rtype, rrset: &[Owned]) -> bool {
        let Self { keys, ranges, data, .. } = self;
        let (begin, first) = (keys.len(), ranges.len());
        for record in rrset {
            let start = keys.len() + 2;
            keys.extend_from_slice(&[0, 0]);
            if push_rdata(octets, rtype, (record.rdata.0 as usize, record.rdata.1 as usize), keys).is_none() {
                return false;
            }
            let Ok(length) = u16::try_from(keys.len() - start) else {
                return false;
            };
            keys[start - 2..start].copy_from_slice(&length.to_be_bytes());
            ranges.push((start, keys.len()));
        }
        let of_rrset = &mut ranges[first..];
        if of_rrset.is_sorted_by(|one, other| keys[one.0..one.1] < keys[other.0..other.1]) {
            return true;
        }
        data.clear();
        data.extend_from_slice(&keys[begin..]);
        let datum = |range: &(usize, usize)| &data[range.0 - begin..range.1 - begin];
        of_rrset.sort_unstable_by(|one, other| datum(one).cmp(datum(other)));
        keys.truncate(begin);
        let mut kept = first;
        for at in first..ranges.len() {
            let range = ranges[at];
            if at > first && datum(&range) == &keys[ranges[kept - 1].0..] {
                continue;
            }
            keys.extend_from_slice(&data[range.0 - 2 - begin..range.1 - begin]);
            ranges[kept] = (keys.len() - (range.1 - range.0), keys.len());
            kept += 1;
        }
        ranges.truncate(kept);
        true
    }

    /// Passes everything on where there is no room for more; in any case, at the end.
    pub(crate) fn pass_on(&mut self, all: bool, sink: &mut dyn Sink) -> Result<(), SinkError> {
        if all || self.rrsets.is_full() {
            self.rrsets.empty(|key, _, entry| match rrset_of(key, entry) {
                Some(rrset) => sink.rrset(rrset),
                None => Ok(()),
            })?;
        }
        if all || self.evidence.is_full() {
            self.evidence
                .empty(|key, question, entry| match evidence_of(key, question, entry) {
                    Some(evidence) => sink.out_of_bailiwick(evidence),
                    None => Ok(()),
                })?;
        }
        Ok(())
    }
}

/// What a response claims to be; `None` where its records do not count.
fn claim<'a>(
    message: &Parsed<'_>,
    records: &[RecordAt],
    asked: &[u8],
    names: &'a [u8],
    owned: &[Owned],
) -> Option<Claim<'a>> {
    let header = message.header;
    let of_authority = |rtype: Rtype| {
        owned
            .iter()
            .filter(move |record| record.rtype == rtype)
            .filter(|record| records[record.number as usize].section == Section::Authority)
            .map(|record| record.owner(names))
            .find(|owner| is_at_or_below(asked, owner))
    };
    if !matches!(header.rcode(), Rcode::NOERROR | Rcode::NXDOMAIN) {
        return None;
    }
    let claimed = of_authority(Rtype::SOA).or_else(|| of_authority(Rtype::NS));
    if header.aa() {
        return Some(Claim::Authoritative(claimed));
    }
    let is_referral = header.rcode() == Rcode::NOERROR && message.counts.ancount() == 0;
    let child = of_authority(Rtype::NS).filter(|child| is_referral && child.len() > 1);
    Some(child.map_or(Claim::Resolved(claimed), Claim::Referral))
}

fn push_evidence(key: &mut Vec<u8>, server: IpAddr, reason: OutReason, has_zone: bool) {
    key.push(u8::from(has_zone));
    key.push(match reason {
        OutReason::Outside => 0,
        OutReason::NotProven => 1,
    });
    match server {
        IpAddr::V4(address) => {
            key.push(4);
            key.extend_from_slice(&address.octets());
        }
        IpAddr::V6(address) => {
            key.push(6);
            key.extend_from_slice(&address.octets());
        }
    }
}

/// Takes a name off the front of a key.
fn take_name(key: &mut &[u8]) -> Option<Name> {
    let mut length = 0;
    while let label @ 1.. = usize::from(*key.get(length)?) {
        length += 1 + label;
    }
    let (name, rest) = key.split_at_checked(length + 1)?;
    *key = rest;
    Some(Name::from_wire(&Wire::from_octets(name).ok()?))
}

/// Owner, type, zone and data.
fn take_rrset(key: &mut &[u8]) -> Option<(Name, Rtype, Name, Vec<Vec<u8>>)> {
    let name = take_name(key)?;
    let (rtype, rest) = key.split_first_chunk::<2>()?;
    *key = rest;
    let zone = take_name(key)?;
    let mut rdata = Vec::new();
    while let Some((length, rest)) = key.split_first_chunk::<2>() {
        let (data, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        rdata.push(data.to_vec());
        *key = rest;
    }
    Some((name, Rtype::from_int(u16::from_be_bytes(*rtype)), zone, rdata))
}

fn rrset_of(mut key: &[u8], entry: &Entry) -> Option<PassiveRrset> {
    let (name, rtype, bailiwick, rdata) = take_rrset(&mut key)?;
    Some(PassiveRrset {
        name,
        rtype,
        bailiwick,
        rdata,
        seen_in: SeenIn::Wire,
        first: second(entry.first),
        last: second(entry.last),
        count: entry.count,
    })
}

fn evidence_of(key: &[u8], mut question: &[u8], entry: &Entry) -> Option<OutOfBailiwick> {
    let (has_zone, rest) = key.split_first()?;
    let (reason, rest) = rest.split_first()?;
    let (family, rest) = rest.split_first()?;
    let (server, mut rest) = if *family == 4 {
        let (address, rest) = rest.split_first_chunk::<4>()?;
        (IpAddr::from(*address), rest)
    } else {
        let (address, rest) = rest.split_first_chunk::<16>()?;
        (IpAddr::from(*address), rest)
    };
    let (name, rtype, zone, rdata) = take_rrset(&mut rest)?;
    Some(OutOfBailiwick {
        server,
        zone: (*has_zone == 1).then_some(zone),
        reason: if *reason == 0 {
            OutReason::Outside
        } else {
            OutReason::NotProven
        },
        question: take_name(&mut question)?,
        name,
        rtype,
        rdata,
        first: second(entry.first),
        last: second(entry.last),
        count: entry.count,
    })
}

fn second(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}
