//! `dnscert zone diff`: two zone files, RRset by RRset.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context as _;
use model::{Name, rdata_text};
use serde::Serialize;
use zonefile::{Change, Difference, Digest, Kind, Limits, Part, RrsetAt, Serials, Snapshot, Without};

use crate::cli::ZoneDiffArgs;

/// The files hold the same.
const SAME: u8 = 0;
/// They do not.
const DIFFERS: u8 = 1;
/// One of them is doubtful, and nothing was compared.
const REFUSED: u8 = 3;

/// Status 0 the same, 1 differs, 3 refused, or could not be read.
pub fn run(arguments: &ZoneDiffArgs) -> anyhow::Result<ExitCode> {
    let reading = super::reading(&arguments.reading);
    let before = Snapshot::read(&arguments.before, &reading)?;
    let after = Snapshot::read(&arguments.after, &reading)?;
    let without = match arguments.without_signing {
        true => Without::Signing,
        false => Without::Nothing,
    };
    let limits = Limits {
        names_gone: arguments.max_gone,
        ..Limits::default()
    };
    let difference = Difference::of(before, after, without, &limits)?;
    let is_doubtful = tell_faults(&difference);
    let mut out = io::BufWriter::new(io::stdout().lock());
    if arguments.json {
        write_line(&mut out, &Files::of(&difference))?;
    }
    if is_doubtful && !arguments.force {
        out.flush().context("writing the difference")?;
        eprintln!("dnscert: refused; --force compares them all the same");
        return Ok(ExitCode::from(REFUSED));
    }
    let count = match arguments.json {
        true => write_lines(&mut out, &difference)?,
        false => write_text(&mut out, &difference)?,
    };
    out.flush().context("writing the difference")?;
    Ok(ExitCode::from(if count == 0 { SAME } else { DIFFERS }))
}

/// Names on standard error what speaks against the files; whether anything does.
fn tell_faults(difference: &Difference) -> bool {
    let (before, after) = (&difference.before, &difference.after);
    super::tell_outside(before);
    super::tell_outside(after);
    let all = [
        (before, &before.faults),
        (after, &after.faults),
        (after, &difference.faults),
    ];
    all.into_iter().fold(false, |is_doubtful, (snapshot, faults)| {
        super::tell(snapshot, faults) || is_doubtful
    })
}

/// The two files, as JSON.
#[derive(Serialize)]
struct Files {
    zone: Name,
    before: File,
    after: File,
    serials: &'static str,
    refused_for: Vec<String>,
}

#[derive(Serialize)]
struct File {
    file: String,
    serial: Option<u32>,
    records: u64,
    names: u64,
    outside: u64,
    zonemd: &'static str,
    refused_for: Vec<String>,
}

impl Files {
    fn of(difference: &Difference) -> Self {
        let texts = |faults: &[zonefile::Fault]| faults.iter().map(ToString::to_string).collect();
        let file = |snapshot: &Snapshot| File {
            file: snapshot.path.display().to_string(),
            serial: snapshot.serial,
            records: snapshot.records,
            names: snapshot.names,
            outside: snapshot.outside,
            zonemd: snapshot.digest.as_str(),
            refused_for: texts(&snapshot.faults),
        };
        Self {
            zone: zone(difference).clone(),
            before: file(&difference.before),
            after: file(&difference.after),
            serials: difference.serials.as_str(),
            refused_for: texts(&difference.faults),
        }
    }
}

/// The zone of the file that has records.
fn zone(difference: &Difference) -> &Name {
    match difference.before.records {
        0 => &difference.after.zone,
        _ => &difference.before.zone,
    }
}

/// An RRset that differs, as JSON.
#[derive(Serialize)]
struct Line {
    name: Name,
    #[serde(rename = "type")]
    rtype: String,
    part: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    delegation: Option<Name>,
    change: &'static str,
    removed: Vec<String>,
    added: Vec<String>,
    ttl_before: Option<u32>,
    ttl_after: Option<u32>,
}

impl Line {
    fn of(change: &Change) -> Self {
        let texts = |rdata: Vec<&[u8]>| rdata.into_iter().map(|rdata| rdata_text(change.rtype, rdata)).collect();
        let ttl = |rrset: &Option<RrsetAt>| rrset.as_ref().map(|rrset| rrset.ttl);
        Self {
            name: change.name.clone(),
            rtype: change.rtype.to_string(),
            part: change.part.as_str(),
            delegation: change.zone.clone(),
            change: change.kind.as_str(),
            removed: texts(change.removed()),
            added: texts(change.added()),
            ttl_before: ttl(&change.before),
            ttl_after: ttl(&change.after),
        }
    }
}

