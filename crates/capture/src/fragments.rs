//! Datagrams put together from fragments (RFC 791 §3.2, RFC 8200 §4.5), within a bound of memory and of the packets' own time.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::net::IpAddr;

use foldhash::quality::RandomState;
use hashbrown::HashMap;

use crate::layers::IpPacket;

/// How long fragments of one datagram are awaited, in nanoseconds of capture time: what Linux waits (`ipfrag_time`, 30 s), within
/// the 60 s of RFC 8200 §4.5. Shorter: late fragments are lost that the host still took. Longer: identifications of IPv4 come
/// round and parts of two datagrams are mixed.
const PATIENCE: i64 = 30_000_000_000;

/// Datagrams awaited at once. An attack of first fragments alone fills it; the oldest go then.
const MOST_DATAGRAMS: usize = 4_096;

/// Octets held for all of them.
const MOST_OCTETS: usize = 16 << 20;

/// Pieces of one datagram: 64 KiB in pieces of the least MTU of IPv6 are 53; of IPv4's 68 octets 1,366 are possible, none sends so.
const MOST_PIECES: usize = 256;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    identification: u32,
}

/// Where a piece begins and ends, and the hash of its octets.
type Piece = (usize, usize, u64);

struct Datagram {
    /// Tells this one from a later one with the same key.
    birth: u64,
    octets: Vec<u8>,
    /// Pieces that brought something new.
    pieces: Vec<Piece>,
    /// Ranges that have come, in order, not touching.
    have: Vec<(usize, usize)>,
    /// Length of the whole, known from the last fragment.
    total: Option<usize>,
    /// Whether pieces contradicted each other: RFC 5722 has the whole dropped, with those still to come.
    is_refused: bool,
    /// Whether all pieces so far came before, in a datagram that was whole.
    is_repeat: bool,
}

/// The pieces of a datagram that was whole.
struct Finished {
    since: i64,
    pieces: Vec<Piece>,
}

/// What came of a fragment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reassembly {
    /// More are needed.
    Waiting,
    /// The payload of the whole datagram.
    Whole(Vec<u8>),
    /// The fragment cannot be used: it contradicts others, lies beyond 64 KiB, or is cut.
    Refused,
}

/// All datagrams that lack a part.
#[derive(Default)]
pub(crate) struct Fragments {
    waiting: HashMap<Key, Datagram, RandomState>,
    /// In the order in which they began.
    order: VecDeque<(i64, u64, Key)>,
    octets: usize,
    births: u64,
    /// Those that were whole of late.
    finished: HashMap<Key, Finished, RandomState>,
    /// In the order in which they were whole.
    finished_order: VecDeque<(i64, Key)>,
    /// Datagrams given up because a part never came, or there was no room.
    pub(crate) incomplete: u64,
}

impl Fragments {
    /// Takes a fragment that was captured at `now`; `packet.fragment` must be there.
    pub(crate) fn take(&mut self, packet: &IpPacket<'_>, now: i64) -> Reassembly {
        let Some(fragment) = packet.fragment else {
            return Reassembly::Refused;
        };
        self.expire(now);
        let end = fragment.offset + packet.payload.len();
        let is_odd = fragment.more && !packet.payload.len().is_multiple_of(8);
        if packet.missing > 0 || packet.payload.is_empty() || end > 65_535 || is_odd {
            return Reassembly::Refused;
        }
        let key = Key {
            source: packet.source,
            destination: packet.destination,
            protocol: packet.protocol,
            identification: fragment.identification,
        };
        if !self.waiting.contains_key(&key) {
            self.births += 1;
            self.order.push_back((now, self.births, key.clone()));
        }
        let births = self.births;
        let datagram = self.waiting.entry(key.clone()).or_insert_with(|| Datagram {
            birth: births,
            octets: Vec::new(),
            pieces: Vec::new(),
            have: Vec::new(),
            total: None,
            is_refused: false,
            is_repeat: true,
        });
        let held = datagram.held();
        let piece = (fragment.offset, end, self.finished.hasher().hash_one(packet.payload));
        datagram.is_repeat &= self
            .finished
            .get(&key)
            .is_some_and(|finished| finished.pieces.contains(&piece));
        // RFC 791 §3.2 lets fragments of IPv4 overlap; of IPv6 they may be repeated alone (RFC 5722 §4, RFC 8200 §4.5)
        let may_overlap = packet.source.is_ipv4();
        let outcome = datagram.add(piece, packet.payload, !fragment.more, may_overlap);
        self.octets = self.octets + datagram.held() - held;
        match outcome {
            Added::Whole => match self.waiting.remove(&key) {
                Some(datagram) => {
                    self.octets -= datagram.held();
                    self.finish(now, key, datagram.pieces);
                    Reassembly::Whole(datagram.octets)
                }
                None => Reassembly::Refused,
            },
            Added::Waiting => {
                while self.waiting.len() > MOST_DATAGRAMS
                    || self.octets > MOST_OCTETS
                    || self.order.len() > 4 * MOST_DATAGRAMS
                {
                    self.drop_oldest();
                }
                Reassembly::Waiting
            }
            Added::Refused => Reassembly::Refused,
        }
    }

