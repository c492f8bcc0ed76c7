//! Asks for many names along the walk from the root, each as a resolver does, with what was learnt of zone cuts shared.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use model::{Clock, Name, Outcome, Transport};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval};

use super::{Batch, End, Keeper, Moment, Settings, SweepError, Swept};
use crate::check::CheckPlan;
use crate::cuts::Cuts;
use crate::internet::Internet;
use crate::lookup::Lookup;
use crate::profile::Profile;
use crate::run::{Run, root_servers};

/// How often the keeper gets a moment. Chosen by us, as for a sweep over given servers.
const MOMENT: Duration = Duration::from_millis(250);
/// Names under way at most: each takes some 20 KB, forty times what it does with given servers. Chosen by us.
const UNDER_WAY: usize = 1_000;
/// Questions that one name may cost. Chosen by us: five times what a name over aliases in several zones needs; hostile
/// zones could lead on for ever.
const QUESTIONS: usize = 200;
/// Names without an answer in a row before a long silence means that nobody is there. Chosen by us.
const SILENT_AFTER: u32 = 16;

/// Where the walk begins, and over what it goes.
#[derive(Debug, Clone)]
pub struct Root {
    /// Root name servers with their addresses.
    pub hints: Vec<(Name, Vec<IpAddr>)>,
    /// Port of all name servers: 53, or that of a lab.
    pub port: u16,
    /// Whether IPv4 addresses are asked.
    pub ipv4: bool,
    /// Whether IPv6 addresses are asked.
    pub ipv6: bool,
}

/// Looks each name up from the root, until the names end, `stop` comes true or nobody answers any more.
///
/// EDNS is not used. Memory is bounded: exchanges are forgotten with their name, zone cuts after a while.
pub async fn iterate(
    settings: &Settings,
    root: &Root,
    mut names: mpsc::Receiver<Batch>,
    keeper: &mut impl Keeper,
    stop: impl Future<Output = ()>,
    clock: Arc<dyn Clock>,
) -> Result<End, SweepError> {
    let internet = Internet::with_clock(transport(settings, root), clock.clone()).map_err(SweepError::Root)?;
    let walk = Walk {
        settings,
        internet,
        cuts: Arc::new(Cuts::shared(root_servers(&root.hints))),
        clock,
    };
    let mut progress = Progress {
        batch: Batch::default(),
        used: 0,
        under_way: BTreeSet::new(),
        disbelieved: 0,
        unanswered: 0,
        answered_at: Instant::now(),
    };
    let most = settings.under_way.min(UNDER_WAY);
    let mut lookups = FuturesUnordered::new();
    let mut moments = interval(MOMENT);
    let mut stop = std::pin::pin!(stop);
    let mut is_end = false;
    loop {
        while lookups.len() < most
            && let Some((name, line)) = progress.batch.get(progress.used)
        {
            let name = Name::from_wire(&domain::base::Name::from_octets(name).expect("names were read as such"));
            lookups.push(walk.look_up(name, line));
            progress.under_way.insert(line);
            progress.used += 1;
        }
        let wants_batch = !is_end && progress.used == progress.batch.len();
        if is_end && lookups.is_empty() && progress.used == progress.batch.len() {
            progress.pause(keeper)?;
            return Ok(End::Done);
        }
        tokio::select! {
            biased;
            () = &mut stop => {
                progress.pause(keeper)?;
                return Ok(End::Stopped);
            }
            _ = moments.tick() => {
                progress.pause(keeper)?;
                let is_long = progress.answered_at.elapsed() >= settings.patience;
                if is_long && progress.unanswered >= SILENT_AFTER {
                    return Ok(End::Silence);
                }
            }
            batch = names.recv(), if wants_batch => match batch {
                Some(batch) => (progress.batch, progress.used) = (batch, 0),
                None => is_end = true,
            },
            Some((line, name, found)) = lookups.next() => {
                progress.note(line, &found);
                walk.keep(line, &name, &found, keeper).map_err(SweepError::Keep)?;
            }
        }
    }
}

