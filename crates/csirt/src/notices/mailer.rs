//! The ways out: a mail relay, or a folder of `.eml` files.

use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use serde::{Deserialize, Serialize};

/// How the way to the relay is secured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// STARTTLS or nothing.
    #[default]
    Required,
    /// STARTTLS where the relay offers it.
    Opportunistic,
    /// In the clear; for a relay on the same machine.
    None,
    /// TLS from the first octet (port 465).
    Tls,
}

/// Whether a host is this machine: the only one to which a password may go in the clear.
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A relay (RFC 6409).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmtpSettings {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the way to it is secured.
    pub security: Security,
    /// User for AUTH; empty for none.
    pub user: String,
    /// Its password.
    pub password: String,
    /// Name given in EHLO; empty for the machine's.
    pub hello: String,
    /// PEM file with a certificate to trust besides the system's; `None` for none.
    pub ca_file: Option<PathBuf>,
    /// For one step of the dialogue, in seconds. RFC 5321 §4.5.3.2 has minutes; our own relay answers in seconds, and a
    /// runner that waits for a dead one holds other notices up.
    pub timeout_secs: u64,
}

impl Default for SmtpSettings {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            port: 587,
            security: Security::Required,
            user: String::new(),
            password: String::new(),
            hello: String::new(),
            ca_file: None,
            timeout_secs: 30,
        }
    }
}

impl std::fmt::Debug for SmtpSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpSettings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// A way out that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    /// The relay's settings cannot be.
    #[error("the relay `{host}` cannot be used")]
    Relay {
        /// Its host.
        host: String,
        /// Why.
        #[source]
        source: lettre::transport::smtp::Error,
    },
    /// The password would go to another machine in the clear, or would where somebody on the way wants it so.
    #[error("`security` lets the password for the relay `{host}` travel in the clear; it must be `required` or `tls`")]
    Clear {
        /// Its host.
        host: String,
    },
    /// The certificate file cannot be read.
    #[error("the certificate file `{}` cannot be read", path.display())]
    Certificate {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// A way out.
#[derive(Clone)]
pub enum Mailer {
    /// To a relay.
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
    /// Into a folder, one file per notice: `NOTICE-ID.eml`.
    Folder(PathBuf),
}

/// How handing over ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Handover {
    /// Taken, in the relay's words.
    Accepted(String),
    /// Refused for good.
    Refused(String),
    /// Not now.
    Later(String),
}

impl Mailer {
    /// A way to a relay. Nothing is connected yet.
    pub fn smtp(settings: &SmtpSettings) -> Result<Self, MailerError> {
        let may_be_clear = matches!(settings.security, Security::None | Security::Opportunistic);
        if may_be_clear && !settings.user.is_empty() && !is_loopback(&settings.host) {
            return Err(MailerError::Clear {
                host: settings.host.clone(),
            });
        }
        let relay = |source| MailerError::Relay {
            host: settings.host.clone(),
            source,
        };
        let parameters = || -> Result<TlsParameters, MailerError> {
            let mut builder = TlsParameters::builder(settings.host.clone());
            if let Some(path) = &settings.ca_file {
                let pem = std::fs::read(path).map_err(|source| MailerError::Certificate {
                    path: path.clone(),
                    source,
                })?;
                builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(relay)?);
            }
            builder.build().map_err(relay)
        };
        let tls = match settings.security {
            Security::Required => Tls::Required(parameters()?),
            Security::Opportunistic => Tls::Opportunistic(parameters()?),
            Security::None => Tls::None,
            Security::Tls => Tls::Wrapper(parameters()?),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port)
            .tls(tls)
            .timeout(Some(Duration::from_secs(settings.timeout_secs)));
        if !settings.hello.is_empty() {
            builder = builder.hello_name(ClientId::Domain(settings.hello.clone()));
        }
        if !settings.user.is_empty() {
            builder = builder.credentials(Credentials::new(settings.user.clone(), settings.password.clone()));
        }
        Ok(Mailer::Smtp(Box::new(builder.build())))
    }

    /// Whether the relay greets us, by the security that is set, and takes our credentials. Nothing is sent. A folder is
    /// always ready.
    pub async fn test(&self) -> Result<bool, lettre::transport::smtp::Error> {
        match self {
            Mailer::Smtp(relay) => relay.test_connection().await,
            Mailer::Folder(_) => Ok(true),
        }
    }

    /// Whether the notice of this file name went out this way already. Only a folder knows.
    pub(super) fn has(&self, stem: &str) -> bool {
        match self {
            Mailer::Smtp(_) => false,
            Mailer::Folder(folder) => folder.join(format!("{stem}.eml")).exists(),
        }
    }

    /// Hands a mail over. Of several recipients one that is taken is enough; the others' refusals stand in the words.
    pub(super) async fn hand_over(&self, stem: &str, mail: &Message) -> Handover {
        match self {
            Mailer::Smtp(relay) => send(relay, mail).await,
            Mailer::Folder(folder) => {
                let (folder, stem, octets) = (folder.clone(), stem.to_owned(), mail.formatted());
                let written = tokio::task::spawn_blocking(move || write(&folder, &stem, &octets)).await;
                match written {
                    Ok(Ok(())) => Handover::Accepted("written to the folder".to_owned()),
                    Ok(Err(error)) => Handover::Later(format!("the folder cannot be written: {error}")),
                    Err(error) => Handover::Later(format!("writing broke off: {error}")),
                }
            }
        }
    }
}

