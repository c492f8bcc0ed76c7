//! Passive DNS: which RRsets were seen, from when to when, how often, and who saw them; by owner name and by value.
//!
//! Three Delta tables hold it. `rrset` stands in the order of owner names from the root down, `rdata` in that of what records
//! say, and `name`, which is small, holds all names as they are read: by it a name is found under any ending (`www.example.*`).
//! Each receipt becomes a small sorted file, a *run*, in each table; merges make large runs of small ones while readers read, and
//! add up what was seen again. A look-up binary-searches the indexes of a dozen runs at most and decodes a page of each.
//!
//! A receipt counts once. Its files come into `name` and `rdata` first and into `rrset` last, and the commit to `rrset` holds the
//! receipt's id: with that commit the receipt is in. Whoever reads leaves out runs of a receipt that `rrset` does not have, so a
//! crash between the commits leaves nothing to see; the next writer takes them out.

mod cache;
pub mod cof;
pub mod key;
mod lookup;
mod merge;
pub(crate) mod open_run;
mod query;
pub(crate) mod rows;
pub(crate) mod run;
pub(crate) mod source;
mod value;

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use deltalake_core::kernel::Transaction;
use jiff::{SignedDuration, Timestamp};
use model::PassiveRrset;

pub use lookup::{End, Seen, SeenRecord, SeenRrset, Summary, summarize};
pub use open_run::Touched;
pub use query::{Fences, NamePattern, Pattern, Query, ValuePattern};
pub use rows::{parted, rtype};
pub use run::Level;
pub use source::{Scope, Source};
pub use value::values;

use cache::Cache;
use lookup::{Answer, Lookup};
use open_run::OpenRun;
use rows::{NameRow, RdataRow, RrsetRow, Sorted, Wanted};
use run::{Run, Writer};

use crate::delta::Log;
use crate::error::{Error, blocking};
use crate::table::lock;
use crate::{Compaction, Damage, TableStatistics, upkeep};

/// How long a receipt is known: what comes again later is counted again.
pub const RECEIPT_MEMORY: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Properties of the tables: [`RECEIPT_MEMORY`] for the ids in their logs.
const PROPERTIES: &[(&str, &str)] = &[("delta.setTransactionRetentionDuration", "interval 90 days")];

/// Octets of decoded pages that are kept in memory. A page of all columns takes some 100 KB: this holds those of some 1,000
/// look-ups. More makes repeated look-ups faster, less is enough for rare ones.
const CACHE_BYTES: usize = 128 << 20;

/// The id of a receipt as the log of `rrset` has it.
fn mark_of(receipt: &str) -> String {
    format!("dnscert-receipt/{receipt}")
}

/// Passive DNS of a lake. Clones share it.
#[derive(Clone)]
pub struct Passive(Arc<Inner>);

struct Inner {
    /// `None` when open for reading only: locked as long as it is open for writing.
    lock: Option<File>,
    /// Held while the tables change.
    logs: tokio::sync::Mutex<Logs>,
    /// Held by a merge from beginning to end, while receipts come in.
    merging: tokio::sync::Mutex<()>,
    view: Mutex<View>,
    shared: Arc<Shared>,
}

struct Logs {
    rrset: Log<RrsetRow>,
    rdata: Log<RdataRow>,
    name: Log<NameRow>,
}

/// What look-ups share.
struct Shared {
    folder: PathBuf,
    cache: Cache,
    damaged: Mutex<BTreeMap<PathBuf, String>>,
}

impl Shared {
    /// A file below the lake's folder cannot be read.
    fn note(&self, path: &Path, reason: String) {
        let path = self.folder.join(path);
        if lock(&self.damaged).insert(path.clone(), reason.clone()).is_none() {
            tracing::error!(file = %path.display(), reason, "a file of passive DNS cannot be read; its rows are left out");
        }
    }
}

type Runs<S> = Arc<Vec<Arc<OpenRun<S>>>>;

/// The tables at one moment.
#[derive(Clone, Default)]
struct View {
    rrset: Runs<RrsetRow>,
    rdata: Runs<RdataRow>,
    name: Runs<NameRow>,
    sources: Arc<BTreeMap<String, Source>>,
}

