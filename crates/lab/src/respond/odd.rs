//! The manners of `Fault::Odd`: some change what is looked up, the others bend the octets of the answer.
//!
//! An answer's OPT record is always its last record, so that its parts have fixed places counted from the end.

use std::hash::{DefaultHasher, Hasher as _};

use domain::base::charstr::CharStr;
use domain::base::iana::{Class, Opcode, OptRcode, Rtype};
use domain::base::opt::UnknownOptData;
use domain::base::{Message, Name as WireName, Question, Record as WireRecord, Ttl};
use domain::rdata::{Hinfo, ZoneRecordData};
use model::{Name, Transport};

use super::{CLASSIC_DATAGRAM, Draft, Edns};
use crate::lookup::Found;
use crate::odd::{Feature, OddManner};

/// Option code of cookies (RFC 7873 §4).
const COOKIE: u16 = 10;

/// Option code of padding (RFC 7830 §3).
const PADDING: u16 = 12;

/// Octets of a client cookie.
const CLIENT_COOKIE: usize = 8;

/// Octets of client and server cookie together, by RFC 7873 §4.
const WHOLE_COOKIE: std::ops::RangeInclusive<usize> = 16..=40;

/// Largest answer over UDP of a server that knows nothing of DNS flag day 2020, in octets.
const OLD_LARGEST_DATAGRAM: usize = 4096;

/// Octets that get through the narrow path of `loses_large`.
const NARROW_PATH: usize = 200;

/// The OPT record of `unasked_opt`.
const UNASKED: Edns = Edns {
    size: CLASSIC_DATAGRAM,
    version: 0,
    answered: 0,
    dnssec: false,
    nsid: false,
};

/// What a question carries besides what every server reads.
struct Extras {
    version: u8,
    dnssec: bool,
    z: u16,
    options: Vec<(u16, Vec<u8>)>,
}

impl Extras {
    fn of(query: &Message<[u8]>) -> Option<Self> {
        let opt = query.opt()?;
        let mut records = query.additional().ok()?.flatten();
        let ttl = records.find(|record| record.rtype() == Rtype::OPT)?.ttl().as_secs();
        let options = opt.opt().iter::<UnknownOptData<_>>().flatten();
        Some(Self {
            version: opt.version(),
            dnssec: opt.dnssec_ok(),
            z: ttl as u16 & 0x7fff,
            options: options
                .map(|option| (option.code().to_int(), option.as_slice().to_vec()))
                .collect(),
        })
    }
}

/// What is unusual about a question.
pub(super) fn features(query: &Message<[u8]>, question: &Question<WireName<Vec<u8>>>) -> Vec<Feature> {
    let extras = Extras::of(query);
    let extra = |has: fn(&Extras) -> bool| extras.as_ref().is_some_and(has);
    let first = question.qname().first().as_slice().first();
    let features = [
        (first.is_some_and(u8::is_ascii_uppercase), Feature::Capital),
        (extra(|extras| extras.version > 0), Feature::EdnsVersion),
        (extra(|extras| !extras.options.is_empty()), Feature::EdnsOption),
        (extra(|extras| extras.z != 0), Feature::EdnsFlag),
        (question.qclass() == Class::CH, Feature::Chaos),
    ];
    let present = features.into_iter().filter(|(is_present, _)| *is_present);
    present.map(|(_, feature)| feature).collect()
}

/// Whether these manners leave the question without an answer.
pub(super) fn is_dropped(manners: &[OddManner], query: &Message<[u8]>, qtype: Option<Rtype>) -> bool {
    let header = query.header();
    let extras = Extras::of(query);
    let extra = |has: fn(&Extras) -> bool| extras.as_ref().is_some_and(has);
    manners.iter().any(|manner| match manner {
        OddManner::DropsOptions => extra(|extras| !extras.options.is_empty()),
        OddManner::DropsVersion => extra(|extras| extras.version > 0),
        OddManner::DropsFlags => extra(|extras| extras.z != 0),
        OddManner::DropsDo => extra(|extras| extras.dnssec),
        OddManner::DropsWithoutEdns => extras.is_none(),
        OddManner::DropsWithoutDo => !extra(|extras| extras.dnssec),
        OddManner::DropsWithoutOption => !extra(|extras| !extras.options.is_empty()),
        OddManner::DropsRd => header.rd(),
        OddManner::DropsTypes => qtype.is_some_and(|qtype| qtype.to_int() > 255),
        OddManner::DropsOpcodes => header.opcode() != Opcode::QUERY,
        OddManner::DropsHeaderFlags => header.ad() || header.cd() || header.z(),
        _ => false,
    })
}

