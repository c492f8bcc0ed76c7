//! How long each step took, for one case and for many.

use jiff::Timestamp;
use serde::Serialize;

/// The moments of one case, as far as they have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moments {
    /// The first signal: when the fault was seen in the DNS.
    pub fault: Timestamp,
    /// The first alert was kept.
    pub detected: Option<Timestamp>,
    /// The case was opened.
    pub opened: Option<Timestamp>,
    /// The first notice left.
    pub notified: Option<Timestamp>,
    /// The first party said that it knows (or more).
    pub acknowledged: Option<Timestamp>,
    /// The last party said that it is done.
    pub done: Option<Timestamp>,
    /// The last request was verified.
    pub verified: Option<Timestamp>,
    /// The case was closed.
    pub closed: Option<Timestamp>,
}

/// Seconds from the fault (the time of the first signal) to each step; `None` where it has not come.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// The time of the first signal.
    pub fault_at: Timestamp,
    /// To the first alert.
    pub detected: Option<f64>,
    /// To the case.
    pub opened: Option<f64>,
    /// To the first notice that left.
    pub notified: Option<f64>,
    /// To the first acknowledgement.
    pub acknowledged: Option<f64>,
    /// To the last "done" of a party.
    pub done: Option<f64>,
    /// To the last verification.
    pub verified: Option<f64>,
    /// To the closing.
    pub closed: Option<f64>,
}

impl From<&Moments> for Figures {
    fn from(moments: &Moments) -> Self {
        let seconds =
            |moment: Option<Timestamp>| moment.map(|moment| moment.duration_since(moments.fault).as_secs_f64());
        Self {
            fault_at: moments.fault,
            detected: seconds(moments.detected),
            opened: seconds(moments.opened),
            notified: seconds(moments.notified),
            acknowledged: seconds(moments.acknowledged),
            done: seconds(moments.done),
            verified: seconds(moments.verified),
            closed: seconds(moments.closed),
        }
    }
}

/// How a figure spreads over many cases, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spread {
    /// Cases that have the figure.
    pub count: i64,
    /// The middle one (nearest rank); `None` without any.
    pub median: Option<f64>,
    /// The one that nine in ten do not exceed (nearest rank).
    pub p90: Option<f64>,
}

impl Spread {
    fn of(values: impl Iterator<Item = Option<f64>>) -> Self {
        let mut values: Vec<f64> = values.flatten().collect();
        values.sort_by(f64::total_cmp);
        let rank = |percent: usize| {
            values
                .get((values.len() * percent).div_ceil(100).saturating_sub(1))
                .copied()
        };
        Self {
            count: i64::try_from(values.len()).unwrap_or(i64::MAX),
            median: rank(50),
            p90: rank(90),
        }
    }
}

/// The figures of a period.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PeriodFigures {
    /// Cases opened in the period.
    pub cases: i64,
    /// Those of them that are still open.
    pub open: i64,
    /// Fault to alert.
    pub detected: Spread,
    /// Fault to case.
    pub opened: Spread,
    /// Fault to first notice.
    pub notified: Spread,
    /// Fault to first acknowledgement.
    pub acknowledged: Spread,
    /// Fault to last "done".
    pub done: Spread,
    /// Fault to last verification.
    pub verified: Spread,
    /// Fault to closing.
    pub closed: Spread,
}

/// Sums up the figures of a period's cases.
pub fn sum_up(figures: &[Figures]) -> PeriodFigures {
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let spread = |field: fn(&Figures) -> Option<f64>| Spread::of(figures.iter().map(field));
    PeriodFigures {
        cases: count(figures.len()),
        open: count(figures.iter().filter(|figures| figures.closed.is_none()).count()),
        detected: spread(|figures| figures.detected),
        opened: spread(|figures| figures.opened),
        notified: spread(|figures| figures.notified),
        acknowledged: spread(|figures| figures.acknowledged),
        done: spread(|figures| figures.done),
        verified: spread(|figures| figures.verified),
        closed: spread(|figures| figures.closed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_count_from_the_fault() {
        let fault: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
        let after = |seconds| Some(fault + jiff::SignedDuration::from_secs(seconds));
        let figures = Figures::from(&Moments {
            fault,
            detected: after(1),
            opened: after(60),
            notified: after(62),
            acknowledged: None,
            done: None,
            verified: after(600),
            closed: None,
        });
        assert_eq!(
            (figures.detected, figures.notified, figures.acknowledged),
            (Some(1.0), Some(62.0), None)
        );
        assert_eq!(figures.verified, Some(600.0));
    }

    #[test]
    fn the_median_and_p90_are_those_of_cases_that_have_the_figure() {
        let spread = Spread::of((1..=10).map(|value| Some(f64::from(value))).chain([None]));
        assert_eq!(
            spread,
            Spread {
                count: 10,
                median: Some(5.0),
                p90: Some(9.0)
            }
        );
        assert_eq!(
            Spread::of([Some(7.0)].into_iter()),
            Spread {
                count: 1,
                median: Some(7.0),
                p90: Some(7.0)
            }
        );
        assert_eq!(Spread::of([None].into_iter()), Spread::default());
    }
}
