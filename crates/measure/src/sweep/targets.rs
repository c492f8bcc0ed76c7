//! The servers that are asked: whose turn it is, how often each may be asked, and which are silent.
//!
//! A server that is silent is asked one question at a time until it answers: so it costs little, the names that it
//! leaves unanswered go to the others, and it is back as soon as it is well. Nothing here sends or reads a clock.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How much may be made up for at once when a turn came late. Chosen by us: timers are as fine as 1 ms and a busy
/// machine late by a few. Longer would make bursts, shorter would miss the rate.
const BURST: Duration = Duration::from_millis(10);
/// Questions to a server that must go unanswered in a row before it counts as silent. Chosen by us: what a resolver
/// leaves unanswered, because names are broken, comes mixed with answers. Lower takes a resolver with a run of broken
/// names for dead, higher lets a dead server cost more.
const SILENT_AFTER: u32 = 16;

/// Whether a server is there. Any answer makes it live; [`SILENT_AFTER`] questions missed in a row, over a span in which
/// nothing was heard, make it silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Live,
    Silent,
}

/// A rate that is kept: the generic cell rate algorithm (ITU-T I.371).
#[derive(Debug, Clone, Copy)]
struct Pace {
    interval: Duration,
    /// When it would be at rest if nothing more came.
    at_rest: Instant,
}

impl Pace {
    /// When the next may come.
    fn next(&self, now: Instant) -> Instant {
        let burst = if self.interval < BURST { BURST } else { Duration::ZERO };
        self.at_rest.checked_sub(burst).unwrap_or(now)
    }

    fn take(&mut self, now: Instant) {
        self.at_rest = self.at_rest.max(now) + self.interval;
    }
}

struct Target {
    address: SocketAddr,
    pace: Pace,
    health: Health,
    /// Questions that are out.
    out: u32,
    /// Questions unanswered in a row.
    missed: u32,
    /// When it was heard last, at first when it was asked first.
    heard: Option<Instant>,
    /// Whether it stands in one of the queues.
    is_queued: bool,
}

/// All servers.
pub(crate) struct Targets {
    all: Vec<Target>,
    by_address: HashMap<SocketAddr, u32>,
    /// Those that may be asked now, in the order of their turns.
    ready: VecDeque<u32>,
    /// Those that may be asked later.
    later: BinaryHeap<Reverse<(Instant, u32)>>,
    overall: Pace,
    limit: u32,
    silence: Duration,
    /// How many are live.
    live: usize,
}

/// How the servers may be asked.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Each server, and the least time between two questions to it; zero for none.
    pub targets: Vec<(SocketAddr, Duration)>,
    /// Least time between two questions, whoever is asked; zero for none.
    pub interval: Duration,
    /// Questions out to one server at a time, where it has no interval.
    pub out: u32,
    /// How long a server must not have been heard before it can count as silent.
    pub silence: Duration,
}

impl Targets {
    pub fn new(limits: Limits, now: Instant) -> Self {
        let pace = |interval| Pace { interval, at_rest: now };
        let target = |(address, interval): (SocketAddr, Duration)| Target {
            address,
            pace: pace(interval),
            health: Health::Live,
            out: 0,
            missed: 0,
            heard: None,
            is_queued: true,
        };
        let all: Vec<Target> = limits.targets.into_iter().map(target).collect();
        Self {
            by_address: all.iter().map(|target| target.address).zip(0..).collect(),
            ready: (0..all.len() as u32).collect(),
            later: BinaryHeap::with_capacity(all.len()),
            live: all.len(),
            all,
            overall: pace(limits.interval),
            limit: limits.out,
            silence: limits.silence,
        }
    }

    pub fn address(&self, target: u32) -> SocketAddr {
        self.all[target as usize].address
    }

    /// The server with this address.
    pub fn find(&self, address: SocketAddr) -> Option<u32> {
        self.by_address.get(&address).copied()
    }

    /// Gives the server whose turn it is, which must be asked then. The one that failed a name is not given for it while
    /// another is live, even if that one's turn comes later.
    pub fn next(&mut self, now: Instant, failed: Option<u32>) -> Option<u32> {
        if self.overall.next(now) > now {
            return None;
        }
        while let Some(Reverse((at, target))) = self.later.peek().copied()
            && at <= now
        {
            self.later.pop();
            self.ready.push_back(target);
        }
        let target = self.ready.remove(self.place(failed)?)?;
        let asked = &mut self.all[target as usize];
        asked.is_queued = false;
        asked.out += 1;
        asked.heard.get_or_insert(now);
        asked.pace.take(now);
        self.overall.take(now);
        self.queue(target, now);
        Some(target)
    }

