//! dnstap in Frame Streams.

use capture::{CaptureError, Discard, DropReason, Form, Input, Reader, Receipt, Settings, TrafficCell};
use model::Transport;

use crate::packets::{In, Kept, Message, read};

/// A field of a protocol buffer.
fn field(number: u8, value: Value) -> Vec<u8> {
    fn varint(mut value: u64) -> Vec<u8> {
        let mut octets = Vec::new();
        while value >= 128 {
            octets.push(value as u8 | 128);
            value >>= 7;
        }
        octets.push(value as u8);
        octets
    }
    match value {
        Value::Number(value) => [varint(u64::from(number) << 3), varint(value)].concat(),
        Value::Fixed(value) => [varint(u64::from(number) << 3 | 5), value.to_le_bytes().to_vec()].concat(),
        Value::Octets(value) => [
            varint(u64::from(number) << 3 | 2),
            varint(value.len() as u64),
            value.to_vec(),
        ]
        .concat(),
    }
}

enum Value<'a> {
    Number(u64),
    Fixed(u32),
    Octets(&'a [u8]),
}
use Value::{Fixed, Number, Octets};

pub const SECONDS: u64 = 1_767_225_600;

/// A dnstap frame from its client 192.0.2.10 to the server 198.51.100.53; `protocol` as in dnstap.proto.
pub fn frame(protocol: u64, query: Option<&Message>, response: Option<&Message>) -> Vec<u8> {
    frame_asked(SECONDS, protocol, query, response)
}

/// The same with another time of the query.
fn frame_asked(asked: u64, protocol: u64, query: Option<&Message>, response: Option<&Message>) -> Vec<u8> {
    frame_between([asked, SECONDS], protocol, query, response)
}

/// The same with the times of query and response, of which 0 is none.
fn frame_between(
    [asked, answered]: [u64; 2],
    protocol: u64,
    query: Option<&Message>,
    response: Option<&Message>,
) -> Vec<u8> {
    let mut message = [
        field(1, Number(3)),
        field(2, Number(1)),
        field(3, Number(protocol)),
        field(4, Octets(&[192, 0, 2, 10])),
        field(5, Octets(&[198, 51, 100, 53])),
        field(6, Number(4_000)),
        field(7, Number(53)),
    ]
    .concat();
    if asked > 0 {
        message.extend(field(8, Number(asked)));
        message.extend(field(9, Fixed(1_000_000)));
    }
    if let Some(query) = query {
        message.extend(field(10, Octets(&query.octets())));
    }
    if let Some(response) = response {
        if answered > 0 {
            message.extend(field(12, Number(answered)));
            message.extend(field(13, Fixed(3_000_000)));
        }
        message.extend(field(14, Octets(&response.octets())));
    }
    [
        field(1, Octets(b"ns1")),
        field(14, Octets(&message)),
        field(15, Number(1)),
    ]
    .concat()
}

pub const START: &[u8] = b"\0\0\0\0\0\0\0\x22\0\0\0\x02\0\0\0\x01\0\0\0\x16protobuf:dnstap.Dnstap";
pub const STOP: &[u8] = b"\0\0\0\0\0\0\0\x04\0\0\0\x03";

pub fn stream(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut octets = START.to_vec();
    for frame in frames {
        octets.extend((frame.len() as u32).to_be_bytes());
        octets.extend(frame);
    }
    octets.extend(STOP);
    octets
}

pub fn query() -> Message {
    Message::query(7, "www.example", 1)
}

pub fn response() -> Message {
    Message::response(7, "www.example", 1)
        .authoritative()
        .a(In::Answer, "www.example", "192.0.2.80")
}

fn read_frames(frames: &[Vec<u8>]) -> (Receipt, Kept) {
    let (receipt, kept) = read(stream(frames));
    assert_eq!((receipt.form, receipt.fault.as_deref()), (Form::Dnstap, None));
    (receipt, kept)
}

#[test]
fn a_query_and_its_response_are_paired_like_packets() {
    let (receipt, kept) = read_frames(&[frame(1, Some(&query()), None), frame(1, None, Some(&response()))]);
    assert_eq!((receipt.packets, receipt.pairs, receipt.vouched), (2, 1, 0));
    assert_eq!(kept.lines(), ["www.example A [www.example] 192.0.2.80"]);
    assert_eq!(kept.cells[0].counts.delay_us, 2_000);
    assert_eq!(receipt.first.unwrap().as_millisecond(), SECONDS as i64 * 1_000 + 1);
    // both in one frame
    let (receipt, _) = read_frames(&[frame(1, Some(&query()), Some(&response()))]);
    assert_eq!((receipt.packets, receipt.dns_messages, receipt.pairs), (1, 2, 1));
}

#[test]
fn a_response_alone_is_vouched_for_by_the_time_of_its_query() {
    let (receipt, kept) = read_frames(&[frame(1, None, Some(&response()))]);
    assert_eq!((receipt.pairs, receipt.vouched, receipt.unmatched_responses), (0, 1, 0));
    assert_eq!(kept.rrsets.len(), 1);
    let counts = kept.cells[0].counts;
    assert_eq!((counts.queries, counts.matched, counts.delay_us), (0, 1, 2_000));
}

