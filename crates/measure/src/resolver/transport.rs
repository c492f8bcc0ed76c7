//! resolver05 and resolver11: cookies on both sides, and the sizes of what it asks for.

use std::collections::BTreeSet;

use model::Transport;

use super::Gathered;
use super::asks::{Ask, CLIENT_COOKIE};
use crate::authority::seen::Seen;
use crate::authority::tree;
use crate::cases::Emission;
use crate::question::COOKIE;

/// Room that passes nearly everywhere in one piece (DNS flag day 2020).
const FLAG_DAY: u16 = 1232;

/// resolver05: cookies (RFC 7873) towards servers, and towards its users.
pub(super) fn resolver05(gathered: &Gathered) -> Vec<Emission> {
    let mut emitted = Vec::new();
    if let Some(seen) = gathered.seen.as_ref().filter(|seen| !seen.is_empty()) {
        let cookies: Vec<&[u8]> = seen.iter().filter_map(|seen| seen.option(COOKIE)).collect();
        let tag = match cookies.iter().any(|cookie| cookie.len() > CLIENT_COOKIE.len()) {
            _ if cookies.is_empty() => "R05_SENDS_NO_COOKIES",
            true => "R05_SENDS_COOKIES",
            false => "R05_SENDS_CLIENT_COOKIES_ONLY",
        };
        emitted.push(Emission::new(tag));
    }
    if let Some(response) = gathered.answers.response(Ask::Cookie) {
        let cookie = response.edns.as_ref().and_then(|edns| edns.option(COOKIE));
        emitted.push(Emission::new(match cookie {
            None => "R05_GIVES_NO_COOKIES",
            Some(cookie) if cookie.starts_with(&CLIENT_COOKIE) && cookie.len() >= 16 => "R05_GIVES_COOKIES",
            Some(_) => "R05_GIVES_WRONG_COOKIES",
        }));
    }
    emitted
        .into_iter()
        .map(|emission| emission.arg("resolver", gathered.resolver))
        .collect()
}

/// resolver11: it asks for what passes in one piece, and over TCP for what does not.
pub(super) fn resolver11(gathered: &Gathered) -> Vec<Emission> {
    let Some(seen) = gathered.seen.as_ref().filter(|seen| !seen.is_empty()) else {
        return Vec::new();
    };
    let sizes: BTreeSet<u16> = seen
        .iter()
        .filter_map(|seen| seen.edns.as_ref())
        .map(|edns| edns.payload)
        .collect();
    let mut emitted = Vec::new();
    emitted.push(match sizes.last() {
        None => Emission::new("R11_NO_EDNS"),
        Some(largest) if *largest > FLAG_DAY => Emission::new("R11_BUFFER_ABOVE_1232").list("sizes", &sizes),
        Some(_) => Emission::new("R11_BUFFER").list("sizes", &sizes),
    });
    if gathered.answers.exchange(Ask::Truncated).is_some() {
        let name = gathered.names.name(Ask::Truncated);
        let is_truncated = |seen: &&Seen| seen.name.parse().ok() == name && name.is_some();
        let over: BTreeSet<Transport> = seen.iter().filter(is_truncated).map(|seen| seen.transport).collect();
        let tag = match (
            over.contains(&Transport::Tcp),
            gathered.answers.has_data(Ask::Truncated),
        ) {
            (true, true) => Some("R11_TCP_FALLBACK"),
            _ if over.contains(&Transport::Udp) => Some("R11_NO_TCP_FALLBACK"),
            _ => None,
        };
        emitted.extend(tag.map(|tag| Emission::new(tag).arg("tree", tree::TCP)));
    }
    emitted
        .into_iter()
        .map(|emission| emission.arg("resolver", gathered.resolver))
        .collect()
}
