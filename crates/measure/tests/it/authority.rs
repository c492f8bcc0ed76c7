//! The measuring zone's name server: what it answers, what it refuses, and what it tells of what it saw.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use domain::base::iana::OptRcode;
use lab::{Change, DsChange, Event, Lab};
use measure::authority::seen::{Seen, Token};
use measure::authority::{Authority, Listening, serve, tree};
use measure::{CheckPlan, Internet, Question, Response, Rtype, Settings, check};
use model::{Level, SystemClock, Timestamp, Transport};
use proptest::prelude::*;

use crate::case_in_lab::{name, noon, pocket};

const ZONE: &str = "plain.test";

fn authority() -> Authority {
    let addresses = ["127.10.8.1", "::1"].map(|address| address.parse().unwrap());
    Authority::in_memory(name(ZONE), addresses.to_vec()).unwrap()
}

fn client() -> SocketAddr {
    "192.0.2.7:5353".parse().unwrap()
}

/// The octets of a question: its name, type, header bits and OPT record.
fn question(qname: &str, rtype: Rtype, bits: u16, opt: &[u8]) -> Vec<u8> {
    let mut octets = vec![0x12, 0x34];
    octets.extend(bits.to_be_bytes());
    octets.extend([0, 1, 0, 0, 0, 0, 0, u8::from(!opt.is_empty())]);
    for label in qname.split('.').filter(|label| !label.is_empty()) {
        octets.push(label.len() as u8);
        octets.extend(label.as_bytes());
    }
    octets.push(0);
    octets.extend(rtype.to_int().to_be_bytes());
    octets.extend([0, 1]);
    octets.extend(opt);
    octets
}

const DO: &[u8] = &[0, 0, 41, 4, 208, 0, 0, 0x80, 0, 0, 0];

fn ask(authority: &Authority, octets: &[u8], transport: Transport) -> Option<Vec<u8>> {
    authority.respond(octets, transport, client(), noon())
}

fn read(authority: &Authority, qname: &str, rtype: Rtype, transport: Transport) -> Response {
    let octets = ask(authority, &question(qname, rtype, 0, DO), transport).unwrap();
    Response::read(&octets, rtype).unwrap()
}

/// RCODE and the records of answer and authority section, as `TYPE` or `RRSIG(TYPE)`.
fn said(response: &Response) -> String {
    let list = |records: &[measure::Record]| {
        let words: Vec<String> = records
            .iter()
            .map(|record| match record.rrsig() {
                Some(rrsig) => format!("RRSIG({})", rrsig.type_covered()),
                None => record.rtype().to_string(),
            })
            .collect();
        words.join(" ")
    };
    let flags = if response.truncated { " tc" } else { "" };
    format!(
        "{}{flags} / {} / {}",
        response.rcode_name(),
        list(&response.answer),
        list(&response.authority)
    )
}

