//! `dnscert serve`: runs the centre until told to stop.

use std::process::ExitCode;
use std::sync::Arc;

use model::SystemClock;
use tokio_util::sync::CancellationToken;

use crate::centre::Centre;
use crate::cli::ConfigArg;
use crate::config::Config;

/// Runs the centre; Ctrl-C and the signal to terminate end it cleanly.
pub async fn run(arguments: &ConfigArg) -> anyhow::Result<ExitCode> {
    let told_to_stop = super::told_to_stop();
    let config = Config::read(&arguments.config)?;
    let public_url = config.public_url.clone();
    let running = Centre::open(config, Arc::new(SystemClock))
        .await?
        .start(CancellationToken::new())
        .await?;
    tracing::info!(address = %running.address, %public_url, "the centre runs");
    told_to_stop.await;
    tracing::info!("stopping");
    running.stop().await?;
    Ok(ExitCode::SUCCESS)
}
