//! Health: a case outcome of a zone got worse, and stays so or is critical at once.
//!
//! One round is one run of the test cases on one zone. A case's outcome is the worst level it reported, as Zonemaster
//! sums up: ERROR and CRITICAL fail, WARNING warns, the rest is clean. A worse outcome must stay for
//! `rounds_to_settle` rounds; CRITICAL settles at once, since nobody can use the zone meanwhile. The first round is
//! the baseline: what was broken before we watched is no event, so only failures are told, for review.
//!
//! What belongs together is one matter with one key: `zone-unreachable` (basic01 or basic02 critical; the other cases
//! are then held as they were, for they could not be judged), `signatures-invalid` (a DNSSEC case that decides
//! validity fails), else `health-worse`. A signal is given when a matter opens or grows, never again while it lasts.
//!
//! Flapping: a matter ends only after `rounds_to_recover` better rounds. If it opens again within `flap_window` it
//! calls nobody a second time (review instead of page) and needs twice as many better rounds to end, up to
//! `most_rounds_to_recover`. It does not look at how long a fault lasts: that is the duty officer's view of the alert.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use model::health::{REACH_CASES, VALIDITY_CASES};
use model::{Detector, Finding, Level, Name, Severity, Signal};
use serde::{Deserialize, Serialize};

/// Thresholds of the detector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Rounds for which a worse outcome must stay before it is told; at least 1. Default 2: one lost packet is no
    /// event. Higher delays every signal by one interval each.
    pub rounds_to_settle: u32,
    /// Better rounds in a row after which a matter ends; at least 1. Default 2. With 1 each flap is a new alert.
    pub rounds_to_recover: u32,
    /// The most better rounds that a flapping matter may need. Default 32, about half an hour at one round a minute.
    pub most_rounds_to_recover: u32,
    /// A matter that opens again within this time after it ended is flapping. Default 2 hours (chosen by us: longer
    /// than the longest recovery, shorter than a shift).
    pub flap_window: SignedDuration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rounds_to_settle: 2,
            rounds_to_recover: 2,
            most_rounds_to_recover: 32,
            flap_window: SignedDuration::from_hours(2),
        }
    }
}

/// How one test case came out in one round, mildest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Nothing above NOTICE.
    #[default]
    Clean,
    /// WARNING: harms in some cases or will harm.
    Warning,
    /// ERROR: very likely harms those who use the zone.
    Error,
    /// CRITICAL: the zone cannot be used or tested at all.
    Critical,
}

impl Outcome {
    /// `clean`, `warning`, `error` or `critical`.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Clean => "clean",
            Outcome::Warning => "warning",
            Outcome::Error => "error",
            Outcome::Critical => "critical",
        }
    }
}

impl From<Level> for Outcome {
    fn from(level: Level) -> Self {
        match level {
            Level::Critical => Outcome::Critical,
            Level::Error => Outcome::Error,
            Level::Warning => Outcome::Warning,
            Level::Debug3 | Level::Debug2 | Level::Debug | Level::Info | Level::Notice => Outcome::Clean,
        }
    }
}

/// What the detector knows of one zone from round to round. Keep it as JSON; an older form still reads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Form of this state: 1.
    version: u32,
    /// Whether a first round gave the baseline.
    has_baseline: bool,
    /// Outcomes that hold; a case that is not listed is clean.
    settled: BTreeMap<String, Outcome>,
    /// Outcomes that differ from the settled ones and do not hold yet.
    candidates: BTreeMap<String, Candidate>,
    /// The matters that are open.
    open: BTreeMap<Kind, Matter>,
    /// When matters ended last, and how often they had opened by then.
    ended: BTreeMap<Kind, Ended>,
}

impl State {
    /// Ids of the cases of open matters, and of those whose outcome differs from what holds: ask them in each round, so that what is
    /// over is seen to be over.
    pub fn in_doubt(&self) -> BTreeSet<String> {
        let open = self.open.values().flat_map(|matter| matter.cases.keys());
        open.chain(self.candidates.keys()).cloned().collect()
    }

