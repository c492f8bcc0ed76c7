//! A lake is published into a store, and read there as it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use domain::base::iana::Rtype;
use jiff::Timestamp;
use lake::store::{Published, Store, publish};
use lake::{Error, Lake, Snapshot};
use testkit::object_store::S3;

use crate::other_readers::python;
use crate::passive::{open, rrset, wire};
use crate::story::{at, change, sample};

/// One more day of samples, a change, and a receipt of passive DNS.
async fn go_on(lake: &Lake, folder: &Path, day: i64) {
    let time = at(day * 86_400);
    lake.append_samples(&[sample("shop.example", time), sample("nic.example", time)])
        .await
        .unwrap();
    lake.append_zone_changes(&[change("shop.example", time)]).await.unwrap();
    lake.flush().await.unwrap();
    let passive = open(folder).await;
    let rows = vec![
        rrset(
            "www.shop.example",
            Rtype::A,
            &[vec![192, 0, 2, day as u8]],
            day * 86_400,
        ),
        rrset("shop.example", Rtype::NS, &[wire("ns1.nic.example")], day * 86_400),
    ];
    passive
        .append("sensor-1", &format!("receipt-{day}"), rows, Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    passive.merge(None).await.unwrap();
}

/// Each table's files: rows and octets by the file's name.
fn files(snapshot: &Snapshot) -> BTreeMap<&'static str, BTreeMap<String, (u64, u64)>> {
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let of_table = |table: &lake::TableFiles| {
        let files = table
            .files
            .iter()
            .map(|file| (name(&file.path), (file.rows, file.bytes)));
        (table.name, files.collect())
    };
    snapshot.tables.iter().map(of_table).collect()
}

