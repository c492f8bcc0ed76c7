//! Equal things counted once: keys of octets with the first and last time and how often, in one piece of memory that is emptied when
//! it is full.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Octets of keys for each thing that may be held, on average: a referral with its name servers has about 300, an address 40.
const OCTETS_EACH: usize = 256;

/// Most octets of keys: places in them are told in 32 bits, and one message may add some after it was looked whether there is room.
const MOST_OCTETS: usize = 1 << 31;

/// Octets of an entry before its key: first and last time, count, and the lengths of the key and of what is kept beside.
const HEAD: usize = 32;

/// How often, and when, one thing was seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// Seconds since 1970.
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) count: u64,
}

/// An entry as it stands before its key.
struct Head {
    entry: Entry,
    key_length: usize,
    beside_length: usize,
}

/// Things seen. What is asked of one of them lies together, since most of the time goes into waiting for memory.
pub(crate) struct Merger {
    most: usize,
    hasher: RandomState,
    octets: Vec<u8>,
    /// Where each thing begins in `octets`, with the upper half of its hash.
    table: HashTable<(u32, u32)>,
}

impl Merger {
    /// `hasher` is the one by which its caller hashes keys.
    pub(crate) fn new(most: usize, hasher: RandomState) -> Self {
        Self {
            most: most.min(u32::MAX as usize),
            hasher,
            octets: Vec::new(),
            table: HashTable::new(),
        }
    }

    /// Where a thing whose key has this hash may be.
    pub(crate) fn place(&self, hash: u64) -> Option<u32> {
        let found = self.table.find(hash, |(_, upper)| *upper == upper_half(hash));
        found.map(|(start, _)| *start)
    }

    /// Counts a thing once more; says whether it is new here. `beside` is kept with it the first time. `place` is where
    /// [`Self::place`] says that it may be.
    pub(crate) fn add(&mut self, key: &[u8], hash: u64, place: Option<u32>, beside: &[u8], seconds: i64) -> bool {
        let octets = &self.octets;
        let is_key = |start: usize| {
            let length = &octets[start + 24..start + 28];
            length == (key.len() as u32).to_le_bytes() && octets[start + HEAD..][..key.len()] == *key
        };
        let place = place.map(|start| start as usize).filter(|start| is_key(*start));
        let known = place.or_else(|| {
            let is_it = |(start, upper): &(u32, u32)| *upper == upper_half(hash) && is_key(*start as usize);
            self.table.find(hash, is_it).map(|(start, _)| *start as usize)
        });
        if let Some(start) = known {
            let mut entry = head(octets, start).entry;
            entry.first = entry.first.min(seconds);
            entry.last = entry.last.max(seconds);
            entry.count += 1;
            self.octets[start..start + 24].copy_from_slice(&entry.octets());
            return false;
        }
        let start = self.octets.len();
        let entry = Entry {
            first: seconds,
            last: seconds,
            count: 1,
        };
        self.octets.extend_from_slice(&entry.octets());
        self.octets.extend_from_slice(&(key.len() as u32).to_le_bytes());
        self.octets.extend_from_slice(&(beside.len() as u32).to_le_bytes());
        self.octets.extend_from_slice(key);
        self.octets.extend_from_slice(beside);
        let Self {
            octets, hasher, table, ..
        } = self;
        table.insert_unique(hash, (start as u32, upper_half(hash)), |(start, _)| {
            let start = *start as usize;
            hasher.hash_one(&octets[start + HEAD..][..head(octets, start).key_length])
        });
        true
    }

    /// Whether it has to be emptied before more is added.
    pub(crate) fn is_full(&self) -> bool {
        let most_octets = self.most.saturating_mul(OCTETS_EACH).min(MOST_OCTETS);
        self.table.len() >= self.most || self.octets.len() - self.table.len() * HEAD >= most_octets
    }

    /// Gives everything, as key, what was kept beside, and counts; and is empty then. Stops at the first error.
    pub(crate) fn empty<E>(&mut self, mut give: impl FnMut(&[u8], &[u8], &Entry) -> Result<(), E>) -> Result<(), E> {
        let mut given = Ok(());
        let mut start = 0;
        while start < self.octets.len() && given.is_ok() {
            let head = head(&self.octets, start);
            let (key, rest) = self.octets[start + HEAD..].split_at(head.key_length);
            given = give(key, &rest[..head.beside_length], &head.entry);
            start += HEAD + head.key_length + head.beside_length;
        }
        self.table.clear();
        self.octets.clear();
        given
    }
}

impl Entry {
    fn octets(&self) -> [u8; 24] {
        let mut octets = [0; 24];
        octets[..8].copy_from_slice(&self.first.to_le_bytes());
        octets[8..16].copy_from_slice(&self.last.to_le_bytes());
        octets[16..].copy_from_slice(&self.count.to_le_bytes());
        octets
    }
}

fn head(octets: &[u8], start: usize) -> Head {
    let mut head = [0; HEAD];
    head.copy_from_slice(&octets[start..start + HEAD]);
    let [first, last, count, lengths] = [0, 8, 16, 24].map(|at| {
        let mut number = [0; 8];
        number.copy_from_slice(&head[at..at + 8]);
        u64::from_le_bytes(number)
    });
    Head {
        entry: Entry {
            first: first as i64,
            last: last as i64,
            count,
        },
        key_length: (lengths & 0xffff_ffff) as usize,
        beside_length: (lengths >> 32) as usize,
    }
}

fn upper_half(hash: u64) -> u32 {
    (hash >> 32) as u32
}
