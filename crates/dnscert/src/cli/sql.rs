//! `dnscert sql`.

use std::path::PathBuf;

use clap::Args;

use super::ConfigArg;

/// `dnscert sql`.
#[derive(Debug, Args)]
pub struct SqlArgs {
    /// One statement: SELECT, EXPLAIN, SHOW TABLES or DESCRIBE; `-` is standard input. Views and columns: docs/sql.md.
    #[arg(value_name = "SQL")]
    pub sql: String,
    /// How the answer is written: table, csv, json, parquet or arrow.
    #[arg(long)]
    pub format: Option<String>,
    /// End it after so many seconds, by default 60; 0 for never.
    #[arg(long, value_name = "SECONDS")]
    pub time_limit: Option<String>,
    /// Memory for sorting, grouping and joining, in MiB, by default 512.
    #[arg(long, value_name = "MIB")]
    pub memory_limit: Option<String>,
    /// Threads; by default one for each core.
    #[arg(long, value_name = "N")]
    pub threads: Option<String>,
    /// Passive DNS of sources with this label and with wider ones; by default all.
    #[arg(long, value_name = "LABEL")]
    pub tlp: Option<String>,
    /// Folder of the observations, in the place of a centre's.
    #[arg(long, value_name = "DIR")]
    pub lake: Option<PathBuf>,
    /// The centre.
    #[command(flatten)]
    pub config: ConfigArg,
}