/// The settings of the transport: those of a sweep in the transport's terms.
fn transport(settings: &Settings, root: &Root) -> crate::Settings {
    let addresses = || root.hints.iter().flat_map(|(_, addresses)| addresses.iter().copied());
    let overall = settings.interval_for(addresses());
    // a world is on loopback as a whole
    let servers = addresses().map(|address| settings.server_interval_for(address));
    let per_second = |interval: Duration| match interval.as_micros() {
        0 => None,
        micros => u32::try_from(1_000_000 / micros).ok(),
    };
    crate::Settings {
        hints: root.hints.clone(),
        port: root.port,
        ipv4: root.ipv4,
        ipv6: root.ipv6,
        timeout: settings.timeout,
        attempts: settings.attempts,
        per_server_rate: servers.max().and_then(per_second).map_or(u32::MAX, |rate| rate.max(1)),
        per_server_burst: 0,
        rate: per_second(overall).unwrap_or(0),
        inquiry_questions: QUESTIONS,
        case_randomization: settings.case_randomization,
        ..crate::Settings::default()
    }
}

struct Walk<'a> {
    settings: &'a Settings,
    internet: Internet,
    cuts: Arc<Cuts>,
    clock: Arc<dyn Clock>,
}

impl Walk<'_> {
    async fn look_up(&self, name: Name, line: u64) -> (u64, Name, Lookup) {
        let plan = CheckPlan {
            zone: name.clone(),
            undelegated: None,
            cases: None,
            profile: Profile::default(),
        };
        let run = Run::with_cuts(&self.internet.inquiry(), &plan, self.clock.now(), self.cuts.clone());
        let found = run.lookup(&name, self.settings.rtype).await;
        (line, name, found)
    }

    fn keep(&self, line: u64, name: &Name, found: &Lookup, keeper: &mut impl Keeper) -> io::Result<()> {
        let transport = self.internet.settings();
        let exchange = found.exchange.as_deref();
        let first_hint = || {
            transport
                .hints
                .iter()
                .flat_map(|(_, addresses)| addresses)
                .next()
                .copied()
        };
        let address = exchange.map(|exchange| exchange.address).or_else(first_hint);
        let address = address.expect("a transport has root name servers with addresses");
        let response = exchange.and_then(|exchange| exchange.response());
        let truncated = exchange.is_some_and(|exchange| exchange.truncated);
        keeper.keep(&Swept {
            line,
            name: name.as_wire().as_slice(),
            rtype: self.settings.rtype,
            server: SocketAddr::new(address, transport.port),
            transport: if truncated { Transport::Tcp } else { Transport::Udp },
            outcome: exchange.map_or(Outcome::Unreachable, |exchange| exchange.outcome),
            rcode: response.map(|response| response.rcode),
            time: exchange.map_or_else(|| self.clock.now(), |exchange| exchange.time),
            rtt_us: exchange.and_then(|exchange| exchange.rtt_us),
            attempts: exchange.map_or(0, |exchange| u16::try_from(exchange.attempts).unwrap_or(u16::MAX)),
            truncated,
            aliases: &found.aliases,
            message: match (exchange, response) {
                (Some(exchange), Some(_)) => &exchange.wire,
                _ => &[],
            },
        })
    }
}

struct Progress {
    batch: Batch,
    /// Names of the batch that were taken.
    used: usize,
    /// Lines of the names under way.
    under_way: BTreeSet<u64>,
    disbelieved: u64,
    /// Names without an answer in a row.
    unanswered: u32,
    answered_at: Instant,
}

impl Progress {
    fn note(&mut self, line: u64, found: &Lookup) {
        self.under_way.remove(&line);
        let exchange = found.exchange.as_deref();
        self.disbelieved += exchange.map_or(0, |exchange| exchange.disbelieved.into());
        if exchange.is_some_and(|exchange| exchange.response().is_some()) {
            (self.unanswered, self.answered_at) = (0, Instant::now());
        } else {
            self.unanswered = self.unanswered.saturating_add(1);
        }
    }

    fn pause(&self, keeper: &mut impl Keeper) -> Result<(), SweepError> {
        let left = (self.used..self.batch.len()).filter_map(|at| Some(self.batch.get(at)?.1));
        let mut pending: Vec<u64> = self.under_way.iter().copied().chain(left).collect();
        pending.sort_unstable();
        let moment = Moment {
            lines: self.batch.lines,
            bytes: self.batch.bytes,
            skipped: self.batch.skipped,
            digest: self.batch.digest,
            pending: &pending,
            servers: None,
            disbelieved: self.disbelieved,
        };
        keeper.pause(&moment).map_err(SweepError::Keep)
    }
}
