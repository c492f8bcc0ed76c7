//! `dnscert sql`: how the statement comes to the program that answers it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use crate::centre::stdout;

/// A folder with `dnscert` in it and, in the place of the program that answers, one that says how it was called.
fn installed(with_program: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    fs::hard_link(env!("CARGO_BIN_EXE_dnscert"), folder.path().join("dnscert")).unwrap();
    if with_program {
        let program = folder.path().join("dnscert-sql");
        fs::write(&program, "#!/bin/sh\nprintf '[%s]' \"$@\"\nexit 3\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

fn run(folder: &Path, path: &str, arguments: &[&str]) -> Output {
    Command::new(folder.join("dnscert"))
        .args(arguments)
        .env("PATH", path)
        .current_dir(folder)
        .output()
        .unwrap()
}

#[test]
fn the_program_beside_is_called_with_the_lake_of_the_configuration_and_its_status_is_ours() {
    let folder = installed(true);
    fs::write(folder.path().join("dnscert.toml"), "data = \"kept\"\n").unwrap();
    let sql = "SELECT '-x' FROM sample";
    for (arguments, expected) in [
        (
            vec!["sql", sql, "--lake", "seen"],
            "[--lake][seen][--][SELECT '-x' FROM sample]",
        ),
        (
            vec![
                "sql",
                sql,
                "--lake=seen",
                "--format",
                "csv",
                "--time=5",
                "--memory",
                "9",
                "--rows=2",
                "--output",
                "x",
            ],
            "[--lake][seen][--format=csv][--output=x][--memory=9][--time=5][--rows=2][--][SELECT '-x' FROM sample]",
        ),
        (vec!["sql", "-", "--lake", "seen"], "[--lake][seen][--][-]"),
        (
            vec!["sql", "-", "--lake", "seen", "--cluster", "http://sql.example:50050"],
            "[--lake][seen][--cluster=http://sql.example:50050][--][-]",
        ),
        (
            vec!["lake", "scheduler", "--listen", "127.0.0.1:0"],
            "[scheduler][--listen][127.0.0.1:0]",
        ),
        (vec!["lake", "executor", "--help"], "[executor][--help]"),
        (
            vec!["lake", "flight-sql", "--lake", "seen", "--token-file", "token"],
            "[flight-sql][--lake][seen][--token-file=token]",
        ),
        (vec!["sql", "--columns"], "[--columns=]"),
        (vec!["sql", "--columns", "rrset"], "[--columns=rrset]"),
    ] {
        let output = run(folder.path(), "/usr/bin:/bin", &arguments);
        assert_eq!(stdout(&output), expected);
        assert_eq!(output.status.code(), Some(3));
    }
    let of_configuration = run(folder.path(), "/usr/bin:/bin", &["sql", "SELECT 1"]);
    let said = stdout(&of_configuration);
    assert!(
        said.starts_with("[--lake][") && said.ends_with("kept/lake][--][SELECT 1]"),
        "{said}"
    );

    let with_cluster = "data = \"kept\"\n[lake]\ncluster = \"http://sql.example:50050\"\n";
    fs::write(folder.path().join("dnscert.toml"), with_cluster).unwrap();
    for (arguments, end) in [
        (
            vec!["sql", "SELECT 1"],
            "[--cluster=http://sql.example:50050][--][SELECT 1]",
        ),
        (
            vec!["sql", "SELECT 1", "--cluster=http://other:1"],
            "[--cluster=http://other:1][--][SELECT 1]",
        ),
        (vec!["lake", "flight-sql"], "[--cluster=http://sql.example:50050]"),
    ] {
        let said = stdout(&run(folder.path(), "/usr/bin:/bin", &arguments));
        assert!(said.ends_with(end), "{said}");
    }
}

#[test]
fn where_it_is_missing_it_is_named_with_how_to_get_it() {
    let folder = installed(false);
    let missing = run(folder.path(), "/nowhere", &["sql", "SELECT 1", "--lake", "seen"]);
    assert_eq!(missing.status.code(), Some(3));
    let said = String::from_utf8_lossy(&missing.stderr);
    assert!(
        said.contains("`dnscert-sql`") && said.contains("--package query"),
        "{said}"
    );

    // in PATH it is found as well
    let other = installed(true);
    let path = format!("{}:/usr/bin:/bin", other.path().display());
    let found = run(folder.path(), &path, &["sql", "SELECT 1", "--lake", "seen"]);
    assert_eq!(stdout(&found), "[--lake][seen][--][SELECT 1]");

    let wrong = run(folder.path(), "/nowhere", &["sql"]);
    assert_eq!(wrong.status.code(), Some(2));
}
