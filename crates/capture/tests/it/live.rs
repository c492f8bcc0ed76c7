//! Traffic while it happens, told in turns.

use capture::{ClientForm, Clients, Distincts, DropReason, Form, Reader, Settings};
use jiff::{SignedDuration, Timestamp};

use crate::dnstap::{SECONDS, frame, query, response};
use crate::packets::{Kept, Message};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(SECONDS as i64).unwrap() + SignedDuration::from_secs(seconds)
}

fn counting() -> Settings {
    Settings {
        distincts: Some(Distincts {
            client_key: [7; 16],
            most_servers: 2,
        }),
        ..Settings::default()
    }
}

#[test]
fn a_query_of_one_turn_meets_its_response_in_the_next() {
    let mut kept = Kept::default();
    let mut reader = Reader::new(Settings::default());
    let mut listening = reader.listen("ns1", Form::Dnstap, &mut kept);
    listening.frame(&frame(1, Some(&query()), None), at(0)).unwrap();
    let first = listening.turn(at(1)).unwrap();
    assert_eq!(
        (first.packets, first.queries, first.pairs, first.unmatched_queries),
        (1, 1, 0, 0)
    );
    listening.frame(&frame(1, None, Some(&response())), at(1)).unwrap();
    let second = listening.turn(at(2)).unwrap();
    assert_eq!((second.packets, second.queries, second.pairs), (1, 0, 1));
    assert_eq!((second.input.as_str(), second.form), ("ns1", Form::Dnstap));
    let rest = listening.finish().unwrap();
    assert_eq!((rest.packets, rest.first), (0, None));
    assert_eq!(kept.lines(), ["www.example A [www.example] 192.0.2.80"]);
    assert_eq!(kept.cells.iter().map(|cell| cell.counts.matched).sum::<u64>(), 1);
}

#[test]
fn a_query_that_nobody_answers_is_told_in_the_turn_in_which_its_time_is_over() {
    let mut kept = Kept::default();
    let mut reader = Reader::new(Settings::default());
    let mut listening = reader.listen("ns1", Form::Dnstap, &mut kept);
    listening.frame(&frame(1, Some(&query()), None), at(0)).unwrap();
    assert_eq!(listening.turn(at(1)).unwrap().unmatched_queries, 0);
    assert_eq!(listening.turn(at(60)).unwrap().unmatched_queries, 1);
    assert_eq!(listening.finish().unwrap().unmatched_queries, 0);
    assert_eq!(kept.cells.len(), 1);
}

#[test]
fn a_sender_whose_clock_is_far_off_is_taken_for_the_time_at_which_it_came() {
    let mut kept = Kept::default();
    let mut reader = Reader::new(Settings::default());
    let mut listening = reader.listen("ns1", Form::Dnstap, &mut kept);
    let later = 86_400 * 30;
    listening.frame(&frame(1, None, Some(&response())), at(later)).unwrap();
    let receipt = listening.finish().unwrap();
    assert_eq!((receipt.wrong_clock, receipt.vouched), (1, 1));
    assert_eq!(kept.rrsets[0].first, at(later));
    assert_eq!(
        kept.cells[0].counts.delay_us, 2_000,
        "how long it took is what the sender says"
    );
}

#[test]
fn packets_that_nobody_could_read_stand_in_the_receipt_of_their_turn() {
    let mut kept = Kept::default();
    let mut reader = Reader::new(Settings::default());
    let mut listening = reader.listen("eth0", Form::Interface, &mut kept);
    listening.lost(0);
    assert!(listening.turn(at(0)).unwrap().dropped.is_empty());
    listening.lost(3);
    listening.lost(4);
    assert_eq!(listening.turn(at(1)).unwrap().dropped[&DropReason::TooFast], 7);
    assert!(listening.finish().unwrap().dropped.is_empty());
}

#[test]
fn clients_and_names_are_counted_once_a_minute_and_server() {
    let mut kept = Kept::default();
    let mut reader = Reader::new(counting());
    let mut listening = reader.listen("ns1", Form::Dnstap, &mut kept);
    for id in 0..50 {
        let asked = Message::query(id, &format!("www{}.example", id % 5), 1);
        listening.frame(&frame(1, Some(&asked), None), at(0)).unwrap();
    }
    listening
        .frame(&frame(1, None, Some(&Message::response(99, "WWW0.example", 1))), at(0))
        .unwrap();
    listening.finish().unwrap();
    let counts: Vec<_> = kept
        .distincts
        .iter()
        .map(|cell| {
            (
                cell.server.unwrap().to_string(),
                cell.clients.estimate(),
                cell.names.estimate(),
            )
        })
        .collect();
    assert_eq!(counts, [("198.51.100.53".to_owned(), 1, 5)]);
}

#[test]
fn a_client_s_query_counts_once_whoever_tells_of_it() {
    let queries = |frames: &[Vec<u8>]| {
        let mut kept = Kept::default();
        let clients = Clients {
            form: ClientForm::Network,
            most: 10,
            least: 1,
            most_servers: 10,
        };
        let mut reader = Reader::new(Settings {
            clients: Some(clients),
            ..Settings::default()
        });
        let mut listening = reader.listen("ns1", Form::Dnstap, &mut kept);
        for frame in frames {
            listening.frame(frame, at(0)).unwrap();
        }
        listening.finish().unwrap();
        let told = kept
            .clients
            .iter()
            .map(|cell| (cell.client.unwrap().to_string(), cell.queries));
        told.collect::<Vec<_>>()
    };
    let (asked, answered) = (frame(1, Some(&query()), None), frame(1, None, Some(&response())));
    let other = frame(1, None, Some(&Message::response(99, "www.example", 1)));
    let network = |queries| vec![("192.0.2.0/24".to_owned(), queries)];
    // a response whose query was given up, or not kept, is no further query
    assert_eq!(queries(&[asked.clone(), answered.clone(), other.clone()]), network(1));
    // servers that tell of responses alone
    assert_eq!(queries(&[answered, other]), network(2));
    assert_eq!(queries(&[asked]), network(1));
}

/// With the key in hand a sketch says whether an address may be in it; without it, it must not.
#[test]
fn two_keys_make_two_sketches_of_the_same_clients_and_one_of_the_names() {
    let sketches = |key: u8| {
        let mut kept = Kept::default();
        let mut settings = counting();
        if let Some(distincts) = &mut settings.distincts {
            distincts.client_key = [key; 16];
        }
        let mut reader = Reader::new(settings);
        let mut listening = reader.listen("ns1", Form::Dnstap, &mut kept);
        listening.frame(&frame(1, Some(&query()), None), at(0)).unwrap();
        listening.finish().unwrap();
        kept.distincts.remove(0)
    };
    let (one, other) = (sketches(1), sketches(2));
    assert_eq!(one, sketches(1));
    assert_ne!(one.clients, other.clients);
    assert_eq!(one.names, other.names);
}
