//! The questions that a resolver is asked, and what the measuring zone's server tells of those that it asked in turn.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use domain::base::iana::{OptRcode, Rtype};
use model::Name;

use super::Measuring;
use crate::authority::seen::{Seen, Token};
use crate::authority::tree;
use crate::exchange::Exchange;
use crate::internet::Internet;
use crate::question::{CLIENT_SUBNET, COOKIE, Question, header};
use crate::record::{Data, Record};
use crate::response::Response;
use crate::settings::Settings;

/// Questions for the source ports and ids, as many as DNS-OARC's porttest took.
pub(super) const PORTS: u8 = 26;
/// Names with wrong signatures that are asked for: one resolver address may stand for machines that differ.
pub(super) const BAD: u8 = 3;
/// The client cookie that is sent.
pub(super) const CLIENT_COOKIE: [u8; 8] = *b"resolver";
/// The subnet that is sent: one for documentation (RFC 5737), of which no client is.
pub(super) const SUBNET: [u8; 7] = [0, 1, 24, 0, 203, 0, 113];

/// One question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Ask {
    /// A name that exists, over UDP.
    Udp,
    /// The same over TCP.
    Tcp,
    /// The same over TLS and HTTPS.
    Encrypted,
    /// The DS record of the measuring zone.
    Ds,
    /// A name of its own for each source port.
    Port(u8),
    /// A name many labels below the zone.
    Minimise,
    /// A name with good signatures, with DO.
    Good,
    /// The same without EDNS, with AD.
    GoodWithAd,
    /// The same with neither.
    GoodBare,
    /// A name with wrong signatures, with DO.
    Bad(u8),
    /// The same, with CD.
    BadUnchecked,
    /// A name without signatures, with DO.
    Unsigned,
    /// A name that does not exist, with DO.
    Nothing,
    /// Another one, after it.
    NothingElse,
    /// A web address under a top-level domain that does not exist.
    NoTopLevel,
    /// A name whose answer comes over TCP alone.
    Truncated,
    /// With a cookie.
    Cookie,
    /// With a client subnet that is not ours.
    Subnet,
}

impl Ask {
    /// What is asked first: whether anybody answers.
    pub const FIRST: [Ask; 2] = [Ask::Udp, Ask::Tcp];

    /// The others, in the order in which they must come; each wave is done before the next.
    pub fn waves() -> Vec<Vec<Ask>> {
        let mut first = vec![
            Ask::Ds,
            Ask::Minimise,
            Ask::Good,
            Ask::Unsigned,
            Ask::Nothing,
            Ask::NoTopLevel,
            Ask::Truncated,
            Ask::Cookie,
            Ask::Subnet,
        ];
        first.extend((0..BAD).map(Ask::Bad));
        let second = [Ask::GoodWithAd, Ask::GoodBare, Ask::BadUnchecked, Ask::NothingElse];
        let second = second.into_iter().chain((0..PORTS).map(Ask::Port));
        vec![first, second.collect()]
    }
}

/// The names of a run.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    zone: Option<Name>,
    token: Token,
    /// For the second of two names that do not exist.
    other: Token,
}

impl Names {
    pub fn of(zone: Option<&Name>) -> Self {
        Self {
            zone: zone.cloned(),
            token: Token::random(),
            other: Token::random(),
        }
    }

    /// The name of the measuring zone.
    pub fn zone(&self) -> Option<&Name> {
        self.zone.as_ref()
    }

    fn at(&self, before: &str, token: &Token, tree: &str) -> Option<Name> {
        let zone = self.zone.as_ref()?;
        format!("{before}{token}.{tree}.{zone}").parse().ok()
    }

    /// A name whose first label below the zone is the token: what is asked on the way to it is the run's own as well.
    fn deep(&self) -> Option<Name> {
        let (token, zone) = (&self.token, self.zone.as_ref()?);
        format!("four.three.two.one.{token}.{zone}").parse().ok()
    }

