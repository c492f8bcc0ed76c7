//! Forms of files: order of octets, units of time, sections, compression, and files that break off.

use std::io::Write;

use capture::{CaptureError, Compression, Discard, Form, Input, Reader, Settings};

use crate::packets::{In, Message, Pcap, START, answers, asks, one_pair, read};

fn query() -> Vec<u8> {
    asks(&Message::query(7, "www.example", 1))
}

fn response() -> Vec<u8> {
    let message = Message::response(7, "www.example", 1)
        .authoritative()
        .a(In::Answer, "www.example", "192.0.2.80");
    answers(&message)
}

#[test]
fn pcap_is_read_in_both_orders_of_octets_and_units_of_time() {
    for big_endian in [false, true] {
        for nanoseconds in [false, true] {
            let pcap = Pcap::of_form(big_endian, nanoseconds, 1)
                .at(1, &query())
                .at(901, &response());
            let (receipt, _) = read(pcap.octets);
            assert_eq!((receipt.form, receipt.packets, receipt.pairs), (Form::Pcap, 2, 1));
            assert_eq!(receipt.first.unwrap().as_microsecond(), START as i64 + 1);
            assert_eq!(receipt.last.unwrap().as_microsecond(), START as i64 + 901);
            assert_eq!(receipt.fault, None);
        }
    }
}

/// Blocks of a pcapng file in one order of octets.
struct PcapNg {
    octets: Vec<u8>,
    big_endian: bool,
}

impl PcapNg {
    /// With its first section, little-endian.
    fn begun() -> Self {
        let mut file = Self {
            octets: Vec::new(),
            big_endian: false,
        };
        file.section();
        file
    }

    fn block(&mut self, kind: u32, body: &[u8]) {
        let length = body.len().next_multiple_of(4) as u32 + 12;
        self.u32(kind);
        self.u32(length);
        self.octets.extend(body);
        self.octets.resize(self.octets.len().next_multiple_of(4), 0);
        self.u32(length);
    }

    fn u32(&mut self, value: u32) {
        let octets = self.of_u32(value);
        self.octets.extend(octets);
    }

