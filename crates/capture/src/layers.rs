//! From the octets of a frame to the payload of UDP or a segment of TCP.
//!
//! Written here, and not taken from `etherparse`, for three reasons: captures come with link types that it does not know (SLL2, null,
//! loop); a packet that the capture cut short still has a header to count by and often a whole question; and the fields of
//! fragments are needed as they are. Lengths in the headers rule over the length of the frame, so Ethernet's padding goes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Tags and shims that may stand between Ethernet and IP. QinQ has two; more than eight are no traffic of the Internet.
const MOST_TAGS: usize = 8;

/// Authentication header of IPsec, in both families (RFC 4302).
const AUTHENTICATION: u8 = 51;

/// Extension headers of IPv6 that are followed (RFC 8200 §4.1 names seven, each once).
const MOST_EXTENSIONS: usize = 8;

/// Why a frame ends before UDP, TCP or ICMP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// Another protocol than IP (ARP, LLDP, …).
    NotIp,
    /// A link type that is not read.
    UnknownLink,
    /// Headers that are cut or contradict themselves.
    BadHeader,
}

/// An IP packet, or a whole one put together from fragments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IpPacket<'a> {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    /// What the payload is (IANA protocol numbers), behind all extension headers.
    pub(crate) protocol: u8,
    pub(crate) payload: &'a [u8],
    /// Octets of the payload that are missing because the capture cut the packet.
    pub(crate) missing: usize,
    pub(crate) fragment: Option<Fragment>,
}

/// Where a fragment belongs (RFC 791 §3.2, RFC 8200 §4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fragment {
    pub(crate) identification: u32,
    /// In octets.
    pub(crate) offset: usize,
    /// Whether more follow.
    pub(crate) more: bool,
}

/// What IP carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carried<'a> {
    Udp {
        source: u16,
        destination: u16,
        payload: &'a [u8],
        /// Whether octets are missing.
        is_snapped: bool,
    },
    Tcp(Segment<'a>),
    /// ICMP and ICMPv6 (RFC 792, RFC 4443); `is_unreachable` is type 3 or 1.
    Icmp {
        is_unreachable: bool,
    },
    Other,
}

/// One segment of TCP (RFC 9293 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment<'a> {
    pub(crate) source: u16,
    pub(crate) destination: u16,
    pub(crate) sequence: u32,
    pub(crate) acknowledged: Option<u32>,
    pub(crate) syn: bool,
    pub(crate) fin: bool,
    pub(crate) reset: bool,
    pub(crate) payload: &'a [u8],
}

/// The IP packet in a frame of this link type.
pub(crate) fn ip_packet(link: u16, frame: &[u8]) -> Result<IpPacket<'_>, Ends> {
    ip(network(link, frame)?)
}

fn network(link: u16, frame: &[u8]) -> Result<&[u8], Ends> {
    match link {
        // null and loop: four octets of address family, whose numbers differ from system to system; the IP version decides
        0 | 108 => behind(frame, 4),
        1 => tagged(frame, 12),
        // FDDI: frame control, two addresses, then LLC with SNAP (RFC 1188)
        10 => match behind(frame, 13)? {
            [0xaa, 0xaa, 3, 0, 0, 0, ..] => tagged(frame, 19),
            _ => Err(Ends::NotIp),
        },
        // raw IP; 12 and 14 are what some systems write for it
        12 | 14 | 101 | 228 | 229 => Ok(frame),
        // Linux cooked capture, both versions
        113 => tagged(frame, 14),
        276 => {
            let kind = frame.get(..2).ok_or(Ends::BadHeader)?;
            inner(u16::from_be_bytes([kind[0], kind[1]]), behind(frame, 20)?)
        }
        _ => Err(Ends::UnknownLink),
    }
}

/// What follows an EtherType that stands at `at`.
fn tagged(frame: &[u8], at: usize) -> Result<&[u8], Ends> {
    let kind = frame.get(at..at + 2).ok_or(Ends::BadHeader)?;
    inner(u16::from_be_bytes([kind[0], kind[1]]), &frame[at + 2..])
}

