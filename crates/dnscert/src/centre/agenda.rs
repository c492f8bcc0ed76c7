//! What a round asks of a zone: at each interval the cases that tell an outage or a takeover, and the whole catalogue now and then.
//!
//! The whole catalogue is over a hundred questions for a zone with two servers. Once a minute, of every watched zone, that is neither
//! polite nor of use: who wrote a mailbox into a SOA record wrongly did so an hour ago as well. What is in doubt, or is a
//! matter that is open, is asked at each interval until it is over, whatever case it is.

use std::collections::BTreeSet;

use detect::health;
use jiff::{SignedDuration, Timestamp};
use model::{Delegation, Finding, Name};
use serde::{Deserialize, Serialize};

/// The cases of each interval: whether servers answer and agree, whether the delegation is what it was, and whether
/// validating resolvers accept the answers. Left out are those that say how well something is set up, and the chain of trust, which
/// asks for every RRset and for every zone above (30 questions of 72); the cases of DNSSEC see what breaks it in the zone itself.
pub const EACH_INTERVAL: [&str; 17] = [
    "basic01",
    "basic02",
    "basic03",
    "connectivity01",
    "connectivity02",
    "consistency01",
    "consistency04",
    "consistency05",
    "delegation01",
    "delegation04",
    "dnssec02",
    "dnssec04",
    "dnssec07",
    "dnssec08",
    "dnssec09",
    "dnssec10",
    "dnssec11",
];

/// How often this zone gets the whole catalogue: `longest`, or up to a quarter less, by its name. All zones get it when a centre
/// starts; with one period for all they would get it in the same minutes ever after, and the intervals would slip.
pub fn spread(zone: &Name, longest: SignedDuration) -> SignedDuration {
    // FNV-1a, the same on every machine and in every version
    let hash = zone.to_string().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    });
    let seconds = longest.as_secs();
    let less = i64::try_from(hash % 1_024).unwrap_or(0) * seconds / 4_096;
    SignedDuration::from_secs(seconds - less)
}

/// What is remembered of a zone from round to round.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// What the detector of health knows.
    #[serde(flatten)]
    pub health: health::State,
    /// When the whole catalogue was asked last; `None` asks for it in the next round.
    pub whole_at: Option<Timestamp>,
}

/// What one round asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agenda {
    /// The whole catalogue, as the profile has it.
    Whole,
    /// These cases, by id.
    Cases(Vec<String>),
}

impl Agenda {
    /// The agenda of a round at `now`. The whole catalogue comes `whole_every` (see [`spread`]); a clock that went backwards brings it
    /// sooner, never later. `allowed` are the cases that the profile has, where it names them.
    pub fn of(memory: &Memory, now: Timestamp, whole_every: SignedDuration, allowed: Option<&[String]>) -> Self {
        let is_recent = |whole_at: Timestamp| {
            let age = now.duration_since(whole_at);
            !age.is_negative() && age < whole_every
        };
        if !memory.whole_at.is_some_and(is_recent) {
            return Agenda::Whole;
        }
        let usual = EACH_INTERVAL.iter().map(|id| (*id).to_owned());
        let is_allowed =
            |id: &String| allowed.is_none_or(|allowed| allowed.iter().any(|case| case.eq_ignore_ascii_case(id)));
        let cases: BTreeSet<String> = usual.chain(memory.health.in_doubt()).filter(is_allowed).collect();
        Agenda::Cases(cases.into_iter().collect())
    }

    /// The cases, where not all of the usual ones are asked.
    pub fn cases(&self) -> Option<&[String]> {
        match self {
            Agenda::Whole => None,
            Agenda::Cases(cases) => Some(cases),
        }
    }

    /// The zone's findings after a round of this agenda that found `new`: of the cases that were not asked, those of `before` stay.
    pub fn merge(&self, before: &[Finding], new: Vec<Finding>) -> Vec<Finding> {
        let Agenda::Cases(asked) = self else { return new };
        let is_asked = |finding: &Finding| asked.iter().any(|id| id.eq_ignore_ascii_case(&finding.case));
        let kept = before.iter().filter(|finding| !is_asked(finding)).cloned();
        let mut merged: Vec<Finding> = new.into_iter().chain(kept).collect();
        merged.sort_by(|a, b| a.case.cmp(&b.case));
        merged
    }

