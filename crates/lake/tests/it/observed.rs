//! Sealed parts of sensors: what comes back is what was sealed, once, and what a sensor cannot have seen is refused.

use domain::base::iana::Rtype;
use jiff::{SignedDuration, Timestamp};
use lake::part::observed::{open, seal};
use lake::passive::{Brought, NamePattern, Query, Source};
use lake::{Lake, Limits, PartId, Passive, Refusal};
use model::{
    Client, ClientCell, DistinctCell, MalformedMessage, Name, OutOfBailiwick, OutReason, SeenIn, Sketch, Span, Tlp,
    TrafficCell, TrafficCounts, TrafficKey, Transport,
};
use proptest::prelude::*;

use crate::passive::{rrset, wire};
use crate::story::{at, name};

fn minute(seconds: i64) -> Timestamp {
    Timestamp::from_second(at(seconds).as_second().div_euclid(60) * 60).unwrap()
}

fn now() -> Timestamp {
    at(120)
}

fn sketch() -> Sketch {
    let mut sketch = Sketch::default();
    sketch.add(0x1234_5678_9abc_def0);
    sketch
}

/// Something of each kind.
fn brought() -> Brought {
    Brought {
        rrsets: vec![
            rrset(
                "www.example.com",
                Rtype::A,
                &[vec![192, 0, 2, 1], vec![192, 0, 2, 2]],
                7,
            ),
            rrset("example.com", Rtype::NS, &[wire("ns1.example.com")], 8),
        ],
        evidence: vec![OutOfBailiwick {
            server: "198.51.100.66".parse().unwrap(),
            zone: None,
            reason: OutReason::NotProven,
            question: name("a.example.net"),
            name: name("www.bank.example"),
            rtype: Rtype::A,
            rdata: vec![vec![203, 0, 113, 6]],
            first: at(9),
            last: at(9),
            count: 3,
        }],
        traffic: vec![TrafficCell {
            minute: minute(0),
            span: Span::Minute,
            key: Some(TrafficKey {
                server: "192.0.2.53".parse().unwrap(),
                port: 53,
                zone: Some(name("example.com")),
                transport: Transport::Udp,
                qtype: Some(1),
                rcode: Some(0),
                truncated: false,
                authoritative: true,
                dnssec_ok: false,
            }),
            counts: TrafficCounts {
                queries: 7,
                ..TrafficCounts::default()
            },
        }],
        distincts: vec![DistinctCell {
            minute: minute(0),
            span: Span::Minute,
            server: None,
            clients: sketch(),
            names: Sketch::default(),
        }],
        clients: vec![
            ClientCell {
                minute: minute(0),
                span: Span::Minute,
                server: Some("192.0.2.53".parse().unwrap()),
                client: Some(Client::network("198.51.100.7".parse().unwrap())),
                queries: 5,
            },
            ClientCell {
                minute: minute(0),
                span: Span::Minute,
                server: None,
                client: None,
                queries: 2,
            },
        ],
        malformed: vec![MalformedMessage {
            time: at(3),
            input: "interface eth0".to_owned(),
            number: 4,
            reason: "short header".to_owned(),
            octets: vec![0xde, 0xad],
        }],
        ..Brought::default()
    }
}

fn source() -> Source {
    Source {
        id: "sensor.fra1".to_owned(),
        owner: "Example Net".to_owned(),
        licence: "agreement 17".to_owned(),
        tlp: Tlp::Amber,
        legal_basis: "contract".to_owned(),
    }
}

/// A part of which one line is put in the place of another.
fn changed(from: &str, to: &str) -> Result<Brought, Refusal> {
    let part = seal("w", brought()).unwrap().remove(0);
    let text = String::from_utf8(zstd::decode_all(&part.octets[..]).unwrap()).unwrap();
    assert!(text.contains(from), "{text}");
    let octets = zstd::encode_all(text.replacen(from, to, 1).as_bytes(), 3).unwrap();
    open(&octets, now(), &Limits::default())
}

#[test]
fn what_was_sealed_comes_back() {
    let parts = seal("w", brought()).unwrap();
    let [part] = &parts[..] else { panic!("{parts:?}") };
    assert_eq!((part.id, part.rows, part.newest), (PartId::of(&part.octets), 8, at(9)));
    assert_eq!(open(&part.octets, now(), &Limits::default()), Ok(brought()));
    assert!(seal("w", Brought::default()).unwrap().is_empty());
}

#[test]
fn two_windows_in_which_the_same_happened_are_two_parts() {
    let of = |window: &str| seal(window, brought()).unwrap()[0].id;
    assert_eq!(of("one"), of("one"));
    assert_ne!(of("one"), of("two"));
}

#[test]
fn a_busy_window_is_cut_into_parts_that_each_may_be_taken() {
    // octets that nothing compresses (xorshift64)
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut by_chance = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    let rrsets = (0..500).map(|number| {
        let data: Vec<u8> = (0..30_000).map(|_| by_chance()).collect();
        rrset(&format!("n{number}.example.com"), Rtype::TXT, &[data], 1)
    });
    let busy = Brought {
        rrsets: rrsets.collect(),
        ..Brought::default()
    };
    let parts = seal("w", busy.clone()).unwrap();
    assert!(parts.len() > 10, "{}", parts.len());
    let mut back = Vec::new();
    for part in &parts {
        back.extend(open(&part.octets, now(), &Limits::default()).unwrap().rrsets);
    }
    assert_eq!(back, busy.rrsets);
}

