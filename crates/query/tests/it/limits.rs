//! Memory and time end an answer that takes too much of them.

use std::time::{Duration, Instant};

use query::{Engine, Error, Format, Limits};

use crate::story::{furnish, written};

async fn refused(limits: Limits, sql: &str) -> (Error, Duration) {
    let folder = tempfile::tempdir().unwrap();
    furnish(folder.path()).await;
    let engine = Engine::open(folder.path(), limits).await.unwrap();
    let begin = Instant::now();
    let error = written(&engine, sql, Format::Csv).await.unwrap_err();
    (error, begin.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_join_without_a_condition_ends_by_the_time_limit() {
    let limits = Limits {
        time: Duration::from_secs(1),
        ..Limits::default()
    };
    for sql in [
        "SELECT count(*) FROM sample a, sample b, sample c, sample d, sample e WHERE a.rtt_us * b.rtt_us + c.rtt_us > d.rtt_us - e.rtt_us",
        "SELECT a.zone, b.zone, c.zone FROM sample a, sample b, sample c, sample d, sample e ORDER BY d.time, e.time LIMIT 3",
    ] {
        let (error, took) = refused(limits, sql).await;
        assert!(matches!(error, Error::Time { .. }), "{error:?}");
        assert!(!error.is_of_statement());
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sort_of_a_cross_join_ends_by_the_memory_limit() {
    let limits = Limits {
        memory: 16 << 20,
        ..Limits::default()
    };
    for sql in [
        "SELECT a.time, b.time, c.time, a.zone FROM sample a, sample b, sample c ORDER BY c.rtt_us, a.rtt_us",
        "SELECT a.time, b.time, c.time, count(*) FROM sample a, sample b, sample c GROUP BY a.time, b.time, c.time, a.address,
            b.address, c.address, a.zone, b.zone, c.zone",
    ] {
        let (error, _) = refused(limits, sql).await;
        assert!(matches!(error, Error::Memory { .. }), "{error:?}");
        assert_eq!(error.to_string(), "the answer takes more than 16 MB of memory");
    }
}
