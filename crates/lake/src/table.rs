//! One table: its log, its journal, and the rows on their way from one to the other.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use arrow::array::RecordBatch;
use deltalake_core::kernel::Transaction;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::data_file::{self, DataFile, Filter};
use crate::delta::Log;
use crate::error::{Error, blocking};
use crate::journal::{Journal, create_folder};
use crate::part::PartId;
use crate::part::ledger::{self, Ledger, Mark};
use crate::row::{Row, day_of};
use crate::{Damage, TableStatistics};

/// Rows of a table that the Delta log does not have yet.
struct Waiting<R> {
    /// Rows of the current journal file.
    open: Vec<R>,
    /// Rows of journal files that a flush has ended, with the number of the last of them.
    sealed: Option<(i64, Arc<Vec<R>>)>,
}

/// What a read sees: files and waiting rows of one moment, so no row is missed or seen twice.
struct View<R> {
    files: Arc<Vec<DataFile>>,
    waiting: Waiting<R>,
}

pub(crate) struct Table<R: Row> {
    pub(crate) folder: PathBuf,
    journal_folder: PathBuf,
    /// Held while the table changes: by a flush, a compaction, a vacuum, a refresh.
    pub(crate) log: tokio::sync::Mutex<Log<R>>,
    /// `None` when open for reading only.
    journal: Option<Arc<Mutex<Journal>>>,
    view: Arc<Mutex<View<R>>>,
    damaged: Arc<Mutex<BTreeMap<PathBuf, String>>>,
    /// The parts that were taken. Changes only under the journal's lock.
    pub(crate) ledger: Arc<Mutex<Ledger>>,
}

