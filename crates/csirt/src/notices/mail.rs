//! A notice as a mail (RFC 5322), the same octets at every attempt except for the link.

use lettre::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};

use super::{Centre, LINK_PLACEHOLDER, Notice};
use crate::Error;
use crate::links::Token;

/// Whether a text has the form of a mail address that notices can go to.
pub fn is_address(text: &str) -> bool {
    text.len() <= 254 && !text.chars().any(char::is_whitespace) && text.parse::<lettre::Address>().is_ok()
}

/// Domain of Message-IDs.
pub(super) fn message_domain(centre: &Centre) -> &str {
    if centre.message_domain.is_empty() {
        centre.mail.rsplit('@').next().unwrap_or("localhost")
    } else {
        &centre.message_domain
    }
}

/// The mail of a notice, with the link of `token` in it.
///
/// `Auto-Submitted` keeps absence messages away (RFC 3834). `Invalid` where the centre's or a party's address is none.
pub(super) fn compose(notice: &Notice, centre: &Centre, token: &Token) -> Result<Message, Error> {
    let sender = Mailbox::new(Some(centre.name.clone()), address("mail", &centre.mail)?);
    let mut builder = Message::builder()
        .message_id(Some(format!("<{}>", notice.message_id)))
        .date(notice.queued_at.into())
        .from(sender.clone())
        .reply_to(sender)
        .subject(notice.subject.clone())
        .raw_header(plain_header("Auto-Submitted", "auto-generated"))
        .raw_header(plain_header("Content-Language", notice.language.code()));
    for to in &notice.to {
        builder = builder.to(Mailbox::new(None, address("addresses", to)?));
    }
    if let Some(first) = &notice.in_reply_to {
        builder = builder
            .in_reply_to(format!("<{first}>"))
            .references(format!("<{first}>"));
    }
    let link = format!("{}/a/{token}", centre.base_url);
    let text = notice.body.replace(LINK_PLACEHOLDER, &link).replace('\n', "\r\n");
    let json_type = ContentType::parse("application/json").expect("a fixed text that is a content type");
    let evidence = notice.evidence_text.replace('\n', "\r\n");
    let parts = MultiPart::mixed()
        .boundary(format!("dnscert-{}", notice.id))
        .singlepart(SinglePart::plain(text))
        .singlepart(Attachment::new("evidence.txt".to_owned()).body(evidence, ContentType::TEXT_PLAIN))
        .singlepart(Attachment::new("evidence.json".to_owned()).body(notice.evidence_json.clone(), json_type));
    builder
        .multipart(parts)
        .map_err(|error| Error::invalid("addresses", error))
}

fn address(field: &str, text: &str) -> Result<lettre::Address, Error> {
    text.parse()
        .map_err(|_| Error::invalid(field, format!("`{text}` is no mail address")))
}

fn plain_header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_space_or_without_domain_are_refused() {
        assert!(is_address("noc@registry.example"));
        assert!(is_address("пример@почта.example"));
        for wrong in ["", "noc", "noc@", "a b@c.example", "a@b.example\r\nBcc: x@y.example"] {
            assert!(!is_address(wrong), "{wrong}");
        }
    }
}
