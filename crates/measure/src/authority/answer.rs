//! What is read of a question besides name and type, and the message that answers it.

use std::net::IpAddr;

use domain::base::iana::{OptRcode, OptionCode, Rtype};
use domain::base::message_builder::{MessageBuilder, PushError, TreeCompressor};
use domain::base::opt::UnknownOptData;
use domain::base::{Message, Question};
use jiff::Timestamp;
use model::{Name, Transport};
use siphasher::sip::SipHasher24;

use super::key::Record;
use crate::question::COOKIE;

/// Largest answer over UDP, in octets (DNS flag day 2020).
const LARGEST: usize = 1232;
/// Largest answer over UDP to whoever has no EDNS (RFC 1035 §4.2.1).
const CLASSIC: usize = 512;
/// How long a cookie is good for, and how far a clock may be ahead, in seconds (RFC 9018 §4.3).
const COOKIE_LASTS: u32 = 3_600;
const COOKIE_AHEAD: u32 = 300;

type Owned = domain::base::Name<Vec<u8>>;

/// What a question carries besides name and type.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// EDNS version; `None` without EDNS.
    pub version: Option<u8>,
    pub dnssec_ok: bool,
    /// Room for the answer over UDP.
    room: usize,
    /// The cookie that goes back: the client's and ours.
    cookie: Option<[u8; 24]>,
    /// Whether it carries a cookie that we gave to this address.
    pub is_known: bool,
    /// Whether its cookie has a length that no cookie has.
    pub is_malformed: bool,
}

impl Asked {
    pub fn read(query: &Message<[u8]>, secret: &[u8; 16], from: IpAddr, now: Timestamp) -> Self {
        let Some(opt) = query.opt() else {
            return Self {
                room: CLASSIC,
                ..Self::default()
            };
        };
        let mut asked = Self {
            version: Some(opt.version()),
            dnssec_ok: opt.dnssec_ok(),
            room: usize::from(opt.udp_payload_size()).clamp(CLASSIC, LARGEST),
            ..Self::default()
        };
        let mut options = opt.opt().iter::<UnknownOptData<_>>().flatten();
        let Some(option) = options.find(|option| option.code().to_int() == COOKIE) else {
            return asked;
        };
        let data: &[u8] = option.as_slice();
        let Some(client) = data
            .first_chunk::<8>()
            .filter(|_| data.len() == 8 || (16..=40).contains(&data.len()))
        else {
            asked.is_malformed = true;
            return asked;
        };
        let now = now.as_second() as u32;
        asked.is_known = is_ours(&data[8..], client, secret, from, now);
        asked.cookie = Some(cookie(client, secret, from, now));
        asked
    }
}

/// Client cookie and server cookie (RFC 9018 §4): version 1, three octets reserved, the time, and a hash.
fn cookie(client: &[u8; 8], secret: &[u8; 16], from: IpAddr, time: u32) -> [u8; 24] {
    let mut cookie = [0; 24];
    cookie[..8].copy_from_slice(client);
    cookie[8] = 1;
    cookie[12..16].copy_from_slice(&time.to_be_bytes());
    let mut hashed = cookie[..16].to_vec();
    match from {
        IpAddr::V4(address) => hashed.extend(address.octets()),
        IpAddr::V6(address) => hashed.extend(address.octets()),
    }
    cookie[16..].copy_from_slice(&SipHasher24::new_with_key(secret).hash(&hashed).to_le_bytes());
    cookie
}

fn is_ours(server: &[u8], client: &[u8; 8], secret: &[u8; 16], from: IpAddr, now: u32) -> bool {
    let Some(time) = server
        .get(4..8)
        .and_then(|octets| octets.first_chunk())
        .map(|time| u32::from_be_bytes(*time))
    else {
        return false;
    };
    // serial number arithmetic (RFC 1982): the 32 bits of the time wrap
    let age = now.wrapping_sub(time);
    let is_fresh = age <= COOKIE_LASTS || age.wrapping_neg() <= COOKIE_AHEAD;
    is_fresh && cookie(client, secret, from, time)[8..] == *server
}

/// An answer in the making.
pub(super) struct Draft<'a> {
    query: &'a Message<[u8]>,
    pub asked: Asked,
    transport: Transport,
    pub rcode: OptRcode,
    pub is_truncated: bool,
    pub answer: Vec<Record>,
    pub authority: Vec<Record>,
}

impl<'a> Draft<'a> {
    pub fn new(query: &'a Message<[u8]>, asked: Asked, transport: Transport) -> Self {
        Self {
            query,
            asked,
            transport,
            rcode: OptRcode::NOERROR,
            is_truncated: false,
            answer: Vec::new(),
            authority: Vec::new(),
        }
    }

