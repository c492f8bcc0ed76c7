//! `dnscert directory import|export`: the directory as a file.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use csirt::Actor;
use csirt::directory::{self, Format, Imported};

use crate::cli::DirectoryCommand;

/// Import: status 0 when all of it is in, 1 when nothing is because of the rows that are named.
pub async fn run(command: DirectoryCommand) -> anyhow::Result<ExitCode> {
    match command {
        DirectoryCommand::Import { file, config } => {
            let shown = file.display();
            let format = match file.extension().and_then(|ending| ending.to_str()) {
                Some("csv") => Format::Csv,
                Some("json") => Format::Json,
                _ => bail!("`{shown}` ends neither in .csv nor in .json"),
            };
            let bytes = std::fs::read(&file).with_context(|| format!("reading `{shown}`"))?;
            let (_, records) = super::open_records(&config.config).await?;
            let imported = directory::import(&records, Actor::System, format, &bytes)
                .await
                .with_context(|| format!("importing `{shown}`"))?;
            match imported {
                Imported::Done(summary) => {
                    println!(
                        "{} new, {} changed, {} as before",
                        summary.created, summary.updated, summary.unchanged
                    );
                    Ok(ExitCode::SUCCESS)
                }
                Imported::Refused(rows) => {
                    for row in &rows {
                        let line = row.line.map_or_else(|| "-".to_owned(), |line| line.to_string());
                        eprintln!("{shown}:{line}: {} {}: {}", row.handle, row.field, row.reason);
                    }
                    eprintln!("Nothing was imported: {} faults", rows.len());
                    Ok(ExitCode::FAILURE)
                }
            }
        }
        DirectoryCommand::Export { csv, config } => {
            let (_, records) = super::open_records(&config.config).await?;
            let format = if csv { Format::Csv } else { Format::Json };
            let bytes = directory::export(&records, format)
                .await
                .context("exporting the directory")?;
            std::io::stdout().write_all(&bytes).context("writing the directory")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
