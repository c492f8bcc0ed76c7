//! What a server may speak for.

use std::io::Cursor;

use capture::{Input, Reader, Settings};

use crate::packets::{CLIENT, In, Kept, Message, Pcap, SERVER, answers, ethernet, ip, read, read_with, udp, wire};

/// A resolver's question to a server, and the answer.
fn exchange(file: Pcap, at: i64, server: &str, question: &str, response: &Message) -> Pcap {
    let id = at as u16;
    let query = Message::query(id, question, 1).octets();
    let mut response = response.octets();
    response[..2].copy_from_slice(&id.to_be_bytes());
    file.at(at, &ethernet(&ip(CLIENT, server, 17, &udp(4000, 53, &query))))
        .at(at + 5, &ethernet(&ip(server, CLIENT, 17, &udp(53, 4000, &response))))
}

fn answer(question: &str) -> Message {
    Message::response(0, question, 1).authoritative()
}

fn referral(question: &str) -> Message {
    Message::response(0, question, 1)
}

#[test]
fn a_server_of_which_nothing_is_known_speaks_for_the_question_and_below() {
    let response = answer("www.evil.test")
        .a(In::Answer, "www.evil.test", "192.0.2.1")
        .ns(In::Authority, "evil.test", "ns.evil.test")
        .a(In::Additional, "x.www.evil.test", "192.0.2.2")
        .a(In::Additional, "www.bank.test", "192.0.2.66");
    let (receipt, kept) = read(exchange(Pcap::new(), 0, SERVER, "www.evil.test", &response).octets);
    assert_eq!(
        kept.lines(),
        [
            "www.evil.test A [www.evil.test] 192.0.2.1",
            "x.www.evil.test A [www.evil.test] 192.0.2.2",
        ]
    );
    assert_eq!(
        kept.evidence_lines(),
        [
            "evil.test NS NotProven ns.evil.test.",
            "www.bank.test A Outside 192.0.2.66",
        ]
    );
    assert_eq!((receipt.rrsets, receipt.out_of_bailiwick), (2, 2));
    let evidence = &kept.evidence[0];
    assert_eq!(evidence.server.to_string(), SERVER);
    assert_eq!(evidence.question.to_string(), "www.evil.test");
    assert_eq!(evidence.zone, None);
}

#[test]
fn a_claim_to_the_zone_above_is_not_believed() {
    // asked for a name of its own, the server poses as a server of `test`
    let poses =
        answer("www.evil.test")
            .ns(In::Authority, "test", "ns.evil.test")
            .a(In::Additional, "ns.evil.test", SERVER);
    let refers = referral("www.evil.test").ns(In::Authority, "test", "ns.evil.test");
    for response in [poses, refers] {
        let file = exchange(Pcap::new(), 0, SERVER, "www.evil.test", &response);
        let later = answer("www.bank.test").a(In::Answer, "bank.test", "192.0.2.66");
        let (_, kept) = read(exchange(file, 100, SERVER, "www.bank.test", &later).octets);
        assert!(kept.rrsets.is_empty(), "{:?}", kept.lines());
        assert!(
            kept.evidence_lines()
                .contains(&"test NS NotProven ns.evil.test.".to_owned())
        );
    }
}

/// The walk of a resolver: root, `test`, `example.test`.
fn walk() -> Pcap {
    let (root, tld, child) = ("198.51.100.1", "198.51.100.2", "198.51.100.3");
    let from_root =
        referral("www.example.test")
            .ns(In::Authority, "test", "ns.nic.test")
            .a(In::Additional, "ns.nic.test", tld);
    let from_tld = referral("www.example.test")
        .ns(In::Authority, "example.test", "ns.example.test")
        .ns(In::Authority, "example.test", "ns.other.example")
        .a(In::Additional, "ns.example.test", child)
        .a(In::Additional, "ns.other.example", "192.0.2.66");
    let from_child = answer("www.example.test")
        .a(In::Answer, "www.example.test", "192.0.2.2")
        .a(In::Answer, "www.example.test", "192.0.2.1")
        .ns(In::Authority, "example.test", "ns.example.test");
    let file = exchange(Pcap::new(), 0, root, "www.example.test", &from_root);
    let file = exchange(file, 100, tld, "www.example.test", &from_tld);
    exchange(file, 200, child, "www.example.test", &from_child)
}

