//! A sensor, its centre and real writers of dnstap: end to end, over a line that breaks, and under `kill -9` of either side.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lake::Passive;
use lake::part::{observed, seal};
use lake::passive::{Brought, NamePattern, Query, Scope};
use measure::Rtype;
use model::{Client, ClientCell, DistinctCell, Name, PassiveRrset, SeenIn, TrafficCell};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;
use testkit::loopback::{free_port, wait_until};
use testkit::name_server::{NameServer, ZoneText};
use testkit::program::are_installed;

use crate::centre::{Centre, dnscert, stderr, stdout};

/// How often each side is killed.
const KILLS: usize = 20;

/// Longest wait for one step.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a server is asked so that it notices a connection that broke.
const WAKES: &str = "wakes.example.test";

/// RRsets in each part that the test seals.
const RRSETS: usize = 30;

/// A centre that asks nobody: the hints lead to an address at which nobody is.
pub fn centre(section: &str) -> Centre {
    let nobody = IpAddr::from([127, 0, 0, 99]);
    Centre::set_up(
        &[("a.root.test".parse().unwrap(), vec![nobody])],
        free_port().unwrap(),
        section,
    )
}

/// A sensor that runs in a process of its own.
pub struct Sensor {
    folder: PathBuf,
    centre: String,
    pub child: Option<Child>,
}

impl Sensor {
    pub fn registered(centre: &Centre, name: &str) -> Self {
        let place = [
            "--region",
            "EU",
            "--country",
            "DE",
            "--city",
            "Frankfurt",
            "--at",
            "50.1,8.7",
        ];
        let terms = [
            "--sensor",
            "--owner",
            "Example Net",
            "--licence",
            "agreement 17",
            "--tlp",
            "TLP:GREEN",
        ];
        let added = centre.run(
            &[
                &["vantage", "add", name, "--legal-basis", "contract"],
                &place[..],
                &terms[..],
            ]
            .concat(),
        );
        assert!(added.status.success(), "{}", stderr(&added));
        let sensor = Self {
            folder: centre.home().join(name),
            centre: format!("http://{}", centre.address),
            child: None,
        };
        std::fs::create_dir(&sensor.folder).unwrap();
        std::fs::write(sensor.folder.join("token"), stdout(&added)).unwrap();
        sensor
    }

    pub fn spool(&self) -> PathBuf {
        self.folder.join("spool")
    }

    /// Path of the socket that takes dnstap.
    pub fn socket(&self) -> PathBuf {
        self.folder.join("dnstap.sock")
    }

    /// What is run, with windows of a second. `before` is a program that runs it.
    pub fn command(&self, before: &[&str], arguments: &[&str]) -> Command {
        let file = |name| {
            std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(self.folder.join(name))
        };
        let (log, receipts) = (file("log"), file("receipts"));
        let words = [before, &[env!("CARGO_BIN_EXE_dnscert")]].concat();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .args(["sensor", "--window", "1", "--centre", &self.centre, "--token"])
            .arg(self.folder.join("token"))
            .arg("--spool")
            .arg(self.spool())
            .arg("--receipts")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(receipts.unwrap())
            .stderr(log.unwrap());
        command
    }

    /// Pairs of query and response in all receipts that it printed.
    pub fn pairs(&self) -> u64 {
        let receipts = std::fs::read_to_string(self.folder.join("receipts")).unwrap_or_default();
        let whole = receipts
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        whole
            .map(|receipt| receipt["pairs"].as_u64().unwrap() + receipt["vouched"].as_u64().unwrap())
            .sum()
    }

    /// Streams of frames that writers opened.
    fn opened(&self) -> usize {
        self.log().matches("opened its stream").count()
    }

