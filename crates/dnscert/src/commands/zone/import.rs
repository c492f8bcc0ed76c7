//! `dnscert zone import`: keeps a zone file's delegations in passive DNS, and how they changed since an earlier file.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use lake::Lake;
use lake::passive::{Passive, Source};
use model::{PassiveRrset, Timestamp, ZoneChange};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;
use zonefile::{Difference, Limits, Snapshot, Without};

use crate::cli::ZoneImportArgs;
use crate::config::Config;

/// It was kept, or had been before.
const KEPT: u8 = 0;
/// The file is doubtful, and nothing was kept.
const REFUSED: u8 = 3;

/// RRsets and changes that are kept at once: some 100 MB while they wait. More takes more memory, less makes more small files.
const AT_ONCE: usize = 250_000;

/// How long it is tried to open passive DNS for writing while a centre merges its files.
const PATIENCE: Duration = Duration::from_secs(60);

/// Status 0 kept (now or before), 3 refused, or could not be read.
pub fn run(arguments: &ZoneImportArgs, runtime: &Handle) -> anyhow::Result<ExitCode> {
    let reading = super::reading(&arguments.reading);
    let time = match arguments.time {
        Some(time) => time,
        None => modified(&arguments.file)?,
    };
    let id = format!("zone/{}/{}", time.as_second(), hash(&arguments.file)?);
    let snapshot = Snapshot::read(&arguments.file, &reading)?;
    let mut is_doubtful = super::tell(&snapshot, &snapshot.faults);
    let (snapshot, difference) = match &arguments.since {
        None => (Some(snapshot), None),
        Some(path) => {
            let before = Snapshot::read(path, &reading)?;
            is_doubtful |= super::tell(&before, &before.faults);
            let limits = Limits {
                names_gone: arguments.max_gone,
                ..Limits::default()
            };
            let difference = Difference::of(before, snapshot, Without::Signing, &limits)?;
            is_doubtful |= super::tell(&difference.after, &difference.faults);
            (None, Some(difference))
        }
    };
    if is_doubtful && !arguments.force {
        eprintln!("dnscert: refused; --force keeps it all the same");
        return Ok(ExitCode::from(REFUSED));
    }
    let after = snapshot
        .as_ref()
        .or(difference.as_ref().map(|difference| &difference.after));
    let after = after.context("reading the zone")?;
    let folder = match &arguments.lake {
        Some(folder) => folder.clone(),
        None => Config::read(&arguments.config.config)?.lake_folder(),
    };
    super::tell_outside(after);
    let passive = runtime.block_on(open(&folder, arguments))?;
    let mut kept = Kept {
        zone: after.zone.to_string(),
        serial: after.serial,
        time,
        rrsets: 0,
        changes: difference.as_ref().map(|_| 0),
        before: runtime.block_on(passive.knows_receipt(&format!("{id}/whole")))?,
    };
    if !kept.before {
        if let Some(difference) = &difference {
            kept.changes = Some(keep_changes(&folder, difference, time, runtime)?);
        }
        let mut part = Part {
            passive: &passive,
            runtime,
            source: &arguments.source,
            id,
            waiting: Vec::new(),
            number: 0,
        };
        after.delegations(time, |rrset| {
            kept.rrsets += 1;
            part.push(rrset)
        })?;
        part.finish()?;
    }
    match arguments.json {
        true => println!("{}", serde_json::to_string(&kept)?),
        false => println!("{}", kept.text()),
    }
    Ok(ExitCode::from(KEPT))
}

/// What became of a file.
#[derive(Serialize)]
struct Kept {
    zone: String,
    serial: Option<u32>,
    time: Timestamp,
    rrsets: u64,
    /// How many parts of delegations differ from the earlier file; `None` where none was given.
    changes: Option<u64>,
    /// It had been kept before.
    before: bool,
}

