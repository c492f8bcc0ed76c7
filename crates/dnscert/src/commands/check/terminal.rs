//! What people read of a check: the servers, then the findings by area, the worst first, each with why it matters and
//! how to mend it. Colour helps the eye and says nothing that words do not.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use language::{Arg, Explanation, Text, explain, texts};
use measure::{Report, ResolverReport, ServerState};
use model::{Finding, Language, Level, Outcome, Timestamp};
use textwrap::core::display_width;

/// Areas of the catalogue in the order in which they are told: what makes a zone unusable comes first.
const AREAS: [&str; 12] = [
    "basic",
    "delegation",
    "connectivity",
    "nameserver",
    "edns",
    "consistency",
    "dnssec",
    "chain",
    "address",
    "zone",
    "syntax",
    "resolver",
];
/// Narrowest and widest text in columns: below, words are torn; above, lines are hard to follow.
const WIDTH: std::ops::RangeInclusive<usize> = 40..=100;
const BOLD: Style = Style::new().bold();
const MUTED: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();

/// What the command line asks of the words.
#[derive(Debug, Clone, Copy)]
pub struct Wording {
    /// Mildest level that is shown.
    pub level: Level,
    /// Language of the words.
    pub language: Language,
    /// Columns of the terminal.
    pub width: usize,
}

/// A report as text with ANSI styles, `questions` of which were sent for it.
pub fn render(report: &Report, questions: usize, wording: Wording) -> String {
    let mut page = Page::new(wording);
    let title = match report.zone.unicode() {
        Some(unicode) => format!("{unicode} ({})", report.zone),
        None => report.zone.to_string(),
    };
    page.title(&title, report.started, report.seconds, questions);
    page.seen_from(report.vantage_point.as_deref());
    if let Some(reason) = &report.untestable {
        page.paragraph(
            "",
            &Style::new(),
            &page.text.format("check-untestable", [("reason", reason.into())]),
        );
        return page.out;
    }
    page.servers(&report.servers);
    let shown: Vec<&Finding> = report
        .findings
        .iter()
        .map(|(_, finding)| finding)
        .filter(|finding| finding.level >= wording.level)
        .collect();
    for (area, findings) in by_area(&shown) {
        page.area(area, &findings);
    }
    page.closing(report, &shown, wording.level);
    page.out
}

/// The report on a resolver as text with ANSI styles.
pub fn render_resolver(report: &ResolverReport, wording: Wording) -> String {
    let mut page = Page::new(wording);
    page.title(
        &report.resolver.to_string(),
        report.started,
        report.seconds,
        report.questions,
    );
    page.seen_from(report.vantage_point.as_deref());
    let shown: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|finding| finding.level >= wording.level)
        .collect();
    for (area, findings) in by_area(&shown) {
        page.area(area, &findings);
    }
    page.counts(&shown, wording.level);
    page.out
}

/// The area of a test case: its id without the number.
fn area(case: &str) -> &str {
    case.trim_end_matches(|c: char| c.is_ascii_digit())
}

fn place(area: &str) -> usize {
    AREAS.iter().position(|known| *known == area).unwrap_or(AREAS.len())
}

/// The areas with their findings, each worst first, the area with the worst of all first.
fn by_area<'a>(shown: &[&'a Finding]) -> Vec<(&'a str, Vec<&'a Finding>)> {
    let mut areas: Vec<(&str, Vec<&Finding>)> = Vec::new();
    for finding in shown {
        let area = area(&finding.case);
        match areas.iter_mut().find(|(known, _)| *known == area) {
            Some((_, findings)) => findings.push(finding),
            None => areas.push((area, vec![finding])),
        }
    }
    for (_, findings) in &mut areas {
        findings.sort_by(|a, b| b.level.cmp(&a.level).then_with(|| a.case.cmp(&b.case)));
    }
    areas.sort_by_key(|(area, findings)| (std::cmp::Reverse(findings[0].level), place(area)));
    areas
}

