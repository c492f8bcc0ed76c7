//! `dnscert sweep` as people run it: what it says and keeps, and how it goes on after it was killed.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use lab::{Change, Event, Fault, FaultRule, Lab, World};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;
use testkit::loopback::{free_port, wait_until};
use testkit::name_server::{NameServer, Software, ZoneText};
use testkit::program::are_installed;

use crate::centre::{dnscert, hints_file, stderr, stdout};

/// One server of the world.
const SERVER: &str = "127.10.3.1";

/// Longest wait for a sweep to end by itself.
const PATIENCE: Duration = Duration::from_secs(180);

async fn pocket() -> Lab {
    Lab::start(World::shipped("pocket").unwrap(), 0, Timestamp::now())
        .await
        .unwrap()
}

fn spoil(lab: &Lab, fault: Fault) {
    let change = Change::AddFault {
        server: "ns1.good.test".to_owned(),
        rule: FaultRule::of(fault),
    };
    lab.apply(&Event::new(change)).unwrap();
}

/// A sweep with a folder of its own.
struct Sweep {
    folder: tempfile::TempDir,
    server: String,
}

impl Sweep {
    fn of(lab: &Lab) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            server: format!("{SERVER}:{}", lab.port()),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Names that are all in one zone, most of them not there.
    fn write_names(&self, count: usize) {
        let names: String = (0..count).map(|number| format!("n{number}.good.test\n")).collect();
        fs::write(self.path("names"), names).unwrap();
    }

