//! One run on one zone: what its test cases share. Everything is worked out once, when first asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use domain::base::iana::{OptRcode, Rtype};
use futures_util::future::join_all;
use jiff::Timestamp;
use model::{Ds, Name};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use crate::cases::chain;
use crate::check::CheckPlan;
use crate::cuts::Cuts;
use crate::exchange::Exchange;
use crate::inquiry::Inquiry;
use crate::lookup::Lookup;
use crate::methods::Delegated;
use crate::profile::{Limits, Profile};
use crate::question::Question;
use crate::server::{NsSet, Server, servers_of};
use crate::walk::Walk;

/// A delegation that does not exist yet, or shall not be taken from the parent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelegated {
    /// NS names, each with one address, or without any; a name may stand several times. Empty: the delegation is the
    /// parent's, only the DS records are given.
    pub ns: Vec<(Name, Option<IpAddr>)>,
    /// DS records.
    pub ds: Vec<Ds>,
}

/// One run: the zone under test, the inquiry, and the answers to what several cases need.
pub struct Run {
    inquiry: Inquiry,
    zone: Name,
    undelegated: Option<Undelegated>,
    now: Timestamp,
    profile: Profile,
    pub(crate) walk: OnceCell<Walk>,
    pub(crate) delegated: OnceCell<Option<Delegated>>,
    pub(crate) delegation: OnceCell<Option<NsSet>>,
    pub(crate) zone_names: OnceCell<Option<BTreeSet<Name>>>,
    pub(crate) zone_servers: OnceCell<Option<NsSet>>,
    pub(crate) chain: OnceCell<chain::Judged>,
    child_servers: OnceCell<BTreeSet<Server>>,
    child_addresses: OnceCell<BTreeMap<IpAddr, BTreeSet<Name>>>,
    pub(crate) lookups: Mutex<HashMap<(Name, Rtype), Lookup>>,
    pub(crate) cuts: Arc<Cuts>,
}

impl Run {
    /// A run as planned; signatures are judged as of `now`.
    pub fn new(inquiry: &Inquiry, plan: &CheckPlan, now: Timestamp) -> Self {
        let cuts = Arc::new(Cuts::new(root_servers(inquiry.hints())));
        Self::with_cuts(inquiry, plan, now, cuts)
    }

    /// As [`Run::new`], with zone cuts that other runs have met.
    pub(crate) fn with_cuts(inquiry: &Inquiry, plan: &CheckPlan, now: Timestamp, cuts: Arc<Cuts>) -> Self {
        let run = Self {
            inquiry: inquiry.clone(),
            zone: plan.zone.clone(),
            undelegated: plan.undelegated.clone(),
            profile: plan.profile.clone(),
            now,
            walk: OnceCell::new(),
            delegated: OnceCell::new(),
            delegation: OnceCell::new(),
            zone_names: OnceCell::new(),
            zone_servers: OnceCell::new(),
            chain: OnceCell::new(),
            child_servers: OnceCell::new(),
            child_addresses: OnceCell::new(),
            lookups: Mutex::default(),
            cuts,
        };
        if run.is_undelegated() {
            run.cuts.note(&run.zone, run.undelegated_servers());
        }
        run
    }

    /// The zone under test.
    pub fn zone(&self) -> &Name {
        &self.zone
    }

    /// The moment as of which it is judged.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The limits that cases measure by.
    pub fn limits(&self) -> &Limits {
        &self.profile.limits
    }

    /// By what it is judged.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Whether this is a world of its own on loopback: all its root servers are there.
    pub(crate) fn is_lab(&self) -> bool {
        let mut addresses = self.inquiry.hints().iter().flat_map(|(_, addresses)| addresses);
        addresses.all(IpAddr::is_loopback)
    }

