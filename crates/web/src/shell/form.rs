//! Forms as they come in: their size, their proof that the page was ours, then their fields.

use std::ops::Deref;

use axum::Form;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, Uri};
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{Page, WebError};
use crate::App;

/// How long a form stays good, in seconds: a day, so that one may write at leisure and over a shift's end.
const OPEN_SECS: i64 = 86_400;

/// The largest form taken, in octets; a report of 10,000 letters in any script takes less.
const MOST_BYTES: usize = 262_144;

/// A form that came from a page of ours, no older than a day; anything else answers 403.
pub struct Posted<T>(pub T);

/// A form of somebody who need not have an account: without its proof the handler shows it again with what was typed.
pub struct Open<T> {
    /// What was typed.
    pub fields: T,
    /// When the page with the form was made; `None` when the form bears no proof that it is ours and fresh.
    pub made: Option<Timestamp>,
}

impl<T> Deref for Posted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned> FromRequest<App> for Open<T> {
    type Rejection = WebError;

    async fn from_request(request: Request, app: &App) -> Result<Self, WebError> {
        let page = request
            .extensions()
            .get::<Page>()
            .cloned()
            .expect("the shell puts a page into each request");
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, MOST_BYTES)
            .await
            .map_err(|_| WebError::TooLarge)?;
        let made = mark(&body).and_then(|mark| app.settings.secret.opened(mark, &page.purpose(), page.now));
        let made = made.filter(|made| page.now.duration_since(*made).as_secs() <= OPEN_SECS);
        let Form(fields) = Form::from_request(Request::from_parts(parts, Body::from(body)), app)
            .await
            .map_err(|rejection| WebError::Invalid(rejection.body_text()))?;
        Ok(Open { fields, made })
    }
}

impl<T: DeserializeOwned> FromRequest<App> for Posted<T> {
    type Rejection = WebError;

    async fn from_request(request: Request, app: &App) -> Result<Self, WebError> {
        let open = Open::from_request(request, app).await?;
        open.made.ok_or(WebError::Unproven)?;
        Ok(Posted(open.fields))
    }
}

/// The field `csrf` of a form as it was sent; a mark holds no letter that a browser would encode.
fn mark(body: &[u8]) -> Option<&str> {
    body.split(|octet| *octet == b'&')
        .find_map(|pair| std::str::from_utf8(pair.strip_prefix(b"csrf=")?).ok())
}

/// Whether browsers say that a request comes from another site (Fetch Metadata, else `Origin`).
///
/// Programs that say nothing pass: the form's own mark holds them.
pub fn is_from_another_site(headers: &HeaderMap, uri: &Uri, public_url: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text("origin") else { return false };
    let host = text("host")
        .or_else(|| uri.authority().map(|authority| authority.as_str()))
        .unwrap_or_default();
    let of_host = origin
        .split_once("://")
        .is_some_and(|(_, authority)| !host.is_empty() && authority == host);
    !(of_host || origin == public_url.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        is_from_another_site(&headers, &"/report".parse().unwrap(), "https://dnscert.example")
    }

    #[test]
    fn a_browser_s_word_about_the_site_decides() {
        assert!(foreign(&[("sec-fetch-site", "cross-site")]));
        assert!(foreign(&[
            ("sec-fetch-site", "same-site"),
            ("origin", "https://dnscert.example")
        ]));
        assert!(!foreign(&[("sec-fetch-site", "same-origin")]));
        assert!(!foreign(&[]));
    }

    #[test]
    fn an_origin_must_be_the_public_address_or_the_host_asked() {
        assert!(!foreign(&[("origin", "https://dnscert.example")]));
        assert!(!foreign(&[
            ("origin", "http://127.0.0.1:8053"),
            ("host", "127.0.0.1:8053")
        ]));
        assert!(foreign(&[
            ("origin", "https://other.example"),
            ("host", "dnscert.example")
        ]));
        assert!(foreign(&[("origin", "null"), ("host", "dnscert.example")]));
    }
}
