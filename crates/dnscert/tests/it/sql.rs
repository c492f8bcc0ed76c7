//! `dnscert sql` and the program beside it.

use std::process::Command;

#[test]
fn the_program_beside_is_run_with_what_was_said_and_named_where_it_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("dnscert");
    // where it stands is what counts, so it must be this file and no link to it
    std::fs::copy(env!("CARGO_BIN_EXE_dnscert"), &own).unwrap();
    let run = || {
        let arguments = [
            "sql",
            "SELECT 1",
            "--lake",
            "/data/lake",
            "--format",
            "csv",
            "--time-limit",
            "5",
        ];
        Command::new(&own).args(arguments).output().unwrap()
    };
    let missing = run();
    assert_eq!(missing.status.code(), Some(3));
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(
        said.contains("cargo build -p query") && said.contains("dnscert-sql"),
        "{said}"
    );

    let beside = folder.path().join("dnscert-sql");
    std::fs::write(&beside, "#!/bin/sh\nprintf '%s|' \"$@\"\nexit 7\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&beside, mode).unwrap();
    let output = run();
    assert_eq!(output.status.code(), Some(7));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(told, "--lake|/data/lake|--format=csv|--time-limit=5|--|SELECT 1|");
}
