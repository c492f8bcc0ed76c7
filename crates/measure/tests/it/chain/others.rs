//! chain06 to chain08: aliases, names and classes, glue.

use std::collections::BTreeMap;

use domain::base::iana::{Class, OptRcode, Rtype};
use domain::base::{Record as WireRecord, Ttl};
use domain::rdata::{A, Aaaa, Cname, Dname, ZoneRecordData};
use lab::{Answer, Change, DsChange, Forger, Lab, Record, World};

use super::forge::{SECOND, forger, no_such_name, record, signed};
use super::said;
use crate::case_in_lab::{change, name, noon, pocket};

const AT_SECOND: &str = "ns_list=ns2.good.test/127.10.3.2";

/// Lines of these cases alone.
async fn lines_of(lab: &Lab, zone: &str, case: &str) -> Vec<String> {
    let mut lines = said(lab, zone).await;
    lines.retain(|line| line.starts_with(case));
    lines
}

fn tamper(lab: &Lab, (qname, qtype): (&str, Rtype), how: impl Fn(&Forger, &mut Answer) + Send + Sync + 'static) {
    let (qname, key) = (name(qname), forger(lab, "shop.example"));
    lab.tamper(SECOND.parse().unwrap(), move |answer| {
        if answer.qname == qname && answer.qtype == qtype {
            how(&key, answer);
        }
    });
}

fn cname(owner: &str, target: &str, ttl: u32) -> Record {
    let target = name(target).as_wire().clone();
    record(owner, ttl, ZoneRecordData::Cname(Cname::new(target)))
}

/// Lets the second server answer for a DNAME at the apex of shop.example to other.test, with these records beside it.
async fn dname(beside: Vec<Record>) -> Vec<String> {
    let lab = pocket().await;
    let asked = no_such_name("shop.example");
    tamper(&lab, (&asked, Rtype::A), move |key, answer| {
        let target = name("other.test").as_wire().clone();
        let dname = record("shop.example", 600, ZoneRecordData::Dname(Dname::new(target)));
        answer.rcode = OptRcode::NOERROR;
        answer.answer = signed(key, vec![dname]);
        answer.answer.extend(beside.clone());
        answer.authority.clear();
    });
    let lines = said(&lab, "shop.example").await;
    assert!(
        !lines.iter().any(|line| line.starts_with("CH02")),
        "the CNAME needs no signature: {lines:?}"
    );
    lines.into_iter().filter(|line| line.starts_with("CH06")).collect()
}

#[tokio::test]
async fn the_cname_that_a_dname_makes_is_checked() {
    let asked = no_such_name("shop.example");
    let beside = "domain=dnscert-no-such-name.shop.example ns_list=ns2.good.test/127.10.3.2 owner=shop.example zone=shop.example";
    let right = cname(&asked, "dnscert-no-such-name.other.test", 600);
    assert_eq!(dname(vec![right]).await, [""; 0]);
    assert_eq!(dname(vec![]).await, [format!("CH06_DNAME_WITHOUT_CNAME {beside}")]);
    let elsewhere = cname(&asked, "elsewhere.test", 600);
    assert_eq!(
        dname(vec![elsewhere]).await,
        [format!("CH06_DNAME_TARGET_DIFFERS {beside}")]
    );
    let longer = cname(&asked, "dnscert-no-such-name.other.test", 900);
    assert_eq!(dname(vec![longer]).await, [format!("CH06_DNAME_TTL_DIFFERS {beside}")]);
    let zero = cname(&asked, "dnscert-no-such-name.other.test", 0);
    assert_eq!(dname(vec![zero]).await, [format!("CH06_DNAME_TTL_ZERO {beside}")]);
}

#[tokio::test]
async fn an_alias_at_the_apex_stands_beside_other_data() {
    let lab = pocket().await;
    tamper(&lab, ("shop.example", Rtype::A), |key, answer| {
        answer.answer = signed(key, vec![cname("shop.example", "web.good.test", 600)]);
        answer.authority.clear();
    });
    assert_eq!(
        lines_of(&lab, "shop.example", "CH06").await,
        [format!(
            "CH06_CNAME_WITH_OTHER_DATA domain=shop.example {AT_SECOND} zone=shop.example"
        )]
    );
}

