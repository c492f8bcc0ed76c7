//! A probe and its centre as two processes: end to end, over a line that breaks, and under `kill -9` of either.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lab::{Lab, World};
use lake::{Lake, part};
use model::{Outcome, Sample, Transport};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;

use crate::centre::{Centre, stderr, stdout};
use crate::portal::Portal;

/// How often each side is killed.
const KILLS: usize = 20;

/// Longest wait for one step.
const PATIENCE: Duration = Duration::from_secs(120);

/// Samples in each part that the test seals.
const SAMPLES: usize = 30;

/// A grid as close as it may be.
const SECTION: &str =
    "[probes]\ninterval_secs = 10\njitter_secs = 2\ntimeout_ms = 500\nroot = false\nsilent_after_secs = 25\n";

/// A vantage point that runs in a process of its own.
struct Probe {
    folder: PathBuf,
    centre: String,
    child: Option<Child>,
}

impl Probe {
    fn registered(centre: &Centre, name: &str) -> Self {
        let place = [
            "--region",
            "AF",
            "--country",
            "KE",
            "--city",
            "Nairobi",
            "--at",
            "-1.29,36.82",
        ];
        let added = centre.run(&[&["vantage", "add", name, "--asn", "64500", "--no-ipv6"], &place[..]].concat());
        assert!(added.status.success(), "{}", stderr(&added));
        let probe = Self {
            folder: centre.home().join(name),
            centre: format!("http://{}", centre.address),
            child: None,
        };
        std::fs::create_dir(&probe.folder).unwrap();
        std::fs::write(probe.folder.join("token"), stdout(&added)).unwrap();
        probe
    }

    fn spool(&self) -> PathBuf {
        self.folder.join("spool")
    }

