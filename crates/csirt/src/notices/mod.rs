//! The messages of a request.

/// One message of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {}
