//! `GET /vantage/{name}`: one vantage point, and what can be done to it.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::vantage;

use super::find;
use super::row::Row;
use crate::{App, Page, WebError, shell};

#[derive(Template)]
#[template(path = "vantage/show.html")]
struct Show {
    page: Page,
    name: String,
    rows: Vec<Row>,
    may_edit: bool,
}

/// One vantage point.
pub async fn show(State(app): State<App>, page: Page, Path(name): Path<String>) -> Result<Response, WebError> {
    page.right(Capability::SeeWatchList)?;
    let id = find(&app, &name).await?.id;
    let states = vantage::states(&app.records).await?;
    let (point, state) = states
        .into_iter()
        .find(|(point, _)| point.id == id)
        .ok_or(WebError::NotFound)?;
    let standing = vantage::standing(&point, &state, app.settings.plan.silent_after_secs, page.now);
    shell::show(Show {
        name: point.profile.name.clone(),
        may_edit: page.has(Capability::EditWatchList) && point.revoked.is_none(),
        rows: vec![Row::load(&app.records, standing, point, state).await?],
        page,
    })
}
