//! `dnscert watch add|list`: which zones are measured again and again.

use std::process::ExitCode;

use anyhow::Context as _;
use csirt::Actor;
use csirt::watch::{self, Watch};
use jiff::Timestamp;
use measure::{CheckPlan, Internet};
use model::{Delegation, Name};

use crate::centre;
use crate::cli::WatchCommand;
use crate::config::Config;

/// Adds zones, or lists them.
pub async fn run(command: WatchCommand) -> anyhow::Result<ExitCode> {
    match command {
        WatchCommand::Add {
            zones,
            interval,
            config,
        } => {
            let (config, records) = super::open_records(&config.config).await?;
            for zone in zones {
                let expected = seen_now(&config, &zone).await?;
                let servers = expected.as_ref().map_or(0, |delegation| delegation.ns.len());
                let new = Watch {
                    expected,
                    interval_secs: interval,
                    ..Watch::new(zone.clone())
                };
                watch::add(&records, Actor::System, &new)
                    .await
                    .with_context(|| format!("watching {zone}"))?;
                println!("{zone}: watched every {interval} s, delegated to {servers} name servers");
            }
        }
        WatchCommand::List { config } => {
            let (_, records) = super::open_records(&config.config).await?;
            for zone in watch::standings(&records).await.context("reading the watch list")? {
                let seen = match zone.measured {
                    Some(measured) => {
                        let worst = zone.worst.map_or("-", |level| level.as_str());
                        format!("{worst:<8} {measured:.0}")
                    }
                    None => "not measured yet".to_owned(),
                };
                println!("{:<40} {:>6} s  {seen}", zone.zone.to_string(), zone.interval_secs);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What the parent says of the zone at this moment.
async fn seen_now(config: &Config, zone: &Name) -> anyhow::Result<Option<Delegation>> {
    let internet = Internet::open(centre::dns_settings(config)?).context("opening sockets to ask the DNS")?;
    let plan = CheckPlan {
        cases: Some(vec!["basic01".to_owned()]),
        ..CheckPlan::of(zone.clone())
    };
    Ok(measure::check(&internet.inquiry(), &plan, Timestamp::now())
        .await
        .delegation)
}
