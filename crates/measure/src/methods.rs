//! The methods that test cases share (`MethodsV2.md`): who serves the parent, whom the parent names, whom the zone names.
//!
//! Each is worked out once in a run. `None` stands for the specification's undefined set.

use std::collections::BTreeSet;
use std::net::IpAddr;

use domain::base::iana::Rtype;
use futures_util::future::join_all;
use model::Name;

use crate::exchange::Exchange;
use crate::question::Question;
use crate::record::Record;
use crate::run::Run;
use crate::server::{NsSet, Server};

/// Name servers of one zone that are looked at; the others are left aside, in the order of their names. Chosen by us: a zone
/// has thirteen at most where it matters, and the largest known had 88; a thousand would mean thousands of questions.
pub(crate) const NAME_SERVERS: usize = 100;

/// A delegation as the parent's servers, or the input, give it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Delegated {
    /// NS names, with glue for those within the zone.
    pub ns: NsSet,
    /// NS names, with all the addresses that came along.
    pub glue: NsSet,
}

impl Run {
    /// Get-Parent-NS-Names-and-IPs: `None` when they cannot be found, empty for the root and for an undelegated test.
    pub async fn parent_servers(&self) -> Option<BTreeSet<Server>> {
        if self.zone().is_root() || self.is_undelegated() {
            return Some(BTreeSet::new());
        }
        self.walk().await.parents()
    }

    /// Get-Parent-NS-IPs.
    pub async fn parent_addresses(&self) -> Option<BTreeSet<IpAddr>> {
        let servers = self.parent_servers().await?;
        Some(servers.into_iter().map(|server| server.address).collect())
    }

    /// The name of the parent zone as the walk found it.
    pub async fn parent_zone(&self) -> Option<&Name> {
        self.walk().await.parent_zone()
    }

    /// Whether the name lies within the zone under test ("in-bailiwick, in domain").
    pub fn is_in_zone(&self, name: &Name) -> bool {
        name.is_at_or_below(self.zone())
    }

    /// Get-Delegation, with the glue of names outside the zone kept apart.
    pub(crate) async fn delegated(&self) -> Option<&Delegated> {
        self.delegated.get_or_init(|| self.find_delegated()).await.as_ref()
    }

    async fn find_delegated(&self) -> Option<Delegated> {
        let split = |glue: NsSet| {
            let mut ns = glue.clone();
            ns.iter_mut()
                .filter(|(name, _)| !self.is_in_zone(name))
                .for_each(|(_, addresses)| addresses.clear());
            Delegated { ns, glue }
        };
        if self.is_undelegated() {
            return Some(split(self.undelegated_servers()));
        }
        if self.zone().is_root() {
            let glue = self.root_servers();
            return Some(Delegated { ns: glue.clone(), glue });
        }
        let parents = self
            .parent_addresses()
            .await
            .filter(|addresses| !addresses.is_empty())?;
        let question = Question::plain(self.zone(), Rtype::NS);
        let mut referred = NsSet::new();
        let mut authoritative = NsSet::new();
        for (address, exchange) in self.ask_all(parents, &question).await {
            let Some(response) = exchange.response().filter(|response| response.is_noerror()) else {
                continue;
            };
            if let Some((zone, set)) = response.referral() {
                if zone == *self.zone() {
                    merge(&mut referred, set.into_iter().take(NAME_SERVERS).collect());
                }
            } else if response.authoritative {
                let names: BTreeSet<Name> = response
                    .answers(self.zone(), Rtype::NS)
                    .filter_map(Record::ns)
                    .collect();
                let set = response.with_glue(names.into_iter().take(NAME_SERVERS));
                merge(&mut authoritative, self.fill_in_zone(address, set).await);
            }
        }
        Some(split(if referred.is_empty() { authoritative } else { referred }))
    }

    /// Addresses of names within the zone that a parent which also serves the zone left out of its answer.
    async fn fill_in_zone(&self, server: IpAddr, mut set: NsSet) -> NsSet {
        let missing: Vec<Name> = set
            .iter()
            .filter(|(name, known)| known.is_empty() && self.is_in_zone(name))
            .map(|(name, _)| name.clone())
            .collect();
        for name in missing {
            let found = self.addresses_at(&name, [server]).await;
            set.entry(name).or_default().extend(found);
        }
        set
    }

    /// Addresses that the servers give for a name within the zone, over referrals to zones below and over aliases.
    async fn addresses_at(&self, name: &Name, servers: impl IntoIterator<Item = IpAddr>) -> BTreeSet<IpAddr> {
        let servers: Vec<IpAddr> = servers.into_iter().collect();
        let (a, aaaa) = (Question::plain(name, Rtype::A), Question::plain(name, Rtype::AAAA));
        let (a, aaaa) = tokio::join!(self.ask_all(servers.clone(), &a), self.ask_all(servers, &aaaa));
        let found = a
            .iter()
            .chain(&aaaa)
            .map(|(_, exchange)| self.addresses_in(name, exchange));
        join_all(found).await.into_iter().flatten().collect()
    }

