//! nameserver05 and nameserver07 to nameserver09: how each server answers what not every server answers well: AAAA, names
//! it does not serve, and names in capitals.

use std::collections::BTreeSet;
use std::net::IpAddr;

use domain::base::iana::Rtype;
use futures_util::future::join_all;
use model::Name;

use super::{Case, Emission, ask_known, case, reachable_servers};
use crate::exchange::Exchange;
use crate::question::{Letters, Question};
use crate::record::OwnedName;
use crate::response::Response;
use crate::run::Run;

/// The cases of this file.
pub const CASES: &[Case] = &[
    case!("nameserver05", nameserver05),
    case!("nameserver07", nameserver07),
    case!("nameserver08", nameserver08),
    case!("nameserver09", nameserver09),
];

/// nameserver05: a question for AAAA is answered as well as one for A (RFC 4074).
pub async fn nameserver05(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, Rtype::A, &mut emitted).await;
    let judged = servers
        .keys()
        .map(async |address| (address, judge_aaaa(run, *address).await));
    let judged = join_all(judged).await;
    let mut well = BTreeSet::new();
    let mut is_any_bad = false;
    for (address, said) in judged {
        let Some(said) = said else {
            well.extend(&servers[address]);
            continue;
        };
        is_any_bad |= said.tag.starts_with("AAAA");
        emitted.extend(servers[address].iter().map(|server| said.clone().arg("ns", server)));
    }
    if !well.is_empty() && !is_any_bad {
        emitted.push(Emission::new("AAAA_WELL_PROCESSED").list("ns_list", well));
    }
    emitted
}

/// The message on a server; `None` where all is well.
async fn judge_aaaa(run: &Run, address: IpAddr) -> Option<Emission> {
    let zone = run.zone();
    let say = |tag| Emission::new(tag).arg("domain", zone);
    let rcode_of = |exchange: &Exchange| {
        let bad = exchange.response().filter(|response| !response.is_noerror());
        bad.map(Response::rcode_name)
    };
    // a truncated answer is one, though nothing came over TCP afterwards
    let is_silent = |exchange: &Exchange| exchange.response().is_none() && !exchange.truncated;
    let a = ask_known(run, address, &Question::plain(zone, Rtype::A)).await;
    if is_silent(&a) {
        return Some(Emission::new("NO_RESPONSE"));
    }
    if let Some(rcode) = rcode_of(&a) {
        return Some(say("A_UNEXPECTED_RCODE").arg("rcode", rcode));
    }
    let aaaa = run.ask(address, &Question::plain(zone, Rtype::AAAA)).await;
    if is_silent(&aaaa) {
        return Some(say("AAAA_QUERY_DROPPED"));
    }
    if let Some(rcode) = rcode_of(&aaaa) {
        return Some(say("AAAA_UNEXPECTED_RCODE").arg("rcode", rcode));
    }
    let mut records = aaaa
        .response()
        .into_iter()
        .flat_map(|response| response.answer_type(Rtype::AAAA));
    let is_bad = records.any(|record| record.address().is_none());
    is_bad.then(|| say("AAAA_BAD_RDATA"))
}

/// nameserver07: no server refers to the root.
pub async fn nameserver07(run: &Run) -> Vec<Emission> {
    if run.zone().is_root() {
        return vec![Emission::new("UPWARD_REFERRAL_IRRELEVANT")];
    }
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, Rtype::NS, &mut emitted).await;
    let question = Question::plain(&Name::root(), Rtype::NS);
    let asked = servers
        .keys()
        .map(async |address| (address, ask_known(run, *address, &question).await));
    let mut sound = BTreeSet::new();
    let mut is_any_upward = false;
    for (address, exchange) in join_all(asked).await {
        let Some(response) = exchange.response() else { continue };
        if response.authority.iter().any(|record| record.rtype() == Rtype::NS) {
            is_any_upward = true;
            let upward = |server| Emission::new("UPWARD_REFERRAL").arg("ns", server);
            emitted.extend(servers[address].iter().map(upward));
        } else {
            sound.extend(servers[address].iter().map(|server| &server.name));
        }
    }
    if !is_any_upward && !sound.is_empty() {
        emitted.push(Emission::new("NO_UPWARD_REFERRAL").list("nsname_list", sound));
    }
    emitted
}

