//! Whether a profile is right, and its one canonical form. Every fault is named, not only the first.

use std::collections::BTreeSet;
use std::net::IpAddr;

use model::{Name, Prefix};

use super::profile::{Channel, ChannelKind, Person, Profile, Responsibility, ResponsibilityKind};

/// Longest text of a field in characters; longer ones are somebody's slip or somebody's attack.
const LINE_CHARS: usize = 300;

/// Longest free text.
const TEXT_CHARS: usize = 5_000;

/// Most parts of one kind in one organisation.
const PARTS: usize = 10_000;

/// A field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which: `channels[2].value`.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Fault {
    pub(super) fn new(field: impl Into<String>, reason: impl std::fmt::Display) -> Self {
        Self {
            field: field.into(),
            reason: reason.to_string(),
        }
    }
}

/// The profile in canonical form: trimmed, sorted, names as A-labels, addresses and prefixes as they are printed.
pub(super) fn canonical(profile: &Profile) -> Result<Profile, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut new = profile.clone();
    trim(&mut new);
    let mut expect = |field: &str, result: Result<(), String>| {
        if let Err(reason) = result {
            faults.push(Fault::new(field, reason));
        }
    };
    expect("handle", handle(&new.handle));
    expect("name", line(&new.name, 1));
    for (field, text) in [
        ("full_name", &new.full_name),
        ("host", &new.host),
        ("address", &new.address),
        ("constituency", &new.constituency),
    ] {
        expect(field, line(text, 0));
    }
    expect("constituency_description", text(&new.constituency_description));
    expect("remarks", text(&new.remarks));
    expect("country", country(&new.country));
    if !new.website.is_empty() {
        expect("website", url(&new.website));
    }
    expect("time_zone", time_zone(&new.time_zone));
    expect("languages", languages(&new.languages));
    for (field, count) in [
        ("people", new.people.len()),
        ("channels", new.channels.len()),
        ("responsibilities", new.responsibilities.len()),
    ] {
        expect(
            field,
            if count > PARTS {
                Err(format!("more than {PARTS}"))
            } else {
                Ok(())
            },
        );
    }
    people(&new.people, &mut faults);
    channels(&mut new.channels, &new.people, &mut faults);
    responsibilities(&mut new.responsibilities, &mut faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    new.people.sort();
    new.channels.sort_by_key(Channel::key);
    new.responsibilities.sort_by_key(Responsibility::key);
    Ok(new)
}

fn trim(profile: &mut Profile) {
    let lines = [
        &mut profile.handle,
        &mut profile.name,
        &mut profile.country,
        &mut profile.full_name,
        &mut profile.host,
        &mut profile.address,
        &mut profile.website,
        &mut profile.constituency,
        &mut profile.constituency_description,
        &mut profile.time_zone,
        &mut profile.remarks,
    ];
    let people = profile
        .people
        .iter_mut()
        .flat_map(|person| [&mut person.name, &mut person.position]);
    let channels = profile.channels.iter_mut().flat_map(|channel| {
        [
            &mut channel.value,
            &mut channel.person,
            &mut channel.format,
            &mut channel.key,
        ]
    });
    for text in lines.into_iter().chain(people).chain(channels) {
        if text.trim().len() < text.len() {
            *text = text.trim().to_owned();
        }
    }
    profile.country.make_ascii_uppercase();
}

fn people(people: &[Person], faults: &mut Vec<Fault>) {
    let mut names = BTreeSet::new();
    for (place, person) in people.iter().enumerate() {
        let mut expect = |field: &str, result: Result<(), String>| {
            if let Err(reason) = result {
                faults.push(Fault::new(format!("people[{place}].{field}"), reason));
            }
        };
        expect("name", line(&person.name, 1));
        expect("position", line(&person.position, 0));
        expect("languages", languages(&person.languages));
        expect(
            "name",
            if names.insert(&person.name) {
                Ok(())
            } else {
                Err("the person stands here twice".to_owned())
            },
        );
    }
}

