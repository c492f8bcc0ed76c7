//! A world: servers, zones, organisations and events, as read from its folder.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use model::Name;
use serde::{Deserialize, Serialize};

use crate::event::{Change, Event};
use crate::fault::FaultRule;
use crate::organisation::{Organisation, OrganisationKind, Region, ResponsibilityKind};
use crate::signing::Signing;
use crate::span::Span;
use crate::story::Story;
use crate::zone_file::{self, Record, ZoneFileError};

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/worlds");

/// A DNS world, read and checked, not yet running.
#[derive(Debug, Clone)]
pub struct World {
    /// Its name.
    pub name: String,
    /// What it is, in a sentence.
    pub about: String,
    /// Its servers.
    pub servers: Vec<Server>,
    /// Its zones.
    pub zones: Vec<Zone>,
    /// Events of its own: those with a time happen by themselves.
    pub events: Vec<Event>,
    /// The organisations of `organisations.toml`.
    pub organisations: Vec<Organisation>,
    /// The story of `story.toml`.
    pub story: Option<Story>,
    /// Seed of everything that is left to chance (loss, garbage).
    pub seed: u64,
    /// Folder where the zones' keys are kept, so that a second run has the same ones. In memory only when absent.
    pub keys: Option<PathBuf>,
}

/// A name server of a world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its NS name.
    pub name: Name,
    /// Its addresses, all loopback.
    pub addresses: Vec<IpAddr>,
    /// Ids of the zones it serves.
    pub zones: Vec<String>,
    /// Id of the organisation that runs it.
    #[serde(default)]
    pub operator: Option<String>,
    /// Region where it stands.
    #[serde(default)]
    pub region: Option<Region>,
    /// Time from a question to its answer, on top of loopback's.
    #[serde(default)]
    pub latency: Span,
    /// Share of UDP questions that get lost, 0 to 1.
    #[serde(default)]
    pub loss: f64,
    /// What it does wrong from the start.
    #[serde(default)]
    pub faults: Vec<FaultRule>,
}

/// A zone of a world, in one edition.
#[derive(Debug, Clone)]
pub struct Zone {
    /// Id by which servers name it: the zone's name, or anything else for a second edition of the same zone.
    pub id: String,
    /// Its name.
    pub name: Name,
    /// How it is signed, if it is.
    pub signing: Option<Signing>,
    pub(crate) records: Vec<Record>,
}

