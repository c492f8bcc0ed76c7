//! The dnscert command.
fn main() {}