impl Kept {
    fn text(&self) -> String {
        let serial = self.serial.map_or_else(String::new, |serial| format!(" {serial}"));
        let zone = format!("zone {}{serial}, seen {}", self.zone, self.time);
        match (self.before, self.changes) {
            (true, _) => format!("{zone}: was kept before"),
            (false, None) => format!("{zone}: {} RRsets of delegations are kept", self.rrsets),
            (false, Some(changes)) => {
                format!(
                    "{zone}: {} RRsets of delegations are kept, and {changes} changes",
                    self.rrsets
                )
            }
        }
    }
}

fn modified(path: &Path) -> anyhow::Result<Timestamp> {
    let modified = std::fs::metadata(path).and_then(|about| about.modified());
    let modified = modified.with_context(|| format!("looking how old `{}` is", path.display()))?;
    Ok(Timestamp::try_from(modified)?)
}

fn hash(path: &Path) -> anyhow::Result<String> {
    let failed = || format!("opening the zone file `{}`", path.display());
    let mut file = File::open(path).with_context(failed)?;
    let (mut hash, mut octets) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut octets).with_context(failed)? {
            0 => return Ok(hex::encode(hash.finalize())),
            read => hash.update(&octets[..read]),
        }
    }
}

/// Passive DNS, with the source registered.
async fn open(folder: &Path, arguments: &ZoneImportArgs) -> anyhow::Result<Passive> {
    let begun = tokio::time::Instant::now();
    let passive = loop {
        match Passive::open(folder).await {
            Err(lake::Error::Busy { .. }) if begun.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            opened => break opened.with_context(|| format!("opening passive DNS in `{}`", folder.display()))?,
        }
    };
    if !passive.sources().iter().any(|known| known.id == arguments.source) {
        let source = Source {
            id: arguments.source.clone(),
            owner: arguments.owner.clone(),
            licence: arguments.licence.clone(),
            tlp: arguments.tlp,
            legal_basis: arguments.legal_basis.clone(),
        };
        let registered = passive.set_source(source).await;
        registered.with_context(|| format!("registering the source `{}`", arguments.source))?;
    }
    Ok(passive)
}

/// Keeps what became of each delegation. A crash may have it kept again; the lake gives each change once.
fn keep_changes(folder: &Path, difference: &Difference, time: Timestamp, runtime: &Handle) -> anyhow::Result<u64> {
    let lake = runtime.block_on(Lake::open(folder));
    let lake = lake.context("changes are kept by one process at a time: end the centre, or import without --since")?;
    let (mut waiting, mut count): (Vec<ZoneChange>, u64) = (Vec::new(), 0);
    difference.delegation_changes(time, |change| {
        count += 1;
        waiting.push(change);
        if waiting.len() >= AT_ONCE {
            runtime.block_on(lake.append_zone_changes(&std::mem::take(&mut waiting)))?;
        }
        anyhow::Ok(())
    })?;
    runtime.block_on(lake.append_zone_changes(&waiting))?;
    runtime.block_on(lake.flush())?;
    Ok(count)
}

/// RRsets on their way into passive DNS. A file that was interrupted goes on: the same file gives the same parts.
struct Part<'a> {
    passive: &'a Passive,
    runtime: &'a Handle,
    source: &'a str,
    id: String,
    waiting: Vec<PassiveRrset>,
    number: u64,
}

impl Part<'_> {
    fn push(&mut self, rrset: PassiveRrset) -> anyhow::Result<()> {
        self.waiting.push(rrset);
        if self.waiting.len() >= AT_ONCE {
            self.number += 1;
            self.append(&self.number.to_string())?;
        }
        Ok(())
    }

    fn finish(mut self) -> anyhow::Result<()> {
        if !self.waiting.is_empty() {
            self.number += 1;
            self.append(&self.number.to_string())?;
        }
        self.append("whole")
    }

    fn append(&mut self, part: &str) -> anyhow::Result<()> {
        let rrsets = std::mem::take(&mut self.waiting);
        let receipt = format!("{}/{part}", self.id);
        let appended = self.passive.append(self.source, &receipt, rrsets, Timestamp::now());
        self.runtime.block_on(appended).context("keeping the delegations")?;
        Ok(())
    }
}
