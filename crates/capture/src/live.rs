//! Traffic while it happens: packets of an interface or frames of a dnstap connection, without an end, told in turns.

use jiff::Timestamp;

use crate::dnstap;
use crate::pass::Pass;
use crate::receipt::{DropReason, Receipt};
use crate::sink::SinkError;

/// One stream of traffic that is listened to. What it was reduced to goes to the sink at each turn; queries that wait for their
/// response are carried over to the next one.
pub struct Listening<'a> {
    pass: Pass<'a>,
}

impl<'a> Listening<'a> {
    pub(crate) fn new(pass: Pass<'a>) -> Self {
        Self { pass }
    }

    /// A packet, with its link type (LINKTYPE_ registry of tcpdump.org) and when it passed.
    pub fn packet(&mut self, link: u16, time: Timestamp, octets: &[u8]) -> Result<(), SinkError> {
        self.pass.frame(link, nanoseconds(time), octets)
    }

    /// A frame of dnstap, with when it came.
    pub fn frame(&mut self, frame: &[u8], now: Timestamp) -> Result<(), SinkError> {
        dnstap::take(frame, Some(nanoseconds(now)), &mut self.pass)
    }

    /// Packets passed that nobody could read.
    pub fn lost(&mut self, packets: u64) {
        if packets > 0 {
            *self.pass.receipt.dropped.entry(DropReason::TooFast).or_default() += packets;
        }
    }

    /// Passes on what came since the last turn, and gives the receipt of it. `now` is the time by which queries have waited long
    /// enough.
    pub fn turn(&mut self, now: Timestamp) -> Result<Receipt, SinkError> {
        self.pass.turn(nanoseconds(now))
    }

    /// Passes on the rest.
    pub fn finish(self) -> Result<Receipt, SinkError> {
        self.pass.finish()
    }
}

/// Nanoseconds since 1970. 64 bits reach to 2262.
fn nanoseconds(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX)
}