/// The zones of the cells with their servers and queries, sorted.
fn zones(kept: &Kept) -> Vec<(Option<String>, String, u64)> {
    let cells = kept.cells.iter().filter_map(|cell| {
        let key = cell.key.as_ref()?;
        let zone = key.zone.as_ref().map(|zone| zone.to_string());
        Some((zone, key.server.to_string(), cell.counts.queries))
    });
    let mut zones: Vec<_> = cells.collect();
    zones.sort();
    zones
}

#[test]
fn traffic_is_counted_for_the_zone_that_the_server_is_known_to_serve() {
    let child = "198.51.100.3";
    // nobody answers, and a resolver's answer is none of the zone's
    let file = walk().at(
        300,
        &ethernet(&ip(
            CLIENT,
            child,
            17,
            &udp(4000, 53, &Message::query(7, "MAIL.example.test", 1).octets()),
        )),
    );
    let file = exchange(file, 400, "192.0.2.99", "www.example.test", &answer("www.example.test"));
    let file = exchange(file, 500, child, "www.elsewhere.test", &answer("www.elsewhere.test"));
    let (_, kept) = read_with(with_root(), file.octets);
    let cell = |zone: Option<&str>, server: &str| (zone.map(str::to_owned), server.to_owned(), 1);
    assert_eq!(
        zones(&kept),
        [
            cell(None, "192.0.2.99"),
            cell(None, child),
            cell(Some("."), "198.51.100.1"),
            cell(Some("example.test"), child),
            cell(Some("example.test"), child),
            cell(Some("test"), "198.51.100.2"),
        ]
    );
}

#[test]
fn whoever_makes_up_zones_takes_the_zone_from_others_and_not_the_server() {
    let server = "198.51.100.3".parse().unwrap();
    let settings = Settings {
        served: (0..60)
            .map(|number| (format!("z{number}.test").parse().unwrap(), server))
            .collect(),
        most_cells: 20,
        ..Settings::default()
    };
    let mut file = Pcap::new();
    for round in 0..2 {
        for number in 0..60 {
            let question = format!("www.z{number}.test");
            let at = 10 * (60 * round + number);
            file = exchange(file, at, "198.51.100.3", &question, &answer(&question));
        }
    }
    let (_, kept) = read_with(settings, file.octets);
    let zones = zones(&kept);
    assert_eq!(zones.len(), 11, "half of the cells, and what is left");
    assert_eq!(zones[0], (None, "198.51.100.3".to_owned(), 100));
    assert!(
        zones[1..]
            .iter()
            .all(|(zone, _, queries)| zone.is_some() && *queries == 2)
    );
}

fn with_root() -> Settings {
    Settings {
        served: vec![(model::Name::root(), "198.51.100.1".parse().unwrap())],
        ..Settings::default()
    }
}

#[test]
fn knowledge_follows_the_delegations_from_the_root() {
    let (receipt, kept) = read_with(with_root(), walk().octets);
    assert_eq!(
        kept.lines(),
        [
            "example.test NS [example.test] ns.example.test.",
            "example.test NS [test] ns.other.example. ns.example.test.",
            "ns.example.test A [test] 198.51.100.3",
            "ns.nic.test A [.] 198.51.100.2",
            "test NS [.] ns.nic.test.",
            "www.example.test A [example.test] 192.0.2.1 192.0.2.2",
        ]
    );
    assert_eq!(kept.evidence_lines(), ["ns.other.example A Outside 192.0.2.66"]);
    assert_eq!((receipt.rrsets, receipt.out_of_bailiwick, receipt.not_kept), (6, 1, 0));
    assert_eq!(kept.evidence[0].zone, Some("test".parse().unwrap()));
}

