//! `bench check` serves a healthy zone and one with a dead server from the lab, each at 0 and at 20 ms, on port 53, and lets
//! `dnscert check`, `zonemaster-cli` and `dnsviz` test them one after the other.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::lab::Lab;
use super::{binary, run};
use crate::packages::Package;

/// Whom we are compared with, and what the comparison needs.
pub const PEERS: &[Package] = &[
    Package {
        name: "zonemaster-cli",
        program: "zonemaster-cli",
        needed_for: "bench check",
    },
    Package {
        name: "dnsviz",
        program: "dnsviz",
        needed_for: "bench check",
    },
    Package {
        name: "iproute2",
        program: "ip",
        needed_for: "bench check",
    },
];

/// Runs of each tool on each zone; the fastest counts, so that a busy machine harms nobody.
const RUNS: usize = 3;

/// Prints seconds of each tool on each zone, and ratios.
pub fn compare(folder: &Path) -> Result<(), String> {
    let ours = binary()?;
    println!(
        "{:<28} {:>10} {:>16} {:>10} {:>9} {:>9}",
        "seconds, best of 3", "dnscert", "zonemaster-cli", "dnsviz", "x zm", "x dnsviz"
    );
    for latency_ms in [0, 20] {
        for dead in [false, true] {
            let world = folder.join(format!("world-{latency_ms}-{dead}"));
            write_world(&world, latency_ms, dead)?;
            let hints = world.join("root.hints");
            let lab = Lab::start(&ours, &world)?;
            let hints_text = hints.display().to_string();
            let dnscert = best(|| {
                let mut command = Command::new(&ours);
                command.args([
                    "check",
                    "bench.test",
                    "--no-ipv6",
                    "--level",
                    "critical",
                    "--hints",
                    &hints_text,
                ]);
                command
            })?;
            let zonemaster = best(|| {
                let mut command = Command::new("zonemaster-cli");
                command.args([
                    "bench.test",
                    "--no-ipv6",
                    "--level",
                    "CRITICAL",
                    "--raw",
                    "--hints",
                    &hints_text,
                ]);
                command
            })?;
            // dnsviz knows only its own root hints: in this mount namespace they are ours.
            let mut bind = Command::new("mount");
            bind.args(["--bind", &hints_text, "/usr/share/dnsviz/hints/named.root"]);
            run(&mut bind)?;
            let dnsviz = best(|| {
                let mut command = Command::new("sh");
                command.args([
                    "-c",
                    "dnsviz probe -4 -A -a . bench.test 2>/dev/null | dnsviz grok -l error >/dev/null 2>&1; true",
                ]);
                command
            })?;
            run(Command::new("umount").arg("/usr/share/dnsviz/hints/named.root"))?;
            drop(lab);
            let name = format!(
                "{} at {latency_ms} ms",
                if dead { "one server dead" } else { "healthy" }
            );
            println!(
                "{name:<28} {dnscert:>10.3} {zonemaster:>16.3} {dnsviz:>10.3} {:>9.1} {:>9.1}",
                zonemaster / dnscert,
                dnsviz / dnscert
            );
        }
    }
    Ok(())
}

/// Seconds of the fastest of some runs. How a tool judges the zone does not matter here.
fn best(make: impl Fn() -> Command) -> Result<f64, String> {
    let mut fastest = f64::INFINITY;
    for _ in 0..RUNS {
        let mut command = make();
        let begun = Instant::now();
        let output = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(|error| format!("could not start {command:?}: {error}"))?;
        // 0 and 1 are verdicts; anything else is a tool that did not do the work.
        if !matches!(output.code(), Some(0 | 1)) {
            return Err(format!("{command:?} ended with {output}"));
        }
        fastest = fastest.min(begun.elapsed().as_secs_f64());
    }
    Ok(fastest)
}

/// A root, one top-level domain and one zone, two servers each; the second of the zone's may be dead.
fn write_world(folder: &Path, latency_ms: u32, dead: bool) -> Result<(), String> {
    let mut world = String::from("name = \"bench\"\nabout = \"A zone to be measured\"\nseed = 1\n");
    let servers = [
        ("a.root-bench.test", "127.20.0.1", "\".\""),
        ("b.root-bench.test", "127.20.0.2", "\".\""),
        ("ns1.nic.test", "127.20.1.1", "\"test\", \"root-bench.test\""),
        ("ns2.nic.test", "127.20.1.2", "\"test\", \"root-bench.test\""),
        ("ns1.bench.test", "127.20.2.1", "\"bench.test\""),
        ("ns2.bench.test", "127.20.2.2", "\"bench.test\""),
    ];
    for (name, address, zones) in servers {
        world.push_str(&format!(
            "\n[[server]]\nname = \"{name}\"\naddresses = [\"{address}\"]\nzones = [{zones}]\nlatency = \"{latency_ms}ms\"\n"
        ));
        if dead && name == "ns2.bench.test" {
            world.push_str("faults = [{ fault = \"silent\" }]\n");
        }
    }
    for (zone, file) in [
        (".", "root"),
        ("test", "test"),
        ("root-bench.test", "root-bench"),
        ("bench.test", "bench"),
    ] {
        world.push_str(&format!(
            "\n[[zone]]\nname = \"{zone}\"\nfile = \"{file}.zone\"\nsigning = {{}}\n"
        ));
    }
    let soa =
        |primary: &str| format!("$TTL 3600\n@ SOA {primary} hostmaster.nic.test. 2026110101 14400 3600 1209600 3600\n");
    let root = "@ NS a.root-bench.test.\n@ NS b.root-bench.test.\na.root-bench.test. A 127.20.0.1\n\
                b.root-bench.test. A 127.20.0.2\ntest. NS ns1.nic.test.\ntest. NS ns2.nic.test.\n\
                ns1.nic.test. A 127.20.1.1\nns2.nic.test. A 127.20.1.2\n";
    let test = "@ NS ns1.nic\n@ NS ns2.nic\nns1.nic A 127.20.1.1\nns2.nic A 127.20.1.2\n\
                root-bench NS ns1.nic\nroot-bench NS ns2.nic\nbench NS ns1.bench\nbench NS ns2.bench\n\
                ns1.bench A 127.20.2.1\nns2.bench A 127.20.2.2\n";
    let root_bench = "@ NS ns1.nic.test.\n@ NS ns2.nic.test.\na A 127.20.0.1\nb A 127.20.0.2\n";
    let bench =
        "@ NS ns1\n@ NS ns2\nns1 A 127.20.2.1\nns2 A 127.20.2.2\nwww A 127.20.3.1\n@ MX 10 mail\nmail A 127.20.3.2\n";
    let hints = ". 3600000 NS a.root-bench.test.\n. 3600000 NS b.root-bench.test.\n\
                 a.root-bench.test. 3600000 A 127.20.0.1\nb.root-bench.test. 3600000 A 127.20.0.2\n";
    fs::create_dir_all(folder).map_err(|error| format!("could not make `{}`: {error}", folder.display()))?;
    for (name, text) in [
        ("world.toml", world),
        ("root.zone", soa("a.root-bench.test.") + root),
        ("test.zone", soa("ns1.nic.test.") + test),
        ("root-bench.zone", soa("ns1.nic.test.") + root_bench),
        ("bench.zone", soa("ns1.bench.test.") + bench),
        ("root.hints", hints.to_owned()),
    ] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| format!("could not write `{}`: {error}", path.display()))?;
    }
    Ok(())
}
