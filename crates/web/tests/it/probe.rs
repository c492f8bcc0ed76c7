//! Vantage points as the centre meets them: a token that opens three doors, parts that are taken once, and a page.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use csirt::accounts::{self, Scope};
use csirt::directory::Region;
use csirt::vantage::{self, Place, Profile, Terms};
use csirt::{Actor, audit};
use jiff::SignedDuration;
use lake::PartId;
use lake::part::{observed, seal};
use lake::passive::Brought;
use model::{Outcome, Plan, Sample, Span, Timestamp, Tlp, TrafficCell, TrafficCounts, Transport};
use serde_json::Value;

use super::html;
use super::rooms::{busy, main_of};
use super::world::{Answer, Furnished, World, name, now};

async fn registered(world: &World, name: &str, region: Region) -> String {
    let made = vantage::create(&world.app.records, Actor::System, profile(name, region)).await;
    made.unwrap().1.reveal().to_owned()
}

/// A sensor, and its token.
async fn registered_sensor(world: &World, name: &str) -> String {
    let terms = Terms {
        owner: "Example Net".to_owned(),
        licence: "agreement 17".to_owned(),
        tlp: Tlp::Green,
        legal_basis: "contract".to_owned(),
    };
    let profile = profile(name, Region::Af);
    let made = vantage::create_sensor(&world.app.records, Actor::System, profile, terms).await;
    made.unwrap().1.reveal().to_owned()
}

fn profile(name: &str, region: Region) -> Profile {
    Profile {
        name: name.to_owned(),
        operator: None,
        place: Place {
            region,
            country: "KE".to_owned(),
            city: "Nairobi".to_owned(),
            coordinates: "-1.3,36.8".parse().unwrap(),
        },
        network: "Example Net".to_owned(),
        asn: Some(64_500),
        ipv4: true,
        ipv6: false,
    }
}

/// Samples of one vantage point, one a second before now.
fn samples(probe: &str, count: i64) -> Vec<Sample> {
    let sample = |second: i64| Sample {
        time: now() - SignedDuration::from_secs(second),
        probe: probe.to_owned(),
        zone: name("example"),
        server: Some(name("ns1.nic.example")),
        address: "192.0.2.53".parse().unwrap(),
        transport: if second % 2 == 0 {
            Transport::Udp
        } else {
            Transport::Tcp
        },
        qname: name("example"),
        qtype: 6,
        outcome: if second == 1 { Outcome::Timeout } else { Outcome::Answer },
        rtt_us: (second != 1).then_some(21_000),
        rcode: (second != 1).then_some(0),
        authoritative: true,
        truncated: false,
        serial: Some(7),
        nsid: Some("nbo".to_owned()),
        size_bytes: Some(90),
        flags: Some(0x8400),
        attempts: Some(1),
        validated: Some(true),
        signature_expiration: None,
    };
    (1..=count).map(sample).collect()
}

async fn call(world: &World, method: &str, path: &str, token: &str, body: Vec<u8>) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"));
    world.send(request.body(Body::from(body)).unwrap()).await
}

async fn put(world: &World, token: &str, part: &PartId, octets: &[u8]) -> Answer {
    call(
        world,
        "PUT",
        &format!("/api/v1/probe/parts/{part}"),
        token,
        octets.to_vec(),
    )
    .await
}

/// What the lake has about `example` of each vantage point.
async fn in_lake(world: &World) -> Vec<lake::SeenFrom> {
    let zone = name("example");
    let seen = world.app.lake.by_vantage_point(&zone, Timestamp::MIN, Timestamp::MAX);
    seen.await.unwrap()
}

async fn taken(world: &World, probe: &str) -> usize {
    let seen = in_lake(world).await;
    let of_probe = seen.iter().find(|seen| seen.probe == probe);
    of_probe.map_or(0, |seen| usize::try_from(seen.asked).unwrap())
}

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{}", answer.body))
}

