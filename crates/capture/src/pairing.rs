//! Which response belongs to which query.
//!
//! As `compactor` of dns-stats pairs: by addresses, ports, transport, id and the question in its case, within a timeout of capture
//! time. Of several equal queries the oldest unanswered gets the response. A response without a question (RFC 1035 lets servers that
//! cannot read the query leave it out) goes by the rest of the key.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::net::IpAddr;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use model::Transport;

/// Queries that differ in nothing but the question. Honest clients have one; without a bound each further one would be compared
/// with all of them.
const MOST_ALIKE: usize = 64;

/// What a response is that is not the answer to a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponseClass {
    /// A further answer to one that was answered.
    Duplicate,
    /// The question is outstanding between these ports, under another id.
    WrongId,
    /// The question is outstanding between these addresses, from another port.
    WrongPort,
    /// Nobody asked.
    NoQuery,
}

/// Who asks whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parties {
    pub(crate) client: IpAddr,
    pub(crate) client_port: u16,
    pub(crate) server: IpAddr,
    pub(crate) server_port: u16,
    pub(crate) transport: Transport,
}

/// What is kept of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Query {
    /// Nanoseconds since 1970.
    pub(crate) time: i64,
    pub(crate) octets: u32,
    pub(crate) qtype: Option<u16>,
    pub(crate) dnssec_ok: bool,
}

/// What a response met.
pub(crate) enum Met {
    Matched(Query),
    Duplicate,
    Nothing,
}

struct Slot {
    parties: Parties,
    id: u16,
    is_answered: bool,
    question: Place,
    query: Query,
    /// Of parties and id.
    hash: u64,
}

/// The queries of the last seconds.
///
/// They are given up in the order in which they came. So they, and their questions, stand in two queues: nothing is allocated for a
/// query, and those that the next responses are for lie together.
pub(crate) struct Pairing {
    timeout: i64,
    most: usize,
    hasher: RandomState,
    slots: VecDeque<Slot>,
    /// Number of the oldest query; numbers are counted on without end, and wrap.
    oldest: u32,
    questions: Questions,
    /// The question of the query that was given up last; kept for its memory.
    given_up: Vec<u8>,
    /// Numbers of the queries by parties and id.
    table: HashTable<u32>,
    /// Made when a stray response asks for it, and kept while such come.
    near: Option<Near>,
    near_wanted: i64,
    latest: i64,
}

impl Pairing {
    /// `timeout` in nanoseconds; `most` queries at once.
    pub(crate) fn new(timeout: i64, most: usize) -> Self {
        Self {
            timeout,
            most: most.min(u32::MAX as usize),
            hasher: RandomState::default(),
            slots: VecDeque::new(),
            oldest: 0,
            questions: Questions::default(),
            given_up: Vec::new(),
            table: HashTable::new(),
            near: None,
            near_wanted: i64::MIN,
            latest: i64::MIN,
        }
    }

    /// Sets the clock to the time of a packet, and gives up what is older than the timeout, each with its question as it stood in the message. A clock that goes back by more than the
    /// timeout was set: everything outstanding is given up then, or it would wait for hours.
    pub(crate) fn advance(&mut self, time: i64, mut unanswered: impl FnMut(&Parties, &Query, &[u8])) {
        if time >= self.latest {
            self.latest = time;
        } else if self.latest.saturating_sub(time) > self.timeout {
            self.give_up_all(&mut unanswered);
            self.latest = time;
        }
        if self.near.is_some() && self.latest.saturating_sub(self.near_wanted) > self.timeout {
            self.near = None;
        }
        while let Some(oldest) = self.slots.front()
            && self.latest.saturating_sub(oldest.query.time) > self.timeout
        {
            self.give_up_oldest(&mut unanswered);
        }
    }

    /// Gives up everything: the input has ended.
    pub(crate) fn give_up_all(&mut self, mut unanswered: impl FnMut(&Parties, &Query, &[u8])) {
        while !self.slots.is_empty() {
            self.give_up_oldest(&mut unanswered);
        }
    }

