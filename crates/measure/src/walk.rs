//! The walk from the root to the parent zone (MethodsV2 "Get-Parent-NS-Names-and-IPs", and basic01, which reports it).
//!
//! Every server of every zone above the one under test is asked, level by level, all servers of a level at once.
//! Two parents that disagree are both found.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use domain::base::iana::Rtype;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use model::Name;

use crate::exchange::Exchange;
use crate::question::Question;
use crate::record::Record;
use crate::response::Response;
use crate::run::Run;
use crate::server::{NsSet, Server};

/// Servers visited at most. Chosen by us: twice what any zone of the Internet needs; hostile zones could lead on for ever.
const VISITS: usize = 600;

/// What the walk found.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// Every server that had something to say of the zone under test.
    pub found: BTreeSet<Found>,
    /// Unexpected answers: who, on which question.
    pub unexpected: BTreeSet<(IpAddr, Name, Rtype)>,
    /// The zones above the one under test, with the servers that were asked on their behalf.
    pub zones: BTreeMap<Name, BTreeSet<IpAddr>>,
    /// Names by which each address was met.
    names: BTreeMap<IpAddr, BTreeSet<Name>>,
}

/// What one server of a parent zone says of the zone under test.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    pub address: IpAddr,
    /// The zone on whose behalf it says so.
    pub parent: Name,
    pub kind: FoundKind,
}

/// Kinds of what a parent's server can say; the sets of basic01.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FoundKind {
    /// It refers to the zone.
    Delegation,
    /// It serves the zone itself.
    Soa,
    /// Authoritatively there is no such name.
    NxDomain,
    /// Authoritatively an alias.
    Cname,
    /// An alias, with a referral to where it leads.
    CnameWithReferral,
    /// Authoritatively a DNAME to this name.
    Dname(Name),
    /// The name is there, and is no zone.
    NoData,
}

impl Walk {
    /// Servers of the parent zone; `None` when none was found.
    pub fn parents(&self) -> Option<BTreeSet<Server>> {
        let addresses = self.delegating().map(|found| found.address);
        let servers: BTreeSet<Server> = addresses.flat_map(|address| self.servers_at(address)).collect();
        (!servers.is_empty()).then_some(servers)
    }

    /// Name of the parent zone; the longest where servers disagree.
    pub fn parent_zone(&self) -> Option<&Name> {
        self.delegating()
            .map(|found| &found.parent)
            .max_by_key(|zone| zone.label_count())
    }

    fn delegating(&self) -> impl Iterator<Item = &Found> {
        self.found
            .iter()
            .filter(|found| matches!(found.kind, FoundKind::Delegation | FoundKind::Soa))
    }

    /// The address with each name by which it was met.
    pub fn servers_at(&self, address: IpAddr) -> Vec<Server> {
        let names = self.names.get(&address).into_iter().flatten();
        names
            .map(|name| Server {
                name: name.clone(),
                address,
            })
            .collect()
    }
}

/// What one visit brought.
#[derive(Default)]
struct Visit {
    found: Option<FoundKind>,
    parent: Option<Name>,
    unexpected: Option<(Name, Rtype)>,
    served: Vec<Name>,
    next: Vec<(NsSet, Name)>,
}

impl Run {
    pub(crate) async fn walk(&self) -> &Walk {
        self.walk.get_or_init(|| self.walk_down()).await
    }

    async fn walk_down(&self) -> Walk {
        let mut walk = Walk::default();
        if self.zone().is_root() || self.is_undelegated() {
            return walk;
        }
        let mut seen: HashMap<(IpAddr, Name), ()> = HashMap::new();
        let mut visits = FuturesUnordered::new();
        let mut waiting = vec![(self.root_servers(), Name::root())];
        loop {
            for (servers, zone) in waiting.drain(..) {
                for (name, addresses) in servers {
                    for address in addresses {
                        self.inquiry().note_name(address, &name);
                        walk.names.entry(address).or_default().insert(name.clone());
                        if seen.len() < VISITS && seen.insert((address, zone.clone()), ()).is_none() {
                            let zone = zone.clone();
                            visits.push(async move { (address, self.visit(address, zone).await) });
                        }
                    }
                }
            }
            let Some((address, visit)) = visits.next().await else {
                return walk;
            };
            for zone in visit.served {
                walk.zones.entry(zone).or_default().insert(address);
            }
            if let (Some(kind), Some(parent)) = (visit.found, visit.parent) {
                walk.found.insert(Found { address, parent, kind });
            }
            walk.unexpected
                .extend(visit.unexpected.map(|(name, rtype)| (address, name, rtype)));
            waiting = visit.next;
        }
    }