#[test]
fn every_tree_answers_as_it_should() {
    let authority = authority();
    let nodata = "NOERROR /  / SOA RRSIG(SOA) NSEC RRSIG(NSEC)";
    for (qname, rtype, expected) in [
        ("plain.test", Rtype::SOA, "NOERROR / SOA RRSIG(SOA) / "),
        ("plain.test", Rtype::NS, "NOERROR / NS RRSIG(NS) / "),
        ("plain.test", Rtype::DNSKEY, "NOERROR / DNSKEY RRSIG(DNSKEY) / "),
        ("plain.test", Rtype::A, nodata),
        ("plain.test", Rtype::NSEC, "NOERROR / NSEC RRSIG(NSEC) / "),
        ("plain.test", Rtype::ANY, "NOERROR / SOA RRSIG(SOA) / "),
        ("ns.plain.test", Rtype::A, "NOERROR / A RRSIG(A) / "),
        ("ns.plain.test", Rtype::AAAA, "NOERROR / AAAA RRSIG(AAAA) / "),
        ("ask.plain.test", Rtype::A, nodata),
        ("a.b.ask.plain.test", Rtype::A, "NOERROR / A RRSIG(A) / "),
        ("a.b.ask.plain.test", Rtype::NS, nodata),
        (
            "a.b.abcdefghijklmnopqrst.plain.test",
            Rtype::A,
            "NOERROR / A RRSIG(A) / ",
        ),
        ("abcdefghijklmnopqrst.plain.test", Rtype::NS, nodata),
        ("a.tcp.plain.test", Rtype::A, "NOERROR tc /  / "),
        ("good.plain.test", Rtype::DS, "NOERROR / DS RRSIG(DS) / "),
        ("good.plain.test", Rtype::DNSKEY, "NOERROR / DNSKEY RRSIG(DNSKEY) / "),
        ("a.good.plain.test", Rtype::A, "NOERROR / A RRSIG(A) / "),
        ("a.bad.plain.test", Rtype::A, "NOERROR / A RRSIG(A) / "),
        ("plain.plain.test", Rtype::DS, nodata),
        ("plain.plain.test", Rtype::DNSKEY, "NOERROR /  / SOA"),
        ("a.plain.plain.test", Rtype::A, "NOERROR / A / "),
        (
            "a.nx.plain.test",
            Rtype::A,
            "NXDOMAIN /  / SOA RRSIG(SOA) NSEC RRSIG(NSEC)",
        ),
        ("nx.plain.test", Rtype::NS, "NOERROR / NS RRSIG(NS) / "),
        ("elsewhere.plain.test", Rtype::A, nodata),
    ] {
        let response = read(&authority, qname, rtype, Transport::Udp);
        assert_eq!(said(&response), expected, "{qname} {rtype}");
        assert!(response.authoritative, "{qname} {rtype}");
    }
    let over_tcp = read(&authority, "a.tcp.plain.test", Rtype::A, Transport::Tcp);
    assert_eq!(said(&over_tcp), "NOERROR / A RRSIG(A) / ");
}

#[test]
fn what_is_not_its_business_is_turned_away() {
    let authority = authority();
    let rcode = |octets: &[u8]| {
        let answer = ask(&authority, octets, Transport::Tcp)?;
        let message = domain::base::Message::from_octets(answer).unwrap();
        assert!(message.header_counts().ancount() == 0 && !message.header().ra());
        Some(message.opt_rcode())
    };
    let version_1: &[u8] = &[0, 0, 41, 4, 208, 0, 1, 0, 0, 0, 0];
    let crumb: &[u8] = &[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 5, 0, 10, 0, 1, 7];
    let mut chaos = question(ZONE, Rtype::TXT, 0, &[]);
    *chaos.last_mut().unwrap() = 3;
    for (octets, expected) in [
        (question("good.test", Rtype::A, 0x0100, &[]), OptRcode::REFUSED),
        (question("www.example", Rtype::A, 0x0100, DO), OptRcode::REFUSED),
        (question(".", Rtype::NS, 0x0100, DO), OptRcode::REFUSED),
        (question(ZONE, Rtype::AXFR, 0, &[]), OptRcode::REFUSED),
        (question(ZONE, Rtype::IXFR, 0, &[]), OptRcode::REFUSED),
        (chaos, OptRcode::REFUSED),
        (question(ZONE, Rtype::SOA, 0x2800, &[]), OptRcode::NOTIMP),
        (question(ZONE, Rtype::SOA, 0, version_1), OptRcode::BADVERS),
        (question(ZONE, Rtype::SOA, 0, crumb), OptRcode::FORMERR),
        (vec![0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], OptRcode::FORMERR),
    ] {
        assert_eq!(rcode(&octets), Some(expected), "{octets:?}");
    }
    assert_eq!(
        rcode(&question(ZONE, Rtype::SOA, 0x8000, &[])),
        None,
        "an answer gets none"
    );
}

