//! What a zone file delegates, into passive DNS, and how that changed since an earlier one, into the table of zone changes.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use lake::passive::{Passive, Source};
use model::{PassiveRrset, Timestamp, ZoneChange};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;
use zonefile::{Difference, Snapshot};

/// RRsets and changes that are kept at once: some 100 MB while they wait. More takes more memory, less makes more small files.
const AT_ONCE: usize = 250_000;

/// How long it is tried to open passive DNS for writing while a centre merges its files.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a zone is kept, on whose behalf, and when it was the zone.
pub struct Keeping<'a> {
    /// Folder of the observations. A centre may have it open.
    pub folder: &'a Path,
    /// Who gave it; registered where its word is new.
    pub source: &'a Source,
    /// When the file was the zone.
    pub time: Timestamp,
    /// Where asynchronous work is done: [`keep`] itself blocks.
    pub runtime: &'a Handle,
}

/// What was kept of a file.
#[derive(Debug, Serialize)]
pub struct Kept {
    /// The zone.
    pub zone: String,
    /// Its serial.
    pub serial: Option<u32>,
    /// When the file was the zone.
    pub time: Timestamp,
    /// RRsets of delegations.
    pub rrsets: u64,
    /// How many parts of delegations differ from the earlier file; `None` where there is none.
    pub changes: Option<u64>,
    /// It had been kept before.
    pub before: bool,
}

/// Keeps the delegations of `after`, and with a difference what changed. The same file at the same time is kept once, whatever
/// crashes meanwhile.
pub fn keep(after: &Snapshot, difference: Option<&Difference>, keeping: &Keeping<'_>) -> anyhow::Result<Kept> {
    let id = id(keeping.time, &hash(&after.path)?);
    let passive = keeping.runtime.block_on(open(keeping))?;
    let whole = whole(&id);
    let known = passive.knows_receipt(&whole);
    let mut kept = Kept {
        zone: after.zone.to_string(),
        serial: after.serial,
        time: keeping.time,
        rrsets: 0,
        changes: difference.map(|_| 0),
        before: keeping.runtime.block_on(known)?,
    };
    // the zone may have been taken in without the one before; each part of the changes is kept once
    if let Some(difference) = difference {
        kept.changes = Some(keep_changes(difference, &id, keeping)?);
    }
    if kept.before {
        return Ok(kept);
    }
    let mut part = Part {
        passive: &passive,
        keeping,
        id,
        waiting: Vec::new(),
        number: 0,
    };
    after.delegations(keeping.time, |rrset| {
        kept.rrsets += 1;
        part.push(rrset)
    })?;
    part.finish()?;
    Ok(kept)
}

/// By which the file of a zone is known, and as of when it was the zone.
fn id(time: Timestamp, sha256: &str) -> String {
    format!("zone/{}/{sha256}", time.as_second())
}

fn whole(id: &str) -> String {
    format!("{id}/whole")
}

/// The id of the receipt of a file that was kept as a whole.
pub fn receipt_of(time: Timestamp, sha256: &str) -> String {
    whole(&id(time, sha256))
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
async fn open(keeping: &Keeping<'_>) -> anyhow::Result<Passive> {
    let begun = tokio::time::Instant::now();
    let (folder, source) = (keeping.folder, keeping.source);
    let passive = loop {
        match Passive::open(folder).await {
            Err(lake::Error::Busy { .. }) if begun.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            opened => break opened.with_context(|| format!("opening passive DNS in `{}`", folder.display()))?,
        }
    };
    if !passive.sources().iter().any(|known| known.id == source.id) {
        let registered = passive.set_source(source.clone()).await;
        registered.with_context(|| format!("registering the source `{}`", source.id))?;
    }
    Ok(passive)
}

/// Keeps what became of each delegation.
fn keep_changes(difference: &Difference, id: &str, keeping: &Keeping<'_>) -> anyhow::Result<u64> {
    let (mut waiting, mut count): (Vec<ZoneChange>, u64) = (Vec::new(), 0);
    let mut number = 0;
    let mut add = |changes: Vec<ZoneChange>| {
        number += 1;
        let receipt = format!("{id}/changes/{number}");
        let added = lake::add_zone_changes(keeping.folder, &receipt, changes);
        keeping
            .runtime
            .block_on(added)
            .context("keeping what changed in delegations")
    };
    difference.delegation_changes(keeping.time, |change| {
        count += 1;
        waiting.push(change);
        if waiting.len() >= AT_ONCE {
            add(std::mem::take(&mut waiting))?;
        }
        anyhow::Ok(())
    })?;
    if !waiting.is_empty() {
        add(waiting)?;
    }
    Ok(count)
}

/// RRsets on their way into passive DNS. A file that was interrupted goes on: the same file gives the same parts.
struct Part<'a> {
    passive: &'a Passive,
    keeping: &'a Keeping<'a>,
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
        let source = &self.keeping.source.id;
        let appended = self.passive.append(source, &receipt, rrsets, Timestamp::now());
        self.keeping
            .runtime
            .block_on(appended)
            .context("keeping the delegations")?;
        Ok(())
    }
}
