//! `dnscert check ZONE`: tests delegation and DNSSEC of a zone and explains what it finds.

mod document;
mod progress;
mod terminal;

use std::net::IpAddr;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use jiff::Timestamp;
use measure::{CheckPlan, Inquiry, Internet, Profile, Report, Settings, Undelegated};
use model::{Level, Name};

use self::progress::Progress;
use self::terminal::Wording;
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
    let progress = Progress::over(&inquiry, &arguments.zone.to_string());
    // Exchanges that were kept are judged as of their own time: signatures have expired since.
    let now = if arguments.restore.is_some() {
        inquiry.started()
    } else {
        Timestamp::now()
    };
    let report = measure::check(&inquiry, &plan, now).await;
    drop(progress);

    if let Some(file) = &arguments.save {
        std::fs::write(file, inquiry.save())
            .with_context(|| format!("keeping the exchanges in `{}`", file.display()))?;
    }
    if arguments.raw {
        print_raw(&report, arguments.level);
    } else if arguments.json {
        let document = document::document(&report, inquiry.answered(), arguments.level, arguments.language);
        println!("{}", serde_json::to_string_pretty(&document)?);
    } else {
        let wording = Wording {
            level: arguments.level,
            language: arguments.language,
            width: textwrap::termwidth(),
        };
        anstream::print!("{}", terminal::render(&report, inquiry.answered(), wording));
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
