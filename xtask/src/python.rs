//! The Python packages with which tests read the lake as others do, in a virtual environment of their own in cargo's target
//! folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::run::is_root;

/// What is installed from PyPI.
const PACKAGES: [&str; 5] = [
    "deltalake==1.6.6",
    "pyarrow==26.0.1",
    "adbc-driver-flightsql==1.13.0",
    "adbc-driver-manager==1.13.0",
    "pypdns==2.3.2",
];

/// Which tests need them.
pub const NEEDED_FOR: &str = "reading the lake with Python's deltalake, the ADBC driver of Flight SQL and PyPDNS";

/// The environment: `python` in the target folder, where the test looks for it.
fn environment() -> Option<PathBuf> {
    // This program is TARGET/PROFILE/xtask.
    let program = std::env::current_exe().ok()?;
    Some(program.parent()?.parent()?.join("python"))
}

/// Makes the environment when this is root, unless some Python has the packages already. Says why they are missing still.
pub fn install() -> Result<(), String> {
    let environment = environment().ok_or("this program does not know where it lies")?;
    let python = environment.join("bin/python");
    if has_packages(&python) || has_packages(Path::new("python3")) {
        return Ok(());
    }
    let wanted = PACKAGES.join(" ");
    if !is_root() {
        return Err(format!("no Python here has {wanted}, and only root installs"));
    }
    println!("xtask: installing {wanted} into {}", environment.display());
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&environment))?;
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(PACKAGES))?;
    if has_packages(&python) {
        Ok(())
    } else {
        Err(format!("{} does not import {wanted}", python.display()))
    }
}

fn has_packages(python: &Path) -> bool {
    let import = Command::new(python)
        .args(["-c", "import deltalake, pyarrow, adbc_driver_flightsql, pypdns"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    import.is_ok_and(|status| status.success())
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("could not start {command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    let last = told.trim().lines().last().unwrap_or_default();
    Err(format!("{command:?} ended with {}: {last}", output.status))
}
