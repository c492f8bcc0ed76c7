//! Resolvers that no program makes, scripted: each lie and each weakness has its tag.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use measure::authority::{Authority, Listening, serve};
use measure::{Measuring, Profile, ResolverPlan, Settings, check_resolver};
use model::{Level, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::case_in_lab::{name, noon};
use crate::scripted::{HERE, Reply, Scripted, has_edns, name_end, qtype};

const ZONE: &str = "measure.example";
const ADDRESS: [u8; 4] = [192, 0, 2, 53];

/// How the resolver is false. The default is one that validates and asks as it should.
#[derive(Clone, Copy, Default)]
struct Manner {
    /// Names with wrong signatures that it finds: all, or every second one.
    finds_bad: Option<bool>,
    loses_good: bool,
    loses_unsigned: bool,
    /// AD on everything.
    claims_proof: bool,
    hides_proof: bool,
    strips_signatures: bool,
    rewrites: bool,
    wrong_cookies: bool,
    ignores_cd: bool,
    /// Asks others without EDNS, always with the same id.
    asks_poorly: bool,
    loses_zone: bool,
}

const RA: u8 = 0x80;
const AD: u8 = 0x20;

/// An answer with RA and one record, or none.
fn reply(question: &[u8], rcode: u8, flags: u8, records: &[(u16, &[u8])], opt: &[u8]) -> Vec<u8> {
    let mut octets = question[..name_end(question) + 4].to_vec();
    octets[2] = 0x81;
    octets[3] = RA | flags | rcode;
    octets[7] = records.len() as u8;
    octets[11] = u8::from(has_edns(question));
    for (rtype, data) in records {
        octets.extend([0xc0, 12]);
        octets.extend(rtype.to_be_bytes());
        octets.extend([0, 1, 0, 0, 0, 5]);
        octets.extend((data.len() as u16).to_be_bytes());
        octets.extend(*data);
    }
    if has_edns(question) {
        octets.extend([0, 0, 41, 4, 208, 0, 0, question[name_end(question) + 4 + 7], 0]);
        octets.extend((opt.len() as u16).to_be_bytes());
        octets.extend(opt);
    }
    octets
}

/// A signature that nobody looks at: only that it is there counts here.
fn signature() -> Vec<u8> {
    let mut data = vec![0, 1, 13, 4, 0, 0, 0, 5, 0, 0, 0, 9, 0, 0, 0, 1, 0, 7, 0];
    data.extend([9; 64]);
    data
}

fn react(manner: Manner, authority: &Authority, question: &[u8]) -> Vec<u8> {
    let text = domain::base::Name::<Vec<u8>>::from_octets(question[12..name_end(question)].to_vec())
        .unwrap()
        .to_string();
    let is_in = |tree: &str| text.ends_with(&format!(".{tree}.{ZONE}"));
    let (checks, wants_ad) = (question[3] & 0x10 == 0, question[3] & AD != 0);
    let dnssec_ok = has_edns(question) && question[name_end(question) + 4 + 7] & 0x80 != 0;
    if manner.asks_poorly && text.ends_with(ZONE) {
        let mut upstream = question[..name_end(question) + 4].to_vec();
        (upstream[0], upstream[1], upstream[2], upstream[11]) = (0, 7, 0, 0);
        let from: SocketAddr = "192.0.2.7:1053".parse().unwrap();
        authority.respond(&upstream, Transport::Udp, from, noon());
    }
    let signature = signature();
    let secure = |has_proof: bool| {
        let is_asked = dnssec_ok || wants_ad;
        let flags = if manner.claims_proof || has_proof && is_asked && !manner.hides_proof {
            AD
        } else {
            0
        };
        let mut records: Vec<(u16, &[u8])> = vec![(1, &ADDRESS)];
        if dnssec_ok && !manner.strips_signatures && has_proof {
            records.push((46, &signature));
        }
        reply(question, 0, flags, &records, &[])
    };
    let servfail = || reply(question, 2, 0, &[], &[]);
    match qtype(question) {
        43 => return reply(question, 0, 0, &[(43, &[&[0, 7, 13, 2][..], &[1; 32]].concat())], &[]),
        16 | 28 => return reply(question, 0, 0, &[], &[]),
        _ => {}
    }
    if !text.ends_with(ZONE) || is_in("nx") {
        return match manner.rewrites {
            true => reply(question, 0, 0, &[(1, &[203, 0, 113, 80])], &[]),
            false => reply(question, 3, 0, &[], &[]),
        };
    }
    if manner.loses_zone {
        return servfail();
    }
    if is_in("good") {
        return if manner.loses_good { servfail() } else { secure(true) };
    }
    if is_in("plain") {
        return if manner.loses_unsigned {
            servfail()
        } else {
            secure(false)
        };
    }
    if is_in("bad") {
        let is_found = match manner.finds_bad {
            Some(all) => all || text.starts_with("b1."),
            None => !checks && !manner.ignores_cd,
        };
        return if is_found { secure(false) } else { servfail() };
    }
    if text.starts_with("c.") {
        let cookie: &[u8] = if manner.wrong_cookies {
            &[0, 10, 0, 16, 9, 9, 9, 9, 9, 9, 9, 9, 1, 1, 1, 1, 1, 1, 1, 1]
        } else {
            &[]
        };
        return reply(question, 0, 0, &[(1, &ADDRESS)], cookie);
    }
    secure(false)
}

/// The tags of this resolver, NOTICE and above.
async fn told_of(manner: Manner) -> BTreeSet<String> {
    let authority = Arc::new(Authority::in_memory(name(ZONE), vec![HERE]).unwrap());
    let listening = Listening::open(&[SocketAddr::new(HERE, 0)]).await.unwrap();
    let address = listening.addresses().unwrap()[0];
    let server = tokio::spawn(serve(
        authority.clone(),
        listening,
        Arc::new(model::ManualClock::new(noon())),
    ));
    let resolver = Scripted::start(move |question| vec![Reply::FromHere(react(manner, &authority, question))]).await;
    let plan = ResolverPlan {
        resolver: SocketAddr::new(HERE, resolver.port),
        measuring: Some(Measuring {
            zone: name(ZONE),
            authority: Some(address),
        }),
        is_outside: false,
        profile: Profile::default(),
    };
    let settings = Settings {
        timeout: Duration::from_millis(500),
        ..Settings::default()
    };
    let report = check_resolver(&settings, &plan, noon()).await.unwrap();
    server.abort();
    let told = report
        .findings
        .into_iter()
        .filter(|finding| finding.level > Level::Info);
    // it speaks UDP alone, and sends the measuring zone's server few questions
    let always = ["R01_NO_TCP", "R03_TOO_FEW", "R07_NO_TLS"];
    told.map(|finding| finding.tag)
        .filter(|tag| !always.contains(&tag.as_str()))
        .collect()
}

#[tokio::test]
async fn every_lie_of_a_resolver_has_its_tag() {
    let honest = Manner::default();
    for (manner, tags) in [
        (honest, vec![]),
        (
            Manner {
                finds_bad: Some(true),
                ..honest
            },
            vec!["R02_DOES_NOT_VALIDATE"],
        ),
        (
            Manner {
                finds_bad: Some(false),
                ..honest
            },
            vec!["R02_VALIDATES_SOMETIMES"],
        ),
        (
            Manner {
                loses_good: true,
                ..honest
            },
            vec!["R02_GOOD_NOT_FOUND"],
        ),
        (
            Manner {
                loses_unsigned: true,
                ..honest
            },
            vec!["R02_UNSIGNED_NOT_FOUND"],
        ),
        (
            Manner {
                claims_proof: true,
                ..honest
            },
            vec!["R12_AD_UNASKED", "R12_AD_WITHOUT_PROOF"],
        ),
        (
            Manner {
                hides_proof: true,
                ..honest
            },
            vec!["R12_NO_AD"],
        ),
        (
            Manner {
                strips_signatures: true,
                ..honest
            },
            vec!["R12_NO_SIGNATURES"],
        ),
        (
            Manner {
                ignores_cd: true,
                ..honest
            },
            vec!["R12_CD_IGNORED"],
        ),
        (
            Manner {
                rewrites: true,
                ..honest
            },
            vec!["R10_REWRITES"],
        ),
        (
            Manner {
                wrong_cookies: true,
                ..honest
            },
            vec!["R05_GIVES_WRONG_COOKIES"],
        ),
        (
            Manner {
                asks_poorly: true,
                ..honest
            },
            vec![
                "R03_IDS_POOR",
                "R03_PORTS_POOR",
                "R04_DOES_NOT_MINIMISE",
                "R11_NO_EDNS",
                "R11_NO_TCP_FALLBACK",
            ],
        ),
        (
            Manner {
                loses_zone: true,
                ..honest
            },
            vec!["R01_ZONE_OUT_OF_REACH", "R02_GOOD_NOT_FOUND", "R02_UNSIGNED_NOT_FOUND"],
        ),
    ] {
        let told = told_of(manner).await;
        assert_eq!(told.iter().map(String::as_str).collect::<Vec<_>>(), tags);
    }
}

#[tokio::test]
async fn a_resolver_over_one_transport_one_that_does_not_look_up_and_one_that_is_silent_are_told() {
    let report = async |port: u16| {
        let plan = ResolverPlan {
            resolver: SocketAddr::new(HERE, port),
            measuring: None,
            is_outside: false,
            profile: Profile::default(),
        };
        let settings = Settings {
            timeout: Duration::from_millis(300),
            ..Settings::default()
        };
        let report = check_resolver(&settings, &plan, noon()).await.unwrap();
        report
            .findings
            .into_iter()
            .map(|finding| finding.tag)
            .collect::<BTreeSet<_>>()
    };
    let resolver = Scripted::start(|question| vec![Reply::FromHere(reply(question, 0, 0, &[], &[]))]).await;
    assert!(report(resolver.port).await.contains("R01_NO_TCP"));
    let without_recursion = Scripted::start(|question| {
        let mut octets = reply(question, 0, 0, &[], &[]);
        octets[3] &= !RA;
        vec![Reply::FromHere(octets)]
    })
    .await;
    assert!(report(without_recursion.port).await.contains("R01_NO_RECURSION"));
    let silent = Scripted::start(|_| Vec::new()).await;
    assert!(report(silent.port).await.contains("R01_NO_RESPONSE"));
    let over_tcp = TcpListener::bind((HERE, 0)).await.unwrap();
    let port = over_tcp.local_addr().unwrap().port();
    let server = tokio::spawn(answer_over_tcp(over_tcp));
    assert!(report(port).await.contains("R01_NO_UDP"));
    server.abort();
}

/// Answers each question over TCP by nothing.
async fn answer_over_tcp(listener: TcpListener) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            while let Ok(length) = stream.read_u16().await {
                let mut question = vec![0; usize::from(length)];
                stream.read_exact(&mut question).await.unwrap();
                let answer = reply(&question, 0, 0, &[], &[]);
                stream.write_u16(answer.len() as u16).await.unwrap();
                stream.write_all(&answer).await.unwrap();
            }
        });
    }
}
