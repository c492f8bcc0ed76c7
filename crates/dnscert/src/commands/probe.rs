//! `dnscert probe`: measures for a centre from here.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use model::SystemClock;
use tokio_util::sync::CancellationToken;

use crate::cli::{ProbeArgs, WayArgs};
use crate::hand_over::Settings;
use crate::probe;

/// Runs until told to stop.
pub async fn run(arguments: ProbeArgs) -> anyhow::Result<ExitCode> {
    let told_to_stop = super::told_to_stop();
    let settings = way(arguments.way)?;
    let stop = CancellationToken::new();
    let running = probe::run(settings, Arc::new(SystemClock), stop.clone());
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => ended?,
        () = told_to_stop => {
            stop.cancel();
            running.await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The way to the centre, with the files that it takes.
pub(super) fn way(arguments: WayArgs) -> anyhow::Result<Settings> {
    let shown = arguments.token.display().to_string();
    let token = std::fs::read_to_string(&arguments.token).with_context(|| format!("reading the token `{shown}`"))?;
    warn_if_others_may_read(&arguments.token);
    let certificate = match &arguments.ca {
        Some(file) => Some(std::fs::read(file).with_context(|| format!("reading `{}`", file.display()))?),
        None => None,
    };
    Ok(Settings {
        centre: arguments.centre,
        token: token.trim().to_owned(),
        spool: arguments.spool,
        spool_bytes: arguments.spool_size << 20,
        certificate,
        plain_http: arguments.plain_http,
    })
}

#[cfg(unix)]
fn warn_if_others_may_read(file: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(file).map(|metadata| metadata.permissions().mode());
    if mode.is_ok_and(|mode| mode & 0o077 != 0) {
        tracing::warn!("others may read the token `{}`; chmod 600 mends it", file.display());
    }
}

#[cfg(not(unix))]
fn warn_if_others_may_read(_: &std::path::Path) {}
