//! Capture files, record by record: pcap (draft-ietf-opsawg-pcap) in both orders of octets, with micro- and nanoseconds, and
//! pcapng (draft-ietf-opsawg-pcapng) with any number of sections and interfaces.
//!
//! Written here, and not taken from `pcap-parser`, because that reads a resolution in powers of two as invalid and an offset of
//! time always as little-endian (0.17), and because a receipt has to say at which octet a file is broken.

use std::io;

use crate::input::Octets;

/// Longest packet that is taken, in octets. libpcap and Wireshark write at most 262,144 for the links that carry IP. A longer one
/// says that the file is broken; higher: a broken length makes us read (and hold) that much for nothing.
const LONGEST_PACKET: u32 = 1 << 20;

/// Most interfaces in one section, so that a file of nothing but interfaces stays bounded.
const MOST_INTERFACES: usize = 65_536;

/// Octets of a block that are not a packet and are read at all (its options); what lies behind is passed over.
const LONGEST_HEADER_BLOCK: u64 = 1 << 20;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

/// One captured packet.
pub(crate) struct Frame<'a> {
    /// Nanoseconds since 1970.
    pub(crate) time: i64,
    /// Link type (LINKTYPE_ registry of tcpdump.org).
    pub(crate) link: u16,
    pub(crate) octets: &'a [u8],
}

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("it ends in the middle of a record that begins at octet {0}")]
    Cut(u64),
    #[error("at octet {0}: {1}")]
    Broken(u64, &'static str),
    #[error("it cannot be read beyond octet {0}: {1}")]
    Unreadable(u64, io::Error),
}

/// The order of octets and the unit of time of a pcap file.
struct Pcap {
    big_endian: bool,
    /// Nanoseconds in a unit of the fraction.
    fraction: i64,
    link: u16,
    /// Octets of a record's header: 16, or 24 in the form of old Linux distributions ("modified pcap").
    record_header: usize,
}

/// What an interface of a pcapng file says about its packets.
#[derive(Clone, Copy)]
struct Interface {
    link: u16,
    /// Units of time in a second; `None` where they are so many that all that 64 bits count of them is less than a nanosecond.
    resolution: Option<u128>,
    /// Seconds to be added.
    offset: i64,
}

#[derive(Default)]
struct PcapNg {
    big_endian: bool,
    interfaces: Vec<Interface>,
    /// Time of the packet before, for blocks without one.
    time: i64,
}

enum Form {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

/// A capture file that gives its packets one after another.
pub(crate) struct PacketFile {
    form: Form,
}

impl PacketFile {
    /// Looks at the first octets; `None` where they are of neither form.
    pub(crate) fn recognise(octets: &mut Octets) -> io::Result<Option<Self>> {
        octets.fill(24)?;
        let start = octets.available();
        let Some(magic) = start.first_chunk::<4>() else {
            return Ok(None);
        };
        if u32::from_be_bytes(*magic) == SECTION_HEADER {
            return Ok(Some(Self {
                form: Form::PcapNg(PcapNg::default()),
            }));
        }
        let (big_endian, fraction, record_header) = match *magic {
            [0xd4, 0xc3, 0xb2, 0xa1] => (false, 1_000, 16),
            [0xa1, 0xb2, 0xc3, 0xd4] => (true, 1_000, 16),
            [0x4d, 0x3c, 0xb2, 0xa1] => (false, 1, 16),
            [0xa1, 0xb2, 0x3c, 0x4d] => (true, 1, 16),
            [0x34, 0xcd, 0xb2, 0xa1] => (false, 1_000, 24),
            [0xa1, 0xb2, 0xcd, 0x34] => (true, 1_000, 24),
            _ => return Ok(None),
        };
        if start.len() < 24 {
            return Ok(None);
        }
        // the upper half of the field holds the length of a frame check sequence and flags
        let link = read_u32(big_endian, start, 20) as u16;
        octets.take(24);
        Ok(Some(Self {
            form: Form::Pcap(Pcap {
                big_endian,
                fraction,
                link,
                record_header,
            }),
        }))
    }