/// Changes what is looked up, before it is.
pub(super) fn prepare(manners: &[OddManner], draft: &mut Draft<'_>) {
    let has = |manner| manners.contains(&manner);
    if let Some(edns) = &mut draft.edns {
        if has(OddManner::IgnoresVersion) || has(OddManner::EchoesVersion) {
            edns.version = 0;
        }
        if has(OddManner::LargeBuffer) {
            draft.largest = OLD_LARGEST_DATAGRAM;
        }
    }
}

/// Changes what was found, before it becomes a message.
pub(super) fn replace(manners: &[OddManner], draft: &mut Draft<'_>, transport: Transport) {
    let fail = |draft: &mut Draft<'_>, rcode| {
        draft.rcode = rcode;
        draft.found = Found::default();
    };
    if manners.contains(&OddManner::RefusesWithoutRd) && !draft.query.header().rd() {
        fail(draft, OptRcode::REFUSED);
    }
    if manners.contains(&OddManner::OmitsOpt) {
        draft.edns = None;
    }
    if manners.contains(&OddManner::UnaskedOpt) {
        draft.edns.get_or_insert(UNASKED);
    }
    let Some(extras) = Extras::of(draft.query) else {
        return replace_any(manners, draft);
    };
    if manners.contains(&OddManner::RejectsOptions) && !extras.options.is_empty() {
        draft.edns = None;
        fail(draft, OptRcode::FORMERR);
    }
    if manners.contains(&OddManner::FailsOnDo) && extras.dnssec {
        fail(draft, OptRcode::SERVFAIL);
    }
    let own = cookie_of(draft.nsid);
    match extras.options.iter().find(|(code, _)| *code == COOKIE) {
        Some((_, asked)) if is_malformed(asked) && gives_cookies(manners) => fail(draft, OptRcode::FORMERR),
        Some((_, asked)) if transport == Transport::Udp => {
            let is_valid = asked.get(CLIENT_COOKIE..) == Some(&own);
            let is_refused = manners.contains(&OddManner::ForgetsCookies)
                || manners.contains(&OddManner::RequiresCookies) && !is_valid;
            if is_refused {
                fail(draft, OptRcode::BADCOOKIE);
            }
        }
        _ => {}
    }
    replace_any(manners, draft);
}

fn replace_any(manners: &[OddManner], draft: &mut Draft<'_>) {
    if !manners.contains(&OddManner::MinimalAny) || !draft.is_for(Rtype::ANY) || draft.found.answer.is_empty() {
        return;
    }
    let Some((name, _)) = &draft.question else { return };
    let text = |text: &str| CharStr::from_octets(text.as_bytes().to_vec()).expect("a short text is a character string");
    let data = ZoneRecordData::Hinfo(Hinfo::new(text("RFC8482"), text("")));
    draft.found.answer = vec![WireRecord::new(name.as_wire().clone(), Class::IN, Ttl::HOUR, data)];
}

/// Bends the octets of the answer; `None` when they get lost.
pub(super) fn bend(
    manners: &[OddManner],
    draft: &Draft<'_>,
    transport: Transport,
    mut message: Vec<u8>,
) -> Option<Vec<u8>> {
    let has = |manner| manners.contains(&manner);
    if has(OddManner::EchoesHeaderFlags) {
        let asked = draft.query.as_slice();
        message[2] |= asked[2] & 0x07;
        message[3] |= asked[3] & 0xf0;
    }
    if let (Some(extras), Some(_)) = (Extras::of(draft.query), draft.edns) {
        let mut opt = Opt::last_of(&mut message);
        if has(OddManner::EchoesVersion) || has(OddManner::EchoesBadVersion) {
            opt.set(VERSION, extras.version);
        }
        if has(OddManner::EchoesFlags) {
            opt.add(FLAGS, (extras.z >> 8) as u8);
            opt.add(FLAGS + 1, extras.z as u8);
        }
        if has(OddManner::OmitsDo) {
            opt.clear(FLAGS, 0x80);
        }
        if has(OddManner::LargeBuffer) {
            opt.set(PAYLOAD, (OLD_LARGEST_DATAGRAM >> 8) as u8);
            opt.set(PAYLOAD + 1, 0);
        }
        if has(OddManner::TooLarge) {
            opt.push(PADDING, &[0; 600]);
        }
        if has(OddManner::EchoesOptions) {
            for (code, data) in extras.options.iter().filter(|(code, _)| *code > COOKIE) {
                opt.push(*code, data);
            }
        }
        let asked = extras.options.iter().find(|(code, _)| *code == COOKIE);
        let asked = asked.map(|(_, data)| data.as_slice());
        if let Some(cookie) = manners
            .iter()
            .find_map(|manner| answer_cookie(*manner, asked, draft.nsid))
        {
            opt.push(COOKIE, &cookie);
        }
    }
    let room = draft.edns.map_or(CLASSIC_DATAGRAM, |edns| edns.size);
    let is_large = message.len() > NARROW_PATH && room > CLASSIC_DATAGRAM;
    let is_lost = has(OddManner::LosesLarge) && is_large || has(OddManner::DropsUdp);
    (transport == Transport::Tcp || !is_lost).then_some(message)
}

