//! How a health shows: its word, its tone and its mark, the same on every page.

use model::Health;

/// Class of its colour: `good`, `warn`, `bad` or `none`.
pub fn tone(health: Health) -> &'static str {
    match health {
        Health::Unknown => "none",
        Health::Good => "good",
        Health::Impaired => "warn",
        Health::Broken => "bad",
    }
}

/// Id of its word: `health-good`.
pub fn text_id(health: Health) -> &'static str {
    match health {
        Health::Unknown => "health-unknown",
        Health::Good => "health-good",
        Health::Impaired => "health-impaired",
        Health::Broken => "health-broken",
    }
}

/// Its mark as an SVG path around the origin: tick, exclamation mark, cross, dash.
pub fn glyph(health: Health) -> &'static str {
    match health {
        Health::Unknown => "M-5 0H5",
        Health::Good => "m-6 1 4 4 8-9",
        Health::Impaired => "M0-7V1M0 6v.1",
        Health::Broken => "m-5-5 10 10m0-10-10 10",
    }
}
