//! Which packets the kernel lets through to us: DNS ports, and fragments, of which only the first tells ports (classic BPF, the kernel's
//! Documentation/networking/filter.rst). Without it all traffic of a line would go through the ring.

use std::io;
use std::os::fd::AsFd;

use socket2::{SockFilter, SockRef};

/// Most ports that a filter takes: its jumps reach 255 instructions.
pub const MOST_PORTS: usize = 32;

// codes of instructions (the kernel's `bpf_common.h`)
const LOAD_HALF: u16 = 0x28;
const LOAD_OCTET: u16 = 0x30;
const LOAD_HALF_BEHIND_HEADER: u16 = 0x48;
const MEASURE_HEADER: u16 = 0xb1;
const AND: u16 = 0x54;
const IF_EQUAL: u16 = 0x15;
const IF_ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;

/// Octets of a packet that are taken: all.
const WHOLE: u32 = 0x4_0000;

const UDP: u32 = 17;
const TCP: u32 = 6;

/// Headers of IPv6 behind which the ports may lie: hop by hop, routing, fragment, destination options (RFC 8200 §4).
const EXTENSIONS: [u32; 4] = [0, 43, 44, 60];

/// Where an instruction goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    Next,
    /// Over so many instructions.
    Over(u8),
    /// To the part for IPv6.
    V6,
    Take,
    Leave,
}

#[derive(Default)]
struct Program {
    steps: Vec<(u16, u32, To, To)>,
    v6: usize,
}

impl Program {
    fn step(&mut self, code: u16, value: u32) {
        self.steps.push((code, value, To::Next, To::Next));
    }

    fn jump(&mut self, code: u16, value: u32, then: To, otherwise: To) {
        self.steps.push((code, value, then, otherwise));
    }

    /// Takes what has one of the ports at `source` or two octets behind.
    fn ports(&mut self, load: u16, source: u32, ports: &[u16]) {
        for place in [source, source + 2] {
            self.step(load, place);
            for port in ports {
                self.jump(IF_EQUAL, u32::from(*port), To::Take, To::Next);
            }
        }
        self.step(RETURN, 0);
    }

    fn of(is_ethernet: bool, ports: &[u16]) -> Self {
        let mut program = Self::default();
        let ip = if is_ethernet { 14 } else { 0 };
        if is_ethernet {
            program.step(LOAD_HALF, 12);
            // tags of VLANs that the card did not take out
            program.jump(IF_EQUAL, 0x8100, To::Take, To::Next);
            program.jump(IF_EQUAL, 0x88a8, To::Take, To::Next);
            program.jump(IF_EQUAL, 0x86dd, To::V6, To::Next);
            program.jump(IF_EQUAL, 0x0800, To::Next, To::Leave);
        } else {
            program.step(LOAD_OCTET, 0);
            program.step(AND, 0xf0);
            program.jump(IF_EQUAL, 0x60, To::V6, To::Next);
            program.jump(IF_EQUAL, 0x40, To::Next, To::Leave);
        }
        program.step(LOAD_OCTET, ip + 9);
        program.jump(IF_EQUAL, UDP, To::Over(1), To::Next);
        program.jump(IF_EQUAL, TCP, To::Next, To::Leave);
        // the offset of a fragment
        program.step(LOAD_HALF, ip + 6);
        program.jump(IF_ANY_BIT, 0x1fff, To::Take, To::Next);
        program.step(MEASURE_HEADER, ip);
        program.ports(LOAD_HALF_BEHIND_HEADER, ip, ports);
        program.v6 = program.steps.len();
        program.step(LOAD_OCTET, ip + 6);
        for extension in EXTENSIONS {
            program.jump(IF_EQUAL, extension, To::Take, To::Next);
        }
        program.jump(IF_EQUAL, UDP, To::Over(1), To::Next);
        program.jump(IF_EQUAL, TCP, To::Next, To::Leave);
        program.ports(LOAD_HALF, ip + 40, ports);
        program.step(RETURN, 0);
        program.step(RETURN, WHOLE);
        program
    }

    fn assembled(&self) -> Vec<SockFilter> {
        let end = self.steps.len();
        let steps = self.steps.iter().enumerate();
        let assembled = steps.map(|(at, (code, value, then, otherwise))| {
            let distance = |to: To| match to {
                To::Next => 0,
                To::Over(steps) => steps,
                To::V6 => (self.v6 - at - 1) as u8,
                To::Leave => (end - 2 - at - 1) as u8,
                To::Take => (end - 1 - at - 1) as u8,
            };
            SockFilter::new(*code, distance(*then), distance(*otherwise), *value)
        });
        assembled.collect()
    }
}

