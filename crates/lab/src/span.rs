//! Lengths of time as world files write them: `+40s`, `-13d`, `250ms`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time, forward or back, in steps of a millisecond.
///
/// As text: an optional sign, a whole number, and one of the units `ms`, `s`, `m`, `h`, `d` (of 24 hours).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

/// A text that is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a length of time such as `+40s`, `-13d` or `250ms` (units: ms, s, m, h, d)")]
pub struct SpanError(String);

const UNITS: [(&str, i64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// Longest length either way, in milliseconds: 100 years. Times stay within what RRSIGs and timestamps can say.
const LIMIT: i64 = 100 * 366 * 86_400_000;

impl Span {
    /// A length of whole seconds, cut to 100 years either way.
    pub fn seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000).clamp(-LIMIT, LIMIT))
    }

    /// The length with its sign.
    pub fn signed(self) -> SignedDuration {
        SignedDuration::from_millis(self.0)
    }

    /// The length without a sign; nothing when it points back.
    pub fn forward(self) -> Duration {
        Duration::from_millis(u64::try_from(self.0).unwrap_or(0))
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let wrong = || SpanError(text.to_owned());
        let (sign, size) = match text.as_bytes().first() {
            Some(b'+') => (1, &text[1..]),
            Some(b'-') => (-1, &text[1..]),
            _ => (1, text),
        };
        let digits = size.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = size.split_at(digits);
        let number: i64 = number.parse().map_err(|_| wrong())?;
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        let milliseconds = number
            .checked_mul(*factor)
            .filter(|length| *length <= LIMIT)
            .ok_or_else(wrong)?;
        Ok(Self(sign * milliseconds))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, factor) = UNITS
            .iter()
            .rev()
            .find(|(_, factor)| self.0 % factor == 0)
            .unwrap_or(&UNITS[0]);
        write!(f, "{}{unit}", self.0 / factor)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_read_with_sign_and_unit() {
        for (text, milliseconds) in [
            ("+40s", 40_000),
            ("-13d", -1_123_200_000),
            ("250ms", 250),
            ("2h", 7_200_000),
        ] {
            assert_eq!(
                text.parse::<Span>().unwrap().signed().as_millis(),
                milliseconds,
                "{text}"
            );
        }
        assert_eq!("-5s".parse::<Span>().unwrap().forward(), Duration::ZERO);
    }

    #[test]
    fn a_wrong_length_is_named() {
        for text in ["", "s", "4", "4 s", "+-4s", "4w", "99999999999999999d", "é"] {
            assert!(
                text.parse::<Span>()
                    .unwrap_err()
                    .to_string()
                    .contains(&format!("`{text}`"))
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_length_or_an_error(text in ".{0,20}|[+-]?[0-9]{1,20}(ms|s|m|h|d)") {
            if let Ok(span) = text.parse::<Span>() {
                prop_assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
            }
        }
    }
}
