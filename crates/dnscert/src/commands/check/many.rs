//! `dnscert check --zones FILE`: many zones at once, a line for each as it ends. Memory does not grow with their number:
//! names are read as they are needed, and a report is forgotten when it is told.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal as _, Write as _, stdin, stdout};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::{StreamExt as _, stream};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use measure::{CheckPlan, Internet, Report};
use model::{Level, Name};

use super::document::document;
use crate::cli::CheckArgs;

/// What the zones came to.
#[derive(Debug, Default)]
pub struct Tally {
    /// Zones by the worst level found; those without a finding are under `None`.
    worst: BTreeMap<Option<Level>, usize>,
    /// Zones that could not be tested.
    pub untestable: usize,
    /// Lines that hold no name.
    pub unread: usize,
}

impl Tally {
    /// Whether a zone has a finding at ERROR or above.
    pub fn has_errors(&self) -> bool {
        self.worst.keys().any(|worst| *worst >= Some(Level::Error))
    }

    fn count(&mut self, report: &Report) {
        match report.untestable {
            Some(_) => self.untestable += 1,
            None => *self.worst.entry(worst(report)).or_default() += 1,
        }
    }

    /// `3 ERROR, 12 NOTICE, 985 fine`.
    fn words(&self) -> String {
        let at_level = self.worst.iter().rev().map(|(level, zones)| match level {
            Some(level) if *level >= Level::Notice => (level.as_str(), *zones),
            _ => ("fine", *zones),
        });
        let others = [("not tested", self.untestable), ("not read", self.unread)];
        let mut parts: Vec<(&str, usize)> = Vec::new();
        for (word, zones) in at_level.chain(others).filter(|(_, zones)| *zones > 0) {
            match parts.iter_mut().find(|(known, _)| *known == word) {
                Some((_, sum)) => *sum += zones,
                None => parts.push((word, zones)),
            }
        }
        let parts: Vec<String> = parts.iter().map(|(word, zones)| format!("{zones} {word}")).collect();
        parts.join(", ")
    }
}

fn worst(report: &Report) -> Option<Level> {
    report.findings.iter().map(|(_, finding)| finding.level).max()
}

/// Checks each zone named in `file` (`-`: standard input) by `plan`, `arguments.jobs` of them at a time.
pub async fn run(arguments: &CheckArgs, file: &Path, plan: &CheckPlan, internet: &Internet) -> anyhow::Result<Tally> {
    let shown = file.display().to_string();
    let (lines, total): (Box<dyn BufRead + Send>, Option<u64>) = if file.as_os_str() == "-" {
        (Box::new(BufReader::new(stdin())), None)
    } else {
        let open = || {
            File::open(file)
                .map(BufReader::new)
                .with_context(|| format!("opening the names in `{shown}`"))
        };
        let count = open()?.split(b'\n').count();
        (Box::new(open()?), u64::try_from(count).ok())
    };
    let bar = progress(total);
    let mut tally = Tally::default();
    let mut unreadable = None;
    let mut unread = 0;
    let names = lines.split(b'\n').enumerate().map_while(|(at, line)| match line {
        Ok(line) => Some((at + 1, String::from_utf8_lossy(&line).into_owned())),
        Err(error) => {
            unreadable = Some(error);
            None
        }
    });
    let names = names.filter_map(|(number, line)| match name(&line) {
        Some(Ok(name)) => Some(name),
        Some(Err(reason)) => {
            unread += 1;
            bar.suspend(|| eprintln!("dnscert check: `{shown}` line {number}: {reason}"));
            None
        }
        None => None,
    });
    let checks = stream::iter(names).map(|zone| {
        let plan = CheckPlan { zone, ..plan.clone() };
        let inquiry = internet.inquiry();
        // a task of its own for each, so that all processors judge
        tokio::spawn(async move {
            let report = measure::check(&inquiry, &plan, Timestamp::now()).await;
            (report, inquiry.answered())
        })
    });
    let mut ended = checks.buffer_unordered(arguments.jobs.get());
    while let Some(ended) = ended.next().await {
        let (report, questions) = ended.context("checking a zone")?;
        tally.count(&report);
        let line = line(arguments, &report, questions)?;
        bar.suspend(|| stdout().write_all(line.as_bytes()))
            .context("writing what was found")?;
        bar.set_message(tally.words());
        bar.inc(1);
    }
    drop(ended);
    bar.finish_and_clear();
    tally.unread = unread;
    if let Some(error) = unreadable {
        return Err(error).with_context(|| format!("reading the names in `{shown}`"));
    }
    eprintln!("{}", tally.words());
    Ok(tally)
}

/// The name on a line; `None` for an empty line and for a comment after `#`.
fn name(line: &str) -> Option<Result<Name, String>> {
    let word = line.split('#').next().unwrap_or_default().trim();
    (!word.is_empty()).then(|| word.parse::<Name>().map_err(|error| error.to_string()))
}

fn line(arguments: &CheckArgs, report: &Report, questions: usize) -> anyhow::Result<String> {
    if arguments.json {
        let document = document(report, questions, arguments.level, arguments.language);
        return Ok(serde_json::to_string(&document)? + "\n");
    }
    if arguments.raw {
        let lines = super::raw_lines(report, arguments.level);
        return Ok(lines.map(|line| format!("{} {line}\n", report.zone)).collect());
    }
    let word = match (&report.untestable, worst(report)) {
        (Some(_), _) => "UNTESTABLE",
        (None, Some(worst)) if worst >= Level::Notice => worst.as_str(),
        (None, _) => "FINE",
    };
    let tags: Vec<&str> = report
        .findings
        .iter()
        .filter(|(_, finding)| finding.level >= Level::Warning)
        .map(|(_, finding)| finding.tag.as_str())
        .collect();
    let said = report.untestable.clone().unwrap_or_else(|| tags.join(" "));
    let line = format!(
        "{word:<10} {:<32} {:6.2} s  {said}",
        report.zone.to_string(),
        report.seconds
    );
    Ok(line.trim_end().to_owned() + "\n")
}

/// A bar on standard error for `total` zones; none is drawn where nobody sees it.
pub fn progress(total: Option<u64>) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
    }
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::new(total),
            "{pos}/{len} {per_sec:.1} {wide_bar} {eta} left  {msg}",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{spinner} {pos} {per_sec:.1} {elapsed}  {msg}",
        ),
    };
    bar.enable_steady_tick(Duration::from_millis(200));
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_a_name_or_nothing_or_a_mistake() {
        assert_eq!(name("example.org\r"), Some(Ok("example.org".parse().unwrap())));
        assert_eq!(
            name("  münchen.example # home"),
            Some(Ok("xn--mnchen-3ya.example".parse().unwrap()))
        );
        assert_eq!(name(""), None);
        assert_eq!(name("# a list of zones"), None);
        assert!(name("a..b").is_some_and(|read| read.is_err_and(|reason| reason.contains("a..b"))));
    }

    #[test]
    fn the_sum_names_the_worst_first() {
        let tally = Tally {
            worst: [
                (None, 3),
                (Some(Level::Info), 4),
                (Some(Level::Error), 1),
                (Some(Level::Notice), 2),
            ]
            .into(),
            untestable: 1,
            unread: 0,
        };
        assert_eq!(tally.words(), "1 ERROR, 2 NOTICE, 7 fine, 1 not tested");
        assert!(tally.has_errors());
    }
}
