//! `dnscert ingest`: reads captures of DNS traffic, keeps what servers said in passive DNS, and says what became of each.

use std::fs::File;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use capture::{Malformed, OutOfBailiwick, Reader, Receipt, Settings, Sink, SinkError, TrafficCell};
use indicatif::{ProgressBar, ProgressStyle};
use lake::passive::{Passive, Source};
use model::{Clock as _, PassiveRrset, SystemClock};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

use super::sweep::grouped;
use crate::cli::IngestArgs;
use crate::config::Config;

/// Every input was read to its end.
const READ: u8 = 0;
/// Some input broke off or could not be read; the others were.
const NOT_ALL: u8 = 1;

/// RRsets that are kept at once, as one receipt of passive DNS: some 100 MB while they wait. More takes more memory, less makes
/// more small files to be merged.
const AT_ONCE: usize = 250_000;

/// How long it is tried to open passive DNS for writing while a centre merges its files.
const PATIENCE: Duration = Duration::from_secs(60);

/// Status 0 all read, 1 some not.
pub async fn run(arguments: IngestArgs) -> anyhow::Result<ExitCode> {
    let store = match (arguments.dry_run, &arguments.lake) {
        (true, _) => None,
        (false, Some(folder)) => Some(open(folder, &arguments).await?),
        (false, None) => Some(open(&Config::read(&arguments.config.config)?.lake_folder(), &arguments).await?),
    };
    tokio::task::spawn_blocking(move || ingest(&arguments, store))
        .await
        .context("reading the captures")?
}

/// Passive DNS, with the source registered.
async fn open(folder: &Path, arguments: &IngestArgs) -> anyhow::Result<Store> {
    let begun = tokio::time::Instant::now();
    let passive = loop {
        match Passive::open(folder).await {
            Err(lake::Error::Busy { .. }) if begun.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            opened => break opened.with_context(|| format!("opening passive DNS in `{}`", folder.display()))?,
        }
    };
    let source = Source {
        id: arguments.sensor.clone(),
        owner: arguments.owner.clone(),
        licence: arguments.licence.clone(),
        tlp: arguments.tlp,
        legal_basis: arguments.legal_basis.clone(),
    };
    if !passive.sources().iter().any(|known| known.id == source.id) {
        let id = source.id.clone();
        let registered = passive.set_source(source).await;
        registered.with_context(|| format!("registering the source `{id}`"))?;
    }
    Ok(Store {
        passive,
        folder: folder.to_owned(),
        runtime: Handle::current(),
    })
}

/// Where RRsets are kept.
struct Store {
    passive: Passive,
    folder: PathBuf,
    runtime: Handle,
}

fn ingest(arguments: &IngestArgs, store: Option<Store>) -> anyhow::Result<ExitCode> {
    let is_live = std::io::stderr().is_terminal();
    let mut are_all_read = true;
    for path in &arguments.paths {
        match one(arguments, path, store.as_ref(), is_live) {
            Ok(taken) => {
                are_all_read &= taken.receipt.as_ref().is_none_or(|receipt| receipt.fault.is_none());
                if arguments.json {
                    println!(
                        "{}",
                        serde_json::to_string(&taken).context("writing a receipt as JSON")?
                    );
                } else {
                    println!("{}", taken.text());
                }
            }
            Err(error) => {
                are_all_read = false;
                eprintln!("{error:#}");
            }
        }
    }
    Ok(ExitCode::from(if are_all_read { READ } else { NOT_ALL }))
}

