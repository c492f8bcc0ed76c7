//! Whom to reach: organisations with people, channels and responsibilities, and the way from a name or address to them.
//!
//! An entry is one [`Profile`]: a form, an import file and the tables hold the same. [`route()`] answers who is responsible
//! for a target and why. Every change is noted field by field.

mod because;
mod check;
mod csv_file;
mod entity;
mod hours;
mod import;
mod json_file;
pub(crate) mod migration;
mod profile;
mod route;
mod store;

use jiff::civil::Date;
use model::{Id, Timestamp};
use sea_orm::ConnectionTrait;

pub use because::Because;
pub use check::{Fault, check_email, check_time_zone};
pub use hours::{HoursError, WeeklyHours};
pub use import::{BadRow, Format, Imported, Summary, export, import, parse};
pub use profile::{
    Channel, ChannelKind, Kind, Participation, Person, Profile, Purpose, Region, Responsibility, ResponsibilityKind,
    ResponsibilityRole,
};
pub use route::{Route, Router, Target, TargetError, route};

pub(crate) use route::Servers;

use crate::Error;
use crate::records::{Actor, Records};

/// An organisation of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// Its id.
    pub id: Id<Organisation>,
    /// All that is known of it.
    pub profile: Profile,
    /// When the entry was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
}

impl Organisation {
    /// The e-mail channel that is tried first.
    pub fn email(&self) -> Option<&Channel> {
        self.profile
            .channels_in_order()
            .into_iter()
            .find(|channel| channel.kind == ChannelKind::Email)
    }
}

/// One row of the index of responsibilities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Responsible {
    pub organisation: Id<Organisation>,
    pub kind: ResponsibilityKind,
    pub value: String,
    pub role: ResponsibilityRole,
}

/// A part of an entry that can be confirmed by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The entry as a whole.
    Entry,
    /// One of its people.
    Person {
        /// The person's name.
        name: String,
    },
    /// Its channels with this kind and value, for whatever purpose.
    Channel {
        /// The way.
        kind: ChannelKind,
        /// Address, number or URL.
        value: String,
    },
    /// One thing it answers for, in whatever role.
    Responsibility {
        /// What kind of thing.
        kind: ResponsibilityKind,
        /// Which one, in canonical form.
        value: String,
    },
}

/// All that is wrong with a profile; empty when [`create`] and [`update`] would take it.
pub fn faults(profile: &Profile) -> Vec<Fault> {
    check::canonical(profile).err().unwrap_or_default()
}

/// Adds an organisation. Fails with `Invalid` (the first of [`faults`]), or with `Conflict` when its handle is taken.
pub async fn create(records: &Records, actor: Actor, profile: &Profile) -> Result<Organisation, Error> {
    let profile = canonical(profile)?;
    let mut change = records.begin(actor).await?;
    if store::by_handle(change.db(), &profile.handle).await?.is_some() {
        return Err(Error::conflict(format!(
            "there is an organisation `{}`",
            profile.handle
        )));
    }
    let organisation = store::save(&mut change, None, profile).await?;
    change.commit().await?;
    Ok(organisation)
}

/// Replaces what is known of an organisation; parts not in `profile` go. Fails with `NotFound`, or with `Invalid` (the
/// first of [`faults`], or a handle that is not the old one).
pub async fn update(
    records: &Records,
    actor: Actor,
    id: Id<Organisation>,
    profile: &Profile,
) -> Result<Organisation, Error> {
    let profile = canonical(profile)?;
    let mut change = records.begin(actor).await?;
    let old = require(change.db(), id).await?;
    if old.profile.handle != profile.handle {
        return Err(Error::invalid("handle", "it never changes"));
    }
    let organisation = store::save(&mut change, Some(&old), profile).await?;
    change.commit().await?;
    Ok(organisation)
}

/// Notes that a part of an entry was confirmed on this day. Fails with `NotFound` when there is no such part.
pub async fn verify(
    records: &Records,
    actor: Actor,
    id: Id<Organisation>,
    part: &Part,
    on: Date,
) -> Result<Organisation, Error> {
    let mut change = records.begin(actor).await?;
    let old = require(change.db(), id).await?;
    let mut profile = old.profile.clone();
    let dates: Vec<&mut Option<Date>> = match part {
        Part::Entry => vec![&mut profile.verified_on],
        Part::Person { name } => profile
            .people
            .iter_mut()
            .filter(|person| person.name == *name)
            .map(|person| &mut person.verified_on)
            .collect(),
        Part::Channel { kind, value } => profile
            .channels
            .iter_mut()
            .filter(|channel| channel.kind == *kind && channel.value == *value)
            .map(|channel| &mut channel.verified_on)
            .collect(),
        Part::Responsibility { kind, value } => profile
            .responsibilities
            .iter_mut()
            .filter(|responsibility| responsibility.kind == *kind && responsibility.value == *value)
            .map(|responsibility| &mut responsibility.verified_on)
            .collect(),
    };
    if dates.is_empty() {
        return Err(Error::NotFound {
            what: format!("{part:?} of `{}`", profile.handle),
        });
    }
    dates.into_iter().for_each(|date| *date = Some(on));
    let organisation = store::save(&mut change, Some(&old), profile).await?;
    change.commit().await?;
    Ok(organisation)
}

/// The organisation with this id. Fails with `NotFound`.
pub async fn get(records: &Records, id: Id<Organisation>) -> Result<Organisation, Error> {
    require(records.db(), id).await
}

/// The organisation with this handle, or `None`.
pub async fn by_handle(records: &Records, handle: &str) -> Result<Option<Organisation>, Error> {
    store::by_handle(records.db(), handle).await
}

/// All organisations by handle.
pub async fn list(records: &Records) -> Result<Vec<Organisation>, Error> {
    store::all(records.db()).await
}

/// The organisations in which all words of `words` are found: in names, handle, country, people, channels or
/// responsibilities, whatever the case.
pub async fn search(records: &Records, words: &str) -> Result<Vec<Organisation>, Error> {
    let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    let mut found = list(records).await?;
    found.retain(|organisation| {
        let text = searchable(&organisation.profile);
        words.iter().all(|word| text.contains(word.as_str()))
    });
    Ok(found)
}

/// The organisation with this id within a change. Fails with `NotFound`.
pub(crate) async fn require(db: &impl ConnectionTrait, id: Id<Organisation>) -> Result<Organisation, Error> {
    store::by_id(db, id)
        .await?
        .ok_or_else(|| Error::not_found("organisation", id))
}

fn canonical(profile: &Profile) -> Result<Profile, Error> {
    check::canonical(profile).map_err(|faults| match faults.into_iter().next() {
        Some(Fault { field, reason }) => Error::Invalid { field, reason },
        None => Error::invalid("profile", "it is not right"),
    })
}

fn searchable(profile: &Profile) -> String {
    let own = [
        &profile.handle,
        &profile.name,
        &profile.full_name,
        &profile.country,
        &profile.host,
    ];
    let people = profile.people.iter().map(|person| &person.name);
    let channels = profile.channels.iter().map(|channel| &channel.value);
    let responsibilities = profile
        .responsibilities
        .iter()
        .map(|responsibility| &responsibility.value);
    let texts: Vec<&str> = own
        .into_iter()
        .chain(people)
        .chain(channels)
        .chain(responsibilities)
        .map(String::as_str)
        .collect();
    texts.join("\n").to_lowercase()
}
