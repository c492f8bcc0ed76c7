//! The journal: rows that are not in the table yet, as lines of JSON, synced to disk before an append returns.
//!
//! Each flush seals the current file and starts the next; the files' numbers go into the Delta log with the commit
//! that takes their rows in. So after a crash a file is either not in the table, and is read again, or already in it,
//! and is removed: no row is lost, none is there twice. A line cut off by a crash was never acknowledged. A sealed part is a
//! mark and its rows; one whose rows are not all there was never acknowledged either, and is left out as a whole.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::part::ledger::Mark;
use crate::row::Row;

/// How the line of a mark begins; no row does.
const MARK: &[u8] = b"{\"part\":";

/// Extension of a journal that was set aside.
const SET_ASIDE: &str = "damaged";

/// The journal of one table, open for appending.
pub(crate) struct Journal {
    folder: PathBuf,
    table: &'static str,
    number: i64,
    path: PathBuf,
    file: File,
    length: u64,
}

/// What a journal held that is not in the table.
pub(crate) struct Replayed<R> {
    pub rows: Vec<R>,
    /// Parts that are there with all their rows.
    pub marks: Vec<Mark>,
    /// Journals with lines that are no rows, set aside now or earlier. They stay until somebody removes them.
    pub damaged: Vec<(PathBuf, String)>,
}

impl Journal {
    /// Reads what is not in the table yet, then starts a new file. `committed` is the number in the Delta log.
    pub fn open<R: Row>(folder: &Path, committed: i64) -> Result<(Self, Replayed<R>), Error> {
        create_folder(folder)?;
        let mut replayed = Replayed {
            rows: Vec::new(),
            marks: Vec::new(),
            damaged: Vec::new(),
        };
        let mut last = committed;
        for (number, path) in numbered(folder, R::TABLE)? {
            if number <= committed {
                remove(&path)?;
                continue;
            }
            last = last.max(number);
            let (rows, marks, bad_lines) = read::<R>(&path)?;
            replayed.rows.extend(rows);
            replayed.marks.extend(marks);
            if bad_lines > 0 {
                tracing::error!(file = %path.display(), bad_lines, "lines of the journal are no rows; set aside");
                let aside = path.with_extension(SET_ASIDE);
                fs::copy(&path, &aside).map_err(|source| Error::File {
                    attempt: "write",
                    path: aside,
                    source,
                })?;
            }
        }
        let aside = files(folder)?.into_iter().filter(|path| {
            let of_table = |name: &str| name.strip_prefix(R::TABLE).is_some_and(|rest| rest.starts_with('-'));
            path.extension().is_some_and(|extension| extension == SET_ASIDE)
                && path.file_name().and_then(|name| name.to_str()).is_some_and(of_table)
        });
        replayed
            .damaged
            .extend(aside.map(|path| (path, "some of its lines are no rows".to_owned())));
        let (path, file) = create(folder, R::TABLE, last + 1)?;
        let journal = Self {
            folder: folder.to_owned(),
            table: R::TABLE,
            number: last + 1,
            path,
            file,
            length: 0,
        };
        Ok((journal, replayed))
    }

    /// Keeps the rows, and with them the mark of the part that they are; they survive a crash when this returns.
    pub fn append<R: Row>(&mut self, mark: Option<&Mark>, rows: &[R]) -> Result<(), Error> {
        let mut lines = Vec::with_capacity(rows.len() * 400);
        if let Some(mark) = mark {
            serde_json::to_writer(&mut lines, mark)
                .expect("a mark is plain data and memory does not fail to be written");
            lines.push(b'\n');
        }
        for row in rows {
            serde_json::to_writer(&mut lines, row).expect("rows are plain data and memory does not fail to be written");
            lines.push(b'\n');
        }
        let written = self.file.write_all(&lines).and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            // half a batch must not come back as if it had been acknowledged; a second failure leaves at worst that
            let _ = self.file.set_len(self.length);
            return Err(Error::File {
                attempt: "write",
                path: self.path.clone(),
                source,
            });
        }
        self.length += lines.len() as u64;
        Ok(())
    }

    /// Ends the current file and starts the next. Returns the number of the ended one.
    pub fn seal(&mut self) -> Result<i64, Error> {
        let sealed = self.number;
        let (path, file) = create(&self.folder, self.table, sealed + 1)?;
        (self.path, self.file, self.number, self.length) = (path, file, sealed + 1, 0);
        Ok(sealed)
    }

    /// Removes the files up to this number: their rows are in the table.
    pub fn remove_up_to(folder: &Path, table: &'static str, number: i64) -> Result<(), Error> {
        numbered(folder, table)?
            .into_iter()
            .filter(|(of_file, _)| *of_file <= number)
            .try_for_each(|(_, path)| remove(&path))
    }
}

/// The rows of a journal file, its parts, and how many of its lines are neither. The last line may have been cut off: it is
/// left out, and with it the part whose rows do not all follow its mark.
fn read<R: Row>(path: &Path) -> Result<(Vec<R>, Vec<Mark>, usize), Error> {
    let content = fs::read(path).map_err(|source| Error::File {
        attempt: "read",
        path: path.to_owned(),
        source,
    })?;
    let (mut rows, mut marks, mut bad_lines) = (Vec::new(), Vec::new(), 0);
    // the part under way: its mark, the lines still to come, and how many rows there were before it
    let mut part: Option<(Mark, usize, usize)> = None;
    let mut lines = content.split(|octet| *octet == b'\n').peekable();
    while let Some(line) = lines.next() {
        if lines.peek().is_none() || line.is_empty() {
            continue;
        }
        if line.starts_with(MARK)
            && let Ok(mark) = serde_json::from_slice::<Mark>(line)
        {
            part = Some((mark, mark.rows, rows.len()));
        } else {
            match serde_json::from_slice::<R>(line).ok().and_then(R::kept) {
                Some(row) => rows.push(row),
                None => bad_lines += 1,
            }
            if let Some((_, left, _)) = &mut part {
                *left = left.saturating_sub(1);
            }
        }
        if let Some((mark, 0, _)) = part {
            marks.push(mark);
            part = None;
        }
    }
    if let Some((_, _, before)) = part {
        rows.truncate(before);
    }
    Ok((rows, marks, bad_lines))
}

fn numbered(folder: &Path, table: &str) -> Result<Vec<(i64, PathBuf)>, Error> {
    let number = |path: &Path| -> Option<i64> {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix(table)?
            .strip_prefix('-')?
            .strip_suffix(".jsonl")?
            .parse()
            .ok()
    };
    let mut numbered: Vec<(i64, PathBuf)> = files(folder)?
        .into_iter()
        .filter_map(|path| Some((number(&path)?, path)))
        .collect();
    numbered.sort();
    Ok(numbered)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    entries.map_err(|source| Error::File {
        attempt: "read",
        path: folder.to_owned(),
        source,
    })
}

fn create(folder: &Path, table: &str, number: i64) -> Result<(PathBuf, File), Error> {
    let path = folder.join(format!("{table}-{number:012}.jsonl"));
    let file = fs::OpenOptions::new().append(true).create_new(true).open(&path);
    let file = file.and_then(|file| sync_folder(folder).map(|()| file));
    let file = file.map_err(|source| Error::File {
        attempt: "create",
        path: path.clone(),
        source,
    })?;
    Ok((path, file))
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Error::File {
            attempt: "remove",
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

/// Makes the folder and those above it where they are missing.
pub(crate) fn create_folder(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|source| Error::File {
        attempt: "create",
        path: folder.to_owned(),
        source,
    })
}

/// Makes the names in a folder survive a loss of power.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
