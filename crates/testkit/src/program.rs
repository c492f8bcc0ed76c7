//! Programs of others that a test needs.

use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::bail;

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
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where tests are told that nothing may be left out"
    )]
    let demanded = std::env::var("DNSCERT_TEST_ALL").is_ok_and(|value| value == "1");
    if demanded {
        bail!("{} not installed, and DNSCERT_TEST_ALL demands it", missing.join(", "));
    }
    eprintln!("left out: {} not installed", missing.join(", "));
    Ok(false)
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
