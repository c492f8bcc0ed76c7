//! Delivery reports of other mail systems (RFC 3464), read from the raw mail.
//!
//! A report is believed where it names one of our Message-IDs, whose random part only its receivers and the relays on
//! the way know. Text outside of the machine-readable part is never interpreted.

use mail_parser::{Message, MessageParser, MimeHeaders, PartType};

/// Largest mail that is looked at, in octets; a report carries at most the mail it is about.
const LARGEST: usize = 8 << 20;

/// Parts and recipients looked at; real reports have a handful.
const MOST: usize = 200;

/// What became of one recipient (RFC 3464 §2.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It arrived, or went on to a system that does not report.
    Delivered,
    /// It still waits.
    Delayed,
    /// It came back for good.
    Failed,
}

/// One recipient of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The address, without its type.
    pub address: String,
    /// What became of it.
    pub action: Action,
    /// Status code: `5.1.1` (RFC 3463); empty where missing.
    pub status: String,
    /// What the other system said; empty where missing.
    pub diagnostic: String,
}

/// A delivery report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryReport {
    /// Message-IDs that it is about, without angle brackets: of the returned mail, then of its own threading.
    pub message_ids: Vec<String>,
    /// Per recipient, in the report's order.
    pub recipients: Vec<Recipient>,
}

impl DeliveryReport {
    /// What the report comes to: a single recipient reached counts as reached.
    pub fn action(&self) -> Action {
        self.recipients
            .iter()
            .map(|recipient| recipient.action)
            .min()
            .unwrap_or(Action::Failed)
    }

    /// The words of the first recipient that failed, for people.
    pub fn words(&self) -> String {
        let worst = self.recipients.iter().max_by_key(|recipient| recipient.action);
        worst.map_or_else(String::new, |recipient| {
            format!("{} {} {}", recipient.address, recipient.status, recipient.diagnostic)
                .trim()
                .to_owned()
        })
    }
}

/// Reads a mail as a delivery report; `None` when it is none.
pub fn read(raw: &[u8]) -> Option<DeliveryReport> {
    if raw.len() > LARGEST {
        return None;
    }
    let message = MessageParser::default().parse(raw)?;
    let mut recipients = Vec::new();
    let mut returned = Vec::new();
    for part in message.parts.iter().take(MOST) {
        let kind = part.content_type().map(|kind| {
            (
                kind.ctype().to_ascii_lowercase(),
                kind.subtype().unwrap_or_default().to_ascii_lowercase(),
            )
        });
        match kind.as_ref().map(|(kind, subtype)| (kind.as_str(), subtype.as_str())) {
            Some(("message", "delivery-status" | "global-delivery-status")) => {
                recipients.extend(read_status(&String::from_utf8_lossy(&octets(&part.body))));
            }
            Some(("message", "rfc822" | "global")) => {
                if let PartType::Message(inner) = &part.body {
                    returned.extend(inner.message_id().map(str::to_owned));
                }
            }
            Some(("text", "rfc822-headers")) | Some(("message", "global-headers")) => {
                let headers = String::from_utf8_lossy(&octets(&part.body)).into_owned();
                returned.extend(field(&unfold(&headers), "message-id").map(|id| bare(&id)));
            }
            _ => {}
        }
    }
    if recipients.is_empty() {
        return None;
    }
    recipients.truncate(MOST);
    returned.extend(thread_of(&message));
    returned.dedup();
    returned.truncate(MOST);
    Some(DeliveryReport {
        message_ids: returned,
        recipients,
    })
}

/// The Message-IDs that a mail answers: In-Reply-To, then References from the newest.
pub(crate) fn thread_of(message: &Message<'_>) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for header in [message.in_reply_to(), message.references()] {
        let texts = header
            .as_text_list()
            .map(<[_]>::to_vec)
            .unwrap_or_else(|| header.as_text().map(Into::into).into_iter().collect());
        ids.extend(texts.iter().rev().take(MOST).map(|id| bare(id)));
    }
    ids
}

fn octets(body: &PartType<'_>) -> Vec<u8> {
    match body {
        PartType::Text(text) | PartType::Html(text) => text.as_bytes().to_vec(),
        PartType::Binary(octets) | PartType::InlineBinary(octets) => octets.to_vec(),
        PartType::Message(message) => message.raw_message.to_vec(),
        PartType::Multipart(_) => Vec::new(),
    }
}

