//! Every finding of a check reads as plain words, whatever is broken.

use std::collections::{BTreeMap, BTreeSet};

use lab::{Change, Fault, FaultRule, Lab};
use language::explain;
use measure::{CheckPlan, Internet, Profile, check};
use model::{Finding, Language, Level};

use crate::case_in_lab::{change, name, noon, pocket, set_ds, settings, spoil};

/// Checks the zone and looks at every finding's text.
async fn reads_well(lab: &Lab, zone: &str) {
    let inquiry = Internet::open(settings(lab)).unwrap().inquiry();
    let plan = CheckPlan {
        zone: name(zone),
        undelegated: None,
        cases: None,
        profile: Profile::default(),
    };
    let report = check(&inquiry, &plan, noon()).await;
    assert!(!report.findings.is_empty(), "{zone}");
    for (_, finding) in &report.findings {
        assert!(
            plan.profile.knows(&finding.case, &finding.tag),
            "no level for {finding:?}"
        );
        let said = explain(finding, Language::English);
        for text in [&said.what, &said.mend] {
            assert!(!text.contains("(not known)"), "{finding:?}: {text}");
        }
        for (argument, value) in &finding.args {
            let server = value
                .split(';')
                .next()
                .unwrap_or_default()
                .split('/')
                .next()
                .unwrap_or_default();
            if ["ns", "ns_list", "ns_ip_list"].contains(&argument.as_str()) {
                assert!(
                    said.what.contains(server),
                    "{finding:?} does not name the server: {}",
                    said.what
                );
            }
        }
    }
}

#[test]
fn every_message_has_its_text_and_every_text_its_message() {
    let profile = Profile::default();
    let levels: BTreeSet<(&str, &str)> = profile.messages().collect();
    let texts: BTreeSet<(&str, &str)> = language::explained().collect();
    let difference = |a: &BTreeSet<_>, b: &BTreeSet<_>| a.difference(b).copied().collect::<Vec<(&str, &str)>>();
    assert_eq!(difference(&levels, &texts), [], "no text");
    assert_eq!(difference(&texts, &levels), [], "no level");
}

#[test]
fn what_is_wrong_says_why_and_how_to_mend_it() {
    let profile = Profile::default();
    for (case, tag) in profile.messages() {
        let level = profile.level(case, tag);
        if level < Level::Warning {
            continue;
        }
        let finding = Finding {
            case: case.to_owned(),
            tag: tag.to_owned(),
            level,
            args: BTreeMap::new(),
            vantage_point: None,
        };
        let said = explain(&finding, Language::English);
        assert!(!said.why.is_empty(), "{case} {tag} has no why");
        assert!(!said.mend.is_empty(), "{case} {tag} has no mend");
        assert!(said.rfc.contains("RFC "), "{case} {tag} has no standard");
        for text in [said.what, said.why, said.mend] {
            assert!(text.ends_with('.'), "{case} {tag}: {text}");
        }
    }
}

#[test]
fn every_tag_in_the_cases_has_a_level_and_a_text() {
    let profile = Profile::default();
    let known: BTreeSet<&str> = profile.messages().map(|(_, tag)| tag).collect();
    let is_tag = |text: &&str| {
        text.contains('_')
            && text.starts_with(|first: char| first.is_ascii_uppercase())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let mut count = 0;
    let folder = |path: &std::path::Path| -> Vec<std::path::PathBuf> {
        let files = std::fs::read_dir(path).unwrap();
        files.map(|file| file.unwrap().path()).collect()
    };
    let mut waiting = folder(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cases").as_ref());
    waiting.extend(folder(concat!(env!("CARGO_MANIFEST_DIR"), "/src/resolver").as_ref()));
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(folder(&path));
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        // What stands between quotation marks is every second piece.
        for tag in source.split('"').skip(1).step_by(2).filter(is_tag) {
            count += 1;
            assert!(known.contains(tag), "{}: `{tag}` has no level", path.display());
        }
    }
    assert!(count > 200, "only {count} tags were found");
}

#[tokio::test]
async fn findings_on_whole_zones_read_well() {
    let lab = pocket().await;
    for zone in [
        ".",
        "test",
        "good.test",
        "plain.test",
        "shop.example",
        "missing.test",
        "www.good.test",
    ] {
        reads_well(&lab, zone).await;
    }
}

#[tokio::test]
async fn findings_on_a_server_that_misbehaves_read_well() {
    for fault in Fault::ALL {
        // Slow servers only cost time, and questions for other names than asked count as silence.
        if matches!(
            fault,
            Fault::Slow | Fault::WrongId | Fault::WrongQuestion | Fault::MissingDs
        ) {
            continue;
        }
        let lab = pocket().await;
        spoil(&lab, "127.10.3.2", fault);
        reads_well(&lab, "good.test").await;
    }
}

#[tokio::test]
async fn findings_on_a_broken_chain_of_trust_read_well() {
    let lab = pocket().await;
    set_ds(&lab, "plain.test", vec![lab.ds("good.test").unwrap()]);
    reads_well(&lab, "plain.test").await;
    change(
        &lab,
        Change::SwapKey {
            zone: "good.test".to_owned(),
            ds_follows: false,
        },
    );
    reads_well(&lab, "good.test").await;
    change(
        &lab,
        Change::ExpireSignatures {
            zone: "shop.example".to_owned(),
        },
    );
    let rule = FaultRule::of(Fault::MissingDs);
    change(
        &lab,
        Change::AddFault {
            server: "127.10.2.2".to_owned(),
            rule,
        },
    );
    reads_well(&lab, "shop.example").await;
}
