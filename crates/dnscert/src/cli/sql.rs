//! `dnscert sql`, `dnscert lake scheduler`, `executor` and `flight-sql`: what is handed to the program that answers.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::ConfigArg;

/// A statement, and how it is answered. `dnscert-sql` judges the values.
#[derive(Debug, Args)]
#[command(
    after_help = "Answered by dnscert-sql, a program that stands beside this one. Ends with status 0 when it is answered, 2 when the \
                  statement or the command line is wrong, 3 when the lake could not be read or a limit was reached. \
                  docs/sql.md has the views and eleven worked queries."
)]
pub struct SqlArgs {
    /// SELECT, EXPLAIN, SHOW or DESCRIBE; `-` reads it from standard input.
    #[arg(value_name = "SQL", required_unless_present = "columns")]
    pub sql: Option<OsString>,
    /// Have it answered by the cluster of this scheduler (`http://HOST:PORT`), in the place of the configuration's.
    #[arg(long, value_name = "URL")]
    pub cluster: Option<OsString>,
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

/// Arguments that `dnscert-sql` reads itself.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct HandedArgs {
    /// Options; `--help` lists them.
    #[arg(value_name = "OPTIONS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub options: Vec<OsString>,
}

/// `dnscert lake flight-sql`. `dnscert-sql` judges the values.
#[derive(Debug, Args)]
pub struct FlightSqlArgs {
    /// Where it listens (127.0.0.1:31337). There is no TLS: beyond this machine it belongs behind a proxy that has it.
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<OsString>,
    /// File with the token that programs show. Needed for any address but this machine's own.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<OsString>,
    /// Have statements answered by the cluster of this scheduler (`http://HOST:PORT`), in the place of the configuration's.
    #[arg(long, value_name = "URL")]
    pub cluster: Option<OsString>,
    /// Megabytes of memory that one answer may take (512); four are made at the same time.
    #[arg(long, value_name = "MB")]
    pub memory: Option<OsString>,
    /// Seconds that one answer may take (60).
    #[arg(long, value_name = "SECONDS")]
    pub time: Option<OsString>,
    /// What is told on standard error (warn).
    #[arg(long, value_name = "FILTER")]
    pub log: Option<OsString>,
    /// Folder of the observations, in the place of a centre's.
    #[arg(long, value_name = "DIR")]
    pub lake: Option<PathBuf>,
    /// The centre.
    #[command(flatten)]
    pub config: ConfigArg,
}
