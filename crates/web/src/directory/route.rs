//! `GET /route?target=…`: who answers for a name or address, why, and how to reach them.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::directory::{self, Route, Target};
use model::Name;
use serde::Deserialize;

use super::{Confirmed, Presence};
use crate::{App, Errors, Page, WebError, shell};

/// Who is shown; the nearest come first.
const MOST: usize = 12;

/// What the reader asks about.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    target: String,
}

#[derive(Template)]
#[template(path = "directory/route.html")]
struct Found {
    page: Page,
    wanted: Wanted,
    errors: Errors,
    target: Option<Target>,
    routes: Vec<(Route, Presence, Confirmed)>,
    hidden: usize,
}

/// The way from a target to people.
pub async fn route(State(app): State<App>, page: Page, Query(wanted): Query<Wanted>) -> Result<Response, WebError> {
    page.right(Capability::SeeDirectory)?;
    let mut errors = Errors::default();
    let target: Option<Target> = match wanted.target.trim() {
        "" => None,
        text => text
            .parse()
            .map_err(|_| errors.add("target", "directory-error-target"))
            .ok(),
    };
    let mut found = match &target {
        Some(target) => directory::route(&app.records, target).await?,
        None => Vec::new(),
    };
    let hidden = found.len().saturating_sub(MOST);
    found.truncate(MOST);
    let routes = found
        .into_iter()
        .map(|route| {
            let presence = Presence::of(&route.organisation.profile, page.now);
            let confirmed = Confirmed::of(route.organisation.profile.verified_on, page.now);
            (route, presence, confirmed)
        })
        .collect();
    shell::show(Found {
        page,
        wanted,
        errors,
        target,
        routes,
        hidden,
    })
}

impl Found {
    /// The target as a name, where it is one.
    fn name(&self) -> Option<&Name> {
        match &self.target {
            Some(Target::Name(name)) => Some(name),
            _ => None,
        }
    }
}
