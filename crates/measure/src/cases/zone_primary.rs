//! The primary server that the SOA record names: zone01 (it is one), zone07 (its name is no alias).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use domain::base::Serial;
use domain::base::iana::Rtype;
use futures_util::future::join_all;
use model::Name;

use super::dnssec::sound;
use super::zone::authoritative_soa;
use super::{Emission, families_off, is_localhost, reachable_servers};
use crate::question::Question;
use crate::record::Record;
use crate::run::Run;
use crate::server::Server;

/// What the zone's servers say of its primary.
#[derive(Default)]
struct Said {
    mnames: BTreeSet<Name>,
    /// Servers that name `localhost`.
    localhost: BTreeSet<IpAddr>,
    /// Servers that name the root, by which is meant that there is no primary to speak to.
    dot: BTreeSet<IpAddr>,
    serials: BTreeSet<u32>,
}

/// zone01: MNAME names a server that answers for the zone and has its newest edition.
pub(super) async fn zone01(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, Rtype::SOA, &mut emitted).await;
    let soa = Question::plain(run.zone(), Rtype::SOA);
    let mut said = Said::default();
    for (address, exchange) in run.ask_all(servers.keys().copied(), &soa).await {
        let answers = sound(&exchange).into_iter();
        let Some(soa) = answers
            .flat_map(|response| response.answers(run.zone(), Rtype::SOA))
            .find_map(Record::soa)
        else {
            continue;
        };
        let mname = Name::from_wire(soa.mname());
        if mname.to_string() == "localhost" {
            said.localhost.insert(address);
        } else if mname.is_root() {
            said.dot.insert(address);
        } else {
            said.mnames.insert(mname);
        }
        said.serials.insert(soa.serial().into_int());
    }
    for (tag, addresses) in [
        ("Z01_MNAME_IS_LOCALHOST", &said.localhost),
        ("Z01_MNAME_IS_DOT", &said.dot),
    ] {
        if !addresses.is_empty() {
            emitted.push(Emission::new(tag).list("ns_ip_list", addresses));
        }
    }
    let mut primaries: BTreeMap<Server, u32> = BTreeMap::new();
    let asked = said.mnames.iter().map(|mname| ask_primary(run, mname, &soa));
    for (complaints, serials) in join_all(asked).await {
        for complaint in complaints {
            // a server of the zone whose family is off has been named already
            if !emitted.contains(&complaint) {
                emitted.push(complaint);
            }
        }
        primaries.extend(serials);
    }
    emitted.extend(judge_serials(&primaries, &said.serials));
    emitted
}

/// What is wrong with a primary, and the serials at its addresses.
async fn ask_primary(run: &Run, mname: &Name, soa: &Question) -> (Vec<Emission>, Vec<(Server, u32)>) {
    let (mut emitted, mut serials) = (Vec::new(), Vec::new());
    if !run.zone_names().await.is_some_and(|names| names.contains(mname)) {
        emitted.push(Emission::new("Z01_MNAME_NOT_IN_NS_LIST").arg("nsname", mname));
    }
    let addresses = run.addresses(mname).await;
    if addresses.is_empty() {
        emitted.push(Emission::new("Z01_MNAME_NOT_RESOLVE").arg("nsname", mname));
    }
    let (local, elsewhere): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| is_localhost(*address));
    for address in local {
        let say = Emission::new("Z01_MNAME_HAS_LOCALHOST_ADDR").arg("nsname", mname);
        emitted.push(say.arg("ns_ip", address));
    }
    let server = |address| Server {
        name: mname.clone(),
        address,
    };
    let servers: BTreeSet<Server> = elsewhere.iter().copied().map(server).collect();
    emitted.extend(families_off(run, &servers, Rtype::SOA));
    let asked = elsewhere
        .into_iter()
        .filter(|address| run.inquiry().is_enabled(*address));
    for (address, exchange) in run.ask_all(asked, soa).await {
        let server = server(address);
        run.inquiry().note_name(address, mname);
        let say = |tag| Emission::new(tag).arg("ns", &server);
        let Some(response) = exchange.response() else {
            emitted.push(say("Z01_MNAME_NO_RESPONSE"));
            continue;
        };
        if !response.is_noerror() {
            emitted.push(say("Z01_MNAME_UNEXPECTED_RCODE").arg("rcode", response.rcode_name()));
            continue;
        }
        match response.answers(run.zone(), Rtype::SOA).find_map(Record::soa) {
            None => emitted.push(say("Z01_MNAME_MISSING_SOA_RECORD")),
            Some(_) if !response.authoritative => emitted.push(say("Z01_MNAME_NOT_AUTHORITATIVE")),
            Some(soa) => serials.push((server, soa.serial().into_int())),
        }
    }
    (emitted, serials)
}

