//! What a party is asked to do, and which check decides that it is done.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use model::{Check, Delegation, Finding, Level, Name, Severity, Signal};

use crate::word::words;

words! {
    /// One kind of ask. The centre asks; it never orders.
    pub enum Ask {
        /// Bring silent or wrongly answering servers back.
        RestoreService = "restore_service",
        /// Sign again: signatures are expired or do not fit the keys.
        RenewSignatures = "renew_signatures",
        /// Make the DS records at the parent and the keys of the zone fit each other.
        RepairDs = "repair_ds",
        /// Make the delegation at the parent and the zone's own NS records and addresses fit each other.
        CorrectDelegation = "correct_delegation",
        /// Correct what stands in the zone, or how its servers are set up.
        CorrectZone = "correct_zone",
        /// Confirm a change of the delegation, or put the former one back.
        ConfirmOrRestoreDelegation = "confirm_or_restore_delegation",
        /// Put the DS records back, or confirm that signing was meant to end.
        RestoreDs = "restore_ds",
        /// Say what happened.
        Explain = "explain",
    }
}

/// Tags of dnssec02 that say of the signatures, not of the DS records, that they do not fit the keys.
const SIGNATURE_TAGS: [&str; 3] = [
    "DS02_DNSKEY_NOT_SIGNED_BY_ANY_DS",
    "DS02_NO_MATCHING_DNSKEY_RRSIG",
    "DS02_RRSIG_NOT_VALID_BY_DNSKEY",
];

impl Ask {
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
    /// | renew_signatures | dnssec02, dnssec04, dnssec08, dnssec09 silent at ERROR and above |
    /// | repair_ds | dnssec02, dnssec11 silent at ERROR and above |
    /// | correct_delegation | consistency05, delegation05, delegation07 silent at ERROR and above |
    /// | correct_zone | consistency01, consistency03, zone10 silent at WARNING and above |
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
            (Ask::RepairDs, _) => cases(&["dnssec02", "dnssec11"], Level::Error),
            (Ask::CorrectDelegation, _) => cases(&["consistency05", "delegation05", "delegation07"], Level::Error),
            (Ask::CorrectZone, _) => cases(&["consistency01", "consistency03", "zone10"], Level::Warning),
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

    /// What a signal asks to be done about one of its zones: one thing, or several where its findings have several
    /// causes. Where the signal names the cause, its kind decides; else its findings do.
    pub fn for_signal(signal: &Signal) -> Vec<Ask> {
        match signal.kind.as_str() {
            "zone-unreachable" | "mass-unreachable" => vec![Ask::RestoreService],
            "redelegated" | "mass-redelegated" => vec![Ask::ConfirmOrRestoreDelegation],
            "ds-removed" => vec![Ask::RestoreDs],
            "report" => vec![Ask::Explain],
            kind => {
                let asks: BTreeSet<Ask> = harmful(signal).map(Ask::for_finding).collect();
                match (kind, asks.is_empty()) {
                    (_, false) => asks.into_iter().collect(),
                    ("signatures-invalid", true) => vec![Ask::RenewSignatures],
                    (_, true) => vec![Ask::Explain],
                }
            }
        }
    }

