//! What `Fault::Hostile` sends: octets made by hand, with the id and the question that were asked, so that they are believed.

use std::net::IpAddr;
use std::time::Duration;

use domain::base::Message;
use domain::base::iana::Rtype;
use model::{Name, Transport};

use super::Reaction;
use crate::odd::Hostility;

/// Pause after each octet of `dribbles`: slow enough that no message ends within a question's time.
const DRIBBLE: Duration = Duration::from_millis(200);

/// Name servers of one endless referral.
const FAN: usize = 20;

/// Name servers of a zone with too many.
const CROWD: usize = 1_000;

/// Longest name that a chain or referral is led on from; longer ones would not fit with one more label.
const LONGEST: usize = 180;

/// Reacts to a question for `qname` that came to `address`.
pub(super) fn react(
    hostility: Hostility,
    query: &Message<[u8]>,
    qname: &Name,
    qtype: Rtype,
    zone: &Name,
    address: IpAddr,
    transport: Transport,
) -> Reaction {
    let mut answer = Answer::to(query, qname);
    let mut pace = Duration::ZERO;
    match hostility {
        Hostility::CompressionLoop => {
            let here = answer.octets.len();
            // Two pointers that point at each other, as owner of the first record.
            answer.count(ANSWERS, 1);
            answer.octets.extend([0xc0, here as u8 + 2, 0xc0, here as u8]);
            answer.octets.extend([0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
        }
        Hostility::FalseCounts => {
            for section in [ANSWERS, AUTHORITY, ADDITIONAL] {
                answer.count(section, u16::MAX);
            }
            answer.record(&wire(qname), qtype.to_int(), &[127, 0, 0, 1]);
        }
        Hostility::FalseLengths => {
            answer.count(ANSWERS, 2);
            answer.record(&wire(qname), qtype.to_int(), &[]);
            answer.record(&wire(qname), qtype.to_int(), &[1, 2, 3]);
            let length = answer.octets.len() - 5;
            answer.octets[length..length + 2].copy_from_slice(&[0xff, 0xff]);
        }
        Hostility::Dribbles => {
            if transport == Transport::Udp {
                answer.octets[2] |= 0x02;
            }
            pace = DRIBBLE;
        }
        Hostility::EndlessAliases => {
            answer.octets[2] |= 0x04;
            answer.count(ANSWERS, 1);
            answer.record(&wire(qname), Rtype::CNAME.to_int(), &wire(&next_after(qname, zone)));
        }
        Hostility::EndlessReferrals => {
            answer.count(AUTHORITY, FAN as u16);
            for number in 0..FAN {
                let server = below(qname, zone, &format!("ns{number}"));
                answer.record(&wire(qname), Rtype::NS.to_int(), &wire(&server));
            }
        }
        Hostility::GlueToItself => {
            let server = below(qname, zone, "ns");
            answer.count(AUTHORITY, 1);
            answer.record(&wire(qname), Rtype::NS.to_int(), &wire(&server));
            answer.glue(&server, address);
        }
        Hostility::ManyServers if transport == Transport::Udp => answer.octets[2] |= 0x06,
        Hostility::ManyServers => {
            answer.octets[2] |= 0x04;
            if qtype == Rtype::NS {
                answer.count(ANSWERS, CROWD as u16);
                for number in 0..CROWD {
                    let server = below(zone, zone, &format!("n{number}"));
                    answer.record(&wire(zone), Rtype::NS.to_int(), &wire(&server));
                }
            } else if qtype == Rtype::A {
                answer.address(qname, address);
            }
        }
    }
    Reaction {
        messages: vec![answer.octets],
        pace,
        ..Reaction::default()
    }
}

fn wire(name: &Name) -> Vec<u8> {
    name.as_wire().as_slice().to_vec()
}

/// A name below `name`, or below the zone where that would get too long.
fn below(name: &Name, zone: &Name, label: &str) -> Name {
    let from = if name.as_wire().as_slice().len() > LONGEST {
        zone
    } else {
        name
    };
    from.child(label).unwrap_or_else(|_| zone.clone())
}

/// The name of the zone after this one in a chain that counts up.
fn next_after(name: &Name, zone: &Name) -> Name {
    let text = name.to_string();
    let first = text.split('.').next().unwrap_or_default();
    let number: u32 = first
        .strip_prefix('x')
        .and_then(|rest| rest.parse().ok())
        .unwrap_or_default();
    below(zone, zone, &format!("x{}", number.wrapping_add(1)))
}

/// Where the counts of the sections stand in a header.
const ANSWERS: usize = 6;
const AUTHORITY: usize = 8;
const ADDITIONAL: usize = 10;

/// A message in the making.
struct Answer {
    octets: Vec<u8>,
}

impl Answer {
    fn to(query: &Message<[u8]>, qname: &Name) -> Self {
        let asked = query.as_slice();
        // The question as it was asked: its letters, type and class.
        let end = (12 + qname.as_wire().as_slice().len() + 4).min(asked.len());
        let mut octets = asked[..end].to_vec();
        (octets[2], octets[3]) = (0x80 | octets[2] & 0x01, 0);
        octets[6..12].fill(0);
        Self { octets }
    }

    fn count(&mut self, section: usize, count: u16) {
        self.octets[section..section + 2].copy_from_slice(&count.to_be_bytes());
    }

    fn record(&mut self, owner: &[u8], rtype: u16, data: &[u8]) {
        self.octets.extend(owner);
        self.octets.extend(rtype.to_be_bytes());
        self.octets.extend([0, 1, 0, 0, 0, 60]);
        self.octets.extend((data.len() as u16).to_be_bytes());
        self.octets.extend(data);
    }

    fn glue(&mut self, owner: &Name, address: IpAddr) {
        self.count(ADDITIONAL, 1);
        self.address_record(owner, address);
    }

    fn address(&mut self, owner: &Name, address: IpAddr) {
        self.count(ANSWERS, 1);
        self.address_record(owner, address);
    }

    fn address_record(&mut self, owner: &Name, address: IpAddr) {
        match address {
            IpAddr::V4(address) => self.record(&wire(owner), Rtype::A.to_int(), &address.octets()),
            IpAddr::V6(address) => self.record(&wire(owner), Rtype::AAAA.to_int(), &address.octets()),
        }
    }
}