    fn give_up_oldest(&mut self, unanswered: &mut impl FnMut(&Parties, &Query, &[u8])) {
        let Some(slot) = self.slots.pop_front() else {
            return;
        };
        if !slot.is_answered {
            self.questions.copy_oldest(slot.question, &mut self.given_up);
            unanswered(&slot.parties, &slot.query, &self.given_up);
        }
        self.questions.drop_oldest(slot.question);
        if let Ok(entry) = self.table.find_entry(slot.hash, |number| *number == self.oldest) {
            entry.remove();
        }
        self.oldest = self.oldest.wrapping_add(1);
    }

    /// Remembers a query; `false` where there is no room.
    pub(crate) fn query(&mut self, parties: Parties, id: u16, question: &[u8], query: Query) -> bool {
        let hash = self.hash(&parties, id);
        if self.slots.len() >= self.most || self.alike(hash).take(MOST_ALIKE).count() == MOST_ALIKE {
            return false;
        }
        let number = self.oldest.wrapping_add(self.slots.len() as u32);
        if let Some(near) = &mut self.near {
            near.forget_some(self.oldest, self.slots.len());
            near.remember(&self.hasher, &parties, question, number);
        }
        self.slots.push_back(Slot {
            parties,
            id,
            is_answered: false,
            question: self.questions.push(question),
            query,
            hash,
        });
        let (slots, oldest) = (&self.slots, self.oldest);
        self.table
            .insert_unique(hash, number, |other| slots[other.wrapping_sub(oldest) as usize].hash);
        true
    }

    /// Looks for the query of a response, and marks it answered.
    pub(crate) fn response(&mut self, parties: &Parties, id: u16, question: Option<&[u8]>) -> Met {
        let hash = self.hash(parties, id);
        let mut has_answered = false;
        let mut first: Option<usize> = None;
        for at in self.alike(hash) {
            let slot = &self.slots[at];
            let is_other = slot.id != id
                || slot.parties != *parties
                || question.is_some_and(|question| !self.questions.is_at(slot.question, question));
            if is_other {
                continue;
            }
            if slot.is_answered {
                has_answered = true;
            } else if first.is_none_or(|first| at < first) {
                first = Some(at);
            }
        }
        match first {
            Some(at) => {
                let slot = &mut self.slots[at];
                slot.is_answered = true;
                Met::Matched(slot.query)
            }
            None if has_answered => Met::Duplicate,
            None => Met::Nothing,
        }
    }

    /// What a response is that met nothing.
    pub(crate) fn class_of_stray(&mut self, parties: &Parties, question: Option<&[u8]>) -> ResponseClass {
        let Some(question) = question else {
            return ResponseClass::NoQuery;
        };
        self.near_wanted = self.latest;
        let Self {
            hasher,
            slots,
            oldest,
            questions,
            ..
        } = self;
        let (oldest, outstanding) = (*oldest, slots.len());
        let near = self.near.get_or_insert_with(|| {
            let mut near = Near::default();
            for (number, slot) in (0..).zip(slots) {
                let number = oldest.wrapping_add(number);
                near.remember(hasher, &slot.parties, questions.get(slot.question), number);
            }
            near
        });
        let is_outstanding = |hash: u64| {
            let latest = near.latest.find(hash, |(other, _)| *other == hash);
            latest.is_some_and(|(_, number)| is_among(*number, oldest, outstanding))
        };
        let [with_port, without_port] = near_hashes(hasher, parties, question);
        if is_outstanding(with_port) {
            ResponseClass::WrongId
        } else if is_outstanding(without_port) {
            ResponseClass::WrongPort
        } else {
            ResponseClass::NoQuery
        }
    }

    fn hash(&self, parties: &Parties, id: u16) -> u64 {
        let rest = u64::from(id) << 48
            | u64::from(parties.client_port) << 32
            | u64::from(parties.server_port) << 16
            | u64::from(parties.transport == Transport::Tcp);
        self.hasher
            .hash_one((number_of(parties.client), number_of(parties.server), rest))
    }

