//! Delegation: whether what the parent says of the zone is sound (`Delegation-TP`; delegation03 has its own file).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use domain::base::iana::Rtype;
use futures_util::future::join_all;
use model::{Name, Transport};

use super::{Case, Emission, case, reachable_servers};
use crate::question::Question;
use crate::run::Run;
use crate::server::{NsSet, Server, servers_of};

/// The cases of this file.
pub const CASES: &[Case] = &[
    case!("delegation01", delegation01),
    case!("delegation02", delegation02),
    case!("delegation04", delegation04),
    case!("delegation05", delegation05),
    case!("delegation06", delegation06),
    case!("delegation07", delegation07),
];

/// Name servers that a zone should have at least (RFC 1034 §4.1).
const MINIMUM: usize = 2;

/// Tags by how many there are.
struct CountTags {
    enough: &'static str,
    not_enough: &'static str,
    none: &'static str,
}

/// delegation01: at least two name servers, by name, and by address in each family.
pub async fn delegation01(run: &Run) -> Vec<Emission> {
    let empty = NsSet::new();
    let delegation = run.delegation().await.unwrap_or(&empty);
    let zone = run.zone_servers().await.unwrap_or(&empty);
    let tags = |enough, not_enough, none| CountTags {
        enough,
        not_enough,
        none,
    };
    let of_delegation = [
        tags("ENOUGH_NS_DEL", "NOT_ENOUGH_NS_DEL", "NOT_ENOUGH_NS_DEL"),
        tags("ENOUGH_IPV4_NS_DEL", "NOT_ENOUGH_IPV4_NS_DEL", "NO_IPV4_NS_DEL"),
        tags("ENOUGH_IPV6_NS_DEL", "NOT_ENOUGH_IPV6_NS_DEL", "NO_IPV6_NS_DEL"),
    ];
    let of_zone = [
        tags("ENOUGH_NS_CHILD", "NOT_ENOUGH_NS_CHILD", "NOT_ENOUGH_NS_CHILD"),
        tags("ENOUGH_IPV4_NS_CHILD", "NOT_ENOUGH_IPV4_NS_CHILD", "NO_IPV4_NS_CHILD"),
        tags("ENOUGH_IPV6_NS_CHILD", "NOT_ENOUGH_IPV6_NS_CHILD", "NO_IPV6_NS_CHILD"),
    ];
    let mut emitted = count_servers(delegation, &of_delegation);
    emitted.extend(count_servers(zone, &of_zone));
    emitted
}

/// Over a family a server is a name with an address: one name with two addresses stands for two servers, as
/// Zonemaster's public scenarios of this case have it (its specification says "names").
fn count_servers(set: &NsSet, [all, ipv4, ipv6]: &[CountTags; 3]) -> Vec<Emission> {
    let servers = servers_of(set);
    let over = |is_wanted: fn(&IpAddr) -> bool| {
        let wanted = servers.iter().filter(|server| is_wanted(&server.address));
        wanted.map(Server::to_string).collect::<Vec<String>>()
    };
    let say = |tags: &CountTags, list: &str, servers: Vec<String>| {
        let tag = match servers.len() {
            0 => tags.none,
            count if count < MINIMUM => tags.not_enough,
            _ => tags.enough,
        };
        Emission::new(tag)
            .arg("count", servers.len())
            .arg("minimum", MINIMUM)
            .list(list, servers)
    };
    vec![
        say(all, "nsname_list", set.keys().map(Name::to_string).collect()),
        say(ipv4, "ns_list", over(IpAddr::is_ipv4)),
        say(ipv6, "ns_list", over(IpAddr::is_ipv6)),
    ]
}

/// delegation02: no two name servers share an address.
pub async fn delegation02(run: &Run) -> Vec<Emission> {
    let empty = NsSet::new();
    let delegation = run.delegation().await.unwrap_or(&empty);
    let zone = run.zone_servers().await.unwrap_or(&empty);
    let mut emitted = shared_addresses(delegation, "DEL_NS_SAME_IP", "DEL_DISTINCT_NS_IP");
    emitted.extend(shared_addresses(zone, "CHILD_NS_SAME_IP", "CHILD_DISTINCT_NS_IP"));
    emitted
}

