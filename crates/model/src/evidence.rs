//! What a server said of names that it may not speak for: evidence of its own kind, never passive DNS (RFC 5452 §6).

use std::net::IpAddr;

use domain::base::iana::Rtype;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Name;

/// Why an RRset is evidence and no knowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutReason {
    /// It lies outside of every zone that the server could speak for here.
    Outside,
    /// The response claims a zone that holds it, but nothing shows that the server serves that zone.
    NotProven,
}

impl OutReason {
    /// `outside` or `not_proven`.
    pub fn as_str(self) -> &'static str {
        match self {
            OutReason::Outside => "outside",
            OutReason::NotProven => "not_proven",
        }
    }
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
    /// The data, as in [`PassiveRrset::rdata`](crate::PassiveRrset::rdata).
    pub rdata: Vec<Vec<u8>>,
    /// First said; whole seconds.
    pub first: Timestamp,
    /// Last said; whole seconds.
    pub last: Timestamp,
    /// How many responses said it.
    pub count: u64,
}
