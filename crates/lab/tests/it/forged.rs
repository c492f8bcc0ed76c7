//! Answers changed by hand and signatures made to order.

use domain::base::iana::Rtype;
use domain::rdata::ZoneRecordData;
use lab::Manner;

use crate::asker::{answer_of, ask, at, name, noon, pocket};
use crate::dnssec::{Verified, verify};

#[tokio::test]
async fn an_answer_is_changed_at_one_address_alone_and_signed_with_the_zones_own_key() {
    let lab = pocket().await;
    let forger = lab.forger("good.test").unwrap();
    assert_eq!(Some(forger.ds()), lab.ds("good.test"));
    lab.tamper("127.10.3.2".parse().unwrap(), move |answer| {
        if answer.qtype == Rtype::MX {
            answer.answer.retain(|record| record.rtype() == Rtype::MX);
            let signed = forger.sign(&answer.answer, noon().as_second(), &Manner::default());
            answer.answer.push(signed);
        }
    });
    let question = ask("good.test", Rtype::MX);
    for server in ["127.10.3.1", "127.10.3.2"] {
        let message = question.udp(at(&lab, server)).await;
        assert_eq!(answer_of(&message).len(), 2, "{server}");
        let good = Verified {
            good: 1,
            ..Verified::default()
        };
        assert_eq!(verify(&message, &lab.dnskey("good.test").unwrap()), good, "{server}");
    }
    let untouched = ask("good.test", Rtype::SOA).udp(at(&lab, "127.10.3.2")).await;
    assert_eq!(answer_of(&untouched).len(), 2);
}

#[tokio::test]
async fn every_field_of_a_signature_can_be_chosen() {
    let lab = pocket().await;
    let forger = lab.forger("good.test").unwrap().with_flags(385);
    assert_eq!(forger.dnskey().flags(), 385);
    let keys = [forger.record(60)];
    let manner = Manner {
        labels: Some(7),
        original_ttl: Some(5),
        validity: Some((9, 8)),
        key_tag: Some(6),
        signer: Some(name("other.test")),
        ..Manner::default()
    };
    let ZoneRecordData::Rrsig(rrsig) = forger.sign(&keys, noon().as_second(), &manner).into_data() else {
        panic!("no RRSIG");
    };
    let fields = (rrsig.labels(), rrsig.original_ttl().as_secs(), rrsig.key_tag());
    assert_eq!(fields, (7, 5, 6));
    assert_eq!((rrsig.inception().into_int(), rrsig.expiration().into_int()), (9, 8));
    assert_eq!(rrsig.signer_name().to_string(), "other.test");
    assert_eq!(rrsig.type_covered(), Rtype::DNSKEY);
}