    /// Starts it, and waits until it listens to dnstap on its socket.
    pub fn start(&mut self, arguments: &[&str]) {
        let socket = self.socket();
        let mut command = self.command(&[], &[&["--dnstap", socket.to_str().unwrap()], arguments].concat());
        self.child = Some(command.spawn().unwrap());
        self.until("the socket", || socket.exists());
    }

    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Asks it to end, as a service manager does.
    pub fn stop(&mut self) {
        let mut child = self.child.take().unwrap();
        Command::new("kill").arg(child.id().to_string()).status().unwrap();
        assert!(child.wait().unwrap().success(), "{}", self.log());
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Parts that wait.
    pub fn waiting(&self) -> usize {
        let Ok(entries) = std::fs::read_dir(self.spool()) else {
            return 0;
        };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".zst")).count()
    }

    /// Waits until nothing waits in the spool, however much it is; gives up when no part was handed over for a while.
    fn until_empty(&self) {
        let mut left = self.waiting();
        while left > 0 {
            self.until("another part's hand-over", || self.waiting() < left);
            left = self.waiting();
        }
    }

    /// Repeats `step` until it holds.
    pub fn until(&self, what: &str, step: impl FnMut() -> bool) {
        assert!(
            wait_until(PATIENCE, step),
            "{what} did not happen; the sensor's log:\n{}",
            self.log()
        );
    }
}

impl Drop for Sensor {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What the centre knows of its only vantage point.
pub fn known(centre: &Centre) -> Value {
    let listed = centre.run(&["vantage", "list", "--json"]);
    assert!(listed.status.success(), "{}", stderr(&listed));
    serde_json::from_str(stdout(&listed).lines().next().unwrap()).unwrap()
}

/// What stands in the lake.
#[derive(Default)]
pub struct InLake {
    /// How often each owner name was seen with a record of type A.
    pub seen: BTreeMap<String, u64>,
    pub traffic: Vec<TrafficCell>,
    pub distincts: Vec<DistinctCell>,
    pub clients: Vec<ClientCell>,
    pub sources: Vec<String>,
}

pub async fn in_lake(centre: &Centre) -> InLake {
    let lake = centre.home().join("data/lake");
    // nothing has come yet
    if !lake.join("name/_delta_log").is_dir() {
        return InLake::default();
    }
    let passive = Passive::open_read_only(&lake).await.unwrap();
    let all = Query::new(NamePattern::Below(Name::root()), 1_000_000);
    let mut seen = BTreeMap::new();
    let mut sources = Vec::new();
    for found in passive.rrsets(&all).filter(|found| found.rrset.rtype.to_int() == 1) {
        *seen.entry(found.rrset.name.to_string()).or_default() += found.rrset.count;
        sources.extend(found.sources);
    }
    sources.sort();
    sources.dedup();
    let (from, to) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
    InLake {
        seen,
        traffic: passive.traffic(from, to, &Scope::ALL).map(|told| told.what).collect(),
        distincts: passive.distincts(from, to, &Scope::ALL).map(|told| told.what).collect(),
        clients: passive.clients(from, to, &Scope::ALL).map(|told| told.what).collect(),
        sources,
    }
}

impl InLake {
    /// How many of the questions that woke the server came through.
    fn wakes(&self) -> u64 {
        self.seen.get(WAKES).copied().unwrap_or(0)
    }

    pub fn queries(&self) -> u64 {
        self.traffic.iter().map(|cell| cell.counts.queries).sum()
    }

