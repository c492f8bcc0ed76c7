//! chain08: is there glue of each family that a name server within the zone has, and of no other?

use std::collections::BTreeSet;
use std::net::IpAddr;

use domain::base::iana::Rtype;
use futures_util::future::join_all;
use model::Name;

use super::Emission;
use crate::question::Question;
use crate::record::Record;
use crate::run::Run;

pub(super) async fn chain08(run: &Run) -> Vec<Emission> {
    if run.zone().is_root() || run.is_undelegated() {
        return Vec::new();
    }
    let Some(delegated) = run.delegated().await else {
        return Vec::new();
    };
    let within = delegated.glue.iter().filter(|(name, _)| run.is_in_zone(name));
    let judged = within.map(async |(name, glue)| judge(run, name, glue).await);
    join_all(judged).await.into_iter().flatten().collect()
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
