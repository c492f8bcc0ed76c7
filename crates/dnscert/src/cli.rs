//! The command line: what can be said, parsed and not yet done.

mod account;
mod ingest;
mod lake;
mod sensor;
mod sql;
mod zone;

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use measure::Rtype;
use model::{Ds, Language, Level, Name};

pub use account::{AccountCommand, LookUps};
pub use ingest::{IngestArgs, InputFormat};
pub use lake::{EvidenceArgs, LakeCommand, ObservedArgs, PublishArgs, ShownCommand, UpkeepArgs};
pub use sensor::{ClientsTold, SensorArgs, UnmaskArgs};
pub use sql::{FlightSqlArgs, HandedArgs, SqlArgs};
pub use zone::{ZoneCommand, ZoneDiffArgs, ZoneImportArgs, ZoneReadingArgs, ZoneTransferArgs};

/// Coordinates the security of the DNS: measures, warns, asks the right party, and verifies the repair.
#[derive(Debug, Parser)]
#[command(name = "dnscert", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Say more on standard error (-v: what is done, -vv: every exchange).
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Play the whole centre on a simulated Internet: no network, no root, no server to install.
    Demo(DemoArgs),
    /// Write a commented configuration into a folder and make the first account.
    Init(InitArgs),
    /// Run the centre.
    Serve(ConfigArg),
    /// Say what is wrong with an installation and how to mend it.
    Doctor(ConfigArg),
    /// Test the delegation and DNSSEC of a zone.
    Check(Box<CheckArgs>),
    /// Ask one question for each of many names, and write what came of it as lines of JSON.
    Sweep(Box<SweepArgs>),
    /// Take in captures of DNS traffic and logs of it, and say what became of each.
    Ingest(IngestArgs),
    /// Test a resolver: validation, source ports, QNAME minimisation, and how it asks others.
    CheckResolver(CheckResolverArgs),
    /// Look up in passive DNS which records a name had, or which names had a value, from when to when.
    Pdns(Box<PdnsArgs>),
    /// Look at what stands beside passive DNS (what could not be read, evidence, figures), and run servers that answer SQL.
    #[command(subcommand)]
    Lake(LakeCommand),
    /// Answer SQL about what was observed: samples, changes, passive DNS and what stands beside it. Only reads.
    Sql(Box<SqlArgs>),
    /// Transfer zones, compare zone files, or keep what they delegate.
    #[command(subcommand)]
    Zone(ZoneCommand),
    /// Say who answers for a name or an address, and why.
    Route(RouteArgs),
    /// Import into or export from the directory of organisations.
    #[command(subcommand)]
    Directory(DirectoryCommand),
    /// Make accounts, list them, switch them off, or set a new password.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Replace the secret that seals forms and encrypts second factors.
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Add zones to the watch list, or show it.
    #[command(subcommand)]
    Watch(WatchCommand),
    /// Measure for a centre from here: pull its plan, ask, and hand the samples over.
    Probe(ProbeArgs),
    /// Listen for a centre from here, to interfaces and to name servers that send dnstap, and hand over what passes, without clients' addresses.
    Sensor(Box<SensorArgs>),
    /// Say which addresses the pseudonyms of a sensor stand for, where its key is.
    Unmask(UnmaskArgs),
    /// Register vantage points, show how they do, give them another token, or revoke them.
    #[command(subcommand)]
    Vantage(VantageCommand),
    /// Run a scripted DNS world on loopback, and change it while it runs.
    #[command(subcommand)]
    Lab(LabCommand),
    /// Verify the chain of the audit log.
    Audit(ConfigArg),
}

/// Which centre.
#[derive(Debug, Args)]
pub struct ConfigArg {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "dnscert.toml", env = "DNSCERT_CONFIG")]
    pub config: PathBuf,
}

