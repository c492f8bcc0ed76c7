//! `dnscert vantage add|list|token|revoke`: from where zones are measured, or traffic is listened to.

use std::process::ExitCode;

use anyhow::Context as _;
use csirt::vantage::{self, Place, Profile, Standing, State, Terms, VantagePoint};
use csirt::{Actor, Records, directory};
use jiff::Timestamp;

use crate::cli::{VantageArgs, VantageCommand};

/// Registers, shows, or changes vantage points.
pub async fn run(command: VantageCommand) -> anyhow::Result<ExitCode> {
    match command {
        VantageCommand::Add(arguments) => add(*arguments).await?,
        VantageCommand::List { json, config } => {
            let (config, records) = super::open_records(&config.config).await?;
            let states = vantage::states(&records).await.context("reading the vantage points")?;
            for (point, state) in &states {
                let standing = vantage::standing(point, state, config.probes.silent_after_secs, records.now());
                if json {
                    println!("{}", as_json(point, state, standing));
                } else {
                    println!("{}", as_line(point, state, standing));
                }
            }
        }
        VantageCommand::Token { name, config } => {
            let (_, records) = super::open_records(&config.config).await?;
            let point = find(&records, &name).await?;
            let secret = vantage::renew_token(&records, Actor::System, point.id)
                .await
                .with_context(|| format!("giving `{name}` another token"))?;
            println!("{}", secret.reveal());
        }
        VantageCommand::Revoke { name, config } => {
            let (_, records) = super::open_records(&config.config).await?;
            let point = find(&records, &name).await?;
            vantage::revoke(&records, Actor::System, point.id)
                .await
                .with_context(|| format!("revoking `{name}`"))?;
            println!("{name} can hand over nothing more");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The token alone goes to standard output, so that it can go into a file.
async fn add(arguments: VantageArgs) -> anyhow::Result<()> {
    let (config, records) = super::open_records(&arguments.config.config).await?;
    let operator = match &arguments.operator {
        Some(handle) => {
            let found = directory::by_handle(&records, handle)
                .await
                .context("reading the directory")?;
            Some(
                found
                    .with_context(|| format!("the directory has no organisation `{handle}`"))?
                    .id,
            )
        }
        None => None,
    };
    if arguments.name == config.dns.probe {
        anyhow::bail!("`{}` is the name of the centre's own samples", arguments.name);
    }
    let profile = Profile {
        name: arguments.name,
        operator,
        place: Place {
            region: arguments.region,
            country: arguments.country,
            city: arguments.city,
            coordinates: arguments.at,
        },
        network: arguments.network,
        asn: arguments.asn,
        ipv4: !arguments.no_ipv4,
        ipv6: !arguments.no_ipv6,
    };
    let terms = arguments.sensor.then_some(Terms {
        owner: arguments.owner,
        licence: arguments.licence,
        tlp: arguments.tlp,
        legal_basis: arguments.legal_basis,
    });
    let is_sensor = terms.is_some();
    let made = match terms {
        None => vantage::create(&records, Actor::System, profile).await,
        Some(terms) => vantage::create_sensor(&records, Actor::System, profile, terms).await,
    };
    let (point, secret) = made.context("registering the vantage point")?;
    let name = &point.profile.name;
    eprintln!("{name}: {}", point.profile.place);
    eprintln!("This token is shown this once. Put it into a file there, and run:");
    match is_sensor {
        false => eprintln!("  dnscert probe --centre {} --token {name}.token", config.public_url),
        true => eprintln!(
            "  dnscert sensor --centre {} --token {name}.token --dnstap /run/dnstap.sock",
            config.public_url
        ),
    }
    println!("{}", secret.reveal());
    Ok(())
}

async fn find(records: &Records, name: &str) -> anyhow::Result<VantagePoint> {
    let found = vantage::by_name(records, name)
        .await
        .context("reading the vantage points")?;
    found.with_context(|| format!("there is no vantage point `{name}`"))
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Working => "working",
        Standing::Silent => "silent",
        Standing::New => "never heard",
        Standing::Revoked => "revoked",
    }
}

fn as_line(point: &VantagePoint, state: &State, standing: Standing) -> String {
    let time = |time: Option<Timestamp>| time.map_or_else(|| "-".to_owned(), |time| format!("{time:.0}"));
    let place = &point.profile.place;
    format!(
        "{:<16} {:<12} {:<4} {:<24} contact {:<22} newest {:<22} {} {}, {} parts waiting, {} dropped",
        point.profile.name,
        word(standing),
        place.region,
        format!("{}, {}", place.city, place.country),
        time(state.contact),
        time(state.newest.as_ref().map(|newest| newest.newest)),
        state.samples,
        if point.terms.is_some() { "rows" } else { "samples" },
        state.report.spool_parts,
        state.report.dropped_samples,
    )
}

fn as_json(point: &VantagePoint, state: &State, standing: Standing) -> serde_json::Value {
    let (profile, report) = (&point.profile, &state.report);
    serde_json::json!({
        "name": profile.name,
        "kind": if point.terms.is_some() { "sensor" } else { "probe" },
        "standing": word(standing),
        "region": profile.place.region,
        "country": profile.place.country,
        "city": profile.place.city,
        "coordinates": profile.place.coordinates.to_string(),
        "network": profile.network,
        "asn": profile.asn,
        "ipv4": profile.ipv4,
        "ipv6": profile.ipv6,
        "contact_at": state.contact,
        "newest_sample_at": state.newest.as_ref().map(|newest| newest.newest),
        "version": report.version,
        "clock_offset_us": report.clock_offset_us,
        "round_trip_us": report.round_trip_us,
        "spool_parts": report.spool_parts,
        "spool_bytes": report.spool_bytes,
        "oldest_part_at": report.oldest_part,
        "dropped_samples": report.dropped_samples,
        "lost_packets": report.lost_packets,
        "parts": state.parts,
        "samples": state.samples,
        "refused_parts": state.refused_parts,
        "refused_reason": state.refused.as_ref().map(|(_, reason)| reason),
    })
}
