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
use crate::exchange::Exchange;
use crate::question::{NSID, Question};
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
        let first = run.ask(address, &plain).await;
        let found = match trouble_of(&first) {
            // nothing that is added to the question can be the cause
            Some(trouble) => vec![without_extras(run, address, &plain, trouble).await],
            None => {
                let questions = watched(run.zone());
                let asked = questions.iter().map(async |question| {
                    let exchange = run.ask(address, question).await;
                    let trouble = trouble_of(&exchange)?;
                    with_extras(run, address, question, trouble).await
                });
                join_all(asked).await
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

/// A question as plain as can be: only the transport is left to change.
async fn without_extras(run: &Run, address: IpAddr, question: &Question, trouble: String) -> Option<Emission> {
    let is_about_transport = !trouble.bytes().all(|byte| byte.is_ascii_uppercase());
    let over_tcp = question.clone().over_tcp();
    if is_about_transport && is_sound(run, address, &over_tcp).await {
        return Some(told("E09_ONLY_OVER_TCP", question, trouble));
    }
    None
}

/// One change at a time; all are tried at once, and the first of this order counts.
async fn with_extras(run: &Run, address: IpAddr, question: &Question, trouble: String) -> Option<Emission> {
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
        change("E09_ONLY_WITHOUT_OPTION", without_options(), !edns.options.is_empty()),
        change("E09_ONLY_WITHOUT_DO", without_do(), edns.dnssec_ok),
        change("E09_ONLY_WITHOUT_EDNS", without_edns, true),
        change("E09_ONLY_OVER_TCP", question.clone().over_tcp(), true),
    ];
    let changes: Vec<(&'static str, Question)> = changes.into_iter().flatten().collect();
    let tried = join_all(changes.iter().map(|(_, changed)| is_sound(run, address, changed))).await;
    let found = changes.iter().zip(tried).find(|(_, is_sound)| *is_sound);
    let Some(((tag, _), _)) = found else {
        return Some(told("E09_ONLY_OTHER_TYPES", question, trouble));
    };
    let emission = told(tag, question, trouble);
    Some(match *tag {
        "E09_ONLY_WITHOUT_OPTION" => emission.list("option", edns.options.iter().map(|(code, _)| code)),
        "E09_ONLY_SMALLER" => emission.arg("room", edns.payload),
        _ => emission,
    })
}

fn told(tag: &'static str, question: &Question, trouble: String) -> Emission {
    Emission::new(tag)
        .arg("question", question.short())
        .arg("trouble", trouble)
}
