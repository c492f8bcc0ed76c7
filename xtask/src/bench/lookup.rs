//! `bench lookup` makes passive DNS of ten million RRsets and looks names, zones and addresses up in it: in the lake, in files of mtbl
//! (which dnstable has), and in PostgreSQL with an index for each question, on the same rows with the same questions.
//!
//! How the rows are made stands in `crates/lake/examples/lookup/world.rs`. PostgreSQL gets what is best for it: rows in the order of
//! the index, `VACUUM ANALYZE`, prepared statements, one connection over a Unix socket, and memory for all of its tables. pgbench
//! takes the times of its questions, on one connection as ours are asked by one thread.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::mtbl::Mtbl;
use super::run;
use crate::packages::Package;
use crate::run::is_root;

/// Whom we are compared with.
pub const PEERS: &[Package] = &[Package {
    name: "postgresql",
    program: "/usr/lib/postgresql",
    needed_for: "bench lookup",
}];

/// RRsets by default.
pub const RRSETS: &str = "10000000";

/// RRsets up to which PostgreSQL's tables and indexes fit into the 4 GB that it gets: 2.6 GB for ten million.
const MOST_FOR_POSTGRESQL: u64 = 15_000_000;

/// Answers of one question at most, as in the example.
const LIMIT: &str = "LIMIT 1000";

