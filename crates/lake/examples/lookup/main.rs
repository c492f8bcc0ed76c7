//! Work for `cargo xtask bench lookup`: makes passive DNS of any size, with the same rows and questions as text for another
//! database, and measures look-ups.
//!
//!     lookup make FOLDER RRSETS
//!     lookup ask FOLDER

mod world;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use lake::passive::{NamePattern, Passive, Query, ValuePattern, summarize};

use world::World;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// RRsets of one receipt.
const RECEIPT: u64 = 250_000;
/// Receipts after which files that were merged are removed: the disk has them twice until then.
const SWEPT: usize = 16;
/// Questions of each kind.
const QUESTIONS: u64 = 4_000;
/// Answers of one question at most.
const LIMIT: usize = 1_000;

fn main() -> Outcome {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", folder, count] => runtime.block_on(make(Path::new(folder), count.parse()?)),
        ["ask", folder] => runtime.block_on(ask(Path::new(folder))),
        _ => Err("lookup make FOLDER RRSETS | lookup ask FOLDER".into()),
    }
}

async fn make(folder: &Path, count: u64) -> Outcome {
    let begun = Instant::now();
    let passive = Passive::open(&folder.join("lake")).await?;
    passive.set_source(world::source()).await?;
    let world = World { rrsets: count };
    let mut taken = Duration::ZERO;
    for (receipt, start) in (0..count).step_by(RECEIPT as usize).enumerate() {
        let rows: Vec<_> = (start..count.min(start + RECEIPT)).map(|at| world.rrset(at)).collect();
        let begun = Instant::now();
        passive
            .append("sensor-1", &format!("r{receipt}"), rows, Timestamp::UNIX_EPOCH)
            .await?;
        passive.merge(None).await?;
        taken += begun.elapsed();
        if receipt % SWEPT == SWEPT - 1 {
            passive.vacuum(Timestamp::MAX, SignedDuration::ZERO).await?;
        }
    }
    for table in passive.statistics().await {
        let (rows, megabytes) = (table.rows, table.bytes as f64 / 1e6);
        println!(
            "{}: {rows} rows, {megabytes:.0} MB, {} files, {:.1} octets a row",
            table.table,
            table.files,
            table.bytes as f64 / rows.max(1) as f64
        );
    }
    println!(
        "{count} RRsets taken in and merged in {:.0} s: {:.0} a second, {:.0} MB of memory at most",
        taken.as_secs_f64(),
        count as f64 / taken.as_secs_f64(),
        peak_mb()
    );
    rows_as_text(folder, &passive)?;
    questions(folder, &world)?;
    println!("made in {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}

/// All rows as PostgreSQL's COPY takes them.
fn rows_as_text(folder: &Path, passive: &Passive) -> Outcome {
    let all = Query {
        rows: u64::MAX,
        ..Query::new(NamePattern::Below(model::Name::root()), usize::MAX)
    };
    let mut out = BufWriter::new(File::create(folder.join("rrset.tsv"))?);
    for seen in passive.rrsets(&all) {
        let row = seen.rrset;
        let data: String = row
            .rdata
            .iter()
            .map(|data| format!("{:04x}{}", data.len(), hex(data)))
            .collect();
        let (owner, zone) = (world::reversed(&row.name), world::reversed(&row.bailiwick));
        let (rtype, first, last) = (row.rtype.to_int(), row.first.as_second(), row.last.as_second());
        writeln!(
            out,
            "{owner}\t{rtype}\t{zone}\t\\\\x{data}\twire\tsensor-1\t{first}\t{last}\t{}",
            row.count
        )?;
    }
    out.flush()?;
    let all = Query {
        rows: u64::MAX,
        ..Query::new(ValuePattern::Prefix("0.0.0.0/0".parse()?), usize::MAX)
    };
    let mut out = BufWriter::new(File::create(folder.join("address.tsv"))?);
    for row in passive.rdata(&all) {
        let owner = world::reversed(&row.name);
        let (rtype, first, last) = (row.rtype.to_int(), row.first.as_second(), row.last.as_second());
        writeln!(
            out,
            "\\\\x{}\t{rtype}\t{owner}\twire\tsensor-1\t{first}\t{last}\t{}",
            hex(&row.rdata),
            row.count
        )?;
    }
    Ok(out.flush()?)
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Names, zones and addresses that are asked for, one a line; the first tenth of the names was never seen.
fn questions(folder: &Path, world: &World) -> Outcome {
    let line = |at| {
        let name = world.rrset(world.any(at)).name;
        if at % 10 == 0 {
            format!("never-seen.{name}")
        } else {
            name.to_string()
        }
    };
    fs::write(folder.join("names.txt"), lines((0..QUESTIONS).map(line)))?;
    fs::write(
        folder.join("zones.txt"),
        lines((0..QUESTIONS).map(|at| world.rrset(world.any(at)).bailiwick.to_string())),
    )?;
    let addresses = (0..)
        .filter_map(|at| world.address(world.any(at)))
        .take(QUESTIONS as usize);
    fs::write(
        folder.join("addresses.txt"),
        lines(addresses.map(|address| address.to_string())),
    )?;
    Ok(())
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.map(|line| line + "\n").collect()
}

async fn ask(folder: &Path) -> Outcome {
    let begun = Instant::now();
    let passive = Passive::open_read_only(&folder.join("lake")).await?;
    println!(
        "opened in {:.0} ms, {:.0} MB of memory",
        begun.elapsed().as_secs_f64() * 1e3,
        peak_mb()
    );
    let read = |name: &str| fs::read_to_string(folder.join(name));
    let (names, zones, addresses) = (read("names.txt")?, read("zones.txt")?, read("addresses.txt")?);
    for round in ["first", "again"] {
        measure(&format!("name, {round}"), names.lines(), |text| {
            Ok(passive.rrsets(&Query::new(text.parse()?, LIMIT)).count())
        })?;
        measure(&format!("wildcard, {round}"), zones.lines(), |text| {
            Ok(passive.rrsets(&Query::new(format!("*.{text}").parse()?, LIMIT)).count())
        })?;
        measure(&format!("address, {round}"), addresses.lines(), |text| {
            Ok(passive
                .rdata(&Query::new(ValuePattern::Address(text.parse()?), LIMIT))
                .count())
        })?;
        measure(&format!("right wildcard, {round}"), names.lines().take(500), |text| {
            let stem = text.rsplit_once('.').map_or(text, |(stem, _)| stem);
            Ok(passive.rrsets(&Query::new(format!("{stem}.*").parse()?, LIMIT)).count())
        })?;
    }
    let mixed: Vec<String> = (names.lines().map(str::to_owned))
        .zip(zones.lines().map(|zone| format!("*.{zone}")))
        .flat_map(|(name, below)| [name, below])
        .collect();
    at_once(&passive, &mixed, &addresses)?;
    let begun = Instant::now();
    let summary = summarize(&mut passive.rrsets(&Query::new("*.com".parse()?, 1_000_000)), None);
    println!(
        "summary of the first {} under com in {:.2} s",
        summary.answers,
        begun.elapsed().as_secs_f64()
    );
    let explained = names.lines().take(100).map(|text| {
        let read = passive.explain_rrsets(&Query::new(text.parse()?, LIMIT));
        Ok((read.len(), read.iter().map(|file| file.pages.1).sum::<usize>()))
    });
    let explained: Vec<(usize, usize)> = explained.collect::<Result<_, model::NameError>>()?;
    let most = explained
        .iter()
        .max_by_key(|(_, pages)| pages)
        .copied()
        .unwrap_or_default();
    println!(
        "a name reads at most {} files and {} pages; {:.0} MB of memory at most",
        most.0,
        most.1,
        peak_mb()
    );
    Ok(())
}

/// As many threads as there are processors, each with its own part of names, wildcards and addresses by turns.
fn at_once(passive: &Passive, names: &[String], addresses: &str) -> Outcome {
    let threads = std::thread::available_parallelism()?.get();
    let addresses: Vec<ValuePattern> = (addresses.lines())
        .map(|text| Ok(ValuePattern::Address(text.parse()?)))
        .collect::<Result<_, std::net::AddrParseError>>()?;
    let names: Vec<NamePattern> = names.iter().map(|name| name.parse()).collect::<Result<_, _>>()?;
    let begun = Instant::now();
    let asked: usize = std::thread::scope(|scope| {
        let (names, addresses) = (&names, &addresses);
        let ask = |part: usize| {
            let mut asked = 0;
            for name in names.iter().skip(part).step_by(threads) {
                let _ = passive.rrsets(&Query::new(name.clone(), LIMIT)).count();
                asked += 1;
            }
            for address in addresses.iter().skip(part).step_by(threads) {
                let _ = passive.rdata(&Query::new(address.clone(), LIMIT)).count();
                asked += 1;
            }
            asked
        };
        let parts: Vec<_> = (0..threads).map(|part| scope.spawn(move || ask(part))).collect();
        parts.into_iter().map(|part| part.join().unwrap_or_default()).sum()
    });
    println!(
        "{threads} threads at once: {:.0} look-ups a second",
        asked as f64 / begun.elapsed().as_secs_f64()
    );
    Ok(())
}

fn measure<'a>(
    what: &str,
    questions: impl Iterator<Item = &'a str>,
    look_up: impl Fn(&str) -> Result<usize, Box<dyn std::error::Error>>,
) -> Outcome {
    let mut times = Vec::new();
    let (mut answers, mut found) = (0, 0);
    for question in questions {
        let begun = Instant::now();
        let count = look_up(question)?;
        times.push(begun.elapsed());
        answers += count;
        found += usize::from(count > 0);
    }
    let total: Duration = times.iter().sum();
    times.sort();
    let at = |percent: usize| {
        times
            .get((times.len() * percent / 100).min(times.len().saturating_sub(1)))
            .map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    println!(
        "{what}: p50 {:.3} ms, p99 {:.3} ms, {:.0}/s; {} of {} found, {answers} answers",
        at(50),
        at(99),
        times.len() as f64 / total.as_secs_f64(),
        found,
        times.len()
    );
    Ok(())
}

/// Most memory that this process has had, in MB.
fn peak_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1000.0
}
