//! A sweep: one question for each of any number of names, put to a few servers, or along the walk from the root.
//!
//! [`Names`] reads what comes in, [`ask()`] and [`iterate()`] ask, and a [`Keeper`] of the caller's takes what came of each
//! name and keeps the [`State`] from which another run can go on. Memory is that of the names under way, not of all.
//! It opens no files and decides nothing about what it is told.
//!
//! Given servers are asked by a transport of its own: an inquiry keeps every exchange and follows each question by itself,
//! which is right for a verdict and too slow for a hundred thousand questions a second.

mod connections;
mod counts;
mod direct;
mod iterate;
mod message;
mod names;
mod record;
mod sockets;
mod state;
mod table;
mod targets;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use domain::base::iana::{OptRcode, Rtype};
use jiff::Timestamp;
use model::{Outcome, Transport};

use crate::internet::OpenError;
use crate::record::Record;

pub use counts::Counts;
pub use direct::ask;
pub use iterate::{Root, iterate};
pub use names::{BadLine, Batch, Names, ReadError};
pub use record::{Line, LineError, LineWriter};
pub use state::{State, StateError};

/// Least time between two questions to one server of somebody else. What ISC's genreport keeps by default (`-U`, 113
/// ms). Shorter may trip rate limits and burdens others; longer makes sweeps over few servers slow.
pub const FOREIGN_INTERVAL: Duration = Duration::from_millis(113);

/// Least time between two questions when a server is somebody else's: 1,000 a second. Chosen by us: with some 90 octets
/// for a question and 200 for an answer on the line it is 0.7 and 1.6 Mbit/s, which the line of a small office bears.
pub const FOREIGN_RATE: Duration = Duration::from_millis(1);

/// Most names that can be under way at a time.
pub const MOST_UNDER_WAY: usize = table::SLOTS;

/// Most questions for one name over UDP.
pub const MOST_ATTEMPTS: u32 = table::ATTEMPTS as u32;

/// How a sweep asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// QTYPE.
    pub rtype: Rtype,
    /// RD bit.
    pub recursion_desired: bool,
    /// The OPT record, if one is sent.
    pub edns: Option<Edns>,
    /// Whether names get random upper and lower case (draft-vixie-dnsext-dns0x20). An answer whose letters differ is
    /// asked again over TCP.
    pub case_randomization: bool,
    /// Least time between two questions, whoever is asked; zero: no limit. `None`: none when all servers are on
    /// loopback, else [`FOREIGN_RATE`].
    pub interval: Option<Duration>,
    /// Least time between two questions to one server; zero: no limit. `None`: none for a server on loopback, else
    /// [`FOREIGN_INTERVAL`].
    pub server_interval: Option<Duration>,
    /// How long one name may take over UDP, all attempts together, and again over TCP. Default 5 s, as in dnsperf and in
    /// resolv.conf(5): a resolver needs seconds for a name whose servers are dead. Lower loses such answers, higher
    /// makes dead servers cost more.
    pub timeout: Duration,
    /// Questions for one name over UDP before it counts as unanswered, 1 to [`MOST_ATTEMPTS`]. Each waits longer than the
    /// one before.
    pub attempts: u32,
    /// Names under way at a time, 1 to [`MOST_UNDER_WAY`]. Default 10,000, as in massdns: enough for 2,000 a second that
    /// are all unanswered. More takes memory, some 0.5 KB each.
    pub under_way: usize,
    /// How long all servers may be silent before the sweep gives up. Default 60 s: a router has restarted by then.
    pub patience: Duration,
}

/// The OPT record of a sweep's questions (RFC 6891).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edns {
    /// Size of UDP answers that is announced, in octets.
    pub payload: u16,
    /// DO bit (RFC 3225).
    pub dnssec_ok: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rtype: Rtype::A,
            recursion_desired: true,
            edns: None,
            case_randomization: false,
            interval: None,
            server_interval: None,
            timeout: Duration::from_secs(5),
            attempts: 2,
            under_way: 10_000,
            patience: Duration::from_secs(60),
        }
    }
}