/// Reads one capture and keeps what it holds. A capture that was taken in before is known by its hash and not read again; one that
/// was interrupted goes on, for its parts are known by hash and number, and the same octets give the same parts.
fn one(arguments: &IngestArgs, path: &Path, store: Option<&Store>, is_live: bool) -> anyhow::Result<Taken> {
    let mut taken = Taken {
        sensor: arguments.sensor.clone(),
        input: Some(path.display().to_string()),
        receipt: None,
        kept: None,
    };
    let mut sink = Keeping {
        bar: bar(path, is_live),
        to: None,
        waiting: Vec::new(),
    };
    if let Some(store) = store {
        // it is read twice, once for its hash: what comes through a pipe would be gone the second time, and kept as empty
        let about = std::fs::metadata(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        if !about.is_file() {
            anyhow::bail!("`{}` is no file; write what it gives into one first", path.display());
        }
        let id = hash(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let known = store
            .runtime
            .block_on(store.passive.knows_receipt(&format!("{id}/whole")));
        if known.context("looking whether it was taken in before")? {
            taken.kept = Some(Kept::Before);
            return Ok(taken);
        }
        sink.to = Some(Part {
            store,
            source: &arguments.sensor,
            id,
            number: 0,
        });
    }
    let result = Reader::new(settings(arguments)).read_path(path, &mut sink);
    sink.bar.finish_and_clear();
    (taken.receipt, taken.input) = (Some(result?), None);
    let keep = |error| anyhow::anyhow!("keeping what `{}` holds: {error}", path.display());
    sink.keep_waiting().map_err(keep)?;
    if let Some(part) = sink.to {
        let whole = format!("{}/whole", part.id);
        part.append(&whole, Vec::new()).map_err(keep)?;
        taken.kept = Some(Kept::Now {
            lake: part.store.folder.display().to_string(),
        });
    }
    Ok(taken)
}

fn hash(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let (mut hash, mut octets) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut octets)? {
            0 => return Ok(hex::encode(hash.finalize())),
            read => hash.update(&octets[..read]),
        }
    }
}

fn settings(arguments: &IngestArgs) -> Settings {
    let root = measure::root_servers()
        .into_iter()
        .flat_map(|(_, addresses)| addresses)
        .map(|address| (model::Name::root(), address));
    Settings {
        ports: arguments.ports.clone(),
        served: root.chain(arguments.served.iter().cloned()).collect(),
        ..Settings::default()
    }
}

/// What became of one capture.
#[derive(Serialize)]
struct Taken {
    sensor: String,
    /// The capture, where it was not read; else the receipt names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<String>,
    #[serde(flatten)]
    receipt: Option<Receipt>,
    /// Where its RRsets are; `None` where nothing was to be kept.
    kept: Option<Kept>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    /// They were kept before: the capture was not read.
    Before,
    /// They are kept now.
    Now {
        /// The folder of the observations.
        lake: String,
    },
}

impl Taken {
    fn text(&self) -> String {
        let Some(receipt) = &self.receipt else {
            let input = self.input.as_deref().unwrap_or_default();
            return format!("{input}: taken in before, nothing changed");
        };
        match &self.kept {
            Some(Kept::Now { lake }) => format!(
                "{}\n  {:10} in `{lake}`, source {}",
                table(receipt),
                "kept",
                self.sensor
            ),
            _ => table(receipt),
        }
    }
}

/// Keeps RRsets in parts, and shows how far an input was read. Evidence, traffic and what is malformed stand in the receipt as
/// counts alone.
struct Keeping<'a> {
    bar: ProgressBar,
    to: Option<Part<'a>>,
    waiting: Vec<PassiveRrset>,
}

/// The next part of what a capture holds.
struct Part<'a> {
    store: &'a Store,
    source: &'a str,
    /// SHA-256 of the capture.
    id: String,
    number: u32,
}

impl Part<'_> {
    fn append(&self, receipt: &str, rrsets: Vec<PassiveRrset>) -> Result<(), SinkError> {
        let now = SystemClock.now();
        let passive = &self.store.passive;
        self.store
            .runtime
            .block_on(passive.append(self.source, receipt, rrsets, now))?;
        Ok(())
    }
}

impl Keeping<'_> {
    fn keep_waiting(&mut self) -> Result<(), SinkError> {
        let waiting = std::mem::take(&mut self.waiting);
        if let (Some(part), false) = (&mut self.to, waiting.is_empty()) {
            part.append(&format!("{}/{}", part.id, part.number), waiting)?;
            part.number += 1;
        }
        Ok(())
    }
}

