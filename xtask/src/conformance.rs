//! The public scenarios of broken zones, where a conformance kit lies beside the checkout.
//!
//! The kit is not ours and is not copied: `DNSCERT_CONFORMANCE` names its folder, else `../shared/conformance` is
//! looked at. It brings its own name server and needs root for a network namespace.

use std::path::PathBuf;
use std::process::Command;

use crate::run::{is_root, watched, workspace};

/// Share of scenarios that must pass, in percent. Lower would let a broken case through; 100 would make five
/// scenarios decide that even their authors' own tool does not meet.
const MINIMUM: &str = "90";

/// What came of it.
pub enum Score {
    /// At least the wanted share passed.
    Reached {
        /// Scenarios passed.
        passed: u64,
    },
    /// Too few passed.
    Missed {
        /// Scenarios passed.
        passed: u64,
        /// Scenarios failed.
        failed: u64,
    },
    /// It could not run, for this reason.
    LeftOut(String),
}

/// Runs the scenarios of our cases against the `dnscert` binary of this workspace.
pub fn run() -> Score {
    let folder = std::env::var_os("DNSCERT_CONFORMANCE")
        .map_or_else(|| workspace().join("../shared/conformance"), PathBuf::from);
    let runner = folder.join("run.py");
    if !runner.is_file() {
        return Score::LeftOut(format!("there is no kit at {}", folder.display()));
    }
    if !is_root() {
        return Score::LeftOut("a network namespace needs root".to_owned());
    }
    let Some(binary) = binary() else {
        eprintln!("xtask: the tests have left no dnscert binary beside this one");
        return Score::Missed { passed: 0, failed: 1 };
    };
    let Some(cases) = cases(&binary) else {
        eprintln!("xtask: `{binary} check --list-tests` does not list the test cases");
        return Score::Missed { passed: 0, failed: 1 };
    };
    let tester = format!("{binary} check {{zone}} --hints {{hints}} --test {{case}} --raw --level debug {{ns}} {{ds}}");
    let mut command = Command::new("/usr/bin/python3");
    command
        .arg(&runner)
        .args(["--cmd", &tester, "--only", &cases, "--min", MINIMUM]);
    let (mut passed, mut failed) = (0, 0);
    let good = watched(command, |line| {
        if let Some((p, f)) = counts(line) {
            (passed, failed) = (p, f);
        }
    });
    if good {
        Score::Reached { passed }
    } else {
        Score::Missed {
            passed,
            failed: failed.max(1),
        }
    }
}

/// The ids of the binary's test cases, separated by commas.
fn cases(binary: &str) -> Option<String> {
    let output = Command::new(binary).args(["check", "--list-tests"]).output().ok()?;
    let listed = String::from_utf8(output.stdout).ok()?;
    let cases: Vec<&str> = listed.lines().collect();
    (output.status.success() && !cases.is_empty()).then(|| cases.join(","))
}

/// The binary that the tests were run with: it lies beside this one.
fn binary() -> Option<String> {
    let binary = std::env::current_exe().ok()?.with_file_name("dnscert");
    binary.is_file().then(|| binary.display().to_string())
}

/// Reads `N passed, M failed`.
fn counts(line: &str) -> Option<(u64, u64)> {
    let (passed, failed) = line.trim().split_once(" passed, ")?;
    Some((passed.parse().ok()?, failed.strip_suffix(" failed")?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_of_the_kit_is_read() {
        assert_eq!(counts("229 passed, 5 failed"), Some((229, 5)));
        assert_eq!(counts("dnssec10          12 of  14      3.0 s"), None);
    }
}
