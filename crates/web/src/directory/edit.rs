//! Changing an entry, making one, and confirming that what it says is still so.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::directory::{self, Fault, Kind, Organisation, Part, Participation, Region};
use jiff::tz::TimeZone;
use model::Language;
use serde::Deserialize;

use super::form::Form;
use super::kind_text;
use crate::{App, Page, Posted, WebError, shell};

#[derive(Template)]
#[template(path = "directory/edit.html")]
struct Edit {
    page: Page,
    /// The entry that is changed; none when one is made.
    organisation: Option<Organisation>,
    form: Form,
    faults: Vec<Fault>,
    kinds: Vec<(String, String)>,
    participations: Vec<(String, String)>,
    regions: Vec<(String, String)>,
    languages: Vec<(String, String)>,
}

impl Edit {
    fn new(page: Page, organisation: Option<Organisation>, form: Form, faults: Vec<Fault>) -> Self {
        Self {
            kinds: Kind::ALL
                .iter()
                .map(|kind| (kind.to_string(), page.t(kind_text(*kind))))
                .collect(),
            participations: Participation::ALL
                .iter()
                .map(|one| (one.to_string(), page.t(format!("directory-participation-{one}"))))
                .collect(),
            regions: Region::ALL
                .iter()
                .map(|one| {
                    (
                        one.to_string(),
                        page.t(format!("directory-region-{}", one.as_str().to_lowercase())),
                    )
                })
                .collect(),
            languages: Language::ALL
                .map(|language| (language.code().to_owned(), language.endonym().to_owned()))
                .to_vec(),
            page,
            organisation,
            form,
            faults,
        }
    }
}

/// `GET /directory/new`.
pub async fn new(State(_): State<App>, page: Page) -> Result<Response, WebError> {
    page.right(Capability::EditDirectory)?;
    let form = Form {
        kind: Kind::Registry.to_string(),
        participation: Participation::Participant.to_string(),
        preferred_language: page.language.code().to_owned(),
        time_zone: "UTC".to_owned(),
        ..Form::default()
    };
    shell::show(Edit::new(page, None, form, Vec::new()))
}

/// `POST /directory/new`.
pub async fn create(State(app): State<App>, page: Page, Posted(form): Posted<Form>) -> Result<Response, WebError> {
    page.right(Capability::EditDirectory)?;
    let profile = match form.profile(None) {
        Ok(profile) => profile,
        Err(faults) => return again(page, None, form, faults),
    };
    match directory::create(&app.records, page.actor()?, &profile).await {
        Ok(organisation) => shell::see_other(
            &format!("/directory/{}", organisation.id),
            Some("directory-said-created"),
        ),
        Err(error) => refused(page, None, form, error),
    }
}

/// `GET /directory/{id}/edit`.
pub async fn edit(State(app): State<App>, page: Page, Path(id): Path<String>) -> Result<Response, WebError> {
    page.right(Capability::EditDirectory)?;
    let organisation = directory::get(&app.records, super::parse(&id)?).await?;
    let form = Form::of(&organisation.profile);
    shell::show(Edit::new(page, Some(organisation), form, Vec::new()))
}

/// `POST /directory/{id}/edit`.
pub async fn update(
    State(app): State<App>,
    page: Page,
    Path(id): Path<String>,
    Posted(form): Posted<Form>,
) -> Result<Response, WebError> {
    page.right(Capability::EditDirectory)?;
    let organisation = directory::get(&app.records, super::parse(&id)?).await?;
    let profile = match form.profile(Some(&organisation.profile)) {
        Ok(profile) => profile,
        Err(faults) => return again(page, Some(organisation), form, faults),
    };
    match directory::update(&app.records, page.actor()?, organisation.id, &profile).await {
        Ok(organisation) => shell::see_other(
            &format!("/directory/{}", organisation.id),
            Some("directory-said-changed"),
        ),
        Err(error) => refused(page, Some(organisation), form, error),
    }
}

fn refused(
    page: Page,
    organisation: Option<Organisation>,
    form: Form,
    error: csirt::Error,
) -> Result<Response, WebError> {
    match error {
        csirt::Error::Invalid { field, reason } => again(page, organisation, form, vec![Fault { field, reason }]),
        csirt::Error::Conflict { reason } => again(
            page,
            organisation,
            form,
            vec![Fault {
                field: "handle".to_owned(),
                reason,
            }],
        ),
        other => Err(other.into()),
    }
}

fn again(page: Page, organisation: Option<Organisation>, form: Form, faults: Vec<Fault>) -> Result<Response, WebError> {
    shell::show_with(
        StatusCode::UNPROCESSABLE_ENTITY,
        Edit::new(page, organisation, form, faults),
    )
}

/// Which part is confirmed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Verify {
    /// `entry`, `person`, `channel` or `responsibility`.
    part: String,
    /// Kind of channel or responsibility.
    kind: String,
    /// The person's name, or the value.
    value: String,
}

/// `POST /directory/{id}/verify`: what is chosen was confirmed today.
pub async fn verify(
    State(app): State<App>,
    page: Page,
    Path(id): Path<String>,
    Posted(form): Posted<Verify>,
) -> Result<Response, WebError> {
    page.right(Capability::EditDirectory)?;
    let id = super::parse(&id)?;
    let wrong = || WebError::Invalid(form.kind.clone());
    let part = match form.part.as_str() {
        "person" => Part::Person { name: form.value },
        "channel" => Part::Channel {
            kind: form.kind.parse().map_err(|_| wrong())?,
            value: form.value,
        },
        "responsibility" => Part::Responsibility {
            kind: form.kind.parse().map_err(|_| wrong())?,
            value: form.value,
        },
        _ => Part::Entry,
    };
    let today = page.now.to_zoned(TimeZone::UTC).date();
    directory::verify(&app.records, page.actor()?, id, &part, today).await?;
    shell::see_other(&format!("/directory/{id}"), Some("directory-said-confirmed"))
}