    /// What a finding at WARNING or above asks to be done.
    ///
    /// | finding | ask |
    /// |---|---|
    /// | a server that does not answer, answers without authority or without SOA record, knows no EDNS (any `NO_RESPONSE`; basic01, basic02, connectivity01, connectivity02, delegation04, delegation06, nameserver02) | restore_service |
    /// | signatures missing, expired, not valid (dnssec04, dnssec08, dnssec09, dnssec10, dnssec13, the signature tags of dnssec02, a server without them in dnssec07) | renew_signatures |
    /// | DS records that lead to no key, or none where there should be some (dnssec01, dnssec02, dnssec07, dnssec11) | repair_ds |
    /// | too few or wrong name servers, names or addresses that differ from the zone's own (consistency04, consistency05, delegation01 to 03, delegation05, delegation07, nameserver06) | correct_delegation |
    /// | all others | correct_zone |
    fn for_finding(finding: &Finding) -> Ask {
        let tag = finding.tag.as_str();
        if tag.contains("NO_RESPONSE") {
            return Ask::RestoreService;
        }
        match finding.case.to_ascii_lowercase().as_str() {
            "basic01" | "basic02" | "connectivity01" | "connectivity02" | "delegation04" | "delegation06"
            | "nameserver02" => Ask::RestoreService,
            "dnssec04" | "dnssec08" | "dnssec09" | "dnssec10" | "dnssec13" => Ask::RenewSignatures,
            "dnssec02" if SIGNATURE_TAGS.contains(&tag) => Ask::RenewSignatures,
            "dnssec07" if !tag.contains("_DS_") && !tag.ends_with("_DS") => Ask::RenewSignatures,
            "dnssec01" | "dnssec02" | "dnssec07" | "dnssec11" => Ask::RepairDs,
            "consistency04" | "consistency05" | "delegation01" | "delegation02" | "delegation03" | "delegation05"
            | "delegation07" | "nameserver06" => Ask::CorrectDelegation,
            _ => Ask::CorrectZone,
        }
    }

    /// The check for this ask where it rests on `signal`, so that the request ends when what was seen is gone: where the
    /// signal names no cause, the test cases that led to this ask decide alone, at the mildest level at which they spoke;
    /// else they decide beside the usual ones.
    pub fn check_for(self, zone: &Name, expected: Option<&Delegation>, signal: &Signal) -> Check {
        let usual = self.check(zone, expected);
        let Check::Cases { zone, cases, level } = usual else {
            return usual;
        };
        let own = || harmful(signal).filter(|finding| Ask::for_finding(finding) == self);
        let mut seen: BTreeSet<String> = own().map(|finding| finding.case.to_ascii_lowercase()).collect();
        let Some(mildest) = own().map(|finding| finding.level).min() else {
            return Check::Cases { zone, cases, level };
        };
        if signal.kind == "health-worse" {
            let (cases, level) = (seen.into_iter().collect(), mildest);
            return Check::Cases { zone, cases, level };
        }
        seen.extend(cases);
        Check::Cases {
            zone,
            cases: seen.into_iter().collect(),
            level: level.min(mildest),
        }
    }
}

/// The findings of a signal that somebody has to mend.
fn harmful(signal: &Signal) -> impl Iterator<Item = &Finding> {
    signal.findings.iter().filter(|finding| finding.level >= Level::Warning)
}

#[cfg(test)]
mod tests {
    use model::Detector;

    use super::*;

    fn signal(kind: &str, findings: &[(&str, &str, Level)]) -> Signal {
        Signal {
            detector: Detector::Health,
            key: "k".to_owned(),
            severity: Severity::Page,
            time: model::Timestamp::UNIX_EPOCH,
            zones: vec!["atlas.example".parse().unwrap()],
            kind: kind.to_owned(),
            args: Default::default(),
            findings: findings
                .iter()
                .map(|(case, tag, level)| Finding {
                    case: (*case).to_owned(),
                    tag: (*tag).to_owned(),
                    level: *level,
                    args: Default::default(),
                    vantage_point: None,
                })
                .collect(),
            changes: Vec::new(),
        }
    }

    #[test]
    fn each_kind_of_signal_leads_to_its_ask() {
        for (kind, ask) in [
            ("zone-unreachable", Ask::RestoreService),
            ("mass-unreachable", Ask::RestoreService),
            ("signatures-invalid", Ask::RenewSignatures),
            ("redelegated", Ask::ConfirmOrRestoreDelegation),
            ("mass-redelegated", Ask::ConfirmOrRestoreDelegation),
            ("ds-removed", Ask::RestoreDs),
            ("report", Ask::Explain),
            ("something-new", Ask::Explain),
        ] {
            assert_eq!(Ask::for_signal(&signal(kind, &[])), [ask], "{kind}");
        }
    }

