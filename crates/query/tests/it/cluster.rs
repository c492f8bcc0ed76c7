//! A scheduler and two executors, each a process of its own, answer as one machine does; and one of them is killed.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use lake::store::{Store, publish};
use query::{Cluster, Engine, Error, Format, Limits, Location};
use tempfile::TempDir;
use testkit::object_store::S3;

use crate::documented::{document, worked};
use crate::story::{furnish, written};

/// A process that ends with its test.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // it may be dead already, and that may be what is tested
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Starts `dnscert-sql`, and waits for its first line.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    fn start_with(arguments: &[&str], environment: &[(String, String)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dnscert-sql"))
            .args(arguments)
            .envs(environment.iter().cloned())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        assert!(first.contains(" at 127.0.0.1:"), "{first}");
        std::thread::spawn(move || lines.for_each(drop));
        Self(child)
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// A port of loopback that is free, and the one after it too.
pub fn free_ports() -> u16 {
    loop {
        let first = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = first.local_addr().unwrap().port();
        if port < u16::MAX && TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            return port;
        }
    }
}

/// A lake, a scheduler, and two executors that do one part at a time.
struct World {
    folder: TempDir,
    scheduler: Running,
    executors: Vec<Running>,
    url: String,
    /// Of the executors.
    environment: Vec<(String, String)>,
}

impl World {
    async fn start() -> Self {
        Self::start_with(Vec::new()).await
    }

    async fn start_with(environment: Vec<(String, String)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        furnish(&folder.path().join("lake")).await;
        let listen = format!("127.0.0.1:{}", free_ports());
        let url = format!("http://{listen}");
        let scheduler = Running::start(&["scheduler", "--listen", &listen]);
        let mut world = Self {
            folder,
            scheduler,
            executors: Vec::new(),
            url,
            environment,
        };
        for name in ["one", "two"] {
            world.add_executor(name);
        }
        world
    }

    fn add_executor(&mut self, name: &str) {
        let listen = format!("127.0.0.1:{}", free_ports());
        let folder = self.folder.path().join(name);
        let arguments = [
            "executor",
            "--scheduler",
            &self.url,
            "--listen",
            &listen,
            "--folder",
            folder.to_str().unwrap(),
            "--memory",
            "64",
            "--parts",
            "1",
        ];
        self.executors.push(Running::start_with(&arguments, &self.environment));
    }

    fn lake(&self) -> std::path::PathBuf {
        self.folder.path().join("lake")
    }

    async fn engine(&self, limits: Limits) -> Engine {
        let cluster: Cluster = self.url.parse().unwrap();
        Engine::open_at(&Location::Folder(self.lake()), limits, Some(cluster))
            .await
            .unwrap()
    }

    /// Whether the executor has begun a part of a question: then it has a folder for what comes of it.
    fn has_begun(&self, name: &str) -> bool {
        let folder = self.folder.path().join(name);
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("datafusion-"))
    }
}

async fn csv(engine: &Engine, sql: &str) -> Result<String, Error> {
    written(engine, sql, Format::Csv)
        .await
        .map(|octets| String::from_utf8(octets).unwrap())
}

