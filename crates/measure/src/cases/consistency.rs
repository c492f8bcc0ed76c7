//! Consistency: whether all servers of the zone say the same (`Consistency-TP`, without consistency05).

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

use domain::base::Serial;
use domain::base::iana::Rtype;
use domain::rdata::Soa;
use model::Name;

use super::{Case, Emission, case, reachable_servers};
use crate::question::Question;
use crate::record::{OwnedName, Record};
use crate::run::Run;
use crate::server::Server;

/// The cases of this file.
pub const CASES: &[Case] = &[
    case!("consistency01", consistency01),
    case!("consistency02", consistency02),
    case!("consistency03", consistency03),
    case!("consistency04", consistency04),
    case!("consistency06", consistency06),
];

/// Difference of serials that is no inconsistency (consistency01, "Accepted Serial Difference").
const ACCEPTED_DIFFERENCE: u32 = 0;

/// Values, each with the servers that gave it.
type Seen<T> = BTreeMap<T, BTreeSet<Server>>;

/// What `pick` takes of each server's SOA record; servers without one are reported.
async fn seen_in_soa<T: Ord + Hash>(
    run: &Run,
    emitted: &mut Vec<Emission>,
    pick: impl Fn(&Soa<OwnedName>) -> T,
) -> Seen<T> {
    let servers = reachable_servers(run, Rtype::SOA, emitted).await;
    let answers = run
        .ask_all(servers.keys().copied(), &Question::plain(run.zone(), Rtype::SOA))
        .await;
    let mut seen: Seen<T> = BTreeMap::new();
    for (address, exchange) in &answers {
        let names = &servers[address];
        let Some(response) = exchange.response() else {
            emitted.extend(
                names
                    .iter()
                    .map(|server| Emission::new("NO_RESPONSE").arg("ns", server)),
            );
            continue;
        };
        match response.answers(run.zone(), Rtype::SOA).find_map(Record::soa) {
            Some(soa) => seen.entry(pick(soa)).or_default().extend(names.iter().cloned()),
            None => {
                emitted.extend(
                    names
                        .iter()
                        .map(|server| Emission::new("NO_RESPONSE_SOA_QUERY").arg("ns", server)),
                );
            }
        }
    }
    seen
}

/// consistency01: one SOA serial.
pub async fn consistency01(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let seen = seen_in_soa(run, &mut emitted, |soa| soa.serial().into_int()).await;
    let serials: Vec<u32> = seen.keys().copied().collect();
    if let [serial] = serials[..] {
        emitted.push(Emission::new("ONE_SOA_SERIAL").arg("serial", serial));
    } else if serials.len() > 1 {
        let order = smallest_and_largest(&serials);
        if order.is_none_or(|(first, last)| last.wrapping_sub(first) > ACCEPTED_DIFFERENCE) {
            let (first, last) = order.unwrap_or((serials[0], serials[serials.len() - 1]));
            let variation = Emission::new("SOA_SERIAL_VARIATION")
                .arg("serial_min", first)
                .arg("serial_max", last);
            emitted.push(variation.arg("max_variation", ACCEPTED_DIFFERENCE));
            emitted.push(Emission::new("MULTIPLE_SOA_SERIALS").arg("count", serials.len()));
        } else {
            emitted.push(Emission::new("MULTIPLE_SOA_SERIALS_OK").arg("count", serials.len()));
        }
    }
    for (serial, servers) in seen {
        emitted.push(
            Emission::new("SOA_SERIAL")
                .arg("serial", serial)
                .list("ns_list", servers),
        );
    }
    emitted
}

/// The first and the last serial by RFC 1982, or `None` where the serials have no single order.
fn smallest_and_largest(serials: &[u32]) -> Option<(u32, u32)> {
    let is_before = |one: u32, other: u32| one == other || Serial(one) < Serial(other);
    let first = serials
        .iter()
        .copied()
        .find(|one| serials.iter().all(|other| is_before(*one, *other)))?;
    let last = serials
        .iter()
        .copied()
        .find(|one| serials.iter().all(|other| is_before(*other, *one)))?;
    Some((first, last))
}