/// Whether each primary has a serial that no server of the zone has surpassed, by the arithmetic of RFC 1982.
fn judge_serials(primaries: &BTreeMap<Server, u32>, serials: &BTreeSet<u32>) -> Vec<Emission> {
    let is_behind = |serial: u32| serials.iter().any(|other| Serial(serial) < Serial(*other));
    let (behind, ahead): (Vec<_>, Vec<_>) = primaries.iter().partition(|(_, serial)| is_behind(**serial));
    let mut emitted = Vec::new();
    let highest = serials
        .iter()
        .copied()
        .reduce(|one, other| if Serial(one) < Serial(other) { other } else { one });
    if let Some(highest) = highest.filter(|_| !behind.is_empty()) {
        let say = Emission::new("Z01_MNAME_NOT_MASTER").arg("soaserial", highest);
        let (servers, serials): (Vec<&Server>, Vec<u32>) = behind.into_iter().unzip();
        emitted.push(say.list("ns_list", servers).list("soaserial_list", serials));
    }
    if !ahead.is_empty() {
        let servers = ahead.into_iter().map(|(server, _)| server);
        emitted.push(Emission::new("Z01_MNAME_IS_MASTER").list("ns_list", servers));
    }
    emitted
}

/// zone07: the name of the primary is no alias, and has an address.
pub(super) async fn zone07(run: &Run) -> Vec<Emission> {
    let Some(soa) = authoritative_soa(run).await else {
        return vec![Emission::new("NO_RESPONSE_SOA_QUERY")];
    };
    let mname = Name::from_wire(soa.mname());
    let say = |tag| Emission::new(tag).arg("mname", &mname);
    if mname.is_root() {
        // no host is meant; zone01 says so
        return vec![say("MNAME_IS_NOT_CNAME")];
    }
    let (a, aaaa) = tokio::join!(run.lookup(&mname, Rtype::A), run.lookup(&mname, Rtype::AAAA));
    let mut emitted = vec![say(if a.alias || aaaa.alias {
        "MNAME_IS_CNAME"
    } else {
        "MNAME_IS_NOT_CNAME"
    })];
    if a.records.is_empty() && aaaa.records.is_empty() {
        emitted.push(say("MNAME_HAS_NO_ADDRESS"));
    }
    emitted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(primaries: &[u32], serials: &[u32]) -> Vec<String> {
        let server = |at: usize| Server {
            name: "ns.test".parse().expect("a name"),
            address: IpAddr::from([192, 0, 2, at as u8]),
        };
        let primaries = primaries.iter().enumerate().map(|(at, serial)| (server(at), *serial));
        let emitted = judge_serials(&primaries.collect(), &serials.iter().copied().collect());
        let line = |emission: Emission| {
            let args = ["ns_list", "soaserial", "soaserial_list"].map(|arg| emission.args.get(arg).cloned());
            [vec![emission.tag.to_owned()], args.into_iter().flatten().collect()]
                .concat()
                .join(" ")
        };
        emitted.into_iter().map(line).collect()
    }

    #[test]
    fn a_primary_must_not_be_behind_the_other_servers() {
        assert_eq!(judged(&[7], &[7, 6]), ["Z01_MNAME_IS_MASTER ns.test/192.0.2.0"]);
        assert_eq!(
            judged(&[7, 8, 9], &[7, 9]),
            [
                "Z01_MNAME_NOT_MASTER ns.test/192.0.2.0;ns.test/192.0.2.1 9 7;8",
                "Z01_MNAME_IS_MASTER ns.test/192.0.2.2"
            ]
        );
        assert_eq!(judged(&[], &[7]), [""; 0]);
    }

    #[test]
    fn serials_are_compared_around_the_turn_of_their_space() {
        assert_eq!(judged(&[0], &[u32::MAX]), ["Z01_MNAME_IS_MASTER ns.test/192.0.2.0"]);
        assert_eq!(
            judged(&[u32::MAX], &[0, u32::MAX]),
            ["Z01_MNAME_NOT_MASTER ns.test/192.0.2.0 0 4294967295"]
        );
    }
}