async fn here(lake: &Path, sql: &str) -> String {
    let engine = Engine::open(lake, Limits::default()).await.unwrap();
    csv(&engine, sql).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_answers_what_one_machine_answers() {
    let world = World::start().await;
    let engine = world.engine(Limits::default()).await;
    let document = document();
    let worked = worked(&document).into_iter().map(|(sql, _)| sql);
    for sql in worked.chain([
        "SELECT count(*) FROM sample",
        "SELECT zone, address, count(*), avg(rtt_us), max(time) FROM sample GROUP BY zone, address ORDER BY zone, address",
        "SELECT owner, rtype, rdata, source_owner, source_tlp FROM rrset ORDER BY 1, 2, 3, 4",
        "SELECT source_owner, sum(count) FROM rrset GROUP BY source_owner ORDER BY 1",
        "SELECT source, owner, tlp FROM source ORDER BY 1",
        "SELECT name, place FROM name WHERE in_zone(name, 'example') ORDER BY 1, 2",
        "SELECT DISTINCT zone FROM sample WHERE zone NOT IN (SELECT zone FROM zone_change) ORDER BY 1",
        "SELECT (SELECT max(rtt_us) FROM sample) AS slowest, count(*) FROM zone_change",
        "SELECT zone, rank() OVER (PARTITION BY zone ORDER BY time) FROM zone_change ORDER BY 1, 2",
        "SELECT a.zone, count(*) FROM sample a JOIN zone_change b ON a.zone = b.zone GROUP BY 1 ORDER BY 1",
        "SELECT count(*) FROM (SELECT DISTINCT address FROM sample LIMIT 1)",
        "SELECT owner FROM rrset WHERE owner = 'nothing.example'",
        "SELECT 1 + 1",
        "SELECT reverse_name('www.example') AS of_no_table",
    ]) {
        let found = csv(&engine, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(found, here(&world.lake(), sql).await, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_in_s3_answers_alone_and_by_a_cluster() {
    let s3 = S3::start().await.unwrap();
    let world = World::start_with(s3.environment()).await;
    let url = format!("s3://{}/lake", S3::BUCKET);
    let store = Store::open(&url, s3.environment()).unwrap();
    publish(&world.lake(), &store).await.unwrap();
    let location = Location::read(&url, s3.environment()).unwrap();
    let alone = Engine::open_at(&location, Limits::default(), None).await.unwrap();
    let cluster: Cluster = world.url.parse().unwrap();
    let together = Engine::open_at(&location, Limits::default(), Some(cluster))
        .await
        .unwrap();
    for sql in [
        "SELECT zone, address, count(*), avg(rtt_us) FROM sample GROUP BY zone, address ORDER BY zone, address",
        "SELECT owner, rtype, rdata, source_owner FROM rrset WHERE in_zone(owner, 'shop.example') ORDER BY 1, 2, 3",
        "SELECT a.zone, count(*) FROM sample a JOIN zone_change b ON a.zone = b.zone GROUP BY 1 ORDER BY 1",
    ] {
        let expected = here(&world.lake(), sql).await;
        assert_eq!(csv(&alone, sql).await.unwrap(), expected, "{sql}");
        assert_eq!(csv(&together, sql).await.unwrap(), expected, "{sql}");
    }
    let program = Command::new(env!("CARGO_BIN_EXE_dnscert-sql"))
        .args(["SELECT count(*) AS n FROM sample", "--lake", &url])
        .envs(s3.environment())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&program.stdout), "{\"n\":96}\n", "{program:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_whoever_finds_it() {
    let mut world = World::start().await;
    let engine = world.engine(Limits::default()).await;
    for (sql, told) in [
        ("SELECT ownr FROM rrset", "ownr"),
        ("DROP VIEW sample", "DROP is refused"),
        ("SELECT 1/(attempts-attempts) FROM sample", "DivideByZero"),
    ] {
        let error = csv(&engine, sql).await.unwrap_err();
        assert!(error.to_string().contains(told), "{sql}: {error}");
    }

    // nobody to do it: the time limit says so; nobody at the address: at once
    world.executors.clear();
    let hasty = Limits {
        time: Duration::from_secs(2),
        ..Limits::default()
    };
    let engine = world.engine(hasty).await;
    let error = csv(&engine, "SELECT count(*) FROM sample WHERE rtt_us > 1")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Time { .. } | Error::Cluster { .. }), "{error:?}");
    world.scheduler.kill();
    let error = csv(&engine, "SELECT count(*) FROM sample WHERE rtt_us > 1")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&world.url), "{error}");
}

/// Some seconds of work for two executors, in parts.
const LONG: &str = "SELECT a.zone, a.address, count(*) AS n, sum((b.rtt_us * c.rtt_us + a.attempts) % 7) AS s
    FROM sample a, sample b, sample c WHERE a.rtt_us + b.rtt_us > c.rtt_us GROUP BY a.zone, a.address ORDER BY 1, 2";

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_survives_an_executor_that_is_killed_in_its_middle() {
    let mut world = World::start().await;
    let expected = here(&world.lake(), LONG).await;
    let engine = world.engine(Limits::default()).await;
    let asked = tokio::spawn(async move { csv(&engine, LONG).await });
    let begin = Instant::now();
    while !(world.has_begun("one") && world.has_begun("two")) {
        assert!(begin.elapsed() < Duration::from_secs(30), "no executor has begun");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(
        !asked.is_finished(),
        "the question is too quick to be broken off in its middle"
    );
    world.executors[0].kill();
    assert_eq!(asked.await.unwrap().unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_waits_for_any_more_is_ended_at_the_executors() {
    let world = World::start().await;
    let endless = "SELECT count(*) FROM sample a, sample b, sample c, sample d, sample e, sample f
        WHERE a.rtt_us * b.rtt_us + c.rtt_us > d.rtt_us - e.rtt_us + f.rtt_us";
    let ask = |sql: &str, seconds: &str| -> Output {
        Command::new(env!("CARGO_BIN_EXE_dnscert-sql"))
            .args([sql, "--cluster", &world.url, "--time", seconds, "--lake"])
            .arg(world.lake())
            .output()
            .unwrap()
    };
    for _ in 0..2 {
        let output = ask(endless, "1");
        assert_eq!(output.status.code(), Some(3), "{output:?}");
    }
    // both executors are free for what comes next
    let output = ask(
        "SELECT zone, sum(attempts) FROM sample GROUP BY zone ORDER BY zone LIMIT 1",
        "20",
    );
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn an_address_of_a_scheduler_is_read_as_people_write_it() {
    for (text, read) in [
        ("http://sql.example:50050", Ok("http://sql.example:50050")),
        ("sql.example:50050", Ok("http://sql.example:50050")),
        ("http://[2001:db8::1]:50050/", Ok("http://[2001:db8::1]:50050")),
        ("sql.example", Err("sql.example")),
        ("https://sql.example:50050", Err("https://sql.example:50050")),
        ("http://sql.example:port", Err("http://sql.example:port")),
        ("", Err("HOST:PORT")),
    ] {
        match (text.parse::<Cluster>(), read) {
            (Ok(cluster), Ok(read)) => assert_eq!(cluster.to_string(), read),
            (Err(error), Err(told)) => assert!(error.contains(told), "{error}"),
            (other, _) => panic!("{text}: {other:?}"),
        }
    }
}
