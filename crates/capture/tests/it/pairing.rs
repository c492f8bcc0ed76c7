//! Which response belongs to which query, and what the others are.

use capture::{DropReason, Settings};

use crate::packets::{CLIENT, In, Message, Pcap, SERVER, answers, asks, ethernet, ip, read, read_with, udp};

const SECOND: i64 = 1_000_000;

fn query(id: u16) -> Vec<u8> {
    asks(&Message::query(id, "www.example", 1))
}

fn message(id: u16) -> Message {
    Message::response(id, "www.example", 1)
        .authoritative()
        .a(In::Answer, "www.example", "192.0.2.80")
}

fn response(id: u16) -> Vec<u8> {
    answers(&message(id))
}

#[test]
fn a_response_belongs_to_the_query_of_the_last_five_seconds() {
    let (receipt, _) = read(Pcap::new().at(0, &query(1)).at(5 * SECOND, &response(1)).octets);
    assert_eq!((receipt.pairs, receipt.unmatched_queries), (1, 0));
    let (receipt, _) = read(Pcap::new().at(0, &query(1)).at(5 * SECOND + 1, &response(1)).octets);
    assert_eq!((receipt.pairs, receipt.unmatched_queries, receipt.no_query), (0, 1, 1));
}

#[test]
fn the_case_of_the_question_counts() {
    let upper = answers(&Message::response(1, "wwW.example", 1).authoritative());
    let (receipt, _) = read(Pcap::new().at(0, &query(1)).at(100, &upper).octets);
    assert_eq!((receipt.pairs, receipt.unmatched_queries, receipt.no_query), (0, 1, 1));
}

#[test]
fn a_response_is_matched_duplicate_wrong_id_wrong_port_or_unasked() {
    let other_port = ethernet(&ip(SERVER, CLIENT, 17, &udp(53, 4001, &message(1).octets())));
    let other_client = ethernet(&ip(SERVER, "192.0.2.99", 17, &udp(53, 4000, &message(1).octets())));
    let file = Pcap::new()
        .at(0, &query(1))
        .at(100, &response(2))
        .at(200, &response(1))
        .at(300, &response(1))
        .at(400, &other_port)
        .at(500, &other_client)
        .at(600, &response(3));
    let (receipt, _) = read(file.octets);
    assert_eq!((receipt.pairs, receipt.duplicates), (1, 1));
    assert_eq!((receipt.wrong_id, receipt.wrong_port, receipt.no_query), (2, 1, 1));
    assert_eq!((receipt.responses, receipt.unmatched_responses), (6, 5));
}

#[test]
fn a_repeated_query_takes_the_second_response() {
    let file = Pcap::new()
        .at(0, &query(1))
        .at(SECOND, &query(1))
        .at(SECOND + 100, &response(1))
        .at(SECOND + 200, &response(1))
        .at(SECOND + 300, &response(1));
    let (receipt, _) = read(file.octets);
    assert_eq!(
        (receipt.pairs, receipt.duplicates, receipt.unmatched_queries),
        (2, 1, 0)
    );
}

#[test]
fn a_response_may_come_ten_microseconds_before_its_query() {
    let (receipt, _) = read(Pcap::new().at(0, &response(1)).at(10, &query(1)).octets);
    assert_eq!((receipt.pairs, receipt.unmatched_responses), (1, 0));
    let (receipt, _) = read(Pcap::new().at(0, &response(1)).at(11, &query(1)).octets);
    assert_eq!((receipt.pairs, receipt.no_query, receipt.unmatched_queries), (0, 1, 1));
    // handed over late, with its own time
    let (receipt, _) = read(Pcap::new().at(50, &response(1)).at(20, &query(1)).octets);
    assert_eq!((receipt.pairs, receipt.out_of_order), (1, 1));
}

#[test]
fn a_response_without_a_question_goes_by_addresses_ports_and_id() {
    let mut octets = message(1).octets()[..12].to_vec();
    octets[3] = 1;
    octets[4..].fill(0);
    let format_error = ethernet(&ip(SERVER, CLIENT, 17, &udp(53, 4000, &octets)));
    let (receipt, _) = read(Pcap::new().at(0, &query(1)).at(100, &format_error).octets);
    assert_eq!(receipt.pairs, 1);
}

