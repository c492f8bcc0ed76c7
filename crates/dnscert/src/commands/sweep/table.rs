//! The lines of a sweep as a Parquet file, made when the sweep is over.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};

use anyhow::{Context as _, ensure};
use lake::SampleFile;
use measure::sweep::Line;
use model::AnsweredSample;

use super::lines_of;
use crate::cli::SweepArgs;

/// Rows encoded at a time. Chosen by us: some 5 MB.
const ROWS: usize = 8192;

/// Whether the Parquet file was made by an earlier run, and the lines are gone.
pub fn is_made(arguments: &SweepArgs) -> bool {
    let state = arguments.resume.as_ref().is_some_and(|state| state.exists());
    let output = arguments.output.as_ref();
    state && output.is_some_and(|output| output.exists() && !lines_of(output).exists())
}

/// Makes the Parquet file of the lines, and removes these.
pub fn write(arguments: &SweepArgs) -> anyhow::Result<()> {
    let output = arguments.output.as_ref().context("Parquet needs a file")?;
    let lines = lines_of(output);
    let made = || format!("making `{}` of `{}`", output.display(), lines.display());
    let mut file = SampleFile::create(output).with_context(made)?;
    let mut input = BufReader::new(File::open(&lines).with_context(made)?);
    let mut rows: Vec<AnsweredSample> = Vec::with_capacity(ROWS);
    let (mut line, mut number) = (Vec::new(), 0_u64);
    loop {
        line.clear();
        let is_end = input.read_until(b'\n', &mut line).with_context(made)? == 0;
        if !is_end {
            number += 1;
            let read = Line::read(&line).and_then(|line| line.into_sample(&arguments.probe));
            rows.push(
                read.with_context(|| format!("reading line {number}"))
                    .with_context(made)?,
            );
        }
        if rows.len() == ROWS || is_end {
            file.append(&rows).with_context(made)?;
            rows.clear();
        }
        if is_end {
            break;
        }
    }
    let written = file.finish().with_context(made)?;
    ensure!(written == number, "{number} lines made {written} rows");
    fs::remove_file(&lines).with_context(|| format!("removing `{}`", lines.display()))
}