    /// When [`Targets::next`] may give a server; `None` when first a question must come to an end.
    pub fn next_turn(&self, now: Instant, failed: Option<u32>) -> Option<Instant> {
        let turn = match self.place(failed) {
            Some(_) => now,
            None => self.later.peek()?.0.0,
        };
        Some(turn.max(self.overall.next(now)))
    }

    /// Where in the queue the server stands that may be asked next.
    fn place(&self, failed: Option<u32>) -> Option<usize> {
        let first = *self.ready.front()?;
        if Some(first) != failed {
            return Some(0);
        }
        let others_live = self.live - usize::from(self.all[first as usize].health == Health::Live);
        match self.ready.len() {
            1 if others_live > 0 => None,
            1 => Some(0),
            _ => Some(1),
        }
    }

    /// A question came to an end, and whatever came of it says nothing of the server.
    pub fn release(&mut self, target: u32, now: Instant) {
        let released = &mut self.all[target as usize];
        released.out = released.out.saturating_sub(1);
        self.queue(target, now);
    }

    /// The server answered, even if late.
    pub fn hear(&mut self, target: u32, now: Instant) {
        let heard = &mut self.all[target as usize];
        (heard.missed, heard.heard) = (0, Some(now));
        self.live += usize::from(heard.health == Health::Silent);
        heard.health = Health::Live;
        self.queue(target, now);
    }

    /// A question went unanswered.
    pub fn miss(&mut self, target: u32, now: Instant) {
        let silence = self.silence;
        let missed = &mut self.all[target as usize];
        missed.missed = missed.missed.saturating_add(1);
        let is_long = missed.heard.is_some_and(|heard| heard + silence <= now);
        if missed.missed >= SILENT_AFTER && is_long {
            self.live -= usize::from(missed.health == Health::Live);
            missed.health = Health::Silent;
        }
    }

    /// How many servers there are, and how many of them are silent.
    pub fn silent(&self) -> (usize, usize) {
        (self.all.len(), self.all.len() - self.live)
    }

    /// Since when no server at all has answered, where all of them are silent.
    pub fn silent_since(&self) -> Option<Instant> {
        let heard = || self.all.iter().filter_map(|target| target.heard).max();
        if self.live == 0 { heard() } else { None }
    }

