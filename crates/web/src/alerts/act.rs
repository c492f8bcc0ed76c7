//! What a duty officer does with alerts: dismiss them with a reason, or open a case from one or several.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::alerts::{self, Alert};
use csirt::cases::{self, NewCase};
use model::{Id, Tlp};

use crate::{App, Page, Posted, WebError, shell};

/// The fields of a form by name: the queue sends `alert-ID` for each line that is ticked.
type Fields = BTreeMap<String, String>;

/// `POST /alerts/selected/dismiss`: dismisses those ticked, for one reason.
pub async fn dismiss_selected(
    State(app): State<App>,
    page: Page,
    Posted(fields): Posted<Fields>,
) -> Result<Response, WebError> {
    page.right(Capability::DismissAlerts)?;
    let chosen = chosen(&fields);
    let reason = field(&fields, "reason");
    if chosen.is_empty() {
        return shell::see_other("/alerts", Some("alert-said-none-chosen"));
    }
    if reason.is_empty() {
        return shell::see_other("/alerts", Some("alert-said-reason-missing"));
    }
    for id in chosen {
        alerts::dismiss(&app.records, page.actor()?, id, reason).await?;
    }
    shell::see_other("/alerts", Some("alert-said-dismissed"))
}

/// `POST /alerts/selected/case`: opens one case from those ticked and goes there.
pub async fn open_case(
    State(app): State<App>,
    page: Page,
    Posted(fields): Posted<Fields>,
) -> Result<Response, WebError> {
    page.right(Capability::WorkCases)?;
    let chosen = chosen(&fields);
    let Some(first) = chosen.first() else {
        return shell::see_other("/alerts", Some("alert-said-none-chosen"));
    };
    let mut title = field(&fields, "title").to_owned();
    if title.is_empty() {
        let alert = alerts::get(&app.records, *first).await?;
        title = super::kind_words(&alert, page.texts());
    }
    let tlp = field(&fields, "tlp").parse().unwrap_or(Tlp::Amber);
    let case = cases::open(
        &app.records,
        page.actor()?,
        &NewCase {
            title,
            tlp,
            alerts: chosen,
        },
    )
    .await?;
    shell::see_other(&format!("/cases/{}", case.number), Some("casework-said-opened"))
}

/// `POST /alerts/{id}/dismiss`: dismisses one.
pub async fn dismiss(
    State(app): State<App>,
    page: Page,
    Path(id): Path<String>,
    Posted(fields): Posted<Fields>,
) -> Result<Response, WebError> {
    page.right(Capability::DismissAlerts)?;
    let id: Id<Alert> = id.parse().map_err(|_| WebError::NotFound)?;
    let reason = field(&fields, "reason");
    if reason.is_empty() {
        return shell::see_other(&format!("/alerts/{id}"), Some("alert-said-reason-missing"));
    }
    alerts::dismiss(&app.records, page.actor()?, id, reason).await?;
    shell::see_other("/alerts", Some("alert-said-dismissed"))
}

/// The TLP labels as choices; they are written the same in every language (FIRST, TLP 2.0).
pub(super) fn tlp_choices() -> Vec<(String, String)> {
    Tlp::ALL.map(|tlp| (tlp.to_string(), tlp.to_string())).to_vec()
}

fn chosen(fields: &Fields) -> Vec<Id<Alert>> {
    fields
        .keys()
        .filter_map(|name| name.strip_prefix("alert-")?.parse().ok())
        .collect()
}

fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).map_or("", |value| value.trim())
}
