//! Findings in plain words: what was seen, why it matters, how to mend it, which standard says so.
//!
//! The English texts stand in TOML files beside this module: table = test case, below it one per tag, with
//! what the case's own table says (`why`, `rfc`) as the default. `{arg}` puts an argument in, `{arg:time}`
//! one that counts seconds. Each tag lists its `args`, so that a translator and a test know them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use model::Finding;
use serde::{Deserialize, Serialize};

use crate::profile::ANY_CASE;

const FILES: [(&str, &str); 11] = [
    ("any.toml", include_str!("any.toml")),
    ("basic.toml", include_str!("basic.toml")),
    ("cds.toml", include_str!("cds.toml")),
    ("connectivity.toml", include_str!("connectivity.toml")),
    ("consistency.toml", include_str!("consistency.toml")),
    ("delegation.toml", include_str!("delegation.toml")),
    ("denial.toml", include_str!("denial.toml")),
    ("dnssec.toml", include_str!("dnssec.toml")),
    ("keys.toml", include_str!("keys.toml")),
    ("nameserver.toml", include_str!("nameserver.toml")),
    ("zone.toml", include_str!("zone.toml")),
];

/// A finding in plain English words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Description {
    /// What was seen, in one sentence that names the servers.
    pub what: String,
    /// Why it matters; empty where it does not.
    pub why: String,
    /// How to mend it; empty where there is nothing to mend.
    pub mend: String,
    /// The standards it rests on, separated by `; `; empty where there is none.
    pub rfc: String,
}

/// The texts of one test case.
#[derive(Debug, Deserialize)]
struct CaseTexts {
    #[serde(default)]
    why: String,
    #[serde(default)]
    rfc: String,
    #[serde(flatten)]
    tags: BTreeMap<String, Texts>,
}

/// The texts of one tag.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    /// The arguments that the message carries.
    #[serde(default)]
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "for translators and for the test of the slots")
    )]
    args: Vec<String>,
    what: String,
    why: Option<String>,
    #[serde(default)]
    mend: String,
    rfc: Option<String>,
}

fn catalogue() -> &'static BTreeMap<String, CaseTexts> {
    static CATALOGUE: OnceLock<BTreeMap<String, CaseTexts>> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        let read = |(name, text): (&str, &str)| -> BTreeMap<String, CaseTexts> {
            toml::from_str(text).unwrap_or_else(|error| unreachable!("a test reads {name}: {error}"))
        };
        FILES.into_iter().flat_map(read).collect()
    })
}

/// Says a finding in plain words, with its arguments put in.
///
/// A tag without a text is a mistake of ours that a test looks for; it is shown with its arguments as they are.
pub fn describe(finding: &Finding) -> Description {
    let of = |case: &str| {
        catalogue()
            .get(case)
            .and_then(|texts| Some((texts, texts.tags.get(&finding.tag)?)))
    };
    let Some((case, texts)) = of(&finding.case).or_else(|| of(ANY_CASE)) else {
        let args: Vec<String> = finding
            .args
            .iter()
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        let what = format!("{} {}", finding.tag, args.join(", ")).trim_end().to_owned();
        return Description {
            what,
            why: String::new(),
            mend: String::new(),
            rfc: String::new(),
        };
    };
    Description {
        what: fill(&texts.what, &finding.args),
        why: texts.why.as_deref().unwrap_or(&case.why).to_owned(),
        mend: fill(&texts.mend, &finding.args),
        rfc: texts.rfc.as_deref().unwrap_or(&case.rfc).to_owned(),
    }
}

/// A piece of a text: plain, or a slot with its name and whether it counts seconds.
enum Piece<'t> {
    Plain(&'t str),
    Slot { name: &'t str, time: bool },
}

/// Cuts a text at its slots. Braces that hold no word of small letters are plain, such as those of a BIND option.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(open) = rest[from..].find('{').map(|at| from + at) {
        let inside = &rest[open + 1..];
        let slot = inside.find('}').map(|close| (&inside[..close], &inside[close + 1..]));
        let named = |slot: &str| {
            !slot.is_empty()
                && slot
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_:".contains(&byte))
        };
        match slot {
            Some((slot, after)) if named(slot) => {
                pieces.push(Piece::Plain(&rest[..open]));
                let (name, form) = slot.split_once(':').unwrap_or((slot, ""));
                pieces.push(Piece::Slot {
                    name,
                    time: form == "time",
                });
                (rest, from) = (after, 0);
            }
            _ => from = open + 1,
        }
    }
    pieces.push(Piece::Plain(rest));
    pieces
}

