//! What healthy servers say.

use domain::base::iana::{Rcode, Rtype};

use crate::asker::{additional_of, answer_of, ask, at, authority_of, pocket, rcode_of};

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
