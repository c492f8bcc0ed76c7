//! The lake to test with, and how it is asked. The answers in docs/sql.md are of this lake.

use std::ops::RangeInclusive;
use std::path::Path;

use domain::base::iana::Rtype;
use jiff::{SignedDuration, Timestamp};
use lake::Lake;
use lake::passive::{Brought, Passive, Source};
use model::{
    ChangedPart, ClientCell, DistinctCell, MalformedMessage, Name, OperatorFigure, OutOfBailiwick, OutReason, Outcome,
    PassiveRrset, Sample, SeenIn, Sketch, Span, Tlp, TrafficCell, TrafficCounts, TrafficKey, Transport, ZoneChange,
};
use query::{Engine, Error, Format, Limits};

/// 2026-11-23T00:00:00Z and so many hours.
pub fn at(hours: i64) -> Timestamp {
    "2026-11-23T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
}

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// The octets of a name, as in record data.
fn wire(text: &str) -> Vec<u8> {
    name(text).as_wire().as_octets().clone()
}

const ZONES: [&str; 2] = ["nic.example", "shop.example"];

/// Samples of three days: a round every six hours, from two vantage points, of two servers each. The second server lags a
/// serial behind in one zone, and is not reached from one vantage point on the second day.
pub fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for round in 0..12 {
        for (of_zone, zone) in ZONES.into_iter().enumerate() {
            for (of_server, address) in ["192.0.2.53", "2001:db8::53"].into_iter().enumerate() {
                for (of_probe, probe) in ["ams-1", "sao-1"].into_iter().enumerate() {
                    let is_silent = (4..8).contains(&round) && of_server == 1 && of_probe == 1;
                    let is_signed = of_zone == 1 && !is_silent;
                    samples.push(Sample {
                        time: at(round * 6) + SignedDuration::from_millis(250 * (of_server + 2 * of_probe) as i64),
                        probe: probe.to_owned(),
                        zone: name(zone),
                        server: Some(name(&format!("ns{}.nic.example", of_server + 1))),
                        address: address.parse().unwrap(),
                        transport: Transport::Udp,
                        qname: name(zone),
                        qtype: 6,
                        outcome: if is_silent { Outcome::Timeout } else { Outcome::Answer },
                        rtt_us: (!is_silent).then_some(20_000 + 1_000 * round as u64 + 90_000 * of_probe as u64),
                        rcode: (!is_silent).then_some(0),
                        authoritative: !is_silent,
                        truncated: false,
                        serial: (!is_silent).then_some(2_026_112_300 + round as u32 - (of_server * of_zone) as u32),
                        nsid: (!is_silent && of_server == 0).then(|| format!("{probe}.nic")),
                        size_bytes: (!is_silent).then_some(312),
                        flags: (!is_silent).then_some(0x8400),
                        attempts: Some(if is_silent { 3 } else { 1 }),
                        validated: is_signed.then_some(true),
                        signature_expiration: is_signed.then(|| at(24 * 6 + 6 * round)),
                    });
                }
            }
        }
    }
    samples
}

fn change(zone: &str, hours: i64, before: &[&str], after: &[&str], announced: bool) -> ZoneChange {
    let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    ZoneChange {
        time: at(hours),
        zone: name(zone),
        part: ChangedPart::Ns,
        before: values(before),
        after: values(after),
        announced,
    }
}

pub fn source(id: &str, owner: &str, tlp: Tlp) -> Source {
    Source {
        id: id.to_owned(),
        owner: owner.to_owned(),
        licence: "agreement 17".to_owned(),
        tlp,
        legal_basis: "contract".to_owned(),
    }
}

/// What the wire had from one hour to another.
pub fn seen(
    owner: &str,
    bailiwick: &str,
    rtype: Rtype,
    rdata: &[Vec<u8>],
    hours: (i64, i64),
    count: u64,
) -> PassiveRrset {
    let mut rdata = rdata.to_vec();
    rdata.sort();
    PassiveRrset {
        name: name(owner),
        rtype,
        bailiwick: name(bailiwick),
        rdata,
        seen_in: SeenIn::Wire,
        first: at(hours.0),
        last: at(hours.1),
        count,
    }
}

fn delegation(owner: &str, servers: &[&str]) -> PassiveRrset {
    let servers: Vec<Vec<u8>> = servers.iter().map(|server| wire(server)).collect();
    PassiveRrset {
        seen_in: SeenIn::ZoneFile,
        ..seen(owner, "example", Rtype::NS, &servers, (0, 48), 3)
    }
}

