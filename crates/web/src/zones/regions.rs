//! How the regions see a zone, and the score that follows from that and from its last round: all on the page, so that anyone
//! can reckon it again.

use std::collections::BTreeMap;

use csirt::directory::Region;
use csirt::vantage::VantagePoint;
use csirt::watch::{Announcement, ZoneState};
use lake::SeenFrom;
use metrics::Share;
use metrics::percentile;
use metrics::score::{self, Input, Part, Score};
use model::{Delegation, Timestamp};

use crate::Page;
use crate::charts::milliseconds;
use crate::vantage::{percent, region_text};

/// What one region saw of a zone.
pub(super) struct RegionView {
    pub region: Region,
    /// Vantage points that asked.
    pub points: usize,
    pub answered: Share,
    /// Median time to an answer over UDP, in microseconds.
    pub udp_median_us: Option<u64>,
    /// Time within which 95 % of the answers over UDP came.
    pub udp_p95_us: Option<u64>,
    pub last: Timestamp,
}

impl RegionView {
    pub(super) fn text_id(&self) -> String {
        region_text(self.region)
    }

    pub(super) fn percent(&self) -> String {
        percent(self.answered)
    }
}

/// What each region saw, in the order of their codes. Samples of no registered vantage point, as those of the centre's own
/// rounds, belong to no region.
pub(super) fn by_region(seen: &[SeenFrom], registered: &[VantagePoint]) -> Vec<RegionView> {
    let mut regions: BTreeMap<Region, (RegionView, Vec<u64>)> = BTreeMap::new();
    for seen in seen {
        let Some(point) = registered.iter().find(|point| point.profile.name == seen.probe) else {
            continue;
        };
        let region = point.profile.place.region;
        let (view, rtts) = regions.entry(region).or_insert_with(|| {
            let view = RegionView {
                region,
                points: 0,
                answered: Share::default(),
                udp_median_us: None,
                udp_p95_us: None,
                last: seen.last,
            };
            (view, Vec::new())
        });
        view.points += 1;
        view.answered += Share::of(seen.answered, seen.asked);
        view.last = view.last.max(seen.last);
        rtts.extend(&seen.udp_rtts_us);
    }
    let finished = regions.into_values().map(|(mut view, mut rtts)| {
        view.udp_median_us = percentile::median(&mut rtts);
        view.udp_p95_us = percentile::nearest_rank(&rtts, 95);
        view
    });
    finished.collect()
}

/// A zone's score with what its page says of it.
pub(super) struct ZoneScore {
    pub score: Score,
    lines: Vec<(Part, String)>,
}

/// What the score needs beside the regions.
pub(super) struct Known<'a> {
    pub state: Option<&'a ZoneState>,
    pub expected: Option<&'a Delegation>,
    /// Whether the parent's word differs from what is expected, as the page shows it.
    pub differs: bool,
    pub announcements: &'a [Announcement],
}

