//! What a vantage point may do, by its own token: read its plan, hand over what it saw, say how it is. Nothing else takes
//! this token, and nothing here takes another. One that asks hands over samples, a sensor what it observed, and neither can hand over
//! what is the other's.

use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use csirt::vantage::{self, PartFigures, Report, Terms, VantagePoint};
use lake::passive::{Brought, Source};
use lake::{Limits, PartId, Refusal, part};
use model::{Outcome, Sample, Timestamp, Transport};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Refusal as Refused;
use super::listing::{self, Problem, answer};
use crate::{App, WebError};

/// RCODEs that answer a question (IANA RCODEs): NOERROR and NXDOMAIN.
const ANSWERS: [u16; 2] = [0, 3];

/// The vantage point that calls.
pub struct Probe(VantagePoint);

impl FromRequestParts<App> for Probe {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let value = parts.headers.get(header::AUTHORIZATION).ok_or(Refused::Unknown)?;
        let text = value.to_str().map_err(|_| Refused::Unknown)?;
        let (scheme, token) = text.split_once(' ').ok_or(Refused::Unknown)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Refused::Unknown);
        }
        let found = vantage::by_token(&app.records, token.trim()).await?;
        found.map(Self).ok_or(Refused::Unknown)
    }
}

/// What a vantage point is to ask. Answers 304 while it stays the same, and 409 to a sensor, which has nothing to ask.
#[utoipa::path(get, path = "/api/v1/probe/plan", tag = "vantage points", security(("probe" = [])),
    responses((status = 200, body = Object), (status = 304), (status = 401, body = Problem), (status = 409, body = Problem)))]
pub async fn plan(
    State(app): State<App>,
    Probe(vantage_point): Probe,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    if vantage_point.terms.is_some() {
        let reason = "this is the token of a sensor, which asks nothing: run `dnscert sensor`";
        return Err(WebError::Conflict(reason.to_owned()).into());
    }
    let zones = app.plans.zones(&app).await?;
    answer(&headers, &vantage::plan_for(&vantage_point, &app.settings.plan, &zones))
}

/// What became of a part.
#[derive(Serialize, ToSchema)]
pub struct Taken {
    /// Samples, of a sensor rows, taken from it now; 0 when it was taken before.
    samples: usize,
}

