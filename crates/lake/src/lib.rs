//! Keeps observations in a folder: the Delta tables `sample` and `zone_change`, and those of passive DNS (module `passive`).
//!
//! Rows come from the pollers and are durable when an append returns: they stand in a journal until a flush brings
//! them into Parquet files, one Delta commit for each table. One process writes (zone changes can be added beside it); any number read, ours with
//! `open_read_only`, or DuckDB, Spark, Trino and Python as they are. A lake's folder holds `sample/`, `zone_change/`,
//! `journal/`, `parts/` (which sealed parts were taken), `quarantine/` (parts that were refused) and `writer.lock`.
//!
//! It knows no cases and no people, and judges nothing.

mod data_file;
mod delta;
mod entry;
mod error;
mod journal;
pub mod part;
pub mod passive;
mod row;
mod sample;
mod sample_file;
mod snapshot;
pub mod store;
mod summary;
mod table;
mod upkeep;
mod zone_change;

use std::collections::{BTreeMap, HashSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use model::{Name, Sample, ZoneChange};

pub use error::Error;
pub use part::{Limits, PartId, Refusal};
pub use passive::Passive;
use passive::Retention;
pub use sample_file::SampleFile;
pub use snapshot::{Snapshot, TableFile, TableFiles};
pub use summary::{Day, RttPoint, SeenFrom, SerialRun, SignatureLife};

use row::Row as _;
use table::{Batch, Table, filter};

/// Settings of a lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Waiting rows from which an append flushes by itself. Default 20,000, some 10 MB. Higher takes more memory and
    /// a longer start after a crash; lower makes more and smaller files.
    pub flush_rows: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { flush_rows: 20_000 }
    }
}

/// How long a part that was taken is known. Must be more than [`Limits::oldest`]: a part that is known no more is then too old
/// to be taken.
pub const PART_MEMORY: SignedDuration = SignedDuration::from_hours(9 * 24);

/// A lake. Clones share it.
#[derive(Clone)]
pub struct Lake(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    samples: Table<Sample>,
    zone_changes: Table<ZoneChange>,
    settings: Settings,
    passive: tokio::sync::OnceCell<Passive>,
    /// Held while observations come in.
    observing: tokio::sync::Mutex<()>,
    /// Locked as long as the lake is open for writing.
    _lock: Option<File>,
}

/// A file that reads had to leave out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

/// What a compaction did, all tables together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compaction {
    /// Data files before.
    pub files_before: usize,
    /// Data files after.
    pub files_after: usize,
}

/// Size of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableStatistics {
    /// The table's name.
    pub table: &'static str,
    /// Version of its Delta log: commits since it was made.
    pub version: u64,
    /// Data files.
    pub files: usize,
    /// Rows in them.
    pub rows: u64,
    /// Octets in them.
    pub bytes: u64,
    /// Rows that wait in the journal for the next flush.
    pub waiting: usize,
}

impl Lake {
    /// Opens a lake for writing and reading, making it where it is missing, and takes over what a crash left in the
    /// journal. `Error::Busy` while another process has it open for writing.
    pub async fn open(folder: &Path) -> Result<Self, Error> {
        Self::open_with(folder, Settings::default()).await
    }

    /// `open` with settings of one's own.
    pub async fn open_with(folder: &Path, settings: Settings) -> Result<Self, Error> {
        let path = folder.to_owned();
        let lock = error::blocking(move || lock(&path, "writer.lock")).await?;
        Self::open_tables(folder, settings, Some(lock)).await
    }

    /// Opens a lake for reading, beside its writer and other readers. It sees what the writer flushed; each read takes
    /// in what came since.
    pub async fn open_read_only(folder: &Path) -> Result<Self, Error> {
        Self::open_tables(folder, Settings::default(), None).await
    }

    async fn open_tables(folder: &Path, settings: Settings, lock: Option<File>) -> Result<Self, Error> {
        let is_writer = lock.is_some();
        let samples = Table::open(folder, is_writer).await?;
        let zone_changes = Table::open(folder, is_writer).await?;
        Ok(Self(Arc::new(Inner {
            folder: folder.to_owned(),
            samples,
            zone_changes,
            settings,
            passive: tokio::sync::OnceCell::new(),
            observing: tokio::sync::Mutex::default(),
            _lock: lock,
        })))
    }

