//! Carries out the questions of a vantage point's plan for one interval.
//!
//! Each question goes out once (RSSAC047v2 §5.1), with NSID (§4.8). Where the plan has the zone's DS records, the zone's keys are
//! asked for first and the signatures over SOA are checked from there on: what was learnt goes into the samples, so that the
//! centre need not keep the answers.

use std::collections::BTreeSet;
use std::net::IpAddr;

use domain::base::iana::Rtype;
use futures_util::StreamExt as _;
use futures_util::stream::{self, Stream};
use model::{Ds, Name, Plan, PlannedQuestion, PlannedZone, Sample, Timestamp, Transport};

use crate::dnssec::{Dnskey, DsMatch, Proof, Validity, key, signature};
use crate::exchange::Exchange;
use crate::internet::Internet;
use crate::question::{NSID, Question};
use crate::record::Record;
use crate::response::Response;

/// Zones that are asked about at the same time, and addresses of each. Chosen by us: 64 questions under way at a
/// time keep an interval short where some servers are silent (each holds its place for the timeout).
const AT_ONCE: (usize, usize) = (16, 4);

/// Servers that are asked for a zone's keys before they count as unknown. Chosen by us: each that is silent costs a timeout.
const KEY_SERVERS: usize = 3;

/// All questions of a plan, put once. Samples come zone by zone as they are ready.
pub fn carry_out<'a>(internet: &'a Internet, plan: &'a Plan) -> impl Stream<Item = Vec<Sample>> + 'a {
    // by number: a closure over references makes a stream that no task can carry
    stream::iter(0..plan.zones.len())
        .map(move |number| ask_zone(internet, plan, &plan.zones[number]))
        .buffer_unordered(AT_ONCE.0)
}

async fn ask_zone(internet: &Internet, plan: &Plan, zone: &PlannedZone) -> Vec<Sample> {
    let probe = &plan.vantage_point;
    let mut samples = Vec::new();
    let keys = match zone.ds.is_empty() {
        true => Keys::NotAsked,
        false => keys_of(internet, probe, zone, &mut samples).await,
    };
    let mut answers = Vec::new();
    for (server, addresses) in &zone.servers {
        for address in addresses {
            for planned in &zone.questions {
                let keys = &keys;
                answers.push(async move {
                    let exchange = internet.once(*address, &question(planned, !zone.ds.is_empty())).await;
                    let validated = keys.validate(&exchange, &zone.zone);
                    sample(&exchange, probe, &zone.zone, server, validated)
                });
            }
        }
    }
    let answers: Vec<Option<Sample>> = stream::iter(answers).buffer_unordered(AT_ONCE.1).collect().await;
    samples.extend(answers.into_iter().flatten());
    samples
}

fn question(planned: &PlannedQuestion, with_signatures: bool) -> Question {
    let rtype = Rtype::from_int(planned.qtype);
    let question = match with_signatures {
        true => Question::dnssec(&planned.qname, rtype),
        false => Question::edns(&planned.qname, rtype).payload(1232),
    };
    let question = question.option(NSID, Vec::new());
    match planned.transport {
        Transport::Udp => question,
        Transport::Tcp => question.over_tcp(),
    }
}

/// A sample of what was sent; `None` where nothing was, because the family is off.
fn sample(exchange: &Exchange, probe: &str, zone: &Name, server: &Name, validated: Option<bool>) -> Option<Sample> {
    let sample = exchange.sample(probe, zone, Some(server.clone()));
    (exchange.attempts > 0).then_some(Sample { validated, ..sample })
}

/// The keys of a zone.
enum Keys {
    /// The zone is not secured, as far as the plan knows.
    NotAsked,
    /// No server told its keys: nothing can be said of signatures.
    Unknown,
    /// Keys were told, but none of those sets is the one that the DS records vouch for.
    Bogus,
    /// The keys that the DS records vouch for.
    Trusted(Vec<Dnskey>),
}

/// Asks the zone's servers for its keys, one after the other, until one tells those that the DS records vouch for.
async fn keys_of(internet: &Internet, probe: &str, zone: &PlannedZone, samples: &mut Vec<Sample>) -> Keys {
    let planned = PlannedQuestion {
        qname: zone.zone.clone(),
        qtype: Rtype::DNSKEY.to_int(),
        transport: Transport::Udp,
    };
    let may_ask = |address: &&IpAddr| internet.settings().is_enabled(**address);
    let places = zone
        .servers
        .iter()
        .filter_map(|(server, addresses)| Some((server, *addresses.iter().find(may_ask)?)));
    let mut keys = Keys::Unknown;
    for (server, address) in places.take(KEY_SERVERS) {
        let found = ask_for_keys(internet, address, &planned, zone, |exchange, validated| {
            samples.extend(sample(exchange, probe, &zone.zone, server, validated));
        })
        .await;
        match found {
            Keys::Trusted(_) => return found,
            Keys::Bogus => keys = Keys::Bogus,
            Keys::NotAsked | Keys::Unknown => {}
        }
    }
    keys
}

