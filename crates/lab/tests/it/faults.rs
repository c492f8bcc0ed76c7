//! Each fault, as it shows to whoever asks.

use domain::base::Message;
use domain::base::iana::{Rcode, Rtype};
use domain::rdata::ZoneRecordData;
use lab::{Change, EdnsManner, Event, Fault, FaultRule, Lab, LameReferral, World};

use crate::asker::{answer_of, ask, at, authority_of, name, noon, nsid_of, pocket, rcode_of, records};
use crate::dnssec::verify;

const SERVER: &str = "127.10.3.1";

fn add(lab: &Lab, server: &str, rule: FaultRule) {
    lab.apply(&Event::new(Change::AddFault {
        server: server.to_owned(),
        rule,
    }))
    .unwrap();
}

async fn pocket_with(rule: FaultRule) -> Lab {
    let lab = pocket().await;
    add(&lab, SERVER, rule);
    lab
}

#[tokio::test]
async fn silent_says_nothing_over_udp_and_tcp() {
    let lab = pocket_with(FaultRule::of(Fault::Silent)).await;
    let question = ask("www.plain.test", Rtype::A);
    assert!(question.is_left_without_answer(at(&lab, SERVER)).await);
    assert!(question.is_left_without_tcp_answer(at(&lab, SERVER)).await);
    question.udp(at(&lab, "127.10.3.2")).await;
}

#[tokio::test]
async fn slow_answers_after_its_delay() {
    let slow = FaultRule {
        delay: Some("700ms".parse().unwrap()),
        ..FaultRule::of(Fault::Slow)
    };
    let lab = pocket_with(slow).await;
    let question = ask("www.plain.test", Rtype::A);
    assert!(question.is_left_without_answer(at(&lab, SERVER)).await);
    assert_eq!(answer_of(&question.udp(at(&lab, SERVER)).await).len(), 1);
    assert_eq!(answer_of(&question.tcp(at(&lab, SERVER)).await).len(), 1);
}

#[tokio::test]
async fn refused_and_servfail_answer_with_their_code_where_the_rule_says_so() {
    let lab = pocket_with(FaultRule::of(Fault::Refused).at(name("plain.test"))).await;
    let txt = FaultRule {
        qtype: Some(Rtype::TXT),
        ..FaultRule::of(Fault::Servfail)
    };
    add(&lab, "ns1.good.test", txt);
    let server = at(&lab, SERVER);
    assert_eq!(
        rcode_of(&ask("www.plain.test", Rtype::A).udp(server).await),
        Rcode::REFUSED
    );
    assert_eq!(
        rcode_of(&ask("web.good.test", Rtype::A).udp(server).await),
        Rcode::NOERROR
    );
    assert_eq!(
        rcode_of(&ask("web.good.test", Rtype::TXT).tcp(server).await),
        Rcode::SERVFAIL
    );
}

#[tokio::test]
async fn lame_refers_upwards_or_to_nowhere() {
    let lab = pocket_with(FaultRule::of(Fault::Lame).at(name("plain.test"))).await;
    let message = ask("plain.test", Rtype::SOA).udp(at(&lab, SERVER)).await;
    assert!(!message.header().aa() && answer_of(&message).is_empty());
    assert_eq!(
        authority_of(&message),
        [". NS a.root-pocket.test.", ". NS b.root-pocket.test."]
    );
    let empty = FaultRule {
        referral: LameReferral::Empty,
        ..FaultRule::of(Fault::Lame)
    };
    add(&lab, "127.10.3.2", empty);
    let message = ask("plain.test", Rtype::SOA).udp(at(&lab, "127.10.3.2")).await;
    assert!(!message.header().aa() && answer_of(&message).is_empty() && authority_of(&message).is_empty());
    assert_eq!(rcode_of(&message), Rcode::NOERROR);
}

#[tokio::test]
async fn not_authoritative_answers_without_aa() {
    let lab = pocket_with(FaultRule::of(Fault::NotAuthoritative)).await;
    let message = ask("www.plain.test", Rtype::A).udp(at(&lab, SERVER)).await;
    assert!(!message.header().aa());
    assert_eq!(answer_of(&message).len(), 1);
}

