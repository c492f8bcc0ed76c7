//! `dnscert lake`: what stands in the lake beside passive DNS, and the servers that answer SQL about it.

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use model::Name;

use super::{ConfigArg, FlightSqlArgs, HandedArgs, moment};

/// What is done with the lake.
#[derive(Debug, Subcommand)]
pub enum LakeCommand {
    /// Shows something.
    #[command(flatten)]
    Show(ShownCommand),
    /// Merge small files of what was taken in, let old rows go and make old figures coarser, as a centre does for its own lake.
    Upkeep(UpkeepArgs),
    /// Bring what was committed into an object store, where other machines read it.
    Publish(PublishArgs),
    /// Divide SQL among executors, on this machine or others.
    Scheduler(HandedArgs),
    /// Do parts of SQL for a scheduler.
    Executor(HandedArgs),
    /// Answer SQL of programs that speak Arrow Flight SQL (ADBC, JDBC, ODBC).
    FlightSql(Box<FlightSqlArgs>),
}

/// What is looked at.
#[derive(Debug, Subcommand)]
pub enum ShownCommand {
    /// Messages and lines of inputs that could not be read: what is wrong, and their octets.
    #[command(visible_alias = "malformed")]
    Quarantine(ObservedArgs),
    /// What servers said of names that they may not speak for, or of which that is not proven; it is never in passive DNS.
    Evidence(EvidenceArgs),
    /// Figures of traffic by minute, or by hour, day or month when they are old, and by server, zone, transport, type, RCODE and flags.
    Traffic(ObservedArgs),
    /// Figures that operators of root servers publish for each day (RSSAC002).
    Rssac002(ObservedArgs),
}

/// Which part of it, and from where.
#[derive(Debug, Args)]
pub struct ObservedArgs {
    /// From this time on: 2026-11-23, 2026-11-23T10:00:00Z, seconds since 1970, or so long ago: 7d, 12h.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub after: Option<Timestamp>,
    /// Before this time.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub before: Option<Timestamp>,
    /// Only from this source. May be repeated.
    #[arg(long = "source", value_name = "ID")]
    pub sources: Vec<String>,
    /// Lines at most.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub limit: usize,
    /// Lines of JSON, also on a terminal.
    #[arg(long)]
    pub json: bool,
    /// Folder of the observations, in the place of a centre's.
    #[arg(long, value_name = "DIR")]
    pub lake: Option<PathBuf>,
    /// The centre.
    #[command(flatten)]
    pub config: ConfigArg,
}

/// `dnscert lake evidence`.
#[derive(Debug, Args)]
pub struct EvidenceArgs {
    /// A name: what was said of it and of all below it.
    #[arg(value_name = "NAME", default_value = ".")]
    pub name: Name,
    /// Which part of it, and from where.
    #[command(flatten)]
    pub observed: ObservedArgs,
}

/// `dnscert lake upkeep`.
#[derive(Debug, Args)]
pub struct UpkeepArgs {
    /// Folder of the observations, in the place of a centre's.
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    pub lake: Option<PathBuf>,
    /// A configuration, whose rules are those of `[lake]`. Without one only who asked most is let go, after 31 days, and figures of
    /// traffic become coarser after 31, 366 and 1,830 days.
    #[arg(long, value_name = "FILE", env = "DNSCERT_CONFIG")]
    pub config: Option<PathBuf>,
}

/// `dnscert lake publish`.
#[derive(Debug, Args)]
#[command(
    after_help = "Rights for the store come from the environment, with the names that its own tools read: AWS_ACCESS_KEY_ID, \
                  AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT and AWS_ALLOW_HTTP for a server of one's own; GOOGLE_SERVICE_ACCOUNT; \
                  AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY."
)]
pub struct PublishArgs {
    /// A folder in a store: s3://BUCKET/FOLDER, gs://BUCKET/FOLDER, az://CONTAINER/FOLDER, file:///FOLDER.
    #[arg(value_name = "URL")]
    pub url: String,
    /// Go on, and publish what is new each so many seconds.
    #[arg(long, value_name = "SECONDS")]
    pub every: Option<NonZeroU64>,
    /// Folder of the observations, in the place of a centre's.
    #[arg(long, value_name = "DIR")]
    pub lake: Option<PathBuf>,
    /// The centre.
    #[command(flatten)]
    pub config: ConfigArg,
}
