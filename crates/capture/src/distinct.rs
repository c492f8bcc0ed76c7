//! How many clients asked a server in a minute, and for how many names: sketches in which nobody is.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::Hasher as _;
use std::net::IpAddr;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::{DistinctCell, Sketch, Span};
use siphasher::sip::SipHasher24;

use crate::message::{HEADER, Parsed};
use crate::pass::timestamp;
use crate::sink::{Sink, SinkError};
use crate::wire::push_name_at;

const MINUTE: i64 = 60_000_000_000;

/// How clients and names are counted.
#[derive(Clone, PartialEq, Eq)]
pub struct Distincts {
    /// Under which clients' addresses are hashed. Who has it and a sketch can tell of an address whether it may be in it: keep it
    /// where the traffic is. Sketches of one key add up.
    pub client_key: [u8; 16],
    /// Servers of one minute that are counted by themselves; the others are counted together. Each takes 8 KB a minute.
    pub most_servers: usize,
}

impl fmt::Debug for Distincts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Distincts")
            .field("most_servers", &self.most_servers)
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Pair {
    clients: Sketch,
    names: Sketch,
}

type Servers = HashMap<Option<IpAddr>, Pair, RandomState>;

/// Counts not yet passed on.
pub(crate) struct Counting {
    settings: Distincts,
    minutes: BTreeMap<i64, Servers>,
    name: Vec<u8>,
}

impl Counting {
    pub(crate) fn new(settings: Distincts) -> Self {
        Self {
            settings,
            minutes: BTreeMap::new(),
            name: Vec::new(),
        }
    }

    /// Counts a query that came at `time`, in nanoseconds. A message without a question counts its client alone.
    pub(crate) fn add(&mut self, time: i64, server: IpAddr, client: IpAddr, message: &Parsed<'_>) {
        let servers = self.minutes.entry(time.div_euclid(MINUTE)).or_default();
        let has_cell = servers.len() < self.settings.most_servers || servers.contains_key(&Some(server));
        let pair = servers.entry(has_cell.then_some(server)).or_default();
        // senders of dnstap may leave the address out
        if !client.is_unspecified() {
            let mut hasher = SipHasher24::new_with_key(&self.settings.client_key);
            match client {
                IpAddr::V4(address) => hasher.write(&address.octets()),
                IpAddr::V6(address) => hasher.write(&address.octets()),
            }
            pair.clients.add(hasher.finish());
        }
        self.name.clear();
        let has_name = message.question.is_some_and(|question| question.has_name);
        if has_name && push_name_at(message.octets, HEADER, &mut self.name).is_some() {
            let mut hasher = SipHasher24::new_with_key(&[0; 16]);
            hasher.write(&self.name);
            pair.names.add(hasher.finish());
        }
    }

    /// Minutes that are held.
    pub(crate) fn minutes(&self) -> usize {
        self.minutes.len()
    }

    /// Passes everything on.
    pub(crate) fn pass_on(&mut self, sink: &mut dyn Sink) -> Result<(), SinkError> {
        while let Some((minute, servers)) = self.minutes.pop_first() {
            for (server, pair) in servers {
                sink.distinct(DistinctCell {
                    minute: timestamp(minute.saturating_mul(MINUTE)),
                    span: Span::Minute,
                    server,
                    clients: pair.clients,
                    names: pair.names,
                })?;
            }
        }
        Ok(())
    }
}