const TABLES: &str = "
CREATE UNLOGGED TABLE rrset (owner text COLLATE \"C\", rtype int, bailiwick text COLLATE \"C\", rdata bytea, seen_in text, source text, first bigint, last bigint, count bigint);
CREATE UNLOGGED TABLE address (value bytea, rtype int, owner text, seen_in text, source text, first bigint, last bigint, count bigint);
CREATE UNLOGGED TABLE question (n int PRIMARY KEY, owner text COLLATE \"C\", zone text COLLATE \"C\", behind text COLLATE \"C\", value bytea);
";

const INDEXES: &str = "
CREATE INDEX ON rrset (owner, rtype);
CREATE INDEX ON address (value);
VACUUM ANALYZE rrset;
VACUUM ANALYZE address;
VACUUM ANALYZE question;
";

/// Prints the figures of both for `rrsets` RRsets.
pub fn compare(ours: &Path, folder: &Path, rrsets: &str) -> Result<(), String> {
    let mtbl = Mtbl::build(folder)?;
    let is_large = rrsets.parse::<u64>().is_ok_and(|rrsets| rrsets > MOST_FOR_POSTGRESQL);
    let file = |table: &str, kind: &str| folder.join(format!("{table}.{kind}"));
    let mut make = Command::new(ours);
    make.arg("make").arg(folder).arg(rrsets);
    println!("-- dnscert");
    if is_large {
        // the rows as text would take more of the disk than all the rest
        let write = |table| mtbl.write_from_pipe(&file(table, "tsv"), &file(table, "mtbl"));
        let mut writers = [write("rrset")?, write("address")?];
        let made = run(&mut make);
        for writer in &mut writers {
            if made.is_err() {
                // nobody will come to the other end of its pipe any more
                let _ = writer.kill();
            }
            let ended = writer.wait();
            let ended = ended.map_err(|error| format!("could not wait for mtbl: {error}"))?;
            if made.is_ok() && !ended.success() {
                return Err(format!("mtbl ended with {ended}"));
            }
        }
        made?;
    } else {
        run(&mut make)?;
    }
    run(Command::new(ours).arg("ask").arg(folder))?;
    println!("-- mtbl");
    for table in ["rrset", "address"] {
        let out = file(table, "mtbl");
        if !is_large {
            let begun = Instant::now();
            mtbl.write(&file(table, "tsv"), &out)?;
            println!("{table}: sorted and written in {:.0} s", begun.elapsed().as_secs_f64());
        }
        let megabytes = fs::metadata(&out).map_or(0.0, |file| file.len() as f64 / 1e6);
        println!("{table}: {megabytes:.0} MB");
    }
    ask_mtbl(&mtbl, folder)?;
    if is_large {
        println!("-- PostgreSQL is left out: its tables and indexes would not fit into its memory");
        return Ok(());
    }
    println!("-- PostgreSQL");
    let server = Postgres::start(folder)?;
    let begun = Instant::now();
    server.sql(TABLES)?;
    server.sql(&questions(folder)?)?;
    for table in ["rrset", "address"] {
        let file = folder.join(format!("{table}.tsv"));
        server.sql(&format!("\\copy {table} FROM '{}'", file.display()))?;
    }
    server.sql(INDEXES)?;
    println!("taken in and indexed in {:.0} s", begun.elapsed().as_secs_f64());
    server.sql("\\pset tuples_only\nSELECT relname, pg_size_pretty(pg_total_relation_size(oid)) FROM pg_class WHERE relname IN ('rrset', 'address')")?;
    for (what, columns) in [
        ("name", "rrset r ON r.owner = q.owner"),
        ("wildcard", "rrset r ON r.owner >= q.zone AND r.owner < q.behind"),
        ("address", "address r ON r.value = q.value"),
    ] {
        let question = format!("SELECT r.* FROM question q JOIN {columns} WHERE q.n = :n {LIMIT};");
        for round in ["first", "again"] {
            server.measure(&format!("{what}, {round}"), &question)?;
        }
    }
    Ok(())
}

/// Asks each kind of question twice, of the file in the order of owners or of addresses.
fn ask_mtbl(mtbl: &Mtbl, folder: &Path) -> Result<(), String> {
    let read =
        |name: &str| fs::read_to_string(folder.join(name)).map_err(|error| format!("could not read `{name}`: {error}"));
    let names: String = read("names.txt")?.lines().map(|name| reversed(name) + "\t\n").collect();
    let zones: String = read("zones.txt")?.lines().map(|zone| reversed(zone) + "\n").collect();
    let addresses: String = read("addresses.txt")?
        .lines()
        .map(|address| format!("\\\\x{}\t\n", octets(address)))
        .collect();
    for (what, table, questions) in [
        ("name", "rrset", names),
        ("wildcard", "rrset", zones),
        ("address", "address", addresses),
    ] {
        let file = folder.join("questions.mtbl");
        fs::write(&file, questions).map_err(|error| format!("could not write questions: {error}"))?;
        for round in ["first", "again"] {
            mtbl.ask(
                &format!("{what}, {round}"),
                &folder.join(format!("{table}.mtbl")),
                &file,
            )?;
        }
    }
    Ok(())
}

/// An IPv4 address in hexadecimal digits.
fn octets(address: &str) -> String {
    let octets = address.split('.').filter_map(|octet| octet.parse::<u8>().ok());
    octets.map(|octet| format!("{octet:02x}")).collect()
}

/// The questions of the example, numbered, as statements.
fn questions(folder: &Path) -> Result<String, String> {
    let read = |name: &str| {
        let text = fs::read_to_string(folder.join(name));
        text.map_err(|error| format!("could not read `{name}`: {error}"))
    };
    let (names, zones, addresses) = (read("names.txt")?, read("zones.txt")?, read("addresses.txt")?);
    let mut text = String::from("\\copy question FROM stdin\n");
    for (at, ((name, zone), address)) in names.lines().zip(zones.lines()).zip(addresses.lines()).enumerate() {
        let (owner, zone) = (reversed(name), reversed(zone));
        // what begins with the zone and its dot is before the zone and what follows a dot
        let behind = format!("{}/", zone.trim_end_matches('.'));
        let value = octets(address);
        let _ = writeln!(text, "{at}\t{owner}\t{zone}\t{behind}\t\\\\x{value}");
    }
    text.push_str("\\.\n");
    Ok(text)
}

fn reversed(name: &str) -> String {
    name.split('.').rev().map(|label| format!("{label}.")).collect()
}

/// A server of our own, on a Unix socket in the folder.
struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
}

impl Postgres {
    fn start(folder: &Path) -> Result<Self, String> {
        let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
            .map_err(|error| format!("could not find PostgreSQL: {error}"))?
            .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
            .collect();
        versions.sort();
        let programs = versions.pop().ok_or("there is no version of PostgreSQL")?;
        let server = Self {
            programs,
            folder: folder.join("postgres"),
        };
        fs::create_dir_all(&server.folder).map_err(|error| format!("could not make a folder: {error}"))?;
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(&server.folder))?;
        }
        let data = server.folder.join("data");
        let quiet = std::process::Stdio::null;
        run(server
            .program("initdb")
            .args([
                "-A",
                "trust",
                "-U",
                "postgres",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
                "-D",
            ])
            .arg(&data)
            .stdout(quiet()))?;
        let options = format!(
            "-k {} -c listen_addresses= -c fsync=off -c shared_buffers=4GB -c maintenance_work_mem=1GB -c jit=off -c autovacuum=off",
            server.folder.display()
        );
        run(server
            .program("pg_ctl")
            .args(["start", "-w", "-l"])
            .arg(server.folder.join("log"))
            .arg("-D")
            .arg(&data)
            .args(["-o", &options])
            .stdout(quiet()))?;
        Ok(server)
    }

    /// One of its programs; the server refuses to run as root, and Debian's package makes a user for it.
    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir("/");
        command
    }

    fn sql(&self, text: &str) -> Result<(), String> {
        let file = self.folder.join("statements.sql");
        fs::write(&file, text).map_err(|error| format!("could not write statements: {error}"))?;
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres", "-h"]);
        run(psql.arg(&self.folder).arg("-f").arg(file))
    }

    /// Asks 4,000 questions by chance and prints how long they took.
    fn measure(&self, what: &str, question: &str) -> Result<(), String> {
        let script = self.folder.join("question.sql");
        fs::write(&script, format!("\\set n random(0, 3999)\n{question}\n")).map_err(|error| error.to_string())?;
        let log = self.folder.join("times");
        let mut pgbench = Command::new(self.programs.join("pgbench"));
        pgbench
            .args([
                "-n", "-M", "prepared", "-c", "1", "-t", "4000", "-l", "-U", "postgres", "-f",
            ])
            .arg(&script)
            .arg("-h")
            .arg(&self.folder)
            .arg(format!("--log-prefix={}", log.display()))
            .arg("postgres")
            // it knows nothing of the bounds of a question to come, and would read the whole table for a wildcard
            .env("PGOPTIONS", "-c enable_seqscan=off -c enable_bitmapscan=off")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        run(&mut pgbench)?;
        let mut times: Vec<f64> = Vec::new();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with("times.") {
                let text = fs::read_to_string(entry.path()).map_err(|error| error.to_string())?;
                let microseconds = |line: &str| line.split(' ').nth(2)?.parse::<f64>().ok();
                times.extend(text.lines().filter_map(microseconds));
                let _ = fs::remove_file(entry.path());
            }
        }
        times.sort_by(f64::total_cmp);
        let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or(0.0) / 1e3;
        let rate = times.len() as f64 / times.iter().sum::<f64>() * 1e6;
        println!("{what}: p50 {:.3} ms, p99 {:.3} ms, {rate:.0}/s", at(50), at(99));
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.folder.join("data");
        let mut stop = self.program("pg_ctl");
        stop.args(["stop", "-m", "immediate", "-D"]).arg(data);
        // it ends with the machine at the latest
        let _ = stop.stdout(std::process::Stdio::null()).status();
    }
}