/// Answers, one after the other, from the tables as they were when the question was asked. They read files: iterate where that
/// may block.
pub struct Answers<T>(Box<dyn AnswersOf<T>>);

trait AnswersOf<T>: Iterator<Item = T> + Send {
    fn end(&self) -> Option<End>;
}

impl<S: Answer> AnswersOf<S::Seen> for Lookup<S> {
    fn end(&self) -> Option<End> {
        Lookup::end(self)
    }
}

impl<T> Answers<T> {
    /// Why there are no more answers; `None` while there may be.
    pub fn end(&self) -> Option<End> {
        self.0.end()
    }
}

impl<T> Iterator for Answers<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.next()
    }
}

impl Passive {
    /// Opens the passive DNS of a lake for writing and reading, making it where it is missing, and takes out what a crash left
    /// of a receipt. `Error::Busy` while another process has it open for writing.
    pub async fn open(lake: &Path) -> Result<Self, Error> {
        let folder = lake.to_owned();
        let lock = blocking(move || crate::lock(&folder, "passive.lock")).await?;
        Self::open_tables(lake, Some(lock)).await
    }

    /// Opens it for reading, beside its writer and other readers. It sees what was in when it was opened or refreshed.
    pub async fn open_read_only(lake: &Path) -> Result<Self, Error> {
        Self::open_tables(lake, None).await
    }

    async fn open_tables(lake: &Path, lock: Option<File>) -> Result<Self, Error> {
        let is_writer = lock.is_some();
        // `rrset` first: what it has, the others have had before
        let logs = Logs {
            rrset: Log::open(&lake.join("rrset"), is_writer).await?,
            rdata: Log::open(&lake.join("rdata"), is_writer).await?,
            name: Log::open(&lake.join("name"), is_writer).await?,
        };
        let passive = Self(Arc::new(Inner {
            lock,
            logs: tokio::sync::Mutex::new(logs),
            merging: tokio::sync::Mutex::default(),
            view: Mutex::default(),
            shared: Arc::new(Shared {
                folder: lake.to_owned(),
                cache: Cache::new(CACHE_BYTES),
                damaged: Mutex::default(),
            }),
        }));
        let mut logs = passive.0.logs.lock().await;
        if is_writer {
            passive.take_out_half_receipts(&mut logs).await?;
        }
        passive.show(&logs).await?;
        drop(logs);
        Ok(passive)
    }

    fn folder(&self, table: &str) -> PathBuf {
        self.0.shared.folder.join(table)
    }

    fn check_writer(&self) -> Result<(), Error> {
        let refused = || Error::ReadOnly {
            folder: self.0.shared.folder.clone(),
        };
        self.0.lock.as_ref().map(|_| ()).ok_or_else(refused)
    }

    /// Takes out of `rdata` and `name` the run of a receipt that did not come into `rrset`.
    async fn take_out_half_receipts(&self, logs: &mut Logs) -> Result<(), Error> {
        let known = logs.receipts();
        let half = |runs: Vec<Run>| -> Vec<String> {
            runs.into_iter()
                .filter(|run| run.is_half(known))
                .map(|run| run.path)
                .collect()
        };
        let (of_rdata, of_name) = (half(logs.rdata.files()), half(logs.name.files()));
        if !of_rdata.is_empty() {
            tracing::info!(receipt = known + 1, "a receipt that a crash cut off is taken out");
            logs.rdata.replace(&self.folder("rdata"), &of_rdata, None).await?;
        }
        if !of_name.is_empty() {
            logs.name.replace(&self.folder("name"), &of_name, None).await?;
        }
        Ok(())
    }

    /// Shows look-ups what the logs have now.
    async fn show(&self, logs: &Logs) -> Result<(), Error> {
        let known = logs.receipts();
        let (rrset, rdata, name) = (logs.rrset.files(), logs.rdata.files(), logs.name.files());
        let (shared, before) = (self.0.shared.clone(), lock(&self.0.view).clone());
        let view = blocking(move || {
            Ok(View {
                rrset: open_runs(&shared, &before.rrset, rrset, known),
                rdata: open_runs(&shared, &before.rdata, rdata, known),
                name: open_runs(&shared, &before.name, name, known),
                sources: Arc::new(source::read(&shared.folder)?),
            })
        })
        .await?;
        *lock(&self.0.view) = view;
        Ok(())
    }

