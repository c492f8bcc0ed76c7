//! What waits for the line: sealed parts in a folder, each under its time and its SHA-256.
//!
//! A part is written aside, synced and renamed into its place, so that a crash leaves it whole or not at all. The folder is
//! bounded: when it is full the oldest parts go first, because they tell the least about the present and the centre takes
//! none that is older than a week. What goes is counted, and the count is told to the centre.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail, ensure};
use jiff::Timestamp;
use lake::{PartId, part};
use model::{Plan, Sample};
use tokio::sync::Notify;

/// Parts that lie aside because they were refused. Chosen by us: enough to see what is wrong.
const MOST_ASIDE: usize = 20;

/// What the parts of a spool are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Samples, as Parquet.
    Samples,
    /// What a sensor observed, as lines of JSON in Zstandard.
    Observed,
}

impl Form {
    fn extension(self) -> &'static str {
        match self {
            Self::Samples => "parquet",
            Self::Observed => "zst",
        }
    }

    /// The media type under which they are handed over.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Samples => "application/vnd.apache.parquet",
            Self::Observed => "application/zstd",
        }
    }
}

/// The spool of one vantage point. Clones share it.
#[derive(Clone)]
pub struct Spool(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    most_bytes: u64,
    form: Form,
    contents: Mutex<Contents>,
    grown: Notify,
    /// Locked as long as the spool is open.
    _lock: File,
}

#[derive(Default)]
struct Contents {
    /// By their names, which begin with the time of their newest sample: oldest first.
    parts: BTreeMap<String, Waiting>,
    bytes: u64,
    dropped_samples: u64,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    id: PartId,
    bytes: u64,
}

/// A part that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its id.
    pub id: PartId,
    name: String,
}

/// How much waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    /// Parts.
    pub parts: u64,
    /// Their octets.
    pub bytes: u64,
    /// Time of the newest sample of the oldest part.
    pub oldest: Option<Timestamp>,
    /// Samples that had to go, since the spool was made.
    pub dropped_samples: u64,
}

/// Time in microseconds, samples (or rows), and id of a part, as its name says them.
fn name_of(time: Timestamp, samples: usize, id: &PartId, form: Form) -> String {
    format!(
        "{:020}-{samples}-{id}.{}",
        time.as_microsecond().max(0),
        form.extension()
    )
}

fn read_name(name: &str) -> Option<(Timestamp, u64, PartId)> {
    let (stem, extension) = name.rsplit_once('.')?;
    if ![Form::Samples, Form::Observed]
        .map(Form::extension)
        .contains(&extension)
    {
        return None;
    }
    let mut words = stem.split('-');
    let time = Timestamp::from_microsecond(words.next()?.parse().ok()?).ok()?;
    let (samples, id) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    words.next().is_none().then_some((time, samples, id))
}

