//! When something was seen: a bar on a track, for the row of a table.

use language::Text;
use model::Timestamp;

use super::{Svg, escape};

/// Parts into which the track is divided.
const WIDTH: f64 = 1000.0;
/// The shortest bar that can be seen.
const LEAST: f64 = 12.0;

/// Draws from when to when (`seen`) something was seen, on a track from `whole.0` to `whole.1`. Time runs as the reader reads.
pub fn seen_bar(whole: (Timestamp, Timestamp), seen: (Timestamp, Timestamp), text: &Text) -> Svg {
    let second = |time: Timestamp| time.as_second() as f64;
    let length = (second(whole.1) - second(whole.0)).max(1.0);
    let at = |time: Timestamp| ((second(time) - second(whole.0)) / length).clamp(0.0, 1.0) * WIDTH;
    let (from, to) = (at(seen.0), at(seen.1));
    let width = (to - from).max(LEAST);
    let start = from.min(WIDTH - width);
    let x = if text.language().direction() == "rtl" {
        WIDTH - start - width
    } else {
        start
    };
    let day = |time: Timestamp| time.strftime("%Y-%m-%d").to_string();
    let title = text.format(
        "passive-bar",
        [("first", day(seen.0).into()), ("last", day(seen.1).into())],
    );
    let title = escape(&title);
    Svg(format!(
        r#"<svg class="seen" viewBox="0 0 {WIDTH} 10" width="144" height="10" preserveAspectRatio="none" role="img" aria-label="{title}"><title>{title}</title><g fill="currentColor"><rect y="4" width="{WIDTH}" height="2" opacity=".3"/><rect class="bar" x="{x:.0}" width="{width:.0}" height="10"/></g></svg>"#
    ))
}

#[cfg(test)]
mod tests {
    use language::{Language, texts};

    use super::*;

    #[test]
    fn a_bar_stands_where_and_as_long_as_something_was_seen() {
        let time = |second| Timestamp::from_second(second).unwrap();
        let drawn = |first, last, language| {
            let drawn = seen_bar((time(0), time(1000)), (time(first), time(last)), texts(language)).to_string();
            let bar = drawn.split(r#"class="bar" "#).nth(1).unwrap();
            bar.split(" height").next().unwrap().to_owned()
        };
        assert_eq!(drawn(250, 500, Language::English), r#"x="250" width="250""#);
        assert_eq!(drawn(250, 500, Language::Arabic), r#"x="500" width="250""#);
        assert_eq!(
            drawn(1000, 1000, Language::English),
            r#"x="988" width="12""#,
            "a moment can be seen"
        );
        let moment = seen_bar((time(5), time(5)), (time(5), time(5)), texts(Language::French)).to_string();
        assert!(
            moment.contains(r#"x="0" width="12""#) && moment.contains("1970-01-01"),
            "{moment}"
        );
    }
}
