//! Figures of traffic.

use capture::{Settings, TrafficCell, TrafficKey};
use model::Transport;

use crate::packets::{CLIENT, In, Message, Pcap, SERVER, START, answers, asks, ethernet, ip, read, read_with, udp};

const MINUTE: i64 = 60_000_000;

#[test]
fn a_pair_counts_in_the_minute_of_its_query_by_what_it_has_in_common_with_others() {
    let query = Message::query(1, "www.example", 28).dnssec_ok();
    let response = Message::response(1, "www.example", 28)
        .authoritative()
        .rcode(3)
        .dnssec_ok();
    let file = Pcap::new()
        .at(MINUTE - 1_000, &asks(&query))
        .at(MINUTE + 1_000, &answers(&response))
        .at(MINUTE + 2_000, &answers(&response))
        .at(MINUTE + 3_000, &asks(&query));
    let (_, mut kept) = read(file.octets);
    kept.cells.sort_by_key(|cell| (cell.minute, cell.key.clone()));
    let key = TrafficKey {
        server: SERVER.parse().unwrap(),
        port: 53,
        zone: None,
        transport: Transport::Udp,
        qtype: Some(28),
        rcode: Some(3),
        truncated: false,
        authoritative: true,
        dnssec_ok: true,
    };
    let [pair, unanswered, duplicate] = kept.cells.as_slice() else {
        panic!("{:?}", kept.cells)
    };
    let size = response.octets().len() as u32;
    assert_eq!(
        (pair.minute.as_microsecond(), pair.key.as_ref()),
        (START as i64, Some(&key))
    );
    assert_eq!(
        (pair.counts.queries, pair.counts.matched, pair.counts.delay_us),
        (1, 1, 2_000)
    );
    assert_eq!(pair.counts.query_octets, query.octets().len() as u64);
    assert_eq!(
        (pair.counts.response_octets, pair.counts.response_octets_max),
        (u64::from(size), size)
    );
    assert_eq!((unanswered.counts.queries, unanswered.counts.matched), (1, 0));
    assert_eq!(
        unanswered.key,
        Some(TrafficKey {
            rcode: None,
            authoritative: false,
            ..key.clone()
        })
    );
    assert_eq!(duplicate.minute.as_microsecond(), START as i64 + MINUTE);
    assert_eq!(
        (
            duplicate.key.clone(),
            duplicate.counts.duplicates,
            duplicate.counts.queries
        ),
        (Some(key), 1, 0)
    );
}

fn sum(cells: &[TrafficCell], of: impl Fn(&TrafficCell) -> u64) -> u64 {
    cells.iter().map(of).sum()
}

#[test]
fn what_finds_no_cell_goes_to_the_other_one_and_no_message_is_lost() {
    let mut file = Pcap::new();
    for number in 0..500u16 {
        let server = format!("10.0.{}.{}", number / 250, number % 250);
        let query = Message::query(number, "www.example", 1);
        let frame = ethernet(&ip(CLIENT, &server, 17, &udp(4000, 53, &query.octets())));
        file = file.at(i64::from(number), &frame);
    }
    let settings = Settings {
        most_cells: 100,
        ..Settings::default()
    };
    let (receipt, kept) = read_with(settings, file.octets);
    assert_eq!((receipt.queries, kept.cells.len()), (500, 101));
    assert_eq!(sum(&kept.cells, |cell| cell.counts.queries), 500);
    let other = kept.cells.iter().find(|cell| cell.key.is_none()).unwrap();
    assert_eq!(other.counts.queries, 400);
}

#[test]
fn no_address_of_a_client_comes_out() {
    let response = Message::response(1, "www.example", 1)
        .authoritative()
        .a(In::Answer, "www.example", "192.0.2.80")
        .a(In::Additional, "other.example", "192.0.2.81");
    let garbage = ethernet(&ip(CLIENT, SERVER, 17, &udp(4000, 53, b"garbage")));
    let file = Pcap::new()
        .at(0, &asks(&Message::query(1, "www.example", 1)))
        .at(10, &answers(&response))
        .at(20, &answers(&response))
        .at(30, &garbage);
    let (receipt, kept) = read(file.octets);
    assert_eq!(
        (receipt.rrsets, receipt.out_of_bailiwick, receipt.quarantined),
        (1, 1, 1)
    );
    let everything = format!(
        "{receipt:?} {:?} {:?} {:?} {:?}",
        kept.rrsets, kept.evidence, kept.cells, kept.quarantined
    );
    assert!(everything.contains(SERVER));
    assert!(!everything.contains(CLIENT) && !everything.contains("4000"));
}
