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
//!
//! What else a receipt brings stands beside it in tables of the same kind, under the same number: `evidence` (what servers said
//! and may not say), `traffic` (figures by minute, and by longer spans when they are old), `distinct_count` (how many clients and names, by the same),
//! `client` (who asked most, by the same), `malformed` (what could not be read) and `rssac002` (what operators publish of a day). None of it is passive DNS.

mod cache;
mod client;
pub mod cof;
mod distinct_count;
mod evidence;
mod intake;
mod key;
mod lookup;
mod malformed;
mod merge;
mod open_run;
mod query;
mod retention;
mod roll_up;
mod rows;
mod rssac002;
mod run;
mod slice;
mod source;
pub mod stored;
mod told;
mod traffic;
mod value;

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

pub use intake::{Brought, Intake, take_in};
pub use lookup::{End, Seen, SeenRecord, SeenRrset, Summary, summarize};
pub use open_run::Touched;
pub use query::{Fences, NamePattern, Pattern, Query, ValuePattern};
pub use retention::{Retention, Rule};
pub use roll_up::RollUp;
pub use run::Level;
pub use source::{Scope, Source};
pub use told::{AllTold, Told};
pub use value::values;

use cache::Cache;
use client::ClientRow;
use distinct_count::DistinctRow;
use evidence::EvidenceRow;
use lookup::{Answer, Lookup};
use malformed::MalformedRow;
use open_run::OpenRun;
use rows::{NameRow, RdataRow, RrsetRow, Sorted, Wanted};
use rssac002::FigureRow;
use run::Run;
use traffic::TrafficRow;

use crate::delta::{Log, Logged};
use crate::error::{Error, blocking};
use crate::row::arrow_schema;
use crate::table::lock;
use crate::{Compaction, Damage, TableFile, TableFiles, TableStatistics, upkeep};

/// How long a receipt is known: what comes again later is counted again.
pub const RECEIPT_MEMORY: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Properties of the tables: [`RECEIPT_MEMORY`] for the ids in their logs.
const PROPERTIES: &[(&str, &str)] = &[("delta.setTransactionRetentionDuration", "interval 90 days")];