#[tokio::test]
async fn aliases_that_lead_in_a_circle_are_named() {
    let lab = pocket().await;
    let asked = no_such_name("shop.example");
    let first = asked.clone();
    tamper(&lab, (&asked, Rtype::A), move |key, answer| {
        answer.rcode = OptRcode::NOERROR;
        answer.answer = signed(key, vec![cname(&first, "b.shop.example", 600)]);
        answer
            .answer
            .extend(signed(key, vec![cname("b.shop.example", &first, 600)]));
        answer.authority.clear();
    });
    assert_eq!(
        lines_of(&lab, "shop.example", "CH06").await,
        [format!(
            "CH06_CNAME_LOOP domain=dnscert-no-such-name.shop.example {AT_SECOND} rrtype=A zone=shop.example"
        )]
    );
}

#[tokio::test]
async fn aliases_of_an_unsigned_zone_are_looked_at_as_well() {
    let lab = pocket().await;
    tamper(&lab, ("plain.test", Rtype::A), |_, answer| {
        answer.answer = vec![cname("plain.test", "web.good.test", 600)];
    });
    assert_eq!(
        lines_of(&lab, "plain.test", "CH06").await,
        [format!(
            "CH06_CNAME_WITH_OTHER_DATA domain=plain.test {AT_SECOND} zone=plain.test"
        )]
    );
}

#[tokio::test]
async fn a_name_that_is_absent_for_one_type_and_there_for_others_is_named() {
    let lab = pocket().await;
    tamper(&lab, ("plain.test", Rtype::A), |_, answer| {
        answer.rcode = OptRcode::NXDOMAIN
    });
    assert_eq!(
        lines_of(&lab, "plain.test", "CH07").await,
        [
            format!("CH07_NXDOMAIN_AT_SOME_SERVERS domain=plain.test {AT_SECOND} rrtype=A zone=plain.test"),
            format!("CH07_NXDOMAIN_FOR_SOME_TYPES domain=plain.test {AT_SECOND} rrtype=A zone=plain.test"),
        ]
    );
}

#[tokio::test]
async fn a_parent_that_denies_a_name_above_the_zone_is_named() {
    let soa = "@ 3600 SOA ns host 1 14400 3600 1209600 300\n@ 3600 NS ns\nns 3600 A 127.10.7.1\n";
    let root = "@ 3600 SOA ns.root. host.root. 1 14400 3600 1209600 300\n@ 3600 NS ns1.root.\n@ 3600 NS ns2.root.\n\
                ns1.root. 3600 A 127.10.7.2\nns2.root. 3600 A 127.10.7.3\nchild.between. 3600 NS ns.child.between.\n\
                ns.child.between. 3600 A 127.10.7.1\n";
    let world = "name = 'between'\n[[server]]\nname = 'ns1.root'\naddresses = ['127.10.7.2']\nzones = ['.']\n\
                 [[server]]\nname = 'ns2.root'\naddresses = ['127.10.7.3']\nzones = ['.']\n\
                 [[server]]\nname = 'ns.child.between'\naddresses = ['127.10.7.1']\nzones = ['child.between']\n\
                 [[zone]]\nname = '.'\nfile = 'root'\n[[zone]]\nname = 'child.between'\nfile = 'child'\n";
    let parts = [("world.toml", world), ("root", root), ("child", soa)];
    let lab = Lab::start(World::from_parts(&parts).unwrap(), 0, noon()).await.unwrap();
    assert_eq!(lines_of(&lab, "child.between", "CH07").await, [""; 0]);
    lab.tamper("127.10.7.3".parse().unwrap(), |answer| {
        if answer.qname == name("between") {
            answer.rcode = OptRcode::NXDOMAIN;
        }
    });
    assert_eq!(
        lines_of(&lab, "child.between", "CH07").await,
        ["CH07_NXDOMAIN_ABOVE_ZONE domain=child.between ns_list=ns2.root/127.10.7.3 owner=between zone=."]
    );
}

