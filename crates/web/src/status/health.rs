//! How a zone does, in one of four words, from what its last round found.

use model::{Finding, Level};

/// How a zone, a region or the whole does; worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// Nothing measured yet.
    None,
    /// Answers as it should.
    Good,
    /// A finding at WARNING: it works, but something needs attention.
    Warn,
    /// A finding at ERROR or CRITICAL: people are likely to be harmed now.
    Bad,
}

impl Health {
    /// All, best first.
    pub const ALL: [Health; 4] = [Health::Good, Health::Warn, Health::Bad, Health::None];

    /// From the findings of a zone's last round; `None` when there was no round.
    pub fn of(findings: Option<&[Finding]>) -> Self {
        match findings.map(|findings| findings.iter().map(|finding| finding.level).max()) {
            None => Health::None,
            Some(Some(level)) if level >= Level::Error => Health::Bad,
            Some(Some(Level::Warning)) => Health::Warn,
            Some(_) => Health::Good,
        }
    }

    /// Class of its colour: `good`.
    pub fn class(self) -> &'static str {
        match self {
            Health::None => "none",
            Health::Good => "good",
            Health::Warn => "warn",
            Health::Bad => "bad",
        }
    }

    /// Id of its word: `status-health-good`.
    pub fn text_id(self) -> &'static str {
        match self {
            Health::None => "status-health-none",
            Health::Good => "status-health-good",
            Health::Warn => "status-health-warn",
            Health::Bad => "status-health-bad",
        }
    }

    /// Its mark as an SVG path around the origin: tick, exclamation mark, cross, dash.
    pub fn glyph(self) -> &'static str {
        match self {
            Health::None => "M-5 0H5",
            Health::Good => "m-6 1 4 4 8-9",
            Health::Warn => "M0-7V1M0 6v.1",
            Health::Bad => "m-5-5 10 10m0-10-10 10",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(level: Level) -> Finding {
        Finding {
            case: "zone02".to_owned(),
            tag: "T".to_owned(),
            level,
            args: Default::default(),
        }
    }

    #[test]
    fn the_gravest_finding_decides_and_notices_do_no_harm() {
        assert_eq!(Health::of(None), Health::None);
        assert_eq!(Health::of(Some(&[])), Health::Good);
        assert_eq!(Health::of(Some(&[finding(Level::Notice)])), Health::Good);
        assert_eq!(
            Health::of(Some(&[finding(Level::Notice), finding(Level::Warning)])),
            Health::Warn
        );
        assert_eq!(
            Health::of(Some(&[finding(Level::Critical), finding(Level::Info)])),
            Health::Bad
        );
    }
}