fn style(level: Level) -> Style {
    match level {
        Level::Critical | Level::Error => AnsiColor::Red.on_default().bold(),
        Level::Warning => AnsiColor::Yellow.on_default().bold(),
        Level::Notice => AnsiColor::Cyan.on_default(),
        _ => MUTED,
    }
}

struct Page {
    out: String,
    text: &'static Text,
    language: Language,
    width: usize,
}

impl Page {
    // Writing to a String never fails.

    fn line(&mut self, line: &str) {
        let _ = writeln!(self.out, "{}", line.trim_end());
    }

    fn styled(&mut self, style: &Style, line: &str) {
        self.line(&format!("{style}{line}{style:#}"));
    }

    fn new(wording: Wording) -> Self {
        Self {
            out: String::new(),
            text: texts(wording.language),
            language: wording.language,
            width: wording.width.clamp(*WIDTH.start(), *WIDTH.end()),
        }
    }

    fn title(&mut self, title: &str, started: Timestamp, seconds: f64, questions: usize) {
        self.styled(&BOLD, title);
        let arguments = [
            ("time", Arg::from(started.strftime("%Y-%m-%d %H:%M:%S").to_string())),
            ("seconds", format!("{seconds:.2}").into()),
            ("questions", i64::try_from(questions).unwrap_or(i64::MAX).into()),
        ];
        let tested = self.text.format("check-tested", arguments);
        self.styled(&MUTED, &tested);
    }

    /// The second line of a title: from where all of it was seen.
    fn seen_from(&mut self, vantage_point: Option<&str>) {
        if let Some(point) = vantage_point {
            let seen = self.text.format("vantage-seen-from", [("name", point.into())]);
            self.styled(&MUTED, &seen);
        }
        self.line("");
    }

    fn servers(&mut self, servers: &[ServerState]) {
        if servers.is_empty() {
            return;
        }
        let heading = self.text.get("zone-servers");
        self.styled(&BOLD, &heading);
        let rows: Vec<[String; 3]> = servers
            .iter()
            .map(|server| [server.name.to_string(), server.address.to_string(), self.state(server)])
            .collect();
        let widest = |at: usize| rows.iter().map(|row| display_width(&row[at])).max().unwrap_or(0);
        let (names, addresses, states) = (widest(0), widest(1), widest(2));
        for (row, server) in rows.iter().zip(servers) {
            let style = match (server.reachable, server.serves_zone) {
                (true, true) => GOOD,
                (true, false) => style(Level::Warning),
                (false, _) => style(Level::Error),
            };
            let name = padded(&row[0], names);
            let address = padded(&row[1], addresses);
            let mut facts = Vec::new();
            facts.extend(
                server
                    .rtt_us
                    .map(|rtt| format!("{:.1} ms", f64::from(u32::try_from(rtt).unwrap_or(u32::MAX)) / 1000.0)),
            );
            facts.extend(server.serial.map(|serial| format!("SOA {serial}")));
            facts.extend(server.nsid.as_ref().map(|nsid| format!("NSID {nsid}")));
            let state = padded(&row[2], states);
            let facts = facts.join("  ");
            self.line(&match facts.is_empty() {
                true => format!("  {name}  {address}  {style}{}{style:#}", row[2]),
                false => format!("  {name}  {address}  {style}{state}{style:#}  {MUTED}{facts}{MUTED:#}"),
            });
        }
        self.line("");
    }

    fn state(&self, server: &ServerState) -> String {
        let id = match (server.outcome, server.serves_zone) {
            (Outcome::Answer, true) => "zone-server-answers",
            (Outcome::Answer, false) => "zone-server-lame",
            (Outcome::Timeout | Outcome::Unreachable, _) => "zone-server-silent",
            (Outcome::Refused, _) => "check-server-refuses",
            (Outcome::Garbage, _) => "check-server-garbage",
        };
        self.text.get(id)
    }