    /// Since when the zone does not answer, and the severest that was told of it; `None` where it answers.
    pub fn unreachable(&self) -> Option<(Timestamp, Severity)> {
        let matter = self.open.get(&Kind::ZoneUnreachable)?;
        Some((matter.since?, matter.severity?))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Candidate {
    /// The outcome nearest to the settled one in the streak: what would settle now.
    outcome: Outcome,
    rounds: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Matter {
    /// Each case with its outcome before the trouble: the matter ends for it when it is that good again.
    cases: BTreeMap<String, Outcome>,
    /// How often this matter opened within the flap window of its last end: 1 for the first time.
    openings: u32,
    /// The severest signal given.
    severity: Option<Severity>,
    /// When it opened; `None` where an earlier version kept it.
    #[serde(default)]
    since: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Ended {
    time: Timestamp,
    openings: u32,
    severity: Option<Severity>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    ZoneUnreachable,
    SignaturesInvalid,
    HealthWorse,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::ZoneUnreachable => "zone-unreachable",
            Kind::SignaturesInvalid => "signatures-invalid",
            Kind::HealthWorse => "health-worse",
        }
    }

    fn of(case: &str, outcome: Outcome) -> Self {
        if REACH_CASES.contains(&case) && outcome == Outcome::Critical {
            Kind::ZoneUnreachable
        } else if VALIDITY_CASES.contains(&case) && outcome >= Outcome::Error {
            Kind::SignaturesInvalid
        } else {
            Kind::HealthWorse
        }
    }
}

/// One run of the test cases on one zone.
#[derive(Debug, Clone, Copy)]
pub struct Round<'a> {
    /// The zone.
    pub zone: &'a Name,
    /// When the round began.
    pub time: Timestamp,
    /// What the cases said, in any order.
    pub findings: &'a [Finding],
    /// The cases that were run, where not all of the usual ones were; the others are held as they were.
    pub cases: Option<&'a [String]>,
    /// Zones above this one that are watched themselves. What a finding says of one of them (its argument `zone`) is that
    /// zone's matter: signatures of a top-level domain that expire would else call somebody for every zone below it.
    pub above: &'a [Name],
    /// Whether the parent has a DS for the zone: then invalid signatures make the zone vanish for validating resolvers.
    /// `None` where it was not seen, which counts as yes: one call too many is better than one too few.
    pub secured: Option<bool>,
    /// Whether the round could not be run (the centre's own trouble, the parent silent). Nothing follows from it.
    pub untestable: bool,
}

/// What follows from a round.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The state for the next round.
    pub state: State,
    /// New matters and those that grew.
    pub signals: Vec<Signal>,
    /// Keys of the matters that ended: their alerts may end.
    pub recovered: Vec<String>,
    /// Whether something got worse that a second round must confirm: ask for one right away.
    pub confirm_soon: bool,
}

/// Takes the zone's state over one round.
///
/// Arguments of the signals: `zone`, `cases` (sorted, joined by `, `), `case_count`, `outcome` (the worst one),
/// `secured` (`yes`, `no`, `unknown`), `first` (`yes` when it was so in the first round), `openings` (more than 1 when flapping).
pub fn step(config: &Config, mut state: State, round: &Round<'_>) -> Step {
    if round.untestable {
        return Step {
            state,
            signals: Vec::new(),
            recovered: Vec::new(),
            confirm_soon: false,
        };
    }
    state.version = 1;
    let now = outcomes(round.findings.iter().filter(|finding| is_own(round, finding)));
    let first = !state.has_baseline;
    state.has_baseline = true;

    let unreachable = REACH_CASES
        .iter()
        .any(|case| now.get(*case) == Some(&Outcome::Critical));
    let judged = |case: &str| {
        round.cases.is_none_or(|cases| cases.iter().any(|run| run == case))
            && (!unreachable || case.starts_with("basic"))
    };
    let cases: BTreeSet<String> = now
        .keys()
        .chain(state.settled.keys())
        .chain(state.candidates.keys())
        .cloned()
        .collect();

    let mut grown = BTreeSet::new();
    let mut confirm_soon = false;
    for case in cases.into_iter().filter(|case| judged(case)) {
        let outcome = now.get(&case).copied().unwrap_or_default();
        if first {
            if outcome >= Outcome::Error {
                grown.insert(open(
                    &mut state,
                    config,
                    round.time,
                    &case,
                    Outcome::Clean,
                    Kind::HealthWorse,
                ));
            }
            settle(&mut state, &case, outcome);
        } else {
            let judgement = judge(config, &mut state, &case, outcome);
            confirm_soon |= judgement.wants_confirmation;
            if let Some((before, worse)) = judgement.got_worse {
                let kind = Kind::of(&case, worse);
                grown.insert(open(&mut state, config, round.time, &case, before, kind));
            }
        }
    }

    let recovered = close(&mut state, round);
    grown.retain(|kind| state.open.contains_key(kind));
    let signals = grown
        .into_iter()
        .map(|kind| signal(&mut state, round, kind, first))
        .collect();
    Step {
        state,
        signals,
        recovered,
        confirm_soon,
    }
}

