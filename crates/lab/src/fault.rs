//! The ways in which a server can misbehave, each by name.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use domain::base::iana::Rtype;
use model::{Name, Transport};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::odd::{Feature, Hostility, OddManner};
use crate::span::Span;
use crate::zone_file::{self, Record, ZoneFileError};

/// One way to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// Never answers, over UDP or TCP.
    Silent,
    /// Answers late, by the rule's `delay`.
    Slow,
    /// Answers REFUSED.
    Refused,
    /// Answers SERVFAIL.
    Servfail,
    /// Does not know the zone: an upward referral to the root, or an empty one, as the rule's `referral` says.
    Lame,
    /// Answers with the AA bit cleared.
    NotAuthoritative,
    /// Answers over UDP always with TC and no records.
    Truncates,
    /// Closes TCP connections without an answer.
    UdpOnly,
    /// Does not speak EDNS, in the way that the rule's `edns` says.
    DropsEdns,
    /// Answers with another message id.
    WrongId,
    /// Answers another question than the one asked.
    WrongQuestion,
    /// Serves the zone with an SOA serial below that of the other servers.
    StaleSerial,
    /// Serves signatures that expired a day ago.
    ExpiredSignatures,
    /// Serves signatures that become valid in a day.
    NotYetValidSignatures,
    /// Serves signatures that do not verify.
    WrongSignatures,
    /// As a parent, leaves out the DS RRsets of children (all, or the one named by `qname`).
    MissingDs,
    /// Resolves any name for anybody, with RA set.
    OpenRecursion,
    /// Hands out whole zones by AXFR.
    OpenTransfer,
    /// Answers with octets that are no DNS message.
    Garbage,
    /// Stumbles over EDNS or an unusual question, in the way that the rule's `manner` says.
    Odd,
    /// Answers so as to harm whoever reads it, in the way that the rule's `hostility` says.
    Hostile,
    /// Answers with the records that the rule's `answer` and `authority` say, and with nothing else.
    Says,
    /// Answers over UDP from another address than the one asked, the rule's `from`.
    OtherSource,
    /// Refers to the root for names that it does not serve, instead of refusing.
    UpwardReferral,
    /// Repeats the name of the question in lower case.
    LowerCase,
    /// Gives AAAA records of four octets.
    BadAaaa,
    /// Leaves the OPT record out of truncated answers.
    TruncatesWithoutOpt,
    /// Tells its version in class CH, in the words of the rule's `text`.
    RevealsVersion,
    /// Gives records of class IN where class CH was asked for.
    WrongClass,
}

impl Fault {
    /// All faults.
    pub const ALL: [Fault; 29] = [
        Fault::Silent,
        Fault::Slow,
        Fault::Refused,
        Fault::Servfail,
        Fault::Lame,
        Fault::NotAuthoritative,
        Fault::Truncates,
        Fault::UdpOnly,
        Fault::DropsEdns,
        Fault::WrongId,
        Fault::WrongQuestion,
        Fault::StaleSerial,
        Fault::ExpiredSignatures,
        Fault::NotYetValidSignatures,
        Fault::WrongSignatures,
        Fault::MissingDs,
        Fault::OpenRecursion,
        Fault::OpenTransfer,
        Fault::Garbage,
        Fault::Odd,
        Fault::Hostile,
        Fault::Says,
        Fault::OtherSource,
        Fault::UpwardReferral,
        Fault::LowerCase,
        Fault::BadAaaa,
        Fault::TruncatesWithoutOpt,
        Fault::RevealsVersion,
        Fault::WrongClass,
    ];

    /// The name as world files write it: `not_authoritative`.
    pub fn as_str(self) -> &'static str {
        match self {
            Fault::Silent => "silent",
            Fault::Slow => "slow",
            Fault::Refused => "refused",
            Fault::Servfail => "servfail",
            Fault::Lame => "lame",
            Fault::NotAuthoritative => "not_authoritative",
            Fault::Truncates => "truncates",
            Fault::UdpOnly => "udp_only",
            Fault::DropsEdns => "drops_edns",
            Fault::WrongId => "wrong_id",
            Fault::WrongQuestion => "wrong_question",
            Fault::StaleSerial => "stale_serial",
            Fault::ExpiredSignatures => "expired_signatures",
            Fault::NotYetValidSignatures => "not_yet_valid_signatures",
            Fault::WrongSignatures => "wrong_signatures",
            Fault::MissingDs => "missing_ds",
            Fault::OpenRecursion => "open_recursion",
            Fault::OpenTransfer => "open_transfer",
            Fault::Garbage => "garbage",
            Fault::Odd => "odd",
            Fault::Hostile => "hostile",
            Fault::Says => "says",
            Fault::OtherSource => "other_source",
            Fault::UpwardReferral => "upward_referral",
            Fault::LowerCase => "lower_case",
            Fault::BadAaaa => "bad_aaaa",
            Fault::TruncatesWithoutOpt => "truncates_without_opt",
            Fault::RevealsVersion => "reveals_version",
            Fault::WrongClass => "wrong_class",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a fault; faults are {list}", list = Fault::ALL.map(Fault::as_str).join(", "))]
pub struct FaultError(String);

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        Fault::ALL
            .into_iter()
            .find(|fault| fault.as_str() == text)
            .ok_or_else(|| FaultError(text.to_owned()))
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// How a lame server refers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LameReferral {
    /// To the root: the root's NS in the authority section.
    #[default]
    Upward,
    /// To nowhere: NOERROR with all sections empty.
    Empty,
}

/// How a server does not speak EDNS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EdnsManner {
    /// Answers as though the OPT record were not there.
    #[default]
    Ignores,
    /// Answers FORMERR without an OPT record, as servers before EDNS do.
    Formerr,
    /// Does not answer a question that carries an OPT record.
    Silent,
    /// Answers as though all were well, with an OPT record of EDNS version 1.
    Version1,
}

