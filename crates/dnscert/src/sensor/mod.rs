//! Listening to interfaces and to name servers that send dnstap: what passes is reduced, and kept window by window, by a sensor in its
//! spool, from which the parts are handed over.
//!
//! Each stream (an interface, a connection) has a thread and a state of its own, so that a clock that is off or a writer that sends
//! garbage spoils nothing but its own. A line that is down stops none of the listening. What an abrupt end loses is the window that
//! was under way.

#[cfg(target_os = "linux")]
mod filter;
mod keep;
#[cfg(target_os = "linux")]
mod ring;
mod tap;
mod window;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use capture::{Came, Form, FrameConnection, Listening, Reader, Receipt, SinkError};
use jiff::Timestamp;
use model::Clock;
use tokio_util::sync::CancellationToken;

use crate::hand_over::{self, HandOver};
use tap::{Tap, Writer};
use window::{Collecting, Window};

#[cfg(target_os = "linux")]
pub use filter::MOST_PORTS;
pub use keep::{IntoLake, Keep};
pub use tap::TapAddress;

/// Connections at a time; a further one is closed. Each takes a thread, and memory as its traffic is.
const MOST_WRITERS: usize = 64;

/// How long a writer may take to open its stream of frames.
const OPEN_PATIENCE: Duration = Duration::from_secs(10);

/// How long after its end a window is sealed: streams look at the clock five times a second.
const GRACE: Duration = Duration::from_secs(1);

/// Pause after a writer could not be taken: there are too many open files, or the like.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// What is listened to.
#[derive(Debug, Clone)]
pub struct Streams {
    /// Seconds of a window.
    pub window_secs: u32,
    /// Where writers of dnstap connect to.
    pub taps: Vec<TapAddress>,
    /// Interfaces that are listened to.
    pub interfaces: Vec<String>,
    /// Octets of each interface's ring.
    pub ring_bytes: usize,
    /// How traffic is read.
    pub capture: capture::Settings,
    /// Is given the receipt of each stream's turn.
    pub print: fn(&Receipt),
}

/// What the threads share.
struct Shared {
    streams: Streams,
    window: Window,
    clock: Arc<dyn Clock>,
    is_stopping: AtomicBool,
    writers: Mutex<Vec<JoinHandle<()>>>,
    /// Interfaces that are still listened to, and sockets that still accept.
    sources: AtomicUsize,
    ended: tokio::sync::Notify,
}

/// Listens for a centre until `stop`. Fails where it cannot begin (a bad address, a spool that cannot be written, no right to listen),
/// and when nothing is left to listen to.
pub async fn run(
    way: &hand_over::Settings,
    streams: Streams,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let way = HandOver::open(way, hand_over::Form::Observed, clock.clone())?;
    let shared = Shared::new(streams, Keep::Spool(way.spool.clone()), clock);
    let busy = async {
        tokio::select! {
            () = way.hand_over() => {}
            () = way.speak(|| shared.window.lost_packets()) => {}
            () = stop.cancelled() => {}
        }
    };
    listen_while(&shared, busy).await
}

/// Listens for a lake on this machine until `stop`, or for receipts alone. Fails as [`run`] does.
pub async fn run_here(
    keep: Keep,
    streams: Streams,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let shared = Shared::new(streams, keep, clock);
    listen_while(&shared, stop.cancelled()).await
}

async fn listen_while(shared: &Arc<Shared>, busy: impl Future<Output = ()>) -> anyhow::Result<()> {
    let threads = listen(shared)?;
    let window = Duration::from_secs(shared.streams.window_secs.into());
    let ended = tokio::select! {
        () = seal_windows(shared, window) => Ok(()),
        () = nothing_is_left(shared) => Err(anyhow::anyhow!("there is nothing left to listen to")),
        () = busy => Ok(()),
    };
    shared.is_stopping.store(true, Ordering::Relaxed);
    let last = shared.clone();
    let finished = tokio::task::spawn_blocking(move || {
        let writers = || std::mem::take(&mut *last.writers());
        // a panic was told by its thread
        threads.into_iter().for_each(|thread| drop(thread.join()));
        writers().into_iter().for_each(|thread| drop(thread.join()));
        last.window.finish()
    });
    finished.await.context("keeping the last window")??;
    ended
}