    /// Takes in what the writer committed, when this is a reader.
    pub async fn refresh(&self) -> Result<(), Error> {
        if self.0.lock.is_none() {
            let mut logs = self.0.logs.lock().await;
            let rrset = logs.rrset.refresh().await?;
            let rdata = logs.rdata.refresh().await?;
            if logs.name.refresh().await? || rrset || rdata {
                self.show(&logs).await?;
            } else {
                let shared = self.0.shared.clone();
                let sources = blocking(move || source::read(&shared.folder)).await?;
                lock(&self.0.view).sources = Arc::new(sources);
            }
        }
        Ok(())
    }

    /// Who gives passive DNS, in the order of their words.
    pub fn sources(&self) -> Vec<Source> {
        lock(&self.0.view).sources.values().cloned().collect()
    }

    /// Registers a source, or says anew what may be done with it.
    pub async fn set_source(&self, source: Source) -> Result<(), Error> {
        self.check_writer()?;
        if !source::is_id(&source.id) {
            return Err(Error::Word {
                what: "the word of a source",
                text: source.id,
            });
        }
        let _logs = self.0.logs.lock().await;
        let mut sources = lock(&self.0.view).sources.as_ref().clone();
        sources.insert(source.id.clone(), source);
        let folder = self.0.shared.folder.clone();
        let sources = blocking(move || source::write(&folder, &sources).map(|()| sources)).await?;
        lock(&self.0.view).sources = Arc::new(sources);
        Ok(())
    }

    /// Takes in what a registered source saw, once for each id of a receipt (1 to 200 characters): whether it is new. A receipt
    /// that is in stays as it is, also after a crash at any moment; so whoever does not know whether it came through may hand it
    /// over again, within [`RECEIPT_MEMORY`] before `now`. All RRsets of a call are in memory at once: some 100,000 are a good
    /// size of a receipt.
    pub async fn append(
        &self,
        source: &str,
        receipt: &str,
        rrsets: Vec<PassiveRrset>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.check_writer()?;
        if !(1..=200).contains(&receipt.chars().count()) {
            return Err(Error::Word {
                what: "the id of a receipt",
                text: receipt.chars().take(200).collect(),
            });
        }
        if !lock(&self.0.view).sources.contains_key(source) {
            return Err(Error::Word {
                what: "a registered source",
                text: source.to_owned(),
            });
        }
        let mark = mark_of(receipt);
        let mut logs = self.0.logs.lock().await;
        if logs.rrset.transaction(&mark).await?.is_some() {
            return Ok(false);
        }
        // an earlier call may have failed, or been dropped, between its commits
        self.take_out_half_receipts(&mut logs).await?;
        let number = logs.receipts() + 1;
        let mark = Transaction::new_with_last_update(mark, number, Some(now.as_millisecond()));
        if rrsets.is_empty() {
            logs.rrset.append(&self.folder("rrset"), &[], vec![mark]).await?;
            return Ok(true);
        }
        let source: Arc<str> = Arc::from(source);
        let folder = self.0.shared.folder.clone();
        let (rrset, rdata, name) = blocking(move || {
            // one table after the other, so that the rows of one are in memory at a time
            let rrset = write(&folder, rows::rrset_rows(&source, &rrsets), number)?;
            let rdata = write(&folder, rows::rdata_rows(&source, &rrsets), number)?;
            Ok((rrset, rdata, write(&folder, rows::name_rows(&rrsets), number)?))
        })
        .await?;
        logs.name.append(&self.folder("name"), &[name], Vec::new()).await?;
        logs.rdata.append(&self.folder("rdata"), &[rdata], Vec::new()).await?;
        logs.rrset.append(&self.folder("rrset"), &[rrset], vec![mark]).await?;
        self.show(&logs).await?;
        Ok(true)
    }

