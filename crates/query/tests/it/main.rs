//! SQL over a small made-up lake: what it answers, what it refuses, and where it stops.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should fail at once")]

mod cluster;
mod documented;
mod flight;
mod formats;
mod limits;
mod program;
mod pruning;
mod statements;
mod story;
mod views;
