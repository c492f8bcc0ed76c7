//! Asks a few servers for many names: one loop that sends, listens and waits.
//!
//! Names wait in the table of slots. A turn of the loop gives up what has waited long enough, sends what the servers may
//! be asked, reads what has arrived, and sleeps until one of these has something to do.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::poll_fn;
use jiff::{SignedDuration, Timestamp};
use model::{Clock, Outcome, Transport};
use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _};
use tokio::sync::mpsc;

use super::connections::{Connection, Connections};
use super::message::{self, Form, Judgement, QUESTION};
use super::sockets::{self, Outgoing, Sockets};
use super::table::{Sending, SlotState, Table};
use super::targets::{Limits, Targets};
use super::{Batch, End, Keeper, Moment, Settings, SweepError, Swept};

/// How often the keeper gets a moment. Chosen by us: what people see of it changes smoothly.
const MOMENT: Duration = Duration::from_millis(250);
/// How often refusals are looked for that no other call told of: the runtime does not wake for them. Chosen by us: much
/// shorter than a question waits, and some hundred system calls a second.
const REFUSALS: Duration = Duration::from_millis(50);
/// Questions out to one server that has no interval. Chosen by us: fewer than the answers that the usual receive buffer
/// (Linux, 212,992 octets, some 277 small datagrams) takes, so that a server on loopback loses nothing.
const OUT: u32 = 250;
/// How long is waited when the system has no room for a question. Chosen by us: as fine as timers are.
const FULL: Duration = Duration::from_millis(1);
/// Batches read from one socket before the others have their turn.
const READS: usize = 4;

/// Puts one question for each name to `servers`, until the names end, `stop` comes true or nobody answers any more.
///
/// Must run on one thread within a Tokio runtime. `random` makes ids, ports and letter case.
pub async fn ask(
    settings: &Settings,
    servers: &[SocketAddr],
    mut names: mpsc::Receiver<Batch>,
    keeper: &mut impl Keeper,
    stop: impl Future<Output = ()>,
    clock: &dyn Clock,
    random: StdRng,
) -> Result<End, SweepError> {
    // one that is given twice is not to be asked twice as often
    let servers: BTreeSet<SocketAddr> = servers.iter().copied().collect();
    let servers: Vec<SocketAddr> = servers.into_iter().collect();
    if servers.is_empty() {
        return Err(SweepError::NoServer);
    }
    let sockets = Sockets::open(&servers)?;
    let now = Instant::now();
    let limits = Limits {
        targets: servers
            .iter()
            .map(|server| (*server, settings.server_interval_for(server.ip())))
            .collect(),
        interval: settings.interval_for(servers.iter().map(SocketAddr::ip)),
        out: OUT,
        silence: settings.timeout,
    };
    let mut sweep = Direct {
        form: Form::new(settings),
        table: Table::new(
            settings.under_way.clamp(1, super::MOST_UNDER_WAY),
            sockets.len(),
            settings.waits(),
            now,
        ),
        targets: Targets::new(limits, now),
        outs: Default::default(),
        connections: Connections::default(),
        batch: Batch::default(),
        used: 0,
        is_end: false,
        garbage: vec![None; servers.len()],
        disbelieved: 0,
        next_refusals: now,
        begun: (now, clock.now()),
        settings,
        keeper,
        random,
    };
    sweep.run(sockets, &mut names, stop).await
}

/// Questions of one family that are written, all for one socket.
#[derive(Default)]
struct Out {
    batch: Vec<Outgoing>,
    socket: u16,
    /// How many of them are sent.
    sent: usize,
}

impl Out {
    fn is_sent(&self) -> bool {
        self.sent == self.batch.len()
    }
}

