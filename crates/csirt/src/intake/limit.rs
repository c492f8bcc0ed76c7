//! How many reports one address may send.

use std::net::{IpAddr, Ipv6Addr};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Limits of the public form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Reports of one address within the window. Chosen by us: a whole office behind one address may report an outage;
    /// a flood of forms still costs its sender an address per few reports.
    pub per_address: u32,
    /// The window in seconds.
    pub window_secs: u32,
    /// Forms sent faster than this after they were shown are a program's, in seconds. Nobody reads and types ten letters
    /// faster; much higher would catch people who paste a prepared text.
    pub fastest_secs: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            per_address: 5,
            window_secs: 3600,
            fastest_secs: 3,
        }
    }
}

/// Whether one more report is taken now, given the times of the earlier ones of the same source; else after how many
/// seconds it will be.
pub fn allow(policy: &Policy, earlier: &[Timestamp], now: Timestamp) -> Result<(), u64> {
    let window = SignedDuration::from_secs(i64::from(policy.window_secs));
    let mut within: Vec<Timestamp> = earlier
        .iter()
        .copied()
        .filter(|time| now.duration_since(*time) < window)
        .collect();
    within.sort();
    let allowed = usize::try_from(policy.per_address).unwrap_or(usize::MAX);
    if within.len() < allowed {
        return Ok(());
    }
    let frees = within.get(within.len() - allowed).copied().unwrap_or(now);
    let wait = (frees + window).duration_since(now).as_secs();
    Err(u64::try_from(wait).unwrap_or(0).max(1))
}

/// What counts as one sender: an IPv4 address, or the /64 that one IPv6 line has (RFC 6177).
pub fn source(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn the_sixth_report_of_an_hour_waits_until_the_first_is_an_hour_old() {
        let policy = Policy::default();
        let earlier: Vec<_> = (0..5).map(|report| at(report * 60)).collect();
        assert_eq!(allow(&policy, &earlier[..4], at(300)), Ok(()));
        assert_eq!(allow(&policy, &earlier, at(300)), Err(3300));
        assert_eq!(allow(&policy, &earlier, at(3600)), Ok(()));
    }

    #[test]
    fn a_policy_of_none_refuses_everything() {
        assert!(
            allow(
                &Policy {
                    per_address: 0,
                    ..Policy::default()
                },
                &[],
                at(0)
            )
            .is_err()
        );
    }

    #[test]
    fn one_line_of_ipv6_is_one_source() {
        assert_eq!(source("2001:db8:1:2:3:4:5:6".parse().unwrap()), "2001:db8:1:2::/64");
        assert_eq!(source("::ffff:192.0.2.1".parse().unwrap()), "192.0.2.1");
    }
}