    /// Puts the server into a queue, unless it stands in one or has as many questions out as it may.
    fn queue(&mut self, target: u32, now: Instant) {
        let limit = self.limit;
        let queued = &mut self.all[target as usize];
        let limit = match queued.health {
            Health::Silent => 1,
            Health::Live if queued.pace.interval.is_zero() => limit,
            Health::Live => u32::MAX,
        };
        if queued.is_queued || queued.out >= limit {
            return;
        }
        queued.is_queued = true;
        match queued.pace.next(now) {
            at if at > now => self.later.push(Reverse((at, target))),
            _ => self.ready.push_back(target),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SILENCE: Duration = Duration::from_secs(5);

    fn targets(intervals: &[u64], overall: u64, out: u32, now: Instant) -> Targets {
        let address = |at: usize| SocketAddr::from(([192, 0, 2, at as u8], 53));
        let of = |(at, interval): (usize, &u64)| (address(at), Duration::from_millis(*interval));
        let limits = Limits {
            targets: intervals.iter().enumerate().map(of).collect(),
            interval: Duration::from_millis(overall),
            out,
            silence: SILENCE,
        };
        Targets::new(limits, now)
    }

    #[test]
    fn a_server_with_an_interval_is_asked_no_faster() {
        let start = Instant::now();
        let mut targets = targets(&[113], 0, 100, start);
        let asked: Vec<u64> = (0..1000)
            .filter(|ms| targets.next(start + Duration::from_millis(*ms), None).is_some())
            .collect();
        assert_eq!(asked, [0, 113, 226, 339, 452, 565, 678, 791, 904]);
    }

    #[test]
    fn the_rate_of_all_holds_for_any_number_of_servers_and_is_made_up_for_when_late() {
        let start = Instant::now();
        let mut targets = targets(&[0, 0, 0], 2, 1000, start);
        let mut at = |ms: u64| {
            let now = start + Duration::from_millis(ms);
            std::iter::from_fn(|| targets.next(now, None)).count()
        };
        // one each 2 ms, and at once what fits into the 10 ms of a burst
        assert_eq!([0, 1, 2, 3, 4].map(&mut at), [6, 0, 1, 0, 1]);
        assert_eq!(at(1000), 6, "a pause is not made up for without end");
    }

    #[test]
    fn servers_take_turns_and_one_that_failed_a_name_is_passed_over_for_it() {
        let now = Instant::now();
        let mut targets = targets(&[0, 0, 0], 0, 10, now);
        let turns: Vec<u32> = (0..6).filter_map(|_| targets.next(now, None)).collect();
        assert_eq!(turns, [0, 1, 2, 0, 1, 2]);
        assert_eq!(
            (targets.next(now, Some(0)), targets.next(now, None)),
            (Some(1), Some(0))
        );
    }

    #[test]
    fn a_server_without_an_interval_has_only_so_many_questions_out() {
        let now = Instant::now();
        let mut targets = targets(&[0], 0, 2, now);
        assert_eq!(std::iter::from_fn(|| targets.next(now, None)).count(), 2);
        assert_eq!(targets.next_turn(now, None), None);
        targets.release(0, now);
        assert_eq!(targets.next(now, None), Some(0));
    }

    #[test]
    fn a_silent_server_gets_one_question_at_a_time_until_it_is_heard() {
        let start = Instant::now();
        let mut targets = targets(&[0], 0, 20, start);
        assert_eq!(std::iter::from_fn(|| targets.next(start, None)).count(), 20);
        let late = start + SILENCE;
        for _ in 0..20 {
            targets.miss(0, late);
            targets.release(0, late);
        }
        assert_eq!((targets.silent(), targets.silent_since()), ((1, 1), Some(start)));
        // it was put in the queue once before it was found silent
        assert_eq!(std::iter::from_fn(|| targets.next(late, None)).count(), 1);
        targets.hear(0, late);
        targets.release(0, late);
        assert_eq!((targets.silent(), targets.silent_since()), ((1, 0), None));
        assert_eq!(std::iter::from_fn(|| targets.next(late, None)).count(), 20);
    }

    #[test]
    fn questions_that_are_missed_all_at_once_or_between_answers_make_no_silent_server() {
        let start = Instant::now();
        let mut targets = targets(&[0], 0, 100, start);
        assert_eq!(targets.next(start, None), Some(0));
        for _ in 0..100 {
            targets.miss(0, start + SILENCE / 2);
        }
        assert_eq!(targets.silent(), (1, 0), "not long enough");
        for at in 0..100 {
            targets.miss(0, start + SILENCE * 2);
            if at % 10 == 0 {
                targets.hear(0, start + SILENCE);
            }
        }
        assert_eq!(targets.silent(), (1, 0), "not enough in a row");
    }

    proptest! {
        /// Each server stands in exactly one queue, or has questions out that will put it there.
        #[test]
        fn no_server_is_lost_and_none_stands_twice(
            intervals in proptest::collection::vec(0_u64..50, 1..6),
            out in 1_u32..4,
            steps in proptest::collection::vec((0_u8..4, 0_usize..6, 0_u64..300), 1..200),
        ) {
            let mut now = Instant::now();
            let mut targets = targets(&intervals, 1, out, now);
            let mut asked: Vec<u32> = Vec::new();
            for (step, which, passed) in steps {
                now += Duration::from_millis(passed);
                match step {
                    0 | 1 => asked.extend(targets.next(now, asked.last().copied())),
                    _ if asked.is_empty() => {}
                    2 => {
                        let target = asked.swap_remove(which % asked.len());
                        targets.hear(target, now);
                        targets.release(target, now);
                    }
                    _ => {
                        let target = asked.swap_remove(which % asked.len());
                        targets.miss(target, now);
                        targets.release(target, now);
                    }
                }
                let live = targets.all.iter().filter(|target| target.health == Health::Live);
                prop_assert_eq!(live.count(), targets.live);
                for number in 0..intervals.len() as u32 {
                    let ready = targets.ready.iter().filter(|other| **other == number).count();
                    let later = targets.later.iter().filter(|Reverse((_, other))| *other == number).count();
                    let target = &targets.all[number as usize];
                    prop_assert_eq!(ready + later, usize::from(target.is_queued));
                    prop_assert_eq!(target.out as usize, asked.iter().filter(|other| **other == number).count());
                    prop_assert!(target.is_queued || target.out > 0, "a server that nobody will ask again");
                }
            }
        }
    }
}
