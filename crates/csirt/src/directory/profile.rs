//! What the directory says of an organisation, with its people, channels and responsibilities.
//!
//! [`Profile`] is at once what a form fills, what a file holds and what the tables keep. The fields cover those of the
//! FIRST team directory and of TLD-OPS. Parts are known by what they say (a person by the name, a channel by kind, value and
//! purpose), so the same file read twice changes nothing.

use jiff::civil::Date;
use model::Language;
use serde::{Deserialize, Serialize};

use super::hours::WeeklyHours;
use crate::word::words;

words! {
    /// What an organisation is.
    pub enum Kind {
        /// Runs a top-level domain or another public suffix.
        Registry = "registry",
        /// Registers names for others.
        Registrar = "registrar",
        /// Runs authoritative name servers.
        Operator = "operator",
        /// Runs resolvers for many.
        ResolverOperator = "resolver_operator",
        /// Makes DNS software.
        Vendor = "vendor",
        /// A national or governmental incident response team.
        NationalCert = "national_cert",
        /// Holds names.
        Registrant = "registrant",
        /// None of these.
        Other = "other",
    }
}

words! {
    /// How far an organisation takes part in the centre.
    pub enum Participation {
        /// Receives and answers.
        Participant = "participant",
        /// Works with the centre in cases.
        Collaborator = "collaborator",
        /// Lends people or measuring points.
        Operational = "operational",
        /// Has a voice in the centre's policy.
        Policy = "policy",
    }
}

words! {
    /// ICANN's five regions.
    pub enum Region {
        /// Africa.
        Af = "AF",
        /// Asia, Australia, Pacific.
        Ap = "AP",
        /// Europe.
        Eu = "EU",
        /// Latin America and the Caribbean.
        Lac = "LAC",
        /// North America.
        Na = "NA",
    }
}

words! {
    /// The way on which a message goes.
    pub enum ChannelKind {
        /// Electronic mail.
        Email = "email",
        /// A telephone number.
        Phone = "phone",
        /// A number or name on Signal.
        Signal = "signal",
        /// A room or person on Matrix.
        Matrix = "matrix",
        /// A web form, by its URL.
        WebForm = "web_form",
        /// An address for letters.
        Postal = "postal",
        /// A telefax number.
        Fax = "fax",
        /// Something else, said in words.
        Other = "other",
    }
}

words! {
    /// What a channel is for, most fitting for us first.
    pub enum Purpose {
        /// Incidents and vulnerabilities.
        Security = "security",
        /// Abuse of names or addresses.
        Abuse = "abuse",
        /// Operation of servers.
        Technical = "technical",
        /// Everything else.
        General = "general",
    }
}

words! {
    /// What somebody can answer for.
    pub enum ResponsibilityKind {
        /// A zone and the names in it.
        Zone = "zone",
        /// A name server, by name or by address.
        NameServer = "name_server",
        /// An address prefix.
        Prefix = "prefix",
        /// A registrar's number at IANA.
        RegistrarId = "registrar_id",
    }
}

words! {
    /// As what somebody answers for it, in the order in which they are asked.
    pub enum ResponsibilityRole {
        /// Runs it.
        Operator = "operator",
        /// Holds it.
        Registrant = "registrant",
        /// Registered it.
        Registrar = "registrar",
        /// Keeps the register.
        Registry = "registry",
        /// Takes complaints about it.
        Abuse = "abuse",
    }
}