/// consistency02: one SOA RNAME.
pub async fn consistency02(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let seen = seen_in_soa(run, &mut emitted, |soa| Name::from_wire(soa.rname())).await;
    let (one, several) = ("ONE_SOA_RNAME", "MULTIPLE_SOA_RNAMES");
    compare(
        seen,
        one,
        several,
        "SOA_RNAME",
        |emission, rname| emission.arg("rname", rname),
        &mut emitted,
    );
    emitted
}

/// consistency03: one set of SOA timers.
pub async fn consistency03(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let timers =
        |soa: &Soa<OwnedName>| [soa.refresh(), soa.retry(), soa.expire(), soa.minimum()].map(|ttl| ttl.as_secs());
    let seen = seen_in_soa(run, &mut emitted, timers).await;
    let args = |emission: Emission, [refresh, retry, expire, minimum]: &[u32; 4]| {
        emission
            .arg("refresh", refresh)
            .arg("retry", retry)
            .arg("expire", expire)
            .arg("minimum", minimum)
    };
    let (one, several) = ("ONE_SOA_TIME_PARAMETER_SET", "MULTIPLE_SOA_TIME_PARAMETER_SET");
    compare(seen, one, several, "SOA_TIME_PARAMETER_SET", args, &mut emitted);
    emitted
}

/// consistency04: one NS RRset, TTLs included.
pub async fn consistency04(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, Rtype::NS, &mut emitted).await;
    let answers = run
        .ask_all(servers.keys().copied(), &Question::plain(run.zone(), Rtype::NS))
        .await;
    let mut seen: Seen<BTreeSet<(Name, u32)>> = BTreeMap::new();
    for (address, exchange) in &answers {
        let names = &servers[address];
        let Some(response) = exchange.response() else {
            emitted.extend(
                names
                    .iter()
                    .map(|server| Emission::new("NO_RESPONSE").arg("ns", server)),
            );
            continue;
        };
        let records = response.answers(run.zone(), Rtype::NS);
        let set: BTreeSet<(Name, u32)> = records.filter_map(|record| Some((record.ns()?, record.ttl))).collect();
        if set.is_empty() || !response.authoritative {
            emitted.extend(
                names
                    .iter()
                    .map(|server| Emission::new("NO_RESPONSE_NS_QUERY").arg("ns", server)),
            );
        } else {
            seen.entry(set).or_default().extend(names.iter().cloned());
        }
    }
    let args = |emission: Emission, set: &BTreeSet<(Name, u32)>| {
        emission.list("nsname_list", set.iter().map(|(name, _)| name))
    };
    compare(seen, "ONE_NS_SET", "MULTIPLE_NS_SET", "NS_SET", args, &mut emitted);
    emitted
}

/// consistency06: one SOA MNAME.
pub async fn consistency06(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let seen = seen_in_soa(run, &mut emitted, |soa| Name::from_wire(soa.mname())).await;
    let mnames: Vec<&Name> = seen.keys().collect();
    if let [mname] = mnames[..] {
        emitted.push(Emission::new("ONE_SOA_MNAME").arg("mname", mname));
    } else if mnames.len() > 1 {
        emitted.push(Emission::new("MULTIPLE_SOA_MNAMES").arg("count", mnames.len()));
    }
    emitted
}

/// Says whether there is one value or several, and with several who gave which.
fn compare<T: Ord>(
    seen: Seen<T>,
    one: &'static str,
    several: &'static str,
    each: &'static str,
    args: impl Fn(Emission, &T) -> Emission,
    emitted: &mut Vec<Emission>,
) {
    if let (1, Some(value)) = (seen.len(), seen.keys().next()) {
        emitted.push(args(Emission::new(one), value));
    } else if seen.len() > 1 {
        emitted.push(Emission::new(several).arg("count", seen.len()));
        for (value, servers) in seen {
            emitted.push(args(Emission::new(each), &value).list("ns_list", servers));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_are_ordered_around_the_turn_of_their_space() {
        assert_eq!(smallest_and_largest(&[1, u32::MAX]), Some((u32::MAX, 1)));
        assert_eq!(smallest_and_largest(&[7, 9, 8]), Some((7, 9)));
        assert_eq!(
            smallest_and_largest(&[0, 1 << 31]),
            None,
            "half the space apart: no order"
        );
        assert_eq!(
            smallest_and_largest(&[0, 1 << 30, 1 << 31, 3 << 30]),
            None,
            "a circle has no first"
        );
    }
}
