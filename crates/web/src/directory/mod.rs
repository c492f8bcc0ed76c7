//! The directory: whom to reach, on which channel and at what hour; and the way from a name or address to them.

mod edit;
mod file;
mod form;
mod list;
mod route;
mod show;
mod upload;

use axum::Router;
use axum::routing::{get, post};
use csirt::directory::{ChannelKind, Kind, Organisation, Profile, Purpose, ResponsibilityKind};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::{Id, Timestamp};

use crate::{App, WebError};

pub use file::MAX_FILE_BYTES;

/// Pages and actions below `/directory`, and `/route`.
pub fn router() -> Router<App> {
    Router::new()
        .route("/directory", get(list::list))
        .route("/directory/new", get(edit::new).post(edit::create))
        .route("/directory/import", get(file::form).post(file::import))
        .route("/directory/export/{format}", get(file::export))
        .route("/directory/{id}", get(show::show))
        .route("/directory/{id}/edit", get(edit::edit).post(edit::update))
        .route("/directory/{id}/verify", post(edit::verify))
        .route("/route", get(route::route))
}

/// Days after which a confirmation is old: the reach that FIRST's metrics and TLD-OPS count is the last 90 days.
const FRESH_DAYS: i64 = 90;

/// How long ago something was confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmed {
    /// Within the last 90 days.
    Fresh(i64),
    /// Longer ago, in days.
    Old(i64),
    /// Never.
    Never,
}

impl Confirmed {
    /// Of a date as seen `now`.
    pub(crate) fn of(date: Option<Date>, now: Timestamp) -> Self {
        let Some(date) = date else { return Confirmed::Never };
        let today = now.to_zoned(TimeZone::UTC).date();
        let days = i64::from(date.until(today).map_or(0, |span| span.get_days())).max(0);
        if days <= FRESH_DAYS {
            Confirmed::Fresh(days)
        } else {
            Confirmed::Old(days)
        }
    }

    pub(crate) fn class(self) -> &'static str {
        match self {
            Confirmed::Fresh(_) => "good",
            Confirmed::Old(_) => "warn",
            Confirmed::Never => "bad",
        }
    }

    /// The words in the language of `page`.
    pub(crate) fn words(self, page: &crate::Page) -> String {
        match self {
            Confirmed::Fresh(0) => page.t("directory-confirmed-today"),
            Confirmed::Fresh(days) | Confirmed::Old(days) => page.t1("directory-confirmed-days", "days", days),
            Confirmed::Never => page.t("directory-confirmed-never"),
        }
    }
}

/// Whether somebody is there now, and what their clocks show.
pub(crate) struct Presence {
    /// Open, closed, or no hours known.
    pub(crate) open: Option<bool>,
    /// `Tue 14:05`-like time there, in figures: `14:05`.
    pub(crate) clock: String,
    /// Which zone.
    pub(crate) zone: String,
}

impl Presence {
    /// Of an organisation as seen `now`.
    pub(crate) fn of(profile: &Profile, now: Timestamp) -> Self {
        let zone = TimeZone::get(&profile.time_zone).unwrap_or(TimeZone::UTC);
        Self {
            open: profile.hours.as_ref().map(|hours| hours.contains(now, &zone)),
            clock: now.to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string(),
            zone: profile.time_zone.clone(),
        }
    }

    pub(crate) fn class(&self) -> &'static str {
        match self.open {
            Some(true) => "good",
            Some(false) => "none",
            None => "none",
        }
    }

    pub(crate) fn text_id(&self) -> &'static str {
        match self.open {
            Some(true) => "directory-open",
            Some(false) => "directory-closed",
            None => "directory-hours-unknown",
        }
    }
}

/// Id of the word for a kind of organisation.
pub(crate) fn kind_text(kind: Kind) -> String {
    format!("directory-kind-{}", kind.as_str().replace('_', "-"))
}

/// Id of the word for a way to reach somebody.
pub(crate) fn channel_text(kind: ChannelKind) -> String {
    format!("directory-channel-{}", kind.as_str().replace('_', "-"))
}

/// Id of the word for what a channel is for.
pub(crate) fn purpose_text(purpose: Purpose) -> String {
    format!("directory-purpose-{purpose}")
}

/// Id of the word for a kind of thing answered for.
pub(crate) fn thing_text(kind: ResponsibilityKind) -> String {
    format!("directory-thing-{}", kind.as_str().replace('_', "-"))
}

fn parse(id: &str) -> Result<Id<Organisation>, WebError> {
    id.parse().map_err(|_| WebError::NotFound)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_confirmation_grows_old_after_ninety_days() {
        let now: Timestamp = "2026-11-23T17:00:00Z".parse().unwrap();
        for (confirmed, expected) in [
            (Some(date(2026, 11, 23)), Confirmed::Fresh(0)),
            (Some(date(2026, 8, 25)), Confirmed::Fresh(90)),
            (Some(date(2026, 8, 24)), Confirmed::Old(91)),
            (Some(date(2027, 1, 1)), Confirmed::Fresh(0)),
            (None, Confirmed::Never),
        ] {
            assert_eq!(Confirmed::of(confirmed, now), expected, "{confirmed:?}");
        }
    }
}
