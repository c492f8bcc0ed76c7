//! The strip: one bar for each day, newest at the reading end.

use std::fmt::Write as _;

use jiff::civil::Date;
use language::Text;
use model::Health;

use super::{Svg, escape};
use crate::health::text_id;

/// One day of one zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    /// The day, in UTC.
    pub date: Date,
    /// How it went.
    pub health: Health,
    /// Questions asked that day.
    pub asked: u64,
    /// Questions that were answered.
    pub answered: u64,
}

const STEP: usize = 10;
const HEIGHT: usize = 32;

/// Draws `days`, given oldest first. The height of a bar says the same as its colour: whole, two thirds, one third
/// with a cross above, a low outline for a day without measurements.
pub fn strip(days: &[Day], text: &Text) -> Svg {
    let width = (days.len() * STEP).max(STEP);
    let count = |health| days.iter().filter(|day| day.health == health).count() as i64;
    let title = text.format("chart-strip-title", [("days", (days.len() as i64).into())]);
    let summary = text.format(
        "chart-strip-summary",
        [
            ("good", count(Health::Good).into()),
            ("impaired", count(Health::Impaired).into()),
            ("broken", count(Health::Broken).into()),
            ("unknown", count(Health::Unknown).into()),
        ],
    );
    let (title, summary) = (escape(&title), escape(&summary));
    let mut svg = format!(
        r#"<svg class="strip days" viewBox="0 0 {width} {HEIGHT}" role="img" aria-label="{title}. {summary}"><title>{title}</title><desc>{summary}</desc>"#
    );
    let from_right = text.language().direction() == "rtl";
    for (index, day) in days.iter().enumerate() {
        let x = if from_right {
            width - (index + 1) * STEP
        } else {
            index * STEP
        } + 1;
        bar(&mut svg, x, day, text);
    }
    svg.push_str("</svg>");
    Svg(svg)
}

fn bar(svg: &mut String, x: usize, day: &Day, text: &Text) {
    let height = match day.health {
        Health::Good => HEIGHT,
        Health::Impaired => HEIGHT * 2 / 3,
        Health::Broken => HEIGHT / 3,
        Health::Unknown => 4,
    };
    let width = STEP - 2;
    let y = HEIGHT - height;
    let cross = match day.health {
        Health::Broken => format!(r#"<path class="mx broken" d="M{} {}l6 6m0-6l-6 6"/>"#, x + 1, y - 10),
        _ => String::new(),
    };
    // Writing to a string cannot fail.
    let _ = write!(
        svg,
        r#"<g><title>{}</title>{cross}<rect class="bar {}" x="{x}" y="{y}" width="{width}" height="{height}" rx="1"/></g>"#,
        escape(&describe(day, text)),
        day.health.as_str(),
    );
}

fn describe(day: &Day, text: &Text) -> String {
    let date = ("date", day.date.to_string().into());
    if day.health == Health::Unknown || day.asked == 0 {
        return text.format("chart-day-unknown", [date]);
    }
    let permille = day.answered.min(day.asked) * 1000 / day.asked;
    let percent = format!("{}.{}", permille / 10, permille % 10);
    text.format(
        "chart-day",
        [
            date,
            ("health", text.get(text_id(day.health)).into()),
            ("percent", percent.into()),
            ("asked", i64::try_from(day.asked).unwrap_or(i64::MAX).into()),
        ],
    )
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use language::{Language, texts};

    use super::*;

    fn days() -> Vec<Day> {
        vec![
            Day {
                date: date(2026, 11, 1),
                health: Health::Good,
                asked: 1440,
                answered: 1440,
            },
            Day {
                date: date(2026, 11, 2),
                health: Health::Impaired,
                asked: 1440,
                answered: 1400,
            },
            Day {
                date: date(2026, 11, 3),
                health: Health::Broken,
                asked: 1440,
                answered: 12,
            },
            Day {
                date: date(2026, 11, 4),
                health: Health::Unknown,
                asked: 0,
                answered: 0,
            },
        ]
    }

    #[test]
    fn a_strip_says_each_day_by_height_colour_and_word() {
        insta::assert_snapshot!(
            strip(&days(), texts(Language::English))
                .to_string()
                .replace("><", ">\n<")
        );
    }

    #[test]
    fn a_strip_runs_from_right_to_left_where_the_reader_does() {
        let drawn = strip(&days(), texts(Language::Arabic)).to_string();
        let good = drawn.find("bar good").unwrap();
        assert!(drawn[good..].starts_with(r#"bar good" x="31""#), "{drawn}");
    }

    #[test]
    fn a_strip_without_days_is_still_a_drawing() {
        let drawn = strip(&[], texts(Language::Russian)).to_string();
        assert!(drawn.starts_with("<svg") && drawn.ends_with("</svg>"));
    }
}
