//! Announcing a change of one's own zone, so that it raises no alarm.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use csirt::accounts::Capability;
use csirt::watch::{self, NewAnnouncement};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::Name;
use serde::Deserialize;

use super::{Typed, again, own};
use crate::zones::planned;
use crate::{App, Errors, Page, Posted, WebError, shell};

/// Routes of announcements.
pub(super) fn router() -> Router<App> {
    Router::new().route("/organisation/announce", post(announce))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Form {
    zone: String,
    from: String,
    until: String,
    /// How the zone will be delegated; empty for any change.
    planned: String,
    note: String,
}

/// A time as people and browsers write it: `2026-03-01 10:00` or `2026-03-01T10:00`, in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim().trim_end_matches("UTC").trim_end_matches('Z').trim();
    let time: DateTime = text.replacen(' ', "T", 1).parse().ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

async fn announce(State(app): State<App>, page: Page, Posted(typed): Posted<Form>) -> Result<Response, WebError> {
    let account = page.require(Capability::AnnounceOwnChange)?.clone();
    let organisation = own(&app, &page).await?;
    let zones = watch::of_organisation(&app.records, organisation.id).await?;
    let mut errors = Errors::default();
    let zone: Option<Name> = typed.zone.parse().ok();
    let watched = zone.and_then(|zone| zones.into_iter().find(|watched| watched.watch.zone == zone));
    if watched.is_none() {
        errors.add("zone", "organisation-error-zone");
    }
    let now = watched.as_ref().and_then(|watched| watched.watch.expected.as_ref());
    let expected = planned::read(&typed.planned, now).unwrap_or_else(|_| {
        errors.add("planned", "zone-error-planned");
        None
    });
    let (from, until) = (moment(&typed.from), moment(&typed.until));
    if from.is_none() {
        errors.add("from", "organisation-error-time");
    }
    if until.is_none() {
        errors.add("until", "organisation-error-time");
    }
    let (Some(watched), Some(from), Some(until), true) = (watched, from, until, errors.is_empty()) else {
        return again(&app, page, form(typed), errors).await;
    };
    let new = NewAnnouncement {
        zone: watched.watch.zone,
        from,
        until,
        expected,
        by: format!("{} ({})", account.display_name, organisation.profile.name),
        note: typed.note.trim().chars().take(1_000).collect(),
    };
    match watch::announcement::announce(&app.records, account.actor(), new).await {
        Ok(_) => shell::see_other("/organisation", Some("organisation-said-announced")),
        Err(csirt::Error::Invalid { .. }) => {
            errors.add("until", "organisation-error-window");
            again(&app, page, form(typed), errors).await
        }
        Err(error) => Err(error.into()),
    }
}

fn form(typed: Form) -> Typed {
    Typed {
        zone: typed.zone,
        from: typed.from,
        until: typed.until,
        planned: typed.planned,
        note: typed.note,
        ..Typed::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_and_browsers_write_them() {
        let ten = Some("2026-03-01T10:00:00Z".parse().unwrap());
        for text in [
            "2026-03-01 10:00",
            "2026-03-01T10:00",
            " 2026-03-01 10:00 UTC ",
            "2026-03-01T10:00:00Z",
        ] {
            assert_eq!(moment(text), ten, "{text}");
        }
        assert_eq!(moment("tomorrow"), None);
        assert_eq!(moment(""), None);
    }
}
