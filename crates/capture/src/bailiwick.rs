//! Which RRsets of a response its server may speak for.
//!
//! RFC 5452 §6: data is to be accepted only where it is known that the originator is authoritative for the name asked or a parent of
//! it. Passive DNS keeps for each RRset the zone on whose behalf the server spoke (Passive DNS Common Output Format,
//! draft-dulaunoy-dnsop-passive-dns-cof-13, "bailiwick"; DNSDB calls it bailiwick reconstruction). A response itself proves nothing:
//! the server of `evil.example` can claim to serve `example`. So:
//!
//! 1. Only a response that belongs to a query counts, is of class IN, not truncated, and either authoritative (AA) or a referral: no
//!    error, no answer, NS records of a name at or above the question.
//! 2. The **proven zone** is the longest one at or above the question of which it is known that the address serves it: from the
//!    settings (root hints, one's own servers), or because accepted RRsets delegated the zone to a host of that address. Knowledge
//!    thus grows along the delegations that the resolvers behind the sensor follow, from the root down.
//! 3. With a proven zone, RRsets at or below it are accepted, on behalf of it. A referral must lead below it.
//! 4. Without one, the resolver's choice to ask that server vouches for the name asked and nothing above: RRsets at or below the
//!    question are accepted, on behalf of it. Of a referral that is where the question is the child itself.
//! 5. What stands at the name of that zone and is of the zone above is accepted on behalf of the latter: DS and its signatures (RFC 4034
//!    §5, RFC 4035 §2.4 and §3.1.4.1), and of a referral NSEC too (RFC 4035 §3.1.4). With a proven zone, that is the longest above it that
//!    the address is known to serve, and nothing is accepted where there is none. Without one, it is the name above: the response alone
//!    does not prove where the zone above begins.
//! 6. Everything else is evidence: `NotProven` where it lies in the zone that the response claims (the owner of its SOA, its NS, or the
//!    child of the referral) or is of the zone above (5), `Outside` elsewhere.
//! 7. From other responses, which are those of resolvers, nothing is accepted. Evidence there is what their authority and additional
//!    sections hold beside the question and the zone claimed: the way in which POPS (USENIX Security 2025) recognises the Kashpureff
//!    kind of poisoning. Addresses of name servers in other zones, which talkative resolvers add, come with it.
//!
//! What breaks: at a cold start the answers of servers whose delegation was in the resolver's cache count as not proven for the part
//! above the question, until the delegation is seen again; the settings can take a root zone to shorten that. DS of a zone that is
//! delegated several labels below its parent are then kept on behalf of a name between the two.

use std::net::IpAddr;

use domain::base::iana::Rtype;
use foldhash::quality::RandomState;
use hashbrown::{HashMap, HashSet};
use model::Name;

use crate::wire::{is_at_or_below, suffixes};

/// Zones, and hosts of name servers, that are remembered, each at most twice that many. More: memory (about 200 octets each).
/// Fewer: knowledge of rarely seen zones is lost and what they say is not proven until seen again.
const MOST_REMEMBERED: usize = 100_000;

/// Hosts of a zone and addresses of a host that are kept: the root has 13 and 2, and no zone needs more than fit into a response.
const MOST_EACH: usize = 32;

/// What was used of late. When it is full, what was not used since the last time is forgotten.
struct Recent<V> {
    young: HashMap<Box<[u8]>, V, RandomState>,
    old: HashMap<Box<[u8]>, V, RandomState>,
}

impl<V> Default for Recent<V> {
    fn default() -> Self {
        Self {
            young: HashMap::default(),
            old: HashMap::default(),
        }
    }
}

impl<V> Recent<V> {
    fn get(&mut self, key: &[u8]) -> Option<&mut V> {
        if !self.old.is_empty()
            && !self.young.contains_key(key)
            && let Some((key, value)) = self.old.remove_entry(key)
        {
            self.insert(key, value);
        }
        self.young.get_mut(key)
    }