    /// Gives up what was awaited longer than the patience, and all of it when the clock went back by as much.
    fn expire(&mut self, now: i64) {
        while let Some((since, _, _)) = self.order.front()
            && (now.saturating_sub(*since) > PATIENCE || since.saturating_sub(now) > PATIENCE)
        {
            self.drop_oldest();
        }
    }

    /// Remembers the pieces of a datagram that is whole, so that one of them that is repeated is not taken for another datagram.
    fn finish(&mut self, now: i64, key: Key, pieces: Vec<Piece>) {
        while let Some((since, oldest)) = self.finished_order.front()
            && (now.abs_diff(*since) > PATIENCE as u64 || self.finished_order.len() >= MOST_DATAGRAMS)
        {
            if self
                .finished
                .get(oldest)
                .is_some_and(|finished| finished.since == *since)
            {
                self.finished.remove(oldest);
            }
            self.finished_order.pop_front();
        }
        // one of so many pieces would take as much memory as all others
        if pieces.len() <= MOST_PIECES {
            self.finished_order.push_back((now, key.clone()));
            self.finished.insert(key, Finished { since: now, pieces });
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((_, birth, key)) = self.order.pop_front()
            && self.waiting.get(&key).is_some_and(|datagram| datagram.birth == birth)
            && let Some(datagram) = self.waiting.remove(&key)
        {
            self.octets -= datagram.held();
            self.incomplete += u64::from(datagram.is_incomplete());
        }
    }

    /// Gives up everything: the input has ended.
    pub(crate) fn clear(&mut self) {
        let incomplete = self.waiting.values().filter(|datagram| datagram.is_incomplete());
        self.incomplete += incomplete.count() as u64;
        self.waiting.clear();
        self.order.clear();
        self.octets = 0;
    }
}

enum Added {
    Whole,
    Waiting,
    Refused,
}

impl Datagram {
    fn held(&self) -> usize {
        self.octets.len() + self.pieces.len() * size_of::<Piece>()
    }

    /// Whether a part of it never came. What was refused has been counted as that, and what was repeated is no datagram.
    fn is_incomplete(&self) -> bool {
        !self.is_refused && !self.is_repeat
    }

    fn add(&mut self, place: Piece, piece: &[u8], is_last: bool, may_overlap: bool) -> Added {
        if self.is_refused {
            return Added::Waiting;
        }
        let (start, end, _) = place;
        let is_repeated = match may_overlap {
            true => self.have.iter().any(|(from, to)| *from <= start && end <= *to),
            false => self.pieces.iter().any(|(from, to, _)| (*from, *to) == (start, end)),
        };
        let fits = match self.total {
            Some(total) => end <= total && (!is_last || end == total),
            None => !is_last || self.octets.len() <= end,
        };
        let mut overlaps = self.have.iter().filter(|(from, to)| start < *to && *from < end);
        let contradicts = overlaps.any(|(from, to)| {
            let (from, to) = (start.max(*from), end.min(*to));
            !(may_overlap || is_repeated) || self.octets[from..to] != piece[from - start..to - start]
        });
        if !fits || self.have.len() >= MOST_PIECES || contradicts {
            self.is_refused = true;
            self.octets = Vec::new();
            self.pieces = Vec::new();
            self.have.clear();
            return Added::Refused;
        }
        if is_last {
            self.total = Some(end);
        }
        if !is_repeated {
            if self.octets.len() < end {
                self.octets.resize(end, 0);
            }
            self.octets[start..end].copy_from_slice(piece);
            self.pieces.push(place);
            let at = self.have.partition_point(|(from, _)| *from < start);
            self.have.insert(at, (start, end));
            self.have.dedup_by(|later, earlier| {
                let touches = earlier.1 >= later.0;
                if touches {
                    earlier.1 = earlier.1.max(later.1);
                }
                touches
            });
        }
        match (self.total, self.have.as_slice()) {
            (Some(total), [(0, end)]) if *end == total => Added::Whole,
            _ => Added::Waiting,
        }
    }
}
