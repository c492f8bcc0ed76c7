//! The party's mailbox in the demo: the folder of `.eml` files, read as a mail reader would.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use mail_parser::MessageParser;

/// A mail as the party sees it.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Its subject.
    pub subject: String,
    /// Path and query of the answer link in it.
    pub link: Option<String>,
}

/// The folder, and which of its mails have been read.
pub struct Outbox {
    folder: PathBuf,
    read: BTreeSet<PathBuf>,
    unanswered: Vec<Mail>,
}

impl Outbox {
    /// The folder; mails that lie in it already count as read.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let mut outbox = Self {
            folder: folder.to_owned(),
            read: BTreeSet::new(),
            unanswered: Vec::new(),
        };
        outbox.read_new()?;
        outbox.unanswered.clear();
        Ok(outbox)
    }

    /// Takes the newest unanswered mail whose subject contains `token`.
    pub fn take(&mut self, token: &str) -> Option<Mail> {
        let at = self.unanswered.iter().rposition(|mail| mail.subject.contains(token))?;
        Some(self.unanswered.remove(at))
    }

    /// Reads the mails that came since the last look.
    pub fn read_new(&mut self) -> anyhow::Result<()> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error).with_context(|| format!("reading `{}`", self.folder.display())),
        };
        for entry in entries {
            let path = entry
                .with_context(|| format!("reading `{}`", self.folder.display()))?
                .path();
            if path.extension().is_some_and(|ending| ending == "eml") && !self.read.contains(&path) {
                let raw = std::fs::read(&path).with_context(|| format!("reading `{}`", path.display()))?;
                self.unanswered
                    .push(parse(&raw).with_context(|| format!("`{}` is not a mail", path.display()))?);
                self.read.insert(path);
            }
        }
        Ok(())
    }
}

/// Takes a raw mail apart.
pub fn parse(raw: &[u8]) -> Option<Mail> {
    let message = MessageParser::default().parse(raw)?;
    let body = message.body_text(0).unwrap_or_default();
    Some(Mail {
        subject: message.subject().unwrap_or_default().to_owned(),
        link: link(&body),
    })
}

/// The first answer link: `/a/TOKEN` behind whatever host.
fn link(body: &str) -> Option<String> {
    let address = body
        .split(|c: char| c.is_whitespace() || ['<', '>', '\u{2068}', '\u{2069}'].contains(&c))
        .find(|word| word.starts_with("http") && word.contains("/a/"))?;
    address
        .find("/a/")
        .map(|at| address[at..].trim_end_matches(['.', ',', ')']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_is_found_in_a_mail_of_any_direction() {
        let raw = "To: noc@registry.example\r\nSubject: [DNSCERT-2026-00001/1] x\r\n\
                   Content-Type: text/plain; charset=utf-8\r\n\r\nانقر\r\n\u{2068}https://c.example/a/abc123\u{2069}\r\n";
        let mail = parse(raw.as_bytes()).unwrap();
        assert_eq!(mail.subject, "[DNSCERT-2026-00001/1] x");
        assert_eq!(mail.link.as_deref(), Some("/a/abc123"));
    }
}
