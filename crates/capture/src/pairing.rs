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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    question: Vec<u8>,
    query: Query,
    number: u64,
    hash: u64,
    is_answered: bool,
}

/// The queries of the last seconds.
pub(crate) struct Pairing {
    timeout: i64,
    most: usize,
    hasher: RandomState,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// By parties and id.
    table: HashTable<u32>,
    /// In the order in which they came.
    order: VecDeque<u32>,
    /// How many queries are outstanding under a hash of the question with the parties, and with the parties but the client's port.
    /// Made when a stray response asks for it, and kept while such come: without an attack hardly ever.
    near: Option<HashTable<(u64, u32)>>,
    near_wanted: i64,
    numbers: u64,
    latest: i64,
}

impl Pairing {
    /// `timeout` in nanoseconds; `most` queries at once.
    pub(crate) fn new(timeout: i64, most: usize) -> Self {
        Self {
            timeout,
            most,
            hasher: RandomState::default(),
            slots: Vec::new(),
            free: Vec::new(),
            table: HashTable::new(),
            order: VecDeque::new(),
            near: None,
            near_wanted: i64::MIN,
            numbers: 0,
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
        while let Some(oldest) = self.order.front()
            && self.latest.saturating_sub(self.slots[*oldest as usize].query.time) > self.timeout
        {
            self.give_up_oldest(&mut unanswered);
        }
    }

    /// Gives up everything: the input has ended.
    pub(crate) fn give_up_all(&mut self, mut unanswered: impl FnMut(&Parties, &Query, &[u8])) {
        while !self.order.is_empty() {
            self.give_up_oldest(&mut unanswered);
        }
    }

    fn give_up_oldest(&mut self, unanswered: &mut impl FnMut(&Parties, &Query, &[u8])) {
        let Some(index) = self.order.pop_front() else {
            return;
        };
        let slot = &self.slots[index as usize];
        if !slot.is_answered {
            unanswered(&slot.parties, &slot.query, &slot.question);
        }
        if let Ok(entry) = self.table.find_entry(slot.hash, |other| *other == index) {
            entry.remove();
        }
        if let Some(near) = &mut self.near {
            for hash in near_hashes(&self.hasher, &slot.parties, &slot.question) {
                if let Ok(mut entry) = near.find_entry(hash, |(other, _)| *other == hash) {
                    entry.get_mut().1 -= 1;
                    if entry.get().1 == 0 {
                        entry.remove();
                    }
                }
            }
        }
        self.free.push(index);
    }

    /// Remembers a query; `false` where there is no room.
    pub(crate) fn query(&mut self, parties: Parties, id: u16, question: &[u8], query: Query) -> bool {
        let hash = self.hasher.hash_one((&parties, id));
        if self.order.len() >= self.most || self.alike(hash).take(MOST_ALIKE).count() == MOST_ALIKE {
            return false;
        }
        self.numbers += 1;
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.slots.push(Slot {
                    parties,
                    id,
                    question: Vec::new(),
                    query,
                    number: 0,
                    hash,
                    is_answered: false,
                });
                (self.slots.len() - 1) as u32
            }
        };
        let slot = &mut self.slots[index as usize];
        slot.question.clear();
        slot.question.extend_from_slice(question);
        slot.parties = parties;
        slot.id = id;
        slot.query = query;
        slot.number = self.numbers;
        slot.hash = hash;
        slot.is_answered = false;
        let slots = &self.slots;
        self.table
            .insert_unique(hash, index, |other| slots[*other as usize].hash);
        if let Some(near) = &mut self.near {
            count_near(near, &self.hasher, &parties, question);
        }
        self.order.push_back(index);
        true
    }

    /// Looks for the query of a response, and marks it answered.
    pub(crate) fn response(&mut self, parties: &Parties, id: u16, question: Option<&[u8]>) -> Met {
        let hash = self.hasher.hash_one((parties, id));
        let mut has_answered = false;
        let mut oldest: Option<(u64, u32)> = None;
        for index in self.alike(hash) {
            let slot = &self.slots[*index as usize];
            if slot.id != id || slot.parties != *parties || question.is_some_and(|question| slot.question != question) {
                continue;
            }
            if slot.is_answered {
                has_answered = true;
            } else if oldest.is_none_or(|(number, _)| slot.number < number) {
                oldest = Some((slot.number, *index));
            }
        }
        match oldest {
            Some((_, index)) => {
                let slot = &mut self.slots[index as usize];
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
            hasher, slots, order, ..
        } = self;
        let near = self.near.get_or_insert_with(|| {
            let mut near = HashTable::new();
            for index in &*order {
                let slot = &slots[*index as usize];
                count_near(&mut near, hasher, &slot.parties, &slot.question);
            }
            near
        });
        let is_outstanding = |hash: u64| near.find(hash, |(other, _)| *other == hash).is_some();
        let [with_port, without_port] = near_hashes(hasher, parties, question);
        if is_outstanding(with_port) {
            ResponseClass::WrongId
        } else if is_outstanding(without_port) {
            ResponseClass::WrongPort
        } else {
            ResponseClass::NoQuery
        }
    }

    fn alike(&self, hash: u64) -> impl Iterator<Item = &u32> {
        self.table
            .iter_hash(hash)
            .filter(move |index| self.slots[**index as usize].hash == hash)
    }
}

fn near_hashes(hasher: &RandomState, parties: &Parties, question: &[u8]) -> [u64; 2] {
    let of = |client_port: Option<u16>| {
        hasher.hash_one((
            parties.client,
            client_port,
            parties.server,
            parties.server_port,
            parties.transport,
            question,
        ))
    };
    [of(Some(parties.client_port)), of(None)]
}

fn count_near(near: &mut HashTable<(u64, u32)>, hasher: &RandomState, parties: &Parties, question: &[u8]) {
    for hash in near_hashes(hasher, parties, question) {
        near.entry(hash, |(other, _)| *other == hash, |(other, _)| *other)
            .or_insert((hash, 0))
            .get_mut()
            .1 += 1;
    }
}
