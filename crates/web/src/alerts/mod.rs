//! The alert queue: what the detectors and people noticed, waiting for a duty officer.

mod act;
mod list;
mod show;

use axum::Router;
use axum::routing::{get, post};
use csirt::alerts::{Alert, AlertState};
use language::{Arg, Text};
use model::{Level, Severity, ZoneChange};

use crate::App;

/// Pages and actions below `/alerts`.
pub fn router() -> Router<App> {
    Router::new()
        .route("/alerts", get(list::list))
        .route("/alerts/selected/dismiss", post(act::dismiss_selected))
        .route("/alerts/selected/case", post(act::open_case))
        .route("/alerts/{id}", get(show::show))
        .route("/alerts/{id}/dismiss", post(act::dismiss))
}

/// The kind of an alert in the reader's words, with what it is about put in.
pub(crate) fn kind_words(alert: &Alert, text: &Text) -> String {
    let id = format!("case-alert-kind-{}", alert.kind);
    if !text.has(&id) {
        return alert.kind.clone();
    }
    let first = alert
        .zones
        .first()
        .map_or_else(|| alert.key.clone(), ToString::to_string);
    let count = i64::try_from(alert.zones.len()).unwrap_or(i64::MAX);
    let own = alert.args.iter().map(|(name, value)| (name.as_str(), Arg::from(value)));
    text.format(
        &id,
        own.chain([("zone", Arg::from(first)), ("zones", Arg::from(count))]),
    )
}

/// Class of a label for `severity`.
pub(crate) fn severity_class(severity: Severity) -> &'static str {
    match severity {
        Severity::Page => "bad",
        Severity::Review => "warn",
        Severity::Log => "none",
    }
}

/// Id of the word for `severity`.
pub(crate) fn severity_text(severity: Severity) -> &'static str {
    match severity {
        Severity::Page => "case-severity-page",
        Severity::Review => "case-severity-review",
        Severity::Log => "case-severity-log",
    }
}

/// Class of a label for the state of an alert.
pub(crate) fn state_class(state: AlertState) -> &'static str {
    match state {
        AlertState::New => "warn",
        AlertState::InCase => "info",
        AlertState::Dismissed | AlertState::Ended => "none",
    }
}

/// Id of the word for the state of an alert.
pub(crate) fn state_text(state: AlertState) -> &'static str {
    match state {
        AlertState::New => "case-alert-state-new",
        AlertState::InCase => "case-alert-state-in-case",
        AlertState::Dismissed => "case-alert-state-dismissed",
        AlertState::Ended => "case-alert-state-ended",
    }
}

/// Class of a label for the level of a finding.
pub(crate) fn level_class(level: Level) -> &'static str {
    match level {
        Level::Critical | Level::Error => "bad",
        Level::Warning => "warn",
        Level::Notice => "info",
        _ => "none",
    }
}

/// Id of the word for the level of a finding.
pub(crate) fn level_text(level: Level) -> &'static str {
    match level {
        Level::Critical => "alert-level-critical",
        Level::Error => "alert-level-error",
        Level::Warning => "alert-level-warning",
        Level::Notice => "alert-level-notice",
        Level::Info => "alert-level-info",
        Level::Debug | Level::Debug2 | Level::Debug3 => "alert-level-debug",
    }
}

/// The part of an id that people read to each other: its last eight digits.
pub(crate) fn short_id(id: &impl std::fmt::Display) -> String {
    let id = id.to_string();
    id.get(id.len().saturating_sub(8)..)
        .map_or_else(|| id.clone(), str::to_owned)
}

/// Values that stand after a change and did not stand before it.
pub(crate) fn came(change: &ZoneChange) -> Vec<&String> {
    change
        .after
        .iter()
        .filter(|value| !change.before.contains(value))
        .collect()
}

/// Values that stood before a change and do not stand after it.
pub(crate) fn went(change: &ZoneChange) -> Vec<&String> {
    change
        .before
        .iter()
        .filter(|value| !change.after.contains(value))
        .collect()
}
