//! `GET /directory/{id}`: an organisation with its people, channels in the order in which they are tried, and what it
//! answers for.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::directory::{self, Organisation};
use csirt::requests::{self, Request};

use super::{Confirmed, Presence};
use crate::{App, Page, WebError, shell};

/// Requests shown; the cases have them all.
const REQUESTS: usize = 15;

#[derive(Template)]
#[template(path = "directory/show.html")]
struct Show {
    page: Page,
    organisation: Organisation,
    presence: Presence,
    confirmed: Confirmed,
    requests: Vec<(String, Request)>,
    may_edit: bool,
    may_see_zones: bool,
}

/// The entry, or 404.
pub async fn show(State(app): State<App>, page: Page, Path(id): Path<String>) -> Result<Response, WebError> {
    page.right(Capability::SeeDirectory)?;
    let organisation = directory::get(&app.records, super::parse(&id)?).await?;
    let mut requests: Vec<(String, Request)> = requests::of_organisation(&app.records, organisation.id)
        .await?
        .into_iter()
        .map(|(case, request)| (case.number.to_string(), request))
        .collect();
    requests.sort_by_key(|(_, request)| std::cmp::Reverse(request.created_at));
    requests.truncate(REQUESTS);
    let presence = Presence::of(&organisation.profile, page.now);
    let confirmed = Confirmed::of(organisation.profile.verified_on, page.now);
    let may_edit = page.has(Capability::EditDirectory);
    let may_see_zones = page.has(Capability::SeeWatchList);
    shell::show(Show {
        page,
        organisation,
        presence,
        confirmed,
        requests,
        may_edit,
        may_see_zones,
    })
}

impl Show {
    fn confirmed_on(&self, date: &Option<jiff::civil::Date>) -> Confirmed {
        Confirmed::of(*date, self.page.now)
    }
}
