//! What all pages share: the reader's surroundings, layout, forms, errors, headers, assets.

pub mod assets;
pub mod error;
pub mod field;
pub mod form;
pub mod guard;
pub mod headers;
pub mod markup;
pub mod metrics;
pub mod negotiate;
pub mod page;
pub mod seal;

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

pub use error::WebError;
pub use field::{Errors, Input};
pub use form::Posted;
pub use markup::Put;
pub use page::Page;

/// A page with status 200.
pub fn show(template: impl Template) -> Result<Response, WebError> {
    show_with(StatusCode::OK, template)
}

/// A page with another status: 422 for a form that is shown again with its errors.
pub fn show_with(status: StatusCode, template: impl Template) -> Result<Response, WebError> {
    let html = template.render()?;
    Ok((status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response())
}

/// Plain text with status 200: the twin of a page for slow lines and for tools.
pub fn show_text(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// 303 to `path` after an action; `said` is the id of a text that the next page shows once (it must contain `-said-`).
pub fn see_other(path: &str, said: Option<&str>) -> Result<Response, WebError> {
    let place = match said {
        Some(said) => format!("{path}{}said={said}", if path.contains('?') { '&' } else { '?' }),
        None => path.to_owned(),
    };
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response())
}