/// `dnscert demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Folder for everything that the demo keeps.
    #[arg(long, value_name = "DIR", default_value = "dnscert-demo")]
    pub data: PathBuf,
    /// Where the portal listens.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8053")]
    pub listen: SocketAddr,
    /// The story to play.
    #[arg(long, value_name = "NAME", default_value = "atlas")]
    pub story: String,
    /// Play the story, check each step, print the timings and end; non-zero if a step failed.
    #[arg(long)]
    pub once: bool,
    /// A line of JSON for each step.
    #[arg(long)]
    pub json: bool,
    /// Forget what an earlier demo kept in the folder.
    #[arg(long)]
    pub fresh: bool,
    /// Port of the simulated name servers.
    #[arg(long, value_name = "PORT", default_value_t = 5300)]
    pub dns_port: u16,
    /// Seconds between two rounds on each zone.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(5..=3600))]
    pub interval: u32,
}

/// `dnscert init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Folder of the new centre.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// E-mail address of the first account, an administrator.
    #[arg(long, value_name = "ADDRESS", default_value = "admin@localhost")]
    pub admin: String,
}

/// `dnscert check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The zone.
    #[arg(required_unless_present_any = ["zones", "list_tests"])]
    pub zone: Option<Name>,
    /// Print the ids of all test cases, one a line, and end.
    #[arg(long)]
    pub list_tests: bool,
    /// Check every zone named in this file, one a line; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["zone", "ns", "ds", "save", "restore", "genreport"])]
    pub zones: Option<PathBuf>,
    /// Zones checked at a time with --zones. More are faster and heavier on servers that many zones share.
    #[arg(long, value_name = "N", default_value = "50", requires = "zones")]
    pub jobs: NonZeroUsize,
    /// Questions per second to one server; 0 for no limit, on servers of one's own.
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub max_per_target: u32,
    /// Root hints, as a zone file; by default those of the IANA root.
    #[arg(long, value_name = "FILE")]
    pub hints: Option<PathBuf>,
    /// Trust anchors, as DS or DNSKEY records; by default those of the IANA root, or none with `--hints`.
    #[arg(long, value_name = "FILE")]
    pub anchor: Option<PathBuf>,
    /// Port of all name servers, 53 by default; another only in a lab.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Test as if delegated to this name server: NAME or NAME/IP. May be repeated.
    #[arg(long = "ns", value_name = "NAME[/IP]")]
    pub ns: Vec<String>,
    /// Test as if the parent had this DS. May be repeated.
    #[arg(long = "ds", value_name = "KEYTAG,ALG,TYPE,DIGEST")]
    pub ds: Vec<Ds>,
    /// Run only this test case. May be repeated.
    #[arg(long = "test", value_name = "CASE")]
    pub tests: Vec<String>,
    /// Run the deep test cases as well, which ask much or oddly: edns01, edns02, edns04, edns05, edns06.
    #[arg(long, conflicts_with = "tests")]
    pub deep: bool,
    /// A line for each server in the form of ISC's genreport, from the test case edns01 and with --deep from edns02.
    #[arg(long, conflicts_with_all = ["tests", "json", "raw"])]
    pub genreport: bool,
    /// Mildest level that is shown.
    #[arg(long, default_value = "notice")]
    pub level: Level,
    /// Levels of tags that differ from the defaults: TOML, or a Zonemaster profile in JSON.
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// Table of who announces which addresses (pfx2as, riswhoisdump, bgp.tools table, GeoLite2 ASN); without one a
    /// look-up service is asked.
    #[arg(long, value_name = "FILE")]
    pub routes: Option<PathBuf>,
    /// One of IANA's special-purpose address registries (CSV) in the place of what ships. May be repeated.
    #[arg(long = "special-registry", value_name = "FILE")]
    pub special_registries: Vec<PathBuf>,
    /// Do not ask over IPv4.
    #[arg(long, conflicts_with = "no_ipv6")]
    pub no_ipv4: bool,
    /// Do not ask over IPv6.
    #[arg(long)]
    pub no_ipv6: bool,
    /// A line for each finding: seconds LEVEL CASE TAG key=value… With --zones the zone comes first.
    #[arg(long, conflicts_with = "json")]
    pub raw: bool,
    /// One JSON document; with --zones one a line.
    #[arg(long)]
    pub json: bool,
    /// Keep all exchanges in this file.
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Name of the vantage point that it is measured from, for what is found; by default this machine's own name.
    #[arg(long, value_name = "NAME", value_parser = one_line)]
    pub from: Option<String>,
    /// Language of the explanations: en, fr, es, ar, ru, zh.
    #[arg(long, value_name = "CODE", default_value = "en", env = "DNSCERT_LANGUAGE")]
    pub language: Language,
    /// Judge the exchanges kept in this file again; nothing is asked. The zone, --ns, --ds, --port, --hints, --anchor and
    /// --from are those that they were kept with.
    #[arg(long, value_name = "FILE", conflicts_with = "save")]
    pub restore: Option<PathBuf>,
}