    /// Asks one server of `zone` for all it knows on the way to the zone under test.
    async fn visit(&self, address: IpAddr, mut zone: Name) -> Visit {
        let child = self.zone();
        let mut visit = Visit::default();
        let mut towards = next_label(child, &zone);
        // asked at once though the third depends on the others: it saves two round trips with every healthy server
        let (soa, ns, mut answer) = tokio::join!(
            self.plain(address, &zone, Rtype::SOA),
            self.plain(address, &zone, Rtype::NS),
            self.plain(address, &towards, Rtype::SOA),
        );
        if !soa.response().is_some_and(|response| has_one_soa(response, &zone)) {
            visit.unexpected = Some((zone, Rtype::SOA));
            return visit;
        }
        visit.served.push(zone.clone());
        let Some(names) = ns.response().and_then(|response| apex_servers(response, &zone)) else {
            visit.unexpected = Some((zone, Rtype::NS));
            return visit;
        };
        visit.next.push((self.with_addresses(names).await, zone.clone()));
        loop {
            let is_child = towards == *child;
            let Some(response) = answer.response() else {
                visit.unexpected = Some((towards, Rtype::SOA));
                return visit;
            };
            let is_plain_answer = response.is_noerror() && response.authoritative;
            let leads_to = response.referral();
            if has_one_soa(response, &towards) {
                if is_child {
                    visit.found = Some(FoundKind::Soa);
                    break;
                }
                let ns = self.plain(address, &towards, Rtype::NS).await;
                let Some(names) = ns.response().and_then(|response| apex_servers(response, &towards)) else {
                    visit.unexpected = Some((towards, Rtype::NS));
                    return visit;
                };
                visit.next.push((self.with_addresses(names).await, towards.clone()));
                visit.served.push(towards.clone());
                zone = towards.clone();
            } else if response.is_nxdomain() && response.authoritative {
                visit.found = Some(FoundKind::NxDomain);
                break;
            } else if let Some((below, names)) = leads_to.filter(|(below, _)| *below == towards) {
                if is_child {
                    visit.found = Some(FoundKind::Delegation);
                    break;
                }
                visit.next.push((self.with_addresses(names).await, below));
                return visit;
            } else if is_plain_answer && is_child {
                visit.found = Some(self.alias_or_nothing(address, response).await);
                break;
            } else if !is_plain_answer {
                if response.is_referral() && response.answers(child, Rtype::CNAME).next().is_some() {
                    visit.found = Some(FoundKind::CnameWithReferral);
                    break;
                }
                visit.unexpected = Some((towards, Rtype::SOA));
                return visit;
            }
            towards = next_label(child, &towards);
            answer = self.plain(address, &towards, Rtype::SOA).await;
        }
        visit.parent = Some(zone);
        visit
    }

    async fn alias_or_nothing(&self, address: IpAddr, response: &Response) -> FoundKind {
        let child = self.zone();
        if response.answers(child, Rtype::CNAME).next().is_some() {
            return FoundKind::Cname;
        }
        let dname = self.plain(address, child, Rtype::DNAME).await;
        let target = dname
            .response()
            .filter(|response| response.authoritative && response.is_noerror());
        match target.and_then(|response| response.answers(child, Rtype::DNAME).find_map(Record::dname)) {
            Some(target) => FoundKind::Dname(target),
            None => FoundKind::NoData,
        }
    }

    /// What is above the zone under test may be known from another run.
    async fn plain(&self, address: IpAddr, name: &Name, rtype: Rtype) -> Arc<Exchange> {
        let may_share = name != self.zone();
        self.inquiry()
            .ask_or_share(address, &Question::plain(name, rtype), may_share)
            .await
    }

    /// The set with the addresses looked up of names that have none.
    pub(crate) async fn with_addresses(&self, set: NsSet) -> NsSet {
        let found = set.into_iter().map(async |(name, addresses)| {
            let addresses = if addresses.is_empty() {
                self.addresses(&name).await
            } else {
                addresses
            };
            (name, addresses)
        });
        join_all(found).await.into_iter().collect()
    }
}

/// The ancestor of `child` (or itself) that has one label more than `zone`.
fn next_label(child: &Name, zone: &Name) -> Name {
    let mut name = child.clone();
    while name.label_count() > zone.label_count() + 1 {
        name = name.parent().expect("a name with labels has a parent");
    }
    name
}

fn has_one_soa(response: &Response, zone: &Name) -> bool {
    response.is_noerror()
        && response.authoritative
        && response.answer_type(Rtype::SOA).count() == 1
        && response.answers(zone, Rtype::SOA).count() == 1
}

/// The name servers in an authoritative answer on a zone's NS, with addresses from the additional section.
fn apex_servers(response: &Response, zone: &Name) -> Option<NsSet> {
    let is_right = response.is_noerror()
        && response.authoritative
        && response.answer_type(Rtype::NS).next().is_some()
        && response.answer_type(Rtype::NS).all(|record| record.owner == *zone);
    is_right.then(|| response.with_glue(response.answer_type(Rtype::NS).filter_map(Record::ns)))
}
