//! Nonsense in, sense or silence out.

use std::sync::Arc;

use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;
use crate::stage::Stage;
use crate::world::World;

/// A world in which each server but the healthy one has every second fault.
fn world() -> (IpAddr, Vec<IpAddr>, Snapshot) {
    let mut world = World::shipped("pocket").unwrap();
    for (number, server) in world.servers.iter_mut().enumerate().skip(1) {
        let faults = Fault::ALL
            .into_iter()
            .filter(|fault| *fault != Fault::Silent)
            .skip(number % 2)
            .step_by(2);
        server.faults = faults.map(FaultRule::of).collect();
    }
    let addresses = world
        .servers
        .iter()
        .flat_map(|server| server.addresses.clone())
        .collect();
    let (_, snapshot) = Stage::set(Arc::new(world), "2026-11-23T12:00:00Z".parse().unwrap()).unwrap();
    ("127.10.0.1".parse().unwrap(), addresses, snapshot)
}

fn query(qname: &str, qtype: u16) -> Vec<u8> {
    let mut octets = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    for label in qname.split('.') {
        octets.push(label.len() as u8);
        octets.extend(label.as_bytes());
    }
    octets.push(0);
    octets.extend(qtype.to_be_bytes());
    octets.extend([0, 1, 0, 0, 41, 4, 208, 0, 0, 128, 0, 0, 0]);
    octets
}

#[test]
fn any_octets_get_a_message_or_silence_from_every_server() {
    let (healthy, addresses, snapshot) = world();
    let noise = proptest::collection::vec(any::<u8>(), 0..80);
    let spoilt = (
        "[a-z]{1,3}(\\.[a-z]{1,4}){0,3}",
        any::<u16>(),
        any::<usize>(),
        any::<u8>(),
        any::<bool>(),
    )
        .prop_map(|(qname, qtype, at, octet, whole)| {
            let mut octets = query(&qname, qtype);
            let at = at % octets.len();
            octets[at] = octet;
            if !whole {
                octets.truncate(at);
            }
            octets
        });
    let mut runner = proptest::test_runner::TestRunner::default();
    runner
        .run(&prop_oneof![noise, spoilt], |octets| {
            for transport in [Transport::Udp, Transport::Tcp] {
                for address in &addresses {
                    let reaction = respond(&octets, transport, *address, &snapshot, &mut StdRng::seed_from_u64(1));
                    for message in reaction.messages.iter().filter(|_| *address == healthy) {
                        let message = Message::from_slice(message).unwrap();
                        prop_assert!(message.header().qr());
                        prop_assert_eq!(message.header().id().to_be_bytes(), [octets[0], octets[1]]);
                    }
                }
            }
            Ok(())
        })
        .unwrap();
}

/// Data that makes up zones at random: with cuts, aliases, wildcards and what hides below them.
const DATA: &str = "A 127\\.0\\.0\\.1|NS [ab]|CNAME [ab]\\.c|TXT [ab]|MX 1 a|DS 1 13 2 00|DNAME b";

proptest! {
    #[test]
    fn any_zone_can_be_signed_and_asked(
        lines in proptest::collection::vec(("(\\*|[ab])(\\.(\\*|[abc])){0,3}", DATA), 0..12),
        qname in "[abc](\\.[abc]){0,4}",
        denial in "nsec3?",
    ) {
        let mut zone = "@ 60 SOA a a 1 14400 3600 604800 300\n@ 60 NS a\n".to_owned();
        zone.extend(lines.iter().map(|(owner, data)| format!("{owner} 60 {data}\n")));
        let world = format!(
            "name = 'w'\n[[zone]]\nname = 'z'\nfile = 'z'\nsigning = {{ denial = '{denial}' }}\n\
             [[server]]\nname = 'a.z'\naddresses = ['127.0.0.1']\nzones = ['z']\n"
        );
        let world = World::from_parts(&[("world.toml", &world), ("z", &zone)]).unwrap();
        let (_, snapshot) = Stage::set(Arc::new(world), "2026-11-23T12:00:00Z".parse().unwrap()).unwrap();
        for qtype in [Rtype::A, Rtype::DS, Rtype::ANY, Rtype::NS] {
            let octets = query(&format!("{qname}.z"), qtype.to_int());
            let address = "127.0.0.1".parse().unwrap();
            let reaction = respond(&octets, Transport::Tcp, address, &snapshot, &mut StdRng::seed_from_u64(1));
            let message = Message::from_slice(&reaction.messages[0]).unwrap();
            // Whatever a signed zone says, it proves: data, a delegation, or that there is nothing.
            let records = message.answer().unwrap().chain(message.authority().unwrap());
            let types: Vec<Rtype> = records.map(|record| record.unwrap().rtype()).collect();
            prop_assert!(types.contains(&Rtype::RRSIG), "{:?}", types);
        }
    }
}

#[test]
fn every_type_can_be_asked_for() {
    let (_, addresses, snapshot) = world();
    for qtype in 0..300 {
        for qname in ["test", "www.good.test", "nothing.many.good.test"] {
            for address in &addresses {
                let octets = query(qname, qtype);
                respond(
                    &octets,
                    Transport::Tcp,
                    *address,
                    &snapshot,
                    &mut StdRng::seed_from_u64(1),
                );
            }
        }
    }
}