    pub fn matched(&self) -> u64 {
        self.traffic.iter().map(|cell| cell.counts.matched).sum()
    }
}

/// A zone in which every name has an address.
pub fn zone() -> ZoneText {
    ZoneText {
        name: "example.test.".to_owned(),
        text: "$ORIGIN example.test.\n@ 3600 SOA ns1 hostmaster 1 14400 3600 1209600 300\n@ 3600 NS ns1\nns1 3600 A 127.0.0.1\n\
               * 3600 A 192.0.2.80\n"
            .to_owned(),
    }
}

/// Asks a server for the address of a name, and waits for the answer.
pub fn ask(server: SocketAddr, name: &str) {
    let socket = UdpSocket::bind((if server.is_ipv6() { "::" } else { "0.0.0.0" }, 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let name: Name = name.parse().unwrap();
    let header = [0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let query = [&header[..], name.as_wire().as_octets(), &[0, 1, 0, 1]].concat();
    socket.send_to(&query, server).unwrap();
    let mut answer = [0; 512];
    let length = socket.recv(&mut answer).unwrap();
    assert!(length > query.len(), "no address of {name}");
}

/// Asks a server for `n0.example.test` and so on.
fn ask_for(server: SocketAddr, numbers: std::ops::Range<u32>, asked: &mut BTreeMap<String, u64>) {
    for name in numbers.map(|number| format!("n{number}.example.test")) {
        ask(server, &name);
        *asked.entry(name).or_insert(0) += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sensor_takes_what_a_real_server_tells_and_hands_it_over_over_a_line_that_breaks() {
    if !are_installed(&["/usr/sbin/named"]).unwrap() {
        return;
    }
    let mut centre = centre("");
    let mut asked = BTreeMap::new();
    tokio::task::block_in_place(|| {
        centre.start();
        let mut sensor = Sensor::registered(&centre, "fra1");
        assert_eq!(known(&centre)["standing"], "never heard");
        sensor.start(&["--clients", "truncate", "--least-queries", "1"]);
        let at = SocketAddr::from(([127, 0, 0, 1], free_port().unwrap()));
        let server = NameServer::start_bind_with_dnstap(at.ip(), at.port(), vec![zone()], &sensor.socket()).unwrap();
        sensor.until("the server's connection", || sensor.opened() == 1);
        ask_for(at, 0..40, &mut asked);
        ask_for(at, 0..10, &mut asked);
        sensor.until("the first pairs", || sensor.pairs() == 50);
        sensor.until("the first rows", || known(&centre)["samples"].as_u64() > Some(0));
        let state = known(&centre);
        assert_eq!(
            (&state["kind"], &state["standing"]),
            (&"sensor".into(), &"working".into())
        );
        assert_eq!(state["version"], env!("CARGO_PKG_VERSION"));

        // The line is down: it goes on listening, also over a restart, and hands all of it over afterwards.
        sensor.until("an empty spool", || sensor.waiting() == 0);
        assert!(centre.stop(), "{}", centre.log());
        ask_for(at, 40..80, &mut asked);
        sensor.until("the pairs of the time without a line", || sensor.pairs() == 90);
        sensor.until("a part that waits", || sensor.waiting() > 0);
        sensor.stop();
        assert!(!sensor.socket().exists(), "the socket stays behind");
        sensor.start(&["--clients", "pseudonymise", "--least-queries", "1"]);
        // BIND notices that its writer broke when it has something to tell
        sensor.until("the server's next connection", || {
            ask(at, WAKES);
            sensor.opened() == 2
        });
        ask_for(at, 70..100, &mut asked);
        centre.start();
        sensor.until("an empty spool", || sensor.waiting() == 0);
        // the last window may have been sealed a moment ago
        sensor.until("all rows", || {
            let there = tokio::runtime::Handle::current().block_on(in_lake(&centre));
            there.matched() == 120 + there.wakes()
        });
        sensor.stop();
        assert!(centre.stop(), "{}", centre.log());
        assert_eq!(sensor.waiting(), 0);
        drop(server);
    });
    let mut there = in_lake(&centre).await;
    let all = 120 + there.wakes();
    assert_eq!((there.queries(), there.matched()), (all, all));
    there.seen.remove(WAKES);
    assert_eq!(there.seen, asked);
    assert_eq!(there.sources, ["sensor.fra1"]);
    let server = Some(IpAddr::from([127, 0, 0, 1]));
    assert!(
        there
            .distincts
            .iter()
            .all(|cell| cell.server == server && cell.clients.estimate() == 1)
    );
    // the first run told networks, the second pseudonyms, and who has the key takes them back
    assert!(there.clients.iter().all(|cell| cell.server == server));
    assert_eq!(there.clients.iter().map(|cell| cell.queries).sum::<u64>(), all);
    let clients: BTreeSet<Client> = there.clients.iter().filter_map(|cell| cell.client).collect();
    let clients: Vec<String> = clients.iter().map(Client::to_string).collect();
    let [network, pseudonym] = &clients[..] else {
        panic!("{clients:?}")
    };
    assert_eq!(network, "127.0.0.0/24");
    let key = centre.home().join("fra1/spool/client.key");
    let unmasked = dnscert(&["unmask", pseudonym, "--client-key", key.to_str().unwrap()]);
    assert_eq!(stdout(&unmasked), format!("{pseudonym}  127.0.0.1\n"), "{unmasked:?}");
    let refused = dnscert(&["unmask", network, "--client-key", key.to_str().unwrap()]);
    assert!(stderr(&refused).contains("is a network"), "{refused:?}");

    let most = there.distincts.iter().map(|cell| cell.names.estimate()).max();
    assert!(most >= Some(20), "{most:?}");
}

/// A frame of dnstap (dnstap.proto): a resolver's query of a name and its answer, now, in one.
fn frame(id: u16, name: &str) -> Vec<u8> {
    let varint = |mut value: u64| {
        let mut octets = Vec::new();
        while value >= 128 {
            octets.push(value as u8 | 128);
            value >>= 7;
        }
        octets.push(value as u8);
        octets
    };
    let number = |field: u64, value: u64| [varint(field << 3), varint(value)].concat();
    let octets =
        |field: u64, value: &[u8]| [varint(field << 3 | 2), varint(value.len() as u64), value.to_vec()].concat();
    let name: Name = name.parse().unwrap();
    let question = [name.as_wire().as_octets(), &[0, 1, 0, 1][..]].concat();
    let [high, low] = id.to_be_bytes();
    let query = [&[high, low, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], &question].concat();
    let answer = [0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 192, 0, 2, 80];
    let response = [&[high, low, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0][..], &question, &answer].concat();
    let now = u64::try_from(Timestamp::now().as_second()).unwrap();
    let message = [
        number(1, 6),
        number(2, 1),
        number(3, 1),
        octets(4, &[192, 0, 2, 10]),
        octets(5, &[198, 51, 100, 53]),
        number(6, 4_000),
        number(7, 53),
        number(8, now),
        octets(10, &query),
        number(12, now),
        octets(14, &response),
    ]
    .concat();
    [octets(14, &message), number(15, 1)].concat()
}

/// A file of Frame Streams with so many names of a writer.
fn recording(folder: &Path, writer: usize, names: usize) -> PathBuf {
    let mut octets = b"\0\0\0\0\0\0\0\x22\0\0\0\x02\0\0\0\x01\0\0\0\x16protobuf:dnstap.Dnstap".to_vec();
    for number in 0..names {
        let id = u16::try_from(number).unwrap();
        let frame = frame(id, &format!("n{number}.w{writer}.example.test"));
        octets.extend(u32::try_from(frame.len()).unwrap().to_be_bytes());
        octets.extend(frame);
    }
    octets.extend(b"\0\0\0\0\0\0\0\x04\0\0\0\x03");
    let path = folder.join(format!("{writer}.fstrm"));
    std::fs::write(&path, octets).unwrap();
    path
}

/// `fstrm_replay` is the writer of those who made Frame Streams.
#[tokio::test(flavor = "multi_thread")]
async fn writers_over_unix_and_tcp_are_taken_beside_each_other_and_one_of_garbage_disturbs_none() {
    if !are_installed(&["/usr/bin/fstrm_replay"]).unwrap() {
        return;
    }
    const WRITERS: usize = 8;
    const NAMES: usize = 2_000;
    let mut centre = centre("");
    tokio::task::block_in_place(|| {
        centre.start();
        let mut sensor = Sensor::registered(&centre, "fra1");
        let port = free_port().unwrap().to_string();
        sensor.start(&["--dnstap", &format!("127.0.0.1:{port}")]);
        let mut replays = Vec::new();
        for writer in 0..WRITERS {
            let recording = recording(&sensor.folder, writer, NAMES);
            let socket = sensor.socket();
            let to = match writer % 2 {
                0 => vec!["-u", socket.to_str().unwrap()],
                _ => vec!["-a", "127.0.0.1", "-p", &port],
            };
            let mut command = Command::new("/usr/bin/fstrm_replay");
            command
                .args(to)
                .args(["-t", "protobuf:dnstap.Dnstap", "-r"])
                .arg(recording);
            replays.push(command.spawn().unwrap());
        }
        let mut garbage = std::os::unix::net::UnixStream::connect(sensor.socket()).unwrap();
        let _ = std::io::Write::write_all(&mut garbage, b"GET / HTTP/1.1\r\n\r\n");
        for mut replay in replays {
            assert!(replay.wait().unwrap().success(), "{}", sensor.log());
        }
        sensor.until("the end of a writer of garbage", || {
            sensor.log().contains("the writer is given up")
        });
        sensor.until("all pairs", || sensor.pairs() == (WRITERS * NAMES) as u64);
        sensor.until("an empty spool", || {
            let there = tokio::runtime::Handle::current().block_on(in_lake(&centre));
            there.matched() == (WRITERS * NAMES) as u64
        });
        sensor.stop();
        assert!(centre.stop(), "{}", centre.log());
    });
    let there = in_lake(&centre).await;
    assert_eq!(there.seen.len(), WRITERS * NAMES);
    assert!(there.seen.values().all(|count| *count == 1));
    // the addresses of clients are nowhere in the lake, nor is anything else of them but the sketches
    let (clients, names): (Vec<u64>, Vec<u64>) = there
        .distincts
        .iter()
        .map(|cell| (cell.clients.estimate(), cell.names.estimate()))
        .unzip();
    assert!(clients.iter().all(|count| *count == 1), "{clients:?}");
    let (all, expected) = (names.iter().sum::<u64>() as f64, (WRITERS * NAMES) as f64);
    assert!((all / expected - 1.0).abs() < 0.1, "{names:?}");
}

/// Without a centre: into a lake on the same machine, until it is told to stop.
#[test]
fn ingest_takes_dnstap_into_a_lake_beside_another_writer() {
    if !are_installed(&["/usr/bin/fstrm_replay"]).unwrap() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (socket, lake) = (folder.path().join("dnstap.sock"), folder.path().join("lake"));
    let child = Command::new(env!("CARGO_BIN_EXE_dnscert"))
        .args(["ingest", "--sensor", "ns1", "--json", "--window", "1", "--dnstap"])
        .arg(&socket)
        .arg("--lake")
        .arg(&lake)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    assert!(wait_until(PATIENCE, || socket.exists()));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let replay = |writer: usize| {
        let mut command = Command::new("/usr/bin/fstrm_replay");
        command
            .args(["-t", "protobuf:dnstap.Dnstap", "-u"])
            .arg(&socket)
            .arg("-r");
        assert!(
            command
                .arg(recording(folder.path(), writer, 500))
                .status()
                .unwrap()
                .success()
        );
    };
    let matched = || {
        if !lake.join("name/_delta_log").is_dir() {
            return 0;
        }
        let passive = runtime.block_on(Passive::open_read_only(&lake)).unwrap();
        let cells = passive.traffic(Timestamp::UNIX_EPOCH, Timestamp::MAX, &Scope::ALL);
        cells.map(|told| told.what.counts.matched).sum::<u64>()
    };
    replay(0);
    assert!(wait_until(PATIENCE, || matched() == 500));
    // while somebody else writes it waits
    let other = runtime.block_on(Passive::open(&lake)).unwrap();
    replay(1);
    wait_until(Duration::from_secs(4), || false);
    assert_eq!(matched(), 500);
    drop(other);
    assert!(wait_until(PATIENCE, || matched() == 1_000));
    replay(2);
    Command::new("kill").arg(child.id().to_string()).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(matched() >= 1_000, "the last window is kept");
    let pairs = |line: &str| serde_json::from_str::<Value>(line).unwrap()["pairs"].as_u64().unwrap();
    assert_eq!(stdout(&output).lines().map(pairs).sum::<u64>(), matched());
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_kind_of_vantage_point_can_hand_over_what_is_the_other_s() {
    let mut centre = centre("");
    let token = tokio::task::block_in_place(|| {
        centre.start();
        let sensor = Sensor::registered(&centre, "fra1");
        std::fs::read_to_string(sensor.folder.join("token"))
            .unwrap()
            .trim()
            .to_owned()
    });
    let base = format!("http://{}/api/v1/probe", centre.address);
    let client = reqwest::Client::new();
    let plan = client
        .get(format!("{base}/plan"))
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();
    assert_eq!(plan.status(), 409);
    let put = async |id: lake::PartId, octets: Vec<u8>| {
        let request = client.put(format!("{base}/parts/{id}")).bearer_auth(&token);
        request.body(octets).send().await.unwrap().status().as_u16()
    };
    let (id, octets) = seal(&[]).unwrap();
    assert_eq!(put(id, octets).await, 422, "samples");
    let part = observed::seal("w", marked(1..2, Timestamp::now())).unwrap().remove(0);
    assert_eq!(
        put(lake::PartId::of(b"another"), part.octets.clone()).await,
        422,
        "another name"
    );
    assert_eq!(put(part.id, part.octets.clone()).await, 201);
    assert_eq!(put(part.id, part.octets).await, 200, "again");
    assert_eq!(in_lake(&centre).await.seen.values().sum::<u64>(), 1);
    assert_eq!(known(&centre)["refused_parts"], 2);
}

/// RRsets of names that nobody else sees, each once.
fn marked(numbers: std::ops::Range<usize>, time: Timestamp) -> Brought {
    let second = Timestamp::from_second(time.as_second()).unwrap();
    let rrset = |number: usize| PassiveRrset {
        name: format!("n{number}.marked.test").parse().unwrap(),
        rtype: Rtype::A,
        bailiwick: "marked.test".parse().unwrap(),
        rdata: vec![vec![192, 0, 2, 80]],
        seen_in: SeenIn::Wire,
        first: second,
        last: second,
        count: 1,
    };
    Brought {
        rrsets: numbers.map(rrset).collect(),
        ..Brought::default()
    }
}

/// Seals parts into a spool as the sensor does.
fn fill(spool: &Path, parts: usize, next: &mut usize) {
    std::fs::create_dir_all(spool).unwrap();
    for _ in 0..parts {
        let newest = Timestamp::now() - SignedDuration::from_hours(24) + SignedDuration::from_secs(*next as i64);
        let window = format!("filled {next}");
        let part = observed::seal(&window, marked(*next..*next + RRSETS, newest))
            .unwrap()
            .remove(0);
        *next += RRSETS;
        let path = spool.join(format!("{:020}-{RRSETS}-{}.zst", newest.as_microsecond(), part.id));
        std::fs::write(path.with_extension("tmp"), part.octets).unwrap();
        std::fs::rename(path.with_extension("tmp"), path).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn either_side_is_killed_at_20_random_moments_and_no_row_is_lost_or_doubled() {
    let mut centre = centre("");
    let seed: u64 = rand::random();
    println!("seed of the kills: {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut made = 0;
    tokio::task::block_in_place(|| {
        centre.start();
        let mut sensor = Sensor::registered(&centre, "fra1");
        let mut interrupted = 0;
        let mut pause = |millis: std::ops::Range<u64>| {
            let wait = Duration::from_millis(random.random_range(millis));
            wait_until(wait, || false);
        };
        for _ in 0..KILLS {
            fill(&sensor.spool(), 10, &mut made);
            sensor.start(&[]);
            pause(50..900);
            centre.kill();
            interrupted += usize::from(sensor.waiting() > 0);
            pause(0..300);
            centre.start();
            pause(50..900);
            sensor.kill();
        }
        println!("{interrupted} of {KILLS} kills of the centre came while parts were handed over");
        assert!(interrupted > 0, "no kill came while parts were handed over");
        sensor.start(&[]);
        sensor.until_empty();
        sensor.stop();
        assert!(centre.stop(), "{}", centre.log());
        assert!(
            !sensor.spool().join("refused").exists(),
            "a part was refused: {}",
            sensor.log()
        );
    });
    let there = in_lake(&centre).await;
    let expected: BTreeMap<String, u64> = (0..made).map(|number| (format!("n{number}.marked.test"), 1)).collect();
    assert_eq!(there.seen.len(), expected.len());
    assert_eq!(there.seen, expected, "seed {seed}");
}
