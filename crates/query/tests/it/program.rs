//! `dnscert-sql` as people and programs run it.

use std::process::{Command, Output};

use crate::flight::STUBBORN;
use crate::story::furnish;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dnscert-sql"))
        .args(arguments)
        .output()
        .unwrap()
}

fn text(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_says_whose_fault_it_is() {
    let folder = tempfile::tempdir().unwrap();
    furnish(folder.path()).await;
    let lake = format!("--lake={}", folder.path().display());
    let slow = "SELECT count(*) FROM sample a, sample b, sample c, sample d, sample e WHERE a.rtt_us * b.rtt_us + c.rtt_us > d.rtt_us - e.rtt_us";
    for (arguments, status, out, told) in [
        (vec!["SELECT count(*) AS n FROM sample"], 0, "{\"n\":96}\n", ""),
        (
            vec!["SELECT zone FROM sample LIMIT 1", "--format", "csv"],
            0,
            "zone\n",
            "",
        ),
        (vec!["SELECT\n ownr FROM rrset"], 2, "", "line 2, column 2"),
        (vec!["SELECT\n ownr FROM rrset"], 2, "", "\n   ownr FROM rrset\n   ^\n"),
        (
            vec!["SELECT * FROM nothing"],
            2,
            "",
            "there is no table `nothing`; there are sample",
        ),
        (vec!["DROP VIEW sample"], 2, "", "DROP is refused"),
        (vec!["SELECT 1", "--format", "xml"], 2, "", "xml"),
        (
            vec!["SELECT 1", "--time", "18446744073709551615"],
            2,
            "",
            "is not in 0..=31536000",
        ),
        (vec![], 2, "", "SQL"),
        (vec![slow, "--time", "1"], 3, "", "more than 1 s"),
        (vec![STUBBORN, "--time", "1"], 3, "", "more than 1 s"),
        (
            vec!["SELECT * FROM sample ORDER BY rtt_us", "--memory", "0"],
            3,
            "",
            "memory",
        ),
        (
            vec!["SELECT time FROM sample", "--format", "table", "--rows", "3"],
            0,
            "time\n-",
            "There is more",
        ),
        (vec!["--columns", "rrset"], 0, "rrset: ", ""),
        (vec!["--columns", "nothing"], 2, "", "no view `nothing`"),
    ] {
        let output = run(&[arguments.as_slice(), &[lake.as_str()]].concat());
        assert_eq!(
            output.status.code(),
            Some(status),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        assert!(
            text(&output.stdout).starts_with(out),
            "{arguments:?}: {}",
            text(&output.stdout)
        );
        assert!(
            text(&output.stderr).contains(told),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
    }
    let nowhere = run(&["SELECT 1", "--lake", "/nowhere"]);
    assert_eq!(nowhere.status.code(), Some(3));
    assert!(text(&nowhere.stderr).contains("/nowhere"), "{}", text(&nowhere.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_there_when_the_answer_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    furnish(folder.path()).await;
    let lake = folder.path().to_str().unwrap();
    let out = folder.path().join("out.csv");
    let to = out.to_str().unwrap();
    let written = run(&[
        "SELECT DISTINCT zone FROM sample ORDER BY zone",
        "--lake",
        lake,
        "--format",
        "csv",
        "--output",
        to,
    ]);
    assert!(written.status.success() && written.stdout.is_empty());
    assert_eq!(
        std::fs::read_to_string(&out).unwrap(),
        "zone\nnic.example\nshop.example\n"
    );

    let failed = run(&[
        "SELECT 1/(attempts-attempts) AS x FROM sample",
        "--lake",
        lake,
        "--format",
        "csv",
        "--output",
        to,
    ]);
    assert_eq!(failed.status.code(), Some(2), "{}", text(&failed.stderr));
    assert_eq!(
        std::fs::read_to_string(&out).unwrap(),
        "zone\nnic.example\nshop.example\n",
        "as before"
    );
    assert!(!folder.path().join("out.csv.part").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_is_told_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    furnish(folder.path()).await;
    let day = folder.path().join("sample/day=2026-11-23");
    let file = std::fs::read_dir(day).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&file, b"PAR1 this is none PAR1").unwrap();
    let output = run(&[
        "SELECT count(rtt_us) FROM sample",
        "--lake",
        folder.path().to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    std::fs::remove_file(&file).unwrap();
    let output = run(&[
        "SELECT count(rtt_us) FROM sample",
        "--lake",
        folder.path().to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(text(&output.stderr).contains(name), "{}", text(&output.stderr));
}