/// Rows on their way into a table.
pub(crate) enum Batch<R> {
    /// Rows of our own.
    Rows(Vec<R>),
    /// The rows of a sealed part, taken on a day.
    Part(PartId, Date, Vec<R>),
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // what these locks hold is whole between any two statements, so a panic of a holder leaves nothing half done
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl<R: Row> Table<R> {
    pub async fn open(lake: &Path, is_writer: bool) -> Result<Self, Error> {
        let folder = lake.join(R::TABLE);
        let journal_folder = lake.join("journal");
        let log = Log::open(&folder, is_writer).await?;
        let mut damaged = BTreeMap::new();
        let mut waiting = Waiting {
            open: Vec::new(),
            sealed: None,
        };
        let mut journal = None;
        let mut ledger = Ledger::default();
        if is_writer {
            let committed = log.journal_number().await?;
            let folder = journal_folder.clone();
            let (opened, replayed) = blocking(move || Journal::open::<R>(&folder, committed)).await?;
            if !replayed.rows.is_empty() {
                tracing::info!(
                    table = R::TABLE,
                    rows = replayed.rows.len(),
                    "took rows from the journal"
                );
            }
            damaged.extend(replayed.damaged);
            waiting.open = replayed.rows;
            journal = Some(Arc::new(Mutex::new(opened)));
            if R::HAS_PARTS {
                let folder = lake.join("parts");
                ledger = blocking(move || Ledger::open(&folder, replayed.marks)).await?;
            }
        }
        let view = View {
            files: Arc::new(log.files()),
            waiting,
        };
        Ok(Self {
            folder,
            journal_folder,
            log: tokio::sync::Mutex::new(log),
            journal,
            view: Arc::new(Mutex::new(view)),
            damaged: Arc::new(Mutex::new(damaged)),
            ledger: Arc::new(Mutex::new(ledger)),
        })
    }

    fn journal(&self) -> Result<&Arc<Mutex<Journal>>, Error> {
        self.journal.as_ref().ok_or_else(|| Error::ReadOnly {
            folder: self.folder.clone(),
        })
    }

    /// Keeps the rows durably. Returns how many wait for a flush now; `None` when they are a part that was taken before.
    pub async fn append(&self, batch: Batch<R>) -> Result<Option<usize>, Error> {
        let journal = self.journal()?.clone();
        let kept = |row: R| {
            let time = row.time();
            row.kept().ok_or(Error::OutOfRange { time })
        };
        let (part, rows) = match batch {
            Batch::Rows(rows) => (None, rows),
            Batch::Part(part, day, rows) => (Some((part, day)), rows),
        };
        let rows: Vec<R> = rows.into_iter().map(kept).collect::<Result<_, _>>()?;
        let mark = part.map(|(part, day)| Mark {
            part,
            rows: rows.len(),
            day,
        });
        let (view, ledger) = (self.view.clone(), self.ledger.clone());
        blocking(move || {
            let mut journal = lock(&journal);
            if mark.is_some_and(|mark| lock(&ledger).contains(&mark.part)) {
                return Ok(None);
            }
            if !rows.is_empty() {
                journal.append(mark.as_ref(), &rows)?;
            }
            if let Some(mark) = mark {
                lock(&ledger).note(mark);
            }
            // still under the journal's lock: a flush ends journal and waiting rows at the same place
            let mut view = lock(&view);
            view.waiting.open.extend(rows);
            Ok(Some(view.waiting.open.len()))
        })
        .await
    }

    /// Brings all waiting rows into the table, in one commit. When it fails they keep waiting.
    pub async fn flush(&self) -> Result<(), Error> {
        let journal = self.journal()?.clone();
        let mut log = self.log.lock().await;
        // an earlier flush may have failed, or been dropped, after its commit
        let earlier = lock(&self.view).waiting.sealed.as_ref().map(|(number, _)| *number);
        if let Some(number) = earlier {
            log.refresh().await?;
            if log.journal_number().await? >= number {
                self.finish_flush(&log, number).await?;
            }
        }
        let (view, ledger) = (self.view.clone(), self.ledger.clone());
        let sealed = blocking(move || {
            let mut journal = lock(&journal);
            // before the commit that lets the journal go: afterwards nothing else would know these parts
            let marks = lock(&ledger).take_pending();
            let folder = lock(&ledger).folder();
            if let Err(error) = ledger::keep(&folder, &marks) {
                lock(&ledger).give_back(marks);
                return Err(error);
            }
            let mut view = lock(&view);
            if !view.waiting.open.is_empty() {
                let number = journal.seal()?;
                let mut rows = std::mem::take(&mut view.waiting.open);
                if let Some((_, earlier)) = view.waiting.sealed.take() {
                    rows.splice(0..0, earlier.iter().cloned());
                }
                view.waiting.sealed = Some((number, Arc::new(rows)));
            }
            Ok(view.waiting.sealed.clone())
        })
        .await?;
        let Some((number, rows)) = sealed else { return Ok(()) };
        let folder = self.folder.clone();
        let files = blocking(move || write_by_day::<R>(&folder, &rows)).await?;
        log.append(&self.folder, &files, vec![Log::<R>::journal_note(number)])
            .await?;
        self.finish_flush(&log, number).await
    }

    async fn finish_flush(&self, log: &Log<R>, number: i64) -> Result<(), Error> {
        let files = Arc::new(log.files());
        {
            let mut view = lock(&self.view);
            view.files = files;
            view.waiting.sealed = None;
        }
        let folder = self.journal_folder.clone();
        blocking(move || Journal::remove_up_to(&folder, R::TABLE, number)).await
    }

    /// Shows reads the files that the log has now.
    pub fn show(&self, log: &Log<R>) {
        lock(&self.view).files = Arc::new(log.files());
    }

    /// Takes in what others committed, when there may be such.
    pub async fn refresh(&self) -> Result<(), Error> {
        let mut log = match (&self.journal, R::IS_SHARED) {
            (None, _) => self.log.lock().await,
            // the writer's own flush or merge takes it in as well, and no read waits for those
            (Some(_), true) => match self.log.try_lock() {
                Ok(log) => log,
                Err(_) => return Ok(()),
            },
            (Some(_), false) => return Ok(()),
        };
        if log.refresh().await? {
            self.show(&log);
        }
        Ok(())
    }

    /// Adds rows beside the one who has the lake open for writing, past its journal, in one commit; whether this receipt is new.
    pub async fn add_beside(lake: &Path, receipt: &str, rows: Vec<R>) -> Result<bool, Error> {
        let folder = lake.join(R::TABLE);
        let mut log = Log::<R>::open(&folder, true).await?;
        if log.transaction(receipt).await?.is_some() {
            return Ok(false);
        }
        let kept = |row: R| {
            let time = row.time();
            row.kept().ok_or(Error::OutOfRange { time })
        };
        let rows: Vec<R> = rows.into_iter().map(kept).collect::<Result<_, _>>()?;
        let into = folder.clone();
        let files = blocking(move || write_by_day::<R>(&into, &rows)).await?;
        log.append(&folder, &files, vec![Transaction::new(receipt, 0)]).await?;
        Ok(true)
    }

    /// The days on which there may be rows of the filter, in order.
    pub fn days(&self, filter: &Filter) -> Vec<Date> {
        let view = lock(&self.view);
        let in_files = view
            .files
            .iter()
            .filter(|file| filter.touches_file(file))
            .map(|file| file.day);
        let sealed = view.waiting.sealed.iter().flat_map(|(_, rows)| rows.iter());
        let waiting = view.waiting.open.iter().chain(sealed).filter(|row| filter.takes(*row));
        let days: std::collections::BTreeSet<Date> = in_files.chain(waiting.map(|row| day_of(row.time()))).collect();
        days.into_iter().collect()
    }

    /// Gives each matching row's columns to `take`, batch by batch, in no order. Files that cannot be read are left
    /// out and noted as damaged.
    pub async fn scan<A: Send + 'static>(
        &self,
        filter: Filter,
        columns: Option<&'static [&'static str]>,
        start: A,
        take: impl Fn(&mut A, &RecordBatch) -> Result<(), String> + Send + 'static,
    ) -> Result<A, Error> {
        self.refresh().await?;
        let (files, waiting) = {
            let view = lock(&self.view);
            let sealed = view.waiting.sealed.iter().flat_map(|(_, rows)| rows.iter());
            let waiting: Vec<R> = sealed
                .chain(&view.waiting.open)
                .filter(|row| filter.takes(*row))
                .cloned()
                .collect();
            (view.files.clone(), waiting)
        };
        let folder = self.folder.clone();
        let damaged = self.damaged.clone();
        blocking(move || {
            let mut gathered = start;
            for file in files.iter().filter(|file| filter.touches_file(file)) {
                let path = folder.join(&file.path);
                let mut batches = Vec::new();
                let mut keep = |batch: &RecordBatch| -> Result<(), String> {
                    batches.push(batch.clone());
                    Ok(())
                };
                // the decoder is not ours and its input is whatever the disk gives
                let read = catch_unwind(AssertUnwindSafe(|| {
                    data_file::read::<R>(&path, &filter, columns, &mut keep)
                }));
                let read = read.unwrap_or_else(|_| Err("the decoder broke on it".to_owned()));
                let taken = read.and_then(|()| batches.iter().try_for_each(|batch| take(&mut gathered, batch)));
                match taken {
                    Ok(()) => forget(&damaged, &path),
                    Err(reason) => note(&damaged, path, reason),
                }
            }
            if !waiting.is_empty()
                && let Err(reason) = take(&mut gathered, &R::to_batch(&waiting))
            {
                tracing::error!(table = R::TABLE, reason, "rows that wait for a flush cannot be read");
            }
            Ok(gathered)
        })
        .await
    }

    /// The matching rows, sorted by time, then as the table is.
    pub async fn rows(&self, filter: Filter) -> Result<Vec<R>, Error> {
        let take = |rows: &mut Vec<R>, batch: &RecordBatch| -> Result<(), String> {
            rows.extend(R::from_batch(batch)?);
            Ok(())
        };
        let mut rows = self.scan(filter, None, Vec::new(), take).await?;
        rows.sort_by_key(Row::time);
        Ok(rows)
    }

    pub fn note_damage(&self, path: PathBuf, reason: String) {
        note(&self.damaged, path, reason);
    }

    pub fn damaged(&self) -> Vec<Damage> {
        lock(&self.damaged)
            .iter()
            .map(|(file, reason)| Damage {
                file: file.clone(),
                reason: reason.clone(),
            })
            .collect()
    }

    pub async fn statistics(&self) -> Result<TableStatistics, Error> {
        self.refresh().await?;
        let version = self.log.lock().await.state.version();
        let view = lock(&self.view);
        let sealed = view.waiting.sealed.as_ref().map_or(0, |(_, rows)| rows.len());
        Ok(TableStatistics {
            table: R::TABLE,
            version,
            files: view.files.len(),
            rows: view.files.iter().map(|file| file.rows).sum(),
            bytes: view.files.iter().map(|file| file.bytes).sum(),
            waiting: view.waiting.open.len() + sealed,
        })
    }
}

