//! Figures from samples: what the documents of the field define, and our one score of a zone.
//!
//! Pure functions: no IO, no clock, no randomness. A module is one document, names what it takes from which of its
//! sections, and is tested with the document's own examples. Thresholds are arguments; their defaults are those of the
//! documents. Nothing here raises an alarm: that is the room of detectors.

pub mod dnsmon;
pub mod kindns;
pub mod percentile;
pub mod rssac002;
pub mod rssac047;
pub mod score;
pub mod serial_lag;
pub mod share;
pub mod specification10;

pub use share::Share;
