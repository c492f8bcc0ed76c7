//! What there is to say of an operator, for its page, its files and the JSON API.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use csirt::directory::{self, Organisation};
use csirt::watch::{self, Standing, WatchedZone};
use jiff::{SignedDuration, Timestamp};
use metrics::Share;
use model::{Health, Id, Level, Name};

use crate::servers::names_server;
use crate::zones::{is_of, servers, worst_first};
use crate::{App, WebError};

/// Zones whose servers are put together, the worst first. Chosen by us: more would take seconds for a page; those who run so many
/// have them on the same few servers.
const ZONES: usize = 1_000;
/// Zones whose last rounds are read at a time: some megabytes.
const AT_A_TIME: usize = 100;
/// Zones whose samples are read: each is a look into the lake.
const SAMPLED: usize = 20;
/// How far back samples are looked at: a day, as on the page of a zone.
const BACK: SignedDuration = SignedDuration::from_hours(24);

/// One organisation with its zones and their servers.
pub(crate) struct Operator {
    pub(crate) organisation: Organisation,
    /// Its zones, the worst first.
    pub(crate) zones: Vec<Standing>,
    /// The servers of its zones: the worst first, then those with more of its zones.
    pub(crate) servers: Vec<Server>,
    /// Zones whose servers were not looked at.
    pub(crate) unread: usize,
}

/// One server of an operator's zones.
pub(crate) struct Server {
    pub(crate) address: IpAddr,
    pub(crate) names: BTreeSet<Name>,
    /// How it does for the zone that it serves worst.
    pub(crate) health: Health,
    /// Zones of the operator that it serves or should serve.
    pub(crate) zones: usize,
    /// Those of them that it answered for in their last rounds.
    pub(crate) serving: usize,
    /// How it answered over the last 24 hours; `None` where no sample was read.
    pub(crate) seen: Option<Seen>,
    /// Findings at NOTICE or above that name it.
    pub(crate) findings: usize,
    /// The worst level of these.
    pub(crate) worst: Option<Level>,
}

/// How a server answered when it was asked for one zone.
pub(crate) struct Seen {
    pub(crate) zone: Name,
    pub(crate) answered: Share,
    pub(crate) median_us: Option<u64>,
    pub(crate) p95_us: Option<u64>,
}

impl Server {
    /// Id of the word for how it does.
    pub(crate) fn text_id(&self) -> &'static str {
        crate::zones::server_text(self.health)
    }
}

impl Operator {
    /// Puts together what is known; 404 for an organisation that is not there.
    pub(crate) async fn gather(app: &App, id: Id<Organisation>, now: Timestamp) -> Result<Self, WebError> {
        let (organisation, zones) = zones_of(app, id).await?;
        let read = &zones[..zones.len().min(ZONES)];
        let ids: Vec<Id<WatchedZone>> = read.iter().map(|zone| zone.id).collect();
        let mut known = Servers::default();
        for ids in ids.chunks(AT_A_TIME) {
            for (watched, state) in watch::states_of(&app.records, ids).await? {
                if let Some(state) = state {
                    known.add(&watched.watch.zone, &state);
                }
            }
        }
        let servers = known.seen(app, now).await?;
        Ok(Self {
            organisation,
            unread: zones.len() - read.len(),
            zones,
            servers,
        })
    }
}

/// An organisation with its watched zones, the worst first; 404 for one that is not there.
pub(crate) async fn zones_of(app: &App, id: Id<Organisation>) -> Result<(Organisation, Vec<Standing>), WebError> {
    let organisation = directory::get(&app.records, id).await?;
    let mut zones = watch::standings(&app.records).await?;
    zones.retain(|zone| is_of(zone, std::slice::from_ref(&organisation)));
    worst_first(&mut zones);
    Ok((organisation, zones))
}

/// Servers by address, and by which zones each is to be judged.
#[derive(Default)]
struct Servers {
    by_address: BTreeMap<IpAddr, Server>,
    /// Zones that together have all servers, each with those that no earlier one has.
    samples: Vec<(Name, BTreeSet<IpAddr>)>,
}

impl Servers {
    fn add(&mut self, zone: &Name, state: &watch::ZoneState) {
        let mut first_seen = BTreeSet::new();
        let mut counted = BTreeSet::new();
        for found in servers(&state.round.servers) {
            let server = self.by_address.entry(found.address).or_insert_with(|| {
                first_seen.insert(found.address);
                Server {
                    address: found.address,
                    names: BTreeSet::new(),
                    health: Health::Unknown,
                    zones: 0,
                    serving: 0,
                    seen: None,
                    findings: 0,
                    worst: None,
                }
            });
            let health = found.health();
            server.names.insert(found.name);
            server.health = server.health.max(health);
            // one address under two names is one server
            if !counted.insert(found.address) {
                continue;
            }
            server.zones += 1;
            server.serving += usize::from(health == Health::Good);
            let named = state
                .round
                .findings
                .iter()
                .filter(|finding| finding.level >= Level::Notice && names_server(finding, found.address));
            for finding in named {
                server.findings += 1;
                server.worst = server.worst.max(Some(finding.level));
            }
        }
        if !first_seen.is_empty() {
            self.samples.push((zone.clone(), first_seen));
        }
    }

    /// The servers with how they answered in the samples of the last day.
    async fn seen(mut self, app: &App, now: Timestamp) -> Result<Vec<Server>, WebError> {
        let from = now.saturating_sub(BACK).unwrap_or(now);
        for (zone, addresses) in self.samples.iter().take(SAMPLED) {
            for point in app.lake.rtt_series(zone, from, now, BACK).await? {
                let Some(server) = self.by_address.get_mut(&point.address) else {
                    continue;
                };
                let asked = server.seen.as_ref().map_or(0, |seen| seen.answered.all);
                // an address that was met under two names has two rows: the one with more questions says more
                if addresses.contains(&point.address) && point.asked > asked {
                    server.seen = Some(Seen {
                        zone: zone.clone(),
                        answered: Share::of(point.answered, point.asked),
                        median_us: point.rtt_median_us,
                        p95_us: point.rtt_p95_us,
                    });
                }
            }
        }
        let mut servers: Vec<Server> = self.by_address.into_values().collect();
        servers.sort_by(|a, b| (b.health, b.zones, a.address).cmp(&(a.health, a.zones, b.address)));
        Ok(servers)
    }
}