    /// `pcap` or `pcapng`.
    pub(crate) fn is_pcapng(&self) -> bool {
        matches!(self.form, Form::PcapNg(_))
    }

    /// The next packet; `None` at the end of the file.
    pub(crate) fn next<'a>(&mut self, octets: &'a mut Octets) -> Result<Option<Frame<'a>>, Fault> {
        match &mut self.form {
            Form::Pcap(pcap) => pcap.next(octets),
            Form::PcapNg(pcapng) => pcapng.next(octets),
        }
    }
}

/// Has `wanted` octets ready; `false` at a clean end, a fault where the input ends in the middle.
pub(crate) fn need(octets: &mut Octets, wanted: usize) -> Result<bool, Fault> {
    let at = octets.position;
    match octets.fill(wanted) {
        Ok(true) => Ok(true),
        Ok(false) if octets.available().is_empty() => Ok(false),
        Ok(false) => Err(Fault::Cut(at)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Fault::Cut(at)),
        Err(error) => Err(Fault::Unreadable(at, error)),
    }
}

impl Pcap {
    fn next<'a>(&mut self, octets: &'a mut Octets) -> Result<Option<Frame<'a>>, Fault> {
        if !need(octets, self.record_header)? {
            return Ok(None);
        }
        let header = octets.available();
        let seconds = read_u32(self.big_endian, header, 0);
        let fraction = read_u32(self.big_endian, header, 4);
        let captured = read_u32(self.big_endian, header, 8);
        if captured > LONGEST_PACKET {
            return Err(Fault::Broken(
                octets.position,
                "a record says that it is longer than any packet",
            ));
        }
        let length = self.record_header + captured as usize;
        need(octets, length)?;
        let (link, time) = (
            self.link,
            i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * self.fraction,
        );
        Ok(Some(Frame {
            time,
            link,
            octets: &octets.take(length)[self.record_header..],
        }))
    }
}

