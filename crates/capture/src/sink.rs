//! What comes out of a capture, and where it goes.

use std::net::IpAddr;

use domain::base::iana::Rtype;
use jiff::Timestamp;
use model::{Name, PassiveRrset, Transport};
use serde::{Deserialize, Serialize};

use crate::message::MalformedReason;

/// What a sink may say when it cannot take something: reading stops, and the error goes to the caller.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// Takes what a capture is reduced to. Everything comes in parts that may be added up: the same RRset, cell or piece of evidence can
/// come again with later times and further counts. No address of a client is in any of it.
pub trait Sink {
    /// An RRset that the answering server may speak for.
    fn rrset(&mut self, rrset: PassiveRrset) -> Result<(), SinkError>;

    /// An RRset that it may not speak for, or of which that is not proven.
    fn out_of_bailiwick(&mut self, evidence: OutOfBailiwick) -> Result<(), SinkError>;

    /// Figures of the traffic of one minute.
    fn traffic(&mut self, cell: TrafficCell) -> Result<(), SinkError>;

    /// Octets on a DNS port that are no DNS message.
    fn quarantine(&mut self, malformed: Malformed<'_>) -> Result<(), SinkError>;

    /// Called now and then with the octets of the input (as it lies on disk) read so far.
    fn progress(&mut self, _octets_read: u64) {}
}

/// A sink that keeps nothing: for receipts alone.
#[derive(Debug, Default)]
pub struct Discard;

impl Sink for Discard {
    fn rrset(&mut self, _: PassiveRrset) -> Result<(), SinkError> {
        Ok(())
    }

    fn out_of_bailiwick(&mut self, _: OutOfBailiwick) -> Result<(), SinkError> {
        Ok(())
    }

    fn traffic(&mut self, _: TrafficCell) -> Result<(), SinkError> {
        Ok(())
    }

    fn quarantine(&mut self, _: Malformed<'_>) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Why an RRset is evidence and no knowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutReason {
    /// It lies outside of every zone that the server could speak for here.
    Outside,
    /// The response claims a zone that holds it, but nothing shows that the server serves that zone.
    NotProven,
}

/// An RRset that the answering server may not speak for, with when and how often it was said. The same `server`, `zone`, `reason`,
/// `name`, `rtype` and `rdata` are one, with the earlier `first`, the later `last` and the sum of `count`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfBailiwick {
    /// Who said so.
    pub server: IpAddr,
    /// The zone at or above the question that it is known to serve; `None` where nothing was known of it.
    pub zone: Option<Name>,
    /// Why it is not believed.
    pub reason: OutReason,
    /// The question that it was said to, the first time.
    pub question: Name,
    /// The owner name.
    pub name: Name,
    /// The type.
    pub rtype: Rtype,
    /// The data, as in [`PassiveRrset::rdata`].
    pub rdata: Vec<Vec<u8>>,
    /// First said; whole seconds.
    pub first: Timestamp,
    /// Last said; whole seconds.
    pub last: Timestamp,
    /// How many responses said it.
    pub count: u64,
}

/// What the traffic of a cell has in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TrafficKey {
    /// The server's address.
    pub server: IpAddr,
    /// The server's port.
    pub port: u16,
    /// How it travelled.
    pub transport: Transport,
    /// Type of the question (IANA RR types); `None` where there was no question.
    pub qtype: Option<u16>,
    /// RCODE with its EDNS part; `None` where no response came.
    pub rcode: Option<u16>,
    /// TC bit of the response.
    pub truncated: bool,
    /// AA bit of the response.
    pub authoritative: bool,
    /// DO bit of the query, or of the response where there was no query.
    pub dnssec_ok: bool,
}

/// Sums over the traffic of a cell. Cells of one minute and key add up, `response_octets_max` by the larger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficCounts {
    /// Queries.
    pub queries: u64,
    /// Responses that belong to a query.
    pub matched: u64,
    /// Further responses to a query that was answered.
    pub duplicates: u64,
    /// Responses with another id than the outstanding queries of the same question between the same ports.
    pub wrong_id: u64,
    /// Responses to another port than the outstanding queries of the same question.
    pub wrong_port: u64,
    /// Responses that nobody asked for.
    pub no_query: u64,
    /// Octets of the queries' messages.
    pub query_octets: u64,
    /// Octets of all responses' messages.
    pub response_octets: u64,
    /// Octets of the largest response.
    pub response_octets_max: u32,
    /// Microseconds between query and matched response, summed.
    pub delay_us: u64,
}

impl TrafficCounts {
    /// Adds the sums of another part of the same cell.
    pub fn add(&mut self, other: &Self) {
        self.queries += other.queries;
        self.matched += other.matched;
        self.duplicates += other.duplicates;
        self.wrong_id += other.wrong_id;
        self.wrong_port += other.wrong_port;
        self.no_query += other.no_query;
        self.query_octets += other.query_octets;
        self.response_octets += other.response_octets;
        self.response_octets_max = self.response_octets_max.max(other.response_octets_max);
        self.delay_us += other.delay_us;
    }
}

/// The traffic of one minute with one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficCell {
    /// The minute in which the query came, or the response where there was no query.
    pub minute: Timestamp,
    /// What it has in common; `None` for what found no cell, because there were too many.
    pub key: Option<TrafficKey>,
    /// How much.
    pub counts: TrafficCounts,
}

/// Octets that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed<'a> {
    /// Name of the input.
    pub input: &'a str,
    /// Number of the packet in it, from 1, as other tools count.
    pub packet: u64,
    /// When it was captured.
    pub time: Timestamp,
    /// What is wrong.
    pub reason: MalformedReason,
    /// The message, without the addresses it travelled between.
    pub octets: &'a [u8],
}
