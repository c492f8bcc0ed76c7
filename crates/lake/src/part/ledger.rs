//! Which parts were taken: one file of ids for each day, so that a part that comes again is known.
//!
//! With its rows a part is noted in the journal, in one write; before the journal goes, the note comes here. So there is no
//! moment at which rows are durable and the part is forgotten.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::PartId;
use crate::error::Error;
use crate::journal::{create_folder, sync_folder};

/// A part in the journal, before its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub part: PartId,
    /// Rows that follow it.
    pub rows: usize,
    /// Day on which it was taken, in UTC.
    pub day: Date,
}

/// Half of an id: what is kept in memory. 500 vantage points that hand over a part every five minutes for eight days take 20 MB.
type Short = [u8; 16];

fn short(part: &PartId) -> Short {
    let mut short = [0; 16];
    short.copy_from_slice(&part.octets()[..16]);
    short
}

/// The parts that were taken.
#[derive(Default)]
pub(crate) struct Ledger {
    folder: PathBuf,
    days: BTreeMap<Date, HashSet<Short>>,
    /// Noted in the journal and not in the files yet.
    pending: Vec<Mark>,
}

impl Ledger {
    /// Reads the files in `folder`, and takes what a replayed journal noted.
    pub fn open(folder: &Path, replayed: Vec<Mark>) -> Result<Self, Error> {
        create_folder(folder)?;
        let mut ledger = Self {
            folder: folder.to_owned(),
            ..Self::default()
        };
        for (day, path) in files(folder)? {
            let text = fs::read_to_string(&path).map_err(|source| Error::File {
                attempt: "read",
                path,
                source,
            })?;
            // a line that a crash cut off was not needed: its note is in the journal still
            let ids = text.lines().filter_map(|line| line.parse::<PartId>().ok());
            ledger.days.entry(day).or_default().extend(ids.map(|id| short(&id)));
        }
        replayed.into_iter().for_each(|mark| ledger.note(mark));
        Ok(ledger)
    }

    pub fn contains(&self, part: &PartId) -> bool {
        let short = short(part);
        self.days.values().any(|day| day.contains(&short))
    }

    /// A part is in the journal with its rows.
    pub fn note(&mut self, mark: Mark) {
        self.days.entry(mark.day).or_default().insert(short(&mark.part));
        self.pending.push(mark);
    }

    /// The notes of a journal that is about to go.
    pub fn take_pending(&mut self) -> Vec<Mark> {
        std::mem::take(&mut self.pending)
    }

    /// They did not come into the files: they are still to come.
    pub fn give_back(&mut self, marks: Vec<Mark>) {
        self.pending.splice(0..0, marks);
    }

    pub fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    /// Forgets the parts that were taken before `day`.
    pub fn forget_before(&mut self, day: Date) -> Result<(), Error> {
        self.days = self.days.split_off(&day);
        for (_, path) in files(&self.folder)?.into_iter().filter(|(of, _)| *of < day) {
            fs::remove_file(&path).map_err(|source| Error::File {
                attempt: "remove",
                path,
                source,
            })?;
        }
        Ok(())
    }
}

/// Writes notes into the files of their days, synced to disk.
pub(crate) fn keep(folder: &Path, marks: &[Mark]) -> Result<(), Error> {
    let mut days: BTreeMap<Date, String> = BTreeMap::new();
    for mark in marks {
        let text = days.entry(mark.day).or_default();
        text.push_str(&format!("{}\n", mark.part));
    }
    for (day, text) in days {
        let path = folder.join(format!("{day}.sha256"));
        let write = || {
            let is_new = !path.exists();
            let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
            // what a crash cut off in the line before must not spoil this one
            file.write_all(b"\n")?;
            file.write_all(text.as_bytes())?;
            file.sync_data()?;
            if is_new { sync_folder(folder) } else { Ok(()) }
        };
        write().map_err(|source| Error::File {
            attempt: "write",
            path: path.clone(),
            source,
        })?;
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<(Date, PathBuf)>, Error> {
    let entries = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let paths: Vec<PathBuf> = entries.map_err(|source| Error::File {
        attempt: "read",
        path: folder.to_owned(),
        source,
    })?;
    let day = |path: &Path| path.file_name()?.to_str()?.strip_suffix(".sha256")?.parse().ok();
    Ok(paths.into_iter().filter_map(|path| Some((day(&path)?, path))).collect())
}
