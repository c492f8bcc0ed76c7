//! Keeps what an input holds, part by part, as one receipt.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use capture::{Malformed, OutOfBailiwick, Sink, SinkError, TrafficCell};
use indicatif::ProgressBar;
use lake::passive::{Brought, Intake};
use model::{Clock as _, MalformedMessage, OperatorFigure, PassiveRrset, SystemClock};
use tokio::runtime::Handle;

use super::receipt::word;

/// RRsets, pieces of evidence or cells of traffic that wait in memory: some 40 MB, and as much again while they are written. More takes
/// more memory, less makes more small files to be merged.
const AT_ONCE: usize = 100_000;

/// Octets of malformed messages that wait.
const OCTETS_AT_ONCE: usize = 8 << 20;

/// Takes what an input is reduced to, and shows how far it was read.
pub(super) struct Keeping {
    pub bar: ProgressBar,
    /// Where it goes; `None` where nothing is to be kept.
    to: Option<(Intake, Handle)>,
    waiting: Brought,
    malformed_octets: usize,
    /// Set when the program ends: then nothing more is taken.
    stopping: Option<Arc<AtomicBool>>,
}

/// The program ends.
#[derive(Debug, thiserror::Error)]
#[error("told to stop")]
struct Stopped;

impl Keeping {
    pub fn new(bar: ProgressBar, to: Option<(Intake, Handle)>, stopping: Option<Arc<AtomicBool>>) -> Self {
        Self {
            bar,
            to,
            waiting: Brought::default(),
            malformed_octets: 0,
            stopping,
        }
    }

    fn keep_waiting(&mut self) -> Result<(), SinkError> {
        let waiting = std::mem::take(&mut self.waiting);
        self.malformed_octets = 0;
        if let (Some((intake, runtime)), false) = (&mut self.to, waiting.is_empty()) {
            runtime.block_on(intake.add(waiting))?;
        }
        Ok(())
    }

    /// Takes what an operator published.
    pub fn figures(&mut self, figures: Vec<OperatorFigure>) {
        self.waiting.rssac002.extend(figures);
    }

    /// The input is to be known by its receipt alone.
    pub fn forget_words(&mut self) {
        if let Some((intake, _)) = &mut self.to {
            intake.forget_words();
        }
    }

    /// Brings the receipt of this id in: from now on it is seen. Whether it is new.
    pub fn commit(mut self, receipt: &str) -> Result<bool, SinkError> {
        self.keep_waiting()?;
        match self.to {
            Some((intake, runtime)) => Ok(runtime.block_on(intake.commit_as(receipt, SystemClock.now()))?),
            None => Ok(true),
        }
    }

    fn took(&mut self, waiting: usize) -> Result<(), SinkError> {
        let is_stopping = |flag: &Arc<AtomicBool>| flag.load(Ordering::Relaxed);
        if self.stopping.as_ref().is_some_and(is_stopping) {
            return Err(Stopped.into());
        }
        match waiting >= AT_ONCE || self.malformed_octets >= OCTETS_AT_ONCE {
            true => self.keep_waiting(),
            false => Ok(()),
        }
    }
}

impl Sink for Keeping {
    fn rrset(&mut self, rrset: PassiveRrset) -> Result<(), SinkError> {
        if self.to.is_none() {
            return Ok(());
        }
        self.waiting.rrsets.push(rrset);
        self.took(self.waiting.rrsets.len())
    }

    fn out_of_bailiwick(&mut self, evidence: OutOfBailiwick) -> Result<(), SinkError> {
        if self.to.is_none() {
            return Ok(());
        }
        self.waiting.evidence.push(evidence);
        self.took(self.waiting.evidence.len())
    }

    fn traffic(&mut self, cell: TrafficCell) -> Result<(), SinkError> {
        if self.to.is_none() {
            return Ok(());
        }
        self.waiting.traffic.push(cell);
        self.took(self.waiting.traffic.len())
    }

    fn quarantine(&mut self, malformed: Malformed<'_>) -> Result<(), SinkError> {
        if self.to.is_none() {
            return Ok(());
        }
        self.malformed_octets += malformed.octets.len();
        self.waiting.malformed.push(MalformedMessage {
            time: malformed.time,
            input: malformed.input.to_owned(),
            number: malformed.packet,
            reason: word(&malformed.reason),
            octets: malformed.octets.to_vec(),
        });
        self.took(self.waiting.malformed.len())
    }

    fn progress(&mut self, octets_read: u64) {
        self.bar.set_position(octets_read);
    }
}