/// `dnscert sweep`.
#[derive(Debug, Args)]
#[command(
    group = clap::ArgGroup::new("whom").args(["servers", "resolvers", "iterate"]).required(true),
    after_help = "Ends with status 0 when every name was answered, 1 when some were not or some lines are no names, \
                  2 when the command line is wrong, 3 when it could not be done to the end, 130 after Ctrl-C."
)]
pub struct SweepArgs {
    /// Read the names, one a line, from this file instead of standard input.
    #[arg(long, value_name = "FILE")]
    pub names: Option<PathBuf>,
    /// Type that is asked for.
    #[arg(long = "type", value_name = "TYPE", default_value = "A", value_parser = question_type)]
    pub rtype: Rtype,
    /// Ask these servers in turn: an address, or an address and a port (IPv6 in square brackets then).
    #[arg(long = "server", value_name = "ADDR", num_args = 1.., value_parser = server_address)]
    pub servers: Vec<SocketAddr>,
    /// Ask the servers in this file in turn, one a line.
    #[arg(long, value_name = "FILE")]
    pub resolvers: Option<PathBuf>,
    /// Walk down from the root for each name, as a resolver does.
    #[arg(long)]
    pub iterate: bool,
    /// Root hints for --iterate, as a zone file; by default those of the IANA root.
    #[arg(long, value_name = "FILE", requires = "iterate")]
    pub hints: Option<PathBuf>,
    /// Port of all name servers for --iterate; other than 53 only in a lab.
    #[arg(long, default_value_t = 53, requires = "iterate", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// With --iterate, do not ask over IPv6.
    #[arg(long, requires = "iterate")]
    pub no_ipv6: bool,
    /// Questions per second in all; 0 for no limit. By default 1000, and no limit when all servers are on loopback.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub rate: Option<u32>,
    /// Questions per second to one server; 0 for no limit. By default one each 113 ms, and no limit on loopback.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub max_per_target: Option<u32>,
    /// Names under way at a time.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u16).range(1..=measure::sweep::MOST_UNDER_WAY as i64))]
    pub under_way: u16,
    /// How long one name may take, all attempts together.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub timeout: Duration,
    /// Questions for one name before it counts as unanswered.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=i64::from(measure::sweep::MOST_ATTEMPTS)))]
    pub attempts: u32,
    /// Give up when no server at all has answered for so long.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub patience: Duration,
    /// Do not set the RD bit: ask authoritative servers as resolvers do.
    #[arg(long)]
    pub no_recursion: bool,
    /// Announce by EDNS that answers of 1232 octets are taken.
    #[arg(long, conflicts_with = "iterate")]
    pub edns: bool,
    /// Ask for DNSSEC records (DO); sets --edns.
    #[arg(long, conflicts_with = "iterate")]
    pub dnssec: bool,
    /// Ask in random upper and lower case, which makes answers harder to forge (0x20).
    #[arg(long)]
    pub case_randomization: bool,
    /// Lines of JSON, or Parquet, which needs --output.
    #[arg(long, value_enum, default_value_t = SweepFormat::Ndjson)]
    pub format: SweepFormat,
    /// Write into this file instead of standard output.
    #[arg(long, value_name = "FILE", required_if_eq("format", "parquet"))]
    pub output: Option<PathBuf>,
    /// Keep in this file how far the sweep has come, and go on from there when it exists.
    #[arg(long, value_name = "FILE", requires = "output")]
    pub resume: Option<PathBuf>,
    /// Id of this vantage point, for the samples in Parquet.
    #[arg(long, value_name = "ID", default_value = "sweep")]
    pub probe: String,
}

