//! The directory as CSV (RFC 4180, UTF-8): one row for each contact point, the organisation repeated on each.
//!
//! The first row names the columns, in any order; `handle`, `name`, `kind` and `region` must be there. A later row of the
//! same handle may leave the organisation's columns empty, but not contradict them. Lists are parted by spaces, things
//! somebody answers for by `;`: `zone:example.test=registry@2026-01-31;prefix:192.0.2.0/24=operator`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use super::import::{BadRow, Entry, Reading};
use super::profile::{Channel, Kind, Person, Profile, Purpose, Region, Responsibility};

const COLUMNS: [&str; 32] = [
    "handle",
    "name",
    "kind",
    "region",
    "country",
    "participation",
    "full_name",
    "host",
    "established_on",
    "address",
    "website",
    "constituency",
    "constituency_description",
    "member_since",
    "languages",
    "preferred_language",
    "time_zone",
    "hours",
    "remarks",
    "verified_on",
    "responsibilities",
    "person",
    "position",
    "person_languages",
    "person_verified_on",
    "channel_kind",
    "channel_value",
    "purpose",
    "emergency",
    "channel_hours",
    "channel_format",
    "channel_key",
];

/// The last column, apart because a channel is confirmed by itself.
const CHANNEL_VERIFIED_ON: &str = "channel_verified_on";

/// Columns of the organisation: the first 21.
const OWN: usize = 21;

pub(super) fn write(profiles: &[&Profile]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut put = |row: &[String]| {
        let cells = row.iter().map(|cell| guarded(cell).into_owned());
        writer.write_record(cells).expect("writing to memory does not fail");
    };
    put(&COLUMNS
        .iter()
        .chain([&CHANNEL_VERIFIED_ON])
        .map(|column| (*column).to_owned())
        .collect::<Vec<_>>());
    for profile in profiles {
        let own = own_cells(profile);
        let mut rows: Vec<Vec<String>> = Vec::new();
        for person in &profile.people {
            let channels: Vec<&Channel> = profile
                .channels
                .iter()
                .filter(|channel| channel.person == person.name)
                .collect();
            if channels.is_empty() {
                rows.push([person_cells(Some(person)), channel_cells(None)].concat());
            }
            for channel in channels {
                rows.push([person_cells(Some(person)), channel_cells(Some(channel))].concat());
            }
        }
        for channel in profile.channels.iter().filter(|channel| channel.person.is_empty()) {
            rows.push([person_cells(None), channel_cells(Some(channel))].concat());
        }
        if rows.is_empty() {
            rows.push([person_cells(None), channel_cells(None)].concat());
        }
        rows.into_iter().for_each(|row| put(&[own.clone(), row].concat()));
    }
    writer.into_inner().expect("writing to memory does not fail")
}

/// Signs at which a spreadsheet takes a cell for a formula, which could fetch or run something for whoever wrote it.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\''];

/// The cell with an apostrophe before what a spreadsheet would run. Telephone numbers stay as they are.
fn guarded(cell: &str) -> Cow<'_, str> {
    let number = cell.strip_prefix('+').is_some_and(|rest| {
        let digits = rest.starts_with(|sign: char| sign.is_ascii_digit());
        digits
            && rest
                .chars()
                .all(|sign| sign.is_ascii_digit() || " ()-./x".contains(sign))
    });
    if cell.starts_with(FORMULA) && !number {
        format!("'{cell}").into()
    } else {
        cell.into()
    }
}

fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'')
        .filter(|rest| rest.starts_with(FORMULA))
        .unwrap_or(cell)
}

fn own_cells(profile: &Profile) -> Vec<String> {
    vec![
        profile.handle.clone(),
        profile.name.clone(),
        profile.kind.to_string(),
        profile.region.to_string(),
        profile.country.clone(),
        profile.participation.to_string(),
        profile.full_name.clone(),
        profile.host.clone(),
        cell(profile.established_on.as_ref()),
        profile.address.clone(),
        profile.website.clone(),
        profile.constituency.clone(),
        profile.constituency_description.clone(),
        cell(profile.member_since.as_ref()),
        profile.languages.join(" "),
        profile.preferred_language.to_string(),
        profile.time_zone.clone(),
        cell(profile.hours.as_ref()),
        profile.remarks.clone(),
        cell(profile.verified_on.as_ref()),
        profile
            .responsibilities
            .iter()
            .map(responsibility_text)
            .collect::<Vec<_>>()
            .join(";"),
    ]
}