    #[test]
    fn what_was_found_decides_what_is_asked() {
        use Level::{Error, Notice, Warning};
        for (kind, findings, asks) in [
            (
                "health-worse",
                &[("connectivity01", "CN01_NO_RESPONSE_UDP", Warning)][..],
                &[Ask::RestoreService][..],
            ),
            (
                "health-worse",
                &[("dnssec03", "DS03_NO_RESPONSE_NSEC_QUERY", Error)],
                &[Ask::RestoreService],
            ),
            (
                "health-worse",
                &[("dnssec09", "DS09_SOA_RRSIG_EXPIRED", Error)],
                &[Ask::RenewSignatures],
            ),
            (
                "signatures-invalid",
                &[("dnssec02", "DS02_NO_MATCH_DS_DNSKEY", Error)],
                &[Ask::RepairDs],
            ),
            (
                "signatures-invalid",
                &[("dnssec02", "DS02_RRSIG_NOT_VALID_BY_DNSKEY", Error)],
                &[Ask::RenewSignatures],
            ),
            (
                "signatures-invalid",
                &[("dnssec11", "DS11_INCONSISTENT_DS", Error)],
                &[Ask::RepairDs],
            ),
            (
                "health-worse",
                &[("dnssec07", "DS07_NO_DS_FOR_SIGNED_ZONE", Warning)],
                &[Ask::RepairDs],
            ),
            (
                "health-worse",
                &[("dnssec07", "DS07_NOT_SIGNED_ON_SERVER", Warning)],
                &[Ask::RenewSignatures],
            ),
            (
                "health-worse",
                &[("delegation01", "NOT_ENOUGH_NS_DEL", Error)],
                &[Ask::CorrectDelegation],
            ),
            (
                "health-worse",
                &[("consistency01", "MULTIPLE_SOA_SERIALS", Warning)],
                &[Ask::CorrectZone],
            ),
            (
                "health-worse",
                &[
                    ("zone02", "REFRESH_MINIMUM_VALUE_LOWER", Warning),
                    ("basic02", "B02_NS_NO_RESPONSE", Warning),
                ],
                &[Ask::RestoreService, Ask::CorrectZone],
            ),
            ("health-worse", &[("zone02", "MNAME_IS_CNAME", Notice)], &[Ask::Explain]),
        ] {
            assert_eq!(Ask::for_signal(&signal(kind, findings)), asks, "{kind} {findings:?}");
        }
    }

    #[test]
    fn what_was_seen_decides_a_request_about_worse_health() {
        let zone: Name = "atlas.example".parse().unwrap();
        let seen = signal(
            "health-worse",
            &[
                ("consistency01", "MULTIPLE_SOA_SERIALS", Level::Warning),
                ("dnssec09", "DS09_SOA_RRSIG_EXPIRED", Level::Error),
            ],
        );
        for (ask, case, level) in [
            (Ask::CorrectZone, "consistency01", Level::Warning),
            (Ask::RenewSignatures, "dnssec09", Level::Error),
        ] {
            let check = Check::Cases {
                zone: zone.clone(),
                cases: vec![case.to_owned()],
                level,
            };
            assert_eq!(ask.check_for(&zone, None, &seen), check);
        }
    }

    #[test]
    fn a_named_cause_is_decided_by_its_usual_cases_and_what_was_seen() {
        let zone: Name = "atlas.example".parse().unwrap();
        let seen = signal(
            "signatures-invalid",
            &[("dnssec10", "DS10_NSEC_MISMATCHES_APEX", Level::Error)],
        );
        let Check::Cases { cases, level, .. } = Ask::RenewSignatures.check_for(&zone, None, &seen) else {
            panic!("test cases decide")
        };
        assert_eq!(cases, ["dnssec02", "dnssec04", "dnssec08", "dnssec09", "dnssec10"]);
        assert_eq!(level, Level::Error);
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
            assert_eq!(ask.as_str().parse().as_ref(), Ok(ask));
            for id in [
                format!("case-ask-{}", ask.text_word()),
                format!("notice-ask-{}", ask.text_word()),
            ] {
                assert!(language::texts(model::Language::English).has(&id), "{id}");
            }
        }
    }
}