    /// Whether a name can be expected to hold what is asked below it. The Internet has its reverse tree and services of
    /// look-up; a lab has only those that it brings, and their absence says nothing of the zone under test.
    pub(crate) async fn is_there(&self, name: &Name) -> bool {
        !self.is_lab() || self.lookup(name, Rtype::SOA).await.rcode != Some(OptRcode::NXDOMAIN)
    }

    /// What was given instead of the parent's delegation.
    pub fn undelegated(&self) -> Option<&Undelegated> {
        self.undelegated.as_ref()
    }

    /// Whether name servers were given ("undelegated test"). DS records alone do not make one.
    pub fn is_undelegated(&self) -> bool {
        self.undelegated
            .as_ref()
            .is_some_and(|undelegated| !undelegated.ns.is_empty())
    }

    /// The inquiry through which it asks.
    pub fn inquiry(&self) -> &Inquiry {
        &self.inquiry
    }

    /// Asks one address; each question to each address is asked once.
    pub async fn ask(&self, address: IpAddr, question: &Question) -> Arc<Exchange> {
        self.inquiry.ask(address, question).await
    }

    /// Asks all addresses at once; the order is kept.
    pub async fn ask_all(
        &self,
        addresses: impl IntoIterator<Item = IpAddr>,
        question: &Question,
    ) -> Vec<(IpAddr, Arc<Exchange>)> {
        let asked = addresses
            .into_iter()
            .map(async |address| (address, self.ask(address, question).await));
        join_all(asked).await
    }

    /// The root name servers.
    pub(crate) fn root_servers(&self) -> NsSet {
        root_servers(self.inquiry.hints())
    }

    /// The name servers given for an undelegated test, with all the addresses given.
    pub(crate) fn undelegated_servers(&self) -> NsSet {
        let mut set = NsSet::new();
        for (name, address) in self.undelegated.iter().flat_map(|undelegated| &undelegated.ns) {
            set.entry(name.clone()).or_default().extend(*address);
        }
        set
    }

    /// All servers of the zone, from the delegation and from the zone itself (Method4 and Method5). Families that are
    /// off are left out.
    pub async fn child_servers(&self) -> &BTreeSet<Server> {
        let servers = self.child_servers.get_or_init(async || {
            let mut servers = self.all_child_servers().await;
            servers.retain(|server| self.inquiry.is_enabled(server.address));
            servers
        });
        servers.await
    }

    /// As [`Run::child_servers`], with the families that are off.
    pub async fn all_child_servers(&self) -> BTreeSet<Server> {
        let mut servers = self.delegation().await.map(servers_of).unwrap_or_default();
        servers.extend(self.zone_servers().await.map(servers_of).unwrap_or_default());
        for server in &servers {
            self.inquiry.note_name(server.address, &server.name);
        }
        servers
    }

    /// [`Run::child_servers`] by address: a question goes to each address once, a finding names all its names.
    pub async fn child_addresses(&self) -> &BTreeMap<IpAddr, BTreeSet<Name>> {
        let addresses = self.child_addresses.get_or_init(async || {
            let mut addresses: BTreeMap<IpAddr, BTreeSet<Name>> = BTreeMap::new();
            for server in self.child_servers().await {
                addresses.entry(server.address).or_default().insert(server.name.clone());
            }
            addresses
        });
        addresses.await
    }

    /// The servers of the zone at `address`, by name. Empty before [`Run::child_addresses`] was worked out.
    pub fn servers_at(&self, address: IpAddr) -> Vec<Server> {
        let names = self.child_addresses.get().and_then(|addresses| addresses.get(&address));
        names
            .into_iter()
            .flatten()
            .map(|name| Server {
                name: name.clone(),
                address,
            })
            .collect()
    }
}

/// Root hints as a set of name servers.
pub(crate) fn root_servers(hints: &[(Name, Vec<IpAddr>)]) -> NsSet {
    hints
        .iter()
        .map(|(name, addresses)| (name.clone(), addresses.iter().copied().collect()))
        .collect()
}
