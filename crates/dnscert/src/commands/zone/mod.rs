//! `dnscert zone`: what zone files say, and how it changes.

mod diff;
mod import;
mod transfer;

use std::process::ExitCode;

use tokio::runtime::Handle;
use zonefile::{Fault, Reading, Snapshot};

use crate::cli::{ZoneCommand, ZoneReadingArgs};

/// Zone files are read and sorted on a thread that may block.
pub async fn run(command: ZoneCommand) -> anyhow::Result<ExitCode> {
    match command {
        ZoneCommand::Diff(arguments) => tokio::task::spawn_blocking(move || diff::run(&arguments)).await?,
        ZoneCommand::Import(arguments) => {
            let runtime = Handle::current();
            tokio::task::spawn_blocking(move || import::run(&arguments, &runtime)).await?
        }
        ZoneCommand::Transfer(arguments) => {
            let runtime = Handle::current();
            tokio::task::spawn_blocking(move || transfer::run(&arguments, &runtime)).await?
        }
    }
}

fn reading(arguments: &ZoneReadingArgs) -> Reading {
    Reading {
        origin: arguments.origin.clone(),
        memory: arguments.memory as usize * (1 << 20),
    }
}

/// Names on standard error what speaks against a file; whether anything does.
fn tell(snapshot: &Snapshot, faults: &[Fault]) -> bool {
    for fault in faults {
        eprintln!("dnscert: `{}`: {fault}", snapshot.path.display());
    }
    !faults.is_empty()
}

/// Says which records were left out.
fn tell_outside(snapshot: &Snapshot) {
    if snapshot.outside > 0 {
        eprintln!(
            "dnscert: `{}`: {} records are not in the zone `{}` and are left out",
            snapshot.path.display(),
            snapshot.outside,
            snapshot.zone
        );
    }
}
