//! Zone cuts that were met on the way from the root, with the name servers that a referral named.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::Name;
use tokio::time::Instant;

use crate::generations::Generations;
use crate::server::NsSet;

/// Cuts remembered at most. Chosen by us: some 10 MB, and many times what one zone's test cases meet.
const REMEMBERED: usize = 20_000;
/// How long a cut is remembered at least, and at most twice as long. Chosen by us: delegations live longer than this (a
/// day or two in top-level domains), so that little is asked again, and a sweep of days does not go by what has changed.
const AGE: Duration = Duration::from_secs(1800);

/// Cuts, of which those not met again for a while are forgotten; that of the root is always known.
pub(crate) struct Cuts {
    root: Arc<NsSet>,
    known: Mutex<Known>,
    /// Whether addresses found for a name server are remembered with the cut, so that who comes next need not ask.
    with_addresses: bool,
}

struct Known {
    /// When those became the old that were not met since.
    since: Instant,
    cuts: Generations<Name, Arc<NsSet>>,
}

impl Cuts {
    /// Cuts for one run: what a referral says, and nothing else.
    pub fn new(root: NsSet) -> Self {
        Self {
            root: Arc::new(root),
            known: Mutex::new(Known {
                since: Instant::now(),
                cuts: Generations::with_room(REMEMBERED),
            }),
            with_addresses: false,
        }
    }

    /// Cuts for many runs.
    pub fn shared(root: NsSet) -> Self {
        Self {
            with_addresses: true,
            ..Self::new(root)
        }
    }

    /// Remembers the name servers of a zone, unless some are known.
    pub fn note(&self, zone: &Name, servers: NsSet) {
        if zone.is_root() {
            return;
        }
        let mut known = self.known.lock().expect("no holder of this lock panics");
        if known.since.elapsed() > AGE {
            known.cuts.turn();
            known.since = Instant::now();
        }
        if known.cuts.get(zone).is_none() {
            known.cuts.insert(zone.clone(), Arc::new(servers));
        }
    }

    /// Remembers addresses of a name server of a zone.
    pub fn note_addresses(&self, zone: &Name, server: &Name, addresses: &BTreeSet<IpAddr>) {
        if !self.with_addresses || addresses.is_empty() {
            return;
        }
        let mut known = self.known.lock().expect("no holder of this lock panics");
        if let Some(servers) = known.cuts.get(zone) {
            let set = Arc::make_mut(servers);
            set.entry(server.clone()).or_default().extend(addresses);
        }
    }

    /// The closest cut at or above a name.
    pub fn closest(&self, name: &Name) -> (Name, Arc<NsSet>) {
        let mut known = self.known.lock().expect("no holder of this lock panics");
        let mut zone = name.clone();
        loop {
            if let Some(servers) = known.cuts.get(&zone) {
                return (zone, servers.clone());
            }
            match zone.parent() {
                Some(parent) => zone = parent,
                None => return (zone, self.root.clone()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(server: &str) -> NsSet {
        NsSet::from([(server.parse().unwrap(), BTreeSet::new())])
    }

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn the_closest_cut_is_that_of_the_name_or_of_the_next_one_above() {
        let cuts = Cuts::new(set("a.root"));
        cuts.note(&name("test"), set("ns.nic.test"));
        cuts.note(&name("test"), set("ns.thief.test"));
        let closest = |text: &str| {
            let (zone, servers) = cuts.closest(&name(text));
            (zone.to_string(), servers.keys().next().unwrap().to_string())
        };
        assert_eq!(closest("www.a.test"), ("test".into(), "ns.nic.test".into()));
        assert_eq!(closest("test"), ("test".into(), "ns.nic.test".into()));
        assert_eq!(closest("example"), (".".into(), "a.root".into()));
    }

    #[test]
    fn addresses_are_remembered_where_others_may_use_them() {
        let addresses = BTreeSet::from([IpAddr::from([192, 0, 2, 1])]);
        for (cuts, expected) in [(Cuts::shared(set("a.root")), 1), (Cuts::new(set("a.root")), 0)] {
            cuts.note(&name("test"), set("ns.elsewhere"));
            cuts.note_addresses(&name("test"), &name("ns.elsewhere"), &addresses);
            let (_, servers) = cuts.closest(&name("a.test"));
            assert_eq!(servers[&name("ns.elsewhere")].len(), expected);
        }
    }
}
