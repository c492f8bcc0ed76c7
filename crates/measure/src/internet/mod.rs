//! The way out: sockets, limits per address, one exchange at a time from question to outcome.
//!
//! Own transport rather than a library's: a verdict needs every attempt, every disbelieved answer and every
//! refusal, and a silent address must cost one ladder of timeouts in a run.

pub(crate) mod health;
mod judge;
mod limits;
pub(crate) mod shared;
pub(crate) mod tcp;
pub(crate) mod udp;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use model::{Clock, Outcome, SystemClock, Transport};
use tokio::sync::Semaphore;

use crate::exchange::{Ended, Exchange};
use crate::inquiry::Inquiry;
use crate::question::Question;
use crate::settings::Settings;
use health::{Health, Settled, Way};

/// The transport, shared by all inquiries of a process; cheap to clone. Works within a Tokio runtime.
#[derive(Clone)]
pub struct Internet(Arc<Shared>);

struct Shared {
    settings: Settings,
    clock: Arc<dyn Clock>,
    pool: udp::Pool,
    sockets: Semaphore,
    targets: limits::Targets,
    answers: shared::Answers,
    silences: shared::Silences,
}

/// Settings with which nothing can be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Neither family is on.
    #[error("both IPv4 and IPv6 are switched off")]
    NoFamily,
    /// No root name server has an address of a family that is on.
    #[error("no root name server has an address that may be asked")]
    NoHints,
    /// A number that must be at least one is zero.
    #[error("the setting `{0}` must be at least 1")]
    Zero(&'static str),
}

impl Internet {
    /// Opens the way out. Sockets come into being when they are needed.
    pub fn open(settings: Settings) -> Result<Self, OpenError> {
        Self::with_clock(settings, Arc::new(SystemClock))
    }

    /// As [`Internet::open`], with `clock` for the times of exchanges.
    pub fn with_clock(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        if !settings.ipv4 && !settings.ipv6 {
            return Err(OpenError::NoFamily);
        }
        if !settings
            .hints
            .iter()
            .any(|(_, addresses)| addresses.iter().any(|a| settings.is_enabled(*a)))
        {
            return Err(OpenError::NoHints);
        }
        let least_one = [
            ("attempts", settings.attempts as usize),
            ("per_server", settings.per_server),
            ("per_server_rate", settings.per_server_rate as usize),
            ("sockets", settings.sockets),
        ];
        if let Some((name, _)) = least_one.iter().find(|(_, value)| *value == 0) {
            return Err(OpenError::Zero(name));
        }
        let sockets = Semaphore::new(settings.sockets.min(Semaphore::MAX_PERMITS));
        let targets = limits::Targets::new(&settings);
        Ok(Self(Arc::new(Shared {
            settings,
            clock,
            pool: udp::Pool::default(),
            sockets,
            targets,
            answers: shared::Answers::default(),
            silences: shared::Silences::default(),
        })))
    }

    /// A new inquiry: nothing asked yet. What is not said of its zone it may have from others, no older than
    /// [`Settings::shared_for`].
    pub fn inquiry(&self) -> Inquiry {
        Inquiry::over(self.clone(), true)
    }

    /// A new inquiry that asks everything itself, so that nothing in it was said before it began.
    pub fn inquiry_alone(&self) -> Inquiry {
        Inquiry::over(self.clone(), false)
    }

    /// The settings it was opened with.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    /// As [`Internet::exchange`], or an answer that another inquiry got within [`Settings::shared_for`]. Says also
    /// whether it was asked now.
    pub(crate) async fn exchange_shared(
        &self,
        address: IpAddr,
        question: &Question,
        health: &Health,
    ) -> (Arc<Exchange>, bool) {
        let cell = self.0.answers.cell(address, question, self.0.settings.shared_for);
        let mut is_own = false;
        let exchange = cell.get_or_init(async || {
            is_own = true;
            Arc::new(self.exchange(address, question, health).await)
        });
        let exchange = exchange.await.clone();
        if exchange.response().is_none() {
            self.0.answers.forget(address, question);
        }
        (exchange, is_own)
    }

