//! The steps of a story as people and programs see them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::Name;
use serde::Serialize;

/// The steps of an act, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// The world breaks.
    Fault,
    /// The centre raises an alert.
    Detected,
    /// A duty officer has opened a case.
    Case,
    /// The notice is in the party's hands.
    Notified,
    /// The party has said that it knows.
    Acknowledged,
    /// The party has repaired, and says so.
    Repaired,
    /// The centre has measured that it is repaired.
    Verified,
    /// The case is closed with its figures.
    Closed,
}

/// All steps that an act must pass.
pub const ALL: [Step; 8] = [
    Step::Fault,
    Step::Detected,
    Step::Case,
    Step::Notified,
    Step::Acknowledged,
    Step::Repaired,
    Step::Verified,
    Step::Closed,
];

/// One step as it happened.
#[derive(Debug, Clone, Serialize)]
pub struct Happened {
    /// When.
    pub time: Timestamp,
    /// In which act.
    pub act: String,
    /// What.
    pub step: Step,
    /// The zone concerned (one line for each zone of an act with several).
    pub zone: Name,
    /// The party concerned, where there is one.
    pub party: Option<String>,
    /// Seconds since the world broke.
    pub seconds_since_fault: f64,
    /// A remark for people: the case number, the subject of the mail.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remark: String,
}

/// How a story ended.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Whether every act passed all its steps in time and no quiet zone gave an alert.
    pub passed: bool,
    /// Acts played.
    pub acts: usize,
    /// What did not hold, in words.
    pub failures: Vec<String>,
    /// Notices that came later than one polling interval and the grace after the fault, in words. A machine that is
    /// busy with other things is late; the centre's work is right all the same.
    pub late: Vec<String>,
    /// Alerts about zones that no act touched.
    pub false_alerts: usize,
    /// Zones that no act touched.
    pub quiet_zones: usize,
    /// Seconds between two rounds.
    pub interval_seconds: u32,
    /// Act → seconds from the fault to the first notice.
    pub seconds_to_notice: BTreeMap<String, f64>,
    /// Act → seconds from the fault to the closed case.
    pub seconds_to_closed: BTreeMap<String, f64>,
}

/// Tells the steps as they happen.
pub struct Teller {
    json: bool,
    steps: Vec<Happened>,
}

impl Teller {
    /// Tells in JSON lines, or in words.
    pub fn new(json: bool) -> Self {
        Self {
            json,
            steps: Vec::new(),
        }
    }

    /// A remark between the steps; programs do not see it.
    pub fn say(&self, text: &str) {
        if !self.json {
            println!("{text}");
        }
    }

    /// A step.
    pub fn tell(&mut self, step: Happened) {
        if self.json {
            println!("{}", serde_json::to_string(&step).expect("a step is plain data"));
        } else {
            let party = step
                .party
                .as_deref()
                .map(|party| format!("  {party}"))
                .unwrap_or_default();
            let word = format!("{:?}", step.step).to_lowercase();
            let remark = if step.remark.is_empty() {
                String::new()
            } else {
                format!("  ({})", step.remark)
            };
            println!(
                "  {:>7.1} s  {word:<12}  {}{party}{remark}",
                step.seconds_since_fault, step.zone
            );
        }
        self.steps.push(step);
    }

    /// The steps told so far.
    pub fn steps(&self) -> &[Happened] {
        &self.steps
    }

    /// How the story ended.
    pub fn end(&self, outcome: &Outcome) {
        if self.json {
            println!("{}", serde_json::to_string(outcome).expect("an outcome is plain data"));
            return;
        }
        println!();
        for (act, seconds) in &outcome.seconds_to_notice {
            let closed = outcome
                .seconds_to_closed
                .get(act)
                .map(|s| format!(", closed after {s:.1} s"))
                .unwrap_or_default();
            println!("  {act}: notice after {seconds:.1} s{closed}");
        }
        println!(
            "  {} false alerts in {} quiet zones",
            outcome.false_alerts, outcome.quiet_zones
        );
        for failure in outcome.failures.iter().chain(&outcome.late) {
            println!("  FAILED: {failure}");
        }
        println!(
            "{}",
            if outcome.passed {
                "The story passed."
            } else {
                "The story failed."
            }
        );
    }
}
