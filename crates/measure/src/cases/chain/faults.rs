//! What the chain cases find, with the servers at which it was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use domain::base::iana::Rtype;
use model::Name;

use super::Emission;
use crate::run::Run;
use crate::server::Server;

/// One thing that is wrong somewhere on the chain. The first word of its tag says which case reports it: `CH02_` is chain02.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fault {
    tag: &'static str,
    zone: Name,
    args: BTreeMap<&'static str, String>,
    /// Which RRset it is about, where one message names all.
    rrset: Option<String>,
}

impl Fault {
    /// A fault in `zone`.
    pub fn new(tag: &'static str, zone: &Name) -> Self {
        Self {
            tag,
            zone: zone.clone(),
            args: BTreeMap::new(),
            rrset: None,
        }
    }

    /// The same with an argument.
    pub fn arg(mut self, name: &'static str, value: impl ToString) -> Self {
        self.args.insert(name, value.to_string());
        self
    }

    /// The same about an RRset. Messages that differ only in that become one.
    pub fn rrset(mut self, owner: &Name, rtype: Rtype) -> Self {
        let is_apex = *owner == self.zone;
        self.rrset = Some(if is_apex {
            rtype.to_string()
        } else {
            format!("{owner} {rtype}")
        });
        self
    }
}

/// All faults of a chain.
#[derive(Debug, Default)]
pub(crate) struct Faults(BTreeMap<Fault, BTreeSet<IpAddr>>);

impl Faults {
    /// Notes a fault at `servers`; none where it is not about servers.
    pub(super) fn note<'s>(&mut self, fault: Fault, servers: impl IntoIterator<Item = &'s IpAddr>) {
        self.0.entry(fault).or_default().extend(servers);
    }

    /// The messages of one case: those about several RRsets at the same servers become one.
    pub async fn emissions(&self, case: &str, run: &Run) -> Vec<Emission> {
        type Alike<'f> = (
            &'f str,
            &'f Name,
            &'f BTreeMap<&'static str, String>,
            &'f BTreeSet<IpAddr>,
        );
        let mut alike: BTreeMap<Alike, (&'static str, BTreeSet<&String>)> = BTreeMap::new();
        let of_case = self.0.iter().filter(|(fault, _)| case_of(fault.tag) == case);
        for (fault, servers) in of_case {
            let key = (fault.tag, &fault.zone, &fault.args, servers);
            let (_, rrsets) = alike.entry(key).or_insert_with(|| (fault.tag, BTreeSet::new()));
            rrsets.extend(&fault.rrset);
        }
        let mut emitted = Vec::new();
        for ((_, zone, args, servers), (tag, rrsets)) in alike {
            let mut emission = Emission::new(tag).arg("zone", zone);
            for (name, value) in args {
                emission = emission.arg(name, value);
            }
            if !rrsets.is_empty() {
                emission = emission.list("rrsets", rrsets);
            }
            if !servers.is_empty() {
                emission = emission.list("ns_list", names(run, zone, servers).await);
            }
            emitted.push(emission);
        }
        emitted
    }
}

/// The case that reports a tag: `chain02` for `CH02_EXPIRED`.
fn case_of(tag: &str) -> String {
    format!("chain{}", &tag[2..4])
}

/// The servers at `addresses` by the names that `zone` knows them by.
pub(super) async fn names(run: &Run, zone: &Name, addresses: &BTreeSet<IpAddr>) -> Vec<String> {
    let walk = run.walk().await;
    let named = |address: &IpAddr| -> Vec<String> {
        let servers: Vec<Server> = if zone == run.zone() {
            run.servers_at(*address)
        } else {
            walk.servers_at(*address)
        };
        match servers.is_empty() {
            true => vec![address.to_string()],
            false => servers.iter().map(Server::to_string).collect(),
        }
    };
    addresses.iter().flat_map(named).collect()
}
