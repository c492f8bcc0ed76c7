//! Datagrams in fragments: in any order, repeated, overlapping, and never completed.

use capture::{DropReason, Receipt};
use proptest::prelude::*;

use crate::packets::{CLIENT, In, Message, Pcap, SERVER, asks, ethernet, ip_fragment, read, udp};

const V6: (&str, &str) = ("2001:db8::53", "2001:db8::1");
const V4: (&str, &str) = (SERVER, CLIENT);

fn large_response() -> Vec<u8> {
    let mut message = Message::response(7, "www.example", 16).authoritative();
    for text in 0..30u8 {
        message = message.record(In::Answer, "www.example", 16, &[&[99][..], &[b'a' + text; 99]].concat());
    }
    udp(53, 4000, &message.octets())
}

/// Frames of a payload in fragments of at most `size` octets.
fn fragments((source, destination): (&str, &str), payload: &[u8], size: usize) -> Vec<Vec<u8>> {
    let last = payload.len().div_ceil(size) - 1;
    payload
        .chunks(size)
        .enumerate()
        .map(|(number, piece)| {
            ethernet(&ip_fragment(
                source,
                destination,
                17,
                piece,
                99,
                number * size,
                number < last,
            ))
        })
        .collect()
}

fn read_frames(frames: &[Vec<u8>], apart: i64) -> Receipt {
    let mut file = Pcap::new();
    for (number, frame) in frames.iter().enumerate() {
        file = file.at(number as i64 * apart, frame);
    }
    read(file.octets).0
}

#[test]
fn fragments_make_a_message_in_any_order() {
    for family in [V4, V6] {
        let mut frames = fragments(family, &large_response(), 1_200);
        assert_eq!(frames.len(), 4);
        for _ in 0..4 {
            frames.rotate_left(1);
            let receipt = read_frames(&frames, 10);
            assert_eq!((receipt.responses, receipt.fragments), (1, 4));
            assert!(receipt.dropped.is_empty());
        }
    }
}

#[test]
fn a_repeated_fragment_changes_nothing() {
    let mut frames = fragments(V6, &large_response(), 1_200);
    frames.insert(1, frames[0].clone());
    assert_eq!(read_frames(&frames, 10).responses, 1);
}

#[test]
fn overlapping_fragments_make_no_message() {
    let payload = large_response();
    let mut frames = fragments(V4, &payload, 1_200);
    let mut forged = payload[1_192..2_000].to_vec();
    forged[200] ^= 1;
    forged.truncate(800);
    frames.insert(1, ethernet(&ip_fragment(V4.0, V4.1, 17, &forged, 99, 1_192, true)));
    let receipt = read_frames(&frames, 10);
    assert_eq!(receipt.responses, 0);
    assert_eq!(receipt.dropped, [(DropReason::BadFragment, 1)].into());
}

/// Fragments of which the second begins eight octets before the first ends.
fn overlapping((source, destination): (&str, &str), payload: &[u8]) -> Vec<Vec<u8>> {
    let fragment = |from: usize, to: usize| {
        let is_last = to == payload.len();
        ethernet(&ip_fragment(
            source,
            destination,
            17,
            &payload[from..to],
            99,
            from,
            !is_last,
        ))
    };
    vec![
        fragment(0, 1_200),
        fragment(1_192, 2_400),
        fragment(2_400, payload.len()),
    ]
}

#[test]
fn fragments_of_ipv4_that_overlap_and_agree_make_a_message_and_of_ipv6_none() {
    let payload = large_response();
    for turn in 0..3 {
        let mut frames = overlapping(V4, &payload);
        frames.rotate_left(turn);
        let receipt = read_frames(&frames, 10);
        assert_eq!((receipt.responses, receipt.dropped.len()), (1, 0), "{turn}");
        let mut frames = overlapping(V6, &payload);
        frames.rotate_left(turn);
        let receipt = read_frames(&frames, 10);
        assert_eq!(receipt.responses, 0, "{turn}");
        assert_eq!(receipt.dropped, [(DropReason::BadFragment, 1)].into());
    }
}

#[test]
fn a_fragment_repeated_after_the_datagram_was_whole_is_not_another_datagram() {
    for family in [V4, V6] {
        let whole = fragments(family, &large_response(), 1_200);
        for repeated in 0..4 {
            let mut frames = whole.clone();
            frames.push(whole[repeated].clone());
            let receipt = read_frames(&frames, 10);
            assert_eq!((receipt.responses, receipt.dropped.len()), (1, 0), "{repeated}");
        }
        // the identification comes round
        let mut frames = whole.clone();
        frames.extend(whole.clone());
        assert_eq!(read_frames(&frames, 10).responses, 2);
        let other = fragments(family, &[7; 2_400], 1_200);
        frames.push(other[0].clone());
        let receipt = read_frames(&frames, 10);
        assert_eq!(receipt.dropped, [(DropReason::MissingFragment, 1)].into());
    }
}

#[test]
fn extension_headers_behind_the_fragment_header_are_followed() {
    let options = |next: u8| [next, 0, 1, 4, 0, 0, 0, 0];
    let authentication = [&[17, 4, 0, 0][..], &[0; 20]].concat();
    let cases = [
        (V6, 60, options(17).to_vec()),
        (V6, 0, options(17).to_vec()),
        (V6, 43, options(17).to_vec()),
        (V6, 51, authentication.clone()),
        (V6, 60, [&options(51)[..], &authentication].concat()),
        (V4, 51, authentication),
    ];
    for ((source, destination), protocol, extension) in cases {
        let payload = [extension.as_slice(), &large_response()].concat();
        let (first, second) = payload.split_at(1_200);
        let frames = [
            ethernet(&ip_fragment(source, destination, protocol, first, 99, 0, true)),
            ethernet(&ip_fragment(source, destination, protocol, second, 99, 1_200, false)),
        ];
        let receipt = read_frames(&frames, 10);
        assert_eq!(
            (receipt.responses, receipt.non_dns),
            (1, 0),
            "{source} {protocol} {extension:?}"
        );
    }
}

#[test]
fn a_missing_fragment_is_awaited_for_thirty_seconds_of_capture_time() {
    let frames = fragments(V4, &large_response(), 1_200);
    assert_eq!(read_frames(&frames, 9_000_000).responses, 1);
    let late = read_frames(&frames, 31_000_000);
    assert_eq!(late.responses, 0);
    assert_eq!(late.dropped[&DropReason::MissingFragment], 4);
}

#[test]
fn first_fragments_alone_fill_no_memory() {
    let mut file = Pcap::new();
    for identification in 0..20_000u32 {
        let piece = [0; 64];
        file = file.at(
            i64::from(identification),
            &ethernet(&ip_fragment(V6.0, V6.1, 17, &piece, identification, 65_400, true)),
        );
    }
    file = file.at(30_000, &asks(&Message::query(1, "a.example", 1)));
    let (receipt, _) = read(file.octets);
    assert_eq!(receipt.queries, 1);
    assert_eq!(receipt.dropped[&DropReason::MissingFragment], 20_000);
}

proptest! {
    #[test]
    fn any_cut_and_any_order_give_the_message_once(
        size in (1usize..200).prop_map(|size| size * 16),
        seed in any::<u64>(),
    ) {
        let mut frames = fragments(V4, &large_response(), size);
        // too many pieces are refused: see the bound in the room
        prop_assume!(frames.len() < 250);
        let mut state = seed;
        for at in (1..frames.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            frames.swap(at, (state >> 33) as usize % (at + 1));
        }
        prop_assert_eq!(read_frames(&frames, 1).responses, 1);
    }
}
