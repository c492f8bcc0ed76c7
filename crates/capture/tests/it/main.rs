//! The room from outside: captures that are made here, and, where they are at hand, real ones.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should fail at once")]

mod bailiwick;
mod cdns;
mod connection;
mod dnstap;
mod files;
mod fragments;
mod hostile;
mod lines;
mod links;
mod live;
mod packets;
mod pairing;
mod real;
mod tcp;
mod traffic;