#[test]
fn what_a_sensor_cannot_have_seen_is_refused_by_its_reason() {
    let told = |from: &str, to: &str| changed(from, to).unwrap_err().to_string();
    assert!(told("\"version\":1", "\"version\":2").contains("version 2"));
    assert!(
        told("\"bailiwick\":\"example.com\"", "\"bailiwick\":\"example.net\"").contains("outside of its bailiwick")
    );
    assert!(told("\"count\":1", "\"count\":0").contains("count"));
    assert!(told("\"count\":3", "\"count\":18446744073709551615").contains("count"));
    assert!(told("\"queries\":7", "\"queries\":18446744073709551615").contains("figures of traffic"));
    assert!(
        told("\"c0000201\"", "\"c0000209\"").contains("data of an RRset"),
        "not in order"
    );
    assert!(told("\"names\":\"\"", "\"names\":\"00\"").contains("sketch"));
    let network = "\"client\":\"198.51.100.0/24\"";
    for address in ["198.51.100.7/32", "198.51.100.7", "198.51.100.0/25"] {
        let refused = told(network, &format!("\"client\":\"{address}\""));
        assert!(refused.contains("neither a network"), "{refused}");
    }
    assert!(told("\"queries\":5", "\"queries\":0").contains("count of a client's queries"));
    assert!(told("{\"rrset\":", "{\"sample\":").contains("unknown variant"));
    assert!(told("\"count\":1", "\"count\":1,\"source\":\"bank\"").contains("unknown field"));
    let old = (at(7) - SignedDuration::from_hours(24 * 8)).to_string();
    assert!(told(&at(7).to_string(), &old).contains("too long ago"));
    let ahead = (now() + SignedDuration::from_mins(6)).to_string();
    assert!(told(&at(9).to_string(), &ahead).contains("in the future"));
}

#[test]
fn a_sensor_that_knows_neither_zones_nor_spans_is_heard_and_none_hands_over_longer_spans_than_minutes() {
    let zones = |brought: Brought| -> Vec<Option<Name>> {
        brought.traffic.into_iter().map(|cell| cell.key.unwrap().zone).collect()
    };
    assert_eq!(zones(changed("\"zone\":\"example.com\",", "").unwrap()), [None]);
    assert_eq!(
        zones(changed("\"span\":\"minute\",", "").unwrap()),
        [Some(name("example.com"))]
    );
    let refused = changed("\"span\":\"minute\"", "\"span\":\"hour\"")
        .unwrap_err()
        .to_string();
    assert!(refused.contains("figures of traffic"), "{refused}");
}

#[test]
fn what_unfolds_to_more_than_a_part_may_have_is_refused_without_being_held() {
    let refused = |octets: &[u8]| open(octets, now(), &Limits::default()).unwrap_err();
    let bomb = zstd::encode_all(&vec![b' '; 256 << 20][..], 3).unwrap();
    assert!(bomb.len() < 100_000);
    assert!(matches!(refused(&bomb), Refusal::TooLarge { what: "octets", .. }));
    assert!(matches!(
        refused(&vec![0; 3 << 20]),
        Refusal::TooLarge { what: "octets", .. }
    ));
    assert_eq!(refused(&zstd::encode_all(&b""[..], 3).unwrap()), Refusal::Empty);
    assert!(matches!(refused(b"PAR1"), Refusal::Form(_)));
    let deep = zstd::encode_all(&vec![b'['; 1 << 20][..], 3).unwrap();
    assert!(matches!(refused(&deep), Refusal::Form(_)));
}

#[tokio::test]
async fn a_part_is_taken_once_under_its_source_and_says_so_the_second_time() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    let part = seal("w", brought()).unwrap().remove(0);
    for is_new in [true, false] {
        let observed = open(&part.octets, now(), &Limits::default()).unwrap();
        let taken = lake.take_observed(part.id, source(), observed, now()).await.unwrap();
        assert_eq!(taken, is_new);
    }
    let passive = lake.passive().await.unwrap().unwrap();
    assert_eq!(passive.sources(), [source()]);
    let all = Query::new(NamePattern::Below(Name::root()), 100);
    let seen: Vec<_> = passive.rrsets(&all).collect();
    assert_eq!(seen.iter().map(|seen| seen.rrset.count).collect::<Vec<_>>(), [1, 1]);
    assert!(seen.iter().all(|seen| seen.rrset.seen_in == SeenIn::Wire));
    // while somebody else writes it waits
    let writer = Passive::open(folder.path()).await.unwrap();
    let other = seal("v", brought()).unwrap().remove(0);
    let busy = lake.take_observed(other.id, source(), brought(), now()).await;
    assert!(matches!(busy, Err(lake::Error::Busy { .. })));
    drop(writer);
    assert!(lake.take_observed(other.id, source(), brought(), now()).await.unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_octets_make_opening_panic(at in any::<prop::sample::Index>(), octet in any::<u8>(), is_folded in any::<bool>()) {
        let part = seal("w", brought()).unwrap().remove(0);
        let mut octets = match is_folded {
            true => part.octets,
            false => zstd::decode_all(&part.octets[..]).unwrap(),
        };
        let place = at.index(octets.len());
        octets[place] = octet;
        if !is_folded {
            octets = zstd::encode_all(&octets[..], 3).unwrap();
        }
        let _ = open(&octets, now(), &Limits::default());
    }
}
