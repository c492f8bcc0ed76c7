//! The table of names under way: a fixed number of slots, found by socket and message id, in lists by what they wait for.
//!
//! Nothing is allocated after it was made. It knows no sockets and reads no clock.

use std::time::{Duration, Instant};

use model::Outcome;

/// Most names under way. Each may have [`ATTEMPTS`] ids in use, and a socket has 65,536.
pub(crate) const SLOTS: usize = 16_000;
/// Most questions sent for one name over UDP.
pub(crate) const ATTEMPTS: usize = 4;
/// Longest name in wire format, in octets (RFC 1035 §2.3.4).
const NAME: usize = 255;
/// How long a name rests after its server refused, before it is asked again. Chosen by us: a daemon that restarts needs a moment.
const REST: Duration = Duration::from_millis(50);
/// No slot.
const NONE: u16 = u16::MAX;

/// What a slot is in. An answer may come late, when its question was given up already.
///
/// ```text
/// take      free                          -> due
/// send      due                           -> waiting
/// give_up   waiting resting               -> due
/// rest      waiting                       -> resting
/// connect   due waiting resting           -> connected
/// finish    due waiting resting connected -> free
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlotState {
    /// It holds no name.
    Free,
    /// Its name is to be asked as soon as a server may be.
    Due,
    /// A question is out.
    Waiting,
    /// Its server refused; it is asked again in a moment.
    Resting,
    /// It is asked over TCP.
    Connected,
}

/// What moves a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    Take,
    Send,
    GiveUp,
    Rest,
    Connect,
    Finish,
}

impl SlotState {
    /// Where `step` leads from here; `None` where it does not happen.
    fn after(self, step: Move) -> Option<Self> {
        use SlotState::{Connected, Due, Free, Resting, Waiting};
        match (step, self) {
            (Move::Take, Free) | (Move::GiveUp, Waiting | Resting) => Some(Due),
            (Move::Send, Due) => Some(Waiting),
            (Move::Rest, Waiting) => Some(Resting),
            (Move::Connect, Due | Waiting | Resting) => Some(Connected),
            (Move::Finish, Due | Waiting | Resting | Connected) => Some(Free),
            _ => None,
        }
    }
}

/// One question that was sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sending {
    /// Number of the socket.
    pub socket: u16,
    /// Message id.
    pub id: u16,
    /// Number of the server.
    pub target: u32,
    pub at: Instant,
}

/// A name under way.
pub(crate) struct Slot {
    state: SlotState,
    list: u8,
    before: u16,
    after: u16,
    /// Since when it is in its list.
    since: Instant,
    /// Its line in the input.
    pub line: u64,
    /// What the attempts so far came to.
    pub outcome: Outcome,
    /// Questions sent over UDP so far.
    pub attempts: u16,
    name: [u8; NAME],
    name_length: u8,
    sendings: [Sending; ATTEMPTS],
    sent: u8,
}

impl Slot {
    /// The name in wire format, in the letter case in which it is asked.
    pub fn name(&self) -> &[u8] {
        &self.name[..usize::from(self.name_length)]
    }

    pub fn name_mut(&mut self) -> &mut [u8] {
        &mut self.name[..usize::from(self.name_length)]
    }

    /// The questions whose answers count: those sent over UDP, until it is asked over TCP.
    pub fn sendings(&self) -> &[Sending] {
        &self.sendings[..usize::from(self.sent)]
    }
}

/// First and last slot of a list.
#[derive(Clone, Copy)]
struct List {
    first: u16,
    last: u16,
}

// The lists. In each the slot that came first is first, and since the wait is the same for all of one list, it is also
// the first whose time is up.
const DUE: usize = 0;
const RESTING: usize = 1;
const WAITING: usize = 2;
const LISTS: usize = WAITING + ATTEMPTS;
/// In no list.
const UNLISTED: u8 = u8::MAX;

/// The table.
pub(crate) struct Table {
    slots: Box<[Slot]>,
    free: Vec<u16>,
    lists: [List; LISTS],
    /// How long a question waits, by its number among those of one name.
    waits: Vec<Duration>,
    /// Of each socket: the slot that an id belongs to.
    by_id: Vec<Box<[u16]>>,
    /// Of each socket: ids that belong to a slot.
    ids: Vec<u32>,
}

