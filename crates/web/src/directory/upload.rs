//! A form with a file (`multipart/form-data`, RFC 7578), as browsers send it: parts in memory, nothing nested.

/// Parts that are looked at; a form of ours has three.
const MOST_PARTS: usize = 16;

/// One part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part<'a> {
    /// Name of the field.
    pub(super) name: String,
    /// Name of the file, where it is one.
    pub(super) file: Option<String>,
    /// Its content.
    pub(super) content: &'a [u8],
}

/// The parts of `body` under the header `content_type`; `None` when it is no such form. A body that is cut off gives the
/// parts that are whole.
pub(super) fn parts<'a>(content_type: &str, body: &'a [u8]) -> Option<Vec<Part<'a>>> {
    let rest = content_type.strip_prefix("multipart/form-data")?;
    let boundary = rest
        .split(';')
        .find_map(|one| one.trim().strip_prefix("boundary="))?
        .trim_matches('"');
    // RFC 2046 §5.1.1: 1 to 70 characters.
    if boundary.is_empty() || boundary.len() > 70 {
        return None;
    }
    let first = format!("--{boundary}");
    let between = format!("\r\n--{boundary}");
    let mut rest = body.get(find(body, first.as_bytes())? + first.len()..)?;
    let mut parts = Vec::new();
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let Some(end) = find(part, between.as_bytes()) else {
            break;
        };
        parts.extend(read(&part[..end]));
        rest = &part[end + between.len()..];
        if parts.len() == MOST_PARTS {
            break;
        }
    }
    Some(parts)
}

fn read(part: &[u8]) -> Option<Part<'_>> {
    let end = find(part, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&part[..end]).ok()?;
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let name = parameter(disposition, "name")?;
    Some(Part {
        name,
        file: parameter(disposition, "filename"),
        content: &part[end + 4..],
    })
}

/// The value of `; name="…"`. Browsers write a quotation mark in a value as `%22`.
fn parameter(header: &str, name: &str) -> Option<String> {
    let start = format!("; {name}=\"");
    let value = &header[header.find(&start)? + start.len()..];
    Some(value[..value.find('"')?].to_owned())
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_and_its_fields_are_read_as_a_browser_sends_them() {
        let body = b"--xyz\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nmark\r\n--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"list.csv\"\r\nContent-Type: text/csv\r\n\r\na,b\r\n1,2\r\n\r\n--xyz--\r\n";
        let parts = parts("multipart/form-data; boundary=xyz", body).unwrap();
        assert_eq!(parts.len(), 2);
        assert_eq!((parts[0].name.as_str(), parts[0].content), ("csrf", b"mark".as_slice()));
        assert_eq!(parts[1].file.as_deref(), Some("list.csv"));
        assert_eq!(parts[1].content, b"a,b\r\n1,2\r\n");
    }

    #[test]
    fn what_is_no_such_form_is_none() {
        assert_eq!(parts("text/plain", b"--x"), None);
        assert_eq!(parts("multipart/form-data", b"--x"), None);
        assert_eq!(parts("multipart/form-data; boundary=", b"--x"), None);
        assert_eq!(parts("multipart/form-data; boundary=x", b"nothing"), None);
    }

    proptest! {
        #[test]
        fn any_octets_are_parts_or_none(body in proptest::collection::vec(any::<u8>(), 0..200), text in "(--x|\r\n|\"|; name=\"|Content-Disposition:|[a-z]){0,40}") {
            parts("multipart/form-data; boundary=x", &body);
            parts("multipart/form-data; boundary=x", text.as_bytes());
        }
    }
}
