//! Signatures verify, and what is denied is denied with proof.

use domain::base::iana::{Nsec3HashAlgorithm, Rcode, Rtype};
use domain::base::{CanonicalOrd, ToName};
use domain::dnssec::common::nsec3_hash;
use domain::dnssec::validator::base::RrsigExt;
use domain::rdata::nsec3::{Nsec3Salt, OwnerHash};
use domain::rdata::{Dnskey, ZoneRecordData};
use lab::Lab;
use model::{Delegation, Name};

use crate::asker::{Answer, WireName, ZoneRecord, ask, at, name, noon, pocket, rcode_of, records};

/// What came of the signatures of a message.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verified {
    pub good: usize,
    pub wrong: usize,
    pub outside_validity: usize,
}

/// Checks all signatures of a message that the zone's key made, at the time of the lab's start.
pub fn verify(message: &Answer, key: &Dnskey<Vec<u8>>) -> Verified {
    let mut verified = Verified::default();
    for section in [
        records(message.answer().unwrap()),
        records(message.authority().unwrap()),
    ] {
        for record in &section {
            let ZoneRecordData::Rrsig(rrsig) = record.data() else {
                continue;
            };
            let is_covered =
                |other: &&ZoneRecord| other.rtype() == rrsig.type_covered() && other.owner().name_eq(record.owner());
            let mut set: Vec<ZoneRecord> = section.iter().filter(is_covered).cloned().collect();
            assert!(!set.is_empty(), "a signature without its records");
            // Negative answers shorten the SOA's TTL; the signature holds the first one, as validators take it.
            let mut signed = Vec::new();
            rrsig.signed_data(&mut signed, &mut set).unwrap();
            let now = u32::try_from(noon().as_second()).unwrap();
            if now < rrsig.inception().into_int() || now > rrsig.expiration().into_int() {
                verified.outside_validity += 1;
            } else if rrsig.key_tag() == key.key_tag() && rrsig.verify_signed_data(key, &signed).is_ok() {
                verified.good += 1;
            } else {
                verified.wrong += 1;
            }
        }
    }
    verified
}

fn all_good(lab: &Lab, zone: &str, message: &Answer) -> usize {
    let verified = verify(message, &lab.dnskey(zone).unwrap());
    assert_eq!((verified.wrong, verified.outside_validity), (0, 0), "{verified:?}");
    verified.good
}

#[tokio::test]
async fn both_algorithms_sign_with_the_key_that_the_parent_points_at() {
    let lab = pocket().await;
    for (zone, server, algorithm) in [
        (".", "127.10.0.1", 13),
        ("test", "127.10.1.1", 13),
        ("example", "127.10.2.1", 15),
        ("good.test", "127.10.3.1", 13),
        ("shop.example", "127.10.3.1", 15),
    ] {
        let message = ask(zone, Rtype::DNSKEY).udp(at(&lab, server)).await;
        assert_eq!(all_good(&lab, zone, &message), 1, "{zone}");
        let ZoneRecordData::Dnskey(key) = records(message.answer().unwrap()).remove(0).into_data() else {
            panic!()
        };
        assert_eq!(key, lab.dnskey(zone).unwrap());
        assert_eq!(key.algorithm().to_int(), algorithm);
        let message = ask(zone, Rtype::SOA).udp(at(&lab, server)).await;
        assert_eq!(all_good(&lab, zone, &message), 1, "{zone}");
        if zone != "." {
            let Delegation { ds, .. } = lab.delegation(&name(zone)).unwrap();
            assert_eq!(ds.into_iter().collect::<Vec<_>>(), [lab.ds(zone).unwrap()]);
        }
    }
}

#[tokio::test]
async fn a_ds_comes_signed_from_the_parent_and_is_denied_by_the_child() {
    let lab = pocket().await;
    let message = ask("good.test", Rtype::DS).udp(at(&lab, "127.10.1.1")).await;
    assert!(message.header().aa());
    assert_eq!(
        (
            records(message.answer().unwrap()).len(),
            all_good(&lab, "test", &message)
        ),
        (2, 1)
    );
    let message = ask("good.test", Rtype::DS).udp(at(&lab, "127.10.3.1")).await;
    assert_eq!(records(message.answer().unwrap()).len(), 0);
    assert_eq!(all_good(&lab, "good.test", &message), 2);
}

#[tokio::test]
async fn an_unsigned_delegation_is_proved_so() {
    let lab = pocket().await;
    let message = ask("www.plain.test", Rtype::A).udp(at(&lab, "127.10.1.1")).await;
    assert_eq!(all_good(&lab, "test", &message), 1);
    let nsec3 = nsec3_matching(&message, "plain.test").expect("an NSEC3 at the delegation");
    assert!(nsec3.contains(Rtype::NS) && !nsec3.contains(Rtype::DS) && !nsec3.contains(Rtype::SOA));
    let message = ask("www.thief.example", Rtype::A).udp(at(&lab, "127.10.2.1")).await;
    assert_eq!(all_good(&lab, "example", &message), 1);
    let types = nsecs(&message)
        .into_iter()
        .find(|(owner, ..)| *owner == name("thief.example"))
        .unwrap()
        .2;
    assert!(types.contains(Rtype::NS) && !types.contains(Rtype::DS));
}

