//! Aliases: the CNAME that a DNAME makes, CNAME beside other data, and circles.

use std::collections::BTreeSet;
use std::net::IpAddr;

use domain::base::iana::Rtype;
use model::Name;

use super::ask::{Asked, usable};
use super::faults::{Fault, Faults};
use crate::record::Record;
use crate::response::Response;

/// Notes what is wrong with the aliases in the answers of a zone's servers.
pub(super) fn judge(asked: &Asked, faults: &mut Faults) {
    let zone = &asked.zone;
    let mut aliased: BTreeSet<IpAddr> = BTreeSet::new();
    let mut with_data: BTreeSet<IpAddr> = BTreeSet::new();
    for (name, rtype, answers) in &asked.others {
        for (address, response) in usable(answers).filter(|(_, response)| response.authoritative) {
            judge_dname(zone, name, address, response, faults);
            if is_circle(response, name) {
                let fault = Fault::new("CH06_CNAME_LOOP", zone)
                    .arg("domain", name)
                    .arg("rrtype", rtype);
                faults.note(fault, [&address]);
            }
            if name == zone {
                let is_data = |record: &&Record| record.owner == *zone && !is_beside_cname(record.rtype());
                if response.answers(zone, Rtype::CNAME).next().is_some() {
                    aliased.insert(address);
                }
                if response.answer.iter().any(|record| is_data(&record)) {
                    with_data.insert(address);
                }
            }
        }
    }
    let both: BTreeSet<IpAddr> = &aliased & &with_data;
    if !both.is_empty() {
        faults.note(
            Fault::new("CH06_CNAME_WITH_OTHER_DATA", zone).arg("domain", zone),
            &both,
        );
    }
}

/// What may stand beside a CNAME (RFC 2181 §10.1, RFC 4035 §2.5).
fn is_beside_cname(rtype: Rtype) -> bool {
    matches!(rtype, Rtype::CNAME | Rtype::RRSIG | Rtype::NSEC)
}

fn judge_dname(zone: &Name, qname: &Name, address: IpAddr, response: &Response, faults: &mut Faults) {
    for record in response.answer_type(Rtype::DNAME) {
        let Some(target) = record.dname() else { continue };
        let is_below = qname.is_at_or_below(&record.owner) && *qname != record.owner;
        if !is_below {
            continue;
        }
        let mut note = |tag: &'static str| {
            let fault = Fault::new(tag, zone).arg("domain", qname).arg("owner", &record.owner);
            faults.note(fault, [&address]);
        };
        let made: Vec<&Record> = response.answers(qname, Rtype::CNAME).collect();
        let Some(cname) = made.first() else {
            // YXDOMAIN says that the name would become too long (RFC 6672 §2.2)
            if synthesize(qname, &record.owner, &target).is_some() {
                note("CH06_DNAME_WITHOUT_CNAME");
            }
            continue;
        };
        if cname.cname() != synthesize(qname, &record.owner, &target) {
            note("CH06_DNAME_TARGET_DIFFERS");
        }
        if cname.ttl == 0 && record.ttl != 0 {
            note("CH06_DNAME_TTL_ZERO");
        } else if cname.ttl != record.ttl {
            note("CH06_DNAME_TTL_DIFFERS");
        }
    }
}

/// The name that a DNAME at `owner` makes of `name` (RFC 6672 §2.2); `None` when it would be too long.
fn synthesize(name: &Name, owner: &Name, target: &Name) -> Option<Name> {
    let keep = name.label_count() - owner.label_count();
    let text = name.to_string();
    let prefix: Vec<&str> = text.split('.').take(keep).collect();
    let made = match target.is_root() {
        true => prefix.join("."),
        false => format!("{}.{target}", prefix.join(".")),
    };
    made.parse().ok()
}

/// Whether the CNAME records of an answer lead back to a name already passed.
fn is_circle(response: &Response, name: &Name) -> bool {
    let mut passed = BTreeSet::new();
    let mut current = name.clone();
    while passed.insert(current.clone()) {
        let target = response.answers(&current, Rtype::CNAME).find_map(Record::cname);
        let Some(target) = target else { return false };
        current = target;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn a_dname_puts_its_target_in_place_of_its_owner() {
        // RFC 6672 §2.2, table 1.
        for (qname, owner, target, made) in [
            ("foo.example.com", "example.com", "example.net", "foo.example.net"),
            ("a.x.example.com", "x.example.com", "y.example.com", "a.y.example.com"),
            ("cyc.example.com", "example.com", "example.com", "cyc.example.com"),
            ("shortloop.x.x", "x", ".", "shortloop.x"),
            ("shortloop.x", "x", ".", "shortloop"),
        ] {
            let found = synthesize(&name(qname), &name(owner), &name(target));
            assert_eq!(found, Some(name(made)), "{qname}");
        }
        let long = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(40)].join(".");
        assert_eq!(
            synthesize(&name(&format!("{long}.x")), &name("x"), &name(&"e".repeat(60))),
            None
        );
    }
}
