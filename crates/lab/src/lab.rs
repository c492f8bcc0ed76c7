//! A running world: one UDP and one TCP socket for each address, all on loopback.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use domain::rdata::Dnskey;
use jiff::{SignedDuration, Timestamp};
use model::{Delegation, Ds, Name, Transport};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::event::Event;
use crate::forge::Forger;
use crate::organisation::Organisation;
use crate::respond::{Reaction, respond};
use crate::sign::{SignError, ZoneKey};
use crate::stage::{EventError, Snapshot, Stage};
use crate::tamper::{Answer, Tampering};
use crate::world::World;

/// How long an idle TCP connection is kept (RFC 7766 §6.2.3 asks for seconds).
const IDLE: Duration = Duration::from_secs(10);

/// TCP connections at a time, for each address. Further ones wait.
const CONNECTIONS_PER_ADDRESS: usize = 64;

/// How often a port is picked anew when the one picked is not free at every address.
const PORT_ATTEMPTS: usize = 50;

/// Open files that the rest of the process may need besides the world's sockets: connections, a database, logs.
const OTHER_OPEN_FILES: u64 = 1024;

/// Largest question that is read from UDP, in octets.
const LARGEST_QUESTION: usize = 4096;

/// Why a lab cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A zone cannot be signed.
    #[error("cannot set the world up")]
    Sign(#[from] SignError),
    /// A socket cannot be opened.
    #[error("cannot listen on {address} (the lab needs {sockets} sockets in all; `ulimit -n` must allow them)")]
    Listen {
        /// Address and port.
        address: SocketAddr,
        /// Sockets that the whole world needs.
        sockets: usize,
        /// Why.
        source: io::Error,
    },
}

/// Questions that came to one address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Questions {
    /// Over UDP.
    pub udp: u64,
    /// Over TCP.
    pub tcp: u64,
}

#[derive(Debug, Default)]
struct Counter {
    udp: AtomicU64,
    tcp: AtomicU64,
}

#[derive(Debug)]
struct Shared {
    snapshot: RwLock<Arc<Snapshot>>,
    counters: HashMap<IpAddr, Counter>,
    random: Mutex<StdRng>,
}

