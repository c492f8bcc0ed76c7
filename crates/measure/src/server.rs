//! A server: a name server's name with one of its addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use model::Name;

/// Name servers with their addresses; a name may have none.
pub type NsSet = BTreeMap<Name, BTreeSet<IpAddr>>;

/// One server. Displays as test cases name it: `ns1.example/192.0.2.1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Server {
    /// The name server's name.
    pub name: Name,
    /// One of its addresses.
    pub address: IpAddr,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.name, self.address)
    }
}

/// All pairs of name and address in a set.
pub fn servers_of(set: &NsSet) -> BTreeSet<Server> {
    let pairs = set
        .iter()
        .flat_map(|(name, addresses)| addresses.iter().map(move |address| (name, *address)));
    pairs
        .map(|(name, address)| Server {
            name: name.clone(),
            address,
        })
        .collect()
}
