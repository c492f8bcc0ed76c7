//! The lab as a plain client sees it: sockets and messages, no resolver.

mod answers;
mod asker;
