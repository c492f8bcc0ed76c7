//! The delegation as a graph: parent → zone → NS names → addresses, with what is expected and what is seen.

use std::fmt::Write as _;
use std::net::IpAddr;

use language::Text;
use model::{Health, Name};

use super::{Svg, escape, milliseconds, shape, shorten};
use crate::health::text_id;

/// What is drawn.
#[derive(Debug, Clone)]
pub struct Graph {
    /// The delegated zone.
    pub zone: Name,
    /// The zone that delegates it; `None` for the root.
    pub parent: Option<Name>,
    /// How the parent vouches for the zone's keys.
    pub chain: Chain,
    /// The NS names, expected or seen, in the order in which they are drawn.
    pub name_servers: Vec<NameServer>,
}

/// The chain of trust from the parent to the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chain {
    /// A DS set that leads to a key which signs the zone.
    Secured,
    /// No DS at the parent.
    Unsigned,
    /// A DS set, and signatures or keys that do not follow from it.
    Broken,
    /// The parent was not seen yet.
    Unknown,
}

impl Chain {
    /// Id of the sentence: `chart-chain-secured`.
    pub fn text_id(self) -> &'static str {
        match self {
            Chain::Secured => "chart-chain-secured",
            Chain::Unsigned => "chart-chain-unsigned",
            Chain::Broken => "chart-chain-broken",
            Chain::Unknown => "chart-chain-unknown",
        }
    }

    /// The state of which it takes shape and colour.
    pub fn health(self) -> Health {
        match self {
            Chain::Secured => Health::Good,
            Chain::Unsigned | Chain::Unknown => Health::Unknown,
            Chain::Broken => Health::Broken,
        }
    }
}

/// One NS name.
#[derive(Debug, Clone)]
pub struct NameServer {
    /// The name.
    pub name: Name,
    /// Whether it should be there, and is.
    pub standing: Standing,
    /// Its addresses.
    pub servers: Vec<Server>,
}

/// Expectation against sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Expected and seen.
    AsExpected,
    /// Seen, and nobody expects it.
    New,
    /// Expected, and not seen.
    Gone,
    /// Seen, with nothing to compare it to.
    Seen,
}

impl Standing {
    /// Id of the word: `chart-standing-new`.
    pub fn text_id(self) -> &'static str {
        match self {
            Standing::AsExpected => "chart-standing-expected",
            Standing::New => "chart-standing-new",
            Standing::Gone => "chart-standing-gone",
            Standing::Seen => "chart-standing-seen",
        }
    }

    /// The class that carries colour and kind of outline: `new`.
    pub fn class(self) -> &'static str {
        match self {
            Standing::AsExpected | Standing::Seen => "seen",
            Standing::New => "new",
            Standing::Gone => "gone",
        }
    }
}

/// One address of an NS name.
#[derive(Debug, Clone)]
pub struct Server {
    /// The address.
    pub address: IpAddr,
    /// How it does.
    pub health: Health,
    /// Time to its last answer in microseconds.
    pub rtt_us: Option<u64>,
}

const WIDTH: i32 = 760;
/// Left edge and width of the columns: zones, NS names, addresses.
const COLUMNS: [(i32, i32); 3] = [(1, 190), (241, 240), (531, 228)];
const ROW: i32 = 48;
const BOX: i32 = 40;
/// The three boxes of the first column with their gaps.
const MIN_HEIGHT: i32 = 152;
/// Rows drawn; a delegation of more is told in words and in the table below the drawing.
const MAX_ROWS: usize = 30;

