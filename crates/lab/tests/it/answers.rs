//! What healthy servers say.

use domain::base::iana::{Rcode, Rtype};

use crate::asker::{additional_of, answer_of, ask, at, authority_of, nsid_of, pocket, rcode_of};

#[tokio::test]
async fn a_server_answers_for_its_zone_over_udp_and_tcp() {
    let lab = pocket().await;
    let question = ask("WWW.Plain.test", Rtype::A);
    for message in [
        question.udp(at(&lab, "127.10.3.1")).await,
        question.tcp(at(&lab, "127.10.3.2")).await,
    ] {
        assert!(message.header().aa() && message.header().qr() && !message.header().ra());
        assert_eq!(message.header().id(), 4711);
        assert_eq!(message.sole_question().unwrap().qname().to_string(), "WWW.Plain.test");
        assert_eq!(answer_of(&message), ["www.plain.test A 127.10.3.5"]);
    }
}

#[tokio::test]
async fn a_parent_refers_with_glue_and_ds() {
    let lab = pocket().await;
    let message = ask("www.good.test", Rtype::A).udp(at(&lab, "127.10.1.1")).await;
    assert!(!message.header().aa());
    assert_eq!(rcode_of(&message), Rcode::NOERROR);
    assert!(answer_of(&message).is_empty());
    let authority = authority_of(&message);
    assert_eq!(
        &authority[..2],
        ["good.test NS ns1.good.test.", "good.test NS ns2.good.test."]
    );
    assert!(authority[2].starts_with("good.test DS "), "{authority:?}");
    assert_eq!(authority[3], "good.test RRSIG DS");
    assert_eq!(
        additional_of(&message),
        ["ns1.good.test A 127.10.3.1", "ns2.good.test A 127.10.3.2"]
    );
}

#[tokio::test]
async fn an_answer_names_its_server_by_nsid_and_keeps_to_the_size_asked_for() {
    let lab = pocket().await;
    let server = at(&lab, "127.10.3.1");
    let message = ask("web.good.test", Rtype::A).udp(server).await;
    assert_eq!(nsid_of(&message).unwrap(), "ns1.good.test");
    let big = ask("big.good.test", Rtype::TXT);
    let cut = big.udp(server).await;
    assert!(cut.header().tc() && answer_of(&cut).is_empty());
    let whole = big.tcp(server).await;
    assert!(!whole.header().tc());
    assert_eq!(answer_of(&whole).len(), 12);
    let classic = ask("big.good.test", Rtype::TXT).without_edns().udp(server).await;
    assert!(classic.header().tc() && classic.opt().is_none());
}

#[tokio::test]
async fn aliases_are_followed_within_the_zone() {
    let lab = pocket().await;
    let message = ask("www.good.test", Rtype::A)
        .without_edns()
        .udp(at(&lab, "127.10.3.1"))
        .await;
    assert_eq!(
        answer_of(&message),
        ["www.good.test CNAME web.good.test.", "web.good.test A 127.10.3.4"]
    );
}

#[tokio::test]
async fn names_and_types_that_are_not_there_come_with_the_soa() {
    let lab = pocket().await;
    let server = at(&lab, "127.10.3.1");
    for (qname, qtype, rcode) in [
        ("nothing.plain.test", Rtype::A, Rcode::NXDOMAIN),
        ("www.plain.test", Rtype::AAAA, Rcode::NOERROR),
        ("below.here.shop.example", Rtype::A, Rcode::NOERROR),
    ] {
        let message = ask(qname, qtype).without_edns().udp(server).await;
        assert_eq!(rcode_of(&message), rcode, "{qname}");
        assert!(message.header().aa() && answer_of(&message).is_empty());
        let authority = authority_of(&message);
        assert!(authority.len() == 1 && authority[0].contains(" SOA "), "{authority:?}");
    }
}

#[tokio::test]
async fn the_root_gives_its_addresses_along_with_its_names() {
    let lab = pocket().await;
    let message = ask(".", Rtype::NS).udp(at(&lab, "127.10.0.1")).await;
    assert_eq!(
        additional_of(&message),
        ["a.root-pocket.test A 127.10.0.1", "b.root-pocket.test A 127.10.0.2"]
    );
    let addresses: Vec<String> = lab
        .hints()
        .iter()
        .map(|(name, at)| format!("{name} {}", at[0]))
        .collect();
    assert_eq!(
        addresses,
        ["a.root-pocket.test 127.10.0.1", "b.root-pocket.test 127.10.0.2"]
    );
}

#[tokio::test]
async fn questions_outside_the_zones_and_transfers_are_refused() {
    let lab = pocket().await;
    let server = at(&lab, "127.10.3.1");
    for question in [
        ask("elsewhere.invalid", Rtype::A),
        ask("plain.test", Rtype::IXFR),
        ask("plain.test", Rtype::AXFR),
    ] {
        assert_eq!(
            rcode_of(&question.udp(server).await),
            Rcode::REFUSED,
            "{}",
            question.qname
        );
        assert_eq!(
            rcode_of(&question.tcp(server).await),
            Rcode::REFUSED,
            "{}",
            question.qname
        );
    }
}

#[tokio::test]
async fn nonsense_is_answered_with_an_error_or_not_at_all() {
    let lab = pocket().await;
    let server = at(&lab, "127.10.3.1");
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut buffer = [0; 512];
    // No question; a question cut short; opcode 5 (UPDATE); a version of EDNS that does not exist.
    let mut update = ask("plain.test", Rtype::SOA).query();
    update[2] |= 5 << 3;
    let mut edns_1 = ask("plain.test", Rtype::SOA).query();
    let opt = edns_1.len() - 4 - 2 - 4;
    edns_1[opt + 1] = 1;
    for (query, rcode) in [
        (vec![7; 12], None),
        ([&[0, 1, 0, 0, 0, 0], [0; 6].as_slice()].concat(), Some(Rcode::FORMERR)),
        (ask("plain.test", Rtype::A).query()[..15].to_vec(), Some(Rcode::FORMERR)),
        (update, Some(Rcode::NOTIMP)),
        (edns_1, Some(Rcode::NOERROR)),
        (vec![1, 2, 3], None),
    ] {
        let Some(rcode) = rcode else {
            // Nothing comes for it: the next answer is that of the next question.
            let mut answer = query.clone();
            if let Some(flags) = answer.get_mut(2) {
                *flags |= 0x80;
            }
            socket.send_to(&answer, server).await.unwrap();
            continue;
        };
        socket.send_to(&query, server).await.unwrap();
        let (length, _) = socket.recv_from(&mut buffer).await.unwrap();
        let message = domain::base::Message::from_octets(buffer[..length].to_vec()).unwrap();
        assert_eq!(message.header().id().to_be_bytes(), query[..2]);
        assert_eq!(rcode_of(&message), rcode);
        if let Some(opt) = message.opt().filter(|_| rcode == Rcode::NOERROR) {
            assert_eq!(opt.rcode(message.header()), domain::base::iana::OptRcode::BADVERS);
        }
    }
}

#[tokio::test]
async fn every_question_is_counted_at_its_address() {
    let lab = pocket().await;
    let server = at(&lab, "127.10.3.2");
    let question = ask("www.plain.test", Rtype::A);
    question.udp(server).await;
    question.udp(server).await;
    question.tcp(server).await;
    let counted = lab.questions();
    assert_eq!((counted[&server.ip()].udp, counted[&server.ip()].tcp), (2, 1));
    assert_eq!(counted.values().map(|count| count.udp + count.tcp).sum::<u64>(), 3);
}