impl ZoneScore {
    pub(super) fn of(page: &Page, regions: &[RegionView], known: &Known<'_>) -> Self {
        let round = known.state.map(|state| &state.round);
        let seen = round.and_then(|round| round.seen.as_ref());
        let is_announced = || {
            let mut announcements = known.announcements.iter();
            announcements.any(|announced| announced.covers(page.now, seen))
        };
        let as_expected = match (known.expected, seen) {
            (Some(_), Some(_)) => Some(!known.differs || is_announced()),
            _ => None,
        };
        let input: Vec<score::Region> = regions
            .iter()
            .map(|view| score::Region {
                code: view.region.to_string(),
                answered: view.answered,
                udp_median_us: view.udp_median_us,
            })
            .collect();
        let score = score::score(&Input {
            regions: &input,
            findings: round.map(|round| round.findings.as_slice()),
            is_secured: seen.is_some_and(|seen| !seen.ds.is_empty()),
            as_expected,
        });
        let of_region = |code: &Option<String>| {
            let code = code.as_ref()?;
            regions.iter().find(|view| view.region.as_str() == code)
        };
        let unknown = || page.t("zone-score-unknown");
        let line = |part: Part| match part {
            Part::Reach => of_region(&score.reach_region).map_or_else(unknown, |view| {
                let region = page.t(view.text_id());
                let (answered, asked) = (view.answered.good, view.answered.all);
                page.t3(
                    "zone-score-reach-from",
                    "region",
                    region,
                    "answered",
                    answered,
                    "asked",
                    asked,
                )
            }),
            Part::Speed => match of_region(&score.speed_region).map(|view| (view, view.udp_median_us)) {
                Some((view, Some(median_us))) => {
                    let (region, ms) = (page.t(view.text_id()), milliseconds(median_us));
                    page.t2("zone-score-speed-from", "region", region, "ms", ms)
                }
                _ => unknown(),
            },
            Part::Soundness if round.is_some() => {
                let (errors, warnings) = score.cases;
                page.t2("zone-score-soundness-from", "errors", errors, "warnings", warnings)
            }
            Part::Soundness => unknown(),
            Part::Delegation => match as_expected {
                Some(true) => page.t("zone-score-delegation-same"),
                Some(false) => page.t("zone-score-delegation-differs"),
                None => unknown(),
            },
        };
        let lines = Part::ALL.map(|part| (part, line(part))).to_vec();
        Self { score, lines }
    }

    /// Each part: id of its name, its points, and what they come from.
    pub(super) fn rows(&self) -> Vec<(String, Option<u8>, &str)> {
        let points = |part: &Part| self.score.parts.get(part).copied().flatten();
        self.lines
            .iter()
            .map(|(part, line)| (format!("zone-score-{}", part.as_str()), points(part), line.as_str()))
            .collect()
    }

    /// Class of its colour. Chosen by us: from 90 on nothing presses, below 50 many are harmed.
    pub(super) fn class(&self) -> &'static str {
        match self.score.points {
            Some(90..) => "good",
            Some(50..) => "warn",
            Some(_) => "bad",
            None => "none",
        }
    }
}

#[cfg(test)]
mod tests {
    use csirt::vantage::{Place, Profile};

    use super::*;

    fn point(name: &str, region: Region) -> VantagePoint {
        VantagePoint {
            id: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
            profile: Profile {
                name: name.to_owned(),
                operator: None,
                place: Place {
                    region,
                    country: "DE".to_owned(),
                    city: "X".to_owned(),
                    coordinates: Default::default(),
                },
                network: String::new(),
                asn: None,
                ipv4: true,
                ipv6: true,
            },
            terms: None,
            created: Timestamp::UNIX_EPOCH,
            token_made: Timestamp::UNIX_EPOCH,
            revoked: None,
        }
    }

    fn seen(probe: &str, answered: u64, asked: u64, rtts_us: &[u64]) -> SeenFrom {
        SeenFrom {
            probe: probe.to_owned(),
            asked,
            answered,
            rtt_median_us: None,
            rtt_p95_us: None,
            udp_rtts_us: rtts_us.to_vec(),
            last: Timestamp::from_second(i64::try_from(asked).unwrap()).unwrap(),
        }
    }

    #[test]
    fn vantage_points_of_a_region_are_put_together_and_the_centre_is_none() {
        let registered = [
            point("fra1", Region::Eu),
            point("sto1", Region::Eu),
            point("nbo1", Region::Af),
        ];
        let all = [
            seen("centre", 1, 100, &[1]),
            seen("fra1", 10, 10, &[10, 30]),
            seen("nbo1", 0, 5, &[]),
            seen("sto1", 19, 20, &[20]),
        ];
        let views = by_region(&all, &registered);
        let [af, eu] = &views[..] else { panic!("two regions") };
        assert_eq!((af.region, af.points, af.answered), (Region::Af, 1, Share::of(0, 5)));
        assert_eq!((eu.region, eu.points, eu.answered), (Region::Eu, 2, Share::of(29, 30)));
        assert_eq!((eu.udp_median_us, eu.udp_p95_us), (Some(20), Some(30)));
        assert_eq!((eu.percent().as_str(), eu.last.as_second()), ("96.6 %", 20));
        assert_eq!(af.udp_median_us, None);
    }
}
