//! The binary as people run it, against a world of the lab or against real servers.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop at once and say where"
)]

mod browser;
mod centre;
mod cli;
mod demo;
mod hand_over;
mod ingest;
mod ingest_crash;
mod ingest_watch;
mod install;
mod kill;
mod mailbox;
mod many_zones;
mod pdns;
mod portal;
mod probe;
mod publish;
mod real_loop;
mod resilience;
#[cfg(target_os = "linux")]
mod resolver;
#[cfg(target_os = "linux")]
mod sensor;
#[cfg(target_os = "linux")]
mod sensor_interface;
mod sight;
mod sql;
mod sweep;
mod transfer;
mod zone;
