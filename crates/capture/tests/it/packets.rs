//! Makes messages, packets and capture files, and keeps what comes out of reading them.

use std::io::Cursor;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use capture::{
    ClientCell, DistinctCell, Input, Malformed, OutOfBailiwick, Reader, Receipt, Settings, Sink, SinkError, TrafficCell,
};
use model::{PassiveRrset, rdata_text};

/// Everything that came out of an input.
#[derive(Default)]
pub struct Kept {
    pub rrsets: Vec<PassiveRrset>,
    pub evidence: Vec<OutOfBailiwick>,
    pub cells: Vec<TrafficCell>,
    pub distincts: Vec<DistinctCell>,
    pub clients: Vec<ClientCell>,
    /// Packet number, reason and octets.
    pub quarantined: Vec<(u64, String, Vec<u8>)>,
}

impl Sink for Kept {
    fn rrset(&mut self, rrset: PassiveRrset) -> Result<(), SinkError> {
        self.rrsets.push(rrset);
        Ok(())
    }

    fn out_of_bailiwick(&mut self, evidence: OutOfBailiwick) -> Result<(), SinkError> {
        self.evidence.push(evidence);
        Ok(())
    }

    fn traffic(&mut self, cell: TrafficCell) -> Result<(), SinkError> {
        self.cells.push(cell);
        Ok(())
    }

    fn distinct(&mut self, cell: DistinctCell) -> Result<(), SinkError> {
        self.distincts.push(cell);
        Ok(())
    }

    fn client(&mut self, cell: ClientCell) -> Result<(), SinkError> {
        self.clients.push(cell);
        Ok(())
    }

    fn quarantine(&mut self, malformed: Malformed<'_>) -> Result<(), SinkError> {
        self.quarantined.push((
            malformed.packet,
            malformed.reason.to_string(),
            malformed.octets.to_vec(),
        ));
        Ok(())
    }
}

impl Kept {
    /// The RRsets as sorted lines: owner, type, zone, data.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .rrsets
            .iter()
            .map(|rrset| {
                let data: Vec<String> = rrset.rdata.iter().map(|data| rdata_text(rrset.rtype, data)).collect();
                format!(
                    "{} {} [{}] {}",
                    rrset.name,
                    rrset.rtype,
                    rrset.bailiwick,
                    data.join(" ")
                )
            })
            .collect();
        lines.sort();
        lines
    }

    /// The evidence as sorted lines: owner, type, reason, data.
    pub fn evidence_lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .evidence
            .iter()
            .map(|evidence| {
                let data: Vec<String> = evidence
                    .rdata
                    .iter()
                    .map(|data| rdata_text(evidence.rtype, data))
                    .collect();
                format!(
                    "{} {} {:?} {}",
                    evidence.name,
                    evidence.rtype,
                    evidence.reason,
                    data.join(" ")
                )
            })
            .collect();
        lines.sort();
        lines
    }
}

/// Reads octets as a file with the default settings.
pub fn read(octets: Vec<u8>) -> (Receipt, Kept) {
    read_with(Settings::default(), octets)
}

pub fn read_with(settings: Settings, octets: Vec<u8>) -> (Receipt, Kept) {
    let mut kept = Kept::default();
    let receipt = Reader::new(settings)
        .read(Input::new("test", Cursor::new(octets)), &mut kept)
        .unwrap();
    (receipt, kept)
}

pub const CLIENT: &str = "192.0.2.10";
pub const SERVER: &str = "198.51.100.53";

/// A DNS message under construction.
#[derive(Clone)]
pub struct Message {
    octets: Vec<u8>,
}

/// The sections of records by the place of their count in the header.
#[derive(Clone, Copy)]
pub enum In {
    Answer = 6,
    Authority = 8,
    Additional = 10,
}

impl Message {
    pub fn query(id: u16, name: &str, qtype: u16) -> Self {
        let mut octets = id.to_be_bytes().to_vec();
        octets.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        octets.extend(wire(name));
        octets.extend(qtype.to_be_bytes());
        octets.extend([0, 1]);
        Self { octets }
    }

