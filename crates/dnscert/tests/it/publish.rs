//! `dnscert lake publish`: a lake is brought into S3, once and again and again.

use std::process::{Command, Stdio};
use std::time::Duration;

use lake::store::Store;
use lake::{Lake, Snapshot};
use testkit::object_store::S3;

use crate::centre::stdout;

fn program(s3: &S3, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dnscert"));
    command.args(arguments).envs(s3.environment());
    command
}

fn change(zone: &str) -> model::ZoneChange {
    model::ZoneChange {
        time: "2026-11-23T10:00:00Z".parse().unwrap(),
        zone: zone.parse().unwrap(),
        part: model::ChangedPart::Ns,
        before: vec!["ns1.example".to_owned()],
        after: vec!["ns2.example".to_owned()],
        announced: false,
    }
}

async fn rows(url: &str, s3: &S3) -> u64 {
    let store = Store::open(url, s3.environment()).unwrap();
    let snapshot = Snapshot::of_store(&store).await.unwrap();
    let changes = snapshot
        .tables
        .iter()
        .find(|table| table.name == "zone_change")
        .unwrap();
    changes.files.iter().map(|file| file.rows).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_is_in_s3_and_what_comes_follows() {
    let folder = tempfile::tempdir().unwrap();
    let s3 = S3::start().await.unwrap();
    let url = format!("s3://{}/centre", S3::BUCKET);
    let lake = Lake::open(folder.path()).await.unwrap();
    lake.append_zone_changes(&[change("a.example")]).await.unwrap();
    lake.flush().await.unwrap();
    let of_folder = folder.path().to_str().unwrap();

    let once = program(&s3, &["lake", "publish", &url, "--lake", of_folder])
        .output()
        .unwrap();
    let told = stdout(&once);
    assert!(once.status.success(), "{once:?}");
    assert!(
        told.starts_with(&format!("{url}: ")) && told.contains(" 1 files ("),
        "{told}"
    );
    assert_eq!(rows(&url, &s3).await, 1);
    let again = program(&s3, &["lake", "publish", &url, "--lake", of_folder])
        .output()
        .unwrap();
    assert!(
        stdout(&again).contains(": 0 commits, 0 files (0.0 MB), 0 old objects"),
        "{again:?}"
    );

    let mut going_on = program(&s3, &["lake", "publish", &url, "--lake", of_folder, "--every", "1"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    lake.append_zone_changes(&[change("b.example")]).await.unwrap();
    lake.flush().await.unwrap();
    let came = async {
        while rows(&url, &s3).await < 2 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), came).await.unwrap();
    Command::new("kill").arg(going_on.id().to_string()).status().unwrap();
    assert!(going_on.wait().unwrap().success(), "it ends when it is told to");
}

#[tokio::test]
async fn what_cannot_be_published_is_told_by_its_url() {
    let folder = tempfile::tempdir().unwrap();
    let s3 = S3::start().await.unwrap();
    Lake::open(folder.path()).await.unwrap();
    let of_folder = folder.path().to_str().unwrap();
    for (url, told) in [
        ("ftp://example/lake", "it has to begin with s3://"),
        ("s3://not-there/lake", "s3://not-there/lake"),
    ] {
        let output = program(&s3, &["lake", "publish", url, "--lake", of_folder])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains(told), "{said}");
    }
}