impl Spool {
    /// Opens the spool in `folder`, making it where it is missing. Fails where another process has it open.
    pub fn open(folder: &Path, most_bytes: u64, form: Form) -> anyhow::Result<Self> {
        let shown = folder.display();
        fs::create_dir_all(folder).with_context(|| format!("making the spool `{shown}`"))?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join("lock"))
            .with_context(|| format!("opening the spool `{shown}`"))?;
        if lock.try_lock().is_err() {
            bail!("another process uses the spool `{shown}`");
        }
        let mut contents = Contents {
            dropped_samples: finish_dropping(folder).with_context(|| format!("reading the spool `{shown}`"))?,
            ..Contents::default()
        };
        for entry in fs::read_dir(folder).with_context(|| format!("reading the spool `{shown}`"))? {
            let entry = entry.with_context(|| format!("reading the spool `{shown}`"))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".tmp") {
                // a crash left it half written: it was never sealed
                fs::remove_file(entry.path()).with_context(|| format!("removing `{name}` from the spool"))?;
            } else if let Some((_, _, id)) = read_name(&name).filter(|_| name.ends_with(form.extension())) {
                let bytes = entry
                    .metadata()
                    .with_context(|| format!("reading `{name}` in the spool"))?
                    .len();
                contents.bytes += bytes;
                contents.parts.insert(name, Waiting { id, bytes });
            }
        }
        Ok(Self(Arc::new(Inner {
            folder: folder.to_owned(),
            most_bytes,
            form,
            contents: Mutex::new(contents),
            grown: Notify::new(),
            _lock: lock,
        })))
    }

    fn contents(&self) -> std::sync::MutexGuard<'_, Contents> {
        // the index is whole between any two statements
        self.0.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seals samples and keeps them durably; makes room by dropping the oldest parts. Blocks on the disk.
    pub fn keep(&self, samples: &[Sample]) -> anyhow::Result<()> {
        let Some(newest) = samples.iter().map(|sample| sample.time).max() else {
            return Ok(());
        };
        let (id, octets) = part::seal(samples).context("sealing samples")?;
        self.keep_part(id, &octets, samples.len(), newest)
    }

    /// Keeps a sealed part durably: its octets, its rows, and the time of the newest of them. Makes room as [`Spool::keep`] does.
    pub fn keep_part(&self, id: PartId, octets: &[u8], rows: usize, newest: Timestamp) -> anyhow::Result<()> {
        let bytes = octets.len() as u64;
        ensure!(
            bytes <= self.0.most_bytes,
            "the spool has no room for a part of {bytes} octets"
        );
        let name = name_of(newest, rows, &id, self.0.form);
        write(&self.0.folder, &name, octets).with_context(|| format!("writing `{name}` into the spool"))?;
        let mut contents = self.contents();
        if contents.parts.insert(name, Waiting { id, bytes }).is_none() {
            contents.bytes += bytes;
        }
        while contents.bytes > self.0.most_bytes {
            self.drop_oldest(&mut contents)?;
        }
        drop(contents);
        self.0.grown.notify_one();
        Ok(())
    }

    /// What its parts are.
    pub fn form(&self) -> Form {
        self.0.form
    }

    /// Noted first and then removed: a crash in between is finished at the next start, so nothing is counted twice.
    fn drop_oldest(&self, contents: &mut Contents) -> anyhow::Result<()> {
        let Some((name, waiting)) = contents.parts.pop_first() else {
            return Ok(());
        };
        contents.bytes = contents.bytes.saturating_sub(waiting.bytes);
        let samples = read_name(&name).map_or(0, |(_, samples, _)| samples);
        contents.dropped_samples = contents.dropped_samples.saturating_add(samples);
        tracing::warn!(samples, part = %waiting.id, "the oldest part goes: the spool is full, or it is too old to be taken");
        note_drop(&self.0.folder, &name).context("noting what the spool had no room for")?;
        remove_file(&self.0.folder.join(&name))
    }

    /// Drops the parts whose newest sample is older than `time`: the centre would not take them.
    pub fn drop_older_than(&self, time: Timestamp) -> anyhow::Result<()> {
        let mut contents = self.contents();
        let is_old = |contents: &Contents| {
            let oldest = contents.parts.first_key_value().and_then(|(name, _)| read_name(name));
            oldest.is_some_and(|(of_part, _, _)| of_part < time)
        };
        while is_old(&contents) {
            self.drop_oldest(&mut contents)?;
        }
        Ok(())
    }

    /// Samples went that never came into the spool.
    pub fn lose(&self, samples: u64) {
        let mut contents = self.contents();
        contents.dropped_samples = contents.dropped_samples.saturating_add(samples);
    }

    /// The part with the newest samples.
    pub fn newest(&self) -> Option<Part> {
        let contents = self.contents();
        let (name, waiting) = contents.parts.last_key_value()?;
        Some(Part {
            id: waiting.id,
            name: name.clone(),
        })
    }

    /// Waits until a part comes in.
    pub async fn grown(&self) {
        self.0.grown.notified().await;
    }

    /// The octets of a part.
    pub fn read(&self, part: &Part) -> anyhow::Result<Vec<u8>> {
        let path = self.0.folder.join(&part.name);
        fs::read(&path).with_context(|| format!("reading `{}`", path.display()))
    }

    /// The centre has it.
    pub fn remove(&self, part: &Part) {
        self.take_out(part);
        if let Err(error) = remove_file(&self.0.folder.join(&part.name)) {
            // it is handed over again after a restart, which does no harm
            tracing::warn!("{error:#}");
        }
    }

    /// The centre refuses it: it lies aside with the reason, and is not handed over again.
    pub fn set_aside(&self, part: &Part, reason: &str) {
        self.take_out(part);
        if let Err(error) = set_aside(&self.0.folder, &part.name, reason) {
            tracing::error!("a refused part could not be put aside: {error:#}");
        }
    }

    fn take_out(&self, part: &Part) {
        let mut contents = self.contents();
        if let Some(waiting) = contents.parts.remove(&part.name) {
            contents.bytes = contents.bytes.saturating_sub(waiting.bytes);
        }
    }

    /// How much waits.
    pub fn waiting(&self) -> Amount {
        let contents = self.contents();
        let oldest = contents.parts.first_key_value();
        Amount {
            parts: contents.parts.len() as u64,
            bytes: contents.bytes,
            oldest: oldest.and_then(|(name, _)| read_name(name)).map(|(time, _, _)| time),
            dropped_samples: contents.dropped_samples,
        }
    }

    /// The plan that was kept last.
    pub fn plan(&self) -> anyhow::Result<Option<Plan>> {
        let path = self.0.folder.join("plan.json");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("reading `{}`", path.display())),
        };
        // one that cannot be read, or that a later version must not carry out, is as good as none: another is pulled
        let plan: Option<Plan> = serde_json::from_str(&text).ok();
        Ok(plan.filter(|plan| plan.check().is_ok()))
    }

    /// Keeps the plan for a start without the line.
    pub fn keep_plan(&self, plan: &Plan) -> anyhow::Result<()> {
        let text = serde_json::to_vec(plan).context("writing the plan")?;
        write(&self.0.folder, "plan.json", &text).context("keeping the plan")
    }
}

