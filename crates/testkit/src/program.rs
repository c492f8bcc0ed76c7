//! Programs of others that a test needs.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::database::all_demanded;
use crate::loopback::wait_until;

/// Whether all these programs are installed. Where one is not, the test is left out with a word on standard error, or
/// fails when `DNSCERT_TEST_ALL=1` demands all tests.
pub fn are_installed(programs: &[&str]) -> anyhow::Result<bool> {
    let missing: Vec<&str> = programs
        .iter()
        .copied()
        .filter(|program| !Path::new(program).exists())
        .collect();
    if missing.is_empty() {
        return Ok(true);
    }
    leave_out(&format!("{} not installed", missing.join(", ")))?;
    Ok(false)
}

/// Says that a test is left out, and why; fails when `DNSCERT_TEST_ALL=1` demands all tests. Call it on the test's own thread,
/// which bears its name.
pub fn leave_out(reason: &str) -> anyhow::Result<()> {
    if all_demanded() {
        bail!("{reason}, and DNSCERT_TEST_ALL demands it");
    }
    note_left_out(reason)
}

/// The same for what a machine may lack even where all tests are demanded: files that are not ours to give.
///
/// The runner of the tests hears nothing of one that passes, so it names a file by `DNSCERT_TEST_LEFT_OUT`: a line is added for
/// each test, with the binary, the test and the reason between tabs.
#[expect(
    clippy::disallowed_methods,
    reason = "the runner of the tests speaks to them by the environment"
)]
pub fn note_left_out(reason: &str) -> anyhow::Result<()> {
    eprintln!("left out: {reason}");
    let Ok(file) = std::env::var("DNSCERT_TEST_LEFT_OUT") else {
        return Ok(());
    };
    let binary = std::env::current_exe().context("asking which test binary this is")?;
    let test = std::thread::current().name().unwrap_or("a thread").to_owned();
    let line = format!("{}\t{test}\t{}\n", binary.display(), reason.replace('\n', " "));
    let opened = OpenOptions::new().append(true).create(true).open(&file);
    opened
        .and_then(|mut opened| opened.write_all(line.as_bytes()))
        .with_context(|| format!("noting in `{file}` that a test is left out"))
}

/// Runs a program to its end. Fails with what it said when it did not end well.
pub(crate) fn run(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| format!("starting `{program}`"))?;
    if !output.status.success() {
        bail!(
            "`{program} {}` failed:\n{}{}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

/// Ends a server with its own children: these end when it is asked to, and not when it is killed.
pub fn stop(child: &mut Option<Child>) {
    if let Some(mut child) = child.take() {
        // It may have ended by itself; then there is nothing to stop.
        let _ = Command::new("kill").arg(child.id().to_string()).status();
        wait_until(Duration::from_secs(5), || !matches!(child.try_wait(), Ok(None)));
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// A Python that imports these modules: the one that `cargo xtask test` puts beside our artefacts, or that of the path.
/// `target_tmpdir` is the test's `CARGO_TARGET_TMPDIR`.
pub fn python(target_tmpdir: &str, modules: &str) -> Option<PathBuf> {
    let target = Path::new(target_tmpdir).parent();
    let ours = target.map(|target| target.join("python/bin/python"));
    let imports = |python: &PathBuf| {
        let check = Command::new(python)
            .args(["-c", &format!("import {modules}")])
            .stderr(Stdio::null())
            .status();
        check.is_ok_and(|status| status.success())
    };
    ours.into_iter().chain([PathBuf::from("python3")]).find(imports)
}