#[tokio::test]
async fn the_token_of_a_vantage_point_opens_its_three_doors_and_no_other() {
    let furnished = busy().await;
    let world = &furnished.world;
    let token = registered(world, "nbo1", Region::Af).await;
    let document: Value = serde_json::from_str(&web::api::document()).unwrap();
    let mut doors = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let filled = path
                .replace("{zone}", "example")
                .replace("{request}", "1")
                .replace("{number}", "DNSCERT-2026-00001")
                .replace("{id}", "01890a5d-ac96-774b-bcce-b302099a8057")
                .replace("{part}", &PartId::of(b"").to_string());
            let is_public =
                [("/api/v1/status", "get"), ("/api/v1/reports", "post")].contains(&(path.as_str(), method.as_str()));
            let answer = call(world, &method.to_uppercase(), &filled, &token, b"{}".to_vec()).await;
            if answer.status != StatusCode::UNAUTHORIZED && !is_public {
                doors.push(format!("{method} {path} {}", answer.status.as_u16()));
            }
        }
    }
    doors.sort();
    let expected = [
        "get /api/v1/probe/plan 200",
        "post /api/v1/probe/state 422",
        "put /api/v1/probe/parts/{part} 422",
    ];
    assert_eq!(doors, expected);
    for page in ["/zones", "/centre", "/vantage", "/cases"] {
        let answer = call(world, "GET", page, &token, Vec::new()).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{page} wants a person");
    }
}

