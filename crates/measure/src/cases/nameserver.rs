//! Name server: how each server behaves as a server (`Nameserver-TP`).

use std::collections::BTreeSet;

use domain::base::iana::{OptRcode, Rtype};
use futures_util::future::join_all;
use model::Name;

use super::{Case, Emission, case, reachable_servers};
use crate::question::Question;
use crate::response::Response;
use crate::run::Run;

/// The cases of this file.
pub const CASES: &[Case] = &[
    case!("nameserver01", nameserver01),
    case!("nameserver02", nameserver02),
    case!("nameserver03", nameserver03),
    case!("nameserver04", nameserver04),
    case!("nameserver06", nameserver06),
];

/// Names that do not exist, under three zones that are hardly served by one server (nameserver01, step 1).
const NONEXISTENT: [&str; 3] = [
    "xn--nameservertest.iis.se",
    "xn--nameservertest.icann.org",
    "xn--nameservertest.ripe.net",
];

/// The questions of nameserver01: with RD, without which no recursor would show that it recurses.
pub(super) fn recursive_questions() -> [Question; 3] {
    NONEXISTENT.map(|name| {
        let name: Name = name.parse().expect("a constant name is a name");
        Question::plain(&name, Rtype::A).recursive()
    })
}

/// nameserver01: no server does recursion for the public.
pub async fn nameserver01(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, Rtype::A, &mut emitted).await;
    let questions = recursive_questions();
    let asked = servers.iter().map(async |(address, named)| {
        let answers = join_all(questions.iter().map(|question| run.ask(*address, question))).await;
        let responses: Vec<&Response> = answers.iter().filter_map(|exchange| exchange.response()).collect();
        let is_silent = responses.len() < answers.len();
        let is_recursor = responses.iter().any(|response| response.recursion_available)
            // a server of the root rightly says of any name that it does not exist
            || (!run.zone().is_root() && !is_silent && responses.iter().all(|response| response.is_nxdomain()));
        let mut tags = Vec::new();
        tags.extend(is_silent.then_some("NO_RESPONSE"));
        tags.extend(is_recursor.then_some("IS_A_RECURSOR"));
        tags.extend((!is_silent && !is_recursor).then_some("NO_RECURSOR"));
        let say = |tag: &'static str| named.iter().map(move |server| Emission::new(tag).arg("ns", server));
        tags.into_iter().flat_map(say).collect::<Vec<_>>()
    });
    emitted.extend(join_all(asked).await.concat());
    emitted
}

/// nameserver02: every server does EDNS version 0, or says properly that it does not.
pub async fn nameserver02(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, Rtype::SOA, &mut emitted).await;
    let with = Question::edns(run.zone(), Rtype::SOA);
    let without = Question::plain(run.zone(), Rtype::SOA);
    let mut compliant = BTreeSet::new();
    let asked = servers.iter().map(async |(address, named)| {
        let exchange = run.ask(*address, &with).await;
        let tag = match exchange.response() {
            Some(response) => judge_edns(run, response),
            None if run.ask(*address, &without).await.response().is_none() => Some("NO_RESPONSE"),
            None => Some("BREAKS_ON_EDNS"),
        };
        (named, tag)
    });
    for (named, tag) in join_all(asked).await {
        match tag {
            Some(tag) => {
                let say = |server| Emission::new(tag).arg("ns", server).arg("domain", run.zone());
                emitted.extend(named.iter().map(say));
            }
            None => compliant.extend(named),
        }
    }
    if !compliant.is_empty() {
        emitted.push(Emission::new("EDNS0_SUPPORT").list("ns_list", compliant));
    }
    emitted
}

/// The tag for an answer on a question with EDNS; `None` for a compliant one.
fn judge_edns(run: &Run, response: &Response) -> Option<&'static str> {
    let has_soa = response.answers(run.zone(), Rtype::SOA).next().is_some();
    match (&response.edns, response.is_noerror()) {
        (None, _) if response.rcode == OptRcode::FORMERR => Some("NO_EDNS_SUPPORT"),
        (Some(edns), true) if edns.version == 0 && has_soa => None,
        (None, true) => Some("EDNS_RESPONSE_WITHOUT_EDNS"),
        (Some(edns), true) if edns.version != 0 => Some("EDNS_VERSION_ERROR"),
        _ => Some("NS_ERROR"),
    }
}

/// nameserver03: no server gives the whole zone to the public.
pub async fn nameserver03(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, Rtype::AXFR, &mut emitted).await;
    let question = Question::plain(run.zone(), Rtype::AXFR).over_tcp();
    for (address, exchange) in run.ask_all(servers.keys().copied(), &question).await {
        let first = exchange.response().and_then(|response| response.answer.first());
        let is_open = first.is_some_and(|record| record.rtype() == Rtype::SOA && record.owner == *run.zone());
        let tag = if is_open { "AXFR_AVAILABLE" } else { "AXFR_FAILURE" };
        emitted.extend(
            servers[&address]
                .iter()
                .map(|server| Emission::new(tag).arg("ns", server)),
        );
    }
    emitted
}

/// nameserver04: every answer comes from the address that was asked.
pub async fn nameserver04(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, Rtype::SOA, &mut emitted).await;
    let mut same = BTreeSet::new();
    for (address, exchange) in run
        .ask_all(servers.keys().copied(), &Question::plain(run.zone(), Rtype::SOA))
        .await
    {
        if let Some(source) = exchange.answered_from {
            let different = Emission::new("DIFFERENT_SOURCE_IP").arg("source", source.ip());
            emitted.extend(
                servers[&address]
                    .iter()
                    .map(|server| different.clone().arg("ns", server)),
            );
        } else if exchange.response().is_some() {
            same.extend(&servers[&address]);
        }
    }
    if !same.is_empty() {
        emitted.push(Emission::new("SAME_SOURCE_IP").list("ns_list", same));
    }
    emitted
}

/// nameserver06: every name server's name has an address.
pub async fn nameserver06(run: &Run) -> Vec<Emission> {
    let sets = [run.delegation().await, run.zone_servers().await];
    let mut resolved: BTreeSet<&Name> = BTreeSet::new();
    let mut all: BTreeSet<&Name> = BTreeSet::new();
    for (name, addresses) in sets.into_iter().flatten().flatten() {
        all.insert(name);
        if !addresses.is_empty() {
            resolved.insert(name);
        }
    }
    let unresolved: BTreeSet<&Name> = all.difference(&resolved).copied().collect();
    if all.is_empty() {
        return Vec::new();
    }
    if resolved.is_empty() {
        return vec![Emission::new("NO_RESOLUTION").list("nsname_list", all)];
    }
    let mut emitted = vec![Emission::new("CAN_BE_RESOLVED").list("nsname_list", resolved)];
    if !unresolved.is_empty() {
        emitted.push(Emission::new("CAN_NOT_BE_RESOLVED").list("nsname_list", unresolved));
    }
    emitted
}
