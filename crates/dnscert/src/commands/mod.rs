//! One file per command.

mod account;
mod audit;
mod check;
mod demo;
mod directory;
mod doctor;
pub(crate) mod ingest;
mod init;
mod lab;
mod lake;
mod pdns;
mod probe;
mod publish;
mod route;
mod secret;
mod sensor;
mod serve;
mod sql;
mod sweep;
mod vantage;
mod watch;
mod zone;

pub use account::{create as create_account, new_account};
pub use check::{read_anchors, read_hints, with_tables};
pub use lab::{Files as WorldFiles, world};

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use csirt::Records;
use model::SystemClock;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::Command;
use crate::config::Config;

/// Does what was asked. An error means that it could not be done: status 3.
pub async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Init(arguments) => init::run(arguments).await,
        Command::Serve(arguments) => serve::run(&arguments).await,
        Command::Doctor(arguments) => doctor::run(&arguments).await,
        Command::Check(arguments) => check::run(*arguments).await,
        Command::Sweep(arguments) => sweep::run(*arguments).await,
        Command::Ingest(arguments) => ingest::run(arguments).await,
        Command::CheckResolver(arguments) => check::resolver::run(&arguments).await,
        Command::Pdns(arguments) => pdns::run(*arguments).await,
        Command::Lake(command) => lake::run(command).await,
        Command::Sql(arguments) => sql::run(*arguments),
        Command::Zone(command) => zone::run(command).await,
        Command::Route(arguments) => route::run(arguments).await,
        Command::Directory(command) => directory::run(command).await,
        Command::Account(command) => account::run(command).await,
        Command::Secret(command) => secret::run(command).await,
        Command::Watch(command) => watch::run(command).await,
        Command::Probe(arguments) => probe::run(arguments).await,
        Command::Sensor(arguments) => sensor::run(*arguments).await,
        Command::Unmask(arguments) => sensor::unmask(&arguments),
        Command::Vantage(command) => vantage::run(command).await,
        Command::Lab(command) => lab::run(command).await,
        Command::Audit(arguments) => audit::run(&arguments).await,
    }
}

/// The records of the centre that `file` configures.
async fn open_records(file: &Path) -> anyhow::Result<(Config, Records)> {
    let config = Config::read(file)?;
    let url = config.database_url();
    let records = Records::open(&url, Arc::new(SystemClock))
        .await
        .with_context(|| format!("opening the records at `{}`", without_password(&url)))?;
    Ok((config, records))
}

/// A database URL as it may stand in a log.
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let Some((user, host)) = rest.split_once('@') else {
        return url.to_owned();
    };
    let name = user.split(':').next().unwrap_or_default();
    format!("{scheme}://{name}:…@{host}")
}

/// Listens from now on for Ctrl-C and the signal by which service managers end a program; the future ends when one came.
/// Call it first of all: a signal that comes before ends the program where it stands.
pub fn told_to_stop() -> impl Future<Output = ()> {
    let interrupt = listen(SignalKind::interrupt());
    let terminate = listen(SignalKind::terminate());
    async {
        tokio::select! {
            () = interrupt => {}
            () = terminate => {}
        }
    }
}

fn listen(kind: SignalKind) -> impl Future<Output = ()> {
    let listener = signal(kind);
    async move {
        match listener {
            Ok(mut listener) => {
                listener.recv().await;
            }
            Err(error) => {
                tracing::warn!("could not listen for signal {}: {error}", kind.as_raw_value());
                std::future::pending().await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_never_shows_in_a_log() {
        assert_eq!(
            without_password("postgres://centre:secret@db/records"),
            "postgres://centre:…@db/records"
        );
        assert_eq!(
            without_password("sqlite://data/records.sqlite"),
            "sqlite://data/records.sqlite"
        );
    }
}
