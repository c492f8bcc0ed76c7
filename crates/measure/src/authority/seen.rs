//! What the server saw of a run: each question as it came. A run has a token, which its names carry as a label; whoever knows
//! the token may ask for what was seen. Nothing is kept for longer than a run takes.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use domain::base::Message;
use domain::base::iana::Rtype;
use domain::base::opt::UnknownOptData;
use jiff::{SignedDuration, Timestamp};
use model::Transport;
use serde::{Deserialize, Serialize};

/// Letters and digits of a token: 32 of them, so that each stands for five bits.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Length of a token: 100 bits, which nobody guesses.
const LENGTH: usize = 20;
/// How long what was seen is kept.
const KEPT: SignedDuration = SignedDuration::from_mins(10);
/// Runs that are kept at a time; the oldest goes first.
const RUNS: usize = 1_000;
/// Questions kept of one run: a run brings some 150. With [`RUNS`] this bounds the memory to some 60 MB.
const QUESTIONS: usize = 200;

/// What tells one run's questions from another's: a label of twenty letters and digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token([u8; LENGTH]);

impl Token {
    /// A new token.
    pub fn random() -> Self {
        let octets: [u8; LENGTH] = rand::random();
        Self(octets.map(|octet| ALPHABET[usize::from(octet & 31)]))
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).expect("the alphabet is ASCII"))
    }
}

/// A label that is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a token of twenty letters and digits")]
pub struct NoToken;

impl FromStr for Token {
    type Err = NoToken;

    /// Upper and lower case are the same: resolvers mix them.
    fn from_str(text: &str) -> Result<Self, NoToken> {
        let octets: [u8; LENGTH] = text.as_bytes().try_into().map_err(|_| NoToken)?;
        let lower = octets.map(|octet| octet.to_ascii_lowercase());
        match lower.iter().all(|octet| ALPHABET.contains(octet)) {
            true => Ok(Self(lower)),
            false => Err(NoToken),
        }
    }
}

/// One question as it came to the server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Seen {
    /// When.
    pub time: Timestamp,
    /// Whence: address and port.
    pub from: SocketAddr,
    /// How it travelled.
    pub transport: Transport,
    /// Message id.
    pub id: u16,
    /// QNAME in the letters that were sent.
    pub name: String,
    /// QTYPE (IANA RR types).
    pub rtype: u16,
    /// The second word of the header: opcode and flags.
    pub bits: u16,
    /// The OPT record, if there was one.
    pub edns: Option<SeenEdns>,
}

/// The OPT record of a question (RFC 6891).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SeenEdns {
    /// Room for answers over UDP.
    pub payload: u16,
    /// EDNS version.
    pub version: u8,
    /// DO bit.
    pub dnssec_ok: bool,
    /// Options: code and data.
    pub options: Vec<(u16, Vec<u8>)>,
}

impl Seen {
    /// A question as it came from `from` at `time`; `None` when it is none.
    pub(super) fn of(query: &Message<[u8]>, transport: Transport, from: SocketAddr, time: Timestamp) -> Option<Self> {
        let question = query.sole_question().ok()?;
        let octets = query.as_slice();
        let edns = query.opt().map(|opt| {
            let options = opt.opt().iter::<UnknownOptData<_>>().flatten().take(16);
            SeenEdns {
                payload: opt.udp_payload_size(),
                version: opt.version(),
                dnssec_ok: opt.dnssec_ok(),
                // what is longer is no option that is known, and only costs memory
                options: options
                    .map(|option| {
                        (
                            option.code().to_int(),
                            option.as_slice().iter().copied().take(40).collect(),
                        )
                    })
                    .collect(),
            }
        });
        Some(Self {
            time,
            from,
            transport,
            id: query.header().id(),
            name: domain::base::name::ToName::to_vec(question.qname()).to_string(),
            rtype: question.qtype().to_int(),
            bits: u16::from_be_bytes([octets[2], octets[3]]),
            edns,
        })
    }

    /// The form in which it is told, as the text of a TXT record.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("plain data with text keys is JSON")
    }

    /// Reads what [`Seen::to_json`] wrote; `None` for anything else.
    pub fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Data of its first option with this code.
    pub fn option(&self, code: u16) -> Option<&[u8]> {
        let options = &self.edns.as_ref()?.options;
        options
            .iter()
            .find(|(own, _)| *own == code)
            .map(|(_, data)| data.as_slice())
    }

    /// The type that was asked for.
    pub fn qtype(&self) -> Rtype {
        Rtype::from_int(self.rtype)
    }
}

