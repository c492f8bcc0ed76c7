//! What is believed, what is asked once, and what a silent server costs. Packets are counted, not time.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::base::iana::Rtype;
use futures_util::future::join_all;
use lab::Fault;
use measure::{Internet, OpenError, Question, Settings};
use model::{Name, Outcome};
use tokio::net::UdpSocket;

use crate::case_in_lab::{name, pocket, spoil};
use crate::scripted::{HERE, Reply, Scripted, answer, has_edns, name_end, qtype};

const TRUE: [u8; 4] = [192, 0, 2, 1];
const FORGED: [u8; 4] = [203, 0, 113, 66];

fn www() -> Name {
    name("www.example.test")
}

fn wrong_id(question: &[u8]) -> Vec<u8> {
    let mut octets = answer(question, FORGED);
    octets[0] ^= 0x55;
    octets
}

fn wrong_name(question: &[u8]) -> Vec<u8> {
    let mut octets = answer(question, FORGED);
    octets[13] = b'x';
    octets
}

fn wrong_type(question: &[u8]) -> Vec<u8> {
    let mut octets = answer(question, FORGED);
    let end = name_end(question);
    octets[end + 1] ^= 0x10;
    octets
}

#[tokio::test]
async fn a_forged_answer_is_never_believed() {
    let server = Scripted::start(|question| {
        vec![
            Reply::FromHere(wrong_id(question)),
            Reply::FromHere(wrong_name(question)),
            Reply::FromHere(wrong_type(question)),
            Reply::FromElsewhere(answer(question, FORGED)),
            Reply::FromHere(answer(question, TRUE)),
        ]
    })
    .await;
    let exchange = server
        .internet()
        .inquiry()
        .ask(HERE, &Question::plain(&www(), Rtype::A))
        .await;
    let addresses: Vec<IpAddr> = exchange
        .response()
        .unwrap()
        .answer
        .iter()
        .filter_map(|r| r.address())
        .collect();
    assert_eq!(addresses, [IpAddr::from(TRUE)]);
    assert_eq!(exchange.disbelieved, 4);
    assert_ne!(exchange.answered_from.unwrap().port(), server.port);
}

#[tokio::test]
async fn forged_answers_alone_are_no_answer() {
    let forgeries: [fn(&[u8]) -> Reply; 4] = [
        |question| Reply::FromHere(wrong_id(question)),
        |question| Reply::FromHere(wrong_name(question)),
        |question| Reply::FromHere(wrong_type(question)),
        |question| Reply::FromElsewhere(answer(question, FORGED)),
    ];
    for forge in forgeries {
        let server = Scripted::start(move |question| vec![forge(question)]).await;
        let exchange = server
            .internet()
            .inquiry()
            .ask(HERE, &Question::plain(&www(), Rtype::A))
            .await;
        assert_eq!(exchange.outcome, Outcome::Timeout);
        assert!(exchange.disbelieved > 0);
        assert!(exchange.response().is_none());
    }
}

#[tokio::test]
async fn one_question_to_one_server_is_asked_once() {
    let server = Scripted::start(|question| vec![Reply::FromHere(answer(question, TRUE))]).await;
    let inquiry = server.internet().inquiry();
    let question = Question::plain(&www(), Rtype::A);
    let exchanges = join_all((0..64).map(|_| inquiry.ask(HERE, &question))).await;
    assert!(exchanges.iter().all(|exchange| Arc::ptr_eq(exchange, &exchanges[0])));
    assert_eq!(server.count(), 1);

    inquiry.ask(HERE, &question.clone().recursive()).await;
    assert_eq!(server.count(), 2, "with RD it is another question");
    server.internet().inquiry().ask(HERE, &question).await;
    assert_eq!(server.count(), 3, "another inquiry asks anew");
}

#[tokio::test]
async fn a_silent_server_costs_one_ladder_in_a_run() {
    let server = Scripted::start(|_| Vec::new()).await;
    let inquiry = server.internet().inquiry();
    inquiry.ask(HERE, &Question::plain(&www(), Rtype::SOA)).await;
    let ladder = server.count();
    assert_eq!(ladder, 2 + 3, "two attempts and three probes");
    for rtype in [Rtype::NS, Rtype::A, Rtype::AAAA, Rtype::DNSKEY] {
        for question in [
            Question::plain(&www(), rtype),
            Question::dnssec(&name("other.test"), rtype),
        ] {
            let exchange = inquiry.ask(HERE, &question).await;
            assert_eq!((exchange.outcome, exchange.attempts), (Outcome::Timeout, 0));
        }
    }
    assert_eq!(server.count(), ladder);
}

