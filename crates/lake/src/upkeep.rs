//! Upkeep: small files of a day become large ones, and files that the table no longer has go away.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use arrow::array::RecordBatch;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::Compaction;
use crate::data_file::{self, DataFile, Filter};
use crate::delta::{Log, Logged};
use crate::error::{Error, blocking};
use crate::row::Row;
use crate::table::Table;

/// Rows that a merged file has at most: some 40 MB while it is being merged, 2 MB on disk.
const FILE_ROWS: u64 = 262_144;

const EVERYTHING: Filter = Filter {
    zone: None,
    from: i64::MIN,
    to: i64::MAX,
};

impl<R: Row> Table<R> {
    /// Merges the small files of each day. Each merge is one commit: reads see the old files or the new one.
    pub(crate) async fn compact(&self) -> Result<Compaction, Error> {
        let mut log = self.log.lock().await;
        log.refresh().await?;
        let files = log.files();
        let files_before = files.len();
        for group in groups(files) {
            let folder = self.folder.clone();
            let (read, merged, unreadable) = blocking(move || merge::<R>(&folder, &group)).await?;
            for (path, reason) in unreadable {
                self.note_damage(self.folder.join(path), reason);
            }
            if let Some(merged) = merged {
                log.replace(&self.folder, &read, std::slice::from_ref(&merged)).await?;
                self.show(&log);
            }
        }
        self.show(&log);
        Ok(Compaction {
            files_before,
            files_after: log.files().len(),
        })
    }

    /// Takes out the days before this one, in one commit. Returns how many rows went. Their octets leave the disk with the vacuum.
    pub(crate) async fn expire(&self, first_kept: Date) -> Result<u64, Error> {
        let mut log = self.log.lock().await;
        log.refresh().await?;
        let old: Vec<DataFile> = log.files().into_iter().filter(|file| file.day < first_kept).collect();
        if old.is_empty() {
            return Ok(0);
        }
        let paths: Vec<String> = old.iter().map(|file| file.path.clone()).collect();
        log.replace(&self.folder, &paths, &[]).await?;
        self.show(&log);
        Ok(old.iter().map(|file| file.rows).sum())
    }

    /// Deletes the files that the table has not had for longer than `retention` before `now`. Returns how many.
    pub(crate) async fn vacuum(&self, now: Timestamp, retention: SignedDuration) -> Result<usize, Error> {
        vacuum(&mut *self.log.lock().await, &self.folder, now, retention).await
    }
}

/// Deletes the files that a table has not had for longer than `retention` before `now`. Returns how many.
pub(crate) async fn vacuum<T: Logged>(
    log: &mut Log<T>,
    folder: &Path,
    now: Timestamp,
    retention: SignedDuration,
) -> Result<usize, Error> {
    log.refresh().await?;
    let used: BTreeSet<String> = log.files().iter().map(|file| T::path(file).to_owned()).collect();
    let removed: BTreeMap<String, i64> = log.removed().await?.into_iter().collect();
    let cutoff = now
        .as_millisecond()
        .saturating_sub(i64::try_from(retention.as_millis()).unwrap_or(i64::MAX));
    let folder = folder.to_owned();
    blocking(move || {
        let mut count = 0;
        for (path, modified) in parquet_files(&folder, T::PARTITION)? {
            let since = removed.get(&path).copied().unwrap_or(i64::MIN).max(modified);
            if !used.contains(&path) && since < cutoff {
                let path = folder.join(path);
                fs::remove_file(&path).map_err(|source| Error::File {
                    attempt: "remove",
                    path,
                    source,
                })?;
                count += 1;
            }
        }
        Ok(count)
    })
    .await
}

/// Files of one day each that together make one file, oldest first, so that merged files lie apart in time.
fn groups(files: Vec<DataFile>) -> Vec<Vec<DataFile>> {
    let mut days: BTreeMap<Date, Vec<DataFile>> = BTreeMap::new();
    for file in files.into_iter().filter(|file| file.rows < FILE_ROWS / 2) {
        days.entry(file.day).or_default().push(file);
    }
    let mut groups = Vec::new();
    for mut files in days.into_values() {
        files.sort_by(|a, b| (a.times, &a.path).cmp(&(b.times, &b.path)));
        let mut group = Vec::new();
        let mut rows = 0;
        for file in files {
            if rows + file.rows > FILE_ROWS {
                groups.push(std::mem::take(&mut group));
                rows = 0;
            }
            rows += file.rows;
            group.push(file);
        }
        groups.push(group);
    }
    groups.retain(|group| group.len() > 1);
    groups
}

type Merged = (Vec<String>, Option<DataFile>, Vec<(String, String)>);

/// Writes the rows of the readable files as one. Returns which those are, the new file, and which cannot be read.
fn merge<R: Row>(folder: &Path, group: &[DataFile]) -> Result<Merged, Error> {
    let mut batches: Vec<RecordBatch> = Vec::new();
    let (mut read, mut unreadable) = (Vec::new(), Vec::new());
    for file in group {
        match whole_file::<R>(folder, file) {
            Ok(of_file) => {
                batches.extend(of_file);
                read.push(file.path.clone());
            }
            Err(reason) => unreadable.push((file.path.clone(), reason)),
        }
    }
    let merged = match group.first() {
        Some(first) if read.len() > 1 => Some(data_file::write::<R>(folder, first.day, &batches)?),
        _ => None,
    };
    Ok((read, merged, unreadable))
}

fn whole_file<R: Row>(folder: &Path, file: &DataFile) -> Result<Vec<RecordBatch>, String> {
    let mut batches = Vec::new();
    let mut take = |batch: &RecordBatch| -> Result<(), String> {
        batches.push(batch.clone());
        Ok(())
    };
    let path = folder.join(&file.path);
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        data_file::read::<R>(&path, &EVERYTHING, None, &mut take)
    }));
    read.unwrap_or_else(|_| Err("the decoder broke on it".to_owned()))?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if rows as u64 == file.rows {
        Ok(batches)
    } else {
        Err(format!("it has {rows} rows where the log says {}", file.rows))
    }
}

/// Parquet files of all partitions with the millisecond of their last change.
fn parquet_files(folder: &Path, partition: &str) -> Result<Vec<(String, i64)>, Error> {
    let list = |path: &Path| -> Result<Vec<fs::DirEntry>, Error> {
        let entries = fs::read_dir(path).and_then(Iterator::collect);
        entries.map_err(|source| Error::File {
            attempt: "read",
            path: path.to_owned(),
            source,
        })
    };
    let mut files = Vec::new();
    let prefix = format!("{partition}=");
    for part in list(folder)?
        .into_iter()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix))
    {
        for file in list(&part.path())? {
            let name = file.file_name().to_string_lossy().into_owned();
            let modified = file.metadata().and_then(|metadata| metadata.modified()).ok();
            let modified = modified.and_then(|time| Timestamp::try_from(time).ok());
            if let (true, Some(modified)) = (name.ends_with(".parquet"), modified) {
                files.push((
                    format!("{}/{name}", part.file_name().to_string_lossy()),
                    modified.as_millisecond(),
                ));
            }
        }
    }
    Ok(files)
}
