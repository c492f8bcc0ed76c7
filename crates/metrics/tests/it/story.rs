//! Samples to reckon with.

use jiff::{SignedDuration, Timestamp};
use model::{Finding, Level, Name, Outcome, Sample, Transport};

/// 2026-11-01T00:00:00Z and so many seconds.
pub fn at(seconds: i64) -> Timestamp {
    "2026-11-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// A SOA answer of a server within 20 ms.
pub fn answer(zone: &str, server: &str, address: &str, probe: &str, time: Timestamp) -> Sample {
    Sample {
        time,
        probe: probe.to_owned(),
        zone: name(zone),
        server: Some(name(server)),
        address: address.parse().unwrap(),
        transport: Transport::Udp,
        qname: name(zone),
        qtype: 6,
        outcome: Outcome::Answer,
        rtt_us: Some(20_000),
        rcode: Some(0),
        authoritative: true,
        truncated: false,
        serial: Some(2_026_110_100),
        nsid: None,
        size_bytes: Some(100),
        flags: Some(0x8400),
        attempts: Some(1),
        validated: None,
        signature_expiration: None,
    }
}

/// The same without an answer.
pub fn timeout(sample: Sample) -> Sample {
    Sample {
        outcome: Outcome::Timeout,
        rtt_us: None,
        rcode: None,
        serial: None,
        size_bytes: None,
        flags: None,
        validated: None,
        signature_expiration: None,
        ..sample
    }
}

pub fn finding(case: &str, tag: &str, level: Level) -> Finding {
    Finding {
        case: case.to_owned(),
        tag: tag.to_owned(),
        level,
        args: Default::default(),
        vantage_point: None,
    }
}
