//! The detectors on readable stories.

mod health;
mod redelegation;
