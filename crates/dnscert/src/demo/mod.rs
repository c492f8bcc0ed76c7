//! The demo: a world that breaks, a centre that watches it, and a story that plays on both.

mod outbox;
mod party;
mod seed;
mod steps;
mod story;

pub use party::Party;
pub use seed::{LOGINS, PASSWORD, seed};
pub use steps::Teller;
pub use story::Player;
