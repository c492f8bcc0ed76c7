//! Numbers that people say aloud: `DNSCERT-2026-00001` for a case, `REPORT-2026-00001` for a report.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number that is none of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a number of the form {series}-YYYY-NNNNN")]
pub struct NumberError {
    text: String,
    series: &'static str,
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $series:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            /// The year in UTC, four digits.
            pub year: i16,
            /// Place within the year, from 1; written with at least five digits.
            pub serial: i64,
        }

        impl $name {
            /// The word before the year.
            pub const SERIES: &'static str = $series;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($series, "-{:04}-{:05}"), self.year, self.serial)
            }
        }

        impl FromStr for $name {
            type Err = NumberError;

            /// Upper and lower case are the same; surrounding space does not count.
            fn from_str(text: &str) -> Result<Self, NumberError> {
                parse($series, text)
                    .map(|(year, serial)| Self { year, serial })
                    .ok_or_else(|| NumberError { text: text.to_owned(), series: $series })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

number!(
    /// The number of a case: `DNSCERT-2026-00001`.
    CaseNumber,
    "DNSCERT"
);
number!(
    /// The number of a report by a person: `REPORT-2026-00001`.
    ReportNumber,
    "REPORT"
);

fn parse(series: &str, text: &str) -> Option<(i16, i64)> {
    let mut parts = text.trim().split('-');
    let (word, year, serial) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |part: &str| part.bytes().all(|octet| octet.is_ascii_digit());
    let shaped = word.eq_ignore_ascii_case(series)
        && parts.next().is_none()
        && year.len() == 4
        && (5..=12).contains(&serial.len())
        && digits(year)
        && digits(serial);
    let serial: i64 = if shaped { serial.parse().ok()? } else { return None };
    (serial > 0).then_some((year.parse().ok()?, serial))
}

/// The case and the request that a subject line names by its token `[DNSCERT-2026-00001/2]`, wherever it stands.
pub fn find_subject_token(subject: &str) -> Option<(CaseNumber, i32)> {
    subject.split('[').skip(1).find_map(|rest| {
        let (inside, _) = rest.split_once(']')?;
        let (number, request) = inside.split_once('/')?;
        let request = request.trim().parse().ok().filter(|request| *request > 0)?;
        Some((number.parse().ok()?, request))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_reads_and_prints_the_same() {
        let number: CaseNumber = " dnscert-2026-00042 ".parse().unwrap();
        assert_eq!(number, CaseNumber { year: 2026, serial: 42 });
        assert_eq!(number.to_string(), "DNSCERT-2026-00042");
        assert_eq!(
            CaseNumber {
                year: 2026,
                serial: 123_456
            }
            .to_string(),
            "DNSCERT-2026-123456"
        );
        assert_eq!(serde_json::to_string(&number).unwrap(), "\"DNSCERT-2026-00042\"");
    }

    #[test]
    fn a_wrong_number_says_the_form() {
        for text in [
            "",
            "DNSCERT-2026-1",
            "REPORT-2026-00001",
            "DNSCERT-2026-00000",
            "DNSCERT-26-00001",
            "DNSCERT-2026-00001-2",
        ] {
            let error = text.parse::<CaseNumber>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("`{text}` is not a number of the form DNSCERT-YYYY-NNNNN")
            );
        }
    }

    #[test]
    fn a_token_is_found_in_an_answered_subject() {
        let subject = "AW: Re: [ext] [DNSCERT-2026-00007/3] atlas.example does not answer";
        assert_eq!(
            find_subject_token(subject),
            Some((CaseNumber { year: 2026, serial: 7 }, 3))
        );
        assert_eq!(find_subject_token("[DNSCERT-2026-00007]"), None);
        assert_eq!(find_subject_token("[DNSCERT-2026-00007/0]"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_number_or_an_error(text in "(DNSCERT)?[-0-9A-Z\\[\\]/ ]{0,30}") {
            if let Ok(number) = text.parse::<CaseNumber>() {
                prop_assert_eq!(number.to_string().parse(), Ok(number));
            }
            find_subject_token(&text);
        }
    }
}
