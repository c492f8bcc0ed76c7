//! `bench compact` merges three runs of passive DNS into one: in the lake, all three tables, and with `mtbl_merge`, whose files hold the
//! rows of `rrset` alone.
//!
//! Each run has half of its RRsets in common with the next, as those of a sensor have. How the rows are made stands in
//! `crates/lake/examples/lookup/world.rs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::mtbl::Mtbl;
use super::{run, watch};

/// RRsets of a run by default.
pub const RRSETS: &str = "3000000";

/// Runs: as many as the lake merges at a time.
const RUNS: usize = 3;

/// Prints the figures of both for runs of `rrsets` RRsets.
pub fn compare(ours: &Path, folder: &Path, rrsets: &str) -> Result<(), String> {
    run(Command::new(ours).arg("make").arg(folder).arg(rrsets))?;
    let merged = watch(Command::new(ours).arg("merge").arg(folder))?;
    println!(
        "dnscert, three tables: {:.1} s of a process, {:.0} MB at the most",
        merged.seconds, merged.peak_mb
    );

    let mtbl = Mtbl::build(folder)?;
    let runs: Vec<PathBuf> = (0..RUNS).map(|run| folder.join(format!("run-{run}.mtbl"))).collect();
    for (number, run) in runs.iter().enumerate() {
        mtbl.write(&folder.join(format!("run-{number}.tsv")), run)?;
    }
    let out = folder.join("merged.mtbl");
    let theirs = mtbl.merge(&runs, &out)?;
    if !theirs.status.success() {
        return Err(format!("mtbl_merge ended with {}", theirs.status));
    }
    let megabytes = fs::metadata(&out).map_or(0.0, |file| file.len() as f64 / 1e6);
    println!(
        "mtbl_merge, rows of `rrset` alone: {:.1} s, {:.0} MB at the most, {megabytes:.0} MB on disk",
        theirs.seconds, theirs.peak_mb
    );
    println!(
        "ratio: {:.2} times as long for three tables as mtbl_merge for one",
        merged.seconds / theirs.seconds
    );
    Ok(())
}
