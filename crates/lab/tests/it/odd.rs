//! How odd and hostile servers answer, as raw octets show it.

use std::time::Duration;

use domain::base::Message;
use domain::base::iana::Rtype;
use domain::base::opt::UnknownOptData;
use lab::{Change, Event, FaultRule, Hostility, Lab, OddManner};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use crate::asker::{ask, at, pocket};

const SERVER: &str = "127.10.3.1";

/// How long a test waits for an answer that should come, and for one that should not.
const PATIENCE: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_millis(200);

/// A question with everything that can be odd about it.
#[derive(Clone, Copy)]
struct Odd {
    name: &'static [u8],
    qtype: u16,
    /// The second word of the header: opcode and flags.
    bits: u16,
    /// Payload, version and flags of the OPT record.
    edns: Option<(u16, u8, u16)>,
    options: &'static [u8],
}

const APEX: &[u8] = b"\x04good\x04test\x00";
const SOA: u16 = 6;

const PLAIN: Odd = Odd {
    name: APEX,
    qtype: SOA,
    bits: 0,
    edns: None,
    options: &[],
};

const EDNS: Odd = Odd {
    edns: Some((1232, 0, 0)),
    ..PLAIN
};

const DO: Odd = Odd {
    edns: Some((1232, 0, 0x8000)),
    ..PLAIN
};

const fn option(options: &'static [u8]) -> Odd {
    Odd { options, ..EDNS }
}

