//! A process that dies loses nothing that was acknowledged, and doubles nothing.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use lake::{Error, Lake, Settings};

use crate::story::{at, change, name, sample};

fn journals(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder.join("journal"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    files
}

async fn count(lake: &Lake) -> usize {
    lake.samples(&name("shop.example"), Timestamp::MIN, Timestamp::MAX)
        .await
        .unwrap()
        .len()
}

#[tokio::test]
async fn rows_that_were_never_flushed_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    for restarts in 0..3 {
        let lake = Lake::open(folder.path()).await.unwrap();
        assert_eq!(count(&lake).await, 2 * restarts);
        assert_eq!(
            lake.zone_changes(None, Timestamp::MIN, Timestamp::MAX)
                .await
                .unwrap()
                .len(),
            restarts
        );
        let seconds = restarts as i64;
        lake.append_samples(&[sample("shop.example", at(seconds)), sample("shop.example", at(seconds))])
            .await
            .unwrap();
        lake.append_zone_changes(&[change("shop.example", at(seconds))])
            .await
            .unwrap();
    }
    let lake = Lake::open(folder.path()).await.unwrap();
    lake.flush().await.unwrap();
    drop(lake);
    let lake = Lake::open_read_only(folder.path()).await.unwrap();
    assert_eq!(count(&lake).await, 6);
}

#[tokio::test]
async fn a_journal_that_outlived_its_commit_is_not_read_twice() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    lake.append_samples(&[sample("shop.example", at(0))]).await.unwrap();
    let kept: Vec<(PathBuf, Vec<u8>)> = journals(folder.path())
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    lake.flush().await.unwrap();
    drop(lake);
    for (path, content) in kept {
        fs::write(path, content).unwrap();
    }
    let lake = Lake::open(folder.path()).await.unwrap();
    assert_eq!(count(&lake).await, 1);
    lake.append_samples(&[sample("shop.example", at(1))]).await.unwrap();
    lake.flush().await.unwrap();
    assert_eq!(count(&lake).await, 2);
}

#[tokio::test]
async fn a_line_cut_off_by_a_crash_is_left_out_at_any_length() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    lake.append_samples(&[sample("shop.example", at(0)), sample("shop.example", at(1))])
        .await
        .unwrap();
    drop(lake);
    let path = journals(folder.path())
        .into_iter()
        .find(|path| fs::metadata(path).unwrap().len() > 0)
        .unwrap();
    let content = fs::read(&path).unwrap();
    let first_line = content.iter().position(|octet| *octet == b'\n').unwrap() + 1;
    for length in [
        0,
        1,
        first_line - 1,
        first_line,
        first_line + 1,
        content.len() - 1,
        content.len(),
    ] {
        fs::write(&path, &content[..length]).unwrap();
        let lake = Lake::open(folder.path()).await.unwrap();
        let whole_lines = content[..length].iter().filter(|octet| **octet == b'\n').count();
        assert_eq!(count(&lake).await, whole_lines, "{length} octets");
        assert_eq!(lake.damaged(), []);
    }
}

#[tokio::test]
async fn a_spoilt_line_is_set_aside_and_named_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    lake.append_samples(&[sample("shop.example", at(0))]).await.unwrap();
    drop(lake);
    let path = journals(folder.path())
        .into_iter()
        .find(|path| fs::metadata(path).unwrap().len() > 0)
        .unwrap();
    let content = fs::read(&path).unwrap();
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(b"\xff\xfe{}\n{\"time\":3}\n").unwrap();
    file.write_all(&content).unwrap();
    drop(file);
    let lake = Lake::open(folder.path()).await.unwrap();
    assert_eq!(count(&lake).await, 1);
    let [damage] = &lake.damaged()[..] else {
        panic!("{:?}", lake.damaged())
    };
    assert_eq!(damage.reason, "some of its lines are no rows");
    assert!(damage.file.exists());
    lake.flush().await.unwrap();
    drop(lake);
    let lake = Lake::open(folder.path()).await.unwrap();
    assert_eq!(
        (count(&lake).await, lake.damaged().len()),
        (1, 1),
        "it stays until somebody has seen to it"
    );
}

#[tokio::test]
async fn a_second_writer_is_refused_and_a_reader_may_not_write() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Lake::open_read_only(folder.path()).await.err().unwrap();
    assert!(matches!(missing, Error::File { .. } | Error::Table { .. }), "{missing}");
    let lake = Lake::open(folder.path()).await.unwrap();
    assert!(matches!(
        Lake::open(folder.path()).await.err(),
        Some(Error::Busy { .. })
    ));
    let reader = Lake::open_read_only(folder.path()).await.unwrap();
    let refused = reader.append_samples(&[sample("shop.example", at(0))]).await;
    assert!(matches!(refused, Err(Error::ReadOnly { .. })));

    lake.append_samples(&[sample("shop.example", at(0))]).await.unwrap();
    assert_eq!(count(&reader).await, 0);
    lake.flush().await.unwrap();
    assert_eq!(count(&reader).await, 1);
    drop(lake);
    Lake::open(folder.path()).await.unwrap();
}

#[tokio::test]
async fn many_waiting_rows_flush_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open_with(folder.path(), Settings { flush_rows: 10 })
        .await
        .unwrap();
    for second in 0..25 {
        lake.append_samples(&[sample("shop.example", at(second))])
            .await
            .unwrap();
    }
    let statistics = lake.statistics().await.unwrap();
    assert_eq!(
        (statistics[0].rows, statistics[0].waiting, statistics[0].files),
        (20, 5, 2)
    );
    assert_eq!(count(&lake).await, 25);
}

#[tokio::test]
async fn appends_flushes_and_reads_at_once_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    let write = async {
        for second in 0..60 {
            lake.append_samples(&[sample("shop.example", at(second))])
                .await
                .unwrap();
        }
    };
    let upkeep = async {
        for _ in 0..6 {
            lake.flush().await.unwrap();
            lake.compact().await.unwrap();
        }
    };
    let read = async {
        let mut before = 0;
        for _ in 0..20 {
            let now = count(&lake).await;
            assert!(now >= before, "{now} rows after {before}");
            before = now;
        }
    };
    tokio::join!(write, upkeep, read);
    assert_eq!(count(&lake).await, 60);
}
