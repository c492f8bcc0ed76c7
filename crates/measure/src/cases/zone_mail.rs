//! Where mail for the zone goes: zone08 (no mail server's name is an alias), zone09 (there are MX records, and sound ones).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use domain::base::iana::Rtype;
use futures_util::future::join_all;
use model::Name;

use super::dnssec::{Seen, note, sound, with_addresses};
use super::{Emission, reachable_servers};
use crate::question::Question;
use crate::record::Record;
use crate::response::Response;
use crate::run::Run;

/// Preference and host of an MX record.
type Target = (u16, Name);

fn targets(response: &Response, zone: &Name) -> BTreeSet<Target> {
    let records = response.answers(zone, Rtype::MX).filter_map(Record::mx);
    records
        .map(|mx| (mx.preference(), Name::from_wire(mx.exchange())))
        .collect()
}

/// zone08: no MX record names an alias.
pub(super) async fn zone08(run: &Run) -> Vec<Emission> {
    let addresses = run.child_addresses().await.keys().copied();
    let asked = run.ask_all(addresses, &Question::plain(run.zone(), Rtype::MX)).await;
    let first = asked
        .iter()
        .filter_map(|(_, exchange)| exchange.response())
        .find(|response| response.authoritative);
    let Some(response) = first else {
        return vec![Emission::new("NO_RESPONSE_MX_QUERY")];
    };
    let hosts = targets(response, run.zone()).into_iter().map(|(_, host)| host);
    let hosts: BTreeSet<Name> = hosts.filter(|host| !host.is_root()).collect();
    let judged = hosts.iter().map(async |host| {
        let (a, aaaa) = tokio::join!(run.lookup(host, Rtype::A), run.lookup(host, Rtype::AAAA));
        let tag = if a.alias || aaaa.alias {
            "MX_RECORD_IS_CNAME"
        } else {
            "MX_RECORD_IS_NOT_CNAME"
        };
        Emission::new(tag).arg("mailtarget", host)
    });
    join_all(judged).await
}

/// What the servers say of the zone's MX records, by address.
#[derive(Default)]
struct Answers {
    silent: BTreeSet<IpAddr>,
    rcodes: Seen<String>,
    not_authoritative: BTreeSet<IpAddr>,
    without: BTreeSet<IpAddr>,
    with: Seen<BTreeSet<Target>>,
}

/// zone09: the zone has MX records, the same at all servers, where one expects them.
pub(super) async fn zone09(run: &Run) -> Vec<Emission> {
    let zone = run.zone();
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, Rtype::MX, &mut emitted).await;
    let soa = run
        .ask_all(servers.keys().copied(), &Question::plain(zone, Rtype::SOA))
        .await;
    let serving = soa.iter().filter(|(_, exchange)| {
        sound(exchange).is_some_and(|response| response.answers(zone, Rtype::SOA).next().is_some())
    });
    let serving: Vec<IpAddr> = serving.map(|(address, _)| *address).collect();
    let mut answers = Answers::default();
    for (address, exchange) in run.ask_all(serving, &Question::plain(zone, Rtype::MX)).await {
        match exchange.response() {
            None => _ = answers.silent.insert(address),
            Some(response) if !response.is_noerror() => note(&mut answers.rcodes, response.rcode_name(), address),
            Some(response) if !response.authoritative => _ = answers.not_authoritative.insert(address),
            Some(response) => match targets(response, zone) {
                targets if targets.is_empty() => _ = answers.without.insert(address),
                targets => note(&mut answers.with, targets, address),
            },
        }
    }
    emitted.extend(with_addresses("Z09_NO_RESPONSE_MX_QUERY", &answers.silent));
    for (rcode, addresses) in &answers.rcodes {
        let say = with_addresses("Z09_UNEXPECTED_RCODE_MX", addresses);
        emitted.extend(say.map(|emission| emission.arg("rcode", rcode)));
    }
    emitted.extend(with_addresses("Z09_NON_AUTH_MX_RESPONSE", &answers.not_authoritative));
    let with: BTreeSet<IpAddr> = answers.with.values().flatten().copied().collect();
    if !with.is_empty() && !answers.without.is_empty() {
        emitted.push(Emission::new("Z09_INCONSISTENT_MX"));
        emitted.extend(with_addresses("Z09_NO_MX_FOUND", &answers.without));
        emitted.extend(with_addresses("Z09_MX_FOUND", &with));
    }
    emitted.extend(judge_targets(zone, &answers.with));
    if !answers.without.is_empty() && with.is_empty() && !is_without_mail(zone) {
        emitted.push(Emission::new("Z09_MISSING_MAIL_TARGET"));
    }
    emitted
}

/// Judges the MX RRsets, each with the servers that gave it.
fn judge_targets(zone: &Name, sets: &BTreeMap<BTreeSet<Target>, BTreeSet<IpAddr>>) -> Vec<Emission> {
    let data = |(targets, addresses): (&BTreeSet<Target>, &BTreeSet<IpAddr>)| {
        let say = Emission::new("Z09_MX_DATA").list("mailtarget_list", targets.iter().map(|(_, host)| host));
        say.list("ns_ip_list", addresses)
    };
    let Some((targets, addresses)) = sets.first_key_value() else {
        return Vec::new();
    };
    if sets.len() > 1 {
        let inconsistent = Emission::new("Z09_INCONSISTENT_MX_DATA");
        return [inconsistent].into_iter().chain(sets.iter().map(data)).collect();
    }
    let null: Vec<u16> = targets
        .iter()
        .filter(|(_, host)| host.is_root())
        .map(|(preference, _)| *preference)
        .collect();
    if null.is_empty() {
        return vec![match zone.label_count() {
            0 => Emission::new("Z09_ROOT_EMAIL_DOMAIN"),
            1 => Emission::new("Z09_TLD_EMAIL_DOMAIN"),
            _ => data((targets, addresses)),
        }];
    }
    let mut emitted = Vec::new();
    if targets.len() > 1 {
        emitted.push(Emission::new("Z09_NULL_MX_WITH_OTHER_MX"));
    }
    if null.iter().any(|preference| *preference != 0) {
        emitted.push(Emission::new("Z09_NULL_MX_NON_ZERO_PREF"));
    }
    emitted
}

/// Whether no mail is expected to the zone's name: the root, a top-level domain, or one in the tree of .ARPA.
pub(super) fn is_without_mail(zone: &Name) -> bool {
    let is_arpa = |name: &Name| name.to_string() == "arpa";
    zone.label_count() <= 1 || std::iter::successors(Some(zone.clone()), Name::parent).any(|name| is_arpa(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_is_expected_below_top_level_domains_but_not_in_arpa() {
        for (zone, expected) in [
            (".", true),
            ("test", true),
            ("arpa", true),
            ("2.0.192.in-addr.arpa", true),
            ("example.test", false),
            ("arpa.test", false),
            ("xarpa.example.test", false),
        ] {
            assert_eq!(is_without_mail(&zone.parse().unwrap()), expected, "{zone}");
        }
    }
}