fn inner(mut kind: u16, mut rest: &[u8]) -> Result<&[u8], Ends> {
    for _ in 0..=MOST_TAGS {
        match kind {
            0x0800 | 0x86dd => return Ok(rest),
            // VLAN and QinQ (IEEE 802.1Q, 802.1ad, and the number before it was one)
            0x8100 | 0x88a8 | 0x9100 => {
                let tag = rest.get(..4).ok_or(Ends::BadHeader)?;
                kind = u16::from_be_bytes([tag[2], tag[3]]);
                rest = &rest[4..];
            }
            // a length, with LLC and SNAP behind it (RFC 1042)
            ..=0x05dc => match rest {
                [0xaa, 0xaa, 3, 0, 0, 0, high, low, behind @ ..] => {
                    (kind, rest) = (u16::from_be_bytes([*high, *low]), behind);
                }
                _ => return Err(Ends::NotIp),
            },
            // MPLS (RFC 3032 §2.1): the last label says so, and nothing says what is behind it but that itself
            0x8847 | 0x8848 => {
                let label = rest.get(..4).ok_or(Ends::BadHeader)?;
                rest = &rest[4..];
                if label[2] & 1 == 1 {
                    return match rest.first().map(|first| first >> 4) {
                        Some(4 | 6) => Ok(rest),
                        _ => Err(Ends::NotIp),
                    };
                }
            }
            // PPPoE session (RFC 2516) with the two PPP numbers of IP
            0x8864 => {
                let header = rest.get(..8).ok_or(Ends::BadHeader)?;
                kind = match (header[6], header[7]) {
                    (0, 0x21) => 0x0800,
                    (0, 0x57) => 0x86dd,
                    _ => return Err(Ends::NotIp),
                };
                rest = &rest[8..];
            }
            _ => return Err(Ends::NotIp),
        }
    }
    Err(Ends::BadHeader)
}

fn behind(octets: &[u8], length: usize) -> Result<&[u8], Ends> {
    octets.get(length..).ok_or(Ends::BadHeader)
}

fn ip(packet: &[u8]) -> Result<IpPacket<'_>, Ends> {
    match packet.first().ok_or(Ends::BadHeader)? >> 4 {
        4 => ipv4(packet),
        6 => ipv6(packet),
        _ => Err(Ends::BadHeader),
    }
}

fn ipv4(packet: &[u8]) -> Result<IpPacket<'_>, Ends> {
    let header = packet.first_chunk::<20>().ok_or(Ends::BadHeader)?;
    let header_length = usize::from(header[0] & 0x0f) * 4;
    // a total length of 0 is what a card leaves that cuts segments itself
    let total = match usize::from(u16::from_be_bytes([header[2], header[3]])) {
        0 => packet.len(),
        total => total,
    };
    if header_length < 20 || total < header_length {
        return Err(Ends::BadHeader);
    }
    let flags = u16::from_be_bytes([header[6], header[7]]);
    let (more, offset) = (flags & 0x2000 != 0, usize::from(flags & 0x1fff) * 8);
    let packet = IpPacket {
        source: address_v4(&header[12..16]),
        destination: address_v4(&header[16..20]),
        protocol: header[9],
        payload: packet
            .get(header_length..total.min(packet.len()))
            .ok_or(Ends::BadHeader)?,
        missing: total.saturating_sub(packet.len()),
        fragment: (more || offset > 0).then(|| Fragment {
            identification: u32::from(u16::from_be_bytes([header[4], header[5]])),
            offset,
            more,
        }),
    };
    match packet.protocol {
        AUTHENTICATION if packet.fragment.is_none() => behind_extensions(packet),
        _ => Ok(packet),
    }
}

fn ipv6(packet: &[u8]) -> Result<IpPacket<'_>, Ends> {
    let header = packet.first_chunk::<40>().ok_or(Ends::BadHeader)?;
    let total = match usize::from(u16::from_be_bytes([header[4], header[5]])) {
        0 => packet.len(),
        payload => 40 + payload,
    };
    behind_extensions(IpPacket {
        source: address_v6(&header[8..24]),
        destination: address_v6(&header[24..40]),
        protocol: header[6],
        payload: &packet[40..total.min(packet.len())],
        missing: total.saturating_sub(packet.len()),
        fragment: None,
    })
}

