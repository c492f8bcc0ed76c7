//! `dnscert sensor`: what is listened to, and how what passes comes to the centre.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use model::{Client, Name};

use super::WayArgs;
use crate::sensor::TapAddress;

/// `dnscert unmask`.
#[derive(Debug, Args)]
pub struct UnmaskArgs {
    /// Pseudonyms as the centre shows them: 32 hexadecimal digits each.
    #[arg(value_name = "PSEUDONYM", required = true)]
    pub clients: Vec<Client>,
    /// File with the key of the sensor: `client.key` in its spool, or what `--client-key` named.
    #[arg(long, value_name = "FILE")]
    pub client_key: PathBuf,
}

/// What becomes of clients' addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ClientsTold {
    /// They are dropped.
    Drop,
    /// Cut down to networks.
    Truncate,
    /// Encrypted.
    Pseudonymise,
}

/// `dnscert sensor`.
#[derive(Debug, Args)]
#[command(
    after_help = "Takes a token of `dnscert vantage add NAME --sensor`. Listening to an interface takes CAP_NET_RAW and nothing else. Ends with \
                  status 0 when told to stop, 3 when it cannot begin or nothing is left to listen to."
)]
pub struct SensorArgs {
    /// The way to the centre.
    #[command(flatten)]
    pub way: WayArgs,
    /// Listen to an interface. May be repeated.
    #[arg(long = "interface", value_name = "NAME", required_unless_present = "taps")]
    pub interfaces: Vec<String>,
    /// Take dnstap from name servers that connect to this Unix socket, or to this address of TCP. May be repeated.
    #[arg(long = "dnstap", id = "taps", value_name = "PATH|ADDR:PORT")]
    pub taps: Vec<TapAddress>,
    /// Ports on which DNS is spoken.
    #[arg(long = "port", value_name = "N", default_values_t = [53])]
    pub ports: Vec<u16>,
    /// A zone and the address of a server of it, which may then speak for the zone; those of the root are known.
    #[arg(long = "serves", value_name = "ZONE=ADDRESS", value_parser = super::ingest::served)]
    pub served: Vec<(Name, IpAddr)>,
    /// Seconds of a window: as long as it, the centre sees what passes later, and as much is lost when the machine dies.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub window: u32,
    /// Megabytes of memory in which packets of each interface wait to be read. What finds no room is counted as lost.
    #[arg(long, value_name = "MB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(2..=2000))]
    pub ring: u32,
    /// File with the key under which clients are counted: 32 hexadecimal digits. Sensors with one key count a client once, together;
    /// default: a key of its own in the spool, made there.
    #[arg(long, value_name = "FILE")]
    pub client_key: Option<PathBuf>,
    /// Tell the centre who asks most, as networks (24 bits of IPv4, 48 of IPv6), or under pseudonyms that nobody without the key of
    /// `--client-key` can take back (`dnscert unmask` does). Default: no client is told.
    #[arg(long, value_name = "FORM", value_enum, default_value_t = ClientsTold::Drop)]
    pub clients: ClientsTold,
    /// Clients of one minute and stream at the most that are told.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(10..=10_000))]
    pub most_clients: u32,
    /// Queries of a minute from which on a client is told; who asks less is counted with all others.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub least_queries: u64,
    /// Print the receipt of each stream's window as a line of JSON.
    #[arg(long)]
    pub receipts: bool,
}
