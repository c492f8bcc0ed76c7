//! What single faults put into an answer.

use domain::base::iana::{Class, Rtype};
use domain::base::rdata::UnknownRecordData;
use domain::base::{Name as WireName, Question, Ttl};
use domain::rdata::{Txt, ZoneRecordData};
use model::Name;

use crate::fault::{Fault, FaultRule};
use crate::live_zone::{LiveZone, Variant};
use crate::lookup::{Found, look_up};
use crate::stage::Snapshot;
use crate::zone_file::Record;

/// Names under which servers tell their version, in class CH.
const VERSIONS: [&str; 2] = ["version.bind", "version.server"];

/// A referral to the root.
pub(super) fn upward(world: &Snapshot) -> Found {
    let root = world.root.iter();
    let root = root.map(|root| look_up(&root.data(&Variant::default()), &Name::root(), Rtype::NS, false));
    Found {
        authority: root.flat_map(|found| found.answer).collect(),
        ..Found::default()
    }
}

/// What the rule says, with signatures by the keys of `signer` if the rule asks for them.
pub(super) fn said(rule: &FaultRule, signer: Option<&LiveZone>) -> Found {
    // A rule whose records cannot be read is refused before it can be in force.
    let sections = rule.records().unwrap_or_default();
    let [answer, authority] = match signer.filter(|_| rule.signed) {
        Some(zone) => sections.map(|records| zone.with_signatures(records)),
        None => sections,
    };
    Found {
        authoritative: true,
        answer,
        authority,
        ..Found::default()
    }
}

/// The record in which a server tells its version, if it does and is asked for that.
pub(super) fn version_told(question: &Question<WireName<Vec<u8>>>, rules: &[&FaultRule]) -> Option<Record> {
    let rule = rules.iter().find(|rule| rule.fault == Fault::RevealsVersion)?;
    let name = Name::from_wire(question.qname()).to_string();
    let is_asked =
        question.qclass() == Class::CH && question.qtype() == Rtype::TXT && VERSIONS.contains(&name.as_str());
    let is_wrong = rules.iter().any(|rule| rule.fault == Fault::WrongClass);
    let class = if is_wrong { Class::IN } else { Class::CH };
    let data = Txt::build_from_slice(rule.text.as_bytes()).ok()?;
    is_asked.then(|| Record::new(question.qname().clone(), class, Ttl::ZERO, ZoneRecordData::Txt(data)))
}

/// Makes an AAAA record one of four octets (RFC 4074 §4.3).
pub(super) fn shorten_aaaa(record: &mut Record) {
    if let ZoneRecordData::Aaaa(aaaa) = record.data() {
        let octets = aaaa.addr().octets()[12..].to_vec();
        let short = UnknownRecordData::from_octets(Rtype::AAAA, octets).expect("four octets fit a record");
        *record.data_mut() = ZoneRecordData::Unknown(short);
    }
}
