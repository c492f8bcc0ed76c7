//! edns01 and edns02: the questions of ISC's genreport (RFC 8906 §8), and what each server makes of them, in its words.

use std::collections::BTreeMap;

use domain::base::iana::{OptRcode, Rtype};
use futures_util::future::join_all;
use model::{Name, Outcome, Transport};

use super::{of_each, on_each};
use crate::cases::Emission;
use crate::exchange::Exchange;
use crate::question::{CLIENT_SUBNET, COOKIE, EXPIRE, NSID, Question, header};
use crate::response::Response;
use crate::run::Run;

/// The code of an option that nobody uses (IANA DNS EDNS0 option codes, unassigned in 2026).
pub(crate) const UNKNOWN_OPTION: u16 = 100;
/// A flag after DO that nobody uses (IANA EDNS header flags).
pub(crate) const UNKNOWN_FLAG: u16 = 0x0080;
/// An opcode that nobody uses (IANA DNS opcodes).
const UNKNOWN_OPCODE: u8 = 15;
/// A type that nobody uses (IANA RR types).
const UNKNOWN_TYPE: u16 = 666;
/// Room that is announced: the value of DNS flag day 2020.
const ROOM: u16 = 1232;
/// Client cookie of the questions that carry one.
const CLIENT_COOKIE: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
/// A client subnet of no client at all: 0.0.0.0/0.
const NO_SUBNET: [u8; 4] = [0, 1, 0, 0];

/// One question of the list.
struct Odd {
    /// Its name in the reports of genreport.
    name: &'static str,
    ask: fn(&Name) -> Question,
}

/// The list that genreport asks unless told otherwise ("EDNS").
const USUAL: [Odd; 10] = [
    odd("dns", soa),
    odd("edns", edns),
    odd("edns1", edns1),
    odd("edns@512", |zone| {
        Question::dnssec(zone, Rtype::DNSKEY).payload(512).ignoring_truncation()
    }),
    odd("ednsopt", |zone| edns(zone).option(UNKNOWN_OPTION, Vec::new())),
    odd("edns1opt", |zone| edns1(zone).option(UNKNOWN_OPTION, Vec::new())),
    odd("do", |zone| edns(zone).dnssec_ok()),
    odd("ednsflags", |zone| edns(zone).z(UNKNOWN_FLAG)),
    odd("optlist", |zone| {
        with_cookie(with_subnet(edns(zone).option(NSID, Vec::new())).option(EXPIRE, Vec::new()))
    }),
    odd("ednstcp", |zone| {
        Question::dnssec(zone, Rtype::DNSKEY).payload(512).over_tcp()
    }),
];

/// What "FULL" adds to it.
const FULL: [Odd; 21] = [
    odd("aa", |zone| soa(zone).header_bits(header::AA)),
    odd("ad", |zone| soa(zone).header_bits(header::AD)),
    odd("cd", |zone| soa(zone).header_bits(header::CD)),
    odd("ra", |zone| soa(zone).header_bits(header::RA)),
    odd("rd", |zone| soa(zone).recursive()),
    odd("tc", |zone| soa(zone).header_bits(header::TC)),
    odd("zflag", |zone| soa(zone).header_bits(header::Z)),
    odd("opcode", |zone| soa(zone).opcode(UNKNOWN_OPCODE)),
    odd("opcodeflg", |zone| {
        soa(zone).opcode(UNKNOWN_OPCODE).recursive().header_bits(header::ALL)
    }),
    odd("type666", |zone| Question::plain(zone, Rtype::from_int(UNKNOWN_TYPE))),
    odd("tcp", |zone| soa(zone).over_tcp()),
    odd("docd", |zone| edns(zone).dnssec_ok().header_bits(header::CD)),
    odd("edns1do", |zone| edns1(zone).dnssec_ok()),
    odd("ednsnsid", |zone| edns(zone).option(NSID, Vec::new())),
    odd("ednscookie", |zone| with_cookie(edns(zone))),
    odd("ednsexpire", |zone| edns(zone).option(EXPIRE, Vec::new())),
    odd("ednssubnet", |zone| with_subnet(edns(zone))),
    odd("edns1nsid", |zone| edns1(zone).option(NSID, Vec::new())),
    odd("edns1cookie", |zone| with_cookie(edns1(zone))),
    odd("edns1expire", |zone| edns1(zone).option(EXPIRE, Vec::new())),
    odd("edns1subnet", |zone| with_subnet(edns1(zone))),
];

const fn odd(name: &'static str, ask: fn(&Name) -> Question) -> Odd {
    Odd { name, ask }
}

fn soa(zone: &Name) -> Question {
    Question::plain(zone, Rtype::SOA)
}

fn edns(zone: &Name) -> Question {
    Question::edns(zone, Rtype::SOA).payload(ROOM)
}

fn edns1(zone: &Name) -> Question {
    edns(zone).version(1)
}

