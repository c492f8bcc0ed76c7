//! Benchmarks: us and the peers on the same work, in one run, as a ratio.
//!
//! Each runs inside a network namespace of its own, so that no traffic leaves and any port is free.

mod check;
mod sweep;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::packages::{self, Package};
use crate::run::{cargo, is_root, watched, workspace};

pub use check::PEERS as CHECK_PEERS;
pub use sweep::PEERS as SWEEP_PEERS;

/// Marks the process that has the namespace for itself.
const INSIDE: &str = "XTASK_BENCH_NAMESPACE";

/// Full check of a healthy zone and of one with a dead server, at 0 and 20 ms.
pub fn check() -> ExitCode {
    bench("check", CHECK_PEERS, check::compare)
}

/// One question for each of a million names, put to NSD.
pub fn sweep() -> ExitCode {
    bench("sweep", SWEEP_PEERS, sweep::compare)
}

/// Runs `compare` with a folder for temporary things, in a namespace of its own.
fn bench(name: &str, peers: &'static [Package], compare: fn(&Path) -> Result<(), String>) -> ExitCode {
    if std::env::var_os(INSIDE).is_none() {
        return outside(name, peers);
    }
    let folder = std::env::temp_dir().join(format!("dnscert-bench-{}", std::process::id()));
    let result = run(Command::new("ip").args(["link", "set", "lo", "up"])).and_then(|()| compare(&folder));
    // What is left behind is a few zone files in the folder for temporary things.
    let _ = std::fs::remove_dir_all(&folder);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask bench: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Builds, installs the peers, and starts itself again in a namespace.
fn outside(name: &str, peers: &'static [Package]) -> ExitCode {
    if !is_root() {
        eprintln!("xtask bench: a network namespace needs root");
        return ExitCode::FAILURE;
    }
    let missing = packages::install(peers);
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
        eprintln!("xtask bench: not installed: {}", names.join(" "));
        return ExitCode::FAILURE;
    }
    if !watched(cargo(&["build", "--release", "--package", "dnscert"]), |_| ()) {
        return ExitCode::FAILURE;
    }
    let Ok(own) = std::env::current_exe() else {
        return ExitCode::FAILURE;
    };
    let mut again = Command::new("unshare");
    again
        .args(["--net", "--mount"])
        .arg(own)
        .args(["bench", name])
        .env(INSIDE, "1");
    if watched(again, |_| ()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?} ended with {status}")),
        Err(error) => Err(format!("could not start {command:?}: {error}")),
    }
}

/// The release binary, where cargo puts it.
fn binary() -> Result<PathBuf, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
    let path = target.join("release/dnscert");
    if path.is_file() {
        Ok(path)
    } else {
        Err(format!("there is no `{}`", path.display()))
    }
}
