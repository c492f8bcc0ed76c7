//! RSSAC002 files: figures that an operator of root servers publishes for a day.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;
use jiff::civil::Date;
use metrics::rssac002::{Daily, MOST_BYTES, read};
use model::{Name, OperatorFigure};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::commands::sweep::grouped;

/// What became of an RSSAC002 file.
#[derive(Debug, Serialize)]
pub(super) struct FiguresReceipt {
    /// The file.
    pub input: String,
    /// `rssac002`.
    pub form: &'static str,
    /// Its octets.
    pub octets: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// Whose figures they are.
    pub services: Vec<Name>,
    /// The first day.
    pub first: Date,
    /// The last one.
    pub last: Date,
    /// Metrics: documents of the file.
    pub metrics: usize,
    /// Their figures.
    pub figures: usize,
}

/// Reads a file, with its figures as taken in now. The error says why it is no RSSAC002 file.
pub(super) fn figures(path: &Path, now: Timestamp) -> anyhow::Result<(FiguresReceipt, Vec<OperatorFigure>)> {
    let failed = || format!("reading `{}` as RSSAC002", path.display());
    let mut text = String::new();
    // one octet more than is allowed, so that what is too large is told
    let file = File::open(path).with_context(failed)?;
    file.take(MOST_BYTES as u64 + 1)
        .read_to_string(&mut text)
        .with_context(failed)?;
    let days = read(&text).with_context(failed)?;
    let mut services: Vec<Name> = days.iter().map(|daily| daily.service.clone()).collect();
    services.sort();
    services.dedup();
    let figures: Vec<OperatorFigure> = days.iter().flat_map(|daily| of_day(daily, now)).collect();
    let (first, last) = days
        .iter()
        .map(|daily| daily.day)
        .fold(None, |span: Option<(Date, Date)>, day| match span {
            None => Some((day, day)),
            Some((first, last)) => Some((first.min(day), last.max(day))),
        })
        .with_context(failed)?;
    let receipt = FiguresReceipt {
        input: path.display().to_string(),
        form: "rssac002",
        octets: text.len() as u64,
        sha256: hex::encode(Sha256::digest(text.as_bytes())),
        services,
        first,
        last,
        metrics: days.len(),
        figures: figures.len(),
    };
    Ok((receipt, figures))
}

fn of_day(daily: &Daily, now: Timestamp) -> impl Iterator<Item = OperatorFigure> + '_ {
    let metric = daily.metric.as_str();
    daily
        .metric
        .parts()
        .into_iter()
        .map(move |(part, value)| OperatorFigure {
            day: daily.day,
            service: daily.service.clone(),
            metric: metric.to_owned(),
            part,
            value,
            version: daily.version,
            taken: now,
        })
}

/// A receipt for people.
pub(super) fn table_of_figures(receipt: &FiguresReceipt) -> String {
    let services: Vec<String> = receipt.services.iter().map(Name::to_string).collect();
    [
        format!("{} (rssac002, {} octets)", receipt.input, grouped(receipt.octets)),
        format!("  {:10} {} to {}", "days", receipt.first, receipt.last),
        format!("  {:10} {}", "services", services.join(", ")),
        format!(
            "  {:10} {} of {} metrics",
            "figures",
            grouped(receipt.figures as u64),
            grouped(receipt.metrics as u64)
        ),
        format!("  {:10} {}", "sha256", receipt.sha256),
    ]
    .join("\n")
}