/// A name in the zone with letters in it, asked for in `letters`.
fn in_letters(run: &Run, letters: Letters) -> Question {
    let name = run.zone().child("www").unwrap_or_else(|_| run.zone().clone());
    Question::plain(&name, Rtype::SOA).letters(letters)
}

/// The question's name as it is sent.
fn spelt(question: &Question) -> OwnedName {
    let octets = question.letters.spell(&question.name);
    OwnedName::from_octets(octets).expect("letter case does not change what is a name")
}

/// nameserver08: the answer repeats the name in the letters of the question (dns0x20).
pub async fn nameserver08(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, Rtype::SOA, &mut emitted).await;
    let question = in_letters(run, Letters::Initials);
    let sent = spelt(&question);
    let asked = servers
        .keys()
        .map(async |address| (address, ask_known(run, *address, &question).await));
    for (address, exchange) in join_all(asked).await {
        let Some(repeated) = exchange.response().and_then(|response| response.question.as_ref()) else {
            continue;
        };
        let tag = if repeated.as_slice() == sent.as_slice() {
            "QNAME_CASE_SENSITIVE"
        } else {
            "QNAME_CASE_INSENSITIVE"
        };
        let say = |server| Emission::new(tag).arg("ns", server).arg("domain", &sent);
        emitted.extend(servers[address].iter().map(say));
    }
    emitted
}

/// nameserver09: the letter case of a name changes nothing (RFC 4343).
pub async fn nameserver09(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, Rtype::SOA, &mut emitted).await;
    let questions = [Letters::AfterInitials, Letters::Initials].map(|letters| in_letters(run, letters));
    let asked = servers.keys().map(async |address| {
        let first = ask_known(run, *address, &questions[0]);
        let second = ask_known(run, *address, &questions[1]);
        (address, tokio::join!(first, second))
    });
    let (mut is_any_compared, mut do_all_agree) = (false, true);
    for (address, (first, second)) in join_all(asked).await {
        let Some((agrees, said)) = compare(&questions, [&first, &second]) else {
            continue;
        };
        is_any_compared = true;
        do_all_agree &= agrees;
        emitted.extend(servers[address].iter().map(|server| said.clone().arg("ns", server)));
    }
    if is_any_compared {
        let tag = if do_all_agree {
            "CASE_QUERIES_RESULTS_OK"
        } else {
            "CASE_QUERIES_RESULTS_DIFFER"
        };
        let whole = Emission::new(tag).arg("type", Rtype::SOA);
        emitted.push(whole.arg("domain", &questions[0].name));
    }
    emitted
}

/// Whether two answers on one name agree, and the message; `None` where neither question was answered.
fn compare(questions: &[Question; 2], exchanges: [&Exchange; 2]) -> Option<(bool, Emission)> {
    let [first, second] = exchanges.map(Exchange::response);
    let say = |tag| {
        let say = Emission::new(tag).arg("type", Rtype::SOA);
        say.arg("query1", spelt(&questions[0]))
            .arg("query2", spelt(&questions[1]))
    };
    match (first, second) {
        (None, None) => None,
        (Some(first), Some(second)) if first.answer.is_empty() && second.answer.is_empty() => {
            let (one, two) = (first.rcode_name(), second.rcode_name());
            Some(if one == two {
                (true, say("CASE_QUERY_SAME_RC").arg("rcode", one))
            } else {
                (
                    false,
                    say("CASE_QUERY_DIFFERENT_RC").arg("rcode1", one).arg("rcode2", two),
                )
            })
        }
        (Some(first), Some(second)) => Some(if answer_of(first) == answer_of(second) {
            (true, say("CASE_QUERY_SAME_ANSWER"))
        } else {
            (false, say("CASE_QUERY_DIFFERENT_ANSWER"))
        }),
        (first, _) => {
            let unanswered = if first.is_none() { &questions[0] } else { &questions[1] };
            let silent = Emission::new("CASE_QUERY_NO_ANSWER").arg("type", Rtype::SOA);
            Some((false, silent.arg("domain", spelt(unanswered))))
        }
    }
}

/// The records of the answer section in small letters, without TTLs: those of a cache run down.
fn answer_of(response: &Response) -> BTreeSet<(Name, Rtype, String)> {
    let records = response.answer.iter();
    records
        .map(|record| {
            let data = record.data.to_string().to_ascii_lowercase();
            (record.owner.clone(), record.rtype(), data)
        })
        .collect()
}