fn with_cookie(question: Question) -> Question {
    question.option(COOKIE, CLIENT_COOKIE.to_vec())
}

fn with_subnet(question: Question) -> Question {
    question.option(CLIENT_SUBNET, NO_SUBNET.to_vec())
}

/// edns01: the servers do what they should with EDNS, known and unknown parts of it.
pub async fn edns01(run: &Run) -> Vec<Emission> {
    ask_list(run, "E01_RESULTS", &USUAL).await
}

/// edns02: the same for header flags, opcodes, types and single options.
pub async fn edns02(run: &Run) -> Vec<Emission> {
    ask_list(run, "E02_RESULTS", &FULL).await
}

async fn ask_list(run: &Run, report: &'static str, list: &[Odd]) -> Vec<Emission> {
    on_each(run, async |address, servers| {
        // whoever does not answer an ordinary question would only be said to be silent 30 times more
        if run.ask(address, &soa(run.zone())).await.response().is_none() {
            return of_each(&servers, Emission::new("NO_RESPONSE"));
        }
        let pause = run.inquiry().odd_question_pause();
        let asked = list.iter().zip(0..).map(async |(odd, number)| {
            // one question after the other, but none waits for another's answer
            tokio::time::sleep(pause * number).await;
            let question = (odd.ask)(run.zone());
            let exchange = run.ask(address, &question).await;
            (odd.name, words(run.zone(), &exchange))
        });
        let results = join_all(asked).await;
        tell(report, &results)
            .into_iter()
            .flat_map(|emission| of_each(&servers, emission))
            .collect()
    })
    .await
}

/// The report on one server, and one message for each kind of thing that it gets wrong.
fn tell(report: &'static str, results: &[(&'static str, Words)]) -> Vec<Emission> {
    let mut wrong: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for (test, words) in results {
        for word in &words.wrong {
            wrong.entry(tag_of(word)).or_default().push(format!("{test}={word}"));
        }
    }
    let line: Vec<String> = results.iter().map(|(test, words)| format!("{test}={words}")).collect();
    let mut emitted = vec![Emission::new(report).arg("results", line.join(";"))];
    emitted.extend(
        wrong
            .into_iter()
            .map(|(tag, tests)| Emission::new(tag).arg("tests", tests.join(";"))),
    );
    emitted
}

/// What a server made of a question: what is wrong, in genreport's words, and the known options that came along.
#[derive(Debug, Default, PartialEq, Eq)]
struct Words {
    wrong: Vec<&'static str>,
    options: Vec<&'static str>,
}

impl std::fmt::Display for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut words = self.wrong.clone();
        if words.is_empty() {
            words.push("ok");
        }
        words.extend(&self.options);
        f.write_str(&words.join(","))
    }
}

/// The tag under which a word is told.
fn tag_of(word: &str) -> &'static str {
    match word {
        "timeout" | "reset" | "failed" => "ODD_NO_RESPONSE",
        "malformed" => "ODD_MALFORMED",
        "noopt" => "ODD_NO_OPT",
        "opt" => "ODD_OPT_UNASKED",
        "echoed" => "ODD_OPTION_ECHOED",
        "mbz" => "ODD_FLAGS_ECHOED",
        "nodo" => "ODD_NO_DO",
        "version" | "badversion" => "ODD_VERSION",
        "nosoa" => "ODD_NO_SOA",
        "soa" => "ODD_SOA_UNASKED",
        "toobig" => "ODD_TOO_BIG",
        "noaa" | "aa" | "ra" | "rd" | "nord" | "ad" | "cd" | "nocd" | "z" => "ODD_HEADER_FLAGS",
        _ => "ODD_RCODE",
    }
}

fn words(zone: &Name, exchange: &Exchange) -> Words {
    let only = |word| Words {
        wrong: vec![word],
        ..Words::default()
    };
    match (exchange.outcome, exchange.response()) {
        (Outcome::Timeout, _) => only("timeout"),
        (Outcome::Refused, _) => only("reset"),
        (Outcome::Unreachable, _) => only("failed"),
        (Outcome::Garbage, _) | (Outcome::Answer, None) => only("malformed"),
        (Outcome::Answer, Some(response)) if response.malformed => only("malformed"),
        (Outcome::Answer, Some(response)) => Words {
            wrong: wrong_words(zone, exchange, response),
            options: option_words(response),
        },
    }
}

