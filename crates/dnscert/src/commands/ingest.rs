//! `dnscert ingest`: reads captures of DNS traffic, keeps what they hold, and says what became of each. What servers may say comes
//! into passive DNS; what they may not say, figures of traffic and of operators, and what could not be read into tables beside it.

mod figures;
mod keep;
mod live;
mod receipt;
mod watch;
mod zone;

use std::fs::{File, Metadata};
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Context as _;
use capture::{CaptureError, Family, Input, LinesReceipt, Reader, Receipt, Settings};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use lake::passive::{Passive, Source};
use model::{Clock as _, SystemClock};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

use figures::{FiguresReceipt, figures, table_of_figures};
use keep::Keeping;
pub(crate) use receipt::word;
use receipt::{table, table_of_lines};
use zone::{ZoneReceipt, table_of_zone, zone};

use crate::cli::{IngestArgs, InputFormat};
use crate::config::Config;
use crate::zones;

/// Every input was read to its end.
const READ: u8 = 0;
/// Some input broke off or could not be read; the others were.
const NOT_ALL: u8 = 1;
/// Told to stop before the end, as a shell tells it of a program that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// How long it is tried to open passive DNS for writing while a centre merges its files.
const PATIENCE: Duration = Duration::from_secs(60);

/// Octets at the beginning of an input by which it is told whether it may have been taken in before: more takes time for each input, with
/// less more of those that are new are read twice.
const HEAD: u64 = 1 << 20;

/// Tables with more files than this are merged before the observations are left: a centre merges them every half hour, but there may
/// be none.
const MANY_FILES: usize = 36;

/// Status 0 all read, 1 some not.
pub async fn run(arguments: IngestArgs) -> anyhow::Result<ExitCode> {
    let stop = super::told_to_stop();
    let arguments = Arc::new(arguments);
    if !arguments.dnstap.is_empty() {
        live::run(arguments, stop).await?;
        return Ok(ExitCode::from(READ));
    }
    let mut are_all_read = true;
    if !arguments.paths.is_empty() {
        let store = open(&arguments).await?;
        let of_paths = arguments.clone();
        let reading = tokio::task::spawn_blocking(move || ingest(&of_paths, store));
        tokio::pin!(stop);
        tokio::select! {
            read = reading => are_all_read = read.context("reading the inputs")??,
            // nothing of an input that was not read to its end is kept
            () = &mut stop => std::process::exit(INTERRUPTED),
        }
        if !arguments.watch.is_empty() {
            watch::run(arguments, stop).await?;
        }
    } else {
        watch::run(arguments, stop).await?;
    }
    Ok(ExitCode::from(if are_all_read { READ } else { NOT_ALL }))
}

/// The lake's passive DNS and what stands beside it, with the source registered; `None` where nothing is to be kept.
async fn open(arguments: &IngestArgs) -> anyhow::Result<Option<Store>> {
    if arguments.dry_run {
        return Ok(None);
    }
    let folder = match &arguments.lake {
        Some(folder) => folder.clone(),
        None => Config::read(&arguments.config.config)?.lake_folder(),
    };
    let begun = tokio::time::Instant::now();
    let passive = loop {
        match Passive::open(&folder).await {
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
    Ok(Some(Store {
        passive,
        folder,
        runtime: Handle::current(),
    }))
}

/// Where it is kept.
struct Store {
    passive: Passive,
    folder: PathBuf,
    runtime: Handle,
}

impl Store {
    /// Merges where there are many files.
    fn merge_if_many(&self) -> anyhow::Result<()> {
        let tables = self.runtime.block_on(self.passive.statistics());
        if tables.iter().any(|table| table.files > MANY_FILES) {
            let merged = self.runtime.block_on(self.passive.merge(None));
            merged.context("merging passive DNS")?;
        }
        Ok(())
    }
}

/// Whether all were read to their end.
fn ingest(arguments: &IngestArgs, store: Option<Store>) -> anyhow::Result<bool> {
    let is_live = std::io::stderr().is_terminal();
    let mut are_all_read = true;
    for path in &arguments.paths {
        let input = One {
            path,
            half: Half::Keep,
            made: None,
            stopping: None,
        };
        match one(arguments, &input, store.as_ref(), is_live) {
            Ok(Some(taken)) => {
                are_all_read &= taken.receipt.as_ref().is_none_or(|receipt| receipt.fault().is_none());
                taken.print(arguments)?;
            }
            Ok(None) => {}
            Err(error) => {
                are_all_read = false;
                eprintln!("{error:#}");
            }
        }
    }
    if let Some(store) = &store {
        store.merge_if_many()?;
    }
    Ok(are_all_read)
}

/// What is done with an input that is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    /// What came before is kept.
    Keep,
    /// Nothing is.
    Refuse,
}

/// An input could be read, and the observations could not take it.
#[derive(Debug, thiserror::Error)]
#[error("keeping what `{input}` holds: {reason}")]
struct NotKept {
    input: String,
    reason: String,
}

/// One input.
struct One<'a> {
    path: &'a Path,
    half: Half,
    /// A word by which the file is known, whatever it holds.
    made: Option<&'a str>,
    /// Set when the program ends.
    stopping: Option<Arc<AtomicBool>>,
}

