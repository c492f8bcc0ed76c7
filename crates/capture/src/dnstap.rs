//! dnstap: DNS messages as a server itself saw them (dnstap.proto of dnstap.info), with the addresses and times that it gives.
//!
//! The messages are declared here field by field, as `prost` reads them, so that building needs no compiler of protocol buffers.
//! What pairing does not need is left out; unknown fields are passed over.

use std::net::{IpAddr, Ipv4Addr};

use model::Transport;
use prost::Message as _;

use crate::pass::{Pass, Route};
use crate::receipt::DropReason;
use crate::sink::SinkError;

/// One frame.
#[derive(Clone, PartialEq, prost::Message)]
struct Frame {
    #[prost(message, optional, tag = "14")]
    message: Option<Recorded>,
}

/// A query, a response, or both.
#[derive(Clone, PartialEq, prost::Message)]
struct Recorded {
    #[prost(int32, optional, tag = "3")]
    socket_protocol: Option<i32>,
    #[prost(bytes = "vec", optional, tag = "4")]
    query_address: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "5")]
    response_address: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "6")]
    query_port: Option<u32>,
    #[prost(uint32, optional, tag = "7")]
    response_port: Option<u32>,
    #[prost(uint64, optional, tag = "8")]
    query_time_sec: Option<u64>,
    #[prost(fixed32, optional, tag = "9")]
    query_time_nsec: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "10")]
    query_message: Option<Vec<u8>>,
    #[prost(uint64, optional, tag = "12")]
    response_time_sec: Option<u64>,
    #[prost(fixed32, optional, tag = "13")]
    response_time_nsec: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "14")]
    response_message: Option<Vec<u8>>,
}

/// How far a sender's clock may be off, in nanoseconds. fstrm holds frames back for a second or a few. Lower: frames of a busy sender are
/// taken for late. Higher: a wrong clock writes into minutes that are long over, or have not begun.
const MOST_OFF: i64 = 60_000_000_000;

/// Takes one frame's messages. `now`: when it came, in nanoseconds since 1970, where it comes while it happens; a sender whose clock is
/// far off is not believed then.
pub(crate) fn take(frame: &[u8], now: Option<i64>, pass: &mut Pass<'_>) -> Result<(), SinkError> {
    pass.receipt.packets += 1;
    let recorded = match Frame::decode(frame) {
        Ok(Frame {
            message: Some(recorded),
        }) if recorded.query_message.is_some() || recorded.response_message.is_some() => recorded,
        _ => {
            pass.receipt.drop(DropReason::NotAMessage);
            return Ok(());
        }
    };
    let mut query_time = time(recorded.query_time_sec, recorded.query_time_nsec);
    let mut response_time = time(recorded.response_time_sec, recorded.response_time_nsec);
    // both are of the sender's clock, and no answer takes so long
    if let (Some(asked), Some(answered)) = (query_time, response_time)
        && asked.abs_diff(answered) > MOST_OFF as u64
    {
        pass.receipt.wrong_clock += 1;
        query_time = response_time;
    }
    if let Some(now) = now {
        let is_off = |time: Option<i64>| time.is_none_or(|time| time.abs_diff(now) > MOST_OFF as u64);
        if is_off(response_time.or(query_time)) {
            pass.receipt.wrong_clock += u64::from(response_time.or(query_time).is_some());
            // how long the answer took stays as the sender says
            query_time =
                query_time.map(|asked| now.saturating_sub(response_time.map_or(0, |time| time.saturating_sub(asked))));
            response_time = Some(now);
        }
    }
    let client = (
        address(recorded.query_address.as_deref()),
        recorded.query_port.unwrap_or(0) as u16,
    );
    let server = (
        address(recorded.response_address.as_deref()),
        recorded.response_port.unwrap_or(0) as u16,
    );
    let transport = match recorded.socket_protocol {
        // TCP, DNS over TLS and over HTTPS, DNSCrypt on TCP
        Some(2 | 3 | 4 | 6) => Transport::Tcp,
        // UDP, DNSCrypt on UDP, DNS over QUIC
        _ => Transport::Udp,
    };
    let asked = query_time.or(response_time).unwrap_or_default();
    let answered = response_time.or(query_time).unwrap_or_default();
    let route = Route {
        source: client,
        destination: server,
        transport,
        asked: None,
        size: None,
    };
    let back = Route {
        source: server,
        destination: client,
        asked: query_time,
        ..route
    };
    match (&recorded.query_message, &recorded.response_message) {
        (Some(query), Some(response)) => {
            pass.saw(asked);
            pass.saw(answered);
            pass.exchange((route, query, asked), (back, response, answered))
        }
        (Some(query), None) => {
            pass.saw(asked);
            pass.message(route, query, false, asked)
        }
        (None, Some(response)) => {
            pass.saw(answered);
            pass.message(back, response, false, answered)
        }
        (None, None) => Ok(()),
    }
}

/// Nanoseconds since 1970.
fn time(seconds: Option<u64>, nanoseconds: Option<u32>) -> Option<i64> {
    let seconds = i64::try_from(seconds.filter(|seconds| *seconds > 0)?).ok()?;
    Some(
        seconds
            .saturating_mul(1_000_000_000)
            .saturating_add(i64::from(nanoseconds.unwrap_or(0))),
    )
}

/// Senders leave addresses out where they have none to tell (a proxy before them, or privacy).
fn address(octets: Option<&[u8]>) -> IpAddr {
    let octets = octets.unwrap_or_default();
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        return octets.into();
    }
    <[u8; 16]>::try_from(octets).map_or(Ipv4Addr::UNSPECIFIED.into(), IpAddr::from)
}
