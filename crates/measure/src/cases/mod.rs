//! The test catalogue. Each case is a plain async function over a [`Run`]; all run at once.
//!
//! Ids, tags and arguments are Zonemaster's (`docs/public/specifications/tests`, release v2025.2). What Zonemaster has not
//! is our own: the chain of trust ([`chain`]), EDNS and odd questions ([`edns`]).

pub mod address;
pub mod basic;
pub mod chain;
pub mod connectivity;
mod connectivity_origin;
pub mod consistency;
pub mod delegation;
mod delegation_referral;
pub mod dnssec;
mod dnssec_cds;
mod dnssec_denial;
mod dnssec_ds;
mod dnssec_keys;
mod dnssec_nsec3;
mod dnssec_signatures;
pub mod edns;
pub mod glue;
pub mod nameserver;
mod nameserver_answers;
mod nameserver_edns;
mod nameserver_version;
pub mod syntax;
mod syntax_mailbox;
pub mod zone;
mod zone_mail;
mod zone_primary;
mod zone_spf;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use domain::base::iana::Rtype;
use futures_util::future::BoxFuture;

use crate::exchange::Exchange;
use crate::question::Question;
use crate::run::Run;
use crate::server::Server;

/// One test case.
#[derive(Clone, Copy)]
pub struct Case {
    /// Its id in lower case: `basic01`.
    pub id: &'static str,
    /// Whether it asks so much, or so oddly, that it runs only when it is asked for by name.
    pub deep: bool,
    /// The function that runs it.
    pub run: for<'a> fn(&'a Run) -> BoxFuture<'a, Vec<Emission>>,
}

/// One message of a test case, before a profile gives it a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emission {
    /// The tag.
    pub tag: &'static str,
    /// Arguments by name.
    pub args: BTreeMap<String, String>,
}

impl Emission {
    /// A message without arguments.
    pub fn new(tag: &'static str) -> Self {
        Self {
            tag,
            args: BTreeMap::new(),
        }
    }

    /// The same with an argument.
    pub fn arg(mut self, name: &str, value: impl ToString) -> Self {
        self.args.insert(name.to_owned(), value.to_string());
        self
    }

    /// The same with a list as an argument: sorted, each value once, joined by `;`.
    pub fn list<T: ToString>(self, name: &str, values: impl IntoIterator<Item = T>) -> Self {
        let values: BTreeSet<String> = values.into_iter().map(|value| value.to_string()).collect();
        let joined: Vec<String> = values.into_iter().collect();
        self.arg(name, joined.join(";"))
    }
}

macro_rules! case {
    ($id:literal, $function:path) => {
        $crate::cases::case!($id, $function, deep: false)
    };
    ($id:literal, $function:path, deep: $deep:literal) => {
        $crate::cases::Case {
            id: $id,
            deep: $deep,
            run: |run| Box::pin($function(run)),
        }
    };
}
pub(crate) use case;

/// The cases of each file of this folder.
const GROUPS: &[&[Case]] = &[
    address::CASES,
    basic::CASES,
    chain::CASES,
    connectivity::CASES,
    connectivity_origin::CASES,
    consistency::CASES,
    delegation::CASES,
    delegation_referral::CASES,
    dnssec::CASES,
    edns::CASES,
    glue::CASES,
    nameserver::CASES,
    nameserver_answers::CASES,
    nameserver_edns::CASES,
    nameserver_version::CASES,
    syntax::CASES,
    zone::CASES,
];

/// All test cases.
pub fn all() -> impl Iterator<Item = &'static Case> {
    GROUPS.iter().copied().flatten()
}

/// The ids of all test cases.
pub fn ids() -> impl Iterator<Item = &'static str> {
    all().map(|case| case.id)
}

/// The servers of the zone by address, as the older cases ask them; servers of a family that is off are reported.
pub(crate) async fn reachable_servers(
    run: &Run,
    rtype: Rtype,
    emitted: &mut Vec<Emission>,
) -> BTreeMap<IpAddr, Vec<Server>> {
    emitted.extend(families_off(run, &run.all_child_servers().await, rtype));
    let addresses = run.child_addresses().await.keys();
    addresses.map(|address| (*address, run.servers_at(*address))).collect()
}

/// The first answer on a type at the top of the zone that is an authoritative NOERROR, or else the first answer at all.
pub(crate) async fn first_response(run: &Run, rtype: Rtype) -> Option<Arc<Exchange>> {
    let addresses = run.child_addresses().await.keys().copied();
    let asked = run.ask_all(addresses, &Question::plain(run.zone(), rtype)).await;
    let first = |is_wanted: fn(&Exchange) -> bool| asked.iter().find(|(_, exchange)| is_wanted(exchange));
    let found =
        first(|exchange| dnssec::sound(exchange).is_some()).or_else(|| first(|exchange| exchange.response().is_some()));
    found.map(|(_, exchange)| exchange.clone())
}

/// Whether this is an address by which a host means itself, as several cases define it.
pub(crate) fn is_localhost(address: IpAddr) -> bool {
    [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)].contains(&address)
}

/// Asks a server once it is known whether it answers at all, so that one that is dead is not asked by every case at once.
pub(crate) async fn ask_known(run: &Run, address: IpAddr, question: &Question) -> Arc<Exchange> {
    run.ask(address, &Question::plain(run.zone(), Rtype::SOA)).await;
    run.ask(address, question).await
}

/// Reports the servers that are not asked because their family is off.
pub(crate) fn families_off(run: &Run, servers: &BTreeSet<Server>, rtype: Rtype) -> Vec<Emission> {
    let off = servers
        .iter()
        .filter(|server| !run.inquiry().is_enabled(server.address));
    let report = |server: &Server| {
        let is_ipv4 = server.address.is_ipv4();
        let tag = if is_ipv4 { "IPV4_DISABLED" } else { "IPV6_DISABLED" };
        Emission::new(tag).arg("ns", server).arg("rrtype", rtype)
    };
    off.map(report).collect()
}
