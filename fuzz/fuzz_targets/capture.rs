//! Octets as a capture file, and as a packet in one.
#![no_main]

use std::io::Cursor;

use capture::{Discard, Input, Reader, Settings};
use libfuzzer_sys::fuzz_target;

/// The head of a pcap file with little-endian microseconds; the link type follows.
const HEAD: [u8; 20] = [
    0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0,
];

fuzz_target!(|octets: &[u8]| {
    let read = |file: Vec<u8>| {
        let _ = Reader::new(Settings::default()).read(Input::new("fuzz", Cursor::new(file)), &mut Discard);
    };
    read(octets.to_vec());
    // the first octet chooses the link, each further packet begins with its length
    let Some((link, mut rest)) = octets.split_first() else {
        return;
    };
    let links = [0u32, 1, 10, 101, 108, 113, 276];
    let mut file = HEAD.to_vec();
    file.extend(links[usize::from(*link) % links.len()].to_le_bytes());
    let mut time = 0u32;
    while let Some((length, after)) = rest.split_first() {
        let packet = &after[..after.len().min(usize::from(*length))];
        time += 1;
        for field in [time, 0, packet.len() as u32, packet.len() as u32] {
            file.extend(field.to_le_bytes());
        }
        file.extend(packet);
        rest = &after[packet.len()..];
    }
    read(file);
});