    /// Whether a receipt is in.
    pub async fn knows_receipt(&self, receipt: &str) -> Result<bool, Error> {
        let mark = mark_of(receipt);
        let known = self.0.logs.lock().await.rrset.transaction(&mark).await?;
        Ok(known.is_some())
    }

    fn wanted<P>(view: &View, query: &Query<P>) -> Wanted {
        let allowed = || {
            let sources = view.sources.values().filter(|source| query.scope.allows(source));
            sources.map(|source| source.id.clone()).collect::<HashSet<_>>()
        };
        Wanted {
            rtypes: query
                .rtypes
                .as_ref()
                .map(|rtypes| rtypes.iter().map(|rtype| rtype.to_int()).collect()),
            sources: (query.scope != Scope::ALL).then(allowed),
        }
    }

    fn rrset_lookup(&self, query: &Query<NamePattern>) -> Lookup<RrsetRow> {
        let view = lock(&self.0.view).clone();
        let wanted = Self::wanted(&view, query);
        Lookup::new(self.0.shared.clone(), view.rrset, &view.name, query.clone(), wanted)
    }

    fn rdata_lookup(&self, query: &Query<ValuePattern>) -> Lookup<RdataRow> {
        let view = lock(&self.0.view).clone();
        let wanted = Self::wanted(&view, query);
        Lookup::new(self.0.shared.clone(), view.rdata, &view.name, query.clone(), wanted)
    }

    /// RRsets by owner name, in the order of names from the root down; what begins alike (`www.example.*`) in the order of names
    /// as they are read.
    pub fn rrsets(&self, query: &Query<NamePattern>) -> Answers<SeenRrset> {
        Answers(Box::new(self.rrset_lookup(query)))
    }

    /// Records by what they say, in the order of values.
    pub fn rdata(&self, query: &Query<ValuePattern>) -> Answers<SeenRecord> {
        Answers(Box::new(self.rdata_lookup(query)))
    }

    /// What `rrsets` would read at most of each run that it would look into.
    pub fn explain_rrsets(&self, query: &Query<NamePattern>) -> Vec<Touched> {
        self.rrset_lookup(query).explain()
    }

    /// What `rdata` would read at most of each run that it would look into.
    pub fn explain_rdata(&self, query: &Query<ValuePattern>) -> Vec<Touched> {
        self.rdata_lookup(query).explain()
    }

    /// Makes large runs of small ones until each table has a dozen at most. Look-ups and receipts go on meanwhile. Of what is merged,
    /// rows last seen before `keep_since` are left out.
    pub async fn merge(&self, keep_since: Option<Timestamp>) -> Result<Compaction, Error> {
        self.check_writer()?;
        let _merging = self.0.merging.lock().await;
        let count = |view: &View| view.rrset.len() + view.rdata.len() + view.name.len();
        let files_before = count(&lock(&self.0.view));
        let keep_since = keep_since.map_or(i64::MIN, Timestamp::as_second);
        while self
            .merge_once(|view| &view.rrset, |logs| &mut logs.rrset, keep_since)
            .await?
        {}
        while self
            .merge_once(|view| &view.rdata, |logs| &mut logs.rdata, keep_since)
            .await?
        {}
        while self
            .merge_once(|view| &view.name, |logs| &mut logs.name, keep_since)
            .await?
        {}
        Ok(Compaction {
            files_before,
            files_after: count(&lock(&self.0.view)),
        })
    }

