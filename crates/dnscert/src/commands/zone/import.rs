//! `dnscert zone import`: keeps a zone file's delegations in passive DNS, and how they changed since an earlier file.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use lake::passive::Source;
use model::Timestamp;
use tokio::runtime::Handle;
use zonefile::{Difference, Limits, Snapshot, Without};

use crate::cli::ZoneImportArgs;
use crate::config::Config;
use crate::zones::{Keeping, Kept, keep};

/// It was kept, or had been before.
const KEPT: u8 = 0;
/// The file is doubtful, and nothing was kept.
const REFUSED: u8 = 3;

/// Status 0 kept (now or before), 3 refused, or could not be read.
pub fn run(arguments: &ZoneImportArgs, runtime: &Handle) -> anyhow::Result<ExitCode> {
    let reading = super::reading(&arguments.reading);
    let time = match arguments.time {
        Some(time) => time,
        None => modified(&arguments.file)?,
    };
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
    let source = Source {
        id: arguments.source.clone(),
        owner: arguments.owner.clone(),
        licence: arguments.licence.clone(),
        tlp: arguments.tlp,
        legal_basis: arguments.legal_basis.clone(),
    };
    let keeping = Keeping {
        folder: &folder,
        source: &source,
        time,
        runtime,
    };
    let kept = keep(after, difference.as_ref(), &keeping)?;
    match arguments.json {
        true => println!("{}", serde_json::to_string(&kept)?),
        false => println!("{}", text(&kept)),
    }
    Ok(ExitCode::from(KEPT))
}

/// What was kept, as a line.
pub(super) fn text(kept: &Kept) -> String {
    let serial = kept.serial.map_or_else(String::new, |serial| format!(" {serial}"));
    let zone = format!("zone {}{serial}, seen {}", kept.zone, kept.time);
    match (kept.before, kept.changes) {
        (true, _) => format!("{zone}: was kept before"),
        (false, None) => format!("{zone}: {} RRsets of delegations are kept", kept.rrsets),
        (false, Some(changes)) => {
            format!(
                "{zone}: {} RRsets of delegations are kept, and {changes} changes",
                kept.rrsets
            )
        }
    }
}

fn modified(path: &Path) -> anyhow::Result<Timestamp> {
    let modified = std::fs::metadata(path).and_then(|about| about.modified());
    let modified = modified.with_context(|| format!("looking how old `{}` is", path.display()))?;
    Ok(Timestamp::try_from(modified)?)
}
