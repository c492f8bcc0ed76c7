//! Brings a zone from one of its servers into a file. Beside `FILE` there may stand `FILE.part`, which is on its way; `FILE.next`,
//! which is whole and not in its place yet; `FILE.refused`, which was doubted; and `FILE.before`, which `FILE` was before.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use measure::transfer::{Step, TransferError, TransferPlan, Transferred, transfer};
use serde::Serialize;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use zonefile::{Applied, Changes, Difference, Fault, Incoming, Limits, Reading, Snapshot, Without};

/// Changed records that are held in memory, some 200 MB of them. Fewer: a large zone that is signed anew comes as a whole. More:
/// so much more memory.
const MOST_CHANGES: usize = 1_000_000;

/// How a zone is brought.
pub struct Bringing<'a> {
    /// From where.
    pub plan: &'a TransferPlan,
    /// The file.
    pub file: &'a Path,
    /// Ask for all of it, whatever is known.
    pub is_whole: bool,
    /// How files are read.
    pub reading: &'a Reading,
    /// How many names may be gone.
    pub limits: &'a Limits,
    /// Take it whatever speaks against it.
    pub force: bool,
    /// Cancelled when nobody waits for it any more.
    pub stop: &'a CancellationToken,
}

/// What came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Change {
    /// Nothing: the file has the server's serial.
    Nothing,
    /// The whole zone (AXFR).
    Axfr {
        /// Records that came.
        records: u64,
    },
    /// What changed (IXFR).
    Ixfr {
        /// Records that are new, or have another TTL.
        added: u64,
        /// Records that are gone.
        removed: u64,
    },
}

/// A zone that was brought. It stands in `FILE.next` until [`settle`].
pub struct Brought {
    /// What came.
    pub change: Change,
    /// The zone as it is now; `None` when nothing changed.
    pub after: Option<After>,
    /// What speaks against it, and was overruled.
    pub faults: Vec<String>,
}

/// The zone as it is now: compared with the file that was there, if one was.
pub enum After {
    /// There was none.
    First(Box<Snapshot>),
    /// What changed.
    Since(Box<Difference>),
}

impl After {
    /// The zone.
    pub fn snapshot(&self) -> &Snapshot {
        match self {
            After::First(snapshot) => snapshot,
            After::Since(difference) => &difference.after,
        }
    }

    /// What changed; `None` when there was no file before.
    pub fn difference(&self) -> Option<&Difference> {
        match self {
            After::First(_) => None,
            After::Since(difference) => Some(difference),
        }
    }
}

/// What came is doubtful, and the file stays as it was.
#[derive(Debug, thiserror::Error)]
#[error("what came is refused and stands in `{}`: {}", file.display(), reasons.join("; "))]
pub struct Refused {
    /// Where it stands.
    pub file: PathBuf,
    /// What speaks against it.
    pub reasons: Vec<String>,
}

/// A file beside another: `FILE.WORD`.
fn beside(file: &Path, word: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{word}"));
    file.with_file_name(name)
}

/// Brings the zone as far as `FILE.next`; blocks. Fails with [`Refused`] when it is doubtful.
pub fn bring(bringing: &Bringing<'_>, runtime: &Handle) -> anyhow::Result<Brought> {
    let (file, part, next) = (
        bringing.file,
        beside(bringing.file, "part"),
        beside(bringing.file, "next"),
    );
    let before = match file.exists() {
        true => Some(Snapshot::read(file, bringing.reading)?),
        false => None,
    };
    // one that was whole and not settled when we were ended
    if next.exists() {
        return judge(bringing, Change::Nothing, before, &next);
    }
    let change = receive(bringing, before.as_ref(), &part, runtime)?;
    if change == Change::Nothing {
        return Ok(Brought {
            change,
            after: None,
            faults: Vec::new(),
        });
    }
    fs::rename(&part, &next).with_context(|| format!("renaming `{}`", part.display()))?;
    judge(bringing, change, before, &next)
}

/// Puts `FILE.next` into its place, and what stood there into `FILE.before`.
pub fn settle(file: &Path) -> anyhow::Result<()> {
    let renamed = |from: &Path, to: &Path| {
        fs::rename(from, to).with_context(|| format!("renaming `{}` to `{}`", from.display(), to.display()))
    };
    if file.exists() {
        renamed(file, &beside(file, "before"))?;
    }
    renamed(&beside(file, "next"), file)
}

