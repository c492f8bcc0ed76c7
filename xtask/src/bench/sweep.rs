//! `bench sweep` serves a zone of a million names with NSD and lets `dnscert sweep` and `dnsperf` ask for all of them, in turn.
//!
//! dnsperf measures what the server and the machine can do: it keeps nothing of the answers. Ours writes a line for each
//! into a file, and is measured from its start to its end.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{binary, pause, run, watch};
use crate::packages::Package;
use crate::run::is_installed;

/// Whom we are compared with, and what the comparison needs.
pub const PEERS: &[Package] = &[
    Package {
        name: "nsd",
        program: "nsd",
        needed_for: "bench sweep",
    },
    Package {
        name: "dnsperf",
        program: "dnsperf",
        needed_for: "bench sweep",
    },
    Package {
        name: "iproute2",
        program: "ip",
        needed_for: "bench sweep",
    },
];

/// Names in the zone, and asked for.
const NAMES: usize = 1_000_000;
/// Runs of each tool, in turn; the fastest counts, so that a busy machine harms nobody.
const RUNS: usize = 3;
/// Where NSD listens.
const SERVER: &str = "127.0.0.1";
const PORT: &str = "5300";
/// How long NSD may take to load the zone.
const PATIENCE: Duration = Duration::from_secs(180);

/// dnsperf as it is by default, and with what gets more out of two processors.
const DNSPERF: [&[&str]; 2] = [&[], &["-T", "2", "-c", "8"]];

/// Prints names per second of both, the ratio, and our peak memory.
pub fn compare(folder: &Path) -> Result<(), String> {
    let ours = binary()?;
    write_world(folder)?;
    let _server = Nsd::start(folder)?;
    println!("{NAMES} names, NSD on loopback, {RUNS} runs in turn");
    println!(
        "{:>14} {:>14} {:>8} {:>10} {:>14}",
        "dnscert", "dnsperf", "ratio", "peak MB", "unanswered"
    );
    let (mut best_ours, mut best_theirs, mut peak) = (0.0_f64, 0.0_f64, 0.0_f64);
    for _ in 0..RUNS {
        let swept = sweep(&ours, folder)?;
        let theirs = DNSPERF.iter().map(|options| dnsperf(folder, options));
        let theirs = theirs.collect::<Result<Vec<f64>, _>>()?.into_iter().fold(0.0, f64::max);
        println!(
            "{:>12.0}/s {theirs:>12.0}/s {:>8.2} {:>10.1} {:>14}",
            swept.rate,
            swept.rate / theirs,
            swept.peak_mb,
            swept.unanswered
        );
        best_ours = best_ours.max(swept.rate);
        best_theirs = best_theirs.max(theirs);
        peak = peak.max(swept.peak_mb);
    }
    println!(
        "best: dnscert {best_ours:.0}/s, dnsperf {best_theirs:.0}/s, ratio {:.2}, peak {peak:.1} MB",
        best_ours / best_theirs
    );
    if !is_installed("massdns") {
        println!("massdns is left out: Debian has no package of it");
    }
    Ok(())
}

/// One run of ours.
struct Swept {
    /// Names per second.
    rate: f64,
    peak_mb: f64,
    /// Names without an answer.
    unanswered: usize,
}

fn sweep(ours: &Path, folder: &Path) -> Result<Swept, String> {
    let output = folder.join("swept.ndjson");
    let mut command = Command::new(ours);
    command
        .args(["sweep", "--server", &format!("{SERVER}:{PORT}"), "--names"])
        .arg(folder.join("names"))
        .arg("--output")
        .arg(&output)
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let watched = watch(&mut command)?;
    // 1 is some names unanswered, which is told of
    if !matches!(watched.status.code(), Some(0 | 1)) {
        return Err(format!("{command:?} ended with {}", watched.status));
    }
    let file = File::open(&output).map_err(|error| format!("could not read `{}`: {error}", output.display()))?;
    let (mut lines, mut answered) = (0, 0);
    for line in BufReader::new(file).lines().map_while(Result::ok) {
        lines += 1;
        answered += usize::from(line.contains("\"rcode\":\"NOERROR\"") && line.contains("\"rdata\":\"192.0.2."));
    }
    if lines != NAMES {
        return Err(format!("`{}` has {lines} lines for {NAMES} names", output.display()));
    }
    Ok(Swept {
        rate: NAMES as f64 / watched.seconds,
        peak_mb: watched.peak_mb,
        unanswered: lines - answered,
    })
}

