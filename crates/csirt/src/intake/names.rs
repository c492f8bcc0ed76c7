//! Names and addresses in what people write: also inside of links, and defanged (`example[.]com`, `hxxp://`).
//!
//! Made for free text in any language: a recogniser that rather leaves a doubtful word out of the free text, and takes
//! everything that can be a name from the field that asks for names.

use std::collections::BTreeSet;
use std::net::IpAddr;

use model::Name;

/// Names or addresses taken from one report at most. More than that is a list, and a person reads it.
const MOST: usize = 50;

/// Endings that are files, not top-level domains.
const FILES: [&str; 24] = [
    "pdf", "txt", "png", "jpg", "jpeg", "gif", "svg", "doc", "docx", "xls", "xlsx", "csv", "eml", "msg", "log", "pcap",
    "html", "htm", "php", "exe", "dll", "json", "xml", "conf",
];

/// What was recognised, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recognised {
    /// Domain names with at least two labels.
    pub names: Vec<Name>,
    /// IPv4 and IPv6 addresses.
    pub addresses: Vec<IpAddr>,
}

/// Recognises what stands in a free text: only what looks like a name at first sight.
pub fn in_text(text: &str) -> Recognised {
    recognise(text, false)
}

/// Recognises what stands in a field that asks for names: also names of one label (`example` is a TLD).
pub fn in_list(text: &str) -> Recognised {
    recognise(text, true)
}

fn recognise(text: &str, asked_for: bool) -> Recognised {
    let mut names = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    for word in text.split(separates) {
        if names.len() >= MOST || addresses.len() >= MOST {
            break;
        }
        let word = strip(word);
        if word.is_empty() || word.len() > 2000 {
            continue;
        }
        let word = word.replace("[.]", ".").replace("(.)", ".").replace("[dot]", ".");
        let host = host_of(&word);
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            addresses.insert(address.to_canonical());
        } else if let Some(name) = name_of(host, asked_for) {
            names.insert(name);
        }
    }
    Recognised {
        names: names.into_iter().collect(),
        addresses: addresses.into_iter().collect(),
    }
}

fn separates(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(
            letter,
            ',' | ';' | '"' | '\'' | '<' | '>' | '«' | '»' | '“' | '”' | '„' | '‘' | '’' | '|' | '`' | '*'
        )
        || matches!(
            letter,
            '，' | '。'
                | '、'
                | '；'
                | '（'
                | '）'
                | '「'
                | '」'
                | '《'
                | '》'
                | '：'
                | '！'
                | '？'
                | '،'
                | '؛'
                | '؟'
        )
}

/// Without the punctuation of the sentence and the invisible marks of direction.
fn strip(word: &str) -> &str {
    let around = |letter: char| {
        matches!(
            letter,
            '.' | ':' | '!' | '?' | '(' | ')' | '{' | '}' | '…' | '-' | '_' | '/'
        ) || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    // `::1` and `2001:db8::` begin or end with colons that belong to them.
    let bare = word.trim_matches(|letter| around(letter) && letter != ':');
    if bare.parse::<IpAddr>().is_ok() {
        bare
    } else {
        word.trim_matches(around)
    }
}

/// The host of an URL, or the word itself without port and path. Nothing for a mail address.
fn host_of(word: &str) -> &str {
    if word.parse::<IpAddr>().is_ok() {
        return word;
    }
    let (rest, url) = match word.split_once("://") {
        Some((_, rest)) => (rest, true),
        None => (word, false),
    };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = match authority.rsplit_once('@') {
        Some((_, host)) if url => host,
        Some(_) => return "",
        None => authority,
    };
    match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => host,
        _ => host,
    }
}

fn name_of(host: &str, asked_for: bool) -> Option<Name> {
    let host = host.trim_end_matches('.');
    let last = host.rsplit('.').next()?;
    let plain_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .chars()
                .all(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_') || is_mark(letter))
    };
    let like_tld = last.chars().count() >= 2 && !last.chars().all(|letter| letter.is_numeric());
    if !like_tld || !host.split('.').all(plain_label) {
        return None;
    }
    let dotted = host.contains('.');
    if !asked_for && (!dotted || FILES.contains(&last.to_lowercase().as_str()) || begins_a_sentence(host, last)) {
        return None;
    }
    host.parse::<Name>().ok().filter(|name| !name.is_root())
}

/// Marks that scripts write above or below their letters.
fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}' | '\u{e30}'..='\u{e4e}' | '\u{64b}'..='\u{65f}' | '\u{200c}' | '\u{200d}')
}

/// `finished.Then` is a sentence without its space: a capital after the dot where the word before has none.
fn begins_a_sentence(host: &str, last: &str) -> bool {
    let mut letters = last.chars();
    let capital = letters.next().is_some_and(char::is_uppercase) && letters.all(|letter| !letter.is_uppercase());
    capital && host.chars().filter(|letter| letter.is_uppercase()).count() <= 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, names: &[&str], addresses: &[&str]) {
        let found = in_text(text);
        assert_eq!(
            found.names.iter().map(ToString::to_string).collect::<Vec<_>>(),
            names,
            "{text}"
        );
        assert_eq!(
            found.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
            addresses,
            "{text}"
        );
    }

    #[test]
    fn names_are_found_in_sentences_links_and_defanged() {
        check(
            "The site shop.example.com. It shows hxxps://login[.]example[.]net/a?b=c.d now!",
            &["shop.example.com", "login.example.net"],
            &[],
        );
        check(
            "see <https://user:secret@bank.example:8443/path>",
            &["bank.example"],
            &[],
        );
        check("موقعنا bank.example، لا يعمل", &["bank.example"], &[]);
        check("网站bank。example 和（shop.example）不通。", &["shop.example"], &[]);
    }

    #[test]
    fn internationalised_names_become_a_labels() {
        check(
            "сайт пример.испытание не открывается",
            &["xn--e1afmkfd.xn--80akhbyknj4f"],
            &[],
        );
    }

    #[test]
    fn addresses_are_found_with_and_without_port() {
        check(
            "192.0.2.7 and 192.0.2.8:53, [2001:db8::1]:443 or 2001:db8::2",
            &[],
            &["192.0.2.7", "192.0.2.8", "2001:db8::1", "2001:db8::2"],
        );
    }

    #[test]
    fn mail_addresses_files_versions_and_sentences_are_no_names() {
        check(
            "write to ada@mail.example about report.pdf, version 1.2.3, e.g. finished.Then",
            &[],
            &[],
        );
    }

    #[test]
    fn the_field_for_names_takes_a_single_label_too() {
        let found = in_list("example\nWWW.Atlas.Example.");
        let names: Vec<_> = found.names.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["example", "www.atlas.example"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_harm(text in "\\PC{0,400}|[a-z0-9.:/@\\[\\]() -]{0,200}|.{0,200}") {
            let found = in_text(&text);
            prop_assert!(found.names.len() <= MOST + 1);
            in_list(&text);
        }

        #[test]
        fn a_name_between_spaces_is_always_found(name in "[a-z][a-z0-9]{0,10}\\.[a-z][a-z0-9]{0,10}\\.example") {
            let found = in_text(&format!("look at {name} please"));
            prop_assert_eq!(found.names, vec![name.parse::<Name>().unwrap()]);
        }
    }
}
