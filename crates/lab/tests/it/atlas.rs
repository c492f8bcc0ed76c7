//! The world `atlas`: whole, healthy, and ready for its story.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use domain::base::iana::{Rcode, Rtype};
use domain::rdata::ZoneRecordData;
use lab::{Lab, OrganisationKind, Region, World};
use model::{Language, Name};

use crate::asker::{Answer, ask, at, name, noon, rcode_of, records};
use crate::dnssec::verify;

async fn atlas() -> Lab {
    Lab::start(World::shipped("atlas").unwrap(), 0, noon()).await.unwrap()
}

fn ns_of(message: &Answer) -> BTreeSet<Name> {
    let names = records(message.answer().unwrap())
        .into_iter()
        .filter_map(|record| match record.data() {
            ZoneRecordData::Ns(ns) => Some(Name::from_wire(ns.nsdname())),
            _ => None,
        });
    names.collect()
}

/// Addresses of all servers, by NS name.
fn addresses(lab: &Lab) -> BTreeMap<Name, BTreeSet<IpAddr>> {
    let mut addresses: BTreeMap<Name, BTreeSet<IpAddr>> = BTreeMap::new();
    for server in &lab.world().servers {
        addresses
            .entry(server.name.clone())
            .or_default()
            .extend(&server.addresses);
    }
    addresses
}

const OF_THE_SMALL_REGISTRAR: [&str; 4] = ["nakhil.xf", "qamar.xf", "rimal.xf", "waha.xf"];

#[tokio::test]
async fn every_zone_answers_at_all_its_servers_over_udp_and_tcp_and_parent_and_child_agree() {
    let lab = atlas().await;
    let servers = addresses(&lab);
    assert_eq!(lab.zones().len(), 73);
    for zone in lab.zones() {
        let delegation = lab.delegation(&zone).unwrap();
        let mut serials = BTreeSet::new();
        for (ns, glue) in &delegation.ns {
            let own = &servers[ns];
            assert!(glue.is_empty() || glue == own, "glue of {ns} at the parent of {zone}");
            assert!(
                !ns.is_at_or_below(&zone) || !glue.is_empty(),
                "{ns} needs glue at the parent of {zone}"
            );
            for address in own {
                let server = at(&lab, &address.to_string());
                let asked = zone.to_string();
                let message = ask(&asked, Rtype::NS).udp(server).await;
                assert!(
                    message.header().aa() && ns_of(&message).iter().eq(delegation.ns.keys()),
                    "{zone} at {ns}"
                );
                let message = ask(&asked, Rtype::SOA).tcp(server).await;
                assert!(message.header().aa(), "{zone} at {ns}");
                let answer = records(message.answer().unwrap());
                let ZoneRecordData::Soa(soa) = answer[0].data() else {
                    panic!("{zone} at {ns}")
                };
                serials.insert(soa.serial().into_int());
                assert!(soa.refresh().as_secs() >= 14_400 && soa.expire().as_secs() >= 604_800);
                assert!(soa.retry().as_secs() >= 3_600 && soa.retry() < soa.refresh());
                assert!((300..=86_400).contains(&soa.minimum().as_secs()));
                if let Some(key) = lab.dnskey(&asked) {
                    assert_eq!(verify(&message, &key).good, 1, "{zone} at {ns}");
                }
            }
        }
        assert_eq!(serials.len(), 1, "{zone}");
        let distinct: BTreeSet<&IpAddr> = delegation.ns.keys().flat_map(|ns| &servers[ns]).collect();
        let expected = if OF_THE_SMALL_REGISTRAR.contains(&zone.to_string().as_str()) {
            1
        } else {
            2
        };
        assert!(
            delegation.ns.len() >= expected && distinct.len() == delegation.ns.len(),
            "{zone}"
        );
        let key = lab.ds(&zone.to_string()).filter(|_| !zone.is_root());
        assert_eq!(
            delegation.ds.into_iter().collect::<Vec<_>>(),
            key.into_iter().collect::<Vec<_>>(),
            "{zone}"
        );
    }
}

/// Follows referrals from the root, over real sockets, and gives the answer.
async fn resolve(lab: &Lab, qname: &Name) -> Vec<IpAddr> {
    let mut server = at(lab, &lab.hints()[0].1[0].to_string());
    for _ in 0..8 {
        let message = ask(&qname.to_string(), Rtype::A).udp(server).await;
        assert_eq!(rcode_of(&message), Rcode::NOERROR, "{qname} at {server}");
        let address = |record: &crate::asker::ZoneRecord| match record.data() {
            ZoneRecordData::A(a) => Some(IpAddr::V4(a.addr())),
            _ => None,
        };
        let found: Vec<IpAddr> = records(message.answer().unwrap()).iter().filter_map(address).collect();
        if message.header().aa() {
            return found;
        }
        let glue = records(message.additional().unwrap()).iter().find_map(address);
        let ns = records(message.authority().unwrap())
            .iter()
            .find_map(|record| match record.data() {
                ZoneRecordData::Ns(ns) => Some(Name::from_wire(ns.nsdname())),
                _ => None,
            });
        let next = match glue {
            Some(glue) => glue,
            None => Box::pin(resolve(lab, &ns.expect("a referral"))).await[0],
        };
        server = at(lab, &next.to_string());
    }
    panic!("{qname}: too many referrals")
}

