//! What is done to the watch list: a zone added, changed, removed; what is seen accepted; a change announced.

use axum::extract::{Path, State};
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::directory;
use csirt::watch::{self, NewAnnouncement, Watch, WatchedZone, announcement};
use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::{Name, Timestamp};
use serde::Deserialize;

use super::list::{self, Wanted};
use super::{path, planned, show};
use crate::{App, Errors, Page, Posted, WebError, shell};

/// A zone to be watched, as typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct AddForm {
    pub(super) zone: String,
    pub(super) interval: String,
    pub(super) area: String,
    /// Handle of an organisation.
    pub(super) organisation: String,
}

/// `POST /zones`: puts a zone on the watch list. What its parent says at first sight is to be confirmed by a person.
pub async fn add(State(app): State<App>, page: Page, Posted(form): Posted<AddForm>) -> Result<Response, WebError> {
    page.right(Capability::EditWatchList)?;
    let mut errors = Errors::default();
    let zone = form
        .zone
        .parse::<Name>()
        .map_err(|_| errors.add("zone", "zone-error-name"))
        .ok();
    let interval_secs = interval(&form.interval, &mut errors);
    let organisation = match form.organisation.trim() {
        "" => None,
        handle => {
            let found = directory::by_handle(&app.records, &crate::paging::sought(handle)).await?;
            if found.is_none() {
                errors.add("organisation", "zone-error-organisation");
            }
            found.map(|found| found.id)
        }
    };
    if let (Some(zone), true) = (zone, errors.is_empty()) {
        let watch = Watch {
            interval_secs,
            organisation,
            region: form.area.parse().ok(),
            ..Watch::new(zone)
        };
        match watch::add(&app.records, page.actor()?, &watch).await {
            Err(csirt::Error::Conflict { .. }) => errors.add("zone", "zone-error-there"),
            other => {
                let added = other?;
                return shell::see_other(&path(&added.watch.zone), Some("zone-said-added"));
            }
        }
    }
    list::shown(&app, page, Wanted::default(), form, errors).await
}

fn interval(text: &str, errors: &mut Errors) -> u32 {
    match text.trim() {
        "" => watch::DEFAULT_INTERVAL_SECS,
        text => match text.parse() {
            Ok(seconds) if (watch::MIN_INTERVAL_SECS..=watch::MAX_INTERVAL_SECS).contains(&seconds) => seconds,
            _ => {
                errors.add("interval", "zone-error-interval");
                watch::DEFAULT_INTERVAL_SECS
            }
        },
    }
}

/// How a zone is watched, as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WatchForm {
    interval: String,
    /// `on` or `off`.
    enabled: String,
}

/// `POST /zones/{zone}/watch`: another interval, or a pause.
pub async fn change(
    State(app): State<App>,
    page: Page,
    Path(zone): Path<String>,
    Posted(form): Posted<WatchForm>,
) -> Result<Response, WebError> {
    page.right(Capability::EditWatchList)?;
    let watched = find(&app, &zone).await?;
    let mut errors = Errors::default();
    let interval_secs = interval(&form.interval, &mut errors);
    if !errors.is_empty() {
        let form = AnnounceForm::from_now(page.now);
        return show::shown(&app, page, watched.watch.zone, form, errors).await;
    }
    let new = Watch {
        interval_secs,
        enabled: form.enabled != "off",
        ..watched.watch
    };
    watch::update(&app.records, page.actor()?, watched.id, &new).await?;
    shell::see_other(&path(&new.zone), Some("zone-said-changed"))
}

/// A form that only says "do it".
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Plain {}

/// `POST /zones/{zone}/remove`.
pub async fn remove(
    State(app): State<App>,
    page: Page,
    Path(zone): Path<String>,
    Posted(_): Posted<Plain>,
) -> Result<Response, WebError> {
    page.right(Capability::EditWatchList)?;
    let watched = find(&app, &zone).await?;
    watch::remove(&app.records, page.actor()?, watched.id).await?;
    shell::see_other("/zones", Some("zone-said-removed"))
}

/// Which delegation is accepted: the mark of the one that the page showed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Accept {
    /// Time of the round that was shown.
    round: String,
}

