//! Brings what was committed to a lake into an object store, so that whoever reads there sees a state that the lake had.
//!
//! Data files go first, then the entries of the log that name them, each table's in its order, then checkpoints. `rrset`, whose commit is what
//! makes a receipt count, comes last, with the state that it had first. What the lake has no more (replaced files, after the
//! time that readers have) goes from the store too. Broken off anywhere, it is taken up by doing it again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path as Folder, PathBuf};

use deltalake_core::{DeltaTableBuilder, DeltaTableError, ensure_table_uri};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::buffered::BufWriter;
use object_store::{ObjectStoreExt as _, PutMode, PutPayload};
use tokio::io::AsyncWriteExt as _;

use super::{AT_ONCE, Store};
use crate::error::{Error, blocking};

/// Where a table's log stands, below its folder.
pub(super) const LOG: &str = "_delta_log";

/// Who gives passive DNS.
pub(super) const SOURCES: &str = "passive-sources.json";

/// The note of the last checkpoint in a log.
const LAST_CHECKPOINT: &str = "_last_checkpoint";

/// The table whose commit makes a receipt of passive DNS count.
const COUNTS: &str = "rrset";

/// What was brought into the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Published {
    /// Data files.
    pub files: u64,
    /// Their octets.
    pub octets: u64,
    /// Commits, of all tables.
    pub commits: u64,
    /// Objects that were taken out, since the lake has them no more.
    pub removed: u64,
}

/// The version of an entry of a log or of a checkpoint.
pub(super) fn version(name: &str) -> Option<u64> {
    let (number, rest) = name.split_once('.')?;
    (number.len() == 20 && (rest == "json" || rest.starts_with("checkpoint"))).then(|| number.parse().ok())?
}

fn is_commit(name: &str) -> bool {
    name.ends_with(".json")
}

/// A table's log as it was at one moment.
struct Log {
    table: String,
    folder: PathBuf,
    last_checkpoint: Option<Vec<u8>>,
    /// Commits and checkpoints, without those that came later.
    names: BTreeSet<String>,
    /// The version of the last commit.
    last: u64,
}

impl Log {
    /// The file of an entry.
    fn entry(&self, name: &str) -> PathBuf {
        self.folder.join(LOG).join(name)
    }

    /// The object of an entry, below the store's folder.
    fn object(&self, name: &str) -> String {
        format!("{}/{LOG}/{name}", self.table)
    }

    fn other(&self, store: &Store) -> Error {
        Error::OtherLake {
            store: store.to_string(),
            table: self.table.clone(),
        }
    }
}

/// Brings the lake of a folder into a store, beside its writer. `Error::OtherLake` when another lake stands there.
pub async fn publish(lake: &Folder, store: &Store) -> Result<Published, Error> {
    let folder = lake.to_owned();
    let logs = blocking(move || logs(&folder)).await?;
    let mut done = Published::default();
    let sources = lake.join(SOURCES);
    if sources.is_file() {
        let octets = read(&sources)?;
        put(store, SOURCES, octets).await?;
    }
    for log in &logs {
        publish_table(log, store, &mut done).await?;
    }
    Ok(done)
}

