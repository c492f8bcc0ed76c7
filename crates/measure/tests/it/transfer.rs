//! Servers that transfer a zone badly: each ends in an error that says so, in bounded time.

use std::net::SocketAddr;
use std::time::Duration;

use domain::base::iana::Class;
use domain::base::{Message, MessageBuilder, Serial, Ttl};
use domain::rdata::{A, Soa};
use measure::transfer::{Step, TransferPlan, Transferred, transfer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

type Wire = domain::base::Name<Vec<u8>>;

fn wire(text: &str) -> Wire {
    text.parse().unwrap()
}

/// What a server writes after a question with this id; then it waits, or hangs up.
#[derive(Clone, Copy)]
enum Says {
    /// Messages of these records, and then nothing.
    Records(&'static [&'static [Record]]),
    /// The same, and hangs up.
    RecordsAndLeaves(&'static [&'static [Record]]),
    /// A record every so often, without end.
    Trickles,
    /// Octets as they are.
    Octets(&'static [u8]),
    /// A message for another question.
    OfAnotherId,
}

#[derive(Clone, Copy)]
enum Record {
    Soa(u32),
    A(u8),
    /// A record of another zone's owner.
    SoaOf(&'static str, u32),
}

fn message(question: &Message<Vec<u8>>, records: &[Record]) -> Vec<u8> {
    let mut answer = MessageBuilder::new_vec()
        .start_answer(question, domain::base::iana::Rcode::NOERROR)
        .unwrap();
    answer.header_mut().set_aa(true);
    let ttl = Ttl::from_secs(60);
    let soa = |serial: u32| {
        Soa::new(
            wire("ns.example."),
            wire("h.example."),
            Serial(serial),
            ttl,
            ttl,
            ttl,
            ttl,
        )
    };
    for record in records {
        match *record {
            Record::Soa(serial) => answer.push((wire("example."), Class::IN, ttl, soa(serial))).unwrap(),
            Record::SoaOf(zone, serial) => answer.push((wire(zone), Class::IN, ttl, soa(serial))).unwrap(),
            Record::A(last) => {
                let owner = wire(&format!("h{last}.example."));
                answer
                    .push((owner, Class::IN, ttl, A::from_octets(192, 0, 2, last)))
                    .unwrap();
            }
        }
    }
    answer.finish()
}

async fn send(stream: &mut TcpStream, message: &[u8]) -> std::io::Result<()> {
    stream.write_u16(u16::try_from(message.len()).unwrap()).await?;
    stream.write_all(message).await
}

async fn converse(stream: &mut TcpStream, says: Says) -> std::io::Result<()> {
    let mut octets = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut octets).await?;
    let question = Message::from_octets(octets).unwrap();
    match says {
        Says::Records(messages) | Says::RecordsAndLeaves(messages) => {
            for records in messages {
                send(stream, &message(&question, records)).await?;
            }
        }
        Says::Trickles => {
            send(stream, &message(&question, &[Record::Soa(7)])).await?;
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                send(stream, &message(&question, &[Record::A(1)])).await?;
            }
        }
        Says::Octets(octets) => stream.write_all(octets).await?,
        Says::OfAnotherId => {
            let mut other = message(&question, &[Record::Soa(7), Record::Soa(7)]);
            other[0] ^= 0xff;
            send(stream, &other).await?;
        }
    }
    if !matches!(says, Says::RecordsAndLeaves(_)) {
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
    Ok(())
}

async fn server(says: Says) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // a client that has heard enough hangs up
        let _ = converse(&mut stream, says).await;
    });
    address
}

/// How a transfer ends, and how many records came.
async fn end_of(says: Says, have: Option<u32>) -> (Result<Transferred, String>, u64) {
    let plan = TransferPlan {
        zone: "example".parse().unwrap(),
        server: server(says).await,
        key: None,
        patience: Duration::from_millis(500),
        longest: Duration::from_millis(1_500),
    };
    let mut records = 0;
    let take = |step: Step| -> Result<(), std::convert::Infallible> {
        records += u64::from(!matches!(step, Step::Whole));
        Ok(())
    };
    let done = transfer(&plan, have, take).await;
    (done.map_err(|error| error.to_string()), records)
}

#[tokio::test]
async fn servers_that_transfer_well_are_understood() {
    use Record::{A, Soa};
    let cases: [(Says, Option<u32>, Transferred, u64); 5] = [
        (
            Says::Records(&[&[Soa(7), A(1), Soa(7)]]),
            None,
            Transferred::Whole { serial: 7 },
            2,
        ),
        (
            Says::Records(&[&[Soa(7)], &[A(1)], &[A(2), Soa(7)]]),
            None,
            Transferred::Whole { serial: 7 },
            3,
        ),
        (Says::Records(&[&[Soa(7)]]), Some(7), Transferred::Current, 0),
        (
            Says::Records(&[&[Soa(8), A(1), Soa(8)]]),
            Some(7),
            Transferred::Whole { serial: 8 },
            2,
        ),
        (
            Says::Records(&[&[Soa(9), Soa(7), A(1), Soa(8), A(2), Soa(8), A(2), Soa(9), A(3), Soa(9)]]),
            Some(7),
            Transferred::Changes { serial: 9 },
            8,
        ),
    ];
    for (at, (says, have, expected, records)) in cases.into_iter().enumerate() {
        assert_eq!(end_of(says, have).await, (Ok(expected), records), "case {at}");
    }
}

#[tokio::test]
async fn servers_that_transfer_badly_end_in_an_error_in_bounded_time() {
    use Record::{A, Soa, SoaOf};
    let cases: [(&str, Says, Option<u32>); 11] = [
        ("nothing", Says::Octets(b""), None),
        ("half a length", Says::Octets(b"\x00"), None),
        ("a length and nothing", Says::Octets(b"\xff\xff"), None),
        (
            "garbage",
            Says::Octets(b"\x00\x20garbage garbage garbage garbage!"),
            None,
        ),
        ("another id", Says::OfAnotherId, None),
        ("no end", Says::Records(&[&[Soa(7), A(1)]]), None),
        ("no end, and leaves", Says::RecordsAndLeaves(&[&[Soa(7), A(1)]]), None),
        ("no SOA first", Says::Records(&[&[A(1), Soa(7)]]), None),
        (
            "another zone",
            Says::Records(&[&[SoaOf("test.", 7), A(1), SoaOf("test.", 7)]]),
            None,
        ),
        ("its SOA alone, which is newer", Says::Records(&[&[Soa(8)]]), Some(7)),
        ("a trickle", Says::Trickles, None),
    ];
    for (what, says, have) in cases {
        let begun = Instant::now();
        let (done, _) = end_of(says, have).await;
        let error = done.expect_err(what);
        assert!(
            error.contains("the transfer of the zone `example` from 127.0.0.1"),
            "{what}: {error}"
        );
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{what}: {:?}",
            begun.elapsed()
        );
    }
}
