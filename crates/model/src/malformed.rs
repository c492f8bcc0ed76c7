//! Octets of an input that could not be read, kept to be looked at.

use jiff::Timestamp;

/// A message, or a line of a file of lines, that could not be read. `input`, `number`, `reason` and `octets` say which one it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MalformedMessage {
    /// When it was captured; for a line the time of the line before that could be read.
    pub time: Timestamp,
    /// Name of the input.
    pub input: String,
    /// Number of the packet or line in it, from 1.
    pub number: u64,
    /// What is wrong, in one or a few words.
    pub reason: String,
    /// The octets, without the addresses that a message travelled between.
    pub octets: Vec<u8>,
}