fn person_cells(person: Option<&Person>) -> Vec<String> {
    person.map_or_else(
        || vec![String::new(); 4],
        |person| {
            let languages = person.languages.join(" ");
            vec![
                person.name.clone(),
                person.position.clone(),
                languages,
                cell(person.verified_on.as_ref()),
            ]
        },
    )
}

fn channel_cells(channel: Option<&Channel>) -> Vec<String> {
    channel.map_or_else(
        || vec![String::new(); 8],
        |channel| {
            vec![
                channel.kind.to_string(),
                channel.value.clone(),
                channel.purpose.to_string(),
                if channel.emergency { "yes" } else { "no" }.to_owned(),
                cell(channel.hours.as_ref()),
                channel.format.clone(),
                channel.key.clone(),
                cell(channel.verified_on.as_ref()),
            ]
        },
    )
}

fn cell(value: Option<&impl Display>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

fn responsibility_text(responsibility: &Responsibility) -> String {
    let Responsibility {
        kind,
        value,
        role,
        verified_on,
    } = responsibility;
    let value = value.replace(';', "\\059");
    verified_on.map_or_else(
        || format!("{kind}:{value}={role}"),
        |on| format!("{kind}:{value}={role}@{on}"),
    )
}

pub(super) fn read(bytes: &[u8]) -> Reading {
    let mut reading = Reading::default();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let columns = match reader.headers() {
        Ok(names) => columns(names),
        Err(error) => Err(format!("the first row is not readable: {error}")),
    };
    let columns = match columns {
        Ok(columns) => columns,
        Err(reason) => {
            reading.bad.push(BadRow {
                line: Some(1),
                ..BadRow::whole(reason)
            });
            return reading;
        }
    };
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut firsts: Vec<HashMap<&'static str, String>> = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map(csv::Position::line);
                let reason = match error.kind() {
                    csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
                    _ => error.to_string(),
                };
                reading.bad.push(BadRow {
                    line,
                    ..BadRow::whole(reason)
                });
                continue;
            }
        };
        let line = line_of(bytes, record.position());
        let mut row = Row {
            columns: &columns,
            record: &record,
            line,
            bad: &mut reading.bad,
        };
        if record.len() != columns.len() {
            row.fault(
                "",
                format!(
                    "it has {} columns where the first row has {}",
                    record.len(),
                    columns.len()
                ),
            );
            continue;
        }
        let handle = row.text("handle");
        let place = match places.get(&handle) {
            Some(place) => *place,
            None => {
                let Some(profile) = row.profile() else { continue };
                places.insert(handle, reading.entries.len());
                reading.entries.push(Entry {
                    profile,
                    lines: vec![(String::new(), line)],
                });
                firsts.push(
                    COLUMNS[..OWN]
                        .iter()
                        .map(|column| (*column, row.text(column)))
                        .collect(),
                );
                firsts.len() - 1
            }
        };
        for column in &COLUMNS[..OWN] {
            let text = row.text(column);
            if !text.is_empty() && firsts[place].get(column) != Some(&text) {
                row.fault(column, "it differs from the first row of the organisation");
            }
        }
        let (person, channel) = (row.person(), row.channel());
        let Entry { profile, lines } = &mut reading.entries[place];
        if let Some(person) = person.filter(|person| !profile.people.contains(person)) {
            lines.push((format!("people[{}]", profile.people.len()), line));
            profile.people.push(person);
        }
        if let Some(channel) = channel {
            lines.push((format!("channels[{}]", profile.channels.len()), line));
            profile.channels.push(channel);
        }
    }
    reading
}

/// Column name → place, or what is wrong with the first row.
fn columns(names: &csv::StringRecord) -> Result<HashMap<String, usize>, String> {
    let mut columns = HashMap::new();
    for (place, name) in names.iter().enumerate() {
        let name = name.trim();
        if !COLUMNS.contains(&name) && name != CHANNEL_VERIFIED_ON {
            return Err(format!(
                "there is no column `{}`",
                name.chars().take(50).collect::<String>()
            ));
        }
        if columns.insert(name.to_owned(), place).is_some() {
            return Err(format!("the column `{name}` stands here twice"));
        }
    }
    match ["handle", "name", "kind", "region"]
        .into_iter()
        .find(|name| !columns.contains_key(*name))
    {
        Some(name) => Err(format!("the column `{name}` is missing")),
        None => Ok(columns),
    }
}