    /// The name that is asked for; `None` where it takes a measuring zone and there is none.
    pub fn name(&self, ask: Ask) -> Option<Name> {
        let below = |before: &str, tree| self.at(before, &self.token, tree);
        match ask {
            // without a zone of ours the root will do: it is there everywhere
            Ask::Udp => below("u.", tree::ASK).or(Some(Name::root())),
            Ask::Tcp => below("t.", tree::ASK).or(Some(Name::root())),
            Ask::Encrypted => below("e.", tree::ASK).or(Some(Name::root())),
            Ask::Cookie => below("c.", tree::ASK).or(Some(Name::root())),
            Ask::Ds => self.zone.clone(),
            Ask::Port(number) => below(&format!("p{number}."), tree::ASK),
            Ask::Subnet => below("s.", tree::ASK),
            Ask::Minimise => self.deep(),
            Ask::Good => below("", tree::GOOD),
            Ask::GoodWithAd => below("ad.", tree::GOOD),
            Ask::GoodBare => below("bare.", tree::GOOD),
            Ask::Bad(number) => below(&format!("b{number}."), tree::BAD),
            Ask::BadUnchecked => below("cd.", tree::BAD),
            Ask::Unsigned => below("", tree::PLAIN),
            Ask::Nothing => below("", tree::NX),
            Ask::NothingElse => self.at("", &self.other, tree::NX),
            Ask::NoTopLevel => format!("www.{}", self.token).parse().ok(),
            Ask::Truncated => below("", tree::TCP),
        }
    }

    /// The question; `None` where it takes a measuring zone and there is none.
    pub fn question(&self, ask: Ask) -> Option<Question> {
        let name = self.name(ask)?;
        let rtype = match ask {
            Ask::Ds => Rtype::DS,
            _ if name.is_root() => Rtype::SOA,
            _ => Rtype::A,
        };
        let plain = Question::plain(&name, rtype).recursive();
        let secure = Question::dnssec(&name, rtype).recursive();
        Some(match ask {
            Ask::Tcp => plain.over_tcp(),
            Ask::Good | Ask::Bad(_) | Ask::Unsigned | Ask::Nothing | Ask::NothingElse | Ask::Ds => secure,
            Ask::BadUnchecked => secure.header_bits(header::CD),
            Ask::GoodWithAd => plain.header_bits(header::AD),
            Ask::Cookie => with_option(&name, rtype, COOKIE, &CLIENT_COOKIE),
            Ask::Subnet => with_option(&name, rtype, CLIENT_SUBNET, &SUBNET),
            _ => plain,
        })
    }
}

fn with_option(name: &Name, rtype: Rtype, code: u16, data: &[u8]) -> Question {
    Question::edns(name, rtype)
        .payload(1232)
        .recursive()
        .option(code, data.to_vec())
}

/// What came of the questions.
#[derive(Default)]
pub(crate) struct Answers(HashMap<Ask, Arc<Exchange>>);

impl Answers {
    pub fn extend(&mut self, asked: impl IntoIterator<Item = (Ask, Option<Arc<Exchange>>)>) {
        let answered = asked.into_iter().filter_map(|(ask, exchange)| Some((ask, exchange?)));
        self.0.extend(answered);
    }

    /// What came of a question, where it was put.
    pub fn exchange(&self, ask: Ask) -> Option<&Exchange> {
        self.0.get(&ask).map(Arc::as_ref)
    }

    pub fn response(&self, ask: Ask) -> Option<&Response> {
        self.exchange(ask)?.response()
    }

    /// Whether the resolver looks names up for us.
    pub fn serves(&self) -> bool {
        let is_refusal = |rcode| matches!(rcode, OptRcode::REFUSED | OptRcode::NOTAUTH);
        let heard = Ask::FIRST.into_iter().filter_map(|ask| self.response(ask));
        heard
            .into_iter()
            .any(|response| response.recursion_available && !is_refusal(response.rcode))
    }

