//! Rules about questions with a feature that most lack, and faults that only few questions show.

use domain::base::Message;
use domain::base::iana::{Class, OptRcode, Rtype};
use lab::{Change, EdnsManner, Event, Fault, FaultRule, Feature, Lab, World};
use tokio::net::UdpSocket;

use crate::asker::{Answer, at, noon, pocket};

const SERVER: &str = "127.10.3.1";

/// A question with an OPT record as wanted.
struct Odd {
    qname: &'static str,
    qtype: Rtype,
    class: Class,
    version: u8,
    flags: u16,
    option: Option<(u16, &'static [u8])>,
}

fn odd(qname: &'static str, qtype: Rtype) -> Odd {
    Odd {
        qname,
        qtype,
        class: Class::IN,
        version: 0,
        flags: 0,
        option: None,
    }
}

impl Odd {
    async fn ask(&self, lab: &Lab) -> Option<Answer> {
        let mut octets = vec![0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
        for label in self.qname.split('.') {
            octets.push(label.len() as u8);
            octets.extend(label.as_bytes());
        }
        octets.push(0);
        octets.extend(self.qtype.to_int().to_be_bytes());
        octets.extend(self.class.to_int().to_be_bytes());
        octets.extend([0, 0, 41, 2, 0, 0, self.version]);
        octets.extend(self.flags.to_be_bytes());
        let option = self
            .option
            .map(|(code, data)| [&code.to_be_bytes(), &[0, data.len() as u8], data].concat());
        let option = option.unwrap_or_default();
        octets.extend((option.len() as u16).to_be_bytes());
        octets.extend(option);
        let socket = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
        socket.send_to(&octets, at(lab, SERVER)).await.unwrap();
        let mut room = vec![0; 4096];
        let wait = std::time::Duration::from_millis(300);
        let size = tokio::time::timeout(wait, socket.recv(&mut room)).await.ok()?.unwrap();
        room.truncate(size);
        Some(Message::from_octets(room).unwrap())
    }
}

fn add(lab: &Lab, rule: FaultRule) {
    let change = Change::AddFault {
        server: SERVER.to_owned(),
        rule,
    };
    lab.apply(&Event::new(change)).unwrap();
}

async fn pocket_with(rules: impl IntoIterator<Item = FaultRule>) -> Lab {
    let lab = pocket().await;
    rules.into_iter().for_each(|rule| add(&lab, rule));
    lab
}

fn rcode(answer: &Answer) -> OptRcode {
    answer.opt_rcode()
}

#[tokio::test]
async fn a_truncated_answer_can_lose_its_opt_record() {
    let rules = [Fault::Truncates, Fault::TruncatesWithoutOpt].map(FaultRule::of);
    let lab = pocket_with(rules).await;
    let answer = odd("good.test", Rtype::DNSKEY).ask(&lab).await.unwrap();
    assert!(answer.header().tc() && answer.opt().is_none());
}

#[tokio::test]
async fn a_rule_can_be_about_questions_with_a_feature() {
    let drops = FaultRule {
        edns: EdnsManner::Ignores,
        ..FaultRule::of(Fault::DropsEdns).with(Feature::EdnsOption)
    };
    let rules = [
        FaultRule::of(Fault::Silent).with(Feature::EdnsVersion),
        FaultRule::of(Fault::Servfail).with(Feature::EdnsFlag),
        FaultRule::of(Fault::Refused).with(Feature::Capital),
        FaultRule::of(Fault::Silent).with(Feature::Chaos),
        drops,
    ];
    let lab = pocket_with(rules).await;
    let usual = odd("good.test", Rtype::SOA).ask(&lab).await.unwrap();
    assert_eq!((rcode(&usual), usual.opt().is_some()), (OptRcode::NOERROR, true));
    assert!(
        Odd {
            version: 1,
            ..odd("good.test", Rtype::SOA)
        }
        .ask(&lab)
        .await
        .is_none()
    );
    assert!(
        Odd {
            class: Class::CH,
            ..odd("version.bind", Rtype::TXT)
        }
        .ask(&lab)
        .await
        .is_none()
    );
    let flag = Odd {
        flags: 1,
        ..odd("good.test", Rtype::SOA)
    }
    .ask(&lab)
    .await
    .unwrap();
    assert_eq!(rcode(&flag), OptRcode::SERVFAIL);
    assert_eq!(
        rcode(&odd("Good.test", Rtype::SOA).ask(&lab).await.unwrap()),
        OptRcode::REFUSED
    );
    assert_eq!(
        rcode(&odd("gOOD.test", Rtype::SOA).ask(&lab).await.unwrap()),
        OptRcode::NOERROR
    );
    let option = Odd {
        option: Some((100, b"")),
        ..odd("good.test", Rtype::SOA)
    }
    .ask(&lab)
    .await
    .unwrap();
    assert_eq!((rcode(&option), option.opt().is_some()), (OptRcode::NOERROR, false));
}

#[tokio::test]
async fn letters_of_the_question_come_back_as_they_were_or_in_lower_case() {
    let repeated = async |lab: &Lab| {
        let answer = odd("wWw.gOOD.tEST", Rtype::SOA).ask(lab).await.unwrap();
        let asked = answer.sole_question().unwrap();
        domain::base::name::ToName::to_vec(asked.qname()).to_string()
    };
    assert_eq!(repeated(&pocket().await).await, "wWw.gOOD.tEST");
    assert_eq!(
        repeated(&pocket_with([FaultRule::of(Fault::LowerCase)]).await).await,
        "www.good.test"
    );
}

#[tokio::test]
async fn a_version_is_told_in_the_words_of_the_rule_and_in_either_class() {
    let tells = FaultRule {
        text: "Lab 1.0".to_owned(),
        ..FaultRule::of(Fault::RevealsVersion)
    };
    for (rules, class) in [
        (vec![tells.clone()], Class::CH),
        (vec![tells, FaultRule::of(Fault::WrongClass)], Class::IN),
    ] {
        let lab = pocket_with(rules).await;
        for qname in ["version.bind", "version.server"] {
            let answer = Odd {
                class: Class::CH,
                ..odd(qname, Rtype::TXT)
            }
            .ask(&lab)
            .await
            .unwrap();
            let record = answer.answer().unwrap().next().unwrap().unwrap();
            assert_eq!((record.class(), record.rtype()), (class, Rtype::TXT));
            assert!(answer.as_slice().windows(8).any(|octets| octets == b"\x07Lab 1.0"));
        }
        let other = Odd {
            class: Class::CH,
            ..odd("hostname.bind", Rtype::TXT)
        }
        .ask(&lab)
        .await
        .unwrap();
        assert_eq!(rcode(&other), OptRcode::REFUSED);
    }
}

#[tokio::test]
async fn names_of_others_are_refused_or_referred_upwards() {
    let foreign = odd("nowhere.example", Rtype::A);
    assert_eq!(rcode(&foreign.ask(&pocket().await).await.unwrap()), OptRcode::REFUSED);
    let lab = pocket_with([FaultRule::of(Fault::UpwardReferral)]).await;
    let answer = foreign.ask(&lab).await.unwrap();
    assert_eq!((rcode(&answer), answer.header().aa()), (OptRcode::NOERROR, false));
    assert_eq!(answer.header_counts().nscount(), 2);
    let own = odd("good.test", Rtype::SOA).ask(&lab).await.unwrap();
    assert!(own.header().aa() && own.header_counts().ancount() > 0);
}

#[tokio::test]
async fn an_address_of_ipv6_can_be_cut_to_four_octets() {
    let world = format!(
        "name = 'six'\n[[zone]]\nname = 'six.test'\nfile = 'six'\n\
         [[server]]\nname = 'ns1.six.test'\naddresses = ['{SERVER}']\nzones = ['six.test']\n"
    );
    let zone = format!("@ 60 SOA ns1 h 1 1 1 1 1\n@ 60 NS ns1\n@ 60 AAAA 2001:db8::1\nns1 60 A {SERVER}\n");
    let world = World::from_parts(&[("world.toml", &world), ("six", &zone)]).unwrap();
    let lab = Lab::start(world, 0, noon()).await.unwrap();
    let length = async || {
        let answer = odd("six.test", Rtype::AAAA).ask(&lab).await.unwrap();
        answer.answer().unwrap().next().unwrap().unwrap().rdlen()
    };
    assert_eq!(length().await, 16);
    add(&lab, FaultRule::of(Fault::BadAaaa));
    assert_eq!(length().await, 4);
}