#[tokio::test]
async fn no_other_token_and_no_revoked_one_hands_over_samples() {
    let furnished = busy().await;
    let world = &furnished.world;
    let records = &world.app.records;
    let account = accounts::by_name(records, "duty").await.unwrap().unwrap();
    let of_account = accounts::create_token(records, Actor::System, account.id, "test", Scope::Write).await;
    let of_account = of_account.unwrap().1.reveal().to_owned();
    let token = registered(world, "nbo1", Region::Af).await;
    let (part, octets) = seal(&samples("nbo1", 5)).unwrap();
    for wrong in ["", "dnscert_probe_x", &of_account, &token[..token.len() - 1]] {
        let answer = put(world, wrong, &part, &octets).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{wrong}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(
            call(world, "GET", "/api/v1/probe/plan", wrong, Vec::new()).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    let point = vantage::by_name(records, "nbo1").await.unwrap().unwrap();
    vantage::revoke(records, Actor::System, point.id).await.unwrap();
    assert_eq!(
        put(world, &token, &part, &octets).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(taken(world, "nbo1").await, 0);
}

#[tokio::test]
async fn a_part_is_taken_once_however_often_it_comes() {
    let furnished = busy().await;
    let world = &furnished.world;
    let token = registered(world, "nbo1", Region::Af).await;
    let (part, octets) = seal(&samples("nbo1", 10)).unwrap();
    let first = put(world, &token, &part, &octets).await;
    assert_eq!(
        (first.status, json(&first)["samples"].as_u64()),
        (StatusCode::CREATED, Some(10))
    );
    for _ in 0..3 {
        let again = put(world, &token, &part, &octets).await;
        assert_eq!(
            (again.status, json(&again)["samples"].as_u64()),
            (StatusCode::OK, Some(0))
        );
    }
    world.app.lake.flush().await.unwrap();
    assert_eq!(put(world, &token, &part, &octets).await.status, StatusCode::OK);
    assert_eq!(taken(world, "nbo1").await, 10);
    let (_, state) = vantage::states(&world.app.records).await.unwrap().remove(0);
    assert_eq!((state.parts, state.samples), (1, 10));
    let newest = state.newest.unwrap();
    assert_eq!(
        (newest.samples, newest.answered, newest.newest),
        (10, 9, now() - SignedDuration::from_secs(1))
    );
    assert_eq!(newest.udp_median_us, Some(21_000));
}

#[tokio::test]
async fn a_bad_part_is_refused_with_its_reason_and_lies_aside() {
    let furnished = busy().await;
    let world = &furnished.world;
    let token = registered(world, "nbo1", Region::Af).await;
    let (part, octets) = seal(&samples("nbo1", 10)).unwrap();
    let (foreign, of_other) = seal(&samples("fra1", 10)).unwrap();
    let mut old = samples("nbo1", 2);
    old[1].time = now() - SignedDuration::from_hours(24 * 8);
    let (old, of_last_week) = seal(&old).unwrap();
    let mut spoilt = octets.clone();
    spoilt[100] ^= 0xff;
    let cases: [(&PartId, &[u8], &str); 5] = [
        (&part, &spoilt, "its SHA-256 is"),
        (&part, b"", "its SHA-256 is"),
        (&PartId::of(b"hello"), b"hello", "it is no part"),
        (&foreign, &of_other, "of vantage point `fra1`, not of `nbo1`"),
        (&old, &of_last_week, "too long ago"),
    ];
    for (id, octets, reason) in cases {
        let answer = put(world, &token, id, octets).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{reason}");
        let detail = json(&answer)["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.contains("the part is refused") && detail.contains(reason),
            "{detail}"
        );
    }
    assert_eq!((taken(world, "nbo1").await, taken(world, "fra1").await), (0, 0));
    let (_, state) = vantage::states(&world.app.records).await.unwrap().remove(0);
    assert_eq!((state.refused_parts, state.parts), (5, 0));
    assert!(state.refused.unwrap().1.contains("too long ago"));
    let page = world.get_as("/vantage", &furnished.world.sign_in("duty").await).await;
    assert!(page.body.contains("too long ago"), "the team sees why");
    // The good one is not harmed by the bad ones of its name.
    assert_eq!(put(world, &token, &part, &octets).await.status, StatusCode::CREATED);
    let bad_name = call(
        world,
        "PUT",
        "/api/v1/probe/parts/..%2f..%2fetc",
        &token,
        octets.clone(),
    )
    .await;
    assert_eq!(bad_name.status, StatusCode::UNPROCESSABLE_ENTITY);
    let huge = call(
        world,
        "PUT",
        &format!("/api/v1/probe/parts/{part}"),
        &token,
        vec![0; 5 << 20],
    )
    .await;
    assert!(
        huge.status.is_client_error() || huge.status == StatusCode::OK,
        "{}",
        huge.status
    );
}

#[tokio::test]
async fn a_plan_is_pulled_and_not_sent_again_while_it_is_the_same() {
    let furnished = busy().await;
    let world = &furnished.world;
    let token = registered(world, "nbo1", Region::Af).await;
    let first = call(world, "GET", "/api/v1/probe/plan", &token, Vec::new()).await;
    let plan: Plan = serde_json::from_str(&first.body).unwrap();
    assert_eq!((plan.vantage_point.as_str(), plan.check()), ("nbo1", Ok(())));
    assert!(plan.zones.iter().any(|zone| zone.zone == name("example")), "{plan:?}");
    let etag = first.header("etag").to_owned();
    let again = |etag: String| {
        let request = Request::get("/api/v1/probe/plan")
            .header("authorization", format!("Bearer {token}"))
            .header("if-none-match", etag);
        world.send(request.body(Body::empty()).unwrap())
    };
    assert_eq!(again(etag.clone()).await.status, StatusCode::NOT_MODIFIED);
    let new = csirt::watch::Watch {
        expected: plan.zones.first().map(|zone| model::Delegation {
            ns: zone.servers.clone(),
            ds: Default::default(),
        }),
        ..csirt::watch::Watch::new(name("new.example"))
    };
    csirt::watch::add(&world.app.records, Actor::System, &new)
        .await
        .unwrap();
    world.clock.advance(SignedDuration::from_secs(30));
    let changed = again(etag).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert!(changed.body.contains("new.example"));
}

#[tokio::test]
async fn a_vantage_point_says_how_it_is_and_learns_the_centre_s_time() {
    let furnished = busy().await;
    let world = &furnished.world;
    let token = registered(world, "nbo1", Region::Af).await;
    let said = r#"{"version":"0.1.0\u0000","clock_offset_us":-2500000,"round_trip_us":41000,"spool_parts":3,
        "spool_bytes":27000,"oldest_part":"2026-03-01T11:00:00Z","dropped_samples":12,"later":"ignored"}"#;
    let answer = call(world, "POST", "/api/v1/probe/state", &token, said.as_bytes().to_vec()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(json(&answer)["received"], "2026-03-01T12:00:00Z");
    let cookie = world.sign_in("duty").await;
    let page = world.get_as("/vantage", &cookie).await;
    for shown in [
        "nbo1",
        "Nairobi",
        "Africa",
        "AS64500",
        "2500 ms off",
        "Parts: 3, 27 KB",
        "no room for: 12",
        "0.1.0",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    let wrong = call(world, "POST", "/api/v1/probe/state", &token, b"[]".to_vec()).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(matches!(
        audit::verify(&world.app.records).await.unwrap(),
        audit::Chain::Whole { .. }
    ));
}

#[tokio::test]
async fn the_page_registers_renews_and_revokes_and_shows_the_token_once() {
    let furnished = busy().await;
    let world = &furnished.world;
    let cookie = world.sign_in("duty").await;
    let page = world.get_as("/vantage", &cookie).await;
    assert_eq!(page.status, StatusCode::OK);
    let csrf = page.field("csrf");
    let fields = |change: (&'static str, &'static str)| -> Vec<(&'static str, String)> {
        let usual = [
            ("csrf", csrf.clone()),
            ("name", "nrt1".to_owned()),
            ("area", "AP".to_owned()),
            ("country", "jp".to_owned()),
            ("city", "東京".to_owned()),
            ("coordinates", "35.68, 139.69".to_owned()),
            ("network", String::new()),
            ("asn", "AS64501".to_owned()),
            ("families", "both".to_owned()),
            ("organisation", String::new()),
        ];
        let set = |(field, value): (&'static str, String)| {
            if field == change.0 {
                (field, change.1.to_owned())
            } else {
                (field, value)
            }
        };
        usual.into_iter().map(set).collect()
    };
    let post = async |fields: Vec<(&'static str, String)>| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        world.post("/vantage", &cookie, &fields).await
    };
    for (field, value) in [
        ("name", "Tokyo 1"),
        ("name", "centre"),
        ("area", ""),
        ("country", "JPN"),
        ("city", ""),
        ("coordinates", "Tokyo"),
        ("asn", "many"),
        ("organisation", "nobody"),
    ] {
        let answer = post(fields((field, value))).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}={value}");
        assert!(
            answer.body.contains(&format!("id=\"{field}-error\"")),
            "{field}: {}",
            answer.body
        );
    }
    let made = post(fields(("", ""))).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    let token = |answer: &Answer| {
        let from = answer.body.find("dnscert_probe_").unwrap();
        answer.body[from..].split('<').next().unwrap().to_owned()
    };
    let first = token(&made);
    assert!(
        made.body
            .contains("dnscert probe --centre https://dnscert.example --token nrt1.token")
    );
    assert!(!world.get_as("/vantage", &cookie).await.body.contains("dnscert_probe_"));
    let twice = post(fields(("", ""))).await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY);

    // a sensor has terms besides
    let sensor = |owner: &str| {
        let mut fields = fields(("name", "nrt2"));
        let terms = [
            ("does", "sensor"),
            ("owner", owner),
            ("licence", "agreement 17"),
            ("tlp", "TLP:AMBER"),
            ("legal_basis", "contract"),
        ];
        fields.extend(terms.map(|(field, value)| (field, value.to_owned())));
        fields
    };
    let lacking = post(sensor("")).await;
    assert_eq!(lacking.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(lacking.body.contains("id=\"owner-error\""), "{}", lacking.body);
    assert!(lacking.body.contains("value=\"agreement 17\""), "what was typed stays");
    let made = post(sensor("Example Net")).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    assert!(
        made.body.contains("dnscert_sensor_")
            && made
                .body
                .contains("dnscert sensor --centre https://dnscert.example --token nrt2.token")
    );
    let shown = world.get_as("/vantage/nrt2", &cookie).await.body;
    assert!(shown.contains("Example Net") && shown.contains("TLP:AMBER"), "{shown}");

    let renewed = world.post("/vantage/nrt1/token", &cookie, &[("csrf", &csrf)]).await;
    let second = token(&renewed);
    assert_ne!(first, second);
    let status = async |token: &str| call(world, "GET", "/api/v1/probe/plan", token, Vec::new()).await.status;
    assert_eq!(
        (status(&first).await, status(&second).await),
        (StatusCode::UNAUTHORIZED, StatusCode::OK)
    );
    let revoked = world.post("/vantage/nrt1/revoke", &cookie, &[("csrf", &csrf)]).await;
    assert_eq!(revoked.status, StatusCode::SEE_OTHER);
    assert_eq!(status(&second).await, StatusCode::UNAUTHORIZED);
    assert_eq!(
        world
            .post("/vantage/gone/revoke", &cookie, &[("csrf", &csrf)])
            .await
            .status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_sensor_hands_over_what_it_observed_and_is_shown_with_its_terms_and_losses() {
    let furnished = busy().await;
    let world = &furnished.world;
    let token = registered_sensor(world, "ns1").await;
    let plan = call(world, "GET", "/api/v1/probe/plan", &token, Vec::new()).await;
    assert_eq!(plan.status, StatusCode::CONFLICT);
    let brought = Brought {
        traffic: vec![TrafficCell {
            minute: now(),
            span: Span::Minute,
            key: None,
            counts: TrafficCounts::default(),
        }],
        ..Brought::default()
    };
    let part = observed::seal("w", brought).unwrap().remove(0);
    let taken = put(world, &token, &part.id, &part.octets).await;
    assert_eq!(taken.status, StatusCode::CREATED);
    let (samples, octets) = seal(&samples("ns1", 1)).unwrap();
    assert_eq!(
        put(world, &token, &samples, &octets).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let probe = registered(world, "nbo1", Region::Af).await;
    let foreign = put(world, &probe, &part.id, &part.octets).await;
    assert_eq!(
        foreign.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "a probe has no observations"
    );
    let said = r#"{"version":"0.1.0","spool_parts":0,"spool_bytes":0,"dropped_samples":5,"lost_packets":17}"#;
    call(world, "POST", "/api/v1/probe/state", &token, said.as_bytes().to_vec()).await;
    let cookie = world.sign_in("duty").await;
    let page = world.get_as("/vantage/ns1", &cookie).await;
    html::check("/vantage/ns1", &page);
    for shown in [
        "Listens (sensor)",
        "Example Net; agreement 17; TLP:GREEN",
        "Rows taken: 1",
        "Rows that its spool had no room for: 5",
        "Packets that it could not read: 17",
        "Parts refused: 1",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    let sources = world.app.lake.passive().await.unwrap().unwrap().sources();
    assert_eq!(
        sources.iter().map(|source| source.id.as_str()).collect::<Vec<_>>(),
        ["sensor.ns1"]
    );
}

/// One that works, one whose clock is off and whose line was down, one that was never heard of, and one that is revoked.
#[tokio::test]
async fn the_page_of_vantage_points_keeps_the_rules_of_all_pages_and_looks_as_agreed() {
    let furnished = busy().await;
    let world = &furnished.world;
    let late = r#"{"version":"0.1.0","clock_offset_us":-2500000,"round_trip_us":41000,"spool_parts":3,
        "spool_bytes":27000,"oldest_part":"2026-03-01T11:00:00Z","dropped_samples":12}"#;
    for (probe, region, said) in [
        (
            "fra1",
            Region::Eu,
            r#"{"version":"0.1.0","clock_offset_us":1200,"round_trip_us":9000,"spool_parts":0,"spool_bytes":0}"#,
        ),
        ("nbo1", Region::Af, late),
    ] {
        let token = registered(world, probe, region).await;
        let (part, octets) = seal(&samples(probe, 100)).unwrap();
        assert_eq!(put(world, &token, &part, &octets).await.status, StatusCode::CREATED);
        let (foreign, octets) = seal(&samples("elsewhere", 1)).unwrap();
        if probe == "nbo1" {
            put(world, &token, &foreign, &octets).await;
        }
        call(world, "POST", "/api/v1/probe/state", &token, said.as_bytes().to_vec()).await;
    }
    registered(world, "scl1", Region::Lac).await;
    registered(world, "iad1", Region::Na).await;
    let gone = vantage::by_name(&world.app.records, "iad1").await.unwrap().unwrap();
    vantage::revoke(&world.app.records, Actor::System, gone.id)
        .await
        .unwrap();
    let cookie = world.sign_in("duty").await;
    for language in model::Language::ALL {
        for path in ["/vantage", "/vantage/nbo1", "/vantage/iad1", "/zones/example", "/"] {
            let path = format!("{path}?lang={language}");
            let answer = world.get_as(&path, &cookie).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            html::check(&path, &answer);
            for area in ["vantage", "zone", "status"] {
                assert!(
                    !answer.body.contains(&format!("[{area}-")),
                    "{path} lacks a text of {area}"
                );
            }
        }
    }
    for language in ["en", "ar"] {
        for (shown, path) in [
            ("vantage", "/vantage"),
            ("vantage-point", "/vantage/nbo1"),
            ("zone", "/zones/example"),
        ] {
            let page = world.get_as(&format!("{path}?lang={language}"), &cookie).await;
            insta::assert_snapshot!(format!("{shown}-{language}"), main_of(&page, &furnished.token));
        }
    }
}

#[tokio::test]
async fn who_looks_on_sees_vantage_points_and_changes_none() {
    let furnished = busy().await;
    let world = &furnished.world;
    registered(world, "nbo1", Region::Af).await;
    let cookie = world.sign_in("look").await;
    for path in ["/vantage", "/vantage/nbo1"] {
        let page = world.get_as(path, &cookie).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("nbo1") && !page.body.contains("<form method=\"post\" action=\"/vantage"));
    }
}

/// The figures of the zone's page after two vantage points of two regions handed over what they saw.
#[tokio::test]
async fn the_regions_and_the_score_stand_on_the_zone_s_page_and_on_the_map() {
    let furnished = busy().await;
    let world = &furnished.world;
    for (probe, region) in [("nbo1", Region::Af), ("fra1", Region::Eu)] {
        let token = registered(world, probe, region).await;
        let (part, octets) = seal(&samples(probe, 100)).unwrap();
        assert_eq!(put(world, &token, &part, &octets).await.status, StatusCode::CREATED);
        let said = r#"{"version":"0.1.0","spool_parts":0,"spool_bytes":0}"#;
        call(world, "POST", "/api/v1/probe/state", &token, said.as_bytes().to_vec()).await;
    }
    let cookie = world.sign_in("duty").await;
    let page = world.get_as("/zones/example", &cookie).await.body;
    // 1 of 100 is lost in each region: ten tenths of a percent, 90 points
    for shown in [
        "Health score",
        "Seen from the regions",
        "99 of 100 questions answered",
        ">90<",
        "99.0 %",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let status = world.get("/").await.body;
    assert!(
        status.contains("Answered from there") && status.contains("99.0 %"),
        "{status}"
    );
    assert_eq!(
        status.matches("r=\"4\" fill=\"none\"").count(),
        2,
        "a ring for each vantage point"
    );
    assert!(world.get("/status.txt").await.body.contains("Vantage points: 1"));
}

/// Says how long it takes; nothing is asserted of time. 500 vantage points hand over 200 samples each and say how they are, all at
/// once, as after an outage of the centre; each part comes twice.
#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_vantage_points_hand_over_at_once_and_nothing_is_lost_or_doubled() {
    const POINTS: usize = 500;
    const SAMPLES: i64 = 200;
    let furnished: Furnished = busy().await;
    let mut tokens = Vec::new();
    for number in 0..POINTS {
        tokens.push(registered(&furnished.world, &format!("vp{number}"), Region::Eu).await);
    }
    let world = Arc::new(furnished.world);
    let sealed: Vec<(PartId, Vec<u8>)> = (0..POINTS)
        .map(|number| seal(&samples(&format!("vp{number}"), SAMPLES)).unwrap())
        .collect();
    let octets: usize = sealed.iter().map(|(_, octets)| octets.len()).sum();
    let begun = std::time::Instant::now();
    let calls = tokens.into_iter().zip(sealed).map(|(token, (part, octets))| {
        let world = world.clone();
        tokio::spawn(async move {
            let said = br#"{"version":"0.1.0","spool_parts":0,"spool_bytes":0}"#.to_vec();
            let first = put(&world, &token, &part, &octets).await.status;
            let second = put(&world, &token, &part, &octets).await.status;
            let state = call(&world, "POST", "/api/v1/probe/state", &token, said).await.status;
            (first, second, state)
        })
    });
    for call in futures_util::future::join_all(calls).await {
        assert_eq!(call.unwrap(), (StatusCode::CREATED, StatusCode::OK, StatusCode::OK));
    }
    let took = begun.elapsed();
    let seen = in_lake(&world).await;
    let of_probes: Vec<u64> = seen
        .iter()
        .filter(|seen| seen.probe.starts_with("vp"))
        .map(|seen| seen.asked)
        .collect();
    assert_eq!(of_probes, vec![SAMPLES.unsigned_abs(); POINTS]);
    let cookie = world.sign_in("duty").await;
    html::check("/vantage", &world.get_as("/vantage?page=20", &cookie).await);
    println!(
        "{POINTS} vantage points, {SAMPLES} samples each ({} KB a part): all taken within {:.1} s, each twice",
        octets / POINTS / 1024,
        took.as_secs_f64()
    );
}
