//! The detectors on readable stories.

#[cfg(test)]
mod health;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod redelegation;
#[cfg(test)]
mod vantage;
