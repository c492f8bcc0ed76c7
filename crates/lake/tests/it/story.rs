//! Samples and changes to test with.

use jiff::{SignedDuration, Timestamp};
use model::{ChangedPart, Name, Outcome, Sample, Transport, ZoneChange};
use proptest::prelude::*;

/// 2026-11-23T10:00:00Z and so many seconds.
pub fn at(seconds: i64) -> Timestamp {
    "2026-11-23T10:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub fn sample(zone: &str, time: Timestamp) -> Sample {
    Sample {
        time,
        probe: "ams-1".to_owned(),
        zone: name(zone),
        server: Some(name("ns1.nic.example")),
        address: "192.0.2.53".parse().unwrap(),
        transport: Transport::Udp,
        qname: name(zone),
        qtype: 6,
        outcome: Outcome::Answer,
        rtt_us: Some(21_000),
        rcode: Some(0),
        authoritative: true,
        truncated: false,
        serial: Some(2_026_112_301),
        nsid: Some("ams.nic".to_owned()),
        size_bytes: Some(512),
        flags: Some(0x8400),
        attempts: Some(1),
        validated: None,
        signature_expiration: None,
    }
}

pub fn change(zone: &str, time: Timestamp) -> ZoneChange {
    ZoneChange {
        time,
        zone: name(zone),
        part: ChangedPart::Ns,
        before: vec!["ns1.old.example".to_owned(), "ns2.old.example".to_owned()],
        after: Vec::new(),
        announced: false,
    }
}

/// Rows in an order that does not depend on where they came from.
pub fn sorted(mut samples: Vec<Sample>) -> Vec<String> {
    samples.sort_by_key(|sample| sample.time);
    let mut texts: Vec<String> = samples.iter().map(|sample| format!("{sample:?}")).collect();
    texts.sort();
    texts
}

fn names() -> impl Strategy<Value = Name> {
    let labels = prop::collection::vec("[a-z0-9_-]{1,20}|[!-~]{1,5}|xn--[a-z0-9]{2,8}", 1..4);
    labels.prop_filter_map("a name", |labels| labels.join(".").parse().ok())
}

/// Any sample, with its time in one of three days and whole microseconds.
pub fn samples() -> impl Strategy<Value = Sample> {
    let time = (0_i64..3 * 86_400_000_000).prop_map(|us| at(0) + SignedDuration::from_micros(us));
    let outcome = prop::sample::select(vec![
        Outcome::Answer,
        Outcome::Timeout,
        Outcome::Refused,
        Outcome::Garbage,
        Outcome::Unreachable,
    ]);
    let head = (
        time,
        ".{0,12}",
        names(),
        prop::option::of(names()),
        any::<std::net::IpAddr>(),
        any::<bool>(),
    );
    let answer = (
        names(),
        any::<u16>(),
        outcome,
        prop::option::of(0..=i64::MAX as u64),
        any::<Option<u16>>(),
    );
    let rest = (
        any::<bool>(),
        any::<bool>(),
        any::<Option<u32>>(),
        any::<Option<String>>(),
        any::<Option<u32>>(),
        any::<(Option<u16>, Option<u16>, Option<bool>, Option<u32>)>(),
    );
    (head, answer, rest).prop_map(|(head, answer, rest)| Sample {
        time: head.0,
        probe: head.1,
        zone: head.2,
        server: head.3,
        address: head.4,
        transport: if head.5 { Transport::Tcp } else { Transport::Udp },
        qname: answer.0,
        qtype: answer.1,
        outcome: answer.2,
        rtt_us: answer.3,
        rcode: answer.4,
        authoritative: rest.0,
        truncated: rest.1,
        serial: rest.2,
        nsid: rest.3,
        size_bytes: rest.4,
        flags: rest.5.0,
        attempts: rest.5.1,
        validated: rest.5.2,
        signature_expiration: rest
            .5
            .3
            .map(|second| Timestamp::from_second(second.into()).expect("u32 seconds are a time")),
    })
}