/// Draws the graph; mirrored for readers from right to left.
pub fn delegation_graph(graph: &Graph, text: &Text) -> Svg {
    let mut shown = 0;
    let drawn: Vec<&NameServer> = graph
        .name_servers
        .iter()
        .take_while(|server| {
            shown += server.servers.len().max(1);
            shown <= MAX_ROWS
        })
        .collect();
    let rows: i32 = drawn.iter().map(|server| server.servers.len().max(1) as i32).sum();
    let hidden = graph.name_servers.len() - drawn.len();
    let height = (rows * ROW + if hidden > 0 { 28 } else { 0 }).max(MIN_HEIGHT);
    let mut canvas = Canvas {
        svg: String::new(),
        mirrored: text.language().direction() == "rtl",
    };
    let title = escape(&text.format("chart-graph-title", [("zone", shown_name(&graph.zone).into())]));
    let summary = escape(&summary(graph, text));
    let _ = write!(
        canvas.svg,
        r#"<svg class="graph" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-label="{title}. {summary}"><title>{title}</title><desc>{summary}</desc>"#
    );
    let zone_y = trunk(&mut canvas, graph, height, text);
    let mut y = (height - rows * ROW - if hidden > 0 { 28 } else { 0 }) / 2;
    for server in drawn {
        y = name_server(&mut canvas, server, y, zone_y, text);
    }
    if hidden > 0 {
        let more = text.format("chart-graph-more", [("count", (hidden as i64).into())]);
        canvas.words(COLUMNS[1].0, COLUMNS[1].1, y + 18, "sub", &more);
    }
    canvas.svg.push_str("</svg>");
    Svg(canvas.svg)
}

/// Parent, chain and zone, one below the other; the middle of the zone's box comes back.
fn trunk(canvas: &mut Canvas, graph: &Graph, height: i32, text: &Text) -> i32 {
    let (x, width) = COLUMNS[0];
    let parent_y = (height - MIN_HEIGHT) / 2;
    let zone_y = parent_y + MIN_HEIGHT - BOX - 4;
    let middle = x + width / 2;
    if let Some(parent) = &graph.parent {
        canvas.node(0, parent_y + 4, "seen", parent, &text.get("chart-graph-parent"), None);
        let edge = canvas.x(middle, 0);
        let _ = write!(
            canvas.svg,
            r#"<path class="edge chain-{}" d="M{edge} {}V{zone_y}"/>"#,
            graph.chain.health().as_str(),
            parent_y + 4 + BOX
        );
    }
    let word_y = parent_y + 4 + BOX + 36;
    let word = text.get(graph.chain.text_id());
    let _ = write!(
        canvas.svg,
        r#"<rect class="plate" x="{}" y="{}" width="{width}" height="22"/>"#,
        canvas.x(x, width),
        word_y - 16
    );
    let mark_x = canvas.x(x + 12, 0);
    canvas.svg.push_str(&shape(graph.chain.health(), mark_x, word_y - 5));
    canvas.words(x + 16, width - 16, word_y, "word", &word);
    canvas.node(0, zone_y, "zone", &graph.zone, &text.get("chart-graph-zone"), None);
    zone_y + BOX / 2
}

/// One NS name with its addresses from `y` on; where the next begins comes back.
fn name_server(canvas: &mut Canvas, server: &NameServer, y: i32, zone_y: i32, text: &Text) -> i32 {
    let rows = server.servers.len().max(1) as i32;
    let top = y + (rows * ROW - BOX) / 2;
    let class = server.standing.class();
    canvas.edge(0, zone_y, 1, top + BOX / 2, class);
    canvas.node(1, top, class, &server.name, &text.get(server.standing.text_id()), None);
    if server.servers.is_empty() {
        canvas.words(
            COLUMNS[2].0,
            COLUMNS[2].1,
            y + ROW / 2 + 4,
            "sub",
            &text.get("chart-graph-no-address"),
        );
    }
    for (row, address) in server.servers.iter().enumerate() {
        let row_y = y + row as i32 * ROW + (ROW - BOX) / 2;
        canvas.edge(1, top + BOX / 2, 2, row_y + BOX / 2, class);
        let mut words = text.get(text_id(address.health));
        if let Some(rtt_us) = address.rtt_us {
            words = format!(
                "{words} · {}",
                text.format("chart-ms", [("ms", milliseconds(rtt_us).into())])
            );
        }
        canvas.text_node(
            2,
            row_y,
            class,
            &address.address.to_string(),
            &words,
            Some(address.health),
        );
    }
    y + rows * ROW
}