/// What was seen of all runs lately.
#[derive(Default)]
pub(super) struct Journal {
    runs: HashMap<Token, Run>,
    by_age: VecDeque<Token>,
}

struct Run {
    begun: Timestamp,
    seen: Vec<Seen>,
}

impl Journal {
    pub fn note(&mut self, token: &Token, seen: Seen, now: Timestamp) {
        self.forget(now);
        if !self.runs.contains_key(token) {
            if self.runs.len() >= RUNS
                && let Some(oldest) = self.by_age.pop_front()
            {
                self.runs.remove(&oldest);
            }
            self.by_age.push_back(*token);
        }
        let run = self.runs.entry(*token).or_insert(Run {
            begun: now,
            seen: Vec::new(),
        });
        if run.seen.len() < QUESTIONS {
            run.seen.push(seen);
        }
    }

    pub fn of(&mut self, token: &Token, now: Timestamp) -> Vec<Seen> {
        self.forget(now);
        self.runs.get(token).map(|run| run.seen.clone()).unwrap_or_default()
    }

    fn forget(&mut self, now: Timestamp) {
        while let Some(oldest) = self.by_age.front()
            && self
                .runs
                .get(oldest)
                .is_none_or(|run| now.duration_since(run.begun) > KEPT)
        {
            self.runs.remove(oldest);
            self.by_age.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn noon() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn seen(id: u16) -> Seen {
        Seen {
            time: noon(),
            from: "192.0.2.1:5353".parse().unwrap(),
            transport: Transport::Udp,
            id,
            name: "a.test".to_owned(),
            rtype: 1,
            bits: 0x0010,
            edns: None,
        }
    }

    #[test]
    fn tokens_read_in_any_case_and_are_not_short_words() {
        let token = Token::random();
        assert_eq!(token.to_string().to_uppercase().parse(), Ok(token));
        for text in [
            "",
            "ask",
            "aaaaaaaaaaaaaaaaaaa",
            "aaaaaaaaaaaaaaaaaaa1",
            "aaaaaaaaaaaaaaaaaaaaa",
        ] {
            assert_eq!(text.parse::<Token>(), Err(NoToken), "{text}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded_in_number_and_time() {
        let mut journal = Journal::default();
        let first = Token::random();
        for id in 0..QUESTIONS as u16 + 5 {
            journal.note(&first, seen(id), noon());
        }
        assert_eq!(journal.of(&first, noon()).len(), QUESTIONS);
        for _ in 0..RUNS {
            journal.note(&Token::random(), seen(1), noon());
        }
        assert_eq!((journal.runs.len(), journal.by_age.len()), (RUNS, RUNS));
        assert_eq!(journal.of(&first, noon()), [], "the oldest is gone");
        let last = Token::random();
        journal.note(&last, seen(1), noon());
        assert_eq!(journal.of(&last, noon() + KEPT).len(), 1);
        assert_eq!(journal.of(&last, noon() + KEPT + SignedDuration::from_secs(1)), []);
        assert!(journal.runs.is_empty());
    }

    proptest! {
        #[test]
        fn what_was_seen_is_read_as_it_was_told(
            id: u16, port: u16, name in "\\PC{0,60}", rtype: u16, bits: u16,
            edns in proptest::option::of((any::<u16>(), any::<u8>(), any::<bool>())),
            options in proptest::collection::vec((any::<u16>(), proptest::collection::vec(any::<u8>(), 0..40)), 0..4),
        ) {
            let seen = Seen {
                from: SocketAddr::new("2001:db8::1".parse().unwrap(), port),
                transport: Transport::Tcp,
                name, rtype, bits,
                edns: edns.map(|(payload, version, dnssec_ok)| SeenEdns { payload, version, dnssec_ok, options }),
                ..seen(id)
            };
            prop_assert_eq!(Seen::from_json(&seen.to_json()), Some(seen));
        }

        #[test]
        fn any_text_is_something_seen_or_nothing(text in "\\PC{0,100}") {
            let _ = Seen::from_json(&text);
        }
    }
}