/// `POST /zones/{zone}/expected`: what the last round saw is what should be. Refused when another round came meanwhile
/// and saw something else than the page showed.
pub async fn accept(
    State(app): State<App>,
    page: Page,
    Path(zone): Path<String>,
    Posted(form): Posted<Accept>,
) -> Result<Response, WebError> {
    page.right(Capability::EditWatchList)?;
    let watched = find(&app, &zone).await?;
    let state = watch::state(&app.records, watched.id)
        .await?
        .ok_or(WebError::NotFound)?;
    let seen = state.round.seen.ok_or(WebError::NotFound)?;
    if form.round != super::fingerprint(&seen) {
        return shell::see_other(&path(&watched.watch.zone), Some("zone-said-moved"));
    }
    watch::set_expected(&app.records, page.actor()?, watched.id, &seen).await?;
    shell::see_other(&path(&watched.watch.zone), Some("zone-said-accepted"))
}

/// A planned change, as typed. Times are UTC: `2026-11-24 08:00`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct AnnounceForm {
    pub(super) from: String,
    pub(super) until: String,
    /// How the zone will be delegated; empty for any change.
    pub(super) planned: String,
    pub(super) by: String,
    pub(super) note: String,
}

impl AnnounceForm {
    /// A window of four hours from `now` on.
    pub(super) fn from_now(now: Timestamp) -> Self {
        let written = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M").to_string();
        let until = now.saturating_add(SignedDuration::from_hours(4)).unwrap_or(now);
        Self {
            from: written(now),
            until: written(until),
            ..Self::default()
        }
    }
}

/// `POST /zones/{zone}/announcements`: a change that is meant raises no alarm.
pub async fn announce(
    State(app): State<App>,
    page: Page,
    Path(zone): Path<String>,
    Posted(form): Posted<AnnounceForm>,
) -> Result<Response, WebError> {
    page.right(Capability::EditWatchList)?;
    let zone = super::parse(&zone)?;
    let mut errors = Errors::default();
    let from = moment(&form.from).or_else(|| none(&mut errors, "from"));
    let until = moment(&form.until).or_else(|| none(&mut errors, "until"));
    let now = watch::by_zone(&app.records, &zone).await?;
    let now = now.and_then(|watched| watched.watch.expected);
    let expected = planned::read(&form.planned, now.as_ref()).unwrap_or_else(|_| {
        errors.add("planned", "zone-error-planned");
        None
    });
    if form.by.trim().is_empty() {
        errors.add("by", "zone-error-by");
    }
    if let (Some(from), Some(until), true) = (from, until, errors.is_empty()) {
        let new = NewAnnouncement {
            zone: zone.clone(),
            from,
            until,
            expected,
            by: form.by.clone(),
            note: form.note.clone(),
        };
        match announcement::announce(&app.records, page.actor()?, new).await {
            Err(csirt::Error::Invalid { .. }) => errors.add("until", "zone-error-window"),
            other => {
                other?;
                return shell::see_other(&path(&zone), Some("zone-said-announced"));
            }
        }
    }
    show::shown(&app, page, zone, form, errors).await
}

fn none(errors: &mut Errors, field: &str) -> Option<Timestamp> {
    errors.add(field, "zone-error-time");
    None
}

/// A moment as people type it, in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim().trim_end_matches("UTC").trim_end();
    let civil = DateTime::strptime("%Y-%m-%d %H:%M", text)
        .or_else(|_| text.trim_end_matches('Z').parse())
        .ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// `POST /zones/{zone}/announcements/{id}/withdraw`.
pub async fn withdraw(
    State(app): State<App>,
    page: Page,
    Path((zone, id)): Path<(String, String)>,
    Posted(_): Posted<Plain>,
) -> Result<Response, WebError> {
    page.right(Capability::EditWatchList)?;
    let zone = super::parse(&zone)?;
    let id = id.parse().map_err(|_| WebError::NotFound)?;
    announcement::withdraw(&app.records, page.actor()?, id).await?;
    shell::see_other(&path(&zone), Some("zone-said-withdrawn"))
}

async fn find(app: &App, zone: &str) -> Result<WatchedZone, WebError> {
    watch::by_zone(&app.records, &super::parse(zone)?)
        .await?
        .ok_or(WebError::NotFound)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_moment_is_read_as_people_type_it() {
        for text in [
            "2026-11-24 08:00",
            " 2026-11-24 08:00 UTC",
            "2026-11-24T08:00:00Z",
            "2026-11-24T08:00",
        ] {
            assert_eq!(moment(text).unwrap().to_string(), "2026-11-24T08:00:00Z", "{text}");
        }
        assert_eq!(moment("tomorrow"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_moment_or_none(text in any::<String>()) {
            moment(&text);
        }
    }
}
