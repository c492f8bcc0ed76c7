//! The team's records and rules: directory, intake, alerts, cases, requests, notices, accounts, audit, jobs.
//!
//! One folder per noun: its rules, its rows, its tables (`migration.rs`). The only room that knows SQL. An action takes the
//! records and an actor, owns its transaction, and writes what it changed to the audit chain and what has to follow to
//! the job queue in the same transaction. It speaks neither HTTP nor DNS.

pub mod accounts;
pub mod audit;
pub mod directory;
#[cfg(test)]
mod drawing;
pub mod error;
pub mod jobs;
pub mod lead;
pub mod records;
pub mod statement;
pub mod vantage;
pub mod watch;
mod word;

// The ways of a case.
pub mod alerts;
pub mod cases;
pub mod intake;
pub mod links;
pub mod mailbox;
pub mod notices;
pub mod requests;

pub use error::Error;
pub use records::{Actor, Change, Records, Tables};
pub use statement::{Statement, told};
