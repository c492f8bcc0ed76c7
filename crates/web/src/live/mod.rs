//! `GET /live?of=…`: server-sent events that say "this changed, look again"; no page depends on them.
//!
//! `of` is `alerts`, `cases`, `zones`, `directory` or the number of a case. Each commit of this process wakes the
//! streams; what changed is read from the audit chain, so a change by another process shows with the next commit or
//! the next look at the clock.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use csirt::accounts::Capability;
use csirt::{audit, cases, requests};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::{App, Page, WebError};

/// How long one stream lives; the browser opens the next by itself. Longer would hold up a shutdown.
const LIFE: Duration = Duration::from_secs(300);
/// How long to wait for a commit of this process before the chain is looked at anyway.
const LOOK: Duration = Duration::from_secs(15);
/// Rows of the chain that one look reads; more than that is a change of everything.
const MOST_ROWS: u64 = 200;

/// Pages that listen.
pub fn router() -> Router<App> {
    Router::new().route("/live", get(live))
}

/// What the reader listens to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    of: String,
}

struct Listener {
    app: App,
    of: String,
    seen: i64,
    commits: watch::Receiver<u64>,
    until: Instant,
}

/// The stream. A browser that comes back says where it was (`Last-Event-ID`), so nothing is missed between two.
pub async fn live(
    State(app): State<App>,
    page: Page,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response, WebError> {
    page.right(match wanted.of.as_str() {
        "alerts" => Capability::SeeAlerts,
        "zones" => Capability::SeeWatchList,
        "directory" => Capability::SeeDirectory,
        _ => Capability::SeeCases,
    })?;
    let commits = app.records.commits();
    let last = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok()?.parse().ok());
    let seen = match last {
        Some(seen) => seen,
        None => audit::head(&app.records).await?.0,
    };
    let listener = Listener {
        app,
        of: wanted.of,
        seen,
        commits,
        until: Instant::now() + LIFE,
    };
    let stream = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    Ok(Sse::new(stream)
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(20)))
        .into_response())
}

impl Listener {
    /// Waits for the next change of what is listened to; `None` when the stream has lived long enough.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let now = Instant::now();
            if now >= self.until {
                return None;
            }
            match self.changed().await {
                Ok(true) => {
                    return Some(
                        Event::default()
                            .event("changed")
                            .id(self.seen.to_string())
                            .data(&self.of),
                    );
                }
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!("live pages cannot read the records: {error}");
                    return None;
                }
            }
            let wake = self.until.min(now + LOOK);
            if let Ok(Err(_)) = timeout_at(wake, self.commits.changed()).await {
                return None;
            }
        }
    }

    async fn changed(&mut self) -> Result<bool, csirt::Error> {
        let rows = audit::newest(&self.app.records, None, MOST_ROWS).await?;
        let fresh: Vec<_> = rows.iter().take_while(|row| row.seq > self.seen).collect();
        let Some(newest) = fresh.first() else { return Ok(false) };
        let overrun = fresh.len() == rows.len() && self.seen > 0;
        self.seen = newest.seq;
        if overrun {
            return Ok(true);
        }
        for row in fresh {
            if self.concerns(&row.noun, &row.id).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn concerns(&self, noun: &str, id: &str) -> Result<bool, csirt::Error> {
        Ok(match self.of.as_str() {
            "alerts" => noun == "alert",
            "cases" => matches!(
                noun,
                "case" | "request" | "notice" | "note" | "link" | "verdict" | "evidence"
            ),
            "zones" => noun.starts_with("watch"),
            "directory" => matches!(noun, "organisation" | "person" | "channel" | "responsibility"),
            number => self.number_of(noun, id).await?.is_some_and(|of| of == number),
        })
    }

    /// Number of the case that a row of the chain is about.
    async fn number_of(&self, noun: &str, id: &str) -> Result<Option<String>, csirt::Error> {
        let records = &self.app.records;
        let case = match noun {
            "case" => id.parse().ok(),
            "request" => match id.parse() {
                Ok(request) => Some(requests::get(records, request).await?.case),
                Err(_) => None,
            },
            _ => None,
        };
        match case {
            Some(case) => Ok(Some(cases::get(records, case).await?.number.to_string())),
            None => Ok(None),
        }
    }
}
