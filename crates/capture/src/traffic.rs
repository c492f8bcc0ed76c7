//! Figures of traffic, minute by minute, in a bounded number of cells.
//!
//! Zones take half of the cells at most: whoever delegates himself one zone after the other takes the zone from what others ask, and
//! neither server nor RCODE.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use domain::base::Name as Wire;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use model::{Name, Span, Transport};

use crate::pairing::number_of;
use crate::pass::is_dated;
use crate::pass::timestamp;
use crate::sink::{Sink, SinkError, TrafficCell, TrafficCounts, TrafficKey};

const MINUTE: i64 = 60_000_000_000;

/// Minutes held open at once: the running one, the one before for queries whose timeout runs into the next, and one for packets out
/// of order.
const MOST_MINUTES: usize = 3;

/// One cell in so many may be of a zone.
const SHARE_OF_ZONES: usize = 2;

/// In the place of a zone: none. The root has an octet.
const NO_ZONE: &[u8] = &[];

/// One cell: the zone in wire form stands beside the key, which has none.
struct Cell {
    zone: Box<[u8]>,
    key: TrafficKey,
    counts: TrafficCounts,
}

/// The cells of one minute.
#[derive(Default)]
struct Cells {
    keyed: HashTable<Cell>,
    /// What found no cell of its own.
    other: Option<TrafficCounts>,
}

/// Cells not yet passed on.
pub(crate) struct Traffic {
    most: usize,
    hasher: RandomState,
    minutes: BTreeMap<i64, Cells>,
    cells: usize,
    cells_of_zones: usize,
}

impl Traffic {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            hasher: RandomState::default(),
            minutes: BTreeMap::new(),
            cells: 0,
            cells_of_zones: 0,
        }
    }

    /// Adds to the cell of a time in nanoseconds, a zone in wire form, and a key that has none. What would be one cell too many goes to
    /// the cell without the zone, or to the minute's cell without a key.
    pub(crate) fn add(&mut self, time: i64, zone: Option<&[u8]>, key: TrafficKey, counts: &TrafficCounts) {
        if !is_dated(time) {
            return;
        }
        let hasher = &self.hasher;
        let cells = self.minutes.entry(time.div_euclid(MINUTE)).or_default();
        let has_room = self.cells < self.most;
        let has_room_for_zone = has_room && self.cells_of_zones < self.most / SHARE_OF_ZONES;
        let of_zone = zone.map(|zone| (zone, has_room_for_zone));
        for (zone, may_be_new) in of_zone.into_iter().chain([(NO_ZONE, has_room)]) {
            let hash = hash_of(hasher, zone, &key);
            let is_it = |cell: &Cell| cell.key == key && cell.zone.iter().eq(zone);
            if let Some(cell) = cells.keyed.find_mut(hash, is_it) {
                return cell.counts.add(counts);
            }
            if may_be_new {
                self.cells += 1;
                self.cells_of_zones += usize::from(!zone.is_empty());
                let cell = Cell {
                    zone: zone.into(),
                    key,
                    counts: *counts,
                };
                cells
                    .keyed
                    .insert_unique(hash, cell, |cell| hash_of(hasher, &cell.zone, &cell.key));
                return;
            }
        }
        match &mut cells.other {
            Some(sum) => sum.add(counts),
            other => {
                self.cells += 1;
                *other = Some(*counts);
            }
        }
    }

    /// Passes on the minutes that are over; all, at the end.
    pub(crate) fn pass_on(&mut self, all: bool, sink: &mut dyn Sink) -> Result<(), SinkError> {
        let keep = if all { 0 } else { MOST_MINUTES };
        while self.minutes.len() > keep
            && let Some((minute, cells)) = self.minutes.pop_first()
        {
            let of_zones = cells.keyed.iter().filter(|cell| !cell.zone.is_empty()).count();
            self.cells_of_zones -= of_zones;
            self.cells -= cells.keyed.len() + usize::from(cells.other.is_some());
            let keyed = cells.keyed.into_iter().map(|cell| {
                let zone = Wire::from_octets(&*cell.zone).ok().map(|zone| Name::from_wire(&zone));
                (Some(TrafficKey { zone, ..cell.key }), cell.counts)
            });
            for (key, counts) in keyed.chain(cells.other.map(|counts| (None, counts))) {
                sink.traffic(TrafficCell {
                    minute: timestamp(minute.saturating_mul(MINUTE)),
                    span: Span::Minute,
                    key,
                    counts,
                })?;
            }
        }
        Ok(())
    }
}

fn hash_of(hasher: &RandomState, zone: &[u8], key: &TrafficKey) -> u64 {
    let flags = u64::from(key.truncated) | u64::from(key.authoritative) << 1 | u64::from(key.dnssec_ok) << 2;
    let numbers = u64::from(key.port) << 48
        | u64::from(key.qtype.unwrap_or_default()) << 32
        | u64::from(key.rcode.unwrap_or_default()) << 16
        | u64::from(key.transport == Transport::Tcp) << 3
        | flags;
    hasher.hash_one((number_of(key.server), numbers, zone))
}