    fn start(&mut self) {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join("log"));
        let child = Command::new(env!("CARGO_BIN_EXE_dnscert"))
            .args(["probe", "--centre", &self.centre, "--token"])
            .arg(self.folder.join("token"))
            .arg("--spool")
            .arg(self.spool())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.unwrap())
            .spawn();
        self.child = Some(child.unwrap());
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Asks it to end, as a service manager does.
    fn stop(&mut self) {
        let mut child = self.child.take().unwrap();
        Command::new("kill").arg(child.id().to_string()).status().unwrap();
        assert!(child.wait().unwrap().success(), "{}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// How often it took a plan from the centre.
    fn plans(&self) -> usize {
        self.log().matches("a plan came").count()
    }

    /// Parts that wait.
    fn waiting(&self) -> usize {
        let Ok(entries) = std::fs::read_dir(self.spool()) else {
            return 0;
        };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".parquet")).count()
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Repeats `step` until it holds.
fn until(what: &str, probe: &Probe, mut step: impl FnMut() -> bool) {
    let holds = testkit::loopback::wait_until(PATIENCE, &mut step);
    assert!(
        holds,
        "{what} did not happen within {} s; the probe's log:\n{}",
        PATIENCE.as_secs(),
        probe.log()
    );
}

/// What the centre knows of the vantage point.
fn known(centre: &Centre) -> Value {
    let listed = centre.run(&["vantage", "list", "--json"]);
    assert!(listed.status.success(), "{}", stderr(&listed));
    serde_json::from_str(stdout(&listed).lines().next().unwrap()).unwrap()
}

fn watch(centre: &Centre, zone: &str) {
    let added = centre.run(&["watch", "add", zone, "--interval", "10"]);
    assert!(added.status.success(), "{}", stderr(&added));
}

/// What stands in the lake of this vantage point about a zone, after the centre ended in order.
async fn in_lake(centre: &Centre, zone: &str) -> Vec<Sample> {
    let lake = Lake::open_read_only(&centre.home().join("data/lake")).await.unwrap();
    let samples = lake
        .samples(&zone.parse().unwrap(), Timestamp::MIN, Timestamp::MAX)
        .await
        .unwrap();
    samples.into_iter().filter(|sample| sample.probe == "nbo1").collect()
}

/// Each question once: no two samples of one moment, server, transport and question.
fn assert_each_is_there_once(samples: &[Sample]) {
    let mut seen = BTreeSet::new();
    for sample in samples {
        let key = (
            sample.time,
            sample.address,
            sample.transport == Transport::Tcp,
            sample.qname.clone(),
            sample.qtype,
        );
        assert!(seen.insert(key), "twice: {sample:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_measures_for_its_centre_over_a_line_that_breaks_until_it_is_revoked() {
    let lab = Lab::start(World::shipped("pocket").unwrap(), 0, Timestamp::now())
        .await
        .unwrap();
    let mut centre = Centre::set_up(&lab.hints(), lab.port(), SECTION);
    let mut probe = tokio::task::block_in_place(|| {
        watch(&centre, "good.test");
        centre.start();
        Probe::registered(&centre, "nbo1")
    });
    assert_eq!(known(&centre)["standing"], "never heard");
    tokio::task::block_in_place(|| {
        // One that no centre takes lies in the spool from the beginning.
        let (id, octets) = (lake::PartId::of(b"no part"), b"no part");
        std::fs::create_dir_all(probe.spool()).unwrap();
        std::fs::write(probe.spool().join(format!("{:020}-1-{id}.parquet", now_us())), octets).unwrap();
        probe.start();
        until("the first samples", &probe, || {
            known(&centre)["samples"].as_u64() > Some(0)
        });
        until("the clocks' exchange", &probe, || {
            known(&centre)["clock_offset_us"].is_i64()
        });
    });
    let state = known(&centre);
    assert_eq!(
        (&state["standing"], &state["region"], &state["version"]),
        (&"working".into(), &"AF".into(), &env!("CARGO_PKG_VERSION").into())
    );
    // both run on one machine: whatever the exchange says beyond its own uncertainty is wrong
    let (offset, on_the_way) = (
        state["clock_offset_us"].as_i64().unwrap(),
        state["round_trip_us"].as_i64().unwrap(),
    );
    assert!(offset.abs() <= on_the_way, "{state}");
    assert!(state["refused_reason"].as_str().unwrap().contains("no part"), "{state}");
    assert_eq!(
        std::fs::read_dir(probe.spool().join("refused")).unwrap().count(),
        2,
        "the part and the reason"
    );

    // What it saw stands on the zone's page, by region.
    let portal = Portal::new(centre.address);
    portal.sign_in(&centre.admin.0, &centre.admin.1).await;
    let region = language::texts(model::Language::English).get("directory-region-af");
    let page = portal.get("/zones/good.test").await.unwrap().body;
    assert!(
        page.contains(&format!("<th scope=\"row\">{region}</th><td class=\"num\">1</td>")),
        "{page}"
    );
    assert!(portal.get("/vantage").await.unwrap().body.contains("Nairobi"));

    // The line is down: it goes on measuring, also over a restart, and hands all of it over afterwards.
    tokio::task::block_in_place(|| {
        assert!(centre.stop(), "{}", centre.log());
        until("a part that waits", &probe, || probe.waiting() >= 1);
        probe.stop();
        probe.start();
        let before = probe.waiting();
        until("another part that waits", &probe, || probe.waiting() > before);
        centre.start();
        until("an empty spool", &probe, || probe.waiting() == 0);
        probe.stop();
        assert!(centre.stop(), "{}", centre.log());
    });
    let left = probe.waiting();
    let samples = in_lake(&centre, "good.test").await;
    assert_each_is_there_once(&samples);
    assert_eq!(
        known(&centre)["samples"].as_u64(),
        Some(samples.len() as u64),
        "{left} parts wait"
    );
    assert_eq!(known(&centre)["dropped_samples"], 0);
    assert!(
        samples.iter().any(|sample| sample.outcome == Outcome::Answer),
        "{samples:?}"
    );
    let intervals: BTreeSet<i64> = samples.iter().map(|sample| sample.time.as_second() / 10).collect();
    assert!(intervals.len() >= 3, "{intervals:?}");

    tokio::task::block_in_place(|| centre.start());

    // It is silent now, and the centre says so until it is heard again.
    let queue = async |has: bool| {
        for _ in 0..PATIENCE.as_secs() {
            let page = portal.get("/alerts").await.unwrap().body;
            if page.contains("nbo1") == has {
                return true;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        false
    };
    assert!(queue(true).await, "no alert about a silent vantage point");
    assert_eq!(known(&centre)["standing"], "silent");
    tokio::task::block_in_place(|| probe.start());
    assert!(queue(false).await, "the alert does not end");

    tokio::task::block_in_place(|| {
        let revoked = centre.run(&["vantage", "revoke", "nbo1"]);
        assert!(revoked.status.success(), "{}", stderr(&revoked));
        until("the refusal", &probe, || {
            probe.log().contains("does not know this vantage point's token")
        });
        assert_eq!(known(&centre)["standing"], "revoked");
        let audit = centre.run(&["audit"]);
        assert!(audit.status.success(), "{}", stderr(&audit));
    });
}

fn now_us() -> i64 {
    Timestamp::now().as_microsecond()
}

/// Seals parts into a spool as the probe does, whose samples nobody else makes: each has a time of its own.
fn fill(spool: &Path, parts: usize, next: &mut i64, begin: Timestamp) {
    std::fs::create_dir_all(spool).unwrap();
    for _ in 0..parts {
        let samples: Vec<Sample> = (0..SAMPLES)
            .map(|_| {
                *next += 1;
                marked(begin + SignedDuration::from_millis(*next))
            })
            .collect();
        let (id, octets) = part::seal(&samples).unwrap();
        let newest = samples.last().unwrap().time.as_microsecond();
        let path = spool.join(format!("{newest:020}-{SAMPLES}-{id}.parquet"));
        std::fs::write(path.with_extension("tmp"), octets).unwrap();
        std::fs::rename(path.with_extension("tmp"), path).unwrap();
    }
}

fn marked(time: Timestamp) -> Sample {
    Sample {
        time,
        probe: "nbo1".to_owned(),
        zone: "marked.test".parse().unwrap(),
        server: None,
        address: "192.0.2.1".parse().unwrap(),
        transport: Transport::Udp,
        qname: "marked.test".parse().unwrap(),
        qtype: 6,
        outcome: Outcome::Timeout,
        rtt_us: None,
        rcode: None,
        authoritative: false,
        truncated: false,
        serial: None,
        nsid: None,
        size_bytes: None,
        flags: None,
        attempts: Some(1),
        validated: None,
        signature_expiration: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn either_side_is_killed_at_20_random_moments_and_no_sample_is_lost_or_doubled() {
    let lab = Lab::start(World::shipped("pocket").unwrap(), 0, Timestamp::now())
        .await
        .unwrap();
    let mut centre = Centre::set_up(&lab.hints(), lab.port(), SECTION);
    let seed: u64 = rand::random();
    println!("seed of the kills: {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let begin = Timestamp::now() - SignedDuration::from_hours(24);
    let mut made = 0;
    tokio::task::block_in_place(|| {
        watch(&centre, "good.test");
        centre.start();
        let mut probe = Probe::registered(&centre, "nbo1");
        let mut interrupted = 0;
        for _ in 0..KILLS {
            fill(&probe.spool(), 60, &mut made, begin);
            probe.start();
            pause(&mut random, 50..900);
            centre.kill();
            interrupted += usize::from(probe.waiting() > 0);
            pause(&mut random, 0..300);
            centre.start();
            pause(&mut random, 50..900);
            probe.kill();
        }
        println!("{interrupted} of {KILLS} kills of the centre came while parts were handed over");
        assert!(interrupted > 0, "no kill came while parts were handed over");
        let plans = probe.plans();
        probe.start();
        until("another plan", &probe, || probe.plans() > plans);
        until("an empty spool", &probe, || probe.waiting() == 0);
        probe.stop();
        assert!(centre.stop(), "{}", centre.log());
        assert!(
            !probe.spool().join("refused").exists(),
            "a part was refused: {}",
            probe.log()
        );
    });
    let marked = in_lake(&centre, "marked.test").await;
    let mut times: BTreeMap<Timestamp, usize> = BTreeMap::new();
    marked
        .iter()
        .for_each(|sample| *times.entry(sample.time).or_default() += 1);
    let expected = (1..=made).map(|number| (begin + SignedDuration::from_millis(number), 1));
    let expected: BTreeMap<Timestamp, usize> = expected.map(|(time, count)| (to_micros(time), count)).collect();
    assert_eq!(times.len(), expected.len());
    assert_eq!(times, expected, "seed {seed}");
    assert_each_is_there_once(&in_lake(&centre, "good.test").await);
}

/// The lake keeps microseconds.
fn to_micros(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap()
}

fn pause(random: &mut StdRng, millis: std::ops::Range<u64>) {
    let wait = Duration::from_millis(random.random_range(millis));
    testkit::loopback::wait_until(wait, || false);
}
