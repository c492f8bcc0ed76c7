//! `dnscert lake`: shows what stands in the lake beside passive DNS, does its upkeep, and starts the servers that answer SQL about it.

use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use jiff::Timestamp;
use lake::passive::{Passive, Scope, Told};
use model::{Clock as _, MalformedMessage, OperatorFigure, OutOfBailiwick, SystemClock, TrafficCell, rdata_text};
use serde_json::json;

use crate::centre;
use crate::cli::{EvidenceArgs, LakeCommand, ObservedArgs, ShownCommand, UpkeepArgs};
use crate::config::Config;

/// Something was found.
const FOUND: u8 = 0;
/// Nothing was.
const NOTHING: u8 = 1;

/// Octets of a malformed message that are shown to people; JSON has all of them.
const SHOWN_OCTETS: usize = 48;

/// Status 0 something found, 1 nothing found; of a server that of its program.
pub async fn run(command: LakeCommand) -> anyhow::Result<ExitCode> {
    match command {
        LakeCommand::Show(what) => look(what).await,
        LakeCommand::Upkeep(arguments) => upkeep(arguments).await,
        LakeCommand::Publish(arguments) => super::publish::run(arguments).await,
        LakeCommand::Scheduler(arguments) => super::sql::run_part("scheduler", arguments),
        LakeCommand::Executor(arguments) => super::sql::run_part("executor", arguments),
        LakeCommand::FlightSql(arguments) => super::sql::run_flight_sql(*arguments),
    }
}

async fn upkeep(arguments: UpkeepArgs) -> anyhow::Result<ExitCode> {
    let config = match &arguments.config {
        Some(file) => Config::read(file)?,
        None => Config::default(),
    };
    let folder = arguments.lake.unwrap_or_else(|| config.lake_folder());
    let opening = || format!("opening the observations in `{}`", folder.display());
    // which says so where there are none, and makes none
    Passive::open_read_only(&folder).await.with_context(opening)?;
    let passive = Passive::open(&folder).await.with_context(opening)?;
    let done = centre::upkeep::once(&passive, &config.lake, SystemClock.now()).await?;
    println!(
        "`{}`: {} files became {}, {} old rows are gone, {} fewer by longer spans, {} files removed",
        folder.display(),
        done.merged.files_before,
        done.merged.files_after,
        done.gone,
        done.fewer,
        done.removed
    );
    Ok(ExitCode::SUCCESS)
}

async fn look(what: ShownCommand) -> anyhow::Result<ExitCode> {
    let arguments = match &what {
        ShownCommand::Quarantine(arguments) | ShownCommand::Traffic(arguments) | ShownCommand::Rssac002(arguments) => {
            arguments
        }
        ShownCommand::Evidence(arguments) => &arguments.observed,
    };
    let folder = match &arguments.lake {
        Some(folder) => folder.clone(),
        None => Config::read(&arguments.config.config)?.lake_folder(),
    };
    let passive = Passive::open_read_only(&folder)
        .await
        .with_context(|| format!("opening the observations in `{}`", folder.display()))?;
    // they are read from files, which may block
    let shown = tokio::task::spawn_blocking(move || {
        let count = match &what {
            ShownCommand::Quarantine(arguments) => {
                let (from, to) = span(arguments);
                show(passive.malformed(from, to, &scope(arguments)), arguments, malformed)
            }
            ShownCommand::Traffic(arguments) => {
                let (from, to) = span(arguments);
                show(passive.traffic(from, to, &scope(arguments)), arguments, traffic)
            }
            ShownCommand::Rssac002(arguments) => {
                let (from, to) = span(arguments);
                show(passive.rssac002(from, to, &scope(arguments)), arguments, rssac002)
            }
            ShownCommand::Evidence(arguments) => evidence_of(&passive, arguments),
        };
        for damage in passive.damaged() {
            let file = damage.file.display();
            eprintln!("`{file}` cannot be read, its rows are left out: {}", damage.reason);
        }
        count
    });
    let count = shown.await.context("reading the observations")??;
    Ok(ExitCode::from(if count > 0 { FOUND } else { NOTHING }))
}

fn span(arguments: &ObservedArgs) -> (Timestamp, Timestamp) {
    let from = arguments.after.unwrap_or(Timestamp::MIN);
    (from, arguments.before.unwrap_or(Timestamp::MAX))
}

fn scope(arguments: &ObservedArgs) -> Scope {
    match arguments.sources.is_empty() {
        true => Scope::ALL,
        false => Scope {
            sources: Some(arguments.sources.clone()),
            ..Scope::ALL
        },
    }
}

