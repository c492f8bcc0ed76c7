//! What can be chosen, each with where its default comes from.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use model::Name;

use crate::clients::Clients;
use crate::distinct::Distincts;

/// How captures are read.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Ports on which DNS is spoken, UDP and TCP.
    pub ports: Vec<u16>,
    /// How long a response is awaited, in capture time: 5 s, as dns-stats `compactor` does by default. Less: slow answers count as
    /// unanswered. More: memory, and answers to a later query with the same id are taken for the earlier one's.
    pub query_timeout: Duration,
    /// How much a response may come before its query: 10 µs, as `compactor` has it. Interfaces with several queues hand packets over
    /// out of order. More: a forged answer sent just before the query would pass.
    pub skew: Duration,
    /// Queries outstanding at once. 500,000 are 100,000 per second for the timeout, and take about 150 MB. Those above are counted
    /// as dropped and not paired.
    pub most_queries: usize,
    /// RRsets and pieces of evidence merged in memory before they go to the sink. More: fewer parts, more memory.
    pub most_rrsets: usize,
    /// Cells of traffic held at once, half of them with a zone at most; what finds none goes to the one without the zone, or to the cell
    /// without a key. The `max-cells` of dsc is per dataset and
    /// minute.
    pub most_cells: usize,
    /// Malformed messages of one input that go to the sink; the rest is counted. A flood of garbage would fill the disk otherwise.
    pub most_quarantined: u64,
    /// Octets of malformed messages of one input that go to the sink. TCP allows 65,535 for each: their number alone is no bound.
    pub most_quarantined_octets: u64,
    /// Whether clients and names are counted, and how; `None`: they are not.
    pub distincts: Option<Distincts>,
    /// Whether those who ask most are told, and how; `None`: no client is.
    pub clients: Option<Clients>,
    /// The time of malformed lines before the first line that tells one: when the input was written, or is read.
    pub time_of_lines: Timestamp,
    /// Zones and the addresses that serve them, as known from elsewhere: root hints, a root zone, one's own servers.
    pub served: Vec<(Name, IpAddr)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ports: vec![53],
            query_timeout: Duration::from_secs(5),
            skew: Duration::from_micros(10),
            most_queries: 500_000,
            most_rrsets: 262_144,
            most_cells: 10_000,
            most_quarantined: 10_000,
            most_quarantined_octets: 16 << 20,
            distincts: None,
            clients: None,
            time_of_lines: Timestamp::UNIX_EPOCH,
            served: Vec::new(),
        }
    }
}
