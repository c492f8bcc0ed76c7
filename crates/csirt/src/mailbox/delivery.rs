//! Delivery reports of other mail systems (RFC 3464).
//!
//! A report is believed where it names one of our Message-IDs, whose random part only its receivers and the relays on
//! the way know. Text outside of the machine-readable part is never interpreted.

/// Recipients looked at; real reports have a handful.
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
    /// The report that these `message/delivery-status` parts make; `None` where they name no recipient.
    pub(super) fn of(statuses: &[String], message_ids: Vec<String>) -> Option<Self> {
        let recipients: Vec<Recipient> = statuses.iter().flat_map(|text| read_status(text)).take(MOST).collect();
        (!recipients.is_empty()).then_some(Self {
            message_ids,
            recipients,
        })
    }

    /// What the report comes to: a single recipient reached counts as reached.
    pub fn action(&self) -> Action {
        self.recipients
            .iter()
            .map(|recipient| recipient.action)
            .min()
            .unwrap_or(Action::Failed)
    }

    /// The words about the recipient that fared worst, for people.
    pub fn words(&self) -> String {
        let worst = self.recipients.iter().max_by_key(|recipient| recipient.action);
        worst.map_or_else(String::new, Recipient::words)
    }

    /// What became of each recipient, one on a line: `failed noc@registry.example 5.1.1 no such user here`.
    pub(super) fn told(&self) -> String {
        let lines = self.recipients.iter().map(|recipient| {
            let action = match recipient.action {
                Action::Delivered => "delivered",
                Action::Delayed => "delayed",
                Action::Failed => "failed",
            };
            format!("{action} {}", recipient.words())
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Addresses that were not reached, in lower case.
    pub(super) fn failed(&self) -> impl Iterator<Item = String> {
        let failed = self
            .recipients
            .iter()
            .filter(|recipient| recipient.action == Action::Failed);
        failed.map(|recipient| recipient.address.to_ascii_lowercase())
    }

    /// The same, read from what [`DeliveryReport::told`] told.
    pub(super) fn failed_in(told: &str) -> impl Iterator<Item = String> {
        let failed = told.lines().filter_map(|line| line.strip_prefix("failed "));
        failed.filter_map(|words| Some(words.split(' ').next()?.to_ascii_lowercase()))
    }
}

impl Recipient {
    fn words(&self) -> String {
        format!("{} {} {}", self.address, self.status, self.diagnostic)
            .trim()
            .to_owned()
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

fn shorten(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(500).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(raw: &[u8]) -> Option<DeliveryReport> {
        super::super::read(raw).ok()?.delivery
    }

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
        let failed: Vec<String> = report.failed().collect();
        assert_eq!(failed, ["noc@registry.example"]);
        assert_eq!(DeliveryReport::failed_in(&report.told()).collect::<Vec<_>>(), failed);
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
