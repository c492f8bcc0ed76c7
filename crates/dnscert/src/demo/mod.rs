//! The demo: a world that breaks, a centre that watches it, and a story that plays on both.

mod outbox;
mod party;
mod probes;
mod seed;
mod steps;
mod story;

pub use party::Party;
pub use probes::{Probes, config as probes_config};
pub use seed::{LOGINS, PASSWORD, seed};
pub use steps::Teller;
pub use story::Player;