#[tokio::test]
async fn records_of_another_class_are_named_by_their_section() {
    let lab = pocket().await;
    tamper(&lab, ("plain.test", Rtype::SOA), |_, answer| {
        let data = ZoneRecordData::A(A::new([127, 0, 0, 1].into()));
        let foreign = WireRecord::new(name("plain.test").as_wire().clone(), Class::CH, Ttl::from_secs(1), data);
        answer.answer.push(foreign.clone());
        answer.authority.push(foreign.clone());
        answer.additional.push(foreign);
    });
    let tags = [
        "CH07_FOREIGN_CLASS_IN_ADDITIONAL",
        "CH07_FOREIGN_CLASS_IN_ANSWER",
        "CH07_FOREIGN_CLASS_IN_AUTHORITY",
    ];
    assert_eq!(
        lines_of(&lab, "plain.test", "CH07").await,
        tags.map(|tag| format!("{tag} class=CH {AT_SECOND} zone=plain.test"))
    );
}

#[tokio::test]
async fn a_referral_with_authority_is_named() {
    let lab = pocket().await;
    lab.tamper("127.10.1.2".parse().unwrap(), |answer| {
        if answer.qname == name("plain.test") && answer.qtype == Rtype::NS {
            answer.authoritative = true;
        }
    });
    assert_eq!(
        lines_of(&lab, "plain.test", "CH08").await,
        ["CH08_AUTHORITATIVE_REFERRAL domain=plain.test ns_list=ns2.nic.test/127.10.1.2"]
    );
}

#[tokio::test]
async fn glue_that_is_missing_or_too_much_is_named_by_family() {
    let lab = pocket().await;
    change(
        &lab,
        Change::Redelegate {
            zone: name("good.test"),
            ns: BTreeMap::from([
                (name("ns1.good.test"), vec!["::1".parse().unwrap()]),
                (name("ns2.good.test"), vec![]),
            ]),
            ds: DsChange::Keep,
        },
    );
    assert_eq!(
        lines_of(&lab, "good.test", "CH08").await,
        [""; 0],
        "no server of the zone can be reached to compare with"
    );
    let lab = pocket().await;
    change(
        &lab,
        Change::Redelegate {
            zone: name("good.test"),
            ns: BTreeMap::from([
                (
                    name("ns1.good.test"),
                    vec!["127.10.3.1".parse().unwrap(), "::1".parse().unwrap()],
                ),
                (name("ns2.good.test"), vec![]),
                (name("mail.good.test"), vec!["::1".parse().unwrap()]),
                (name("ns3.good.test"), vec!["127.10.3.2".parse().unwrap()]),
            ]),
            ds: DsChange::Keep,
        },
    );
    for server in ["127.10.3.1", SECOND] {
        lab.tamper(server.parse().unwrap(), |answer| {
            if answer.qname == name("ns3.good.test") {
                answer.rcode = OptRcode::NOERROR;
                let data = ZoneRecordData::Aaaa(Aaaa::new("::1".parse().unwrap()));
                if answer.qtype == Rtype::AAAA {
                    answer.answer = vec![record("ns3.good.test", 60, data)];
                }
            }
        });
    }
    assert_eq!(
        lines_of(&lab, "good.test", "CH08").await,
        [
            "CH08_GLUE_EXTRA_IPV4 ns_ip_list=127.10.3.2 nsname=ns3.good.test",
            "CH08_GLUE_EXTRA_IPV6 ns_ip_list=::1 nsname=mail.good.test",
            "CH08_GLUE_EXTRA_IPV6 ns_ip_list=::1 nsname=ns1.good.test",
            "CH08_GLUE_MISSING_IPV4 ns_ip_list=127.10.3.3 nsname=mail.good.test",
            "CH08_GLUE_MISSING_IPV6 ns_ip_list=::1 nsname=ns3.good.test",
            "CH08_NO_GLUE nsname=ns2.good.test",
        ]
    );
}
