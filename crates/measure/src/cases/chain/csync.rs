//! chain10: may the parent copy NS and glue as CSYNC asks (RFC 7477)?

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use domain::base::Serial;
use domain::base::iana::Rtype;
use domain::base::rdata::ComposeRecordData as _;
use model::{Name, Security};

use super::ask::{Asked, usable};
use super::faults::names;
use super::{Emission, Judged};
use crate::dnssec::csync::{Csync, IMMEDIATE, SOA_MINIMUM};
use crate::record::{Data, Record};
use crate::run::Run;

pub(super) async fn chain10(run: &Run) -> Vec<Emission> {
    let judged = run.chain().await;
    let Some(asked) = judged.asked.last() else {
        return Vec::new();
    };
    let mut seen: BTreeMap<Option<Vec<u8>>, BTreeSet<IpAddr>> = BTreeMap::new();
    let mut found: BTreeMap<&'static str, BTreeSet<IpAddr>> = BTreeMap::new();
    let mut wishes = BTreeSet::new();
    for (address, records) in csync_of(asked) {
        let sorted: BTreeSet<Vec<u8>> = records.iter().cloned().collect();
        let all = (!sorted.is_empty()).then(|| sorted.into_iter().flatten().collect());
        seen.entry(all).or_default().insert(address);
        let mut note = |tag: &'static str| {
            found.entry(tag).or_default().insert(address);
        };
        match &records[..] {
            [] => {}
            [one] => match Csync::read(one) {
                None => note("CH10_FORM_WRONG"),
                Some(csync) => {
                    if csync.flags & !(IMMEDIATE | SOA_MINIMUM) != 0 {
                        note("CH10_FLAGS_UNKNOWN");
                    }
                    let is_known = |rtype: &Rtype| matches!(*rtype, Rtype::NS | Rtype::A | Rtype::AAAA);
                    if !csync.types.iter().all(is_known) {
                        note("CH10_TYPES_UNKNOWN");
                    }
                    let serial = serial_at(asked, address);
                    if csync.flags & SOA_MINIMUM != 0 && serial.is_some_and(|serial| serial < Serial(csync.serial)) {
                        note("CH10_SERIAL_NOT_REACHED");
                    }
                    if csync.flags & IMMEDIATE == 0 {
                        note("CH10_NOT_IMMEDIATE");
                    }
                    wishes.extend(csync.types);
                }
            },
            _ => note("CH10_SEVERAL"),
        }
    }
    if seen.keys().all(Option::is_none) {
        return Vec::new();
    }
    if seen.len() > 1 {
        let without = seen.values().min_by_key(|servers| servers.len()).cloned();
        found.insert("CH10_DIFFERS", without.unwrap_or_default());
    }
    if !is_secure(judged) {
        let all = seen.values().flatten().copied().collect();
        found.insert("CH10_NOT_SECURE", all);
    }
    if wishes.contains(&Rtype::NS) && is_delegation_outdated(run).await {
        let all = seen.values().flatten().copied().collect();
        found.insert("CH10_NOT_DONE", all);
    }
    let mut emitted = Vec::new();
    for (tag, servers) in found {
        let list = names(run, run.zone(), &servers).await;
        emitted.push(Emission::new(tag).list("ns_list", list));
    }
    emitted
}

/// The octets of the CSYNC records of each server that answers soundly.
fn csync_of(asked: &Asked) -> Vec<(IpAddr, Vec<Vec<u8>>)> {
    let answers = asked.others.iter().filter(|(_, rtype, _)| *rtype == Rtype::CSYNC);
    let sound = answers.flat_map(|(_, _, answers)| usable(answers).filter(|(_, response)| response.authoritative));
    let octets = |record: &Record| -> Vec<u8> {
        let mut octets = Vec::new();
        let Ok(()) = record.data.compose_rdata(&mut octets);
        octets
    };
    sound
        .map(|(address, response)| {
            (
                address,
                response.answers(&asked.zone, Rtype::CSYNC).map(octets).collect(),
            )
        })
        .collect()
}

/// The serial of the SOA that a server gave.
pub(super) fn serial_at(asked: &Asked, server: IpAddr) -> Option<Serial> {
    let soa = asked
        .others
        .iter()
        .find(|(name, rtype, _)| name == &asked.zone && *rtype == Rtype::SOA)?;
    let (_, response) = usable(&soa.2).find(|(address, _)| *address == server)?;
    response
        .answers(&asked.zone, Rtype::SOA)
        .find_map(|record| match &record.data {
            Data::Soa(soa) => Some(soa.serial()),
            _ => None,
        })
}

fn is_secure(judged: &Judged) -> bool {
    let link = judged.chain.links.last();
    let csync = link
        .into_iter()
        .flat_map(|link| &link.rrsets)
        .filter(|set| set.rtype == Rtype::CSYNC.to_int());
    judged.chain.state == Security::Secure && csync.map(|set| set.state).all(|state| state == Security::Secure)
}

/// Whether the parent names other servers than the zone does.
async fn is_delegation_outdated(run: &Run) -> bool {
    let parent: Option<BTreeSet<Name>> = run
        .delegated()
        .await
        .map(|delegated| delegated.ns.keys().cloned().collect());
    match (parent, run.zone_names().await) {
        (Some(parent), Some(zone)) => !run.is_undelegated() && !zone.is_empty() && parent != *zone,
        _ => false,
    }
}
