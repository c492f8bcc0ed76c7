//! `dnscert zone transfer`: brings a zone from one of its servers into a file.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use measure::transfer::TransferPlan;
use model::Name;
use serde::Serialize;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use zonefile::{Limits, Reading};

use crate::cli::ZoneTransferArgs;
use crate::zones::{After, Bringing, Change, LONGEST, Refused, bring, read_key, settle};

/// It was brought, or nothing had changed.
const BROUGHT: u8 = 0;
/// What came is doubtful, and the file is as it was.
const REFUSED: u8 = 3;

/// The zone that was brought, as JSON.
#[derive(Serialize)]
struct Line<'a> {
    zone: &'a Name,
    server: SocketAddr,
    file: String,
    #[serde(flatten)]
    change: Change,
    serial_before: Option<u32>,
    serial: Option<u32>,
    records: Option<u64>,
    names: Option<u64>,
    zonemd: Option<&'static str>,
    overruled: &'a [String],
}

/// Status 0 brought or the same, 3 refused, or could not be had.
pub fn run(arguments: &ZoneTransferArgs, runtime: &Handle) -> anyhow::Result<ExitCode> {
    let plan = TransferPlan {
        zone: arguments.zone.clone(),
        server: arguments.from,
        key: arguments.key.as_deref().map(read_key).transpose()?,
        patience: Duration::from_secs(arguments.timeout.into()),
        longest: LONGEST,
    };
    let bringing = Bringing {
        plan: &plan,
        file: &arguments.into,
        is_whole: arguments.whole,
        reading: &Reading {
            origin: None,
            memory: arguments.memory as usize * (1 << 20),
        },
        limits: &Limits {
            names_gone: arguments.max_gone,
            ..Limits::default()
        },
        force: arguments.force,
        stop: &CancellationToken::new(),
    };
    let brought = match bring(&bringing, runtime) {
        Err(error) if error.is::<Refused>() => {
            eprintln!("dnscert: {error:#}; --force takes it all the same");
            return Ok(ExitCode::from(REFUSED));
        }
        brought => brought?,
    };
    for fault in &brought.faults {
        eprintln!("dnscert: `{}`: {fault}", arguments.into.display());
    }
    let after = brought.after.as_ref();
    if after.is_some() {
        settle(&arguments.into)?;
    }
    let before = after
        .and_then(After::difference)
        .and_then(|difference| difference.before.serial);
    let snapshot = after.map(After::snapshot);
    let line = Line {
        zone: &plan.zone,
        server: plan.server,
        file: arguments.into.display().to_string(),
        change: brought.change,
        serial_before: before,
        serial: snapshot.and_then(|snapshot| snapshot.serial),
        records: snapshot.map(|snapshot| snapshot.records),
        names: snapshot.map(|snapshot| snapshot.names),
        zonemd: snapshot.map(|snapshot| snapshot.digest.as_str()),
        overruled: &brought.faults,
    };
    match arguments.json {
        true => println!("{}", serde_json::to_string(&line)?),
        false => println!("{}", text(&line)),
    }
    Ok(ExitCode::from(BROUGHT))
}

fn text(line: &Line<'_>) -> String {
    let number = |number: Option<u64>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
    let serial = |serial: Option<u32>| number(serial.map(u64::from));
    let by = match line.change {
        Change::Nothing if line.serial.is_none() => {
            return format!("zone {}: `{}` has the serial of {}", line.zone, line.file, line.server);
        }
        Change::Nothing => "left from an earlier transfer".to_owned(),
        Change::Axfr { records } => format!("by AXFR, {records} records"),
        Change::Ixfr { added, removed } => format!("by IXFR, {added} records added, {removed} removed"),
    };
    let serials = match line.serial_before {
        None => format!("serial {}", serial(line.serial)),
        before => format!("serial {} to {}", serial(before), serial(line.serial)),
    };
    format!(
        "zone {}: {serials} {by}; {} records, {} names, ZONEMD {}, in `{}`",
        line.zone,
        number(line.records),
        number(line.names),
        line.zonemd.unwrap_or("?"),
        line.file
    )
}
