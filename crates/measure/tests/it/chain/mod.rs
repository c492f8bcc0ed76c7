//! The chain of trust in the lab: its states, and each thing that can be wrong with it.

mod automation;
mod field;
pub mod forge;
mod keys;
mod others;
mod peers;
mod proofs;
mod signatures;
mod states;

use lab::Lab;
use measure::{CheckPlan, Internet, Report, check};
use model::{Chain, Security};

use crate::case_in_lab::{name, noon, settings};

/// A check of a zone by all cases, with the chain in it.
pub async fn report(lab: &Lab, zone: &str) -> Report {
    let inquiry = Internet::open(settings(lab)).unwrap().inquiry();
    check(&inquiry, &CheckPlan::of(name(zone)), noon()).await
}

/// The chain of a check.
pub async fn chain(lab: &Lab, zone: &str) -> Chain {
    report(lab, zone).await.chain.unwrap()
}

/// The state of each zone of a chain, from the root on.
pub fn states(chain: &Chain) -> Vec<(String, Security)> {
    let links = chain.links.iter();
    links.map(|link| (link.zone.to_string(), link.state)).collect()
}

/// What the chain cases say, one message a line: the tag, and its arguments but those that differ from run to run.
pub async fn said(lab: &Lab, zone: &str) -> Vec<String> {
    let report = report(lab, zone).await;
    let of_chain = report
        .findings
        .iter()
        .map(|(_, finding)| finding)
        .filter(|finding| finding.case.starts_with("chain"));
    let line = |finding: &model::Finding| {
        let args = finding.args.iter().filter(|(name, _)| *name != "keytag");
        let args: Vec<String> = args.map(|(name, value)| format!(" {name}={value}")).collect();
        format!("{}{}", finding.tag, args.concat())
    };
    let mut lines: Vec<String> = of_chain.map(line).collect();
    lines.sort();
    lines
}
