//! `dnscert audit`: walks the chain of the audit log.

use std::process::ExitCode;

use anyhow::Context as _;
use csirt::audit::{self, Chain};

use crate::cli::ConfigArg;

/// Status 0 when the chain is whole, 1 when a row was changed, removed or put in.
pub async fn run(arguments: &ConfigArg) -> anyhow::Result<ExitCode> {
    let (_, records) = super::open_records(&arguments.config).await?;
    match audit::verify(&records).await.context("walking the audit chain")? {
        Chain::Whole { rows, head } => {
            println!("The chain is whole: {rows} rows, head {head}");
            Ok(ExitCode::SUCCESS)
        }
        Chain::Broken { seq, reason } => {
            println!("The chain is broken at row {seq}: {reason}");
            Ok(ExitCode::FAILURE)
        }
    }
}