/// Reads one input and keeps what it holds, as one receipt: all of it, or, where it is interrupted, nothing. One that was taken in
/// before is known by its hash and not read again. `None` where it is cut off and nothing of it is to be kept.
fn one(arguments: &IngestArgs, one: &One<'_>, store: Option<&Store>, is_live: bool) -> anyhow::Result<Option<Taken>> {
    let path = one.path;
    let mut taken = Taken {
        sensor: arguments.sensor.clone(),
        input: Some(path.display().to_string()),
        receipt: None,
        kept: None,
    };
    let (mut to, mut before) = (None, None);
    if let Some(store) = store {
        let about = about(path)?;
        if !about.is_file() {
            anyhow::bail!("`{}` is no file; write what it gives into one first", path.display());
        }
        let knows = |word: &str| {
            let known = store.runtime.block_on(store.passive.knows_receipt(word));
            known.with_context(|| format!("looking whether `{}` was taken in before", path.display()))
        };
        let cannot_read = || format!("cannot read `{}`", path.display());
        let head = head(path, about.len()).with_context(cannot_read)?;
        if knows(&head)? && knows(&whole(&hash(path, u64::MAX).with_context(cannot_read)?))? {
            taken.kept = Some(Kept::Before);
            return Ok(Some(taken));
        }
        let begun = store.passive.begin_unnamed(&arguments.sensor);
        let mut intake = begun.with_context(|| format!("beginning to keep what `{}` holds", path.display()))?;
        intake.know_as(&head);
        if let Some(made) = one.made {
            if knows(made)? {
                // those of versions that had no word for how inputs begin
                if knows(&whole(&hash(path, u64::MAX).with_context(cannot_read)?))? {
                    taken.kept = Some(Kept::Before);
                    return Ok(Some(taken));
                }
                anyhow::bail!(
                    "`{}` changed after it was taken in; what came later is not",
                    path.display()
                );
            }
            intake.know_as(made);
        }
        to = Some((intake, store.runtime.clone()));
        before = Some(about);
    }
    let mut sink = Keeping::new(bar(path, is_live), to, one.stopping.clone());
    let receipt = read(arguments, path, &mut sink)?;
    if let Some(before) = before {
        let after = about(path)?;
        if (before.len(), before.modified().ok()) != (after.len(), after.modified().ok()) {
            anyhow::bail!("`{}` changed while it was read; nothing of it is kept", path.display());
        }
    }
    if receipt.fault().is_some() && one.half == Half::Refuse {
        return Ok(None);
    }
    let mut id = whole(receipt.sha256());
    if let (AnyReceipt::Zone(zone), Some(store)) = (&receipt, store) {
        // the same zone at another time is seen again, and `dnscert zone import` keeps the same under the same id
        id = zones::receipt_of(zone.time, &zone.sha256);
        if store.runtime.block_on(store.passive.knows_receipt(&id))? {
            taken.kept = Some(Kept::Before);
            return Ok(Some(taken));
        }
        // nor is one that was written anew in its place the file of before
        sink.forget_words();
    }
    let is_new = sink.commit(&id).map_err(|error| NotKept {
        input: path.display().to_string(),
        reason: chain(&*error),
    })?;
    taken.kept = match store {
        Some(_) if !is_new => Some(Kept::Before),
        Some(store) => Some(Kept::Now {
            lake: store.folder.display().to_string(),
        }),
        None => None,
    };
    if is_new {
        (taken.receipt, taken.input) = (Some(receipt), None);
    }
    Ok(Some(taken))
}

fn about(path: &Path) -> anyhow::Result<Metadata> {
    std::fs::metadata(path).with_context(|| format!("cannot read `{}`", path.display()))
}

/// The id of the receipt of an input with this hash.
fn whole(sha256: &str) -> String {
    format!("{sha256}/whole")
}

/// A word that all inputs have which begin alike and are as long: only where it is known can an input have been taken in before, and
/// only then is it read twice. An input of before such words is read to its end until it is found out.
fn head(path: &Path, octets: u64) -> std::io::Result<String> {
    Ok(format!("{}/head/{octets}", hash(path, HEAD)?))
}

