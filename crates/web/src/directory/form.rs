//! An entry as a form: fields, and one line for each person, channel and responsibility, columns divided by `|`.

use csirt::directory::{Channel, Fault, Kind, Person, Profile, Region, Responsibility};
use model::Language;
use serde::Deserialize;

/// The form as typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Form {
    pub(super) handle: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) participation: String,
    pub(super) region: String,
    pub(super) country: String,
    pub(super) languages: String,
    pub(super) preferred_language: String,
    pub(super) time_zone: String,
    pub(super) hours: String,
    pub(super) website: String,
    pub(super) remarks: String,
    /// `name | position | languages`
    pub(super) people: String,
    /// `kind | value | purpose | person | emergency | hours | format | key`
    pub(super) channels: String,
    /// `kind | value | role`
    pub(super) responsibilities: String,
}

impl Form {
    /// The form for an entry as it stands.
    pub(super) fn of(profile: &Profile) -> Self {
        let line = |columns: &[&str]| columns.join(" | ").trim_end_matches([' ', '|']).to_owned();
        let people = profile
            .people
            .iter()
            .map(|person| line(&[&person.name, &person.position, &person.languages.join(" ")]));
        let channels = profile.channels.iter().map(|channel| {
            let hours = channel.hours.as_ref().map(ToString::to_string).unwrap_or_default();
            line(&[
                channel.kind.as_str(),
                &channel.value,
                channel.purpose.as_str(),
                &channel.person,
                if channel.emergency { "yes" } else { "" },
                &hours,
                &channel.format,
                &channel.key,
            ])
        });
        let responsibilities = profile.responsibilities.iter().map(|responsibility| {
            line(&[
                responsibility.kind.as_str(),
                &responsibility.value,
                responsibility.role.as_str(),
            ])
        });
        Self {
            handle: profile.handle.clone(),
            name: profile.name.clone(),
            kind: profile.kind.as_str().to_owned(),
            participation: profile.participation.as_str().to_owned(),
            region: profile.region.as_str().to_owned(),
            country: profile.country.clone(),
            languages: profile.languages.join(" "),
            preferred_language: profile.preferred_language.code().to_owned(),
            time_zone: profile.time_zone.clone(),
            hours: profile.hours.as_ref().map(ToString::to_string).unwrap_or_default(),
            website: profile.website.clone(),
            remarks: profile.remarks.clone(),
            people: people.collect::<Vec<_>>().join("\n"),
            channels: channels.collect::<Vec<_>>().join("\n"),
            responsibilities: responsibilities.collect::<Vec<_>>().join("\n"),
        }
    }

    /// The entry that was typed. What the form does not ask for, and the dates of confirmation of what is still the
    /// same, come from `old`. Faults name the field and what is wrong with it.
    pub(super) fn profile(&self, old: Option<&Profile>) -> Result<Profile, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut profile = match old {
            Some(old) => old.clone(),
            None => Profile::new(self.handle.trim(), "", Kind::Other, Region::Af),
        };
        profile.name = self.name.trim().to_owned();
        word(&self.kind, "kind", &mut profile.kind, &mut faults);
        word(
            &self.participation,
            "participation",
            &mut profile.participation,
            &mut faults,
        );
        word(&self.region, "region", &mut profile.region, &mut faults);
        profile.country = self.country.trim().to_uppercase();
        profile.languages = split(&self.languages);
        match Language::ALL
            .into_iter()
            .find(|language| language.code() == self.preferred_language)
        {
            Some(language) => profile.preferred_language = language,
            None => faults.push(fault("preferred_language", &"it is not one of the six")),
        }
        profile.time_zone = match self.time_zone.trim() {
            "" => "UTC".to_owned(),
            zone => zone.to_owned(),
        };
        profile.hours = optional(&self.hours, "hours", &mut faults);
        profile.website = self.website.trim().to_owned();
        profile.remarks = self.remarks.trim().to_owned();
        profile.people = lines(&self.people).map(|columns| person(&columns, old)).collect();
        profile.channels = lines(&self.channels)
            .filter_map(|columns| channel(&columns, old, &mut faults))
            .collect();
        profile.responsibilities = lines(&self.responsibilities)
            .filter_map(|columns| responsibility(&columns, old, &mut faults))
            .collect();
        faults.extend(csirt::directory::faults(&profile));
        if faults.is_empty() { Ok(profile) } else { Err(faults) }
    }
}

fn person(columns: &[&str], old: Option<&Profile>) -> Person {
    let name = column(columns, 0);
    let before = old.and_then(|old| old.people.iter().find(|person| person.name == name));
    Person {
        name: name.to_owned(),
        position: column(columns, 1).to_owned(),
        languages: split(column(columns, 2)),
        verified_on: before.and_then(|person| person.verified_on),
    }
}

