//! What a centre would have gathered over months, from a world: its directory, watch list and accounts.

use anyhow::Context as _;
use csirt::accounts::{self, Account, Role};
use csirt::directory::{
    self, Channel, ChannelKind, Kind, Person, Profile, Purpose, Region, Responsibility, ResponsibilityKind,
    ResponsibilityRole, WeeklyHours,
};
use csirt::watch::{self, Watch};
use csirt::{Actor, Records};
use lab::Lab;
use lab::organisation as world;

use crate::commands::{create_account, new_account};

/// Password of all ready-made accounts. The demo listens on loopback unless it is told otherwise, and says so when it does.
pub const PASSWORD: &str = "atlas-demo-2026";

/// The ready-made logins.
pub const LOGINS: [(&str, Role); 4] = [
    ("officer", Role::DutyOfficer),
    ("admin", Role::Admin),
    ("augmenter", Role::Augmenter),
    ("observer", Role::Observer),
];

/// Makes what is missing. Returns the duty officer.
pub async fn seed(records: &Records, lab: &Lab, interval_secs: u32) -> anyhow::Result<Account> {
    for organisation in lab.organisations() {
        let profile = profile(organisation).with_context(|| format!("organisation `{}`", organisation.id))?;
        let known = directory::by_handle(records, &profile.handle)
            .await
            .context("reading the directory")?;
        if known.is_none() {
            directory::create(records, Actor::System, &profile)
                .await
                .with_context(|| format!("entering `{}` in the directory", profile.name))?;
        }
    }
    seed_watch_list(records, lab, interval_secs).await?;
    for (name, role) in LOGINS {
        if accounts::by_name(records, name)
            .await
            .context("reading the accounts")?
            .is_none()
        {
            create_account(records, new_account(name, role, PASSWORD)).await?;
        }
    }
    accounts::by_name(records, "officer")
        .await
        .context("reading the accounts")?
        .context("the duty officer is missing")
}

async fn seed_watch_list(records: &Records, lab: &Lab, interval_secs: u32) -> anyhow::Result<()> {
    // The root is no zone of the watch list: it has no parent that delegates it.
    for zone in lab.zones().into_iter().filter(|zone| !zone.is_root()) {
        let Some(expected) = lab.delegation(&zone) else {
            continue;
        };
        if watch::by_zone(records, &zone)
            .await
            .context("reading the watch list")?
            .is_some()
        {
            continue;
        }
        // A zone that nobody in the directory answers for is no constituent's: the attacker's own, say.
        let owner = lab
            .organisations()
            .iter()
            .find(|organisation| answers_for(organisation, &zone.to_string()));
        let Some(owner) = owner else { continue };
        let organisation = directory::by_handle(records, &owner.id)
            .await
            .context("reading the directory")?;
        let new = Watch {
            expected: Some(expected),
            interval_secs,
            region: Some(region(owner.region)),
            organisation: organisation.map(|organisation| organisation.id),
            ..Watch::new(zone.clone())
        };
        watch::add(records, Actor::System, &new)
            .await
            .with_context(|| format!("watching {zone}"))?;
    }
    Ok(())
}

fn answers_for(organisation: &world::Organisation, zone: &str) -> bool {
    organisation
        .responsibilities
        .iter()
        .any(|responsibility| responsibility.kind == world::ResponsibilityKind::Zone && responsibility.value == zone)
}

/// An organisation of a world as the directory keeps it.
fn profile(organisation: &world::Organisation) -> anyhow::Result<Profile> {
    let mut profile = Profile::new(
        &organisation.id,
        &organisation.name,
        kind(organisation.kind),
        region(organisation.region),
    );
    profile.country.clone_from(&organisation.country);
    profile.time_zone.clone_from(&organisation.time_zone);
    profile.hours = Some(hours(&organisation.hours)?);
    profile.languages = organisation
        .languages
        .iter()
        .map(|language| language.code().to_owned())
        .collect();
    profile.preferred_language = organisation.languages.first().copied().unwrap_or_default();
    let channel = |kind, value: &str, purpose, person: &str| Channel {
        kind,
        value: value.to_owned(),
        purpose,
        person: person.to_owned(),
        emergency: false,
        hours: None,
        format: String::new(),
        key: String::new(),
        verified_on: None,
    };
    for given in &organisation.channels {
        let kind = match given.kind {
            world::ChannelKind::Email => ChannelKind::Email,
            world::ChannelKind::Phone => ChannelKind::Phone,
            world::ChannelKind::Web => ChannelKind::WebForm,
        };
        profile
            .channels
            .push(channel(kind, &given.value, Purpose::Security, ""));
    }
    for person in &organisation.people {
        profile.people.push(Person {
            name: person.name.clone(),
            position: person.role.clone(),
            languages: vec![person.language.code().to_owned()],
            verified_on: None,
        });
        profile.channels.push(channel(
            ChannelKind::Email,
            &person.email,
            Purpose::Technical,
            &person.name,
        ));
        profile.channels.push(channel(
            ChannelKind::Phone,
            &person.phone,
            Purpose::Technical,
            &person.name,
        ));
    }
    for responsibility in &organisation.responsibilities {
        profile.responsibilities.push(Responsibility {
            kind: match responsibility.kind {
                world::ResponsibilityKind::Zone => ResponsibilityKind::Zone,
                world::ResponsibilityKind::NameServer => ResponsibilityKind::NameServer,
                world::ResponsibilityKind::Prefix => ResponsibilityKind::Prefix,
                world::ResponsibilityKind::RegistrarId => ResponsibilityKind::RegistrarId,
            },
            value: responsibility.value.clone(),
            role: match responsibility.role {
                world::OrganisationKind::Registry => ResponsibilityRole::Registry,
                world::OrganisationKind::Registrar => ResponsibilityRole::Registrar,
                world::OrganisationKind::Operator => ResponsibilityRole::Operator,
                world::OrganisationKind::Registrant => ResponsibilityRole::Registrant,
                world::OrganisationKind::NationalCert => ResponsibilityRole::Abuse,
            },
            verified_on: None,
        });
    }
    Ok(profile)
}

/// `mon-fri 08:00-17:00` and `24x7` as the directory writes them.
fn hours(text: &str) -> anyhow::Result<WeeklyHours> {
    if text == "24x7" {
        return Ok(WeeklyHours::always());
    }
    text.parse().with_context(|| format!("hours `{text}`"))
}

fn kind(kind: world::OrganisationKind) -> Kind {
    match kind {
        world::OrganisationKind::Registry => Kind::Registry,
        world::OrganisationKind::Registrar => Kind::Registrar,
        world::OrganisationKind::Operator => Kind::Operator,
        world::OrganisationKind::Registrant => Kind::Registrant,
        world::OrganisationKind::NationalCert => Kind::NationalCert,
    }
}

fn region(region: world::Region) -> Region {
    match region {
        world::Region::Af => Region::Af,
        world::Region::Ap => Region::Ap,
        world::Region::Eu => Region::Eu,
        world::Region::Lac => Region::Lac,
        world::Region::Na => Region::Na,
    }
}