    /// The response to a query: QR is set and nothing else.
    pub fn response(id: u16, name: &str, qtype: u16) -> Self {
        let mut message = Self::query(id, name, qtype);
        message.octets[2] |= 0x80;
        message
    }

    /// A response with a header alone.
    pub fn response_without_question(id: u16) -> Self {
        let mut octets = id.to_be_bytes().to_vec();
        octets.extend([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        Self { octets }
    }

    pub fn authoritative(mut self) -> Self {
        self.octets[2] |= 0x04;
        self
    }

    pub fn truncated(mut self) -> Self {
        self.octets[2] |= 0x02;
        self
    }

    pub fn rcode(mut self, rcode: u8) -> Self {
        self.octets[3] |= rcode;
        self
    }

    pub fn record(mut self, section: In, owner: &str, rtype: u16, rdata: &[u8]) -> Self {
        self.octets.extend(wire(owner));
        self.octets.extend(rtype.to_be_bytes());
        self.octets.extend([0, 1, 0, 0, 14, 16]);
        self.octets.extend((rdata.len() as u16).to_be_bytes());
        self.octets.extend(rdata);
        self.octets[section as usize + 1] += 1;
        self
    }

    pub fn a(self, section: In, owner: &str, address: &str) -> Self {
        let address: Ipv4Addr = address.parse().unwrap();
        self.record(section, owner, 1, &address.octets())
    }

    pub fn ns(self, section: In, owner: &str, host: &str) -> Self {
        self.record(section, owner, 2, &wire(host))
    }

    /// An OPT record with the DO bit.
    pub fn dnssec_ok(mut self) -> Self {
        self.octets.extend([0, 0, 41, 4, 208, 0, 0, 0x80, 0, 0, 0]);
        self.octets[11] += 1;
        self
    }

    pub fn octets(&self) -> Vec<u8> {
        self.octets.clone()
    }

    /// With the two octets of length that TCP has.
    pub fn framed(&self) -> Vec<u8> {
        let mut framed = (self.octets.len() as u16).to_be_bytes().to_vec();
        framed.extend(&self.octets);
        framed
    }
}

/// A name in wire form, in its case.
pub fn wire(name: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    for label in name.trim_end_matches('.').split('.').filter(|label| !label.is_empty()) {
        octets.push(label.len() as u8);
        octets.extend(label.as_bytes());
    }
    octets.push(0);
    octets
}

/// UDP header and payload.
pub fn udp(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    octets.extend(source.to_be_bytes());
    octets.extend(destination.to_be_bytes());
    octets.extend((payload.len() as u16 + 8).to_be_bytes());
    octets.extend([0, 0]);
    octets.extend(payload);
    octets
}

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;

/// TCP header and payload.
pub fn tcp(source: u16, destination: u16, sequence: u32, ack: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    octets.extend(source.to_be_bytes());
    octets.extend(destination.to_be_bytes());
    octets.extend(sequence.to_be_bytes());
    octets.extend(ack.to_be_bytes());
    octets.extend([0x50, flags, 255, 255, 0, 0, 0, 0]);
    octets.extend(payload);
    octets
}

/// An IP packet of either family.
pub fn ip(source: &str, destination: &str, protocol: u8, payload: &[u8]) -> Vec<u8> {
    ip_fragment(source, destination, protocol, payload, 0, 0, false)
}

/// A fragment; `offset` in octets. With offset 0 and no more to follow, a whole packet.
pub fn ip_fragment(
    source: &str,
    destination: &str,
    protocol: u8,
    payload: &[u8],
    identification: u32,
    offset: usize,
    more: bool,
) -> Vec<u8> {
    let mut octets = Vec::new();
    match (source.parse().unwrap(), destination.parse().unwrap()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            octets.extend([0x45, 0]);
            octets.extend((payload.len() as u16 + 20).to_be_bytes());
            octets.extend((identification as u16).to_be_bytes());
            octets.extend(((offset / 8) as u16 | u16::from(more) << 13).to_be_bytes());
            octets.extend([64, protocol, 0, 0]);
            octets.extend(source.octets());
            octets.extend(destination.octets());
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let is_fragment = more || offset > 0;
            let length = payload.len() + if is_fragment { 8 } else { 0 };
            octets.extend([0x60, 0, 0, 0]);
            octets.extend((length as u16).to_be_bytes());
            octets.extend([if is_fragment { 44 } else { protocol }, 64]);
            octets.extend(Ipv6Addr::octets(&source));
            octets.extend(Ipv6Addr::octets(&destination));
            if is_fragment {
                octets.extend([protocol, 0]);
                octets.extend((offset as u16 | u16::from(more)).to_be_bytes());
                octets.extend(identification.to_be_bytes());
            }
        }
        _ => unreachable!("both addresses of a packet are of one family"),
    }
    octets.extend(payload);
    octets
}

/// An Ethernet frame around an IP packet.
pub fn ethernet(packet: &[u8]) -> Vec<u8> {
    let mut octets = vec![2; 12];
    octets.extend(ether_type(packet));
    octets.extend(packet);
    octets
}

pub fn ether_type(packet: &[u8]) -> [u8; 2] {
    if packet[0] >> 4 == 6 {
        [0x86, 0xdd]
    } else {
        [0x08, 0x00]
    }
}

/// The frame of a query from the client's port 4,000 to the server.
pub fn asks(message: &Message) -> Vec<u8> {
    ethernet(&ip(CLIENT, SERVER, 17, &udp(4000, 53, &message.octets())))
}

/// The frame of the server's response to it.
pub fn answers(message: &Message) -> Vec<u8> {
    ethernet(&ip(SERVER, CLIENT, 17, &udp(53, 4000, &message.octets())))
}

/// A pcap file under construction.
pub struct Pcap {
    pub octets: Vec<u8>,
    big_endian: bool,
    nanoseconds: bool,
}

/// 2026-01-01T00:00:00Z in microseconds.
pub const START: u64 = 1_767_225_600_000_000;

impl Pcap {
    pub fn new() -> Self {
        Self::of_form(false, false, 1)
    }

