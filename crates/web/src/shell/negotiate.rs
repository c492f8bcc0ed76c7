//! Which language a page speaks: `?lang=`, then the cookie, then what the browser asks for, then English.

use axum::http::{HeaderMap, Uri, header};
use model::Language;

/// Name of the cookie that keeps the reader's choice.
pub const COOKIE: &str = "language";

/// The language asked for in the address, if any.
pub fn from_query(uri: &Uri) -> Option<Language> {
    uri.query()?
        .split('&')
        .find_map(|pair| pair.strip_prefix("lang="))?
        .parse()
        .ok()
}

/// The value of a cookie of the request.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// Whether the reader chose a language, now or earlier.
pub fn is_chosen(uri: &Uri, headers: &HeaderMap) -> bool {
    from_query(uri).is_some() || cookie(headers, COOKIE).is_some_and(|code| code.parse::<Language>().is_ok())
}

/// The language for a request without an account's choice.
pub fn language(uri: &Uri, headers: &HeaderMap) -> Language {
    from_query(uri)
        .or_else(|| cookie(headers, COOKIE)?.parse().ok())
        .or_else(|| accepted(headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?))
        .unwrap_or_default()
}

/// The best of an `Accept-Language` header that we speak (RFC 9110 §12.5.4).
fn accepted(value: &str) -> Option<Language> {
    let mut best: Option<(f32, Language)> = None;
    for part in value.split(',').take(20) {
        let (tag, weight) = match part.split_once(';') {
            Some((tag, weight)) => (
                tag,
                weight
                    .trim()
                    .strip_prefix("q=")
                    .and_then(|q| q.trim().parse().ok())
                    .unwrap_or(0.0),
            ),
            None => (part, 1.0),
        };
        if let Ok(language) = tag.trim().parse::<Language>()
            && weight > 0.0
            && best.is_none_or(|(least, _)| weight > least)
        {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

/// Path and query of the request without `lang` and `said`: the base of the language switch.
pub fn without_choice(uri: &Uri) -> String {
    let kept: Vec<&str> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("lang=") && !pair.starts_with("said="))
        .collect();
    if kept.is_empty() {
        uri.path().to_owned()
    } else {
        format!("{}?{}", uri.path(), kept.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(uri: &str, pairs: &[(&'static str, &'static str)]) -> Language {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        language(&uri.parse().unwrap(), &headers)
    }

    #[test]
    fn the_address_outweighs_the_cookie_and_the_cookie_the_browser() {
        let all = [("cookie", "a=b; language=ru"), ("accept-language", "fr")];
        assert_eq!(ask("/?lang=ar", &all), Language::Arabic);
        assert_eq!(ask("/", &all), Language::Russian);
        assert_eq!(ask("/", &all[1..]), Language::French);
        assert_eq!(ask("/?lang=tlh", &[]), Language::English);
    }

    #[test]
    fn the_browser_s_weights_decide_among_what_we_speak() {
        assert_eq!(
            ask("/", &[("accept-language", "de, es;q=0.3, zh-CN;q=0.8, *;q=0.1")]),
            Language::Chinese
        );
        assert_eq!(ask("/", &[("accept-language", "fr;q=0, q=;;,")]), Language::English);
    }

    #[test]
    fn the_switch_keeps_the_rest_of_the_address() {
        assert_eq!(
            without_choice(&"/zones?q=a&lang=ar&page=2&said=x".parse().unwrap()),
            "/zones?q=a&page=2"
        );
        assert_eq!(without_choice(&"/?lang=ar".parse().unwrap()), "/");
    }
}
