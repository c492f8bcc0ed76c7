//! Questions over UDP: a pool of sockets on random ports, each lent to one question at a time.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Mutex;
use std::time::Duration;

use domain::base::iana::Rtype;
use model::{Name, Outcome};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::health::{Health, Settled, Way};
use super::judge::{Judgement, Sent};
use crate::exchange::Ended;
use crate::question::{CLIENT_COOKIE, COOKIE, Letters, Question};
use crate::settings::Settings;

/// Questions that one socket carries before its port is given up. Chosen by us: ports stay hard to guess.
const USES: u32 = 16;
/// Sockets kept open while nothing is asked. Chosen by us.
const IDLE: usize = 64;
/// How long the right answer may still take after octets that are no DNS message. Chosen by us: an answer that races
/// with injected garbage still comes through, and a server that talks garbage does not cost whole timeouts.
const AFTER_GARBAGE: Duration = Duration::from_millis(250);
/// Pause before asking again after a refusal. Chosen by us: a daemon that restarts needs a moment.
const AFTER_REFUSAL: Duration = Duration::from_millis(50);
/// Room for one datagram. More than is ever announced by EDNS; what is longer is cut and so unreadable.
const ROOM: usize = 4096;

/// Sockets at rest.
#[derive(Default)]
pub(crate) struct Pool(Mutex<Vec<Lent>>);

struct Lent {
    socket: UdpSocket,
    is_ipv4: bool,
    uses: u32,
}

impl Pool {
    fn take(&self, is_ipv4: bool) -> io::Result<Lent> {
        let found = {
            let mut idle = self.0.lock().expect("no holder of this lock panics");
            let fits = |at: &usize| idle[*at].is_ipv4 == is_ipv4;
            let fitting = (0..idle.len()).filter(fits).count();
            let nth = usize::from(rand::random::<u16>()).checked_rem(fitting);
            let chosen = nth.and_then(|nth| (0..idle.len()).filter(fits).nth(nth));
            chosen.map(|at| idle.swap_remove(at))
        };
        let mut lent = match found {
            Some(lent) => lent,
            None => Lent {
                socket: open(is_ipv4)?,
                is_ipv4,
                uses: 0,
            },
        };
        lent.uses += 1;
        // what arrived since its last use belongs to no question
        let mut scrap = [0; 16];
        for _ in 0..64 {
            match lent.socket.try_recv_from(&mut scrap) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                _ => continue,
            }
        }
        Ok(lent)
    }

    fn give_back(&self, lent: Lent) {
        let mut idle = self.0.lock().expect("no holder of this lock panics");
        if lent.uses < USES && idle.len() < IDLE {
            idle.push(lent);
        }
    }
}