#[tokio::test]
async fn a_server_that_drops_what_has_no_edns_is_asked_with_it() {
    let server = Scripted::start(|question| match has_edns(question) {
        true => vec![Reply::FromHere(answer(question, TRUE))],
        false => Vec::new(),
    })
    .await;
    let inquiry = server.internet().inquiry();
    let plain = inquiry.ask(HERE, &Question::plain(&www(), Rtype::A)).await;
    assert_eq!(plain.outcome, Outcome::Timeout);
    let edns = inquiry.ask(HERE, &Question::edns(&www(), Rtype::A)).await;
    assert_eq!(edns.outcome, Outcome::Answer);
    let plain = inquiry.ask(HERE, &Question::plain(&www(), Rtype::AAAA)).await;
    assert_eq!(
        (plain.outcome, plain.attempts),
        (Outcome::Timeout, 0),
        "without EDNS it stays silent"
    );
}

#[tokio::test]
async fn a_server_that_drops_one_type_is_asked_for_the_others() {
    let soa = Rtype::SOA.to_int();
    let react = move |question: &[u8]| match qtype(question) {
        dropped if dropped == soa => Vec::new(),
        _ => vec![Reply::FromHere(answer(question, TRUE))],
    };
    let server = Scripted::start(react).await;
    let inquiry = server.internet().inquiry();
    for zone in [www(), name("other.test")] {
        let soa = inquiry.ask(HERE, &Question::plain(&zone, Rtype::SOA)).await;
        assert_eq!(
            (soa.outcome, soa.attempts),
            (Outcome::Timeout, 2),
            "each is really asked"
        );
        assert_eq!(
            inquiry.ask(HERE, &Question::plain(&zone, Rtype::A)).await.outcome,
            Outcome::Answer
        );
    }
}

#[tokio::test]
async fn a_server_that_drops_one_zone_is_asked_for_the_others() {
    let react = |question: &[u8]| match question[12..].starts_with(b"\x03www") {
        true => Vec::new(),
        false => vec![Reply::FromHere(answer(question, TRUE))],
    };
    let server = Scripted::start(react).await;
    let inquiry = server.internet().inquiry();
    assert_eq!(
        inquiry.ask(HERE, &Question::plain(&www(), Rtype::SOA)).await.outcome,
        Outcome::Timeout
    );
    assert_eq!(
        inquiry
            .ask(HERE, &Question::plain(&name("b.test"), Rtype::A))
            .await
            .outcome,
        Outcome::Answer
    );
}

#[tokio::test]
async fn a_server_that_drops_edns_costs_one_more_ladder() {
    let react = |question: &[u8]| match has_edns(question) {
        true => Vec::new(),
        false => vec![Reply::FromHere(answer(question, TRUE))],
    };
    let server = Scripted::start(react).await;
    let inquiry = server.internet().inquiry();
    assert_eq!(
        inquiry.ask(HERE, &Question::plain(&www(), Rtype::A)).await.outcome,
        Outcome::Answer
    );
    assert_eq!(
        inquiry
            .ask(HERE, &Question::dnssec(&www(), Rtype::DNSKEY))
            .await
            .outcome,
        Outcome::Timeout
    );
    assert_eq!(server.count(), 1 + 4);
    assert_eq!(
        inquiry.ask(HERE, &Question::edns(&www(), Rtype::SOA)).await.outcome,
        Outcome::Timeout
    );
    assert_eq!(server.count(), 1 + 4);
    assert_eq!(
        inquiry.ask(HERE, &Question::plain(&www(), Rtype::NS)).await.outcome,
        Outcome::Answer
    );
}

#[tokio::test]
async fn octets_that_are_no_message_are_garbage() {
    for octets in [vec![], vec![7; 3], vec![0xff; 40]] {
        let server = Scripted::start(move |_| vec![Reply::FromHere(octets.clone())]).await;
        let exchange = server
            .internet()
            .inquiry()
            .ask(HERE, &Question::plain(&www(), Rtype::A))
            .await;
        assert_eq!(exchange.outcome, Outcome::Garbage);
    }
    let echo = Scripted::start(|question| vec![Reply::FromHere(question.to_vec())]).await;
    let exchange = echo
        .internet()
        .inquiry()
        .ask(HERE, &Question::plain(&www(), Rtype::A))
        .await;
    assert_eq!(exchange.outcome, Outcome::Garbage, "a question is no answer");
}

