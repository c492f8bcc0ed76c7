//! Life left of signatures over time: one bar for each step, as high as what was left of the signature that expires first.

use jiff::{SignedDuration, Timestamp};
use language::Text;
use model::Health;

use super::bars::{Bar, Bars, HEIGHT};

/// What is too short: the limit of Zonemaster's test case DNSSEC04 (`REMAINING_SHORT`). Lower leaves nobody the time to sign anew;
/// higher warns of zones that sign each day as a matter of course.
const SHORT: SignedDuration = SignedDuration::from_hours(12);

/// Draws the steps, given oldest first, each with the least that was left in it; `None` where no signature was seen. The
/// highest bar is the longest life.
pub fn signature_life(steps: &[(Timestamp, Option<SignedDuration>)], text: &Text) -> Bars {
    let seen = || steps.iter().filter_map(|(_, left)| *left);
    let longest = seen().max().unwrap_or_default().as_secs().max(1);
    let least = seen().min().map(days).unwrap_or_default();
    let summary = text.format("chart-signature-summary", [("days", least.into())]);
    let bars = steps
        .iter()
        .map(|(time, left)| Bar {
            time: *time,
            health: left.map_or(Health::Unknown, health),
            height: height(left.unwrap_or_default(), longest),
            says: match left {
                Some(left) => text.format("chart-days", [("days", days(*left).into())]),
                None => "–".to_owned(),
            },
        })
        .collect();
    Bars::new(text.get("chart-signature-title"), summary, bars, text)
}

/// How a zone stands whose signatures have so much left.
fn health(left: SignedDuration) -> Health {
    match () {
        () if left.is_negative() => Health::Broken,
        () if left < SHORT => Health::Impaired,
        () => Health::Good,
    }
}

fn height(left: SignedDuration, longest: i64) -> usize {
    let most = i64::try_from(HEIGHT).unwrap_or(i64::MAX);
    usize::try_from(left.as_secs().max(0).saturating_mul(most) / longest).unwrap_or(HEIGHT)
}

/// Days with one decimal: `13.2`, `-0.4`.
pub fn days(left: SignedDuration) -> String {
    format!("{:.1}", left.as_secs_f64() / 86_400.0)
}

#[cfg(test)]
mod tests {
    use language::{Language, texts};

    use super::*;

    #[test]
    fn the_longest_life_is_the_highest_bar_and_what_expired_is_marked() {
        let at = |hour: i64| Timestamp::from_second(1_790_000_000 + hour * 3600).unwrap();
        let steps = [
            (at(0), Some(SignedDuration::from_hours(240))),
            (at(1), Some(SignedDuration::from_hours(120))),
            (at(2), Some(SignedDuration::from_hours(6))),
            (at(3), Some(SignedDuration::from_hours(-12))),
            (at(4), None),
        ];
        let drawn = signature_life(&steps, texts(Language::English)).svg().to_string();
        for part in [
            r#"10.0 d</title><rect class="bar good" x="1" y="0" width="10" height="96"/>"#,
            r#"5.0 d</title><rect class="bar good" x="13" y="48" width="10" height="48"/>"#,
            r#"0.2 d</title><rect class="bar impaired" x="25" y="94" width="10" height="2"/>"#,
            r#"-0.5 d</title><rect class="bar broken" x="37" y="94" width="10" height="2"/>"#,
            r#"<rect class="bar unknown" x="49" y="92" width="10" height="4"/>"#,
            "least in this period: -0.5 days",
        ] {
            assert!(drawn.contains(part), "{part} in {drawn}");
        }
    }
}