    /// Whether a question was answered with records of its type.
    pub fn has_data(&self, ask: Ask) -> bool {
        let Some(exchange) = self.exchange(ask) else {
            return false;
        };
        let rtype = exchange.question.rtype;
        exchange
            .response()
            .is_some_and(|response| response.is_noerror() && response.answer_type(rtype).next().is_some())
    }
}

/// Fetches what the measuring zone's server saw of this run; `None` when it cannot be reached.
pub(super) async fn fetch(
    settings: &Settings,
    measuring: &Measuring,
    names: &Names,
    answers: &Answers,
) -> Option<Vec<Seen>> {
    let authorities = match measuring.authority {
        Some(authority) => vec![authority],
        None => found_by_resolver(settings, measuring, answers).await,
    };
    for authority in authorities {
        let opened = Internet::open(Settings {
            hints: vec![(measuring.zone.clone(), vec![authority.ip()])],
            port: authority.port(),
            ..settings.clone()
        });
        let Ok(internet) = opened else { continue };
        let inquiry = internet.inquiry();
        let mut seen = Vec::new();
        let mut is_heard = false;
        for token in [&names.token, &names.other] {
            let Some(name) = names.at("", token, tree::SEEN) else {
                continue;
            };
            let exchange = inquiry
                .ask(authority.ip(), &Question::plain(&name, Rtype::TXT).over_tcp())
                .await;
            let Some(response) = exchange.response().filter(|response| response.is_noerror()) else {
                continue;
            };
            is_heard = true;
            seen.extend(
                response
                    .answer
                    .iter()
                    .filter_map(text_of)
                    .filter_map(|text| Seen::from_json(&text)),
            );
        }
        if is_heard {
            seen.sort_by_key(|seen| seen.time);
            return Some(seen);
        }
    }
    None
}

/// The server's addresses as the resolver gives them.
async fn found_by_resolver(settings: &Settings, measuring: &Measuring, answers: &Answers) -> Vec<SocketAddr> {
    let Some(resolver) = answers.exchange(Ask::Udp) else {
        return Vec::new();
    };
    let opened = Internet::open(Settings {
        hints: vec![(Name::root(), vec![resolver.address])],
        ..settings.clone()
    });
    let Ok(internet) = opened else { return Vec::new() };
    let inquiry = internet.inquiry();
    let server = tree::below(&measuring.zone, tree::SERVER);
    let mut found: Vec<IpAddr> = Vec::new();
    for rtype in [Rtype::A, Rtype::AAAA] {
        let question = Question::plain(&server, rtype).recursive();
        let exchange = inquiry.ask(resolver.address, &question).await;
        let records = exchange.response().into_iter().flat_map(|response| &response.answer);
        found.extend(records.filter_map(Record::address));
    }
    found.into_iter().map(|address| SocketAddr::new(address, 53)).collect()
}

fn text_of(record: &Record) -> Option<String> {
    match &record.data {
        Data::Txt(txt) => String::from_utf8(txt.text()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_question_has_a_name_of_its_own() {
        let names = Names::of(Some(&"measure.example".parse().unwrap()));
        let asks: Vec<Ask> = Ask::FIRST.into_iter().chain(Ask::waves().concat()).collect();
        let asked: HashSet<Name> = asks.iter().filter_map(|ask| names.name(*ask)).collect();
        assert_eq!(asked.len(), asks.len());
        assert!(asks.iter().all(|ask| names.question(*ask).unwrap().recursion_desired));
    }

    #[test]
    fn without_a_measuring_zone_little_is_asked() {
        let names = Names::of(None);
        let asked: Vec<Ask> = Ask::waves()
            .concat()
            .into_iter()
            .filter(|ask| names.question(*ask).is_some())
            .collect();
        assert_eq!(asked, [Ask::NoTopLevel, Ask::Cookie]);
        assert!(Ask::FIRST.iter().all(|ask| names.question(*ask).is_some()));
    }
}
