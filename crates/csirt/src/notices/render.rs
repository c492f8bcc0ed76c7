//! The text of a notice: plain words in the party's language, each technical name on a line of its own.
//!
//! Technical lines stand alone and indented, so that a mail program lays out each of them from left to right also within
//! Arabic. The text is written for one tired person: what we saw, why it matters, the one thing we ask, until when, how to
//! answer, who we are.

use std::collections::BTreeSet;
use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use language::{Arg, Text, texts};
use model::{Check, Language, Name, Tlp};
use serde::Serialize;

use super::{Centre, Facts, NoticeKind};
use crate::cases::CaseNumber;
use crate::cases::evidence::describe;
use crate::requests::Ask;

/// What stands in the kept text where the mail has the link: the token itself is kept nowhere.
pub const LINK_PLACEHOLDER: &str = "{LINK}";

/// Findings told in words at most; the others stand as technical lines. Chosen by us: more than a screen of causes and
/// remedies hides the one thing that is asked.
const TOLD: usize = 5;

/// All that a notice is made of.
#[derive(Debug, Clone)]
pub struct Letter<'a> {
    /// What it is for.
    pub kind: NoticeKind,
    /// Its language.
    pub language: Language,
    /// The case.
    pub case: CaseNumber,
    /// The request's number in the case.
    pub request: i32,
    /// The case's label.
    pub tlp: Tlp,
    /// Name of the party.
    pub party: &'a str,
    /// IANA name of the party's time zone.
    pub time_zone: &'a str,
    /// What is asked.
    pub ask: Ask,
    /// What decides it.
    pub check: &'a Check,
    /// Until when.
    pub deadline: Timestamp,
    /// Whether the party has answered, whatever it said.
    pub answered: bool,
    /// What was seen.
    pub facts: &'a Facts,
    /// Who asks.
    pub centre: &'a Centre,
    /// When the notice is written.
    pub now: Timestamp,
}

/// A notice as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rendered {
    /// The subject with its token.
    pub subject: String,
    /// The plain text, with [`LINK_PLACEHOLDER`] in place of the link; lines end with a line feed.
    pub body: String,
    /// Content of the attached `evidence.txt`, in English for all: it goes on to technicians.
    pub evidence_text: String,
    /// Content of the attached `evidence.json`.
    pub evidence_json: String,
}

/// Writes a notice.
pub fn render(letter: &Letter<'_>) -> Rendered {
    Rendered {
        subject: subject(letter),
        body: body(letter),
        evidence_text: evidence_text(letter),
        evidence_json: evidence_json(letter),
    }
}

