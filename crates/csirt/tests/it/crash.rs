//! What was committed survives the sudden end of the process, and nothing stays half done.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

use csirt::audit::{Chain, head, verify};
use csirt::jobs::{Job, queue};
use csirt::{Actor, Records};
use model::{Id, SystemClock};

use crate::on_each_database;

/// Tells the test that it is the child, and where to write.
const URL: &str = "DNSCERT_TEST_WRITER_URL";

/// What the child does until it is killed.
async fn write(url: &str) {
    let records = Records::open(url, Arc::new(SystemClock)).await.unwrap();
    loop {
        let seq = head(&records).await.unwrap().0 + 1;
        let mut change = records.begin(Actor::System).await.unwrap();
        change.audit("commit", seq, "state", None, Some("written"));
        change.enqueue(Job::DeliverNotice {
            notice: Id::from(uuid::Uuid::from_u128(u128::try_from(seq).unwrap())),
        });
        change.commit().await.unwrap();
        println!("committed {seq}");
    }
}

#[tokio::test]
async fn what_was_committed_survives_twenty_kills() {
    if let Some(url) = std::env::var_os(URL) {
        return write(url.to_str().unwrap()).await;
    }
    on_each_database(async |world| {
        for lines in 1..=20 {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "crash::what_was_committed_survives_twenty_kills",
                    "--nocapture",
                ])
                .env(URL, &world.database.url)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let said = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
            let committed = said.filter_map(|line| line.split_once("committed ")?.1.parse::<i64>().ok());
            let last = committed.take(lines % 7 + 1).last().unwrap();
            // On Unix this is SIGKILL: the child cannot put anything in order.
            child.kill().unwrap();
            child.wait().unwrap();
            // A PostgreSQL server may still be at the dead child's last commit: our turn comes after it.
            let turn = world.records.begin(Actor::System).await.unwrap();
            let Chain::Whole { rows, .. } = verify(&world.records).await.unwrap() else {
                panic!("the chain is broken")
            };
            assert!(rows >= last, "{last} was said to be committed, {rows} are there");
            let jobs = queue(&world.records).await.unwrap().waiting;
            assert_eq!(
                u64::try_from(rows).unwrap(),
                jobs,
                "each change has its audit row and its job"
            );
            turn.commit().await.unwrap();
        }
    })
    .await;
}
