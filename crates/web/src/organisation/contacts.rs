//! How we reach an organisation: people and channels, changed and confirmed by itself.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use csirt::accounts::Capability;
use csirt::directory::{self, Channel, Part, Person, Profile};
use jiff::tz::TimeZone;
use model::Language;
use serde::Deserialize;

use super::{Typed, again, own};
use crate::{App, Errors, Page, Posted, WebError, shell};

/// Routes of the contacts.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/organisation/confirm", post(confirm))
        .route("/organisation/language", post(set_language))
        .route("/organisation/channels", post(add_channel))
        .route("/organisation/channels/remove", post(remove_channel))
        .route("/organisation/people", post(add_person))
        .route("/organisation/people/remove", post(remove_person))
}

/// Notes that everything in the entry was found right today.
async fn confirm(
    State(app): State<App>,
    page: Page,
    _form: Posted<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    page.require(Capability::EditOwnOrganisation)?;
    let organisation = own(&app, &page).await?;
    let mut profile = organisation.profile.clone();
    let today = page.now.to_zoned(TimeZone::UTC).date();
    profile
        .people
        .iter_mut()
        .for_each(|person| person.verified_on = Some(today));
    profile
        .channels
        .iter_mut()
        .for_each(|channel| channel.verified_on = Some(today));
    directory::update(&app.records, page.actor()?, organisation.id, &profile).await?;
    directory::verify(&app.records, page.actor()?, organisation.id, &Part::Entry, today).await?;
    shell::see_other("/organisation", Some("organisation-said-confirmed"))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NewLanguage {
    language: String,
}

async fn set_language(
    State(app): State<App>,
    page: Page,
    Posted(typed): Posted<NewLanguage>,
) -> Result<Response, WebError> {
    let Ok(language) = typed.language.parse::<Language>() else {
        return Err(WebError::Invalid("no such language".to_owned()));
    };
    change(&app, page, Typed::default(), |profile| {
        profile.preferred_language = language;
        Ok(())
    })
    .await
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ChannelForm {
    kind: String,
    value: String,
    purpose: String,
    person: String,
}

async fn add_channel(
    State(app): State<App>,
    page: Page,
    Posted(typed): Posted<ChannelForm>,
) -> Result<Response, WebError> {
    let form = Typed {
        kind: typed.kind.clone(),
        value: typed.value.clone(),
        purpose: typed.purpose.clone(),
        person: typed.person.clone(),
        ..Typed::default()
    };
    change(&app, page, form, |profile| {
        let wrong = ("value", "organisation-error-channel");
        profile.channels.push(Channel {
            kind: typed.kind.parse().map_err(|_| wrong)?,
            value: typed.value.trim().to_owned(),
            purpose: typed.purpose.parse().map_err(|_| wrong)?,
            person: typed.person.trim().to_owned(),
            emergency: false,
            hours: None,
            format: String::new(),
            key: String::new(),
            verified_on: None,
        });
        Ok(())
    })
    .await
}

async fn remove_channel(
    State(app): State<App>,
    page: Page,
    Posted(typed): Posted<ChannelForm>,
) -> Result<Response, WebError> {
    change(&app, page, Typed::default(), |profile| {
        let is_meant = |channel: &Channel| {
            channel.kind.as_str() == typed.kind
                && channel.value == typed.value
                && channel.purpose.as_str() == typed.purpose
                && channel.person == typed.person
        };
        if profile.channels.iter().filter(|channel| !is_meant(channel)).count() == 0 {
            return Err(("value", "organisation-error-last-channel"));
        }
        profile.channels.retain(|channel| !is_meant(channel));
        Ok(())
    })
    .await
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PersonForm {
    person_name: String,
    position: String,
}

async fn add_person(
    State(app): State<App>,
    page: Page,
    Posted(typed): Posted<PersonForm>,
) -> Result<Response, WebError> {
    let form = Typed {
        person_name: typed.person_name.clone(),
        position: typed.position.clone(),
        ..Typed::default()
    };
    change(&app, page, form, |profile| {
        let name = typed.person_name.trim();
        if name.is_empty() || profile.people.iter().any(|person| person.name == name) {
            return Err(("person_name", "organisation-error-person"));
        }
        let position = typed.position.trim().to_owned();
        profile.people.push(Person {
            name: name.to_owned(),
            position,
            languages: Vec::new(),
            verified_on: None,
        });
        Ok(())
    })
    .await
}

/// Takes a person with the person's own channels away.
async fn remove_person(
    State(app): State<App>,
    page: Page,
    Posted(typed): Posted<PersonForm>,
) -> Result<Response, WebError> {
    change(&app, page, Typed::default(), |profile| {
        if profile
            .channels
            .iter()
            .filter(|channel| channel.person != typed.person_name)
            .count()
            == 0
        {
            return Err(("value", "organisation-error-last-channel"));
        }
        profile.people.retain(|person| person.name != typed.person_name);
        profile.channels.retain(|channel| channel.person != typed.person_name);
        Ok(())
    })
    .await
}

/// Changes the entry by `edit`; what the records find wrong with it is shown beside the form's first field.
async fn change(
    app: &App,
    page: Page,
    form: Typed,
    edit: impl FnOnce(&mut Profile) -> Result<(), (&'static str, &'static str)>,
) -> Result<Response, WebError> {
    page.require(Capability::EditOwnOrganisation)?;
    let organisation = own(app, &page).await?;
    let mut profile = organisation.profile.clone();
    let mut errors = Errors::default();
    if let Err((field, text)) = edit(&mut profile) {
        errors.add(field, text);
    } else if let Some(fault) = directory::faults(&profile).first() {
        match fault.field.starts_with("people") {
            true => errors.add("person_name", "organisation-error-person"),
            false => errors.add("value", "organisation-error-channel"),
        }
    }
    if !errors.is_empty() {
        return again(app, page, form, errors).await;
    }
    directory::update(&app.records, page.actor()?, organisation.id, &profile).await?;
    shell::see_other("/organisation", Some("organisation-said-saved"))
}