/// A time as all texts write it: `2026-03-01 10:00 UTC`.
pub fn utc(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// The same moment where the reader is: `2026-03-01 11:00 (Africa/Tunis, UTC+01:00)`; `None` where that is UTC or the zone
/// is unknown.
pub fn local(time: Timestamp, zone: &str) -> Option<String> {
    let zone_there = TimeZone::get(zone).ok()?;
    if matches!(zone, "UTC" | "Etc/UTC" | "Etc/GMT") {
        return None;
    }
    let there = time.to_zoned(zone_there);
    Some(format!(
        "{} ({zone}, UTC{})",
        there.strftime("%Y-%m-%d %H:%M"),
        there.strftime("%:z")
    ))
}

/// A name for reading: the U-label form with the A-label form after it where they differ.
fn shown(name: &Name) -> String {
    match name.unicode() {
        Some(unicode) => format!("{unicode} ({name})"),
        None => name.to_string(),
    }
}

fn subject(letter: &Letter<'_>) -> String {
    let texts = texts(letter.language);
    let zone = || ("zone", Arg::from(letter.facts.zone.to_string()));
    let asked = texts.format(&format!("notice-subject-{}", letter.ask.text_word()), [zone()]);
    let text = match letter.kind {
        NoticeKind::Ask => asked,
        NoticeKind::Reminder => texts.format("notice-subject-reminder", [("subject", asked.into())]),
        NoticeKind::Thanks => texts.format("notice-subject-thanks", [zone()]),
    };
    // Marks of direction serve bodies; in a subject many programs show them as boxes.
    let text = text.replace(['\u{2068}', '\u{2069}'], "");
    format!("[{}/{}] {text}", letter.case, letter.request)
}

fn body(letter: &Letter<'_>) -> String {
    let texts = texts(letter.language);
    let mut page = Page {
        texts,
        text: String::new(),
    };
    page.paragraph("notice-greeting", [("organisation", Arg::from(letter.party))]);
    match letter.kind {
        NoticeKind::Ask => ask(letter, &mut page),
        NoticeKind::Reminder => {
            let yes_no = |yes: bool| Arg::from(if yes { "yes" } else { "no" });
            let args = [
                ("answered", yes_no(letter.answered)),
                ("late", yes_no(letter.now >= letter.deadline)),
            ];
            page.paragraph("notice-reminder-intro", args);
            ask(letter, &mut page);
        }
        NoticeKind::Thanks => thanks(letter, &mut page),
    }
    sender(letter, &mut page);
    page.text
}

fn ask(letter: &Letter<'_>, page: &mut Page) {
    let facts = letter.facts;
    let kind = if page.texts.has(&format!("notice-fact-{}", facts.kind)) {
        facts.kind.as_str()
    } else {
        "other"
    };
    page.heading("notice-heading-seen");
    page.line(&format!("notice-fact-{kind}"), []);
    page.technical([shown(&facts.zone)]);
    if facts.others > 0 {
        page.paragraph("notice-others", [("count", Arg::Number(facts.others))]);
    }
    let seen = |time: Option<Timestamp>| time.map(|time| ("time", Arg::from(utc(time))));
    if let Some(time) = seen(facts.first_at) {
        page.line("notice-first-seen", [time]);
    }
    if let Some(time) = seen(
        facts
            .last_at
            .filter(|last| facts.first_at.is_some_and(|first| utc(first) != utc(*last))),
    ) {
        page.line("notice-last-seen", [time]);
    }
    page.gap();
    if !facts.servers.is_empty() {
        page.line("notice-servers", []);
        page.technical(facts.servers.iter().cloned());
    }
    for change in &facts.changes {
        page.line(
            &format!("notice-change-{}", change.part.as_str()),
            [("time", utc(change.time).into())],
        );
        let nothing = || page.texts.get("notice-nothing");
        let side = |values: &[String]| {
            if values.is_empty() {
                vec![nothing()]
            } else {
                values.to_vec()
            }
        };
        let (before, after) = (side(&change.before), side(&change.after));
        page.line("notice-before", []);
        page.technical(before);
        page.line("notice-after", []);
        page.technical(after);
    }
    if !facts.findings.is_empty() {
        page.line("notice-findings", []);
        let points: BTreeSet<&str> = facts
            .findings
            .iter()
            .filter_map(|finding| finding.vantage_point.as_deref())
            .collect();
        for point in points {
            page.line("vantage-seen-from", [("name", Arg::from(point))]);
        }
        page.gap();
        let mut remedies = BTreeSet::new();
        for (place, finding) in facts.findings.iter().enumerate() {
            if place < TOLD {
                let told = language::explain(finding, letter.language);
                page.push(&told.what);
                if !told.mend.is_empty() && remedies.insert(told.mend.clone()) {
                    page.line("notice-mend", [("how", Arg::from(told.mend))]);
                }
            }
            page.technical([format!("{} {} {}", finding.level, finding.case, finding.tag)]);
        }
    }
    page.heading("notice-heading-why");
    page.paragraph(&format!("notice-why-{kind}"), []);
    page.heading("notice-heading-ask");
    page.line(&format!("notice-ask-{}", letter.ask.text_word()), []);
    match letter.check {
        Check::Delegation { expected, .. } => {
            page.gap();
            page.line("notice-expected", []);
            let ns = expected.ns.iter().flat_map(|(ns, addresses)| match addresses.len() {
                0 => vec![format!("NS {ns}")],
                _ => addresses.iter().map(|address| format!("NS {ns} {address}")).collect(),
            });
            page.technical(ns.chain(expected.ds.iter().map(|ds| format!("DS {ds}"))));
        }
        Check::Cases { .. } => page.gap(),
    }
    page.paragraph("notice-measured", []);
    page.heading("notice-heading-deadline");
    page.technical(
        [Some(utc(letter.deadline)), local(letter.deadline, letter.time_zone)]
            .into_iter()
            .flatten(),
    );
    page.heading("notice-heading-answer");
    page.line("notice-answer-link", []);
    page.technical([LINK_PLACEHOLDER.to_owned()]);
    page.paragraph("notice-answer-choices", []);
    page.paragraph("notice-answer-mail", []);
}

fn thanks(letter: &Letter<'_>, page: &mut Page) {
    page.line("notice-thanks", []);
    page.technical([shown(&letter.facts.zone)]);
    page.line("notice-thanks-measured", [("time", utc(letter.now).into())]);
    page.gap();
    page.paragraph("notice-thanks-nothing-more", []);
}

fn sender(letter: &Letter<'_>, page: &mut Page) {
    page.heading("notice-heading-who");
    page.line("notice-who", [("name", Arg::from(&letter.centre.name))]);
    page.line("notice-verify", []);
    let phone = (!letter.centre.phone.is_empty()).then(|| letter.centre.phone.clone());
    page.technical(
        [letter.centre.base_url.clone(), letter.centre.mail.clone()]
            .into_iter()
            .chain(phone),
    );
    page.paragraph("notice-attached", []);
    let label = letter
        .tlp
        .as_str()
        .trim_start_matches("TLP:")
        .replace('+', "-")
        .to_lowercase();
    page.line(
        &format!("notice-tlp-{label}"),
        [("label", Arg::from(letter.tlp.as_str()))],
    );
}

/// A text under way.
struct Page {
    texts: &'static Text,
    text: String,
}

impl Page {
    fn heading(&mut self, id: &str) {
        self.gap();
        let heading = self.texts.get(id);
        self.push(&heading);
    }

    fn line<'a>(&mut self, id: &str, args: impl IntoIterator<Item = (&'a str, Arg)>) {
        let line = self.texts.format(id, args);
        self.push(&line);
    }

    fn paragraph<'a>(&mut self, id: &str, args: impl IntoIterator<Item = (&'a str, Arg)>) {
        self.line(id, args);
        self.gap();
    }

    /// Lines that are the same in every language.
    fn technical(&mut self, lines: impl IntoIterator<Item = String>) {
        for line in lines {
            // One line stays one line, whatever a party of the directory is called.
            let line: String = line
                .chars()
                .map(|letter| if letter.is_control() { ' ' } else { letter })
                .collect();
            self.text.push_str("    ");
            self.push(&line);
        }
        self.gap();
    }

    fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Ends a paragraph, once.
    fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }
}