    fn of_u32(&self, value: u32) -> [u8; 4] {
        if self.big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn of_u16(&self, value: u16) -> [u8; 2] {
        if self.big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn section(&mut self) {
        let mut body = self.of_u32(0x1a2b_3c4d).to_vec();
        body.extend(self.of_u16(1));
        body.extend(self.of_u16(0));
        body.extend([0xff; 8]);
        self.block(0x0a0d_0d0a, &body);
    }

    fn interface(&mut self, link: u16, resolution: Option<u8>, offset: Option<i64>) {
        let mut body = self.of_u16(link).to_vec();
        body.extend([0; 6]);
        if let Some(resolution) = resolution {
            body.extend(self.of_u16(9));
            body.extend(self.of_u16(1));
            body.extend([resolution, 0, 0, 0]);
        }
        if let Some(offset) = offset {
            body.extend(self.of_u16(14));
            body.extend(self.of_u16(8));
            body.extend(if self.big_endian {
                offset.to_be_bytes()
            } else {
                offset.to_le_bytes()
            });
        }
        self.block(1, &body);
    }

    fn packet(&mut self, interface: u32, units: u64, frame: &[u8]) {
        let mut body = Vec::new();
        for field in [
            interface,
            (units >> 32) as u32,
            units as u32,
            frame.len() as u32,
            frame.len() as u32,
        ] {
            body.extend(self.of_u32(field));
        }
        body.extend(frame);
        self.block(6, &body);
    }
}

#[test]
fn pcapng_with_several_sections_and_interfaces_keeps_its_times() {
    let mut file = PcapNg::begun();
    file.interface(1, None, None);
    // units of 2^-10 s on raw IP, counted from a day before
    file.interface(101, Some(0x80 | 10), Some(-86_400));
    file.packet(0, START, &query());
    file.packet(1, (START / 1_000_000 + 86_400) << 10 | 1, &response()[14..]);
    // a block that nobody knows
    file.block(0x0bad, b"octets");
    file.big_endian = true;
    file.section();
    file.interface(1, Some(9), None);
    let nanoseconds = (START + 3_000_000) * 1_000 + 5;
    file.packet(0, nanoseconds, &query());
    let (receipt, _) = read(file.octets);
    assert_eq!(receipt.fault, None);
    assert_eq!((receipt.form, receipt.packets, receipt.pairs), (Form::Pcapng, 3, 1));
    assert_eq!(receipt.unmatched_queries, 1);
    assert_eq!(receipt.first.unwrap().as_microsecond(), START as i64);
    assert_eq!(receipt.last.unwrap().as_nanosecond(), i128::from(nanoseconds));
}

#[test]
fn a_packet_of_an_interface_that_is_not_described_ends_the_file_there() {
    let mut file = PcapNg::begun();
    file.interface(1, None, None);
    file.packet(0, START, &query());
    let at = file.octets.len();
    file.packet(1, START, &query());
    let (receipt, _) = read(file.octets);
    assert_eq!(receipt.queries, 1);
    let fault = receipt.fault.unwrap();
    assert_eq!(
        fault,
        format!("at octet {at}: a packet names an interface that the section does not describe")
    );
}

impl PcapNg {
    /// A packet without a time.
    fn simple_packet(&mut self, frame: &[u8]) {
        let mut body = self.of_u32(frame.len() as u32).to_vec();
        body.extend(frame);
        self.block(3, &body);
    }
}

#[test]
fn a_packet_without_a_time_takes_the_one_before_and_nothing_is_kept_of_1970() {
    let begun = || {
        let mut file = PcapNg::begun();
        file.interface(1, None, None);
        file
    };
    let mut simple = begun();
    simple.simple_packet(&query());
    simple.simple_packet(&response());
    let mut zero = begun();
    zero.packet(0, 0, &query());
    zero.packet(0, 1_000_000, &response());
    // counted from the start of a machine
    let unset = Pcap::new()
        .at(-(START as i64), &query())
        .at(60_000_000 - START as i64, &response());
    for file in [simple.octets, zero.octets, unset.octets] {
        let (receipt, kept) = read(file);
        assert_eq!((receipt.dns_messages, receipt.undated, receipt.first), (2, 2, None));
        assert!(kept.cells.is_empty() && kept.rrsets.is_empty());
    }
    let mut behind = begun();
    behind.packet(0, START, &query());
    behind.simple_packet(&response());
    let (receipt, kept) = read(behind.octets);
    assert_eq!((receipt.pairs, receipt.dropped.len()), (1, 0));
    assert_eq!(receipt.last.unwrap().as_microsecond(), START as i64);
    assert_eq!(kept.rrsets.len(), 1);
}

#[test]
fn an_interface_with_a_unit_of_time_that_is_too_fine_ends_no_file() {
    let seconds = (START / 1_000_000) as i64;
    for resolution in [20, 38, 39, 127, 0x80 | 64, 0xff] {
        let mut file = PcapNg::begun();
        file.interface(1, Some(resolution), None);
        file.interface(1, Some(resolution), Some(seconds));
        file.interface(1, None, None);
        file.packet(0, u64::MAX, &query());
        // less than a second has room
        file.packet(1, u64::MAX, &query());
        file.packet(2, START + 1_000_000, &response());
        let (receipt, _) = read(file.octets);
        assert_eq!(receipt.fault, None, "{resolution}");
        assert_eq!((receipt.packets, receipt.pairs), (3, 1), "{resolution}");
        assert_eq!(receipt.undated, 1);
        assert_eq!(receipt.first.unwrap().as_second(), seconds, "{resolution}");
    }
}

#[test]
fn a_block_that_does_not_count_its_padding_is_read_where_both_lengths_agree() {
    let file = |first: u32, last: u32| {
        let mut file = PcapNg::begun();
        file.interface(1, None, None);
        file.packet(0, START, &query());
        for part in [0x0bad, first, 0x6162_6364, last] {
            file.u32(part);
        }
        file.packet(0, START + 9, &response());
        file.octets
    };
    for length in 13..=16 {
        let (receipt, _) = read(file(length, length));
        assert_eq!((receipt.pairs, receipt.fault), (1, None), "{length}");
    }
    let (receipt, _) = read(file(13, 14));
    assert_eq!((receipt.queries, receipt.pairs), (1, 0));
    assert!(receipt.fault.unwrap().contains("the length of a block is not possible"));
}

fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

fn xz(octets: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

fn zstd(octets: &[u8]) -> Vec<u8> {
    zstd::encode_all(octets, 3).unwrap()
}

#[test]
fn compressed_files_are_known_by_their_first_octets_even_in_several_parts() {
    let plain = one_pair();
    let (head, tail) = plain.split_at(60);
    for (pack, compression) in [
        (gzip as fn(&[u8]) -> Vec<u8>, Compression::Gzip),
        (xz, Compression::Xz),
        (zstd, Compression::Zstd),
    ] {
        let packed = [pack(head), pack(tail)].concat();
        let length = packed.len() as u64;
        let (receipt, kept) = read(packed);
        assert_eq!(
            (receipt.compression, receipt.pairs, receipt.octets),
            (compression, 1, length)
        );
        assert_eq!(kept.lines(), ["www.example A [www.example] 192.0.2.80"]);
    }
}

#[test]
fn the_receipt_names_the_input_by_its_hash_as_it_lies_on_disk() {
    // sha256sum of the three octets, which are no capture
    let packed = gzip(&one_pair());
    let expected = {
        use sha2::Digest;
        hex::encode(sha2::Sha256::digest(&packed))
    };
    let (receipt, _) = read(packed);
    assert_eq!(receipt.sha256, expected);
}

#[test]
fn what_comes_before_the_place_where_a_file_breaks_off_counts() {
    let plain = one_pair();
    for cut in [1, 16, 17, 60] {
        let (receipt, _) = read(plain[..plain.len() - cut].to_vec());
        assert_eq!((receipt.queries, receipt.responses), (1, 0), "{cut} octets less");
        assert!(receipt.fault.unwrap().contains("middle of a record"));
        assert_eq!(receipt.octets, (plain.len() - cut) as u64);
    }
    for pack in [gzip as fn(&[u8]) -> Vec<u8>, xz, zstd] {
        // many packets, so that something is decompressed before the end is missed
        let mut many = Pcap::new();
        for number in 0..4_000u16 {
            many = many.at(
                i64::from(number),
                &asks(&Message::query(
                    number,
                    &format!("n{}.example", number.wrapping_mul(40_503)),
                    1,
                )),
            );
        }
        let packed = pack(&many.octets);
        let half = packed[..packed.len() / 2].to_vec();
        let length = half.len() as u64;
        let (receipt, _) = read(half);
        assert!(receipt.fault.is_some());
        assert_eq!(receipt.octets, length);
        assert!(receipt.queries < 4_000);
    }
}

#[test]
fn a_record_longer_than_any_packet_ends_the_file_and_takes_no_memory() {
    let mut octets = one_pair();
    let end = octets.len() as u64;
    octets.extend([0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    octets.extend(vec![0; 100]);
    let (receipt, _) = read(octets);
    assert_eq!(receipt.pairs, 1);
    assert_eq!(
        receipt.fault.unwrap(),
        format!("at octet {end}: a record says that it is longer than any packet")
    );
}

#[test]
fn a_file_that_is_no_capture_is_refused_by_name() {
    for octets in [&b""[..], b"\xd4\xc3", b"hello, this is no capture at all"] {
        let error = Reader::new(Settings::default())
            .read(
                Input::new("notes.txt", std::io::Cursor::new(octets.to_vec())),
                &mut Discard,
            )
            .unwrap_err();
        assert!(matches!(error, CaptureError::NotACapture { .. }));
        assert!(error.to_string().contains("`notes.txt`"));
    }
    let missing = std::path::Path::new("/nowhere/x.pcap");
    let error = Reader::new(Settings::default())
        .read_path(missing, &mut Discard)
        .unwrap_err();
    assert_eq!(error.to_string(), "cannot read `/nowhere/x.pcap`");
}