#[test]
fn what_was_seen_is_told_over_tcp_to_whoever_knows_the_token() {
    let authority = authority();
    let token = Token::random();
    let cookie: &[u8] = &[
        0, 0, 41, 16, 0, 0, 0, 0x80, 0, 0, 12, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8,
    ];
    let qname = format!("P1.{}.aSk.{ZONE}", token.to_string().to_uppercase());
    ask(&authority, &question(&qname, Rtype::A, 0x0010, cookie), Transport::Udp).unwrap();
    let report = format!("{token}.{}.{ZONE}", tree::SEEN);
    assert_eq!(
        said(&read(&authority, &report, Rtype::TXT, Transport::Udp)),
        "NOERROR tc /  / "
    );
    let response = read(&authority, &report, Rtype::TXT, Transport::Tcp);
    let texts: Vec<Seen> = response
        .answer
        .iter()
        .filter_map(text_of)
        .filter_map(|text| Seen::from_json(&text))
        .collect();
    assert_eq!(texts.len(), 1);
    let seen = &texts[0];
    assert_eq!(
        (seen.name.as_str(), seen.from, seen.id),
        (qname.as_str(), client(), 0x1234)
    );
    assert_eq!((seen.bits, seen.transport, seen.time), (0x0010, Transport::Udp, noon()));
    assert_eq!(
        seen.edns.as_ref().map(|edns| (edns.payload, edns.dnssec_ok)),
        Some((4096, true))
    );
    assert_eq!(seen.option(10), Some(&[1, 2, 3, 4, 5, 6, 7, 8][..]));

    let other = format!("{}.{}.{ZONE}", Token::random(), tree::SEEN);
    let response = read(&authority, &other, Rtype::TXT, Transport::Tcp);
    assert!(response.answer.is_empty(), "nobody else's");
}

fn text_of(record: &measure::Record) -> Option<String> {
    match &record.data {
        measure::Data::Txt(txt) => String::from_utf8(txt.text()).ok(),
        _ => None,
    }
}

#[test]
fn the_key_is_kept_and_only_its_owner_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Authority::open(name(ZONE), Vec::new(), folder.path()).unwrap();
    let ds = open().ds();
    assert_eq!(open().ds(), ds);
    assert_ne!(Authority::in_memory(name(ZONE), Vec::new()).unwrap().ds(), ds);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let private = std::fs::read_dir(folder.path())
            .unwrap()
            .map(Result::unwrap)
            .find(|file| file.path().extension().is_some_and(|ending| ending == "private"));
        let mode = private.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    for wrong in [".".to_owned(), format!("{}.{}.example", "a".repeat(60), "b".repeat(60))] {
        let error = Authority::in_memory(name(&wrong), Vec::new())
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains(&wrong), "{error}");
    }
    let broken = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().path());
    broken.for_each(|file| std::fs::write(file, "nonsense").unwrap());
    let error = Authority::open(name(ZONE), Vec::new(), folder.path())
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains(".private") && error.contains("plain.test"), "{error}");
}

/// The lab with the measuring zone in it, delegated and with its DS.
async fn measured_lab() -> (Lab, tokio::task::JoinHandle<()>) {
    let lab = pocket().await;
    let address: IpAddr = "127.10.8.1".parse().unwrap();
    let authority = Arc::new(Authority::in_memory(name(ZONE), vec![address]).unwrap());
    let change = Change::Redelegate {
        zone: name(ZONE),
        ns: [(authority.server(), vec![address])].into(),
        ds: DsChange::Replace(vec![authority.ds()]),
    };
    lab.apply(&Event::new(change)).unwrap();
    let listening = Listening::open(&[SocketAddr::new(address, lab.port())]).await.unwrap();
    let task = tokio::spawn(serve(authority, listening, Arc::new(SystemClock)));
    (lab, task)
}

#[tokio::test]
async fn the_zone_and_its_trees_pass_the_tests_that_they_should_pass() {
    let (lab, server) = measured_lab().await;
    let settings = Settings {
        hints: lab.hints(),
        port: lab.port(),
        odd_question_pause: std::time::Duration::ZERO,
        ..Settings::default()
    };
    let internet = Internet::open(settings).unwrap();
    let wrong = async |zone: &str| {
        let plan = CheckPlan {
            cases: Some(measure::cases::ids().map(str::to_owned).collect()),
            ..CheckPlan::of(name(zone))
        };
        let report = check(&internet.inquiry(), &plan, Timestamp::now()).await;
        assert_eq!(report.untestable, None, "{zone}");
        // one server on loopback, with SOA timers of its own
        let is_expected = |case: &str| !["delegation01", "zone02", "zone03", "zone04", "zone05"].contains(&case);
        let told = report.findings.into_iter().map(|(_, finding)| finding);
        let told = told.filter(|finding| finding.level >= Level::Warning && is_expected(&finding.case));
        told.map(|finding| finding.tag).collect::<Vec<String>>()
    };
    assert_eq!(wrong(ZONE).await, [] as [&str; 0]);
    assert_eq!(wrong("good.plain.test").await, [] as [&str; 0]);
    assert_eq!(wrong("nx.plain.test").await, [] as [&str; 0]);
    assert_eq!(wrong("plain.plain.test").await[0], "DS07_NOT_SIGNED");
    let bad = wrong("bad.plain.test").await;
    assert!(bad.iter().any(|tag| tag == "DS09_RRSIG_NOT_VALID_BY_DNSKEY"), "{bad:?}");
    server.abort();
}