fn fill(text: &str, args: &BTreeMap<String, String>) -> String {
    pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Plain(text) => Cow::from(text),
            Piece::Slot { name, time } => match args.get(name) {
                None => Cow::from("(not known)"),
                Some(value) if value.is_empty() => Cow::from("none"),
                Some(value) if time => value.parse().map_or_else(|_| value.clone(), duration).into(),
                Some(value) => list(value).into(),
            },
        })
        .collect()
}

/// A list of arguments as people write it, with commas and "and".
///
/// Servers of one name come together: `ns1.example/192.0.2.1;ns1.example/2001:db8::1` is
/// `ns1.example (192.0.2.1, 2001:db8::1)`. `-` stands for data given for the test.
fn list(value: &str) -> String {
    let items: Vec<&str> = value.split(';').collect();
    let groups = items.chunk_by(|a, b| server(a).zip(server(b)).is_some_and(|((a, _), (b, _))| a == b));
    let groups = groups.map(|group| match (server(group[0]), group) {
        (Some((name, _)), servers) => {
            let addresses: Vec<&str> = servers.iter().filter_map(|text| Some(server(text)?.1)).collect();
            format!("{name} ({})", addresses.join(", "))
        }
        (None, ["-", ..]) => "the data given for this test".to_owned(),
        (None, others) => others.concat(),
    });
    let groups: Vec<String> = groups.collect();
    match groups.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// Name and address of a name server of the form `name/address`.
fn server(text: &str) -> Option<(&str, &str)> {
    let (name, address) = text.split_once('/')?;
    address.parse::<std::net::IpAddr>().is_ok().then_some((name, address))
}

/// Seconds in the largest units that count them exactly enough: `4 hours`, `1 day 12 hours`, `90 seconds`.
fn duration(seconds: i64) -> String {
    const UNITS: [(i64, &str); 4] = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    if seconds < 0 {
        return format!("minus {}", duration(seconds.saturating_neg()));
    }
    let largest = UNITS
        .iter()
        .position(|(unit, _)| seconds >= 2 * unit || (seconds >= *unit && seconds % unit == 0));
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (unit, name) in UNITS.iter().skip(largest.unwrap_or(UNITS.len() - 1)).take(2) {
        let count = rest / unit;
        rest %= unit;
        if count > 0 || (parts.is_empty() && seconds == 0) {
            parts.push(format!("{count} {name}{}", if count == 1 { "" } else { "s" }));
        }
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use model::Level;
    use proptest::prelude::*;

    use super::*;
    use crate::profile::Profile;

    fn finding(case: &str, tag: &str, args: &[(&str, &str)]) -> Finding {
        Finding {
            case: case.to_owned(),
            tag: tag.to_owned(),
            level: Level::Error,
            args: args
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn a_finding_reads_as_a_sentence_that_names_the_servers() {
        let servers = "ns1.example/192.0.2.1;ns1.example/2001:db8::1;ns2.example/192.0.2.2";
        let said = describe(&finding(
            "dnssec07",
            "DS07_UNEXP_RCODE_RESP_DNSKEY",
            &[("ns_list", servers), ("rcode", "SERVFAIL")],
        ));
        assert_eq!(
            said.what,
            "The question for the keys of the zone is answered with SERVFAIL by ns1.example (192.0.2.1, 2001:db8::1) \
             and ns2.example (192.0.2.2)."
        );
        assert!(!said.why.is_empty() && !said.mend.is_empty() && said.rfc.starts_with("RFC 4035"));
    }

    #[test]
    fn seconds_are_said_as_people_say_them() {
        let said = describe(&finding(
            "zone02",
            "REFRESH_MINIMUM_VALUE_LOWER",
            &[("refresh", "5400"), ("required_refresh", "14400")],
        ));
        assert_eq!(said.what, "SOA refresh is 90 minutes; 4 hours or more is advised.");
        for (seconds, expected) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (61, "61 seconds"),
            (120, "2 minutes"),
            (3_600, "1 hour"),
            (86_400, "1 day"),
            (129_600, "36 hours"),
            (216_000, "2 days 12 hours"),
            (604_800, "7 days"),
            (-60, "minus 1 minute"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }

    #[test]
    fn lists_read_as_people_write_them() {
        for (value, expected) in [
            ("", ""),
            ("a.example", "a.example"),
            ("a.example;b.example;c.example", "a.example, b.example and c.example"),
            ("192.0.2.1;2001:db8::1", "192.0.2.1 and 2001:db8::1"),
            (
                "a.example/192.0.2.1;b.example/192.0.2.1",
                "a.example (192.0.2.1) and b.example (192.0.2.1)",
            ),
            ("-", "the data given for this test"),
            ("no/address", "no/address"),
        ] {
            assert_eq!(list(value), expected);
        }
    }

    #[test]
    fn what_several_cases_say_has_one_text() {
        let said = describe(&finding("zone10", "NO_RESPONSE", &[("ns", "ns1.example/192.0.2.1")]));
        assert_eq!(said.what, "ns1.example (192.0.2.1) did not answer.");
    }

    #[test]
    fn a_tag_without_text_still_shows_what_it_carries() {
        let said = describe(&finding("zone99", "NEW_TAG", &[("ns", "a;b")]));
        assert_eq!(said.what, "NEW_TAG ns a;b");
    }

    #[test]
    fn every_message_has_its_text_and_every_text_its_message() {
        let profile = Profile::default();
        let levels: BTreeSet<(&str, &str)> = profile.messages().collect();
        let texts: BTreeSet<(&str, &str)> = catalogue()
            .iter()
            .flat_map(|(case, texts)| texts.tags.keys().map(|tag| (case.as_str(), tag.as_str())))
            .collect();
        assert_eq!(
            levels.difference(&texts).collect::<Vec<_>>(),
            Vec::<&(&str, &str)>::new(),
            "no text"
        );
        assert_eq!(
            texts.difference(&levels).collect::<Vec<_>>(),
            Vec::<&(&str, &str)>::new(),
            "no level"
        );
    }

    #[test]
    fn every_slot_is_an_argument_of_its_tag() {
        for (case, texts) in catalogue() {
            for (tag, texts) in &texts.tags {
                for piece in pieces(&texts.what).into_iter().chain(pieces(&texts.mend)) {
                    if let Piece::Slot { name, .. } = piece {
                        assert!(
                            texts.args.iter().any(|arg| arg == name),
                            "{case} {tag}: {{{name}}} is no argument"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_wrong_says_why_and_how_to_mend_it() {
        let profile = Profile::default();
        for (case, tag) in profile
            .messages()
            .filter(|(case, tag)| profile.level(case, tag) >= Level::Warning)
        {
            let said = describe(&finding(case, tag, &[]));
            assert!(!said.why.is_empty(), "{case} {tag} has no why");
            assert!(!said.mend.is_empty(), "{case} {tag} has no mend");
            assert!(said.rfc.contains("RFC "), "{case} {tag} has no standard");
            assert!(
                said.what.ends_with('.') && said.why.ends_with('.') && said.mend.ends_with('.'),
                "{case} {tag}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_arguments_can_be_put_in(value in ".{0,60}", text in ".{0,60}") {
            let args = [("ns_list".to_owned(), value.clone()), ("refresh".to_owned(), value)].into();
            fill("{ns_list} {refresh:time}", &args);
            fill(&text, &args);
        }

        #[test]
        fn any_number_of_seconds_can_be_said(seconds: i64) {
            prop_assert!(!duration(seconds).is_empty());
        }
    }
}
