//! What is done to vantage points: one registered, given another token, revoked.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::directory;
use csirt::vantage::{self, Coordinates, Place, Profile, Terms};
use model::Tlp;
use serde::Deserialize;

use super::{find, list};
use crate::{App, Errors, Page, Posted, WebError, shell};

/// A vantage point as typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct RegisterForm {
    pub(super) name: String,
    pub(super) area: String,
    pub(super) country: String,
    pub(super) city: String,
    pub(super) coordinates: String,
    pub(super) network: String,
    pub(super) asn: String,
    /// `both`, `4` or `6`.
    pub(super) families: String,
    /// Handle of an organisation.
    pub(super) organisation: String,
    /// `probe` or `sensor`.
    pub(super) does: String,
    /// Terms of a sensor.
    pub(super) owner: String,
    pub(super) licence: String,
    pub(super) tlp: String,
    pub(super) legal_basis: String,
}

#[derive(Template)]
#[template(path = "vantage/token.html")]
struct Token {
    page: Page,
    name: String,
    secret: String,
    is_sensor: bool,
}

impl Token {
    /// What is run on the machine of the vantage point.
    fn command(&self) -> String {
        let (centre, name) = (&self.page.settings.public_url, &self.name);
        match self.is_sensor {
            false => format!("dnscert probe --centre {centre} --token {name}.token"),
            true => format!("dnscert sensor --centre {centre} --token {name}.token --dnstap /run/dnstap.sock"),
        }
    }
}

/// `POST /vantage`: registers one. The token is shown on the answer to this and never again.
pub async fn register(
    State(app): State<App>,
    page: Page,
    Posted(form): Posted<RegisterForm>,
) -> Result<Response, WebError> {
    page.right(Capability::EditWatchList)?;
    let mut errors = Errors::default();
    let region = form
        .area
        .parse()
        .map_err(|_| errors.add("area", "vantage-error-region"))
        .ok();
    let coordinates = form
        .coordinates
        .parse::<Coordinates>()
        .map_err(|_| errors.add("coordinates", "vantage-error-coordinates"))
        .ok();
    let asn = match form.asn.trim().trim_start_matches("AS") {
        "" => None,
        digits => digits.parse().map_err(|_| errors.add("asn", "vantage-error-asn")).ok(),
    };
    let operator = match form.organisation.trim() {
        "" => None,
        handle => {
            let found = directory::by_handle(&app.records, &crate::paging::sought(handle)).await?;
            if found.is_none() {
                errors.add("organisation", "zone-error-organisation");
            }
            found.map(|found| found.id)
        }
    };
    if let (Some(region), Some(coordinates), true) = (region, coordinates, errors.is_empty()) {
        let profile = Profile {
            name: form.name.clone(),
            operator,
            place: Place {
                region,
                country: form.country.clone(),
                city: form.city.clone(),
                coordinates,
            },
            network: form.network.clone(),
            asn,
            ipv4: form.families != "6",
            ipv6: form.families != "4",
        };
        let actor = page.actor()?;
        let made = match form.does.as_str() {
            // what stands in the form's list is read; a label that does not is the narrowest
            "sensor" => {
                let terms = Terms {
                    owner: form.owner.clone(),
                    licence: form.licence.clone(),
                    tlp: form.tlp.parse().unwrap_or(Tlp::Red),
                    legal_basis: form.legal_basis.clone(),
                };
                vantage::create_sensor(&app.records, actor, profile, terms).await
            }
            _ => vantage::create(&app.records, actor, profile).await,
        };
        match made {
            Ok((made, secret)) => {
                return shell::show(Token {
                    page,
                    name: made.profile.name,
                    secret: secret.reveal().to_owned(),
                    is_sensor: made.terms.is_some(),
                });
            }
            Err(csirt::Error::Invalid { field, .. }) if matches!(&*field, "owner" | "licence" | "legal_basis") => {
                errors.add(&field, "vantage-error-terms");
            }
            Err(csirt::Error::Conflict { .. }) => errors.add("name", "vantage-error-taken"),
            Err(csirt::Error::Invalid { field, .. }) => errors.add(&field, &format!("vantage-error-{field}")),
            Err(error) => return Err(error.into()),
        }
    }
    list::shown(&app, page, "", form, errors).await
}

/// A form that only says "do it".
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Plain {}

/// `POST /vantage/{name}/token`: another token, shown on the answer; the one before stops working.
pub async fn renew(
    State(app): State<App>,
    page: Page,
    Path(name): Path<String>,
    Posted(_): Posted<Plain>,
) -> Result<Response, WebError> {
    page.right(Capability::EditWatchList)?;
    let found = find(&app, &name).await?;
    let secret = vantage::renew_token(&app.records, page.actor()?, found.id).await?;
    shell::show(Token {
        page,
        is_sensor: found.terms.is_some(),
        name: found.profile.name,
        secret: secret.reveal().to_owned(),
    })
}

/// `POST /vantage/{name}/revoke`.
pub async fn revoke(
    State(app): State<App>,
    page: Page,
    Path(name): Path<String>,
    Posted(_): Posted<Plain>,
) -> Result<Response, WebError> {
    page.right(Capability::EditWatchList)?;
    let found = find(&app, &name).await?;
    vantage::revoke(&app.records, page.actor()?, found.id).await?;
    shell::see_other("/vantage", Some("vantage-said-revoked"))
}
