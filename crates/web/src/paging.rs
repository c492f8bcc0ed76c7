//! Pages of a list: the server cuts, the address says which part and by which filter.

use std::fmt::Write as _;

/// Rows that a page of a list shows.
pub const ROWS: usize = 25;
/// Rows that are asked of the records for one list; who has more sees that there are more and filters.
pub const MOST: u64 = 1000;

/// Where in a list the reader is.
#[derive(Debug, Clone)]
pub struct Pages {
    /// The page shown, from 1.
    pub current: usize,
    /// Number of pages, at least 1.
    pub count: usize,
    /// Number of rows in the whole list.
    pub total: usize,
    /// Whether the list was longer than what was asked for.
    pub overfull: bool,
    path: String,
}

impl Pages {
    /// Takes the page `wanted` (as typed; nonsense is page 1) out of `rows`. `path` is the address of the list and
    /// `filter` what its other pages must keep.
    pub fn cut<T>(mut rows: Vec<T>, wanted: &str, path: &str, filter: &[(&str, &str)]) -> (Vec<T>, Self) {
        let total = rows.len();
        let count = total.div_ceil(ROWS).max(1);
        let current = wanted.trim().parse::<usize>().unwrap_or(1).clamp(1, count);
        let shown = rows.drain(..).skip((current - 1) * ROWS).take(ROWS).collect();
        let overfull = u64::try_from(total).is_ok_and(|total| total >= MOST);
        (
            shown,
            Self {
                current,
                count,
                total,
                overfull,
                path: address(path, filter),
            },
        )
    }

    /// The address of page `number`.
    pub fn link(&self, number: usize) -> String {
        format!(
            "{}{}page={number}",
            self.path,
            if self.path.contains('?') { '&' } else { '?' }
        )
    }

    /// The address of the page before, if any.
    pub fn previous(&self) -> Option<String> {
        (self.current > 1).then(|| self.link(self.current - 1))
    }

    /// The address of the page after, if any.
    pub fn next(&self) -> Option<String> {
        (self.current < self.count).then(|| self.link(self.current + 1))
    }
}

/// Text to search for as typed, without what no column of ours holds: PostgreSQL refuses NUL in texts.
pub fn sought(text: &str) -> String {
    text.trim().chars().filter(|letter| *letter != '\0').take(200).collect()
}

/// `path` with those of `pairs` that say something as its query.
pub fn address(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        address.push(if address.contains('?') { '&' } else { '?' });
        address.push_str(name);
        address.push('=');
        percent(&mut address, value);
    }
    address
}

/// `text` so that it can stand as one segment of a path or one value of a query.
pub fn segment(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    percent(&mut segment, text);
    segment
}

fn percent(out: &mut String, text: &str) {
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            out.push(char::from(octet));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{octet:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_cut_and_its_links_keep_the_filter() {
        let (rows, pages) = Pages::cut((0..60).collect(), "2", "/alerts", &[("q", "a b&c"), ("state", "")]);
        assert_eq!((rows.first(), rows.len()), (Some(&25), 25));
        assert_eq!((pages.current, pages.count, pages.total), (2, 3, 60));
        assert_eq!(pages.next().unwrap(), "/alerts?q=a%20b%26c&page=3");
        assert_eq!(pages.previous().unwrap(), "/alerts?q=a%20b%26c&page=1");
    }

    #[test]
    fn a_page_that_does_not_exist_becomes_the_nearest_one() {
        for (wanted, current) in [
            ("", 1),
            ("0", 1),
            ("-3", 1),
            ("99", 3),
            ("abc", 1),
            ("99999999999999999999", 1),
        ] {
            assert_eq!(
                Pages::cut((0..60).collect::<Vec<_>>(), wanted, "/", &[]).1.current,
                current,
                "{wanted}"
            );
        }
        let (rows, pages) = Pages::cut(Vec::<u8>::new(), "4", "/", &[]);
        assert!(rows.is_empty() && pages.next().is_none() && pages.previous().is_none());
    }
}