#[test]
fn a_response_that_tells_of_a_query_of_another_time_counts_in_its_own_minute() {
    for asked in [1, SECONDS - 3_600, SECONDS + 3_600] {
        let (receipt, kept) = read_frames(&[frame_asked(asked, 1, None, Some(&response()))]);
        assert_eq!((receipt.vouched, receipt.wrong_clock), (1, 1), "{asked}");
        let cell = &kept.cells[0];
        assert_eq!(
            (cell.minute.as_second(), cell.counts.delay_us),
            (SECONDS as i64, 0),
            "{asked}"
        );
    }
}

#[test]
fn a_frame_with_query_and_response_is_one_pair_however_long_the_answer_took() {
    let other = Message::query(8, "other.example", 1);
    let later = Message::response(8, "other.example", 1);
    for seconds in [0, 6, 59] {
        let slow = frame_between(
            [SECONDS + 60 - seconds, SECONDS + 60],
            1,
            Some(&query()),
            Some(&response()),
        );
        let quick = frame_between([SECONDS + 60; 2], 1, Some(&other), Some(&later));
        // the clock is past the query already
        let (receipt, kept) = read_frames(&[quick, slow]);
        assert_eq!(
            (receipt.queries, receipt.responses, receipt.pairs),
            (2, 2, 2),
            "{seconds}"
        );
        assert_eq!(
            (receipt.unmatched_queries, receipt.vouched, receipt.unmatched_responses),
            (0, 0, 0)
        );
        assert_eq!(kept.lines(), ["www.example A [www.example] 192.0.2.80"]);
        let slow = |cell: &&TrafficCell| cell.key.as_ref().unwrap().authoritative;
        let cell = kept.cells.iter().find(slow).unwrap();
        let minute = if seconds == 0 { SECONDS + 60 } else { SECONDS };
        assert_eq!(cell.minute.as_second(), minute as i64, "{seconds}");
        assert_eq!(
            (cell.counts.queries, cell.counts.delay_us),
            (1, seconds * 1_000_000 + 2_000),
            "{seconds}"
        );
    }
    // a response to something else in the same frame
    let (receipt, _) = read_frames(&[frame(1, Some(&other), Some(&response()))]);
    assert_eq!((receipt.pairs, receipt.vouched, receipt.unmatched_queries), (0, 1, 1));
}

#[test]
fn of_a_frame_without_any_time_nothing_is_kept() {
    for (query, response) in [
        (Some(query()), None),
        (None, Some(response())),
        (Some(query()), Some(response())),
    ] {
        let (receipt, kept) = read_frames(&[frame_between([0; 2], 1, query.as_ref(), response.as_ref())]);
        let messages = u64::from(query.is_some()) + u64::from(response.is_some());
        assert_eq!(
            (receipt.dns_messages, receipt.undated, receipt.first),
            (messages, messages, None)
        );
        assert!(kept.cells.is_empty() && kept.rrsets.is_empty());
    }
}

#[test]
fn encrypted_transports_count_as_what_they_run_on() {
    for (protocol, transport) in [
        (1, Transport::Udp),
        (2, Transport::Tcp),
        (3, Transport::Tcp),
        (4, Transport::Tcp),
        (7, Transport::Udp),
    ] {
        let (_, kept) = read_frames(&[frame(protocol, Some(&query()), None)]);
        assert_eq!(kept.cells[0].key.as_ref().unwrap().transport, transport);
    }
}

#[test]
fn frames_that_hold_no_message_are_dropped_and_the_rest_is_read() {
    let (receipt, _) = read_frames(&[
        b"\xff\xff\xff".to_vec(),
        frame(1, None, None),
        vec![0; 1],
        frame(1, Some(&query()), None),
    ]);
    assert_eq!((receipt.packets, receipt.queries), (4, 1));
    assert_eq!(receipt.dropped[&DropReason::NotAMessage], 3);
}

#[test]
fn a_stream_that_breaks_off_or_lies_says_where() {
    let whole = stream(&[frame(1, Some(&query()), None), frame(1, None, Some(&response()))]);
    let fault = |octets: Vec<u8>| read(octets).0.fault.unwrap();
    let half = whole[..whole.len() - STOP.len() - 20].to_vec();
    assert!(fault(half.clone()).starts_with("it ends in the middle of a record"));
    assert_eq!(read(half).0.queries, 1);
    let unclosed = whole[..whole.len() - STOP.len()].to_vec();
    assert!(fault(unclosed).contains("without a closing frame"));
    // a length of 4 GiB takes no memory
    let large = [START, &[0xff; 4], &[0; 100]].concat();
    assert_eq!(
        fault(large),
        format!(
            "at octet {}: a frame says that it is longer than any message",
            START.len()
        )
    );
    let control = [START, &[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]].concat();
    assert!(fault(control).contains("the length of a control frame"));
    let other = b"\0\0\0\0\0\0\0\x0f\0\0\0\x02\0\0\0\x01\0\0\0\x03xyz".to_vec();
    assert!(fault(other).contains("something else than dnstap"));
}

#[test]
fn two_streams_in_one_file_are_both_read() {
    let one = stream(&[frame(1, Some(&query()), None)]);
    let (receipt, _) = read([one.clone(), one].concat());
    assert_eq!((receipt.queries, receipt.fault), (2, None));
}

#[test]
fn octets_that_begin_with_zeros_alone_are_no_stream() {
    let error = Reader::new(Settings::default())
        .read(Input::new("zeros", std::io::Cursor::new(vec![0; 64])), &mut Discard)
        .unwrap_err();
    assert!(matches!(error, CaptureError::NotACapture { .. }));
}
