//! The measurement that decides a request.

use jiff::Timestamp;
use model::{Check, Delegation, Finding, Verdict, VerdictState};

use crate::check::{CheckPlan, check, delegation_of};
use crate::inquiry::Inquiry;
use crate::profile::Profile;
use crate::run::Run;

/// Measures a check by the levels, limits and tables of `profile`. `inquiry` should be a new one that asks everything itself
/// ([`Internet::inquiry_alone`](crate::Internet::inquiry_alone)): an old one, and what others asked, says what was.
pub async fn verify(inquiry: &Inquiry, check: &Check, profile: &Profile, now: Timestamp) -> Verdict {
    match check {
        Check::Cases { zone, cases, level } => {
            let mut wanted = cases.clone();
            // whether the zone answers at all decides what the silence of the other cases means
            if !wanted.iter().any(|case| case == "basic02") {
                wanted.push("basic02".to_owned());
            }
            let plan = CheckPlan {
                zone: zone.clone(),
                undelegated: None,
                cases: Some(wanted),
                profile: profile.clone(),
            };
            let report = self::check(inquiry, &plan, now).await;
            let is_asked = |finding: &Finding| cases.contains(&finding.case);
            let is_dead = |finding: &Finding| matches!(finding.tag.as_str(), "B02_NO_DELEGATION" | "B02_NO_WORKING_NS");
            let findings: Vec<Finding> = report.findings.into_iter().map(|(_, finding)| finding).collect();
            let fails = findings
                .iter()
                .any(|finding| is_dead(finding) || is_asked(finding) && finding.level >= *level);
            let state = match (report.untestable, fails) {
                (Some(_), _) => VerdictState::Unknown,
                (None, true) => VerdictState::Fails,
                (None, false) => VerdictState::Holds,
            };
            let findings = findings
                .into_iter()
                .filter(|finding| is_asked(finding) || is_dead(finding))
                .collect();
            Verdict {
                state,
                time: now,
                findings,
                seen: report.delegation,
            }
        }
        Check::Delegation { zone, expected } => {
            let plan = CheckPlan {
                zone: zone.clone(),
                undelegated: None,
                cases: None,
                profile: profile.clone(),
            };
            let seen = delegation_of(&Run::new(inquiry, &plan, now)).await;
            let state = match &seen {
                _ if inquiry.is_spent() => VerdictState::Unknown,
                None => VerdictState::Unknown,
                Some(seen) if is_as_expected(expected, seen) => VerdictState::Holds,
                Some(_) => VerdictState::Fails,
            };
            Verdict {
                state,
                time: now,
                findings: Vec::new(),
                seen,
            }
        }
    }
}

/// The same names and DS records; addresses only where some are expected.
fn is_as_expected(expected: &Delegation, seen: &Delegation) -> bool {
    let are_names_alike = expected.ns.keys().eq(seen.ns.keys());
    let are_addresses_alike = expected
        .ns
        .iter()
        .filter(|(_, addresses)| !addresses.is_empty())
        .all(|(name, addresses)| seen.ns.get(name) == Some(addresses));
    are_names_alike && are_addresses_alike && expected.ds == seen.ds
}
