//! One exchange: a question, whom it was put to, and what came of it.

use std::net::{IpAddr, SocketAddr};

use domain::base::iana::{Opcode, Rtype};
use jiff::Timestamp;
use model::{Name, Outcome, Sample};

use crate::question::Question;
use crate::response::Response;

/// What was asked, of whom, when, and what came of it. A verdict rests on these and on nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// The address asked.
    pub address: IpAddr,
    /// The question.
    pub question: Question,
    /// When it was first sent.
    pub time: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
    /// From the sending that was answered to the answer, in microseconds; `None` without an answer.
    pub rtt_us: Option<u64>,
    /// Datagrams or connections used; 0 when nothing was sent because the address had been silent, or cannot be asked.
    pub attempts: u32,
    /// Whether a truncated answer came over UDP, so that it was asked again over TCP.
    pub truncated: bool,
    /// Answers that were not believed: wrong id, question, address or port.
    pub disbelieved: u32,
    /// Where an answer with the right id and question came from, when that is not where the question went.
    pub answered_from: Option<SocketAddr>,
    /// The octets that came back; empty without any.
    pub wire: Vec<u8>,
    response: Option<Response>,
}

impl Exchange {
    /// An exchange as it ended. With [`Outcome::Answer`], `wire` is read; where it is no response after all, the
    /// outcome becomes [`Outcome::Garbage`].
    pub(crate) fn new(address: IpAddr, question: Question, time: Timestamp, ended: Ended) -> Self {
        let response = match ended.outcome {
            Outcome::Answer => {
                let opcode = Opcode::from_int(question.opcode);
                Response::read_of_opcode(&ended.wire, question.rtype, opcode)
            }
            _ => None,
        };
        let outcome = match (ended.outcome, &response) {
            (Outcome::Answer, None) => Outcome::Garbage,
            (outcome, _) => outcome,
        };
        Self {
            address,
            question,
            time,
            outcome,
            rtt_us: ended.rtt_us,
            attempts: ended.attempts,
            truncated: ended.truncated,
            disbelieved: ended.disbelieved,
            answered_from: ended.answered_from,
            wire: ended.wire,
            response,
        }
    }

    /// The answer, or `None` when no DNS response came ("no DNS response" in the specifications).
    pub fn response(&self) -> Option<&Response> {
        self.response.as_ref()
    }

    /// The exchange as a sample of vantage point `probe`, on behalf of `zone`, from the server called `server`. Whether
    /// its signatures hold is not looked at here.
    pub fn sample(&self, probe: &str, zone: &Name, server: Option<Name>) -> Sample {
        let response = self.response();
        let soa = response.and_then(|response| {
            response
                .answers(&self.question.name, Rtype::SOA)
                .find_map(|record| record.soa())
        });
        let flags = self.wire.get(2..4).map(|word| u16::from_be_bytes([word[0], word[1]]));
        Sample {
            time: self.time,
            probe: probe.to_owned(),
            zone: zone.clone(),
            server,
            address: self.address,
            transport: self.question.transport,
            qname: self.question.name.clone(),
            qtype: self.question.rtype.to_int(),
            outcome: self.outcome,
            rtt_us: self.rtt_us,
            rcode: response.map(|response| response.rcode.to_int()),
            authoritative: response.is_some_and(|response| response.authoritative),
            truncated: self.truncated,
            serial: soa.map(|soa| soa.serial().into_int()),
            nsid: response.and_then(|response| response.nsid()),
            size_bytes: response.and_then(|_| u32::try_from(self.wire.len()).ok()),
            flags: response.and(flags),
            attempts: u16::try_from(self.attempts).ok(),
            validated: None,
            signature_expiration: response.and_then(|response| first_expiration(response, self.time)),
        }
    }
}

/// When the first of the answer section's signatures expires. Its 32 bits of seconds are those nearest to `now` (RFC 4034 §3.1.5).
fn first_expiration(response: &Response, now: Timestamp) -> Option<Timestamp> {
    let expirations = response
        .answer
        .iter()
        .filter_map(|record| Some(record.rrsig()?.expiration().into_int()));
    let nearest = |seconds: u32| {
        // the difference as a signed number is serial arithmetic (RFC 1982 §3.2), the cuts are meant
        let ahead = seconds.wrapping_sub(now.as_second() as u32) as i32;
        Timestamp::from_second(now.as_second() + i64::from(ahead)).ok()
    };
    expirations.filter_map(nearest).min()
}

/// How an exchange ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ended {
    pub outcome: Outcome,
    pub rtt_us: Option<u64>,
    pub attempts: u32,
    pub truncated: bool,
    pub disbelieved: u32,
    pub answered_from: Option<SocketAddr>,
    pub wire: Vec<u8>,
}

impl Ended {
    /// Ended without any octets.
    pub fn without_answer(outcome: Outcome, attempts: u32) -> Self {
        Self {
            outcome,
            rtt_us: None,
            attempts,
            truncated: false,
            disbelieved: 0,
            answered_from: None,
            wire: Vec::new(),
        }
    }
}
