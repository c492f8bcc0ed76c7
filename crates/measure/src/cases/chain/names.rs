//! Whether servers agree with themselves and each other that a name exists, and keep to the class asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use domain::base::iana::{Class, Rtype};
use model::Name;

use super::ask::{Answers, Asked, usable};
use super::faults::{Fault, Faults};
use crate::question::Question;
use crate::record::Record;
use crate::response::Response;
use crate::run::Run;

/// Notes what is inconsistent in the answers of one zone's servers.
pub(super) fn judge(asked: &Asked, above: Option<&Name>, faults: &mut Faults) {
    let zone = &asked.zone;
    judge_existence(asked, faults);
    let own = asked.others.iter().map(|(_, _, answers)| (zone, answers));
    let from_parent = above.map(|above| (above, &asked.ds));
    for (zone, answers) in own.chain([(zone, &asked.keys)]).chain(from_parent) {
        judge_class(zone, answers, faults);
    }
}

fn judge_existence(asked: &Asked, faults: &mut Faults) {
    let zone = &asked.zone;
    let keys = (zone, Rtype::DNSKEY, &asked.keys);
    let others = asked
        .others
        .iter()
        .map(|(name, rtype, answers)| (name, *rtype, answers));
    let mut denied: BTreeMap<(&Name, IpAddr), BTreeSet<Rtype>> = BTreeMap::new();
    let mut affirmed: BTreeSet<(&Name, IpAddr)> = BTreeSet::new();
    for (name, rtype, answers) in others.chain([keys]) {
        let mut deniers = BTreeSet::new();
        let mut affirmers = BTreeSet::new();
        for (address, response) in usable(answers).filter(|(_, response)| response.authoritative) {
            if response.is_nxdomain() && response.answer.is_empty() {
                denied.entry((name, address)).or_default().insert(rtype);
                deniers.insert(address);
            } else if response.is_noerror() {
                affirmed.insert((name, address));
                affirmers.insert(address);
            }
        }
        if !deniers.is_empty() && !affirmers.is_empty() {
            let fault = Fault::new("CH07_NXDOMAIN_AT_SOME_SERVERS", zone)
                .arg("domain", name)
                .arg("rrtype", rtype);
            faults.note(fault, &deniers);
        }
    }
    for ((name, address), rtypes) in denied {
        if affirmed.contains(&(name, address)) {
            let rtypes: Vec<String> = rtypes.iter().map(ToString::to_string).collect();
            let fault = Fault::new("CH07_NXDOMAIN_FOR_SOME_TYPES", zone)
                .arg("domain", name)
                .arg("rrtype", rtypes.join(";"));
            faults.note(fault, [&address]);
        }
    }
}

fn judge_class(zone: &Name, answers: &Answers, faults: &mut Faults) {
    type Section = fn(&Response) -> &Vec<Record>;
    let sections: [(&'static str, Section); 3] = [
        ("CH07_FOREIGN_CLASS_IN_ANSWER", |response| &response.answer),
        ("CH07_FOREIGN_CLASS_IN_AUTHORITY", |response| &response.authority),
        ("CH07_FOREIGN_CLASS_IN_ADDITIONAL", |response| &response.additional),
    ];
    for (address, exchange) in answers {
        let Some(response) = exchange.response() else { continue };
        for (tag, section) in sections {
            let classes = section(response).iter().map(|record| record.class);
            for class in classes.filter(|class| !matches!(*class, Class::IN | Class::ANY)) {
                faults.note(Fault::new(tag, zone).arg("class", class), [address]);
            }
        }
    }
}

/// Looks for servers of the parent that deny a name between parent and zone, and so the zone itself (RFC 8020).
pub(super) async fn judge_above(run: &Run, asked: &[Asked], faults: &mut Faults) {
    let [.., parent, child] = asked else { return };
    let between = std::iter::successors(child.zone.parent(), Name::parent)
        .take_while(|name| name.label_count() > parent.zone.label_count());
    let affirming: BTreeSet<IpAddr> = usable(&child.ds)
        .filter(|(_, response)| response.is_noerror())
        .map(|(address, _)| address)
        .collect();
    for name in between {
        let answers = run
            .ask_all(affirming.iter().copied(), &Question::plain(&name, Rtype::SOA))
            .await;
        let denying = answers.iter().filter(|(_, exchange)| {
            exchange
                .response()
                .is_some_and(|response| response.is_nxdomain() && response.authoritative)
        });
        for (address, _) in denying {
            let fault = Fault::new("CH07_NXDOMAIN_ABOVE_ZONE", &parent.zone)
                .arg("domain", &child.zone)
                .arg("owner", &name);
            faults.note(fault, [address]);
        }
    }
}
