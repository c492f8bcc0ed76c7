//! What readers take away as files: tables in CSV (RFC 4180), and the headers of a download.

use axum::http::header;
use axum::response::{IntoResponse as _, Response};

/// Media type of CSV (RFC 7111).
pub(crate) const CSV: &str = "text/csv; charset=utf-8";

/// A file with its name.
pub(crate) fn file(name: &str, kind: &'static str, octets: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers, octets).into_response()
}

/// The name of a zone or an organisation as part of a file's name.
pub(crate) fn plain(name: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || ['-', '.', '_'].contains(&character);
    if name == "." {
        return "root".to_owned();
    }
    name.chars()
        .map(|character| if is_plain(character) { character } else { '_' })
        .collect()
}

/// A figure, or nothing where there is none.
pub(crate) fn number(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A table with its columns' names in the first line.
pub(crate) fn csv<const N: usize>(columns: &[&str; N], rows: impl Iterator<Item = [String; N]>) -> Vec<u8> {
    let mut octets = columns.join(",").into_bytes();
    octets.extend(b"\r\n");
    for row in rows {
        octets.extend(row.map(|value| field(&value)).join(",").into_bytes());
        octets.extend(b"\r\n");
    }
    octets
}

/// A value as RFC 4180 has it. One that a spreadsheet would take for a formula gets an apostrophe: an NSID is written by strangers.
/// A number below zero is none.
fn field(value: &str) -> String {
    let is_formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']) && value.parse::<i64>().is_err();
    let value = if is_formula {
        format!("'{value}")
    } else {
        value.to_owned()
    };
    if value.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_write_is_no_formula_and_no_second_column() {
        for (value, expected) in [
            ("ns1.example", "ns1.example"),
            ("a,b", "\"a,b\""),
            ("say \"ns\"", "\"say \"\"ns\"\"\""),
            ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
            ("-1+cmd", "'-1+cmd"),
            ("-43200", "-43200"),
            ("", ""),
        ] {
            assert_eq!(field(value), expected);
        }
    }

    #[test]
    fn a_name_is_part_of_a_file_s_name_whatever_its_letters() {
        assert_eq!(plain("."), "root");
        assert_eq!(plain("xn--kgbechtv"), "xn--kgbechtv");
        assert!(!plain("a\\\"b.example").contains(['"', '\\', '/']));
    }
}