fn channels(channels: &mut [Channel], people: &[Person], faults: &mut Vec<Fault>) {
    let mut keys = BTreeSet::new();
    for (place, channel) in channels.iter_mut().enumerate() {
        let mut expect = |field: &str, result: Result<(), String>| {
            if let Err(reason) = result {
                faults.push(Fault::new(format!("channels[{place}].{field}"), reason));
            }
        };
        channel.key.retain(|sign| sign != ' ');
        channel.key.make_ascii_uppercase();
        expect("value", channel_value(channel.kind, &channel.value));
        expect("format", line(&channel.format, 0));
        let hexadecimal = channel.key.bytes().all(|sign| sign.is_ascii_hexdigit());
        let right = channel.key.is_empty() || (hexadecimal && matches!(channel.key.len(), 40 | 64));
        expect(
            "key",
            if right {
                Ok(())
            } else {
                Err("it is not a fingerprint of 40 or 64 hexadecimal digits".to_owned())
            },
        );
        let known = channel.person.is_empty() || people.iter().any(|person| person.name == channel.person);
        expect(
            "person",
            if known {
                Ok(())
            } else {
                Err(format!("`{}` is not among the people", channel.person))
            },
        );
        let new = keys.insert(channel.key());
        expect(
            "value",
            if new {
                Ok(())
            } else {
                Err("the channel stands here twice".to_owned())
            },
        );
    }
}

fn channel_value(kind: ChannelKind, value: &str) -> Result<(), String> {
    match kind {
        ChannelKind::Email => check_email(value),
        ChannelKind::Phone | ChannelKind::Fax => phone(value),
        ChannelKind::WebForm => url(value),
        ChannelKind::Signal | ChannelKind::Matrix | ChannelKind::Postal | ChannelKind::Other => line(value, 1),
    }
}

fn responsibilities(responsibilities: &mut [Responsibility], faults: &mut Vec<Fault>) {
    let mut keys = BTreeSet::new();
    for (place, responsibility) in responsibilities.iter_mut().enumerate() {
        let field = format!("responsibilities[{place}].value");
        match canonical_value(responsibility.kind, &responsibility.value) {
            Ok(value) => responsibility.value = value,
            Err(reason) => faults.push(Fault::new(&field, reason)),
        }
        if !keys.insert(responsibility.key()) {
            faults.push(Fault::new(&field, "the responsibility stands here twice"));
        }
    }
}

/// The one form in which a value is kept and looked up.
fn canonical_value(kind: ResponsibilityKind, value: &str) -> Result<String, String> {
    let name = |value: &str| {
        value
            .parse::<Name>()
            .map(|name| name.to_string())
            .map_err(|error| error.to_string())
    };
    match kind {
        ResponsibilityKind::Zone => name(value),
        ResponsibilityKind::NameServer => match value.trim().parse::<IpAddr>() {
            Ok(address) => Ok(address.to_canonical().to_string()),
            Err(_) => name(value),
        },
        ResponsibilityKind::Prefix => value
            .parse::<Prefix>()
            .map(|prefix| prefix.to_canonical().to_string())
            .map_err(|error| error.to_string()),
        ResponsibilityKind::RegistrarId => match value.trim().parse::<u32>() {
            Ok(number) => Ok(number.to_string()),
            Err(_) => Err(format!("`{value}` is not a registrar's number")),
        },
    }
}

fn handle(text: &str) -> Result<(), String> {
    let good = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || "-_.".contains(sign);
    if text.is_empty() || text.len() > 64 || !text.chars().all(good) {
        return Err("it must be 1 to 64 letters a-z, digits, or - _ .".to_owned());
    }
    Ok(())
}

fn line(text: &str, least: usize) -> Result<(), String> {
    let length = text.chars().count();
    if length < least || length > LINE_CHARS || text.chars().any(char::is_control) {
        return Err(format!("it must be {least} to {LINE_CHARS} characters on one line"));
    }
    Ok(())
}

fn text(text: &str) -> Result<(), String> {
    let good = |sign: char| !sign.is_control() || sign == '\n' || sign == '\t' || sign == '\r';
    if text.chars().count() > TEXT_CHARS || !text.chars().all(good) {
        return Err(format!(
            "it must be at most {TEXT_CHARS} characters without control characters"
        ));
    }
    Ok(())
}

fn country(text: &str) -> Result<(), String> {
    if text.is_empty() || (text.len() == 2 && text.bytes().all(|sign| sign.is_ascii_uppercase())) {
        return Ok(());
    }
    Err("it must be the two letters of a country (ISO 3166-1)".to_owned())
}

fn languages(tags: &[String]) -> Result<(), String> {
    for tag in tags {
        let good = tag
            .split('-')
            .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|s| s.is_ascii_alphanumeric()));
        let primary = tag.split('-').next().unwrap_or_default();
        if !good
            || !(2..=8).contains(&primary.len())
            || tag.len() > 35
            || !primary.bytes().all(|s| s.is_ascii_alphabetic())
        {
            return Err(format!("`{tag}` is not a language tag (BCP 47)"));
        }
    }
    Ok(())
}

