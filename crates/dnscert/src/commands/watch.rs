//! `dnscert watch add|import|list`: which zones are measured again and again.

mod file;

use std::fs::File;
use std::io::{BufReader, stdin};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use csirt::watch::{self, Watch};
use csirt::{Actor, Records};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use measure::{Internet, Profile};
use model::{Check, Delegation, Name};

use self::file::Wanted;
use crate::centre;
use crate::cli::{WatchCommand, WatchOptions};
use crate::config::Config;

/// Zones whose parents are asked at a time, as many as `dnscert check --zones` checks by itself.
const AT_ONCE: usize = 50;

/// Zones that an error names at most.
const MOST_NAMED: usize = 20;

/// Adds zones, or lists them.
pub async fn run(command: WatchCommand) -> anyhow::Result<ExitCode> {
    match command {
        WatchCommand::Add { zones, options } => {
            let (config, records) = super::open_records(&options.config.config).await?;
            let wanted = zones.into_iter().map(|zone| Wanted {
                zone,
                interval_secs: options.interval,
                region: None,
            });
            for watch in add(&config, &records, wanted.collect(), &options).await? {
                let (zone, interval) = (&watch.zone, watch.interval_secs);
                match &watch.expected {
                    Some(delegation) => println!(
                        "{zone}: watched every {interval} s, delegated to {} name servers",
                        delegation.ns.len()
                    ),
                    None => println!("{zone}: watched every {interval} s, nothing is expected of its delegation yet"),
                }
            }
        }
        WatchCommand::Import { file, options } => {
            let (config, records) = super::open_records(&options.config.config).await?;
            let wanted =
                read(&file, options.interval).with_context(|| format!("reading the zones in `{}`", file.display()))?;
            let added = add(&config, &records, wanted, &options).await?;
            let unknown = added.iter().filter(|watch| watch.expected.is_none()).count();
            println!(
                "{} zones are watched, {unknown} of them without an expectation",
                added.len()
            );
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

fn read(file: &Path, interval_secs: u32) -> anyhow::Result<Vec<Wanted>> {
    if file.as_os_str() == "-" {
        return file::read(stdin().lock(), interval_secs);
    }
    file::read(BufReader::new(File::open(file)?), interval_secs)
}

/// Asks what the parents say, and puts all zones on the list or none.
async fn add(
    config: &Config,
    records: &Records,
    wanted: Vec<Wanted>,
    options: &WatchOptions,
) -> anyhow::Result<Vec<Watch>> {
    let zones: Vec<Name> = wanted.iter().map(|wanted| wanted.zone.clone()).collect();
    let taken = watch::taken(records, &zones).await.context("reading the watch list")?;
    let taken: Vec<String> = taken
        .iter()
        .map(|zone| format!("{zone}: watched already, or named twice"))
        .collect();
    refuse(&taken, "leave them out")?;

    let internet = Internet::open(centre::dns_settings(config)?).context("opening sockets to ask the DNS")?;
    let bar = super::check::progress(u64::try_from(wanted.len()).ok());
    let asked = stream::iter(wanted).map(|wanted| {
        let internet = internet.clone();
        tokio::spawn(async move { (seen_now(&internet, &wanted.zone).await, wanted) })
    });
    let mut asked = asked.buffered(AT_ONCE);
    let (mut watches, mut unknown) = (Vec::new(), Vec::new());
    while let Some(asked) = asked.next().await {
        let (seen, wanted) = asked.context("asking the parent of a zone")?;
        bar.inc(1);
        let expected = match seen {
            Ok(delegation) => Some(delegation),
            Err(reason) => {
                unknown.push(format!("{}: {reason}", wanted.zone));
                None
            }
        };
        watches.push(Watch {
            expected,
            interval_secs: wanted.interval_secs,
            region: wanted.region,
            ..Watch::new(wanted.zone)
        });
    }
    bar.finish_and_clear();
    if !options.unknown {
        refuse(
            &unknown,
            "leave them out, or watch them without an expectation by --unknown",
        )?;
    }
    watch::add_all(records, Actor::System, &watches)
        .await
        .context("putting the zones on the watch list")?;
    Ok(watches)
}

/// Fails with the mistakes, where there are some, and with what to do about them.
fn refuse(mistakes: &[String], cure: &str) -> anyhow::Result<()> {
    let named = mistakes[..mistakes.len().min(MOST_NAMED)].join("\n  ");
    match mistakes.len() {
        0 => Ok(()),
        1..=MOST_NAMED => anyhow::bail!("no zone was added:\n  {named}\n{cure}"),
        all => anyhow::bail!("no zone was added:\n  {named}\n  and {} more\n{cure}", all - MOST_NAMED),
    }
}

/// What the parent says of the zone at this moment, or why that is not known.
async fn seen_now(internet: &Internet, zone: &Name) -> Result<Delegation, &'static str> {
    let check = Check::Delegation {
        zone: zone.clone(),
        expected: Delegation::default(),
    };
    let verdict = measure::verify(&internet.inquiry(), &check, &Profile::default(), Timestamp::now()).await;
    match verdict.seen {
        None => Err("what its parent says could not be learnt"),
        Some(seen) if seen.ns.is_empty() => Err("its parent does not delegate it"),
        Some(seen) => Ok(seen),
    }
}