    /// Keeps samples; they survive a crash when this returns. Times are cut to the microsecond.
    pub async fn append_samples(&self, samples: &[Sample]) -> Result<(), Error> {
        let waiting = self.0.samples.append(Batch::Rows(samples.to_vec())).await?;
        self.flush_if_many(&self.0.samples, waiting).await;
        Ok(())
    }

    /// Takes in the samples of a sealed part, once: whether they are new. A part that was taken before stays as it is,
    /// also after a crash at any moment; so whoever does not know whether a part came through may hand it over again.
    /// Known are the parts that were taken within [`PART_MEMORY`] before the last vacuum.
    pub async fn take_part(&self, part: PartId, samples: Vec<Sample>, now: Timestamp) -> Result<bool, Error> {
        let batch = Batch::Part(part, row::day_of(now), samples);
        let waiting = self.0.samples.append(batch).await?;
        if let Some(waiting) = waiting {
            self.flush_if_many(&self.0.samples, Some(waiting)).await;
        }
        Ok(waiting.is_some())
    }

    /// Whether a part was taken.
    pub fn knows_part(&self, part: &PartId) -> bool {
        table::lock(&self.0.samples.ledger).contains(part)
    }

    /// Takes in what a sensor observed, as a sealed part of it says, under the word of its source, once: whether it is new. Known
    /// are parts for [`passive::RECEIPT_MEMORY`]. `Error::Busy` while somebody else has passive DNS open for writing: hand it over
    /// again later.
    pub async fn take_observed(
        &self,
        part: PartId,
        source: passive::Source,
        observed: passive::Brought,
        now: Timestamp,
    ) -> Result<bool, Error> {
        // one after the other: who comes second would find it busy
        let _turn = self.0.observing.lock().await;
        passive::take_in(&self.0.folder, &format!("part/{part}"), &source, observed, now).await
    }

    /// Puts a refused part aside, with the reason, and gives the file's path.
    pub async fn set_aside(&self, probe: &str, part: PartId, octets: &[u8], reason: &str) -> Result<PathBuf, Error> {
        let (probe, octets, reason) = (probe.to_owned(), octets.to_vec(), reason.to_owned());
        let folder = self.0.folder.join("quarantine");
        error::blocking(move || part::quarantine::set_aside(&folder, &probe, &part, &octets, &reason)).await
    }

    /// Keeps zone changes; they survive a crash when this returns. The same change twice is read once, so a caller who
    /// does not know whether it came through may send it again.
    pub async fn append_zone_changes(&self, changes: &[ZoneChange]) -> Result<(), Error> {
        let waiting = self.0.zone_changes.append(Batch::Rows(changes.to_vec())).await?;
        self.flush_if_many(&self.0.zone_changes, waiting).await;
        Ok(())
    }

    /// The rows are durable already: that they wait longer is no failure of the append.
    async fn flush_if_many<R: row::Row>(&self, table: &Table<R>, waiting: Option<usize>) {
        if let Some(waiting) = waiting
            && waiting >= self.0.settings.flush_rows
            && let Err(error) = table.flush().await
        {
            tracing::warn!(
                table = R::TABLE,
                waiting,
                error = &error as &dyn std::error::Error,
                "rows keep waiting"
            );
        }
    }

    /// Brings what waits in the journal into the tables, where other processes see it. When it fails the rows keep
    /// waiting; flush again later.
    pub async fn flush(&self) -> Result<(), Error> {
        self.0.samples.flush().await?;
        self.0.zone_changes.flush().await
    }

    /// Samples of a zone from `from` up to but not including `to`, oldest first.
    pub async fn samples(&self, zone: &Name, from: Timestamp, to: Timestamp) -> Result<Vec<Sample>, Error> {
        self.0.samples.rows(filter(Some(zone), from, to)).await
    }

    /// Of the newest day that has samples of the zone: the newest of each probe, server, transport and question;
    /// oldest first.
    pub async fn latest(&self, zone: &Name) -> Result<Vec<Sample>, Error> {
        self.0.samples.refresh().await?;
        let ever = filter(Some(zone), Timestamp::MIN, Timestamp::MAX);
        for day in self.0.samples.days(&ever).into_iter().rev() {
            let (from, to) = span(day, day);
            let mut samples = self.samples(zone, from, to).await?;
            if !samples.is_empty() {
                let mut seen = HashSet::new();
                samples.reverse();
                samples.retain(|sample| {
                    let question = (sample.transport, sample.qname.clone(), sample.qtype);
                    seen.insert((sample.probe.clone(), sample.server.clone(), sample.address, question))
                });
                samples.reverse();
                return Ok(samples);
            }
        }
        Ok(Vec::new())
    }

