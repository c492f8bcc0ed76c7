//! Reads a raw mail (RFC 5322, MIME) within bounds of size, depth and number of parts.
//!
//! The walk over the parts is ours; headers and single parts are read by mail-parser. It would read a mail within a mail
//! within a mail into a structure as deep as that, whose end exhausts the stack; here an attached mail is looked into for
//! its Message-ID alone. Odd charsets and broken encodings are read as well as they can be.

use std::borrow::Cow;

use mail_parser::{HeaderName, Message, MessageParser, MimeHeaders, PartType};
use model::Language;

use super::delivery::DeliveryReport;

/// Largest mail that is read, in octets: the usual limit of mail servers (10 MiB with its encoding) with some room. What
/// is larger is not fetched.
pub const LARGEST: usize = 12 << 20;

/// Longest header section, in octets. Postfix cuts at 100 KiB (`header_size_limit`).
const LONGEST_HEAD: usize = 256 << 10;

/// Deepest nesting of multiparts. Real mails have four or five levels.
const DEEPEST: usize = 20;

/// Parts at most. Real mails have some dozen; each costs a look at its headers.
const MOST_PARTS: usize = 500;

/// Octets of one text part that are decoded: far more than is kept.
const LONGEST_PART: usize = 512 << 10;

/// Letters of the text that are kept.
pub(super) const LONGEST_TEXT: usize = 18_000;

/// Names of attachments and Message-IDs that are kept.
const MOST_NAMES: usize = 50;

/// What a mail says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Its Message-ID without angle brackets.
    pub message_id: Option<String>,
    /// Address in its From; empty where it has none.
    pub from: String,
    /// Its subject; may be empty.
    pub subject: String,
    /// Message-IDs of the mails that it answers, the nearest first.
    pub answers: Vec<String>,
    /// Whether a program wrote it without a person having seen what it answers (RFC 3834).
    pub is_automatic: bool,
    /// Whether the mail server takes it for spam.
    pub is_spam: bool,
    /// The language that it says it is in.
    pub language: Option<Language>,
    /// Its text: the plain parts, or else the HTML parts as text.
    pub text: String,
    /// Names of what is attached; a type where a part has no name.
    pub attachments: Vec<String>,
    /// The delivery report that it is.
    pub delivery: Option<DeliveryReport>,
}

/// Why a mail cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is too large.
    #[error("it has {size} octets, more than the {LARGEST} that are read")]
    TooLarge {
        /// Its size in octets.
        size: u64,
    },
    /// Its headers, or those of a part, are too large.
    #[error("its headers have more than {LONGEST_HEAD} octets")]
    LongHead,
    /// It has no headers: it is no mail.
    #[error("it has no headers")]
    NoHead,
    /// Its parts are nested too deep.
    #[error("its parts are nested more than {DEEPEST} deep")]
    TooDeep,
    /// It has too many parts.
    #[error("it has more than {MOST_PARTS} parts")]
    TooManyParts,
    /// The mail server does not hand it out.
    #[error("the mail server does not hand it out: {0}")]
    Withheld(String),
    /// Reading it broke off: a fault of ours.
    #[error("reading it broke off, which is a fault of this software")]
    BrokeOff,
}

/// Reads a mail as it came.
pub fn read(raw: &[u8]) -> Result<Reading, Unreadable> {
    if raw.len() > LARGEST {
        return Err(Unreadable::TooLarge { size: raw.len() as u64 });
    }
    let mut found = Found::default();
    let mut waiting = vec![(raw, 0)];
    let mut seen = 0;
    while let Some((octets, depth)) = waiting.pop() {
        seen += 1;
        if seen > MOST_PARTS {
            return Err(Unreadable::TooManyParts);
        }
        let part = Part::of(octets)?;
        if depth == 0 {
            let headers = part.headers.as_ref().filter(|headers| is_mail(headers));
            found.reading = head_of(headers.ok_or(Unreadable::NoHead)?);
        }
        match part.multipart() {
            Some(_) if depth == DEEPEST => return Err(Unreadable::TooDeep),
            Some(children) => waiting.extend(children.into_iter().rev().map(|child| (child, depth + 1))),
            None => found.take(&part),
        }
    }
    Ok(found.reading())
}