/// Forms of a sweep's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SweepFormat {
    /// A line of JSON for each name.
    Ndjson,
    /// A file with the columns of the lake's table `sample`.
    Parquet,
}

/// A type that can be asked for in one message.
fn question_type(text: &str) -> Result<Rtype, String> {
    let rtype: Rtype = text.parse().map_err(|_| "it is no type of the DNS".to_owned())?;
    match rtype {
        Rtype::AXFR | Rtype::IXFR => Err("a zone transfer is no question for one name".to_owned()),
        Rtype::OPT => Err("OPT is no type of a record".to_owned()),
        rtype => Ok(rtype),
    }
}

/// An address, with port 53 where none is given.
pub fn server_address(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
    let address = address.or_else(|_| text.parse());
    address.map_err(|_| "it is no IP address, with or without a port".to_owned())
}

/// A name for people: not empty, on one line, at most as long as a host's (RFC 1035 §2.3.4).
fn one_line(text: &str) -> Result<String, String> {
    let name = text.trim();
    let is_one_line = !name.is_empty() && name.len() <= 255 && !name.chars().any(char::is_control);
    let told = || {
        format!(
            "`{}` is no name: it must be 1 to 255 octets on one line",
            text.escape_debug()
        )
    };
    is_one_line.then(|| name.to_owned()).ok_or_else(told)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    match seconds {
        0.01..=86_400.0 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("it is not between 0.01 and 86400".to_owned()),
    }
}

/// `dnscert pdns`.
#[derive(Debug, Args)]
#[command(
    group = clap::ArgGroup::new("what").args(["subject", "rdata", "raw"]).required(true),
    after_help = "Ends with status 0 when something was found, 1 when nothing was, 2 when the command line is wrong, 3 when it \
                  could not be looked up."
)]
pub struct PdnsArgs {
    /// A name, *.NAME for it and all below it, NAME.* for all that begin so; or an address, a prefix, or FIRST-LAST. A name that
    /// looks like an address is written with a final dot.
    #[arg(value_name = "NAME|ADDR|PREFIX")]
    pub subject: Option<String>,
    /// Records that point to this name, *.NAME or NAME.*; or have this address, prefix, or FIRST-LAST.
    #[arg(long, value_name = "VALUE")]
    pub rdata: Option<String>,
    /// Records whose data is these octets on the wire.
    #[arg(long, value_name = "HEX")]
    pub raw: Option<String>,
    /// Only of this type. May be repeated, or several divided by commas.
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    pub rtypes: Vec<Rtype>,
    /// Only RRsets that servers of this zone gave; not for addresses and other values.
    #[arg(long, value_name = "ZONE")]
    pub bailiwick: Option<Name>,
    /// Only what was still seen at this time: 2026-11-23, 2026-11-23T10:00:00Z, seconds since 1970, or so long ago: 7d, 12h.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub after: Option<Timestamp>,
    /// Only what was seen at this time already.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub before: Option<Timestamp>,
    /// Only from this source. May be repeated.
    #[arg(long = "source", value_name = "ID")]
    pub sources: Vec<String>,
    /// Answers at most; 0 for as many as can be given, as in DNSDB.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub limit: usize,
    /// How many answers, how often seen, from when to when; in the place of the answers.
    #[arg(long)]
    pub summarize: bool,
    /// Lines of JSON in the Passive DNS Common Output Format, also on a terminal.
    #[arg(long)]
    pub json: bool,
    /// Which files and pages would be read, in the place of the answers.
    #[arg(long, conflicts_with_all = ["summarize", "json"])]
    pub explain: bool,
    /// Folder of the observations, in the place of a centre's.
    #[arg(long, value_name = "DIR")]
    pub lake: Option<PathBuf>,
    /// The centre.
    #[command(flatten)]
    pub config: ConfigArg,
}