    /// The question as it was asked, in its own letters.
    pub fn sole_question(&self) -> Option<Question<Owned>> {
        let question = self.query.sole_question().ok()?;
        let name = domain::base::name::ToName::to_vec(question.qname());
        Some(Question::new(name, question.qtype(), question.qclass()))
    }

    pub fn question(&self) -> Option<(Name, Rtype)> {
        let question = self.sole_question()?;
        Some((Name::from_wire(question.qname()), question.qtype()))
    }

    /// The message; truncated where it does not fit.
    pub fn compose(&self) -> Vec<u8> {
        let limit = match self.transport {
            Transport::Tcp => usize::from(u16::MAX),
            Transport::Udp => self.asked.room,
        };
        let whole = (!self.is_truncated).then(|| self.write(false).ok()).flatten();
        whole.filter(|message| message.len() <= limit).unwrap_or_else(|| {
            self.write(true)
                .expect("a header, a question and an OPT record fit a message")
        })
    }

    fn write(&self, is_truncated: bool) -> Result<Vec<u8>, PushError> {
        let target = TreeCompressor::new(Vec::with_capacity(CLASSIC));
        let mut builder = MessageBuilder::from_target(target).expect("an empty vector takes a header");
        let asked = self.query.header();
        let is_query = asked.opcode() == domain::base::iana::Opcode::QUERY;
        let header = builder.header_mut();
        header.set_id(asked.id());
        header.set_qr(true);
        header.set_opcode(asked.opcode());
        header.set_rd(asked.rd() && is_query);
        header.set_cd(asked.cd() && is_query);
        header.set_aa(matches!(self.rcode, OptRcode::NOERROR | OptRcode::NXDOMAIN));
        header.set_tc(is_truncated);
        header.set_rcode(self.rcode.rcode());
        let mut builder = builder.question();
        if let Some(question) = self.sole_question() {
            builder.push(question)?;
        }
        let mut builder = builder.answer();
        if !is_truncated {
            self.answer.iter().try_for_each(|record| builder.push(record))?;
        }
        let mut builder = builder.authority();
        if !is_truncated {
            self.authority.iter().try_for_each(|record| builder.push(record))?;
        }
        let mut builder = builder.additional();
        if self.asked.version.is_some() {
            builder.opt(|opt| {
                opt.set_udp_payload_size(LARGEST as u16);
                opt.set_dnssec_ok(self.asked.dnssec_ok);
                opt.set_rcode(self.rcode);
                if let Some(cookie) = &self.asked.cookie {
                    opt.push_raw_option(OptionCode::from_int(COOKIE), cookie.len() as u16, |target| {
                        domain::dep::octseq::OctetsBuilder::append_slice(target, cookie)
                    })?;
                }
                Ok(())
            })?;
        }
        Ok(builder.finish().into_target())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_good_for_its_client_and_its_time() {
        let (client, secret, from) = ([7; 8], [9; 16], "192.0.2.1".parse().unwrap());
        let given = cookie(&client, &secret, from, 1_000_000);
        let is_good = |client, from, now| is_ours(&given[8..], client, &secret, from, now);
        assert!(
            is_good(&client, from, 1_000_000) && is_good(&client, from, 1_003_600) && is_good(&client, from, 999_700)
        );
        assert!(
            !is_good(&client, from, 1_003_601) && !is_good(&client, from, 999_699),
            "too old, too new"
        );
        assert!(!is_good(&[8; 8], from, 1_000_000), "another client");
        assert!(
            !is_good(&client, "192.0.2.2".parse().unwrap(), 1_000_000),
            "another address"
        );
        assert!(!is_ours(&[], &client, &secret, from, 1_000_000));
    }

    #[test]
    fn a_cookie_is_made_as_its_standard_has_it() {
        // RFC 9018, appendix A.1
        let client = [0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57];
        let secret = [
            0xe5, 0xe9, 0x73, 0xe5, 0xa6, 0xb2, 0xa4, 0x3f, 0x48, 0xe7, 0xdc, 0x84, 0x9e, 0x37, 0xbf, 0xcf,
        ];
        let made = cookie(&client, &secret, "198.51.100.100".parse().unwrap(), 1_559_731_985);
        let expected = [
            0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57, 0x01, 0x00, 0x00, 0x00, 0x5c, 0xf7, 0x9f, 0x11, 0x1f, 0x81,
            0x30, 0xc3, 0xee, 0xe2, 0x94, 0x80,
        ];
        assert_eq!(made, expected);
    }
}