fn evidence_of(passive: &Passive, arguments: &EvidenceArgs) -> anyhow::Result<usize> {
    let observed = &arguments.observed;
    let (from, to) = span(observed);
    let told = passive.evidence(&arguments.name, &scope(observed));
    let told = told.filter(|told| told.what.last >= from && told.what.first < to);
    show(told, observed, evidence)
}

/// A line for people, and an object.
type Line = (String, serde_json::Value);

fn show<T>(
    told: impl Iterator<Item = Told<T>>,
    arguments: &ObservedArgs,
    line: impl Fn(&Told<T>) -> Line,
) -> anyhow::Result<usize> {
    let stdout = io::stdout().lock();
    let as_json = arguments.json || !stdout.is_terminal();
    let mut out = BufWriter::new(stdout);
    let mut count = 0;
    for told in told.take(arguments.limit) {
        count += 1;
        let (text, object) = line(&told);
        let written = match as_json {
            true => writeln!(out, "{object}"),
            false => writeln!(out, "{text}"),
        };
        match written {
            // whoever reads has seen enough
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(count),
            written => written.context("writing")?,
        }
    }
    out.flush().context("writing")?;
    Ok(count)
}

fn malformed(told: &Told<(MalformedMessage, u64)>) -> Line {
    let (message, count) = &told.what;
    let octets = hex::encode(&message.octets);
    let shown = &octets[..octets.len().min(2 * SHOWN_OCTETS)];
    let cut = if shown.len() < octets.len() { "…" } else { "" };
    let text = format!(
        "{}  {}  `{}` number {}: {}; {} octets: {shown}{cut}",
        message.time,
        told.source,
        message.input,
        message.number,
        message.reason,
        message.octets.len(),
    );
    let object = json!({
        "time": message.time,
        "source": told.source,
        "input": message.input,
        "number": message.number,
        "reason": message.reason,
        "octets": octets,
        "count": count,
    });
    (text, object)
}

fn evidence(told: &Told<OutOfBailiwick>) -> Line {
    let piece = &told.what;
    let rdata: Vec<String> = piece.rdata.iter().map(|rdata| rdata_text(piece.rtype, rdata)).collect();
    let reason = piece.reason.as_str();
    let text = format!(
        "{} to {}  {} times  {} said of {} {}: {} ({}; asked for {}; source {})",
        piece.first,
        piece.last,
        piece.count,
        piece.server,
        piece.name,
        piece.rtype,
        rdata.join(", "),
        reason.replace('_', " "),
        piece.question,
        told.source,
    );
    let object = json!({
        "rrname": piece.name,
        "rrtype": piece.rtype.to_string(),
        "rdata": rdata,
        "server": piece.server,
        "zone": piece.zone,
        "reason": reason,
        "question": piece.question,
        "source": told.source,
        "first": piece.first,
        "last": piece.last,
        "count": piece.count,
    });
    (text, object)
}

fn traffic(told: &Told<TrafficCell>) -> Line {
    let (cell, counts) = (&told.what, &told.what.counts);
    let number = |number: Option<u16>| number.map_or("-".to_owned(), |number| number.to_string());
    let key = cell.key.as_ref().map_or("all others".to_owned(), |key| {
        let zone = key.zone.as_ref().map_or("-".to_owned(), |zone| zone.to_string());
        format!(
            "{} port {} zone {zone} {} type {} rcode {}{}{}{}",
            key.server,
            key.port,
            key.transport.as_str(),
            number(key.qtype),
            number(key.rcode),
            if key.authoritative { " AA" } else { "" },
            if key.truncated { " TC" } else { "" },
            if key.dnssec_ok { " DO" } else { "" },
        )
    });
    let unasked = counts.duplicates + counts.wrong_id + counts.wrong_port + counts.no_query;
    let text = format!(
        "{}  {}  {}  {key}: {} queries, {} answered, {unasked} responses not asked for",
        cell.minute,
        cell.span.as_str(),
        told.source,
        counts.queries,
        counts.matched,
    );
    let object = json!({
        "source": told.source,
        "minute": cell.minute,
        "span": cell.span.seconds(cell.minute),
        "key": cell.key,
        "counts": counts,
    });
    (text, object)
}

fn rssac002(told: &Told<OperatorFigure>) -> Line {
    let figure = &told.what;
    let value = figure
        .value
        .map_or_else(|| "not told".to_owned(), |value| value.to_string());
    let text = format!(
        "{}  {}  {} {}: {value}",
        figure.day, figure.service, figure.metric, figure.part
    );
    let object = json!({
        "day": figure.day,
        "service": figure.service,
        "metric": figure.metric,
        "part": figure.part,
        "value": figure.value,
        "version": figure.version,
        "source": told.source,
        "taken": figure.taken,
    });
    (text, object)
}