/// Opens everything that is to be listened to, and begins.
fn listen(shared: &Arc<Shared>) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let taps: Vec<Tap> = shared
        .streams
        .taps
        .iter()
        .map(Tap::open)
        .collect::<anyhow::Result<_>>()?;
    let mut threads = interfaces(shared)?;
    for (tap, address) in taps.into_iter().zip(&shared.streams.taps) {
        tracing::info!(%address, "waiting for dnstap");
        let (address, of_thread) = (address.to_string(), shared.clone());
        threads.push(source(shared, format!("dnstap at {address}"), move || {
            accept(&of_thread, &tap, &address)
        })?);
    }
    Ok(threads)
}

/// A thread that listens, and says so when it ends before it is told to.
fn source(
    shared: &Arc<Shared>,
    name: String,
    work: impl FnOnce() -> anyhow::Result<()> + Send + 'static,
) -> anyhow::Result<JoinHandle<()>> {
    shared.sources.fetch_add(1, Ordering::AcqRel);
    let of_thread = shared.clone();
    let work = move || {
        if let Err(error) = work() {
            tracing::error!("{error:#}");
        }
        of_thread.sources.fetch_sub(1, Ordering::AcqRel);
        of_thread.ended.notify_one();
    };
    std::thread::Builder::new()
        .spawn(work)
        .with_context(|| format!("starting a thread for {name}"))
}

async fn nothing_is_left(shared: &Shared) {
    while shared.sources.load(Ordering::Acquire) > 0 {
        shared.ended.notified().await;
    }
}

/// Seals each window a moment after its end. Windows begin at whole multiples of their length.
async fn seal_windows(shared: &Arc<Shared>, window: Duration) {
    loop {
        let now = shared.clock.now();
        let length_ms = window.as_millis().max(1) as i64;
        let rest = length_ms - now.as_millisecond().rem_euclid(length_ms);
        tokio::time::sleep(Duration::from_millis(rest as u64) + GRACE.min(window / 2)).await;
        let shared = shared.clone();
        let sealed = tokio::task::spawn_blocking(move || shared.window.seal()).await;
        if let Err(error) = sealed {
            tracing::error!("a window could not be sealed: {error}");
        }
    }
}

impl Shared {
    fn new(streams: Streams, keep: Keep, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            window: Window::new(keep, streams.print),
            clock,
            is_stopping: AtomicBool::new(false),
            writers: Mutex::default(),
            sources: AtomicUsize::new(0),
            ended: tokio::sync::Notify::new(),
            streams,
        })
    }

    /// Threads of the writers.
    fn writers(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    /// The number of the window of a moment.
    fn window_of(&self, time: Timestamp) -> i64 {
        time.as_second().div_euclid(i64::from(self.streams.window_secs))
    }
}

/// A stream's turns: each ends with its window.
struct Turns<'a> {
    shared: &'a Shared,
    window: i64,
}

impl<'a> Turns<'a> {
    fn new(shared: &'a Shared) -> Self {
        Self {
            shared,
            window: shared.window_of(shared.clock.now()),
        }
    }

    /// Passes on what the stream has, where another window has begun. Gives the present moment.
    fn look(&mut self, listening: &mut Listening<'_>) -> Result<Timestamp, SinkError> {
        let now = self.shared.clock.now();
        let window = self.shared.window_of(now);
        if window != self.window {
            self.window = window;
            self.shared.window.note(&listening.turn(now)?);
        }
        Ok(now)
    }
}

/// An error of a sink with its causes.
fn told(error: SinkError) -> anyhow::Error {
    anyhow::anyhow!(error)
}

/// Waits for writers of dnstap, each of which gets a thread.
fn accept(shared: &Arc<Shared>, tap: &Tap, address: &str) -> anyhow::Result<()> {
    let mut number = 0_u64;
    while !shared.is_stopping() {
        let writer = match tap.accept() {
            Ok(Some(writer)) => writer,
            Ok(None) => continue,
            Err(error) => {
                tracing::warn!("a writer of dnstap at `{address}` could not be taken: {error}");
                std::thread::park_timeout(ACCEPT_PAUSE);
                continue;
            }
        };
        let mut writers = shared.writers();
        writers.retain(|thread| !thread.is_finished());
        if writers.len() >= MOST_WRITERS {
            tracing::warn!("a writer of dnstap at `{address}` is turned away: {MOST_WRITERS} are connected");
            continue;
        }
        number += 1;
        let (name, of_thread) = (format!("dnstap {address} #{number}"), shared.clone());
        let spawned = std::thread::Builder::new().spawn(move || match frames(&of_thread, writer, &name) {
            Ok(()) => tracing::info!(stream = name, "the writer is done"),
            Err(error) => tracing::warn!(stream = name, "the writer is given up: {error:#}"),
        });
        match spawned {
            Ok(thread) => writers.push(thread),
            Err(error) => tracing::error!("a writer of dnstap gets no thread: {error}"),
        }
    }
    Ok(())
}

