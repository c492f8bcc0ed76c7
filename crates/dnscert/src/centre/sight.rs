//! Whether the centre itself sees: whether its machine keeps pace, and whether its line carries.
//!
//! A machine that was suspended, or that other programs leave no time, and a line that is cut make every server look silent. What
//! a round then says of silence is the centre's own trouble and nobody's outage.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use measure::{Internet, Question, Rtype};
use model::{Name, Outcome};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use web::Condition;

use super::Centre;

/// Pause between two beats of this machine's pulse.
const BEAT_EVERY: Duration = Duration::from_millis(100);

/// The pulse must be late by so much during a round before the round is doubted. Chosen by us: less than the first wait for an
/// answer, two thirds of a second by default. Lower,
/// and a busy moment hides an outage for an interval; higher, and answers were missed that nobody doubts.
const STANDSTILL: Duration = Duration::from_millis(500);

/// And by so large a part of the round, one in so many. Of a long round that waited for silent servers a short standstill is no
/// part that matters.
const PART: u32 = 4;

/// Untestable rounds in a row after which a zone is judged though the machine stood still: one that is always slow must not be blind to
/// outages for ever.
const DOUBTS: u32 = 3;

/// Pause between two looks at the line while all is well: one root server gets a question each time, in turn, once in half a
/// minute for each of the thirteen. More often is not polite; more rarely, and people learn late that the centre is cut off.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Root servers that must be silent before the line is said to be cut. One or two are now and then out of reach of everybody.
const ROOTS: usize = 4;

/// How long a server that was silent has for an answer when it is asked once more. Chosen by us: longer than the way by cable to any place
/// on Earth and back. Longer delays the alert of each outage; shorter, and a line that has just come back is not told from servers that are down.
const AGAIN: Duration = Duration::from_millis(500);

/// How long a standstill is shown after the last.
const SHOWN_FOR: Duration = Duration::from_secs(60);

/// The pulse of this machine.
#[derive(Debug, Clone, Copy)]
struct Pulse {
    /// The last beat.
    beat: Instant,
    /// How late all beats were together.
    late: Duration,
}

/// A moment with the pulse as it was then.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    at: Instant,
    late: Duration,
}

impl Pulse {
    fn new(now: Instant) -> Self {
        let late = Duration::ZERO;
        Self { beat: now, late }
    }

    fn beat(&mut self, now: Instant) {
        let late = self.late(now);
        *self = Self { beat: now, late };
    }

    /// How late the beats were, with the one that is due.
    fn late(&self, now: Instant) -> Duration {
        self.late + now.saturating_duration_since(self.beat).saturating_sub(BEAT_EVERY)
    }

    fn mark(&self, now: Instant) -> Mark {
        Mark {
            at: now,
            late: self.late(now),
        }
    }

    /// For how long this machine stood still since then, where that is so much that answers were missed.
    fn standstill(&self, since: Mark, now: Instant) -> Option<Duration> {
        let late = self.late(now).saturating_sub(since.late);
        (late >= STANDSTILL && late * PART >= now.saturating_duration_since(since.at)).then_some(late)
    }
}

/// What speaks against silence that a round heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// It was the centre's own trouble, with the reason.
    Ours(String),
    /// One of the servers answers now: the round is to be made again.
    Over,
}

/// What the centre knows of its own sight.
pub struct Sight {
    pulse: std::sync::Mutex<Pulse>,
    /// The last question to the root servers.
    control: Mutex<Option<Control>>,
    /// Which of the root servers comes next.
    next: AtomicUsize,
}

struct Control {
    begun: Instant,
    carries: bool,
}

impl Default for Sight {
    fn default() -> Self {
        Self {
            pulse: std::sync::Mutex::new(Pulse::new(Instant::now())),
            control: Mutex::default(),
            next: AtomicUsize::new(0),
        }
    }
}

impl Sight {
    /// Now.
    pub fn mark(&self) -> Mark {
        self.pulse().mark(Instant::now())
    }

    /// What is to be thought of the silence of these servers in a round that began then; `None`: it is theirs. Without any, the round did
    /// not learn their addresses, which it did before. `failures` are the untestable rounds of the zone before.
    pub async fn doubt(&self, internet: &Internet, since: Mark, silent: &[IpAddr], failures: u32) -> Option<Doubt> {
        let now = Instant::now();
        let standstill = self.pulse().standstill(since, now);
        if let Some(late) = standstill.filter(|_| failures < DOUBTS) {
            let seconds = late.as_secs_f64();
            return Some(Doubt::Ours(format!("this machine stood still for {seconds:.1} s")));
        }
        if !self.line_carries(internet, now).await {
            return Some(Doubt::Ours("no root server answers this centre".to_owned()));
        }
        if silent.is_empty() {
            return Some(Doubt::Over);
        }
        // after the root servers: before, the line may not yet have carried again
        let question = Question::plain(&Name::root(), Rtype::SOA);
        let speaks = any_answers(internet, silent.iter().copied(), &question);
        let speaks = tokio::time::timeout(AGAIN, speaks).await;
        speaks.unwrap_or(false).then_some(Doubt::Over)
    }

