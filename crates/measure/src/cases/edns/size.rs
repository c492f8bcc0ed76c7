//! edns03 and edns05: sizes of answers over UDP (RFC 6891 §6.2, DNS flag day 2020, RFC 9715).

use std::collections::{BTreeMap, BTreeSet};

use domain::base::iana::Rtype;
use futures_util::future::join_all;
use model::Transport;

use super::{of_each, on_each};
use crate::cases::Emission;
use crate::exchange::Exchange;
use crate::question::{NSID, Question};
use crate::run::Run;
use crate::server::Server;

/// Largest datagram that passes nearly everywhere in one piece: IPv6's minimum MTU less headers, rounded down (DNS flag day
/// 2020). Less wastes round trips on TCP, more gets lost where fragments are dropped.
pub(super) const FLAG_DAY: u16 = 1232;

/// The least that a server may announce: smaller values count as this (RFC 6891 §6.2.3).
const LEAST: u16 = 512;

/// What was usual before the flag day.
const OLD: u16 = 4096;

/// edns03: no answer is larger than the question allows, and a truncated one can be had over TCP.
///
/// It looks at answers for which other cases ask.
pub async fn edns03(run: &Run) -> Vec<Emission> {
    let questions = [
        Question::plain(run.zone(), Rtype::SOA),
        Question::plain(run.zone(), Rtype::NS),
        Question::edns(run.zone(), Rtype::SOA),
        Question::edns(run.zone(), Rtype::SOA)
            .payload(FLAG_DAY)
            .option(NSID, Vec::new()),
        Question::dnssec(run.zone(), Rtype::DNSKEY),
    ];
    let mut announced: BTreeMap<u16, BTreeSet<Server>> = BTreeMap::new();
    let mut fitting = Vec::new();
    let mut emitted = Vec::new();
    let asked = run.child_addresses().await.keys().map(async |address| {
        let exchanges = join_all(questions.iter().map(|question| run.ask(*address, question))).await;
        (run.servers_at(*address), exchanges)
    });
    for (servers, exchanges) in join_all(asked).await {
        let wrong: Vec<Emission> = exchanges
            .iter()
            .flat_map(|exchange| too_large(exchange).or_else(|| out_of_reach(exchange)))
            .collect();
        let responses = || exchanges.iter().filter_map(|exchange| exchange.response());
        for edns in responses().filter_map(|response| response.edns.as_ref()) {
            announced.entry(edns.payload).or_default().extend(servers.clone());
        }
        if wrong.is_empty() && responses().next().is_some() {
            fitting.extend(servers.clone());
        }
        emitted.extend(wrong.into_iter().flat_map(|emission| of_each(&servers, emission)));
    }
    for (octets, servers) in announced {
        let tag = match octets {
            ..LEAST => "E03_BUFFER_BELOW_512",
            LEAST..=FLAG_DAY => "E03_BUFFER_SIZE",
            _ => "E03_BUFFER_ABOVE_1232",
        };
        emitted.push(Emission::new(tag).arg("size", octets).list("ns_list", servers));
    }
    if !fitting.is_empty() {
        emitted.push(Emission::new("E03_ANSWERS_FIT").list("ns_list", fitting));
    }
    emitted
}

/// An answer over UDP that is larger than its question announced room for.
fn too_large(exchange: &Exchange) -> Option<Emission> {
    let room = exchange
        .question
        .edns
        .as_ref()
        .map_or(LEAST, |edns| edns.payload.max(LEAST));
    let is_by_udp = exchange.question.transport == Transport::Udp && !exchange.truncated;
    let size = exchange.wire.len();
    (is_by_udp && exchange.response().is_some() && size > usize::from(room)).then(|| {
        let emission = Emission::new("E03_RESPONSE_TOO_BIG").arg("question", exchange.question.short());
        emission.arg("size", size).arg("room", room)
    })
}

/// A truncated answer whose whole cannot be had over TCP.
fn out_of_reach(exchange: &Exchange) -> Option<Emission> {
    let is_lost = exchange.truncated && exchange.response().is_none();
    is_lost.then(|| Emission::new("E03_TRUNCATED_WITHOUT_TCP").arg("question", exchange.question.short()))
}

/// edns05: large answers arrive, or are not sent in pieces in the first place.
pub async fn edns05(run: &Run) -> Vec<Emission> {
    let questions = [Rtype::DNSKEY, Rtype::TXT].map(|rtype| {
        let with_room = |octets| {
            Question::dnssec(run.zone(), rtype)
                .payload(octets)
                .ignoring_truncation()
        };
        (with_room(OLD), with_room(LEAST))
    });
    on_each(run, async |address, servers| {
        let mut emitted = Vec::new();
        let mut largest = 0;
        for (large, small) in &questions {
            let exchange = run.ask(address, large).await;
            let emission = match exchange.response() {
                Some(_) if exchange.wire.len() > usize::from(FLAG_DAY) => Emission::new("E05_SENDS_ABOVE_1232")
                    .arg("question", large.short())
                    .arg("size", exchange.wire.len()),
                Some(_) => {
                    largest = largest.max(exchange.wire.len());
                    continue;
                }
                // only what comes in less room was lost for its size
                None if run.ask(address, small).await.response().is_some() => {
                    Emission::new("E05_LARGE_ANSWER_LOST").arg("question", large.short())
                }
                None => continue,
            };
            emitted.extend(of_each(&servers, emission));
        }
        if emitted.is_empty() && largest > 0 {
            emitted = of_each(&servers, Emission::new("E05_NOTHING_ABOVE_1232").arg("size", largest));
        }
        emitted
    })
    .await
}