fn evidence(hours: i64, question: &str) -> OutOfBailiwick {
    OutOfBailiwick {
        server: "198.51.100.66".parse().unwrap(),
        zone: Some(name("evil.example")),
        reason: OutReason::Outside,
        question: name(question),
        name: name("www.bank.example"),
        rtype: Rtype::A,
        rdata: vec![vec![203, 0, 113, 66]],
        first: at(hours),
        last: at(hours),
        count: 2,
    }
}

fn cell(hours: i64, rcode: Option<u16>, queries: u64) -> TrafficCell {
    TrafficCell {
        minute: at(hours),
        span: Span::Minute,
        key: Some(TrafficKey {
            server: "192.0.2.53".parse().unwrap(),
            port: 53,
            zone: rcode.map(|rcode| name(if rcode == 0 { "shop.example" } else { "nic.example" })),
            transport: Transport::Udp,
            qtype: Some(1),
            rcode,
            truncated: false,
            authoritative: true,
            dnssec_ok: true,
        }),
        counts: TrafficCounts {
            queries,
            matched: if rcode.is_some() { queries } else { 0 },
            query_octets: 40 * queries,
            response_octets: 100 * queries,
            response_octets_max: 90 + u32::try_from(queries).unwrap(),
            delay_us: 800 * queries,
            ..TrafficCounts::default()
        },
    }
}

/// So many clients and names, of which a later call has the same.
fn client(hours: i64, client: Option<&str>, queries: u64) -> ClientCell {
    ClientCell {
        minute: at(hours),
        span: Span::Minute,
        server: Some("192.0.2.53".parse().unwrap()),
        client: client.map(|client| client.parse().unwrap()),
        queries,
    }
}