#[test]
fn a_question_longer_than_a_name_is_paired_up_to_512_octets() {
    for (labels, is_message) in [(63, true), (128, true), (129, false)] {
        let long = vec!["abc"; labels].join(".");
        let question = ethernet(&ip(
            CLIENT,
            SERVER,
            17,
            &udp(4000, 53, &Message::query(1, &long, 1).octets()),
        ));
        let answer = answers(&Message::response(1, &long, 1).rcode(1));
        let (receipt, _) = read(Pcap::new().at(0, &question).at(9, &answer).octets);
        assert_eq!(receipt.pairs, u64::from(is_message), "{labels} labels");
        assert_eq!(receipt.malformed_total(), if is_message { 0 } else { 2 });
    }
}

#[test]
fn a_clock_that_goes_back_gives_up_what_is_outstanding_and_goes_on() {
    let hour = 3_600 * SECOND;
    let file = Pcap::new()
        .at(hour, &query(1))
        .at(0, &query(2))
        .at(100, &response(2))
        .at(200, &response(1))
        .at(2 * hour, &query(3))
        .at(2 * hour + 100, &response(3));
    let (receipt, kept) = read(file.octets);
    assert_eq!((receipt.pairs, receipt.unmatched_queries, receipt.wrong_id), (2, 1, 1));
    assert_eq!(receipt.out_of_order, 1);
    assert!(receipt.first < receipt.last);
    assert_eq!(kept.rrsets.len(), 1);
}

#[test]
fn queries_beyond_the_bound_are_dropped_and_counted() {
    let settings = Settings {
        most_queries: 100,
        ..Settings::default()
    };
    let mut file = Pcap::new();
    for id in 0..150 {
        file = file.at(i64::from(id), &query(id));
    }
    let (receipt, _) = read_with(settings, file.at(200, &response(3)).octets);
    assert_eq!(
        (receipt.queries, receipt.pairs, receipt.unmatched_queries),
        (150, 1, 149)
    );
    assert_eq!(receipt.dropped[&DropReason::TooManyQueries], 50);
}

#[test]
fn malformed_octets_go_into_quarantine_with_their_place_and_reason() {
    let mut many = Pcap::new().at(0, &query(1));
    let garbage = |octets: &[u8]| ethernet(&ip(CLIENT, SERVER, 17, &udp(4000, 53, octets)));
    many = many.at(1, &garbage(b"short"));
    let mut loops = Message::query(2, "a", 1).octets();
    loops[12..14].copy_from_slice(&[0xc0, 12]);
    many = many.at(2, &garbage(&loops));
    let mut missing = Message::query(3, "a", 1).octets();
    missing[7] = 1;
    many = many.at(3, &garbage(&missing));
    let mut options = Message::query(4, "a", 1).dnssec_ok().octets();
    let end = options.len();
    options[end - 1] = 1;
    options.push(0);
    many = many.at(4, &garbage(&options));
    let (receipt, kept) = read(many.octets);
    let found: Vec<(u64, &str)> = kept
        .quarantined
        .iter()
        .map(|(packet, reason, _)| (*packet, reason.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (2, "shorter than a header"),
            (3, "the question cannot be read"),
            (4, "a record cannot be read"),
            (5, "the OPT record cannot be read"),
        ]
    );
    assert_eq!(kept.quarantined[0].2, b"short");
    assert_eq!(
        (receipt.quarantined, receipt.malformed_total(), receipt.queries),
        (4, 4, 1)
    );
    let settings = Settings {
        most_quarantined: 1,
        ..Settings::default()
    };
    let file = Pcap::new().at(0, &garbage(b"1")).at(0, &garbage(b"2")).octets;
    let (receipt, kept) = read_with(settings, file);
    assert_eq!(
        (receipt.malformed_total(), receipt.quarantined, kept.quarantined.len()),
        (2, 1, 1)
    );
}