    fn insert(&mut self, key: Box<[u8]>, value: V) {
        if self.young.len() >= MOST_REMEMBERED {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

/// Which address serves which zone, as far as it is known.
#[derive(Default)]
pub(crate) struct Servers {
    /// From the settings; not forgotten.
    served: HashMap<IpAddr, HashSet<Box<[u8]>, RandomState>, RandomState>,
    /// Zone → hosts that its accepted NS RRset named last.
    hosts: Recent<Vec<Box<[u8]>>>,
    /// Host of a name server → its accepted addresses.
    addresses: Recent<Addresses>,
    /// All these addresses, as octets of IPv6: most servers asked are not among them, or are in the settings.
    known: Recent<()>,
}

#[derive(Default)]
struct Addresses {
    v4: Vec<IpAddr>,
    v6: Vec<IpAddr>,
}

impl Addresses {
    fn have(&self, address: IpAddr) -> bool {
        self.v4.contains(&address) || self.v6.contains(&address)
    }
}

fn octets_of(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

impl Servers {
    pub(crate) fn new(served: &[(Name, IpAddr)]) -> Self {
        let mut servers = Self::default();
        for (zone, address) in served {
            let zones = servers.served.entry(*address).or_default();
            zones.insert(zone.as_wire().as_slice().into());
        }
        servers
    }

    /// The longest zone at or above the name that the address is known to serve.
    pub(crate) fn proven_zone<'a>(&mut self, name: &'a [u8], address: IpAddr) -> Option<&'a [u8]> {
        let served = self.served.get(&address);
        let is_host = self.known.get(&octets_of(address)).is_some();
        let Self { hosts, addresses, .. } = self;
        suffixes(name).find(|zone| {
            served.is_some_and(|zones| zones.contains(*zone))
                || is_host
                    && hosts.get(zone).is_some_and(|hosts| {
                        hosts
                            .iter()
                            .any(|host| addresses.get(host).is_some_and(|known| known.have(address)))
                    })
        })
    }

    /// The zone above `zone` that the address is known to serve; where nothing is proven, the name above.
    pub(crate) fn zone_above<'a>(&mut self, zone: &'a [u8], is_proven: bool, address: IpAddr) -> Option<&'a [u8]> {
        let above = suffixes(zone).nth(1)?;
        match is_proven {
            true => self.proven_zone(above, address),
            false => Some(above),
        }
    }

    /// Learns from an RRset that a server with a proven zone gave.
    pub(crate) fn learn<'a>(&mut self, owner: &[u8], rtype: Rtype, rdata: impl Iterator<Item = &'a [u8]>) {
        let rdata = rdata.take(MOST_EACH);
        match rtype {
            Rtype::NS => {
                let hosts: Vec<Box<[u8]>> = rdata.map(Box::from).collect();
                for host in &hosts {
                    if self.addresses.get(host).is_none() {
                        self.addresses.insert(host.clone(), Addresses::default());
                    }
                }
                self.hosts.insert(owner.into(), hosts);
            }
            Rtype::A | Rtype::AAAA => {
                let Some(known) = self.addresses.get(owner) else {
                    return;
                };
                let addresses = rdata.filter_map(|data| match data.len() {
                    4 => Some(IpAddr::from(<[u8; 4]>::try_from(data).ok()?)),
                    _ => Some(IpAddr::from(<[u8; 16]>::try_from(data).ok()?)),
                });
                let addresses: Vec<IpAddr> = addresses.collect();
                for address in &addresses {
                    self.known.insert(Box::new(octets_of(*address)), ());
                }
                match rtype {
                    Rtype::A => known.v4 = addresses,
                    _ => known.v6 = addresses,
                }
            }
            _ => {}
        }
    }
}

/// How far a response is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trust<'a> {
    /// RRsets at or below it are accepted, on behalf of it. `None`: nothing is.
    pub(crate) zone: Option<&'a [u8]>,
    /// The zone that the response claims.
    pub(crate) claimed: Option<&'a [u8]>,
    /// Whether `zone` is proven, and what it says may be learned.
    pub(crate) is_proven: bool,
    pub(crate) is_referral: bool,
}

impl Trust<'_> {
    /// Whether records at the name of `zone` are of the zone above. A referral signs neither NS nor glue (RFC 4035 §2.2), so what
    /// signatures it has there are of the zone above.
    pub(crate) fn is_of_zone_above<'r>(&self, rtype: Rtype, mut rdata: impl Iterator<Item = &'r [u8]>) -> bool {
        let signs_ds = |rdata: &[u8]| rdata.starts_with(&Rtype::DS.to_int().to_be_bytes());
        match rtype {
            Rtype::DS => true,
            Rtype::NSEC => self.is_referral,
            Rtype::RRSIG => self.is_referral || rdata.all(signs_ds),
            _ => false,
        }
    }
}

/// What a response claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim<'a> {
    /// Authoritative, for this zone where it says so (the owner of an SOA or NS record in its authority section).
    Authoritative(Option<&'a [u8]>),
    /// A referral to this child.
    Referral(&'a [u8]),
    /// Neither: the answer of a resolver, which may name the zone.
    Resolved(Option<&'a [u8]>),
}

/// The rule of this module, for a response to `question` from a server with this proven zone.
pub(crate) fn trust<'a>(claim: Claim<'a>, question: &'a [u8], proven: Option<&'a [u8]>) -> Trust<'a> {
    match claim {
        Claim::Authoritative(claimed) => Trust {
            zone: Some(proven.unwrap_or(question)),
            claimed,
            is_proven: proven.is_some(),
            is_referral: false,
        },
        Claim::Resolved(claimed) => Trust {
            zone: None,
            claimed,
            is_proven: false,
            is_referral: false,
        },
        Claim::Referral(child) => {
            let zone = match proven {
                Some(zone) => (child.len() > zone.len() && is_at_or_below(child, zone)).then_some(zone),
                None => (child == question).then_some(child),
            };
            Trust {
                zone,
                claimed: Some(child),
                is_proven: proven.is_some(),
                is_referral: true,
            }
        }
    }
}
