//! `GET /live?of=…` and `GET /live/status`: server-sent events that say "this changed, look again"; no page depends on them.
//!
//! `of` is `alerts`, `cases`, `zones`, `directory` or the number of a case. Each commit of this process wakes the streams.
//! What changed is read from the audit chain, and rounds from their own count; a change by another process on the same
//! records shows at the next look at the clock. One look serves all streams. `/live/status` is for everybody: its events
//! carry nothing, not even how far the chain is.

mod pulse;

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use csirt::accounts::Capability;
use csirt::{cases, requests};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep_until, timeout_at};

pub use pulse::Live;
use pulse::{Look, MOST_ROWS, Rounds};

use crate::{App, Page, WebError};

/// How long one stream lives; the browser opens the next by itself. Longer would hold up a shutdown.
const LIFE: Duration = Duration::from_secs(300);
/// How long to wait for a commit of this process before the records are looked at anyway: so late a change by another one
/// shows. Chosen by us; a look is two questions that an index answers.
const LOOK: Duration = Duration::from_secs(3);
/// Pause between two events of one stream. Chosen by us: shorter, and a centre with many zones makes each open page fetch
/// itself again and again; longer, and a page lags behind what the team talks about.
const PAUSE: Duration = Duration::from_secs(1);
/// After how many seconds it is worth another try when there are too many public streams: one of them ends by then.
const RETRY_SECS: &str = "300";

/// Pages that listen.
pub fn router() -> Router<App> {
    Router::new()
        .route("/live", get(live))
        .route("/live/status", get(status))
}

/// What the reader listens to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    of: String,
}

/// What a stream tells of.
#[derive(Debug)]
enum Topic {
    Alerts,
    Cases,
    Zones,
    Directory,
    /// One case, by its number.
    Case(String),
    /// What everybody may see.
    Status,
}

impl Topic {
    fn of(wanted: String) -> Self {
        match wanted.as_str() {
            "alerts" => Topic::Alerts,
            "cases" => Topic::Cases,
            "zones" => Topic::Zones,
            "directory" => Topic::Directory,
            _ => Topic::Case(wanted),
        }
    }

    fn right(&self) -> Capability {
        match self {
            Topic::Alerts => Capability::SeeAlerts,
            Topic::Zones => Capability::SeeWatchList,
            Topic::Directory => Capability::SeeDirectory,
            Topic::Cases | Topic::Case(_) | Topic::Status => Capability::SeeCases,
        }
    }

    /// Whether each round is worth an event.
    fn shows_rounds(&self) -> bool {
        matches!(self, Topic::Zones | Topic::Status)
    }
}

struct Listener {
    app: App,
    topic: Topic,
    seen: i64,
    rounds: Rounds,
    commits: watch::Receiver<u64>,
    /// Before this it says nothing more.
    rests_until: Instant,
    until: Instant,
    /// Its place among the public streams.
    _place: Option<OwnedSemaphorePermit>,
}

/// The stream for who signed in. A browser that comes back says where it was (`Last-Event-ID`), so nothing is missed
/// between two.
pub async fn live(
    State(app): State<App>,
    page: Page,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response, WebError> {
    let topic = Topic::of(wanted.of);
    page.right(topic.right())?;
    let last = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok()?.parse().ok());
    Ok(Listener::open(app, topic, last, None).await?.respond())
}

/// The stream for everybody. 503 when there are too many; the page is complete without.
pub async fn status(State(app): State<App>) -> Result<Response, WebError> {
    let Some(place) = app.live.public_place() else {
        return Ok((StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, RETRY_SECS)]).into_response());
    };
    Ok(Listener::open(app, Topic::Status, None, Some(place)).await?.respond())
}

impl Listener {
    async fn open(
        app: App,
        topic: Topic,
        last: Option<i64>,
        place: Option<OwnedSemaphorePermit>,
    ) -> Result<Self, WebError> {
        let commits = app.records.commits();
        let look = app.live.look(&app.records).await?;
        let now = Instant::now();
        Ok(Self {
            app,
            topic,
            seen: last.unwrap_or(look.head),
            rounds: look.rounds,
            commits,
            rests_until: now,
            until: now + LIFE,
            _place: place,
        })
    }

    fn respond(self) -> Response {
        let stream = stream::unfold(self, |mut listener| async move {
            let event = listener.next().await?;
            Some((Ok::<_, Infallible>(event), listener))
        });
        let events = Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(20)));
        // nginx would else keep events back until it has a buffer full of them
        ([(HeaderName::from_static("x-accel-buffering"), "no")], events).into_response()
    }

    /// Waits for the next change of what is listened to; `None` when the stream has lived long enough.
    async fn next(&mut self) -> Option<Event> {
        loop {
            sleep_until(self.rests_until).await;
            let now = Instant::now();
            if now >= self.until {
                return None;
            }
            self.commits.mark_unchanged();
            match self.changed().await {
                Ok(true) => {
                    self.rests_until = now + PAUSE;
                    return Some(self.event());
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

    fn event(&self) -> Event {
        let event = Event::default().event("changed");
        match &self.topic {
            Topic::Status => event.data("status"),
            _ => event.id(self.seen.to_string()).data("again"),
        }
    }

    async fn changed(&mut self) -> Result<bool, csirt::Error> {
        let look = self.app.live.look(&self.app.records).await?;
        let has_new_round = self.rounds != look.rounds;
        self.rounds = look.rounds;
        let seen = self.seen;
        self.seen = seen.max(look.head);
        Ok(has_new_round && self.topic.shows_rounds() || self.concerns_any(&look, seen).await?)
    }

    /// Whether a row of the chain after `seen` is about what is listened to.
    async fn concerns_any(&self, look: &Look, seen: i64) -> Result<bool, csirt::Error> {
        let fresh: Vec<_> = look.rows.iter().take_while(|row| row.seq > seen).collect();
        if fresh.len() as u64 == MOST_ROWS && seen > 0 {
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
        Ok(match &self.topic {
            Topic::Alerts => noun == "alert",
            Topic::Cases => matches!(
                noun,
                "case" | "request" | "notice" | "note" | "link" | "verdict" | "evidence"
            ),
            Topic::Zones => matches!(noun, "watched_zone" | "announcement"),
            Topic::Directory => matches!(noun, "organisation" | "person" | "channel" | "responsibility"),
            Topic::Case(number) => self.number_of(noun, id).await?.is_some_and(|of| of == *number),
            Topic::Status => matches!(noun, "watched_zone" | "vantage_point" | "case" | "request"),
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
