//! `GET /zones/{zone}/badge.svg`: how a zone does, for the pages of others. Only of zones that the public status page names; any other
//! gets `unknown` with 404, so that a badge tells nobody which zones are watched.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use model::Health;

use crate::health::text_id;
use crate::shell::guard::Drawn;
use crate::shell::markup::escape;
use crate::{App, Page, WebError};

/// Width of a letter at 11 px: the widest of common fonts, so that no text runs out of its half. Chinese takes two.
const LETTER: usize = 7;
const PADDING: usize = 8;
const HEIGHT: usize = 20;

pub(super) async fn badge(State(app): State<App>, page: Page, Path(zone): Path<String>) -> Result<Response, WebError> {
    let zone = crate::zones::parse(&zone).ok();
    let overview = app.overview(page.now).await?;
    let tld = overview.tlds.iter().find(|tld| Some(&tld.zone) == zone.as_ref());
    let (name, health, status) = match tld {
        Some(tld) => (
            tld.zone.unicode().unwrap_or_else(|| tld.zone.to_string()),
            tld.health,
            StatusCode::OK,
        ),
        None => ("DNS".to_owned(), Health::Unknown, StatusCode::NOT_FOUND),
    };
    let drawn = draw(
        &name,
        &page.t(text_id(health)),
        health,
        page.lang(),
        page.texts().language().direction(),
    );
    let mut response = (status, [(header::CONTENT_TYPE, "image/svg+xml")], drawn).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=60, stale-while-revalidate=300"),
    );
    headers.append(header::VARY, HeaderValue::from_static("accept-language, cookie"));
    // it is made to stand in the pages of others
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    response.extensions_mut().insert(Drawn);
    Ok(response)
}

/// Two halves: whose state, and the state in words; the colour only repeats the words.
fn draw(name: &str, word: &str, health: Health, language: &str, direction: &str) -> String {
    let (left, right) = (width(name), width(word));
    let total = left + right;
    let colour = match health {
        Health::Good => "#00593c",
        Health::Impaired => "#8a5a00",
        Health::Broken => "#a4161a",
        Health::Unknown => "#4a5568",
    };
    let (name, word) = (escape(name), escape(word));
    let (name_at, word_at, word_from) = match direction {
        "rtl" => (right + left / 2, right / 2, 0),
        _ => (left / 2, left + right / 2, left),
    };
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{HEIGHT}" viewBox="0 0 {total} {HEIGHT}" role="img" aria-label="{name}: {word}" xml:lang="{language}"><title>{name}: {word}</title><rect width="{total}" height="{HEIGHT}" rx="3" fill="#10304f"/><rect x="{word_from}" width="{right}" height="{HEIGHT}" rx="3" fill="{colour}"/><g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle"><text x="{name_at}" y="14">{name}</text><text x="{word_at}" y="14">{word}</text></g></svg>"##
    )
}

fn width(text: &str) -> usize {
    let letters = text.chars().map(|letter| if letter as u32 >= 0x2e80 { 2 } else { 1 });
    letters.sum::<usize>() * LETTER + 2 * PADDING
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_badge_says_in_words_what_its_colour_says() {
        let drawn = draw("example", "In order", Health::Good, "en", "ltr");
        assert!(
            drawn.contains(r#"aria-label="example: In order""#) && drawn.contains("#00593c"),
            "{drawn}"
        );
        assert!(drawn.len() < 1200);
        let arabic = draw("example", "سليم", Health::Good, "ar", "rtl");
        assert!(
            arabic.contains(r#"<rect x="0" width="44""#),
            "the state stands where reading ends: {arabic}"
        );
    }
}
