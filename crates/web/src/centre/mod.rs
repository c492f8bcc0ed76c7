//! The health of the centre itself: does it measure, do its jobs run, are its records whole. For the team; and the same
//! as counts for Prometheus.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use csirt::accounts::Capability;
use csirt::alerts;
use csirt::audit::{self, Chain};
use csirt::jobs::{self, Queue};
use csirt::mailbox::{self, Kind, Mailbox};
use csirt::watch::{self, Standing};
use jiff::{SignedDuration, Timestamp};
use model::Health;
use serde::Deserialize;

use crate::condition::{Condition, Holds};
use crate::{App, Page, WebError, shell};

/// Intervals that may pass without a round before a zone counts as held up.
const INTERVALS: i64 = 3;
/// Zones that are held up listed at most.
const LISTED: usize = 50;
/// Failed jobs from which on the queue needs attention. One that failed once is retried and usually gets through.
const FAILED: u64 = 10;

/// Intervals, and at least seconds, that may pass without the mailbox having been read to its end.
const UNREAD: (u64, i64) = (10, 600);

/// A figure for Prometheus: name, help, and its values by label.
type Figure<'a> = (&'a str, &'a str, &'a [(&'a str, i64)]);

/// Routes of the room.
pub fn router() -> Router<App> {
    Router::new()
        .route("/centre", get(centre))
        .route("/metrics", get(metrics))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    verify: String,
}

struct Table {
    name: String,
    rows: u64,
    files: usize,
    bytes: u64,
    waiting: usize,
}

#[derive(Template)]
#[template(path = "centre/centre.html")]
struct Centre {
    page: Page,
    started_at: Timestamp,
    conditions: Vec<Holds>,
    engine: String,
    queue: Queue,
    next_due: Option<Timestamp>,
    watched: usize,
    late_count: usize,
    late: Vec<Standing>,
    head: (i64, String),
    chain: Option<Chain>,
    tables: Vec<Table>,
    damaged: Vec<(String, String)>,
    alerts: alerts::Counts,
    mailbox: Option<Mailbox>,
    mails: i64,
    unreadable: i64,
}

impl Centre {
    fn jobs_health(&self) -> Health {
        let held_up = self
            .next_due
            .is_some_and(|due| self.page.now.duration_since(due) > SignedDuration::from_mins(2));
        match () {
            () if held_up => Health::Broken,
            () if self.queue.failed_before >= FAILED => Health::Impaired,
            () => Health::Good,
        }
    }

    fn watch_health(&self) -> Health {
        match self.late_count {
            0 => Health::Good,
            late if late * 4 > self.watched => Health::Broken,
            _ => Health::Impaired,
        }
    }

    fn records_health(&self) -> Health {
        if matches!(self.chain, Some(Chain::Broken { .. })) {
            Health::Broken
        } else {
            Health::Good
        }
    }

    /// Nothing can be said of a mailbox that is not set or was not tried yet.
    fn mailbox_health(&self) -> Health {
        let (Some(settings), Some(mailbox)) = (&self.page.settings.mailbox, &self.mailbox) else {
            return Health::Unknown;
        };
        let intervals = i64::try_from(settings.interval_secs.saturating_mul(UNREAD.0)).unwrap_or(i64::MAX);
        let allowed = SignedDuration::from_secs(intervals.max(UNREAD.1));
        let since = mailbox.fetched_at.unwrap_or(self.started_at);
        match &mailbox.failing {
            _ if self.page.now.duration_since(since) > allowed => Health::Broken,
            Some(_) => Health::Impaired,
            None => Health::Good,
        }
    }

    fn lake_health(&self) -> Health {
        if self.damaged.is_empty() {
            Health::Good
        } else {
            Health::Broken
        }
    }

    fn conditions_health(&self) -> Health {
        match self.conditions.first() {
            Some(holds) if holds.condition.is_grave() => Health::Broken,
            Some(holds) if matches!(holds.condition, Condition::ClockSet | Condition::MachineSlow) => Health::Impaired,
            _ => Health::Good,
        }
    }

    fn overall(&self) -> Health {
        let parts = [
            self.jobs_health(),
            self.watch_health(),
            self.records_health(),
            self.mailbox_health(),
            self.lake_health(),
            self.conditions_health(),
        ];
        parts.into_iter().max().unwrap_or(Health::Unknown)
    }
}

/// Whether the last round of a zone is too old, or could not test it.
pub(crate) fn is_late(zone: &Standing, now: Timestamp) -> bool {
    let allowed = SignedDuration::from_secs(i64::from(zone.interval_secs) * INTERVALS);
    let is_old = now.duration_since(zone.measured.unwrap_or(zone.created)) > allowed;
    zone.enabled && (is_old || zone.untestable.is_some())
}

async fn centre(State(app): State<App>, page: Page, Query(asked): Query<Asked>) -> Result<Response, WebError> {
    page.require(Capability::SeeCentre)?;
    let zones = watch::standings(&app.records).await?;
    let watched = zones.iter().filter(|zone| zone.enabled).count();
    let mut late: Vec<Standing> = zones.into_iter().filter(|zone| is_late(zone, page.now)).collect();
    late.sort_by_key(|zone| zone.measured);
    let late_count = late.len();
    late.truncate(LISTED);
    let tables = app.lake.statistics().await?;
    let chain = if asked.verify.is_empty() {
        None
    } else {
        Some(audit::verify(&app.records).await?)
    };
    let mailbox = mailbox_of(&app).await?;
    let mails = mailbox::counts(&app.records).await?;
    shell::show(Centre {
        mailbox,
        mails: mails.values().sum(),
        unreadable: mails.get(&Kind::Unreadable).copied().unwrap_or(0),
        started_at: app.started_at,
        conditions: app.conditions.current(),
        engine: app.records.engine().to_string(),
        queue: jobs::queue(&app.records).await?,
        next_due: jobs::next_due(&app.records, None).await?,
        watched,
        late_count,
        late,
        head: audit::head(&app.records).await?,
        chain,
        tables: tables
            .into_iter()
            .map(|table| Table {
                name: table.table.to_string(),
                rows: table.rows,
                files: table.files,
                bytes: table.bytes,
                waiting: table.waiting,
            })
            .collect(),
        damaged: app
            .lake
            .damaged()
            .into_iter()
            .map(|damage| (damage.file.display().to_string(), damage.reason))
            .collect(),
        alerts: alerts::counts(&app.records).await?,
        page,
    })
}

/// How it goes with the mailbox that is set.
async fn mailbox_of(app: &App) -> Result<Option<Mailbox>, WebError> {
    match &app.settings.mailbox {
        Some(settings) => Ok(mailbox::find(&app.records, &settings.name).await?),
        None => Ok(None),
    }
}

/// Counts only, none of them about a single party: the endpoint needs no token.
async fn metrics(State(app): State<App>, page: Page) -> Result<Response, WebError> {
    let overview = app.overview(page.now).await?;
    let queue = jobs::queue(&app.records).await?;
    let alerts = alerts::counts(&app.records).await?;
    let late = overview.late;
    let good: usize = overview.regions.iter().map(|region| region.good).sum();
    let unknown = overview.watched - good - overview.impaired - overview.broken;
    let mailbox = mailbox_of(&app).await?;
    let mails: Vec<(String, i64)> = mailbox::counts(&app.records)
        .await?
        .into_iter()
        .map(|(kind, mails)| (format!("{{kind=\"{kind}\"}}"), mails))
        .collect();
    let mails: Vec<(&str, i64)> = mails.iter().map(|(label, mails)| (label.as_str(), *mails)).collect();
    let fetched = mailbox.as_ref().and_then(|mailbox| mailbox.fetched_at);
    let fetched: Vec<(&str, i64)> = fetched.iter().map(|time| ("", time.as_second())).collect();
    let failing: Vec<(&str, i64)> = mailbox
        .iter()
        .map(|mailbox| ("", i64::from(mailbox.failing.is_some())))
        .collect();
    let figures: [Figure<'_>; 9] = [
        (
            "dnscert_zones",
            "Watched zones by health",
            &[
                ("{health=\"good\"}", count(good)),
                ("{health=\"impaired\"}", count(overview.impaired)),
                ("{health=\"broken\"}", count(overview.broken)),
                ("{health=\"unknown\"}", count(unknown)),
            ],
        ),
        (
            "dnscert_zones_late",
            "Watched zones without a round in time",
            &[("", count(late))],
        ),
        (
            "dnscert_jobs",
            "Jobs in the queue by state",
            &[
                ("{state=\"waiting\"}", i64::try_from(queue.waiting).unwrap_or(i64::MAX)),
                ("{state=\"running\"}", i64::try_from(queue.running).unwrap_or(i64::MAX)),
                (
                    "{state=\"failed_before\"}",
                    i64::try_from(queue.failed_before).unwrap_or(i64::MAX),
                ),
            ],
        ),
        (
            "dnscert_alerts",
            "Alerts by state",
            &[("{state=\"new\"}", alerts.new), ("{state=\"in_case\"}", alerts.in_case)],
        ),
        (
            "dnscert_cases_open",
            "Cases that are open",
            &[("", overview.open_cases)],
        ),
        ("dnscert_mails", "Mails taken by what they turned out to be", &mails),
        (
            "dnscert_mailbox_fetched_timestamp_seconds",
            "When the mailbox was last read to its end",
            &fetched,
        ),
        (
            "dnscert_mailbox_failing",
            "Whether the last try to read the mailbox failed",
            &failing,
        ),
        (
            "dnscert_uptime_seconds",
            "Seconds since this process began",
            &[("", page.now.duration_since(app.started_at).as_secs())],
        ),
    ];
    // The registry's text ends with `# EOF`; what is counted now goes before it.
    let counted = app.metrics.text();
    let mut text = counted.trim_end().trim_end_matches("# EOF").to_owned();
    for (name, help, values) in figures {
        text.push_str(&format!("# HELP {name} {help}.\n# TYPE {name} gauge\n"));
        values
            .iter()
            .for_each(|(labels, value)| text.push_str(&format!("{name}{labels} {value}\n")));
    }
    text.push_str("# EOF\n");
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
