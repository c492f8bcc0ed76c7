//! `dnscert ingest --watch`: takes in the files of folders as they come.
//!
//! A file counts as finished when it has not changed for some seconds. One that then turns out to be cut off waits ten times as long:
//! whoever writes it may only have paused. What was taken in is known by where and when the file was made, in the same commit as
//! its content, so that a file that grows later is not taken in a second time, however often the program is started anew.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use super::{Half, NotKept, One, Store, open};
use crate::cli::IngestArgs;

/// How often folders are looked through.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// So many times longer waits what is cut off.
const PATIENCE_WITH_HALVES: u32 = 10;

/// What of a file changes when it is written, replaced, or given other rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    place: (u64, u64),
    octets: u64,
    written: (i64, i64),
    changed: (i64, i64),
}

impl State {
    fn of(metadata: &std::fs::Metadata) -> Self {
        Self {
            place: (metadata.dev(), metadata.ino()),
            octets: metadata.size(),
            written: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// A file of a folder.
#[derive(Debug, Clone, Copy)]
struct Watched {
    state: State,
    /// When it was first seen in this state.
    since: Instant,
    /// Nothing is to be done until it changes.
    is_done: bool,
    /// It was found to be cut off in this state.
    is_half: bool,
}

/// Goes on until told to stop.
pub(super) async fn run(arguments: Arc<IngestArgs>, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    for folder in &arguments.watch {
        std::fs::read_dir(folder).with_context(|| format!("cannot watch `{}`", folder.display()))?;
        eprintln!("watching `{}`", folder.display());
    }
    let stopping = Arc::new(AtomicBool::new(false));
    tokio::pin!(stop);
    let mut files = HashMap::new();
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = &mut stop => return Ok(()),
            _ = ticks.tick() => {}
        }
        let finished = look(&arguments, &mut files);
        if finished.is_empty() {
            continue;
        }
        // open only as long as there is work, so that others can write in between
        let store = tokio::select! {
            store = open(&arguments) => store,
            () = &mut stop => return Ok(()),
        };
        let work = async { take_in(arguments.clone(), store?, finished, stopping.clone()).await };
        tokio::pin!(work);
        let taken = tokio::select! {
            taken = &mut work => taken,
            () = &mut stop => {
                // what is being read is given up, and nothing of it is kept
                stopping.store(true, Ordering::Relaxed);
                return work.await.map(|_| ());
            }
        };
        match taken {
            Ok(taken) => taken.into_iter().for_each(|(path, end)| {
                if let Some(file) = files.get_mut(&path) {
                    file.is_done = end == End::Done;
                    file.is_half |= end == End::Half;
                    if end == End::Later {
                        file.since = Instant::now();
                    }
                }
            }),
            // the observations are in use or cannot be opened: the files wait
            Err(error) => {
                eprintln!("{error:#}");
                let now = Instant::now();
                files.values_mut().for_each(|file| file.since = now);
            }
        }
    }
}

/// Looks through the folders, and gives the files that are finished and new, in the order of their names.
fn look(arguments: &IngestArgs, files: &mut HashMap<PathBuf, Watched>) -> Vec<(PathBuf, Half)> {
    let mut there = HashMap::new();
    for folder in &arguments.watch {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!(folder = %folder.display(), %error, "the folder cannot be read");
                continue;
            }
        };
        for entry in entries.flatten() {
            // hidden files are those that are being written, by the custom of rsync and others
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let Some(metadata) = std::fs::metadata(entry.path())
                .ok()
                .filter(|metadata| metadata.is_file())
            else {
                continue;
            };
            there.insert(entry.path(), State::of(&metadata));
        }
    }
    files.retain(|path, _| there.contains_key(path));
    let mut finished = Vec::new();
    for (path, state) in there {
        let new = Watched {
            state,
            since: Instant::now(),
            is_done: false,
            is_half: false,
        };
        let file = files.entry(path.clone()).or_insert(new);
        if file.state != state {
            *file = new;
        }
        let settle = Duration::from_secs(arguments.settle);
        let (after, half) = match file.is_half {
            false => (settle, Half::Refuse),
            true => (settle * PATIENCE_WITH_HALVES, Half::Keep),
        };
        if !file.is_done && file.since.elapsed() >= after {
            finished.push((path, half));
        }
    }
    finished.sort_by(|(one, _), (other, _)| one.cmp(other));
    finished
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It was taken in, or cannot be.
    Done,
    /// It is cut off and waits.
    Half,
    /// It could not be kept, because the disk is full or the like.
    Later,
    /// It was given up, because the program ends.
    Stopped,
}

async fn take_in(
    arguments: Arc<IngestArgs>,
    store: Option<Store>,
    files: Vec<(PathBuf, Half)>,
    stopping: Arc<AtomicBool>,
) -> anyhow::Result<Vec<(PathBuf, End)>> {
    let taken = tokio::task::spawn_blocking(move || {
        let mut taken = Vec::with_capacity(files.len());
        for (path, half) in files {
            let end = file(&arguments, &path, half, store.as_ref(), &stopping);
            taken.push((path, end));
            if end == End::Stopped {
                break;
            }
        }
        if let Some(store) = &store {
            store.merge_if_many()?;
        }
        Ok(taken)
    });
    taken.await.context("reading what came")?
}

fn file(arguments: &IngestArgs, path: &Path, half: Half, store: Option<&Store>, stopping: &Arc<AtomicBool>) -> End {
    if stopping.load(Ordering::Relaxed) {
        return End::Stopped;
    }
    let made = made(path);
    let input = One {
        path,
        half,
        made: made.as_deref(),
        stopping: Some(stopping.clone()),
    };
    let end = super::one(arguments, &input, store, false).and_then(|taken| match taken {
        Some(taken) => taken.print(arguments).map(|()| End::Done),
        None => Ok(End::Half),
    });
    match end {
        Ok(end) => end,
        Err(_) if stopping.load(Ordering::Relaxed) => End::Stopped,
        Err(error) => {
            eprintln!("{error:#}");
            match error.is::<NotKept>() {
                true => End::Later,
                false => End::Done,
            }
        }
    }
}

/// A word for where and when a file was made: another file under its name has another, the same file when it grew has the same.
fn made(path: &Path) -> Option<String> {
    let metadata = std::fs::metadata(path).ok()?;
    let path = path.canonicalize().ok()?;
    let born = metadata.created().ok();
    let born = born.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let mut hash = Sha256::new();
    hash.update(path.as_os_str().as_encoded_bytes());
    hash.update(metadata.dev().to_be_bytes());
    hash.update(metadata.ino().to_be_bytes());
    hash.update(born.unwrap_or_default().as_nanos().to_be_bytes());
    Some(format!("made/{}", hex::encode(hash.finalize())))
}
