//! Basic: whether there is a zone, and whether anything serves it (`Basic-TP`).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use domain::base::iana::Rtype;
use futures_util::future::join_all;
use model::Name;

use super::{Case, Emission, case, families_off};
use crate::question::Question;
use crate::run::Run;
use crate::server::{Server, servers_of};
use crate::walk::{Found, FoundKind, Walk};

/// The cases of this file.
pub const CASES: &[Case] = &[
    case!("basic01", basic01),
    case!("basic02", basic02),
    case!("basic03", basic03),
];

/// basic01: the zone is delegated from a parent, by all its servers alike.
pub async fn basic01(run: &Run) -> Vec<Emission> {
    let zone = run.zone();
    let child_found = Emission::new("B01_CHILD_FOUND").arg("domain", zone);
    if zone.is_root() {
        return vec![child_found, Emission::new("B01_ROOT_HAS_NO_PARENT")];
    }
    if run.is_undelegated() {
        return vec![child_found, Emission::new("B01_PARENT_DISREGARDED")];
    }
    let walk = run.walk().await;
    let mut emitted = Vec::new();
    for (address, name, rtype) in &walk.unexpected {
        for server in walk.servers_at(*address) {
            let error = Emission::new("B01_SERVER_ZONE_ERROR")
                .arg("query_name", name)
                .arg("rrtype", rtype);
            emitted.push(error.arg("ns", server));
        }
    }
    let parents = by_parent(walk, |_| true);
    for (parent, servers) in &parents {
        emitted.push(
            Emission::new("B01_PARENT_FOUND")
                .arg("domain", parent)
                .list("ns_list", servers),
        );
    }
    if parents.len() > 1 {
        emitted.push(Emission::new("B01_PARENT_UNDETERMINED").list("ns_list", parents.values().flatten()));
    }
    if parents.is_empty() {
        emitted.push(Emission::new("B01_PARENT_NOT_FOUND"));
    }
    let is_child = |found: &Found| matches!(found.kind, FoundKind::Delegation | FoundKind::Soa);
    if walk.found.iter().any(is_child) {
        emitted.push(child_found);
        for (parent, servers) in by_parent(walk, |found| !is_child(found)) {
            let inconsistent = Emission::new("B01_INCONSISTENT_DELEGATION").arg("domain_child", zone);
            emitted.push(inconsistent.arg("domain_parent", parent).list("ns_list", servers));
        }
    } else {
        let above = zone.parent().unwrap_or_else(Name::root);
        emitted.push(
            Emission::new("B01_NO_CHILD")
                .arg("domain_child", zone)
                .arg("domain_super", above),
        );
    }
    let mut targets: BTreeMap<&Name, BTreeSet<Server>> = BTreeMap::new();
    for found in &walk.found {
        if let FoundKind::Dname(target) = &found.kind {
            targets
                .entry(target)
                .or_default()
                .extend(walk.servers_at(found.address));
        }
    }
    for (target, servers) in &targets {
        let alias = Emission::new("B01_CHILD_IS_ALIAS")
            .arg("domain_child", zone)
            .arg("domain_target", target);
        emitted.push(alias.list("ns_list", servers));
    }
    if targets.len() > 1 {
        emitted.push(Emission::new("B01_INCONSISTENT_ALIAS").arg("domain", zone));
    }
    emitted
}

fn by_parent(walk: &Walk, is_wanted: impl Fn(&Found) -> bool) -> BTreeMap<&Name, BTreeSet<Server>> {
    let mut parents: BTreeMap<&Name, BTreeSet<Server>> = BTreeMap::new();
    for found in walk.found.iter().filter(|found| is_wanted(found)) {
        parents
            .entry(&found.parent)
            .or_default()
            .extend(walk.servers_at(found.address));
    }
    parents
}

/// basic02: at least one server of the delegation answers authoritatively.
pub async fn basic02(run: &Run) -> Vec<Emission> {
    let zone = run.zone();
    let Some(delegation) = run.delegation().await.filter(|delegation| !delegation.is_empty()) else {
        return vec![Emission::new("B02_NO_DELEGATION").arg("domain", zone)];
    };
    let soa = Question::plain(zone, Rtype::SOA);
    let servers = servers_of(delegation);
    let answers = servers
        .iter()
        .filter(|server| run.inquiry().is_enabled(server.address))
        .map(async |server| {
            run.inquiry().note_name(server.address, &server.name);
            (server, run.ask(server.address, &soa).await)
        });
    let (mut authoritative, mut broken, mut not_authoritative, mut silent, mut unexpected) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (server, exchange) in join_all(answers).await {
        match exchange.response() {
            None => silent.push(Emission::new("B02_NS_NO_RESPONSE").arg("ns", server)),
            Some(response) if !response.is_noerror() => {
                let rcode = Emission::new("B02_UNEXPECTED_RCODE").arg("rcode", response.rcode_name());
                unexpected.push(rcode.arg("ns", server));
            }
            Some(response) if !response.authoritative => {
                not_authoritative.push(Emission::new("B02_NS_NOT_AUTH").arg("ns", server));
            }
            Some(response) if response.answers(zone, Rtype::SOA).next().is_some() => authoritative.push(server),
            Some(_) => broken.push(Emission::new("B02_NS_BROKEN").arg("ns", server)),
        }
    }
    let mut emitted = families_off(run, &servers, Rtype::SOA);
    if !authoritative.is_empty() {
        emitted.push(
            Emission::new("B02_AUTH_RESPONSE_SOA")
                .list("ns_list", authoritative)
                .arg("domain", zone),
        );
        return emitted;
    }
    let unresolved = delegation.iter().filter(|(_, addresses)| addresses.is_empty());
    let unresolved = unresolved
        .map(|(name, _)| Emission::new("B02_NS_NO_IP_ADDR").arg("nsname", name))
        .collect();
    emitted.push(Emission::new("B02_NO_WORKING_NS").arg("domain", zone));
    emitted.extend([broken, not_authoritative, unresolved, silent, unexpected].concat());
    emitted
}

/// basic03: where nothing serves the zone properly, whether its web address is found all the same.
pub async fn basic03(run: &Run) -> Vec<Emission> {
    let Ok(www) = run.zone().child("www") else {
        return Vec::new();
    };
    let addresses: BTreeSet<IpAddr> = run.delegation_addresses().await.unwrap_or_default();
    let delegation = run.delegation().await.map(servers_of).unwrap_or_default();
    let usable = addresses
        .into_iter()
        .filter(|address| run.inquiry().is_enabled(*address));
    let answers = run.ask_all(usable, &Question::plain(&www, Rtype::A)).await;
    let mut emitted = families_off(run, &delegation, Rtype::A);
    if answers.iter().all(|(_, exchange)| exchange.response().is_none()) {
        emitted.push(Emission::new("A_QUERY_NO_RESPONSES"));
    }
    for (address, exchange) in &answers {
        let has_a = exchange
            .response()
            .is_some_and(|response| response.answers(&www, Rtype::A).next().is_some());
        for server in delegation.iter().filter(|server| has_a && server.address == *address) {
            emitted.push(Emission::new("HAS_A_RECORDS").arg("ns", server).arg("domain", &www));
        }
    }
    emitted
}