/// The logs of all tables, [`COUNTS`] read first and standing last.
fn logs(lake: &Folder) -> Result<Vec<Log>, Error> {
    let mut tables: Vec<String> = names(lake)?
        .into_iter()
        .filter(|name| lake.join(name).join(LOG).is_dir())
        .collect();
    tables.sort_by_key(|name| name != COUNTS);
    let mut logs = tables
        .into_iter()
        .map(|table| {
            let folder = lake.join(&table);
            let log = folder.join(LOG);
            let last_checkpoint = log.join(LAST_CHECKPOINT);
            let last_checkpoint = last_checkpoint.is_file().then(|| read(&last_checkpoint)).transpose()?;
            let names: BTreeSet<String> = names(&log)?
                .into_iter()
                .filter(|name| version(name).is_some())
                .collect();
            let commits = names.iter().filter(|name| is_commit(name));
            let last = commits.filter_map(|name| version(name)).max().unwrap_or(0);
            Ok(Log {
                table,
                folder,
                last_checkpoint,
                last,
                names: names
                    .into_iter()
                    .filter(|name| version(name).is_some_and(|version| version <= last))
                    .collect(),
            })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    if logs.first().is_some_and(|log| log.table == COUNTS) {
        logs.rotate_left(1);
    }
    Ok(logs)
}

async fn publish_table(log: &Log, store: &Store, done: &mut Published) -> Result<(), Error> {
    let there: BTreeMap<String, u64> = store
        .list(&log.table)
        .await?
        .into_iter()
        .map(|(name, object)| (name, object.size))
        .collect();
    let in_log = |name: &String| {
        name.strip_prefix(LOG)
            .map(|name| name.trim_start_matches('/').to_owned())
    };
    let published: BTreeSet<String> = there.keys().filter_map(in_log).collect();
    check_same(log, &published, store).await?;

    // files that are read now, and those of each commit that is still to come, which a reader may see for a moment
    let commits: Vec<&String> = log
        .names
        .iter()
        .filter(|name| is_commit(name) && !published.contains(*name))
        .collect();
    let mut files = referenced(log).await?;
    for name in &commits {
        files.extend(added(&read(&log.entry(name))?));
    }
    // one of another size is spoilt: files never change
    let missing = files.iter().filter(|name| {
        let here = fs::metadata(log.folder.join(name)).map(|file| file.len());
        !there
            .get(*name)
            .is_some_and(|there| here.map_or(true, |here| here == *there))
    });
    let uploads = missing.map(|name| upload(&log.folder, &log.table, name, store));
    let sizes: Vec<Option<u64>> = stream::iter(uploads).buffer_unordered(AT_ONCE).try_collect().await?;
    done.files += sizes.iter().flatten().count() as u64;
    done.octets += sizes.iter().flatten().sum::<u64>();

    let checkpoints = log
        .names
        .iter()
        .filter(|name| !is_commit(name) && !published.contains(*name));
    for name in commits {
        put_commit(log, name, store).await?;
        done.commits += 1;
    }
    for name in checkpoints {
        put(store, &log.object(name), read(&log.entry(name))?).await?;
    }
    if let Some(note) = &log.last_checkpoint {
        put(store, &log.object(LAST_CHECKPOINT), note.clone()).await?;
    }

    // the log first: what it does not name nobody looks for
    let first = log.names.iter().filter_map(|name| version(name)).min().unwrap_or(0);
    let old_log = published
        .iter()
        .filter(|name| version(name).is_some_and(|version| version < first));
    let old_log = old_log.map(|name| format!("{LOG}/{name}"));
    let old_files = there
        .keys()
        .filter(|name| in_log(name).is_none() && !files.contains(*name) && !log.folder.join(name).exists());
    for name in old_log.chain(old_files.cloned()) {
        let path = store.path(&format!("{}/{name}", log.table));
        store
            .objects
            .delete(&path)
            .await
            .map_err(store.failed("remove", &path))?;
        done.removed += 1;
    }
    Ok(())
}

/// That the newest commit which both have is the same, and the store has none that the lake lacks.
async fn check_same(log: &Log, published: &BTreeSet<String>, store: &Store) -> Result<(), Error> {
    let theirs = published.iter().filter(|name| is_commit(name));
    // another publication at the same time may have begun later, with commits that were not here yet
    let is_unknown =
        |name: &String| version(name).is_some_and(|version| version > log.last) && !log.entry(name).is_file();
    if theirs.clone().any(is_unknown) {
        return Err(log.other(store));
    }
    match theirs.filter(|name| log.names.contains(*name)).max() {
        Some(common) => check_commit(log, common, store).await,
        None => Ok(()),
    }
}

/// That a commit stands in the store as it stands here.
async fn check_commit(log: &Log, name: &str, store: &Store) -> Result<(), Error> {
    let path = store.path(&log.object(name));
    let got = store.objects.get(&path).await.map_err(store.failed("fetch", &path))?;
    let theirs = got.bytes().await.map_err(store.failed("fetch", &path))?;
    match theirs == read(&log.entry(name))? {
        true => Ok(()),
        false => Err(log.other(store)),
    }
}

/// The files of which a table consists at the last commit that is to be published. Those that later ones take out stay for a week.
async fn referenced(log: &Log) -> Result<BTreeSet<String>, Error> {
    let table = &log.folder;
    let failed = |source: DeltaTableError| Error::Log {
        folder: table.to_owned(),
        source: Box::new(source),
    };
    let absolute = table.canonicalize().map_err(file("open", table))?;
    let url = ensure_table_uri(absolute.to_string_lossy()).map_err(failed)?;
    let builder = DeltaTableBuilder::from_url(url).map_err(failed)?;
    let at_last = builder.with_version(log.last).load().await.map_err(failed)?;
    let state = at_last.snapshot().map_err(failed)?;
    Ok(state.log_data().iter().map(|entry| entry.path().into_owned()).collect())
}

/// The paths of files that a commit adds.
fn added(commit: &[u8]) -> Vec<String> {
    let lines = commit.split(|octet| *octet == b'\n');
    let actions = lines.filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok());
    actions
        .filter_map(|action| action["add"]["path"].as_str().map(str::to_owned))
        .collect()
}

/// Its octets; `None` when the lake has the file no more.
async fn upload(folder: &Folder, table: &str, name: &str, store: &Store) -> Result<Option<u64>, Error> {
    let local = folder.join(name);
    let mut source = match tokio::fs::File::open(&local).await {
        Ok(source) => source,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file("read", &local)(error)),
    };
    let path = store.path(&format!("{table}/{name}"));
    let mut writer = BufWriter::new(store.objects(), path.clone());
    let sent = async {
        let octets = tokio::io::copy(&mut source, &mut writer).await?;
        writer.shutdown().await?;
        Ok(octets)
    };
    let sent: Result<u64, std::io::Error> = sent.await;
    sent.map(Some).map_err(|error| Error::Store {
        attempt: "write",
        place: format!("{}/{path}", store.root()),
        source: error.into(),
    })
}

/// A commit is written once. Another publication may be first at the same time: then it has to have written the same.
async fn put_commit(log: &Log, name: &str, store: &Store) -> Result<(), Error> {
    let path = store.path(&log.object(name));
    let octets = PutPayload::from(read(&log.entry(name))?);
    match store.objects.put_opts(&path, octets, PutMode::Create.into()).await {
        Ok(_) => Ok(()),
        Err(object_store::Error::AlreadyExists { .. }) => check_commit(log, name, store).await,
        Err(error) => Err(store.failed("write", &path)(error)),
    }
}

async fn put(store: &Store, name: &str, octets: Vec<u8>) -> Result<(), Error> {
    let path = store.path(name);
    let put = store.objects.put(&path, PutPayload::from(octets)).await;
    put.map(|_| ()).map_err(store.failed("write", &path))
}

fn names(folder: &Folder) -> Result<Vec<String>, Error> {
    let entries = fs::read_dir(folder).map_err(file("list", folder))?;
    let names = entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
    names.collect::<Result<_, _>>().map_err(file("list", folder))
}

fn read(path: &Folder) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(file("read", path))
}

fn file(attempt: &'static str, path: &Folder) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { attempt, path, source }
}
