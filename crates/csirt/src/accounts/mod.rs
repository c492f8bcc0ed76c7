//! Who may sign in, and what each may do.

/// A person who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {}