/// Whether a finding is about the zone itself, or about one above it that nobody else looks after.
fn is_own(round: &Round<'_>, finding: &Finding) -> bool {
    let about = finding.args.get("zone");
    about.is_none_or(|about| !round.above.iter().any(|above| above.to_string() == *about))
}

/// The worst outcome of each case that is not clean.
fn outcomes<'f>(findings: impl Iterator<Item = &'f Finding>) -> BTreeMap<String, Outcome> {
    let mut worst = BTreeMap::new();
    for finding in findings {
        let outcome = Outcome::from(finding.level);
        if outcome > Outcome::Clean {
            let entry = worst.entry(finding.case.to_ascii_lowercase()).or_insert(outcome);
            *entry = outcome.max(*entry);
        }
    }
    worst
}

struct Judgement {
    got_worse: Option<(Outcome, Outcome)>,
    wants_confirmation: bool,
}

fn judge(config: &Config, state: &mut State, case: &str, outcome: Outcome) -> Judgement {
    let settled = state.settled.get(case).copied().unwrap_or_default();
    if outcome == settled {
        state.candidates.remove(case);
        return Judgement {
            got_worse: None,
            wants_confirmation: false,
        };
    }
    let worse = outcome > settled;
    // a streak goes on while it stays on the same side of what is settled
    let streak = state
        .candidates
        .get(case)
        .filter(|candidate| (candidate.outcome > settled) == worse);
    let rounds = streak.map_or(0, |streak| streak.rounds).saturating_add(1);
    let nearest = streak.map_or(outcome, |streak| {
        if worse {
            streak.outcome.min(outcome)
        } else {
            streak.outcome.max(outcome)
        }
    });

    let holds = if outcome == Outcome::Critical {
        Some(outcome)
    } else {
        let needed = if worse {
            config.rounds_to_settle
        } else {
            rounds_to_recover(config, state, case)
        };
        (rounds >= needed).then_some(nearest)
    };
    match holds {
        None => {
            state.candidates.insert(
                case.to_owned(),
                Candidate {
                    outcome: nearest,
                    rounds,
                },
            );
            Judgement {
                got_worse: None,
                wants_confirmation: worse,
            }
        }
        Some(holds) => {
            settle(state, case, holds);
            let more = outcome > holds;
            if more {
                state
                    .candidates
                    .insert(case.to_owned(), Candidate { outcome, rounds: 1 });
            }
            Judgement {
                got_worse: worse.then_some((settled, holds)),
                wants_confirmation: more,
            }
        }
    }
}

fn rounds_to_recover(config: &Config, state: &State, case: &str) -> u32 {
    let openings = state
        .open
        .values()
        .find(|matter| matter.cases.contains_key(case))
        .map_or(1, |matter| matter.openings);
    let doubled = config
        .rounds_to_recover
        .saturating_mul(1_u32.checked_shl(openings.saturating_sub(1)).unwrap_or(u32::MAX));
    doubled.min(config.most_rounds_to_recover.max(config.rounds_to_recover))
}

fn settle(state: &mut State, case: &str, outcome: Outcome) {
    state.candidates.remove(case);
    if outcome == Outcome::Clean {
        state.settled.remove(case);
    } else {
        state.settled.insert(case.to_owned(), outcome);
    }
}

