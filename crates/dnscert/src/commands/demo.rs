//! `dnscert demo`: the whole centre on a simulated Internet.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use csirt::accounts::Account;
use csirt::watch::{self, ZoneState};
use jiff::Timestamp;
use lab::{Lab, Story};
use model::SystemClock;
use tokio_util::sync::CancellationToken;

use crate::centre::{Centre, Running};
use crate::cli::DemoArgs;
use crate::config::{Config, DnsConfig};
use crate::demo::{LOGINS, PASSWORD, Party, Player, Probes, Teller, probes_config, seed};

/// Marks a folder as one that the demo made, so that `--fresh` never removes another.
const MARK: &str = ".dnscert-demo";

/// Longest wait for the first round on every zone.
const FIRST_ROUNDS: Duration = Duration::from_secs(180);

/// Starts the world and the centre, plays the story, and stays until told to stop (or ends, with `--once`).
pub async fn run(arguments: DemoArgs) -> anyhow::Result<ExitCode> {
    let teller = Teller::new(arguments.json);
    let mut world = super::world(&arguments.story)?;
    let story = world
        .story
        .take()
        .with_context(|| format!("the world `{}` has no story", arguments.story))?;
    prepare(&arguments)?;
    let world = world.with_keys_in(arguments.data.join("lab-keys"));
    let about = world.about.clone();
    let lab = Arc::new(
        Lab::start(world, arguments.dns_port, Timestamp::now())
            .await
            .context("starting the world")?,
    );

    let config = config(&arguments, &lab)?;
    let mut centre = Centre::open(config, Arc::new(SystemClock)).await?;
    centre.verify_every = Duration::from_secs(arguments.interval.into());
    let officer = seed(&centre.open_records, &lab, arguments.interval).await?;
    let started = centre.open_records.now();
    let running = centre.start(CancellationToken::new()).await?;
    let probes = Probes::start(&running.centre.open_records, &arguments.data, running.address).await?;
    greet(&teller, &arguments, &running, &about);

    let played = tokio::select! {
        played = play(&arguments, &running, &lab, officer, &story, teller, started) => Some(played),
        () = super::told_to_stop() => None,
    };
    let code = match played {
        Some(Ok(true)) => ExitCode::SUCCESS,
        Some(Ok(false)) => ExitCode::FAILURE,
        Some(Err(error)) => {
            stop(running, probes, &lab).await?;
            return Err(error);
        }
        None => {
            stop(running, probes, &lab).await?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    if !arguments.once {
        if !arguments.json {
            println!("\nThe centre stays up at http://{} until Ctrl-C.", running.address);
        }
        super::told_to_stop().await;
    }
    stop(running, probes, &lab).await?;
    Ok(code)
}

async fn stop(running: Running, probes: Probes, lab: &Lab) -> anyhow::Result<()> {
    probes.stop().await;
    running.stop().await?;
    lab.stop().await;
    Ok(())
}

/// Makes the data folder; empties it first with `--fresh`.
fn prepare(arguments: &DemoArgs) -> anyhow::Result<()> {
    let (folder, mark) = (&arguments.data, arguments.data.join(MARK));
    let shown = folder.display();
    if folder.exists() && !mark.exists() && !is_empty(folder)? {
        bail!("`{shown}` is there and was not made by the demo; name another folder with --data");
    }
    if arguments.fresh && mark.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("emptying `{shown}`"))?;
    }
    std::fs::create_dir_all(folder).with_context(|| format!("making `{shown}`"))?;
    std::fs::write(&mark, "made by dnscert demo\n").with_context(|| format!("writing into `{shown}`"))
}

fn is_empty(folder: &Path) -> anyhow::Result<bool> {
    Ok(std::fs::read_dir(folder)
        .with_context(|| format!("reading `{}`", folder.display()))?
        .next()
        .is_none())
}

fn config(arguments: &DemoArgs, lab: &Lab) -> anyhow::Result<Config> {
    let files = super::WorldFiles::write(lab, &arguments.data)?;
    let mut config = Config {
        listen: arguments.listen,
        public_url: format!("http://{}", arguments.listen),
        data: arguments.data.clone(),
        dns: DnsConfig {
            hints: files.hints,
            anchors: files.anchors.unwrap_or_default(),
            port: lab.port(),
            ipv6: false,
            ..DnsConfig::default()
        },
        probes: probes_config(),
        ..Config::default()
    };
    config.centre.name = "Atlas DNS-CERT".to_owned();
    config.centre.mail = "duty@dns-cert.example".to_owned();
    config.centre.phone = "+44 1632 960001".to_owned();
    Ok(config)
}

fn greet(teller: &Teller, arguments: &DemoArgs, running: &Running, about: &str) {
    teller.say(about);
    teller.say(&format!("\n  portal    http://{}", running.address));
    for (name, role) in LOGINS {
        teller.say(&format!("  login     {name:<10} {PASSWORD}   ({role})"));
    }
    teller.say(&format!("  data      {}", arguments.data.display()));
    teller.say(&format!("  outbox    {}", running.centre.config.outbox().display()));
    teller.say(&format!(
        "  interval  {} s between two rounds on each zone",
        arguments.interval
    ));
    if !running.address.ip().is_loopback() {
        teller.say("\n  The passwords above are known to everybody, and this address is reachable from outside.");
    }
}

/// Waits for the first rounds, then plays. Whether the story passed.
async fn play(
    arguments: &DemoArgs,
    running: &Running,
    lab: &Arc<Lab>,
    officer: Account,
    story: &Story,
    teller: Teller,
    started: Timestamp,
) -> anyhow::Result<bool> {
    let patience = tokio::time::Instant::now() + FIRST_ROUNDS;
    let bar = indicatif::ProgressBar::new(0).with_message("first look at every zone");
    loop {
        let watched = watch::states(&running.centre.open_records)
            .await
            .context("reading the watch list")?;
        let is_measured = |state: &ZoneState| state.round.time >= started;
        let measured = watched
            .iter()
            .filter(|(_, state)| state.as_ref().is_some_and(is_measured))
            .count();
        bar.set_length(watched.len() as u64);
        bar.set_position(measured as u64);
        if measured == watched.len() {
            break;
        }
        if tokio::time::Instant::now() > patience {
            bail!(
                "only {measured} of {} zones were measured within {} s",
                watched.len(),
                FIRST_ROUNDS.as_secs()
            );
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bar.finish_and_clear();
    let party = Party::new(running.address)?;
    let player = Player::new(
        running.centre.clone(),
        lab.clone(),
        officer.actor(),
        party,
        arguments.interval,
        teller,
    )?;
    Ok(player.play(story).await?.passed)
}
