//! Benchmarks: us and the peers on the same work, in one run, as a ratio.
//!
//! Each runs inside a network namespace of its own, so that no traffic leaves and any port is free.

mod check;
mod compact;
mod ingest;
mod lab;
mod lookup;
mod mtbl;
mod sweep;
mod zones;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use crate::packages::{self, Package};
use crate::run::{cargo, is_root, watched, workspace};

pub use check::PEERS as CHECK_PEERS;
pub use ingest::PEERS as INGEST_PEERS;
pub use sweep::PEERS as SWEEP_PEERS;

/// Marks the process that has the namespace for itself.
const INSIDE: &str = "XTASK_BENCH_NAMESPACE";

/// Full check of a healthy zone and of one with a dead server, at 0 and 20 ms.
pub fn check() -> ExitCode {
    bench("check", CHECK_PEERS, check::compare)
}

/// A thousand zones in one run, and zones with very many and very silent servers.
pub fn zones() -> ExitCode {
    bench("zones", CHECK_PEERS, zones::compare)
}

/// One question for each of a million names, put to NSD.
pub fn sweep() -> ExitCode {
    bench("sweep", SWEEP_PEERS, sweep::compare)
}

/// A capture to stored observations.
pub fn ingest() -> ExitCode {
    bench("ingest", INGEST_PEERS, ingest::compare)
}

/// Look-ups in passive DNS of so many RRsets.
pub fn lookup(rrsets: Option<&str>) -> ExitCode {
    bench_of_lake("lookup", &[lookup::PEERS, mtbl::PACKAGES], |ours, folder| {
        lookup::compare(ours, folder, rrsets.unwrap_or(lookup::RRSETS))
    })
}

/// Runs of so many RRsets made one.
pub fn compact(rrsets: Option<&str>) -> ExitCode {
    bench_of_lake("compact", &[mtbl::PACKAGES], |ours, folder| {
        compact::compare(ours, folder, rrsets.unwrap_or(compact::RRSETS))
    })
}

/// Runs `compare` with a folder for temporary things, in a namespace of its own.
fn bench(name: &str, peers: &'static [Package], compare: fn(&Path) -> Result<(), String>) -> ExitCode {
    if std::env::var_os(INSIDE).is_none() {
        return outside(name, peers);
    }
    in_folder(|folder| {
        run(Command::new("ip").args(["link", "set", "lo", "up"]))?;
        compare(folder)
    })
}

/// Runs `compare` with an example of the lake, which is built, and a folder for temporary things.
fn bench_of_lake(
    example: &str,
    peers: &[&'static [Package]],
    compare: impl FnOnce(&Path, &Path) -> Result<(), String>,
) -> ExitCode {
    if is_root() && !are_installed(peers) {
        return ExitCode::FAILURE;
    }
    if !watched(
        cargo(&["build", "--release", "--package", "lake", "--example", example]),
        |_| (),
    ) {
        return ExitCode::FAILURE;
    }
    let program = target().join("release/examples").join(example);
    in_folder(|folder| compare(&program, folder))
}

/// Makes a folder for temporary things, takes it away afterwards, and tells what went wrong.
fn in_folder(compare: impl FnOnce(&Path) -> Result<(), String>) -> ExitCode {
    let folder = std::env::temp_dir().join(format!("dnscert-bench-{}", std::process::id()));
    let made = std::fs::create_dir_all(&folder);
    let made = made.map_err(|error| format!("could not make `{}`: {error}", folder.display()));
    let result = made.and_then(|()| compare(&folder));
    // what is left behind is in the folder for temporary things
    let _ = std::fs::remove_dir_all(&folder);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask bench: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Installs packages, and says which are not to be had.
fn are_installed(peers: &[&'static [Package]]) -> bool {
    let missing: Vec<&str> = peers
        .iter()
        .flat_map(|peers| packages::install(peers))
        .map(|package| package.name)
        .collect();
    if !missing.is_empty() {
        eprintln!("xtask bench: not installed: {}", missing.join(" "));
    }
    missing.is_empty()
}

/// Builds, installs the peers, and starts itself again in a namespace.
fn outside(name: &str, peers: &'static [Package]) -> ExitCode {
    if !is_root() {
        eprintln!("xtask bench: a network namespace needs root");
        return ExitCode::FAILURE;
    }
    if !are_installed(&[peers]) {
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
        .args(std::env::args().skip(3))
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

/// Where cargo puts what it builds.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

/// The release binary.
fn binary() -> Result<PathBuf, String> {
    let path = target().join("release/dnscert");
    if path.is_file() {
        Ok(path)
    } else {
        Err(format!("there is no `{}`", path.display()))
    }
}

/// What came of a program that was watched to its end.
struct Watched {
    status: ExitStatus,
    seconds: f64,
    /// Time of processors that it took, its own and the system's for it, as last seen while it ran.
    cpu_seconds: f64,
    /// Most memory that it used, in MB.
    peak_mb: f64,
}

/// Runs a program and looks at its memory all the while.
fn watch(command: &mut Command) -> Result<Watched, String> {
    let begun = Instant::now();
    let mut child = command
        .spawn()
        .map_err(|error| format!("could not start {command:?}: {error}"))?;
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let stat = PathBuf::from(format!("/proc/{}/stat", child.id()));
    let (mut peak_mb, mut cpu_seconds) = (0.0_f64, 0.0_f64);
    let status = loop {
        match child.try_wait() {
            Ok(Some(ended)) => break ended,
            Ok(None) => {
                peak_mb = peak_mb.max(peak_of(&status));
                cpu_seconds = cpu_seconds.max(cpu_of(&stat));
            }
            Err(error) => return Err(format!("could not wait for {command:?}: {error}")),
        }
        pause();
    };
    Ok(Watched {
        status,
        seconds: begun.elapsed().as_secs_f64(),
        cpu_seconds,
        peak_mb,
    })
}

/// Time of processors that a process has taken so far, in seconds: fields 14 and 15 of its `stat`, in hundredths (proc(5)).
fn cpu_of(stat: &Path) -> f64 {
    let text = std::fs::read_to_string(stat).unwrap_or_default();
    // the name of the program, in brackets, may hold blanks
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Most memory that a process has used so far, in MB.
fn peak_of(status: &Path) -> f64 {
    let text = std::fs::read_to_string(status).unwrap_or_default();
    let kilobytes = text.lines().find_map(|line| {
        line.strip_prefix("VmHWM:")?
            .split_whitespace()
            .next()?
            .parse::<f64>()
            .ok()
    });
    kilobytes.unwrap_or(0.0) / 1000.0
}

fn pause() {
    #[expect(clippy::disallowed_methods, reason = "what is waited for is another program")]
    std::thread::sleep(Duration::from_millis(10));
}
