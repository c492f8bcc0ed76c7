//! `dnscert sql`: runs `dnscert-sql`, which stands beside this program (docs/decisions/0020-sql-beside.md).

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context as _;

use crate::cli::SqlArgs;
use crate::config::Config;

const PROGRAM: &str = "dnscert-sql";

/// The status is that of the other program: 0 answered, 2 usage, 3 not answered.
pub fn run(arguments: &SqlArgs) -> anyhow::Result<ExitCode> {
    let own = std::env::current_exe().context("finding where this program stands")?;
    let program = own.with_file_name(PROGRAM);
    if !program.is_file() {
        anyhow::bail!("{}", missing(&program));
    }
    let lake = match &arguments.lake {
        Some(folder) => folder.clone(),
        None => Config::read(&arguments.config.config)?.lake_folder(),
    };
    let mut command = Command::new(&program);
    command.arg("--lake").arg(lake);
    for (option, value) in [
        ("--format", &arguments.format),
        ("--time-limit", &arguments.time_limit),
        ("--memory-limit", &arguments.memory_limit),
        ("--threads", &arguments.threads),
        ("--tlp", &arguments.tlp),
    ] {
        if let Some(value) = value {
            command.arg(format!("{option}={value}"));
        }
    }
    command.arg("--").arg(&arguments.sql);
    // it takes the place of this one: signals and the status are its own
    let failed = command.exec();
    Err(failed).with_context(|| format!("running `{}`", program.display()))
}

fn missing(program: &Path) -> String {
    format!(
        "SQL is answered by a program of its own, which is not there: `{}`. Build it with `cargo build -p query` (add --release where \
         this one is such), or install it beside this one with `cargo install --path crates/query`",
        program.display()
    )
}
