//! Rules of the repository that no compiler holds: edges between rooms, file sizes, paths in documents.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read the repository should fail at once"
)]
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Longest source file in lines. Above it a file has more than one job.
const LONGEST_FILE: usize = 800;

/// Room → the rooms it may use in the product (not in tests).
const EDGES: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("language", &["model"]),
    ("measure", &["model"]),
    ("lake", &["model"]),
    ("detect", &["model"]),
    ("metrics", &["model"]),
    ("capture", &["model"]),
    ("lab", &["model"]),
    ("zonefile", &["model"]),
    ("query", &["model", "lake"]),
    ("testkit", &["model"]),
    ("csirt", &["model", "language"]),
    ("web", &["model", "language", "lake", "metrics", "csirt"]),
    (
        "dnscert",
        &[
            "model", "language", "measure", "lake", "detect", "metrics", "capture", "csirt", "web", "lab", "zonefile",
        ],
    ),
    ("xtask", &[]),
];

fn workspace() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&manifest).parent().unwrap().to_owned()
}

fn tracked() -> Vec<PathBuf> {
    let output = Command::new("git")
        .arg("ls-files")
        .current_dir(workspace())
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| workspace().join(line))
        .filter(|p| p.is_file())
        .collect()
}

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(workspace())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn rooms_use_only_the_rooms_they_may() {
    let allowed: BTreeMap<_, BTreeSet<_>> = EDGES
        .iter()
        .map(|(room, uses)| (*room, uses.iter().copied().collect()))
        .collect();
    for package in metadata()["packages"].as_array().unwrap() {
        let room = package["name"].as_str().unwrap();
        let allowed = allowed
            .get(room)
            .unwrap_or_else(|| panic!("`{room}` is not in the list of rooms"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let used = dependency["name"].as_str().unwrap();
            let ours = EDGES.iter().any(|(name, _)| *name == used);
            if ours && dependency["kind"].is_null() {
                assert!(allowed.contains(used), "`{room}` may not use `{used}`");
            }
        }
    }
}

#[test]
fn every_room_stands_in_the_code_map() {
    let map = std::fs::read_to_string(workspace().join("ARCHITECTURE.md")).unwrap();
    for (room, _) in EDGES.iter().filter(|(room, _)| *room != "xtask") {
        assert!(
            map.contains(&format!("| `crates/{room}` |")),
            "`{room}` is missing from the code map"
        );
    }
}

#[test]
fn no_source_file_is_too_long_or_vaguely_named() {
    for path in tracked()
        .iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
    {
        let lines = std::fs::read_to_string(path).unwrap().lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines", path.display());
        let stem = path.file_stem().unwrap().to_str().unwrap();
        assert!(
            !["utils", "util", "common", "helpers", "misc", "manager", "base", "types"].contains(&stem),
            "{} does not say what it holds",
            path.display()
        );
    }
}

#[test]
fn paths_in_the_documents_exist() {
    let mut seen = 0;
    for document in tracked()
        .iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
    {
        let text = std::fs::read_to_string(document).unwrap();
        for quoted in text.split('`').skip(1).step_by(2) {
            let is_path = ["crates/", "xtask/", "docs/", ".ci/", "fuzz/"]
                .iter()
                .any(|start| quoted.starts_with(start));
            if is_path && !quoted.contains([' ', '*', '{', '<']) && !quoted.contains("LANGUAGE") {
                seen += 1;
                let path = quoted.split("::").next().unwrap();
                assert!(
                    workspace().join(path).exists(),
                    "{}: `{quoted}` does not exist",
                    document.display()
                );
            }
        }
    }
    assert!(
        seen > 0,
        "no path was looked at: has the form of the documents changed?"
    );
}

#[test]
fn every_dependency_says_why_it_is_here() {
    let manifest = std::fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    let section = manifest
        .split("[workspace.dependencies]")
        .nth(1)
        .unwrap()
        .split("\n[")
        .next()
        .unwrap();
    let mut under_comment = false;
    for line in section.lines().map(str::trim).filter(|line| !line.is_empty()) {
        under_comment |= line.starts_with('#');
        assert!(under_comment, "`{line}` stands under no comment");
    }
    assert!(
        section.lines().filter(|line| line.starts_with('#')).count() >= 15,
        "comments have gone missing"
    );
}