fn summary(graph: &Graph, text: &Text) -> String {
    let servers = || graph.name_servers.iter().flat_map(|server| &server.servers);
    let standing = |standing| {
        graph
            .name_servers
            .iter()
            .filter(|server| server.standing == standing)
            .count() as i64
    };
    text.format(
        "chart-graph-summary",
        [
            ("names", (graph.name_servers.len() as i64).into()),
            ("addresses", (servers().count() as i64).into()),
            (
                "broken",
                (servers().filter(|server| server.health == Health::Broken).count() as i64).into(),
            ),
            ("new", standing(Standing::New).into()),
            ("gone", standing(Standing::Gone).into()),
            ("chain", text.get(graph.chain.text_id()).into()),
        ],
    )
}

fn shown_name(name: &Name) -> String {
    name.unicode()
        .map_or_else(|| name.to_string(), |unicode| format!("{unicode} ({name})"))
}

struct Canvas {
    svg: String,
    mirrored: bool,
}

impl Canvas {
    fn x(&self, x: i32, width: i32) -> i32 {
        if self.mirrored { WIDTH - x - width } else { x }
    }

    fn node(&mut self, column: usize, y: i32, class: &str, name: &Name, words: &str, health: Option<Health>) {
        let ascii = name.to_string();
        match name.unicode() {
            Some(unicode) => {
                let words = format!("{} · {words}", shorten(&ascii, 20));
                self.drawn_node(column, y, class, &unicode, &words, health, &shown_name(name));
            }
            None => self.drawn_node(column, y, class, &ascii, words, health, &ascii),
        }
    }

    fn text_node(&mut self, column: usize, y: i32, class: &str, line: &str, words: &str, health: Option<Health>) {
        self.drawn_node(column, y, class, line, words, health, line);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one private drawing step with what differs between nodes"
    )]
    fn drawn_node(
        &mut self,
        column: usize,
        y: i32,
        class: &str,
        line: &str,
        words: &str,
        health: Option<Health>,
        full: &str,
    ) {
        let (x, width) = COLUMNS[column];
        let left = self.x(x, width);
        let _ = write!(
            self.svg,
            r#"<g><title>{}: {}</title><rect class="node {class}" x="{left}" y="{y}" width="{width}" height="{BOX}" rx="4"/>"#,
            escape(full),
            escape(words)
        );
        let indent = if health.is_some() { 22 } else { 8 };
        if let Some(health) = health {
            let centre = self.x(x + 12, 0);
            self.svg.push_str(&shape(health, centre, y + BOX / 2));
        }
        // About 7.3 pixels a character at the size the style sheet sets for names.
        let most = ((width - indent - 6) * 10 / 73) as usize;
        let (anchor, at) = if self.mirrored {
            ("end", left + width - indent)
        } else {
            ("start", left + indent)
        };
        let _ = write!(
            self.svg,
            r#"<text class="name" x="{at}" y="{}" text-anchor="{anchor}" direction="ltr">{}</text>"#,
            y + 17,
            escape(&shorten(line, most))
        );
        self.words(x + indent - 8, width - indent + 8, y + 33, "sub", words);
        self.svg.push_str("</g>");
    }

    /// Words in the reader's language, from the reading edge of the column on.
    fn words(&mut self, x: i32, width: i32, y: i32, class: &str, words: &str) {
        let direction = if self.mirrored { "rtl" } else { "ltr" };
        let at = self.x(x + 8, 0);
        let most = (width / 6) as usize;
        let _ = write!(
            self.svg,
            r#"<text class="{class}" x="{at}" y="{y}" text-anchor="start" direction="{direction}">{}</text>"#,
            escape(&shorten(words, most.max(3)))
        );
    }

    fn edge(&mut self, from: usize, from_y: i32, to: usize, to_y: i32, class: &str) {
        let start = COLUMNS[from].0 + COLUMNS[from].1;
        let end = COLUMNS[to].0;
        let (x1, x2, middle) = (self.x(start, 0), self.x(end, 0), self.x((start + end) / 2, 0));
        let _ = write!(
            self.svg,
            r#"<path class="edge {class}" d="M{x1} {from_y}C{middle} {from_y} {middle} {to_y} {x2} {to_y}"/>"#
        );
    }
}

