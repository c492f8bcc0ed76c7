//! Mail as it came: what a page shows of one is its text; here is the whole, with what is attached, to be saved.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use csirt::accounts::Capability;
use csirt::mailbox::{self, Mail};
use model::Id;

use crate::{App, Page, WebError};

/// Routes of the room.
pub fn router() -> Router<App> {
    Router::new().route("/mail/{id}", get(original))
}

/// The file, for those who may see what the mail belongs to. It is never shown: what strangers send is opened by a mail
/// program or not at all.
async fn original(State(app): State<App>, page: Page, Path(id): Path<String>) -> Result<Response, WebError> {
    page.account()?;
    let id: Id<Mail> = id.parse().map_err(|_| WebError::NotFound)?;
    let mail = mailbox::get(&app.records, id).await?;
    page.right(match mail.request {
        Some(_) => Capability::SeeCases,
        None => Capability::SeeAlerts,
    })?;
    let octets = mailbox::octets(&app.records, id).await?;
    let headers = [
        (header::CONTENT_TYPE, "message/rfc822".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{id}.eml\""),
        ),
    ];
    Ok((headers, octets).into_response())
}
