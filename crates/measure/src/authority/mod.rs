//! The measuring zone's name server: it answers what a resolver under test asks, and remembers how it was asked.
//!
//! Nothing of the zone is stored. Its trees ([`tree`]) say which names exist, each answer is made and signed when it is asked
//! for, and what was seen is told to whoever knows the token of a run ([`seen`]). It is no open anything: it knows one zone,
//! never resolves, transfers nothing, keeps answers over UDP below 1,232 octets, and limits what one network gets.

mod answer;
mod key;
mod limit;
pub mod seen;
mod serve;
pub mod tree;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Mutex;

use domain::base::Message;
use domain::base::iana::{Class, Opcode, OptRcode, Rtype};
use jiff::Timestamp;
use model::{Ds, Name, Transport};

pub use key::AuthorityError;
pub use serve::{Listening, serve};

use answer::{Asked, Draft};
use key::Keys;
use limit::{Limiter, Verdict};
use seen::{Journal, Seen, Token};
use tree::{Place, Zone};

/// The measuring zone and how its server is known.
pub struct Authority {
    zone: Name,
    addresses: Vec<IpAddr>,
    keys: Keys,
    cookie_secret: [u8; 16],
    journal: Mutex<Journal>,
    limiter: Mutex<Limiter>,
}

impl Authority {
    /// The server of `zone`, which its parent delegates to `ns.` of it at `addresses`. Its key lies in `folder` and is made
    /// there when it is missing.
    pub fn open(zone: Name, addresses: Vec<IpAddr>, folder: &Path) -> Result<Self, AuthorityError> {
        Keys::check(&zone)?;
        Ok(Self::new(zone.clone(), addresses, Keys::kept_in(folder, &zone)?))
    }

    /// Whether [`Authority::open`] would find the key of `zone` in `folder`, and make none.
    pub fn has_key(zone: &Name, folder: &Path) -> bool {
        Keys::are_in(folder, zone)
    }

    /// The same with a key that is gone when the process ends.
    pub fn in_memory(zone: Name, addresses: Vec<IpAddr>) -> Result<Self, AuthorityError> {
        Keys::check(&zone)?;
        Ok(Self::new(zone.clone(), addresses, Keys::made(&zone)?))
    }

    fn new(zone: Name, addresses: Vec<IpAddr>, keys: Keys) -> Self {
        Self {
            zone,
            addresses,
            keys,
            // known to nobody, and not needed for longer than the process runs
            cookie_secret: rand::random(),
            journal: Mutex::default(),
            limiter: Mutex::default(),
        }
    }

    /// The zone.
    pub fn zone(&self) -> &Name {
        &self.zone
    }

    /// The name of its name server.
    pub fn server(&self) -> Name {
        tree::below(&self.zone, tree::SERVER)
    }

    /// The addresses that it gives for its name server.
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// The DS record that its parent must have for the zone to be secure.
    pub fn ds(&self) -> Ds {
        self.keys.ds(&self.zone)
    }

    /// The answer to the octets of a question from `from`; `None` when there is none to be given.
    pub fn respond(&self, octets: &[u8], transport: Transport, from: SocketAddr, now: Timestamp) -> Option<Vec<u8>> {
        let query = Message::from_slice(octets).ok()?;
        if query.header().qr() {
            return None;
        }
        let asked = Asked::read(query, &self.cookie_secret, from.ip(), now);
        let verdict = match transport {
            // a connection, and a cookie of ours, show that the sender is who it says
            Transport::Tcp => Verdict::Answer,
            Transport::Udp if asked.is_known => Verdict::Answer,
            Transport::Udp => {
                let mut limiter = self.limiter.lock().expect("no holder of this lock panics");
                limiter.judge(from.ip(), now)
            }
        };
        if verdict == Verdict::Drop {
            return None;
        }
        let mut draft = Draft::new(query, asked, transport);
        match self.refusal(query, &draft) {
            Some(rcode) => draft.rcode = rcode,
            None => {
                let (name, rtype) = draft.question()?;
                let place = tree::locate(&self.zone, &name, rtype);
                self.note(query, &place, transport, from, now);
                if verdict == Verdict::Truncate || transport == Transport::Udp && place.is_over_tcp_only() {
                    draft.is_truncated = true;
                } else {
                    self.fill(&mut draft, &name, rtype, &place, now);
                }
            }
        }
        Some(draft.compose())
    }

    /// The code with which a question is turned away, if it is.
    fn refusal(&self, query: &Message<[u8]>, draft: &Draft<'_>) -> Option<OptRcode> {
        if query.header().opcode() != Opcode::QUERY {
            return Some(OptRcode::NOTIMP);
        }
        let Some(question) = draft.sole_question() else {
            return Some(OptRcode::FORMERR);
        };
        if draft.asked.is_malformed {
            return Some(OptRcode::FORMERR);
        }
        if draft.asked.version.is_some_and(|version| version > 0) {
            return Some(OptRcode::BADVERS);
        }
        let is_ours = Name::from_wire(question.qname()).is_at_or_below(&self.zone);
        let is_transfer = matches!(question.qtype(), Rtype::AXFR | Rtype::IXFR);
        (!is_ours || is_transfer || question.qclass() != Class::IN).then_some(OptRcode::REFUSED)
    }

    fn note(&self, query: &Message<[u8]>, place: &Place, transport: Transport, from: SocketAddr, now: Timestamp) {
        let Some(token) = place.token.as_ref().filter(|_| place.tree != tree::SEEN) else {
            return;
        };
        if let Some(seen) = Seen::of(query, transport, from, now) {
            let mut journal = self.journal.lock().expect("no holder of this lock panics");
            journal.note(token, seen, now);
        }
    }

    fn seen_by(&self, token: &Token, now: Timestamp) -> Vec<Seen> {
        let mut journal = self.journal.lock().expect("no holder of this lock panics");
        journal.of(token, now)
    }

    /// Finds the records of the answer and signs them.
    fn fill(&self, draft: &mut Draft<'_>, name: &Name, rtype: Rtype, place: &Place, now: Timestamp) {
        let seen = match (&place.token, place.tree) {
            (Some(token), tree::SEEN) => self.seen_by(token, now),
            _ => Vec::new(),
        };
        let mut sets = tree::records_at(&self.zone, &self.addresses, &self.keys, name, place, &seen);
        let is_signed = draft.asked.dnssec_ok && place.zone != Zone::Plain;
        if rtype == Rtype::NSEC && place.exists && place.zone != Zone::Plain {
            let own = tree::proof(&self.zone, name, place, &sets);
            sets.push(tree::Set::of(own));
        }
        let mut wanted: Vec<_> = match rtype {
            Rtype::ANY => sets.iter().take(1).collect(),
            _ => sets.iter().filter(|set| set.rtype == rtype).collect(),
        };
        let sign = |records: &[key::Record]| self.keys.sign(place.zone, records, now);
        if let Some(set) = wanted.pop() {
            draft.answer.extend(set.records.iter().cloned());
            draft.answer.extend(is_signed.then(|| sign(&set.records)));
            return;
        }
        if !place.exists && place.zone == Zone::Empty {
            draft.rcode = OptRcode::NXDOMAIN;
        }
        let soa = tree::soa(&self.zone, place.zone);
        draft.authority.push(soa.clone());
        if is_signed {
            let proof = tree::proof(&self.zone, name, place, &sets);
            draft.authority.extend([sign(&[soa]), proof.clone(), sign(&[proof])]);
        }
    }
}