/// A time, or how long ago it was.
fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    if let Ok(day) = text.parse::<Date>() {
        let start = day.to_zoned(TimeZone::UTC).map_err(|error| error.to_string())?;
        return Ok(start.timestamp());
    }
    if let Ok(second) = text.parse::<i64>() {
        return Timestamp::from_second(second).map_err(|error| error.to_string());
    }
    let wrong = || "it is no time like 2026-11-23, 2026-11-23T10:00:00Z, 1795428000 or 7d".to_owned();
    let unit = text.chars().last().filter(char::is_ascii).ok_or_else(wrong)?;
    let seconds: i64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(wrong()),
    };
    let count: i64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    let ago = count.checked_mul(seconds).ok_or_else(wrong)?;
    Timestamp::now()
        .checked_sub(jiff::SignedDuration::from_secs(ago))
        .map_err(|error| error.to_string())
}

/// `dnscert check-resolver`.
#[derive(Debug, Args)]
pub struct CheckResolverArgs {
    /// The resolver's address.
    #[arg(value_name = "ADDR")]
    pub resolver: IpAddr,
    /// Its port.
    #[arg(long, default_value_t = 53, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// Measuring zone, whose server sees how the resolver asks: that of any centre that serves one.
    #[arg(long, value_name = "NAME")]
    pub zone: Option<Name>,
    /// Where the measuring zone's server is reached directly; by default where the resolver says that it is.
    #[arg(long, value_name = "ADDR[:PORT]", requires = "zone", value_parser = server_address)]
    pub authority: Option<SocketAddr>,
    /// This machine is none of those that the resolver is there for: that it answers means that it is open.
    #[arg(long)]
    pub outside: bool,
    /// Mildest level that is shown.
    #[arg(long, default_value = "notice")]
    pub level: Level,
    /// Levels of tags that differ from the defaults: TOML.
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// A line for each finding: LEVEL CASE TAG key=value…
    #[arg(long, conflicts_with = "json")]
    pub raw: bool,
    /// One JSON document, with the questions that the measuring zone's server saw.
    #[arg(long)]
    pub json: bool,
    /// Name of the vantage point that it is measured from, for what is found; by default this machine's own name.
    #[arg(long, value_name = "NAME", value_parser = one_line)]
    pub from: Option<String>,
    /// Language of the explanations: en, fr, es, ar, ru, zh.
    #[arg(long, value_name = "CODE", default_value = "en", env = "DNSCERT_LANGUAGE")]
    pub language: Language,
}

/// `dnscert route`.
#[derive(Debug, Args)]
pub struct RouteArgs {
    /// A domain name, an IP address, or a registrar by its number at IANA: registrar:292.
    #[arg(value_name = "NAME|IP|registrar:NUMBER")]
    pub target: String,
    /// One JSON document.
    #[arg(long)]
    pub json: bool,
    /// Which centre.
    #[command(flatten)]
    pub config: ConfigArg,
}