#[test]
fn the_same_walk_proves_nothing_where_the_root_is_not_known() {
    let (_, kept) = read(walk().octets);
    assert_eq!(
        kept.lines(),
        ["www.example.test A [www.example.test] 192.0.2.1 192.0.2.2"]
    );
}

#[test]
fn what_was_learned_from_one_input_holds_for_the_next() {
    let mut reader = Reader::new(with_root());
    let mut kept = Kept::default();
    reader
        .read(Input::new("first", Cursor::new(walk().octets)), &mut kept)
        .unwrap();
    let response = answer("a.example.test").a(In::Additional, "b.example.test", "192.0.2.9");
    let second = exchange(Pcap::new(), 0, "198.51.100.3", "a.example.test", &response);
    let mut kept = Kept::default();
    reader
        .read(Input::new("second", Cursor::new(second.octets)), &mut kept)
        .unwrap();
    assert_eq!(kept.lines(), ["b.example.test A [example.test] 192.0.2.9"]);
}

#[test]
fn a_referral_upwards_or_to_the_zone_itself_gives_nothing() {
    for child in [".", "test"] {
        let response = referral("www.example.test").ns(In::Authority, child, "ns.evil.test");
        let file = exchange(walk(), 300, "198.51.100.2", "www.example.test", &response);
        let (_, kept) = read_with(with_root(), file.octets);
        assert!(!kept.lines().iter().any(|line| line.contains("evil")), "{child}");
    }
}

/// The signature of a zone on records of a type.
fn signature(covered: u16, signer: &str) -> Vec<u8> {
    let mut octets = covered.to_be_bytes().to_vec();
    octets.extend([8, 1]);
    octets.extend([0; 14]);
    octets.extend(wire(signer));
    octets.extend([0xab; 64]);
    octets
}

#[test]
fn what_stands_at_a_delegation_and_is_of_the_zone_above_is_kept_on_behalf_of_that() {
    const PARENT: &str = "198.51.100.1";
    let ds = |message: Message, section: In, owner: &str, signer: &str| {
        message
            .record(section, owner, 43, &[0, 1, 8, 2, 0xab])
            .record(section, owner, 46, &signature(43, signer))
    };
    let secure = referral("com").ns(In::Authority, "com", "ns.nic.com");
    let secure = ds(secure, In::Authority, "com", ".");
    let next = [wire("z.test"), vec![0, 1, 0x20]].concat();
    let insecure = referral("plain.test")
        .ns(In::Authority, "plain.test", "ns.plain.test")
        .a(In::Additional, "ns.plain.test", "192.0.2.53")
        .record(In::Authority, "plain.test", 47, &next)
        .record(In::Authority, "plain.test", 46, &signature(47, "test"));
    let direct = ds(answer("example.test"), In::Answer, "example.test", "test");
    let own = answer("example.test")
        .record(In::Answer, "example.test", 47, &next)
        .record(In::Answer, "example.test", 46, &signature(47, "example.test"));
    for (what, served, question, response, expected) in [
        (
            "a referral of an unknown server",
            vec![],
            "com",
            &secure,
            vec!["com DS [.]", "com NS [com]", "com RRSIG [.]"],
        ),
        (
            "a referral of the root",
            vec!["."],
            "com",
            &secure,
            vec!["com DS [.]", "com NS [.]", "com RRSIG [.]"],
        ),
        (
            "a referral that proves that there is no DS",
            vec![],
            "plain.test",
            &insecure,
            vec![
                "ns.plain.test A [plain.test]",
                "plain.test NS [plain.test]",
                "plain.test NSEC [test]",
                "plain.test RRSIG [test]",
            ],
        ),
        (
            "an answer of an unknown server",
            vec![],
            "example.test",
            &direct,
            vec!["example.test DS [test]", "example.test RRSIG [test]"],
        ),
        (
            "an answer of the server of both zones, and of one further up",
            vec!["example.test", "test", "."],
            "example.test",
            &direct,
            vec!["example.test DS [test]", "example.test RRSIG [test]"],
        ),
        (
            "an answer of the server of the zone below alone",
            vec!["example.test"],
            "example.test",
            &direct,
            vec!["example.test DS NotProven", "example.test RRSIG NotProven"],
        ),
        (
            "what is the zone's own",
            vec![],
            "example.test",
            &own,
            vec!["example.test NSEC [example.test]", "example.test RRSIG [example.test]"],
        ),
    ] {
        let settings = Settings {
            served: served
                .iter()
                .map(|zone: &&str| (zone.parse().unwrap(), PARENT.parse().unwrap()))
                .collect(),
            ..Settings::default()
        };
        let (_, kept) = read_with(settings, exchange(Pcap::new(), 0, PARENT, question, response).octets);
        let rrsets = kept.rrsets.iter();
        let rrsets = rrsets.map(|rrset| format!("{} {} [{}]", rrset.name, rrset.rtype, rrset.bailiwick));
        let evidence = kept.evidence.iter();
        let evidence = evidence.map(|said| format!("{} {} {:?}", said.name, said.rtype, said.reason));
        let mut found: Vec<String> = rrsets.chain(evidence).collect();
        found.sort();
        assert_eq!(found, expected, "{what}");
    }
}

