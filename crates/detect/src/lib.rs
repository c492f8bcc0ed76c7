//! Turns observations into signals, one module per detector.
//!
//! Pure functions: no IO, no async, no clock of their own. Time and thresholds are arguments, so the same input
//! gives the same signals.

pub mod health;
pub mod outage;
pub mod redelegation;
mod target;
pub mod vantage;
