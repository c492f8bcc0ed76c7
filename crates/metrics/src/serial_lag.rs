//! How far a server's copy of a zone was behind, by the SOA serials that were seen.
//!
//! A serial is newer than another by the arithmetic of RFC 1982. A server is behind from the moment at which a newer serial was
//! seen at any server until the moment at which it was seen with that serial or a newer one: the time that a transfer takes, as far
//! as the questions come often enough to see it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// A serial that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen<Server> {
    /// When.
    pub time: Timestamp,
    /// At which server.
    pub server: Server,
    /// The serial.
    pub serial: u32,
}

/// Whether `a` is newer than `b` (RFC 1982 §3.2). Two serials half the circle apart are not comparable: neither is newer.
pub fn is_newer(a: u32, b: u32) -> bool {
    let ahead = a.wrapping_sub(b);
    ahead != 0 && ahead < 1 << 31
}

/// The longest time that each server was behind, zero for one that never was. `seen` is in order of time; a server that is still
/// behind is counted up to the last moment of all.
pub fn longest<Server: Ord + Clone>(seen: &[Seen<Server>]) -> BTreeMap<Server, SignedDuration> {
    let mut lags: BTreeMap<Server, SignedDuration> = BTreeMap::new();
    // the newest serial so far; and of each server what it had last, and since when it is behind
    let mut newest: Option<u32> = None;
    let mut have: BTreeMap<Server, (u32, Option<Timestamp>)> = BTreeMap::new();
    for one in seen {
        let lag = lags.entry(one.server.clone()).or_default();
        if let Some((_, Some(since))) = have.get(&one.server) {
            *lag = (*lag).max(one.time.duration_since(*since));
        }
        if newest.is_none_or(|newest| is_newer(one.serial, newest)) {
            for (server, (serial, since)) in &mut have {
                if *server != one.server && is_newer(one.serial, *serial) {
                    since.get_or_insert(one.time);
                }
            }
            newest = Some(one.serial);
        }
        let is_behind = newest.is_some_and(|newest| is_newer(newest, one.serial));
        let since = match have.get(&one.server) {
            Some((_, since)) if is_behind => since.or(Some(one.time)),
            _ if is_behind => Some(one.time),
            _ => None,
        };
        have.insert(one.server.clone(), (one.serial, since));
    }
    let end = seen.last().map(|one| one.time);
    for (server, (_, since)) in have {
        if let (Some(since), Some(end), Some(lag)) = (since, end, lags.get_mut(&server)) {
            *lag = (*lag).max(end.duration_since(since));
        }
    }
    lags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lags(story: &[(i64, &'static str, u32)]) -> Vec<(&'static str, i64)> {
        let seen: Vec<Seen<&'static str>> = story
            .iter()
            .map(|(second, server, serial)| Seen {
                time: Timestamp::from_second(1_790_000_000 + second).unwrap(),
                server: *server,
                serial: *serial,
            })
            .collect();
        longest(&seen)
            .into_iter()
            .map(|(server, lag)| (server, lag.as_secs()))
            .collect()
    }

    #[test]
    fn a_server_is_behind_from_the_first_sight_of_a_newer_serial_until_it_has_it() {
        assert_eq!(lags(&[]), []);
        let story = [
            (0, "a", 1),
            (0, "b", 1),
            (60, "a", 2),
            (60, "b", 1),
            (120, "a", 2),
            (120, "b", 2),
        ];
        assert_eq!(lags(&story), [("a", 0), ("b", 60)]);
    }

    #[test]
    fn one_that_stays_behind_is_counted_to_the_end_and_further_serials_do_not_begin_anew() {
        let story = [
            (0, "a", 1),
            (0, "b", 1),
            (60, "a", 2),
            (60, "b", 1),
            (120, "a", 3),
            (120, "b", 1),
        ];
        assert_eq!(lags(&story), [("a", 0), ("b", 60)]);
        let longer = [story.as_slice(), &[(600, "a", 3)]].concat();
        assert_eq!(lags(&longer), [("a", 0), ("b", 540)]);
    }

    #[test]
    fn one_that_is_first_seen_with_an_old_serial_is_behind_from_then_on() {
        assert_eq!(lags(&[(0, "a", 9), (10, "b", 8), (40, "b", 9)]), [("a", 0), ("b", 30)]);
    }

    #[test]
    fn serials_go_round() {
        assert!(is_newer(0, u32::MAX) && !is_newer(u32::MAX, 0));
        assert!(!is_newer(1 << 31, 0) && !is_newer(0, 1 << 31), "half the circle apart");
        assert_eq!(
            lags(&[(0, "a", u32::MAX), (0, "b", u32::MAX), (5, "a", 0), (9, "b", 0)]),
            [("a", 0), ("b", 4)]
        );
    }
}
