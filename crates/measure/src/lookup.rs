//! A recursive look-up from the root hints ("DNS Lookup" in the specifications), which respects undelegated data.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::base::iana::{OptRcode, Rtype};
use futures_util::StreamExt as _;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::FuturesUnordered;
use model::Name;

use crate::exchange::Exchange;
use crate::question::Question;
use crate::record::Record;
use crate::response::Response;
use crate::run::Run;
use crate::server::NsSet;

/// How long one server may take before the next is asked beside it. Chosen by us: above most round trips, so that
/// few questions are asked twice, and far below the ladder, so that a dead server hardly delays a look-up.
const HEDGE: Duration = Duration::from_millis(250);
/// Referrals followed for one name, and aliases: more is a circle.
const STEPS: usize = 24;
/// Names of name servers looked up within one another. Deeper ones are given up as unresolvable.
const DEPTH: usize = 6;
/// Names of name servers looked up for one look-up altogether. Chosen by us: zones need a few; without an end, referrals
/// that name twenty servers without an address each lead to ever more of them (the NXNSAttack). BIND stops at 50 questions
/// (`max-recursion-queries`).
const SERVER_NAMES: u32 = 32;

/// What a look-up came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookup {
    /// RCODE of the last answer; `None` when no server gave a usable one.
    pub rcode: Option<OptRcode>,
    /// The records found; their owner is `canonical`.
    pub records: Vec<Record>,
    /// Whether the name is an alias, also where that leads nowhere.
    pub alias: bool,
    /// The name at the end of the aliases.
    pub canonical: Name,
    /// The CNAME records that led to the name which `exchange` asked for.
    pub aliases: Vec<Record>,
    /// The exchange that settled it: the last usable one, or one that was of no use where none was.
    pub exchange: Option<Arc<Exchange>>,
}

/// Where a look-up stands among those it is part of.
#[derive(Clone, Default)]
struct Within {
    /// The names whose look-ups it is part of.
    names: Vec<Name>,
    /// Names of name servers looked up so far, by all of them together.
    looked_up: Arc<AtomicU32>,
}

impl Within {
    /// The place of a look-up for the name of a name server; `None` when that would lead too far.
    fn deeper(&self, name: &Name) -> Option<Self> {
        if self.names.len() >= DEPTH || self.names.contains(name) {
            return None;
        }
        if self.looked_up.fetch_add(1, Ordering::Relaxed) >= SERVER_NAMES {
            return None;
        }
        let names = self.names.iter().cloned().chain([name.clone()]).collect();
        Some(Self {
            names,
            looked_up: self.looked_up.clone(),
        })
    }
}

impl Run {
    /// Looks up records, over aliases, from the root on.
    pub async fn lookup(&self, name: &Name, rtype: Rtype) -> Lookup {
        let key = (name.clone(), rtype);
        if let Some(known) = self.lookups.lock().expect("no holder of this lock panics").get(&key) {
            return known.clone();
        }
        let found = self.resolve(name.clone(), rtype, Within::default(), None).await;
        self.lookups
            .lock()
            .expect("no holder of this lock panics")
            .insert(key, found.clone());
        found
    }

    /// Looks up the addresses of a name, over aliases.
    pub async fn addresses(&self, name: &Name) -> BTreeSet<IpAddr> {
        let (a, aaaa) = tokio::join!(self.lookup(name, Rtype::A), self.lookup(name, Rtype::AAAA));
        a.records
            .iter()
            .chain(&aaaa.records)
            .filter_map(Record::address)
            .collect()
    }

    /// Looks up records below a zone cut that a server told of.
    pub(crate) async fn lookup_below(&self, zone: &Name, servers: NsSet, name: &Name, rtype: Rtype) -> Lookup {
        self.resolve(
            name.clone(),
            rtype,
            Within::default(),
            Some((zone.clone(), Arc::new(servers))),
        )
        .await
    }

