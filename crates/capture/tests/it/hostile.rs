//! Octets that nobody meant: reading them ends, and does not panic.

use std::io::Cursor;

use capture::{Discard, Input, Reader, Settings};
use proptest::prelude::*;

use crate::packets::{In, Message, Pcap, answers, asks, ethernet, ip, ip_fragment, one_pair, read, tcp, udp};

fn attempt(octets: Vec<u8>) {
    let _ = Reader::new(Settings::default()).read(Input::new("any", Cursor::new(octets)), &mut Discard);
}

fn valid() -> Vec<u8> {
    let query = Message::query(1, "www.example", 1).dnssec_ok();
    let response = Message::response(1, "www.example", 1)
        .authoritative()
        .a(In::Answer, "www.example", "192.0.2.1")
        .ns(In::Authority, "example", "ns.example")
        .dnssec_ok();
    let framed = query.framed();
    let segment = ethernet(&ip("192.0.2.1", "192.0.2.2", 6, &tcp(4000, 53, 1, 0, 16, &framed)));
    let fragment = ethernet(&ip_fragment(
        "2001:db8::1",
        "2001:db8::2",
        17,
        &udp(53, 4000, &[0; 24]),
        1,
        0,
        true,
    ));
    Pcap::new()
        .at(0, &asks(&query))
        .at(10, &answers(&response))
        .at(20, &segment)
        .at(30, &fragment)
        .octets
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_octets_as_a_file(octets in proptest::collection::vec(any::<u8>(), 0..400), start in 0usize..8) {
        let starts: [&[u8]; 8] = [
            b"",
            b"\x1f\x8b\x08\x00",
            b"\xfd7zXZ\x00",
            b"\x28\xb5\x2f\xfd",
            b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x01\x00\x00\x00",
            b"\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x1c\x00\x00\x00",
            b"\x00\x00\x00\x00\x00\x00\x00\x22\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x16protobuf:dnstap.Dnstap",
            b"\x83\x65C-DNS",
        ];
        attempt([starts[start], &octets].concat());
    }

    #[test]
    fn any_octets_as_a_packet(
        link in prop_oneof![Just(0u32), Just(1), Just(10), Just(101), Just(108), Just(113), Just(276)],
        octets in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let (receipt, _) = read(Pcap::of_form(false, false, link).at(0, &octets).octets);
        prop_assert_eq!(receipt.packets, 1);
    }

    #[test]
    fn any_octets_as_a_message(octets in proptest::collection::vec(any::<u8>(), 0..300), is_response: bool) {
        let mut octets = octets;
        if octets.len() >= 12 {
            // few records, so that some are read
            octets[2] = if is_response { octets[2] | 0x84 } else { octets[2] & 0x7f };
            for at in [4, 6, 8, 10] {
                octets[at] = 0;
                octets[at + 1] &= 3;
            }
        }
        let segment = tcp(53, 4000, 1, 0, 16, &octets);
        let file = Pcap::new()
            .at(0, &ethernet(&ip("192.0.2.1", "192.0.2.2", 17, &udp(4000, 53, &octets))))
            .at(1, &ethernet(&ip("192.0.2.2", "192.0.2.1", 17, &udp(53, 4000, &octets))))
            .at(2, &ethernet(&ip("192.0.2.2", "192.0.2.1", 6, &segment)));
        let (receipt, _) = read(file.octets);
        prop_assert_eq!(receipt.packets, 3);
    }

    #[test]
    fn a_valid_file_with_octets_changed(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)) {
        let mut octets = valid();
        for (at, value) in changes {
            let at = at.index(octets.len());
            octets[at] = value;
        }
        attempt(octets);
    }
}

#[test]
fn the_valid_file_is_valid() {
    let (receipt, _) = read(valid());
    assert_eq!((receipt.pairs, receipt.queries, receipt.rrsets), (1, 2, 1));
    assert_eq!(read(one_pair()).0.pairs, 1);
}