/// Reads the headers of a mail of which there is no more.
pub(super) fn read_head(octets: &[u8]) -> Option<Reading> {
    Part::of(octets).ok()?.headers.as_ref().map(head_of)
}

/// What follows the headers.
pub(super) fn body_of(octets: &[u8]) -> &[u8] {
    split_head(octets).1
}

/// One part of a mail, or the mail itself.
struct Part<'a> {
    octets: &'a [u8],
    body: &'a [u8],
    headers: Option<Message<'a>>,
}

impl<'a> Part<'a> {
    fn of(octets: &'a [u8]) -> Result<Self, Unreadable> {
        let (head, body) = split_head(octets);
        if head.len() > LONGEST_HEAD {
            return Err(Unreadable::LongHead);
        }
        Ok(Self {
            octets,
            body,
            headers: MessageParser::default().parse_headers(head),
        })
    }

    /// Type and subtype in lower case: `text/plain` where it says nothing that is a type (RFC 2045 §5.2).
    fn kind(&self) -> String {
        let said = self.headers.as_ref().and_then(|headers| headers.content_type());
        said.and_then(|kind| Some(format!("{}/{}", kind.ctype(), kind.subtype()?).to_ascii_lowercase()))
            .unwrap_or_else(|| "text/plain".to_owned())
    }

    /// The parts within, where it is a multipart with parts.
    fn multipart(&self) -> Option<Vec<&'a [u8]>> {
        if !self.kind().starts_with("multipart/") {
            return None;
        }
        let boundary = self.headers.as_ref()?.content_type()?.attribute("boundary")?;
        let children = split_parts(self.body, boundary.as_bytes());
        (!children.is_empty()).then_some(children)
    }

    fn is_attached(&self) -> bool {
        let disposition = self.headers.as_ref().and_then(|headers| headers.content_disposition());
        disposition.is_some_and(|disposition| disposition.ctype().eq_ignore_ascii_case("attachment"))
    }

    /// Its text, decoded; HTML as plain text.
    fn text(&self) -> String {
        let head = self.octets.len() - self.body.len();
        let cut = &self.octets[..self.octets.len().min(head + LONGEST_PART)];
        let read = MessageParser::default().parse(cut);
        read.and_then(|read| read.body_text(0).map(Cow::into_owned))
            .unwrap_or_else(|| String::from_utf8_lossy(&self.body[..self.body.len().min(LONGEST_PART)]).into_owned())
    }

    /// Its body, decoded from base64 or quoted-printable, as text, whatever its type is.
    fn decoded(&self) -> String {
        let encoding = self
            .headers
            .as_ref()
            .and_then(|headers| headers.content_transfer_encoding());
        let encoding = encoding
            .filter(|word| word.eq_ignore_ascii_case("base64") || word.eq_ignore_ascii_case("quoted-printable"))
            .unwrap_or("8bit");
        let mut plain =
            format!("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n").into_bytes();
        plain.extend_from_slice(&self.body[..self.body.len().min(LONGEST_PART)]);
        let read = MessageParser::default().parse(&plain);
        let body = read.as_ref().and_then(|read| read.parts.first()).map(|part| &part.body);
        match body {
            Some(PartType::Text(text)) => text.clone().into_owned(),
            _ => String::new(),
        }
    }
}

/// What was found in the parts so far.
#[derive(Default)]
struct Found {
    reading: Reading,
    plain: Vec<String>,
    html: Vec<String>,
    statuses: Vec<String>,
    returned: Vec<String>,
}

impl Found {
    fn take(&mut self, part: &Part<'_>) {
        match part.kind().as_str() {
            "message/delivery-status" | "message/global-delivery-status" => self.statuses.push(part.decoded()),
            "message/rfc822" | "message/global" | "text/rfc822-headers" | "message/global-headers" => {
                let inner = part.decoded();
                let head = split_head(inner.as_bytes()).0;
                let head = &head[..head.len().min(LONGEST_HEAD)];
                let inner = MessageParser::default().parse_headers(head);
                self.returned
                    .extend(inner.and_then(|inner| inner.message_id().map(bare)));
                self.attach(part);
            }
            "text/plain" if !part.is_attached() => self.plain.push(part.text()),
            // Without its boundary: all that there is, is what people would see of it.
            kind if kind.starts_with("multipart/") => self.plain.push(part.decoded()),
            "text/html" if !part.is_attached() => self.html.push(part.text()),
            _ => self.attach(part),
        }
    }

