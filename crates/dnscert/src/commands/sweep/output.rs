//! Where the lines of a sweep go, and the state with them: a thread writes, so that a slow disk does not lose answers.
//!
//! The state says how much of the output belongs to it. It is written after the output is on disk, under another name
//! first, so that whatever is cut short, output and state fit together; what the output holds beyond is read again.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use measure::sweep::{Counts, Keeper, Line, LineWriter, Moment, Names, State, Swept};

use super::{lines_of, progress::Progress};
use crate::cli::{SweepArgs, SweepFormat};

/// Octets gathered before they are handed to the writing thread. Chosen by us: large enough that handing over costs
/// nothing, small enough for the processor's cache.
const CHUNK: usize = 256 * 1024;
/// Chunks that may wait to be written.
const WAITING: usize = 16;
/// How often the state is kept. Chosen by us: so much has to be read again after a crash.
const SAVE_EVERY: Duration = Duration::from_secs(1);

/// What is to be written.
enum Order {
    Lines(Vec<u8>),
    State(State),
}

/// An output that is open, and what an earlier run left in it.
pub struct Output {
    file: Option<File>,
    shown: String,
    state_file: Option<PathBuf>,
    state: State,
    finished: HashMap<Vec<u8>, u64>,
    counts: Counts,
    is_resumed: bool,
}

impl Output {
    /// Opens what the arguments name. With a state of an earlier run, reads what that run finished after it was kept.
    pub fn open(arguments: &SweepArgs) -> anyhow::Result<Self> {
        let state = State {
            rtype: arguments.rtype.to_string(),
            ..State::default()
        };
        let mut output = Self {
            file: None,
            shown: "standard output".to_owned(),
            state_file: arguments.resume.clone(),
            state,
            finished: HashMap::new(),
            counts: Counts::default(),
            is_resumed: false,
        };
        let Some(path) = &arguments.output else {
            return Ok(output);
        };
        let path = match arguments.format {
            SweepFormat::Ndjson => path.clone(),
            SweepFormat::Parquet => lines_of(path),
        };
        output.shown = format!("`{}`", path.display());
        match &arguments.resume {
            Some(state_file) if state_file.exists() => output.resume(&path, state_file)?,
            Some(state_file) => {
                let is_used = fs::metadata(&path).is_ok_and(|data| data.len() > 0);
                ensure!(
                    !is_used,
                    "{} holds something, but there is no `{}` that says what: remove one, or name another",
                    output.shown,
                    state_file.display()
                );
                output.create(&path)?;
                save(state_file, &output.state)?;
            }
            None => output.create(&path)?,
        }
        Ok(output)
    }

    fn create(&mut self, path: &Path) -> anyhow::Result<()> {
        let file = File::create(path).with_context(|| format!("creating {}", self.shown))?;
        self.file = Some(file);
        Ok(())
    }

    fn resume(&mut self, path: &Path, state_file: &Path) -> anyhow::Result<()> {
        let shown = format!("`{}`", state_file.display());
        let text = fs::read_to_string(state_file).with_context(|| format!("reading the state {shown}"))?;
        let state = State::from_json(&text).with_context(|| format!("reading the state {shown}"))?;
        ensure!(
            state.rtype == self.state.rtype,
            "the state {shown} is that of a sweep for {}, not for {}",
            state.rtype,
            self.state.rtype
        );
        self.counts = Counts::from_words(&state.counts)
            .with_context(|| format!("reading the state {shown}: `counts` has a word that no sweep leaves"))?;
        self.state = state;
        self.is_resumed = true;
        let file = OpenOptions::new().read(true).append(true).create(true).open(path);
        let mut file = file.with_context(|| format!("going on with {}", self.shown))?;
        self.read_rest(&mut file)
            .with_context(|| format!("going on with {}", self.shown))?;
        self.file = Some(file);
        Ok(())
    }

