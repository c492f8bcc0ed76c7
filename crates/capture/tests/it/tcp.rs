//! DNS over TCP: segments as captures have them.

use capture::Receipt;
use proptest::prelude::*;

use crate::packets::{ACK, CLIENT, FIN, In, Kept, Message, Pcap, RST, SERVER, SYN, ethernet, ip, read, tcp};

fn query(id: u16) -> Message {
    Message::query(id, &format!("n{id}.example"), 1)
}

fn response(id: u16) -> Message {
    let name = format!("n{id}.example");
    Message::response(id, &name, 1)
        .authoritative()
        .a(In::Answer, &name, "192.0.2.80")
}

/// Both directions of a connection, packet by packet.
struct Connection {
    frames: Vec<Vec<u8>>,
}

impl Connection {
    fn new() -> Self {
        Self { frames: Vec::new() }
    }

    fn client(mut self, sequence: u32, ack: u32, flags: u8, payload: &[u8]) -> Self {
        let segment = tcp(4000, 53, sequence, ack, flags, payload);
        self.frames.push(ethernet(&ip(CLIENT, SERVER, 6, &segment)));
        self
    }

    fn server(mut self, sequence: u32, ack: u32, flags: u8, payload: &[u8]) -> Self {
        let segment = tcp(53, 4000, sequence, ack, flags, payload);
        self.frames.push(ethernet(&ip(SERVER, CLIENT, 6, &segment)));
        self
    }

    fn shaken(self) -> Self {
        self.client(999, 0, SYN, &[]).server(4_999, 1_000, SYN | ACK, &[])
    }

    fn read(&self) -> (Receipt, Kept) {
        let mut file = Pcap::new();
        for (number, frame) in self.frames.iter().enumerate() {
            file = file.at(number as i64 * 100, frame);
        }
        read(file.octets)
    }
}

#[test]
fn many_messages_in_one_segment_and_one_message_in_many() {
    let questions: Vec<u8> = (1..=5).flat_map(|id| query(id).framed()).collect();
    let answers: Vec<u8> = (1..=5).rev().flat_map(|id| response(id).framed()).collect();
    let mut connection = Connection::new().shaken().client(1_000, 5_000, ACK, &questions);
    for (number, piece) in answers.chunks(7).enumerate() {
        connection = connection.server(5_000 + number as u32 * 7, 0, ACK, piece);
    }
    let (receipt, kept) = connection.read();
    assert_eq!(
        (receipt.pairs, receipt.unmatched_queries, receipt.unmatched_responses),
        (5, 0, 0)
    );
    assert_eq!((receipt.tcp_holes, receipt.tcp_lost_octets), (0, 0));
    assert_eq!(kept.rrsets.len(), 5);
}

#[test]
fn retransmitted_and_overlapping_segments_count_once() {
    let framed = query(1).framed();
    let next = query(2).framed();
    let both = [framed.as_slice(), &next].concat();
    let (receipt, _) = Connection::new()
        .shaken()
        .client(1_000, 0, ACK, &framed)
        .client(1_000, 0, ACK, &framed)
        .client(999, 0, SYN, &[])
        .client(1_000, 0, ACK, &both)
        .client(1_000, 0, ACK | FIN, &both)
        .read();
    assert_eq!((receipt.queries, receipt.tcp_lost_octets), (2, 0));
}

#[test]
fn segments_out_of_order_are_put_in_order() {
    let framed = query(1).framed();
    let (a, rest) = framed.split_at(9);
    let (b, c) = rest.split_at(9);
    let (receipt, _) = Connection::new()
        .shaken()
        .client(1_018, 0, ACK, c)
        .client(1_009, 0, ACK, b)
        .client(1_000, 0, ACK, a)
        .read();
    assert_eq!((receipt.queries, receipt.tcp_holes), (1, 0));
}

#[test]
fn sequence_numbers_may_wrap() {
    let framed = query(1).framed();
    let (a, b) = framed.split_at(9);
    let start = u32::MAX - 4;
    let (receipt, _) = Connection::new()
        .client(start.wrapping_sub(1), 0, SYN, &[])
        .client(start.wrapping_add(9), 0, ACK, b)
        .client(start, 0, ACK, a)
        .read();
    assert_eq!(receipt.queries, 1);
}

