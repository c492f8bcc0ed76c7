//! `bench ingest` takes a capture into a lake, and has dnscap and tshark decode the same file, which keep nothing of it: tshark counts it.
//!
//! The capture is made up (below), or a real one that is repeated with later times until it has as many packets. It lies in the page cache when
//! it is read.

use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Watched, binary, watch};
use crate::packages::Package;

/// Whom we are compared with, and what the comparison needs.
pub const PEERS: &[Package] = &[
    Package {
        name: "dnscap",
        program: "dnscap",
        needed_for: "bench ingest",
    },
    Package {
        name: "tshark",
        program: "tshark",
        needed_for: "bench ingest",
    },
    Package {
        name: "iproute2",
        program: "ip",
        needed_for: "bench ingest",
    },
];

/// Packets by default.
const PACKETS: u64 = 5_000_000;

/// Runs of each; the fastest counts, so that a busy machine harms nobody.
const RUNS: usize = 3;

/// Packets above which the peers get one run, and tshark none: it takes memory for each, 1.4 GB of two millions.
const MANY: u64 = 10_000_000;

/// Prints packets per second of each, memory, and the ratio to the fastest peer.
pub fn compare(folder: &Path) -> Result<(), String> {
    // of the outer process, which has started this one anew
    let words: Vec<String> = std::env::args().skip(3).collect();
    let packets = words.first().map_or(Ok(PACKETS), |word| word.parse());
    let packets = packets.map_err(|_| format!("`{}` is no number of packets", words[0]))?;
    let capture = folder.join("capture.pcap");
    let count = match words.get(1) {
        Some(real) => repeat(Path::new(real), packets, &capture)?,
        None => make(packets, &capture).map_err(|error| format!("could not write the capture: {error}"))?,
    };
    let octets = fs::metadata(&capture).map_or(0, |file| file.len());
    println!("{count} packets, {:.1} MB", octets as f64 / 1e6);
    warm(&capture)?;

    let ours = binary()?;
    let ingest = |run: usize| {
        let mut ingest = Command::new(&ours);
        ingest
            .arg("ingest")
            .arg(&capture)
            .arg("--lake")
            .arg(folder.join(format!("lake-{run}")));
        ingest
    };
    let dnscap = |_| {
        let mut dnscap = Command::new("dnscap");
        dnscap.args(["-g", "-r"]).arg(&capture);
        dnscap
    };
    let tshark = |_| {
        let mut tshark = Command::new("tshark");
        tshark.args(["-n", "-q", "-z", "dns,tree", "-r"]).arg(&capture);
        tshark
    };
    println!("{:>30} {:>14} {:>18} {:>8}", "", "packets/s", "per second of CPU", "MB");
    let dnscert = best("dnscert ingest, stored", count, RUNS, ingest)?;
    let runs = if count > MANY { 1 } else { RUNS };
    let mut fastest = best("dnscap -g, decoded", count, runs, dnscap)?;
    if count <= MANY {
        let tshark = best("tshark -z dns,tree, counted", count, runs, tshark)?;
        fastest = if tshark.seconds < fastest.seconds {
            tshark
        } else {
            fastest
        };
    }
    println!(
        "ratio to the fastest peer: {:.1} in time, {:.1} in CPU time",
        fastest.seconds / dnscert.seconds,
        fastest.cpu_seconds / dnscert.cpu_seconds
    );
    Ok(())
}

fn best(what: &str, count: u64, runs: usize, command: impl Fn(usize) -> Command) -> Result<Watched, String> {
    let mut best: Option<Watched> = None;
    for run in 0..runs {
        let mut command = command(run);
        let one = watch(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()))?;
        if !one.status.success() {
            return Err(format!("{command:?} ended with {}", one.status));
        }
        if best.as_ref().is_none_or(|best| one.seconds < best.seconds) {
            best = Some(one);
        }
    }
    let best = best.ok_or("nothing was run")?;
    println!(
        "{what:>30} {:>14.0} {:>18.0} {:>8.0}",
        count as f64 / best.seconds,
        count as f64 / best.cpu_seconds.max(0.01),
        best.peak_mb
    );
    Ok(best)
}