    /// The command with these further arguments, to be run in the folder.
    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dnscert"));
        command
            .args(["sweep", "--server", &self.server])
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn start(&self, arguments: &str) -> Child {
        self.command(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Runs it off the asynchronous threads, where the lab answers it.
    fn run(&self, arguments: &str) -> Output {
        tokio::task::block_in_place(|| self.command(arguments).output().unwrap())
    }

    fn run_with(&self, arguments: &str, input: &[u8]) -> Output {
        tokio::task::block_in_place(|| {
            let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(input).unwrap();
            child.wait_with_output().unwrap()
        })
    }
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// How often each name stands in an output.
fn names_in(output: &Path) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in lines(&fs::read_to_string(output).unwrap()) {
        *counts.entry(line["name"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

fn asked(lab: &Lab) -> u64 {
    lab.questions()[&SERVER.parse::<IpAddr>().unwrap()].udp
}

#[tokio::test(flavor = "multi_thread")]
async fn each_name_makes_a_line_and_the_status_says_whether_all_were_answered() {
    let lab = pocket().await;
    let sweep = Sweep::of(&lab);
    let output = sweep.run_with("", b"web.good.test\nno-such-name.good.test\n");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut answers = lines(&stdout(&output));
    answers.sort_by_key(|line| line["name"].to_string());
    assert_eq!(answers[0]["name"], "no-such-name.good.test");
    assert_eq!(
        (&answers[0]["rcode"], &answers[0]["outcome"]),
        (&"NXDOMAIN".into(), &"answer".into())
    );
    assert_eq!(answers[1]["answers"][0]["rdata"], "127.10.3.4");
    assert_eq!(answers[1]["server"], sweep.server.as_str());
    let said = stderr(&output);
    assert!(
        said.starts_with("2 names in ") && said.contains("NOERROR 1, NXDOMAIN 1."),
        "{said}"
    );

    spoil(&lab, Fault::Silent);
    let output = sweep.run_with("--timeout 0.3", b"web.good.test\n");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(lines(&stdout(&output))[0]["outcome"], "timeout");
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_in_the_input_is_reported_with_its_line_and_passed_over() {
    let lab = pocket().await;
    let sweep = Sweep::of(&lab);
    let mut input = b"web.good.test\n\xff\x00\x1b[2J\na..b\n\n".to_vec();
    input.extend([b'x'; 100_000]);
    input.extend(b"\nmail.good.test");
    let output = sweep.run_with("", &input);
    assert_eq!(output.status.code(), Some(1), "lines that are no names are no success");
    assert_eq!(lines(&stdout(&output)).len(), 2);
    let said = stderr(&output);
    for part in ["line 2, `", "line 3, `a..b`: ", "line 5, `xxx", "3 lines are no names."] {
        assert!(said.contains(part), "`{part}` is missing in:\n{said}");
    }
    assert!(!said.contains('\x1b'), "{said:?}");

    let many = "..\n".repeat(1_000);
    let output = sweep.run_with("", many.as_bytes());
    assert!(
        stderr(&output).lines().count() < 30,
        "the rest is only counted: {}",
        stderr(&output)
    );
    assert!(stderr(&output).contains("1,000 lines are no names."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_is_killed_at_random_moments_asks_only_what_is_missing_and_tells_each_name_once() {
    const NAMES: usize = 20_000;
    let lab = pocket().await;
    let sweep = Sweep::of(&lab);
    sweep.write_names(NAMES);
    // slow enough that it is killed in the middle, and each run gets somewhere
    let arguments = "--names names --output out --resume state --rate 4000 --timeout 60";
    let seed: u64 = rand::random();
    println!("seed of the kills: {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let (mut kills, mut done) = (0_u64, false);
    while kills < 8 && !done {
        let mut child = sweep.start(arguments);
        let moment = Duration::from_millis(random.random_range(200..1_500));
        done = tokio::task::block_in_place(|| wait_until(moment, || !matches!(child.try_wait(), Ok(None))));
        if !done {
            child.kill().unwrap();
            kills += 1;
        }
        child.wait().unwrap();
    }
    let output = sweep.run(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let names = names_in(&sweep.path("out"));
    assert_eq!(names.len(), NAMES, "after {kills} kills");
    assert!(names.values().all(|count| *count == 1));
    // what was out or not yet written when it was killed: a quarter of a second's worth, and a busy machine's delay
    let again = asked(&lab) - NAMES as u64;
    assert!(
        again <= kills * 4_000,
        "{again} names were asked again after {kills} kills"
    );

    let before = asked(&lab);
    let output = sweep.run(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(asked(&lab), before, "what is done is not asked again");
    assert_eq!(names_in(&sweep.path("out")).len(), NAMES);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_a_sweep_in_order_and_the_same_command_goes_on() {
    const NAMES: usize = 5_000;
    let lab = pocket().await;
    let sweep = Sweep::of(&lab);
    sweep.write_names(NAMES);
    for form in ["ndjson --output out.ndjson", "parquet --output out.parquet"] {
        let arguments = format!(
            "--names names --format {form} --resume {}.state --rate 1000",
            &form[..3]
        );
        let mut child = sweep.command(&arguments).stdout(Stdio::null()).spawn().unwrap();
        let out = sweep.path("out.ndjson").to_owned();
        let lines = match form.starts_with("parquet") {
            true => sweep.path("out.parquet.ndjson"),
            false => out.clone(),
        };
        let has_begun = || fs::metadata(&lines).is_ok_and(|data| data.len() > 0);
        assert!(tokio::task::block_in_place(|| wait_until(PATIENCE, has_begun)));
        Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap();
        assert!(tokio::task::block_in_place(|| wait_until(PATIENCE, || !matches!(
            child.try_wait(),
            Ok(None)
        ))));
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
        assert!(
            stderr(&output).contains("The same command goes on from here."),
            "{}",
            stderr(&output)
        );
        let kept = names_in(&lines).len();
        assert!(kept < NAMES, "it was stopped in the middle");

        // fast, but no faster than a busy machine can answer
        let output = sweep.run(&arguments.replace("--rate 1000", "--rate 2000"));
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let summed = format!("{} names in", (NAMES - kept).to_string().replacen('4', "4,", 1));
        if NAMES - kept >= 4_000 {
            assert!(stderr(&output).starts_with(&summed), "`{summed}`: {}", stderr(&output));
        }
        if form.starts_with("parquet") {
            assert_eq!(parquet_column(&sweep.path("out.parquet"), "qname").len(), NAMES);
            assert!(!lines.exists(), "the lines became a table");
            let before = asked(&lab);
            let again = sweep.run(&arguments);
            assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
            assert_eq!(asked(&lab), before, "what is done is not asked again");
        } else {
            assert_eq!(names_in(&out).len(), NAMES);
        }
    }
}

fn parquet_column(path: &Path, name: &str) -> Vec<String> {
    let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    let column = |row: parquet::record::Row| {
        let mut columns = row.into_columns().into_iter();
        columns.find(|(column, _)| column == name).unwrap().1.to_string()
    };
    rows.map(|row| column(row.unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_is_swept_into_parquet() {
    if !are_installed(&["/usr/sbin/nsd"]).unwrap() {
        return;
    }
    const NAMES: usize = 3_000;
    let mut text = "$ORIGIN example.test.\n@ 3600 SOA ns1 hostmaster 7 14400 3600 1209600 300\n@ 3600 NS ns1\n\
                    ns1 3600 A 127.0.0.1\n"
        .to_owned();
    for number in 0..NAMES {
        text.push_str(&format!("n{number} 3600 A 192.0.2.{}\n", number % 250));
    }
    // longer than fits into 512 octets
    for number in 0..60 {
        text.push_str(&format!("many 3600 A 198.51.100.{number}\n"));
    }
    let zone = ZoneText {
        name: "example.test.".to_owned(),
        text,
    };
    let (address, port) = (IpAddr::from([127, 0, 72, 1]), free_port().unwrap());
    let _server = NameServer::start(Software::Nsd, address, port, vec![zone]).unwrap();
    let sweep = Sweep {
        folder: tempfile::tempdir().unwrap(),
        server: format!("{address}:{port}"),
    };
    let names = (0..NAMES)
        .map(|number| format!("n{number}.example.test\n"))
        .collect::<String>();
    let names = names + "many.example.test\nexample.test\nnobody.example.test\n";
    fs::write(sweep.path("names"), names).unwrap();
    let output = sweep.run("--names names --format parquet --output out.parquet --probe here");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let out = sweep.path("out.parquet");
    let column = |name: &str| parquet_column(&out, name);
    let (qnames, rcodes, transports) = (column("qname"), column("rcode"), column("transport"));
    assert_eq!(qnames.len(), NAMES + 3);
    let at = |name: &str| qnames.iter().position(|qname| qname == &format!("\"{name}\"")).unwrap();
    assert_eq!(rcodes[at("n42.example.test")], "0");
    assert_eq!(rcodes[at("nobody.example.test")], "3");
    assert_eq!(transports[at("many.example.test")], "\"tcp\"");
    let answers = column("answers");
    assert!(
        answers[at("n42.example.test")].contains("rdata: \"192.0.2.42\""),
        "{}",
        answers[at("n42.example.test")]
    );
    assert_eq!(answers[at("many.example.test")].matches("198.51.100.").count(), 60);
    assert!(column("probe").iter().all(|probe| probe == "\"here\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_walks_from_the_root_where_that_is_asked() {
    let lab = pocket().await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("hints"), hints_file(&lab.hints())).unwrap();
    fs::write(
        folder.path().join("names"),
        "www.good.test\nwww.shop.example\nnobody.test\n",
    )
    .unwrap();
    let port = lab.port().to_string();
    let output = tokio::task::block_in_place(|| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dnscert"));
        command
            .args([
                "sweep",
                "--iterate",
                "--hints",
                "hints",
                "--port",
                &port,
                "--no-ipv6",
                "--names",
                "names",
            ])
            .current_dir(folder.path());
        command.output().unwrap()
    });
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut answers = lines(&stdout(&output));
    answers.sort_by_key(|line| line["name"].to_string());
    let rcodes: Vec<&str> = answers.iter().map(|line| line["rcode"].as_str().unwrap()).collect();
    assert_eq!(rcodes, ["NXDOMAIN", "NOERROR", "NOERROR"]);
    assert_eq!(
        answers[1]["answers"].as_array().unwrap().len(),
        2,
        "the alias and the address: {}",
        answers[1]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_to_nobody_gives_up_and_can_go_on() {
    let lab = pocket().await;
    let sweep = Sweep::of(&lab);
    sweep.write_names(3_000);
    spoil(&lab, Fault::Silent);
    let arguments = "--names names --output out --resume state --timeout 0.3 --patience 1";
    let output = sweep.run(arguments);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("no server answered for 1 s"),
        "{}",
        stderr(&output)
    );
    let unanswered = names_in(&sweep.path("out")).len();
    assert!(unanswered < 1_000, "{unanswered}");

    let repair = Change::RemoveFault {
        server: "ns1.good.test".to_owned(),
        fault: Fault::Silent,
    };
    lab.apply(&Event::new(repair)).unwrap();
    let output = sweep.run(&arguments.replace("0.3", "30"));
    assert_eq!(
        output.status.code(),
        Some(1),
        "those that were asked in vain stay so: {}",
        stderr(&output)
    );
    let names = names_in(&sweep.path("out"));
    assert_eq!((names.len(), names.values().sum::<usize>()), (3_000, 3_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_goes_on_only_with_what_belongs_to_it() {
    let lab = pocket().await;
    let sweep = Sweep::of(&lab);
    sweep.write_names(10);
    let arguments = "--names names --output out --resume state";
    assert_eq!(sweep.run(arguments).status.code(), Some(0));
    let state = fs::read_to_string(sweep.path("state")).unwrap();
    let spoiled: [(&str, &str, &str, &str); 5] = [
        (
            "names",
            "other.good.test\n",
            arguments,
            "are not those that the earlier run read",
        ),
        ("state", "nonsense", arguments, "`state`"),
        (
            "state",
            &state,
            "--names names --output out --resume state --type MX",
            "for A, not for MX",
        ),
        ("out", "", arguments, "it has 0 octets"),
        ("out", &"{}\n".repeat(5_000), arguments, "no line of a sweep"),
    ];
    for (file, text, arguments, said) in spoiled {
        let before = fs::read(sweep.path(file)).unwrap();
        fs::write(sweep.path(file), text).unwrap();
        let output = sweep.run(arguments);
        assert_eq!(output.status.code(), Some(3), "{file}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{file}: {}", stderr(&output));
        fs::write(sweep.path(file), before).unwrap();
        assert_eq!(
            fs::read_to_string(sweep.path("state")).unwrap(),
            state,
            "{file}: the state is untouched"
        );
    }
    fs::remove_file(sweep.path("state")).unwrap();
    let output = sweep.run(arguments);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("holds something"), "{}", stderr(&output));
}

#[test]
fn a_wrong_command_line_names_what_is_wrong() {
    for (arguments, named) in [
        ("sweep", "--server"),
        ("sweep --server 192.0.2.300", "192.0.2.300"),
        ("sweep --server 192.0.2.1 --iterate", "--iterate"),
        ("sweep --server 192.0.2.1 --type BOGUS", "BOGUS"),
        ("sweep --server 192.0.2.1 --type AXFR", "transfer"),
        ("sweep --server 192.0.2.1 --format parquet", "--output"),
        ("sweep --server 192.0.2.1 --resume state", "--output"),
        ("sweep --server 192.0.2.1 --attempts 9", "9"),
        ("sweep --server 192.0.2.1 --timeout soon", "soon"),
    ] {
        let words: Vec<&str> = arguments.split_whitespace().collect();
        let output = dnscert(&words);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {}", stderr(&output));
        assert!(stderr(&output).contains(named), "{arguments}: {}", stderr(&output));
    }
}

#[test]
fn what_cannot_be_read_or_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let resolvers = folder.path().join("resolvers");
    fs::write(&resolvers, "127.0.0.1 # ours\n\n::1\nns1.example\n").unwrap();
    let resolvers = resolvers.to_str().unwrap();
    for (arguments, named) in [
        (["--resolvers", "/nowhere/resolvers"], "/nowhere/resolvers"),
        (["--resolvers", resolvers], "reading line 4 of the servers"),
    ] {
        let output = dnscert(&[&["sweep"], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        assert!(stderr(&output).contains(named), "{}", stderr(&output));
    }
    for arguments in [["--names", "/nowhere/names"], ["--output", "/nowhere/out"]] {
        let output = dnscert(&[&["sweep", "--server", "127.0.0.1"], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        assert!(stderr(&output).contains("/nowhere/"), "{}", stderr(&output));
    }
}