fn wrong_words(zone: &Name, exchange: &Exchange, response: &Response) -> Vec<&'static str> {
    let question = &exchange.question;
    let (asked, edns) = (question.edns.as_ref(), response.edns.as_ref());
    let version = asked.map_or(0, |asked| asked.version);
    let is_query = question.opcode == 0;
    let has_soa = response.answers(zone, Rtype::SOA).next().is_some();
    let is_for_soa = is_query && question.rtype == Rtype::SOA;
    let is_noerror = response.is_noerror();
    let is_badvers = response.rcode == OptRcode::BADVERS;
    let may_be_badcookie = edns.is_some_and(|edns| edns.option(COOKIE).is_some())
        && asked.is_some_and(|asked| asked.options.iter().any(|(code, _)| *code == COOKIE));
    let is_expected = match (is_query, version) {
        (false, _) => response.rcode == OptRcode::NOTIMP,
        (true, 0) => is_noerror || may_be_badcookie && response.rcode == OptRcode::BADCOOKIE,
        (true, _) => is_badvers,
    };
    let asks_do = asked.is_some_and(|asked| asked.dnssec_ok);
    let has_do = edns.is_some_and(|edns| edns.dnssec_ok);
    let has_signatures = response.answer_type(Rtype::RRSIG).next().is_some();
    let has_bit = |bit| question.header_bits & bit != 0;
    let limit = asked.map_or(512, |asked| usize::from(asked.payload));
    let is_by_udp = question.transport == Transport::Udp && !exchange.truncated;
    let wrong = [
        (rcode_word(response), !is_expected),
        ("version", edns.is_some_and(|edns| edns.version != 0)),
        (
            "badversion",
            edns.is_some_and(|edns| (edns.version < version) != is_badvers),
        ),
        // a server that does not implement an opcode need not look at what comes with it
        ("noopt", asked.is_some() && edns.is_none()),
        ("opt", asked.is_none() && edns.is_some()),
        ("nosoa", is_for_soa && version == 0 && is_noerror && !has_soa),
        ("soa", is_for_soa && has_soa && (version != 0 || !is_noerror)),
        ("echoed", edns.is_some_and(|edns| edns.option(UNKNOWN_OPTION).is_some())),
        ("nodo", asks_do && edns.is_some() && !has_do && has_signatures),
        (
            "nocd",
            asks_do && has_do && has_bit(header::CD) && !response.checking_disabled && has_signatures,
        ),
        (
            "noaa",
            is_query && version == 0 && is_noerror && !response.authoritative,
        ),
        ("aa", !is_query && response.authoritative),
        ("ra", !is_query && response.recursion_available),
        (
            "rd",
            response.recursion_desired && !(is_query && question.recursion_desired),
        ),
        (
            "nord",
            is_query && question.recursion_desired && !response.recursion_desired,
        ),
        (
            "ad",
            response.authentic_data && !(is_query && (has_bit(header::AD) || asks_do)),
        ),
        ("cd", response.checking_disabled && !(is_query && has_bit(header::CD))),
        ("z", response.reserved),
        ("mbz", edns.is_some_and(|edns| edns.z != 0)),
        ("toobig", is_by_udp && exchange.wire.len() > limit),
    ];
    wrong
        .into_iter()
        .filter(|(_, is_wrong)| *is_wrong)
        .map(|(word, _)| word)
        .collect()
}

/// The word for an RCODE that was not expected.
fn rcode_word(response: &Response) -> &'static str {
    match response.rcode {
        OptRcode::BADVERS => "badvers",
        OptRcode::FORMERR => "formerr",
        OptRcode::NOTIMP => "notimp",
        OptRcode::REFUSED => "refused",
        OptRcode::SERVFAIL => "servfail",
        _ => "status",
    }
}

fn option_words(response: &Response) -> Vec<&'static str> {
    let known = [
        (NSID, "nsid"),
        (EXPIRE, "expire"),
        (COOKIE, "cookie"),
        (CLIENT_SUBNET, "subnet"),
    ];
    let has = |code| response.edns.as_ref().is_some_and(|edns| edns.option(code).is_some());
    known
        .into_iter()
        .filter(|(code, _)| has(*code))
        .map(|(_, word)| word)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_those_of_genreport() {
        let names = |list: &[Odd]| list.iter().map(|odd| odd.name).collect::<Vec<_>>().join(" ");
        assert_eq!(
            names(&USUAL),
            "dns edns edns1 edns@512 ednsopt edns1opt do ednsflags optlist ednstcp"
        );
        assert_eq!(
            names(&FULL),
            "aa ad cd ra rd tc zflag opcode opcodeflg type666 tcp docd edns1do ednsnsid ednscookie ednsexpire ednssubnet \
             edns1nsid edns1cookie edns1expire edns1subnet"
        );
    }

    #[test]
    fn no_two_questions_of_the_lists_are_alike() {
        let zone: Name = "example".parse().unwrap();
        let questions: std::collections::HashSet<Question> =
            USUAL.iter().chain(&FULL).map(|odd| (odd.ask)(&zone)).collect();
        assert_eq!(questions.len(), USUAL.len() + FULL.len());
    }

    #[test]
    fn results_read_as_genreport_writes_them() {
        let words = Words {
            wrong: vec!["formerr", "nosoa"],
            options: vec![],
        };
        assert_eq!(words.to_string(), "formerr,nosoa");
        let words = Words {
            wrong: vec![],
            options: vec!["nsid", "cookie"],
        };
        assert_eq!(words.to_string(), "ok,nsid,cookie");
    }
}
