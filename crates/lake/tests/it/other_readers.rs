//! The tables are Delta tables to those who do not know us.

use std::path::PathBuf;
use std::process::Command;

use domain::base::iana::Rtype;
use lake::Lake;
use model::Outcome;

use crate::passive::{open, rrset, wire};
use crate::story::{at, change, sample};

/// Reads the tables with delta-rs in Python and prints what they hold.
const SCRIPT: &str = r#"
import os, sys
from deltalake import DeltaTable
lake = sys.argv[1]
samples = DeltaTable(lake + "/sample")
rows = samples.to_pyarrow_table(filters=[("zone", "=", "shop.example")]).sort_by("time")
print(samples.metadata().partition_columns, rows.num_rows, len(samples.file_uris()))
print([str(day) for day in rows["day"].to_pylist()], rows["outcome"].to_pylist(), rows["rtt_us"].to_pylist())
print(rows["time"].to_pylist()[0].isoformat(), rows["zone"].to_pylist()[0], rows["nsid"].to_pylist()[0])
print(rows["family"].to_pylist()[0], rows["flags"].to_pylist()[0], rows["validated"].to_pylist()[0])
changes = DeltaTable(lake + "/zone_change").to_pyarrow_table()
print(changes["before"].to_pylist(), changes["after"].to_pylist(), changes["announced"].to_pylist())
comments = {field.name: field.metadata.get("comment") for field in samples.schema().fields}
print(all(comments.values()), comments["rtt_us"])
rrsets = DeltaTable(lake + "/rrset").to_pyarrow_table().sort_by("owner")
print(rrsets["owner"].to_pylist(), rrsets["rtype"].to_pylist(), rrsets["count"].to_pylist(), rrsets["first"].to_pylist()[0].isoformat())
records = DeltaTable(lake + "/rdata").to_pyarrow_table().sort_by("value")
print(records["value"].to_pylist(), records["owner"].to_pylist(), records["level"].to_pylist())
# the readers' threads now and then abort the interpreter while it ends, after all was read
sys.stdout.flush()
os._exit(0)
"#;

/// A Python that has `deltalake` and `pyarrow`.
pub fn python() -> Option<PathBuf> {
    testkit::program::python(env!("CARGO_TARGET_TMPDIR"), "deltalake, pyarrow")
}

#[tokio::test]
async fn python_reads_the_tables() {
    let Some(python) = python() else {
        let reason = "no Python has `deltalake` and `pyarrow`; `cargo xtask test` as root installs them";
        testkit::program::leave_out(reason).unwrap();
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    let mut lost = sample("shop.example", at(86_400));
    (lost.outcome, lost.rtt_us) = (Outcome::Timeout, None);
    lake.append_samples(&[sample("shop.example", at(0)), sample("bank.example", at(0))])
        .await
        .unwrap();
    lake.flush().await.unwrap();
    lake.append_samples(&[sample("shop.example", at(1)), lost])
        .await
        .unwrap();
    lake.append_zone_changes(&[change("shop.example", at(0))])
        .await
        .unwrap();
    lake.flush().await.unwrap();
    lake.compact().await.unwrap();
    let passive = open(folder.path()).await;
    let seen = |seconds| {
        vec![
            rrset("www.shop.example", Rtype::A, &[vec![192, 0, 2, 1]], seconds),
            rrset("shop.example", Rtype::NS, &[wire("ns1.nic.example")], seconds),
        ]
    };
    for number in 0..3 {
        passive
            .append("sensor-1", &number.to_string(), seen(number), at(0))
            .await
            .unwrap();
    }
    passive.merge(None).await.unwrap();

    let output = Command::new(python)
        .args(["-c", SCRIPT])
        .arg(folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{wrong}");
    assert_eq!(
        told.lines().collect::<Vec<_>>(),
        [
            "['day'] 3 2",
            "['2026-11-23', '2026-11-23', '2026-11-24'] ['answer', 'answer', 'timeout'] [21000, 21000, None]",
            "2026-11-23T10:00:00+00:00 shop.example ams.nic",
            "ipv4 33792 None",
            "[['ns1.old.example', 'ns2.old.example']] [[]] [False]",
            "True From sending to the answer, in microseconds",
            "['example.shop.', 'example.shop.www.'] [2, 1] [3, 3] 2026-11-23T10:00:00+00:00",
            "[b'4\\xc0\\x00\\x02\\x01', b'nexample.nic.ns1.'] ['example.shop.www.', 'example.shop.'] ['hour', 'hour']",
        ]
    );
}