struct Direct<'a, K> {
    settings: &'a Settings,
    keeper: &'a mut K,
    random: StdRng,
    form: Form,
    table: Table,
    targets: Targets,
    /// Questions over IPv4, and over IPv6.
    outs: [Out; 2],
    connections: Connections,
    batch: Batch,
    /// Names of the batch that were taken into the table.
    used: usize,
    /// Whether there are no more batches.
    is_end: bool,
    /// Of each server: when octets last came from it that are no message.
    garbage: Vec<Option<Instant>>,
    disbelieved: u64,
    next_refusals: Instant,
    begun: (Instant, Timestamp),
}

/// What there is to wait for.
enum Woken {
    Arrived,
    Batch(Option<Batch>),
    Connection(Connection),
    Time,
    Stop,
}

impl<K: Keeper> Direct<'_, K> {
    async fn run(
        &mut self,
        mut sockets: Sockets,
        names: &mut mpsc::Receiver<Batch>,
        stop: impl Future<Output = ()>,
    ) -> Result<End, SweepError> {
        let mut stop = std::pin::pin!(stop);
        let mut next_moment = Instant::now();
        loop {
            let now = Instant::now();
            self.act(&mut sockets, now).map_err(SweepError::Keep)?;
            let end = self.end(now);
            if end.is_some() || next_moment <= now {
                next_moment = now + MOMENT;
                self.pause().map_err(SweepError::Keep)?;
            }
            if let Some(end) = end {
                return Ok(end);
            }
            let until = self.next_event(now).min(next_moment);
            match self.wait(&sockets, names, stop.as_mut(), until).await {
                Woken::Arrived | Woken::Time => {}
                Woken::Batch(Some(batch)) => (self.batch, self.used) = (batch, 0),
                Woken::Batch(None) => self.is_end = true,
                Woken::Connection(connection) => self.finish_over_tcp(&connection).map_err(SweepError::Keep)?,
                Woken::Stop => {
                    self.pause().map_err(SweepError::Keep)?;
                    return Ok(End::Stopped);
                }
            }
        }
    }

    /// One turn: reads what was refused, gives up what has waited long enough, sends, and reads what has arrived.
    fn act(&mut self, sockets: &mut Sockets, now: Instant) -> io::Result<()> {
        if self.next_refusals <= now {
            self.next_refusals = now + REFUSALS;
            for socket in 0..sockets.len() as u16 {
                self.read_refusals(sockets, socket, now)?;
            }
        }
        self.give_up_expired(now)?;
        self.send(sockets, now)?;
        self.receive(sockets)
    }

    /// How the sweep has ended, if it has.
    fn end(&self, now: Instant) -> Option<End> {
        if self.is_end && self.used == self.batch.len() && self.table.len() == 0 {
            return Some(End::Done);
        }
        let silent = self.targets.silent_since()?;
        (silent + self.settings.patience <= now).then_some(End::Silence)
    }

    /// When there is something to do, if nothing arrives.
    fn next_event(&self, now: Instant) -> Instant {
        let turn = match self.is_sent() {
            true => self.next_turn_at(now),
            false => Some(now + FULL),
        };
        let expiry = self.table.next_expiry().map(|expiry| expiry.min(self.next_refusals));
        turn.into_iter().chain(expiry).min().unwrap_or(now + MOMENT)
    }

    async fn wait(
        &mut self,
        sockets: &Sockets,
        names: &mut mpsc::Receiver<Batch>,
        stop: impl Future<Output = ()> + Unpin,
        until: Instant,
    ) -> Woken {
        let wants_batch = !self.is_end && self.used == self.batch.len();
        tokio::select! {
            biased;
            () = stop => Woken::Stop,
            batch = names.recv(), if wants_batch => Woken::Batch(batch),
            Some(connection) = self.connections.next() => Woken::Connection(connection),
            () = poll_fn(|cx| sockets.poll_arrived(cx)) => Woken::Arrived,
            () = tokio::time::sleep_until(until.into()) => Woken::Time,
        }
    }

    fn pause(&mut self) -> io::Result<()> {
        let left = (self.used..self.batch.len()).filter_map(|at| Some(self.batch.get(at)?.1));
        let mut pending: Vec<u64> = self.table.lines().chain(left).collect();
        pending.sort_unstable();
        self.keeper.pause(&Moment {
            lines: self.batch.lines,
            bytes: self.batch.bytes,
            skipped: self.batch.skipped,
            digest: self.batch.digest,
            pending: &pending,
            servers: Some(self.targets.silent()),
            disbelieved: self.disbelieved,
        })
    }

    /// Ends the waits that are over.
    fn give_up_expired(&mut self, now: Instant) -> io::Result<()> {
        while let Some(slot) = self.table.first_expired(now) {
            if self.table.state(slot) == SlotState::Waiting {
                let sending = *self.table.slot(slot).sendings().last().expect("it waits for an answer");
                self.targets.miss(sending.target, now);
                self.targets.release(sending.target, now);
                let sent_garbage = self.garbage[sending.target as usize].is_some_and(|at| at >= sending.at);
                if sent_garbage {
                    self.table.slot_mut(slot).outcome = Outcome::Garbage;
                }
                if !self.table.may_ask_again(slot) {
                    self.fail(slot, now)?;
                    continue;
                }
            }
            self.table.give_up(slot, now);
        }
        Ok(())
    }

    /// Asks what may be asked now.
    fn send(&mut self, sockets: &mut Sockets, now: Instant) -> io::Result<()> {
        loop {
            for family in 0..self.outs.len() {
                self.flush(family, sockets, now)?;
            }
            if !self.is_sent() {
                return Ok(());
            }
            self.write(sockets, now);
            if self.is_sent() {
                return Ok(());
            }
        }
    }

    /// Whether all questions that are written are sent.
    fn is_sent(&self) -> bool {
        self.outs.iter().all(Out::is_sent)
    }

    /// Writes the questions whose turn it is, as many as can be sent at once.
    fn write(&mut self, sockets: &mut Sockets, now: Instant) {
        for out in &mut self.outs {
            out.batch.clear();
            out.sent = 0;
        }
        while self.outs.iter().all(|out| out.batch.len() < sockets::BATCH)
            && let Some((due, target)) = self.next_turn(now)
        {
            let slot = match due {
                Some(slot) => slot,
                None => self.take_name(now),
            };
            let to = self.targets.address(target);
            let out = &mut self.outs[usize::from(to.is_ipv6())];
            if out.batch.is_empty() {
                let random = self.random.next_u32() as u16;
                out.socket = sockets.choose(to.is_ipv4(), random, |socket| self.table.is_idle(socket));
            }
            let socket = out.socket;
            let id = self.table.free_id(socket, self.random.next_u32() as u16);
            let mut octets = [0; QUESTION];
            let length = self.form.write(id, self.table.slot(slot).name(), &mut octets);
            out.batch.push(Outgoing { octets, length, to });
            let at = now;
            self.table.sent(slot, Sending { socket, id, target, at });
        }
    }

    /// Whose turn it is: a slot that is due, or `None` for the next name of the batch; and the server to be asked.
    fn next_turn(&mut self, now: Instant) -> Option<(Option<u16>, u32)> {
        if let Some((slot, failed)) = self.first_due()
            && let Some(target) = self.targets.next(now, failed)
        {
            return Some((Some(slot), target));
        }
        let target = self.has_new().then(|| self.targets.next(now, None))??;
        Some((None, target))
    }

    /// When [`Direct::next_turn`] may give something.
    fn next_turn_at(&self, now: Instant) -> Option<Instant> {
        let due = self
            .first_due()
            .and_then(|(_, failed)| self.targets.next_turn(now, failed));
        let new = self.has_new().then(|| self.targets.next_turn(now, None)).flatten();
        due.into_iter().chain(new).min()
    }

    /// The slot that has been due the longest, and the server that failed it last.
    fn first_due(&self) -> Option<(u16, Option<u32>)> {
        let slot = self.table.first_due()?;
        let last = self.table.slot(slot).sendings().last();
        Some((slot, last.map(|sending| sending.target)))
    }

    /// Whether another name can be taken.
    fn has_new(&self) -> bool {
        self.used < self.batch.len() && self.table.has_room()
    }

    /// Takes the next name of the batch into the table, both of which must have one.
    fn take_name(&mut self, now: Instant) -> u16 {
        let (name, line) = self.batch.get(self.used).expect("the batch has names left");
        let slot = self.table.take(name, line, now).expect("the table has room");
        self.used += 1;
        if self.settings.case_randomization {
            for octet in self.table.slot_mut(slot).name_mut() {
                // length octets are below 64 and so never letters
                if octet.is_ascii_alphabetic() && self.random.random() {
                    octet.make_ascii_uppercase();
                }
            }
        }
        slot
    }

    /// Sends what is written for a family, as far as there is room.
    fn flush(&mut self, family: usize, sockets: &mut Sockets, now: Instant) -> io::Result<()> {
        while !self.outs[family].is_sent() {
            let out = &mut self.outs[family];
            match sockets.send(out.socket, &out.batch[out.sent..]) {
                Ok(count) => out.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // it concerns an earlier question, and is over with having been told
                Err(error) if sockets::is_refusal(&error) => {
                    let socket = out.socket;
                    self.read_refusals(sockets, socket, now)?;
                }
                Err(_) => {
                    let unsent = message::id_in(&out.batch[out.sent].octets);
                    out.sent += 1;
                    if let Some((slot, _)) = unsent.and_then(|id| self.table.find(out.socket, id)) {
                        self.ended_without_answer(slot, Outcome::Unreachable, now)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads what has arrived on all sockets.
    fn receive(&mut self, sockets: &mut Sockets) -> io::Result<()> {
        for socket in 0..sockets.len() as u16 {
            for _ in 0..READS {
                let mut kept = Ok(());
                let mut now = None;
                let received = sockets.receive(socket, |octets, from| {
                    let now = *now.get_or_insert_with(Instant::now);
                    if kept.is_ok() {
                        kept = self.take(socket, octets, from, now);
                    }
                });
                kept?;
                match received {
                    Ok(sockets::BATCH) => {}
                    Err(error) if sockets::is_refusal(&error) => {
                        self.read_refusals(sockets, socket, Instant::now())?;
                    }
                    // less than a batch was all there was
                    _ => break,
                }
            }
        }
        Ok(())
    }

    /// Takes one datagram.
    fn take(&mut self, socket: u16, octets: &[u8], from: SocketAddr, now: Instant) -> io::Result<()> {
        let Some(id) = message::id_of(octets) else {
            match self.targets.find(from) {
                Some(target) => self.garbage[target as usize] = Some(now),
                None => self.disbelieved += 1,
            }
            return Ok(());
        };
        let found = self.table.find(socket, id);
        let Some((slot, sending)) = found.filter(|(_, sending)| self.is_from(from, sending.target)) else {
            self.disbelieved += 1;
            return Ok(());
        };
        let exact = self.settings.case_randomization;
        match message::judge(octets, &self.form, self.table.slot(slot).name(), exact) {
            Judgement::Disbelieved => self.disbelieved += 1,
            Judgement::AgainOverTcp => {
                self.release(slot, sending, now);
                self.table.connect(slot, now);
                let (name, server) = (self.table.slot(slot).name(), self.targets.address(sending.target));
                self.connections.ask(slot, name, sending, server, self.settings);
            }
            Judgement::Answer => {
                self.release(slot, sending, now);
                let came = Came {
                    transport: Transport::Udp,
                    attempts: 0,
                    outcome: Outcome::Answer,
                    rtt: Some(now.saturating_duration_since(sending.at)),
                    message: octets,
                };
                self.finish(slot, sending, came, now)?;
            }
        }
        Ok(())
    }

    /// Whether an address is that of the server; the scope of IPv6 link-local addresses aside.
    fn is_from(&self, from: SocketAddr, target: u32) -> bool {
        let address = self.targets.address(target);
        (from.ip(), from.port()) == (address.ip(), address.port())
    }

    /// The server of `sending` answered, whichever question of the name is the last one out.
    fn release(&mut self, slot: u16, sending: Sending, now: Instant) {
        self.targets.hear(sending.target, now);
        if self.table.state(slot) == SlotState::Waiting {
            let last = *self.table.slot(slot).sendings().last().expect("it waits for an answer");
            self.targets.release(last.target, now);
        }
    }

    fn read_refusals(&mut self, sockets: &mut Sockets, socket: u16, now: Instant) -> io::Result<()> {
        let mut kept = Ok(());
        sockets.refusals(socket, |question, to| {
            let found = message::id_in(question).and_then(|id| self.table.find(socket, id));
            // only the last question of a name is still out
            let refused = found.filter(|(slot, sending)| {
                let last = self.table.slot(*slot).sendings().last();
                self.is_from(to, sending.target) && last.is_some_and(|last| last.id == sending.id)
            });
            if let Some((slot, _)) = refused
                && kept.is_ok()
            {
                kept = self.ended_without_answer(slot, Outcome::Refused, now);
            }
        });
        kept
    }

    /// The question that is out for a name came to nothing: it rests before the next, or is finished.
    fn ended_without_answer(&mut self, slot: u16, outcome: Outcome, now: Instant) -> io::Result<()> {
        if self.table.state(slot) != SlotState::Waiting {
            return Ok(());
        }
        let sending = *self.table.slot(slot).sendings().last().expect("it waits for an answer");
        self.targets.miss(sending.target, now);
        self.targets.release(sending.target, now);
        self.table.slot_mut(slot).outcome = outcome;
        if self.table.may_ask_again(slot) {
            self.table.rest(slot, now);
            return Ok(());
        }
        self.fail(slot, now)
    }

    /// The name is finished without an answer.
    fn fail(&mut self, slot: u16, now: Instant) -> io::Result<()> {
        let last = *self.table.slot(slot).sendings().last().expect("it was asked");
        let came = Came {
            transport: Transport::Udp,
            attempts: 0,
            outcome: self.table.slot(slot).outcome,
            rtt: None,
            message: &[],
        };
        self.finish(slot, last, came, now)
    }

    fn finish_over_tcp(&mut self, connection: &Connection) -> io::Result<()> {
        let ended = &connection.ended;
        self.disbelieved += u64::from(ended.disbelieved);
        let came = Came {
            transport: Transport::Tcp,
            attempts: ended.attempts,
            outcome: ended.outcome,
            rtt: ended.rtt_us.map(Duration::from_micros),
            message: match ended.outcome {
                Outcome::Answer => &ended.wire,
                _ => &[],
            },
        };
        self.finish(connection.slot, connection.sending, came, Instant::now())
    }

    /// Hands over what came of a name, and frees its slot.
    fn finish(&mut self, slot: u16, sending: Sending, came: Came<'_>, now: Instant) -> io::Result<()> {
        let (begun, time) = self.begun;
        let passed = SignedDuration::try_from(sending.at.saturating_duration_since(begun)).unwrap_or_default();
        let finished = self.table.slot(slot);
        self.keeper.keep(&Swept {
            line: finished.line,
            name: finished.name(),
            rtype: self.settings.rtype,
            server: self.targets.address(sending.target),
            transport: came.transport,
            outcome: came.outcome,
            rcode: message::rcode_of(came.message, self.settings.edns.is_some()),
            time: time.checked_add(passed).unwrap_or(time),
            rtt_us: came.rtt.and_then(|rtt| u64::try_from(rtt.as_micros()).ok()),
            attempts: finished.attempts + came.attempts as u16,
            truncated: came.transport == Transport::Tcp,
            aliases: &[],
            message: came.message,
        })?;
        self.table.finish(slot, now);
        Ok(())
    }
}

/// What came of a name at last.
struct Came<'a> {
    transport: Transport,
    /// Connections that it took.
    attempts: u32,
    outcome: Outcome,
    rtt: Option<Duration>,
    message: &'a [u8],
}