fn channel(columns: &[&str], old: Option<&Profile>, faults: &mut Vec<Fault>) -> Option<Channel> {
    let kind = required(column(columns, 0), "channels", faults)?;
    let purpose = match column(columns, 2) {
        "" => csirt::directory::Purpose::General,
        text => required(text, "channels", faults)?,
    };
    let value = column(columns, 1).to_owned();
    let before = old.and_then(|old| {
        old.channels
            .iter()
            .find(|channel| channel.kind == kind && channel.value == value)
    });
    Some(Channel {
        kind,
        purpose,
        person: column(columns, 3).to_owned(),
        emergency: !matches!(column(columns, 4), "" | "no"),
        hours: optional(column(columns, 5), "channels", faults),
        format: column(columns, 6).to_owned(),
        key: column(columns, 7).to_owned(),
        verified_on: before.and_then(|channel| channel.verified_on),
        value,
    })
}

fn responsibility(columns: &[&str], old: Option<&Profile>, faults: &mut Vec<Fault>) -> Option<Responsibility> {
    let kind = required(column(columns, 0), "responsibilities", faults)?;
    let role = required(column(columns, 2), "responsibilities", faults)?;
    let value = column(columns, 1).to_owned();
    let before = old.and_then(|old| {
        old.responsibilities
            .iter()
            .find(|responsibility| responsibility.kind == kind && responsibility.value == value)
    });
    Some(Responsibility {
        kind,
        role,
        verified_on: before.and_then(|responsibility| responsibility.verified_on),
        value,
    })
}

fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.split('|').map(str::trim).collect())
}

fn column<'a>(columns: &[&'a str], at: usize) -> &'a str {
    columns.get(at).copied().unwrap_or("")
}

fn split(text: &str) -> Vec<String> {
    text.split([' ', ',', ';'])
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

fn word<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str, field: &str, into: &mut T, faults: &mut Vec<Fault>) {
    if let Some(value) = required(text, field, faults) {
        *into = value;
    }
}

fn required<T: std::str::FromStr<Err: std::fmt::Display>>(
    text: &str,
    field: &str,
    faults: &mut Vec<Fault>,
) -> Option<T> {
    text.trim()
        .parse()
        .map_err(|error| faults.push(fault(field, &error)))
        .ok()
}

fn optional<T: std::str::FromStr<Err: std::fmt::Display>>(
    text: &str,
    field: &str,
    faults: &mut Vec<Fault>,
) -> Option<T> {
    if text.trim().is_empty() {
        None
    } else {
        required(text, field, faults)
    }
}

fn fault(field: &str, reason: &dyn std::fmt::Display) -> Fault {
    Fault {
        field: field.to_owned(),
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn profile() -> Profile {
        let mut profile = Profile::new("example-registry", "Example Registry", Kind::Registry, Region::Af);
        profile.time_zone = "Africa/Lome".to_owned();
        profile.hours = Some("Mon-Fri 08:00-17:00".parse().unwrap());
        let form = Form {
            people: "Ama Mensah | head of operations | fr en".to_owned(),
            channels: "email | noc@registry.example | security\nphone | +22822000000 | general | Ama Mensah | yes"
                .to_owned(),
            responsibilities: "zone | example | registry\nprefix | 192.0.2.0/24 | operator".to_owned(),
            ..Form::of(&profile)
        };
        form.profile(Some(&profile)).unwrap()
    }

    #[test]
    fn an_entry_goes_into_the_form_and_comes_out_the_same() {
        let mut profile = profile();
        profile.channels[0].verified_on = Some(jiff::civil::date(2026, 11, 1));
        assert_eq!(Form::of(&profile).profile(Some(&profile)), Ok(profile));
    }

    #[test]
    fn a_wrong_line_names_its_field_and_keeps_the_rest_of_the_form() {
        let old = profile();
        let form = Form {
            channels: "pigeon | roof".to_owned(),
            hours: "always".to_owned(),
            ..Form::of(&old)
        };
        let faults = form.profile(Some(&old)).unwrap_err();
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["hours", "channels"]);
    }

    proptest! {
        #[test]
        fn any_form_is_an_entry_or_faults(a in any::<String>(), b in any::<String>(), c in any::<String>()) {
            let form = Form { name: a.clone(), people: b.clone(), channels: c.clone(), responsibilities: a, hours: b, time_zone: c, ..Form::of(&profile()) };
            prop_assert!(form.profile(None).is_ok() || form.profile(None).is_err_and(|faults| !faults.is_empty()));
        }
    }
}