fn phone(text: &str) -> Result<(), String> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let good = text.starts_with('+')
        && text[1..]
            .bytes()
            .all(|sign| sign.is_ascii_digit() || b" ()-./x".contains(&sign));
    // ITU-T E.164: at most 15 digits; more for an extension.
    if good && (6..=21).contains(&digits) {
        return Ok(());
    }
    Err("it must be an international number like +228 22 00 00 00".to_owned())
}

fn url(text: &str) -> Result<(), String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    if host.is_some_and(|host| !host.is_empty()) && !text.contains(char::is_whitespace) {
        return line(text, 1);
    }
    Err("it must begin with https:// or http:// and hold no spaces".to_owned())
}

/// Whether it is an address to which mail can go (RFC 5321 §4.1.2, without quoted local parts and address literals).
pub fn check_email(text: &str) -> Result<(), String> {
    let wrong = || Err("it is not a mail address like security@example.net".to_owned());
    let Some((local, domain)) = text.rsplit_once('@') else {
        return wrong();
    };
    let good = |sign: char| sign.is_alphanumeric() || (sign.is_ascii() && "!#$%&'*+-/=?^_`{|}~.".contains(sign));
    if local.is_empty() || local.len() > 64 || text.len() > 254 || !local.chars().all(good) {
        return wrong();
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return wrong();
    }
    let label = |sign: char| sign.is_alphanumeric() || sign == '-' || sign == '.';
    match domain.parse::<Name>() {
        Ok(name) if !name.is_root() && domain.chars().all(label) => Ok(()),
        _ => wrong(),
    }
}

/// Whether it is an IANA time zone.
pub fn check_time_zone(text: &str) -> Result<(), String> {
    time_zone(text)
}

fn time_zone(text: &str) -> Result<(), String> {
    match jiff::tz::TimeZone::get(text) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("`{text}` is not an IANA time zone like Africa/Lome")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::profile::{Kind, Purpose, Region, ResponsibilityRole};
    use super::*;

    #[test]
    fn mail_addresses() {
        for good in ["a@b.example", "security+dns@example.net", "ада@пример.испытание"] {
            assert_eq!(check_email(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "a b@c.example",
            "a@b c",
            "a..b@c.example",
            "a@.",
            "a@b\r\nBcc: c@d",
            "<a@b.c>",
        ] {
            assert!(check_email(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_fault_is_named() {
        let mut profile = Profile::new("Not A Handle", " ", Kind::Registry, Region::Af);
        profile.country = "TGO".to_owned();
        profile.time_zone = "Lome".to_owned();
        profile.channels.push(Channel {
            kind: ChannelKind::Email,
            value: "nowhere".to_owned(),
            purpose: Purpose::Abuse,
            person: "Nobody".to_owned(),
            emergency: false,
            hours: None,
            format: String::new(),
            key: "abc".to_owned(),
            verified_on: None,
        });
        profile.responsibilities.push(Responsibility {
            kind: ResponsibilityKind::Prefix,
            value: "192.0.2.1/24".to_owned(),
            role: ResponsibilityRole::Operator,
            verified_on: None,
        });
        let faults = canonical(&profile).unwrap_err();
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        let all = [
            "handle",
            "name",
            "country",
            "time_zone",
            "channels[0].value",
            "channels[0].key",
            "channels[0].person",
            "responsibilities[0].value",
        ];
        assert_eq!(fields, all);
    }

    proptest! {
        #[test]
        fn what_is_canonical_stays_so(name in ".{0,40}", value in "(.{0,40}|[a-z0-9.:/@+ ]{1,30})", kind in 0_usize..4, way in 0_usize..8) {
            let mut profile = Profile::new("example", &name, Kind::Other, Region::Eu);
            profile.responsibilities.push(Responsibility {
                kind: ResponsibilityKind::ALL[kind],
                value: value.clone(),
                role: ResponsibilityRole::Operator,
                verified_on: None,
            });
            profile.channels.push(Channel {
                kind: ChannelKind::ALL[way],
                value,
                purpose: Purpose::General,
                person: String::new(),
                emergency: false,
                hours: None,
                format: String::new(),
                key: String::new(),
                verified_on: None,
            });
            if let Ok(once) = canonical(&profile) {
                prop_assert_eq!(canonical(&once).unwrap(), once);
            }
        }
    }
}
