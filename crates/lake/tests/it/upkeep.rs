//! Compaction keeps every row, vacuum only what nobody needs, and a spoilt file spoils nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use lake::passive::{Retention, Rule};
use lake::{Error, Lake};
use model::Sample;

use crate::story::{at, change, name, sample, sorted};

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|of_path| of_path == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

async fn all(lake: &Lake) -> Vec<Sample> {
    let mut samples = lake
        .samples(&name("shop.example"), Timestamp::MIN, Timestamp::MAX)
        .await
        .unwrap();
    samples.extend(
        lake.samples(&name("bank.example"), Timestamp::MIN, Timestamp::MAX)
            .await
            .unwrap(),
    );
    samples
}

#[tokio::test]
async fn a_hundred_small_commits_become_one_file_a_day_with_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    let mut written = Vec::new();
    for round in 0..100 {
        let zone = if round % 3 == 0 { "shop.example" } else { "bank.example" };
        let row = sample(zone, at(round * 1000));
        lake.append_samples(std::slice::from_ref(&row)).await.unwrap();
        lake.append_zone_changes(&[change(zone, at(round))]).await.unwrap();
        lake.flush().await.unwrap();
        written.push(row);
    }
    let reader = Lake::open_read_only(folder.path()).await.unwrap();
    let compaction = lake.compact().await.unwrap();
    assert_eq!((compaction.files_before, compaction.files_after), (200, 3));
    assert_eq!(sorted(all(&lake).await), sorted(written.clone()));
    assert_eq!(sorted(all(&reader).await), sorted(written.clone()));
    assert_eq!(lake.zone_changes(None, at(0), at(100)).await.unwrap().len(), 100);
    let again = lake.compact().await.unwrap();
    assert_eq!((again.files_before, again.files_after), (3, 3));

    let checkpoints = files(&folder.path().join("sample/_delta_log"), "parquet");
    assert_eq!(checkpoints.len(), 5, "one for each 20 commits");
    drop((lake, reader));
    let lake = Lake::open(folder.path()).await.unwrap();
    assert_eq!(sorted(all(&lake).await), sorted(written));
    assert_eq!(lake.damaged(), []);
}

#[tokio::test]
async fn vacuum_deletes_what_was_merged_or_never_committed_once_the_retention_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    for second in 0..5 {
        lake.append_samples(&[sample("shop.example", at(second))])
            .await
            .unwrap();
        lake.flush().await.unwrap();
    }
    lake.compact().await.unwrap();
    let table = folder.path().join("sample");
    fs::write(table.join("day=2026-11-23/part-orphan.parquet"), b"never committed").unwrap();
    let week = SignedDuration::from_hours(7 * 24);
    let modified = fs::metadata(table.join("day=2026-11-23/part-orphan.parquet"))
        .unwrap()
        .modified()
        .unwrap();
    let now = Timestamp::try_from(modified).unwrap();
    let data_files = || {
        files(&table, "parquet")
            .into_iter()
            .filter(|path| !path.starts_with(table.join("_delta_log")))
    };

    assert_eq!(lake.vacuum(now, week).await.unwrap(), 0);
    assert_eq!(data_files().count(), 7);
    assert_eq!(
        lake.vacuum(now + SignedDuration::from_hours(8 * 24), week)
            .await
            .unwrap(),
        6
    );
    assert_eq!(data_files().count(), 1);
    assert_eq!(all(&lake).await.len(), 5);
    assert_eq!(lake.damaged(), []);
}

#[tokio::test]
async fn a_spoilt_file_is_named_and_the_rest_is_read_and_compacted() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    for second in 0..6 {
        lake.append_samples(&[sample("shop.example", at(second))])
            .await
            .unwrap();
        lake.flush().await.unwrap();
    }
    let mut data = files(&folder.path().join("sample/day=2026-11-23"), "parquet");
    let (cut, noise, gone) = (data.remove(0), data.remove(0), data.remove(0));
    let content = fs::read(&cut).unwrap();
    fs::write(&cut, &content[..content.len() / 2]).unwrap();
    let flipped: Vec<u8> = content
        .iter()
        .enumerate()
        .map(|(at, octet)| if at % 7 == 5 { !octet } else { *octet })
        .collect();
    fs::write(&noise, flipped).unwrap();
    fs::remove_file(&gone).unwrap();

    assert_eq!(all(&lake).await.len(), 3);
    let damaged: Vec<PathBuf> = lake.damaged().into_iter().map(|damage| damage.file).collect();
    let mut expected = vec![cut, noise, gone];
    expected.sort();
    assert_eq!(damaged, expected);
    assert!(lake.damaged().iter().all(|damage| !damage.reason.is_empty()));

    let compaction = lake.compact().await.unwrap();
    assert_eq!((compaction.files_before, compaction.files_after), (6, 4));
    assert_eq!(all(&lake).await.len(), 3);
}