#[tokio::test]
async fn truncates_sends_everybody_to_tcp() {
    let lab = pocket_with(FaultRule::of(Fault::Truncates)).await;
    let question = ask("www.plain.test", Rtype::A);
    let message = question.udp(at(&lab, SERVER)).await;
    assert!(message.header().tc() && answer_of(&message).is_empty());
    let message = question.tcp(at(&lab, SERVER)).await;
    assert!(!message.header().tc() && answer_of(&message).len() == 1);
}

#[tokio::test]
async fn udp_only_closes_tcp_without_an_answer() {
    let lab = pocket_with(FaultRule::of(Fault::UdpOnly)).await;
    let question = ask("www.plain.test", Rtype::A);
    assert!(question.is_left_without_tcp_answer(at(&lab, SERVER)).await);
    question.udp(at(&lab, SERVER)).await;
}

#[tokio::test]
async fn drops_edns_in_four_manners() {
    let lab = pocket().await;
    let question = ask("www.plain.test", Rtype::A);
    for (server, edns) in [(SERVER, EdnsManner::Ignores), ("127.10.3.2", EdnsManner::Formerr)] {
        add(
            &lab,
            server,
            FaultRule {
                edns,
                ..FaultRule::of(Fault::DropsEdns)
            },
        );
        let message = question.udp(at(&lab, server)).await;
        assert_eq!(nsid_of(&message), None);
        let expected = if edns == EdnsManner::Ignores {
            Rcode::NOERROR
        } else {
            Rcode::FORMERR
        };
        assert_eq!(rcode_of(&message), expected);
        assert_eq!(
            rcode_of(&question.clone().without_edns().udp(at(&lab, server)).await),
            Rcode::NOERROR
        );
    }
    let lab = pocket_with(FaultRule {
        edns: EdnsManner::Silent,
        ..FaultRule::of(Fault::DropsEdns)
    })
    .await;
    assert!(question.is_left_without_answer(at(&lab, SERVER)).await);
    let lab = pocket_with(FaultRule {
        edns: EdnsManner::Version1,
        ..FaultRule::of(Fault::DropsEdns)
    })
    .await;
    let message = question.udp(at(&lab, SERVER)).await;
    assert_eq!(message.opt().unwrap().version(), 1);
    assert_eq!(answer_of(&message)[0], "www.plain.test A 127.10.3.5");
    question.without_edns().udp(at(&lab, SERVER)).await;
}

#[tokio::test]
async fn wrong_id_and_wrong_question_do_not_match_what_was_asked() {
    let lab = pocket_with(FaultRule::of(Fault::WrongId)).await;
    add(&lab, "127.10.3.2", FaultRule::of(Fault::WrongQuestion));
    let question = ask("www.plain.test", Rtype::A);
    let message = question.udp(at(&lab, SERVER)).await;
    assert_ne!(message.header().id(), 4711);
    assert_eq!(message.sole_question().unwrap().qname().to_string(), "www.plain.test");
    let message = question.udp(at(&lab, "127.10.3.2")).await;
    assert_eq!(message.header().id(), 4711);
    assert_ne!(message.sole_question().unwrap().qname().to_string(), "www.plain.test");
}

#[tokio::test]
async fn stale_serial_is_below_that_of_the_others_and_signed() {
    let lab = pocket_with(FaultRule::of(Fault::StaleSerial)).await;
    let serial = async |server| {
        let message = ask("good.test", Rtype::SOA).udp(at(&lab, server)).await;
        assert_eq!(verify(&message, &lab.dnskey("good.test").unwrap()).good, 1);
        match records(message.answer().unwrap()).remove(0).data() {
            ZoneRecordData::Soa(soa) => soa.serial(),
            other => panic!("{other}"),
        }
    };
    assert!(serial(SERVER).await < serial("127.10.3.2").await);
}

#[tokio::test]
async fn signatures_can_be_expired_not_yet_valid_or_wrong_at_one_server() {
    for (fault, outside, wrong) in [
        (Fault::ExpiredSignatures, 1, 0),
        (Fault::NotYetValidSignatures, 1, 0),
        (Fault::WrongSignatures, 0, 1),
    ] {
        let lab = pocket_with(FaultRule::of(fault)).await;
        let key = lab.dnskey("good.test").unwrap();
        let question = ask("web.good.test", Rtype::A);
        let verified = verify(&question.udp(at(&lab, SERVER)).await, &key);
        assert_eq!(
            (verified.good, verified.outside_validity, verified.wrong),
            (0, outside, wrong),
            "{fault}"
        );
        assert_eq!(verify(&question.udp(at(&lab, "127.10.3.2")).await, &key).good, 1);
    }
}