#[test]
fn only_whole_authoritative_answers_to_queries_of_class_in_count() {
    let with_record = |message: Message| message.a(In::Answer, "www.example", "192.0.2.1");
    let cases = [
        ("not authoritative", with_record(Message::response(0, "www.example", 1))),
        ("truncated", with_record(answer("www.example").truncated())),
        ("SERVFAIL", with_record(answer("www.example").rcode(2))),
    ];
    for (what, response) in cases {
        let (receipt, kept) = read(exchange(Pcap::new(), 0, SERVER, "www.example", &response).octets);
        assert_eq!((receipt.pairs, receipt.not_kept), (1, 1), "{what}");
        assert!(kept.rrsets.is_empty() && kept.evidence.is_empty(), "{what}");
    }
    // an answer that nobody asked for
    let response = with_record(answer("www.example"));
    let (receipt, kept) = read(Pcap::new().at(0, &answers(&response)).octets);
    assert_eq!((receipt.no_query, receipt.rrsets), (1, 0));
    assert!(kept.rrsets.is_empty());
}

#[test]
fn what_a_resolver_adds_beside_the_zone_is_evidence_and_nothing_it_says_is_kept() {
    let response = Message::response(0, "example.test", 1)
        .a(In::Answer, "example.test", "198.51.100.1")
        .ns(In::Authority, "example.test", "ns.abc.example")
        .a(In::Additional, "ns.abc.example", "192.0.2.66");
    let (receipt, kept) = read(exchange(Pcap::new(), 0, SERVER, "example.test", &response).octets);
    assert_eq!((receipt.not_kept, receipt.rrsets, receipt.out_of_bailiwick), (1, 0, 1));
    assert_eq!(kept.evidence_lines(), ["ns.abc.example A Outside 192.0.2.66"]);
}