fn judge(bringing: &Bringing<'_>, change: Change, before: Option<Snapshot>, next: &Path) -> anyhow::Result<Brought> {
    let after = Snapshot::read(next, bringing.reading)?;
    let mut faults: Vec<Fault> = after.faults.clone();
    if after.zone != bringing.plan.zone {
        anyhow::bail!(
            "`{}` is the zone `{}`, not `{}`",
            next.display(),
            after.zone,
            bringing.plan.zone
        );
    }
    let after = match before {
        None => After::First(Box::new(after)),
        Some(before) => {
            let difference = Difference::of(before, after, Without::Signing, bringing.limits)?;
            faults.extend(difference.faults.iter().cloned());
            After::Since(Box::new(difference))
        }
    };
    let reasons: Vec<String> = faults.iter().map(ToString::to_string).collect();
    if !reasons.is_empty() && !bringing.force {
        let file = beside(bringing.file, "refused");
        fs::rename(next, &file).with_context(|| format!("renaming `{}`", next.display()))?;
        return Err(Refused { file, reasons }.into());
    }
    Ok(Brought {
        change,
        after: Some(after),
        faults: reasons,
    })
}

/// What a transfer is on its way to become.
enum Received {
    Whole(Incoming),
    Changes(Changes),
}

/// Transfers the zone into `part`: what changed where that works, else all of it.
fn receive(
    bringing: &Bringing<'_>,
    before: Option<&Snapshot>,
    part: &Path,
    runtime: &Handle,
) -> anyhow::Result<Change> {
    let known = before.filter(|before| !bringing.is_whole && before.faults.is_empty());
    if let Some((before, serial)) = known.and_then(|before| Some((before, before.serial?))) {
        match once(bringing, Some((before, serial)), part, runtime) {
            Ok(change) => return Ok(change),
            Err(error) if is_unreachable(&error) => return Err(error),
            // an old server, one that forgot, or a difference that does not fit: all of it is asked for
            Err(error) => {
                tracing::info!(zone = %bringing.plan.zone, "what changed could not be had, asking for the whole zone: {error:#}");
            }
        }
    }
    once(bringing, None, part, runtime)
}

/// Whether no connection came about: asking for more over another one would take as long once more.
fn is_unreachable(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<TransferError<anyhow::Error>>(),
        Some(TransferError::Connect { .. })
    )
}

fn once(
    bringing: &Bringing<'_>,
    known: Option<(&Snapshot, u32)>,
    part: &Path,
    runtime: &Handle,
) -> anyhow::Result<Change> {
    let memory = bringing.reading.memory;
    let mut received = match known {
        Some(_) => Received::Changes(Changes::new(MOST_CHANGES)),
        None => Received::Whole(Incoming::new(memory)),
    };
    let take = |step: Step| -> anyhow::Result<()> {
        match (step, &mut received) {
            (Step::Whole, received) => *received = Received::Whole(Incoming::new(memory)),
            (Step::Add(record), Received::Whole(zone)) => zone.add(&record).context("sorting the records")?,
            (Step::Add(record), Received::Changes(changes)) => changes.add(&record)?,
            (Step::Remove(record), Received::Changes(changes)) => changes.remove(&record)?,
            (Step::Remove(_), Received::Whole(_)) => anyhow::bail!("a whole zone came in which a record goes"),
        }
        Ok(())
    };
    let transferring = transfer(bringing.plan, known.map(|(_, serial)| serial), take);
    let transferred = runtime.block_on(bringing.stop.run_until_cancelled(transferring));
    let transferred = transferred.context("told to stop")?;
    let transferred = transferred.map_err(|error| match error {
        TransferError::Taker(error) => error,
        error => anyhow::Error::new(error),
    })?;
    match (transferred, received, known) {
        (Transferred::Current, _, _) => Ok(Change::Nothing),
        (_, Received::Whole(zone), _) => {
            let records = zone.records();
            zone.write(part)?;
            Ok(Change::Axfr { records })
        }
        (_, Received::Changes(changes), Some((before, _))) => {
            let Applied { added, removed } = changes.write(before, part)?;
            Ok(Change::Ixfr { added, removed })
        }
        (_, Received::Changes(_), None) => anyhow::bail!("changes came where the whole zone was asked for"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_beside_a_zone_file_carry_its_whole_name() {
        assert_eq!(
            beside(Path::new("/z/a.zone.zst"), "next"),
            Path::new("/z/a.zone.zst.next")
        );
    }
}
