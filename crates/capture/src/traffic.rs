//! Figures of traffic, minute by minute, in a bounded number of cells.
//!
//! Zones take half of the cells at most: whoever delegates himself one zone after the other takes the zone from what others ask, and
//! neither server nor RCODE.

use std::collections::BTreeMap;

use domain::base::Name as Wire;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::{Name, Span};

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

/// The cells of a minute by zone, each under its key without the zone.
type Minute = HashMap<Box<[u8]>, Cells, RandomState>;
type Cells = HashMap<Option<TrafficKey>, TrafficCounts, RandomState>;

/// Cells not yet passed on.
pub(crate) struct Traffic {
    most: usize,
    minutes: BTreeMap<i64, Minute>,
    cells: usize,
    cells_of_zones: usize,
}

impl Traffic {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            minutes: BTreeMap::new(),
            cells: 0,
            cells_of_zones: 0,
        }
    }

    /// Adds to the cell of a time in nanoseconds, a zone in wire form, and a key that has none. What would be one cell too many goes to
    /// the cell without the zone, or to the minute's cell without a key.
    pub(crate) fn add(&mut self, time: i64, zone: Option<&[u8]>, key: TrafficKey, counts: &TrafficCounts) {
        let minute = self.minutes.entry(time.div_euclid(MINUTE)).or_default();
        let has_room = self.cells < self.most;
        let has_room_for_zone = has_room && self.cells_of_zones < self.most / SHARE_OF_ZONES;
        let of_zone = zone.map(|zone| (zone, Some(key.clone()), has_room_for_zone));
        let others = [(NO_ZONE, Some(key), has_room), (NO_ZONE, None, true)];
        for (zone, key, may_be_new) in of_zone.into_iter().chain(others) {
            if let Some(sum) = minute.get_mut(zone).and_then(|cells| cells.get_mut(&key)) {
                return sum.add(counts);
            }
            if may_be_new {
                self.cells += 1;
                self.cells_of_zones += usize::from(!zone.is_empty());
                minute.entry(zone.into()).or_default().insert(key, *counts);
                return;
            }
        }
    }

    /// Passes on the minutes that are over; all, at the end.
    pub(crate) fn pass_on(&mut self, all: bool, sink: &mut dyn Sink) -> Result<(), SinkError> {
        let keep = if all { 0 } else { MOST_MINUTES };
        while self.minutes.len() > keep
            && let Some((minute, zones)) = self.minutes.pop_first()
        {
            for (zone, cells) in zones {
                self.cells -= cells.len();
                self.cells_of_zones -= if zone.is_empty() { 0 } else { cells.len() };
                let zone = Wire::from_octets(&*zone).ok().map(|zone| Name::from_wire(&zone));
                for (key, counts) in cells {
                    let zone = zone.clone();
                    sink.traffic(TrafficCell {
                        minute: timestamp(minute.saturating_mul(MINUTE)),
                        span: Span::Minute,
                        key: key.map(|key| TrafficKey { zone, ..key }),
                        counts,
                    })?;
                }
            }
        }
        Ok(())
    }
}