#[tokio::test]
async fn missing_ds_leaves_out_the_child_it_names() {
    let lab = pocket().await;
    add(
        &lab,
        "ns1.nic.test",
        FaultRule::of(Fault::MissingDs).at(name("good.test")),
    );
    let question = ask("web.good.test", Rtype::A);
    let has_ds = |lines: Vec<String>| lines.iter().any(|line| line.contains(" DS "));
    let message = question.udp(at(&lab, "127.10.1.1")).await;
    assert!(!has_ds(authority_of(&message)));
    assert_eq!(
        verify(&message, &lab.dnskey("test").unwrap()).good,
        1,
        "its absence is proved"
    );
    assert!(has_ds(authority_of(&question.udp(at(&lab, "127.10.1.2")).await)));
}

#[tokio::test]
async fn open_recursion_resolves_names_of_others() {
    let lab = pocket_with(FaultRule::of(Fault::OpenRecursion)).await;
    let mut question = ask("a.root-pocket.test", Rtype::A);
    question.recursion = true;
    let message = question.udp(at(&lab, SERVER)).await;
    assert!(message.header().ra() && !message.header().aa());
    assert_eq!(answer_of(&message)[0], "a.root-pocket.test A 127.10.0.1");
    let message = ask("no.such.name.invalid", Rtype::A).udp(at(&lab, SERVER)).await;
    assert_eq!((rcode_of(&message), message.header().ra()), (Rcode::NXDOMAIN, true));
}