/// `dnscert directory`.
#[derive(Debug, Subcommand)]
pub enum DirectoryCommand {
    /// Read organisations and contacts from a CSV or JSON file: all of it, or nothing.
    Import {
        /// The file; its ending says the form.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Which centre.
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Write the whole directory to standard output.
    Export {
        /// CSV instead of JSON.
        #[arg(long)]
        csv: bool,
        /// Which centre.
        #[command(flatten)]
        config: ConfigArg,
    },
}

/// `dnscert secret`.
#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Replace the secret, and encrypt what is kept under it anew. Stop the centre before.
    Rotate {
        /// Which centre.
        #[command(flatten)]
        config: ConfigArg,
    },
}

/// `dnscert watch`.
#[derive(Debug, Subcommand)]
pub enum WatchCommand {
    /// Watch these zones, all or none; what the parent says now is what is expected from now on.
    Add {
        /// The zones.
        #[arg(required = true)]
        zones: Vec<Name>,
        /// How they are watched.
        #[command(flatten)]
        options: WatchOptions,
    },
    /// Watch the zones of a file, all or none: one a line, or CSV with the columns zone, interval and region.
    Import {
        /// The file; `-` is standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// How they are watched.
        #[command(flatten)]
        options: WatchOptions,
    },
    /// Show the watch list.
    List {
        /// Which centre.
        #[command(flatten)]
        config: ConfigArg,
    },
}

/// `dnscert watch add` and `dnscert watch import`.
#[derive(Debug, Args)]
pub struct WatchOptions {
    /// Seconds between two rounds.
    #[arg(long, default_value_t = csirt::watch::DEFAULT_INTERVAL_SECS)]
    pub interval: u32,
    /// Take zones too of whose delegation nothing is known now; nothing is expected of them until somebody confirms it.
    #[arg(long)]
    pub unknown: bool,
    /// Which centre.
    #[command(flatten)]
    pub config: ConfigArg,
}

/// `dnscert probe`.
#[derive(Debug, Args)]
pub struct ProbeArgs {
    /// The way to the centre.
    #[command(flatten)]
    pub way: WayArgs,
}

/// How what was seen comes to the centre.
#[derive(Debug, Args)]
pub struct WayArgs {
    /// Address of the centre: `https://dnscert.example`.
    #[arg(long, value_name = "URL")]
    pub centre: String,
    /// File with the token that the centre gave for this vantage point.
    #[arg(long, value_name = "FILE")]
    pub token: PathBuf,
    /// Folder where parts wait while the line is down.
    #[arg(long, value_name = "DIR", default_value = "dnscert-spool")]
    pub spool: PathBuf,
    /// Megabytes that they may take there. When it is full the oldest go first, and the centre is told how many.
    #[arg(long, value_name = "MB", default_value_t = 256, value_parser = clap::value_parser!(u64).range(4..=1_000_000))]
    pub spool_size: u64,
    /// A certificate (PEM) to trust besides the system's, where the centre has one of its own making.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Let the token travel without TLS, on a line that is protected otherwise.
    #[arg(long)]
    pub plain_http: bool,
}

