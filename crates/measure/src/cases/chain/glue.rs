//! chain08: is there glue of each family that a name server within the zone has, and of no other? Is a referral a referral?

use std::collections::BTreeSet;
use std::net::IpAddr;

use domain::base::iana::Rtype;
use futures_util::future::join_all;
use model::Name;

use super::Emission;
use super::faults::names;
use crate::question::Question;
use crate::record::Record;
use crate::response::Response;
use crate::run::Run;

pub(super) async fn chain08(run: &Run) -> Vec<Emission> {
    if run.zone().is_root() || run.is_undelegated() {
        return Vec::new();
    }
    let mut emitted = Vec::new();
    let referring = authoritative_referrals(run).await;
    if !referring.is_empty() {
        let zone = run.parent_zone().await.unwrap_or(run.zone()).clone();
        let list = names(run, &zone, &referring).await;
        let emission = Emission::new("CH08_AUTHORITATIVE_REFERRAL").arg("domain", run.zone());
        emitted.push(emission.list("ns_list", list));
    }
    let Some(delegated) = run.delegated().await else {
        return emitted;
    };
    let within = delegated.glue.iter().filter(|(name, _)| run.is_in_zone(name));
    let judged = within.map(async |(name, glue)| judge(run, name, glue).await);
    emitted.extend(join_all(judged).await.into_iter().flatten());
    emitted
}

/// Servers of the parent that refer to the zone as if it were their own data, with AA set (RFC 1034 §4.3.2).
async fn authoritative_referrals(run: &Run) -> BTreeSet<IpAddr> {
    let parents = run.parent_addresses().await.unwrap_or_default();
    let answers = run.ask_all(parents, &Question::plain(run.zone(), Rtype::NS)).await;
    let refers = |response: &Response| {
        let is_of_zone = |record: &Record| record.rtype() == Rtype::NS && record.owner == *run.zone();
        response.is_noerror()
            && response.authoritative
            && response.answer.is_empty()
            && response.authority.iter().any(is_of_zone)
    };
    let referring = answers
        .iter()
        .filter(|(_, exchange)| exchange.response().is_some_and(refers));
    referring.map(|(address, _)| *address).collect()
}

async fn judge(run: &Run, name: &Name, glue: &BTreeSet<IpAddr>) -> Vec<Emission> {
    let mut emitted = Vec::new();
    if glue.is_empty() {
        emitted.push(Emission::new("CH08_NO_GLUE").arg("nsname", name));
    }
    let families = [
        (Rtype::A, "CH08_GLUE_MISSING_IPV4", "CH08_GLUE_EXTRA_IPV4"),
        (Rtype::AAAA, "CH08_GLUE_MISSING_IPV6", "CH08_GLUE_EXTRA_IPV6"),
    ];
    for (rtype, missing, extra) in families {
        let servers = run.child_addresses().await.keys().copied();
        let answers = run.ask_all(servers, &Question::plain(name, rtype)).await;
        let sound: Vec<_> = answers
            .iter()
            .filter_map(|(address, exchange)| Some((*address, exchange.response()?)))
            .filter(|(_, response)| response.authoritative && response.is_noerror())
            .collect();
        let own: BTreeSet<IpAddr> = sound
            .iter()
            .flat_map(|(_, response)| response.answers(name, rtype).filter_map(Record::address))
            .collect();
        let given: BTreeSet<IpAddr> = glue
            .iter()
            .copied()
            .filter(|address| address.is_ipv4() == (rtype == Rtype::A))
            .collect();
        if sound.is_empty() {
            continue;
        }
        if given.is_empty() && !own.is_empty() && !glue.is_empty() {
            emitted.push(Emission::new(missing).arg("nsname", name).list("ns_ip_list", &own));
        } else if own.is_empty() && !given.is_empty() {
            emitted.push(Emission::new(extra).arg("nsname", name).list("ns_ip_list", &given));
        }
    }
    emitted
}
