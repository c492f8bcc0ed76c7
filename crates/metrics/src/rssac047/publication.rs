//! Publication latency (§5.4): from the interval in which a serial is first seen anywhere to the one in which a vantage
//! point sees it, or a later one, at a server.

use std::collections::BTreeMap;

use super::{Number, Tally};

/// Elapsed times of all pairs of publication and vantage point, in minutes, by server.
#[derive(Debug, Clone, Default)]
pub(super) struct Elapsed {
    pub minutes: BTreeMap<Number, Vec<u64>>,
    /// Pairs that had not come by the end of what was measured; they have no elapsed time.
    pub pending: BTreeMap<Number, u64>,
}

pub(super) fn elapsed(tally: &Tally) -> Elapsed {
    // Smallest serial of each interval, by vantage point and server: the four ways may differ (§5.4 step 1).
    let mut smallest: BTreeMap<(Number, Number), BTreeMap<i64, u32>> = BTreeMap::new();
    let mut published: Vec<(i64, u32)> = Vec::new();
    let mut newest: Option<u32> = None;
    let mut first_interval = None;
    for ((interval, vantage_point), seen) in &tally.seen {
        first_interval.get_or_insert(*interval);
        for (rsi, serial) in &seen.serials {
            let of_pair = smallest.entry((*vantage_point, *rsi)).or_default();
            of_pair
                .entry(*interval)
                .and_modify(|known| *known = if is_newer(*known, *serial) { *serial } else { *known })
                .or_insert(*serial);
            if newest.is_none_or(|newest| is_newer(*serial, newest)) {
                newest = Some(*serial);
                published.push((*interval, *serial));
            }
        }
    }
    // What was there in the first interval was published at some time before it.
    published.retain(|(interval, _)| Some(*interval) != first_interval);
    let interval_minutes = u64::try_from(tally.config.interval.as_mins()).unwrap_or(0);
    let mut elapsed = Elapsed::default();
    for ((_, rsi), serials) in &smallest {
        let mut seen = serials.iter().peekable();
        for (since, serial) in &published {
            while seen
                .peek()
                .is_some_and(|(interval, shown)| *interval < since || is_newer(*serial, **shown))
            {
                seen.next();
            }
            match seen.peek() {
                Some((interval, _)) => {
                    let intervals = u64::try_from(*interval - since).unwrap_or(0);
                    elapsed
                        .minutes
                        .entry(*rsi)
                        .or_default()
                        .push(intervals * interval_minutes);
                }
                None => *elapsed.pending.entry(*rsi).or_default() += 1,
            }
        }
    }
    elapsed
}

/// Whether serial `a` comes after `b` (RFC 1982 §3.2).
fn is_newer(a: u32, b: u32) -> bool {
    a != b && a.wrapping_sub(b) < 1 << 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_are_newer_in_serial_arithmetic() {
        assert!(is_newer(2, 1) && !is_newer(1, 2) && !is_newer(5, 5));
        assert!(is_newer(0, u32::MAX), "it wraps");
    }
}