/// Reads the file once, so that it lies in the page cache.
fn warm(path: &Path) -> Result<(), String> {
    let mut octets = vec![0; 1 << 20];
    let failed = |error| format!("could not read `{}`: {error}", path.display());
    let mut file = File::open(path).map_err(failed)?;
    while file.read(&mut octets).map_err(failed)? > 0 {}
    Ok(())
}

/// Head of a pcap file with microseconds, little-endian, snap length 65,535.
fn head(link_type: u32) -> Vec<u8> {
    let mut head = Vec::new();
    head.extend(0xa1b2_c3d4_u32.to_le_bytes());
    head.extend([2, 0, 4, 0]);
    head.extend([0; 8]);
    head.extend(65_535_u32.to_le_bytes());
    head.extend(link_type.to_le_bytes());
    head
}

fn record(out: &mut impl std::io::Write, microseconds: u64, packet: &[u8]) -> std::io::Result<()> {
    let seconds = u32::try_from(microseconds / 1_000_000).unwrap_or(u32::MAX);
    let length = u32::try_from(packet.len()).unwrap_or(u32::MAX).to_le_bytes();
    out.write_all(&seconds.to_le_bytes())?;
    out.write_all(&((microseconds % 1_000_000) as u32).to_le_bytes())?;
    out.write_all(&length)?;
    out.write_all(&length)?;
    out.write_all(packet)
}

