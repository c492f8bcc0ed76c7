//! mtbl, the sorted files of dnstable, as a peer: `mtbl.c` is built and run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use super::{Watched, run, watch};
use crate::packages::Package;

/// What it needs.
pub const PACKAGES: &[Package] = &[
    Package {
        name: "libmtbl-dev",
        program: "/usr/include/mtbl.h",
        needed_for: "bench lookup and bench compact",
    },
    Package {
        name: "mtbl-bin",
        program: "mtbl_merge",
        needed_for: "bench compact",
    },
];

/// The program and the shared object, in a folder.
pub struct Mtbl {
    program: PathBuf,
    object: PathBuf,
}

impl Mtbl {
    /// Builds both.
    pub fn build(folder: &Path) -> Result<Self, String> {
        let source = folder.join("mtbl.c");
        fs::write(&source, include_str!("mtbl.c")).map_err(|error| format!("could not write mtbl.c: {error}"))?;
        let (program, object) = (folder.join("mtbl"), folder.join("mtbl.so"));
        let compile = |out: &Path, how: &[&str]| {
            let mut cc = Command::new("cc");
            cc.arg("-O2").args(how).arg("-o").arg(out).arg(&source).arg("-lmtbl");
            run(&mut cc)
        };
        compile(&program, &[])?;
        compile(&object, &["-shared", "-fPIC"])?;
        Ok(Self { program, object })
    }

    /// Writes rows as PostgreSQL's COPY takes them into a file.
    pub fn write(&self, rows: &Path, out: &Path) -> Result<(), String> {
        let rows = fs::File::open(rows).map_err(|error| format!("could not read `{}`: {error}", rows.display()))?;
        run(Command::new(&self.program).arg("write").arg(out).stdin(rows))
    }

    /// Begins to write rows, as they come through a pipe that it makes at `rows`.
    pub fn write_from_pipe(&self, rows: &Path, out: &Path) -> Result<Child, String> {
        run(Command::new("mkfifo").arg(rows))?;
        // the shell waits for who opens the other end, so that this process need not
        let mut write = Command::new("sh");
        write
            .args(["-c", "exec \"$0\" write \"$1\" < \"$2\""])
            .arg(&self.program)
            .arg(out)
            .arg(rows);
        write.spawn().map_err(|error| format!("could not start mtbl: {error}"))
    }

    /// Asks for prefixes, one a line, and prints how long they took.
    pub fn ask(&self, what: &str, file: &Path, questions: &Path) -> Result<(), String> {
        let output = Command::new(&self.program).arg("ask").arg(file).arg(questions).output();
        let output = output.map_err(|error| format!("could not start mtbl: {error}"))?;
        if !output.status.success() {
            return Err(format!("mtbl: {}", String::from_utf8_lossy(&output.stderr)));
        }
        print!("{what}: {}", String::from_utf8_lossy(&output.stdout));
        Ok(())
    }

    /// Merges files into one.
    pub fn merge(&self, files: &[PathBuf], out: &Path) -> Result<Watched, String> {
        let mut merge = Command::new("mtbl_merge");
        merge
            .env("MTBL_MERGE_DSO", &self.object)
            .env("MTBL_MERGE_FUNC_PREFIX", "dnscert_merge")
            .args(["-c", "zstd"])
            .args(files)
            .arg(out);
        watch(merge.stderr(std::process::Stdio::null()))
    }
}