/// Puts the case into the matter of this kind, opening it where needed, and out of any other.
fn open(state: &mut State, config: &Config, time: Timestamp, case: &str, before: Outcome, kind: Kind) -> Kind {
    let mut before = before;
    for (other, matter) in &mut state.open {
        if *other != kind
            && let Some(earlier) = matter.cases.remove(case)
        {
            before = before.min(earlier);
        }
    }
    let flapping = state
        .ended
        .get(&kind)
        .filter(|ended| time.duration_since(ended.time) <= config.flap_window);
    let openings = flapping.map_or(1, |ended| ended.openings.saturating_add(1));
    let severity = flapping.and_then(|ended| ended.severity);
    let matter = state.open.entry(kind).or_insert_with(|| Matter {
        openings,
        severity,
        since: Some(time),
        ..Matter::default()
    });
    let kept = matter.cases.entry(case.to_owned()).or_insert(before);
    *kept = before.min(*kept);
    kind
}

/// Takes out of the matters the cases that are as good as before, and ends the matters that are empty.
fn close(state: &mut State, round: &Round<'_>) -> Vec<String> {
    let mut recovered = Vec::new();
    let settled = &state.settled;
    for matter in state.open.values_mut() {
        matter
            .cases
            .retain(|case, before| settled.get(case).copied().unwrap_or_default() > *before);
    }
    let ended: Vec<Kind> = state
        .open
        .iter()
        .filter(|(_, matter)| matter.cases.is_empty())
        .map(|(kind, _)| *kind)
        .collect();
    for kind in ended {
        if let Some(matter) = state.open.remove(&kind) {
            let ended = Ended {
                time: round.time,
                openings: matter.openings,
                severity: matter.severity,
            };
            state.ended.insert(kind, ended);
            recovered.push(key(round.zone, kind));
        }
    }
    recovered
}

/// Key of the matter that a zone does not answer.
pub fn key_of_unreachable(zone: &Name) -> String {
    key(zone, Kind::ZoneUnreachable)
}

fn key(zone: &Name, kind: Kind) -> String {
    format!("health:{zone}:{}", kind.as_str())
}

fn signal(state: &mut State, round: &Round<'_>, kind: Kind, first: bool) -> Signal {
    let settled = &state.settled;
    let matter = state.open.entry(kind).or_default();
    let worst = matter
        .cases
        .keys()
        .filter_map(|case| settled.get(case).copied())
        .max()
        .unwrap_or_default();
    let harm = match (kind, worst) {
        _ if first => Severity::Review,
        (_, Outcome::Critical) => Severity::Page,
        (Kind::SignaturesInvalid, _) if round.secured != Some(false) => Severity::Page,
        (_, Outcome::Error) => Severity::Review,
        (_, Outcome::Warning | Outcome::Clean) => Severity::Log,
    };
    let paged_before = matter.openings > 1 && matter.severity >= Some(Severity::Page);
    let severity = if paged_before { harm.min(Severity::Review) } else { harm };
    matter.severity = matter.severity.max(Some(severity));

    let cases: Vec<&str> = matter.cases.keys().map(String::as_str).collect();
    let yes_no = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let args = BTreeMap::from([
        ("zone".to_owned(), round.zone.to_string()),
        ("case_count".to_owned(), cases.len().to_string()),
        ("cases".to_owned(), cases.join(", ")),
        ("outcome".to_owned(), worst.as_str().to_owned()),
        (
            "secured".to_owned(),
            round.secured.map_or_else(|| "unknown".to_owned(), yes_no),
        ),
        ("first".to_owned(), yes_no(first)),
        ("openings".to_owned(), matter.openings.to_string()),
    ]);
    let findings = round
        .findings
        .iter()
        .filter(|finding| Outcome::from(finding.level) > Outcome::Clean && is_own(round, finding))
        .filter(|finding| matter.cases.contains_key(&finding.case.to_ascii_lowercase()))
        .cloned()
        .collect();
    Signal {
        detector: Detector::Health,
        key: key(round.zone, kind),
        severity,
        time: round.time,
        zones: vec![round.zone.clone()],
        kind: kind.as_str().to_owned(),
        args,
        findings,
        changes: Vec::new(),
    }
}
