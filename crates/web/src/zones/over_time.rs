//! `GET /zones/{zone}/over-time`: a zone's answers over a period, by server and by region; and all that it is drawn from, as files.

use std::collections::BTreeSet;
use std::net::IpAddr;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::{vantage, watch};
use jiff::{SignedDuration, Timestamp};
use lake::{RttPoint, SerialRun, SignatureLife};
use metrics::{Share, serial_lag};
use model::{Name, Sample, ZoneChange};
use serde::Deserialize;

use super::regions::{self, RegionView};
use crate::charts::{self, Bars, Point, Step, Svg};
use crate::download::{self, CSV, csv, number};
use crate::{App, Page, WebError, shell};

/// Steps that a period is drawn in. More would be narrower than a line on a telephone.
const STEPS: i32 = 48;
/// Servers that are shown; the file has all.
const SERVERS: usize = 30;
/// Changes of the delegation that are shown.
const CHANGES: usize = 20;
/// Samples that a file holds at most: some 200 MB while they are read. They are counted before they are read. A longer period has to be
/// asked for in parts.
const MOST_SAMPLES: u64 = 500_000;

/// What the reader asked for, as it stands in the address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// `hour`, `day`, `week` or `month`; else a day.
    period: String,
}

/// How far back the page looks from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    Hour,
    Day,
    Week,
    Month,
}

impl Period {
    const ALL: [Period; 4] = [Period::Hour, Period::Day, Period::Week, Period::Month];

    fn of(wanted: &str) -> Self {
        let named = Period::ALL.into_iter().find(|period| period.as_str() == wanted);
        named.unwrap_or(Period::Day)
    }

    fn as_str(self) -> &'static str {
        match self {
            Period::Hour => "hour",
            Period::Day => "day",
            Period::Week => "week",
            Period::Month => "month",
        }
    }

    fn text_id(self) -> &'static str {
        match self {
            Period::Hour => "zone-period-hour",
            Period::Day => "zone-period-day",
            Period::Week => "zone-period-week",
            Period::Month => "zone-period-month",
        }
    }

    fn length(self) -> SignedDuration {
        SignedDuration::from_hours(match self {
            Period::Hour => 1,
            Period::Day => 24,
            Period::Week => 7 * 24,
            Period::Month => 30 * 24,
        })
    }

    /// From when to when, with the present step in it: steps begin at whole multiples of their length, so that two drawings of one
    /// hour agree.
    fn span(self, now: Timestamp) -> (Timestamp, Timestamp, SignedDuration) {
        let step = self.length() / STEPS;
        let micros = i64::try_from(step.as_micros()).unwrap_or(1).max(1);
        let end = now
            .as_microsecond()
            .div_euclid(micros)
            .saturating_add(1)
            .saturating_mul(micros);
        let end = Timestamp::from_microsecond(end).unwrap_or(now);
        (end.saturating_sub(self.length()).unwrap_or(end), end, step)
    }
}

/// One server of the zone over the period.
struct ServerRow {
    name: Option<Name>,
    address: IpAddr,
    answered: Share,
    median_us: Option<u64>,
    p95_us: Option<u64>,
    /// The longest time that its serial was behind that of another; `None` where none of its serials was seen.
    lag: Option<SignedDuration>,
    /// The least that was left of a signature in its answers; `None` where it gave none.
    signature: Option<SignedDuration>,
    spark: Svg,
}

#[derive(Template)]
#[template(path = "zones/over_time.html")]
struct OverTime {
    page: Page,
    zone: Name,
    period: Period,
    from: Timestamp,
    to: Timestamp,
    chart: Svg,
    answered: Share,
    /// The life left of signatures, where any were seen, with the least of them.
    signatures: Option<(Svg, SignedDuration)>,
    servers: Vec<ServerRow>,
    more: usize,
    regions: Vec<RegionView>,
    /// `None` where the account may not see them.
    changes: Option<Vec<ZoneChange>>,
}

impl OverTime {
    fn percent(&self, share: &Share) -> String {
        crate::vantage::percent(*share)
    }