/// All that the directory says of one organisation. In JSON exactly this, with empty parts left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Short name that never changes and by which files know the organisation: `example-registry`. Letters a-z, digits, `-`,
    /// `_`, `.`; at most 64.
    pub handle: String,
    /// The name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// How far it takes part.
    #[serde(default = "participant")]
    pub participation: Participation,
    /// Its region.
    pub region: Region,
    /// Two letters (ISO 3166-1), or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub country: String,
    /// The official name where it is longer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub full_name: String,
    /// The organisation it belongs to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// Since when it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub established_on: Option<Date>,
    /// Address for letters, on one line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// Its pages.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub website: String,
    /// Whom it serves, in a few words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub constituency: String,
    /// Whom it serves, at length.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub constituency_description: String,
    /// Since when it takes part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_since: Option<Date>,
    /// Languages spoken there (BCP 47 tags).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// The one of our six in which it is written to.
    #[serde(default)]
    pub preferred_language: Language,
    /// IANA time zone.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// When somebody is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<WeeklyHours>,
    /// What one must know before writing: cautions, customs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remarks: String,
    /// When the entry was last confirmed with the organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_on: Option<Date>,
    /// The people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
    /// The ways to reach the organisation and its people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
    /// What it answers for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub responsibilities: Vec<Responsibility>,
}

/// Somebody at an organisation. Known by the name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The name as the person writes it.
    pub name: String,
    /// What the person does there.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub position: String,
    /// Languages the person speaks (BCP 47 tags), best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// When the person last confirmed to be reachable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_on: Option<Date>,
}

/// One way to reach an organisation or one of its people. Known by person, kind, value and purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// The way.
    pub kind: ChannelKind,
    /// Address, number or URL.
    pub value: String,
    /// What it is for.
    #[serde(default = "general")]
    pub purpose: Purpose,
    /// Name of the person whose channel it is; empty when it is the organisation's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub person: String,
    /// Whether it may be used at any hour in an emergency.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub emergency: bool,
    /// When it is attended; none where the organisation's hours hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<WeeklyHours>,
    /// What is accepted there: `plain text, at most 5 MB`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub format: String,
    /// Fingerprint of the OpenPGP key, in hexadecimal without spaces.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// When it was last seen to work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_on: Option<Date>,
}

/// Something an organisation answers for. Known by kind, value and role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Responsibility {
    /// What kind of thing.
    pub kind: ResponsibilityKind,
    /// Which one: a name as A-labels, an address, a prefix, a number.
    pub value: String,
    /// As what.
    pub role: ResponsibilityRole,
    /// When this was last confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_on: Option<Date>,
}

fn participant() -> Participation {
    Participation::Participant
}

fn general() -> Purpose {
    Purpose::General
}

fn utc() -> String {
    "UTC".to_owned()
}

impl Profile {
    /// A profile with what every organisation must have; all else is empty.
    pub fn new(handle: &str, name: &str, kind: Kind, region: Region) -> Self {
        Self {
            handle: handle.to_owned(),
            name: name.to_owned(),
            kind,
            participation: participant(),
            region,
            country: String::new(),
            full_name: String::new(),
            host: String::new(),
            established_on: None,
            address: String::new(),
            website: String::new(),
            constituency: String::new(),
            constituency_description: String::new(),
            member_since: None,
            languages: Vec::new(),
            preferred_language: Language::default(),
            time_zone: utc(),
            hours: None,
            remarks: String::new(),
            verified_on: None,
            people: Vec::new(),
            channels: Vec::new(),
            responsibilities: Vec::new(),
        }
    }

    /// The channels in the order in which we try them: e-mail before the rest, then by purpose (security, abuse, technical,
    /// general), the organisation's before a person's, those seen to work more lately first.
    pub fn channels_in_order(&self) -> Vec<&Channel> {
        let mut channels: Vec<&Channel> = self.channels.iter().collect();
        channels.sort_by_key(|channel| {
            let since = std::cmp::Reverse(channel.verified_on);
            (
                channel.kind,
                channel.purpose,
                !channel.person.is_empty(),
                since,
                channel.value.clone(),
            )
        });
        channels
    }
}

impl Channel {
    /// Its key within an organisation.
    pub(super) fn key(&self) -> (String, ChannelKind, String, Purpose) {
        (self.person.clone(), self.kind, self.value.clone(), self.purpose)
    }
}

impl Responsibility {
    /// Its key within an organisation.
    pub(super) fn key(&self) -> (ResponsibilityKind, String, ResponsibilityRole) {
        (self.kind, self.value.clone(), self.role)
    }
}
