//! What an installation is told when it is made, looked at and started: `init`, `doctor`, `serve`.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use testkit::loopback::free_port;

use crate::centre::{Centre, dnscert, stderr, stdout};

/// A centre whose root servers are nowhere.
fn deaf() -> Centre {
    let nowhere = [("ns.nowhere.test".parse().unwrap(), vec!["127.0.0.1".parse().unwrap()])];
    Centre::set_up(&nowhere, free_port().unwrap(), "")
}

/// All files of a folder, with their octets.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// Changes the configuration: `from` becomes `to`.
fn configure(centre: &Centre, from: &str, to: &str) {
    let file = centre.configuration();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(file, text.replace(from, to)).unwrap();
}

#[test]
fn doctor_makes_nothing() {
    let centre = deaf();
    let data = centre.home().join("data");
    std::fs::remove_file(data.join("secret")).unwrap();
    let before = files(&data);
    let told = stdout(&centre.run(&["doctor"]));
    assert!(told.contains("BAD       the secret of the portal is missing"), "{told}");
    assert!(told.contains("good      the records"), "{told}");
    assert_eq!(files(&data), before);

    configure(&centre, "data = \"data\"", "data = \"dta\"");
    let told = stdout(&centre.run(&["doctor"]));
    assert!(told.contains("BAD       there is no data folder"), "{told}");
    assert!(told.contains("there is no file"), "{told}");
    assert!(!centre.home().join("dta").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_names_the_cure_when_nobody_can_administrate() {
    let centre = deaf();
    let records = centre.home().join("data/records.sqlite");
    std::fs::remove_file(&records).unwrap();
    let url = format!("sqlite://{}?mode=rwc", records.display());
    let empty = csirt::Records::open(&url, Arc::new(model::SystemClock)).await.unwrap();
    empty.close().await.unwrap();
    let told = stdout(&centre.run(&["doctor"]));
    assert!(told.contains("BAD       nobody can administrate"), "{told}");
    assert!(told.contains("dnscert account add NAME --role admin"), "{told}");
    let cure = centre.run(&["account", "add", "grace", "--role", "admin"]);
    assert!(cure.status.success(), "{}", stderr(&cure));
    let told = stdout(&centre.run(&["doctor"]));
    assert!(told.contains("an administrator among them"), "{told}");
}

#[test]
fn doctor_and_serve_name_values_that_no_centre_can_work_with() {
    let centre = deaf();
    configure(&centre, "[centre]", "[centre]\ntime_zone = \"Mars/X\"");
    configure(&centre, "mail = \"duty@dns-cert.example\"", "mail = \"nomail\"");
    configure(&centre, "[dns]", "[dns]\ntimeout_ms = 0");
    let told = stdout(&centre.run(&["doctor"]));
    let serve = centre.run(&["serve"]);
    assert_eq!(serve.status.code(), Some(3));
    for key in ["centre.time_zone", "centre.mail", "dns.timeout_ms"] {
        assert!(told.contains(&format!("BAD       `{key}` cannot be used")), "{told}");
        assert!(stderr(&serve).contains(&format!("`{key}`")), "{}", stderr(&serve));
    }
    assert!(stderr(&serve).contains("dnscert.toml"), "{}", stderr(&serve));
}

#[test]
fn a_bad_administrator_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for admin in ["", "Ada Lovelace", "ada@", "ada@@cert.example"] {
        let home = folder.path().join("centre");
        let output = dnscert(&["init", home.to_str().unwrap(), "--admin", admin]);
        assert_eq!(output.status.code(), Some(3), "{admin}: {}", stdout(&output));
        assert!(!home.exists(), "{admin}");
    }
}

#[test]
fn a_new_centre_is_told_of_in_a_few_lines_without_colours() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("centre");
    let output = dnscert(&["init", home.to_str().unwrap()]);
    assert!(output.status.success());
    assert_eq!(stderr(&output), "", "nothing but the password is worth a line");
    let file = home.join("dnscert.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("127.0.0.1:8053", "203.0.113.1:1")).unwrap();
    let serve = Command::new(env!("CARGO_BIN_EXE_dnscert"))
        .args(["-vv", "serve", "--config", file.to_str().unwrap()])
        .output()
        .unwrap();
    let log = stderr(&serve);
    assert!(log.contains("listening at 203.0.113.1:1"), "{log}");
    assert!(!log.contains('\u{1b}'), "{log}");
}

#[test]
fn what_an_account_may_see_of_passive_dns_is_set_and_shown() {
    let centre = deaf();
    let run = |words: &[&str]| {
        let output = centre.run(&[&["account"], words].concat());
        (output.status.success(), stdout(&output) + &stderr(&output))
    };
    assert!(run(&["add", "partner", "--role", "observer"]).0);
    insta::assert_snapshot!(run(&["passive", "partner"]).1, @r"
    account   partner
    tlp       TLP:AMBER+STRICT
    sources   all
    look-ups  unlimited
    ");
    let limits = ["--tlp", "TLP:GREEN", "--sources", "sensor-1,root", "--quota", "1000"];
    let (_, told) = run(&[&["passive", "partner"], &limits[..]].concat());
    let (known, _) = told.split_once(" left until ").unwrap();
    insta::assert_snapshot!(known, @r"
    account   partner
    tlp       TLP:GREEN
    sources   sensor-1, root
    look-ups  1000 a day, 1000
    ");
    let (_, told) = run(&["passive", "partner", "--sources", "all", "--quota", "unlimited"]);
    assert!(
        told.contains("TLP:GREEN") && told.contains("all") && told.contains("unlimited"),
        "{told}"
    );
    for (words, reason) in [
        (["passive", "partner", "--tlp", "TLP:RED"], "TLP:AMBER+STRICT at most"),
        (["passive", "partner", "--quota", "many"], "invalid value 'many'"),
        (["passive", "nobody", "--quota", "1"], "there is no account `nobody`"),
    ] {
        let (went_well, told) = run(&words);
        assert!(!went_well && told.contains(reason), "{words:?}: {told}");
    }
}

#[test]
fn who_stops_reading_hears_no_complaint() {
    let centre = deaf();
    let configuration = centre.configuration();
    let folder = tempfile::tempdir().unwrap();
    let new = folder.path().join("centre");
    let commands: &[&[&str]] = &[
        &["--help"],
        &["doctor", "--config", &configuration],
        &["init", new.to_str().unwrap()],
        &["account", "list", "--config", &configuration],
        &["directory", "export", "--config", &configuration],
        &["audit", "--config", &configuration],
        &["check", "--list-tests"],
    ];
    for command in commands {
        let output = unread(command);
        assert_eq!(output.status.code(), Some(0), "{command:?}: {}", stderr(&output));
        assert_eq!(stderr(&output), "", "{command:?}");
    }
}

/// Runs the program with a standard output that nobody reads any more.
fn unread(arguments: &[&str]) -> Output {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let child = Command::new(env!("CARGO_BIN_EXE_dnscert"))
        .args(arguments)
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn();
    child.unwrap().wait_with_output().unwrap()
}