impl Shared {
    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().expect("no holder of this lock panics"))
    }

    fn react(&self, octets: &[u8], transport: Transport, address: IpAddr) -> Reaction {
        if let Some(counter) = self.counters.get(&address) {
            let count = if transport == Transport::Udp {
                &counter.udp
            } else {
                &counter.tcp
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
        let mut random = StdRng::from_rng(&mut *self.random.lock().expect("no holder of this lock panics"));
        respond(octets, transport, address, &self.snapshot(), &mut random)
    }
}

/// A running world. Its servers stop when the last handle is dropped.
#[derive(Debug, Clone)]
pub struct Lab(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    world: Arc<World>,
    port: u16,
    start: Timestamp,
    started: Instant,
    stage: Mutex<Stage>,
    shared: Arc<Shared>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Lab {
    /// Starts the world's servers on `port` of all their addresses; port 0 picks one that is free at all of them.
    ///
    /// `now` is the time at which zones are signed; from there on the lab counts by itself. Must be called within a
    /// Tokio runtime. Events of the world that have a time will happen by themselves.
    pub async fn start(world: World, port: u16, now: Timestamp) -> Result<Self, StartError> {
        let world = Arc::new(world);
        let (stage, snapshot) = Stage::set(Arc::clone(&world), now)?;
        let addresses: BTreeSet<IpAddr> = world
            .servers
            .iter()
            .flat_map(|server| server.addresses.iter().copied())
            .collect();
        let (port, sockets) = listen(&addresses, port).await?;
        let shared = Arc::new(Shared {
            snapshot: RwLock::new(Arc::new(snapshot)),
            counters: addresses.iter().map(|address| (*address, Counter::default())).collect(),
            random: Mutex::new(StdRng::seed_from_u64(world.seed)),
        });
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        for (address, udp, tcp) in sockets {
            let (udp, until) = (Arc::new(udp), stop.clone());
            let datagrams = serve_datagrams(Arc::clone(&shared), address, udp, tasks.clone());
            tasks.spawn(async move { until.run_until_cancelled_owned(datagrams).await });
            let until = stop.clone();
            let streams = serve_streams(Arc::clone(&shared), address, tcp, tasks.clone(), stop.clone());
            tasks.spawn(async move { until.run_until_cancelled_owned(streams).await });
        }
        tracing::info!(
            port,
            addresses = addresses.len(),
            "the world `{}` runs on port {port}",
            world.name
        );
        let lab = Self(Arc::new(Inner {
            world,
            port,
            start: now,
            started: Instant::now(),
            stage: Mutex::new(stage),
            shared,
            stop,
            tasks,
        }));
        lab.schedule();
        Ok(lab)
    }

    /// Lets the events that have a time happen, without keeping the lab alive for them.
    fn schedule(&self) {
        for event in self.0.world.events.iter().filter(|event| event.at.is_some()).cloned() {
            let (inner, until) = (Arc::downgrade(&self.0), self.0.stop.clone());
            let at = self.0.started + event.at.unwrap_or_default().forward();
            let happen = async move {
                tokio::time::sleep_until(at).await;
                let Some(inner) = inner.upgrade() else { return };
                if let Err(error) = Self(inner).apply(&event) {
                    tracing::error!(%error, name = event.name, "an event of the world did not happen");
                }
            };
            self.0
                .tasks
                .spawn(async move { until.run_until_cancelled_owned(happen).await });
        }
    }

    /// Lets an event happen now. It is in force when this returns.
    pub fn apply(&self, event: &Event) -> Result<(), EventError> {
        let mut stage = self.0.stage.lock().expect("no holder of this lock panics");
        let snapshot = stage.apply(event, self.now())?;
        *self.0.shared.snapshot.write().expect("no holder of this lock panics") = Arc::new(snapshot);
        Ok(())
    }

    /// The lab's time: that of its start and what has passed since.
    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.0.started.elapsed()).unwrap_or(SignedDuration::MAX);
        self.0.start.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }

    /// The port of all its servers.
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// The world as it was read.
    pub fn world(&self) -> &World {
        &self.0.world
    }

    /// The organisations of the world.
    pub fn organisations(&self) -> &[Organisation] {
        &self.0.world.organisations
    }

    /// The root's name servers with their addresses, as a hints file would list them.
    pub fn hints(&self) -> Vec<(Name, Vec<IpAddr>)> {
        let mut hints: BTreeMap<Name, Vec<IpAddr>> = BTreeMap::new();
        for server in self
            .0
            .world
            .servers
            .iter()
            .filter(|server| server.zones.iter().any(|zone| zone == "."))
        {
            hints.entry(server.name.clone()).or_default().extend(&server.addresses);
        }
        hints.into_iter().collect()
    }

    /// Names of all zones, parents before children.
    pub fn zones(&self) -> Vec<Name> {
        let mut names: Vec<Name> = self
            .0
            .shared
            .snapshot()
            .zones
            .iter()
            .map(|zone| zone.name.clone())
            .collect();
        names.sort();
        names
    }

    /// The delegation of a zone as its parent gives it at this moment; for the root what the hints say.
    ///
    /// Name servers outside the parent have no addresses here.
    pub fn delegation(&self, zone: &Name) -> Option<Delegation> {
        let snapshot = self.0.shared.snapshot();
        if zone.is_root() {
            let ns = self
                .hints()
                .into_iter()
                .map(|(name, addresses)| (name, addresses.into_iter().collect()));
            return Some(Delegation {
                ns: ns.collect(),
                ds: BTreeSet::new(),
            });
        }
        let parent = snapshot
            .zones
            .iter()
            .find(|above| above.name != *zone && zone.is_at_or_below(&above.name))?;
        parent.delegation(zone)
    }

    /// Lets `change` change every answer of the server at `address` before it is sent, transfers aside.
    pub fn tamper(&self, address: IpAddr, change: impl Fn(&mut Answer) + Send + Sync + 'static) {
        let mut stage = self.0.stage.lock().expect("no holder of this lock panics");
        let snapshot = stage.tamper(address, Tampering::new(change));
        *self.0.shared.snapshot.write().expect("no holder of this lock panics") = Arc::new(snapshot);
    }

    /// The key of a zone to forge signatures with, by zone id; its first key where it has several.
    pub fn forger(&self, zone: &str) -> Option<Forger> {
        self.keys_of(zone).first().and_then(ZoneKey::forger)
    }

    /// The public key of a zone, by zone id, the first where it has several; none when it is not signed.
    pub fn dnskey(&self, zone: &str) -> Option<Dnskey<Vec<u8>>> {
        self.keys_of(zone).first().map(ZoneKey::dnskey)
    }

    /// The DS of the key with which a zone is signed at this moment, by zone id; of its first key where it has several.
    pub fn ds(&self, zone: &str) -> Option<Ds> {
        self.keys_of(zone).first().map(ZoneKey::ds)
    }

    /// The public key that the world's file calls `key`, of the zone with this id.
    pub fn dnskey_named(&self, zone: &str, key: &str) -> Option<Dnskey<Vec<u8>>> {
        let keys = self.keys_of(zone);
        keys.iter().find(|known| known.key.name == key).map(ZoneKey::dnskey)
    }

    fn keys_of(&self, zone: &str) -> Vec<ZoneKey> {
        let snapshot = self.0.shared.snapshot();
        let served = snapshot.servers.values().flat_map(|server| &server.zones);
        let live = served.chain(&snapshot.zones).find(|live| live.id == zone);
        live.map(|live| live.keys().to_vec()).unwrap_or_default()
    }

    /// How many questions came to each address so far.
    pub fn questions(&self) -> BTreeMap<IpAddr, Questions> {
        let count = |counter: &Counter| Questions {
            udp: counter.udp.load(Ordering::Relaxed),
            tcp: counter.tcp.load(Ordering::Relaxed),
        };
        self.0
            .shared
            .counters
            .iter()
            .map(|(address, counter)| (*address, count(counter)))
            .collect()
    }

    /// Stops all servers and waits until their sockets are closed.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// Ends when the lab is stopped.
    pub(crate) fn stopped(&self) -> CancellationToken {
        self.0.stop.clone()
    }
}

