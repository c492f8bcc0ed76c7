//! What every page must have, whoever wrote it, checked on the HTML as it is sent.

use super::world::Answer;

/// All tags of the page as they stand, `<input …>` and the like.
pub fn tags<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let open = format!("<{name}");
    html.match_indices(&open)
        .filter(|(at, _)| html[at + open.len()..].starts_with([' ', '>', '/']))
        .map(|(at, _)| &html[at..at + html[at..].find('>').unwrap() + 1])
        .collect()
}

/// The value of an attribute of a tag.
pub fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let at = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[at..].split('"').next()
}

/// Fails when the page breaks one of the rules that hold for all pages.
pub fn check(path: &str, answer: &Answer) {
    let html = &answer.body;
    assert!(
        answer.header("content-type").starts_with("text/html"),
        "{path} is {}",
        answer.header("content-type")
    );
    let weight = html.len() + web::shell::assets::STYLE.len();
    assert!(weight <= 50 * 1024, "{path} weighs {weight} octets");
    let page = tags(html, "html")[0];
    assert!(
        attribute(page, "lang").is_some_and(|lang| lang.len() == 2),
        "{path} has no language"
    );
    assert!(
        matches!(attribute(page, "dir"), Some("ltr" | "rtl")),
        "{path} has no direction"
    );
    let head = html.split("</head>").next().unwrap_or_default();
    assert_eq!(tags(head, "title").len(), 1, "{path} needs a title");
    assert_eq!(tags(html, "h1").len(), 1, "{path} needs one h1");
    assert_eq!(tags(html, "main").len(), 1, "{path} needs one main");
    assert!(
        html.contains("class=\"skip\" href=\"#main\""),
        "{path} has no skip link"
    );
    assert!(
        !html.contains("style=\""),
        "{path} has inline style, which the policy forbids"
    );
    assert!(
        !html.contains("[portal-") && !html.contains("<script>"),
        "{path} lacks a text or has inline script"
    );
    for kind in ["link", "script", "img", "iframe", "source", "form", "use"] {
        for tag in tags(html, kind) {
            for target in ["src", "href", "action"].iter().filter_map(|name| attribute(tag, name)) {
                let own = target.starts_with('/') && !target.starts_with("//");
                assert!(
                    own || target.starts_with("data:") || target.starts_with('#'),
                    "{path} fetches {tag}"
                );
            }
        }
    }
    let mut ids: Vec<&str> = html
        .split(" id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let count = ids.len();
    ids.sort_unstable();
    let twice: Vec<String> = ids
        .windows(2)
        .filter(|pair| pair[0] == pair[1])
        .map(|pair| pair[0].to_owned())
        .collect();
    ids.dedup();
    assert_eq!(ids.len(), count, "{path} has ids twice: {twice:?}");
    let labels: Vec<&str> = tags(html, "label")
        .iter()
        .filter_map(|tag| attribute(tag, "for"))
        .collect();
    for kind in ["input", "textarea", "select"] {
        for tag in tags(html, kind) {
            let hidden = attribute(tag, "type") == Some("hidden");
            let named = attribute(tag, "id").is_some_and(|id| labels.contains(&id)) || tag.contains(" aria-label=\"");
            assert!(hidden || named, "{path} has a field without a label: {tag}");
            for described in attribute(tag, "aria-describedby")
                .into_iter()
                .flat_map(str::split_whitespace)
            {
                assert!(
                    ids.binary_search(&described).is_ok(),
                    "{path}: `{described}` describes but is not there"
                );
            }
        }
    }
    for form in html.split("<form").skip(1) {
        let (tag, rest) = form.split_once('>').unwrap();
        let inside = rest.split("</form>").next().unwrap();
        assert!(
            !tag.contains("method=\"post\"") || inside.contains("name=\"csrf\""),
            "{path} has a form without its mark"
        );
    }
    if let Some(text) = html
        .find("[status-")
        .or(html.find("[link-"))
        .or(html.find("[notice-"))
        .or(html.find("[organisation-"))
    {
        panic!("{path} lacks a text: {}", &html[text..text + 60]);
    }
}

/// The page with what differs from run to run put out of sight.
pub fn redacted(html: &str, token: &str) -> String {
    let mut lines = Vec::new();
    for line in html.lines() {
        let mut line = line.replace(token, "TOKEN");
        for (before, after) in [
            ("name=\"csrf\" value=\"", "\""),
            ("name=\"key\" value=\"", "\""),
            ("/assets/style-", "."),
            ("/assets/live-", "."),
        ] {
            let mut kept = String::new();
            let mut rest = line.as_str();
            while let Some(at) = rest.find(before) {
                let from = at + before.len();
                let until = from + rest[from..].find(after).unwrap_or(0);
                kept.push_str(&rest[..from]);
                kept.push('…');
                rest = &rest[until..];
            }
            line = kept + rest;
        }
        lines.push(line);
    }
    lines.join("\n")
}
