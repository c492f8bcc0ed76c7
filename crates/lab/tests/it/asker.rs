//! A client that asks one question of one server.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use domain::base::iana::{Rcode, Rtype};
use domain::base::message::RecordSection;
use domain::base::name::FlattenInto;
use domain::base::opt::AllOptData;
use domain::base::{Message, MessageBuilder, ParsedName, ParsedRecord, StreamTarget};
use domain::rdata::{AllRecordData, ZoneRecordData};
use lab::{Lab, World};
use model::{Name, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

/// How long a test waits for an answer that should come. A server that is silent costs `SILENCE` instead.
const PATIENCE: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_millis(300);

pub type Answer = Message<Vec<u8>>;

/// When the worlds of tests start.
pub fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

pub async fn pocket() -> Lab {
    Lab::start(World::shipped("pocket").unwrap(), 0, noon()).await.unwrap()
}

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub fn at(lab: &Lab, address: &str) -> SocketAddr {
    SocketAddr::new(address.parse::<IpAddr>().unwrap(), lab.port())
}

/// What is asked, with the settings of an ordinary validating client.
#[derive(Clone)]
pub struct Ask {
    pub qname: String,
    pub qtype: Rtype,
    pub edns: Option<u16>,
    pub recursion: bool,
}

pub fn ask(qname: &str, qtype: Rtype) -> Ask {
    Ask {
        qname: qname.to_owned(),
        qtype,
        edns: Some(1232),
        recursion: false,
    }
}

impl Ask {
    pub fn without_edns(self) -> Self {
        Self { edns: None, ..self }
    }

    pub fn query(&self) -> Vec<u8> {
        let mut builder = MessageBuilder::from_target(StreamTarget::new_vec()).unwrap();
        builder.header_mut().set_id(4711);
        builder.header_mut().set_rd(self.recursion);
        let mut builder = builder.question();
        let qname = domain::base::Name::<Vec<u8>>::from_chars(self.qname.chars()).unwrap();
        builder.push((qname, self.qtype)).unwrap();
        let mut builder = builder.additional();
        if let Some(size) = self.edns {
            builder
                .opt(|opt| {
                    opt.set_udp_payload_size(size);
                    opt.set_dnssec_ok(true);
                    opt.push_raw_option(domain::base::iana::OptionCode::NSID, 0, |_| Ok(()))
                })
                .unwrap();
        }
        builder.finish().as_dgram_slice().to_vec()
    }

    /// The octets that come back over UDP; none when none come.
    pub async fn octets(&self, server: SocketAddr, patience: Duration) -> Option<Vec<u8>> {
        let (octets, from) = self.datagram(server, patience).await?;
        assert_eq!(from, server);
        Some(octets)
    }

    /// The address from which an answer comes over UDP.
    pub async fn source(&self, server: SocketAddr) -> IpAddr {
        let datagram = self.datagram(server, PATIENCE).await;
        datagram.unwrap_or_else(|| panic!("{server} says nothing")).1.ip()
    }

    async fn datagram(&self, server: SocketAddr, patience: Duration) -> Option<(Vec<u8>, SocketAddr)> {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
        socket.send_to(&self.query(), server).await.unwrap();
        let mut buffer = vec![0; 65_535];
        let (length, from) = tokio::time::timeout(patience, socket.recv_from(&mut buffer))
            .await
            .ok()?
            .unwrap();
        buffer.truncate(length);
        Some((buffer, from))
    }

    pub async fn udp(&self, server: SocketAddr) -> Answer {
        let octets = self
            .octets(server, PATIENCE)
            .await
            .unwrap_or_else(|| panic!("{server} says nothing"));
        Message::from_octets(octets).unwrap()
    }

    pub async fn is_left_without_answer(&self, server: SocketAddr) -> bool {
        self.octets(server, SILENCE).await.is_none()
    }

    /// All messages that come back over TCP until the server closes, or one where it does not.
    pub async fn tcp_octets(&self, server: SocketAddr, patience: Duration) -> Option<Vec<u8>> {
        let mut stream = TcpStream::connect(server).await.unwrap();
        let query = self.query();
        stream
            .write_all(&[&(query.len() as u16).to_be_bytes(), query.as_slice()].concat())
            .await
            .unwrap();
        let read = async {
            let mut octets = vec![0; usize::from(stream.read_u16().await.ok()?)];
            stream.read_exact(&mut octets).await.ok()?;
            Some(octets)
        };
        tokio::time::timeout(patience, read).await.ok()?
    }

    /// All records of a transfer, or none when it is refused.
    pub async fn transfer(&self, server: SocketAddr) -> Vec<ZoneRecord> {
        let mut stream = TcpStream::connect(server).await.unwrap();
        let query = self.query();
        stream
            .write_all(&[&(query.len() as u16).to_be_bytes(), query.as_slice()].concat())
            .await
            .unwrap();
        let mut found = Vec::new();
        loop {
            let mut octets = vec![0; usize::from(stream.read_u16().await.unwrap())];
            stream.read_exact(&mut octets).await.unwrap();
            let part = Message::from_octets(octets).unwrap();
            found.extend(records(part.answer().unwrap()));
            let ends = found
                .iter()
                .filter(|record: &&ZoneRecord| record.rtype() == Rtype::SOA)
                .count();
            if ends != 1 {
                return found;
            }
        }
    }

    pub async fn tcp(&self, server: SocketAddr) -> Answer {
        Message::from_octets(self.tcp_octets(server, PATIENCE).await.unwrap()).unwrap()
    }

    pub async fn is_left_without_tcp_answer(&self, server: SocketAddr) -> bool {
        self.tcp_octets(server, SILENCE).await.is_none()
    }
}

/// A record with names and octets of its own.
pub type ZoneRecord = domain::base::Record<WireName, ZoneRecordData<Vec<u8>, WireName>>;
pub type WireName = domain::base::Name<Vec<u8>>;

/// Records of a section, OPT left out.
pub fn records(section: RecordSection<'_, Vec<u8>>) -> Vec<ZoneRecord> {
    let parsed = section
        .map(Result::unwrap)
        .filter(|record| record.rtype() != Rtype::OPT);
    parsed
        .map(|record| {
            record
                .to_record::<ZoneRecordData<_, ParsedName<_>>>()
                .unwrap()
                .unwrap()
                .flatten_into()
        })
        .collect()
}

/// The NSID of an answer, if it has EDNS at all.
pub fn nsid_of(message: &Answer) -> Option<String> {
    let opt = message.opt()?;
    let nsid = opt
        .opt()
        .iter::<AllOptData<_, domain::base::Name<_>>>()
        .find_map(|option| match option.unwrap() {
            AllOptData::Nsid(nsid) => Some(String::from_utf8(nsid.as_slice().to_vec()).unwrap()),
            _ => None,
        });
    Some(nsid.unwrap_or_default())
}

type Found<'a> = ParsedRecord<'a, Vec<u8>>;

/// Records of a section as `owner TYPE data`, signatures as `owner RRSIG TYPE`, OPT left out.
pub fn lines<'a>(records: impl Iterator<Item = Found<'a>>) -> Vec<String> {
    let line = |record: Found<'a>| {
        let parsed = record.to_record::<AllRecordData<_, ParsedName<_>>>().unwrap().unwrap();
        let owner = Name::from_wire(parsed.owner());
        match parsed.data() {
            AllRecordData::Rrsig(rrsig) => format!("{owner} RRSIG {}", rrsig.type_covered()),
            data => format!("{owner} {} {data}", parsed.rtype()),
        }
    };
    records
        .filter(|record| record.rtype() != Rtype::OPT)
        .map(line)
        .collect()
}

pub fn answer_of(message: &Answer) -> Vec<String> {
    lines(message.answer().unwrap().map(Result::unwrap))
}

pub fn authority_of(message: &Answer) -> Vec<String> {
    lines(message.authority().unwrap().map(Result::unwrap))
}

pub fn additional_of(message: &Answer) -> Vec<String> {
    lines(message.additional().unwrap().map(Result::unwrap))
}

pub fn rcode_of(message: &Answer) -> Rcode {
    message.header().rcode()
}
