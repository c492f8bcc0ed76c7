//! The way of each request: who reads and in which language, is the form from here, then the room, then errors drawn
//! in the reader's language, headers, counts.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use askama::Template;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;

use super::error::{Failure, stem};
use super::{Page, WebError, form, headers, negotiate};
use crate::App;

#[derive(Template)]
#[template(path = "shell/error.html")]
struct ErrorPage<'a> {
    page: &'a Page,
    failure: &'a Failure,
    status: u16,
    wait: Option<u64>,
}

/// The middleware around all rooms.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_asset = request.uri().path().starts_with("/assets/");
    let is_api = request.uri().path().starts_with("/api/");
    let chosen = negotiate::from_query(request.uri());
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned());
    let changes = !matches!(method, Method::GET | Method::HEAD | Method::OPTIONS);
    let foreign = changes
        && !request.headers().contains_key(header::AUTHORIZATION)
        && form::is_from_another_site(request.headers(), request.uri(), &app.settings.public_url);

    let mut response = if is_asset {
        next.run(request).await
    } else {
        // A cookie counts for nothing where an API call changes something: those bear tokens.
        let (mut parts, body) = request.into_parts();
        match surroundings(&app, &parts, !(is_api && changes)).await {
            Err(error) => error.into_response(),
            Ok(page) => {
                parts.extensions.insert(page.clone());
                let request = Request::from_parts(parts, body);
                let response = if foreign {
                    WebError::Unproven.into_response()
                } else {
                    next.run(request).await
                };
                draw(response, &page, is_api)
            }
        }
    };
    // a badge stands in the pages of others: it chooses no language for its reader, and may be kept
    let is_embedded = route.as_deref() == Some(crate::status::BADGE);
    if let Some(language) = chosen.filter(|_| !is_embedded) {
        let cookie = app.cookie(negotiate::COOKIE, language.code(), Some(31_536_000));
        response.headers_mut().append(header::SET_COOKIE, cookie);
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers::protect(&mut response, &app.settings);
    app.metrics.count(&method, route.as_deref(), response.status());
    response
}

async fn surroundings(app: &App, request: &Parts, with_session: bool) -> Result<Page, WebError> {
    let headers = &request.headers;
    let mut session = None;
    let mut account = None;
    if with_session && let Some(token) = negotiate::cookie(headers, app.session_cookie()) {
        account = app.signed_in(token).await?;
        session = account.as_ref().map(|_| token.to_owned());
    }
    let zone = account
        .as_ref()
        .and_then(|account| TimeZone::get(&account.time_zone).ok())
        .unwrap_or(TimeZone::UTC);
    let flash = request
        .uri
        .query()
        .and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("said=")));
    Ok(Page {
        language: negotiate::language(&request.uri, headers),
        language_chosen: negotiate::is_chosen(&request.uri, headers),
        now: app.clock.now(),
        zone,
        account,
        path: negotiate::without_choice(&request.uri),
        flash: flash.filter(|id| id.contains("-said-")).map(str::to_owned),
        settings: app.settings.clone(),
        peer: peer(request, headers, app.settings.behind_proxy),
        session,
    })
}

/// The address that asks: the connection's, or behind our own proxy the last one that it names.
fn peer(request: &Parts, headers: &HeaderMap, behind_proxy: bool) -> IpAddr {
    let direct = request
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0.ip());
    let forwarded = || {
        let value = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
        value.rsplit(',').next()?.trim().parse().ok()
    };
    behind_proxy
        .then(forwarded)
        .flatten()
        .or(direct)
        .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// Draws what failed, unless the room drew it already (HTML or JSON of its own).
fn draw(response: Response, page: &Page, is_api: bool) -> Response {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let failure = match response.extensions().get::<Failure>() {
        Some(failure) => failure.clone(),
        None => {
            let kind = response
                .headers()
                .get(header::CONTENT_TYPE)
                .and_then(|value| value.to_str().ok());
            let drawn = kind.is_some_and(|kind| kind.starts_with("text/html") || kind.starts_with("application/"));
            if drawn || response.extensions().get::<Drawn>().is_some() {
                return response;
            }
            Failure {
                stem: stem(status),
                detail: None,
                operation: None,
            }
        }
    };
    let wait = response.headers().get(header::RETRY_AFTER).cloned();
    let mut drawn = if is_api {
        json(status, &failure)
    } else {
        let seconds = wait.as_ref().and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let error = ErrorPage {
            page,
            failure: &failure,
            status: status.as_u16(),
            wait: seconds.map(|s| s.div_ceil(60)),
        };
        match super::show_with(status, error) {
            Ok(response) => response,
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        }
    };
    for name in [header::ALLOW, header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
        if let Some(value) = response.headers().get(&name) {
            drawn.headers_mut().insert(name, value.clone());
        }
    }
    drawn
}

/// Marks an error answer that its room drew itself as plain text.
#[derive(Debug, Clone, Copy)]
pub struct Drawn;

/// Problem details (RFC 9457); `code` and `operation` are ours.
fn json(status: StatusCode, failure: &Failure) -> Response {
    let mut response = (status, axum::Json(problem(status, failure))).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    response
}

fn problem(status: StatusCode, failure: &Failure) -> serde_json::Value {
    serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("error"),
        "status": status.as_u16(),
        "detail": failure.detail,
        "code": failure.stem,
        "operation": failure.operation,
    })
}
