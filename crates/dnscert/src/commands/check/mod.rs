//! `dnscert check ZONE`: tests delegation and DNSSEC of a zone and explains what it finds.

mod document;
mod genreport;
mod many;
mod progress;
pub mod resolver;
mod restore;
mod terminal;

use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;
use measure::{Anchor, CheckPlan, Inquiry, Internet, Profile, Report, RouteTable, SavedCheck, Settings, Undelegated};
use model::{Finding, Level, Name};

pub use self::many::progress;
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

/// Sockets open at one time. Chosen by us: of the 1,024 files that a process may open by default, a fifth is left for all else.
/// Fewer hold up a run over many zones, of which each puts a hundred questions; more fail where that is the limit.
const SOCKETS: usize = 800;

/// Status 0 clean, 1 findings at ERROR or above, 2 usage, 3 could not test. Of many zones the first that fits: 1, 3, 0.
pub async fn run(arguments: CheckArgs) -> anyhow::Result<ExitCode> {
    if arguments.list_tests {
        measure::cases::ids().for_each(|id| println!("{id}"));
        return Ok(ExitCode::from(CLEAN));
    }
    let mut plan = match plan(&arguments) {
        Ok(plan) => plan,
        Err(error) => {
            eprintln!("dnscert check: {error:#}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    if let Some(file) = &arguments.zones {
        let tally = many::run(&arguments, file, &plan, &internet(&arguments)?).await?;
        return Ok(ExitCode::from(match tally.has_errors() {
            true => FINDINGS,
            false if tally.untestable + tally.unread > 0 => NOT_TESTED,
            false => CLEAN,
        }));
    }
    let inquiry = inquiry(&arguments)?;
    if arguments.restore.is_some()
        && let Err(error) = restore::settle(&arguments, &inquiry, &mut plan)
    {
        eprintln!("dnscert check: {error:#}");
        return Ok(ExitCode::from(USAGE));
    }
    let progress = Progress::over(&inquiry, &plan.zone.to_string());
    // Exchanges that were kept are judged as of their own time: signatures have expired since.
    let now = if arguments.restore.is_some() {
        inquiry.started()
    } else {
        Timestamp::now()
    };
    let report = measure::check(&inquiry, &plan, now).await;
    drop(progress);

    if let Some(file) = &arguments.save {
        let check = SavedCheck {
            zone: plan.zone.clone(),
            undelegated: plan.undelegated.clone(),
            port: port(&arguments),
        };
        std::fs::write(file, inquiry.save_check(check))
            .with_context(|| format!("keeping the exchanges in `{}`", file.display()))?;
    }
    let told = tell(&arguments, &report, inquiry.answered())?;
    anstream::stdout()
        .write_all(told.as_bytes())
        .context("writing what was found")?;
    Ok(ExitCode::from(status(&report)))
}

fn tell(arguments: &CheckArgs, report: &Report, questions: usize) -> anyhow::Result<String> {
    if arguments.genreport {
        return Ok(genreport::lines(report).map(|line| line + "\n").collect());
    }
    if arguments.raw {
        return Ok(raw_lines(report, arguments.level).map(|line| line + "\n").collect());
    }
    if arguments.json {
        let document = document::document(report, questions, arguments.level, arguments.language);
        return Ok(serde_json::to_string_pretty(&document)? + "\n");
    }
    let wording = Wording {
        level: arguments.level,
        language: arguments.language,
        width: textwrap::termwidth(),
    };
    Ok(terminal::render(report, questions, wording))
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
    let cases = chosen(arguments);
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
    let profile = with_tables(profile, arguments.routes.as_deref(), &arguments.special_registries)?;
    let undelegated = (!ns.is_empty() || !arguments.ds.is_empty()).then(|| Undelegated {
        ns,
        ds: arguments.ds.clone(),
    });
    Ok(CheckPlan {
        // with --zones each zone takes its own place in the plan
        zone: arguments.zone.clone().unwrap_or_else(Name::root),
        undelegated,
        cases: (!cases.is_empty()).then_some(cases),
        profile,
    })
}

/// The test cases that were asked for; none means those of the profile.
fn chosen(arguments: &CheckArgs) -> Vec<String> {
    let ids = measure::cases::ids().map(str::to_owned);
    match (arguments.genreport, arguments.deep) {
        (true, false) => vec!["edns01".to_owned()],
        (true, true) => vec!["edns01".to_owned(), "edns02".to_owned()],
        (false, true) => ids.collect(),
        (false, false) => arguments.tests.iter().map(|case| case.to_ascii_lowercase()).collect(),
    }
}

/// The profile with these tables in the place of its own.
pub fn with_tables(mut profile: Profile, routes: Option<&Path>, registries: &[PathBuf]) -> anyhow::Result<Profile> {
    if let Some(file) = routes {
        let table = RouteTable::load(file).context("reading the table of routes")?;
        profile.routes = Some(Arc::new(table));
    }
    for file in registries {
        let registries = profile.special_purpose.with_file(file);
        let registries = registries.context("reading the registry of special-purpose addresses")?;
        profile.special_purpose = Arc::new(registries);
    }
    Ok(profile)
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
    Ok(internet(arguments)?.inquiry())
}

/// Name of the vantage point: the one given, or this machine's own.
fn vantage_point(given: Option<&str>) -> String {
    let own = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = given.map_or_else(own, str::to_owned);
    match name.trim() {
        // a kernel without a name, or none that tells it
        "" | "(none)" => "this machine".to_owned(),
        name => name.to_owned(),
    }
}

fn port(arguments: &CheckArgs) -> u16 {
    arguments.port.unwrap_or(53)
}

fn internet(arguments: &CheckArgs) -> anyhow::Result<Internet> {
    let hints = match &arguments.hints {
        Some(file) => read_hints(file)?,
        None => measure::root_servers(),
    };
    let anchors = match &arguments.anchor {
        Some(file) => read_anchors(file)?,
        None if arguments.hints.is_none() => measure::root_anchors(),
        None => Vec::new(),
    };
    let mut settings = Settings {
        vantage_point: Some(vantage_point(arguments.from.as_deref())),
        hints,
        anchors,
        port: port(arguments),
        ipv4: !arguments.no_ipv4,
        ipv6: !arguments.no_ipv6,
        sockets: SOCKETS,
        ..Settings::default()
    };
    match arguments.max_per_target {
        // questions under way limit the rate as well: sixteen are 160 a second where a round trip takes 100 ms
        0 => (settings.per_server_rate, settings.per_server) = (u32::MAX, SOCKETS),
        limit => (settings.per_server_rate, settings.per_server_burst) = (limit, limit),
    }
    Internet::open(settings.on_this_machine()).context("opening sockets to ask the DNS")
}

/// Reads root hints in zone-file form.
pub fn read_hints(file: &Path) -> anyhow::Result<Vec<(Name, Vec<IpAddr>)>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading the hints `{}`", file.display()))?;
    measure::parse_hints(&text).with_context(|| format!("reading the hints `{}`", file.display()))
}

/// Reads trust anchors: DS and DNSKEY records in zone-file form.
pub fn read_anchors(file: &Path) -> anyhow::Result<Vec<Anchor>> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("reading the trust anchors `{shown}`"))?;
    measure::parse_anchors(&text).with_context(|| format!("reading the trust anchors `{shown}`"))
}

/// A line for each finding at `level` or above: seconds LEVEL CASE TAG key=value…
fn raw_lines(report: &Report, level: Level) -> impl Iterator<Item = String> {
    let findings = report
        .findings
        .iter()
        .filter(move |(_, finding)| finding.level >= level);
    findings.map(|(seconds, finding)| format!("{seconds:7.2} {}", raw_line(finding)))
}

/// LEVEL CASE TAG key=value…, the last of them the vantage point.
fn raw_line(finding: &Finding) -> String {
    let arguments = finding.args.iter().map(|(name, value)| (name.as_str(), value));
    let point = finding.vantage_point.iter().map(|point| ("vantage_point", point));
    let arguments: String = arguments
        .chain(point)
        .map(|(name, value)| format!(" {name}={value}"))
        .collect();
    format!("{:8} {} {}{arguments}", finding.level, finding.case, finding.tag)
}
