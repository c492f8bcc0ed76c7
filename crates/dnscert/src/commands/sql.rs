//! `dnscert sql`, and the servers of `dnscert lake`: hands what is asked to `dnscert-sql` (docs/decisions/0023-sql-beside.md).

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, anyhow};

use crate::cli::{ConfigArg, FlightSqlArgs, HandedArgs, SqlArgs};
use crate::config::Config;

const PROGRAM: &str = "dnscert-sql";

/// Answers a statement.
pub fn run(arguments: SqlArgs) -> anyhow::Result<ExitCode> {
    let mut options = Options::default();
    let mut cluster = arguments.cluster;
    if arguments.columns.is_none() {
        let (lake, of_centre) = lake(arguments.lake, &arguments.config)?;
        options.0.extend(["--lake".into(), lake.into()]);
        cluster = cluster.or(of_centre);
    }
    for (name, value) in [
        ("--cluster", cluster),
        ("--format", arguments.format),
        ("--output", arguments.output),
        ("--memory", arguments.memory),
        ("--time", arguments.time),
        ("--rows", arguments.rows),
        ("--columns", arguments.columns),
    ] {
        options.add(name, value);
    }
    if let Some(sql) = arguments.sql {
        options.0.extend(["--".into(), sql]);
    }
    become_program(&options.0)
}

/// Divides SQL, or does parts of it: `service` is `scheduler` or `executor`.
pub fn run_part(service: &str, arguments: HandedArgs) -> anyhow::Result<ExitCode> {
    let service = [OsString::from(service)];
    become_program(&service.into_iter().chain(arguments.options).collect::<Vec<_>>())
}

/// Answers programs over the network.
pub fn run_flight_sql(arguments: FlightSqlArgs) -> anyhow::Result<ExitCode> {
    let (lake, of_centre) = lake(arguments.lake, &arguments.config)?;
    let mut options = Options(vec!["flight-sql".into(), "--lake".into(), lake.into()]);
    for (name, value) in [
        ("--listen", arguments.listen),
        ("--token-file", arguments.token_file),
        ("--cluster", arguments.cluster.or(of_centre)),
        ("--memory", arguments.memory),
        ("--time", arguments.time),
        ("--log", arguments.log),
    ] {
        options.add(name, value);
    }
    become_program(&options.0)
}

/// The folder that was named, else that of the centre's observations and the cluster that answers about them.
fn lake(named: Option<PathBuf>, config: &ConfigArg) -> anyhow::Result<(PathBuf, Option<OsString>)> {
    Ok(match named {
        Some(folder) => (folder, None),
        None => {
            let config = Config::read(&config.config)?;
            (config.lake_folder(), config.lake.cluster.map(OsString::from))
        }
    })
}

#[derive(Default)]
struct Options(Vec<OsString>);

impl Options {
    /// In one word, so that a value that begins with a dash is none of the program's options.
    fn add(&mut self, name: &str, value: Option<OsString>) {
        if let Some(value) = value {
            let mut option = OsString::from(name);
            option.push("=");
            option.push(value);
            self.0.push(option);
        }
    }
}

/// Becomes the program that answers; returns only when that cannot be.
fn become_program(arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    let mut command = Command::new(beside()?.unwrap_or_else(|| PROGRAM.into()));
    let program = command.get_program().to_owned();
    let error = command.args(arguments).exec();
    Err(match error.kind() {
        io::ErrorKind::NotFound => anyhow!(
            "`{PROGRAM}` is neither beside `dnscert` nor in PATH: SQL is answered by a program of its own. In the source tree, \
             `cargo build --release --package query` builds it; put it into the folder of `dnscert`"
        ),
        _ => anyhow::Error::new(error).context(format!("starting `{}`", program.display())),
    })
}

/// The program in the folder of this one.
fn beside() -> anyhow::Result<Option<PathBuf>> {
    let own = std::env::current_exe().context("finding out where this program stands")?;
    Ok(Some(own.with_file_name(PROGRAM)).filter(|path| path.is_file()))
}
