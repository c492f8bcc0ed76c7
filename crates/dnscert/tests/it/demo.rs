//! The demo: three acts, from a fault in the DNS to a verified repair.

use serde_json::Value;
use testkit::loopback::free_port;

use crate::centre::{dnscert, stderr, stdout};

#[test]
fn the_story_of_atlas_passes_every_step_and_raises_no_false_alert() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo").to_str().unwrap().to_owned();
    let listen = format!("127.0.0.1:{}", free_port().unwrap());
    let dns_port = free_port().unwrap().to_string();
    let output = dnscert(&[
        "demo",
        "--once",
        "--json",
        "--data",
        &data,
        "--listen",
        &listen,
        "--dns-port",
        &dns_port,
    ]);
    let lines: Vec<Value> = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told = format!("{}\n{}", stdout(&output), stderr(&output));
    let (outcome, steps) = lines
        .split_last()
        .unwrap_or_else(|| panic!("nothing was told:\n{told}"));
    // How fast it was is for the demo itself to say, on a machine that does nothing else.
    assert_eq!(outcome["failures"], serde_json::json!([]), "{told}");
    let in_time = outcome["late"] == serde_json::json!([]);
    assert_eq!(
        (outcome["passed"].as_bool(), output.status.success()),
        (Some(in_time), in_time),
        "{told}"
    );
    assert_eq!(
        (&outcome["acts"], &outcome["false_alerts"]),
        (&Value::from(3), &Value::from(0)),
        "{told}"
    );
    let wanted = [
        "fault",
        "detected",
        "case",
        "notified",
        "acknowledged",
        "repaired",
        "verified",
        "closed",
    ];
    for act in outcome["seconds_to_notice"].as_object().unwrap().keys() {
        for step in wanted {
            let happened = steps
                .iter()
                .any(|line| line["act"] == act.as_str() && line["step"] == step);
            assert!(happened, "`{act}` has no `{step}`:\n{told}");
        }
    }
    for field in ["time", "act", "step", "zone", "party", "seconds_since_fault"] {
        assert!(
            steps.iter().all(|line| line.get(field).is_some()),
            "a step lacks `{field}`:\n{told}"
        );
    }
}

#[test]
fn the_demo_never_touches_a_folder_that_it_did_not_make() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("mine.txt");
    std::fs::write(&mine, "mine").unwrap();
    let output = dnscert(&["demo", "--once", "--fresh", "--data", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(mine).unwrap(), "mine");
}

#[test]
fn an_unknown_story_is_refused_before_a_folder_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let output = dnscert(&["demo", "--once", "--story", "nosuch", "--data", data.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("nosuch"), "{}", stderr(&output));
    assert!(!data.exists());
}
