//! Figures of DNS traffic, minute by minute. No address of a client is in them.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Transport;

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