/// A socket on a random port that reports refusals.
pub(crate) fn open(is_ipv4: bool) -> io::Result<UdpSocket> {
    let any: SocketAddr = if is_ipv4 {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let socket = std::net::UdpSocket::bind(any)?;
    socket.set_nonblocking(true)?;
    report_refusals(&socket, is_ipv4)?;
    UdpSocket::from_std(socket)
}

/// Lets ICMP refusals come up as errors although the socket is not connected: connecting would hide answers from
/// elsewhere.
#[cfg(target_os = "linux")]
fn report_refusals(socket: &std::net::UdpSocket, is_ipv4: bool) -> io::Result<()> {
    use nix::sys::socket::{setsockopt, sockopt};
    if is_ipv4 {
        setsockopt(socket, sockopt::Ipv4RecvErr, &true)?;
    } else {
        setsockopt(socket, sockopt::Ipv6RecvErr, &true)?;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn report_refusals(_: &std::net::UdpSocket, _: bool) -> io::Result<()> {
    Ok(())
}

/// Asks over UDP, up to `attempts` times. Says also whether to ask again over TCP.
pub(crate) async fn ladder(
    settings: &Settings,
    attempts: u32,
    pool: &Pool,
    target: SocketAddr,
    question: &Question,
    health: &Health,
) -> (Ended, bool) {
    let Ok(lent) = pool.take(target.is_ipv4()) else {
        return (Ended::without_answer(Outcome::Unreachable, 0), false);
    };
    let way = Way::of(question);
    let mut ladder = Ladder::new(settings, &lent, target, question);
    let mut claim = None;
    let mut result = Step::Silence;
    for number in 0..attempts {
        let is_last = number + 1 == attempts;
        if is_last {
            claim = health.claim_probe(target.ip(), way);
        }
        result = ladder.attempt(settings.wait(number), claim.is_some()).await;
        match result {
            Step::Silence => {}
            Step::Refused if !is_last => tokio::time::sleep(AFTER_REFUSAL).await,
            _ => break,
        }
    }
    let again_over_tcp = matches!(result, Step::AgainOverTcp);
    match result {
        Step::Answer(rtt) => {
            ladder.ended.outcome = Outcome::Answer;
            ladder.ended.rtt_us = u64::try_from(rtt.as_micros()).ok();
        }
        Step::AgainOverTcp | Step::Silence => {}
        Step::Refused => ladder.ended.outcome = Outcome::Refused,
        Step::Unsendable => ladder.ended.outcome = Outcome::Unreachable,
    }
    for way in &ladder.heard {
        health.heard(target.ip(), *way);
    }
    let is_heard = ladder.heard.contains(&way) || matches!(result, Step::Answer(_) | Step::AgainOverTcp);
    if is_heard {
        health.heard(target.ip(), way);
    } else if claim.is_some() && matches!(result, Step::Silence) {
        let (outcome, answered_from) = (ladder.ended.outcome, ladder.ended.answered_from);
        health.settle(target.ip(), way, Settled { outcome, answered_from });
    }
    let ended = ladder.ended;
    pool.give_back(lent);
    (ended, again_over_tcp)
}

/// Asks over UDP one single time, whatever comes of it. A truncated answer is an answer.
pub(crate) async fn once(settings: &Settings, pool: &Pool, target: SocketAddr, question: &Question) -> Ended {
    let Ok(lent) = pool.take(target.is_ipv4()) else {
        return Ended::without_answer(Outcome::Unreachable, 0);
    };
    let mut ladder = Ladder::new(settings, &lent, target, question);
    match ladder.attempt(settings.timeout, false).await {
        Step::Answer(rtt) => {
            ladder.ended.outcome = Outcome::Answer;
            ladder.ended.rtt_us = u64::try_from(rtt.as_micros()).ok();
        }
        // cut short it has its octets; in other letters it has none and counts as silence
        Step::AgainOverTcp if !ladder.ended.wire.is_empty() => {
            ladder.ended.outcome = Outcome::Answer;
            ladder.ended.truncated = true;
        }
        Step::AgainOverTcp | Step::Silence => {}
        Step::Refused => ladder.ended.outcome = Outcome::Refused,
        Step::Unsendable => ladder.ended.outcome = Outcome::Unreachable,
    }
    let ended = ladder.ended;
    pool.give_back(lent);
    ended
}

enum Step {
    Answer(Duration),
    AgainOverTcp,
    Refused,
    Unsendable,
    Silence,
}

struct Ladder<'a> {
    lent: &'a Lent,
    target: SocketAddr,
    question: &'a Question,
    spelling: Vec<u8>,
    ids: Vec<u16>,
    sent_at: Vec<Instant>,
    probes: Vec<(u16, Question)>,
    /// The ways by which probes were answered.
    heard: Vec<Way>,
    ended: Ended,
}

impl<'a> Ladder<'a> {
    fn new(settings: &Settings, lent: &'a Lent, target: SocketAddr, question: &'a Question) -> Self {
        Self {
            lent,
            target,
            question,
            spelling: spelling_of(question, settings.case_randomization),
            ids: Vec::new(),
            sent_at: Vec::new(),
            probes: Vec::new(),
            heard: Vec::new(),
            ended: Ended::without_answer(Outcome::Timeout, 0),
        }
    }

    async fn attempt(&mut self, wait: Duration, with_probes: bool) -> Step {
        let id = rand::random();
        let wire = self.question.to_wire(id, &self.spelling);
        self.ids.push(id);
        self.sent_at.push(Instant::now());
        self.ended.attempts += 1;
        if let Err(error) = self.lent.socket.send_to(&wire, self.target).await {
            return if is_refusal(&error) {
                Step::Refused
            } else {
                Step::Unsendable
            };
        }
        if with_probes && self.send_probes().await.is_err_and(|error| is_refusal(&error)) {
            return Step::Refused;
        }
        self.listen(Instant::now() + wait).await
    }

    /// Asks for another type of the same name, and for another name: whether anything lives there at all. Both questions
    /// are ordinary ones: a server that drops flags, options or versions that it does not know is not silent. A question
    /// without EDNS is put once more with all that it may have: there are servers that drop what has none of it.
    ///
    /// Fails when a refusal of what was sent before came up.
    async fn send_probes(&mut self) -> io::Result<()> {
        let ordinary = match &self.question.edns {
            Some(_) => Question::edns,
            None => Question::plain,
        };
        let other_type = if self.question.rtype == Rtype::NS {
            Rtype::SOA
        } else {
            Rtype::NS
        };
        let elsewhere = if self.question.name.is_root() { "invalid" } else { "." };
        let elsewhere: Name = elsewhere.parse().expect("both are names");
        let probes = [
            ordinary(&self.question.name, other_type),
            ordinary(&elsewhere, Rtype::SOA),
        ];
        let laden = Question::dnssec(&self.question.name, self.question.rtype).option(COOKIE, CLIENT_COOKIE.to_vec());
        let laden = self.question.edns.is_none().then_some(laden);
        for probe in probes.into_iter().chain(laden) {
            let id = rand::random();
            let wire = probe.to_wire(id, probe.name.as_wire().as_slice());
            self.lent.socket.send_to(&wire, self.target).await?;
            self.probes.push((id, probe));
        }
        Ok(())
    }

    async fn listen(&mut self, mut until: Instant) -> Step {
        loop {
            match timeout_at(until, self.lent.socket.readable()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return Step::Silence,
            }
            if let Some(step) = self.receive(&mut until) {
                return step;
            }
        }
    }

    /// Takes what has arrived; `None` where it leaves the question open.
    fn receive(&mut self, until: &mut Instant) -> Option<Step> {
        // on the stack: of a thousand questions under way only one at a time is read here
        let mut room = [0; ROOM];
        let (size, from) = match self.lent.socket.try_recv_from(&mut room) {
            Ok(received) => received,
            Err(error) => return is_refusal(&error).then_some(Step::Refused),
        };
        let octets = &room[..size];
        let sent = Sent {
            target: self.target,
            question: self.question,
            spelling: &self.spelling,
            ids: &self.ids,
        };
        match sent.judge(octets, from) {
            Judgement::Answer(attempt) if octets[2] & 0x02 != 0 && !self.question.ignores_truncation => {
                self.ended.wire = octets.to_vec();
                self.ended.rtt_us = u64::try_from(self.sent_at[attempt].elapsed().as_micros()).ok();
                return Some(Step::AgainOverTcp);
            }
            Judgement::Answer(attempt) => {
                self.ended.wire = octets.to_vec();
                return Some(Step::Answer(self.sent_at[attempt].elapsed()));
            }
            Judgement::OtherLetters => return Some(Step::AgainOverTcp),
            Judgement::Garbage => {
                self.ended.outcome = Outcome::Garbage;
                self.ended.wire = octets.to_vec();
                *until = (*until).min(Instant::now() + AFTER_GARBAGE);
            }
            Judgement::Elsewhere => {
                self.ended.disbelieved += 1;
                self.ended.answered_from = Some(from);
            }
            Judgement::Disbelieved => match self.answered_probe(octets, from) {
                Some(way) => self.heard.push(way),
                None => self.ended.disbelieved += 1,
            },
        }
        None
    }

    /// The way by which the probe was put that these octets answer.
    fn answered_probe(&self, octets: &[u8], from: SocketAddr) -> Option<Way> {
        let answered = self.probes.iter().find(|(id, question)| {
            let spelling = question.name.as_wire().as_slice();
            let sent = Sent {
                target: self.target,
                question,
                spelling,
                ids: &[*id],
            };
            matches!(sent.judge(octets, from), Judgement::Answer(_))
        });
        answered.map(|(_, question)| Way::of(question))
    }
}

fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable};
    matches!(error.kind(), ConnectionRefused | HostUnreachable)
}

/// The name's octets, in random letter case if wanted.
fn spelling_of(question: &Question, is_random: bool) -> Vec<u8> {
    let mut octets = question.letters.spell(&question.name);
    if is_random && question.letters == Letters::Any {
        // length octets are below 64 and so never letters
        for octet in octets.iter_mut().filter(|octet| octet.is_ascii_alphabetic()) {
            if rand::random() {
                octet.make_ascii_uppercase();
            }
        }
    }
    octets
}
