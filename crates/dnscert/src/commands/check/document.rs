//! The report of a check as one JSON document, of the shape that `docs/schemas/check.schema.json` gives.

use std::collections::BTreeMap;

use language::{Explanation, explain};
use measure::{Report, ServerState};
use model::{Chain, Delegation, Finding, Language, Level, Name, Timestamp};
use serde::Serialize;

/// Version of the shape: raised when a field changes its meaning or goes, not when one is added.
const VERSION: u32 = 1;

/// A report for machines.
#[derive(Debug, Serialize)]
pub struct Document<'r> {
    version: u32,
    zone: &'r Name,
    time: Timestamp,
    vantage_point: Option<&'r str>,
    seconds: f64,
    questions: usize,
    cases: &'r [String],
    delegation: Option<&'r Delegation>,
    chain: Option<&'r Chain>,
    servers: &'r [ServerState],
    untestable: Option<&'r str>,
    findings: Vec<Told<'r>>,
}

/// A finding with its explanation.
#[derive(Debug, Serialize)]
pub struct Told<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    level: Level,
    case: &'r str,
    tag: &'r str,
    args: &'r BTreeMap<String, String>,
    vantage_point: Option<&'r str>,
    explanation: Explanation,
}

impl<'r> Told<'r> {
    /// A finding in `language`.
    pub fn of(finding: &'r Finding, language: Language) -> Self {
        Self {
            seconds: None,
            level: finding.level,
            case: &finding.case,
            tag: &finding.tag,
            args: &finding.args,
            vantage_point: finding.vantage_point.as_deref(),
            explanation: explain(finding, language),
        }
    }
}

/// The document on a report, for which `questions` were sent, with the findings at `level` or above.
pub fn document(report: &Report, questions: usize, level: Level, language: Language) -> Document<'_> {
    let findings = report.findings.iter().filter(|(_, finding)| finding.level >= level);
    let told = findings.map(|(seconds, finding)| Told {
        seconds: Some(*seconds),
        ..Told::of(finding, language)
    });
    Document {
        version: VERSION,
        zone: &report.zone,
        time: report.started,
        vantage_point: report.vantage_point.as_deref(),
        seconds: report.seconds,
        questions,
        cases: &report.cases,
        delegation: report.delegation.as_ref(),
        chain: report.chain.as_ref(),
        servers: &report.servers,
        untestable: report.untestable.as_deref(),
        findings: told.collect(),
    }
}
