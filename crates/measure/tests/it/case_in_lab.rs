//! Runs one test case against a lab and prints what it says.

use lab::{Change, DsChange, Event, Fault, FaultRule, Lab, World};
use measure::{Anchor, CheckPlan, Internet, Limits, Profile, Settings, Undelegated, check};
use model::{Ds, Finding, Name, Timestamp};

/// When the labs of tests start.
pub fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// The world `pocket`, in which nothing is broken.
pub async fn pocket() -> Lab {
    Lab::start(World::shipped("pocket").unwrap(), 0, noon()).await.unwrap()
}

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// How the DNS of a lab is asked, trusting its root's key.
pub fn settings(lab: &Lab) -> Settings {
    let anchor = |ds| Anchor { zone: Name::root(), ds };
    Settings {
        hints: lab.hints(),
        anchors: lab.ds(".").map(anchor).into_iter().collect(),
        port: lab.port(),
        ..Settings::default()
    }
}

/// Applies a change to the lab.
pub fn change(lab: &Lab, change: Change) {
    lab.apply(&Event::new(change)).unwrap();
}

/// Makes one server misbehave.
pub fn spoil(lab: &Lab, server: &str, fault: Fault) {
    change(
        lab,
        Change::AddFault {
            server: server.to_owned(),
            rule: FaultRule::of(fault),
        },
    );
}

/// Makes one server misbehave on questions for one type.
pub fn spoil_type(lab: &Lab, server: &str, fault: Fault, qtype: &str) {
    let rule = FaultRule {
        qtype: Some(qtype.parse().unwrap()),
        ..FaultRule::of(fault)
    };
    change(
        lab,
        Change::AddFault {
            server: server.to_owned(),
            rule,
        },
    );
}

/// Changes the DS set of a zone at its parent.
pub fn set_ds(lab: &Lab, zone: &str, ds: Vec<Ds>) {
    let ds = if ds.is_empty() {
        DsChange::Remove
    } else {
        DsChange::Replace(ds)
    };
    change(lab, Change::ReplaceDs { zone: name(zone), ds });
}

/// What a case is run with, besides the zone.
#[derive(Default)]
pub struct With {
    pub given: Option<Undelegated>,
    pub limits: Limits,
}

/// Everything that a case says of a zone.
pub async fn found(lab: &Lab, zone: &str, case: &str, with: With) -> Vec<Finding> {
    let inquiry = Internet::open(settings(lab)).unwrap().inquiry();
    let mut profile = Profile::default();
    profile.limits = with.limits;
    let plan = CheckPlan {
        zone: name(zone),
        undelegated: with.given,
        cases: Some(vec![case.to_owned()]),
        profile,
    };
    let report = check(&inquiry, &plan, noon()).await;
    report.findings.into_iter().map(|(_, finding)| finding).collect()
}

/// What a case says, one message a line: the tag, and its arguments but those that differ from run to run.
pub async fn said(lab: &Lab, zone: &str, case: &str) -> Vec<String> {
    said_with(lab, zone, case, With::default()).await
}

/// As [`said`], with other settings.
pub async fn said_with(lab: &Lab, zone: &str, case: &str, with: With) -> Vec<String> {
    lines(found(lab, zone, case, with).await)
}

/// Findings, one a line, sorted.
pub fn lines(findings: impl IntoIterator<Item = Finding>) -> Vec<String> {
    let lines = findings.into_iter().map(|finding| {
        let steady = |name: &str| !["keytag", "date", "expiration"].contains(&name);
        let args = finding.args.iter().filter(|(name, _)| steady(name));
        let args: Vec<String> = args.map(|(name, value)| format!(" {name}={value}")).collect();
        format!("{}{}", finding.tag, args.concat())
    });
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}
