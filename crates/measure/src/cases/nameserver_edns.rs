//! nameserver10 to nameserver13: what each server does with EDNS that it does not know, and when an answer is cut short.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use domain::base::iana::{OptRcode, Rtype};
use futures_util::future::join_all;

use super::edns::{UNKNOWN_FLAG, UNKNOWN_OPTION};
use super::{Case, Emission, ask_known, case, reachable_servers};
use crate::question::Question;
use crate::response::Response;
use crate::run::Run;

/// The cases of this file.
pub const CASES: &[Case] = &[
    case!("nameserver10", nameserver10),
    case!("nameserver11", nameserver11),
    case!("nameserver12", nameserver12),
    case!("nameserver13", nameserver13),
];

/// Addresses by what was found wrong with them: tag and RCODE, the latter where the message has one.
type Wrong = BTreeMap<(&'static str, Option<String>), BTreeSet<IpAddr>>;

fn say_wrong(wrong: Wrong) -> impl Iterator<Item = Emission> {
    wrong.into_iter().map(|((tag, rcode), addresses)| {
        let emission = Emission::new(tag).list("ns_ip_list", addresses);
        rcode
            .into_iter()
            .fold(emission, |emission, rcode| emission.arg("rcode", rcode))
    })
}

fn has_soa(run: &Run, response: &Response) -> bool {
    response.answers(run.zone(), Rtype::SOA).next().is_some()
}

/// nameserver10: EDNS version 1, which does not exist, is answered with BADVERS (RFC 6891 §6.1.3).
pub async fn nameserver10(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, Rtype::SOA, &mut emitted).await;
    let known = Question::edns(run.zone(), Rtype::SOA);
    let unknown = known.clone().version(1);
    let asked = servers.keys().map(async |address| {
        let first = ask_known(run, *address, &known).await;
        let is_sound = first.response().is_some_and(Response::is_noerror);
        let second = if is_sound {
            Some(run.ask(*address, &unknown).await)
        } else {
            None
        };
        (*address, second)
    });
    let mut wrong = Wrong::new();
    for (address, exchange) in join_all(asked).await {
        let Some(exchange) = exchange else { continue };
        let found = match exchange.response() {
            None => ("N10_NO_RESPONSE_EDNS1_QUERY", None),
            Some(response) if response.rcode != OptRcode::BADVERS => {
                ("N10_UNEXPECTED_RCODE", Some(response.rcode_name()))
            }
            Some(response) => {
                let is_version_0 = response.edns.as_ref().is_some_and(|edns| edns.version == 0);
                if is_version_0 && response.answer.is_empty() {
                    continue;
                }
                ("N10_EDNS_RESPONSE_ERROR", None)
            }
        };
        wrong.entry(found).or_default().insert(address);
    }
    emitted.extend(say_wrong(wrong));
    emitted
}

/// nameserver11: an EDNS option that nobody knows is passed over (RFC 6891 §6.1.2).
pub async fn nameserver11(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, Rtype::SOA, &mut emitted).await;
    let plain = Question::edns(run.zone(), Rtype::SOA);
    let with_option = plain.clone().option(UNKNOWN_OPTION, Vec::new());
    let asked = servers.keys().map(async |address| {
        let first = ask_known(run, *address, &plain).await;
        let is_sound = first.response().is_some_and(|response| {
            response.edns.is_some() && response.is_noerror() && response.authoritative && has_soa(run, response)
        });
        let second = if is_sound {
            Some(run.ask(*address, &with_option).await)
        } else {
            None
        };
        (*address, second)
    });
    let mut wrong = Wrong::new();
    for (address, exchange) in join_all(asked).await {
        let Some(exchange) = exchange else { continue };
        let found = match exchange.response() {
            None => Some(("N11_NO_RESPONSE", None)),
            Some(response) => judge_option(run, response),
        };
        if let Some(found) = found {
            wrong.entry(found).or_default().insert(address);
        }
    }
    emitted.extend(say_wrong(wrong));
    emitted
}

fn judge_option(run: &Run, response: &Response) -> Option<(&'static str, Option<String>)> {
    if !response.is_noerror() {
        return Some(("N11_UNEXPECTED_RCODE", Some(response.rcode_name())));
    }
    let Some(edns) = &response.edns else {
        return Some(("N11_NO_EDNS", None));
    };
    let tag = if !has_soa(run, response) {
        "N11_UNEXPECTED_ANSWER_SECTION"
    } else if !response.authoritative {
        "N11_UNSET_AA"
    } else if edns.options.iter().any(|(code, _)| *code == UNKNOWN_OPTION) {
        "N11_RETURNS_UNKNOWN_OPTION_CODE"
    } else {
        return None;
    };
    Some((tag, None))
}

/// nameserver12: an EDNS flag that nobody knows is passed over and not sent back (RFC 6891 §6.1.4).
pub async fn nameserver12(run: &Run) -> Vec<Emission> {
    let question = Question::edns(run.zone(), Rtype::SOA).z(UNKNOWN_FLAG);
    judge_servers(run, &question, |response| {
        let edns = response.edns.as_ref();
        if edns.is_some_and(|edns| edns.z != 0) {
            return Some("Z_FLAGS_NOTCLEAR");
        }
        let is_sound = has_soa(run, response) && response.is_noerror() && edns.is_some_and(|edns| edns.version == 0);
        (!is_sound).then_some("NS_ERROR")
    })
    .await
}

/// nameserver13: a truncated answer keeps its OPT record (RFC 6891 §7).
pub async fn nameserver13(run: &Run) -> Vec<Emission> {
    let question = Question::dnssec(run.zone(), Rtype::DNSKEY)
        .payload(512)
        .ignoring_truncation();
    judge_servers(run, &question, |response| {
        if response.truncated && response.edns.is_none() {
            return Some("MISSING_OPT_IN_TRUNCATED");
        }
        let is_sound = response.is_noerror() && response.edns.as_ref().is_some_and(|edns| edns.version == 0);
        (!is_sound).then_some("NS_ERROR")
    })
    .await
}

/// Asks every server and gives its tag, after what nameserver12 and nameserver13 say alike.
async fn judge_servers(
    run: &Run,
    question: &Question,
    judge: impl Fn(&Response) -> Option<&'static str>,
) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, question.rtype, &mut emitted).await;
    let asked = servers
        .keys()
        .map(async |address| (address, ask_known(run, *address, question).await));
    for (address, exchange) in join_all(asked).await {
        let tag = match exchange.response() {
            None => Some("NO_RESPONSE"),
            Some(response) if response.rcode == OptRcode::FORMERR => Some("NO_EDNS_SUPPORT"),
            Some(response) => judge(response),
        };
        if let Some(tag) = tag {
            let say = |server| Emission::new(tag).arg("ns", server);
            emitted.extend(servers[address].iter().map(say));
        }
    }
    emitted
}
