//! How well something does, and what test cases say of it: one set of words for pages, files and programs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Finding, Level};

/// How a zone, a server or a part of the centre does; worst last, so that the worst of several stands for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Nothing is known, or not any more.
    Unknown,
    /// As it should be.
    Good,
    /// Its users are served, but something needs attention.
    Impaired,
    /// Its users are not served: it does not answer, or they reject what it answers.
    Broken,
}

/// Cases whose CRITICAL means that no server answers for the zone; testers stop there (Zonemaster, Basic).
pub const REACH_CASES: [&str; 2] = ["basic01", "basic02"];

/// Cases whose failure makes a validating resolver call the zone bogus: DS without a matching key, expired or wrong
/// signatures over DNSKEY and SOA, no valid denial, DS over an unsigned zone (Zonemaster, DNSSEC).
pub const VALIDITY_CASES: [&str; 8] = [
    "chain01", "chain02", "dnssec02", "dnssec04", "dnssec08", "dnssec09", "dnssec10", "dnssec11",
];

/// Cases that say only how a zone is secured: that one without a DS is not signed is a choice, which most zones of the world have
/// made. Counted, it would put out of order nearly all that a centre watches.
const POSTURE_CASES: [&str; 1] = ["dnssec07"];

impl Health {
    /// All, worst first.
    pub const ALL: [Health; 4] = [Health::Broken, Health::Impaired, Health::Good, Health::Unknown];

    /// `unknown`, `good`, `impaired` or `broken`.
    pub fn as_str(self) -> &'static str {
        match self {
            Health::Unknown => "unknown",
            Health::Good => "good",
            Health::Impaired => "impaired",
            Health::Broken => "broken",
        }
    }

    /// What the findings of one round say of a zone. `secured` is whether its parent has a DS; where that is not known
    /// (`None`) it counts as yes.
    ///
    /// Broken is a zone whose users are not served: one that cannot be used or tested at all (CRITICAL), or one that
    /// resolvers reject (a case of validity at ERROR under a DS). Other ERRORs, such as a single name server, and
    /// WARNINGs impair it: "ERROR" in a specification is not yet an outage. That a zone without a DS is not signed impairs nothing.
    pub fn of(findings: &[Finding], secured: Option<bool>) -> Self {
        let breaks = |finding: &Finding| {
            let bogus = VALIDITY_CASES
                .iter()
                .any(|case| case.eq_ignore_ascii_case(&finding.case));
            finding.level == Level::Critical || (bogus && finding.level >= Level::Error && secured != Some(false))
        };
        let impairs = |finding: &Finding| {
            let is_posture = POSTURE_CASES
                .iter()
                .any(|case| case.eq_ignore_ascii_case(&finding.case));
            finding.level >= Level::Warning && !(is_posture && secured == Some(false))
        };
        if findings.iter().any(breaks) {
            Health::Broken
        } else if findings.iter().any(impairs) {
            Health::Impaired
        } else {
            Health::Good
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_means_that_users_are_not_served() {
        for (case, level, secured, health) in [
            ("zone02", Level::Notice, None, Health::Good),
            ("zone02", Level::Warning, None, Health::Impaired),
            ("delegation01", Level::Error, Some(true), Health::Impaired),
            ("connectivity01", Level::Error, None, Health::Impaired),
            ("basic02", Level::Critical, Some(false), Health::Broken),
            ("dnssec09", Level::Error, Some(true), Health::Broken),
            ("DNSSEC09", Level::Error, None, Health::Broken),
            ("dnssec09", Level::Error, Some(false), Health::Impaired),
            ("dnssec04", Level::Warning, Some(true), Health::Impaired),
            ("dnssec03", Level::Error, Some(true), Health::Impaired),
            ("dnssec07", Level::Warning, Some(false), Health::Good),
            ("dnssec07", Level::Warning, Some(true), Health::Impaired),
        ] {
            let finding = Finding {
                case: case.to_owned(),
                tag: "TAG".to_owned(),
                level,
                args: Default::default(),
                vantage_point: None,
            };
            assert_eq!(Health::of(&[finding], secured), health, "{case} {level} {secured:?}");
        }
        assert_eq!(Health::of(&[], None), Health::Good);
    }

    #[test]
    fn the_worst_of_several_stands_for_all() {
        let mut worst_first = Health::ALL;
        worst_first.sort();
        worst_first.reverse();
        assert_eq!(worst_first, Health::ALL);
    }
}