    /// The passive DNS of this lake, for reading, with what came in until now; `None` while nobody has opened it for writing.
    pub async fn passive(&self) -> Result<Option<Passive>, Error> {
        if !self.0.folder.join("name/_delta_log").is_dir() {
            return Ok(None);
        }
        if let Some(passive) = self.0.passive.get() {
            passive.refresh().await?;
            return Ok(Some(passive.clone()));
        }
        let open = || Passive::open_read_only(&self.0.folder);
        self.0.passive.get_or_try_init(open).await.cloned().map(Some)
    }

    /// The days of a zone that have samples, from the day `from` to the day `to`, both included, in UTC.
    pub async fn daily(&self, zone: &Name, from: Date, to: Date) -> Result<Vec<Day>, Error> {
        let (from, to) = span(from, to);
        let filter = filter(Some(zone), from, to);
        let days = self
            .0
            .samples
            .scan(filter, Some(summary::DAY_COLUMNS), BTreeMap::new(), summary::tally_days)
            .await?;
        Ok(days.into_iter().map(|(day, tally)| tally.summary(day)).collect())
    }

    /// What each vantage point saw of a zone from `from` up to but not including `to`, in the order of their names. The
    /// centre's own rounds are one of them.
    pub async fn by_vantage_point(&self, zone: &Name, from: Timestamp, to: Timestamp) -> Result<Vec<SeenFrom>, Error> {
        let filter = filter(Some(zone), from, to);
        let probes = self
            .0
            .samples
            .scan(
                filter,
                Some(summary::PROBE_COLUMNS),
                BTreeMap::new(),
                summary::tally_probes,
            )
            .await?;
        Ok(probes.into_iter().map(|(probe, tally)| tally.seen(probe)).collect())
    }

    /// Response times of a zone's servers in steps of time counted from `from`, up to but not including `to`; steps
    /// without samples are left out.
    pub async fn rtt_series(
        &self,
        zone: &Name,
        from: Timestamp,
        to: Timestamp,
        step: SignedDuration,
    ) -> Result<Vec<RttPoint>, Error> {
        let (start, step) = (from.as_microsecond(), summary::step_us(step));
        let take = move |tally: &mut summary::RttTally, batch: &_| summary::tally_rtts(tally, start, step, batch);
        let filter = filter(Some(zone), from, to);
        let tally = self
            .0
            .samples
            .scan(filter, Some(summary::RTT_COLUMNS), summary::RttTally::new(), take)
            .await?;
        Ok(summary::points(tally))
    }

    /// The SOA serials that a zone's servers had from `from` up to but not including `to`, in runs, by first sight.
    pub async fn serial_runs(&self, zone: &Name, from: Timestamp, to: Timestamp) -> Result<Vec<SerialRun>, Error> {
        let filter = filter(Some(zone), from, to);
        let columns = Some(summary::SERIAL_COLUMNS);
        let zone = zone.to_string();
        let take = move |tally: &mut summary::SerialTally, batch: &_| summary::tally_serials(tally, &zone, batch);
        let tally = self
            .0
            .samples
            .scan(filter, columns, summary::SerialTally::new(), take)
            .await?;
        Ok(summary::serial_runs(tally))
    }

    /// How long the signatures in a zone's answers still held, in steps of time counted from `from`, up to but not including
    /// `to`; steps without signatures are left out.
    pub async fn signature_lives(
        &self,
        zone: &Name,
        from: Timestamp,
        to: Timestamp,
        step: SignedDuration,
    ) -> Result<Vec<SignatureLife>, Error> {
        let (start, step) = (from.as_microsecond(), summary::step_us(step));
        let take =
            move |tally: &mut summary::SignatureTally, batch: &_| summary::tally_signatures(tally, start, step, batch);
        let filter = filter(Some(zone), from, to);
        let columns = Some(summary::SIGNATURE_COLUMNS);
        let tally = self
            .0
            .samples
            .scan(filter, columns, summary::SignatureTally::new(), take)
            .await?;
        Ok(summary::signature_lives(tally))
    }