#[tokio::test]
async fn every_server_is_found_by_its_name_from_the_root() {
    let lab = atlas().await;
    for (ns, own) in addresses(&lab) {
        assert_eq!(
            resolve(&lab, &ns).await.into_iter().collect::<BTreeSet<_>>(),
            own,
            "{ns}"
        );
    }
}

#[test]
fn its_organisations_are_invented_and_speak_all_languages() {
    let world = World::shipped("atlas").unwrap();
    assert_eq!(world.organisations.len(), 40);
    let languages: BTreeSet<Language> = world
        .organisations
        .iter()
        .flat_map(|organisation| organisation.languages.clone())
        .collect();
    assert_eq!(languages.len(), Language::ALL.len());
    let regions: BTreeSet<Region> = world
        .organisations
        .iter()
        .map(|organisation| organisation.region)
        .collect();
    assert_eq!(regions.len(), 5);
    let kinds: BTreeSet<OrganisationKind> = world
        .organisations
        .iter()
        .map(|organisation| organisation.kind)
        .collect();
    assert_eq!(kinds.len(), 5);
    let mut phones = BTreeSet::new();
    for organisation in &world.organisations {
        assert!(
            jiff::tz::TimeZone::get(&organisation.time_zone).is_ok(),
            "{}",
            organisation.time_zone
        );
        assert!(organisation.country.starts_with('X') && organisation.country.len() == 2);
        assert!(!organisation.people.is_empty() && !organisation.responsibilities.is_empty());
        for person in &organisation.people {
            let domain = person.email.rsplit('@').next().unwrap();
            assert!(
                [".example.com", ".example.net", ".example.org"]
                    .iter()
                    .any(|end| domain.ends_with(end)),
                "{domain}"
            );
            let fiction = ["+44 1632 960", "+1 202 555 01", "+33 1 99 00 "];
            assert!(
                fiction.iter().any(|range| person.phone.starts_with(range)),
                "{}",
                person.phone
            );
            assert!(phones.insert(person.phone.clone()), "{} twice", person.phone);
        }
    }
}

#[test]
fn somebody_answers_for_every_zone() {
    let world = World::shipped("atlas").unwrap();
    for (zone, organisation) in [
        ("xd", "registry-xd"),
        ("nakhil.xf", "registrar-waha"),
        ("meridianbank.xa", "meridianbank"),
        ("kingsferry.xa", "registry-xa"),
        ("www.haigang.xd", "haigang"),
        ("swift-parking.example", "registry-example"),
        ("elsewhere", "atlas-root"),
    ] {
        assert_eq!(world.organisation_of(&name(zone)).unwrap().id, organisation, "{zone}");
    }
}

#[tokio::test]
async fn its_story_can_be_played_and_every_act_is_undone_by_its_repairs() {
    let lab = atlas().await;
    let story = lab.world().story.clone().unwrap();
    let ids: Vec<&str> = story.acts.iter().map(|act| act.id.as_str()).collect();
    assert_eq!(ids, ["signatures-expire", "brands-redelegated", "registrar-silent"]);
    let state = || {
        lab.zones()
            .into_iter()
            .map(|zone| (lab.delegation(&zone), zone))
            .collect::<Vec<_>>()
    };
    let before = state();
    for act in &story.acts {
        act.events.iter().for_each(|event| lab.apply(event).unwrap());
        let repaired: BTreeSet<&Name> = act
            .responsible
            .iter()
            .flat_map(|responsible| &responsible.zones)
            .collect();
        assert_eq!(repaired, act.zones.iter().collect(), "{}", act.id);
        match act.id.as_str() {
            "signatures-expire" => {
                let message = ask("xd", Rtype::SOA).udp(at(&lab, "127.13.0.1")).await;
                assert_eq!(verify(&message, &lab.dnskey("xd").unwrap()).outside_validity, 1);
            }
            "brands-redelegated" => {
                for zone in &act.zones {
                    let delegation = lab.delegation(zone).unwrap();
                    assert!(
                        delegation
                            .ns
                            .keys()
                            .all(|ns| ns.is_at_or_below(&name("swift-parking.example")))
                    );
                    assert!(delegation.ds.is_empty());
                    let message = ask(&zone.to_string(), Rtype::NS).udp(at(&lab, "127.66.0.2")).await;
                    assert!(message.header().aa() && ns_of(&message).iter().eq(delegation.ns.keys()));
                }
            }
            _ => assert!(
                ask("waha.xf", Rtype::SOA)
                    .is_left_without_answer(at(&lab, "127.70.0.1"))
                    .await
            ),
        }
        let repairs = act.responsible.iter().flat_map(|responsible| &responsible.repair);
        repairs.for_each(|event| lab.apply(event).unwrap());
        assert_eq!(state(), before, "{}", act.id);
    }
    ask("waha.xf", Rtype::SOA).udp(at(&lab, "127.70.0.1")).await;
    let message = ask("xd", Rtype::SOA).udp(at(&lab, "127.13.0.1")).await;
    assert_eq!(verify(&message, &lab.dnskey("xd").unwrap()).good, 1);
}
