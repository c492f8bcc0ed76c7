//! What a party is asked to do, and which check decides that it is done.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use model::{Check, Delegation, Level, Name, Severity, Signal};
use serde::{Deserialize, Serialize};

/// One kind of ask. The centre asks; it never orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Bring silent or wrongly answering servers back.
    RestoreService,
    /// Sign again: signatures are expired or do not fit the keys.
    RenewSignatures,
    /// Confirm a change of the delegation, or put the former one back.
    ConfirmOrRestoreDelegation,
    /// Put the DS records back, or confirm that signing was meant to end.
    RestoreDs,
    /// Say what happened.
    Explain,
}

impl Ask {
    /// All asks.
    pub const ALL: [Ask; 5] = [
        Ask::RestoreService,
        Ask::RenewSignatures,
        Ask::ConfirmOrRestoreDelegation,
        Ask::RestoreDs,
        Ask::Explain,
    ];

    /// The word kept in tables: `restore_service`.
    pub fn as_str(self) -> &'static str {
        match self {
            Ask::RestoreService => "restore_service",
            Ask::RenewSignatures => "renew_signatures",
            Ask::ConfirmOrRestoreDelegation => "confirm_or_restore_delegation",
            Ask::RestoreDs => "restore_ds",
            Ask::Explain => "explain",
        }
    }

    /// Its word in ids of texts: `restore-service`, as in `case-ask-restore-service`.
    pub fn text_word(self) -> String {
        self.as_str().replace('_', "-")
    }

    /// Whether a check that holds closes the request only after the party has said "done": an explanation is not
    /// given by the DNS.
    pub fn needs_word(self) -> bool {
        self == Ask::Explain
    }

    /// The check that decides this ask for `zone`. `expected` is the delegation as it should be, where known.
    ///
    /// | ask | decided by |
    /// |---|---|
    /// | restore_service | basic02, connectivity01, nameserver02 silent at ERROR and above |
    /// | renew_signatures | dnssec02, dnssec08, dnssec09, dnssec04 silent at ERROR and above |
    /// | confirm_or_restore_delegation, restore_ds | the parent's delegation is the expected one |
    /// | explain | basic02 silent at CRITICAL, after the party's word |
    ///
    /// Where nothing is expected of the delegation, the test cases of the delegation decide instead.
    pub fn check(self, zone: &Name, expected: Option<&Delegation>) -> Check {
        let cases = |cases: &[&str], level| Check::Cases {
            zone: zone.clone(),
            cases: cases.iter().map(|case| (*case).to_owned()).collect(),
            level,
        };
        match (self, expected) {
            (Ask::RestoreService, _) => cases(&["basic02", "connectivity01", "nameserver02"], Level::Error),
            (Ask::RenewSignatures, _) => cases(&["dnssec02", "dnssec04", "dnssec08", "dnssec09"], Level::Error),
            (Ask::ConfirmOrRestoreDelegation | Ask::RestoreDs, Some(expected)) => Check::Delegation {
                zone: zone.clone(),
                expected: expected.clone(),
            },
            (Ask::ConfirmOrRestoreDelegation, None) => {
                cases(&["basic02", "consistency05", "delegation05"], Level::Error)
            }
            (Ask::RestoreDs, None) => cases(&["dnssec02", "dnssec07"], Level::Warning),
            (Ask::Explain, _) => cases(&["basic02"], Level::Critical),
        }
    }

    /// How long the party is given: by the severity, chosen by us. A page-worthy fault harms people now, so the ask is
    /// for the same working day; others get the time of a normal repair. Too short makes every party look late.
    pub fn patience(self, severity: Severity) -> SignedDuration {
        match (severity, self) {
            (Severity::Page, Ask::Explain) => SignedDuration::from_hours(24),
            (Severity::Page, _) => SignedDuration::from_hours(4),
            (Severity::Review, Ask::Explain) => SignedDuration::from_hours(72),
            (Severity::Review, _) => SignedDuration::from_hours(24),
            (Severity::Log, _) => SignedDuration::from_hours(120),
        }
    }

    /// What a signal asks to be done about one of its zones.
    ///
    /// The kind of the signal decides; for `health-worse` the test cases of its findings do.
    pub fn for_signal(signal: &Signal) -> Ask {
        match signal.kind.as_str() {
            "zone-unreachable" => Ask::RestoreService,
            "signatures-invalid" => Ask::RenewSignatures,
            "redelegated" | "mass-redelegated" => Ask::ConfirmOrRestoreDelegation,
            "ds-removed" => Ask::RestoreDs,
            "report" => Ask::Explain,
            _ => {
                let cases: BTreeSet<&str> = signal.findings.iter().map(|finding| finding.case.as_str()).collect();
                if !cases.is_empty() && cases.iter().all(|case| case.starts_with("dnssec")) {
                    Ask::RenewSignatures
                } else if cases.iter().any(|case| !case.starts_with("dnssec")) {
                    Ask::RestoreService
                } else {
                    Ask::Explain
                }
            }
        }
    }

    /// The check for this ask where it rests on `signal`: for a health signal of other cases than the usual ones,
    /// those cases decide, so that the request ends when what was seen is gone.
    pub fn check_for(self, zone: &Name, expected: Option<&Delegation>, signal: &Signal) -> Check {
        let usual = self.check(zone, expected);
        let Check::Cases { zone, mut cases, level } = usual else {
            return usual;
        };
        if signal.kind == "health-worse" {
            let seen: BTreeSet<String> = signal.findings.iter().map(|finding| finding.case.clone()).collect();
            let mildest = signal
                .findings
                .iter()
                .map(|finding| finding.level)
                .min()
                .unwrap_or(level);
            if !seen.is_empty() {
                cases = seen.into_iter().collect();
                return Check::Cases {
                    zone,
                    cases,
                    level: mildest.max(Level::Warning),
                };
            }
        }
        Check::Cases { zone, cases, level }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an ask")]
pub struct AskError(String);

impl FromStr for Ask {
    type Err = AskError;

    fn from_str(text: &str) -> Result<Self, AskError> {
        Ask::ALL
            .into_iter()
            .find(|ask| ask.as_str() == text)
            .ok_or_else(|| AskError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use model::{Detector, Finding};

    use super::*;

    fn signal(kind: &str, cases: &[(&str, Level)]) -> Signal {
        Signal {
            detector: Detector::Health,
            key: "k".to_owned(),
            severity: Severity::Page,
            time: model::Timestamp::UNIX_EPOCH,
            zones: vec!["atlas.example".parse().unwrap()],
            kind: kind.to_owned(),
            args: Default::default(),
            findings: cases
                .iter()
                .map(|(case, level)| Finding {
                    case: (*case).to_owned(),
                    tag: "TAG".to_owned(),
                    level: *level,
                    args: Default::default(),
                })
                .collect(),
            changes: Vec::new(),
        }
    }

    #[test]
    fn each_kind_of_signal_leads_to_its_ask() {
        for (kind, ask) in [
            ("zone-unreachable", Ask::RestoreService),
            ("signatures-invalid", Ask::RenewSignatures),
            ("redelegated", Ask::ConfirmOrRestoreDelegation),
            ("mass-redelegated", Ask::ConfirmOrRestoreDelegation),
            ("ds-removed", Ask::RestoreDs),
            ("report", Ask::Explain),
            ("something-new", Ask::Explain),
        ] {
            assert_eq!(Ask::for_signal(&signal(kind, &[])), ask, "{kind}");
        }
        assert_eq!(
            Ask::for_signal(&signal("health-worse", &[("dnssec09", Level::Error)])),
            Ask::RenewSignatures
        );
        assert_eq!(
            Ask::for_signal(&signal("health-worse", &[("zone02", Level::Error)])),
            Ask::RestoreService
        );
    }

    #[test]
    fn what_was_seen_decides_a_request_about_worse_health() {
        let zone: Name = "atlas.example".parse().unwrap();
        let seen = signal("health-worse", &[("consistency01", Level::Warning)]);
        let check = Ask::RestoreService.check_for(&zone, None, &seen);
        assert_eq!(
            check,
            Check::Cases {
                zone,
                cases: vec!["consistency01".to_owned()],
                level: Level::Warning
            }
        );
    }

    #[test]
    fn a_redelegation_is_decided_by_the_expected_delegation() {
        let zone: Name = "atlas.example".parse().unwrap();
        let expected = Delegation::default();
        let check = Ask::ConfirmOrRestoreDelegation.check(&zone, Some(&expected));
        assert_eq!(check, Check::Delegation { zone, expected });
    }

    #[test]
    fn every_ask_has_its_texts_and_reads_back() {
        for ask in Ask::ALL {
            assert_eq!(ask.as_str().parse(), Ok(ask));
            for id in [
                format!("case-ask-{}", ask.text_word()),
                format!("notice-ask-{}", ask.text_word()),
            ] {
                assert!(language::texts(model::Language::English).has(&id), "{id}");
            }
        }
    }
}
