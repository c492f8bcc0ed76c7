//! The health score of a zone: 0 to 100, the smallest of four parts. Reasons and limits: docs/decisions/0010-score-of-a-zone.md.
//!
//! | part | from what | 100 | 0 |
//! |---|---|---|---|
//! | reach | share of questions answered well, in the region where it is smallest | all | 90 % or less |
//! | speed | median time to an answer over UDP, in the region where it is longest | 250 ms or less | 2.5 s or more |
//! | soundness | test cases of the last round | no ERROR, no WARNING | any CRITICAL, invalid signatures of a secured zone, or less than 0 |
//! | delegation | what the parent says beside what it should | the same | anything else |
//!
//! Between the ends each part falls in a straight line, rounded down; in soundness a case at ERROR costs 40 and one at
//! WARNING 5. A part of which nothing is known is left out. Whoever has the figures of the zone's page gets the same.

use std::collections::BTreeMap;

use model::{Finding, Level};
use serde::Serialize;

use crate::Share;

/// Questions from which on a region counts. Chosen by us: with 20 one lost packet costs half of the part, with 5 all of it.
pub const QUESTIONS_NEEDED: u64 = 20;

/// Points that each tenth of a percent of unanswered questions costs. Chosen by us so that 96 %, what RSSAC047 §5.1 asks of
/// one root server, is 60.
const PER_TENTH_PERCENT: u64 = 1;

/// Up to here an answer is quick: RSSAC047 §5.2, one root server over UDP.
const QUICK_US: u64 = 250_000;

/// From here on it is none: five times the 500 ms of Specification 10 over UDP.
const LOST_US: u64 = 2_500_000;

/// Cost of a case at ERROR, "very likely harms". Chosen by us: two leave the zone in the lowest fifth. Lower, and a zone
/// that many cannot use looks fair.
const ERROR_COST: u64 = 40;

/// Cost of a case at WARNING, "harms in some cases or will harm". Chosen by us. Higher, and the score tells style, not service:
/// most zones of the world have one or two.
const WARNING_COST: u64 = 5;

/// Cases whose failure makes a secured zone vanish for those who validate; the same as the detector's.
const VALIDITY_CASES: [&str; 6] = ["dnssec02", "dnssec04", "dnssec08", "dnssec09", "dnssec10", "dnssec11"];

/// What the score is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Whether it answers.
    Reach,
    /// How quickly.
    Speed,
    /// Whether it is as the standards want it.
    Soundness,
    /// Whether the parent points where it should.
    Delegation,
}

impl Part {
    /// All, in the order of the page.
    pub const ALL: [Part; 4] = [Part::Reach, Part::Speed, Part::Soundness, Part::Delegation];

    /// `reach`, `speed`, `soundness` or `delegation`.
    pub fn as_str(self) -> &'static str {
        match self {
            Part::Reach => "reach",
            Part::Speed => "speed",
            Part::Soundness => "soundness",
            Part::Delegation => "delegation",
        }
    }
}

/// What one region saw of a zone in the last day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Code of the region, or whatever tells it apart.
    pub code: String,
    /// Questions answered with NOERROR or NXDOMAIN, of those asked.
    pub answered: Share,
    /// Median time to an answer over UDP, in microseconds.
    pub udp_median_us: Option<u64>,
}

/// All that the score is made from.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// What each region saw. Those with fewer than [`QUESTIONS_NEEDED`] questions do not count.
    pub regions: &'a [Region],
    /// Findings of the last round; `None` where there was none.
    pub findings: Option<&'a [Finding]>,
    /// Whether the parent has a DS for the zone.
    pub is_secured: bool,
    /// Whether the parent delegates as expected; `None` where nobody said what to expect, or the parent was not seen.
    pub as_expected: Option<bool>,
}

/// A zone's score with its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Score {
    /// The smallest of the parts; `None` where none is known.
    pub points: Option<u8>,
    /// Each part's points; `None` where nothing is known of it.
    pub parts: BTreeMap<Part, Option<u8>>,
    /// The region that decided reach.
    pub reach_region: Option<String>,
    /// The region that decided speed.
    pub speed_region: Option<String>,
    /// Test cases at ERROR or above, and at WARNING, that decided soundness.
    pub cases: (usize, usize),
}

/// The score of a zone.
pub fn score(input: &Input<'_>) -> Score {
    let counted = || {
        let regions = input.regions.iter();
        regions.filter(|region| region.answered.all >= QUESTIONS_NEEDED)
    };
    let reach = counted()
        .map(|region| (reach_points(region.answered), &region.code))
        .min();
    let speed = counted()
        .filter_map(|region| Some((speed_points(region.udp_median_us?), &region.code)))
        .min();
    let cases = input.findings.map(worst_of_each_case).unwrap_or_default();
    let soundness = input.findings.map(|_| soundness_points(&cases, input.is_secured));
    let delegation = input.as_expected.map(|is_so| if is_so { 100 } else { 0 });
    let parts: BTreeMap<Part, Option<u8>> = [
        (Part::Reach, reach.map(|(points, _)| points)),
        (Part::Speed, speed.map(|(points, _)| points)),
        (Part::Soundness, soundness),
        (Part::Delegation, delegation),
    ]
    .into();
    let count = |is_it: fn(&Level) -> bool| cases.values().filter(|level| is_it(level)).count();
    Score {
        points: parts.values().flatten().min().copied(),
        parts,
        reach_region: reach.map(|(_, code)| code.clone()),
        speed_region: speed.map(|(_, code)| code.clone()),
        cases: (
            count(|level| *level >= Level::Error),
            count(|level| *level == Level::Warning),
        ),
    }
}

fn reach_points(answered: Share) -> u8 {
    let lost = answered.all.saturating_sub(answered.good);
    let tenths = lost.saturating_mul(1000).div_ceil(answered.all.max(1));
    left_of_100(tenths * PER_TENTH_PERCENT)
}

fn speed_points(median_us: u64) -> u8 {
    let over = median_us.saturating_sub(QUICK_US);
    left_of_100(over.saturating_mul(100).div_ceil(LOST_US - QUICK_US))
}

fn worst_of_each_case(findings: &[Finding]) -> BTreeMap<&str, Level> {
    let mut worst: BTreeMap<&str, Level> = BTreeMap::new();
    for finding in findings {
        let level = worst.entry(&finding.case).or_insert(finding.level);
        *level = finding.level.max(*level);
    }
    worst
}

fn soundness_points(cases: &BTreeMap<&str, Level>, is_secured: bool) -> u8 {
    let is_lost = |(case, level): (&&str, &Level)| {
        *level == Level::Critical || (is_secured && *level >= Level::Error && VALIDITY_CASES.contains(case))
    };
    if cases.iter().any(is_lost) {
        return 0;
    }
    let cost = |level: &Level| match level {
        Level::Error => ERROR_COST,
        Level::Warning => WARNING_COST,
        _ => 0,
    };
    left_of_100(cases.values().map(cost).sum())
}

fn left_of_100(cost: u64) -> u8 {
    u8::try_from(100_u64.saturating_sub(cost)).unwrap_or(0)
}
