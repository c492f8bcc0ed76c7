//! Five hundred vantage points and one running centre, with its records in SQLite and in PostgreSQL. It prints what docs/decisions
//! keep as figures; nothing is asserted of time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use csirt::directory::Region;
use csirt::vantage::{self, Place, Profile, VantagePoint};
use csirt::{Actor, Records};
use jiff::SignedDuration;
use lab::{Lab, World};
use lake::{Lake, part};
use model::{Outcome, Sample, SystemClock, Timestamp, Transport};
use testkit::database::{self, Database};

use crate::centre::Centre;

const POINTS: usize = 500;
/// What one interval brings: fifty zones of two servers, over UDP and TCP.
const SAMPLES: usize = 200;
/// The time within which vantage points choose their moments by chance (RSSAC047v2 §4.2).
const JITTER: Duration = Duration::from_secs(60);
/// As patient as a probe with its centre is.
const PATIENCE: Duration = Duration::from_secs(120);

/// A registered vantage point as its centre knows it, and what it has to hand over.
struct Probe {
    token: String,
    part: String,
    octets: Vec<u8>,
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_vantage_points_hand_over_to_a_running_centre_on_either_database() {
    for database in database::databases().unwrap() {
        hand_over(&database).await;
    }
}

async fn hand_over(database: &Database) {
    let world = World::shipped("pocket").unwrap();
    let lab = Lab::start(world, 0, Timestamp::now()).await.unwrap();
    let mut centre = Centre::set_up(&lab.hints(), lab.port(), "");
    centre.move_to(&database.url);
    let records = Records::open(&database.url, Arc::new(SystemClock)).await.unwrap();
    let mut probes = Vec::new();
    for number in 0..POINTS {
        let name = format!("vp{number:03}");
        let (_, token) = vantage::create(&records, Actor::System, profile(&name)).await.unwrap();
        let (part, octets) = part::seal(&samples(&name)).unwrap();
        probes.push(Probe {
            token: token.reveal().to_owned(),
            part: part.to_string(),
            octets,
        });
    }
    let sent: usize = probes.iter().map(|probe| probe.octets.len()).sum();
    tokio::task::block_in_place(|| centre.start());
    let before = resident_mb(centre.process(), "VmRSS:");
    let base = format!("http://{}/api/v1/probe", centre.address);
    let client = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();

    let begun = Instant::now();
    let calls = probes.into_iter().map(|probe| {
        let (client, base) = (client.clone(), base.clone());
        tokio::spawn(async move {
            let begun = Instant::now();
            let token = &probe.token;
            let plan = client.get(format!("{base}/plan")).bearer_auth(token);
            let part = client.put(format!("{base}/parts/{}", probe.part)).bearer_auth(token);
            let state = client.post(format!("{base}/state")).bearer_auth(token);
            let said = r#"{"version":"0.1.0","spool_parts":0,"spool_bytes":0}"#;
            let answers = [
                plan.send().await.unwrap().status().as_u16(),
                part.body(probe.octets).send().await.unwrap().status().as_u16(),
                state.body(said).send().await.unwrap().status().as_u16(),
            ];
            (answers, begun.elapsed())
        })
    });
    let mut took: Vec<Duration> = Vec::new();
    for call in futures_util::future::join_all(calls).await {
        let (answers, one) = call.unwrap();
        assert_eq!(answers, [200, 201, 200], "{}", centre.log());
        took.push(one);
    }
    let all = begun.elapsed();
    took.sort();
    let peak = resident_mb(centre.process(), "VmHWM:");
    let states: Vec<(VantagePoint, vantage::State)> = vantage::states(&records).await.unwrap();
    let heard = states.iter().filter(|(_, state)| state.contact.is_some()).count();
    assert_eq!(heard, POINTS, "each has been heard");
    assert!(tokio::task::block_in_place(|| centre.stop()), "{}", centre.log());
    let lake = Lake::open_read_only(&centre.home().join("data/lake")).await.unwrap();
    let zone = "plain.test".parse().unwrap();
    let seen = lake
        .by_vantage_point(&zone, Timestamp::MIN, Timestamp::MAX)
        .await
        .unwrap();
    let asked: Vec<u64> = seen
        .iter()
        .filter(|seen| seen.probe.starts_with("vp"))
        .map(|seen| seen.asked)
        .collect();
    assert_eq!(asked, vec![SAMPLES as u64; POINTS], "every sample is kept, once");
    println!(
        "{}: {POINTS} vantage points at once, each its plan, a part of {SAMPLES} samples ({} KB) and its state: all within {:.1} s, half of them \
         within {:.1} s, of a grid's {} s; the centre from {before:.0} to {peak:.0} MB",
        database.engine,
        sent / POINTS / 1024,
        all.as_secs_f64(),
        took[POINTS / 2].as_secs_f64(),
        JITTER.as_secs(),
    );
}

fn profile(name: &str) -> Profile {
    Profile {
        name: name.to_owned(),
        operator: None,
        place: Place {
            region: Region::Af,
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

fn samples(probe: &str) -> Vec<Sample> {
    let now = Timestamp::now();
    let sample = |number: usize| Sample {
        time: now - SignedDuration::from_millis(i64::try_from(number).unwrap() * 100),
        probe: probe.to_owned(),
        zone: "plain.test".parse().unwrap(),
        server: Some("ns1.good.test".parse().unwrap()),
        address: "127.10.3.1".parse().unwrap(),
        transport: if number.is_multiple_of(2) {
            Transport::Udp
        } else {
            Transport::Tcp
        },
        qname: "plain.test".parse().unwrap(),
        qtype: 6,
        outcome: Outcome::Answer,
        rtt_us: Some(20_000 + u64::try_from(number).unwrap()),
        rcode: Some(0),
        authoritative: true,
        truncated: false,
        serial: Some(7),
        nsid: None,
        size_bytes: Some(90),
        flags: Some(0x8400),
        attempts: Some(1),
        validated: None,
        signature_expiration: None,
    };
    (0..SAMPLES).map(sample).collect()
}

/// A figure of the process's memory in MB; 0 where the system does not tell.
fn resident_mb(process: u32, figure: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(figure));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or_default() / 1000.0
}
