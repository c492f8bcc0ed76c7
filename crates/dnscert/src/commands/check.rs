//! `dnscert check ZONE`: tests delegation and DNSSEC of a zone and explains what it finds.

use std::net::IpAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use language::Explanation;
use measure::{CheckPlan, Inquiry, Internet, Profile, Report, Settings, Undelegated};
use model::{Language, Level, Name};
use serde_json::json;

use crate::cli::CheckArgs;

/// Nothing at ERROR or above.
const CLEAN: u8 = 0;
/// Findings at ERROR or above.
const FINDINGS: u8 = 1;
/// The command line was not understood.
const USAGE: u8 = 2;
/// The zone could not be tested.
const NOT_TESTED: u8 = 3;

/// Status 0 clean, 1 findings at ERROR or above, 2 usage, 3 could not test.
pub async fn run(arguments: CheckArgs) -> anyhow::Result<ExitCode> {
    let plan = match plan(&arguments) {
        Ok(plan) => plan,
        Err(error) => {
            eprintln!("dnscert check: {error:#}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    let inquiry = inquiry(&arguments)?;
    let progress = progress(&arguments);
    // Exchanges that were kept are judged as of their own time: signatures have expired since.
    let now = if arguments.restore.is_some() {
        inquiry.started()
    } else {
        Timestamp::now()
    };
    let report = measure::check(&inquiry, &plan, now).await;
    progress.finish_and_clear();

    if let Some(file) = &arguments.save {
        std::fs::write(file, inquiry.save())
            .with_context(|| format!("keeping the exchanges in `{}`", file.display()))?;
    }
    if arguments.raw {
        print_raw(&report, arguments.level);
    } else if arguments.json {
        print_json(&report, arguments.level, arguments.language)?;
    } else {
        print_words(&report, arguments.level, arguments.language);
    }
    Ok(ExitCode::from(status(&report)))
}

fn status(report: &Report) -> u8 {
    if report.untestable.is_some() {
        return NOT_TESTED;
    }
    let worst = report.findings.iter().map(|(_, finding)| finding.level).max();
    if worst >= Some(Level::Error) { FINDINGS } else { CLEAN }
}

fn plan(arguments: &CheckArgs) -> anyhow::Result<CheckPlan> {
    let mut ns = Vec::new();
    for text in &arguments.ns {
        ns.push(name_server(text)?);
    }
    let cases: Vec<String> = arguments.tests.iter().map(|case| case.to_ascii_lowercase()).collect();
    if let Some(unknown) = cases
        .iter()
        .find(|case| !measure::cases::ids().any(|id| id == case.as_str()))
    {
        let known: Vec<&str> = measure::cases::ids().collect();
        anyhow::bail!("`{unknown}` is no test case; there are {}", known.join(" "));
    }
    let profile = match &arguments.profile {
        Some(file) => Profile::load(file).with_context(|| format!("reading the profile `{}`", file.display()))?,
        None => Profile::default(),
    };
    let undelegated = (!ns.is_empty() || !arguments.ds.is_empty()).then(|| Undelegated {
        ns,
        ds: arguments.ds.clone(),
    });
    Ok(CheckPlan {
        zone: arguments.zone.clone(),
        undelegated,
        cases: (!cases.is_empty()).then_some(cases),
        profile,
    })
}

/// `NAME` or `NAME/IP`.
fn name_server(text: &str) -> anyhow::Result<(Name, Option<IpAddr>)> {
    let (name, address) = match text.split_once('/') {
        Some((name, address)) => (name, Some(address)),
        None => (text, None),
    };
    let name = name.parse().with_context(|| format!("in `--ns {text}`"))?;
    let address = address
        .map(|address| {
            address
                .parse()
                .map_err(|_| anyhow::anyhow!("in `--ns {text}`: `{address}` is not an IP address"))
        })
        .transpose()?;
    Ok((name, address))
}

fn inquiry(arguments: &CheckArgs) -> anyhow::Result<Inquiry> {
    if let Some(file) = &arguments.restore {
        let shown = file.display();
        let json = std::fs::read_to_string(file).with_context(|| format!("reading the exchanges in `{shown}`"))?;
        return Inquiry::restore(&json).with_context(|| format!("reading the exchanges in `{shown}`"));
    }
    let hints = match &arguments.hints {
        Some(file) => read_hints(file)?,
        None => measure::root_servers(),
    };
    let settings = Settings {
        hints,
        port: arguments.port,
        ipv4: !arguments.no_ipv4,
        ipv6: !arguments.no_ipv6,
        ..Settings::default()
    };
    let settings = settings.on_this_machine();
    Ok(Internet::open(settings)
        .context("opening sockets to ask the DNS")?
        .inquiry())
}

/// Reads root hints in zone-file form.
pub fn read_hints(file: &Path) -> anyhow::Result<Vec<(Name, Vec<IpAddr>)>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading the hints `{}`", file.display()))?;
    measure::parse_hints(&text).with_context(|| format!("reading the hints `{}`", file.display()))
}

/// A spinner on a terminal, nothing elsewhere.
fn progress(arguments: &CheckArgs) -> indicatif::ProgressBar {
    let bar = indicatif::ProgressBar::new_spinner().with_message(format!("asking the servers of {}", arguments.zone));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn print_raw(report: &Report, level: Level) {
    for (seconds, finding) in report.findings.iter().filter(|(_, finding)| finding.level >= level) {
        let arguments: String = finding
            .args
            .iter()
            .map(|(name, value)| format!(" {name}={value}"))
            .collect();
        println!(
            "{seconds:7.2} {:8} {} {}{arguments}",
            finding.level, finding.case, finding.tag
        );
    }
}

fn print_json(report: &Report, level: Level, language: Language) -> anyhow::Result<()> {
    let findings: Vec<_> = report
        .findings
        .iter()
        .filter(|(_, finding)| finding.level >= level)
        .map(|(seconds, finding)| {
            json!({ "seconds": seconds, "level": finding.level, "case": finding.case, "tag": finding.tag,
                    "args": finding.args, "explanation": language::explain(finding, language) })
        })
        .collect();
    let document = json!({
        "zone": report.zone, "time": report.started, "seconds": report.seconds, "delegation": report.delegation,
        "servers": report.servers, "untestable": report.untestable, "findings": findings,
    });
    println!("{}", serde_json::to_string_pretty(&document)?);
    Ok(())
}

/// What people read: the worst first, each with why it matters and how to mend it.
fn print_words(report: &Report, level: Level, language: Language) {
    let title = match report.zone.unicode() {
        Some(unicode) => format!("{unicode} ({})", report.zone),
        None => report.zone.to_string(),
    };
    println!("{title}, tested {:.0} in {:.1} s\n", report.started, report.seconds);
    if let Some(reason) = &report.untestable {
        println!("This zone could not be tested: {reason}\n");
    }
    let mut shown: Vec<_> = report
        .findings
        .iter()
        .map(|(_, finding)| finding)
        .filter(|f| f.level >= level)
        .collect();
    shown.sort_by(|a, b| b.level.cmp(&a.level).then_with(|| a.case.cmp(&b.case)));
    for finding in &shown {
        print_explanation(finding.level, &language::explain(finding, language));
        println!("    {:<5} {} {}\n", "test", finding.case, finding.tag);
    }
    match shown.first() {
        None if report.untestable.is_none() => println!("Nothing to report at {level} or above."),
        None => {}
        Some(_) => {
            let count = |level| shown.iter().filter(|finding| finding.level == level).count();
            let counts: Vec<String> = Level::ALL
                .into_iter()
                .rev()
                .filter(|level| count(*level) > 0)
                .map(|level| format!("{} {level}", count(level)))
                .collect();
            println!("{} servers asked. {}.", report.servers.len(), counts.join(", "));
        }
    }
}

fn print_explanation(level: Level, text: &Explanation) {
    println!("{level}  {}", text.what);
    let print = |word: &str, part: &str| {
        if !part.is_empty() {
            print_wrapped(word, part);
        }
    };
    print("why", &text.why);
    print("mend", &text.mend);
    for (program, lines) in &text.config {
        print_wrapped("", &format!("{}:\n{}", program.as_str(), lines.trim_end()));
    }
    print("see", &text.rfc);
    print("see", &text.kindns);
}

/// A labelled paragraph at 100 columns, continued under its beginning.
fn print_wrapped(word: &str, text: &str) {
    let mut label = word;
    for paragraph in text.lines() {
        let mut line = String::new();
        for part in paragraph.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + part.chars().count() > 88 {
                println!("    {label:<5} {line}");
                label = "";
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(part);
        }
        println!("    {label:<5} {line}");
        label = "";
    }
}
