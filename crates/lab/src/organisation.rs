//! The organisations of a world, in the form of a directory.

use model::Language;
use serde::{Deserialize, Serialize};

/// An invented organisation with its contacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// Id within the world: `registry-north`.
    pub id: String,
    /// Its name, in its own language.
    pub name: String,
    /// What it is.
    pub kind: OrganisationKind,
    /// Country code (ISO 3166-1 alpha-2, user-assigned ones: XA to XZ).
    pub country: String,
    /// Region.
    pub region: Region,
    /// Time zone (IANA name).
    pub time_zone: String,
    /// Hours in which somebody answers, local time: `mon-fri 08:00-17:00` or `24x7`.
    pub hours: String,
    /// Languages in which it can be written to, the preferred one first.
    pub languages: Vec<Language>,
    /// Mail and telephone of the organisation as such.
    pub channels: Vec<Channel>,
    /// Its people.
    pub people: Vec<Person>,
    /// What it answers for.
    pub responsibilities: Vec<Responsibility>,
}

/// What an organisation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrganisationKind {
    /// Runs a top-level domain's register.
    Registry,
    /// Registers names for others.
    Registrar,
    /// Runs name servers or networks for others.
    Operator,
    /// Holds names of its own.
    Registrant,
    /// A national CERT.
    NationalCert,
}

/// ICANN's regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Region {
    /// Africa.
    Af,
    /// Asia, Australia and the Pacific.
    Ap,
    /// Europe.
    Eu,
    /// Latin America and the Caribbean.
    Lac,
    /// North America.
    Na,
}

/// A way to reach an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Which way.
    pub kind: ChannelKind,
    /// Mail address, telephone number (E.164 with spaces) or URL.
    pub value: String,
}

/// Ways to reach people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// Electronic mail.
    Email,
    /// Telephone.
    Phone,
    /// A page with a form.
    Web,
}

/// Somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Name, in its own script.
    pub name: String,
    /// Function in the organisation.
    pub role: String,
    /// Mail address, under an example domain.
    pub email: String,
    /// Telephone number from a range set aside for fiction.
    pub phone: String,
    /// Preferred language.
    pub language: Language,
}

/// Something that an organisation answers for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Responsibility {
    /// What kind of thing.
    pub kind: ResponsibilityKind,
    /// The thing: a zone, an NS name, a prefix in CIDR form, or a registrar id.
    pub value: String,
    /// In which capacity: `registry`, `registrar`, `operator`, `registrant`, `national_cert`.
    pub role: OrganisationKind,
}

/// Kinds of things that organisations answer for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponsibilityKind {
    /// A zone and all below it that nobody else answers for.
    Zone,
    /// A name server.
    NameServer,
    /// An address prefix.
    Prefix,
    /// A registrar's id in the registries.
    RegistrarId,
}