async fn send(relay: &AsyncSmtpTransport<Tokio1Executor>, mail: &Message) -> Handover {
    let (envelope, octets) = (mail.envelope(), mail.formatted());
    let first = match relay.send_raw(envelope, &octets).await {
        Ok(answer) => return Handover::Accepted(words(answer.message())),
        Err(error) => error,
    };
    let recipients = envelope.to().to_vec();
    if is_about_us(&first) {
        return Handover::Later(format!("the relay does not let us in: {}", chain(&first)));
    }
    if !first.is_permanent() || recipients.len() < 2 {
        let text = chain(&first);
        return if first.is_permanent() {
            Handover::Refused(text)
        } else {
            Handover::Later(text)
        };
    }
    // One bad address must not keep the notice from the others.
    let (mut taken, mut refused, mut later) = (Vec::new(), Vec::new(), Vec::new());
    for recipient in recipients {
        let Ok(alone) = lettre::address::Envelope::new(envelope.from().cloned(), vec![recipient.clone()]) else {
            continue;
        };
        match relay.send_raw(&alone, &octets).await {
            Ok(_) => taken.push(recipient.to_string()),
            Err(error) if error.is_permanent() => refused.push(format!("{recipient}: {}", chain(&error))),
            Err(error) => later.push(format!("{recipient}: {}", chain(&error))),
        }
    }
    let failed = [refused.join("; "), later.join("; ")].join(" ").trim().to_owned();
    match (taken.is_empty(), later.is_empty()) {
        (false, _) => Handover::Accepted(format!("taken for {}; not for {failed}", taken.join(", "))),
        (true, true) => Handover::Refused(failed),
        (true, false) => Handover::Later(failed),
    }
}

/// Whether the relay refused our user or password (RFC 4954 §6) or the way we came. That says nothing about the mail: it waits
/// until somebody has mended the settings.
fn is_about_us(error: &lettre::transport::smtp::Error) -> bool {
    error
        .status()
        .is_some_and(|code| [530, 534, 535, 538].contains(&u16::from(code)))
}

fn words<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.collect::<Vec<_>>().join(" ").chars().take(500).collect()
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    text.chars().take(1000).collect()
}

/// Writes a file so that it is either there as a whole or not at all, and is on the disk before this returns.
fn write(folder: &Path, stem: &str, octets: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(format!("{stem}.eml"));
    if path.exists() {
        return Ok(());
    }
    let unfinished = folder.join(format!(".{stem}.unfinished"));
    let mut file = std::fs::File::create(&unfinished)?;
    file.write_all(octets)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, &path)?;
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_once_and_leaves_nothing_unfinished() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "one", b"first").unwrap();
        write(folder.path(), "one", b"second").unwrap();
        assert_eq!(std::fs::read(folder.path().join("one.eml")).unwrap(), b"first");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(Mailer::Folder(folder.path().to_owned()).has("one"));
    }

    #[tokio::test]
    async fn a_password_goes_in_the_clear_to_this_machine_at_most() {
        let settings = |host: &str, security, user: &str| SmtpSettings {
            host: host.to_owned(),
            security,
            user: user.to_owned(),
            ..SmtpSettings::default()
        };
        for security in [Security::None, Security::Opportunistic] {
            let clear = Mailer::smtp(&settings("mail.example", security, "centre"));
            assert!(matches!(clear, Err(MailerError::Clear { .. })), "{security:?}");
            assert!(Mailer::smtp(&settings("mail.example", security, "")).is_ok());
            for host in ["localhost", "127.0.0.1", "::1", "[::1]"] {
                assert!(Mailer::smtp(&settings(host, security, "centre")).is_ok(), "{host}");
            }
        }
        assert!(Mailer::smtp(&settings("mail.example", Security::Required, "centre")).is_ok());
        assert!(Mailer::smtp(&settings("mail.example", Security::Tls, "centre")).is_ok());
    }

    #[test]
    fn a_password_never_shows_in_debug_output() {
        let settings = SmtpSettings {
            password: "hunter2".to_owned(),
            ..SmtpSettings::default()
        };
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