fn note(damaged: &Mutex<BTreeMap<PathBuf, String>>, path: PathBuf, reason: String) {
    if lock(damaged).insert(path.clone(), reason.clone()).is_none() {
        tracing::error!(file = %path.display(), reason, "a file of the lake cannot be read; its rows are left out");
    }
}

/// What was unreadable once may have been so for a passing reason.
fn forget(damaged: &Mutex<BTreeMap<PathBuf, String>>, path: &Path) {
    lock(damaged).remove(path);
}

fn write_by_day<R: Row>(folder: &Path, rows: &[R]) -> Result<Vec<DataFile>, Error> {
    create_folder(folder)?;
    let mut days: BTreeMap<Date, Vec<R>> = BTreeMap::new();
    for row in rows {
        days.entry(day_of(row.time())).or_default().push(row.clone());
    }
    days.into_iter()
        .map(|(day, rows)| data_file::write::<R>(folder, day, &[R::to_batch(&rows)]))
        .collect()
}

/// The filter for one zone or all and the times from `from` up to but not including `to`.
pub(crate) fn filter(zone: Option<&model::Name>, from: Timestamp, to: Timestamp) -> Filter {
    // rows have whole microseconds: what begins within one begins with the next
    let ceil = |time: Timestamp| {
        let micro = time.as_microsecond();
        let is_whole = Timestamp::from_microsecond(micro).is_ok_and(|whole| whole >= time);
        if is_whole { micro } else { micro.saturating_add(1) }
    };
    Filter {
        zone: zone.map(model::Name::to_string),
        from: ceil(from),
        to: ceil(to),
    }
}