#[test]
fn equal_rrsets_are_one_whatever_their_order_case_and_compression() {
    let plain = answer("www.example")
        .record(
            In::Answer,
            "WWW.Example",
            15,
            &[&[0, 10], wire("MX1.Example").as_slice()].concat(),
        )
        .record(
            In::Answer,
            "www.example",
            15,
            &[&[0, 20], wire("mx2.example").as_slice()].concat(),
        );
    // the exchange of the second record points into the question: 4 octets of `www` on
    let compressed = answer("www.example")
        .record(In::Answer, "www.example", 15, &[0, 20, 3, b'm', b'x', b'2', 0xc0, 16])
        .record(In::Answer, "www.example", 15, &[0, 10, 3, b'm', b'x', b'1', 0xc0, 16])
        .record(In::Answer, "www.example", 15, &[0, 10, 3, b'm', b'x', b'1', 0xc0, 16]);
    let file = exchange(Pcap::new(), 0, SERVER, "www.example", &plain);
    let (_, kept) = read(exchange(file, 2_000_000, SERVER, "www.example", &compressed).octets);
    assert_eq!(
        kept.lines(),
        ["www.example MX [www.example] 10 mx1.example. 20 mx2.example."]
    );
    let rrset = &kept.rrsets[0];
    assert_eq!((rrset.count, rrset.last.as_second() - rrset.first.as_second()), (2, 2));
}

#[test]
fn data_that_is_not_of_its_types_form_is_counted_and_left_out() {
    let response = answer("www.example")
        .record(In::Answer, "www.example", 1, &[192, 0, 2])
        .record(In::Answer, "www.example", 2, &[0xc0, 0xff])
        .record(In::Answer, "www.example", 65_280, b"anything");
    let (receipt, kept) = read(exchange(Pcap::new(), 0, SERVER, "www.example", &response).octets);
    assert_eq!((receipt.unreadable_rrsets, receipt.rrsets), (2, 1));
    assert_eq!(kept.rrsets[0].rdata, [b"anything"]);
}

#[test]
fn a_million_distinct_names_take_bounded_memory_and_all_come_out() {
    // made in pieces: the file itself would be larger than everything else
    struct Endless {
        number: u32,
        rest: Vec<u8>,
    }
    impl std::io::Read for Endless {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            if self.rest.is_empty() && self.number < 1_000_000 {
                let mut piece = if self.number == 0 {
                    Pcap::new()
                } else {
                    let mut piece = Pcap::new();
                    piece.octets.clear();
                    piece
                };
                for number in self.number..self.number + 1_000 {
                    let name = format!("n{number}.example");
                    let response = answer(&name).a(In::Answer, &name, "192.0.2.1");
                    piece = exchange(piece, i64::from(number) * 20, SERVER, &name, &response);
                }
                self.number += 1_000;
                self.rest = piece.octets;
            }
            let count = into.len().min(self.rest.len());
            into[..count].copy_from_slice(&self.rest[..count]);
            self.rest.drain(..count);
            Ok(count)
        }
    }
    /// Counts, and keeps nothing.
    #[derive(Default)]
    struct Count(u64, u64);
    impl capture::Sink for Count {
        fn rrset(&mut self, rrset: model::PassiveRrset) -> Result<(), capture::SinkError> {
            self.0 += rrset.count;
            Ok(())
        }
        fn out_of_bailiwick(&mut self, _: capture::OutOfBailiwick) -> Result<(), capture::SinkError> {
            Ok(())
        }
        fn traffic(&mut self, cell: capture::TrafficCell) -> Result<(), capture::SinkError> {
            self.1 += cell.counts.matched;
            Ok(())
        }
        fn quarantine(&mut self, _: capture::Malformed<'_>) -> Result<(), capture::SinkError> {
            Ok(())
        }
    }
    let mut count = Count::default();
    let endless = Endless {
        number: 0,
        rest: Vec::new(),
    };
    let before = resident();
    let receipt = Reader::new(Settings::default())
        .read(Input::new("endless", endless), &mut count)
        .unwrap();
    assert_eq!((receipt.pairs, count.0, count.1), (1_000_000, 1_000_000, 1_000_000));
    // 262,144 RRsets of about 60 octets with their table, half a million outstanding queries: well below 300 MB
    let grown = resident().saturating_sub(before);
    assert!(grown < 300 << 20, "grown by {} MiB", grown >> 20);
}

/// Highest resident memory of this process so far, in octets; 0 where the system does not tell.
fn resident() -> u64 {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        })
        .map_or(0, |kib| kib << 10)
}
