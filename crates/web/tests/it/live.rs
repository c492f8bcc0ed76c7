//! Live pages: an open stream says when it is time to look again.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use csirt::watch::{self, Round, Watch};
use csirt::{Actor, Records};
use futures_util::StreamExt as _;
use jiff::SignedDuration;

use crate::world::{World, furnished, name};

/// Longer than any stream takes to tell what happened.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stream that is open.
struct Stream(axum::body::BodyDataStream);

impl Stream {
    async fn open(world: &World, path: &str, cookie: &str) -> Result<Self, StatusCode> {
        let request = Request::get(path).header(header::COOKIE, cookie);
        let response = world.respond(request.body(Body::empty()).unwrap()).await;
        match response.status() {
            StatusCode::OK => Ok(Self(response.into_body().into_data_stream())),
            status => Err(status),
        }
    }

    /// The next event as it is sent.
    async fn next(&mut self) -> String {
        let frame = tokio::time::timeout(PATIENCE, self.0.next()).await;
        let frame = frame.expect("an event comes").expect("the stream is open").unwrap();
        String::from_utf8(frame.to_vec()).unwrap()
    }
}

/// Keeps a round on the zone `example`, in which nothing was found.
async fn measure(records: &Records) {
    let watched = watch::by_zone(records, &name("example")).await.unwrap().unwrap();
    let last = watch::state(records, watched.id).await.unwrap().unwrap();
    let round = Round {
        time: last.round.time + SignedDuration::from_secs(1),
        findings: Vec::new(),
        ..last.round
    };
    watch::record_round(records, watched.id, round).await.unwrap();
}

#[tokio::test]
async fn a_round_is_told_to_the_public_page_and_to_those_of_zones_but_not_to_the_queue() {
    let world = furnished().await.world;
    let cookie = world.sign_in("duty").await;
    let mut public = Stream::open(&world, "/live/status", "").await.unwrap();
    let mut zones = Stream::open(&world, "/live?of=zones", &cookie).await.unwrap();
    let mut alerts = Stream::open(&world, "/live?of=alerts", &cookie).await.unwrap();
    measure(&world.app.records).await;
    assert!(zones.next().await.contains("event: changed"));
    // all that a stranger learns is that it is time to look again
    assert_eq!(public.next().await, "event: changed\ndata: status\n\n");
    assert!(
        tokio::time::timeout(Duration::from_secs(2), alerts.0.next())
            .await
            .is_err(),
        "a round is no alert"
    );
}

#[tokio::test]
async fn a_round_of_another_centre_on_the_same_records_is_told_too() {
    let world = furnished().await.world;
    let mut public = Stream::open(&world, "/live/status", "").await.unwrap();
    let other = Records::open(&world.records_url(), world.clock.clone()).await.unwrap();
    measure(&other).await;
    assert!(public.next().await.contains("event: changed"));
}

#[tokio::test]
async fn a_stream_rests_a_second_after_each_event_and_tells_all_that_happened_by_one() {
    let world = furnished().await.world;
    let mut public = Stream::open(&world, "/live/status", "").await.unwrap();
    let begun = std::time::Instant::now();
    for _ in 0..5 {
        measure(&world.app.records).await;
    }
    public.next().await;
    let watch = Watch::new(name("later.example"));
    watch::add(&world.app.records, Actor::System, &watch).await.unwrap();
    public.next().await;
    assert!(begun.elapsed() >= Duration::from_secs(1), "the second came at once");
    let third = tokio::time::timeout(Duration::from_secs(2), public.0.next()).await;
    assert!(third.is_err(), "{third:?}");
}

#[tokio::test]
async fn there_is_an_end_to_public_streams_and_a_place_again_when_one_closes() {
    let world = World::empty().await;
    let mut open = Vec::new();
    let refused = loop {
        match Stream::open(&world, "/live/status", "").await {
            Ok(stream) => open.push(stream),
            Err(status) => break status,
        }
        assert!(open.len() < 10_000, "there is no end");
    };
    assert_eq!(refused, StatusCode::SERVICE_UNAVAILABLE);
    open.pop();
    assert!(Stream::open(&world, "/live/status", "").await.is_ok());
}

#[tokio::test]
async fn every_page_listens_at_an_address_that_answers() {
    let world = furnished().await.world;
    let cookie = world.sign_in("ada").await;
    for path in ["/", "/zones", "/zones/example", "/alerts", "/cases"] {
        let page = world.get_as(path, &cookie).await.body;
        let at = page.split("data-live=\"").nth(1).unwrap_or_else(|| panic!("{path}"));
        let at = at.split('"').next().unwrap();
        assert!(
            Stream::open(&world, at, &cookie).await.is_ok(),
            "{path} listens at {at}"
        );
    }
}