    async fn addresses_in(&self, name: &Name, exchange: &Exchange) -> Vec<IpAddr> {
        let rtype = exchange.question.rtype;
        let Some(response) = exchange.response().filter(|response| response.is_noerror()) else {
            return Vec::new();
        };
        let records = if let Some((below, servers)) = response.referral() {
            if below == *self.zone() || !below.is_at_or_below(self.zone()) {
                return Vec::new();
            }
            self.lookup_below(&below, servers, name, rtype).await.records
        } else if response.authoritative {
            let Some(canonical) = response.canonical(name) else {
                return Vec::new();
            };
            let own: Vec<Record> = response.answers(&canonical, rtype).cloned().collect();
            if own.is_empty() && canonical != *name {
                self.lookup(&canonical, rtype).await.records
            } else {
                own
            }
        } else {
            Vec::new()
        };
        records.iter().filter_map(Record::address).collect()
    }

    /// Get-OOB-IPs for one name: given addresses in an undelegated test, else a look-up.
    async fn outside_addresses(&self, name: &Name) -> BTreeSet<IpAddr> {
        match self.undelegated_servers().remove(name) {
            Some(given) if !given.is_empty() => given,
            _ => self.addresses(name).await,
        }
    }

    async fn with_outside_addresses(&self, mut set: NsSet) -> NsSet {
        let outside: Vec<Name> = set.keys().filter(|name| !self.is_in_zone(name)).cloned().collect();
        let found = join_all(outside.iter().map(|name| self.outside_addresses(name))).await;
        for (name, addresses) in outside.into_iter().zip(found) {
            set.entry(name).or_default().extend(addresses);
        }
        set
    }

    /// Get-Del-NS-Names-and-IPs: the name servers of the delegation with their addresses.
    pub async fn delegation(&self) -> Option<&NsSet> {
        let delegation = self.delegation.get_or_init(async || {
            let ns = self.delegated().await?.ns.clone();
            // the root's servers are outside the root's own zone in no sense: their addresses are those of the hints
            if self.zone().is_root() {
                return Some(ns);
            }
            let set = self.with_outside_addresses(ns).await;
            if !set.is_empty() {
                // look-ups of names within the zone need not come down from the root again
                self.cuts.note(self.zone(), set.clone());
            }
            Some(set)
        });
        delegation.await.as_ref()
    }

    /// Get-Del-NS-IPs.
    pub async fn delegation_addresses(&self) -> Option<BTreeSet<IpAddr>> {
        Some(self.delegation().await?.values().flatten().copied().collect())
    }

    /// Get-Zone-NS-Names: the name servers that the zone itself names.
    pub async fn zone_names(&self) -> Option<&BTreeSet<Name>> {
        let names = self.zone_names.get_or_init(async || {
            let question = Question::plain(self.zone(), Rtype::NS);
            let answers = self.ask_all(self.delegation_addresses().await?, &question).await;
            let authoritative = answers
                .iter()
                .filter_map(|(_, exchange)| exchange.response())
                .filter(|response| response.authoritative);
            let names: BTreeSet<Name> = authoritative
                .flat_map(|r| r.answers(self.zone(), Rtype::NS).filter_map(Record::ns))
                .collect();
            Some(names.into_iter().take(NAME_SERVERS).collect())
        });
        names.await.as_ref()
    }

    /// Get-Zone-NS-Names-and-IPs: the same with their addresses.
    pub async fn zone_servers(&self) -> Option<&NsSet> {
        let servers = self.zone_servers.get_or_init(async || {
            let names = self.zone_names().await?;
            let servers = self.delegation_addresses().await?;
            let inside = names.iter().filter(|name| self.is_in_zone(name)).map(async |name| {
                let addresses = self.addresses_at(name, servers.iter().copied()).await;
                (name.clone(), addresses)
            });
            let mut set: NsSet = names.iter().map(|name| (name.clone(), BTreeSet::new())).collect();
            let (inside, outside) = tokio::join!(join_all(inside), self.with_outside_addresses(set.clone()));
            merge(&mut set, outside);
            merge(&mut set, inside.into_iter().collect());
            Some(set)
        });
        servers.await.as_ref()
    }
}

fn merge(into: &mut NsSet, more: NsSet) {
    for (name, addresses) in more {
        into.entry(name).or_default().extend(addresses);
    }
}
