//! Answered over time: one bar for each step, as high as the share of questions that were answered.

use jiff::Timestamp;
use language::Text;
use metrics::Share;
use model::Health;

use super::bars::{Bar, Bars, HEIGHT};

/// One step of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// When it began.
    pub time: Timestamp,
    /// Questions answered, of all that were asked.
    pub answered: Share,
}

/// Draws the steps, given oldest first. A step without questions is a low outline; one with less than all has its share above.
pub fn answered(steps: &[Step], text: &Text) -> Bars {
    let all: Share = steps.iter().map(|step| step.answered).sum();
    let summary = text.format(
        "chart-answered-summary",
        [
            ("answered", i64::try_from(all.good).unwrap_or(i64::MAX).into()),
            ("asked", i64::try_from(all.all).unwrap_or(i64::MAX).into()),
        ],
    );
    let bars = steps.iter().map(bar).collect();
    Bars::new(text.get("chart-answered-title"), summary, bars, text)
}

fn bar(step: &Step) -> Bar {
    let Share { good, all } = step.answered;
    let health = match () {
        () if all == 0 => Health::Unknown,
        () if good == all => Health::Good,
        // half of the questions lost is a zone that many could not use, as on the strip of days
        () if good.saturating_mul(2) >= all => Health::Impaired,
        () => Health::Broken,
    };
    let height = good.saturating_mul(HEIGHT as u64 - 2).checked_div(all).unwrap_or(0);
    Bar {
        time: step.time,
        health,
        height: usize::try_from(height).unwrap_or(HEIGHT) + 2,
        says: format!("{good}/{all}"),
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
        let drawn = answered(&steps, texts(Language::English)).svg().to_string();
        for part in [
            r#"<rect class="bar good" x="1" y="0" width="10" height="96"/>"#,
            r#"<rect class="bar impaired" x="13" y="38" width="10" height="58"/>"#,
            r#"<rect class="bar broken" x="25" y="85" width="10" height="11"/>"#,
            r#"<rect class="bar unknown" x="37" y="92" width="10" height="4"/>"#,
            "17 of 30 questions were answered",
        ] {
            assert!(drawn.contains(part), "{part} in {drawn}");
        }
        let arabic = answered(&steps, texts(Language::Arabic)).svg().to_string();
        assert!(
            arabic.contains(r#"<rect class="bar good" x="37""#),
            "the oldest stands at the right: {arabic}"
        );
    }
}
