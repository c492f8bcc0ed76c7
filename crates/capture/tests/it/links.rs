//! Link types, tags, padding, and packets that the capture cut short.

use capture::{DropReason, Settings};

use crate::packets::{
    CLIENT, In, Message, Pcap, SERVER, answers, asks, ether_type, ethernet, ip, read, read_with, udp,
};

fn query() -> Vec<u8> {
    ip(
        CLIENT,
        SERVER,
        17,
        &udp(4000, 53, &Message::query(7, "www.example", 1).octets()),
    )
}

fn query_v6() -> Vec<u8> {
    ip(
        "2001:db8::1",
        "2001:db8::53",
        17,
        &udp(4000, 53, &Message::query(7, "www.example", 1).octets()),
    )
}

fn with(head: &[u8], packet: &[u8]) -> Vec<u8> {
    [head, &ether_type(packet), packet].concat()
}

#[test]
fn queries_are_found_on_every_link_type_in_both_families() {
    let sll2 = |packet: &[u8]| [&ether_type(packet), &[0; 18][..], packet].concat();
    for packet in [query(), query_v6()] {
        let cases: [(&str, u32, Vec<u8>); 15] = [
            ("Ethernet", 1, ethernet(&packet)),
            ("VLAN", 1, with(&[&[2; 12][..], &[0x81, 0, 0, 11]].concat(), &packet)),
            (
                "QinQ",
                1,
                with(&[&[2; 12][..], &[0x88, 0xa8, 0, 11, 0x81, 0, 0, 12]].concat(), &packet),
            ),
            (
                "MPLS",
                1,
                [&[2; 12][..], &[0x88, 0x47, 0, 6, 0x41, 64], &packet].concat(),
            ),
            (
                "MPLS with two labels behind VLAN",
                1,
                [
                    &[2; 12][..],
                    &[0x81, 0, 0, 11, 0x88, 0x47, 0, 6, 0x40, 64, 0, 0, 0x21, 64],
                    &packet,
                ]
                .concat(),
            ),
            (
                "802.3 with LLC and SNAP",
                1,
                with(&[&[2; 12][..], &[0, 80, 0xaa, 0xaa, 3, 0, 0, 0]].concat(), &packet),
            ),
            (
                "LLC and SNAP behind VLAN",
                1,
                with(
                    &[&[2; 12][..], &[0x81, 0, 0, 11, 0, 80, 0xaa, 0xaa, 3, 0, 0, 0]].concat(),
                    &packet,
                ),
            ),
            ("Linux SLL", 113, with(&[0; 14], &packet)),
            ("Linux SLL2", 276, sll2(&packet)),
            ("raw IP", 101, packet.clone()),
            ("raw IP of OpenBSD", 14, packet.clone()),
            ("null", 0, [&[2, 0, 0, 0], packet.as_slice()].concat()),
            ("loop", 108, [&[0, 0, 0, 2], packet.as_slice()].concat()),
            (
                "FDDI",
                10,
                with(&[&[0x50; 13][..], &[0xaa, 0xaa, 3, 0, 0, 0]].concat(), &packet),
            ),
            (
                "PPPoE",
                1,
                [
                    &[2; 12][..],
                    &[
                        0x88,
                        0x64,
                        0x11,
                        0,
                        0,
                        1,
                        0,
                        0,
                        0,
                        if packet[0] >> 4 == 6 { 0x57 } else { 0x21 },
                    ],
                    &packet,
                ]
                .concat(),
            ),
        ];
        for (link, number, frame) in cases {
            let (receipt, _) = read(Pcap::of_form(false, false, number).at(0, &frame).octets);
            assert_eq!((receipt.queries, receipt.unmatched_queries), (1, 1), "{link}");
        }
    }
}

#[test]
fn a_link_type_that_is_not_read_is_counted_as_dropped() {
    let (receipt, _) = read(Pcap::of_form(false, false, 147).at(0, &query()).octets);
    assert_eq!(receipt.dropped[&DropReason::UnknownLink], 1);
}

#[test]
fn padding_of_ethernet_does_not_belong_to_the_message() {
    let message = Message::query(7, "a.example", 1);
    let mut frame = asks(&message);
    frame.extend([0xff; 30]);
    let (receipt, _) = read(Pcap::new().at(0, &frame).octets);
    assert_eq!((receipt.queries, receipt.malformed_total()), (1, 0));
}

#[test]
fn a_snapped_packet_counts_by_its_question_and_gives_no_records() {
    let response = Message::response(7, "www.example", 1)
        .authoritative()
        .a(In::Answer, "www.example", "192.0.2.80");
    let frame = answers(&response);
    let file = Pcap::new()
        .at(0, &asks(&Message::query(7, "www.example", 1)))
        .snapped(500, &frame, frame.len() - 3);
    let (receipt, kept) = read(file.octets);
    assert_eq!((receipt.pairs, receipt.cut_messages, receipt.not_kept), (1, 1, 1));
    assert!(kept.rrsets.is_empty());
}

