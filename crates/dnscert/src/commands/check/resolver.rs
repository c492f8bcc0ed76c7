//! `dnscert check-resolver ADDR`: tests a resolver and explains what it finds.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use measure::{Measuring, Profile, ResolverPlan, ResolverReport, Settings, check_resolver};
use model::{Finding, Level};
use serde_json::json;

use super::document::Told;
use super::terminal::{Wording, render_resolver};
use super::{CLEAN, FINDINGS, raw_line, vantage_point};
use crate::cli::CheckResolverArgs;

/// How long one question may take. A resolver tries for seconds before it says SERVFAIL to wrong signatures.
const PATIENCE: Duration = Duration::from_secs(8);

/// Version of the JSON document: raised when a field changes its meaning or goes, not when one is added.
const VERSION: u32 = 1;

/// Status 0 clean, 1 findings at ERROR or above, 2 usage, 3 could not test.
pub async fn run(arguments: &CheckResolverArgs) -> anyhow::Result<ExitCode> {
    let profile = match &arguments.profile {
        Some(file) => Profile::load(file).with_context(|| format!("reading the profile `{}`", file.display()))?,
        None => Profile::default(),
    };
    let plan = ResolverPlan {
        resolver: SocketAddr::new(arguments.resolver, arguments.port),
        measuring: arguments.zone.clone().map(|zone| Measuring {
            zone,
            authority: arguments.authority,
        }),
        is_outside: arguments.outside,
        profile,
    };
    let settings = Settings {
        vantage_point: Some(vantage_point(arguments.from.as_deref())),
        timeout: PATIENCE,
        ..Settings::default()
    };
    let report = check_resolver(&settings, &plan, Timestamp::now())
        .await
        .with_context(|| format!("asking {}", plan.resolver))?;
    let told = tell(arguments, &report)?;
    anstream::stdout()
        .write_all(told.as_bytes())
        .context("writing what was found")?;
    let worst = report.findings.iter().map(|finding| finding.level).max();
    Ok(ExitCode::from(if worst >= Some(Level::Error) {
        FINDINGS
    } else {
        CLEAN
    }))
}

fn tell(arguments: &CheckResolverArgs, report: &ResolverReport) -> anyhow::Result<String> {
    let shown = || {
        report
            .findings
            .iter()
            .filter(|finding: &&Finding| finding.level >= arguments.level)
    };
    if arguments.raw {
        return Ok(shown().map(|finding| raw_line(finding) + "\n").collect());
    }
    if arguments.json {
        let findings: Vec<Told> = shown().map(|finding| Told::of(finding, arguments.language)).collect();
        let document = json!({
            "version": VERSION, "resolver": report.resolver, "time": report.started,
            "vantage_point": report.vantage_point, "seconds": report.seconds,
            "questions": report.questions, "findings": findings, "seen": report.seen,
        });
        return Ok(serde_json::to_string_pretty(&document)? + "\n");
    }
    let wording = Wording {
        level: arguments.level,
        language: arguments.language,
        width: textwrap::termwidth(),
    };
    Ok(render_resolver(report, wording))
}