/// Sets the filter on a socket: at most [`MOST_PORTS`] ports.
pub fn attach(socket: &impl AsFd, is_ethernet: bool, ports: &[u16]) -> io::Result<()> {
    if ports.len() > MOST_PORTS {
        let reason = format!("a filter takes at most {MOST_PORTS} ports");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    SockRef::from(socket).attach_filter(&Program::of(is_ethernet, ports).assembled())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    /// A header of IPv4 with options of so many octets, and ports behind it.
    fn v4(protocol: u8, options: u8, fragment: u16, ports: [u16; 2]) -> Vec<u8> {
        let mut packet = vec![0x45 + options / 4, 0, 0, 60, 0, 7];
        packet.extend(fragment.to_be_bytes());
        packet.extend([64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 53]);
        packet.extend(vec![1; options.into()]);
        packet.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
        packet.extend([0; 40]);
        packet
    }

    fn v6(next: u8, ports: [u16; 2]) -> Vec<u8> {
        let mut packet = vec![0x60, 0, 0, 0, 0, 60, next, 64];
        packet.extend([0; 32]);
        packet.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
        packet.extend([0; 40]);
        packet
    }

    fn on_ethernet(kind: u16, packet: &[u8]) -> Vec<u8> {
        [&[2; 12][..], &kind.to_be_bytes(), packet].concat()
    }

    /// Whether the kernel's own interpreter lets a packet through, which it runs on datagrams of Unix sockets as well.
    fn is_taken(is_ethernet: bool, ports: &[u16], packet: &[u8]) -> bool {
        let (sender, receiver) = UnixDatagram::pair().unwrap();
        receiver.set_nonblocking(true).unwrap();
        attach(&receiver, is_ethernet, ports).unwrap();
        // a datagram that the filter leaves out is an error of the sender in some kernels
        let _ = sender.send(packet);
        receiver.recv(&mut [0; 256]).is_ok_and(|octets| octets == packet.len())
    }

    #[test]
    fn dns_and_fragments_pass_and_the_rest_does_not() {
        let many: Vec<u16> = (0..MOST_PORTS as u16).map(|port| 5_300 + port).collect();
        for (packet, kind, expected) in [
            (v4(17, 0, 0, [40_000, 53]), 0x0800, true),
            (v4(17, 0, 0, [53, 40_000]), 0x0800, true),
            (v4(6, 20, 0, [40_000, 53]), 0x0800, true),
            (v4(17, 0, 0x4000, [40_000, 53]), 0x0800, true),
            (v4(17, 0, 0x0010, [9, 9]), 0x0800, true),
            (v4(17, 0, 0, [40_000, 443]), 0x0800, false),
            (v4(6, 20, 0, [53 << 8, 443]), 0x0800, false),
            (v4(1, 0, 0, [53, 53]), 0x0800, false),
            (v6(17, [40_000, 53]), 0x86dd, true),
            (v6(6, [53, 40_000]), 0x86dd, true),
            (v6(44, [9, 9]), 0x86dd, true),
            (v6(17, [40_000, 443]), 0x86dd, false),
            (v6(58, [53, 53]), 0x86dd, false),
        ] {
            let is_taken = |is_ethernet, packet: &[u8]| is_taken(is_ethernet, &[53, 5353], packet);
            assert_eq!(is_taken(true, &on_ethernet(kind, &packet)), expected, "{packet:?}");
            assert_eq!(is_taken(false, &packet), expected, "without a link: {packet:?}");
        }
        assert!(is_taken(true, &[53], &on_ethernet(0x8100, &[0; 60])));
        assert!(!is_taken(true, &[53], &on_ethernet(0x0806, &[0; 60])));
        for port in [5_300, 5_331] {
            assert!(is_taken(true, &many, &on_ethernet(0x86dd, &v6(6, [40_000, port]))));
            assert!(is_taken(
                true,
                &many,
                &on_ethernet(0x0800, &v4(17, 0, 0, [port, 40_000]))
            ));
        }
        assert!(!is_taken(true, &many, &on_ethernet(0x0800, &v4(17, 0, 0, [53, 53]))));
    }

    #[test]
    fn more_ports_than_jumps_reach_are_refused() {
        let (_, receiver) = UnixDatagram::pair().unwrap();
        let ports = vec![53; MOST_PORTS + 1];
        assert!(attach(&receiver, true, &ports).is_err());
    }
}