    fn attach(&mut self, part: &Part<'_>) {
        let name = part.headers.as_ref().and_then(|headers| headers.attachment_name());
        if self.reading.attachments.len() < MOST_NAMES {
            let name = name.map_or_else(|| part.kind(), str::to_owned);
            self.reading.attachments.push(clean_line(&name, 200));
        }
    }

    fn reading(self) -> Reading {
        let mut reading = self.reading;
        let texts = if self.plain.iter().any(|text| !text.trim().is_empty()) {
            self.plain
        } else {
            self.html
        };
        let texts: Vec<&str> = texts
            .iter()
            .map(|text| text.trim())
            .filter(|text| !text.is_empty())
            .collect();
        reading.text = clean(&texts.join("\n\n"), LONGEST_TEXT).trim().to_owned();
        let returned = self.returned.into_iter().chain(reading.answers.iter().cloned());
        reading.delivery = DeliveryReport::of(&self.statuses, returned.take(MOST_NAMES).collect());
        reading
    }
}

/// Whether there is at least one header that mails have; any line with a colon would be one else.
fn is_mail(headers: &Message<'_>) -> bool {
    let usual = |name: &HeaderName<'_>| !matches!(name, HeaderName::Other(_));
    headers.headers().iter().any(|header| usual(&header.name))
}

/// What stands in the headers of a mail.
fn head_of(headers: &Message<'_>) -> Reading {
    let raw = |name: &'static str| headers.header_raw(name).unwrap_or_default().trim().to_ascii_lowercase();
    let submitted = raw("Auto-Submitted");
    // Older programs say it by Precedence, and machine mail has no return path (RFC 3834 §2, §3.1.1).
    let is_automatic = !(submitted.is_empty() || submitted.split(';').next().is_some_and(|word| word.trim() == "no"))
        || matches!(raw("Precedence").as_str(), "bulk" | "junk" | "auto_reply")
        || raw("Return-Path") == "<>";
    let from = headers
        .from()
        .and_then(|from| from.first())
        .and_then(|from| from.address());
    let language = headers.content_language().as_text_list();
    let language = language
        .and_then(|list| list.first().map(Cow::as_ref))
        .or_else(|| headers.content_language().as_text());
    Reading {
        message_id: headers.message_id().map(bare).filter(|id| !id.is_empty()),
        from: clean_line(from.unwrap_or_default(), 254),
        subject: clean_line(headers.subject().unwrap_or_default(), 500),
        answers: answers(headers),
        is_automatic,
        is_spam: raw("X-Spam-Flag") == "yes" || raw("X-Spam") == "yes",
        language: language.and_then(|tag| tag.get(..2)?.to_ascii_lowercase().parse().ok()),
        ..Reading::default()
    }
}

/// The Message-IDs that a mail answers: In-Reply-To, then References from the newest.
fn answers(headers: &Message<'_>) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for header in [headers.in_reply_to(), headers.references()] {
        match header.as_text_list() {
            Some(list) => ids.extend(list.iter().rev().take(MOST_NAMES).map(|id| bare(id))),
            None => ids.extend(header.as_text().map(bare)),
        }
    }
    ids.retain(|id| !id.is_empty());
    ids.dedup();
    ids
}

/// The header section and what follows its empty line.
fn split_head(octets: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        let end = at + line.len();
        if line == b"\n" || line == b"\r\n" {
            return (&octets[..end], &octets[end..]);
        }
        at = end;
    }
    (octets, &[])
}

/// The parts between the lines `--boundary` (RFC 2046 §5.1.1), the last one up to the end where nothing closes it; one more
/// than may be at most.
fn split_parts<'a>(body: &'a [u8], boundary: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let (mut at, mut begun) = (0, None);
    for line in body.split_inclusive(|octet| *octet == b'\n') {
        let end = at + line.len();
        let delimiter = line.strip_prefix(b"--").and_then(|rest| rest.strip_prefix(boundary));
        if let Some(rest) = delimiter
            .map(|rest| rest.trim_ascii())
            .filter(|rest| [&b""[..], b"--"].contains(rest))
        {
            parts.extend(begun.map(|begun: usize| &body[begun..at]));
            begun = (rest.is_empty() && parts.len() <= MOST_PARTS).then_some(end);
            if begun.is_none() {
                return parts;
            }
        }
        at = end;
    }
    parts.extend(begun.map(|begun| &body[begun..]));
    parts
}

