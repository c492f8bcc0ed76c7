//! Connectivity: whether every server of the zone answers, over UDP and over TCP (`Connectivity-TP`).

use std::net::IpAddr;

use domain::base::iana::Rtype;
use futures_util::future::join_all;

use super::{Case, Emission, case};
use crate::exchange::Exchange;
use crate::question::Question;
use crate::run::Run;
use crate::server::Server;

/// The cases of this file.
pub const CASES: &[Case] = &[
    case!("connectivity01", connectivity01),
    case!("connectivity02", connectivity02),
];

/// Tags on one question over one transport.
struct Tags {
    no_response: &'static str,
    rcode: &'static str,
    missing: &'static str,
    wrong_owner: &'static str,
    not_authoritative: &'static str,
}

const SOA_UDP: Tags = Tags {
    no_response: "CN01_NO_RESPONSE_SOA_QUERY_UDP",
    rcode: "CN01_UNEXPECTED_RCODE_SOA_QUERY_UDP",
    missing: "CN01_MISSING_SOA_RECORD_UDP",
    wrong_owner: "CN01_WRONG_SOA_RECORD_UDP",
    not_authoritative: "CN01_SOA_RECORD_NOT_AA_UDP",
};
const NS_UDP: Tags = Tags {
    no_response: "CN01_NO_RESPONSE_NS_QUERY_UDP",
    rcode: "CN01_UNEXPECTED_RCODE_NS_QUERY_UDP",
    missing: "CN01_MISSING_NS_RECORD_UDP",
    wrong_owner: "CN01_WRONG_NS_RECORD_UDP",
    not_authoritative: "CN01_NS_RECORD_NOT_AA_UDP",
};
const SOA_TCP: Tags = Tags {
    no_response: "CN02_NO_RESPONSE_SOA_QUERY_TCP",
    rcode: "CN02_UNEXPECTED_RCODE_SOA_QUERY_TCP",
    missing: "CN02_MISSING_SOA_RECORD_TCP",
    wrong_owner: "CN02_WRONG_SOA_RECORD_TCP",
    not_authoritative: "CN02_SOA_RECORD_NOT_AA_TCP",
};
const NS_TCP: Tags = Tags {
    no_response: "CN02_NO_RESPONSE_NS_QUERY_TCP",
    rcode: "CN02_UNEXPECTED_RCODE_NS_QUERY_TCP",
    missing: "CN02_MISSING_NS_RECORD_TCP",
    wrong_owner: "CN02_WRONG_NS_RECORD_TCP",
    not_authoritative: "CN02_NS_RECORD_NOT_AA_TCP",
};

/// connectivity01: every server answers on SOA and NS over UDP.
pub async fn connectivity01(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    for (tag, is_ipv4) in [("CN01_IPV4_DISABLED", true), ("CN01_IPV6_DISABLED", false)] {
        let servers = run.all_child_servers().await.into_iter();
        let off: Vec<Server> = servers
            .filter(|server| server.address.is_ipv4() == is_ipv4 && !run.inquiry().is_enabled(server.address))
            .collect();
        if !off.is_empty() {
            emitted.push(Emission::new(tag).list("ns_list", off));
        }
    }
    let (soa, ns) = (
        Question::plain(run.zone(), Rtype::SOA),
        Question::plain(run.zone(), Rtype::NS),
    );
    emitted.extend(ask_servers(run, [&soa, &ns], [&SOA_UDP, &NS_UDP], "CN01_NO_RESPONSE_UDP").await);
    emitted
}

/// connectivity02: every server answers on SOA and NS over TCP.
pub async fn connectivity02(run: &Run) -> Vec<Emission> {
    let soa = Question::plain(run.zone(), Rtype::SOA).over_tcp();
    let ns = Question::plain(run.zone(), Rtype::NS).over_tcp();
    ask_servers(run, [&soa, &ns], [&SOA_TCP, &NS_TCP], "CN02_NO_RESPONSE_TCP").await
}

async fn ask_servers(run: &Run, questions: [&Question; 2], tags: [&Tags; 2], silent: &'static str) -> Vec<Emission> {
    let asked = run.child_addresses().await.keys().map(async |address| {
        let (first, second) = tokio::join!(run.ask(*address, questions[0]), run.ask(*address, questions[1]));
        judge_server(run, *address, [&first, &second], tags, silent)
    });
    join_all(asked).await.concat()
}

fn judge_server(
    run: &Run,
    address: IpAddr,
    exchanges: [&Exchange; 2],
    tags: [&Tags; 2],
    silent: &'static str,
) -> Vec<Emission> {
    let mut emitted = Vec::new();
    for server in run.servers_at(address) {
        if !exchanges.into_iter().any(has_responded) {
            emitted.push(Emission::new(silent).arg("ns", server));
            continue;
        }
        for (exchange, tags) in exchanges.into_iter().zip(tags) {
            emitted.extend(judge(run, exchange, tags).map(|emission| emission.arg("ns", &server)));
        }
    }
    emitted
}

/// A truncated answer over UDP is a response even if nothing came over TCP afterwards.
fn has_responded(exchange: &Exchange) -> bool {
    exchange.response().is_some() || exchange.truncated
}

fn judge(run: &Run, exchange: &Exchange, tags: &Tags) -> Option<Emission> {
    let (zone, rtype) = (run.zone(), exchange.question.rtype);
    if !has_responded(exchange) {
        return Some(Emission::new(tags.no_response));
    }
    let response = exchange.response()?;
    if !response.is_noerror() {
        return Some(Emission::new(tags.rcode).arg("rcode", response.rcode_name()));
    }
    let Some(any) = response.answer_type(rtype).next() else {
        return Some(Emission::new(tags.missing));
    };
    if response.answers(zone, rtype).next().is_none() {
        let wrong = Emission::new(tags.wrong_owner).arg("domain_found", &any.owner);
        return Some(wrong.arg("domain_expected", zone));
    }
    (!response.authoritative).then(|| Emission::new(tags.not_authoritative))
}