    fn resolve(
        &self,
        name: Name,
        rtype: Rtype,
        within: Within,
        mut start: Option<(Name, Arc<NsSet>)>,
    ) -> BoxFuture<'_, Lookup> {
        async move {
            let mut current = name.clone();
            let mut rcode = None;
            let mut is_circle = false;
            let (mut aliases, mut last) = (Vec::new(), None);
            'alias: for _ in 0..STEPS {
                let from = match (rtype, current.parent()) {
                    (Rtype::DS, Some(parent)) => parent,
                    _ => current.clone(),
                };
                let (mut zone, mut servers) = start.take().unwrap_or_else(|| self.cuts.closest(&from));
                for _ in 0..STEPS {
                    // what was said on the way here is no answer
                    rcode = None;
                    let question = Question::plain(&current, rtype);
                    let exchange = match self.ask_any(&zone, &servers, &question, &within).await {
                        Ok(exchange) => exchange,
                        Err(useless) => {
                            last = useless;
                            break 'alias;
                        }
                    };
                    last = Some(exchange.clone());
                    let Some(response) = exchange.response() else {
                        break 'alias;
                    };
                    rcode = (!response.is_referral()).then_some(response.rcode);
                    let Some(canonical) = response.canonical(&current) else {
                        is_circle = true;
                        break 'alias;
                    };
                    let records: Vec<Record> = response.answers(&canonical, rtype).cloned().collect();
                    if !records.is_empty() {
                        return Lookup {
                            rcode,
                            records,
                            alias: canonical != name,
                            canonical,
                            aliases,
                            exchange: last,
                        };
                    }
                    if canonical != current {
                        aliases.extend(response.answer_type(Rtype::CNAME).cloned());
                        current = canonical;
                        continue 'alias;
                    }
                    match response.referral() {
                        Some((below, set)) if leads_down(&zone, &below, &current) => {
                            self.cuts.note(&below, set.clone());
                            (zone, servers) = (below, Arc::new(set));
                        }
                        _ => break 'alias,
                    }
                }
                break;
            }
            Lookup {
                rcode,
                records: Vec::new(),
                alias: is_circle || current != name,
                canonical: current,
                aliases,
                exchange: last,
            }
        }
        .boxed()
    }

    /// The first usable answer of a zone's servers: one after the other, the next as soon as one is slow or useless.
    /// Where none is usable, the last that was of no use.
    async fn ask_any(
        &self,
        zone: &Name,
        servers: &NsSet,
        question: &Question,
        within: &Within,
    ) -> Result<Arc<Exchange>, Option<Arc<Exchange>>> {
        let known: BTreeSet<IpAddr> = servers.values().flatten().copied().collect();
        let mut useless = match self.race(zone, known, question).await {
            Ok(exchange) => return Ok(exchange),
            Err(useless) => useless,
        };
        for name in servers
            .iter()
            .filter(|(_, addresses)| addresses.is_empty())
            .map(|(name, _)| name)
        {
            if *name == question.name {
                continue;
            }
            let Some(inner) = within.deeper(name) else { continue };
            let (a, aaaa) = tokio::join!(
                self.resolve(name.clone(), Rtype::A, inner.clone(), None),
                self.resolve(name.clone(), Rtype::AAAA, inner.clone(), None),
            );
            let addresses = a
                .records
                .iter()
                .chain(&aaaa.records)
                .filter_map(Record::address)
                .collect();
            self.cuts.note_addresses(zone, name, &addresses);
            match self.race(zone, addresses, question).await {
                Ok(exchange) => return Ok(exchange),
                Err(other) => useless = more_telling(other, useless),
            }
        }
        Err(useless)
    }

    async fn race(
        &self,
        zone: &Name,
        addresses: BTreeSet<IpAddr>,
        question: &Question,
    ) -> Result<Arc<Exchange>, Option<Arc<Exchange>>> {
        // IPv4 first: where IPv6 leads nowhere, it does so slowly
        // which addresses a name elsewhere has, and whose an address is, does not depend on the zone under test, and a
        // thousand zones share their servers
        let is_of_address = matches!(question.rtype, Rtype::A | Rtype::AAAA | Rtype::PTR | Rtype::TXT);
        let may_share = (zone.label_count() <= 1 || is_of_address) && !self.is_in_zone(&question.name);
        let mut waiting = addresses
            .into_iter()
            .filter(|address| self.inquiry().is_enabled(*address));
        let mut asked = FuturesUnordered::new();
        let mut useless: Option<Arc<Exchange>> = None;
        loop {
            let next = waiting.next();
            let is_last = next.is_none();
            if let Some(address) = next {
                asked.push(self.inquiry().ask_or_share(address, question, may_share));
            }
            if asked.is_empty() {
                return Err(useless);
            }
            let first = if is_last {
                asked.next().await
            } else {
                tokio::time::timeout(HEDGE, asked.next()).await.unwrap_or(None)
            };
            let Some(exchange) = first else { continue };
            let response = exchange.response();
            if response.is_some_and(|response| is_usable(response, zone, question)) {
                return Ok(exchange);
            }
            useless = more_telling(Some(exchange), useless);
        }
    }
}

/// Of two exchanges of no use the later, but an answer rather than silence.
fn more_telling(later: Option<Arc<Exchange>>, earlier: Option<Arc<Exchange>>) -> Option<Arc<Exchange>> {
    let is_answer = |exchange: &Option<Arc<Exchange>>| exchange.as_ref().is_some_and(|one| one.response().is_some());
    if later.is_none() || (is_answer(&earlier) && !is_answer(&later)) {
        earlier
    } else {
        later
    }
}

/// Whether a referral leads from `zone` towards `name`, not sideways and not up.
fn leads_down(zone: &Name, below: &Name, name: &Name) -> bool {
    below != zone && below.is_at_or_below(zone) && name.is_at_or_below(below)
}

fn is_usable(response: &Response, zone: &Name, question: &Question) -> bool {
    let has_answer = response.canonical(&question.name).is_some_and(|canonical| {
        canonical != question.name || response.answers(&canonical, question.rtype).next().is_some()
    });
    let is_final = response.authoritative && (response.is_noerror() || response.is_nxdomain());
    let is_referral = response
        .referral()
        .is_some_and(|(below, _)| leads_down(zone, &below, &question.name));
    has_answer || is_final || is_referral
}