#[test]
fn a_connection_without_its_beginning_is_taken_up_at_the_next_message() {
    let (receipt, _) = Connection::new().client(1_000, 0, ACK, &query(1).framed()).read();
    assert_eq!(receipt.queries, 1);
    // the tail of an earlier message comes first
    let (receipt, _) = Connection::new()
        .server(5_000, 0, ACK, &[0xff; 40])
        .server(5_040, 0, ACK, &response(2).framed())
        .read();
    assert_eq!((receipt.responses, receipt.tcp_lost_octets), (1, 40));
    // the length went in a segment of its own, before the capture began
    let (receipt, _) = Connection::new().client(1_002, 0, ACK, &query(3).octets()).read();
    assert_eq!(receipt.queries, 1);
}

#[test]
fn a_hole_costs_only_the_messages_in_it() {
    let sizes: Vec<Vec<u8>> = (1..=4).map(|id| response(id).framed()).collect();
    let mut at = 5_000;
    let mut connection = Connection::new().shaken();
    for (number, framed) in sizes.iter().enumerate() {
        if number != 1 {
            connection = connection.server(at, 0, ACK, framed);
        }
        at += framed.len() as u32;
    }
    // the client acknowledges everything: it has what the capture lacks
    let (receipt, _) = connection.client(1_000, at, ACK, &[]).read();
    assert_eq!((receipt.responses, receipt.tcp_holes), (3, 1));
}

#[test]
fn a_hole_that_nobody_acknowledges_is_given_up_at_the_end_or_by_a_reset() {
    let framed = response(1).framed();
    let connection = || Connection::new().shaken().server(5_500, 0, ACK, &framed);
    assert_eq!(connection().read().0.responses, 1);
    let (receipt, _) = connection().server(5_000, 0, RST, &[]).read();
    assert_eq!((receipt.responses, receipt.tcp_holes), (1, 1));
}

#[test]
fn data_on_the_syn_is_the_beginning_of_the_stream() {
    let framed = query(1).framed();
    let (first, second) = framed.split_at(20);
    let (receipt, _) = Connection::new()
        .client(999, 0, SYN, first)
        .server(4_999, 1_020, SYN | ACK, &[])
        .client(1_020, 5_000, ACK, second)
        .read();
    assert_eq!((receipt.queries, receipt.tcp_lost_octets), (1, 0));
}

#[test]
fn a_length_shorter_than_a_header_costs_no_message_behind_it() {
    for broken in [&[0, 0][..], &[0, 3, 1, 2, 3]] {
        let stream = [
            query(1).framed().as_slice(),
            broken,
            &query(2).framed(),
            &query(3).framed(),
        ]
        .concat();
        for size in [stream.len(), 1, 7] {
            let mut connection = Connection::new().shaken();
            for (number, piece) in stream.chunks(size).enumerate() {
                connection = connection.client(1_000 + (number * size) as u32, 0, ACK, piece);
            }
            let (receipt, kept) = connection.read();
            assert_eq!((receipt.queries, receipt.tcp_lost_octets), (3, 0), "{broken:?} {size}");
            let malformed = (3, "shorter than a header".to_owned(), broken[2..].to_vec());
            assert_eq!(kept.quarantined.len(), 1);
            assert_eq!(
                (&kept.quarantined[0].1, &kept.quarantined[0].2),
                (&malformed.1, &malformed.2)
            );
        }
    }
    // nothing behind it is a message
    let stream = [query(1).framed().as_slice(), &[0; 100]].concat();
    let (receipt, _) = Connection::new().shaken().client(1_000, 0, ACK, &stream).read();
    assert_eq!(
        (receipt.queries, receipt.malformed_total(), receipt.tcp_lost_octets),
        (1, 0, 100)
    );
    // nor is anything
    let stream = [query(1).framed().as_slice(), &[0, 0]].concat();
    let (receipt, _) = Connection::new().shaken().client(1_000, 0, ACK, &stream).read();
    assert_eq!((receipt.queries, receipt.tcp_lost_octets), (1, 2));
}

/// A response message of a transfer of `example`, with its question or without.
fn of_transfer(qtype: u16, number: u8, has_question: bool) -> Message {
    let owner = format!("n{number}.example");
    let address = format!("192.0.2.{number}");
    let message = match has_question {
        true => Message::response(7, "example", qtype),
        false => Message::response_without_question(7),
    };
    message.authoritative().a(In::Answer, &owner, &address)
}