    /// Where in `slots` the queries with this hash stand.
    fn alike(&self, hash: u64) -> impl Iterator<Item = usize> {
        self.table
            .iter_hash(hash)
            .map(|number| number.wrapping_sub(self.oldest) as usize)
            .filter(move |at| self.slots[*at].hash == hash)
    }
}

/// Where a question stands in [`Questions`].
#[derive(Clone, Copy)]
struct Place {
    /// Octets before it, counted on without end; they wrap, beyond what is held at once.
    start: u32,
    length: u32,
}

/// The questions of the queries, one behind the other.
#[derive(Default)]
struct Questions {
    octets: VecDeque<u8>,
    /// Octets that were dropped.
    dropped: u32,
}

impl Questions {
    fn push(&mut self, question: &[u8]) -> Place {
        let start = self.dropped.wrapping_add(self.octets.len() as u32);
        self.octets.extend(question);
        Place {
            start,
            length: question.len() as u32,
        }
    }

    fn copy_oldest(&self, place: Place, into: &mut Vec<u8>) {
        into.clear();
        into.extend(self.octets.range(..place.length as usize));
    }

    fn drop_oldest(&mut self, place: Place) {
        self.octets.drain(..place.length as usize);
        self.dropped = self.dropped.wrapping_add(place.length);
    }

    fn range(&self, place: Place) -> (usize, usize) {
        let start = place.start.wrapping_sub(self.dropped) as usize;
        (start, start + place.length as usize)
    }

    fn is_at(&self, place: Place, question: &[u8]) -> bool {
        let (start, end) = self.range(place);
        let (front, back) = self.octets.as_slices();
        if question.len() != end - start {
            false
        } else if end <= front.len() {
            front[start..end] == *question
        } else if start >= front.len() {
            back[start - front.len()..end - front.len()] == *question
        } else {
            let (first, second) = question.split_at(front.len() - start);
            front[start..] == *first && back[..second.len()] == *second
        }
    }

    fn get(&mut self, place: Place) -> &[u8] {
        let (start, end) = self.range(place);
        &self.octets.make_contiguous()[start..end]
    }
}

/// The number of the latest query under a hash of the question with the parties, and with the parties but the client's port. As queries
/// are given up in their order, one is outstanding if the latest is. What is not outstanding is forgotten when it is much.
#[derive(Default)]
struct Near {
    latest: HashTable<(u64, u32)>,
}

impl Near {
    fn remember(&mut self, hasher: &RandomState, parties: &Parties, question: &[u8], number: u32) {
        for hash in near_hashes(hasher, parties, question) {
            self.latest
                .entry(hash, |(other, _)| *other == hash, |(other, _)| *other)
                .or_insert((hash, number))
                .get_mut()
                .1 = number;
        }
    }

    fn forget_some(&mut self, oldest: u32, outstanding: usize) {
        if self.latest.len() > 1_024 + 4 * outstanding {
            self.latest.retain(|(_, number)| is_among(*number, oldest, outstanding));
        }
    }
}

/// Whether a number is one of the queries outstanding.
fn is_among(number: u32, oldest: u32, outstanding: usize) -> bool {
    (number.wrapping_sub(oldest) as usize) < outstanding
}

/// An address as one number, which is hashed faster than its octets. Some of IPv4 and of IPv6 have the same.
pub(crate) fn number_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn near_hashes(hasher: &RandomState, parties: &Parties, question: &[u8]) -> [u64; 2] {
    let without_port = hasher.hash_one((
        number_of(parties.client),
        number_of(parties.server),
        parties.server_port,
        [
            parties.transport == Transport::Tcp,
            parties.client.is_ipv4(),
            parties.server.is_ipv4(),
        ],
        question,
    ));
    [hasher.hash_one((without_port, parties.client_port)), without_port]
}
