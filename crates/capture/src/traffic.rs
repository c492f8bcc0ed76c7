//! Figures of traffic, minute by minute, in a bounded number of cells.

use std::collections::BTreeMap;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::pass::timestamp;
use crate::sink::{Sink, SinkError, TrafficCell, TrafficCounts, TrafficKey};

const MINUTE: i64 = 60_000_000_000;

/// Minutes held open at once: the running one, the one before for queries whose timeout runs into the next, and one for packets out
/// of order.
const MOST_MINUTES: usize = 3;

type Cells = HashMap<Option<TrafficKey>, TrafficCounts, RandomState>;

/// Cells not yet passed on.
pub(crate) struct Traffic {
    most: usize,
    minutes: BTreeMap<i64, Cells>,
    cells: usize,
}

impl Traffic {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            minutes: BTreeMap::new(),
            cells: 0,
        }
    }

    /// Adds to the cell of a time in nanoseconds. What would be one cell too many goes to the minute's cell without a key.
    pub(crate) fn add(&mut self, time: i64, key: TrafficKey, counts: &TrafficCounts) {
        let cells = self.minutes.entry(time.div_euclid(MINUTE)).or_default();
        if let Some(sum) = cells.get_mut(&Some(key)) {
            return sum.add(counts);
        }
        let key = (self.cells < self.most).then_some(key);
        let cell = cells.entry(key).or_insert_with(|| {
            self.cells += 1;
            TrafficCounts::default()
        });
        cell.add(counts);
    }

    /// Passes on the minutes that are over; all, at the end.
    pub(crate) fn pass_on(&mut self, all: bool, sink: &mut dyn Sink) -> Result<(), SinkError> {
        let keep = if all { 0 } else { MOST_MINUTES };
        while self.minutes.len() > keep
            && let Some((minute, cells)) = self.minutes.pop_first()
        {
            self.cells -= cells.len();
            for (key, counts) in cells {
                sink.traffic(TrafficCell {
                    minute: timestamp(minute.saturating_mul(MINUTE)),
                    key,
                    counts,
                })?;
            }
        }
        Ok(())
    }
}
