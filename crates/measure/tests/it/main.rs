//! Tests of the crate against name servers in the lab and scripted ones.

#![expect(
    clippy::unwrap_used,
    reason = "these are tests, and clippy takes only their #[test] functions for such"
)]

mod address;
mod arguments;
mod authority;
mod case_in_lab;
mod chain;
mod connectivity_origin;
mod dnssec;
mod dnssec_more;
mod dnsviz_table;
mod edns;
mod explained;
mod false_resolver;
mod hostile;
#[cfg(target_os = "linux")]
mod name_servers;
mod offline;
mod parsers;
mod plan;
#[cfg(target_os = "linux")]
mod resolver;
mod scenarios;
mod scripted;
mod servers;
mod sharing;
mod signed_zone;
mod small_world;
mod sweep;
mod transfer;
mod transport;
mod verify;
mod zone;
