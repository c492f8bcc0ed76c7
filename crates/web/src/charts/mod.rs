//! Charts as SVG text, drawn by the server: pure functions from figures to [`Svg`]. Those of bars over time are drawn as PNG as well,
//! for documents that take no SVG: docs/decisions/0021-charts-as-png.md.
//!
//! A chart says by shape and word what it says by colour, carries a title and a description for screen readers, and
//! takes its colours from classes of the style sheet, which know light and dark. What comes from the DNS is escaped
//! here; nothing else in this crate writes markup by hand.

mod answered;
mod bars;
mod delegation_graph;
mod png;
mod seen;
mod signature_life;
mod sparkline;
mod strip;

use std::fmt;

use model::Health;

pub use answered::{Step, answered};
pub use bars::Bars;
pub use delegation_graph::{Chain, Graph, NameServer, Server, Standing, delegation_graph};
pub use seen::seen_bar;
pub use signature_life::{days, signature_life};
pub use sparkline::{Point, sparkline};
pub use strip::{Day, strip};

/// A finished drawing, safe to stand in a page as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Svg(String);

impl fmt::Display for Svg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Svg {}

/// A drawing as a file of its own: with the colours that the style sheet gives it on a page, for light ground.
pub fn alone(drawing: &Svg) -> String {
    const STYLE: &str = "<style>text{font:11px sans-serif;fill:#333}.bar.good,.mk.good{fill:#00593c}\
        .bar.impaired,.mk.impaired{fill:#8a5a00}.bar.broken{fill:#a4161a}.mx{stroke:#a4161a;stroke-width:2;fill:none}\
        .bar.unknown{fill:none;stroke:#667;stroke-dasharray:2 2}</style>";
    match drawing.0.split_once('>') {
        Some((head, rest)) => format!("{head}>{STYLE}{rest}"),
        None => drawing.0.clone(),
    }
}

/// The mark of a state alone, 12 by 12, for tables and lists where the word stands beside it.
pub fn mark(health: Health) -> Svg {
    Svg(format!(
        r#"<svg class="state" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">{}</svg>"#,
        shape(health, 6, 6)
    ))
}

/// The shape of a state around the centre: (`x`, `y`), at most 10 wide: a disc, a triangle, a cross, an empty ring.
fn shape(health: Health, x: i32, y: i32) -> String {
    let class = health.as_str();
    match health {
        Health::Good => format!(r#"<circle class="mk {class}" cx="{x}" cy="{y}" r="5"/>"#),
        Health::Impaired => {
            format!(r#"<path class="mk {class}" d="M{} {}l5 9h-10z"/>"#, x, y - 5)
        }
        Health::Broken => format!(r#"<path class="mx {class}" d="M{} {}l8 8m0-8l-8 8"/>"#, x - 4, y - 4),
        Health::Unknown => format!(r#"<circle class="mo {class}" cx="{x}" cy="{y}" r="4"/>"#),
    }
}

/// Text for element content and attribute values. Characters that no XML document may hold are left out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            other if other.is_control() => {}
            other => escaped.push(other),
        }
    }
    escaped
}

/// `text` with its middle left out, so that no more than `most` characters remain: both ends of a name tell it apart.
fn shorten(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let front = (most - 1) / 2;
    let back = most - 1 - front;
    text.chars()
        .take(front)
        .chain(['…'])
        .chain(text.chars().skip(count - back))
        .collect()
}

/// Microseconds as milliseconds with as many digits as help: `0.4`, `23`.
pub fn milliseconds(rtt_us: u64) -> String {
    if rtt_us < 10_000 {
        format!("{}.{}", rtt_us / 1000, rtt_us % 1000 / 100)
    } else {
        (rtt_us / 1000).to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_name_keeps_both_its_ends() {
        assert_eq!(shorten("ns1.example", 11), "ns1.example");
        assert_eq!(shorten("a-very-long-name.of-a-server.example", 15), "a-very-…example");
        assert_eq!(shorten("παράδειγμα", 5), "πα…μα");
    }

    #[test]
    fn milliseconds_have_a_decimal_only_where_it_matters() {
        assert_eq!(milliseconds(412), "0.4");
        assert_eq!(milliseconds(9_960), "9.9");
        assert_eq!(milliseconds(23_400), "23");
    }

    proptest! {
        #[test]
        fn escaped_text_holds_nothing_that_a_reader_of_markup_acts_on(text in any::<String>()) {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
            prop_assert!(!escaped.chars().any(char::is_control));
            prop_assert!(escaped.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
                .replace("&quot;", "").replace("&#39;", "").find('&').is_none());
        }

        #[test]
        fn shortened_text_is_never_longer_than_asked(text in any::<String>(), most in 3_usize..60) {
            prop_assert!(shorten(&text, most).chars().count() <= most);
        }
    }
}
