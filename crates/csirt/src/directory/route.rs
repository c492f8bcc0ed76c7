//! From a name or an address to those who answer for it.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use model::{Id, Name, Prefix};

use super::profile::{Channel, Person, ResponsibilityKind as Kind, ResponsibilityRole};
use super::{Because, Organisation, Responsible, store};
use crate::Error;
use crate::records::Records;

/// What somebody is to answer for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// A zone, a name in a zone, or a name server's name.
    Name(Name),
    /// An address.
    Ip(IpAddr),
    /// A registrar by its number at IANA, written `registrar:292`.
    Registrar(u32),
}

/// How a registrar's number begins as a target. A colon stands in no host name.
const REGISTRAR: &str = "registrar:";

/// A text that is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It begins as a registrar's number does.
    #[error("`{0}` is not a registrar's number")]
    Registrar(String),
    /// It is no name either.
    #[error(transparent)]
    Name(#[from] model::NameError),
}

impl std::str::FromStr for Target {
    type Err = TargetError;

    /// An address or a registrar's number where it is one, else a name.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Target::Ip(address.to_canonical()));
        }
        match text.get(..REGISTRAR.len()) {
            Some(start) if start.eq_ignore_ascii_case(REGISTRAR) => {
                let number = text[REGISTRAR.len()..].trim();
                let wrong = |_| TargetError::Registrar(number.to_owned());
                number.parse().map(Target::Registrar).map_err(wrong)
            }
            _ => Ok(Target::Name(text.parse()?)),
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::Name(name) => name.fmt(f),
            Target::Ip(address) => address.fmt(f),
            Target::Registrar(number) => write!(f, "{REGISTRAR}{number}"),
        }
    }
}

/// Somebody who answers for a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Who.
    pub organisation: Organisation,
    /// Why, the nearest reason first; never empty.
    pub because: Vec<Because>,
}

impl Route {
    /// The channels in the order in which they are tried.
    pub fn channels(&self) -> Vec<&Channel> {
        self.organisation.profile.channels_in_order()
    }

    /// The people.
    pub fn people(&self) -> &[Person] {
        &self.organisation.profile.people
    }
}

/// Who answers for a target, the nearest first: those of the very zone or server, of the zones around it up to the TLD
/// and the root, of the servers of the zone where it is watched, and of the addresses of these, the longest prefix first. An
/// address is also that of the name servers of watched zones which are known to have it.
pub async fn route(records: &Records, target: &Target) -> Result<Vec<Route>, Error> {
    let servers: Vec<Servers> = match target {
        Target::Name(name) => {
            let servers = crate::watch::servers_of(records, &enclosing(name)).await?;
            servers.into_iter().collect()
        }
        Target::Ip(address) => {
            let mut all = crate::watch::all_servers(records).await?;
            all.iter_mut()
                .for_each(|servers| servers.names.retain(|(_, addresses)| is_among(*address, addresses)));
            all
        }
        Target::Registrar(_) => Vec::new(),
    };
    let mut values = BTreeSet::new();
    match target {
        Target::Name(name) => values.extend(enclosing(name).iter().map(Name::to_string)),
        Target::Ip(address) => values.extend(address_values(*address)),
        Target::Registrar(number) => values.extend([number.to_string()]),
    }
    for (name, addresses) in servers.iter().flat_map(|servers| &servers.names) {
        values.insert(name.to_string());
        values.extend(addresses.iter().flat_map(|address| address_values(*address)));
    }
    let values: Vec<String> = values.into_iter().collect();
    let responsible = store::responsible(records.db(), Some(&values)).await?;
    let ids: BTreeSet<Id<Organisation>> = responsible.iter().map(|responsible| responsible.organisation).collect();
    let organisations = store::by_ids(records.db(), &ids.into_iter().collect::<Vec<_>>()).await?;
    let router = Router::new(organisations, responsible, servers);
    Ok(router.route(target))
}

/// A zone with the names and addresses of its servers.
pub(crate) struct Servers {
    pub zone: Name,
    pub names: Vec<(Name, Vec<IpAddr>)>,
}

/// An organisation and as what it answers.
type Who = (Id<Organisation>, ResponsibilityRole);

/// The directory in memory, for routing many targets: a campaign of tens of thousands of names.
pub struct Router {
    organisations: HashMap<Id<Organisation>, Organisation>,
    responsible: HashMap<(Kind, String), Vec<Who>>,
    servers: HashMap<Name, Servers>,
    /// The names of servers by their addresses.
    at: HashMap<IpAddr, BTreeSet<Name>>,
}

impl Router {
    /// The directory and the watch list as they are now.
    pub async fn load(records: &Records) -> Result<Self, Error> {
        let organisations = store::all(records.db()).await?;
        let responsible = store::responsible(records.db(), None).await?;
        let servers = crate::watch::all_servers(records).await?;
        Ok(Self::new(organisations, responsible, servers))
    }

