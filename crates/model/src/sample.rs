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
}