#[cfg(test)]
mod tests {
    use language::{Language, texts};
    use proptest::prelude::*;

    use super::*;

    fn name_server(name: &str, standing: Standing, servers: &[(&str, Health, Option<u64>)]) -> NameServer {
        let servers = servers
            .iter()
            .map(|(address, health, rtt_us)| Server {
                address: address.parse().unwrap(),
                health: *health,
                rtt_us: *rtt_us,
            })
            .collect();
        NameServer {
            name: name.parse().unwrap(),
            standing,
            servers,
        }
    }

    fn graph() -> Graph {
        Graph {
            zone: "παράδειγμα.example".parse().unwrap(),
            parent: Some("example".parse().unwrap()),
            chain: Chain::Broken,
            name_servers: vec![
                name_server(
                    "ns1.registry.example",
                    Standing::AsExpected,
                    &[
                        ("192.0.2.1", Health::Good, Some(23_000)),
                        ("2001:db8::1", Health::Broken, None),
                    ],
                ),
                name_server(
                    "ns.attacker.example",
                    Standing::New,
                    &[("198.51.100.66", Health::Impaired, Some(400))],
                ),
                name_server("ns2.registry.example", Standing::Gone, &[]),
            ],
        }
    }

    #[test]
    fn a_graph_shows_standing_state_and_chain_in_shape_colour_and_word() {
        insta::assert_snapshot!(
            delegation_graph(&graph(), texts(Language::English))
                .to_string()
                .replace("><", ">\n<")
        );
    }

    #[test]
    fn a_graph_is_mirrored_for_readers_from_right_to_left() {
        let drawn = delegation_graph(&graph(), texts(Language::Arabic)).to_string();
        let zone = drawn.find("node zone").unwrap();
        assert!(drawn[zone..].starts_with(r#"node zone" x="569""#), "{drawn}");
    }

    #[test]
    fn a_delegation_with_too_many_servers_says_how_many_are_not_drawn() {
        let mut graph = graph();
        graph.name_servers = (0..100)
            .map(|at| name_server(&format!("ns{at}.example"), Standing::Seen, &[]))
            .collect();
        let drawn = delegation_graph(&graph, texts(Language::English)).to_string();
        assert!(drawn.contains("70 more"), "{drawn}");
        assert!(drawn.len() < 20_000, "{}", drawn.len());
    }

    #[test]
    fn a_hostile_name_is_drawn_and_does_nothing() {
        let mut graph = graph();
        graph.name_servers = vec![name_server("<script>alert(1)</script>.example", Standing::New, &[])];
        let drawn = delegation_graph(&graph, texts(Language::English)).to_string();
        assert!(!drawn.contains("<script"), "{drawn}");
        assert!(drawn.contains("&lt;script&gt;"), "{drawn}");
    }

    proptest! {
        #[test]
        fn any_names_make_one_drawing(names in proptest::collection::vec(".{1,40}", 0..40)) {
            let mut graph = graph();
            graph.name_servers = names
                .iter()
                .filter_map(|name| name.parse().ok())
                .map(|name| NameServer { name, standing: Standing::Seen, servers: Vec::new() })
                .collect();
            let drawn = delegation_graph(&graph, texts(Language::Arabic)).to_string();
            prop_assert_eq!(drawn.matches("<svg").count(), 1);
            prop_assert!(drawn.ends_with("</svg>"));
        }
    }
}