/// Writes a file so that it is there whole or not at all.
fn write(folder: &Path, name: &str, octets: &[u8]) -> std::io::Result<()> {
    let (path, aside) = (folder.join(name), folder.join(format!("{name}.tmp")));
    let mut file = File::create(&aside)?;
    file.write_all(octets)?;
    file.sync_all()?;
    fs::rename(&aside, &path)?;
    File::open(folder)?.sync_all()
}

fn remove_file(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing `{}`", path.display()))
        }
        _ => Ok(()),
    }
}

fn note_drop(folder: &Path, name: &str) -> std::io::Result<()> {
    let path = folder.join("dropped");
    if !path.exists() {
        write(folder, "dropped", b"0\n")?;
    }
    let mut file = OpenOptions::new().append(true).open(path)?;
    file.write_all(format!("{name}\n").as_bytes())?;
    file.sync_data()
}

/// Removes parts that were noted as dropped and are still there, and gives the samples that went so far. The file holds
/// their number and below it the names of parts that went since it was written.
fn finish_dropping(folder: &Path) -> anyhow::Result<u64> {
    let path = folder.join("dropped");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error).with_context(|| format!("reading `{}`", path.display())),
    };
    let mut samples = 0_u64;
    for (number, line) in text.lines().enumerate() {
        // a name that a crash cut short can be a number too, but not in the first line, which is written whole
        if let (0, Ok(before)) = (number, line.parse::<u64>()) {
            samples = before;
        } else if let Some((_, of_part, _)) = read_name(line) {
            samples = samples.saturating_add(of_part);
            remove_file(&folder.join(line))?;
        }
    }
    write(folder, "dropped", format!("{samples}\n").as_bytes()).context("writing what was dropped")?;
    Ok(samples)
}