fn write_line(out: &mut impl Write, line: &impl Serialize) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    writeln!(out).context("writing the difference")
}

/// Delegations first, then all else, as JSON. Returns how many RRsets differ.
fn write_lines(out: &mut impl Write, difference: &Difference) -> anyhow::Result<u64> {
    let mut count = 0;
    for is_delegation in [true, false] {
        difference.changes(|change| {
            if (change.part != Part::Data) == is_delegation {
                count += 1;
                write_line(out, &Line::of(&change))?;
            }
            anyhow::Ok(())
        })?;
    }
    Ok(count)
}

/// The same for people, as lines of a zone file with a sign before each. Returns how many RRsets differ.
fn write_text(out: &mut impl Write, difference: &Difference) -> anyhow::Result<u64> {
    writeln!(out, "; zone {}", zone(difference))?;
    for (word, snapshot) in [("before", &difference.before), ("after", &difference.after)] {
        let serial = snapshot
            .serial
            .map_or_else(|| "none".to_owned(), |serial| serial.to_string());
        writeln!(
            out,
            "; {word:<6}  serial {serial}  {} records  {} names  ZONEMD {}  {}",
            snapshot.records,
            snapshot.names,
            snapshot.digest.as_str(),
            snapshot.path.display()
        )?;
    }
    if difference.before.digest != Digest::None && difference.after.digest == Digest::None {
        writeln!(
            out,
            "; before had a digest (ZONEMD) and after has none: nothing in it says whether it is whole (RFC 8976)"
        )?;
    }
    let mut parts: BTreeMap<Part, u64> = BTreeMap::new();
    let mut kinds: BTreeMap<Kind, u64> = BTreeMap::new();
    for (is_delegation, heading) in [(true, "; delegations"), (false, "; other data")] {
        let mut is_first = true;
        difference.changes(|change| {
            if (change.part != Part::Data) != is_delegation {
                return Ok(());
            }
            if std::mem::take(&mut is_first) {
                writeln!(out, "{heading}")?;
            }
            *parts.entry(change.part).or_default() += 1;
            *kinds.entry(change.kind).or_default() += 1;
            write_change(out, &change)
        })?;
    }
    let count: u64 = parts.values().sum();
    match count {
        0 => writeln!(out, "; the same")?,
        _ => writeln!(
            out,
            "; {count} RRsets differ: {}; {}",
            tally(&parts, Part::as_str),
            tally(&kinds, Kind::as_str)
        )?,
    }
    match difference.serials {
        Serials::Same if count > 0 => {
            writeln!(
                out,
                "; the serial is the same: secondary servers would not notice (RFC 1982)"
            )?;
        }
        Serials::Undefined => writeln!(out, "; neither serial is newer (RFC 1982 §3.2)")?,
        _ => {}
    }
    Ok(count)
}

fn tally<K: Copy>(counts: &BTreeMap<K, u64>, word: impl Fn(K) -> &'static str) -> String {
    let words: Vec<String> = counts
        .iter()
        .map(|(key, count)| format!("{} {count}", word(*key)))
        .collect();
    words.join(", ")
}

fn write_change(out: &mut impl Write, change: &Change) -> anyhow::Result<()> {
    let name = match change.name.is_root() {
        true => ".".to_owned(),
        false => format!("{}.", change.name),
    };
    let rtype = change.rtype;
    if let (Some(before), Some(after)) = (&change.before, &change.after)
        && before.ttl != after.ttl
    {
        writeln!(out, "~ {name} {rtype} TTL {} to {}", before.ttl, after.ttl)?;
    }
    let records = [
        ("-", &change.before, change.removed()),
        ("+", &change.after, change.added()),
    ];
    for (sign, rrset, rdata) in records {
        let ttl = rrset.as_ref().map_or(0, |rrset| rrset.ttl);
        for rdata in rdata {
            writeln!(out, "{sign} {name} {ttl} {rtype} {}", rdata_text(rtype, rdata))?;
        }
    }
    Ok(())
}