fn evidence_text(letter: &Letter<'_>) -> String {
    let mut text = String::new();
    // Writing to a String never fails.
    let _ = writeln!(text, "{}/{}", letter.case, letter.request);
    let _ = writeln!(text, "{}", letter.tlp);
    let _ = writeln!(text, "zone {}", letter.facts.zone);
    let _ = writeln!(text, "ask {}", letter.ask);
    let _ = writeln!(text, "deadline {}", letter.deadline);
    match letter.check {
        Check::Cases { cases, level, .. } => {
            let _ = writeln!(text, "decided by: {} say nothing at {level} or above", cases.join(", "));
        }
        Check::Delegation { expected, .. } => {
            let _ = writeln!(text, "decided by: the parent delegates the zone as follows");
            for (ns, addresses) in &expected.ns {
                let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                let _ = writeln!(text, "  NS {ns} {}", addresses.join(" "));
            }
            for ds in &expected.ds {
                let _ = writeln!(text, "  DS {ds}");
            }
        }
    }
    for signal in &letter.facts.signals {
        let _ = write!(text, "\n{}", describe(signal));
    }
    text
}

fn evidence_json(letter: &Letter<'_>) -> String {
    let json = serde_json::json!({
        "case": letter.case,
        "request": letter.request,
        "tlp": letter.tlp,
        "zone": letter.facts.zone,
        "ask": letter.ask,
        "check": letter.check,
        "deadline": letter.deadline,
        "written": letter.now,
        "signals": letter.facts.signals,
    });
    format!("{json:#}\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::{ChangedPart, Delegation, Detector, Finding, Level, Severity, Signal, ZoneChange};

    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn signal(kind: &str) -> Signal {
        let zone: Name = "xn--e1afmkfd.atlas.example".parse().unwrap();
        let redelegated = kind.ends_with("redelegated");
        Signal {
            detector: Detector::Health,
            key: format!("health:{zone}:basic02"),
            severity: Severity::Page,
            time: time("2026-03-01T10:00:30Z"),
            zones: if redelegated {
                vec![zone.clone(), "other.example".parse().unwrap()]
            } else {
                vec![zone.clone()]
            },
            kind: kind.to_owned(),
            args: BTreeMap::new(),
            findings: ["ns1.atlas.example/192.0.2.53", "ns2.atlas.example/2001:db8::53"]
                .map(|server| Finding {
                    case: "basic02".to_owned(),
                    tag: "B02_NS_NO_RESPONSE".to_owned(),
                    level: Level::Error,
                    args: BTreeMap::from([("ns".to_owned(), server.to_owned())]),
                    vantage_point: Some("centre".to_owned()),
                })
                .to_vec(),
            changes: if redelegated {
                vec![ZoneChange {
                    time: time("2026-03-01T10:00:30Z"),
                    zone,
                    part: ChangedPart::Ns,
                    before: vec!["ns1.atlas.example".to_owned()],
                    after: vec!["ns1.stranger.example".to_owned()],
                    announced: false,
                }]
            } else {
                Vec::new()
            },
        }
    }

    fn write(kind: NoticeKind, matter: &str, ask: Ask, language: Language) -> Rendered {
        let signal = signal(matter);
        let zone = signal.zones[0].clone();
        let facts = Facts::new(&zone, ask, &[signal]);
        let expected = Delegation {
            ns: BTreeMap::from([(
                "ns1.atlas.example".parse().unwrap(),
                BTreeSet::from(["192.0.2.53".parse().unwrap()]),
            )]),
            ds: BTreeSet::new(),
        };
        let check = ask.check(&zone, Some(&expected));
        let centre = Centre {
            name: "DNS-CERT Atlas".to_owned(),
            base_url: "https://cert.atlas.example".to_owned(),
            mail: "cert@atlas.example".to_owned(),
            phone: "+216 00 000 000".to_owned(),
            message_domain: String::new(),
        };
        render(&Letter {
            kind,
            language,
            case: CaseNumber { year: 2026, serial: 1 },
            request: 2,
            tlp: Tlp::Amber,
            party: "Atlas Registry",
            time_zone: "Africa/Tunis",
            ask,
            check: &check,
            deadline: time("2026-03-01T14:00:00Z"),
            answered: false,
            facts: &facts,
            centre: &centre,
            now: time("2026-03-01T10:01:00Z"),
        })
    }

    #[test]
    fn a_notice_says_the_same_in_all_six_languages() {
        for language in Language::ALL {
            let outage = write(NoticeKind::Ask, "zone-unreachable", Ask::RestoreService, language);
            insta::assert_snapshot!(
                format!("outage_{language}"),
                format!("{}\n\n{}", outage.subject, outage.body)
            );
            let takeover = write(
                NoticeKind::Reminder,
                "mass-redelegated",
                Ask::ConfirmOrRestoreDelegation,
                language,
            );
            insta::assert_snapshot!(
                format!("takeover_{language}"),
                format!("{}\n\n{}", takeover.subject, takeover.body)
            );
            let thanks = write(NoticeKind::Thanks, "zone-unreachable", Ask::RestoreService, language);
            insta::assert_snapshot!(
                format!("thanks_{language}"),
                format!("{}\n\n{}", thanks.subject, thanks.body)
            );
        }
    }

    #[test]
    fn a_reminder_says_whether_the_time_is_over_and_whether_the_party_has_answered() {
        let zone: Name = "atlas.example".parse().unwrap();
        let facts = Facts::new(&zone, Ask::RestoreService, &[]);
        let check = Ask::RestoreService.check(&zone, None);
        let centre = Centre::default();
        let intro = |language, answered, now: &str| {
            let body = render(&Letter {
                kind: NoticeKind::Reminder,
                language,
                case: CaseNumber { year: 2026, serial: 1 },
                request: 1,
                tlp: Tlp::Amber,
                party: "Atlas",
                time_zone: "UTC",
                ask: Ask::RestoreService,
                check: &check,
                deadline: time("2026-03-01T14:00:00Z"),
                answered,
                facts: &facts,
                centre: &centre,
                now: time(now),
            })
            .body;
            body.lines().nth(2).unwrap().to_owned()
        };
        let (early, late) = ("2026-03-01T13:59:59Z", "2026-03-01T14:00:00Z");
        for language in Language::ALL {
            let said: BTreeSet<String> = [(false, early), (false, late), (true, early), (true, late)]
                .map(|(answered, now)| intro(language, answered, now))
                .into();
            assert_eq!(said.len(), 4, "{language}: {said:?}");
        }
        assert!(intro(Language::English, false, late).contains("has passed"));
        assert!(!intro(Language::English, false, early).contains("has passed"));
        assert!(!intro(Language::English, true, late).contains("not heard"));
    }

    #[test]
    fn the_evidence_is_the_same_for_every_language() {
        let evidence = write(
            NoticeKind::Ask,
            "mass-redelegated",
            Ask::ConfirmOrRestoreDelegation,
            Language::French,
        );
        insta::assert_snapshot!("evidence_text", evidence.evidence_text);
        insta::assert_snapshot!("evidence_json", evidence.evidence_json);
        assert!(!evidence.evidence_json.contains("other.example"));
    }

    #[test]
    fn no_text_is_missing_for_any_matter_ask_and_language() {
        let matters = [
            "zone-unreachable",
            "mass-unreachable",
            "signatures-invalid",
            "redelegated",
            "mass-redelegated",
            "ds-removed",
            "health-worse",
            "report",
            "new",
        ];
        for language in Language::ALL {
            for matter in matters {
                for ask in Ask::ALL.iter().copied() {
                    let rendered = write(NoticeKind::Ask, matter, ask, language);
                    for text in [&rendered.subject, &rendered.body] {
                        assert!(
                            !text.contains("[notice-") && !text.contains("{$"),
                            "{language} {matter} {ask}: {text}"
                        );
                    }
                    assert_eq!(rendered.body.matches(LINK_PLACEHOLDER).count(), 1);
                }
            }
        }
    }

    #[test]
    fn technical_lines_hold_nothing_but_the_value() {
        let arabic = write(
            NoticeKind::Ask,
            "zone-unreachable",
            Ask::RestoreService,
            Language::Arabic,
        );
        for value in [
            "ns1.atlas.example/192.0.2.53",
            "2026-03-01 14:00 UTC",
            "2026-03-01 15:00 (Africa/Tunis, UTC+01:00)",
            LINK_PLACEHOLDER,
        ] {
            assert!(
                arabic.body.lines().any(|line| line == format!("    {value}")),
                "{value}\n{}",
                arabic.body
            );
        }
    }

    #[test]
    fn a_name_with_line_breaks_cannot_forge_lines() {
        let mut page = Page {
            texts: texts(Language::English),
            text: String::new(),
        };
        page.technical(["ns1.example\nHOW TO ANSWER".to_owned()]);
        assert_eq!(page.text, "    ns1.example HOW TO ANSWER\n\n");
    }

    #[test]
    fn local_time_is_shown_where_it_differs_and_is_known() {
        let moment = time("2026-07-01T12:00:00Z");
        assert_eq!(local(moment, "UTC"), None);
        assert_eq!(local(moment, "Mars/Olympus"), None);
        assert_eq!(
            local(moment, "Asia/Kolkata").unwrap(),
            "2026-07-01 17:30 (Asia/Kolkata, UTC+05:30)"
        );
    }
}