    fn lag(&self, lag: &SignedDuration) -> String {
        self.page.t1("zone-lag-seconds", "seconds", lag.as_secs())
    }
}

fn asked_for(page: &Page, zone: &str, wanted: &Wanted) -> Result<(Name, Period), WebError> {
    page.right(Capability::SeeWatchList)?;
    Ok((super::parse(zone)?, Period::of(&wanted.period)))
}

/// The page.
pub async fn over_time(
    State(app): State<App>,
    page: Page,
    Path(zone): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, WebError> {
    let (zone, period) = asked_for(&page, &zone, &wanted)?;
    let (from, to, step) = period.span(page.now);
    let own = own_servers(&app, &zone).await?;
    let series = series_of(&app, &zone, &own, (from, to, step)).await?;
    let totals = series_of(&app, &zone, &own, (from, to, period.length())).await?;
    let seen_from = app.lake.by_vantage_point(&zone, from, to).await?;
    let lags = lags(&app.lake.serial_runs(&zone, from, to).await?);
    let lives = lives_of(&app, &zone, &own, (from, to, step)).await?;
    let changes = super::changes(&app, &page, &zone, (from, to), CHANGES).await?;
    let steps = steps(&series, from, step);
    let mut servers: Vec<ServerRow> = totals
        .iter()
        .map(|total| ServerRow {
            name: total.server.clone(),
            address: total.address,
            answered: Share::of(total.answered, total.asked),
            median_us: total.rtt_median_us,
            p95_us: total.rtt_p95_us,
            lag: lags.get(&(total.server.clone(), total.address)).copied(),
            signature: least(lives.iter().filter(|life| life.address == total.address)),
            spark: charts::sparkline(&points(&series, total), page.texts()),
        })
        .collect();
    servers.sort_by(|a, b| (&a.name, a.address).cmp(&(&b.name, b.address)));
    let more = servers.len().saturating_sub(SERVERS);
    servers.truncate(SERVERS);
    shell::show(OverTime {
        chart: charts::answered(&steps, page.texts()).svg(),
        answered: steps.iter().map(|step| step.answered).sum(),
        signatures: least(&lives).map(|least| (signature_chart(&lives, from, step, &page).svg(), least)),
        servers,
        more,
        regions: regions::by_region(&seen_from, &vantage::list(&app.records).await?),
        changes,
        page,
        zone,
        period,
        from,
        to,
    })
}

/// `GET /zones/{zone}/over-time/{file}`: `answers` and `signatures` as `.svg`, `.png` and `.csv`,
/// `samples.csv` or `samples.parquet` of the period.
pub async fn file(
    State(app): State<App>,
    page: Page,
    Path((zone, file)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, WebError> {
    let (zone, period) = asked_for(&page, &zone, &wanted)?;
    let (from, to, step) = period.span(page.now);
    let name = format!("{}-{}-{file}", download::plain(&zone.to_string()), period.as_str());
    match file.as_str() {
        "answers.svg" | "answers.png" => {
            let own = own_servers(&app, &zone).await?;
            let series = series_of(&app, &zone, &own, (from, to, step)).await?;
            let steps = steps(&series, from, step);
            Ok(drawing(&name, &charts::answered(&steps, page.texts())))
        }
        "signatures.svg" | "signatures.png" => {
            let lives = lives_of(&app, &zone, &own_servers(&app, &zone).await?, (from, to, step)).await?;
            Ok(drawing(&name, &signature_chart(&lives, from, step, &page)))
        }
        "signatures.csv" => {
            let lives = lives_of(&app, &zone, &own_servers(&app, &zone).await?, (from, to, step)).await?;
            Ok(download::file(&name, CSV, signatures_csv(&lives)))
        }
        "answers.csv" => {
            let own = own_servers(&app, &zone).await?;
            let series = series_of(&app, &zone, &own, (from, to, step)).await?;
            Ok(download::file(&name, CSV, answers_csv(&series)))
        }
        "samples.csv" => {
            let samples = samples(&app, &zone, from, to).await?;
            Ok(download::file(&name, CSV, samples_csv(&samples)))
        }
        "samples.parquet" => {
            let samples = samples(&app, &zone, from, to).await?;
            let (_, octets) = lake::part::seal(&samples)?;
            // registered with IANA in 2024
            Ok(download::file(&name, "application/vnd.apache.parquet", octets))
        }
        _ => Err(WebError::NotFound),
    }
}

/// A chart as the file that its name says: SVG or PNG.
fn drawing(name: &str, chart: &Bars) -> Response {
    if name.ends_with(".png") {
        download::file(name, "image/png", chart.png())
    } else {
        download::file(name, "image/svg+xml", charts::alone(&chart.svg()).into_bytes())
    }
}

/// Addresses of the zone's own servers, as they are expected and as they were seen last. A round also asks the servers above, on its way
/// down from the root: how these answer is not the zone's matter.
async fn own_servers(app: &App, zone: &Name) -> Result<BTreeSet<IpAddr>, WebError> {
    let Some(watched) = watch::by_zone(&app.records, zone).await? else {
        return Ok(BTreeSet::new());
    };
    let state = watch::state(&app.records, watched.id).await?;
    let round = state.as_ref().map(|state| &state.round);
    let delegations = watched
        .watch
        .expected
        .iter()
        .chain(round.and_then(|round| round.seen.as_ref()));
    let glue = delegations.flat_map(|delegation| delegation.ns.values().flatten().copied());
    let found = round.map(|round| super::servers(&round.servers)).unwrap_or_default();
    Ok(glue.chain(found.iter().map(|server| server.address)).collect())
}

/// What the zone's own servers answered in each step; all that was asked where none of them is known.
async fn series_of(
    app: &App,
    zone: &Name,
    own: &BTreeSet<IpAddr>,
    (from, to, step): (Timestamp, Timestamp, SignedDuration),
) -> Result<Vec<RttPoint>, WebError> {
    let mut series = app.lake.rtt_series(zone, from, to, step).await?;
    series.retain(|point| is_own(own, point.address));
    Ok(series)
}

/// The life left of the signatures that the zone's own servers gave, in each step.
async fn lives_of(
    app: &App,
    zone: &Name,
    own: &BTreeSet<IpAddr>,
    (from, to, step): (Timestamp, Timestamp, SignedDuration),
) -> Result<Vec<SignatureLife>, WebError> {
    let mut lives = app.lake.signature_lives(zone, from, to, step).await?;
    lives.retain(|life| is_own(own, life.address));
    Ok(lives)
}

fn is_own(own: &BTreeSet<IpAddr>, address: IpAddr) -> bool {
    own.is_empty() || own.contains(&address)
}

fn least<'a>(lives: impl IntoIterator<Item = &'a SignatureLife>) -> Option<SignedDuration> {
    lives.into_iter().map(|life| life.left).min()
}

fn signature_chart(lives: &[SignatureLife], from: Timestamp, step: SignedDuration, page: &Page) -> Bars {
    let steps: Vec<(Timestamp, Option<SignedDuration>)> = (0..STEPS)
        .map(|number| {
            let time = from.saturating_add(step * number).unwrap_or(from);
            (time, least(lives.iter().filter(|life| life.time == time)))
        })
        .collect();
    charts::signature_life(&steps, page.texts())
}

async fn samples(app: &App, zone: &Name, from: Timestamp, to: Timestamp) -> Result<Vec<Sample>, WebError> {
    let totals = app.lake.rtt_series(zone, from, to, to.duration_since(from)).await?;
    let found: u64 = totals.iter().map(|total| total.asked).sum();
    if found > MOST_SAMPLES {
        return Err(WebError::Invalid(format!(
            "the period has {found} samples, a file at most {MOST_SAMPLES}; ask for a shorter period"
        )));
    }
    Ok(app.lake.samples(zone, from, to).await?)
}

/// The share of each step over all servers, with those in which nothing was asked.
fn steps(series: &[RttPoint], from: Timestamp, step: SignedDuration) -> Vec<Step> {
    (0..STEPS)
        .map(|number| {
            let time = from.saturating_add(step * number).unwrap_or(from);
            let of_step = series.iter().filter(|point| point.time == time);
            let answered = of_step.map(|point| Share::of(point.answered, point.asked)).sum();
            Step { time, answered }
        })
        .collect()
}

fn points(series: &[RttPoint], server: &RttPoint) -> Vec<Point> {
    let own = series
        .iter()
        .filter(|point| (&point.server, point.address) == (&server.server, server.address));
    own.map(|point| Point {
        time: point.time,
        asked: point.asked,
        answered: point.answered,
        rtt_us: point.rtt_median_us,
    })
    .collect()
}

type Lags = std::collections::BTreeMap<(Option<Name>, IpAddr), SignedDuration>;

fn lags(runs: &[SerialRun]) -> Lags {
    // what a server had is behind or not from the first sight of it to the last
    let mut seen: Vec<serial_lag::Seen<(Option<Name>, IpAddr)>> = runs
        .iter()
        .flat_map(|run| {
            [run.seen.0, run.seen.1].map(|time| serial_lag::Seen {
                time,
                server: (run.server.clone(), run.address),
                serial: run.serial,
            })
        })
        .collect();
    seen.sort_by_key(|one| one.time);
    serial_lag::longest(&seen)
}

/// A line for each step and server.
fn answers_csv(series: &[RttPoint]) -> Vec<u8> {
    let rows = series.iter().map(|point| {
        [
            point.time.to_string(),
            point.server.as_ref().map(Name::to_string).unwrap_or_default(),
            point.address.to_string(),
            point.asked.to_string(),
            point.answered.to_string(),
            number(point.rtt_median_us),
            number(point.rtt_p95_us),
        ]
    });
    csv(
        &[
            "time",
            "server",
            "address",
            "asked",
            "answered",
            "rtt_median_us",
            "rtt_p95_us",
        ],
        rows,
    )
}

/// A line for each step and server that gave signatures.
fn signatures_csv(lives: &[SignatureLife]) -> Vec<u8> {
    let rows = lives.iter().map(|life| {
        [
            life.time.to_string(),
            life.address.to_string(),
            life.left.as_secs().to_string(),
        ]
    });
    csv(&["time", "address", "signature_left_secs"], rows)
}

/// A line for each sample, in the columns of the table `sample`.
fn samples_csv(samples: &[Sample]) -> Vec<u8> {
    let rows = samples.iter().map(|sample| {
        [
            sample.time.to_string(),
            sample.probe.clone(),
            sample.zone.to_string(),
            sample.server.as_ref().map(Name::to_string).unwrap_or_default(),
            sample.address.to_string(),
            sample.transport.as_str().to_owned(),
            sample.qname.to_string(),
            sample.qtype.to_string(),
            sample.outcome.as_str().to_owned(),
            number(sample.rtt_us),
            number(sample.rcode),
            sample.authoritative.to_string(),
            sample.truncated.to_string(),
            number(sample.serial),
            sample.nsid.clone().unwrap_or_default(),
            number(sample.size_bytes),
            number(sample.flags),
            number(sample.attempts),
            number(sample.validated),
            number(sample.signature_expiration),
        ]
    });
    let columns = [
        "time",
        "probe",
        "zone",
        "server",
        "address",
        "transport",
        "qname",
        "qtype",
        "outcome",
        "rtt_us",
        "rcode",
        "authoritative",
        "truncated",
        "serial",
        "nsid",
        "size_bytes",
        "flags",
        "attempts",
        "validated",
        "signature_expiration",
    ];
    csv(&columns, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_ends_with_the_present_step_and_its_steps_are_whole() {
        let now: Timestamp = "2026-11-26T10:17:42Z".parse().unwrap();
        for (period, from, to) in [
            (Period::Day, "2026-11-25T10:30:00Z", "2026-11-26T10:30:00Z"),
            (Period::Hour, "2026-11-26T09:18:45Z", "2026-11-26T10:18:45Z"),
        ] {
            let (begin, end, step) = period.span(now);
            assert_eq!((begin.to_string().as_str(), end.to_string().as_str()), (from, to));
            assert_eq!(step * STEPS, period.length());
        }
    }
}
