//! consistency05: whether the addresses in the delegation are those that the zones themselves give.

use std::collections::BTreeSet;
use std::net::IpAddr;

use domain::base::iana::Rtype;
use futures_util::future::join_all;
use model::Name;

use super::{Case, Emission, case, reachable_servers};
use crate::exchange::Exchange;
use crate::question::Question;
use crate::record::Record;
use crate::run::Run;
use crate::server::Server;

/// The case of this file.
pub const CASES: &[Case] = &[case!("consistency05", consistency05)];

/// What one server says of one name and type.
enum Said {
    Addresses(Vec<IpAddr>),
    Silent,
    Failed,
}

/// consistency05: glue agrees with authoritative data.
pub async fn consistency05(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let glue = run
        .delegated()
        .await
        .map(|delegated| delegated.glue.clone())
        .unwrap_or_default();
    let (strict, extended): (Vec<_>, Vec<_>) = glue.into_iter().partition(|(name, _)| run.is_in_zone(name));
    let in_delegation = strict.iter().map(|(name, _)| name.clone());
    let in_zone = run
        .zone_names()
        .await
        .into_iter()
        .flatten()
        .filter(|name| run.is_in_zone(name))
        .cloned();
    let names: BTreeSet<Name> = in_delegation.chain(in_zone).collect();

    let mut from_child: BTreeSet<Server> = BTreeSet::new();
    if !names.is_empty() {
        let Some(found) = ask_child(run, &names, &mut emitted).await else {
            emitted.push(Emission::new("CHILD_ZONE_LAME"));
            return emitted;
        };
        from_child = found;
    }
    let from_parent: BTreeSet<Server> = pairs(strict);
    let mut is_alike = true;
    if from_parent.difference(&from_child).next().is_some() {
        is_alike = false;
        let mismatch = Emission::new("IN_BAILIWICK_ADDR_MISMATCH").list("parent_addresses", &from_parent);
        emitted.push(mismatch.list("zone_addresses", &from_child));
    }
    if from_child.difference(&from_parent).next().is_some() {
        is_alike = false;
        emitted.push(Emission::new("EXTRA_ADDRESS_CHILD").list("ns_ip_list", from_child.difference(&from_parent)));
    }
    let outside = extended.into_iter().filter(|(_, addresses)| !addresses.is_empty());
    let outside = outside.map(async |(name, addresses)| (own_addresses(run, &name).await, pairs([(name, addresses)])));
    for (looked_up, given) in join_all(outside).await {
        if given.iter().any(|server| !looked_up.contains(server)) {
            is_alike = false;
            let mismatch = Emission::new("OUT_OF_BAILIWICK_ADDR_MISMATCH").list("parent_addresses", given);
            emitted.push(mismatch.list("zone_addresses", looked_up));
        }
    }
    if is_alike {
        emitted.push(Emission::new("ADDRESSES_MATCH"));
    }
    emitted
}

fn pairs(set: impl IntoIterator<Item = (Name, BTreeSet<IpAddr>)>) -> BTreeSet<Server> {
    let pairs = set.into_iter().flat_map(|(name, addresses)| {
        addresses.into_iter().map(move |address| Server {
            name: name.clone(),
            address,
        })
    });
    pairs.collect()
}

/// The addresses that a look-up gives for the name itself, not for what it is an alias of.
async fn own_addresses(run: &Run, name: &Name) -> BTreeSet<Server> {
    let (a, aaaa) = tokio::join!(run.lookup(name, Rtype::A), run.lookup(name, Rtype::AAAA));
    let own = [a, aaaa].into_iter().filter(|lookup| !lookup.alias);
    let addresses = own
        .flat_map(|lookup| lookup.records)
        .filter_map(|record| record.address());
    addresses
        .map(|address| Server {
            name: name.clone(),
            address,
        })
        .collect()
}

/// What the servers of the zone say of the names; `None` when of some name no server says anything usable.
async fn ask_child(run: &Run, names: &BTreeSet<Name>, emitted: &mut Vec<Emission>) -> Option<BTreeSet<Server>> {
    let servers = reachable_servers(run, Rtype::A, emitted).await;
    let mut found = BTreeSet::new();
    let mut is_lame = false;
    let asked = names.iter().map(async |name| {
        let (a, aaaa) = (Question::plain(name, Rtype::A), Question::plain(name, Rtype::AAAA));
        let (a, aaaa) = tokio::join!(
            run.ask_all(servers.keys().copied(), &a),
            run.ask_all(servers.keys().copied(), &aaaa)
        );
        let said = a
            .into_iter()
            .chain(aaaa)
            .map(async |(address, exchange)| (address, exchange.question.rtype, judge(run, name, &exchange).await));
        (name, join_all(said).await)
    });
    for (name, said) in join_all(asked).await {
        let mut is_answered = false;
        for (address, rtype, said) in said {
            let tag = match said {
                Said::Addresses(addresses) => {
                    is_answered = true;
                    found.extend(addresses.into_iter().map(|address| Server {
                        name: name.clone(),
                        address,
                    }));
                    continue;
                }
                Said::Silent => "NO_RESPONSE",
                Said::Failed => "CHILD_NS_FAILED",
            };
            let named = servers[&address]
                .iter()
                .map(|server| Emission::new(tag).arg("ns", server));
            emitted.extend(named.map(|emission| emission.arg("query_name", name).arg("rrtype", rtype)));
        }
        is_lame |= !is_answered;
    }
    (!is_lame).then_some(found)
}

async fn judge(run: &Run, name: &Name, exchange: &Exchange) -> Said {
    let rtype = exchange.question.rtype;
    let Some(response) = exchange.response() else {
        return Said::Silent;
    };
    let is_below = |zone: &Name| zone != run.zone() && zone.is_at_or_below(run.zone());
    if let Some((below, servers)) = response.referral().filter(|(zone, _)| is_below(zone)) {
        let found = run.lookup_below(&below, servers, name, rtype).await;
        let own = if found.alias { Vec::new() } else { found.records };
        return Said::Addresses(own.iter().filter_map(Record::address).collect());
    }
    if !response.authoritative || !(response.is_noerror() || response.is_nxdomain()) {
        return Said::Failed;
    }
    Said::Addresses(response.answers(name, rtype).filter_map(Record::address).collect())
}