/// The line on which a record begins. The reader gives the line after the record before, empty lines not skipped.
fn line_of(bytes: &[u8], position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else { return 0 };
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX).min(bytes.len());
    let empty = bytes[start..]
        .iter()
        .take_while(|octet| matches!(octet, b'\r' | b'\n'))
        .filter(|octet| **octet == b'\n');
    position.line() + empty.count() as u64
}

/// The column in which a field of a profile stands: `channel_value` for `channels[2].value`.
pub(super) fn column_of(field: &str) -> String {
    let part = field
        .split_once(']')
        .map_or("", |(_, part)| part.trim_start_matches('.'));
    let list = field.split('[').next().unwrap_or_default();
    match (list, part) {
        ("people", "name") | ("channels", "person") => "person".to_owned(),
        ("people", "position") => "position".to_owned(),
        ("people", part) if !part.is_empty() => format!("person_{part}"),
        ("channels", part) if !part.is_empty() => format!("channel_{part}"),
        _ => list.to_owned(),
    }
}

struct Row<'a> {
    columns: &'a HashMap<String, usize>,
    record: &'a csv::StringRecord,
    line: u64,
    bad: &'a mut Vec<BadRow>,
}

impl Row<'_> {
    fn text(&self, column: &str) -> String {
        let place = self.columns.get(column);
        let cell = place.and_then(|place| self.record.get(*place)).unwrap_or_default();
        unguarded(cell.trim()).to_owned()
    }

    fn fault(&mut self, field: &str, reason: impl Display) {
        let (line, handle) = (Some(self.line), self.text("handle"));
        self.bad.push(BadRow {
            line,
            handle,
            field: field.to_owned(),
            reason: reason.to_string(),
        });
    }

    /// The value of a cell; an empty one is none, a wrong one is noted and none.
    fn value<T: FromStr<Err: Display>>(&mut self, column: &str) -> Option<T> {
        let text = self.text(column);
        if text.is_empty() {
            return None;
        }
        text.parse().map_err(|error: T::Err| self.fault(column, error)).ok()
    }

    /// As [`Row::value`] where something must stand.
    fn required<T: FromStr<Err: Display>>(&mut self, column: &str) -> Option<T> {
        if self.text(column).is_empty() {
            self.fault(column, "it is empty");
            return None;
        }
        self.value(column)
    }

    fn list(&self, column: &str) -> Vec<String> {
        self.text(column).split_whitespace().map(str::to_owned).collect()
    }

    fn profile(&mut self) -> Option<Profile> {
        let (kind, region): (Option<Kind>, Option<Region>) = (self.required("kind"), self.required("region"));
        let mut profile = Profile::new(&self.text("handle"), &self.text("name"), kind?, region?);
        profile.country = self.text("country");
        if let Some(participation) = self.value("participation") {
            profile.participation = participation;
        }
        profile.full_name = self.text("full_name");
        profile.host = self.text("host");
        profile.established_on = self.value("established_on");
        profile.address = self.text("address");
        profile.website = self.text("website");
        profile.constituency = self.text("constituency");
        profile.constituency_description = self.text("constituency_description");
        profile.member_since = self.value("member_since");
        profile.languages = self.list("languages");
        if let Some(language) = self.value("preferred_language") {
            profile.preferred_language = language;
        }
        if let Some(zone) = self.value("time_zone") {
            profile.time_zone = zone;
        }
        profile.hours = self.value("hours");
        profile.remarks = self.text("remarks");
        profile.verified_on = self.value("verified_on");
        for text in self
            .text("responsibilities")
            .split(';')
            .filter(|text| !text.trim().is_empty())
        {
            match responsibility(text.trim()) {
                Ok(responsibility) => profile.responsibilities.push(responsibility),
                Err(reason) => self.fault("responsibilities", reason),
            }
        }
        Some(profile)
    }

    fn person(&mut self) -> Option<Person> {
        let name = self.text("person");
        if name.is_empty() {
            return None;
        }
        let (position, languages) = (self.text("position"), self.list("person_languages"));
        Some(Person {
            name,
            position,
            languages,
            verified_on: self.value("person_verified_on"),
        })
    }

    fn channel(&mut self) -> Option<Channel> {
        if self.text("channel_kind").is_empty() && self.text("channel_value").is_empty() {
            return None;
        }
        let emergency = match self.text("emergency").as_str() {
            "yes" => true,
            "no" | "" => false,
            _ => {
                self.fault("emergency", "it is neither yes nor no");
                false
            }
        };
        Some(Channel {
            kind: self.required("channel_kind")?,
            value: self.text("channel_value"),
            purpose: self.value("purpose").unwrap_or(Purpose::General),
            person: self.text("person"),
            emergency,
            hours: self.value("channel_hours"),
            format: self.text("channel_format"),
            key: self.text("channel_key"),
            verified_on: self.value(CHANNEL_VERIFIED_ON),
        })
    }
}