    /// Changes of a zone, or of all, from `from` up to but not including `to`, oldest first, each once.
    pub async fn zone_changes(
        &self,
        zone: Option<&Name>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<ZoneChange>, Error> {
        let mut changes = self.0.zone_changes.rows(filter(zone, from, to)).await?;
        let key = |change: &ZoneChange| (change.time, change.zone.clone(), change.part);
        changes.sort_by(|a, b| {
            (key(a), &a.before, &a.after, a.announced).cmp(&(key(b), &b.before, &b.after, b.announced))
        });
        changes.dedup();
        Ok(changes)
    }

    /// Merges the small files of each day. Reads and appends go on meanwhile, flushes wait. Do it every hour or so.
    pub async fn compact(&self) -> Result<Compaction, Error> {
        let (samples, changes) = (self.0.samples.compact().await?, self.0.zone_changes.compact().await?);
        Ok(Compaction {
            files_before: samples.files_before + changes.files_before,
            files_after: samples.files_after + changes.files_after,
        })
    }

    /// Takes out samples and changes that may not be kept any longer, by whole days, and returns how many rows went. Their octets leave
    /// the disk with the [vacuum](Lake::vacuum) that comes a while after. Rules for one owner do not fit: nobody but the centre owns them.
    pub async fn expire(&self, retention: &Retention, now: Timestamp) -> Result<u64, Error> {
        let first_kept = |table: &str| {
            let keep = retention.of(table, None)?;
            now.saturating_sub(keep).ok().map(row::day_of)
        };
        let mut gone = 0;
        if let Some(day) = first_kept(Sample::TABLE) {
            gone += self.0.samples.expire(day).await?;
        }
        if let Some(day) = first_kept(ZoneChange::TABLE) {
            gone += self.0.zone_changes.expire(day).await?;
        }
        Ok(gone)
    }

    /// Deletes files that the tables have not had for longer than `retention` before `now`, and returns how many. A
    /// read that began longer ago than `retention` may fail; a week is usual. Forgets the parts that were taken longer ago
    /// than [`PART_MEMORY`].
    pub async fn vacuum(&self, now: Timestamp, retention: SignedDuration) -> Result<usize, Error> {
        let memory = now.saturating_sub(PART_MEMORY).unwrap_or(Timestamp::MIN);
        let ledger = self.0.samples.ledger.clone();
        error::blocking(move || table::lock(&ledger).forget_before(row::day_of(memory))).await?;
        Ok(self.0.samples.vacuum(now, retention).await? + self.0.zone_changes.vacuum(now, retention).await?)
    }

    /// The files that reads and compactions have had to leave out since the lake was opened.
    pub fn damaged(&self) -> Vec<Damage> {
        self.0
            .samples
            .damaged()
            .into_iter()
            .chain(self.0.zone_changes.damaged())
            .collect()
    }

    /// Sizes of the tables.
    pub async fn statistics(&self) -> Result<Vec<TableStatistics>, Error> {
        Ok(vec![
            self.0.samples.statistics().await?,
            self.0.zone_changes.statistics().await?,
        ])
    }
}

/// From the start of one day to the end of another, in UTC; cut to what a timestamp can say.
fn span(from: Date, to: Date) -> (Timestamp, Timestamp) {
    let start = |day: Date| day.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    let end = to.checked_add(1.day()).and_then(start).unwrap_or(Timestamp::MAX);
    (start(from).unwrap_or(Timestamp::MIN), end)
}

/// Keeps zone changes in a lake that a centre may have open for writing: they are in its table when this returns. A receipt counts once,
/// for as long as Delta's log knows it: whether it was new.
pub async fn add_zone_changes(folder: &Path, receipt: &str, changes: Vec<ZoneChange>) -> Result<bool, Error> {
    Table::<ZoneChange>::add_beside(folder, receipt, changes).await
}

/// Locks a file of the lake's folder, for as long as the file is open.
fn lock(folder: &Path, name: &str) -> Result<File, Error> {
    journal::create_folder(folder)?;
    let path = folder.join(name);
    let failed = |source| Error::File {
        attempt: "open",
        path: path.clone(),
        source,
    };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Busy {
            folder: folder.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}