/// Reads an input to its end.
fn read(arguments: &IngestArgs, path: &Path, sink: &mut Keeping) -> anyhow::Result<AnyReceipt> {
    let as_figures = |sink: &mut Keeping| -> anyhow::Result<AnyReceipt> {
        let (receipt, figures) = figures(path, SystemClock.now())?;
        sink.figures(figures);
        Ok(AnyReceipt::Figures(Box::new(receipt)))
    };
    let as_zone = |sink: &mut Keeping| -> anyhow::Result<Option<AnyReceipt>> {
        let receipt = zone(path, sink)?;
        Ok(receipt.map(|receipt| AnyReceipt::Zone(Box::new(receipt))))
    };
    match arguments.format {
        InputFormat::Rssac002 => return as_figures(sink),
        InputFormat::Zone => {
            let receipt = as_zone(sink)?;
            return receipt.with_context(|| format!("`{}` is no zone file: it has no SOA record", path.display()));
        }
        _ => {}
    }
    let input = Input::open(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let result = Reader::new(settings(arguments, path)).take(input, arguments.format.family(), sink);
    sink.bar.finish_and_clear();
    match result {
        Ok(taken) => Ok(taken.into()),
        // it begins like none of these: it may be YAML, or a zone
        Err(error @ CaptureError::NotACapture { .. }) => as_figures(sink).or_else(|of_figures| {
            use metrics::rssac002::Error;
            match of_figures.downcast_ref::<Error>() {
                // its keys are there, so that is what it was meant to be
                Some(Error::Key { .. }) => Err(of_figures),
                _ => as_zone(sink)?.ok_or_else(|| error.into()),
            }
        }),
        Err(CaptureError::Sink { input, source }) => Err(NotKept {
            input,
            reason: chain(&*source),
        }
        .into()),
        Err(error) => Err(error.into()),
    }
}

/// An error with its causes.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Hash of a file, or of so many octets at its beginning.
fn hash(path: &Path, most: u64) -> std::io::Result<String> {
    let mut file = File::open(path)?.take(most);
    let (mut hash, mut octets) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut octets)? {
            0 => return Ok(hex::encode(hash.finalize())),
            read => hash.update(&octets[..read]),
        }
    }
}

fn settings(arguments: &IngestArgs, path: &Path) -> Settings {
    let written = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    let written = written.ok().and_then(|time| Timestamp::try_from(time).ok());
    let root = measure::root_servers()
        .into_iter()
        .flat_map(|(_, addresses)| addresses)
        .map(|address| (model::Name::root(), address));
    Settings {
        ports: arguments.ports.clone(),
        time_of_lines: written.unwrap_or(Timestamp::UNIX_EPOCH),
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
    receipt: Option<AnyReceipt>,
    /// Where its RRsets are; `None` where nothing was to be kept.
    kept: Option<Kept>,
}

/// A receipt of any kind; `form` tells them apart.
#[derive(Serialize)]
#[serde(untagged)]
enum AnyReceipt {
    Capture(Box<Receipt>),
    Lines(Box<LinesReceipt>),
    Figures(Box<FiguresReceipt>),
    Zone(Box<ZoneReceipt>),
}

impl From<capture::Taken> for AnyReceipt {
    fn from(taken: capture::Taken) -> Self {
        match taken {
            capture::Taken::Capture(receipt) => Self::Capture(receipt),
            capture::Taken::Lines(receipt) => Self::Lines(receipt),
        }
    }
}

impl AnyReceipt {
    fn fault(&self) -> Option<&str> {
        match self {
            Self::Capture(receipt) => receipt.fault.as_deref(),
            Self::Lines(receipt) => receipt.fault.as_deref(),
            Self::Figures(_) | Self::Zone(_) => None,
        }
    }

    fn sha256(&self) -> &str {
        match self {
            Self::Capture(receipt) => &receipt.sha256,
            Self::Lines(receipt) => &receipt.sha256,
            Self::Figures(receipt) => &receipt.sha256,
            Self::Zone(receipt) => &receipt.sha256,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Capture(receipt) => table(receipt),
            Self::Lines(receipt) => table_of_lines(receipt),
            Self::Figures(receipt) => table_of_figures(receipt),
            Self::Zone(receipt) => table_of_zone(receipt),
        }
    }
}

impl InputFormat {
    /// What the input is taken for; `None` where it is told by its content.
    fn family(self) -> Option<Family> {
        match self {
            Self::Auto | Self::Rssac002 | Self::Zone => None,
            Self::Capture => Some(Family::Capture),
            Self::Zeek => Some(Family::Zeek),
            Self::Eve => Some(Family::Eve),
            Self::Cof => Some(Family::Cof),
        }
    }
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
    fn print(&self, arguments: &IngestArgs) -> anyhow::Result<()> {
        match arguments.json {
            true => println!("{}", serde_json::to_string(self).context("writing a receipt as JSON")?),
            false => println!("{}", self.text()),
        }
        Ok(())
    }

    fn text(&self) -> String {
        let Some(receipt) = &self.receipt else {
            let input = self.input.as_deref().unwrap_or_default();
            return format!("{input}: taken in before, nothing changed");
        };
        match &self.kept {
            Some(Kept::Now { lake }) => format!(
                "{}\n  {:10} in `{lake}`, source {}",
                receipt.text(),
                "kept",
                self.sensor
            ),
            _ => receipt.text(),
        }
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