    fn pulse(&self) -> std::sync::MutexGuard<'_, Pulse> {
        self.pulse.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether any root server answers, asked at `since` or later. Those who want to know at the same time share one question.
    async fn line_carries(&self, internet: &Internet, since: Instant) -> bool {
        let mut control = self.control.lock().await;
        if let Some(known) = control.as_ref().filter(|known| known.begun >= since) {
            return known.carries;
        }
        let begun = Instant::now();
        let carries = self.ask_roots(internet).await;
        *control = Some(Control { begun, carries });
        carries
    }

    async fn ask_roots(&self, internet: &Internet) -> bool {
        let settings = internet.settings();
        let addresses = settings.hints.iter().flat_map(|(_, addresses)| addresses);
        let addresses: Vec<IpAddr> = addresses
            .copied()
            .filter(|address| settings.is_enabled(*address))
            .collect();
        let question = Question::plain(&Name::root(), Rtype::SOA);
        let first = self.next.fetch_add(1, Ordering::Relaxed) % addresses.len().max(1);
        let asked = addresses.iter().copied().cycle().skip(first);
        let mut asked = asked.take(ROOTS.min(addresses.len()));
        let Some(address) = asked.next() else {
            // with nobody to ask there is no reason for doubt
            return true;
        };
        any_answers(internet, [address], &question).await || any_answers(internet, asked, &question).await
    }
}

/// Whether any of these servers answers the question, whatever it says. Each is asked once, all at the same time.
async fn any_answers(internet: &Internet, servers: impl IntoIterator<Item = IpAddr>, question: &Question) -> bool {
    let asked = servers.into_iter().map(|address| internet.once(address, question));
    let mut asked: FuturesUnordered<_> = asked.collect();
    while let Some(exchange) = asked.next().await {
        if exchange.outcome == Outcome::Answer {
            return true;
        }
    }
    false
}

/// Keeps the pulse, asks the root servers now and then, and shows what hinders the centre, until it stops.
pub async fn run(centre: Arc<Centre>, stop: CancellationToken) -> anyhow::Result<()> {
    let pulse = async {
        loop {
            centre.sight.pulse().beat(Instant::now());
            tokio::time::sleep(BEAT_EVERY).await;
        }
    };
    tokio::select! {
        () = pulse => {}
        () = look(&centre) => {}
        () = stop.cancelled() => {}
    }
    Ok(())
}

async fn look(centre: &Centre) {
    let mut stood_at: Option<Instant> = None;
    let mut mark = centre.sight.mark();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = Instant::now();
        let late = centre.sight.pulse().standstill(mark, now);
        mark = centre.sight.mark();
        if let Some(late) = late {
            let told = format!("{:.1} s", late.as_secs_f64());
            centre.conditions.set(Condition::MachineSlow, centre.clock.now(), &told);
            stood_at = Some(now);
        } else if stood_at.is_some_and(|at| at.elapsed() > SHOWN_FOR) {
            centre.conditions.clear(Condition::MachineSlow);
            stood_at = None;
        }
        match centre.sight.line_carries(&centre.internet, now).await {
            true => centre.conditions.clear(Condition::LineSilent),
            false => centre.conditions.set(Condition::LineSilent, centre.clock.now(), ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// Beats at its time for `span`; returns when that is over.
    fn beat_for(pulse: &mut Pulse, from: Instant, span: Duration) -> Instant {
        let mut now = from;
        while now < from + span {
            now += BEAT_EVERY;
            pulse.beat(now);
        }
        now
    }

    #[test]
    fn a_machine_that_stands_still_is_noticed_while_it_does_and_afterwards() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start);
        let mark = pulse.mark(start);
        let now = beat_for(&mut pulse, start, ms(600));
        assert_eq!(pulse.standstill(mark, now), None, "a steady pulse");

        let mark = pulse.mark(now);
        let now = now + ms(1_000);
        assert_eq!(pulse.standstill(mark, now), Some(ms(900)), "before the next beat");
        pulse.beat(now);
        assert_eq!(pulse.standstill(mark, now), Some(ms(900)), "and after it");
        let mark = pulse.mark(now);
        let now = beat_for(&mut pulse, now, ms(600));
        assert_eq!(pulse.standstill(mark, now), None, "it is over");
    }

    #[test]
    fn many_short_delays_are_a_standstill_and_a_short_one_is_none_in_a_long_round() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start);
        let mark = pulse.mark(start);
        let mut now = start;
        for _ in 0..10 {
            now += BEAT_EVERY * 2;
            pulse.beat(now);
        }
        assert_eq!(pulse.standstill(mark, now), Some(ms(1_000)), "short of processors");

        let mark = pulse.mark(now);
        let now = beat_for(&mut pulse, now, ms(3_000)) + ms(700);
        pulse.beat(now);
        assert_eq!(pulse.standstill(mark, now), None);
    }
}