#[test]
fn a_packet_snapped_within_header_or_question_is_cut_and_not_malformed() {
    let question = Message::query(7, "www.example", 1).octets().len();
    let frame = answers(&Message::response(7, "www.example", 1).a(In::Answer, "www.example", "192.0.2.80"));
    for captured in 0..question {
        let (receipt, kept) = read(Pcap::new().snapped(0, &frame, 14 + 20 + 8 + captured).octets);
        assert_eq!(
            (receipt.dns_messages, receipt.cut_messages, receipt.malformed_total()),
            (0, 1, 0),
            "{captured}"
        );
        assert!(kept.quarantined.is_empty());
    }
    // what is there is no question
    let mut octets = Message::query(7, "www.example", 1).octets();
    octets[12] = 0x7f;
    let frame = ethernet(&ip(CLIENT, SERVER, 17, &udp(4000, 53, &octets)));
    let (receipt, kept) = read(Pcap::new().snapped(0, &frame, frame.len() - 1).octets);
    assert_eq!((receipt.cut_messages, receipt.malformed_total()), (0, 1));
    assert_eq!(kept.quarantined[0].1, "the question cannot be read");
}

#[test]
fn extension_headers_are_followed_in_both_families() {
    let datagram = udp(4000, 53, &Message::query(7, "www.example", 1).octets());
    let authenticated = [&[17, 4, 0, 0][..], &[0; 20], &datagram].concat();
    let optioned = |next: u8| [&[next, 0, 1, 4, 0, 0, 0, 0][..], &datagram].concat();
    let (client, server) = ("2001:db8::1", "2001:db8::53");
    let mut packets = vec![
        ip(CLIENT, SERVER, 51, &authenticated),
        ip(client, server, 51, &authenticated),
        ip(
            client,
            server,
            0,
            &[&[51, 0, 1, 4, 0, 0, 0, 0], authenticated.as_slice()].concat(),
        ),
    ];
    // hop-by-hop, routing, destination options, mobility, HIP, shim6
    packets.extend([0, 43, 60, 135, 139, 140].map(|kind| ip(client, server, kind, &optioned(17))));
    for packet in packets {
        let (receipt, _) = read(Pcap::new().at(0, &ethernet(&packet)).octets);
        assert_eq!(receipt.queries, 1, "{packet:02x?}");
    }
    // no next header
    let (receipt, _) = read(
        Pcap::new()
            .at(0, &ethernet(&ip(client, server, 135, &optioned(59))))
            .octets,
    );
    assert_eq!((receipt.queries, receipt.non_dns), (0, 1));
}

#[test]
fn what_is_not_dns_is_counted_where_it_belongs() {
    let quoted = query();
    let unreachable = [&[3, 3, 0, 0, 0, 0, 0, 0], quoted.as_slice()].concat();
    let arp = [&[2; 12][..], &[8, 6], &[0; 28]].concat();
    let file = Pcap::new()
        .at(0, &ethernet(&ip(CLIENT, SERVER, 1, &unreachable)))
        .at(1, &ethernet(&ip(CLIENT, SERVER, 1, &[8, 0, 0, 0])))
        .at(2, &arp)
        .at(3, &ethernet(&ip(CLIENT, SERVER, 17, &udp(4000, 123, &[0; 48]))))
        .at(4, &ethernet(&query()[..15]))
        // spanning tree, a pseudowire
        .at(5, &[&[2; 12][..], &[0, 38, 0x42, 0x42, 3], &[0; 35]].concat())
        .at(6, &[&[2; 12][..], &[0x88, 0x47, 0, 6, 0x41, 64], &[0; 40]].concat());
    let (receipt, _) = read(file.octets);
    assert_eq!((receipt.packets, receipt.dns_messages), (7, 0));
    assert_eq!((receipt.icmp_unreachable, receipt.non_dns), (1, 5));
    assert_eq!(receipt.dropped[&DropReason::BadHeader], 1);
}

#[test]
fn dns_is_read_on_the_ports_that_are_listed() {
    let message = Message::query(7, "www.example", 1).octets();
    let frame = ethernet(&ip(CLIENT, SERVER, 17, &udp(4000, 5353, &message)));
    let file = Pcap::new().at(0, &frame).octets;
    assert_eq!(read(file.clone()).0.queries, 0);
    let settings = Settings {
        ports: vec![53, 5353],
        ..Settings::default()
    };
    assert_eq!(read_with(settings, file).0.queries, 1);
}