fn distinct(hours: i64, clients: RangeInclusive<u64>, names: RangeInclusive<u64>) -> DistinctCell {
    let of = |things: RangeInclusive<u64>| {
        let mut sketch = Sketch::default();
        things.for_each(|thing| sketch.add(thing.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        sketch
    };
    DistinctCell {
        minute: at(hours),
        span: Span::Minute,
        server: Some("192.0.2.53".parse().unwrap()),
        clients: of(clients),
        names: of(names),
    }
}

fn malformed(number: u64) -> MalformedMessage {
    MalformedMessage {
        time: at(30),
        input: "night.pcap".to_owned(),
        number,
        reason: "short header".to_owned(),
        octets: vec![0xde, 0xad, 0xbe],
    }
}

fn figure(rcode: &str, value: Option<u64>, taken: Timestamp) -> OperatorFigure {
    OperatorFigure {
        day: jiff::civil::date(2026, 11, 23),
        service: name("a.root-servers.example"),
        metric: "rcode-volume".to_owned(),
        part: rcode.to_owned(),
        value,
        version: Some(5),
        taken,
    }
}

/// Receipts of two sources. What the sensor saw on the second day adds to what it saw on the first.
fn receipts() -> Vec<(&'static str, &'static str, Brought)> {
    let a = |octets: [u8; 4]| octets.to_vec();
    let mx = [vec![0, 10], wire("mx.nic.example")].concat();
    let zone_file = vec![
        delegation("bank.example", &["ns1.bank.example", "ns2.bank.example"]),
        delegation("flower.example", &["ns1.nic.example", "ns1.flower.example"]),
        delegation("nic.example", &["ns1.nic.example", "ns2.nic.example"]),
        delegation("shop.example", &["ns1.nic.example", "ns2.nic.example"]),
    ];
    let www = |hours, count| {
        seen(
            "www.shop.example",
            "shop.example",
            Rtype::A,
            &[a([192, 0, 2, 80])],
            hours,
            count,
        )
    };
    let of_first_day = vec![
        www((1, 20), 7),
        seen("mail.shop.example", "shop.example", Rtype::MX, &[mx], (2, 2), 1),
        seen(
            "shop.example",
            "shop.example",
            Rtype::TXT,
            &[b"\x0av=spf1 -all".to_vec()],
            (3, 3),
            1,
        ),
        seen(
            "www.bank.example",
            "bank.example",
            Rtype::A,
            &[a([192, 0, 2, 7])],
            (4, 60),
            12,
        ),
        seen(
            "cdn.flower.example",
            "flower.example",
            Rtype::A,
            &[a([198, 51, 100, 1])],
            (5, 5),
            1,
        ),
        seen(
            "cdn.flower.example",
            "flower.example",
            Rtype::A,
            &[a([198, 51, 100, 2])],
            (9, 9),
            1,
        ),
        seen(
            "cdn.flower.example",
            "flower.example",
            Rtype::A,
            &[a([203, 0, 113, 9])],
            (13, 13),
            1,
        ),
    ];
    let v6 = "2001:db8::80".parse::<std::net::Ipv6Addr>().unwrap().octets().to_vec();
    let of_second_day = vec![
        www((25, 47), 5),
        seen("www.shop.example", "shop.example", Rtype::AAAA, &[v6], (26, 40), 4),
        seen(
            "login.shop.example",
            "shop.example",
            Rtype::A,
            &[a([203, 0, 113, 66])],
            (44, 47),
            2,
        ),
        seen(
            "cdn.flower.example",
            "flower.example",
            Rtype::A,
            &[a([203, 0, 113, 10])],
            (33, 33),
            1,
        ),
    ];
    let first = Brought {
        rrsets: of_first_day,
        evidence: vec![evidence(20, "b.evil.example")],
        traffic: vec![cell(10, Some(0), 90), cell(10, Some(3), 10), cell(10, None, 1)],
        distincts: vec![distinct(10, 1..=3, 1..=40)],
        clients: vec![client(10, Some("192.0.2.0/24"), 80), client(10, None, 21)],
        malformed: vec![malformed(17)],
        rssac002: vec![figure("0", Some(90), at(40)), figure("3", None, at(40))],
    };
    let second = Brought {
        rrsets: of_second_day,
        evidence: vec![evidence(12, "a.evil.example")],
        traffic: vec![cell(10, Some(0), 30), cell(34, Some(2), 50), cell(34, Some(0), 50)],
        distincts: vec![distinct(10, 3..=4, 31..=50), distinct(34, 1..=1, 41..=60)],
        clients: vec![
            client(10, Some("192.0.2.0/24"), 30),
            client(34, Some("00112233445566778899aabbccddeeff"), 60),
            client(34, None, 40),
        ],
        malformed: vec![malformed(17), malformed(18)],
        // the operator corrects what it published
        rssac002: vec![figure("0", Some(95), at(47))],
    };
    let registry = Brought {
        rrsets: zone_file,
        ..Brought::default()
    };
    vec![
        ("registry", "zone", registry),
        ("sensor", "first", first),
        ("sensor", "second", second),
    ]
}

/// Makes the lake: samples and changes in a file for each day and flush, passive DNS in a run for each receipt.
pub async fn furnish(folder: &Path) -> (Lake, Passive) {
    let lake = Lake::open(folder).await.unwrap();
    for half in samples().chunks(samples().len() / 2) {
        lake.append_samples(half).await.unwrap();
        lake.flush().await.unwrap();
    }
    let bought = change(
        "flower.example",
        40,
        &["ns1.flower.example"],
        &["ns1.flower.example", "ns1.nic.example"],
        true,
    );
    let taken = change(
        "bank.example",
        46,
        &["ns1.bank.example", "ns2.bank.example"],
        &["ns1.evil.example"],
        false,
    );
    lake.append_zone_changes(&[bought, taken.clone()]).await.unwrap();
    lake.flush().await.unwrap();
    // handed over again: read once
    lake.append_zone_changes(&[taken]).await.unwrap();
    lake.flush().await.unwrap();

    let passive = Passive::open(folder).await.unwrap();
    passive
        .set_source(source("sensor", "Operator of nic", Tlp::Amber))
        .await
        .unwrap();
    passive
        .set_source(source("registry", "Registry of example", Tlp::Green))
        .await
        .unwrap();
    for (source, receipt, brought) in receipts() {
        let mut intake = passive.begin(source, receipt).await.unwrap().unwrap();
        intake.add(brought).await.unwrap();
        assert!(intake.commit(at(72)).await.unwrap());
    }
    (lake, passive)
}

/// A furnished lake that nobody writes to any more, and an engine on it.
pub async fn furnished() -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    furnish(folder.path()).await;
    let engine = Engine::open(folder.path(), Limits::default()).await.unwrap();
    (folder, engine)
}

pub async fn written(engine: &Engine, sql: &str, format: Format) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    query::write(engine.ask(sql).await?, format, &mut out).await?;
    Ok(out)
}

/// The rows of an answer as objects.
pub async fn rows(engine: &Engine, sql: &str) -> Vec<serde_json::Value> {
    let lines = written(engine, sql, Format::Json).await;
    let lines = String::from_utf8(lines.unwrap_or_else(|error| panic!("{sql}: {error}"))).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub async fn table(engine: &Engine, sql: &str) -> String {
    let text = written(engine, sql, Format::Table { rows: 1_000 }).await;
    String::from_utf8(text.unwrap_or_else(|error| panic!("{sql}: {error}"))).unwrap()
}
