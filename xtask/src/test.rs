//! `cargo xtask test`: every check of the project, and what was left out.

use std::process::ExitCode;

use crate::run::{cargo, watched};
use crate::{conformance, packages, python};

/// How much must run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// What the installed programs allow; the rest is named.
    WhatIsHere,
    /// Everything; a missing program is a failure.
    All,
}

/// Sums over all test binaries.
#[derive(Default)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Counts {
    /// Adds a line of the form `test result: ok. 10 passed; 0 failed; 0 ignored; …`.
    fn add(&mut self, line: &str) {
        let Some(rest) = line.trim().strip_prefix("test result: ") else {
            return;
        };
        let number_before = |word: &str| {
            rest.split([';', '.'])
                .find_map(|part| part.trim().strip_suffix(word))
                .and_then(|number| number.trim().parse().ok())
                .unwrap_or(0)
        };
        self.passed += number_before(" passed");
        self.failed += number_before(" failed");
        self.ignored += number_before(" ignored");
    }
}

/// Installs what is missing where it can, runs all tests, and closes with the counts.
pub fn run(scope: Scope) -> ExitCode {
    let missing = packages::install(packages::PACKAGES);
    if !missing.is_empty() {
        eprintln!("xtask: these Debian packages are not installed, so some tests are left out:");
        for package in &missing {
            eprintln!("  {:20} for {}", package.name, package.needed_for);
        }
        let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
        eprintln!("  apt-get install {}", names.join(" "));
        if scope == Scope::All {
            println!("0 passed, {} failed", missing.len());
            return ExitCode::FAILURE;
        }
    }

    if let Err(reason) = python::install() {
        eprintln!("xtask: {} is left out: {reason}", python::NEEDED_FOR);
        if scope == Scope::All {
            println!("0 passed, 1 failed");
            return ExitCode::FAILURE;
        }
    }

    let mut counts = Counts::default();
    let mut command = cargo(&["test", "--workspace", "--no-fail-fast", "--quiet"]);
    if scope == Scope::All {
        command.env("DNSCERT_TEST_ALL", "1");
    }
    let mut good = watched(command, |line| counts.add(line));
    if !good && counts.failed == 0 {
        counts.failed = 1;
    }

    match conformance::run() {
        conformance::Score::Reached { passed } => counts.passed += passed,
        conformance::Score::Missed { passed, failed } => {
            counts.passed += passed;
            counts.failed += failed;
            good = false;
        }
        conformance::Score::LeftOut(reason) => {
            eprintln!("xtask: the conformance scenarios were left out: {reason}");
            counts.ignored += 1;
        }
    }

    println!(
        "{} passed, {} failed, {} skipped",
        counts.passed, counts.failed, counts.ignored
    );
    if good && counts.failed == 0 && counts.passed > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_lines_of_all_binaries_are_summed() {
        let mut counts = Counts::default();
        counts.add("test result: ok. 10 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.05s");
        counts.add("test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out");
        counts.add("running 3 tests");
        assert_eq!((counts.passed, counts.failed, counts.ignored), (12, 3, 1));
    }
}
