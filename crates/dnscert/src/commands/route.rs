//! `dnscert route NAME|IP`: who answers for it, and why.

use std::process::ExitCode;

use anyhow::Context as _;
use csirt::directory::{self, Target};
use model::Language;
use serde_json::json;

use crate::cli::RouteArgs;

/// Status 0 when somebody answers for it, 1 when the directory knows nobody, 2 when it is neither a name nor an address.
pub async fn run(arguments: RouteArgs) -> anyhow::Result<ExitCode> {
    let target: Target = match arguments.target.parse() {
        Ok(target) => target,
        Err(error) => {
            eprintln!("dnscert route: {error}");
            return Ok(ExitCode::from(2));
        }
    };
    let (_, records) = super::open_records(&arguments.config.config).await?;
    let routes = directory::route(&records, &target)
        .await
        .with_context(|| format!("routing {target}"))?;
    if arguments.json {
        let routes: Vec<_> = routes
            .iter()
            .map(|route| {
                let because: Vec<String> = route
                    .because
                    .iter()
                    .map(|because| because.text(Language::English))
                    .collect();
                json!({ "organisation": route.organisation.profile, "because": because, "channels": route.channels() })
            })
            .collect();
        println!(
            "{}",
            serde_json::to_string_pretty(&json!({ "target": target.to_string(), "routes": routes }))?
        );
    } else {
        for route in &routes {
            let profile = &route.organisation.profile;
            println!(
                "{} ({}, {}, {})",
                profile.name, profile.kind, profile.region, profile.time_zone
            );
            for because in &route.because {
                println!("  because   {}", because.text(Language::English));
            }
            for channel in route.channels() {
                let person = if channel.person.is_empty() {
                    String::new()
                } else {
                    format!("  {}", channel.person)
                };
                println!(
                    "  {:<9} {}  ({}){person}",
                    channel.kind.to_string(),
                    channel.value,
                    channel.purpose
                );
            }
            println!();
        }
    }
    if routes.is_empty() {
        eprintln!("The directory knows nobody who answers for {target}.");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
