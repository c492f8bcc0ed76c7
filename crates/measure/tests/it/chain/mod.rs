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

#[test]
fn every_message_of_the_chain_is_made_once_at_least() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/chain");
    let files = std::fs::read_dir(folder).unwrap();
    let sources: String = files
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    let profile = measure::Profile::default();
    let of_chain = profile.messages().filter(|(case, _)| case.starts_with("chain"));
    let tags: Vec<&str> = of_chain.map(|(_, tag)| tag).collect();
    assert!(tags.len() > 90, "{} tags", tags.len());
    let unseen: Vec<&&str> = tags.iter().filter(|tag| !sources.contains(**tag)).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}
