//! edns04: DNS cookies (RFC 7873, RFC 9018). The faults are those that dnsviz names.

use domain::base::iana::{OptRcode, Rtype};

use super::size::FLAG_DAY;
use super::{of_each, on_each};
use crate::cases::Emission;
use crate::exchange::Exchange;
use crate::question::{CLIENT_COOKIE, COOKIE, Question};
use crate::run::Run;

/// Octets of a client cookie (RFC 7873 §4).
const CLIENT: usize = CLIENT_COOKIE.len();
/// Octets of a whole cookie, client's and server's (RFC 7873 §4).
const WHOLE: std::ops::RangeInclusive<usize> = 16..=40;

/// A server cookie that no server gave.
const WRONG_SERVER_COOKIE: [u8; 16] = [1, 0, 0, 0, 0, 0, 0, 1, 0xba, 0xdc, 0x00, 0xc1, 0xe0, 0xba, 0xdc, 0x00];
/// A cookie that is shorter than any can be.
const MALFORMED: [u8; 7] = *b"crumble";

/// edns04: a server that gives cookies gives proper ones, and one that does not leaves them out.
pub async fn edns04(run: &Run) -> Vec<Emission> {
    let without = Question::edns(run.zone(), Rtype::SOA).payload(FLAG_DAY);
    let with = |cookie: &[u8]| without.clone().option(COOKIE, cookie.to_vec());
    let (with_client_cookie, with_malformed) = (with(&CLIENT_COOKIE), with(&MALFORMED));
    on_each(run, async |address, servers| {
        let (unasked, fresh, malformed) = tokio::join!(
            run.ask(address, &without),
            run.ask(address, &with_client_cookie),
            run.ask(address, &with_malformed),
        );
        let mut emitted = Vec::new();
        if let Some(cookie) = cookie_in(&unasked) {
            emitted.push(Emission::new("E04_GRATUITOUS_COOKIE").arg("length", cookie.len()));
        }
        let Some(_) = fresh.response() else {
            return match unasked.response() {
                Some(_) => of_each(&servers, Emission::new("E04_NO_ANSWER_WITH_COOKIE")),
                None => of_each(&servers, Emission::new("NO_RESPONSE")),
            };
        };
        match cookie_in(&fresh) {
            None => emitted.push(Emission::new("E04_NO_COOKIES")),
            Some(given) => {
                let given = given.to_vec();
                emitted.extend(flaw_of(&given));
                if rcode_of(&malformed).is_some_and(|rcode| rcode != OptRcode::FORMERR) {
                    emitted.push(Emission::new("E04_MALFORMED_COOKIE_WITHOUT_FORMERR"));
                }
                if WHOLE.contains(&given.len()) && given.starts_with(&CLIENT_COOKIE) {
                    let wrong = [&CLIENT_COOKIE[..], &WRONG_SERVER_COOKIE].concat();
                    let (valid, wrong) = (with(&given), with(&wrong));
                    let (valid, wrong) = tokio::join!(run.ask(address, &valid), run.ask(address, &wrong));
                    emitted.extend(with_server_cookie(&fresh, &valid, &wrong));
                }
            }
        }
        emitted
            .into_iter()
            .flat_map(|emission| of_each(&servers, emission))
            .collect()
    })
    .await
}

/// What is wrong with a cookie that came on a question with the client's alone.
fn flaw_of(cookie: &[u8]) -> Option<Emission> {
    match cookie.len() {
        CLIENT if cookie == CLIENT_COOKIE => Some(Emission::new("E04_NO_SERVER_COOKIE")),
        length if length != CLIENT && !WHOLE.contains(&length) => {
            Some(Emission::new("E04_COOKIE_INVALID_LENGTH").arg("length", length))
        }
        _ if !cookie.starts_with(&CLIENT_COOKIE) => Some(Emission::new("E04_CLIENT_COOKIE_MISMATCH")),
        _ => None,
    }
}

/// What shows when the cookie that was given comes back, and when one comes that was not.
fn with_server_cookie(fresh: &Exchange, valid: &Exchange, wrong: &Exchange) -> Vec<Emission> {
    let is = |exchange: &Exchange, rcode| rcode_of(exchange) == Some(rcode);
    let is_lost = |exchange: &Exchange| exchange.response().is_some() && cookie_in(exchange).is_none();
    let mut emitted = Vec::new();
    if is(valid, OptRcode::BADCOOKIE) {
        emitted.push(Emission::new("E04_VALID_COOKIE_REFUSED"));
    }
    if is_lost(valid) || is_lost(wrong) {
        emitted.push(Emission::new("E04_NO_COOKIE_OPTION"));
    }
    // a server need not insist on cookies (RFC 7873 §5.2.3 and §5.2.4)
    let answers_without = is(fresh, OptRcode::NOERROR);
    let answers_with_wrong = is(wrong, OptRcode::NOERROR);
    if answers_without {
        emitted.push(Emission::new("E04_NO_SERVER_COOKIE_WITHOUT_BADCOOKIE"));
    }
    if answers_with_wrong {
        emitted.push(Emission::new("E04_INVALID_SERVER_COOKIE_WITHOUT_BADCOOKIE"));
    }
    if !is(valid, OptRcode::BADCOOKIE) && cookie_in(valid).is_some_and(|cookie| WHOLE.contains(&cookie.len())) {
        emitted.push(Emission::new("E04_COOKIES"));
    }
    emitted
}

fn rcode_of(exchange: &Exchange) -> Option<OptRcode> {
    exchange.response().map(|response| response.rcode)
}

fn cookie_in(exchange: &Exchange) -> Option<&[u8]> {
    exchange.response()?.edns.as_ref()?.option(COOKIE)
}