impl Settings {
    /// How long each attempt waits: they share the timeout, the later ones wait longer.
    fn waits(&self) -> Vec<Duration> {
        let attempts = self.attempts.clamp(1, MOST_ATTEMPTS);
        let shares = attempts * (attempts + 1) / 2;
        (1..=attempts).map(|share| self.timeout * share / shares).collect()
    }

    fn interval_for(&self, servers: impl IntoIterator<Item = IpAddr>) -> Duration {
        let all_are_ours = servers.into_iter().all(|address| address.is_loopback());
        let default = if all_are_ours { Duration::ZERO } else { FOREIGN_RATE };
        self.interval.unwrap_or(default)
    }

    fn server_interval_for(&self, server: IpAddr) -> Duration {
        let default = if server.is_loopback() {
            Duration::ZERO
        } else {
            FOREIGN_INTERVAL
        };
        self.server_interval.unwrap_or(default)
    }
}

/// One name and what came of its question.
#[derive(Debug)]
pub struct Swept<'a> {
    /// Its line in the input, from 1.
    pub line: u64,
    /// The name in wire format, in any letter case.
    pub name: &'a [u8],
    /// QTYPE.
    pub rtype: Rtype,
    /// The server that answered, or the one asked last.
    pub server: SocketAddr,
    /// How the last question travelled.
    pub transport: Transport,
    /// What came of it.
    pub outcome: Outcome,
    /// RCODE with its EDNS part; `None` without an answer.
    pub rcode: Option<OptRcode>,
    /// When the question that was answered was sent, or the last one.
    pub time: Timestamp,
    /// From sending to the answer, in microseconds.
    pub rtt_us: Option<u64>,
    /// Datagrams and connections that the question took.
    pub attempts: u16,
    /// Whether a truncated answer came over UDP, so that it was asked again over TCP.
    pub truncated: bool,
    /// The CNAME records that led to the name that the message answers, where they came from other servers.
    pub aliases: &'a [Record],
    /// The answer as it came, header checked; empty without one.
    pub message: &'a [u8],
}

/// Where a sweep stands.
#[derive(Debug)]
pub struct Moment<'a> {
    /// Lines read, octets of them, bad ones among them, and their digest, as of the batch in use.
    pub lines: u64,
    /// Octets of the input that were read.
    pub bytes: u64,
    /// Lines that are no names.
    pub skipped: u64,
    /// Digest of the lines.
    pub digest: u64,
    /// Lines among them that are not finished, rising. At most [`Settings::under_way`] and one batch.
    pub pending: &'a [u64],
    /// Servers, and how many of them are silent; `None` where they are found on the way.
    pub servers: Option<(usize, usize)>,
    /// Answers that were not believed: wrong id, question, address or port.
    pub disbelieved: u64,
}

/// Takes what came of each name.
pub trait Keeper {
    /// Takes one name. An error ends the sweep.
    fn keep(&mut self, swept: &Swept<'_>) -> io::Result<()>;

    /// Called some times a second, and at the end: a moment between two names, to save the state and show progress.
    fn pause(&mut self, moment: &Moment<'_>) -> io::Result<()>;
}

/// How a sweep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All names are finished.
    Done,
    /// It was told to stop.
    Stopped,
    /// No server answered for [`Settings::patience`].
    Silence,
}

/// Why a sweep could not go on.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// There is nobody to ask.
    #[error("no server was given")]
    NoServer,
    /// No socket could be opened.
    #[error("could not open a socket for {family}")]
    Socket {
        /// `IPv4` or `IPv6`.
        family: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The walk cannot begin.
    #[error("cannot walk from the root")]
    Root(#[source] OpenError),
    /// What came of the names could not be kept.
    #[error("could not keep what came of the names")]
    Keep(#[source] io::Error),
}
