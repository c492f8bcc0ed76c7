//! `dnscert init DIR`: a commented configuration, empty records, and the first account.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use csirt::accounts::{self, Role};

use super::account::{create, new_account, new_password};
use crate::centre::secret;
use crate::cli::InitArgs;

/// The configuration that a new centre begins with.
const CONFIGURATION: &str = include_str!("dnscert.toml");

/// Writes the configuration and makes the administrator. Refuses a folder that has a configuration already.
pub async fn run(arguments: InitArgs) -> anyhow::Result<ExitCode> {
    let file = arguments.folder.join("dnscert.toml");
    if file.exists() {
        bail!("`{}` is there already; it was not changed", file.display());
    }
    let password = new_password();
    let admin = new_account(&arguments.admin, Role::Admin, &password);
    accounts::check(&admin).with_context(|| format!("making the account `{}`", arguments.admin))?;
    let data = arguments.folder.join("data");
    std::fs::create_dir_all(&data).with_context(|| format!("making `{}`", data.display()))?;
    std::fs::write(&file, CONFIGURATION).with_context(|| format!("writing `{}`", file.display()))?;
    secret::read_or_make(&data)?;

    let (_, records) = super::open_records(&file).await?;
    create(&records, admin).await?;
    records.close().await.context("closing the records")?;

    println!("The centre is in {}.", arguments.folder.display());
    println!();
    println!("  account   {}", arguments.admin);
    println!("  password  {password}");
    println!();
    println!("The password is shown this once. Next:");
    println!("  dnscert doctor --config {}", shown(&file));
    println!("  dnscert serve --config {}", shown(&file));
    Ok(ExitCode::SUCCESS)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