    /// Puts one question to one address and waits for what comes of it.
    pub(crate) async fn exchange(&self, address: IpAddr, question: &Question, health: &Health) -> Exchange {
        let shared = &*self.0;
        let way = Way::of(question);
        let asked = |ended| Exchange::new(address, question.clone(), shared.clock.now(), ended);
        if !shared.settings.is_enabled(address) {
            return asked(Ended::without_answer(Outcome::Unreachable, 0));
        }
        let settled = |settled: Settled| {
            let ended = Ended::without_answer(settled.outcome, 0);
            asked(Ended {
                answered_from: settled.answered_from,
                ..ended
            })
        };
        if let Some(known) = health.settled(address, way) {
            return settled(known);
        }
        let span = shared.settings.silent_for;
        let was_silent = shared.silences.is_recent(address, way, span);
        let _slot = shared.targets.enter(address, !was_silent).await;
        let _socket = shared.sockets.acquire().await.expect("this semaphore is never closed");
        // it may have been found silent while this question waited for its turn
        if let Some(known) = health.settled(address, way) {
            return settled(known);
        }
        let time = shared.clock.now();
        let target = SocketAddr::new(address, shared.settings.port);
        let ended = match question.transport {
            Transport::Udp => self.by_udp(target, question, health, was_silent).await,
            Transport::Tcp => self.by_tcp(target, question, health, was_silent).await,
        };
        if let Some(is_silent) = health.is_silent(address, way) {
            shared.silences.note(address, way, is_silent, span);
        }
        Exchange::new(address, question.clone(), time, ended)
    }

    /// Puts one question to one address one single time: no second attempt, no TCP after a truncated answer, and nothing
    /// follows from earlier silence. So each question is a measurement (RSSAC047v2 §5.1).
    pub async fn once(&self, address: IpAddr, question: &Question) -> Exchange {
        let shared = &*self.0;
        let settings = &shared.settings;
        if !settings.is_enabled(address) {
            let ended = Ended::without_answer(Outcome::Unreachable, 0);
            return Exchange::new(address, question.clone(), shared.clock.now(), ended);
        }
        let _slot = shared.targets.enter(address, true).await;
        let _socket = shared.sockets.acquire().await.expect("this semaphore is never closed");
        let time = shared.clock.now();
        let target = SocketAddr::new(address, settings.port);
        let ended = match question.transport {
            Transport::Udp => udp::once(settings, &shared.pool, target, question).await,
            Transport::Tcp => tcp::ask(settings.timeout, target, question, &Health::default()).await,
        };
        Exchange::new(address, question.clone(), time, ended)
    }

    async fn by_udp(&self, target: SocketAddr, question: &Question, health: &Health, was_silent: bool) -> Ended {
        let settings = &self.0.settings;
        let attempts = if was_silent { 1 } else { settings.attempts };
        let (ended, again_over_tcp) = udp::ladder(settings, attempts, &self.0.pool, target, question, health).await;
        if !again_over_tcp {
            return ended;
        }
        let over_tcp = if health.settled(target.ip(), Way::Tcp).is_some() {
            Ended::without_answer(Outcome::Timeout, 0)
        } else {
            self.by_tcp(target, question, health, false).await
        };
        Ended {
            attempts: ended.attempts + over_tcp.attempts,
            disbelieved: ended.disbelieved + over_tcp.disbelieved,
            answered_from: ended.answered_from,
            truncated: true,
            ..over_tcp
        }
    }

    async fn by_tcp(&self, target: SocketAddr, question: &Question, health: &Health, was_silent: bool) -> Ended {
        // an address that is silent over UDP gets a third of the time to take up a connection
        let is_doubtful = was_silent || health.settled(target.ip(), Way::Plain).is_some();
        let timeout = self.0.settings.timeout / if is_doubtful { 3 } else { 1 };
        tcp::ask(timeout, target, question, health).await
    }
}
