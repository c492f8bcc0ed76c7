//! `GET /directory`: all organisations, or those in which the words are found.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::directory::{self, Organisation};
use serde::Deserialize;

use super::{Confirmed, Presence};
use crate::paging::Pages;
use crate::{App, Page, WebError, shell};

/// What the reader asked for, as it stands in the address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    q: String,
    /// `old` for those not confirmed within 90 days.
    confirmed: String,
    page: String,
}

struct Row {
    organisation: Organisation,
    presence: Presence,
    confirmed: Confirmed,
}

#[derive(Template)]
#[template(path = "directory/list.html")]
struct List {
    page: Page,
    wanted: Wanted,
    choices: Vec<(String, String)>,
    rows: Vec<Row>,
    pages: Pages,
    /// Organisations in all, and how many of them were confirmed within 90 days.
    total: usize,
    fresh: usize,
    may_edit: bool,
    may_export: bool,
}

/// The list by name.
pub async fn list(State(app): State<App>, page: Page, Query(wanted): Query<Wanted>) -> Result<Response, WebError> {
    page.right(Capability::SeeDirectory)?;
    let is_fresh = |organisation: &Organisation| {
        matches!(
            Confirmed::of(organisation.profile.verified_on, page.now),
            Confirmed::Fresh(_)
        )
    };
    let mut found = directory::search(&app.records, wanted.q.trim()).await?;
    let (total, fresh) = (
        found.len(),
        found.iter().filter(|organisation| is_fresh(organisation)).count(),
    );
    if wanted.confirmed == "old" {
        found.retain(|organisation| !is_fresh(organisation));
    }
    found.sort_by_cached_key(|organisation| organisation.profile.name.to_lowercase());
    let keep = [("q", wanted.q.as_str()), ("confirmed", &wanted.confirmed)];
    let (shown, pages) = Pages::cut(found, &wanted.page, "/directory", &keep);
    let rows = shown
        .into_iter()
        .map(|organisation| Row {
            presence: Presence::of(&organisation.profile, page.now),
            confirmed: Confirmed::of(organisation.profile.verified_on, page.now),
            organisation,
        })
        .collect();
    let choices = [("", "directory-filter-all"), ("old", "directory-filter-old")]
        .map(|(value, text_id)| (value.to_owned(), page.t(text_id)))
        .to_vec();
    let may_edit = page.has(Capability::EditDirectory);
    let may_export = page.has(Capability::ExportDirectory);
    shell::show(List {
        page,
        wanted,
        choices,
        rows,
        pages,
        total,
        fresh,
        may_edit,
        may_export,
    })
}