    pub fn of_form(big_endian: bool, nanoseconds: bool, link: u32) -> Self {
        let mut pcap = Self {
            octets: Vec::new(),
            big_endian,
            nanoseconds,
        };
        pcap.u32(if nanoseconds { 0xa1b2_3c4d } else { 0xa1b2_c3d4 });
        pcap.u32(if big_endian { 0x0002_0004 } else { 0x0004_0002 });
        for field in [0, 0, 262_144, link] {
            pcap.u32(field);
        }
        pcap
    }

    fn u32(&mut self, value: u32) {
        self.octets.extend(if self.big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        });
    }

    /// Adds a frame captured so many microseconds after [`START`].
    pub fn at(self, micros: i64, frame: &[u8]) -> Self {
        self.snapped(micros, frame, frame.len())
    }

    /// The same, of which only the first `captured` octets were kept.
    pub fn snapped(mut self, micros: i64, frame: &[u8], captured: usize) -> Self {
        let time = START.strict_add_signed(micros);
        self.u32((time / 1_000_000) as u32);
        let fraction = (time % 1_000_000) as u32;
        self.u32(if self.nanoseconds { fraction * 1_000 } else { fraction });
        self.u32(captured as u32);
        self.u32(frame.len() as u32);
        self.octets.extend(&frame[..captured]);
        self
    }
}

/// A capture of a query and its answer.
pub fn one_pair() -> Vec<u8> {
    let query = Message::query(7, "www.example", 1);
    let response = Message::response(7, "www.example", 1)
        .authoritative()
        .a(In::Answer, "www.example", "192.0.2.80");
    Pcap::new().at(0, &asks(&query)).at(900, &answers(&response)).octets
}