type Sockets = Vec<(IpAddr, UdpSocket, TcpListener)>;

async fn listen(addresses: &BTreeSet<IpAddr>, port: u16) -> Result<(u16, Sockets), StartError> {
    let Some(first) = addresses.first() else {
        return Ok((port, Vec::new()));
    };
    allow_open_files(2 * addresses.len());
    if port != 0 {
        return open_all(addresses, port).await.map(|sockets| (port, sockets));
    }
    let mut attempt = 0;
    loop {
        attempt += 1;
        let failed = |source| StartError::Listen {
            address: (*first, 0).into(),
            sockets: 2 * addresses.len(),
            source,
        };
        let picked = UdpSocket::bind((*first, 0))
            .await
            .and_then(|socket| socket.local_addr())
            .map_err(failed)?
            .port();
        match open_all(addresses, picked).await {
            Ok(sockets) => return Ok((picked, sockets)),
            Err(StartError::Listen { source, .. })
                if source.kind() == io::ErrorKind::AddrInUse && attempt < PORT_ATTEMPTS => {}
            Err(error) => return Err(error),
        }
    }
}

/// Raises the process's soft limit of open files, as far as its hard limit lets it, where `sockets` more are too many.
///
/// Many systems start processes with 1024, which is not enough for 500 addresses. Opening says so where it stays too low.
fn allow_open_files(sockets: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let Some(current) = limit.current else { return };
    let wanted = (sockets as u64).saturating_add(OTHER_OPEN_FILES);
    if current >= wanted {
        return;
    }
    let raised = Rlimit {
        current: Some(limit.maximum.map_or(wanted, |most| most.min(wanted))),
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files stays at {current}");
    }
}