/// Why a world cannot be read. Each names the file.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A file is not there or cannot be read.
    #[error("cannot read `{file}` of the world")]
    Read {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not TOML of the right shape.
    #[error("`{file}` is not as a world needs it: {reason}")]
    Shape {
        /// The file.
        file: String,
        /// What is wrong, with the line.
        reason: String,
    },
    /// A zone file is wrong.
    #[error("zone file `{file}`, {error}")]
    Zone {
        /// The file.
        file: String,
        /// What is wrong, with the line.
        error: ZoneFileError,
    },
    /// The files can be read but do not fit together.
    #[error("`{file}`: {reason}")]
    Contradiction {
        /// The file.
        file: String,
        /// What does not fit.
        reason: String,
    },
    /// No world of this name ships.
    #[error("there is no world `{name}`; worlds that ship are {list}", list = World::shipped_names().join(", "))]
    Unknown {
        /// The name asked for.
        name: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorldFile {
    name: String,
    #[serde(default)]
    about: String,
    #[serde(default)]
    seed: u64,
    #[serde(default, rename = "server")]
    servers: Vec<Server>,
    #[serde(default, rename = "zone")]
    zones: Vec<ZoneEntry>,
    #[serde(default, rename = "event")]
    events: Vec<Event>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ZoneEntry {
    name: Name,
    id: Option<String>,
    file: String,
    signing: Option<Signing>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrganisationsFile {
    #[serde(default, rename = "organisation")]
    organisations: Vec<Organisation>,
}

/// Gives the text of a file of the world's folder.
type Files<'a> = &'a dyn Fn(&str) -> std::io::Result<String>;

impl World {
    /// Reads the world in `folder`: `world.toml`, the zone files it names, and `organisations.toml` and `story.toml` where they are.
    pub fn load(folder: &Path) -> Result<Self, WorldError> {
        read(&|file| std::fs::read_to_string(folder.join(file)))
    }

    /// A world that ships with the program.
    pub fn shipped(name: &str) -> Result<Self, WorldError> {
        let folder = SHIPPED
            .get_dir(name)
            .ok_or_else(|| WorldError::Unknown { name: name.to_owned() })?;
        read(&|file| {
            let found = SHIPPED
                .get_file(folder.path().join(file))
                .and_then(|file| file.contents_utf8());
            found
                .map(str::to_owned)
                .ok_or_else(|| std::io::ErrorKind::NotFound.into())
        })
    }

    /// Names of the worlds that ship.
    pub fn shipped_names() -> Vec<&'static str> {
        SHIPPED.dirs().filter_map(|folder| folder.path().to_str()).collect()
    }

    /// A world from files in memory, by name: at least `world.toml` and the zone files it names.
    pub fn from_parts(files: &[(&str, &str)]) -> Result<Self, WorldError> {
        read(&|wanted| {
            let found = files.iter().find(|(name, _)| *name == wanted);
            found
                .map(|(_, text)| (*text).to_owned())
                .ok_or_else(|| std::io::ErrorKind::NotFound.into())
        })
    }

    /// The same world with its zones' keys kept in `folder`, for runs after this one.
    pub fn with_keys_in(self, folder: PathBuf) -> Self {
        Self {
            keys: Some(folder),
            ..self
        }
    }

    /// The zone with this id.
    pub fn zone(&self, id: &str) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.id == id)
    }

    /// The servers with this NS name or address.
    pub fn servers_called<'a>(&'a self, server: &str) -> impl Iterator<Item = &'a Server> {
        let (name, address) = (server.parse::<Name>().ok(), server.parse::<IpAddr>().ok());
        self.servers.iter().filter(move |server| {
            name.as_ref() == Some(&server.name) || address.is_some_and(|address| server.addresses.contains(&address))
        })
    }

    /// Who answers for a zone: the organisation with the closest responsibility at or above it, national CERTs aside.
    pub fn organisation_of(&self, zone: &Name) -> Option<&Organisation> {
        let closest = |organisation: &&Organisation| {
            let zones = organisation.responsibilities.iter().filter(|responsibility| {
                responsibility.kind == ResponsibilityKind::Zone && responsibility.role != OrganisationKind::NationalCert
            });
            let names = zones.filter_map(|responsibility| responsibility.value.parse::<Name>().ok());
            names
                .filter(|name| zone.is_at_or_below(name))
                .map(|name| name.label_count())
                .max()
        };
        self.organisations
            .iter()
            .max_by_key(closest)
            .filter(|organisation| closest(organisation).is_some())
    }

    /// Says what about `change` does not fit this world, if anything.
    pub(crate) fn contradiction(&self, change: &Change) -> Option<String> {
        match change {
            Change::Redelegate { zone, .. } | Change::ReplaceDs { zone, .. } => self
                .parent_of(zone)
                .is_none()
                .then(|| format!("no zone of the world is a parent of `{zone}`")),
            Change::SwapKey { zone, .. } | Change::ExpireSignatures { zone } | Change::Resign { zone } => {
                match self.zone(zone) {
                    None => Some(format!("the world has no zone `{zone}`")),
                    Some(zone) if zone.signing.is_none() => Some(format!("the zone `{}` is not signed", zone.id)),
                    Some(_) => None,
                }
            }
            Change::Cut { server } | Change::AddFault { server, .. } | Change::RemoveFault { server, .. }
                if self.servers_called(server).next().is_none() =>
            {
                Some(format!("the world has no server `{server}`"))
            }
            Change::AddFault { rule, .. } => rule.contradiction(),
            Change::Cut { .. } | Change::RemoveFault { .. } => None,
            Change::Repair { .. } => None,
        }
    }

    /// The zone that delegates `zone`: the closest above it, in its first edition.
    pub(crate) fn parent_of(&self, zone: &Name) -> Option<&Zone> {
        parent_by(zone, |id| self.zone(id))
    }
}

/// What `by_id` has of the zone that delegates `zone`: the first edition of a zone has its name as its id.
pub(crate) fn parent_by<T>(zone: &Name, by_id: impl Fn(&str) -> Option<T>) -> Option<T> {
    let mut above = std::iter::successors(zone.parent(), Name::parent);
    above.find_map(|name| by_id(&name.to_string()))
}

