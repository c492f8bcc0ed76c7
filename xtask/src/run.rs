//! Starting other programs.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The folder of the workspace.
pub fn workspace() -> PathBuf {
    // as cargo says now: a binary that another checkout with the same target folder built would else work there
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let manifest = PathBuf::from(manifest);
    manifest.parent().map(PathBuf::from).unwrap_or(manifest)
}

/// `cargo` with these arguments, in the workspace.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(workspace());
    command
}

/// Runs `command`, lets its output through, and hands each line of standard output to `line`.
///
/// Returns whether it ended well; a program that cannot be started counts as a failure and is named.
pub fn watched(mut command: Command, mut line: impl FnMut(&str)) -> bool {
    let mut child = match command.stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("xtask: could not start {command:?}: {error}");
            return false;
        }
    };
    if let Some(output) = child.stdout.take() {
        for text in BufReader::new(output).lines().map_while(Result::ok) {
            println!("{text}");
            line(&text);
        }
    }
    child.wait().is_ok_and(|status| status.success())
}

/// Whether `program` is on the search path or in the folders where Debian keeps servers.
pub fn is_installed(program: &str) -> bool {
    if program.starts_with('/') {
        return PathBuf::from(program).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from))
        .any(|folder| folder.join(program).is_file())
}

/// Whether this process runs as root (its effective user id, as the kernel tells it).
pub fn is_root() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        status
            .lines()
            .find_map(|line| line.strip_prefix("Uid:"))
            .and_then(|ids| ids.split_whitespace().nth(1))
            .is_some_and(|effective| effective == "0")
    })
}