fn bare(id: &str) -> String {
    clean_line(id.trim().trim_start_matches('<').trim_end_matches('>'), 300)
}

/// At most `longest` letters, without control characters except for line ends.
pub(super) fn clean(text: &str, longest: usize) -> String {
    let shown = text.chars().filter(|letter| !letter.is_control() || *letter == '\n');
    shown.take(longest).collect()
}

/// The same on one line.
pub(super) fn clean_line(text: &str, longest: usize) -> String {
    let spaced = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    spaced.take(longest).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mail(head: &str, body: &str) -> Vec<u8> {
        format!("From: Léa <noc@shop.example>\nSubject: hello\n{head}\n{body}")
            .replace('\n', "\r\n")
            .into_bytes()
    }

    fn nested(levels: usize, open: impl Fn(usize) -> String) -> Vec<u8> {
        let mut text = "From: a@b.example\n".to_owned();
        for level in 0..levels {
            text.push_str(&open(level));
        }
        text.push_str("\nthe core");
        text.into_bytes()
    }

    #[test]
    fn the_text_of_an_alternative_is_its_plain_part_and_attachments_are_named() {
        let raw = mail(
            "Content-Type: multipart/mixed; boundary=\"a b\"\nMessage-ID: <1@shop.example>\nContent-Language: fr-CA\n",
            "preamble\n--a b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\nC'est =C3=A9crit.\n--c\n\
             Content-Type: text/html\n\n<p>C'est <b>ecrit</b>.</p>\n--c--\n--a b\n\
             Content-Type: text/plain; name=log.txt\nContent-Disposition: attachment; filename=log.txt\n\nlines\n--a b\n\
             Content-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBO\n--a b--\nepilogue\n",
        );
        let reading = read(&raw).unwrap();
        assert_eq!(
            (reading.from.as_str(), reading.subject.as_str()),
            ("noc@shop.example", "hello")
        );
        assert_eq!(reading.message_id.as_deref(), Some("1@shop.example"));
        assert_eq!(reading.text, "C'est =C3=A9crit.");
        assert_eq!(reading.attachments, ["log.txt", "image/png"]);
        assert_eq!(reading.language, Some(Language::French));
        assert!(!reading.is_automatic && !reading.is_spam && reading.delivery.is_none());
    }

    #[test]
    fn the_charsets_of_all_six_languages_are_read() {
        for (charset, octets, text) in [
            ("utf-8", "C3 A9", "é"),
            ("iso-8859-1", "E9", "é"),
            ("koi8-r", "F0 D2 C9", "При"),
            ("windows-1251", "CF F0 E8", "При"),
            ("windows-1256", "E3 D1 CD C8 C7", "مرحبا"),
            ("gb18030", "C4 E3 BA C3", "你好"),
            ("gb2312", "C4 E3 BA C3", "你好"),
            ("big5", "A7 41 A6 6E", "你好"),
        ] {
            let mut raw = format!("From: a@b.example\nContent-Type: text/plain; charset={charset}\n\n").into_bytes();
            raw.extend(octets.split(' ').map(|octet| u8::from_str_radix(octet, 16).unwrap()));
            assert_eq!(read(&raw).unwrap().text, text, "{charset}");
        }
    }

    #[test]
    fn an_unknown_charset_or_encoding_is_read_as_well_as_it_can_be() {
        for head in [
            "Content-Type: text/plain; charset=x-klingon\n",
            "Content-Type: text/plain; charset=\"\n",
            "Content-Transfer-Encoding: rot13\n",
            "Content-Type: nonsense\nContent-Type: text/plain\n",
            "Content-Type: multipart/mixed\n",
            "Content-Type: multipart/mixed; boundary=never\n",
        ] {
            let mut raw = mail(head, "it is repaired ");
            raw.push(0xff);
            assert!(read(&raw).unwrap().text.starts_with("it is repaired"), "{head}");
        }
    }

    #[test]
    fn html_alone_is_told_as_text() {
        let raw = mail(
            "Content-Type: text/html\n",
            "<script>x</script><p>It is <b>repaired</b>.</p>",
        );
        let text = read(&raw).unwrap().text;
        assert!(text.contains("It is repaired.") && !text.contains('<'), "{text}");
    }

    #[test]
    fn mail_of_programs_is_known_by_its_headers() {
        for (head, is_automatic) in [
            ("", false),
            ("Auto-Submitted: no\n", false),
            ("Auto-Submitted: No; owner-token=1\n", false),
            ("Auto-Submitted: auto-replied\n", true),
            ("Auto-Submitted: auto-generated; type=x\n", true),
            ("Precedence: bulk\n", true),
            ("Precedence: list\n", false),
            ("Return-Path: <>\n", true),
            ("Return-Path: <noc@shop.example>\n", false),
        ] {
            assert_eq!(read(&mail(head, "text")).unwrap().is_automatic, is_automatic, "{head}");
        }
        assert!(read(&mail("X-Spam-Flag: YES\n", "text")).unwrap().is_spam);
    }

    #[test]
    fn what_a_mail_answers_comes_nearest_first() {
        let raw = mail("In-Reply-To: <3@x>\nReferences: <1@x> <2@x>\n <3@x>\n", "text");
        assert_eq!(read(&raw).unwrap().answers, ["3@x", "2@x", "1@x"]);
    }

    #[test]
    fn a_mail_beyond_the_bounds_says_which() {
        let multipart = |level| format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n");
        assert!(read(&nested(DEEPEST, multipart)).is_ok());
        assert_eq!(read(&nested(DEEPEST + 1, multipart)), Err(Unreadable::TooDeep));
        assert_eq!(read(&nested(30_000, multipart)), Err(Unreadable::TooDeep));
        let wide = "--b\n\nx\n".repeat(MOST_PARTS + 1);
        let wide = mail("Content-Type: multipart/mixed; boundary=b\n", &wide);
        assert_eq!(read(&wide), Err(Unreadable::TooManyParts));
        let header = format!("X-Long: {}\n", "x".repeat(LONGEST_HEAD));
        assert_eq!(read(&mail(&header, "")), Err(Unreadable::LongHead));
        assert_eq!(read(b""), Err(Unreadable::NoHead));
        assert_eq!(read(&[0xff; 100]), Err(Unreadable::NoHead));
        let size = LARGEST as u64 + 1;
        assert_eq!(read(&vec![b'x'; LARGEST + 1]), Err(Unreadable::TooLarge { size }));
    }

    #[test]
    fn mails_within_mails_within_mails_exhaust_nothing() {
        let levels = LARGEST / 32;
        let plain = nested(levels, |_| "Content-Type:message/rfc822\n\n".to_owned());
        assert_eq!(read(&plain).unwrap().attachments, ["message/rfc822"]);
        let digest = nested(levels / 2, |_| {
            "Content-Type:multipart/digest;boundary=b\n\n--b\n\n".to_owned()
        });
        assert_eq!(read(&digest), Err(Unreadable::TooManyParts));
        use base64::Engine as _;
        let inner = base64::prelude::BASE64_STANDARD.encode(&plain[..LARGEST / 2]);
        let encoded =
            format!("From: a@b.example\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{inner}");
        assert_eq!(read(encoded.as_bytes()).unwrap().attachments, ["message/rfc822"]);
    }

    proptest! {
        #[test]
        fn random_octets_never_hurt(octets in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = read(&octets);
        }

        #[test]
        fn any_structure_is_read_or_refused(pieces in prop::collection::vec(0usize..9, 0..60)) {
            let words = [
                "From: a@b.example\r\n", "Content-Type: multipart/mixed; boundary=b\r\n", "\r\n", "--b\r\n", "--b--\r\n",
                "Content-Type: message/rfc822\r\n", "Content-Transfer-Encoding: base64\r\n", "=E9?( \"", "Message-ID: <\r\n ",
            ];
            let text: String = pieces.iter().map(|piece| words[*piece]).collect();
            if let Ok(reading) = read(text.as_bytes()) {
                prop_assert!(reading.text.chars().all(|letter| !letter.is_control() || letter == '\n'));
            }
        }
    }
}