/// A fault of one server, with the questions it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The fault.
    pub fault: Fault,
    /// Only questions for this name and those below it; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qname: Option<Name>,
    /// Only questions of this type (mnemonic or `TYPEnnn`); all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qtype: Option<Rtype>,
    /// Only questions over this transport; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
    /// Only questions that have this; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<Feature>,
    /// How late `slow` answers; two seconds when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Span>,
    /// How `lame` refers.
    #[serde(default)]
    pub referral: LameReferral,
    /// How `drops_edns` shows.
    #[serde(default)]
    pub edns: EdnsManner,
    /// What `odd` stumbles over.
    #[serde(default)]
    pub manner: OddManner,
    /// How `hostile` harms.
    #[serde(default)]
    pub hostility: Hostility,
    /// What `says` says, as a zone file writes records, with full names; nothing when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub answer: String,
    /// What `says` says in the authority section, in the same way.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub authority: String,
    /// Whether `says` adds the signatures that the zone's keys make over these records.
    #[serde(default)]
    pub signed: bool,
    /// Whether `says` denies that the name exists.
    #[serde(default)]
    pub nxdomain: bool,
    /// Where the answers of `other_source` come from, a loopback address; 127.255.255.254 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<IpAddr>,
    /// What `reveals_version` says; nothing when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

impl FaultRule {
    /// The fault for all questions, with its other settings at their defaults.
    pub fn of(fault: Fault) -> Self {
        Self {
            fault,
            qname: None,
            qtype: None,
            transport: None,
            with: None,
            delay: None,
            referral: LameReferral::Upward,
            edns: EdnsManner::Ignores,
            manner: OddManner::default(),
            hostility: Hostility::default(),
            answer: String::new(),
            authority: String::new(),
            signed: false,
            nxdomain: false,
            from: None,
            text: String::new(),
        }
    }

    /// The same rule, only for questions that have `feature`.
    pub fn with(self, feature: Feature) -> Self {
        Self {
            with: Some(feature),
            ..self
        }
    }

    /// Stumbles over EDNS or an unusual question in this manner.
    pub fn odd(manner: OddManner) -> Self {
        Self {
            manner,
            ..Self::of(Fault::Odd)
        }
    }

    /// Harms whoever reads the answer in this way.
    pub fn hostile(hostility: Hostility) -> Self {
        Self {
            hostility,
            ..Self::of(Fault::Hostile)
        }
    }

    /// The same rule, only for questions for `qname` and the names below it.
    pub fn at(self, qname: Name) -> Self {
        Self {
            qname: Some(qname),
            ..self
        }
    }

    /// Whether the rule is about this question. `missing_ds` is about every question: its name is that of a child.
    pub(crate) fn is_about(&self, qname: &Name, qtype: Rtype, transport: Transport, features: &[Feature]) -> bool {
        self.fault == Fault::MissingDs
            || self.qname.as_ref().is_none_or(|name| qname.is_at_or_below(name))
                && self.qtype.is_none_or(|rtype| rtype == qtype)
                && self.transport.is_none_or(|only| only == transport)
                && self.with.is_none_or(|feature| features.contains(&feature))
    }

    /// The records of `answer` and of `authority`.
    pub(crate) fn records(&self) -> Result<[Vec<Record>; 2], ZoneFileError> {
        Ok([zone_file::records(&self.answer)?, zone_file::records(&self.authority)?])
    }

    /// Says what about the rule does not fit, if anything.
    pub(crate) fn contradiction(&self) -> Option<String> {
        if let Some(from) = self.from.filter(|from| !from.is_loopback()) {
            return Some(format!("{from} is not a loopback address"));
        }
        self.records().err().map(|error| format!("its answer, {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_read_and_print_the_same() {
        for fault in Fault::ALL {
            assert_eq!(fault.as_str().parse(), Ok(fault));
        }
    }

    #[test]
    fn an_unknown_fault_is_answered_with_the_known_ones() {
        let error = "asleep".parse::<Fault>().unwrap_err().to_string();
        assert!(
            error.starts_with("`asleep` is not a fault; faults are silent, slow, "),
            "{error}"
        );
        assert!(error.ends_with("reveals_version, wrong_class"), "{error}");
    }

    #[test]
    fn a_rule_is_about_its_name_and_those_below_its_type_and_its_feature() {
        let rule: FaultRule = toml::from_str("fault = 'refused'\nqname = 'a.test'\nqtype = 'DNSKEY'").unwrap();
        let is_about = |name: &str, rtype| rule.is_about(&name.parse().unwrap(), rtype, Transport::Udp, &[]);
        assert!(is_about("b.a.test", Rtype::DNSKEY));
        assert!(!is_about("b.a.test", Rtype::A));
        assert!(!is_about("test", Rtype::DNSKEY));
        let rule = rule.with(Feature::EdnsFlag);
        let is_about = |features| rule.is_about(&"a.test".parse().unwrap(), Rtype::DNSKEY, Transport::Udp, features);
        assert!(is_about(&[Feature::Capital, Feature::EdnsFlag]));
        assert!(!is_about(&[Feature::Capital]));
    }
}