    pub(crate) fn new(organisations: Vec<Organisation>, all: Vec<Responsible>, servers: Vec<Servers>) -> Self {
        let mut responsible: HashMap<_, Vec<_>> = HashMap::new();
        for one in all {
            responsible
                .entry((one.kind, one.value))
                .or_default()
                .push((one.organisation, one.role));
        }
        let mut at: HashMap<_, BTreeSet<_>> = HashMap::new();
        for (name, addresses) in servers.iter().flat_map(|servers| &servers.names) {
            for address in addresses {
                at.entry(address.to_canonical()).or_default().insert(name.clone());
            }
        }
        Self {
            organisations: organisations
                .into_iter()
                .map(|organisation| (organisation.id, organisation))
                .collect(),
            responsible,
            servers: servers
                .into_iter()
                .map(|servers| (servers.zone.clone(), servers))
                .collect(),
            at,
        }
    }

    /// As [`route()`].
    pub fn route(&self, target: &Target) -> Vec<Route> {
        let mut found = Vec::new();
        match target {
            Target::Name(name) => self.of_name(name, &mut found),
            Target::Ip(address) => {
                self.of_address(*address, None, &mut found);
                for server in self.at.get(&address.to_canonical()).into_iter().flatten() {
                    self.of_server(server, None, &mut found);
                }
            }
            Target::Registrar(number) => {
                let because = |role| Because::Registrar { number: *number, role };
                let registrar = number.to_string();
                let who = self.who(Kind::RegistrarId, &registrar);
                found.extend(who.map(|(id, role)| (id, because(role))));
            }
        }
        let mut by_organisation: HashMap<Id<Organisation>, Vec<Because>> = HashMap::new();
        for (id, because) in found {
            let reasons = by_organisation.entry(id).or_default();
            if !reasons.contains(&because) {
                reasons.push(because);
            }
        }
        let mut routes: Vec<Route> = by_organisation
            .into_iter()
            .filter_map(|(id, mut because)| {
                because.sort_by_key(Because::distance);
                Some(Route {
                    organisation: self.organisations.get(&id)?.clone(),
                    because,
                })
            })
            .collect();
        routes.sort_by(|a, b| {
            let near = |route: &Route| route.because.first().map(Because::distance);
            near(a)
                .cmp(&near(b))
                .then_with(|| a.organisation.profile.handle.cmp(&b.organisation.profile.handle))
        });
        routes
    }

    fn of_name(&self, target: &Name, found: &mut Vec<(Id<Organisation>, Because)>) {
        for zone in enclosing(target) {
            for (id, role) in self.who(Kind::Zone, &zone.to_string()) {
                let because = if zone == *target {
                    Because::Zone {
                        zone: zone.clone(),
                        role,
                    }
                } else {
                    Because::EnclosingZone {
                        zone: zone.clone(),
                        role,
                    }
                };
                found.push((id, because));
            }
        }
        self.of_server(target, None, found);
        let Some(servers) = enclosing(target).iter().find_map(|zone| self.servers.get(zone)) else {
            return;
        };
        for (server, addresses) in &servers.names {
            let zone = Some(servers.zone.clone());
            self.of_server(server, zone.clone(), found);
            addresses
                .iter()
                .for_each(|address| self.of_address(*address, zone.clone(), found));
        }
    }

    fn of_server(&self, server: &Name, zone: Option<Name>, found: &mut Vec<(Id<Organisation>, Because)>) {
        for (id, role) in self.who(Kind::NameServer, &server.to_string()) {
            let (server, zone) = (server.clone(), zone.clone());
            found.push((id, Because::NameServer { server, zone, role }));
        }
    }

    fn of_address(&self, address: IpAddr, zone: Option<Name>, found: &mut Vec<(Id<Organisation>, Because)>) {
        let address = address.to_canonical();
        for (id, role) in self.who(Kind::NameServer, &address.to_string()) {
            found.push((
                id,
                Because::Address {
                    address,
                    zone: zone.clone(),
                    role,
                },
            ));
        }
        for prefix in Prefix::all_of(address) {
            let prefix = prefix.to_string();
            for (id, role) in self.who(Kind::Prefix, &prefix) {
                found.push((
                    id,
                    Because::Prefix {
                        prefix: prefix.clone(),
                        address,
                        zone: zone.clone(),
                        role,
                    },
                ));
            }
        }
    }

    fn who(&self, kind: Kind, value: &str) -> impl Iterator<Item = Who> {
        self.responsible
            .get(&(kind, value.to_owned()))
            .into_iter()
            .flatten()
            .copied()
    }
}

/// The name and all names above it, nearest first, the root last.
fn enclosing(name: &Name) -> Vec<Name> {
    std::iter::successors(Some(name.clone()), Name::parent).collect()
}

fn is_among(address: IpAddr, addresses: &[IpAddr]) -> bool {
    let address = address.to_canonical();
    addresses.iter().any(|one| one.to_canonical() == address)
}

/// All values under which an address can stand.
fn address_values(address: IpAddr) -> Vec<String> {
    let address = address.to_canonical();
    let prefixes = Prefix::all_of(address).into_iter().map(|prefix| prefix.to_string());
    std::iter::once(address.to_string()).chain(prefixes).collect()
}