#[tokio::test]
async fn the_right_answer_is_taken_although_garbage_came_first() {
    let react = |question: &[u8]| vec![Reply::FromHere(vec![1; 5]), Reply::FromHere(answer(question, TRUE))];
    let server = Scripted::start(react).await;
    let exchange = server
        .internet()
        .inquiry()
        .ask(HERE, &Question::plain(&www(), Rtype::A))
        .await;
    assert_eq!(exchange.outcome, Outcome::Answer);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_closed_port_refuses() {
    let port = UdpSocket::bind((HERE, 0)).await.unwrap().local_addr().unwrap().port();
    let hints = vec![(name("a.test"), vec![HERE])];
    let internet = Internet::open(Settings {
        hints,
        port,
        ..Settings::default()
    })
    .unwrap();
    let inquiry = internet.inquiry();
    let question = Question::plain(&www(), Rtype::A);
    assert_eq!(inquiry.ask(HERE, &question).await.outcome, Outcome::Refused);
    assert_eq!(inquiry.ask(HERE, &question.over_tcp()).await.outcome, Outcome::Refused);
}

#[tokio::test]
async fn a_truncated_answer_is_asked_again_over_tcp() {
    let lab = pocket().await;
    spoil(&lab, "ns1.good.test", Fault::Truncates);
    let internet = Internet::open(Settings {
        hints: lab.hints(),
        port: lab.port(),
        ..Settings::default()
    })
    .unwrap();
    let address = "127.10.3.1".parse().unwrap();
    let exchange = internet
        .inquiry()
        .ask(address, &Question::plain(&name("good.test"), Rtype::SOA))
        .await;
    assert!(exchange.truncated);
    assert_eq!(exchange.response().unwrap().answer.len(), 1);
}

#[tokio::test]
async fn an_answer_in_other_letters_than_those_sent_is_not_taken_over_udp() {
    let echo = Scripted::start(|question| vec![Reply::FromHere(answer(question, TRUE))]).await;
    let settings = Settings {
        case_randomization: true,
        ..echo.settings()
    };
    let inquiry = Internet::open(settings).unwrap().inquiry();
    assert_eq!(
        inquiry.ask(HERE, &Question::plain(&www(), Rtype::A)).await.outcome,
        Outcome::Answer
    );

    let lower = Scripted::start(|question| {
        let mut octets = answer(question, TRUE);
        let end = name_end(question);
        octets[12..end].make_ascii_lowercase();
        vec![Reply::FromHere(octets)]
    })
    .await;
    let settings = Settings {
        case_randomization: true,
        ..lower.settings()
    };
    let inquiry = Internet::open(settings).unwrap().inquiry();
    let long = name("a-name-of-many-letters.so-that-chance-does-not-spell-it-in-small.example.test");
    let exchange = inquiry.ask(HERE, &Question::plain(&long, Rtype::A)).await;
    assert_eq!(
        (exchange.outcome, exchange.truncated),
        (Outcome::Refused, true),
        "nothing listens on TCP here"
    );
}

#[tokio::test]
async fn a_family_that_is_off_is_not_asked() {
    let server = Scripted::start(|question| vec![Reply::FromHere(answer(question, TRUE))]).await;
    let hints = vec![(name("a.test"), vec!["::1".parse().unwrap()])];
    let settings = Settings {
        ipv4: false,
        hints,
        ..server.settings()
    };
    let exchange = Internet::open(settings)
        .unwrap()
        .inquiry()
        .ask(HERE, &Question::plain(&www(), Rtype::A))
        .await;
    assert_eq!((exchange.outcome, exchange.attempts), (Outcome::Unreachable, 0));
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn settings_with_which_nothing_can_be_asked_are_refused() {
    let server = Scripted::start(|_| Vec::new()).await;
    let open = |settings| Internet::open(settings).err();
    assert_eq!(
        open(Settings {
            ipv4: false,
            ipv6: false,
            ..server.settings()
        }),
        Some(OpenError::NoFamily)
    );
    assert_eq!(
        open(Settings {
            ipv4: false,
            ..server.settings()
        }),
        Some(OpenError::NoHints)
    );
    assert_eq!(
        open(Settings {
            attempts: 0,
            ..server.settings()
        }),
        Some(OpenError::Zero("attempts"))
    );
}

#[tokio::test]
async fn no_more_questions_are_under_way_to_one_server_than_allowed() {
    let server = Scripted::start(|_| Vec::new()).await;
    let settings = Settings {
        per_server: 3,
        timeout: Duration::from_secs(60),
        attempts: 1,
        ..server.settings()
    };
    let inquiry = Internet::open(settings).unwrap().inquiry();
    let questions: Vec<Question> = (0..20)
        .map(|at| Question::plain(&name(&format!("n{at}.test")), Rtype::A))
        .collect();
    let asking = join_all(questions.iter().map(|question| inquiry.ask(HERE, question)));
    let enough = async {
        // one of the three sends three probes along
        while server.count() < 3 + 3 {
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = asking => unreachable!("nobody answers within a minute"),
        () = enough => assert_eq!(server.count(), 3 + 3),
    }
}

#[tokio::test]
async fn a_server_that_was_silent_a_moment_ago_gets_one_attempt_and_is_heard_when_it_is_back() {
    let is_awake = Arc::new(AtomicBool::new(false));
    let awake = is_awake.clone();
    let server = Scripted::start(move |question| match awake.load(Ordering::Relaxed) {
        true => vec![Reply::FromHere(answer(question, TRUE))],
        false => Vec::new(),
    })
    .await;
    let internet = server.internet();
    let question = Question::plain(&www(), Rtype::A);
    assert_eq!(internet.inquiry().ask(HERE, &question).await.outcome, Outcome::Timeout);
    assert_eq!(server.count(), 5);
    assert_eq!(internet.inquiry().ask(HERE, &question).await.outcome, Outcome::Timeout);
    assert_eq!(server.count(), 5 + 4, "one attempt and the three probes");
    is_awake.store(true, Ordering::Relaxed);
    assert_eq!(internet.inquiry().ask(HERE, &question).await.outcome, Outcome::Answer);
}

#[tokio::test]
async fn a_family_without_a_route_is_switched_off() {
    let server = Scripted::start(|_| Vec::new()).await;
    let settings = server.settings().on_this_machine();
    assert!(settings.ipv4, "loopback is always there");
    assert!(settings.ipv6, "without hints of a family nothing is known of it");
}

#[tokio::test]
async fn a_question_given_up_half_way_leaves_the_probing_to_the_next() {
    let server = Scripted::start(|_| Vec::new()).await;
    let inquiry = server.internet().inquiry();
    let question = Question::plain(&www(), Rtype::A);
    let probed = async {
        while server.count() < 5 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = inquiry.ask(HERE, &question) => unreachable!("the ladder lasts longer than its last datagram"),
        () = probed => {}
    }
    inquiry.ask(HERE, &Question::plain(&www(), Rtype::NS)).await;
    assert_eq!(server.count(), 5 + 5, "it probes anew");
    let exchange = inquiry.ask(HERE, &question).await;
    assert_eq!(
        (exchange.outcome, exchange.attempts),
        (Outcome::Timeout, 0),
        "and the silence is known"
    );
}

#[tokio::test]
async fn a_server_that_drops_odd_questions_is_asked_the_ordinary_ones() {
    let is_odd =
        |question: &[u8]| question[2] & 0x78 != 0 || question[3] != 0 || question[name_end(question) + 10] != 0;
    let react = move |question: &[u8]| match question[5] == 0 || is_odd(question) {
        true => Vec::new(),
        false => vec![Reply::FromHere(answer(question, TRUE))],
    };
    let server = Scripted::start(react).await;
    let inquiry = server.internet().inquiry();
    for odd in [
        Question::edns(&www(), Rtype::SOA).version(1),
        Question::edns(&www(), Rtype::SOA).header_bits(measure::header::AD),
        Question::edns(&www(), Rtype::SOA).opcode(15),
    ] {
        let exchange = inquiry.ask(HERE, &odd).await;
        assert_eq!((exchange.outcome, exchange.attempts), (Outcome::Timeout, 2));
        let ordinary = Question::edns(&www(), Rtype::SOA).payload(1000 + odd.header_bits);
        assert_eq!(inquiry.ask(HERE, &ordinary).await.outcome, Outcome::Answer);
    }
}

#[tokio::test]
async fn a_truncated_answer_can_be_taken_as_it_is() {
    let lab = pocket().await;
    spoil(&lab, "ns1.good.test", Fault::Truncates);
    let settings = Settings {
        hints: lab.hints(),
        port: lab.port(),
        ..Settings::default()
    };
    let question = Question::edns(&name("good.test"), Rtype::SOA).ignoring_truncation();
    let exchange = Internet::open(settings)
        .unwrap()
        .inquiry()
        .ask("127.10.3.1".parse().unwrap(), &question)
        .await;
    let response = exchange.response().unwrap();
    assert!(!exchange.truncated && response.truncated && response.answer.is_empty());
    assert!(response.edns.is_some());
}