fn read(files: Files<'_>) -> Result<World, WorldError> {
    let file: WorldFile = parse("world.toml", &text(files, "world.toml")?)?;
    let mut zones = Vec::with_capacity(file.zones.len());
    for entry in file.zones {
        let records = zone_file::read(&entry.name, &text(files, &entry.file)?).map_err(|error| WorldError::Zone {
            file: entry.file,
            error,
        })?;
        let id = entry.id.unwrap_or_else(|| entry.name.to_string());
        zones.push(Zone {
            id,
            name: entry.name,
            signing: entry.signing,
            records,
        });
    }
    let organisations: OrganisationsFile = optional(files, "organisations.toml")?.unwrap_or(OrganisationsFile {
        organisations: Vec::new(),
    });
    let world = World {
        name: file.name,
        about: file.about,
        servers: file.servers,
        zones,
        events: file.events,
        organisations: organisations.organisations,
        story: optional(files, "story.toml")?,
        seed: file.seed,
        keys: None,
    };
    check(&world).map_err(|reason| WorldError::Contradiction {
        file: "world.toml".to_owned(),
        reason,
    })?;
    check_story(&world).map_err(|reason| WorldError::Contradiction {
        file: "story.toml".to_owned(),
        reason,
    })?;
    Ok(world)
}

fn text(files: Files<'_>, file: &str) -> Result<String, WorldError> {
    files(file).map_err(|source| WorldError::Read {
        file: file.to_owned(),
        source,
    })
}

fn parse<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, WorldError> {
    toml::from_str(text).map_err(|error| WorldError::Shape {
        file: file.to_owned(),
        reason: error.to_string().trim_end().to_owned(),
    })
}

fn optional<T: serde::de::DeserializeOwned>(files: Files<'_>, file: &str) -> Result<Option<T>, WorldError> {
    match files(file) {
        Ok(text) => parse(file, &text).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(WorldError::Read {
            file: file.to_owned(),
            source,
        }),
    }
}

fn check(world: &World) -> Result<(), String> {
    let mut ids = BTreeSet::new();
    for zone in &world.zones {
        if !ids.insert(zone.id.as_str()) {
            return Err(format!(
                "two zones have the id `{}`; give one edition an id of its own",
                zone.id
            ));
        }
    }
    for zone in &world.zones {
        if let Some(reason) = zone.signing.as_ref().and_then(Signing::contradiction) {
            return Err(format!("signing of the zone `{}`: {reason}", zone.id));
        }
    }
    let mut owners: BTreeMap<IpAddr, &Name> = BTreeMap::new();
    for server in &world.servers {
        for address in &server.addresses {
            if !address.is_loopback() {
                return Err(format!(
                    "address {address} of server `{}` is not a loopback address (127.0.0.0/8 or ::1); a lab is never reachable from outside",
                    server.name
                ));
            }
            if let Some(other) = owners.insert(*address, &server.name) {
                return Err(format!(
                    "servers `{other}` and `{}` share the address {address}",
                    server.name
                ));
            }
        }
        if let Some(zone) = server.zones.iter().find(|zone| !ids.contains(zone.as_str())) {
            return Err(format!(
                "server `{}` serves the zone `{zone}`, which the world has not",
                server.name
            ));
        }
        if let Some(reason) = server.faults.iter().find_map(FaultRule::contradiction) {
            return Err(format!("a fault of server `{}`: {reason}", server.name));
        }
        if !(0.0..=1.0).contains(&server.loss) {
            return Err(format!(
                "loss {} of server `{}` is not between 0 and 1",
                server.loss, server.name
            ));
        }
    }
    world
        .events
        .iter()
        .try_for_each(|event| world.contradiction(&event.change).map_or(Ok(()), Err))
}

fn check_story(world: &World) -> Result<(), String> {
    for act in world.story.iter().flat_map(|story| &story.acts) {
        let repairs = act.responsible.iter().flat_map(|responsible| &responsible.repair);
        act.events
            .iter()
            .chain(repairs)
            .try_for_each(|event| world.contradiction(&event.change).map_or(Ok(()), Err))?;
        for responsible in &act.responsible {
            if !world
                .organisations
                .iter()
                .any(|organisation| organisation.id == responsible.organisation)
            {
                return Err(format!(
                    "act `{}` names the unknown organisation `{}`",
                    act.id, responsible.organisation
                ));
            }
        }
        let named = act.responsible.iter().flat_map(|responsible| &responsible.zones);
        if let Some(zone) = act
            .zones
            .iter()
            .chain(named)
            .find(|name| world.zone(&name.to_string()).is_none())
        {
            return Err(format!("act `{}` names the unknown zone `{zone}`", act.id));
        }
    }
    Ok(())
}
