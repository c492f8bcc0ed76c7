//! edns09: the ladder of cause. Where a server fails at a question, one thing of it is changed at a time, and the first change
//! that brings a sound answer names the cause. The idea is dnsviz's.
//!
//! It costs nothing where all is well: it looks at questions that other cases put. All changes are tried at once, so that a
//! server that keeps silent on something costs one more ladder of timeouts, and one that is dead none.

use std::net::IpAddr;

use domain::base::iana::{OptRcode, Rtype};
use futures_util::future::join_all;
use model::{Name, Outcome};

use super::size::FLAG_DAY;
use super::{of_each, on_each};
use crate::cases::Emission;
use crate::cases::nameserver::recursive_questions;
use crate::exchange::Exchange;
use crate::question::{CLIENT_COOKIE, COOKIE, NSID, Question};
use crate::run::Run;

/// Room that every server and every path has (RFC 1035 §4.2.1).
const SMALL: u16 = 512;

/// The questions of other cases whose failure is looked into.
fn watched(zone: &Name) -> [Question; 3] {
    [
        Question::edns(zone, Rtype::SOA),
        Question::edns(zone, Rtype::SOA)
            .payload(FLAG_DAY)
            .option(NSID, Vec::new()),
        Question::dnssec(zone, Rtype::DNSKEY),
    ]
}

/// edns09: says what a server stumbles over.
pub async fn edns09(run: &Run) -> Vec<Emission> {
    on_each(run, async |address, servers| {
        let plain = Question::plain(run.zone(), Rtype::SOA);
        let questions = watched(run.zone());
        let asked = join_all(questions.iter().map(|question| run.ask(address, question)));
        let (first, exchanges) = tokio::join!(run.ask(address, &plain), asked);
        let found = match trouble_of(&first) {
            Some(trouble) => vec![with_more(run, address, &plain, trouble).await],
            None => {
                let troubled = questions.iter().zip(&exchanges).map(async |(question, exchange)| {
                    let trouble = trouble_of(exchange)?;
                    changed_with_edns(run, address, question, trouble).await
                });
                let (mut found, recursive) = tokio::join!(join_all(troubled), without_rd(run, address));
                found.push(recursive);
                found
            }
        };
        let mut told: Vec<Emission> = found.into_iter().flatten().collect();
        // what two questions fail at for the same cause is told once
        told.dedup_by(|b, a| a.tag == b.tag && a.args.get("option") == b.args.get("option"));
        told.into_iter()
            .flat_map(|emission| of_each(&servers, emission))
            .collect()
    })
    .await
}

/// What is wrong with an exchange, in a word; `None` when a sound answer came.
fn trouble_of(exchange: &Exchange) -> Option<String> {
    let Some(response) = exchange.response() else {
        return Some(match exchange.outcome {
            _ if exchange.truncated => "truncated".to_owned(),
            Outcome::Garbage => "malformed".to_owned(),
            outcome => outcome.as_str().to_owned(),
        });
    };
    let is_error = matches!(
        response.rcode,
        OptRcode::FORMERR | OptRcode::SERVFAIL | OptRcode::NOTIMP | OptRcode::REFUSED | OptRcode::BADVERS
    );
    match () {
        () if response.malformed => Some("malformed".to_owned()),
        () if is_error => Some(response.rcode_name()),
        () => None,
    }
}

async fn is_sound(run: &Run, address: IpAddr, question: &Question) -> bool {
    trouble_of(run.ask(address, question).await.as_ref()).is_none()
}

