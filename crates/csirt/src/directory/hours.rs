//! Weekly hours in which somebody can be reached: `24/7`, or `Mon-Fri 09:00-17:00; Sat 10:00-12:30`.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use model::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const DAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "Mon"),
    (Weekday::Tuesday, "Tue"),
    (Weekday::Wednesday, "Wed"),
    (Weekday::Thursday, "Thu"),
    (Weekday::Friday, "Fri"),
    (Weekday::Saturday, "Sat"),
    (Weekday::Sunday, "Sun"),
];

const DAY_MINUTES: u16 = 24 * 60;

/// Spans of a week in local time, to the minute. A span lies within one day; a night shift is two spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeeklyHours(Vec<Span>);

/// Days (0 is Monday, both included) and minutes of the day (the end excluded).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    days: (u8, u8),
    minutes: (u16, u16),
}

/// A text that is no weekly hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not weekly hours like `24/7` or `Mon-Fri 09:00-17:00; Sat 10:00-12:30`: {reason}")]
pub struct HoursError {
    text: String,
    reason: &'static str,
}

impl WeeklyHours {
    /// Day and night, every day.
    pub fn always() -> Self {
        Self(vec![Span {
            days: (0, 6),
            minutes: (0, DAY_MINUTES),
        }])
    }

    /// Whether `time` lies in these hours where clocks show the time of `zone`.
    pub fn contains(&self, time: Timestamp, zone: &TimeZone) -> bool {
        let local = zone.to_datetime(time);
        let day = local.date().weekday().to_monday_zero_offset() as u8;
        let minute = local.time().hour() as u16 * 60 + local.time().minute() as u16;
        self.0.iter().any(|span| {
            (span.days.0..=span.days.1).contains(&day) && (span.minutes.0..span.minutes.1).contains(&minute)
        })
    }
}

impl FromStr for WeeklyHours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let wrong = |reason| HoursError {
            text: text.chars().take(100).collect(),
            reason,
        };
        if text.trim() == "24/7" {
            return Ok(Self::always());
        }
        if text.len() > 500 {
            return Err(wrong("it is too long"));
        }
        let mut spans = Vec::new();
        for part in text.split(';') {
            let Some((days, minutes)) = part.trim().split_once(' ') else {
                return Err(wrong("a part is not days, a space, and hours"));
            };
            let (first, last) = days.split_once('-').unwrap_or((days, days));
            let days = match (day(first), day(last)) {
                (Some(first), Some(last)) => (first, last),
                _ => return Err(wrong("days are Mon Tue Wed Thu Fri Sat Sun")),
            };
            let Some((from, until)) = minutes.trim().split_once('-') else {
                return Err(wrong("hours are like 09:00-17:00"));
            };
            let minutes = match (minute(from), minute(until)) {
                (Some(from), Some(until)) if from < until => (from, until),
                (Some(_), Some(_)) => return Err(wrong("hours end before they begin")),
                _ => return Err(wrong("hours are like 09:00-17:00")),
            };
            if days.0 <= days.1 {
                spans.push(Span { days, minutes });
            } else {
                // A working week may run over the end of ours: Sun-Thu.
                spans.push(Span {
                    days: (days.0, 6),
                    minutes,
                });
                spans.push(Span {
                    days: (0, days.1),
                    minutes,
                });
            }
        }
        Ok(Self(spans))
    }
}

fn day(text: &str) -> Option<u8> {
    DAYS.iter()
        .position(|(_, name)| name.eq_ignore_ascii_case(text.trim()))
        .map(|day| day as u8)
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number =
        |text: &str| (text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit())).then(|| text.parse().ok());
    let (hour, minute): (u16, u16) = (number(hour)??, number(minute)??);
    let sum = hour * 60 + minute;
    (minute < 60 && sum <= DAY_MINUTES).then_some(sum)
}

impl fmt::Display for WeeklyHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::always() {
            return f.write_str("24/7");
        }
        for (place, Span { days, minutes }) in self.0.iter().enumerate() {
            f.write_str(if place > 0 { "; " } else { "" })?;
            f.write_str(DAYS[usize::from(days.0)].1)?;
            if days.1 > days.0 {
                write!(f, "-{}", DAYS[usize::from(days.1)].1)?;
            }
            let (from, until) = minutes;
            write!(
                f,
                " {:02}:{:02}-{:02}:{:02}",
                from / 60,
                from % 60,
                until / 60,
                until % 60
            )?;
        }
        Ok(())
    }
}

impl Serialize for WeeklyHours {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WeeklyHours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hours_are_local_and_follow_summer_time() {
        let hours: WeeklyHours = "mon-fri 09:00-17:00; Sat 10:00-12:30".parse().unwrap();
        assert_eq!(hours.to_string(), "Mon-Fri 09:00-17:00; Sat 10:00-12:30");
        let paris = TimeZone::get("Europe/Paris").unwrap();
        for (time, open) in [
            ("2026-07-01T07:00:00Z", true),
            ("2026-07-01T06:59:59Z", false),
            ("2026-01-07T07:30:00Z", false),
            ("2026-07-01T15:00:00Z", false),
            ("2026-07-04T10:29:00Z", true),
            ("2026-07-05T10:00:00Z", false),
        ] {
            assert_eq!(hours.contains(time.parse().unwrap(), &paris), open, "{time}");
        }
        assert!(WeeklyHours::always().contains("2026-07-05T23:59:59Z".parse().unwrap(), &paris));
    }

    #[test]
    fn a_working_week_may_run_over_the_end_of_ours() {
        let hours: WeeklyHours = "Sun-Thu 08:00-16:00".parse().unwrap();
        assert_eq!(hours.to_string(), "Sun 08:00-16:00; Mon-Thu 08:00-16:00");
        assert_eq!(hours.to_string().parse::<WeeklyHours>().unwrap(), hours);
    }

    #[test]
    fn wrong_hours_say_what_is_wrong() {
        for text in [
            "",
            "Mon",
            "Mon 9-17",
            "Fri-Foo 09:00-17:00",
            "Mon 17:00-09:00",
            "Mon 09:60-10:00",
            "Mon 00:00-24:01",
        ] {
            assert!(text.parse::<WeeklyHours>().is_err(), "{text}");
        }
        assert!("Sun 00:00-24:00".parse::<WeeklyHours>().is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_hours_or_an_error(text in "(.{0,40}|[MTWFSonuedhrat0-9:;, -]{0,60})") {
            if let Ok(hours) = text.parse::<WeeklyHours>() {
                prop_assert_eq!(hours.to_string().parse::<WeeklyHours>().unwrap(), hours);
            }
        }
    }
}
