//! One question to one server and what came of it: the raw form from which every metric is computed.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Name;

/// How a question travelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// UDP (RFC 1035 §4.2.1).
    Udp,
    /// TCP (RFC 7766).
    Tcp,
}

impl Transport {
    /// `udp` or `tcp`.
    pub fn as_str(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        }
    }
}

/// The family of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4 (RFC 791).
    Ipv4,
    /// IPv6 (RFC 8200).
    Ipv6,
}

impl Family {
    /// The family of this address.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 }
    }

    /// `ipv4` or `ipv6`.
    pub fn as_str(self) -> &'static str {
        match self {
            Family::Ipv4 => "ipv4",
            Family::Ipv6 => "ipv6",
        }
    }
}

/// What came of a question. Misbehaviour is data: each of these is kept, none is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A DNS message that answers the question came back; its RCODE says how.
    Answer,
    /// Nothing usable came within the timeout ladder.
    Timeout,
    /// The address refused the packet or the connection (ICMP unreachable, TCP reset).
    Refused,
    /// Octets came back that are no DNS message.
    Garbage,
    /// The question could not be sent (no route, address family off).
    Unreachable,
}

impl Outcome {
    /// The word kept in tables: `timeout`.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Answer => "answer",
            Outcome::Timeout => "timeout",
            Outcome::Refused => "refused",
            Outcome::Garbage => "garbage",
            Outcome::Unreachable => "unreachable",
        }
    }
}

/// One measured exchange.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When the question was sent.
    pub time: Timestamp,
    /// Id of the vantage point that asked.
    pub probe: String,
    /// The zone on whose behalf it was asked.
    pub zone: Name,
    /// Name of the server where known.
    pub server: Option<Name>,
    /// Its address.
    pub address: IpAddr,
    /// How the question travelled.
    pub transport: Transport,
    /// The question's name.
    pub qname: Name,
    /// The question's type as its number (IANA RR types).
    pub qtype: u16,
    /// What came of it.
    pub outcome: Outcome,
    /// From sending to the answer, in microseconds; `None` without an answer.
    pub rtt_us: Option<u64>,
    /// RCODE with its EDNS part (IANA RCODEs); `None` without an answer.
    pub rcode: Option<u16>,
    /// AA bit of the answer.
    pub authoritative: bool,
    /// TC bit of the answer as it first came.
    pub truncated: bool,
    /// SOA serial where the answer has one.
    pub serial: Option<u32>,
    /// NSID option (RFC 5001), as text where printable, else hexadecimal.
    pub nsid: Option<String>,
    /// Size of the answer in octets.
    pub size_bytes: Option<u32>,
    /// The flag word of the answer's header as it came: QR, OPCODE, AA, TC, RD, RA, Z, AD, CD, RCODE (RFC 1035 §4.1.1,
    /// RFC 4035 §3). `None` without an answer, and in samples from before it was kept.
    #[serde(default)]
    pub flags: Option<u16>,
    /// Datagrams and connections that the question took: 1 where it was asked once and not retried. `None` in samples
    /// from before it was kept.
    #[serde(default)]
    pub attempts: Option<u16>,
    /// Whether the answer's signatures hold, from the DS at the parent on (RFC 4035 §5); `None` where nobody looked.
    #[serde(default)]
    pub validated: Option<bool>,
    /// When the first of the signatures in the answer section expires (RFC 4034 §3.1.5). `None` where it has none, and in samples from
    /// before it was kept.
    #[serde(default)]
    pub signature_expiration: Option<Timestamp>,
}

impl Sample {
    /// The family of the server's address.
    pub fn family(&self) -> Family {
        Family::of(self.address)
    }
}

/// One record of an answer, in presentation form, in the words of the Passive DNS Common Output Format
/// (draft-dulaunoy-dnsop-passive-dns-cof).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerRecord {
    /// Owner name.
    pub rrname: Name,
    /// Type, as its mnemonic or `TYPE65280`.
    pub rrtype: String,
    /// Time to live, in seconds.
    pub ttl_secs: u32,
    /// Record data.
    pub rdata: String,
}

/// A sample with what the answer says.
#[derive(Debug, Clone, PartialEq)]
pub struct AnsweredSample {
    /// The sample.
    pub sample: Sample,
    /// Its answer section.
    pub answers: Vec<AnswerRecord>,
    /// Whether some of that section could not be read; what follows that place is missing.
    pub malformed: bool,
}