impl Table {
    /// A table of `slots` (at most [`SLOTS`]) names over `sockets`; question number `n` of a name waits `waits[n]`.
    pub fn new(slots: usize, sockets: usize, waits: Vec<Duration>, now: Instant) -> Self {
        debug_assert!(slots <= SLOTS && !waits.is_empty() && waits.len() <= ATTEMPTS);
        let unsent = Sending {
            socket: 0,
            id: 0,
            target: 0,
            at: now,
        };
        let empty = || Slot {
            state: SlotState::Free,
            list: UNLISTED,
            before: NONE,
            after: NONE,
            since: now,
            line: 0,
            outcome: Outcome::Timeout,
            attempts: 0,
            name: [0; NAME],
            name_length: 0,
            sendings: [unsent; ATTEMPTS],
            sent: 0,
        };
        Self {
            slots: (0..slots).map(|_| empty()).collect(),
            free: (0..slots as u16).rev().collect(),
            lists: [List {
                first: NONE,
                last: NONE,
            }; LISTS],
            waits,
            by_id: (0..sockets).map(|_| vec![NONE; 1 << 16].into_boxed_slice()).collect(),
            ids: vec![0; sockets],
        }
    }

    /// Names under way.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub fn has_room(&self) -> bool {
        !self.free.is_empty()
    }

    /// Lines of the names under way, in no order.
    pub fn lines(&self) -> impl Iterator<Item = u64> {
        let taken = self.slots.iter().filter(|slot| slot.state != SlotState::Free);
        taken.map(|slot| slot.line)
    }

    pub fn slot(&self, number: u16) -> &Slot {
        &self.slots[usize::from(number)]
    }

    pub fn slot_mut(&mut self, number: u16) -> &mut Slot {
        &mut self.slots[usize::from(number)]
    }

    /// Takes a name in; it is due. `None` when the table is full.
    pub fn take(&mut self, name: &[u8], line: u64, now: Instant) -> Option<u16> {
        let number = self.free.pop()?;
        let slot = self.slot_mut(number);
        slot.name[..name.len()].copy_from_slice(name);
        slot.name_length = name.len() as u8;
        (slot.line, slot.outcome, slot.attempts) = (line, Outcome::Timeout, 0);
        self.step(number, Move::Take, Some(DUE), now);
        Some(number)
    }

    /// The name that has been due the longest.
    pub fn first_due(&self) -> Option<u16> {
        self.first(DUE)
    }

    /// An id that no question on the socket has, found from a random one on.
    pub fn free_id(&self, socket: u16, random: u16) -> u16 {
        let ids = &self.by_id[usize::from(socket)];
        let mut id = random;
        while ids[usize::from(id)] != NONE {
            id = id.wrapping_add(1);
        }
        id
    }

    /// Whether no answer is awaited on the socket.
    pub fn is_idle(&self, socket: u16) -> bool {
        self.ids[usize::from(socket)] == 0
    }

    /// Notes that a due name was asked.
    pub fn sent(&mut self, number: u16, sending: Sending) {
        self.by_id[usize::from(sending.socket)][usize::from(sending.id)] = number;
        self.ids[usize::from(sending.socket)] += 1;
        let slot = self.slot_mut(number);
        let attempt = usize::from(slot.sent);
        slot.sendings[attempt] = sending;
        slot.sent += 1;
        slot.attempts += 1;
        self.step(number, Move::Send, Some(WAITING + attempt), sending.at);
    }

    /// The name asked on `socket` with `id`, and that question.
    pub fn find(&self, socket: u16, id: u16) -> Option<(u16, Sending)> {
        let number = self.by_id[usize::from(socket)][usize::from(id)];
        let slot = self.slots.get(usize::from(number))?;
        let sending = slot
            .sendings()
            .iter()
            .find(|sending| (sending.socket, sending.id) == (socket, id));
        Some((number, *sending?))
    }

    /// A name whose question has waited long enough, or that has rested.
    pub fn first_expired(&self, now: Instant) -> Option<u16> {
        let expired = |list: usize| {
            let first = self.first(list)?;
            (self.slot(first).since + self.wait(list) <= now).then_some(first)
        };
        (RESTING..LISTS).find_map(expired)
    }

    /// When the next name is expired; `None` when none waits.
    pub fn next_expiry(&self) -> Option<Instant> {
        let expiry = |list: usize| Some(self.slot(self.first(list)?).since + self.wait(list));
        (RESTING..LISTS).filter_map(expiry).min()
    }

    /// Whether the name may be asked again over UDP.
    pub fn may_ask_again(&self, number: u16) -> bool {
        self.slot(number).sendings().len() < self.waits.len()
    }

    pub fn state(&self, number: u16) -> SlotState {
        self.slot(number).state
    }

    /// The question is given up, or the rest is over: the name is due again. An answer that comes late still counts.
    pub fn give_up(&mut self, number: u16, now: Instant) {
        self.step(number, Move::GiveUp, Some(DUE), now);
    }

    /// The name rests before it is due again.
    pub fn rest(&mut self, number: u16, now: Instant) {
        self.step(number, Move::Rest, Some(RESTING), now);
    }

    /// The name is asked over TCP now; what still comes over UDP does not count.
    pub fn connect(&mut self, number: u16, now: Instant) {
        self.forget_ids(number);
        self.step(number, Move::Connect, None, now);
    }

    /// The name is finished, and its slot is free.
    pub fn finish(&mut self, number: u16, now: Instant) {
        self.forget_ids(number);
        self.step(number, Move::Finish, None, now);
        self.free.push(number);
    }

    fn forget_ids(&mut self, number: u16) {
        let slot = &mut self.slots[usize::from(number)];
        let sent = std::mem::take(&mut slot.sent);
        for sending in &slot.sendings[..usize::from(sent)] {
            self.by_id[usize::from(sending.socket)][usize::from(sending.id)] = NONE;
            self.ids[usize::from(sending.socket)] -= 1;
        }
    }

    fn wait(&self, list: usize) -> Duration {
        match list {
            RESTING => REST,
            // lists of attempts that are not made are empty
            _ => self.waits[list - WAITING],
        }
    }

    fn first(&self, list: usize) -> Option<u16> {
        let first = self.lists[list].first;
        (first != NONE).then_some(first)
    }

    fn step(&mut self, number: u16, step: Move, list: Option<usize>, now: Instant) {
        self.unlist(number);
        let slot = self.slot_mut(number);
        let after = slot.state.after(step);
        debug_assert!(after.is_some(), "{step:?} of a slot that is {:?}", slot.state);
        slot.state = after.unwrap_or(slot.state);
        slot.since = now;
        if let Some(list) = list {
            self.append(number, list);
        }
    }

    fn append(&mut self, number: u16, list: usize) {
        let last = std::mem::replace(&mut self.lists[list].last, number);
        match self.slots.get_mut(usize::from(last)) {
            Some(last) => last.after = number,
            None => self.lists[list].first = number,
        }
        let slot = self.slot_mut(number);
        (slot.list, slot.before, slot.after) = (list as u8, last, NONE);
    }

    fn unlist(&mut self, number: u16) {
        let slot = self.slot_mut(number);
        let list = std::mem::replace(&mut slot.list, UNLISTED);
        if list == UNLISTED {
            return;
        }
        let (before, after) = (slot.before, slot.after);
        match self.slots.get_mut(usize::from(before)) {
            Some(before) => before.after = after,
            None => self.lists[usize::from(list)].first = after,
        }
        match self.slots.get_mut(usize::from(after)) {
            Some(after) => after.before = before,
            None => self.lists[usize::from(list)].last = before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const STATES: [SlotState; 5] = [
        SlotState::Free,
        SlotState::Due,
        SlotState::Waiting,
        SlotState::Resting,
        SlotState::Connected,
    ];
    const MOVES: [(Move, &str); 6] = [
        (Move::Take, "take"),
        (Move::Send, "send"),
        (Move::GiveUp, "give_up"),
        (Move::Rest, "rest"),
        (Move::Connect, "connect"),
        (Move::Finish, "finish"),
    ];

    #[test]
    fn the_drawing_shows_exactly_the_moves_that_happen() {
        let drawn: Vec<String> = include_str!("table.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("/// "))
            .filter(|line| line.contains(" -> "))
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        let word = |state: SlotState| format!("{state:?}").to_lowercase();
        let happen = MOVES.map(|(step, name)| {
            let from: Vec<SlotState> = STATES.into_iter().filter(|state| state.after(step).is_some()).collect();
            let to = from[0].after(step).unwrap();
            assert!(from.iter().all(|state| state.after(step) == Some(to)), "{step:?}");
            let from: Vec<String> = from.into_iter().map(word).collect();
            format!("{name} {} -> {}", from.join(" "), word(to))
        });
        assert_eq!(drawn, happen);
    }

    const SLOTS_HERE: usize = 5;
    const WAITS: [Duration; 2] = [Duration::from_millis(30), Duration::from_millis(60)];

    /// The state of each line under way, and the ids under which it is found.
    type Expected = BTreeMap<u64, (SlotState, Vec<(u16, u16)>)>;

    proptest! {
        /// Whatever happens in whatever order, the table and a plain map agree.
        #[test]
        fn the_table_holds_what_was_put_in_and_not_yet_finished(
            steps in proptest::collection::vec((0_u8..7, any::<u16>(), 0_u64..40), 1..200),
        ) {
            let mut now = Instant::now();
            let mut table = Table::new(SLOTS_HERE, 2, WAITS.to_vec(), now);
            let mut expected = Expected::new();
            for (line, (step, random, passed)) in (1..).zip(steps) {
                now += Duration::from_millis(passed);
                let chosen = (0..SLOTS_HERE as u16).find(|number| {
                    table.slot(*number).state != SlotState::Free && u64::from(random) % 3 == table.slot(*number).line % 3
                });
                let state = chosen.map(|number| table.state(number));
                match (step, chosen) {
                    (0 | 1, _) => {
                        let taken = table.take(b"\x01a\x00", line, now);
                        prop_assert_eq!(taken.is_some(), expected.len() < SLOTS_HERE);
                        if taken.is_some() {
                            expected.insert(line, (SlotState::Due, Vec::new()));
                        }
                    }
                    (2 | 3, _) => {
                        let due = table.first_due().filter(|number| table.may_ask_again(*number));
                        if let Some(number) = due {
                            let socket = random % 2;
                            let id = table.free_id(socket, random % 3);
                            table.sent(number, Sending { socket, id, target: 0, at: now });
                            let (state, ids) = expected.get_mut(&table.slot(number).line).unwrap();
                            *state = SlotState::Waiting;
                            ids.push((socket, id));
                        }
                    }
                    (4, _) => {
                        let mut last = None;
                        while let Some(number) = table.first_expired(now) {
                            prop_assert_ne!(last, Some(number));
                            last = Some(number);
                            table.give_up(number, now);
                            expected.get_mut(&table.slot(number).line).unwrap().0 = SlotState::Due;
                        }
                        prop_assert!(table.next_expiry().is_none_or(|expiry| expiry > now));
                    }
                    (5, Some(number)) if state == Some(SlotState::Waiting) => {
                        let line = table.slot(number).line;
                        if random % 2 == 0 {
                            table.rest(number, now);
                            expected.get_mut(&line).unwrap().0 = SlotState::Resting;
                        } else {
                            table.connect(number, now);
                            expected.insert(line, (SlotState::Connected, Vec::new()));
                        }
                    }
                    (6, Some(number)) => {
                        let line = table.slot(number).line;
                        table.finish(number, now);
                        expected.remove(&line);
                    }
                    _ => {}
                }
                prop_assert_eq!(table.len(), expected.len());
                let mut lines: Vec<u64> = table.lines().collect();
                lines.sort_unstable();
                prop_assert_eq!(lines, expected.keys().copied().collect::<Vec<_>>());
                let mut found = 0;
                for (line, (state, ids)) in &expected {
                    for (socket, id) in ids {
                        let (number, sending) = table.find(*socket, *id).unwrap();
                        prop_assert_eq!((table.slot(number).line, table.state(number)), (*line, *state));
                        prop_assert_eq!((sending.socket, sending.id), (*socket, *id));
                        found += 1;
                    }
                }
                let in_use: u32 = table.ids.iter().sum();
                prop_assert_eq!(in_use, found, "no id is found that belongs to no name");
                let is_due = |(state, _): &(SlotState, Vec<_>)| *state == SlotState::Due;
                prop_assert_eq!(table.first_due().is_some(), expected.values().any(is_due));
            }
        }
    }
}