fn gives_cookies(manners: &[OddManner]) -> bool {
    manners.iter().any(|manner| {
        matches!(
            manner,
            OddManner::Cookies
                | OddManner::RequiresCookies
                | OddManner::ForgetsCookies
                | OddManner::DropsCookies
                | OddManner::HalfCookies
                | OddManner::ForeignCookies
                | OddManner::LongCookies
        )
    })
}

fn is_malformed(cookie: &[u8]) -> bool {
    cookie.len() != CLIENT_COOKIE && !WHOLE_COOKIE.contains(&cookie.len())
}

/// The server's own cookie, of the form of RFC 9018 §4: version 1, reserved, time, hash. It depends on the server alone: the
/// lab has nothing to defend.
fn cookie_of(server: &Name) -> [u8; 16] {
    let mut hasher = DefaultHasher::new();
    hasher.write(server.to_string().as_bytes());
    let mut cookie = [0; 16];
    cookie[0] = 1;
    cookie[8..].copy_from_slice(&hasher.finish().to_be_bytes());
    cookie
}

/// The cookie that goes with an answer; `asked` is the one of the question.
fn answer_cookie(manner: OddManner, asked: Option<&[u8]>, server: &Name) -> Option<Vec<u8>> {
    let own = cookie_of(server);
    let Some(asked) = asked else {
        return (manner == OddManner::UnaskedCookies).then(|| [&[0; CLIENT_COOKIE], &own[..]].concat());
    };
    let mut client = [0; CLIENT_COOKIE];
    let length = asked.len().min(CLIENT_COOKIE);
    client[..length].copy_from_slice(&asked[..length]);
    match manner {
        OddManner::LaxCookies => Some([&client, &own[..]].concat()),
        _ if is_malformed(asked) => None,
        OddManner::Cookies | OddManner::RequiresCookies | OddManner::ForgetsCookies => {
            Some([&client, &own[..]].concat())
        }
        OddManner::DropsCookies => (asked.len() == CLIENT_COOKIE).then(|| [&client, &own[..]].concat()),
        OddManner::HalfCookies => Some(client.to_vec()),
        OddManner::ForeignCookies => Some([&client.map(|octet| !octet), &own[..]].concat()),
        OddManner::LongCookies => Some([&client[..], &[7; 36]].concat()),
        _ => None,
    }
}

/// Places in an OPT record, counted from its beginning (RFC 6891 §6.1.2).
const PAYLOAD: usize = 3;
const VERSION: usize = 6;
const FLAGS: usize = 7;
const LENGTH: usize = 9;
const HEADER: usize = 11;

/// The OPT record at the end of an answer.
struct Opt<'m> {
    message: &'m mut Vec<u8>,
    start: usize,
}

impl<'m> Opt<'m> {
    fn last_of(message: &'m mut Vec<u8>) -> Self {
        // Of all places from which a record without options, or with an NSID, would reach to the end: the one that is OPT.
        let is_opt = |start: &usize| {
            let length = usize::from(message[start + LENGTH]) << 8 | usize::from(message[start + LENGTH + 1]);
            message[*start..start + PAYLOAD] == [0, 0, 41] && start + HEADER + length == message.len()
        };
        let start = (12..=message.len() - HEADER).rev().find(is_opt);
        let start = start.expect("an answer to a question with EDNS ends with an OPT record");
        Self { message, start }
    }

    fn set(&mut self, place: usize, octet: u8) {
        self.message[self.start + place] = octet;
    }

    fn add(&mut self, place: usize, bits: u8) {
        self.message[self.start + place] |= bits;
    }

    fn clear(&mut self, place: usize, bits: u8) {
        self.message[self.start + place] &= !bits;
    }

    fn push(&mut self, code: u16, data: &[u8]) {
        self.message.extend(code.to_be_bytes());
        self.message.extend((data.len() as u16).to_be_bytes());
        self.message.extend(data);
        let length = (self.message.len() - self.start - HEADER) as u16;
        let place = self.start + LENGTH;
        self.message[place..place + 2].copy_from_slice(&length.to_be_bytes());
    }
}