/// Questions per second, as dnsperf says.
fn dnsperf(folder: &Path, options: &[&str]) -> Result<f64, String> {
    let mut command = Command::new("dnsperf");
    command
        .args(["-s", SERVER, "-p", PORT, "-n", "1", "-d"])
        .arg(folder.join("questions"))
        .args(options)
        .stdin(Stdio::null());
    let output = command
        .output()
        .map_err(|error| format!("could not start {command:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let rate = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("Queries per second:"));
    rate.and_then(|rate| rate.trim().parse().ok())
        .ok_or_else(|| format!("{command:?} told no rate:\n{text}"))
}

/// NSD, until dropped.
struct Nsd(Child);

impl Nsd {
    fn start(folder: &Path) -> Result<Self, String> {
        let child = Command::new("/usr/sbin/nsd")
            .args(["-d", "-c"])
            .arg(folder.join("nsd.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("could not start NSD: {error}"))?;
        let mut server = Self(child);
        let until = Instant::now() + PATIENCE;
        while !is_answered() {
            if Instant::now() > until || !matches!(server.0.try_wait(), Ok(None)) {
                return Err("NSD does not answer".to_owned());
            }
            pause();
        }
        Ok(server)
    }
}

impl Drop for Nsd {
    fn drop(&mut self) {
        // it ends its own children when it is asked to, and not when it is killed
        let _ = run(Command::new("kill").arg(self.0.id().to_string()));
        let _ = self.0.wait();
    }
}

/// Whether the server knows the last name of the zone.
fn is_answered() -> bool {
    let ask = || -> std::io::Result<bool> {
        let socket = UdpSocket::bind((SERVER, 0))?;
        socket.connect(format!("{SERVER}:{PORT}"))?;
        socket.set_read_timeout(Some(Duration::from_millis(200)))?;
        let mut question = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name(NAMES - 1).split('.') {
            question.push(label.len() as u8);
            question.extend(label.as_bytes());
        }
        question.extend([0, 0, 1, 0, 1]);
        socket.send(&question)?;
        let mut answer = [0; 512];
        let size = socket.recv(&mut answer)?;
        Ok(size > 12 && answer[3] & 0x0f == 0 && answer[7] == 1)
    };
    ask().unwrap_or(false)
}

fn name(number: usize) -> String {
    format!("n{number:07}.bench.test")
}

/// A zone of many names, NSD's configuration for it, and the names for either tool.
fn write_world(folder: &Path) -> Result<(), String> {
    let mut zone =
        String::from("$TTL 3600\n@ SOA ns1 hostmaster 2026110101 14400 3600 1209600 300\n@ NS ns1\nns1 A 127.0.0.1\n");
    let (mut names, mut questions) = (String::new(), String::new());
    for number in 0..NAMES {
        let name = name(number);
        // writing to a String cannot fail
        let _ = writeln!(zone, "{name}. A 192.0.2.{}", number % 250);
        let _ = writeln!(names, "{name}");
        let _ = writeln!(questions, "{name} A");
    }
    let shown = folder.display();
    let configuration = format!(
        "server:\n  ip-address: {SERVER}@{PORT}\n  username: \"\"\n  chroot: \"\"\n  zonesdir: \"{shown}\"\n  database: \"\"\n  \
         pidfile: \"{shown}/pid\"\n  xfrdfile: \"{shown}/xfrd\"\n  zonelistfile: \"{shown}/list\"\n  xfrdir: \"{shown}\"\n  \
         server-count: 1\nremote-control:\n  control-enable: no\nzone:\n  name: \"bench.test.\"\n  zonefile: \"bench.zone\"\n"
    );
    fs::create_dir_all(folder).map_err(|error| format!("could not make `{shown}`: {error}"))?;
    for (name, text) in [
        ("bench.zone", zone),
        ("names", names),
        ("questions", questions),
        ("nsd.conf", configuration),
    ] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| format!("could not write `{}`: {error}", path.display()))?;
    }
    Ok(())
}
