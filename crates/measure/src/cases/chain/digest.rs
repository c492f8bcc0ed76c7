//! chain12: does ZONEMD belong to the zone (RFC 8976)?
//!
//! The form is judged at every server. The digest itself is computed where a server hands the zone out in one message of a
//! transfer; a longer one is for those who have the zone file ([`crate::dnssec::zonemd::verify`]).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use domain::base::iana::Rtype;

use super::Emission;
use super::ask::usable;
use super::csync::serial_at;
use super::faults::names;
use crate::dnssec::rrset::Signable;
use crate::dnssec::zonemd::{Integrity, Zonemd, ZonemdFault, faults, verify, zonemd};
use crate::question::Question;
use crate::record::Record;
use crate::response::Response;
use crate::run::Run;

pub(super) async fn chain12(run: &Run) -> Vec<Emission> {
    let judged = run.chain().await;
    let Some(asked) = judged.asked.last() else {
        return Vec::new();
    };
    let mut seen: BTreeMap<BTreeSet<Zonemd>, BTreeSet<IpAddr>> = BTreeMap::new();
    let mut found: BTreeMap<&'static str, BTreeSet<IpAddr>> = BTreeMap::new();
    let answers = asked.others.iter().filter(|(_, rtype, _)| *rtype == Rtype::ZONEMD);
    for (address, response) in answers.flat_map(|(_, _, answers)| usable(answers)) {
        if !response.authoritative {
            continue;
        }
        let records: Vec<Zonemd> = response
            .answers(run.zone(), Rtype::ZONEMD)
            .filter_map(|record| zonemd(&record.data))
            .collect();
        for fault in faults(&records, serial_at(asked, address)) {
            let tag = match fault {
                ZonemdFault::SerialDiffers => "CH12_SERIAL_DIFFERS",
                ZonemdFault::NotSupported => "CH12_NOT_SUPPORTED",
                ZonemdFault::Twice => "CH12_TWICE",
                ZonemdFault::BadLength => "CH12_BAD_LENGTH",
            };
            found.entry(tag).or_default().insert(address);
        }
        seen.entry(records.into_iter().collect()).or_default().insert(address);
    }
    let with: Vec<IpAddr> = seen
        .iter()
        .filter(|(records, _)| !records.is_empty())
        .flat_map(|(_, servers)| servers.iter().copied())
        .collect();
    if with.is_empty() {
        return Vec::new();
    }
    if let Some(without) = seen.get(&BTreeSet::new()) {
        found.insert("CH12_MISSING_AT_SOME_SERVERS", without.clone());
    }
    let transfer = Question::plain(run.zone(), Rtype::AXFR).over_tcp();
    for (address, exchange) in run.ask_all(with, &transfer).await {
        let Some(zone) = exchange.response().and_then(|response| whole(run, response)) else {
            continue;
        };
        let tag = match verify(run.zone(), &zone) {
            Integrity::Whole => "CH12_DIGEST_RIGHT",
            Integrity::Broken => "CH12_DIGEST_WRONG",
            // said of its form above
            Integrity::OtherSerial(_) | Integrity::Twice(_) | Integrity::Unknown => continue,
        };
        found.entry(tag).or_default().insert(address);
    }
    let mut emitted = Vec::new();
    for (tag, servers) in found {
        let list = names(run, run.zone(), &servers).await;
        emitted.push(Emission::new(tag).list("ns_list", list));
    }
    emitted
}

/// The records of a transfer that came in one message: it begins and ends with the SOA (RFC 5936 §2.2).
fn whole(run: &Run, response: &Response) -> Option<Vec<Signable>> {
    let is_soa = |record: &Record| record.rtype() == Rtype::SOA && record.owner == *run.zone();
    let [first, between @ .., last] = &response.answer[..] else {
        return None;
    };
    let is_whole = is_soa(first) && is_soa(last) && !between.iter().any(is_soa);
    is_whole.then(|| std::iter::once(first).chain(between).map(Record::to_wire).collect())
}
