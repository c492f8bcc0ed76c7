//! One ask to one party.

/// One ask to one party, decided by a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {}
