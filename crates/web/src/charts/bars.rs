//! Bars over time: one for each step, as high as its figure, oldest at the reading side.

use std::fmt::Write as _;

use jiff::Timestamp;
use language::Text;
use model::Health;

use super::{Svg, escape};

const STEP: usize = 12;
/// Height of a whole bar.
pub const HEIGHT: usize = 96;
/// Room below the bars for the two times.
const FOOT: usize = 18;
/// Height of a step without a figure.
const NOTHING: usize = 4;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// When the step began.
    pub time: Timestamp,
    /// How it stands; [`Health::Unknown`] is a low outline.
    pub health: Health,
    /// Its height, from 0 to [`HEIGHT`].
    pub height: usize,
    /// The figure in words.
    pub says: String,
}

/// Draws the bars, given oldest first, under a title and a sentence that sums them up.
pub fn bars(title: &str, summary: &str, bars: &[Bar], text: &Text) -> Svg {
    let (title, summary) = (escape(title), escape(summary));
    let (width, total) = ((bars.len() * STEP).max(STEP), HEIGHT + FOOT);
    let mut svg = format!(
        r#"<svg class="strip days" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total}" role="img" aria-label="{title}. {summary}"><title>{title}</title><desc>{summary}</desc>"#
    );
    let from_right = text.language().direction() == "rtl";
    for (index, bar) in bars.iter().enumerate() {
        let x = match from_right {
            true => width - (index + 1) * STEP,
            false => index * STEP,
        } + 1;
        draw(&mut svg, x, bar);
    }
    if let (Some(first), Some(last)) = (bars.first(), bars.last()) {
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

fn draw(svg: &mut String, x: usize, bar: &Bar) {
    let height = match bar.health {
        Health::Unknown => NOTHING,
        _ => bar.height.clamp(2, HEIGHT),
    };
    let (y, width) = (HEIGHT - height, STEP - 2);
    let _ = write!(
        svg,
        r#"<g><title>{} UTC: {}</title><rect class="bar {}" x="{x}" y="{y}" width="{width}" height="{height}"/></g>"#,
        bar.time.strftime("%Y-%m-%d %H:%M"),
        escape(&bar.says),
        bar.health.as_str(),
    );
    if bar.health == Health::Broken {
        let _ = write!(
            svg,
            r#"<path class="mx broken" d="M{} {}l6 6m0-6l-6 6"/>"#,
            x + 2,
            y.saturating_sub(12)
        );
    }
}
