//! Cases: the list, the case with its grid, timeline and proposals, and each request with its notices and verdicts.

mod act;
mod list;
mod request;
mod request_act;
mod show;
mod timeline;
mod words;

use axum::Router;
use axum::routing::{get, post};
use csirt::cases::{self, Case};

use crate::{App, WebError};

pub(crate) use request::find as find_request;

pub(crate) use words::{
    ask_text, case_class, case_text, request_class, request_label, request_text, verdict_class, verdict_text,
};

/// Pages and actions below `/cases`.
pub fn router() -> Router<App> {
    Router::new()
        .route("/cases", get(list::list))
        .route("/cases/{number}", get(show::show))
        .route("/cases/{number}/notes", post(act::note))
        .route("/cases/{number}/evidence", post(act::evidence))
        .route("/cases/{number}/close", post(act::close))
        .route("/cases/{number}/reopen", post(act::reopen))
        .route("/cases/{number}/requests", post(act::create_request))
        .route("/cases/{number}/requests/{request}", get(request::show))
        .route("/cases/{number}/requests/{request}/send", post(request_act::send))
        .route("/cases/{number}/requests/{request}/verify", post(request_act::verify))
        .route(
            "/cases/{number}/requests/{request}/overrule",
            post(request_act::overrule),
        )
        .route("/cases/{number}/requests/{request}/link", post(request_act::link))
        .route("/cases/{number}/requests/{request}/revoke", post(request_act::revoke))
}

/// The case with `number` as it stands in an address; 404 where there is none.
pub(crate) async fn find(app: &App, number: &str) -> Result<Case, WebError> {
    let number = number.parse().map_err(|_| WebError::NotFound)?;
    Ok(cases::find(&app.records, number).await?)
}

/// Whether a person wrote it whose address is none of the party's.
pub(crate) fn is_stranger(mail: &csirt::mailbox::Mail) -> bool {
    use csirt::mailbox::Kind;
    !mail.from_party && matches!(mail.kind, Kind::Reply | Kind::Unreadable | Kind::Report)
}

/// The beginning of a long text, so that a page stays light.
pub(crate) fn excerpt(text: &str) -> String {
    const MOST: usize = 2000;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain(['…']).collect()
}
