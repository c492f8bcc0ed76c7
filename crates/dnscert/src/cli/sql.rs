//! `dnscert sql`: what is handed to the program that answers.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::ConfigArg;

/// A statement, and how it is answered. `dnscert-sql` judges the values.
#[derive(Debug, Args)]
#[command(
    after_help = "Answered by dnscert-sql, a program that stands beside this one. Ends with status 0 when it is answered, 2 when the \
                  statement or the command line is wrong, 3 when the lake could not be read or a limit was reached. \
                  docs/sql.md has the views and ten worked queries."
)]
pub struct SqlArgs {
    /// SELECT, EXPLAIN, SHOW or DESCRIBE; `-` reads it from standard input.
    #[arg(value_name = "SQL", required_unless_present = "columns")]
    pub sql: Option<OsString>,
    /// table, csv, json, parquet or arrow; by default a table on a terminal, else lines of JSON.
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<OsString>,
    /// Write the answer into this file; it is there when the answer is whole.
    #[arg(long, value_name = "FILE")]
    pub output: Option<OsString>,
    /// Megabytes of memory that the answer may take (512).
    #[arg(long, value_name = "MB")]
    pub memory: Option<OsString>,
    /// Seconds that it may take (60).
    #[arg(long, value_name = "SECONDS")]
    pub time: Option<OsString>,
    /// Rows of a table at most (1,000).
    #[arg(long, value_name = "N")]
    pub rows: Option<OsString>,
    /// Say what the columns of a view mean, or of all.
    #[arg(long, value_name = "VIEW", num_args = 0..=1, default_missing_value = "", conflicts_with = "sql")]
    pub columns: Option<OsString>,
    /// Folder of the observations, in the place of a centre's.
    #[arg(long, value_name = "DIR")]
    pub lake: Option<PathBuf>,
    /// The centre.
    #[command(flatten)]
    pub config: ConfigArg,
}