const UNKNOWN: Odd = option(&[0, 100, 0, 1, 7]);
const CLIENT_COOKIE: Odd = option(&[0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
const WRONG_COOKIE: Odd = option(&[
    0, 10, 0, 24, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
]);
const SHORT_COOKIE: Odd = option(&[0, 10, 0, 3, 1, 2, 3]);

impl Odd {
    fn octets(&self) -> Vec<u8> {
        let mut octets = vec![0x12, 0x34];
        octets.extend(self.bits.to_be_bytes());
        octets.extend([0, 1, 0, 0, 0, 0, 0, u8::from(self.edns.is_some())]);
        octets.extend(self.name);
        octets.extend(self.qtype.to_be_bytes());
        octets.extend([0, 1]);
        if let Some((payload, version, flags)) = self.edns {
            octets.extend([0, 0, 41]);
            octets.extend(payload.to_be_bytes());
            octets.extend([0, version]);
            octets.extend(flags.to_be_bytes());
            octets.extend((self.options.len() as u16).to_be_bytes());
            octets.extend(self.options);
        }
        octets
    }

    async fn udp(&self, lab: &Lab, patience: Duration) -> Option<Vec<u8>> {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
        socket.send_to(&self.octets(), at(lab, SERVER)).await.unwrap();
        let mut room = vec![0; 65_535];
        let received = tokio::time::timeout(patience, socket.recv_from(&mut room)).await;
        let (size, _) = received.ok()?.unwrap();
        room.truncate(size);
        Some(room)
    }

    /// The answer in words: RCODE, flags, count of answers, OPT with version, flags and options.
    async fn said(&self, lab: &Lab, patience: Duration) -> String {
        let Some(octets) = self.udp(lab, patience).await else {
            return "silence".to_owned();
        };
        let message = Message::from_octets(octets).unwrap();
        let (header, counts) = (message.header(), message.header_counts());
        let flags = [
            ("aa", header.aa()),
            ("tc", header.tc()),
            ("rd", header.rd()),
            ("ad", header.ad()),
            ("cd", header.cd()),
            ("z", header.z()),
        ];
        let flags: String = flags
            .iter()
            .filter(|(_, is_set)| *is_set)
            .map(|(flag, _)| format!(" {flag}"))
            .collect();
        let opt = message.opt().map_or(String::new(), |opt| {
            let ttl = message
                .additional()
                .unwrap()
                .flatten()
                .find(|record| record.rtype() == Rtype::OPT)
                .unwrap()
                .ttl();
            let options = opt.opt().iter::<UnknownOptData<_>>().map(Result::unwrap);
            let options: String = options
                .map(|option| format!(" {}:{}", option.code().to_int(), option.as_slice().len()))
                .collect();
            format!(
                " opt {} v{} {:04x}{options}",
                opt.udp_payload_size(),
                opt.version(),
                ttl.as_secs() & 0xffff
            )
        });
        format!("{}{flags} {}{opt}", message.opt_rcode(), counts.ancount())
    }
}

fn with(lab: &Lab, rule: FaultRule) {
    let server = SERVER.to_owned();
    lab.apply(&Event::new(Change::AddFault { server, rule })).unwrap();
}

#[tokio::test]
async fn a_server_without_faults_is_at_ease_with_odd_questions() {
    let lab = pocket().await;
    let version = Odd {
        edns: Some((1232, 1, 0)),
        ..PLAIN
    };
    for (question, expected) in [
        (PLAIN, "NOERROR aa 1"),
        (EDNS, "NOERROR aa 1 opt 1232 v0 0000"),
        (DO, "NOERROR aa 2 opt 1232 v0 8000"),
        (UNKNOWN, "NOERROR aa 1 opt 1232 v0 0000"),
        (CLIENT_COOKIE, "NOERROR aa 1 opt 1232 v0 0000"),
        (version, "BADVERS 0 opt 1232 v0 0000"),
        (Odd { bits: 0x0650, ..PLAIN }, "NOERROR aa cd 1"),
        (Odd { bits: 0x7fb0, ..PLAIN }, "NOTIMP 0"),
        (Odd { qtype: 666, ..PLAIN }, "NOERROR aa 0"),
    ] {
        assert_eq!(question.said(&lab, PATIENCE).await, expected);
    }
}

#[tokio::test]
async fn each_odd_manner_shows_where_it_should_and_nowhere_else() {
    let version = Odd {
        edns: Some((1232, 1, 0)),
        ..PLAIN
    };
    let flags = Odd {
        edns: Some((1232, 0, 0x0080)),
        ..PLAIN
    };
    let opcode = Odd { bits: 0x7800, ..PLAIN };
    let header = Odd { bits: 0x0070, ..PLAIN };
    let unknown_type = Odd { qtype: 666, ..PLAIN };
    let any = Odd { qtype: 255, ..EDNS };
    let recursive = Odd { bits: 0x0100, ..PLAIN };
    let odd: [(OddManner, Odd, &str); 37] = [
        (OddManner::EchoesOptions, UNKNOWN, "NOERROR aa 1 opt 1232 v0 0000 100:1"),
        (OddManner::DropsOptions, UNKNOWN, "silence"),
        (OddManner::RejectsOptions, UNKNOWN, "FORMERR 0"),
        (OddManner::IgnoresVersion, version, "NOERROR aa 1 opt 1232 v0 0000"),
        (OddManner::EchoesVersion, version, "NOERROR aa 1 opt 1232 v1 0000"),
        (OddManner::DropsVersion, version, "silence"),
        (OddManner::EchoesFlags, flags, "NOERROR aa 1 opt 1232 v0 0080"),
        (OddManner::DropsFlags, flags, "silence"),
        (OddManner::OmitsDo, DO, "NOERROR aa 2 opt 1232 v0 0000"),
        (OddManner::DropsDo, DO, "silence"),
        (OddManner::FailsOnDo, DO, "SERVFAIL 0 opt 1232 v0 8000"),
        (OddManner::DropsWithoutEdns, PLAIN, "silence"),
        (OddManner::DropsWithoutDo, EDNS, "silence"),
        (OddManner::DropsWithoutOption, EDNS, "silence"),
        (OddManner::DropsRd, recursive, "silence"),
        (OddManner::RefusesWithoutRd, PLAIN, "REFUSED 0"),
        (OddManner::OmitsOpt, DO, "NOERROR aa 2"),
        (OddManner::UnaskedOpt, PLAIN, "NOERROR aa 1 opt 1232 v0 0000"),
        (OddManner::EchoesBadVersion, version, "BADVERS 0 opt 1232 v1 0000"),
        (OddManner::TooLarge, EDNS, "NOERROR aa 1 opt 1232 v0 0000 12:600"),
        (OddManner::LosesLarge, BIG_ENOUGH, "silence"),
        (OddManner::DropsUdp, EDNS, "silence"),
        (OddManner::LargeBuffer, EDNS, "NOERROR aa 1 opt 4096 v0 0000"),
        (OddManner::DropsTypes, unknown_type, "silence"),
        (OddManner::DropsOpcodes, opcode, "silence"),
        (OddManner::DropsHeaderFlags, header, "silence"),
        (OddManner::EchoesHeaderFlags, header, "NOERROR aa ad cd z 1"),
        (OddManner::MinimalAny, any, "NOERROR aa 1 opt 1232 v0 0000"),
        (OddManner::Cookies, CLIENT_COOKIE, "NOERROR aa 1 opt 1232 v0 0000 10:24"),
        (
            OddManner::RequiresCookies,
            WRONG_COOKIE,
            "BADCOOKIE 0 opt 1232 v0 0000 10:24",
        ),
        (
            OddManner::ForgetsCookies,
            CLIENT_COOKIE,
            "BADCOOKIE 0 opt 1232 v0 0000 10:24",
        ),
        (OddManner::DropsCookies, WRONG_COOKIE, "NOERROR aa 1 opt 1232 v0 0000"),
        (
            OddManner::HalfCookies,
            CLIENT_COOKIE,
            "NOERROR aa 1 opt 1232 v0 0000 10:8",
        ),
        (
            OddManner::ForeignCookies,
            CLIENT_COOKIE,
            "NOERROR aa 1 opt 1232 v0 0000 10:24",
        ),
        (
            OddManner::LongCookies,
            CLIENT_COOKIE,
            "NOERROR aa 1 opt 1232 v0 0000 10:44",
        ),
        (OddManner::UnaskedCookies, EDNS, "NOERROR aa 1 opt 1232 v0 0000 10:24"),
        (
            OddManner::LaxCookies,
            SHORT_COOKIE,
            "NOERROR aa 1 opt 1232 v0 0000 10:24",
        ),
    ];
    assert_eq!(odd.map(|(manner, _, _)| manner), OddManner::ALL);
    for (manner, question, expected) in odd {
        let lab = pocket().await;
        with(&lab, FaultRule::odd(manner));
        let patience = if expected == "silence" { SILENCE } else { PATIENCE };
        assert_eq!(question.said(&lab, patience).await, expected, "{manner:?}");
        let ordinary = match manner {
            OddManner::DropsUdp
            | OddManner::DropsWithoutEdns
            | OddManner::DropsWithoutDo
            | OddManner::DropsWithoutOption => "silence",
            OddManner::RefusesWithoutRd => "REFUSED 0",
            OddManner::UnaskedOpt => "NOERROR aa 1 opt 1232 v0 0000",
            _ => "NOERROR aa 1",
        };
        let patience = if ordinary == "silence" { SILENCE } else { PATIENCE };
        assert_eq!(PLAIN.said(&lab, patience).await, ordinary, "{manner:?}");
    }
}

#[tokio::test]
async fn a_server_that_insists_on_something_answers_whoever_brings_it() {
    let recursive = Odd { bits: 0x0100, ..PLAIN };
    for (manner, question, expected) in [
        (OddManner::DropsWithoutEdns, EDNS, "NOERROR aa 1 opt 1232 v0 0000"),
        (OddManner::DropsWithoutDo, DO, "NOERROR aa 2 opt 1232 v0 8000"),
        (OddManner::DropsWithoutOption, UNKNOWN, "NOERROR aa 1 opt 1232 v0 0000"),
        (OddManner::RefusesWithoutRd, recursive, "NOERROR aa rd 1"),
    ] {
        let lab = pocket().await;
        with(&lab, FaultRule::odd(manner));
        assert_eq!(question.said(&lab, PATIENCE).await, expected, "{manner:?}");
    }
}

/// The keys of the zone with their signature and NSEC3 parameters: an answer beyond 512 octets by way of ANY.
const BIG_ENOUGH: Odd = Odd {
    qtype: 255,
    edns: Some((1232, 0, 0x8000)),
    ..PLAIN
};

#[tokio::test]
async fn malformed_cookies_are_rejected_by_whoever_knows_cookies() {
    let lab = pocket().await;
    with(&lab, FaultRule::odd(OddManner::Cookies));
    assert_eq!(SHORT_COOKIE.said(&lab, PATIENCE).await, "FORMERR 0 opt 1232 v0 0000");
    let lab = pocket().await;
    assert_eq!(SHORT_COOKIE.said(&lab, PATIENCE).await, "NOERROR aa 1 opt 1232 v0 0000");
}

#[tokio::test]
async fn each_hostile_answer_carries_the_id_and_the_question() {
    for hostility in Hostility::ALL {
        let lab = pocket().await;
        with(&lab, FaultRule::hostile(hostility));
        let octets = PLAIN.udp(&lab, PATIENCE).await.unwrap();
        assert_eq!(octets[..2], [0x12, 0x34], "{hostility:?}");
        assert_eq!(octets[12..12 + APEX.len()], *APEX, "{hostility:?}");
        let is_truncated = octets[2] & 0x02 != 0;
        let by_tcp = [Hostility::Dribbles, Hostility::ManyServers].contains(&hostility);
        assert_eq!(is_truncated, by_tcp, "{hostility:?}");
    }
}

#[tokio::test]
async fn a_server_that_dribbles_sends_one_octet_after_the_other() {
    let lab = pocket().await;
    with(&lab, FaultRule::hostile(Hostility::Dribbles));
    let mut stream = TcpStream::connect(at(&lab, SERVER)).await.unwrap();
    let query = PLAIN.octets();
    let framed = [&(query.len() as u16).to_be_bytes(), query.as_slice()].concat();
    stream.write_all(&framed).await.unwrap();
    let mut room = [0; 512];
    for _ in 0..3 {
        assert_eq!(stream.read(&mut room).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_crowd_of_name_servers_comes_over_tcp() {
    let lab = pocket().await;
    with(&lab, FaultRule::hostile(Hostility::ManyServers));
    let message = ask("good.test", Rtype::NS).tcp(at(&lab, SERVER)).await;
    assert_eq!(message.header_counts().ancount(), 1_000);
}
