//! Bars over time: one for each step, as high as its figure, oldest at the reading side.

use std::fmt::Write as _;

use jiff::Timestamp;
use language::Text;
use model::Health;

use super::png::Raster;
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

/// Bars over time, given oldest first, under a title and a sentence that sums them up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bars {
    title: String,
    summary: String,
    bars: Vec<Bar>,
    /// Whether the oldest stands at the right, where reading begins.
    from_right: bool,
}

impl Bars {
    pub(super) fn new(title: String, summary: String, bars: Vec<Bar>, text: &Text) -> Self {
        Self {
            title,
            summary,
            bars,
            from_right: text.language().direction() == "rtl",
        }
    }

    fn width(&self) -> usize {
        (self.bars.len() * STEP).max(STEP)
    }

    /// The bars with their places from the left.
    fn placed(&self) -> impl Iterator<Item = (usize, &Bar)> {
        self.bars.iter().enumerate().map(|(index, bar)| {
            let x = match self.from_right {
                true => self.width() - (index + 1) * STEP,
                false => index * STEP,
            };
            (x + 1, bar)
        })
    }

    /// The times of the first and the last bar, as they stand at the left and at the right.
    fn ends(&self) -> Option<[String; 2]> {
        let (first, last) = (self.bars.first()?, self.bars.last()?);
        let mut ends = [first, last].map(|bar| bar.time.strftime("%Y-%m-%d %H:%M").to_string());
        if self.from_right {
            ends.reverse();
        }
        Some(ends)
    }

    /// The drawing for a page.
    pub fn svg(&self) -> Svg {
        let (title, summary) = (escape(&self.title), escape(&self.summary));
        let (width, total) = (self.width(), HEIGHT + FOOT);
        let mut svg = format!(
            r#"<svg class="strip days" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total}" role="img" aria-label="{title}. {summary}"><title>{title}</title><desc>{summary}</desc>"#
        );
        for (x, bar) in self.placed() {
            draw(&mut svg, x, bar);
        }
        if let Some([start, end]) = self.ends() {
            // Writing to a string cannot fail.
            let _ = write!(
                svg,
                r#"<text fill="currentColor" font-size="11" x="1" y="{total}" direction="ltr">{start}</text><text fill="currentColor" font-size="11" x="{}" y="{total}" text-anchor="end" direction="ltr">{end}</text>"#,
                width - 1,
            );
        }
        svg.push_str("</svg>");
        Svg(svg)
    }

    /// The same as a file of PNG, for light ground; its title and description are the chart's.
    pub fn png(&self) -> Vec<u8> {
        let mut raster = Raster::new(self.width(), HEIGHT + FOOT, PIXELS);
        for (x, bar) in self.placed() {
            let (height, colour) = (height(bar), colour(bar.health));
            let (corner, size) = ((x, HEIGHT - height), (STEP - 2, height));
            match bar.health {
                Health::Unknown => raster.outline(corner, size, colour),
                _ => raster.fill(corner, size, colour),
            }
            if bar.health == Health::Broken {
                raster.cross((x + 1, (HEIGHT - height).saturating_sub(10)), 7, colour);
            }
        }
        if let Some([start, end]) = self.ends() {
            let (top, right) = (HEIGHT + (FOOT - 7) / 2, self.width() - 1);
            raster.text((1, top), &start, TEXT);
            raster.text((right.saturating_sub(Raster::text_width(&end)), top), &end, TEXT);
        }
        let words = [("Title", self.title.as_str()), ("Description", &self.summary)];
        raster.png(&COLOURS, &words)
    }
}

/// The colours of [`super::alone`], the ground first.
const COLOURS: [[u8; 3]; 6] = [
    [0xff, 0xff, 0xff],
    [0x00, 0x59, 0x3c],
    [0x8a, 0x5a, 0x00],
    [0xa4, 0x16, 0x1a],
    [0x66, 0x66, 0x77],
    [0x33, 0x33, 0x33],
];
/// The place of the text's colour among them.
const TEXT: u8 = 5;
/// Pixels to a unit of the drawing: what is sharp in print on a whole page's width.
const PIXELS: usize = 2;

fn colour(health: Health) -> u8 {
    match health {
        Health::Good => 1,
        Health::Impaired => 2,
        Health::Broken => 3,
        Health::Unknown => 4,
    }
}

fn height(bar: &Bar) -> usize {
    match bar.health {
        Health::Unknown => NOTHING,
        _ => bar.height.clamp(2, HEIGHT),
    }
}

fn draw(svg: &mut String, x: usize, bar: &Bar) {
    let height = height(bar);
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
