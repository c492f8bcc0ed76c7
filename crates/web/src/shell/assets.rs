//! The style sheet and the one small script, under addresses that change with their content.
//!
//! The script is ours (no library): it takes server-sent events and reloads the part of the page that changed. Pages
//! are complete without it.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use crate::App;

/// The style sheet of all pages.
pub const STYLE: &str = include_str!("../../assets/style.css");
/// The script for live pages.
pub const SCRIPT: &str = include_str!("../../assets/live.js");

static STYLE_NAME: LazyLock<String> = LazyLock::new(|| named("style", STYLE, "css"));
static SCRIPT_NAME: LazyLock<String> = LazyLock::new(|| named("live", SCRIPT, "js"));

fn named(stem: &str, content: &str, ending: &str) -> String {
    format!("{stem}-{}.{ending}", &hex::encode(Sha256::digest(content))[..12])
}

/// Address of the style sheet.
pub fn style_path() -> String {
    format!("/assets/{}", *STYLE_NAME)
}

/// Address of the script.
pub fn script_path() -> String {
    format!("/assets/{}", *SCRIPT_NAME)
}

/// Routes of the assets.
pub fn router() -> axum::Router<App> {
    axum::Router::new().route("/assets/{file}", get(asset))
}

/// `GET /assets/{file}`: kept by browsers for a year, for another content has another address.
async fn asset(Path(file): Path<String>) -> Response {
    let (kind, content) = if file == *STYLE_NAME {
        ("text/css; charset=utf-8", STYLE)
    } else if file == *SCRIPT_NAME {
        ("text/javascript; charset=utf-8", SCRIPT)
    } else {
        return StatusCode::NOT_FOUND.into_response();
    };
    (
        [
            (header::CONTENT_TYPE, kind),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        ],
        content,
    )
        .into_response()
}