/// The packet behind the extension headers with which its payload begins, as far as a fragment. What was put together from fragments may
/// begin with some as well.
pub(crate) fn behind_extensions(mut found: IpPacket<'_>) -> Result<IpPacket<'_>, Ends> {
    if found.source.is_ipv4() && found.protocol != AUTHENTICATION {
        return Ok(found);
    }
    for _ in 0..MOST_EXTENSIONS {
        let length = match found.protocol {
            // hop-by-hop, routing, destination options, and those of mobility, HIP and shim6, which have the same form (RFC 6564):
            // length in units of eight octets, the first not counted
            0 | 43 | 60 | 135 | 139 | 140 => usize::from(*found.payload.get(1).ok_or(Ends::BadHeader)?) * 8 + 8,
            // units of four, two not counted (RFC 4302 §2.2)
            AUTHENTICATION => usize::from(*found.payload.get(1).ok_or(Ends::BadHeader)?) * 4 + 8,
            44 => {
                let fields = found.payload.first_chunk::<8>().ok_or(Ends::BadHeader)?;
                let place = u16::from_be_bytes([fields[2], fields[3]]);
                let (more, offset) = (place & 1 != 0, usize::from(place & 0xfff8));
                found.protocol = fields[0];
                found.payload = &found.payload[8..];
                if more || offset > 0 {
                    found.fragment = Some(Fragment {
                        identification: u32::from_be_bytes([fields[4], fields[5], fields[6], fields[7]]),
                        offset,
                        more,
                    });
                    return Ok(found);
                }
                // a fragment that is the whole (RFC 6946)
                continue;
            }
            _ => return Ok(found),
        };
        found.protocol = found.payload[0];
        found.payload = behind(found.payload, length)?;
    }
    Err(Ends::BadHeader)
}

/// What an IP packet carries. `Err` where its header is cut.
pub(crate) fn carried<'a>(packet: &IpPacket<'a>) -> Result<Carried<'a>, Ends> {
    let octets = packet.payload;
    match packet.protocol {
        17 => {
            let header = octets.first_chunk::<8>().ok_or(Ends::BadHeader)?;
            let (source, destination) = ports(header);
            // 0 stands for a length that does not fit (RFC 2675 §4)
            let length = match usize::from(u16::from_be_bytes([header[4], header[5]])) {
                0 => octets.len(),
                length => length,
            };
            if length < 8 || (octets.len() < length && packet.missing == 0) {
                return Err(Ends::BadHeader);
            }
            Ok(Carried::Udp {
                source,
                destination,
                payload: &octets[8..length.min(octets.len())],
                is_snapped: octets.len() < length,
            })
        }
        6 => {
            let header = octets.first_chunk::<20>().ok_or(Ends::BadHeader)?;
            let (source, destination) = ports(header);
            let header_length = usize::from(header[12] >> 4) * 4;
            if header_length < 20 {
                return Err(Ends::BadHeader);
            }
            let payload = behind(octets, header_length)?;
            let flags = header[13];
            let acknowledged = u32::from_be_bytes([header[8], header[9], header[10], header[11]]);
            Ok(Carried::Tcp(Segment {
                source,
                destination,
                sequence: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
                acknowledged: (flags & 0x10 != 0).then_some(acknowledged),
                syn: flags & 0x02 != 0,
                fin: flags & 0x01 != 0,
                reset: flags & 0x04 != 0,
                payload,
            }))
        }
        1 | 58 => Ok(Carried::Icmp {
            is_unreachable: octets.first() == Some(if packet.protocol == 1 { &3 } else { &1 }),
        }),
        _ => Ok(Carried::Other),
    }
}

fn ports(header: &[u8]) -> (u16, u16) {
    (
        u16::from_be_bytes([header[0], header[1]]),
        u16::from_be_bytes([header[2], header[3]]),
    )
}

fn address_v4(octets: &[u8]) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]))
}

fn address_v6(octets: &[u8]) -> IpAddr {
    let mut address = [0; 16];
    address.copy_from_slice(octets);
    IpAddr::V6(Ipv6Addr::from(address))
}