async fn assert_same(folder: &Path, store: &Store, objects: &Path) {
    let (here, there) = (
        Snapshot::of(folder).await.unwrap(),
        Snapshot::of_store(store).await.unwrap(),
    );
    assert_eq!(files(&here), files(&there));
    assert_eq!(here.sources, there.sources);
    for (here, there) in here.tables.iter().zip(&there.tables) {
        for (here, there) in here.files.iter().zip(&there.files) {
            let object = objects.join(&there.path);
            assert_eq!(
                fs::read(&here.path).unwrap(),
                fs::read(&object).unwrap(),
                "{}",
                object.display()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_state_of_a_lake_is_found_in_s3_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let s3 = S3::start().await.unwrap();
    let url = format!("s3://{}/lakes/of-centre", S3::BUCKET);
    let store = Store::open(&url, s3.environment()).unwrap();
    let nothing = Snapshot::of_store(&store).await.unwrap_err();
    assert!(nothing.to_string().contains(&url), "{nothing}");

    let lake = Lake::open(folder.path()).await.unwrap();
    for day in 0..7 {
        go_on(&lake, folder.path(), day).await;
        let done = publish(folder.path(), &store).await.unwrap();
        assert!(done.files >= 5 && done.commits >= 5, "{done:?}");
        assert_same(folder.path(), &store, &s3.objects()).await;
        assert_eq!(
            publish(folder.path(), &store).await.unwrap(),
            Published::default(),
            "nothing new"
        );
    }

    // another reader of Delta tables finds the same
    if let Some(python) = python() {
        let script = "import os, sys\nfrom deltalake import DeltaTable\n\
             for table in ['sample', 'rrset']:\n    rows = DeltaTable(sys.argv[1] + '/' + table).to_pyarrow_table()\n    print(table, rows.num_rows)\n\
             sys.stdout.flush()\nos._exit(0)";
        let output = Command::new(python)
            .args(["-c", script, &url])
            .envs(s3.environment())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            text.contains("sample 14"),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_lake_has_no_more_goes_from_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let there = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("file://{}", there.path().display()), []).unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    for day in 0..6 {
        go_on(&lake, folder.path(), day).await;
        publish(folder.path(), &store).await.unwrap();
    }
    let before = count(there.path());
    // as a vacuum does when the time for readers is over
    let current = files(&Snapshot::of(folder.path()).await.unwrap());
    let mut gone = 0;
    for level in fs::read_dir(folder.path().join("rrset")).unwrap().flatten() {
        for file in fs::read_dir(level.path()).unwrap().flatten() {
            let name = file.file_name().into_string().unwrap();
            if name.ends_with(".parquet") && !name.contains("checkpoint") && !current["rrset"].contains_key(&name) {
                fs::remove_file(file.path()).unwrap();
                gone += 1;
            }
        }
    }
    assert!(gone > 0, "merges replaced files");
    let done = publish(folder.path(), &store).await.unwrap();
    assert_eq!(done.removed, gone);
    assert_eq!(count(there.path()), before - gone);
    assert_same(folder.path(), &store, Path::new("/")).await;
}

fn count(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().flatten();
    entries
        .map(|entry| if entry.path().is_dir() { count(&entry.path()) } else { 1 })
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_whole_wherever_publishing_was_broken_off() {
    let folder = tempfile::tempdir().unwrap();
    let there = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("file://{}", there.path().display()), []).unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    let mut broken = 0;
    for day in 0..12 {
        go_on(&lake, folder.path(), day).await;
        let limit = std::time::Duration::from_micros(300 * 2_u64.pow(day as u32 % 6));
        broken += usize::from(
            tokio::time::timeout(limit, publish(folder.path(), &store))
                .await
                .is_err(),
        );
        // whoever reads now sees files that are all there
        if let Ok(snapshot) = Snapshot::of_store(&store).await {
            for file in snapshot.tables.iter().flat_map(|table| &table.files) {
                let object = Path::new("/").join(&file.path);
                assert_eq!(
                    fs::metadata(&object).map(|data| data.len()).ok(),
                    Some(file.bytes),
                    "{}",
                    object.display()
                );
            }
        }
    }
    assert!(broken > 0, "some were broken off");
    publish(folder.path(), &store).await.unwrap();
    assert_same(folder.path(), &store, Path::new("/")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_publish_at_once_leave_one_whole_copy() {
    let folder = tempfile::tempdir().unwrap();
    let there = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("file://{}", there.path().display()), []).unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    for day in 0..4 {
        go_on(&lake, folder.path(), day).await;
        let (one, other) = tokio::join!(publish(folder.path(), &store), publish(folder.path(), &store));
        one.unwrap();
        other.unwrap();
        assert_same(folder.path(), &store, Path::new("/")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_lost_or_spoilt_is_filled_again() {
    let folder = tempfile::tempdir().unwrap();
    let there = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("file://{}", there.path().display()), []).unwrap();
    go_on(&Lake::open(folder.path()).await.unwrap(), folder.path(), 0).await;
    publish(folder.path(), &store).await.unwrap();
    let snapshot = Snapshot::of_store(&store).await.unwrap();
    let files: Vec<_> = snapshot.tables.iter().flat_map(|table| &table.files).collect();
    fs::remove_file(Path::new("/").join(&files[0].path)).unwrap();
    fs::write(Path::new("/").join(&files[1].path), b"PAR1 cut off").unwrap();
    assert_eq!(publish(folder.path(), &store).await.unwrap().files, 2);
    assert_same(folder.path(), &store, Path::new("/")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_lake_is_not_written_over() {
    let (one, other, there) = (
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let store = Store::open(&format!("file://{}", there.path().display()), []).unwrap();
    for folder in [&one, &other] {
        go_on(&Lake::open(folder.path()).await.unwrap(), folder.path(), 0).await;
    }
    publish(one.path(), &store).await.unwrap();
    let error = publish(other.path(), &store).await.unwrap_err();
    assert!(matches!(error, Error::OtherLake { .. }), "{error}");
    assert_same(one.path(), &store, Path::new("/")).await;
}

#[tokio::test]
async fn what_is_wrong_with_a_store_is_told_with_its_url() {
    for url in ["ftp://example/lake", "lake", "s3://", "https://example/lake"] {
        let error = Store::open(url, []).unwrap_err();
        assert!(error.to_string().contains(url), "{error}");
    }
    let dead = [
        ("AWS_ENDPOINT", "http://127.0.0.1:9"),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "y"),
    ];
    let store = Store::open(
        "s3://observations/lake",
        dead.map(|(name, value)| (name.to_owned(), value.to_owned())),
    )
    .unwrap();
    let error = Snapshot::of_store(&store).await.unwrap_err();
    assert!(error.to_string().contains("s3://observations/lake"), "{error}");
    assert!(
        !format!("{error:?} {store:?}").contains("AWS_SECRET"),
        "no secret is told"
    );
}
