//! Zones as their registries give them: brought from a server into a file, and kept in the lake.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use measure::transfer::TransferKey;

mod bring;
mod keep;

/// How long a transfer may take. Ten gigabytes at 24 Mbit/s are an hour; less, and a large registry on a slow line never gets through, more, and a
/// server that lets it trickle is noticed as much later.
pub const LONGEST: Duration = Duration::from_secs(3_600);

pub use bring::{After, Bringing, Change, Refused, bring, settle};
pub use keep::{Keeping, Kept, keep, receipt_of};

/// A TSIG key from a file.
pub fn read_key(path: &Path) -> anyhow::Result<TransferKey> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading the key `{}`", path.display()))?;
    text.parse()
        .with_context(|| format!("reading the key `{}`", path.display()))
}
