//! Equal things counted once: keys of octets with the first and last time and how often, in one piece of memory that is emptied when
//! it is full.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Octets of keys for each thing that may be held, on average: a referral with its name servers has about 300, an address 40.
const OCTETS_EACH: usize = 256;

/// One thing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    start: usize,
    key_end: usize,
    end: usize,
    hash: u64,
    /// Seconds since 1970.
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) count: u64,
}

pub(crate) struct Merger {
    most: usize,
    hasher: RandomState,
    octets: Vec<u8>,
    entries: Vec<Entry>,
    table: HashTable<u32>,
}

impl Merger {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most: most.min(u32::MAX as usize),
            hasher: RandomState::default(),
            octets: Vec::new(),
            entries: Vec::new(),
            table: HashTable::new(),
        }
    }

    /// Counts a thing once more; says whether it is new here. `beside` is kept with it the first time.
    pub(crate) fn add(&mut self, key: &[u8], beside: &[u8], seconds: i64) -> bool {
        let hash = self.hasher.hash_one(key);
        let (octets, entries) = (&self.octets, &mut self.entries);
        let found = self.table.find(hash, |index| {
            let entry = &entries[*index as usize];
            entry.hash == hash && &octets[entry.start..entry.key_end] == key
        });
        if let Some(index) = found {
            let entry = &mut entries[*index as usize];
            entry.first = entry.first.min(seconds);
            entry.last = entry.last.max(seconds);
            entry.count += 1;
            return false;
        }
        let start = self.octets.len();
        self.octets.extend_from_slice(key);
        self.octets.extend_from_slice(beside);
        entries.push(Entry {
            start,
            key_end: start + key.len(),
            end: self.octets.len(),
            hash,
            first: seconds,
            last: seconds,
            count: 1,
        });
        let index = (entries.len() - 1) as u32;
        self.table
            .insert_unique(hash, index, |index| entries[*index as usize].hash);
        true
    }

    /// Whether it has to be emptied before more is added.
    pub(crate) fn is_full(&self) -> bool {
        self.entries.len() >= self.most || self.octets.len() >= self.most.saturating_mul(OCTETS_EACH)
    }

    /// Gives everything, as key, what was kept beside, and counts; and is empty then. Stops at the first error.
    pub(crate) fn empty<E>(&mut self, mut give: impl FnMut(&[u8], &[u8], &Entry) -> Result<(), E>) -> Result<(), E> {
        let given = self.entries.iter().try_for_each(|entry| {
            give(
                &self.octets[entry.start..entry.key_end],
                &self.octets[entry.key_end..entry.end],
                entry,
            )
        });
        self.entries.clear();
        self.table.clear();
        self.octets.clear();
        given
    }
}