    /// When the whole catalogue was asked last, after a round of this agenda at `now`. A delegation that is not what it
    /// was brings it in the next round: other servers may have other faults.
    pub fn whole_at(
        &self,
        memory: &Memory,
        now: Timestamp,
        before: Option<&Delegation>,
        seen: Option<&Delegation>,
    ) -> Option<Timestamp> {
        match self {
            Agenda::Whole => Some(now),
            Agenda::Cases(_) if seen.is_some() && before != seen => None,
            Agenda::Cases(_) => memory.whole_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn remembering(whole_at: Option<Timestamp>) -> Memory {
        Memory {
            whole_at,
            ..Memory::default()
        }
    }

    fn finding(case: &str, tag: &str) -> Finding {
        Finding {
            case: case.to_owned(),
            tag: tag.to_owned(),
            level: model::Level::Warning,
            args: Default::default(),
            vantage_point: None,
        }
    }

    #[test]
    fn the_whole_catalogue_is_asked_first_then_every_hour_and_when_the_clock_went_backwards() {
        for (whole_at, now, is_whole) in [
            (None, at(0), true),
            (Some(at(0)), at(60), false),
            (Some(at(0)), at(3599), false),
            (Some(at(0)), at(3600), true),
            (Some(at(7200)), at(0), true),
        ] {
            let agenda = Agenda::of(&remembering(whole_at), now, HOUR, None);
            assert_eq!(agenda == Agenda::Whole, is_whole, "{whole_at:?} at {now}");
        }
    }

    #[test]
    fn zones_get_the_whole_catalogue_at_times_of_their_own() {
        let minute_of = |number: usize| {
            let zone: Name = format!("zone{number}.example").parse().unwrap();
            spread(&zone, HOUR).as_mins()
        };
        let mut zones_in_minute = std::collections::BTreeMap::new();
        for number in 0..1_500 {
            *zones_in_minute.entry(minute_of(number)).or_insert(0) += 1;
        }
        assert!(
            zones_in_minute.keys().all(|minute| (45..=60).contains(minute)),
            "{zones_in_minute:?}"
        );
        assert!(zones_in_minute.len() >= 15 && zones_in_minute.values().all(|zones| *zones < 200));
        assert_eq!(minute_of(7), minute_of(7));
    }

    #[test]
    fn a_case_that_the_profile_leaves_out_is_not_asked() {
        let allowed = ["Basic02".to_owned(), "zone02".to_owned()];
        let agenda = Agenda::of(&remembering(Some(at(0))), at(60), HOUR, Some(&allowed));
        assert_eq!(agenda.cases(), Some(["basic02".to_owned()].as_slice()));
    }

    #[test]
    fn every_case_of_each_interval_is_one_of_the_catalogue_that_is_not_deep() {
        for id in EACH_INTERVAL {
            assert!(measure::cases::all().any(|case| case.id == id && !case.deep), "{id}");
        }
        let decides = model::health::REACH_CASES.iter().chain(&model::health::VALIDITY_CASES);
        for id in decides.filter(|id| !id.starts_with("chain")) {
            assert!(EACH_INTERVAL.contains(id), "{id} decides who is called");
        }
    }

    #[test]
    fn findings_of_cases_that_were_not_asked_stay() {
        let agenda = Agenda::Cases(vec!["basic02".to_owned(), "zone02".to_owned()]);
        let before = [
            finding("zone02", "REFRESH_MINIMUM_VALUE_LOWER"),
            finding("syntax01", "NON_ALLOWED_CHARS"),
        ];
        let merged = agenda.merge(&before, vec![finding("basic02", "B02_NO_WORKING_NS")]);
        let tags: Vec<&str> = merged.iter().map(|finding| finding.tag.as_str()).collect();
        assert_eq!(tags, ["B02_NO_WORKING_NS", "NON_ALLOWED_CHARS"]);
        assert_eq!(Agenda::Whole.merge(&before, Vec::new()), []);
    }

    #[test]
    fn another_delegation_brings_the_whole_catalogue() {
        let memory = remembering(Some(at(0)));
        let some = Delegation::default();
        let mut other = Delegation::default();
        other.ns.insert("ns1.example".parse().unwrap(), Default::default());
        let agenda = Agenda::of(&memory, at(60), HOUR, None);
        let after = |before, seen| agenda.whole_at(&memory, at(60), before, seen);
        assert_eq!(after(Some(&some), Some(&some)), Some(at(0)));
        assert_eq!(after(Some(&some), Some(&other)), None);
        assert_eq!(after(Some(&some), None), Some(at(0)), "the parent said nothing");
        assert_eq!(
            Agenda::Whole.whole_at(&memory, at(60), Some(&some), Some(&other)),
            Some(at(60))
        );
    }

    /// How many questions a check by this agenda asks about a zone with two servers, on the way from the root.
    async fn questions(agenda: &Agenda) -> usize {
        let world = lab::World::shipped("pocket").unwrap();
        let lab = lab::Lab::start(world, 0, Timestamp::now()).await.unwrap();
        let settings = measure::Settings {
            hints: lab.hints(),
            port: lab.port(),
            ..measure::Settings::default()
        };
        let inquiry = measure::Internet::open(settings).unwrap().inquiry();
        let plan = measure::CheckPlan {
            cases: agenda.cases().map(<[String]>::to_vec),
            ..measure::CheckPlan::of("good.test".parse().unwrap())
        };
        let report = measure::check(&inquiry, &plan, Timestamp::now()).await;
        assert_eq!(report.untestable, None);
        inquiry.exchanges().len()
    }

    #[tokio::test]
    async fn a_round_of_each_interval_asks_less_than_half_of_the_whole_catalogue() {
        let usual = Agenda::of(&remembering(Some(at(0))), at(60), HOUR, None);
        let (usual, whole) = (questions(&usual).await, questions(&Agenda::Whole).await);
        assert!(
            usual * 2 < whole,
            "{usual} questions each interval, {whole} now and then"
        );
    }

    #[test]
    fn what_the_detector_knew_before_is_still_read() {
        let older = serde_json::json!({"version": 1, "has_baseline": true, "settled": {"zone02": "warning"}});
        let memory: Memory = serde_json::from_value(older.clone()).unwrap();
        assert_eq!(memory.whole_at, None);
        assert_eq!(memory.health, serde_json::from_value(older).unwrap());
    }
}
