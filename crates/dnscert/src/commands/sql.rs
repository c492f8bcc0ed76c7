//! `dnscert sql`: hands a statement to `dnscert-sql`, which answers it (docs/decisions/0023-sql-beside.md).

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, anyhow};

use crate::cli::SqlArgs;
use crate::config::Config;

const PROGRAM: &str = "dnscert-sql";

/// Becomes the program that answers; returns only when that cannot be.
pub fn run(arguments: SqlArgs) -> anyhow::Result<std::process::ExitCode> {
    let mut command = command(arguments)?;
    let program = command.get_program().to_owned();
    let error = command.exec();
    Err(match error.kind() {
        io::ErrorKind::NotFound => anyhow!(
            "`{PROGRAM}` is neither beside `dnscert` nor in PATH: SQL is answered by a program of its own. In the source tree, \
             `cargo build --release --package query` builds it; put it into the folder of `dnscert`"
        ),
        _ => anyhow::Error::new(error).context(format!("starting `{}`", program.display())),
    })
}

fn command(arguments: SqlArgs) -> anyhow::Result<Command> {
    let mut command = Command::new(beside()?.unwrap_or_else(|| PROGRAM.into()));
    if arguments.columns.is_none() {
        let lake = match arguments.lake {
            Some(folder) => folder,
            None => Config::read(&arguments.config.config)?.lake_folder(),
        };
        command.arg("--lake").arg(lake);
    }
    let options = [
        ("--format", arguments.format),
        ("--output", arguments.output),
        ("--memory", arguments.memory),
        ("--time", arguments.time),
        ("--rows", arguments.rows),
        ("--columns", arguments.columns),
    ];
    for (name, value) in options {
        if let Some(value) = value {
            // in one word, so that a value that begins with a dash is none of its options
            let mut option = std::ffi::OsString::from(name);
            option.push("=");
            option.push(value);
            command.arg(option);
        }
    }
    if let Some(sql) = arguments.sql {
        command.arg("--").arg(sql);
    }
    Ok(command)
}

/// The program in the folder of this one.
fn beside() -> anyhow::Result<Option<PathBuf>> {
    let own = std::env::current_exe().context("finding out where this program stands")?;
    Ok(Some(own.with_file_name(PROGRAM)).filter(|path| path.is_file()))
}