#[tokio::test]
async fn a_flood_from_one_network_is_sent_to_tcp_or_left_without_answer() {
    let authority = authority();
    let octets = question("a.ask.plain.test", Rtype::A, 0, DO);
    let answers: Vec<Option<Vec<u8>>> = (0..700).map(|_| ask(&authority, &octets, Transport::Udp)).collect();
    let whole = answers.iter().flatten().filter(|answer| answer[2] & 0x02 == 0).count();
    let truncated = answers.iter().flatten().filter(|answer| answer[2] & 0x02 != 0).count();
    assert_eq!((whole, truncated), (600, 50));
    assert!(
        ask(&authority, &octets, Transport::Tcp).unwrap()[2] & 0x02 == 0,
        "TCP is not limited"
    );

    // whoever returns with the server's cookie has shown that it is there
    let with = |cookie: &[u8]| {
        let mut opt = vec![
            0,
            0,
            41,
            4,
            208,
            0,
            0,
            0,
            0,
            0,
            cookie.len() as u8 + 4,
            0,
            10,
            0,
            cookie.len() as u8,
        ];
        opt.extend(cookie);
        question("a.ask.plain.test", Rtype::A, 0, &opt)
    };
    let given = ask(&authority, &with(&[1; 8]), Transport::Tcp).unwrap();
    let given = Response::read(&given, Rtype::A).unwrap().edns.unwrap();
    let cookie = given.option(10).unwrap();
    assert_eq!(cookie.len(), 24);
    let answer = ask(&authority, &with(cookie), Transport::Udp).unwrap();
    assert_eq!(answer[2] & 0x02, 0);
}

proptest! {
    #[test]
    fn any_octets_get_a_message_or_nothing(octets in proptest::collection::vec(any::<u8>(), 0..120)) {
        for transport in [Transport::Udp, Transport::Tcp] {
            let _ = authority().respond(&octets, transport, client(), noon());
        }
    }

    #[test]
    fn any_question_gets_a_proper_answer_that_fits(
        labels in proptest::collection::vec("[a-zA-Z0-9_*-]{1,25}|ask|good|bad|nx|seen|tcp|plain", 0..4),
        rtype: u16, bits: u16, payload: u16, at in any::<prop::sample::Index>(), octet in proptest::option::of(any::<u8>()),
    ) {
        let qname = labels.iter().map(String::as_str).chain([ZONE]).collect::<Vec<_>>().join(".");
        let opt = [&[0, 0, 41][..], &payload.to_be_bytes(), &[0, 0, 0x80, 0, 0, 0]].concat();
        let mut octets = question(&qname, Rtype::from_int(rtype), bits & 0x7fff, &opt);
        if let Some(octet) = octet {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        if let Some(answer) = authority().respond(&octets, Transport::Udp, client(), noon()) {
            prop_assert!(answer.len() <= 1232);
            prop_assert_eq!(&answer[..2], &octets[..2]);
            prop_assert!(domain::base::Message::from_octets(answer).unwrap().header().qr());
        }
    }
}

#[tokio::test]
async fn questions_over_both_transports_reach_it() {
    let (lab, server) = measured_lab().await;
    let settings = Settings {
        hints: lab.hints(),
        port: lab.port(),
        ..Settings::default()
    };
    let inquiry = Internet::open(settings).unwrap().inquiry();
    let question = Question::dnssec(&name("a.tcp.plain.test"), Rtype::A);
    let exchange = inquiry.ask("127.10.8.1".parse().unwrap(), &question).await;
    assert!(exchange.truncated);
    assert_eq!(exchange.response().unwrap().answer.len(), 2);
    server.abort();
}