type Types = domain::rdata::dnssec::RtypeBitmap<Vec<u8>>;

fn nsecs(message: &Answer) -> Vec<(Name, Name, Types)> {
    let authority = records(message.authority().unwrap());
    let nsec = |record: &ZoneRecord| match record.data() {
        ZoneRecordData::Nsec(nsec) => Some((
            Name::from_wire(record.owner()),
            Name::from_wire(nsec.next_name()),
            nsec.types().clone(),
        )),
        _ => None,
    };
    authority.iter().filter_map(nsec).collect()
}

fn hash(qname: &Name) -> Vec<u8> {
    let hash: OwnerHash<Vec<u8>> = nsec3_hash(
        qname.as_wire(),
        Nsec3HashAlgorithm::SHA1,
        0,
        &Nsec3Salt::<Vec<u8>>::empty(),
    )
    .unwrap();
    hash.into_octets()
}

fn nsec3s(message: &Answer) -> Vec<(Vec<u8>, Vec<u8>, Types)> {
    let authority = records(message.authority().unwrap());
    let nsec3 = |record: &ZoneRecord| match record.data() {
        ZoneRecordData::Nsec3(nsec3) => {
            assert_eq!(
                (nsec3.iterations(), nsec3.salt().as_slice().len(), nsec3.opt_out()),
                (0, 0, false)
            );
            let label = String::from_utf8(record.owner().first().as_slice().to_vec()).unwrap();
            let owner = domain::utils::base32::decode_hex(&label).unwrap();
            Some((owner, nsec3.next_owner().as_slice().to_vec(), nsec3.types().clone()))
        }
        _ => None,
    };
    authority.iter().filter_map(nsec3).collect()
}

fn nsec3_matching(message: &Answer, qname: &str) -> Option<Types> {
    let wanted = hash(&name(qname));
    nsec3s(message)
        .into_iter()
        .find(|(owner, ..)| *owner == wanted)
        .map(|(_, _, types)| types)
}

fn is_between<T: Ord>(owner: &T, wanted: &T, next: &T) -> bool {
    if owner < next {
        owner < wanted && wanted < next
    } else {
        owner < wanted || wanted < next
    }
}

fn is_covered(message: &Answer, qname: &str) -> bool {
    let qname = name(qname);
    nsecs(message)
        .iter()
        .any(|(owner, next, _)| is_between(owner, &qname, next))
        || nsec3s(message)
            .iter()
            .any(|(owner, next, _)| is_between(owner, &hash(&qname), next))
}

#[tokio::test]
async fn a_missing_name_is_denied_by_nsec() {
    let lab = pocket().await;
    for qname in ["nothing.example", "zzz.shop.example", "a.b.c.shop.example"] {
        let (zone, server) = if qname.contains("shop") {
            ("shop.example", "127.10.3.1")
        } else {
            ("example", "127.10.2.1")
        };
        let message = ask(qname, Rtype::A).udp(at(&lab, server)).await;
        assert_eq!(rcode_of(&message), Rcode::NXDOMAIN);
        assert!(all_good(&lab, zone, &message) >= 2);
        assert!(
            is_covered(&message, qname) && is_covered(&message, &format!("*.{zone}")),
            "{qname}"
        );
    }
}

#[tokio::test]
async fn a_missing_name_is_denied_by_nsec3() {
    let lab = pocket().await;
    for (qname, encloser, next) in [
        ("nothing.good.test", "good.test", "nothing.good.test"),
        ("a.b.web.good.test", "web.good.test", "b.web.good.test"),
        ("x._tcp.web.good.test", "_tcp.web.good.test", "x._tcp.web.good.test"),
    ] {
        let message = ask(qname, Rtype::A).udp(at(&lab, "127.10.3.1")).await;
        assert_eq!(rcode_of(&message), Rcode::NXDOMAIN);
        assert!(all_good(&lab, "good.test", &message) >= 3);
        assert!(nsec3_matching(&message, encloser).is_some(), "{qname}");
        assert!(
            is_covered(&message, next) && is_covered(&message, &format!("*.{encloser}")),
            "{qname}"
        );
    }
}

