//! The sparkline: round-trip times of one server, with the questions that went unanswered.

use std::fmt::Write as _;

use jiff::Timestamp;
use language::Text;

use super::{Svg, escape, milliseconds};

/// One span of time, or one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// When it began.
    pub time: Timestamp,
    /// Questions asked.
    pub asked: u64,
    /// Questions answered, at most as many.
    pub answered: u64,
    /// Median time to the answer in microseconds; `None` when none came.
    pub rtt_us: Option<u64>,
}

/// Columns of the drawing. More would not be seen at 144 pixels, and a page shows many of these.
const COLUMNS: usize = 48;
const STEP: i32 = 3;
const HEIGHT: i32 = 28;
/// Height kept below the line for the marks of unanswered questions.
const FOOT: i32 = 5;

/// Draws `points`, given in order of time, as the median of each of 48 spans of equal length between the first and
/// the last. The line breaks where nothing was answered, and a mark below says that something was not.
pub fn sparkline(points: &[Point], text: &Text) -> Svg {
    let spans = spans(points);
    let mut all: Vec<u64> = points.iter().filter_map(|point| point.rtt_us).collect();
    all.sort_unstable();
    let asked: u64 = points.iter().map(|point| point.asked).fold(0, u64::saturating_add);
    let lost = points.iter().map(lost_in).fold(0, u64::saturating_add);
    let title = escape(&text.get("chart-rtt-title"));
    let summary = escape(&summary(&all, lost, asked, text));
    let width = COLUMNS as i32 * STEP;
    let mut svg = format!(
        r#"<svg class="spark" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}" role="img" aria-label="{title}: {summary}"><title>{summary}</title>"#
    );
    let top = all.last().copied().unwrap_or(0).max(1);
    let x = |column: usize| match text.language().direction() {
        "rtl" => width - column as i32 * STEP - 2,
        _ => column as i32 * STEP + 1,
    };
    let y = |rtt_us: u64| {
        let room = u64::try_from(HEIGHT - FOOT - 3).unwrap_or(1);
        HEIGHT - FOOT - 1 - i32::try_from(u128::from(rtt_us.min(top)) * u128::from(room) / u128::from(top)).unwrap_or(0)
    };
    let mut path = String::new();
    let mut marks = String::new();
    let mut drawing = false;
    for (column, span) in spans.iter().enumerate() {
        if let Some(rtt_us) = span.median_us {
            // Writing to a string cannot fail.
            let _ = write!(path, "{}{} {}", if drawing { 'L' } else { 'M' }, x(column), y(rtt_us));
            if !drawing {
                path.push_str("h.1");
            }
        }
        // A span without questions does not break the line; one without answers does.
        drawing = span.median_us.is_some() || (drawing && span.lost == 0);
        if span.lost > 0 {
            let _ = write!(marks, "M{} {}v{}", x(column), HEIGHT, -(FOOT - 1));
        }
    }
    if !path.is_empty() {
        let _ = write!(svg, r#"<path class="line" d="{path}"/>"#);
    }
    if !marks.is_empty() {
        let _ = write!(svg, r#"<path class="mx broken" d="{marks}"/>"#);
    }
    svg.push_str("</svg>");
    Svg(svg)
}

fn summary(sorted: &[u64], lost: u64, asked: u64, text: &Text) -> String {
    let [fastest, .., slowest] = sorted else {
        return match sorted {
            [only] => text.format(
                "chart-rtt-one",
                [("median", milliseconds(*only).into()), lost_of(lost), asked_of(asked)],
            ),
            _ if asked == 0 => text.get("chart-rtt-none"),
            _ => text.format("chart-rtt-silent", [asked_of(asked)]),
        };
    };
    text.format(
        "chart-rtt-summary",
        [
            ("median", milliseconds(sorted[sorted.len() / 2]).into()),
            ("fastest", milliseconds(*fastest).into()),
            ("slowest", milliseconds(*slowest).into()),
            lost_of(lost),
            asked_of(asked),
        ],
    )
}

fn lost_in(point: &Point) -> u64 {
    point.asked.saturating_sub(point.answered)
}

fn lost_of(lost: u64) -> (&'static str, language::Arg) {
    ("lost", i64::try_from(lost).unwrap_or(i64::MAX).into())
}

fn asked_of(asked: u64) -> (&'static str, language::Arg) {
    ("asked", i64::try_from(asked).unwrap_or(i64::MAX).into())
}

#[derive(Debug, Clone, Default)]
struct Span {
    median_us: Option<u64>,
    lost: u64,
}

fn spans(points: &[Point]) -> Vec<Span> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    let length = (last.time.as_microsecond() - first.time.as_microsecond()).max(1);
    let mut answered: Vec<Vec<u64>> = vec![Vec::new(); COLUMNS];
    let mut spans = vec![Span::default(); COLUMNS];
    for point in points {
        let offset = (point.time.as_microsecond() - first.time.as_microsecond()).clamp(0, length);
        let column = usize::try_from(i128::from(offset) * (COLUMNS as i128 - 1) / i128::from(length)).unwrap_or(0);
        answered[column].extend(point.rtt_us);
        spans[column].lost = spans[column].lost.saturating_add(lost_in(point));
    }
    for (span, mut times) in spans.iter_mut().zip(answered) {
        times.sort_unstable();
        span.median_us = times.get(times.len() / 2).copied();
    }
    spans
}

#[cfg(test)]
mod tests {
    use language::{Language, texts};
    use proptest::prelude::*;

    use super::*;

    fn point(second: i64, rtt_us: Option<u64>) -> Point {
        let time = Timestamp::from_second(1_790_000_000 + second).unwrap();
        Point {
            time,
            asked: 1,
            answered: u64::from(rtt_us.is_some()),
            rtt_us,
        }
    }

    #[test]
    fn a_sparkline_breaks_where_a_server_was_silent() {
        let points: Vec<Point> = (0..48)
            .map(|minute| {
                point(
                    minute * 60,
                    (!(20..24).contains(&minute)).then_some(20_000 + minute as u64 * 500),
                )
            })
            .collect();
        insta::assert_snapshot!(
            sparkline(&points, texts(Language::English))
                .to_string()
                .replace("><", ">\n<")
        );
    }

    #[test]
    fn a_server_that_never_answered_has_marks_and_no_line() {
        let drawn = sparkline(&[point(0, None), point(60, None)], texts(Language::English)).to_string();
        assert!(
            !drawn.contains(r#"class="line""#) && drawn.contains("mx broken"),
            "{drawn}"
        );
        assert!(drawn.contains("2 questions"), "{drawn}");
    }

    proptest! {
        #[test]
        fn any_series_is_a_drawing_of_limited_size(series in proptest::collection::vec((any::<i32>(), any::<Option<u64>>()), 0..300)) {
            let mut points: Vec<Point> = series.into_iter().map(|(second, rtt_us)| point(i64::from(second), rtt_us)).collect();
            points.sort_by_key(|point| point.time);
            let drawn = sparkline(&points, texts(Language::Arabic)).to_string();
            prop_assert!(drawn.len() < 2500, "{}", drawn.len());
        }
    }
}
