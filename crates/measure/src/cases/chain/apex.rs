//! The answers of a zone's servers besides its keys: RRsets at the apex, and what is not there.

use std::collections::{BTreeMap, BTreeSet};

use domain::base::iana::Rtype;
use model::{AbsenceKind, Link, Name};

use super::absence::{Claimed, judge_claim};
use super::ask::{Answers, Asked, usable};
use super::faults::{Fault, Faults};
use super::zone::{Version, Zone, add_state, add_version};
use crate::dnssec::absence::{Contradiction, contradiction};
use crate::dnssec::signed::expanded_from;
use crate::dnssec::{Rrset, rrsets};
use crate::response::Response;

/// Judges every answer, and keeps what was found in `link`.
pub(super) fn judge(asked: &Asked, zone: &Zone, link: &mut Link, faults: &mut Faults) {
    let mut versions: Vec<Version> = Vec::new();
    let mut denials: Vec<Version> = Vec::new();
    for (name, rtype, answers) in &asked.others {
        collect(zone, answers, &mut versions, &mut denials);
        judge_absences(zone, name, *rtype, answers, link, faults);
    }
    for version in &versions {
        add_state(&mut link.rrsets, zone.judge(version, faults));
    }
    judge_contradictions(zone, &versions, &denials, faults);
}

/// Sorts the RRsets of the answers into those that are there and those that deny.
fn collect(zone: &Zone, answers: &Answers, versions: &mut Vec<Version>, denials: &mut Vec<Version>) {
    for (address, response) in usable(answers).filter(|(_, response)| response.authoritative) {
        let without_edns = response.edns.is_none();
        for set in own_rrsets(zone, response) {
            add_version(versions, set, address, without_edns);
        }
        let denying = rrsets(&response.authority)
            .into_iter()
            .filter(|set| matches!(set.rtype, Rtype::NSEC | Rtype::NSEC3));
        for set in denying {
            add_version(denials, set, address, without_edns);
        }
    }
}

/// The RRsets of an answer section that the zone itself must have signed: not the CNAME that a DNAME makes.
fn own_rrsets(zone: &Zone, response: &Response) -> Vec<Rrset> {
    let dnames: Vec<&Name> = response.answer_type(Rtype::DNAME).map(|record| &record.owner).collect();
    let is_made = |set: &Rrset| {
        let below = |dname: &&Name| set.owner.is_at_or_below(dname) && set.owner != **dname;
        set.rtype == Rtype::CNAME && set.signatures.is_empty() && dnames.iter().any(below)
    };
    let mut sets = rrsets(&response.answer);
    sets.retain(|set| set.owner.is_at_or_below(&zone.name) && !is_made(set));
    sets
}

/// Judges what the answers to one question say is not there.
fn judge_absences(zone: &Zone, name: &Name, rtype: Rtype, answers: &Answers, link: &mut Link, faults: &mut Faults) {
    for (address, response) in usable(answers).filter(|(_, response)| response.authoritative) {
        let claim = |kind| Claimed {
            name,
            rtype,
            kind,
            wildcard: None,
        };
        if response.answer.is_empty() {
            let kind = if response.is_nxdomain() {
                AbsenceKind::NoName
            } else {
                AbsenceKind::NoType
            };
            judge_claim(zone, claim(kind), address, response, link, faults);
            continue;
        }
        let expanded = own_rrsets(zone, response)
            .into_iter()
            .find_map(|set| Some((set.owner.clone(), expanded_from(&set, &set.signatures.first()?.rrsig)?)));
        if let Some((owner, wildcard)) = expanded {
            let claimed = Claimed {
                name: &owner,
                rtype,
                kind: AbsenceKind::Wildcard,
                wildcard: Some(&wildcard),
            };
            judge_claim(zone, claimed, address, response, link, faults);
        }
    }
}

/// Looks for proofs that deny what other answers show to exist.
fn judge_contradictions(zone: &Zone, versions: &[Version], denials: &[Version], faults: &mut Faults) {
    let at_apex = versions.iter().filter(|version| version.set.owner == zone.name);
    let existing: BTreeSet<Rtype> = at_apex.map(|version| version.set.rtype).collect();
    for denial in denials {
        let mut denied: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
        for rtype in &existing {
            // an RRset that only other servers have is an inconsistency of data and is told as such
            let is_there = versions.iter().any(|version| {
                version.set.rtype == *rtype
                    && version.set.owner == zone.name
                    && !version.servers.is_disjoint(&denial.servers)
            });
            let found = is_there.then(|| contradiction(&zone.name, &zone.name, *rtype, &[&denial.set]));
            let tag = match found.flatten() {
                Some(Contradiction::NameCovered) => "CH05_EXISTING_NAME_COVERED",
                Some(Contradiction::TypeNotListed) => "CH05_EXISTING_TYPE_NOT_IN_BITMAP",
                None => continue,
            };
            denied.entry(tag).or_default().insert(rtype.to_string());
        }
        for (tag, rtypes) in denied {
            let rtypes: Vec<String> = rtypes.into_iter().collect();
            let fault = Fault::new(tag, &zone.name)
                .arg("domain", &zone.name)
                .arg("rrtype", rtypes.join(";"));
            faults.note(fault, &denial.servers);
        }
    }
}
