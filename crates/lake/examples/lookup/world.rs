//! Made-up RRsets. Every number gives one, always the same, and no two are the same.
//!
//! A zone has a random label of 4 to 15 letters under one of 24 TLDs, half of them under com, and ten RRsets: NS, SOA and MX with the
//! servers of one of 20,000 providers, an address of the zone and of `www`, and five hosts with random labels (addresses, AAAA, CNAME,
//! TXT). Addresses come from 1,000,000, the low ones more often (the square of a uniform number): shared hosting. First seen within
//! a year, seen for up to 90 days, once to a thousand times. RRsets of a receipt are neighbours in no order of the tables.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use domain::base::iana::Rtype;
use jiff::Timestamp;
use lake::passive::Source;
use model::{Name, PassiveRrset, SeenIn, Tlp};

const OF_ZONE: u64 = 10;
const ADDRESSES: f64 = 1_000_000.0;
const TLDS: [&str; 24] = [
    "com", "com", "com", "com", "com", "com", "com", "com", "com", "com", "com", "com", "net", "org", "de", "uk", "nl",
    "br", "info", "fr", "eu", "it", "ke", "co.uk",
];

/// The first of January 2026.
const YEAR: i64 = 1_767_225_600;

/// Who gives them.
pub fn source() -> Source {
    Source {
        id: "sensor-1".to_owned(),
        owner: "nobody: the rows are made up".to_owned(),
        licence: "none".to_owned(),
        tlp: Tlp::Clear,
        legal_basis: "none".to_owned(),
    }
}

pub struct World {
    pub rrsets: u64,
}

/// SplitMix64 (Steele, Lea and Flood, 2014): one step from `number`.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn label(number: u64) -> String {
    let mut bits = mixed(number);
    let length = 4 + bits % 12;
    let mut text = String::new();
    for _ in 0..length {
        bits = mixed(bits);
        text.push(char::from(b'a' + (bits % 26) as u8));
    }
    // two numbers may give the same letters
    let _ = write!(text, "{number:x}");
    text
}

fn wire(name: &Name) -> Vec<u8> {
    name.as_wire().as_octets().clone()
}

fn name(text: &str) -> Name {
    text.parse().expect("labels of letters and digits make a name")
}

/// The labels from the root down, each followed by a dot, as the tables have them.
pub fn reversed(name: &Name) -> String {
    let text = name.to_string();
    text.split('.').rev().map(|label| format!("{label}.")).collect()
}

impl World {
    /// One of the numbers, by chance of its own.
    pub fn any(&self, question: u64) -> u64 {
        mixed(question ^ 0x5eed) % self.rrsets
    }

    /// The zone's number, spread so that neighbours in time are none in the tables.
    fn zone(&self, at: u64) -> Name {
        let number = at / OF_ZONE;
        let tld = TLDS[(mixed(number ^ 1) % TLDS.len() as u64) as usize];
        name(&format!("{}.{tld}", label(number)))
    }

    fn ipv4(&self, at: u64) -> Ipv4Addr {
        let uniform = mixed(at ^ 2) as f64 / u64::MAX as f64;
        Ipv4Addr::from(0x0b00_0000 + (uniform * uniform * ADDRESSES) as u32)
    }

    /// The address of an A record of this number.
    pub fn address(&self, at: u64) -> Option<Ipv4Addr> {
        matches!(at % OF_ZONE, 3..=6).then(|| self.ipv4(at))
    }

    pub fn rrset(&self, at: u64) -> PassiveRrset {
        let zone = self.zone(at);
        let provider = mixed((at / OF_ZONE) ^ 3) % 20_000;
        let server = |host: &str| wire(&name(&format!("{host}.{}.net", label(provider << 40))));
        let below = |host: &str| name(&format!("{host}.{zone}"));
        let host = || below(&label(at | (1 << 50)));
        let ipv4 = || vec![self.ipv4(at).octets().to_vec()];
        let (owner, rtype, mut rdata) = match at % OF_ZONE {
            0 => (zone.clone(), Rtype::NS, vec![server("ns1"), server("ns2")]),
            1 => (
                zone.clone(),
                Rtype::SOA,
                vec![
                    [
                        server("ns1"),
                        server("hostmaster"),
                        mixed(at).to_be_bytes().repeat(3)[..20].to_vec(),
                    ]
                    .concat(),
                ],
            ),
            2 => (zone.clone(), Rtype::MX, vec![[vec![0, 10], server("mx")].concat()]),
            3 => (zone.clone(), Rtype::A, ipv4()),
            4 => (below("www"), Rtype::A, ipv4()),
            5 | 6 => (host(), Rtype::A, ipv4()),
            7 => (
                host(),
                Rtype::AAAA,
                vec![
                    [
                        vec![0x20, 1, 0x0d, 0xb8],
                        mixed(at).to_be_bytes().to_vec(),
                        vec![0, 0, 0, 1],
                    ]
                    .concat(),
                ],
            ),
            8 => (host(), Rtype::CNAME, vec![wire(&below("www"))]),
            _ => (
                host(),
                Rtype::TXT,
                vec![format!("\x0ev={:012x}", mixed(at) >> 16).into_bytes()],
            ),
        };
        rdata.sort();
        let first = YEAR + (mixed(at ^ 4) % 31_536_000) as i64;
        let last = first + (mixed(at ^ 5) % 7_776_000) as i64;
        let time = |second| Timestamp::from_second(second).unwrap_or_default();
        PassiveRrset {
            name: owner,
            rtype,
            bailiwick: zone,
            rdata,
            seen_in: SeenIn::Wire,
            first: time(first),
            last: time(last),
            count: 1 + mixed(at ^ 6) % 1000,
        }
    }
}
