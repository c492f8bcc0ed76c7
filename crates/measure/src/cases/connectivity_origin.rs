//! connectivity03 and connectivity04: whether the servers stand in several networks, by AS and by announced prefix.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use futures_util::future::join_all;
use model::Prefix;

use super::{Case, Emission, case};
use crate::origin::Origin;
use crate::run::Run;
use crate::server::Server;

/// The cases of this file.
pub const CASES: &[Case] = &[
    case!("connectivity03", connectivity03),
    case!("connectivity04", connectivity04),
];

/// Both families, IPv4 first.
const FAMILIES: [fn(&IpAddr) -> bool; 2] = [IpAddr::is_ipv4, IpAddr::is_ipv6];

/// Who announces each address; in a lab without routes of nothing.
async fn origins(run: &Run, servers: &BTreeSet<Server>) -> BTreeMap<IpAddr, Origin> {
    let addresses: BTreeSet<IpAddr> = servers.iter().map(|server| server.address).collect();
    let found = addresses
        .into_iter()
        .map(async |address| Some((address, run.origin(address).await?)));
    join_all(found).await.into_iter().flatten().collect()
}

/// connectivity03: the addresses of each family are not all announced by one AS.
pub async fn connectivity03(run: &Run) -> Vec<Emission> {
    let origins = origins(run, &run.all_child_servers().await).await;
    let tags = [
        ["IPV4_ONE_ASN", "IPV4_SAME_ASN", "IPV4_DIFFERENT_ASN"],
        ["IPV6_ONE_ASN", "IPV6_SAME_ASN", "IPV6_DIFFERENT_ASN"],
    ];
    let mut emitted = Vec::new();
    for (is_in_family, [one, same, different]) in FAMILIES.into_iter().zip(tags) {
        let mut sets: BTreeSet<&Vec<u32>> = BTreeSet::new();
        let mut are_all_known = true;
        for (address, origin) in origins.iter().filter(|(address, _)| is_in_family(address)) {
            let say = |tag| Emission::new(tag).arg("ns_ip", address);
            match origin {
                Origin::Announced { prefix, asns } if !asns.is_empty() => {
                    emitted.push(say("ASN_INFOS_ANNOUNCE_BY").list("asn", asns));
                    emitted.push(say("ASN_INFOS_ANNOUNCE_IN").arg("prefix", prefix));
                    sets.insert(asns);
                    continue;
                }
                Origin::Unannounced => emitted.push(say("EMPTY_ASN_SET")),
                Origin::Announced { .. } | Origin::Unreadable | Origin::Failed => {
                    emitted.push(say("ERROR_ASN_DATABASE"));
                }
            }
            are_all_known = false;
        }
        let all: BTreeSet<&u32> = sets.iter().copied().flatten().collect();
        match (sets.len(), all.len()) {
            (0, _) => {}
            // the others might be elsewhere
            (1, _) if !are_all_known => {}
            (1, 1) => emitted.push(Emission::new(one).list("asn", all)),
            (1, _) => emitted.push(Emission::new(same).list("asn_list", all)),
            _ => emitted.push(Emission::new(different).list("asn_list", all)),
        }
    }
    emitted
}

/// connectivity04: the addresses of each family are not all in one announced prefix.
pub async fn connectivity04(run: &Run) -> Vec<Emission> {
    let servers = run.all_child_servers().await;
    let origins = origins(run, &servers).await;
    let tags = [
        [
            "CN04_IPV4_SAME_PREFIX",
            "CN04_IPV4_DIFFERENT_PREFIX",
            "CN04_IPV4_SINGLE_PREFIX",
        ],
        [
            "CN04_IPV6_SAME_PREFIX",
            "CN04_IPV6_DIFFERENT_PREFIX",
            "CN04_IPV6_SINGLE_PREFIX",
        ],
    ];
    let mut emitted = Vec::new();
    for (address, origin) in &origins {
        let say = |tag| Emission::new(tag).arg("ns_ip", address);
        emitted.push(match origin {
            Origin::Announced { prefix, .. } => say("CN04_ASN_INFOS_ANNOUNCE_IN").arg("prefix", prefix),
            Origin::Unannounced | Origin::Unreadable => say("CN04_EMPTY_PREFIX_SET"),
            Origin::Failed => say("CN04_ERROR_PREFIX_DATABASE"),
        });
    }
    for (is_in_family, [same, different, single]) in FAMILIES.into_iter().zip(tags) {
        let of_family = servers.iter().filter(|server| is_in_family(&server.address));
        let mut by_prefix: BTreeMap<&Prefix, Vec<&Server>> = BTreeMap::new();
        let mut count = 0;
        for server in of_family {
            count += 1;
            if let Some(Origin::Announced { prefix, .. }) = origins.get(&server.address) {
                by_prefix.entry(prefix).or_default().push(server);
            }
        }
        let (alone, together): (Vec<_>, Vec<_>) = by_prefix.into_iter().partition(|(_, members)| members.len() == 1);
        let is_single = together.iter().chain(&alone).any(|(_, members)| members.len() == count);
        for (prefix, members) in together {
            emitted.push(Emission::new(same).list("ns_list", members).arg("ip_prefix", prefix));
        }
        if !alone.is_empty() {
            let members = alone.into_iter().flat_map(|(_, members)| members);
            emitted.push(Emission::new(different).list("ns_list", members));
        }
        emitted.extend(is_single.then(|| Emission::new(single)));
    }
    emitted
}
