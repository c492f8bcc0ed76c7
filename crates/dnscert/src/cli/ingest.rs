//! `dnscert ingest`: what is taken in, from whom, and where it goes.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use model::Name;

use super::ConfigArg;
use crate::sensor::TapAddress;

/// `dnscert ingest`.
#[derive(Debug, Args)]
#[command(
    after_help = "Ends with status 0 when every input was read to its end (of watched folders and dnstap: when told to stop), 1 when one was \
                  not, 2 when the command line is wrong, 130 when told to stop before."
)]
pub struct IngestArgs {
    /// Captures (pcap, pcapng, dnstap, C-DNS), logs (Zeek's dns.log, Suricata's EVE, COF) or zone files, plain or compressed by gzip,
    /// xz or Zstandard.
    #[arg(value_name = "PATH", required_unless_present_any = ["watch", "dnstap"])]
    pub paths: Vec<PathBuf>,
    /// Take in the files of this folder, and those that come into it, until told to stop. May be repeated.
    #[arg(long, value_name = "DIR")]
    pub watch: Vec<PathBuf>,
    /// Take in what name servers tell that connect to this Unix socket, or to this address of TCP, by dnstap, until told to stop. May be
    /// repeated.
    #[arg(long, value_name = "PATH|ADDR:PORT", conflicts_with_all = ["paths", "watch"])]
    pub dnstap: Vec<TapAddress>,
    /// Seconds after which what came by dnstap is kept: as much is lost when the machine dies.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "dnstap", value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub window: u32,
    /// Seconds for which a file of a watched folder must not have changed before it is taken in.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub settle: u64,
    /// What the inputs are.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub format: InputFormat,
    /// Who recorded them: the word of a source of passive DNS, which is registered where it is new.
    #[arg(long, value_name = "NAME", default_value = "own")]
    pub sensor: String,
    /// Whose data it is, where the source is new.
    #[arg(long, value_name = "TEXT", default_value = "this centre")]
    pub owner: String,
    /// Under which licence or agreement it is used, where the source is new.
    #[arg(long, value_name = "TEXT", default_value = "own observations")]
    pub licence: String,
    /// How far it may travel, where the source is new.
    #[arg(long, value_name = "TLP", default_value = "TLP:AMBER")]
    pub tlp: model::Tlp,
    /// The law or contract that allows its use, where the source is new.
    #[arg(long, value_name = "TEXT", default_value = "not stated")]
    pub legal_basis: String,
    /// Keep nothing: receipts alone.
    #[arg(long, conflicts_with = "lake")]
    pub dry_run: bool,
    /// Folder of the observations, in the place of a centre's.
    #[arg(long, value_name = "DIR")]
    pub lake: Option<PathBuf>,
    /// Ports on which DNS is spoken.
    #[arg(long = "port", value_name = "N", default_values_t = [53])]
    pub ports: Vec<u16>,
    /// A zone and the address of a server of it, which may then speak for the zone; those of the root are known.
    #[arg(long = "serves", value_name = "ZONE=ADDRESS", value_parser = served)]
    pub served: Vec<(Name, IpAddr)>,
    /// Print each receipt as a line of JSON.
    #[arg(long)]
    pub json: bool,
    /// The centre.
    #[command(flatten)]
    pub config: ConfigArg,
}

/// What an input of `dnscert ingest` is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum InputFormat {
    /// Told by how it begins.
    #[default]
    Auto,
    /// pcap, pcapng, dnstap or C-DNS.
    Capture,
    /// Zeek's dns.log, tab-separated or JSON.
    Zeek,
    /// Suricata's EVE.
    Eve,
    /// The Passive DNS Common Output Format.
    Cof,
    /// What operators of root servers publish of a day, as YAML.
    Rssac002,
    /// A zone file.
    Zone,
}

/// A zone and the address of a server of it: `example=192.0.2.53`.
pub(super) fn served(text: &str) -> Result<(Name, IpAddr), String> {
    let (zone, address) = text.split_once('=').ok_or("it is not of the form ZONE=ADDRESS")?;
    let zone = zone.parse().map_err(|error: model::NameError| error.to_string())?;
    let address = address.parse().map_err(|_| format!("`{address}` is no IP address"))?;
    Ok((zone, address))
}
