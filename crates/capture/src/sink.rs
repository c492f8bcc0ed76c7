//! What comes out of a capture, and where it goes.

use jiff::Timestamp;
use model::PassiveRrset;
pub use model::{ClientCell, DistinctCell, OutOfBailiwick, OutReason, TrafficCell, TrafficCounts, TrafficKey};

use crate::message::MalformedReason;

/// What a sink may say when it cannot take something: reading stops, and the error goes to the caller.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// Takes what a capture is reduced to. Everything comes in parts that may be added up: the same RRset, cell or piece of evidence can
/// come again with later times and further counts. No address of a client is in any of it.
pub trait Sink {
    /// An RRset that the answering server may speak for.
    fn rrset(&mut self, rrset: PassiveRrset) -> Result<(), SinkError>;

    /// An RRset that it may not speak for, or of which that is not proven.
    fn out_of_bailiwick(&mut self, evidence: OutOfBailiwick) -> Result<(), SinkError>;

    /// Figures of the traffic of one minute.
    fn traffic(&mut self, cell: TrafficCell) -> Result<(), SinkError>;

    /// How many clients and names there were in one minute; where they are counted.
    fn distinct(&mut self, _: DistinctCell) -> Result<(), SinkError> {
        Ok(())
    }

    /// How many queries of one minute came from a client; where clients are told.
    fn client(&mut self, _: ClientCell) -> Result<(), SinkError> {
        Ok(())
    }

    /// Octets on a DNS port that are no DNS message.
    fn quarantine(&mut self, malformed: Malformed<'_>) -> Result<(), SinkError>;

    /// Called now and then with the octets of the input (as it lies on disk) read so far.
    fn progress(&mut self, _octets_read: u64) {}
}

/// A sink that keeps nothing: for receipts alone.
#[derive(Debug, Default)]
pub struct Discard;

impl Sink for Discard {
    fn rrset(&mut self, _: PassiveRrset) -> Result<(), SinkError> {
        Ok(())
    }

    fn out_of_bailiwick(&mut self, _: OutOfBailiwick) -> Result<(), SinkError> {
        Ok(())
    }

    fn traffic(&mut self, _: TrafficCell) -> Result<(), SinkError> {
        Ok(())
    }

    fn quarantine(&mut self, _: Malformed<'_>) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Octets that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed<'a> {
    /// Name of the input.
    pub input: &'a str,
    /// Number of the packet in it, from 1, as other tools count.
    pub packet: u64,
    /// When it was captured.
    pub time: Timestamp,
    /// What is wrong.
    pub reason: MalformedReason,
    /// The message, without the addresses it travelled between.
    pub octets: &'a [u8],
}