fn set_aside(folder: &Path, name: &str, reason: &str) -> anyhow::Result<()> {
    let refused = folder.join("refused");
    fs::create_dir_all(&refused).context("making the folder of refused parts")?;
    let mut there: Vec<PathBuf> = fs::read_dir(&refused)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .context("reading the folder of refused parts")?;
    there.retain(|path| path.extension().is_some_and(|extension| extension != "txt"));
    there.sort();
    let surplus = (there.len() + 1).saturating_sub(MOST_ASIDE);
    for path in there.into_iter().take(surplus) {
        remove_file(&path)?;
        remove_file(&path.with_extension("txt"))?;
    }
    let place = refused.join(name);
    fs::write(place.with_extension("txt"), format!("{reason}\n")).context("writing the reason")?;
    fs::rename(folder.join(name), place).context("moving the part")
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use model::{Outcome, Transport};

    use super::*;

    fn sample(second: i64) -> Sample {
        Sample {
            time: Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_secs(second),
            probe: "fra1".to_owned(),
            zone: "example".parse().unwrap(),
            server: None,
            address: "192.0.2.1".parse().unwrap(),
            transport: Transport::Udp,
            qname: "example".parse().unwrap(),
            qtype: 6,
            outcome: Outcome::Timeout,
            rtt_us: None,
            rcode: None,
            authoritative: false,
            truncated: false,
            serial: None,
            nsid: None,
            size_bytes: None,
            flags: None,
            attempts: Some(1),
            validated: None,
            signature_expiration: None,
        }
    }

    fn three(from: i64) -> Vec<Sample> {
        (from..from + 3).map(sample).collect()
    }

    /// Octets of a part of three samples.
    fn part_bytes() -> u64 {
        part::seal(&three(0)).unwrap().1.len() as u64
    }

    #[test]
    fn parts_wait_over_a_restart_and_the_newest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), 1 << 20, Form::Samples).unwrap();
        for from in [100, 0, 50] {
            spool.keep(&three(from)).unwrap();
        }
        drop(spool);
        let spool = Spool::open(folder.path(), 1 << 20, Form::Samples).unwrap();
        let waiting = spool.waiting();
        assert_eq!(
            (waiting.parts, waiting.oldest, waiting.dropped_samples),
            (3, Some(sample(2).time), 0)
        );
        let mut came = Vec::new();
        while let Some(part) = spool.newest() {
            let octets = spool.read(&part).unwrap();
            assert_eq!(PartId::of(&octets), part.id);
            let samples = part::open(&octets, &lake::Limits::default()).unwrap();
            came.push(samples[0].time);
            spool.remove(&part);
        }
        assert_eq!(came, [sample(100).time, sample(50).time, sample(0).time]);
        assert_eq!((spool.waiting().parts, spool.waiting().bytes), (0, 0));
    }

    #[test]
    fn a_full_spool_drops_its_oldest_parts_and_counts_their_samples() {
        let folder = tempfile::tempdir().unwrap();
        let room_for_two = part_bytes() * 2 + 10;
        let spool = Spool::open(folder.path(), room_for_two, Form::Samples).unwrap();
        for from in [0, 10, 20, 30] {
            spool.keep(&three(from)).unwrap();
        }
        let waiting = spool.waiting();
        assert_eq!((waiting.parts, waiting.dropped_samples), (2, 6));
        assert_eq!(waiting.oldest, Some(sample(22).time));
        spool.lose(1);
        drop(spool);
        let spool = Spool::open(folder.path(), room_for_two, Form::Samples).unwrap();
        assert_eq!(
            spool.waiting().dropped_samples,
            6,
            "what went by dropping is known over a restart"
        );
        spool.keep(&three(40)).unwrap();
        drop(spool);
        assert_eq!(
            Spool::open(folder.path(), room_for_two, Form::Samples)
                .unwrap()
                .waiting()
                .dropped_samples,
            9
        );
    }

    #[test]
    fn what_is_too_old_for_the_centre_goes_and_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), 1 << 20, Form::Samples).unwrap();
        for from in [0, 10, 20] {
            spool.keep(&three(from)).unwrap();
        }
        spool.drop_older_than(sample(12).time).unwrap();
        let waiting = spool.waiting();
        assert_eq!(
            (waiting.parts, waiting.dropped_samples, waiting.oldest),
            (2, 3, Some(sample(12).time))
        );
    }

    #[test]
    fn a_crash_while_dropping_or_writing_is_finished_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), 1 << 20, Form::Samples).unwrap();
        spool.keep(&three(0)).unwrap();
        spool.keep(&three(10)).unwrap();
        let oldest = spool.contents().parts.first_key_value().unwrap().0.clone();
        drop(spool);
        // noted as dropped, and not removed yet
        note_drop(folder.path(), &oldest).unwrap();
        // half a name that was being noted, and half a part that was being written
        let mut noted = OpenOptions::new()
            .append(true)
            .open(folder.path().join("dropped"))
            .unwrap();
        noted.write_all(b"00001800000000000000").unwrap();
        fs::write(folder.path().join("x.parquet.tmp"), b"PAR1").unwrap();
        for _ in 0..2 {
            let spool = Spool::open(folder.path(), 1 << 20, Form::Samples).unwrap();
            let waiting = spool.waiting();
            assert_eq!((waiting.parts, waiting.dropped_samples), (1, 3));
        }
        assert!(!folder.path().join("x.parquet.tmp").exists());
    }

    #[test]
    fn the_same_samples_again_make_no_second_part() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), 1 << 20, Form::Samples).unwrap();
        spool.keep(&three(0)).unwrap();
        spool.keep(&three(0)).unwrap();
        spool.keep(&[]).unwrap();
        assert_eq!((spool.waiting().parts, spool.waiting().bytes), (1, part_bytes()));
    }

    #[test]
    fn refused_parts_lie_aside_with_the_reason_and_are_not_offered_again() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), 1 << 20, Form::Samples).unwrap();
        for from in 0..25 {
            spool.keep(&three(from * 10)).unwrap();
            let part = spool.newest().unwrap();
            spool.set_aside(&part, "it is no part");
        }
        assert!(spool.newest().is_none());
        let aside = fs::read_dir(folder.path().join("refused")).unwrap().count();
        assert_eq!(aside, 2 * MOST_ASIDE);
    }

    #[test]
    fn one_spool_serves_one_probe() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), 1 << 20, Form::Samples).unwrap();
        let second = Spool::open(folder.path(), 1 << 20, Form::Samples).err().unwrap();
        assert!(second.to_string().contains("another process"));
        drop(spool);
        Spool::open(folder.path(), 1 << 20, Form::Samples).unwrap();
    }

    #[test]
    fn a_part_larger_than_the_spool_is_an_error_and_no_endless_dropping() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), 100, Form::Samples).unwrap();
        assert!(spool.keep(&three(0)).unwrap_err().to_string().contains("no room"));
        assert_eq!(spool.waiting().parts, 0);
    }

    #[test]
    fn names_that_are_not_ours_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("notes.txt"), b"hello").unwrap();
        fs::write(folder.path().join("1-2-3.parquet"), b"hello").unwrap();
        let spool = Spool::open(folder.path(), 1 << 20, Form::Samples).unwrap();
        assert_eq!(spool.waiting().parts, 0);
        assert!(folder.path().join("notes.txt").exists());
    }
}