/// Repeats a capture, ten seconds after its end each time, until there are so many packets.
fn repeat(real: &Path, packets: u64, to: &Path) -> Result<u64, String> {
    let octets = fs::read(real).map_err(|error| format!("could not read `{}`: {error}", real.display()))?;
    if !octets.starts_with(&0xa1b2_c3d4_u32.to_le_bytes()) || octets.len() < 24 {
        return Err(format!(
            "`{}` is no pcap of little-endian microseconds; `editcap -F pcap` makes one",
            real.display()
        ));
    }
    let number = |at: usize| {
        octets
            .get(at..at + 4)
            .map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
    };
    let mut records = Vec::new();
    let mut at = 24;
    while let (Some(seconds), Some(micros), Some(length)) = (number(at), number(at + 4), number(at + 8)) {
        let Some(packet) = octets.get(at + 16..at + 16 + length as usize) else {
            break;
        };
        records.push((u64::from(seconds) * 1_000_000 + u64::from(micros), packet));
        at += 16 + length as usize;
    }
    let (Some(first), Some(last)) = (records.first(), records.last()) else {
        return Err(format!("`{}` holds no packets", real.display()));
    };
    let span = last.0.saturating_sub(first.0) + 10_000_000;
    let written = || -> std::io::Result<()> {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(to)?);
        out.write_all(&octets[..24])?;
        let rounds = (0..).flat_map(|round| records.iter().map(move |(time, packet)| (time + round * span, *packet)));
        for (_, (time, packet)) in (0..packets).zip(rounds) {
            record(&mut out, time, packet)?;
        }
        out.flush()
    };
    written().map_err(|error| format!("could not write the capture: {error}"))?;
    Ok(packets)
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Queries of 250 resolvers to one authoritative server of 20,000 zones, and its responses 300 microseconds later, 20,000 of each a second.
///
/// Six of ten ask for the address of one of fifty hosts of a zone (the low zones more often: the square of a uniform number), and get one with the zone's
/// servers; a quarter ask for an IPv6 address that is not there; the rest for a name that is not there. RFC 1035's format, names compressed.
fn make(packets: u64, to: &Path) -> std::io::Result<u64> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(to)?);
    // LINKTYPE_RAW: packets begin with their IP header
    out.write_all(&head(101))?;
    let mut chance = Chance(0x5eed);
    let begin = 1_767_225_600_000_000_u64;
    let mut packet = Vec::new();
    for pair in 0..packets / 2 {
        let time = begin + pair * 50;
        let uniform = chance.below(1 << 20) as f64 / f64::from(1 << 20);
        let zone = format!("zone{}", (uniform * uniform * 20_000.0) as u64);
        let kind = chance.below(100);
        let host = match kind {
            0..=84 => format!("host{}", chance.below(50)),
            _ => format!("x{:x}", chance.next()),
        };
        let qtype: u16 = if (60..85).contains(&kind) { 28 } else { 1 };
        let question = [
            name(&[&host, &zone, "example"]),
            qtype.to_be_bytes().to_vec(),
            vec![0, 1],
        ]
        .concat();
        let (id, port) = (chance.next() as u16, 1_024 + chance.below(60_000) as u16);
        let client = [192, 0, 2, 1 + chance.below(250) as u8];

        let mut message = [&id.to_be_bytes()[..], &[0, 0, 0, 1, 0, 0, 0, 0, 0, 1]].concat();
        message.extend(&question);
        message.extend([0, 0, 41, 4, 208, 0, 0, 128, 0, 0, 0]);
        datagram(&mut packet, (client, port), (SERVER, 53), &message);
        record(&mut out, time, &packet)?;

        let (rcode, answers): (u8, u8) = match kind {
            0..=59 => (0, 1),
            60..=84 => (0, 0),
            _ => (3, 0),
        };
        let authority = if answers == 1 { 2 } else { 1 };
        let mut message = [
            &id.to_be_bytes()[..],
            &[0x84, rcode, 0, 1, 0, answers, 0, authority, 0, 1],
        ]
        .concat();
        message.extend(&question);
        if answers == 1 {
            let at = zone
                .bytes()
                .fold(0_u8, |sum, octet| sum.wrapping_mul(31).wrapping_add(octet));
            message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 203, 0, 113, at]);
        }
        // the zone's name stands behind the host's label in the question
        let of_zone = [0xc0, 12 + 1 + host.len() as u8];
        if answers == 1 {
            for server in [1, 2] {
                message.extend(of_zone);
                message.extend([0, 2, 0, 1, 0, 0, 14, 16, 0, 6, 3, b'n', b's', b'0' + server]);
                message.extend(of_zone);
            }
        } else {
            message.extend(of_zone);
            message.extend([0, 6, 0, 1, 0, 0, 14, 16, 0, 32, 3, b'n', b's', b'1']);
            message.extend(of_zone);
            message.extend([3, b'h', b'm', b'r']);
            message.extend(of_zone);
            message.extend([0, 0, 0, 1, 0, 0, 14, 16, 0, 0, 7, 8, 0, 9, 58, 128, 0, 0, 1, 44]);
        }
        message.extend([0, 0, 41, 4, 208, 0, 0, 128, 0, 0, 0]);
        datagram(&mut packet, (SERVER, 53), (client, port), &message);
        record(&mut out, time + 300, &packet)?;
    }
    out.flush()?;
    Ok(packets / 2 * 2)
}

const SERVER: [u8; 4] = [198, 51, 100, 53];

fn name(labels: &[&str]) -> Vec<u8> {
    let mut name = Vec::new();
    for label in labels {
        name.push(label.len() as u8);
        name.extend(label.as_bytes());
    }
    name.push(0);
    name
}

/// An IPv4 packet (RFC 791) with a UDP datagram (RFC 768), without checksums, which no reader of captures asks for.
fn datagram(packet: &mut Vec<u8>, from: ([u8; 4], u16), to: ([u8; 4], u16), message: &[u8]) {
    packet.clear();
    let length = message.len() as u16;
    packet.extend([0x45, 0]);
    packet.extend((28 + length).to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    packet.extend(from.0);
    packet.extend(to.0);
    packet.extend(from.1.to_be_bytes());
    packet.extend(to.1.to_be_bytes());
    packet.extend((8 + length).to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(message);
}
