//! What all streams saw since something was kept last, in bounded memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use capture::{DropReason, Malformed, OutOfBailiwick, Receipt, Sink, SinkError, TrafficCell};
use lake::passive::Brought;
use model::{ClientCell, DistinctCell, MalformedMessage, PassiveRrset};

use super::keep::Keep;
use crate::commands::ingest::word;

/// Rows from which on they are kept before their window is over: some 40 MB in memory. Higher takes more of it, lower makes more parts
/// of a busy minute.
const AT_ONCE: usize = 100_000;

/// Octets of malformed messages that count as a row: the longest alone would be 64 KiB.
const OCTETS_OF_A_ROW: usize = 512;

/// What was seen and is not kept yet. Streams share it.
pub struct Window {
    keep: Keep,
    fresh: Mutex<Fresh>,
    lost_packets: AtomicU64,
    print: fn(&Receipt),
}

#[derive(Default)]
struct Fresh {
    brought: Brought,
    rows: usize,
}

impl Window {
    /// An empty window; `print` is given the receipt of each turn in which something passed.
    pub fn new(keep: Keep, print: fn(&Receipt)) -> Self {
        Self {
            keep,
            print,
            fresh: Mutex::default(),
            lost_packets: AtomicU64::new(0),
        }
    }

    /// Packets that no stream could read, since the start.
    pub fn lost_packets(&self) -> u64 {
        self.lost_packets.load(Ordering::Relaxed)
    }

    /// A stream's turn is over.
    pub fn note(&self, receipt: &Receipt) {
        let lost = receipt.dropped.get(&DropReason::TooFast).copied().unwrap_or(0);
        self.lost_packets.fetch_add(lost, Ordering::Relaxed);
        if receipt.packets > 0 || lost > 0 {
            (self.print)(receipt);
        }
    }

    /// Keeps what is there. Blocks on the disk.
    pub fn seal(&self) {
        let fresh = std::mem::take(&mut *self.fresh());
        self.keep.keep(fresh.brought);
    }

    /// Keeps the last of it; nothing comes any more.
    pub fn finish(&self) -> anyhow::Result<()> {
        self.seal();
        self.keep.finish()
    }

    fn fresh(&self) -> std::sync::MutexGuard<'_, Fresh> {
        // whole between any two statements
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, weight: usize, push: impl FnOnce(&mut Brought)) {
        let mut fresh = self.fresh();
        push(&mut fresh.brought);
        fresh.rows += weight;
        if fresh.rows >= AT_ONCE {
            let full = std::mem::take(&mut *fresh);
            drop(fresh);
            self.keep.keep(full.brought);
        }
    }
}

/// A stream's way into the window.
pub struct Collecting<'a>(pub &'a Window);

impl Sink for Collecting<'_> {
    fn rrset(&mut self, rrset: PassiveRrset) -> Result<(), SinkError> {
        self.0.add(1, |brought| brought.rrsets.push(rrset));
        Ok(())
    }

    fn out_of_bailiwick(&mut self, evidence: OutOfBailiwick) -> Result<(), SinkError> {
        self.0.add(1, |brought| brought.evidence.push(evidence));
        Ok(())
    }

    fn traffic(&mut self, cell: TrafficCell) -> Result<(), SinkError> {
        self.0.add(1, |brought| brought.traffic.push(cell));
        Ok(())
    }

    fn distinct(&mut self, cell: DistinctCell) -> Result<(), SinkError> {
        // a sketch takes 4 KB, two of them twenty times what an RRset does
        self.0.add(20, |brought| {
            let same = |other: &&mut DistinctCell| (other.minute, other.server) == (cell.minute, cell.server);
            match brought.distincts.iter_mut().find(same) {
                Some(other) => {
                    other.clients.merge(&cell.clients);
                    other.names.merge(&cell.names);
                }
                None => brought.distincts.push(cell),
            }
        });
        Ok(())
    }

    fn client(&mut self, cell: ClientCell) -> Result<(), SinkError> {
        self.0.add(1, |brought| brought.clients.push(cell));
        Ok(())
    }

    fn quarantine(&mut self, malformed: Malformed<'_>) -> Result<(), SinkError> {
        let message = MalformedMessage {
            time: malformed.time,
            input: malformed.input.to_owned(),
            number: malformed.packet,
            reason: word(&malformed.reason),
            octets: malformed.octets.to_vec(),
        };
        let weight = 1 + message.octets.len() / OCTETS_OF_A_ROW;
        self.0.add(weight, |brought| brought.malformed.push(message));
        Ok(())
    }
}
