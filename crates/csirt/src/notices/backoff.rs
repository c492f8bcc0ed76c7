//! When a notice that could not be handed over is tried again.

use jiff::{SignedDuration, Timestamp};

/// First wait. Chosen by us: a relay that restarts is back within seconds; less would hammer it.
const FIRST_SECS: i64 = 10;

/// Longest wait. RFC 5321 §4.5.4.1 asks an SMTP client on the Internet for 30 minutes; this is the hop to our own relay,
/// and after an outage of it everybody waits for what we know, so it is shorter.
const LONGEST_SECS: i64 = 10 * 60;

/// How long a notice is tried at all: four to five days (RFC 5321 §4.5.4.1).
const GIVE_UP: SignedDuration = SignedDuration::from_hours(5 * 24);

/// When to try again after attempt `attempt` (1 for the first) failed at `now`; `None` when it was tried long enough.
///
/// The wait doubles with each attempt up to ten minutes. `jitter` in 0..1 spreads it over its upper half, so that
/// notices that failed together do not come back together.
pub fn next_attempt(attempt: u32, queued_at: Timestamp, now: Timestamp, jitter: f64) -> Option<Timestamp> {
    if now.duration_since(queued_at) >= GIVE_UP {
        return None;
    }
    let doubled = FIRST_SECS.saturating_mul(1 << attempt.saturating_sub(1).min(16));
    let wait = doubled.min(LONGEST_SECS) as f64;
    let spread = wait / 2.0 * (1.0 + jitter.clamp(0.0, 1.0));
    Some(now + SignedDuration::from_millis((spread * 1000.0) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn waits_double_up_to_ten_minutes() {
        let waits: Vec<i64> = (1..=9)
            .map(|attempt| next_attempt(attempt, at(0), at(0), 1.0).unwrap().as_second() - 1_800_000_000)
            .collect();
        assert_eq!(waits, [10, 20, 40, 80, 160, 320, 600, 600, 600]);
        let half = next_attempt(1, at(0), at(0), 0.0).unwrap();
        assert_eq!(half, at(5));
    }

    #[test]
    fn a_notice_is_given_up_after_five_days_and_not_before() {
        assert!(next_attempt(1000, at(0), at(5 * 86_400 - 1), 0.5).is_some());
        assert_eq!(next_attempt(1000, at(0), at(5 * 86_400), 0.5), None);
    }

    #[test]
    fn a_relay_that_is_down_for_ten_minutes_is_found_soon_after() {
        let (mut now, mut attempt) = (at(0), 0);
        while now < at(600) {
            attempt += 1;
            now = next_attempt(attempt, at(0), now, 1.0).unwrap();
        }
        assert!(now < at(1200), "{now}");
    }
}
