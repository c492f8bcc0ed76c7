//! `dnscert zone`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use model::{Name, Tlp};

use super::{ConfigArg, moment};

/// `dnscert zone`.
#[derive(Debug, Subcommand)]
pub enum ZoneCommand {
    /// Say what differs between two zone files: delegations first, then all else.
    Diff(ZoneDiffArgs),
    /// Keep what a zone file delegates in passive DNS, and how that changed.
    Import(Box<ZoneImportArgs>),
    /// Bring a zone from one of its servers into a file: what changed (IXFR) where that can be had, else all of it (AXFR).
    Transfer(ZoneTransferArgs),
}

/// How zone files are read.
#[derive(Debug, Args)]
pub struct ZoneReadingArgs {
    /// What names without a final dot are below, before the first $ORIGIN.
    #[arg(long, value_name = "ZONE")]
    pub origin: Option<Name>,
    /// Memory for the records of one file, in MiB; what is more is sorted on disk, in the folder of temporary files.
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4000))]
    pub memory: u32,
}

/// `dnscert zone diff`.
#[derive(Debug, Args)]
pub struct ZoneDiffArgs {
    /// The earlier file (RFC 1035), as it is or packed by gzip, xz or Zstandard.
    #[arg(value_name = "BEFORE")]
    pub before: PathBuf,
    /// The later one.
    #[arg(value_name = "AFTER")]
    pub after: PathBuf,
    /// Lines of JSON: one about the two files, then one for each RRset that differs.
    #[arg(long)]
    pub json: bool,
    /// Leave out what signing alone changes: RRSIG, NSEC, NSEC3, NSEC3PARAM, ZONEMD and the serial.
    #[arg(long)]
    pub without_signing: bool,
    /// Refuse AFTER when more than so many of a hundred names are gone, and more than ten.
    #[arg(long, value_name = "PERCENT", default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub max_gone: u8,
    /// Compare them although something speaks against it, and say what.
    #[arg(long)]
    pub force: bool,
    /// How they are read.
    #[command(flatten)]
    pub reading: ZoneReadingArgs,
}

/// `dnscert zone import`.
#[derive(Debug, Args)]
pub struct ZoneImportArgs {
    /// The zone file (RFC 1035), as it is or packed by gzip, xz or Zstandard.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// An earlier file of the zone: what changed in delegations since is kept too.
    #[arg(long, value_name = "FILE")]
    pub since: Option<PathBuf>,
    /// When the file was the zone, as 2026-11-23T10:00:00Z; by default when it was last written.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub time: Option<Timestamp>,
    /// Who gave it: the word of a source of passive DNS, which is registered where it is new.
    #[arg(long, value_name = "NAME", default_value = "own")]
    pub source: String,
    /// Whose data it is, where the source is new.
    #[arg(long, value_name = "TEXT", default_value = "this centre")]
    pub owner: String,
    /// Under which licence or agreement it is used, where the source is new.
    #[arg(long, value_name = "TEXT", default_value = "own observations")]
    pub licence: String,
    /// How far it may travel, where the source is new.
    #[arg(long, value_name = "TLP", default_value = "TLP:AMBER")]
    pub tlp: Tlp,
    /// The law or contract that allows its use, where the source is new.
    #[arg(long, value_name = "TEXT", default_value = "not stated")]
    pub legal_basis: String,
    /// Refuse FILE when more than so many of a hundred names of --since are gone, and more than ten.
    #[arg(long, value_name = "PERCENT", default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub max_gone: u8,
    /// Keep it although something speaks against it, and say what.
    #[arg(long)]
    pub force: bool,
    /// One JSON document about what was kept.
    #[arg(long)]
    pub json: bool,
    /// Folder of the observations, in the place of a centre's.
    #[arg(long, value_name = "DIR")]
    pub lake: Option<PathBuf>,
    /// How it is read.
    #[command(flatten)]
    pub reading: ZoneReadingArgs,
    /// The centre.
    #[command(flatten)]
    pub config: ConfigArg,
}

/// `dnscert zone transfer`.
#[derive(Debug, Args)]
pub struct ZoneTransferArgs {
    /// The zone.
    #[arg(value_name = "ZONE")]
    pub zone: Name,
    /// The server: an address, with a port where that is not 53.
    #[arg(long, value_name = "ADDRESS", value_parser = server)]
    pub from: SocketAddr,
    /// The file, which is packed by Zstandard. What it was before is kept as FILE.before.
    #[arg(long, value_name = "FILE")]
    pub into: PathBuf,
    /// A file with the TSIG key: `hmac-sha256:NAME:SECRET`, or a `key` clause as tsig-keygen and keymgr print it.
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Ask for the whole zone although FILE is there.
    #[arg(long)]
    pub whole: bool,
    /// Refuse what comes when more than so many of a hundred names of FILE are gone, and more than ten.
    #[arg(long, value_name = "PERCENT", default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub max_gone: u8,
    /// Take it although something speaks against it, and say what.
    #[arg(long)]
    pub force: bool,
    /// Seconds that the connection, and then each message, may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub timeout: u32,
    /// One JSON document about what came.
    #[arg(long)]
    pub json: bool,
    /// Memory for the records, in MiB; what is more is sorted on disk, in the folder of temporary files.
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4000))]
    pub memory: u32,
}

/// An address with the port 53 unless it says another.
fn server(text: &str) -> Result<SocketAddr, String> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    text.parse::<SocketAddr>()
        .or_else(|_| bare.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53)))
        .map_err(|_| "an address is wanted, like 192.0.2.1, 192.0.2.1:5353 or [2001:db8::1]:53".to_owned())
}
