//! The lab as a plain client sees it: sockets and messages, no resolver.

#![expect(
    clippy::unwrap_used,
    reason = "these are tests, and clippy takes only their #[test] functions for such"
)]

mod answers;
mod asker;
mod atlas;
mod control;
mod dnssec;
mod events;
mod faults;
mod features;
mod forged;
mod keys;
mod many;
mod odd;
mod world_files;
