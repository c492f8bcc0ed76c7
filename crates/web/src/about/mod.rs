//! `GET /about`: who we are, in the order of RFC 2350, with its plain-text twin; `GET /.well-known/security.txt`.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::{App, Page, WebError, shell};

/// Day on which the text of the page last changed; stands on it as RFC 2350 §3.1 asks.
const CHANGED: &str = "2026-11-23";

/// Routes of the room.
pub fn router() -> Router<App> {
    Router::new()
        .route("/about", get(about))
        .route("/about.txt", get(about_text))
        .route("/.well-known/security.txt", get(security))
}

#[derive(Template)]
#[template(path = "about/about.html")]
struct About {
    page: Page,
    sections: Vec<Section>,
}

struct Section {
    number: usize,
    id: &'static str,
    parts: Vec<Part>,
}

struct Part {
    number: usize,
    title: String,
    texts: Vec<String>,
    ltr: bool,
}

/// The sections of RFC 2350 and their parts: id of the part, whether its content comes from the settings.
const SECTIONS: [(&str, &[&str]); 7] = [
    ("document", &["date", "distribution", "location"]),
    (
        "contact",
        &[
            "name",
            "address",
            "zone",
            "phone",
            "mail",
            "keys",
            "members",
            "languages",
            "reach",
        ],
    ),
    ("charter", &["mission", "constituency", "affiliation", "authority"]),
    ("policies", &["incidents", "cooperation", "authentication"]),
    ("services", &["triage", "coordination", "resolution", "proactive"]),
    ("forms", &["form"]),
    ("disclaimers", &["disclaimer"]),
];

/// `Africa/Lome (UTC+00:00)`, with the offset of this moment; `None` for what is no time zone.
fn time_zone(name: &str, now: Timestamp) -> Option<String> {
    let there = now.to_zoned(TimeZone::get(name).ok()?);
    Some(format!("{name} (UTC{})", there.strftime("%:z")))
}

fn sections(page: &Page) -> Vec<Section> {
    let settings = &page.settings;
    let fact = |part: &str| match part {
        "date" => Some(CHANGED.to_owned()),
        "location" => Some(format!("{}/about", settings.public_url)),
        "name" => Some(settings.name.clone()),
        "zone" if settings.time_zone != "UTC" => time_zone(&settings.time_zone, page.now),
        "address" if !settings.address.is_empty() => Some(settings.address.clone()),
        "phone" if !settings.phone.is_empty() => Some(settings.phone.clone()),
        "mail" => Some(settings.mail.clone()),
        "keys" if !settings.key_fingerprint.is_empty() => Some(settings.key_fingerprint.clone()),
        "form" => Some(format!("{}/report", settings.public_url)),
        _ => None,
    };
    let part = |section: &str, number: usize, part: &str| {
        let id = format!("about-{section}-{part}");
        let fact = fact(part);
        let mut texts: Vec<String> = fact.iter().flat_map(|fact| fact.lines().map(str::to_owned)).collect();
        let ltr = fact.is_some();
        if fact.is_none() {
            texts.push(page.t(format!("{id}-text")));
        }
        Part {
            number,
            title: page.t(&id),
            texts,
            ltr,
        }
    };
    SECTIONS
        .iter()
        .enumerate()
        .map(|(at, (id, parts))| Section {
            number: at + 1,
            id,
            parts: parts
                .iter()
                .enumerate()
                .map(|(number, name)| part(id, number + 1, name))
                .collect(),
        })
        .collect()
}

async fn about(page: Page) -> Result<Response, WebError> {
    let sections = sections(&page);
    shell::show(About { page, sections })
}

async fn about_text(page: Page) -> Response {
    let mut text = format!("{}\n\n{}\n", page.t("about-title"), page.t("about-lead"));
    for section in sections(&page) {
        text.push_str(&format!(
            "\n{}. {}\n",
            section.number,
            page.t(format!("about-{}", section.id))
        ));
        for part in section.parts {
            text.push_str(&format!("\n{}.{} {}\n", section.number, part.number, part.title));
            part.texts
                .iter()
                .for_each(|line| text.push_str(&format!("    {line}\n")));
        }
    }
    shell::show_text(text)
}

/// RFC 9116. Good for half a year from now; the file is made anew for each reader.
async fn security(State(app): State<App>, page: Page) -> Response {
    let settings = &app.settings;
    let until = page.now + (180 * 24).hours();
    let mut text = format!(
        "Contact: mailto:{}\nContact: {}/report\n",
        settings.mail, settings.public_url
    );
    if !settings.phone.is_empty() {
        text.push_str(&format!("Contact: tel:{}\n", settings.phone_link()));
    }
    text.push_str(&format!(
        "Expires: {}\nPreferred-Languages: en, fr, es, ar, ru, zh\nCanonical: {url}/.well-known/security.txt\nPolicy: {url}/about\n",
        until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        url = settings.public_url
    ));
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}
