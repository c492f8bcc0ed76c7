//! `cargo xtask test`: every check of the project, and what was left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
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

    /// Takes out the tests that passed because they left themselves out, by the lines that `testkit::program` notes of them:
    /// the binary, the test and the reason between tabs. Returns what to tell of each.
    fn skip(&mut self, notes: &str) -> BTreeSet<String> {
        let mut reasons = BTreeMap::new();
        for note in notes.lines() {
            let mut parts = note.splitn(3, '\t');
            if let (Some(binary), Some(test), Some(reason)) = (parts.next(), parts.next(), parts.next()) {
                reasons.insert((binary, test), reason);
            }
        }
        let skipped = u64::try_from(reasons.len()).unwrap_or(u64::MAX).min(self.passed);
        self.passed -= skipped;
        self.ignored += skipped;
        let told = reasons.iter().map(|((_, test), reason)| format!("{test}: {reason}"));
        told.collect()
    }
}

/// A file for the notes of tests that leave themselves out, empty; `None` where there is no room for one.
fn notes_file() -> Option<PathBuf> {
    let file = std::env::temp_dir().join(format!("dnscert-left-out.{}", std::process::id()));
    match std::fs::write(&file, "") {
        Ok(()) => Some(file),
        Err(error) => {
            eprintln!("xtask: `{}` cannot be written: {error}", file.display());
            None
        }
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
    let Some(notes) = notes_file() else {
        return ExitCode::FAILURE;
    };
    command.env("DNSCERT_TEST_LEFT_OUT", &notes);
    let mut good = watched(command, |line| counts.add(line));
    if !good && counts.failed == 0 {
        counts.failed = 1;
    }
    for told in counts.skip(&std::fs::read_to_string(&notes).unwrap_or_default()) {
        eprintln!("xtask: left out: {told}");
    }
    let _ = std::fs::remove_file(&notes);

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
    fn a_test_that_left_itself_out_is_skipped_and_not_passed() {
        let mut counts = Counts::default();
        counts.add("test result: ok. 10 passed; 0 failed; 0 ignored");
        // a test may say so twice, and two binaries may have tests of one name
        let told = counts.skip("/t/a\tone::test\tno server\n/t/a\tone::test\tno server\n/t/b\tone::test\tno kit\n");
        assert_eq!((counts.passed, counts.failed, counts.ignored), (8, 0, 2));
        assert_eq!(told.len(), 2);
        assert!(told.contains("one::test: no kit"));
        counts.skip("");
        assert_eq!(counts.passed, 8);
    }

    #[test]
    fn the_result_lines_of_all_binaries_are_summed() {
        let mut counts = Counts::default();
        counts.add("test result: ok. 10 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.05s");
        counts.add("test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out");
        counts.add("running 3 tests");
        assert_eq!((counts.passed, counts.failed, counts.ignored), (12, 3, 1));
    }
}