async fn open_all(addresses: &BTreeSet<IpAddr>, port: u16) -> Result<Sockets, StartError> {
    let mut sockets = Vec::with_capacity(addresses.len());
    for address in addresses {
        let at = SocketAddr::new(*address, port);
        let failed = |source| StartError::Listen {
            address: at,
            sockets: 2 * addresses.len(),
            source,
        };
        let udp = UdpSocket::bind(at).await.map_err(failed)?;
        sockets.push((*address, udp, TcpListener::bind(at).await.map_err(failed)?));
    }
    Ok(sockets)
}

async fn serve_datagrams(shared: Arc<Shared>, address: IpAddr, socket: Arc<UdpSocket>, tasks: TaskTracker) {
    let mut buffer = vec![0; LARGEST_QUESTION];
    loop {
        // An error here is an ICMP message for an earlier answer; the next question is none the worse for it.
        let Ok((length, client)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        let reaction = shared.react(&buffer[..length], Transport::Udp, address);
        if let Some(from) = reaction.from {
            tasks.spawn(send_from(from, client, reaction));
            continue;
        }
        if reaction.delay.is_zero() {
            send_all(&socket, client, reaction.messages).await;
            continue;
        }
        let socket = Arc::clone(&socket);
        tasks.spawn(async move {
            tokio::time::sleep(reaction.delay).await;
            send_all(&socket, client, reaction.messages).await;
        });
    }
}

/// Sends from a port of another address. Where that address cannot be had, the client gets nothing.
async fn send_from(from: IpAddr, client: SocketAddr, reaction: Reaction) {
    tokio::time::sleep(reaction.delay).await;
    match UdpSocket::bind((from, 0)).await {
        Ok(socket) => send_all(&socket, client, reaction.messages).await,
        Err(error) => tracing::warn!(%error, "cannot send an answer from {from}"),
    }
}

async fn send_all(socket: &UdpSocket, client: SocketAddr, messages: Vec<Vec<u8>>) {
    for message in messages {
        // A client that is gone does not get its answer.
        let _ = socket.send_to(&message, client).await;
    }
}

async fn serve_streams(
    shared: Arc<Shared>,
    address: IpAddr,
    listener: TcpListener,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_PER_ADDRESS));
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, most likely: they come back when connections end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (shared, until) = (Arc::clone(&shared), stop.clone());
        let serve = async move {
            // A client that breaks off or sends nonsense has only its own connection to lose.
            let _ = serve_stream(&shared, address, stream).await;
            drop(place);
        };
        tasks.spawn(async move { until.run_until_cancelled_owned(serve).await });
    }
}

async fn serve_stream(shared: &Shared, address: IpAddr, mut stream: TcpStream) -> io::Result<()> {
    let mut octets = Vec::new();
    loop {
        let length = tokio::time::timeout(IDLE, stream.read_u16()).await??;
        octets.resize(usize::from(length), 0);
        tokio::time::timeout(IDLE, stream.read_exact(&mut octets)).await??;
        let reaction = shared.react(&octets, Transport::Tcp, address);
        tokio::time::sleep(reaction.delay).await;
        for message in reaction.messages {
            let length = u16::try_from(message.len()).map_err(|_| io::ErrorKind::InvalidData)?;
            let framed = [&length.to_be_bytes(), message.as_slice()].concat();
            if reaction.pace.is_zero() {
                stream.write_all(&framed).await?;
                continue;
            }
            for octet in framed {
                stream.write_all(&[octet]).await?;
                tokio::time::sleep(reaction.pace).await;
            }
        }
        if reaction.close {
            return Ok(());
        }
    }
}