    /// Reads what the file holds beyond the state, and cuts off a line that was not written to its end.
    fn read_rest(&mut self, file: &mut File) -> anyhow::Result<()> {
        let size = file.metadata()?.len();
        let known = self.state.output_bytes;
        ensure!(
            size >= known,
            "it has {size} octets, and the state is that of a file with at least {known}"
        );
        file.seek(SeekFrom::Start(known))?;
        let mut rest = BufReader::new(&*file);
        let (mut line, mut whole) = (Vec::new(), known);
        while rest.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            let read = Line::read(&line).with_context(|| format!("at octet {whole}"))?;
            let rcode = read.rcode().with_context(|| format!("at octet {whole}"))?;
            self.counts.add(read.outcome, rcode);
            *self
                .finished
                .entry(read.name.as_wire().as_slice().to_vec())
                .or_default() += 1;
            whole += line.len() as u64;
            line.clear();
        }
        file.set_len(whole)?;
        self.state.output_bytes = whole;
        Ok(())
    }

    /// The names of `input`, without those that an earlier run finished.
    pub fn names<R: io::Read>(&mut self, input: R) -> Names<R> {
        if self.is_resumed {
            Names::resume(input, &self.state, std::mem::take(&mut self.finished))
        } else {
            Names::new(input)
        }
    }

    /// Starts the thread that writes.
    pub fn start(self, progress: Arc<Progress>) -> anyhow::Result<(Kept, Writer)> {
        let (orders, receiver) = sync_channel(WAITING);
        let (file, shown, state_file) = (self.file, self.shown, self.state_file.clone());
        let write = move || write_all(&receiver, file, &shown, state_file.as_deref());
        let thread = std::thread::Builder::new()
            .name("output".to_owned())
            .spawn(write)
            .context("starting a thread to write")?;
        let kept = Kept {
            lines: LineWriter::default(),
            chunk: Vec::with_capacity(CHUNK),
            orders,
            counts: self.counts,
            earlier_lines: self.state.lines,
            output_bytes: self.state.output_bytes,
            state: self.state,
            keeps_state: self.state_file.is_some(),
            saved_at: Instant::now(),
            progress,
        };
        Ok((kept, Writer(thread)))
    }
}

/// The thread that writes.
pub struct Writer(JoinHandle<anyhow::Result<()>>);

impl Writer {
    /// Waits until all is written.
    pub fn join(self) -> anyhow::Result<()> {
        match self.0.join() {
            Ok(written) => written,
            Err(_) => bail!("the thread that writes ended unexpectedly"),
        }
    }
}

fn write_all(
    orders: &Receiver<Order>,
    file: Option<File>,
    shown: &str,
    state_file: Option<&Path>,
) -> anyhow::Result<()> {
    let context = || format!("writing to {shown}");
    let mut out: Box<dyn Write> = match &file {
        Some(file) => Box::new(file),
        None => Box::new(io::stdout().lock()),
    };
    for order in orders {
        match order {
            Order::Lines(lines) => out.write_all(&lines).with_context(context)?,
            Order::State(state) => {
                if let Some(file) = &file {
                    file.sync_data().with_context(context)?;
                }
                if let Some(state_file) = state_file {
                    save(state_file, &state)?;
                }
            }
        }
    }
    out.flush().with_context(context)
}

/// Puts a state in the place of the one before, as a whole or not at all.
fn save(path: &Path, state: &State) -> anyhow::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    let write = || -> io::Result<()> {
        let mut file = File::create(&unfinished)?;
        file.write_all(state.to_json().as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, path)?;
        match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
            _ => File::open(".")?.sync_all(),
        }
    };
    write().with_context(|| format!("keeping the state in `{}`", path.display()))
}

/// Takes what came of each name and hands it to the thread that writes.
pub struct Kept {
    lines: LineWriter,
    chunk: Vec<u8>,
    orders: SyncSender<Order>,
    counts: Counts,
    /// Lines that an earlier run had read: before these are read again, there is nothing to save.
    earlier_lines: u64,
    /// The state as of the last pause.
    state: State,
    output_bytes: u64,
    keeps_state: bool,
    saved_at: Instant,
    progress: Arc<Progress>,
}

impl Kept {
    /// Hands over the rest, and the state; the thread ends when they are written.
    pub fn finish(mut self) -> Counts {
        // a thread that is gone says itself why
        let _ = self.flush().and_then(|()| self.save());
        self.counts
    }

    fn save(&mut self) -> io::Result<()> {
        self.saved_at = Instant::now();
        if !self.keeps_state {
            return Ok(());
        }
        self.order(Order::State(self.state.clone()))
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        self.output_bytes += self.chunk.len() as u64;
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
        self.order(Order::Lines(chunk))
    }

    fn order(&self, order: Order) -> io::Result<()> {
        let gone = |_| io::Error::other("the output cannot be written to any more");
        self.orders.send(order).map_err(gone)
    }
}

impl Keeper for Kept {
    fn keep(&mut self, swept: &Swept<'_>) -> io::Result<()> {
        self.counts.add(swept.outcome, swept.rcode);
        self.lines.write(swept, &mut self.chunk);
        if self.chunk.len() >= CHUNK {
            self.flush()?;
        }
        Ok(())
    }

    fn pause(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.flush()?;
        self.progress.show(&self.counts, moment);
        if moment.lines < self.earlier_lines {
            return Ok(());
        }
        self.state.lines = moment.lines;
        self.state.digest = moment.digest;
        self.state.pending.clear();
        self.state.pending.extend(moment.pending);
        self.state.skipped = moment.skipped;
        self.state.output_bytes = self.output_bytes;
        self.state.counts = self.counts.by_word();
        match self.saved_at.elapsed() >= SAVE_EVERY {
            true => self.save(),
            false => Ok(()),
        }
    }
}