/// The recipients of a `message/delivery-status` part: groups of fields with empty lines between, the first group of
/// which is about the whole mail.
fn read_status(text: &str) -> Vec<Recipient> {
    let text = text.replace("\r\n", "\n");
    text.split("\n\n")
        .take(MOST)
        .filter_map(|group| {
            let lines = unfold(group);
            let action = match field(&lines, "action")?.to_ascii_lowercase().as_str() {
                "failed" => Action::Failed,
                "delayed" => Action::Delayed,
                "delivered" | "relayed" | "expanded" => Action::Delivered,
                _ => return None,
            };
            let typed = |name: &str| {
                let value = field(&lines, name)?;
                Some(
                    value
                        .split_once(';')
                        .map_or(value.clone(), |(_, rest)| rest.trim().to_owned()),
                )
            };
            Some(Recipient {
                address: shorten(&typed("final-recipient").or_else(|| typed("original-recipient"))?),
                action,
                status: shorten(&field(&lines, "status").unwrap_or_default()),
                diagnostic: shorten(&typed("diagnostic-code").unwrap_or_default()),
            })
        })
        .collect()
}

fn unfold(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().take(10 * MOST) {
        match lines.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

fn field(lines: &[String], name: &str) -> Option<String> {
    lines.iter().find_map(|line| {
        let (field, value) = line.split_once(':')?;
        field.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

fn bare(id: &str) -> String {
    id.trim().trim_start_matches('<').trim_end_matches('>').to_owned()
}

fn shorten(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(500).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUNCE: &str = "From: MAILER-DAEMON@relay.example\r\n\
        To: cert@cert.example\r\n\
        Subject: Undelivered Mail Returned to Sender\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: multipart/report; report-type=delivery-status; boundary=\"b1\"\r\n\
        \r\n\
        --b1\r\n\
        Content-Type: text/plain\r\n\
        \r\n\
        Sorry, your mail could not be delivered.\r\n\
        --b1\r\n\
        Content-Type: message/delivery-status\r\n\
        \r\n\
        Reporting-MTA: dns; relay.example\r\n\
        \r\n\
        Final-Recipient: rfc822; noc@registry.example\r\n\
        Action: failed\r\n\
        Status: 5.1.1\r\n\
        Diagnostic-Code: smtp; 550 5.1.1 no such\r\n\
        \tuser here\r\n\
        \r\n\
        --b1\r\n\
        Content-Type: message/rfc822\r\n\
        \r\n\
        Message-ID: <0199-7@cert.example>\r\n\
        Subject: [DNSCERT-2026-00001/2] hello\r\n\
        \r\n\
        text\r\n\
        --b1--\r\n";

    #[test]
    fn a_bounce_says_which_mail_which_recipient_and_why() {
        let report = read(BOUNCE.as_bytes()).unwrap();
        assert_eq!(report.message_ids, ["0199-7@cert.example"]);
        assert_eq!(report.action(), Action::Failed);
        assert_eq!(report.words(), "noc@registry.example 5.1.1 550 5.1.1 no such user here");
    }

    #[test]
    fn headers_alone_are_enough_to_know_the_mail() {
        let headers_only = BOUNCE.replace("message/rfc822", "text/rfc822-headers");
        assert_eq!(
            read(headers_only.as_bytes()).unwrap().message_ids,
            ["0199-7@cert.example"]
        );
    }

    #[test]
    fn a_report_of_success_or_delay_is_no_failure() {
        for (word, action) in [
            ("delivered", Action::Delivered),
            ("relayed", Action::Delivered),
            ("delayed", Action::Delayed),
        ] {
            let report = read(BOUNCE.replace("Action: failed", &format!("Action: {word}")).as_bytes()).unwrap();
            assert_eq!(report.action(), action);
        }
    }

    #[test]
    fn an_ordinary_mail_is_no_report() {
        assert_eq!(
            read(b"From: a@b.example\r\nSubject: Action: failed\r\n\r\nAction: failed\r\n"),
            None
        );
        assert_eq!(read(b""), None);
    }

    proptest! {
        #[test]
        fn random_octets_never_hurt(octets in prop::collection::vec(any::<u8>(), 0..600)) {
            read(&octets);
        }

        #[test]
        fn a_cut_or_damaged_report_never_hurts(length in 0..BOUNCE.len(), at in 0..BOUNCE.len(), octet in any::<u8>()) {
            let mut octets = BOUNCE.as_bytes().to_vec();
            octets[at] = octet;
            octets.truncate(length);
            read(&octets);
        }
    }
}
