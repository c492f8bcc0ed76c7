//! Servers that zones have in common, by which their matters are seen to be one.

use std::fmt;
use std::net::IpAddr;

use model::Name;

/// What zones can have in common. Domains come first: they hold together what numbered hosts would split.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// The domain that name servers lie in.
    Domain(Name),
    /// A name server.
    Server(Name),
    /// An address of one.
    Address(IpAddr),
}

impl Target {
    /// The domain that a server's name lies in: the name without its first label, unless a top-level domain would be left.
    pub(crate) fn domain_of(server: &Name) -> Self {
        let parent = server.parent().filter(|parent| parent.label_count() >= 2);
        Target::Domain(parent.unwrap_or_else(|| server.clone()))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Domain(name) | Target::Server(name) => write!(f, "{name}"),
            Target::Address(address) => write!(f, "{address}"),
        }
    }
}

/// Which of many belong together: each is in a group of its own until it is joined to another.
pub(crate) struct Joined {
    /// Each points to another of its group, the first of the group to itself.
    towards: Vec<usize>,
}

impl Joined {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            towards: (0..count).collect(),
        }
    }

    /// The one that stands for the group. Paths are halved on the way, so that a chain of thousands stays short.
    pub(crate) fn group_of(&mut self, mut at: usize) -> usize {
        while self.towards[at] != at {
            self.towards[at] = self.towards[self.towards[at]];
            at = self.towards[at];
        }
        at
    }

    /// Makes one group of theirs.
    pub(crate) fn join(&mut self, a: usize, b: usize) {
        let (from, to) = (self.group_of(b), self.group_of(a));
        self.towards[from] = to;
    }
}
