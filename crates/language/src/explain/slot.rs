//! Texts with slots: `{name}` puts an argument in as people write it, `{name:time}` one that counts seconds, and
//! `{name:outcome}` one that says how a question failed.

use std::borrow::Cow;
use std::collections::BTreeMap;

use model::Language;

use crate::{Text, texts};

/// A piece of a text: plain, or a slot with its name and how its argument is told.
enum Piece<'t> {
    Plain(&'t str),
    Slot { name: &'t str, form: &'t str },
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
                pieces.push(Piece::Slot { name, form });
                (rest, from) = (after, 0);
            }
            _ => from = open + 1,
        }
    }
    pieces.push(Piece::Plain(rest));
    pieces
}

/// The names of a text's slots.
#[cfg(test)]
pub(super) fn slots(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Plain(_) => None,
        Piece::Slot { name, .. } => Some(name),
    })
}

/// The text with its arguments put in, written as the language writes lists and lengths of time.
pub(super) fn fill(text: &str, args: &BTreeMap<String, String>, language: Language) -> String {
    let words = texts(language);
    // In a text from right to left, a name or an address that is put in must not turn the words around it.
    let isolate = |value: String| match language.direction() {
        "rtl" => format!("\u{2068}{value}\u{2069}"),
        _ => value,
    };
    pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Plain(text) => Cow::from(text),
            Piece::Slot { name, form } => match (args.get(name), form) {
                (None, _) => words.get("explain-not-known").into(),
                (Some(value), _) if value.is_empty() => words.get("explain-none").into(),
                (Some(value), "time") => {
                    let said = value.parse().map(|seconds| duration(seconds, words));
                    said.unwrap_or_else(|_| isolate(value.clone())).into()
                }
                (Some(value), "outcome") => match outcome(value) {
                    Some(id) => words.get(id).into(),
                    None => isolate(value.clone()).into(),
                },
                (Some(value), _) => list(value, words, isolate).into(),
            },
        })
        .collect()
}

/// A list of arguments as people write it.
///
/// Servers of one name come together: `ns1.example/192.0.2.1;ns1.example/2001:db8::1` is
/// `ns1.example (192.0.2.1, 2001:db8::1)`. `-` stands for data given for the test.
fn list(value: &str, words: &Text, isolate: impl Fn(String) -> String) -> String {
    let items: Vec<&str> = value.split(';').collect();
    let groups = items.chunk_by(|a, b| server(a).zip(server(b)).is_some_and(|((a, _), (b, _))| a == b));
    let groups = groups.map(|group| match (server(group[0]), group) {
        (Some((name, _)), servers) => {
            let addresses: Vec<&str> = servers.iter().filter_map(|text| Some(server(text)?.1)).collect();
            isolate(format!("{name} ({})", addresses.join(", ")))
        }
        (None, ["-", ..]) => words.get("explain-given-data"),
        (None, others) => isolate(others.concat()),
    });
    let groups: Vec<String> = groups.collect();
    match groups.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => {
            let comma = words.get("explain-comma");
            let others = others.join(comma.trim_matches('|'));
            words.format("explain-and", [("others", others.into()), ("last", last.into())])
        }
        None => String::new(),
    }
}

/// The text on a failure; an RCODE has none, it is a name of its own in every language.
fn outcome(value: &str) -> Option<&'static str> {
    match value {
        "timeout" => Some("explain-timeout"),
        "refused" => Some("explain-refused"),
        "unreachable" => Some("explain-unreachable"),
        "truncated" => Some("explain-truncated"),
        "malformed" => Some("explain-malformed"),
        _ => None,
    }
}

/// Name and address of a name server of the form `name/address`.
fn server(text: &str) -> Option<(&str, &str)> {
    let (name, address) = text.split_once('/')?;
    address.parse::<std::net::IpAddr>().is_ok().then_some((name, address))
}

/// Seconds in the largest units that count them exactly enough: `4 hours`, `1 day 12 hours`, `90 seconds`.
fn duration(seconds: i64, words: &Text) -> String {
    const UNITS: [(i64, &str); 4] = [
        (86_400, "explain-days"),
        (3_600, "explain-hours"),
        (60, "explain-minutes"),
        (1, "explain-seconds"),
    ];
    if seconds < 0 {
        let length = duration(seconds.saturating_neg(), words);
        return words.format("explain-minus", [("length", length.into())]);
    }
    let largest = UNITS
        .iter()
        .position(|(unit, _)| seconds >= 2 * unit || (seconds >= *unit && seconds % unit == 0));
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (unit, id) in UNITS.iter().skip(largest.unwrap_or(UNITS.len() - 1)).take(2) {
        let count = rest / unit;
        rest %= unit;
        if count > 0 || (parts.is_empty() && seconds == 0) {
            parts.push(words.format(id, [("count", count.into())]));
        }
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn english(text: &str, args: &[(&str, &str)]) -> String {
        let args = args
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        fill(text, &args.collect(), Language::English)
    }

    #[test]
    fn seconds_are_said_as_people_say_them() {
        for (seconds, expected) in [
            ("0", "0 seconds"),
            ("1", "1 second"),
            ("61", "61 seconds"),
            ("120", "2 minutes"),
            ("3600", "1 hour"),
            ("86400", "1 day"),
            ("129600", "36 hours"),
            ("216000", "2 days 12 hours"),
            ("604800", "7 days"),
            ("-60", "minus 1 minute"),
        ] {
            assert_eq!(english("{t:time}", &[("t", seconds)]), expected);
        }
    }

    #[test]
    fn lists_read_as_people_write_them() {
        for (value, expected) in [
            ("", "none"),
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
            assert_eq!(english("{names}", &[("names", value)]), expected);
        }
        assert_eq!(english("{names}", &[]), "(not known)");
    }

    #[test]
    fn a_failure_is_told_in_the_language_of_the_reader_and_an_rcode_by_its_name() {
        let told = |value: &str, language| {
            let args = [("trouble".to_owned(), value.to_owned())];
            fill("{trouble:outcome}", &args.into(), language)
        };
        for value in ["timeout", "refused", "unreachable", "truncated", "malformed"] {
            let texts: std::collections::BTreeSet<String> = Language::ALL
                .into_iter()
                .map(|language| told(value, language))
                .collect();
            assert_eq!(texts.len(), Language::ALL.len(), "{value}: {texts:?}");
            assert!(!texts.contains(value), "{value}");
        }
        assert_eq!(told("timeout", Language::English), "no answer in time");
        assert_eq!(told("SERVFAIL", Language::French), "SERVFAIL");
        assert_eq!(told("SERVFAIL", Language::Arabic), "\u{2068}SERVFAIL\u{2069}");
    }

    #[test]
    fn names_stand_by_themselves_in_a_text_from_right_to_left() {
        let args = [("ns".to_owned(), "a.example;b.example".to_owned())].into();
        let said = fill("{ns}", &args, Language::Arabic);
        assert!(
            said.contains("\u{2068}a.example\u{2069}") && said.contains("\u{2068}b.example\u{2069}"),
            "{said:?}"
        );
    }

    proptest! {
        #[test]
        fn any_arguments_can_be_put_in(value in ".{0,60}", text in ".{0,60}") {
            let args = [("ns_list".to_owned(), value.clone()), ("refresh".to_owned(), value)].into();
            for language in Language::ALL {
                fill("{ns_list} {refresh:time}", &args, language);
                fill(&text, &args, language);
            }
        }

        #[test]
        fn any_number_of_seconds_can_be_said(seconds: i64) {
            for language in Language::ALL {
                prop_assert!(!duration(seconds, texts(language)).is_empty());
            }
        }
    }
}