fn shared_addresses(set: &NsSet, shared: &'static str, distinct: &'static str) -> Vec<Emission> {
    let mut by_address: BTreeMap<IpAddr, Vec<&Name>> = BTreeMap::new();
    for (name, addresses) in set {
        addresses
            .iter()
            .for_each(|address| by_address.entry(*address).or_default().push(name));
    }
    by_address.retain(|_, names| names.len() > 1);
    if by_address.is_empty() {
        return vec![Emission::new(distinct)];
    }
    let each = by_address.into_iter();
    each.map(|(address, names)| Emission::new(shared).arg("ns_ip", address).list("nsname_list", names))
        .collect()
}

/// delegation04: every server that answers does so authoritatively, over UDP and TCP.
pub async fn delegation04(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, Rtype::SOA, &mut emitted).await;
    let udp = Question::plain(run.zone(), Rtype::SOA);
    let tcp = udp.clone().over_tcp();
    let addresses = servers.keys().copied();
    let (udp, tcp) = tokio::join!(run.ask_all(addresses.clone(), &udp), run.ask_all(addresses, &tcp));
    let mut authoritative = BTreeSet::new();
    let mut is_sound = true;
    for (address, exchange) in udp.iter().chain(&tcp) {
        let Some(response) = exchange.response() else { continue };
        let proto = if exchange.question.transport == Transport::Udp {
            "UDP"
        } else {
            "TCP"
        };
        for server in &servers[address] {
            if response.authoritative {
                authoritative.insert(server);
            } else {
                is_sound = false;
                emitted.push(
                    Emission::new("IS_NOT_AUTHORITATIVE")
                        .arg("ns", server)
                        .arg("proto", proto),
                );
            }
        }
    }
    if is_sound && !authoritative.is_empty() {
        emitted.push(Emission::new("ARE_AUTHORITATIVE").list("ns_list", authoritative));
    }
    emitted
}

/// delegation05: no name server's name is an alias.
pub async fn delegation05(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, Rtype::A, &mut emitted).await;
    let in_delegation = run.delegation().await.into_iter().flat_map(|set| set.keys());
    let names: BTreeSet<&Name> = in_delegation
        .chain(run.zone_names().await.into_iter().flatten())
        .collect();
    let judged = names.into_iter().map(async |name| {
        let mut emitted = Vec::new();
        let mut is_alias = false;
        if run.is_in_zone(name) {
            for (address, exchange) in run
                .ask_all(servers.keys().copied(), &Question::plain(name, Rtype::A))
                .await
            {
                let say = |tag| Emission::new(tag).arg("query_name", name).arg("rrtype", Rtype::A);
                let named = servers[&address].iter();
                let Some(response) = exchange.response() else {
                    emitted.extend(named.map(|server| say("NO_RESPONSE").arg("ns", server)));
                    continue;
                };
                if !response.is_noerror() {
                    let unexpected = say("UNEXPECTED_RCODE").arg("rcode", response.rcode_name());
                    emitted.extend(named.map(|server| unexpected.clone().arg("ns", server)));
                } else if response.answer_type(Rtype::CNAME).next().is_some() {
                    is_alias = true;
                } else if response
                    .referral()
                    .is_some_and(|(below, _)| run.is_in_zone(&below) && below != *run.zone())
                {
                    is_alias |= run.lookup(name, Rtype::A).await.alias;
                }
            }
        } else {
            is_alias = run.lookup(name, Rtype::A).await.alias;
        }
        emitted.extend(is_alias.then(|| Emission::new("NS_IS_CNAME").arg("nsname", name)));
        emitted
    });
    emitted.extend(join_all(judged).await.concat());
    if !emitted.iter().any(|emission| emission.tag == "NS_IS_CNAME") {
        emitted.push(Emission::new("NO_NS_CNAME"));
    }
    emitted
}

