//! A share of something: so many of so many, kept as two counts so that no rounding decides a threshold.

use std::iter::Sum;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Those that count, at most `all`.
    pub good: u64,
    /// All that there are.
    pub all: u64,
}

impl Share {
    /// A share of `all`.
    pub fn of(good: u64, all: u64) -> Self {
        Self { good, all }
    }

    /// One more, which counts or not.
    pub fn count(&mut self, is_good: bool) {
        self.good += u64::from(is_good);
        self.all += 1;
    }

    /// In percent, 0 to 100; `None` of nothing.
    pub fn percent(self) -> Option<f64> {
        (self.all > 0).then(|| self.good as f64 * 100.0 / self.all as f64)
    }

    /// Whether it is at least so many millionths (960,000 is 96 %), reckoned in whole numbers; `None` of nothing.
    pub fn reaches(self, millionths: u32) -> Option<bool> {
        let (good, all) = (u128::from(self.good), u128::from(self.all));
        (all > 0).then(|| good * 1_000_000 >= all * u128::from(millionths))
    }
}

impl AddAssign for Share {
    fn add_assign(&mut self, other: Self) {
        self.good += other.good;
        self.all += other.all;
    }
}

impl Sum for Share {
    fn sum<I: Iterator<Item = Self>>(shares: I) -> Self {
        shares.fold(Self::default(), |mut sum, share| {
            sum += share;
            sum
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_met_exactly_or_not_at_all() {
        assert_eq!(Share::of(96, 100).reaches(960_000), Some(true));
        assert_eq!(Share::of(959_999_999, 1_000_000_000).reaches(960_000), Some(false));
        assert_eq!(Share::of(u64::MAX, u64::MAX).reaches(1_000_000), Some(true));
        assert_eq!(Share::default().reaches(0), None);
        assert_eq!(Share::default().percent(), None);
        assert_eq!(Share::of(7, 8).percent(), Some(87.5));
    }

    #[test]
    fn shares_add_up_by_their_counts_not_by_their_percentages() {
        let sum: Share = [Share::of(1, 1), Share::of(0, 3)].into_iter().sum();
        assert_eq!(sum, Share::of(1, 4));
    }
}
