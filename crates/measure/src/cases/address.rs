//! Address: whether the addresses of name servers are ones that the Internet can reach, and their reverse names (`Address-TP`).

use std::collections::BTreeSet;
use std::net::IpAddr;

use domain::base::iana::Rtype;
use futures_util::future::join_all;
use model::Name;

use super::{Case, Emission, case};
use crate::record::Record;
use crate::reverse;
use crate::run::Run;
use crate::server::{Server, servers_of};
use crate::special_purpose::Purpose;

/// The cases of this file.
pub const CASES: &[Case] = &[
    case!("address01", address01),
    case!("address02", address02),
    case!("address03", address03),
];

/// address01: every address is globally reachable by the registries of IANA. Nothing is asked.
pub async fn address01(run: &Run) -> Vec<Emission> {
    let servers = run.all_child_servers().await;
    if servers.is_empty() {
        return vec![Emission::new("A01_NO_NAME_SERVERS_FOUND")];
    }
    let purpose = |server: &Server| match run.profile().special_purpose.purpose(server.address) {
        // in a lab, loopback is the Internet
        Purpose::LocalUse if run.is_lab() && server.address.is_loopback() => Purpose::GloballyReachable,
        purpose => purpose,
    };
    let said = [
        (Purpose::Documentation, "A01_DOCUMENTATION_ADDR"),
        (Purpose::LocalUse, "A01_LOCAL_USE_ADDR"),
        (Purpose::NotGloballyReachable, "A01_ADDR_NOT_GLOBALLY_REACHABLE"),
        (Purpose::GloballyReachable, "A01_GLOBALLY_REACHABLE_ADDR"),
    ];
    let mut emitted = Vec::new();
    for (wanted, tag) in said {
        let such: Vec<&Server> = servers.iter().filter(|server| purpose(server) == wanted).collect();
        if !such.is_empty() {
            emitted.push(Emission::new(tag).list("ns_list", such));
        } else if wanted == Purpose::GloballyReachable {
            emitted.push(Emission::new("A01_NO_GLOBALLY_REACHABLE_ADDR"));
        }
    }
    emitted
}

/// What the reverse tree says of an address.
enum Reverse {
    Names(BTreeSet<Name>),
    Nothing,
    Silent,
}

/// Looks the names of an address up; `None` in a lab without a reverse tree.
async fn reverse(run: &Run, address: IpAddr) -> Option<Reverse> {
    if !run.is_there(&reverse::reverse_tree(address)).await {
        return None;
    }
    let found = run.lookup(&reverse::reverse_name(address), Rtype::PTR).await;
    let names: BTreeSet<Name> = found.records.iter().filter_map(Record::ptr).collect();
    Some(match found.rcode {
        None => Reverse::Silent,
        Some(_) if names.is_empty() => Reverse::Nothing,
        Some(_) => Reverse::Names(names),
    })
}

async fn reverse_of_all(run: &Run, servers: BTreeSet<Server>) -> Vec<(Server, Reverse)> {
    let found = servers.into_iter().map(async |server| {
        let reverse = reverse(run, server.address).await?;
        Some((server, reverse))
    });
    join_all(found).await.into_iter().flatten().collect()
}

fn without_reverse(server: &Server) -> Emission {
    Emission::new("NAMESERVER_IP_WITHOUT_REVERSE")
        .arg("nsname", &server.name)
        .arg("ns_ip", server.address)
}

fn silent(server: &Server) -> Emission {
    Emission::new("NO_RESPONSE_PTR_QUERY").arg("domain", reverse::reverse_name(server.address))
}

/// address02: every address has a name in the reverse tree.
pub async fn address02(run: &Run) -> Vec<Emission> {
    let found = reverse_of_all(run, run.all_child_servers().await).await;
    let mut emitted: Vec<Emission> = Vec::new();
    for (server, reverse) in &found {
        let said = match reverse {
            Reverse::Names(_) => continue,
            Reverse::Nothing => without_reverse(server),
            Reverse::Silent => silent(server),
        };
        // an address of two names is asked about once
        if !emitted.contains(&said) {
            emitted.push(said);
        }
    }
    if emitted.is_empty() && !found.is_empty() {
        emitted.push(Emission::new("NAMESERVERS_IP_WITH_REVERSE"));
    }
    emitted
}

/// address03: the name of each address is that of the name server. [`crate::check()`] leaves it out where address02 failed.
pub async fn address03(run: &Run) -> Vec<Emission> {
    let servers = run.zone_servers().await.map(servers_of).unwrap_or_default();
    let found = reverse_of_all(run, servers).await;
    let mut emitted: Vec<Emission> = Vec::new();
    for (server, reverse) in &found {
        let said = match reverse {
            Reverse::Names(names) if names.contains(&server.name) => continue,
            Reverse::Names(names) => Emission::new("NAMESERVER_IP_PTR_MISMATCH")
                .arg("nsname", &server.name)
                .arg("ns_ip", server.address)
                .list("names", names),
            Reverse::Nothing => without_reverse(server),
            Reverse::Silent => silent(server),
        };
        if !emitted.contains(&said) {
            emitted.push(said);
        }
    }
    if emitted.is_empty() && !found.is_empty() {
        emitted.push(Emission::new("NAMESERVER_IP_PTR_MATCH"));
    }
    emitted
}