fn responsibility(text: &str) -> Result<Responsibility, String> {
    let wrong = || format!("`{text}` is not like zone:example.test=registry@2026-01-31");
    let (kind, rest) = text.split_once(':').ok_or_else(wrong)?;
    let (value, rest) = rest.rsplit_once('=').ok_or_else(wrong)?;
    let (role, on) = rest.split_once('@').map_or((rest, None), |(role, on)| (role, Some(on)));
    Ok(Responsibility {
        kind: kind.trim().parse().map_err(|error| format!("{error}"))?,
        value: value.trim().to_owned(),
        role: role.trim().parse().map_err(|error| format!("{error}"))?,
        verified_on: on
            .map(|on| on.trim().parse().map_err(|error| format!("{error}")))
            .transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::profile::{ChannelKind, ResponsibilityKind, ResponsibilityRole};
    use super::*;

    #[test]
    fn a_spreadsheet_finds_no_formula_and_we_find_what_was_there() {
        for text in [
            "=1+1",
            "@SUM(A1)",
            "-x",
            "+x",
            "'=",
            "'quoted'",
            "+228 22 00 00 00",
            "plain",
            "",
        ] {
            let written = guarded(text);
            assert!(!written.starts_with(['=', '@', '-']), "{written}");
            assert_eq!(unguarded(&written), text);
        }
        assert_eq!(guarded("+228 22 00 00 00"), "+228 22 00 00 00");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut profile = Profile::new("example", "Example, \"quoted\"\u{200f}", Kind::Registry, Region::Af);
        profile.constituency_description = "two\nlines".to_owned();
        profile.languages = vec!["fr".to_owned(), "ee".to_owned()];
        profile.hours = "Mon-Fri 08:00-17:00".parse().ok();
        profile.verified_on = "2026-06-30".parse().ok();
        let person = |name: &str| Person {
            name: name.to_owned(),
            position: "engineer".to_owned(),
            languages: vec!["fr".to_owned()],
            verified_on: "2026-05-01".parse().ok(),
        };
        profile.people = vec![person("Ada"), person("Kofi")];
        let channel = |kind, value: &str, person: &str| Channel {
            kind,
            value: value.to_owned(),
            purpose: Purpose::Security,
            person: person.to_owned(),
            emergency: true,
            hours: Some(super::super::WeeklyHours::always()),
            format: "plain text".to_owned(),
            key: "A".repeat(40),
            verified_on: "2026-05-02".parse().ok(),
        };
        profile.channels = vec![
            channel(ChannelKind::Email, "ada@example.test", "Ada"),
            channel(ChannelKind::Phone, "+228 22 00 00 00", "Ada"),
            channel(ChannelKind::Email, "cert@example.test", ""),
        ];
        let responsibility = |kind, value: &str| Responsibility {
            kind,
            value: value.to_owned(),
            role: ResponsibilityRole::Registry,
            verified_on: "2026-01-31".parse().ok(),
        };
        profile.responsibilities = vec![
            responsibility(ResponsibilityKind::Zone, "example"),
            responsibility(ResponsibilityKind::Prefix, "2001:db8::/32"),
        ];
        let bare = Profile::new("bare", "Bare", Kind::Other, Region::Na);
        let reading = read(&write(&[&profile, &bare]));
        assert_eq!(reading.bad, Vec::new());
        let read: Vec<&Profile> = reading.entries.iter().map(|entry| &entry.profile).collect();
        assert_eq!(read, [&profile, &bare]);
    }
}
