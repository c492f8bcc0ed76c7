//! Answered over time: one bar for each step, as high as the share of questions that were answered.

use std::fmt::Write as _;

use jiff::Timestamp;
use language::Text;
use metrics::Share;
use model::Health;

use super::{Svg, escape};

/// One step of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// When it began.
    pub time: Timestamp,
    /// Questions answered, of all that were asked.
    pub answered: Share,
}

const STEP: usize = 12;
const HEIGHT: usize = 96;
/// Room below the bars for the two times.
const FOOT: usize = 18;

/// Draws the steps, given oldest first. A step without questions is a low outline; one with less than all has its share above.
pub fn answered(steps: &[Step], text: &Text) -> Svg {
    let width = (steps.len() * STEP).max(STEP);
    let all: Share = steps.iter().map(|step| step.answered).sum();
    let title = escape(&text.get("chart-answered-title"));
    let summary = escape(&text.format(
        "chart-answered-summary",
        [
            ("answered", i64::try_from(all.good).unwrap_or(i64::MAX).into()),
            ("asked", i64::try_from(all.all).unwrap_or(i64::MAX).into()),
        ],
    ));
    let total = HEIGHT + FOOT;
    let mut svg = format!(
        r#"<svg class="strip days" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total}" role="img" aria-label="{title}. {summary}"><title>{title}</title><desc>{summary}</desc>"#
    );
    let from_right = text.language().direction() == "rtl";
    for (index, step) in steps.iter().enumerate() {
        let x = match from_right {
            true => width - (index + 1) * STEP,
            false => index * STEP,
        } + 1;
        bar(&mut svg, x, step);
    }
    if let (Some(first), Some(last)) = (steps.first(), steps.last()) {
        let (start, end) = match from_right {
            true => (last.time, first.time),
            false => (first.time, last.time),
        };
        // Writing to a string cannot fail.
        let _ = write!(
            svg,
            r#"<text fill="currentColor" font-size="11" x="1" y="{total}" direction="ltr">{}</text><text fill="currentColor" font-size="11" x="{}" y="{total}" text-anchor="end" direction="ltr">{}</text>"#,
            start.strftime("%Y-%m-%d %H:%M"),
            width - 1,
            end.strftime("%Y-%m-%d %H:%M"),
        );
    }
    svg.push_str("</svg>");
    Svg(svg)
}

fn bar(svg: &mut String, x: usize, step: &Step) {
    let Share { good, all } = step.answered;
    let health = match () {
        () if all == 0 => Health::Unknown,
        () if good == all => Health::Good,
        // half of the questions lost is a zone that many could not use, as on the strip of days
        () if good.saturating_mul(2) >= all => Health::Impaired,
        () => Health::Broken,
    };
    let height = match all {
        0 => 4,
        _ => usize::try_from(good.saturating_mul(HEIGHT as u64 - 2) / all).unwrap_or(HEIGHT - 2) + 2,
    };
    let (y, width) = (HEIGHT - height, STEP - 2);
    let _ = write!(
        svg,
        r#"<g><title>{} UTC: {good}/{all}</title><rect class="bar {}" x="{x}" y="{y}" width="{width}" height="{height}"/></g>"#,
        step.time.strftime("%Y-%m-%d %H:%M"),
        health.as_str(),
    );
    if health == Health::Broken {
        let _ = write!(
            svg,
            r#"<path class="mx broken" d="M{} {}l6 6m0-6l-6 6"/>"#,
            x + 2,
            y.saturating_sub(12)
        );
    }
}

#[cfg(test)]
mod tests {
    use language::{Language, texts};

    use super::*;

    #[test]
    fn the_share_that_was_answered_is_the_height_of_its_bar_and_a_gap_is_no_bar() {
        let steps: Vec<Step> = [(10, 10), (6, 10), (1, 10), (0, 0)]
            .into_iter()
            .enumerate()
            .map(|(hour, (good, all))| Step {
                time: Timestamp::from_second(1_790_000_000 + hour as i64 * 3600).unwrap(),
                answered: Share::of(good, all),
            })
            .collect();
        let drawn = answered(&steps, texts(Language::English)).to_string();
        for part in [
            r#"<rect class="bar good" x="1" y="0" width="10" height="96"/>"#,
            r#"<rect class="bar impaired" x="13" y="38" width="10" height="58"/>"#,
            r#"<rect class="bar broken" x="25" y="85" width="10" height="11"/>"#,
            r#"<rect class="bar unknown" x="37" y="92" width="10" height="4"/>"#,
            "17 of 30 questions were answered",
        ] {
            assert!(drawn.contains(part), "{part} in {drawn}");
        }
        let arabic = answered(&steps, texts(Language::Arabic)).to_string();
        assert!(
            arabic.contains(r#"<rect class="bar good" x="37""#),
            "the oldest stands at the right: {arabic}"
        );
    }
}