/// Reads the frames of one writer to its end.
fn frames(shared: &Shared, writer: Writer, name: &str) -> anyhow::Result<()> {
    let mut reader = Reader::new(shared.streams.capture.clone());
    let mut sink = Collecting(&shared.window);
    let mut listening = reader.listen(name, Form::Dnstap, &mut sink);
    let mut turns = Turns::new(shared);
    let mut connection = FrameConnection::new(writer);
    let (begun, mut was_open) = (Instant::now(), false);
    let ended = loop {
        if shared.is_stopping() {
            break Ok(());
        }
        let now = turns.look(&mut listening).map_err(told)?;
        if connection.is_open() && !was_open {
            was_open = true;
            tracing::info!(stream = name, "a writer opened its stream");
        }
        let is_late = !connection.is_open() && begun.elapsed() > OPEN_PATIENCE;
        match connection.receive() {
            Ok(Came::Frame(frame)) => listening.frame(frame, now).map_err(told)?,
            Ok(Came::Nothing) if is_late => break Err(anyhow::anyhow!("it did not open a stream of frames")),
            Ok(Came::Nothing) => {}
            Ok(Came::End) => break Ok(()),
            Err(error) => break Err(error.into()),
        }
    };
    shared.window.note(&listening.finish().map_err(told)?);
    ended
}

#[cfg(not(target_os = "linux"))]
fn interfaces(shared: &Arc<Shared>) -> anyhow::Result<Vec<JoinHandle<()>>> {
    anyhow::ensure!(
        shared.streams.interfaces.is_empty(),
        "interfaces can be listened to on Linux alone"
    );
    Ok(Vec::new())
}

/// Opens the interfaces, all before the first is listened to.
#[cfg(target_os = "linux")]
fn interfaces(shared: &Arc<Shared>) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let streams = &shared.streams;
    let open = |name: &String| ring::Ring::open(name, &streams.capture.ports, streams.ring_bytes);
    let rings: Vec<_> = streams.interfaces.iter().map(open).collect::<anyhow::Result<_>>()?;
    let mut threads = Vec::new();
    for (ring, name) in rings.into_iter().zip(&streams.interfaces) {
        tracing::info!(interface = name, "listening");
        let (name, of_thread) = (name.clone(), shared.clone());
        threads.push(source(shared, format!("the interface `{name}`"), move || {
            packets(&of_thread, ring, &name)
        })?);
    }
    Ok(threads)
}

/// Reads what passes an interface, until told to stop or the interface goes.
#[cfg(target_os = "linux")]
fn packets(shared: &Shared, mut ring: ring::Ring, name: &str) -> anyhow::Result<()> {
    /// Milliseconds that a look into an empty ring waits.
    const PATIENCE_MS: u16 = 200;
    /// Packets between two looks at the clock.
    const PACKETS_A_LOOK: u32 = 64;
    let mut reader = Reader::new(shared.streams.capture.clone());
    let mut sink = Collecting(&shared.window);
    let mut listening = reader.listen(&format!("interface {name}"), Form::Interface, &mut sink);
    let mut turns = Turns::new(shared);
    let link = ring.link();
    let mut packets = 0;
    let ended = loop {
        match ring.next(PATIENCE_MS) {
            Ok(Some(packet)) => {
                listening.packet(link, packet.time, packet.octets).map_err(told)?;
                packets += 1;
                if packets < PACKETS_A_LOOK {
                    continue;
                }
            }
            Ok(None) => {}
            Err(error) => break Err(error).with_context(|| format!("listening to `{name}`")),
        }
        packets = 0;
        if shared.is_stopping() {
            break Ok(());
        }
        match ring.lost() {
            Ok(lost) => listening.lost(lost),
            Err(error) => break Err(error).with_context(|| format!("asking what `{name}` lost")),
        }
        turns.look(&mut listening).map_err(told)?;
    };
    shared.window.note(&listening.finish().map_err(told)?);
    ended
}