impl PcapNg {
    fn next<'a>(&mut self, octets: &'a mut Octets) -> Result<Option<Frame<'a>>, Fault> {
        loop {
            if !need(octets, 12)? {
                return Ok(None);
            }
            let at = octets.position;
            let broken = |what| Fault::Broken(at, what);
            let start = octets.available();
            if read_u32(true, start, 0) == SECTION_HEADER {
                self.big_endian = match read_u32(true, start, 8) {
                    BYTE_ORDER_MAGIC => true,
                    magic if magic.swap_bytes() == BYTE_ORDER_MAGIC => false,
                    _ => return Err(broken("a section does not say its order of octets")),
                };
                self.interfaces.clear();
            }
            let kind = read_u32(self.big_endian, start, 0);
            let mut length = read_u32(self.big_endian, start, 4);
            if length >= 12 && !length.is_multiple_of(4) && length < LONGEST_PACKET {
                // some writers do not count the padding, which is there
                let padded = length.next_multiple_of(4) as usize;
                need(octets, padded)?;
                if read_u32(self.big_endian, octets.available(), padded - 4) == length {
                    length = padded as u32;
                }
            }
            if length < 12 || !length.is_multiple_of(4) {
                return Err(broken("the length of a block is not possible"));
            }
            match kind {
                1 => {
                    let length = u64::from(length);
                    let kept = length.min(LONGEST_HEADER_BLOCK) as usize;
                    need(octets, kept)?;
                    if self.interfaces.len() == MOST_INTERFACES {
                        return Err(broken("a section has more than 65,536 interfaces"));
                    }
                    let interface = self
                        .interface(&octets.available()[8..kept - 4])
                        .ok_or(broken("the description of an interface is not possible"))?;
                    self.interfaces.push(interface);
                    pass(octets, length)?;
                }
                // enhanced packet; the packet of older drafts; simple packet
                6 | 2 | 3 => {
                    let fixed = if kind == 3 { 12 } else { 28 };
                    if length < fixed + 4 || length > LONGEST_PACKET + 65_536 {
                        return Err(broken("the length of a packet's block is not possible"));
                    }
                    need(octets, length as usize)?;
                    let (big_endian, interfaces) = (self.big_endian, &self.interfaces);
                    let block = octets.take(length as usize);
                    let body = &block[fixed as usize..block.len() - 4];
                    let number = match kind {
                        6 => read_u32(big_endian, block, 8) as usize,
                        2 => usize::from(read_u16(big_endian, block, 8)),
                        _ => 0,
                    };
                    let interface = interfaces
                        .get(number)
                        .ok_or(broken("a packet names an interface that the section does not describe"))?;
                    let captured = if kind == 3 {
                        read_u32(big_endian, block, 8).min(body.len() as u32)
                    } else {
                        let units = u64::from(read_u32(big_endian, block, 12)) << 32
                            | u64::from(read_u32(big_endian, block, 16));
                        self.time = interface.nanoseconds(units);
                        read_u32(big_endian, block, 20)
                    };
                    let packet = body
                        .get(..captured as usize)
                        .ok_or(broken("a packet is longer than its block"))?;
                    return Ok(Some(Frame {
                        time: self.time,
                        link: interface.link,
                        octets: packet,
                    }));
                }
                _ => pass(octets, u64::from(length))?,
            }
        }
    }

    /// Reads the body of an interface description block, without its closing length.
    fn interface(&self, body: &[u8]) -> Option<Interface> {
        let mut interface = Interface {
            link: read_u16(self.big_endian, body.get(..8)?, 0),
            resolution: Some(1_000_000),
            offset: 0,
        };
        let mut options = &body[8..];
        while options.len() >= 4 {
            let code = read_u16(self.big_endian, options, 0);
            let length = usize::from(read_u16(self.big_endian, options, 2));
            let Some(value) = options.get(4..4 + length) else {
                break;
            };
            match (code, length) {
                (0, _) => break,
                // if_tsresol: a negative power of ten, or of two where the highest bit is set
                (9, 1) => {
                    let power = u32::from(value[0] & 0x7f);
                    interface.resolution = if value[0] & 0x80 == 0 {
                        10u128.checked_pow(power)
                    } else {
                        1u128.checked_shl(power)
                    };
                }
                // if_tsoffset
                (14, 8) => {
                    let halves = [0, 4].map(|at| u64::from(read_u32(self.big_endian, value, at)));
                    let [first, second] = halves;
                    interface.offset = if self.big_endian {
                        first << 32 | second
                    } else {
                        second << 32 | first
                    } as i64;
                }
                _ => {}
            }
            options = options.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        }
        Some(interface)
    }
}

impl Interface {
    fn nanoseconds(&self, units: u64) -> i64 {
        let nanoseconds = match self.resolution {
            Some(1_000_000) => i128::from(units) * 1_000,
            Some(1_000_000_000) => i128::from(units),
            Some(resolution) => (u128::from(units) * 1_000_000_000 / resolution) as i128,
            None => 0,
        } + i128::from(self.offset) * 1_000_000_000;
        nanoseconds.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }
}

/// Passes over a block.
fn pass(octets: &mut Octets, length: u64) -> Result<(), Fault> {
    let at = octets.position;
    match octets.skip(length) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Fault::Cut(at)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Fault::Cut(at)),
        Err(error) => Err(Fault::Unreadable(at, error)),
    }
}

fn read_u32(big_endian: bool, octets: &[u8], at: usize) -> u32 {
    let octets = [octets[at], octets[at + 1], octets[at + 2], octets[at + 3]];
    if big_endian {
        u32::from_be_bytes(octets)
    } else {
        u32::from_le_bytes(octets)
    }
}

fn read_u16(big_endian: bool, octets: &[u8], at: usize) -> u16 {
    let octets = [octets[at], octets[at + 1]];
    if big_endian {
        u16::from_be_bytes(octets)
    } else {
        u16::from_le_bytes(octets)
    }
}
