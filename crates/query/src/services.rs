//! What `dnscert-sql` does as a server: a part of a cluster, or Flight SQL for other programs.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use query::{Cluster, Error, Executor, FlightSql, Limits, Location, Token};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// The servers.
#[derive(Debug, Subcommand)]
pub enum Service {
    /// Divide questions among executors. Nobody is asked who he is: let only executors and those who may ask reach it.
    Scheduler(SchedulerArgs),
    /// Do parts of questions for a scheduler. It needs the files of the lake under the paths that whoever asks has them under, or rights for
    /// the store.
    Executor(ExecutorArgs),
    /// Answer programs that speak Arrow Flight SQL (ADBC, JDBC, ODBC).
    FlightSql(FlightSqlArgs),
}

/// `scheduler`.
#[derive(Debug, Args)]
pub struct SchedulerArgs {
    /// Where it listens.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:50050")]
    listen: SocketAddr,
    #[command(flatten)]
    log: Log,
}

/// `executor`.
#[derive(Debug, Args)]
pub struct ExecutorArgs {
    /// The scheduler; one that is not there yet is waited for.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:50050")]
    scheduler: Cluster,
    /// Where it gives others what it has done; at the next port the scheduler gives it work.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:50060")]
    listen: SocketAddr,
    /// Name or address under which they reach it; by default the one from which the scheduler sees it come.
    #[arg(long, value_name = "HOST")]
    advertise: Option<String>,
    /// Folder of its own, for rows between two steps and sorts larger than the memory.
    #[arg(long, value_name = "DIR", default_value = "data/executor")]
    folder: PathBuf,
    /// Megabytes of memory for what it sorts, groups and joins.
    #[arg(long, value_name = "MB", default_value_t = 1_024)]
    memory: usize,
    /// Parts of questions that it does at the same time; by default one for each processor.
    #[arg(long, value_name = "N", default_value_t = 0)]
    parts: usize,
    #[command(flatten)]
    log: Log,
}

/// `flight-sql`.
#[derive(Debug, Args)]
pub struct FlightSqlArgs {
    /// Folder of the observations, or the URL to which they were published.
    #[arg(long, value_name = "DIR|URL", default_value = "data/lake")]
    lake: String,
    /// Where it listens. There is no TLS: beyond this machine it belongs behind a proxy that has it.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:31337")]
    listen: SocketAddr,
    /// File with the token that programs show, as `Bearer` or as a password. Needed for any address but this machine's own.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Have statements answered by the cluster of this scheduler.
    #[arg(long, value_name = "URL")]
    cluster: Option<Cluster>,
    /// Megabytes of memory that one answer may take; four are made at the same time.
    #[arg(long, value_name = "MB", default_value_t = 512)]
    memory: usize,
    /// Seconds that one answer may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(..=crate::LONGEST))]
    time: u64,
    #[command(flatten)]
    log: Log,
}

#[derive(Debug, Args)]
struct Log {
    /// What is told on standard error: `warn`, `info`, or what tracing's filters have (`info,ballista_scheduler=debug`).
    #[arg(long, value_name = "FILTER", default_value = "warn", value_parser = filter)]
    log: String,
}

/// Runs a server until it fails or is asked to end.
pub async fn run(service: Service) -> Result<(), Error> {
    match service {
        Service::Scheduler(arguments) => {
            begin(arguments.log);
            let listener = listen("scheduler", arguments.listen).await?;
            query::schedule(listener).await
        }
        Service::Executor(arguments) => {
            begin(arguments.log);
            eprintln!("executor for {} at {}", arguments.scheduler, arguments.listen);
            let executor = Executor {
                cluster: arguments.scheduler,
                listen: arguments.listen,
                advertise: arguments.advertise,
                folder: arguments.folder,
                memory: arguments.memory.saturating_mul(1 << 20),
                parts: arguments.parts,
            };
            query::execute(executor).await
        }
        Service::FlightSql(arguments) => {
            let token = token(&arguments).map_err(|source| Error::Serve {
                what: SERVER,
                source: source.into(),
            })?;
            begin(arguments.log);
            let limits = Limits {
                memory: arguments.memory.saturating_mul(1 << 20),
                time: Duration::from_secs(arguments.time),
            };
            // that there is no lake is told now, and not to the first who asks
            let location = Location::read(&arguments.lake, std::env::vars())?;
            query::Engine::open_at(&location, limits, arguments.cluster.clone()).await?;
            let listener = listen(SERVER, arguments.listen).await?;
            let program = std::env::current_exe().map_err(|source| Error::Serve {
                what: SERVER,
                source: source.into(),
            })?;
            let lake = (arguments.lake, location);
            let flight = FlightSql::new(program, lake, limits, arguments.cluster, token);
            query::serve(listener, flight).await
        }
    }
}

const SERVER: &str = "server of Flight SQL";

fn filter(text: &str) -> Result<String, String> {
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn begin(log: Log) {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(log.log))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}

async fn listen(what: &'static str, address: SocketAddr) -> Result<TcpListener, Error> {
    let failed = |source: std::io::Error| Error::Serve {
        what,
        source: format!("listening at {address}: {source}").into(),
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    eprintln!("{what} at {}", listener.local_addr().map_err(failed)?);
    Ok(listener)
}

fn token(arguments: &FlightSqlArgs) -> Result<Option<Token>, String> {
    let Some(file) = &arguments.token_file else {
        return match arguments.listen.ip().is_loopback() {
            true => Ok(None),
            false => Err(format!(
                "{} is reached from elsewhere: --token-file is needed",
                arguments.listen
            )),
        };
    };
    let text = std::fs::read_to_string(file).map_err(|error| format!("reading {}: {error}", file.display()))?;
    let token = Token::new(text.trim());
    token
        .map(Some)
        .ok_or_else(|| format!("the token in {} has fewer than 16 characters", file.display()))
}
