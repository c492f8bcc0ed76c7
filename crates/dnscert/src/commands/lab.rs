//! `dnscert lab run|event`: a scripted DNS world on loopback.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use jiff::Timestamp;
use lab::{Event, Lab, World};

use crate::cli::LabCommand;

/// Serves a world until told to stop, or changes one that another process serves.
pub async fn run(command: LabCommand) -> anyhow::Result<ExitCode> {
    match command {
        LabCommand::Run {
            world,
            port,
            control,
            files,
        } => serve(&world, port, control, files.as_deref()).await,
        LabCommand::Event { event, world, control } => change(&event, &world, control).await,
    }
}

/// A world by the folder it lies in, or by the name under which it ships.
pub fn world(name: &str) -> anyhow::Result<World> {
    let folder = Path::new(name);
    if folder.join("world.toml").is_file() {
        return World::load(folder).with_context(|| format!("reading the world in `{name}`"));
    }
    World::shipped(name).with_context(|| format!("`{name}` is neither a folder with world.toml nor a world that ships"))
}

/// What a check needs to ask a world.
pub struct Files {
    /// Its root hints, as `--hints` reads them.
    pub hints: PathBuf,
    /// The trust anchor, as `--anchor` reads it; `None` when the root is not signed.
    pub anchors: Option<PathBuf>,
}

impl Files {
    /// Writes them into `folder`: `root.hints` and `root.anchors`.
    pub fn write(lab: &Lab, folder: &Path) -> anyhow::Result<Self> {
        let write = |name: &str, text: String| {
            let file = folder.join(name);
            std::fs::write(&file, text).with_context(|| format!("writing `{}`", file.display()))?;
            anyhow::Ok(file)
        };
        Ok(Self {
            hints: write("root.hints", hints(lab))?,
            anchors: anchor(lab).map(|text| write("root.anchors", text)).transpose()?,
        })
    }
}

fn hints(lab: &Lab) -> String {
    let mut text = String::new();
    for (server, addresses) in lab.hints() {
        text.push_str(&format!(". 3600000 NS {server}.\n"));
        for address in addresses {
            let kind = if address.is_ipv4() { "A" } else { "AAAA" };
            text.push_str(&format!("{server}. 3600000 {kind} {address}\n"));
        }
    }
    text
}

fn anchor(lab: &Lab) -> Option<String> {
    let ds = lab.ds(".")?;
    Some(format!(". IN DS {}\n", ds.to_string().replace(',', " ")))
}

async fn serve(name: &str, port: u16, control: SocketAddr, files: Option<&Path>) -> anyhow::Result<ExitCode> {
    let lab = Lab::start(world(name)?, port, Timestamp::now())
        .await
        .context("starting the world")?;
    let listener = tokio::net::TcpListener::bind(control)
        .await
        .with_context(|| format!("listening for events at {control}"))?;
    println!(
        "{} zones on {} addresses, port {}",
        lab.zones().len(),
        lab.questions().len(),
        lab.port()
    );
    let (hints_file, anchors_file) = match files {
        Some(folder) => {
            std::fs::create_dir_all(folder).with_context(|| format!("making `{}`", folder.display()))?;
            let files = Files::write(&lab, folder)?;
            (files.hints, files.anchors)
        }
        None => {
            print!(
                "; root hints: put these lines into a file `root.hints`, or see --files\n{}",
                hints(&lab)
            );
            if let Some(anchor) = anchor(&lab) {
                print!("; trust anchor: a file `root.anchors`\n{anchor}");
            }
            let anchors = anchor(&lab).map(|_| PathBuf::from("root.anchors"));
            (PathBuf::from("root.hints"), anchors)
        }
    };
    let anchors = anchors_file.map(|file| format!(" --anchor {}", file.display()));
    println!(
        "check a zone: dnscert check ZONE --hints {}{} --port {} --no-ipv6",
        hints_file.display(),
        anchors.unwrap_or_default(),
        lab.port()
    );
    println!("events at {control}: dnscert lab event NAME --control {control}");
    let taking = tokio::spawn(lab::serve_control(lab.clone(), listener));
    super::told_to_stop().await;
    taking.abort();
    lab.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Sends an event that is given as JSON, the undoing of one by name, or all of the world's events of a name.
async fn change(text: &str, name_of_world: &str, control: SocketAddr) -> anyhow::Result<ExitCode> {
    let events = if text.trim_start().starts_with('{') {
        vec![serde_json::from_str::<Event>(text).context("reading the event")?]
    } else if let Some(name) = text.strip_prefix("repair:") {
        vec![Event::repair(name)]
    } else {
        let world = world(name_of_world)?;
        let of_story = world
            .story
            .iter()
            .flat_map(|story| &story.acts)
            .flat_map(|act| &act.events);
        let named = world
            .events
            .iter()
            .chain(of_story)
            .filter(|event| event.name.as_deref() == Some(text));
        // By command an event happens now, whenever the story would have it.
        named
            .map(|event| Event {
                at: None,
                ..event.clone()
            })
            .collect()
    };
    anyhow::ensure!(!events.is_empty(), "the world `{name_of_world}` has no event `{text}`");
    for event in &events {
        lab::send_event(control, event)
            .await
            .with_context(|| format!("sending the event to {control}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