#[tokio::test]
async fn open_transfer_hands_out_the_whole_zone() {
    let lab = pocket_with(FaultRule::of(Fault::OpenTransfer)).await;
    let all = ask("plain.test", Rtype::AXFR).transfer(at(&lab, SERVER)).await;
    assert_eq!(
        all.iter().map(|record| record.rtype()).collect::<Vec<_>>(),
        [Rtype::SOA, Rtype::NS, Rtype::NS, Rtype::A, Rtype::SOA]
    );
    assert!(
        ask("plain.test", Rtype::AXFR)
            .transfer(at(&lab, "127.10.3.2"))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn garbage_is_no_message_that_answers() {
    let lab = pocket_with(FaultRule::of(Fault::Garbage)).await;
    let question = ask("www.plain.test", Rtype::A);
    let octets = question
        .octets(at(&lab, SERVER), std::time::Duration::from_secs(10))
        .await
        .unwrap();
    assert!(Message::from_octets(octets).unwrap().sole_question().is_err());
}

#[tokio::test]
async fn every_fault_can_be_taken_away_again() {
    let lab = pocket().await;
    let question = ask("www.plain.test", Rtype::A);
    for fault in Fault::ALL {
        add(&lab, "ns1.good.test", FaultRule::of(fault));
        lab.apply(&Event::new(Change::RemoveFault {
            server: SERVER.to_owned(),
            fault,
        }))
        .unwrap();
        let message = question.udp(at(&lab, SERVER)).await;
        assert_eq!(answer_of(&message), ["www.plain.test A 127.10.3.5"], "{fault}");
    }
}

#[tokio::test]
async fn says_answers_with_the_records_of_its_rule() {
    let rule = FaultRule {
        answer: "www.plain.test. 60 A 192.0.2.1\nplain.test. 60 SOA a. b. 1 2 3 4 5\n".to_owned(),
        qtype: Some(Rtype::A),
        ..FaultRule::of(Fault::Says)
    };
    let lab = pocket_with(rule).await;
    let message = ask("www.plain.test", Rtype::A).udp(at(&lab, SERVER)).await;
    assert!(message.header().aa());
    assert_eq!(
        answer_of(&message),
        ["www.plain.test A 192.0.2.1", "plain.test SOA a. b. 1 2 3 4 5"]
    );
    let other = ask("plain.test", Rtype::NS).udp(at(&lab, SERVER)).await;
    assert_eq!(answer_of(&other).len(), 2, "the rule is about A alone");
    add(&lab, SERVER, FaultRule::of(Fault::Says));
    let empty = ask("plain.test", Rtype::NS).udp(at(&lab, SERVER)).await;
    assert_eq!((answer_of(&empty).len(), authority_of(&empty).len()), (0, 0));
}

#[tokio::test]
async fn says_can_fill_the_authority_section_sign_what_it_says_and_deny_the_name() {
    let says = FaultRule {
        authority: "good.test. 60 SOA a. b. 1 2 3 4 5\nb.good.test. 60 TXT x\nb.good.test. 60 TXT y\n".to_owned(),
        nxdomain: true,
        ..FaultRule::of(Fault::Says)
    };
    let lab = pocket_with(says.clone()).await;
    let question = ask("good.test", Rtype::A);
    let plain = question.udp(at(&lab, SERVER)).await;
    assert_eq!(rcode_of(&plain), Rcode::NXDOMAIN);
    assert_eq!((answer_of(&plain).len(), authority_of(&plain).len()), (0, 3));
    let lab = pocket_with(FaultRule { signed: true, ..says }).await;
    let signed = question.udp(at(&lab, SERVER)).await;
    let verified = verify(&signed, &lab.dnskey("good.test").unwrap());
    assert_eq!((verified.good, verified.wrong), (2, 0), "one for each RRset");
    let without = question.without_edns().udp(at(&lab, SERVER)).await;
    assert_eq!(authority_of(&without).len(), 3, "nobody asked for signatures");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_refused_with_its_line() {
    let lab = pocket().await;
    for (answer, expected) in [
        ("www.plain.test. A\n", "this event cannot happen: its answer, line 1: "),
        (
            "a. 60 A 127.0.0.1\nb. 60 A 1.2.3\n",
            "this event cannot happen: its answer, line 2: ",
        ),
    ] {
        let rule = FaultRule {
            answer: answer.to_owned(),
            ..FaultRule::of(Fault::Says)
        };
        let server = SERVER.to_owned();
        let error = lab.apply(&Event::new(Change::AddFault { server, rule })).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

#[tokio::test]
async fn other_source_answers_from_another_address() {
    let lab = pocket_with(FaultRule::of(Fault::OtherSource)).await;
    let question = ask("www.plain.test", Rtype::A);
    assert_eq!(question.source(at(&lab, SERVER)).await.to_string(), "127.255.255.254");
    assert_eq!(answer_of(&question.tcp(at(&lab, SERVER)).await).len(), 1);
    let outside = FaultRule {
        from: Some("192.0.2.1".parse().unwrap()),
        ..FaultRule::of(Fault::OtherSource)
    };
    let server = SERVER.to_owned();
    let error = lab
        .apply(&Event::new(Change::AddFault { server, rule: outside }))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "this event cannot happen: 192.0.2.1 is not a loopback address"
    );
}

#[tokio::test]
async fn a_rule_can_be_about_one_transport() {
    let tcp = FaultRule {
        transport: Some(model::Transport::Tcp),
        ..FaultRule::of(Fault::NotAuthoritative)
    };
    let lab = pocket_with(tcp).await;
    let question = ask("www.plain.test", Rtype::A);
    assert!(question.udp(at(&lab, SERVER)).await.header().aa());
    assert!(!question.tcp(at(&lab, SERVER)).await.header().aa());
}

#[tokio::test]
async fn a_server_can_be_far_away_and_lose_what_comes_by_udp() {
    let mut world = World::shipped("pocket").unwrap();
    for server in world
        .servers
        .iter_mut()
        .filter(|server| server.name == name("ns1.good.test"))
    {
        server.loss = 1.0;
        server.latency = "30ms".parse().unwrap();
    }
    let lab = Lab::start(world, 0, noon()).await.unwrap();
    let question = ask("www.plain.test", Rtype::A);
    assert!(question.is_left_without_answer(at(&lab, SERVER)).await);
    let asked = std::time::Instant::now();
    question.tcp(at(&lab, SERVER)).await;
    assert!(asked.elapsed() >= std::time::Duration::from_millis(30));
}