    async fn merge_once<S: Sorted>(
        &self,
        runs: impl Fn(&View) -> &Runs<S>,
        log: impl Fn(&mut Logs) -> &mut Log<S>,
        keep_since: i64,
    ) -> Result<bool, Error> {
        let live = runs(&lock(&self.0.view)).clone();
        let damaged = lock(&self.0.shared.damaged).clone();
        let folder = self.folder(S::NAME);
        let sound = live
            .iter()
            .filter(|run| !damaged.contains_key(&folder.join(&run.run.path)));
        let sound: Vec<Arc<OpenRun<S>>> = sound.cloned().collect();
        let of_log: Vec<&Run> = sound.iter().map(|run| &run.run).collect();
        let Some((chosen, level)) = merge::plan(&of_log) else {
            return Ok(false);
        };
        let old: Vec<String> = chosen.iter().map(|run| run.path.clone()).collect();
        let inputs: Vec<_> = sound
            .iter()
            .filter(|run| old.contains(&run.run.path))
            .cloned()
            .collect();
        let table = folder.clone();
        let new = match blocking(move || merge::merge(&table, &inputs, level, keep_since)).await? {
            Ok(new) => new,
            Err((path, reason)) => {
                self.0.shared.note(&Path::new(S::NAME).join(path), reason);
                return Ok(true);
            }
        };
        let mut logs = self.0.logs.lock().await;
        log(&mut logs).replace(&folder, &old, Some(&new)).await?;
        self.show(&logs).await?;
        Ok(true)
    }

    /// Deletes files that the tables have not had for longer than `retention` before `now`, and returns how many. A reader that
    /// was refreshed longer ago than `retention` may leave rows out; a week is usual.
    pub async fn vacuum(&self, now: Timestamp, retention: SignedDuration) -> Result<usize, Error> {
        self.check_writer()?;
        let _merging = self.0.merging.lock().await;
        let mut logs = self.0.logs.lock().await;
        let rrset = upkeep::vacuum(&mut logs.rrset, &self.folder("rrset"), now, retention).await?;
        let rdata = upkeep::vacuum(&mut logs.rdata, &self.folder("rdata"), now, retention).await?;
        let name = upkeep::vacuum(&mut logs.name, &self.folder("name"), now, retention).await?;
        Ok(rrset + rdata + name)
    }

    /// The files that look-ups and merges have had to leave out since it was opened.
    pub fn damaged(&self) -> Vec<Damage> {
        let damaged = lock(&self.0.shared.damaged);
        let damage = |(file, reason): (&PathBuf, &String)| Damage {
            file: file.clone(),
            reason: reason.clone(),
        };
        damaged.iter().map(damage).collect()
    }

    /// Sizes of the tables: `rrset`, `rdata`, `name`.
    pub async fn statistics(&self) -> Vec<TableStatistics> {
        fn of<S: Sorted>(log: &Log<S>, runs: &Runs<S>) -> TableStatistics {
            TableStatistics {
                table: S::NAME,
                version: log.state.version(),
                files: runs.len(),
                rows: runs.iter().map(|run| run.run.rows).sum(),
                bytes: runs.iter().map(|run| run.run.bytes).sum(),
                waiting: 0,
            }
        }
        let logs = self.0.logs.lock().await;
        let view = lock(&self.0.view).clone();
        vec![
            of(&logs.rrset, &view.rrset),
            of(&logs.rdata, &view.rdata),
            of(&logs.name, &view.name),
        ]
    }
}

impl Logs {
    /// The number of the last receipt that is in.
    fn receipts(&self) -> i64 {
        self.rrset.files().iter().map(|run| run.receipt).max().unwrap_or(0)
    }
}

fn write<S: Sorted>(lake: &Path, rows: Vec<S>, receipt: i64) -> Result<Run, Error> {
    let mut writer = Writer::create(&lake.join(S::NAME), Level::Minute, receipt)?;
    rows.into_iter().try_for_each(|row| writer.push(row))?;
    writer.finish()
}

/// Opens those runs that are not open yet. One that cannot be read is noted and left out.
fn open_runs<S: Sorted>(shared: &Shared, before: &Runs<S>, runs: Vec<Run>, known: i64) -> Runs<S> {
    let mut open = Vec::with_capacity(runs.len());
    for run in runs.into_iter().filter(|run| !run.is_half(known)) {
        if let Some(same) = before.iter().find(|other| other.run.path == run.path) {
            open.push(same.clone());
            continue;
        }
        let path = Path::new(S::NAME).join(&run.path);
        match OpenRun::open(&shared.folder.join(S::NAME), run) {
            Ok(run) => open.push(Arc::new(run)),
            Err(reason) => shared.note(&path, reason),
        }
    }
    Arc::new(open)
}