#[tokio::test]
async fn octets_changed_anywhere_in_a_file_never_stop_a_read() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    let rows: Vec<Sample> = (0..20).map(|second| sample("shop.example", at(second))).collect();
    lake.append_samples(&rows).await.unwrap();
    lake.flush().await.unwrap();
    let path = files(&folder.path().join("sample/day=2026-11-23"), "parquet").remove(0);
    let content = fs::read(&path).unwrap();
    for place in (0..content.len()).step_by(content.len() / 60) {
        let mut spoilt = content.clone();
        spoilt[place] ^= 0x5a;
        fs::write(&path, &spoilt).unwrap();
        all(&lake).await;
    }
    fs::write(&path, &content).unwrap();
    assert_eq!(all(&lake).await.len(), 20);
    assert_eq!(lake.damaged(), [], "it can be read again");
}

#[tokio::test]
async fn a_table_of_another_schema_version_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    drop(Lake::open(folder.path()).await.unwrap());
    let log = folder.path().join("sample/_delta_log/00000000000000000000.json");
    let text = fs::read_to_string(&log).unwrap();
    let newer = text.replace(r#""dnscert.schemaVersion":"3""#, r#""dnscert.schemaVersion":"99""#);
    assert_ne!(text, newer);
    fs::write(&log, newer).unwrap();
    let error = Lake::open(folder.path()).await.err().unwrap();
    assert!(matches!(&error, Error::SchemaVersion { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "table `sample` has schema version `99`; this version knows those up to `3`"
    );
}

#[tokio::test]
async fn days_that_may_not_be_kept_any_longer_go_whole_and_the_others_stay() {
    const DAY: i64 = 86_400;
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    let mut written = Vec::new();
    for day in 0..10 {
        for second in [0, DAY - 1] {
            let row = sample("shop.example", at(day * DAY + second));
            lake.append_samples(std::slice::from_ref(&row)).await.unwrap();
            written.push(row);
        }
        lake.append_zone_changes(&[change("shop.example", at(day * DAY))])
            .await
            .unwrap();
        lake.flush().await.unwrap();
    }
    let rule = |table: &str, owner: Option<&str>, days: i64| Rule {
        table: Some(table.to_owned()),
        owner: owner.map(str::to_owned),
        keep: SignedDuration::from_hours(24 * days),
    };
    let now = at(10 * DAY);
    let of_another = Retention {
        rules: vec![rule("sample", Some("Bank"), 1), rule("traffic", None, 1)],
    };
    assert_eq!(lake.expire(&of_another, now).await.unwrap(), 0);
    assert_eq!(lake.expire(&Retention::default(), now).await.unwrap(), 0);

    let three_days = Retention {
        rules: vec![rule("sample", None, 3)],
    };
    let reader = Lake::open_read_only(folder.path()).await.unwrap();
    let cutoff = at(7 * DAY).to_zoned(jiff::tz::TimeZone::UTC).date();
    let is_kept = |row: &&Sample| row.time.to_zoned(jiff::tz::TimeZone::UTC).date() >= cutoff;
    let kept: Vec<Sample> = written.iter().filter(is_kept).cloned().collect();
    assert!(!kept.is_empty() && kept.len() < written.len());
    let gone = written.len() - kept.len();
    assert_eq!(lake.expire(&three_days, now).await.unwrap(), gone as u64);
    assert_eq!(sorted(all(&lake).await), sorted(kept.clone()));
    assert_eq!(
        sorted(all(&reader).await),
        sorted(kept.clone()),
        "who only reads sees it"
    );
    assert_eq!(lake.expire(&three_days, now).await.unwrap(), 0, "once");
    assert_eq!(lake.zone_changes(None, at(0), now).await.unwrap().len(), 10);

    let retention = SignedDuration::from_hours(24 * 7);
    assert_eq!(
        lake.vacuum(Timestamp::now(), retention).await.unwrap(),
        0,
        "somebody may read them"
    );
    let later = Timestamp::now() + SignedDuration::from_hours(24 * 8);
    assert!(lake.vacuum(later, retention).await.unwrap() > 0);
    drop((lake, reader));
    let lake = Lake::open(folder.path()).await.unwrap();
    assert_eq!(sorted(all(&lake).await), sorted(kept));
    assert_eq!(lake.damaged(), []);
}
