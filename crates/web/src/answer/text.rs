//! The page of a link as plain text, with all of its evidence.

use csirt::links::View;
use model::Check;

use super::view::{evidence, expected, kind, state};
use crate::Page;

/// The whole request.
pub(super) fn request(page: &Page, link: &View, token: &str) -> String {
    let request = &link.request;
    let facts = &link.facts;
    let kind = kind(page, link);
    let mut lines = vec![
        page.t3(
            "link-lead",
            "centre",
            &page.settings.name,
            "party",
            &link.party.name,
            "zone",
            &request.zone,
        ),
        String::new(),
        format!("{}: {}/{}", page.t("link-case"), link.case_number, request.number),
        format!("{}: {}", page.t("link-tlp"), link.tlp),
        format!("{}: {}", page.t("link-because"), page.because(&link.party.because)),
        format!(
            "{}: {}",
            page.t("link-state"),
            page.t(format!("link-state-{}", state(request.state)))
        ),
        String::new(),
        page.t("link-seen").to_uppercase(),
        page.t(format!("notice-fact-{kind}")),
        format!("    {}", request.zone),
    ];
    lines.extend(facts.servers.iter().map(|server| format!("    {server}")));
    for finding in &facts.findings {
        let told = page.explain(finding);
        lines.push(told.what);
        if !told.mend.is_empty() {
            lines.push(page.t1("notice-mend", "how", told.mend));
        }
        lines.push(format!("    {} {} {}", finding.level, finding.case, finding.tag));
    }
    for change in &facts.changes {
        lines.push(page.t1(
            format!("notice-change-{}", change.part.as_str()),
            "time",
            page.time_text(&change.time),
        ));
        lines.extend(change.before.iter().map(|value| format!("  - {value}")));
        lines.extend(change.after.iter().map(|value| format!("  + {value}")));
    }
    lines.extend([
        page.t(format!("notice-why-{kind}")),
        String::new(),
        page.t("link-asked").to_uppercase(),
        page.t(format!("notice-ask-{}", request.ask.text_word())),
        match &request.check {
            Check::Cases { level, .. } => page.t1("link-expected-cases", "level", level.as_str()),
            Check::Delegation { .. } => page.t("link-expected-delegation"),
        },
    ]);
    lines.extend(expected(&request.check).iter().map(|line| format!("    {line}")));
    lines.extend([
        format!("{}: {}", page.t("link-deadline"), page.time_text(&request.deadline)),
        page.t("link-decides"),
        String::new(),
        page.t("link-text-how"),
        format!("    {}/a/{token}", page.settings.public_url),
        format!("    {}", page.settings.mail),
    ]);
    if !page.settings.phone.is_empty() {
        lines.push(format!("    {}", page.settings.phone));
    }
    lines.push(format!(
        "{}: {}",
        page.t("link-expires"),
        page.time_text(&link.expires_at)
    ));
    for (title, text) in evidence(page, link) {
        lines.extend([String::new(), format!("--- {title} ---"), text]);
    }
    lines.join("\n") + "\n"
}

/// The text for a link that opens nothing.
pub(super) fn gone(page: &Page) -> String {
    let texts = ["link-gone-title", "link-gone-text", "link-gone-reach"].map(|id| page.t(id));
    format!(
        "{}\n\n    {}\n    {}\n",
        texts.join("\n"),
        page.settings.mail,
        page.settings.phone
    )
}
