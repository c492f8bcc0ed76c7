//! `dnscert secret rotate`: another secret, and what is kept under it encrypted anew.

use std::process::ExitCode;

use anyhow::Context as _;

use crate::centre::secret;
use crate::cli::SecretCommand;

/// Replaces the secret. What breaks off is ended by the next try, or by the next start of the centre.
pub async fn run(command: SecretCommand) -> anyhow::Result<ExitCode> {
    let SecretCommand::Rotate { config } = command;
    let (config, records) = super::open_records(&config.config).await?;
    secret::begin_rotation(&config.data)?;
    let (_, key) = secret::settle(&config.data, &records).await?;
    records.close().await.context("closing the records")?;
    println!(
        "The secret is replaced; its second factors are under the key {}.",
        key.id()
    );
    println!("Start the centre again. Other machines with the same records need a copy of this file:");
    println!("  {}", config.data.join("secret").display());
    println!("Backups of the records from before need the old one, which is kept beside it as secret.old.");
    Ok(ExitCode::SUCCESS)
}