/// Takes a sealed part under the SHA-256 of its octets: a Parquet file of samples; of a sensor, lines of JSON in a Zstandard frame (503
/// while the centre's passive DNS is open elsewhere: hand it over again later). The same part again answers 200 and changes nothing.
/// One that is refused is kept aside, and must not come again as it is.
#[utoipa::path(put, path = "/api/v1/probe/parts/{part}", tag = "vantage points", params(("part" = String, Path)), security(("probe" = [])),
    request_body(content = String, content_type = "application/vnd.apache.parquet", description = "The octets of the file."),
    responses((status = 201, body = Taken), (status = 200, body = Taken), (status = 401, body = Problem), (status = 413, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub async fn part(
    State(app): State<App>,
    Probe(vantage_point): Probe,
    headers: HeaderMap,
    Path(part): Path<String>,
    octets: Bytes,
) -> Result<(StatusCode, Response), Refused> {
    let part: PartId = part
        .parse()
        .map_err(|error: part::PartIdError| WebError::Invalid(error.to_string()))?;
    if let Some(terms) = &vantage_point.terms {
        let rows = observed(&app, &vantage_point, terms, part, octets).await?;
        let status = if rows > 0 { StatusCode::CREATED } else { StatusCode::OK };
        return Ok((status, answer(&headers, &Taken { samples: rows })?));
    }
    if app.lake.knows_part(&part) {
        return Ok((StatusCode::OK, answer(&headers, &Taken { samples: 0 })?));
    }
    let (name, now, body) = (vantage_point.profile.name.clone(), app.clock.now(), octets.clone());
    let opened = tokio::task::spawn_blocking(move || opened(part, &body, &name, now));
    let samples = match opened.await.map_err(WebError::internal)? {
        Ok(samples) => samples,
        Err(refusal) => return Err(refused(&app, &vantage_point, part, &octets, &refusal).await),
    };
    let figures = figures(&samples);
    let count = samples.len();
    let is_new = app.lake.take_part(part, samples, now).await?;
    if !is_new {
        return Ok((StatusCode::OK, answer(&headers, &Taken { samples: 0 })?));
    }
    note(&app, &vantage_point, &figures).await;
    Ok((StatusCode::CREATED, answer(&headers, &Taken { samples: count })?))
}

/// Notes a part that was taken. It is safe already: what is only shown may not turn that into a failure.
async fn note(app: &App, vantage_point: &VantagePoint, figures: &PartFigures) {
    if let Err(error) = vantage::note_part(&app.records, vantage_point.id, figures).await {
        tracing::error!(
            vantage_point = vantage_point.profile.name,
            "a part was taken but not noted: {error}"
        );
    }
}

/// Takes a part of a sensor, under the word of its own source: how many rows are new.
async fn observed(
    app: &App,
    sensor: &VantagePoint,
    terms: &Terms,
    part: PartId,
    octets: Bytes,
) -> Result<usize, Refused> {
    let (now, body) = (app.clock.now(), octets.clone());
    let opened = tokio::task::spawn_blocking(move || {
        let found = PartId::of(&body);
        match found == part {
            true => part::observed::open(&body, now, &Limits::default()),
            false => Err(Refusal::Hash(found)),
        }
    });
    let observed = match opened.await.map_err(WebError::internal)? {
        Ok(observed) => observed,
        Err(refusal) => return Err(refused(app, sensor, part, &octets, &refusal).await),
    };
    let figures = PartFigures {
        samples: observed.rows() as u64,
        newest: newest(&observed).unwrap_or(now),
        answered: 0,
        udp_median_us: None,
    };
    let rows = observed.rows();
    if !app
        .lake
        .take_observed(part, source(sensor, terms), observed, now)
        .await?
    {
        return Ok(0);
    }
    note(app, sensor, &figures).await;
    Ok(rows)
}

/// The source of a sensor's rows. No vantage point's name has a dot: no other source is its own.
fn source(sensor: &VantagePoint, terms: &Terms) -> Source {
    Source {
        id: format!("sensor.{}", sensor.profile.name),
        owner: terms.owner.clone(),
        licence: terms.licence.clone(),
        tlp: terms.tlp,
        legal_basis: terms.legal_basis.clone(),
    }
}

fn newest(observed: &Brought) -> Option<Timestamp> {
    let rrsets = observed.rrsets.iter().map(|rrset| rrset.last);
    let evidence = observed.evidence.iter().map(|piece| piece.last);
    let minutes = observed.traffic.iter().map(|cell| cell.minute);
    let distincts = observed.distincts.iter().map(|cell| cell.minute);
    let clients = observed.clients.iter().map(|cell| cell.minute);
    let malformed = observed.malformed.iter().map(|message| message.time);
    rrsets
        .chain(evidence)
        .chain(minutes)
        .chain(distincts)
        .chain(clients)
        .chain(malformed)
        .max()
}

/// The samples of a part, if it is what it says and this vantage point may hand it over.
fn opened(part: PartId, octets: &[u8], probe: &str, now: Timestamp) -> Result<Vec<Sample>, Refusal> {
    let limits = Limits::default();
    let found = PartId::of(octets);
    if found != part {
        return Err(Refusal::Hash(found));
    }
    let samples = part::open(octets, &limits)?;
    part::check(&samples, probe, now, &limits)?;
    Ok(samples)
}

/// Keeps a refused part aside with the reason, and tells it.
async fn refused(app: &App, vantage_point: &VantagePoint, part: PartId, octets: &[u8], refusal: &Refusal) -> Refused {
    let reason = refusal.to_string();
    let name = &vantage_point.profile.name;
    tracing::warn!(vantage_point = name, %part, reason, "a part was refused");
    if let Err(error) = app.lake.set_aside(name, part, octets, &reason).await {
        tracing::error!(vantage_point = name, %part, "the refused part could not be kept aside: {error}");
    }
    if let Err(error) = vantage::note_refusal(&app.records, vantage_point.id, &reason).await {
        tracing::error!(vantage_point = name, %part, "the refusal could not be noted: {error}");
    }
    WebError::Invalid(format!("the part is refused: {reason}")).into()
}

fn figures(samples: &[Sample]) -> PartFigures {
    let is_answered = |sample: &&Sample| {
        sample.outcome == Outcome::Answer && sample.rcode.is_some_and(|rcode| ANSWERS.contains(&rcode))
    };
    let over_udp = samples.iter().filter(|sample| sample.transport == Transport::Udp);
    let mut rtts: Vec<u64> = over_udp.filter_map(|sample| sample.rtt_us).collect();
    PartFigures {
        samples: samples.len() as u64,
        newest: samples.iter().map(|sample| sample.time).max().unwrap_or_default(),
        answered: samples.iter().filter(is_answered).count() as u64,
        udp_median_us: metrics::percentile::median(&mut rtts),
    }
}

/// How a vantage point is.
#[derive(Deserialize, ToSchema)]
pub struct Said {
    /// Version of its software.
    version: String,
    /// Its clock less the centre's in microseconds, from the exchange before; absent at the first.
    #[serde(default)]
    clock_offset_us: Option<i64>,
    /// Round trip of that exchange in microseconds.
    #[serde(default)]
    round_trip_us: Option<i64>,
    /// Parts that wait in its spool.
    spool_parts: u64,
    /// Their octets.
    spool_bytes: u64,
    /// Since when the oldest of them waits.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    oldest_part: Option<Timestamp>,
    /// Samples, of a sensor rows, that its spool had no room for, since it was set up.
    #[serde(default)]
    dropped_samples: u64,
    /// Packets that passed a sensor and that it could not read, since it was started.
    #[serde(default)]
    lost_packets: u64,
}

/// The centre's clock, by which a vantage point finds how wrong its own is (RFC 5905 §8).
#[derive(Serialize, ToSchema)]
pub struct Clocks {
    /// When the centre read the call.
    #[schema(value_type = String, format = DateTime)]
    received: Timestamp,
    /// When it answered.
    #[schema(value_type = String, format = DateTime)]
    answered: Timestamp,
}

/// Takes what a vantage point says of itself.
#[utoipa::path(post, path = "/api/v1/probe/state", tag = "vantage points", request_body = Said, security(("probe" = [])),
    responses((status = 200, body = Clocks), (status = 401, body = Problem), (status = 422, body = Problem)))]
pub async fn state(
    State(app): State<App>,
    Probe(vantage_point): Probe,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let received = app.clock.now();
    let said: Said = listing::read(&body)?;
    let report = Report {
        version: said.version.chars().filter(|sign| !sign.is_control()).collect(),
        clock_offset_us: said.clock_offset_us,
        round_trip_us: said.round_trip_us,
        spool_parts: said.spool_parts,
        spool_bytes: said.spool_bytes,
        oldest_part: said.oldest_part,
        dropped_samples: said.dropped_samples,
        lost_packets: said.lost_packets,
    };
    vantage::report(&app.records, vantage_point.id, &report).await?;
    let answered = app.clock.now();
    answer(&headers, &Clocks { received, answered })
}
