//! How much one network gets over UDP (response rate limiting): senders may be forged, and the victim is a network.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;

/// Answers to one network in a second, over the burst. A resolver under test asks some 200 questions in a run; an attack
/// wants thousands a second.
const RATE: f64 = 50.0;
/// Answers to one network at once. Less would cut runs short, more is worth an attacker's while.
const BURST: f64 = 600.0;
/// Networks remembered. Chosen by us: some 2 MB; further ones push out those that have been quiet.
const REMEMBERED: usize = 20_000;

/// What becomes of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is answered.
    Answer,
    /// It gets TC and nothing else: who is no forgery asks again over TCP.
    Truncate,
    /// It gets nothing.
    Drop,
}

/// What each network has had lately.
#[derive(Default)]
pub(super) struct Limiter(HashMap<IpAddr, Bucket>);

struct Bucket {
    left: f64,
    filled: Timestamp,
    over: u32,
}

impl Limiter {
    /// Every second question beyond the limit is truncated, the others are dropped, as other servers do ("slip 2").
    pub fn judge(&mut self, from: IpAddr, now: Timestamp) -> Verdict {
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, bucket| bucket.refilled(now) < BURST);
            if self.0.len() >= REMEMBERED {
                return Verdict::Truncate;
            }
        }
        let bucket = self.0.entry(network_of(from)).or_insert(Bucket {
            left: BURST,
            filled: now,
            over: 0,
        });
        (bucket.left, bucket.filled) = (bucket.refilled(now), now);
        if bucket.left >= 1.0 {
            bucket.left -= 1.0;
            return Verdict::Answer;
        }
        bucket.over = bucket.over.wrapping_add(1);
        match bucket.over % 2 {
            0 => Verdict::Truncate,
            _ => Verdict::Drop,
        }
    }
}

impl Bucket {
    fn refilled(&self, now: Timestamp) -> f64 {
        let passed = now.duration_since(self.filled).as_secs_f64().max(0.0);
        (self.left + passed * RATE).min(BURST)
    }
}

/// The /24 or the /56 of an address: what one site has.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & !0xff).into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 72)).into(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn noon() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_network_gets_its_burst_and_then_its_rate() {
        let mut limiter = Limiter::default();
        let mut answered = |from: &str, count: u32, now: Timestamp| {
            let from: IpAddr = from.parse().unwrap();
            (0..count)
                .filter(|_| limiter.judge(from, now) == Verdict::Answer)
                .count()
        };
        assert_eq!(answered("192.0.2.1", 1_000, noon()), 600);
        assert_eq!(answered("192.0.2.2", 10, noon()), 0, "the same network");
        assert_eq!(answered("192.0.3.1", 10, noon()), 10, "another network");
        assert_eq!(answered("2001:db8::1", 700, noon()), 600);
        assert_eq!(answered("2001:db8:0:ff::1", 10, noon()), 0, "the same /56");
        assert_eq!(answered("192.0.2.1", 1_000, noon() + SignedDuration::from_secs(2)), 100);
        assert_eq!(
            answered("192.0.2.1", 1_000, noon() - SignedDuration::from_secs(9)),
            0,
            "a clock that goes back"
        );
    }

    #[test]
    fn every_second_question_beyond_the_limit_is_sent_to_tcp() {
        let mut limiter = Limiter::default();
        let from: IpAddr = "192.0.2.1".parse().unwrap();
        let verdicts: Vec<Verdict> = (0..604).map(|_| limiter.judge(from, noon())).skip(600).collect();
        assert_eq!(
            verdicts,
            [Verdict::Drop, Verdict::Truncate, Verdict::Drop, Verdict::Truncate]
        );
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut limiter = Limiter::default();
        for number in 0..REMEMBERED as u32 + 10 {
            limiter.judge(Ipv4Addr::from_bits(number << 8).into(), noon());
        }
        assert_eq!(limiter.0.len(), REMEMBERED);
        let later = noon() + SignedDuration::from_secs(60);
        assert_eq!(limiter.judge("192.0.2.1".parse().unwrap(), later), Verdict::Answer);
    }
}