fn bar(path: &Path, is_live: bool) -> ProgressBar {
    if !is_live {
        return ProgressBar::hidden();
    }
    let octets = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let bar = ProgressBar::new(octets).with_message(path.display().to_string());
    let style = ProgressStyle::with_template("{wide_msg} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

impl Sink for Keeping<'_> {
    fn rrset(&mut self, rrset: PassiveRrset) -> Result<(), SinkError> {
        if self.to.is_some() {
            self.waiting.push(rrset);
        }
        match self.waiting.len() >= AT_ONCE {
            true => self.keep_waiting(),
            false => Ok(()),
        }
    }

    fn out_of_bailiwick(&mut self, _: OutOfBailiwick) -> Result<(), SinkError> {
        Ok(())
    }

    fn traffic(&mut self, _: TrafficCell) -> Result<(), SinkError> {
        Ok(())
    }

    fn quarantine(&mut self, _: Malformed<'_>) -> Result<(), SinkError> {
        Ok(())
    }

    fn progress(&mut self, octets_read: u64) {
        self.bar.set_position(octets_read);
    }
}

/// A receipt for people.
fn table(receipt: &Receipt) -> String {
    let mut lines = vec![format!(
        "{} ({}, {})",
        receipt.input,
        word(&receipt.form),
        match receipt.compression {
            capture::Compression::None => format!("{} octets", grouped(receipt.octets)),
            packed => format!("{} octets of {}", grouped(receipt.octets), word(&packed)),
        }
    )];
    let mut line = |label: &str, text: String| lines.push(format!("  {label:10} {text}"));
    if let (Some(first), Some(last)) = (receipt.first, receipt.last) {
        line("time", format!("{first} to {last}"));
    }
    line(
        "packets",
        format!(
            "{}: {} not DNS, {} ICMP unreachable, {} TCP segments, {} fragments, {} left out{}",
            grouped(receipt.packets),
            grouped(receipt.non_dns),
            grouped(receipt.icmp_unreachable),
            grouped(receipt.tcp_segments),
            grouped(receipt.fragments),
            grouped(receipt.dropped.values().sum()),
            reasons(receipt.dropped.iter().map(|(reason, count)| (word(reason), *count)))
        ),
    );
    line(
        "messages",
        format!(
            "{}: {} queries, {} responses; {} malformed{}",
            grouped(receipt.dns_messages),
            grouped(receipt.queries),
            grouped(receipt.responses),
            grouped(receipt.malformed_total()),
            reasons(receipt.malformed.iter().map(|(reason, count)| (word(reason), *count)))
        ),
    );
    line(
        "pairs",
        format!(
            "{}; {} queries without a response, {} responses without a query ({} duplicate, {} wrong id, {} wrong port)",
            grouped(receipt.pairs + receipt.vouched),
            grouped(receipt.unmatched_queries),
            grouped(receipt.unmatched_responses),
            grouped(receipt.duplicates),
            grouped(receipt.wrong_id),
            grouped(receipt.wrong_port)
        ),
    );
    line(
        "RRsets",
        format!(
            "{} that the servers may speak for, {} out of bailiwick or not proven, {} unreadable",
            grouped(receipt.rrsets),
            grouped(receipt.out_of_bailiwick),
            grouped(receipt.unreadable_rrsets)
        ),
    );
    line("sha256", receipt.sha256.clone());
    if let Some(fault) = &receipt.fault {
        line("broken", fault.clone());
    }
    lines.join("\n")
}

/// ` (2 missing_fragment, 1 bad_header)`, or nothing.
fn reasons(counts: impl Iterator<Item = (String, u64)>) -> String {
    let counts: Vec<String> = counts
        .map(|(reason, count)| format!("{} {reason}", grouped(count)))
        .collect();
    if counts.is_empty() {
        String::new()
    } else {
        format!(" ({})", counts.join(", "))
    }
}

/// The word that JSON has for it.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word.replace('_', " "),
        _ => String::new(),
    }
}