/// delegation06: every server that answers without error has the zone's SOA record.
pub async fn delegation06(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, Rtype::SOA, &mut emitted).await;
    let answers = run
        .ask_all(servers.keys().copied(), &Question::plain(run.zone(), Rtype::SOA))
        .await;
    let (mut is_seen, mut is_missed) = (false, false);
    for (address, exchange) in &answers {
        let Some(response) = exchange.response().filter(|response| response.is_noerror()) else {
            continue;
        };
        if response.answers(run.zone(), Rtype::SOA).next().is_some() {
            is_seen = true;
        } else {
            is_missed = true;
            emitted.extend(
                servers[address]
                    .iter()
                    .map(|server| Emission::new("SOA_NOT_EXISTS").arg("ns", server)),
            );
        }
    }
    if is_seen && !is_missed {
        emitted.push(Emission::new("SOA_EXISTS"));
    }
    emitted
}

/// delegation07: the parent and the zone name the same name servers.
pub async fn delegation07(run: &Run) -> Vec<Emission> {
    let parent: BTreeSet<&Name> = run.delegation().await.into_iter().flat_map(|set| set.keys()).collect();
    let child: BTreeSet<&Name> = run.zone_names().await.into_iter().flatten().collect();
    let mut emitted = Vec::new();
    let extra = |of: &BTreeSet<&Name>, than: &BTreeSet<&Name>, tag| {
        let extra: Vec<Name> = of.difference(than).map(|name| (*name).clone()).collect();
        (!extra.is_empty()).then(|| Emission::new(tag).list("extra", extra))
    };
    emitted.extend(extra(&parent, &child, "EXTRA_NAME_PARENT"));
    emitted.extend(extra(&child, &parent, "EXTRA_NAME_CHILD"));
    if parent.is_disjoint(&child) {
        emitted.push(
            Emission::new("TOTAL_NAME_MISMATCH")
                .list("glue", &parent)
                .list("child", &child),
        );
    }
    if parent == child && !parent.is_empty() {
        emitted.push(Emission::new("NAMES_MATCH").list("names", &parent));
    }
    emitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_a_family_a_name_with_two_addresses_stands_for_two_servers() {
        let tags = [
            ("ENOUGH_NS_DEL", "NOT_ENOUGH_NS_DEL", "NOT_ENOUGH_NS_DEL"),
            ("ENOUGH_IPV4_NS_DEL", "NOT_ENOUGH_IPV4_NS_DEL", "NO_IPV4_NS_DEL"),
            ("ENOUGH_IPV6_NS_DEL", "NOT_ENOUGH_IPV6_NS_DEL", "NO_IPV6_NS_DEL"),
        ];
        let tags = tags.map(|(enough, not_enough, none)| CountTags {
            enough,
            not_enough,
            none,
        });
        for (addresses, ipv4, ipv6) in [
            (vec!["192.0.2.1", "192.0.2.2"], "ENOUGH_IPV4_NS_DEL", "NO_IPV6_NS_DEL"),
            (
                vec!["192.0.2.1", "2001:db8::1"],
                "NOT_ENOUGH_IPV4_NS_DEL",
                "NOT_ENOUGH_IPV6_NS_DEL",
            ),
            (
                vec!["2001:db8::1", "2001:db8::2"],
                "NO_IPV4_NS_DEL",
                "ENOUGH_IPV6_NS_DEL",
            ),
            (vec![], "NO_IPV4_NS_DEL", "NO_IPV6_NS_DEL"),
        ] {
            let parsed = addresses.iter().map(|address| address.parse().unwrap()).collect();
            let set = NsSet::from([("ns1.example".parse().unwrap(), parsed)]);
            let said: Vec<&str> = count_servers(&set, &tags).iter().map(|emission| emission.tag).collect();
            assert_eq!(said, ["NOT_ENOUGH_NS_DEL", ipv4, ipv6], "{addresses:?}");
        }
    }
}