/// Octets of decoded pages that are kept in memory. A page of all columns takes some 100 KB: this holds those of some 1,000
/// look-ups. More makes repeated look-ups faster, less is enough for rare ones.
const CACHE_BYTES: usize = 128 << 20;

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
    // a lake of before they came lacks them until it is opened for writing
    evidence: Option<Log<EvidenceRow>>,
    traffic: Option<Log<TrafficRow>>,
    distincts: Option<Log<DistinctRow>>,
    clients: Option<Log<ClientRow>>,
    malformed: Option<Log<MalformedRow>>,
    rssac002: Option<Log<FigureRow>>,
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
    evidence: Runs<EvidenceRow>,
    traffic: Runs<TrafficRow>,
    distincts: Runs<DistinctRow>,
    clients: Runs<ClientRow>,
    malformed: Runs<MalformedRow>,
    rssac002: Runs<FigureRow>,
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
        let logs = Logs::open(lake, is_writer).await?;
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

    /// Takes out of the other tables the runs of a receipt that did not come into `rrset`.
    async fn take_out_half_receipts(&self, logs: &mut Logs) -> Result<(), Error> {
        let known = logs.receipts().await?;
        take_out_half(Some(&mut logs.rdata), &self.folder("rdata"), known).await?;
        take_out_half(Some(&mut logs.name), &self.folder("name"), known).await?;
        take_out_half(logs.evidence.as_mut(), &self.folder("evidence"), known).await?;
        take_out_half(logs.traffic.as_mut(), &self.folder("traffic"), known).await?;
        take_out_half(logs.distincts.as_mut(), &self.folder("distinct_count"), known).await?;
        take_out_half(logs.clients.as_mut(), &self.folder("client"), known).await?;
        take_out_half(logs.malformed.as_mut(), &self.folder("malformed"), known).await?;
        take_out_half(logs.rssac002.as_mut(), &self.folder("rssac002"), known).await
    }

    /// Shows look-ups what the logs have now.
    async fn show(&self, logs: &Logs) -> Result<(), Error> {
        let known = logs.receipts().await?;
        let (rrset, rdata, name) = (logs.rrset.files(), logs.rdata.files(), logs.name.files());
        let (evidence, traffic) = (files_of(&logs.evidence), files_of(&logs.traffic));
        let (distincts, malformed) = (files_of(&logs.distincts), files_of(&logs.malformed));
        let (clients, rssac002) = (files_of(&logs.clients), files_of(&logs.rssac002));
        let (shared, before) = (self.0.shared.clone(), lock(&self.0.view).clone());
        let view = blocking(move || {
            Ok(View {
                rrset: open_runs(&shared, &before.rrset, rrset, known),
                rdata: open_runs(&shared, &before.rdata, rdata, known),
                name: open_runs(&shared, &before.name, name, known),
                evidence: open_runs(&shared, &before.evidence, evidence, known),
                traffic: open_runs(&shared, &before.traffic, traffic, known),
                distincts: open_runs(&shared, &before.distincts, distincts, known),
                clients: open_runs(&shared, &before.clients, clients, known),
                malformed: open_runs(&shared, &before.malformed, malformed, known),
                rssac002: open_runs(&shared, &before.rssac002, rssac002, known),
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
            // `rrset` first: what it has, the others have had before
            let mut is_new = logs.rrset.refresh().await?;
            is_new |= logs.rdata.refresh().await?;
            is_new |= logs.name.refresh().await?;
            let lake = &self.0.shared.folder;
            is_new |= refresh_beside(&mut logs.evidence, lake).await?;
            is_new |= refresh_beside(&mut logs.traffic, lake).await?;
            is_new |= refresh_beside(&mut logs.distincts, lake).await?;
            is_new |= refresh_beside(&mut logs.clients, lake).await?;
            is_new |= refresh_beside(&mut logs.malformed, lake).await?;
            is_new |= refresh_beside(&mut logs.rssac002, lake).await?;
            if is_new {
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

    /// Whether a receipt is in.
    pub async fn knows_receipt(&self, receipt: &str) -> Result<bool, Error> {
        let mark = intake::mark_of(receipt);
        let known = self.0.logs.lock().await.rrset.transaction(&mark).await?;
        Ok(known.is_some())
    }

    fn wanted<P>(view: &View, query: &Query<P>) -> Wanted {
        let rtypes = query.rtypes.as_ref();
        Wanted {
            rtypes: rtypes.map(|rtypes| rtypes.iter().map(|rtype| rtype.to_int()).collect()),
            ..view.allowed(&query.scope)
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
        let files_before = lock(&self.0.view).runs();
        let keep_since = keep_since.map_or(i64::MIN, Timestamp::as_second);
        while self
            .merge_once(|view| &view.rrset, |logs| Some(&mut logs.rrset), keep_since)
            .await?
        {}
        while self
            .merge_once(|view| &view.rdata, |logs| Some(&mut logs.rdata), keep_since)
            .await?
        {}
        while self
            .merge_once(|view| &view.name, |logs| Some(&mut logs.name), keep_since)
            .await?
        {}
        while self
            .merge_once(|view| &view.evidence, |logs| logs.evidence.as_mut(), keep_since)
            .await?
        {}
        while self
            .merge_once(|view| &view.traffic, |logs| logs.traffic.as_mut(), keep_since)
            .await?
        {}
        while self
            .merge_once(|view| &view.distincts, |logs| logs.distincts.as_mut(), keep_since)
            .await?
        {}
        while self
            .merge_once(|view| &view.clients, |logs| logs.clients.as_mut(), keep_since)
            .await?
        {}
        while self
            .merge_once(|view| &view.malformed, |logs| logs.malformed.as_mut(), keep_since)
            .await?
        {}
        while self
            .merge_once(|view| &view.rssac002, |logs| logs.rssac002.as_mut(), keep_since)
            .await?
        {}
        Ok(Compaction {
            files_before,
            files_after: lock(&self.0.view).runs(),
        })
    }

    async fn merge_once<S: Sorted>(
        &self,
        runs: impl Fn(&View) -> &Runs<S>,
        log: impl Fn(&mut Logs) -> Option<&mut Log<S>>,
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
        let keeps = move |row: &S| row.last() >= keep_since;
        let new = match blocking(move || merge::merge(&table, &inputs, level, keeps)).await? {
            Ok(new) => new,
            Err((path, reason)) => {
                self.0.shared.note(&Path::new(S::NAME).join(path), reason);
                return Ok(true);
            }
        };
        let mut logs = self.0.logs.lock().await;
        if let Some(log) = log(&mut logs) {
            // where all rows were too old there is nothing to put in their place
            log.replace(&folder, &old, new.as_slice()).await?;
        }
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
        let mut removed = rrset + rdata + name;
        if let Some(log) = &mut logs.evidence {
            removed += upkeep::vacuum(log, &self.folder("evidence"), now, retention).await?;
        }
        if let Some(log) = &mut logs.traffic {
            removed += upkeep::vacuum(log, &self.folder("traffic"), now, retention).await?;
        }
        if let Some(log) = &mut logs.distincts {
            removed += upkeep::vacuum(log, &self.folder("distinct_count"), now, retention).await?;
        }
        if let Some(log) = &mut logs.clients {
            removed += upkeep::vacuum(log, &self.folder("client"), now, retention).await?;
        }
        if let Some(log) = &mut logs.malformed {
            removed += upkeep::vacuum(log, &self.folder("malformed"), now, retention).await?;
        }
        if let Some(log) = &mut logs.rssac002 {
            removed += upkeep::vacuum(log, &self.folder("rssac002"), now, retention).await?;
        }
        Ok(removed)
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

    /// Sizes of the tables: `rrset`, `rdata`, `name`, and of `evidence`, `traffic`, `distinct_count`, `client`, `malformed` and `rssac002` those
    /// that are there.
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
        let mut tables = vec![
            of(&logs.rrset, &view.rrset),
            of(&logs.rdata, &view.rdata),
            of(&logs.name, &view.name),
        ];
        tables.extend(logs.evidence.as_ref().map(|log| of(log, &view.evidence)));
        tables.extend(logs.traffic.as_ref().map(|log| of(log, &view.traffic)));
        tables.extend(logs.distincts.as_ref().map(|log| of(log, &view.distincts)));
        tables.extend(logs.clients.as_ref().map(|log| of(log, &view.clients)));
        tables.extend(logs.malformed.as_ref().map(|log| of(log, &view.malformed)));
        tables.extend(logs.rssac002.as_ref().map(|log| of(log, &view.rssac002)));
        tables
    }
}

impl Logs {
    async fn open(lake: &Path, is_writer: bool) -> Result<Self, Error> {
        // `rrset` first: what it has, the others have had before
        Ok(Self {
            rrset: Log::open(&lake.join("rrset"), is_writer).await?,
            rdata: Log::open(&lake.join("rdata"), is_writer).await?,
            name: Log::open(&lake.join("name"), is_writer).await?,
            evidence: open_beside(lake, is_writer).await?,
            traffic: open_beside(lake, is_writer).await?,
            distincts: open_beside(lake, is_writer).await?,
            clients: open_beside(lake, is_writer).await?,
            malformed: open_beside(lake, is_writer).await?,
            rssac002: open_beside(lake, is_writer).await?,
        })
    }

    /// The number of the last receipt that is in.
    async fn receipts(&self) -> Result<i64, Error> {
        let of_files = self.rrset.files().iter().map(|run| run.receipt).max();
        // one without RRsets has no file there
        let noted = self.rrset.transaction(intake::RECEIPTS).await?;
        Ok(of_files.max(noted).unwrap_or(0))
    }
}

/// The tables of a lake for those who read the files themselves, without what a crash left of a receipt. Tables that nobody has
/// opened for writing are without files.
pub(crate) async fn tables(lake: &Path) -> Result<Vec<TableFiles>, Error> {
    let (logs, known) = match lake.join("name/_delta_log").is_dir() {
        true => {
            let logs = Logs::open(lake, false).await?;
            let known = logs.receipts().await?;
            (Some(logs), known)
        }
        false => (None, 0),
    };
    let logs = logs.as_ref();
    Ok(vec![
        table(lake, logs.map(|logs| &logs.rrset), known),
        table(lake, logs.map(|logs| &logs.rdata), known),
        table(lake, logs.map(|logs| &logs.name), known),
        table(lake, logs.and_then(|logs| logs.evidence.as_ref()), known),
        table(lake, logs.and_then(|logs| logs.traffic.as_ref()), known),
        table(lake, logs.and_then(|logs| logs.distincts.as_ref()), known),
        table(lake, logs.and_then(|logs| logs.clients.as_ref()), known),
        table(lake, logs.and_then(|logs| logs.malformed.as_ref()), known),
        table(lake, logs.and_then(|logs| logs.rssac002.as_ref()), known),
    ])
}

fn table<S: Sorted>(lake: &Path, log: Option<&Log<S>>, known: i64) -> TableFiles {
    let runs = log.map(Log::files).unwrap_or_default();
    let files = runs.into_iter().filter(|run| !run.is_half(known)).map(|run| TableFile {
        path: lake.join(S::NAME).join(&run.path),
        rows: run.rows,
        bytes: run.bytes,
        zones: None,
        times: None,
    });
    TableFiles {
        name: S::NAME,
        schema: arrow_schema(S::COLUMNS),
        order: S::ORDER,
        files: files.collect(),
    }
}

/// Who gives passive DNS, in the order of their words.
pub(crate) fn sources(lake: &Path) -> Result<Vec<Source>, Error> {
    Ok(source::read(lake)?.into_values().collect())
}

impl View {
    fn runs(&self) -> usize {
        let beside = self.evidence.len() + self.traffic.len() + self.distincts.len() + self.malformed.len();
        let beside = beside + self.clients.len() + self.rssac002.len();
        self.rrset.len() + self.rdata.len() + self.name.len() + beside
    }

    /// The rows that a reader may see.
    fn allowed(&self, scope: &Scope) -> Wanted {
        let ids = || {
            let sources = self.sources.values().filter(|source| scope.allows(source));
            sources.map(|source| source.id.clone()).collect::<HashSet<_>>()
        };
        Wanted {
            rtypes: None,
            sources: (*scope != Scope::ALL).then(ids),
        }
    }
}

/// Opens one of the tables that stand beside passive DNS; `None` where it is missing and nothing is to be made.
async fn open_beside<T: Logged>(lake: &Path, is_writer: bool) -> Result<Option<Log<T>>, Error> {
    let folder = lake.join(T::NAME);
    match is_writer || folder.join("_delta_log").is_dir() {
        true => Log::open(&folder, is_writer).await.map(Some),
        false => Ok(None),
    }
}

/// Takes in what came to one of these tables, or the table. Returns whether there was something.
async fn refresh_beside<T: Logged>(log: &mut Option<Log<T>>, lake: &Path) -> Result<bool, Error> {
    if let Some(log) = log {
        return log.refresh().await;
    }
    *log = open_beside(lake, false).await?;
    Ok(log.is_some())
}

fn files_of<S: Sorted>(log: &Option<Log<S>>) -> Vec<Run> {
    log.as_ref().map(Log::files).unwrap_or_default()
}

/// Takes the runs of receipts behind `known` out of a table.
async fn take_out_half<S: Sorted>(log: Option<&mut Log<S>>, folder: &Path, known: i64) -> Result<(), Error> {
    let Some(log) = log else { return Ok(()) };
    let half = log.files().into_iter().filter(|run| run.is_half(known));
    let half: Vec<String> = half.map(|run| run.path).collect();
    if !half.is_empty() {
        tracing::info!(
            receipt = known + 1,
            table = S::NAME,
            "a receipt that a crash cut off is taken out"
        );
        log.replace(folder, &half, &[]).await?;
    }
    Ok(())
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