async fn ask_for_keys(
    internet: &Internet,
    address: IpAddr,
    planned: &PlannedQuestion,
    zone: &PlannedZone,
    mut note: impl FnMut(&Exchange, Option<bool>),
) -> Keys {
    for transport in [Transport::Udp, Transport::Tcp] {
        let planned = PlannedQuestion {
            transport,
            ..planned.clone()
        };
        let exchange = internet.once(address, &question(&planned, true)).await;
        if exchange.truncated {
            note(&exchange, None);
            continue;
        }
        let keys = match exchange.response() {
            Some(response) => trusted_keys(response, &zone.zone, &zone.ds, exchange.time),
            None => Keys::Unknown,
        };
        note(
            &exchange,
            match &keys {
                Keys::Trusted(_) => Some(true),
                Keys::Bogus => Some(false),
                Keys::NotAsked | Keys::Unknown => None,
            },
        );
        return keys;
    }
    Keys::Unknown
}

/// The keys of an answer, if a key that a DS means signed them all (RFC 4035 §5.2).
fn trusted_keys(response: &Response, zone: &Name, ds: &BTreeSet<Ds>, now: Timestamp) -> Keys {
    let records: Vec<&Record> = response.answers(zone, Rtype::DNSKEY).collect();
    let keys: Vec<Dnskey> = records.iter().filter_map(|record| record.dnskey().cloned()).collect();
    if keys.is_empty() {
        return Keys::Unknown;
    }
    let compare = |ds: &Ds| {
        let key = key::pointed_at(ds, zone, &keys)?;
        Some((key::compare_ds(ds, zone, key), key.clone()))
    };
    let compared: Vec<(DsMatch, Dnskey)> = ds.iter().filter_map(compare).collect();
    let of = |wanted: DsMatch| compared.iter().filter(move |(found, _)| *found == wanted);
    let entry_points: Vec<Dnskey> = of(DsMatch::Matches).map(|(_, key)| key.clone()).collect();
    if entry_points.is_empty() && of(DsMatch::NotSupported).next().is_some() {
        // as good as no DS (RFC 4035 §5.2)
        return Keys::Unknown;
    }
    match proof(response, zone, Rtype::DNSKEY, &entry_points, now) {
        Some(Proof::Holds) => Keys::Trusted(keys),
        Some(Proof::NotSupported) => Keys::Unknown,
        Some(Proof::Fails) | None => Keys::Bogus,
    }
}

impl Keys {
    /// Whether the signatures over the SOA record of an answer hold; `None` where that cannot be said: no SOA in it, or
    /// nothing known of the keys.
    fn validate(&self, exchange: &Exchange, zone: &Name) -> Option<bool> {
        let response = exchange.response()?;
        response.answers(zone, Rtype::SOA).next()?;
        match self {
            Keys::NotAsked | Keys::Unknown => None,
            Keys::Bogus => Some(false),
            Keys::Trusted(keys) => match proof(response, zone, Rtype::SOA, keys, exchange.time) {
                Some(Proof::Holds) => Some(true),
                Some(Proof::NotSupported) => None,
                Some(Proof::Fails) | None => Some(false),
            },
        }
    }
}

/// The best that any signature over the zone's records of this type proves with any of these keys; `None` without one that
/// is valid now.
fn proof(response: &Response, zone: &Name, rtype: Rtype, keys: &[Dnskey], now: Timestamp) -> Option<Proof> {
    let records: Vec<_> = response.answers(zone, rtype).map(Record::to_wire).collect();
    let mut best = None;
    for (_, rrsig) in response.signatures(zone, rtype) {
        let is_in_time = signature::validity(rrsig, now) == Validity::Valid;
        if !is_in_time || !signature::covers(rrsig, zone, rtype, zone) {
            continue;
        }
        for key in key::tagged(keys, rrsig.key_tag()) {
            match signature::verify(&records, rrsig, key) {
                Proof::Holds => return Some(Proof::Holds),
                Proof::NotSupported => best = Some(Proof::NotSupported),
                Proof::Fails => best = best.or(Some(Proof::Fails)),
            }
        }
    }
    best
}
