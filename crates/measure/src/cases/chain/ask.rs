//! What the chain asks: DNSKEY and DS of every zone from the root on, and the apex RRsets of the zone under test.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use domain::base::iana::Rtype;
use futures_util::future::join_all;
use model::Name;

use crate::exchange::Exchange;
use crate::question::Question;
use crate::response::Response;
use crate::run::Run;

/// Answers to one question, one from each server.
pub(super) type Answers = Vec<(IpAddr, Arc<Exchange>)>;

/// Label of a name that no zone has: the answer shows how the zone denies names, expands wildcards and follows a DNAME.
const NO_SUCH_LABEL: &str = "dnscert-no-such-name";

/// Types asked for at the apex of a signed zone, besides DNSKEY. Several are asked for by other cases anyway.
const SIGNED: &[Rtype] = &[
    Rtype::SOA,
    Rtype::NS,
    Rtype::MX,
    Rtype::A,
    Rtype::AAAA,
    Rtype::TXT,
    Rtype::CAA,
    Rtype::CDS,
    Rtype::CDNSKEY,
    Rtype::NSEC3PARAM,
    Rtype::CSYNC,
    Rtype::ZONEMD,
];

/// Types asked for at the apex of an unsigned zone: enough to see aliases and names that come and go.
const UNSIGNED: &[Rtype] = &[Rtype::SOA, Rtype::A];

/// What the servers of one zone of the chain say.
pub(super) struct Asked {
    pub zone: Name,
    /// DNSKEY at its servers.
    pub keys: Answers,
    /// DS at the servers of the zone above.
    pub ds: Answers,
    /// The referral to the zone under test, at the servers of the zone above.
    pub referral: Answers,
    /// Everything else asked at its servers, by name and type.
    pub others: Vec<(Name, Rtype, Answers)>,
}

/// A name of the zone that surely does not exist.
pub(super) fn no_such_name(zone: &Name) -> Option<Name> {
    zone.child(NO_SUCH_LABEL).ok()
}

/// Asks the zones from the root down to the one under test, all at once.
pub(super) async fn ask(run: &Run) -> Vec<Asked> {
    let walk = run.walk().await;
    let above = walk.zones.iter().filter(|(zone, _)| *zone != run.zone());
    let mut path: Vec<(Name, BTreeSet<IpAddr>)> = above
        .filter(|(zone, _)| run.zone().is_at_or_below(zone))
        .map(|(zone, servers)| (zone.clone(), servers.clone()))
        .collect();
    let children = run.child_addresses().await.keys().copied().collect();
    path.push((run.zone().clone(), children));
    let asked = path.iter().enumerate().map(async |(at, (zone, servers))| {
        let parents = at.checked_sub(1).map(|above| &path[above].1);
        let keys = all_say(run, servers, zone, Rtype::DNSKEY);
        let ds = async {
            match parents {
                Some(parents) => all_say(run, parents, zone, Rtype::DS).await,
                None => Vec::new(),
            }
        };
        let referral = async {
            match parents.filter(|_| zone == run.zone()) {
                Some(parents) => all_say(run, parents, zone, Rtype::NS).await,
                None => Vec::new(),
            }
        };
        let (keys, ds, referral) = tokio::join!(keys, ds, referral);
        let is_signed = [(&keys, Rtype::DNSKEY), (&ds, Rtype::DS)]
            .iter()
            .any(|(answers, rtype)| has_any(answers, zone, *rtype));
        let others = match zone == run.zone() {
            true => ask_others(run, servers, if is_signed { SIGNED } else { UNSIGNED }).await,
            false => Vec::new(),
        };
        Asked {
            zone: zone.clone(),
            keys,
            ds,
            referral,
            others,
        }
    });
    join_all(asked).await
}

/// The other RRsets of the zone under test.
async fn ask_others(run: &Run, servers: &BTreeSet<IpAddr>, types: &[Rtype]) -> Vec<(Name, Rtype, Answers)> {
    let zone = run.zone();
    let apex = types.iter().map(|rtype| (zone.clone(), *rtype));
    let questions = apex.chain(no_such_name(zone).map(|name| (name, Rtype::A)));
    let asked = questions.map(async |(name, rtype)| {
        let answers = all_say(run, servers, &name, rtype).await;
        (name, rtype, answers)
    });
    join_all(asked).await
}

fn has_any(answers: &Answers, zone: &Name, rtype: Rtype) -> bool {
    answers
        .iter()
        .filter_map(|(_, exchange)| exchange.response())
        .any(|response| response.answers(zone, rtype).next().is_some())
}

/// What each server says with DNSSEC. What is above the zone under test may be known from another run.
async fn all_say(run: &Run, servers: &BTreeSet<IpAddr>, name: &Name, rtype: Rtype) -> Answers {
    let question = Question::dnssec(name, rtype);
    let may_share = !name.is_at_or_below(run.zone());
    let enabled = servers.iter().filter(|address| run.inquiry().is_enabled(**address));
    let asked = enabled.map(async |address| {
        let exchange = run.inquiry().ask_or_share(*address, &question, may_share).await;
        (*address, exchange)
    });
    join_all(asked).await
}

/// The answers that came, with authority or as referrals, and RCODE NOERROR or NXDOMAIN.
pub(super) fn usable(answers: &Answers) -> impl Iterator<Item = (IpAddr, &Response)> {
    answers.iter().filter_map(|(address, exchange)| {
        let response = exchange.response()?;
        let is_usable = response.is_noerror() || response.is_nxdomain();
        is_usable.then_some((*address, response))
    })
}