/// `dnscert vantage`.
#[derive(Debug, Subcommand)]
pub enum VantageCommand {
    /// Register a vantage point; its token is shown once.
    Add(Box<VantageArgs>),
    /// Show all vantage points and how they do.
    List {
        /// A line of JSON for each.
        #[arg(long)]
        json: bool,
        /// Which centre.
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Give a vantage point another token, which is shown once; the present one stops working.
    Token {
        /// Its name.
        name: String,
        /// Which centre.
        #[command(flatten)]
        config: ConfigArg,
    },
    /// End a vantage point for good: it can hand over nothing more; its samples stay.
    Revoke {
        /// Its name.
        name: String,
        /// Which centre.
        #[command(flatten)]
        config: ConfigArg,
    },
}

/// `dnscert vantage add`.
#[derive(Debug, Args)]
pub struct VantageArgs {
    /// Its name in samples: 2 to 32 lower-case letters, digits and hyphens. Never changes.
    pub name: String,
    /// AF, AP, EU, LAC or NA.
    #[arg(long)]
    pub region: csirt::directory::Region,
    /// Country: two letters (ISO 3166-1).
    #[arg(long, value_name = "CODE")]
    pub country: String,
    /// City.
    #[arg(long)]
    pub city: String,
    /// Latitude and longitude in degrees: -1.3,36.8. Kept to a tenth of a degree.
    #[arg(long, value_name = "LAT,LON", allow_hyphen_values = true)]
    pub at: csirt::vantage::Coordinates,
    /// The network that it is in, in words.
    #[arg(long, default_value = "")]
    pub network: String,
    /// Number of that network's autonomous system.
    #[arg(long, value_name = "NUMBER")]
    pub asn: Option<u32>,
    /// Handle of the organisation that runs it, in the directory.
    #[arg(long, value_name = "HANDLE")]
    pub operator: Option<String>,
    /// It listens to traffic (`dnscert sensor`) and asks nothing.
    #[arg(long)]
    pub sensor: bool,
    /// Whose data a sensor gives.
    #[arg(long, value_name = "TEXT", default_value = "this centre", requires = "sensor")]
    pub owner: String,
    /// Under which licence or agreement it is used.
    #[arg(long, value_name = "TEXT", default_value = "own observations", requires = "sensor")]
    pub licence: String,
    /// How far it may travel.
    #[arg(long, value_name = "TLP", default_value = "TLP:AMBER", requires = "sensor")]
    pub tlp: model::Tlp,
    /// The law or contract that allows it to be processed.
    #[arg(long, value_name = "TEXT", default_value = "not stated", requires = "sensor")]
    pub legal_basis: String,
    /// It has no IPv4.
    #[arg(long, conflicts_with = "no_ipv6")]
    pub no_ipv4: bool,
    /// It has no IPv6.
    #[arg(long)]
    pub no_ipv6: bool,
    /// Which centre.
    #[command(flatten)]
    pub config: ConfigArg,
}

/// `dnscert lab`.
#[derive(Debug, Subcommand)]
pub enum LabCommand {
    /// Serve a world until Ctrl-C.
    Run {
        /// Folder with world.toml, or the name of a world that ships: atlas.
        #[arg(value_name = "FOLDER")]
        world: String,
        /// Port of all its name servers.
        #[arg(long, default_value_t = 5300)]
        port: u16,
        /// Where events are taken.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5399")]
        control: SocketAddr,
        /// Write root.hints and, for a signed root, root.anchors into this folder: what `dnscert check` needs to ask this world.
        #[arg(long, value_name = "DIR")]
        files: Option<PathBuf>,
    },
    /// Let an event happen in a world that runs.
    Event {
        /// Name of an event of the world, `repair:NAME` to undo it, or an event as JSON.
        event: String,
        /// The world that has the event of that name: its folder, or the name under which it ships.
        #[arg(long, value_name = "FOLDER", default_value = "atlas")]
        world: String,
        /// Where the world takes events.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5399")]
        control: SocketAddr,
    },
}

impl Cli {
    /// Logs go to standard error; results go to standard output.
    pub fn start_logging(&self) {
        use tracing_subscriber::EnvFilter;
        let quiet = matches!(
            self.command,
            Command::Check(_)
                | Command::CheckResolver(_)
                | Command::Demo(_)
                | Command::Ingest(_)
                | Command::Route(_)
                | Command::Sweep(_)
        );
        let default = match (self.verbose, quiet) {
            (0, true) => "error",
            (0, false) | (1, _) => {
                "info,sqlx=warn,sea_orm_migration=warn,deltalake_core=warn,buoyant_kernel=warn,buoyant_kernel_engine=warn"
            }
            (_, _) => "debug,sqlx=info",
        };
        let filter = EnvFilter::try_from_env("DNSCERT_LOG").unwrap_or_else(|_| EnvFilter::new(default));
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            // what a terminal shows as colours is noise in a file or a journal
            .with_ansi(anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never)
            .init();
    }
}