#[test]
fn further_messages_of_a_transfer_belong_to_its_query_and_count_no_pair() {
    for (qtype, is_transfer) in [(252, true), (251, true), (1, false)] {
        let asked = Message::query(7, "example", qtype).framed();
        let mut at = 5_000;
        let mut file = Pcap::new();
        let mut add = |micros: i64, segment: Vec<u8>, (from, to): (&str, &str)| {
            file = std::mem::replace(&mut file, Pcap::new()).at(micros, &ethernet(&ip(from, to, 6, &segment)));
        };
        add(0, tcp(4000, 53, 999, 0, SYN, &[]), (CLIENT, SERVER));
        add(0, tcp(53, 4000, 4_999, 0, SYN | ACK, &[]), (SERVER, CLIENT));
        add(0, tcp(4000, 53, 1_000, 0, ACK, &asked), (CLIENT, SERVER));
        // longer than a query waits
        for number in 0..6u8 {
            let framed = of_transfer(qtype, number, number % 2 == 0).framed();
            let segment = tcp(53, 4000, at, 0, ACK, &framed);
            add(1_000 + i64::from(number) * 3_000_000, segment, (SERVER, CLIENT));
            at += framed.len() as u32;
        }
        let (receipt, kept) = read(file.octets);
        assert_eq!(
            (receipt.queries, receipt.responses, receipt.pairs),
            (1, 6, 1),
            "{qtype}"
        );
        let unmatched = if is_transfer { 0 } else { 5 };
        assert_eq!(
            (receipt.continued, receipt.unmatched_responses),
            (5 - unmatched, unmatched),
            "{qtype}"
        );
        let matched: u64 = kept.cells.iter().map(|cell| cell.counts.matched).sum();
        let octets: u64 = kept.cells.iter().map(|cell| cell.counts.response_octets).sum();
        assert_eq!((matched, octets), (1, u64::from(at) - 5_000 - 6 * 2), "{qtype}");
        if is_transfer {
            assert!(kept.rrsets.is_empty() && kept.evidence.is_empty());
            assert!(
                kept.cells
                    .iter()
                    .all(|cell| cell.key.as_ref().unwrap().qtype == Some(qtype))
            );
        }
    }
}

#[test]
fn after_a_transfer_another_question_with_its_id_is_its_own() {
    let other = Message::response(7, "n1.example", 1);
    let asked = Message::query(7, "example", 252).framed();
    let first = of_transfer(252, 1, true).framed();
    let later = 5_000 + first.len() as u32;
    let (receipt, _) = Connection::new()
        .shaken()
        .client(1_000, 0, ACK, &asked)
        .server(5_000, 0, ACK, &first)
        .server(later, 0, ACK, &other.framed())
        .read();
    assert_eq!((receipt.pairs, receipt.continued, receipt.no_query), (1, 0, 1));
}

#[test]
fn a_flood_of_connections_takes_bounded_memory() {
    let mut file = Pcap::new();
    for number in 0..70_000u32 {
        let source = format!("10.{}.{}.{}", number >> 16, (number >> 8) & 255, number & 255);
        let segment = tcp(4000, 53, 1_000, 0, SYN, &[]);
        file = file.at(i64::from(number), &ethernet(&ip(&source, SERVER, 6, &segment)));
    }
    let framed = query(1).framed();
    let segment = tcp(4000, 53, 1_000, 0, ACK, &framed);
    file = file.at(80_000, &ethernet(&ip(CLIENT, SERVER, 6, &segment)));
    let (receipt, _) = read(file.octets);
    assert_eq!((receipt.tcp_segments, receipt.queries), (70_001, 1));
}

proptest! {
    #[test]
    fn any_cut_into_segments_in_any_order_gives_every_message_once(
        cuts in proptest::collection::vec(1usize..60, 1..40),
        seed in any::<u64>(),
    ) {
        let stream: Vec<u8> = (1..=8).flat_map(|id| query(id).framed()).collect();
        let mut segments = Vec::new();
        let mut at = 0;
        for cut in cuts {
            let end = (at + cut).min(stream.len());
            if end > at {
                segments.push((at, end));
            }
            at = end;
        }
        if at < stream.len() {
            segments.push((at, stream.len()));
        }
        let mut state = seed;
        for at in (1..segments.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            segments.swap(at, (state >> 33) as usize % (at + 1));
        }
        let mut connection = Connection::new().shaken();
        for (start, end) in segments {
            connection = connection.client(1_000 + start as u32, 0, ACK, &stream[start..end]);
        }
        let (receipt, _) = connection.read();
        prop_assert_eq!((receipt.queries, receipt.tcp_holes, receipt.tcp_lost_octets), (8, 0, 0));
    }
}