/// One way to put a question otherwise, and the tag that its success gives.
type Change = (&'static str, Question);

/// All changes are tried at once, and the first of them that brings a sound answer counts.
async fn first_sound(run: &Run, address: IpAddr, changes: Vec<Change>) -> Option<Change> {
    let tried = join_all(changes.iter().map(|(_, changed)| is_sound(run, address, changed))).await;
    let mut found = changes.into_iter().zip(tried).filter(|(_, is_sound)| *is_sound);
    found.next().map(|(change, _)| change)
}

/// A question as plain as can be: the transport may be changed, and something may be added.
async fn with_more(run: &Run, address: IpAddr, question: &Question, trouble: String) -> Option<Emission> {
    let is_about_transport = !trouble.bytes().all(|byte| byte.is_ascii_uppercase());
    let edns = Question {
        edns: Question::edns(&question.name, question.rtype).edns,
        ..question.clone()
    };
    let mut changes = Vec::new();
    // where another question as plain is answered, plainness is not the cause
    if !is_sound(run, address, &Question::plain(run.zone(), Rtype::NS)).await {
        changes.extend([
            ("E09_ONLY_WITH_RD", question.clone().recursive()),
            ("E09_ONLY_WITH_EDNS", edns.clone()),
            ("E09_ONLY_WITH_DO", edns.clone().dnssec_ok()),
            ("E09_ONLY_WITH_OPTION", with_cookie(edns)),
        ]);
    }
    changes.extend(is_about_transport.then(|| ("E09_ONLY_OVER_TCP", question.clone().over_tcp())));
    let (tag, changed) = first_sound(run, address, changes).await?;
    Some(told(tag, question, trouble, &changed))
}

fn with_cookie(question: Question) -> Question {
    question.option(COOKIE, CLIENT_COOKIE.to_vec())
}

/// A question with EDNS: each of its parts may be left out, and what it has not may be added.
async fn changed_with_edns(run: &Run, address: IpAddr, question: &Question, trouble: String) -> Option<Emission> {
    let edns = question.edns.as_ref()?;
    let change = |tag, changed: Question, is_possible: bool| is_possible.then_some((tag, changed));
    let without_do = || {
        let mut changed = question.clone();
        changed.edns.iter_mut().for_each(|edns| edns.dnssec_ok = false);
        changed
    };
    let without_options = || {
        let mut changed = question.clone();
        changed.edns.iter_mut().for_each(|edns| edns.options.clear());
        changed
    };
    let without_edns = Question {
        edns: None,
        ..question.clone()
    };
    let has_options = !edns.options.is_empty();
    let changes = [
        // the same once more, but for one octet of room: whether it was chance
        change(
            "E09_INTERMITTENT",
            question.clone().payload(edns.payload.saturating_sub(1)),
            true,
        ),
        change(
            "E09_ONLY_SMALLER",
            question.clone().payload(SMALL).ignoring_truncation(),
            edns.payload > SMALL,
        ),
        change("E09_ONLY_WITHOUT_OPTION", without_options(), has_options),
        change("E09_ONLY_WITHOUT_DO", without_do(), edns.dnssec_ok),
        change("E09_ONLY_WITH_DO", question.clone().dnssec_ok(), !edns.dnssec_ok),
        change("E09_ONLY_WITH_OPTION", with_cookie(question.clone()), !has_options),
        change("E09_ONLY_WITHOUT_EDNS", without_edns, true),
        change("E09_ONLY_OVER_TCP", question.clone().over_tcp(), true),
    ];
    let found = first_sound(run, address, changes.into_iter().flatten().collect()).await;
    let (tag, changed) = found.unwrap_or_else(|| ("E09_ONLY_OTHER_TYPES", question.clone()));
    Some(told(tag, question, trouble, &changed))
}

/// Questions with RD, as nameserver01 puts them: where all of them get lost, the first is put without.
async fn without_rd(run: &Run, address: IpAddr) -> Option<Emission> {
    let recursive = recursive_questions();
    let asked = join_all(recursive.iter().map(|question| run.ask(address, question))).await;
    if asked.iter().any(|exchange| exchange.response().is_some()) {
        return None;
    }
    let (question, trouble) = (recursive.first()?, trouble_of(asked.first()?)?);
    let without = Question {
        recursion_desired: false,
        ..question.clone()
    };
    let is_heard = run.ask(address, &without).await.response().is_some();
    is_heard.then(|| told("E09_ONLY_WITHOUT_RD", question, trouble, &without))
}

fn told(tag: &'static str, question: &Question, trouble: String, changed: &Question) -> Emission {
    let emission = Emission::new(tag)
        .arg("question", question.short())
        .arg("trouble", trouble);
    let options = |question: &Question| {
        question
            .edns
            .iter()
            .flat_map(|edns| &edns.options)
            .map(|(code, _)| *code)
            .collect::<Vec<u16>>()
    };
    match tag {
        "E09_ONLY_WITHOUT_OPTION" => emission.list("option", options(question)),
        "E09_ONLY_WITH_OPTION" => emission.list("option", options(changed)),
        "E09_ONLY_SMALLER" => emission.arg("room", question.edns.as_ref().map_or(SMALL, |edns| edns.payload)),
        _ => emission,
    }
}
