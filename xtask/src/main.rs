//! The chores of the project: `cargo xtask test`, `cargo xtask bench NAME`, `cargo xtask ci`.
//!
//! Plain standard library, so that it builds in a second on a machine that has nothing yet.

mod bench;
mod conformance;
mod packages;
mod python;
mod run;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
Usage:
  cargo xtask test [--all]      every check of the project; with --all nothing may be left out
  cargo xtask bench check       this system beside zonemaster-cli and dnsviz, on the same zones
  cargo xtask bench zones       this system beside zonemaster-cli, on a thousand zones and on hard ones
  cargo xtask bench sweep       this system beside dnsperf, with the same million names against NSD
  cargo xtask bench ingest [N [PCAP]]
                                a capture of N packets (five million), made up or PCAP repeated, beside dnscap and tshark
  cargo xtask bench lookup [N]  look-ups in passive DNS of N RRsets (ten million) beside mtbl and PostgreSQL
  cargo xtask bench compact [N] merging three runs of N RRsets (three million) beside mtbl_merge
  cargo xtask packages          the Debian packages that the tests use, and which are missing
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["test"] => test::run(test::Scope::WhatIsHere),
        ["test", "--all"] => test::run(test::Scope::All),
        ["bench", "check"] => bench::check(),
        ["bench", "zones"] => bench::zones(),
        ["bench", "sweep"] => bench::sweep(),
        ["bench", "ingest", ..] => bench::ingest(),
        ["bench", "lookup"] => bench::lookup(None),
        ["bench", "lookup", rrsets] => bench::lookup(Some(rrsets)),
        ["bench", "compact"] => bench::compact(None),
        ["bench", "compact", rrsets] => bench::compact(Some(rrsets)),
        ["packages"] => packages::report(),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => {
            eprint!("xtask: `{}` is no chore\n{USAGE}", arguments.join(" "));
            ExitCode::from(2)
        }
    }
}