#[tokio::test]
async fn a_missing_type_is_denied_at_its_name_even_at_an_empty_one() {
    let lab = pocket().await;
    let server = at(&lab, "127.10.3.1");
    for qname in ["web.good.test", "_tcp.web.good.test", "good.test"] {
        let message = ask(qname, Rtype::AAAA).udp(server).await;
        assert_eq!(rcode_of(&message), Rcode::NOERROR);
        assert_eq!(all_good(&lab, "good.test", &message), 2);
        assert!(
            !nsec3_matching(&message, qname).unwrap().contains(Rtype::AAAA),
            "{qname}"
        );
    }
    let message = ask("below.here.shop.example", Rtype::A).udp(server).await;
    assert_eq!(rcode_of(&message), Rcode::NOERROR);
    assert_eq!(all_good(&lab, "shop.example", &message), 2);
    let (_, next, _) = nsecs(&message).remove(0);
    assert!(next.is_at_or_below(&name("below.here.shop.example")));
}

#[tokio::test]
async fn a_wildcard_answers_with_the_proof_that_nothing_closer_is_there() {
    let lab = pocket().await;
    let message = ask("one.many.good.test", Rtype::TXT).udp(at(&lab, "127.10.3.1")).await;
    let answer = records(message.answer().unwrap());
    assert!(
        answer
            .iter()
            .all(|record| Name::from_wire(record.owner()) == name("one.many.good.test"))
    );
    assert_eq!(all_good(&lab, "good.test", &message), 2);
    assert!(is_covered(&message, "one.many.good.test"));
    let message = ask("one.many.good.test", Rtype::A).udp(at(&lab, "127.10.3.1")).await;
    assert_eq!(rcode_of(&message), Rcode::NOERROR);
    assert!(nsec3_matching(&message, "*.many.good.test").is_some());
    assert!(nsec3_matching(&message, "many.good.test").is_some() && is_covered(&message, "one.many.good.test"));
}

#[tokio::test]
async fn the_denial_chains_are_closed_rings() {
    let lab = pocket().await;
    let open = lab::FaultRule::of(lab::Fault::OpenTransfer);
    let change = lab::Change::AddFault {
        server: "ns1.good.test".to_owned(),
        rule: open,
    };
    lab.apply(&lab::Event::new(change)).unwrap();
    for zone in ["good.test", "shop.example"] {
        let all = ask(zone, Rtype::AXFR).transfer(at(&lab, "127.10.3.1")).await;
        let mut links: Vec<(WireName, WireName)> = Vec::new();
        for record in &all {
            let next = match record.data() {
                ZoneRecordData::Nsec(nsec) => nsec.next_name().clone(),
                ZoneRecordData::Nsec3(nsec3) => {
                    let label = domain::utils::base32::encode_string_hex(nsec3.next_owner().as_slice());
                    name(&format!("{label}.{zone}")).as_wire().clone()
                }
                _ => continue,
            };
            links.push((record.owner().clone(), next));
        }
        links.sort_by(|(a, _), (b, _)| a.canonical_cmp(b));
        assert!(links.len() >= 3, "{zone}");
        for (at, (_, next)) in links.iter().enumerate() {
            assert!(next.name_eq(&links[(at + 1) % links.len()].0), "{zone}: {next}");
        }
    }
}

#[tokio::test]
async fn keys_kept_in_a_folder_are_the_same_in_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let run = async || {
        let world = lab::World::shipped("pocket")
            .unwrap()
            .with_keys_in(folder.path().join("keys"));
        let lab = Lab::start(world, 0, noon()).await.unwrap();
        let found = ["good.test", "shop.example"].map(|zone| lab.ds(zone).unwrap());
        lab.stop().await;
        found
    };
    let first = run().await;
    assert_eq!(first, run().await);
    assert_ne!(first[0], pocket().await.ds("good.test").unwrap());
}

#[tokio::test]
async fn a_world_file_can_date_signatures_before_and_after_its_start() {
    let zone = "@ 3600 SOA ns host 1 14400 3600 1209600 3600\n@ 3600 NS ns\nns 3600 A 127.11.0.1\n";
    let world = |signing: &str| {
        format!(
            "name = 'w'\n[[zone]]\nname = 'z.test'\nfile = 'z'\nsigning = {{ {signing} }}\n\
             [[server]]\nname = 'ns.z.test'\naddresses = ['127.11.0.1']\nzones = ['z.test']\n"
        )
    };
    for (signing, valid) in [
        ("signed_at = '-20d'", false),
        ("signed_at = '+1h'", false),
        ("signed_at = '-13d', validity = '312h'", true),
        ("algorithm = 'ed25519', denial = 'nsec'", true),
    ] {
        let world = lab::World::from_parts(&[("world.toml", &world(signing)), ("z", zone)]).unwrap();
        let lab = Lab::start(world, 0, noon()).await.unwrap();
        let message = ask("z.test", Rtype::SOA).udp(at(&lab, "127.11.0.1")).await;
        let verified = verify(&message, &lab.dnskey("z.test").unwrap());
        assert_eq!(
            (verified.good, verified.outside_validity),
            (usize::from(valid), usize::from(!valid)),
            "{signing}"
        );
    }
}