    fn area_title(&self, area: &str) -> String {
        let id = format!("check-area-{area}");
        if self.text.has(&id) {
            self.text.get(&id)
        } else {
            area.to_owned()
        }
    }

    fn area(&mut self, area: &str, findings: &[&Finding]) {
        let title = self.area_title(area);
        self.styled(&BOLD, &title);
        for finding in findings {
            self.finding(finding, &explain(finding, self.language));
        }
    }

    fn finding(&mut self, finding: &Finding, told: &Explanation) {
        self.paragraph(finding.level.as_str(), &style(finding.level), &told.what);
        for (id, part) in [("check-why", &told.why), ("check-mend", &told.mend)] {
            if !part.is_empty() {
                let label = self.text.get(id);
                self.paragraph(&label, &MUTED, part);
            }
        }
        for (program, lines) in &told.config {
            // a line of configuration is not wrapped: it is there to be copied
            let mut label = program.as_str();
            if display_width(label) > LABEL {
                self.line(&format!("  {MUTED}{label}{MUTED:#}"));
                label = "";
            }
            for line in lines.trim_end().lines() {
                let label = padded(std::mem::take(&mut label), LABEL);
                self.line(&format!("  {MUTED}{label}{MUTED:#}  {line}"));
            }
        }
        let see: Vec<&str> = [told.rfc.as_str(), told.kindns.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        if !see.is_empty() {
            let label = self.text.get("check-see");
            self.paragraph(&label, &MUTED, &see.join("; "));
        }
        let label = self.text.get("check-test");
        self.paragraph(&label, &MUTED, &format!("{} {}", finding.case, finding.tag));
        self.line("");
    }

    /// A text with a label before its first line, continued under its own beginning.
    fn paragraph(&mut self, label: &str, style: &Style, text: &str) {
        let indent = if label.is_empty() { 0 } else { LABEL + 4 };
        let room = self.width.saturating_sub(indent);
        for (at, line) in textwrap::wrap(text, room).into_iter().enumerate() {
            match (label.is_empty(), at) {
                (true, _) => self.line(&line),
                (false, 0) => self.line(&format!("  {style}{}{style:#}  {line}", padded(label, LABEL))),
                (false, _) => self.line(&format!("{}{line}", " ".repeat(indent))),
            }
        }
    }

    fn closing(&mut self, report: &Report, shown: &[&Finding], level: Level) {
        let mut fine: Vec<&str> = report.cases.iter().map(|case| area(case)).collect();
        fine.sort_by_key(|area| place(area));
        fine.dedup();
        fine.retain(|fine| !shown.iter().any(|finding| area(&finding.case) == *fine));
        if !fine.is_empty() {
            let comma = self.text.get("explain-comma");
            let titles: Vec<String> = fine.iter().map(|area| self.area_title(area)).collect();
            let fine = self
                .text
                .format("check-fine", [("areas", titles.join(comma.trim_matches('|')).into())]);
            self.paragraph("", &GOOD, &fine);
        }
        self.counts(shown, level);
    }

    fn counts(&mut self, shown: &[&Finding], level: Level) {
        let count = |level| shown.iter().filter(|finding| finding.level == level).count();
        let counts: Vec<String> = Level::ALL
            .into_iter()
            .rev()
            .filter(|level| count(*level) > 0)
            .map(|level| format!("{} {level}", count(level)))
            .collect();
        let last = if counts.is_empty() {
            self.text.format("check-nothing", [("level", level.as_str().into())])
        } else {
            counts.join(", ")
        };
        self.styled(&BOLD, &last);
    }
}

/// Columns of the labels before a finding's paragraphs: the longest level is `CRITICAL`. Programs with longer names get a line
/// for theirs.
const LABEL: usize = 10;

fn padded(text: &str, width: usize) -> String {
    let room = width.saturating_sub(display_width(text));
    format!("{text}{}", " ".repeat(room))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::Delegation;

    use super::*;

    fn server(name: &str, address: &str, outcome: Outcome) -> ServerState {
        let answers = outcome == Outcome::Answer;
        ServerState {
            name: name.parse().unwrap(),
            address: address.parse().unwrap(),
            outcome,
            reachable: answers,
            serves_zone: answers,
            rtt_us: answers.then_some(12_345),
            rcode: answers.then_some(0),
            serial: answers.then_some(2_026_112_501),
            nsid: answers.then(|| "tun1".to_owned()),
        }
    }

    fn finding(level: Level, case: &str, tag: &str, args: &[(&str, &str)]) -> (f64, Finding) {
        let args: BTreeMap<String, String> = args
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let finding = Finding {
            case: case.to_owned(),
            tag: tag.to_owned(),
            level,
            args,
            vantage_point: Some("nbo1".to_owned()),
        };
        (0.1, finding)
    }

    fn report(findings: Vec<(f64, Finding)>) -> Report {
        Report {
            zone: "xn--mnchen-3ya.example".parse().unwrap(),
            started: "2026-11-25T12:00:00Z".parse().unwrap(),
            vantage_point: Some("nbo1".to_owned()),
            seconds: 0.412,
            cases: ["basic01", "dnssec07", "dnssec09", "syntax01", "zone02"]
                .map(str::to_owned)
                .to_vec(),
            findings,
            delegation: Some(Delegation::default()),
            chain: None,
            servers: vec![
                server("ns1.example", "192.0.2.1", Outcome::Answer),
                server("ns2.elsewhere.example", "2001:db8::53", Outcome::Timeout),
            ],
            untestable: None,
        }
    }

    /// The text as a terminal without colours shows it.
    fn plain(report: &Report, level: Level, language: Language, width: usize) -> String {
        let wording = Wording { level, language, width };
        anstream::adapter::strip_str(&render(report, 124, wording)).to_string()
    }

    fn broken() -> Report {
        let servers = "ns1.example/192.0.2.1;ns2.elsewhere.example/2001:db8::53";
        report(vec![
            finding(
                Level::Warning,
                "zone02",
                "REFRESH_MINIMUM_VALUE_LOWER",
                &[("refresh", "3600"), ("required_refresh", "14400")],
            ),
            finding(
                Level::Error,
                "dnssec07",
                "DS07_UNEXP_RCODE_RESP_DNSKEY",
                &[("ns_list", servers), ("rcode", "SERVFAIL")],
            ),
            finding(Level::Info, "basic01", "B01_CHILD_FOUND", &[("domain", "example")]),
        ])
    }

    #[test]
    fn a_broken_zone_is_told_by_area_the_worst_first() {
        insta::assert_snapshot!(plain(&broken(), Level::Notice, Language::English, 80));
    }

    #[test]
    fn a_narrow_terminal_and_another_language_are_served_as_well() {
        insta::assert_snapshot!(plain(&broken(), Level::Notice, Language::French, 50));
    }

    #[test]
    fn a_healthy_zone_is_told_in_a_few_lines() {
        insta::assert_snapshot!(plain(&report(Vec::new()), Level::Notice, Language::English, 80));
    }

    #[test]
    fn a_zone_that_could_not_be_tested_says_why() {
        let report = Report {
            untestable: Some("no root name server answered".to_owned()),
            ..report(Vec::new())
        };
        insta::assert_snapshot!(plain(&report, Level::Notice, Language::English, 80));
    }

    #[test]
    fn every_area_of_the_catalogue_has_a_title_and_a_place() {
        for case in measure::cases::ids() {
            let area = area(case);
            assert!(AREAS.contains(&area), "{area} has no place");
            assert!(
                texts(Language::English).has(&format!("check-area-{area}")),
                "{area} has no title"
            );
        }
    }
}
